"""Queries whose pages come as they are needed, the next one while the caller works on this one."""

from __future__ import annotations

import contextvars
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Generic, NamedTuple, TypeVar

import requests
from sfconnector_generated.client import Request

from sfconnector._session import Session
from sfconnector._urls import target_on
from sfconnector.errors import InvalidResponseError

T = TypeVar("T")

# Salesforce writes the locator before the records, so the next page can be asked for before this one,
# which is a thousand times as long, is decoded. JSON may write the locator in other ways; then it waits for that.
_LOCATOR: Final = re.compile(
    rb'\s*\{\s*"totalSize"\s*:\s*\d+\s*,\s*"done"\s*:\s*false\s*,\s*"nextRecordsUrl"\s*:\s*"([!#-\[\]-~]+)"'
)
_SUBQUERY: Final = re.compile(r"\(\s*SELECT\b", re.IGNORECASE)


class _Page(NamedTuple):
    total_size: int
    records: list[dict[str, Any]]
    next_url: str | None

    @classmethod
    def parse(cls, data: Any, response: requests.Response) -> _Page:
        match data:
            case {"totalSize": int(size), "done": True, "records": [*records]}:
                page = cls(size, records, None)
            case {"totalSize": int(size), "done": False, "nextRecordsUrl": str(url), "records": [*records]}:
                page = cls(size, records, url)
            case _:
                raise InvalidResponseError(response, "the answer is not a page of a query with all that belongs to it")
        if not {*map(type, page.records)} <= {dict}:
            raise InvalidResponseError(response, "the answer is not a page of a query: not all its records are objects")
        return page


class _Ahead:
    """A request under way on a thread of its own."""

    def __init__(self, send: Callable[[], requests.Response]) -> None:
        self._outcome: requests.Response | BaseException
        # The caller's context goes along, for hooks that trace by it. A daemon thread, because a caller who
        # stops in the middle must not wait for a page that nobody reads.
        run = contextvars.copy_context().run
        self._thread = threading.Thread(target=run, args=(self._run, send), name="sfconnector-read-ahead", daemon=True)
        self._thread.start()

    def _run(self, send: Callable[[], requests.Response]) -> None:
        try:
            self._outcome = send()
        except BaseException as error:  # handed over to the thread that waits for the page
            self._outcome = error

    def result(self) -> requests.Response:
        self._thread.join()
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome


class Query(Generic[T]):
    """The records of one SOQL query, fetched lazily.

    Iterating runs the query and walks over all its pages; the next page is fetched while the caller works
    on the records of this one. Child relationships are complete: where Salesforce sends only their first
    records, the rest is fetched before the parent record is handed out. Iterating again runs the query again.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm
    """

    def __init__(
        self, session: Session, request: Request, soql: str, decode: Callable[[Mapping[str, Any]], T] | None
    ) -> None:
        self._session = session
        self._request = request
        self._soql = soql
        self._decode = decode
        self._nested = _SUBQUERY.search(soql) is not None
        self._first: requests.Response | None = None

    @property
    def total_size(self) -> int:
        """How many records the query has in all, as Salesforce counted them; asks for the first page if need be."""
        if self._first is None:
            self._first = self._send(self._request)
        return _Page.parse(self._session.decode(self._first), self._first).total_size

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page

    def pages(self) -> Iterator[list[T]]:
        """Walk over the records a page at a time; a page holds at most ``batch_size`` of them and may hold fewer."""
        first, self._first = self._first, None
        for records in self._follow(first or self._send(self._request)):
            if self._decode is None:
                yield records  # type: ignore[misc]  # without a class of the caller's, T is the dict itself
            else:
                yield [self._decode(record) for record in records]

    def _follow(self, response: requests.Response) -> Iterator[list[dict[str, Any]]]:
        seen: set[str] = set()
        while True:
            peeked = _LOCATOR.match(response.content)
            ahead = self._ask_for(peeked[1].decode(), seen, response) if peeked else None
            page = _Page.parse(self._session.decode(response), response)
            if page.next_url is not None and ahead is None:
                ahead = self._ask_for(page.next_url, seen, response)
            if self._nested:
                for record in page.records:
                    self._complete(record, response)
            del response  # the page's bytes need not stay while its records are worked on
            yield page.records
            if ahead is None:
                return
            response = ahead.result()

    def _ask_for(self, url: str, seen: set[str], response: requests.Response) -> _Ahead:
        if url in seen:
            raise InvalidResponseError(response, "the answer names a page that was fetched before as the next one")
        try:
            target_on(self._session.instance_url, url)
        except ValueError as error:
            raise InvalidResponseError(
                response, f"the answer names no page of this org as the next one: {error}"
            ) from None
        seen.add(url)
        return _Ahead(lambda: self._session.request("GET", url))

    def _send(self, request: Request) -> requests.Response:
        response = self._session.send(request)
        self._session.check(response)
        return response

    def _complete(self, record: dict[str, Any], response: requests.Response) -> None:
        for value in record.values():
            if not isinstance(value, dict):
                continue
            if "records" in value and "done" in value:
                self._complete_children(value, response)
            else:
                self._complete(value, response)

    def _complete_children(self, children: dict[str, Any], response: requests.Response) -> None:
        page = _Page.parse(children, response)
        for child in page.records:
            self._complete(child, response)
        if page.next_url is not None:
            rest = self._ask_for(page.next_url, set(), response).result()
            for records in self._follow(rest):
                page.records.extend(records)
            del children["nextRecordsUrl"]
            children.update(done=True, records=page.records)

    def __repr__(self) -> str:
        # The text of a query may hold personal data in its literals.
        return f"<Query {self._request.operation} of {len(self._soql)} characters>"
