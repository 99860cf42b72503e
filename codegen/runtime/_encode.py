"""Arguments of operations as text: path segments, query parameters and headers."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import TypeAlias
from urllib.parse import quote

Scalar: TypeAlias = str | bool | int | float | datetime.date | datetime.datetime
Argument: TypeAlias = Scalar | Sequence[Scalar] | None


class Repeated:
    """A list that becomes one parameter for each of its items (OpenAPI's ``explode: true``)."""

    def __init__(self, items: Sequence[Scalar] | None) -> None:
        self.items = [items] if isinstance(items, str) else items


def timestamp(value: datetime.datetime) -> str:
    """A zone-aware moment in ISO 8601.

    Raises:
        ValueError: The datetime is naive, so that nobody can tell which moment it means.
    """
    if value.utcoffset() is None:
        raise ValueError(f"{value!r} has no time zone: give it a tzinfo, for instance datetime.UTC")
    return value.isoformat()


def text(name: str, value: Argument) -> str:
    """One argument as text: booleans in lower case, lists joined by commas."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime.datetime):
        return timestamp(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        if not value:
            raise ValueError(f"{name}: the list is empty; leave the argument out instead")
        return ",".join(text(name, item) for item in value)
    raise TypeError(f"{name}: cannot be sent as text: {type(value).__name__}")


def path(template: str, /, **segments: Argument) -> str:
    """The path, with every argument as one percent-encoded segment, so that no value can reach another path.

    Raises:
        ValueError: An argument is empty or made of dots alone, which would lead elsewhere.
    """
    return template.format(**{name: _segment(name, value) for name, value in segments.items()})


def _segment(name: str, value: Argument) -> str:
    result = text(name, value)
    # Most are ids and names of objects.
    if result.isascii() and result.isalnum():
        return result
    if result in {"", ".", ".."}:
        raise ValueError(f"{name}: {result!r} cannot be a segment of a path")
    return quote(result, safe="")


def params(*pairs: tuple[str, Argument | Repeated]) -> tuple[tuple[str, str], ...]:
    """The query, without the arguments that were left out."""
    result: list[tuple[str, str]] = []
    for name, value in pairs:
        if isinstance(value, Repeated):
            result += [(name, text(name, item)) for item in value.items or ()]
        elif value is not None:
            result.append((name, text(name, value)))
    return tuple(result)


def headers(*pairs: tuple[str, Argument]) -> Mapping[str, str]:
    """The headers, without the arguments that were left out.

    Raises:
        ValueError: A value holds a line break or anything else that HTTP cannot carry.
    """
    result = {name: text(name, value) for name, value in pairs if value is not None}
    for name, value in result.items():
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"{name}: a header holds printable ASCII characters only")
    return result
