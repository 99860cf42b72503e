"""The time that a program waits for 100,000 upserts in calls of 200, each call 100 ms away."""

import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from tests.benchmarks import _clients
from tests.benchmarks._answers import RECORDS_A_CALL
from tests.benchmarks._measure import Must, Row
from tests.benchmarks._server import LATENCY, Server

_NUMBER = 100_000
_WORKERS = 4


def measure(server: Server) -> list[Row]:
    """Upsert one call after the other, and four at a time; at a minute each, one round is enough."""
    simple = _seconds(lambda: _simple(server))
    sequential = _seconds(lambda: _ours(server, 1))
    parallel = _seconds(lambda: _ours(server, _WORKERS))
    must = Must("≤ 1 ÷ (0.9 × 4) of the time of one worker", parallel / sequential, 1 / (0.9 * _WORKERS))
    return [_row(1, sequential, simple, None), _row(_WORKERS, parallel, simple, must)]


def records(number: int) -> Iterator[dict[str, Any]]:
    """Records as a program reads them from somewhere."""
    for each in range(number):
        yield {
            "Ext__c": f"A-{each}",
            "Name": f"Company {each}",
            "Phone": "+49 30 12345678",
            "BillingCity": "Berlin",
            "AnnualRevenue": each / 100,
            "NumberOfEmployees": each,
            "Description": "north star harbour copper lantern",
        }


def _row(workers: int, ours: float, simple: float, must: Must | None) -> Row:
    floor = _NUMBER / RECORDS_A_CALL / workers * LATENCY
    samples = {"sfconnector": [ours], "simple-salesforce": [simple], "floor": [floor]}
    return Row(f"100,000 upserts at 100 ms, workers: {workers}", "s", samples, must)


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _ours(server: Server, workers: int) -> None:
    sf = _clients.ours(server, server.slow)
    results = sf.sobject("Account").upsert_many("Ext__c", records(_NUMBER), workers=workers)
    _check(sum(result.success for result in results))


def _simple(server: Server) -> None:
    # It sends any request, and knows no collections; a loop is what its users write.
    sf = _clients.simple(server, server.slow)
    source, saved = records(_NUMBER), 0
    while chunk := [{"attributes": {"type": "Account"}, **record} for record in islice(source, RECORDS_A_CALL)]:
        body = {"allOrNone": False, "records": chunk}
        results: Any = sf.restful("composite/sobjects/Account/Ext__c", method="PATCH", json=body)
        saved += sum(result["success"] for result in results)
    _check(saved)


def _check(saved: int) -> None:
    if saved != _NUMBER:
        raise AssertionError(f"{saved} records were saved")
