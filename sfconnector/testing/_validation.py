"""What may be written: the checks that Salesforce makes of a record, with its codes and its words.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from sfconnector.testing import _ids
from sfconnector.testing._context import RequestContext
from sfconnector.testing._database import Database, key_expression, quote
from sfconnector.testing._errors import AmbiguousExternalIdError, OrgError, OrgErrorItem
from sfconnector.testing._schema import Field, Schema, SObjectType
from sfconnector.testing._values import COMPOUNDS, INTEGERS, NUMBERS, Misfit, from_json, misfit_error

AUDIT_FIELDS = frozenset({"CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById"})
_EMAIL = re.compile(r"[^\s@,;:<>()\[\]\\\"]+@(?:[\w-]+\.)+[\w-]{2,}")
_FIRST_YEAR, _LAST_YEAR = 1700, 4000
_INT_LIMIT = 2**31
_LONG_LIMIT = 2**63
# Of which nothing but the length is checked.
_PLAIN_TEXTS = frozenset({"combobox", "encryptedstring", "phone", "string", "textarea", "url"})
_NOT_A_COLUMN = "No such column '{}' on sobject of type {}"


@attrs.frozen
class Validator:
    """The checks of one org; they read its records, and change nothing."""

    schema: Schema
    database: Database

    def read(self, sobject: SObjectType, values: Mapping[str, Any]) -> dict[str, Any]:
        """Read a JSON record into columns, in the order given; ``attributes`` says nothing that is stored.

        A parent may be given by its external id: ``{"Account": {"Ext__c": "A-42"}}``.
        """
        columns: dict[str, Any] = {}
        for name, value in values.items():
            if name == "attributes":
                continue
            field = sobject.field(name)
            if field is None:
                columns |= self._parent(sobject, name, value)
                continue
            if value == "" and sobject.is_event and field.type in ("string", "textarea"):
                # "The Text field value of empty string is preserved when publishing through other methods, including
                # APIs": https://developer.salesforce.com/docs/atlas.en-us.platform_events.meta/platform_events/platform_events_api_considerations.htm
                columns[field.name] = value
                continue
            try:
                columns[field.name] = value if field.type in COMPOUNDS else from_json(field, value)
            except Misfit:
                raise misfit_error(field, values, name) from None
            if field.type in COMPOUNDS and isinstance(value, (str, int, float)):
                raise misfit_error(field, values, name)
        return columns

    def check(
        self,
        sobject: SObjectType,
        columns: Mapping[str, Any],
        context: RequestContext,
        *,
        record_id: str | None = None,
    ) -> dict[str, Any]:
        """Check the columns of a record to be created, or updated where ``record_id`` is given.

        Returns:
            The columns as they are stored: ids with 18 characters, texts cut where asked for.
        """
        self._check_writable(sobject, columns, context, creating=record_id is None)
        fields = [sobject.fields[name] for name in columns]
        _check_required(sobject, columns, creating=record_id is None)
        problems: list[OrgErrorItem] = []
        checked = {field.name: _checked_value(field, columns[field.name], context, problems) for field in fields}
        if problems:
            raise OrgError.several(400, problems)
        for field in fields:
            if field.type == "reference" and checked[field.name] is not None:
                checked[field.name] = self.check_reference(sobject, field.name, checked[field.name])
        self.check_unique(sobject, checked, record_id)
        return checked

    def check_value(self, field: Field, value: Any, context: RequestContext) -> Any:
        """Check one value by itself, and give it as it is stored."""
        problems: list[OrgErrorItem] = []
        checked = _checked_value(field, value, context, problems)
        if problems:
            raise OrgError.several(400, problems)
        return checked

    def external_id(self, sobject: SObjectType, name: str) -> Field:
        """Find a field by which records may be identified."""
        field = sobject.field(name)
        if field is None or not (field.external_id or field.id_lookup):
            raise OrgError(404, "NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {name}")
        return field

    def matching(self, sobject: SObjectType, field: Field, value: Any, *, besides: str | None = None) -> list[str]:
        """List the ids of the records, not deleted, with this stored value of an external id or unique field."""
        wanted = _ids.normalize(str(value)) if field.type == "id" else value
        column = key_expression(field)
        mark = "soql_fold(?)" if column.startswith("soql_fold") else "?"
        alive = 'AND "IsDeleted" = 0' if sobject.field("IsDeleted") else ""
        rows = self.database.rows(
            f'SELECT "Id" FROM {quote(sobject.name)} WHERE {column} = {mark} {alive} AND "Id" IS NOT ?',
            [wanted, besides],
        )
        return [row["Id"] for row in rows]

    def _parent(self, sobject: SObjectType, name: str, value: Any) -> dict[str, Any]:
        lookup = sobject.relationship(name)
        if lookup is None or not (value is None or isinstance(value, Mapping)):
            raise OrgError(400, "INVALID_FIELD", _NOT_A_COLUMN.format(name, sobject.name))
        if value is None:
            return {lookup.name: None}
        given = {key: entry for key, entry in value.items() if key != "attributes"}
        targets = [target for target in map(self.schema.get, lookup.reference_to) if target is not None]
        wanted = value.get("attributes", {}).get("type") if isinstance(value.get("attributes", {}), Mapping) else None
        refused: OrgError | None = None
        for parent in targets:
            if len(given) == 1 and wanted in (None, parent.name):
                ((key, key_value),) = given.items()
                field = parent.field(key)
                if field is not None and (field.external_id or field.id_lookup):
                    try:
                        return {lookup.name: self._parent_id(parent, field, {key: key_value})}
                    except OrgError as error:
                        # It may be of another object: an owner is a user or a queue.
                        refused = error
        if refused is not None:
            raise refused
        raise OrgError(
            400,
            "INVALID_FIELD",
            f"The relationship {name} of {sobject.name} takes one external ID field of its parent, with a value",
        )

    def _parent_id(self, parent: SObjectType, field: Field, given: Mapping[str, Any]) -> str:
        ((key, value),) = given.items()
        try:
            stored = from_json(field, value)
        except Misfit:
            raise misfit_error(field, given, key) from None
        found = self.matching(parent, field, stored) if stored is not None else []
        if len(found) > 1:
            raise _record_error(AmbiguousExternalIdError(field.label, field.name, parent.name, found))
        if not found:
            message = f"Foreign key external ID: {str(value).lower()} not found for field {field.name} in entity "
            raise OrgError(400, "INVALID_FIELD", message + parent.name, ())
        return found[0]

    def _check_writable(
        self, sobject: SObjectType, names: Iterable[str], context: RequestContext, *, creating: bool
    ) -> None:
        if any(name == "Id" for name in names):
            raise OrgError(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.")
        fields = [sobject.fields[name] for name in names]
        refused = [
            field.name
            for field in fields
            if not (field.createable if creating else field.updateable)
            and not (creating and context.set_audit_fields and field.name in AUDIT_FIELDS)
        ]
        if refused:
            raise OrgError(
                400,
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                f"Unable to create/update fields: {', '.join(refused)}. Please check the security settings of this "
                "field and verify that it is read/write for your profile or permission set.",
                refused,
            )

    def check_reference(self, sobject: SObjectType, name: str, value: str) -> str:
        """Check that an id names a record to which the field may refer, and return its long form."""
        field = sobject.fields[name]
        wrong_type = f"{field.label}: id value of incorrect type: {value}"
        record_id = _ids.normalize(value)
        if record_id is None:
            raise OrgError(400, "MALFORMED_ID", wrong_type, [field.name])
        targets = [self.schema.get(name) for name in field.reference_to]
        target = next((target for target in targets if target and target.key_prefix == record_id[:3]), None)
        if target is None:
            raise OrgError(400, "FIELD_INTEGRITY_EXCEPTION", wrong_type, [field.name])
        found = self.database.find(target.name, record_id)
        if found is None:
            raise OrgError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ())
        if found.get("IsDeleted"):
            raise OrgError(400, "ENTITY_IS_DELETED", "entity is deleted", ())
        if field.name == "OwnerId" and target.name == "User" and not found["IsActive"]:
            raise OrgError(
                400,
                "INACTIVE_OWNER_OR_USER",
                f"operation performed with inactive user [{record_id[:15]}] as owner of {sobject.name.lower()}",
                (),
            )
        if field.name == "RecordTypeId" and not (found["IsActive"] and found["SobjectType"] == sobject.name):
            raise OrgError(
                400,
                "INVALID_CROSS_REFERENCE_KEY",
                f"{field.label}: this ID value isn't valid for the user: {record_id}",
                [field.name],
            )
        return record_id

    def check_unique(self, sobject: SObjectType, columns: Mapping[str, Any], record_id: str | None) -> None:
        for name, value in columns.items():
            field = sobject.fields[name]
            if value is None or not (field.unique or field.id_lookup):
                continue
            if (
                sobject.name == "User"
                and name == "Username"
                and self.matching(sobject, field, value, besides=record_id)
            ):
                raise OrgError(
                    400,
                    "DUPLICATE_USERNAME",
                    "Duplicate Username.<br>The username already exists in this or another Salesforce organization. "
                    "Usernames must be unique across all Salesforce organizations. To resolve, use a different "
                    "username (it doesn't need to match the user's email address).",
                    ["Username"],
                )
            if field.unique and (others := self.matching(sobject, field, value, besides=record_id)):
                raise OrgError(
                    400,
                    "DUPLICATE_VALUE",
                    f"duplicate value found: {name} duplicates value on record with id: {others[0][:15]}",
                    (),
                )


def _checked_value(field: Field, value: Any, context: RequestContext, problems: list[OrgErrorItem]) -> Any:
    """The value as it is stored; what is wrong with it is added to the problems."""
    kind = field.type
    if kind in _PLAIN_TEXTS and isinstance(value, str) and len(value) * 2 <= field.length:
        return value
    if value is None:
        if kind == "boolean":
            problems.append(_problem(field, "INVALID_TYPE_ON_FIELD_IN_RECORD", "value not of required type: "))
        return None
    if kind in NUMBERS or kind in INTEGERS:
        number = _fitted(field, value)
        if number is None:
            message = f"value outside of valid range on numeric field: {value}"
            problems.append(_problem(field, "NUMBER_OUTSIDE_VALID_RANGE", message))
        return number
    if kind in ("date", "datetime"):
        if not _FIRST_YEAR <= int(value[:4]) <= _LAST_YEAR:
            problems.append(_problem(field, "FIELD_INTEGRITY_EXCEPTION", f"invalid date: {value}"))
        return value
    if kind in ("picklist", "multipicklist"):
        value, wrong = _picked(field, value)
        if wrong is not None:
            message = f"bad value for restricted picklist field: {wrong}"
            problems.append(_problem(field, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message))
    if kind == "reference" or not isinstance(value, str):
        return value
    if field.length and kind != "base64" and _units(value) > field.length:
        if not context.allow_field_truncation:
            message = f"data value too large: {value} (max length={field.length})"
            problems.append(_problem(field, "STRING_TOO_LONG", message))
        return _cut(value, field.length)
    if kind == "email" and not _EMAIL.fullmatch(value):
        problems.append(_problem(field, "INVALID_EMAIL_ADDRESS", f"invalid email address: {value}"))
    return value


def _problem(field: Field, code: str, message: str) -> OrgErrorItem:
    return OrgErrorItem(code, f"{field.label}: {message}", (field.name,))


def _check_required(sobject: SObjectType, columns: Mapping[str, Any], *, creating: bool) -> None:
    missing = [
        field.name
        for field in sobject.mandatory
        if columns.get(field.name) is None
        and (
            field.createable and not field.defaulted_on_create
            if creating
            else field.updateable and field.name in columns
        )
    ]
    if missing:
        listed = ", ".join(missing)
        raise OrgError(400, "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{listed}]", missing)


def _fitted(field: Field, value: Any) -> int | float | None:
    """The number as it is stored, or ``None`` if it has more digits before the point than the field.

    The API, unlike the pages, does not round to the field's places:
    https://help.salesforce.com/s/articleView?id=000387302&type=1
    """
    if field.type in INTEGERS:
        widest = _INT_LIMIT if field.type == "int" else _LONG_LIMIT
        return value if abs(value) < min(widest, 10**field.digits if field.digits else widest) else None
    places = field.precision - field.scale
    # Far from the limit there is no need to be exact.
    if isinstance(value, float) and abs(value) * 2 < 10.0**places and field.compound_field_name is None:
        return value
    number = Decimal(str(value))
    if _is_angle(field) and abs(number) > (90 if "Latitude" in field.name else 180):
        return None
    if field.precision and abs(number) >= Decimal(10) ** places:
        return None
    return float(number)


def _is_angle(field: Field) -> bool:
    return field.compound_field_name is not None and ("Latitude" in field.name or "Longitude" in field.name)


def _picked(field: Field, value: str) -> tuple[str, str | None]:
    """Put the values of a multipicklist in the field's order; name the first that a restricted field lacks."""
    order, allowed = field.places, field.choices
    chosen = [value]
    if field.type == "multipicklist":
        given = dict.fromkeys(part.strip() for part in value.split(";") if part.strip())
        chosen = sorted(given, key=lambda part: order.get(part, len(order)))
    wrong = next((part for part in chosen if part not in allowed), None) if field.restricted_picklist else None
    return ";".join(chosen), wrong


def _units(text: str) -> int:
    """Measure a text as Salesforce's Java does: a character beyond the basic plane counts as two."""
    return len(text) if text.isascii() else len(text) + sum(char > "\uffff" for char in text)


def _cut(text: str, length: int) -> str:
    text = text[:length]
    while _units(text) > length:
        text = text[:-1]
    return text


def _record_error(error: AmbiguousExternalIdError) -> OrgError:
    """Inside a record an ambiguous parent is an error like others, not a choice of URLs."""
    return OrgError(400, error.code, error.message, error.items[0].fields)
