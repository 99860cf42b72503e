"""Quick actions: the global ones of every org, and those that the test author adds.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_quickactions.htm
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_quickaction.htm
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

import attrs

from sfconnector.testing._layout_parts import Composer, made_id, required, written
from sfconnector.testing._schema import Field, Schema, SObjectType

QuickActionType = Literal["Create", "LogACall", "Update"]
TYPES: tuple[str, ...] = get_args(QuickActionType)
CALLS_ARE = "Task"
_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*", re.ASCII)
# Links that say who wrote or owns a record, and not to which one it belongs.
_NO_PARENT = frozenset({"CreatedById", "LastModifiedById", "MasterRecordId", "OwnerId"})
# Told of every quick action, and true of none that this org has.
_ABSENT: dict[str, Any] = {
    "accessLevelRequired": None,
    "canvasApplicationId": None,
    "canvasApplicationName": None,
    "colors": [],
    "flowDevName": None,
    "flowRecordIdVar": None,
    "height": None,
    "iconName": None,
    "iconUrl": None,
    "icons": [],
    "lightningComponentBundleId": None,
    "lightningComponentBundleName": None,
    "lightningComponentQualifiedName": None,
    "lightningWebComponentBundleId": None,
    "lightningWebComponentBundleName": None,
    "lightningWebComponentQualifiedName": None,
    "miniIconUrl": "",
    "mobileExtensionId": None,
    "showQuickActionLcHeader": False,
    "showQuickActionVfHeader": False,
    "targetRecordTypeId": None,
    "visualforcePageName": None,
    "visualforcePageUrl": None,
    "width": None,
}


@attrs.frozen(kw_only=True)
class QuickAction:
    """A way to create or change one record.

    Args:
        name: API name, without the object.
        label: label.
        type: what it does.
        target: the object of which it creates or changes a record.
        sobject: the object on whose records it runs; ``None`` for a global action.
        parent_field: field of the new record that points to the one on which the action runs.
        fields: what its layout has.
        values: field values set beforehand, which the caller may replace.
        success_message: what a success says.
    """

    name: str
    label: str
    type: QuickActionType = "Create"
    target: str
    sobject: str | None = None
    parent_field: str | None = None
    fields: tuple[str, ...] = ()
    values: Mapping[str, Any] = attrs.field(factory=dict)
    success_message: str | None = None

    @property
    def full_name(self) -> str:
        """The name that no other action has."""
        return self.name if self.sobject is None else f"{self.sobject}.{self.name}"

    def urls(self, base: str) -> dict[str, str]:
        """The paths of the action, ``base`` being that of the API's version."""
        place = "" if self.sobject is None else f"/sobjects/{self.sobject}"
        own = f"{base}{place}/quickActions/{self.name}"
        return {
            "defaultValues": f"{own}/defaultValues",
            "quickAction": own,
            "describe": f"{own}/describe",
            "defaultValuesTemplate": f"{own}/defaultValues/{{ID}}",
        }

    def entry(self, base: str) -> dict[str, Any]:
        """As a list of quick actions has it."""
        return {
            "actionEnumOrId": made_id("09D", self.full_name),
            "label": self.label,
            "name": self.full_name,
            "type": self.type,
            "urls": self.urls(base),
        }

    def in_layout(self, base: str) -> dict[str, Any]:
        """As a layout lists it."""
        absent = {key: _ABSENT[key] for key in ("accessLevelRequired", "colors", "iconUrl", "icons", "miniIconUrl")}
        return absent | {
            "label": self.label,
            "quickActionName": self.full_name,
            "targetSobjectType": self.target,
            "type": self.type,
            "urls": self.urls(base),
        }

    def describe(self, schema: Schema, base: str) -> dict[str, Any]:
        """As its own resource tells it, with its layout."""
        target = schema.get(self.target)
        layout = None if target is None else _layout(target, self.layout_fields(target))
        defaults = [{"defaultValue": str(value), "field": field} for field, value in self.values.items()]
        described = _ABSENT | self.entry(base)
        described |= {"contextSobjectType": self.sobject, "defaultValues": defaults or None, "layout": layout}
        described |= {"targetParentField": self.parent_field, "targetSobjectType": self.target}
        return dict(sorted(described.items()))

    def layout_fields(self, target: SObjectType) -> list[Field]:
        """Find the fields of the layout; one that is part of an address or a name is there with all of it."""
        return [field for name in self.fields if (field := target.field(name)) is not None]


def _layout(target: SObjectType, fields: Iterable[Field]) -> dict[str, Any]:
    composer = Composer(target)
    return composer.section(None, composer.rows(fields), shown=False)


# What a new org offers everywhere.
_GLOBAL = (
    QuickAction(
        name="LogACall",
        label="Log a Call",
        type="LogACall",
        target=CALLS_ARE,
        fields=("Subject", "Description", "WhoId", "WhatId"),
        values={"Subject": "Call"},
    ),
    QuickAction(name="NewAccount", label="New Account", target="Account", fields=("Name", "Phone")),
    QuickAction(
        name="NewCase",
        label="New Case",
        target="Case",
        fields=("ContactId", "Status", "Subject", "Description", "Priority"),
    ),
    QuickAction(
        name="NewContact",
        label="New Contact",
        target="Contact",
        fields=("Name", "Email", "Phone", "AccountId", "Title"),
    ),
    QuickAction(
        name="NewEvent",
        label="New Event",
        target="Event",
        fields=("Subject", "StartDateTime", "EndDateTime", "IsAllDayEvent", "Location", "WhoId", "WhatId"),
    ),
    QuickAction(name="NewLead", label="New Lead", target="Lead", fields=("Name", "Email", "Phone", "Company", "Title")),
    QuickAction(
        name="NewOpportunity",
        label="New Opportunity",
        target="Opportunity",
        fields=("Name", "CloseDate", "StageName", "AccountId", "Amount"),
    ),
    QuickAction(
        name="NewTask",
        label="New Task",
        target="Task",
        fields=("Subject", "ActivityDate", "Status", "Priority", "WhoId", "WhatId"),
    ),
)


class QuickActions:
    """The quick actions of one org."""

    def __init__(self) -> None:
        self._actions: dict[tuple[str | None, str], QuickAction] = {
            (None, action.name.lower()): action for action in _GLOBAL
        }

    def add(self, schema: Schema, action: QuickAction) -> QuickAction:
        """Add an action; what is not told of it follows from the objects.

        Raises:
            ValueError: a name is not known or malformed, the object has no link to its parent, or the action exists.
        """
        if not _NAME.fullmatch(action.name):
            raise ValueError(f"{action.name!r} is no API name: letters, digits and single underscores, a letter first.")
        if action.type not in TYPES:
            raise ValueError(f"A quick action of this org is one of {', '.join(TYPES)}, not {action.type!r}.")
        completed = _completed(schema, action)
        key = (completed.sobject, completed.name.lower())
        if key in self._actions:
            raise ValueError(f"There is a quick action {completed.full_name} already.")
        # A new mapping, because the server's threads may be walking through the old one.
        self._actions = {**self._actions, key: completed}
        return completed

    def of(self, sobject: str | None) -> list[QuickAction]:
        """The global actions, after those of an object."""
        actions = sorted(self._actions.values(), key=lambda action: action.full_name)
        own = [action for action in actions if sobject is not None and action.sobject == sobject]
        return own + [action for action in actions if action.sobject is None]

    def find(self, sobject: str | None, name: str) -> QuickAction | None:
        """Find an action of an object, or else a global one."""
        wanted = name if sobject is None else name.removeprefix(f"{sobject}.")
        own = self._actions.get((sobject, wanted.lower()))
        return own or self._actions.get((None, wanted.lower()))

    def in_layout(self, sobject: str | None, base: str) -> list[dict[str, Any]]:
        """The quick actions that the layout of an object has, or the global one."""
        return [action.in_layout(base) for action in self.of(sobject)]


def _completed(schema: Schema, action: QuickAction) -> QuickAction:
    if (action.type == "Create") != bool(action.target):
        raise ValueError(f"{action.name}: name the object of the new record as target for Create, and only for that.")
    if action.type == "Update" and action.sobject is None:
        raise ValueError(f"{action.name}: an action that changes a record belongs to an object: name it as sobject.")
    sobject = None if action.sobject is None else _object(schema, action.sobject)
    target = _object(schema, {"LogACall": CALLS_ARE, "Update": action.sobject or ""}.get(action.type, action.target))
    names = action.fields or tuple(_usual(target))
    return attrs.evolve(
        action,
        sobject=None if sobject is None else sobject.name,
        target=target.name,
        parent_field=None if sobject is None or action.type == "Update" else _link(target, sobject).name,
        fields=tuple(_field(target, name).name for name in names),
        values={_field(target, name).name: value for name, value in action.values.items()},
    )


def _object(schema: Schema, name: str) -> SObjectType:
    found = schema.get(name)
    if found is None:
        raise ValueError(f"There is no object {name}: add it first.")
    return found


def _field(target: SObjectType, name: str) -> Field:
    field = target.field(name)
    if field is None or not any(part.createable or part.updateable for part in written(target, field)):
        raise ValueError(f"{target.name} has no field {name} that can be written.")
    return field


def _link(target: SObjectType, sobject: SObjectType) -> Field:
    """Find the field of a new record that points to the record on which the action runs."""
    for field in target.fields.values():
        if sobject.name in field.reference_to and field.createable and field.name not in _NO_PARENT:
            return field
    raise ValueError(f"{target.name} has no field that refers to {sobject.name}.")


def _usual(target: SObjectType) -> Iterable[str]:
    """Name what the layout of a new action begins with: the record's name, and all that is required."""
    for field in target.fields.values():
        inputs = [] if field.compound_field_name in target.fields else written(target, field)
        wanted = field.name_field or any(required(part) for part in inputs)
        if wanted and any(part.createable for part in inputs):
            yield field.name
