"""Retained change events: how many of them a second reach the handler, by how many there are in one answer."""

from collections.abc import Callable

from tests.benchmarks import _streaming
from tests.benchmarks._bayeux import EVENT_SIZE, RETAINED, retained
from tests.benchmarks._measure import Must, Row, ratio
from tests.benchmarks._process import run_fresh
from tests.benchmarks._server import Server
from tests.benchmarks._streaming import Received

_ROUNDS = 5
_GOALS = {1: 1.0, 100: 3.0}

CLIENTS: dict[str, Callable[[Server, str, int, bool], Received]] = {
    "sfconnector": _streaming.ours,
    "aiosfstream-ng": _streaming.aiosfstream,
    "floor": _streaming.floor,
}


def measure(server: Server) -> list[Row]:
    """Receive them by each client in turn, each time in a process of its own."""
    return [_row(server, size) for size in RETAINED]


def _row(server: Server, size: int) -> Row:
    rates: dict[str, list[float]] = {name: [] for name in CLIENTS}
    for _ in range(_ROUNDS):
        for name, receive in CLIENTS.items():
            rates[name].append(run_fresh(receive, server, retained(size), RETAINED[size], False).rate)
    must = None
    if (goal := _GOALS.get(size)) is not None:
        figure = ratio(rates, "sfconnector", "aiosfstream-ng")
        must = Must(f"≥ {goal:.0f} × aiosfstream-ng", figure, goal, at_least=True)
    return Row(f"Events of {EVENT_SIZE} bytes, {size:,} an answer", "events/s", rates, must, tuple(CLIENTS))
