"""Jobs of Bulk API 1.0."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypeVar

import attrs
import requests
from sfconnector_generated.bulk_v1 import models
from sfconnector_generated.bulk_v1.api.batch import list_batches
from sfconnector_generated.bulk_v1.api.job import get_job, update_job
from sfconnector_generated.client import Request, decode_either
from sfconnector_generated.errors import ParseError

from sfconnector._names import check_id, check_name
from sfconnector._session import Seconds, Session
from sfconnector.errors import BadRequestError, InvalidResponseError, JobError

if TYPE_CHECKING:
    from sfconnector_generated.bulk_v1.models import BatchInfo, JobInfo

T = TypeVar("T")
BatchInfos: TypeAlias = "list[BatchInfo]"
Operation: TypeAlias = Literal["insert", "update", "upsert", "delete", "hardDelete", "query", "queryAll"]
DataFormat: TypeAlias = Literal["CSV", "JSON", "XML"]
ContentType: TypeAlias = Literal["CSV", "JSON", "XML", "ZIP_CSV", "ZIP_JSON", "ZIP_XML"]
ConcurrencyMode: TypeAlias = Literal["Parallel", "Serial"]

# https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-interpret-status.html
ENDED: Final = frozenset({"Completed", "Failed", "NotProcessed"})
QUERIES: Final = frozenset({"query", "queryAll"})
_LARGEST_CHUNK: Final = 250_000
# Lists in a row, of which each may come from a server that is behind.
_MOST_INCOMPLETE: Final = 5
# What Salesforce says to whoever changes a job that is closed or aborted.
_STATE_CODES: Final = frozenset({"InvalidJobState"})


@attrs.frozen
class PkChunking:
    """How a query is cut into ranges of ids, each of which becomes a batch of its own.

    Args:
        chunk_size: Ids a range, up to 250,000; Salesforce takes 100,000 by default.
        parent: The object by whose ids to cut, for a query of a share or history object such as ``"AccountHistory"``.
        start_row: The id to begin at, 15 or 18 characters, to carry on after a batch that failed.

    Raises:
        ValueError, TypeError: An option cannot be right.

    See Also:
        https://developer.salesforce.com/docs/platform/api-asynch/guide/async-api-headers-enable-pk-chunking.html

    Example:
        >>> from sfconnector import PkChunking
        >>> PkChunking(chunk_size=50_000, parent="Account")
        PkChunking(chunk_size=50000, parent='Account', start_row=None)
    """

    chunk_size: int | None = None
    parent: str | None = None
    start_row: str | None = None

    def __attrs_post_init__(self) -> None:
        size = self.chunk_size
        if size is not None and (isinstance(size, bool) or size not in range(1, _LARGEST_CHUNK + 1)):
            raise ValueError(f"chunk_size is a whole number from 1 to {_LARGEST_CHUNK:,}, not {size!r}")
        if self.parent is not None:
            check_name("the parent", self.parent)
        if self.start_row is not None:
            check_id(self.start_row)

    @property
    def header(self) -> str:
        options = {"chunkSize": self.chunk_size, "parent": self.parent, "startRow": self.start_row}
        return "; ".join(f"{name}={value}" for name, value in options.items() if value is not None) or "TRUE"


def pk_chunking_header(pk_chunking: bool | PkChunking) -> str | None:
    """Write the header of a job.

    Raises:
        TypeError: It is none of its forms.
    """
    if isinstance(pk_chunking, PkChunking):
        return pk_chunking.header
    if not isinstance(pk_chunking, bool):
        raise TypeError(f"pk_chunking is True, False or a PkChunking, not a {type(pk_chunking).__name__}")
    return "TRUE" if pk_chunking else None


def ask(session: Session, request: Request, parse: Callable[[Any], T], timeout: Seconds = None) -> T:
    """Send a request and read its answer, JSON or XML.

    Raises:
        ApiError: Salesforce refused.
        InvalidResponseError: The answer is not what the API documents.
    """
    response = session.send(request, timeout=timeout)
    session.check(response)
    return read(session, response, parse)


def read(session: Session, response: requests.Response, parse: Callable[[Any], T]) -> T:
    """Read an answer, JSON or XML."""
    try:
        return parse(decode_either(session, response))
    except ParseError as error:
        raise InvalidResponseError(response, str(error)) from error


class BulkV1Job:
    """A job of Bulk API 1.0, which goes on at Salesforce whatever becomes of this object.

    Made by ``sf.bulk_v1.create_job``; ``sf.bulk_v1.job(id)`` finds it again in any process.

    Attributes:
        id: The id of the job.
        state: What was heard last: ``"Open"``, ``"Closed"``, ``"Aborted"`` or ``"Failed"``.
        operation: Such as ``"insert"`` or ``"queryAll"``.
        content_type: ``"CSV"``, ``"JSON"``, ``"XML"``, or one of these after ``"ZIP_"``.

    See Also:
        https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-reference-jobinfo.html
    """

    def __init__(self, session: Session, info: JobInfo) -> None:
        self._session = session
        self._info = info
        self.id = info.id
        self.operation = info.operation
        self.content_type = info.content_type or "XML"

    @property
    def state(self) -> str:
        return self._info.state

    @property
    def last(self) -> JobInfo:
        """What was heard last."""
        return self._info

    @property
    def sobject(self) -> str:
        return self._info.object or ""

    def info(self, *, timeout: Seconds = None) -> JobInfo:
        """Ask for the job's state, its counts and its settings.

        Args:
            timeout: Seconds instead of the client's own.

        Raises:
            BadRequestError: There is no such job.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-jobs-get-details.html
        """
        self._info = ask(self._session, get_job.build(self.id), get_job.parse, timeout)
        return self._info

    def close(self, *, timeout: Seconds = None) -> JobInfo:
        """Let the job take no more batches; those that it has are worked on.

        Args:
            timeout: Seconds instead of the client's own.

        Raises:
            BadRequestError: There is no such job, or it is aborted.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-jobs-close.html
        """
        return self._change("Closed", timeout)

    def abort(self, *, timeout: Seconds = None) -> JobInfo:
        """End the job; what it has done until then stays, and batches that wait become ``NotProcessed``.

        Args:
            timeout: Seconds instead of the client's own.

        Raises:
            BadRequestError: There is no such job.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-jobs-abort.html
        """
        return self._change("Aborted", timeout)

    def batches(self, *, timeout: Seconds = None) -> BatchInfos:
        """List the batches of the job, in the order in which they were added.

        Args:
            timeout: Seconds instead of the client's own.

        Raises:
            BadRequestError: There is no such job.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-get-info-all.html
        """
        return batches_of(self._session, self.id, timeout)

    def _change(self, state: str, timeout: Seconds) -> JobInfo:
        self._info = change(self._session, self.id, state, timeout)
        return self._info

    def __str__(self) -> str:
        return f"job {self.id}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}, {self.operation} {self.sobject}, {self.state}>"


class Listed:
    """Sees to it that no batch vanishes from the lists of batches.

    Args:
        job: The handle of whoever asks for them.
    """

    def __init__(self, job: object) -> None:
        self._job = job
        self._known: set[str] = set()
        self._incomplete = 0

    def has_all(self, infos: BatchInfos, known: Iterable[str] = ()) -> bool:
        """Tell whether all batches are listed of which was heard before.

        Args:
            infos: The list.
            known: Ids of which was heard elsewhere.

        Raises:
            JobError: One was missing in several lists in a row.
        """
        found = {info.id for info in infos}
        self._known.update(found, known)
        missing = self._known - found
        self._incomplete = self._incomplete + 1 if missing else 0
        if self._incomplete == _MOST_INCOMPLETE:
            raise JobError(f"{self._job}: batch {min(missing)} is not listed any more", job=self._job)
        return not missing


def batches_of(session: Session, job_id: str, timeout: Seconds = None) -> BatchInfos:
    """List the batches of a job, in the order in which they were added."""
    found = ask(session, list_batches.build(job_id), list_batches.parse, timeout).batch_info or []
    # Some examples of the documentation have "Not Processed".
    found = [attrs.evolve(each, state=each.state.replace(" ", "")) if " " in each.state else each for each in found]
    # Batches of the same second are told apart by their ids, which are given out in order.
    return sorted(found, key=lambda each: (each.created_date.timestamp() if each.created_date else 0.0, each.id))


def change(session: Session, job_id: str, state: str, timeout: Seconds = None) -> JobInfo:
    """Bring a job to a state, in which it may be already.

    Raises:
        BadRequestError: It is in another one that it cannot leave, or there is no such job.
    """
    body: Any = models.JobState(state=state)
    try:
        return ask(session, update_job.build(job_id, body=body), update_job.parse, timeout)
    except BadRequestError as error:
        # An attempt before this one may have done it, and its answer have been lost.
        if error.code not in _STATE_CODES:
            raise
        info = ask(session, get_job.build(job_id), get_job.parse, timeout)
        if info.state != state:
            raise
        return info
