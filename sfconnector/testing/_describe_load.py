"""A real org's describe made into an object of the local org.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
"""

from collections.abc import Mapping
from typing import Any

import attrs

from sfconnector.testing._schema import Field, PicklistValue, Schema, SObjectType

# Attribute of ``Field`` → key of a described field, where both hold the same value.
FIELD_KEYS = {
    "name": "name",
    "type": "type",
    "label": "label",
    "length": "length",
    "precision": "precision",
    "scale": "scale",
    "digits": "digits",
    "nillable": "nillable",
    "createable": "createable",
    "updateable": "updateable",
    "defaulted_on_create": "defaultedOnCreate",
    "default_value": "defaultValue",
    "calculated": "calculated",
    "auto_number": "autoNumber",
    "external_id": "externalId",
    "unique": "unique",
    "case_sensitive": "caseSensitive",
    "id_lookup": "idLookup",
    "name_field": "nameField",
    "filterable": "filterable",
    "sortable": "sortable",
    "groupable": "groupable",
    "aggregatable": "aggregatable",
    "restricted_picklist": "restrictedPicklist",
    "relationship_name": "relationshipName",
    "cascade_delete": "cascadeDelete",
    "restricted_delete": "restrictedDelete",
    "compound_field_name": "compoundFieldName",
    "custom": "custom",
}
OBJECT_KEYS = {
    "custom": "custom",
    "createable": "createable",
    "updateable": "updateable",
    "deletable": "deletable",
    "undeletable": "undeletable",
    "queryable": "queryable",
    "searchable": "searchable",
}
# A standard lookup says false here even where its parent's describe says true.
_RULES_OF_THE_PARENT = {"cascadeDelete", "restrictedDelete"}
_STRUCTURAL = {"name", "label", "labelPlural", "keyPrefix", "fields", "urls"}


def object_from_describe(describe: Mapping[str, Any]) -> SObjectType:
    """Build the object; what steers nothing here is kept in ``extra`` and answered as it came.

    Raises:
        ValueError: The mapping is not the describe of one object.
    """
    if not isinstance(describe.get("name"), str) or not isinstance(describe.get("fields"), list):
        raise ValueError("not a describe of an object: it needs a name and a list of fields")
    name = describe["name"]
    fields = [_field(entry) for entry in describe["fields"]]
    if not any(field.name == "Id" for field in fields):
        raise ValueError(f"the describe of {name} has no Id field: load a full describe, not a trimmed one")
    flags = {ours: describe[theirs] for ours, theirs in OBJECT_KEYS.items() if theirs in describe}
    known = _STRUCTURAL | set(OBJECT_KEYS.values())
    return SObjectType(
        name=name,
        label=describe.get("label") or name,
        label_plural=describe.get("labelPlural") or describe.get("label") or name,
        key_prefix=describe.get("keyPrefix"),
        fields={field.name: field for field in fields},
        extra={key: value for key, value in describe.items() if key not in known},
        **flags,
    )


def link(schema: Schema) -> list[SObjectType]:
    """Give reference fields what only the parent's describe tells: the child relationship's name and delete rule.

    Returns:
        The objects that changed; they are already replaced in the schema.
    """
    changed: dict[str, SObjectType] = {}
    for parent in schema:
        for relationship in parent.extra.get("childRelationships", ()):
            child = schema.get(relationship["childSObject"])
            field = child.field(relationship["field"]) if child else None
            if child is None or field is None or parent.name not in field.reference_to:
                continue
            linked = _linked(field, relationship)
            if linked != field:
                changed[child.name] = attrs.evolve(child, fields={**child.fields, field.name: linked})
                schema.add(changed[child.name])
    return list(changed.values())


def _linked(field: Field, relationship: Mapping[str, Any]) -> Field:
    name = relationship["relationshipName"]
    return attrs.evolve(
        field,
        cascade_delete=bool(relationship["cascadeDelete"]),
        restricted_delete=bool(relationship["restrictedDelete"]),
        extra=field.extra if name is None else {**field.extra, "childRelationshipName": name},
    )


def _field(entry: Mapping[str, Any]) -> Field:
    values = {ours: entry[theirs] for ours, theirs in FIELD_KEYS.items() if theirs in entry}
    known = {*FIELD_KEYS.values(), "picklistValues", "referenceTo"} - _RULES_OF_THE_PARENT
    return Field(
        **values,
        picklist_values=tuple(
            PicklistValue(
                value=value["value"],
                label=value.get("label"),
                active=value.get("active", True),
                default=value.get("defaultValue", False),
                valid_for=value.get("validFor"),
            )
            for value in entry.get("picklistValues") or ()
        ),
        reference_to=tuple(entry.get("referenceTo") or ()),
        extra={key: value for key, value in entry.items() if key not in known},
    )
