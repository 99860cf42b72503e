"""Events that others were sent, and those of the documentation, as ours are."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import quoted_events

from sfconnector.streaming import (
    ChangeEvent,
    Event,
    GapEvent,
    GenericEvent,
    PlatformEvent,
    PushTopicEvent,
    decode,
)


def event_of(message: dict[str, Any]) -> Any:
    """Decode a message after a way through JSON."""
    return decode(message["channel"], json.loads(json.dumps(message["data"])))


def test_a_created_record() -> None:
    event = event_of(quoted_events.CREATED)
    assert type(event) is ChangeEvent
    assert (event.kind, event.change_type, event.entity_name) == ("create", "CREATE", "Account")
    assert event.fields == {"Name": "Acme", "CreatedDate": "2021-02-09T23:17:59Z"}
    assert (event.replay_id, event.schema) == ("6", "IeRuaY6cbI_HsV8Rv1Mc5g")
    assert event.commit_timestamp == datetime(2021, 2, 9, 23, 17, 59, tzinfo=UTC)
    assert (event.changed_fields, event.nulled_fields, event.diff_fields) == ((), (), ())
    assert event.idempotency_key == "6/0002343d-9d90-e395-ed20-cf416ba652ad/1"


def test_the_first_form_of_change_events() -> None:
    event = event_of(quoted_events.FIRST_FORM)
    assert type(event) is ChangeEvent
    assert event.header["isTransactionEnd"] is True
    assert (event.change_origin, event.commit_number) == ("com.salesforce.core", 92_847_272_780)
    assert event.commit_timestamp == datetime(2017, 7, 25, 19, 16, 46, 653_000, tzinfo=UTC)


def test_an_updated_record_of_which_not_all_is_told() -> None:
    event = event_of(quoted_events.UPDATED)
    assert type(event) is ChangeEvent
    assert (event.kind, event.entity_name) == ("update", "Employee__c")
    assert event.changed_fields == ("LastModifiedDate", "First_Name__c", "Tenure__c")
    assert event.fields == {"LastModifiedDate": "2019-09-25T20:38:11.000Z"}
    assert (event.replay_id, event.transaction_key, event.commit_timestamp) == (None, None, None)
    assert event.record_ids == ()


def test_a_commit_number_beyond_53_bits() -> None:
    event = event_of(quoted_events.UPDATED_BY_A_FLOW)
    assert event.commit_number == 1_725_357_365_187_780_609
    assert event.change_origin == ""
    assert event.fields["ActualDuration"] == 0.0
    assert isinstance(event.fields["ActualDuration"], float)


def test_a_gap_whose_fields_say_nothing() -> None:
    event = event_of(quoted_events.GAP)
    assert type(event) is GapEvent
    assert (event.kind, event.change_type, event.is_overflow) == ("gap", "GAP_CREATE", False)
    assert event.record_ids == ("001ZM000001n4n5YAA",)
    assert (event.sequence_number, event.commit_number) == (19, 72_784_468_115)
    assert not hasattr(event, "fields")


def test_an_overflow() -> None:
    event = event_of(quoted_events.OVERFLOW)
    assert type(event) is GapEvent
    assert (event.kind, event.is_overflow, event.entity_name) == ("gap", True, "Account")
    assert event.record_ids == ("000000000000000AAA",)


def test_all_records_of_an_object() -> None:
    event = event_of(quoted_events.WILDCARD)
    assert type(event) is ChangeEvent
    assert (event.kind, event.is_wildcard) == ("update", True)
    assert event.record_ids == ("001*",)


def test_a_platform_event() -> None:
    event = event_of(quoted_events.LOW_INK)
    assert type(event) is PlatformEvent
    assert event.event_uuid == "2ec0e371-1395-457f-9275-be1b527a72f7"
    assert event.created_date == datetime(2023, 4, 9, 18, 31, 40, 517_000, tzinfo=UTC)
    assert event.created_by_id == "005D0000001cSZs"
    assert event.fields["Ink_Percentage__c"] == 0.2
    assert event.idempotency_key == "2112/2ec0e371-1395-457f-9275-be1b527a72f7"


def test_a_platform_event_of_the_beta() -> None:
    event = event_of(quoted_events.LOW_INK_OF_THE_BETA)
    assert type(event) is PlatformEvent
    assert (event.event_uuid, event.replay_id) == (None, "1")
    assert event.fields["Id"] is None
    assert event.created_date == datetime(2016, 12, 14, 20, 8, 19, tzinfo=UTC)


def test_a_push_topic_event() -> None:
    event = event_of(quoted_events.PUSH_TOPIC)
    assert type(event) is PushTopicEvent
    assert (event.type, event.replay_id) == ("created", "13")
    assert event.sobject == {"Name": "INV-0001", "Id": "a00D0000008o6y8IAA", "Status__c": "Open"}
    assert event.created_date == datetime(2016, 3, 29, 16, 40, 8, 208_000, tzinfo=UTC)


def test_a_time_with_an_offset() -> None:
    event = event_of(quoted_events.PUSH_TOPIC_WITH_AN_OFFSET)
    assert type(event) is PushTopicEvent
    assert event.created_date == datetime(2016, 3, 29, 16, 40, 8, 208_000, tzinfo=UTC)
    assert event.replay_id is None


def test_a_generic_event() -> None:
    event = event_of(quoted_events.GENERIC)
    assert type(event) is GenericEvent
    assert (event.payload, event.replay_id) == ("This is a message.", "55")
    assert event.created_date == datetime(2016, 3, 29, 19, 5, 28, 334_000, tzinfo=UTC)


@pytest.mark.parametrize("message", quoted_events.ALL, ids=lambda message: str(message["source"]).rpartition("/")[2])
def test_no_repr_shows_what_was_sent(message: dict[str, Any]) -> None:
    event: Event = event_of(message)
    shown = repr(event)
    assert event.channel in shown
    for said in ("Acme", "Canceled", "XZO-5", "MN-123", "INV-0001", "This is a message."):
        assert said not in shown
