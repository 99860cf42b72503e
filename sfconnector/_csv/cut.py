"""A CSV text cut at the ends of records, without reading its cells.

Quotes are counted and not parsed: a newline is the end of a record where the quotes before it are even in number.
That holds only where quotes stand as RFC 4180 has them, so each block is held against that by one regular expression,
which runs at several hundred megabytes a second.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, pairwise
from typing import Final, NamedTuple, NoReturn

from sfconnector._csv.columns import check_columns, check_delimiter
from sfconnector._csv.dialect import Dialect, LineEnding
from sfconnector._csv.read import Rows

_WINDOW: Final = 1 << 16
_BOM: Final = b"\xef\xbb\xbf"
# All but quotes and newlines.
_CONTENT: Final = bytes(set(range(256)) - set(b'"\n'))
# Twice as fast as to look for two characters by "in", and as to split the lines.
_TWO_ENDS: Final = re.compile(rb"\n\r?\n")
_BLANK: Final = re.compile(rb"(?<![^\n])\r?\n")
_LONE_CR_PROBLEM: Final = "a carriage return outside quotes and without a newline ends no line in Salesforce"
_LONE_CR: Final = re.compile(rb"\r(?!\n)")
_LONE_LF: Final = re.compile(rb"(?<!\r)\n")
_CRLF: Final = re.compile(rb"\r\n")


class Piece(NamedTuple):
    """Whole records, as many of them as were read at once.

    Attributes:
        data: The records as they stand in the text.
        rows: How many they are.
        starts: Whether a new part begins with them.
    """

    data: bytes
    rows: int
    starts: bool


class Cutter:
    """Cuts a CSV text into parts, none of them larger than a limit.

    The records stay byte for byte as they are. Blank lines at the end are left out; one between records is refused,
    since it is not documented whether Salesforce takes it for a record.

    Args:
        read: Gives the next bytes, so many at most, and nothing at the end; as the ``read`` of a file.
        dialect: What the text is to be; a line ending of ``None`` stands for that of the text.
        max_bytes: Bytes of a part at most, with the header.
        max_rows: Rows of a part at most.

    Attributes:
        header: The line with the columns and its ending, without a byte order mark; empty where there is no text.
        columns: The cells of the header; none where there is no text.
        dialect: That of the text, with its line ending.
        offset: Where the first record begins in the text.

    Raises:
        ValueError: Now or while cutting: the text is not UTF-8, its quotes are not those of CSV, its delimiter or its
            line endings are not those of the dialect, or a record is larger than a part may be.
    """

    def __init__(
        self, read: Callable[[int], bytes], dialect: Dialect, max_bytes: int, max_rows: int | None = None
    ) -> None:
        self._most_bytes, self._most_rows = max_bytes, max_rows
        self._delimiter = dialect.delimiter.encode()
        self._well_formed = _well_formed(dialect.delimiter)
        self._given = dialect.line_ending
        self._ending: LineEnding | None = None
        self._line = 1
        blocks = _blocks(read, self._check_unfinished)
        first = next(blocks, b"")
        self._read_header(first, dialect)
        self._blocks = chain([first[self.offset :]], blocks)

    def _read_header(self, first: bytes, dialect: Dialect) -> None:
        start = len(_BOM) if first.startswith(_BOM) else 0
        self.offset = next(_ends(first, start), start)
        header = first[start : self.offset]
        self.columns: tuple[str, ...] = ()
        if header:
            self._check(header)
            self._line += header.count(b"\n")
            found = Rows([header], dialect).columns
            check_delimiter(found, dialect)
            self.columns = check_columns(found)
        self.dialect = Dialect(dialect.column_delimiter, self._ending or self._given or "LF")
        unended = header and not header.endswith(b"\n")
        self.header = header + self.dialect.terminator.encode() if unended else header

    def pieces(self) -> Iterator[Piece]:
        """Give the records, in pieces that follow each other in the text without a gap."""
        return pack(self._records(), len(self.header), self._most_bytes, self._most_rows, self._refuse)

    def _records(self) -> Iterator[tuple[bytes, int]]:
        """Give blocks of records that are as they should be, and count them."""
        blank = False
        for block in self._blocks:
            content = _content(block)
            end = content + (2 if block.startswith(b"\r\n", content) else 1)
            if content:
                if blank:
                    self._refuse(block, 0, "the line before it is blank")
                yield block[:end], self._check(block[:end])
            self._line += block.count(b"\n")
            blank = blank or len(block) > end or (not content and bool(block))

    def _check(self, block: bytes) -> int:
        """Count the records of a block.

        Raises:
            ValueError: The block is no such CSV.
        """
        self._check_encoding(block)
        if (stop := self._stop(block)) < len(block):
            closed = block.count(b'"') % 2 == 0 or not self._opens(block, stop)
            self._refuse(block, stop, "a quote is out of place" if closed else "a quote never closes")
        has_cr = b"\r" in block
        alike = not has_cr or block.count(b"\r") == block.count(b"\r\n") == block.count(b"\n")
        if alike and not _has_blank(block):
            lines = _lines(block) if b'"' in block else block.count(b"\n")
            crlf = lines if has_cr else 0
        else:
            outside = _outside(block)
            lines, crlf = outside.count(b"\n"), outside.count(b"\r\n")
            if outside.count(b"\r") > crlf:
                self._refuse_first(_LONE_CR, block, _LONE_CR_PROBLEM)
            if _has_blank(outside):
                self._refuse_first(_BLANK, block, "the line is blank")
        if lines:
            self._check_ending(block, lines, crlf)
        return lines + (not block.endswith(b"\n"))

    def _check_encoding(self, block: bytes) -> None:
        if not block.isascii():
            try:
                block.decode()
            except UnicodeDecodeError as error:
                self._refuse(block, error.start, "the text is not UTF-8")

    def _check_ending(self, block: bytes, lines: int, crlf: int) -> None:
        found: LineEnding = "CRLF" if crlf else "LF"
        if self._given is not None and self._given != found:
            self._refuse(block, 0, f"lines end in {found}, and line_ending says {self._given}")
        if self._ending is None:
            self._ending = found
        if crlf not in {0, lines} or found != self._ending:
            other = _LONE_LF if self._ending == "CRLF" else _CRLF
            self._refuse_first(other, block, f"a line ends otherwise than the first, in {self._ending}")

    def _check_unfinished(self, tail: bytes) -> None:
        """Refuse a record that cannot end well, before more of it is read."""
        stop = self._stop(tail)
        if stop < len(tail) and not self._opens(tail, stop):
            self._refuse(tail, stop, "a quote is out of place")
        if _LONE_CR.search(tail, 0, min(stop, len(tail) - 1)):
            self._refuse(tail, 0, _LONE_CR_PROBLEM)
        if len(tail) > self._most_bytes:
            more = f"has more bytes than a part may have ({self._most_bytes:,}), or a quote in it never closes"
            self._refuse(tail, 0, f"the record {more}")

    def _stop(self, data: bytes) -> int:
        """Give where the quotes cease to be those of CSV: at the end, or at a quote."""
        if b'"' not in data:
            return len(data)
        found = self._well_formed.match(data)
        return found.end() if found else 0

    def _opens(self, data: bytes, at: int) -> bool:
        """Tell whether a quote may open a cell."""
        return at == 0 or data[at - 1 : at] in {b"\r", b"\n", self._delimiter}

    def _refuse_first(self, pattern: re.Pattern[bytes], block: bytes, problem: str) -> NoReturn:
        """Refuse the first record with this outside its quotes."""
        starts = [0, *_ends(block, 0)]
        found = (start for start, end in pairwise(starts) if pattern.search(_outside(block[start:end])))
        self._refuse(block, next(found, 0), problem)

    def _refuse(self, block: bytes, at: int, problem: str) -> NoReturn:
        newlines = block.count(b"\n", 0, at)
        raise ValueError(f"line {self._line + newlines:,}: {problem}")


def pack(
    blocks: Iterable[tuple[bytes, int]],
    header: int,
    most_bytes: int,
    most_rows: int | None,
    refuse: Callable[[bytes, int, str], NoReturn],
) -> Iterator[Piece]:
    """Put records into parts, as many into each as it may have.

    Args:
        blocks: Whole records, and how many they are.
        header: Bytes of the header.
        most_bytes: Bytes of a part at most, with the header.
        most_rows: Rows of a part at most.
        refuse: Raises the error of a record that is larger than a part; gets its block, where it begins and why.
    """
    size, rows, starts = header, 0, True
    for block, count in blocks:
        at = 0
        while at < len(block):
            end, within = len(block), count
            room = count if most_rows is None else most_rows - rows
            if size + end - at > most_bytes or within > room:
                end, within = _fitting(block, at, most_bytes - size, room)
            if end > at:
                yield Piece(block[at:end], within, starts)
                size, rows, starts = size + end - at, rows + within, False
                at, count = end, count - within
            elif starts:
                refuse(block, at, f"the record has more bytes than a part may have ({most_bytes:,})")
            if at < len(block):
                size, rows, starts = header, 0, True


def records_before(block: bytes, at: int) -> int:
    """Count the records of a block before a place."""
    return sum(end <= at for end in _ends(block, 0))


def _well_formed(delimiter: str) -> re.Pattern[bytes]:
    """Match a text as far as its quotes enclose whole cells, and are doubled inside them."""
    border = b"[" + re.escape(delimiter.encode()) + rb"\r\n]"
    not_border = b"[^" + re.escape(delimiter.encode()) + rb"\r\n]"
    # Nothing in it is tried twice: what one part takes, no other could have taken.
    cell = rb'"[^"]*+(?:""[^"]*+)*+"(?:' + border + rb"|\Z)"
    return re.compile(rb'[^"]*+(?:(?<!' + not_border + rb")(?:" + cell + rb')++[^"]*+)*+')


def _blocks(read: Callable[[int], bytes], check_unfinished: Callable[[bytes], None]) -> Iterator[bytes]:
    """Read whole records, many at a time; also what is left at the end, whole or not."""
    tail = b""
    # More and more where a record has no end, so that all in all it is read but a few times.
    while piece := read(max(_WINDOW, len(tail))):
        data = tail + piece
        end = last_end(data)
        tail = data[end:]
        if end:
            yield data[:end]
        if len(tail) >= _WINDOW:
            check_unfinished(tail)
    if tail:
        yield tail


def last_end(data: bytes) -> int:
    """Give where the last record ends, 0 if none does; at the beginning, one begins."""
    end = data.rfind(b"\n") + 1
    odd = data.count(b'"', 0, end) % 2
    while odd:
        before = data.rfind(b"\n", 0, end - 1) + 1
        odd ^= data.count(b'"', before, end) % 2
        end = before
    return end


def _ends(data: bytes, start: int) -> Iterator[int]:
    """Give where each record ends, the last one with or without a line ending."""
    at, odd = start, 0
    while end := data.find(b"\n", at) + 1:
        odd ^= data.count(b'"', at, end) % 2
        at = end
        if not odd:
            yield end
    if at < len(data) or odd:
        yield len(data)


def _fitting(block: bytes, start: int, most_bytes: int, most_rows: int) -> tuple[int, int]:
    """Give where the last of the records that fit ends, and how many they are."""
    end, rows = start, 0
    for stop in _ends(block, start):
        if stop - start > most_bytes or rows == most_rows:
            break
        end, rows = stop, rows + 1
    return end, rows


def _outside(block: bytes) -> bytes:
    """Leave out what is between quotes, but for a quote in its place."""
    return b'"'.join(block.split(b'"')[::2])


def _has_blank(lines: bytes) -> bool:
    """Tell whether there are blank lines."""
    return lines.startswith((b"\n", b"\r\n")) or _TWO_ENDS.search(lines) is not None


def _content(block: bytes) -> int:
    """Give the length of a block without the line endings at its end."""
    # To strip the block would be to copy it.
    last = block[-4:]
    rest = last.rstrip(b"\r\n")
    return len(block) - len(last) + len(rest) if rest else len(block.rstrip(b"\r\n"))


def _lines(block: bytes) -> int:
    """Count the newlines outside quotes."""
    # Without the text, and without the pairs of quotes with nothing between them, hardly anything is left to look at.
    frame = block.translate(None, _CONTENT).replace(b'""', b"")
    return b"".join(frame.split(b'"')[::2]).count(b"\n")
