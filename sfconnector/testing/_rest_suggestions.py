"""Records suggested to somebody who is still typing.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-search-suggest-records.html
"""

import re
from typing import Any

from sfconnector.testing import _sosl
from sfconnector.testing._errors import OrgError, unsupported
from sfconnector.testing._http import Answer, Call
from sfconnector.testing._running_user import query_context
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._schema import SObjectType
from sfconnector.testing._search_layouts import scope_order, secondary_field
from sfconnector.testing._soql import _ast as soql

_DEFAULT_LIMIT = 5
_MOST = 2_000
_MOST_OBJECTS = 10
_SHORTEST, _LONGEST, _LONGEST_WORD = 3, 255, 200
# Searchable, and yet never suggested.
_NOT_SUGGESTED = frozenset(
    {"ContentNote", "Event", "FeedComment", "FeedPost", "IdeaComment", "Pricebook2", "Reply", "TagDefinition", "Task"}
)
_QUESTIONS = ("groupId", "networkId", "topicId", "userId")


def suggest(runtime: Runtime, call: Call) -> Answer:
    """Records whose name has the words typed, the last of which may be the beginning of one."""
    for name in _QUESTIONS:
        if name in call.params:
            raise unsupported(f"{name} in suggestions")
    text = re.sub(r'["*?]', "", call.params.get("q", "")).strip()
    if not call.params.get("q"):
        raise OrgError(400, "MISSING_ARGUMENT", "q: the text typed so far is required")
    if len(text) > _LONGEST or any(len(word) > _LONGEST_WORD for word in text.split()):
        raise OrgError(400, "INVALID_SEARCH", f"q: at most {_LONGEST} characters, {_LONGEST_WORD} without a space")
    sobjects, limit = _sobjects(runtime, call), _limit(call)
    found: list[dict[str, Any]] = []
    if len(text) >= _SHORTEST:
        context = query_context(runtime.store, call.context, runtime.clock())
        schema = runtime.store.schema
        with runtime.store.transaction() as connection:
            for sobject in sobjects:
                statement = _statement(sobject, call, text)
                found += _sosl.run(statement, schema=schema, connection=connection, context=context).records
    return Answer(
        body={
            "autoSuggestResults": found[:limit],
            "hasMoreResults": len(found) > limit,
            "meta": {"nameFields": [_name_field(sobject) for sobject in sobjects]},
        }
    )


def _sobjects(runtime: Runtime, call: Call) -> list[SObjectType]:
    schema = runtime.store.schema
    names = [name.strip() for name in call.params.get("sobject", "").split(",") if name.strip()]
    use_scope = call.flag("useSearchScope")
    if not names and not use_scope:
        raise OrgError(400, "MISSING_ARGUMENT", "sobject: the objects to suggest records of are required")
    if len(names) > _MOST_OBJECTS:
        raise OrgError(400, "INVALID_ARGUMENT", f"sobject: at most {_MOST_OBJECTS} objects")
    chosen: dict[str, SObjectType] = {}
    for name in names:
        sobject = schema.get(name)
        if sobject is None:
            raise OrgError(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")
        if _suggested(sobject):
            chosen[sobject.name] = sobject
        elif not call.flag("ignoreUnsupportedSObjects"):
            raise OrgError(400, "INVALID_TYPE", f"sObject type '{sobject.name}' is not supported by suggestions.")
    if use_scope:
        recent = (record["attributes"]["type"] for record in runtime.store.recent(call.version))
        for sobject in filter(_suggested, scope_order(schema, recent)):
            if len(chosen) < _MOST_OBJECTS:
                chosen.setdefault(sobject.name, sobject)
    return list(chosen.values())


def _suggested(sobject: SObjectType) -> bool:
    return sobject.searchable and sobject.name_field is not None and sobject.name not in _NOT_SUGGESTED


def _limit(call: Call) -> int:
    limit = call.params.get("limit", str(_DEFAULT_LIMIT))
    if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit) <= _MOST):
        raise OrgError(400, "INVALID_ARGUMENT", f"limit: a whole number from 1 to {_MOST} is required, not '{limit}'")
    return int(limit)


def _statement(sobject: SObjectType, call: Call, text: str) -> _sosl.Statement:
    """The names that have these words in a row; a phrase whose last word is open at its end."""
    prefix = f"{sobject.name.lower()}."
    fields = ["Id", _name(sobject)]
    asked = call.params.get(f"{prefix}fields", call.params.get("fields", "")).split(",")
    if "secondaryField" in call.params.get("dynamicFields", "") and (second := secondary_field(sobject)):
        asked.append(second.name)
    for name in filter(None, map(str.strip, asked)):
        if name.lower() not in (known.lower() for known in fields):
            fields.append(name)
    where = call.params.get(f"{prefix}where", call.params.get("where"))
    clauses = f"{', '.join(fields)}{f' WHERE {where}' if where else ''} ORDER BY {_name(sobject)}"
    source = f"{sobject.name}({clauses})"
    path = soql.Path(sobject.name, 0)
    returned = _sosl.parse_returned(source, (len(sobject.name) + 1, len(source) - 1), path)
    return _sosl.Statement(
        text=source,
        search=_sosl.phrase(text, open_end=True),
        group="OWN_NAME",
        returning=(returned,),
    )


def _name(sobject: SObjectType) -> str:
    field = sobject.name_field
    return "Id" if field is None else field.name


def _name_field(sobject: SObjectType) -> dict[str, str]:
    return {"entityApiName": sobject.name, "fieldApiName": _name(sobject)}
