"""The time until a job that takes two seconds is in hand, and the calls that it takes."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.benchmarks import _clients
from tests.benchmarks._bulk import BUSY, WORK
from tests.benchmarks._measure import Must, Row
from tests.benchmarks._rows import dicts
from tests.benchmarks._server import Server

_ROUNDS = 2
_QUERY = f"SELECT Id, Name FROM {BUSY} LIMIT 2"
_AT_ONCE = "SELECT Id, Name FROM Account LIMIT 2"
_LIMIT = 3.0


def measure(server: Server) -> list[Row]:
    """Query two rows and insert two, from the first call to the end."""
    records = dicts(2, typed=False)
    sf, simple = _clients.ours(server, server.bulk), _clients.simple(server, server.bulk).bulk2
    # Nobody waits for a job while modules are imported.
    list(sf.bulk.query(_AT_ONCE).rows())
    list(simple.Account.query(_AT_ONCE, wait=0))
    queries = {
        "sfconnector": lambda: list(sf.bulk.query(_QUERY).rows()),
        "simple-salesforce": lambda: list(getattr(simple, BUSY).query(_QUERY)),
    }
    inserts: dict[str, Callable[[], Any]] = {
        "sfconnector": lambda: sf.bulk.insert(BUSY, records).wait(),
        "simple-salesforce": lambda: getattr(simple, BUSY).insert(records=records),
    }
    return [*_lines(server, "query", queries), *_lines(server, "insert", inserts)]


def _lines(server: Server, kind: str, ways: Mapping[str, Callable[[], Any]]) -> list[Row]:
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    calls: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(_ROUNDS):
        for name, way in ways.items():
            before, started = server.bulk_calls(), time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - started)
            calls[name].append(server.bulk_calls() - before)
    seconds["floor"] = [WORK] * _ROUNDS
    must = Must(f"≤ {_LIMIT:.0f} s", max(seconds["sfconnector"]), _LIMIT)
    title = f"A bulk {kind} that takes {WORK:.0f} s"
    return [Row(title, "s until in hand", seconds, must), Row(title, "calls", calls)]
