"""Quick actions: the global ones, those of the test's author, and both as invocable actions."""

from collections.abc import Mapping
from typing import Any

import pytest
from local_api import Api

from sfconnector.testing import LocalOrg

BASE = "/services/data/v68.0"
GLOBAL = [
    "LogACall",
    "NewAccount",
    "NewCase",
    "NewContact",
    "NewEvent",
    "NewLead",
    "NewOpportunity",
    "NewTask",
]


def names(api: Api, path: str) -> list[str]:
    return [action["name"] for action in api("GET", path).json()]


def perform(api: Api, path: str, record: Mapping[str, Any] | None = None, context_id: str | None = None) -> Any:
    body = {"record": record} if context_id is None else {"record": record, "contextId": context_id}
    return api("POST", path, json=body)


def performed(api: Api, path: str, record: Mapping[str, Any] | None = None, context_id: str | None = None) -> str:
    response = perform(api, path, record, context_id)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def read(api: Api, sobject: str, record_id: str, *fields: str) -> list[Any]:
    record = api("GET", f"sobjects/{sobject}/{record_id}", params={"fields": ",".join(fields)}).json()
    return [record[field] for field in fields]


def refusal(response: Any) -> tuple[int, str, str]:
    [error] = response.json()
    return response.status_code, error["errorCode"], error["message"]


def test_the_lists(local_org: LocalOrg, api: Api) -> None:
    local_org.add_quick_action("CreateContact", sobject="Account", target="Contact")

    assert names(api, "quickActions") == GLOBAL
    # Those of an object come with the global ones.
    assert names(api, "sobjects/account/quickActions") == ["Account.CreateContact", *GLOBAL]
    assert names(api, "sobjects/Contact/quickActions") == GLOBAL
    own = api("GET", "sobjects/Account/quickActions").json()[0]
    assert own.pop("actionEnumOrId").startswith("09D")
    place = f"{BASE}/sobjects/Account/quickActions/CreateContact"
    assert own == {
        "label": "CreateContact",
        "name": "Account.CreateContact",
        "type": "Create",
        "urls": {
            "defaultValues": f"{place}/defaultValues",
            "quickAction": place,
            "describe": f"{place}/describe",
            "defaultValuesTemplate": f"{place}/defaultValues/{{ID}}",
        },
    }
    listed = api("GET", "quickActions").json()[0]
    assert (listed["name"], listed["type"], listed["label"]) == ("LogACall", "LogACall", "Log a Call")
    assert listed["urls"]["quickAction"] == f"{BASE}/quickActions/LogACall"
    assert api("GET", "").json()["quickActions"] == f"{BASE}/quickActions"
    layout = api("GET", "sobjects/Contact/describe/layouts").json()["layouts"][0]
    assert [item["quickActionName"] for item in layout["quickActionList"]["quickActionListItems"]] == GLOBAL


@pytest.mark.parametrize("place", ["quickActions", "sobjects/Contact/quickActions"])
def test_a_call_is_logged_as_a_completed_task(api: Api, place: str) -> None:
    assert api("GET", f"{place}/LogACall/defaultValues").json() == {
        "attributes": {"type": "Task"},
        "Subject": "Call",
        "Description": None,
        "WhoId": None,
        "WhatId": None,
    }
    task = performed(api, f"{place}/LogACall", {"Description": "Agreed."})

    fields = ("Subject", "Description", "Status", "IsClosed", "TaskSubtype", "WhatId")
    assert read(api, "Task", task, *fields) == ["Call", "Agreed.", "Completed", True, "Call", None]
    [day] = read(api, "Task", task, "ActivityDate")
    query = {"q": f"SELECT Id FROM Task WHERE Id = '{task}' AND ActivityDate = TODAY"}
    assert api("GET", "query", params=query).json()["totalSize"] == 1, day


def test_every_global_action_creates_its_record(api: Api) -> None:
    records: dict[str, dict[str, Any]] = {
        "LogACall": {},
        "NewAccount": {"Name": "Acme"},
        "NewCase": {"Subject": "Broken"},
        "NewContact": {"LastName": "Curie"},
        "NewEvent": {
            "Subject": "Meeting",
            "StartDateTime": "2026-01-05T10:00:00Z",
            "EndDateTime": "2026-01-05T11:00:00Z",
        },
        "NewLead": {"LastName": "Meitner", "Company": "Acme"},
        "NewOpportunity": {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-01-31"},
        "NewTask": {"Subject": "Write"},
    }
    assert list(records) == GLOBAL
    for name, record in records.items():
        answer = perform(api, f"quickActions/{name}", record)
        assert answer.status_code == 201, answer.text
        body = answer.json()
        target = api("GET", f"quickActions/{name}/describe").json()["targetSobjectType"]
        assert body == {
            "contextId": None,
            "created": True,
            "errors": [],
            "feedItemIds": None,
            "id": body["id"],
            "ids": [body["id"]],
            "success": True,
            "successMessage": None,
        }
        for field, value in record.items():
            [kept] = read(api, target, body["id"], field)
            assert str(kept)[:16] == value[:16]


def test_a_new_record_belongs_to_the_one_the_action_runs_on(local_org: LocalOrg, api: Api) -> None:
    local_org.add_quick_action(
        "CreateContact",
        sobject="Account",
        target="Contact",
        fields=["Name", "Email"],
        values={"LeadSource": "Web", "Title": "Buyer"},
        label="Create a Contact",
        success_message="Well done!",
    )
    account = api.create("Account", Name="Acme")
    place = "sobjects/Account/quickActions/CreateContact"

    assert api("GET", f"{place}/defaultValues").json() == {
        "attributes": {"type": "Contact"},
        "LastName": None,
        "FirstName": None,
        "Salutation": None,
        "Email": None,
        "LeadSource": "Web",
        "Title": "Buyer",
    }
    assert api("GET", f"{place}/defaultValues/{account[:15]}").json()["AccountId"] == account
    # The example of the documentation.
    answer = perform(api, place, {"LastName": "Smith", "title": "Boss"}, account[:15])
    assert answer.status_code == 201
    body = answer.json()
    assert (body["contextId"], body["successMessage"]) == (account, "Well done!")
    fields = ("LastName", "AccountId", "LeadSource", "Title")
    assert read(api, "Contact", body["id"], *fields) == ["Smith", account, "Web", "Boss"]
    other = performed(api, place, {"LastName": "Jones"})
    assert read(api, "Contact", other, "AccountId") == [None]


def test_a_description_has_the_layout_of_the_action(local_org: LocalOrg, api: Api) -> None:
    local_org.add_quick_action(
        "CreateContact", sobject="Account", target="Contact", fields=["Name", "Email"], values={"Title": "Buyer"}
    )
    place = "sobjects/Account/quickActions/CreateContact"
    described = api("GET", f"{place}/describe").json()

    assert api("GET", place).json() == described
    assert api("GET", "sobjects/Account/quickActions/Account.CreateContact").json() == described
    assert described["contextSobjectType"] == "Account"
    assert described["targetSobjectType"] == "Contact"
    assert described["targetParentField"] == "AccountId"
    assert described["defaultValues"] == [{"defaultValue": "Buyer", "field": "Title"}]
    [row] = described["layout"]["layoutRows"]
    assert [item["layoutComponents"][0]["value"] for item in row["layoutItems"]] == ["Name", "Email"]
    assert [item["required"] for item in row["layoutItems"]] == [True, False]
    assert described["layout"]["parentLayoutId"] is None
    assert described["urls"] == api("GET", "sobjects/Account/quickActions").json()[0]["urls"]
    for key in ("canvasApplicationName", "iconName", "flowDevName", "visualforcePageName", "targetRecordTypeId"):
        assert described[key] is None


def test_an_action_may_change_the_record_it_runs_on(local_org: LocalOrg, api: Api) -> None:
    local_org.add_quick_action(
        "Escalate", type="Update", sobject="Case", fields=["Priority", "Comments"], values={"Priority": "High"}
    )
    case = api.create("Case", Subject="Broken", Priority="Low")
    place = "sobjects/Case/quickActions/Escalate"

    assert api("GET", f"{place}/describe").json()["targetParentField"] is None
    answer = perform(api, place, {"Subject": "Very broken"}, case)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["id"], body["created"], body["contextId"]) == (case, False, case)
    assert read(api, "Case", case, "Priority", "Subject") == ["High", "Very broken"]
    assert refusal(perform(api, place, {}))[:2] == (400, "MISSING_ARGUMENT")
    local_org.add_quick_action("Rename", type="Update", sobject="Case", fields=["Subject"])
    begin = api("GET", f"sobjects/Case/quickActions/Rename/defaultValues/{case}").json()
    assert begin == {"attributes": {"type": "Case"}, "Subject": "Very broken"}


def test_a_call_may_be_logged_on_a_record(local_org: LocalOrg, api: Api) -> None:
    local_org.add_quick_action("LogACall", type="LogACall", sobject="Contact")
    contact = api.create("Contact", LastName="Curie")

    # An action of the object wins over the global one of the same name.
    task = performed(api, "sobjects/Contact/quickActions/LogACall", {"Subject": "Call"}, contact)
    assert read(api, "Task", task, "WhoId", "Status") == [contact, "Completed"]
    free = performed(api, "quickActions/LogACall", {}, contact)
    assert read(api, "Task", free, "WhoId") == [None]


def test_what_is_refused(local_org: LocalOrg, api: Api) -> None:
    local_org.add_quick_action("CreateContact", sobject="Account", target="Contact")
    place = "sobjects/Account/quickActions/CreateContact"
    contact = api.create("Contact", LastName="Curie")
    gone = api.create("Account", Name="Gone")
    api("DELETE", f"sobjects/Account/{gone}")

    assert refusal(perform(api, place, {"FirstName": "Marie"})) == (
        400,
        "REQUIRED_FIELD_MISSING",
        "Required fields are missing: [LastName]",
    )
    assert refusal(perform(api, place, {"Nothing": 1}))[1] == "INVALID_FIELD"
    for context_id in (contact, gone, "001000000000000AAA"):
        assert refusal(perform(api, place, {"LastName": "C"}, context_id)) == (
            400,
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
        )
        assert api("GET", f"{place}/defaultValues/{context_id}").status_code == 404
    assert refusal(perform(api, place, {"LastName": "C"}, "none"))[:2] == (400, "MALFORMED_ID")
    assert api("GET", f"{place}/defaultValues/001x").status_code == 404
    for body in ({"LastName": "Flat"}, {"record": []}, {"record": "x"}, {"record": {}, "contextId": 1}):
        response = api("POST", place, json=body)
        assert response.status_code == 400, body
        assert response.json()[0]["errorCode"] in ("JSON_PARSER_ERROR", "REQUIRED_FIELD_MISSING")
    for path in ("quickActions/Nothing", "quickActions/CreateContact", "sobjects/Contact/quickActions/CreateContact"):
        for rest in ("", "/describe", "/defaultValues"):
            assert api("GET", path + rest).status_code == 404, path
        assert perform(api, path, {}).status_code == 404
    response = api("DELETE", place)
    assert (response.status_code, response.json()[0]["errorCode"]) == (405, "METHOD_NOT_ALLOWED")


def test_quick_actions_are_invocable(local_org: LocalOrg, api: Api) -> None:
    local_org.add_quick_action("CreateContact", sobject="Account", target="Contact", fields=["Name", "Email"])
    account = api.create("Account", Name="Acme")
    place = "actions/custom/quickAction/Account/CreateContact"

    assert api("GET", "actions/custom").json()["quickAction"] == f"{BASE}/actions/custom/quickAction"
    described = api("GET", place).json()
    assert (described["name"], described["targetEntityName"]) == ("CreateContact", "Account")
    inputs = {item["name"]: item["required"] for item in described["inputs"]}
    assert inputs["contextId"] is True
    assert inputs["LastName"] is True
    assert inputs["Email"] is False
    good = {"contextId": account, "LastName": "Curie"}
    response = api("POST", place, json={"inputs": [good, {**good, "Email": "none"}, {"contextId": account}]})
    assert response.status_code == 400
    first, second, third = response.json()
    assert (first["isSuccess"], first["actionName"]) == (True, "Account.CreateContact")
    assert second["errors"][0]["statusCode"] == "INVALID_EMAIL_ADDRESS"
    assert third["errors"][0]["message"] == "Missing required input parameter: LastName"
    found = api("GET", "query", params={"q": f"SELECT LastName FROM Contact WHERE AccountId = '{account}'"}).json()
    assert [record["LastName"] for record in found["records"]] == ["Curie"]

    done = api("POST", "actions/custom/quickAction/NewTask", json={"inputs": [{"Subject": "Write"}]})
    assert done.json()[0]["actionName"] == "NewTask"
    # How the list is arranged is documented nowhere.
    assert api("GET", "actions/custom/quickAction").status_code == 501
    assert api("GET", "actions/custom/quickAction/Nothing").status_code == 404


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "Create Contact", "target": "Contact"}, "no API name"),
        ({"name": "_X", "target": "Contact"}, "no API name"),
        ({"name": "X", "target": "Nothing"}, "no object Nothing"),
        ({"name": "X", "sobject": "Nothing", "target": "Contact"}, "no object Nothing"),
        ({"name": "X"}, "as target"),
        ({"name": "X", "type": "LogACall", "target": "Task"}, "as target"),
        ({"name": "X", "type": "Update"}, "as sobject"),
        ({"name": "X", "type": "Canvas", "target": "Contact"}, "Canvas"),
        ({"name": "X", "target": "Contact", "fields": ["Nothing"]}, "no field Nothing"),
        ({"name": "X", "target": "Contact", "fields": ["CreatedDate"]}, "no field CreatedDate"),
        ({"name": "X", "target": "Contact", "values": {"Nothing": 1}}, "no field Nothing"),
        ({"name": "X", "sobject": "Lead", "target": "Account"}, "refers to Lead"),
        ({"name": "newtask", "target": "Task"}, "already"),
    ],
)
def test_what_cannot_be_added(local_org: LocalOrg, api: Api, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        local_org.add_quick_action(**options)
    assert names(api, "quickActions") == GLOBAL
