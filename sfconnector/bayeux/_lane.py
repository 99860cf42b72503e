"""One connection at a time, that another thread can cut off."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Final

from sfconnector.bayeux._dial import Dialing, shut_down
from sfconnector.bayeux._model import Aborted
from sfconnector.bayeux._route import Route
from sfconnector.bayeux._wire import Answer, Limits, exchange

# A connection used so many seconds ago is used again without a look at whether it still stands.
_FRESH: Final = 1.0
# A connection that was given up has so many seconds to come to its end.
_MOMENT: Final = 0.1


class Lane:
    """A connection that is kept from one exchange to the next.

    Attributes:
        is_answered: Whether the answer to the latest request has begun to come.

    No exchange is repeated: whoever asked has to know that an answer may have been lost.
    """

    def __init__(self) -> None:
        self.is_answered = False
        self._use = threading.Lock()
        # Held for moments only, and never while a socket is waited for.
        self._lock = threading.Lock()
        self._closed = False
        self._busy = False
        self._cut = False
        self._dialing: Dialing | None = None
        self._socket: socket.socket | None = None
        self._to: tuple[object, ...] = ()
        self._used = 0.0

    def exchange(
        self,
        route: Route,
        request: bytes,
        limits: Limits,
        tls: ssl.SSLContext | None,
        connect_timeout: float,
        over: Callable[[], bool],
    ) -> Answer:
        """Send a request and wait for the answer.

        Args:
            route: Where to.
            request: All of it.
            limits: Bounds of the answer.
            tls: Encrypts where the route says so.
            connect_timeout: Seconds for a connection.
            over: Whether the request is out of date; what says so first and then calls `interrupt` misses none.

        Raises:
            Aborted: It is out of date, or `interrupt` or `abort` was called meanwhile.
            OSError: There is no connection, or it broke, or time ran out.
            AnswerError: The answer cannot be used.
        """
        if not self._use.acquire(timeout=limits.first):
            raise TimeoutError("another exchange occupies the connection")
        try:
            with self._lock:
                if self._closed or over():
                    raise Aborted
                self._busy, self._cut = True, False
            self.is_answered = False
            answer = exchange(self._ready(route, tls, connect_timeout), request, limits, self._note)
            if not answer.reusable:
                self._drop()
            self._used = time.monotonic()
            return answer
        except BaseException as error:
            self._drop()
            if self._cut and isinstance(error, Exception):
                raise Aborted from None
            raise
        finally:
            with self._lock:
                self._busy = False
            self._use.release()

    def _note(self) -> None:
        self.is_answered = True

    def interrupt(self) -> None:
        """End the exchange under way, if there is one."""
        with self._lock:
            if self._busy:
                self._cut = True
                if self._socket is not None:
                    shut_down(self._socket)
                if self._dialing is not None:
                    self._dialing.abandon()

    def abort(self) -> None:
        """End the exchange under way, and let no other begin."""
        with self._lock:
            self._closed = True
        self.interrupt()

    def close(self) -> None:
        """Abort, and close the connection."""
        self.abort()
        with self._use:
            self._drop()

    def _ready(self, route: Route, tls: ssl.SSLContext | None, timeout: float) -> socket.socket:
        if self._socket is not None and (self._to != route.connection or self._is_stale(self._socket)):
            self._drop()
        if self._socket is not None:
            return self._socket
        sock = self._dial(route, tls, timeout)
        with self._lock:
            self._socket, self._to = sock, route.connection
            if self._cut:
                raise Aborted
        return sock

    def _dial(self, route: Route, tls: ssl.SSLContext | None, timeout: float) -> socket.socket:
        # A lookup can hang for longer than anybody waits for it: never more than one of them at a time.
        if self._dialing is not None and not self._dialing.join(_MOMENT):
            raise TimeoutError(f"an earlier attempt to reach {route.first_hop[0]} still hangs")
        with self._lock:
            if self._cut:
                raise Aborted
            try:
                dialing = self._dialing = Dialing(route, timeout, tls)
            except RuntimeError as error:
                # The system has no thread left, or not now.
                raise OSError(str(error)) from error
        sock = dialing.result()
        self._dialing = None
        return sock

    def _is_stale(self, sock: socket.socket) -> bool:
        if time.monotonic() - self._used < _FRESH:
            return False
        sock.settimeout(0.0)
        try:
            # Either the end of the connection, or bytes that nobody asked for.
            sock.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        return True

    def _drop(self) -> None:
        with self._lock:
            sock, self._socket = self._socket, None
            if sock is not None:
                sock.close()
