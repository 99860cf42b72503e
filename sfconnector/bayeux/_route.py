"""Where requests go, and over which proxy."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import attrs

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PORTS: Final = {"http": 80, "https": 443}


@attrs.frozen
class Proxy:
    """An HTTP proxy; ``headers`` are the lines that it wants to see."""

    host: str
    port: int
    headers: str = attrs.field(repr=False)

    @classmethod
    def of(cls, url: str, headers: Mapping[str, str]) -> Proxy:
        """Read a proxy's URL, whose user and password make its ``Proxy-Authorization``.

        Raises:
            ValueError: It is no ``http://`` URL; the text does not quote it, since it may hold a password.
        """
        parts = urlsplit(url)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if parts.scheme != "http" or not host:
            raise ValueError("proxy_url is a URL such as http://proxy.example.com:3128")
        headers = dict(headers)
        if parts.username is not None and not any(name.lower() == "proxy-authorization" for name in headers):
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers["Proxy-Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
        return cls(_ascii(host), port or _PORTS["http"], header_lines(headers))


@attrs.frozen
class Route:
    """A URL taken apart, and the proxy on the way.

    Attributes:
        url: The whole.
        host: The host's name or address.
        port: Its port.
        tls: Whether the connection is encrypted.
        path: Path and query.
        proxy: The proxy, if there is one.
    """

    url: str
    host: str
    port: int
    tls: bool
    path: str
    proxy: Proxy | None = None

    @classmethod
    def of(cls, url: object, proxy: Proxy | None) -> Route:
        """Take a URL apart.

        Raises:
            ValueError: It is none of http or https with a host.
        """
        if not isinstance(url, str) or re.search(r"[\x00-\x20\x7f-\U0010ffff]", url):
            raise ValueError("url is a URL without blanks, its path and query quoted")
        parts = urlsplit(url)
        host = parts.hostname
        if parts.scheme not in _PORTS or not host or parts.username is not None:
            raise ValueError(f"url is a URL such as https://host/cometd/67.0, not {parts.scheme}://{host or ''}…")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(url, _ascii(host), parts.port or _PORTS[parts.scheme], parts.scheme == "https", path, proxy)

    @property
    def authority(self) -> str:
        """The host, and the port if it is not the usual one."""
        host = _bracketed(self.host)
        return host if self.port == _PORTS["https" if self.tls else "http"] else f"{host}:{self.port}"

    @property
    def first_hop(self) -> tuple[str, int]:
        """What the socket connects to."""
        return (self.host, self.port) if self.proxy is None else (self.proxy.host, self.proxy.port)

    @property
    def connection(self) -> tuple[object, ...]:
        """What tells whether two routes may share a connection."""
        return (self.host, self.port, self.tls, self.proxy)

    def request_head(self) -> str:
        """The first lines of a request; a proxy that is asked to forward wants the whole URL."""
        forwarded = self.proxy is not None and not self.tls
        target = f"http://{self.authority}{self.path}" if forwarded else self.path
        extra = self.proxy.headers if self.proxy is not None and forwarded else ""
        return f"POST {target} HTTP/1.1\r\nHost: {self.authority}\r\n{extra}"

    def tunnel_request(self) -> bytes:
        """What asks the proxy for a tunnel to the host."""
        to = f"{_bracketed(self.host)}:{self.port}"
        extra = self.proxy.headers if self.proxy is not None else ""
        return f"CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{extra}\r\n".encode("latin-1")


def _ascii(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def header_lines(headers: Mapping[Any, Any]) -> str:
    """Write headers down.

    Raises:
        ValueError: One has a name or value that HTTP cannot carry; the text does not quote the value.
    """
    lines = []
    for name, value in headers.items():
        if not isinstance(name, str) or not _TOKEN.fullmatch(name):
            raise ValueError(f"a header cannot have the name {name!r}")
        if not isinstance(value, str) or re.search(r"[\r\n\x00]|[^\x00-\xff]", value):
            raise ValueError(f"the value of the header {name} is no text, or has characters that HTTP cannot carry")
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines)
