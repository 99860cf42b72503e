"""The clients that are measured, each given the same token, certificates and URLs."""

import socket
import ssl
import zlib
from collections.abc import Iterable
from typing import Any

import orjson
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce as SimpleSalesforce
from simple_salesforce.api import SFType

import sfconnector
from sfconnector import auth
from tests.benchmarks._server import HOST, Server

VERSION = "68.0"
DATA = f"/services/data/v{VERSION}"
_TOKEN = "00D000000000001!benchmark"
_END = b"\r\n0\r\n\r\n"


def ours(server: Server, port: int) -> sfconnector.Salesforce:
    """A client of this project."""
    return sfconnector.Salesforce(auth.AccessToken(_url(server, port), _TOKEN), verify=server.bundle)


def plain_requests(server: Server) -> requests.Session:
    """A session as its users make it."""
    session = requests.Session()
    session.verify = server.bundle
    session.headers["Authorization"] = f"Bearer {_TOKEN}"
    return session


def simple(server: Server, port: int) -> SimpleSalesforce:
    """A simple-salesforce client, which speaks plain HTTP by way of an adapter only."""
    session = requests.Session()
    session.verify = server.bundle
    if port == server.plain:
        session.mount("https://", Downgrade())
    return SimpleSalesforce(instance=f"{HOST}:{port}", session_id=_TOKEN, session=session, version=VERSION)


def simple_accounts(server: Server, port: int) -> SFType:
    """What simple-salesforce offers for one object."""
    accounts = simple(server, port).Account
    assert isinstance(accounts, SFType)
    return accounts


class Downgrade(HTTPAdapter):
    """Lets a client that knows https only speak http."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = (request.url or "").replace("https://", "http://", 1)
        return super().send(request, *args, **kwargs)


class RawSocket:
    """The floor: one socket, a request that is ready, inflation and decoding in C, and no checks at all."""

    def __init__(self, server: Server, port: int) -> None:
        self._port = port
        self._context = None
        if port != server.plain:
            self._context = ssl.create_default_context(cafile=server.bundle)
        self._socket: socket.socket | None = None

    def get(self, target: str, *, close: bool = False) -> Any:
        return self.send("GET", target, close=close)

    def send(self, method: str, target: str, body: bytes = b"", *, close: bool = False) -> Any:
        connection = self._begin(method, target, len(body))
        connection.sendall(body)
        received = bytearray()
        while not received.endswith(_END):
            received += connection.recv(1 << 18)
        if close:
            connection.close()
            self._socket = None
        return orjson.loads(zlib.decompress(_body(received), wbits=31))

    def drain(self, target: str) -> None:
        """Receive an answer and keep nothing of it."""
        connection = self._begin("GET", target, 0)
        last = b""
        while not last.endswith(_END):
            last = last[-len(_END) :] + connection.recv(1 << 18)

    def put(self, target: str, pieces: Iterable[bytes], length: int) -> None:
        """Send a body whose answer has none."""
        connection = self._begin("PUT", target, length)
        for piece in pieces:
            connection.sendall(piece)
        received = b""
        while not received.endswith(b"\r\n\r\n"):
            received += connection.recv(1 << 18)

    def _begin(self, method: str, target: str, length: int) -> socket.socket:
        connection = self._socket = self._socket or self._connect()
        lines = [f"{method} {target} HTTP/1.1", f"Host: {HOST}", f"Authorization: Bearer {_TOKEN}"]
        lines += [f"Content-Length: {length}"] if length else []
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return connection

    def _connect(self) -> socket.socket:
        connection = socket.create_connection((HOST, self._port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._context.wrap_socket(connection, server_hostname=HOST) if self._context else connection


def _body(received: bytearray) -> bytes:
    start = received.index(b"\r\n\r\n") + 4
    pieces: list[bytes] = []
    while True:
        end = received.index(b"\r\n", start)
        length = int(received[start:end], 16)
        if not length:
            return b"".join(pieces)
        pieces.append(bytes(received[end + 2 : end + 2 + length]))
        start = end + 2 + length + 2


def _url(server: Server, port: int) -> str:
    return f"{'http' if port == server.plain else 'https'}://{HOST}:{port}"
