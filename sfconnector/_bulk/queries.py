"""Jobs that read records, as the methods of a namespace."""

from __future__ import annotations

from sfconnector._bulk.calls import Calls
from sfconnector._bulk.query_jobs import QueryJob
from sfconnector._csv.dialect import ColumnDelimiter, LineEnding
from sfconnector._prepare import check_count
from sfconnector._session import Seconds


class Queries(Calls):
    """The methods of :class:`sfconnector._bulk.bulk.Bulk` that read records."""

    def query(
        self,
        soql: str,
        *,
        column_delimiter: ColumnDelimiter = "COMMA",
        line_ending: LineEnding = "LF",
        workers: int = 1,
        timeout: Seconds = None,
    ) -> QueryJob:
        """Start a job that reads any number of records; each way to read its results waits for its end.

        Args:
            soql: The query; :func:`soql` puts values into it. Bulk queries have no groups, no OFFSET, no child
                relationships, and no compound fields such as addresses.
            column_delimiter: What Salesforce is to write between two cells: ``"BACKQUOTE"``, ``"CARET"``, ``"COMMA"``,
                ``"PIPE"``, ``"SEMICOLON"`` or ``"TAB"``.
            line_ending: What is to end a row: ``"LF"`` or ``"CRLF"``.
            workers: How many pages of the results may be on their way at the same time, see :class:`QueryJob`; one
                connection each, so that ``max_connections`` of the client should be larger.
            timeout: Seconds instead of the client's own, for the call that starts the job.

        Raises:
            ValueError, TypeError: The query is blank, or an argument cannot be right.
            ApiError: Salesforce refused the query.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/query-create-job.html
            https://developer.salesforce.com/docs/platform/api-asynch/guide/queries.html

        Example:
            >>> job = sf.bulk.query("SELECT Id, Name FROM Account")
            >>> [row["Name"] for row in job.rows()]
            ['Acme']
        """
        return self._start(soql, False, column_delimiter, line_ending, workers, timeout)

    def query_all(
        self,
        soql: str,
        *,
        column_delimiter: ColumnDelimiter = "COMMA",
        line_ending: LineEnding = "LF",
        workers: int = 1,
        timeout: Seconds = None,
    ) -> QueryJob:
        """Start a job as :meth:`query` does that also reads records that are deleted or archived.

        Args:
            soql: As for :meth:`query`.
            column_delimiter: As for :meth:`query`.
            line_ending: As for :meth:`query`.
            workers: As for :meth:`query`.
            timeout: As for :meth:`query`.

        Raises:
            ValueError, TypeError: The query is blank, or an argument cannot be right.
            ApiError: Salesforce refused the query.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/query-create-job.html

        Example:
            >>> list(sf.bulk.query_all("SELECT Name FROM Account WHERE IsDeleted = TRUE").rows())
            []
        """
        return self._start(soql, True, column_delimiter, line_ending, workers, timeout)

    def query_job(self, job_id: str, *, workers: int = 1) -> QueryJob:
        """Make the handle of a job again that reads records, in this process or another; nothing is sent.

        Args:
            job_id: The id of the job.
            workers: As for :meth:`query`.

        Raises:
            ValueError, TypeError: The id is malformed, or ``workers`` is no number.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/query-get-one-job.html

        Example:
            >>> job = sf.bulk.query("SELECT Name FROM Account")
            >>> list(sf.bulk.query_job(job.id).rows())
            [{'Name': 'Acme'}]
        """
        return QueryJob(self._session, job_id, workers=workers)

    def _start(
        self,
        soql: str,
        include_deleted: bool,
        column_delimiter: ColumnDelimiter,
        line_ending: LineEnding,
        workers: int,
        timeout: Seconds,
    ) -> QueryJob:
        check_count("workers", workers)
        job = self.create_query_job(
            soql,
            include_deleted=include_deleted,
            column_delimiter=column_delimiter,
            line_ending=line_ending,
            timeout=timeout,
        )
        job.workers = workers
        return job
