"""Records and the recycle bin by SOAP."""

from typing import Any

import pytest
from local_api import Api
from soap_api import Fault, SoapApi, error, fault, xml
from soap_rows import deleted, get, query_all

ALL_OR_NONE = xml(AllOrNoneHeader={"allOrNone": True})
ROLLED_BACK = (
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
    [],
)


def account(name: str, **fields: Any) -> dict[str, Any]:
    return {"type": "Account", "Name": name, **fields}


def test_records_are_created(soap: SoapApi, api: Api) -> None:
    parent_id = api.create("Account", Name="Parent")
    contact = {
        "type": "Contact",
        "LastName": "Curie <&> ]]>",
        "Birthdate": "1867-11-07",
        "AccountId": parent_id,
        "Description": "two\nlines",
    }
    first, second, third = soap("create", sObjects=[contact, {"type": "Contact"}, account("Acme", AnnualRevenue="1.5")])
    assert (first["success"], second["success"], third["success"]) == ("true", "false", "true")
    assert error(second) == ("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ["LastName"])
    assert second["id"] is None
    created = get(api, "Contact", first["id"])
    assert {name: created[name] for name in contact if name != "type"} == {
        name: value for name, value in contact.items() if name != "type"
    }
    assert get(api, "Account", third["id"])["AnnualRevenue"] == 1.5


def test_a_parent_by_its_external_id(soap: SoapApi, api: Api) -> None:
    soap.org.add_field("Account", "Ext__c", "string(20) unique external_id")
    parent_id = api.create("Account", Name="Parent", Ext__c="A-1")
    (result,) = soap(
        "create", sObjects={"type": "Contact", "LastName": "Curie", "Account": {"type": "Account", "Ext__c": "A-1"}}
    )
    assert get(api, "Contact", result["id"])["AccountId"] == parent_id


def test_records_are_changed(soap: SoapApi, api: Api) -> None:
    record_id = api.create("Account", Name="Old", Phone="1", Fax="2")
    fields = account("New", Id=record_id, fieldsToNull=["Phone"], Fax=None)
    result, refused = soap("update", sObjects=[fields, account("No id")])
    assert result == {"id": record_id, "success": "true"}
    assert error(refused) == ("MISSING_ARGUMENT", "Id not specified in an update call", [])
    changed = get(api, "Account", record_id)
    assert (changed["Name"], changed["Phone"], changed["Fax"]) == ("New", None, None)


def test_upserts(soap: SoapApi, api: Api) -> None:
    soap.org.add_field("Account", "Ext__c", "string(20) unique external_id")
    records = [account("First", Ext__c="A-1"), account("Second", Ext__c="A-1"), {"type": "Account", "Ext__c": "A-2"}]
    first, second, third = soap("upsert", externalIDFieldName="Ext__c", sObjects=records)
    assert (first["created"], second["created"], third["created"]) == ("true", "false", "false")
    assert first["id"] == second["id"]
    assert error(third)[0] == "REQUIRED_FIELD_MISSING"
    assert get(api, "Account", first["id"])["Name"] == "Second"
    by_id, new = soap("upsert", externalIDFieldName="Id", sObjects=[account("Third", Id=first["id"]), account("New")])
    assert (by_id["created"], by_id["id"], new["created"]) == ("false", first["id"], "true")
    assert soap.fault("upsert", sObjects=records).code == "sf:MISSING_ARGUMENT"


def test_deletions(soap: SoapApi, api: Api) -> None:
    first, second = (api.create("Account", Name=name) for name in "AB")
    results = soap("delete", ids=[first[:15], "zzz000000000001", first, second])
    assert [result["success"] for result in results] == ["true", "false", "false", "true"]
    assert [error(result)[0] for result in results[1:3]] == ["MALFORMED_ID", "ENTITY_IS_DELETED"]
    assert deleted(api, "Account") == [(first, None), (second, None)]


def test_all_or_none(soap: SoapApi, api: Api) -> None:
    first, second = soap("create", ALL_OR_NONE, sObjects=[account("Acme"), account("x" * 256)])
    assert error(first) == ROLLED_BACK
    assert error(second)[0] == "STRING_TOO_LONG"
    assert query_all(api, "SELECT Id FROM Account") == []
    cut = ALL_OR_NONE + xml(AllowFieldTruncationHeader={"allowFieldTruncation": True})
    results = soap("create", cut, sObjects=[account("Acme"), account("x" * 256)])
    assert [result["success"] for result in results] == ["true", "true"]


def test_records_that_are_none(soap: SoapApi, api: Api) -> None:
    assert error(soap("create", sObjects=account("Acme", Id="001000000000001"))[0])[0] == (
        "INVALID_FIELD_FOR_INSERT_UPDATE"
    )
    assert error(soap("create", sObjects=account("Acme", Nothing__c="x"))[0])[0] == "INVALID_FIELD"
    soap.org.faults.lock_rows()
    assert error(soap("create", sObjects=account("Acme"))[0])[0] == "UNABLE_TO_LOCK_ROW"
    assert soap.fault("create", sObjects={"type": "Account", "AnnualRevenue": "much"}).code == "soapenv:Client"
    assert soap.fault("create", sObjects={"type": "Nothing__c"}).kind == "InvalidSObjectFault"
    assert query_all(api, "SELECT Id FROM Account") == []


def test_records_come_back(soap: SoapApi, api: Api) -> None:
    account_id = api.create("Account", Name="Acme")
    contact_id = api.create("Contact", LastName="Curie", AccountId=account_id)
    assert api("DELETE", f"sobjects/Account/{account_id}").status_code == 204
    (result,) = soap("undelete", ids=[account_id[:15]])
    assert result == {"id": account_id, "success": "true"}
    assert get(api, "Contact", contact_id)["AccountId"] == account_id


def test_partial_success_and_all_or_none(soap: SoapApi, api: Api) -> None:
    gone, there = (api.create("Account", Name=name) for name in ("Gone", "There"))
    assert api("DELETE", f"sobjects/Account/{gone}").status_code == 204
    first, second = soap("undelete", ALL_OR_NONE, ids=[gone, there])
    assert error(first) == ROLLED_BACK
    assert error(second) == ("UNDELETE_FAILED", "Entity is not in the recycle bin", [])
    assert deleted(api, "Account") == [(gone, None)]
    first, second = soap("undelete", xml(AllOrNoneHeader={"allOrNone": False}), ids=[gone, there])
    assert (first["success"], second["success"]) == ("true", "false")
    assert deleted(api, "Account") == []


def test_the_recycle_bin_is_emptied(soap: SoapApi, api: Api) -> None:
    gone, there = (api.create("Account", Name=name) for name in ("Gone", "There"))
    assert api("DELETE", f"sobjects/Account/{gone}").status_code == 204
    # The call has no header that makes it all or none.
    first, second = soap("emptyRecycleBin", ALL_OR_NONE, ids=[gone, there])
    assert first == {"id": gone, "success": "true"}
    assert error(second)[0] == "INVALID_CROSS_REFERENCE_KEY"
    assert deleted(api, "Account") == []
    (again,) = soap("undelete", ids=gone)
    assert error(again)[0] == "UNDELETE_FAILED"


@pytest.mark.parametrize("name", ["create", "delete", "emptyRecycleBin", "merge", "undelete", "update"])
def test_numbers_of_records(soap: SoapApi, name: str) -> None:
    assert soap.fault(name).code == "sf:MISSING_ARGUMENT"
    record_id = "001000000000001"
    merge = {"masterRecord": {"type": "Account", "Id": record_id}, "recordToMergeIds": record_id}
    of_records = {"sObjects": [account("Acme")] * 201}
    members = {"create": of_records, "update": of_records, "merge": {"request": [merge] * 201}}.get(
        name, {"ids": [record_id] * 201}
    )
    assert soap.fault(name, **members) == Fault(
        500,
        "sf:EXCEEDED_ID_LIMIT",
        "record limit reached. cannot submit more than 200 records into this call",
        "UnexpectedErrorFault",
    )


def test_ids_that_are_none(soap: SoapApi) -> None:
    assert soap.fault("undelete", ids=["nothing"]) == Fault(
        500, "sf:MALFORMED_ID", "bad id nothing", "UnexpectedErrorFault"
    )
    (result,) = soap("undelete", ids="zzz000000000001")
    assert error(result)[0] == "MALFORMED_ID"
    assert fault(soap.post(soap.envelope("undelete", id="001000000000001"))).code == "soapenv:Client"
