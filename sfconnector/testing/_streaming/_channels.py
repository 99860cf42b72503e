"""The channels that events are read from, and what of the bus each of them carries.

https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_subscribe_channels.htm
"""

import json
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

import attrs

from sfconnector.testing._database import Database
from sfconnector.testing._streaming._event_fields import has_change_events

# The two streams of the bus, by the first part of a channel's name.
DATA: Final = "data"
EVENT: Final = "event"
ALL_CHANGES: Final = "/data/ChangeEvents"

# As many as one query can bring together.
_MOST_MEMBERS: Final = 400
_NAME: Final = re.compile(r"[A-Za-z]\w*", re.ASCII)
_ENTITIES: Final = {
    DATA: re.compile(r"[A-Za-z]\w*?ChangeEvent", re.ASCII),
    EVENT: re.compile(r"[A-Za-z]\w*__e", re.ASCII),
}
_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS "sf:channel" (name TEXT PRIMARY KEY, stream TEXT NOT NULL, members TEXT NOT NULL)
"""


# Many events of few entities.
@lru_cache(maxsize=1_000)
def stream_of(entity: str) -> str:
    """Tell on which stream the events of an entity are.

    Raises:
        ValueError: it is the name neither of a change event nor of a platform event.
    """
    for stream, pattern in _ENTITIES.items():
        if pattern.fullmatch(entity):
            return stream
    raise ValueError(f"{entity!r} is no event; one is named like AccountChangeEvent, Invoice__ChangeEvent or Order__e.")


def entity_object(entity: str) -> str:
    """Name the object behind an event: ``Account``, ``Employee__c``, or the platform event itself."""
    name = entity.removesuffix("ChangeEvent")
    return f"{name}c" if name != entity and name.endswith("__") else name


@attrs.frozen
class Selection:
    """What a channel carries of a stream: the events of some entities, or of all of them (``None``)."""

    stream: str
    entities: tuple[str, ...] | None = None


class Channels:
    """The channels of one org; names are case-sensitive, as in Salesforce."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._database.write(_TABLE)
        # Called when a channel has been added, in its transaction.
        self.on_added: list[Callable[[], None]] = []

    def add(self, name: str, members: Iterable[str]) -> str:
        """Add a custom channel, or give it other members.

        Args:
            name: such as ``SalesEvents__chn``.
            members: change events, or platform events; one channel has not both.

        Returns:
            What to subscribe to, such as ``/data/SalesEvents__chn``.

        Raises:
            ValueError: a name is none of a channel or an event, there are no such change events, or the members do
                not fit together.
        """
        if not name.endswith("__chn") or not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a custom channel; it ends with __chn, as in SalesEvents__chn.")
        if isinstance(members, str):
            raise TypeError(f"The members of {name} are a list of events, not one text.")
        wanted = list(dict.fromkeys(members))
        if len(wanted) > _MOST_MEMBERS:
            raise ValueError(f"{name} cannot have {len(wanted)} members; {_MOST_MEMBERS} are enough for an org's.")
        streams = {stream_of(entity) for entity in wanted}
        for entity in wanted:
            if stream_of(entity) == DATA and not has_change_events(entity_object(entity)):
                raise ValueError(f"{name} cannot have {entity}: there are no change events of {entity_object(entity)}.")
        if len(streams) != 1:
            raise ValueError(f"{name} has change events or platform events, at least one, and not both.")
        stream = streams.pop()
        with self._database.transaction():
            self._database.write(
                'INSERT OR REPLACE INTO "sf:channel" VALUES (?, ?, ?)', [name, stream, json.dumps(wanted)]
            )
            for told in self.on_added:
                told()
        return f"/{stream}/{name}"

    def captured(self) -> frozenset[str]:
        """Name the change events that are members of custom channels."""
        rows = self._database.rows('SELECT members FROM "sf:channel" WHERE stream = ?', [DATA])
        return frozenset(entity for row in rows for entity in json.loads(row["members"]))

    def selection(self, channel: str) -> Selection | None:
        """What a channel carries; ``None`` if its name can be no channel's, or the custom channel is not there."""
        _, stream, name = channel.split("/") if channel.count("/") == 2 else ("", "", "")
        if channel == ALL_CHANGES:
            return Selection(DATA)
        if name.endswith("__chn"):
            row = self._database.row('SELECT stream, members FROM "sf:channel" WHERE name = ?', [name])
            found = row is not None and row["stream"] == stream
            return Selection(stream, tuple(json.loads(row["members"]))) if row is not None and found else None
        pattern = _ENTITIES.get(stream)
        return Selection(stream, (name,)) if pattern is not None and pattern.fullmatch(name) else None
