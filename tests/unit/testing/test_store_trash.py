"""The recycle bin, and the tables of what was deleted and changed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sfconnector.testing._context import RequestContext
from sfconnector.testing._errors import OrgError
from sfconnector.testing._store import Store


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 5, 6, 7, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Iterator[Store]:
    store = Store(clock=clock)
    yield store
    store.close()


@pytest.fixture
def context(store: Store) -> RequestContext:
    return store.context()


def code_of(store: Store, sobject: str, record_id: str) -> str | None:
    try:
        store.get(sobject, record_id, ["Id"], store.context())
    except OrgError as error:
        return error.code
    return None


def test_details_go_and_come_with_their_master(store: Store, context: RequestContext) -> None:
    account = store.create("Account", {"Name": "Acme"}, context)
    contact = store.create("Contact", {"LastName": "Curie", "AccountId": account}, context)
    task = store.create("Task", {"WhoId": contact}, context)
    deal = {"Name": "Big", "StageName": "Prospecting", "CloseDate": "2026-01-01", "AccountId": account}
    deal_id = store.create("Opportunity", deal, context)
    family = {account: "Account", contact: "Contact", task: "Task", deal_id: "Opportunity"}
    store.delete("Account", account, context)
    assert {code_of(store, sobject, record_id) for record_id, sobject in family.items()} == {"ENTITY_IS_DELETED"}
    assert store.count("Contact") == 0
    store.undelete(account, context)
    assert {code_of(store, sobject, record_id) for record_id, sobject in family.items()} == {None}


def test_what_was_deleted_before_stays_deleted(store: Store, context: RequestContext) -> None:
    account = store.create("Account", {"Name": "Acme"}, context)
    contact = store.create("Contact", {"LastName": "Curie", "AccountId": account}, context)
    store.delete("Contact", contact, context)
    store.delete("Account", account, context)
    store.undelete(account, context)
    assert code_of(store, "Contact", contact) == "ENTITY_IS_DELETED"
    store.undelete(contact, context)
    assert code_of(store, "Contact", contact) is None


def test_lookups_are_emptied_and_filled_again(store: Store, context: RequestContext) -> None:
    parent = store.create("Account", {"Name": "Parent"}, context)
    one = store.create("Account", {"Name": "One", "ParentId": parent}, context)
    two = store.create("Account", {"Name": "Two", "ParentId": parent}, context)
    other = store.create("Account", {"Name": "Other"}, context)
    store.delete("Account", parent, context)
    assert store.get("Account", one, ["ParentId"], context)["ParentId"] is None
    store.update("Account", two, {"ParentId": other}, context)
    store.undelete(parent, context)
    assert store.get("Account", one, ["ParentId"], context)["ParentId"] == parent
    assert store.get("Account", two, ["ParentId"], context)["ParentId"] == other


def test_a_restricted_lookup_forbids_the_deletion(store: Store, context: RequestContext) -> None:
    contact = store.create("Contact", {"FirstName": "Josh", "LastName": "Davis"}, context)
    case = store.create("Case", {"ContactId": contact}, context)
    with pytest.raises(OrgError) as raised:
        store.delete("Contact", contact, context)
    assert (raised.value.status, raised.value.code) == (400, "DELETE_FAILED")
    assert raised.value.message == (
        "Your attempt to delete Josh Davis could not be completed because it is associated with the following cases.: "
        "00001000\n"
    )
    assert code_of(store, "Contact", contact) is None
    store.delete("Case", case, context)
    store.delete("Contact", contact, context)


def test_a_detail_does_not_come_back_without_its_master(store: Store, context: RequestContext) -> None:
    account = store.create("Account", {"Name": "Acme"}, context)
    contact = store.create("Contact", {"LastName": "Curie", "AccountId": account}, context)
    store.delete("Account", account, context)
    with pytest.raises(OrgError) as raised:
        store.undelete(contact, context)
    assert raised.value.code == "UNDELETE_FAILED"


@pytest.mark.parametrize("record_id", ["001Lo0zzzzzzzzz", "alive"])
def test_only_what_is_in_the_bin_comes_out(store: Store, context: RequestContext, record_id: str) -> None:
    if record_id == "alive":
        record_id = store.create("Account", {"Name": "Acme"}, context)
    with pytest.raises(OrgError) as raised:
        store.undelete(record_id, context)
    assert (raised.value.code, raised.value.message) == ("UNDELETE_FAILED", "Entity is not in the recycle bin")
    with pytest.raises(OrgError) as raised:
        store.purge(record_id, context)
    assert raised.value.code == "INVALID_CROSS_REFERENCE_KEY"


@pytest.mark.parametrize("record_id", ["24", "zzzLo0zzzzzzzzz"])
def test_what_is_no_id(store: Store, context: RequestContext, record_id: str) -> None:
    with pytest.raises(OrgError) as raised:
        store.undelete(record_id, context)
    assert (raised.value.code, raised.value.message) == ("MALFORMED_ID", f"malformed id {record_id}")


def test_a_purged_record_never_was(store: Store, context: RequestContext, clock: Clock) -> None:
    account = store.create("Account", {"Name": "Acme"}, context)
    contact = store.create("Contact", {"LastName": "Curie", "AccountId": account}, context)
    store.delete("Account", account, context)
    store.purge(account, context)
    assert code_of(store, "Account", account) == "NOT_FOUND"
    assert code_of(store, "Contact", contact) == "NOT_FOUND"
    # It still was deleted, and a replica must hear of it.
    span = (clock.time - timedelta(minutes=5), clock.time + timedelta(minutes=5))
    assert [entry["id"] for entry in store.deleted("Account", *span)["deletedRecords"]] == [account]


def test_a_unique_value_taken_meanwhile_keeps_a_record_in_the_bin(store: Store, context: RequestContext) -> None:
    store.add_object("Item__c", {"Key__c": "string(10) unique"})
    old = store.create("Item__c", {"Key__c": "A"}, context)
    store.delete("Item__c", old, context)
    store.create("Item__c", {"Key__c": "a"}, context)
    with pytest.raises(OrgError) as raised:
        store.undelete(old, context)
    assert raised.value.code == "DUPLICATE_VALUE"
    assert code_of(store, "Item__c", old) == "ENTITY_IS_DELETED"


def test_an_object_without_a_bin_loses_its_records(store: Store, context: RequestContext) -> None:
    group = store.create("Group", {"Name": "Support", "Type": "Queue"}, context)
    member = store.create("GroupMember", {"GroupId": group, "UserOrGroupId": store.admin_user_id}, context)
    store.delete("Group", group, context)
    assert code_of(store, "Group", group) == "NOT_FOUND"
    assert code_of(store, "GroupMember", member) == "NOT_FOUND"


def test_deleted_and_updated_tell_what_happened_when(store: Store, context: RequestContext, clock: Clock) -> None:
    start = clock.time
    one = store.create("Account", {"Name": "One"}, context)
    two = store.create("Account", {"Name": "Two"}, context)
    clock.time += timedelta(minutes=10)
    store.delete("Account", one, context)
    middle = clock.time
    clock.time += timedelta(minutes=10)
    store.update("Account", two, {"Phone": "1"}, context)
    end = clock.time
    assert store.deleted("Account", start, middle) == {
        "deletedRecords": [{"id": one, "deletedDate": "2026-05-06T07:10:00.000+0000"}],
        "earliestDateAvailable": "2026-04-21T07:20:00.000+0000",
        "latestDateCovered": "2026-05-06T07:10:00.000+0000",
    }
    assert store.deleted("Account", start, start + timedelta(minutes=1))["deletedRecords"] == []
    assert store.updated("Account", middle, end) == {"ids": [two], "latestDateCovered": "2026-05-06T07:20:00.000+0000"}
    assert store.updated("Account", start, middle)["ids"] == []
    store.undelete(one, context)
    assert store.deleted("Account", start, end)["deletedRecords"] == []
    assert store.updated("Account", middle, end)["ids"] == [one, two]
    assert store.updated("Account", middle, end + timedelta(hours=1))["latestDateCovered"].startswith(
        "2026-05-06T07:20"
    )


@pytest.mark.parametrize(
    ("back", "span", "message"),
    [
        (timedelta(days=1), timedelta(seconds=59), "endDate must be at least one minute greater than startDate"),
        (timedelta(days=1), timedelta(days=-1), "endDate must be at least one minute greater than startDate"),
        (timedelta(days=31), timedelta(days=1), "startDate cannot be more than 30 days ago"),
    ],
)
def test_a_span_of_time_that_cannot_be_told(
    store: Store, clock: Clock, back: timedelta, span: timedelta, message: str
) -> None:
    start = clock.time - back
    for call in (store.deleted, store.updated):
        with pytest.raises(OrgError) as raised:
            call("Account", start, start + span)
        assert (raised.value.code, raised.value.message) == ("INVALID_REPLICATION_DATE", message)


def test_totals_follow_what_is_deleted_and_brought_back(store: Store, context: RequestContext) -> None:
    campaign = store.create("Campaign", {"Name": "Fair"}, context)
    deal = {"Name": "O", "StageName": "Qualification", "CloseDate": "2026-05-06", "Amount": 5, "CampaignId": campaign}
    account = store.create("Account", {"Name": "Acme"}, context)
    store.create("Opportunity", deal | {"AccountId": account}, context)
    store.create("Opportunity", deal, context)

    def totals() -> list[object]:
        fields = ["NumberOfOpportunities", "AmountAllOpportunities"]
        found = store.get("Campaign", campaign, fields, context)
        return [found[name] for name in fields]

    assert totals() == [2, 10.0]
    store.delete("Account", account, context)
    assert totals() == [1, 5.0]
    store.undelete(account, context)
    assert totals() == [2, 10.0]
