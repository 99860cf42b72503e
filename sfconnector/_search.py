"""Searches: SOSL, and a text with options."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, overload

import requests
from sfconnector_generated.client import Request

from sfconnector._call import send
from sfconnector._names import check_name, check_path, check_text
from sfconnector._records import RecordClass
from sfconnector._results import CallOptions, header
from sfconnector._session import Seconds, Session
from sfconnector.errors import InvalidResponseError

if TYPE_CHECKING:
    from sfconnector_generated.rest.models import TextSearchIn, TextSearchObject

T = TypeVar("T")

# Before this version an answer was a bare list.
# https://releasenotes.docs.salesforce.com/en-us/summer16/release-notes/rn_api_rest.htm
_WRAPPED_FROM: Final = 37.0
Record = dict[str, Any]


class Search(Generic[T]):
    """The records that a search finds, found lazily.

    Iterating searches and walks over what was found, in Salesforce's order; iterating again searches again. An
    answer comes in one piece, with 2,000 records at most.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_limits.htm
    """

    def __init__(
        self, session: Session, request: Request, record_class: RecordClass[T] | None, timeout: Seconds
    ) -> None:
        self._session = session
        self._request = request
        self._class = record_class
        self._timeout = timeout

    def __iter__(self) -> Iterator[T]:
        response = send(self._session, self._request, timeout=self._timeout)
        data = self._session.decode(response)
        if isinstance(data, list) and float(self._session.api_version) < _WRAPPED_FROM:
            data = {"searchRecords": data}
        records = _records(data, response)
        if self._class is None:
            yield from records  # type: ignore[misc]  # without a class of the caller's, T is the dict itself
            return
        decode: Callable[[Mapping[str, Any]], T] = self._class.decoder()
        for record in records:
            match record:
                case {"attributes": {"type": str(found)}} if found != self._class.sobject:
                    raise ValueError(
                        f"the search found a record of {found}, which is no {self._class.sobject}: name the object in "
                        "RETURNING, or leave into= out"
                    )
            yield decode(record)

    def __repr__(self) -> str:
        # What is searched for may be personal data.
        return f"<Search {self._request.operation}>"


class Searches:
    """The part of a client that searches."""

    _session: Session

    @overload
    def search(
        self, sosl: str, *, call_options: CallOptions | None = None, timeout: Seconds = None
    ) -> Search[Record]: ...
    @overload
    def search(
        self, sosl: str, *, into: type[T], call_options: CallOptions | None = None, timeout: Seconds = None
    ) -> Search[T]: ...
    def search(
        self,
        sosl: str,
        *,
        into: type[T] | None = None,
        call_options: CallOptions | None = None,
        timeout: Seconds = None,
    ) -> Search[Record] | Search[T]:
        """Search with SOSL; nothing is sent before the first record is asked for.

        Args:
            sosl: The search; :func:`sosl` puts values into it.
            into: An attrs class or dataclass whose instances the records become; the search must find records of
                its object only, with the fields that the class has.
            call_options: The caller's name and default namespace.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The search is blank, or an argument cannot be right.
            ApiError: While iterating: Salesforce refused the search.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_search.htm

        Example:
            >>> [account["Name"] for account in sf.search("FIND {Acme} IN NAME FIELDS RETURNING Account(Name)")]
            ['Acme']
        """
        from sfconnector_generated.rest.api.search import search

        request = search.build(q=check_text("a search", sosl), sforce_call_options=header(call_options, CallOptions))
        return Search(self._session, request, None if into is None else RecordClass.of(into), timeout)

    def search_text(
        self,
        text: str,
        *,
        sobjects: Iterable[str | TextSearchObject] = (),
        fields: Iterable[str] = (),
        scope: TextSearchIn | None = None,
        literal: bool = False,
        limit: int | None = None,
        limit_per_object: int | None = None,
        offset: int | None = None,
        spell_correction: bool | None = None,
        timeout: Seconds = None,
    ) -> Search[Record]:
        """Search for a text without SOSL; nothing is sent before the first record is asked for.

        Args:
            text: What to look for; wildcards and operators are those of SOSL.
            sobjects: The objects to search, by default all: API names, or a ``TextSearchObject`` of
                ``sfconnector_generated.rest.models`` with fields, conditions, order and limit of its own.
            fields: The fields to return of each object; by default the ids alone.
            scope: Which fields to look into: ``"ALL"``, ``"NAME"``, ``"EMAIL"``, ``"PHONE"`` or ``"SIDEBAR"``.
            literal: Let wildcards, operators and other reserved characters stand for themselves.
            limit: How many records to find at most, up to 2,000.
            limit_per_object: How many records of each object to find at most, up to 2,000.
            offset: How many records to skip, up to 2,000; with one object only.
            spell_correction: ``False`` searches for the text exactly as it is written.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The text is blank, or an argument cannot be right.
            ApiError: While iterating: Salesforce refused the search.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_search_parameterized_post.htm

        Example:
            >>> [account["Name"] for account in sf.search_text("Acme", sobjects=["Account"], fields=["Name"])]
            ['Acme']
        """
        from sfconnector_generated.rest import models
        from sfconnector_generated.rest.api.search import search_text_by_body
        from sfconnector_generated.types import UNSET

        from sfconnector._sosl import words

        text = check_text("the text to search for", text)
        body = models.TextSearch(
            q=words(text) if literal else text,
            sobjects=[_searched(each) for each in _several("sobjects", sobjects)] or UNSET,
            fields=[check_path("a field", each) for each in _several("fields", fields)] or UNSET,
            in_=UNSET if scope is None else check_text("scope", scope),
            overall_limit=_number("limit", limit, 1),
            default_limit=_number("limit_per_object", limit_per_object, 1),
            offset=_number("offset", offset, 0),
            spell_correction=UNSET if spell_correction is None else spell_correction,
        )
        return Search(self._session, search_text_by_body.build(body=body), None, timeout)


def _records(data: Any, response: requests.Response) -> list[Record]:
    match data:
        case {"searchRecords": [*records]} if {*map(type, records)} <= {dict}:
            return records
        case _:
            raise InvalidResponseError(response, "the answer is not what a search finds")


def _several(name: str, values: Iterable[T]) -> Iterable[T]:
    if isinstance(values, str):
        raise TypeError(f"{name} is a list: give [{values!r}] instead of {values!r}")
    return values


def _searched(sobject: str | TextSearchObject) -> TextSearchObject:
    from sfconnector_generated.rest.models import TextSearchObject

    if isinstance(sobject, TextSearchObject):
        return sobject
    return TextSearchObject(name=check_name("the object", sobject))


def _number(name: str, value: object, least: int) -> Any:
    from sfconnector_generated.types import UNSET

    if value is None:
        return UNSET
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 2_000:
        raise ValueError(f"{name} is a whole number from {least} to 2,000, not {value!r}")
    return value
