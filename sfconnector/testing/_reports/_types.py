"""Report types: which records a report can show, and what its columns are called.

A standard type has the columns that Salesforce names (``OPPORTUNITY_NAME``). Fields that have no such name, custom ones
above all, are ``Object.Field`` in every type. A custom object has the type ``CustomEntity$Name__c``, any other object a
custom report type of its own name.

https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/analytics_api_reporttypes_reference_list.htm
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import attrs

from sfconnector.testing._definition import load_yaml
from sfconnector.testing._schema import Field, Schema, SObjectType
from sfconnector.testing._values import COMPOUNDS, INTEGERS, NUMBERS

_COLUMN = re.compile(r"(?P<path>[\w.]+)(?: (?P<mark>id|day|fiscal))?(?: = (?P<label>.+))?")
_CUSTOM_PREFIX = "CustomEntity$"
# What every custom object's report calls the fields that the object has from the start.
_CUSTOM_OBJECT = {
    "CUST_NAME": "Name id",
    "CUST_ID": "Id",
    "CUST_OWNER_NAME": "Owner.Name id",
    "CUST_CREATED_NAME": "CreatedBy.Name id",
    "CUST_CREATED_DATE": "CreatedDate day",
    "CUST_LAST_UPDATE_NAME": "LastModifiedBy.Name id",
    "CUST_LAST_UPDATE": "LastModifiedDate day",
}
# A reference shows the name of a record.
_KEPT = "boolean currency date datetime double email id int multipicklist percent phone picklist textarea time url"
_DATA_TYPES = {name: name for name in _KEPT.split()} | {"combobox": "picklist", "long": "int"}
# They can be read by the ids of others only, and a report reads all.
_NO_TYPE = frozenset({"ContentDocumentLink"})
_NO_COLUMN = frozenset({*COMPOUNDS, "base64", "complexvalue"})


@attrs.frozen(kw_only=True)
class ReportColumn:
    """A column: its names, the SOQL path of what it shows, and that of the record which the cell's value names."""

    name: str
    label: str
    path: str
    field: Field
    entity: str
    id_path: str | None = None
    mark: str | None = None

    @property
    def data_type(self) -> str:
        """The type of the column, which is that of the field but for names of other records and for streets."""
        if self.field.type == "textarea" and self.field.compound_field_name is not None:
            return "string"
        return _DATA_TYPES.get(self.field.type, "string")

    @property
    def filterable(self) -> bool:
        return self.field.filterable and self.mark != "fiscal" and self.field.type != "encryptedstring"

    @property
    def numeric(self) -> bool:
        return self.field.type in NUMBERS or self.field.type in INTEGERS


@attrs.frozen(kw_only=True)
class ReportType:
    """A report type; ``sections`` are its columns by the heading under which they stand."""

    name: str
    label: str
    group: str
    sobject: SObjectType
    sections: Mapping[str, Mapping[str, ReportColumn]]
    default: tuple[str, ...]
    date: str | None
    duration: str = "CUSTOM"
    scope: str = "organization"
    standard_filters: Mapping[str, str] = attrs.field(factory=dict)
    objects: tuple[SObjectType, ...] = ()

    def columns(self) -> Iterator[ReportColumn]:
        for section in self.sections.values():
            yield from section.values()

    def column(self, name: str) -> ReportColumn | None:
        """Find a column by its name, in any case."""
        wanted = name.lower()
        return next((column for column in self.columns() if column.name.lower() == wanted), None)

    def column_of_path(self, path: str) -> ReportColumn | None:
        """Find the column that shows a field, by the path to it such as ``Account.Name``, or ``AccountId``."""
        wanted = path.lower()
        by_path = (column for column in self.columns() if column.path.lower() == wanted)
        by_id = (column for column in self.columns() if _reference(column) == wanted)
        return next(by_path, None) or next(by_id, None)


@attrs.define
class ReportTypes:
    """The report types of a schema."""

    schema: Schema

    def get(self, name: str) -> ReportType | None:
        """Find a report type by its API name, in any case."""
        wanted = name.lower()
        for known, described in _catalog().items():
            if known.lower() == wanted:
                return self._standard(known, described)
        if wanted.startswith(_CUSTOM_PREFIX.lower()):
            sobject = self.schema.get(name[len(_CUSTOM_PREFIX) :])
            return self._plain(sobject) if sobject is not None and sobject.custom else None
        sobject = self.schema.get(name)
        return None if sobject is None or sobject.custom or sobject.name in _objects() else self._plain(sobject)

    def of_object(self, name: str) -> ReportType | None:
        """Find the report type whose first object this is: the standard one, if there is one."""
        sobject = self.schema.get(name)
        if sobject is None:
            return None
        for known, described in _catalog().items():
            if described["object"] == sobject.name:
                return self._standard(known, described)
        return self._plain(sobject)

    def __iter__(self) -> Iterator[ReportType]:
        for known, described in _catalog().items():
            if found := self._standard(known, described):
                yield found
        for sobject in self.schema:
            if sobject.name not in _objects() and (plain := self._plain(sobject)):
                yield plain

    def _standard(self, name: str, described: Mapping[str, Any]) -> ReportType | None:
        sobject = self.schema.get(described["object"])
        if sobject is None:
            return None
        maker = _Maker(self.schema, sobject)
        sections = {label: dict(maker.named(entries)) for label, entries in described["columns"].items()}
        parents = tuple(described.get("parents", ()))
        return ReportType(
            name=name,
            label=described["label"],
            group=described["group"],
            sobject=sobject,
            sections=maker.completed(sections, parents),
            default=tuple(described["default"]),
            date=described["date"],
            duration=described.get("duration", "CUSTOM"),
            scope=described.get("scope", "organization"),
            standard_filters=described.get("standard_filters", {}),
            objects=(sobject, *maker.objects(parents)),
        )

    def _plain(self, sobject: SObjectType) -> ReportType | None:
        if not sobject.queryable or sobject.name in _NO_TYPE:
            return None
        maker = _Maker(self.schema, sobject)
        named = dict(maker.named(_CUSTOM_OBJECT)) if sobject.custom else {}
        sections = maker.completed({sobject.label: named}, ())
        columns = list(sections[sobject.label])
        title = sobject.name_field
        first = next((one.name for one in sections[sobject.label].values() if title and one.path == title.name), None)
        created = next((one.name for one in sections[sobject.label].values() if one.path == "CreatedDate"), None)
        return ReportType(
            name=f"{_CUSTOM_PREFIX}{sobject.name}" if sobject.custom else sobject.name,
            label=sobject.label_plural,
            group="Other Reports",
            sobject=sobject,
            sections=sections,
            default=(first or columns[0],),
            date=created,
            objects=(sobject,),
        )


@attrs.define(slots=False)
class _Maker:
    """Makes the columns of one type."""

    schema: Schema
    sobject: SObjectType

    def named(self, entries: Mapping[str, str]) -> Iterator[tuple[str, ReportColumn]]:
        """The columns with names of their own whose fields are there."""
        for name, text in entries.items():
            match = _COLUMN.fullmatch(text)
            assert match is not None, text  # noqa: S101  # our own file
            *relationships, field_name = match["path"].split(".")
            found = self._follow(relationships)
            field = None if found is None else found.field(field_name)
            if field is None:
                continue
            label = match["label"] or field.label
            id_path = ".".join([*relationships, "Id"]) if match["mark"] == "id" else None
            yield name, self._make(name, label, match["path"], field, found, id_path, match["mark"])

    def completed(
        self, sections: dict[str, dict[str, ReportColumn]], parents: tuple[str, ...]
    ) -> dict[str, dict[str, ReportColumn]]:
        """Add the fields that have no column yet, as ``Object.Field``."""
        taken = {column.path for section in sections.values() for column in section.values()}
        labels = list(sections)
        for section, prefix in [(labels[0], ""), *((_section(labels, parent), f"{parent}.") for parent in parents)]:
            sobject = self._follow([prefix.removesuffix(".")] if prefix else [])
            if sobject is None:
                continue
            for field in sobject.fields.values():
                for column in self._plain(sobject, field, prefix):
                    if column.path not in taken:
                        sections[section][column.name] = column
        return sections

    def objects(self, parents: tuple[str, ...]) -> list[SObjectType]:
        found = (self._follow([parent]) for parent in parents)
        return [sobject for sobject in found if sobject is not None]

    def _plain(self, sobject: SObjectType, field: Field, prefix: str) -> Iterator[ReportColumn]:
        if field.type in _NO_COLUMN:
            return
        if field.type == "reference":
            targets = [self.schema.get(target) for target in field.reference_to]
            known = [target for target in targets if target is not None and target.name_field is not None]
            if field.relationship_name is None or not known:
                return
            title = "Name" if len(field.reference_to) > 1 else str(known[0].name_field and known[0].name_field.name)
            name = field.name if field.custom else field.relationship_name
            path = f"{prefix}{field.relationship_name}.{title}"
            yield self._make(
                f"{sobject.name}.{name}", field.label.removesuffix(" ID"), path, field, sobject, f"{prefix}{field.name}"
            )
            return
        id_path = f"{prefix}Id" if field.name_field else None
        yield self._make(f"{sobject.name}.{field.name}", field.label, f"{prefix}{field.name}", field, sobject, id_path)

    def _make(
        self,
        name: str,
        label: str,
        path: str,
        field: Field,
        sobject: SObjectType | None,
        id_path: str | None,
        mark: str | None = None,
    ) -> ReportColumn:
        entity = f"{'Name' if sobject is None else sobject.name}.{field.name}"
        return ReportColumn(name=name, label=label, path=path, field=field, entity=entity, id_path=id_path, mark=mark)

    def _follow(self, relationships: list[str]) -> SObjectType | None:
        """The object at the end of a path; the first of several that a reference may point to."""
        sobject = self.sobject
        for name in relationships:
            reference = sobject.relationship(name)
            target = None if reference is None else self._target(reference)
            if target is None:
                return None
            sobject = target
        return sobject

    def _target(self, reference: Field) -> SObjectType | None:
        # Owners are users, or queues: what a report shows of them, both have.
        names = sorted(reference.reference_to, key=lambda name: name != "User")
        return next((found for name in names if (found := self.schema.get(name)) is not None), None)


def _reference(column: ReportColumn) -> str | None:
    """The reference field behind a name of another record: ``accountid`` for ``Account.Name``."""
    id_path = (column.id_path or "id").lower()
    return None if id_path == "id" else re.sub(r"\.id$", "id", id_path)


def _section(labels: list[str], parent: str) -> str:
    return next((label for label in labels if label.startswith(parent)), labels[0])


def _objects() -> set[str]:
    """The objects of the standard types."""
    return {described["object"] for described in _catalog().values()}


@cache
def _catalog() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = load_yaml(files(__package__).joinpath("types.yaml").read_text("utf-8"))
    return loaded
