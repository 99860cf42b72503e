"""Invocable actions: lists, descriptions, runs.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-actions-invocable.html
"""

from typing import Any

from sfconnector.testing import _rest_quick_actions
from sfconnector.testing._actions import CUSTOM_TYPES, Action, Failure, Outcome
from sfconnector.testing._errors import OrgError, unsupported
from sfconnector.testing._http import Answer, Call
from sfconnector.testing._quick_action_runs import INVOCABLE
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._standard_actions import StandardActions

_NO_RESOURCE = "The requested resource does not exist"


def roots(_runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-actions-invocable-get.html"""
    return Answer(body={kind: f"{call.base}/actions/{kind}" for kind in ("standard", "custom")})


def standard(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-actions-invocable-standard-get.html"""
    actions = _standard(runtime, call).values()
    return Answer(body={"actions": [_listed(action, f"{call.base}/actions/standard") for action in actions]})


def describe_standard(runtime: Runtime, call: Call, name: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-actions-invocable-standard-get.html"""
    return Answer(body=_described(_found_standard(runtime, call, name)))


def invoke_standard(runtime: Runtime, call: Call, name: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-action/guide/actions-intro-invoking.html"""
    return _invoked(_found_standard(runtime, call, name), call)


def custom_types(_runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-actions-invocable-custom-get.html"""
    return Answer(body={kind: f"{call.base}/actions/custom/{kind}" for kind in (INVOCABLE, *CUSTOM_TYPES)})


def custom(runtime: Runtime, call: Call, kind: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-actions-invocable-custom-get.html"""
    if kind == INVOCABLE:
        raise unsupported("the list of quick actions that can be invoked; /quickActions lists them")
    if kind not in CUSTOM_TYPES:
        raise OrgError(404, "NOT_FOUND", _NO_RESOURCE)
    base = f"{call.base}/actions/custom/{kind}"
    return Answer(body={"actions": [_listed(action, base) for action in runtime.actions.of(kind)]})


def describe_custom(runtime: Runtime, call: Call, kind: str, *name: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-action/guide/actions-obj-apex.html"""
    return Answer(body=_described(_found_custom(runtime, call, kind, *name)))


def invoke_custom(runtime: Runtime, call: Call, kind: str, *name: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-action/guide/actions-intro-invoking.html"""
    return _invoked(_found_custom(runtime, call, kind, *name), call)


def _standard(runtime: Runtime, call: Call) -> dict[str, Action]:
    return StandardActions(runtime.store, runtime.outbox, call.context).all()


def _found_standard(runtime: Runtime, call: Call, name: str) -> Action:
    action = _standard(runtime, call).get(name)
    if action is None:
        raise OrgError(404, "NOT_FOUND", f"Invalid Action Type: {name}")
    return action


def _found_custom(runtime: Runtime, call: Call, kind: str, *name: str) -> Action:
    """Find an action by its name, with the object to which it belongs before it where it belongs to one."""
    if kind == INVOCABLE:
        quick = _rest_quick_actions.found(runtime, *name)
        return _rest_quick_actions.runner(runtime, call).invocable(quick)
    action = runtime.actions.find(kind, name[0] if len(name) > 1 else None, name[-1])
    if action is None:
        raise OrgError(404, "NOT_FOUND", _NO_RESOURCE)
    return action


def _listed(action: Action, base: str) -> dict[str, Any]:
    place = action.full_name.replace(".", "/")
    return {"label": action.label, "name": action.name, "type": action.type, "url": f"{base}/{place}"}


def _described(action: Action) -> dict[str, Any]:
    return {
        "allowsTransactionControl": False,
        "category": None,
        "configurationEditor": None,
        "description": action.description or None,
        "genericTypes": None,
        "iconName": None,
        "inputs": [parameter.describe() for parameter in action.inputs or ()],
        "label": action.label,
        "name": action.name,
        "outputs": [parameter.describe() for parameter in action.outputs],
        "standard": action.standard,
        "targetEntityName": action.sobject,
        "type": action.type,
    }


def _invoked(action: Action, call: Call) -> Answer:
    """One result for each input; a single failure makes the whole answer a 400."""
    inputs = call.json_object().get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(values, dict) for values in inputs):
        raise OrgError(400, "JSON_PARSER_ERROR", 'The body must be an object with a list of objects as "inputs".')
    if not inputs:
        raise OrgError(400, "MISSING_ARGUMENT", '"inputs" must hold one object for each run of the action.')
    outcomes = action.invoke(inputs)
    failed = any(isinstance(outcome, Failure) for outcome in outcomes)
    return Answer(status=400 if failed else 200, body=[_result(action, outcome) for outcome in outcomes])


def _result(action: Action, outcome: Outcome) -> dict[str, Any]:
    errors = None
    if isinstance(outcome, Failure):
        errors = [
            {"statusCode": item.code, "message": item.message, "fields": list(item.fields or ())}
            for item in outcome.errors
        ]
    return {
        "actionName": action.full_name,
        "errors": errors,
        "invocationId": None,
        "isSuccess": errors is None,
        "outcome": None,
        "outputValues": None if isinstance(outcome, Failure) else outcome,
        "sortOrder": -1,
        "version": 1,
    }
