"""Conversion of leads."""

from datetime import date, datetime
from typing import Any

import pytest
from local_api import Api
from soap_api import Fault, SoapApi, error, xml

from sfconnector.testing._conversion import end_of_quarter

STATUS = "Closed - Converted"
LEAD = {
    "FirstName": "Marie",
    "LastName": "Curie",
    "Salutation": "Ms.",
    "Title": "Professor",
    "Company": "Radium <&> Söhne ]]>",
    "Email": "marie@radium.example",
    "Phone": "+33 1",
    "MobilePhone": "+33 2",
    "Fax": "+33 3",
    "Website": "https://radium.example",
    "Industry": "Energy",
    "Rating": "Hot",
    "LeadSource": "Web",
    "Description": "found two elements",
    "AnnualRevenue": 1250.5,
    "NumberOfEmployees": 2,
    "Street": "1 rue Pierre",
    "City": "Paris",
    "State": "Île-de-France",
    "PostalCode": "75005",
    "Country": "France",
}


def lead(api: Api, **values: Any) -> str:
    return api.create("Lead", **{"LastName": "Curie", "Company": "Radium", **values})


def convert(soap: SoapApi, lead_id: str, *, headers: str = "", **members: Any) -> dict[str, Any]:
    """Convert one lead, with or without success."""
    wanted = {"convertedStatus": STATUS, "leadId": lead_id, **members}
    (result,) = soap("convertLead", headers, leadConverts=[wanted])
    return result


def converted(soap: SoapApi, lead_id: str, *, headers: str = "", **members: Any) -> dict[str, Any]:
    result = convert(soap, lead_id, headers=headers, **members)
    assert result["success"] == "true", result
    assert result["leadId"] == lead_id
    return result


def get(api: Api, sobject: str, record_id: str) -> dict[str, Any]:
    response = api("GET", f"sobjects/{sobject}/{record_id}")
    assert response.status_code == 200, response.text
    return dict(response.json())


def query(api: Api, soql: str) -> list[dict[str, Any]]:
    response = api("GET", "query", params={"q": soql})
    assert response.status_code == 200, response.text
    records = response.json()["records"]
    return [{name: value for name, value in record.items() if name != "attributes"} for record in records]


def picked(record: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: record[name] for name in names}


def test_statuses_of_leads(api: Api) -> None:
    assert query(
        api, "SELECT MasterLabel, ApiName, IsDefault, IsConverted FROM LeadStatus WHERE IsConverted = true"
    ) == [{"MasterLabel": STATUS, "ApiName": STATUS, "IsDefault": False, "IsConverted": True}]


@pytest.mark.parametrize("flavor", ["partner", "enterprise"])
def test_a_lead_becomes_three_records(soap: SoapApi, api: Api, flavor: str) -> None:
    soap.flavor = flavor
    soap.org.clock.freeze(datetime.fromisoformat("2027-05-20T03:00:00+00:00"))
    soap.token = soap.org.access_token()
    api.http.headers["Authorization"] = f"Bearer {soap.token}"
    lead_id = lead(api, **LEAD)
    result = converted(soap, lead_id)

    account = get(api, "Account", result["accountId"])
    same = ("Phone", "Fax", "Website", "Industry", "Rating", "AnnualRevenue", "NumberOfEmployees")
    assert picked(account, *same) == picked(LEAD, *same)
    assert (account["Name"], account["AccountSource"]) == (LEAD["Company"], "Web")
    assert account["Description"] is None
    contact = get(api, "Contact", result["contactId"])
    same = ("FirstName", "LastName", "Salutation", "Title", "Email", "Phone", "MobilePhone", "Fax", "LeadSource")
    assert picked(contact, *same, "Description") == picked(LEAD, *same, "Description")
    assert contact["AccountId"] == result["accountId"]
    for part in ("Street", "City", "State", "PostalCode", "Country"):
        assert account[f"Billing{part}"] == contact[f"Mailing{part}"] == LEAD[part]
    opportunity = get(api, "Opportunity", result["opportunityId"])
    assert picked(opportunity, "Name", "AccountId", "LeadSource", "StageName", "Probability", "CloseDate") == {
        "Name": LEAD["Company"],
        "AccountId": result["accountId"],
        "LeadSource": "Web",
        "StageName": "Prospecting",
        "Probability": 10.0,
        "CloseDate": "2027-06-30",
    }
    assert query(api, "SELECT OpportunityId, ContactId, IsPrimary FROM OpportunityContactRole") == [
        {"OpportunityId": result["opportunityId"], "ContactId": result["contactId"], "IsPrimary": True}
    ]
    assert {record["OwnerId"] for record in (account, contact, opportunity)} == {soap.org.user_id}
    assert picked(
        get(api, "Lead", lead_id),
        "IsConverted",
        "ConvertedDate",
        "ConvertedAccountId",
        "ConvertedContactId",
        "ConvertedOpportunityId",
        "Status",
    ) == {
        "IsConverted": True,
        # It is still the day before where the user is.
        "ConvertedDate": "2027-05-19",
        "ConvertedAccountId": result["accountId"],
        "ConvertedContactId": result["contactId"],
        "ConvertedOpportunityId": result["opportunityId"],
        "Status": STATUS,
    }
    assert soap.org.outbox.emails == []


@pytest.mark.parametrize(
    ("start", "today", "end"),
    [
        (1, "2027-01-31", "2027-03-31"),
        (1, "2027-12-31", "2027-12-31"),
        (2, "2027-12-05", "2028-01-31"),
        (12, "2028-01-10", "2028-02-29"),
        (3, "2027-11-30", "2027-11-30"),
        (4, "2027-04-02", "2027-06-30"),
    ],
)
def test_an_opportunity_closes_with_the_fiscal_quarter(start: int, today: str, end: str) -> None:
    assert end_of_quarter(date.fromisoformat(today), start).isoformat() == end


def test_no_opportunity(soap: SoapApi, api: Api) -> None:
    lead_id = lead(api)
    result = converted(soap, lead_id, doNotCreateOpportunity=True)
    assert result["opportunityId"] is None
    assert get(api, "Lead", lead_id)["ConvertedOpportunityId"] is None
    assert query(api, "SELECT Id FROM Opportunity") == []


def test_an_opportunity_is_named(soap: SoapApi, api: Api) -> None:
    result = converted(soap, lead(api), opportunityName="Two <grams> & more")
    assert get(api, "Opportunity", result["opportunityId"])["Name"] == "Two <grams> & more"


def test_existing_records_keep_what_they_have(soap: SoapApi, api: Api) -> None:
    account_id = api.create("Account", Name="Kept", Phone="0", BillingCity="Lyon")
    contact_id = api.create("Contact", LastName="Kept", AccountId=account_id, LeadSource="Other")
    opportunity_id = api.create("Opportunity", Name="Kept", StageName="Closed Won", CloseDate="2026-01-31")
    result = converted(
        soap, lead(api, **LEAD), accountId=account_id, contactId=contact_id, opportunityId=opportunity_id
    )
    assert (result["accountId"], result["contactId"], result["opportunityId"]) == (
        account_id,
        contact_id,
        opportunity_id,
    )
    account = get(api, "Account", account_id)
    assert picked(account, "Name", "Phone", "BillingCity", "BillingStreet", "Industry") == {
        "Name": "Kept",
        "Phone": "0",
        "BillingCity": "Lyon",
        "BillingStreet": "1 rue Pierre",
        "Industry": "Energy",
    }
    contact = get(api, "Contact", contact_id)
    assert picked(contact, "LastName", "FirstName", "LeadSource", "Email") == {
        "LastName": "Kept",
        "FirstName": "Marie",
        "LeadSource": "Other",
        "Email": "marie@radium.example",
    }
    opportunity = get(api, "Opportunity", opportunity_id)
    assert picked(opportunity, "Name", "StageName", "CloseDate", "AccountId", "LeadSource", "ContactId") == {
        "Name": "Kept",
        "StageName": "Closed Won",
        "CloseDate": "2026-01-31",
        "AccountId": account_id,
        "LeadSource": "Web",
        "ContactId": contact_id,
    }


def test_the_lead_source_of_a_contact_is_overwritten(soap: SoapApi, api: Api) -> None:
    account_id = api.create("Account", Name="Kept")
    contact_id = api.create("Contact", LastName="Kept", AccountId=account_id, LeadSource="Other", Phone="0")
    converted(soap, lead(api, **LEAD), accountId=account_id, contactId=contact_id, overwriteLeadSource=True)
    assert picked(get(api, "Contact", contact_id), "LeadSource", "Phone") == {"LeadSource": "Web", "Phone": "0"}


def test_an_existing_account_gets_a_contact(soap: SoapApi, api: Api) -> None:
    account_id = api.create("Account", Name="Kept")
    result = converted(soap, lead(api), accountId=account_id[:15])
    assert result["accountId"] == account_id
    assert get(api, "Contact", result["contactId"])["AccountId"] == account_id


def test_records_say_more_than_the_lead(soap: SoapApi, api: Api) -> None:
    records = {
        "accountRecord": {"type": "Account", "fieldsToNull": ["Phone"], "Name": "Mine", "AnnualRevenue": "7.5"},
        "contactRecord": {"type": "Contact", "Birthdate": "1867-11-07"},
        "opportunityRecord": {"type": "Opportunity", "StageName": "Qualification", "Amount": "100"},
    }
    result = converted(soap, lead(api, **LEAD), **records)
    account = get(api, "Account", result["accountId"])
    assert (account["Name"], account["AnnualRevenue"], account["Phone"]) == ("Mine", 7.5, None)
    assert get(api, "Contact", result["contactId"])["Birthdate"] == "1867-11-07"
    opportunity = get(api, "Opportunity", result["opportunityId"])
    assert (opportunity["StageName"], opportunity["Amount"]) == ("Qualification", 100.0)


def test_records_name_the_ones_that_are_there(soap: SoapApi, api: Api) -> None:
    account_id = api.create("Account", Name="Kept", Industry="Banking")
    result = converted(soap, lead(api), accountRecord={"type": "Account", "Id": account_id, "Industry": "Energy"})
    assert result["accountId"] == account_id
    assert get(api, "Account", account_id)["Industry"] == "Energy"


def test_a_new_owner_is_told(soap: SoapApi, api: Api) -> None:
    owner_id = user(api, "new@local-org.example")
    result = converted(soap, lead(api), ownerId=owner_id, sendNotificationEmail=True)
    for name in ("account", "contact", "opportunity"):
        assert get(api, name.title(), result[f"{name}Id"])["OwnerId"] == owner_id
    (email,) = soap.org.outbox.emails
    assert email.to == ("new@local-org.example",)
    assert email.values["lead_id"] == result["leadId"]


def user(api: Api, username: str, **more: Any) -> str:
    (profile,) = query(api, "SELECT Id FROM Profile WHERE Name = 'Standard User'")
    values = {
        "Username": username,
        "Email": username,
        "LastName": "Owner",
        "Alias": "owner",
        "CommunityNickname": username.partition("@")[0],
        "ProfileId": profile["Id"],
        "TimeZoneSidKey": "GMT",
        "LocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "IsActive": True,
        **more,
    }
    return api.create("User", **values)


def test_activities_members_and_notes_move(soap: SoapApi, api: Api) -> None:
    lead_id = lead(api)
    task_id = api.create("Task", Subject="Call", WhoId=lead_id)
    event_id = api.create(
        "Event", Subject="Meet", WhoId=lead_id, DurationInMinutes=30, ActivityDateTime="2027-01-05T10:00:00Z"
    )
    note_id = api.create("Note", Title="Note", ParentId=lead_id)
    older, newer = api.create("Campaign", Name="Older"), api.create("Campaign", Name="Newer")
    members = [api.create("CampaignMember", CampaignId=campaign, LeadId=lead_id) for campaign in (older, newer)]
    owner_id = user(api, "owner@local-org.example")
    result = converted(soap, lead_id, ownerId=owner_id)

    for name, record_id in (("Task", task_id), ("Event", event_id)):
        activity = get(api, name, record_id)
        assert picked(activity, "WhoId", "WhatId", "AccountId", "OwnerId") == {
            "WhoId": result["contactId"],
            "WhatId": result["opportunityId"],
            "AccountId": result["accountId"],
            "OwnerId": owner_id,
        }
    assert get(api, "Note", note_id)["ParentId"] == result["contactId"]
    for member_id in members:
        member = get(api, "CampaignMember", member_id)
        assert picked(member, "LeadId", "ContactId", "LeadOrContactId", "Type", "CompanyOrAccount") == {
            "LeadId": lead_id,
            "ContactId": result["contactId"],
            "LeadOrContactId": result["contactId"],
            "Type": "Contact",
            "CompanyOrAccount": "Radium",
        }
    campaign = get(api, "Campaign", newer)
    assert picked(campaign, "NumberOfLeads", "NumberOfConvertedLeads", "NumberOfContacts", "NumberOfOpportunities") == {
        "NumberOfLeads": 1,
        "NumberOfConvertedLeads": 1,
        "NumberOfContacts": 1,
        "NumberOfOpportunities": 1,
    }
    assert get(api, "Opportunity", result["opportunityId"])["CampaignId"] == newer


def test_a_contact_that_is_a_member_stays_one(soap: SoapApi, api: Api) -> None:
    account_id = api.create("Account", Name="Kept")
    contact_id = api.create("Contact", LastName="Kept", AccountId=account_id)
    lead_id, campaign_id = lead(api), api.create("Campaign", Name="One")
    api.create("CampaignMember", CampaignId=campaign_id, LeadId=lead_id)
    api.create("CampaignMember", CampaignId=campaign_id, ContactId=contact_id)
    converted(soap, lead_id, accountId=account_id, contactId=contact_id)
    members = query(api, "SELECT LeadId, ContactId FROM CampaignMember ORDER BY Id")
    assert members == [{"LeadId": lead_id, "ContactId": None}, {"LeadId": None, "ContactId": contact_id}]


def test_closed_tasks_keep_their_owner(soap: SoapApi, api: Api) -> None:
    lead_id = lead(api)
    task_id = api.create("Task", Subject="Call", WhoId=lead_id, Status="Completed")
    result = converted(soap, lead_id, doNotCreateOpportunity=True, ownerId=user(api, "owner@local-org.example"))
    task = get(api, "Task", task_id)
    assert (task["OwnerId"], task["WhatId"]) == (soap.org.user_id, result["accountId"])


def test_converted_leads_are_read_only(soap: SoapApi, api: Api) -> None:
    lead_id = lead(api)
    converted(soap, lead_id)
    response = api("PATCH", f"sobjects/Lead/{lead_id}", json={"Title": "Dr."})
    assert response.json()[0]["errorCode"] == "CANNOT_UPDATE_CONVERTED_LEAD"
    assert error(convert(soap, lead_id)) == ("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", [])


def test_refusals(soap: SoapApi, api: Api) -> None:
    lead_id, other = lead(api), api.create("Account", Name="Other")
    account_id = api.create("Account", Name="Kept")
    contact_id = api.create("Contact", LastName="Kept", AccountId=account_id)
    gone, missing = lead(api), lead_id[:8] + "9999999"
    assert api("DELETE", f"sobjects/Lead/{gone}").status_code == 204
    opportunity_id = api.create(
        "Opportunity", Name="Other's", StageName="Prospecting", CloseDate="2027-01-01", AccountId=other
    )
    crossed = ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
    status = ("INVALID_STATUS", "invalid convertedStatus: Open - Not Contacted", ["Status"])
    assert error(convert(soap, lead_id, convertedStatus="Open - Not Contacted")) == status
    assert error(convert(soap, lead_id, convertedStatus="Nonsense")) == (
        "INVALID_STATUS",
        "invalid convertedStatus: Nonsense",
        ["Status"],
    )
    assert error(convert(soap, gone)) == ("ENTITY_IS_DELETED", "entity is deleted", [])
    assert error(convert(soap, missing)) == crossed
    assert error(convert(soap, account_id))[0] == "MALFORMED_ID"
    assert error(convert(soap, lead_id, accountId=contact_id))[0] == "MALFORMED_ID"
    assert error(convert(soap, lead_id, accountId=other, contactId=contact_id)) == crossed
    assert error(convert(soap, lead_id, accountId=account_id, opportunityId=opportunity_id)) == crossed
    combination = "One or more leads couldn't be converted. "
    for members, reason in (
        ({"contactId": contact_id}, "If contactId is specified, accountId must be specified."),
        (
            {"doNotCreateOpportunity": True, "opportunityName": "Name"},
            "If doNotCreateOpportunity is true, opportunityName and opportunityId must be null.",
        ),
        (
            {"opportunityId": opportunity_id, "opportunityName": "Name"},
            "If opportunityId is specified, opportunityName must be null.",
        ),
    ):
        assert error(convert(soap, lead_id, **members)) == ("INVALID_FIELD", combination + reason, ["Id"])
    for owner_id, code in (
        (user(api, "inactive@local-org.example", IsActive=False), "INACTIVE_OWNER_OR_USER"),
        (soap.org.user_id[:8] + "9999999", "INVALID_CROSS_REFERENCE_KEY"),
        (account_id, "UNKNOWN_EXCEPTION"),
    ):
        assert error(convert(soap, lead_id, ownerId=owner_id))[0] == code
    person = {"type": "Account", "LastName": "Curie"}
    assert error(convert(soap, lead_id, relatedPersonAccountRecord=person))[0] == "INVALID_PERSON_ACCOUNT_OPERATION"
    assert error(convert(soap, lead_id, relatedPersonAccountId=other))[0] == "INVALID_PERSON_ACCOUNT_OPERATION"
    # Nothing of all that has left a trace.
    assert len(query(api, "SELECT Id FROM Account")) == 2
    assert get(api, "Lead", lead_id)["IsConverted"] is False


def test_a_lead_of_a_queue_needs_an_owner(soap: SoapApi, api: Api) -> None:
    queue_id = api.create("Group", Name="Leads", DeveloperName="Leads", Type="Queue")
    api.create("QueueSobject", QueueId=queue_id, SobjectType="Lead")
    lead_id = lead(api, OwnerId=queue_id)
    code, message, _ = error(convert(soap, lead_id))
    assert (code, message[:46]) == ("UNKNOWN_EXCEPTION", "Converted objects can only be owned by users. ")
    converted(soap, lead_id, ownerId=soap.org.user_id)


def test_long_texts(soap: SoapApi, api: Api) -> None:
    lead_id = lead(api, Company="x" * 130)
    code, _, fields = error(convert(soap, lead_id))
    assert (code, fields) == ("STRING_TOO_LONG", ["Name"])
    assert query(api, "SELECT Id FROM Account") == []
    headers = xml(AllowFieldTruncationHeader={"allowFieldTruncation": True})
    result = converted(soap, lead_id, headers=headers)
    assert get(api, "Opportunity", result["opportunityId"])["Name"] == "x" * 120


def test_each_lead_has_its_own_result(soap: SoapApi, api: Api) -> None:
    ids = [lead(api, LastName=f"L{n}") for n in range(6)]
    soap.org.faults.lock_rows(ids[4])
    asked = [{"convertedStatus": "Nonsense" if n == 2 else STATUS, "leadId": lead_id} for n, lead_id in enumerate(ids)]
    results = soap("convertLead", leadConverts=[*asked, asked[0]])
    assert [result["success"] for result in results] == ["true", "true", "false", "true", "false", "true", "false"]
    assert [result["leadId"] for result in results] == [*ids, ids[0]]
    codes = [error(result)[0] for result in results if result["success"] == "false"]
    assert codes == ["INVALID_STATUS", "UNABLE_TO_LOCK_ROW", "CANNOT_UPDATE_CONVERTED_LEAD"]
    assert [result["accountId"] for result in results if result["success"] == "false"] == [None] * 3
    left = query(api, "SELECT Id FROM Lead WHERE IsConverted = false ORDER BY Id")
    assert [record["Id"] for record in left] == [ids[2], ids[4]]


def test_the_most_leads_of_one_call(soap: SoapApi, api: Api) -> None:
    lead_id = lead(api)
    one = {"convertedStatus": STATUS, "leadId": lead_id}
    results = soap("convertLead", leadConverts=[one] * 100)
    assert [result["success"] for result in results] == ["true"] + ["false"] * 99
    refused = soap.fault("convertLead", leadConverts=[one] * 101)
    assert (refused.code, refused.kind) == ("sf:EXCEEDED_LEAD_CONVERT_LIMIT", "UnexpectedErrorFault")
    assert soap("convertLead") == []


@pytest.mark.parametrize(
    ("members", "refused"),
    [
        ({"leadId": "undefined"}, Fault(500, "sf:MALFORMED_ID", "bad id undefined", "UnexpectedErrorFault")),
        ({"accountId": ""}, Fault(500, "sf:MALFORMED_ID", "bad id ", "UnexpectedErrorFault")),
        ({"leadId": None}, Fault(500, "soapenv:Client", "Required field leadId is missing")),
        ({"convertedStatus": None}, Fault(500, "soapenv:Client", "Required field convertedStatus is missing")),
        (
            {"doNotCreateOpportunity": "maybe"},
            Fault(500, "soapenv:Client", "'maybe' is not a valid value for the type xsd:boolean"),
        ),
        (
            {"bypassContactDedupeCheck": "no"},
            Fault(500, "soapenv:Client", "'no' is not a valid value for the type xsd:boolean"),
        ),
        (
            {"closeDate": "2027-01-01"},
            Fault(500, "soapenv:Client", "Element {urn:partner.soap.sforce.com}closeDate invalid at this location"),
        ),
        (
            {"accountRecord": {"type": "Account", "AnnualRevenue": "much"}},
            Fault(500, "soapenv:Client", "'much' is not a valid value for the type xsd:double"),
        ),
        (
            {"accountRecord": {"type": "Contact"}},
            Fault(500, "sf:INVALID_TYPE", "accountRecord must be of type Account, not Contact", "UnexpectedErrorFault"),
        ),
        (
            {"accountRecord": {"type": "Nothing__c"}},
            Fault(500, "sf:INVALID_TYPE", "sObject type 'Nothing__c' is not supported.", "InvalidSObjectFault"),
        ),
        (
            {"accountRecord": {"Name": "No type"}},
            Fault(
                500,
                "soapenv:Client",
                "Missing entity type information. sObject requires a separate 'type' field be sent.",
            ),
        ),
    ],
)
def test_what_is_no_request_converts_nothing(soap: SoapApi, api: Api, members: dict[str, Any], refused: Fault) -> None:
    lead_id = lead(api)
    good = {"convertedStatus": STATUS, "leadId": lead_id}
    assert soap.fault("convertLead", leadConverts=[good, good | members]) == refused
    assert get(api, "Lead", lead_id)["IsConverted"] is False


def test_nil_and_the_bypass_of_checks(soap: SoapApi, api: Api) -> None:
    optional = ("accountId", "accountRecord", "contactId", "contactRecord", "opportunityId", "opportunityName")
    more = ("opportunityRecord", "ownerId", "relatedPersonAccountId", "relatedPersonAccountRecord")
    nothing = dict.fromkeys((*optional, *more))
    converted(soap, lead(api), bypassAccountDedupeCheck=1, bypassContactDedupeCheck=True, **nothing)


def test_versions_before_person_accounts(soap: SoapApi, api: Api) -> None:
    soap.version = "38.0"
    assert "relatedPersonAccountId" not in converted(soap, lead(api))
    soap.version = "68.0"
    assert converted(soap, lead(api))["relatedPersonAccountId"] is None
