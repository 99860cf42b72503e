"""The log of requests that reached the local org."""

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import overload

import attrs

# Everything else may hold a secret: Authorization, cookies, query strings, bodies.
SAFE_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "content-encoding",
        "content-length",
        "content-type",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-unmodified-since",
        "transfer-encoding",
        "user-agent",
        "x-prettyprint",
    }
)
_CAPACITY = 100_000


@attrs.frozen(kw_only=True)
class LoggedRequest:
    """A request as it arrived, without anything that could be a secret.

    Args:
        method: HTTP method.
        path: path, percent-encoded, without the query string.
        status: status of the answer; ``None`` where the connection was cut before one.
        headers: lower-case names; ``Sforce-*`` and headers about content, caching and the client only.
    """

    method: str
    path: str
    status: int | None
    headers: Mapping[str, str] = attrs.field(factory=dict)


class RequestLog(Sequence[LoggedRequest]):
    """The latest 100,000 requests, oldest first; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[LoggedRequest] = deque(maxlen=_CAPACITY)

    def add(self, entry: LoggedRequest) -> None:
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        """Forget what has been logged so far."""
        with self._lock:
            self._entries.clear()

    def _snapshot(self) -> list[LoggedRequest]:
        with self._lock:
            return list(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[LoggedRequest]:
        return iter(self._snapshot())

    @overload
    def __getitem__(self, index: int) -> LoggedRequest: ...
    @overload
    def __getitem__(self, index: slice) -> list[LoggedRequest]: ...
    def __getitem__(self, index: int | slice) -> LoggedRequest | list[LoggedRequest]:
        return self._snapshot()[index]

    def __repr__(self) -> str:
        return f"<RequestLog of {len(self)} requests>"
