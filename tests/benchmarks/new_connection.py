"""The client's CPU time for a call that opens a TLS connection first."""

from tests.benchmarks import _clients
from tests.benchmarks._answers import CLOSING_ID, RECORD_ID
from tests.benchmarks._measure import Must, Row, interleave, ratio
from tests.benchmarks._server import HOST, Server

_ROUNDS, _CALLS = 20, 5
_TARGET = f"{_clients.DATA}/sobjects/Account/{CLOSING_ID}"


def measure(server: Server) -> list[Row]:
    """Read a record whose answer ends the connection, beside one whose answer does not."""
    accounts = _clients.ours(server, server.tls).sobject("Account")
    kept_alive = _clients.ours(server, server.tls).sobject("Account")
    session, kept_session = _clients.plain_requests(server), _clients.plain_requests(server)
    simple = _clients.simple_accounts(server, server.tls)
    raw = _clients.RawSocket(server, server.tls)
    url = f"https://{HOST}:{server.tls}{_TARGET}"
    kept_url = f"https://{HOST}:{server.tls}{_clients.DATA}/sobjects/Account/{RECORD_ID}"
    variants = {
        "sfconnector": lambda: accounts.get(CLOSING_ID),
        "sfconnector, kept alive": lambda: kept_alive.get(RECORD_ID),
        "requests, kept alive": lambda: kept_session.get(kept_url).json(),
        "requests": lambda: session.get(url).json(),
        "simple-salesforce": lambda: simple.get(CLOSING_ID),
        "floor": lambda: raw.get(_TARGET, close=True),
    }
    samples = interleave(variants, rounds=_ROUNDS, calls=_CALLS)
    to_ours = ratio(samples, "sfconnector", "sfconnector, kept alive")
    words = f"≤ 2 × a kept-alive call of requests ({to_ours:.2f} × ours)"
    must = Must(words, ratio(samples, "sfconnector", "requests, kept alive"), 2.0)
    return [Row("One small call, https, new connection", "ms CPU", samples, must)]
