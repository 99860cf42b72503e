"""Small values that every operation shares."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeVar

import attrs

if TYPE_CHECKING:
    import requests

T = TypeVar("T")


class Unset(enum.Enum):
    """The type of :data:`UNSET`; an enumeration, because type checkers narrow ``is UNSET`` for those."""

    UNSET = "UNSET"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""Left out of the JSON, where ``None`` would be sent as ``null``."""


@attrs.frozen
class Response(Generic[T]):
    """A success answer with what surrounds it."""

    status_code: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    parsed: T = attrs.field(repr=False)
    raw: requests.Response = attrs.field(repr=False)

    @classmethod
    def of(cls, raw: requests.Response, parsed: T) -> Response[T]:
        """Pair an answer with what was read from it."""
        return cls(status_code=raw.status_code, headers=raw.headers, parsed=parsed, raw=raw)
