"""What CometD answers to each message, by the pages of the Streaming API guide."""

import json
from typing import Any

import orjson
import pytest
from cometd_api import ACCOUNTS, ALL, CONTACTS, CometdApi, numbers, publish
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfconnector.testing import LocalOrg

BAD_REPLAY_ID = (
    "400::The replayId {%s} you provided was invalid.  "
    "Please provide a valid ID, -2 to replay all events, or -1 to replay only new events."
)


def test_a_handshake_tells_what_the_server_can_do(cometd: CometdApi) -> None:
    answer = cometd.handshake()
    client_id = answer.pop("clientId")
    assert client_id.isalnum()
    assert len(client_id) > 20
    assert answer == {
        "ext": {"replay": True, "payload.format": True},
        "minimumVersion": "1.0",
        "supportedConnectionTypes": ["long-polling"],
        "channel": "/meta/handshake",
        "id": "1",
        "version": "1.0",
        "successful": True,
    }
    assert cometd.headers["Cookie"].startswith("BAYEUX_BROWSER=")


def test_a_second_handshake_keeps_the_cookie_and_drops_subscriptions(cometd: CometdApi) -> None:
    cometd.begin(ACCOUNTS)
    cookie = cometd.headers["Cookie"]
    first = cometd.client_id
    cometd.handshake()
    assert cometd.headers["Cookie"] == cookie
    assert cometd.client_id != first
    publish(cometd.org, 1)
    assert numbers(cometd.connect()) == []


def test_the_first_connect_is_answered_at_once_with_advice(cometd: CometdApi) -> None:
    cometd.handshake()
    assert cometd.connect() == [
        {
            "clientId": cometd.client_id,
            "advice": {"interval": 0, "timeout": 110_000, "reconnect": "retry"},
            "channel": "/meta/connect",
            "id": "2",
            "successful": True,
        }
    ]
    # Later ones have advice only if they give some, and may ask not to be held.
    cometd.org.streaming.poll_timeout = 0.01
    assert cometd.connect()[0]["advice"]["timeout"] == 10
    assert "advice" not in cometd.connect()[0]
    assert "advice" in cometd.connect(advice={"timeout": 0})[0]


def test_the_id_of_a_message_is_echoed_as_it_is(cometd: CometdApi) -> None:
    cometd.handshake()
    assert cometd.post(cometd.message("/meta/connect", connectionType="long-polling", id=7))[0]["id"] == 7
    bare = cometd.message("/meta/unsubscribe", subscription=ACCOUNTS)
    del bare["id"]
    assert "id" not in cometd.post(bare)[0]


@pytest.mark.parametrize("path", ["/cometd", "/cometd/", "/cometd/handshake"])
def test_a_path_without_a_version(cometd: CometdApi, path: str) -> None:
    response = cometd.send(orjson.dumps([{"channel": "/meta/handshake", "id": "1"}]), path)
    assert response.status == 400
    assert response.json() == [
        {
            "channel": "/meta/handshake",
            "id": "1",
            "error": "400::API version in the URI is mandatory. URI format: '/cometd/68.0'",
            "successful": False,
        }
    ]


@pytest.mark.parametrize("version", ["36.0", "99.0"])
def test_a_version_that_is_not_served(local_org: LocalOrg, version: str) -> None:
    answer = CometdApi(local_org, version).handshake()
    assert answer["error"] == "403::Handshake denied"
    assert answer["ext"]["sfdc"]["failureReason"] == (
        "400::Unsupported API version. Only API versions '37.0' and later are supported. URI format: '/cometd/68.0'"
    )


@pytest.mark.parametrize("path", ["/cometd/37.0", "/cometd/68.0/", "/cometd/68.0/handshake"])
def test_paths_that_are_served(cometd: CometdApi, path: str) -> None:
    cometd.path = path
    assert cometd.handshake()["successful"]


def test_other_connection_types(cometd: CometdApi) -> None:
    cometd.handshake()
    [answer] = cometd.post(cometd.message("/meta/connect", connectionType="websocket"))
    assert answer["error"] == "400::Invalid connection type {websocket}"
    shake = {"channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": ["callback-polling"]}
    assert cometd.post(shake)[0]["error"] == "400::Invalid connection type {callback-polling}"


def test_a_request_that_is_no_bayeux(cometd: CometdApi) -> None:
    url = cometd.org.url + cometd.path
    assert cometd.http.request("GET", url).status == 405
    assert cometd.send(b"[]", **{"Content-Type": "text/plain"}).status == 400
    for body in (b"", b"{", b"1", b"[1]"):
        assert cometd.send(body).status == 400
    large = cometd.send(orjson.dumps([{"channel": "/meta/handshake", "ext": {"x": "y" * 33_000}}]))
    assert (large.status, large.json()[0]["error"]) == (413, "413::Maximum Request Size Exceeded")


def test_a_single_message_needs_no_array(cometd: CometdApi) -> None:
    response = cometd.send(orjson.dumps({"channel": "/meta/handshake", "supportedConnectionTypes": ["long-polling"]}))
    assert response.json()[0]["successful"]


def test_without_a_token(cometd: CometdApi) -> None:
    cometd.begin()
    del cometd.headers["Authorization"]
    [answer] = cometd.connect()
    assert answer["error"] == "401::Request requires authentication"
    assert answer["advice"] == {"reconnect": "none", "interval": 0}
    denied = cometd.handshake()
    assert denied == {
        "ext": {
            "sfdc": {"failureReason": "401::Request requires authentication"},
            "replay": True,
            "payload.format": True,
        },
        "advice": {"reconnect": "none"},
        "channel": "/meta/handshake",
        "id": denied["id"],
        "error": "403::Handshake denied",
        "successful": False,
    }


@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
def test_with_a_token_that_is_none(cometd: CometdApi, scheme: str) -> None:
    cometd.begin()
    cometd.headers["Authorization"] = f"{scheme} 00Dnonsense"
    [answer] = cometd.connect()
    assert (answer["clientId"], answer["error"]) == (cometd.client_id, "401::Authentication invalid")
    assert answer["advice"] == {"reconnect": "none", "interval": 0}
    assert cometd.subscribe(ACCOUNTS)[0]["error"] == "401::Authentication invalid"
    assert cometd.handshake()["ext"]["sfdc"]["failureReason"] == "401::Authentication invalid"


def test_a_new_token_serves_the_old_client(cometd: CometdApi) -> None:
    cometd.begin(ACCOUNTS)
    cometd.org.streaming.revoke()
    assert cometd.connect()[0]["error"] == "401::Authentication invalid"
    cometd.headers["Authorization"] = f"OAuth {cometd.org.access_token()}"
    publish(cometd.org, 1)
    assert numbers(cometd.connect()) == [1]


def test_without_the_cookie(cometd: CometdApi) -> None:
    cometd.begin()
    cookie = cometd.headers.pop("Cookie")
    [answer] = cometd.connect()
    assert answer["error"] == (
        f"400::Client {cometd.client_id} has established a session, but no BAYEUX_BROWSER cookie present"
    )
    cometd.headers["Cookie"] = f"{cookie}x"
    assert cometd.connect()[0]["error"] == "403::Unknown client"
    cometd.headers["Cookie"] = f"BrowserId=1; {cookie}"
    assert cometd.connect(advice={"timeout": 0})[0]["successful"]


def test_unknown_clients(cometd: CometdApi) -> None:
    cometd.begin()
    cometd.client_id = "1q1ib66fvm7kli1gfoauu95i78g"
    [answer] = cometd.connect()
    assert answer == {
        "advice": {"interval": 0, "reconnect": "handshake"},
        "channel": "/meta/connect",
        "id": answer["id"],
        "error": "403::Unknown client",
        "successful": False,
    }
    [answer] = cometd.subscribe(ACCOUNTS)
    assert (answer["error"], "advice" in answer) == ("403::Unknown client", False)
    message = {"channel": "/meta/subscribe", "subscription": ACCOUNTS, "id": "9"}
    assert cometd.post(message)[0]["error"] == "403::Client has not completed handshake"


# -- subscribing ----------------------------------------------------------------------------------------------------


def test_a_subscribe_without_replay_gets_what_is_new(cometd: CometdApi) -> None:
    publish(cometd.org, 1)
    cometd.handshake()
    assert cometd.subscribe(ACCOUNTS) == [
        {
            "clientId": cometd.client_id,
            "channel": "/meta/subscribe",
            "id": "2",
            "subscription": ACCOUNTS,
            "successful": True,
        }
    ]
    publish(cometd.org, 2)
    assert numbers(cometd.connect()) == [2]


def test_replayed_events_stand_before_the_reply_that_they_come_with(cometd: CometdApi) -> None:
    [first, _, _] = publish(cometd.org, 1, 2, 3)
    cometd.handshake()
    for replay_id, expected in ((-2, [1, 2, 3]), (first, [2, 3]), (str(first), [2, 3]), (-1, [])):
        answer = cometd.subscribe(ACCOUNTS, replay_id)
        assert numbers(answer[:-1]) == expected
        assert answer[-1]["channel"] == "/meta/subscribe"
    event = cometd.subscribe(ACCOUNTS, -2)[0]
    assert event == {
        "data": {"schema": "s", "payload": {"Number": 1}, "event": {"replayId": first}},
        "channel": ACCOUNTS,
    }


@pytest.mark.parametrize("replay_id", [123_456_789, -3, 0, "x", 2**64 - 1, True, 1.5, "²"])
def test_replay_ids_that_are_none(cometd: CometdApi, replay_id: Any) -> None:
    publish(cometd.org, 1)
    cometd.handshake()
    [answer] = cometd.subscribe(ACCOUNTS, replay_id)
    assert answer["error"] == BAD_REPLAY_ID % replay_id
    assert answer["subscription"] == ACCOUNTS
    publish(cometd.org, 2)
    assert numbers(cometd.connect()) == []


def test_an_expired_replay_id(cometd: CometdApi) -> None:
    [old] = publish(cometd.org, 1)
    cometd.org.clock.advance(hours=71)
    publish(cometd.org, 2)
    cometd.org.clock.advance(hours=1)
    cometd.headers["Authorization"] = f"Bearer {cometd.org.access_token()}"
    cometd.handshake()
    assert cometd.subscribe(ACCOUNTS, old)[0]["error"] == BAD_REPLAY_ID % old
    assert numbers(cometd.subscribe(ACCOUNTS, -2)) == [2]


@pytest.mark.parametrize("replay", [{}, {CONTACTS: -2, ALL: 5}, "x"])
def test_a_replay_map_without_the_channel(cometd: CometdApi, replay: Any) -> None:
    cometd.handshake()
    [answer] = cometd.subscribe(ACCOUNTS, ext={"replay": replay})
    shown = "{" + ", ".join(f"{channel}={number}" for channel, number in replay.items()) + "}" if replay != "x" else "x"
    assert answer["error"] == (
        f"400::The replayId for channel {{{ACCOUNTS}}} wasn't found using the provided replay ID map {{{shown}}}. "
        "Ensure that the channel name you provided in the replay map is valid and matches the channel name used for "
        "subscribing."
    )


@pytest.mark.parametrize(
    "channel",
    [
        "/data/NothingChangeEvent",
        "/data/NoteChangeEvent",
        "/data/accountchangeevent",
        "/data/No__chn",
        "/event/No__e",
        "/topic/No",
        "/data/*",
    ],
)
def test_channels_that_are_not_there(cometd: CometdApi, channel: str) -> None:
    cometd.handshake()
    [answer] = cometd.subscribe(channel, -1)
    assert answer["error"] == f"400::The channel you requested to subscribe to does not exist {{{channel}}}"
    assert answer["subscription"] == channel


def test_names_that_are_no_channels(cometd: CometdApi) -> None:
    cometd.handshake()
    assert cometd.subscribe("data/X")[0]["error"] == "400::Channel subscriptions must start with a leading '/'"
    assert cometd.subscribe("/u/Anything")[0]["error"] == "404::Unknown channel"
    [answer] = cometd.post(cometd.message("/meta/subscribe"))
    assert answer["error"] == "400::Channel name not specified"


def test_custom_objects_and_custom_channels(cometd: CometdApi) -> None:
    org = cometd.org
    org.add_object("Employee__c", {"Age__c": "int"})
    channel = org.streaming.add_channel("Sales__chn", ["AccountChangeEvent", "Employee__ChangeEvent"])
    assert channel == "/data/Sales__chn"
    cometd.begin("/data/Employee__ChangeEvent", channel)
    publish(org, 1, entity="Employee__ChangeEvent")
    publish(org, 2, entity="ContactChangeEvent")
    answer = cometd.connect()
    assert [(message["channel"], *numbers([message])) for message in answer[:-1]] == [
        ("/data/Employee__ChangeEvent", 1),
        ("/data/Sales__chn", 1),
    ]


def test_several_channels_in_one_subscribe(cometd: CometdApi) -> None:
    cometd.handshake()
    ext = {"replay": {ACCOUNTS: -1, CONTACTS: -1}}
    message = cometd.message("/meta/subscribe", subscription=[ACCOUNTS, CONTACTS], ext=ext)
    assert cometd.post(message)[0]["successful"]
    publish(cometd.org, 1)
    publish(cometd.org, 2, entity="ContactChangeEvent")
    assert numbers(cometd.connect()) == [1, 2]


def test_subscribing_again_moves_the_position_only_if_it_says_where_to(cometd: CometdApi) -> None:
    cometd.begin(ACCOUNTS)
    publish(cometd.org, 1, 2)
    assert numbers(cometd.subscribe(ACCOUNTS)) == [1, 2]
    assert numbers(cometd.subscribe(ACCOUNTS)) == []
    assert numbers(cometd.subscribe(ACCOUNTS, -2)) == [1, 2]


def test_unsubscribe(cometd: CometdApi) -> None:
    cometd.begin(ACCOUNTS, CONTACTS)
    [answer] = cometd.post(cometd.message("/meta/unsubscribe", subscription=ACCOUNTS))
    assert answer == {
        "clientId": cometd.client_id,
        "channel": "/meta/unsubscribe",
        "id": answer["id"],
        "subscription": ACCOUNTS,
        "successful": True,
    }
    publish(cometd.org, 1)
    publish(cometd.org, 2, entity="ContactChangeEvent")
    assert numbers(cometd.connect()) == [2]


# -- the rest -------------------------------------------------------------------------------------------------------


def test_disconnect(cometd: CometdApi) -> None:
    cometd.begin(ACCOUNTS)
    [answer] = cometd.post(cometd.message("/meta/disconnect"))
    assert answer == {
        "clientId": cometd.client_id,
        "channel": "/meta/disconnect",
        "id": answer["id"],
        "successful": True,
    }
    assert cometd.connect()[0]["error"] == "403::Unknown client"
    assert cometd.org.streaming.clients == 0


def test_nothing_is_published_by_cometd(cometd: CometdApi) -> None:
    cometd.begin(ACCOUNTS)
    [answer] = cometd.post(cometd.message(ACCOUNTS, data={"payload": {}}))
    assert (answer["channel"], answer["successful"], answer["error"][:5]) == (ACCOUNTS, False, "403::")
    [answer] = cometd.post(cometd.message("/meta/wonder"))
    assert answer["error"] == "404::Unknown channel"
    assert cometd.org.streaming.retained == 0


def test_messages_in_one_request_are_answered_together_and_never_held(cometd: CometdApi) -> None:
    cometd.begin()
    publish(cometd.org, 1)
    answer = cometd.post(
        cometd.message("/meta/connect", connectionType="long-polling"),
        cometd.message("/meta/subscribe", subscription=ACCOUNTS, ext={"replay": {ACCOUNTS: -2}}),
        cometd.message("/meta/subscribe", subscription="/data/No__chn"),
    )
    assert [message["channel"] for message in answer] == [ACCOUNTS, "/meta/connect", *["/meta/subscribe"] * 2]
    assert [message["successful"] for message in answer[1:]] == [True, True, False]


def test_too_many_clients(cometd: CometdApi) -> None:
    cometd.org.streaming.max_clients = 1
    cometd.begin()
    second = CometdApi(cometd.org).handshake()
    assert second["error"] == "403::Handshake denied"
    assert second["ext"]["sfdc"]["failureReason"] == "403::Organization concurrent user limit exceeded"
    cometd.post(cometd.message("/meta/disconnect"))
    assert CometdApi(cometd.org).handshake()["successful"]


def test_streaming_costs_no_api_requests(cometd: CometdApi) -> None:
    def used() -> Any:
        url = f"{cometd.org.url}/services/data/v68.0/limits"
        return cometd.http.request("GET", url, headers=cometd.headers).json()["DailyApiRequests"]["Remaining"]

    before = used()
    cometd.begin(ACCOUNTS)
    assert used() == before - 1


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)
CHANNELS = [f"/meta/{name}" for name in ("handshake", "connect", "subscribe", "unsubscribe", "disconnect", "other")]
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "channel": st.sampled_from([*CHANNELS, ACCOUNTS]) | JSON,
        "clientId": st.just("CLIENT") | JSON,
        "connectionType": st.just("long-polling") | JSON,
        "subscription": st.sampled_from([ACCOUNTS, ALL, "/data/Sales__chn"]) | JSON,
        "ext": st.fixed_dictionaries({"replay": st.dictionaries(st.sampled_from([ACCOUNTS, ALL]), JSON) | JSON}) | JSON,
        "advice": st.fixed_dictionaries({"timeout": JSON}) | JSON,
        "supportedConnectionTypes": JSON,
        "id": JSON,
    },
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=st.lists(MESSAGES, min_size=1, max_size=3))
def test_every_message_is_answered_whatever_is_in_it(cometd: CometdApi, messages: list[dict[str, Any]]) -> None:
    cometd.org.streaming.poll_timeout = 0
    assert cometd.handshake()["successful"]
    body = json.dumps(messages).replace('"CLIENT"', f'"{cometd.client_id}"').encode()
    response = cometd.send(body)
    assert response.status == 200, response.data
    assert [answer["successful"] in (True, False) for answer in response.json()] == [True] * len(messages)
