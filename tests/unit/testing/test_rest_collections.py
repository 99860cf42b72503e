"""sObject collections over the wire."""

from typing import Any

import pytest
from local_api import Api

from sfconnector.testing import LocalOrg

ROLLED_BACK = {
    "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "message": "Record rolled back because not all records were valid and the request was using AllOrNone header",
    "fields": [],
}


def contact(**values: Any) -> dict[str, Any]:
    return {"attributes": {"type": "Contact"}, **values}


def total(api: Api, sobject: str = "Contact") -> int:
    return int(api("GET", "query", params={"q": f"SELECT COUNT() FROM {sobject}"}).json()["totalSize"])


def test_records_of_several_objects_are_created_in_order(api: Api) -> None:
    records = [contact(LastName="Curie"), {"attributes": {"type": "Account"}, "Name": "Radium"}, contact(LastName="B")]
    response = api("POST", "composite/sobjects", json={"allOrNone": False, "records": records})
    assert response.status_code == 200
    first, second, third = response.json()
    assert first == {"id": first["id"], "success": True, "errors": []}
    assert [result["id"][:3] for result in (first, second, third)] == ["003", "001", "003"]
    assert api("GET", f"sobjects/Contact/{first['id']}").json()["LastName"] == "Curie"


def test_one_refused_record_leaves_the_others(api: Api) -> None:
    body = {"records": [contact(LastName="A"), contact(FirstName="B"), contact(LastName="C")]}
    results = api("POST", "composite/sobjects", json=body).json()
    assert [result["success"] for result in results] == [True, False, True]
    assert "id" not in results[1]
    [error] = results[1]["errors"]
    assert (error["statusCode"], error["fields"]) == ("REQUIRED_FIELD_MISSING", ["LastName"])
    assert total(api) == 2


def test_all_or_none_takes_everything_back(api: Api) -> None:
    body = {"allOrNone": True, "records": [contact(LastName="A"), contact(FirstName="B"), contact(LastName="C")]}
    results = api("POST", "composite/sobjects", json=body).json()
    assert results[0] == results[2] == {"success": False, "errors": [ROLLED_BACK]}
    assert results[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert total(api) == 0


def test_update(api: Api) -> None:
    ids = [api.create("Contact", LastName=name) for name in ("A", "B")]
    records = [contact(Id=ids[0], LastName="AA"), contact(id=ids[1][:15], LastName="BB"), contact(LastName="none")]
    results = api("PATCH", "composite/sobjects", json={"records": records}).json()
    assert [result.get("id") for result in results] == [*ids, None]
    assert results[2]["errors"] == [
        {"statusCode": "MISSING_ARGUMENT", "message": "Id not specified in an update call", "fields": []}
    ]
    assert api("GET", f"sobjects/Contact/{ids[1]}").json()["LastName"] == "BB"


def test_update_all_or_none(api: Api) -> None:
    record_id = api.create("Contact", LastName="A")
    records = [contact(id=record_id, LastName="AA"), contact(id=record_id, Nonsense="B")]
    results = api("PATCH", "composite/sobjects", json={"allOrNone": True, "records": records}).json()
    assert results[0]["errors"] == [ROLLED_BACK]
    assert results[1]["errors"][0]["statusCode"] in ("INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE")
    assert api("GET", f"sobjects/Contact/{record_id}").json()["LastName"] == "A"


@pytest.fixture
def tagged(local_org: LocalOrg, api: Api) -> Api:
    local_org.add_field("Account", "Ext__c", "string(80) external_id")
    return api


def account(**values: Any) -> dict[str, Any]:
    return {"attributes": {"type": "Account"}, **values}


def test_upsert(tagged: Api) -> None:
    tagged.create("Account", Name="Old", Ext__c="1")
    body = {"records": [account(Name="New", Ext__c="1"), account(Name="Other", Ext__c="2"), account(Name="None")]}
    results = tagged("PATCH", "composite/sobjects/Account/Ext__c", json=body).json()
    assert [result.get("created") for result in results] == [False, True, None]
    assert not results[2]["success"]
    assert total(tagged, "Account") == 2


def test_upsert_came_with_46(tagged: Api) -> None:
    body = {"records": [account(Name="New", Ext__c="1")]}
    path = "/services/data/v45.0/composite/sobjects/Account/Ext__c"
    assert tagged("PATCH", path, json=body).status_code == 404


def test_collections_came_with_42(api: Api) -> None:
    body = {"records": [contact(LastName="A")]}
    assert api("POST", "/services/data/v42.0/composite/sobjects", json=body).json()[0]["success"]
    old = "/services/data/v41.0/composite/sobjects"
    answers = [
        api("POST", old, json=body),
        api("PATCH", old, json=body),
        api("DELETE", old, params={"ids": "003000000000000AAA"}),
        api("GET", f"{old}/Contact", params={"ids": "003000000000000AAA", "fields": "Id"}),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4


def test_upsert_holds_one_type(tagged: Api) -> None:
    body = {"records": [contact(LastName="A")]}
    [result] = tagged("PATCH", "composite/sobjects/Account/Ext__c", json=body).json()
    assert result["errors"][0]["statusCode"] == "INVALID_TYPE"


def test_delete(api: Api) -> None:
    ids = [api.create("Contact", LastName="A"), api.create("Account", Name="B")]
    results = api(
        "DELETE", "composite/sobjects", params={"ids": ",".join([*ids, "nonsense", "0010000000000x!"])}
    ).json()
    assert [result["success"] for result in results] == [True, True, False, False]
    assert [result["errors"] for result in results[2:]] == [
        [{"statusCode": "MALFORMED_ID", "message": f"malformed id {wrong}", "fields": []}]
        for wrong in ("nonsense", "0010000000000x!")
    ]
    assert total(api) == 0


def test_delete_all_or_none(api: Api) -> None:
    record_id = api.create("Contact", LastName="A")
    params = {"ids": f"{record_id},003000000000000AAA", "allOrNone": "true"}
    results = api("DELETE", "composite/sobjects", params=params).json()
    assert results[0]["errors"] == [ROLLED_BACK]
    assert total(api) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_read(api: Api, method: str) -> None:
    ids = [api.create("Contact", LastName="A"), "003000000000000AAA", "nonsense", api.create("Contact", LastName="B")]
    path = "composite/sobjects/Contact"
    if method == "GET":
        response = api("GET", path, params={"ids": ",".join(ids), "fields": "Id,LastName"})
    else:
        response = api("POST", path, json={"ids": ids, "fields": ["Id", "LastName"]})
    assert [record and record["LastName"] for record in response.json()] == ["A", None, None, "B"]


def test_reading_wants_fields_that_exist_even_where_no_record_does(api: Api) -> None:
    response = api("GET", "composite/sobjects/Account?ids=001000000000000&fields=Id,Nope")
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, "INVALID_FIELD")


def test_reading_wants_fields_that_exist(api: Api) -> None:
    record_id = api.create("Contact", LastName="A")
    unknown = api("GET", "composite/sobjects/Contact", params={"ids": record_id, "fields": "Nonsense"})
    assert (unknown.status_code, unknown.json()[0]["errorCode"]) == (400, "INVALID_FIELD")
    missing = api("POST", "composite/sobjects/Contact", json={"ids": [record_id]})
    assert (missing.status_code, missing.json()[0]["errorCode"]) == (400, "MISSING_ARGUMENT")


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([], "REQUIRED_FIELD_MISSING"),
        (None, "REQUIRED_FIELD_MISSING"),
        ([contact(LastName="A")] * 201, "EXCEEDED_ID_LIMIT"),
        ("A", "JSON_PARSER_ERROR"),
        (["A"], "JSON_PARSER_ERROR"),
        ([{"LastName": "A"}], "INVALID_INPUT"),
        ([contact(LastName="A"), account(Name="B")] * 6, "LIMIT_EXCEEDED"),
    ],
)
def test_requests_that_are_not_well_formed(api: Api, records: Any, code: str) -> None:
    response = api("POST", "composite/sobjects", json={"records": records})
    assert response.status_code == 400
    assert response.json()[0]["errorCode"] == code
    assert total(api) == 0


def test_two_hundred_are_allowed(api: Api) -> None:
    results = api("POST", "composite/sobjects", json={"records": [contact(LastName="A")] * 200}).json()
    assert len({result["id"] for result in results}) == 200
    ids = ",".join(result["id"] for result in results)
    assert all(result["success"] for result in api("DELETE", "composite/sobjects", params={"ids": ids}).json())
