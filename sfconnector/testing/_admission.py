"""Who may ask: the access token, the daily limit, and the header that tells of it.

https://developer.salesforce.com/docs/platform/api-rest/guide/headers-api-usage.html
"""

from collections.abc import Awaitable, Callable

import attrs
from starlette.requests import Request
from starlette.responses import Response

from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer, error_answer, render
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._tokens import Session


async def admit(runtime: Runtime, request: Request, answered: Callable[[Session], Awaitable[Answer]]) -> Response:
    """Answer a request that brings a good token, within the limit; ``answered`` gets its session."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    session = runtime.tokens.check(token.strip()) if scheme.lower() in ("bearer", "oauth") else None
    if session is None:
        return render(request, _refusal(request))
    if not runtime.usage.count():
        answer = error_answer(OrgError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
    else:
        try:
            _check_password(runtime, request, session)
            answer = await answered(session)
        except OrgError as error:
            answer = error_answer(error)
    headers = {"Sforce-Limit-Info": runtime.usage.header, **answer.headers}
    return render(request, attrs.evolve(answer, headers=headers))


def _check_password(runtime: Runtime, request: Request, session: Session) -> None:
    """Who logged in with an expired or a temporary password may set a new one, and nothing else.

    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_login_loginresult.htm
    https://developer.salesforce.com/docs/atlas.en-us.apexcode.meta/apexcode/apex_rest_methods.htm
    """
    path = request.url.path
    if path.endswith("/password"):
        return
    if path.startswith("/services/apexrest") and _is_expired(runtime, session):
        raise OrgError(403, "MUTUAL_AUTHENTICATION_FAILED", "The user's password has expired or is temporary.")
    check_password(runtime, session)


def check_password(runtime: Runtime, session: Session) -> None:
    """Refuse who logged in with an expired or a temporary password.

    Raises:
        OrgError: 403 ``INVALID_OPERATION_WITH_EXPIRED_PASSWORD``.
    """
    if _is_expired(runtime, session):
        raise OrgError(
            403,
            "INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
            "The users password has expired, you must call SetPassword before attempting any other API operations",
        )


def _is_expired(runtime: Runtime, session: Session) -> bool:
    return session.by_password and runtime.passwords.is_expired(session.user_id)


def _refusal(request: Request) -> Answer:
    authorization = request.headers.get("authorization")
    if authorization and authorization.partition(" ")[0].lower() not in ("bearer", "oauth"):
        error = OrgError(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
    else:
        error = OrgError(401, "INVALID_SESSION_ID", "Session expired or invalid")
    return attrs.evolve(error_answer(error), headers={"WWW-Authenticate": "Token"})
