"""Searches for plain texts, suggestions, and what a search page needs."""

from typing import Any

import pytest
from local_api import Api


@pytest.fixture
def acme(api: Api) -> Api:
    account = api.create("Account", Name="Acme", AnnualRevenue=10, Industry="Energy")
    api.create("Account", Name="Acme O'Neil", AnnualRevenue=20, Phone="4711")
    api.create("Account", Name="Acme West", Industry="Energy")
    api.create("Contact", LastName="Acme", FirstName="Wile", Email="wile@example.com", AccountId=account)
    return api


def found(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    records: list[dict[str, Any]] = response.json()["searchRecords"]
    return records


def get(api: Api, **params: Any) -> list[dict[str, Any]]:
    return found(api("GET", "parameterizedSearch/", params=params))


def post(api: Api, **body: Any) -> list[dict[str, Any]]:
    return found(api("POST", "parameterizedSearch", json=body))


def keys(records: list[dict[str, Any]]) -> list[list[str]]:
    return [[key for key in record if key != "attributes"] for record in records]


def test_a_text_alone_finds_ids_of_all_objects(acme: Api) -> None:
    records = get(acme, q="acme")
    assert [record["attributes"]["type"] for record in records] == ["Account"] * 3 + ["Contact"]
    assert keys(records) == [["Id"]] * 4
    assert post(acme, q="acme") == records


def test_objects_have_options_of_their_own(acme: Api) -> None:
    records = get(
        acme,
        **{
            "q": "acme",
            "sobject": ["Account", "Contact"],
            "fields": "Id,Name",
            "Account.fields": "id,name,toLabel(Industry)",
            "Account.where": "Industry = 'Energy'",
            "Account.orderBy": "Name DESC NULLS_LAST",
            "account.limit": 1,
        },
    )
    assert keys(records) == [["Id", "Name", "Industry"], ["Id", "Name"]]
    assert [record["Name"] for record in records] == ["Acme West", "Wile Acme"]
    body = {
        "q": "acme",
        "fields": ["Id", "Name"],
        "sobjects": [
            {
                "name": "Account",
                "fields": ["id", "name", "toLabel(Industry)"],
                "where": "Industry = 'Energy'",
                "orderBy": "Name DESC Nulls_last",
                "limit": 1,
            },
            {"name": "Contact"},
        ],
    }
    assert post(acme, **body) == records


def test_limits_and_offset(acme: Api) -> None:
    assert len(get(acme, q="acme", sobject="Account,Contact", defaultLimit=1)) == 2
    assert len(get(acme, q="acme", overallLimit=2)) == 2
    options = {"q": "acme", "sobject": "Account", "fields": "Name", "Account.orderBy": "Name"}
    assert [record["Name"] for record in get(acme, **options, offset=1)] == ["Acme O'Neil", "Acme West"]
    assert len(post(acme, q="acme", overallLimit=3, defaultLimit=2, sobjects=[{"name": "Account"}])) == 2


@pytest.mark.parametrize(
    ("text", "number"),
    [("O'Neil", 1), ("acme AND NOT west", 3), ('"acme west"', 1), ("a*me", 4), ("acme (west)", 1), ("acme & west", 1)],
)
def test_a_text_needs_no_escapes(acme: Api, text: str, number: int) -> None:
    assert len(get(acme, q=text)) == number


def test_a_search_group(acme: Api) -> None:
    assert len(get(acme, q="wile@example.com", **{"in": "EMAIL"})) == 1
    assert get(acme, q="acme", **{"in": "PHONE"}) == []
    assert len(post(acme, q="4711", **{"in": "phone"})) == 1


def test_labels(acme: Api) -> None:
    response = acme("GET", "parameterizedSearch", params={"q": "west", "sobject": "Account", "metadata": "LABELS"})
    assert response.json()["metadata"]["entityMetadata"][0]["fieldMetadata"] == [{"label": "Account ID", "name": "Id"}]


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({}, 400, "MISSING_ARGUMENT"),
        ({"q": "x"}, 400, "INVALID_SEARCH"),
        ({"q": "acme AND"}, 400, "MALFORMED_SEARCH"),
        ({"q": "acme", "sobject": "Nonsense"}, 400, "INVALID_TYPE"),
        ({"q": "acme", "sobject": "Account", "fields": "Nonsense"}, 400, "INVALID_FIELD"),
        ({"q": "acme", "sobject": "Account", "Account.where": "Name ="}, 400, "MALFORMED_SEARCH"),
        ({"q": "acme", "sobject": "Account", "Account.where": "Id = null) LIMIT 1"}, 400, "MALFORMED_SEARCH"),
        ({"q": "acme", "fields": "Name"}, 400, "INVALID_ARGUMENT"),
        ({"q": "acme", "sobject": "Account,Contact", "offset": "1"}, 400, "INVALID_ARGUMENT"),
        ({"q": "acme", "overallLimit": "2001"}, 400, "INVALID_ARGUMENT"),
        ({"q": "acme", "overallLimit": "many"}, 400, "INVALID_ARGUMENT"),
        ({"q": "acme", "in": "NAMES"}, 400, "INVALID_ARGUMENT"),
        ({"q": "acme", "metadata": "ALL"}, 400, "INVALID_ARGUMENT"),
        ({"q": "acme", "nonsense": "1"}, 400, "INVALID_ARGUMENT"),
        ({"q": "acme", "sobject": "Account", "Contact.fields": "Id"}, 400, "INVALID_ARGUMENT"),
        ({"q": "acme", "sobject": "Account", "Account.nonsense": "Id"}, 400, "INVALID_ARGUMENT"),
        ({"q": "acme", "snippet": "100"}, 501, "FUNCTIONALITY_NOT_ENABLED"),
        ({"q": "acme", "division": "Global"}, 501, "FUNCTIONALITY_NOT_ENABLED"),
    ],
)
def test_a_wrong_parameter_is_refused(acme: Api, params: dict[str, str], status: int, code: str) -> None:
    response = acme("GET", "parameterizedSearch", params=params)
    assert (response.status_code, response.json()[0]["errorCode"]) == (status, code)


@pytest.mark.parametrize("body", [[], {"q": "acme", "sobjects": {}}, {"q": "acme", "sobjects": [{"fields": ["Id"]}]}])
def test_a_wrong_body_is_refused(acme: Api, body: Any) -> None:
    response = acme("POST", "parameterizedSearch", json=body)
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def suggest(api: Api, **params: Any) -> dict[str, Any]:
    response = api("GET", "search/suggestions", params=params)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_suggestions_know_the_beginning_of_the_last_word(api: Api) -> None:
    for name in ("National Utility", "National Urban Company", "First National University", "International Union"):
        api.create("Account", Name=name)
    answer = suggest(api, q="national u", sobject="Account")
    assert [record["Name"] for record in answer["autoSuggestResults"]] == [
        "First National University",
        "National Urban Company",
        "National Utility",
    ]
    assert keys(answer["autoSuggestResults"]) == [["Id", "Name"]] * 3
    assert answer["hasMoreResults"] is False
    assert answer["meta"] == {"nameFields": [{"entityApiName": "Account", "fieldApiName": "Name"}]}
    answer = suggest(api, q='"national*" ', sobject="Account", limit=2)
    assert (len(answer["autoSuggestResults"]), answer["hasMoreResults"]) == (2, True)
    assert suggest(api, q="na", sobject="Account")["autoSuggestResults"] == []
    assert suggest(api, q="ational", sobject="Account")["autoSuggestResults"] == []


def test_suggestions_of_several_objects(acme: Api) -> None:
    answer = suggest(
        acme,
        **{
            "q": "acme",
            "sobject": "Account,Contact",
            "fields": "CreatedById",
            "account.fields": "Phone,Id",
            "account.where": "AnnualRevenue > 10",
            "dynamicFields": "secondaryField",
        },
    )
    account, contact = answer["autoSuggestResults"]
    assert keys([account, contact]) == [["Id", "Name", "Phone", "Site"], ["Id", "Name", "CreatedById", "Phone"]]
    assert (account["Name"], contact["Name"]) == ("Acme O'Neil", "Wile Acme")


def test_suggestions_within_the_scope(acme: Api) -> None:
    answer = suggest(acme, q="acme", useSearchScope="true", limit=10)
    assert [record["attributes"]["type"] for record in answer["autoSuggestResults"]] == ["Account"] * 3 + ["Contact"]
    assert suggest(acme, q="acme", sobject="Task,Account", ignoreUnsupportedSObjects="true")["autoSuggestResults"]


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"sobject": "Account"}, 400, "MISSING_ARGUMENT"),
        ({"q": "acme"}, 400, "MISSING_ARGUMENT"),
        ({"q": "acme", "sobject": "Task"}, 400, "INVALID_TYPE"),
        ({"q": "acme", "sobject": "Nonsense"}, 400, "INVALID_TYPE"),
        ({"q": "acme", "sobject": ",".join(["Account"] * 11)}, 400, "INVALID_ARGUMENT"),
        ({"q": "acme", "sobject": "Account", "limit": "0"}, 400, "INVALID_ARGUMENT"),
        ({"q": "acme" * 64, "sobject": "Account"}, 400, "INVALID_SEARCH"),
        ({"q": "acme", "sobject": "Account", "where": "Nonsense = 1"}, 400, "INVALID_FIELD"),
        ({"q": "acme", "sobject": "Account", "topicId": "0TO"}, 501, "FUNCTIONALITY_NOT_ENABLED"),
    ],
)
def test_suggestions_that_cannot_be_made(api: Api, params: dict[str, str], status: int, code: str) -> None:
    response = api("GET", "search/suggestions", params=params)
    assert (response.status_code, response.json()[0]["errorCode"]) == (status, code)


def test_the_scope_begins_with_what_was_used_most(acme: Api) -> None:
    def scope() -> list[str]:
        return [entry["type"] for entry in acme("GET", "search/scopeOrder").json()]

    assert scope()[:4] == ["Account", "Contact", "Opportunity", "Lead"]
    acme("GET", "query", params={"q": "SELECT Id FROM Contact FOR VIEW"})
    assert scope()[:2] == ["Contact", "Account"]
    first = acme("GET", "search/scopeOrder").json()[0]
    assert acme("GET", first["url"]).json()["name"] == "Contact"


def test_layouts_of_search_results(acme: Api) -> None:
    acme.org.add_object("Invoice__c", {"Amount__c": "currency(16, 2)"})
    layouts = acme("GET", "search/layout/", params={"q": "Account,contact,Lead,Invoice__c"}).json()
    account, contact, lead, invoice = [layout["searchColumns"] for layout in layouts]
    assert account[0] == {"field": "Account.Name", "format": None, "label": "Account Name", "name": "Name"}
    assert account[-1] == {
        "field": "User.Alias",
        "format": None,
        "label": "Account Owner Alias",
        "name": "Owner.Alias",
    }
    assert [column["name"] for column in contact] == [
        "Name",
        "Account.Name",
        "Account.Site",
        "Phone",
        "Email",
        "Owner.Alias",
    ]
    assert [column["name"] for column in lead][-2:] == ["toLabel(Status)", "Owner.Alias"]
    assert [column["name"] for column in invoice] == ["Name"]
    layout = acme("GET", "search/layout", params={"q": "Account"}).json()[0]
    assert (layout["label"], layout["limitRows"], layout["objectType"]) == ("Search Results", 25, "Account")


@pytest.mark.parametrize(("names", "code"), [("", "INVALID_ARGUMENT"), ("Account,Nonsense", "INVALID_TYPE")])
def test_layouts_of_nothing(api: Api, names: str, code: str) -> None:
    response = api("GET", "search/layout", params={"q": names})
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, code)
