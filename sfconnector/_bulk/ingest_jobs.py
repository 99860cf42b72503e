"""One job that writes records, and its results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ClassVar, Final, Literal, TypeAlias, cast

import attrs
from sfconnector_generated.bulk_v2 import models
from sfconnector_generated.bulk_v2.api.ingest import (
    delete_ingest_job,
    get_failed_results,
    get_ingest_job,
    get_successful_results,
    get_unprocessed_records,
    update_ingest_job,
)
from sfconnector_generated.client import Request

from sfconnector._bulk.download import Download
from sfconnector._bulk.jobs import COMPLETE, UNDERWAY, Job, Resource, counts
from sfconnector._csv.dialect import ColumnDelimiter, Dialect
from sfconnector._csv.read import Rows
from sfconnector._progress import JobProgress
from sfconnector._session import Seconds, Session
from sfconnector.errors import JobError

if TYPE_CHECKING:
    from sfconnector_generated.bulk_v2.models import JobInfo

Kind: TypeAlias = Literal["successful", "failed", "unprocessed"]
ResultRow: TypeAlias = dict[str, str]

_CLOSED: Final = frozenset({"UploadComplete", "InProgress", "JobComplete", "Failed"})
_RESULTS: Final[dict[Kind, Callable[[str], Request]]] = {
    "successful": get_successful_results.build,
    "failed": get_failed_results.build,
    "unprocessed": get_unprocessed_records.build,
}


def _abort(job_id: str) -> Request:
    return update_ingest_job.build(job_id, body=models.IngestJobState(state="Aborted"))


class IngestJob(Job):
    """A job that writes records; it goes on at Salesforce whatever becomes of this object.

    Made by :meth:`Bulk.ingest_job` and :meth:`Bulk.job`, and by :meth:`Bulk.insert` and its siblings.

    Attributes:
        id: The id of the job, with which any process can make this object again.
        state: What was heard last, such as ``"InProgress"``; empty where nothing was.
        rows: Which rows of the source the job has, by their positions counted from 0, or of those that are sent once
            more; ``None`` for a job that was made again from its id.

    See Also:
        https://developer.salesforce.com/docs/platform/api-asynch/guide/bulk-api-2-job-states.html
    """

    _resource: ClassVar[Resource] = Resource(get_ingest_job.build, _abort, delete_ingest_job.build)

    def __init__(self, session: Session, job_id: str, info: JobInfo | None = None, rows: range | None = None) -> None:
        super().__init__(session, job_id, info)
        self.rows = rows
        self._read: dict[Kind, int] = {}

    def close(self, *, timeout: Seconds = None) -> JobInfo:
        """Say that all data is uploaded, which starts the job.

        Args:
            timeout: Seconds instead of the client's own.

        Raises:
            BadRequestError: The job is not open, or has no data.
            NotFoundError: There is no such job.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/close-job.html
        """
        request = update_ingest_job.build(self.id, body=models.IngestJobState(state="UploadComplete"))
        return self._change(request, _CLOSED, timeout)

    def successful(self) -> Iterator[ResultRow]:
        """Give the rows that were written, as they come; each iteration waits for the end of the job and reads anew.

        A row has what was uploaded, and before it ``sf__Id``, the id of the record, and ``sf__Created``, ``"true"`` or
        ``"false"``. The order need not be that of the upload.

        Raises:
            JobError: The rows are not as many as the job counts.
            TransportError: Not all of them came.
            InvalidResponseError: What came is no CSV with results.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/get-job-successful-results.html
        """
        return self._results("successful")

    def failed(self) -> Iterator[ResultRow]:
        """Give the rows that failed, as :meth:`successful` does, with ``sf__Error`` in place of ``sf__Created``.

        Raises:
            JobError, TransportError, InvalidResponseError: As for :meth:`successful`.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/get-job-failed-results.html
        """
        return self._results("failed")

    def unprocessed(self) -> Iterator[ResultRow]:
        """Give the rows that a job which failed or was aborted did not come to, as they were uploaded.

        Raises:
            JobError, TransportError, InvalidResponseError: As for :meth:`successful`.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/get-job-unprocessed-results.html
        """
        return self._results("unprocessed")

    def _results(self, kind: Kind) -> Iterator[ResultRow]:
        info = self.settled()
        dialect = Dialect(cast("ColumnDelimiter", info.column_delimiter or "COMMA"))
        count = 0
        with Download(self._session, _RESULTS[kind](self.id)) as download:
            try:
                rows = Rows(download, dialect)
                if rows.columns and kind != "unprocessed" and "sf__Id" not in rows.columns:
                    raise download.answer.invalid(f"the {kind} results lack the column sf__Id")
                for row in rows.dicts():
                    count += 1
                    yield row
            except ValueError as error:
                raise download.answer.invalid(f"the {kind} results cannot be read: {error}") from error
        self._account(kind, count, info)

    def settled(self) -> JobInfo:
        """Wait for the end of the job, be it good or bad."""
        if self._info is None or self._info.state in UNDERWAY:
            try:
                self.wait()
            except JobError:
                if self.state not in {"Failed", "Aborted"}:
                    raise
        return self._info if self._info is not None else self.info()

    def _account(self, kind: Kind, count: int, info: JobInfo) -> None:
        """Compare the rows that were read with what the job counts, and with what was sent.

        Raises:
            JobError: They do not add up.
        """
        self._read[kind] = count
        processed, failed = counts(info)
        counted = {"successful": processed - failed, "failed": failed, "unprocessed": 0}
        if info.state == COMPLETE and count != counted[kind]:
            text = f"{self} counts {counted[kind]:,} {kind} rows, and {count:,} came"
            raise JobError(text, job=self)
        if self.rows is not None and len(self._read) == len(counted) and sum(self._read.values()) != len(self.rows):
            parts = ", ".join(f"{number:,} {kind}" for kind, number in self._read.items())
            raise JobError(f"{self} had {len(self.rows):,} rows, and its results have {parts}", job=self)

    def _progress(self, elapsed: float) -> JobProgress:
        total = None if self.rows is None else len(self.rows)
        return attrs.evolve(super()._progress(elapsed), records_total=total)

    def problem(self) -> str:
        """Say what is wrong with the job as it was heard of last; empty where nothing is."""
        if self.state == "Open":
            return f"{self} is open, and does nothing until it is closed"
        processed, _ = counts(self._info)
        if self.rows is not None and self.state == COMPLETE and processed != len(self.rows):
            return f"{self} is complete with {processed:,} rows, and {len(self.rows):,} were sent"
        return super().problem()
