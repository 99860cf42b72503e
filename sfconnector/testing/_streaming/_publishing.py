"""Publishing of platform events: an event is created as a record is, and is nowhere but on the bus.

https://developer.salesforce.com/docs/platform/platform-events/guide/platform-events-publish-api.html
"""

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from sfconnector.testing import _ids
from sfconnector.testing._context import RequestContext
from sfconnector.testing._database import Database
from sfconnector.testing._schema import Field, SObjectType
from sfconnector.testing._streaming._event_definition import AFTER_COMMIT, PUBLISH_BEHAVIOR
from sfconnector.testing._streaming._event_fields import schema_id, written
from sfconnector.testing._streaming._log import EventLog
from sfconnector.testing._validation import Validator
from sfconnector.testing._values import Misfit, from_json

ENQUEUED: Final = "OPERATION_ENQUEUED"
_NOT_IN_PAYLOAD: Final = frozenset({"EventUuid", "ReplayId"})


@attrs.frozen
class Published:
    """An event that is on its way; ids need not differ, the UUID does.

    "It isn't used to identify an event message, and it isn't always unique."
    """

    id: str
    event_uuid: str


class Publisher:
    """Publishes the platform events of one org; the caller holds the transaction.

    Args:
        database: the org's.
        validator: checks events as it does records.
        events: where they go.
        clock: gives the time that they are stamped with.
    """

    def __init__(
        self, database: Database, validator: Validator, events: EventLog, clock: Callable[[], datetime]
    ) -> None:
        self._database, self._validator, self._events, self._clock = database, validator, events, clock
        # What is published whatever becomes of the transaction, as soon as it is over.
        self._immediate: list[tuple[str, dict[str, Any]]] = []
        database.at_end.append(self._flush)

    def publish(self, sobject: SObjectType, columns: dict[str, Any], context: RequestContext) -> Published:
        """Publish an event.

        Raises:
            OrgError: it is refused, as a record would be.
        """
        checked = self._validator.check(sobject, columns, context)
        now = self._clock().astimezone(UTC)
        payload: dict[str, Any] = {
            "CreatedDate": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z",
            "CreatedById": context.user_id,
        }
        for field in sobject.fields.values():
            if field.name not in payload and field.name not in _NOT_IN_PAYLOAD:
                payload[field.name] = written(field, _value(field, checked))
        event_uuid = str(uuid.uuid4())
        event = {"schema": schema_id(sobject), "payload": payload, "event": {"EventUuid": event_uuid}}
        if sobject.extra.get(PUBLISH_BEHAVIOR) == AFTER_COMMIT:
            self._events.append(sobject.name, event)
        else:
            self._immediate.append((sobject.name, event))
        return Published(_ids.make(sobject.key_prefix or "e00", 1), event_uuid)

    def _flush(self) -> None:
        if self._immediate:
            waiting, self._immediate = self._immediate, []
            self._events.extend(waiting)


def _value(field: Field, columns: Mapping[str, Any]) -> Any:
    if field.name in columns and (columns[field.name] is not None or field.type != "boolean"):
        return columns[field.name]
    try:
        default = from_json(field, field.default_value)
    except Misfit:
        default = None
    return 0 if default is None and field.type == "boolean" else default
