"""Requests made by hand, and the arguments they are made of, checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Final, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import super_len
from sfconnector_generated import API_VERSION

from sfconnector._transport import NO_COOKIES
from sfconnector._version import __version__

T = TypeVar("T")
Scalar: TypeAlias = str | int | float | bool | None
Params: TypeAlias = Mapping[str, Scalar] | Sequence[tuple[str, Scalar]] | None
Body: TypeAlias = bytes | IO[bytes] | Iterable[bytes] | None

# RFC 9110 section 5.1.
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# Printable ASCII; a comma would begin another option of Sforce-Call-Options.
_CLIENT_NAME: Final = re.compile(r"(?=.*[!-~])[ -+\--~]+")


def prepare(method: str, url: str, headers: CaseInsensitiveDict[str | bytes], body: Body) -> requests.PreparedRequest:
    """Make the request that goes out."""
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


def base_headers(client_name: object) -> dict[str, str]:
    """Give the headers of every request.

    Raises:
        ValueError: The name is blank or cannot be sent.
    """
    agent = f"sfconnector/{__version__}"
    headers = {"User-Agent": agent, "Accept-Encoding": "gzip"}
    if client_name is not None:
        if not isinstance(client_name, str) or _CLIENT_NAME.fullmatch(client_name) is None:
            raise ValueError(f"client_name {client_name!r} is blank, or has characters that a header cannot carry")
        headers["User-Agent"] = f"{client_name} {agent}"
        headers["Sforce-Call-Options"] = f"client={client_name}"
    return headers


def check_header(name: object, value: object) -> None:
    """Refuse what HTTP cannot carry as a header."""
    if not isinstance(name, str) or _HEADER_NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no name of a header")
    if not isinstance(value, str) or not value.isprintable() or not value.isascii():
        raise ValueError(f"the header {name!r} holds what HTTP cannot carry: printable ASCII is needed")


def check_method(method: object) -> str:
    """Give an HTTP method in capitals, and refuse what is none."""
    if not isinstance(method, str) or not method.isascii() or not method.isalpha():
        raise ValueError(f"{method!r} is no HTTP method")
    return method.upper()


def check_count(name: str, value: object) -> int:
    """Refuse what is no number of things."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} is a whole number above 0, not {value!r}")
    return value


def of_type(name: str, value: T, kind: type) -> T:
    """Refuse an argument of another type."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} is a {kind.__name__}, not a {type(value).__name__}")
    return value


def check_version(version: object) -> str:
    """Refuse what cannot be a version of the API."""
    if not isinstance(version, str) or re.fullmatch(r"[1-9]\d\.\d", version, re.ASCII) is None:
        raise ValueError(f'api_version {version!r} is not of the form "{API_VERSION}"')
    return version


def query_string(params: Params) -> str:
    """Write the query of a URL, percent-encoded."""
    pairs = params.items() if isinstance(params, Mapping) else params or ()
    texts = []
    for name, value in pairs:
        if not isinstance(value, Scalar):
            raise TypeError(f"params: {name} is a {type(value).__name__}, and a query holds texts and numbers only")
        if value is not None:
            texts.append((name, str(value).lower() if isinstance(value, bool) else str(value)))
    return urlencode(texts, quote_via=quote)
