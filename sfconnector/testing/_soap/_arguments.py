"""The arguments of a call: elements and their texts, known by their local names.

Salesforce minds neither the namespace nor the order of elements, as clients show that it has always served: jsforce
sends records in a namespace of its own, and fields in any order.
"""

from collections.abc import Collection
from typing import Any, Final
from xml.etree.ElementTree import Element

import attrs

from sfconnector.testing import _ids
from sfconnector.testing._async._xml import XSI, is_nil, local_name
from sfconnector.testing._schema import SObjectType
from sfconnector.testing._soap._faults import INVALID_SOBJECT, UNEXPECTED, ClientFault, SoapFault
from sfconnector.testing._store import Store
from sfconnector.testing._values import INTEGERS, NUMBERS, Misfit, from_json

_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_XSD: Final = {"base64": "base64Binary", "datetime": "dateTime"}


@attrs.frozen
class Record:
    """An ``sObject``: its object, its id if it has one, and the values of its fields, ``None`` for those to empty."""

    sobject: SObjectType
    id: str | None
    values: dict[str, Any]


def check_known(parent: Element, known: Collection[str]) -> None:
    """Refuse elements that the type does not have."""
    for child in parent:
        if local_name(child) not in known:
            raise _misplaced(child)


def children(parent: Element, name: str) -> list[Element]:
    return [child for child in parent if local_name(child) == name]


def child(parent: Element | None, name: str) -> Element | None:
    """The element of this name, unless it is nil."""
    found = [] if parent is None else children(parent, name)
    return found[0] if found and not is_nil(found[0]) else None


def string(parent: Element | None, name: str) -> str | None:
    """The text of an element; ``None`` where it is left out or nil."""
    found = child(parent, name)
    return None if found is None else found.text or ""


def boolean(parent: Element | None, name: str) -> bool:
    """A boolean, false where it is left out."""
    given = string(parent, name)
    if given is None:
        return False
    value = _BOOLEANS.get(given.strip())
    if value is None:
        raise _misfit(given, "boolean")
    return value


def record_id(parent: Element, name: str, kind: str = UNEXPECTED) -> str | None:
    """An id of a record; ``None`` where it is left out or nil."""
    given = string(parent, name)
    return None if given is None else checked_id(given, kind)


def checked_id(given: str, kind: str = UNEXPECTED) -> str:
    """Refuse the whole call for an id that is none; an empty text is none."""
    normal = _ids.normalize(given.strip())
    if normal is None:
        raise SoapFault("MALFORMED_ID", f"bad id {given}", kind)
    return normal


def record(element: Element, store: Store, kind: str = UNEXPECTED) -> Record:
    """Read a record.

    The partner API names its object in the element ``type``, the enterprise API in the attribute ``xsi:type``.

    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
    """
    name = string(element, "type") or element.get(f"{{{XSI}}}type", "").rpartition(":")[2]
    if name in ("", "sObject"):
        raise ClientFault("Missing entity type information. sObject requires a separate 'type' field be sent.")
    sobject = store.schema.get(name)
    if sobject is None:
        raise SoapFault("INVALID_TYPE", f"sObject type '{name}' is not supported.", INVALID_SOBJECT)
    values: dict[str, Any] = {}
    for field in element:
        tag = local_name(field)
        if tag == "fieldsToNull":
            values[(field.text or "").strip()] = None
        elif tag not in ("type", "Id"):
            values[tag] = None if is_nil(field) else _value(field, sobject)
    return Record(sobject, record_id(element, "Id", kind), values)


def _value(element: Element, sobject: SObjectType) -> Any:
    """The text of a field that it can take; a parent's element gives the values by which the parent is found."""
    name, given = local_name(element), element.text or ""
    field = sobject.field(name)
    if field is None:
        return {local_name(part): part.text or "" for part in element if local_name(part) != "type"} or given
    if field.type == "boolean" and given.strip() in _BOOLEANS:
        return _BOOLEANS[given.strip()]
    try:
        from_json(field, given)
    except Misfit:
        known = "double" if field.type in NUMBERS else "int" if field.type in INTEGERS else field.type
        raise _misfit(given, _XSD.get(known, known)) from None
    return given


def _misplaced(element: Element) -> ClientFault:
    namespace = element.tag.rpartition("}")[0].removeprefix("{")
    return ClientFault(f"Element {{{namespace}}}{local_name(element)} invalid at this location")


def _misfit(given: str, kind: str) -> ClientFault:
    return ClientFault(f"'{given}' is not a valid value for the type xsd:{kind}")
