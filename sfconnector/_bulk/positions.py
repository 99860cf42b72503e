"""Rows of results found again among the rows that were sent.

Salesforce gives the rows of a job back with all their cells, in an order of its own:
https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_failed_results.htm
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

from sfconnector._bulk.parts import Part
from sfconnector._csv.values import NULL

_AMBIGUOUS: Final = -1


def positions(part: Part, wanted: Iterable[Mapping[str, str]], *, key: str | None = None) -> list[int | None]:
    """Find rows of results in the part that was sent; one pass over it, and memory for the wanted rows alone.

    Rows that are alike are found in the order that they have in the part. Line endings inside cells, and empty cells
    and ``#N/A``, are taken for the same, since it is not documented that they come back as they went out.

    Args:
        part: It.
        wanted: Rows with the columns of the part, or most of them, and any others, all of them with the same.
        key: A column whose value tells a row from the others, for rows that came back changed; it counts for those
            whose value only one row of the part has.

    Returns:
        For each wanted row its position in the part, counted from 0; ``None`` for what is not found.
    """
    found: list[int | None] = []
    looked_for: defaultdict[bytes, deque[int]] = defaultdict(deque)
    by_key: dict[str, int | None] = {}
    keys: list[str] = []
    columns: list[int] = []
    key_column = None
    for row in wanted:
        if not found:
            columns = [index for index, name in enumerate(part.columns) if name in row]
            key_column = _key_column(part.columns, row, key)
        looked_for[_digest([row[part.columns[index]] for index in columns])].append(len(found))
        found.append(None)
        if key_column is not None:
            keys.append(row[part.columns[key_column]])
            by_key[keys[-1]] = None
    if not columns:
        return found
    taken = set()
    for position, cells in enumerate(part.lists()):
        digest = _digest(cells if len(columns) == len(cells) else [cells[index] for index in columns])
        if places := looked_for.get(digest):
            found[places.popleft()] = position
            taken.add(position)
        if key_column is not None and (value := cells[key_column]) in by_key:
            by_key[value] = position if by_key[value] is None else _AMBIGUOUS
    for index, value in enumerate(keys):
        position_of_key = by_key[value]
        if found[index] is None and position_of_key not in {None, _AMBIGUOUS} and position_of_key not in taken:
            found[index] = position_of_key
            taken.add(position_of_key)
    return found


def _key_column(columns: Sequence[str], row: Mapping[str, Any], key: str | None) -> int | None:
    if key is None:
        return None
    return next((at for at, name in enumerate(columns) if name.lower() == key.lower() and name in row), None)


def _digest(cells: Sequence[str]) -> bytes:
    import orjson

    # JSON keeps the cells apart, whatever is in them.
    text = orjson.dumps(cells).replace(b"\\r\\n", b"\\n").replace(b'"' + NULL.encode() + b'"', b'""')
    return blake2b(text, digest_size=16).digest()
