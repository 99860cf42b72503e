"""The header of a CSV text, checked before it is sent."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from sfconnector._csv.dialect import DELIMITERS, Dialect


def check_columns(columns: Sequence[object]) -> tuple[str, ...]:
    """Refuse columns that cannot be fields: none at all, empty or padded names, control characters, one twice.

    Raises:
        TypeError: A name is no text.
        ValueError: The columns cannot be right.
    """
    names: list[str] = []
    for name in columns:
        if not isinstance(name, str):
            raise TypeError(f"a column is named by a text, not by {name!r}")
        if not name.strip():
            raise ValueError(f"column {len(names) + 1} of {len(columns)} has no name")
        if name != name.strip() or any(unicodedata.category(each) in {"Cc", "Cs"} for each in name):
            raise ValueError(f"the column {name!r} has spaces around its name, or characters that no name has")
        names.append(str.__str__(name))
    if not names:
        raise ValueError("there are no columns")
    # Salesforce does not tell capitals from small letters in names.
    check_distinct(name.lower() for name in names)
    return tuple(names)


def check_distinct(columns: Iterable[str]) -> None:
    """Refuse columns of which two have the same name, since a row as a dict holds one of them only."""
    seen: set[str] = set()
    for name in columns:
        if name in seen:
            raise ValueError(f"the column {name!r} is there more than once")
        seen.add(name)


def check_delimiter(columns: Sequence[str], dialect: Dialect) -> None:
    """Refuse a header that has become one cell because other delimiters stand in it."""
    if len(columns) != 1:
        return
    for name, character in DELIMITERS.items():
        if character in columns[0] and name != dialect.column_delimiter:
            raise ValueError(
                f"the header has no {dialect.column_delimiter} as its delimiter, but looks like {name}: "
                f"give column_delimiter={name!r}"
            )
