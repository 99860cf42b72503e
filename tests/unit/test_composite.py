"""Several requests in one call: what is sent, what is refused before that, and what becomes of the answer."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest
from http_server import Cut, Reply, Seen, Server
from hypothesis import given
from hypothesis import strategies as st
from session_tools import TOKEN, quick
from sfconnector_generated.rest.api.collections import create_records
from sfconnector_generated.rest.api.org import get_limits, get_user_info
from sfconnector_generated.rest.api.sobjects import create_record, get_record
from sfconnector_generated.rest.models import RecordsRequest

from sfconnector import Salesforce, SaveResult, UpsertResult, auth, errors, soql

ACCOUNT, CONTACT = "001000000000001AAA", "003000000000001AAA"
BASE = "/services/data/v68.0"


@attrs.frozen
class Account:
    Name: str
    ParentId: str | None = None
    Id: str | None = None


@contextmanager
def on(answer: Callable[[Any], Any]) -> Iterator[tuple[Salesforce, Server]]:
    """A client on a server that answers the decoded body of each request."""

    def reply(seen: Seen) -> Reply | Cut:
        answered = answer(json.loads(seen.body)) if seen.body else answer(None)
        return answered if isinstance(answered, Reply | Cut) else Reply.of(answered)

    with Server(reply) as server, Salesforce(auth.AccessToken(server.url, TOKEN), retry=quick()) as sf:
        yield sf, server


@pytest.fixture
def offline() -> Iterator[Salesforce]:
    with Salesforce(auth.AccessToken("https://acme.my.salesforce.com", TOKEN)) as sf:
        yield sf


def created(name: str, record_id: str) -> dict[str, Any]:
    body = {"id": record_id, "success": True, "errors": []}
    headers = {"Location": f"{BASE}/sobjects/Account/{record_id}"}
    return {"body": body, "httpHeaders": headers, "httpStatusCode": 201, "referenceId": name}


def failed(name: str, code: str, status: int = 400) -> dict[str, Any]:
    body = [{"errorCode": code, "message": "…", "fields": ["Name"]}]
    return {"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": name}


def done(name: str, body: Any = None, status: int = 204) -> dict[str, Any]:
    return {"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": name}


class TestRequest:
    def test_later_requests_refer_to_earlier_answers(self) -> None:
        answers = [created("r1", ACCOUNT), created("curie", CONTACT), done("r3"), done("r4", {"Name": "Acme"}, 200)]
        with on(lambda _: {"compositeResponse": answers}) as (sf, server):
            composite = sf.composite.request(all_or_none=True, collate=False)
            account = composite.create("Account", {"Name": "Acme"})
            contact = composite.create("Contact", {"LastName": "C", "AccountId": account.id}, reference_id="curie")
            update = composite.update("Account", account.id, {"Description": contact.at("id")})
            got = composite.get("Account", account.id, ["Name"])
            results = composite.send()
        assert json.loads(server.seen[0].body) == {
            "allOrNone": True,
            "collateSubrequests": False,
            "compositeRequest": [
                {
                    "method": "POST",
                    "url": f"{BASE}/sobjects/Account",
                    "referenceId": "r1",
                    "body": {"Name": "Acme"},
                },
                {
                    "method": "POST",
                    "url": f"{BASE}/sobjects/Contact",
                    "referenceId": "curie",
                    "body": {"LastName": "C", "AccountId": "@{r1.id}"},
                },
                {
                    "method": "PATCH",
                    "url": f"{BASE}/sobjects/Account/@{{r1.id}}",
                    "referenceId": "r3",
                    "body": {"Description": "@{curie.id}"},
                },
                {"method": "GET", "url": f"{BASE}/sobjects/Account/@{{r1.id}}?fields=Name", "referenceId": "r4"},
            ],
        }
        assert (server.seen[0].method, server.seen[0].target) == ("POST", f"{BASE}/composite")
        assert results[account] == SaveResult(ACCOUNT)
        assert results[contact].id == CONTACT
        assert results[update] is None
        assert results[got] == {"Name": "Acme"}
        assert [result.status for result in results] == [201, 201, 204, 200]
        assert results.result(account).headers["Location"].endswith(ACCOUNT)

    def test_every_verb_has_a_typed_answer(self) -> None:
        page = {"totalSize": 1, "done": True, "records": [{"Id": ACCOUNT}]}
        answers = [
            done("r1", {"id": ACCOUNT, "success": True, "errors": [], "created": False}, 200),
            done("r2", page, 200),
            done("r3"),
            done("r4"),
            done("r5", {"Name": "Acme", "ParentId": None, "Id": ACCOUNT}, 200),
            done("r6", {"DailyApiRequests": {"Max": 1}}, 200),
            done("r7", {"Name": "Acme"}, 200),
        ]
        with on(lambda _: {"compositeResponse": answers}) as (sf, server):
            composite = sf.composite.request()
            upsert = composite.upsert("Account", "Ext__c", "a/b", {"Ext__c": "a/b", "Name": "Acme"})
            query = composite.query(soql("SELECT Id FROM Account WHERE Id = {id}", id=upsert.id))
            delete = composite.delete("Contact", query.at("records", 0, "Id"))
            gone = composite.delete_by_external_id("Account", "Ext__c", "b c")
            typed = composite.get(Account, ACCOUNT)
            limits = composite.add(get_limits.build(), get_limits.parse)
            found = composite.get_by_external_id("Account", "Ext__c", "é")
            results = composite.send()
        urls = [each["url"].removeprefix(BASE) for each in json.loads(server.seen[0].body)["compositeRequest"]]
        assert urls == [
            "/sobjects/Account/Ext__c/a%2Fb",
            "/query?q=SELECT%20Id%20FROM%20Account%20WHERE%20Id%20%3D%20%27@{r1.id}%27",
            "/sobjects/Contact/@{r2.records[0].Id}",
            "/sobjects/Account/Ext__c/b%20c",
            f"/sobjects/Account/{ACCOUNT}?fields=Name,ParentId,Id",
            "/limits",
            "/sobjects/Account/Ext__c/%C3%A9",
        ]
        assert results[upsert] == UpsertResult(ACCOUNT, created=False)
        assert results[query].records == [{"Id": ACCOUNT}]
        assert (results[delete], results[gone]) == (None, None)
        assert results[typed] == Account("Acme", None, ACCOUNT)
        assert results[limits] == {"DailyApiRequests": {"Max": 1}}
        assert results[found] == {"Name": "Acme"}

    def test_instances_of_a_class_may_hold_references(self) -> None:
        with on(lambda _: {"compositeResponse": [created("r1", ACCOUNT), created("r2", ACCOUNT)]}) as (sf, server):
            composite = sf.composite.request()
            parent = composite.create(Account, Account("Acme"))
            composite.create(Account, Account("Child", ParentId=parent.id))
            composite.send()
        bodies = [each["body"] for each in json.loads(server.seen[0].body)["compositeRequest"]]
        assert bodies == [{"Name": "Acme"}, {"Name": "Child", "ParentId": "@{r1.id}"}]

    def test_headers_of_an_operation_go_along(self) -> None:
        with on(lambda _: {"compositeResponse": [created("r1", ACCOUNT)]}) as (sf, server):
            composite = sf.composite.request()
            composite.add(create_record.build("Lead", body={"LastName": "L"}, sforce_auto_assign="FALSE"))
            composite.send()
        [subrequest] = json.loads(server.seen[0].body)["compositeRequest"]
        assert subrequest["httpHeaders"] == {"Sforce-Auto-Assign": "FALSE"}

    def test_the_first_cause_of_a_failure_is_told(self) -> None:
        answers = [failed("r1", "PROCESSING_HALTED"), failed("r2", "REQUIRED_FIELD_MISSING")]
        with on(lambda _: {"compositeResponse": answers}) as (sf, _):
            composite = sf.composite.request(all_or_none=True)
            account = composite.create("Account", {"Name": "Acme"})
            contact = composite.create("Contact", {"AccountId": account.id})
            with pytest.raises(errors.RecordError) as caught:
                composite.send()
            results = composite.send(raise_on_failure=False)
        error = caught.value
        assert error.code == "REQUIRED_FIELD_MISSING"
        assert "2 of 2 requests failed, 1 × REQUIRED_FIELD_MISSING, 1 × PROCESSING_HALTED; r2" in str(error)
        assert "r2 (POST /sobjects/Contact) failed: REQUIRED_FIELD_MISSING" in str(error)
        assert [failure.subrequest.reference_id for failure in error.failures] == ["r2", "r1"]
        assert [(result.success, result.halted) for result in results] == [(False, True), (False, False)]
        with pytest.raises(errors.RecordError, match=r"r1 .* failed: PROCESSING_HALTED"):
            results[account]
        with pytest.raises(errors.RecordError, match="REQUIRED_FIELD_MISSING"):
            results[contact]

    def test_what_was_taken_back_is_no_success(self) -> None:
        saved = [{"id": ACCOUNT, "success": True, "errors": []}]
        answers = [done("r1", saved, 200), failed("r2", "REQUIRED_FIELD_MISSING")]
        for all_or_none in (True, False):
            with on(lambda _: {"compositeResponse": answers}) as (sf, _):
                composite = sf.composite.request(all_or_none=all_or_none)
                records = composite.add(create_records.build(body=RecordsRequest(records=[{}])), create_records.parse)
                composite.create("Contact", {"FirstName": "Marie"})
                results = composite.send(raise_on_failure=False)
            assert len(results.failures) == 1 + all_or_none
            assert results.failures[0].errors[0].code == "REQUIRED_FIELD_MISSING"
            if all_or_none:
                assert results.result(records).halted
                with pytest.raises(errors.RecordError, match=r"r1 .* taken back because another request failed"):
                    results[records]
            else:
                assert results[records][0].id == ACCOUNT

    @pytest.mark.parametrize(
        "answer",
        [
            {"compositeResponse": []},
            {"compositeResponse": [created("other", ACCOUNT)]},
            {"compositeResponse": [created("r1", ACCOUNT), created("r2", ACCOUNT)]},
            {"something": "else"},
        ],
    )
    def test_an_answer_about_something_else_is_an_error(self, answer: Any) -> None:
        with on(lambda _: answer) as (sf, _):
            composite = sf.composite.request()
            composite.create("Account", {"Name": "Acme"})
            with pytest.raises(errors.InvalidResponseError):
                composite.send()

    def test_an_answer_without_an_id_is_an_error(self) -> None:
        with on(lambda _: {"compositeResponse": [done("r1", {"success": True, "errors": []}, 201)]}) as (sf, _):
            composite = sf.composite.request()
            account = composite.create("Account", {"Name": "Acme"})
            results = composite.send()
            with pytest.raises(errors.InvalidResponseError, match="lacks the id"):
                results[account]

    def test_writes_are_not_sent_twice_and_reads_are(self) -> None:
        replies: list[Any] = [Cut(), {"compositeResponse": [done("r1", {"Name": "Acme"}, 200)]}]
        with on(lambda _: replies.pop(0)) as (sf, server):
            reading = sf.composite.request()
            got = reading.get("Account", ACCOUNT)
            assert reading.send()[got] == {"Name": "Acme"}
            replies[:] = [Cut()]
            writing = sf.composite.request()
            writing.get("Account", ACCOUNT)
            writing.create("Account", {"Name": "Acme"})
            with pytest.raises(errors.TransportError, match="may have arrived"):
                writing.send()
        assert len(server.seen) == 3

    def test_no_more_than_25_and_five_queries(self, offline: Salesforce) -> None:
        composite = offline.composite.request()
        for _ in range(4):
            composite.query("SELECT Id FROM Account")
        composite.add(create_records.build(body=RecordsRequest(records=[])), create_records.parse)
        with pytest.raises(ValueError, match="at most 5 subrequests may be queries or collections"):
            composite.query("SELECT Id FROM Account")
        for _ in range(20):
            composite.get("Account", ACCOUNT)
        with pytest.raises(ValueError, match="25 subrequests at most"):
            composite.get("Account", ACCOUNT)
        assert len(composite) == 25

    def test_nothing_is_sent_of_an_empty_request(self, offline: Salesforce) -> None:
        with pytest.raises(ValueError, match="nothing to send"):
            offline.composite.request().send()

    @pytest.mark.parametrize("name", ["", "_a", "a-b", "a b", "ä", "a\n"])
    def test_reference_ids_are_checked(self, offline: Salesforce, name: str) -> None:
        with pytest.raises(ValueError, match="letters, digits and underscores"):
            offline.composite.request().get("Account", ACCOUNT, reference_id=name)

    def test_reference_ids_are_unique(self, offline: Salesforce) -> None:
        composite = offline.composite.request()
        composite.get("Account", ACCOUNT, reference_id="r2")
        with pytest.raises(ValueError, match="taken"):
            composite.get("Account", ACCOUNT, reference_id="r2")
        assert composite.get("Account", ACCOUNT).reference_id == "r3"

    def test_references_stay_within_their_call(self, offline: Salesforce) -> None:
        one, other = offline.composite.request(), offline.composite.request()
        account = one.create("Account", {"Name": "Acme"})
        other.create("Account", {"Name": "Acme"})
        with pytest.raises(ValueError, match="belongs to another call"):
            other.create("Contact", {"LastName": "C", "AccountId": account.id})
        with pytest.raises(ValueError, match="belongs to another call"):
            other.get("Account", account.id)

    def test_text_that_looks_like_a_reference_is_refused(self, offline: Salesforce) -> None:
        composite = offline.composite.request()
        composite.create("Account", {"Name": "Acme"})
        with pytest.raises(ValueError, match="knows no escape"):
            composite.create("Account", {"Name": "see @{r1.id}"})
        with pytest.raises(ValueError, match="refers to no earlier subrequest"):
            composite.get_by_external_id("Account", "Ext__c", "@{other.id}")
        with pytest.raises(ValueError, match="refers to no earlier subrequest"):
            composite.query(soql("SELECT Id FROM Account WHERE Name = {name}", name="@{x.y}"))
        assert len(composite) == 1

    @pytest.mark.parametrize("path", [(), ("a b",), (-1,), (True,), (1.5,)])
    def test_paths_into_answers_are_checked(self, offline: Salesforce, path: Any) -> None:
        account = offline.composite.request().create("Account", {"Name": "Acme"})
        with pytest.raises((ValueError, TypeError)):
            account.at(*path)

    def test_only_the_data_api_can_be_a_subrequest(self, offline: Salesforce) -> None:
        with pytest.raises(ValueError, match="no resource of the data API"):
            offline.composite.request().add(get_user_info.build())
        with pytest.raises(TypeError, match="build"):
            offline.composite.request().add("/limits")  # type: ignore[call-overload]

    def test_nothing_of_a_record_shows_in_a_repr(self, offline: Salesforce) -> None:
        composite = offline.composite.request()
        account = composite.create("Account", {"Name": "Secret"})
        assert "Secret" not in repr(account) + repr(composite)

    @given(st.text(max_size=30))
    def test_no_external_id_leaves_its_place(self, value: str) -> None:
        with Salesforce(auth.AccessToken("https://acme.my.salesforce.com", TOKEN)) as sf:
            composite = sf.composite.request()
            try:
                composite.get_by_external_id("Account", "Ext__c", value)
            except ValueError:
                return
            [subrequest] = composite
        assert subrequest.url.count("/") == f"{BASE}/sobjects/Account/Ext__c/x".count("/")
        assert "@{" not in subrequest.url


class TestBatch:
    def test_sends_requests_without_their_prefix(self) -> None:
        answer = {
            "hasErrors": False,
            "results": [
                {"statusCode": 200, "result": {"Name": "Acme"}},
                {"statusCode": 204, "result": None},
                {"statusCode": 201, "result": {"id": ACCOUNT, "success": True, "errors": []}},
            ],
        }
        with on(lambda _: answer) as (sf, server):
            batch = sf.composite.batch([get_record.build("Account", ACCOUNT)], halt_on_error=True)
            batch.update("Account", ACCOUNT, {"Name": "@{looks.like.one}"})
            account = batch.create("Account", {"Name": "Acme"})
            results = batch.send()
        assert json.loads(server.seen[0].body) == {
            "batchRequests": [
                {"method": "GET", "url": f"v68.0/sobjects/Account/{ACCOUNT}"},
                {
                    "method": "PATCH",
                    "url": f"v68.0/sobjects/Account/{ACCOUNT}",
                    "richInput": {"Name": "@{looks.like.one}"},
                },
                {"method": "POST", "url": "v68.0/sobjects/Account", "richInput": {"Name": "Acme"}},
            ],
            "haltOnError": True,
        }
        assert server.seen[0].target == f"{BASE}/composite/batch"
        assert results[0].body == {"Name": "Acme"}
        assert results[account].id == ACCOUNT

    def test_tells_what_failed(self) -> None:
        errored = [{"errorCode": "NOT_FOUND", "message": "…"}]
        halted = [{"errorCode": "BATCH_PROCESSING_HALTED", "message": "…"}]
        answer = {
            "hasErrors": True,
            "results": [{"statusCode": 404, "result": errored}, {"statusCode": 412, "result": halted}],
        }
        with on(lambda _: answer) as (sf, _):
            batch = sf.composite.batch(halt_on_error=True)
            batch.get("Account", ACCOUNT)
            batch.get("Contact", CONTACT)
            with pytest.raises(errors.RecordError, match=r"r1 \(GET /sobjects/Account/.*\) failed: NOT_FOUND"):
                batch.send()
            assert [failure.halted for failure in batch.send(raise_on_failure=False).failures] == [False, True]

    def test_25_at_most(self, offline: Salesforce) -> None:
        with pytest.raises(ValueError, match="25 subrequests at most"):
            offline.composite.batch(get_limits.build() for _ in range(26))

    def test_no_references_and_no_headers(self, offline: Salesforce) -> None:
        batch = offline.composite.batch()
        account = batch.create("Account", {"Name": "Acme"})
        with pytest.raises(ValueError, match=r"use sf.composite.request\(\)"):
            _ = account.id
        with pytest.raises(ValueError, match="Sforce-Auto-Assign would be lost"):
            batch.add(create_record.build("Lead", body={"LastName": "L"}, sforce_auto_assign="FALSE"))


class TestGraph:
    def test_sends_graphs_and_sorts_the_answers(self) -> None:
        def graph(name: str, ok: bool, *answers: Any) -> dict[str, Any]:
            return {"graphId": name, "graphResponse": {"compositeResponse": list(answers)}, "isSuccessful": ok}

        answer = {
            "graphs": [
                graph("graph2", False, failed("r1", "REQUIRED_FIELD_MISSING")),
                graph("acme", True, created("r1", ACCOUNT), created("r2", CONTACT)),
            ]
        }
        with on(lambda _: answer) as (sf, server):
            request = sf.composite.graph()
            acme, other = request.graph("acme"), request.graph()
            account = acme.create("Account", {"Name": "Acme"})
            contact = acme.create("Contact", {"LastName": "C", "AccountId": account.id})
            lead = other.create("Lead", {"FirstName": "L"})
            results = request.send(raise_on_failure=False)
            with pytest.raises(errors.RecordError, match=r"1 of 3 .* failed: REQUIRED_FIELD_MISSING"):
                request.send()
        assert json.loads(server.seen[0].body)["graphs"][0] == {
            "graphId": "acme",
            "compositeRequest": [
                {"method": "POST", "url": f"{BASE}/sobjects/Account", "referenceId": "r1", "body": {"Name": "Acme"}},
                {
                    "method": "POST",
                    "url": f"{BASE}/sobjects/Contact",
                    "referenceId": "r2",
                    "body": {"LastName": "C", "AccountId": "@{r1.id}"},
                },
            ],
        }
        assert server.seen[0].target == f"{BASE}/composite/graph"
        assert results.successful == ("acme",)
        assert (results[account].id, results[contact].id) == (ACCOUNT, CONTACT)
        assert [failure.subrequest for failure in results.failures] == [lead]
        assert len(results.graphs["graph2"]) == 1

    def test_the_documented_limits(self, offline: Salesforce) -> None:
        request = offline.composite.graph()
        graph = request.graph()
        previous = graph.create("Account", {"Name": "0"})
        for number in range(1, 15):
            previous = graph.create("Account", {"Name": str(number), "ParentId": previous.id})
        with pytest.raises(ValueError, match="15 levels of references"):
            graph.create("Account", {"Name": "15", "ParentId": previous.id})
        for number in range(14):
            request.graph().create(f"Custom{number}__c", {"Name": "x"})
        with pytest.raises(ValueError, match="15 kinds"):
            graph.delete("Account", ACCOUNT)
        for _ in range(500 - 15 - 14):
            graph.create("Account", {"Name": "x"})
        with pytest.raises(ValueError, match="500 requests"):
            request.graph().create("Account", {"Name": "x"})
        with pytest.raises(ValueError, match="no record's path"):
            graph.query("SELECT Id FROM Account")
        with pytest.raises(ValueError, match="no record's path"):
            graph.add(get_limits.build())

    def test_75_graphs_with_names_of_their_own(self, offline: Salesforce) -> None:
        request = offline.composite.graph()
        with pytest.raises(ValueError, match="nothing to send"):
            request.send()
        request.graph("a")
        for name, text in (("a", "taken"), ("_", "letters"), ("x" * 40, "39 characters"), ("a.b", "letters")):
            with pytest.raises(ValueError, match=text):
                request.graph(name)
        for _ in range(74):
            request.graph()
        with pytest.raises(ValueError, match="75 graphs"):
            request.graph()
        with pytest.raises(ValueError, match="nothing to send"):
            request.send()

    def test_an_answer_about_other_graphs_is_an_error(self) -> None:
        with on(lambda _: {"graphs": []}) as (sf, _):
            request = sf.composite.graph()
            request.graph().create("Account", {"Name": "Acme"})
            with pytest.raises(errors.InvalidResponseError, match="graphs"):
                request.send()


DESCRIBED = {
    "childRelationships": [
        {"relationshipName": "Contacts", "childSObject": "Contact", "field": "AccountId"},
        {"relationshipName": None, "childSObject": "Task", "field": "AccountId"},
    ]
}


class TestTree:
    def test_nests_children_of_described_relationships(self, sf: Salesforce) -> None:
        def answer(body: Any) -> Any:
            if body is None:
                return real
            return Reply.of(
                {"hasErrors": False, "results": [{"referenceId": f"r{n}", "id": f"00{n}"} for n in (3, 2, 1)]}, 201
            )

        real = sf.request("GET", f"{BASE}/sobjects/Account/describe").json()
        curie = {"LastName": "Curie"}
        with on(answer) as (client, server):
            tree = client.composite.tree("Account", [{"Name": "Acme", "Contacts": [curie]}, {"Name": "B", "Cases": []}])
        assert json.loads(server.seen[-1].body) == {
            "records": [
                {
                    "attributes": {"type": "Account", "referenceId": "r1"},
                    "Name": "Acme",
                    "Contacts": {
                        "records": [{"attributes": {"type": "Contact", "referenceId": "r2"}, "LastName": "Curie"}]
                    },
                },
                {"attributes": {"type": "Account", "referenceId": "r3"}, "Name": "B"},
            ]
        }
        assert server.seen[-1].target == f"{BASE}/composite/tree/Account"
        assert [(each.id, each.sobject, each.path) for each in tree] == [
            ("001", "Account", "records[0]"),
            ("002", "Contact", "records[0].Contacts[0]"),
            ("003", "Account", "records[1]"),
        ]
        assert tree[1].record is curie
        assert "Curie" not in repr(tree)

    def test_tells_where_a_record_failed(self) -> None:
        error = {"statusCode": "INVALID_EMAIL_ADDRESS", "message": "Email: invalid", "fields": ["Email"]}
        answer = {"hasErrors": True, "results": [{"referenceId": "r2", "errors": [error]}]}
        with on(lambda _: Reply.of(answer, 400)) as (sf, server):
            child = {"attributes": {"type": "Contact"}, "LastName": "C", "Email": "x"}
            with pytest.raises(errors.RecordError) as caught:
                sf.composite.tree("Account", [{"Name": "Acme", "Contacts": [child]}])
        assert len(server.seen) == 1
        assert caught.value.code == "INVALID_EMAIL_ADDRESS"
        assert "records[0].Contacts[0] (Contact), so that nothing was created" in str(caught.value)

    def test_any_other_refusal_is_what_it_is(self) -> None:
        with on(lambda _: Reply.error(400, "INVALID_TYPE")) as (sf, _), pytest.raises(errors.BadRequestError):
            sf.composite.tree("Account", [{"Name": "Acme"}])

    def test_the_documented_limits(self, offline: Salesforce) -> None:
        def nested(levels: int) -> dict[str, Any]:
            record: dict[str, Any] = {"attributes": {"type": "Account"}, "Name": "x"}
            return record | ({"ChildAccounts": [nested(levels - 1)]} if levels > 1 else {})

        many = [{"attributes": {"type": f"Custom{n}__c"}, "Name": "x"} for n in range(5)]
        tree = offline.composite.tree
        with pytest.raises(ValueError, match="no records"):
            tree("Account", [])
        with pytest.raises(ValueError, match="200 records at most"):
            tree("Account", ({"Name": "x"} for _ in range(201)))
        with pytest.raises(ValueError, match=r"ChildAccounts: a tree is 5 levels"):
            tree("Account", [nested(6)])
        with pytest.raises(ValueError, match="5 objects at most, not of 6"):
            tree("Account", [{"Name": "x", "Kids": [each]} for each in many])
        with pytest.raises(TypeError, match=r"records\[0\]: attributes is a dict"):
            tree("Account", [{"attributes": "Account", "Name": "x"}])
        with pytest.raises(TypeError, match=r"records\[0\]\.Kids: attributes is a dict"):
            tree("Account", [{"Name": "x", "Kids": [{"attributes": ["Account"]}]}])
        with pytest.raises(ValueError, match="only the first of the child records"):
            tree("Account", [{"Name": "x", "Kids": {"done": False, "records": [many[0]]}}])
        with pytest.raises(TypeError, match=r"records\[1\]: a record is a dict"):
            tree("Account", [{"Name": "x"}, "y"])  # type: ignore[list-item]

    def test_an_unknown_relationship_is_refused_before_sending(self, sf: Salesforce) -> None:
        with pytest.raises(ValueError, match="no child relationship 'Kontakte'"):
            sf.composite.tree("Account", [{"Name": "Acme", "Kontakte": [{"LastName": "C"}]}])


@pytest.mark.parametrize(
    "answer", [{"results": None}, {"results": [None]}, {"results": [{"statusCode": None, "result": None}]}]
)
def test_a_batch_answered_with_nulls_is_an_error(answer: dict[str, Any]) -> None:
    with on(lambda _: {"hasErrors": False, **answer}) as (sf, _):
        batch = sf.composite.batch()
        batch.get("Account", ACCOUNT, ["Name"])
        with pytest.raises(errors.InvalidResponseError):
            batch.send()


@pytest.mark.parametrize("answers", [None, [None]])
def test_a_composite_request_answered_with_nulls_is_an_error(answers: Any) -> None:
    with on(lambda _: {"compositeResponse": answers}) as (sf, _):
        composite = sf.composite.request()
        composite.create("Account", {"Name": "Acme"})
        with pytest.raises(errors.InvalidResponseError, match=r"null|expected a JSON object"):
            composite.send()
