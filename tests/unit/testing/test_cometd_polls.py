"""Polls that are held, and what ends them."""

import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
import trustme
import urllib3
from cometd_api import ACCOUNTS, CONTACTS, PATIENCE, CometdApi, numbers, publish
from local_api import Api

from sfconnector.testing import LocalOrg


def poll(cometd: CometdApi, channel: str | None = None) -> Any:
    """Connect in the background; returns once the poll is held."""
    pending = cometd.in_background(cometd.connect)
    cometd.org.streaming.wait(channel=channel)
    assert not pending.done
    return pending


def test_a_poll_is_held_until_an_event_comes(cometd: CometdApi) -> None:
    cometd.begin(ACCOUNTS)
    pending = poll(cometd, ACCOUNTS)
    publish(cometd.org, 1, entity="ContactChangeEvent")
    assert not pending.done
    publish(cometd.org, 2)
    answer = pending.result()
    assert numbers(answer[:1]) == [2]
    assert answer[1] == {
        "clientId": cometd.client_id,
        "channel": "/meta/connect",
        "id": answer[1]["id"],
        "successful": True,
    }


def test_a_poll_ends_after_its_time(cometd: CometdApi) -> None:
    cometd.begin(ACCOUNTS)
    pending = poll(cometd)
    cometd.org.streaming.poll_timeout = 0.02
    [answer] = pending.result()
    assert answer["successful"]


def test_a_write_by_rest_wakes_the_poll_once_it_is_kept(cometd: CometdApi, local_org: LocalOrg) -> None:
    cometd.begin(ACCOUNTS)
    pending = poll(cometd)
    store = local_org._runtime.store
    with store.transaction():
        publish(local_org, 1)
        publish(local_org, 2)
        assert not pending.done
    assert numbers(pending.result()) == [1, 2]


def test_the_second_connection_subscribes_while_the_poll_is_held(cometd: CometdApi) -> None:
    publish(cometd.org, 1, entity="ContactChangeEvent")
    cometd.begin(ACCOUNTS)
    pending = poll(cometd)
    assert numbers(cometd.subscribe(CONTACTS, -2)) == [1]
    assert not pending.done
    publish(cometd.org, 2, entity="ContactChangeEvent")
    assert numbers(pending.result()) == [2]


def test_many_events_come_in_several_answers(cometd: CometdApi) -> None:
    org = cometd.org
    org.streaming.events_per_answer = 7
    publish(org, *range(20))
    cometd.begin()
    pending = poll(cometd)
    got = numbers(cometd.subscribe(ACCOUNTS, -2))
    assert got == list(range(7))
    # More than one answer holds: the poll that is held already brings the next.
    got += numbers(pending.result())
    assert got == list(range(14))
    got += numbers(cometd.connect())
    assert got == list(range(20))


def test_large_events_share_answers_by_their_size(cometd: CometdApi) -> None:
    cometd.begin(ACCOUNTS)
    text = "x" * 900_000
    for number in range(12):
        cometd.org.streaming.publish("AccountChangeEvent", {"schema": "s", "payload": {"Number": number, "T": text}})
    first = numbers(cometd.connect())
    assert 0 < len(first) < 12
    assert first + numbers(cometd.connect()) == list(range(12))


def test_events_of_several_channels_keep_their_order(cometd: CometdApi) -> None:
    cometd.begin(CONTACTS, ACCOUNTS)
    for number in range(30):
        publish(cometd.org, number, entity="ContactChangeEvent" if number % 3 else "AccountChangeEvent")
    assert numbers(cometd.connect()) == list(range(30))


def test_a_second_connect_takes_the_place_of_the_first(cometd: CometdApi) -> None:
    cometd.begin(ACCOUNTS)
    message = (
        b'[{"channel":"/meta/connect","connectionType":"long-polling","clientId":"%b"}]' % cometd.client_id.encode()
    )
    first = cometd.in_background(lambda: cometd.send(message).status)
    cometd.org.streaming.wait()
    second = cometd.in_background(cometd.connect)
    assert first.result() == 500
    publish(cometd.org, 1)
    assert numbers(second.result()) == [1]


def test_two_clients_with_one_cookie_do_not_both_wait(cometd: CometdApi) -> None:
    cometd.begin(ACCOUNTS)
    poll(cometd)
    second = CometdApi(cometd.org)
    second.headers["Cookie"] = cometd.headers["Cookie"]
    second.begin(ACCOUNTS)
    [answer] = second.connect()
    assert answer["advice"] == {"interval": 2_000, "multiple-clients": True, "reconnect": "retry", "timeout": 110_000}


def test_a_disconnect_ends_the_poll(cometd: CometdApi) -> None:
    cometd.begin(ACCOUNTS)
    pending = poll(cometd)
    assert cometd.post(cometd.message("/meta/disconnect"))[0]["successful"]
    [answer] = pending.result()
    assert (answer["successful"], answer["advice"]) == (True, {"reconnect": "none"})
    assert cometd.org.streaming.clients == 0


def test_who_stays_away_is_forgotten(cometd: CometdApi) -> None:
    org = cometd.org
    cometd.begin(ACCOUNTS)
    pending = poll(cometd)
    org.streaming.max_interval = 0
    # While its poll is held it has not gone away.
    assert org.streaming.clients == 1
    publish(org, 1)
    pending.result()
    assert org.streaming.clients == 0
    [answer] = cometd.connect()
    assert (answer["error"], answer["advice"]["reconnect"]) == ("403::Unknown client", "handshake")


def test_a_client_that_hangs_up_loses_nothing(cometd: CometdApi) -> None:
    org = cometd.org
    cometd.begin(ACCOUNTS)
    body = b'[{"channel":"/meta/connect","connectionType":"long-polling","clientId":"%b"}]' % cometd.client_id.encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in cometd.headers.items())
    port = urllib3.util.parse_url(org.url).port
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        request = f"POST {cometd.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n"
        connection.sendall(request.encode() + body)
        org.streaming.wait()
    org.streaming.wait(polls=0)
    publish(org, 1)
    assert numbers(cometd.connect()) == [1]
    assert [entry.status for entry in org.requests if entry.path == cometd.path].count(None) == 1


def test_a_poll_does_not_keep_the_org_from_stopping(cometd: CometdApi) -> None:
    cometd.begin(ACCOUNTS)
    pending = poll(cometd)
    stopping = threading.Thread(target=cometd.org.stop)
    requests = cometd.org.requests
    stopping.start()
    stopping.join(PATIENCE)
    assert not stopping.is_alive()
    with pytest.raises(urllib3.exceptions.HTTPError):
        pending.result()
    assert requests[-1].status is None


def test_a_connected_client_keeps_its_login_alive(cometd: CometdApi) -> None:
    org = cometd.org
    idle = Api(org)
    cometd.begin(ACCOUNTS)
    pending = poll(cometd)
    org.clock.advance(hours=30)
    publish(org, 1)
    assert numbers(pending.result()) == [1]
    assert idle("GET", "limits").status_code == 401
    assert cometd.connect(advice={"timeout": 0})[0]["successful"]
    # The idleness of a session begins when its client has gone.
    cometd.post(cometd.message("/meta/disconnect"))
    org.clock.advance(hours=1)
    assert cometd.handshake()["successful"]
    cometd.post(cometd.message("/meta/disconnect"))
    org.clock.advance(hours=3)
    assert cometd.handshake()["ext"]["sfdc"]["failureReason"] == "401::Authentication invalid"


@pytest.mark.parametrize("how", ["revoke", "expire", "oauth"])
def test_a_revoked_token_ends_the_poll(cometd: CometdApi, how: str) -> None:
    org = cometd.org
    cometd.begin(ACCOUNTS)
    pending = poll(cometd)
    if how == "revoke":
        org.streaming.revoke()
    elif how == "expire":
        org.faults.expire_tokens()
    else:
        token = cometd.headers["Authorization"].partition(" ")[2]
        cometd.http.request(
            "POST", f"{org.url}/services/oauth2/revoke", fields={"token": token}, encode_multipart=False
        )
    [answer] = pending.result()
    assert answer == {
        "clientId": cometd.client_id,
        "advice": {"reconnect": "none", "interval": 0},
        "channel": "/meta/connect",
        "id": answer["id"],
        "error": "401::Authentication invalid",
        "successful": False,
    }


def test_many_clients_get_all_events(local_org: LocalOrg) -> None:
    clients = [CometdApi(local_org) for _ in range(8)]
    got: dict[int, list[int]] = {number: [] for number in range(len(clients))}

    def follow(number: int) -> None:
        client = clients[number]
        client.begin(ACCOUNTS)
        ready.wait(PATIENCE)
        while len(got[number]) < 200:
            got[number] += numbers(client.connect())

    ready = threading.Barrier(len(clients) + 1)
    threads = [threading.Thread(target=follow, args=(number,)) for number in got]
    for thread in threads:
        thread.start()
    ready.wait(PATIENCE)
    publish(local_org, *range(200))
    for thread in threads:
        thread.join(PATIENCE)
    assert all(numbers == list(range(200)) for numbers in got.values())


def test_a_file_keeps_events_and_clients_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "org.db"
    with LocalOrg(path) as org:
        cometd = CometdApi(org)
        first, _ = publish(org, 1, 2)
        cometd.begin(ACCOUNTS)
        org.streaming.add_channel("Sales__chn", ["AccountChangeEvent"])
    with LocalOrg(path) as again:
        cometd.org = again
        cometd.headers["Authorization"] = f"Bearer {again.access_token()}"
        assert cometd.connect()[0]["error"] == "403::Unknown client"
        cometd.handshake()
        assert numbers(cometd.subscribe(ACCOUNTS, first)) == [2]
        assert numbers(cometd.subscribe("/data/Sales__chn", -2)) == [1, 2]
        assert publish(again, 3)[0] > first
        cometd.http.clear()


def test_over_tls_the_cookie_is_secure(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = tmp_path / "cert.pem"
    authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with LocalOrg(ssl_certfile=certificate) as org:
        cometd = CometdApi(org)
        cometd.http = urllib3.PoolManager(ssl_context=context, retries=False)
        body = b'[{"channel":"/meta/handshake","supportedConnectionTypes":["long-polling"]}]'
        assert cometd.send(body).headers["Set-Cookie"].endswith("; Secure")
        cometd.http.clear()
