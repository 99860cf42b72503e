"""What can go wrong on the way, and how a test lets it happen."""

from typing import Any

import pytest
import requests
import urllib3
from cometd_api import ACCOUNTS, CometdApi, numbers, publish

from sfconnector.testing import LocalOrg


def steer(org: LocalOrg, **orders: Any) -> requests.Response:
    return requests.post(f"{org.url}/__local_org__/streaming", json=orders, timeout=30)


def recovered(cometd: CometdApi, replay_id: int) -> list[int]:
    """Begin anew behind the last event that came."""
    cometd.handshake()
    return numbers(cometd.subscribe(ACCOUNTS, replay_id))


def test_a_lost_answer_takes_its_events_along(cometd: CometdApi) -> None:
    org = cometd.org
    cometd.begin(ACCOUNTS)
    [first] = publish(org, 1)
    assert numbers(cometd.connect()) == [1]
    fault = org.streaming.lose()
    pending = cometd.in_background(cometd.connect)
    org.streaming.wait()
    publish(org, 2)
    with pytest.raises(urllib3.exceptions.HTTPError):
        pending.result()
    assert fault.wait(30)
    publish(org, 3)
    # The server believes that the client has number 2.
    assert numbers(cometd.connect()) == [3]
    assert recovered(cometd, first) == [2, 3]
    assert org.requests[-4].status is None


def test_half_an_answer(cometd: CometdApi) -> None:
    cometd.begin(ACCOUNTS)
    fault = cometd.org.streaming.halve()
    assert numbers(cometd.connect(advice={"timeout": 0})) == []
    publish(cometd.org, 1)
    assert fault.hits == 0  # An answer without events was none to halve.
    with pytest.raises(urllib3.exceptions.HTTPError):
        cometd.connect()
    assert fault.hits == 1
    assert recovered(cometd, -2) == [1]


def test_killed_clients_are_unknown(cometd: CometdApi) -> None:
    cometd.begin(ACCOUNTS)
    pending = cometd.in_background(cometd.connect)
    cometd.org.streaming.wait()
    assert cometd.org.streaming.kill() == 1
    for answer in (pending.result()[-1], cometd.connect()[-1]):
        assert answer["error"] == "403::Unknown client"
        assert answer["advice"] == {"interval": 0, "reconnect": "handshake"}


def test_kicked_clients_get_a_bare_goodbye(cometd: CometdApi) -> None:
    cometd.begin(ACCOUNTS)
    pending = cometd.in_background(cometd.connect)
    cometd.org.streaming.wait()
    assert cometd.org.streaming.kick() == 1
    goodbye, answer = pending.result()
    assert goodbye == {"channel": "/meta/disconnect"}
    assert answer["successful"]
    [answer] = cometd.connect()
    assert (answer["error"], answer["advice"]["reconnect"]) == ("403::Unknown client", "none")


def test_retention_can_be_trimmed_below_a_client(cometd: CometdApi) -> None:
    first, _, third = publish(cometd.org, 1, 2, 3)
    cometd.begin(ACCOUNTS)
    cometd.org.streaming.trim(keep=1)
    assert cometd.org.streaming.retained == 1
    [answer] = cometd.subscribe(ACCOUNTS, first)
    assert f"{{{first}}}" in answer["error"]
    assert numbers(cometd.subscribe(ACCOUNTS, -2)) == [3]
    assert cometd.subscribe(ACCOUNTS, third)[0]["successful"]


def test_the_daily_limit_of_events(cometd: CometdApi) -> None:
    streaming = cometd.org.streaming
    cometd.begin(ACCOUNTS)
    pending = cometd.in_background(cometd.connect)
    streaming.wait()
    fault = streaming.limit(times=2)
    [answer] = pending.result()
    assert answer["error"] == "403::Organization total events daily limit exceeded"
    assert cometd.connect()[0]["error"] == "403::Unknown client"
    cometd.handshake()
    [answer] = cometd.subscribe(ACCOUNTS, -1)
    assert (answer["error"], answer["subscription"]) == (
        "403::Organization total events daily limit exceeded",
        ACCOUNTS,
    )
    assert fault.hits == 2
    assert cometd.subscribe(ACCOUNTS, -1)[0]["successful"]
    streaming.limit(times=None)
    streaming.clear()
    assert cometd.connect()[0]["successful"]


def test_a_busy_server(cometd: CometdApi) -> None:
    streaming = cometd.org.streaming
    busy = "503::Server is too busy.  Please try your request again later."
    streaming.busy()
    answer = cometd.handshake()
    assert (answer["error"], answer["ext"]["sfdc"]["failureReason"]) == ("403::Handshake denied", busy)
    cometd.begin(ACCOUNTS)
    # As on the page on error handling: the error itself is misleading.
    streaming.busy(operation="connect")
    [answer] = cometd.connect()
    assert answer == {
        "ext": {"sfdc": {"failureReason": busy}},
        "clientId": cometd.client_id,
        "advice": {"reconnect": "none", "interval": 0},
        "channel": "/meta/connect",
        "id": answer["id"],
        "error": "401::Authentication invalid",
        "successful": False,
    }
    streaming.busy(operation="subscribe")
    assert cometd.subscribe(ACCOUNTS)[0]["ext"]["sfdc"]["failureReason"] == busy
    assert cometd.subscribe(ACCOUNTS)[0]["successful"]


def test_a_slow_server(cometd: CometdApi) -> None:
    cometd.begin(ACCOUNTS)
    cometd.org.streaming.slow(600)
    pending = cometd.in_background(lambda: cometd.subscribe(ACCOUNTS))
    assert cometd.org.streaming.clients == 1
    with pytest.raises(urllib3.exceptions.HTTPError):
        cometd.http.request(
            "POST", cometd.org.url + cometd.path, body=b"[]", headers=cometd.headers, timeout=0.05, retries=False
        )
    assert not pending.done
    cometd.org.streaming.slow(0)
    assert cometd.connect(advice={"timeout": 0})[0]["successful"]


def test_the_faults_of_other_requests_meet_cometd_too(cometd: CometdApi) -> None:
    faults = cometd.org.faults
    cometd.begin(ACCOUNTS)
    body = b'[{"channel":"/meta/connect","id":"5","connectionType":"long-polling"}]'
    faults.unavailable(retry_after=2, path="/cometd/*")
    response = cometd.send(body)
    assert (response.status, response.headers["Retry-After"]) == (503, "2")
    assert response.json() == [
        {"channel": "/meta/connect", "id": "5", "error": "503::Server too busy", "successful": False}
    ]
    faults.html_error()
    response = cometd.send(body)
    assert (response.status, response.headers["Content-Type"]) == (503, "text/html;charset=UTF-8")
    faults.error(400, "X", "text", applied=True)
    assert cometd.send(body).json() == [{"error": "400::text", "successful": False}]
    publish(cometd.org, 1)
    faults.broken_json()
    response = cometd.send(body.replace(b'"id"', b'"clientId":"%b","id"' % cometd.client_id.encode()))
    assert response.data.startswith(b'[{"data"')
    with pytest.raises(ValueError, match="line 1"):
        response.json()
    faults.cut()
    with pytest.raises(urllib3.exceptions.HTTPError):
        cometd.connect()
    faults.cut(after_bytes=10)
    with pytest.raises(urllib3.exceptions.HTTPError):
        cometd.connect(advice={"timeout": 0})
    assert cometd.connect(advice={"timeout": 0})[0]["successful"]


def test_steering_from_other_languages(cometd: CometdApi) -> None:
    org = cometd.org
    answer = steer(org, poll_timeout=7, add_channel={"name": "Sales__chn", "members": ["AccountChangeEvent"]})
    assert answer.json() == {
        "events_per_answer": 1000,
        "max_clients": 2000,
        "max_interval": 40.0,
        "poll_timeout": 7.0,
        "clients": 0,
        "retained": 0,
        "subscriptions": {},
    }
    cometd.begin("/data/Sales__chn")
    event = {"schema": "s", "payload": {"Number": 5}}
    told = steer(org, publish={"entity": "AccountChangeEvent", "data": event}, lose={}).json()
    assert (told["clients"], told["retained"], told["subscriptions"]) == (1, 1, {"/data/Sales__chn": 1})
    with pytest.raises(urllib3.exceptions.HTTPError):
        cometd.connect()
    assert steer(org, kill={}).json()["clients"] == 0
    assert requests.get(f"{org.url}/__local_org__/streaming", timeout=30).json()["poll_timeout"] == 7


@pytest.mark.parametrize(
    "orders",
    [
        {"registry": {}},
        {"lose": 1},
        {"lose": {"times": 0}},
        {"lose": {"often": 1}},
        {"poll_timeout": -1},
        {"busy": {"operation": "publish"}},
        {"publish": {"entity": "Account", "data": {}}},
        {"max_clients": -1},
        {"events_per_answer": 0},
        [],
    ],
)
def test_orders_that_cannot_be_followed(local_org: LocalOrg, orders: Any) -> None:
    response = requests.post(f"{local_org.url}/__local_org__/streaming", json=orders, timeout=30)
    assert response.status_code == 400
    assert response.json()["error"]


def test_waiting_for_polls_ends(local_org: LocalOrg) -> None:
    with pytest.raises(TimeoutError, match="1 polls of /data/X"):
        local_org.streaming.wait(channel="/data/X", timeout=0.01)
