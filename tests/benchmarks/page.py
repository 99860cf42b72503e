"""The client's CPU time for one page of query results."""

from tests.benchmarks import _clients
from tests.benchmarks._measure import Must, Row, interleave, ratio
from tests.benchmarks._server import HOST, Server

_ROUNDS, _CALLS = 12, 3
_QUERY = "SELECT Id, Name FROM Account"


def measure(server: Server) -> list[Row]:
    """Query 2,000 records, about 1.5 MB of JSON."""
    sf = _clients.ours(server, server.tls)
    session = _clients.plain_requests(server)
    simple = _clients.simple(server, server.tls)
    raw = _clients.RawSocket(server, server.tls)
    url = f"https://{HOST}:{server.tls}{_clients.DATA}/query"
    variants = {
        "sfconnector": lambda: list(sf.query(_QUERY)),
        "requests": lambda: session.get(url, params={"q": _QUERY}).json()["records"],
        "simple-salesforce": lambda: simple.query(_QUERY)["records"],
        "floor": lambda: raw.get(f"{_clients.DATA}/query/Account")["records"],
    }
    samples = interleave(variants, rounds=_ROUNDS, calls=_CALLS)
    must = Must("≤ 0.60 × simple-salesforce", ratio(samples, "sfconnector", "simple-salesforce"), 0.60)
    return [Row("A page of 2,000 records, https", "ms CPU", samples, must)]
