"""Which URLs are acceptable: as a login or instance URL, and as the target of a request."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

# Control characters end or split a request line, a backslash is a slash to some servers, and a fragment is never sent.
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f\\#]|[^\x00-\x7f]")
_DOTS: Final = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_DATA_API: Final = re.compile(r"^/services/data/v\d+\.\d+(?=/)")


# The hosts on which people see Salesforce in their browser, and the API's host that belongs to each.
_LOOKALIKES: Final = (
    (r"(.+)\.lightning\.force\.com", r"\1.my.salesforce.com"),
    (r"(.+)\.my\.salesforce-setup\.com", r"\1.my.salesforce.com"),
    # The last "--" part of a Visualforce host is the package, usually "c".
    (r"([^.]+)--[^.-]+((?:\.sandbox|\.develop|\.scratch)?)\.vf\.force\.com", r"\1\2.my.salesforce.com"),
    (r"([^.]+)--[^.-]+\.(?:[^.]+\.)?visual(?:\.force|force)\.com", r"\1.my.salesforce.com"),
    (r"(.+)\.file\.force\.com", r"\1.my.salesforce.com"),
)


def instance_url(url: object, what: str = "the instance URL") -> str:
    """Check the URL of an org's API and cut it to scheme, host and port.

    Raises:
        ValueError: The URL is blank, not https, or not where the API is; the text names the right one.
    """
    parts = _split(url, what)
    if parts.path.strip("/"):
        raise ValueError(f"{what} {url!r} has a path: write {origin(parts)}")
    return origin(parts)


def login_url(url: object) -> str:
    """Check the URL at which to log in; unlike an org, an Experience Cloud site may have a path.

    Raises:
        ValueError: The URL is blank, not https, or not where logins are; the text names the right one.
    """
    parts = _split(url, "the login URL")
    path = parts.path.rstrip("/")
    if path and (parts.hostname or "").endswith(".salesforce.com"):
        raise ValueError(f"the login URL {url!r} has a path: write {origin(parts)}")
    return origin(parts) + path


def origin(parts: SplitResult) -> str:
    """Scheme, host and port in lower case, without a port that goes without saying."""
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + ("" if parts.port in {None, default} else f":{parts.port}")


def origin_of(url: str) -> str:
    """The origin of a URL that is known to be one."""
    return origin(urlsplit(url))


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    if host == "localhost":
        return True
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def target_on(instance: str, url: str) -> str:
    """Give the path and query of a URL or path, once it is certain that the request stays on the instance.

    Raises:
        ValueError: It names another host, or a path that a server might read in another way.
    """
    if not url.startswith("/"):
        parts = _absolute(url)
        if parts is None or origin(parts) != instance:
            raise ValueError(
                f"the request would leave the instance {instance}: give a path that starts with /services/"
            )
        url = url[len(parts.scheme) + 3 + len(parts.netloc) :] or "/"
    path = url.partition("?")[0]
    if path.startswith("//") or _UNSAFE.search(url) or (("." in path or "%" in path) and _DOTS.search(path)):
        raise ValueError(f"unsafe path {path!r}: percent-encode it, and leave out //, \\ and dot segments")
    return url


def short_path(url: str) -> str:
    """The path as error texts and logs show it: without the host, the data API's prefix and the query."""
    path = url.partition("?")[0]
    if not path.startswith("/"):
        path = "/" + path.partition("://")[2].partition("/")[2]
    return _DATA_API.sub("", path)


def _absolute(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    # What urlsplit drops or forgives is what an attacker would add.
    sound = parts.scheme and parts.hostname and "@" not in parts.netloc and not _UNSAFE.search(url)
    return parts if sound else None


def _split(url: object, what: str) -> SplitResult:
    if not isinstance(url, str) or not url.strip():
        raise ValueError(f"{what} is blank: write https://MyDomainName.my.salesforce.com")
    url = url.strip()
    parts = _absolute(url)
    if parts is None or parts.query or parts.fragment or parts.scheme not in {"http", "https"}:
        raise ValueError(
            f"{what} {_without_userinfo(url)!r} is not a URL such as https://MyDomainName.my.salesforce.com"
        )
    host = parts.hostname or ""
    for pattern, my_domain in _LOOKALIKES:
        if match := re.fullmatch(pattern, host):
            raise ValueError(f"{host} serves web pages, not the API: write https://{match.expand(my_domain)}")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError(f"{what} {url!r} would send tokens unencrypted: write https://{url[7:]}")
    return parts


def _without_userinfo(url: str) -> str:
    return re.sub(r"//.*@", "//…@", url)
