"""A batch of a query job: a query, or one that PK chunking splits into others.

https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-bulk-query-processing.html
"""

from collections.abc import Callable, Generator, Mapping
from typing import Final

from sfconnector.testing import _soql
from sfconnector.testing._async._chunking import Chunking
from sfconnector.testing._async._chunks import chunks, splits
from sfconnector.testing._async._errors import EXCEEDED_QUOTA, AsyncError, invalid_batch
from sfconnector.testing._async._jobs import Batch, ClassicJob
from sfconnector.testing._async._processing import Processing
from sfconnector.testing._async._query_results import JsonResult, XmlResult
from sfconnector.testing._context import RequestContext
from sfconnector.testing._errors import OrgError
from sfconnector.testing._running_user import query_context
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._schema import Schema
from sfconnector.testing._soql._render import whole

_RESULTS: Final[Mapping[str, Callable[[Schema], JsonResult | XmlResult]]] = {"JSON": JsonResult, "XML": XmlResult}


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
                yield from self._run(text)
        except OrgError as error:
            raise invalid_batch(f"Failed to process query: {error.code}: {error.message}") from error

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
                if not self.runtime.usage.take("DailyBulkApiBatches"):
                    raise AsyncError(EXCEEDED_QUOTA, "ApiBatchItems Limit exceeded.")
                add_chunk(part)

    def _run(self, text: str) -> Generator[None, None, None]:
        store = self.runtime.store
        context = RequestContext(user_id=self.job.user_id, version=self.job.version)
        with store.transaction() as connection:
            asked = query_context(
                store, context, self.runtime.clock(), include_deleted=self.job.operation == "queryAll"
            )
            found = _soql.execute(text, schema=store.schema, connection=connection, context=asked)
        size = self.runtime.bulk.steering.query_page_size
        for start in range(0, len(found.rows), size) or [0]:
            yield from self._write(found, start, min(start + size, len(found.rows)))

    def _write(self, found: _soql.Result, start: int, end: int) -> Generator[None, None, None]:
        """Write a result; a client must reckon with several of them."""
        result_id, path = self.new_result()
        writer = _RESULTS[self.job.format](self.runtime.store.schema)
        with path.open("wb") as file:
            while start < end:
                rows = found.rows[start : min(start + self.room, end)]
                file.write(writer.records(found.render(rows, whole)))
                start += len(rows)
                self.count(len(rows))
                yield
            file.write(writer.end())
        self.note_result(result_id, path)
