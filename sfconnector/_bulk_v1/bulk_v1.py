"""Everything that Bulk API 1.0 can do, in one namespace."""

from __future__ import annotations

from io import BytesIO
from typing import Literal, get_args

from sfconnector_generated.bulk_v1.api.job import get_job

from sfconnector._bulk_v1._batches import FileBatch
from sfconnector._bulk_v1._sending import Lane
from sfconnector._bulk_v1._writing import Writing
from sfconnector._bulk_v1.calls import MEDIA_TYPES, one_of
from sfconnector._bulk_v1.ingest import BulkV1Ingest
from sfconnector._bulk_v1.ingests import Ingests
from sfconnector._bulk_v1.jobs import QUERIES, BulkV1Job, ConcurrencyMode, DataFormat, PkChunking, ask
from sfconnector._bulk_v1.query import BulkV1Query, sobject_of
from sfconnector._names import check_id, check_text
from sfconnector._session import Seconds


class BulkV1(Ingests):
    """Jobs of Bulk API 1.0; made by :attr:`Salesforce.bulk_v1`.

    Bulk API 2.0 (:attr:`Salesforce.bulk`) asks for less care and is the one to begin with. This one has what that one
    lacks: JSON and XML, batches of the caller's own that are worked on one after the other, results in the order of
    the rows, files, and queries cut by ids.

    Rows go out in batches of at most 10,000 rows and 10,000,000 bytes; an org takes 15,000 batches a day. A batch whose
    answer is lost is neither lost nor sent twice: its job is closed, so that it takes no further batch, and the list
    of its batches tells whether this one is there; only if not, it goes into another job.

    See Also:
        https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-intro.html
    """

    def query(
        self,
        soql: str,
        *,
        sobject: str | None = None,
        content_type: DataFormat = "CSV",
        pk_chunking: bool | PkChunking = False,
        concurrency_mode: ConcurrencyMode | None = None,
        timeout: Seconds = None,
    ) -> BulkV1Query:
        """Query records in the background.

        Args:
            soql: The query; Bulk API 1.0 takes no GROUP BY, OFFSET, TYPEOF or aggregate functions.
            sobject: The API name of the object; by default the one that the query names.
            content_type: How the records come: ``"CSV"``, ``"JSON"`` or ``"XML"``.
            pk_chunking: Whether, and how, the query is cut into ranges of ids, each a batch of its own, for more than
                10 million records and for queries that take too long.
            concurrency_mode: ``"Parallel"``, Salesforce's default, or ``"Serial"``, one batch after the other.
            timeout: Seconds for each request instead of the client's own.

        Returns:
            The job, which has the query by now; :meth:`BulkV1Query.rows` waits for the records.

        Raises:
            ValueError, TypeError: The query is blank or names no object, or another argument cannot be right.
            ApiError: Salesforce refused the job. What it finds wrong in the query, it tells in the end, as a
                :class:`JobError` of ``wait`` or ``rows``.
            JobError: Whether the query was added to the job is not known.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-using-bulk-query.html

        Example:
            >>> [row["Name"] for row in sf.bulk_v1.query("SELECT Name FROM Account").rows()]
            ['Acme']
        """
        return self._query("query", soql, sobject, content_type, pk_chunking, concurrency_mode, timeout)

    def query_all(
        self,
        soql: str,
        *,
        sobject: str | None = None,
        content_type: DataFormat = "CSV",
        pk_chunking: bool | PkChunking = False,
        concurrency_mode: ConcurrencyMode | None = None,
        timeout: Seconds = None,
    ) -> BulkV1Query:
        """Query records, also those that are deleted or archived; arguments as for :meth:`query`.

        Raises:
            ValueError, TypeError, ApiError, JobError: As for :meth:`query`.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-using-bulk-query.html

        Example:
            >>> sf.sobject("Account").delete(account_id)
            >>> [row["Name"] for row in sf.bulk_v1.query_all("SELECT Name FROM Account").rows()]
            ['Acme']
        """
        return self._query("queryAll", soql, sobject, content_type, pk_chunking, concurrency_mode, timeout)

    def job(self, job_id: str, *, timeout: Seconds = None) -> BulkV1Ingest | BulkV1Query:
        """Find a job again by its id, in any process, asking Salesforce what it is.

        Positions of rows are counted from the first batch of the job.

        Args:
            job_id: 15 or 18 characters.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The id is malformed.
            BadRequestError: There is no such job; they are kept for seven days.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-jobs-get-details.html

        Example:
            >>> job = sf.bulk_v1.insert("Contact", [{"LastName": "Curie"}])
            >>> [row["LastName"] for row in sf.bulk_v1.job(job.job_ids[0]).wait().successful()]
            ['Curie']
        """
        info = ask(self._session, get_job.build(check_id(job_id)), get_job.parse, timeout)
        if info.operation in QUERIES:
            return BulkV1Query(self._session, info)
        return BulkV1Ingest(self._session, (BulkV1Job(self._session, info),), Writing.of(info))

    def _query(
        self,
        operation: Literal["query", "queryAll"],
        soql: str,
        sobject: str | None,
        content_type: DataFormat,
        pk_chunking: bool | PkChunking,
        concurrency_mode: ConcurrencyMode | None,
        timeout: Seconds,
    ) -> BulkV1Query:
        text = check_text("the query", soql).encode()
        one_of("content_type", content_type, get_args(DataFormat))
        name = sobject_of(soql) if sobject is None else sobject

        def open_job() -> BulkV1Job:
            return self.create_job(
                operation,
                name,
                content_type,
                concurrency_mode=concurrency_mode,
                pk_chunking=pk_chunking,
                timeout=timeout,
            )

        lane = Lane(self._session, open_job, MEDIA_TYPES[content_type], timeout, is_chunked=bool(pk_chunking))
        lane.send(FileBatch(0, 1, BytesIO(text), len(text)))
        # Open until its end: Salesforce may add batches, and aborts no job that is closed.
        return BulkV1Query(self._session, lane.jobs[-1].last, is_chunked=bool(pk_chunking))

    def __repr__(self) -> str:
        return "<BulkV1>"
