"""Duplicate rules: which records are too much like others to be saved, and what is told of these.

A rule compares a record that is created, or changed in one of the rule's fields, with the records of an object. What
Salesforce calls a matching rule is kept simple: all fields of the rule are equal, without regard to case, and none is
blank. Converted leads are no match.

https://developer.salesforce.com/docs/platform/api-metadata/references/meta-types/metadata-duplicaterule.html
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_matchingruleitem.htm
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

from sfconnector.testing._context import RequestContext
from sfconnector.testing._database import Database, is_stored, key_expression, quote
from sfconnector.testing._errors import DuplicateResult, MatchRecord, OrgError, OrgErrorItem
from sfconnector.testing._schema import Schema, SObjectType
from sfconnector.testing._values import to_json

MESSAGE: Final = "Use one of these records?"
"""What the standard rules say."""

ACTIONS: Final = ("allow", "alert", "block")
"""Salesforce's Allow, Allow with the operation Alert, and Block."""

_KEYS: Final = ("fields", "matches", "name", "on_create", "on_update", "message")
_MOST: Final = 5
# Besides custom objects.
_OBJECTS: Final = ("Account", "Contact", "Lead")
# What describe does not know is kept beside it.
EXTRA: Final = "duplicateRules"


@attrs.frozen(kw_only=True)
class DuplicateRule:
    """A rule; ``fields`` names, by each field of the record, the field with which it is compared."""

    name: str
    sobject: str
    fields: Mapping[str, str]
    matches: str
    on_create: str = "alert"
    on_update: str = "alert"
    message: str = MESSAGE

    @property
    def matching_rule(self) -> str:
        return f"{self.name}_Match"


def make_rule(sobject: str, number: int, definition: Any) -> dict[str, Any]:
    """Read what a person says of a rule into the form that is kept.

    Raises:
        ValueError: A key or a value is not known, or it names no fields.
    """
    what = f"duplicate rule of {sobject}"
    if not isinstance(definition, Mapping):
        raise ValueError(f"{what}: {definition!r} is no mapping with fields")
    if unknown := sorted(set(definition) - set(_KEYS)):
        raise ValueError(f"{what}: unknown {', '.join(map(str, unknown))}; known are {', '.join(_KEYS)}")
    fields = definition.get("fields")
    if isinstance(fields, str) or not isinstance(fields, Iterable) or not fields:
        raise ValueError(f"{what}: fields are a list of names, or a mapping of names to those of the other record")
    pairs = dict(fields) if isinstance(fields, Mapping) else {name: name for name in fields}
    rule = {
        "matches": sobject,
        "name": f"{sobject.removesuffix('__c')}_Duplicate_Rule_{number}",
        "on_create": "alert",
        "on_update": "alert",
        "message": MESSAGE,
        **definition,
        "fields": {str(own): str(other) for own, other in pairs.items()},
    }
    for key in ("on_create", "on_update"):
        if rule[key] not in ACTIONS:
            raise ValueError(f"{what}: {key} is one of {', '.join(ACTIONS)}, not {rule[key]!r}")
    if not isinstance(rule["name"], str) or not re.fullmatch(r"[A-Za-z]\w*", rule["name"], re.ASCII):
        raise ValueError(f"{what}: {rule['name']!r} is no API name")
    if not isinstance(rule["message"], str) or not rule["message"]:
        raise ValueError(f"{what}: the message is empty, or no text")
    return rule


def rules_of(sobject: SObjectType) -> list[DuplicateRule]:
    """The rules of an object, in the order in which they run."""
    return [DuplicateRule(sobject=sobject.name, **kept) for kept in sobject.extra.get(EXTRA, ())]


def check_rules(schema: Schema, sobject: SObjectType) -> None:
    """Refuse rules that could not run.

    Raises:
        ValueError: An object or field is not there or cannot be compared, or there are too many rules.
    """
    rules = rules_of(sobject)
    if len(rules) > _MOST:
        raise ValueError(f"{sobject.name} has {len(rules)} duplicate rules, and Salesforce takes {_MOST} active ones")
    if len({rule.name.lower() for rule in rules}) < len(rules):
        raise ValueError(f"two duplicate rules of {sobject.name} have the same name")
    for rule in rules:
        other = sobject if rule.matches == sobject.name else schema.get(rule.matches)
        if other is None:
            raise ValueError(f"duplicate rule {rule.name}: there is no object {rule.matches}")
        for compared in (sobject, other):
            if compared.name not in _OBJECTS and not compared.custom:
                raise ValueError(f"duplicate rule {rule.name}: Salesforce has none for {compared.name}")
        sides = ((sobject, rule.fields.keys()), (other, rule.fields.values()))
        for owner, name in ((owner, name) for owner, names in sides for name in names):
            field = owner.fields.get(name)
            if field is None or not is_stored(field) or field.type == "base64":
                raise ValueError(f"duplicate rule {rule.name}: {owner.name} has no field {name} that can be compared")


@attrs.frozen
class Duplicates:
    """Runs the duplicate rules of one org."""

    schema: Schema
    database: Database

    def check(
        self, sobject: SObjectType, before: Mapping[str, Any], after: Mapping[str, Any], context: RequestContext
    ) -> None:
        """Refuse a record that is too much like others; ``before`` is empty for a new one.

        All users see all records here, so that ``runAsCurrentUser`` makes no difference.

        Raises:
            OrgError: ``DUPLICATES_DETECTED``, with the records found by each rule that stands in the way.
        """
        rules = rules_of(sobject) if EXTRA in sobject.extra and not context.skips_duplicate_rules else []
        problems: list[OrgErrorItem] = []
        for rule in rules:
            action = rule.on_update if before else rule.on_create
            allowed = action == "allow" or (action == "alert" and context.duplicate_rule.allow_save)
            unchanged = before and all(before.get(name) == after.get(name) for name in rule.fields)
            if allowed or unchanged:
                continue
            if found := self._matches(rule, after, context):
                result = DuplicateResult(
                    allow_save=action == "alert",
                    rule=rule.name,
                    sobject=sobject.name,
                    message=rule.message,
                    matched=rule.matches,
                    matching_rule=rule.matching_rule,
                    records=found,
                )
                problems.append(OrgErrorItem("DUPLICATES_DETECTED", rule.message, None, result))
        if problems:
            raise OrgError.several(400, problems)

    def _matches(
        self, rule: DuplicateRule, record: Mapping[str, Any], context: RequestContext
    ) -> tuple[MatchRecord, ...]:
        matched = self.schema.get(rule.matches)
        values = [record.get(name) for name in rule.fields]
        if matched is None or any(value is None or value == "" for value in values):
            return ()
        conditions = [_equal(matched, name) for name in rule.fields.values()]
        conditions += ['"IsDeleted" = 0'] * ("IsDeleted" in matched.fields)
        conditions += ['"IsConverted" = 0'] * (matched.name == "Lead")
        rows = self.database.rows(
            f'SELECT * FROM {quote(matched.name)} WHERE {" AND ".join(conditions)} ORDER BY "Id"', values
        )
        # Records of the same save are not compared with each other.
        rows = [row for row in rows if row["Id"] != record["Id"] and row["Id"] not in context.saved]
        detailed = context.duplicate_rule.include_record_details
        return tuple(
            MatchRecord(
                matched.name,
                row["Id"],
                _values(matched, dict(row)) if detailed else {},
                tuple(rule.fields.values()) if detailed else (),
            )
            for row in rows
        )


def _equal(sobject: SObjectType, name: str) -> str:
    column = key_expression(attrs.evolve(sobject.fields[name], case_sensitive=False))
    return f"{column} = soql_fold(?)" if column.startswith("soql_fold") else f"{column} = ?"


def _values(sobject: SObjectType, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        field.name: to_json(field, row[field.name])
        for field in sobject.fields.values()
        if is_stored(field) and field.type != "base64" and field.name != "Id"
    }
