"""The arguments of listeners and subscriptions, checked before anything is sent."""

from __future__ import annotations

import re
from typing import Final

_CONSUMER: Final = re.compile(r"[\w.:@/+-]+")


def check_consumer(name: object) -> str:
    """Refuse what cannot be the name of a consumer."""
    if not isinstance(name, str) or _CONSUMER.fullmatch(name) is None:
        raise ValueError(
            f"name is a text without spaces such as 'billing', under which positions are kept, not {name!r}"
        )
    return name


def check_choice(what: str, value: object, choices: tuple[str, ...]) -> str:
    """Refuse what is none of the words that there are."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{what} is one of {', '.join(map(repr, choices))}, not {value!r}")
    return value


def check_seconds(what: str, value: object, *, zero: bool = False) -> float:
    """Refuse what is no time to wait."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{what} is a number of seconds, not a {type(value).__name__}")
    if not 0 <= value < float("inf") or (value == 0 and not zero):
        raise ValueError(f"{what} is a number of seconds {'from' if zero else 'above'} 0, not {value!r}")
    return value


def patience(idle: float) -> float:
    """Give the seconds after which to look whether nothing has come for so many."""
    # What happens to the connection wakes earlier.
    return max(idle / 4, 0.01) if idle < 1 else 0.25
