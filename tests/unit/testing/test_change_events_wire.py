"""Change events and platform events on their way to a subscriber."""

from collections.abc import Iterator
from typing import Any

import pytest
from bulk_api import load
from cometd_api import CometdApi
from local_api import Api

from sfconnector.testing import LocalOrg


@pytest.fixture
def cometd(local_org: LocalOrg) -> Iterator[CometdApi]:
    local_org.add_object("Employee__c", {"Tenure__c": "double(3, 0)"})
    local_org.add_object("Order__e", {"Number__c": "string(10) required"})
    cometd = CometdApi(local_org)
    yield cometd
    cometd.http.clear()


def _data(answer: list[dict[str, Any]], channel: str) -> list[dict[str, Any]]:
    return [message["data"] for message in answer if message["channel"] == channel]


def _kinds(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    headers = [event["payload"]["ChangeEventHeader"] for event in events]
    return [(header["changeType"], header["entityName"]) for header in headers]


def test_a_held_poll_is_answered_when_a_record_is_created(local_org: LocalOrg, cometd: CometdApi, api: Api) -> None:
    cometd.begin("/data/AccountChangeEvent")
    pending = cometd.in_background(cometd.connect)
    local_org.streaming.wait()
    account_id = api.create("Account", Name="Acme")

    (event,) = _data(pending.result(), "/data/AccountChangeEvent")
    assert event["payload"]["Name"] == "Acme"
    assert event["payload"]["ChangeEventHeader"]["recordIds"] == [account_id]
    assert isinstance(event["event"]["replayId"], int)


def test_what_is_rolled_back_does_not_arrive(cometd: CometdApi, api: Api) -> None:
    cometd.begin("/data/ChangeEvents")
    records = [{"attributes": {"type": "Account"}, "Name": name} for name in ("A", "")]
    api("POST", "composite/sobjects", json={"records": records, "allOrNone": True})
    api.create("Contact", LastName="Curie")

    assert _kinds(_data(cometd.connect(), "/data/ChangeEvents")) == [("CREATE", "Contact")]


def test_channels_of_one_object_of_several_and_of_all(local_org: LocalOrg, cometd: CometdApi, api: Api) -> None:
    custom = local_org.streaming.add_channel("People__chn", ["ContactChangeEvent", "Employee__ChangeEvent"])
    channels = ["/data/Employee__ChangeEvent", custom, "/data/ChangeEvents"]
    cometd.begin(*channels)
    api.create("Account", Name="Acme")
    api.create("Contact", LastName="Curie")
    api.create("Employee__c", Tenure__c=20)

    answer = cometd.connect()
    assert {channel: _kinds(_data(answer, channel)) for channel in channels} == {
        "/data/Employee__ChangeEvent": [("CREATE", "Employee__c")],
        custom: [("CREATE", "Contact"), ("CREATE", "Employee__c")],
        "/data/ChangeEvents": [("CREATE", "Account"), ("CREATE", "Contact"), ("CREATE", "Employee__c")],
    }


def test_replay_of_what_was_changed_before(cometd: CometdApi, api: Api) -> None:
    account_id = api.create("Account", Name="Acme")
    api("PATCH", f"sobjects/Account/{account_id}", json={"Phone": "1"})
    api("DELETE", f"sobjects/Account/{account_id}")
    cometd.handshake()
    answer = cometd.subscribe("/data/AccountChangeEvent", -2)
    answer += cometd.connect()

    kinds = [kind for kind, _ in _kinds(_data(answer, "/data/AccountChangeEvent"))]
    assert kinds == ["CREATE", "UPDATE", "DELETE"]


def test_rows_of_a_bulk_job_arrive_in_order(local_org: LocalOrg, cometd: CometdApi, api: Api) -> None:
    local_org.streaming.events_per_answer = 5_000
    cometd.begin("/data/AccountChangeEvent")
    load(api, "insert", "Account", "Name\n" + "".join(f"A{n}\n" for n in range(500)))

    events: list[dict[str, Any]] = []
    while len(events) < 500:
        events += _data(cometd.connect(), "/data/AccountChangeEvent")
    assert [event["payload"]["Name"] for event in events] == [f"A{n}" for n in range(500)]
    keys = [event["payload"]["ChangeEventHeader"]["transactionKey"] for event in events]
    assert [keys.count(key) for key in dict.fromkeys(keys)] == [200, 200, 100]


def test_a_platform_event_arrives(local_org: LocalOrg, cometd: CometdApi, api: Api) -> None:
    cometd.begin("/event/Order__e")
    pending = cometd.in_background(cometd.connect)
    local_org.streaming.wait()
    published = api("POST", "sobjects/Order__e", json={"Number__c": "42"}).json()

    (event,) = _data(pending.result(), "/event/Order__e")
    assert event["payload"]["Number__c"] == "42"
    assert event["event"]["EventUuid"] == published["errors"][0]["message"]


@pytest.mark.parametrize("channel", ["/data/NoteChangeEvent", "/data/Order__eChangeEvent", "/event/Unknown__e"])
def test_channel_that_is_not_there(cometd: CometdApi, channel: str) -> None:
    cometd.handshake()
    [answer] = cometd.subscribe(channel, -1)

    assert not answer["successful"]
