"""Arrow record batches from the CSV of the bulk API, by the types that Salesforce describes."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Final

from sfconnector._ahead import in_order
from sfconnector._columns import Column
from sfconnector._csv.cut import last_end
from sfconnector._csv.dialect import DELIMITERS, Dialect
from sfconnector._tables import Choices, array, misfit, pyarrow, rounded, schema

if TYPE_CHECKING:
    import pyarrow as pa

# Bytes that are parsed at a time, as one block of Arrow's, and how many threads do so.
_CHUNK: Final = 1 << 20
_BLOCK: Final = 1 << 30
_WORKERS: Final = min(os.cpu_count() or 1, 4)
# Bytes of a row group of a Parquet file, before it is compressed.
_ROW_GROUP: Final = 1 << 25
# What may stand before a quote that opens a cell or stands for itself; and how many such rows are passed by before
# quotes are counted instead, which takes longer.
_NO_TEXT: Final = b'"\r\n' + "".join(DELIMITERS.values()).encode()
_TRIES: Final = 100
_COLUMN: Final = re.compile(r"In CSV column #(\d+)")


class Reader:
    """Reads CSV without a header into record batches.

    Args:
        columns: What the columns are, in their order.
        dialect: The form of the CSV.
        choices: What becomes of values that have more than one form.
    """

    def __init__(self, columns: Sequence[Column], dialect: Dialect, choices: Choices) -> None:
        self.columns, self.schema = columns, schema(columns, choices)
        self._choices, self._terminator = choices, dialect.terminator.encode()
        self._delimiter = dialect.delimiter
        # What Arrow does not read as Salesforce writes it; and what it seldom does not.
        types = pyarrow().types
        indirect = (types.is_time, types.is_decimal, types.is_list)
        self._options, self._at_worst = self._reading(*indirect), self._reading(*indirect, types.is_integer)

    def _reading(self, *as_text: Callable[[Any], bool]) -> dict[str, Any]:
        """Tell how Arrow is to read; columns of these types as texts."""
        csv, names = importlib.import_module("pyarrow.csv"), [str(number) for number in range(len(self.columns))]
        text = pyarrow().string()
        read_as = [text if any(test(kind) for test in as_text) else kind for kind in self.schema.types]
        return {
            "read_options": csv.ReadOptions(column_names=names, block_size=_BLOCK, use_threads=False),
            "parse_options": csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
            "convert_options": csv.ConvertOptions(
                column_types=dict(zip(names, read_as, strict=True)),
                # Salesforce knows no text that is empty.
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                true_values=["true"],
                false_values=["false"],
                timestamp_parsers=[csv.ISO8601],
            ),
        }

    def read(self, blocks: Iterator[bytes]) -> Generator[pa.RecordBatch]:
        """Read the rows of one page.

        Raises:
            ValueError: It is not such CSV, or a value is not of the type of its column.
        """
        pa = pyarrow()
        # In threads of ours: if Arrow itself read ahead from an object of Python's, it could keep the process from
        # ending. What comes from the network is read in the caller's.
        calls = (partial(self._parse, data) for data in whole_rows(blocks, self._terminator))
        try:
            with closing(in_order(calls, _WORKERS)) as parsed:
                for batches in parsed:
                    yield from batches
        except pa.ArrowInvalid as error:
            raise self._explained(error) from None

    def _parse(self, data: bytes) -> list[pa.RecordBatch]:
        pa, csv = pyarrow(), importlib.import_module("pyarrow.csv")
        try:
            table = csv.read_csv(pa.BufferReader(data), **self._options)
        except pa.ArrowInvalid:
            # A whole number may have a point or an exponent.
            table = csv.read_csv(pa.BufferReader(data), **self._at_worst)
        return [self._convert(batch) for batch in table.to_batches()]

    def empty(self) -> pa.RecordBatch:
        """Give a batch without rows."""
        return pyarrow().RecordBatch.from_pylist([], schema=self.schema)

    def _convert(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        arrays = [
            cells if cells.type == kind else self._array(column, kind, cells)
            for column, kind, cells in zip(self.columns, self.schema.types, batch.columns, strict=True)
        ]
        return pyarrow().RecordBatch.from_arrays(arrays, schema=self.schema)

    def _array(self, column: Column, kind: pa.DataType, cells: pa.Array) -> pa.Array:
        values, types = cells.to_pylist(), pyarrow().types
        try:
            if types.is_decimal(kind):
                return pyarrow().array(rounded(values, kind.scale), kind)
            if types.is_integer(kind):
                values = [None if text is None else _number(text) for text in values]
        except (ValueError, ArithmeticError):
            raise misfit(column) from None
        return array(column, values, self._choices)

    def _explained(self, error: Exception) -> ValueError:
        # Arrow's own text quotes the value, or the row.
        if found := _COLUMN.match(str(error)):
            return misfit(self.columns[int(found[1])])
        return ValueError(f"the answer is no CSV with {len(self.columns)} columns")


def write_parquet(batches: Iterable[pa.RecordBatch], to: IO[bytes]) -> int:
    """Write a Parquet file and give the number of its rows."""
    parquet, pa = importlib.import_module("pyarrow.parquet"), pyarrow()
    writer, group, size, rows = None, [], 0, 0
    try:
        for batch in batches:
            writer = writer or parquet.ParquetWriter(to, batch.schema)
            group.append(batch)
            rows += batch.num_rows
            size += batch.nbytes
            if size >= _ROW_GROUP:
                writer.write_table(pa.Table.from_batches(group))
                group, size = [], 0
        if writer is not None and (group or not rows):
            writer.write_table(pa.Table.from_batches(group))
    finally:
        if writer is not None:
            writer.close()
    return rows


def whole_rows(blocks: Iterable[bytes], terminator: bytes, most: int = _CHUNK) -> Iterator[bytes]:
    """Give about so many bytes at a time, cut at the ends of rows."""
    pieces, size = list[bytes](), 0
    for block in blocks:
        pieces.append(block)
        size += len(block)
        if size >= most:
            data = b"".join(pieces)
            if end := _row_end(data, terminator):
                yield data[:end]
            pieces, size = [data[end:]], 0
    if rest := b"".join(pieces):
        yield rest


def _row_end(data: bytes, terminator: bytes) -> int:
    """Give where the last row ends, 0 if none does; a row has to begin where the data does."""
    at = len(data)
    for _ in range(_TRIES):
        # A quote behind a text and before a line ending closes a cell, whatever was before.
        at = data.rfind(b'"' + terminator, 0, at)
        if at <= 0:
            break
        if data[at - 1] not in _NO_TEXT:
            return at + 1 + len(terminator)
    return last_end(data)


def _number(text: str) -> int | float:
    return int(text) if text.removeprefix("-").isdecimal() else float(text)
