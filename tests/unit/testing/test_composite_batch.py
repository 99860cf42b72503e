"""Composite batch over the wire."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from local_api import Api

from sfconnector.testing import LocalOrg


def send(api: Api, *subrequests: dict[str, Any], **options: Any) -> dict[str, Any]:
    response = api("POST", "composite/batch", json={"batchRequests": subrequests, **options})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def get(path: str) -> dict[str, Any]:
    return {"method": "GET", "url": f"v68.0/{path}"}


def create(**values: Any) -> dict[str, Any]:
    return {"method": "POST", "url": "v68.0/sobjects/Account", "richInput": values}


def used(api: Api) -> int:
    limits = api("GET", "limits").json()["DailyApiRequests"]
    return int(limits["Max"]) - int(limits["Remaining"])


def test_the_example_of_the_documentation(api: Api) -> None:
    account_id = api.create("Account", Name="Old", BillingPostalCode="94105")
    answer = send(
        api,
        {"method": "PATCH", "url": f"v68.0/sobjects/account/{account_id}", "richInput": {"Name": "NewName"}},
        get(f"sobjects/account/{account_id}?fields=Name,BillingPostalCode"),
    )
    assert answer == {
        "hasErrors": False,
        "results": [
            {"statusCode": 204, "result": None},
            {
                "statusCode": 200,
                "result": {
                    "attributes": {"type": "Account", "url": f"/services/data/v68.0/sobjects/Account/{account_id}"},
                    "Name": "NewName",
                    "BillingPostalCode": "94105",
                    "Id": account_id,
                },
            },
        ],
    }


def test_a_failure_takes_nothing_back(api: Api) -> None:
    answer = send(api, create(Name="A"), create(Phone="1"), create(Name="B"))
    assert answer["hasErrors"] is True
    assert [result["statusCode"] for result in answer["results"]] == [201, 400, 201]
    assert answer["results"][1]["result"] == [
        {"message": "Required fields are missing: [Name]", "errorCode": "REQUIRED_FIELD_MISSING", "fields": ["Name"]}
    ]
    assert send(api, get("query?q=SELECT COUNT() FROM Account"))["results"][0]["result"]["totalSize"] == 2


def test_it_halts_on_an_error_if_asked_to(api: Api) -> None:
    answer = send(api, create(Name="A"), create(Phone="1"), create(Name="B"), get("limits"), haltOnError=True)
    assert answer["hasErrors"] is True
    assert [result["statusCode"] for result in answer["results"]] == [201, 400, 412, 412]
    error = {"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per request"}
    assert answer["results"][2]["result"] == answer["results"][3]["result"] == [error]


@pytest.mark.parametrize("prefix", ["v68.0/", "/v68.0/", "/services/data/v68.0/", "services/data/v68.0/"])
def test_urls_are_relative_or_whole(api: Api, prefix: str) -> None:
    [result] = send(api, {"method": "GET", "url": f"{prefix}limits"})["results"]
    assert result["statusCode"] == 200
    assert "DailyApiRequests" in result["result"]


@pytest.mark.parametrize(
    ("version", "status"), [("34.0", 200), ("58.0", 200), ("68.0", 400), ("59.0", 400), ("33.0", 400)]
)
def test_a_subrequest_is_of_34_or_later_and_not_newer_than_its_batch(api: Api, version: str, status: int) -> None:
    body = {"batchRequests": [{"method": "GET", "url": f"v{version}/limits"}]}
    answer = api("POST", "/services/data/v58.0/composite/batch", json=body).json()
    assert answer["results"][0]["statusCode"] == status


@pytest.mark.parametrize("path", ["composite", "composite/batch", "composite/sobjects", "recent", ""])
def test_resources_that_a_batch_does_not_support(api: Api, path: str) -> None:
    answer = send(api, {"method": "GET", "url": f"v68.0/{path or '?x'}"}, get("limits"))
    assert [result["statusCode"] for result in answer["results"]] == [400, 200]
    assert answer["results"][0]["result"][0]["errorCode"] == "INVALID_INPUT"


def test_each_subrequest_is_counted(api: Api) -> None:
    before = used(api)
    send(api, *[get("limits")] * 25)
    assert used(api) == before + 26


def test_the_limit_may_be_reached_amid_a_batch() -> None:
    with LocalOrg(daily_api_requests=3) as org:
        answer = send(Api(org), *[get("limits")] * 4)
    assert [result["statusCode"] for result in answer["results"]] == [200, 200, 200, 403]
    assert answer["results"][3]["result"][0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"


def test_more_than_25_are_refused(api: Api) -> None:
    response = api("POST", "composite/batch", json={"batchRequests": [get("limits")] * 26})
    assert response.status_code == 400
    assert response.json() == [
        {"errorCode": "LIMIT_EXCEEDED", "message": "The request can’t contain more than 25 operations."}
    ]


@pytest.mark.parametrize(
    "subrequest",
    [
        {"url": "v68.0/limits"},
        {"method": "GET"},
        {"method": "FETCH", "url": "v68.0/limits"},
        {"method": "GET", "url": "limits"},
        {"method": "GET", "url": "https://example.com/services/data/v68.0/limits"},
        {"method": "GET", "url": "v68.0/limits", "httpHeaders": {"If-Match": "x"}},
        "limits",
    ],
)
def test_nothing_is_run_of_a_request_that_is_not_well_formed(api: Api, subrequest: Any) -> None:
    response = api("POST", "composite/batch", json={"batchRequests": [create(Name="A"), subrequest]})
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
    count = api("GET", "query", params={"q": "SELECT COUNT() FROM Account"}).json()
    assert count["totalSize"] == 0


def test_headers_of_the_batch_hold_for_its_subrequests(api: Api) -> None:
    for number in range(201):
        api.create("Account", Name=str(number))
    body = {"batchRequests": [get("query?q=SELECT Id FROM Account")]}
    response = api("POST", "composite/batch", json=body, headers={"Sforce-Query-Options": "batchSize=200"})
    result = response.json()["results"][0]["result"]
    assert (len(result["records"]), result["done"]) == (200, False)


def test_a_long_query(api: Api) -> None:
    soql = f"SELECT Id FROM Account WHERE Name IN ({','.join(repr(str(number)) for number in range(9_000))})"
    assert len(soql) > 60_000
    [result] = send(api, get(f"query?q={quote(soql)}"))["results"]
    assert (result["statusCode"], result["result"]["totalSize"]) == (200, 0)


def upload(api: Api, *subrequests: dict[str, Any], **parts: bytes) -> Any:
    files = {"collection": (None, json.dumps({"batchRequests": subrequests}), "application/json")}
    contents = {name: (f"{name}.bin", content, "application/octet-stream") for name, content in parts.items()}
    return api("POST", "composite/batch", files=files | contents)


def document(name: str, **more: Any) -> dict[str, Any]:
    values = {"Name": name, "FolderId": "", **more}
    return {"method": "POST", "url": "v68.0/sobjects/Document", "richInput": values}


def test_files_belong_to_the_subrequests_that_name_them(api: Api) -> None:
    folder = api("GET", "query", params={"q": "SELECT Id FROM Folder LIMIT 1"}).json()["records"][0]["Id"]
    first = document("First", FolderId=folder) | {"binaryPartName": "one", "binaryPartNameAlias": "Body"}
    second = document("Second", FolderId=folder) | {"binaryPartName": "two", "binaryPartNameAlias": "Body"}
    results = upload(api, first, second, get("limits"), one=b"1\r\n\x00", two=b"22").json()["results"]
    assert [result["statusCode"] for result in results] == [201, 201, 200]
    bodies = [api("GET", f"sobjects/Document/{result['result']['id']}/Body").content for result in results[:2]]
    assert bodies == [b"1\r\n\x00", b"22"]


@pytest.mark.parametrize(
    "named",
    [
        {"binaryPartName": "one"},
        {"binaryPartNameAlias": "Body"},
        {"binaryPartName": "three", "binaryPartNameAlias": "Body"},
        {"binaryPartName": 1, "binaryPartNameAlias": "Body"},
    ],
)
def test_a_file_has_the_names_of_its_part_and_of_its_field(api: Api, named: dict[str, Any]) -> None:
    response = upload(api, document("First") | named, one=b"1")
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, "INVALID_MULTIPART_REQUEST")
    without = api("POST", "composite/batch", json={"batchRequests": [document("First") | named]})
    assert (without.status_code, without.json()[0]["errorCode"]) == (400, "INVALID_MULTIPART_REQUEST")


def test_binary_answers_have_no_place_in_json(api: Api) -> None:
    folder = api("GET", "query", params={"q": "SELECT Id FROM Folder LIMIT 1"}).json()["records"][0]["Id"]
    document_id = api.create("Document", Name="A", FolderId=folder, Body="MQ==")
    [result] = send(api, get(f"sobjects/Document/{document_id}/Body"))["results"]
    assert (result["statusCode"], result["result"][0]["errorCode"]) == (400, "INVALID_INPUT")
    part = {"referenceId": "r", "method": "GET", "url": f"/services/data/v68.0/sobjects/Document/{document_id}/Body"}
    [answer] = api("POST", "composite", json={"compositeRequest": [part]}).json()["compositeResponse"]
    assert (answer["httpStatusCode"], answer["body"][0]["errorCode"]) == (400, "INVALID_INPUT")


def test_an_action_of_a_batch_may_call_the_org(local_org: LocalOrg, api: Api) -> None:
    @local_org.action("apex", "Count")
    def count(_values: dict[str, Any]) -> dict[str, Any]:
        return {"output": Api(local_org)("GET", "limits").status_code}

    action = {"method": "POST", "url": "v68.0/actions/custom/apex/Count", "richInput": {"inputs": [{}]}}
    [result] = send(api, action)["results"]
    assert (result["statusCode"], result["result"][0]["outputValues"]) == (200, {"output": 200})
