"""Records on their way into collections: what is sent of each, and how they are cut into calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from sfconnector._json import written
from sfconnector._names import check_id, check_name
from sfconnector._records import Purpose, RecordClass, encode, is_record_class
from sfconnector._typed import UNSET

_MOST_TYPES: Final = 10
# What stands around the records, and around each of them.
_FRAME, _COMMA = 100, 1


@cache
def _record_class(cls: Any) -> RecordClass[Any]:
    return RecordClass.of(cls)


class Row(NamedTuple):
    """A record that is ready to be sent.

    Attributes:
        position: In the input, counted from 0.
        record: What the caller handed in.
        kind: What Salesforce counts as its type: the object, or the prefix of the id.
        content: What is sent.
        size: In bytes.
    """

    position: int
    record: Any
    kind: str
    content: Any
    size: int


class Identified(NamedTuple):
    """What is sent of a record, which nobody can read any more, and which record that is."""

    id: str
    content: Any


Prepare = Callable[[Any], tuple[str, Any, int]]
"""Gives kind, content and size of what the caller handed in, or raises ``ValueError`` or ``TypeError``."""


def chunks(records: Iterable[Any], prepare: Prepare, most_records: int, most_bytes: int) -> Iterator[list[Row]]:
    """Cut records into what one call takes, reading no more of them than that needs.

    Raises:
        ValueError, TypeError: A record cannot be sent; the text begins with its position.
    """
    chunk: list[Row] = []
    size, changes = _FRAME, 0
    for index, record in enumerate(records):
        row = _row(index, record, prepare, most_bytes)
        change = bool(chunk) and chunk[-1].kind != row.kind
        if chunk and (size + row.size + _COMMA > most_bytes or changes + change == _MOST_TYPES):
            yield chunk
            chunk, size, changes, change = [], _FRAME, 0, False
        chunk.append(row)
        size += row.size + _COMMA
        changes += change
        if len(chunk) == most_records:
            # Without waiting for the record that would start the next one: it may be long in coming.
            yield chunk
            chunk, size, changes = [], _FRAME, 0
    if chunk:
        yield chunk


def _row(index: int, record: Any, prepare: Prepare, most_bytes: int) -> Row:
    try:
        kind, content, size = prepare(record)
        if size + _FRAME + _COMMA > most_bytes:
            raise ValueError(f"it has {size:,} bytes, and a call may have {most_bytes:,}")
    except (TypeError, ValueError) as error:
        kind_of_error = TypeError if isinstance(error, TypeError) else ValueError
        raise kind_of_error(f"record {index}: {error}") from error
    return Row(index, record, kind, content, size)


class Preparing(NamedTuple):
    """How records become rows.

    Attributes:
        sobject: The object that all records are of; where there is none, each says it itself.
        record_class: The class that the caller named for them, if any.
        purpose: What instances are written for.
    """

    sobject: str | None = None
    record_class: RecordClass[Any] | None = None
    purpose: Purpose = "upsert"

    def new(self, record: Any) -> tuple[str, Any, int]:
        """Prepare a record that is to be created."""
        sobject, fields = self._read(record)
        return self._written(sobject, fields)

    def changed(self, record: Any) -> tuple[str, Any, int]:
        """Prepare a record that is to be updated, by the id in it; its content is an :class:`Identified`."""
        sobject, fields = self._read(record)
        if not isinstance(record, Mapping):
            fields = {"Id": self._id_of(record), **fields}
        name = next((name for name in fields if name.lower() == "id"), None)
        if name is None or fields[name] is None:
            raise ValueError("it has no Id, by which it is to be updated")
        record_id = check_id(fields[name])
        if len(fields) == 1:
            raise ValueError("it has nothing but its Id")
        kind, content, size = self._written(sobject, fields)
        return kind, Identified(record_id, content), size

    def keyed(self, field: str) -> Prepare:
        """Prepare records that are to be upserted, by the external id in them."""
        wanted = field.lower()

        def prepare(record: Any) -> tuple[str, Any, int]:
            sobject, fields = self._read(record)
            # Without it Salesforce creates another record each time that it is sent.
            key = fields.get(field) or next((value for name, value in fields.items() if name.lower() == wanted), None)
            if key is None or key == "":
                raise ValueError(f"it has no {field}, by which it is to be upserted")
            return self._written(sobject, fields)

        return prepare

    def gone(self) -> Prepare:
        """Prepare records, or ids of records, that are to be deleted."""
        first = ""

        def prepare(record: Any) -> tuple[str, Any, int]:
            nonlocal first
            record_id = check_id(self._id_to_delete(record))
            prefix = record_id[:3]
            # Salesforce looks at ids only, and would delete the record of another object as well.
            if self.sobject is not None and prefix != (first := first or prefix):
                raise ValueError(f"its id begins with {prefix}, unlike those before, which begin with {first}")
            return prefix, record_id, len(record_id)

        return prepare

    def _id_to_delete(self, record: Any) -> Any:
        if isinstance(record, Mapping):
            self._check_type(record)
            record_id = next((value for name, value in record.items() if str(name).lower() == "id"), None)
        elif not is_record_class(type(record)):
            return record
        else:
            record_id = self._id_of(record)
        if record_id is None:
            raise ValueError("it has no Id, by which it is to be deleted")
        return record_id

    def _read(self, record: Any) -> tuple[str, dict[str, Any]]:
        if isinstance(record, Mapping):
            sobject = self.sobject or _named_type(record)
            fields = encode(record)
            if "attributes" in fields:
                self._check_type(fields)
                del fields["attributes"]
        elif self.record_class is not None and isinstance(record, self.record_class.cls):
            sobject = self.record_class.sobject
            fields = self.record_class.encode(record, purpose=self.purpose)
        elif self.sobject is None and is_record_class(type(record)):
            own = _record_class(type(record))  # type: ignore[arg-type]  # mypy does not see that a class is hashable
            sobject, fields = (
                check_name("the object", own.sobject),
                own.encode(record, purpose=self.purpose),
            )
        else:
            wanted = f" or an instance of {self.record_class.cls.__name__}" if self.record_class else ""
            raise TypeError(f"a record is a dict of field names and values{wanted}, not a {type(record).__name__}")
        if not fields:
            raise ValueError("it is empty")
        return sobject, fields

    def _check_type(self, record: Mapping[str, Any]) -> None:
        attributes = record.get("attributes")
        named = attributes.get("type") if isinstance(attributes, Mapping) else None
        if self.sobject is not None and isinstance(named, str) and named.lower() != self.sobject.lower():
            raise ValueError(f"it says that it is of {named}, not of {self.sobject}")

    def _id_of(self, instance: Any) -> Any:
        own = self.record_class or _record_class(type(instance))  # type: ignore[arg-type]  # as above
        attributes = own.attributes
        attribute = next((attribute for attribute, name in attributes if name == "Id"), None)
        record_id = None if attribute is None else getattr(instance, attribute)
        return None if record_id is UNSET else record_id

    @staticmethod
    def _written(sobject: str, fields: dict[str, Any]) -> tuple[str, Any, int]:
        content, size = written({"attributes": {"type": sobject}, **fields})
        return sobject, content, size


def _named_type(record: Mapping[str, Any]) -> str:
    match record.get("attributes"):
        case {"type": str(name)}:
            return check_name("the object", name)
    raise ValueError('it does not say of which object it is: give it "attributes": {"type": "Account"}')
