"""aiosfstream-ng, on aiohttp, at the local org."""

from collections.abc import Callable
from typing import Any

import pytest
from streaming_peer import Peer, listening

from sfconnector.testing import LocalOrg

CHANGES = "/data/AccountChangeEvent"


@pytest.fixture
def client(org: LocalOrg) -> Callable[..., Peer]:
    def make(channel: str = CHANGES, begin: int = -1, **settings: Any) -> Peer:
        known = {
            # Its cookie jar keeps no cookies of hosts that are named by an address.
            "url": org.url.replace("127.0.0.1", "localhost"),
            "consumer_key": org.client_id,
            "consumer_secret": org.client_secret,
            "refresh_token": org.refresh_token(),
            "channel": channel,
            "begin": begin,
        }
        return Peer("aiosfstream_client.py", known | settings)

    return make


def publish(org: LocalOrg, *numbers: int) -> list[int]:
    # It wants every change to say when it was.
    header = {"commitTimestamp": 1_700_000_000_000}
    return [
        org.streaming.publish(
            "AccountChangeEvent", {"schema": "x", "payload": {"ChangeEventHeader": header, "Number": number}}
        )
        for number in numbers
    ]


def numbers(events: list[dict[str, Any]]) -> list[int]:
    return [event["payload"]["Number"] for event in events]


@pytest.mark.parametrize(("begin", "expected"), [("all", [1, 2, 3]), ("after the first", [2, 3]), ("new", [3])])
def test_events_are_replayed_from_where_it_asks(
    org: LocalOrg, client: Callable[..., Peer], begin: str, expected: list[int]
) -> None:
    first, _ = publish(org, 1, 2)
    with client(begin={"all": -2, "after the first": first, "new": -1}[begin]) as peer:
        listening(org, peer, CHANGES)
        publish(org, 3)
        assert numbers(peer.events(len(expected))) == expected


def test_its_fallback_helps_with_a_first_subscription(org: LocalOrg, client: Callable[..., Peer]) -> None:
    expired, _ = publish(org, 1, 2)
    org.streaming.trim(keep=1)
    with client(begin=expired) as peer:
        (ended,) = peer.hear("ended")
    assert "ServerError" in ended["error"]
    assert f"The replayId {{{expired}}} you provided was invalid." in ended["error"]
    with client(begin=expired, fallback=True) as peer:
        assert numbers(peer.events(1)) == [2]


def test_it_comes_back_when_it_was_forgotten_and_misses_nothing(org: LocalOrg, client: Callable[..., Peer]) -> None:
    (first,) = publish(org, 0)
    with client(begin=first) as peer:
        listening(org, peer, CHANGES)
        publish(org, 1)
        peer.events(1)
        listening(org, peer, CHANGES)
        org.streaming.kill()
        publish(org, 2)
        assert numbers(peer.events(2)) == [1, 2]


def test_it_logs_in_anew_when_its_token_was_revoked(org: LocalOrg, client: Callable[..., Peer]) -> None:
    with client() as peer:
        listening(org, peer, CHANGES)
        org.streaming.revoke()
        peer.hear("login", 2)
        listening(org, peer, CHANGES)
        publish(org, 1)
        assert numbers(peer.events(1)) == [1]


@pytest.mark.parametrize("fault", ["lose", "halve"])
def test_an_answer_that_does_not_arrive_ends_it(org: LocalOrg, client: Callable[..., Peer], fault: str) -> None:
    with client() as peer:
        listening(org, peer, CHANGES)
        getattr(org.streaming, fault)()
        publish(org, 1)
        (ended,) = peer.hear("ended")
    assert ended["error"].startswith("Transport")


def test_a_channel_that_there_is_not_is_refused(client: Callable[..., Peer]) -> None:
    with client("/data/NothingChangeEvent") as peer:
        (ended,) = peer.hear("ended")
    assert "The channel you requested to subscribe to does" in ended["error"]


def test_it_hears_of_what_simple_salesforce_writes(org: LocalOrg, peer: Any, client: Callable[..., Peer]) -> None:
    with client() as listener:
        listening(org, listener, CHANGES)
        account = peer.Account.create({"Name": "Acme", "Ext__c": "A-1"})["id"]
        peer.Account.upsert("Ext__c/A-1", {"Name": "Acme Ltd"})
        events = [event["payload"] for event in listener.events(2)]
    headers = [event["ChangeEventHeader"] for event in events]
    assert [(header["changeType"], header["recordIds"]) for header in headers] == [
        ("CREATE", [account]),
        ("UPDATE", [account]),
    ]
    assert [event["Name"] for event in events] == ["Acme", "Acme Ltd"]


def test_it_hears_of_a_platform_event_that_simple_salesforce_publishes(
    org: LocalOrg, peer: Any, client: Callable[..., Peer]
) -> None:
    org.add_object("Order__e", {"Sku__c": "string(20)"})
    with client("/event/Order__e") as listener:
        listening(org, listener, "/event/Order__e")
        peer.Order__e.create({"Sku__c": "X1"})
        (event,) = listener.events(1)
    assert event["payload"]["Sku__c"] == "X1"
    assert event["event"]["EventUuid"]
