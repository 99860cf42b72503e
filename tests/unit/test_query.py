"""Queries through the facade: against a local org, and against servers that lie."""

import threading
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from http_server import Cut, Reply, Seen, Server

from sfconnector import Query, Retry, Salesforce, auth, errors, soql
from sfconnector.testing import LocalOrg

QUERY = "SELECT Id FROM Account"


def connect(server: Server) -> Salesforce:
    return Salesforce(auth.AccessToken(server.url, "token"), retry=Retry(attempts=1))


def page(names: list[str], *, total: int = 4, next_url: str | None = None) -> Reply:
    body: dict[str, Any] = {"totalSize": total, "done": next_url is None}
    if next_url is not None:
        body["nextRecordsUrl"] = next_url
    return Reply.of(body | {"records": [{"Name": name} for name in names]})


def create(sf: Salesforce, sobject: str, records: list[dict[str, Any]]) -> None:
    for start in range(0, len(records), 200):
        typed = [{"attributes": {"type": sobject}, **record} for record in records[start : start + 200]]
        sf.request("POST", "/services/data/v68.0/composite/sobjects", json={"allOrNone": True, "records": typed})


@pytest.fixture
def accounts(sf: Salesforce) -> list[str]:
    names = [f"Account {number:03}" for number in range(450)]
    create(sf, "Account", [{"Name": name} for name in names])
    return names


def test_all_pages_come_in_order(sf: Salesforce, accounts: list[str], local_org: LocalOrg) -> None:
    query = sf.query("SELECT Name FROM Account ORDER BY Name", batch_size=200)
    assert [account["Name"] for account in query] == accounts
    assert [len(records) for records in query.pages()] == [200, 200, 50]
    assert query.total_size == 450


def test_nothing_is_sent_before_the_first_record_is_asked_for(sf: Salesforce, local_org: LocalOrg) -> None:
    query = sf.query("SELECT Nonsense FROM Account")
    assert len(local_org.requests) == 0
    with pytest.raises(errors.BadRequestError, match="INVALID_FIELD"):
        next(iter(query))


def test_the_size_and_the_first_page_are_one_request(sf: Salesforce, local_org: LocalOrg) -> None:
    sf.sobject("Account").create({"Name": "Acme"})
    before = len(local_org.requests)
    query = sf.query("SELECT Name FROM Account")
    assert (query.total_size, query.total_size) == (1, 1)
    assert [record["Name"] for record in query] == ["Acme"]
    assert len(local_org.requests) == before + 1
    assert [record["Name"] for record in query] == ["Acme"]
    assert len(local_org.requests) == before + 2


def test_no_record_is_no_error(sf: Salesforce) -> None:
    query = sf.query("SELECT Name FROM Account")
    assert (list(query), list(query.pages()), query.total_size) == ([], [[]], 0)


def test_deleted_records_are_found_when_asked_for(sf: Salesforce) -> None:
    account_id = sf.sobject("Account").create({"Name": "Acme"}).id
    sf.sobject("Account").delete(account_id)
    text = "SELECT Id FROM Account WHERE IsDeleted = true"
    assert list(sf.query(text)) == []
    assert [record["Id"] for record in sf.query(text, include_deleted=True)] == [account_id]


def test_quoted_values_find_their_records(sf: Salesforce) -> None:
    names = ["O'Neil", "back\\slash", 'say "hi"', "100%", "under_score", "tab\there", "å∫ç", "%", "\\%"]
    for name in names:
        sf.sobject("Account").create({"Name": name})
    for name in names:
        query = soql("SELECT Name FROM Account WHERE Name = {name}", name=name)
        assert [record["Name"] for record in sf.query(query)] == [name]
        query = soql("SELECT Name FROM Account WHERE Name LIKE {name:startswith}", name=name)
        assert [record["Name"] for record in sf.query(query)] == [name]
    query = soql("SELECT Name FROM Account WHERE Name IN {names} ORDER BY Name", names=names)
    assert sorted(record["Name"] for record in sf.query(query)) == sorted(names)


def test_children_beyond_the_first_page_are_there(sf: Salesforce, local_org: LocalOrg) -> None:
    for account in ("One", "Two"):
        account_id = sf.sobject("Account").create({"Name": account}).id
        create(sf, "Contact", [{"LastName": f"{account} {n:03}", "AccountId": account_id} for n in range(230)])
    query = sf.query(
        "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName) FROM Account ORDER BY Name", batch_size=200
    )
    for account in query:
        children = account["Contacts"]
        assert [child["LastName"] for child in children["records"]] == [
            f"{account['Name']} {number:03}" for number in range(230)
        ]
        assert (children["totalSize"], children["done"]) == (230, True)


@attrs.frozen
class Contact:
    LastName: str


@attrs.frozen
class Account:
    Id: str
    Name: str
    Contacts: list[Contact]


def test_a_class_decides_what_is_selected(sf: Salesforce) -> None:
    account_id = sf.sobject("Account").create({"Name": "Acme"}).id
    sf.sobject("Contact").create({"LastName": "Curie", "AccountId": account_id})
    expected = Account(account_id, "Acme", [Contact("Curie")])
    assert list(sf.query("FROM Account WHERE Name = 'Acme'", into=Account)) == [expected]
    full = "SELECT Name, Id, (SELECT LastName FROM Contacts) FROM Account"
    assert list(sf.query(full, into=Account).pages()) == [[expected]]


def test_a_query_that_selects_too_little_for_its_class_says_so(sf: Salesforce) -> None:
    sf.sobject("Account").create({"Name": "Acme"})
    with pytest.raises(ValueError, match=r"does not fit Account: required field missing @ \$\.Name"):
        list(sf.query("SELECT Id FROM Account", into=Account))


@pytest.mark.parametrize("text", ["", "  \n", "FROM Account"])
def test_a_query_that_selects_nothing_is_refused(sf: Salesforce, text: str) -> None:
    with pytest.raises(ValueError, match="the query"):
        sf.query(text)


@pytest.mark.parametrize("size", [0, 199, 2001, -1, 200.5, "200", True])
def test_a_page_size_that_salesforce_refuses_is_refused(sf: Salesforce, size: Any) -> None:
    with pytest.raises(ValueError, match="200 to 2,000"):
        sf.query(QUERY, batch_size=size)


def test_a_query_hides_its_text(sf: Salesforce) -> None:
    assert "Curie" not in repr(sf.query("SELECT Id FROM Contact WHERE LastName = 'Curie'"))


def test_the_next_page_is_fetched_while_the_caller_works() -> None:
    asked = threading.Event()

    def answer(seen: Seen) -> Reply:
        if seen.target.endswith("/next"):
            asked.set()
            return page(["c", "d"])
        return page(["a", "b"], next_url="/services/data/v68.0/query/next")

    with Server(answer) as server, connect(server) as sf:
        records = iter(sf.query(QUERY))
        assert next(records)["Name"] == "a"
        assert asked.wait(10)
        assert [record["Name"] for record in records] == ["b", "c", "d"]


def test_only_one_page_is_fetched_ahead() -> None:
    targets: list[str] = []

    def answer(seen: Seen) -> Reply:
        targets.append(seen.target)
        return page(["x"], next_url=f"/services/data/v68.0/query/{len(targets)}" if len(targets) < 10 else None)

    with Server(answer) as server, connect(server) as sf:
        pages = sf.query(QUERY).pages()
        next(pages)
        next(pages)
        assert len(targets) <= 3
        assert len(list(pages)) == 8


def test_a_locator_behind_the_records_is_found_too() -> None:
    first = Reply.of(
        {"records": [{"Name": "a"}], "nextRecordsUrl": "/services/data/v68.0/query/n", "done": False, "totalSize": 2}
    )
    with Server([first, page(["b"])]) as server, connect(server) as sf:
        assert [record["Name"] for record in sf.query(QUERY)] == ["a", "b"]
        assert server.seen[1].target == "/services/data/v68.0/query/n"


def test_an_empty_page_in_the_middle_is_passed_over() -> None:
    replies = [
        page(["a"], next_url="/services/data/v68.0/query/1"),
        page([], next_url="/services/data/v68.0/query/2"),
        page(["b"]),
    ]
    with Server(replies) as server, connect(server) as sf:
        assert [record["Name"] for record in sf.query(QUERY)] == ["a", "b"]


def test_what_was_read_before_a_failure_is_handed_out() -> None:
    with Server([page(["a", "b"], next_url="/services/data/v68.0/query/1"), Cut()]) as server, connect(server) as sf:
        records = iter(sf.query(QUERY))
        assert [next(records)["Name"], next(records)["Name"]] == ["a", "b"]
        with pytest.raises(errors.TransportError, match="GET /query/1"):
            next(records)


def test_a_locator_that_leads_away_is_not_followed() -> None:
    with Server([page(["a"])]) as other, Server([page(["a"], next_url=f"{other.url}/query")]) as server:
        with connect(server) as sf, pytest.raises(errors.InvalidResponseError, match="would leave the instance"):
            list(sf.query(QUERY))
        assert other.seen == []


@pytest.mark.parametrize(
    "reply",
    [
        page(["a"], next_url="/services/data/v68.0/query/same"),
        Reply.of([]),
        Reply.of({"records": []}),
        Reply.of({"totalSize": 1, "done": False, "records": []}),
        Reply.of({"totalSize": 1, "done": False, "nextRecordsUrl": None, "records": []}),
        Reply.of({"totalSize": 1, "done": False, "nextRecordsUrl": 7, "records": []}),
        Reply.of({"totalSize": 1, "done": False, "nextRecordsUrl": "", "records": []}),
        Reply.of({"totalSize": 1, "done": "false", "nextRecordsUrl": "/services/data/v68.0/query/1", "records": []}),
        Reply.of({"totalSize": "1", "done": True, "records": []}),
        Reply.of({"totalSize": 1, "done": True, "records": [7]}),
        Reply(body=b'{"totalSize": 1, "done": false, "nextRecordsUrl": "/x\xff", "records": []}'),
        Reply.of({"totalSize": 1, "done": True, "records": {}}),
        Reply.of({"totalSize": 1, "done": True, "records": None}),
        Reply.of("records"),
        Reply(body=b'{"totalSize": 1, "done": tru'),
        Reply(body=b"<html><title>Maintenance</title></html>", headers={"Content-Type": "text/html"}),
        Reply(body=b""),
    ],
    ids=[
        "loop",
        "list",
        "no size",
        "no locator",
        "null locator",
        "number",
        "empty",
        "text done",
        "text size",
        "numbers",
        "bytes",
        "dict",
        "null",
        "text",
        "broken",
        "page",
        "nothing",
    ],
)
def test_an_answer_that_is_no_page_is_an_error(reply: Reply) -> None:
    with Server([reply]) as server, connect(server) as sf, pytest.raises(errors.SalesforceError) as caught:
        list(sf.query(QUERY))
    assert isinstance(caught.value, errors.InvalidResponseError | errors.TransportError)


def test_a_caller_may_stop_in_the_middle(sf: Salesforce, accounts: list[str]) -> None:
    def some(query: Query[dict[str, Any]]) -> Iterator[str]:
        for record in query:
            yield record["Name"]
            return

    assert list(some(sf.query("SELECT Name FROM Account ORDER BY Name", batch_size=200))) == ["Account 000"]
    assert sf.query("SELECT COUNT() FROM Account").total_size == 450


def children(**page: Any) -> Reply:
    first = {"totalSize": 3, "done": False, "records": [{"Name": "a"}], **page}
    return Reply.of({"totalSize": 1, "done": True, "records": [{"Contacts": first}]})


@pytest.mark.parametrize(
    "reply",
    [
        children(),
        children(nextRecordsUrl=None),
        children(nextRecordsUrl=7),
        children(nextRecordsUrl="https://evil.com/query"),
        children(records=None, nextRecordsUrl="/services/data/v68.0/query/1"),
        children(done=True, records=[7]),
    ],
)
def test_child_records_that_are_no_page_are_an_error(reply: Reply) -> None:
    text = "SELECT Id, (SELECT Name FROM Contacts) FROM Account"
    with Server([reply]) as server, connect(server) as sf, pytest.raises(errors.InvalidResponseError):
        list(sf.query(text))
    assert len(server.seen) == 1


def test_a_caller_interrupted_while_waiting_for_a_page_gets_the_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    first = page(["a"], next_url="/services/data/v68.0/query/1")
    with Server([first, page(["b"])]) as server, connect(server) as sf:
        records = iter(sf.query(QUERY))
        next(records)
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "join", interrupt)
            with pytest.raises(KeyboardInterrupt):
                next(records)
        assert list(records) == []
        assert [record["Name"] for record in sf.query("SELECT Name FROM Account")] == ["b"]


def interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def test_pages_fetched_ahead_for_nobody_leave_no_thread() -> None:
    first = page(["a"], next_url="/services/data/v68.0/query/1")
    with Server(lambda seen: page(["b"]) if seen.target.endswith("/1") else first) as server, connect(server) as sf:
        for _ in range(5):
            records = iter(sf.query(QUERY))
            next(records)
            del records
        for thread in threading.enumerate():
            if thread.name == "sfconnector-read-ahead":
                thread.join(10)
        assert "sfconnector-read-ahead" not in {thread.name for thread in threading.enumerate()}
