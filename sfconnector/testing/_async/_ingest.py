"""A batch with records, on its way into the store.

https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-failed-records.html
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sfconnector.testing._async import _records, _results
from sfconnector.testing._async._archives import MANIFEST, Archive, Attachments
from sfconnector.testing._async._errors import TOO_MANY_LOCK_FAILURES, AsyncError, invalid_batch
from sfconnector.testing._async._processing import Processing
from sfconnector.testing._bulk import CHUNK
from sfconnector.testing._bulk._cells import NULL
from sfconnector.testing._bulk._csv import Upload, check_lengths
from sfconnector.testing._bulk._load import Load, Outcome, Source
from sfconnector.testing._context import RequestContext, change_origin

_MOST_RECORDS: Final = 10_000
# With more locked records than this the rest of a batch is put off, so many times at most.
# https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-planning-guidelines.html
_MOST_LOCKS: Final = 100
_MOST_RETRIES: Final = 10
_LOCKED: Final = "UNABLE_TO_LOCK_ROW"

Row = Sequence[Any]
# Takes the next records, so many at most; none is left when it gives none.
Reader = Callable[[int], list[Row]]


class Ingest(Processing):
    """Saves the records of a batch and writes what becomes of them."""

    def process(self) -> Generator[None, None, None]:
        with ExitStack() as opened:
            archive = opened.enter_context(Archive(self.batch.request)) if self.job.is_zip else None
            columns, read = self._open(archive, opened)
            load = Load(
                self.runtime.store,
                self.runtime.faults,
                self.job.operation,
                self.job.sobject,
                columns,
                external_id=self.job.external_id,
                context=RequestContext(
                    user_id=self.job.user_id,
                    version=self.job.version,
                    origin=change_origin("bulkapi", self.job.version, self.job.client),
                ),
                source=Source(method="POST", path=f"/services/async/{self.job.version}/job/{self.job.id}/batch"),
                binary=archive is not None,
                csv=self.job.format == "CSV",
            )
            save: Callable[[list[Row]], list[Outcome]] = load.save
            if archive is not None:
                store = self.runtime.store
                attachments = Attachments(archive, store.blobs, store.sobject(self.job.sobject), columns)
                save = partial(attachments.save, save=load.save)
            yield from self._save(read, save)

    def _open(self, archive: Archive | None, opened: ExitStack) -> tuple[list[str], Reader]:
        """The columns of the records, and what reads them."""
        request = self.batch.request
        if archive is not None:
            request = request.with_suffix(".txt")
            request.write_bytes(archive.read(MANIFEST) or b"")
        if self.job.format == "CSV":
            _check_number(_count(request))
            upload = opened.enter_context(Upload(request, "COMMA", None))
            return upload.header, lambda number: [_with_nulls(row) for row in upload.read(number)]
        parse = _records.read_json if self.job.format == "JSON" else _records.read_xml
        columns, rows = _records.table(parse(request.read_bytes()))
        _check_number(len(rows))
        for row in rows:
            check_lengths(row)
        rest = iter(rows)
        return columns, lambda number: list(islice(rest, number))

    def _save(self, read: Reader, save: Callable[[list[Row]], list[Outcome]]) -> Generator[None, None, None]:
        result_id, path = self.new_result()
        writer = _results.writer(self.job.format)
        locked = 0
        with path.open("wb") as file:
            try:
                while rows := read(self.room):
                    outcomes = save(rows)
                    file.write(writer.next(outcomes))
                    self.count(len(rows), sum(outcome.error is not None for outcome in outcomes))
                    locked += sum(_is_locked(outcome) for outcome in outcomes)
                    if locked > _MOST_LOCKS:
                        self._put_off(locked)
                        locked = 0
                    yield
            finally:
                # Also of a batch that fails there are results, as far as it came.
                file.write(writer.end())
                if self.records:
                    self.note_result(result_id, path)

    def _put_off(self, locked: int) -> None:
        """Begin again with the records that have not been processed; those that failed are not tried again."""
        with self.runtime.bulk.changed:
            self.batch.retries += 1
            if self.batch.retries > (_MOST_RETRIES if self.job.retries_batches else 0):
                raise AsyncError(TOO_MANY_LOCK_FAILURES, f"Too many lock failure {locked} Trying again later.")
            self.job.retries += 1


def _count(path: Path) -> int:
    with Upload(path, "COMMA", None) as upload:
        return sum(map(len, iter(lambda: upload.read(CHUNK), [])))


def _check_number(records: int) -> None:
    if records == 0:
        raise invalid_batch("Records not found")
    if records > _MOST_RECORDS:
        raise invalid_batch(f"A batch can contain at most {_MOST_RECORDS} records, and this one has {records}")


def _with_nulls(row: Sequence[str]) -> Row:
    return [None if cell == NULL else cell for cell in row]


def _is_locked(outcome: Outcome) -> bool:
    return outcome.error is not None and outcome.error.code == _LOCKED
