"""CSV as Salesforce sends it, read as it comes."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import repeat
from typing import Any, Final, Protocol

from sfconnector._csv.columns import check_distinct
from sfconnector._csv.dialect import Dialect

_PIECE: Final = 1 << 16
# csv.field_size_limit takes a C long, which has 32 bits on Windows.
_LONGEST_FIELD: Final = (1 << 31) - 1


class Readable(Protocol):
    """A file opened for bytes."""

    def read(self, size: int, /) -> bytes: ...


@cache
def _csv() -> Any:
    """Load csv's parser once more, with a limit of its own.

    A long text area holds up to 131,072 characters, one more than :func:`csv.field_size_limit` may allow, which is
    one number for the whole process: other code may rely on it, set it or put it back at any time. The module keeps
    it in its state, and a second instance of the module has a second state.
    """
    spec: Any = importlib.util.find_spec("_csv")
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.field_size_limit(_LONGEST_FIELD)
    return module


def reader(lines: Iterable[str], delimiter: str) -> Any:
    """Give a strict ``csv.reader`` whose fields may have any length."""
    return _csv().reader(lines, delimiter=delimiter, strict=True)


class Rows:
    """The rows of a CSV text, read once and no further than they are asked for.

    A blank line is no row. Backslashes, newlines inside quotes and characters such as U+2028 stay as they are.

    Args:
        source: UTF-8, with or without a byte order mark: a file opened for bytes, or the bytes in pieces of any size.
        dialect: Its delimiter counts; both line endings are understood.
        strip_nul: Leave NUL characters out, which many programs and databases do not take.

    Attributes:
        columns: The header; empty where there is none.
        count: How many rows there are, once all of them have been read.

    Raises:
        ValueError: While reading: the text is not UTF-8, a quote never closes or closes too early, a row has more or
            fewer cells than the header; the error names the line.
    """

    def __init__(
        self, source: Readable | Iterable[bytes], dialect: Dialect | None = None, *, strip_nul: bool = False
    ) -> None:
        delimiter = (dialect or Dialect()).delimiter
        raw = io.BufferedReader(_Pieces(_pieces(source), strip_nul), _PIECE)
        self._reader = reader(io.TextIOWrapper(raw, "utf-8-sig", newline=""), delimiter)
        self._line = self.count = 0
        self.columns: tuple[str, ...] = ()
        with self._explained():
            self.columns = tuple(next(filter(None, self._reader), ()))

    def lists(self) -> Iterator[list[str]]:
        """Give each row as the list of its cells."""
        width, source, count = len(self.columns), self._reader, 0
        self._line = source.line_num
        with self._explained():
            for row in source:
                if len(row) == width:
                    count += 1
                    yield row
                elif row:
                    raise ValueError(f"line {self._line + 1} has {len(row)} cells, and the header has {width}")
                self._line = source.line_num
        self.count = count

    def dicts(self) -> Iterator[dict[str, str]]:
        """Give each row as a dict.

        Raises:
            ValueError: Two columns have the same name.
        """
        check_distinct(self.columns)
        # Without a step of Python's own for a row, which would cost a fifth of the time.
        return map(dict, map(zip, repeat(self.columns), self.lists()))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except UnicodeDecodeError as error:
            raise ValueError(f"the CSV is not UTF-8, somewhere after line {self._line}: {error.reason}") from None
        except _csv().Error as error:
            unclosed = "unexpected end of data" in str(error)
            problem = "a quote that never closes" if unclosed else f"a quote out of place: {error}"
            raise ValueError(f"the row that begins in line {self._line + 1} has {problem}") from None


def _pieces(source: Any) -> Iterator[bytes]:
    if hasattr(source, "read"):
        return iter(lambda: source.read(_PIECE), b"")
    return iter(source)


class _Pieces(io.RawIOBase):
    """A file that is made of pieces."""

    def __init__(self, pieces: Iterator[bytes], strip_nul: bool) -> None:
        self._source = pieces
        self._strip_nul = strip_nul
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            if (piece := next(self._source, None)) is None:
                return 0
            self._rest = memoryview(piece.replace(b"\0", b"") if self._strip_nul else piece)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
