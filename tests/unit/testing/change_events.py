"""The change events of a store, as they stand in its log."""

from typing import Any

import attrs
import orjson

from sfconnector.testing._store import Store


@attrs.frozen
class Change:
    """One change event: its header, its fields, and what else comes with it."""

    header: dict[str, Any]
    fields: dict[str, Any]
    schema: str
    replay_id: int

    @property
    def kind(self) -> str:
        return str(self.header["changeType"])

    @property
    def what(self) -> tuple[str, str]:
        return self.kind, str(self.header["entityName"])

    @property
    def ids(self) -> list[str]:
        ids: list[str] = self.header["recordIds"]
        return ids


class Changes:
    """Reads what has been added to the log since the last call."""

    def __init__(self, store: Store, channel: str = "/data/ChangeEvents") -> None:
        self._store, self._channel = store, channel
        self._position = 0
        self.new()

    def new(self) -> list[Change]:
        events = self._store.events.after(self._channel, self._position, 1_000_000)
        if events:
            self._position = events[-1].replay_id
        return [_change(orjson.loads(event.data)) for event in events]


def _change(data: dict[str, Any]) -> Change:
    fields = dict(data["payload"])
    return Change(fields.pop("ChangeEventHeader"), fields, data["schema"], data["event"]["replayId"])
