"""The clients that have shaken hands: their subscriptions, their polls, and how long they are known.

https://developer.salesforce.com/docs/platform/api-streaming/guide/using-streaming-api-timeouts.html
"""

import asyncio
import contextlib
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from enum import Enum
from typing import Final

import attrs

from sfconnector.testing._tokens import Tokens

_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_ID_LENGTH: Final = 27
# Ids of clients that the server has sent away; more than any test will ask about.
_REMEMBERED: Final = 10_000


class End(Enum):
    """Why a client is known no more."""

    DISCONNECTED = "it said goodbye"
    KICKED = "the server said goodbye"
    FORGOTTEN = "the server lost it"


@attrs.define(eq=False)
class Client:
    """One client.

    Args:
        browser: value of the cookie that belongs to it.
        token: access token of its last request.
        positions: where it stands in each channel that it has subscribed to.
        reading: held while events are taken for it: its two connections may ask at once.
        open: requests of it that are being answered.
        last_answer: when it got the latest answer, by the monotonic clock.
        advised: what it was told about polling; ``None`` before its first connect.
    """

    id: str
    browser: str
    token: str = attrs.field(repr=False)
    last_answer: float
    positions: dict[str, int] = attrs.field(factory=dict)
    reading: threading.Lock = attrs.field(factory=threading.Lock, repr=False)
    poll: "Poll | None" = None
    open: int = 0
    advised: float | None = None
    end: End | None = None


@attrs.define(eq=False)
class Poll:
    """A connect that is held: woken when it should look whether there is anything to say."""

    client: Client
    woken: asyncio.Event = attrs.field(factory=asyncio.Event)
    replaced: bool = False


class Clients:
    """All clients of one org; every method may be called from any thread, polls are those of the server's loop."""

    def __init__(self, tokens: Tokens) -> None:
        self.max_interval = 40.0
        self.maximum = 2_000
        self._tokens = tokens
        self._known: dict[str, Client] = {}
        self._kicked: dict[str, None] = {}
        self._polls: set[Poll] = set()
        self._changed = threading.Condition(threading.RLock())
        self._loop: asyncio.AbstractEventLoop | None = None

    def serve_on(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    # -- from handshake to goodbye ------------------------------------------------------------------------------

    def add(self, browser: str, token: str) -> Client | None:
        """Make a client known; ``None`` if there are too many."""
        client_id = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))
        with self._changed:
            self._expire()
            if len(self._known) >= self.maximum:
                return None
            client = self._known[client_id] = Client(client_id, browser, token, time.monotonic())
            self._tokens.hold(token)
            self._changed.notify_all()
        return client

    def get(self, client_id: object) -> Client | None:
        """A client that is known."""
        with self._changed:
            client = self._known.get(client_id) if isinstance(client_id, str) else None
            if client is not None and self._is_late(client):
                self._remove(client, End.FORGOTTEN)
                return None
            return client

    def was_kicked(self, client_id: object) -> bool:
        """Tell whether the server has sent this client away."""
        with self._changed:
            return isinstance(client_id, str) and client_id in self._kicked

    def use(self, client: Client, token: str) -> None:
        """Take note of the token of a request."""
        with self._changed:
            if client.token != token and client.end is None:
                self._tokens.hold(token)
                self._tokens.release(client.token)
                client.token = token

    def enter(self, client: Client) -> None:
        """A request of the client is being answered: it does not expire."""
        with self._changed:
            client.open += 1

    def leave(self, client: Client) -> None:
        """The client has its answer: from now on it must come back in time."""
        with self._changed:
            client.open -= 1
            client.last_answer = time.monotonic()

    def remove(self, client: Client, end: End) -> None:
        with self._changed:
            self._remove(client, end)
        self.ring()

    def remove_all(self, end: End) -> int:
        """Forget all clients, and return how many there were."""
        with self._changed:
            gone = list(self._known.values())
            for client in gone:
                self._remove(client, end)
        self.ring()
        return len(gone)

    def _remove(self, client: Client, end: End) -> None:
        if self._known.pop(client.id, None) is None:
            return
        client.end = end
        self._tokens.release(client.token)
        if end is End.KICKED:
            self._kicked[client.id] = None
            if len(self._kicked) > _REMEMBERED:
                del self._kicked[next(iter(self._kicked))]
        self._changed.notify_all()

    def _expire(self) -> None:
        for client in [client for client in self._known.values() if self._is_late(client)]:
            self._remove(client, End.FORGOTTEN)

    def _is_late(self, client: Client) -> bool:
        return not client.open and time.monotonic() - client.last_answer > self.max_interval

    # -- subscriptions and polls --------------------------------------------------------------------------------

    def subscribe(self, client: Client, channel: str, position: int) -> None:
        with client.reading, self._changed:
            client.positions[channel] = position
            self._changed.notify_all()

    def unsubscribe(self, client: Client, channel: str) -> None:
        with client.reading, self._changed:
            client.positions.pop(channel, None)
            self._changed.notify_all()

    def hold(self, client: Client) -> Poll | None:
        """Begin a poll, in place of one that is held; ``None`` if another client with the same cookie has one."""
        with self._changed:
            if any(poll.client.browser == client.browser and poll.client is not client for poll in self._polls):
                return None
            if client.poll is not None:
                client.poll.replaced = True
                client.poll.woken.set()
            poll = client.poll = Poll(client)
            self._polls.add(poll)
            self._changed.notify_all()
            return poll

    def let_go(self, poll: Poll) -> None:
        """End a poll."""
        with self._changed:
            self._polls.discard(poll)
            if poll.client.poll is poll:
                poll.client.poll = None
            self._changed.notify_all()

    def ring(self) -> None:
        """Let all polls look whether there is anything for them."""
        loop = self._loop
        # A poll that begins only now looks by itself.
        if loop is not None and self._polls:
            with contextlib.suppress(RuntimeError):  # the server has stopped
                loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        with self._changed:
            for poll in self._polls:
                poll.woken.set()

    # -- what a test asks ---------------------------------------------------------------------------------------

    def count(self) -> int:
        with self._changed:
            self._expire()
            return len(self._known)

    def subscriptions(self) -> Counter[str]:
        """How many clients have subscribed to each channel."""
        with self._changed:
            self._expire()
            return Counter(channel for client in self._known.values() for channel in client.positions)

    def polling(self, channel: str | None = None) -> int:
        """How many clients poll, of those that have subscribed to a channel."""
        with self._changed:
            return sum(channel is None or channel in poll.client.positions for poll in self._polls)

    def wait_for(self, reached: Callable[[], bool], timeout: float) -> bool:
        with self._changed:
            return self._changed.wait_for(reached, timeout)
