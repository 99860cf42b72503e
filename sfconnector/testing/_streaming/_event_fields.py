"""Which objects have change events, which fields of a record these carry, and how the values are written.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_associated_objects_change_event.htm
https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_event_fields_body.htm
https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_subscribe_compound_fields.htm
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

import attrs

from sfconnector.testing._schema import Field, SObjectType
from sfconnector.testing._streaming._text_differences import difference
from sfconnector.testing._values import NUMBERS

Row: TypeAlias = Mapping[str, Any]

# Of the standard objects of the local org.
CAPTURED: Final = frozenset(
    {"Account", "AccountContactRole", "Asset", "Campaign", "CampaignMember", "CampaignMemberStatus", "Case", "Contact"}
    | {"ContentDocument", "ContentDocumentLink", "ContentVersion", "Contract", "Event", "Lead", "Opportunity"}
    | {"OpportunityContactRole", "OpportunityLineItem", "Order", "OrderItem", "Pricebook2", "PricebookEntry"}
    | {"Product2", "Task", "User"}
)
_AUDIT: Final = frozenset({"CreatedById", "CreatedDate", "LastModifiedById", "LastModifiedDate"})
_NEVER: Final = frozenset(
    {"Id", "IsDeleted", "MasterRecordId", "SystemModstamp", "PhotoUrl", "FullPhotoUrl", "SmallPhotoUrl"}
    | {"LastActivityDate", "LastReferencedDate", "LastViewedDate"}
)
# What is derived from another record or from other fields: the change events of these objects do not have it.
# https://developer.salesforce.com/docs/atlas.en-us.sfFieldRef.meta/sfFieldRef/salesforce_field_reference.htm
_DERIVED: Final[Mapping[str, frozenset[str]]] = {
    "Asset": frozenset({"AssetLevel", "ProductCode", "StockKeepingUnit"}),
    "CampaignMember": frozenset(
        {"City", "CompanyOrAccount", "Country", "Description", "Email", "Fax", "FirstName", "LastName", "LeadSource"}
        | {"LeadOrContactId", "LeadOrContactOwnerId", "MobilePhone", "Name", "Phone", "PostalCode", "Salutation"}
        | {"State", "Street", "Title", "Type"}
    ),
    "Case": frozenset({"Comments", "ContactEmail", "ContactFax", "ContactMobile", "ContactPhone"}),
    "Contact": frozenset({"IsEmailBounced"}),
    "ContentDocument": frozenset(
        {"ContentSize", "Description", "FileExtension", "FileType", "SharingOption", "SharingPrivacy"}
    ),
    "ContentVersion": frozenset({"Checksum", "FileExtension", "IsAssetEnabled", "TagCsv", "VersionDataUrl"}),
    "Event": frozenset(
        {"EndDate", "EndDateTime", "EventSubtype", "IsArchived", "IsRecurrence2", "IsRecurrence2Exception"}
        | {"Recurrence2PatternStartDate", "Recurrence2PatternTimeZone", "StartDateTime"}
    ),
    "Opportunity": frozenset({"Fiscal", "FiscalQuarter", "FiscalYear", "HasOpenActivity", "HasOverdueTask"}),
    "OrderItem": frozenset({"TotalPrice"}),
    "PricebookEntry": frozenset({"Name", "ProductCode"}),
    "Task": frozenset({"IsArchived", "IsHighPriority", "TaskSubtype"}),
    "User": frozenset({"BadgeText"}),
}
# Fields of a user of which an event lists those that are set, without their values.
# https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_standard_objects_user.htm
_FLAGS: Final = re.compile(r"(EmailPreferences|UserPermissions|UserPreferences)(\w+)")
# Events of objects whose fields cannot hold so much never exceed what an event may have, whatever characters they hold.
_HARMLESS: Final = 150_000


@attrs.frozen
class _Place:
    """Where the value of a column stands in the payload, and how it is written.

    Args:
        order: place among the columns.
        group: field that has the value inside it; it is a list of names where the place ``lists``.
        name: field, or what it is called inside its group.
        write: from the stored form to that of JSON.
        lists: the name alone is written, where the value is true.
        differs: a long text, of which the difference may be told.
        together: columns that are written whenever one of them has changed.
    """

    order: int
    group: str | None
    name: str
    write: Callable[[Any], Any] | None = None
    lists: bool = False
    differs: bool = False
    together: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Update:
    """What has changed in a record: the fields of the payload, and the names of those that header fields tell."""

    payload: dict[str, Any] = attrs.field(factory=dict)
    changed: list[str] = attrs.field(factory=list)
    nulled: list[str] = attrs.field(factory=list)
    differences: list[str] = attrs.field(factory=list)


@attrs.frozen(kw_only=True, eq=False)
class EventFields:
    """The fields of one object's change events."""

    sobject: str
    entity: str
    schema_id: str
    may_be_large: bool
    places: Mapping[str, _Place]
    # Those that stand in the payload as they are.
    simple: frozenset[str]
    unknown_at_first: frozenset[str]

    def whole(self, row: Row, *, new: bool) -> dict[str, Any]:
        """Write the fields of a record that have a value."""
        payload: dict[str, Any] = {}
        for column, value in row.items():
            if value is None:
                continue
            if column in self.simple:
                payload[column] = value
            elif (place := self.places.get(column)) is not None:
                if not place.lists:
                    _write(payload, place, value)
                elif value:
                    payload.setdefault(str(place.group), []).append(place.name)
        if new:
            for name in self.unknown_at_first:
                payload.pop(name, None)
        return payload

    def update(self, before: Row, after: Row, columns: Iterable[str] | None = None) -> Update:
        """Write the fields that have another value, those that were emptied as ``None``.

        Args:
            before: the row as it was.
            after: the row as it is.
            columns: those that may have changed; any, if not given.
        """
        places = self.places
        candidates = places if columns is None else columns
        changed = [name for name in candidates if name in places and before.get(name) != after.get(name)]
        stamp = "LastModifiedDate"
        if stamp in places and stamp not in changed:
            changed.append(stamp)
        changed.sort(key=lambda name: (places[name].group is not None, places[name].order))
        update = Update()
        for name in changed:
            if places[name].lists:
                self._list(update, str(places[name].group), after)
            else:
                _put(update, places[name], before.get(name), after.get(name))
                for other in places[name].together:
                    _write(update.payload, places[other], after.get(other))
        return update

    def has_changed(self, before: Row, after: Row) -> bool:
        """Tell whether there is anything to tell."""
        return any(before.get(name) != after.get(name) for name in self.places)

    def _list(self, update: Update, group: str, after: Row) -> None:
        listed = [place.name for name, place in self.places.items() if place.group == group and after.get(name)]
        update.payload[group] = listed
        if group not in update.changed:
            update.changed.append(group)


def _put(update: Update, place: _Place, before: Any, after: Any) -> None:
    path = place.name if place.group is None else f"{place.group}.{place.name}"
    update.changed.append(path)
    if after is None:
        update.nulled.append(path)
    told = difference(before, after) if place.differs and before is not None and after is not None else None
    if told is None:
        _write(update.payload, place, after)
    else:
        update.differences.append(path)
        update.payload[place.name] = {"diff": told}


def _write(payload: dict[str, Any], place: _Place, value: Any) -> None:
    written = value if value is None or place.write is None else place.write(value)
    if place.group is None:
        payload[place.name] = written
    else:
        payload.setdefault(place.group, {})[place.name] = written


def has_change_events(name: str) -> bool:
    """Tell whether an object supports change data capture: all custom ones do, and some of the standard ones."""
    return name in CAPTURED or name.endswith("__c")


def event_name(name: str) -> str:
    """Name an object's change events: ``AccountChangeEvent``, ``Employee__ChangeEvent``."""
    return f"{name.removesuffix('__c')}__ChangeEvent" if name.endswith("__c") else f"{name}ChangeEvent"


def event_fields(sobject: SObjectType) -> EventFields:
    """Work out what the change events of an object have."""
    left_out = _NEVER | _DERIVED.get(sobject.name, frozenset())
    compounds = {field.compound_field_name for field in sobject.fields.values()}
    fields = [
        field
        for field in sobject.fields.values()
        if field.name not in left_out | compounds and not field.calculated and field.type not in _UNWRITTEN
    ]
    places = {field.name: _place(order, field) for order, field in enumerate(fields)}
    if sobject.custom:
        places = _together(places, {field.name for field in sobject.fields.values() if field.type == "location"})
    return EventFields(
        sobject=sobject.name,
        entity=event_name(sobject.name),
        schema_id=schema_id(sobject),
        may_be_large=sum(field.length for field in fields) > _HARMLESS,
        places=places,
        simple=frozenset(name for name, place in places.items() if place.group is None and place.write is None),
        unknown_at_first=_AUDIT if sobject.name == "PricebookEntry" else frozenset(),
    )


def schema_id(sobject: SObjectType) -> str:
    """Name the present form of an object's events."""
    described = ",".join(f"{field.name}:{field.type}" for field in sobject.fields.values())
    digest = hashlib.md5(f"{sobject.name}:{described}".encode(), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def written(field: Field, stored: Any) -> Any:
    """Write a value as events have it."""
    write = _WRITERS.get(field.type)
    return stored if stored is None or write is None else write(stored)


def _place(order: int, field: Field) -> _Place:
    if field.type == "boolean" and (match := _FLAGS.fullmatch(field.name)):
        return _Place(order, match[1], match[2], lists=True)
    write = _WRITERS.get(field.type)
    group = field.compound_field_name
    if group is None:
        return _Place(order, None, field.name, write, differs=field.type == "textarea")
    if field.name.endswith("__s"):
        return _Place(order, group, field.name.split("__")[-2], write)
    return _Place(order, group, field.name.removeprefix(group.removesuffix("Address")), write)


def _together(places: Mapping[str, _Place], locations: Iterable[str]) -> dict[str, _Place]:
    """Let the parts of a custom object's locations go together.

    https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_general_considerations.htm
    """
    parts = {group: tuple(name for name, place in places.items() if place.group == group) for group in locations}
    return {name: attrs.evolve(place, together=parts.get(place.group or "", ())) for name, place in places.items()}


def _moment(stored: str) -> str:
    return f"{stored[:-5]}Z"


_UNWRITTEN: Final = frozenset({"address", "base64", "location"})
_WRITERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "boolean": bool,
    "datetime": _moment,
    **dict.fromkeys(NUMBERS, float),
}
