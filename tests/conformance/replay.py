"""A server that gives recorded answers, byte for byte, and only to the requests that they were given to."""

import json
import re
import threading
from collections import deque
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from recordings import SCRUBBED, Exchange

TOKEN_PATH = "/services/oauth2/token"
_VERSION = re.compile(r"^/services/data/v[^/]+")
_OF_THE_CONNECTION = frozenset({"connection", "transfer-encoding", "content-length", "response-headers"})
# A status that no client repeats a request after.
_UNEXPECTED = 418


class Replay:
    """Answers exchanges in their order; leaving its block fails unless each was asked for, and nothing else was.

    In token answers the instance becomes this server, and each masked token one of its own; everything else is
    served as it was recorded.
    """

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        self._waiting = deque(exchanges)
        self._lock = threading.Lock()
        self._failures: list[str] = []
        self.authorizations: list[str | None] = []
        """The Authorization header of each request."""
        self.tokens: list[str] = []
        """The access tokens given out."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        assert not self._failures, "\n".join(self._failures)
        if error is None:
            assert not self._waiting, f"never asked for: {[exchange.id for exchange in self._waiting]}"

    def answer(self, method: str, target: str, authorization: str | None, body: bytes) -> tuple[Exchange | None, bytes]:
        """Find the answer to a request, or why there is none."""
        with self._lock:
            self.authorizations.append(authorization)
            wanted = self._waiting.popleft() if self._waiting else None
            reason = "nothing more was recorded" if wanted is None else _difference(wanted, method, target, body)
            if reason:
                self._failures.append(f"{method} {target}: {reason}")
                return None, reason.encode()
        assert wanted is not None
        text = wanted.body
        if wanted.path == TOKEN_PATH and wanted.status == 200:
            self.tokens.append(f"token-{len(self.tokens) + 1}")
            given = {**wanted.data, "instance_url": self.url, "access_token": self.tokens[-1]}
            text = json.dumps(given)
        return wanted, text.encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        replay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                received = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                authorization = self.headers.get("Authorization")
                exchange, body = replay.answer(self.command, self.path, authorization, received)
                self.send_response_only(exchange.status if exchange else _UNEXPECTED)
                for name, value in exchange.headers.items() if exchange else ():
                    if name.lower() not in _OF_THE_CONNECTION:
                        self.send_header(name, value)
                if exchange is None or exchange.status not in (204, 304):
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

            def log_message(self, format: str, *arguments: Any) -> None:
                """Stay silent."""

        return Handler


def _difference(wanted: Exchange, method: str, target: str, body: bytes) -> str:
    parts = urlsplit(target)
    query = sorted(parse_qsl(parts.query, keep_blank_values=True))
    if (method, _plain(parts.path, wanted)) != (wanted.method, _plain(wanted.path, wanted)):
        return f"{wanted.id} was recorded next: {wanted.method} {wanted.path}"
    if query != sorted(wanted.query):
        return f"{wanted.id} was recorded next, with the query {wanted.query}"
    expected = _json(wanted.request_body)
    if wanted.path != TOKEN_PATH and expected is not None and _json(body) != expected:
        return f"{wanted.id} was recorded with another body"
    return ""


def _plain(path: str, wanted: Exchange) -> str:
    # Some recorders wrote a slash at the end, which means nothing, and removed the version.
    path = path.rstrip("/")
    return _VERSION.sub("", path) if wanted.version == SCRUBBED else path


def _json(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
