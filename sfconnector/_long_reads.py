"""Reads whose URL would be too long, sent in the body of a composite request and answered as if asked directly."""

from __future__ import annotations

from typing import Any, Final

import attrs
import requests
from requests.structures import CaseInsensitiveDict
from sfconnector_generated.client import Request
from sfconnector_generated.rest.api.composite import send_batch, send_composite
from sfconnector_generated.rest.models import BatchRequest, BatchSubrequest, CompositeRequest, CompositeSubrequest
from sfconnector_generated.types import UNSET

from sfconnector import _json
from sfconnector._answers import details
from sfconnector._retry import Outcome, retry_after
from sfconnector._session import Seconds, Session
from sfconnector._urls import short_path
from sfconnector.errors import InvalidResponseError

# The URL, and the URL with the headers. Proxies on the way add headers of their own, for which there is some room.
# https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/salesforce-app-limits-platform-api.html
_LONGEST: Final = 16_384 - 1_024
# https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-composite-post.html
_SUPPORTED: Final = ("/sobjects/", "/query", "/queryAll")
# https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-batch.html
_IN_BATCH: Final = ("/search",)


def is_possible(request: Request) -> bool:
    """Tell whether a composite request takes this read, or, without headers, a batch."""
    return request.path.startswith(_SUPPORTED) or (_is_batched(request) and not request.headers)


def is_needed(session: Session, request: Request) -> bool:
    """Tell whether a read is too long to go out as it is, and can go out in another one."""
    return is_possible(request) and session.head_size(request) > _LONGEST


def send(session: Session, request: Request, timeout: Seconds) -> requests.Response:
    """Send a read in a composite request or a batch, and give its answer as if it had been sent by itself.

    Salesforce recommends the composite request for long queries. Unlike a batch it takes the headers of the read,
    but no searches.

    See Also:
        https://help.salesforce.com/s/articleView?id=000386264&type=1

    Raises:
        ApiError, TransportError: The composite request failed as a whole.
    """
    # It only reads.
    outer_request = attrs.evolve(_outer(session, request), idempotent=True)
    attempt, started = 1, session.retry.clock()
    while True:
        outer = session.send(outer_request, timeout=timeout)
        session.check(outer)
        response = _inner(session, request, outer)
        if response.status_code < 400:
            return response
        outcome = Outcome(None, response.status_code, details(response), retry_after(response.headers))
        elapsed = session.retry.clock() - started
        decision = session.retry.decide(outcome, attempt=attempt, elapsed=elapsed, idempotent=True)
        if decision.delay is None:
            return response
        from sfconnector._events import RequestEvent

        path = short_path(request.target(session.api_version))
        session.pause(RequestEvent(request.operation, "GET", path, attempt), decision.reason, decision.delay)
        attempt += 1


def _is_batched(request: Request) -> bool:
    return request.path.startswith(_IN_BATCH)


def _outer(session: Session, request: Request) -> Request:
    """Make the request that carries the read."""
    target = request.target(session.api_version)
    if _is_batched(request):
        batched = BatchSubrequest(method="GET", url=target.removeprefix("/services/data/"))
        return send_batch.build(body=BatchRequest(batch_requests=[batched]))
    headers = dict(request.headers) or UNSET
    subrequest = CompositeSubrequest(method="GET", url=target, reference_id="read", http_headers=headers)
    return send_composite.build(body=CompositeRequest(composite_request=[subrequest]))


def _inner(session: Session, request: Request, outer: requests.Response) -> requests.Response:
    """Make the answer to the read out of the answer to the request that carried it."""
    headers: Any = None
    match session.decode(outer):
        case {"compositeResponse": [{"httpStatusCode": int(status), "body": body, **rest}]}:
            headers = rest.get("httpHeaders")
        case {"results": [{"statusCode": int(status), "result": body}]}:
            pass
        case _:
            raise InvalidResponseError(outer, "the answer is not that to one read inside another request")
    response = requests.Response()
    response.status_code = status
    response.headers.update(headers if isinstance(headers, dict) else {})
    response.headers["Content-Type"] = "application/json"
    for name in ("X-SFDC-Request-Id", "Sforce-Limit-Info"):
        if name in outer.headers:
            response.headers[name] = outer.headers[name]
    response._content = b"" if body is None else _json.dumps(body)
    response._content_consumed = True
    response.request = outer.request.copy()
    response.request.method, response.request.body = "GET", None
    # Without the query, which error texts leave out, too.
    response.url = response.request.url = session.instance_url + request.target(session.api_version).partition("?")[0]
    response.request.headers = CaseInsensitiveDict({**outer.request.headers, **request.headers})
    return response
