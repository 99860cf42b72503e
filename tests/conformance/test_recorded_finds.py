"""What Salesforce found for others, through our client: searches and recent items."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from recordings import Exchange, Recordings
from replay import Replay

from sfconnector import Salesforce, auth


@contextmanager
def answering(recordings: Recordings, name: str, path: str, query: tuple[tuple[str, str], ...]) -> Iterator[Any]:
    """Give a client whose one request is answered with a recorded body, and that body."""
    # The last version whose searches answer with a bare list, as this one does.
    version = "36.0"
    exchange = Exchange(
        id=name,
        category="find",
        method="GET",
        path=f"/services/data/v{version}/{path}",
        query=query,
        request_body="",
        status=200,
        headers={"Content-Type": "application/json;charset=UTF-8"},
        body=recordings.body(name),
        version=version,
        edited=False,
    )
    with Replay([exchange]) as server, Salesforce(auth.AccessToken(server.url, "t"), api_version=version) as sf:
        yield sf, exchange.data


def test_a_search(recordings: Recordings) -> None:
    with answering(recordings, "resources/search.json", "search", (("q", "FIND {x}"),)) as (sf, data):
        found = list(sf.search("FIND {x}"))
    assert found == data
    assert {record["attributes"]["type"] for record in found} == {"Account", "Contact"}


def test_recent_items(recordings: Recordings) -> None:
    with answering(recordings, "resources/recent.json", "recent", (("limit", "10"),)) as (sf, data):
        assert sf.recent(limit=10) == data
