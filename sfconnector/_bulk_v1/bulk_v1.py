"""Everything that Bulk API 1.0 can do, in one namespace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any, Literal, get_args

from sfconnector_generated.bulk_v1.api.job import get_job

from sfconnector._bulk_v1._batches import MOST_BYTES, MOST_ROWS, FileBatch
from sfconnector._bulk_v1._sending import Lane
from sfconnector._bulk_v1._writing import Writing, write
from sfconnector._bulk_v1.calls import MEDIA_TYPES, Calls, one_of
from sfconnector._bulk_v1.ingest import BulkV1Ingest
from sfconnector._bulk_v1.jobs import QUERIES, BulkV1Job, ConcurrencyMode, DataFormat, PkChunking, ask
from sfconnector._bulk_v1.query import BulkV1Query, sobject_of
from sfconnector._names import check_id, check_name, check_text
from sfconnector._progress import Progress
from sfconnector._session import Seconds


class BulkV1(Calls):
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

    def insert(
        self,
        sobject: str,
        source: Any,
        *,
        content_type: DataFormat = "CSV",
        concurrency_mode: ConcurrencyMode | None = None,
        assignment_rule_id: str | None = None,
        max_rows: int = MOST_ROWS,
        max_bytes: int = MOST_BYTES,
        workers: int = 1,
        progress: Progress | None = None,
        timeout: Seconds = None,
    ) -> BulkV1Ingest:
        """Create records.

        Args:
            sobject: The API name of the object.
            source: Any iterable of dicts of field names and values; or the path of a file in the format, a file opened
                for bytes, or bytes. With CSV also what :meth:`sfconnector._bulk.bulk.Bulk.insert` takes. It is read as
                far as the next batches need it.
            content_type: How the rows go out: ``"CSV"``, ``"JSON"`` or ``"XML"``.
            concurrency_mode: ``"Parallel"``, Salesforce's default, or ``"Serial"``, one batch after the other, against
                locks.
            assignment_rule_id: The id of the rule that assigns cases or leads.
            max_rows: Rows a batch at most, up to 10,000.
            max_bytes: Bytes a batch at most, up to 10,000,000.
            workers: How many batches may be on the way at the same time, each in a job of its own.
            progress: Told how much is sent, see :class:`Progress`.
            timeout: Seconds for each request instead of the client's own.

        Returns:
            The jobs, once all is sent; :meth:`BulkV1Ingest.wait` waits for their end.

        Raises:
            ValueError, TypeError: An argument or the first row cannot be right.
            JobError: Something went wrong after a job was created, a later row that cannot be sent for one. The error's
                ``job`` has what was sent before, and goes on.
            ApiError, TransportError: No job could be created.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-bulk-ingest.html

        Example:
            >>> job = sf.bulk_v1.insert("Contact", [{"LastName": "Curie"}, {"FirstName": "Lise"}]).wait()
            >>> [(failure.index, failure.error.code) for failure in job.failures()]
            [(1, 'REQUIRED_FIELD_MISSING')]
        """
        return self._write(
            Writing(
                "insert",
                sobject,
                content_type,
                None,
                concurrency_mode,
                assignment_rule_id,
                max_rows,
                max_bytes,
                workers,
                progress=progress,
                timeout=timeout,
            ),
            source,
        )

    def update(
        self,
        sobject: str,
        source: Any,
        *,
        content_type: DataFormat = "CSV",
        concurrency_mode: ConcurrencyMode | None = None,
        assignment_rule_id: str | None = None,
        max_rows: int = MOST_ROWS,
        max_bytes: int = MOST_BYTES,
        workers: int = 1,
        progress: Progress | None = None,
        timeout: Seconds = None,
    ) -> BulkV1Ingest:
        """Change records by their ids.

        Args:
            sobject: The API name of the object.
            source: As for :meth:`insert`, with the ``Id`` in each row; ``None`` empties a field.
            content_type, concurrency_mode, max_rows, max_bytes, workers, progress, timeout: As for :meth:`insert`.
            assignment_rule_id: The id of the rule that assigns cases or leads.

        Raises:
            ValueError, TypeError, JobError, ApiError, TransportError: As for :meth:`insert`.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-bulk-ingest.html

        Example:
            >>> job = sf.bulk_v1.update("Account", [{"Id": account_id, "Phone": None}], content_type="XML").wait()
            >>> [row["sf__Id"] == account_id for row in job.successful()]
            [True]
        """
        return self._write(
            Writing(
                "update",
                sobject,
                content_type,
                None,
                concurrency_mode,
                assignment_rule_id,
                max_rows,
                max_bytes,
                workers,
                progress=progress,
                timeout=timeout,
            ),
            source,
        )

    def upsert(
        self,
        sobject: str,
        source: Any,
        *,
        external_id: str,
        content_type: DataFormat = "CSV",
        concurrency_mode: ConcurrencyMode | None = None,
        assignment_rule_id: str | None = None,
        max_rows: int = MOST_ROWS,
        max_bytes: int = MOST_BYTES,
        workers: int = 1,
        progress: Progress | None = None,
        timeout: Seconds = None,
    ) -> BulkV1Ingest:
        """Change the records that are found by an external id, and create the others.

        Args:
            sobject: The API name of the object.
            source: As for :meth:`insert`, with the external id in each row.
            external_id: The field by which records are found.
            content_type, concurrency_mode, max_rows, max_bytes, workers, progress, timeout: As for :meth:`insert`.
            assignment_rule_id: The id of the rule that assigns cases or leads.

        Raises:
            ValueError, TypeError, JobError, ApiError, TransportError: As for :meth:`insert`.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-bulk-ingest.html

        Example:
            >>> rows = [{"Ext__c": "A-42", "Name": "Acme"}, {"Ext__c": "A-43", "Name": "Umbrella"}]
            >>> job = sf.bulk_v1.upsert("Account", rows, external_id="Ext__c", content_type="JSON").wait()
            >>> [row["sf__Created"] for row in job.successful()]
            ['false', 'true']
        """
        return self._write(
            Writing(
                "upsert",
                sobject,
                content_type,
                external_id,
                concurrency_mode,
                assignment_rule_id,
                max_rows,
                max_bytes,
                workers,
                progress=progress,
                timeout=timeout,
            ),
            source,
        )

    def delete(
        self,
        sobject: str,
        source: Any,
        *,
        content_type: DataFormat = "CSV",
        concurrency_mode: ConcurrencyMode | None = None,
        max_rows: int = MOST_ROWS,
        max_bytes: int = MOST_BYTES,
        workers: int = 1,
        progress: Progress | None = None,
        timeout: Seconds = None,
    ) -> BulkV1Ingest:
        """Move records to the recycle bin.

        Args:
            sobject: The API name of the object.
            source: As for :meth:`insert`, with nothing but the ``Id`` in each row.
            content_type, concurrency_mode, max_rows, max_bytes, workers, progress, timeout: As for :meth:`insert`.

        Raises:
            ValueError, TypeError, JobError, ApiError, TransportError: As for :meth:`insert`.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-bulk-ingest.html

        Example:
            >>> job = sf.bulk_v1.delete("Account", [{"Id": account_id}]).wait()
            >>> [result.success for result in job.results()]
            [True]
        """
        return self._write(
            Writing(
                "delete",
                sobject,
                content_type,
                None,
                concurrency_mode,
                None,
                max_rows,
                max_bytes,
                workers,
                progress=progress,
                timeout=timeout,
            ),
            source,
        )

    def hard_delete(
        self,
        sobject: str,
        source: Any,
        *,
        content_type: DataFormat = "CSV",
        concurrency_mode: ConcurrencyMode | None = None,
        max_rows: int = MOST_ROWS,
        max_bytes: int = MOST_BYTES,
        workers: int = 1,
        progress: Progress | None = None,
        timeout: Seconds = None,
    ) -> BulkV1Ingest:
        """Delete records for good, which needs the permission Bulk API Hard Delete.

        Args:
            sobject: The API name of the object.
            source: As for :meth:`insert`, with nothing but the ``Id`` in each row.
            content_type, concurrency_mode, max_rows, max_bytes, workers, progress, timeout: As for :meth:`insert`.

        Raises:
            ValueError, TypeError, JobError, ApiError, TransportError: As for :meth:`insert`.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-bulk-ingest.html

        Example:
            >>> job = sf.bulk_v1.hard_delete("Account", [{"Id": account_id}]).wait()
            >>> [result.success for result in job.results()]
            [True]
        """
        return self._write(
            Writing(
                "hardDelete",
                sobject,
                content_type,
                None,
                concurrency_mode,
                None,
                max_rows,
                max_bytes,
                workers,
                progress=progress,
                timeout=timeout,
            ),
            source,
        )

    def insert_files(
        self,
        sobject: str,
        rows: Iterable[Mapping[str, Any]],
        file_field: str,
        *,
        content_type: DataFormat = "CSV",
        concurrency_mode: ConcurrencyMode | None = None,
        workers: int = 1,
        progress: Progress | None = None,
        timeout: Seconds = None,
    ) -> BulkV1Ingest:
        """Create records that hold files, such as Attachments and ContentVersions, in zip files of up to 10 MB each.

        A batch takes up to 1,000 files, 20 MB before they are compressed.

        Args:
            sobject: The API name of the object.
            rows: Dicts of field names and values. What is in ``file_field`` is a path, a file opened for bytes, or
                bytes; how it is called in Salesforce stands in another field, such as ``Name`` or ``PathOnClient``.
            file_field: The field for the files, such as ``"Body"`` or ``"VersionData"``.
            content_type: How the rows in the zip files are written: ``"CSV"``, ``"JSON"`` or ``"XML"``.
            concurrency_mode, workers, progress, timeout: As for :meth:`insert`.

        Raises:
            ValueError, TypeError: A file cannot be read or is too large; or as for :meth:`insert`.
            JobError, ApiError, TransportError: As for :meth:`insert`.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/binary-intro.html

        Example:
            >>> rows = [{"ParentId": account_id, "Name": "letter.txt", "Body": b"Dear customer"}]
            >>> job = sf.bulk_v1.insert_files("Attachment", rows, "Body").wait()
            >>> [result.success for result in job.results()]
            [True]
        """
        return self._write(
            Writing(
                "insert",
                sobject,
                content_type,
                None,
                concurrency_mode,
                workers=workers,
                file_field=check_name("the field for files", file_field),
                progress=progress,
                timeout=timeout,
            ),
            rows,
        )

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

    def _write(self, writing: Writing, source: Any) -> BulkV1Ingest:
        return write(self._session, source, writing.checked())

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

        lane = Lane(self._session, open_job, MEDIA_TYPES[content_type], timeout)
        lane.send(FileBatch(0, 1, BytesIO(text), len(text)))
        # Open until its end: Salesforce may add batches, and aborts no job that is closed.
        return BulkV1Query(self._session, lane.jobs[-1].latest)

    def __repr__(self) -> str:
        return "<BulkV1>"
