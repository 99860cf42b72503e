"""Resources that tell what is there: resources, limits, and the describes."""

import re
import zlib
from email.utils import format_datetime
from typing import Any

import orjson

from sfconnector.testing._conditions import unmodified
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer, Call
from sfconnector.testing._recent import KEPT
from sfconnector.testing._runtime import Runtime

_RESOURCES = (
    "actions",
    "analytics",
    "compactLayouts",
    "composite",
    "limits",
    "parameterizedSearch",
    "query",
    "queryAll",
    "quickActions",
    "recent",
    "search",
    "sobjects",
)


def resources(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-discoveryresource.html"""
    urls = {name: f"{call.base}/{name}" for name in _RESOURCES}
    identity = f"{runtime.url}/id/{runtime.store.organization_id}/{call.context.user_id}"
    return Answer(body=urls | {"identity": identity})


def limits(runtime: Runtime, _call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-limits.html"""
    return Answer(body=runtime.usage.limits())


def record_count(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-record-count.html"""
    wanted = call.params.get("sObjects")
    if wanted is None:
        names = [sobject.name for sobject in runtime.store.schema]
    else:
        found = (runtime.store.schema.get(name.strip()) for name in wanted.split(","))
        names = [sobject.name for sobject in found if sobject is not None]
    counts = [{"count": runtime.store.count(name), "name": name} for name in names]
    return Answer(body={"sObjects": [count for count in counts if count["count"]]})


def recent(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-recent-items.html"""
    limit = call.params.get("limit", str(KEPT))
    if not re.fullmatch(r"[1-9]\d{0,8}", limit, re.ASCII):
        raise OrgError(400, "INVALID_ARGUMENT", f"limit: a whole number from 1 is required, not '{limit}'")
    return Answer(body=runtime.store.recent(call.version, min(int(limit), KEPT)))


def describe_global(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-describeglobal.html"""
    return _cacheable(runtime, call, runtime.store.describe_global(call.version))


def describe(runtime: Runtime, call: Call, sobject: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-describe.html"""
    return _cacheable(runtime, call, runtime.store.describe(sobject, call.version))


def info(runtime: Runtime, call: Call, sobject: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-basic-info.html"""
    return Answer(body=runtime.store.info(sobject, call.version))


def _cacheable(runtime: Runtime, call: Call, body: dict[str, Any]) -> Answer:
    """304 without a body if the schema has not changed since the time given by the client."""
    changed = runtime.schema_changed_at
    content = orjson.dumps(body)
    headers = {
        "Last-Modified": format_datetime(changed, usegmt=True),
        "ETag": f'"{zlib.crc32(content):08x}"',
    }
    if unmodified(call.headers.get("if-modified-since"), changed):
        return Answer(status=304, headers=headers)
    if call.headers.get("x-prettyprint") in ("1", "true"):
        return Answer(body=body, headers=headers)
    return Answer(body=content, headers=headers)
