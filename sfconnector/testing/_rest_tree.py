"""sObject trees: parents with their children, created all or none.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-sobject-tree.html
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from sfconnector.testing import _subrequests
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer, Call
from sfconnector.testing._rest_collections import errors_of
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._schema import Schema, SObjectType

_SINCE = 34.0
_RECORDS, _OBJECTS, _LEVELS = 200, 5, 5
_REFERENCE_ID = re.compile(r"[A-Za-z0-9].*", re.DOTALL)


@attrs.frozen(kw_only=True, eq=False)
class _Node:
    """A record of a tree; where it is a child, its ``field`` refers to its ``parent``."""

    reference_id: str
    type: str
    values: Mapping[str, Any]
    expected: str
    level: int
    parent: "_Node | None"
    field: str | None


_Refusals = Sequence[tuple[_Node, OrgError]]


class _Refused(Exception):
    """Leaves the transaction of a tree that cannot be created."""

    def __init__(self, refusals: _Refusals) -> None:
        super().__init__(f"{len(refusals)} records")
        self.refusals = refusals


def create(runtime: Runtime, call: Call, sobject: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/responses-composite-sobject-tree.html"""
    if float(call.version) < _SINCE:
        raise OrgError(404, "NOT_FOUND", "The requested resource does not exist")
    root = runtime.store.sobject(sobject)
    schema = runtime.store.schema
    nodes = list(_read(schema, _subrequests.objects(call.json_object(), "records"), root.name))
    nodes.sort(key=lambda node: node.level)
    _check_limits(nodes)
    try:
        _check(schema, nodes)
        with runtime.store.transaction():
            ids = _create(runtime, call, nodes)
    except _Refused as refused:
        results = [{"referenceId": node.reference_id, "errors": errors_of(error)} for node, error in refused.refusals]
        return Answer(status=400, body={"hasErrors": True, "results": results})
    created = [{"referenceId": node.reference_id, "id": ids[node]} for node in nodes]
    return Answer(status=201, body={"hasErrors": False, "results": created})


def _read(
    schema: Schema,
    records: Sequence[Mapping[str, Any]],
    expected: str,
    parent: _Node | None = None,
    field: str | None = None,
) -> Iterator[_Node]:
    """List the records of trees, parents before their children.

    https://developer.salesforce.com/docs/platform/api-rest/guide/requests-composite-sobject-tree.html
    """
    for record in records:
        attributes = record.get("attributes")
        given = attributes if isinstance(attributes, dict) else {}
        reference_id, name = given.get("referenceId"), given.get("type")
        if not isinstance(reference_id, str) or not reference_id:
            raise OrgError(403, "INVALID_INPUT", "Include a reference ID for each record in the request.")
        children = dict(_children(schema, expected, record))
        node = _Node(
            reference_id=reference_id,
            type=name if isinstance(name, str) else "",
            values={key: value for key, value in record.items() if key != "attributes" and key not in children},
            expected=expected,
            level=1 if parent is None else parent.level + 1,
            parent=parent,
            field=field,
        )
        yield node
        for key, (child, child_field) in children.items():
            nested = record[key]["records"]
            if not isinstance(nested, list) or not all(isinstance(each, dict) for each in nested):
                raise _subrequests.malformed(f"The records of {key} must be an array of objects")
            # Endless nesting is refused before it is followed.
            if node.level > _LEVELS:
                raise _limit("levels of a tree", _LEVELS)
            yield from _read(schema, nested, child, node, child_field)


def _children(schema: Schema, parent: str, record: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Pair the keys that hold children with the object of these and the field that refers to their parent."""
    known = {
        relationship.relationship_name.lower(): (relationship.child_sobject, relationship.field)
        for relationship in schema.child_relationships(parent)
        if relationship.relationship_name
    }
    for key, value in record.items():
        if isinstance(value, dict) and "records" in value and key.lower() in known:
            yield key, known[key.lower()]


def _check_limits(nodes: Sequence[_Node]) -> None:
    if len(nodes) > _RECORDS:
        raise _limit("records in a request", _RECORDS)
    if len({node.type.lower() for node in nodes}) > _OBJECTS:
        raise _limit("different types in a request", _OBJECTS)
    if nodes[-1].level > _LEVELS:
        raise _limit("levels of a tree", _LEVELS)


def _limit(what: str, maximum: int) -> OrgError:
    return OrgError(400, "LIMIT_EXCEEDED", f"The maximum number of {what} is {maximum}.")


def _check(schema: Schema, nodes: Sequence[_Node]) -> None:
    """Find what is wrong with records before any of them is created."""
    counts = Counter(node.reference_id for node in nodes)
    refusals = [
        (node, OrgError(400, "INVALID_INPUT", message))
        for node in nodes
        if (message := _complaint(node, counts[node.reference_id], schema.get(node.type)))
    ]
    if refusals:
        raise _Refused(refusals)


def _complaint(node: _Node, count: int, sobject: SObjectType | None) -> str | None:
    if count > 1:
        return "Duplicate ReferenceId provided in the request."
    if not _REFERENCE_ID.fullmatch(node.reference_id):
        return f"Invalid reference ID provided in the request: {node.reference_id}"
    if not node.type:
        return "Include an entity type for each record in the request."
    if sobject is None or sobject.name != node.expected or not sobject.createable:
        return f"Invalid entity type provided in the request: {node.type}"
    return None


def _create(runtime: Runtime, call: Call, nodes: Sequence[_Node]) -> dict[_Node, str]:
    """Create level by level; of the records of one level and type all that are refused are told."""
    ids: dict[_Node, str] = {}
    groups: dict[tuple[int, str], list[_Node]] = {}
    for node in nodes:
        groups.setdefault((node.level, node.expected), []).append(node)
    for group in groups.values():
        refusals: list[tuple[_Node, OrgError]] = []
        for node in group:
            try:
                ids[node] = _create_one(runtime, call, node, ids)
            except OrgError as error:
                refusals.append((node, error))
        if refusals:
            raise _Refused(refusals)
    return ids


def _create_one(runtime: Runtime, call: Call, node: _Node, ids: Mapping[_Node, str]) -> str:
    runtime.faults.check_row(call.method, call.path, None)
    values = dict(node.values)
    if node.parent is not None and node.field is not None:
        values = {name: value for name, value in values.items() if name.lower() != node.field.lower()}
        values[node.field] = ids[node.parent]
    return runtime.store.create(node.expected, values, call.context)
