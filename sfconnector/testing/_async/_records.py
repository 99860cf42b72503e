"""The records of a batch, read from JSON and XML as they are from CSV: columns by name, parents as ``Account.Ext__c``.

https://developer.salesforce.com/docs/platform/api-asynch/guide/datafiles-xml-preparing.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.etree.ElementTree import Element

import orjson

from sfconnector.testing._async import _xml
from sfconnector.testing._async._errors import invalid_batch

# What is given for a record: a field that is not there stays as it is, ``None`` makes it null.
Columns = Mapping[str, Any]
_DEEPER: Final = "A relationship cannot be extended beyond the parent"


def table(records: Sequence[Columns]) -> tuple[list[str], list[list[Any]]]:
    """Bring records under the same columns, in the order of first sight; an empty text stands for what is not there."""
    columns = list(dict.fromkeys(name for record in records for name in record))
    return columns, [[record.get(name, "") for name in columns] for record in records]


def read_json(content: bytes) -> list[Columns]:
    """Read a JSON array of objects.

    Raises:
        AsyncError: ``InvalidBatch``.
    """
    try:
        data = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise invalid_batch(f"Failed to parse JSON: {error}") from error
    if not isinstance(data, list) or not all(isinstance(record, dict) for record in data):
        raise invalid_batch("Failed to parse JSON: a batch is an array of objects")
    return [_from_json(record) for record in data]


def _from_json(record: Mapping[str, Any]) -> Columns:
    columns: dict[str, Any] = {}
    for name, value in record.items():
        if name == "attributes":
            continue
        if isinstance(value, dict):
            columns |= _json_parent(name, value)
        else:
            columns[name] = value
    return columns


def _json_parent(relationship: str, parent: Mapping[str, Any]) -> Columns:
    """https://developer.salesforce.com/docs/platform/api-asynch/guide/datafiles-xml-rel-fields.html"""
    attributes = parent.get("attributes")
    kind = attributes.get("type") if isinstance(attributes, dict) else None
    fields = {name: value for name, value in parent.items() if name != "attributes"}
    if any(isinstance(value, dict) for value in fields.values()):
        raise invalid_batch(_DEEPER)
    return {_column(kind, relationship, name): value for name, value in fields.items()}


def read_xml(content: bytes) -> list[Columns]:
    """Read the ``sObject`` elements of an ``sObjects`` document.

    Raises:
        AsyncError: ``InvalidBatch``.
    """
    try:
        root = _xml.read(content.lstrip())
    except ValueError as error:
        raise invalid_batch(f"Failed to parse XML: {error}") from error
    if root.tag != f"{{{_xml.NAMESPACE}}}sObjects":
        raise invalid_batch(f"Failed to parse XML: expected sObjects in the namespace {_xml.NAMESPACE}")
    if any(_xml.local_name(child) != "sObject" for child in root):
        raise invalid_batch("Failed to parse XML: expected sObject in sObjects")
    return [_from_xml(child) for child in root]


def _from_xml(record: Element) -> Columns:
    columns: dict[str, Any] = {}
    for child in record:
        name = _xml.local_name(child)
        if len(child):
            columns |= _xml_parent(name, child)
        elif _xml.is_nil(child):
            columns[name] = None
        elif child.text:
            # An empty element says nothing of the field, as an empty cell does not.
            columns[name] = child.text
    return columns


def _xml_parent(relationship: str, element: Element) -> Columns:
    """https://developer.salesforce.com/docs/platform/api-asynch/guide/datafiles-xml-rel-fields.html"""
    if len(element) != 1 or _xml.local_name(element[0]) != "sObject":
        raise invalid_batch(f"Failed to parse XML: {relationship} must hold one sObject")
    kind: str | None = None
    fields: dict[str, Any] = {}
    for child in element[0]:
        if len(child):
            raise invalid_batch(_DEEPER)
        name = _xml.local_name(child)
        if name == "type":
            kind = (child.text or "").strip()
        else:
            fields[name] = None if _xml.is_nil(child) else (child.text or "")
    return {_column(kind, relationship, name): value for name, value in fields.items()}


def _column(kind: str | None, relationship: str, name: str) -> str:
    return f"{f'{kind}:' if kind else ''}{relationship}.{name}"
