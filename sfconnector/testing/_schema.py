"""What the org knows about its objects: the part of a describe on which behaviour depends.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_describesobjects_describesobjectresult.htm
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs


@attrs.frozen
class PicklistValue:
    value: str
    label: str | None
    active: bool = True
    default: bool = False
    # Base64 bit set of the controlling values, as a dependent picklist has it in ``describe``.
    valid_for: str | None = None


@attrs.frozen(kw_only=True)
class Field:
    """A field, named and typed as in ``describe``; ``type`` is Salesforce's lower-case field type."""

    name: str
    type: str
    label: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    defaulted_on_create: bool = False
    default_value: Any = None
    calculated: bool = False
    auto_number: bool = False
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    id_lookup: bool = False
    name_field: bool = False
    filterable: bool = True
    sortable: bool = True
    groupable: bool = True
    aggregatable: bool = True
    restricted_picklist: bool = False
    picklist_values: tuple[PicklistValue, ...] = ()
    reference_to: tuple[str, ...] = ()
    relationship_name: str | None = None
    cascade_delete: bool = False
    restricted_delete: bool = False
    compound_field_name: str | None = None
    custom: bool = False
    # Keys of a loaded describe that steer nothing here and are answered as they came.
    extra: Mapping[str, Any] = attrs.field(factory=dict)
    # Where each value of the picklist stands, and those that may be chosen.
    places: Mapping[str, int] = attrs.field(init=False, repr=False, eq=False)
    choices: frozenset[str] = attrs.field(init=False, repr=False, eq=False)

    @places.default
    def _place(self) -> Mapping[str, int]:
        return {entry.value: place for place, entry in enumerate(self.picklist_values)}

    @choices.default
    def _choose(self) -> frozenset[str]:
        return frozenset(entry.value for entry in self.picklist_values if entry.active)


@attrs.frozen(kw_only=True)
class ChildRelationship:
    child_sobject: str
    field: str
    relationship_name: str | None
    cascade_delete: bool = False
    restricted_delete: bool = False


@attrs.frozen(kw_only=True)
class SObjectType:
    """An object of the org; ``fields`` is keyed by the exact API name, in describe order."""

    name: str
    label: str
    label_plural: str
    key_prefix: str | None
    fields: Mapping[str, Field]
    custom: bool = False
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    undeletable: bool = True
    queryable: bool = True
    searchable: bool = True
    extra: Mapping[str, Any] = attrs.field(factory=dict)
    # What a record of the object needs, and what the org numbers itself: every write asks for both.
    mandatory: tuple[Field, ...] = attrs.field(init=False, repr=False, eq=False)
    auto_numbers: tuple[Field, ...] = attrs.field(init=False, repr=False, eq=False)
    _by_lower: Mapping[str, Field] = attrs.field(init=False, repr=False, eq=False)

    @mandatory.default
    def _find_mandatory(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields.values() if not field.nillable and field.type != "boolean")

    @auto_numbers.default
    def _find_auto_numbers(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields.values() if field.auto_number)

    @_by_lower.default
    def _index(self) -> Mapping[str, Field]:
        return {name.lower(): field for name, field in self.fields.items()}

    def field(self, name: str) -> Field | None:
        """Find a field in any case, as Salesforce does."""
        return self._by_lower.get(name.lower())

    def relationship(self, name: str) -> Field | None:
        """Find the reference field behind a parent relationship such as ``Account`` or ``Parent__r``."""
        wanted = name.lower()
        for field in self.fields.values():
            if field.relationship_name is not None and field.relationship_name.lower() == wanted:
                return field
        return None

    @property
    def is_event(self) -> bool:
        """Whether it is a platform event, of which no records are kept."""
        return self.name.endswith("__e")

    @property
    def name_field(self) -> Field | None:
        return next((field for field in self.fields.values() if field.name_field), None)


class Schema:
    """All objects of the org, found in any case; child relationships follow from the reference fields.

    The ``relationship_name`` of a child relationship stands in the reference field's
    ``extra["childRelationshipName"]``; a field without it gives a relationship that SOQL cannot name.
    """

    def __init__(self, sobjects: Iterable[SObjectType] = ()) -> None:
        self._sobjects: dict[str, SObjectType] = {}
        # What follows from the objects, and from which.
        self._children: tuple[Mapping[str, SObjectType], Mapping[str, list[ChildRelationship]]] | None = None
        for sobject in sobjects:
            self.add(sobject)

    def add(self, sobject: SObjectType) -> None:
        """Add an object, or replace the one of the same name."""
        # A new mapping, because other threads may be walking through the old one.
        self._sobjects = {**self._sobjects, sobject.name.lower(): sobject}

    def get(self, name: str) -> SObjectType | None:
        return self._sobjects.get(name.lower())

    def by_key_prefix(self, prefix: str) -> SObjectType | None:
        return next((sobject for sobject in self._sobjects.values() if sobject.key_prefix == prefix), None)

    def child_relationships(self, parent: str) -> list[ChildRelationship]:
        known = self._sobjects
        if self._children is None or self._children[0] is not known:
            self._children = (known, _children_by_parent(self))
        return list(self._children[1].get(parent, ()))

    def __iter__(self) -> Iterator[SObjectType]:
        return iter(sorted(self._sobjects.values(), key=lambda sobject: sobject.name))


def _children_by_parent(schema: Schema) -> dict[str, list[ChildRelationship]]:
    children: defaultdict[str, list[ChildRelationship]] = defaultdict(list)
    for sobject in schema:
        if sobject.is_event:
            continue
        for field in sobject.fields.values():
            for parent in field.reference_to:
                children[parent].append(
                    ChildRelationship(
                        child_sobject=sobject.name,
                        field=field.name,
                        relationship_name=field.extra.get("childRelationshipName"),
                        cascade_delete=field.cascade_delete,
                        restricted_delete=field.restricted_delete,
                    )
                )
    return dict(children)
