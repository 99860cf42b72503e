"""Reads that are too long for a URL: which way they go, and that nobody notices."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from http_server import Answer, Cut, Reply, Seen, Server
from session_tools import FakeTime

from sfconnector import CallOptions, Hooks, Retry, Salesforce, auth, errors, soql
from sfconnector.testing import LocalOrg

LIMIT = 16_384
SHORT = "SELECT Id FROM Account"
LONG = soql(
    "SELECT Id FROM Account WHERE Name IN {names}", names=[f"Company {number} å{{1}}&+%" for number in range(900)]
)
ACCOUNT = {"attributes": {"type": "Account"}, "Id": "001000000000001AAA"}
PAGE = {"totalSize": 1, "done": True, "records": [ACCOUNT]}
EXPIRED = Reply.error(401, "INVALID_SESSION_ID")


class Org(Server):
    """Answers reads, asked directly or in a composite request, and refuses what is too long as Salesforce does."""

    def __init__(self, answer: Callable[[str, dict[str, str]], tuple[int, Any]], limit: int = LIMIT) -> None:
        super().__init__(self._dispatch)
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self._ask, self._limit = answer, limit

    def _dispatch(self, seen: Seen) -> Answer:
        if len(seen.target) > self._limit:
            return Reply(414, b"<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>", {"Content-Type": "text/html"})
        if len(seen.target) + sum(len(name) + len(value) + 4 for name, value in seen.headers.items()) > self._limit:
            return Reply(431, b"<h1>Bad Message 431</h1>", {"Content-Type": "text/html"})
        if seen.method == "GET":
            status, body = self._answer_to("direct", seen.target, seen.headers)
            return Reply.of(body, status)
        assert urlsplit(seen.target).path.endswith("/composite")
        (subrequest,) = json.loads(seen.body)["compositeRequest"]
        assert subrequest["method"] == "GET"
        headers = {name.lower(): value for name, value in subrequest.get("httpHeaders", {}).items()}
        status, body = self._answer_to("composite", subrequest["url"], headers)
        inner = {"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": subrequest["referenceId"]}
        return Reply.of({"compositeResponse": [inner]}, X_SFDC_Request_Id="R-1")

    def _answer_to(self, way: str, url: str, headers: dict[str, str]) -> tuple[int, Any]:
        self.asked.append((way, url, headers))
        return self._ask(url, headers)

    def connect(self, **options: Any) -> Salesforce:
        return Salesforce(auth.AccessToken(self.url, "token"), **{"retry": Retry(backoff=0.0), **options})


def always(body: Any, status: int = 200) -> Callable[[str, dict[str, str]], tuple[int, Any]]:
    return lambda *_: (status, body)


def query_in(url: str) -> str:
    return parse_qs(urlsplit(url).query)["q"][0]


def test_long_queries_go_in_a_body_and_short_ones_in_the_url() -> None:
    with Org(always(PAGE)) as org, org.connect() as sf:
        assert list(sf.query(SHORT)) == [ACCOUNT]
        assert list(sf.query(LONG)) == [ACCOUNT]
        assert sf.query(LONG).total_size == 1
    assert [way for way, _, _ in org.asked] == ["direct", "composite", "composite"]
    assert query_in(org.asked[1][1]) == LONG
    assert org.asked[1][1].startswith("/services/data/v68.0/query?q=SELECT%20Id")


def test_options_and_deleted_records_go_along() -> None:
    with Org(always(PAGE)) as org, org.connect(client_name="nightly") as sf:
        options = CallOptions(client="import", default_namespace="ns")
        list(sf.query(LONG, include_deleted=True, batch_size=500, call_options=options))
    _, url, headers = org.asked[0]
    assert urlsplit(url).path == "/services/data/v68.0/queryAll"
    assert headers == {
        "sforce-query-options": "batchSize=500",
        "sforce-call-options": "client=import, defaultNamespace=ns",
    }
    assert org.seen[0].headers["sforce-call-options"] == "client=nightly"


def test_every_length_arrives() -> None:
    with Org(always(PAGE)) as org, org.connect() as sf:
        for length in [2_990, *range(14_000, 17_000, 97), 99_999, 100_000]:
            text = "SELECT Id FROM Account WHERE Name = '".ljust(length - 1, "x") + "'"
            assert list(sf.query(text)) == [ACCOUNT]
            assert query_in(org.asked[-1][1]) == text
    assert {way for way, _, _ in org.asked} == {"direct", "composite"}
    assert len(org.asked) == len(org.seen)


def test_a_long_token_counts() -> None:
    text = "SELECT Id FROM Account WHERE Name = '".ljust(12_000, "x") + "'"
    with Org(always(PAGE)) as org:
        for token in ("t", "t" * 4_000):
            with Salesforce(auth.AccessToken(org.url, token)) as sf:
                assert list(sf.query(text)) == [ACCOUNT]
    assert [way for way, _, _ in org.asked] == ["direct", "composite"]
    assert len(org.seen) == 2


@pytest.mark.parametrize("length", [500, 5_000])
def test_a_proxy_with_a_lower_limit_is_no_obstacle(length: int) -> None:
    text = "SELECT Id FROM Account WHERE Name = '".ljust(length, "x") + "'"
    with Org(always(PAGE), limit=500) as org, org.connect() as sf:
        assert list(sf.query(text)) == [ACCOUNT]
    assert [way for way, _, _ in org.asked] == ["composite"]
    assert len(org.seen) == 2


def test_more_pages_come_as_usual() -> None:
    following = "/services/data/v68.0/query/0r8xx0000000001AAA-1"

    def answer(url: str, _: dict[str, str]) -> tuple[int, Any]:
        if url == following:
            return 200, {"totalSize": 2, "done": True, "records": [{"Id": "2"}]}
        return 200, {"totalSize": 2, "done": False, "nextRecordsUrl": following, "records": [{"Id": "1"}]}

    with Org(answer) as org, org.connect() as sf:
        assert [record["Id"] for record in sf.query(LONG)] == ["1", "2"]
        assert [record["Id"] for record in sf.query(LONG, workers=3)] == ["1", "2"]
    assert [way for way, _, _ in org.asked] == ["composite", "direct"] * 2


def test_errors_read_as_if_asked_directly() -> None:
    refusal = [{"errorCode": "INVALID_FIELD", "message": "\nWHERE Secret\n^\nERROR at Row:1:Column:8\nNo such column"}]
    texts = []
    with Org(always(refusal, 400)) as org, org.connect() as sf:
        for text in (SHORT, LONG):
            with pytest.raises(errors.BadRequestError) as caught:
                list(sf.query(text))
            texts.append(str(caught.value))
            assert (caught.value.status, caught.value.code, caught.value.method) == (400, "INVALID_FIELD", "GET")
            assert caught.value.path == "/query"
    assert caught.value.request_id == "R-1"
    assert texts[0] == texts[1]
    assert "Secret" not in texts[1]


def test_passing_trouble_is_waited_for() -> None:
    time, told = FakeTime(), list[Any]()
    answers = iter([(503, [{"errorCode": "SERVER_UNAVAILABLE", "message": "…"}]), (200, PAGE)])
    hooks = Hooks(on_retry=told.append)
    with Org(lambda *_: next(answers)) as org, org.connect(retry=time.retry(), hooks=hooks) as sf:
        assert list(sf.query(LONG)) == [ACCOUNT]
    assert time.slept == [0.5]
    assert [(event.request.operation, event.request.method, event.request.path) for event in told] == [
        ("query", "GET", "/query")
    ]


def test_a_lost_answer_is_asked_for_again() -> None:
    inner = {"body": PAGE, "httpHeaders": {}, "httpStatusCode": 200, "referenceId": "read"}
    answers = [Cut(), Reply.of({"compositeResponse": [inner]})]
    with Server(answers) as server, Salesforce(auth.AccessToken(server.url, "token")) as sf:
        assert list(sf.query(LONG)) == [ACCOUNT]
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"compositeResponse": []},
        {"compositeResponse": [{"body": PAGE}]},
        {"compositeResponse": [{"body": PAGE, "httpStatusCode": "200"}]},
        {"compositeResponse": [{"body": None, "httpStatusCode": 200}]},
    ],
)
def test_an_answer_of_another_form_is_an_error(body: Any) -> None:
    with Server([Reply.of(body)]) as server, Salesforce(auth.AccessToken(server.url, "token")) as sf:
        records = iter(sf.query(LONG))
        with pytest.raises(errors.InvalidResponseError):
            next(records)


def test_a_refused_composite_request_says_so() -> None:
    limit = Reply.error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    with Server([limit]) as server, Salesforce(auth.AccessToken(server.url, "token")) as sf:
        records = iter(sf.query(LONG))
        with pytest.raises(errors.LimitExceededError, match=r"^POST /composite: 403 REQUEST_LIMIT_EXCEEDED"):
            next(records)


def test_queries_longer_than_salesforce_takes_are_refused(sf: Salesforce) -> None:
    sf.query("SELECT Id FROM Account ".ljust(100_000, "x"))
    with pytest.raises(ValueError, match="the query has 100,001 characters, and Salesforce takes 100,000"):
        sf.query("SELECT Id FROM Account ".ljust(100_001, "x"))


def test_a_local_org_gives_the_same_either_way(sf: Salesforce, local_org: LocalOrg) -> None:
    records = ({"Name": f"Company {number}"} for number in range(450))
    ids = [result.id or "" for result in sf.sobject("Account").create_many(records)]
    sf.sobject("Account").delete(ids[0])
    text = soql(
        "SELECT Id, Name FROM Account WHERE Id IN {ids} ORDER BY Name", ids=[*ids, *["001000000000000AAA"] * 600]
    )
    short = "SELECT Id, Name FROM Account ORDER BY Name"
    for options in ({}, {"batch_size": 200}, {"include_deleted": True}):
        assert list(sf.query(text, **options)) == list(sf.query(short, **options))
    assert [len(page) for page in sf.query(text, batch_size=200).pages()] == [200, 200, 49]
    assert sum(request.path.endswith("/composite") for request in local_org.requests) == 4


def test_a_local_org_refuses_both_ways_alike(sf: Salesforce) -> None:
    texts = []
    for condition in ("", LONG.partition("Account")[2]):
        with pytest.raises(errors.BadRequestError) as caught:
            list(sf.query(f"SELECT Nonsense__c FROM Account{condition}"))
        texts.append(str(caught.value).partition("Row:")[2])
        assert caught.value.code == "INVALID_FIELD"
        assert "Company" not in str(caught.value)
    assert texts[0] == texts[1]


FIELDS = [f"A_rather_long_name_of_a_field_{number:03}__c" for number in range(500)]


def test_long_lists_of_fields_go_in_a_body() -> None:
    with Org(always(ACCOUNT)) as org, org.connect() as sf:
        accounts = sf.sobject("Account")
        assert accounts.get("001000000000001AAA", fields=FIELDS) == ACCOUNT
        assert accounts.get_by_external_id("Ext__c", "A/4?2", fields=FIELDS) == ACCOUNT
    (way, url, _), (other_way, other_url, _) = org.asked
    assert (way, other_way) == ("composite", "composite")
    assert parse_qs(urlsplit(url).query)["fields"] == [",".join(FIELDS)]
    assert unquote(urlsplit(other_url).path) == "/services/data/v68.0/sobjects/Account/Ext__c/A/4?2"


def test_a_local_org_reads_long_lists_of_fields(sf: Salesforce, local_org: LocalOrg) -> None:
    local_org.add_object("Wide__c", fields=[{"name": field, "type": "string", "length": 10} for field in FIELDS])
    wide = sf.sobject("Wide__c")
    record_id = wide.create({FIELDS[-1]: "x"}).id
    record = wide.get(record_id, fields=FIELDS)
    assert (record[FIELDS[0]], record[FIELDS[-1]]) == (None, "x")
    wide.delete(record_id)
    with pytest.raises(errors.NotFoundError, match="ENTITY_IS_DELETED"):
        wide.get(record_id, fields=FIELDS)


def test_conditions_and_missing_records_are_as_usual() -> None:
    when = datetime(2026, 1, 2, tzinfo=UTC)
    with Org(always(None, 304)) as org, org.connect() as sf:
        assert sf.sobject("Account").get("001000000000001AAA", FIELDS, if_modified_since=when) is None
    assert org.asked[0][2]["if-modified-since"] == "Fri, 02 Jan 2026 00:00:00 GMT"
    missing = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
    with Org(always(missing, 404)) as org, org.connect() as sf:
        accounts = sf.sobject("Account")
        with pytest.raises(errors.NotFoundError, match=r"^GET /sobjects/Account/001000000000001AAA: 404 NOT_FOUND"):
            accounts.get("001000000000001AAA", FIELDS)


def test_an_expired_session_is_renewed() -> None:
    inner = {"body": PAGE, "httpHeaders": {}, "httpStatusCode": 200, "referenceId": "read"}
    logins: list[Seen] = []

    def answer(seen: Seen) -> Answer:
        if seen.target.endswith("/token"):
            logins.append(seen)
            return Reply.of({"access_token": f"T{len(logins)}", "instance_url": server.url})
        return EXPIRED if seen.headers["authorization"] == "Bearer T1" else Reply.of({"compositeResponse": [inner]})

    with Server(answer) as server, Salesforce(auth.ClientCredentials(server.url, "id", "secret")) as sf:
        assert list(sf.query(LONG)) == [ACCOUNT]
    assert len(logins) == 2
