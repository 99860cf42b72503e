"""What arrives on a channel, typed.

An event keeps what Salesforce sent as it came and reads it when asked: most handlers look at two or three things,
and thousands of events a second are to pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

import attrs

_HEADER: Final = "ChangeEventHeader"
# https://developer.salesforce.com/docs/platform/change-data-capture/guide/cdc-event-fields-header.html
_KINDS: Final = {"CREATE": "create", "UPDATE": "update", "DELETE": "delete", "UNDELETE": "restore", "SNAPSHOT": "gap"}
_NOTHING: Final[Mapping[str, Any]] = {}
_OVERFLOW: Final = "GAP_OVERFLOW"


@attrs.frozen(repr=False, eq=False)
class Event:
    """What arrived on a channel.

    Attributes:
        channel: The channel, such as ``"/data/AccountChangeEvent"``.
        data: All that Salesforce sent, as it came.
    """

    channel: str
    data: Mapping[str, Any]

    kind: ClassVar[str] = "message"

    @property
    def replay_id(self) -> str | None:
        """The event's position in its channel: opaque, and not to be compared by size."""
        return position_of(self.data)

    @property
    def idempotency_key(self) -> str:
        """A text that is the same whenever this event is delivered, and that no other event of the channel has."""
        return "/".join(str(part) for part in key_of(self.data) if part is not None)

    @property
    def schema(self) -> str | None:
        """The id of the event's schema, where there is one."""
        return _text(self.data.get("schema"))

    @property
    def occurred_at(self) -> datetime | None:
        """When the change was committed, or the event published."""
        return occurred_at(self.data)

    def _about(self) -> str:
        return ""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and (other.channel, other.data) == (self.channel, self.data)

    def __hash__(self) -> int:
        return hash((self.channel, self.replay_id))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} on {self.channel}{self._about()}, replay id {self.replay_id}>"


class _Change(Event):
    """The header that all change events have; what Salesforce left out of it is empty or ``None``."""

    __slots__ = ()

    @property
    def header(self) -> Mapping[str, Any]:
        """The whole header, as it came."""
        return _mapping(_mapping(self.data.get("payload")).get(_HEADER))

    @property
    def kind(self) -> str:  # type: ignore[override]  # of other events it is that of their class
        """What is called for the event: ``"create"``, ``"update"``, ``"delete"``, ``"restore"``, ``"gap"``."""
        return classify(self.channel, self.data)[1]

    @property
    def change_type(self) -> str:
        """What happened: ``"CREATE"``, ``"UPDATE"``, ``"DELETE"``, ``"UNDELETE"``, ``"GAP_CREATE"`` and so on."""
        return _text(self.header.get("changeType")) or ""

    @property
    def entity_name(self) -> str:
        """The object, such as ``"Account"``."""
        return _text(self.header.get("entityName")) or ""

    @property
    def record_ids(self) -> tuple[str, ...]:
        """The records: several where one change was made to all of them, or a pattern, see :attr:`is_wildcard`."""
        return _texts(self.header.get("recordIds"))

    @property
    def is_wildcard(self) -> bool:
        """Whether the ids are patterns, such as ``001*``, that stand for all records of the object."""
        return any("*" in each for each in self.record_ids)

    @property
    def change_origin(self) -> str | None:
        """What made the change, such as ``"com/salesforce/api/rest/68.0;client=importer"``."""
        return _text(self.header.get("changeOrigin"))

    @property
    def transaction_key(self) -> str | None:
        """The transaction; its changes share it."""
        return _text(self.header.get("transactionKey"))

    @property
    def sequence_number(self) -> int | None:
        """The place of the change in its transaction, counted from 1."""
        return _number(self.header.get("sequenceNumber"))

    @property
    def commit_timestamp(self) -> datetime | None:
        """When the change was committed, in UTC."""
        return instant(self.header.get("commitTimestamp"))

    @property
    def commit_number(self) -> int | None:
        """The system change number of the commit."""
        return _number(self.header.get("commitNumber"))

    @property
    def commit_user(self) -> str | None:
        """The id of the user who made the change."""
        return _text(self.header.get("commitUser"))

    def _about(self) -> str:
        ids = self.record_ids
        shown = "".join(f" {each}" for each in ids[:1]) + (f" and {len(ids) - 1} more" if len(ids) > 1 else "")
        return f", {self.change_type} {self.entity_name}{shown}"


class ChangeEvent(_Change):
    """A change of records.

    See Also:
        https://developer.salesforce.com/docs/platform/change-data-capture/guide/cdc-event-fields.html
    """

    __slots__ = ()

    @property
    def fields(self) -> dict[str, Any]:
        """The fields with their new values, of the types that JSON has; a new ``dict`` each time."""
        fields = dict(_mapping(self.data.get("payload")))
        fields.pop(_HEADER, None)
        return fields

    @property
    def changed_fields(self) -> tuple[str, ...]:
        """The fields that were changed, of an update; parts of compound fields as ``"Name.FirstName"``."""
        return _texts(self.header.get("changedFields"))

    @property
    def nulled_fields(self) -> tuple[str, ...]:
        """The fields that were emptied, of an update; parts of compound fields as ``"Name.FirstName"``."""
        told = self.header.get("nulledFields")
        # Salesforce leaves the two lists out over CometD, where a field is null only if it was emptied.
        return tuple(path for path in self.changed_fields if self._is_null(path)) if told is None else _texts(told)

    @property
    def diff_fields(self) -> tuple[str, ...]:
        """The large text fields of which only the difference to the text before was sent, as ``{"diff": "…"}``."""
        told = self.header.get("diffFields")
        return (
            tuple(path for path in self.changed_fields if self._is_difference(path)) if told is None else _texts(told)
        )

    def _is_null(self, path: str) -> bool:
        name, _, part = path.partition(".")
        holder = _mapping(self.data.get("payload"))
        if part:
            holder, name = _mapping(holder.get(name)), part
        return name in holder and holder[name] is None

    def _is_difference(self, name: str) -> bool:
        value = _mapping(self.data.get("payload")).get(name)
        return isinstance(value, Mapping) and value.keys() == {"diff"}


class GapEvent(_Change):
    """Salesforce could not tell what was changed, only where: the records are to be read again.

    See Also:
        https://developer.salesforce.com/docs/platform/change-data-capture/guide/cdc-other-events-gap.html
        https://developer.salesforce.com/docs/platform/change-data-capture/guide/cdc-other-events-overflow.html
    """

    __slots__ = ()

    @property
    def is_overflow(self) -> bool:
        """Whether a transaction had too many changes: any record of the object may be affected."""
        return self.change_type == _OVERFLOW


class PlatformEvent(Event):
    """A platform event.

    See Also:
        https://developer.salesforce.com/docs/platform/platform-events/guide/platform-events-subscribe-cometd.html
    """

    __slots__ = ()

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the event, of the types that JSON has; a new ``dict`` each time."""
        return dict(_mapping(self.data.get("payload")))

    @property
    def event_uuid(self) -> str | None:
        """The id that :meth:`Salesforce.publish` answers."""
        return _text(_mapping(self.data.get("event")).get("EventUuid"))

    @property
    def created_date(self) -> datetime | None:
        """When the event was published, in UTC."""
        return instant(_mapping(self.data.get("payload")).get("CreatedDate"))

    @property
    def created_by_id(self) -> str | None:
        """The id of the user who published it."""
        return _text(_mapping(self.data.get("payload")).get("CreatedById"))


class PushTopicEvent(Event):
    """A record that a PushTopic's query found changed; ``type`` tells how.

    See Also:
        https://developer.salesforce.com/docs/platform/api-streaming/guide/notifications.html
    """

    __slots__ = ()

    @property
    def type(self) -> str:
        """What happened: ``"created"``, ``"updated"``, ``"deleted"`` or ``"undeleted"``."""
        return _text(_mapping(self.data.get("event")).get("type")) or ""

    @property
    def sobject(self) -> dict[str, Any]:
        """The fields that the query selects; a new ``dict`` each time."""
        return dict(_mapping(self.data.get("sobject")))

    @property
    def created_date(self) -> datetime | None:
        """When it happened, in UTC."""
        return instant(_mapping(self.data.get("event")).get("createdDate"))


class GenericEvent(Event):
    """A text on a channel of the org's own.

    See Also:
        https://developer.salesforce.com/docs/platform/api-streaming/guide/using-generic-streaming.html
    """

    __slots__ = ()

    @property
    def payload(self) -> Any:
        """What was sent: a text, unless it was something else."""
        return self.data.get("payload")

    @property
    def created_date(self) -> datetime | None:
        """When it was sent, in UTC."""
        return instant(_mapping(self.data.get("event")).get("createdDate"))


_CHANGES: Final[Mapping[object, tuple[type[Event], str]]] = {
    **{change: (ChangeEvent, kind) for change, kind in _KINDS.items()},
    **{f"GAP_{change}": (GapEvent, "gap") for change in ("CREATE", "UPDATE", "DELETE", "UNDELETE", "OVERFLOW")},
}


def decode(channel: str, data: Mapping[str, Any]) -> Event:
    """Make an event of what a message carries."""
    return classify(channel, data)[0](channel, data)


def classify(channel: str, data: Mapping[str, Any]) -> tuple[type[Event], str]:
    """Tell of which class the event in a message is, and of which kind."""
    payload = data.get("payload")
    if type(payload) is dict:
        header = payload.get(_HEADER)
        if type(header) is dict:
            change = header.get("changeType")
            known = _CHANGES.get(change) if type(change) is str else None
            return known or ((GapEvent, "gap") if str(change).startswith("GAP_") else (ChangeEvent, "message"))
        if header is None and not channel.startswith("/data/"):
            return PlatformEvent, "message"
        return ChangeEvent, "message"
    return (PushTopicEvent if "sobject" in data else GenericEvent), "message"


def position_of(data: Mapping[str, Any]) -> str | None:
    """Give the position after an event, or nothing where it has none."""
    event = data.get("event")
    replay_id = event.get("replayId") if type(event) is dict else None
    return None if replay_id is None else str(replay_id)


def key_of(data: Mapping[str, Any]) -> tuple[Any, ...]:
    """Give what tells an event from all others of its channel, as replay ids alone may not after an org has moved."""
    event = data.get("event")
    if type(event) is not dict:
        return ()
    replay_id, uuid = event.get("replayId"), event.get("EventUuid")
    if uuid is None:
        payload = data.get("payload")
        header = payload.get(_HEADER) if type(payload) is dict else None
        if type(header) is dict:
            return (replay_id, header.get("transactionKey"), header.get("sequenceNumber"))
        uuid = event.get("createdDate")
    return (replay_id, uuid)


def occurred_at(data: Mapping[str, Any]) -> datetime | None:
    """Tell when a change was committed, or an event published."""
    payload = _mapping(data.get("payload"))
    if _HEADER in payload:
        return instant(_mapping(payload[_HEADER]).get("commitTimestamp"))
    return instant(payload.get("CreatedDate") or _mapping(data.get("event")).get("createdDate"))


def instant(value: object) -> datetime | None:
    """Read an instant: milliseconds since 1970, or a text; ``None`` where it is neither."""
    try:
        if isinstance(value, str) and not value.isdecimal():
            found = datetime.fromisoformat(value)
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        milliseconds = _number(value)
        return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _mapping(value: object) -> Mapping[str, Any]:
    # The first is what JSON gives, and found out much faster.
    return value if type(value) is dict or isinstance(value, Mapping) else _NOTHING


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()


def _number(value: object) -> int | None:
    try:
        return None if isinstance(value, bool) else int(value)  # type: ignore[call-overload]  # what fits no number raises
    except (TypeError, ValueError):
        return None
