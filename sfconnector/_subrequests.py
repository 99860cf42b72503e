"""Requests that go out together: how they are put together, and how one refers to the answer of another."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar, overload
from urllib.parse import unquote

import attrs
from sfconnector_generated.client import Request
from sfconnector_generated.errors import ParseError
from sfconnector_generated.rest.api.query import query
from sfconnector_generated.rest.api.sobjects import (
    create_record,
    delete_record,
    delete_record_by_external_id,
    get_record,
    get_record_by_external_id,
    update_record,
    upsert_record,
)
from sfconnector_generated.types import UNSET

from sfconnector._names import check_id, check_name, check_path, external_id_value
from sfconnector._records import Purpose, RecordClass, encode, without_key
from sfconnector._results import SaveResult, UpsertResult

if TYPE_CHECKING:
    from sfconnector_generated.rest import models

T = TypeVar("T")
Record = dict[str, Any]

# https://developer.salesforce.com/docs/platform/api-rest/guide/requests-composite.html
_REFERENCE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]*")
_REFERENCE: Final = re.compile(r"@\{(.*?)\}", re.DOTALL)
_QUOTED_REFERENCE: Final = re.compile(r"%40%7B(.*?)%7D")
_DATA_API: Final = "/services/data/v{version}"


class Reference(str):
    """A place in an answer that is still to come; stands for its value in later subrequests of the same call."""

    owner: object

    @classmethod
    def to(cls, owner: object, text: str) -> Self:
        """Make the reference to a place in an answer to one of the owner's subrequests."""
        reference = cls(f"@{{{text}}}")
        reference.owner = owner
        return reference


@attrs.frozen(eq=False)
class Subrequest(Generic[T]):
    """One of several requests that go out together, and the key to its answer.

    Attributes:
        reference_id: Its name within the call.
        request: What is asked.
        depth: How many subrequests, itself included, lead to it by references.
    """

    reference_id: str
    request: Request
    depth: int
    url: str = attrs.field(repr=False)
    body: Any = attrs.field(repr=False)
    parse: Callable[[Any], T] = attrs.field(repr=False)
    _owner: Subrequests = attrs.field(repr=False)

    @property
    def id(self) -> Reference:
        """Stands for the id of the record that this subrequest creates or upserts."""
        return self.at("id")

    def at(self, *path: str | int) -> Reference:
        """Stand for any other place in the answer.

        Args:
            *path: Names of keys and positions in lists, such as ``at("records", 0, "Id")`` in a query's answer.

        Raises:
            ValueError: The path is empty or malformed, or subrequests of this kind cannot refer to each other.
        """
        if not self._owner.referable:
            raise ValueError("the requests of a batch cannot refer to each other: use sf.composite.request()")
        if not path:
            raise ValueError("name the key that is meant, as in at('Name')")
        text = self.reference_id
        for step in path:
            if isinstance(step, int) and not isinstance(step, bool) and step >= 0:
                text += f"[{step}]"
            else:
                text += f".{check_name('a key', step)}"
        return Reference.to(self._owner, text)


def check_reference_id(what: str, name: object) -> str:
    """Refuse what cannot name a subrequest or a graph."""
    if not isinstance(name, str):
        raise TypeError(f"{what} is a text, not a {type(name).__name__}")
    if _REFERENCE_ID.fullmatch(name) is None:
        raise ValueError(f"{what} {name!r} is not made of letters, digits and underscores, the last not first")
    return name


class Subrequests:
    """What batches, composite requests and graphs have in common: a list of requests, put together by verbs.

    Each verb is that of :class:`SObject`, with the object before its arguments: its API name, or a class whose
    instances the records are. Nothing is sent yet. What a verb returns is the key to the answer and, as
    ``.id`` or ``.at(…)``, stands in later subrequests for what Salesforce will have answered.
    """

    referable: bool = True
    limit: int

    def __init__(self, version: str) -> None:
        self._version = version
        self._subrequests: dict[str, Subrequest[Any]] = {}

    def __len__(self) -> int:
        return len(self._subrequests)

    def __iter__(self) -> Iterator[Subrequest[Any]]:
        return iter(self._subrequests.values())

    def create(
        self, sobject: str | type[object], record: Mapping[str, Any] | object, *, reference_id: str | None = None
    ) -> Subrequest[SaveResult]:
        """Create a record; its answer is a :class:`SaveResult`."""
        name, record_class = _target(sobject)
        body, depth = self._encode(name, record_class, record, purpose="create")
        return self._append(create_record.build(name, body=body), _saved, reference_id, depth)

    @overload
    def get(
        self,
        sobject: str,
        record_id: str,
        fields: Iterable[str] | None = None,
        *,
        reference_id: str | None = None,
    ) -> Subrequest[Record]: ...
    @overload
    def get(
        self,
        sobject: type[T],
        record_id: str,
        fields: Iterable[str] | None = None,
        *,
        reference_id: str | None = None,
    ) -> Subrequest[T]: ...
    def get(
        self,
        sobject: str | type[T],
        record_id: str,
        fields: Iterable[str] | None = None,
        *,
        reference_id: str | None = None,
    ) -> Subrequest[Record] | Subrequest[T]:
        """Read a record by its id; its answer is the record."""
        name, record_class = _target(sobject)
        request = get_record.build(name, self._id(record_id), fields=_fields(fields, record_class))
        return self._append(request, _reader(record_class), reference_id)

    @overload
    def get_by_external_id(
        self,
        sobject: str,
        field: str,
        value: str | int,
        fields: Iterable[str] | None = None,
        *,
        reference_id: str | None = None,
    ) -> Subrequest[Record]: ...
    @overload
    def get_by_external_id(
        self,
        sobject: type[T],
        field: str,
        value: str | int,
        fields: Iterable[str] | None = None,
        *,
        reference_id: str | None = None,
    ) -> Subrequest[T]: ...
    def get_by_external_id(
        self,
        sobject: str | type[T],
        field: str,
        value: str | int,
        fields: Iterable[str] | None = None,
        *,
        reference_id: str | None = None,
    ) -> Subrequest[Record] | Subrequest[T]:
        """Read a record by the value of an external-id field; its answer is the record."""
        name, record_class = _target(sobject)
        key = check_name("the external-id field", field)
        request = get_record_by_external_id.build(
            name, key, external_id_value(value), fields=_fields(fields, record_class)
        )
        return self._append(request, _reader(record_class), reference_id)

    def update(
        self,
        sobject: str | type[object],
        record_id: str,
        record: Mapping[str, Any] | object,
        *,
        reference_id: str | None = None,
    ) -> Subrequest[None]:
        """Change fields of a record; its answer is ``None``."""
        name, record_class = _target(sobject)
        body, depth = self._encode(name, record_class, record, purpose="update")
        return self._append(update_record.build(name, self._id(record_id), body=body), _nothing, reference_id, depth)

    def upsert(
        self,
        sobject: str | type[object],
        field: str,
        value: str | int,
        record: Mapping[str, Any] | object,
        *,
        reference_id: str | None = None,
    ) -> Subrequest[UpsertResult]:
        """Create a record, or change the one that has the external id; its answer is an :class:`UpsertResult`."""
        name, record_class = _target(sobject)
        field, key = check_name("the external-id field", field), external_id_value(value)
        body, depth = self._encode(name, record_class, record, purpose="upsert", empty=True)
        request = upsert_record.build(name, field, key, body=without_key(body, field, key))
        return self._append(request, _upserted, reference_id, depth)

    def delete(
        self, sobject: str | type[object], record_id: str, *, reference_id: str | None = None
    ) -> Subrequest[None]:
        """Move a record to the recycle bin; its answer is ``None``."""
        name, _ = _target(sobject)
        return self._append(delete_record.build(name, self._id(record_id)), _nothing, reference_id)

    def delete_by_external_id(
        self, sobject: str | type[object], field: str, value: str | int, *, reference_id: str | None = None
    ) -> Subrequest[None]:
        """Move the record that has an external id to the recycle bin; its answer is ``None``."""
        name, _ = _target(sobject)
        key = check_name("the external-id field", field)
        request = delete_record_by_external_id.build(name, key, external_id_value(value))
        return self._append(request, _nothing, reference_id)

    def query(self, soql: str, *, reference_id: str | None = None) -> Subrequest[models.QueryResult]:
        """Query records; its answer is the first page, whose ``next_records_url`` tells whether there are more.

        A reference goes into the query by :func:`soql`, as any other text does.
        """
        if not isinstance(soql, str):
            raise TypeError(f"a query is a text, not a {type(soql).__name__}")
        if not soql.strip():
            raise ValueError("the query is blank")
        return self._append(query.build(q=soql), query.parse, reference_id)

    @overload
    def add(self, request: Request, *, reference_id: str | None = None) -> Subrequest[Any]: ...
    @overload
    def add(self, request: Request, parse: Callable[[Any], T], *, reference_id: str | None = None) -> Subrequest[T]: ...
    def add(
        self, request: Request, parse: Callable[[Any], T] | None = None, *, reference_id: str | None = None
    ) -> Subrequest[T] | Subrequest[Any]:
        """Add what any generated operation has built, such as ``get_limits.build()``.

        Args:
            request: The request.
            parse: The same operation's ``parse``; without it the answer is the decoded JSON.
            reference_id: The subrequest's name within the call; letters, digits and underscores.

        Raises:
            ValueError, TypeError: The request is not one of the data API, or the call is full.
        """
        if not isinstance(request, Request):
            raise TypeError(f"an operation's build() makes the request; a {type(request).__name__} is none")
        depth = 0 if request.json is UNSET else self._check_references(request.json)
        return self._append(request, parse or (lambda body: body), reference_id, depth)

    def _append(
        self, request: Request, parse: Callable[[Any], T], reference_id: str | None, depth: int = 0
    ) -> Subrequest[T]:
        if request.server != _DATA_API:
            raise ValueError(f"{request.operation} is no resource of the data API, so it cannot be a subrequest")
        if request.content is not None:
            raise ValueError(f"{request.operation} has a body that is not JSON, so it cannot be a subrequest")
        if len(self) >= self.limit:
            raise ValueError(f"a call takes {self.limit} subrequests at most: send these and begin another")
        name = self._reference_id(reference_id)
        url, deepest = self._url(request)
        body = None if request.json is UNSET else request.json
        subrequest = Subrequest(name, request, max(depth, deepest) + 1, url, body, parse, self)
        self._check(subrequest)
        self._subrequests[name] = subrequest
        return subrequest

    def _check(self, subrequest: Subrequest[Any]) -> None:
        """Refuse what this kind of call cannot hold."""

    def _reference_id(self, given: str | None) -> str:
        if given is None:
            return next(
                name for number in range(len(self) + 1, 1_000) if (name := f"r{number}") not in self._subrequests
            )
        check_reference_id("reference_id", given)
        if given in self._subrequests:
            raise ValueError(f"reference_id {given!r} is taken by another subrequest of this call")
        return given

    def _url(self, request: Request) -> tuple[str, int]:
        """Give the URL, in which references stand as Salesforce looks for them, and how deep these lead."""
        deepest = 0

        def restore(match: re.Match[str]) -> str:
            nonlocal deepest
            text = unquote(match[1])
            deepest = max(deepest, self._depth_of(text))
            return f"@{{{text}}}"

        return _QUOTED_REFERENCE.sub(restore, request.target(self._version)), deepest

    def _depth_of(self, text: str) -> int:
        name = re.split(r"[.\[]", text, maxsplit=1)[0]
        if not self.referable or name not in self._subrequests:
            raise ValueError(
                f"@{{{name}…}} refers to no earlier subrequest of this call; "
                "Salesforce would take any text of this form for a reference"
            )
        return self._subrequests[name].depth

    def _check_references(self, value: object) -> int:
        """Find the references in what goes out as a body, and tell how deep they lead."""
        match value:
            case Reference():
                if value.owner is not self:
                    raise ValueError(f"{value} belongs to another call")
                return self._depth_of(value[2:-1])
            case str():
                if self.referable and _REFERENCE.search(value):
                    raise ValueError(
                        "a text holds @{…}, which Salesforce would take for a reference, and it knows no escape: "
                        "save the record by a call of its own"
                    )
                return 0
            case Mapping():
                return max(map(self._check_references, value.values()), default=0)
            case list() | tuple():
                return max(map(self._check_references, value), default=0)
            case _:
                return 0

    def _encode(
        self,
        name: str,
        record_class: RecordClass[Any] | None,
        record: object,
        *,
        purpose: Purpose,
        empty: bool = False,
    ) -> tuple[Record, int]:
        if record_class is not None and isinstance(record, record_class.cls):
            depth = max(
                (self._check_references(getattr(record, each)) for each, _ in record_class.attributes), default=0
            )
            body = record_class.encode(record, purpose=purpose)
        else:
            depth = self._check_references(record)
            body = encode(record)
        if not body and not empty:
            raise ValueError(f"the {name} record is empty")
        return body, depth

    def _id(self, record_id: str) -> str:
        if isinstance(record_id, Reference):
            self._check_references(record_id)
            return record_id
        return check_id(record_id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)} subrequests>"


def _target(sobject: str | type[T]) -> tuple[str, RecordClass[T] | None]:
    if isinstance(sobject, str):
        return check_name("the object", sobject), None
    record_class = RecordClass.of(sobject)
    return record_class.sobject, record_class


def _fields(fields: Iterable[str] | None, record_class: RecordClass[Any] | None) -> list[str] | None:
    if isinstance(fields, str):
        raise TypeError(f"fields is a list of names: give [{fields!r}] instead of {fields!r}")
    names = fields if fields is not None else None if record_class is None else record_class.fields
    return None if names is None else [check_path("a field", name) for name in names]


def _reader(record_class: RecordClass[Any] | None) -> Callable[[Any], Any]:
    return (lambda body: body) if record_class is None else record_class.decoder()


def _saved(body: Any) -> SaveResult:
    if not (record_id := create_record.parse(body).id):
        raise ParseError("the answer lacks the id of the new record")
    return SaveResult(record_id)


def _upserted(body: Any) -> UpsertResult:
    saved = None if body is None else upsert_record.parse(body)
    return UpsertResult(None, created=False) if saved is None else UpsertResult(saved.id or None, bool(saved.created))


def _nothing(_: Any) -> None:
    return None
