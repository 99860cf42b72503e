"""The endpoint of Apex REST, ``/services/apexrest``.

https://developer.salesforce.com/docs/atlas.en-us.apexcode.meta/apexcode/apex_rest_methods.htm
"""

import logging
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from sfconnector.testing._admission import admit
from sfconnector.testing._apex import ApexFunction, ApexRequest, ApexResponse, describe_exception
from sfconnector.testing._errors import OrgError, method_not_allowed
from sfconnector.testing._http import JSON, Answer, error_answer, query_params, read_body
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._tokens import Session

_LOG = logging.getLogger("sfconnector.testing")
_ROOT = "/services/apexrest"
_HIDDEN_HEADERS = frozenset({"authorization", "cookie"})
_BINARY = "application/octet-stream"


class ApexRest:
    """Lets the test author's functions answer, each in a worker thread: it may call the org itself."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def resource(self, request: Request) -> Response:
        async def answered(session: Session) -> Answer:
            return await run_in_threadpool(self._answer, request, await read_body(request), session)

        return await admit(self._runtime, request, answered)

    def _answer(self, request: Request, content: bytes, session: Session) -> Answer:
        path = request.scope["raw_path"].decode("latin-1").removeprefix(_ROOT)
        params = query_params(request)
        method = request.method
        if method == "POST":
            method = params.get("_HttpMethod", method).upper()
        found = self._runtime.apex.find(path)
        if found is None:
            raise OrgError(404, "NOT_FOUND", "Could not find a match for URL")
        methods, segments = found
        function = methods.get(method)
        if function is None:
            raise method_not_allowed(method, methods.keys())
        asked = ApexRequest(
            method=method,
            path=path,
            segments=segments,
            params=params,
            headers={name: value for name, value in request.headers.items() if name not in _HIDDEN_HEADERS},
            body=content,
            user_id=session.user_id,
        )
        return _run(function, asked)


def _run(function: ApexFunction, request: ApexRequest) -> Answer:
    try:
        returned = function(request)
        return _answer(returned, request.method)
    except OrgError as error:
        return error_answer(error)
    except Exception as error:
        _LOG.info("The Apex class behind %s %s raised", request.method, request.path, exc_info=True)
        return error_answer(OrgError(500, "APEX_ERROR", describe_exception(function, error)))


def _answer(returned: Any, method: str) -> Answer:
    """What Apex REST makes of a return value: JSON, bytes as they are, and an empty body for nothing."""
    if not isinstance(returned, ApexResponse):
        # Only a PATCH without a return value is a 204.
        returned = ApexResponse(body=returned, status=204 if returned is None and method == "PATCH" else 200)
    headers = dict(returned.headers)
    named = next((headers.pop(name) for name in list(headers) if name.lower() == "content-type"), None)
    if returned.body is None or returned.status in (204, 304):
        return Answer(status=returned.status, headers=headers)
    if isinstance(returned.body, bytes):
        return Answer(status=returned.status, body=returned.body, headers=headers, media_type=named or _BINARY)
    if isinstance(returned.body, str) and named is not None and "json" not in named:
        return Answer(status=returned.status, body=returned.body.encode(), headers=headers, media_type=named)
    content = orjson.dumps(returned.body, option=orjson.OPT_NON_STR_KEYS)
    return Answer(status=returned.status, body=content, headers=headers, media_type=named or JSON)
