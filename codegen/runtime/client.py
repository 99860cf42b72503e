"""What an operation needs from the outside: a transport that sends its request and judges the answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import IO, Any, Final, Protocol, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

import attrs
import requests

from ._version import API_VERSION
from .types import UNSET, Response

T = TypeVar("T")

Timeout: TypeAlias = float | tuple[float, float] | None
"""Seconds for connecting and reading alike, or a pair of them; ``None`` is the transport's default."""

SESSION_ID: Final = "{session id}"
"""Stands in a SOAP envelope, once and before all data, where the transport puts the id of its session."""

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@attrs.frozen
class Request:
    """A request as a value: what every operation's ``build()`` returns and a transport sends.

    Attributes:
        operation: The operationId in the API description.
        method: The HTTP method in capitals.
        server: The path that the description's server adds, with ``{version}`` still to be filled in.
        path: The path below the server, every segment percent-encoded.
        params: The query as text, in the description's order, not yet encoded.
        headers: Headers of this request alone; the transport adds its own.
        json: The value to send as ``application/json``; ``UNSET`` sends none, ``None`` sends ``null``.
        content: A raw body; ``headers`` names its type.
        idempotent: Whether sending it twice does no more than sending it once.
    """

    operation: str
    method: str
    server: str
    path: str
    # No values of records in a repr: they sit in bodies and queries.
    params: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)
    headers: Mapping[str, str] = attrs.field(default=_NO_HEADERS, repr=False)
    json: Any = attrs.field(default=UNSET, repr=False)
    content: bytes | IO[bytes] | Iterable[bytes] | None = attrs.field(default=None, repr=False)
    idempotent: bool = False

    def target(self, version: str) -> str:
        """The path and query to ask for, percent-encoded.

        Args:
            version: The API version, for instance ``"68.0"``.
        """
        path = self.server.replace("{version}", version) + self.path
        # A comma needs no escape in a query, and escaping it would triple the separators of long field lists.
        return f"{path}?{urlencode(self.params, safe=',', quote_via=quote)}" if self.params else path


class Transport(Protocol):
    """Sends requests; authorisation, retries and the meaning of a refusal are its own affair."""

    @property
    def api_version(self) -> str:
        """The API version of every request, for instance ``"68.0"``."""

    def send(self, request: Request, *, stream: bool = False, timeout: Timeout = None) -> requests.Response:
        """Send a request and return whatever answer came.

        Args:
            request: What to send.
            stream: Leave the body unread.
            timeout: Seconds, see :data:`Timeout`.
        """

    def check(self, response: requests.Response) -> None:
        """Raise unless the answer is a success."""

    def decode(self, response: requests.Response) -> Any:
        """Read the JSON body of an answer."""


def deliver(client: Transport, request: Request, *, stream: bool = False) -> requests.Response:
    """Send a request and return the answer if it is a success.

    Args:
        client: The transport.
        request: What an operation's ``build()`` made.
        stream: Leave the body unread.
    """
    response = client.send(request, stream=stream)
    client.check(response)
    return response


def exchange(client: Transport, request: Request, parse: Callable[[Any], T], *, xml: bool = False) -> Response[T]:
    """Send a request and read the answer if it is a success.

    Args:
        client: The transport.
        request: What an operation's ``build()`` made.
        parse: The same operation's ``parse``; it gets ``None`` for an answer without a body.
        xml: Whether the answer may be XML.
    """
    response = deliver(client, request)
    decode = partial(decode_either, client) if xml else client.decode
    return Response.of(response, parse(decode(response) if response.content else None))


def decode_either(client: Transport, response: requests.Response) -> Any:
    """Read the body of an answer that is JSON or XML by what the resource is made of.

    Args:
        client: Reads the JSON.
        response: What :func:`deliver` returned.

    Raises:
        ParseError: It is XML, but not well-formed.
    """
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    # The login page of a proxy is the transport's to name.
    if kind != "text/html":
        from . import _xml

        if _xml.looks_like(response.content):
            return _xml.decode(response.content)
    return client.decode(response)


def raise_for_status(response: requests.Response) -> None:
    """Raise for any answer but a success, redirections and 300 (several matches) included.

    Raises:
        requests.HTTPError: The status is not 2xx.
    """
    if not 200 <= response.status_code < 300:
        # Read now, so that a streamed answer gives its connection back and still tells the reason.
        request, _ = response.request, response.content
        raise requests.HTTPError(f"{request.method} {request.path_url}: {response.status_code}", response=response)


class Client:
    """The smallest transport: plain requests, no login, no retries.

    Args:
        base_url: Scheme and host, for instance ``"https://acme.my.salesforce.com"``.
        session: Carries headers, authorisation and connections.
        api_version: The API version to speak.
        timeout: Seconds, where a call names none.
        check: Judges each answer.
    """

    def __init__(
        self,
        base_url: str,
        *,
        session: requests.Session | None = None,
        api_version: str = API_VERSION,
        timeout: Timeout = (10.0, 120.0),
        check: Callable[[requests.Response], None] = raise_for_status,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.session = session or requests.Session()
        self.api_version = api_version
        self.timeout = timeout
        self._check = check

    def send(self, request: Request, *, stream: bool = False, timeout: Timeout = None) -> requests.Response:
        """Send a request and return whatever answer came."""
        headers, body = dict(request.headers), request.content
        if request.json is not UNSET:
            headers["Content-Type"] = "application/json"
            body = json.dumps(request.json).encode()
        return self.session.request(
            request.method,
            self.base_url + request.target(self.api_version),
            headers=headers,
            data=body,
            stream=stream,
            timeout=self.timeout if timeout is None else timeout,
            allow_redirects=False,
        )

    def check(self, response: requests.Response) -> None:
        """Raise unless the answer is a success."""
        self._check(response)

    def decode(self, response: requests.Response) -> Any:
        """Read the JSON body of an answer."""
        return response.json()
