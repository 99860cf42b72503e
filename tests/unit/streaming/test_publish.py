"""Publishing: requests on the wire, ids of events, refusals of one and of many."""

from collections.abc import Iterator
from typing import Any

import pytest
from http_server import Reply, Seen, Server
from session_tools import TOKEN, quick

from sfconnector import Salesforce, auth
from sfconnector.errors import BadRequestError, InvalidResponseError, RecordError, TransportError
from sfconnector.streaming import ChangeEvent, PlatformEvent, PublishResult
from sfconnector.testing import LocalOrg

UUID = "85d962fb-f05c-4ccf-9ee1-ac751d0fc07f"


def enqueued(number: int = 0) -> dict[str, Any]:
    """What Salesforce answers to an event that it has taken."""
    errors = [{"statusCode": "OPERATION_ENQUEUED", "message": f"{UUID}{number or ''}", "fields": []}]
    return {"id": "e01xx0000000001AAA", "success": True, "errors": errors}


REFUSED = {
    "success": False,
    "errors": [
        {"statusCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing", "fields": ["Sku__c"]}
    ],
}


class Org:
    """Takes events."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.server = Server(self.answer)

    def answer(self, _: Seen) -> Any:
        return self.answers.pop(0)


@pytest.fixture
def org() -> Iterator[Org]:
    org = Org()
    with org.server:
        yield org


@pytest.fixture
def sf(org: Org) -> Iterator[Salesforce]:
    with Salesforce(auth.AccessToken(org.server.url, TOKEN), retry=quick()) as sf:
        yield sf


def test_an_event_is_created_and_its_id_told(org: Org, sf: Salesforce) -> None:
    org.answers = [Reply.of(enqueued(), 201)]
    result = sf.publish("Order__e", {"Sku__c": "X1"})
    assert result == PublishResult(0, {"Sku__c": "X1"}, "e01xx0000000001AAA", True, True, (), UUID)
    (seen,) = org.server.seen
    assert (seen.method, seen.target) == ("POST", "/services/data/v68.0/sobjects/Order__e")
    assert seen.body == b'{"Sku__c":"X1"}'
    assert "X1" not in repr(result)


def test_an_event_may_do_without_fields_and_an_answer_without_its_id(org: Org, sf: Salesforce) -> None:
    org.answers = [Reply.of({"id": "e01xx0000000001AAA", "success": True, "errors": []}, 201)]
    assert sf.publish("ns__Order__e", {}).event_uuid is None
    assert org.server.seen[0].body == b"{}"


def test_a_refusal_is_raised_as_for_records(org: Org, sf: Salesforce) -> None:
    org.answers = [Reply.error(400, "INVALID_FIELD", "No such column"), Reply.of(REFUSED, 201), Reply.of({}, 201)]
    with pytest.raises(BadRequestError, match="INVALID_FIELD"):
        sf.publish("Order__e", {"Skuu__c": "X1"})
    with pytest.raises(RecordError, match="REQUIRED_FIELD_MISSING"):
        sf.publish("Order__e", {})
    with pytest.raises(InvalidResponseError):
        sf.publish("Order__e", {})


def test_an_event_whose_answer_is_lost_is_not_published_twice(org: Org, sf: Salesforce) -> None:
    from http_server import Cut

    org.answers = [Cut(), Reply.of(enqueued(), 201)]
    with pytest.raises(TransportError, match="may have arrived"):
        sf.publish("Order__e", {})
    assert len(org.server.seen) == 1


def test_many_are_published_200_a_call_with_a_result_for_each(org: Org, sf: Salesforce) -> None:
    org.answers = [Reply.of([enqueued(n + 1) for n in range(200)]), Reply.of([enqueued(201), REFUSED])]
    results = list(sf.publish_many("Order__e", ({"N__c": n} for n in range(202)), raise_on_failure=False))
    assert [result.index for result in results] == list(range(202))
    assert [result.event_uuid for result in results] == [f"{UUID}{n + 1}" for n in range(201)] + [None]
    assert all(result.success and not result.errors for result in results[:201])
    assert [error.code for error in results[201].errors] == ["REQUIRED_FIELD_MISSING"]
    first, second = org.server.seen
    assert {first.target, second.target} == {"/services/data/v68.0/composite/sobjects"}
    assert first.body.startswith(b'{"records":[{"attributes":{"type":"Order__e"},"N__c":0},')
    assert second.body.count(b"attributes") == 2


def test_refused_events_are_raised_at_the_end(org: Org, sf: Salesforce) -> None:
    org.answers = [Reply.of([REFUSED, enqueued()])]
    results = sf.publish_many("Order__e", [{"N__c": 1}, {"N__c": 2}])
    assert [next(results).success, next(results).success] == [False, True]
    with pytest.raises(RecordError, match="1 of 2 records failed"):
        next(results)


@pytest.mark.parametrize("name", ["Account", "Order__c", "Order__e__c", "AccountChangeEvent", "", "Order__e/x"])
def test_what_is_no_event_is_refused(org: Org, sf: Salesforce, name: str) -> None:
    for call in (lambda: sf.publish(name, {}), lambda: sf.publish_many(name, [])):
        with pytest.raises(ValueError, match=r"no platform event|no API name"):
            call()
    assert org.server.seen == []


def test_standard_events_can_be_published(org: Org, sf: Salesforce) -> None:
    org.answers = [Reply.of(enqueued(), 201)]
    assert sf.publish("AppointmentSchedulingEvent", {}).success


def test_fields_are_checked_before_anything_is_sent(org: Org, sf: Salesforce) -> None:
    with pytest.raises(TypeError):
        sf.publish("Order__e", {"Sku__c": object()})
    with pytest.raises(TypeError):
        sf.publish("Order__e", ["Sku__c"])  # type: ignore[arg-type]
    assert org.server.seen == []


def test_what_is_published_arrives_with_the_id_that_was_told(local_org: LocalOrg) -> None:
    local_org.add_object("Order__e", {"Sku__c": "string(40)"})
    with Salesforce.from_env(local_org.environ()) as sf, sf.subscribe("/event/Order__e") as loop:
        one = sf.publish("Order__e", {"Sku__c": "X0"})
        many = list(sf.publish_many("Order__e", ({"Sku__c": f"X{number}"} for number in range(1, 4))))
        events = [next(loop) for _ in range(4)]
    assert [event.fields["Sku__c"] for event in events if isinstance(event, PlatformEvent)] == ["X0", "X1", "X2", "X3"]
    uuids = [result.event_uuid for result in (one, *many)]
    assert [event.event_uuid for event in events if isinstance(event, PlatformEvent)] == uuids
    assert len(set(uuids)) == 4


def test_what_calls_change_arrives_as_change_events(local_org: LocalOrg) -> None:
    with Salesforce.from_env(local_org.environ()) as sf, sf.subscribe("/data/AccountChangeEvent") as loop:
        account = sf.sobject("Account").create({"Name": "Acme"}).id
        sf.sobject("Account").update(account, {"Phone": "1"})
        sf.sobject("Account").update(account, {"Phone": None})
        sf.sobject("Account").delete(account)
        events = [next(loop) for _ in range(4)]
    changes = [event for event in events if isinstance(event, ChangeEvent)]
    assert [change.change_type for change in changes] == ["CREATE", "UPDATE", "UPDATE", "DELETE"]
    assert {change.record_ids for change in changes} == {(account,)}
    assert changes[0].fields["Name"] == "Acme"
    assert "Phone" in changes[1].changed_fields
    assert changes[2].nulled_fields == ("Phone",)
