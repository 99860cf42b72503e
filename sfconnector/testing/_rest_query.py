"""SOQL queries and their further pages.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-query.html
"""

import re

from sfconnector.testing import _soql
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer, Call
from sfconnector.testing._ids import normalize
from sfconnector.testing._reports._definition import define
from sfconnector.testing._reports._run import soql as report_soql
from sfconnector.testing._reports._types import ReportTypes
from sfconnector.testing._running_user import query_context
from sfconnector.testing._runtime import Runtime

_LARGEST_PAGE = 2_000


def query(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/dome-query.html"""
    return _query(runtime, call, "query")


def query_all(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-queryall.html"""
    return _query(runtime, call, "queryAll")


def next_page(runtime: Runtime, call: Call, locator: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-query-more-results.html"""
    return Answer(body=runtime.cursors.next(locator, _batch_size(call)))


def _query(runtime: Runtime, call: Call, resource: str) -> Answer:
    explained = call.params.get("explain") if resource == "query" and "q" not in call.params else None
    text = call.params.get("q", "") if explained is None else explained
    if not text.strip():
        raise OrgError(400, "MALFORMED_QUERY", "SOQL statements cannot be empty or null")
    context = query_context(runtime.store, call.context, runtime.clock(), include_deleted=resource == "queryAll")
    schema = runtime.store.schema
    with runtime.store.transaction() as connection:
        if explained is not None:
            soql = _report_query(runtime, explained.strip(), context) or explained
            plans = _soql.explain(soql, schema=schema, connection=connection, context=context)
            return Answer(body={"plans": plans, "sourceQuery": soql})
        result = _soql.execute(text, schema=schema, connection=connection, context=context)
        if result.tracked is not None:
            sobject, clause = result.tracked
            runtime.store.mark(sobject, result.ids, viewed=clause == "FOR VIEW")
    size = _batch_size(call) or _LARGEST_PAGE
    return Answer(body=runtime.cursors.first(result, size))


def _report_query(runtime: Runtime, text: str, context: _soql.Context) -> str | None:
    """The query behind a report that is to be explained by its id.

    https://developer.salesforce.com/docs/platform/api-rest/guide/resources-query-performance-feedback.html
    """
    if normalize(text) is None:
        return None
    try:
        saved = runtime.store.reports.get(text)
    except OrgError as error:
        raise OrgError(400, "INVALID_ID", f"There is no report {text}; the local org holds no list views") from error
    return report_soql(define(saved, ReportTypes(runtime.store.schema), context))


def _batch_size(call: Call) -> int | None:
    """The page size that the client asks for; Salesforce takes it as a wish.

    https://developer.salesforce.com/docs/platform/api-rest/guide/headers-queryoptions.html
    """
    match = re.search(r"batchSize\s*=\s*(\d+)", call.headers.get("sforce-query-options", ""), re.IGNORECASE)
    return None if match is None else int(match[1])
