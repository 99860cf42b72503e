"""The server's streaming: canned Bayeux answers on bare sockets, a thread for each connection.

What a subscription gets depends on its channel: so many retained events an answer, one event at a time with the moment
at which it was sent, or nothing.
"""

import itertools
import re
import socket
import time
from collections.abc import Iterator, Mapping
from functools import cache
from threading import Event, Lock, Thread
from typing import Any

import attrs
import orjson

EVENT_SIZE = 987
"""Bytes of one event as it stands in an answer."""
RETAINED = {1: 3_000, 10: 20_000, 100: 50_000, 1_000: 50_000}
"""How many events are retained, by how many of them there are in one answer."""
FIRST = 100_000_000
"""The replay id of the first event."""
TIMED = "/data/Timed__ChangeEvent"
IDLE = "/data/Idle__ChangeEvent"
SENT = "Sent__c"
"""The field of a timed event that tells when it was sent: nanoseconds of the monotonic clock, which processes share."""
HOLD = 20.0
"""Seconds that a poll is held; Salesforce holds it for 110, so a listener here has more to do."""
_PAUSE = 0.003
"""Seconds between a poll and its event: until then the client waits for it."""
_HEADER = {
    "entityName": "Account",
    "recordIds": ["001000000000001AAA"],
    "changeType": "UPDATE",
    "changeOrigin": "com/salesforce/api/rest/68.0;client=benchmark",
    "sequenceNumber": 1,
    "commitTimestamp": 1_793_610_000_000,
    "commitNumber": 10_585_193_272_713,
    "commitUser": "005000000000001AAA",
    "nulledFields": [],
    "diffFields": [],
    "changedFields": ["Name", "Description", "AnnualRevenue", "NumberOfEmployees", "LastModifiedDate"],
}
_FIELDS = {
    "Name": "North Star Copper",
    "AnnualRevenue": 1_234_567.89,
    "NumberOfEmployees": 1200,
    "LastModifiedDate": "2026-11-02T09:00:00.000Z",
}
_FILLING = b"north star harbour copper lantern meadow "
_CHANNEL = re.compile(r"/data/Retained(\d+)__ChangeEvent")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEADERS = (
    "HTTP/1.1 200 OK",
    "Date: Mon, 02 Nov 2026 09:00:00 GMT",
    "Strict-Transport-Security: max-age=63072000; includeSubDomains",
    "X-Content-Type-Options: nosniff",
    "X-Robots-Tag: none",
    "Cache-Control: no-cache,must-revalidate,max-age=0,no-store,private",
    "Content-Type: application/json;charset=UTF-8",
    "Vary: Accept-Encoding",
)
_HEAD = "\r\n".join(_HEADERS).encode()
_COOKIE = b"BAYEUX_BROWSER"
_SET_COOKIE = b"\r\nSet-Cookie: %s=benchmark; Path=/cometd/; HttpOnly" % _COOKIE


def retained(size: int) -> str:
    """Give the channel that sends so many events an answer."""
    return f"/data/Retained{size}__ChangeEvent"


@attrs.define
class _Session:
    """A client as the server knows it: its channel, how far it has got, and whether it has gone."""

    client_id: str
    channel: str = ""
    position: int = 0
    ended: Event = attrs.field(factory=Event)


@attrs.define
class Bayeux:
    """Sessions, and answers made beforehand."""

    _sessions: dict[str, _Session] = attrs.field(factory=dict)
    _numbers: Iterator[int] = attrs.field(factory=lambda: itertools.count(1))
    _lock: Lock = attrs.field(factory=Lock)

    def listen(self) -> int:
        """Accept connections in a thread of its own and give the port."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        Thread(target=self._accept, args=(listener,), daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    def _accept(self, listener: socket.socket) -> None:
        while True:
            accepted, _ = listener.accept()
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        received = b""
        try:
            with connection:
                while piece := connection.recv(1 << 16):
                    received += piece
                    while (request := _split(received)) is not None:
                        head, body, received = request
                        connection.sendall(self._answer(head, body))
        except ConnectionError:
            pass  # A client may go when it likes.

    def _answer(self, head: bytes, body: bytes) -> bytes:
        sent = orjson.loads(body)
        messages: list[dict[str, Any]] = sent if isinstance(sent, list) else [sent]
        if messages[0]["channel"] == "/meta/handshake":
            return _http(b"[%s]" % orjson.dumps(self._handshake(messages[0])), _SET_COOKIE)
        if _COOKIE not in head:
            raise AssertionError("the cookie of the handshake did not come back")
        return _http(b"[%s]" % b",".join(self._reply(message) for message in messages))

    def _handshake(self, message: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            session = _Session(f"client{next(self._numbers)}")
            self._sessions[session.client_id] = session
        return {
            "ext": {"replay": True, "payload.format": True},
            "minimumVersion": "1.0",
            "clientId": session.client_id,
            "supportedConnectionTypes": ["long-polling"],
            "channel": "/meta/handshake",
            "id": message.get("id"),
            "version": "1.0",
            "successful": True,
            "advice": {"reconnect": "retry", "interval": 0, "timeout": round(HOLD * 1000)},
        }

    def _reply(self, message: dict[str, Any]) -> bytes:
        """Give the reply to a message, and the events that stand before it."""
        session, channel = self._sessions[message["clientId"]], message["channel"]
        reply = {"clientId": session.client_id, "channel": channel, "id": message.get("id"), "successful": True}
        match channel:
            case "/meta/connect":
                reply["advice"] = {"reconnect": "retry", "interval": 0, "timeout": round(HOLD * 1000)}
                at_once = message.get("advice", {}).get("timeout") == 0
                return b"%s%s" % (_events(session, 0 if at_once else HOLD), orjson.dumps(reply))
            case "/meta/subscribe":
                session.channel = message["subscription"]
                if found := _CHANNEL.fullmatch(session.channel):
                    _retained_events(int(found[1]))  # Nobody waits for them to be made.
                reply["subscription"] = session.channel
            case "/meta/unsubscribe":
                reply["subscription"] = message["subscription"]
            case "/meta/disconnect":
                session.ended.set()
        return orjson.dumps(reply)


def _events(session: _Session, hold: float) -> bytes:
    """Give the next events with a comma after each; without any, after the poll has been held for so many seconds."""
    if not session.channel:
        return b""
    if session.channel == TIMED:
        time.sleep(_PAUSE)
        session.position += 1
        return _timed_event(session.position)
    if found := _CHANNEL.fullmatch(session.channel):
        size = int(found[1])
        start, session.position = session.position, session.position + size
        if pieces := _retained_events(size)[start : start + size]:
            return b"".join(pieces)
    session.ended.wait(hold)
    return b""


@cache
def _retained_events(size: int) -> list[bytes]:
    """Make the events of a channel, all different."""
    channel = retained(size)
    return [_event(channel, number) + b"," for number in range(RETAINED[size])]


def _timed_event(number: int) -> bytes:
    return _event(TIMED, number, {SENT: time.monotonic_ns()}) + b","


def _event(channel: str, number: int, more: Mapping[str, Any] | None = None) -> bytes:
    fields = {**_FIELDS, **(more or {}), "Description": ""}
    payload = {"ChangeEventHeader": {**_HEADER, "transactionKey": f"0004dd15-0000-0000-000{number:09d}"}, **fields}
    data = {"schema": "TqN9ZUUxTeNoQgZzJhpt3Q", "payload": payload, "event": {"replayId": FIRST + number}}
    message = orjson.dumps({"data": data, "channel": channel})
    filling = (_FILLING * 40)[: EVENT_SIZE - len(message)]
    return message.replace(b'"Description":""', b'"Description":"%s"' % filling)


def _split(received: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Cut the first request off what has arrived: its head, its body and the rest."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    length = _LENGTH.search(received, 0, end + 2)
    whole = end + 4 + (int(length[1]) if length else 0)
    if len(received) < whole:
        return None
    return received[:end], received[end + 4 : whole], received[whole:]


def _http(body: bytes, headers: bytes = b"") -> bytes:
    return b"%s%s\r\nContent-Length: %d\r\n\r\n%s" % (_HEAD, headers, len(body), body)
