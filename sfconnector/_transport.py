"""The one ``requests.Session``: connections, certificates, proxies, and how its failures are told apart."""

from __future__ import annotations

import os
import queue
import ssl
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import attrs
import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_encoding_from_headers, get_environ_proxies
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    EmptyPoolError,
    HTTPError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
)
from urllib3.util.ssl_ import create_urllib3_context

from sfconnector.errors import Failure, TransportError, TransportTimeoutError

_CHUNK: Final = 1 << 16
_SOAP: Final = "/services/Soap/"
# Salesforce's own have as many bytes as a request may have, and are read as a whole.
_LARGEST_SOAP: Final = 50_000_000
# How long a thread waits for one of the connections that other threads use.
_POOL_WAIT: Final = 120.0
_CA_VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def _seconds(_: object, attribute: attrs.Attribute[float], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ValueError(f"timeout: {attribute.name} is a number of seconds above 0, not {value!r}")


@attrs.frozen
class Timeout:
    """How long to wait for what, in seconds.

    Args:
        connect: For a connection.
        read: For each next piece of the answer.
        total: For the whole body of an answer that is not streamed; Salesforce itself gives up after 600.

    See Also:
        https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/salesforce-app-limits-platform-api.html
    """

    connect: float = attrs.field(default=10.0, validator=_seconds)
    read: float = attrs.field(default=120.0, validator=_seconds)
    total: float = attrs.field(default=600.0, validator=_seconds)

    @classmethod
    def of(cls, value: float | tuple[float, float] | Timeout | None, default: Timeout) -> Timeout:
        """Read what callers give for a timeout: nothing, one number for both, a pair, or all of it."""
        match value:
            case None:
                return default
            case Timeout():
                return value
            case (connect, read):
                return attrs.evolve(default, connect=connect, read=read)
            case int() | float():
                return attrs.evolve(default, connect=value, read=value)
            case _:
                raise ValueError(f"timeout is seconds, a pair (connect, read) or a Timeout, not {value!r}")


class NotSent(OSError):
    """The connection could not be made ready, so nothing of the request was sent; holds the reason."""


@contextmanager
def _before_sending() -> Iterator[None]:
    try:
        yield
    except (OSError, HTTPError) as error:
        raise NotSent(error) from error


class _Queue(queue.LifoQueue[Any]):
    # requests waits for a free connection for ever, which is how forgotten streams turn into a silent hang.
    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        return super().get(block, _POOL_WAIT if timeout is None else timeout)


class _HTTPPool(HTTPConnectionPool):
    QueueCls = _Queue


class _HTTPSPool(HTTPSConnectionPool):
    """Marks what fails in the handshake: from the exception alone it looks like a failure after sending."""

    QueueCls = _Queue

    def _validate_conn(self, conn: Any) -> None:
        with _before_sending():
            super()._validate_conn(conn)

    def _prepare_proxy(self, conn: Any) -> None:
        with _before_sending():
            super()._prepare_proxy(conn)


_POOLS: Final = {"http": _HTTPPool, "https": _HTTPSPool}


class Adapter(HTTPAdapter):
    """Connections that share one TLS context, so that certificates are loaded once and not per connection."""

    def __init__(self, context: ssl.SSLContext, max_connections: int) -> None:
        self.context = context
        super().__init__(pool_maxsize=max_connections, pool_block=True)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self.context)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs, ssl_context=self.context)
        # A SOCKS proxy has pools of its own.
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, *_: Any, **__: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        parts = urllib3.util.parse_url(request.url or "")
        return {"scheme": parts.scheme, "host": parts.host, "port": parts.port}, {}

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Leave the connection as it is: the context says all."""

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        # As the base class does, without the cookies: parsing them costs a quarter of a small call.
        response = requests.Response()
        response.status_code, response.reason = resp.status, resp.reason
        response.headers.update(resp.headers)
        response.encoding = get_encoding_from_headers(response.headers)
        response.url, response.request = req.url or "", req
        response.raw, response.connection = resp, self
        return response


class _NoCookies(requests.cookies.RequestsCookieJar):
    def extract_cookies(self, *_: Any, **__: Any) -> None:
        """Refuse: the API needs none, and threads would share them."""


NO_COOKIES: Final = _NoCookies()


class _Http(requests.Session):
    def resolve_redirects(self, *_: Any, **__: Any) -> Generator[requests.Response]:
        """Follow none: they would take the token, or a write, to where nobody asked for it."""
        yield from ()


def open_http(verify: bool | str, cert: str | tuple[str, str] | None, max_connections: int) -> requests.Session:
    """Make the session of a client.

    Raises:
        ValueError: A file with certificates is missing or unreadable.
    """
    http = _Http()
    http.trust_env = False
    http.cookies = NO_COOKIES
    adapter = Adapter(tls_context(verify, cert), max_connections)
    http.mount("https://", adapter)
    http.mount("http://", adapter)
    return http


def tls_context(verify: bool | str, cert: str | tuple[str, str] | None) -> ssl.SSLContext:
    """Make the TLS context for what the caller, or else the environment, says."""
    variable = next((name for name in _CA_VARIABLES if os.environ.get(name)), None) if verify is True else None
    if variable is None and verify is True and cert is None:
        return _default_context()
    bundle: object = os.environ[variable] if variable else DEFAULT_CA_BUNDLE_PATH if verify is True else verify
    context = create_urllib3_context()
    if bundle is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif not isinstance(bundle, str | os.PathLike) or not Path(bundle).exists():
        raise ValueError(f"{variable or 'verify'}: there is no file with CA certificates at {bundle!r}")
    else:
        _load(context, bundle, variable or "verify")
    if cert is not None:
        chain, key = (cert, None) if isinstance(cert, str | os.PathLike) else cert
        try:
            context.load_cert_chain(chain, key)
        except OSError as error:
            raise ValueError(f"cert: no client certificate with its key can be read from {cert!r}: {error}") from error
    return context


@cache
def _default_context() -> ssl.SSLContext:
    context = create_urllib3_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context


def _load(context: ssl.SSLContext, bundle: str | os.PathLike[str], source: str) -> None:
    file, folder = (None, bundle) if Path(bundle).is_dir() else (bundle, None)
    try:
        context.load_verify_locations(file, folder)
    except OSError as error:
        raise ValueError(f"{source}: {bundle!r} holds no CA certificates in PEM form: {error}") from error


class Proxies:
    """The proxies given by the caller, or else those of the environment, which is read once for each host."""

    def __init__(self, proxies: Mapping[str, str] | None) -> None:
        self._given = None if proxies is None else dict(proxies)
        self._read: dict[str, dict[str, str]] = {}
        for scheme, proxy in (self._given or {}).items():
            if not _is_proxy(proxy):
                raise ValueError(f"proxies[{scheme!r}] is no URL such as http://proxy.example.com:3128")

    def of(self, instance: str) -> dict[str, str]:
        """Give the proxies for an origin, as requests takes them."""
        if self._given is not None:
            return self._given
        if (found := self._read.get(instance)) is None:
            found = self._read[instance] = get_environ_proxies(instance)
        return found


def _is_proxy(url: object) -> bool:
    try:
        return isinstance(url, str) and bool(urllib3.util.parse_url(url).host)
    except urllib3.exceptions.LocationParseError:
        return False


def read_body(response: requests.Response, deadline: float, clock: Callable[[], float]) -> None:
    """Read an answer to its end, if it ends before the deadline.

    requests limits the time to each next byte, so a server that sends one now and then could go on for ever.
    """
    raw = response.raw
    if response._content_consumed or type(raw) is not urllib3.HTTPResponse:
        _ = response.content
        return
    chunks, size = [], 0
    most = _LARGEST_SOAP if (response.request.path_url or "").startswith(_SOAP) else None
    while chunk := raw.read1(_CHUNK, decode_content=True):
        chunks.append(chunk)
        size += len(chunk)
        if most is not None and size > most:
            raw.close()
            raise OSError(f"the answer has more than {most:,} bytes")
        if clock() > deadline:
            raw.close()
            raise TimeoutError("the answer went on for longer than the total timeout")
    response._content = b"".join(chunks)
    response._content_consumed = True


@contextmanager
def translated(method: str, path: str) -> Iterator[None]:
    """Raise what requests and urllib3 raise as errors of ours; also for those who read a streamed answer.

    Raises:
        TransportError: No answer came, or not all of it.
        ValueError: requests refuses the URL, a header or the proxy.
    """
    try:
        yield
    except (OSError, HTTPError) as error:
        chain = [*_chain(error)]
        lying = isinstance(chain[-1], urllib3.exceptions.InvalidHeader)
        if isinstance(error, requests.RequestException) and isinstance(error, ValueError) and not lying:
            raise ValueError(str(chain[-1])) from None
        failure, timed_out = _failure(chain)
        cls = TransportTimeoutError if timed_out else TransportError
        # The outer exceptions quote the URL with its query and hold the token.
        raise cls(method, path, failure, str(chain[-1]) or type(chain[-1]).__name__) from chain[-1]


def _chain(error: BaseException) -> Iterator[BaseException]:
    yield error
    inner = error.reason if isinstance(error, urllib3.exceptions.MaxRetryError) else None
    inner = inner or next((arg for arg in error.args if isinstance(arg, Exception)), None)
    if inner is not None:
        yield from _chain(inner)


def _failure(chain: list[BaseException]) -> tuple[Failure, bool]:
    def has(*types: type[BaseException]) -> bool:
        return any(isinstance(error, types) for error in chain)

    if has(EmptyPoolError):
        return Failure.BUSY, True
    if has(ssl.SSLCertVerificationError):
        return Failure.CERTIFICATE, False
    if has(NotSent, ConnectTimeoutError, ProxyError):
        # To urllib3 a refused connection is a kind of timeout.
        slow = any(isinstance(e, ConnectTimeoutError) and not isinstance(e, NewConnectionError) for e in chain)
        return Failure.CONNECT, slow or has(TimeoutError)
    return (Failure.TIMEOUT, True) if has(ReadTimeoutError, TimeoutError) else (Failure.CUT, False)
