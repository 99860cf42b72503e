"""The client's CPU time for reading one record over a connection that is there."""

from tests.benchmarks import _clients
from tests.benchmarks._answers import RECORD_ID
from tests.benchmarks._measure import Must, Row, interleave, ratio
from tests.benchmarks._server import HOST, Server

_ROUNDS, _CALLS = 25, 40
_TARGET = f"{_clients.DATA}/sobjects/Account/{RECORD_ID}"


def measure(server: Server) -> list[Row]:
    """Read a record over plain HTTP and over TLS."""
    return [_row(server, server.plain, "http"), _row(server, server.tls, "https")]


def _row(server: Server, port: int, scheme: str) -> Row:
    accounts = _clients.ours(server, port).sobject("Account")
    session = _clients.plain_requests(server)
    simple = _clients.simple_accounts(server, port)
    raw = _clients.RawSocket(server, port)
    url = f"{scheme}://{HOST}:{port}{_TARGET}"
    variants = {
        "sfconnector": lambda: accounts.get(RECORD_ID),
        "requests": lambda: session.get(url).json(),
        "simple-salesforce": lambda: simple.get(RECORD_ID),
        "floor": lambda: raw.get(_TARGET),
    }
    samples = interleave(variants, rounds=_ROUNDS, calls=_CALLS)
    must = Must("≤ 0.70 × requests", ratio(samples, "sfconnector", "requests"), 0.70)
    return Row(f"One small call, {scheme}", "ms CPU", samples, must)
