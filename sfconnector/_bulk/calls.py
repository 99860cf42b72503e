"""The calls of Bulk API 2.0, one request each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args
from urllib.parse import parse_qs, urlsplit

import attrs
from sfconnector_generated.bulk_v2 import models
from sfconnector_generated.bulk_v2.api.ingest import (
    create_ingest_job,
    create_ingest_job_with_data,
    list_ingest_jobs,
    upload_ingest_data,
)
from sfconnector_generated.bulk_v2.api.query import create_query_job, get_query_results, list_query_jobs
from sfconnector_generated.client import Request

from sfconnector._bulk.download import Download
from sfconnector._bulk.ingest_jobs import IngestJob
from sfconnector._bulk.jobs import Job
from sfconnector._bulk.pages import Page
from sfconnector._bulk.query_jobs import QueryJob
from sfconnector._call import call, check_empty, read, send
from sfconnector._csv.dialect import ColumnDelimiter, Dialect, LineEnding
from sfconnector._names import check_id, check_name, check_text
from sfconnector._prepare import check_count, of_type
from sfconnector._session import Seconds, Session
from sfconnector._upload import Source, rewindable
from sfconnector.errors import InvalidResponseError

if TYPE_CHECKING:
    from sfconnector_generated.bulk_v2.models import JobInfo

Kind: TypeAlias = Literal["ingest", "query"]
"""Whether a job writes records or reads them."""

Operation: TypeAlias = Literal["insert", "update", "upsert", "delete", "hardDelete"]
"""What a job does with its rows."""

# Salesforce counts the data as base64, which is a third longer.
# https://developer.salesforce.com/docs/platform/api-asynch/guide/upload-job-data.html
_LARGEST: Final = 150 * 1024**2 * 3 // 4
# https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/walkthrough_upload_multipart_data.htm
_LARGEST_WITH_JOB: Final = 100_000


_HANDLES: Final[dict[str, type[Job]]] = {"ingest": IngestJob, "query": QueryJob}


@attrs.frozen
class BulkQueryPage:
    """A page of the rows that a job has read.

    Attributes:
        rows: A dict for each row, its values as Salesforce writes them in CSV; an empty text is also null.
        locator: What to ask for the next page with; ``None`` on the last one.
    """

    rows: list[dict[str, str]] = attrs.field(repr=lambda rows: f"<{len(rows)} rows>")
    locator: str | None


class Calls:
    """The calls of :class:`sfconnector._bulk.bulk.Bulk`.

    Args:
        session: Sends the requests.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def create_ingest_job(
        self,
        operation: Operation,
        sobject: str,
        *,
        external_id: str | None = None,
        column_delimiter: ColumnDelimiter = "COMMA",
        line_ending: LineEnding = "LF",
        assignment_rule_id: str | None = None,
        data: bytes | None = None,
        timeout: Seconds = None,
    ) -> IngestJob:
        """Create a job that writes records; it waits for data, and does nothing until it is closed.

        With ``data`` it is closed at once, so that one call does all.

        Args:
            operation: ``"insert"``, ``"update"``, ``"upsert"``, ``"delete"`` or ``"hardDelete"``.
            sobject: The API name of the object.
            external_id: The field by which an upsert finds records; required for that.
            column_delimiter: What stands between two cells of the data.
            line_ending: What ends a row of the data.
            assignment_rule_id: The id of the AssignmentRule to run for Cases or Leads.
            data: CSV in UTF-8 with a header row, of 100,000 characters at most; :meth:`upload` takes more.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: An argument cannot be right.
            BadRequestError: Salesforce refused the job.
            TransportError: No answer came; with ``data``, whether the job runs is not known, and it is not sent again.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/create-job.html

        Example:
            >>> job = sf.bulk.create_ingest_job("insert", "Account")
            >>> sf.bulk.upload(job.id, b"Name\\nAcme\\n")
            >>> sf.bulk.close(job.id).state
            'UploadComplete'
        """
        dialect = Dialect(column_delimiter, line_ending)
        job = ingest_request(operation, sobject, dialect, external_id, assignment_rule_id)
        if data is None:
            request = create_ingest_job.build(body=job)
        else:
            request = create_ingest_job_with_data.build(job=job, content=_few(data))
        info = call(self._session, request, create_ingest_job.parse, timeout=timeout)
        return IngestJob(self._session, info.id, info)

    def create_query_job(
        self,
        soql: str,
        *,
        include_deleted: bool = False,
        column_delimiter: ColumnDelimiter = "COMMA",
        line_ending: LineEnding = "LF",
        timeout: Seconds = None,
    ) -> QueryJob:
        """Create a job that reads records, which starts at once.

        Args:
            soql: The query.
            include_deleted: Also find records that are deleted or archived.
            column_delimiter: What shall stand between two cells of the results.
            line_ending: What shall end a row of the results.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: An argument cannot be right.
            BadRequestError: Salesforce refused the query.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/query-create-job.html

        Example:
            >>> sf.bulk.create_query_job("SELECT Id FROM Account").state
            'UploadComplete'
        """
        dialect = Dialect(column_delimiter, line_ending)
        body = models.QueryJobRequest(
            operation="queryAll" if include_deleted else "query",
            query=check_text("soql", soql),
            column_delimiter=dialect.column_delimiter,
            line_ending=dialect.line_ending or "LF",
            content_type="CSV",
        )
        info = call(self._session, create_query_job.build(body=body), create_query_job.parse, timeout=timeout)
        return QueryJob(self._session, info.id, info, soql=soql)

    def get_job(self, job_id: str, kind: Kind, *, timeout: Seconds = None) -> JobInfo:
        """Return a job's state, its counts and its settings.

        Args:
            job_id: The id of the job.
            kind: ``"ingest"`` for a job that writes records, ``"query"`` for one that reads.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: An argument cannot be right.
            NotFoundError: There is no such job.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/get-job-info.html

        Example:
            >>> job = sf.bulk.create_ingest_job("delete", "Account")
            >>> sf.bulk.get_job(job.id, "ingest").state
            'Open'
        """
        return self._handle(job_id, kind).info(timeout=timeout)

    def upload(self, job_id: str, data: Source, *, timeout: Seconds = None) -> None:
        """Upload the rows of a job, which takes them once and as a whole.

        Args:
            job_id: The id of a job that writes records and is open.
            data: CSV in UTF-8 with a header row, of 100 MB at most: a path, a file opened for bytes, or bytes.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The data cannot be read, is empty or is too large; or the id is wrong.
            BadRequestError: Salesforce refused the data, or has some already.
            TransportError: No answer came; whether the data arrived is not known, and it is not sent again. An open
                job does nothing: abort it, and upload to another one.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/upload-job-data.html

        Example:
            >>> job = sf.bulk.create_ingest_job("insert", "Account", column_delimiter="SEMICOLON")
            >>> sf.bulk.upload(job.id, b"Name;Phone\\nAcme;555\\n")
        """
        check_id(job_id)
        with rewindable(data) as stream:
            start = stream.tell()
            size = stream.seek(0, os.SEEK_END) - start
            stream.seek(start)
            if not 0 < size <= _LARGEST:
                raise ValueError(f"the data has {size} bytes, and a job takes 1 to {_LARGEST} of them")
            request = upload_ingest_data.build(job_id, body=stream)
            check_empty(send(self._session, request, timeout=timeout))

    def close(self, job_id: str, *, timeout: Seconds = None) -> JobInfo:
        """Say that all data of a job is uploaded, which starts it.

        Args:
            job_id: The id of a job that writes records.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: It is no id.
            BadRequestError: The job is not open, or has no data.
            NotFoundError: There is no such job.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/close-job.html

        Example:
            >>> job = sf.bulk.create_ingest_job("insert", "Account")
            >>> sf.bulk.upload(job.id, b"Name\\nAcme\\n")
            >>> sf.bulk.close(job.id).state
            'UploadComplete'
        """
        return IngestJob(self._session, job_id).close(timeout=timeout)

    def abort_job(self, job_id: str, kind: Kind, *, timeout: Seconds = None) -> JobInfo:
        """Abort a job; what it has done until then stays.

        Args:
            job_id: The id of the job.
            kind: ``"ingest"`` for a job that writes records, ``"query"`` for one that reads.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: An argument cannot be right.
            BadRequestError: The job has ended.
            NotFoundError: There is no such job.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/close-job.html

        Example:
            >>> job = sf.bulk.create_ingest_job("insert", "Account")
            >>> sf.bulk.abort_job(job.id, "ingest").state
            'Aborted'
        """
        return self._handle(job_id, kind).abort(timeout=timeout)

    def delete_job(self, job_id: str, kind: Kind, *, timeout: Seconds = None) -> None:
        """Delete a job that has ended, with its data and results.

        Args:
            job_id: The id of the job.
            kind: ``"ingest"`` for a job that writes records, ``"query"`` for one that reads.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: An argument cannot be right.
            BadRequestError: The job has not ended.
            NotFoundError: There is no such job.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/delete-job.html

        Example:
            >>> job = sf.bulk.create_ingest_job("insert", "Account")
            >>> sf.bulk.abort_job(job.id, "ingest").state
            'Aborted'
            >>> sf.bulk.delete_job(job.id, "ingest")
        """
        self._handle(job_id, kind).delete(timeout=timeout)

    def ingest_jobs(self, *, job_type: str | None = None, timeout: Seconds = None) -> Iterator[JobInfo]:
        """List the jobs that write records, page by page, in no certain order.

        Args:
            job_type: Only jobs of this kind: ``"Classic"`` (Bulk API 1.0), ``"V2Ingest"`` or ``"BigObjectIngest"``.
            timeout: Seconds instead of the client's own.

        Raises:
            ApiError: While iterating: Salesforce refused the list.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/get-all-jobs.html

        Example:
            >>> job = sf.bulk.create_ingest_job("insert", "Account")
            >>> [each.state for each in sf.bulk.ingest_jobs(job_type="V2Ingest") if each.id == job.id]
            ['Open']
        """
        return self._jobs(lambda locator: list_ingest_jobs.build(job_type=job_type, query_locator=locator), timeout)

    def query_jobs(self, *, job_type: str | None = None, timeout: Seconds = None) -> Iterator[JobInfo]:
        """List the jobs that read records, page by page, in no certain order.

        Args:
            job_type: Only jobs of this kind: ``"Classic"`` (Bulk API 1.0) or ``"V2Query"``.
            timeout: Seconds instead of the client's own.

        Raises:
            ApiError: While iterating: Salesforce refused the list.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/query-get-all-jobs.html

        Example:
            >>> job = sf.bulk.create_query_job("SELECT Id FROM Account")
            >>> [each.operation for each in sf.bulk.query_jobs(job_type="V2Query") if each.id == job.id]
            ['query']
        """
        return self._jobs(lambda locator: list_query_jobs.build(job_type=job_type, query_locator=locator), timeout)

    def query_results(
        self,
        job_id: str,
        *,
        max_records: int | None = None,
        locator: str | None = None,
        column_delimiter: ColumnDelimiter = "COMMA",
        timeout: Seconds = None,
    ) -> BulkQueryPage:
        """Return a page of the rows that a complete job has read; nothing is remembered from one call to the next.

        Args:
            job_id: The id of a job that reads records.
            max_records: Rows of a page at most; what Salesforce finds fit by default.
            locator: Which page, as the page before named it; the first one by default.
            column_delimiter: That of the job.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: An argument cannot be right.
            BadRequestError: The job is not complete, or there is no such page.
            ConflictError: The job was created with another API version.
            TransportError: Not all of the page came, however often it was asked for.
            InvalidResponseError: The answer is not what Salesforce documents, or not all of it.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/query-get-job-results.html

        Example:
            >>> job = sf.bulk.create_query_job("SELECT Id, Name FROM Account").wait()
            >>> page = sf.bulk.query_results(job.id, max_records=1000)
            >>> page.rows[0]["Name"], page.locator
            ('Acme', None)
        """
        if max_records is not None:
            check_count("max_records", max_records)
        dialect = Dialect(column_delimiter)
        request = get_query_results.build(
            check_id(job_id),
            max_records=max_records,
            locator=None if locator is None else check_text("locator", locator),
        )
        with closing(Page(Download(self._session, request, timeout=timeout), dialect)) as page:
            rows = list(page.dicts())
            page.end()
            return BulkQueryPage(rows, page.next_locator())

    def _handle(self, job_id: str, kind: Kind) -> Job:
        if kind not in get_args(Kind):
            raise ValueError(f"kind is 'ingest' or 'query', not {kind!r}")
        return _HANDLES[kind](self._session, job_id)

    def _jobs(self, build: Callable[[str | None], Request], timeout: Seconds) -> Iterator[JobInfo]:
        locator: str | None = None
        seen: set[str] = set()
        while True:
            response = send(self._session, build(locator), timeout=timeout)
            # Both resources answer the same.
            page = read(self._session, response, list_query_jobs.parse)
            yield from page.records
            if page.done or not page.next_records_url:
                return
            locator = parse_qs(urlsplit(page.next_records_url).query).get("queryLocator", [""])[0]
            if not locator or locator in seen:
                raise InvalidResponseError(response, "the answer names no further page of jobs as the next one")
            seen.add(locator)


def _few(data: bytes) -> bytes:
    """Refuse data that is too large to come with its job."""
    characters = len(str(of_type("data", data, bytes), "utf-8"))
    if not 0 < characters <= _LARGEST_WITH_JOB:
        raise ValueError(f"the data has {characters} characters, and a new job takes 1 to {_LARGEST_WITH_JOB} of them")
    return data


def ingest_request(
    operation: Operation,
    sobject: str,
    dialect: Dialect,
    external_id: str | None = None,
    assignment_rule_id: str | None = None,
) -> models.IngestJobRequest:
    """Describe a job that writes records.

    Raises:
        ValueError, TypeError: An argument cannot be right.
    """
    if operation not in get_args(Operation):
        raise ValueError(f"operation is one of {', '.join(get_args(Operation))}, not {operation!r}")
    if (operation == "upsert") is (external_id is None):
        raise ValueError("an upsert needs external_id, the field by which it finds records, and nothing else takes it")
    more = {}
    if external_id is not None:
        more["external_id_field_name"] = check_name("field", external_id)
    if assignment_rule_id is not None:
        more["assignment_rule_id"] = check_id(assignment_rule_id)
    return models.IngestJobRequest(
        object=check_name("object", sobject),
        operation=operation,
        column_delimiter=dialect.column_delimiter,
        line_ending=dialect.line_ending or "LF",
        content_type="CSV",
        **more,
    )
