"""The pages of a query, one after the other or several at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any, Final, NamedTuple

import requests

from sfconnector._ahead import Ahead, in_order
from sfconnector._session import Session
from sfconnector._urls import target_on
from sfconnector.errors import ApiError, InvalidResponseError

Records = list[dict[str, Any]]

# Salesforce writes the locator before the records, so the next page can be asked for before this one,
# which is a thousand times as long, is decoded. JSON may write the locator in other ways; then it waits for that.
_LOCATOR: Final = re.compile(
    rb'\s*\{\s*"totalSize"\s*:\s*\d+\s*,\s*"done"\s*:\s*false\s*,\s*"nextRecordsUrl"\s*:\s*"([!#-\[\]-~]+)"'
)
# A locator ends with the number of records before the page.
_OFFSET: Final = re.compile(r"(.*-)(\d{1,9})")


class Page(NamedTuple):
    """One page of records, and where the next one is."""

    total_size: int
    records: Records
    next_url: str | None

    @classmethod
    def parse(cls, data: Any, response: requests.Response) -> Page:
        """Read a page.

        Raises:
            InvalidResponseError: It is none, or lacks something.
        """
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


class _Expected(NamedTuple):
    """A page as it has to be, if all pages are as large as the first."""

    url: str
    page: tuple[int, int, str | None]


class Pages:
    """Walks over the pages of one query.

    Args:
        session: The client's session.
        nested: Whether records may have children of their own.
    """

    def __init__(self, session: Session, *, nested: bool) -> None:
        self._session = session
        self._nested = nested

    def follow(self, response: requests.Response) -> Iterator[Records]:
        """Walk from page to page, the next one under way while the caller works on this one."""
        seen: set[str] = set()
        while True:
            # Asking for the next page may end the cursors of this page's children, which therefore come first.
            # https://developer.salesforce.com/docs/atlas.en-us.238.0.api.meta/api/sforce_api_calls_querymore_querylocator.htm
            peeked = None if self._nested else _LOCATOR.match(response.content)
            ahead = self._ahead(peeked[1].decode(), seen, response) if peeked else None
            page = self._read(response)
            if page.next_url is not None and ahead is None:
                ahead = self._ahead(page.next_url, seen, response)
            del response  # the page's bytes need not stay while its records are worked on
            yield page.records
            if ahead is None:
                return
            response = ahead.result()

    def side_by_side(self, response: requests.Response, workers: int) -> Iterator[Records]:
        """Walk from page to page, several of them under way at the locators where they should be.

        A page that was asked for ahead of its turn is handed out only if it is what it should be, down to the
        locator that it names. Otherwise it is fetched anew in its turn, and all after it one after the other.
        """
        page = self._read(response)
        if page.next_url is not None:
            self._check_target(page.next_url, response)
        del response
        calls = (partial(self._guess, each) for each in _expected(page))
        with closing(in_order(calls, workers)) as guesses:
            yield page.records
            for expected, answer in guesses:
                guessed = None if answer is None else self._read_guess(answer, expected)
                del answer
                if guessed is None:
                    break
                page = guessed
                yield page.records
        if page.next_url is not None:
            yield from self.follow(self._session.request("GET", page.next_url))

    def _guess(self, expected: _Expected) -> tuple[tuple[int, int, str | None], requests.Response | None]:
        try:
            return expected.page, self._session.request("GET", expected.url)
        except ApiError:
            # Asked again in its turn, if there is such a page.
            return expected.page, None

    def _read_guess(self, answer: requests.Response, expected: tuple[int, int, str | None]) -> Page | None:
        try:
            page = self._read(answer)
        except InvalidResponseError:
            return None
        return page if (page.total_size, len(page.records), page.next_url) == expected else None

    def _ahead(self, url: str, seen: set[str], response: requests.Response) -> Ahead[requests.Response]:
        if url in seen:
            raise InvalidResponseError(response, "the answer names a page that was fetched before as the next one")
        self._check_target(url, response)
        seen.add(url)
        return Ahead(lambda: self._session.request("GET", url)).start()

    def _check_target(self, url: str, response: requests.Response) -> None:
        try:
            target_on(self._session.instance_url, url)
        except ValueError as error:
            raise InvalidResponseError(
                response, f"the answer names no page of this org as the next one: {error}"
            ) from None

    def _read(self, response: requests.Response) -> Page:
        page = Page.parse(self._session.decode(response), response)
        if self._nested:
            for record in page.records:
                self._complete(record, response)
        return page

    def _complete(self, record: dict[str, Any], response: requests.Response) -> None:
        for value in record.values():
            if not isinstance(value, dict):
                continue
            if "records" in value and "done" in value:
                self._complete_children(value, response)
            else:
                self._complete(value, response)

    def _complete_children(self, children: dict[str, Any], response: requests.Response) -> None:
        page = Page.parse(children, response)
        for child in page.records:
            self._complete(child, response)
        if page.next_url is not None:
            rest = self._ahead(page.next_url, set(), response).result()
            for records in self.follow(rest):
                page.records.extend(records)
            del children["nextRecordsUrl"]
            children.update(done=True, records=page.records)


def _expected(first: Page) -> Iterator[_Expected]:
    """Say which pages there have to be after the first one; none if its locator tells nothing."""
    match = _OFFSET.fullmatch(first.next_url or "")
    if match is None or match[2] != str(step := len(first.records)) or not step:
        return
    prefix, total = match[1], first.total_size
    for offset in range(step, total, step):
        after = offset + step
        page = (total, min(step, total - offset), f"{prefix}{after}" if after < total else None)
        yield _Expected(f"{prefix}{offset}", page)
