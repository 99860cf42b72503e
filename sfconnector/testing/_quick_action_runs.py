"""Quick actions at work: the values they begin with, and the records they create and change.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_performquickactions.htm
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import attrs

from sfconnector.testing import _ids
from sfconnector.testing._actions import Action, Failure, Outcome, Parameter
from sfconnector.testing._context import RequestContext
from sfconnector.testing._errors import OrgError
from sfconnector.testing._layout_parts import label, required, written
from sfconnector.testing._quick_actions import QuickAction
from sfconnector.testing._schema import Field, SObjectType
from sfconnector.testing._store import Store

INVOCABLE = "quickAction"
_CONTEXT = "contextId"
# What makes a task a call that has been made.
_CALL = {"Status": "Completed", "TaskSubtype": "Call"}
_INPUT_TYPES = {
    "boolean": "BOOLEAN",
    "currency": "CURRENCY",
    "date": "DATE",
    "datetime": "DATETIME",
    "double": "DOUBLE",
    "int": "INTEGER",
    "percent": "DOUBLE",
    "picklist": "PICKLIST",
    "reference": "REFERENCE",
    "textarea": "TEXTAREA",
    "time": "TIME",
}


@attrs.frozen
class Runner:
    """Quick actions as one request runs them; ``today`` is the day of the user."""

    store: Store
    context: RequestContext
    today: Callable[[], date]

    def defaults(self, action: QuickAction, record_id: str | None = None) -> dict[str, Any]:
        """Build the record that the fields of the action begin with, run on a record or on none."""
        target = self.store.sobject(action.target)
        names = [part.name for field in action.layout_fields(target) for part in written(target, field)]
        begin = {"attributes": {"type": target.name}, **{name: _default(target.fields[name]) for name in names}}
        if record_id is not None and action.type == "Update":
            present = self.store.get(target.name, record_id, names, self.context)
            begin |= {name: present[name] for name in names}
        return begin | dict(action.values) | self._link(action, record_id)

    def perform(self, action: QuickAction, record_id: str | None, record: Mapping[str, Any]) -> dict[str, Any]:
        """Create or change the record, and build the answer.

        Raises:
            OrgError: the record cannot be written, or the action cannot run on the other one.
        """
        target = self.store.sobject(action.target)
        if record_id is not None:
            record_id = self._existing(action, record_id)
        begin = {**self._of_a_call(action, target), **action.values, **self._link(action, record_id)}
        given = {name.lower() for name in record}
        values = {name: value for name, value in begin.items() if name.lower() not in given} | dict(record)
        if action.type != "Update":
            written_id = self.store.create(target.name, values, self.context)
        elif record_id is not None:
            self.store.update(target.name, record_id, values, self.context)
            written_id = record_id
        else:
            raise OrgError(400, "MISSING_ARGUMENT", f"{_CONTEXT} not specified")
        return {
            "contextId": record_id,
            "created": action.type != "Update",
            "errors": [],
            "feedItemIds": None,
            "id": written_id,
            "ids": [written_id],
            "success": True,
            "successMessage": action.success_message,
        }

    def invocable(self, action: QuickAction) -> Action:
        """Make the invocable action of a quick action; its inputs are the fields of the layout.

        https://developer.salesforce.com/docs/platform/api-action/guide/actions-obj-quick-action.html
        """
        target = self.store.sobject(action.target)
        fields = [part for field in action.layout_fields(target) for part in written(target, field)]
        on_record = action.sobject is not None
        context = Parameter(name=_CONTEXT, type="REFERENCE", label="Related Record ID", required=on_record)
        return Action(
            name=action.name,
            label=action.label,
            type="QUICK_ACTION",
            inputs=(context, *(_input(field, action) for field in fields)),
            sobject=action.sobject,
            run=lambda inputs: self._run(action, inputs),
        )

    def _run(self, action: QuickAction, inputs: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for values in inputs:
            record = {name: value for name, value in values.items() if name != _CONTEXT}
            try:
                self.perform(action, values.get(_CONTEXT), record)
                outcomes.append(None)
            except OrgError as error:
                outcomes.append(Failure(error.items))
        return outcomes

    def _existing(self, action: QuickAction, record_id: str) -> str:
        """Check that the record is there on which the action shall run; one that is global runs on any."""
        normal = _ids.normalize(record_id)
        if normal is None:
            raise OrgError(400, "MALFORMED_ID", f"malformed id {record_id}", [_CONTEXT])
        sobject = self.store.schema.by_key_prefix(normal[:3])
        try:
            if sobject is None or action.sobject not in (None, sobject.name):
                raise OrgError(404, "NOT_FOUND", "The record is one of another object")
            self.store.get(sobject.name, normal, ["Id"], self.context)
        except OrgError as error:
            raise OrgError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [_CONTEXT]) from error
        return normal

    def _link(self, action: QuickAction, record_id: str | None) -> dict[str, Any]:
        return {} if action.parent_field is None or record_id is None else {action.parent_field: record_id}

    def _of_a_call(self, action: QuickAction, target: SObjectType) -> dict[str, Any]:
        if action.type != "LogACall":
            return {}
        values = {"ActivityDate": self.today().isoformat(), **_CALL}
        return {name: value for name, value in values.items() if name in target.fields}


def _default(field: Field) -> Any:
    return False if field.default_value is None and field.type == "boolean" else field.default_value


def _input(field: Field, action: QuickAction) -> Parameter:
    values = tuple((value.value, value.label or value.value) for value in field.picklist_values if value.active)
    return Parameter(
        name=field.name,
        type=_INPUT_TYPES.get(field.type, "STRING"),
        label=label(field),
        required=action.type != "Update" and required(field) and field.name not in action.values,
        picklist_values=values if field.type == "picklist" else (),
    )
