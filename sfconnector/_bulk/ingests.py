"""Everything that writes rows, in one call each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sfconnector._bulk.frames import is_frame
from sfconnector._bulk.ingest import Cutting, Ingest, upload
from sfconnector._bulk.ingest_jobs import IngestJob
from sfconnector._bulk.ingest_upload import Sending
from sfconnector._bulk.query_jobs import QueryJob
from sfconnector._csv.dialect import ColumnDelimiter, Dialect, LineEnding
from sfconnector._names import check_id
from sfconnector._prepare import check_count
from sfconnector._session import Seconds, Session
from sfconnector.errors import BadRequestError, NotFoundError

if TYPE_CHECKING:
    from sfconnector._bulk.parts import Source
    from sfconnector._progress import Progress

# What Salesforce makes base64 of, which may have 150 MB.
# https://developer.salesforce.com/docs/platform/api-asynch/guide/upload-job-data.html
_MOST_BYTES: Final = 100_000_000
_LIMIT: Final = 112_500_000


class Ingests:
    """The methods of :class:`sfconnector._bulk.bulk.Bulk` that write rows."""

    _session: Session

    def insert(
        self,
        sobject: str,
        source: Source,
        *,
        columns: Sequence[str] | None = None,
        column_delimiter: ColumnDelimiter = "COMMA",
        line_ending: LineEnding | None = None,
        max_bytes: int = _MOST_BYTES,
        workers: int = 1,
        assignment_rule_id: str | None = None,
        on_job: Callable[[IngestJob], object] | None = None,
        progress: Progress | None = None,
        timeout: Seconds = None,
    ) -> Ingest:
        """Create records, any number of them, by as many jobs as it takes; returns when everything is uploaded.

        The source is read once, as far as the uploads have got, and cut into parts by the bytes that are sent. Each
        part has a job, and can be sent again, after a token has expired too. Where a connection breaks while a part is
        sent, that job is given up and another one gets the part: a job does nothing before it is closed, so that no row
        is written twice. Whatever goes wrong, an interruption included, the jobs that are still open are aborted.

        Args:
            sobject: The API name of the object.
            source: A path, a file opened for bytes, or bytes, of CSV; any iterable of dicts, of instances of attrs
                classes or dataclasses, or of sequences with ``columns``; a data frame or table of pandas, Polars or
                PyArrow, or an iterable of Arrow record batches; or a job that reads. ``None`` makes a field empty,
                and a key that is missing, and an empty text, leave it as it is. All but CSV files goes
                through temporary files, as large as its CSV.
            columns: The columns to send, of all but CSV, in their order; by default those that the rows have, in the
                order of their first sight.
            column_delimiter: What stands between two cells, by Salesforce's name.
            line_ending: ``"LF"`` or ``"CRLF"``; by default that of the file, and else LF.
            max_bytes: Bytes of a part at most, with its header; Salesforce takes 100 MB.
            workers: How many parts may be on their way at the same time.
            assignment_rule_id: The id of an AssignmentRule to run for cases or leads.
            on_job: Called with each job as soon as it is created, before data is sent to it: with what it has written
                down, another process can carry on when this one is killed, since ``job.rows`` are the positions of the
                rows and :meth:`ingest_job` makes the job again. A job that is still open then was never closed.
            progress: Told how far the upload is, see :class:`Progress`.
            timeout: Seconds for each request instead of the client's own.

        Raises:
            ValueError, TypeError: An argument, the source, or one of its first rows cannot be right.
            JobError: Something went wrong after jobs were closed, or in a callback; ``job`` has them, and the cause is
                what went wrong.
            ApiError, TransportError: Something went wrong before.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/bulk-api-2-ingest.html

        Example:
            >>> ingest = sf.bulk.insert("Account", [{"Name": "Acme"}, {"Name": None}]).wait()
            >>> [(failure.index, failure.error.code) for failure in ingest.failures()]
            [(1, 'REQUIRED_FIELD_MISSING')]
        """
        how = Sending(sobject, "insert", None, assignment_rule_id, workers, on_job, progress, timeout)
        return self._ingest(how, source, columns, Dialect(column_delimiter, line_ending), max_bytes)

    def update(
        self,
        sobject: str,
        source: Source,
        *,
        columns: Sequence[str] | None = None,
        column_delimiter: ColumnDelimiter = "COMMA",
        line_ending: LineEnding | None = None,
        max_bytes: int = _MOST_BYTES,
        workers: int = 1,
        assignment_rule_id: str | None = None,
        on_job: Callable[[IngestJob], object] | None = None,
        progress: Progress | None = None,
        timeout: Seconds = None,
    ) -> Ingest:
        """Change records, which the column ``Id`` names; all else is as for :meth:`insert`.

        Raises:
            ValueError, TypeError, JobError, ApiError, TransportError: As for :meth:`insert`.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/bulk-api-2-ingest.html

        Example:
            >>> [row["sf__Id"] == account_id for row in sf.bulk.update(
            ...     "Account", [{"Id": account_id, "Site": None}]).successful()]
            [True]
        """
        how = Sending(sobject, "update", None, assignment_rule_id, workers, on_job, progress, timeout)
        return self._ingest(how, source, columns, Dialect(column_delimiter, line_ending), max_bytes)

    def upsert(
        self,
        sobject: str,
        source: Source,
        *,
        external_id: str,
        columns: Sequence[str] | None = None,
        column_delimiter: ColumnDelimiter = "COMMA",
        line_ending: LineEnding | None = None,
        max_bytes: int = _MOST_BYTES,
        workers: int = 1,
        assignment_rule_id: str | None = None,
        on_job: Callable[[IngestJob], object] | None = None,
        progress: Progress | None = None,
        timeout: Seconds = None,
    ) -> Ingest:
        """Create records or change them, as an external id decides; all else is as for :meth:`insert`.

        Args:
            sobject: The API name of the object.
            source: As for :meth:`insert`.
            external_id: The API name of the field by which records are found; the rows have it.
            **: As for :meth:`insert`.

        Raises:
            ValueError, TypeError, JobError, ApiError, TransportError: As for :meth:`insert`.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/bulk-api-2-ingest.html

        Example:
            >>> rows = [{"Ext__c": "A-42", "Name": "Acme"}, {"Ext__c": "A-43", "Name": "Globex"}]
            >>> ingest = sf.bulk.upsert("Account", rows, external_id="Ext__c").wait(timeout=600.0)
            >>> sorted(row["sf__Created"] for row in ingest.successful())
            ['false', 'true']
        """
        how = Sending(sobject, "upsert", external_id, assignment_rule_id, workers, on_job, progress, timeout)
        return self._ingest(how, source, columns, Dialect(column_delimiter, line_ending), max_bytes)

    def delete(
        self,
        sobject: str,
        source: Source,
        *,
        columns: Sequence[str] | None = None,
        column_delimiter: ColumnDelimiter = "COMMA",
        line_ending: LineEnding | None = None,
        max_bytes: int = _MOST_BYTES,
        workers: int = 1,
        on_job: Callable[[IngestJob], object] | None = None,
        progress: Progress | None = None,
        timeout: Seconds = None,
    ) -> Ingest:
        """Move records to the recycle bin; all else is as for :meth:`insert`.

        Args:
            sobject: The API name of the object.
            source: As for :meth:`insert`, with nothing but the column ``Id``; or ids, 15 or 18 characters each.
            **: As for :meth:`insert`.

        Raises:
            ValueError, TypeError, JobError, ApiError, TransportError: As for :meth:`insert`.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/bulk-api-2-ingest.html

        Example:
            >>> len(list(sf.bulk.delete("Account", [account_id]).successful()))
            1
        """
        how = Sending(sobject, "delete", None, None, workers, on_job, progress, timeout)
        return self._ingest(how, source, columns, Dialect(column_delimiter, line_ending), max_bytes)

    def hard_delete(
        self,
        sobject: str,
        source: Source,
        *,
        columns: Sequence[str] | None = None,
        column_delimiter: ColumnDelimiter = "COMMA",
        line_ending: LineEnding | None = None,
        max_bytes: int = _MOST_BYTES,
        workers: int = 1,
        on_job: Callable[[IngestJob], object] | None = None,
        progress: Progress | None = None,
        timeout: Seconds = None,
    ) -> Ingest:
        """Delete records for good, past the recycle bin; all else is as for :meth:`delete`.

        Raises:
            BadRequestError: The user lacks the permission "Bulk API Hard Delete".
            ValueError, TypeError, JobError, ApiError, TransportError: As for :meth:`insert`.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/bulk-api-2-ingest.html

        Example:
            >>> len(list(sf.bulk.hard_delete("Account", [{"Id": account_id}]).successful()))
            1
        """
        how = Sending(sobject, "hardDelete", None, None, workers, on_job, progress, timeout)
        return self._ingest(how, source, columns, Dialect(column_delimiter, line_ending), max_bytes)

    def ingest_job(self, job_id: str) -> IngestJob:
        """Give access to a job that writes records and was created before, by whomever; nothing is sent.

        Args:
            job_id: 15 or 18 characters.

        Raises:
            ValueError, TypeError: The id is malformed.

        Example:
            >>> job_id = sf.bulk.insert("Account", [{"Name": "Acme"}]).job_ids[0]
            >>> sf.bulk.ingest_job(job_id).wait().state
            'JobComplete'
        """
        return IngestJob(self._session, job_id)

    def job(self, job_id: str, *, timeout: Seconds = None) -> IngestJob | QueryJob:
        """Give access to a job that was created before, asking Salesforce whether it writes or reads.

        Args:
            job_id: 15 or 18 characters.
            timeout: Seconds for each request instead of the client's own.

        Raises:
            ValueError, TypeError: The id is malformed.
            NotFoundError: There is no such job.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/get-job-info.html

        Example:
            >>> sf.bulk.job(sf.bulk.create_query_job("SELECT Id FROM Account").id)
            <QueryJob 750..., ...>
        """
        job: IngestJob | QueryJob = IngestJob(self._session, job_id)
        with suppress(NotFoundError, BadRequestError):
            # It is not documented whether one resource tells of the jobs of the other.
            if job.info(timeout=timeout).operation not in {"query", "queryAll"}:
                return job
        job = QueryJob(self._session, job_id)
        job.info(timeout=timeout)
        return job

    def _ingest(
        self, how: Sending, source: Source, columns: Sequence[str] | None, dialect: Dialect, max_bytes: int
    ) -> Ingest:
        # Before the source is read.
        how.request(dialect)
        if check_count("max_bytes", max_bytes) > _LIMIT:
            raise ValueError(f"a job takes {_LIMIT:,} bytes, which are 150 MB in base64: max_bytes is {max_bytes:,}")
        cutting = Cutting.of(how.operation, how.external_id, dialect, max_bytes, columns=columns)
        return upload(self._session, how, cutting, of_ids(source) if cutting.key_alone else source)


def of_ids(source: Source) -> Source:
    """Let ids stand for rows that have nothing else."""
    if isinstance(source, str | bytes | os.PathLike | Mapping) or not isinstance(source, Iterable):
        return source
    if is_frame(source) or any(hasattr(source, name) for name in ("read", "rows")):
        return source
    return ({"Id": check_id(each)} if isinstance(each, str) else each for each in source)
