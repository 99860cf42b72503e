"""Rows with files, as the zip files that batches with binary attachments are.

https://developer.salesforce.com/docs/platform/api-asynch/guide/binary-intro.html
"""

from __future__ import annotations

import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import IO, Any, Final

import attrs

from sfconnector._bulk_v1._batches import FileBatch, Frame, of_its_kind
from sfconnector._records import encode
from sfconnector._upload import File, opened

# https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/salesforce-app-limits-platform-bulkapi.html
MOST_FILES: Final = 1_000
MOST_ZIPPED: Final = 10_000_000
MOST_UNZIPPED: Final = 20_000_000
REQUEST: Final = "request.txt"
_CHUNK: Final = 1 << 16
# Of an entry and of the directory's end, without names.
_ENTRY, _END = 30 + 46, 22


@attrs.frozen
class _Row:
    """A row, its text, and the file that goes along."""

    text: bytes
    name: str = ""
    file: File | None = None
    zipped: int = 0

    @property
    def unzipped(self) -> int:
        return self.file.size if self.file is not None else 0


def cut(rows: Iterable[object], field: str, frame_of: Callable[[Mapping[str, Any]], Frame]) -> Generator[FileBatch]:
    """Put rows and their files together to batches, reading no more of them than that needs.

    Args:
        rows: Each with a source in one field: a path, a file opened for bytes, or bytes.
        field: That field.
        frame_of: Gives the frame of a batch that begins with a row, or the one before where the row still fits in it.

    Raises:
        ValueError, TypeError: A row or its file cannot be sent; the text begins with its position.
    """
    batch: _Filling | None = None
    try:
        for index, given in enumerate(rows):
            with ExitStack() as stack:
                try:
                    record, file = _prepared(index, given, field, stack)
                    frame = frame_of(record)
                    row = _row(str(index), frame.write(record), file)
                    if batch is not None and not (batch.frame is frame and batch.has_room(row)):
                        full, batch = batch, None
                        yield full.close()
                    if batch is None:
                        batch = _Filling(index, frame)
                    batch.check(row)
                except (TypeError, ValueError) as error:
                    raise of_its_kind(error)(f"row {index}: {error}") from error
                batch.add(row)
        if batch is not None:
            full, batch = batch, None
            yield full.close()
    finally:
        if batch is not None:
            batch.discard()


def _prepared(index: int, given: object, field: str, stack: ExitStack) -> tuple[dict[str, Any], File | None]:
    if not isinstance(given, Mapping):
        raise TypeError(f"a row is a dict of field names and values, not a {type(given).__name__}")
    source = given.get(field)
    record = encode({name: value for name, value in given.items() if name != field})
    if source is None:
        return record, None
    # What a file is called in Salesforce stands in the row.
    file = stack.enter_context(opened(source, str(index), "ContentVersion"))
    if file.size > MOST_UNZIPPED:
        raise ValueError(f"the file has {file.size:,} bytes, and a batch takes {MOST_UNZIPPED:,}")
    return {**record, field: f"#{index}"}, file


def _row(name: str, text: bytes, file: File | None) -> _Row:
    if file is None:
        return _Row(text)
    compressor = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -zlib.MAX_WBITS)
    size = sum(len(compressor.compress(piece)) for piece in _pieces(file)) + len(compressor.flush())
    return _Row(text, name, file, min(size, file.size))


def _pieces(file: File) -> Iterator[bytes]:
    file.stream.seek(file.start)
    left = file.size
    while left:
        if not (piece := file.stream.read(min(_CHUNK, left))):
            raise ValueError(f"the file ended {left} bytes before the end that it had when it was opened")
        left -= len(piece)
        yield piece


class _Filling:
    """A batch that is being filled."""

    def __init__(self, start: int, frame: Frame) -> None:
        self._start, self.frame = start, frame
        self._texts: list[bytes] = []
        self._files = 1
        around = len(frame.head) + len(frame.tail)
        # The list of rows is counted as if it did not become smaller, which leaves some room.
        self._zipped = _END + _ENTRY + 2 * len(REQUEST) + around
        self._unzipped = around
        self._body: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # the batch closes it
        self._zip = zipfile.ZipFile(self._body, "w")

    def has_room(self, row: _Row) -> bool:
        zipped, unzipped, files = self._with(row)
        return zipped <= MOST_ZIPPED and unzipped <= MOST_UNZIPPED and files <= MOST_FILES

    def check(self, row: _Row) -> None:
        """Refuse a row that an empty batch has no room for.

        Raises:
            ValueError: This is an empty one, and it has none.
        """
        if not self.has_room(row):
            self.discard()
            raise ValueError(
                f"it has {len(row.text) + row.unzipped:,} bytes with its file, zipped {len(row.text) + row.zipped:,}, "
                f"and a batch takes {MOST_UNZIPPED:,}, zipped {MOST_ZIPPED:,}"
            )

    def _with(self, row: _Row) -> tuple[int, int, int]:
        text = len(row.text) + len(self.frame.separator)
        has_file = row.file is not None
        zipped = self._zipped + text + row.zipped + (_ENTRY + 2 * len(row.name)) * has_file
        return zipped, self._unzipped + text + row.unzipped, self._files + has_file

    def add(self, row: _Row) -> None:
        self._zipped, self._unzipped, self._files = self._with(row)
        self._texts.append(row.text)
        if row.file is not None:
            method = zipfile.ZIP_DEFLATED if row.zipped < row.file.size else zipfile.ZIP_STORED
            with self._zip.open(_info(row.name, method), "w") as entry:
                for piece in _pieces(row.file):
                    entry.write(piece)

    def close(self) -> FileBatch:
        text = self.frame.head + self.frame.separator.join(self._texts) + self.frame.tail
        with self._zip:
            self._zip.writestr(_info(REQUEST, zipfile.ZIP_DEFLATED), text)
        size = self._body.seek(0, os.SEEK_END)
        return FileBatch(self._start, len(self._texts), self._body, size)

    def discard(self) -> None:
        self._zip.close()
        self._body.close()


def _info(name: str, method: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.compress_type = method
    return info
