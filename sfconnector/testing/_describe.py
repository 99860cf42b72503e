"""What the org tells of its objects: the global describe, an object's short and its full describe.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_describeGlobal.htm
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_basic_info.htm
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sfconnector.testing._describe_load import FIELD_KEYS, OBJECT_KEYS
from sfconnector.testing._schema import ChildRelationship, Field, PicklistValue, Schema, SObjectType

MASTER_RECORD_TYPE_ID = "012000000000000AAA"
# The alternative layouts of users, the only ones there are.
NAMED_LAYOUTS = ("UserAlt",)
_SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "long": "xsd:long",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "base64": "xsd:base64Binary",
    "address": "urn:address",
    "location": "urn:location",
    "anyType": "xsd:anyType",
    "json": "urn:JSON",
}
# Keys of a global describe's entry which are neither columns of ``SObjectType`` nor computed.
_GLOBAL_FLAGS: dict[str, Any] = {
    "activateable": False,
    "associateEntityType": None,
    "associateParentEntity": None,
    "customSetting": False,
    "deepCloneable": False,
    "deprecatedAndHidden": False,
    "feedEnabled": False,
    "hasSubtypes": False,
    "isInterface": False,
    "isSubtype": False,
    "layoutable": True,
    "mergeable": False,
    "mruEnabled": True,
    "replicateable": True,
    "retrieveable": True,
    "triggerable": True,
}
_DESCRIBE_FLAGS: dict[str, Any] = {
    **_GLOBAL_FLAGS,
    "actionOverrides": [],
    "compactLayoutable": True,
    "defaultImplementation": None,
    "extendedBy": None,
    "extendsInterfaces": None,
    "implementedBy": None,
    "implementsInterfaces": None,
    "listviewable": None,
    "lookupLayoutable": None,
    "namedLayoutInfos": [],
    "networkScopeFieldName": None,
    "searchLayoutable": True,
    "sobjectDescribeOption": "FULL",
}
_BASIC_FLAGS = [
    "activateable",
    "customSetting",
    "deprecatedAndHidden",
    "feedEnabled",
    "layoutable",
    "mergeable",
    "replicateable",
    "retrieveable",
    "triggerable",
]
_FIELD_DEFAULTS: dict[str, Any] = {
    "aiPredictionField": False,
    "calculatedFormula": None,
    "controllerName": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "displayLocationInDecimal": False,
    "encrypted": False,
    "extraTypeInfo": None,
    "filteredLookupInfo": None,
    "formulaTreatNullNumberAsZero": False,
    "highScaleNumber": False,
    "htmlFormatted": False,
    "inlineHelpText": None,
    "mask": None,
    "maskType": None,
    "referenceTargetField": None,
    "relationshipOrder": None,
    "writeRequiresMasterRead": False,
}
# Our own notes in ``extra``, which Salesforce has no key for.
_OWN_NOTES = {"childRelationshipName", "customTargets", "autoNumberFormat", "recordTypes", "setup", "lacksUrls"}
_SYSTEM_FIELDS = frozenset(
    [
        "Id",
        "IsDeleted",
        "OwnerId",
        "MasterRecordId",
        "CreatedDate",
        "CreatedById",
        "LastModifiedDate",
        "LastModifiedById",
        "SystemModstamp",
        "LastActivityDate",
        "LastViewedDate",
        "LastReferencedDate",
        "Name",
        "RecordTypeId",
    ]
)


def describe_global(schema: Schema, version: str) -> dict[str, Any]:
    """Build the body of ``GET /sobjects``."""
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [_entry(sobject, version) for sobject in schema]}


def basic_info(sobject: SObjectType, version: str, recent: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Build the body of ``GET /sobjects/{name}``."""
    urls = _urls(sobject, version)
    return {
        "objectDescribe": {
            **_identity(sobject),
            **{key: sobject.extra.get(key, _GLOBAL_FLAGS[key]) for key in _BASIC_FLAGS},
            "urls": {key: urls[key] for key in ("sobject", "describe", "rowTemplate")},
        },
        "recentItems": list(recent),
    }


def describe(
    schema: Schema,
    sobject: SObjectType,
    version: str,
    *,
    record_types: Sequence[Mapping[str, Any]] = (),
    base_url: str = "",
) -> dict[str, Any]:
    """Build the body of ``GET /sobjects/{name}/describe``.

    Args:
        schema: The whole org: it knows the child relationships.
        sobject: The object.
        version: API version, such as ``68.0``.
        record_types: Rows of ``RecordType`` of this object.
        base_url: Where the org's pages would be, for the ``ui…`` URLs.
    """
    answer: dict[str, Any] = {**_identity(sobject), **_flags(sobject, _DESCRIBE_FLAGS)}
    answer["fields"] = [describe_field(field, sobject) for field in sobject.fields.values()]
    answer["childRelationships"] = _children(schema, sobject)
    answer["recordTypeInfos"] = record_type_infos(sobject, record_types, version)
    answer["supportedScopes"] = sobject.extra.get("supportedScopes") or _scopes(sobject)
    answer["urls"] = _urls(sobject, version, full=True)
    if "namedLayouts" in answer["urls"] and "namedLayoutInfos" not in sobject.extra:
        answer["namedLayoutInfos"] = [_named_layout(name, answer["urls"]["namedLayouts"]) for name in NAMED_LAYOUTS]
    if answer["compactLayoutable"]:
        page = f"{base_url}/{{ID}}"
        answer["urls"] |= {"uiDetailTemplate": page, "uiEditTemplate": f"{page}/e"}
        answer["urls"]["uiNewRecord"] = f"{base_url}/{sobject.key_prefix}/e"
    return dict(sorted(answer.items()))


def _identity(sobject: SObjectType) -> dict[str, Any]:
    return {
        "name": sobject.name,
        "label": sobject.label,
        "labelPlural": sobject.label_plural,
        "keyPrefix": sobject.key_prefix,
        **{theirs: getattr(sobject, ours) for ours, theirs in OBJECT_KEYS.items()},
    }


def _flags(sobject: SObjectType, defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {key: sobject.extra.get(key, default) for key, default in defaults.items()}


def _entry(sobject: SObjectType, version: str) -> dict[str, Any]:
    entry = {**_identity(sobject), **_flags(sobject, _GLOBAL_FLAGS), "urls": _urls(sobject, version, full=True)}
    return dict(sorted(entry.items()))


def _named_layout(name: str, template: str) -> dict[str, Any]:
    return {"name": name, "urls": {"layout": template.replace("{LayoutName}", name)}}


def _urls(sobject: SObjectType, version: str, *, full: bool = False) -> dict[str, str]:
    base = f"/services/data/v{version}/sobjects/{sobject.name}"
    urls = {"rowTemplate": f"{base}/{{ID}}", "describe": f"{base}/describe", "sobject": base}
    if not full:
        return urls
    if sobject.extra.get("compactLayoutable", True):
        urls["compactLayouts"] = f"{base}/describe/compactLayouts"
    if sobject.extra.get("layoutable", True):
        urls |= {"quickActions": f"{base}/quickActions", "layouts": f"{base}/describe/layouts"}
        if sobject.name == "User":
            urls["namedLayouts"] = f"{base}/describe/namedLayouts/{{LayoutName}}"
            urls["passwordUtilities"] = f"{base}/{{ID}}/password"
        else:
            urls |= {"approvalLayouts": f"{base}/describe/approvalLayouts", "listviews": f"{base}/listviews"}
    if sobject.name == "Case":
        urls["caseArticleSuggestions"] = f"{base}/suggestedArticles"
        urls["caseRowArticleSuggestions"] = f"{base}/{{ID}}/suggestedArticles"
    return {key: url for key, url in urls.items() if key not in sobject.extra.get("lacksUrls", ())}


def describe_field(field: Field, sobject: SObjectType) -> dict[str, Any]:
    """Build a field's entry of ``describe``; layouts repeat it."""
    described: dict[str, Any] = {theirs: getattr(field, ours) for ours, theirs in FIELD_KEYS.items()}
    described |= {**_FIELD_DEFAULTS, **_derived(field, setup=sobject.extra.get("setup", False))}
    described["picklistValues"] = [picklist_value(value) for value in field.picklist_values]
    described["referenceTo"] = list(field.reference_to)
    described |= {key: value for key, value in field.extra.items() if key not in _OWN_NOTES}
    return dict(sorted(described.items()))


def _derived(field: Field, *, setup: bool) -> dict[str, Any]:
    """Follow from the type and the properties what Salesforce's describe repeats in words of its own."""
    polymorphic = len(field.reference_to) > 1
    ids = field.type in ("id", "reference")
    ordinary = not setup and field.nillable and field.name not in _SYSTEM_FIELDS
    return {
        "byteLength": field.length if ids or field.type == "multipicklist" else field.length * 3,
        # Only a master-detail field deletes by itself; a standard lookup's rule is told by the parent.
        "cascadeDelete": field.cascade_delete and field.custom,
        "restrictedDelete": field.restricted_delete and field.custom,
        "extraTypeInfo": _extra_type(field),
        "namePointing": polymorphic and field.relationship_name is not None,
        "polymorphicForeignKey": polymorphic,
        "permissionable": ordinary
        and (field.createable or field.type == "address")
        and field.compound_field_name != "Name",
        "queryByDistance": field.type in ("address", "location"),
        "searchPrefilterable": ordinary and field.relationship_name is not None and not field.custom,
        "soapType": _SOAP_TYPES.get(field.type, "xsd:string"),
    }


def _extra_type(field: Field) -> str | None:
    if field.type == "textarea":
        return "plaintextarea"
    if field.compound_field_name == "Name" or (field.name == "Name" and field.length == 121):
        return "personname"
    return "imageurl" if field.type == "url" and field.name.endswith("PhotoUrl") else None


def picklist_value(value: PicklistValue) -> dict[str, Any]:
    """Build the entry of one value of a picklist."""
    return {
        "active": value.active,
        "defaultValue": value.default,
        "label": value.label,
        "validFor": value.valid_for,
        "value": value.value,
    }


def _children(schema: Schema, sobject: SObjectType) -> list[dict[str, Any]]:
    known = [
        _child(relationship)
        for relationship in schema.child_relationships(sobject.name)
        # What was merged into a record, and what a queue owns, is told of no parent.
        if relationship.field != "MasterRecordId" and (sobject.name, relationship.field) != ("Group", "OwnerId")
    ]
    have = {(child["childSObject"], child["field"]) for child in known}
    recorded = sobject.extra.get("childRelationships", ())
    # A loaded describe also names children that were not loaded with it.
    return known + [child for child in recorded if (child["childSObject"], child["field"]) not in have]


def _child(relationship: ChildRelationship) -> dict[str, Any]:
    return {
        "cascadeDelete": relationship.cascade_delete,
        "childSObject": relationship.child_sobject,
        "deprecatedAndHidden": False,
        "field": relationship.field,
        "junctionIdListNames": [],
        "junctionReferenceTo": [],
        "relationshipName": relationship.relationship_name,
        "restrictedDelete": relationship.restricted_delete,
    }


def record_type_infos(
    sobject: SObjectType, record_types: Sequence[Mapping[str, Any]], version: str
) -> list[dict[str, Any]]:
    """Build the entries of an object's record types; that of all records without one, the master, comes last."""
    if "recordTypeInfos" in sobject.extra:
        return list(sobject.extra["recordTypeInfos"])
    if sobject.extra.get("setup"):
        return []
    default = next(
        (entry["developer_name"] for entry in sobject.extra.get("recordTypes", ()) if entry["default"]), None
    )
    infos = [
        _record_type_info(sobject, version, row["Id"], row["Name"], row["DeveloperName"], active=bool(row["IsActive"]))
        for row in record_types
    ]
    for info in infos:
        info["defaultRecordTypeMapping"] = info["developerName"] == default
    return [*infos, master_record_type(sobject, version, default=default is None)]


def master_record_type(sobject: SObjectType, version: str, *, default: bool = True) -> dict[str, Any]:
    """Build the entry of the record type that every object has."""
    master = _record_type_info(sobject, version, MASTER_RECORD_TYPE_ID, "Master", "Master", active=True)
    return {**master, "master": True, "defaultRecordTypeMapping": default}


def _record_type_info(
    sobject: SObjectType, version: str, record_type_id: str, name: str, developer_name: str, *, active: bool
) -> dict[str, Any]:
    base = f"/services/data/v{version}/sobjects/{sobject.name}"
    return {
        "active": active,
        "available": active,
        "defaultRecordTypeMapping": False,
        "developerName": developer_name,
        "master": False,
        "name": name,
        "recordTypeId": record_type_id,
        "urls": {"layout": f"{base}/describe/layouts/{record_type_id}"},
    }


def _scopes(sobject: SObjectType) -> list[dict[str, str]]:
    plural = sobject.label_plural.lower()
    scopes = [{"label": f"All {plural}", "name": "everything"}]
    owner = sobject.field("OwnerId")
    if owner is None:
        return scopes
    scopes.append({"label": f"My {plural}", "name": "mine"})
    if "Group" in owner.reference_to:
        scopes.append({"label": f"Queue owned {plural}", "name": "queue_owned"})
    scopes.append({"label": f"My team's {plural}", "name": "team"})
    if "Group" in owner.reference_to:
        scopes.append({"label": f"User owned {plural}", "name": "user_owned"})
    return scopes
