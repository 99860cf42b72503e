"""Searches, against answers written down here."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest
from http_server import Cut, Reply, Seen, Server
from session_tools import FakeTime
from sfconnector_generated.rest.models import TextSearchObject

from sfconnector import CallOptions, Salesforce, auth, errors, soql, sosl

ROOT = "/services/data/v68.0"
ACME = {"attributes": {"type": "Account", "url": f"{ROOT}/sobjects/Account/001000000000001AAA"}, "Name": "Acme"}
CURIE = {"attributes": {"type": "Contact", "url": f"{ROOT}/sobjects/Contact/003000000000001AAA"}, "Name": "Curie"}
FOUND = Reply.of({"searchRecords": [ACME, CURIE]})


@attrs.frozen
class Account:
    Name: str


def connect(server: Server, **options: Any) -> Salesforce:
    return Salesforce(auth.AccessToken(server.url, options.pop("token", "x")), retry=FakeTime().retry())


def test_a_search_is_lazy_and_searches_again_when_iterated_again() -> None:
    with Server([FOUND]) as server, connect(server) as sf:
        search = sf.search(sosl("FIND {text} RETURNING Account(Name)", text="50% & more"))
        assert server.seen == []
        assert list(search) == [ACME, CURIE]
        assert list(search) == [ACME, CURIE]
    assert [(seen.method, urlsplit(seen.target).path) for seen in server.seen] == [("GET", f"{ROOT}/search")] * 2
    assert parse_qs(urlsplit(server.seen[0].target).query) == {"q": [r"FIND {50% \& more} RETURNING Account(Name)"]}
    assert "%26" in server.seen[0].target


def test_records_become_instances_of_a_class() -> None:
    with Server([Reply.of({"searchRecords": [ACME]}), FOUND]) as server, connect(server) as sf:
        search = sf.search("FIND {Acme} RETURNING Account(Name)", into=Account)
        assert list(search) == [Account("Acme")]
        with pytest.raises(ValueError, match="found a record of Contact, which is no Account"):
            list(search)
    bare = Reply.of({"searchRecords": [{"Name": "Acme"}, {"attributes": None, "Name": "x"}]})
    with Server([bare]) as server, connect(server) as sf:
        assert list(sf.search("FIND {x}", into=Account)) == [Account("Acme"), Account("x")]


def test_nothing_may_be_found() -> None:
    with Server([Reply.of({"searchRecords": []})]) as server, connect(server) as sf:
        assert list(sf.search("FIND {nobody}")) == []


def test_before_version_37_an_answer_is_a_bare_list() -> None:
    with Server([Reply.of([ACME, CURIE])]) as server:
        login = auth.AccessToken(server.url, "x")
        with Salesforce(login, api_version="36.0") as sf:
            assert list(sf.search("FIND {Acme}")) == [ACME, CURIE]
        with Salesforce(login, api_version="37.0") as sf, pytest.raises(errors.InvalidResponseError):
            list(sf.search("FIND {Acme}"))


def test_options_are_sent_as_headers() -> None:
    with Server([FOUND]) as server, connect(server) as sf:
        list(sf.search("FIND {Acme}", call_options=CallOptions(default_namespace="acme")))
    assert server.seen[0].headers["sforce-call-options"] == "defaultNamespace=acme"


def test_a_search_that_is_too_long_for_a_url_goes_in_a_body() -> None:
    names = ["Company number " + str(number) for number in range(1_000)]
    text = sosl("FIND {text} RETURNING Account(Name WHERE Name IN {names})", text="Acme", names=names)
    batches: list[Any] = []

    def answer(seen: Seen) -> Reply:
        if seen.method == "GET":
            assert len(seen.target) < 16_000
            return FOUND
        batches.append((seen.target, json.loads(seen.body)))
        return Reply.of({"hasErrors": False, "results": [{"statusCode": 200, "result": {"searchRecords": [ACME]}}]})

    with Server(answer) as server, connect(server) as sf:
        assert list(sf.search(text)) == [ACME]
        assert list(sf.search("FIND {Acme}")) == [ACME, CURIE]
    ((target, body),) = batches
    assert target == f"{ROOT}/composite/batch"
    (batched,) = body["batchRequests"]
    assert batched["method"] == "GET"
    assert parse_qs(urlsplit(batched["url"]).query)["q"] == [text]
    assert urlsplit(batched["url"]).path == "v68.0/search"


def test_a_refusal_of_a_long_search_reads_as_if_it_had_been_sent_by_itself() -> None:
    refused = [{"errorCode": "MALFORMED_SEARCH", "message": "unexpected token"}]
    batch = Reply.of({"hasErrors": True, "results": [{"statusCode": 400, "result": refused}]})
    with Server([batch]) as server, connect(server) as sf, pytest.raises(errors.BadRequestError) as caught:
        list(sf.search("FIND {" + "a " * 9_000 + "}"))
    assert str(caught.value) == "GET /search: 400 MALFORMED_SEARCH: unexpected token"
    assert [seen.method for seen in server.seen] == ["POST"]


def test_a_search_is_repeated_where_its_answer_is_lost() -> None:
    with Server([Cut(), FOUND]) as server, connect(server) as sf:
        assert len(list(sf.search("FIND {Acme}"))) == 2
    with Server([Cut(), FOUND]) as server, connect(server) as sf:
        assert len(list(sf.search_text("Acme"))) == 2


def test_a_text_is_searched_for() -> None:
    where = soql("Name != {name}", name="O'Neil")
    with Server([FOUND]) as server, connect(server) as sf:
        list(sf.search_text("Acme*"))
        contacts = TextSearchObject(name="Contact", fields=["Name"], where=where, limit=5)
        search = sf.search_text(
            "Acme",
            sobjects=["Account", contacts],
            fields=["Id", "Owner.Name"],
            scope="NAME",
            limit=100,
            limit_per_object=50,
            spell_correction=False,
        )
        assert list(search) == [ACME, CURIE]
        list(sf.search_text("this or (that)", literal=True, offset=0))
    assert {(seen.method, seen.target) for seen in server.seen} == {("POST", f"{ROOT}/parameterizedSearch")}
    assert [json.loads(seen.body) for seen in server.seen] == [
        {"q": "Acme*"},
        {
            "q": "Acme",
            "sobjects": [
                {"name": "Account"},
                {"name": "Contact", "fields": ["Name"], "where": r"Name != 'O\'Neil'", "limit": 5},
            ],
            "fields": ["Id", "Owner.Name"],
            "in": "NAME",
            "overallLimit": 100,
            "defaultLimit": 50,
            "spellCorrection": False,
        },
        {"q": r'this "or" \(that\)', "offset": 0},
    ]


@pytest.mark.parametrize("answer", [{}, [], {"searchRecords": None}, {"searchRecords": ["x"]}, "text", [ACME]])
def test_an_answer_that_is_no_result_of_a_search_is_an_error(answer: Any) -> None:
    with Server([Reply.of(answer)]) as server, connect(server) as sf:
        for search in (sf.search("FIND {Acme}"), sf.search_text("Acme")):
            with pytest.raises(errors.InvalidResponseError):
                list(search)


@pytest.mark.parametrize(
    "call",
    [
        lambda sf: sf.search(" "),
        lambda sf: sf.search(None),
        lambda sf: sf.search("FIND {a}", into=int),
        lambda sf: sf.search("FIND {a}", call_options="client=x"),
        lambda sf: sf.search_text(""),
        lambda sf: sf.search_text(7),
        lambda sf: sf.search_text("a", sobjects="Account"),
        lambda sf: sf.search_text("a", sobjects=["a b"]),
        lambda sf: sf.search_text("a", sobjects=[7]),
        lambda sf: sf.search_text("a", fields="Name"),
        lambda sf: sf.search_text("a", fields=["Name, Id"]),
        lambda sf: sf.search_text("a", scope=""),
        lambda sf: sf.search_text("a", limit=0),
        lambda sf: sf.search_text("a", limit=2_001),
        lambda sf: sf.search_text("a", limit_per_object=True),
        lambda sf: sf.search_text("a", offset=-1),
        lambda sf: sf.search_text("a", offset="1"),
    ],
)
def test_bad_input_is_refused(call: Callable[[Salesforce], Any]) -> None:
    with Server([FOUND]) as server, connect(server) as sf, pytest.raises((ValueError, TypeError)):
        call(sf)
    assert server.seen == []


def test_a_search_hides_its_text() -> None:
    with Server([FOUND]) as server, connect(server) as sf:
        assert "Curie" not in repr([sf.search("FIND {Curie}"), sf.search_text("Curie")])


class TestInAnOrg:
    def test_any_text_is_found_and_nothing_else(self, sf: Salesforce) -> None:
        names = ["O'Neil (UK)", "this or that", 'say "and" \\ twice', "50% & more!", "plain"]
        assert not list(sf.sobject("Account").create_many({"Name": name} for name in names).failures())
        for name in names:
            for form in ("{x}", "{x:phrase}"):
                text = sosl(f"FIND {form} IN NAME FIELDS RETURNING Account(Name)", x=name)
                assert [record["Name"] for record in sf.search(text)] == [name], text
            found = sf.search_text(name, literal=True, sobjects=["Account"], fields=["Name"])
            assert [record["Name"] for record in found] == [name]
        both = sosl("FIND {x} RETURNING Account(Name WHERE Name != {y} ORDER BY Name)", x=names, y="plain")
        assert [record["Name"] for record in sf.search(both)] == sorted(set(names) - {"plain"}, key=str.lower)

    def test_records_of_several_objects(self, sf: Salesforce) -> None:
        sf.sobject("Account").create({"Name": "Curie Ltd"})
        sf.sobject("Contact").create({"LastName": "Curie", "Email": "m@example.com"})
        found = sf.search(sosl("FIND {x} RETURNING Account(Name), Contact(Name)", x="Curie"))
        assert {(record["attributes"]["type"], record["Name"]) for record in found} == {
            ("Account", "Curie Ltd"),
            ("Contact", "Curie"),
        }
        contacts = TextSearchObject(name="Contact", fields=["Email"], where="Email != null")
        assert [record["Email"] for record in sf.search_text("Cur*", sobjects=[contacts])] == ["m@example.com"]
        assert [account.Name for account in sf.search("FIND {Curie} RETURNING Account(Name)", into=Account)] == [
            "Curie Ltd"
        ]

    def test_a_long_search(self, sf: Salesforce) -> None:
        sf.sobject("Account").create({"Name": "Acme"})
        names = [f"Company number {number}" for number in range(1_000)]
        text = sosl("FIND {x} RETURNING Account(Name WHERE Name NOT IN {names})", x="Acme", names=names)
        assert [record["Name"] for record in sf.search(text)] == ["Acme"]

    def test_a_refusal(self, sf: Salesforce) -> None:
        with pytest.raises(errors.BadRequestError, match="GET /search: 400 MALFORMED_SEARCH"):
            list(sf.search("FIND Acme"))
