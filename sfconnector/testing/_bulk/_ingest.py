"""Ingest jobs of Bulk API 2.0: the job, and the work of saving its rows.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/how_requests_are_processed.htm
"""

from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

import attrs

from sfconnector.testing._bulk._cells import NULL
from sfconnector.testing._bulk._csv import DELIMITERS, LINE_ENDINGS, Upload, lines
from sfconnector.testing._bulk._engine import Engine, Work
from sfconnector.testing._bulk._jobs import Job
from sfconnector.testing._bulk._load import Load, Outcome, Source
from sfconnector.testing._bulk._steering import DAILY_BATCHES, DAILY_RECORDS
from sfconnector.testing._context import RequestContext
from sfconnector.testing._errors import OrgError
from sfconnector.testing._faults import Faults
from sfconnector.testing._store import Store

# Salesforce cuts an upload into batches of so many records.
_BATCH: Final = 10_000
SUCCEEDED: Final = ("sf__Id", "sf__Created")
FAILED: Final = ("sf__Id", "sf__Error")


@attrs.define(kw_only=True, eq=False)
class IngestJob(Job):
    """A job that saves the rows of one upload.

    Args:
        has_upload: the data is there, in ``upload``.
        header: the first row of the upload, as it stands there.
        position: where the records begin that have not been processed.
    """

    has_upload: bool = False
    header: str = ""
    position: int = 0

    @property
    def upload(self) -> Path:
        return self.folder / "upload.csv"

    @property
    def successful(self) -> Path:
        return self.folder / "successful.csv"

    @property
    def failed(self) -> Path:
        return self.folder / "failed.csv"

    def result_header(self, columns: tuple[str, ...]) -> bytes:
        """The header of results: columns of Salesforce's, then those of the upload as they were."""
        delimiter = DELIMITERS[self.column_delimiter]
        names = [f'"{name}"' for name in columns]
        return (delimiter.join([*names, *filter(None, [self.header])]) + LINE_ENDINGS[self.line_ending]).encode()


class IngestWork(Work):
    """Saves the rows of an upload, 200 at a time."""

    job: IngestJob

    def __init__(self, job: IngestJob, engine: Engine, store: Store, faults: Faults, context: RequestContext) -> None:
        super().__init__(job)
        self._engine, self._store, self._faults, self._context = engine, store, faults, context

    def begin(self) -> None:
        self._engine.touch(self.job, "InProgress")

    def complete(self) -> None:
        self._engine.touch(self.job, "JobComplete", resting=True)

    def fail(self, message: str) -> None:
        self.job.error_message = message
        self._engine.touch(self.job, "Failed", resting=True)

    def steps(self) -> Generator[None, None, None]:
        job = self.job
        if not job.has_upload:
            return
        with ExitStack() as files:
            upload = files.enter_context(Upload(job.upload, job.column_delimiter, job.line_ending))
            job.header, job.position = upload.header_text, upload.position
            load = self._load(upload.header)
            succeeded, failed = (files.enter_context(path.open("ab")) for path in (job.successful, job.failed))
            while rows := upload.read(min(self.room, _BATCH - self.records % _BATCH)):
                self._count(len(rows))
                outcomes = load.save([None if cell == NULL else cell for cell in row] for row in rows)
                self._note(rows, outcomes, succeeded, failed)
                job.position = upload.position
                yield

    def _count(self, rows: int) -> None:
        """Count rows, and the batches that they begin.

        Raises:
            OrgError: ``ExceededQuota``.
        """
        usage = self._engine.usage
        if self.records % _BATCH == 0 and not usage.take(DAILY_BATCHES):
            raise OrgError(400, "ExceededQuota", "ApiBatchItems Limit exceeded.")
        if not usage.take(DAILY_RECORDS, rows):
            # The wording is not documented.
            raise OrgError(400, "ExceededQuota", "The daily limit of records of Bulk API 2.0 is exceeded.")

    def _load(self, header: list[str]) -> Load:
        job = self.job
        return Load(
            self._store,
            self._faults,
            job.operation,
            job.sobject,
            header,
            external_id=job.external_id,
            context=self._context,
            source=Source(method="PUT", path=f"/services/data/v{job.version}/jobs/ingest/{job.id}/batches"),
        )

    def _note(self, rows: list[list[str]], outcomes: list[Outcome], succeeded: BinaryIO, failed: BinaryIO) -> None:
        job = self.job
        good, bad = [], []
        for row, outcome in zip(rows, outcomes, strict=True):
            if outcome.error is None:
                good.append([outcome.id, "true" if outcome.created else "false", *row])
            else:
                bad.append([outcome.id, outcome.error_text, *row])
        for file, noted in ((succeeded, good), (failed, bad)):
            file.writelines(lines(noted, job.column_delimiter, job.line_ending))
            file.flush()
        self.records += len(rows)
        with self._engine.changed:
            job.records_processed += len(rows)
            job.records_failed += len(bad)
            self._engine.touch(job)
