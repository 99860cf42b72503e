"""Records through the facade, against a local org over a real socket."""

import enum
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import attrs
import pytest
from http_server import Reply, Server

from sfconnector import CallOptions, DuplicateRule, Retry, Salesforce, SaveResult, SObject, UpsertResult, auth, errors
from sfconnector.testing import LocalOrg

ID = "001000000000001AAA"
FIRST_DAY = datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))


@pytest.fixture
def org(local_org: LocalOrg) -> LocalOrg:
    local_org.add_field("Account", "Ext__c", "string(40) external_id")
    return local_org


@attrs.define
class Account:
    Name: str
    revenue: float | None = attrs.field(default=None, metadata={"api_name": "AnnualRevenue"})
    Id: str | None = None


def test_a_record_lives_and_dies(sf: Salesforce) -> None:
    contacts = sf.sobject("Contact")
    created = contacts.create({"LastName": "Skłodowska", "Birthdate": date(1867, 11, 7), "Email": "m@example.com"})
    assert isinstance(created, SaveResult)
    assert created.success
    contacts.update(created.id, {"FirstName": "Marie", "Email": None})
    record = contacts.get(created.id)
    assert (record["Name"], record["Birthdate"], record["Email"]) == ("Marie Skłodowska", "1867-11-07", None)
    contacts.delete(created.id)
    with pytest.raises(errors.NotFoundError, match="ENTITY_IS_DELETED"):
        contacts.get(created.id)


def test_fields_decide_what_is_read(sf: Salesforce) -> None:
    account_id = sf.sobject("Account").create({"Name": "Acme", "Phone": "1"}).id
    record = sf.sobject("Account").get(account_id, fields=["Name", "Phone"])
    assert set(record) == {"attributes", "Id", "Name", "Phone"}


def test_numbers_keep_their_digits(sf: Salesforce) -> None:
    opportunities = sf.sobject("Opportunity")
    amount = Decimal("12345678901234.91")
    record = {"Name": "Big", "StageName": "Prospecting", "CloseDate": date(2026, 1, 1), "Amount": amount}
    assert opportunities.get(opportunities.create(record).id)["Amount"] == float(amount)


@pytest.mark.parametrize("key", ["A-42", "a/b?c#d %+é", "..a", "%2F", "O'Neil", "42"])
def test_an_external_id_may_be_any_text(org: LocalOrg, sf: Salesforce, key: str) -> None:
    account = sf.sobject("Account")
    first = account.upsert("Ext__c", key, {"Name": "One"})
    again = account.upsert("Ext__c", key, {"Name": "Two", "ext__c": key})
    assert (first.created, again) == (True, UpsertResult(first.id, created=False))
    assert account.get_by_external_id("Ext__c", key)["Ext__c"] == key
    assert account.get_by_external_id("Ext__c", key, fields=["Name"])["Name"] == "Two"
    account.delete_by_external_id("Ext__c", key)
    with pytest.raises(errors.NotFoundError):
        account.get_by_external_id("Ext__c", key)


def test_an_external_id_may_be_a_number(org: LocalOrg, sf: Salesforce) -> None:
    assert sf.sobject("Account").upsert("Ext__c", 42, {"Name": "One", "Ext__c": "42"}).created
    assert sf.sobject("Account").get_by_external_id("Ext__c", 42)["Ext__c"] == "42"


def test_several_matches_change_nothing(org: LocalOrg, sf: Salesforce) -> None:
    account = sf.sobject("Account")
    ids = {account.create({"Name": name, "Ext__c": "same"}).id for name in ("One", "Two")}
    with pytest.raises(errors.MultipleMatchesError) as caught:
        account.upsert("Ext__c", "same", {"Name": "Three"})
    assert {path.rpartition("/")[2] for path in caught.value.matches} == ids
    assert {record["Name"] for record in sf.query("SELECT Name FROM Account")} == {"One", "Two"}


def test_before_46_an_upsert_that_updates_answers_nothing(org: LocalOrg) -> None:
    login = auth.ClientCredentials(org.url, org.client_id, org.client_secret)
    with Salesforce(login, api_version="45.0") as old:
        first = old.sobject("Account").upsert("Ext__c", "x", {"Name": "One"})
        again = old.sobject("Account").upsert("Ext__c", "x", {"Name": "Two"})
    assert first.created
    assert first.id is not None
    assert again == UpsertResult(None, created=False)


def test_instances_of_a_class_go_both_ways(sf: Salesforce) -> None:
    accounts = sf.sobject(Account)
    created = accounts.create(Account("Acme", revenue=10.0))
    acme = accounts.get(created.id)
    assert acme == Account("Acme", 10.0, created.id)
    acme.revenue = None
    accounts.update(created.id, acme)
    assert accounts.get(created.id).revenue is None
    assert sf.sobject("Account").get(created.id, fields=["AnnualRevenue"])["AnnualRevenue"] is None


def test_a_class_with_relationships_is_for_queries(sf: Salesforce) -> None:
    @attrs.frozen
    class Task:
        Subject: str
        Owner: Account

    with pytest.raises(ValueError, match=r"use query\(\)"):
        sf.sobject(Task).get("00T000000000001AAA")


def test_options_are_sent_as_headers(sf: Salesforce, local_org: LocalOrg) -> None:
    lead = sf.sobject("Lead").create(
        {"LastName": "Curie", "Company": "Sorbonne"},
        auto_assign=False,
        duplicate_rule=DuplicateRule(allow_save=True, run_as_current_user=False),
        call_options=CallOptions(client="import", default_namespace="acme"),
    )
    headers = local_org.requests[-1].headers
    assert headers["sforce-auto-assign"] == "FALSE"
    assert headers["sforce-duplicate-rule-header"] == "allowSave=true; runAsCurrentUser=false"
    assert headers["sforce-call-options"] == "client=import, defaultNamespace=acme"
    sf.sobject("Lead").update(lead.id, {"Company": "Radium"}, auto_assign="01Q000000000001AAA")
    assert local_org.requests[-1].headers["sforce-auto-assign"] == "01Q000000000001AAA"


def test_what_has_not_changed_is_not_read_again(sf: Salesforce) -> None:
    accounts = sf.sobject("Account")
    account_id = accounts.create({"Name": "Acme"}).id
    now = datetime.now(UTC)
    assert accounts.get(account_id, if_modified_since=now + timedelta(minutes=1)) is None
    changed = accounts.get(account_id, if_modified_since=now - timedelta(days=1))
    assert changed is not None
    assert changed["Name"] == "Acme"
    assert accounts.describe(if_modified_since=now + timedelta(minutes=1)) is None


def test_what_has_changed_meanwhile_is_not_overwritten(sf: Salesforce) -> None:
    accounts = sf.sobject("Account")
    account_id = accounts.create({"Name": "Acme"}).id
    with pytest.raises(errors.ConflictError):
        accounts.update(account_id, {"Name": "Other"}, if_unmodified_since=datetime.now(UTC) - timedelta(days=1))
    assert accounts.get(account_id)["Name"] == "Acme"


def test_the_description_names_fields_and_relationships(sf: Salesforce) -> None:
    described = sf.sobject("Account").describe()
    assert described.key_prefix == "001"
    name = next(field for field in described.fields if field.name == "Name")
    assert (name.type, name.length, name.nillable) == ("string", 255, False)
    assert "Contacts" in {child.relationship_name for child in described.child_relationships}
    assert sf.sobject("Account").info().object_describe.name == "Account"


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda sf: sf.sobject(""), ValueError, "is no API name"),
        (lambda sf: sf.sobject("Account/../User"), ValueError, "is no API name"),
        (lambda sf: sf.sobject(42), TypeError, "attrs classes or dataclasses"),
        (lambda sf: sf.sobject("Account").get("nonsense"), ValueError, "'nonsense' is no id"),
        (lambda sf: sf.sobject("Account").get(42), TypeError, "an id is a text"),
        (lambda sf: sf.sobject("Account").get("001000000000001", fields="Name"), TypeError, r"give \['Name'\]"),
        (lambda sf: sf.sobject("Account").get("001000000000001", fields=[]), ValueError, "fields is empty"),
        (lambda sf: sf.sobject("Account").get("001000000000001", fields=["a,b"]), ValueError, "a field 'a,b'"),
        (lambda sf: sf.sobject("Account").create({}), ValueError, "the Account record is empty"),
        (lambda sf: sf.sobject("Account").create("Acme"), TypeError, "a record is a dict"),
        (lambda sf: sf.sobject("Account").create({"X": datetime(2024, 1, 1)}), ValueError, "no time zone"),
        (lambda sf: sf.sobject("Account").create({"X": 1}, auto_assign="x"), ValueError, "'x' is no id"),
        (lambda sf: sf.sobject("Account").update("001000000000001", {}), ValueError, "record is empty"),
        (lambda sf: sf.sobject("Account").upsert("Ext__c", "", {"X": 1}), ValueError, "the external id is empty"),
        (lambda sf: sf.sobject("Account").upsert("Ext__c", 1.5, {"X": 1}), TypeError, "a text or a whole number"),
        (lambda sf: sf.sobject("Account").upsert("Ext__c", True, {"X": 1}), TypeError, "a text or a whole number"),
        (lambda sf: sf.sobject("Account").upsert("a b", "x", {"X": 1}), ValueError, "the external-id field 'a b'"),
        (lambda sf: sf.sobject("Account").upsert("Ext__c", "x", {"Ext__c": "y"}), ValueError, "own Ext__c is not"),
        (lambda sf: sf.sobject("Account").upsert(None, "x", {"X": 1}), TypeError, "the external-id field is named by"),
        (lambda sf: sf.sobject("Account").delete("1"), ValueError, "'1' is no id"),
        (lambda sf: sf.sobject("Account").delete(ID, call_options="me"), TypeError, "a CallOptions is needed"),
        (lambda sf: sf.sobject("Account").create({"X": 1}, duplicate_rule=True), TypeError, "a DuplicateRule is"),
        (lambda sf: sf.sobject("Account").create({"X": time(1, tzinfo=UTC)}), ValueError, "X: a Salesforce time has"),
        (lambda sf: sf.sobject("Account").get(ID, if_modified_since="2024-01-01"), TypeError, "a datetime is needed"),
        (lambda sf: sf.sobject("Account").get(ID, if_modified_since=date(2024, 1, 1)), TypeError, "a datetime is"),
        (lambda sf: sf.sobject("Account").create({"X": FIRST_DAY}), ValueError, "X: .* has no form in UTC"),
        (
            lambda sf: sf.sobject("Account").get("001000000000001", if_modified_since=datetime(2024, 1, 1)),
            ValueError,
            "no time zone",
        ),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(
    sf: Salesforce, local_org: LocalOrg, call: Callable[[Salesforce], Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        call(sf)
    assert len(local_org.requests) == 0


def test_a_refusal_says_what_was_asked_and_what_came_back(sf: Salesforce) -> None:
    with pytest.raises(errors.BadRequestError) as caught:
        sf.sobject("Contact").create({"FirstName": "Marie"})
    error = caught.value
    assert (error.status, error.code, error.method, error.path) == (
        400,
        "REQUIRED_FIELD_MISSING",
        "POST",
        "/sobjects/Contact",
    )
    assert error.errors[0].fields == ("LastName",)
    assert str(error).startswith("POST /sobjects/Contact: 400 REQUIRED_FIELD_MISSING: ")
    assert "Marie" not in str(error) + repr(error)


def test_an_unknown_object_is_not_found(sf: Salesforce) -> None:
    with pytest.raises(errors.NotFoundError, match="NOT_FOUND"):
        sf.sobject("Nonsense__c").create({"Name": "x"})
    with pytest.raises(errors.NotFoundError):
        sf.sobject("Nonsense__c").describe()


def test_a_delete_whose_answer_was_lost_has_happened(sf: Salesforce, local_org: LocalOrg) -> None:
    accounts = sf.sobject("Account")
    account_id = accounts.create({"Name": "Acme"}).id
    local_org.faults.cut(applied=True, method="DELETE", times=1)
    accounts.delete(account_id)
    assert [request.method for request in local_org.requests][-2:] == ["DELETE", "DELETE"]


def test_a_create_whose_answer_was_lost_is_not_sent_again(sf: Salesforce, local_org: LocalOrg) -> None:
    local_org.faults.cut(applied=True, method="POST", path="/services/data/*", times=1)
    with pytest.raises(errors.TransportError, match="may have arrived") as caught:
        sf.sobject("Account").create({"Name": "Acme"})
    assert caught.value.sent
    assert sf.query("SELECT COUNT() FROM Account").total_size == 1


def test_an_upsert_whose_answer_was_lost_is_sent_again(org: LocalOrg, sf: Salesforce) -> None:
    org.faults.cut(applied=True, method="PATCH", times=1)
    saved = sf.sobject("Account").upsert("Ext__c", "x", {"Name": "Acme"})
    assert saved.id is not None
    assert sf.query("SELECT COUNT() FROM Account").total_size == 1


@pytest.mark.parametrize("status", [200, 201])
def test_a_success_that_says_otherwise_of_the_record_is_an_error(status: int) -> None:
    failed = {"success": False, "errors": [{"statusCode": "DUPLICATE_VALUE", "message": "twice", "fields": ["Ext__c"]}]}
    with Server([Reply.of(failed, status)]) as server, Salesforce(auth.AccessToken(server.url, "token")) as sf:
        with pytest.raises(errors.RecordError, match="DUPLICATE_VALUE: twice") as caught:
            sf.sobject("Account").create({"Name": "x"})
        assert caught.value.errors[0].fields == ("Ext__c",)
        with pytest.raises(errors.RecordError):
            sf.sobject("Account").upsert("Ext__c", "x", {"Name": "x"})


def test_a_record_without_an_id_is_an_error() -> None:
    reply = Reply.of({"success": True, "errors": []}, 201)
    with (
        Server([reply]) as server,
        Salesforce(auth.AccessToken(server.url, "token")) as sf,
        pytest.raises(errors.InvalidResponseError, match="lacks the id"),
    ):
        sf.sobject("Account").create({"Name": "x"})


def test_a_delete_of_what_was_never_there_is_not_found(org: LocalOrg, sf: Salesforce) -> None:
    org.faults.unavailable(times=1, method="DELETE")
    with pytest.raises(errors.NotFoundError):
        sf.sobject("Account").delete("001000000000001AAA")
    with pytest.raises(errors.NotFoundError):
        sf.sobject("Account").delete_by_external_id("Ext__c", "nobody")


LOGIN_PAGE = Reply(body=b"<html><title>Log in</title></html>", headers={"Content-Type": "text/html"})


@pytest.mark.parametrize(
    "reply", [LOGIN_PAGE, Reply.of([1]), Reply(body=b"\xef\xbb\xbf{}")], ids=["page", "json", "bytes"]
)
@pytest.mark.parametrize(
    "write",
    [
        lambda accounts: accounts.update(ID, {"Name": "x"}),
        lambda accounts: accounts.delete(ID),
        lambda accounts: accounts.delete_by_external_id("Ext__c", "1"),
    ],
)
def test_what_somebody_else_answered_is_no_success(write: Callable[[SObject[Any]], Any], reply: Reply) -> None:
    with Server([reply]) as server, Salesforce(auth.AccessToken(server.url, "x"), retry=Retry(attempts=1)) as sf:
        accounts = sf.sobject("Account")
        with pytest.raises(errors.InvalidResponseError, match="an empty answer was expected"):
            write(accounts)


def test_an_upsert_without_a_result_is_an_error() -> None:
    with Server([Reply(200, b"")]) as server, Salesforce(auth.AccessToken(server.url, "x")) as sf:
        accounts = sf.sobject("Account")
        with pytest.raises(errors.InvalidResponseError, match="lacks the result of the upsert"):
            accounts.upsert("Ext__c", "1", {"Name": "x"})


class Region(str, enum.Enum):  # noqa: UP042  # the kind whose str() is not its value
    NORTH = "N-1"


def test_an_enum_names_the_record_by_its_value() -> None:
    with Server([Reply.of({})]) as server, Salesforce(auth.AccessToken(server.url, "x")) as sf:
        sf.sobject("Account").get_by_external_id("Ext__c", Region.NORTH)
        assert server.seen[0].target.endswith("/sobjects/Account/Ext__c/N-1")


def test_options_that_say_nothing_are_not_sent() -> None:
    created = Reply.of({"id": ID, "success": True, "errors": []}, 201)
    with Server([created]) as server, Salesforce(auth.AccessToken(server.url, "x")) as sf:
        sf.sobject("Account").create({"Name": "x"}, duplicate_rule=DuplicateRule(), call_options=CallOptions())
        assert not {"sforce-duplicate-rule-header", "sforce-call-options"} & set(server.seen[0].headers)


@pytest.mark.parametrize("value", ["", " ", "a, defaultNamespace=b", "a=b", "a\r\nX: 1", 7, b"a"])
def test_an_option_cannot_start_another_one(value: Any) -> None:
    with pytest.raises(ValueError, match="blank, or holds what separates"):
        CallOptions(client=value)


@pytest.mark.parametrize("value", ["false", 0, b"x"])
def test_switches_are_booleans(value: Any) -> None:
    with pytest.raises(TypeError, match="allow_save"):
        DuplicateRule(allow_save=value)
