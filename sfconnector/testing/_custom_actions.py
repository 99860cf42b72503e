"""Custom actions: how the test author's function is run as Apex, as a flow or as an e-mail alert.

https://developer.salesforce.com/docs/platform/api-action/guide/actions-obj-apex.html
https://developer.salesforce.com/docs/platform/api-action/guide/actions-obj-flow.html
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sfconnector.testing._actions import CUSTOM_TYPES, Action, Failure, Outcome, Parameter, Run, parameters
from sfconnector.testing._apex import describe_exception
from sfconnector.testing._errors import OrgErrorItem

_LOG = logging.getLogger("sfconnector.testing")
ActionFunction = Callable[[dict[str, Any]], Any]
Definitions = Mapping[str, str] | Iterable[str] | None
_STATUS = "Flow__InterviewStatus"
_STATUSES = ("Created", "Started", "Finished", "Error", "Waiting")


def make(
    kind: str,
    name: str,
    function: ActionFunction,
    *,
    inputs: Definitions,
    outputs: Definitions,
    label: str | None,
    description: str,
    sobject: str | None,
) -> Action:
    """Make an action of a function that is called once per input."""
    given = parameters(outputs) or ()
    if kind == "flow":
        values = tuple((status, status) for status in _STATUSES)
        status = Parameter(name=_STATUS, type="PICKLIST", label="Flow Interview Status", picklist_values=values)
        given = (*given, status)
    return Action(
        name=name,
        label=label or name.replace("_", " "),
        type=CUSTOM_TYPES.get(kind, kind),
        description=description,
        inputs=parameters(inputs),
        outputs=given,
        sobject=sobject,
        run=_flow(name, function) if kind == "flow" else _apex(function),
    )


def _apex(function: ActionFunction) -> Run:
    """An invocable method gets all inputs at once: if it throws, each of them has failed."""

    def run(inputs: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        try:
            return [_outputs(function(dict(values))) for values in inputs]
        except Exception as error:
            _LOG.info("The action %r raised", function, exc_info=True)
            message = f"An Apex error occurred: {describe_exception(function, error)}"
            return [Failure((OrgErrorItem("UNKNOWN_EXCEPTION", message, ()),))] * len(inputs)

    return run


def _flow(name: str, function: ActionFunction) -> Run:
    """Each input is an interview of its own."""

    def interview(values: Mapping[str, Any]) -> Outcome:
        try:
            return {**(_outputs(function(dict(values))) or {}), _STATUS: "Finished"}
        except Exception:
            _LOG.info("The flow %s raised", name, exc_info=True)
            message = "An error occurred when executing a flow interview."
            return Failure((OrgErrorItem("UNKNOWN_EXCEPTION", message, ()),))

    return lambda inputs: [interview(values) for values in inputs]


def _outputs(returned: Any) -> dict[str, Any] | None:
    """A mapping is outputs by name; any other value is that of a method with one return value, ``output``."""
    if returned is None:
        return None
    return dict(returned) if isinstance(returned, Mapping) else {"output": returned}
