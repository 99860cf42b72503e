"""Compact layouts: what stands at the top of a record's page. No object has one but the system's.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_compactlayouts.htm
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_compact_layouts.htm
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sfconnector.testing._layout_parts import Composer, button
from sfconnector.testing._schema import Field, SObjectType

_NAME, _LABEL = "SYSTEM", "System Default"
# The system's layout of a standard object; that of any other has the name alone.
_FIELDS = {
    "Account": ("Name", "Type", "Phone", "Website", "OwnerId", "Site", "Industry"),
    "Campaign": ("Name", "Type", "Status", "StartDate", "EndDate"),
    "Case": ("CaseNumber", "Subject", "Priority", "Status"),
    "Contact": ("Name", "Title", "AccountId", "Phone", "Email", "OwnerId"),
    "Event": ("Subject", "StartDateTime", "EndDateTime", "WhoId", "WhatId"),
    "Lead": ("Name", "Title", "Company", "Phone", "Email"),
    "Opportunity": ("Name", "AccountId", "CloseDate", "Amount", "OwnerId", "StageName"),
    "Task": ("Subject", "ActivityDate", "Status", "Priority", "WhoId", "WhatId"),
    "User": ("Name", "Title", "Phone", "Email"),
}
# What a phone or a tablet offers for a record: the action, and the type or the name of a field it needs.
_ACTIONS = (
    ("CallHighlightAction", "Call", "phone"),
    ("EmailHighlightAction", "Send Email", "email"),
    ("MapHighlightAction", "Map", "address"),
    ("WebsiteHighlightAction", "View Website", "Website"),
)
_IMAGE = "PhotoUrl"


def compact_layouts(sobject: SObjectType, infos: Iterable[Mapping[str, Any]], base: str) -> dict[str, Any]:
    """Describe the compact layouts of an object, and which record type uses which.

    Args:
        sobject: the object.
        infos: its record types, as its describe tells them.
        base: path of its compact layouts.
    """
    return {
        "compactLayouts": [compact_layout(sobject)],
        "defaultCompactLayoutId": None,
        "recordTypeCompactLayoutMappings": [
            {
                "available": info["available"],
                "compactLayoutId": None,
                "compactLayoutName": _NAME,
                "recordTypeId": info["recordTypeId"],
                "recordTypeName": info["name"],
                "urls": {"compactLayout": f"{base}/{info['recordTypeId']}"},
            }
            for info in infos
        ],
        "urls": {"primary": f"{base}/primary"},
    }


def compact_layout(sobject: SObjectType) -> dict[str, Any]:
    """Describe the compact layout of an object."""
    composer = Composer(sobject)
    image = sobject.field(_IMAGE)
    images = [] if image is None else [_item(composer, image)]
    return {
        "actions": _actions(sobject),
        "fieldItems": [_item(composer, field) for field in _fields(sobject)],
        "id": None,
        "imageItems": images,
        "label": _LABEL,
        "name": _NAME,
        "objectType": sobject.name,
    }


def _fields(sobject: SObjectType) -> list[Field]:
    found = [sobject.field(name) for name in _FIELDS.get(sobject.name, ())]
    name = sobject.name_field
    return [field for field in found if field is not None] or ([] if name is None else [name])


def _item(composer: Composer, field: Field) -> dict[str, Any]:
    cell = composer.cell(field)
    shown = {key: cell[key] for key in ("label", "layoutComponents", "placeholder")}
    # Nothing is written at the top of a page.
    return {"editable": False, **shown, "required": False}


def _actions(sobject: SObjectType) -> list[dict[str, Any]]:
    known = {field.type for field in sobject.fields.values()} | {*sobject.fields}
    return [button(name, label) for name, label, needed in _ACTIONS if needed in known]
