"""Platform events as a person defines them: ``Order__e`` with its fields, as an object of the org.

https://developer.salesforce.com/docs/platform/platform-events/guide/platform-events-define-ui.html
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sfconnector.testing._definition import OBJECT_KEYS, check_keys, label_of, make_field, make_fields
from sfconnector.testing._schema import Field, SObjectType

PUBLISH_BEHAVIOR: Final = "publishBehavior"
IMMEDIATELY: Final = "PublishImmediately"
AFTER_COMMIT: Final = "PublishAfterCommit"

EVENT_KEYS: Final = {
    **{key: OBJECT_KEYS[key] for key in ("label", "label_plural", "key_prefix", "fields")},
    "publish_behavior": f"{IMMEDIATELY}, which is the default, or {AFTER_COMMIT}",
}
# Checkbox, Date, Date/Time, Number, Text and Text Area (Long).
_TYPES: Final = frozenset({"boolean", "date", "datetime", "double", "int", "string", "textarea"})
_SYSTEM_FIELDS: Final[Mapping[str, Any]] = {
    "ReplayId": "string(1000) read_only = Replay ID",
    "CreatedDate": None,
    "CreatedById": None,
    "EventUuid": "string(36) read_only = Event UUID",
}
_DESCRIBE: Final = {
    "activateable": False,
    "compactLayoutable": False,
    "layoutable": False,
    "mruEnabled": False,
    "replicateable": False,
    "retrieveable": False,
    "searchLayoutable": False,
}


def make_event(name: str, definition: Mapping[str, Any]) -> SObjectType:
    """Build a platform event from its definition.

    Raises:
        ValueError: a key, a field's type or the publish behavior is not known.
    """
    check_keys(f"platform event {name}", definition, EVENT_KEYS)
    label = definition.get("label") or label_of(name)
    fields = {field: make_field(field, system) for field, system in _SYSTEM_FIELDS.items()}
    fields |= {field.name: field for field in make_event_fields(definition.get("fields") or {}, name)}
    return SObjectType(
        name=name,
        label=label,
        label_plural=definition.get("label_plural") or f"{label}s",
        key_prefix=definition.get("key_prefix"),
        fields=fields,
        custom=True,
        updateable=False,
        deletable=False,
        undeletable=False,
        queryable=False,
        searchable=False,
        extra={**_DESCRIBE, PUBLISH_BEHAVIOR: publish_behavior(name, definition)},
    )


def publish_behavior(name: str, definition: Mapping[str, Any]) -> str:
    """Read when the event is published: as soon as it is asked for, or with the transaction."""
    behavior = str(definition.get("publish_behavior") or IMMEDIATELY)
    if behavior not in (IMMEDIATELY, AFTER_COMMIT):
        raise ValueError(f"platform event {name}: publish_behavior is {IMMEDIATELY} or {AFTER_COMMIT}, not {behavior}")
    return behavior


def make_event_fields(definitions: Mapping[str, Any] | Iterable[Any], name: str) -> list[Field]:
    """Build the fields of a platform event."""
    fields = make_fields(definitions, sobject=name)
    for field in fields:
        if field.type not in _TYPES:
            raise ValueError(
                f"field {field.name}: a platform event has no field of type {field.type}, "
                f"only of {', '.join(sorted(_TYPES))}"
            )
        if field.unique or field.external_id or field.id_lookup:
            raise ValueError(f"field {field.name}: events are not kept, so none can be unique or found by a value")
    return fields
