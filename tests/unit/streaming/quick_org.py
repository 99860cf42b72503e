"""An org for which time flies: it answers a poll at once, and says that it held it for 110 seconds."""

import contextlib
import itertools
import json
import socket
import socketserver
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

POLL = 110.0
"""Seconds that Salesforce holds a poll without events."""

Message = dict[str, Any]
Poll = Callable[[int], list[Message] | str | None]


class QuickOrg:
    """Logs in anybody and answers Bayeux.

    Args:
        poll: Called with the number of a poll, from 1, it gives the data of events, or the error with which the poll
            fails, or ``None`` for a connection that is cut.
    """

    def __init__(self, poll: Poll) -> None:
        self.logins = self.handshakes = 0
        self._poll, self._polls, self._numbers = poll, itertools.count(1), itertools.count(1)
        self._client, self._channel = "", ""
        outer = self

        class Connection(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with contextlib.suppress(ConnectionError):
                    while (answer := outer.answer(self.rfile)) is not None:
                        self.request.sendall(answer)

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False

        self._listener = Listener(("127.0.0.1", 0), Connection)
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}"
        self._thread = threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()

    def answer(self, stream: Any) -> bytes | None:
        target = stream.readline().decode("latin-1").partition(" ")[2]
        if not target:
            return None
        length = 0
        while header := stream.readline().strip().lower():
            if header.startswith(b"content-length:"):
                length = int(header.partition(b":")[2])
        body = stream.read(length)
        if target.startswith("/services/oauth2/token"):
            self.logins += 1
            token = {"access_token": f"00D000000000001!{self.logins}", "instance_url": self.url, "token_type": "Bearer"}
            return _http({**token, "id": f"{self.url}/id/00D000000000001AAA/005000000000001AAA"})
        replies = []
        for message in json.loads(body):
            found = self._replies(message)
            if found is None:
                return None
            replies += found
        return _http(replies)

    def _replies(self, message: Message) -> list[Message] | None:
        channel = message["channel"]
        reply: Message = {"channel": channel, "id": message["id"], "successful": True}
        if channel == "/meta/handshake":
            self.handshakes += 1
            self._client = reply["clientId"] = f"client{next(self._numbers)}"
            advice = {"reconnect": "retry", "interval": 0, "timeout": round(POLL * 1000)}
            reply |= {"version": "1.0", "supportedConnectionTypes": ["long-polling"], "ext": {"replay": True}}
            return [{**reply, "advice": advice}]
        reply["clientId"] = message["clientId"]
        if channel == "/meta/subscribe":
            self._channel = reply["subscription"] = message["subscription"]
        if channel != "/meta/connect" or message["clientId"] != self._client:
            return [reply]
        found = self._poll(next(self._polls))
        if isinstance(found, str):
            reply |= {"successful": False, "error": found}
            return [{**reply, "advice": {"reconnect": "none" if found.startswith("401") else "handshake"}}]
        return None if found is None else [*({"channel": self._channel, "data": data} for data in found), reply]


def _http(body: Any) -> bytes:
    encoded = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(encoded)}\r\n\r\n"
    return head.encode() + encoded
