"""What a client says of a job: the body with which it makes one, and the one with which it closes or aborts it.

https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-reference-jobinfo.html
"""

from collections.abc import Mapping
from typing import Any, Final

import attrs
import orjson

from sfconnector.testing._async import _xml
from sfconnector.testing._async._errors import INVALID_JOB_STATE, AsyncError, invalid_job
from sfconnector.testing._async._formats import CONTENT_TYPES

OPERATIONS: Final = ("delete", "hardDelete", "insert", "query", "queryAll", "update", "upsert")
QUERIES: Final = ("query", "queryAll")
STATES: Final = ("Open", "Closed", "Aborted", "Failed")
_MODES: Final = ("Parallel", "Serial")
_CHOICES: Final = {
    "operation": OPERATIONS,
    "contentType": tuple(CONTENT_TYPES),
    "concurrencyMode": _MODES,
    "state": STATES,
}
_TEXTS: Final = frozenset({"object", "externalIdFieldName", "assignmentRuleId", "id"})
_READ_ONLY: Final = frozenset(
    {"apexProcessingTime", "apiActiveProcessingTime", "apiVersion", "createdById", "createdDate", "fastPathEnabled"}
    | {f"numberBatches{state}" for state in ("Queued", "InProgress", "Completed", "Failed", "Total")}
    | {"numberRecordsProcessed", "numberRecordsFailed", "numberRetries", "systemModstamp", "totalProcessingTime"}
)
_UNREADABLE: Final = "Unable to parse Job"


@attrs.frozen(kw_only=True)
class JobRequest:
    """A job that a client wants to have."""

    operation: str
    object: str
    content_type: str = "XML"
    concurrency_mode: str = "Parallel"
    external_id_field: str | None = None
    assignment_rule_id: str | None = None


def read_new_job(content: bytes, *, json: bool) -> JobRequest:
    """Read the body that makes a job.

    Raises:
        AsyncError: ``InvalidJob``.
    """
    given = _read(content, json=json)
    _refuse(given, "id")
    if given.get("state", "Open") != "Open":
        raise AsyncError(INVALID_JOB_STATE, f"A job cannot be created in the state {given['state']}")
    if "operation" not in given:
        raise invalid_job("No operation specified for the job")
    if "object" not in given:
        raise invalid_job("No object specified for the job")
    request = JobRequest(
        operation=given["operation"],
        object=given["object"],
        content_type=given.get("contentType", "XML"),
        concurrency_mode=given.get("concurrencyMode", "Parallel"),
        external_id_field=given.get("externalIdFieldName"),
        assignment_rule_id=given.get("assignmentRuleId"),
    )
    # https://github.com/jsforce/jsforce/issues/167, https://github.com/simple-salesforce/simple-salesforce/issues/198
    if request.operation == "upsert" and request.external_id_field is None:
        raise invalid_job(f"External ID was blank for {request.object}. An External ID must be specified for upsert.")
    if request.operation != "upsert" and request.external_id_field is not None:
        raise invalid_job(f"ExternalIdFieldName cannot be specified for {request.operation}")
    return request


def read_new_state(content: bytes, *, json: bool) -> str:
    """Read the body that changes a job: it says the state, and nothing else but the id.

    https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-concepts-limits.html

    Raises:
        AsyncError: ``InvalidJob`` or ``InvalidJobState``.
    """
    given = _read(content, json=json)
    _refuse(given, *(name for name in given if name not in ("state", "id")))
    if given.get("state") not in ("Closed", "Aborted"):
        raise AsyncError(
            INVALID_JOB_STATE, f"Invalid state for a job: {given.get('state')}; it can be closed or aborted"
        )
    return str(given["state"])


def _refuse(given: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if name in given:
            raise invalid_job(f"{name[0].upper()}{name[1:]} cannot be specified")


def _read(content: bytes, *, json: bool) -> dict[str, str]:
    try:
        pairs = _json_pairs(content) if json else _xml_pairs(content)
    except ValueError as error:
        raise invalid_job(_UNREADABLE) from error
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in _READ_ONLY:
            _refuse({name: value}, name)
        if name not in _CHOICES and name not in _TEXTS:
            raise invalid_job(_UNREADABLE)
        if value is not None and value != "":
            given[name] = _value(name, value)
    return given


def _json_pairs(content: bytes) -> list[tuple[str, Any]]:
    data = orjson.loads(content)
    if not isinstance(data, dict):
        raise ValueError("not an object")
    return list(data.items())


def _xml_pairs(content: bytes) -> list[tuple[str, Any]]:
    # Some clients begin the document with white space, which XML forbids and Salesforce takes.
    root = _xml.read(content.lstrip())
    if root.tag != f"{{{_xml.NAMESPACE}}}jobInfo":
        raise ValueError("not a jobInfo")
    return [(_xml.local_name(child), None if _xml.is_nil(child) else (child.text or "").strip()) for child in root]


def _value(name: str, value: Any) -> str:
    choices = _CHOICES.get(name)
    if name == "concurrencyMode" and isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2:
        # simple-salesforce sends the number of the mode.
        return _MODES[value]
    if not isinstance(value, str) or (choices is not None and value not in choices):
        raise invalid_job(_UNREADABLE)
    return value
