"""Reads whose URL would be too long, sent in the body of a composite request and answered as if asked directly."""

from __future__ import annotations

from typing import Any, Final

import attrs
import requests
from requests.structures import CaseInsensitiveDict
from sfconnector_generated.client import Request
from sfconnector_generated.rest.api.composite import send_composite
from sfconnector_generated.rest.models import CompositeRequest, CompositeSubrequest
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


def is_possible(request: Request) -> bool:
    """Tell whether a composite request takes this read."""
    return request.path.startswith(_SUPPORTED)


def is_needed(session: Session, request: Request) -> bool:
    """Tell whether a read is too long to go out as it is, and can go out in a composite request."""
    return is_possible(request) and session.head_size(request) > _LONGEST


def send(session: Session, request: Request, timeout: Seconds) -> requests.Response:
    """Send a read in a composite request, and give its answer as if it had been sent by itself.

    Salesforce recommends this way for long queries. Unlike a batch it takes the headers of the read.

    See Also:
        https://help.salesforce.com/s/articleView?id=000386264&type=1

    Raises:
        ApiError, TransportError: The composite request failed as a whole.
    """
    subrequest = CompositeSubrequest(
        method="GET",
        url=request.target(session.api_version),
        reference_id="read",
        http_headers=dict(request.headers) or UNSET,
    )
    composite = send_composite.build(body=CompositeRequest(composite_request=[subrequest]))
    # It only reads.
    composite = attrs.evolve(composite, idempotent=True)
    attempt, started = 1, session.retry.clock()
    while True:
        outer = session.send(composite, timeout=timeout)
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


def _inner(session: Session, request: Request, outer: requests.Response) -> requests.Response:
    """Make the answer to the read out of the answer to the composite request."""
    match session.decode(outer):
        case {"compositeResponse": [{"httpStatusCode": int(status), "body": body, **rest}]}:
            pass
        case _:
            raise InvalidResponseError(outer, "the answer is not that of a composite request with one subrequest")
    headers: Any = rest.get("httpHeaders")
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
