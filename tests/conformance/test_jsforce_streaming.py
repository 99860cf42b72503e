"""jsforce's streaming, which stands on Faye, at the local org."""

from collections.abc import Callable
from typing import Any

import node_client
import pytest
from streaming_peer import Peer, listening

from sfconnector.testing import LocalOrg

if reason := node_client.missing("jsforce"):
    pytest.skip(reason, allow_module_level=True)

CHANGES = "/data/AccountChangeEvent"


@pytest.fixture
def client(org: LocalOrg) -> Callable[..., Peer]:
    def make(channel: str = CHANGES, **settings: Any) -> Peer:
        known = {"url": org.url, "access_token": org.access_token(), "channel": channel}
        return Peer("jsforce_streaming.mjs", known | settings)

    return make


def publish(org: LocalOrg, *numbers: int) -> list[int]:
    return [
        org.streaming.publish("AccountChangeEvent", {"schema": "x", "payload": {"Number": number}})
        for number in numbers
    ]


def numbers(events: list[dict[str, Any]]) -> list[int]:
    return [event["payload"]["Number"] for event in events]


@pytest.mark.parametrize(("begin", "expected"), [("all", [1, 2, 3]), ("after the first", [2, 3]), ("new", [3])])
def test_its_replay_extension_begins_where_it_is_told(
    org: LocalOrg, client: Callable[..., Peer], begin: str, expected: list[int]
) -> None:
    first, _ = publish(org, 1, 2)
    with client(**{"from": {"all": -2, "after the first": first, "new": -1}[begin]}) as peer:
        assert "reply" not in peer.hear("subscribed")[0]
        listening(org, peer, CHANGES)
        publish(org, 3)
        assert numbers(peer.events(len(expected))) == expected


def test_without_the_extension_it_gets_what_is_new(org: LocalOrg, client: Callable[..., Peer]) -> None:
    publish(org, 1)
    with client() as peer:
        listening(org, peer, CHANGES)
        publish(org, 2)
        assert numbers(peer.events(1)) == [2]


def test_it_comes_back_when_it_was_forgotten_and_misses_nothing(org: LocalOrg, client: Callable[..., Peer]) -> None:
    with client(**{"from": -1}) as peer:
        listening(org, peer, CHANGES)
        publish(org, 1)
        peer.events(1)
        listening(org, peer, CHANGES)
        org.streaming.kill()
        publish(org, 2)
        assert numbers(peer.events(2)) == [1, 2]


def test_an_answer_that_is_lost_costs_it_an_event(org: LocalOrg, client: Callable[..., Peer]) -> None:
    with client(**{"from": -1}) as peer:
        listening(org, peer, CHANGES)
        fault = org.streaming.lose()
        publish(org, 1)
        assert fault.wait(timeout=60)
        listening(org, peer, CHANGES)
        publish(org, 2)
        # It polls again with the same clientId, and the server believes that it has delivered.
        assert numbers(peer.events(1)) == [2]


def test_the_web_socket_that_it_tries_first_is_refused_as_salesforce_does(
    org: LocalOrg, client: Callable[..., Peer]
) -> None:
    """Seen at Salesforce: https://github.com/jsforce/jsforce/issues/270."""
    with client() as peer:
        listening(org, peer, CHANGES)
    assert {(request.method, request.status) for request in org.requests if request.path == "/cometd/68.0"} >= {
        ("GET", 405),
        ("POST", 200),
    }


def test_its_authentication_extension_is_told_of_a_revoked_token(org: LocalOrg, client: Callable[..., Peer]) -> None:
    with client(**{"from": -1}) as peer:
        listening(org, peer, CHANGES)
        org.streaming.revoke()
        (refused,) = peer.hear("refused")
    assert refused["reply"]["channel"] == "/meta/connect"
    assert refused["reply"]["error"] == "401::Authentication invalid"


def test_its_authentication_extension_is_told_of_a_refused_handshake(client: Callable[..., Peer]) -> None:
    with client(access_token="unknown", **{"from": -1}) as peer:
        (refused,) = peer.hear("refused")
    assert refused["reply"]["error"] == "403::Handshake denied"
    assert refused["reply"]["ext"]["sfdc"] == {"failureReason": "401::Authentication invalid"}


def test_a_position_that_is_not_retained_is_refused(org: LocalOrg, client: Callable[..., Peer]) -> None:
    (expired,) = publish(org, 1)
    org.streaming.trim()
    with client(**{"from": expired}) as peer:
        (subscribed,) = peer.hear("subscribed")
    assert f"400::The replayId {{{expired}}} you provided was invalid." in subscribed["reply"]["error"]


def test_it_says_goodbye(org: LocalOrg, client: Callable[..., Peer]) -> None:
    with client(**{"from": -1}) as peer:
        listening(org, peer, CHANGES)
        peer.order("disconnect")
        org.streaming.wait(polls=0)
    assert org.streaming.clients == 0


def test_it_hears_of_what_it_writes(org: LocalOrg, client: Callable[..., Peer]) -> None:
    with client("/data/ChangeEvents", **{"from": -1}) as peer:
        listening(org, peer, "/data/ChangeEvents")
        peer.order("create", sobject="Account", record={"Name": "Acme", "Phone": "1", "NumberOfEmployees": 7})
        (created,) = peer.hear("created")
        account = created["result"]["id"]
        peer.order("update", sobject="Account", record={"Id": account, "Phone": None, "AnnualRevenue": 1.5})
        peer.hear("updated")
        peer.order("destroy", sobject="Account", id=account)
        events = peer.events(3)
    create, update, delete = (event["payload"] for event in events)
    headers = [event["payload"]["ChangeEventHeader"] for event in events]
    assert [header["changeType"] for header in headers] == ["CREATE", "UPDATE", "DELETE"]
    assert {header["entityName"] for header in headers} == {"Account"}
    assert [header["recordIds"] for header in headers] == [[account]] * 3
    assert len({header["transactionKey"] for header in headers}) == 3
    assert {header["commitUser"] for header in headers} == {org.user_id}
    # jsforce names itself in the call options of each request.
    assert all(header["changeOrigin"].startswith("com/salesforce/api/rest/68.0") for header in headers)
    assert (create["Name"], create["Phone"], create["NumberOfEmployees"]) == ("Acme", "1", 7)
    assert (update["Phone"], update["AnnualRevenue"]) == (None, 1.5)
    assert "Name" not in update
    assert {"Phone", "AnnualRevenue", "LastModifiedDate"} <= set(headers[1]["changedFields"])
    assert set(delete) == {"ChangeEventHeader"}


def test_it_hears_of_the_platform_event_that_it_publishes(org: LocalOrg, client: Callable[..., Peer]) -> None:
    org.add_object("Order__e", {"Sku__c": "string(20)", "Count__c": "double(5, 0)", "Paid__c": "boolean"})
    with client("/event/Order__e", **{"from": -1}) as peer:
        listening(org, peer, "/event/Order__e")
        peer.order("create", sobject="Order__e", record={"Sku__c": "X1", "Count__c": 3})
        (created,) = peer.hear("created")
        (event,) = peer.events(1)
    payload = event["payload"]
    assert (payload["Sku__c"], payload["Count__c"], payload["CreatedById"]) == ("X1", 3, org.user_id)
    assert created["result"]["success"] is True
    assert event["event"]["EventUuid"] in str(created["result"]["errors"])
