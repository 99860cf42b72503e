"""The composite resource over the wire: references, rollback, limits."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_api import Api

from sfconnector.testing import LocalOrg

ROLLED_BACK = {
    "errorCode": "PROCESSING_HALTED",
    "message": "The transaction was rolled back since another operation in the same transaction failed.",
}


def part(reference_id: str, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
    written = {} if body is None else {"body": body}
    return {"referenceId": reference_id, "method": method, "url": f"/services/data/v68.0/{path}", **written, **more}


def send(api: Api, *parts: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    response = api("POST", "composite", json={"compositeRequest": parts, **options})
    assert response.status_code == 200, response.text
    answers: list[dict[str, Any]] = response.json()["compositeResponse"]
    return answers


def halted(path: str) -> list[dict[str, Any]]:
    message = (
        f"Invalid reference specified. No value for {path} found in {path.split('.')[0]}. Provided referenceId "
        f"('{path}') must start with a letter or a number, and it can contain only letters, numbers and underscores "
        "('_')."
    )
    return [{"errorCode": "PROCESSING_HALTED", "message": message}]


def total(api: Api, sobject: str) -> int:
    return int(api("GET", "query", params={"q": f"SELECT COUNT() FROM {sobject}"}).json()["totalSize"])


def test_a_later_subrequest_uses_an_earlier_answer(api: Api) -> None:
    account, contact, read = send(
        api,
        part("refAccount", "POST", "sobjects/Account", {"Name": "Radium"}),
        part("refContact", "POST", "sobjects/Contact", {"LastName": "Curie", "AccountId": "@{refAccount.id}"}),
        part("refRead", "GET", "sobjects/Contact/@{refContact.id}?fields=AccountId,LastName"),
    )
    account_id = account["body"]["id"]
    assert account == {
        "body": {"id": account_id, "success": True, "errors": []},
        "httpHeaders": {"Location": f"/services/data/v68.0/sobjects/Account/{account_id}"},
        "httpStatusCode": 201,
        "referenceId": "refAccount",
    }
    assert (contact["httpStatusCode"], contact["referenceId"]) == (201, "refContact")
    assert read["body"]["AccountId"] == account_id
    assert read["httpStatusCode"] == 200


def test_references_reach_into_query_results_and_collections(api: Api) -> None:
    account_id = api.create("Account", Name="A & B's 100%+", BillingCity="Paris")
    api.create("Contact", LastName="Curie", AccountId=account_id)
    found, created, joined, same, address = send(
        api,
        part("found", "GET", "query?q=SELECT Id, Name, (SELECT Id, LastName FROM Contacts) FROM Account"),
        part("created", "POST", "composite/sobjects", {"records": [{"attributes": {"type": "Account"}, "Name": "B"}]}),
        part(
            "joined",
            "POST",
            "sobjects/Contact",
            {
                "LastName": "Born @{found.records[0].Contacts.records[0].LastName}, @{found.totalSize} @{found.done}",
                "AccountId": "@{created[0].id}",
            },
        ),
        part("same", "GET", "query/?q=SELECT Id, BillingAddress FROM Account WHERE Name = 'A %26 B\\'s 100%25%2B'"),
        part("address", "POST", "sobjects/Contact", {"LastName": "@{same.records[0].BillingAddress.city}"}),
    )
    assert [each["httpStatusCode"] for each in (found, created, joined, same, address)] == [200, 200, 201, 200, 201]
    contact = api("GET", f"sobjects/Contact/{joined['body']['id']}").json()
    assert contact["LastName"] == "Born Curie, 1 true"
    assert contact["AccountId"] == created["body"][0]["id"]
    assert api("GET", f"sobjects/Contact/{address['body']['id']}").json()["LastName"] == "Paris"


@pytest.fixture
def tagged(local_org: LocalOrg, api: Api) -> Api:
    local_org.add_field("Account", "Ext__c", "string(80) external_id case_sensitive")
    return api


def test_a_value_in_a_url_stays_one_value(tagged: Api) -> None:
    api = tagged
    first = api.create("Account", Name="a/b?c&d=e+f%20g#", Ext__c="a/b?c&d=e+f%20g#")
    _, by_id, by_query = send(
        api,
        part("first", "GET", f"sobjects/Account/{first}?fields=Name"),
        part("byId", "GET", "sobjects/Account/Ext__c/@{first.Name}?fields=Name"),
        part("byQuery", "GET", "query?q=SELECT+Id+FROM+Account+WHERE+Name='@{first.Name}'&unused=1"),
    )
    assert by_id["body"]["Id"] == first
    assert [record["Id"] for record in by_query["body"]["records"]] == [first]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=30))
def test_any_text_comes_through_a_reference_unchanged(tagged: Api, text: str) -> None:
    value = f"x{text}x"
    first = tagged.create("Account", Name="First", Ext__c=value)
    read, found, copied, _ = send(
        tagged,
        part("read", "GET", f"sobjects/Account/{first}?fields=Ext__c"),
        part("found", "GET", "sobjects/Account/Ext__c/@{read.Ext__c}?fields=Ext__c"),
        part("copied", "POST", "sobjects/Account", {"Name": "Copy", "Description": "@{read.Ext__c}@{read.Ext__c}"}),
        part("gone", "DELETE", "sobjects/Account/Ext__c/@{read.Ext__c}"),
    )
    assert found["body"] == read["body"]
    description = tagged("GET", f"sobjects/Account/{copied['body']['id']}").json()["Description"]
    assert description == read["body"]["Ext__c"] * 2


def test_a_reference_that_is_percent_encoded_is_not_guessed_at(api: Api) -> None:
    for encoded in ("%40%7BrefAccount.id%7D", "%40{refAccount.id}", "@%7BrefAccount.id}"):
        _, read, other = send(
            api,
            part("refAccount", "POST", "sobjects/Account", {"Name": "Radium"}),
            part("read", "GET", f"query?q=SELECT Id FROM Account WHERE Name = '{encoded}'"),
            part("other", "GET", "query?q=SELECT Id FROM Account WHERE Name = '%40%7Bunknown.id%7D'"),
        )
        assert (read["httpStatusCode"], other["httpStatusCode"]) == (501, 200)


@pytest.mark.parametrize(
    "path",
    [
        "refAccount.Id",
        "refaccount.id",
        "refAccount.errors",
        "refAccount.errors[0]",
        "refAccount[0].id",
        "refAccount",
        "refAccount.id.more",
        "later.id",
        "refAccount.id..",
    ],
)
def test_a_reference_to_nothing_halts_its_subrequest_alone(api: Api, path: str) -> None:
    account, contact, later = send(
        api,
        part("refAccount", "POST", "sobjects/Account", {"Name": "Radium"}),
        part("refContact", "POST", "sobjects/Contact", {"LastName": "A", "Description": f"@{{{path}}}"}),
        part("later", "POST", "sobjects/Account", {"Name": "Polonium"}),
    )
    assert (account["httpStatusCode"], later["httpStatusCode"]) == (201, 201)
    assert contact["httpStatusCode"] == 400
    assert contact["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert contact["body"][0]["message"].startswith(f"Invalid reference specified. No value for {path} found in ")
    assert total(api, "Contact") == 0


def test_what_depends_on_a_failure_is_not_run(api: Api) -> None:
    account, contact, other = send(
        api,
        part("refAccount", "POST", "sobjects/Account", {"Phone": "1"}),
        part("refContact", "POST", "sobjects/Contact", {"LastName": "Curie", "AccountId": "@{refAccount.id}"}),
        part("other", "POST", "sobjects/Contact", {"LastName": "Meitner"}),
    )
    assert account["body"] == [
        {
            "message": "Required fields are missing: [Name]",
            "errorCode": "REQUIRED_FIELD_MISSING",
            "fields": ["Name"],
        }
    ]
    assert (account["httpStatusCode"], account["httpHeaders"]) == (400, {})
    assert contact == {
        "body": halted("refAccount.id"),
        "httpHeaders": {},
        "httpStatusCode": 400,
        "referenceId": "refContact",
    }
    assert other["httpStatusCode"] == 201
    assert total(api, "Contact") == 1


def test_all_or_none_takes_everything_back(api: Api) -> None:
    kept = api.create("Account", Name="Kept")
    answers = send(
        api,
        part("first", "POST", "sobjects/Account", {"Name": "Radium"}),
        part("second", "PATCH", f"sobjects/Account/{kept}", {"Name": "Changed"}),
        part("third", "DELETE", f"sobjects/Account/{kept}"),
        part("bad", "POST", "sobjects/Contact", {"FirstName": "Marie"}),
        part("last", "POST", "sobjects/Account", {"Name": "Polonium"}),
        allOrNone=True,
    )
    assert [answer["httpStatusCode"] for answer in answers] == [400] * 5
    assert [answer["referenceId"] for answer in answers] == ["first", "second", "third", "bad", "last"]
    assert answers.pop(3)["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert all(answer["body"] == [ROLLED_BACK] and answer["httpHeaders"] == {} for answer in answers)
    assert api("GET", f"sobjects/Account/{kept}").json()["Name"] == "Kept"
    assert total(api, "Account") == 1


@pytest.mark.parametrize(
    ("outer", "inner", "accounts", "contacts"), [(False, False, 1, 1), (False, True, 0, 1), (True, True, 0, 0)]
)
def test_all_or_none_of_a_collection_inside(api: Api, outer: bool, inner: bool, accounts: int, contacts: int) -> None:
    collection, contact = send(
        api,
        part("newAccounts", "POST", "composite/sobjects", {"allOrNone": inner, "records": account_records()}),
        part("newContact", "POST", "sobjects/Contact", {"LastName": "Smith"}),
        allOrNone=outer,
    )
    assert collection["httpStatusCode"] == 200
    assert contact["httpStatusCode"] == (400 if outer else 201)
    assert (total(api, "Account"), total(api, "Contact")) == (accounts, contacts)


def account_records() -> list[dict[str, Any]]:
    return [{"attributes": {"type": "Account"}, "Name": "A"}, {"attributes": {"type": "Account"}}]


def test_a_collection_taken_back_by_the_request_around_it_looks_like_a_success(api: Api) -> None:
    """Documented so: https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-allornone.html"""
    collection, contact = send(
        api,
        part("newAccounts", "POST", "composite/sobjects", {"records": account_records()}),
        part("newContact", "POST", "sobjects/Contact", {"LastName": "Smith"}),
        allOrNone=True,
    )
    assert [result["success"] for result in collection["body"]] == [True, False]
    assert collection["httpStatusCode"] == 200
    assert contact["body"] == [ROLLED_BACK]
    assert (total(api, "Account"), total(api, "Contact")) == (0, 0)


def test_headers_belong_to_their_subrequest(api: Api) -> None:
    since = {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}
    fresh, unchanged = send(
        api,
        part("fresh", "GET", "sobjects/Account/describe"),
        part("unchanged", "GET", "sobjects/Account/describe", httpHeaders=since),
    )
    assert fresh["body"]["name"] == "Account"
    assert (unchanged["httpStatusCode"], unchanged["body"]) == (304, None)
    assert set(unchanged["httpHeaders"]) == {"ETag", "Last-Modified"}


def test_headers_of_the_request_do_not_reach_its_subrequests(api: Api) -> None:
    for number in range(201):
        api.create("Account", Name=str(number))
    smaller = {"Sforce-Query-Options": "batchSize=200"}
    path = "query?q=SELECT Id FROM Account"
    body = {"compositeRequest": [part("outer", "GET", path), part("inner", "GET", path, httpHeaders=smaller)]}
    answers = api("POST", "composite", json=body, headers=smaller).json()["compositeResponse"]
    assert [len(answer["body"]["records"]) for answer in answers] == [201, 200]


def test_a_null_field_of_a_record_may_be_referred_to_since_52(api: Api) -> None:
    contact_id = api.create("Contact", LastName="Wong")
    parts = [
        part("refContact", "GET", f"sobjects/Contact/{contact_id}?fields=FirstName,LastName"),
        part("new", "POST", "sobjects/Contact", {"FirstName": "@{refContact.FirstName}", "LastName": "Wong"}),
    ]
    _, created = send(api, *parts)
    assert created["httpStatusCode"] == 201
    old = api("POST", "/services/data/v51.0/composite", json={"compositeRequest": parts})
    assert old.json()["compositeResponse"][1]["body"] == halted("refContact.FirstName")


def test_a_null_in_a_query_result_may_not_be_referred_to(api: Api) -> None:
    api.create("Contact", LastName="Wong")
    _, created = send(
        api,
        part("found", "GET", "query?q=SELECT FirstName FROM Contact"),
        part("new", "POST", "sobjects/Contact", {"FirstName": "@{found.records[0].FirstName}", "LastName": "Wong"}),
    )
    assert created["body"][0]["errorCode"] == "PROCESSING_HALTED"


def test_one_call_is_counted(api: Api) -> None:
    used = _used(api)
    send(api, *(part(f"r{number}", "POST", "sobjects/Account", {"Name": "A"}) for number in range(25)))
    assert _used(api) == used + 2


def _used(api: Api) -> int:
    limits = api("GET", "limits").json()["DailyApiRequests"]
    return int(limits["Max"]) - int(limits["Remaining"])


def test_more_than_25_are_answered_with_one_error(api: Api) -> None:
    answers = send(api, *(part(f"r{number}", "POST", "sobjects/Account", {"Name": "A"}) for number in range(26)))
    error = {"errorCode": "LIMIT_EXCEEDED", "message": "The request can’t contain more than 25 operations."}
    assert answers == [{"body": [error], "httpHeaders": {}, "httpStatusCode": 400, "referenceId": None}]
    assert total(api, "Account") == 0


def test_five_may_be_queries_or_collections(api: Api) -> None:
    bulky = [
        part("q0", "GET", "query?q=SELECT Id FROM Account"),
        part("q1", "GET", "query/?q=SELECT Id FROM Account"),
        part("q2", "GET", "queryAll?q=SELECT Id FROM Account"),
        part("c0", "POST", "composite/sobjects", {"records": [{"attributes": {"type": "Account"}, "Name": "A"}]}),
        part("c1", "GET", "composite/sobjects/Account?ids=001000000000000AAA&fields=Id"),
    ]
    create = part("one", "POST", "sobjects/Account", {"Name": "A"})
    assert len(send(api, *bulky, create)) == 6
    [answer] = send(api, *bulky, part("q3", "GET", "query?q=SELECT Id FROM Account"), create)
    assert (answer["body"][0]["errorCode"], answer["referenceId"]) == ("LIMIT_EXCEEDED", None)
    assert total(api, "Account") == 2


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("composite", "INVALID_INPUT"),
        ("composite/batch", "INVALID_INPUT"),
        ("composite/tree/Account", "INVALID_INPUT"),
        ("composite/graph", "INVALID_INPUT"),
        ("limits", "INVALID_INPUT"),
        ("sobjects/Foo", "NOT_FOUND"),
        ("sobjects/Account/1/2/3/4", "NOT_FOUND"),
    ],
)
def test_resources_that_composite_does_not_support(api: Api, path: str, code: str) -> None:
    refused, other = send(
        api, part("refused", "POST", path, {}), part("other", "POST", "sobjects/Account", {"Name": "A"})
    )
    assert refused["body"][0]["errorCode"] == code
    assert refused["httpStatusCode"] == (404 if code == "NOT_FOUND" else 400)
    assert other["httpStatusCode"] == 201


def test_an_unknown_method_of_a_resource(api: Api) -> None:
    [answer] = send(api, part("r", "PUT", "sobjects/Account/001000000000000AAA", {}))
    assert (answer["httpStatusCode"], answer["body"][0]["errorCode"]) == (405, "METHOD_NOT_ALLOWED")


GOOD = part("r", "GET", "sobjects/Account")


@pytest.mark.parametrize(
    "parts",
    [
        [],
        {},
        ["r"],
        [{name: value for name, value in GOOD.items() if name != "referenceId"}],
        [{name: value for name, value in GOOD.items() if name != "url"}],
        [{name: value for name, value in GOOD.items() if name != "method"}],
        [{**GOOD, "method": "get"}],
        [{**GOOD, "method": "HEAD"}],
        [{**GOOD, "url": "v68.0/sobjects"}],
        [{**GOOD, "url": "https://example.com/services/data/v68.0/sobjects"}],
        [{**GOOD, "referenceId": "refNewAccount[1]"}],
        [{**GOOD, "referenceId": "_r"}],
        [{**GOOD, "referenceId": 1}],
        [{**GOOD, "httpHeaders": {"accept": "application/json"}}],
        [{**GOOD, "httpHeaders": {"Authorization": "Bearer x"}}],
        [{**GOOD, "httpHeaders": {"Content-Type": "application/json"}}],
        [{**GOOD, "httpHeaders": ["a"]}],
        [GOOD, GOOD],
    ],
)
def test_a_request_that_is_not_well_formed_is_not_run(api: Api, parts: Any) -> None:
    first = part("first", "POST", "sobjects/Account", {"Name": "A"})
    listed = [first, *parts] if isinstance(parts, list) and parts else parts
    response = api("POST", "composite", json={"compositeRequest": listed})
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
    assert total(api, "Account") == 0


def test_a_malformed_reference_id_has_its_text(api: Api) -> None:
    response = api("POST", "composite", json={"compositeRequest": [{**GOOD, "referenceId": "refNewAccount[1]"}]})
    assert response.json() == [
        {
            "message": "Provided referenceId ('refNewAccount[1]') must start with a letter or a number, and it can "
            "contain only letters, numbers and underscores ('_').",
            "errorCode": "JSON_PARSER_ERROR",
        }
    ]


def test_before_52_a_malformed_reference_id_fails_what_refers_to_it(api: Api) -> None:
    parts = [
        part("refNewAccount[1]", "POST", "sobjects/Account", {"Name": "A"}),
        part("contact", "POST", "sobjects/Contact", {"LastName": "B", "AccountId": "@{refNewAccount[1].id}"}),
    ]
    response = api("POST", "/services/data/v51.0/composite", json={"compositeRequest": parts})
    account, contact = response.json()["compositeResponse"]
    assert (account["httpStatusCode"], account["referenceId"]) == (201, "refNewAccount[1]")
    assert "No value for refNewAccount[1].id found in refNewAccount." in contact["body"][0]["message"]


def test_a_query_of_100_000_characters(api: Api) -> None:
    wanted = api.create("Account", Name="Needle")
    names = ",".join(f"'{'x' * 80}{number}'" for number in range(1_150))
    soql = f"SELECT Id FROM Account WHERE Name IN ({names},'Needle')"
    assert 90_000 < len(soql) < 100_000
    [answer] = send(api, part("long", "GET", f"query?q={quote(soql)}"))
    assert [record["Id"] for record in answer["body"]["records"]] == [wanted]


def test_a_locked_row_fails_its_subrequest(local_org: LocalOrg, api: Api) -> None:
    locked = api.create("Account", Name="A")
    fault = local_org.faults.lock_rows(locked, path="*/sobjects/Account/*")
    change = part("change", "PATCH", f"sobjects/Account/{locked}", {"Name": "B"})
    create = part("create", "POST", "sobjects/Contact", {"LastName": "C"})
    first, second = send(api, create, change, allOrNone=True)
    assert first["body"] == [ROLLED_BACK]
    assert second["body"][0]["errorCode"] == "UNABLE_TO_LOCK_ROW"
    assert fault.hits == 1
    assert [each["httpStatusCode"] for each in send(api, create, change, allOrNone=True)] == [201, 204]


def test_a_subrequest_may_ask_another_version(api: Api) -> None:
    [answer] = send(api, {**GOOD, "url": "/services/data/v99.0/sobjects"})
    assert (answer["httpStatusCode"], answer["body"][0]["errorCode"]) == (404, "NOT_FOUND")
    [answer] = send(api, {**GOOD, "url": "/services/data/v58.0/sobjects"})
    assert answer["body"]["sobjects"][0]["urls"]["sobject"].startswith("/services/data/v58.0/")


def test_collections_are_supported_since_43(api: Api) -> None:
    body = {"records": [{"attributes": {"type": "Account"}, "Name": "A"}]}
    for version, status in (("42.0", 400), ("43.0", 200)):
        [answer] = send(api, {**part("r", "POST", "", body), "url": f"/services/data/v{version}/composite/sobjects"})
        assert answer["httpStatusCode"] == status


def test_the_first_slash_may_be_missing(api: Api) -> None:
    [answer] = send(api, {**GOOD, "url": "services/data/v68.0/sobjects/Account"})
    assert answer["httpStatusCode"] == 200


def test_a_query_that_is_too_long_for_soql(api: Api) -> None:
    soql = f"SELECT Id FROM Account WHERE Name IN ({','.join(['%27x%27'] * 30_000)})"
    [answer] = send(api, part("long", "GET", f"query?q={soql}"))
    assert answer["httpStatusCode"] == 400


def test_an_action_cannot_be_taken_back(api: Api) -> None:
    action = part("action", "POST", "sobjects/Account/quickActions/Any", {})
    [answer] = send(api, action, allOrNone=True)
    assert answer["httpStatusCode"] == 501
    [answer] = send(api, action)
    assert answer["httpStatusCode"] != 501
