"""The one session of a client: every request of every API goes through here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import super_len
from sfconnector_generated import API_VERSION
from sfconnector_generated.client import Request
from sfconnector_generated.types import UNSET

from sfconnector import _hooks, _json
from sfconnector._answers import details, headline, media_type, refusal
from sfconnector._hooks import Hooks
from sfconnector._login import read_token_answer
from sfconnector._redact import logger
from sfconnector._retry import Outcome, Retry, retry_after
from sfconnector._signing import Signer, rewind
from sfconnector._transport import NO_COOKIES, Proxies, Timeout, open_http, read_body, translated
from sfconnector._urls import instance_url, origin_of, short_path, target_on
from sfconnector._version import __version__
from sfconnector.errors import Failure, InvalidResponseError, TransportError

if TYPE_CHECKING:
    from sfconnector._events import RequestEvent
    from sfconnector._usage import Usage
    from sfconnector.auth import Auth

T = TypeVar("T")
Seconds: TypeAlias = float | tuple[float, float] | Timeout | None
Scalar: TypeAlias = str | int | float | bool | None
Params: TypeAlias = Mapping[str, Scalar] | Sequence[tuple[str, Scalar]] | None
Body: TypeAlias = bytes | IO[bytes] | Iterable[bytes] | None

_CONNECTIONS: Final = 10
_JSON: Final = "application/json"
_APEX: Final = "/services/apexrest/"
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
# RFC 9110 section 5.1.
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# Printable ASCII; a comma would begin another option of Sforce-Call-Options.
_CLIENT_NAME: Final = re.compile(r"(?=.*[!-~])[ -+\--~]+")
_CONDITIONS: Final = ("If-Modified-Since", "If-None-Match")
# An answer remembers this of the attempts before it.
_MAY_BE_DONE: Final = "_sfconnector_may_be_done"
_CLOSING: Final = {b"{": b"}", b"[": b"]", b'"': b'"'}


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
        self._retry = _of_type("retry", Retry() if retry is None else retry, Retry)
        self._hooks = _of_type("hooks", Hooks() if hooks is None else hooks, Hooks)
        self._signer = Signer(auth, self._post_form, self._hooks, self._retry.clock, self._timeout.total)
        self._headers = _base_headers(client_name)
        self._limit_info = ""
        self._closed, self._process = False, os.getpid()
        self._owned = http is None
        self._proxies = Proxies(proxies)
        if http is None:
            self.http = open_http(verify, cert, _check_count("max_connections", max_connections))
            self.http.auth = self._signer
        elif (proxies, verify, cert, max_connections) != (None, True, None, _CONNECTIONS):
            raise ValueError("give proxies, verify, cert and max_connections to the session that you pass as http")
        else:
            self.http = _of_type("http", http, requests.Session)

    @property
    def instance_url(self) -> str:
        """Scheme and host of the org's API; the first use logs in."""
        self._check_open()
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
        self._check_open()
        instance = self._signer.token().instance_url
        target = target_on(instance, request.target(self.api_version))
        merged = self._merge(request.headers, headers, "*/*" if stream else _JSON)
        body = request.content
        if request.json is not UNSET:
            merged["Content-Type"] = _JSON
            body = _json.dumps(request.json)
        prepared = self._signer(_prepare(request.method, instance + target, merged, body))
        path = short_path(target)
        return self._exchange(
            _Call(request.operation, prepared, path, request.idempotent, Timeout.of(timeout, self._timeout), stream)
        )

    def check(self, response: requests.Response) -> None:
        """Raise unless the answer is a success, or "not modified" where the request asked for just that.

        Raises:
            ApiError: It is neither.
        """
        status = response.status_code
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
        """Send any request to the org: authorised, repeated where that is safe, and checked.

        Args:
            method: The HTTP method.
            path: From ``/services/`` on, percent-encoded; or a full URL on the instance, as answers hold them.
            params: The query.
            json: A value to send as JSON.
            data: A body to send as it is instead; name its type in ``headers``.
            headers: Headers of this request.
            stream: Leave the body unread; close the answer when done with it.
            timeout: Seconds instead of the session's own.
            idempotent: Whether sending it twice does no more than sending it once; by default true for GET,
                HEAD, OPTIONS and DELETE.

        Raises:
            ValueError: The path leads off the instance, or cannot be sent as it is.
            ApiError: The answer is no success.
            TransportError: No answer came.
        """
        if json is not None and data is not None:
            raise ValueError("give json or data, not both")
        method = _check_method(method)
        _of_type("path", path, str)
        query = _query(params)
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

    def close(self) -> None:
        """Close the connections; the session at Salesforce stays, since others may share it."""
        self._closed = True
        if self._owned:
            self.http.close()

    def __getstate__(self) -> NoReturn:
        raise TypeError("a session holds connections and locks: make one in each process")

    def _check_open(self) -> None:
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
            for name, value in _of_type("headers", given, Mapping).items():
                _check_header(name, value)
                if name.lower() in {"authorization", "x-sfdc-session", "cookie", "host"}:
                    raise ValueError(f"{name} is the session's own header")
                merged[name] = value
        return merged

    def _post_form(self, url: str, form: Mapping[str, str], *, flow: str, repeatable: bool = True) -> Mapping[str, Any]:
        instance_url(origin_of(url), "the token endpoint")
        headers = self._merge({"Content-Type": "application/x-www-form-urlencoded"}, None, _JSON)
        prepared = _prepare("POST", url, headers, urlencode(form).encode())
        response = self._exchange(_Call("login", prepared, short_path(url), repeatable, self._timeout))
        return read_token_answer(response, flow)

    def _exchange(self, call: _Call) -> requests.Response:
        """Attempt a request until there is an answer to return or a failure to raise."""
        started, number, doubtful = self._retry.clock(), 1, False
        while True:
            failed = None
            try:
                response = self._attempt(call, number)
            except TransportError as error:
                if error.path != call.path:
                    # A login in the middle of it has had attempts of its own.
                    raise
                failed, outcome = error, Outcome(error.failure)
            else:
                setattr(response, _MAY_BE_DONE, doubtful)
                if (judged := _outcome(call, response)) is None:
                    return response
                outcome = judged
            elapsed = self._retry.clock() - started
            decision = self._retry.decide(outcome, attempt=number, elapsed=elapsed, idempotent=call.idempotent)
            if decision.delay is None or not rewind(call.request):
                logger.info("%s %s: attempt %d, giving up: %s", call.method, call.path, number, decision.reason)
                if failed is not None:
                    raise failed
                return response
            self._announce(call, number, decision.reason, decision.delay)
            self._retry.sleep(decision.delay)
            self._check_open()
            doubtful = doubtful or (failed.sent if failed is not None else outcome.status >= 500 or outcome.status == 0)
            number += 1

    def _announce(self, call: _Call, number: int, reason: str, delay: float) -> None:
        logger.info("%s %s: attempt %d: %s; again in %.2f s", call.method, call.path, number, reason, delay)
        if self._hooks.on_retry is not None:
            from sfconnector._events import RetryEvent

            _hooks.call(self._hooks.on_retry, RetryEvent(call.attempt(number), reason, delay))

    def _attempt(self, call: _Call, number: int) -> requests.Response:
        hooks, clock, timeout = self._hooks, self._retry.clock, call.timeout
        if hooks.on_request is not None:
            _hooks.call(hooks.on_request, call.attempt(number))
        begun = clock()
        with translated(call.method, call.path):
            response = self.http.send(
                call.request,
                stream=True,
                timeout=(timeout.connect, timeout.read),
                allow_redirects=False,
                **self._settings(call.request.url or ""),
            )
            if not call.stream or response.status_code >= 300:
                read_body(response, begun + timeout.total, clock)
        self._limit_info = response.headers.get("Sforce-Limit-Info", self._limit_info)
        elapsed = clock() - begun
        logger.debug("%s %s: %d in %.3f s", call.method, call.path, response.status_code, elapsed)
        if hooks.on_response is not None:
            from sfconnector._events import ResponseEvent

            request_id = response.headers.get("X-SFDC-Request-Id")
            event = ResponseEvent(call.attempt(number), response.status_code, elapsed, request_id)
            _hooks.call(hooks.on_response, event)
        return response

    def _settings(self, url: str) -> Mapping[str, Any]:
        if self._owned:
            return {"proxies": self._proxies.of(origin_of(url))}
        settings = self.http.merge_environment_settings(url, {}, None, None, None)
        return {name: settings[name] for name in ("proxies", "verify", "cert")}


def may_be_done(response: requests.Response) -> bool:
    """Tell whether an earlier attempt at the request may have been carried out, its answer lost."""
    return getattr(response, _MAY_BE_DONE, False)


def _outcome(call: _Call, response: requests.Response) -> Outcome | None:
    """Say what there is to judge about an answer; nothing where it is a sound success."""
    status, apex = response.status_code, call.path.startswith(_APEX)
    if status < 300:
        garbled = not call.stream and not apex and _is_garbled(response)
        return Outcome(Failure.GARBLED) if garbled else None
    # What Apex REST answers is written by the org's own code, so its codes prove nothing.
    return Outcome(None, status, () if apex else details(response), retry_after(response.headers))


def _is_garbled(response: requests.Response) -> bool:
    """Tell whether JSON was asked for and something else, or only the beginning of it, came."""
    body = response.content
    if not body or response.request.headers.get("Accept") != _JSON:
        return False
    kind = media_type(response)
    closing = _CLOSING.get(body.lstrip()[:1], b"")
    return kind == "text/html" or (kind == _JSON and not body[-8:].rstrip().endswith(closing))


def _prepare(method: str, url: str, headers: CaseInsensitiveDict[str | bytes], body: Body) -> requests.PreparedRequest:
    # By hand: the URL is already encoded, and requests would look for cookies, .netrc and a login in the URL.
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url, prepared.headers, prepared.body = method, url, headers, body
    prepared._cookies = NO_COOKIES
    if body is None:
        return prepared
    _check_body(body)
    length = super_len(body)
    if hasattr(body, "tell"):
        try:
            prepared._body_position = body.tell()
        except OSError:
            length = 0
    # Of a length that is not known the body goes out in chunks.
    if length or isinstance(body, bytes):
        headers["Content-Length"] = str(length)
    return prepared


def _check_body(body: object) -> None:
    if isinstance(body, str | Mapping) or not hasattr(body, "__iter__"):
        raise TypeError(f"a body is bytes, a binary file or an iterable of bytes, not a {type(body).__name__}")


def _base_headers(client_name: object) -> dict[str, str]:
    agent = f"sfconnector/{__version__}"
    headers = {"User-Agent": agent, "Accept-Encoding": "gzip"}
    if client_name is not None:
        if not isinstance(client_name, str) or _CLIENT_NAME.fullmatch(client_name) is None:
            raise ValueError(f"client_name {client_name!r} is blank, or has characters that a header cannot carry")
        headers["User-Agent"] = f"{client_name} {agent}"
        headers["Sforce-Call-Options"] = f"client={client_name}"
    return headers


def _check_header(name: object, value: object) -> None:
    if not isinstance(name, str) or _HEADER_NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no name of a header")
    if not isinstance(value, str) or not value.isprintable() or not value.isascii():
        raise ValueError(f"the header {name!r} holds what HTTP cannot carry: printable ASCII is needed")


def _check_auth(auth: object) -> None:
    if isinstance(auth, type) or not callable(getattr(auth, "login", None)):
        raise TypeError(f"auth is a way to log in, such as auth.ClientCredentials(…), not a {type(auth).__name__}")


def _check_method(method: object) -> str:
    if not isinstance(method, str) or not method.isascii() or not method.isalpha():
        raise ValueError(f"{method!r} is no HTTP method")
    return method.upper()


def _check_count(name: str, value: object) -> int:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} is a whole number above 0, not {value!r}")
    return value


def _of_type(name: str, value: T, kind: type) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"{name} is a {kind.__name__}, not a {type(value).__name__}")
    return value


def check_version(version: object) -> str:
    """Refuse what cannot be a version of the API."""
    if not isinstance(version, str) or re.fullmatch(r"[1-9]\d\.\d", version, re.ASCII) is None:
        raise ValueError(f'api_version {version!r} is not of the form "{API_VERSION}"')
    return version


def _query(params: Params) -> str:
    pairs = params.items() if isinstance(params, Mapping) else params or ()
    texts = []
    for name, value in pairs:
        if not isinstance(value, Scalar):
            raise TypeError(f"params: {name} is a {type(value).__name__}, and a query holds texts and numbers only")
        if value is not None:
            texts.append((name, str(value).lower() if isinstance(value, bool) else str(value)))
    return urlencode(texts, quote_via=quote)
