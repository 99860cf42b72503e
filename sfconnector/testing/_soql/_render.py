"""From rows of SQLite to records as the REST API writes them.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_query.htm
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeAlias

import attrs

Row: TypeAlias = tuple[Any, ...]
Record: TypeAlias = dict[str, Any]
Value: TypeAlias = Callable[[Row], Any]


@attrs.frozen
class Children:
    """The records of a child relationship under every parent of a result."""

    shape: "RecordShape"
    rows: Mapping[str, Sequence[Row]]


# What becomes of the children of one record: all of them, or a first page and where to go on.
ChildPage: TypeAlias = Callable[["RecordShape", Sequence[Row]], Record]


@attrs.frozen
class RecordShape:
    """How a row becomes a record.

    Args:
        type_of: the ``type`` of the ``attributes``, from the row.
        url_of: the ``url`` of the ``attributes``, or ``None`` for a record without an id.
        values: keys and where their values come from; ``None`` keeps the place of a child relationship.
        children: child relationships by key.
    """

    type_of: Value
    url_of: Value | None
    id_of: Value
    values: tuple[tuple[str, Value], ...]
    children: Mapping[str, Children] = attrs.field(factory=dict)

    def record(self, row: Row, child_page: ChildPage) -> Record:
        attributes = {"type": self.type_of(row)}
        if self.url_of is not None:
            attributes["url"] = self.url_of(row)
        record: Record = {"attributes": attributes}
        for key, value in self.values:
            record[key] = value(row)
        for key, children in self.children.items():
            if rows := children.rows.get(self.id_of(row)):
                record[key] = child_page(children.shape, rows)
        return record

    def with_children(self, children: Mapping[str, Children]) -> "RecordShape":
        return attrs.evolve(self, children=children)


def whole(shape: RecordShape, rows: Sequence[Row]) -> Record:
    """Render all children of a record at once."""
    return {"totalSize": len(rows), "done": True, "records": [shape.record(row, whole) for row in rows]}


def constant(value: Any) -> Value:
    return lambda _row: value


def field_value(field_type: str, index: int, url: Value | None = None) -> Value:
    """Read a stored value as JSON has it; a base64 field is answered as the address of its content."""
    read: Value = itemgetter(index)
    if field_type == "boolean":
        return lambda row: None if row[index] is None else bool(row[index])
    if field_type in ("double", "currency", "percent"):
        return lambda row: None if row[index] is None else float(row[index])
    if field_type == "base64" and url is not None:
        return lambda row: None if row[index] is None else url(row)
    return read


def converted_value(read: Value, convert: Callable[[Any], Any] | None) -> Value:
    """Convert what was read, unless it is null."""
    if convert is None:
        return read

    def value(row: Row) -> Any:
        stored = read(row)
        return None if stored is None else convert(stored)

    return value


def record_url(base_path: str, type_of: Value, id_of: Value) -> Value:
    return lambda row: f"{base_path}/sobjects/{type_of(row)}/{id_of(row)}"


def compound_value(parts: Iterable[tuple[str, Value]]) -> Value:
    """Gather the parts of an address or a location; null where all of them are."""
    parts = tuple(sorted(parts, key=itemgetter(0)))

    def read(row: Row) -> Record | None:
        value = {key: part(row) for key, part in parts}
        return value if any(part is not None for part in value.values()) else None

    return read


def nested_value(shape: RecordShape) -> Value:
    """Render a parent record, or null where the reference is empty."""
    return lambda row: None if shape.id_of(row) is None else shape.record(row, whole)


def chosen_value(type_of: Value, branches: Mapping[str, RecordShape], otherwise: RecordShape | None) -> Value:
    """Render a TYPEOF: the branch of the record's own object, else the rest, else null."""

    def read(row: Row) -> Record | None:
        name = type_of(row)
        shape = None if name is None else branches.get(name, otherwise)
        return None if shape is None or shape.id_of(row) is None else shape.record(row, whole)

    return read
