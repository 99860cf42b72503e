"""Conversion of leads."""

from datetime import date, datetime

import pytest
from local_api import Api
from soap_api import SoapApi, error
from soap_leads import STATUS, convert, converted, lead, user
from soap_rows import get, picked, query

from sfconnector.testing._conversion import end_of_quarter

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
