"""What a test decides about bulk jobs: when they run, how long they take, and how they end."""

import threading

import attrs

from sfconnector.testing._bulk._jobs import Job
from sfconnector.testing._usage import Usage

# Names of limits.
DAILY_BATCHES = "DailyBulkApiBatches"
DAILY_QUERY_JOBS = "DailyBulkV2QueryJobs"
DAILY_QUERY_STORAGE = "DailyBulkV2QueryFileStorageMB"
DAILY_RECORDS = "DailyBulkApiRecords"
_DEFAULT_FAILURE = "InternalServerError : An unexpected error occurred"


@attrs.frozen
class _Failure:
    job_id: str | None
    message: str
    after_records: int


class BulkSteering:
    """How the org's bulk jobs run; found at ``org.bulk``, thread-safe.

    Example:
        >>> from sfconnector.testing import LocalOrg
        >>> with LocalOrg() as org:
        ...     org.bulk.processing_time = 0.5
        ...     org.bulk.hold(after_records=200)
        ...     org.bulk.release()
        ...     org.bulk.wait()
    """

    def __init__(self, usage: Usage) -> None:
        self._usage = usage
        # Guards every job, too: what the workers wait for is here.
        self._changed = threading.Condition(threading.RLock())
        self._hold_after: int | None = None
        self._failures: list[_Failure] = []
        self._jobs: dict[str, Job] = {}
        self._processing_time = 0.0
        self._query_page_size = 50_000
        self._jobs_page_size = 1_000
        #: Whether the user has the permission "Bulk API Hard Delete"; a new org's has not, and the local org's has.
        self.hard_delete_permitted = True

    @property
    def processing_time(self) -> float:
        """Seconds that a job (of 1.0: a batch) takes at least, from the moment it could begin; 0 at first."""
        return self._processing_time

    @processing_time.setter
    def processing_time(self, seconds: float) -> None:
        if not 0 <= seconds < threading.TIMEOUT_MAX:
            raise ValueError(f"A job cannot take {seconds} seconds.")
        with self._changed:
            self._processing_time = seconds
            self._changed.notify_all()

    @property
    def query_page_size(self) -> int:
        """Records of a page of query results where the client names no number, of 1.0 of a result; 50,000 at first."""
        return self._query_page_size

    @query_page_size.setter
    def query_page_size(self, records: int) -> None:
        if records < 1:
            raise ValueError(f"A page cannot have {records} records.")
        self._query_page_size = records

    @property
    def jobs_page_size(self) -> int:
        """Jobs of a page of a list of jobs; 1,000 at first."""
        return self._jobs_page_size

    @jobs_page_size.setter
    def jobs_page_size(self, jobs: int) -> None:
        if jobs < 1:
            raise ValueError(f"A page cannot have {jobs} jobs.")
        self._jobs_page_size = jobs

    def limit(
        self,
        *,
        batches: int | None = None,
        records: int | None = None,
        query_jobs: int | None = None,
        query_storage: int | None = None,
    ) -> None:
        """Set how much of each the org takes in 24 hours; what is not given stays as it is.

        Args:
            batches: of both APIs; 2.0 makes one of 10,000 records. 15,000 at first.
            records: saved by 2.0. 150,000,000 at first.
            query_jobs: of 2.0. 10,000 at first.
            query_storage: megabytes of results of 2.0; a job counts with whole ones. 976,562 at first.
        """
        given = {
            DAILY_BATCHES: batches,
            DAILY_RECORDS: records,
            DAILY_QUERY_JOBS: query_jobs,
            DAILY_QUERY_STORAGE: query_storage,
        }
        for name, maximum in given.items():
            if maximum is not None:
                if maximum < 0:
                    raise ValueError(f"A limit cannot be {maximum}.")
                self._usage.limit(name, maximum)

    def hold(self, *, after_records: int = 0) -> None:
        """Let jobs wait until `release`.

        Args:
            after_records: records of each job (of 1.0: of each batch) that are still processed; with 0 no job begins,
                it stays ``UploadComplete`` (a batch ``Queued``), else it stays ``InProgress``.
        """
        if after_records < 0:
            raise ValueError(f"A job cannot wait after {after_records} records.")
        with self._changed:
            self._hold_after = after_records
            self._changed.notify_all()

    def release(self) -> None:
        """Let jobs go on."""
        with self._changed:
            self._hold_after = None
            self._changed.notify_all()

    def fail_job(self, job_id: str | None = None, *, message: str = _DEFAULT_FAILURE, after_records: int = 0) -> None:
        """Let a job (of 1.0: one of its batches) fail as a whole; what it has not processed stays unprocessed.

        Args:
            job_id: 15 or 18 characters; without it the next job that comes to be processed.
            message: its ``errorMessage`` (of 1.0 the batch's ``stateMessage``).
            after_records: records that are still processed before.
        """
        if after_records < 0:
            raise ValueError(f"A job cannot fail after {after_records} records.")
        with self._changed:
            self._failures.append(_Failure(job_id and job_id[:15], message, after_records))
            self._changed.notify_all()

    def wait(
        self, job_id: str | None = None, state: str | None = None, *, records: int = 0, timeout: float = 30.0
    ) -> None:
        """Wait until a job is in a state, or at rest, or has processed so many records.

        Args:
            job_id: the job; all of them, if not given.
            state: such as ``InProgress``; without it, and without ``records``, until nothing more happens to the job
                unless a client asks for it.
            records: records processed, those that failed included.
            timeout: seconds.

        Raises:
            TimeoutError: it took longer.
            LookupError: there is no such job.
        """

        def reached() -> bool:
            jobs = list(self._jobs.values()) if job_id is None else [self._job(job_id)]
            at_rest = state is None and not records
            return all(
                job.records_processed >= records and (job.resting if at_rest else state is None or job.state == state)
                for job in jobs
            )

        with self._changed:
            if not self._changed.wait_for(reached, timeout):
                raise TimeoutError(f"No {state or 'state of rest'} of {job_id or 'all bulk jobs'} within {timeout} s.")

    def _job(self, job_id: str) -> Job:
        for known in self._jobs.values():
            if known.id[:15] == job_id[:15]:
                return known
        raise LookupError(f"There is no bulk job {job_id}.")

    def _failure_of(self, job: Job) -> _Failure | None:
        return next((entry for entry in self._failures if entry.job_id in (None, job.id[:15])), None)
