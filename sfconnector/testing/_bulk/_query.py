"""Query jobs: the job, and the work of writing its results.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_bulk_api_2_0.htm
"""

import struct
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from sfconnector.testing import _soql
from sfconnector.testing._bulk._csv import lines
from sfconnector.testing._bulk._engine import Engine, Work
from sfconnector.testing._bulk._jobs import Job
from sfconnector.testing._bulk._steering import DAILY_QUERY_STORAGE
from sfconnector.testing._errors import OrgError
from sfconnector.testing._store import Store

_OFFSET: Final = struct.Struct("<Q")
# From this API version on the columns are in the order of the query, before in that of the alphabet.
_IN_ORDER_SINCE: Final = 50.0
_MEGABYTE: Final = 1 << 20


@attrs.define(kw_only=True, eq=False)
class QueryJob(Job):
    """A job that reads records; its results are a file, and beside it the offsets of its rows."""

    query: str = ""
    total: int = 0

    @property
    def results(self) -> Path:
        return self.folder / "results.csv"

    @property
    def offsets(self) -> Path:
        return self.folder / "offsets"

    def offset(self, row: int) -> int:
        """Where a row of the results begins; the header is before row 0."""
        with self.offsets.open("rb") as file:
            file.seek(row * _OFFSET.size)
            offset: int = _OFFSET.unpack(file.read(_OFFSET.size))[0]
            return offset


class QueryWork(Work):
    """Writes what a query finds, 2,000 rows at a time."""

    job: QueryJob
    chunk = 2_000

    def __init__(self, job: QueryJob, engine: Engine, store: Store, context: _soql.Context) -> None:
        super().__init__(job)
        self._engine, self._store, self._context = engine, store, context

    def begin(self) -> None:
        self._engine.touch(self.job, "InProgress")

    def complete(self) -> None:
        self.job.total = self.records
        self._engine.touch(self.job, "JobComplete", resting=True)

    def fail(self, message: str) -> None:
        self.job.error_message = message
        self._engine.touch(self.job, "Failed", resting=True)

    def steps(self) -> Generator[None, None, None]:
        job = self.job
        plan = _soql.plan_table(job.query, self._store.schema, self._context)
        cells = plan.cells
        if float(job.version) < _IN_ORDER_SINCE:
            cells = tuple(sorted(cells, key=lambda cell: cell.path))
        reads = [texts(cell) for cell in cells]
        with self._store.transaction() as connection:
            snapshot = _soql.take_snapshot(plan, connection)
        try:
            with job.results.open("wb") as results, job.offsets.open("wb") as offsets:
                header = lines([[cell.path for cell in cells]], job.column_delimiter, job.line_ending)
                results.writelines(header)
                place = len(header[0])
                while True:
                    with self._store.transaction():
                        rows = snapshot.read(self.records, self.room)
                    written = lines(
                        [[read(row) for read in reads] for row in rows], job.column_delimiter, job.line_ending
                    )
                    for line in written:
                        offsets.write(_OFFSET.pack(place))
                        place += len(line)
                    results.writelines(written)
                    self.records += len(rows)
                    with self._engine.changed:
                        job.records_processed = self.records
                        self._engine.touch(job)
                    if len(rows) < self.room:
                        offsets.write(_OFFSET.pack(place))
                        break
                    yield
                self._use_storage(place)
        finally:
            with self._store.transaction():
                snapshot.drop()

    def _use_storage(self, size: int) -> None:
        """Count what the results take.

        Raises:
            OrgError: ``ExceededQuota``; the wording is not documented.
        """
        if not self._engine.usage.take(DAILY_QUERY_STORAGE, round(size / _MEGABYTE)):
            raise OrgError(400, "ExceededQuota", "The daily limit of results of Bulk API 2.0 queries is exceeded.")


def texts(cell: Any) -> Callable[[Sequence[Any]], str]:
    """Make the function that reads a row's cell as the bulk APIs write it."""
    value = cell.value
    match cell.type:
        case "boolean":
            return lambda row: {None: "", True: "true", False: "false"}[value(row)]
        case "double" | "currency" | "percent":
            return lambda row: _double(value(row))
        case "datetime":
            return lambda row: (value(row) or "").replace("+0000", "Z")
    return lambda row: "" if (found := value(row)) is None else str(found)


def _double(number: float | None) -> str:
    """As Java writes a double: with an exponent from ten millions on."""
    if number is None:
        return ""
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(float(number))
    mantissa, _, exponent = f"{number!r}".partition("e") if "e" in repr(number) else _scientific(number)
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}E{int(exponent)}"


def _scientific(number: float) -> tuple[str, str, str]:
    digits = len(repr(float(number)).replace("-", "").replace(".", "").strip("0"))
    return f"{number:.{max(digits - 1, 1)}e}".partition("e")
