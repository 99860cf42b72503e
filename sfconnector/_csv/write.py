"""Rows written as CSV, a block at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NoReturn

from sfconnector._csv.columns import check_columns
from sfconnector._csv.dialect import Dialect
from sfconnector._csv.lines import Lines
from sfconnector._csv.values import text, texts


class Writer:
    """Writes rows under a header.

    Args:
        columns: The header.
        dialect: Their form.

    Attributes:
        columns: The header.
        header: It, as it is written.

    Raises:
        TypeError, ValueError: The columns cannot be right.
    """

    def __init__(self, columns: Sequence[str], dialect: Dialect) -> None:
        self.columns = check_columns(columns)
        self._known = frozenset(self.columns)
        self._lines = Lines(dialect)
        name = self.columns[0]
        self._get: Callable[[Any], tuple[Any, ...]] = (
            itemgetter(*self.columns) if len(self.columns) > 1 else lambda row: (row[name],)
        )
        self.header = self._cells([self.columns], 0)

    def mappings(self, rows: Sequence[Mapping[str, Any]], first: int = 0) -> bytes:
        """Write rows that are mappings; a key that is missing leaves its cell empty.

        Args:
            rows: The rows.
            first: The number of the first one, for errors.

        Raises:
            TypeError: A row is no mapping, or a value is of a type that is in no cell.
            ValueError: A row has a key that is no column, or a value has no form.
        """
        written = self.fitting(rows, first)
        if written is None:
            index, unknown = next(
                (index, row.keys() - self._known)
                for index, row in enumerate(rows, first)
                if not row.keys() <= self._known
            )
            raise ValueError(f"row {index} has {min(unknown)!r}, which is none of the columns")
        return written

    def fitting(self, rows: Sequence[Mapping[str, Any]], first: int = 0) -> bytes | None:
        """Write rows as :meth:`mappings` does, or give ``None`` where a row has a key that is no column."""
        try:
            cells = list(map(self._get, rows)) if set(map(len, rows)) == {len(self.columns)} else None
        except (KeyError, TypeError, IndexError):
            # A key is another one, or the row is no mapping.
            cells = None
        if cells is not None:
            return self._cells(cells, first)
        check_mappings(rows, first)
        if any(not row.keys() <= self._known for row in rows):
            return None
        return self.chosen(rows, first)

    def chosen(self, rows: Sequence[Mapping[str, Any]], first: int = 0) -> bytes:
        """Write of rows that are mappings what belongs to a column, and leave out the rest.

        Raises:
            TypeError, ValueError: As for :meth:`mappings`.
        """
        check_mappings(rows, first)
        names = self.columns
        return self._cells([tuple([row.get(name, "") for name in names]) for row in rows], first)

    def sequences(self, rows: Sequence[Sequence[Any]], first: int = 0) -> bytes:
        """Write rows that are sequences of as many values as there are columns.

        Raises:
            TypeError: A row is no list or tuple, or a value is of a type that is in no cell.
            ValueError: A row has more or fewer values, or a value has no form.
        """
        width = len(self.columns)
        for index, row in enumerate(rows, first):
            if not isinstance(row, list | tuple):
                raise TypeError(f"row {index} is no list or tuple of values, but a {type(row).__name__}")
            if len(row) != width:
                raise ValueError(f"row {index} has {len(row)} values, and there are {width} columns")
        return self._cells(rows, first)

    def columnar(self, columns: Sequence[Sequence[Any]], first: int = 0) -> bytes:
        """Write rows whose values are given column by column.

        Raises:
            TypeError, ValueError: A value is of a type that is in no cell, or has no form.
        """
        named = zip(self.columns, columns, strict=True)
        text = self._lines.joined([self._column(name, values, first) for name, values in named])
        try:
            return text.encode()
        except UnicodeEncodeError:
            for name, values in zip(self.columns, columns, strict=True):
                for index, value in enumerate(values, first):
                    _check_encodable(index, name, value)
            raise

    def _cells(self, cells: Sequence[Sequence[Any]], first: int) -> bytes:
        return self.columnar(list(zip(*cells, strict=True)), first) if cells else b""

    def _column(self, name: str, values: Sequence[Any], first: int) -> Sequence[str]:
        try:
            return self._lines.quoted(values)
        except TypeError:
            # They are not all texts; there is no cheaper way to learn it.
            pass
        try:
            return self._lines.quoted(texts(values))
        except (TypeError, ValueError):
            _explain(name, values, first)


def check_mappings(rows: Sequence[object], first: int) -> None:
    """Refuse rows that are no mappings, where others are."""
    for index, row in enumerate(rows, first):
        if not isinstance(row, Mapping):
            raise TypeError(f"row {index} is no mapping of columns and values, but a {type(row).__name__}")


def _explain(name: str, values: Sequence[Any], first: int) -> NoReturn:
    """Name the value that has no form."""
    for index, value in enumerate(values, first):
        try:
            text(value)
        except TypeError as error:
            raise TypeError(f"row {index}, {name}: {error}") from None
        except ValueError as error:
            raise ValueError(f"row {index}, {name}: {error}") from None
    raise AssertionError("each of the values has a form")


def _check_encodable(index: int, name: str, value: object) -> None:
    try:
        str(value).encode()
    except UnicodeEncodeError:
        raise ValueError(f"row {index}, {name}: half of a surrogate pair is no character") from None
