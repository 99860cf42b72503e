"""The calls of Bulk API 1.0, one request each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, Final, TypeAlias, get_args

from sfconnector_generated.bulk_v1 import models
from sfconnector_generated.bulk_v1.api.batch import add_batch, get_batch
from sfconnector_generated.bulk_v1.api.job import create_job, get_job
from sfconnector_generated.types import UNSET

from sfconnector._bulk_v1._batches import MOST_BYTES, MOST_ROWS, in_one
from sfconnector._bulk_v1._reading import read_request, read_result
from sfconnector._bulk_v1._results import RowResult
from sfconnector._bulk_v1.jobs import (
    QUERIES,
    BatchInfos,
    BulkV1Job,
    ConcurrencyMode,
    ContentType,
    Operation,
    PkChunking,
    ask,
    batches_of,
    change,
    pk_chunking_header,
)
from sfconnector._csv.dialect import LineEnding
from sfconnector._names import check_id, check_name
from sfconnector._session import Seconds, Session
from sfconnector._upload import opened

if TYPE_CHECKING:
    from sfconnector_generated.bulk_v1.models import BatchInfo, JobInfo

JobLike: TypeAlias = "BulkV1Job | str"
BatchData: TypeAlias = "str | bytes | os.PathLike[str] | IO[bytes] | Iterable[Mapping[str, Any]]"

MEDIA_TYPES: Final[dict[str, str]] = {
    "CSV": "text/csv; charset=UTF-8",
    "JSON": "application/json; charset=UTF-8",
    "XML": "application/xml; charset=UTF-8",
    "ZIP_CSV": "zip/csv",
    "ZIP_JSON": "zip/json",
    "ZIP_XML": "zip/xml",
}


class Calls:
    """The calls of :class:`sfconnector._bulk_v1.bulk_v1.BulkV1`.

    Args:
        session: Sends the requests.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def create_job(
        self,
        operation: Operation,
        sobject: str,
        content_type: ContentType = "CSV",
        *,
        external_id: str | None = None,
        concurrency_mode: ConcurrencyMode | None = None,
        assignment_rule_id: str | None = None,
        pk_chunking: bool | PkChunking = False,
        line_ending: LineEnding | None = None,
        retry_batches: bool = True,
        timeout: Seconds = None,
    ) -> BulkV1Job:
        """Create a job, open and without batches.

        Args:
            operation: ``"insert"``, ``"update"``, ``"upsert"``, ``"delete"``, ``"hardDelete"``, ``"query"`` or
                ``"queryAll"``.
            sobject: The API name of the object.
            content_type: How the batches are written: ``"CSV"``, ``"JSON"`` or ``"XML"``, or one of these after
                ``"ZIP_"``, for rows with files.
            external_id: The field by which an upsert finds records.
            concurrency_mode: ``"Parallel"``, Salesforce's default, or ``"Serial"``, one batch after the other.
            assignment_rule_id: The id of the rule that assigns cases or leads.
            pk_chunking: Whether, and how, a query is cut into ranges of ids.
            line_ending: Whether line ends in text areas are read as ``"LF"`` or as ``"CRLF"``.
            retry_batches: Let Salesforce try batches again that it could not finish.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: An argument cannot be right; an upsert has no ``external_id``, for one.
            ApiError: Salesforce refused the job.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-jobs-create.html

        Example:
            >>> job = sf.bulk_v1.create_job("insert", "Contact", "JSON")
            >>> job.state, job.content_type
            ('Open', 'JSON')
        """
        body = job_request(operation, sobject, content_type, external_id, concurrency_mode, assignment_rule_id)
        if pk_chunking and operation not in QUERIES:
            raise ValueError(f"pk_chunking cuts queries, and the operation is {operation}")
        request = create_job.build(
            body=body,
            sforce_enable_pk_chunking=pk_chunking_header(pk_chunking),
            sforce_disable_batch_retry=None if retry_batches else "TRUE",
            sforce_line_ending=None
            if line_ending is None
            else one_of("line_ending", line_ending, get_args(LineEnding)),
        )
        return BulkV1Job(self._session, ask(self._session, request, create_job.parse, timeout))

    def get_job(self, job: JobLike, *, timeout: Seconds = None) -> JobInfo:
        """Ask for a job's state, its counts and its settings.

        Args:
            job: A job, or its id.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The id is malformed.
            BadRequestError: There is no such job.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-jobs-get-details.html

        Example:
            >>> job = sf.bulk_v1.create_job("insert", "Contact")
            >>> sf.bulk_v1.get_job(job.id).number_batches_total
            0
        """
        return ask(self._session, get_job.build(job_id(job)), get_job.parse, timeout)

    def close_job(self, job: JobLike, *, timeout: Seconds = None) -> JobInfo:
        """Let a job take no more batches; those that it has are worked on.

        Args:
            job: A job, or its id.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The id is malformed.
            BadRequestError: There is no such job, or it is aborted.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-jobs-close.html

        Example:
            >>> job = sf.bulk_v1.create_job("insert", "Contact")
            >>> sf.bulk_v1.close_job(job).state
            'Closed'
        """
        return change(self._session, job_id(job), "Closed", timeout)

    def abort_job(self, job: JobLike, *, timeout: Seconds = None) -> JobInfo:
        """End a job; what it has done until then stays.

        Args:
            job: A job, or its id.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The id is malformed.
            BadRequestError: There is no such job.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-jobs-abort.html

        Example:
            >>> job = sf.bulk_v1.create_job("insert", "Contact")
            >>> sf.bulk_v1.abort_job(job).state
            'Aborted'
        """
        return change(self._session, job_id(job), "Aborted", timeout)

    def add_batch(
        self, job: JobLike, data: BatchData, *, content_type: ContentType | None = None, timeout: Seconds = None
    ) -> BatchInfo:
        """Add a batch to an open job, which begins to work on it.

        A call that broke off is not repeated, since the batch may have been added.

        Args:
            job: A job, or its id.
            data: The batch as it is, which is a text, bytes, a path or a file opened for bytes; or an iterable of
                dicts, for jobs in CSV, JSON and XML. The batch of a query is its SOQL.
            content_type: That of the job; may be left out where ``job`` is no id.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The data is none of that, or has more bytes or rows than one batch takes, which are
                10,000,000 and 10,000; or another argument is wrong.
            ApiError: Salesforce refused the batch.
            TransportError: No answer came; whether the batch was added is to be seen in :meth:`list_batches`.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-create.html

        Example:
            >>> job = sf.bulk_v1.create_job("insert", "Contact")
            >>> sf.bulk_v1.add_batch(job, [{"LastName": "Curie"}, {"LastName": "Meitner"}]).state
            'Queued'
        """
        kind = content_type if content_type is not None or isinstance(job, str) else job.content_type
        if kind is None:
            raise ValueError("the content type of a job is not known by its id: give content_type=")
        media_type = MEDIA_TYPES[one_of("content_type", kind, get_args(ContentType))]
        with _body(data, kind) as body:
            request = add_batch.build(job_id(job), body=body, content_type=media_type)
            return ask(self._session, request, add_batch.parse, timeout)

    def get_batch(self, job: JobLike, batch_id: str, *, timeout: Seconds = None) -> BatchInfo:
        """Ask for a batch's state and its counts.

        Args:
            job: The batch's job, or its id.
            batch_id: The id of the batch.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: An id is malformed.
            BadRequestError: There is no such batch.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-get-info.html

        Example:
            >>> job = sf.bulk_v1.create_job("insert", "Contact")
            >>> batch = sf.bulk_v1.add_batch(job, "LastName\\nCurie\\n")
            >>> sf.bulk_v1.get_batch(job, batch.id).job_id == job.id
            True
        """
        return ask(self._session, get_batch.build(job_id(job), check_id(batch_id)), get_batch.parse, timeout)

    def list_batches(self, job: JobLike, *, timeout: Seconds = None) -> BatchInfos:
        """List the batches of a job, in the order in which they were added.

        Args:
            job: A job, or its id.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The id is malformed.
            BadRequestError: There is no such job.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-get-info-all.html

        Example:
            >>> job = sf.bulk_v1.create_job("insert", "Contact")
            >>> sf.bulk_v1.list_batches(job)
            []
        """
        return batches_of(self._session, job_id(job), timeout)

    def get_batch_request(self, job: JobLike, batch_id: str, *, timeout: Seconds = None) -> str:
        """Give what was sent as a batch: rows as CSV, JSON or XML, the SOQL of a query, or ``request.txt`` of a zip.

        Args:
            job: The batch's job, or its id.
            batch_id: The id of the batch.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: An id is malformed.
            BadRequestError: There is no such batch.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-get-request.html

        Example:
            >>> job = sf.bulk_v1.create_job("query", "Contact")
            >>> batch = sf.bulk_v1.add_batch(job, "SELECT Id FROM Contact")
            >>> sf.bulk_v1.get_batch_request(job, batch.id)
            'SELECT Id FROM Contact'
        """
        return read_request(self._session, job_id(job), check_id(batch_id), timeout)

    def get_batch_result(
        self, job: JobLike, batch_id: str, *, timeout: Seconds = None
    ) -> Iterator[RowResult | dict[str, Any]]:
        """Read what came of a batch as it comes: the result of each of its rows in their order, or a query's records.

        A query may have several results, which are read one after the other. Records in CSV and XML hold texts.

        Args:
            job: The batch's job, or its id.
            batch_id: The id of the batch.
            timeout: Seconds for each request instead of the client's own.

        Raises:
            ValueError, TypeError: An id is malformed.
            BadRequestError: While iterating: there is no such batch, or it has not ended.
            TransportError: While iterating: no answer came, or not all of it.
            InvalidResponseError: While iterating: what came is not what the API documents.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-get-results.html

        Example:
            >>> job = sf.bulk_v1.insert("Contact", [{"LastName": "Curie"}, {"FirstName": "Lise"}]).wait().jobs[0]
            >>> [batch] = job.batches()
            >>> [(result.success, result.errors[:1]) for result in sf.bulk_v1.get_batch_result(job, batch.id)]
            [(True, ()), (False, (ErrorDetail(code='REQUIRED_FIELD_MISSING', ...),))]
        """
        return read_result(self._session, job_id(job), check_id(batch_id), timeout)


def job_id(job: JobLike) -> str:
    """Give the id of a job."""
    return job.id if isinstance(job, BulkV1Job) else check_id(job)


def job_request(
    operation: str,
    sobject: str,
    content_type: str,
    external_id: str | None,
    concurrency_mode: str | None,
    assignment_rule_id: str | None,
) -> models.JobRequest:
    """Say what a job is to do.

    Raises:
        ValueError, TypeError: An argument cannot be right.
    """
    one_of("operation", operation, get_args(Operation))
    if (operation == "upsert") != (external_id is not None):
        needs = "an upsert needs external_id, the field by which it finds records"
        raise ValueError(
            needs if external_id is None else f"external_id is for upserts, and the operation is {operation}"
        )
    if concurrency_mode is not None:
        one_of("concurrency_mode", concurrency_mode, get_args(ConcurrencyMode))
    options: dict[str, Any] = {
        "operation": operation,
        "object": check_name("the object", sobject),
        "content_type": one_of("content_type", content_type, get_args(ContentType)),
        "external_id_field_name": UNSET if external_id is None else check_name("the external id", external_id),
        "concurrency_mode": UNSET if concurrency_mode is None else concurrency_mode,
        "assignment_rule_id": UNSET if assignment_rule_id is None else check_id(assignment_rule_id),
    }
    return models.JobRequest(**options)


def one_of(name: str, value: object, known: Iterable[str]) -> Any:
    """Refuse a text that is none of some.

    Raises:
        ValueError: It is none of them.
    """
    known = tuple(known)
    if value not in known:
        raise ValueError(f"{name} is one of {', '.join(known)}, not {value!r}")
    return value


@contextmanager
def _body(data: Any, content_type: str) -> Iterator[IO[bytes]]:
    """Make the body of one batch.

    Raises:
        ValueError, TypeError: The data cannot be sent as one.
    """
    if isinstance(data, str):
        data = data.encode()
    if not isinstance(data, bytes | bytearray | memoryview | os.PathLike) and not hasattr(data, "read"):
        data = _rows(data, content_type)
    with opened(data, "batch", "batch") as file:
        if not file.size:
            raise ValueError("the batch is empty")
        if file.size > MOST_BYTES:
            raise ValueError(f"the batch has {file.size:,} bytes, and Salesforce takes {MOST_BYTES:,}")
        yield file.stream


def _rows(data: Any, content_type: str) -> bytes:
    if isinstance(data, Mapping) or not isinstance(data, Iterable):
        raise TypeError(
            f"a batch is a text, bytes, a path, a file or an iterable of dicts, not a {type(data).__name__}"
        )
    if content_type.startswith("ZIP_"):
        raise TypeError("a batch with files is the bytes, the path or the file of a zip file")
    rows = list(islice(data, MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        raise ValueError(f"there are more than {MOST_ROWS:,} rows, which is all that a batch takes")
    return in_one(rows, content_type)
