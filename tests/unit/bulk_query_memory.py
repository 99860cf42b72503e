"""Run as a program: read long results as rows, as CSV by one worker and by several, and as Arrow batches.

Prints by how many MB the process grew for each. The argument is a folder.
"""

import resource
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

from sfconnector import Salesforce, auth
from sfconnector._bulk.query_jobs import QueryJob

PAGES, ROWS = 8, 60_000


def serve() -> None:
    """Serve the results until the standard input ends, in a process of its own."""
    from bulk_results import Results, rows

    with Results([rows(number * ROWS, (number + 1) * ROWS) for number in range(PAGES)]) as server:
        print(server.url, flush=True)  # noqa: T201  # a program's output
        sys.stdin.read()


def main(folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, __file__, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        with Salesforce(auth.AccessToken(url, "token")) as sf:
            job = sf.bulk.query_job("750000000000001AAA")
            figures = [
                grown(lambda: deque(job.rows(), maxlen=0)),
                grown(lambda: job.to_csv(folder / "rows.csv")),
                grown(lambda: job.to_csv(folder / "rows.csv", workers=3)),
                grown_by_batches(job),
            ]
        server.communicate()
    print(*figures)  # noqa: T201  # a program's output


def grown_by_batches(job: QueryJob) -> float:
    import pyarrow.csv  # noqa: F401  # what is imported is no memory of a reading

    return grown(lambda: deque(job.batches(), maxlen=0))


def grown(read: Callable[[], object]) -> float:
    before = peak()
    read()
    return peak() - before


def peak() -> float:
    """Give the largest size of the process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


if __name__ == "__main__":
    serve() if sys.argv[1] == "serve" else main(Path(sys.argv[1]))
