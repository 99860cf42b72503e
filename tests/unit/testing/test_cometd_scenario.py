"""A day in the life of a subscriber, message by message."""

import itertools
import threading
from typing import Any

import pytest
import urllib3
from cometd_api import ACCOUNTS, CometdApi, numbers, publish
from local_api import Api

from sfconnector.testing import LocalOrg

EVENTS = 240


class Subscriber:
    """Gets everything at least once: whatever fails, it begins anew behind the last event that it has."""

    def __init__(self, org: LocalOrg) -> None:
        self._cometd = CometdApi(org)
        self._position: Any = -2
        self.got: list[int] = []
        self.errors: set[str] = set()

    def follow(self, last: int) -> None:
        while not self.got or self.got[-1] != last:
            try:
                self._session(last)
            except urllib3.exceptions.HTTPError as error:
                self.errors.add(type(error).__name__)

    def _session(self, last: int) -> None:
        if not self._take([self._cometd.handshake()]) or not self._take(
            self._cometd.subscribe(ACCOUNTS, self._position)
        ):
            return
        while (not self.got or self.got[-1] != last) and self._take(self._cometd.connect()):
            pass

    def _take(self, answer: list[dict[str, Any]]) -> bool:
        for message in answer:
            if "data" in message:
                self.got += numbers([message])
                self._position = message["data"]["event"]["replayId"]
        error = answer[-1].get("error")
        if error is None:
            return True
        reason = answer[-1].get("ext", {}).get("sfdc", {}).get("failureReason", "")
        self.errors.add(f"{error} {reason}".strip())
        if error == "401::Authentication invalid" or "401" in reason:
            self._cometd.headers["Authorization"] = f"Bearer {self._cometd.org.access_token()}"
        return False


def test_nothing_is_missed_whatever_goes_wrong(local_org: LocalOrg) -> None:
    streaming = local_org.streaming
    subscriber = Subscriber(local_org)
    faults = [
        streaming.lose,
        streaming.halve,
        streaming.kill,
        streaming.kick,
        streaming.revoke,
        streaming.busy,
        lambda: streaming.busy(operation="connect"),
        streaming.limit,
        lambda: local_org.faults.cut(path="/cometd/*", applied=True),
    ]
    thread = threading.Thread(target=subscriber.follow, args=(EVENTS - 1,))
    thread.start()
    for number, fault in zip(range(EVENTS), itertools.cycle([*faults, lambda: None, lambda: None]), strict=False):
        if number % 4 == 0:
            # Some meet a poll that is held, others the way there.
            fault()
        publish(local_org, number)
        if number % 8 == 0:
            streaming.wait(channel=ACCOUNTS)
    thread.join(60)
    assert not thread.is_alive()
    assert list(dict.fromkeys(subscriber.got)) == list(range(EVENTS))
    # The revoked token was noticed by a poll, or by the handshake after something else.
    for met in ("Unknown client", "401::Authentication invalid", "503::", "daily limit", "ProtocolError"):
        assert any(met in error for error in subscriber.errors), subscriber.errors
    assert local_org.streaming.retained == EVENTS


def test_an_expired_position_is_refused_until_the_subscriber_chooses(local_org: LocalOrg) -> None:
    cometd = CometdApi(local_org)
    [position] = publish(local_org, 1)
    cometd.begin()
    assert numbers(cometd.subscribe(ACCOUNTS, position)) == []
    # It is away for four days, and its client forgotten.
    streaming = local_org.streaming
    streaming.kill()
    publish(local_org, 2)
    local_org.clock.advance(days=4)
    publish(local_org, 3)
    cometd.headers["Authorization"] = f"Bearer {local_org.access_token()}"
    cometd.begin()
    [refused] = cometd.subscribe(ACCOUNTS, position)
    assert refused["error"].startswith(f"400::The replayId {{{position}}} you provided was invalid.")
    # A refused subscribe is none: nothing comes.
    assert streaming.subscriptions == {}
    assert numbers(cometd.subscribe(ACCOUNTS, -2)) == [3]


@pytest.mark.parametrize("channel", [ACCOUNTS, "/data/ChangeEvents"])
def test_a_long_backlog_comes_in_order_and_in_bounded_answers(local_org: LocalOrg, channel: str) -> None:
    with local_org._runtime.store.transaction():
        publish(local_org, *range(5_000))
    cometd = CometdApi(local_org)
    cometd.begin()
    got = numbers(cometd.subscribe(channel, -2))
    answers = 1
    while len(got) < 5_000:
        got += numbers(cometd.connect())
        answers += 1
    assert got == list(range(5_000))
    assert answers == 5


def test_writes_by_rest_arrive_as_change_events(local_org: LocalOrg) -> None:
    api, cometd = Api(local_org), CometdApi(local_org)
    every = local_org.streaming.add_channel("Sales__chn", ["AccountChangeEvent", "ContactChangeEvent"])
    cometd.begin(ACCOUNTS, every)
    pending = cometd.in_background(cometd.connect)
    local_org.streaming.wait(channel=every)
    account_id = api.create("Account", Name="Acme")
    first = pending.result()
    assert [message["channel"] for message in first] == [ACCOUNTS, every, "/meta/connect"]
    payload = first[0]["data"]["payload"]
    header = payload["ChangeEventHeader"]
    assert payload["Name"] == "Acme"
    assert (header["changeType"], header["recordIds"]) == ("CREATE", [account_id])

    # One request, one transaction: its events come in one answer.
    contacts = [{"attributes": {"type": "Contact"}, "LastName": name} for name in ("Curie", "Noether")]
    assert api("POST", "composite/sobjects", json={"records": contacts}).status_code == 200
    api("PATCH", f"sobjects/Account/{account_id}", json={"Name": "Acme & Sons"})
    api("DELETE", f"sobjects/Account/{account_id}")
    assert api("PATCH", f"sobjects/Account/{account_id}", json={"Name": "gone"}).status_code == 404
    told: list[tuple[str, str]] = []
    while len(told) < 6:
        for message in cometd.connect()[:-1]:
            header = message["data"]["payload"]["ChangeEventHeader"]
            told.append((message["channel"], f"{header['changeType']} {header['entityName']}"))
    assert told == [
        (every, "CREATE Contact"),
        (every, "CREATE Contact"),
        (ACCOUNTS, "UPDATE Account"),
        (every, "UPDATE Account"),
        (ACCOUNTS, "DELETE Account"),
        (every, "DELETE Account"),
    ]
    api.http.close()


def test_platform_events_published_by_rest_arrive(local_org: LocalOrg) -> None:
    local_org.add_object("Order__e", {"Sku__c": "string(20)"})
    api, cometd = Api(local_org), CometdApi(local_org)
    cometd.begin("/event/Order__e")
    assert api("POST", "sobjects/Order__e", json={"Sku__c": "X1"}).status_code == 201
    message, _ = cometd.connect()
    assert (message["channel"], message["data"]["payload"]["Sku__c"]) == ("/event/Order__e", "X1")
    replay_id = message["data"]["event"]["replayId"]
    api("POST", "sobjects/Order__e", json={"Sku__c": "X2"})
    [again, reply] = cometd.subscribe("/event/Order__e", replay_id)
    assert (again["data"]["payload"]["Sku__c"], reply["successful"]) == ("X2", True)
    api.http.close()
