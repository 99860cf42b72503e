"""A small HTTP server whose answers, and whose failures to answer, a test writes down."""

import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """An answer; ``length`` lies about the body's, and ``close`` ends the connection after it."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    close: bool = False

    @classmethod
    def of(cls, data: Any, status: int = 200, **headers: str) -> "Reply":
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, json.dumps(data).encode(), {"Content-Type": "application/json;charset=UTF-8", **names})

    @classmethod
    def error(cls, status: int, code: str, message: str = "…", **headers: str) -> "Reply":
        return cls.of([{"errorCode": code, "message": message}], status, **headers)

    def encode(self) -> bytes:
        length = len(self.body) if self.length is None else self.length
        headers = {"Content-Length": str(length), **self.headers}
        head = f"HTTP/1.1 {self.status} Status\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        return head.encode() + b"\r\n" + self.body


class Cut:
    """No answer: the connection is closed once the request has arrived."""


class Silence:
    """No answer: the connection stays open."""


@dataclass
class Halting:
    """An answer whose second half comes once somebody says so."""

    reply: Reply
    halted: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)


@dataclass
class Drip:
    """An answer that goes on for ever, a byte at a time."""

    status: int = 200


Answer = Reply | Cut | Silence | Halting | Drip
Handler = Callable[[Seen], Answer]


class Server:
    """Answers on 127.0.0.1, each connection in a thread of its own.

    Args:
        answers: A function, or the answers in their order, the last one for all that follow.
        context: Speaks TLS.
        lost_handshakes: So many connections are closed before the TLS handshake.
    """

    def __init__(
        self, answers: Handler | Iterable[Answer], context: ssl.SSLContext | None = None, lost_handshakes: int = 0
    ) -> None:
        self.seen: list[Seen] = []
        self.connections = 0
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._context, self._lost_handshakes = context, lost_handshakes
        self._answer = answers if callable(answers) else in_order(answers)
        outer = self

        class Connection(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer.serve(self.request)

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 64

        self._listener = Listener(("127.0.0.1", 0), Connection)
        scheme = "http" if context is None else "https"
        self.port = self._listener.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.01})

    def serve(self, connection: socket.socket) -> None:
        with self._lock:
            self.connections += 1
            lost, self._lost_handshakes = self._lost_handshakes > 0, self._lost_handshakes - 1
        if lost:
            return
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                while (seen := read(stream)) is not None:
                    with self._lock:
                        self.seen.append(seen)
                    if not self._send(connection, self._answer(seen)):
                        return
        except OSError:
            return

    def _send(self, connection: socket.socket, answer: Answer) -> bool:
        match answer:
            case Reply():
                connection.sendall(answer.encode())
                return not answer.close
            case Halting(reply, halted, go):
                whole = reply.encode()
                connection.sendall(whole[: len(whole) // 2])
                halted.set()
                while not go.wait(0.05) and not self.ended.is_set():
                    pass
                connection.sendall(whole[len(whole) // 2 :])
                return not reply.close
            case Silence():
                self.ended.wait()
            case Drip():
                kind = "Content-Type: application/json\r\nContent-Length: 99999"
                connection.sendall(f"HTTP/1.1 {answer.status} Status\r\n{kind}\r\n\r\n".encode())
                while not self.ended.wait(0.005):
                    connection.sendall(b" ")
        return False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.ended.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


def in_order(answers: Iterable[Answer]) -> Handler:
    """Give the answers one after the other."""
    waiting = list(answers)
    return lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0]


def read(stream: Any) -> Seen | None:
    """Read one request, its body sized or in chunks."""
    line = stream.readline().decode("latin-1").split()
    if len(line) < 3:
        return None
    headers = {}
    while header := stream.readline().decode("latin-1").strip():
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(stream.readline(), 16):
            body += stream.read(size)
            stream.readline()
        stream.readline()
    else:
        body = stream.read(int(headers.get("content-length", 0)))
    return Seen(line[0], line[1], headers, body)


class Proxy(Server):
    """A forward proxy for plain HTTP that answers by itself, and a tunnel for TLS."""

    def __init__(self, answers: Handler | Iterable[Answer] = (), tunnel_to: int | None = None) -> None:
        super().__init__(answers)
        self._tunnel_to = tunnel_to

    def serve(self, connection: socket.socket) -> None:
        if self._tunnel_to is None:
            super().serve(connection)
            return
        with (
            connection,
            connection.makefile("rb") as stream,
            socket.create_connection(("127.0.0.1", self._tunnel_to)) as target,
        ):
            seen = read(stream)
            if seen is None:
                return
            self.seen.append(seen)
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(target, connection), daemon=True)
            back.start()
            pump(connection, target)
            back.join()


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Copy bytes until the source ends."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return
