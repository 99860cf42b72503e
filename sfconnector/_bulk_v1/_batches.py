"""Records in JSON and XML, cut into what one batch may hold.

https://developer.salesforce.com/docs/platform/api-asynch/guide/datafiles-xml-preparing.html
"""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import IO, Any, Final, Protocol

import attrs

from sfconnector._bulk_v1 import _xml
from sfconnector._csv.dialect import Dialect
from sfconnector._csv.values import flat
from sfconnector._csv.write import Writer
from sfconnector._json import dumps
from sfconnector._records import encode

# https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/salesforce-app-limits-platform-bulkapi.html
MOST_ROWS: Final = 10_000
# Salesforce says 10 MB, and 10,000,000 characters, of which none has less than a byte.
MOST_BYTES: Final = 10_000_000


class Batch(Protocol):
    """The data of one batch, before it is sent.

    Attributes:
        start: The position of its first row in the source, counted from 0.
        rows: How many there are.
        size: Of the body, in bytes.
    """

    @property
    def start(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def size(self) -> int: ...

    def body(self) -> AbstractContextManager[Iterable[bytes]]:
        """Open what is sent, at its beginning."""

    def release(self) -> None:
        """Let go of what the data takes."""


@attrs.frozen
class FileBatch:
    """A batch whose data is a file of its own."""

    start: int
    rows: int
    file: IO[bytes] = attrs.field(repr=False)
    size: int

    def body(self) -> AbstractContextManager[IO[bytes]]:
        """Open what is sent, at its beginning."""
        self.file.seek(0)
        return nullcontext(self.file)

    def release(self) -> None:
        """Close the file."""
        self.file.close()


@attrs.frozen
class Frame:
    """What stands around the records of a format, and between them."""

    head: bytes
    separator: bytes
    tail: bytes
    write: Callable[[Mapping[str, Any]], bytes]


FRAMES: Final = {
    "JSON": Frame(b"[", b",", b"]", dumps),
    "XML": Frame(_xml.HEAD, b"", _xml.TAIL, _xml.write),
}


def written(rows: Iterable[object], frame: Frame) -> Iterator[bytes]:
    """Write rows, each by itself.

    Raises:
        ValueError, TypeError: A row cannot be written; the text begins with its position.
    """
    for index, row in enumerate(rows):
        try:
            yield frame.write(encode(row))
        except (TypeError, ValueError) as error:
            raise of_its_kind(error)(f"row {index}: {error}") from error


def cut(texts: Iterable[bytes], frame: Frame, most_rows: int, most_bytes: int) -> Generator[FileBatch]:
    """Put written rows together to batches, reading no more of them than that needs.

    Args:
        texts: The rows.
        frame: What belongs around them.
        most_rows: Rows a batch at most.
        most_bytes: Bytes a batch at most, all that is sent included.

    Raises:
        ValueError: A row is too large for any batch; the text begins with its position.
    """
    batch = _Filling(0, frame, most_bytes)
    for index, text in enumerate(texts):
        if batch.rows and not (batch.rows < most_rows and batch.has_room(text)):
            yield batch.close()
            batch = _Filling(index, frame, most_bytes)
        if not batch.has_room(text):
            raise ValueError(f"row {index}: it has {len(text):,} bytes, and a batch may have {most_bytes:,}")
        batch.add(text)
    if batch.rows:
        yield batch.close()


class _Filling:
    def __init__(self, start: int, frame: Frame, most_bytes: int) -> None:
        self._start, self._frame, self._most = start, frame, most_bytes
        self._body = io.BytesIO()
        self._size = self._body.write(frame.head)
        self.rows = 0

    def has_room(self, text: bytes) -> bool:
        between = len(self._frame.separator) if self.rows else 0
        return self._size + between + len(text) + len(self._frame.tail) <= self._most

    def add(self, text: bytes) -> None:
        if self.rows:
            self._size += self._body.write(self._frame.separator)
        self._size += self._body.write(text)
        self.rows += 1

    def close(self) -> FileBatch:
        self._size += self._body.write(self._frame.tail)
        return FileBatch(self._start, self.rows, self._body, self._size)


def in_one(rows: Sequence[object], data_format: str) -> bytes:
    """Write all rows as one batch.

    Raises:
        ValueError, TypeError: A row cannot be written; the text begins with its position.
    """
    if data_format == "CSV":
        records = [flat(_mapping(index, row)) for index, row in enumerate(rows)]
        writer = Writer([*dict.fromkeys(name for record in records for name in record)], Dialect())
        return writer.header + writer.chosen(records)
    frame = FRAMES[data_format]
    return frame.head + frame.separator.join(written(rows, frame)) + frame.tail


def _mapping(index: int, row: object) -> Mapping[str, Any]:
    if not isinstance(row, Mapping):
        raise TypeError(f"row {index}: a row is a dict of field names and values, not a {type(row).__name__}")
    return row


class CsvFrames:
    """Gives frames in CSV: another one, with more columns, where a row has a column that is new."""

    def __init__(self) -> None:
        self._columns: dict[str, None] = {}
        self._frame: Frame | None = None

    def __call__(self, record: Mapping[str, Any]) -> Frame:
        """Give the frame of a row."""
        names = flat(record)
        if self._frame is None or not names.keys() <= self._columns.keys():
            self._columns.update(dict.fromkeys(names))
            writer = Writer([*self._columns], Dialect())
            self._frame = Frame(writer.header, b"", b"", lambda each: writer.chosen([flat(each)]))
        return self._frame


def of_its_kind(error: Exception) -> type[Exception]:
    return TypeError if isinstance(error, TypeError) else ValueError
