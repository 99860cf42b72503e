"""What failures of the connection mean: by their text first, and by what else is known second.

The same text comes as the error of a reply, or in its ``ext.sfdc.failureReason`` beside an error that says nothing;
and the advice that comes with it is not to be relied on: "none" goes with failures that a new handshake repairs.

See Also:
    https://developer.salesforce.com/docs/platform/api-streaming/guide/streaming-error-codes.html
    https://developer.salesforce.com/docs/platform/api-streaming/guide/streaming-handling-errors.html
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from sfconnector.bayeux import Failure


class Cause(enum.Enum):
    """What a failure means."""

    SESSION = "the login is not, or no longer, valid"
    CLIENT = "the server has forgotten the connection"
    LIMIT = "a limit of the org is used up"
    BUSY = "the server is too busy"
    REPLAY = "the position is not, or no longer, valid"
    CHANNEL = "the channel is refused"
    FORBIDDEN = "the connection is refused for good"
    LOST = "no usable answer came"
    UNKNOWN = "the server gave another reason"


class _Row(NamedTuple):
    text: str
    cause: Cause


# The first row whose text is found decides; apostrophes are written in two ways.
_ROWS: Final = (
    _Row(r"^401\b|authentication invalid|requires authentication", Cause.SESSION),
    _Row(r"events daily limit|concurrent user limit|subscription limit exceeded|channel limit", Cause.LIMIT),
    _Row(r"^503\b|too busy|simultaneous connections per server", Cause.BUSY),
    _Row(r"replayId\b.*(invalid|wasn.t found)", Cause.REPLAY),
    _Row(r"^40[0-9].*(unknown client|session_unknown|completed handshake|cookie present)", Cause.CLIENT),
    _Row(
        r"does(n.t| not) exist|do not exist|unknown channel|cannot create channel|create_denied|subscribe_denied"
        r"|restricted channel|no access on channel|not have access|not allowed to subscribe|not enabled for streaming"
        r"|channel name not specified|leading '/'|vary only by case|subscription_invalid|channel_invalid"
        r"|denied_by_security_policy",
        Cause.CHANNEL,
    ),
    _Row(r"unsupported API version|API version information|version in the URI|connection type", Cause.FORBIDDEN),
)
_PATTERNS: Final = tuple((re.compile(row.text, re.IGNORECASE), row.cause) for row in _ROWS)
_BUSY_STATUSES: Final = frozenset({429, 503})


def text_of(failure: Failure) -> str:
    """Give what the server said, the reason behind it included."""
    reason = _reason(failure.message)
    if reason and reason not in failure.error:
        return f"{failure.error} ({reason})" if failure.error else reason
    return failure.error


def cause_of(failure: Failure) -> Cause:
    """Tell what a failure means."""
    if failure.status == 401:
        return Cause.SESSION
    if failure.status in _BUSY_STATUSES:
        return Cause.BUSY
    for text in (_reason(failure.message), failure.error):
        for pattern, cause in _PATTERNS:
            if text and pattern.search(text):
                return cause
    if failure.exception is not None or failure.status is not None:
        return Cause.LOST
    # A bare /meta/disconnect says that the session is over, and nothing else.
    return Cause.UNKNOWN if failure.error else Cause.CLIENT


def _reason(message: Mapping[str, object] | None) -> str:
    match message:
        case {"ext": {"sfdc": {"failureReason": str(reason)}}}:
            return reason
    return ""
