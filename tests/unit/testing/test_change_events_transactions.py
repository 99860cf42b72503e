"""Change events of transactions that change several records, or one record several times.

https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_subscribe_merged_events.htm
https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_general_considerations.htm
https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_standard_objects_lead_conversion.htm
"""

from collections.abc import Iterator

import pytest
from change_events import Change, Changes

from sfconnector.testing._context import RequestContext
from sfconnector.testing._conversion import LeadConvert
from sfconnector.testing._errors import OrgError
from sfconnector.testing._store import Store


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


@pytest.fixture
def context(store: Store) -> RequestContext:
    return store.context()


@pytest.fixture
def changes(store: Store) -> Changes:
    return Changes(store)


def _numbers(told: list[Change]) -> list[int]:
    return [change.header["sequenceNumber"] for change in told]


def _accounts(store: Store, context: RequestContext, number: int) -> list[str]:
    return [store.create("Account", {"Name": f"A{n}"}, context) for n in range(number)]


# -- one transaction ------------------------------------------------------------------------------------------------


def test_events_come_in_the_order_of_the_changes(store: Store, context: RequestContext, changes: Changes) -> None:
    with store.transaction():
        account_id = store.create("Account", {"Name": "Acme"}, context)
        contact_id = store.create("Contact", {"LastName": "Curie", "AccountId": account_id}, context)
        store.create("Lead", {"LastName": "L", "Company": "C"}, context)
        assert changes.new() == []

    told = changes.new()
    assert [change.what for change in told] == [("CREATE", "Account"), ("CREATE", "Contact"), ("CREATE", "Lead")]
    assert [change.ids for change in told][:2] == [[account_id], [contact_id]]
    assert _numbers(told) == [1, 2, 3]
    assert len({change.header["transactionKey"] for change in told}) == 1


def test_transaction_that_fails_leaves_no_event(store: Store, context: RequestContext, changes: Changes) -> None:
    def fail() -> None:
        with store.transaction():
            store.create("Account", {"Name": "Acme"}, context)
            raise LookupError

    with pytest.raises(LookupError):
        fail()

    assert changes.new() == []


def test_part_that_is_taken_back_leaves_no_event(store: Store, context: RequestContext, changes: Changes) -> None:
    def fail() -> None:
        with store.transaction():
            store.create("Account", {"Name": "lost"}, context)
            store.create("Account", {}, context)

    with store.transaction():
        store.create("Account", {"Name": "kept"}, context)
        with pytest.raises(OrgError):
            fail()
        store.create("Account", {"Name": "kept, too"}, context)

    assert [change.fields["Name"] for change in changes.new()] == ["kept", "kept, too"]


def test_events_that_cannot_be_kept_take_the_changes_back(
    store: Store, context: RequestContext, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError("full")

    monkeypatch.setattr(store.events, "extend", fail)
    with pytest.raises(OSError, match="full"):
        store.create("Account", {"Name": "Acme"}, context)
    monkeypatch.undo()

    assert store.count("Account") == 0
    store.create("Account", {"Name": "Acme"}, context)
    assert len(changes.new()) == 1


def test_record_that_is_created_and_changed_is_told_once(
    store: Store, context: RequestContext, changes: Changes
) -> None:
    with store.transaction():
        account_id = store.create("Account", {"Name": "Acme", "Phone": "1"}, context)
        store.update("Account", account_id, {"Phone": "2", "Fax": "3"}, context)

    (change,) = changes.new()
    assert change.kind == "CREATE"
    assert (change.fields["Phone"], change.fields["Fax"]) == ("2", "3")
    assert change.header["changedFields"] == []


def test_record_that_is_changed_twice_is_told_once(store: Store, context: RequestContext, changes: Changes) -> None:
    (account_id,) = _accounts(store, context, 1)
    changes.new()
    with store.transaction():
        store.update("Account", account_id, {"Phone": "1", "Fax": "1"}, context)
        store.update("Account", account_id, {"Phone": None, "Site": "2"}, context)

    (change,) = changes.new()
    assert change.header["changedFields"] == ["Fax", "Site", "LastModifiedDate"]
    assert (change.fields["Fax"], change.fields["Site"]) == ("1", "2")


def test_record_that_is_changed_and_deleted_is_told_to_be_gone(
    store: Store, context: RequestContext, changes: Changes
) -> None:
    (account_id,) = _accounts(store, context, 1)
    changes.new()
    with store.transaction():
        store.update("Account", account_id, {"Phone": "1"}, context)
        store.delete("Account", account_id, context)

    assert [(change.kind, change.ids) for change in changes.new()] == [("DELETE", [account_id])]


def test_record_that_is_created_and_deleted_is_not_told(
    store: Store, context: RequestContext, changes: Changes
) -> None:
    with store.transaction():
        account_id = store.create("Account", {"Name": "Acme"}, context)
        store.delete("Account", account_id, context)

    assert changes.new() == []


# -- merged events --------------------------------------------------------------------------------------------------


def test_same_change_of_several_records_is_one_event(store: Store, context: RequestContext, changes: Changes) -> None:
    ids = _accounts(store, context, 3)
    changes.new()
    with store.transaction():
        for account_id in ids:
            store.update("Account", account_id, {"Industry": "Apparel"}, context)

    (change,) = changes.new()
    assert change.ids == ids
    assert change.fields["Industry"] == "Apparel"
    assert change.header["changedFields"] == ["Industry", "LastModifiedDate"]


def test_other_values_are_another_event(store: Store, context: RequestContext, changes: Changes) -> None:
    ids = _accounts(store, context, 3)
    changes.new()
    with store.transaction():
        for account_id, industry in zip(ids, ["Apparel", "Energy", "Apparel"], strict=True):
            store.update("Account", account_id, {"Industry": industry}, context)

    told = changes.new()
    assert [change.ids for change in told] == [[ids[0], ids[2]], [ids[1]]]
    assert _numbers(told) == [1, 2]


def test_deletions_of_one_object_are_one_event(store: Store, context: RequestContext, changes: Changes) -> None:
    ids = _accounts(store, context, 3)
    changes.new()
    with store.transaction():
        for account_id in ids:
            store.delete("Account", account_id, context)

    (change,) = changes.new()
    assert (change.kind, change.ids) == ("DELETE", ids)


def test_changes_of_several_transactions_are_not_merged(
    store: Store, context: RequestContext, changes: Changes
) -> None:
    ids = _accounts(store, context, 2)
    changes.new()
    for account_id in ids:
        store.update("Account", account_id, {"Industry": "Apparel"}, context)

    assert [change.ids for change in changes.new()] == [[ids[0]], [ids[1]]]


# -- what the org itself does ---------------------------------------------------------------------------------------


def test_converted_lead(store: Store, context: RequestContext, changes: Changes) -> None:
    lead_id = store.create("Lead", {"LastName": "Curie", "Company": "Institute", "Phone": "1"}, context)
    changes.new()
    wanted = LeadConvert(lead_id=lead_id, converted_status="Closed - Converted")
    converted = store.convert_lead(wanted, context)

    told = changes.new()
    assert [change.what for change in told] == [
        ("CREATE", "Account"),
        ("CREATE", "Contact"),
        ("CREATE", "Opportunity"),
        ("UPDATE", "Lead"),
        ("CREATE", "OpportunityContactRole"),
    ]
    assert _numbers(told) == [1, 2, 3, 4, 5]
    lead = told[3]
    assert lead.header["changedFields"] == [
        "Status",
        "IsConverted",
        "ConvertedDate",
        "ConvertedAccountId",
        "ConvertedContactId",
        "ConvertedOpportunityId",
        "LastModifiedDate",
    ]
    assert lead.fields["IsConverted"] is True
    assert lead.fields["ConvertedAccountId"] == converted.account_id
    assert len(lead.fields["ConvertedDate"]) == len("2026-01-02")
    assert told[2].fields["ContactId"] == converted.contact_id


def test_merged_records(store: Store, context: RequestContext, changes: Changes) -> None:
    winner, *losers = _accounts(store, context, 3)
    contact_id = store.create("Contact", {"LastName": "C", "AccountId": losers[0]}, context)
    changes.new()
    store.merge("Account", winner, {"Phone": "1"}, losers, context)

    told = changes.new()
    assert [(*change.what, change.ids) for change in told] == [
        ("UPDATE", "Account", [winner]),
        ("UPDATE", "Contact", [contact_id]),
        ("DELETE", "Account", losers),
    ]
    assert told[0].fields["Phone"] == "1"
    assert told[1].fields["AccountId"] == winner


def test_sums_of_a_parent_are_told(store: Store, context: RequestContext, changes: Changes) -> None:
    campaign_id = store.create("Campaign", {"Name": "C"}, context)
    closing = {"StageName": "Prospecting", "CloseDate": "2027-01-01", "CampaignId": campaign_id}
    changes.new()
    opportunity_id = store.create("Opportunity", {"Name": "O", "Amount": 100, **closing}, context)

    opportunity, campaign = changes.new()
    assert opportunity.ids == [opportunity_id]
    assert (campaign.what, campaign.ids) == (("UPDATE", "Campaign"), [campaign_id])
    assert campaign.fields["NumberOfOpportunities"] == 1
    assert campaign.fields["AmountAllOpportunities"] == 100.0

    store.update("Opportunity", opportunity_id, {"NextStep": "call"}, context)
    assert [change.what for change in changes.new()] == [("UPDATE", "Opportunity")]


def test_what_is_only_shown_elsewhere_is_not_told(store: Store, context: RequestContext, changes: Changes) -> None:
    contact_id = store.create("Contact", {"LastName": "C", "Phone": "1"}, context)
    store.create("Case", {"ContactId": contact_id}, context)
    changes.new()
    store.update("Contact", contact_id, {"Phone": "2"}, context)

    assert [change.what for change in changes.new()] == [("UPDATE", "Contact")]


def test_lines_of_an_opportunity_tell_its_amount(store: Store, context: RequestContext, changes: Changes) -> None:
    product_id = store.create("Product2", {"Name": "P"}, context)
    with store.transaction() as connection:
        book_id = connection.execute('SELECT "Id" FROM "Pricebook2"').fetchone()[0]
    price = {"Pricebook2Id": book_id, "Product2Id": product_id, "UnitPrice": 5, "IsActive": True}
    entry_id = store.create("PricebookEntry", price, context)
    closing = {"Name": "O", "StageName": "Prospecting", "CloseDate": "2027-01-01"}
    opportunity_id = store.create("Opportunity", closing, context)
    changes.new()
    line = {"OpportunityId": opportunity_id, "PricebookEntryId": entry_id, "Quantity": 2, "UnitPrice": 5}
    store.create("OpportunityLineItem", line, context)

    told = {change.header["entityName"]: change for change in changes.new()}
    assert told["OpportunityLineItem"].kind == "CREATE"
    opportunity = told["Opportunity"]
    assert (opportunity.kind, opportunity.ids) == ("UPDATE", [opportunity_id])
    assert opportunity.fields["Amount"] == 10.0
    assert opportunity.fields["HasOpportunityLineItem"] is True
    assert opportunity.fields["Pricebook2Id"] == book_id
