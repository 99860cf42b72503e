"""``python -m tests.benchmarks [name ...]``: measure and print the table; without names, all of it."""

import argparse
import os
import time

from tests.benchmarks._measure import header
from tests.benchmarks._process import measure, run_fresh
from tests.benchmarks._server import running

_NAMES = (
    *("imports", "small_call", "new_connection", "page", "pages", "memory", "table", "files", "upserts"),
    *("bulk_query", "bulk_pages", "bulk_wait", "bulk_ingest"),
    *("streaming", "latency", "idle"),
)
_DISTURBING = ("PYTHONDONTWRITEBYTECODE", "_PROXY", "_CA_BUNDLE", "SSL_CERT_FILE")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure ours, peers and floor.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"what to measure: {', '.join(_NAMES)}; else all")
    parser.add_argument("--rows", type=int, default=1_000_000, help="how many rows the bulk measurements have")
    asked = parser.parse_args()
    names = asked.names or _NAMES
    if unknown := set(names) - set(_NAMES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(_NAMES)}")
    # The clients are to find what their users' processes have: compiled modules, and no proxy in the way.
    for variable in [name for name in os.environ if name.upper().endswith(_DISTURBING)]:
        del os.environ[variable]
    shares: list[str] = []
    columns: tuple[str, ...] = ()
    with running(asked.rows) as server:
        for name in names:
            started, used = time.perf_counter(), server.cpu_seconds()
            for row in run_fresh(measure, name, server):
                if row.columns != columns:
                    _show(("\n" if columns else "") + header(row.columns))
                    columns = row.columns
                _show(str(row))
            elapsed = time.perf_counter() - started
            shares.append(f"{name} {(server.cpu_seconds() - used) / elapsed:.0%} of {elapsed:.0f} s")
    _show(f"\nHow busy the server was, in its own process: {', '.join(shares)}.")


def _show(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # a program's output


if __name__ == "__main__":
    main()
