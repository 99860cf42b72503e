"""Change events of records that are created, changed, deleted and brought back.

https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_event_fields_body.htm
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from change_events import Changes

from sfconnector.testing._clock import Clock
from sfconnector.testing._context import RequestContext
from sfconnector.testing._errors import OrgError
from sfconnector.testing._store import Store

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
STAMP = "2026-01-02T12:00:00.000Z"


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.freeze(NOON)
    return clock


@pytest.fixture
def store(clock: Clock) -> Iterator[Store]:
    store = Store(clock=clock)
    store.add_object(
        "Item__c",
        {
            "Text__c": "string(40)",
            "Flag__c": "boolean",
            "Count__c": "int",
            "Amount__c": "currency(10, 2)",
            "Day__c": "date",
            "Moment__c": "datetime",
            "Place__c": "location",
            "File__c": "base64",
            "Sum__c": {"type": "double", "formula": "Amount__c * 2"},
            "Account__c": {"type": "reference", "reference_to": "Account", "child_relationship_name": "Items"},
        },
    )
    yield store
    store.close()


@pytest.fixture
def context(store: Store) -> RequestContext:
    return store.context(origin="com/salesforce/api/rest/68.0;client=test")


@pytest.fixture
def changes(store: Store) -> Changes:
    return Changes(store)


def test_an_org_begins_without_events(store: Store) -> None:
    assert store.events.after("/data/ChangeEvents", 0, 10) == []


def test_header_of_a_created_record(store: Store, context: RequestContext, changes: Changes) -> None:
    account_id = store.create("Account", {"Name": "Acme"}, context)

    (change,) = changes.new()
    key = change.header.pop("transactionKey")
    number = change.header.pop("commitNumber")
    assert change.header == {
        "entityName": "Account",
        "recordIds": [account_id],
        "changeType": "CREATE",
        "changeOrigin": "com/salesforce/api/rest/68.0;client=test",
        "sequenceNumber": 1,
        "commitTimestamp": int(NOON.timestamp() * 1000),
        "commitUser": context.user_id,
        "changedFields": [],
    }
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", key)
    assert isinstance(number, int)
    assert re.fullmatch(r"[\w-]{22}", change.schema)


def test_created_record_has_its_fields_with_json_types(store: Store, context: RequestContext, changes: Changes) -> None:
    account_id = store.create("Account", {"Name": "Acme"}, context)
    changes.new()
    store.create(
        "Item__c",
        {
            "Text__c": "text",
            "Flag__c": True,
            "Count__c": 3,
            "Amount__c": 2.5,
            "Day__c": "2026-02-03",
            "Moment__c": "2026-02-03T04:05:06+01:00",
            "Place__Latitude__s": 1.5,
            "Place__Longitude__s": 2,
            "File__c": "QQ==",
            "Account__c": account_id,
        },
        context,
    )

    (change,) = changes.new()
    assert change.fields.pop("Name").startswith("a")
    assert change.fields == {
        "Text__c": "text",
        "Flag__c": True,
        "Count__c": 3,
        "Amount__c": 2.5,
        "Day__c": "2026-02-03",
        "Moment__c": "2026-02-03T03:05:06.000Z",
        "Place__c": {"Latitude": 1.5, "Longitude": 2.0},
        "Account__c": account_id,
        "OwnerId": context.user_id,
        "CreatedDate": STAMP,
        "CreatedById": context.user_id,
        "LastModifiedDate": STAMP,
        "LastModifiedById": context.user_id,
    }


def test_empty_fields_and_what_is_derived_are_left_out(store: Store, context: RequestContext, changes: Changes) -> None:
    store.create("Account", {"Name": "Acme", "Phone": None, "BillingCity": "Berlin"}, context)

    (change,) = changes.new()
    assert change.fields["BillingAddress"] == {"City": "Berlin"}
    left_out = {"Id", "IsDeleted", "SystemModstamp", "PhotoUrl", "Phone", "LastViewedDate", "BillingCity"}
    assert left_out.isdisjoint(change.fields)


def test_names_of_persons_are_compound(store: Store, context: RequestContext, changes: Changes) -> None:
    contact_id = store.create("Contact", {"LastName": "Curie", "FirstName": "Marie", "Salutation": "Dr."}, context)
    store.update("Contact", contact_id, {"FirstName": "M."}, context)

    created, updated = changes.new()
    assert created.fields["Name"] == {"LastName": "Curie", "FirstName": "Marie", "Salutation": "Dr."}
    assert "LastName" not in created.fields
    assert updated.fields["Name"] == {"FirstName": "M."}
    assert updated.header["changedFields"] == ["LastModifiedDate", "Name.FirstName"]


def test_changed_record_has_the_changed_fields(
    store: Store, context: RequestContext, changes: Changes, clock: Clock
) -> None:
    values = {"Name": "Acme", "Phone": "1", "Fax": "2", "BillingCity": "Berlin", "BillingStreet": "Allee"}
    account_id = store.create("Account", values, context)
    clock.advance(seconds=90)
    store.update("Account", account_id, {"Name": "Acme", "Phone": "3", "Fax": None, "BillingCity": None}, context)

    _, change = changes.new()
    assert change.what == ("UPDATE", "Account")
    assert change.fields == {
        "Phone": "3",
        "Fax": None,
        "BillingAddress": {"City": None},
        "LastModifiedDate": "2026-01-02T12:01:30.000Z",
    }
    assert change.header["changedFields"] == ["Phone", "Fax", "LastModifiedDate", "BillingAddress.City"]
    assert {"nulledFields", "diffFields"}.isdisjoint(change.header)


def test_who_changed_a_record_is_told_only_if_it_is_another(
    store: Store, context: RequestContext, changes: Changes
) -> None:
    profile_id = store.get("User", context.user_id, ["ProfileId"], context)["ProfileId"]
    user = {"Username": "b@example.com", "Email": "b@example.com", "LastName": "B", "Alias": "b"}
    user |= {"CommunityNickname": "b", "TimeZoneSidKey": "GMT", "EmailEncodingKey": "UTF-8"}
    locale = {"LocaleSidKey": "en_US", "LanguageLocaleKey": "en_US"}
    other = RequestContext(user_id=store.create("User", {**user, **locale, "ProfileId": profile_id}, context))
    account_id = store.create("Account", {"Name": "Acme"}, context)
    changes.new()

    store.update("Account", account_id, {"Phone": "1"}, context)
    store.update("Account", account_id, {"Phone": "2"}, other)

    own, others = changes.new()
    assert "LastModifiedById" not in own.fields
    assert others.fields["LastModifiedById"] == others.header["commitUser"] == other.user_id
    assert "LastModifiedById" in others.header["changedFields"]


def test_parts_of_a_custom_location_go_together(store: Store, context: RequestContext, changes: Changes) -> None:
    item_id = store.create("Item__c", {"Place__Latitude__s": 1, "Place__Longitude__s": 2}, context)
    store.update("Item__c", item_id, {"Place__Latitude__s": 3}, context)

    _, change = changes.new()
    assert change.fields["Place__c"] == {"Latitude": 3.0, "Longitude": 2.0}
    assert change.header["changedFields"] == ["LastModifiedDate", "Place__c.Latitude"]


def test_preferences_of_a_user_are_listed_by_name(store: Store, context: RequestContext, changes: Changes) -> None:
    values = {"UserPreferencesActivityRemindersPopup": True, "UserPreferencesLightningExperiencePreferred": True}
    store.update("User", context.user_id, values, context)
    store.update("User", context.user_id, {"UserPreferencesActivityRemindersPopup": False}, context)

    first, second = changes.new()
    assert first.fields["UserPreferences"] == ["ActivityRemindersPopup", "LightningExperiencePreferred"]
    assert first.header["changedFields"] == ["LastModifiedDate", "UserPreferences"]
    assert second.fields["UserPreferences"] == ["LightningExperiencePreferred"]


def test_deleted_record_has_a_header_only(store: Store, context: RequestContext, changes: Changes) -> None:
    account_id = store.create("Account", {"Name": "Acme"}, context)
    contact_id = store.create("Contact", {"LastName": "Curie", "AccountId": account_id}, context)
    changes.new()
    store.delete("Account", account_id, context)

    account, contact = changes.new()
    assert (account.what, account.ids, account.fields) == (("DELETE", "Account"), [account_id], {})
    assert (contact.what, contact.ids, contact.fields) == (("DELETE", "Contact"), [contact_id], {})
    assert account.header["transactionKey"] == contact.header["transactionKey"]
    assert account.header["commitNumber"] == contact.header["commitNumber"]
    assert [account.header["sequenceNumber"], contact.header["sequenceNumber"]] == [1, 2]


def test_restored_record_has_its_fields(store: Store, context: RequestContext, changes: Changes, clock: Clock) -> None:
    account_id = store.create("Account", {"Name": "Acme", "AnnualRevenue": 5}, context)
    store.delete("Account", account_id, context)
    changes.new()
    clock.advance(seconds=5)
    store.undelete(account_id, context)

    (change,) = changes.new()
    assert (change.what, change.ids) == (("UNDELETE", "Account"), [account_id])
    assert change.header["changedFields"] == []
    assert change.fields == {
        "Name": "Acme",
        "AnnualRevenue": 5.0,
        "OwnerId": context.user_id,
        "CreatedDate": STAMP,
        "CreatedById": context.user_id,
        "LastModifiedDate": "2026-01-02T12:00:05.000Z",
        "LastModifiedById": context.user_id,
    }


def test_removal_from_the_recycle_bin_is_not_told(store: Store, context: RequestContext, changes: Changes) -> None:
    account_id = store.create("Account", {"Name": "Acme"}, context)
    store.delete("Account", account_id, context)
    changes.new()
    store.purge(account_id, context)

    assert changes.new() == []


def test_lookups_to_a_deleted_record_are_emptied_and_filled_again(
    store: Store, context: RequestContext, changes: Changes
) -> None:
    account_id = store.create("Account", {"Name": "Acme"}, context)
    item_id = store.create("Item__c", {"Account__c": account_id}, context)
    changes.new()
    store.delete("Account", account_id, context)
    deleted = changes.new()
    store.undelete(account_id, context)
    restored = changes.new()

    emptied = next(change for change in deleted if change.ids == [item_id])
    assert (emptied.kind, emptied.fields["Account__c"]) == ("UPDATE", None)
    filled = next(change for change in restored if change.ids == [item_id])
    assert (filled.kind, filled.fields["Account__c"]) == ("UPDATE", account_id)


def test_refused_record_leaves_no_event(store: Store, context: RequestContext, changes: Changes) -> None:
    with pytest.raises(OrgError):
        store.create("Account", {"Phone": "1"}, context)

    assert changes.new() == []


def test_objects_without_support_leave_no_event(store: Store, context: RequestContext, changes: Changes) -> None:
    account_id = store.create("Account", {"Name": "Acme"}, context)
    changes.new()
    store.create("Note", {"Title": "T", "ParentId": account_id}, context)

    assert changes.new() == []


def test_price_book_entries_are_created_without_audit_fields(
    store: Store, context: RequestContext, changes: Changes
) -> None:
    product_id = store.create("Product2", {"Name": "P", "ProductCode": "P-1"}, context)
    book_id = _standard_book(store)
    changes.new()
    values = {"Pricebook2Id": book_id, "Product2Id": product_id, "UnitPrice": 5, "IsActive": True}
    entry_id = store.create("PricebookEntry", values, context)
    store.update("PricebookEntry", entry_id, {"UnitPrice": 6}, context)

    created, updated = changes.new()
    absent = {"CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "Name", "ProductCode"}
    assert absent.isdisjoint(created.fields)
    assert updated.fields == {"UnitPrice": 6.0, "LastModifiedDate": STAMP}


def _standard_book(store: Store) -> str:
    with store.transaction() as connection:
        return str(connection.execute('SELECT "Id" FROM "Pricebook2" WHERE "IsStandard" = 1').fetchone()[0])


def test_channel_of_one_object(store: Store, context: RequestContext) -> None:
    items, accounts = Changes(store, "/data/Item__ChangeEvent"), Changes(store, "/data/AccountChangeEvent")
    store.create("Account", {"Name": "Acme"}, context)
    store.create("Item__c", {}, context)

    assert [change.what for change in items.new()] == [("CREATE", "Item__c")]
    assert [change.what for change in accounts.new()] == [("CREATE", "Account")]


def test_commit_numbers_grow(store: Store, context: RequestContext, changes: Changes, clock: Clock) -> None:
    for _ in range(3):
        store.create("Account", {"Name": "Acme"}, context)
        clock.advance(seconds=1)

    told = changes.new()
    numbers = [change.header["commitNumber"] for change in told]
    assert numbers == sorted(set(numbers))
    assert len({change.header["transactionKey"] for change in told}) == 3
    assert [change.header["commitTimestamp"] for change in told] == [
        int((NOON + timedelta(seconds=second)).timestamp() * 1000) for second in range(3)
    ]
