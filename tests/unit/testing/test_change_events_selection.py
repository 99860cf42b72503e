"""Gap and overflow events, and the selection of objects whose changes are told.

https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_other_events.htm
https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_select_objects.htm
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from change_events import Change, Changes

from sfconnector.testing._context import RequestContext
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


# -- overflow and gaps ----------------------------------------------------------------------------------------------


def test_too_many_changes_of_a_transaction_overflow(store: Store, context: RequestContext, changes: Changes) -> None:
    store.change_data_capture.overflow_after = 3
    with store.transaction():
        _accounts(store, context, 2)
        store.create("Lead", {"LastName": "L", "Company": "C"}, context)
        _accounts(store, context, 4)
        store.create("Contact", {"LastName": "C"}, context)

    told = changes.new()
    assert [change.what for change in told] == [
        ("CREATE", "Account"),
        ("CREATE", "Account"),
        ("CREATE", "Lead"),
        ("GAP_OVERFLOW", "Account"),
        ("GAP_OVERFLOW", "Contact"),
    ]
    assert [change.ids for change in told[3:]] == [["000000000000000AAA"]] * 2
    assert [change.fields for change in told[3:]] == [{}, {}]
    assert _numbers(told) == [1, 2, 3, 4, 5]


def test_each_field_of_an_update_counts(store: Store, context: RequestContext, changes: Changes) -> None:
    first, second = _accounts(store, context, 2)
    changes.new()
    store.change_data_capture.overflow_after = 3
    with store.transaction():
        store.update("Account", first, {"Phone": "1", "Fax": "2", "Site": "3"}, context)
        store.update("Account", second, {"Phone": "1"}, context)

    assert [change.kind for change in changes.new()] == ["UPDATE", "GAP_OVERFLOW"]


def test_an_org_overflows_after_the_documented_number(store: Store) -> None:
    assert store.change_data_capture.overflow_after == 100_000
    with pytest.raises(ValueError, match="1 to 100000"):
        store.change_data_capture.overflow_after = 0


def test_event_that_is_too_large_is_a_gap(store: Store, context: RequestContext, changes: Changes) -> None:
    # Each character takes three bytes.
    store.add_object("Doc__c", {f"Text{n}__c": "textarea(131072)" for n in range(4)})
    doc_id = store.create("Doc__c", {f"Text{n}__c": "€" * 100_000 for n in range(4)}, context)
    store.update("Doc__c", doc_id, {"Text0__c": "short"}, context)

    created, updated = changes.new()
    assert (created.kind, created.ids, created.fields) == ("GAP_CREATE", [doc_id], {})
    assert (updated.kind, updated.fields["Text0__c"]) == ("UPDATE", "short")


def test_gap_events_of_a_test(store: Store, context: RequestContext, changes: Changes) -> None:
    ids = _accounts(store, context, 2)
    changes.new()
    replay_id = store.change_data_capture.gap("Account", ids)
    store.change_data_capture.gap("Account", ids[:1], change_type="DELETE")
    store.change_data_capture.overflow("Account")

    told = changes.new()
    assert [(change.kind, change.ids) for change in told] == [
        ("GAP_UPDATE", ids),
        ("GAP_DELETE", ids[:1]),
        ("GAP_OVERFLOW", ["000000000000000AAA"]),
    ]
    assert told[0].replay_id == replay_id
    assert told[0].header["changeOrigin"] == ""
    assert all(change.fields == {} for change in told)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Account", "x"), "one of CREATE"),
        (("Account",), "give a list of their ids"),
        (("Note", "002Lo0000000001AAA"), "'Note' has no change events"),
        (("Nothing__c", "a00"), "'Nothing__c' has no change events"),
    ],
)
def test_gaps_that_cannot_be(store: Store, arguments: tuple[str, ...], message: str) -> None:
    change_type = "GAP" if arguments[-1] == "x" else "UPDATE"
    with pytest.raises(ValueError, match=message):
        store.change_data_capture.gap(arguments[0], arguments[1:], change_type=change_type)


# -- selection ------------------------------------------------------------------------------------------------------


def test_selected_objects_only(context: RequestContext) -> None:
    store = Store(change_data_capture=["account", "Item__c"])
    changes = Changes(store)
    store.add_object("Item__c")
    for sobject, values in (("Account", {"Name": "A"}), ("Contact", {"LastName": "C"}), ("Item__c", {})):
        store.create(sobject, values, context)

    assert [change.header["entityName"] for change in changes.new()] == ["Account", "Item__c"]
    assert store.change_data_capture.objects == ("Account", "Item__c")
    store.close()


def test_unselected_changes_leave_a_gap_in_the_numbers(context: RequestContext) -> None:
    store = Store(change_data_capture=["Account", "Lead"])
    changes = Changes(store)
    with store.transaction():
        store.create("Account", {"Name": "A"}, context)
        store.create("Contact", {"LastName": "C"}, context)
        store.create("Lead", {"LastName": "L", "Company": "C"}, context)

    told = changes.new()
    assert [change.header["entityName"] for change in told] == ["Account", "Lead"]
    assert _numbers(told) == [1, 3]
    store.close()


def test_selection_changes_while_the_org_runs(store: Store, context: RequestContext, changes: Changes) -> None:
    store.change_data_capture.select([])
    _accounts(store, context, 1)
    assert changes.new() == []
    assert store.change_data_capture.objects == ()

    store.change_data_capture.select(["Account"])
    _accounts(store, context, 1)
    assert len(changes.new()) == 1

    store.change_data_capture.select(None)
    store.create("Contact", {"LastName": "C"}, context)
    assert [change.what for change in changes.new()] == [("CREATE", "Contact")]
    assert {"Account", "Contact", "User"} <= {*store.change_data_capture.objects}
    assert "Note" not in store.change_data_capture.objects


def test_full_headers(store: Store, context: RequestContext, changes: Changes) -> None:
    account_id = store.create("Account", {"Name": "A", "Phone": "1", "BillingCity": "B"}, context)
    changes.new()
    store.change_data_capture.full_header = True
    store.update("Account", account_id, {"Phone": None, "BillingCity": None, "Fax": "2"}, context)

    (change,) = changes.new()
    assert change.header["nulledFields"] == ["Phone", "BillingAddress.City"]
    assert change.header["diffFields"] == []


@pytest.mark.parametrize("name", ["Note", "Acount", "AccountChangeEvent", 3])
def test_object_that_cannot_be_selected(store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="has no change events here"):
        store.change_data_capture.select([name])


def test_members_of_a_custom_channel_are_selected(tmp_path: Path, context: RequestContext) -> None:
    path = tmp_path / "org.db"
    for number in (1, 2):
        store = Store(path=path, change_data_capture=["Lead"])
        if number == 1:
            store.events.channels.add("Sales__chn", ["AccountChangeEvent", "Item__ChangeEvent"])
            store.add_object("Item__c")
        changes = Changes(store, "/data/Sales__chn")
        changes.new()
        store.create("Account", {"Name": "A"}, context)
        store.create("Contact", {"LastName": "C"}, context)
        store.create("Lead", {"LastName": "L", "Company": "C"}, context)
        store.create("Item__c", {}, context)
        assert [change.header["entityName"] for change in changes.new()] == ["Account", "Item__c"]
        assert store.change_data_capture.objects == ("Account", "Item__c", "Lead")
        store.close()


def test_custom_channel_without_change_events_of_its_members(store: Store) -> None:
    with pytest.raises(ValueError, match="there are no change events of Note"):
        store.events.channels.add("Sales__chn", ["NoteChangeEvent"])


def test_selection_is_no_text() -> None:
    with pytest.raises(TypeError, match=r"such as \['Account'\]"):
        Store(change_data_capture="Account")


def test_events_outlive_the_org(tmp_path: object) -> None:
    path = f"{tmp_path}/org.db"
    store = Store(path=path)
    store.create("Account", {"Name": "A"}, store.context())
    store.close()

    store = Store(path=path)
    first = store.events.after("/data/ChangeEvents", 0, 10)
    changes = Changes(store)
    store.create("Account", {"Name": "B"}, store.context())
    (second,) = changes.new()
    assert len(first) == 1
    assert second.replay_id > first[0].replay_id
    store.close()
