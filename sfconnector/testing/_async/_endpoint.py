"""The way of a request below ``/services/async`` to its resource: session, usage, version, body, and the answer.

https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-request-basics.html
"""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from sfconnector.testing._admission import check_password
from sfconnector.testing._async import _resources
from sfconnector.testing._async._errors import (
    CLIENT_INPUT,
    EXCEEDED_QUOTA,
    INVALID_OPERATION,
    INVALID_SESSION_ID,
    INVALID_URL,
    INVALID_VERSION,
    UNKNOWN,
    AsyncError,
)
from sfconnector.testing._async._formats import error_answer, translated, wants_json
from sfconnector.testing._async._resources import Call
from sfconnector.testing._errors import OrgError, method_not_allowed
from sfconnector.testing._http import Answer, body_pieces, render
from sfconnector.testing._rest import LATEST, OLDEST
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._tokens import Session

_LOG = logging.getLogger("sfconnector.testing")
_VERSION: Final = re.compile(r"[1-9]\d?\.0", re.ASCII)
# "A batch can contain a maximum of 10,000,000 characters": the page on limits, and what Salesforce says to more.
# https://github.com/jsforce/jsforce/issues/31
_LARGEST_BODY: Final = 10_000_000

Handler = Callable[..., Answer]
_ID: Final = r"([^/]+)"
_ROUTES: Final[tuple[tuple[re.Pattern[str], Mapping[str, Handler]], ...]] = tuple(
    (re.compile(pattern), handlers)
    for pattern, handlers in (
        ("job", {"POST": _resources.create_job}),
        (f"job/{_ID}", {"GET": _resources.get_job, "POST": _resources.update_job}),
        (f"job/{_ID}/batch", {"GET": _resources.list_batches, "POST": _resources.add_batch}),
        (f"job/{_ID}/batch/{_ID}", {"GET": _resources.get_batch}),
        (f"job/{_ID}/batch/{_ID}/request", {"GET": _resources.get_request}),
        (f"job/{_ID}/batch/{_ID}/result", {"GET": _resources.get_result}),
        (f"job/{_ID}/batch/{_ID}/result/{_ID}", {"GET": _resources.get_query_result}),
    )
)


class Async:
    """Everything below ``/services/async``."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def resource(self, request: Request) -> Response:
        session = self._session(request)
        try:
            if session is None:
                raise AsyncError(INVALID_SESSION_ID, "Invalid session id")
            if not self._runtime.usage.count():
                raise AsyncError(EXCEEDED_QUOTA, "TotalRequests Limit exceeded.")
            check_password(self._runtime, session)
            content = await _body(request)
            answer = await run_in_threadpool(self._answer, request, session, content)
        except AsyncError as error:
            answer = error_answer(error, json=wants_json(request.headers))
        except OrgError as error:
            answer = translated(error, json=wants_json(request.headers))
        return render(request, answer)

    def _session(self, request: Request) -> Session | None:
        """https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-set-session-header.html"""
        token = request.headers.get("x-sfdc-session")
        if token is None:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() not in ("bearer", "oauth"):
                return None
        return self._runtime.tokens.check(token.strip())

    def _answer(self, request: Request, session: Session, content: bytes) -> Answer:
        path = request.path_params["path"]
        version, _, rest = path.partition("/")
        call = Call(
            version=_version(version),
            headers=dict(request.headers),
            content=content,
            user_id=session.user_id,
        )
        try:
            return self._dispatch(call, request.method, rest.rstrip("/"))
        except AsyncError as error:
            return error_answer(error, json=call.json)
        except Exception:
            _LOG.exception("The local org failed on %s %s", request.method, request.url.path)
            message = "An unexpected error occurred (the log of sfconnector.testing tells more)"
            return error_answer(AsyncError(UNKNOWN, message, 500), json=call.json)

    def _dispatch(self, call: Call, method: str, path: str) -> Answer:
        for pattern, handlers in _ROUTES:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            handler = handlers.get("GET" if method == "HEAD" else method)
            if handler is None:
                raise AsyncError(INVALID_OPERATION, method_not_allowed(method, handlers).message, 405)
            return handler(self._runtime, call, *match.groups())
        if path == "AsyncApi.xsd" or path.endswith("/spec"):
            raise AsyncError(UNKNOWN, f"The local org does not support {path.rpartition('/')[2]}.", 501)
        raise AsyncError(INVALID_URL, f"Unknown resource: {path}")


async def _body(request: Request) -> bytes:
    """Read the body, compressed by gzip or not at all.

    https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-concepts-limits.html

    Raises:
        AsyncError: ``ClientInputError``.
    """
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip"):
        raise AsyncError(CLIENT_INPUT, f"The only valid compression is gzip, and not {coding}")
    content = bytearray()
    try:
        async for piece in body_pieces(request):
            content += piece
            if len(content) > _LARGEST_BODY:
                raise AsyncError(CLIENT_INPUT, f"Failed to read request. Exceeded max size limit of {_LARGEST_BODY}")
    except OrgError as error:
        raise AsyncError(CLIENT_INPUT, error.message) from error
    return bytes(content)


def _version(text: str) -> str:
    """The version of the path, which has no ``v`` here.

    Raises:
        AsyncError: ``InvalidVersion`` for one that is retired, ``InvalidUrl`` for one that never was.
    """
    if not _VERSION.fullmatch(text) or float(text) > LATEST:
        raise AsyncError(INVALID_URL, f"unknown version: {text}")
    if float(text) < OLDEST:
        raise AsyncError(INVALID_VERSION, f"API version {text} is retired; the oldest one still served is {OLDEST}.0")
    return text
