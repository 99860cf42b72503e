"""SOSL searches, and what a search page needs besides.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-search.html
"""

from sfconnector.testing import _sosl
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer, Call
from sfconnector.testing._running_user import query_context
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._search_layouts import scope_order, search_layout

_MOST_LAYOUTS = 100


def search(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-search.html"""
    context = query_context(runtime.store, call.context, runtime.clock())
    with runtime.store.transaction() as connection:
        text, schema = call.params.get("q", ""), runtime.store.schema
        found = _sosl.search(text, schema=schema, connection=connection, context=context)
    return found_answer(call, found)


def found_answer(call: Call, found: _sosl.Found) -> Answer:
    """Before 37.0 the list of records was the whole answer."""
    if float(call.version) < 37.0:
        return Answer(body=found.records)
    metadata = {} if found.metadata is None else {"metadata": found.metadata}
    return Answer(body={"searchRecords": found.records} | metadata)


def scope(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-search-scope-order.html"""
    recent = (record["attributes"]["type"] for record in runtime.store.recent(call.version))
    return Answer(
        body=[
            {"type": sobject.name, "url": f"{call.base}/sobjects/{sobject.name}/describe"}
            for sobject in scope_order(runtime.store.schema, recent)
        ]
    )


def layout(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-search-layouts.html"""
    names = [name.strip() for name in call.params.get("q", "").split(",") if name.strip()]
    if not 1 <= len(names) <= _MOST_LAYOUTS:
        raise OrgError(400, "INVALID_ARGUMENT", f"q: name 1 to {_MOST_LAYOUTS} objects, separated by commas")
    found = [runtime.store.schema.get(name) for name in names]
    for name, sobject in zip(names, found, strict=True):
        if sobject is None:
            raise OrgError(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return Answer(body=[search_layout(runtime.store.schema, sobject) for sobject in found if sobject is not None])
