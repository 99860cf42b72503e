"""How a listener or a subscription is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from sfconnector._streaming.connection import Connection
    from sfconnector._streaming.feed import Feed


@attrs.frozen
class ChannelHealth:
    """How one channel is; what is counted is counted since the start.

    Attributes:
        position: The last processed event's replay id; ``None`` where there is none yet.
        lag: Seconds from the last processed event's commit, by Salesforce's clock, to the end of its processing.
        queued: Events that have arrived and are not dealt with.
        processed: Events that are dealt with, whatever became of them.
        duplicates: Events that came again and were left out.
        skipped: Events from before the beginning that were left out.
        unhandled: Events that there is no handler for.
        failed: Events whose handler failed for good.
    """

    position: str | None
    lag: float | None
    queued: int
    processed: int
    duplicates: int
    skipped: int
    unhandled: int
    failed: int

    @classmethod
    def of(cls, feed: Feed) -> ChannelHealth:
        """Look at a feed."""
        return cls(
            feed.position,
            feed.lag,
            feed.queued,
            feed.processed,
            feed.duplicates,
            feed.skipped,
            feed.unhandled,
            feed.failed,
        )


@attrs.frozen
class Health:
    """How a listener or a subscription is.

    Attributes:
        state: In a word: ``"created"``, ``"logging in"``, ``"handshaking"``, ``"subscribing"``, ``"connected"``,
            ``"waiting"`` for the next attempt to connect, ``"stopped"`` or ``"failed"``.
        connected: Whether events would arrive now.
        last_poll: When the server answered a poll for the last time; at the latest after two minutes it does.
        error: What went wrong last, even if it has been repaired; ``None`` where nothing did.
        channels: Each channel by its name.
    """

    state: str
    connected: bool
    last_poll: datetime | None
    error: BaseException | None
    channels: Mapping[str, ChannelHealth]


def health_of(
    connection: Connection | None, channels: Mapping[str, Feed], error: BaseException | None, *, failed: bool = False
) -> Health:
    """Look at a connection, if there is one yet."""
    polled = None if connection is None else connection.last_poll
    state = "created" if connection is None else connection.state
    if connection is not None and failed and connection.has_ended:
        state = "failed"
    return Health(
        state,
        state == "connected",
        None if polled is None else datetime.fromtimestamp(polled, UTC),
        error,
        {channel: ChannelHealth.of(feed) for channel, feed in channels.items()},
    )
