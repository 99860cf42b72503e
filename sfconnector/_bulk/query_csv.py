"""The CSV of a query job's pages as one file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Final

from sfconnector._bulk.pages import Page

# All but quotes and newlines.
_CONTENT: Final = bytes(set(range(256)) - set(b'"\n'))


def write_csv(pages: Iterable[Page], to: IO[bytes]) -> int:
    """Write the rows of all pages below one header, as they came, and give their number."""
    total, header = 0, None
    for page in pages:
        if header is None:
            header = page.header
            to.write(header)
        count = RowCount(page.header)
        for block in page.blocks():
            to.write(block)
            count.add(block)
        if not count.ended:
            to.write(page.dialect.terminator.encode())
        page.rows = count.rows
        total += page.rows
    return total


class RowCount:
    """Counts the rows of a CSV text without reading its cells: newlines behind an even number of quotes end rows.

    Args:
        header: The line before.

    Attributes:
        ended: Whether the last row has a line ending.
    """

    def __init__(self, header: bytes) -> None:
        self.ended = True
        # As many as a row has where no text in it has any; an even number.
        self._usual = b'"' * (header.count(b'"') // 2 * 2 or 2)
        self._ends = 0
        self._quoted = b""

    @property
    def rows(self) -> int:
        return self._ends + (not self.ended)

    def add(self, block: bytes) -> None:
        """Count on in a block, which may begin and end anywhere."""
        # Without the text, and without quotes by even numbers, hardly anything is left.
        frame = self._quoted + block.translate(None, _CONTENT)
        parts = frame.replace(self._usual, b"").replace(b'""', b"").split(b'"')
        self._ends += sum(map(len, parts[::2]))
        self._quoted = b"" if len(parts) % 2 else b'"'
        self.ended = block.endswith(b"\n") and not self._quoted
