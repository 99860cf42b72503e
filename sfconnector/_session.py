"""The one session of a client: every request of every API goes through here."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, Protocol, TypeAlias
from urllib.parse import urlencode

import requests
from requests.structures import CaseInsensitiveDict
from sfconnector_generated import API_VERSION
from sfconnector_generated.client import Request
from sfconnector_generated.types import UNSET

from sfconnector import _hooks, _json
from sfconnector._answers import details, headline, media_type, refusal, status_of
from sfconnector._hooks import Hooks
from sfconnector._login import read_login_answer, read_token_answer
from sfconnector._prepare import (
    Body,
    Params,
    base_headers,
    check_count,
    check_header,
    check_method,
    check_version,
    of_type,
    prepare,
    query_string,
)
from sfconnector._redact import logger
from sfconnector._retry import Outcome, Retry, retry_after
from sfconnector._signing import Signer, rewind
from sfconnector._transport import Proxies, Timeout, open_http, read_body, translated
from sfconnector._urls import instance_url, origin_of, short_path, target_on
from sfconnector.errors import Failure, InvalidResponseError, SalesforceError, TransportError

if TYPE_CHECKING:
    from sfconnector._events import RequestEvent
    from sfconnector._usage import Usage
    from sfconnector.auth import Auth, Token

Seconds: TypeAlias = float | tuple[float, float] | Timeout | None

_CONNECTIONS: Final = 10
_JSON: Final = "application/json"
_SOAP_HEADERS: Final = {"Accept": "text/xml", "Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}
_APEX: Final = "/services/apexrest/"
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_CONDITIONS: Final = ("If-Modified-Since", "If-None-Match")
# An answer remembers this of the attempts before it.
_MAY_BE_DONE: Final = "_sfconnector_may_be_done"
_CLOSING: Final = {b"{": b"}", b"[": b"]", b'"': b'"'}


class Dependent(Protocol):
    """What uses a session from threads of its own."""

    def close(self) -> object:
        """Come to rest."""


class _Call(NamedTuple):
    """What stays the same over the attempts of one request."""

    operation: str
    request: requests.PreparedRequest
    path: str
    idempotent: bool
    timeout: Timeout
    stream: bool = False

    @property
    def method(self) -> str:
        return self.request.method or ""

    def attempt(self, number: int) -> RequestEvent:
        from sfconnector._events import RequestEvent

        return RequestEvent(self.operation, self.method, self.path, number)


class Session:
    """Sends requests to one org: authorised, repeated where that is safe, with errors of ours and no others.

    Safe for use by many threads. It holds connections and locks, so it can neither be pickled nor used on
    both sides of a fork: make one in each process.

    Args:
        auth: How to log in, see :mod:`sfconnector.auth`.
        **: As for :class:`sfconnector.Salesforce`.

    Raises:
        ValueError, TypeError: An argument cannot be right; the text tells which.
    """

    def __init__(
        self,
        auth: Auth,
        *,
        api_version: str = API_VERSION,
        timeout: Seconds = None,
        retry: Retry | None = None,
        hooks: Hooks | None = None,
        proxies: Mapping[str, str] | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        max_connections: int = _CONNECTIONS,
        client_name: str | None = None,
        http: requests.Session | None = None,
    ) -> None:
        _check_auth(auth)
        self.api_version = check_version(api_version)
        self._timeout = Timeout.of(timeout, Timeout())
        self.retry = of_type("retry", Retry() if retry is None else retry, Retry)
        self._hooks = of_type("hooks", Hooks() if hooks is None else hooks, Hooks)
        self._signer = Signer(auth, self._post_form, self._hooks, self.retry.clock, self._timeout.total)
        self._headers = base_headers(client_name)
        self._limit_info = ""
        self._dated: tuple[str | None, float] = (None, 0.0)
        self._dependents: weakref.WeakSet[Dependent] = weakref.WeakSet()
        self._closed, self._process = False, os.getpid()
        self._owned = http is None
        self._proxies = Proxies(proxies)
        if http is None:
            self.http = open_http(verify, cert, check_count("max_connections", max_connections))
            self.http.auth = self._signer
        elif (proxies, verify, cert, max_connections) != (None, True, None, _CONNECTIONS):
            raise ValueError("give proxies, verify, cert and max_connections to the session that you pass as http")
        else:
            self.http = of_type("http", http, requests.Session)

    @property
    def instance_url(self) -> str:
        """Scheme and host of the org's API; the first use logs in."""
        self.check_open()
        return self._signer.token().instance_url

    @property
    def usage(self) -> Usage | None:
        """The org's API usage as of the latest answer that told it."""
        from sfconnector._usage import Usage

        return Usage.parse(self._limit_info)

    def send(
        self,
        request: Request,
        *,
        stream: bool = False,
        timeout: Seconds = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request and return whatever answer came, its body read unless it is streamed.

        Args:
            request: What an operation's ``build()`` made.
            stream: Leave the body of a success unread.
            timeout: Seconds instead of the session's own.
            headers: Headers on top of the request's own.

        Raises:
            AuthenticationError: The login was refused.
            SessionExpiredError: The session is over, and there is no other, or no second try.
            TransportError: No answer came.
        """
        self.check_open()
        instance = self._signer.token().instance_url
        target = target_on(instance, request.target(self.api_version))
        merged = self._merge(request.headers, headers, "*/*" if stream else _JSON)
        body = request.content
        if request.json is not UNSET:
            merged["Content-Type"] = _JSON
            body = _json.dumps(request.json)
        prepared = self._signer(prepare(request.method, instance + target, merged, body))
        path = short_path(target)
        return self._exchange(
            _Call(request.operation, prepared, path, request.idempotent, Timeout.of(timeout, self._timeout), stream)
        )

    def head_size(self, request: Request) -> int:
        """Give the bytes that the URL and the headers of a request have, but for what is put on top on the way."""
        token = self._signer.token()
        headers = self._merge(request.headers, None, _JSON)
        texts = [token.instance_url, token.access_token, request.target(self.api_version)]
        return sum(map(len, texts)) + sum(len(name) + len(value) + 4 for name, value in headers.items())

    def check(self, response: requests.Response) -> None:
        """Raise unless the answer is a success, or "not modified" where the request asked for just that.

        Raises:
            ApiError: It is neither.
        """
        status = status_of(response)
        if 200 <= status < 300:
            return
        if status == 304 and any(name in response.request.headers for name in _CONDITIONS):
            return
        raise refusal(response)

    def decode(self, response: requests.Response) -> Any:
        """Read the JSON of an answer; ``None`` where there is no body.

        Raises:
            InvalidResponseError: It is not JSON.
        """
        if not response.content:
            return None
        try:
            return _json.loads(response.content)
        except ValueError:
            kind, page = media_type(response) or "unnamed type", headline(response)
            what = f"{len(response.content)} bytes of {kind}" + (f", which read: {page}" if page else "")
            hint = "a proxy or a login page may have answered in place of the API" if page else ""
            raise InvalidResponseError(response, f"JSON was expected, and there came {what}", hint=hint) from None

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Params = None,
        json: Any = None,
        data: Body = None,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
        timeout: Seconds = None,
        idempotent: bool | None = None,
    ) -> requests.Response:
        """Send any request to the org, as told at :meth:`sfconnector.Salesforce.request`."""
        if json is not None and data is not None:
            raise ValueError("give json or data, not both")
        _json.check_numbers(json)
        method = check_method(method)
        of_type("path", path, str)
        query = query_string(params)
        request = Request(
            operation="request",
            method=method,
            server="",
            path=path + ("&" if "?" in path else "?") * bool(query) + query,
            headers=headers or {},
            json=UNSET if json is None else json,
            content=data,
            idempotent=method in _IDEMPOTENT if idempotent is None else idempotent,
        )
        response = self.send(request, stream=stream, timeout=timeout)
        self.check(response)
        return response

    def token(self) -> Token:
        """Give the current token, logging in if there is none yet."""
        self.check_open()
        return self._signer.token()

    def renew(self, rejected: Token) -> Token:
        """Give a token that is not the rejected one, logging in unless another thread has done so.

        Raises:
            AuthenticationError: There is none but rejected ones.
        """
        self.check_open()
        return self._signer.replace(rejected)

    @property
    def hooks(self) -> Hooks:
        """Whom to tell of requests, answers, retries and logins."""
        return self._hooks

    @property
    def timeout(self) -> Timeout:
        """How long to wait for what, where a call does not say."""
        return self._timeout

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of every request, but for those of the login."""
        return self._headers

    @property
    def clock_ahead(self) -> float | None:
        """Seconds by which the server's clock was ahead of this machine's, cut to whole ones; ``None`` if not known."""
        from email.utils import parsedate_to_datetime

        date, at = self._dated
        try:
            return parsedate_to_datetime(date).timestamp() - at if date else None
        except (ValueError, OverflowError):
            return None

    def close_first(self, dependent: Dependent) -> None:
        """Close something when this session is closed, before its connections are."""
        self._dependents.add(dependent)

    def close(self) -> None:
        """Close the connections; the session at Salesforce stays, since others may share it."""
        if os.getpid() == self._process:
            for dependent in [*self._dependents]:
                dependent.close()
        self._closed = True
        if self._owned:
            self.http.close()

    def __getstate__(self) -> NoReturn:
        raise TypeError("a session holds connections and locks: make one in each process")

    def check_open(self) -> None:
        """Refuse to go on after the end, or on the other side of a fork."""
        if self._closed:
            raise RuntimeError("the client is closed: make a new one")
        if os.getpid() != self._process:
            # Two processes on one connection would read each other's answers.
            raise RuntimeError("the client was made before a fork: make one in each process")

    def _merge(
        self, own: Mapping[str, str], extra: Mapping[str, str] | None, accept: str
    ) -> CaseInsensitiveDict[str | bytes]:
        merged: CaseInsensitiveDict[str | bytes] = CaseInsensitiveDict(self._headers)
        merged["Accept"] = accept
        for given in (own, extra or {}):
            for name, value in of_type("headers", given, Mapping).items():
                check_header(name, value)
                if name.lower() in {"authorization", "x-sfdc-session", "cookie", "host"}:
                    raise ValueError(f"{name} is the session's own header")
                merged[name] = value
        return merged

    def _post_form(
        self, url: str, form: Mapping[str, str] | bytes, *, flow: str, repeatable: bool = True
    ) -> Mapping[str, Any]:
        instance_url(origin_of(url), "the token endpoint")
        soap = isinstance(form, bytes)
        own = _SOAP_HEADERS if soap else {"Content-Type": "application/x-www-form-urlencoded"}
        headers = self._merge(own, None, _JSON)
        prepared = prepare("POST", url, headers, form if isinstance(form, bytes) else urlencode(form).encode())
        response = self._exchange(_Call("login", prepared, short_path(url), repeatable, self._timeout))
        return (read_login_answer if soap else read_token_answer)(response, flow)

    def _exchange(self, call: _Call) -> requests.Response:
        """Attempt a request until there is an answer to return or a failure to raise."""
        started, number, doubtful = self.retry.clock(), 1, False
        while True:
            failed = None
            try:
                response = self._attempt(call, number)
            except SalesforceError as error:
                setattr(error, _MAY_BE_DONE, doubtful)
                if not isinstance(error, TransportError) or error.path != call.path:
                    # A login in the middle of it has had attempts of its own.
                    raise
                failed, outcome = error, Outcome(error.failure)
            else:
                setattr(response, _MAY_BE_DONE, doubtful)
                if (judged := _outcome(call, response)) is None:
                    return response
                outcome = judged
            elapsed = self.retry.clock() - started
            decision = self.retry.decide(outcome, attempt=number, elapsed=elapsed, idempotent=call.idempotent)
            if decision.delay is None or not rewind(call.request):
                logger.info("%s %s: attempt %d, giving up: %s", call.method, call.path, number, decision.reason)
                if failed is not None:
                    raise failed
                return response
            if not self.pause(call.attempt(number), decision.reason, decision.delay):
                if failed is not None:
                    raise failed
                return response
            self.check_open()
            doubtful = doubtful or (failed.sent if failed is not None else outcome.status >= 500 or outcome.status == 0)
            number += 1

    def pause(self, request: RequestEvent, reason: str, delay: float) -> bool:
        """Tell logs and hooks that a request is about to be repeated, and wait until then.

        Returns:
            Whether it may be repeated; it may not where somebody has stopped the work meanwhile.
        """
        logger.info(
            "%s %s: attempt %d: %s; again in %.2f s", request.method, request.path, request.attempt, reason, delay
        )
        if self._hooks.on_retry is not None:
            from sfconnector._events import RetryEvent

            _hooks.call(self._hooks.on_retry, RetryEvent(request, reason, delay))
        return self.retry.wait(delay)

    def _attempt(self, call: _Call, number: int) -> requests.Response:
        hooks, clock, timeout = self._hooks, self.retry.clock, call.timeout
        if hooks.on_request is not None:
            _hooks.call(hooks.on_request, call.attempt(number))
        begun = clock()
        with translated(call.method, call.path):
            response = self.http.send(
                call.request,
                stream=True,
                timeout=(timeout.connect, timeout.read),
                allow_redirects=False,
                **self.settings(call.request.url or ""),
            )
            if not call.stream or response.status_code >= 300:
                read_body(response, begun + timeout.total, clock)
        self._limit_info = response.headers.get("Sforce-Limit-Info", self._limit_info)
        self._dated = (response.headers.get("Date"), time.time())
        elapsed = clock() - begun
        logger.debug("%s %s: %d in %.3f s", call.method, call.path, response.status_code, elapsed)
        if hooks.on_response is not None:
            from sfconnector._events import ResponseEvent

            request_id = response.headers.get("X-SFDC-Request-Id")
            event = ResponseEvent(call.attempt(number), response.status_code, elapsed, request_id)
            _hooks.call(hooks.on_response, event)
        return response

    def settings(self, url: str) -> Mapping[str, Any]:
        """Give the proxies for a URL and, of a session that is the caller's own, its certificates too."""
        if self._owned:
            return {"proxies": self._proxies.of(origin_of(url))}
        settings = self.http.merge_environment_settings(url, {}, None, None, None)
        return {name: settings[name] for name in ("proxies", "verify", "cert")}


def may_be_done(outcome: requests.Response | SalesforceError) -> bool:
    """Tell whether an earlier attempt at the request may have been carried out, its answer lost."""
    return getattr(outcome, _MAY_BE_DONE, False)


def _outcome(call: _Call, response: requests.Response) -> Outcome | None:
    """Say what there is to judge about an answer; nothing where it is a sound success."""
    status, apex = status_of(response), call.path.startswith(_APEX)
    if status < 300:
        garbled = not call.stream and not apex and _is_garbled(response)
        return Outcome(Failure.GARBLED) if garbled else None
    # What Apex REST answers is written by the org's own code, so its codes prove nothing; and of several runs of an
    # action one may have failed and others not.
    unproven = apex or b'"isSuccess"' in response.content
    return Outcome(None, status, () if unproven else details(response), retry_after(response.headers))


def _is_garbled(response: requests.Response) -> bool:
    """Tell whether JSON was asked for and something else, or only the beginning of it, came."""
    body = response.content
    if not body or response.request.headers.get("Accept") != _JSON:
        return False
    kind = media_type(response)
    closing = _CLOSING.get(body.lstrip()[:1], b"")
    return kind == "text/html" or (kind == _JSON and not body[-8:].rstrip().endswith(closing))


def _check_auth(auth: object) -> None:
    if isinstance(auth, type) or not callable(getattr(auth, "login", None)):
        raise TypeError(f"auth is a way to log in, such as auth.ClientCredentials(…), not a {type(auth).__name__}")
