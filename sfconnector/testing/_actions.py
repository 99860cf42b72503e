"""Invocable actions: what one is, what it takes and gives, and those that the test author adds.

https://developer.salesforce.com/docs/platform/api-action/guide/actions-intro.html
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import attrs

from sfconnector.testing._errors import OrgErrorItem

# The types of custom actions that can be added, and how their descriptions call them.
CUSTOM_TYPES = {"apex": "APEX", "flow": "FLOW", "emailAlert": "EMAILALERT"}
ActionType = Literal["apex", "flow", "emailAlert"]
_OF_AN_OBJECT = "emailAlert"
_TYPES = frozenset(
    {
        "BOOLEAN",
        "CURRENCY",
        "DATE",
        "DATETIME",
        "DOUBLE",
        "ID",
        "INTEGER",
        "LONG",
        "NUMBER",
        "PICKLIST",
        "REFERENCE",
        "SOBJECT",
        "STRING",
        "TEXTAREA",
        "TIME",
    }
)
_DEFINITION = re.compile(r"\s*(\w+)((?:\s+(?:required|list))*)\s*(?:=\s*(.*\S))?\s*", re.ASCII)
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_MANY = 2_000


@attrs.frozen(kw_only=True)
class Parameter:
    """An input or output of an action."""

    name: str
    type: str
    label: str
    description: str = ""
    required: bool = False
    max_occurs: int = 1
    picklist_values: tuple[tuple[str, str], ...] = ()

    def describe(self) -> dict[str, Any]:
        """As a description lists it."""
        values = [
            {"active": True, "defaultValue": False, "label": label, "value": value}
            for value, label in self.picklist_values
        ]
        return {
            "apexClass": None,
            "byteLength": 0,
            "description": self.description or None,
            "label": self.label,
            "maxOccurs": self.max_occurs,
            "name": self.name,
            "picklistValues": values or None,
            "required": self.required,
            "sobjectType": None,
            "type": self.type,
        }


@attrs.frozen
class Failure:
    """The outcome of an input for which the action failed."""

    errors: tuple[OrgErrorItem, ...]


Outcome = dict[str, Any] | None | Failure
# What runs an action: one outcome for each input, in order.
Run = Callable[[Sequence[Mapping[str, Any]]], list[Outcome]]


@attrs.frozen(kw_only=True)
class Action:
    """An invocable action; ``inputs`` is ``None`` where any are taken."""

    name: str
    label: str
    type: str
    description: str = ""
    inputs: tuple[Parameter, ...] | None = ()
    outputs: tuple[Parameter, ...] = ()
    sobject: str | None = None
    standard: bool = False
    run: Run

    @property
    def full_name(self) -> str:
        """The name that results bear: an action of an object has it in front."""
        return self.name if self.sobject is None else f"{self.sobject}.{self.name}"

    def invoke(self, inputs: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        """Run the action for the inputs that pass the check."""
        checked = [self._check(values) for values in inputs]
        good = [values for values, failure in zip(inputs, checked, strict=True) if failure is None]
        outcomes = iter(self.run(good) if good else [])
        return [next(outcomes) if failure is None else failure for failure in checked]

    def _check(self, values: Mapping[str, Any]) -> Failure | None:
        """Refuse an input that lacks something required or has something unknown."""
        if self.inputs is None:
            return None
        missing = [one.name for one in self.inputs if one.required and values.get(one.name) in (None, "")]
        if missing:
            return Failure(
                tuple(
                    OrgErrorItem("MISSING_ARGUMENT", f"Missing required input parameter: {name}", ())
                    for name in missing
                )
            )
        known = {one.name for one in self.inputs}
        unknown = [name for name in values if name not in known]
        if unknown:
            return Failure(
                tuple(
                    OrgErrorItem("INVALID_INPUT", f"The action {self.name} has no input named {name}", ())
                    for name in unknown
                )
            )
        return None


class Actions:
    """The custom actions of one org."""

    def __init__(self) -> None:
        self._actions: dict[tuple[str, str | None, str], Action] = {}

    def add(self, kind: str, action: Action) -> None:
        """Add a custom action of a type.

        Raises:
            ValueError: the type or the name is none, an object is missing or too much, or the action exists.
        """
        if kind not in CUSTOM_TYPES:
            raise ValueError(f"A custom action is one of {', '.join(CUSTOM_TYPES)}, not {kind!r}.")
        if not _NAME.fullmatch(action.name):
            raise ValueError(f"{action.name!r} is no API name: letters, digits and underscores, a letter first.")
        if (kind == _OF_AN_OBJECT) != (action.sobject is not None):
            raise ValueError(
                f"An action of type {_OF_AN_OBJECT}, and only that, belongs to an object: name it as sobject."
            )
        key = (kind, action.sobject, action.name)
        if key in self._actions:
            raise ValueError(f"There is a {kind} action {action.name} already.")
        # A new mapping, because the server's threads may be walking through the old one.
        self._actions = {**self._actions, key: action}

    def of(self, kind: str) -> list[Action]:
        return [action for (known, _, _), action in sorted(self._actions.items(), key=_place) if known == kind]

    def find(self, kind: str, sobject: str | None, name: str) -> Action | None:
        return self._actions.get((kind, sobject, name))


def _place(entry: tuple[tuple[str, str | None, str], Action]) -> tuple[str, str, str]:
    (kind, sobject, name), _ = entry
    return kind, sobject or "", name


def parameters(definitions: Mapping[str, str] | Iterable[str] | None) -> tuple[Parameter, ...] | None:
    """Read ``{"sku": "STRING required = Stock number"}``; names alone are optional strings.

    Raises:
        ValueError: a definition cannot be read.
    """
    if definitions is None:
        return None
    named = definitions if isinstance(definitions, Mapping) else dict.fromkeys(definitions, "STRING")
    return tuple(_parameter(name, definition) for name, definition in named.items())


def _parameter(name: str, definition: str) -> Parameter:
    match = _DEFINITION.fullmatch(definition)
    if match is None or match[1].upper() not in _TYPES:
        raise ValueError(
            f"{name}: {definition!r} is not a type ({', '.join(sorted(_TYPES))}), "
            'then "required" or "list" where wanted, then "= label".'
        )
    flags = match[2].split()
    return Parameter(
        name=name,
        type=match[1].upper(),
        label=match[3] or name,
        required="required" in flags,
        max_occurs=_MANY if "list" in flags else 1,
    )
