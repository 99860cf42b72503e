"""Sources of rows cut into parts, each of which one job takes.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_prepare_csv.htm
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, NoReturn, Self, TypeAlias

from sfconnector._bulk.blocks import Block, Reading, row_blocks
from sfconnector._bulk.bodies import Body, Held, Spool, SpoolFile, Stamp, open_source, stamp_of
from sfconnector._bulk.frames import frame_blocks, is_frame
from sfconnector._csv.columns import check_columns
from sfconnector._csv.cut import Cutter, Piece, pack, records_before
from sfconnector._csv.dialect import Dialect
from sfconnector._csv.read import Rows
from sfconnector._prepare import check_count
from sfconnector._records import Purpose

Source: TypeAlias = "str | os.PathLike[str] | bytes | IO[bytes] | Iterable[Any]"
"""A path, an open file or bytes of CSV, an iterable of rows, or a data frame or table of pandas, Polars or PyArrow."""


class Part:
    """Rows that go out together, in one body; can be read until it is released.

    Args:
        header: The header as it is sent.
        columns: Its columns.
        rows: How many rows there are.
        start: The number of the first row in the source, counted from 0.
        dialect: The form of the CSV, with its line ending.
        place: Where the bytes of the rows are: what opens the file, where they begin and how many they are.
        free: Called when the part is released.

    Attributes:
        columns: As above.
        rows: As above.
        start: As above.
        dialect: As above.
        size: Bytes of the body.
    """

    def __init__(
        self,
        header: bytes,
        columns: tuple[str, ...],
        rows: int,
        start: int,
        dialect: Dialect,
        place: tuple[Callable[[], Held], int, int],
        free: Callable[[], object] = lambda: None,
    ) -> None:
        self.columns, self.rows, self.start, self.dialect = columns, rows, start, dialect
        self.size = len(header) + place[2]
        self._header, self._place, self._free = header, place, free
        self._released = False

    def body(self) -> Body:
        """Open the body, at its beginning; close it when it is sent.

        Raises:
            ValueError: The part is released, or the source is not what it was.
        """
        if self._released:
            raise ValueError("the part is released")
        return Body(self._header, *self._place)

    def lists(self) -> Iterator[list[str]]:
        """Read the rows again, as lists of cells.

        Raises:
            ValueError: The part is released, or the source is not what it was.
        """
        with self.body() as body:
            yield from Rows(body, self.dialect).lists()

    def release(self) -> None:
        """Delete what the part keeps on disk."""
        if not self._released:
            self._released = True
            self._free()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class Limits(NamedTuple):
    """What a part may be."""

    dialect: Dialect
    max_bytes: int
    max_rows: int | None


def parts(
    source: Source,
    *,
    columns: Sequence[str] | None = None,
    dialect: Dialect | None = None,
    max_bytes: int = 100_000_000,
    max_rows: int | None = None,
    purpose: Purpose = "upsert",
    ids: bool = False,
) -> Generator[Part]:
    """Cut a source into parts, each of them when it is asked for; close the generator where that is never.

    Rows are written to a temporary file for each part. Of a CSV file on disk a part is but a range, so that the file
    must stay as it is until the part is released. A key that was not there before begins a new part, whose header
    has it.

    Args:
        source: A path, or a file opened for bytes, or bytes, of CSV; an iterable of dicts, of instances of attrs
            classes or dataclasses, or of sequences with ``columns``; a data frame or table of pandas, Polars or
            PyArrow; or an object whose ``rows()`` are dicts, such as a job of a query.
        columns: The columns to send, of all but CSV, in their order.
        dialect: The form of the CSV; a line ending of ``None`` becomes that of the source, or LF.
        max_bytes: Bytes of a part at most, as they are sent, with the header.
        max_rows: Rows of a part at most.
        purpose: What instances of classes are written for, which decides what of them is sent.
        ids: Whether their ids are sent.

    Raises:
        TypeError, ValueError: Now or while iterating: an argument, the source, a row or a value cannot be right.
    """
    dialect = Dialect() if dialect is None else dialect
    check_count("max_bytes", max_bytes)
    if max_rows is not None:
        check_count("max_rows", max_rows)
    if isinstance(columns, str):
        raise TypeError(f"columns is a list of names: give [{columns!r}] instead of {columns!r}")
    if columns is not None and not isinstance(columns, Iterable):
        raise TypeError(f"columns is a list of names, not a {type(columns).__name__}")
    chosen = None if columns is None else check_columns(list(columns))
    if _is_text(source):
        if chosen is not None:
            raise ValueError("a CSV file names its columns in its first line: leave columns out")
        return _text_parts(source, Limits(dialect, max_bytes, max_rows))
    return _row_parts(_blocks(source, Reading(chosen, dialect, purpose, ids)), Limits(dialect, max_bytes, max_rows))


def _is_text(source: Any) -> bool:
    return isinstance(source, str | os.PathLike | bytes) or hasattr(source, "read")


def _blocks(source: Any, reading: Reading) -> Iterator[Block]:
    if is_frame(source):
        return frame_blocks([source], reading)
    if isinstance(source, Mapping):
        raise TypeError("a source is many rows, and not one dict: give a list")
    if callable(getattr(source, "rows", None)):
        source = source.rows()
    if not hasattr(source, "__iter__"):
        raise TypeError(f"a source is a path, a file, a table or an iterable of rows, not a {type(source).__name__}")
    return _iterated(source, reading)


def _iterated(source: Iterable[Any], reading: Reading) -> Iterator[Block]:
    remaining = iter(source)
    for first in remaining:
        encode = frame_blocks if is_frame(first) else row_blocks
        yield from encode(chain([first], remaining), reading)


# CSV that the caller has


def _text_parts(source: Any, limits: Limits) -> Generator[Part]:
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        if isinstance(source, str) and "\n" in source:
            # Of what may be data, nothing is repeated.
            raise ValueError("the source is a text of several lines, and a text is a path: give CSV as bytes")
        if not path.exists():
            raise ValueError(f"the source {str(path)!r} is not there")
        return _path_parts(path, limits)
    if isinstance(source, bytes):
        source = io.BytesIO(source)
    if isinstance(source, io.TextIOBase):
        raise TypeError("the source is a file opened for text: open it for bytes, with the mode 'rb'")
    if getattr(source, "closed", False):
        raise ValueError("the source is a file that is closed")
    return _file_parts(source, limits)


def _path_parts(path: Path, limits: Limits) -> Generator[Part]:
    with open_source(path) as file:
        yield from _file_parts(file, limits, path)


def _file_parts(file: IO[bytes], limits: Limits, path: Path | None = None) -> Generator[Part]:
    if not getattr(file, "seekable", lambda: False)():
        cutter = Cutter(file.read, *limits)
        with closing(Spool()) as spool:
            yield from _stored(spool, cutter.pieces(), cutter.header, cutter.columns, cutter.dialect)
        return
    stamp, start = stamp_of(file), file.tell()
    end = file.seek(0, os.SEEK_END)
    held = Held(file, own=False, stamp=stamp)
    opened = (lambda: held) if path is None else partial(_opened, path, stamp)
    cutter = Cutter(_Range(held, start, end).read, *limits)
    position, first = start + cutter.offset, 0
    for size, rows in _sums(cutter.pieces()):
        place = (opened, position, size)
        yield Part(cutter.header, cutter.columns, rows, first, cutter.dialect, place)
        position, first = position + size, first + rows


def _opened(path: Path, stamp: Stamp | None) -> Held:
    return Held(open_source(path), own=True, stamp=stamp)


class _Range:
    """A range of a file, read from its beginning to its end whatever else is read meanwhile."""

    def __init__(self, file: Held, start: int, end: int) -> None:
        self._file, self._position, self._end = file, start, end

    def read(self, size: int) -> bytes:
        size = min(size, self._end - self._position)
        data = self._file.read(self._position, size) if size else b""
        self._position += len(data)
        return data


def _sums(pieces: Iterable[Piece]) -> Iterator[tuple[int, int]]:
    """Give bytes and rows of each part."""
    size = rows = 0
    for piece in pieces:
        if piece.starts and rows:
            yield size, rows
            size = rows = 0
        size, rows = size + len(piece.data), rows + piece.rows
    if rows:
        yield size, rows


# Parts on disk


def _row_parts(blocks: Iterator[Block], limits: Limits) -> Generator[Part]:
    dialect = Dialect(limits.dialect.column_delimiter, limits.dialect.line_ending or "LF")
    first = 0
    with closing(Spool()) as spool:
        for writer, some in groupby(blocks, key=attrgetter("writer")):
            numbered = _Numbered(some, first)
            pieces = pack(numbered, len(writer.header), limits.max_bytes, limits.max_rows, numbered.refuse)
            for part in _stored(spool, pieces, writer.header, writer.columns, dialect, first):
                yield part
                first += part.rows


class _Numbered:
    """Blocks that know the numbers of their rows."""

    def __init__(self, blocks: Iterable[Block], first: int) -> None:
        self._blocks = blocks
        self._first = first

    def __iter__(self) -> Iterator[tuple[bytes, int]]:
        for block in self._blocks:
            yield block.data, block.rows
            self._first += block.rows

    def refuse(self, block: bytes, at: int, problem: str) -> NoReturn:
        raise ValueError(f"row {self._first + records_before(block, at)}: {problem}")


def _stored(
    spool: Spool, pieces: Iterable[Piece], header: bytes, columns: tuple[str, ...], dialect: Dialect, first: int = 0
) -> Generator[Part]:
    building: _Building | None = None
    try:
        for piece in pieces:
            if piece.starts or building is None:
                if building is not None:
                    part, building = building.part(header, columns, dialect, first), None
                    first += part.rows
                    yield part
                building = _Building(spool.file())
            building.add(piece)
        if building is not None:
            part, building = building.part(header, columns, dialect, first), None
            yield part
    finally:
        if building is not None:
            building.file.release()


class _Building:
    """A part on its way to the disk."""

    def __init__(self, file: SpoolFile) -> None:
        self.file = file
        self._start = file.size
        self._rows = 0

    def add(self, piece: Piece) -> None:
        self.file.append(piece.data)
        self._rows += piece.rows

    def part(self, header: bytes, columns: tuple[str, ...], dialect: Dialect, first: int) -> Part:
        held = self.file.held
        place = (lambda: held), self._start, self.file.size - self._start
        return Part(header, columns, self._rows, first, dialect, place, self.file.release)
