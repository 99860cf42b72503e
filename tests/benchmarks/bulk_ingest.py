"""A million rows into the bulk API, from dicts and from a CSV file: the CPU time that they take, and the memory."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks._measure import Must, Row, ratio
from tests.benchmarks._process import Used, run_fresh, used
from tests.benchmarks._rows import dicts, write
from tests.benchmarks._server import Server

_ROUNDS = 2
_LARGE = 6
"""How many times as large the file is whose upload shows the memory: about 1 GB."""
_ROWS_A_JOB = 500_000
"""What simple-salesforce is told to send at once; it would exceed 100 MB where it may choose."""
_CHUNK = 1 << 20
_SMALL = "small.csv"

Way = Callable[[Server], Used]


def measure(server: Server) -> list[Row]:
    """Insert the rows, way after way and round after round, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path, large = Path(folder) / "rows.csv", Path(folder) / "large.csv"
        # In other processes: making rows is not to be in the peak memory from which these begin.
        for each, number in ((path, server.rows), (large, server.rows * _LARGE), (path.with_name(_SMALL), 1)):
            run_fresh(write, each, number)
        floor = partial(_floor, path)
        from_texts = _compare(server, partial(_our_dicts, False), partial(_simple_dicts, False), floor)
        from_values = _compare(server, partial(_our_dicts, True), partial(_simple_dicts, True), floor)
        from_file = _compare(server, partial(_our_file, path), partial(_simple_file, path), floor)
        growth = run_fresh(_our_file, large, server)
        size = large.stat().st_size / 1e6
    rows = f"{server.rows:,}"
    return [
        *_lines(f"{rows} dicts of texts up", from_texts, 0.22, 15),
        *_lines(f"{rows} dicts of values up", from_values, 0.22, 15),
        *_lines(f"{rows} rows of a CSV file up", from_file, 0.1, 10),
        _memory(f"A CSV file of {size:,.0f} MB up", {"sfconnector": [growth]}, 10),
    ]


def _compare(server: Server, ours: Way, simple: Way, floor: Way) -> dict[str, list[Used]]:
    ways = {"sfconnector": ours, "simple-salesforce": simple, "floor": floor}
    samples: dict[str, list[Used]] = {name: [] for name in ways}
    for _ in range(_ROUNDS):
        for name, way in ways.items():
            samples[name].append(run_fresh(way, server))
    return samples


def _lines(title: str, samples: Mapping[str, list[Used]], cpu: float, megabytes: float) -> Iterator[Row]:
    seconds = {name: [each.cpu for each in rounds] for name, rounds in samples.items()}
    figure = ratio(seconds, "sfconnector", "simple-salesforce")
    yield Row(title, "s CPU", seconds, Must(f"≤ {cpu:.2f} × simple-salesforce", figure, cpu))
    yield _memory(title, samples, megabytes)


def _memory(title: str, samples: Mapping[str, list[Used]], megabytes: float) -> Row:
    grown = {name: [max(each.megabytes, 0.1) for each in rounds] for name, rounds in samples.items()}
    return Row(title, "MB over base", grown, Must(f"≤ {megabytes:.0f} MB", median(grown["sfconnector"]), megabytes))


def _our_dicts(typed: bool, server: Server) -> Used:
    return _ours(server, dicts(server.rows, typed=typed), dicts(1, typed=typed), server.rows)


def _our_file(path: Path, server: Server) -> Used:
    rows = server.rows * (_LARGE if path.stem == "large" else 1)
    return _ours(server, path, path.with_name(_SMALL), rows)


def _ours(server: Server, source: Any, small: Any, rows: int) -> Used:
    """Insert one row first: what is imported and connected is the base, as are records that are there."""
    from tests.benchmarks import _clients

    sf = _clients.ours(server, server.bulk)
    sf.bulk.insert("Account", small).wait()
    done: list[Any] = []
    figures = used(lambda: done.append(sf.bulk.insert("Account", source).wait()))
    _check(sum(job.info().number_records_processed for job in done[0].jobs), rows)
    return figures


def _simple_dicts(typed: bool, server: Server) -> Used:
    return _simple(server, {"records": dicts(server.rows, typed=typed)}, {"records": dicts(1, typed=typed)})


def _simple_file(path: Path, server: Server) -> Used:
    return _simple(server, {"csv_file": str(path)}, {"csv_file": str(path.with_name(_SMALL))})


def _simple(server: Server, source: dict[str, Any], small: dict[str, Any]) -> Used:
    from tests.benchmarks import _clients

    accounts = _clients.simple(server, server.bulk).bulk2.Account
    accounts.insert(**small, wait=0)
    done: list[Any] = []
    figures = used(lambda: done.extend(accounts.insert(**source, batch_size=_ROWS_A_JOB, wait=0)))
    _check(sum(job["numberRecordsProcessed"] for job in done), server.rows)
    return figures


def _floor(path: Path, server: Server) -> Used:
    """Send the bytes of the file as they are."""
    from tests.benchmarks import _clients

    raw = _clients.RawSocket(server, server.bulk)
    jobs = f"{_clients.DATA}/jobs/ingest"
    job_id = raw.send("POST", jobs, json.dumps({"operation": "insert", "object": "Account"}).encode())["id"]
    with path.open("rb") as file:
        return used(
            lambda: raw.put(f"{jobs}/{job_id}/batches", iter(lambda: file.read(_CHUNK), b""), path.stat().st_size)
        )


def _check(rows: int, expected: int) -> None:
    if rows != expected:
        raise AssertionError(f"{rows} rows arrived, not {expected}")
