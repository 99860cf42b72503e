"""A query as a data frame with the types that its columns have: the CPU time that it takes, and the memory."""

from statistics import median
from typing import Any

from tests.benchmarks import _clients
from tests.benchmarks._answers import PAGES, RECORDS_A_PAGE, SELECT
from tests.benchmarks._measure import Must, Row, interleave, ratio
from tests.benchmarks._process import peak, run_fresh
from tests.benchmarks._server import Server

_ROUNDS = 5
_MEMORY_ROUNDS = 2


def measure(server: Server) -> list[Row]:
    """Make frames of 10 pages, and a table of 100."""
    # The memory first: a process' peak begins with its parent's, which is still small.
    memory = _memory(server)
    return [_time(server), memory]


def _time(server: Server) -> Row:
    sf = _clients.ours(server, server.tls)
    simple = _clients.simple(server, server.tls)
    query = f"{SELECT} Contact"
    variants = {
        "sfconnector": lambda: sf.query(query).to_pandas(),
        "simple-salesforce": lambda: _typed_frame(simple.query_all(query)["records"]),
    }
    samples = interleave(variants, rounds=_ROUNDS)
    must = Must("≤ 0.60 × simple-salesforce", ratio(samples, "sfconnector", "simple-salesforce"), 0.60)
    return Row(f"{PAGES['Contact'] * RECORDS_A_PAGE:,} records as a pandas frame", "ms CPU", samples, must)


def _memory(server: Server) -> Row:
    samples: dict[str, list[float]] = {"sfconnector": [], "simple-salesforce": []}
    tables = []
    for _ in range(_MEMORY_ROUNDS):
        grown, table = run_fresh(_ours, server)
        samples["sfconnector"].append(grown)
        samples["simple-salesforce"].append(run_fresh(_simple, server))
        tables.append(grown / table)
    must = Must(f"≤ 1.3 × its {table:.0f} MB", median(tables), 1.3)
    return Row(f"Memory of {PAGES['Case'] * RECORDS_A_PAGE:,} records as a table", "MB over base", samples, must)


def _typed_frame(records: list[dict[str, Any]]) -> Any:
    import pandas as pd

    frame = pd.DataFrame.from_records(records).drop(columns="attributes")
    for column in ("CreatedDate", "LastModifiedDate"):
        frame[column] = pd.to_datetime(frame[column])
    return frame


def _ours(server: Server) -> tuple[float, float]:
    sf = _clients.ours(server, server.tls)
    sf.query(f"{SELECT} Account").to_arrow()
    before = peak()
    table = sf.query(f"{SELECT} Case").to_arrow()
    return peak() - before, table.nbytes / 1e6


def _simple(server: Server) -> float:
    sf = _clients.simple(server, server.tls)
    _typed_frame(sf.query_all(f"{SELECT} Account")["records"])
    before = peak()
    _typed_frame(sf.query_all(f"{SELECT} Case")["records"])
    return peak() - before
