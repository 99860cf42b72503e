"""The methods of Bulk API 1.0 that write any number of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sfconnector._bulk_v1._batches import MOST_BYTES, MOST_ROWS
from sfconnector._bulk_v1._writing import Writing, write
from sfconnector._bulk_v1.calls import Calls
from sfconnector._bulk_v1.ingest import BulkV1Ingest
from sfconnector._bulk_v1.jobs import BulkV1Job, ConcurrencyMode, DataFormat
from sfconnector._names import check_name
from sfconnector._progress import Progress
from sfconnector._session import Seconds


class Ingests(Calls):
    """The methods of :class:`sfconnector._bulk_v1.bulk_v1.BulkV1` that write rows."""

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
        on_job: Callable[[BulkV1Job], object] | None = None,
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
            on_job: Called with each job as soon as it is created, before a batch is added to it: with its id kept,
                another process can find out what became of the rows, should this one end.
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
                on_job=on_job,
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
        on_job: Callable[[BulkV1Job], object] | None = None,
        progress: Progress | None = None,
        timeout: Seconds = None,
    ) -> BulkV1Ingest:
        """Change records by their ids.

        Args:
            sobject: The API name of the object.
            source: As for :meth:`insert`, with the ``Id`` in each row; ``None`` empties a field.
            content_type, concurrency_mode, max_rows, max_bytes, workers, on_job, progress, timeout: As for
                :meth:`insert`.
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
                on_job=on_job,
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
        on_job: Callable[[BulkV1Job], object] | None = None,
        progress: Progress | None = None,
        timeout: Seconds = None,
    ) -> BulkV1Ingest:
        """Change the records that are found by an external id, and create the others.

        Args:
            sobject: The API name of the object.
            source: As for :meth:`insert`, with the external id in each row.
            external_id: The field by which records are found.
            content_type, concurrency_mode, max_rows, max_bytes, workers, on_job, progress, timeout: As for
                :meth:`insert`.
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
                on_job=on_job,
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
        on_job: Callable[[BulkV1Job], object] | None = None,
        progress: Progress | None = None,
        timeout: Seconds = None,
    ) -> BulkV1Ingest:
        """Move records to the recycle bin.

        Args:
            sobject: The API name of the object.
            source: As for :meth:`insert`, with nothing but the ``Id`` in each row, or ids.
            content_type, concurrency_mode, max_rows, max_bytes, workers, on_job, progress, timeout: As for
                :meth:`insert`.

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
                on_job=on_job,
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
        on_job: Callable[[BulkV1Job], object] | None = None,
        progress: Progress | None = None,
        timeout: Seconds = None,
    ) -> BulkV1Ingest:
        """Delete records for good, which needs the permission Bulk API Hard Delete.

        Args:
            sobject: The API name of the object.
            source: As for :meth:`insert`, with nothing but the ``Id`` in each row, or ids.
            content_type, concurrency_mode, max_rows, max_bytes, workers, on_job, progress, timeout: As for
                :meth:`insert`.

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
                on_job=on_job,
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
        on_job: Callable[[BulkV1Job], object] | None = None,
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
            concurrency_mode, workers, on_job, progress, timeout: As for :meth:`insert`.

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
                on_job=on_job,
                file_field=check_name("the field for files", file_field),
                progress=progress,
                timeout=timeout,
            ),
            rows,
        )

    def _write(self, writing: Writing, source: Any) -> BulkV1Ingest:
        return write(self._session, source, writing.checked())
