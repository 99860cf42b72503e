"""The CPU time of a listener that is connected and hears nothing."""

import asyncio
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from tests.benchmarks import _streaming
from tests.benchmarks._bayeux import HOLD, IDLE
from tests.benchmarks._measure import Must, Row
from tests.benchmarks._process import run_fresh
from tests.benchmarks._server import Server

_SECONDS = 60.0
_LIMIT = 0.5


def measure(server: Server) -> list[Row]:
    """Let both listen for a minute, at the same time: they leave each other alone."""
    clients = {"sfconnector": _ours, "aiosfstream-ng": _aiosfstream}
    with ThreadPoolExecutor() as threads:
        waiting = {name: threads.submit(run_fresh, client, server) for name, client in clients.items()}
        samples = {name: [future.result()] for name, future in waiting.items()}
    must = Must(f"≤ {_LIMIT} %", samples["sfconnector"][0], _LIMIT)
    columns = ("sfconnector", "aiosfstream-ng", "floor")
    return [Row(f"Idle for a minute, a poll each {HOLD:.0f} s", "% CPU", samples, must, columns)]


def _ours(server: Server) -> float:
    with (
        tempfile.TemporaryDirectory() as folder,
        _streaming.listener(server, IDLE, lambda _: None, Path(folder) / "positions.db"),
    ):
        before = time.process_time()
        # Nobody sets it: the thread that measures is to cost nothing itself.
        Event().wait(_SECONDS)
        return _percent(before)


def _aiosfstream(server: Server) -> float:
    async def listen() -> float:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        async with _streaming.peer(server) as client:
            await client.subscribe(IDLE)
            receiving = asyncio.create_task(client.receive())
            before = time.process_time()
            await asyncio.sleep(_SECONDS)
            percent = _percent(before)
            receiving.cancel()
            return percent

    return asyncio.run(listen())


def _percent(before: float) -> float:
    return (time.process_time() - before) / _SECONDS * 100
