"""One channel on its way from the network to whoever processes its events."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sfconnector._streaming.channels import bare
from sfconnector._streaming.events import instant, key_of, occurred_at, position_of
from sfconnector._streaming.stores import ReplayKey, ReplayStore

# https://developer.salesforce.com/docs/platform/api-streaming/guide/using-streaming-api-durability.html
TIP: Final = -1
ALL_RETAINED: Final = -2
# As many digits as 64 bits hold.
_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})|[1-9][0-9]{18}")
# What stands for no place, or for none of a single event.
_NOWHERE: Final = (None, TIP, ALL_RETAINED, str(TIP), str(ALL_RETAINED), "")

# Begins what is kept in place of a position while there is none.
_SINCE: Final = "since "
# How long events are kept: https://developer.salesforce.com/docs/platform/api-streaming/guide/using-streaming-api-durability.html
_KEPT: Final = timedelta(hours=72)
_KEPT_SHORTER: Final = timedelta(hours=24)
# How much later than it says of itself an event may come.
_LATE: Final = timedelta(hours=1)

Batch = list[Mapping[str, Any]]


class Moment(NamedTuple):
    """A time by the server's clock, and how far that may be off."""

    at: datetime
    within: timedelta


class Feed:
    """The events of one channel that wait, and how far they are processed.

    One thread puts events in, which waits while too many do, and one takes them out. Positions are compared by
    nothing but equality: after an org has moved, a later one may be smaller.

    Args:
        channel: The channel.
        origin: Where to begin without a position: -1, -2 or a replay id.
        size: How many events may wait before the network has to.
        clock: A clock that never goes backwards, in seconds.
    """

    def __init__(self, channel: str, origin: int | str, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.channel, self.name = channel, bare(channel)
        # The position is read from this when it is asked for: events come by the ten thousand.
        self._position: str | None = None
        self._latest: Mapping[str, Any] | None = None
        self.processed = self.duplicates = self.skipped = self.unhandled = self.failed = 0
        self.asked_for: str | None = None
        self.is_subscribed = False
        self._last: Mapping[str, Any] | None = None
        self._last_at = 0.0
        self._key_now: tuple[Any, ...] = ()
        self._origin, self._size, self._clock = origin, size, clock
        self._store: ReplayStore | None = None
        self._key = ReplayKey("", channel, "")
        self._saved: str | None = None
        self._processed_then = 0
        self._saving = threading.Lock()
        self._changed = threading.Condition()
        self._batches: deque[Batch] = deque()
        self._waiting = self._arrived = 0
        self._rested_at: float | None = clock()
        self._closed = self._drained = False
        self._asked: Moment | None = None
        # When the server began to send from the tip, and the same once all retained events had to be asked for.
        self._since: datetime | None = None
        self._begun: datetime | None = None
        # Two lots, of which the older is given up when the younger is full: that costs less than one at a time.
        self._seen: set[tuple[Any, ...]] = set()
        self._seen_before: set[tuple[Any, ...]] = set()
        self._size_seen = 2 * size
        self._most_seen = self._size_seen

    @property
    def position(self) -> str | None:
        """The replay id of the last event that is dealt with."""
        latest = self._latest
        return self._position if latest is None else position_of(latest)

    @property
    def queued(self) -> int:
        """Events that have come and are not dealt with."""
        return self._arrived - self.processed - self.duplicates - self.skipped

    @property
    def rested_at(self) -> float | None:
        """When all that had come was worked off, by the feed's clock; ``None`` while there is work."""
        with self._changed:
            return None if self._batches else self._rested_at

    @property
    def lag(self) -> float | None:
        """Seconds between the last processed event and the end of its processing."""
        if self._last is None or (then := occurred_at(self._last)) is None:
            return None
        return max(self._last_at - then.timestamp(), 0.0)

    def load(self, store: ReplayStore, key: ReplayKey) -> None:
        """Find out where an earlier consumer of this name has stopped."""
        self._store, self._key = store, key
        if self.position is not None or (stored := store.load(key)) is None:
            return
        if not isinstance(stored, str):
            raise TypeError(f"the store gave a {type(stored).__name__} for the position of {key}, and no text")
        self._saved = stored
        if stored.startswith(_SINCE) and (since := instant(stored.removeprefix(_SINCE))) is not None:
            self._since = since
        else:
            self._position = stored

    def outdated(self, now: datetime) -> str | None:
        """Give the time since which an earlier run has waited, if what came then may be kept no longer."""
        kept = _KEPT_SHORTER if self.name.startswith(("/topic/", "/u/")) else _KEPT
        return self._to_keep if self._since is not None and now - self._since > kept else None

    def rest(self, now: datetime) -> None:
        """Note that nothing has come, and nothing is on its way, so that the next run waits from now on."""
        if self._arrived == 0 and self.position is None and self.is_subscribed:
            since = now - _LATE
            self._since = since if self._since is None else max(self._since, since)

    def resume(self, now: Moment) -> int | str:
        """Say from where on events are asked for, as it goes out."""
        if self.position is not None:
            begin = as_sent(self.position)
        elif self._since is None:
            begin, self._asked = self._origin, now
        else:
            # At the tip, what came since the first time would be passed over.
            begin, self._begun = ALL_RETAINED, self._since
        self.asked_for = str(begin)
        return begin

    def is_at_an_end(self) -> bool:
        """Tell whether the last request named no event, so that there is none that could have gone."""
        return self.asked_for in {str(TIP), str(ALL_RETAINED)}

    def subscribed(self) -> None:
        """Note that the server has begun to send."""
        self.is_subscribed = True
        if self._origin == TIP and self._since is None and self.position is None and self._asked is not None:
            self._since = self._asked.at - self._asked.within

    def forget(self, origin: int) -> None:
        """Give up a position that the server does not take, and begin elsewhere."""
        self._position = self._latest = self._since = self._begun = None
        self._origin = origin

    def put(self, batch: Batch) -> None:
        """Add the events of an answer; waits while there are too many, and does nothing after the end."""
        with self._changed:
            while self._waiting >= self._size and not self._closed:
                self._changed.wait()
            if not self._closed:
                self._batches.append(batch)
                self._waiting += len(batch)
                self._arrived += len(batch)
                # All that waits may come once more after a reconnection.
                self._most_seen = max(self._most_seen, self._size_seen + 2 * len(batch))
                self._changed.notify_all()

    def take(self, timeout: float | None = None) -> Batch | None:
        """Wait for the events of the next answer: ``None`` after the end, an empty list after so many seconds."""
        with self._changed:
            if not self._batches and not self._closed:
                if self._rested_at is None:
                    self._rested_at = self._clock()
                self._changed.wait(timeout)
            if self._closed and not (self._drained and self._batches):
                return None
            if not self._batches:
                return []
            batch, self._rested_at = self._batches.popleft(), None
            self._waiting -= len(batch)
            self._changed.notify_all()
            return batch

    def close(self, *, drain: bool = False) -> None:
        """Take nothing more in, and hand out what waits only if it is to be worked off."""
        with self._changed:
            self._closed, self._drained = True, drain
            self._changed.notify_all()

    @property
    def halted(self) -> bool:
        """Whether nothing more is to be processed."""
        return self._closed and not self._drained

    def wake(self) -> None:
        """Let whoever takes look around."""
        with self._changed:
            self._changed.notify_all()

    def admit(self, data: Mapping[str, Any]) -> bool:
        """Tell whether an event is to be processed, and not one that has been already or that nobody asked for."""
        key = key_of(data)
        try:
            known = key in self._seen or key in self._seen_before
        except TypeError:
            # An id that is a list or an object is none.
            key, known = (), False
        self._key_now = key
        if known:
            self.duplicates += 1
            return False
        if self._begun is not None and (then := occurred_at(data)) is not None and then < self._begun:
            self.skipped += 1
            if not self.processed:
                self._move(data, key)
            return False
        return True

    def done(self, data: Mapping[str, Any]) -> bool:
        """Note that the event that was admitted last is processed, and tell whether the position must be kept now.

        A crash repeats what was processed since that was done last: no more than may wait in the queue.
        """
        self._move(data, self._key_now)
        self.processed += 1
        self._last, self._last_at = data, time.time()
        return self.processed - self._processed_then >= self._size

    @property
    def is_unsaved(self) -> bool:
        """Whether the position has moved since it was saved."""
        return self._to_keep != self._saved

    @property
    def _to_keep(self) -> str | None:
        # As long as no event is dealt with, the first one that comes must not be passed over by the next run.
        since = self._since
        return self.position or (None if since is None else f"{_SINCE}{since.isoformat()}")

    def save(self) -> None:
        """Keep the position, if it has moved."""
        with self._saving:
            # Read first: the position that is kept may then be that of a later event, and not of an earlier one.
            processed, position = self.processed, self._to_keep
            try:
                if self._store is not None and position is not None and position != self._saved:
                    self._store.save(self._key, position)
                    self._saved = position
            finally:
                self._processed_then = processed

    def _move(self, data: Mapping[str, Any], key: tuple[Any, ...]) -> None:
        if not key or key[0] in _NOWHERE:
            # Without a replay id it is nowhere, and cannot be told from others.
            return
        self._latest = data
        self._seen.add(key)
        if len(self._seen) > self._most_seen:
            self._seen, self._seen_before = set(), self._seen


def as_sent(position: str) -> int | str:
    """Give a position in the form in which Salesforce hands replay ids out: a number where it is one."""
    return int(position) if _WHOLE.fullmatch(position) else position


def check_origin(replay_from: object) -> int | str:
    """Read where to begin without a position.

    Raises:
        ValueError, TypeError: It is neither a word that is known nor a replay id.
    """
    if replay_from == "latest":
        return TIP
    if replay_from == "earliest":
        return ALL_RETAINED
    wanted = 'replay_from is "latest", "earliest" or a replay id'
    if isinstance(replay_from, bool) or not isinstance(replay_from, int | str):
        raise TypeError(f"{wanted}, not a {type(replay_from).__name__}")
    if isinstance(replay_from, str):
        if not replay_from or not replay_from.isprintable() or " " in replay_from or replay_from.isalpha():
            raise ValueError(f"{wanted}, not {replay_from!r}")
        return as_sent(replay_from)
    if not -2 <= replay_from < 2**63:
        raise ValueError(f"{wanted}: no event has {replay_from}")
    return replay_from
