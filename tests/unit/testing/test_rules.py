"""What standard objects do besides holding values: totals, prices, counters, statuses and times."""

from typing import Any

import pytest
from local_api import Api

DRAFT_ORDER = {"EffectiveDate": "2024-03-01", "Status": "Draft"}


def get(api: Api, sobject: str, record_id: str, *fields: str) -> dict[str, Any]:
    response = api("GET", f"sobjects/{sobject}/{record_id}", params={"fields": ",".join(fields)})
    assert response.status_code == 200, response.text
    return {name: response.json()[name] for name in fields}


def update(api: Api, sobject: str, record_id: str, **values: Any) -> None:
    response = api("PATCH", f"sobjects/{sobject}/{record_id}", json=values)
    assert response.status_code == 204, response.text


def refusal(response: Any) -> tuple[str, str, list[str]]:
    assert response.status_code == 400, response.text
    (error,) = response.json()
    return error["errorCode"], error["message"], error.get("fields", [])


def refused(api: Api, sobject: str, **values: Any) -> tuple[str, str, list[str]]:
    return refusal(api("POST", f"sobjects/{sobject}", json=values))


def query(api: Api, soql: str) -> list[dict[str, Any]]:
    response = api("GET", "query", params={"q": soql})
    assert response.status_code == 200, response.text
    return [{k: v for k, v in record.items() if k != "attributes"} for record in response.json()["records"]]


class Shop:
    """A product with a standard price, an opportunity and a custom price book."""

    def __init__(self, api: Api) -> None:
        (standard,) = query(api, "SELECT Id, IsActive FROM Pricebook2 WHERE IsStandard = true")
        self.standard = standard["Id"]
        self.product = api.create("Product2", Name="Bolt", ProductCode="B-1", IsActive=True)
        self.entry = self.price(api, self.standard, 10)
        self.custom = api.create("Pricebook2", Name="Partners", IsActive=True)
        self.opportunity = api.create(
            "Opportunity", Name="Big", StageName="Qualification", CloseDate="2024-05-01", Amount=7
        )

    def price(self, api: Api, book: str, price: float, **values: Any) -> str:
        values = {"IsActive": True, "Pricebook2Id": book, "Product2Id": self.product, "UnitPrice": price} | values
        return api.create("PricebookEntry", **values)

    def line(self, api: Api, **values: Any) -> str:
        given = {"OpportunityId": self.opportunity, "PricebookEntryId": self.entry, "Quantity": 2, **values}
        return api.create("OpportunityLineItem", **given)


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


def test_a_custom_price_needs_a_standard_one_first(api: Api, shop: Shop) -> None:
    other = api.create("Product2", Name="Nut")
    values = {"Pricebook2Id": shop.custom, "Product2Id": other, "UnitPrice": 1}
    code, message, _ = refused(api, "PricebookEntry", **values)
    assert (code, message) == ("STANDARD_PRICE_NOT_DEFINED", "No standard price defined for this product")
    api.create("PricebookEntry", **values | {"Pricebook2Id": shop.standard})
    entry = api.create("PricebookEntry", **values)
    assert get(api, "PricebookEntry", entry, "Name", "IsActive") == {"Name": "Nut", "IsActive": False}


def test_a_product_has_one_price_in_a_price_book(api: Api, shop: Shop) -> None:
    values = {"Pricebook2Id": shop.standard, "Product2Id": shop.product, "UnitPrice": 11}
    code, message, _ = refused(api, "PricebookEntry", **values)
    assert (code, message) == ("FIELD_INTEGRITY_EXCEPTION", "This price definition already exists in this price book")


def test_an_entry_may_follow_the_standard_price(api: Api, shop: Shop) -> None:
    entry = shop.price(api, shop.custom, 10, UseStandardPrice=True)
    update(api, "PricebookEntry", shop.entry, UnitPrice=12.5)
    assert get(api, "PricebookEntry", entry, "UnitPrice") == {"UnitPrice": 12.5}
    answer = api("PATCH", f"sobjects/PricebookEntry/{entry}", json={"UnitPrice": 1})
    assert refusal(answer)[:2] == ("FIELD_INTEGRITY_EXCEPTION", "field integrity exception")
    update(api, "PricebookEntry", entry, UseStandardPrice=False)
    update(api, "PricebookEntry", entry, UnitPrice=1)


def test_a_product_tells_its_name_to_prices_and_lines(api: Api, shop: Shop) -> None:
    line = shop.line(api, UnitPrice=1)
    assert get(api, "OpportunityLineItem", line, "Name", "ProductCode") == {"Name": "Big Bolt", "ProductCode": "B-1"}
    update(api, "Product2", shop.product, Name="Screw", ProductCode="S-1")
    assert get(api, "PricebookEntry", shop.entry, "Name", "ProductCode") == {"Name": "Screw", "ProductCode": "S-1"}
    update(api, "Opportunity", shop.opportunity, Name="Huge")
    assert get(api, "OpportunityLineItem", line, "Name", "ProductCode") == {"Name": "Huge Screw", "ProductCode": "S-1"}


def test_the_standard_price_book_stays(api: Api, shop: Shop) -> None:
    assert refusal(api("DELETE", f"sobjects/Pricebook2/{shop.standard}"))[0] == "DELETE_FAILED"
    assert api("DELETE", f"sobjects/Pricebook2/{shop.custom}").status_code == 204


@pytest.mark.parametrize(
    ("given", "unit", "total"),
    [
        ({"UnitPrice": 9}, 9.0, 18.0),
        ({"TotalPrice": 21}, 10.5, 21.0),
        ({"UnitPrice": 9, "Discount": 10}, 9.0, 16.2),
        ({"TotalPrice": 18, "Discount": 10}, 10.0, 18.0),
        ({"UnitPrice": 0.1, "Quantity": 3}, 0.1, 0.3),
    ],
)
def test_a_line_has_a_price_and_a_total(api: Api, shop: Shop, given: dict[str, Any], unit: float, total: float) -> None:
    line = shop.line(api, **given)
    found = get(api, "OpportunityLineItem", line, "UnitPrice", "TotalPrice", "ListPrice", "Product2Id")
    assert found == {"UnitPrice": unit, "TotalPrice": total, "ListPrice": 10.0, "Product2Id": shop.product}


@pytest.mark.parametrize(
    ("values", "code", "fields"),
    [
        ({}, "REQUIRED_FIELD_MISSING", ["TotalPrice"]),
        ({"UnitPrice": 1, "TotalPrice": 2}, "INVALID_FIELD", ["UnitPrice"]),
        ({"UnitPrice": 1, "PricebookEntryId": None}, "FIELD_INTEGRITY_EXCEPTION", ["PricebookEntryId", "unknown"]),
    ],
)
def test_a_line_that_does_not_say_enough(
    api: Api, shop: Shop, values: dict[str, Any], code: str, fields: list[str]
) -> None:
    given = {"OpportunityId": shop.opportunity, "PricebookEntryId": shop.entry, "Quantity": 1}
    answer = refused(api, "OpportunityLineItem", **given | values)
    assert (answer[0], answer[2]) == (code, fields)


def test_lines_make_the_amount_of_their_opportunity(api: Api, shop: Shop) -> None:
    fields = ("Amount", "TotalOpportunityQuantity", "HasOpportunityLineItem", "ExpectedRevenue", "Pricebook2Id")
    first, second = shop.line(api, UnitPrice=10), shop.line(api, UnitPrice=5, Quantity=1)
    assert list(get(api, "Opportunity", shop.opportunity, *fields).values()) == [25.0, 3.0, True, 2.5, shop.standard]
    update(api, "OpportunityLineItem", second, Quantity=3)
    # Whoever sets the amount is not refused and not heard.
    update(api, "Opportunity", shop.opportunity, Amount=1000, NextStep="Call")
    assert list(get(api, "Opportunity", shop.opportunity, *fields).values()) == [35.0, 5.0, True, 3.5, shop.standard]
    assert api("DELETE", f"sobjects/OpportunityLineItem/{first}").status_code == 204
    assert get(api, "Opportunity", shop.opportunity, "Amount") == {"Amount": 15.0}
    assert api("DELETE", f"sobjects/OpportunityLineItem/{second}").status_code == 204
    assert get(api, "Opportunity", shop.opportunity, "HasOpportunityLineItem") == {"HasOpportunityLineItem": False}
    update(api, "Opportunity", shop.opportunity, Amount=1)


def test_a_lines_price_follows_what_changes(api: Api, shop: Shop) -> None:
    line = shop.line(api, UnitPrice=10)
    update(api, "OpportunityLineItem", line, TotalPrice=30)
    assert get(api, "OpportunityLineItem", line, "UnitPrice") == {"UnitPrice": 15.0}
    answer = api("PATCH", f"sobjects/OpportunityLineItem/{line}", json={"UnitPrice": 1, "TotalPrice": 1})
    message = "Cannot change both 'UnitPrice' and 'TotalPrice' in update call"
    assert refusal(answer) == ("INVALID_FIELD", message, ["UnitPrice"])


def test_a_line_takes_its_price_from_the_opportunitys_price_book(api: Api, shop: Shop) -> None:
    entry = shop.price(api, shop.custom, 8)
    shop.line(api, UnitPrice=1)
    given = {"OpportunityId": shop.opportunity, "PricebookEntryId": entry, "Quantity": 1, "UnitPrice": 1}
    code, message, fields = refused(api, "OpportunityLineItem", **given)
    assert (code, fields) == ("FIELD_INTEGRITY_EXCEPTION", ["PricebookEntryId"])
    assert "pricebook entry is in a different pricebook than the one assigned to the opportunity" in message
    answer = api("PATCH", f"sobjects/Opportunity/{shop.opportunity}", json={"Pricebook2Id": shop.custom})
    assert refusal(answer)[0] == "FIELD_INTEGRITY_EXCEPTION"
    update(api, "PricebookEntry", shop.entry, IsActive=False)
    assert "inactive" in refused(api, "OpportunityLineItem", **given | {"PricebookEntryId": shop.entry})[1]


def test_a_price_in_use_stays(api: Api, shop: Shop) -> None:
    shop.line(api, UnitPrice=1)
    assert refusal(api("DELETE", f"sobjects/PricebookEntry/{shop.entry}"))[0] == "DELETE_FAILED"
    assert refusal(api("DELETE", f"sobjects/Product2/{shop.product}"))[0] == "DELETE_FAILED"


def test_an_order_is_activated_once_it_has_products(api: Api, shop: Shop) -> None:
    account = api.create("Account", Name="Acme")
    order = api.create("Order", AccountId=account, Pricebook2Id=shop.standard, **DRAFT_ORDER)
    answer = api("PATCH", f"sobjects/Order/{order}", json={"Status": "Activated"})
    assert refusal(answer)[:2] == ("FAILED_ACTIVATION", "An order must have at least one product.")
    item = {"OrderId": order, "PricebookEntryId": shop.entry, "Quantity": 4}
    assert refused(api, "OrderItem", **item)[0] == "REQUIRED_FIELD_MISSING"
    line = api.create("OrderItem", UnitPrice=2.5, **item)
    assert get(api, "OrderItem", line, "TotalPrice", "ListPrice") == {"TotalPrice": 10.0, "ListPrice": 10.0}
    update(api, "Order", order, Status="Activated")
    found = get(api, "Order", order, "TotalAmount", "StatusCode", "OrderNumber", "ActivatedById")
    assert found == {
        "TotalAmount": 10.0,
        "StatusCode": "Activated",
        "OrderNumber": "00000100",
        "ActivatedById": api.org.user_id,
    }
    locked = ("FIELD_INTEGRITY_EXCEPTION", "unable to modify activated order")
    for response in (
        api("POST", "sobjects/OrderItem", json={**item, "UnitPrice": 1}),
        api("PATCH", f"sobjects/OrderItem/{line}", json={"Quantity": 5}),
        api("PATCH", f"sobjects/Order/{order}", json={"Pricebook2Id": shop.custom}),
        api("DELETE", f"sobjects/OrderItem/{line}"),
        api("DELETE", f"sobjects/Order/{order}"),
    ):
        assert refusal(response)[:2] == locked
    update(api, "Order", order, Status="Draft", Description="again")
    assert get(api, "Order", order, "ActivatedDate") == {"ActivatedDate": None}
    assert api("DELETE", f"sobjects/Order/{order}").status_code == 204


def test_an_order_has_a_price_book_before_it_has_products(api: Api, shop: Shop) -> None:
    order = api.create("Order", AccountId=api.create("Account", Name="Acme"), **DRAFT_ORDER)
    values = {"OrderId": order, "PricebookEntryId": shop.entry, "Quantity": 1, "UnitPrice": 1}
    assert refused(api, "OrderItem", **values)[2] == ["PricebookEntryId"]


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2024-01-15", 12, "2025-01-14"),
        ("2024-03-01", 1, "2024-03-31"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-12-01", 1, "2024-12-31"),
    ],
)
def test_a_contract_ends_after_its_term(api: Api, start: str, months: int, end: str) -> None:
    contract = api.create(
        "Contract", AccountId=api.create("Account", Name="Acme"), StartDate=start, ContractTerm=months
    )
    found = get(api, "Contract", contract, "EndDate", "Status", "StatusCode", "ContractNumber")
    assert found == {"EndDate": end, "Status": "Draft", "StatusCode": "Draft", "ContractNumber": "00000100"}


def test_a_contract_begins_as_a_draft_and_comes_into_force(api: Api) -> None:
    account = api.create("Account", Name="Acme")
    reason = (
        "FAILED_ACTIVATION",
        "Choose a valid contract status and save your changes. Ask your admin for details.",
        ["Status"],
    )
    assert refused(api, "Contract", AccountId=account, Status="Activated") == reason
    contract = api.create("Contract", AccountId=account)
    update(api, "Contract", contract, Status="In Approval Process")
    assert get(api, "Contract", contract, "StatusCode") == {"StatusCode": "InApproval"}
    update(api, "Contract", contract, Status="Activated")
    assert get(api, "Contract", contract, "ActivatedById") == {"ActivatedById": api.org.user_id}
    assert refusal(api("PATCH", f"sobjects/Contract/{contract}", json={"Status": "Draft"})) == reason


def test_an_asset_belongs_to_someone(api: Api, shop: Shop) -> None:
    assert refused(api, "Asset", Name="Press")[1:] == (
        "Every asset needs an account, a contact, or both",
        ["AccountId", "ContactId"],
    )
    account = api.create("Account", Name="Acme")
    press = api.create("Asset", Name="Press", AccountId=account, Product2Id=shop.product)
    lamp = api.create("Asset", Name="Lamp", AccountId=account, ParentId=press)
    found = get(api, "Asset", lamp, "RootAssetId", "AssetLevel", "ProductCode")
    assert found == {"RootAssetId": press, "AssetLevel": 2, "ProductCode": None}
    assert get(api, "Asset", press, "ProductCode", "AssetLevel") == {"ProductCode": "B-1", "AssetLevel": 1}


def test_campaign_members_are_counted(api: Api) -> None:
    campaign = api.create("Campaign", Name="Fair")
    statuses = query(api, "SELECT Label, IsDefault, HasResponded FROM CampaignMemberStatus ORDER BY SortOrder")
    assert [tuple(status.values()) for status in statuses] == [("Sent", True, False), ("Responded", False, True)]
    lead = api.create("Lead", LastName="Curie", Company="Radium", City="Paris")
    contact = api.create("Contact", LastName="Bohr", AccountId=api.create("Account", Name="Atom"))
    member = api.create("CampaignMember", CampaignId=campaign, LeadId=lead)
    found = get(api, "CampaignMember", member, "Status", "HasResponded", "Name", "CompanyOrAccount", "City", "Type")
    assert list(found.values()) == ["Sent", False, "Curie", "Radium", "Paris", "Lead"]
    api.create("CampaignMember", CampaignId=campaign, ContactId=contact, Status="Responded")
    counters = ("NumberOfLeads", "NumberOfContacts", "NumberOfResponses", "NumberOfConvertedLeads")
    assert list(get(api, "Campaign", campaign, *counters).values()) == [1, 1, 1, 0]
    update(api, "CampaignMember", member, Status="Responded")
    assert get(api, "CampaignMember", member, "FirstRespondedDate")["FirstRespondedDate"] is not None
    update(api, "Lead", lead, LastName="Curie-Joliot")
    assert get(api, "CampaignMember", member, "Name", "LeadOrContactId") == {
        "Name": "Curie-Joliot",
        "LeadOrContactId": lead,
    }
    assert api("DELETE", f"sobjects/Contact/{contact}").status_code == 204
    assert list(get(api, "Campaign", campaign, *counters).values()) == [1, 0, 1, 0]


def test_a_converted_lead_counts_as_such(api: Api) -> None:
    campaign = api.create("Campaign", Name="Fair")
    api.create("CampaignMember", CampaignId=campaign, LeadId=api.create("Lead", LastName="A", Company="B"))
    converted = api.create("Lead", LastName="C", Company="D", IsConverted=True)
    api.create("CampaignMember", CampaignId=campaign, LeadId=converted)
    counters = get(api, "Campaign", campaign, "NumberOfLeads", "NumberOfConvertedLeads")
    assert counters == {"NumberOfLeads": 2, "NumberOfConvertedLeads": 1}


def test_a_campaign_member_is_one_person_once(api: Api) -> None:
    campaign = api.create("Campaign", Name="Fair")
    lead, contact = api.create("Lead", LastName="A", Company="B"), api.create("Contact", LastName="C")
    assert refused(api, "CampaignMember", CampaignId=campaign)[0] == "REQUIRED_FIELD_MISSING"
    # Of both, the contact counts.
    member = api.create("CampaignMember", CampaignId=campaign, LeadId=lead, ContactId=contact)
    assert get(api, "CampaignMember", member, "LeadId", "ContactId") == {"LeadId": None, "ContactId": contact}
    again = refused(api, "CampaignMember", CampaignId=campaign, ContactId=contact)
    assert again[:2] == ("DUPLICATE_VALUE", "Already a campaign member.")
    api.create("CampaignMember", CampaignId=campaign, LeadId=lead)


def test_a_campaign_has_statuses_of_its_own(api: Api) -> None:
    campaign = api.create("Campaign", Name="Fair")
    invited = api.create("CampaignMemberStatus", CampaignId=campaign, Label="Invited", IsDefault=True)
    assert get(api, "CampaignMemberStatus", invited, "SortOrder") == {"SortOrder": 3}
    assert query(api, "SELECT Label FROM CampaignMemberStatus WHERE IsDefault = true") == [{"Label": "Invited"}]
    member = api.create("CampaignMember", CampaignId=campaign, LeadId=api.create("Lead", LastName="A", Company="B"))
    assert get(api, "CampaignMember", member, "Status") == {"Status": "Invited"}


def test_opportunities_count_for_their_campaign(api: Api) -> None:
    campaign, other = api.create("Campaign", Name="Fair"), api.create("Campaign", Name="Mail")
    values = {"CloseDate": "2024-05-01", "CampaignId": campaign}
    won = api.create("Opportunity", Name="A", StageName="Closed Won", Amount=5, **values)
    api.create("Opportunity", Name="B", StageName="Qualification", Amount=7, **values)
    counters = ("NumberOfOpportunities", "NumberOfWonOpportunities", "AmountAllOpportunities", "AmountWonOpportunities")
    assert list(get(api, "Campaign", campaign, *counters).values()) == [2, 1, 12.0, 5.0]
    update(api, "Opportunity", won, CampaignId=other)
    assert list(get(api, "Campaign", campaign, *counters).values()) == [1, 0, 7.0, 0.0]
    assert list(get(api, "Campaign", other, *counters).values()) == [1, 1, 5.0, 5.0]


def test_an_opportunity_has_one_primary_contact(api: Api) -> None:
    first, second = api.create("Contact", LastName="A"), api.create("Contact", LastName="B")
    values = {"Name": "O", "StageName": "Qualification", "CloseDate": "2024-05-01"}
    opportunity = api.create("Opportunity", ContactId=first, **values)
    roles = "SELECT ContactId, IsPrimary FROM OpportunityContactRole ORDER BY Contact.LastName"
    assert query(api, roles) == [{"ContactId": first, "IsPrimary": True}]
    api.create("OpportunityContactRole", OpportunityId=opportunity, ContactId=second, IsPrimary=True)
    assert query(api, roles) == [{"ContactId": first, "IsPrimary": False}, {"ContactId": second, "IsPrimary": True}]
    assert get(api, "Opportunity", opportunity, "ContactId") == {"ContactId": second}


@pytest.mark.parametrize(
    ("given", "start", "end", "minutes"),
    [
        ({"DurationInMinutes": 90}, "10:00", "11:30", 90),
        ({"EndDateTime": "2024-05-02T10:30:00Z"}, "10:00", "10:30", 30),
        ({"EndDateTime": "2024-05-02T10:30:00Z", "DurationInMinutes": 30}, "10:00", "10:30", 30),
    ],
)
def test_an_event_lasts(api: Api, given: dict[str, Any], start: str, end: str, minutes: int) -> None:
    event = api.create("Event", StartDateTime="2024-05-02T10:00:00Z", **given)
    fields = ("StartDateTime", "ActivityDateTime", "EndDateTime", "DurationInMinutes", "ActivityDate", "EndDate")
    assert list(get(api, "Event", event, *fields).values()) == [
        f"2024-05-02T{start}:00.000+0000",
        f"2024-05-02T{start}:00.000+0000",
        f"2024-05-02T{end}:00.000+0000",
        minutes,
        "2024-05-02",
        "2024-05-02",
    ]
    update(api, "Event", event, StartDateTime="2024-06-01T03:00:00Z")
    moved = get(api, "Event", event, "DurationInMinutes", "ActivityDate")
    # It is still May where the user lives.
    assert moved == {"DurationInMinutes": minutes, "ActivityDate": "2024-05-31"}


@pytest.mark.parametrize(
    ("given", "end", "minutes"),
    [
        ({"ActivityDate": "2024-05-02"}, "2024-05-02", 1440),
        ({"StartDateTime": "2024-05-02T00:00:00Z", "EndDateTime": "2024-05-04T00:00:00Z"}, "2024-05-04", 4320),
        ({"ActivityDate": "2024-05-02", "DurationInMinutes": 2880}, "2024-05-03", 2880),
    ],
)
def test_an_event_of_whole_days(api: Api, given: dict[str, Any], end: str, minutes: int) -> None:
    event = api.create("Event", IsAllDayEvent=True, **given)
    fields = ("StartDateTime", "EndDateTime", "ActivityDate", "EndDate", "DurationInMinutes")
    assert list(get(api, "Event", event, *fields).values()) == [
        "2024-05-02T00:00:00.000+0000",
        f"{end}T00:00:00.000+0000",
        "2024-05-02",
        end,
        minutes,
    ]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "REQUIRED_FIELD_MISSING"),
        ({"StartDateTime": "2024-05-02T10:00:00Z"}, "REQUIRED_FIELD_MISSING"),
        ({"DurationInMinutes": 5}, "REQUIRED_FIELD_MISSING"),
        ({"StartDateTime": "2024-05-02T10:00:00Z", "DurationInMinutes": -1}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"StartDateTime": "2024-05-02T10:00:00Z", "DurationInMinutes": 20161}, "FIELD_INTEGRITY_EXCEPTION"),
        (
            {"StartDateTime": "2024-05-02T10:00:00Z", "EndDateTime": "2024-05-02T10:01:00Z", "DurationInMinutes": 2},
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        (
            {
                "StartDateTime": "2024-05-02T10:00:00Z",
                "ActivityDateTime": "2024-05-02T11:00:00Z",
                "DurationInMinutes": 2,
            },
            "FIELD_INTEGRITY_EXCEPTION",
        ),
    ],
)
def test_an_event_whose_times_do_not_fit(api: Api, given: dict[str, Any], code: str) -> None:
    assert refused(api, "Event", Subject="Call", **given)[0] == code


def test_an_activity_belongs_to_the_account_of_what_it_is_about(api: Api) -> None:
    account = api.create("Account", Name="Acme")
    contract = api.create("Contract", AccountId=account)
    campaign, contact = api.create("Campaign", Name="Fair"), api.create("Contact", LastName="A", AccountId=account)
    times = {"StartDateTime": "2024-05-02T10:00:00Z", "DurationInMinutes": 5}
    for parents in ({"WhatId": contract}, {"WhatId": campaign, "WhoId": contact}, {"WhoId": contact}):
        assert get(api, "Event", api.create("Event", **times, **parents), "AccountId") == {"AccountId": account}
    assert get(api, "Event", api.create("Event", **times, WhatId=campaign), "AccountId") == {"AccountId": None}


def test_notes_go_with_their_parent(api: Api) -> None:
    api.org.add_object("Item__c")
    for parent in (api.create("Account", Name="Acme"), api.create("Item__c")):
        note = api.create("Note", ParentId=parent, Title="Hello", Body="World")
        sobject = "Account" if parent.startswith("001") else "Item__c"
        assert api("DELETE", f"sobjects/{sobject}/{parent}").status_code == 204
        assert api("GET", f"sobjects/Note/{note}").status_code == 404
    assert refused(api, "Note", Title="Alone")[2] == ["ParentId"]
    user = api.org.user_id
    assert refused(api, "Note", Title="Who", ParentId=user)[0] == "FIELD_INTEGRITY_EXCEPTION"


def test_a_document_lies_in_a_folder(api: Api) -> None:
    (folder,) = query(api, "SELECT Id FROM Folder WHERE Type = 'Document'")
    document = api.create("Document", Name="Price List 2024", FolderId=folder["Id"])
    found = get(api, "Document", document, "DeveloperName", "AuthorId")
    assert found == {"DeveloperName": "Price_List_2024", "AuthorId": api.org.user_id}
