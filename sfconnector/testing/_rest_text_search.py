"""Searches for a plain text, with options in the URL or in a body.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-search-parameterized.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sfconnector.testing import _sosl
from sfconnector.testing._errors import OrgError, unsupported
from sfconnector.testing._http import Answer, Call
from sfconnector.testing._rest_search import found_answer
from sfconnector.testing._running_user import query_context
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._soql import _ast as soql

_LARGEST = 2_000
_NULLS = re.compile(r"\bNULLS_(FIRST|LAST)\b", re.IGNORECASE)
_GROUPS = ("ALL", "NAME", "EMAIL", "PHONE", "SIDEBAR")
_OPTIONS = frozenset(
    {"q", "fields", "in", "defaultLimit", "overallLimit", "offset", "metadata", "pricebookId", "spellCorrection"}
)
# About Knowledge, divisions and sites, which the org has not got.
_UNSUPPORTED = (
    "dataCategory",
    "dataCategories",
    "division",
    "netWorkIds",
    "snippet",
    "updateTracking",
    "updateViewStat",
)
_OBJECT_OPTIONS = frozenset({"name", "fields", "limit", "orderBy", "where"})


def by_parameters(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-search-parameterized-get.html"""
    names = [name for given in call.params_of("sobject") for name in _listed(given)]
    options = {name: value for name, value in call.params.items() if "." not in name and name != "sobject"}
    sobjects = [{"name": name, **_of_object(call.params, name)} for name in names]
    unknown = {name.partition(".")[0].lower() for name in call.params if "." in name} - {name.lower() for name in names}
    if unknown:
        raise OrgError(400, "INVALID_ARGUMENT", f"sobject: {', '.join(sorted(unknown))} must be named there, too")
    return _search(runtime, call, options, sobjects)


def by_body(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-search-parameterized-post.html"""
    body = call.json_object()
    sobjects = body.pop("sobjects", [])
    if not isinstance(sobjects, list) or not all(isinstance(one, dict) and "name" in one for one in sobjects):
        raise OrgError(400, "JSON_PARSER_ERROR", "sobjects: a list of objects, each with a name, is required")
    return _search(runtime, call, body, sobjects)


def _listed(value: Any) -> list[str]:
    """A list, or a text with commas that stand outside of parentheses."""
    if isinstance(value, list):
        return [str(one) for one in value]
    return [part.strip() for part in str(value).split(",") if part.strip()]


def _of_object(params: Mapping[str, str], name: str) -> dict[str, str]:
    prefix = f"{name.lower()}."
    return {key[len(prefix) :]: value for key, value in params.items() if key.lower().startswith(prefix)}


def _search(runtime: Runtime, call: Call, options: Mapping[str, Any], sobjects: list[dict[str, Any]]) -> Answer:
    statement = _statement(options, sobjects)
    context = query_context(runtime.store, call.context, runtime.clock())
    with runtime.store.transaction() as connection:
        found = _sosl.run(statement, schema=runtime.store.schema, connection=connection, context=context)
    return found_answer(call, found)


def _statement(options: Mapping[str, Any], sobjects: list[dict[str, Any]]) -> _sosl.Statement:
    for name in _UNSUPPORTED:
        if options.get(name) not in (None, "", "false", False):
            raise unsupported(f"{name} in a search")
    unknown = set(options) - _OPTIONS - set(_UNSUPPORTED)
    if unknown:
        raise OrgError(400, "INVALID_ARGUMENT", f"{', '.join(sorted(unknown))}: a search has no such parameter")
    if not sobjects and {"fields", "defaultLimit", "offset"} & options.keys():
        raise OrgError(400, "INVALID_ARGUMENT", "fields, defaultLimit and offset need at least one sobject")
    if len(sobjects) > 1 and "offset" in options:
        raise OrgError(400, "INVALID_ARGUMENT", "offset: only one sobject can be specified with it")
    group = str(options.get("in", "ALL")).upper()
    if group not in _GROUPS:
        raise OrgError(400, "INVALID_ARGUMENT", f"in: one of {', '.join(_GROUPS)} is required, not '{options['in']}'")
    if str(options.get("metadata", "LABELS")).upper() != "LABELS":
        raise OrgError(400, "INVALID_ARGUMENT", f"metadata: LABELS is required, not '{options['metadata']}'")
    return _sosl.Statement(
        text="",
        search=_sosl.parse_plain(_text(options)),
        group=group,
        returning=tuple(_returned(one, options) for one in sobjects),
        limit=_number(options, "overallLimit"),
        labels="metadata" in options,
        pricebook_id=options.get("pricebookId"),
    )


def _text(options: Mapping[str, Any]) -> str:
    text = options.get("q")
    if not isinstance(text, str) or not text.strip():
        raise OrgError(400, "MISSING_ARGUMENT", "q: a text to search for is required")
    return text


def _number(options: Mapping[str, Any], name: str) -> int | None:
    value = options.get(name)
    if value is None:
        return None
    if not str(value).isascii() or not str(value).isdecimal() or int(value) > _LARGEST:
        raise OrgError(400, "INVALID_ARGUMENT", f"{name}: a whole number up to {_LARGEST} is required, not '{value}'")
    return int(value)


def _returned(given: Mapping[str, Any], options: Mapping[str, Any]) -> _sosl.Returned:
    """Write an object's options as SOSL does, for the one parser that knows all of it."""
    unknown = set(given) - _OBJECT_OPTIONS
    if unknown:
        raise OrgError(400, "INVALID_ARGUMENT", f"{', '.join(sorted(unknown))}: an object has no such parameter")
    clauses = " ".join(_clauses(given, options))
    text = f"{given['name']}({clauses})"
    sobject = soql.Path(str(given["name"]), 0)
    start = text.index("(") + 1
    return _sosl.parse_returned(text, (start, len(text) - 1), sobject)


def _clauses(given: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[str]:
    yield ", ".join(_listed(given.get("fields") or options.get("fields") or "Id"))
    if given.get("where"):
        yield f"WHERE {given['where']}"
    if given.get("orderBy"):
        # NULLS_FIRST here is what SOSL writes as NULLS FIRST.
        yield "ORDER BY " + _NULLS.sub(r"NULLS \1", str(given["orderBy"]))
    limit = _number(given, "limit") if "limit" in given else _number(options, "defaultLimit")
    if limit is not None:
        yield f"LIMIT {limit}"
    offset = _number(options, "offset")
    if offset is not None:
        yield f"OFFSET {offset}"
