"""What jobs of Bulk API 2.0 that write and jobs that read have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, Self

# Both kinds of jobs answer the same.
from sfconnector_generated.bulk_v2.api.ingest import get_ingest_job
from sfconnector_generated.client import Request

from sfconnector._call import call, delete, read
from sfconnector._names import check_id
from sfconnector._polling import wait_for
from sfconnector._progress import JobProgress, Progress, telling
from sfconnector._session import Seconds, Session, may_be_done
from sfconnector.errors import ErrorDetail, JobError

if TYPE_CHECKING:
    from sfconnector_generated.bulk_v2.models import JobInfo

# https://developer.salesforce.com/docs/platform/api-asynch/guide/job-lifecycle.html
UNDERWAY: Final = frozenset({"Open", "UploadComplete", "InProgress"})
COMPLETE: Final = "JobComplete"
_GONE: Final = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED", "INVALIDJOB"})


class Resource(NamedTuple):
    """How requests for jobs of one kind are made out of their ids; all but the last answer with the job."""

    get: Callable[[str], Request]
    abort: Callable[[str], Request]
    delete: Callable[[str], Request]


class Job:
    """A job at Salesforce, which goes on there whatever becomes of this object.

    Attributes:
        id: The id of the job, with which any process can make this object again.
        state: What was heard last, such as ``"InProgress"``; empty where nothing was.
    """

    _resource: ClassVar[Resource]

    def __init__(self, session: Session, job_id: str, info: JobInfo | None = None) -> None:
        self._session = session
        self.id = check_id(job_id)
        self._info = info

    @property
    def last(self) -> JobInfo | None:
        """What was heard last, which costs no call."""
        return self._info

    @property
    def state(self) -> str:
        return "" if self._info is None else self._info.state

    def info(self, *, timeout: Seconds = None) -> JobInfo:
        """Ask for the job's state, its counts and its settings.

        Args:
            timeout: Seconds instead of the client's own.

        Raises:
            NotFoundError: There is no such job.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/get-job-info.html
        """
        self._info = call(self._session, self._resource.get(self.id), get_ingest_job.parse, timeout=timeout)
        return self._info

    def wait(self, timeout: float | None = None, progress: Progress | None = None) -> Self:
        """Wait until the job is complete, asking less and less often.

        A poll that fails counts for nothing, unless five do in a row. The job is left alone whatever ends the wait,
        be it the time, an interruption or an exception of ``progress``.

        Args:
            timeout: Seconds to wait at most; there is no limit by default.
            progress: Told how far the job is, see :class:`Progress`.

        Raises:
            JobError: The job failed or was aborted, could not be asked for, or ``progress`` raised.
            JobTimeoutError: It has not ended in time. It goes on, so that ``wait`` may be called again, by another
                process too.
            ApiError: Salesforce refused to tell.
        """
        tell = telling(progress, self._progress)
        wait_for(self, self._ended, self._session.retry, timeout=timeout, tell=tell)
        return self

    def abort(self, *, timeout: Seconds = None) -> JobInfo:
        """Abort the job; what it has done until then stays.

        Args:
            timeout: Seconds instead of the client's own.

        Raises:
            BadRequestError: The job has ended.
            NotFoundError: There is no such job.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/close-or-abort-a-job.html
        """
        return self._change(self._resource.abort(self.id), frozenset({"Aborted"}), timeout)

    def delete(self, *, timeout: Seconds = None) -> None:
        """Delete a job that has ended, with its data and results.

        Args:
            timeout: Seconds instead of the client's own.

        Raises:
            BadRequestError: The job has not ended.
            NotFoundError: There is no such job.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/delete-job.html
        """
        delete(self._session, self._resource.delete(self.id), _GONE, timeout=timeout)

    def _change(self, request: Request, reached: frozenset[str], timeout: Seconds) -> JobInfo:
        """Change the state, which an earlier attempt may have done and its answer have been lost."""
        response = self._session.send(request, timeout=timeout)
        if (
            response.status_code >= 400
            and may_be_done(response)
            and (info := self.info(timeout=timeout)).state in reached
        ):
            return info
        self._session.check(response)
        self._info = read(self._session, response, get_ingest_job.parse)
        return self._info

    def _ended(self) -> JobInfo | None:
        """Ask once.

        Raises:
            JobError: The job has come to a bad end.
        """
        info = self.info()
        if problem := self.problem():
            raise JobError(problem, job=self)
        return info if info.state == COMPLETE else None

    def problem(self) -> str:
        """Say what is wrong with the job as it was heard of last; empty where nothing is."""
        info = self._info
        if info is None or info.state == COMPLETE or info.state in UNDERWAY:
            return ""
        ends = {"Failed": "failed", "Aborted": "was aborted"}
        reason = str(ErrorDetail("", info.error_message or ""))
        text = f"{self} {ends.get(info.state, f'is {info.state}')}"
        return f"{text}: {reason}" if reason else text

    def _progress(self, elapsed: float) -> JobProgress:
        processed, failed = counts(self._info)
        return JobProgress(
            job_ids=(self.id,),
            state=self.state,
            records_processed=processed,
            records_failed=failed,
            jobs_done=int(self.state == COMPLETE),
            jobs_total=1,
            elapsed=elapsed,
        )

    def __str__(self) -> str:
        return f"job {self.id}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}, {self.state or 'not asked for yet'}>"


def counts(info: JobInfo | None) -> tuple[int, int]:
    """Give the records processed, failed ones included, and the failed ones, as far as they are known."""
    if info is None:
        return 0, 0
    return info.number_records_processed or 0, info.number_records_failed or 0
