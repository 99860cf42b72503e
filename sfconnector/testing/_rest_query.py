"""SOQL queries and their further pages.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-query.html
"""

import re
from datetime import UTC

from sfconnector.testing import _soql
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer, Call
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
    text = call.params.get("q", "")
    if not text.strip():
        raise OrgError(400, "MALFORMED_QUERY", "SOQL statements cannot be empty or null")
    context = _soql.Context(
        user_id=call.context.user_id,
        now=runtime.clock(),
        timezone=UTC,
        version=call.version,
        include_deleted=resource == "queryAll",
    )
    with runtime.store.transaction() as connection:
        result = _soql.execute(text, schema=runtime.store.schema, connection=connection, context=context)
    size = _batch_size(call) or _LARGEST_PAGE
    return Answer(body=runtime.cursors.first(result, size))


def _batch_size(call: Call) -> int | None:
    """The page size that the client asks for; Salesforce takes it as a wish.

    https://developer.salesforce.com/docs/platform/api-rest/guide/headers-queryoptions.html
    """
    match = re.search(r"batchSize\s*=\s*(\d+)", call.headers.get("sforce-query-options", ""), re.IGNORECASE)
    return None if match is None else int(match[1])
