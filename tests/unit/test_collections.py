"""Many records at a time: what is sent of them, in which calls, and what comes back."""

import gc
import json
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count, islice
from typing import Any

import attrs
import pytest
from collection_server import Collections
from http_server import Answer, Reply, Server

from sfconnector import CallOptions, DuplicateRule, Hooks, RecordResult, RecordResults, Salesforce, auth, errors
from sfconnector.testing import LocalOrg


@attrs.frozen
class Account:
    Name: str
    revenue: float | None = attrs.field(default=None, metadata={"api_name": "AnnualRevenue"})
    Ext__c: str | None = None
    Id: str | None = None


@dataclass
class Person:
    __sobject__ = "Contact"
    LastName: str
    Id: str | None = field(default=None)


def names(number: int) -> Iterator[dict[str, Any]]:
    return ({"Name": f"Account {each}"} for each in range(number))


@pytest.fixture
def org(local_org: LocalOrg) -> LocalOrg:
    local_org.add_field("Account", "Ext__c", "string(40) unique external_id")
    return local_org


# ------------------------------------------------------------------------------------------------- against an org


def test_records_are_created_changed_and_deleted(sf: Salesforce, org: LocalOrg) -> None:
    accounts = sf.sobject("Account")
    created = list(accounts.create_many(names(450), workers=3))
    assert [result.index for result in created] == list(range(450))
    assert {(result.success, result.created, result.errors) for result in created} == {(True, True, ())}
    found = {record["Id"]: record["Name"] for record in sf.query("SELECT Id, Name FROM Account")}
    assert found == {result.id: result.record["Name"] for result in created}
    assert [result.record["Name"] for result in created] == [f"Account {number}" for number in range(450)]

    changes = ({"Id": result.id, "Phone": "+46 8 123", "Fax": None} for result in created)
    updated = list(accounts.update_many(changes, workers=3))
    assert {(result.success, result.created) for result in updated} == {(True, False)}
    assert sf.query("SELECT Id FROM Account WHERE Phone = '+46 8 123'").total_size == 450

    deleted = list(accounts.delete_many((result.id or "" for result in created), workers=3))
    assert [result.id for result in deleted] == [result.id for result in created]
    assert sf.query("SELECT Id FROM Account").total_size == 0


def test_each_result_has_the_record_that_was_handed_in(sf: Salesforce) -> None:
    records = [{"LastName": "Curie"}, {"FirstName": "Marie"}, {"LastName": "Meitner"}]
    results = list(sf.sobject("Contact").create_many(records, raise_on_failure=False))
    assert all(result.record is record for result, record in zip(results, records, strict=True))
    assert [result.success for result in results] == [True, False, True]
    assert (results[1].id, results[1].created) == (None, False)
    assert [(error.code, error.fields) for error in results[1].errors] == [("REQUIRED_FIELD_MISSING", ("LastName",))]
    assert "Marie" not in repr(results[1])


def test_upserts_tell_new_from_old(sf: Salesforce, org: LocalOrg) -> None:
    accounts = sf.sobject("Account")
    rows = [{"Ext__c": f"A-{number}", "Name": "Acme"} for number in range(3)]
    assert [result.created for result in accounts.upsert_many("Ext__c", rows[:2])] == [True, True]
    assert [result.created for result in accounts.upsert_many("Ext__c", rows)] == [False, False, True]
    assert sf.query("SELECT Id FROM Account").total_size == 3


def test_instances_are_written_as_single_ones_are(sf: Salesforce, org: LocalOrg) -> None:
    accounts = sf.sobject(Account)
    created = list(accounts.create_many([Account("One", Id="ignored"), Account("Two", 2.5)]))
    ids = [result.id or "" for result in created]
    one, two = accounts.get_many(ids)
    assert (one, two) == (Account("One", Id=ids[0]), Account("Two", 2.5, Id=ids[1]))
    assert accounts.update_many([Account("Two", None, Id=ids[1])]).failures() == []
    assert accounts.get(ids[1]).revenue is None
    assert [result.created for result in accounts.upsert_many("Ext__c", [Account("Three", Ext__c="A-3")])] == [True]
    assert accounts.delete_many(accounts.get_many(ids)).failures() == []  # type: ignore[type-var]  # none is None
    assert [account.Name for account in sf.query("FROM Account", into=Account)] == ["Three"]


def test_records_of_several_objects_share_calls(sf: Salesforce, local_org: LocalOrg) -> None:
    records = [
        {"attributes": {"type": "Account"}, "Name": "Acme"},
        Account("Attrs"),
        Person("Curie"),
        {"attributes": {"type": "contact", "url": "/services/data"}, "LastName": "Meitner"},
    ]
    results = list(sf.create_many(records))
    assert [request.path.rpartition("/")[2] for request in local_org.requests] == ["token", "sobjects"]
    assert [(result.id or "")[:3] for result in results] == ["001", "001", "003", "003"]

    people = list(sf.query("SELECT Id, LastName FROM Contact"))
    assert sf.update_many(person | {"FirstName": "Marie"} for person in people).failures() == []
    assert sf.query("SELECT Id FROM Contact WHERE FirstName = 'Marie'").total_size == 2
    everything = [*people, *(result.id or "" for result in results[:2])]
    assert sf.delete_many(everything).failures() == []
    assert (sf.query("SELECT Id FROM Contact").total_size, sf.query("SELECT Id FROM Account").total_size) == (0, 0)


def test_all_or_none_takes_back_the_whole_call_and_only_that(sf: Salesforce) -> None:
    records = [{"LastName": "One"}, {"LastName": "Two"}, {"LastName": "Three"}, {"FirstName": "Four"}]
    results = list(sf.sobject("Contact").create_many(records, all_or_none=True, batch_size=2, raise_on_failure=False))
    assert [result.success for result in results] == [True, True, False, False]
    assert [result.errors[0].code for result in results[2:]] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "REQUIRED_FIELD_MISSING",
    ]
    assert sorted(contact["LastName"] for contact in sf.query("SELECT LastName FROM Contact")) == ["One", "Two"]


def test_missing_records_are_none_and_the_order_is_that_of_the_ids(sf: Salesforce, local_org: LocalOrg) -> None:
    ids = [result.id or "" for result in sf.sobject("Account").create_many(names(2100), workers=2)]
    sf.sobject("Account").delete(ids[3])
    before = len(local_org.requests)
    records = list(sf.sobject("Account").get_many(reversed(ids), fields=["Id", "Name"], workers=2))
    assert len(local_org.requests) == before + 2
    assert [record and record["Id"] for record in records] == [
        None if record_id == ids[3] else record_id for record_id in reversed(ids)
    ]


def test_locked_rows_alone_are_sent_again(sf: Salesforce, local_org: LocalOrg) -> None:
    local_org.faults.lock_rows(times=3, path="*/composite/*")
    results = list(sf.sobject("Account").create_many(names(10)))
    assert [result.success for result in results] == [True] * 10
    assert [request.method for request in local_org.requests[1:]] == ["POST", "POST"]
    assert sf.query("SELECT Id FROM Account").total_size == 10


def test_a_deletion_whose_answer_was_lost_counts_as_done(sf: Salesforce, local_org: LocalOrg) -> None:
    ids = [result.id or "" for result in sf.sobject("Account").create_many(names(3))]
    local_org.faults.cut(applied=True, method="DELETE")
    results = list(sf.sobject("Account").delete_many(ids))
    assert [(result.success, result.id) for result in results] == [(True, record_id) for record_id in ids]
    again = list(sf.sobject("Account").delete_many(ids, raise_on_failure=False))
    assert {result.errors[0].code for result in again} == {"ENTITY_IS_DELETED"}


def test_an_upsert_whose_answer_was_lost_is_sent_again(sf: Salesforce, org: LocalOrg) -> None:
    org.faults.cut(applied=True, method="PATCH")
    results = list(sf.sobject("Account").upsert_many("Ext__c", [{"Ext__c": "A-1", "Name": "Acme"}]))
    assert [(result.success, result.created) for result in results] == [(True, False)]
    assert sf.query("SELECT Id FROM Account").total_size == 1


# ------------------------------------------------------------------------------------------------ what is sent


def test_calls_hold_what_the_documentation_asks_for() -> None:
    with Collections() as server, server.connect() as sf:
        record = {
            "attributes": {"type": "Account", "url": "…"},
            "Amount__c": Decimal("1.10"),
            "When__c": datetime(2026, 1, 2, tzinfo=UTC),
            "Owner": {"attributes": {"type": "User"}, "Ext__c": "U-1"},
        }
        options = {
            "auto_assign": False,
            "duplicate_rule": DuplicateRule(allow_save=True),
            "call_options": CallOptions(client="nightly"),
        }
        list(sf.sobject("Account").create_many([record], all_or_none=True, **options))
        list(sf.sobject("Account").upsert_many("Ext__c", [{"ext__C": "A-1"}], **options))
        list(sf.sobject("Account").delete_many(["001000000000001AAA"], all_or_none=True))
    create, upsert, delete = server.seen
    assert (create.method, create.target) == ("POST", "/services/data/v68.0/composite/sobjects")
    assert json.loads(create.body) == {
        "allOrNone": True,
        "records": [
            {
                "attributes": {"type": "Account"},
                "Amount__c": 1.10,
                "When__c": "2026-01-02T00:00:00.000Z",
                "Owner": {"attributes": {"type": "User"}, "Ext__c": "U-1"},
            }
        ],
    }
    assert b'"Amount__c":1.10' in create.body
    assert create.headers["sforce-auto-assign"] == "FALSE"
    assert create.headers["sforce-duplicate-rule-header"] == "allowSave=true"
    assert create.headers["sforce-call-options"] == "client=nightly"
    assert (upsert.method, upsert.target) == ("PATCH", "/services/data/v68.0/composite/sobjects/Account/Ext__c")
    assert json.loads(upsert.body)["allOrNone"] is False
    assert delete.target.endswith("/composite/sobjects?ids=001000000000001AAA&allOrNone=true")


@pytest.mark.parametrize(("size", "sizes"), [(200, [200, 200, 50]), (150, [150, 150, 150])])
def test_calls_are_cut_by_number(size: int, sizes: list[int]) -> None:
    with Collections() as server, server.connect() as sf:
        list(sf.sobject("Account").create_many(names(450), batch_size=size))
    assert [len(call) for call in server.calls] == sizes


def test_calls_are_cut_by_size() -> None:
    records = [{"Description": "x" * length} for length in (400, 400, 400, 900, 1, 1)]
    with Collections() as server, server.connect() as sf:
        list(sf.sobject("Account").create_many(records, max_bytes=1100))
        with pytest.raises(ValueError, match=r"record 1: it has 1,250 bytes, and a call may have 1,100"):
            list(sf.sobject("Account").create_many([{"Name": "x"}, {"Description": "x" * 1200}], max_bytes=1100))
    assert [len(call) for call in server.calls] == [2, 1, 1, 2]
    assert all(len(seen.body) <= 1100 for seen in server.seen)


def test_calls_are_cut_where_the_object_changes_for_the_tenth_time() -> None:
    kinds = ["Account", "Contact"] * 12
    with Collections() as server, server.connect() as sf:
        list(sf.create_many({"attributes": {"type": kind}, "Name": "x"} for kind in kinds))
        list(sf.delete_many(f"{number % 2}0000000000000{number:02}"[:15] for number in range(24)))
    assert [len(call) for call in server.calls] == [10, 10, 4, 10, 10, 4]


def test_an_endless_source_is_read_as_far_as_needed() -> None:
    taken = count()

    def source() -> Iterator[dict[str, Any]]:
        while True:
            yield {"Name": str(next(taken))}

    with Collections() as server, server.connect() as sf:
        results = sf.sobject("Account").create_many(source(), workers=2)
        assert [result.index for result in islice(results, 1000)] == list(range(1000))
        results.close()
        assert next(taken) <= 1000 + 200 * 2 * 2 + 200
        assert list(results) == []
    assert len(server.calls) <= 10


def test_results_come_in_order_however_the_answers_come() -> None:
    later = threading.Event()

    def hold(number: int, records: list[Any]) -> Answer | None:
        if records[0]["Name"] == "Account 0":
            assert later.wait(10)
        else:
            later.set()
        return None

    with Collections(intervene=hold) as server, server.connect() as sf:
        results = list(sf.sobject("Account").create_many(names(1000), workers=3))
    assert [result.index for result in results] == list(range(1000))
    assert len(server.calls) == 5


def test_workers_work_at_the_same_time() -> None:
    together = threading.Barrier(4)

    def meet(number: int, records: list[Any]) -> None:
        together.wait(10)

    with Collections(intervene=meet) as server, server.connect() as sf:
        assert sum(1 for _ in sf.sobject("Account").create_many(names(1600), workers=4)) == 1600


def test_hooks_see_the_context_of_the_caller() -> None:
    trace = ContextVar("trace", default="none")
    seen = []
    hooks = Hooks(on_request=lambda event: seen.append((event.operation, trace.get())))
    with Collections() as server:
        sf = Salesforce(auth.AccessToken(server.url, "token"), hooks=hooks)
        trace.set("of the caller")
        with sf:
            list(sf.sobject("Account").create_many(names(400), workers=2))
    assert seen == [("create_records", "of the caller")] * 2


def test_threads_may_share_the_results() -> None:
    with Collections() as server, server.connect() as sf:
        results = sf.sobject("Account").create_many(names(2000), workers=2)
        found: list[int] = []
        threads = [threading.Thread(target=lambda: found.extend(result.index for result in results)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == list(range(2000))


# -------------------------------------------------------------------------------------------- lazy, and no waste


def test_nothing_is_sent_before_the_first_result_is_asked_for() -> None:
    with Collections() as server, server.connect() as sf:
        results = sf.sobject("Account").create_many(names(3))
        assert repr(results) == "<RecordResults of create_many of Account>"
        assert server.calls == []
        assert [result.success for result in results] == [True] * 3
        assert list(results) == []
    assert len(server.calls) == 1


def test_results_that_nobody_looked_at_are_warned_of() -> None:
    with Collections() as server, server.connect() as sf:
        with pytest.warns(RuntimeWarning, match="create_many of Account was never iterated, so nothing") as caught:
            sf.sobject("Account").create_many(names(3))
        assert caught[0].filename == __file__
        with pytest.warns(RuntimeWarning, match="delete_many was never iterated"):
            sf.delete_many([])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            used = sf.sobject("Account").create_many(names(3))
            next(used)
            closed = sf.sobject("Account").create_many(names(3))
            closed.close()
            assert list(closed) == []
            del used, closed
            gc.collect()
    assert len(server.calls) == 1


def test_a_program_that_forgets_the_results_is_told_at_its_end() -> None:
    program = (
        "from sfconnector import Salesforce, auth\n"
        "sf = Salesforce(auth.AccessToken('http://127.0.0.1:9', 'token'))\n"
        "results = sf.sobject('Account').create_many([{'Name': 'x'}])\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert "<string>:3: RuntimeWarning: create_many of Account was never iterated" in run.stderr


def test_no_records_are_no_call() -> None:
    with Collections() as server, server.connect() as sf:
        assert list(sf.sobject("Account").create_many([])) == []
        assert sf.sobject("Account").update_many(iter(())).failures() == []
        assert list(sf.sobject("Account").get_many([], fields=["Id"])) == []
        assert list(sf.delete_many([])) == []
    assert server.calls == []


def read_ahead_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "sfconnector-read-ahead"]


def test_a_loop_that_is_left_sends_nothing_more_and_leaves_no_thread() -> None:
    with Collections() as server, server.connect() as sf:
        for result in sf.sobject("Account").create_many(names(5000), workers=3):
            if result.index == 10:
                break
        sent = len(server.calls)
        assert sent <= 1 + 2 * 3
        assert read_ahead_threads() == []
        list(sf.sobject("Account").create_many(names(1)))
        assert len(server.calls) == sent + 1


def test_an_iteration_can_go_on_after_a_pause() -> None:
    with Collections() as server, server.connect() as sf:
        results = sf.sobject("Account").create_many(names(500))
        first = [result.index for result in islice(results, 7)]
        assert first + [result.index for result in results] == list(range(500))
        assert results.unfinished is None


# ------------------------------------------------------------------------------------------------- bad arguments


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"workers": 0}, "workers is a whole number above 0"),
        ({"workers": 1.5}, "workers is a whole number above 0"),
        ({"workers": True}, "workers is a whole number above 0"),
        ({"batch_size": 201}, "batch_size is 201, and Salesforce takes 200"),
        ({"batch_size": 0}, "batch_size"),
        ({"max_bytes": 0}, "max_bytes"),
        ({"auto_assign": "yes"}, "no id"),
        ({"duplicate_rule": "yes"}, "DuplicateRule"),
        ({"call_options": "yes"}, "CallOptions"),
    ],
)
def test_options_that_cannot_be_right_are_refused_at_once(sf: Salesforce, options: Any, text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        sf.sobject("Account").create_many([{"Name": "x"}], **options)


@pytest.mark.parametrize("records", [{"Name": "x"}, "001000000000001AAA", b"x", None, 5])
def test_one_record_is_not_many(sf: Salesforce, records: Any) -> None:
    for method in (sf.create_many, sf.sobject("Account").delete_many, sf.sobject("Account").update_many):
        with pytest.raises(TypeError, match="takes many"):
            method(records)


ID = "001000000000001AAA"
BAD: list[tuple[str, Any, type[Exception], str]] = [
    ("create_many", 5, TypeError, "record 1: a record is a dict of field names and values, not a int"),
    ("create_many", {}, ValueError, "record 1: it is empty"),
    ("create_many", {"attributes": {"type": "Account"}}, ValueError, "record 1: it is empty"),
    ("create_many", {"Name": float("nan")}, ValueError, "record 1: Name: JSON has no number for nan"),
    ("create_many", {"Name": object()}, TypeError, "record 1: Name: a object has no place in a record"),
    ("create_many", {"Name": "\ud800"}, TypeError, "record 1: "),
    ("create_many", {5: "x"}, TypeError, "record 1: a field is named by a text"),
    ("create_many", {"When__c": datetime(2026, 1, 1)}, ValueError, "record 1: When__c: .* no time zone"),
    ("create_many", {"attributes": {"type": "Contact"}, "Name": "x"}, ValueError, "of Contact, not of Account"),
    ("create_many", Account("x"), TypeError, "record 1: a record is a dict"),
    ("update_many", {"Name": "x"}, ValueError, "record 1: it has no Id, by which it is to be updated"),
    ("update_many", {"Id": None, "Name": "x"}, ValueError, "record 1: it has no Id"),
    ("update_many", {"Id": "1", "Name": "x"}, ValueError, "record 1: '1' is no id"),
    ("update_many", {"Id": 5, "Name": "x"}, TypeError, "record 1: an id is a text"),
    ("update_many", {"id": ID}, ValueError, "record 1: it has nothing but its Id"),
    ("upsert_many", {"Name": "x"}, ValueError, "record 1: it has no Ext__c, by which it is to be upserted"),
    ("upsert_many", {"Ext__c": None, "Name": "x"}, ValueError, "record 1: it has no Ext__c"),
    ("upsert_many", {"Ext__c": "", "Name": "x"}, ValueError, "record 1: it has no Ext__c"),
    ("delete_many", "1", ValueError, "record 1: '1' is no id"),
    ("delete_many", None, TypeError, "record 1: an id is a text"),
    ("delete_many", {"Name": "x"}, ValueError, "record 1: it has no Id, by which it is to be deleted"),
    ("delete_many", Account("x"), ValueError, "record 1: it has no Id"),
    ("delete_many", {"attributes": {"type": "Lead"}, "Id": ID}, ValueError, "of Lead, not of Account"),
    ("delete_many", "003000000000001AAA", ValueError, "begins with 003, unlike those before, which begin with 001"),
]
GOOD: Mapping[str, Any] = {
    "create_many": {"Name": "x"},
    "update_many": {"Id": ID, "Name": "x"},
    "upsert_many": {"Ext__c": "A-1"},
    "delete_many": ID,
}


def many(sf: Salesforce, method: str, records: Any, **options: Any) -> RecordResults[Any]:
    arguments = ("Ext__c", records) if method == "upsert_many" else (records,)
    results: RecordResults[Any] = getattr(sf.sobject("Account"), method)(*arguments, **options)
    return results


@pytest.mark.parametrize(("method", "bad", "kind", "text"), BAD)
def test_a_record_that_cannot_be_sent_is_named(method: str, bad: Any, kind: type[Exception], text: str) -> None:
    with Collections() as server, server.connect() as sf:
        with pytest.raises(kind, match=text):
            list(many(sf, method, [GOOD[method], bad]))
        assert server.calls == []


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ({"Name": "x"}, "record 0: it does not say of which object it is"),
        ({"attributes": {"type": "not a name"}, "Name": "x"}, "record 0: the object 'not a name' is no API name"),
        ({"attributes": None, "Name": "x"}, "record 0: it does not say"),
    ],
)
def test_a_record_of_any_object_says_which(sf: Salesforce, record: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        list(sf.create_many([record]))


def test_what_get_many_cannot_do_it_says_at_once(sf: Salesforce) -> None:
    accounts = sf.sobject("Account")
    with pytest.raises(ValueError, match="get_many needs the fields"):
        accounts.get_many([ID])
    with pytest.raises(TypeError, match="takes many ids"):
        accounts.get_many(ID, fields=["Id"])
    with pytest.raises(TypeError, match="fields is a list"):
        accounts.get_many([ID], fields="Id")
    with pytest.raises(ValueError, match="workers"):
        accounts.get_many([ID], fields=["Id"], workers=0)
    with pytest.raises(errors.BadRequestError, match="INVALID_FIELD"):
        list(accounts.get_many([ID], fields=["Nonsense__c"]))


def test_a_malformed_id_comes_after_the_records_before_it(sf: Salesforce) -> None:
    ids = [result.id or "" for result in sf.sobject("Account").create_many(names(2000), workers=2)]
    records = sf.sobject("Account").get_many([*ids, "nonsense"], fields=["Id"])
    assert [record["Id"] for record in islice(records, 2000) if record] == ids
    with pytest.raises(ValueError, match="'nonsense' is no id"):
        next(records)


@pytest.mark.parametrize("body", [[], [None, None], [5], {"records": []}, ["x"], [{"Id": "001000000000002AAA"}]])
def test_an_answer_that_does_not_fit_the_ids_is_an_error(body: Any) -> None:
    with Server([Reply.of(body)]) as server, Salesforce(auth.AccessToken(server.url, "token")) as sf:
        records = sf.sobject("Account").get_many([ID], fields=["Id"])
        with pytest.raises(errors.InvalidResponseError):
            next(records)


def test_results_are_values() -> None:
    result = RecordResult(0, {"Name": "secret"}, None, success=False)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        result.index = 1  # type: ignore[misc]  # frozen
    assert "secret" not in repr(result)
