"""What a client gets: where its subscriptions begin, and the next events of them."""

import heapq
from typing import Any, Final

from sfconnector.testing._store import Store
from sfconnector.testing._streaming import _messages
from sfconnector.testing._streaming._channels import ALL_CHANGES, DATA, entity_object
from sfconnector.testing._streaming._clients import Client
from sfconnector.testing._streaming._event_fields import has_change_events
from sfconnector.testing._streaming._log import NEW_ONLY, NotRetainedError
from sfconnector.testing._streaming._steering import StreamingSteering

# Clients are advised to have room for 10 MB.
# https://github.com/forcedotcom/EMP-Connector/blob/master/README.md
_LARGEST_ANSWER: Final = 8_000_000
_LARGEST_ID: Final = 2**63 - 1


class Delivery:
    """Reads events for clients; most methods wait for the database, and so are not for the server's loop."""

    def __init__(self, store: Store, steering: StreamingSteering) -> None:
        self._store = store
        self._steering = steering

    def take_at_once(self, client: Client) -> list[bytes] | None:
        """As ``take``; ``None`` if that would have to wait, which is seldom: this alone is for the server's loop."""
        if not client.reading.acquire(blocking=False):
            return None
        try:
            with self._store.events.at_once() as free:
                return self._take(client) if free else None
        finally:
            client.reading.release()

    def take(self, client: Client) -> list[bytes]:
        """The next messages for a client, in the order of the bus; they count as delivered."""
        with client.reading:
            return self._take(client)

    def _take(self, client: Client) -> list[bytes]:
        limit = self._steering.events_per_answer
        taken: list[bytes] = []
        size = 0
        found = (
            [(event.replay_id, channel, event.data) for event in self._store.events.after(channel, position, limit)]
            for channel, position in client.positions.items()
        )
        for replay_id, channel, data in heapq.merge(*found):
            taken.append(_messages.delivery(channel, data))
            client.positions[channel] = replay_id
            size += len(data)
            if len(taken) >= limit or size >= _LARGEST_ANSWER:
                break
        return taken

    def subscribe(self, client: Client, channel: str, ext: Any) -> str | None:
        """Let a client follow a channel, or return why it cannot."""
        if not channel.startswith("/"):
            return _messages.NO_SLASH
        if not self._exists(channel):
            is_generic = channel.startswith("/u/")
            return _messages.UNKNOWN_CHANNEL if is_generic else _messages.NO_SUCH_CHANNEL.format(channel)
        replay = ext.get("replay") if isinstance(ext, dict) else None
        if replay is None:
            if channel in client.positions:
                return None
            replay = {channel: NEW_ONLY}
        if not isinstance(replay, dict) or channel not in replay:
            return _messages.NO_REPLAY_ID.format(channel, _messages.replay_map(replay))
        asked = replay[channel]
        try:
            position = self._store.events.position(channel, _number(asked))
        except NotRetainedError:
            return _messages.BAD_REPLAY_ID.format("null" if asked is None else asked)
        self._steering.registry.subscribe(client, channel, position)
        return None

    def _exists(self, channel: str) -> bool:
        selection = self._store.events.channels.selection(channel)
        if selection is None:
            return False
        if channel == ALL_CHANGES or channel.endswith("__chn"):
            return True
        name = entity_object(channel.rpartition("/")[2])
        sobject = self._store.schema.get(name)
        if sobject is None or sobject.name != name:
            return False
        # There is a channel for every object that supports it, whether or not it is selected.
        return selection.stream != DATA or has_change_events(name)


def _number(replay_id: Any) -> int:
    """A replay id as a number; clients send texts, too.

    Raises:
        NotRetainedError: it is none.
    """
    if isinstance(replay_id, str):
        digits = replay_id.strip()
        replay_id = int(digits) if digits.removeprefix("-").isdecimal() and len(digits) < 20 else None
    if isinstance(replay_id, bool) or not isinstance(replay_id, int) or abs(replay_id) > _LARGEST_ID:
        raise NotRetainedError(replay_id)
    return replay_id
