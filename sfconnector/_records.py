"""Records between Python and Salesforce: dicts as they are, or instances of a class that the caller gives."""

from __future__ import annotations

import math
import re
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from functools import cache
from typing import Any, ClassVar, Final, Generic, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

import attrs

from sfconnector._json import format_instant, format_time
from sfconnector._typed import UNSET, Writable

Purpose: TypeAlias = Literal["create", "update", "upsert"]
"""What a record is written for."""


class DataclassInstance(Protocol):
    """An instance of a dataclass, for type checkers."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


T = TypeVar("T")
R = TypeVar("R", bound="Mapping[str, Any] | attrs.AttrsInstance | DataclassInstance")
D = TypeVar("D", bound="str | Mapping[str, Any] | attrs.AttrsInstance | DataclassInstance")
_NAME: Final = re.compile(r"[A-Za-z]\w*", re.ASCII)
# What most values are; asking them one question, and not seven, is felt where a hundred thousand records go out.
_AS_IT_IS: Final = frozenset({str, int, bool, type(None)})
type_hints = cache(typing.get_type_hints)

_ALWAYS: Final = Writable(create=True, update=True)

# As dataclasses.is_dataclass looks for it; the module takes a millisecond to import.
_DATACLASS: Final = "__dataclass_fields__"

API_NAME = "api_name"
"""Key of a field's ``metadata`` that names the Salesforce field where the attribute cannot."""


def encode(record: object) -> dict[str, Any]:
    """Turn the record that a caller hands over into what goes out as JSON.

    Raises:
        TypeError: The record is not a mapping, or a value is of a type that JSON and Salesforce do not know.
        ValueError: A value has no JSON form: a naive datetime, a NaN, an infinity.
    """
    if not isinstance(record, Mapping):
        raise TypeError(f"a record is a dict of field names and values, not a {type(record).__name__}")
    for name in record:
        if not isinstance(name, str) or not name:
            raise TypeError(f"a field is named by a text, not by {name!r}")
    return {name: value if type(value) in _AS_IT_IS else _encode(name, value) for name, value in record.items()}


def _encode(name: str, value: object) -> Any:
    match value:
        case None | bool():
            return value
        # Subclasses, enums among them, are reduced to the value that they stand for.
        case str():
            return str.__str__(value)
        case int():
            return int(value)
        case float():
            if not math.isfinite(value):
                raise ValueError(f"{name}: JSON has no number for {value}")
            return float(value)
        case datetime():
            return format_instant(value, f"{name}: ")
        case date():
            return value.isoformat()
        case time():
            return format_time(value, f"{name}: ")
        case Mapping():
            return {key: _encode(f"{name}.{key}", item) for key, item in value.items()}
        case list() | tuple():
            return [_encode(name, item) for item in value]
        case _:
            return _decimal(name, value)


def _decimal(name: str, value: object) -> Any:
    # Only records that hold decimals pay for importing it.
    from decimal import Decimal

    if not isinstance(value, Decimal):
        raise TypeError(f"{name}: a {type(value).__name__} has no place in a record")
    if not value.is_finite():
        raise ValueError(f"{name}: JSON has no number for {value}")
    return value


def without_key(record: Mapping[str, Any], field: str, key: str) -> dict[str, Any]:
    """Leave out the external id under which a record is upserted.

    Salesforce refuses the field in the body, where a row of data usually has it.

    Raises:
        ValueError: The record holds another external id.
    """
    own = [name for name in record if name.lower() == field.lower()]
    for name in own:
        if str(record[name]) != key:
            raise ValueError(f"the record's own {name} is not the external id under which it is to be upserted")
    return {name: value for name, value in record.items() if name not in own}


class RecordClass(NamedTuple, Generic[T]):
    """What a caller's attrs class or dataclass says of its records.

    An attribute is a field of the same name, or of the name in its metadata ``api_name``. An attribute
    whose type is again such a class is a parent relationship, a list of such a class a child relationship.
    """

    cls: type[T]
    sobject: str
    fields: tuple[str, ...]
    relationships: tuple[str, ...]
    attributes: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, record_class: type[T], *, inside: tuple[type, ...] = ()) -> RecordClass[T]:
        """Read a class.

        Args:
            record_class: An attrs class or a dataclass.
            inside: The classes that have led to this one.

        Raises:
            TypeError: The class is neither an attrs class nor a dataclass, has no fields, or leads back to itself.
        """
        if record_class in inside:
            raise TypeError(f"{record_class.__name__} holds itself, so its SELECT list would have no end")
        inside = (*inside, record_class)
        fields: list[str] = []
        relationships: list[str] = []
        attributes: list[tuple[str, str]] = []
        for attribute, name, hint in attributes_of(record_class):
            parent, child = nested_classes(hint)
            if parent is not None:
                relationships += [f"{name}.{path}" for path in RecordClass.of(parent, inside=inside).select]
            elif child is not None:
                select = ", ".join(RecordClass.of(child, inside=inside).select)
                relationships.append(f"(SELECT {select} FROM {name})")  # noqa: S608  # all names are checked
            else:
                fields.append(name)
                attributes.append((attribute, name))
        sobject = getattr(record_class, "__sobject__", record_class.__name__)
        return RecordClass(record_class, sobject, tuple(fields), tuple(relationships), tuple(attributes))

    @property
    def select(self) -> tuple[str, ...]:
        """The SELECT list."""
        return self.fields + self.relationships

    def decoder(self) -> Callable[[Mapping[str, Any]], T]:
        """Give the function that makes an instance of a record."""
        # cattrs costs 15 ms to import, so only callers with classes of their own pay for it.
        from sfconnector._structure import decoder

        return decoder(self.cls)  # type: ignore[arg-type]  # mypy does not see that a class is hashable

    def encode(self, instance: T, *, purpose: Purpose) -> dict[str, Any]:
        """Turn an instance into a record: its own fields without ``Id`` and without relationships.

        Left out is also what is not set, what Salesforce does not take in this write, and from a new record each
        ``None``, unless the attribute could have been left unset.
        """
        record = {}
        rules = _write_rules(self.cls)  # type: ignore[arg-type]  # mypy does not see that a class is hashable
        for attribute, name in self.attributes:
            value = getattr(instance, attribute)
            rule = rules[attribute]
            empty = value is None and purpose == "create" and not rule.settable
            if name != "Id" and value is not UNSET and not empty and rule.taken_by(purpose):
                record[name] = value
        return encode(record)


class _WriteRule(NamedTuple):
    """What the class says of one attribute's part in writes."""

    settable: bool
    """Whether it is unset by default, so that ``None`` was given on purpose."""
    writable: Writable

    def taken_by(self, purpose: Purpose) -> bool:
        match purpose:
            case "create":
                return self.writable.create
            case "update":
                return self.writable.update
            case "upsert":
                # It may create or update, which only Salesforce knows.
                return self.writable.create or self.writable.update


@cache
def _write_rules(record_class: type) -> dict[str, _WriteRule]:
    hints = typing.get_type_hints(record_class, include_extras=True)
    return {name: _WriteRule(default is UNSET, _writable(hints[name])) for name, _, default in _fields(record_class)}


def _writable(hint: Any) -> Writable:
    """Find the mark on a type, or on a part of it."""
    for mark in getattr(hint, "__metadata__", ()):
        if isinstance(mark, Writable):
            return mark
    found = (_writable(part) for part in typing.get_args(hint) if part is not hint)
    return next((each for each in found if each != _ALWAYS), _ALWAYS)


def _fields(record_class: type) -> list[tuple[str, Mapping[str, Any], object]]:
    """List the fields of an attrs class or a dataclass: their names, metadata and defaults."""
    if attrs.has(record_class):
        fields: Any = attrs.fields(record_class)
    elif is_record_class(record_class):
        fields = getattr(record_class, _DATACLASS).values()
    else:
        raise TypeError(f"records become attrs classes or dataclasses, and {record_class!r} is neither")
    return [(field.name, field.metadata, field.default) for field in fields if field.init]


def attributes_of(record_class: type) -> list[tuple[str, str, Any]]:
    """List a class's attributes: the Python name, Salesforce's name and the type."""
    found = _fields(record_class)
    if not found:
        raise TypeError(f"{record_class.__name__} has no fields, so there is nothing to select")
    try:
        hints = type_hints(record_class)
    except NameError as error:
        raise TypeError(f"{record_class.__name__}: {error}; define record classes at the top of a module") from None
    attributes = [(name, metadata.get(API_NAME, name), hints[name]) for name, metadata, _ in found]
    for _, api_name, _ in attributes:
        if not isinstance(api_name, str) or _NAME.fullmatch(api_name) is None:
            raise ValueError(f"{record_class.__name__}: {api_name!r} is not the name of a Salesforce field")
    return attributes


def is_record_class(candidate: object) -> bool:
    """Tell an attrs class or a dataclass from everything else."""
    return isinstance(candidate, type) and (attrs.has(candidate) or hasattr(candidate, _DATACLASS))


def nested_classes(hint: Any) -> tuple[type | None, type | None]:
    """Find in a type the class of a parent record, or the class of the child records."""
    for option in (hint, *typing.get_args(hint)):
        if is_record_class(option):
            return (None, option) if typing.get_origin(hint) is list else (option, None)
        if typing.get_origin(option) is list and is_record_class(typing.get_args(option)[0]):
            return None, typing.get_args(option)[0]
    return None, None
