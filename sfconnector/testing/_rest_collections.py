"""sObject collections: up to 200 records in one call, each with its own result.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-sobjects-collections.html
"""

from collections.abc import Callable, Sequence
from typing import Any

from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer, Call
from sfconnector.testing._ids import normalize
from sfconnector.testing._multipart import with_named_file
from sfconnector.testing._rest_records import existing, published
from sfconnector.testing._runtime import Runtime

_MAXIMUM = 200
_MAXIMUM_READ = 2_000
_MAXIMUM_CHUNKS = 10
_SINCE, _UPSERT_SINCE = 42.0, 46.0
_READ = ("ids", "fields")
ROLLED_BACK: dict[str, Any] = {
    "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "message": "Record rolled back because not all records were valid and the request was using AllOrNone header",
    "fields": [],
}

Saved = dict[str, Any]


class _RolledBack(Exception):
    """Leaves the transaction of an all-or-none call."""


def create(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-sobjects-collections-create.html"""
    records, all_or_none = _records(call, with_files=True)

    def save(record: dict[str, Any]) -> Saved:
        runtime.faults.check_row(call.method, call.path, None)
        if runtime.store.sobject(_type(record)).is_event:
            return published(runtime.store.publish(_type(record), _values(record), call.context))
        return {"id": runtime.store.create(_type(record), _with_file(runtime, call, record), call.context)}

    return _save_all(runtime, records, all_or_none, save)


def update(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-sobjects-collections-update.html"""
    records, all_or_none = _records(call, with_files=True)

    def save(record: dict[str, Any]) -> Saved:
        values = _with_file(runtime, call, record)
        name = next((name for name in values if name.lower() == "id"), None)
        record_id = None if name is None else values.pop(name)
        if not isinstance(record_id, str) or not record_id:
            raise OrgError(400, "MISSING_ARGUMENT", "Id not specified in an update call")
        runtime.faults.check_row(call.method, call.path, record_id)
        runtime.store.update(_type(record), record_id, values, call.context, in_url=False)
        return {"id": normalize(record_id)}

    return _save_all(runtime, records, all_or_none, save)


def upsert(runtime: Runtime, call: Call, sobject: str, field: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-sobjects-collections-upsert.html"""
    _check_version(call, _UPSERT_SINCE)
    records, all_or_none = _records(call)
    runtime.store.sobject(sobject)

    def save(record: dict[str, Any]) -> Saved:
        if _type(record).lower() != sobject.lower():
            raise OrgError(
                400, "INVALID_TYPE", f"The type {_type(record)} of the record is not the {sobject} of the request"
            )
        values = _values(record)
        if runtime.faults.armed:
            value = next((str(value) for name, value in values.items() if name.lower() == field.lower()), "")
            runtime.faults.check_row(call.method, call.path, existing(runtime, call, sobject, field, value))
        saved = runtime.store.upsert_from_values(sobject, field, values, call.context)
        return {"id": saved.id, "created": saved.created}

    return _save_all(runtime, records, all_or_none, save)


def delete(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-sobjects-collections-delete.html"""
    _check_version(call)
    ids = _ids(call.params.get("ids", ""))
    _check_number(ids)

    def remove(record_id: str) -> Saved:
        runtime.faults.check_row(call.method, call.path, record_id)
        sobject = runtime.store.schema.by_key_prefix(record_id[:3])
        if sobject is None or normalize(record_id) is None:
            raise OrgError(400, "MALFORMED_ID", f"malformed id {record_id}")
        runtime.store.delete(sobject.name, record_id, call.context, in_url=False)
        return {"id": normalize(record_id)}

    return _save_all(runtime, ids, call.flag("allOrNone"), remove)


def get(runtime: Runtime, call: Call, sobject: str) -> Answer:
    """Records in the order of their ids, ``null`` for those that are not there.

    https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-sobjects-collections-retrieve.html
    """
    _check_version(call)
    wanted = call.json_object() if call.method == "POST" else {name: _ids(call.params.get(name, "")) for name in _READ}
    ids, fields = (_texts(name, wanted.get(name)) for name in _READ)
    if len(ids) > _MAXIMUM_READ:
        raise OrgError(400, "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {_MAXIMUM_READ} ids")

    def read(record_id: str) -> dict[str, Any] | None:
        try:
            return runtime.store.get(sobject, record_id, fields, call.context)
        except OrgError as error:
            if error.status == 404 or error.code == "MALFORMED_ID":
                return None
            raise

    runtime.store.check_readable(sobject, fields)
    with runtime.store.transaction():
        return Answer(body=[read(record_id) for record_id in ids])


def _save_all(runtime: Runtime, items: Sequence[Any], all_or_none: bool, save: Callable[[Any], Saved]) -> Answer:
    """Save each item; where one fails and all or none is asked for, take every one back."""
    results: list[dict[str, Any]] = []
    try:
        with runtime.store.transaction():
            for item in items:
                try:
                    with runtime.store.transaction():
                        saved = save(item)
                    results.append({"id": saved.pop("id"), "success": True, "errors": [], **saved})
                except OrgError as error:
                    results.append({"success": False, "errors": errors_of(error)})
            if all_or_none and not all(result["success"] for result in results):
                raise _RolledBack
    except _RolledBack:
        results = [{"success": False, "errors": [ROLLED_BACK]} if result["success"] else result for result in results]
    return Answer(body=results)


def errors_of(error: OrgError) -> list[dict[str, Any]]:
    """The errors of a record's result."""
    return [
        {"statusCode": item.code, "message": item.message, "fields": list(item.fields or ())} for item in error.items
    ]


def _records(call: Call, *, with_files: bool = False) -> tuple[list[dict[str, Any]], bool]:
    """The records of a request, and whether it is all or none."""
    _check_version(call)
    body = call.json_object(with_files=with_files)
    records = body.get("records") or []
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise OrgError(400, "JSON_PARSER_ERROR", "records must be an array of objects")
    _check_number(records)
    types = [_type(record) for record in records]
    chunks = sum(1 for i, name in enumerate(types) if i == 0 or types[i - 1].lower() != name.lower())
    if chunks > _MAXIMUM_CHUNKS:
        raise OrgError(
            400,
            "LIMIT_EXCEEDED",
            f"Cannot have more than {_MAXIMUM_CHUNKS} chunks in a single operation. "
            "Please rearrange the data to reduce chunking.",
        )
    return records, body.get("allOrNone") is True


def _check_version(call: Call, since: float = _SINCE) -> None:
    if float(call.version) < since:
        raise OrgError(404, "NOT_FOUND", "The requested resource does not exist")


def _check_number(items: Sequence[Any]) -> None:
    if not items:
        raise OrgError(400, "REQUIRED_FIELD_MISSING", "At least 1 record is required")
    if len(items) > _MAXIMUM:
        raise OrgError(
            400,
            "EXCEEDED_ID_LIMIT",
            f"record limit reached. cannot submit more than {_MAXIMUM} records into this call",
        )


def _type(record: dict[str, Any]) -> str:
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(name, str) or not name:
        raise OrgError(400, "INVALID_INPUT", "Each record must have an attributes map with a value for type")
    return name


def _values(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "attributes"}


def _with_file(runtime: Runtime, call: Call, record: dict[str, Any]) -> dict[str, Any]:
    """The values of a record and the content that it names, where the body has several parts.

    https://developer.salesforce.com/docs/platform/api-rest/guide/dome-sobject-insert-update-blob.html
    """
    sobject = runtime.store.sobject(_type(record))
    return with_named_file(call.form, sobject, _values(record), record["attributes"])


def _texts(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise OrgError(400, "MISSING_ARGUMENT", f"Required parameter {name} must be a list that is not empty")
    return value


def _ids(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
