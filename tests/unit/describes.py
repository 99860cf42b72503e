"""Descriptions of objects as Salesforce answers them, cut to what a test says of them."""

from typing import Any

from sfconnector_generated.rest.models import ChildRelationship, DescribeSObjectResult, Field


def field(name: str, kind: str, **more: Any) -> dict[str, Any]:
    """Describe a field; ``more`` are further keys of its description."""
    blank = dict.fromkeys((Field._keys[attribute] for attribute in Field._required), False)
    known = {"name": name, "type": kind, "label": name, "custom": name.endswith("__c"), "length": 0, "scale": 0}
    none = {"relationshipName": None, "referenceTo": [], "picklistValues": [], "inlineHelpText": None}
    return {**blank, **none, **known, "nillable": True, "createable": True, "updateable": True, **more}


def parent(name: str, relationship: str, *sobjects: str) -> dict[str, Any]:
    """Describe a reference."""
    return field(name, "reference", relationshipName=relationship, referenceTo=list(sobjects))


def child(relationship: str, sobject: str) -> dict[str, Any]:
    """Describe a child relationship."""
    blank = dict.fromkeys((ChildRelationship._keys[attribute] for attribute in ChildRelationship._required), False)
    return {**blank, "childSObject": sobject, "relationshipName": relationship, "field": "ParentId"}


def described(
    name: str, *fields: dict[str, Any], children: tuple[dict[str, Any], ...] = (), **more: Any
) -> dict[str, Any]:
    """Describe an object; ``more`` are further keys of its description."""
    blank: dict[str, Any] = dict.fromkeys(DescribeSObjectResult._keys[key] for key in DescribeSObjectResult._required)
    lists = {"fields": list(fields), "childRelationships": list(children), "recordTypeInfos": []}
    return {**blank, **lists, "name": name, "label": name, "urls": {}, "createable": True, "updateable": True, **more}
