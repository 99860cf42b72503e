"""Apex REST: web services that the org's own code offers.

Written by hand, because there is nothing that a description could say: paths, bodies and answers are whatever a class
makes of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import requests

from sfconnector._answers import media_type
from sfconnector._json import loads
from sfconnector._prepare import Body, Params
from sfconnector._session import Seconds, Session

_ROOT: Final = "/services/apexrest/"
# RFC 3986 section 3.3, and the percent sign of what is encoded already.
_SAFE: Final = "/%!$&'()*+,;=:@-._~"
_CHARSET: Final = re.compile(r';\s*charset="?([^\s;"]+)', re.IGNORECASE)
_TEXTS: Final = frozenset({"", "application/xml", "application/javascript", "application/x-www-form-urlencoded"})


class Apex:
    """Calls of the org's Apex REST classes; made by :attr:`Salesforce.apex`.

    A path is what follows ``/services/apexrest/``, with or without a slash in front: the class's ``urlMapping``,
    after the namespace and a slash where the class belongs to a package. As a text it goes out as it is, except
    that characters which no URL can hold are percent-encoded; as a list each item becomes one segment, whatever
    it holds. The query belongs into ``params``.

    Every status from 200 to 299 is a success. Its answer is the decoded JSON; a text where the body is none, bytes
    where it is no text either, and ``None`` where there is no body.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.apexcode.meta/apexcode/apex_rest_intro.htm
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(
        self,
        path: str | Sequence[str],
        *,
        params: Params = None,
        headers: Mapping[str, str] | None = None,
        timeout: Seconds = None,
    ) -> Any:
        """Call the ``@HttpGet`` method of a class.

        Args:
            path: What follows ``/services/apexrest/``, as a text, or as a list of segments.
            params: The query, not yet encoded.
            headers: More headers.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The path leaves ``/services/apexrest/``, or an argument cannot be right.
            ApiError: The status is no success; the text says what the class answered.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.apexcode.meta/apexcode/apex_rest_methods.htm

        Example:
            >>> sf.apex.get(["orders", "v1", "A/7"])
            {'sku': 'A/7'}
        """
        return self.request("GET", path, params=params, headers=headers, timeout=timeout)

    def post(
        self,
        path: str | Sequence[str],
        *,
        json: Any = None,
        data: Body = None,
        params: Params = None,
        headers: Mapping[str, str] | None = None,
        timeout: Seconds = None,
    ) -> Any:
        """Call the ``@HttpPost`` method of a class, as :meth:`get` does with ``@HttpGet``; never repeated.

        Args:
            path: What follows ``/services/apexrest/``, as a text, or as a list of segments.
            json: A value to send as JSON.
            data: A body to send as it is; ``headers`` names its type.
            params: The query, not yet encoded.
            headers: More headers.
            timeout: Seconds instead of the client's own.

        Example:
            >>> sf.apex.post("/orders/v1", json={"sku": "X1"})
            {'sku': 'X1', 'ordered': True}
        """
        return self.request("POST", path, json=json, data=data, params=params, headers=headers, timeout=timeout)

    def put(
        self,
        path: str | Sequence[str],
        *,
        json: Any = None,
        data: Body = None,
        params: Params = None,
        headers: Mapping[str, str] | None = None,
        timeout: Seconds = None,
    ) -> Any:
        """Call the ``@HttpPut`` method of a class; arguments as for :meth:`post`, and never repeated either.

        Example:
            >>> sf.apex.put("/orders/v1/X1", json={"quantity": 2})
            {'quantity': 2}
        """
        return self.request("PUT", path, json=json, data=data, params=params, headers=headers, timeout=timeout)

    def patch(
        self,
        path: str | Sequence[str],
        *,
        json: Any = None,
        data: Body = None,
        params: Params = None,
        headers: Mapping[str, str] | None = None,
        timeout: Seconds = None,
    ) -> Any:
        """Call the ``@HttpPatch`` method of a class; arguments as for :meth:`post`, and never repeated either.

        Example:
            >>> sf.apex.patch("/orders/v1/X1", json={"quantity": 3})
            {'quantity': 3}
        """
        return self.request("PATCH", path, json=json, data=data, params=params, headers=headers, timeout=timeout)

    def delete(
        self,
        path: str | Sequence[str],
        *,
        params: Params = None,
        headers: Mapping[str, str] | None = None,
        timeout: Seconds = None,
    ) -> Any:
        """Call the ``@HttpDelete`` method of a class; arguments as for :meth:`get`.

        Example:
            >>> sf.apex.delete("/orders/v1/X1")
        """
        return self.request("DELETE", path, params=params, headers=headers, timeout=timeout)

    def request(
        self,
        method: str,
        path: str | Sequence[str],
        *,
        json: Any = None,
        data: Body = None,
        params: Params = None,
        headers: Mapping[str, str] | None = None,
        timeout: Seconds = None,
        idempotent: bool | None = None,
    ) -> Any:
        """Call a class by any method.

        Args:
            method: The HTTP method.
            path: What follows ``/services/apexrest/``, as a text, or as a list of segments.
            json: A value to send as JSON.
            data: A body to send as it is; ``headers`` names its type.
            params: The query, not yet encoded.
            headers: More headers.
            timeout: Seconds instead of the client's own.
            idempotent: Whether the request may be sent twice; by default GET, HEAD, OPTIONS and DELETE may.

        Raises:
            ValueError, TypeError: The path leaves ``/services/apexrest/``, or an argument cannot be right.
            ApiError: The status is no success; the text says what the class answered.

        Example:
            >>> sf.apex.request("POST", "orders/v1", json={"sku": "X2"}, idempotent=True)
            {'sku': 'X2', 'ordered': True}
        """
        response = self._session.request(
            method,
            _ROOT + _below(path),
            params=params,
            json=json,
            data=data,
            headers=headers,
            timeout=timeout,
            idempotent=idempotent,
        )
        return _decode(response)

    def __repr__(self) -> str:
        return "<Apex>"


def _below(path: object) -> str:
    """Write a path below the root of Apex REST, so that nothing in it can lead elsewhere."""
    if isinstance(path, str):
        _check(path)
        return quote(path.removeprefix("/"), safe=_SAFE)
    if not isinstance(path, Sequence) or not all(isinstance(segment, str) for segment in path):
        raise TypeError("a path is a text, or a list of texts: one for each segment")
    if unsafe := [segment for segment in path if segment in {"", ".", ".."}]:
        raise ValueError(f"{unsafe[0]!r} cannot be a segment of a path")
    if not path:
        raise ValueError("the path is empty: it names no Apex REST class")
    return "/".join(quote(segment, safe="") for segment in path)


def _check(path: str) -> None:
    if not path.strip("/ "):
        raise ValueError("the path is empty: it names no Apex REST class")
    if "://" in path or path.lower().startswith(("/services/", "services/")):
        raise ValueError(f"the path {path!r} is to be what follows {_ROOT}")
    if "?" in path or "#" in path:
        raise ValueError("the path holds ? or #: give the query as params, and such a segment in a list of segments")
    # Dot segments are refused in every request.
    if "//" in path or "\\" in path or not path.isprintable():
        raise ValueError(f"unsafe path {path!r}: give odd segments in a list of segments")


def _decode(response: requests.Response) -> Any:
    """Read an answer, which may be anything that a class can write."""
    body, kind = response.content, media_type(response)
    if not body:
        return None
    # The type is JSON unless a class says otherwise, so a class that writes a text may forget to say so.
    if kind in {"", "application/json"} or kind.endswith("+json"):
        try:
            return loads(body)
        except ValueError:
            kind = ""
    if kind in _TEXTS or kind.startswith("text/") or kind.endswith("+xml"):
        try:
            # What names no charset is UTF-8, as Apex writes it, and not Latin-1, as requests assumes.
            named = _CHARSET.search(response.headers.get("Content-Type", ""))
            return body.decode(named[1] if named else "utf-8")
        except (UnicodeDecodeError, LookupError):
            return body
    return body
