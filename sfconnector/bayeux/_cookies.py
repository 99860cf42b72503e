"""The cookies that both lanes share."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from email.message import Message as Headers
from http.cookiejar import Cookie, CookieJar
from typing import Final
from urllib.request import Request

# Servers need a handful; one that sends ever new ones must not fill the memory, or the head of every request.
_MOST: Final = 50
_LONGEST: Final = 4096


class _Answer:
    """What a jar wants to see of an answer."""

    def __init__(self, values: Sequence[str]) -> None:
        self._headers = Headers()
        for value in values:
            self._headers["Set-Cookie"] = value

    def info(self) -> Headers:
        return self._headers


class Cookies:
    """A bounded jar that works out what to send only when something has changed."""

    def __init__(self) -> None:
        self._jar = CookieJar()
        self._lock = threading.Lock()
        self._url, self._header, self._until = "", "", 0.0

    def take(self, url: str, values: Sequence[str]) -> None:
        """Keep what an answer sets."""
        fitting = [value for value in values[:_MOST] if len(value) <= _LONGEST]
        with self._lock:
            # The jar asks a response for nothing but its headers.
            self._jar.extract_cookies(_Answer(fitting), Request(url))  # type: ignore[arg-type]  # it has what is read of one  # noqa: S310
            for cookie in [*self._jar][:-_MOST]:
                self._jar.clear(cookie.domain, cookie.path, cookie.name)
            self._until = 0.0

    def header(self, url: str) -> str:
        """Give the value of the ``Cookie`` header, which may be empty."""
        with self._lock:
            if url != self._url or time.time() >= self._until:
                request = Request(url)  # noqa: S310 - nothing is opened by it
                self._jar.add_cookie_header(request)
                self._url, self._header = url, request.get_header("Cookie", "") or ""
                self._until = min((_expiry(cookie) for cookie in self._jar), default=float("inf"))
            return self._header


def _expiry(cookie: Cookie) -> float:
    return float("inf") if cookie.expires is None else float(cookie.expires)
