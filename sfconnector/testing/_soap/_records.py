"""Records created, changed, deleted and brought back by SOAP."""

from collections.abc import Callable, Iterable
from typing import Any, Final
from xml.etree.ElementTree import Element

from sfconnector.testing._errors import OrgError
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._soap import _arguments
from sfconnector.testing._soap._calls import Call, check_number, each, elements, errors, result
from sfconnector.testing._soap._faults import SoapFault
from sfconnector.testing._streaming._publishing import ENQUEUED

_KEY: Final = "externalIDFieldName"
# Of an event the UUID stands in the place of an error.
_ENQUEUED: Final = "enqueued"
_Saved = dict[str, Any]


def create(runtime: Runtime, call: Call) -> Iterable[str]:
    """https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_create.htm"""

    def save(record: _arguments.Record) -> _Saved:
        runtime.faults.check_row("POST", call.path, None)
        if record.id is not None:
            raise OrgError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"])
        if record.sobject.is_event:
            event = runtime.store.publish(record.sobject.name, record.values, call.context)
            return {"id": event.id, _ENQUEUED: event.event_uuid}
        return {"id": runtime.store.create(record.sobject.name, record.values, call.context)}

    return _save_all(runtime, call, call.arguments, save)


def update(runtime: Runtime, call: Call) -> Iterable[str]:
    """https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_update.htm"""

    def save(record: _arguments.Record) -> _Saved:
        if record.id is None:
            raise OrgError(400, "MISSING_ARGUMENT", "Id not specified in an update call", ())
        runtime.faults.check_row("POST", call.path, record.id)
        runtime.store.update(record.sobject.name, record.id, record.values, call.context, in_url=False)
        return {"id": record.id}

    return _save_all(runtime, call, call.arguments, save)


def upsert(runtime: Runtime, call: Call) -> Iterable[str]:
    """https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_upsert.htm"""
    key = _arguments.child(call.arguments, _KEY)
    if key is None or not key.text:
        raise SoapFault("MISSING_ARGUMENT", f"{_KEY} not specified in an upsert call")
    name = key.text

    def save(record: _arguments.Record) -> _Saved:
        values = record.values if record.id is None else {"Id": record.id, **record.values}
        runtime.faults.check_row("POST", call.path, record.id)
        saved = runtime.store.upsert_from_values(record.sobject.name, name, values, call.context)
        return {"created": saved.created, "id": saved.id}

    records = [element for element in call.arguments if element is not key]
    return _save_all(runtime, call, records, save, created=False)


def _save_all(
    runtime: Runtime,
    call: Call,
    given: Iterable[Element],
    save: Callable[[_arguments.Record], _Saved],
    **refused: Any,
) -> list[str]:
    """Save each record; a result tells of one that was refused what ``refused`` says."""
    records = [_arguments.record(element, runtime.store) for element in given]
    check_number(call, records, "sObjects")
    results = each(runtime, records, save, all_or_none=call.context.all_or_none)
    return [_result(call, saved, **refused, id=None) for saved in results]


def delete(runtime: Runtime, call: Call) -> Iterable[str]:
    """https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_delete.htm"""

    def remove(record_id: str) -> None:
        sobject = runtime.store.schema.by_key_prefix(record_id[:3])
        if sobject is None:
            raise OrgError(400, "MALFORMED_ID", f"malformed id {record_id}", ())
        runtime.store.delete(sobject.name, record_id, call.context, in_url=False)

    return _each_id(runtime, call, remove, all_or_none=call.context.all_or_none)


def undelete(runtime: Runtime, call: Call) -> Iterable[str]:
    """https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_undelete.htm"""

    def restore(record_id: str) -> None:
        runtime.store.undelete(record_id, call.context)

    return _each_id(runtime, call, restore, all_or_none=call.context.all_or_none)


def empty_recycle_bin(runtime: Runtime, call: Call) -> Iterable[str]:
    """The call knows no header by which it would be all or none.

    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_emptyrecyclebin.htm
    """

    def purge(record_id: str) -> None:
        runtime.store.purge(record_id, call.context)

    return _each_id(runtime, call, purge, all_or_none=False)


def _each_id(runtime: Runtime, call: Call, act: Callable[[str], None], *, all_or_none: bool) -> list[str]:
    _arguments.check_known(call.arguments, ("ids",))
    ids = [_arguments.checked_id(element.text or "") for element in call.arguments]
    check_number(call, ids, "ids")

    def once(record_id: str) -> _Saved:
        runtime.faults.check_row("POST", call.path, record_id)
        act(record_id)
        return {"id": record_id}

    results = each(runtime, ids, once, all_or_none=all_or_none)
    return [_result(call, done, id=record_id) for record_id, done in zip(ids, results, strict=True)]


def _result(call: Call, done: _Saved | OrgError, **refused: Any) -> str:
    """Write a result: ``created`` comes before the errors, ``id`` after them."""
    if not isinstance(done, OrgError):
        event_uuid = done.pop(_ENQUEUED, None)
        if event_uuid is None:
            return result(elements({**done, "success": True}))
        enqueued = errors(OrgError(201, ENQUEUED, event_uuid, ()), call.flavor)
        return result(enqueued, elements({**done, "success": True}))
    before = {name: value for name, value in refused.items() if name == "created"}
    return result(elements(before), errors(done, call.flavor), elements({"id": refused["id"], "success": False}))
