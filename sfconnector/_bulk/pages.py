"""The pages of a query job's results: one after the other or several at a time, each row once, none missing."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from functools import partial
from itertools import chain
from typing import IO, TYPE_CHECKING, Final

import attrs
from sfconnector_generated.bulk_v2.api.query import get_query_results, list_result_pages
from sfconnector_generated.client import Request

from sfconnector._ahead import Ahead, in_order
from sfconnector._bulk.download import Answer, Download
from sfconnector._call import read, send
from sfconnector._csv.dialect import Dialect
from sfconnector._csv.read import Rows
from sfconnector._download import begin_anew
from sfconnector._redact import logger
from sfconnector._session import Seconds, Session
from sfconnector._urls import target_on
from sfconnector.errors import ApiError, InvalidResponseError, TransportError

if TYPE_CHECKING:
    from sfconnector_generated.bulk_v2.models import JobInfo

_CHUNK: Final = 1 << 16
# In bytes. A query has no more than 100,000 characters, its columns included.
# https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_soslsoql.htm
_LONGEST_HEADER: Final = 1 << 20
_SERVER: Final = "/services/data/v{version}"
# What Salesforce writes where there is no further page.
# https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_get_job_results.htm
_NO_LOCATOR: Final = "null"
_STRIPPED: Final = "a proxy may have taken away the headers that begin with Sforce-"


def versioned(request: Request, version: str) -> Request:
    """Make a request of an API version of its own."""
    return attrs.evolve(request, server=request.server.replace("{version}", version))


def dialect_of(info: JobInfo) -> Dialect:
    """Give the form of a job's CSV."""
    delimiter, ending = info.column_delimiter or "COMMA", info.line_ending or "LF"
    return Dialect(delimiter, ending)  # type: ignore[arg-type]  # one that Salesforce adds is refused


class Page:
    """One page of results, whose rows can be read once.

    Args:
        download: Its bytes.
        dialect: The form of its CSV.

    Attributes:
        header: The line with the columns and its ending; empty where there is nothing at all.
        columns: The columns.
        rows: How many rows it has, told by whoever has read them to the end.
    """

    def __init__(self, download: Download, dialect: Dialect) -> None:
        self._download, self._blocks = download, iter(download)
        self.dialect = dialect
        self.rows: int | None = None
        self.header = self._first = b""
        try:
            self._read_header()
            self.columns = Rows([self.header], dialect).columns
        except ValueError as error:
            raise self.invalid(str(error)) from None
        except BaseException:
            self.close()
            raise

    def _read_header(self) -> None:
        # No column has a name with a newline.
        for block in self._blocks:
            begin, newline, rest = block.partition(b"\n")
            self.header += begin + newline
            if newline:
                self._first = rest
                return
            if len(self.header) > _LONGEST_HEADER:
                raise ValueError("its first line, which has the columns, does not end")

    def blocks(self) -> Iterator[bytes]:
        """Give the rows, without the header, cut anywhere."""
        return chain([self._first] if self._first else [], self._blocks)

    def dicts(self) -> Iterator[dict[str, str]]:
        """Read the rows.

        Raises:
            InvalidResponseError: What came is no CSV.
        """
        try:
            rows = Rows(chain([self.header], self.blocks()), self.dialect)
            yield from rows.dicts()
        except ValueError as error:
            raise self.invalid(str(error)) from None
        self.rows = rows.count

    @property
    def announced(self) -> int | None:
        """How many rows there are by Salesforce's word."""
        value = self._download.headers.get("Sforce-NumberOfRecords", "")
        return int(value) if value.isdecimal() and value.isascii() else None

    def next_locator(self, *, is_last: bool = False) -> str | None:
        """Give where the next page is, if there is one.

        Args:
            is_last: Whether there can be none.

        Raises:
            InvalidResponseError: It is not told.
        """
        locator = self._download.headers.get("Sforce-Locator", "")
        if locator:
            return None if locator == _NO_LOCATOR else locator
        if is_last:
            return None
        raise self.invalid("header Sforce-Locator is missing, which tells whether more rows follow", _STRIPPED)

    def end(self) -> int:
        """Give the number of rows, once it is certain that all came.

        Raises:
            InvalidResponseError: It is not the number that Salesforce announced.
        """
        rows = self.rows or 0
        if self.announced not in {None, rows}:
            raise self.invalid(f"{self.announced:,} rows were announced, and {rows:,} came")
        return rows

    def invalid(self, reason: str, hint: str = "") -> InvalidResponseError:
        """Make an error about it, and close it."""
        self.close()
        return self._download.answer.invalid(reason, hint)

    def close(self) -> None:
        """Give the connection back, or the file."""
        self._download.close()


class Walk:
    """One walk over all pages of a complete job, in their order; iterate it once.

    Each page is to be read to its end, and the number of its rows put down in ``rows``, before the next.

    Args:
        session: The client's session.
        info: The job.
        workers: How many pages may be on their way at the same time.
        timeout: Seconds instead of the client's own.

    Raises:
        ApiError: While iterating: Salesforce refused a page.
        TransportError: While iterating: a page did not come.
        InvalidResponseError: While iterating: rows are missing or too many, or the pages do not belong together.
    """

    def __init__(self, session: Session, info: JobInfo, workers: int, timeout: Seconds = None) -> None:
        self._session, self._job_id, self._workers, self._timeout = session, info.id, workers, timeout
        # With another than the job's own, Salesforce answers 409.
        self._version = f"{info.api_version:.1f}" if isinstance(info.api_version, float | int) else session.api_version
        total = info.number_records_processed
        self._total = total if isinstance(total, int) else None
        self._dialect = dialect_of(info)
        self._count = 0
        self._spools: set[Spool] = set()

    def __iter__(self) -> Generator[Page]:
        pages = self._one_by_one(None) if self._workers == 1 else self._side_by_side()
        page, columns = None, None
        with closing(pages):
            for page in pages:
                with closing(page):
                    columns = page.columns if columns is None else columns
                    if page.columns != columns:
                        raise page.invalid("its columns are others than those of the page before")
                    yield page
                self._count += page.end()
        if page is not None and self._total not in {None, self._count}:
            raise page.invalid(
                f"{self._count:,} rows came in all, and the job has {self._total:,}",
                "read the results once more, and if they stay so, run the query again",
            )

    def _one_by_one(self, page: Page | None) -> Generator[Page]:
        """Walk from page to page; begin with the first one, or after the one given."""
        locator = None if page is None else page.next_locator(is_last=self._count == self._total)
        seen = {locator}
        while page is None or locator is not None:
            page = self._page(versioned(get_query_results.build(self._job_id, locator=locator), self._version))
            yield page
            locator = page.next_locator(is_last=self._count == self._total)
            if locator is not None and locator in seen:
                raise page.invalid("the answer names a page that was read before as the next one")
            seen.add(locator)

    def _side_by_side(self) -> Generator[Page]:
        """Walk over the pages that Salesforce lists, several of them on their way while the list goes on."""
        page, complete, stopped = None, False, threading.Event()
        listing = self._list()
        calls = (partial(self._spool, request, stopped) for request in listing)
        try:
            with closing(listing), closing(in_order(calls, self._workers, stop=stopped.set)) as spools:
                for request, spool in spools:
                    page = self._page(request, spool)
                    yield page
                    self._spools.discard(spool)
            # A list that ends too early is carried on from its last page.
            complete = page is not None and (self._count == self._total or page.next_locator(is_last=True) is None)
        except _NoListError as error:
            logger.info("job %s: pages one after the other, since they are not listed: %s", self._job_id, error)
        finally:
            for spool in self._spools:
                spool.close()
        if not complete:
            yield from self._one_by_one(page)

    def _page(self, request: Request, answer: Answer | None = None) -> Page:
        return Page(Download(self._session, request, timeout=self._timeout, answer=answer), self._dialect)

    def _list(self) -> Generator[Request]:
        """Give the requests for the pages, the next part of the list on its way while these are worked on.

        Raises:
            _NoListError: There is no such list, or it makes no sense.
        """
        seen: set[str] = set()

        def ask(request: Request) -> Ahead[tuple[list[Request], Request | None]]:
            return Ahead(partial(self._list_part, request, seen)).start()

        ahead = ask(versioned(list_result_pages.build(self._job_id), self._version))
        try:
            while True:
                requests, following = ahead.result()
                if following is not None:
                    ahead = ask(following)
                yield from requests
                if following is None:
                    return
        finally:
            ahead.join()

    def _list_part(self, request: Request, seen: set[str]) -> tuple[list[Request], Request | None]:
        try:
            response = send(self._session, request, timeout=self._timeout)
            part = read(self._session, response, list_result_pages.parse)
        except ApiError as error:
            raise _NoListError(str(error)) from error
        # The documentation's table and its example name both in different ways.
        # https://developer.salesforce.com/docs/platform/api-asynch/guide/query-get-parallel-job-results.html
        pages = [
            self._listed("get_query_results", page.result_url or page.result_link, seen)
            for page in part.result_pages or ()
        ]
        following = part.next_records_url or part.next_record_url
        if part.done is True or (not isinstance(part.done, bool) and not following):
            return pages, None
        return pages, self._listed("list_result_pages", following, seen)

    def _listed(self, operation: str, url: object, seen: set[str]) -> Request:
        """Make the request for a URL of the list."""
        if not isinstance(url, str) or url in seen:
            raise _NoListError("a URL is missing, or there twice")
        try:
            target = target_on(self._session.instance_url, url)
        except ValueError as error:
            raise _NoListError(str(error)) from error
        seen.add(url)
        return Request(operation=operation, method="GET", server="", path=target, idempotent=True)

    def _spool(self, request: Request, stopped: threading.Event) -> tuple[Request, Spool]:
        """Fetch a page into a file; called in a thread of its own."""
        attempt = 1
        while True:
            spool = Spool(self._session, request, self._timeout)
            self._spools.add(spool)
            try:
                spool.fill(stopped)
                return request, spool
            except TransportError as error:
                spool.close()
                if stopped.is_set() or not begin_anew(self._session, request.operation, error, attempt):
                    raise
            attempt += 1


class Spool(Answer):
    """An answer whose body is put into a temporary file, as it is on the wire."""

    _file: IO[bytes] | None = None

    def fill(self, stopped: threading.Event) -> None:
        """Fetch all of it, unless it is not wanted any more.

        Raises:
            TransportError: Not all of it came.
        """
        file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close()
        self._file = file
        while not stopped.is_set() and (piece := super().read()):
            file.write(piece)
        super().close()
        file.seek(0)

    def read(self) -> bytes:
        return super().read() if self._file is None else self._file.read(_CHUNK)

    def close(self) -> None:
        super().close()
        if self._file is not None:
            self._file.close()


class _NoListError(Exception):
    """The pages are not listed, or not all of them."""
