"""What the token endpoint says, and what to do about it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sfconnector._answers import headline, redirection
from sfconnector._json import loads
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
