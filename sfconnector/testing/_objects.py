"""How objects come into an org and stay there: from Python, from YAML, from a real org's describe, from its file."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from sfconnector.testing import _ids
from sfconnector.testing._database import Database
from sfconnector.testing._definition import OBJECT_KEYS, check_name, load_yaml, make_fields, make_object
from sfconnector.testing._describe_load import link, object_from_describe
from sfconnector.testing._duplicates import EXTRA, check_rules, make_rule
from sfconnector.testing._schema import Schema, SObjectType
from sfconnector.testing._streaming._event_definition import make_event

_RECORD_TYPE = 'SELECT "Id" FROM "RecordType" WHERE "SobjectType" = ? AND "DeveloperName" = ?'


@attrs.frozen
class Objects:
    """The schema of one org together with the tables that follow it; the caller holds the transaction."""

    schema: Schema
    database: Database
    insert: Callable[[str, Mapping[str, Any]], str]

    def restore(self) -> None:
        """Take up what the database remembers, and make the tables of all objects."""
        for kept in self.database.remembered():
            standard = self.schema.get(kept.name)
            # A newer release may know more standard fields than the file.
            fields = {**(standard.fields if standard else {}), **kept.fields}
            self.schema.add(attrs.evolve(kept, fields=fields))
        self._target_custom_objects()
        for sobject in self.schema:
            self._extend_table(sobject)

    def add(self, name: str, definition: Mapping[str, Any]) -> SObjectType:
        """Add an object, or extend the one of that name."""
        check_name(name)
        known = self.schema.get(name)
        if known is None:
            event = name.endswith("__e")
            prefix = definition.get("key_prefix") or self._free_prefix(event=event)
            made = (make_event if event else make_object)(name, {**definition, "key_prefix": prefix})
        else:
            made = _extended(known, definition)
        return self._keep(made)

    def add_duplicate_rule(self, sobject: SObjectType, definition: Mapping[str, Any]) -> None:
        """Add a rule to those that an object has."""
        rules = [*sobject.extra.get(EXTRA, ())]
        rules.append(make_rule(sobject.name, len(rules) + 1, definition))
        self._keep(attrs.evolve(sobject, extra={**sobject.extra, EXTRA: rules}))

    def load(self, text: str) -> list[SObjectType]:
        """Add the objects of a YAML text."""
        added = []
        for name, definition in load_yaml(text).items():
            try:
                added.append(self.add(name, definition))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        return added

    def load_describe(self, describe: Mapping[str, Any] | str | Path) -> SObjectType:
        """Add an object as a real org describes it, or replace the one of that name."""
        if not isinstance(describe, Mapping):
            text = str(describe)
            loaded = json.loads(text if text.lstrip().startswith("{") else Path(text).read_text("utf-8"))
        else:
            loaded = describe
        made = object_from_describe(loaded)
        if made.key_prefix is None:
            made = attrs.evolve(made, key_prefix=self._free_prefix(event=made.is_event))
        self._keep(made)
        for info in loaded.get("recordTypeInfos") or ():
            self._add_described_record_type(made, info)
        for changed in link(self.schema):
            self._keep(changed)
        return self.schema.get(made.name) or made

    def add_record_types(self, sobject: SObjectType) -> None:
        """Make the rows of the record types which the object's definition names."""
        for entry in sobject.extra.get("recordTypes", ()):
            if self._has_record_type(sobject, entry["developer_name"]):
                continue
            self.insert(
                "RecordType",
                {
                    "Name": entry["name"],
                    "DeveloperName": entry["developer_name"],
                    "SobjectType": sobject.name,
                    "IsActive": int(entry["active"]),
                },
            )

    def _keep(self, sobject: SObjectType) -> SObjectType:
        check_rules(self.schema, sobject)
        self.schema.add(sobject)
        self._extend_table(sobject)
        self.database.remember(sobject)
        self.add_record_types(sobject)
        self._target_custom_objects()
        return self.schema.get(sobject.name) or sobject

    def _extend_table(self, sobject: SObjectType) -> None:
        if not sobject.is_event:
            self.database.extend(sobject)

    def _target_custom_objects(self) -> None:
        """Let activities and files point to each custom object; it follows from the objects, so nothing is kept."""
        custom = [sobject.name for sobject in self.schema if sobject.name.endswith("__c")]
        for sobject in self.schema:
            fields = {
                name: attrs.evolve(
                    field,
                    reference_to=(*(target for target in field.reference_to if target not in custom), *custom),
                )
                for name, field in sobject.fields.items()
                if field.extra.get("customTargets")
            }
            if any(fields[name] != sobject.fields[name] for name in fields):
                self.schema.add(attrs.evolve(sobject, fields={**sobject.fields, **fields}))

    def _add_described_record_type(self, sobject: SObjectType, info: Mapping[str, Any]) -> None:
        if info.get("master") or self.database.find("RecordType", info["recordTypeId"]):
            return
        developer_name = info.get("developerName") or re.sub(r"\W+", "_", info["name"])
        self.insert(
            "RecordType",
            {
                "Id": info["recordTypeId"],
                "Name": info["name"],
                "DeveloperName": developer_name,
                "SobjectType": sobject.name,
                "IsActive": int(info.get("active", True)),
            },
        )

    def _has_record_type(self, sobject: SObjectType, developer_name: str) -> bool:
        return self.database.row(_RECORD_TYPE, [sobject.name, developer_name]) is not None

    def _free_prefix(self, *, event: bool) -> str:
        """Take the next prefix from the end: real orgs give theirs from a00 on, and their describes may be loaded."""
        letter, counter = ("e", "prefix:event") if event else ("a", "prefix")
        while True:
            high, low = divmod(len(_ids.DIGITS) ** 2 - self.database.count_up(counter), len(_ids.DIGITS))
            prefix = f"{letter}{_ids.DIGITS[high]}{_ids.DIGITS[low]}"
            if self.schema.by_key_prefix(prefix) is None:
                return prefix


def _extended(known: SObjectType, definition: Mapping[str, Any]) -> SObjectType:
    if known.is_event:
        return _extended_event(known, definition)
    unknown = sorted(set(definition) - set(OBJECT_KEYS))
    if unknown:
        raise ValueError(
            f"object {known.name}: unknown {', '.join(unknown)}; known are {', '.join(sorted(OBJECT_KEYS))}"
        )
    added = make_fields(definition.get("fields") or (), sobject=known.name)
    asked = make_object(known.name, {**definition, "fields": {}, "label": definition.get("label") or known.label})
    if "RecordTypeId" in asked.fields and "RecordTypeId" not in known.fields:
        added.append(asked.fields["RecordTypeId"])
    given = {key: getattr(asked, key) for key in ("label", "label_plural") if definition.get(key)}
    given |= {key: definition[key] for key in OBJECT_KEYS if key.endswith("able") and key in definition}
    fields = {**known.fields, **{field.name: field for field in added}}
    return attrs.evolve(known, fields=fields, extra={**known.extra, **asked.extra}, **given)


def _extended_event(known: SObjectType, definition: Mapping[str, Any]) -> SObjectType:
    """Give a platform event more fields, or another label or behavior."""
    asked = make_event(known.name, {"key_prefix": known.key_prefix, "label": known.label, **definition})
    given = {key: getattr(asked, key) for key in ("label", "label_plural") if definition.get(key)}
    extra = asked.extra if "publish_behavior" in definition else known.extra
    return attrs.evolve(known, fields={**known.fields, **asked.fields}, extra={**known.extra, **extra}, **given)


def default_record_type(database: Database, sobject: SObjectType) -> str | None:
    """Find the id of the record type that new records get; ``None`` for the master record type."""
    for info in sobject.extra.get("recordTypeInfos", ()):
        if info["defaultRecordTypeMapping"] and not info["master"]:
            return str(info["recordTypeId"])
    for entry in sobject.extra.get("recordTypes", ()):
        if entry["default"]:
            row = database.row(_RECORD_TYPE, [sobject.name, entry["developer_name"]])
            return None if row is None else str(row["Id"])
    return None
