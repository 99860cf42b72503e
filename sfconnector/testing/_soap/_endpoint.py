"""The way of a request below ``/services/Soap`` to its call: envelope, version, session, usage, and the answer.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_concepts_security.htm
"""

import base64
import hashlib
import logging
import re
from collections.abc import Mapping
from typing import Final
from xml.etree.ElementTree import Element

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from sfconnector.testing._admission import check_password
from sfconnector.testing._async._xml import local_name
from sfconnector.testing._context import DuplicateRuleHeader, RequestContext, change_origin
from sfconnector.testing._errors import OrgError, unsupported
from sfconnector.testing._http import Answer, body_pieces, render
from sfconnector.testing._rest import LATEST, OLDEST
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._soap import _arguments, _envelope, _leads, _merges, _records, _sessions
from sfconnector.testing._soap._calls import Call, Handler
from sfconnector.testing._soap._faults import ClientFault, SoapFault, translated
from sfconnector.testing._tokens import Session

_LOG = logging.getLogger("sfconnector.testing")
# A version, and the organization that the URLs of a login end with.
_PATH: Final = re.compile(r"([uc])/([1-9]\d?)(?:\.0)?(?:/\w*)?/?", re.ASCII)
# https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/salesforce-app-limits-platform-apicalls.html
_LARGEST_BODY: Final = 50 * 1024 * 1024
_LARGEST_LOGIN: Final = 10 * 1024
_HANDLERS: Final[Mapping[str, Handler]] = {
    "convertLead": _leads.convert,
    "create": _records.create,
    "delete": _records.delete,
    "emptyRecycleBin": _records.empty_recycle_bin,
    "getServerTimestamp": _sessions.server_timestamp,
    "getUserInfo": _sessions.user_info,
    "login": _sessions.login,
    "logout": _sessions.logout,
    "merge": _merges.merge,
    "resetPassword": _sessions.reset_password,
    "setPassword": _sessions.set_password,
    "undelete": _records.undelete,
    "update": _records.update,
    "upsert": _records.upsert,
}
# Calls that the guide knows, and this org does not.
# https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_list.htm
_UNSUPPORTED: Final = re.compile(
    r"changeOwnPassword|describe\w+|executeListView|findDuplicates(?:ByIds)?|get(?:Deleted|Updated)|invalidateSessions|"
    r"performQuickActions|process|query(?:All|More)?|render(?:Stored)?EmailTemplate|"
    r"retrieve(?:QuickActionTemplates)?|search|sendEmail(?:Message)?",
    re.ASCII,
)


class Soap:
    """Everything below ``/services/Soap/u`` and ``/services/Soap/c``."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def resource(self, request: Request) -> Response:
        flavor = _envelope.FLAVORS.get(request.path_params["path"][:1], "partner")
        try:
            content = await _body(request)
            body = await run_in_threadpool(self._answer, request, flavor, content)
            answer = Answer(body=body, media_type=_envelope.MEDIA_TYPE)
        except (ClientFault, SoapFault) as error:
            answer = _envelope.fault_answer(flavor, error)
        return render(request, answer)

    def _answer(self, request: Request, flavor: str, content: bytes) -> bytes:
        _check_api(request.path_params["path"])
        envelope = _envelope.parse(content)
        name = local_name(envelope.call)
        version = _version(request.path_params["path"])
        handler = _handler(envelope.call, name, flavor)
        if name == "login" and len(content) > _LARGEST_LOGIN:
            raise SoapFault("EXCEEDED_MAX_SIZE_REQUEST", f"The size of a login request is limited to {_LARGEST_LOGIN}")
        session = None if name == "login" else self._admitted(name, envelope.headers)
        call = Call(
            name=name,
            arguments=envelope.call,
            flavor=flavor,
            version=version,
            path=request.url.path,
            session=session,
            context=_context(session, version, envelope.headers, self._runtime),
        )
        children = list(self._run(handler, call))
        usage = self._runtime.usage
        return _envelope.result(flavor, name, children, None if session is None else usage.used, usage.maximum)

    def _run(self, handler: Handler, call: Call) -> list[str]:
        try:
            return list(handler(self._runtime, call))
        except OrgError as error:
            raise translated(error) from error
        except (ClientFault, SoapFault):
            raise
        except Exception as error:
            _LOG.exception("The local org failed on %s %s", call.name, call.path)
            message = "An unexpected error occurred (the log of sfconnector.testing tells more)"
            raise SoapFault("UNKNOWN_EXCEPTION", message) from error

    def _admitted(self, name: str, headers: Mapping[str, Element]) -> Session:
        """Find the session of a call, which counts against the daily limit.

        Who logged in with an expired or a temporary password may set a new one, and nothing else.
        """
        token = (_arguments.string(headers.get("SessionHeader"), "sessionId") or "").strip()
        session = self._runtime.tokens.check(token)
        if session is None:
            raise SoapFault("INVALID_SESSION_ID", _no_session(token))
        try:
            if not self._runtime.usage.count():
                raise OrgError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
            if name != "setPassword":
                check_password(self._runtime, session)
        except OrgError as error:
            raise translated(error) from error
        return session


def _no_session(token: str) -> str:
    """What Salesforce says of a session that has expired, or never was."""
    told = "Invalid Session ID found in SessionHeader: Illegal Session"
    if not token:
        return told
    digest = base64.b64encode(hashlib.sha256(token.encode()).digest()).decode("ascii")
    return (
        f"{told}. Session not found, missing session hash: {digest}\n"
        "This error usually occurs after a session expires or a user logs out. "
    )


async def _body(request: Request) -> bytes:
    if request.method != "POST":
        raise ClientFault("Only a POST is a SOAP request")
    content = bytearray()
    try:
        async for piece in body_pieces(request):
            content += piece
            if len(content) > _LARGEST_BODY:
                raise SoapFault("EXCEEDED_MAX_SIZE_REQUEST", f"The request has more than {_LARGEST_BODY} bytes")
    except OrgError as error:
        raise ClientFault(error.message) from error
    return bytes(content)


def _check_api(path: str) -> None:
    segment = path.partition("/")[0]
    if segment not in _envelope.FLAVORS:
        raise translated(unsupported(f"/services/Soap/{segment}"))


def _handler(call: Element, name: str, flavor: str) -> Handler:
    if call.tag == f"{{urn:{flavor}.soap.sforce.com}}{name}":
        if _UNSUPPORTED.fullmatch(name):
            raise translated(unsupported(f"the SOAP call {name}"))
        if name in _HANDLERS:
            return _HANDLERS[name]
    raise ClientFault(f"No operation available for request {_written(call)}, please check the WSDL for the service.")


def _version(path: str) -> str:
    match = _PATH.fullmatch(path)
    number = int(match[2]) if match else 0
    if not OLDEST <= number <= LATEST:
        raise SoapFault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
    return f"{number}.0"


def _written(element: Element) -> str:
    """The qualified name as Java writes it."""
    return element.tag if element.tag.startswith("{") else f"{{}}{element.tag}"


def _context(session: Session | None, version: str, headers: Mapping[str, Element], runtime: Runtime) -> RequestContext:
    """What the headers ask for.

    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/soap_headers.htm
    """
    boolean, rule = _arguments.boolean, headers.get("DuplicateRuleHeader")
    return RequestContext(
        user_id=runtime.store.admin_user_id if session is None else session.user_id,
        version=version,
        duplicate_rule=DuplicateRuleHeader(
            allow_save=boolean(rule, "allowSave"),
            include_record_details=boolean(rule, "includeRecordDetails"),
            run_as_current_user=boolean(rule, "runAsCurrentUser"),
        ),
        allow_field_truncation=boolean(headers.get("AllowFieldTruncationHeader"), "allowFieldTruncation"),
        all_or_none=boolean(headers.get("AllOrNoneHeader"), "allOrNone"),
        origin=change_origin("soap", version, _arguments.string(headers.get("CallOptions"), "client")),
    )
