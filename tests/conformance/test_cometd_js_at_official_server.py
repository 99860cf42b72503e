"""The official CometD client at the official server: what ours is tested with does what Salesforce documents."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import node_client
import pytest
import requests
from official_server import CHANNEL, OfficialServer
from streaming_peer import Peer

if reason := node_client.missing("cometd-nodejs-server") or node_client.missing("cometd"):
    pytest.skip(reason, allow_module_level=True)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OfficialServer]:
    with OfficialServer(tmp_path) as server:
        yield server


def login(server: OfficialServer) -> str:
    answer = requests.post(f"{server.url}/services/oauth2/token", timeout=30).json()
    return f"Bearer {answer['access_token']}"


def client(server: OfficialServer, *, begin: int = -1, authorization: str | None = None) -> Peer:
    return Peer(
        "cometd_client.mjs",
        {
            "url": f"{server.url}/cometd/68.0",
            "authorization": login(server) if authorization is None else authorization,
            "channels": {CHANNEL: begin},
        },
    )


def numbers(events: list[dict[str, Any]]) -> list[int]:
    return [event["payload"]["NumberOfEmployees"] for event in events]


@pytest.mark.parametrize(("begin", "expected"), [("all", [1, 2, 3]), ("after the first", [2, 3]), ("new", [3])])
def test_events_are_replayed_from_where_the_client_asks(
    server: OfficialServer, begin: str, expected: list[int]
) -> None:
    first = server.publish(1)
    server.publish(2)
    with client(server, begin={"all": -2, "after the first": first, "new": -1}[begin]) as peer:
        (handshake,) = peer.hear("handshake")
        assert handshake["reply"]["ext"] == {"replay": True, "payload.format": True}
        # The answer to the subscribe must have been read, or the poll's may overtake it.
        peer.hear("subscribed")
        server.settle()
        server.publish(3)
        assert numbers(peer.events(len(expected))) == expected


def test_a_replay_id_that_is_not_retained_is_refused_in_salesforces_words(server: OfficialServer) -> None:
    begin = server.publish(1)
    server.control("trim", events=1)
    with client(server, begin=begin) as peer:
        (subscribed,) = peer.hear("subscribed")
    assert subscribed["reply"]["error"] == (
        f"400::The replayId {{{begin}}} you provided was invalid.  Please provide a valid ID, -2 to replay all events,"
        " or -1 to replay only new events."
    )


def test_replay_ids_are_beyond_32_bits_and_leave_gaps(server: OfficialServer) -> None:
    ids = [server.publish(number) for number in range(20)]
    assert ids == sorted(ids)
    assert ids[-1] > 2**32
    assert len({after - before for before, after in pairwise(ids)}) > 1


def test_a_client_that_the_server_forgot_makes_a_new_handshake(server: OfficialServer) -> None:
    with client(server) as peer:
        server.settle()
        server.publish(1)
        assert numbers(peer.events(1)) == [1]
        server.settle()
        server.control("kill")
        server.publish(2)
        assert numbers(peer.events(2)) == [1, 2]
        assert peer.failures("403::Unknown client")[0]["reply"]["advice"] == {"reconnect": "handshake", "interval": 0}
        assert len(peer.hear("handshake", 2)) == 2


@pytest.mark.parametrize("fault", ["lose", "half"])
def test_an_answer_that_is_lost_costs_this_client_an_event(server: OfficialServer, fault: str) -> None:
    with client(server) as peer:
        server.settle()
        server.publish(1)
        peer.events(1)
        server.settle()
        server.spoil(fault)
        server.publish(2)
        server.settle()
        server.publish(3)
        # It polls again with the same clientId, and the server believes that it has delivered.
        assert numbers(peer.events(2)) == [1, 3]
    assert server.state()["handshakes"] == 1


@pytest.mark.parametrize("fault", ["http503", "html", "reset"])
def test_this_client_survives_trouble_that_costs_no_answer(server: OfficialServer, fault: str) -> None:
    with client(server) as peer:
        server.settle()
        server.spoil(fault)
        server.settle()
        server.publish(1)
        assert numbers(peer.events(1)) == [1]
        assert peer.hear("unconnected")


def test_a_revoked_token_is_refused_with_the_advice_not_to_come_back(server: OfficialServer) -> None:
    with client(server) as peer:
        server.settle()
        server.control("revoke")
        (refused,) = peer.hear("unconnected")
    assert refused["reply"]["error"] == "401::Authentication invalid"
    assert refused["reply"]["advice"] == {"reconnect": "none", "interval": 0}


@pytest.mark.parametrize(
    ("authorization", "failure"),
    [("Bearer revoked", "401::Authentication invalid"), ("", "401::Request requires authentication")],
)
def test_the_reason_of_a_refused_handshake_is_nested(server: OfficialServer, authorization: str, failure: str) -> None:
    with client(server, authorization=authorization) as peer:
        (handshake,) = peer.hear("handshake")
    assert handshake["reply"]["error"] == "403::Handshake denied"
    assert handshake["reply"]["ext"] == {"sfdc": {"failureReason": failure}}
    assert handshake["reply"]["advice"]["reconnect"] == "none"


def test_events_and_tokens_outlive_a_crash_of_the_server(server: OfficialServer) -> None:
    authorization = login(server)
    with client(server, authorization=authorization) as peer:
        server.settle()
        server.publish(1)
        peer.events(1)
        server.kill()
        server.start()
        server.publish(2, do="append")
        server.settle()
        server.publish(3)
        assert numbers(peer.events(3)) == [1, 2, 3]


def test_versions_without_replay_are_refused(server: OfficialServer) -> None:
    for path, error in (("/cometd/36.0", "Unsupported API version."), ("/cometd", "API version in the URI is")):
        answer = requests.post(server.url + path, json=[{"channel": "/meta/handshake"}], timeout=30)
        assert (answer.status_code, answer.text.startswith(f'"{error}')) == (400, True)
