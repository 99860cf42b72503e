"""A small and strict Bayeux server with replay, whose failures a test writes down."""

import contextlib
import enum
import itertools
import json
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from http_server import Seen, read

Message = dict[str, Any]

HANDSHAKE, CONNECT, DISCONNECT = "/meta/handshake", "/meta/connect", "/meta/disconnect"
SUBSCRIBE, UNSUBSCRIBE = "/meta/subscribe", "/meta/unsubscribe"
UNKNOWN = "403::Unknown client"


class Ruin(enum.Enum):
    """What becomes of an answer; the first three are lost with the events that they hold."""

    LOSE = "the connection is closed"
    HALVE = "it is cut in half"
    RESET = "the connection is reset"
    # Of these the server has not even looked at the message, except that a poll is held first.
    BUSY = "503 in its place"
    HTML = "a page with status 200 in its place"
    HANG = "nothing comes"
    DRIP = "a blank comes now and then"


UNSEEN = (Ruin.BUSY, Ruin.HTML, Ruin.HANG, Ruin.DRIP)


@dataclass
class Session:
    """What the server knows of a client."""

    client_id: str
    cookie: str
    subscriptions: dict[str, None] = field(default_factory=dict)
    queue: deque[Message] = field(default_factory=deque)
    polling: bool = False
    polls: int = 0
    ended: bool = False
    # An answer to it was lost: who polls again for it loses events.
    spoiled: bool = False


@dataclass
class Fault:
    channel: str
    ruin: Ruin
    headers: dict[str, str]


@dataclass
class Outgoing:
    """An answer before it is written down, or ruined."""

    channel: str
    messages: list[Message]
    status: int = 200
    cookie: str = ""


@dataclass
class Call:
    """A message as it arrived."""

    channel: str
    message: Message
    headers: dict[str, str]


class BayeuxServer:
    """Answers on 127.0.0.1, each connection in a thread of its own; ``breaches`` is what clients did wrong.

    Args:
        context: Speaks TLS.
        hold: Seconds for which a poll is held.
        interval: Milliseconds that the server advises to wait between polls.
        chunked: Answers come in chunks, without a length.
    """

    def __init__(
        self, context: ssl.SSLContext | None = None, *, hold: float = 300.0, interval: int = 0, chunked: bool = False
    ) -> None:
        self.calls: list[Call] = []
        self.breaches: list[str] = []
        self.sessions: dict[str, Session] = {}
        self.connections = 0
        self.ended = False
        # Called with each subscribe, under the lock: gives the text of an error, or nothing.
        self.refuse: Callable[[Message], str | None] = lambda _: None
        # Called with each answer, under the lock: changes the messages.
        self.rewrite: Callable[[list[Message]], list[Message]] = lambda messages: messages
        self.failure_advice: dict[str, Any] | None = {"reconnect": "handshake"}
        self.path = "/cometd/67.0"
        self.hold, self.interval = hold, interval
        self.log: list[tuple[int, str, Any]] = []
        self._faults: list[Fault] = []
        self._releases = 0
        self._context, self._chunked = context, chunked
        self._ids = itertools.count(1)
        # One that its holder may take again, so that a test's own functions can publish and wait.
        self._changed = threading.Condition()
        self._sockets: set[socket.socket] = set()
        outer = self

        class Connection(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer._serve(self.request)

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 64

        self._listener = Listener(("127.0.0.1", 0), Connection)
        self.port = self._listener.server_address[1]
        self.url = f"{'http' if context is None else 'https'}://127.0.0.1:{self.port}{self.path}"
        self._thread = threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.01})

    # What a test does.

    def publish(self, channel: str, *payloads: Any) -> list[int]:
        """Keep events and send them to whoever is subscribed, those of one call together."""
        with self._changed:
            ids = [self._publish(channel, payload) for payload in payloads]
            self._changed.notify_all()
        return ids

    def fault(self, channel: str, ruin: Ruin, times: int = 1, **headers: str) -> None:
        """Ruin the next answers to messages of a meta channel, once they are due."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        with self._changed:
            self._faults += [Fault(channel, ruin, names)] * times

    def kill(self) -> None:
        """Forget all clients; held polls are answered."""
        with self._changed:
            for session in self.sessions.values():
                session.ended = True
            self.sessions.clear()
            self._changed.notify_all()

    def kick(self) -> None:
        """Tell all clients that their session is over; their next poll would fail."""
        with self._changed:
            for session in self.sessions.values():
                session.queue.append({"channel": DISCONNECT, "successful": True})
                session.ended = True
            self.sessions.clear()
            self._changed.notify_all()

    def release(self) -> None:
        """Answer the polls that are held."""
        with self._changed:
            self._releases += 1
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[], object], timeout: float = 30.0) -> None:
        """Wait until something is so."""
        with self._changed:
            assert self._changed.wait_for(condition, timeout), "it did not come to that"

    def wait_for_poll(self, number: int = 1) -> None:
        """Wait until a client has polled for the so manieth time, the first being 1, in its session and is held."""
        self.wait_for(lambda: any(each.polling and each.polls >= number for each in self.sessions.values()))

    def count(self, channel: str) -> int:
        """Tell how many messages of a meta channel have come."""
        return sum(call.channel == channel for call in self.calls)

    # What the server does.

    def _publish(self, channel: str, payload: Any) -> int:
        replay_id = next(self._ids) * 10
        self.log.append((replay_id, channel, payload))
        for session in self.sessions.values():
            if channel in session.subscriptions:
                session.queue.append(event(channel, payload, replay_id))
        self._changed.notify_all()
        return replay_id

    def _serve(self, connection: socket.socket) -> None:
        with self._changed:
            self.connections += 1
            self._sockets.add(connection)
        try:
            if self._context is not None:
                plain, connection = connection, self._context.wrap_socket(connection, server_side=True)
                with self._changed:
                    self._sockets.discard(plain)
                    self._sockets.add(connection)
            with connection, connection.makefile("rb") as stream:
                while (seen := read(stream)) is not None:
                    if not self._answer(connection, seen):
                        return
        except OSError:
            return
        finally:
            with self._changed:
                self._sockets.discard(connection)

    def _answer(self, connection: socket.socket, seen: Seen) -> bool:
        with self._changed:
            answer = self._reply(seen)
            fault = next((fault for fault in self._faults if fault.channel == answer.channel), None)
            if fault is not None:
                self._faults.remove(fault)
            self._changed.notify_all()
        body = json.dumps(answer.messages).encode()
        if fault is not None:
            return self._ruin(connection, fault, body)
        cookie = f"Set-Cookie: BAYEUX_BROWSER={answer.cookie}; Path=/; HttpOnly\r\n" if answer.cookie else ""
        head = f"HTTP/1.1 {answer.status} Status\r\nContent-Type: application/json;charset=UTF-8\r\n{cookie}"
        if self._chunked:
            half = len(body) // 2
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:half], body[half:]) if part)
            connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks + b"0\r\n\r\n")
        else:
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return True

    def _ruin(self, connection: socket.socket, fault: Fault, body: bytes) -> bool:
        headers = "".join(f"{name}: {value}\r\n" for name, value in fault.headers.items())
        length = f"Content-Length: {len(body)}\r\n\r\n"
        match fault.ruin:
            case Ruin.HALVE:
                half = body[: len(body) // 2]
                connection.sendall(f"HTTP/1.1 200 OK\r\n{length}".encode() + half)
            case Ruin.BUSY:
                connection.sendall(f"HTTP/1.1 503 Busy\r\n{headers}Content-Length: 0\r\n\r\n".encode())
                return True
            case Ruin.HTML:
                page = "<html><body>Down for Maintenance</body></html>"
                head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n"
                connection.sendall((head + page).encode())
                return True
            case Ruin.RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case Ruin.HANG:
                with self._changed:
                    self._changed.wait_for(lambda: self.ended)
            case Ruin.DRIP:
                connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n{headers}\r\n".encode())
                with self._changed:
                    while not self.ended:
                        self._changed.wait(0.005)
                        connection.sendall(b" ")
        return False

    def _reply(self, seen: Seen) -> Outgoing:
        messages = json.loads(seen.body)
        if seen.method != "POST" or not seen.target.endswith(self.path):
            self.breaches.append(f"{seen.method} {seen.target}")
        if not isinstance(messages, list) or len(messages) != 1:
            self.breaches.append("not one message in an array")
            return Outgoing("", [], 400)
        message = messages[0]
        channel = message["channel"]
        self.calls.append(Call(channel, message, seen.headers))
        self._changed.notify_all()
        if "id" not in message or not seen.headers.get("content-type", "").startswith("application/json"):
            self.breaches.append(f"{channel}: no id, or no JSON by its type")
        if channel != CONNECT and self._ruin_of(channel) in UNSEEN:
            return Outgoing(channel, [])
        if channel == HANDSHAKE:
            return self._handshake(message)
        session = self.sessions.get(message.get("clientId", ""))
        if session is None:
            return Outgoing(channel, self.rewrite([self._failed(message, UNKNOWN)]))
        if f"BAYEUX_BROWSER={session.cookie}" not in seen.headers.get("cookie", ""):
            self.breaches.append(f"{channel}: no cookie")
            return Outgoing(channel, [], 400)
        replies = {
            CONNECT: self._connect,
            SUBSCRIBE: self._subscribe,
            UNSUBSCRIBE: self._unsubscribe,
            DISCONNECT: self._disconnect,
        }
        reply = replies[channel](session, message)
        if self._ruin_of(channel) is not None:
            session.spoiled = True
        if self._ruin_of(channel) in UNSEEN:
            return Outgoing(channel, [])
        events = list(session.queue)
        session.queue.clear()
        return Outgoing(channel, self.rewrite([*events, reply]))

    def _ruin_of(self, channel: str) -> Ruin | None:
        return next((fault.ruin for fault in self._faults if fault.channel == channel), None)

    def _handshake(self, message: Message) -> Outgoing:
        if message.get("version") != "1.0" or message.get("supportedConnectionTypes") != ["long-polling"]:
            self.breaches.append("handshake: version or connection types")
        number = next(self._ids)
        session = Session(f"client{number}", f"cookie{number}")
        self.sessions[session.client_id] = session
        fields = {"version": "1.0", "clientId": session.client_id, "supportedConnectionTypes": ["long-polling"]}
        reply = self._agreed(message) | fields | {"advice": self._advice(), "ext": {"replay": True}}
        return Outgoing(HANDSHAKE, self.rewrite([reply]), cookie=session.cookie)

    def _connect(self, session: Session, message: Message) -> Message:
        session.polls += 1
        if session.polling:
            self.breaches.append("two polls at the same time")
        if session.spoiled:
            self.breaches.append("a poll for a session whose answer was lost")
        if message.get("connectionType") != "long-polling":
            self.breaches.append(f"connectionType {message.get('connectionType')}")
        until = time.monotonic() + self.hold
        if message.get("advice", {}).get("timeout") != 0:
            session.polling = True
            self._changed.notify_all()
            releases = self._releases
            while not (session.queue or session.ended or self.ended) and (left := until - time.monotonic()) > 0:
                if self._releases != releases:
                    break
                self._changed.wait(left)
            session.polling = False
        kicked = any(each["channel"] == DISCONNECT for each in session.queue)
        if session.ended and not kicked:
            return self._failed(message, UNKNOWN)
        return self._agreed(message) | ({"advice": self._advice()} if "advice" in message else {})

    def _subscribe(self, session: Session, message: Message) -> Message:
        channel = message["subscription"]
        if (error := self.refuse(message)) is not None:
            return self._failed(message, error) | {"subscription": channel}
        session.subscriptions[channel] = None
        replay = message.get("ext", {}).get("replay", {}).get(channel, -1)
        for replay_id, its_channel, payload in self.log:
            if channel == its_channel and replay != -1 and replay_id > replay:
                session.queue.append(event(channel, payload, replay_id))
        return self._agreed(message) | {"subscription": channel}

    def _unsubscribe(self, session: Session, message: Message) -> Message:
        session.subscriptions.pop(message["subscription"], None)
        return self._agreed(message) | {"subscription": message["subscription"]}

    def _disconnect(self, session: Session, message: Message) -> Message:
        session.ended = True
        self.sessions.pop(session.client_id, None)
        return self._agreed(message)

    def _advice(self) -> Message:
        return {"reconnect": "retry", "interval": self.interval, "timeout": int(self.hold * 1000)}

    def _agreed(self, message: Message) -> Message:
        return {"channel": message["channel"], "id": message["id"], "successful": True}

    def _failed(self, message: Message, error: str) -> Message:
        advice = {} if self.failure_advice is None else {"advice": self.failure_advice}
        return self._agreed(message) | {"successful": False, "error": error} | advice

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        with self._changed:
            self.ended = True
            self._changed.notify_all()
            for connection in self._sockets:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


def event(channel: str, payload: Any, replay_id: int) -> Message:
    """Write an event as Salesforce does."""
    return {"channel": channel, "data": {"payload": payload, "event": {"replayId": replay_id}}}
