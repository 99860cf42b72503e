"""Parents with their children, created in one call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs
from sfconnector_generated.rest import models
from sfconnector_generated.rest.api.composite import create_tree as operation
from sfconnector_generated.rest.api.sobjects import describe_sobject

from sfconnector._answers import listed
from sfconnector._call import call, read
from sfconnector._json import loads
from sfconnector._names import check_name
from sfconnector._records import encode
from sfconnector._session import Seconds, Session
from sfconnector.errors import InvalidResponseError, RecordError

# https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-sobject-tree.html
_RECORDS, _LEVELS, _OBJECTS = 200, 5, 5
_REFERENCE: Final = "referenceId"


@attrs.frozen
class TreeRecord:
    """One record of a tree that was created.

    Attributes:
        id: Its new id.
        sobject: Its object.
        path: Where in the input it stands, such as ``"records[0].Contacts[1]"``.
        record: The caller's own record.
    """

    id: str
    sobject: str
    path: str
    record: Mapping[str, Any] = attrs.field(repr=False)


@attrs.frozen
class _Node:
    sobject: str
    path: str
    record: Mapping[str, Any]


def create_tree(
    session: Session, sobject: str, records: Iterable[Mapping[str, Any]], *, timeout: Seconds
) -> tuple[TreeRecord, ...]:
    """Create trees, as told at :meth:`Composite.tree`."""
    tree = _Tree(session, timeout)
    roots = tree.write(check_name("the object", sobject), records, "records", 1)
    if not roots:
        raise ValueError("there are no records to create")
    objects = {node.sobject.lower() for node in tree.nodes.values()}
    if len(objects) > _OBJECTS:
        raise ValueError(f"a tree has records of {_OBJECTS} objects at most, not of {len(objects)}")
    request = operation.build(sobject, body=models.TreeRequest(records=roots))
    response = session.send(request, timeout=timeout)
    if response.status_code == 400 and (failure := tree.failure(response.content)) is not None:
        raise failure
    session.check(response)
    ids = {each.reference_id: each.id for each in read(session, response, operation.parse).results}
    if not all(ids.get(name) for name in tree.nodes):
        raise InvalidResponseError(response, "the answer lacks ids of records that were to be created")
    return tuple(TreeRecord(str(ids[name]), node.sobject, node.path, node.record) for name, node in tree.nodes.items())


class _Tree:
    """Writes nested records as the resource wants them, and remembers which stands where."""

    def __init__(self, session: Session, timeout: Seconds) -> None:
        self.nodes: dict[str, _Node] = {}
        self._session, self._timeout = session, timeout
        self._children: dict[str, dict[str, str]] = {}

    def write(self, sobject: str, records: Iterable[Mapping[str, Any]], path: str, level: int) -> list[dict[str, Any]]:
        if level > _LEVELS:
            raise ValueError(f"{path}: a tree is {_LEVELS} levels deep at most")
        return [self._write(sobject, record, f"{path}[{index}]", level) for index, record in enumerate(records)]

    def _write(self, sobject: str, record: Mapping[str, Any], path: str, level: int) -> dict[str, Any]:
        if not isinstance(record, Mapping):
            raise TypeError(f"{path}: a record is a dict of field names and values, not a {type(record).__name__}")
        sobject = check_name(f"{path}: the object", _own_type(record, path) or sobject)
        if len(self.nodes) >= _RECORDS:
            raise ValueError(f"a call creates {_RECORDS} records at most, children included")
        name = f"r{len(self.nodes) + 1}"
        self.nodes[name] = _Node(sobject, path, record)
        written: dict[str, Any] = {"attributes": {"type": sobject, _REFERENCE: name}}
        own = {key: value for key, value in record.items() if key != "attributes" and not _is_children(value)}
        written |= encode(own)
        for relationship, value in record.items():
            if _is_children(value) and (children := _listed(value)):
                child = self._child(sobject, relationship, children, path)
                written[relationship] = {"records": self.write(child, children, f"{path}.{relationship}", level + 1)}
        return written

    def _child(self, sobject: str, relationship: str, children: list[Any], path: str) -> str:
        """Find the object of the children, from themselves or from the description of their parent."""
        check_name("the child relationship", relationship)
        own = {_own_type(each, f"{path}.{relationship}") for each in children if isinstance(each, Mapping)}
        if len(own) == 1 and (name := own.pop()):
            return name
        if sobject not in self._children:
            request = describe_sobject.build(sobject)
            described = call(self._session, request, describe_sobject.parse, timeout=self._timeout)
            self._children[sobject] = {
                each.relationship_name.lower(): each.child_sobject
                for each in described.child_relationships or []
                if each.relationship_name
            }
        known = self._children[sobject]
        if relationship.lower() not in known:
            raise ValueError(f"{sobject} has no child relationship {relationship!r}")
        return known[relationship.lower()]

    def failure(self, content: bytes) -> RecordError | None:
        """Make the error of an answer that names the record that failed."""
        try:
            results = loads(content)["results"]
            name = results[0][_REFERENCE]
        except (ValueError, LookupError, TypeError):
            return None
        if name not in self.nodes:
            return None
        node = self.nodes[name]
        return RecordError(tuple(listed(results)), what=f"{node.path} ({node.sobject}), so that nothing was created,")


def _own_type(record: Mapping[str, Any], path: str) -> str | None:
    """Read the object that a record itself names."""
    attributes = record.get("attributes") or {}
    if not isinstance(attributes, Mapping):
        raise TypeError(f"{path}: attributes is a dict that names the object, not a {type(attributes).__name__}")
    return attributes.get("type")


def _is_children(value: object) -> bool:
    """Tell a list of child records, or what a query gives of them, from the value of a field."""
    return isinstance(value, list | tuple) or (isinstance(value, Mapping) and "records" in value)


def _listed(children: Any) -> list[Mapping[str, Any]]:
    if isinstance(children, Mapping) and children.get("done") is False:
        raise ValueError("only the first of the child records are there: sf.query() gives them all")
    return list(children["records"] if isinstance(children, Mapping) else children)
