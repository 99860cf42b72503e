"""Jobs of Bulk API 1.0 that write records, and what came of each row."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any, Final, Self

import attrs
from sfconnector_generated.bulk_v1.api.job import get_job

from sfconnector._bulk.ingest_errors import FailedRow
from sfconnector._bulk_v1._reading import read_row_results, read_rows
from sfconnector._bulk_v1._results import RowResult
from sfconnector._bulk_v1._sending import Sent, new_batch
from sfconnector._bulk_v1.jobs import ENDED, BulkV1Job, Listed, ask, batches_of, change
from sfconnector._polling import wait_for
from sfconnector._progress import JobProgress, Progress, telling
from sfconnector._results import RecordResult
from sfconnector._session import Session
from sfconnector.errors import BadRequestError, ErrorDetail, JobError, NotFoundError, RecordError

if TYPE_CHECKING:
    from sfconnector_generated.bulk_v1.models import BatchInfo

    from sfconnector._bulk_v1._writing import Writing

_SHOWN: Final = 3
# How many failures an error holds.
_HELD: Final = 200


class BulkV1Ingest:
    """Batches of rows that were sent, in one job or several, which go on at Salesforce whatever becomes of this object.

    Made by ``sf.bulk_v1.insert`` and its siblings, and out of the id of a job by ``sf.bulk_v1.job(id)``.

    Rows are not kept here: they are read back from Salesforce together with their results, batch by batch, so that any
    process can tell what came of them. Each row is either successful, failed or unprocessed.

    Attributes:
        jobs: The jobs: one, or one for each worker, and another one after each answer that was lost.
        job_ids: Their ids.

    See Also:
        https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-failed-records.html
    """

    def __init__(
        self,
        session: Session,
        jobs: tuple[BulkV1Job, ...],
        writing: Writing,
        sent: tuple[Sent, ...] | None = None,
        origins: Sequence[int] | None = None,
    ) -> None:
        self._session, self._writing = session, writing
        self.jobs = jobs
        # Of rows that are sent again: where each was in the source of the first time.
        self._origins = origins
        # Where it is not known, Salesforce is asked for it.
        self._sent = sent
        self._infos: dict[str, BatchInfo] = {}
        self._listed = Listed(self)

    @property
    def job_ids(self) -> tuple[str, ...]:
        return tuple(job.id for job in self.jobs)

    @property
    def sent(self) -> tuple[range, ...]:
        """The positions of the rows that were added to jobs, where this object has sent them."""
        spans: list[range] = []
        for each in self._sent or ():
            if not each.id or each.rows is None:
                continue
            if spans and spans[-1].stop == each.start:
                spans[-1] = range(spans[-1].start, each.start + each.rows)
            else:
                spans.append(range(each.start, each.start + each.rows))
        return tuple(spans)

    def wait(
        self, timeout: float | None = None, progress: Progress | None = None, *, raise_on_failure: bool = False
    ) -> Self:
        """Wait until all batches have ended, asking less and less often, and see to it that no row is missing.

        A poll that fails counts for nothing, unless five do in a row. The jobs are left alone whatever ends the wait.

        Args:
            timeout: Seconds to wait at most; there is no limit by default.
            progress: Told how far the jobs are, see :class:`Progress`.
            raise_on_failure: Raise where rows failed; :meth:`failures` has all of them.

        Raises:
            JobError: A batch failed as a whole, was not processed, or has not processed as many rows as were sent: now
                that all has ended, :meth:`successful`, :meth:`failed` and :meth:`unprocessed` tell of each row. Or a
                job could not be asked for, or ``progress`` raised.
            JobTimeoutError: Not all has ended in time. It goes on, so that ``wait`` may be called again.
            RecordError: Rows failed, and ``raise_on_failure`` is set.
            ApiError: Salesforce refused to tell.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-interpret-status.html
        """
        tell = telling(progress, self._progress)
        wait_for(self, self._ended, self._session.retry, timeout=timeout, tell=tell)
        self._check()
        if raise_on_failure and (failed := sum(each.number_records_failed or 0 for each in self._infos.values())):
            with closing(self.failures()) as failures:
                held = tuple(islice(failures, _HELD))
            if not held:
                raise JobError(f"{self}: {failed:,} rows have failed, and no result tells of them", job=self)
            of = sum(each.number_records_processed or 0 for each in self._infos.values())
            raise RecordError(held[0].errors, index=held[0].index, failures=held, failed=failed, of=of, job=self)
        return self

    def results(self) -> Iterator[RecordResult[dict[str, Any]]]:
        """Give what came of each row that was processed, in the order of the rows.

        Rows are as they were sent: of texts in CSV and XML.

        Raises:
            JobError: A batch has not ended.
            ApiError, TransportError: While iterating: Salesforce refused to tell, or no answer came.
        """
        for index, row, result in self._rows(lambda _: True):
            if result is not None:
                yield RecordResult(index, row, result.id, result.success, result.created, result.errors)

    def successful(self) -> Iterator[dict[str, Any]]:
        """Give the rows that were saved or deleted, with ``sf__Id`` and ``sf__Created`` (``"true"`` or ``"false"``).

        Raises:
            JobError, ApiError, TransportError: As for :meth:`results`.
        """
        for _, row, result in self._rows(lambda info: info.state != "NotProcessed"):
            if result is not None and result.success:
                yield {"sf__Id": result.id or "", "sf__Created": str(result.created).lower(), **row}

    def failed(self) -> Iterator[dict[str, Any]]:
        """Give the rows that failed, with ``sf__Id`` and ``sf__Error``.

        Raises:
            JobError, ApiError, TransportError: As for :meth:`results`.
        """
        for _, row, result in self._rows(_has_failed):
            if result is not None and not result.success:
                yield {"sf__Id": result.id or "", "sf__Error": "; ".join(map(str, result.errors)), **row}

    def unprocessed(self) -> Iterator[dict[str, Any]]:
        """Give the rows without a result, since their batch failed as a whole or the job was aborted.

        Raises:
            JobError, ApiError, TransportError: As for :meth:`results`.
        """
        for _, row, result in self._rows(lambda info: info.state != "Completed"):
            if result is None:
                yield row

    def failures(self) -> Generator[FailedRow]:
        """Give the rows that failed, each with its position in the source, in the order of the rows.

        Where Salesforce lists several reasons, :meth:`results` has all of them.

        Raises:
            JobError, ApiError, TransportError: As for :meth:`results`.
        """
        for index, row, result in self._rows(_has_failed):
            if result is not None and not result.success:
                error = result.errors[0] if result.errors else ErrorDetail("", "")
                yield FailedRow(index, row, error, result.id or "")

    def retry_failed(self) -> BulkV1Ingest:
        """Send the rows once more that failed for a passing reason, such as a lock; the others would fail again.

        Returns:
            Those jobs, which are to be waited for; none where no row failed so. Their failures, too, are told by the
            position in the source of the first time.

        Raises:
            JobError, ApiError, TransportError: As for :meth:`results`.
            ValueError: The rows had files, which are not here any more.
        """
        from sfconnector._bulk_v1._writing import write

        origins = array("q")

        def rows() -> Iterator[dict[str, Any]]:
            for failure in self.failures():
                if failure.is_transient and failure.index is not None:
                    origins.append(failure.index)
                    yield failure.row

        return write(self._session, rows(), self._writing, origins)

    def abort(self) -> None:
        """End the jobs that are open; what they have done until then stays, and batches that wait stay unprocessed.

        A job is closed once all is sent, and Salesforce changes no closed one, so that its batches take their course.

        Raises:
            ApiError: Salesforce refused.
        """
        for job in self.jobs:
            if job.info().state == "Open":
                job.abort()

    def _origin(self, index: int) -> int:
        return index if self._origins is None else self._origins[index]

    def _check(self) -> None:
        """See to it that all batches were processed, with all their rows.

        Raises:
            JobError: One was not.
        """
        bad = [info for info in self._infos.values() if info.state != "Completed"]
        if bad:
            ended = "failed" if bad[0].state == "Failed" else "was not processed"
            reason = str(ErrorDetail("", bad[0].state_message or ""))
            more = f", and {len(bad) - 1:,} more" if len(bad) > 1 else ""
            raise JobError(f"{self}: batch {bad[0].id} {ended}{more}{reason and ': '}{reason}", job=self)
        for sent in self._sent or ():
            processed = self._infos[sent.id].number_records_processed or 0
            if sent.rows not in {None, processed}:
                text = f"batch {sent.id} has processed {processed:,} rows, and {sent.rows:,} were sent"
                raise JobError(f"{self}: {text}", job=self)

    def _ended(self) -> bool | None:
        return self._has_ended() or None

    def _has_ended(self) -> bool:
        if any(not sent.id for sent in self._sent or ()):
            self._settle()
        infos = [info for job in self.jobs for info in batches_of(self._session, job.id)]
        self._infos = {info.id: info for info in infos}
        known = (sent.id for sent in self._sent or ())
        return self._listed.has_all(infos, known) and all(info.state in ENDED for info in infos)

    def _settle(self) -> None:
        """Find out whether batches were added of which that is not known yet."""
        known = {sent.id for sent in self._sent or ()}
        settled = []
        for sent in self._sent or ():
            if sent.id:
                settled.append(sent)
                continue
            # What is closed or aborted takes no batch, so that its list is final.
            try:
                change(self._session, sent.job_id, "Closed")
            except BadRequestError:
                if ask(self._session, get_job.build(sent.job_id), get_job.parse).state == "Open":
                    raise
            if (found := new_batch(batches_of(self._session, sent.job_id), known)) is not None:
                settled.append(attrs.evolve(sent, id=found))
        self._sent = tuple(settled)

    def _progress(self, elapsed: float) -> JobProgress:
        infos = self._infos.values()
        done = [
            all(info.state in ENDED for info in infos if info.job_id == job.id) and bool(infos) for job in self.jobs
        ]
        return JobProgress(
            job_ids=self.job_ids,
            state="InProgress" if not all(done) else "Closed",
            records_processed=sum(info.number_records_processed or 0 for info in infos),
            records_failed=sum(info.number_records_failed or 0 for info in infos),
            records_total=None if self._sent is None else sum(sent.rows or 0 for sent in self._sent),
            jobs_done=sum(done),
            jobs_total=len(self.jobs),
            elapsed=elapsed,
        )

    def _rows(self, wanted: Callable[[BatchInfo], bool]) -> Iterator[tuple[int, dict[str, Any], RowResult | None]]:
        """Give the rows of all batches that are wanted, with their positions and results.

        Raises:
            JobError: A batch has not ended, or is not there.
        """
        if not self._has_ended():
            raise JobError(f"{self} has not ended: wait for it", job=self)
        if self._sent is not None:
            for sent in self._sent:
                if wanted(info := self._infos[sent.id]):
                    yield from self._of_batch(info, sent.start, sent.rows)
            return
        start = 0
        for info in self._infos.values():
            count = info.number_records_processed or 0
            if wanted(info) or info.state != "Completed":
                count = 0
                for each in self._of_batch(info, start, None):
                    count += 1
                    if wanted(info):
                        yield each
            start += count

    def _of_batch(
        self, info: BatchInfo, start: int, count: int | None
    ) -> Iterator[tuple[int, dict[str, Any], RowResult | None]]:
        results = self._results(info)
        number = 0
        with closing(read_rows(self._session, info.job_id, info.id)) as rows:
            for row, result in zip_longest(rows, results):
                if row is None:
                    raise JobError(f"{self}: batch {info.id} has more results than rows", job=self)
                if result is None and info.state == "Completed":
                    raise JobError(f"{self}: batch {info.id} has fewer results than rows", job=self)
                yield self._origin(start + number), row, result
                number += 1
        if count not in {None, number}:
            raise JobError(f"{self}: batch {info.id} holds {number:,} rows, and {count:,} were sent", job=self)

    def _results(self, info: BatchInfo) -> list[RowResult]:
        if info.state == "NotProcessed":
            return []
        try:
            return [*read_row_results(self._session, info.job_id, info.id)]
        except (BadRequestError, NotFoundError):
            # A batch that failed may have saved some of its rows before, or have no results at all.
            if info.state == "Failed":
                return []
            raise

    def __str__(self) -> str:
        if not self.jobs:
            return "no job"
        ids = ", ".join(self.job_ids[:_SHOWN])
        more = f" and {len(self.jobs) - _SHOWN:,} more" if len(self.jobs) > _SHOWN else ""
        return f"{'job' if len(self.jobs) == 1 else 'jobs'} {ids}{more}"

    def __repr__(self) -> str:
        return f"<BulkV1Ingest by {self}>"


def _has_failed(info: BatchInfo) -> bool:
    """Tell whether rows of a batch may have failed, or have no result."""
    return info.state != "Completed" or (info.number_records_failed or 0) > 0
