"""Rows written by as many jobs as it takes."""

from __future__ import annotations

import weakref
from array import array
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain, islice
from typing import Final, Self

import attrs

from sfconnector._bulk.ingest_errors import FailedRow, parse_error
from sfconnector._bulk.ingest_jobs import IngestJob, ResultRow
from sfconnector._bulk.ingest_upload import Sending, Uploads
from sfconnector._bulk.jobs import COMPLETE, UNDERWAY, counts
from sfconnector._bulk.parts import Part, Source, parts
from sfconnector._bulk.positions import Kept, positions
from sfconnector._csv.dialect import Dialect
from sfconnector._polling import wait_for
from sfconnector._progress import JobProgress, Progress, telling
from sfconnector._records import Purpose
from sfconnector._session import Session
from sfconnector.errors import JobError, RecordError

_SHOWN: Final = 3
# How many failures an error holds.
_HELD: Final = 200
# Of results, before what was uploaded.
_OWN_COLUMNS: Final = frozenset({"sf__Id", "sf__Created", "sf__Error"})
_UNKNOWN: Final = -1
_PURPOSES: Final[dict[str, Purpose]] = {"insert": "create", "upsert": "upsert"}
_DELETIONS: Final = frozenset({"delete", "hardDelete"})


@attrs.frozen
class Cutting:
    """How a source is read and cut into parts; see :meth:`Bulk.insert`."""

    dialect: Dialect
    max_bytes: int
    columns: Sequence[str] | None = None
    purpose: Purpose = "upsert"
    ids: bool = False
    key: str | None = None
    key_alone: bool = False
    max_rows: int | None = None

    @classmethod
    def of(
        cls,
        operation: str,
        external_id: str | None,
        dialect: Dialect,
        max_bytes: int,
        *,
        columns: Sequence[str] | None = None,
        max_rows: int | None = None,
    ) -> Self:
        """Tell what an operation needs of its rows."""
        purpose = _PURPOSES.get(operation, "update")
        key = "Id" if purpose == "update" else external_id
        ids = (key or "").lower() == "id"
        return cls(dialect, max_bytes, columns, purpose, ids, key, operation in _DELETIONS, max_rows)

    def parts(self, source: Source) -> Generator[Part]:
        """Cut it.

        Raises:
            TypeError, ValueError: While iterating, see :func:`parts`; also where the column is missing by which
                records are found, or is not alone where it must be.
        """
        found = parts(
            source,
            columns=self.columns,
            dialect=self.dialect,
            max_bytes=self.max_bytes,
            max_rows=self.max_rows,
            purpose=self.purpose,
            ids=self.ids,
        )
        with closing(found):
            for part in found:
                try:
                    self.check(part.columns)
                except ValueError:
                    part.release()
                    raise
                yield part

    def check(self, columns: Iterable[str]) -> None:
        """Refuse rows without the column by which records are found, or with others where it must be alone.

        Raises:
            ValueError: They have such columns.
        """
        if self.key is None:
            return
        names = list(columns)
        others = [name for name in names if name.lower() != self.key.lower()]
        if len(others) == len(names):
            raise ValueError(f"the rows have no column {self.key}, by which records are found")
        if others and self.key_alone:
            raise ValueError(f"the rows have {others[0]!r} besides {self.key}, and ids are all that a deletion takes")


class Ingest:
    """Rows on their way into Salesforce, by one job or more, which go on there whatever becomes of this object.

    Made by :meth:`Bulk.insert` and its siblings, with everything uploaded. What was sent is kept to tell which rows
    failed, in temporary files where it was no CSV file: until the jobs have ended without failures, or this is closed
    or forgotten.

    Attributes:
        jobs: The jobs, in the order of the rows.
    """

    def __init__(
        self, session: Session, how: Sending, cutting: Cutting, uploads: Uploads, origins: Sequence[int] | None = None
    ) -> None:
        self._session, self._how, self._cutting = session, how, cutting
        # Of rows that are sent again: where each was in the source of the first time.
        self._origins = origins
        self._parts = {job.id: part for job, part in uploads.done}
        self._bytes_sent = uploads.bytes_sent
        self.jobs = tuple(job for job, _ in uploads.done)
        self._release = weakref.finalize(self, _release, list(self._parts.values()))

    @property
    def job_ids(self) -> tuple[str, ...]:
        """The ids of the jobs."""
        return tuple(job.id for job in self.jobs)

    def wait(
        self, timeout: float | None = None, progress: Progress | None = None, raise_on_failure: bool = False
    ) -> Self:
        """Wait until all jobs have ended, asking less and less often, and see to it that no row is missing.

        A poll that fails counts for nothing, unless five do in a row. The jobs are left alone whatever ends the wait,
        be it the time, an interruption or an exception of ``progress``.

        Args:
            timeout: Seconds to wait at most; there is no limit by default.
            progress: Told how far the jobs are, see :class:`Progress`.
            raise_on_failure: Raise where rows failed; :meth:`failures` has all of them.

        Raises:
            JobError: A job failed or was aborted, has not processed as many rows as were sent, could not be asked
                for, or ``progress`` raised.
            JobTimeoutError: Not all have ended in time. They go on, so that ``wait`` may be called again.
            RecordError: Rows failed, and ``raise_on_failure`` is set.
            ApiError: Salesforce refused to tell.
        """
        tell = telling(progress, self._progress)
        wait_for(self, self._ended, self._session.retry, timeout=timeout, tell=tell)
        self._check()
        for job in self.jobs:
            if counts(job.last)[1] == 0:
                # Nobody will ask which of its rows failed.
                self._parts[job.id].release()
        if raise_on_failure and (failed := sum(counts(job.last)[1] for job in self.jobs)):
            with closing(self.failures()) as failures:
                held = tuple(islice(failures, _HELD))
            raise RecordError(
                held[0].errors, index=held[0].index, failures=held, failed=failed, of=self._sent, job=self
            )
        return self

    def _ended(self) -> bool | None:
        """Ask for one job after the other, up to the first that has not ended."""
        for job in self.jobs:
            # What is open will not end, and is a problem.
            if job.state in UNDERWAY and job.info().state in UNDERWAY - {"Open"}:
                return None
        return True

    def _check(self) -> None:
        problems = list(filter(None, (job.problem() for job in self.jobs)))
        if problems:
            more = f"; and {len(problems) - _SHOWN:,} more" if len(problems) > _SHOWN else ""
            of = f"{len(problems):,} of {len(self.jobs):,} jobs: " if len(self.jobs) > 1 else ""
            raise JobError(f"{of}{'; '.join(problems[:_SHOWN])}{more}", job=self)

    @property
    def _sent(self) -> int:
        return sum(part.rows for part in self._parts.values())

    def _progress(self, elapsed: float) -> JobProgress:
        both = [counts(job.last) for job in self.jobs]
        ahead = [job.state for job in self.jobs if job.state in UNDERWAY]
        bad = [job.state for job in self.jobs if job.state not in {*UNDERWAY, COMPLETE}]
        return JobProgress(
            self.job_ids,
            [*ahead, *bad, COMPLETE][0],
            records_processed=sum(processed for processed, _ in both),
            records_failed=sum(failed for _, failed in both),
            records_total=self._sent,
            bytes_sent=self._bytes_sent,
            jobs_done=len(self.jobs) - len(ahead),
            jobs_total=len(self.jobs),
            elapsed=elapsed,
        )

    def successful(self) -> Iterator[ResultRow]:
        """Give the rows that were written, as :meth:`IngestJob.successful` does, of one job after the other."""
        return chain.from_iterable(job.successful() for job in self.jobs)

    def failed(self) -> Iterator[ResultRow]:
        """Give the rows that failed, as :meth:`IngestJob.failed` does, of one job after the other."""
        return chain.from_iterable(job.failed() for job in self.jobs)

    def unprocessed(self) -> Iterator[ResultRow]:
        """Give the rows that were not processed, as :meth:`IngestJob.unprocessed` does, of one job after the other."""
        return chain.from_iterable(job.unprocessed() for job in self.jobs)

    def failures(self) -> Generator[FailedRow]:
        """Give the rows that failed, each with its position in the source; the jobs are waited for.

        Of each job the failed results are read, and what was sent to it.

        Raises:
            ValueError: The source is a file that was changed meanwhile, or this was closed.
            JobError, TransportError, InvalidResponseError: As for :meth:`IngestJob.failed`.
        """
        for job in self.jobs:
            part = self._parts[job.id]
            if counts(job.settled())[1] == 0 and job.state == COMPLETE:
                continue
            yield from self._failures(job, part)

    def _failures(self, job: IngestJob, part: Part) -> Generator[FailedRow]:
        # There may be many, and their positions are known after the last.
        with closing(Kept(job.failed())) as rows:
            places = positions(part, rows, key=self._how.external_id or "Id")
            for row, place in zip(rows.again(), places, strict=True):
                index = None if place is None else self._origin(part.start + place)
                cells = {name: cell for name, cell in row.items() if name not in _OWN_COLUMNS}
                yield FailedRow(index, cells, parse_error(row.get("sf__Error", "")), row["sf__Id"])

    def _origin(self, index: int) -> int | None:
        if self._origins is None:
            return index
        origin = self._origins[index]
        return None if origin == _UNKNOWN else origin

    def retry_failed(self) -> Ingest:
        """Send the rows again that failed for a reason that passes, such as a lock, as jobs of their own.

        Returns:
            Those jobs, which are to be waited for; none where no row failed so. Their failures, too, are told by the
            position in the source of the first time.

        Raises:
            JobError, ValueError: As for :meth:`Bulk.insert` and for :meth:`failures`.
        """
        origins = array("q")

        def rows() -> Iterator[ResultRow]:
            for failure in self.failures():
                if failure.is_transient:
                    origins.append(_UNKNOWN if failure.index is None else failure.index)
                    yield failure.row

        return upload(self._session, self._how, attrs.evolve(self._cutting, columns=None), rows(), origins)

    def abort(self) -> None:
        """Abort all jobs that have not ended; what they have done until then stays.

        Raises:
            ApiError: Salesforce refused.
        """
        for job in self.jobs:
            if job.info().state in UNDERWAY:
                job.abort()

    def delete(self) -> None:
        """Delete all jobs, with their data and results.

        Raises:
            ApiError: A job has not ended.
        """
        for job in self.jobs:
            job.delete()

    def close(self) -> None:
        """Delete the temporary files; from now on, failures cannot be told by their position in the source."""
        self._release()

    def __str__(self) -> str:
        ids = ", ".join(self.job_ids[:_SHOWN])
        more = f" and {len(self.jobs) - _SHOWN:,} more" if len(self.jobs) > _SHOWN else ""
        return f"{'job' if len(self.jobs) == 1 else 'jobs'} {ids}{more}" if self.jobs else "no job"

    def __repr__(self) -> str:
        return f"<Ingest of {self._sent:,} rows by {self}>"


def upload(
    session: Session,
    how: Sending,
    cutting: Cutting,
    source: Source,
    origins: Sequence[int] | None = None,
) -> Ingest:
    """Upload a source and give the jobs that have it.

    Raises:
        JobError: Something went wrong after jobs were closed.
        Exception: Something went wrong before.
    """
    uploads = Uploads(session, how)
    try:
        with closing(cutting.parts(source)) as cut:
            uploads.run(cut)
    except BaseException as error:
        so_far = Ingest(session, how, cutting, uploads, origins)
        # What has been closed goes on.
        told = f"{so_far} had been closed before, with rows {_spans(so_far.jobs)}" if so_far.jobs else ""
        if not isinstance(error, Exception):
            error.add_note(told or "no job had been closed before")
            raise
        if not so_far.jobs and not isinstance(error, JobError):
            raise
        text = f"the upload broke off: {str(error) or type(error).__name__}"
        cause = error.__cause__ if isinstance(error, JobError) else error
        raise JobError(f"{text} — {told}" if told else text, job=so_far) from cause
    return Ingest(session, how, cutting, uploads, origins)


def _spans(jobs: Sequence[IngestJob]) -> str:
    """Write which rows are in the jobs."""
    spans = [f"{job.rows.start:,}–{job.rows.stop - 1:,}" for job in jobs if job.rows]
    return ", ".join(spans[:_SHOWN] + ["…"] * (len(spans) > _SHOWN))


def _release(held: list[Part]) -> None:
    for part in held:
        part.release()
