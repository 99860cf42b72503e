"""What a client is subscribed to, and how far each subscription has come."""

from __future__ import annotations

import enum
import threading
from collections.abc import Iterator
from typing import Final

import attrs

from sfconnector.bayeux._model import SubscriptionRefused

_MOST: Final = 1000
_LONGEST: Final = 1024


class Progress(enum.Enum):
    """How far a subscription has come in the current session."""

    WANTED = "nobody sees to it yet"
    SENDING = "a thread sees to it"
    ACTIVE = "the server has agreed"
    GONE = "refused and dropped, or no longer wanted"


@attrs.define(eq=False)
class Subscription:
    """One channel.

    Attributes:
        channel: Its name.
        progress: How far it has come.
        thread: The thread that sees to it.
        refusal: Why it was dropped.
        awaited: Calls that wait for the outcome.
    """

    channel: str
    progress: Progress = Progress.WANTED
    thread: int = 0
    refusal: SubscriptionRefused | None = None
    awaited: int = 0

    @property
    def mine(self) -> bool:
        """Whether the calling thread sees to it."""
        return self.progress is Progress.SENDING and self.thread == threading.get_ident()

    def claim(self) -> None:
        """Have the calling thread see to it."""
        self.progress, self.thread = Progress.SENDING, threading.get_ident()

    def agree(self) -> None:
        """Note that the server has agreed, unless the calling thread no longer sees to it."""
        if self.mine:
            self.progress = Progress.ACTIVE


class Channels:
    """All subscriptions of a client, and the channels that are still to be told to the server as unwanted.

    Whoever calls holds the client's lock.
    """

    def __init__(self) -> None:
        self._subscriptions: dict[str, Subscription] = {}
        self._unwanted: dict[str, None] = {}
        self.work = False

    def __iter__(self) -> Iterator[str]:
        return iter(self._subscriptions)

    def get(self, channel: str) -> Subscription | None:
        """Find a subscription."""
        return self._subscriptions.get(channel)

    def add(self, channel: str) -> Subscription:
        """Find or make a subscription.

        Raises:
            ValueError: There are too many.
        """
        if (found := self._subscriptions.get(channel)) is None:
            if len(self._subscriptions) >= _MOST:
                raise ValueError(f"{channel}: a client has at most {_MOST:,} subscriptions")
            found = self._subscriptions[channel] = Subscription(channel)
            # Told later that it is unwanted, the server would end what has just begun.
            self._unwanted.pop(channel, None)
            self.work = True
        return found

    def remove(self, channel: str, refusal: SubscriptionRefused | None = None) -> bool:
        """Forget a subscription, and tell whether the server knows of it."""
        found = self._subscriptions.pop(channel, None)
        if found is None:
            return False
        known = found.progress is not Progress.WANTED
        found.progress, found.refusal = Progress.GONE, refusal
        return known

    def retract(self, channel: str) -> None:
        """Note that the server is to be told that a channel is no longer wanted."""
        self._unwanted[channel] = None
        self.work = True

    def release(self, subscription: Subscription) -> None:
        """Leave a subscription that a thread saw to for the next."""
        if subscription.mine:
            subscription.progress = Progress.WANTED
            self.work = True

    def next_unwanted(self) -> str | None:
        """Take a channel that the server is to be told of."""
        channel = next(iter(self._unwanted), None)
        if channel is not None:
            del self._unwanted[channel]
        return channel

    def next_wanted(self) -> Subscription | None:
        """Take a subscription that nobody sees to, or note that there is none left."""
        for each in self._subscriptions.values():
            if each.progress is Progress.WANTED:
                each.claim()
                return each
        self.work = False
        return None

    def restart(self) -> None:
        """Begin with a session that knows of nothing."""
        self._unwanted.clear()
        for each in self._subscriptions.values():
            each.progress = Progress.WANTED
        self.work = True

    def claims(self, message_channel: str, other_than: str) -> bool:
        """Tell whether an event may belong to another subscription than the given one."""
        return any(each != other_than and covers(each, message_channel) for each in self._subscriptions)


def check_channel(channel: object) -> str:
    """Refuse what is no name of a channel.

    Raises:
        TypeError, ValueError: It is none.
    """
    if not isinstance(channel, str):
        raise TypeError(f"channel is text such as '/data/ChangeEvents', not a {type(channel).__name__}")
    if not channel.startswith("/") or len(channel) < 2 or len(channel) > _LONGEST or not channel.isprintable():
        raise ValueError(f"channel is a name such as '/data/ChangeEvents', not {channel[:80]!r}")
    if channel.startswith("/meta/"):
        raise ValueError(f"{channel[:80]}: the client itself uses the channels below /meta")
    return channel


def covers(subscription: str, channel: str) -> bool:
    """Tell whether events of a channel come by a subscription, which may have wildcards or a filter.

    See Also:
        https://docs.cometd.org/current8/reference/#_concepts_channels_wild

    Example:
        >>> covers("/topic/Invoices?Region=EMEA", "/topic/Invoices"), covers("/event/*", "/event/a/b")
        (True, False)
    """
    name = subscription.partition("?")[0]
    if name.endswith("/**"):
        return channel.startswith(name[:-2])
    if name.endswith("/*"):
        return channel.startswith(name[:-1]) and "/" not in channel[len(name) - 1 :]
    return channel in (subscription, name)
