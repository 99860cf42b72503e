"""Posting messages to one URL: headers, cookies, and the two connections."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Final

from sfconnector.bayeux._cookies import Cookies
from sfconnector.bayeux._lane import Lane
from sfconnector.bayeux._route import Proxy, Route, header_lines
from sfconnector.bayeux._wire import Answer, Limits

# Salesforce may answer with all that was retained in three days.
_LARGEST: Final = 128 * 1024 * 1024
_RESERVED: Final = frozenset(
    ("host", "content-length", "transfer-encoding", "connection", "accept-encoding", "cookie", "content-type")
)
_OWN: Final = "Content-Type: application/json\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\n"


def _seconds(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ValueError(f"{name} is a number of seconds above 0, not {value!r}")
    return value


class Transport:
    """Two connections to a Bayeux server with one set of cookies: one for polls, which are held, one for commands.

    Nothing is sent twice, no redirect is followed, and proxies come from ``proxy_url`` alone. One transport belongs
    to one client, since servers tell clients of one set of cookies to take turns.

    Args:
        url: Of the server, such as ``"https://acme.my.salesforce.com/cometd/67.0"``.
        headers: Called for each request.
        ssl_context: For https; else the system's certificates are trusted.
        proxy_url: ``"http://user:password@host:port"``; https goes through a tunnel.
        proxy_headers: Sent to the proxy.
        connect_timeout: Seconds for a connection: name, TCP, proxy and TLS.
        read_timeout: Seconds for the first byte of an answer, beyond the time that the server holds a poll, and
            for each next piece.
        answer_timeout: Seconds from the first byte of an answer to its last.
        max_answer: Bytes of the largest answer that is read.

    Raises:
        ValueError: One of them makes no sense.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Callable[[], Mapping[str, str]] = dict,
        ssl_context: ssl.SSLContext | None = None,
        proxy_url: str | None = None,
        proxy_headers: Mapping[str, str] | None = None,
        connect_timeout: float = 10.0,
        read_timeout: float = 30.0,
        answer_timeout: float = 120.0,
        max_answer: int = _LARGEST,
    ) -> None:
        self._proxy = None if proxy_url is None else Proxy.of(proxy_url, proxy_headers or {})
        self._route = Route.of(url, self._proxy)
        self._headers, self._tls = headers, ssl_context
        self.connect_timeout = _seconds("connect_timeout", connect_timeout)
        self.read_timeout = _seconds("read_timeout", read_timeout)
        self._answer_timeout = _seconds("answer_timeout", answer_timeout)
        if isinstance(max_answer, bool) or max_answer < 1:
            raise ValueError(f"max_answer is a number of bytes above 0, not {max_answer!r}")
        self._max_answer = max_answer
        self._cookies = Cookies()
        self.polls, self.commands = Lane(), Lane()
        self._last: Mapping[str, str] = {}
        self._head: tuple[tuple[object, ...], bytes] = ((), b"")

    @property
    def url(self) -> str:
        """Where requests go; may be set while the client runs."""
        return self._route.url

    @url.setter
    def url(self, url: str) -> None:
        self._route = Route.of(url, self._proxy)

    def headers(self) -> Mapping[str, str]:
        """Ask for the headers of the next request; raises what the caller's function raises."""
        self._last = headers = self._headers()
        return headers

    def post(
        self,
        lane: Lane,
        body: bytes,
        headers: Mapping[str, str],
        *,
        over: Callable[[], bool],
        hold: float = 0.0,
        timeout: float | None = None,
    ) -> Answer:
        """Send a body and wait for the answer.

        Args:
            lane: `polls` or `commands`.
            body: JSON.
            headers: Those that `headers` gave.
            over: Whether the body is out of date.
            hold: Seconds for which the server may keep its answer to itself.
            timeout: Seconds for the first byte in place of the usual ones.

        Raises:
            Aborted: It is out of date, or the lane was interrupted or aborted.
            OSError: No answer came, or not in time.
            AnswerError: The answer cannot be used.
            ValueError: A header cannot be sent.
        """
        first = self.read_timeout + hold if timeout is None else timeout
        return self._post(lane, headers, body, first, self.connect_timeout, over)

    def post_briefly(self, lane: Lane, body: bytes, timeout: float) -> Answer:
        """Send a body with the headers of the last request, and give up after so many seconds."""
        return self._post(lane, self._last, body, timeout, timeout, lambda: False)

    def _post(
        self,
        lane: Lane,
        headers: Mapping[str, str],
        body: bytes,
        first: float,
        connect: float,
        over: Callable[[], bool],
    ) -> Answer:
        route = self._route
        limits = Limits(first, self.read_timeout, self._answer_timeout, self._max_answer)
        request = b"%bContent-Length: %d\r\n\r\n%b" % (self._request_head(route, headers), len(body), body)
        answer = lane.exchange(route, request, limits, self._tls, connect, over)
        if answer.cookies:
            self._cookies.take(route.url, answer.cookies)
        return answer

    def _request_head(self, route: Route, headers: Mapping[str, str]) -> bytes:
        cookies = self._cookies.header(route.url)
        parts = (route, cookies, dict(headers))
        # The same from one poll to the next.
        known, head = self._head
        if parts != known:
            if reserved := next((name for name in headers if name.lower() in _RESERVED), None):
                raise ValueError(f"the header {reserved} is the transport's own")
            text = route.request_head() + _OWN + header_lines(headers) + (f"Cookie: {cookies}\r\n" if cookies else "")
            head = text.encode("latin-1")
            self._head = (parts, head)
        return head

    def abort(self) -> None:
        """End the exchanges under way, and let no other begin."""
        self.polls.abort()
        self.commands.abort()

    def interrupt(self) -> None:
        """End the exchanges under way."""
        self.polls.interrupt()
        self.commands.interrupt()

    def close(self) -> None:
        """Abort, and close both connections."""
        self.abort()
        self.polls.close()
        self.commands.close()
