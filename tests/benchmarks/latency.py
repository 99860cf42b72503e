"""The time from the server's sending of an event to its handler, one event at a time."""

from tests.benchmarks._bayeux import TIMED
from tests.benchmarks._measure import Must, Row, ratio
from tests.benchmarks._process import run_fresh
from tests.benchmarks._server import Server
from tests.benchmarks.streaming import CLIENTS

_ROUNDS, _EVENTS = 7, 500
_LIMIT = 0.9


def measure(server: Server) -> list[Row]:
    """Take the median of some hundred events, round after round."""
    samples: dict[str, list[float]] = {name: [] for name in CLIENTS}
    for _ in range(_ROUNDS):
        for name, receive in CLIENTS.items():
            samples[name].append(run_fresh(receive, server, TIMED, _EVENTS, True).latency)
    must = Must(f"≤ {_LIMIT:.2f} × aiosfstream-ng", ratio(samples, "sfconnector", "aiosfstream-ng"), _LIMIT)
    return [Row("From the server to the handler", "ms", samples, must, tuple(CLIENTS))]
