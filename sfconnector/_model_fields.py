"""What a class of typed records says of an object, by the object's description."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import attrs

from sfconnector._names import check_name

if TYPE_CHECKING:
    from sfconnector_generated.rest.models import DescribeSObjectResult, Field

MARKS: Final = ("CreateOnly", "Picklist", "ReadOnly", "UpdateOnly")
"""The marks on types that a module may need."""

# What a module of typed records uses under these names, in the scope of its classes too, and attrs in its methods.
RESERVED: Final = frozenset(
    {"Any", "Literal", "UNSET", "TypedRecord", "attrs", "bool", "datetime", "decimal", "dict", "float", "int", "str"}
    | {"attr_dict", "self"}
    | {*MARKS}
)

_TYPES: Final = {
    "address": "dict[str, Any]",
    "anyType": "Any",
    "boolean": "bool",
    "complexvalue": "Any",
    "date": "datetime.date",
    "datetime": "datetime.datetime",
    "int": "int",
    "json": "Any",
    "location": "dict[str, Any]",
    "long": "int",
    "time": "datetime.time",
}
_NUMBERS: Final = frozenset({"currency", "double", "percent"})
_CHOICES: Final = frozenset({"combobox", "picklist"})


@attrs.frozen
class Choice:
    """A value that a picklist offers."""

    value: str
    label: str


@attrs.frozen
class Attribute:
    """An attribute of a class.

    Args:
        name: Its name in Python.
        api_name: The field's.
        type: The type of its values, without ``None``; of a picklist's ``str``.
        optional: Whether a record may hold a null.
        mark: What it is wrapped into where Salesforce does not take each value: one of ``MARKS``, or nothing.
        choices: What a picklist offers.
        restricted: Whether the picklist takes nothing else.
        summary: The field's label and properties.
        help_text: What the org tells its users of the field.
    """

    name: str
    api_name: str
    type: str
    optional: bool
    mark: str
    choices: tuple[Choice, ...]
    restricted: bool
    summary: str
    help_text: str


@attrs.frozen
class Class:
    """A class of records."""

    name: str
    sobject: str
    summary: str
    attributes: tuple[Attribute, ...]


def class_of(described: DescribeSObjectResult, *, decimals: bool) -> Class:
    """Read a description.

    Args:
        described: The description.
        decimals: Read numbers as decimals, and not as floats.

    Raises:
        ValueError: It names an object or a field as Salesforce does not.
    """
    sobject = check_name("the object", described.name)
    names = _names(check_name("the field", field.name) for field in described.fields)
    pairs = zip(described.fields, names, strict=True)
    attributes = tuple(_attribute(field, name, decimals) for field, name in pairs)
    title = described.label if described.label == sobject else f"{described.label} ({sobject})"
    ids = f", whose ids begin with {described.key_prefix}" if isinstance(described.key_prefix, str) else ""
    return Class(next(_names([sobject])), sobject, f"{title}{ids}.", attributes)


def unlike(name: str, taken: Iterable[str]) -> str:
    """Add underscores to a name until it is none of those taken."""
    while name in taken:
        name += "_"
    return name


def _names(api_names: Iterable[str]) -> Iterator[str]:
    """Give names that Python allows, and that hide nothing which the module uses."""
    given = [*api_names]
    for name in given:
        unusable = keyword.iskeyword(name) or name in RESERVED
        yield unlike(f"{name}_", given) if unusable else name


def _attribute(field: Field, name: str, decimals: bool) -> Attribute:
    number = "decimal.Decimal" if decimals else "float"
    return Attribute(
        name=name,
        api_name=field.name,
        type=number if field.type in _NUMBERS else _TYPES.get(field.type, "str"),
        optional=_may_be_null(field),
        mark=_mark(field),
        choices=tuple(_choices(field)) if field.type in _CHOICES else (),
        restricted=field.restricted_picklist and field.type == "picklist",
        summary=f"{field.label}: {', '.join(_properties(field))}.",
        help_text=field.inline_help_text or "",
    )


def _may_be_null(field: Field) -> bool:
    """Tell whether a record that is read may hold a null.

    A required field is one that takes no null when it is written: records from before it was required may still hold
    one, which for standard fields cannot be.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/required_fields.htm
    """
    became_required = field.custom and field.createable and field.type != "boolean" and field.cascade_delete is not True
    return field.nillable or became_required


def _mark(field: Field) -> str:
    marks = {(False, False): "ReadOnly", (True, False): "CreateOnly", (False, True): "UpdateOnly"}
    return marks.get((field.createable, field.updateable), "")


def _choices(field: Field) -> Iterator[Choice]:
    seen = set[str]()
    for entry in field.picklist_values:
        if entry.active and entry.value and entry.value not in seen:
            seen.add(entry.value)
            yield Choice(entry.value, entry.label or entry.value)


def _properties(field: Field) -> Iterator[str]:
    """Say in words what a description says of a field."""
    yield _kind(field)
    if field.controller_name:
        yield f"controlled by {field.controller_name}"
    if isinstance(field.compound_field_name, str) and field.compound_field_name != field.name:
        yield f"part of {field.compound_field_name}"
    if field.createable and not field.nillable and not field.defaulted_on_create and field.type != "boolean":
        yield "required"
    if field.external_id:
        yield "external id"
    if field.unique:
        yield "unique" if field.case_sensitive else "unique regardless of case"
    if field.auto_number:
        yield "numbered by Salesforce"
    if field.calculated:
        yield "formula"


def _kind(field: Field) -> str:
    if field.type in _NUMBERS:
        return f"{field.type} of {field.precision} digits, {field.scale} of them after the point"
    if field.type == "reference":
        return f"id of {' or '.join(field.reference_to) or 'a record'}"
    if field.type == "multipicklist":
        offered = "; ".join(choice.value for choice in _choices(field))
        return "multi-select picklist, its values joined by semicolons" + (f", of {offered}" if offered else "")
    if field.type == "picklist" and field.restricted_picklist:
        return "restricted picklist"
    if field.type in {"int", "long"} and field.digits:
        return f"{field.type} of {field.digits} digits"
    return f"{field.type} of {field.length} characters" if field.length and field.type not in _CHOICES else field.type
