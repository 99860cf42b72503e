"""Events: every field of the documentation's examples, JSON's types kept, and anything missing tolerated."""

from datetime import UTC, datetime
from typing import Any

import pytest
from cometd_server import change, order
from hypothesis import given
from hypothesis import strategies as st

from sfconnector.streaming import (
    ChangeEvent,
    Event,
    GapEvent,
    GenericEvent,
    PlatformEvent,
    PushTopicEvent,
    decode,
)

ACCOUNTS = "/data/AccountChangeEvent"
HEADER: dict[str, Any] = {
    "entityName": "Account",
    "recordIds": ["001000000000001AAA", "001000000000002AAA"],
    "changeType": "UPDATE",
    "changeOrigin": "com/salesforce/api/rest/68.0;client=importer",
    "transactionKey": "0002343d-9d90-e395-ed20-cf416ba652ad",
    "sequenceNumber": 2,
    "commitTimestamp": 1_613_001_000_000,
    "commitNumber": 356_196_457_281,
    "commitUser": "005000000000001AAA",
    "changedFields": ["Name", "BillingAddress.City", "LastModifiedDate"],
    "nulledFields": ["Phone"],
    "diffFields": ["Description"],
}


def data(header: dict[str, Any] = HEADER, **fields: Any) -> dict[str, Any]:
    return {"schema": "IeRu", "payload": {"ChangeEventHeader": header, **fields}, "event": {"replayId": 9_663_676_416}}


def test_a_change_event_keeps_all_of_its_header_and_the_types_of_its_fields() -> None:
    """D19."""
    fields = {"Name": {"FirstName": "A"}, "Amount": 1.5, "Count": 2, "Open": True, "Phone": None}
    event = decode(ACCOUNTS, data(**fields))
    assert isinstance(event, ChangeEvent)
    assert event.fields == fields
    assert (event.change_type, event.kind, event.entity_name) == ("UPDATE", "update", "Account")
    assert event.record_ids == ("001000000000001AAA", "001000000000002AAA")
    assert event.changed_fields == ("Name", "BillingAddress.City", "LastModifiedDate")
    assert (event.nulled_fields, event.diff_fields) == (("Phone",), ("Description",))
    assert event.change_origin == "com/salesforce/api/rest/68.0;client=importer"
    assert (event.transaction_key, event.sequence_number) == ("0002343d-9d90-e395-ed20-cf416ba652ad", 2)
    assert event.commit_timestamp == event.occurred_at == datetime(2021, 2, 10, 23, 50, tzinfo=UTC)
    assert (event.commit_number, event.commit_user) == (356_196_457_281, "005000000000001AAA")
    assert (event.replay_id, event.schema, event.channel) == ("9663676416", "IeRu", ACCOUNTS)
    assert event.idempotency_key == "9663676416/0002343d-9d90-e395-ed20-cf416ba652ad/2"
    assert not event.is_wildcard
    assert event.header is HEADER


def test_emptied_fields_and_differences_are_known_without_their_lists() -> None:
    """Salesforce sends neither list over CometD."""
    changed = ["Phone", "Fax", "Site", "Description", "LastModifiedDate", "BillingAddress.City", "BillingAddress.State"]
    header = {name: value for name, value in HEADER.items() if name not in ("nulledFields", "diffFields")}
    fields = {
        "Phone": None,
        "Fax": "1",
        "Description": {"diff": "--- \n+++ 0\n@@ -1,1 +1,1 @@\n-a\n+b"},
        "LastModifiedDate": "2026-01-02T03:04:05.000Z",
        "BillingAddress": {"City": None, "State": "CA"},
    }
    event = decode(ACCOUNTS, data({**header, "changedFields": changed}, **fields))
    assert isinstance(event, ChangeEvent)
    assert event.nulled_fields == ("Phone", "BillingAddress.City")
    assert event.diff_fields == ("Description",)


@pytest.mark.parametrize(
    ("change_type", "kind"),
    [("CREATE", "create"), ("UPDATE", "update"), ("DELETE", "delete"), ("UNDELETE", "restore"), ("SNAPSHOT", "gap")],
)
def test_each_change_type_has_its_kind(change_type: str, kind: str) -> None:
    event = decode(ACCOUNTS, data({**HEADER, "changeType": change_type}))
    assert (type(event), event.kind) == (ChangeEvent, kind)


@pytest.mark.parametrize("change_type", ["GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE", "GAP_OVERFLOW"])
def test_gaps_are_events_of_their_own(change_type: str) -> None:
    event = decode(ACCOUNTS, data({**HEADER, "changeType": change_type, "recordIds": ["000000000000000AAA"]}))
    assert isinstance(event, GapEvent)
    assert (event.kind, event.change_type) == ("gap", change_type)
    assert event.is_overflow is (change_type == "GAP_OVERFLOW")
    assert event.record_ids == ("000000000000000AAA",)


def test_a_change_of_all_records_of_an_object_is_told() -> None:
    event = decode("/data/ChangeEvents", data({**HEADER, "recordIds": ["001*"]}))
    assert isinstance(event, ChangeEvent)
    assert (event.record_ids, event.is_wildcard) == (("001*",), True)


def test_a_platform_event() -> None:
    event = decode(
        "/event/Order__e",
        {**order(7, CreatedDate="2026-11-27T10:00:00Z"), "event": {"replayId": 12, "EventUuid": "uuid-7"}},
    )
    assert isinstance(event, PlatformEvent)
    assert event.fields["Number__c"] == 7
    assert (event.event_uuid, event.created_by_id) == ("uuid-7", "005000000000001AAA")
    assert event.created_date == event.occurred_at == datetime(2026, 11, 27, 10, tzinfo=UTC)
    assert (event.idempotency_key, event.kind) == ("12/uuid-7", "message")


def test_a_push_topic_event() -> None:
    told = {"createdDate": "2026-01-02T03:04:05.678+0000", "replayId": 3, "type": "updated"}
    event = decode("/topic/Accounts", {"event": told, "sobject": {"Id": "001000000000001AAA", "Name": "Acme"}})
    assert isinstance(event, PushTopicEvent)
    assert (event.type, event.sobject["Name"], event.replay_id) == ("updated", "Acme", "3")
    assert event.created_date == event.occurred_at == datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)


def test_a_generic_event() -> None:
    event = decode("/u/Notices", {"event": {"createdDate": "2026-01-02T03:04:05.678Z", "replayId": 3}, "payload": "Hi"})
    assert isinstance(event, GenericEvent)
    assert (event.payload, event.replay_id) == ("Hi", "3")
    assert event.created_date == datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)


def test_platform_events_come_on_custom_channels_too() -> None:
    assert type(decode("/event/Orders__chn", order(1))) is PlatformEvent
    assert type(decode("/data/Sales__chn", change(1))) is ChangeEvent


SCALARS = st.sampled_from([None, True, 0, -1, 2**70, 1.5, float("inf"), "", "x", "12", "2026-13-01", "GAP_"])
TEXTS = st.sampled_from(["x", "event"])
JSON = st.one_of(SCALARS, st.lists(SCALARS, max_size=2), st.dictionaries(TEXTS, SCALARS, max_size=2))
NAMES = st.sampled_from([*HEADER, "schema", "replayId", "EventUuid", "createdDate", "CreatedDate", "type"])
PARTS = st.dictionaries(NAMES, JSON, max_size=4)


@given(
    st.sampled_from([ACCOUNTS, "/event/Order__e", "/topic/X", "/u/X"]),
    st.fixed_dictionaries(
        {},
        optional={
            "payload": st.one_of(JSON, PARTS, st.fixed_dictionaries({"ChangeEventHeader": st.one_of(JSON, PARTS)})),
            "event": st.one_of(JSON, PARTS),
            "sobject": JSON,
            "schema": JSON,
        },
    ),
)
def test_whatever_is_missing_or_odd_no_property_fails(channel: str, data: dict[str, Any]) -> None:
    event = decode(channel, data)
    for name in dir(type(event)):
        if isinstance(getattr(type(event), name), property):
            getattr(event, name)
    assert channel in repr(event)
    assert event == decode(channel, data)


def test_an_empty_change_event_has_empty_properties() -> None:
    event = decode(ACCOUNTS, {})
    assert type(event) is GenericEvent
    bare = decode(ACCOUNTS, {"payload": {"Name": "Acme"}})
    assert isinstance(bare, ChangeEvent)
    assert (bare.record_ids, bare.change_type, bare.commit_timestamp, bare.kind) == ((), "", None, "message")
    assert (bare.replay_id, bare.idempotency_key) == (None, "")


def test_no_body_is_in_a_representation() -> None:
    for event in (decode(ACCOUNTS, data(Name="secret")), decode("/event/Order__e", order(1, Card__c="secret"))):
        assert "secret" not in repr(event)
    assert repr(decode(ACCOUNTS, data())) == (
        "<ChangeEvent on /data/AccountChangeEvent, UPDATE Account 001000000000001AAA and 1 more, replay id 9663676416>"
    )


def test_events_are_equal_by_what_they_hold_and_can_be_put_into_sets() -> None:
    one, same, other = (decode(ACCOUNTS, data(Name=name)) for name in ("A", "A", "B"))
    assert one == same
    assert one != other
    assert len({one, same, other}) == 2
    with pytest.raises(AttributeError):
        one.channel = "/data/ChangeEvents"  # type: ignore[misc]
    assert Event(ACCOUNTS, data(Name="A")) != one
