"""Bodies of uploads: ranges of files, of a size known beforehand, that can be sent as often as need be."""

from __future__ import annotations

import io
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self, TypeAlias

_PIECE: Final = 1 << 18
# A process may have some 1,000 files open, and parts may be many and small.
_FULL: Final = 1 << 30
Stamp: TypeAlias = tuple[int, int, int]


class Held:
    """A file that is open, read by several threads at places of their own.

    Args:
        file: It.
        own: Whether it is closed with this.
        stamp: What must not change about it.
    """

    def __init__(self, file: IO[bytes], *, own: bool, stamp: Stamp | None = None) -> None:
        self._file = file
        self._own = own
        self._stamp = stamp
        self._lock = threading.Lock()

    def read(self, position: int, size: int) -> bytes:
        """Read so many bytes at most.

        Raises:
            ValueError: The file was changed.
        """
        with self._lock:
            self._file.seek(position)
            data = self._file.read(size)
            # Nobody is told by an OSError: it would pass for a lost connection, and be tried again.
            if not data or (self._stamp is not None and stamp_of(self._file) != self._stamp):
                raise ValueError("the source was changed after it was cut into parts")
            return data

    def append(self, data: bytes) -> None:
        """Write at the end."""
        with self._lock:
            self._file.seek(0, os.SEEK_END)
            self._file.write(data)

    def close(self) -> None:
        if self._own:
            self._file.close()


class Spool:
    """Temporary files for parts, each shared by parts of about a gigabyte.

    A file is gone when all its parts are released, or the process ends.
    """

    def __init__(self) -> None:
        self._current: SpoolFile | None = None

    def file(self) -> SpoolFile:
        """Give the file at the end of which the next part begins; it is to be released once."""
        if self._current is None or self._current.size >= _FULL:
            self.close()
            self._current = SpoolFile()
        self._current.hold()
        return self._current

    def close(self) -> None:
        """Begin no further part in the file that is there."""
        if self._current is not None:
            self._current.release()
            self._current = None


class SpoolFile:
    """A temporary file that is closed when nobody holds it any more."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # it is open for as long as one of its parts is needed
        self.held = Held(self._file, own=False)
        self.size = 0
        self._holders = 1
        self._lock = threading.Lock()

    def hold(self) -> None:
        with self._lock:
            self._holders += 1

    def release(self) -> None:
        with self._lock:
            self._holders -= 1
            if not self._holders:
                self._file.close()

    def append(self, data: bytes) -> None:
        self.held.append(data)
        self.size += len(data)


def stamp_of(file: IO[bytes]) -> Stamp | None:
    """Give what changes about a file when its contents do; nothing of a file that is only in memory."""
    try:
        found = os.fstat(file.fileno())
    except (AttributeError, io.UnsupportedOperation):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def open_source(path: Path) -> IO[bytes]:
    """Open a file of the caller's.

    Raises:
        ValueError: It cannot be read.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise ValueError(f"the source {str(path)!r} cannot be read: {error.strerror}") from error


class Body:
    """The body of a request: a header, and a range of a file.

    Its size is known beforehand, and it can be sent again from the beginning. Use it in a ``with`` statement.

    Args:
        header: What it begins with.
        open_file: Gives the file.
        start: Where the range begins.
        size: Bytes of the range.

    Attributes:
        len: Bytes in all, as requests asks for them.
    """

    def __init__(self, header: bytes, open_file: Callable[[], Held], start: int, size: int) -> None:
        self._header = header
        self._start, self._end = start, start + size
        self._position = 0
        self._file = open_file()
        self.len = len(header) + size

    # There is no read(): HTTP clients would call it for 16 kB at a time.
    def __iter__(self) -> Iterator[bytes]:
        while self._position < self.len:
            if self._position < len(self._header):
                piece = self._header[self._position :]
            else:
                at = self._start + self._position - len(self._header)
                piece = self._file.read(at, min(_PIECE, self._end - at))
            self._position += len(piece)
            yield piece

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> None:
        """Go back to the beginning, the only place to go to.

        Raises:
            OSError: The position is another one.
        """
        if position != 0:
            raise io.UnsupportedOperation("a body begins at its beginning")
        self._position = 0

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
