"""A batch of a query job: a query, or one that PK chunking splits into others.

https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-bulk-query-processing.html
"""

from collections.abc import Callable, Generator, Sequence
from typing import Any, Final

from sfconnector.testing import _soql
from sfconnector.testing._async._chunking import Chunking
from sfconnector.testing._async._chunks import chunks, splits
from sfconnector.testing._async._errors import EXCEEDED_QUOTA, FEATURE_NOT_ENABLED, AsyncError, invalid_batch
from sfconnector.testing._async._formats import DataFormat
from sfconnector.testing._async._jobs import Batch, ClassicJob
from sfconnector.testing._async._processing import Processing
from sfconnector.testing._async._query_results import CsvResult, JsonResult, XmlResult
from sfconnector.testing._bulk._steering import DAILY_BATCHES
from sfconnector.testing._context import RequestContext
from sfconnector.testing._errors import OrgError
from sfconnector.testing._running_user import query_context
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._soql import _ast
from sfconnector.testing._soql._render import whole

_NOT_ENABLED: Final = "FUNCTIONALITY_NOT_ENABLED"

# Takes so many rows or records that follow the first ones.
Reader = Callable[[int, int], Sequence[Any]]
Result = CsvResult | JsonResult | XmlResult


class Query(Processing):
    """Runs a query and writes what it finds.

    Args:
        runtime: the org.
        job: the job.
        batch: the batch.
        add_chunk: adds a batch with a part of the query; without it the query is run as it is.
    """

    def __init__(
        self, runtime: Runtime, job: ClassicJob, batch: Batch, add_chunk: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(runtime, job, batch)
        self._add_chunk = add_chunk

    def process(self) -> Generator[None, None, None]:
        try:
            text = self.batch.request.read_text("utf-8")
            query = _soql.parse(text)
            self._check_object(query.sources[0].name.text)
            sobject = self.runtime.store.sobject(self.job.sobject)
            if self._add_chunk is not None and self.job.chunking is not None and splits(query, sobject):
                self._split(text, self.job.chunking, self._add_chunk)
            else:
                yield from self._run(text, query)
        except UnicodeDecodeError as error:
            raise invalid_batch("Failed to process query: it is not UTF-8") from error
        except OrgError as error:
            raise invalid_batch(f"Failed to process query: {_code(error)}: {error.message}") from error

    def _check_object(self, name: str) -> None:
        if name.lower() != self.job.sobject.lower():
            # https://github.com/simple-salesforce/simple-salesforce/issues/502
            raise OrgError(
                400,
                "INVALID_TYPE_FOR_OPERATION",
                f"The root entity of the requested query ({name}) does not match the entity of the requested Bulk API "
                f"Job ({self.job.sobject}).",
            )

    def _split(self, text: str, chunking: Chunking, add_chunk: Callable[[str], None]) -> None:
        store, engine = self.runtime.store, self.runtime.bulk
        sobject = store.sobject(self.job.sobject)
        with store.transaction() as connection:
            parts = list(chunks(text, sobject, chunking, store.schema, connection))
        self.final = "NotProcessed"
        for part in parts:
            with engine.changed:
                if self.job.state == "Aborted":
                    return
                if not self.runtime.usage.take(DAILY_BATCHES):
                    raise AsyncError(EXCEEDED_QUOTA, "ApiBatchItems Limit exceeded.")
                add_chunk(part)

    def _run(self, text: str, query: _ast.Query) -> Generator[None, None, None]:
        store, job = self.runtime.store, self.job
        by = RequestContext(user_id=job.user_id, version=job.version)
        context = query_context(store, by, self.runtime.clock(), include_deleted=job.operation == "queryAll")
        nested = _check_supported(query, job.format)
        # For records, the plan is made for what it refuses.
        plan = None if nested else _soql.plan_table(text, store.schema, context)
        if plan is not None and any(cell.type == "base64" for cell in plan.cells):
            # https://help.salesforce.com/s/articleView?id=000382669&type=1
            raise AsyncError(FEATURE_NOT_ENABLED, "Binary field not supported")
        if job.format == "CSV" and plan is not None:
            with store.transaction() as connection:
                snapshot = _soql.take_snapshot(plan, connection)
            try:
                yield from self._write(self._locked(snapshot.read), lambda: CsvResult(plan.cells))
            finally:
                with store.transaction():
                    snapshot.drop()
        else:
            with store.transaction() as connection:
                found = _soql.execute(text, schema=store.schema, connection=connection, context=context)
            result = JsonResult if job.format == "JSON" else XmlResult
            yield from self._write(
                lambda after, number: found.render(found.rows[after : after + number], whole),
                lambda: result(store.schema),
            )

    def _locked(self, read: Reader) -> Reader:
        def locked(after: int, number: int) -> Sequence[Any]:
            with self.runtime.store.transaction():
                return read(after, number)

        return locked

    def _write(self, read: Reader, result: Callable[[], Result]) -> Generator[None, None, None]:
        """Write what is found into as many results as it takes; a client must reckon with several of them."""
        size = self.runtime.bulk.steering.query_page_size
        more = True
        while more:
            result_id, path = self.new_result()
            writer, written = result(), 0
            with path.open("wb") as file:
                while more and written < size:
                    number = min(self.room, size - written)
                    rows = read(self.records, number)
                    file.write(writer.next(rows))
                    self.count(len(rows))
                    written += len(rows)
                    more = len(rows) == number
                    yield
                file.write(writer.end())
            if written or not self.batch.results:
                self.note_result(result_id, path)


def _check_supported(query: _ast.Query, data_format: DataFormat) -> bool:
    """Refuse what the format cannot hold; tell whether there are records in records that are no parents.

    https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-concepts-limits.html
    """
    children = any(isinstance(item, _ast.Child) for item in query.selection)
    if children and data_format == "CSV":
        # https://github.com/jsforce/jsforce/issues/732
        raise AsyncError(
            FEATURE_NOT_ENABLED, "Aggregate Relationships not supported in Bulk Query with CSV content type"
        )
    typeof = any(isinstance(item, _ast.TypeOf) for item in query.selection)
    # The documentation says that TYPEOF is not supported, and recorded answers in JSON have it.
    if typeof and data_format != "JSON":
        raise OrgError(400, _NOT_ENABLED, "TYPEOF is not supported in Bulk Query")
    if query.group_by or query.offset is not None:
        what = "GROUP BY" if query.group_by else "OFFSET"
        raise OrgError(400, _NOT_ENABLED, f"{what} is not supported in Bulk Query")
    return children or typeof


def _code(error: OrgError) -> str:
    """What the other bulk API calls an error of the API has a name of its own here.

    https://github.com/xjsender/haoide/issues/137
    """
    return _NOT_ENABLED if error.code == "API_ERROR" else error.code
