"""Page layouts, derived from the objects: the org has one for each object, whatever the record type.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_layouts.htm
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_describelayout_describelayoutresult.htm
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sfconnector.testing._describe import picklist_value
from sfconnector.testing._layout_parts import Composer, button, made_id, parts, written
from sfconnector.testing._schema import ChildRelationship, Field, Schema, SObjectType
from sfconnector.testing._search_layouts import column_paths, found_column

_STAMPS = (("CreatedById", "CreatedDate"), ("LastModifiedById", "LastModifiedDate"))
# What the org keeps for itself, or shows elsewhere than among the fields.
_NEVER_SHOWN = frozenset(
    {"Id", "IsDeleted", "Jigsaw", "PhotoUrl", "RecordTypeId", *(name for stamp in _STAMPS for name in stamp)}
)
_NO_CELL = frozenset({"anyType", "base64", "complexvalue", "id", "json"})
_LONG = 255
_ROWS_OF_A_LIST = 5
# Activities and what hangs on a record otherwise have lists of their own kind.
_NO_RELATED_LIST = frozenset({"Event", "Task"})


def layouts(
    schema: Schema, sobject: SObjectType, infos: Sequence[Mapping[str, Any]], actions: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Describe the layouts of an object; where it has several record types, the client asks for that of one.

    Args:
        schema: the org's objects.
        sobject: the object.
        infos: its record types, as its describe tells them.
        actions: quick actions of the layout.
    """
    own = [info for info in infos if not info["master"]]
    mappings = [_mapping(sobject, info) for info in infos]
    chosen = [info for info in own if info["active"] and info["available"]]
    return {
        "layouts": None if len(own) > 1 else [layout(schema, sobject, actions)],
        "recordTypeMappings": mappings,
        "recordTypeSelectorRequired": [len(chosen) > 1],
    }


def named_layout(
    schema: Schema, sobject: SObjectType, name: str, actions: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Describe an alternative layout; it shows what the other one does."""
    described = layout(schema, sobject, actions, name=name)
    return {"layouts": [described], "recordTypeMappings": [], "recordTypeSelectorRequired": [False]}


def global_layouts(actions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Describe the layout of the pages that belong to no object: it has nothing but quick actions."""
    described = _layout(made_id("00h", "Global"), actions)
    return {"layouts": [described], "recordTypeMappings": [], "recordTypeSelectorRequired": [False]}


def layout(
    schema: Schema, sobject: SObjectType, actions: Sequence[Mapping[str, Any]], *, name: str = ""
) -> dict[str, Any]:
    """Describe the layout of an object."""
    layout_id = _layout_id(sobject, name)
    return _layout(layout_id, actions) | {
        "buttonLayoutSection": {"detailButtons": _buttons(sobject)},
        "detailLayoutSections": _detail_sections(sobject, layout_id),
        "editLayoutSections": _edit_sections(sobject, layout_id),
        "relatedLists": _related_lists(schema, sobject),
    }


def _layout_id(sobject: SObjectType, name: str = "") -> str:
    return made_id("00h", f"{sobject.name}/{name}")


def _layout(layout_id: str, actions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "buttonLayoutSection": None,
        "detailLayoutSections": [],
        "editLayoutSections": [],
        "feedView": None,
        "highlightsPanelLayoutSection": None,
        "id": layout_id,
        "multirowEditLayoutSections": [],
        "offlineLinks": [],
        "quickActionList": {"quickActionListItems": list(actions)},
        "relatedContent": None,
        "relatedLists": [],
        "saveOptions": [],
    }


def _mapping(sobject: SObjectType, info: Mapping[str, Any]) -> dict[str, Any]:
    picklists = [field for field in sobject.fields.values() if field.type in ("multipicklist", "picklist")]
    allowed = [
        {
            "picklistName": field.name,
            "picklistValues": [picklist_value(value) for value in field.picklist_values if value.active],
        }
        for field in picklists
    ]
    return {**info, "layoutId": _layout_id(sobject), "picklistsForRecordType": allowed}


def _buttons(sobject: SObjectType) -> list[dict[str, Any]]:
    able = (("Edit", sobject.updateable), ("Delete", sobject.deletable), ("Clone", sobject.createable))
    return [button(name, name) for name, possible in able if possible]


def _detail_sections(sobject: SObjectType, layout_id: str) -> list[dict[str, Any]]:
    composer = Composer(sobject, layout_id)
    groups = _groups(sobject, _shown(sobject))
    # The heading of the first section says what the page says anyway.
    sections = [_section(composer, *group, shown=number > 0) for number, group in enumerate(groups)]
    fields = sobject.fields
    stamps = [composer.stamp(fields[user], fields[time]) for user, time in _STAMPS if user in fields and time in fields]
    return [*sections, composer.section("System Information", [stamps], shown=True)] if stamps else sections


def _edit_sections(sobject: SObjectType, layout_id: str) -> list[dict[str, Any]]:
    composer = Composer(sobject, layout_id)
    editable = [
        field
        for field in _shown(sobject)
        if any(part.createable or part.updateable for part in written(sobject, field))
    ]
    return [_section(composer, *group, shown=True) for group in _groups(sobject, editable)]


def _shown(sobject: SObjectType) -> list[Field]:
    """Find the fields that a new layout has: those which someone writes, and what is computed of them."""
    return [
        field
        for field in sobject.fields.values()
        if field.name not in _NEVER_SHOWN
        and field.type not in _NO_CELL
        and field.compound_field_name not in sobject.fields
        and not field.extra.get("deprecatedAndHidden")
        and (
            any(part.createable or part.updateable for part in written(sobject, field))
            or field.calculated
            or field.auto_number
            or field.name_field
            or field.custom
        )
    ]


def _groups(sobject: SObjectType, fields: Iterable[Field]) -> list[tuple[str, list[Field]]]:
    """Share fields out among the sections of a layout; one without fields is left out."""
    headings = (f"{sobject.label} Information", "Address Information", "Description Information")
    groups: dict[str, list[Field]] = {heading: [] for heading in headings}
    for field in fields:
        place = 1 if field.type == "address" and parts(sobject, field) else 2 if _is_long(field) else 0
        groups[headings[place]].append(field)
    return [(heading, found) for heading, found in groups.items() if found]


def _is_long(field: Field) -> bool:
    return field.type == "textarea" and field.length > _LONG


def _section(composer: Composer, heading: str, fields: Sequence[Field], *, shown: bool) -> dict[str, Any]:
    columns = 1 if all(_is_long(field) for field in fields) else 2
    return composer.section(heading, composer.rows(fields, columns), shown=shown) | {"columns": columns}


def _related_lists(schema: Schema, sobject: SObjectType) -> list[dict[str, Any]]:
    lists = []
    for relationship in schema.child_relationships(sobject.name):
        child = schema.get(relationship.child_sobject)
        if relationship.relationship_name is None or child is None or child.name in _NO_RELATED_LIST:
            continue
        if child.extra.get("layoutable", True):
            lists.append(_related_list(schema, child, relationship))
    return lists


def _related_list(schema: Schema, child: SObjectType, relationship: ChildRelationship) -> dict[str, Any]:
    own = child.fields[relationship.field].relationship_name
    paths = [path for path in column_paths(child) if own is None or not path.startswith(f"{own}.")]
    columns = [_list_column(schema, child, path) for path in paths]
    return {
        "accessLevelRequiredForCreate": None,
        "buttons": [button(f"New{child.name}", f"New {child.label}")],
        "columns": [column for column in columns if column is not None],
        "custom": child.custom,
        "field": relationship.field,
        "label": child.label_plural,
        "limitRows": _ROWS_OF_A_LIST,
        "name": relationship.relationship_name,
        "sobject": child.name,
        "sort": [{"ascending": True, "column": path} for path in paths[:1]],
    }


def _list_column(schema: Schema, child: SObjectType, path: str) -> dict[str, Any] | None:
    column = found_column(schema, child, path)
    if column is None:
        return None
    parent, _, name = path.rpartition(".")
    field = child.field(path)
    linked = f"{parent}.Id" if parent and name == "Name" else None
    own = "Id" if field is not None and field.name_field else None
    return {**column, "fieldApiName": path, "lookupId": linked or own}
