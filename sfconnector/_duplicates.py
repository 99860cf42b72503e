"""What Salesforce tells of the records that a duplicate rule has found, in JSON or XML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sfconnector.errors import DuplicateResult, MatchRecord


def read(told: Any) -> DuplicateResult | None:
    """Read what a rule has found; ``None`` where nothing is told of it.

    Whatever else is missing is left out: the error that it belongs to must be read all the same.
    """
    if not isinstance(told, Mapping):
        return None
    matches = [record for match in _each(told, "matchResults") for record in _each(match, "matchRecords")]
    found = [_record(record["record"]) for record in matches if isinstance(record.get("record"), Mapping)]
    rule = told.get("duplicateRule")
    return DuplicateResult(
        rule if isinstance(rule, str) else "",
        told.get("allowSave") in (True, "true"),
        tuple(record for record in found if record is not None),
    )


def _each(told: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    """XML cannot tell a list of one from the one."""
    value = told.get(name)
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping):
            yield item


def _record(record: Mapping[str, Any]) -> MatchRecord | None:
    attributes = record.get("attributes")
    sobject = attributes.get("type") if isinstance(attributes, Mapping) else record.get("type")
    record_id = record.get("Id")
    if isinstance(record_id, list) and record_id:
        # SOAP API tells it twice.
        record_id = record_id[0]
    if not isinstance(record_id, str):
        return None
    fields = {name: value for name, value in record.items() if name not in {"attributes", "type", "Id"}}
    return MatchRecord(sobject if isinstance(sobject, str) else "", record_id, fields)
