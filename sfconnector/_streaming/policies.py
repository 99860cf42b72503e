"""What happens to an event whose handler failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

import attrs

from sfconnector._prepare import check_count
from sfconnector._streaming.events import Event
from sfconnector._streaming.options import check_seconds

# Seconds; a longer wait would only keep the position from moving.
_LONGEST: Final = 60.0


@attrs.frozen
class DeadLetter:
    """Hand events whose handler failed to somebody else; see :func:`dead_letter`."""

    deliver: Callable[[Any, Exception], object]


@attrs.frozen
class Retry:
    """Call the handler again; see :func:`retry`."""

    attempts: int
    backoff: float
    then: Literal["raise", "skip"] | DeadLetter

    def delay(self, failures: int) -> float:
        """Give the seconds to wait after so many failures."""
        return float(min(self.backoff * 2 ** min(failures - 1, 30), _LONGEST))


OnFailure: TypeAlias = Literal["raise", "skip"] | DeadLetter | Retry


def dead_letter(deliver: Callable[[Event, Exception], object]) -> DeadLetter:
    """Hand an event whose handler failed to a function, and go on once that has returned.

    Args:
        deliver: Is given the event and the error, and keeps the event somewhere. If it fails, the listener ends with
            its error, and the event will come again.

    Raises:
        TypeError: It cannot be called.

    Example:
        >>> from sfconnector import streaming
        >>> failed = []
        >>> listener = sf.listener(on_failure=streaming.dead_letter(lambda event, error: failed.append(event)))
    """
    if not callable(deliver):
        raise TypeError(f"dead_letter takes a function of the event and the error, not a {type(deliver).__name__}")
    return DeadLetter(deliver)


def retry(attempts: int = 3, *, backoff: float = 1.0, then: Literal["raise", "skip"] | DeadLetter = "raise") -> Retry:
    """Call a handler that failed again; the events behind wait, so that their order is kept.

    Args:
        attempts: Calls after the first one, at most.
        backoff: Seconds before the first of them; doubled each time, up to 60.
        then: What happens when they have failed as well: ``"raise"``, ``"skip"`` or :func:`dead_letter`.

    Raises:
        ValueError, TypeError: An argument cannot be right.

    Example:
        >>> from sfconnector import streaming
        >>> listener = sf.listener(on_failure=streaming.retry(5, backoff=0.5, then="skip"))
    """
    last = check_policy(then)
    if isinstance(last, Retry):
        raise TypeError('retry: then is "raise", "skip" or dead_letter(…), and not another retry')
    return Retry(check_count("attempts", attempts), check_seconds("backoff", backoff, zero=True), last)


def check_policy(value: object) -> OnFailure:
    """Refuse what is no policy."""
    if isinstance(value, DeadLetter | Retry):
        return value
    for word in ("raise", "skip"):
        if value == word:
            return word
    raise ValueError(f'on_failure is "raise", "skip", streaming.retry(…) or streaming.dead_letter(…), not {value!r}')
