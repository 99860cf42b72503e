"""The clients that receive events, each in a process of its own: ours, aiosfstream-ng, and the floor."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import attrs
import orjson

from tests.benchmarks._bayeux import FIRST, SENT
from tests.benchmarks._server import Server

# By name and not by number: aiohttp keeps no cookies of a host that is a number.
_HOST = "localhost"
_TOKEN = "00D000000000001!benchmark"
_PATIENCE = 120.0


@attrs.frozen
class Received:
    """What a client has received.

    Args:
        rate: Events a second, from the first one in the handler to the last one.
        latency: Median milliseconds from the server to the handler.
        cpu: Seconds of CPU time from the first event to the last one.
    """

    rate: float
    latency: float
    cpu: float


@attrs.define
class _Meter:
    """A handler's notes; ``full`` is set when all events have come."""

    number: int
    timed: bool
    full: Callable[[], object]
    _count: int = 0
    _first: tuple[float, float] = (0.0, 0.0)
    _last: tuple[float, float] = (0.0, 0.0)
    _nanoseconds: list[int] = attrs.field(factory=list)

    def note(self, fields: dict[str, Any]) -> None:
        self._count += 1
        if self.timed:
            self._nanoseconds.append(time.monotonic_ns() - fields[SENT])
        if self._count == 1:
            self._first = time.perf_counter(), time.process_time()
        if self._count == self.number:
            self._last = time.perf_counter(), time.process_time()
            self.full()

    def received(self) -> Received:
        if self._count < self.number:
            raise AssertionError(f"{self._count} of {self.number} events came")
        seconds, cpu = (last - first for first, last in zip(self._first, self._last, strict=True))
        middle = sorted(self._nanoseconds)[len(self._nanoseconds) // 2] / 1e6 if self.timed else 0.0
        return Received((self.number - 1) / seconds, middle, cpu)


def ours(server: Server, channel: str, number: int, timed: bool = False) -> Received:
    """Receive by a listener whose positions are kept in a file."""
    full = Event()
    meter = _Meter(number, timed, full.set)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "positions.db"
        with listener(server, channel, lambda event: meter.note(event.fields), path):
            full.wait(_PATIENCE)
        if not timed and f"'{FIRST + number - 1}'" not in _saved(path):
            raise AssertionError("the position of the last event was not saved")
    return meter.received()


def listener(server: Server, channel: str, handler: Callable[[Any], None], path: Path) -> Any:
    """Make a listener of ours, to be used in a ``with`` block."""
    from sfconnector import FileReplayStore, Salesforce, auth

    sf = Salesforce(auth.AccessToken(_url(server), _TOKEN))
    made = sf.listener(name="benchmark", replay=FileReplayStore(path), replay_from="earliest")
    made.attach(channel, handler)
    return made


def _saved(path: Path) -> str:
    """Read all that the store's file holds, by the database's own means."""
    import sqlite3

    with sqlite3.connect(path) as database:
        return "\n".join(database.iterdump())


def aiosfstream(server: Server, channel: str, number: int, timed: bool = False) -> Received:
    """Receive by aiosfstream-ng, which saves nothing here: it has no store that outlives the process."""
    return asyncio.run(_aiosfstream(server, channel, number, timed))


async def _aiosfstream(server: Server, channel: str, number: int, timed: bool) -> Received:
    # Closing it cancels its held poll, and it then complains about that.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    full = asyncio.Event()
    meter = _Meter(number, timed, full.set)
    async with peer(server) as client:
        await client.subscribe(channel)
        async for message in client:
            meter.note(message["data"]["payload"])
            if full.is_set():
                break
    return meter.received()


def peer(server: Server) -> Any:
    """Make a client of aiosfstream-ng that begins with the earliest event."""
    from aiosfstream_ng import Client, ReplayOption
    from aiosfstream_ng.auth import AuthenticatorBase

    class Token(AuthenticatorBase):  # type: ignore[misc]
        async def _authenticate(self) -> tuple[int, dict[str, str]]:
            return 200, {"access_token": _TOKEN, "token_type": "Bearer", "instance_url": _url(server)}

    return Client(Token(), replay=ReplayOption.ALL_EVENTS)


def floor(server: Server, channel: str, number: int, timed: bool = False) -> Received:
    """Poll with urllib3, decode with orjson, and do nothing else: no replay, no positions, no threads."""
    meter = _Meter(number, timed, lambda: None)
    taken = 0
    for messages in _polls(server, channel):
        for message in messages:
            if "data" in message:
                meter.note(message["data"]["payload"])
                taken += 1
        if taken >= number:
            break
    return meter.received()


def _polls(server: Server, channel: str) -> Iterator[list[dict[str, Any]]]:
    import urllib3

    pool = urllib3.HTTPConnectionPool(_HOST, server.streaming)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {_TOKEN}"}

    def send(message: dict[str, Any]) -> urllib3.BaseHTTPResponse:
        return pool.urlopen("POST", "/cometd/68.0", body=orjson.dumps([message]), headers=headers)

    answer = send({"channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": ["long-polling"]})
    headers["Cookie"] = answer.headers["Set-Cookie"].partition(";")[0]
    client_id = orjson.loads(answer.data)[0]["clientId"]
    replay = {"replay": {channel: -2}}
    send({"channel": "/meta/subscribe", "clientId": client_id, "subscription": channel, "ext": replay})
    while True:
        message = {"channel": "/meta/connect", "clientId": client_id, "connectionType": "long-polling"}
        yield orjson.loads(send(message).data)


def _url(server: Server) -> str:
    return f"http://{_HOST}:{server.streaming}"
