"""The time that a program waits for 100 pages of query results, each 100 ms away, and works on them."""

import time
from collections.abc import Callable, Iterable

from tests.benchmarks import _clients
from tests.benchmarks._answers import PAGES, RECORDS_A_PAGE
from tests.benchmarks._measure import Must, Row, interleave, ratio
from tests.benchmarks._server import LATENCY, Server

_ROUNDS = 2
_WORKERS = 8
_WORK = 0.05
_QUERY = "SELECT Id, Name FROM Case"


def measure(server: Server) -> list[Row]:
    """Iterate without work of one's own, and with 50 ms a page of it: waiting or computing."""
    return [
        _row(server, "no work", lambda: None, limit=None),
        _row(server, "50 ms of waiting a page", lambda: time.sleep(_WORK), limit=0.65),
        _row(server, "50 ms of computing a page", _compute, limit=0.65),
        _row(server, f"no work, {_WORKERS} workers", lambda: None, limit=0.35, workers=_WORKERS),
    ]


def _row(server: Server, name: str, work: Callable[[], None], limit: float | None, workers: int = 1) -> Row:
    sf = _clients.ours(server, server.slow)
    simple = _clients.simple(server, server.slow)
    variants = {
        "sfconnector": lambda: _consume(sf.query(_QUERY, workers=workers), work),
        "simple-salesforce": lambda: _consume(simple.query_all_iter(_QUERY), work),
    }
    samples = interleave(variants, rounds=_ROUNDS, clock=time.perf_counter, warm_up=False)
    in_seconds = {name: [value / 1000 for value in values] for name, values in samples.items()}
    # Each page names the next one, so without guesses they can only be asked for one after the other.
    in_seconds["floor"] = [(1 + (PAGES["Case"] - 1) / workers) * LATENCY] * _ROUNDS
    figure = ratio(in_seconds, "sfconnector", "simple-salesforce")
    must = None if limit is None else Must(f"≤ {limit:.2f} × simple-salesforce", figure, limit)
    return Row(f"100 pages at 100 ms, {name}", "s", in_seconds, must)


def _consume(records: Iterable[object], work: Callable[[], None]) -> None:
    count = 0
    for count, _ in enumerate(records, start=1):
        if count % RECORDS_A_PAGE == 0:
            work()
    if count != PAGES["Case"] * RECORDS_A_PAGE:
        raise AssertionError(f"{count} records came")


def _compute() -> None:
    # By the thread's own clock: what another thread computes meanwhile is not the caller's work.
    until = time.thread_time() + _WORK
    while time.thread_time() < until:
        pass
