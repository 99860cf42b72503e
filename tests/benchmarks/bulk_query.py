"""A million rows of a bulk query, as dicts, Arrow and files: the time that they take, and the memory."""

import csv
import io
import json
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median

import attrs

from tests.benchmarks._measure import Must, Row, ratio
from tests.benchmarks._process import Used, run_fresh, used
from tests.benchmarks._rows import ROWS_A_PAGE, select
from tests.benchmarks._server import HOST, Server

_ROUNDS = 3
_CHUNK = 1 << 20

Way = Callable[[Server], Used]


@attrs.frozen
class _Goal:
    """What one way of ours has to hold beside simple-salesforce's: times its seconds, its CPU time, and MB."""

    ours: Way
    theirs: str
    seconds: float | None = None
    cpu: float | None = None
    megabytes: float | None = None


def measure(server: Server) -> list[Row]:
    """Measure each way in processes of its own, way after way and round after round."""
    goals = {
        "as dicts": _Goal(_rows, "dicts", seconds=1.0, megabytes=10),
        "as Arrow batches": _Goal(_batches, "dicts", seconds=1 / 5, megabytes=100),
        "as an Arrow table": _Goal(_table, "dicts", seconds=1 / 4),
        "to a CSV file": _Goal(_csv_file, "download", cpu=0.5, megabytes=15),
        "to a Parquet file": _Goal(_parquet_file, "dicts"),
    }
    ways: dict[str, Way] = {name: goal.ours for name, goal in goals.items()}
    ways |= {"dicts": _simple_dicts, "download": _simple_download, "requests": _by_requests, "floor": _floor}
    run_fresh(_floor, server)  # The server makes its pages when they are first asked for.
    samples: dict[str, list[Used]] = {name: [] for name in ways}
    for _ in range(_ROUNDS):
        for name, way in ways.items():
            samples[name].append(run_fresh(way, server))
    return [row for name, goal in goals.items() for row in _lines(f"{server.rows:,} rows {name}", name, goal, samples)]


def _lines(title: str, name: str, goal: _Goal, samples: Mapping[str, list[Used]]) -> Iterator[Row]:
    columns = {"sfconnector": name, "simple-salesforce": goal.theirs, "floor": "floor"}
    if goal.theirs == "download":
        columns["requests"] = "requests"
    for unit, of, limit in (
        ("s", lambda each: each.seconds, goal.seconds),
        ("s CPU", lambda each: each.cpu, goal.cpu),
        ("MB over base", lambda each: max(each.megabytes, 0.1), None),
    ):
        figures = {column: [of(each) for each in samples[way]] for column, way in columns.items()}
        must = None
        if limit is not None:
            figure = ratio(figures, "sfconnector", "simple-salesforce")
            must = Must(f"≤ {limit:.2f} × simple-salesforce", figure, limit)
        elif unit.startswith("MB") and goal.megabytes is not None:
            must = Must(f"≤ {goal.megabytes:.0f} MB", median(figures["sfconnector"]), goal.megabytes)
        yield Row(title, unit, figures, must)


def _rows(server: Server) -> Used:
    return _ours(server, lambda job: deque(job.rows(), maxlen=0))


def _batches(server: Server) -> Used:
    return _ours(server, lambda job: deque(job.batches(), maxlen=0))


def _table(server: Server) -> Used:
    return _ours(server, lambda job: job.to_arrow())


def _csv_file(server: Server) -> Used:
    with tempfile.TemporaryDirectory() as folder:
        return _ours(server, lambda job: job.to_csv(Path(folder) / "rows.csv"))


def _parquet_file(server: Server) -> Used:
    with tempfile.TemporaryDirectory() as folder:
        return _ours(server, lambda job: job.to_parquet(Path(folder) / "rows.parquet"))


def _ours(server: Server, take: Callable[..., object]) -> Used:
    """Take a page once and then all of them: what is imported and connected is the base."""
    from tests.benchmarks import _clients

    sf = _clients.ours(server, server.bulk)
    take(sf.bulk.query(select(1)))
    return used(lambda: take(sf.bulk.query(select(server.rows))))


def _simple_dicts(server: Server) -> Used:
    from tests.benchmarks import _clients

    accounts = _clients.simple(server, server.bulk).bulk2.Account

    def take(rows: int) -> None:
        for text in accounts.query(select(rows), wait=0):
            deque(csv.DictReader(io.StringIO(text, newline="")), maxlen=0)

    take(1)
    return used(lambda: take(server.rows))


def _simple_download(server: Server) -> Used:
    from tests.benchmarks import _clients

    accounts = _clients.simple(server, server.bulk).bulk2.Account
    with tempfile.TemporaryDirectory() as folder:
        accounts.download(select(1), folder, wait=0)
        return used(lambda: accounts.download(select(server.rows), folder, wait=0))


def _by_requests(server: Server) -> Used:
    from tests.benchmarks import _clients

    session = _clients.plain_requests(server)
    jobs = f"https://{HOST}:{server.bulk}{_clients.DATA}/jobs/query"

    def take(rows: int, path: Path) -> None:
        job_id = session.post(jobs, json={"operation": "query", "query": select(rows)}).json()["id"]
        locator = "0"
        with path.open("wb") as file:
            while locator != "null":
                with session.get(f"{jobs}/{job_id}/results", params={"locator": locator}, stream=True) as answer:
                    file.writelines(answer.iter_content(_CHUNK))
                    locator = answer.headers["Sforce-Locator"]

    with tempfile.TemporaryDirectory() as folder:
        take(1, Path(folder) / "rows.csv")
        return used(lambda: take(server.rows, Path(folder) / "rows.csv"))


def _floor(server: Server) -> Used:
    """Receive the pages and throw them away as they are."""
    from tests.benchmarks import _clients

    raw = _clients.RawSocket(server, server.bulk)
    body = json.dumps({"operation": "query", "query": select(server.rows)}).encode()
    job_id = raw.send("POST", f"{_clients.DATA}/jobs/query", body)["id"]

    def take() -> None:
        for start in range(0, server.rows, ROWS_A_PAGE):
            raw.drain(f"{_clients.DATA}/jobs/query/{job_id}/results?locator={start}")

    return used(take)
