"""A server of canned answers in a process of its own, so that its work is not counted as a client's."""

import asyncio
import json
import re
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import attrs

if TYPE_CHECKING:
    from tests.benchmarks._bulk import Bulk

HOST = "127.0.0.1"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
LATENCY = 0.1
"""Seconds that the slow port waits before each answer."""


@attrs.frozen
class Server:
    """Where the server listens: plain HTTP, TLS, and TLS with a delay; the bulk API by TLS, near and far; streaming."""

    plain: int
    tls: int
    slow: int
    bulk: int
    far: int
    streaming: int
    bundle: str
    """Path of the CA bundle: the usual certificates and the server's own."""
    rows: int
    """How many rows the bulk measurements have."""

    def cpu_seconds(self) -> float:
        """Ask how much CPU time the server has used so far."""
        return self._used()[0]

    def bulk_calls(self) -> int:
        """Ask how often anybody called the bulk API so far."""
        return int(self._used()[1])

    def _used(self) -> tuple[float, float]:
        import socket

        with socket.create_connection((HOST, self.plain)) as connection:
            connection.sendall(b"GET /used HTTP/1.1\r\n\r\n")
            seconds, calls = connection.makefile("rb").readline().split()
            return float(seconds), float(calls)


@contextmanager
def running(rows: int) -> Iterator[Server]:
    """Start the server and stop it at the end."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.benchmarks._server", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield Server(**json.loads(process.stdout.readline()), rows=rows)
            finally:
                process.terminate()


class _Connection(asyncio.Protocol):
    """Reads requests, throws their bodies away and writes what was prepared for their paths."""

    def __init__(self, answers: dict[str, bytes], bulk: "Bulk", latency: float) -> None:
        self._answers = answers
        self._bulk = bulk
        self._latency = latency
        self._read = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            request = bytes(self._read[:end])
            length = _LENGTH.search(request)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._read) < whole:
                return
            del self._read[:whole]
            target = request.split(b" ", 2)[1].decode()
            if self._latency:
                asyncio.get_running_loop().call_later(self._latency, self._answer, target)
            else:
                self._answer(target)

    def _answer(self, target: str) -> None:
        used = target == "/used"
        answer = self._used() if used else self._answers[_path(target)]
        self._transport.write(answer)
        if used or b"Connection: close" in answer[:2000]:
            self._transport.close()

    def _used(self) -> bytes:
        return b"%f %d\n" % (time.process_time(), self._bulk.calls)


def _path(target: str) -> str:
    split = urlsplit(target)
    if "q" not in (query := parse_qs(split.query)):
        return split.path
    return f"{split.path.rstrip('/')}/{query['q'][0].rpartition(' ')[2]}"


async def _serve(folder: Path) -> None:
    import certifi
    import trustme

    from tests.benchmarks._answers import answers
    from tests.benchmarks._bayeux import Bayeux
    from tests.benchmarks._bulk import Bulk

    authority = trustme.CA(key_type=trustme.KeyType.RSA)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(HOST, key_type=trustme.KeyType.RSA).configure_cert(context)
    bundle = folder / "bundle.pem"
    bundle.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())

    prepared, bulk = answers(), Bulk()
    loop = asyncio.get_running_loop()
    listening = {"bulk": bulk.listen(context, far=False), "far": bulk.listen(context, far=True)}
    listening["streaming"] = Bayeux().listen()
    for name, tls, latency in (("plain", None, 0.0), ("tls", context, 0.0), ("slow", context, LATENCY)):
        server = await loop.create_server(
            lambda latency=latency: _Connection(prepared, bulk, latency), HOST, 0, ssl=tls
        )
        listening[name] = server.sockets[0].getsockname()[1]
    sys.stdout.write(json.dumps(listening | {"bundle": str(bundle)}) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
