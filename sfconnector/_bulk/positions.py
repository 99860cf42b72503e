"""Rows of results found again among the rows that were sent.

Salesforce gives the rows of a job back with all their cells, in an order of its own:
https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_failed_results.htm
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Final

from sfconnector._bulk.parts import Part
from sfconnector._csv.values import NULL

_AMBIGUOUS: Final = -1


def positions(part: Part, wanted: Iterable[Mapping[str, str]], *, key: str | None = None) -> list[int | None]:
    """Find rows of results in the part that was sent; one pass over it, and memory for the wanted rows alone.

    Rows that are alike are found in the order that they have in the part. Line endings inside cells, and empty cells
    and ``#N/A``, are taken for the same, since it is not documented that they come back as they went out.

    Args:
        part: It.
        wanted: Rows with the columns of the part, in any capitals, or most of them, and any others, all of them with
            the same.
        key: A column whose value tells a row from the others, for rows that came back changed; it counts for those
            whose value only one row of the part has.

    Returns:
        For each wanted row its position in the part, counted from 0; ``None`` for what is not found.
    """
    found: list[int | None] = []
    looked_for = _Queues()
    by_key: dict[str, int | None] = {}
    keys: list[str] = []
    # By their places in the part, what the columns are called in the rows.
    columns: dict[int, str] = {}
    key_column = None
    for row in wanted:
        if not found:
            columns = _columns(part.columns, row)
            key_column = next((at for at in columns if key and part.columns[at].lower() == key.lower()), None)
        looked_for.put(_digest([row[name] for name in columns.values()]))
        found.append(None)
        if key_column is not None:
            keys.append(row[columns[key_column]])
            by_key[keys[-1]] = None
    if not columns:
        return found
    taken = set()
    for position, cells in enumerate(part.lists()):
        digest = _digest(cells if len(columns) == len(cells) else [cells[index] for index in columns])
        if (index := looked_for.take(digest)) is not None:
            found[index] = position
            taken.add(position)
        if key_column is not None and (value := cells[key_column]) in by_key:
            by_key[value] = position if by_key[value] is None else _AMBIGUOUS
    for at, value in enumerate(keys):
        position_of_key = by_key[value]
        if found[at] is None and position_of_key not in {None, _AMBIGUOUS} and position_of_key not in taken:
            found[at] = position_of_key
            taken.add(position_of_key)
    return found


class Kept:
    """Rows that can be iterated over a second time, from a temporary file, since they may be many.

    Args:
        rows: They.
    """

    def __init__(self, rows: Iterable[Mapping[str, str]]) -> None:
        self._rows = rows
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # it is there until this is closed

    def __iter__(self) -> Iterator[Mapping[str, str]]:
        import orjson

        for row in self._rows:
            # JSON has no line break but escaped ones.
            self._file.write(orjson.dumps(row) + b"\n")
            yield row

    def again(self) -> Iterator[dict[str, str]]:
        """Give the rows that were iterated over."""
        import orjson

        self._file.seek(0)
        yield from map(orjson.loads, self._file)

    def close(self) -> None:
        self._file.close()


class _Queues:
    """Numbers from 0 on in queues, in some bytes each, be they in as many queues or in one."""

    def __init__(self) -> None:
        # A ring for each queue: the last number is followed by the first.
        self._last: dict[bytes, int] = {}
        self._next = array("q")

    def put(self, queue: bytes) -> None:
        """Put the next number at the end of a queue."""
        number = len(self._next)
        last = self._last.get(queue, number)
        self._next.append(self._next[last] if last != number else number)
        self._next[last] = self._last[queue] = number

    def take(self, queue: bytes) -> int | None:
        """Take the first number out of a queue, if there is one."""
        if (last := self._last.get(queue)) is None:
            return None
        first = self._next[last]
        if first == last:
            del self._last[queue]
        else:
            self._next[last] = self._next[first]
        return first


def _columns(columns: Sequence[str], row: Iterable[str]) -> dict[int, str]:
    # Salesforce does not tell capitals from small letters in names.
    called = {name.lower(): name for name in row}
    return {at: called[name.lower()] for at, name in enumerate(columns) if name.lower() in called}


def _digest(cells: Sequence[str]) -> bytes:
    import orjson

    # JSON keeps the cells apart, whatever is in them.
    text = orjson.dumps(cells).replace(b"\\r\\n", b"\\n").replace(b'"' + NULL.encode() + b'"', b'""')
    return blake2b(text, digest_size=16).digest()
