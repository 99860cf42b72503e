"""What the token endpoint, or SOAP's login, says, and what to do about it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sfconnector._answers import details, headline, redirection
from sfconnector._json import loads
from sfconnector._urls import origin_of
from sfconnector.errors import AuthenticationError

if TYPE_CHECKING:
    import requests

# By what the error or its description contains; the first that fits.
# https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flow_errors.htm
_HINTS: Final = (
    ("not supported on this domain", "use the org's My Domain URL as the login URL"),
    (
        "invalid_client_id",
        "check the consumer key, and that the app is in this org; a new app takes minutes to be known",
    ),
    ("invalid_client", "check the consumer key and secret"),
    ("hasn't approved", "let an administrator pre-authorize the app for the user's profile or permission set"),
    ("not admin approved", "let an administrator pre-authorize the app for the user's profile or permission set"),
    ("audience", "set audience= to https://login.salesforce.com, or https://test.salesforce.com for a sandbox"),
    ("invalid assertion", "check that the key belongs to the app's certificate, and the clock of this machine"),
    ("expired access/refresh token", "the refresh token is revoked, expired or used up: authorize the app anew"),
    ("inactive user", "activate the user in Setup, or use another"),
    ("no client credentials user", "give the app a Run As user in its client credentials flow settings"),
    (
        "authentication failure",
        "check user name, password and security token, and that Setup allows the username-password flow",
    ),
    ("unsupported_grant_type", "enable this flow in the app's OAuth settings"),
    ("rate limit", "too many logins: keep one client instead of making many"),
)

# No newer version has the call.
# https://developer.salesforce.com/docs/platform/api/guide/api-eol-soap.html
SOAP_PATH: Final = "/services/Soap/u/64.0"
# Written here, so that logging in needs no zeep; and the WSDL of an org may lack the call.
_ENVELOPE: Final = """<?xml version="1.0" encoding="UTF-8"?>
<soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/"><soap-env:Body
><login xmlns="urn:partner.soap.sforce.com"><username>{}</username><password>{}</password></login
></soap-env:Body></soap-env:Envelope>"""
_SOAP_HINTS: Final = {
    "INVALID_LOGIN": "check user name, password and security token, and that the URL is that of the user's org",
    "INVALID_OPERATION": "SOAP API's login() is switched off in this org, or retired: use another way to log in",
    "LOGIN_MUST_USE_SECURITY_TOKEN": "give the user's security_token, or log in from a trusted network",
    "PASSWORD_LOCKOUT": "the user is locked out after too many wrong passwords",
    "UNSUPPORTED_API_VERSION": "SOAP API's login() is retired: use another way to log in",
}


def login_envelope(username: str, password: str) -> bytes:
    """Write the call ``login`` of SOAP API."""
    from html import escape

    return _ENVELOPE.format(escape(username, quote=False), escape(password, quote=False)).encode()


def read_login_answer(response: "requests.Response", flow: str) -> Mapping[str, Any]:
    """Read the answer to SOAP's ``login`` in the terms of a token endpoint.

    Raises:
        AuthenticationError: The login was refused, or this is not an answer of SOAP API.
    """
    from sfconnector_generated import _xml
    from sfconnector_generated.errors import ParseError

    try:
        result = _xml.decode(response.content)["Body"]["loginResponse"]["result"]
        found = {"access_token": result["sessionId"], "instance_url": origin_of(str(result["serverUrl"] or ""))}
    except (ParseError, KeyError, TypeError):
        raise _refused(response, flow) from None
    if result.get("passwordExpired") == "true":
        raise AuthenticationError(flow, "the password has expired", status=response.status_code, hint="set a new one")
    return found


def _refused(response: "requests.Response", flow: str) -> AuthenticationError:
    status, errors = response.status_code, details(response)
    if errors and errors[0].code:
        code, message = errors[0].code, errors[0].message.removeprefix(f"{errors[0].code}: ")
        return AuthenticationError(flow, message, error=code, status=status, hint=_SOAP_HINTS.get(code, ""))
    shown = headline(response) or response.reason or ""
    hint = redirection(response) or "check that it is the URL of a Salesforce org or of login.salesforce.com"
    return AuthenticationError(flow, f"the login URL answered {status} {shown}".rstrip(), status=status, hint=hint)


def read_token_answer(response: "requests.Response", flow: str) -> Mapping[str, Any]:
    """Read the answer of a token endpoint.

    Raises:
        AuthenticationError: The login was refused, or this is not the answer of a token endpoint.
    """
    try:
        answer = loads(response.content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        answer = {}
    status = response.status_code
    if status == 200 and "access_token" in answer:
        return answer
    error, description = str(answer.get("error", "")), str(answer.get("error_description", ""))
    hint = next((hint for words, hint in _HINTS if words in f"{error} {description}".lower()), "")
    if not error:
        shown = headline(response) or response.reason or ""
        description = f"the login URL answered {status} {shown}".rstrip()
        hint = redirection(response) or "check that it is the URL of a Salesforce org or of login.salesforce.com"
        if status == 429 or status >= 500:
            hint = "Salesforce, or something on the way to it, is in trouble: see https://status.salesforce.com"
    raise AuthenticationError(flow, description, error=error, status=status, hint=hint)
