"""What the server advises, when to come back, and what is done about failures where nobody else says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import attrs

from sfconnector.bayeux._model import SUBSCRIBE, BayeuxError, Failure, Reaction, Stage, SubscriptionRefused

# In seconds. A server that advises more than this is mistaken, and would make the client deaf.
_LONGEST: Final = 3600.0
# As long as CometD servers hold a poll at most, where they do not tell.
_USUAL_HOLD: Final = 120.0
# "402::Unknown client" by the protocol, "403::Unknown client" and "402::session_unknown" by servers.
_UNKNOWN_CLIENT: Final = re.compile(r"40[23]:[^:]*:.*unknown", re.IGNORECASE)


@attrs.define
class Advice:
    """The server's advice so far: each answer may change a part of it.

    Attributes:
        hold: Seconds for which the server holds a poll.
        interval: Seconds to wait before the next poll.
        reconnect: ``"retry"``, ``"handshake"`` or ``"none"``.

    See Also:
        https://docs.cometd.org/current8/reference/#_bayeux_protocol_elements_field_advice
    """

    hold: float = _USUAL_HOLD
    interval: float = 0.0
    reconnect: str = "retry"

    def take(self, advice: Mapping[str, Any]) -> None:
        """Follow an advice; what makes no sense in it is left out."""
        self.hold = _seconds(advice.get("timeout"), self.hold)
        self.interval = _seconds(advice.get("interval"), self.interval)
        if isinstance(reconnect := advice.get("reconnect"), str):
            self.reconnect = reconnect


def _seconds(milliseconds: object, default: float) -> float:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float) or not milliseconds >= 0:
        return default
    return min(milliseconds, _LONGEST * 1000) / 1000


def _is_positive(_: object, attribute: attrs.Attribute[float], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ValueError(f"Backoff: {attribute.name} is a number of seconds, not {value!r}")


@attrs.frozen
class Backoff:
    """Delays drawn at random between 0 and a bound that doubles with each failure in a row.

    Args:
        first: Seconds; the first bound.
        cap: Seconds; the highest bound.

    See Also:
        https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/

    Example:
        >>> Backoff(first=1.0, cap=60.0).delay(3, lambda: 0.5)
        2.0
    """

    first: float = attrs.field(default=1.0, validator=_is_positive)
    cap: float = attrs.field(default=60.0, validator=_is_positive)

    def delay(self, failures: int, random: Callable[[], float]) -> float:
        """Give the seconds to wait after so many failures in a row, counted from 1."""
        # Beyond 2**64 times the first bound any cap is reached, and a float still holds it.
        return random() * min(self.cap, self.first * 2.0 ** min(failures - 1, 64))


def by_advice(failure: Failure) -> Reaction:
    """Do what the protocol says about a failure; the client's ``react`` if none is given.

    A client that the server does not know makes a new handshake whatever the advice is. A subscription that was
    refused is dropped where a call waits to be told, and ends the client otherwise, since a client that is deaf on a
    channel must not look like one that hears.
    """
    if failure.exception is None and not _UNKNOWN_CLIENT.match(failure.error):
        reconnect = failure.advice.get("reconnect")
        if failure.stage is Stage.COMMAND and failure.message is not None and reconnect != "handshake":
            # It was about a channel that nobody wants any more.
            return Reaction.drop()
        refused = failure.stage is Stage.SUBSCRIBE and (failure.message or {}).get("channel") == SUBSCRIBE
        if refused and reconnect != "handshake":
            return Reaction.drop() if failure.awaited else Reaction.give_up(SubscriptionRefused(failure))
        if reconnect == "none":
            return Reaction.give_up(BayeuxError(f"{failure}; the server advises not to come back"))
    return Reaction.handshake()


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read the seconds to wait out of a ``Retry-After``, be they a number or a date; names in small letters."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal() and value.isascii():
        return min(float(value), _LONGEST)
    if (then := _moment(value)) is None:
        return None
    # By the clock of whoever named the date, so that ours need not be right.
    now = _moment(headers.get("date", "")) or datetime.now(UTC)
    return min(max((then - now).total_seconds(), 0.0), _LONGEST)


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
