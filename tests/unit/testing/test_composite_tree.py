"""sObject trees over the wire."""

from typing import Any

import pytest
from local_api import Api

from sfconnector.testing import LocalOrg


def record(sobject: str, reference_id: str, **values: Any) -> dict[str, Any]:
    return {"attributes": {"type": sobject, "referenceId": reference_id}, **values}


def account(reference_id: str, **values: Any) -> dict[str, Any]:
    return record("Account", reference_id, **{"Name": reference_id, **values})


def contact(reference_id: str, **values: Any) -> dict[str, Any]:
    return record("Contact", reference_id, **{"LastName": reference_id, **values})


def children(*records: dict[str, Any]) -> dict[str, Any]:
    return {"records": list(records)}


def post(api: Api, *records: Any, sobject: str = "Account") -> Any:
    return api("POST", f"composite/tree/{sobject}/", json={"records": list(records)})


def create(api: Api, *records: dict[str, Any], sobject: str = "Account") -> dict[str, str]:
    response = post(api, *records, sobject=sobject)
    assert response.status_code == 201, response.text
    answer = response.json()
    assert answer["hasErrors"] is False
    assert all(result.keys() == {"referenceId", "id"} for result in answer["results"])
    return {result["referenceId"]: result["id"] for result in answer["results"]}


def refused(api: Api, *records: dict[str, Any], sobject: str = "Account") -> dict[str, list[dict[str, Any]]]:
    response = post(api, *records, sobject=sobject)
    assert response.status_code == 400, response.text
    answer = response.json()
    assert answer["hasErrors"] is True
    assert total(api) == 0
    return {result["referenceId"]: result["errors"] for result in answer["results"]}


def total(api: Api, sobject: str = "Account") -> int:
    return int(api("GET", "query", params={"q": f"SELECT COUNT() FROM {sobject}"}).json()["totalSize"])


def test_the_example_of_the_documentation(api: Api) -> None:
    ids = create(
        api,
        account("ref1", Contacts=children(contact("ref2", email="sample@salesforce.com"), contact("ref3"))),
        account("ref4", childAccounts=children(account("ref5")), Contacts=children(contact("ref6"))),
    )
    assert list(ids) == ["ref1", "ref4", "ref2", "ref3", "ref5", "ref6"]
    assert api("GET", f"sobjects/Contact/{ids['ref2']}").json()["AccountId"] == ids["ref1"]
    assert api("GET", f"sobjects/Account/{ids['ref5']}").json()["ParentId"] == ids["ref4"]
    assert api("GET", f"sobjects/Contact/{ids['ref6']}").json()["AccountId"] == ids["ref4"]


def test_custom_objects_are_nested_by_the_names_of_their_relationships(local_org: LocalOrg, api: Api) -> None:
    reference = {"type": "reference", "reference_to": "Account", "child_relationship_name": "Invoices"}
    local_org.add_object("Invoice__c", {"Account__c": reference})
    ids = create(api, account("a", Invoices__r=children(record("Invoice__c", "i"))))
    assert api("GET", f"sobjects/Invoice__c/{ids['i']}").json()["Account__c"] == ids["a"]


def test_the_nesting_decides_who_is_the_parent(api: Api) -> None:
    other = api.create("Account", Name="Other")
    ids = create(api, account("a", Contacts=children(contact("c", accountid=other))))
    assert api("GET", f"sobjects/Contact/{ids['c']}").json()["AccountId"] == ids["a"]


def test_one_refused_record_takes_everything_back(api: Api) -> None:
    errors = refused(
        api,
        account("ref1", Contacts=children(contact("ref2", Email="123"), contact("ref3"))),
        account("ref4"),
    )
    assert list(errors) == ["ref2"]
    [error] = errors["ref2"]
    assert error == {
        "statusCode": "INVALID_EMAIL_ADDRESS",
        "message": "Email: invalid email address: 123",
        "fields": ["Email"],
    }
    assert total(api, "Contact") == 0


def test_all_refused_records_of_a_level_are_told(api: Api) -> None:
    errors = refused(
        api,
        account("a", Contacts=children(contact("c1", Email="1"), contact("c2"))),
        account("b", Contacts=children(contact("c3", Email="3", Contacts=children()))),
    )
    assert list(errors) == ["c1", "c3"]


def test_children_of_a_refused_parent_are_not_looked_at(api: Api) -> None:
    errors = refused(api, account("a", Name=None, Contacts=children(contact("c", Email="1"))))
    assert list(errors) == ["a"]
    assert errors["a"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"


def test_a_relationship_that_is_not_there(api: Api) -> None:
    errors = refused(api, account("a", Nonsense=children(contact("c"))))
    assert list(errors) == ["a"]
    assert errors["a"][0]["statusCode"] == "INVALID_FIELD"


def test_duplicate_reference_ids_are_told_for_each_instance(api: Api) -> None:
    response = post(api, account("same"), account("other", Contacts=children(contact("same"))))
    error = {"statusCode": "INVALID_INPUT", "message": "Duplicate ReferenceId provided in the request.", "fields": []}
    assert response.status_code == 400
    assert response.json() == {
        "hasErrors": True,
        "results": [{"referenceId": "same", "errors": [error]}, {"referenceId": "same", "errors": [error]}],
    }
    assert total(api) == 0


@pytest.mark.parametrize("attributes", [{"type": "Account"}, {"type": "Account", "referenceId": ""}, None, "a"])
def test_a_record_without_a_reference_id(api: Api, attributes: Any) -> None:
    response = post(api, account("a"), {"attributes": attributes, "Name": "B"})
    assert response.status_code == 403
    assert response.json() == [
        {"message": "Include a reference ID for each record in the request.", "errorCode": "INVALID_INPUT"}
    ]


@pytest.mark.parametrize(
    ("child", "message"),
    [
        ({"attributes": {"referenceId": "c"}}, "Include an entity type for each record in the request."),
        (record("Nonsense", "c"), "Invalid entity type provided in the request: Nonsense"),
        (record("Lead", "c"), "Invalid entity type provided in the request: Lead"),
        (account("c"), "Invalid entity type provided in the request: Account"),
    ],
)
def test_types_must_be_those_of_the_relationship(api: Api, child: dict[str, Any], message: str) -> None:
    errors = refused(api, account("a", Contacts=children(child)))
    assert errors == {"c": [{"statusCode": "INVALID_INPUT", "message": message, "fields": []}]}


def test_the_roots_are_of_the_type_of_the_url(api: Api) -> None:
    errors = refused(api, contact("c"))
    assert errors["c"][0]["message"] == "Invalid entity type provided in the request: Contact"
    assert list(create(api, record("contact", "c", LastName="A"), sobject="CONTACT")) == ["c"]
    assert post(api, account("a"), sobject="Nonsense").status_code == 404


def test_a_reference_id_begins_with_a_letter_or_a_digit(api: Api) -> None:
    assert list(refused(api, account("-a"))) == ["-a"]
    assert list(create(api, account("1 - a"))) == ["1 - a"]


def test_200_records_in_all(api: Api) -> None:
    contacts = children(*(contact(f"c{number}") for number in range(199)))
    assert len(create(api, account("a", Contacts=contacts))) == 200
    response = post(api, account("a", Contacts=contacts), account("b"))
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")
    assert total(api) == 1


def nested(levels: int) -> dict[str, Any]:
    inner = {} if levels == 1 else {"ChildAccounts": children(nested(levels - 1))}
    return account(f"r{levels}", **inner)


@pytest.mark.parametrize("levels", [6, 7, 90])
def test_five_levels(api: Api, levels: int) -> None:
    assert len(create(api, nested(5))) == 5
    response = post(api, nested(levels))
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")
    assert total(api) == 5


def test_five_types(api: Api) -> None:
    tomorrow = "2030-01-01"
    relations = {
        "Contacts": children(contact("c")),
        "Opportunities": children(record("Opportunity", "o", Name="O", StageName="Prospecting", CloseDate=tomorrow)),
        "Cases": children(record("Case", "k")),
        "Assets": children(record("Asset", "s", Name="S")),
    }
    assert len(create(api, account("a", **relations))) == 5
    response = post(api, account("a", **relations, Tasks=children(record("Task", "t"))))
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"records": []},
        {"records": ["a"]},
        {"records": account("a")},
        {"records": [account("a", Contacts={"records": contact("c")})]},
        {"records": [account("a", Contacts={"records": ["c"]})]},
    ],
)
def test_requests_that_are_not_well_formed(api: Api, body: Any) -> None:
    response = api("POST", "composite/tree/Account", json=body)
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_one_call_is_counted(api: Api) -> None:
    def used() -> int:
        limits = api("GET", "limits").json()["DailyApiRequests"]
        return int(limits["Max"]) - int(limits["Remaining"])

    before = used()
    create(api, account("a"), account("b"))
    assert used() == before + 2


def test_the_composite_resources(api: Api) -> None:
    assert api("GET", "composite/tree/Account").status_code == 405
    assert api("GET", "composite").json() == {
        name: f"/services/data/v68.0/composite/{name}" for name in ("tree", "batch", "sobjects", "graph")
    }


def test_a_locked_row(local_org: LocalOrg, api: Api) -> None:
    local_org.faults.lock_rows(path="*/composite/tree/*")
    errors = refused(api, account("a"))
    assert errors["a"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    assert list(create(api, account("a"))) == ["a"]
