"""The memory that iterating over a query takes, however many pages it has, and that writing records takes."""

from collections import deque
from collections.abc import Callable
from functools import partial
from statistics import median

from tests.benchmarks._measure import Must, Row
from tests.benchmarks._process import peak, run_fresh
from tests.benchmarks._server import Server

_ROUNDS = 3
_WORKERS = 4
Work = Callable[[Server], float]


def measure(server: Server) -> list[Row]:
    """Do a tenth of the work, or less, and the whole of it, each in a process of its own."""
    simple = partial(_simple, "Case")
    return [
        _row(server, "iterating over 100 pages", partial(_ours, "Case", 1), partial(_ours, "Contact", 1), simple),
        _row(server, "iterating over 1,000,000 records", partial(_ours, "Lead", 1), partial(_ours, "Task", 1)),
        _row(
            server,
            f"iterating over 1,000,000 records, {_WORKERS} workers",
            partial(_ours, "Lead", _WORKERS),
            partial(_ours, "Task", _WORKERS),
        ),
        _row(server, f"100,000 upserts, {_WORKERS} workers", partial(_upsert, 100_000), partial(_upsert, 10_000)),
    ]


def _row(server: Server, name: str, whole: Work, part: Work, simple: Work | None = None) -> Row:
    variants = {"sfconnector": whole, "part": part} | ({} if simple is None else {"simple-salesforce": simple})
    samples: dict[str, list[float]] = {column: [] for column in variants}
    for _ in range(_ROUNDS):
        for column, work in variants.items():
            samples[column].append(run_fresh(work, server))
    # A page held for too long would cost 3 MB, and there are 90 more; the allocator alone moves by some MB.
    grown = median(samples["sfconnector"]) - median(samples["part"])
    return Row(f"Memory of {name}", "MB over base", samples, Must("≤ 10 MB more than for a tenth", grown, 10))


def _ours(sobject: str, workers: int, server: Server) -> float:
    from tests.benchmarks import _clients

    sf = _clients.ours(server, server.tls)
    before = peak()
    deque(sf.query(f"SELECT Id FROM {sobject}", workers=workers), maxlen=0)
    return peak() - before


def _simple(sobject: str, server: Server) -> float:
    from tests.benchmarks import _clients

    sf = _clients.simple(server, server.tls)
    before = peak()
    deque(sf.query_all_iter(f"SELECT Id FROM {sobject}"), maxlen=0)
    return peak() - before


def _upsert(number: int, server: Server) -> float:
    from tests.benchmarks import _clients
    from tests.benchmarks.upserts import records

    sf = _clients.ours(server, server.tls)
    before = peak()
    deque(sf.sobject("Account").upsert_many("Ext__c", records(number), workers=_WORKERS), maxlen=0)
    return peak() - before
