"""The way to the org: the connection settings of a client's session, for connections of one's own."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple

from requests.adapters import HTTPAdapter
from requests.utils import select_proxy

from sfconnector._session import Session
from sfconnector._transport import Adapter, tls_context


class Access(NamedTuple):
    """How to reach a URL.

    Attributes:
        context: Certificates, both ways; ``None`` without TLS.
        proxy: The URL of the proxy, if there is one.
        proxy_headers: What it wants to see.
    """

    context: ssl.SSLContext | None
    proxy: str | None
    proxy_headers: Mapping[str, str]


def access_to(session: Session, url: str) -> Access:
    """Find out how a session reaches a URL.

    Raises:
        ValueError: The proxy is of a kind that a listener cannot use, or certificates are missing.
    """
    settings = session.settings(url)
    adapter = session.http.get_adapter(url)
    proxy = select_proxy(url, dict(settings["proxies"]))
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    if proxy and not proxy.lower().startswith("http://"):
        kind = proxy.partition(":")[0]
        raise ValueError(f"a listener goes through proxies at http:// only, not through a {kind} proxy")
    headers = adapter.proxy_headers(proxy) if proxy and isinstance(adapter, HTTPAdapter) else {}
    context = _context(adapter, settings) if url.startswith("https://") else None
    return Access(context, proxy or None, headers)


def _context(adapter: Any, settings: Mapping[str, Any]) -> ssl.SSLContext:
    if isinstance(adapter, Adapter):
        return adapter.context
    # Users' adapters give their pools a context of their own, or leave it to verify and cert.
    pools = getattr(getattr(adapter, "poolmanager", None), "connection_pool_kw", {})
    context = pools.get("ssl_context")
    return context if isinstance(context, ssl.SSLContext) else tls_context(settings["verify"], settings["cert"])
