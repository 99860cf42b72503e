"""Layouts: page, global, named, compact and approval layouts."""

from typing import Any

from sfconnector.testing import _compact_layouts, _ids, _layouts
from sfconnector.testing._describe import NAMED_LAYOUTS, master_record_type
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer, Call
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._schema import SObjectType

_MOST_OBJECTS = 100


def page(runtime: Runtime, call: Call, sobject: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-layouts-get.html"""
    described = _with_layouts(runtime, sobject)
    infos = _record_types(runtime, call, described)
    actions = runtime.quick_actions.in_layout(described.name, call.base)
    return Answer(body=_layouts.layouts(runtime.store.schema, described, infos, actions))


def page_of_record_type(runtime: Runtime, call: Call, sobject: str, record_type_id: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-layouts-multiple-rts-get.html"""
    described = _with_layouts(runtime, sobject)
    _check_record_type(runtime, call, described, record_type_id)
    actions = runtime.quick_actions.in_layout(described.name, call.base)
    return Answer(body=_layouts.layout(runtime.store.schema, described, actions))


def global_publisher(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-layouts-global-get.html"""
    actions = runtime.quick_actions.in_layout(None, call.base)
    return Answer(body=_layouts.global_layouts(actions))


def named(runtime: Runtime, call: Call, sobject: str, name: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-named-layouts.html"""
    described = _with_layouts(runtime, sobject)
    if described.name != "User" or name not in NAMED_LAYOUTS:
        raise _no_resource()
    actions = runtime.quick_actions.in_layout(described.name, call.base)
    return Answer(body=_layouts.named_layout(runtime.store.schema, described, name, actions))


def compact(runtime: Runtime, call: Call, sobject: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-compactlayouts-get.html"""
    described = _with_compact_layouts(runtime, sobject)
    base = f"{call.base}/sobjects/{described.name}/describe/compactLayouts"
    infos = _record_types(runtime, call, described)
    return Answer(body=_compact_layouts.compact_layouts(described, infos, base))


def compact_of_record_type(runtime: Runtime, call: Call, sobject: str, record_type_id: str) -> Answer:
    """Both URLs in the description of the compact layouts: ``primary``, and that of a record type.

    https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-compactlayouts-get.html
    """
    described = _with_compact_layouts(runtime, sobject)
    if record_type_id != "primary":
        _check_record_type(runtime, call, described, record_type_id)
    return Answer(body=_compact_layouts.compact_layout(described))


def compact_of_objects(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-compact-layouts.html"""
    names = [name.strip() for name in call.params.get("q", "").split(",") if name.strip()]
    if not names:
        raise OrgError(400, "MISSING_ARGUMENT", "q: name the objects, with commas between them")
    if len(names) > _MOST_OBJECTS:
        raise OrgError(400, "INVALID_ARGUMENT", f"q: {len(names)} objects, and {_MOST_OBJECTS} are allowed")
    found = [_with_compact_layouts(runtime, name) for name in names]
    return Answer(body={described.name: _compact_layouts.compact_layout(described) for described in found})


def approval(runtime: Runtime, _call: Call, sobject: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-approvallayouts-get.html"""
    _with_layouts(runtime, sobject)
    return Answer(body={"approvalLayouts": []})


def approval_of_process(runtime: Runtime, _call: Call, sobject: str, _process: str) -> Answer:
    """There are no approval processes here.

    https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-approvallayouts-process-get.html
    """
    _with_layouts(runtime, sobject)
    raise _no_resource()


def _with_layouts(runtime: Runtime, sobject: str) -> SObjectType:
    described = runtime.store.sobject(sobject)
    if not described.extra.get("layoutable", True):
        raise _no_resource()
    return described


def _with_compact_layouts(runtime: Runtime, sobject: str) -> SObjectType:
    described = runtime.store.sobject(sobject)
    if not described.extra.get("compactLayoutable", True):
        raise _no_resource()
    return described


def _record_types(runtime: Runtime, call: Call, sobject: SObjectType) -> list[dict[str, Any]]:
    """The record types of an object; the describe of some objects of the setup has none, their layouts have one."""
    return runtime.store.record_type_infos(sobject.name, call.version) or [master_record_type(sobject, call.version)]


def _check_record_type(runtime: Runtime, call: Call, sobject: SObjectType, record_type_id: str) -> None:
    known = {info["recordTypeId"] for info in _record_types(runtime, call, sobject)}
    if _ids.normalize(record_type_id) not in known:
        raise _no_resource()


def _no_resource() -> OrgError:
    return OrgError(404, "NOT_FOUND", "The requested resource does not exist")
