"""Platform events: their definition, what is told of them, and publishing by each of the APIs.

https://developer.salesforce.com/docs/platform/platform-events/guide/platform-events-publish-api.html
"""

import re
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from bulk_api import load
from local_api import Api
from soap_api import SoapApi, error

from sfconnector.testing import LocalOrg

FIELDS = {
    "Number__c": "string(10) required",
    "Total__c": "double(10, 2)",
    "Urgent__c": "boolean",
    "Day__c": "date",
    "Moment__c": "datetime",
    "Text__c": "textarea(32000)",
}
NOON = datetime(2026, 1, 2, 12, 0, 0, 345_000, tzinfo=UTC)


@pytest.fixture(autouse=True)
def events(local_org: LocalOrg) -> None:
    local_org.add_object("Order__e", FIELDS)
    local_org.add_object("Paid__e", {"Number__c": "string(10)"}, publish_behavior="PublishAfterCommit")


def _published(org: LocalOrg, channel: str = "/event/Order__e") -> list[dict[str, Any]]:
    return [orjson.loads(event.data) for event in org._runtime.store.events.after(channel, 0, 1_000)]


def _numbers(org: LocalOrg, channel: str = "/event/Order__e") -> list[str]:
    return [event["payload"]["Number__c"] for event in _published(org, channel)]


def _enqueued(result: dict[str, Any]) -> str:
    """The UUID in a result that is right."""
    (told,) = result["errors"]
    assert result["success"] is True
    assert re.fullmatch(r"e[0-9A-Za-z]{17}", result["id"])
    assert told == {"statusCode": "OPERATION_ENQUEUED", "message": told["message"], "fields": []}
    return str(uuid.UUID(told["message"]))


# -- definition -----------------------------------------------------------------------------------------------------


def test_describe(api: Api) -> None:
    described = api("GET", "sobjects/Order__e/describe").json()
    fields = {field["name"]: field for field in described["fields"]}

    assert list(fields) == ["ReplayId", "CreatedDate", "CreatedById", "EventUuid", *FIELDS]
    assert re.fullmatch("e[0-9A-Za-z]{2}", described["keyPrefix"])
    assert described["label"] == "Order"
    flags = ("createable", "updateable", "deletable", "undeletable", "queryable", "searchable", "retrieveable")
    assert [described[flag] for flag in flags] == [True, False, False, False, False, False, False]
    assert described["custom"] is True
    assert fields["Number__c"]["nillable"] is False
    assert not any(fields[name]["createable"] for name in ("ReplayId", "CreatedDate", "CreatedById", "EventUuid"))
    listed = {each["name"]: each for each in api("GET", "sobjects").json()["sobjects"]}
    assert listed["Order__e"]["keyPrefix"] == described["keyPrefix"] != listed["Paid__e"]["keyPrefix"]


def test_definition_by_yaml(tmp_path: Path, local_org: LocalOrg, api: Api) -> None:
    file = tmp_path / "events.yaml"
    file.write_text(
        "Shipped__e:\n  label: Shipment\n  publish_behavior: PublishAfterCommit\n  fields:\n    By__c: string(5)\n"
    )
    local_org.load_objects(file)

    described = api("GET", "sobjects/Shipped__e/describe").json()
    assert (described["label"], described["labelPlural"]) == ("Shipment", "Shipments")
    assert api("POST", "sobjects/Shipped__e", json={"By__c": "air"}).status_code == 201


def test_more_fields(local_org: LocalOrg, api: Api) -> None:
    before = api("GET", "sobjects/Order__e/describe").json()["keyPrefix"]
    local_org.add_field("Order__e", "Note__c", "string(20)")
    api("POST", "sobjects/Order__e", json={"Number__c": "1", "Note__c": "new"})

    assert api("GET", "sobjects/Order__e/describe").json()["keyPrefix"] == before
    (event,) = _published(local_org)
    assert event["payload"]["Note__c"] == "new"


@pytest.mark.parametrize(
    ("fields", "options", "message"),
    [
        ({"A__c": "currency"}, {}, "no field of type currency"),
        ({"A__c": "reference(Account)"}, {}, "no field of type reference"),
        ({"A__c": "string(5) unique"}, {}, "none can be unique"),
        ({"A__c": "string(5) external_id"}, {}, "none can be unique"),
        ({}, {"publish_behavior": "Later"}, "PublishImmediately or PublishAfterCommit, not Later"),
        ({}, {"record_types": ["A"]}, "platform event Bad__e: unknown record_types"),
    ],
)
def test_definition_that_cannot_be(
    local_org: LocalOrg, fields: dict[str, str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        local_org.add_object("Bad__e", fields, **options)


def test_events_outlive_the_org(tmp_path: Path) -> None:
    with LocalOrg(tmp_path / "org.db") as org:
        org.add_object("Order__e", FIELDS)
        api = Api(org)
        api("POST", "sobjects/Order__e", json={"Number__c": "1"})
        api.http.close()
    with LocalOrg(tmp_path / "org.db") as org:
        api = Api(org)
        assert api("POST", "sobjects/Order__e", json={"Number__c": "2"}).status_code == 201
        api.http.close()
        assert _numbers(org) == ["1", "2"]


# -- publishing -----------------------------------------------------------------------------------------------------


def test_published_event(local_org: LocalOrg, api: Api) -> None:
    local_org.clock.freeze(NOON)
    api.http.headers["Authorization"] = f"Bearer {local_org.access_token()}"
    values = {"Number__c": "42", "Total__c": 9.5, "Urgent__c": True, "Day__c": "2026-02-03"}
    answer = api("POST", "sobjects/Order__e", json={**values, "Moment__c": "2026-02-03T04:05:06Z"})

    assert answer.status_code == 201
    assert "Location" not in answer.headers
    (event,) = _published(local_org)
    assert event["payload"] == {
        "CreatedDate": "2026-01-02T12:00:00.345Z",
        "CreatedById": local_org.user_id,
        **values,
        "Moment__c": "2026-02-03T04:05:06.000Z",
        "Text__c": None,
    }
    assert event["event"] == {"replayId": event["event"]["replayId"], "EventUuid": _enqueued(answer.json())}
    assert re.fullmatch(r"[\w-]{22}", event["schema"])


def test_empty_texts_stay_and_defaults_are_filled_in(local_org: LocalOrg, api: Api) -> None:
    local_org.add_field("Order__e", "State__c", {"type": "string", "length": 10, "default": "new"})
    api("POST", "sobjects/Order__e", json={"Number__c": "", "Text__c": ""})

    (event,) = _published(local_org)
    picked = {name: event["payload"][name] for name in ("Number__c", "Text__c", "State__c", "Urgent__c", "Total__c")}
    assert picked == {"Number__c": "", "Text__c": "", "State__c": "new", "Urgent__c": False, "Total__c": None}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, "REQUIRED_FIELD_MISSING"),
        ({"Number__c": "12345678901"}, "STRING_TOO_LONG"),
        ({"Number__c": "1", "Total__c": "many"}, "JSON_PARSER_ERROR"),
        ({"Number__c": "1", "Other__c": "x"}, "INVALID_FIELD"),
        ({"Number__c": "1", "ReplayId": "5"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ],
)
def test_refused_event(local_org: LocalOrg, api: Api, values: dict[str, Any], code: str) -> None:
    answer = api("POST", "sobjects/Order__e", json=values)

    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == code
    assert _published(local_org) == []


def test_collections(local_org: LocalOrg, api: Api) -> None:
    attributes = {"attributes": {"type": "Order__e"}}
    records = [{**attributes, "Number__c": "1"}, attributes, {**attributes, "Number__c": "2"}]
    first, second, third = api("POST", "composite/sobjects", json={"records": records}).json()

    assert second["success"] is False
    assert second["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    uuids = [event["event"]["EventUuid"] for event in _published(local_org)]
    assert uuids == [_enqueued(first), _enqueued(third)]
    assert _numbers(local_org) == ["1", "2"]


def test_composite(local_org: LocalOrg, api: Api) -> None:
    url = f"{api.base}/sobjects"
    subrequests = [
        {"method": "POST", "url": f"{url}/Account", "referenceId": "account", "body": {"Name": "Acme"}},
        {"method": "POST", "url": f"{url}/Order__e", "referenceId": "event", "body": {"Number__c": "1"}},
    ]
    answer = api("POST", "composite", json={"compositeRequest": subrequests, "allOrNone": True}).json()

    account, event = answer["compositeResponse"]
    assert account["httpStatusCode"] == event["httpStatusCode"] == 201
    (published,) = _published(local_org)
    assert _enqueued(event["body"]) == published["event"]["EventUuid"]


def test_soap(local_org: LocalOrg, soap: SoapApi) -> None:
    good, bad = soap("create", sObjects=[{"type": "Order__e", "Number__c": "1"}, {"type": "Order__e"}])

    (published,) = _published(local_org)
    assert good["success"] == "true"
    assert good["errors"] == [{"message": published["event"]["EventUuid"], "statusCode": "OPERATION_ENQUEUED"}]
    assert error(bad)[0] == "REQUIRED_FIELD_MISSING"


def test_bulk(local_org: LocalOrg, api: Api) -> None:
    job = load(api, "insert", "Order__e", "Number__c,Urgent__c\n1,true\n,false\n2,false\n")

    assert [row["sf__Id"][0] for row in job.successful()] == ["e", "e"]
    assert [row["sf__Error"].split(":")[0] for row in job.failed()] == ["REQUIRED_FIELD_MISSING"]
    assert _numbers(local_org) == ["1", "2"]


# -- transactions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("event", "told"), [("Order__e", ["1"]), ("Paid__e", [])])
def test_transaction_that_is_rolled_back(local_org: LocalOrg, api: Api, event: str, told: list[str]) -> None:
    url = f"{api.base}/sobjects"
    subrequests = [
        {"method": "POST", "url": f"{url}/{event}", "referenceId": "event", "body": {"Number__c": "1"}},
        {"method": "POST", "url": f"{url}/Account", "referenceId": "account", "body": {}},
    ]
    api("POST", "composite", json={"compositeRequest": subrequests, "allOrNone": True})

    assert _numbers(local_org, f"/event/{event}") == told


def test_order_of_the_bus(local_org: LocalOrg, api: Api) -> None:
    for number in ("1", "2", "3"):
        api("POST", "sobjects/Order__e", json={"Number__c": number})
        api("POST", "sobjects/Paid__e", json={"Number__c": number})

    replay_ids = [
        event["event"]["replayId"]
        for pair in zip(_published(local_org), _published(local_org, "/event/Paid__e"), strict=True)
        for event in pair
    ]
    assert replay_ids == sorted(set(replay_ids))


# -- what cannot be done with events --------------------------------------------------------------------------------


def test_events_cannot_be_queried(api: Api) -> None:
    answer = api("GET", "query", params={"q": "SELECT Number__c FROM Order__e"})

    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == "INVALID_TYPE_FOR_OPERATION"
    assert answer.json()[0]["message"] == "entity type Order__e does not support query"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "sobjects/Order__e/{id}", 400, "INVALID_TYPE_FOR_OPERATION"),
        ("PATCH", "sobjects/Order__e/{id}", 400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"),
        ("DELETE", "sobjects/Order__e/{id}", 400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"),
        ("PATCH", "sobjects/Order__e/Number__c/1", 404, "NOT_FOUND"),
        ("GET", "composite/sobjects/Order__e?ids={id}&fields=Number__c", 400, "INVALID_TYPE_FOR_OPERATION"),
        ("GET", f"sobjects/Order__e/updated?start={NOON:%Y-%m-%dT%H:%M:%SZ}&end=2026-01-03T00:00:00Z", 400, None),
        ("GET", f"sobjects/Order__e/deleted?start={NOON:%Y-%m-%dT%H:%M:%SZ}&end=2026-01-03T00:00:00Z", 400, None),
    ],
)
def test_events_are_not_kept(api: Api, method: str, path: str, status: int, code: str | None) -> None:
    event_id = api("POST", "sobjects/Order__e", json={"Number__c": "1"}).json()["id"]
    answer = api(method, path.format(id=event_id), json={"Total__c": 1} if method == "PATCH" else None)

    assert answer.status_code == status
    assert answer.json()[0]["errorCode"] == (code or "INVALID_TYPE_FOR_OPERATION")


def test_an_org_with_events_works_as_before(local_org: LocalOrg, api: Api) -> None:
    api("POST", "sobjects/Order__e", json={"Number__c": "1"})
    account_id = api.create("Account", Name="Acme")

    counted = api("GET", "limits/recordCount").json()["sObjects"]
    assert "Order__e" not in [each["name"] for each in counted]
    assert api("GET", "search", params={"q": "FIND {Acme}"}).json()["searchRecords"][0]["Id"] == account_id
    assert api("GET", "analytics/reportTypes").status_code == 200
    assert api("GET", "sobjects/User/describe").status_code == 200
    assert [event["payload"]["Number__c"] for event in _published(local_org)] == ["1"]
