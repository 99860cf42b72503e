"""The calls of Bulk API 2.0, one request each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from sfconnector_generated.bulk_v2.api.ingest import list_ingest_jobs
from sfconnector_generated.bulk_v2.api.query import list_query_jobs
from sfconnector_generated.client import Request

from sfconnector._call import read, send
from sfconnector._session import Seconds, Session
from sfconnector.errors import InvalidResponseError

if TYPE_CHECKING:
    from sfconnector_generated.bulk_v2.models import JobInfo


class Calls:
    """The calls of :class:`sfconnector._bulk.bulk.Bulk`.

    Args:
        session: Sends the requests.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

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
            >>> [job.state for job in sf.bulk.ingest_jobs(job_type="V2Ingest")]
            []
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
            >>> [job.state for job in sf.bulk.query_jobs()]
            []
        """
        return self._jobs(lambda locator: list_query_jobs.build(job_type=job_type, query_locator=locator), timeout)

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
