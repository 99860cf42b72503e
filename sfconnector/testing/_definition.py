"""Objects and fields as a person writes them, in Python or YAML, made into the org's schema.

A YAML file lists objects by API name, and their fields by API name in the order of describe:

    Invoice__c:
      label: Invoice
      label_plural: Invoices
      name_field: {label: Invoice Number, auto_number: "INV-{0000}"}   # or: string(80)
      duplicate_rules: [{fields: [Number__c], on_create: block, on_update: alert}]
      record_types: [Domestic, {name: Foreign Trade, developer_name: Foreign, default: true}]
      fields:
        Number__c: string(20) required unique external_id
        Total__c: currency(16, 2) = Total Amount
        Paid__c: boolean
        Status__c: {type: picklist, values: [Open, {value: Closed, default: true}], restricted: true}
        Account__c: {type: reference, reference_to: Account, child_relationship_name: Invoices}

A field is one line ``type(length) words = Label``, where the brackets hold the length of a text, precision and scale
of a number or the target of a reference, and the words are those keys of ``FIELD_KEYS`` that need no value, such as
``required unique``; or it is a mapping with these keys. An object takes the keys of ``OBJECT_KEYS``; where there is one
of that name, it is extended. One whose name ends with ``__e`` is a platform event, with the keys of ``EVENT_KEYS`` in
``_streaming._event_definition``. Types are those of describe, https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from sfconnector.testing._duplicates import EXTRA, make_rule
from sfconnector.testing._schema import Field, PicklistValue, SObjectType

FIELD_KEYS = {
    "name": "API name, where fields are a list and not a mapping",
    "type": "field type of describe",
    "label": "made of the name unless given",
    "length": "characters of a text: 255, or what the type has",
    "precision": "digits of a number in all: 18",
    "scale": "digits of a number after the point: 2 for currency, else 0",
    "digits": "digits of an int: 9",
    "required": "no record without it",
    "nillable": "what describe says, if it is not the opposite of required",
    "unique": "no two records with the same value",
    "case_sensitive": "A and a are two values of a unique field or external id",
    "external_id": "records may be found and upserted by it",
    "id_lookup": "the same, for a field that is no external id",
    "name_field": "what a record is called by",
    "read_only": "neither createable nor updateable",
    "createable": "may be given for a new record: yes",
    "updateable": "may be changed: yes",
    "default": "value of a new record that gives none",
    "defaulted": "the org fills it in where nothing is given",
    "values": "of a picklist: texts, or mappings of value, label, active, default",
    "restricted": "the picklist takes no other values",
    "reference_to": "object or objects that a reference points to",
    "custom_targets": "custom objects join the objects that a reference points to: each may have activities and files",
    "relationship_name": "name of the parent in queries: Account for AccountId, Account__r for Account__c",
    "child_relationship_name": "name of the list of children in queries, such as Contacts; a custom one gets its __r",
    "cascade_delete": "the record is deleted with its parent (master-detail)",
    "restricted_delete": "the parent cannot be deleted before the record",
    "compound": "field of which this one is a part",
    "auto_number": "display format such as INV-{0000}: the org numbers the records",
    "formula": "a calculated field; the formula is described, not calculated",
    "help_text": "inlineHelpText of describe",
    "filterable": "may stand in WHERE: all but long texts",
    "sortable": "may stand in ORDER BY: all but long texts and multipicklists",
    "groupable": "may stand in GROUP BY: no decimals, long texts and multipicklists",
}
OBJECT_KEYS = {
    "label": "made of the name unless given",
    "label_plural": "label with an s",
    "key_prefix": "first three characters of the ids; taken from the end of a00 to azz unless given",
    "name_field": "the field Name of a custom object: string(80), or one with auto_number",
    "fields": "mapping of names to fields, or list of fields with names",
    "duplicate_rules": "list of mappings of fields, matches, name, on_create, on_update, message",
    "record_types": "list of names, or of mappings of name, developer_name, active, default",
    "createable": "records may be created: yes",
    "updateable": "records may be changed: yes",
    "deletable": "records may be deleted: yes",
    "undeletable": "records may be taken from the recycle bin: yes",
    "queryable": "records may be queried: yes",
    "searchable": "records may be searched: yes",
    "describe": "further keys of the describe and their values, such as mergeable: true",
}
TYPES = frozenset(
    {"address", "anyType", "base64", "boolean", "combobox", "complexvalue", "currency", "date", "datetime", "double"}
    | {"email", "encryptedstring", "id", "int", "json", "location", "long", "multipicklist", "percent", "phone"}
    | {"picklist", "reference", "string", "textarea", "time", "url"}
)
_WORDS = {
    "no_create": {"createable": False},
    "no_update": {"updateable": False},
    "defaulted": {"defaulted": True},
    "cascade": {"cascade_delete": True},
    "not_null": {"nillable": False},
}
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_LINE = re.compile(r"(?P<type>\w+)(?:\((?P<size>[^)]*)\))?(?P<words>(?: \w+)*)(?: = (?P<label>.+))?")
_LENGTHS = {"id": 18, "reference": 18, "email": 80, "phone": 40, "url": 255, "multipicklist": 4099}
_TEXTS = frozenset({"string", "textarea", "picklist", "combobox", "encryptedstring"})
_NUMBERS = frozenset({"currency", "double", "percent"})
_UNGROUPED = _NUMBERS | {"datetime", "multipicklist", "address", "location", "base64", "combobox", "encryptedstring"}
_UNSORTED = frozenset({"multipicklist", "address", "location", "base64", "encryptedstring"})
_ACCURACIES = [
    "Address",
    "NearAddress",
    "Block",
    "Street",
    "ExtendedZip",
    "Zip",
    "Neighborhood",
    "City",
    "County",
    "State",
    "Unknown",
]
_ADDRESS = {
    "Street": "textarea(255)",
    "City": "string(40)",
    "State": "string(80) = State/Province",
    "PostalCode": "string(20) = Zip/Postal Code",
    "Country": "string(80)",
    "Latitude": "double(18, 15)",
    "Longitude": "double(18, 15)",
    "GeocodeAccuracy": {"type": "picklist", "length": 40, "values": _ACCURACIES, "restricted": True},
}
_AUDIT = ["CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp"]
_ACTIVITY = ["LastActivityDate", "LastViewedDate", "LastReferencedDate"]
_SHARED: dict[str, Any] = {
    "IsDeleted": "boolean read_only = Deleted",
    "MasterRecordId": {"type": "reference", "label": "Master Record ID", "read_only": True},
    "OwnerId": {"type": "reference", "reference_to": ["User"], "nillable": False, "defaulted": True},
    "CreatedDate": "datetime read_only defaulted not_null",
    "CreatedById": "reference(User) read_only defaulted not_null",
    "LastModifiedDate": "datetime read_only defaulted not_null",
    "LastModifiedById": "reference(User) read_only defaulted not_null",
    "SystemModstamp": "datetime read_only defaulted not_null",
    "LastActivityDate": "date read_only = Last Activity",
    "LastViewedDate": "datetime read_only",
    "LastReferencedDate": "datetime read_only",
    "RecordTypeId": "reference(RecordType)",
}


def load_yaml(text: str) -> dict[str, Any]:
    """Read the objects of a YAML text, by name."""
    try:
        loaded = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # both are safe
    except yaml.YAMLError as error:
        raise ValueError(f"the object description is not YAML: {error}") from error
    if not isinstance(loaded, dict) or not all(isinstance(entry, dict) for entry in loaded.values()):
        raise ValueError("an object description is a mapping of API names to objects, each a mapping")
    return loaded


def make_object(name: str, definition: Mapping[str, Any]) -> SObjectType:
    """Build an object from its definition; custom objects (``__c``) get their system fields by themselves."""
    check_keys(f"object {name}", definition, OBJECT_KEYS)
    custom = name.endswith("__c")
    label = definition.get("label") or label_of(name)
    fields = {field.name: field for field in _custom_system_fields(label, definition)} if custom else {}
    if not custom:
        fields["Id"] = _id_field(label)
    for field in make_fields(definition.get("fields") or {}, sobject=name):
        fields[field.name] = field
    if custom and any(field.cascade_delete for field in fields.values()):
        # The detail of a master belongs to whoever owns the master.
        del fields["OwnerId"]
    if definition.get("record_types") and "RecordTypeId" not in fields:
        fields["RecordTypeId"] = make_field("RecordTypeId", None)
    flags = {key: definition[key] for key in OBJECT_KEYS if key.endswith("able") and key in definition}
    extra = dict(definition.get("describe") or {})
    if definition.get("record_types"):
        extra["recordTypes"] = [_record_type(entry) for entry in definition["record_types"]]
    if rules := definition.get("duplicate_rules"):
        extra[EXTRA] = [make_rule(name, number, rule) for number, rule in enumerate(rules, 1)]
    return SObjectType(
        name=name,
        label=label,
        label_plural=definition.get("label_plural") or f"{label}s",
        key_prefix=definition.get("key_prefix"),
        fields=fields,
        custom=custom,
        extra=extra,
        **flags,
    )


def make_fields(definitions: Mapping[str, Any] | Iterable[Any], *, sobject: str = "") -> list[Field]:
    """Build fields from a mapping by name or a list of ``Field`` and mappings; compound ones bring their parts."""
    if isinstance(definitions, Mapping):
        named = list(definitions.items())
    elif isinstance(definitions, str) or not isinstance(definitions, Iterable):
        raise ValueError(f"fields of {sobject} are a mapping of names to definitions, or a list: not {definitions!r}")
    else:
        named = [(_name_of(entry), entry) for entry in definitions]
    made: list[Field] = []
    for name, definition in named:
        if name == "audit":
            made.extend(make_field(part, None) for part in _AUDIT)
        elif name == "MasterRecordId" and definition is None:
            made.append(make_field(name, {**_SHARED[name], "reference_to": sobject}))
        else:
            made.extend(_expand(name, definition))
    return made


def make_field(name: str, definition: Any) -> Field:
    """Build one field; ``None`` stands for the system field of that name."""
    check_name(name)
    if isinstance(definition, Field):
        return definition
    if definition is None:
        if name not in _SHARED:
            raise ValueError(f"field {name} has no definition: say its type")
        definition = _SHARED[name]
    options = _options(name, definition)
    check_keys(f"field {name}", options, FIELD_KEYS)
    kind = options.get("type")
    if kind not in TYPES:
        raise ValueError(f"field {name}: unknown type {kind!r}, known are {', '.join(sorted(TYPES))}")
    return Field(name=name, type=kind, custom=name.endswith(("__c", "__s")), **_attributes(name, kind, options))


def check_name(name: Any) -> None:
    """Refuse what cannot be the API name of an object or field."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no API name: letters, digits and underscores, a letter first")


def label_of(name: str) -> str:
    """Make a label of an API name: ``BillingCity`` → ``Billing City``, ``AccountId`` → ``Account ID``."""
    words = re.sub(r"__\w$", "", name).replace("_", " ")
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", words)
    return re.sub(r"\bId$", "ID", words)


def _attributes(name: str, kind: str, options: dict[str, Any]) -> dict[str, Any]:
    derived = bool(options.get("read_only") or options.get("formula") or options.get("auto_number"))
    compound = kind in ("address", "location")
    length = options.get("length", _LENGTHS.get(kind, 255 if kind in _TEXTS else 0))
    long_text = kind == "textarea" and length > 255
    values = tuple(_picklist_value(name, value) for value in options.get("values") or ())
    targets = options.get("reference_to") or ()
    required = bool(options.get("required") or options.get("auto_number") or kind in ("boolean", "id"))
    default = options.get("default", False if kind == "boolean" else None)
    filterable = options.get("filterable", not (long_text or kind in ("base64", "encryptedstring")))
    sortable = options.get("sortable", not (long_text or kind in _UNSORTED))
    extra = {
        "childRelationshipName": _children(name, options.get("child_relationship_name")),
        "customTargets": options.get("custom_targets"),
        "autoNumberFormat": options.get("auto_number"),
        "calculatedFormula": options.get("formula"),
        "inlineHelpText": options.get("help_text"),
    }
    return {
        "label": options.get("label") or label_of(name),
        "length": length,
        "precision": options.get("precision", 18 if kind in _NUMBERS else 0),
        "scale": options.get("scale", 2 if kind == "currency" else 0),
        "digits": options.get("digits", 9 if kind == "int" else 0),
        "nillable": options.get("nillable", not required),
        "createable": options.get("createable", not (derived or compound)),
        "updateable": options.get("updateable", not (derived or compound)),
        "defaulted_on_create": bool(
            options.get("defaulted")
            or default is not None
            or options.get("auto_number")
            or any(value.default for value in values)
        ),
        "default_value": next((value.value for value in values if value.default), default),
        "calculated": bool(options.get("formula")),
        "auto_number": bool(options.get("auto_number")),
        "external_id": bool(options.get("external_id")),
        "unique": bool(options.get("unique")),
        "case_sensitive": bool(options.get("case_sensitive")),
        "id_lookup": bool(options.get("id_lookup") or options.get("external_id")),
        "name_field": bool(options.get("name_field")),
        "filterable": filterable,
        "sortable": sortable,
        "groupable": options.get("groupable", not (long_text or kind in _UNGROUPED)),
        "aggregatable": (filterable or sortable) and kind not in _UNSORTED and kind != "boolean",
        "restricted_picklist": bool(options.get("restricted")),
        "picklist_values": values,
        "reference_to": (targets,) if isinstance(targets, str) else tuple(targets),
        "relationship_name": options.get("relationship_name", _relationship(name, kind)),
        "cascade_delete": bool(options.get("cascade_delete")),
        "restricted_delete": bool(options.get("restricted_delete")),
        "compound_field_name": options.get("compound"),
        "extra": {key: value for key, value in extra.items() if value is not None},
    }


def _expand(name: str, definition: Any) -> list[Field]:
    check_name(name)
    if definition is None or isinstance(definition, Field):
        return [make_field(name, definition)]
    options = _options(name, definition)
    kind = options.get("type")
    if kind == "address" and name.endswith("Address"):
        prefix = name.removesuffix("Address")
        parts = [_part(f"{prefix}{part}", definition, prefix, name) for part, definition in _ADDRESS.items()]
        return [*parts, make_field(name, options)]
    if kind == "location" and name.endswith("__c"):
        stem, label = name.removesuffix("__c"), options.get("label") or label_of(name)
        return [
            make_field(name, options),
            *(
                make_field(
                    f"{stem}__{part}__s",
                    {"type": "double", "precision": 18, "scale": 15, "label": f"{label} ({part})", "compound": name},
                )
                for part in ("Latitude", "Longitude")
            ),
        ]
    return [make_field(name, options)]


def _part(name: str, definition: Any, prefix: str, compound: str) -> Field:
    options = _options(name, definition)
    own = options.get("label") or label_of(name.removeprefix(prefix))
    return make_field(name, {**options, "label": f"{prefix} {own}".strip(), "compound": compound})


def _custom_system_fields(label: str, definition: Mapping[str, Any]) -> list[Field]:
    given = definition.get("name_field") or "string(80) defaulted"
    options = _parse_line("Name", given) if isinstance(given, str) else {"type": "string", "length": 80, **given}
    automatic = bool(options.get("auto_number"))
    options = {"label": f"{label} Name", **options, "name_field": True, "id_lookup": True}
    return [
        make_field("Id", {"type": "id", "label": "Record ID", "read_only": True, "defaulted": True, "id_lookup": True}),
        make_field("OwnerId", {**_SHARED["OwnerId"], "reference_to": ["Group", "User"]}),
        make_field("IsDeleted", None),
        make_field("Name", {**options, "nillable": not automatic, "defaulted": True}),
        *(make_field(part, None) for part in _AUDIT),
        *(make_field(part, None) for part in _ACTIVITY),
    ]


def _id_field(label: str) -> Field:
    options = {"type": "id", "label": f"{label} ID", "read_only": True, "defaulted": True, "id_lookup": True}
    return make_field("Id", options)


def _options(name: str, definition: Any) -> dict[str, Any]:
    """A definition, which is one line or a mapping, as a mapping."""
    if isinstance(definition, str):
        return _parse_line(name, definition)
    if not isinstance(definition, Mapping):
        raise ValueError(f"field {name}: {definition!r} is neither a line such as 'string(40)' nor a mapping")
    return dict(definition)


def _parse_line(name: str, line: str) -> dict[str, Any]:
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise ValueError(f"field {name}: cannot read {line!r}, write it as 'type(length) words = Label'")
    kind = match["type"]
    options: dict[str, Any] = {"type": kind, **({"label": match["label"]} if match["label"] else {})}
    sizes = [size.strip() for size in match["size"].split(",")] if match["size"] else []
    if kind == "reference":
        options["reference_to"] = sizes
    elif sizes:
        keys = ("precision", "scale") if kind in _NUMBERS else ("digits",) if kind == "int" else ("length",)
        if len(sizes) > len(keys) or not all(size.isdecimal() for size in sizes):
            raise ValueError(f"field {name}: cannot read the size in {line!r}, {kind} takes ({', '.join(keys)})")
        options |= {key: int(size) for key, size in zip(keys, sizes, strict=False)}
    for word in match["words"].split():
        options |= _WORDS.get(word, {word: True})
    return options


def _name_of(entry: Any) -> str:
    name = entry.name if isinstance(entry, Field) else entry.get("name") if isinstance(entry, Mapping) else None
    if not name:
        raise ValueError(f"a field needs a name: {entry!r}")
    return str(name)


def _relationship(name: str, kind: str) -> str | None:
    if kind != "reference":
        return None
    return f"{name.removesuffix('__c')}__r" if name.endswith("__c") else name.removesuffix("Id")


def _children(name: str, relationship: str | None) -> str | None:
    # A custom relationship is named without the suffix and queried with it, as in Setup.
    if relationship is None or not name.endswith("__c") or relationship.endswith("__r"):
        return relationship
    return f"{relationship}__r"


def _picklist_value(name: str, entry: Any) -> PicklistValue:
    if not isinstance(entry, Mapping):
        return PicklistValue(str(entry), str(entry))
    if "value" not in entry:
        raise ValueError(f"field {name}: the picklist value {dict(entry)!r} has no 'value'")
    value = str(entry["value"])
    return PicklistValue(
        value, str(entry.get("label", value)), bool(entry.get("active", True)), bool(entry.get("default", False))
    )


def _record_type(entry: Any) -> dict[str, Any]:
    options = {"name": entry} if isinstance(entry, str) else dict(entry)
    if not isinstance(options.get("name"), str):
        raise ValueError(f"a record type needs a name: {entry!r}")
    developer_name = re.sub(r"\W+", "_", options["name"])
    return {"developer_name": developer_name, "active": True, "default": False, **options}


def check_keys(what: str, given: Mapping[str, Any], known: Mapping[str, str]) -> None:
    """Refuse a definition with a key that is not known."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"{what}: unknown {', '.join(unknown)}; known are {', '.join(sorted(known))}")
