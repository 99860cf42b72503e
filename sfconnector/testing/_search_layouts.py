"""What a page of search results shows: its columns, and the objects in the order in which they come.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-search-layouts.html
https://developer.salesforce.com/docs/platform/api-rest/guide/resources-search-scope-order.html
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sfconnector.testing._schema import Field, Schema, SObjectType

_ROWS = 25
# The columns of an org that nobody has changed; a parent's field comes after its relationship.
_COLUMNS = {
    "Account": ("Name", "Site", "Phone", "Owner.Alias"),
    "Asset": ("Name", "SerialNumber", "InstallDate", "Account.Name"),
    "Campaign": ("Name", "Type", "Status", "StartDate", "Owner.Alias"),
    "Case": ("CaseNumber", "Subject", "Status", "CreatedDate", "Owner.Alias"),
    "Contact": ("Name", "Account.Name", "Account.Site", "Phone", "Email", "Owner.Alias"),
    "Lead": ("Name", "Title", "Phone", "Company", "Email", "Status", "Owner.Alias"),
    "Opportunity": ("Name", "Account.Name", "StageName", "CloseDate", "Owner.Alias"),
    "Product2": ("Name", "ProductCode", "Description", "Family"),
    "Task": ("Subject", "Who.Name", "ActivityDate", "Owner.Alias"),
    "User": ("Name", "Title", "Phone", "Email"),
}
# What is searched first by someone who has not used anything yet.
_SCOPE = ("Account", "Contact", "Opportunity", "Lead", "Case", "User", "Campaign", "Task")


def search_layout(schema: Schema, sobject: SObjectType) -> dict[str, Any]:
    """The search result layout of an object."""
    columns = [column for path in column_paths(sobject) if (column := found_column(schema, sobject, path)) is not None]
    return {
        "errorMsg": None,
        "label": "Search Results",
        "limitRows": _ROWS,
        "objectType": sobject.name,
        "searchColumns": columns,
    }


def secondary_field(sobject: SObjectType) -> Field | None:
    """The field of the object itself that its layout shows beside the name."""
    fields = [sobject.field(path) for path in column_paths(sobject)]
    return next((field for field in fields if field is not None and not field.name_field), None)


def scope_order(schema: Schema, recent: Iterable[str]) -> list[SObjectType]:
    """The objects in the user's search scope, those first whose records were used most.

    Args:
        schema: the org's objects.
        recent: the object of each record that was viewed or referenced lately.
    """
    used = [name for name, _ in Counter(recent).most_common()]
    found = (schema.get(name) for name in dict.fromkeys((*used, *_SCOPE)))
    return [sobject for sobject in found if sobject is not None and sobject.searchable]


def column_paths(sobject: SObjectType) -> tuple[str, ...]:
    """The fields that stand for an object's records in a list; a parent's field comes after its relationship."""
    name = sobject.name_field
    return _COLUMNS.get(sobject.name) or (() if name is None else (name.name,))


def found_column(schema: Schema, sobject: SObjectType, path: str) -> dict[str, Any] | None:
    """The column with a field of the object or of a parent, if there is one."""
    relationship, _, name = path.rpartition(".")
    field, owner, label = sobject.field(name), sobject.name, None
    if relationship:
        reference = sobject.relationship(relationship)
        if reference is None:
            return None
        target = schema.get("User" if "User" in reference.reference_to else reference.reference_to[0])
        field = None if target is None else target.field(name)
        owner = "Name" if len(reference.reference_to) > 1 else reference.reference_to[0]
        if relationship == "Owner":
            label = f"{'' if owner == 'Name' else sobject.label + ' '}Owner Alias"
    if field is None:
        return None
    plain = field.name_field and not relationship and sobject.name in ("Contact", "Lead", "User")
    return {
        "field": f"{owner}.{name}",
        "format": field.type if field.type in ("date", "datetime") else None,
        "label": label or ("Name" if plain else field.label),
        "name": f"toLabel({path})" if field.type == "picklist" else path,
    }
