"""Quick actions: lists, descriptions, default values, runs; ``place`` is the object, if any, and the action's name.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-quickactions.html
https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-quickactions.html
"""

from datetime import date

from sfconnector.testing import _ids
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer, Call
from sfconnector.testing._quick_action_runs import Runner
from sfconnector.testing._quick_actions import QuickAction
from sfconnector.testing._running_user import query_context
from sfconnector.testing._runtime import Runtime

_NO_RESOURCE = "The requested resource does not exist"
_KEYS = frozenset({"contextId", "record"})


def listed(runtime: Runtime, call: Call, *sobject: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-quickactions-get.html"""
    actions = runtime.quick_actions.of(_object(runtime, *sobject))
    return Answer(body=[action.entry(call.base) for action in actions])


def describe(runtime: Runtime, call: Call, *place: str) -> Answer:
    """Both the action and its description.

    https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-quickactions-specific-action-get.html
    https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-quickactions-detail-get.html
    """
    return Answer(body=found(runtime, *place).describe(runtime.store.schema, call.base))


def defaults(runtime: Runtime, call: Call, *place: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-quickactions-default-values-get.html"""
    return Answer(body=runner(runtime, call).defaults(found(runtime, *place)))


def defaults_for_record(runtime: Runtime, call: Call, *place: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-quickactions-default-values-id-get.html"""
    *rest, record_id = place
    action = found(runtime, *rest)
    context_id = _ids.normalize(record_id)
    sobject = runtime.store.schema.by_key_prefix(record_id[:3])
    if context_id is None or sobject is None or action.sobject not in (None, sobject.name):
        raise OrgError(404, "NOT_FOUND", _NO_RESOURCE)
    runtime.store.get(sobject.name, context_id, ["Id"], call.context)
    return Answer(body=runner(runtime, call).defaults(action, context_id))


def perform(runtime: Runtime, call: Call, *place: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-quickactions-specific-action-post.html"""
    action = found(runtime, *place)
    body = call.json_object()
    unknown = sorted(body.keys() - _KEYS)
    if unknown:
        raise OrgError(400, "JSON_PARSER_ERROR", f'Unrecognized field "{unknown[0]}": contextId and record are known')
    record, context_id = body.get("record"), body.get("contextId")
    if not isinstance(record or {}, dict):
        raise OrgError(400, "JSON_PARSER_ERROR", '"record" must be an object with the values of fields')
    if not isinstance(context_id or "", str):
        raise OrgError(400, "JSON_PARSER_ERROR", '"contextId" must be the id of a record')
    return Answer(status=201, body=runner(runtime, call).perform(action, context_id or None, record or {}))


def found(runtime: Runtime, *place: str) -> QuickAction:
    """Find an action by its name, with the object before it where it is asked for as one of an object.

    Raises:
        OrgError: 404 where there is no such object or action.
    """
    *sobject, name = place
    action = runtime.quick_actions.find(_object(runtime, *sobject), name)
    if action is None:
        raise OrgError(404, "NOT_FOUND", _NO_RESOURCE)
    return action


def runner(runtime: Runtime, call: Call) -> Runner:
    """Make what runs quick actions for a request."""

    def today() -> date:
        user = query_context(runtime.store, call.context, runtime.clock())
        return user.now.astimezone(user.timezone).date()

    return Runner(runtime.store, call.context, today)


def _object(runtime: Runtime, *sobject: str) -> str | None:
    if not sobject:
        return None
    described = runtime.store.sobject(sobject[0])
    if not described.extra.get("layoutable", True):
        raise OrgError(404, "NOT_FOUND", _NO_RESOURCE)
    return described.name
