"""Single records: create, read, change, delete, by id and by external id.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-retrieve.html
"""

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson

from sfconnector.testing._conditions import matches_etag, strict_date, unmodified
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer, Call
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._streaming._publishing import ENQUEUED, Published

_CONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")


def create(runtime: Runtime, call: Call, sobject: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/dome-sobject-create.html"""
    values = _values(runtime, call, sobject)
    runtime.faults.check_row(call.method, call.path, None)
    if runtime.store.sobject(sobject).is_event:
        return Answer(status=201, body=published(runtime.store.publish(sobject, values, call.context)))
    record_id = runtime.store.create(sobject, values, call.context)
    return Answer(
        status=201,
        body={"id": record_id, "success": True, "errors": []},
        headers={"Location": _location(runtime, call, sobject, record_id)},
    )


def published(event: Published) -> dict[str, Any]:
    """The result of an event that is on its way.

    https://developer.salesforce.com/docs/platform/platform-events/guide/platform-events-publish-api.html
    """
    enqueued = {"statusCode": ENQUEUED, "message": event.event_uuid, "fields": []}
    return {"id": event.id, "success": True, "errors": [enqueued]}


def get(runtime: Runtime, call: Call, sobject: str, record_id: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/dome-get-field-values.html"""
    return _read(runtime, call, runtime.store.get(sobject, record_id, _fields(call), call.context))


def get_by_external_id(runtime: Runtime, call: Call, sobject: str, field: str, value: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/using-resources-retrieve-with-external-id.html"""
    return _read(runtime, call, runtime.store.get_by_external_id(sobject, field, value, _fields(call), call.context))


def update(runtime: Runtime, call: Call, sobject: str, record_id: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/dome-update-fields.html"""
    values = _values(runtime, call, sobject)
    runtime.faults.check_row(call.method, call.path, record_id)
    with runtime.store.transaction():
        if _precondition_failed(runtime, call, sobject, record_id):
            return Answer(status=412)
        runtime.store.update(sobject, record_id, values, call.context)
    return Answer(status=204)


def upsert(runtime: Runtime, call: Call, sobject: str, field: str, value: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/dome-upsert.html"""
    values = call.json_object()
    with runtime.store.transaction():
        if runtime.faults.armed or call.flag("updateOnly"):
            found = existing(runtime, call, sobject, field, value)
            runtime.faults.check_row(call.method, call.path, found)
            if found is None and call.flag("updateOnly"):
                raise OrgError(404, "NOT_FOUND", "The requested resource does not exist")
        saved = runtime.store.upsert(sobject, field, value, values, call.context)
    if not saved.created and not call.newer_than_45:
        return Answer(status=204)
    body: dict[str, Any] = {"id": saved.id, "success": True, "errors": []}
    if call.newer_than_45:
        body["created"] = saved.created
    if not saved.created:
        return Answer(body=body)
    return Answer(status=201, body=body, headers={"Location": _location(runtime, call, sobject, saved.id)})


def delete(runtime: Runtime, call: Call, sobject: str, record_id: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/dome-delete-record.html"""
    runtime.faults.check_row(call.method, call.path, record_id)
    runtime.store.delete(sobject, record_id, call.context)
    return Answer(status=204)


def delete_by_external_id(runtime: Runtime, call: Call, sobject: str, field: str, value: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-upsert-delete.html"""
    with runtime.store.transaction():
        if runtime.faults.armed:
            runtime.faults.check_row(call.method, call.path, existing(runtime, call, sobject, field, value))
        runtime.store.delete_by_external_id(sobject, field, value, call.context)
    return Answer(status=204)


def deleted(runtime: Runtime, call: Call, sobject: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-getdeleted.html"""
    return Answer(body=runtime.store.deleted(sobject, _moment(call, "start"), _moment(call, "end")))


def updated(runtime: Runtime, call: Call, sobject: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-getupdated.html"""
    return Answer(body=runtime.store.updated(sobject, _moment(call, "start"), _moment(call, "end")))


def _values(runtime: Runtime, call: Call, sobject: str) -> dict[str, Any]:
    """The fields of the record in the body, the content of a file among them where one came along.

    https://developer.salesforce.com/docs/platform/api-rest/guide/dome-sobject-insert-update-blob.html
    """
    values = call.json_object(with_files=True)
    return values if call.form is None else call.form.with_file(runtime.store.sobject(sobject), values)


def _fields(call: Call) -> list[str] | None:
    wanted = call.params.get("fields")
    return None if wanted is None else [name.strip() for name in wanted.split(",") if name.strip()]


def _location(runtime: Runtime, call: Call, sobject: str, record_id: str) -> str:
    return f"{call.base}/sobjects/{runtime.store.sobject(sobject).name}/{record_id}"


def existing(runtime: Runtime, call: Call, sobject: str, field: str, value: str) -> str | None:
    """The id of the record with this external id, if there is one."""
    try:
        return runtime.store.find(sobject, field, value, call.context)
    except OrgError as error:
        if error.status == 404:
            return None
        raise


def _moment(call: Call, name: str) -> datetime:
    value = call.params.get(name, "")
    try:
        # A space is what becomes of a + that was not encoded.
        moment = datetime.fromisoformat(value.replace(" ", "+"))
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (OverflowError, ValueError):
        pass
    raise OrgError(400, "INVALID_ARGUMENT", f"{name}: a date and time with a time zone is required, not '{value}'")


def _read(runtime: Runtime, call: Call, record: dict[str, Any]) -> Answer:
    headers = {}
    if "LastModifiedDate" in record or any(name in call.headers for name in _CONDITIONS):
        sobject, record_id = record["attributes"]["type"], record["attributes"]["url"].rpartition("/")[2]
        whole = record if "fields" not in call.params else runtime.store.get(sobject, record_id, None, call.context)
        changed, etag = _validators(whole)
        if changed is not None:
            headers["Last-Modified"] = changed.strftime("%a, %d %b %Y %H:%M:%S GMT")
        if etag is not None:
            headers["ETag"] = f'"{etag}"'
        if _strongly_failed(call, etag) or _modified_since(call, changed):
            return Answer(status=412, headers=headers)
        unchanged = changed is not None and unmodified(call.headers.get("if-modified-since"), changed)
        if unchanged or _named(call, "if-none-match", etag):
            return Answer(status=304, headers=headers)
    return Answer(body=record, headers=headers)


def _precondition_failed(runtime: Runtime, call: Call, sobject: str, record_id: str) -> bool:
    if not any(name in call.headers for name in _CONDITIONS):
        return False
    changed, etag = _validators(runtime.store.get(sobject, record_id, None, call.context))
    return _strongly_failed(call, etag) or _named(call, "if-none-match", etag) or _modified_since(call, changed)


def _validators(record: dict[str, Any]) -> tuple[datetime | None, str | None]:
    """When a record was last changed, and the entity tag that only accounts have."""
    stamp = record.get("LastModifiedDate") or record.get("SystemModstamp")
    changed = None if stamp is None else datetime.fromisoformat(stamp)
    etag = None
    if record["attributes"]["type"] == "Account":
        etag = base64.b64encode(hashlib.sha256(orjson.dumps(record)).digest()).decode("ascii")
    return changed, etag


def _named(call: Call, header: str, etag: str | None) -> bool:
    value = call.headers.get(header)
    return value is not None and etag is not None and matches_etag(value, etag)


def _strongly_failed(call: Call, etag: str | None) -> bool:
    value = call.headers.get("if-match")
    return value is not None and etag is not None and not matches_etag(value, etag)


def _modified_since(call: Call, changed: datetime | None) -> bool:
    value = call.headers.get("if-unmodified-since")
    if value is None or changed is None:
        return False
    return changed.replace(microsecond=0) > strict_date("If-Unmodified-Since", value)
