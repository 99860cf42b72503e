"""The memory that iterating over a query takes, however many pages it has."""

import resource
import sys
from collections import deque
from statistics import median

from tests.benchmarks._measure import Must, Row
from tests.benchmarks._process import run_fresh
from tests.benchmarks._server import Server

_ROUNDS = 3


def measure(server: Server) -> list[Row]:
    """Iterate over 10 pages and over 100, each in a process of its own."""
    names = {"sfconnector": (_ours, "Case"), "10 pages": (_ours, "Contact"), "simple-salesforce": (_simple, "Case")}
    samples: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(_ROUNDS):
        for name, (iterate, sobject) in names.items():
            samples[name].append(run_fresh(iterate, server, sobject))
    # A page held for too long would cost 3 MB, and there are 90 more; the allocator alone moves by some MB.
    grown = median(samples["sfconnector"]) - median(samples["10 pages"])
    must = Must("≤ 10 MB more than 10 pages", grown, 10)
    return [Row("Memory of iterating over 100 pages", "MB over base", samples, must)]


def _ours(server: Server, sobject: str) -> float:
    from tests.benchmarks import _clients

    sf = _clients.ours(server, server.tls)
    before = peak()
    deque(sf.query(f"SELECT Id FROM {sobject}"), maxlen=0)
    return peak() - before


def _simple(server: Server, sobject: str) -> float:
    from tests.benchmarks import _clients

    sf = _clients.simple(server, server.tls)
    before = peak()
    deque(sf.query_all_iter(f"SELECT Id FROM {sobject}"), maxlen=0)
    return peak() - before


def peak() -> float:
    """Give the largest size of this process so far, in MB."""
    in_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return in_bytes / 1e6
