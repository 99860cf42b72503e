"""A small org for queries: its objects, its records, and a way to ask."""

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sfconnector.testing import _ids
from sfconnector.testing._schema import Field, PicklistValue, Schema, SObjectType
from sfconnector.testing._soql import Context, Result, execute, register

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
STAMP = "2026-03-18T15:30:00.000+0000"


def field(name: str, type_: str = "string", **options: Any) -> Field:
    return Field(name=name, type=type_, label=name, custom=name.endswith("__c"), **options)


def reference(name: str, *targets: str, children: str | None = None) -> Field:
    relationship = name.removesuffix("Id") if name.endswith("Id") else name.replace("__c", "__r")
    extra = {} if children is None else {"childRelationshipName": children}
    return field(name, "reference", reference_to=targets, relationship_name=relationship, extra=extra)


def picklist(name: str, *values: str, type_: str = "picklist") -> Field:
    return field(name, type_, picklist_values=tuple(PicklistValue(value, f"{value} (label)") for value in values))


SYSTEM = (
    field("IsDeleted", "boolean"),
    field("CreatedDate", "datetime"),
    reference("CreatedById", "User"),
    field("LastModifiedDate", "datetime"),
    reference("LastModifiedById", "User"),
    field("SystemModstamp", "datetime"),
)


def sobject(name: str, prefix: str, fields: Iterable[Field], **options: Any) -> SObjectType:
    every = (field("Id", "id"), *fields, *SYSTEM)
    return SObjectType(
        name=name,
        label=name,
        label_plural=f"{name}s",
        key_prefix=prefix,
        fields={one.name: one for one in every},
        custom=name.endswith("__c"),
        **options,
    )


def make_schema() -> Schema:
    name = field("Name", name_field=True)
    address = [
        field(f"Billing{part}", compound_field_name="BillingAddress")
        for part in ("Street", "City", "State", "PostalCode", "Country", "GeocodeAccuracy")
    ]
    place = [
        field(f"Billing{part}", "double", compound_field_name="BillingAddress") for part in ("Latitude", "Longitude")
    ]
    return Schema(
        [
            sobject(
                "User",
                "005",
                [
                    name,
                    field("Username"),
                    field("Email", "email"),
                    field("IsActive", "boolean"),
                    reference("ProfileId", "Profile"),
                    reference("ManagerId", "User"),
                ],
            ),
            sobject("Profile", "00e", [name]),
            sobject("Group", "00G", [name, picklist("Type", "Queue", "Regular")]),
            sobject(
                "Account",
                "001",
                [
                    name,
                    picklist("Industry", "Media", "Banking", "Energy"),
                    field("AnnualRevenue", "currency", groupable=False),
                    field("NumberOfEmployees", "int"),
                    field("Description", "textarea", filterable=False, sortable=False, groupable=False),
                    *address,
                    *place,
                    field("BillingAddress", "address"),
                    reference("ParentId", "Account", children="ChildAccounts"),
                    reference("OwnerId", "User"),
                    field("Code__c", case_sensitive=True, external_id=True, unique=True),
                ],
            ),
            sobject(
                "Contact",
                "003",
                [
                    name,
                    field("FirstName"),
                    field("LastName"),
                    field("Email", "email"),
                    field("Birthdate", "date"),
                    reference("AccountId", "Account", children="Contacts"),
                    reference("ReportsToId", "Contact"),
                    reference("OwnerId", "User"),
                ],
            ),
            sobject(
                "Opportunity",
                "006",
                [
                    name,
                    picklist("StageName", "Prospecting", "Closed Won", "Closed Lost"),
                    field("Amount", "currency", groupable=False),
                    field("CloseDate", "date"),
                    field("IsClosed", "boolean"),
                    reference("AccountId", "Account", children="Opportunities"),
                    reference("OwnerId", "User"),
                ],
            ),
            sobject(
                "Case",
                "500",
                [
                    field("CaseNumber", name_field=True),
                    field("Subject"),
                    reference("AccountId", "Account", children="Cases"),
                    reference("ContactId", "Contact", children="Cases"),
                    reference("OwnerId", "Group", "User"),
                ],
            ),
            sobject(
                "Task",
                "00T",
                [
                    field("Subject", "combobox", name_field=True),
                    field("ActivityDate", "date"),
                    reference("WhoId", "Contact", "Lead", children="Tasks"),
                    reference("WhatId", "Account", "Opportunity", "Case", children="Tasks"),
                    reference("OwnerId", "Group", "User"),
                ],
            ),
            sobject(
                "Attachment", "00P", [name, field("Body", "base64", filterable=False), reference("ParentId", "Account")]
            ),
            sobject(
                "Widget__c",
                "a01",
                [
                    name,
                    field("Text__c"),
                    field("Number__c", "double"),
                    field("Whole__c", "int"),
                    field("Check__c", "boolean"),
                    field("Day__c", "date"),
                    field("Moment__c", "datetime"),
                    field("Clock__c", "time"),
                    picklist("Colours__c", "Red", "Green", "Blue", type_="multipicklist"),
                    field("Place__c", "location"),
                    field("Place__Latitude__s", "double", compound_field_name="Place__c"),
                    field("Place__Longitude__s", "double", compound_field_name="Place__c"),
                    reference("Account__c", "Account", children="Widgets__r"),
                    reference("Parent__c", "Widget__c", children="Parts__r"),
                ],
            ),
            sobject("Hidden", "0zz", [name], queryable=False),
        ]
    )


_TYPES = {
    "boolean": "INTEGER NOT NULL DEFAULT 0",
    "int": "INTEGER",
    "double": "REAL",
    "currency": "REAL",
    "percent": "REAL",
}


class Database:
    """The tables of a schema, by the storage rules of the store, and their records."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.connection = sqlite3.connect(":memory:")
        register(self.connection)
        self._count = 0
        for one in schema:
            columns = [
                f'"{field.name}" {"TEXT PRIMARY KEY" if field.type == "id" else _TYPES.get(field.type, "TEXT")}'
                for field in one.fields.values()
                if field.type not in ("address", "location")
            ]
            self.connection.execute(f'CREATE TABLE "{one.name}" ({", ".join(columns)})')

    def close(self) -> None:
        """Forget everything."""
        self.connection.close()

    def add(self, name: str, **values: Any) -> str:
        """Insert a record and return its id; system fields have defaults."""
        sobject = self.schema.get(name)
        assert sobject is not None
        self._count += 1
        record_id = _ids.make(sobject.key_prefix or "", self._count)
        row = {"Id": record_id, "IsDeleted": 0, "CreatedDate": STAMP, "SystemModstamp": STAMP, **values}
        columns = ", ".join(f'"{column}"' for column in row)
        places = ", ".join("?" * len(row))
        self.connection.execute(f'INSERT INTO "{name}" ({columns}) VALUES ({places})', list(row.values()))
        return record_id

    def query(self, text: str, **options: Any) -> Result:
        context = Context(**{"user_id": "005000000000001AAA", "now": NOW, **options})
        return execute(text, schema=self.schema, connection=self.connection, context=context)

    def values(self, text: str, **options: Any) -> list[Any]:
        """The first selected field of every record."""
        return [
            next(value for key, value in record.items() if key != "attributes")
            for record in self.query(text, **options).records
        ]
