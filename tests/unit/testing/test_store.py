import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfconnector.testing._context import RequestContext
from sfconnector.testing._definition import make_object
from sfconnector.testing._errors import AmbiguousExternalIdError, OrgError
from sfconnector.testing._schema import Schema
from sfconnector.testing._store import Store


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Iterator[Store]:
    store = Store(clock=clock)
    store.add_object(
        "Item__c",
        {
            "Ext__c": "string(20) external_id unique",
            "Exact__c": "string(20) external_id unique case_sensitive",
            "Loose__c": "string(20) external_id",
            "Number__c": "double(18, 0) external_id",
            "Amount__c": "currency(10, 2)",
            "Count__c": "int",
            "Flag__c": "boolean",
            "Day__c": "date",
            "Moment__c": "datetime",
            "Clock__c": "time",
            "Long__c": "textarea(32000)",
            "Kind__c": {"type": "picklist", "values": ["A", {"value": "B", "default": True}]},
            "Tags__c": {"type": "multipicklist", "values": ["Red", "Green", "Blue"]},
            "Place__c": "location",
            "File__c": "base64",
            "Account__c": {"type": "reference", "reference_to": "Account", "child_relationship_name": "Items"},
        },
    )
    yield store
    store.close()


@pytest.fixture
def context(store: Store) -> RequestContext:
    return store.context()


def read(store: Store, sobject: str, record_id: str, *fields: str) -> dict[str, Any]:
    record = store.get(sobject, record_id, fields or None, store.context())
    del record["attributes"]
    return record


def test_a_record_is_read_back_as_rest_answers_it(store: Store, context: RequestContext) -> None:
    account_id = store.create("account", {"name": "Acme", "NumberOfEmployees": 7, "BillingCity": "Berlin"}, context)
    record = store.get("Account", account_id, None, context)
    assert record["attributes"] == {"type": "Account", "url": f"/services/data/v68.0/sobjects/Account/{account_id}"}
    assert list(record) == ["attributes", *store.sobject("Account").fields]
    assert record["Id"] == account_id
    assert record["Name"] == "Acme"
    assert record["NumberOfEmployees"] == 7
    assert record["IsDeleted"] is False
    assert record["CreatedDate"] == "2026-05-06T07:08:09.000+0000"
    assert record["OwnerId"] == record["CreatedById"] == store.admin_user_id
    assert record["PhotoUrl"] == f"/services/images/photo/{account_id}"
    assert record["BillingAddress"] == {
        "city": "Berlin",
        "country": None,
        "geocodeAccuracy": None,
        "latitude": None,
        "longitude": None,
        "postalCode": None,
        "state": None,
        "street": None,
    }
    assert record["ShippingAddress"] is None


def test_the_fields_asked_for_come_in_that_order_with_the_id(store: Store, context: RequestContext) -> None:
    account_id = store.create("Account", {"Name": "Acme"}, context)
    record = store.get(
        "ACCOUNT", account_id[:15], ["phone", "NAME", "phone"], RequestContext(user_id="x", version="59.0")
    )
    assert list(record) == ["attributes", "Phone", "Name", "Id"]
    assert record["attributes"]["url"].startswith("/services/data/v59.0/")


@pytest.mark.parametrize(
    ("field", "given", "answered"),
    [
        ("Amount__c", 12, 12.0),
        ("Amount__c", 12.345, 12.345),
        ("Amount__c", "12.5", 12.5),
        ("Amount__c", -0.005, -0.005),
        ("Count__c", 3, 3),
        ("Count__c", "10000", 10000),
        ("Count__c", 3.0, 3),
        ("Flag__c", True, True),
        ("Flag__c", "true", True),
        ("Flag__c", False, False),
        ("Day__c", "2024-02-29", "2024-02-29"),
        ("Day__c", "2024-02-29Z", "2024-02-29"),
        ("Day__c", "2024-02-29T23:30:00-02:00", "2024-03-01"),
        ("Moment__c", "2024-02-29T10:00:00Z", "2024-02-29T10:00:00.000+0000"),
        ("Moment__c", "2024-02-29T10:00:00.999+0200", "2024-02-29T08:00:00.000+0000"),
        ("Moment__c", "2024-02-29T10:00:00.5-03:30", "2024-02-29T13:30:00.000+0000"),
        ("Clock__c", "10:30", "10:30:00.000Z"),
        ("Clock__c", "10:30:15.25Z", "10:30:15.250Z"),
        ("Long__c", "", None),
        ("Long__c", 42, "42"),
        ("Kind__c", "Whatever", "Whatever"),
        ("Kind__c", None, None),
        ("Tags__c", "Blue;Red;Blue", "Red;Blue"),
        ("Name", None, "id"),
    ],
)
def test_values_are_answered_in_the_form_of_their_type(
    store: Store, context: RequestContext, field: str, given: Any, answered: Any
) -> None:
    item_id = store.create("Item__c", {field: given}, context)
    expected = item_id[:15] if answered == "id" else answered
    found = read(store, "Item__c", item_id, field)[field]
    assert found == expected
    assert type(found) is type(expected)


def test_defaults_fill_what_is_left_out(store: Store, context: RequestContext) -> None:
    record = read(store, "Item__c", store.create("Item__c", {}, context))
    assert record["Kind__c"] == "B"
    assert record["Flag__c"] is False
    assert record["Name"] == record["Id"][:15]
    assert record["Place__c"] is None


def test_a_location_is_built_of_its_parts(store: Store, context: RequestContext) -> None:
    parts = {"Place__Latitude__s": 52.5, "Place__Longitude__s": 13.4}
    item_id = store.create("Item__c", parts, context)
    assert read(store, "Item__c", item_id, "Place__c")["Place__c"] == {"latitude": 52.5, "longitude": 13.4}


@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300))
def test_text_in_is_text_out(text_store: Store, text: str) -> None:
    context = text_store.context()
    record_id = text_store.create("Account", {"Name": "x", "Description": text}, context)
    # Salesforce leaves out what Java's trim() does: everything up to the space, at both ends.
    expected = re.sub(r"\A[\x00-\x20]+|[\x00-\x20]+\Z", "", text) or None
    assert text_store.get("Account", record_id, ["Description"], context)["Description"] == expected


def test_a_name_of_blanks_is_no_name(store: Store, context: RequestContext) -> None:
    with pytest.raises(OrgError, match="REQUIRED_FIELD_MISSING"):
        store.create("Account", {"Name": "  \t"}, context)


@pytest.fixture(scope="module")
def text_store() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


def test_half_a_surrogate_pair_is_replaced(store: Store, context: RequestContext) -> None:
    account_id = store.create("Account", {"Name": "a\ud83db", "Site": "\ud83d\ude00"}, context)
    assert read(store, "Account", account_id, "Name", "Site")["Name"] == "a\ufffdb"
    assert read(store, "Account", account_id, "Site")["Site"] == "\U0001f600"


def test_an_update_changes_what_is_given_and_the_stamps(store: Store, context: RequestContext, clock: Clock) -> None:
    account_id = store.create("Account", {"Name": "Acme", "Phone": "1"}, context)
    clock.time += timedelta(minutes=1)
    store.update("Account", account_id[:15], {"PHONE": None, "Fax": "2"}, context)
    record = read(store, "Account", account_id)
    assert (record["Name"], record["Phone"], record["Fax"]) == ("Acme", None, "2")
    assert record["CreatedDate"] == "2026-05-06T07:08:09.000+0000"
    assert record["LastModifiedDate"] == record["SystemModstamp"] == "2026-05-06T07:09:09.000+0000"


def test_audit_fields_may_be_set_with_the_permission(store: Store) -> None:
    values = {"Name": "Old", "CreatedDate": "2001-01-01T00:00:00Z"}
    account_id = store.create("Account", values, store.context(set_audit_fields=True))
    assert read(store, "Account", account_id, "CreatedDate")["CreatedDate"] == "2001-01-01T00:00:00.000+0000"


def test_upsert_creates_then_changes(store: Store, context: RequestContext) -> None:
    first = store.upsert("Item__c", "ext__c", "A-1", {"Amount__c": 1}, context)
    second = store.upsert("Item__c", "Ext__c", "a-1", {"Amount__c": 2}, context)
    assert first.created
    assert not second.created
    assert first.id == second.id
    assert read(store, "Item__c", first.id, "Ext__c", "Amount__c") == {
        "Ext__c": "A-1",
        "Amount__c": 2.0,
        "Id": first.id,
    }


def test_a_case_sensitive_key_tells_case_apart(store: Store, context: RequestContext) -> None:
    assert store.upsert("Item__c", "Exact__c", "A", {}, context).created
    assert store.upsert("Item__c", "Exact__c", "a", {}, context).created
    assert not store.upsert("Item__c", "Exact__c", "A", {}, context).created


def test_upsert_finds_numbers_and_emails_and_ids(store: Store, context: RequestContext) -> None:
    item = store.upsert("Item__c", "Number__c", "42", {}, context)
    assert store.find("Item__c", "Number__c", "42.0", context) == item.id
    contact = store.upsert("Contact", "Email", "m@curie.org", {"LastName": "Curie"}, context)
    assert store.upsert("Contact", "Email", "M@CURIE.org", {"FirstName": "Marie"}, context).id == contact.id
    assert store.upsert("Contact", "Id", contact.id[:15], {"Title": "Dr"}, context).id == contact.id
    assert read(store, "Contact", contact.id, "Name", "Title")["Name"] == "Marie Curie"


def test_upsert_with_the_key_among_the_values(store: Store, context: RequestContext) -> None:
    made = store.upsert_from_values("Item__c", "Ext__c", {"EXT__C": "B-1", "Count__c": 1}, context)
    assert made.created
    assert not store.upsert_from_values("Item__c", "Ext__c", {"Ext__c": "B-1"}, context).created
    assert store.upsert_from_values("Item__c", "Id", {"Count__c": 3}, context).created
    assert not store.upsert_from_values("Item__c", "Id", {"Id": made.id, "Count__c": 4}, context).created
    assert read(store, "Item__c", made.id, "Count__c")["Count__c"] == 4


def test_an_external_id_of_several_records(store: Store, context: RequestContext) -> None:
    ids = [store.create("Item__c", {"Loose__c": "same"}, context) for _ in range(2)]
    for call in (
        lambda: store.upsert("Item__c", "Loose__c", "SAME", {}, context),
        lambda: store.get_by_external_id("Item__c", "Loose__c", "same", None, context),
        lambda: store.delete_by_external_id("Item__c", "Loose__c", "same", context),
    ):
        with pytest.raises(AmbiguousExternalIdError) as raised:
            call()
        assert raised.value.status == 300
        assert raised.value.urls("61.0") == [f"/services/data/v61.0/sobjects/Item__c/{item_id}" for item_id in ids]
    with pytest.raises(OrgError) as inside:
        store.create("Account", {"Name": "x", "Parent": {"Id": "001"}}, context)
    assert inside.value.code == "INVALID_FIELD"


def test_a_parent_may_be_named_by_its_external_id(store: Store, context: RequestContext) -> None:
    store.add_field("Account", "Key__c", "string(10) external_id unique")
    account_id = store.create("Account", {"Name": "Acme", "Key__c": "K1"}, context)
    item_id = store.create("Item__c", {"Account__r": {"attributes": {"type": "Account"}, "key__c": "k1"}}, context)
    assert read(store, "Item__c", item_id, "Account__c")["Account__c"] == account_id
    store.update("Item__c", item_id, {"Account__r": None}, context)
    assert read(store, "Item__c", item_id, "Account__c")["Account__c"] is None


def test_record_by_external_id(store: Store, context: RequestContext) -> None:
    item_id = store.create("Item__c", {"Ext__c": "Ä-1"}, context)
    assert store.get_by_external_id("Item__c", "Ext__c", "ä-1", ["Name"], context)["Id"] == item_id
    store.delete_by_external_id("Item__c", "Ext__c", "Ä-1", context)
    with pytest.raises(OrgError, match="NOT_FOUND"):
        store.find("Item__c", "Ext__c", "Ä-1", context)


def test_auto_numbers_count_up(store: Store, context: RequestContext) -> None:
    store.add_object("Bill__c", name_field={"auto_number": "INV-{0000}", "label": "Number"})
    names = [read(store, "Bill__c", store.create("Bill__c", {}, context), "Name")["Name"] for _ in range(2)]
    assert names == ["INV-0001", "INV-0002"]
    cases = [read(store, "Case", store.create("Case", {}, context), "CaseNumber")["CaseNumber"] for _ in range(2)]
    assert cases == ["00001000", "00001001"]


def test_a_failed_transaction_leaves_nothing(store: Store, context: RequestContext) -> None:
    def inner(record_id: str) -> None:
        with store.transaction():
            store.update("Account", record_id, {"Name": "changed"}, context)
            store.create("Account", {}, context)

    def outer() -> None:
        with store.transaction():
            kept = store.create("Account", {"Name": "one"}, context)
            with pytest.raises(OrgError):
                inner(kept)
            assert read(store, "Account", kept, "Name")["Name"] == "one"
            store.create("Account", {}, context)

    with pytest.raises(OrgError):
        outer()
    assert store.count("Account") == 0


def test_names_of_persons_follow_their_parts(store: Store, context: RequestContext) -> None:
    lead_id = store.create("Lead", {"LastName": "Curie", "FirstName": "Marie", "Company": "Sorbonne"}, context)
    assert read(store, "Lead", lead_id, "Name", "Status", "IsConverted") == {
        "Name": "Marie Curie",
        "Status": "Open - Not Contacted",
        "IsConverted": False,
        "Id": lead_id,
    }
    store.update("Lead", lead_id, {"FirstName": None}, context)
    assert read(store, "Lead", lead_id, "Name")["Name"] == "Curie"


def test_a_stage_decides_what_an_opportunity_is_worth(store: Store, context: RequestContext) -> None:
    values = {"Name": "Big", "StageName": "Needs Analysis", "CloseDate": "2026-11-30", "Amount": 1000}
    deal = store.create("Opportunity", values, context)
    asked = (
        "Probability",
        "IsClosed",
        "IsWon",
        "ForecastCategory",
        "ForecastCategoryName",
        "ExpectedRevenue",
        "Fiscal",
    )
    assert list(read(store, "Opportunity", deal, *asked).values())[:-1] == [
        *(20.0, False, False, "Pipeline", "Pipeline", 200.0, "2026 4"),
    ]
    store.update("Opportunity", deal, {"Probability": 55}, context)
    assert read(store, "Opportunity", deal, "ExpectedRevenue")["ExpectedRevenue"] == 550.0
    store.update("Opportunity", deal, {"StageName": "Closed Won"}, context)
    assert list(read(store, "Opportunity", deal, *asked).values())[:-1] == [
        *(100.0, True, True, "Closed", "Closed", 1000.0, "2026 4"),
    ]


def test_a_status_opens_and_closes_a_case(store: Store, context: RequestContext) -> None:
    account_id = store.create("Account", {"Name": "Acme"}, context)
    contact = {"LastName": "Curie", "AccountId": account_id, "Email": "m@curie.org"}
    contact_id = store.create("Contact", contact, context)
    case_id = store.create("Case", {"ContactId": contact_id}, context)
    found = read(store, "Case", case_id, "AccountId", "ContactEmail", "IsClosed", "ClosedDate", "Status", "Priority")
    assert list(found.values())[:-1] == [account_id, "m@curie.org", False, None, "New", "Medium"]
    store.update("Case", case_id, {"Status": "Closed"}, context)
    assert read(store, "Case", case_id, "ClosedDate")["ClosedDate"] == "2026-05-06T07:08:09.000+0000"
    store.update("Case", case_id, {"Status": "Working"}, context)
    assert read(store, "Case", case_id, "IsClosed", "ClosedDate") == {
        "IsClosed": False,
        "ClosedDate": None,
        "Id": case_id,
    }
    store.update("Contact", contact_id, {"Email": "marie@curie.org"}, context)
    assert read(store, "Case", case_id, "ContactEmail")["ContactEmail"] == "marie@curie.org"


def test_a_task_knows_its_account_and_when_it_was_done(store: Store, context: RequestContext) -> None:
    account_id = store.create("Account", {"Name": "Acme"}, context)
    contact_id = store.create("Contact", {"LastName": "Curie", "AccountId": account_id}, context)
    task_id = store.create("Task", {"WhoId": contact_id, "Subject": "Call", "Priority": "High"}, context)
    asked = ("AccountId", "IsHighPriority", "Status", "IsClosed", "TaskSubtype", "CompletedDateTime")
    assert list(read(store, "Task", task_id, *asked).values())[:-1] == [
        *(account_id, True, "Not Started", False, "Task", None),
    ]
    store.update("Task", task_id, {"Status": "Completed", "WhatId": account_id}, context)
    done = read(store, "Task", task_id, "IsClosed", "CompletedDateTime")
    assert done["IsClosed"] is True
    assert done["CompletedDateTime"] == "2026-05-06T07:08:09.000+0000"


def test_an_org_is_born_with_its_people_and_statuses(store: Store, context: RequestContext) -> None:
    organization = read(store, "Organization", store.organization_id)
    assert organization["Id"].startswith("00D")
    assert organization["OrganizationType"] == "Developer Edition"
    admin = read(store, "User", store.admin_user_id)
    assert admin["Username"] == store.username
    assert admin["IsActive"] is True
    assert read(store, "Profile", admin["ProfileId"], "Name")["Name"] == "System Administrator"
    counts = {name: store.count(name) for name in ("Organization", "User", "Profile", "LeadStatus", "RecordType")}
    assert counts == {"Organization": 1, "User": 2, "Profile": 4, "LeadStatus": 4, "RecordType": 2}
    assert context.user_id == store.admin_user_id


def test_a_record_type_is_of_one_object(store: Store, context: RequestContext) -> None:
    infos = store.describe("Account", "68.0")["recordTypeInfos"]
    partner = next(info["recordTypeId"] for info in infos if info["name"] == "Partner")
    account_id = store.create("Account", {"Name": "x", "RecordTypeId": partner}, context)
    assert read(store, "Account", account_id, "RecordTypeId")["RecordTypeId"] == partner
    store.add_object("Thing__c", record_types=["One"])
    with pytest.raises(OrgError) as raised:
        store.create("Thing__c", {"RecordTypeId": partner}, context)
    assert raised.value.code == "INVALID_CROSS_REFERENCE_KEY"


def test_long_texts_are_cut_where_the_caller_allows_it(store: Store) -> None:
    context = store.context(allow_field_truncation=True)
    account_id = store.create("Account", {"Name": "\U0001f600" * 200}, context)
    assert read(store, "Account", account_id, "Name")["Name"] == "\U0001f600" * 127


def test_a_store_takes_objects_to_begin_with() -> None:
    store = Store(Schema([make_object("Thing__c", {"key_prefix": "a0Z", "record_types": ["One"]})]))
    assert store.create("Thing__c", {}, store.context()).startswith("a0Z")
    assert store.count("Account") == 0
    store.close()


def test_a_running_clock_is_in_utc() -> None:
    store = Store()
    account_id = store.create("Account", {"Name": "Acme"}, store.context())
    created = datetime.fromisoformat(read(store, "Account", account_id, "CreatedDate")["CreatedDate"])
    assert abs(datetime.now(UTC) - created) < timedelta(minutes=5)
    store.close()
