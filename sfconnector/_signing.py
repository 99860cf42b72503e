"""Signs requests, notices expired sessions, and logs in anew: once, however many threads are affected."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from copy import copy
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import requests
from requests.auth import AuthBase
from sfconnector_generated.client import SESSION_ID
from urllib3.exceptions import HTTPError

from sfconnector import _hooks
from sfconnector._answers import SOAP, refusal, status_of
from sfconnector._redact import logger
from sfconnector._transport import read_body
from sfconnector.errors import AuthenticationError

if TYPE_CHECKING:
    from sfconnector.auth import Auth, Token, TokenTransport

# With these a new token would fare no better, however many were fetched.
_HOPELESS: Final = (
    b"Connected app is not attached to Agent",
    b"This session is not valid for use with the REST API",
)
_RENEWALS: Final = 5
_BULK_1: Final = "/services/async/"
_STALE: Final = "logging in anew gave the rejected token again"
_READ_ONCE: Final = "logged in anew, but the body can be read only once: call again, with bytes or a seekable file"


class _Sign(NamedTuple):
    """How one of the APIs says that the session is over."""

    status: int
    path: str
    body: bytes


_SIGNS: Final = (
    # https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
    _Sign(401, "/", b""),
    # Bulk API 1.0, in JSON and XML alike.
    # https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/asynch_api_reference_errors.htm
    _Sign(400, _BULK_1, b"InvalidSessionId"),
    # https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
    _Sign(500, SOAP, b"INVALID_SESSION_ID"),
    # The identity service; also for userinfo.
    # https://help.salesforce.com/s/articleView?id=sf.remoteaccess_using_userinfo_endpoint.htm
    _Sign(403, "/services/oauth2/", b"Bad_OAuth_Token"),
    _Sign(403, "/id/", b"Bad_OAuth_Token"),
)
_SIGN_STATUSES: Final = frozenset(sign.status for sign in _SIGNS)


def is_expiry(response: requests.Response) -> bool:
    """Tell whether an answer means that the session is over and a new one would help."""
    path, body, status = response.request.path_url, response.content, status_of(response)
    return any(
        sign.status == status and path.startswith(sign.path) and sign.body in body for sign in _SIGNS
    ) and not any(text in body for text in _HOPELESS)


def rewind(request: requests.PreparedRequest) -> bool:
    """Bring the body back to its beginning; false where it can be read only once."""
    if request.body is None or isinstance(request.body, bytes | str):
        return True
    try:
        request.body.seek(request._body_position)  # type: ignore[union-attr]  # requests keeps it for redirections
    except (AttributeError, TypeError, OSError):
        return False
    return True


class _Stale(Exception):
    """A login gave a token that the org has rejected."""


class Signer(AuthBase):
    """The login of one client, as requests wants it.

    Args:
        auth: How to log in.
        post: What sends token requests.
        hooks: Whom to tell.
        clock: A clock that never goes backwards, in seconds.
        total: Seconds for reading an answer that may say that the session is over.
    """

    def __init__(
        self, auth: Auth, post: TokenTransport, hooks: _hooks.Hooks, clock: Callable[[], float], total: float
    ) -> None:
        self._auth, self._post, self._hooks, self._clock, self._total = auth, post, hooks, clock, total
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._failure: Exception | None = None
        self._logins = 0
        # A login may hand out a session that the org has ended; it must not come back.
        self._rejected: deque[str] = deque(maxlen=32)

    def token(self) -> Token:
        """Give the current token, logging in if there is none yet."""
        return self._token or self._login(None)[0]

    def renew(self, rejected: Token, response: requests.Response) -> tuple[Token, bool]:
        """Give a token that is not the rejected one, and tell whether this thread had to fetch it.

        Raises:
            SessionExpiredError: There is none but rejected ones.
        """
        try:
            return self._login(rejected)
        except _Stale:
            raise refusal(response, hint=getattr(self._auth, "renewal", _STALE)) from None

    def replace(self, rejected: Token) -> Token:
        """Give a token that is not the rejected one, for whoever has no answer to show that says so.

        Raises:
            AuthenticationError: There is none but rejected ones.
        """
        try:
            return self._login(rejected)[0]
        except _Stale:
            hint = getattr(self._auth, "renewal", "")
            raise AuthenticationError(type(self._auth).__name__, _STALE, hint=hint) from None

    def is_refused(self, response: requests.Response) -> bool:
        """Tell whether an answer means that the session is over, reading it where its status leaves that open."""
        if response.status_code not in _SIGN_STATUSES and not response.request.path_url.startswith(SOAP):
            return False
        read_body(response, self._clock() + self._total, self._clock)
        return is_expiry(response)

    def _login(self, rejected: Token | None) -> tuple[Token, bool]:
        logins = self._logins
        with self._lock:
            if self._token is not None and self._token is not rejected:
                return self._token, False
            if self._logins != logins and self._failure is not None:
                # Another thread has just tried in vain: trying again in each thread would lock the user out.
                raise copy(self._failure)
            started = self._clock()
            try:
                self._token, self._failure = self._fetch(rejected), None
            except Exception as error:
                self._failure = error
                raise
            finally:
                self._logins += 1
            token = self._token
        from sfconnector._events import RefreshEvent

        event = RefreshEvent(type(self._auth).__name__, rejected is None, self._clock() - started)
        logger.info("logged in with %s in %.3f s", event.flow, event.elapsed)
        _hooks.call(self._hooks.on_refresh, event)
        return token, True

    def _fetch(self, rejected: Token | None) -> Token:
        if rejected is not None:
            self._rejected.append(rejected.access_token)
        try:
            token = self._auth.login(self._post)
        except (OSError, HTTPError) as error:
            # In the middle of a request it would pass for a failure of that request, and be taken for lost.
            flow = type(self._auth).__name__
            raise AuthenticationError(flow, f"the login raised {type(error).__name__}: see its cause") from error
        if token.access_token in self._rejected:
            raise _Stale
        return token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if sign(request, token := self.token()):
            fill_in(request, token)
            request.register_hook("response", _Renewal(self, token))
        return request


class _Renewal:
    """What to do when the answer to one request says that the session is over."""

    def __init__(self, signer: Signer, token: Token) -> None:
        self._signer, self._token = signer, token
        self._left = _RENEWALS

    def __call__(self, response: requests.Response, **kwargs: Any) -> requests.Response:
        while self._left and self._signer.is_refused(response):
            request, rejected = response.request, self._token
            self._token, fetched = self._signer.renew(rejected, response)
            # What another thread has fetched may be over as well by now; what this one has is the last try.
            self._left = 0 if fetched else self._left - 1
            if not rewind(request):
                raise refusal(response, hint=_READ_ONCE)
            _replace(request, rejected, self._token)
            again = response.connection.send(request, **kwargs)
            again.history = [*response.history, response]
            response = again
        return response


def sign(request: requests.PreparedRequest, token: Token) -> bool:
    """Add the token, if the request goes to the token's org."""
    url = request.url or ""
    if not url.startswith(token.instance_url + "/"):
        return False
    if url.startswith(_BULK_1, len(token.instance_url)):
        request.headers["X-SFDC-Session"] = token.access_token
    else:
        request.headers["Authorization"] = f"Bearer {token.access_token}"
    return True


def fill_in(request: requests.PreparedRequest, token: Token) -> None:
    """Put the token into the envelope of a SOAP call, which is signed once."""
    if (request.url or "").startswith(token.instance_url + SOAP):
        _swap(request, SESSION_ID, token.access_token)


def _replace(request: requests.PreparedRequest, old: Token, new: Token) -> None:
    # An org that has moved to another host meanwhile says so in the login.
    request.url = new.instance_url + (request.url or "")[len(old.instance_url) :]
    _swap(request, old.access_token, new.access_token)
    sign(request, new)


def _swap(request: requests.PreparedRequest, old: str, new: str) -> None:
    # SOAP carries the session in the envelope, before all data, which may hold the same text.
    if isinstance(request.body, bytes) and (text := _in_xml(old)) in request.body:
        request.prepare_body(request.body.replace(text, _in_xml(new), 1), None)


def _in_xml(text: str) -> bytes:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").encode()
