"""The official CometD client, with Salesforce's replay extension, at the local org."""

from collections.abc import Callable
from typing import Any

import node_client
import pytest
from streaming_peer import Peer, listening

from sfconnector.testing import LocalOrg

if reason := node_client.missing("cometd"):
    pytest.skip(reason, allow_module_level=True)

CHANGES = "/data/AccountChangeEvent"


@pytest.fixture
def client(org: LocalOrg) -> Callable[..., Peer]:
    def make(channels: dict[str, int] | None = None, *, version: str = "68.0", token: str | None = None) -> Peer:
        authorization = f"Bearer {org.access_token()}" if token is None else token
        wanted = {CHANGES: -1} if channels is None else channels
        settings = {"url": f"{org.url}/cometd/{version}", "authorization": authorization, "channels": wanted}
        return Peer("cometd_client.mjs", settings)

    return make


def change(number: int) -> dict[str, Any]:
    header = {"entityName": "Account", "changeType": "UPDATE", "recordIds": ["001000000000001AAA"]}
    return {"schema": "x", "payload": {"ChangeEventHeader": header, "NumberOfEmployees": number}}


def publish(org: LocalOrg, *numbers: int) -> list[int]:
    return [org.streaming.publish("AccountChangeEvent", change(number)) for number in numbers]


def numbers(events: list[dict[str, Any]]) -> list[int]:
    return [event["payload"]["NumberOfEmployees"] for event in events]


def test_it_shakes_hands_and_is_given_what_salesforce_gives(org: LocalOrg, client: Callable[..., Peer]) -> None:
    with client() as peer:
        listening(org, peer, CHANGES)
        (handshake,), (subscribed,) = peer.hear("handshake"), peer.hear("subscribed")
        assert org.streaming.clients == 1
        # Nothing else has been refused.
        peer.order("disconnect")
        peer.hear("disconnected")
    assert handshake["reply"]["ext"] == {"replay": True, "payload.format": True}
    assert subscribed["reply"]["subscription"] == CHANGES
    assert org.streaming.clients == 0


@pytest.mark.parametrize(("begin", "expected"), [("all", [1, 2, 3]), ("after the first", [2, 3]), ("new", [3])])
def test_events_are_replayed_from_where_it_asks(
    org: LocalOrg, client: Callable[..., Peer], begin: str, expected: list[int]
) -> None:
    first, _ = publish(org, 1, 2)
    with client({CHANGES: {"all": -2, "after the first": first, "new": -1}[begin]}) as peer:
        listening(org, peer, CHANGES)
        publish(org, 3)
        assert numbers(peer.events(len(expected))) == expected


def test_it_makes_a_new_handshake_when_it_was_forgotten_and_misses_nothing(
    org: LocalOrg, client: Callable[..., Peer]
) -> None:
    with client() as peer:
        listening(org, peer, CHANGES)
        publish(org, 1)
        peer.events(1)
        listening(org, peer, CHANGES)
        org.streaming.kill()
        publish(org, 2)
        assert numbers(peer.events(2)) == [1, 2]
        (refused,) = peer.hear("unconnected")
        assert refused["reply"]["error"] == "403::Unknown client"
        assert refused["reply"]["advice"] == {"reconnect": "handshake", "interval": 0}
        assert len(peer.hear("handshake", 2)) == 2


def test_it_is_forgotten_when_it_stays_away_too_long(org: LocalOrg, client: Callable[..., Peer]) -> None:
    org.streaming.poll_timeout = 0.2
    with client() as peer:
        listening(org, peer, CHANGES)
        # From now on no answer is followed soon enough by the next poll.
        org.streaming.max_interval = 0
        peer.failures("403::Unknown client")
        org.streaming.max_interval = 40
        assert len(peer.hear("handshake", 2)) >= 2
        listening(org, peer, CHANGES)
        publish(org, 1)
        assert numbers(peer.events(1)) == [1]


def test_being_sent_away_ends_it(org: LocalOrg, client: Callable[..., Peer]) -> None:
    with client() as peer:
        listening(org, peer, CHANGES)
        org.streaming.kick()
        assert peer.hear("disconnected")
    assert org.streaming.clients == 0


def test_an_answer_that_is_lost_costs_it_an_event(org: LocalOrg, client: Callable[..., Peer]) -> None:
    with client() as peer:
        listening(org, peer, CHANGES)
        fault = org.streaming.lose()
        publish(org, 1)
        assert fault.wait(timeout=30)
        listening(org, peer, CHANGES)
        publish(org, 2)
        # It polls again with the same clientId, and the server believes that it has delivered.
        assert numbers(peer.events(1)) == [2]
        assert len(peer.hear("handshake")) == 1


def test_a_revoked_token_is_refused_with_the_advice_not_to_come_back(
    org: LocalOrg, client: Callable[..., Peer]
) -> None:
    with client() as peer:
        listening(org, peer, CHANGES)
        org.streaming.revoke()
        (refused,) = peer.hear("unconnected")
    assert refused["reply"]["error"] == "401::Authentication invalid"
    assert refused["reply"]["advice"] == {"reconnect": "none", "interval": 0}


@pytest.mark.parametrize(
    ("token", "reason"), [("Bearer x", "401::Authentication invalid"), ("", "401::Request requires authentication")]
)
def test_the_reason_of_a_refused_handshake_is_nested(client: Callable[..., Peer], token: str, reason: str) -> None:
    with client(token=token) as peer:
        (handshake,) = peer.hear("handshake")
    assert handshake["reply"]["error"] == "403::Handshake denied"
    assert handshake["reply"]["ext"]["sfdc"] == {"failureReason": reason}
    assert handshake["reply"]["advice"] == {"reconnect": "none"}


def test_refused_subscriptions_tell_why(org: LocalOrg, client: Callable[..., Peer]) -> None:
    (expired,) = publish(org, 1)
    org.streaming.trim()
    wrong = {"/data/NothingChangeEvent": -1, CHANGES: expired}
    with client(wrong) as peer:
        replies = {each["reply"]["subscription"]: each["reply"] for each in peer.hear("subscribed", 2)}
    assert replies["/data/NothingChangeEvent"]["error"].startswith("400::The channel you requested to subscribe to")
    assert f"The replayId {{{expired}}} you provided was invalid." in replies[CHANGES]["error"]


def test_a_version_without_replay_is_refused(client: Callable[..., Peer]) -> None:
    with client(version="36.0") as peer:
        (handshake,) = peer.hear("handshake")
    assert handshake["reply"]["successful"] is False
    assert "Unsupported API version" in str(handshake["reply"])


def test_it_leaves_a_channel(org: LocalOrg, client: Callable[..., Peer]) -> None:
    contacts = "/data/ContactChangeEvent"
    with client({CHANGES: -1, contacts: -1}) as peer:
        listening(org, peer, contacts)
        peer.order("unsubscribe", channel=CHANGES)
        peer.hear("unsubscribed")
        publish(org, 1)
        org.streaming.publish("ContactChangeEvent", change(2))
        assert numbers(peer.events(1)) == [2]
        peer.order("subscribe", channel=CHANGES, **{"from": -2})
        assert numbers(peer.events(2)) == [2, 1]


def test_custom_channels_carry_their_members(org: LocalOrg, client: Callable[..., Peer]) -> None:
    channel = org.streaming.add_channel("SalesEvents__chn", ["AccountChangeEvent", "ContactChangeEvent"])
    with client({channel: -1}) as peer:
        listening(org, peer, channel)
        publish(org, 1)
        org.streaming.publish("LeadChangeEvent", change(2))
        org.streaming.publish("ContactChangeEvent", change(3))
        assert numbers(peer.events(2)) == [1, 3]


def test_the_changes_of_one_transaction_are_numbered(org: LocalOrg, peer: Any, client: Callable[..., Peer]) -> None:
    with client({"/data/ChangeEvents": -1}) as listener:
        listening(org, listener, "/data/ChangeEvents")
        # One request to collections is one transaction.
        records = [{"attributes": {"type": "Contact"}, "LastName": name} for name in ("Curie", "Meitner")]
        saved = peer.restful("composite/sobjects", method="POST", json={"records": records})
        headers = [event["payload"]["ChangeEventHeader"] for event in listener.events(2)]
    assert [header["recordIds"] for header in headers] == [[each["id"]] for each in saved]
    assert len({header["transactionKey"] for header in headers}) == 1
    assert [header["sequenceNumber"] for header in headers] == [1, 2]


def test_an_account_and_its_contact_come_in_their_order_on_a_custom_channel(
    org: LocalOrg, peer: Any, client: Callable[..., Peer]
) -> None:
    channel = org.streaming.add_channel("Sales__chn", ["AccountChangeEvent", "ContactChangeEvent"])
    with client({channel: -1}) as listener:
        listening(org, listener, channel)
        account = peer.Account.create({"Name": "Acme"})["id"]
        peer.Contact.create({"LastName": "Curie", "AccountId": account})
        peer.Lead.create({"LastName": "Nobody", "Company": "None"})
        peer.Account.delete(account)
        headers = [event["payload"]["ChangeEventHeader"] for event in listener.events(4)]
    told = [(header["entityName"], header["changeType"]) for header in headers]
    assert told[:2] == [("Account", "CREATE"), ("Contact", "CREATE")]
    # The contact goes with its account.
    assert sorted(told[2:]) == [("Account", "DELETE"), ("Contact", "DELETE")]
