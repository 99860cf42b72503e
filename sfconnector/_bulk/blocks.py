"""Rows of any kind on their way into CSV, a block at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from sfconnector._csv.columns import check_columns
from sfconnector._csv.dialect import Dialect
from sfconnector._csv.values import flat
from sfconnector._csv.write import Writer, check_mappings
from sfconnector._records import Purpose, RecordClass, is_record_class

# So much of the encoded text is in memory at a time, more or less, and so many rows at most.
_BYTES: Final = 1 << 17
_FIRST_ROWS, _MOST_ROWS = 100, 1_000
# What Salesforce puts before the columns of a job's results.
_RESULTS: Final = ("sf__Id", "sf__Created", "sf__Error")


class Block(NamedTuple):
    """Rows in their encoded form.

    Attributes:
        writer: What has written them, under its header.
        data: The rows.
        rows: How many they are.
    """

    writer: Writer
    data: bytes
    rows: int


class Reading(NamedTuple):
    """How rows are read.

    Attributes:
        columns: The columns to send; those that the rows have where there are none.
        dialect: The form of the CSV.
        purpose: What instances of classes are written for.
        ids: Whether the ids of such instances are sent.
    """

    columns: tuple[str, ...] | None
    dialect: Dialect
    purpose: Purpose
    ids: bool


def row_blocks(rows: Iterable[Any], reading: Reading) -> Iterator[Block]:
    """Encode rows, at least one: dicts, instances of attrs classes or dataclasses, or sequences of values.

    Raises:
        TypeError, ValueError: Now or while iterating: a row or a value cannot be sent; the text begins with its number.
    """
    remaining = iter(rows)
    first = next(remaining)
    some = chain([first], remaining)
    if isinstance(first, Mapping):
        return _mapping_blocks(some, reading, _flattened)
    if is_record_class(type(first)):
        return _mapping_blocks(some, reading, lambda found, start: _records(found, start, reading))
    if isinstance(first, list | tuple):
        return _sequence_blocks(some, reading)
    raise TypeError(f"row 0 is no dict, instance of a class, list or tuple, but a {type(first).__name__}")


class _Sizes:
    """How many rows are encoded at once."""

    def __init__(self) -> None:
        self.rows = _FIRST_ROWS

    def learn(self, data: bytes, rows: int) -> None:
        self.rows = max(1, min(_MOST_ROWS, 2 * self.rows, _BYTES * rows // max(1, len(data))))


def _taken(rows: Iterator[Any], sizes: _Sizes) -> Iterator[list[Any]]:
    while some := list(islice(rows, sizes.rows)):
        yield some


Flatten = Callable[[list[Any], int], list[Any]]


def _mapping_blocks(rows: Iterator[Any], reading: Reading, flatten: Flatten) -> Iterator[Block]:
    writer = None if reading.columns is None else Writer(reading.columns, reading.dialect)
    sizes, first = _Sizes(), 0
    for some in _taken(rows, sizes):
        found = flatten(some, first)
        while found:
            try:
                if reading.columns is not None and writer is not None:
                    found = _fitting(found, first, reading.columns)
                    data, done = writer.chosen(found, first), len(found)
                else:
                    writer, data, done = _grown(writer, found, first, reading.dialect)
            except TypeError:
                # There may be parents, though the first row has none.
                if not any(map(_nested, found)):
                    raise
                found = _flat(found)
                continue
            if done:
                yield Block(writer, data, done)
                sizes.learn(data, done)
            found, first = found[done:], first + done


def _fitting(rows: list[Any], first: int, columns: tuple[str, ...]) -> list[Any]:
    """Refuse rows with none of the columns that were chosen, where nothing but empty cells would be sent."""
    if any("." in name for name in columns) and any(map(_nested, rows)):
        # A row without the column would be sent as well, so nothing else would tell.
        rows = _flat(rows)
    for index, row in enumerate(rows, first):
        if isinstance(row, Mapping) and not any(name in row for name in columns):
            raise ValueError(f"row {index} has none of the columns: {', '.join(columns)}")
    return rows


def _grown(writer: Writer | None, rows: list[Any], first: int, dialect: Dialect) -> tuple[Writer, bytes, int]:
    """Write as many rows as the columns are enough for; where none are, there are more columns."""
    if writer is not None:
        data = writer.fitting(rows, first)
        if data is not None:
            return writer, data, len(rows)
        known = set(writer.columns)
        done = next(index for index, row in enumerate(rows) if not row.keys() <= known)
        if done:
            return writer, writer.chosen(rows[:done], first), done
    check_mappings(rows, first)
    names = dict.fromkeys(() if writer is None else writer.columns)
    for row in rows:
        names.update(dict.fromkeys(row))
    return Writer(check_columns(list(names)), dialect), b"", 0


def _flattened(rows: list[Any], first: int) -> list[Any]:
    """Turn parents into columns, and leave out what a job tells beside the row."""
    check_mappings(rows[:1], first)
    results = [name for name in _RESULTS if name in rows[0]]
    if results:
        check_mappings(rows, first)
        rows = [{name: value for name, value in row.items() if name not in results} for row in rows]
    return _flat(rows) if _nested(rows[0]) else rows


def _flat(rows: list[Any]) -> list[Any]:
    return [flat(row) if isinstance(row, Mapping) else row for row in rows]


def _nested(row: Any) -> bool:
    return isinstance(row, Mapping) and any(isinstance(value, Mapping) for value in row.values())


def _records(records: list[Any], first: int, reading: Reading) -> list[Any]:
    rows = []
    for index, record in enumerate(records, first):
        if not is_record_class(type(record)):
            raise TypeError(f"row {index} is no instance of such a class as the first, but a {type(record).__name__}")
        kind: Any = type(record)
        cls = _record_class(kind)
        try:
            row = cls.encode(record, purpose=reading.purpose)
        except (TypeError, ValueError) as error:
            of_error = TypeError if isinstance(error, TypeError) else ValueError
            raise of_error(f"row {index}: {error}") from error
        attribute = next((attribute for attribute, name in cls.attributes if name == "Id"), None)
        if reading.ids and attribute is not None:
            row = {"Id": getattr(record, attribute), **row}
        rows.append(row)
    return rows


@cache
def _record_class(cls: Any) -> RecordClass[Any]:
    return RecordClass.of(cls)


def _sequence_blocks(rows: Iterator[Any], reading: Reading) -> Iterator[Block]:
    if reading.columns is None:
        raise ValueError("rows that are lists or tuples need columns=, the names of their values")
    writer = Writer(reading.columns, reading.dialect)
    sizes, first = _Sizes(), 0
    for some in _taken(rows, sizes):
        data = writer.sequences(some, first)
        sizes.learn(data, len(some))
        yield Block(writer, data, len(some))
        first += len(some)
