"""Tells the client's hooks of what a connection sends and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sfconnector import _hooks
from sfconnector._events import RequestEvent, ResponseEvent
from sfconnector._hooks import Hooks


class Hooked:
    """An extension of the Bayeux client.

    Args:
        hooks: Whom to tell.
        path: Of the endpoint.
        clock: A clock that never goes backwards, in seconds.
    """

    def __init__(self, hooks: Hooks, path: str, clock: Callable[[], float]) -> None:
        self._hooks, self._path, self._clock = hooks, path, clock
        self._sent: dict[str, tuple[RequestEvent, float]] = {}

    def outgoing(self, message: dict[str, Any]) -> None:
        """Tell of a request."""
        operation = message["channel"].rpartition("/")[2]
        if operation == "handshake":
            # What was sent before it is answered no more.
            self._sent.clear()
        event = RequestEvent(operation, "POST", self._path, 1)
        self._sent[message["id"]] = event, self._clock()
        _hooks.call(self._hooks.on_request, event)

    def incoming(self, message: dict[str, Any]) -> None:
        """Tell of the answer to a request."""
        sent = self._sent.pop(str(message.get("id")), None) if message["channel"].startswith("/meta/") else None
        if sent is not None:
            _hooks.call(self._hooks.on_response, ResponseEvent(sent[0], 200, self._clock() - sent[1], None))
