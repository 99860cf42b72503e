"""The server's Bulk API 2.0: a thread for each connection, so that a slow one holds up no other."""

import itertools
import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from functools import cache
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs

from tests.benchmarks._answers import DATA, answer, description, head, pack
from tests.benchmarks._rows import ROWS_A_PAGE, TYPES, count, page

FAR = 0.5
"""Seconds that the far port waits before each answer."""
_BYTES_A_SECOND = 100_000_000 / 8
"""What a connection to the far port carries."""
WORK = 2.0
"""Seconds that a job of the busy object takes; the others are done at once."""
BUSY = "Case"
_PAGES_A_LIST = 5
_PIECE = 1 << 16
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_QUERY = re.compile(r"FROM (\w+) LIMIT (\d+)")
_NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
_CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"


@attrs.define
class _Job:
    """A job: what was told of it when it was made, how many rows it has, and when it is done."""

    told: dict[str, Any]
    rows: int = 0
    done_at: float = 0

    def start(self) -> None:
        self.done_at = time.monotonic() + (WORK if self.told["object"] == BUSY else 0)

    def info(self) -> dict[str, Any]:
        done = self.told["state"] != "Open" and time.monotonic() >= self.done_at
        numbers = {"numberRecordsProcessed": self.rows, "numberRecordsFailed": 0, "retries": 0}
        return self.told | numbers | ({"state": "JobComplete"} if done else {})


@attrs.define
class Bulk:
    """Jobs, and how often anybody called."""

    calls: int = 0
    _jobs: dict[str, _Job] = attrs.field(factory=dict)
    _numbers: Iterator[int] = attrs.field(factory=lambda: itertools.count(1))

    def listen(self, context: ssl.SSLContext, *, far: bool) -> int:
        """Accept connections in a thread of its own and give the port."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        Thread(target=self._accept, args=(listener, context, far), daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    def _accept(self, listener: socket.socket, context: ssl.SSLContext, far: bool) -> None:
        while True:
            accepted, _ = listener.accept()
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Thread(target=self._serve, args=(accepted, context, far), daemon=True).start()

    def _serve(self, accepted: socket.socket, context: ssl.SSLContext, far: bool) -> None:
        try:
            with context.wrap_socket(accepted, server_side=True) as connection:
                while request := _Request.read(connection):
                    self.calls += 1
                    pieces = self._answer(request)
                    if far:
                        time.sleep(FAR)
                    _send(connection, pieces, far)
        except (ConnectionError, ssl.SSLError):
            pass  # A client may go when it likes.

    def _answer(self, request: "_Request") -> list[bytes]:
        _, _, path = request.path.partition(f"{DATA}/")
        match request.method, path.strip("/").split("/"):
            case "GET", ["sobjects", _, "describe"]:
                return [answer(description(TYPES))]
            case "POST", ["jobs", kind]:
                return [answer(self._create(kind, json.loads(request.body)))]
            case "GET", ["jobs", "query", job_id, "results"]:
                return self._results(job_id, request.query)
            case "GET", ["jobs", "query", job_id, "resultPages"]:
                return [answer(self._result_pages(job_id, request.query))]
            case "PUT", ["jobs", "ingest", job_id, "batches"]:
                self._jobs[job_id].rows = request.rows - 1
                return [_CREATED]
            case "GET", ["jobs", _, job_id]:
                return [answer(self._jobs[job_id].info())]
            case "PATCH", ["jobs", _, job_id]:
                self._jobs[job_id].told |= json.loads(request.body)
                self._jobs[job_id].start()
                return [answer(self._jobs[job_id].told)]
            case "DELETE", ["jobs", _, job_id]:
                del self._jobs[job_id]
                return [_NO_CONTENT]
        raise AssertionError(f"the server does not know {request.method} {request.path}")

    def _create(self, kind: str, asked: dict[str, Any]) -> dict[str, Any]:
        job_id = f"750{next(self._numbers):012d}AAA"
        told = {
            "id": job_id,
            "operation": asked["operation"],
            "createdById": "005000000000001AAA",
            "createdDate": "2026-11-02T09:00:00.000+0000",
            "systemModstamp": "2026-11-02T09:00:00.000+0000",
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": 68.0,
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }
        job = self._jobs[job_id] = _Job(told)
        if kind == "ingest":
            told |= {
                "object": asked["object"],
                "state": "Open",
                "contentUrl": f"{DATA[1:]}/jobs/ingest/{job_id}/batches",
            }
        else:
            found = _QUERY.search(asked["query"])
            assert found, "a query ends with its object and a limit"
            told |= {"object": found[1], "state": "UploadComplete"}
            job.rows = int(found[2])
            job.start()
        return told

    def _results(self, job_id: str, query: dict[str, list[str]]) -> list[bytes]:
        start = int(query.get("locator", ["0"])[0])
        rest = self._jobs[job_id].rows - start
        rows = min(ROWS_A_PAGE, rest, int(query.get("maxRecords", [str(ROWS_A_PAGE)])[0]))
        locator = "null" if rows == rest else str(start + rows)
        headers = ("Content-Type: text/csv", f"Sforce-NumberOfRecords: {rows}", f"Sforce-Locator: {locator}")
        return [head(*headers), _packed(rows)]

    def _result_pages(self, job_id: str, query: dict[str, list[str]]) -> dict[str, Any]:
        rows = self._jobs[job_id].rows
        starts = range(int(query.get("locator", ["0"])[0]), rows, ROWS_A_PAGE)
        job = f"{DATA}/jobs/query/{job_id}"
        pages = [{"resultUrl": f"{job}/results?locator={start}"} for start in starts[:_PAGES_A_LIST]]
        more = starts[_PAGES_A_LIST:]
        following = {"nextRecordsUrl": f"{job}/resultPages?locator={more[0]}"} if more else {}
        return {"resultPages": pages, "done": not more, **following}


@attrs.frozen
class _Request:
    """A request; of rows that are put, their number and not themselves."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: bytes
    rows: int

    @classmethod
    def read(cls, connection: ssl.SSLSocket) -> "_Request | None":
        received = bytearray()
        while (end := received.find(b"\r\n\r\n")) < 0:
            if not (piece := connection.recv(_PIECE)):
                return None
            received += piece
        first = bytes(received[:end])
        length = _LENGTH.search(first)
        rest = int(length[1]) if length else 0
        method, target, _ = first.decode("latin-1").split(" ", 2)
        split = urlsplit(target)
        body, rows = _body(connection, bytes(received[end + 4 :]), rest, keep=method != "PUT")
        return cls(method, split.path, parse_qs(split.query), body, rows)


def _body(connection: ssl.SSLSocket, piece: bytes, length: int, *, keep: bool) -> tuple[bytes, int]:
    body, rows, before = bytearray(), 0, b""
    while True:
        length -= len(piece)
        if keep:
            body += piece
        else:
            rows += count(piece, before)
        if not length:
            return bytes(body), rows
        before = piece[-1:]
        if not (piece := connection.recv(min(length, _PIECE))):
            raise ConnectionError("the client went away")


def _send(connection: ssl.SSLSocket, pieces: list[bytes], far: bool) -> None:
    if not far:
        for each in pieces:
            connection.sendall(each)
        return
    started, sent = time.monotonic(), 0
    view = memoryview(b"".join(pieces))
    while sent < len(view):
        connection.sendall(view[sent : sent + _PIECE])
        sent += min(_PIECE, len(view) - sent)
        time.sleep(max(0, started + sent / _BYTES_A_SECOND - time.monotonic()))


@cache
def _packed(rows: int) -> bytes:
    return pack(page(rows))
