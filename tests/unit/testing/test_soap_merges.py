"""Merging by SOAP."""

from typing import Any

import pytest
from local_api import Api
from soap_api import XSI, Fault, SoapApi, error, xml
from soap_rows import deleted, get, missing, query_all


def merge(soap: SoapApi, sobject: str, master_id: str, *merged_ids: str, **fields: Any) -> dict[str, Any]:
    """Merge records, with or without success; ``fields`` are set on the one that stays."""
    master = {"type": sobject, "Id": master_id, **fields}
    (result,) = soap("merge", request=[{"masterRecord": master, "recordToMergeIds": list(merged_ids)}])
    return result


def merged(soap: SoapApi, sobject: str, master_id: str, *merged_ids: str, **fields: Any) -> set[str]:
    """Merge records, and return the ids of those that have moved."""
    result = merge(soap, sobject, master_id, *merged_ids, **fields)
    assert result["success"] == "true", result
    assert (result["id"], result["mergedRecordIds"]) == (master_id, list(merged_ids))
    return set(result.get("updatedRelatedIds", []))


def test_accounts_are_merged(soap: SoapApi, api: Api) -> None:
    master, first, second = (api.create("Account", Name=name, Phone=phone) for name, phone in ("M1", "A2", "B3"))
    contact_id = api.create("Contact", LastName="Curie", AccountId=first)
    opportunity_id = api.create(
        "Opportunity", Name="Deal", StageName="Closed Won", CloseDate="2027-01-01", AccountId=second
    )
    case_id = api.create("Case", AccountId=first, Subject="A case holds its account")
    task_id = api.create("Task", Subject="Call", WhatId=second)
    child_id = api.create("Account", Name="Child", ParentId=first)
    kept = api.create("Contact", LastName="Kept", AccountId=master)

    moved = merged(soap, "Account", master, first, second, Name="<New> & co", fieldsToNull=["Phone"])
    assert moved == {contact_id, opportunity_id, case_id, task_id, child_id}
    account = get(api, "Account", master)
    assert (account["Name"], account["Phone"], account["IsDeleted"]) == ("<New> & co", None, False)
    for sobject, record_id, field in (
        ("Contact", contact_id, "AccountId"),
        ("Contact", kept, "AccountId"),
        ("Opportunity", opportunity_id, "AccountId"),
        ("Case", case_id, "AccountId"),
        ("Task", task_id, "WhatId"),
        ("Task", task_id, "AccountId"),
        ("Account", child_id, "ParentId"),
    ):
        assert get(api, sobject, record_id)[field] == master
    assert deleted(api, "Account") == [(first, master), (second, master)]


def test_values_of_those_that_go_are_not_taken(soap: SoapApi, api: Api) -> None:
    master = api.create("Contact", LastName="Kept")
    other = api.create("Contact", LastName="Gone", Email="gone@local-org.example")
    merged(soap, "Contact", master, other)
    contact = get(api, "Contact", master)
    assert (contact["LastName"], contact["Email"]) == ("Kept", None)


def test_leads_are_merged_with_their_campaigns(soap: SoapApi, api: Api) -> None:
    master, other = (api.create("Lead", LastName=name, Company=name) for name in ("Kept", "Gone"))
    both, one = (api.create("Campaign", Name=name) for name in ("Both", "One"))
    for campaign, lead in ((both, master), (both, other), (one, other)):
        api.create("CampaignMember", CampaignId=campaign, LeadId=lead)
    merged(soap, "Lead", master, other)
    members = query_all(api, "SELECT CampaignId, LeadId, Name FROM CampaignMember WHERE IsDeleted = false ORDER BY Id")
    assert members == [
        {"CampaignId": both, "LeadId": master, "Name": "Kept"},
        {"CampaignId": one, "LeadId": master, "Name": "Kept"},
    ]
    assert [get(api, "Campaign", campaign)["NumberOfLeads"] for campaign in (both, one)] == [1, 1]


def test_cases_and_contacts(soap: SoapApi, api: Api) -> None:
    manager = api.create("Contact", LastName="Manager")
    master, other = (
        api.create("Contact", LastName="Kept"),
        api.create("Contact", LastName="Gone", ReportsToId=manager),
    )
    first, second = (api.create("Case", Subject=name, ContactId=other) for name in ("First", "Second"))
    assert merged(soap, "Contact", master, other) == {first, second}
    assert get(api, "Contact", master)["ReportsToId"] == manager
    merged(soap, "Case", first, second)
    assert get(api, "Case", first)["ContactId"] == master
    assert deleted(api, "Case") == [(second, first)]


def test_a_record_of_the_enterprise_api(soap: SoapApi, api: Api) -> None:
    soap.flavor = "enterprise"
    master, other = (api.create("Account", Name=name) for name in ("Kept", "Gone"))
    body = xml(request={"masterRecord": {"Id": master, "Name": "New"}, "recordToMergeIds": other})
    typed = body.replace("<u:masterRecord>", f'<u:masterRecord xmlns:x="{XSI}" x:type="ens:Account">')
    response = soap.post(soap.envelope("merge").replace("<u:merge></u:merge>", f"<u:merge>{typed}</u:merge>"))
    assert response.status_code == 200, response.text
    assert b"<success>true</success>" in response.content
    assert get(api, "Account", master)["Name"] == "New"


def test_each_merge_is_a_transaction(soap: SoapApi, api: Api) -> None:
    a, b, c = (api.create("Account", Name=name) for name in "ABC")
    contact_id = api.create("Contact", LastName="Curie", AccountId=c)
    requests = [
        {"masterRecord": {"type": "Account", "Id": a}, "recordToMergeIds": [b]},
        {"masterRecord": {"type": "Account", "Id": a, "Name": "x" * 300}, "recordToMergeIds": [c]},
        {"masterRecord": {"type": "Account", "Id": a}, "recordToMergeIds": [b]},
    ]
    first, second, third = soap("merge", request=requests)
    assert first["success"] == "true"
    assert error(second)[0] == "STRING_TOO_LONG"
    assert second["id"] == a
    assert error(third) == ("ENTITY_IS_DELETED", "entity is deleted", [])
    assert get(api, "Contact", contact_id)["AccountId"] == c
    assert deleted(api, "Account") == [(b, a)]


def test_merges_that_are_refused(soap: SoapApi, api: Api) -> None:
    a, b, c, d = (api.create("Account", Name=name) for name in "ABCD")
    contact_id = api.create("Contact", LastName="Curie")
    assert error(merge(soap, "Account", a, b, c, d))[0] == "MERGE_FAILED"
    assert error(merge(soap, "Account", a, a))[0] == "MERGE_FAILED"
    assert error(merge(soap, "Account", a, contact_id))[0] == "MALFORMED_ID"
    assert error(merge(soap, "Account", contact_id, a))[0] == "MALFORMED_ID"
    crossed = ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
    assert error(merge(soap, "Account", a, missing(b))) == crossed
    assert error(merge(soap, "Account", a, b, Nothing__c="x"))[0] == "INVALID_FIELD"
    (result,) = soap("merge", request={"masterRecord": {"type": "Account"}, "recordToMergeIds": a})
    assert error(result)[0] == "MISSING_ARGUMENT"
    soap.org.faults.lock_rows(b)
    assert error(merge(soap, "Account", a, b))[0] == "UNABLE_TO_LOCK_ROW"
    assert deleted(api, "Account") == []


@pytest.mark.parametrize(("sobject", "field"), [("Account", "ParentId"), ("Contact", "ReportsToId")])
def test_no_record_becomes_its_own_parent(soap: SoapApi, api: Api, sobject: str, field: str) -> None:
    name = "Name" if sobject == "Account" else "LastName"
    above = api.create(sobject, **{name: "Above"})
    below = api.create(sobject, **{name: "Below", field: above})
    assert error(merge(soap, sobject, below, above))[0] == "CIRCULAR_DEPENDENCY"
    assert get(api, sobject, below)[field] == above
    if sobject == "Account":
        merged(soap, sobject, above, below)
    else:
        # The one that stays would take the other's manager, who is itself.
        assert error(merge(soap, sobject, above, below))[0] == "CIRCULAR_DEPENDENCY"


def test_converted_leads_are_not_merged(soap: SoapApi, api: Api) -> None:
    master, other = (api.create("Lead", LastName=name, Company=name) for name in "AB")
    soap("convertLead", leadConverts={"convertedStatus": "Closed - Converted", "leadId": other})
    assert error(merge(soap, "Lead", master, other))[0] == "CANNOT_UPDATE_CONVERTED_LEAD"
    assert error(merge(soap, "Lead", other, master))[0] == "CANNOT_UPDATE_CONVERTED_LEAD"


@pytest.mark.parametrize(
    ("request_", "refused"),
    [
        (
            {"masterRecord": {"type": "Opportunity", "Id": "006000000000001"}},
            Fault(500, "sf:INVALID_TYPE_FOR_OPERATION", "entity type does not support merge", "UnexpectedErrorFault"),
        ),
        (
            {"masterRecord": {"type": "Nothing", "Id": "001000000000001"}},
            Fault(500, "sf:INVALID_TYPE", "sObject type 'Nothing' is not supported.", "InvalidSObjectFault"),
        ),
        (
            {"masterRecord": {"type": "Account", "Id": "1"}},
            Fault(500, "sf:MALFORMED_ID", "bad id 1", "InvalidIdFault"),
        ),
        (
            {"masterRecord": {"type": "Account"}, "recordToMergeIds": ["001000000000001", ""]},
            Fault(500, "sf:MALFORMED_ID", "bad id ", "InvalidIdFault"),
        ),
        (
            {"recordToMergeIds": "001000000000001"},
            Fault(500, "sf:MISSING_ARGUMENT", "masterRecord not specified in a merge call", "UnexpectedErrorFault"),
        ),
    ],
)
def test_merges_of_nothing(soap: SoapApi, request_: dict[str, Any], refused: Fault) -> None:
    assert soap.fault("merge", request=request_) == refused


def test_what_was_merged_comes_back_as_itself(soap: SoapApi, api: Api) -> None:
    master, other = (api.create("Account", Name=name) for name in ("Kept", "Gone"))
    contact_id = api.create("Contact", LastName="Curie", AccountId=other)
    merged(soap, "Account", master, other)
    assert soap("undelete", ids=other) == [{"id": other, "success": "true"}]
    assert get(api, "Account", other)["MasterRecordId"] is None
    # What has got another parent keeps it.
    assert get(api, "Contact", contact_id)["AccountId"] == master
