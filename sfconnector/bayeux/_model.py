"""What the parts of the client share: messages, states, failures, and what is done about a failure."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Final, Protocol, Self

import attrs

Message = dict[str, Any]

HANDSHAKE: Final = "/meta/handshake"
CONNECT: Final = "/meta/connect"
SUBSCRIBE: Final = "/meta/subscribe"
UNSUBSCRIBE: Final = "/meta/unsubscribe"
DISCONNECT: Final = "/meta/disconnect"


class Extension(Protocol):
    """Looks at every message that is sent or has come, and may change it in place.

    Raising ends the client: `run()` raises the same.

    See Also:
        https://docs.cometd.org/current8/reference/#_bayeux_protocol_elements_field_ext
    """

    def outgoing(self, message: Message) -> None:
        """Take a message that is about to be sent."""

    def incoming(self, message: Message) -> None:
        """Take a message of an answer, before it is delivered."""


class State(enum.Enum):
    """Where a client is; the package's docstring draws the ways between them."""

    UNCONNECTED = "unconnected"
    HANDSHAKING = "handshaking"
    SUBSCRIBING = "subscribing"
    CONNECTED = "connected"
    WAITING = "waiting"
    STOPPED = "stopped"
    FAILED = "failed"


NEXT: Final[Mapping[State, frozenset[State]]] = {
    State.UNCONNECTED: frozenset({State.HANDSHAKING, State.STOPPED}),
    State.HANDSHAKING: frozenset({State.SUBSCRIBING, State.WAITING, State.STOPPED, State.FAILED}),
    State.SUBSCRIBING: frozenset({State.CONNECTED, State.WAITING, State.STOPPED, State.FAILED}),
    State.CONNECTED: frozenset({State.WAITING, State.STOPPED, State.FAILED}),
    State.WAITING: frozenset({State.HANDSHAKING, State.STOPPED, State.FAILED}),
    State.STOPPED: frozenset(),
    State.FAILED: frozenset(),
}


class Stage(enum.Enum):
    """What an exchange with the server was for."""

    HANDSHAKE = "handshake"
    SUBSCRIBE = "subscribe"
    CONNECT = "connect"
    COMMAND = "command"


class BayeuxError(Exception):
    """Something is wrong between the client and the server."""


class AnswerError(BayeuxError):
    """An answer cannot be used: it is no HTTP, no JSON, cut, too long, or lacks the reply."""


class SubscriptionRefused(BayeuxError):
    """The server refused a subscription.

    Attributes:
        channel: The channel.
        failure: What the server said.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"subscribe to {failure.channel}: {failure.error or failure}")
        self.channel, self.failure = failure.channel, failure


@attrs.frozen
class Failure:
    """What went wrong with one exchange.

    Attributes:
        stage: What the exchange was for.
        error: The server's text, such as ``"403::Unknown client"``.
        message: The unsuccessful reply, or the message by which the server ended the session.
        channel: The channel of a subscribe.
        status: The HTTP status, if it was not 200.
        retry_after: Seconds that the server asks to wait.
        exception: No usable answer: cut, timeout, half a body, HTML in place of JSON.
        advice: The advice in that answer.
        awaited: A call of `subscribe()` waits for the outcome, and will be told.
    """

    stage: Stage
    error: str = ""
    message: Message | None = attrs.field(default=None, repr=False)
    channel: str = ""
    status: int | None = None
    retry_after: float | None = None
    exception: Exception | None = None
    advice: Mapping[str, Any] = attrs.field(factory=dict)
    awaited: bool = False

    def __str__(self) -> str:
        what = f"{self.stage.value} {self.channel}".rstrip()
        if self.exception is not None:
            return f"{what}: {type(self.exception).__name__}: {self.exception}"
        said = " ".join(str(part) for part in (self.status, self.error) if part)
        return f"{what}: {said or 'the server ended the session'}"


class Kind(enum.Enum):
    """What a reaction is."""

    HANDSHAKE = "handshake"
    RESUBSCRIBE = "resubscribe"
    DROP = "drop"
    GIVE_UP = "give up"


@attrs.frozen
class Reaction:
    """What is to be done about a failure; made by its class methods."""

    kind: Kind
    delay: float | None = None
    error: Exception | None = None

    @classmethod
    def handshake(cls, delay: float | None = None) -> Self:
        """Make a new session and subscribe again, after so many seconds, or after the backoff's delay."""
        return cls(Kind.HANDSHAKE, delay)

    @classmethod
    def resubscribe(cls, delay: float | None = None) -> Self:
        """Send the refused subscribe again, as the extensions make it now; elsewhere this is a new handshake."""
        return cls(Kind.RESUBSCRIBE, delay)

    @classmethod
    def drop(cls) -> Self:
        """Do without the channel whose subscribe was refused, or without the unsubscribe that was.

        Elsewhere this is a new handshake.
        """
        return cls(Kind.DROP)

    @classmethod
    def give_up(cls, error: Exception) -> Self:
        """End: `run()` raises the error."""
        return cls(Kind.GIVE_UP, error=error)


class Failed(Exception):
    """An exchange failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure


class Aborted(Exception):
    """An exchange was ended from another thread."""
