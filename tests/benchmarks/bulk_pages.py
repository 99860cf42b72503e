"""The time that a program waits for the pages of a bulk query's result from afar, one by one and side by side."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks._bulk import FAR
from tests.benchmarks._measure import Must, Row, ratio
from tests.benchmarks._process import Used, run_fresh, used
from tests.benchmarks._rows import ROWS_A_PAGE, select
from tests.benchmarks._server import Server

_ROUNDS = 2
_WORKERS = 5


def measure(server: Server) -> list[Row]:
    """Download the result of a job that is done."""
    ways = {"one by one": _one_by_one, "sfconnector": _side_by_side, "simple-salesforce": _simple}
    run_fresh(_one_by_one, server)  # The server makes its pages when they are first asked for.
    samples: dict[str, list[Used]] = {name: [] for name in ways}
    for _ in range(_ROUNDS):
        for name, way in ways.items():
            samples[name].append(run_fresh(way, server))
    seconds = {name: [each.seconds for each in rounds] for name, rounds in samples.items()}
    memory = {name: [max(each.megabytes, 0.1) for each in rounds] for name, rounds in samples.items()}
    title = f"{-(-server.rows // ROWS_A_PAGE)} result pages at {FAR * 1000:.0f} ms and 100 Mbit/s"
    sequential = {"sfconnector": seconds["one by one"], "simple-salesforce": seconds["simple-salesforce"]}
    must = Must("≤ 0.25 × simple-salesforce", ratio(seconds, "sfconnector", "simple-salesforce"), 0.25)
    return [
        Row(f"{title}, one by one", "s", sequential),
        Row(f"{title}, workers: {_WORKERS}", "s", seconds, must),
        Row(f"Memory of {title}, workers: {_WORKERS}", "MB over base", memory),
    ]


def _one_by_one(server: Server) -> Used:
    return _ours(server, workers=1)


def _side_by_side(server: Server) -> Used:
    return _ours(server, workers=_WORKERS)


def _ours(server: Server, workers: int) -> Used:
    from tests.benchmarks import _clients

    sf = _clients.ours(server, server.far)
    job = sf.bulk.query(select(server.rows), workers=workers).wait()
    with _file() as path:
        return used(lambda: job.to_csv(path))


def _simple(server: Server) -> Used:
    """Do what its ``download()`` does, but for making the job and waiting for it."""
    from tests.benchmarks import _clients

    client = _clients.simple(server, server.far).bulk2.Account._client
    job_id = client.create_job("query", select(server.rows))["id"]
    client.wait_for_job(job_id, is_query=True, wait=0)

    def download(folder: str) -> None:
        locator, more = "", True
        while more:
            locator = client.download_job_data(folder, job_id, locator)["locator"]
            more = bool(locator)

    with tempfile.TemporaryDirectory() as folder:
        return used(lambda: download(folder))


@contextmanager
def _file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "rows.csv"
