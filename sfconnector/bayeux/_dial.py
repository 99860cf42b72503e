"""Making a connection on a thread of its own: nothing ends a name lookup or a TCP handshake that hangs."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from functools import cache
from typing import Final

from sfconnector.bayeux._model import Aborted
from sfconnector.bayeux._route import Route
from sfconnector.bayeux._wire import Limits, connect_tunnel

# A dead NAT or peer shows after a minute, long before a poll's own time is over.
_KEEPALIVE: Final = (("TCP_KEEPIDLE", 30), ("TCP_KEEPALIVE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
_LEAST: Final = 0.05


class Dialing:
    """A connection that is being made.

    Args:
        route: Where to.
        timeout: Seconds for all of it: name, TCP, proxy and TLS.
        tls: Encrypts where the route says so.
    """

    def __init__(self, route: Route, timeout: float, tls: ssl.SSLContext | None) -> None:
        self._route, self._timeout, self._tls = route, timeout, tls
        self._end = time.monotonic() + timeout
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._error: Exception | None = None
        self._abandoned = False
        self._settled = threading.Event()
        # A daemon, since a lookup may hang for longer than the program has left to run.
        self._thread = threading.Thread(target=self._run, name="bayeux-dial", daemon=True)
        self._thread.start()

    def result(self) -> socket.socket:
        """Wait for the connection.

        Raises:
            Aborted: `abandon` was called.
            OSError: There is no connection, or not in time.
            AnswerError: The proxy answers no HTTP.
        """
        self._settled.wait(max(self._end - time.monotonic(), 0.0))
        with self._lock:
            if not self._settled.is_set():
                self._abandon(TimeoutError(f"no connection to {self._where()} within {self._timeout:g} s"))
            if self._error is not None or self._socket is None:
                raise self._error or Aborted
            return self._socket

    def abandon(self) -> None:
        """Have `result` raise at once, and the thread end as soon as the system lets it."""
        with self._lock:
            if not self._settled.is_set():
                self._abandon(Aborted())

    def join(self, timeout: float) -> bool:
        """Wait for the end of the thread, and tell whether it has come."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _abandon(self, error: Exception) -> None:
        self._abandoned, self._error = True, error
        if self._socket is not None:
            shut_down(self._socket)
        self._settled.set()

    def _where(self) -> str:
        host, port = self._route.first_hop
        return f"{host}:{port}" + (" (the proxy)" if self._route.proxy is not None else "")

    def _run(self) -> None:
        try:
            self._open()
        except Exception as error:  # handed over to the thread that waits
            self._discard()
            with self._lock:
                if not self._abandoned:
                    self._error = error
        self._settled.set()

    def _open(self) -> None:
        sock = self._connect()
        if self._route.proxy is not None and self._route.tls:
            self._tunnel(sock)
        if self._route.tls:
            self._encrypt(sock)
        with self._lock:
            if self._abandoned:
                raise Aborted
            self._settled.set()

    def _connect(self) -> socket.socket:
        host, port = self._route.first_hop
        error: OSError | None = None
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for tried, (family, kind, protocol, _, address) in enumerate(addresses):
            sock = socket.socket(family, kind, protocol)
            self._hold(sock)
            try:
                # One address that swallows everything must leave time for the others.
                sock.settimeout(self._left() / (len(addresses) - tried))
                sock.connect(address)
            except OSError as failed:
                error = failed
                self._discard()
            else:
                _prepare(sock)
                return sock
        raise error or OSError(f"{host} has no address")

    def _tunnel(self, sock: socket.socket) -> None:
        left = self._left()
        status = connect_tunnel(sock, self._route.tunnel_request(), Limits(left, left, left, 0))
        if status != 200:
            raise ConnectionRefusedError(f"{self._where()} answers {status} to CONNECT")

    def _encrypt(self, plain: socket.socket) -> None:
        context = self._tls or _default_context()
        sock = context.wrap_socket(
            plain, server_hostname=self._route.host, do_handshake_on_connect=False, suppress_ragged_eofs=True
        )
        self._hold(sock)
        sock.settimeout(self._left())
        sock.do_handshake()

    def _left(self) -> float:
        return max(self._end - time.monotonic(), _LEAST)

    def _hold(self, sock: socket.socket) -> None:
        with self._lock:
            self._socket = sock
            if self._abandoned:
                raise Aborted

    def _discard(self) -> None:
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            self._socket = None


@cache
def _default_context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _prepare(sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if (option := getattr(socket, name, None)) is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def shut_down(sock: socket.socket) -> None:
    """Wake whoever reads from a socket, also under TLS; whoever owns the socket closes it.

    The method of the TLS socket would take the encryption from under the thread that reads.
    """
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
