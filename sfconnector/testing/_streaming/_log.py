"""The log of events, from which subscribers read: ordered, kept for 72 hours, in the org's database.

https://developer.salesforce.com/docs/platform/api-streaming/guide/using-streaming-api-durability.html
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Final

import attrs
import orjson

from sfconnector.testing._database import Database
from sfconnector.testing._streaming._channels import Channels, stream_of

NEW_ONLY: Final = -1
ALL_RETAINED: Final = -2
RETENTION: Final = timedelta(hours=72)

_COUNTER: Final = "event"
_FLOOR: Final = "event:floor"
# Expired events are deleted whenever so many have come.
_SWEPT_EVERY: Final = 1_000
# What has expired only just now may still be on its way to somebody who subscribed in time.
_GRACE: Final = timedelta(hours=1)
_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS "sf:event" (
        id INTEGER PRIMARY KEY, stream TEXT NOT NULL, entity TEXT NOT NULL, published REAL NOT NULL, data BLOB NOT NULL)
"""
_INDEXES: Final = (
    'CREATE INDEX IF NOT EXISTS "sf:event_stream" ON "sf:event" (stream, id)',
    'CREATE INDEX IF NOT EXISTS "sf:event_entity" ON "sf:event" (entity, id)',
)
_NEXT: Final = 'SELECT id, entity, data FROM "sf:event" WHERE {} = ? AND id > ? ORDER BY id LIMIT ?'


class NotRetainedError(LookupError):
    """No event that is still retained has this replay id."""


@attrs.frozen
class Event:
    """One event: ``data`` is the JSON that subscribers get."""

    replay_id: int
    entity: str
    data: bytes = attrs.field(repr=False)


class EventLog:
    """All events of one org; every method may be called from any thread.

    Args:
        database: the org's.
        clock: the org's, by which events expire.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        for statement in (_TABLE, *_INDEXES):
            database.write(statement)
        self.channels = Channels(database)
        # Called when events have been kept, in the thread that wrote them, which holds the database: be quick.
        self.on_kept: list[Callable[[], None]] = []
        self._appended = False
        database.at_end.append(self._tell)
        self._sweep()

    def append(self, entity: str, data: dict[str, Any]) -> int:
        """Add an event to the transaction under way, or at once if there is none.

        Args:
            entity: ``AccountChangeEvent``, ``Order__e``.
            data: what subscribers get, JSON data; ``event.replayId`` is added.

        Returns:
            The replay id, which is higher than all before and seldom the next number.

        Raises:
            ValueError: there are no events of that name.
        """
        return self.extend([(entity, data)])

    def extend(self, events: Sequence[tuple[str, dict[str, Any]]]) -> int:
        """Add several events, at less cost than each by itself, and return the replay id of the last."""
        published = self._clock().timestamp()
        with self._database.transaction() as connection:
            count = self._database.count_up(_COUNTER, len(events))
            first = count - len(events) + 1
            connection.executemany(
                'INSERT INTO "sf:event" VALUES (?, ?, ?, ?, ?)',
                [
                    (replay_id, stream_of(entity), entity, published, _content(data, replay_id))
                    for replay_id, (entity, data) in zip(map(_replay_id, range(first, count + 1)), events, strict=True)
                ],
            )
            self._appended = True
            if count // _SWEPT_EVERY > (first - 1) // _SWEPT_EVERY:
                self._sweep()
        return _replay_id(count)

    def after(self, channel: str, replay_id: int, limit: int) -> list[Event]:
        """The next events of a channel, the oldest first; none if the channel is not there.

        It gives what has expired, too, unless it is deleted: who follows a channel gets all of it. `position` says
        where to begin.
        """
        selection = self.channels.selection(channel)
        if selection is None:
            return []
        if selection.entities is None:
            rows = self._database.rows(_NEXT.format("stream"), [selection.stream, replay_id, limit])
        elif len(selection.entities) == 1:
            rows = self._database.rows(_NEXT.format("entity"), [*selection.entities, replay_id, limit])
        else:
            # Each entity by itself: for members that have few events not all others are looked through.
            part = f"SELECT * FROM ({_NEXT.format('entity')})"
            sql = f"{' UNION ALL '.join([part] * len(selection.entities))} ORDER BY id LIMIT ?"
            values = [value for entity in selection.entities for value in (entity, replay_id, limit)]
            rows = self._database.rows(sql, [*values, limit])
        return [Event(row["id"], row["entity"], row["data"]) for row in rows]

    def at_once(self) -> AbstractContextManager[bool]:
        """Tell a block whether it may read without waiting for a transaction of somebody else."""
        return self._database.at_once()

    def position(self, channel: str, replay_id: int) -> int:
        """Where a subscriber begins to read: the id to give to `after`.

        Args:
            channel: the channel.
            replay_id: id of the last event that the subscriber has, -1 for new events only, -2 for all retained ones.

        Raises:
            NotRetainedError: no event of the stream has this id, or no longer.
        """
        with self._database.transaction():
            if replay_id == NEW_ONLY:
                return _replay_id(self._counter(_COUNTER))
            floor = self._floor()
            if replay_id == ALL_RETAINED:
                return floor
            selection = self.channels.selection(channel)
            row = self._database.row('SELECT stream FROM "sf:event" WHERE id = ?', [replay_id])
            if replay_id <= floor or row is None or selection is None or row["stream"] != selection.stream:
                raise NotRetainedError(replay_id)
            return replay_id

    def retained(self) -> int:
        """Count the events that can be replayed."""
        with self._database.transaction():
            row = self._database.row('SELECT COUNT(*) FROM "sf:event" WHERE id > ?', [self._floor()])
        return int(row[0]) if row else 0

    def trim(self, *, keep: int = 0) -> None:
        """Let all but the latest events have expired.

        Args:
            keep: number of the events that are still retained.
        """
        if keep < 0:
            raise ValueError(f"There cannot be {keep} events.")
        with self._database.transaction():
            row = self._database.row('SELECT id FROM "sf:event" ORDER BY id DESC LIMIT 1 OFFSET ?', [keep])
            if row is not None:
                floor = max(row["id"], self._counter(_FLOOR))
                self._database.write('INSERT OR REPLACE INTO "sf:counter" VALUES (?, ?)', [_FLOOR, floor])

    def _floor(self) -> int:
        """The id of the last event that has expired, or one before the first that has not."""
        oldest = (self._clock() - RETENTION).timestamp()
        row = self._database.row('SELECT id FROM "sf:event" WHERE published > ? ORDER BY id LIMIT 1', [oldest])
        expired = _replay_id(self._counter(_COUNTER)) if row is None else row["id"] - 1
        return max(expired, self._counter(_FLOOR))

    def _counter(self, name: str) -> int:
        row = self._database.row('SELECT value FROM "sf:counter" WHERE name = ?', [name])
        return 0 if row is None else int(row[0])

    def _sweep(self) -> None:
        oldest = (self._clock() - RETENTION - _GRACE).timestamp()
        # They are in order: only those that are deleted are looked at.
        row = self._database.row('SELECT id FROM "sf:event" WHERE published > ? ORDER BY id LIMIT 1', [oldest])
        if row is None:
            self._database.write('DELETE FROM "sf:event"')
        else:
            self._database.write('DELETE FROM "sf:event" WHERE id < ?', [row["id"]])

    def _tell(self) -> None:
        if self._appended:
            self._appended = False
            for told in self.on_kept:
                told()


def _replay_id(count: int) -> int:
    # With gaps, as Salesforce's: "not guaranteed to be contiguous".
    return 2 * count + count // 3


def _content(data: dict[str, Any], replay_id: int) -> bytes:
    return orjson.dumps({**data, "event": {**data.get("event", {}), "replayId": replay_id}})
