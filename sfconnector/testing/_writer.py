"""Writing of records: what is set besides what was given, what follows from it, and which record is meant.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import attrs

from sfconnector.testing import _ids
from sfconnector.testing._blobs import Blobs
from sfconnector.testing._context import RequestContext
from sfconnector.testing._database import Database, is_stored
from sfconnector.testing._duplicates import Duplicates
from sfconnector.testing._errors import AmbiguousExternalIdError, OrgError
from sfconnector.testing._journal import Kind
from sfconnector.testing._objects import default_record_type
from sfconnector.testing._rules import Change, derive, follow, roll_up
from sfconnector.testing._schema import Field, Schema, SObjectType
from sfconnector.testing._streaming._publishing import Publisher
from sfconnector.testing._validation import AUDIT_FIELDS, Validator
from sfconnector.testing._values import Misfit, from_json, misfit_error, now_text

_DIGITS = re.compile(r"\{(0+)\}")
# Salesforce numbers the first case of an org 00001000, its first contract and order 00000100.
_FIRST_NUMBERS = {"Case.CaseNumber": 1000, "Contract.ContractNumber": 100, "Order.OrderNumber": 100}


@attrs.frozen
class Upserted:
    """Which record an upsert wrote, and whether it is new."""

    id: str
    created: bool


@attrs.frozen
class Writer:
    """Writes the records of one org; the caller holds the transaction.

    What it takes are columns: values by the exact names of fields, in the form in which they are stored.
    """

    schema: Schema
    database: Database
    validator: Validator
    blobs: Blobs
    duplicates: Duplicates
    publisher: Publisher
    clock: Callable[[], datetime]
    # By the name of the object, with the object to which they belong: it may have been replaced by another.
    _known_defaults: dict[str, tuple[SObjectType, dict[str, Any]]] = attrs.field(factory=dict, init=False)

    def create(self, sobject: SObjectType, columns: dict[str, Any], context: RequestContext) -> str:
        if sobject.is_event:
            return self.publisher.publish(sobject, columns, context).id
        given = self._with_contents(sobject, self.validator.check(sobject, columns, context))
        now = now_text(self.clock())
        record_id = self.next_id(sobject)
        record = {"Id": record_id, **self._defaults(sobject), **given}
        for name, value in given.items():
            if value is None:
                field = sobject.fields[name]
                record[name] = None if field.nillable else _default(field)
        record |= self._assigned(sobject, record, context, now)
        record |= derive(sobject, self._change({}, record, context, now))
        self.duplicates.check(sobject, {}, record, context)
        self.database.insert(sobject.name, record)
        context.saved.add(record_id)
        self.database.journal.note(Kind.CREATE, sobject.name, record_id, None, record, context)
        self._settle(sobject, self._change({}, record, context, now))
        return record_id

    def update(
        self, sobject: SObjectType, row: dict[str, Any], columns: dict[str, Any], context: RequestContext
    ) -> None:
        if sobject.name == "Lead" and row["IsConverted"]:
            raise OrgError(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", ())
        given = self._with_contents(sobject, self.validator.check(sobject, columns, context, record_id=row["Id"]))
        self.duplicates.check(sobject, row, {**row, **given}, context)
        self.blobs.drop(row[name] for name in given if sobject.fields[name].type == "base64")
        self.write(sobject, row, given, context)
        context.saved.add(row["Id"])

    def write(
        self, sobject: SObjectType, row: dict[str, Any], given: Mapping[str, Any], context: RequestContext
    ) -> None:
        """Change columns that were checked or are the org's own, and what follows from them."""
        now = now_text(self.clock())
        change = self._change(row, given, context, now)
        stamps = {"LastModifiedDate": now, "LastModifiedById": context.user_id, "SystemModstamp": now}
        new = {**given, **derive(sobject, change), **{k: v for k, v in stamps.items() if k in sobject.fields}}
        if new:
            self.database.update(sobject.name, row["Id"], new)
        self.database.journal.note(Kind.UPDATE, sobject.name, row["Id"], row, new, context)
        self._settle(sobject, change)

    def _change(self, before: Mapping[str, Any], given: Mapping[str, Any], context: RequestContext, now: str) -> Change:
        return Change(self.database, before, given, now, context.user_id, self.insert)

    def _settle(self, sobject: SObjectType, change: Change) -> None:
        """Let other records follow one that was written."""
        follow(sobject, change)
        roll_up(sobject, self.database, [row for row in (change.before, change.after) if row])

    def upsert(
        self, sobject: SObjectType, key: Field, value: Any, columns: dict[str, Any], context: RequestContext
    ) -> Upserted:
        if value is None:
            raise OrgError(400, "MISSING_ARGUMENT", f"{key.name} not specified", ())
        if key.name == "Id":
            row = self.existing(sobject, value)
            check_allowed(sobject, sobject.updateable, "updated")
            self.update(sobject, row, columns, context)
            return Upserted(row["Id"], created=False)
        found = self.validator.matching(sobject, key, value)
        if len(found) > 1:
            raise AmbiguousExternalIdError(key.label, key.name, sobject.name, found)
        if found:
            check_allowed(sobject, sobject.updateable, "updated")
            self.update(sobject, self.existing(sobject, found[0]), columns, context)
            return Upserted(found[0], created=False)
        check_allowed(sobject, sobject.createable, "inserted")
        return Upserted(self.create(sobject, {**columns, key.name: value}, context), created=True)

    def _defaults(self, sobject: SObjectType) -> dict[str, Any]:
        """The stored forms of all defaults."""
        known = self._known_defaults.get(sobject.name)
        if known is None or known[0] is not sobject:
            defaults = {field.name: _default(field) for field in sobject.fields.values() if is_stored(field)}
            known = sobject, {name: value for name, value in defaults.items() if value is not None}
            self._known_defaults[sobject.name] = known
        return known[1]

    def _with_contents(self, sobject: SObjectType, columns: dict[str, Any]) -> dict[str, Any]:
        """Keep the contents among the columns, and add their sizes."""
        stored = dict(columns)
        for name in columns:
            if sobject.fields[name].type == "base64":
                blob = None if columns[name] is None else self.blobs.keep(columns[name])
                facts: dict[str, Any] = {"BodyLength": 0 if blob is None else blob.size}
                if blob is not None:
                    facts |= {"ContentSize": blob.size, "Checksum": blob.md5}
                stored |= {fact: value for fact, value in facts.items() if fact in sobject.fields}
                stored[name] = None if blob is None else blob.key
        return stored

    def _assigned(
        self, sobject: SObjectType, record: Mapping[str, Any], context: RequestContext, now: str
    ) -> dict[str, Any]:
        """Set what the org itself sets: numbers, names, record type, owner and stamps."""
        assigned: dict[str, Any] = {field.name: self._next_number(sobject, field) for field in sobject.auto_numbers}
        if sobject.custom and "Name" in sobject.fields and not (assigned.get("Name") or record.get("Name")):
            assigned["Name"] = record["Id"][:15]
        if "RecordTypeId" in sobject.fields and "RecordTypeId" not in record:
            assigned["RecordTypeId"] = default_record_type(self.database, sobject)
        if "OwnerId" in sobject.fields and not record.get("OwnerId"):
            assigned["OwnerId"] = context.user_id
        stamps = {
            "CreatedDate": now,
            "CreatedById": context.user_id,
            "LastModifiedDate": now,
            "LastModifiedById": context.user_id,
            "SystemModstamp": now,
        }
        kept = {name for name in AUDIT_FIELDS if record.get(name)}
        return assigned | {k: v for k, v in stamps.items() if k in sobject.fields and k not in kept}

    def insert(self, name: str, columns: Mapping[str, Any]) -> str:
        """Write a row of the org's own making: no check is made of it."""
        sobject = self._sobject(name)
        now = now_text(self.clock())
        record = {"Id": columns.get("Id") or self.next_id(sobject), **columns}
        context = RequestContext(user_id=_ids.make("005", 1))
        record |= self._assigned(sobject, record, context, now)
        self.database.insert(name, record)
        self.database.journal.note(Kind.CREATE, name, record["Id"], None, record)
        roll_up(sobject, self.database, [record])
        return str(record["Id"])

    def next_id(self, sobject: SObjectType) -> str:
        # Objects that share a prefix, as all the statuses do, share the numbers too.
        prefix = sobject.key_prefix or "000"
        counter = "id:User" if prefix == "005" else f"id:{prefix}"
        return _ids.make(prefix, self.database.count_up(counter))

    def _next_number(self, sobject: SObjectType, field: Field) -> str:
        name = f"{sobject.name}.{field.name}"
        number = self.database.count_up(f"number:{name}") + _FIRST_NUMBERS.get(name, 1) - 1
        shape = field.extra.get("autoNumberFormat") or "{0000}"
        return _DIGITS.sub(lambda match: str(number).zfill(len(match[1])), shape)

    def row(self, sobject: SObjectType, record_id: str) -> dict[str, Any] | None:
        """Read a row by an id of 15 or 18 characters; in a URL, no id at all is taken for an external id's field."""
        if sobject.is_event:
            return None
        normal = _ids.normalize(record_id)
        if normal is None:
            raise OrgError(
                404, "NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {record_id}"
            )
        return self.database.find(sobject.name, normal)

    def existing(self, sobject: SObjectType, record_id: str, *, in_url: bool = False) -> dict[str, Any]:
        """Read the row that is to be changed or deleted."""
        wrong = not record_id.startswith(sobject.key_prefix or "") or _ids.normalize(record_id) is None
        if wrong and not (in_url and _ids.normalize(record_id) is None):
            label = sobject.fields["Id"].label
            raise OrgError(400, "MALFORMED_ID", f"{label}: id value of incorrect type: {record_id}", ["Id"])
        row = self.row(sobject, record_id)
        if row is None:
            raise OrgError(404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ())
        return checked_alive(row)

    def _sobject(self, name: str) -> SObjectType:
        sobject = self.schema.get(name)
        assert sobject is not None  # noqa: S101  # the org itself names it
        return sobject


def checked_alive(row: dict[str, Any]) -> dict[str, Any]:
    if row.get("IsDeleted"):
        raise OrgError(404, "ENTITY_IS_DELETED", "entity is deleted", ())
    return row


def check_allowed(sobject: SObjectType, allowed: bool, verb: str) -> None:
    if not allowed:
        raise OrgError(
            400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be {verb}: {sobject.label}", ()
        )


def key_value(key: Field, value: Any) -> Any:
    try:
        return from_json(key, value)
    except Misfit:
        raise misfit_error(key, {key.name: value}, key.name) from None


def _default(field: Field) -> Any:
    """Find the stored form of a field's default."""
    try:
        default = from_json(field, field.default_value)
    except Misfit:
        default = None
    return 0 if default is None and field.type == "boolean" else default
