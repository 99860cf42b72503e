"""The session over real sockets: what it sends, what it repeats, what it makes of answers, and what it tells."""

import gc
import gzip
import io
import itertools
import json
import logging
import os
import pickle
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import requests
from http_server import Answer, Cut, Drip, Reply, Seen, Server, Silence
from hypothesis import given
from hypothesis import strategies as st
from session_tools import TOKEN, FakeTime, get, post, quick, session_on, upsert
from sfconnector_generated.client import Request

from sfconnector import auth
from sfconnector._hooks import Hooks
from sfconnector._retry import Retry
from sfconnector._session import Session
from sfconnector._transport import Timeout
from sfconnector._usage import Usage
from sfconnector.auth import AccessToken
from sfconnector.errors import (
    ApiError,
    Failure,
    InvalidResponseError,
    NotFoundError,
    ServerError,
    TransportError,
    TransportTimeoutError,
)

RECORD = {"attributes": {"type": "Account"}, "Id": "001000000000001AAA", "Name": "Acme"}
OK = Reply.of(RECORD)
LOCKED = Reply.error(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
CONCURRENT = Reply.error(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
DAILY = Reply.error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
PAGE = Reply(200, b"<html><title>Maintenance</title></html>", {"Content-Type": "text/html"})


def attempts(answers: list[Answer], request: Request, **options: Any) -> tuple[int, Any]:
    """Send a request; give how often it arrived, and its status or its error."""
    with Server(answers) as server:
        session = session_on(server.url, **options)
        try:
            response = session.send(request)
            session.check(response)
            session.decode(response)
            result: Any = response.status_code
        except Exception as error:
            result = error
        session.close()
        return len(server.seen), result


# What is sent


@pytest.fixture
def echo() -> Iterator[Server]:
    with Server([OK]) as server:
        yield server


def test_a_read_carries_what_the_api_needs_and_no_more(echo: Server) -> None:
    session = session_on(echo.url)
    assert session.decode(session.send(get(params=(("fields", "Id,Name"), ("q", "a b&c+é"))))) == RECORD
    seen = echo.seen[0]
    assert (seen.method, seen.body) == ("GET", b"")
    assert seen.target == "/services/data/v68.0/sobjects/Account/001000000000001AAA?fields=Id,Name&q=a%20b%26c%2B%C3%A9"
    assert seen.headers.pop("user-agent").startswith("sfconnector/")
    assert seen.headers == {
        "host": f"127.0.0.1:{echo.port}",
        "authorization": f"Bearer {TOKEN}",
        "accept": "application/json",
        "accept-encoding": "gzip",
    }


def test_the_version_of_the_client_is_spoken(echo: Server) -> None:
    session_on(echo.url, api_version="59.0").send(get())
    assert echo.seen[0].target.startswith("/services/data/v59.0/")


@pytest.mark.parametrize("version", [68, "68", "v68.0", "68.0 ", "", None, 68.0, "6.0", "168.0", "68.0\n", "６８.0"])
def test_a_version_of_another_form_is_refused(version: Any) -> None:
    with pytest.raises(ValueError, match=r'is not of the form "68\.0"'):
        session_on("https://acme.my.salesforce.com", api_version=version)


def test_a_write_carries_compact_json_with_its_length(echo: Server) -> None:
    body = {"Name": "Curie é", "Amount": Decimal("12.30"), "When": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)}
    session_on(echo.url).send(post(json=body))
    seen = echo.seen[0]
    expected = '{"Name":"Curie é","Amount":12.30,"When":"2026-01-02T03:04:05.678Z"}'.encode()
    assert seen.body == expected
    assert (seen.headers["content-type"], seen.headers["content-length"]) == ("application/json", str(len(expected)))


@pytest.mark.parametrize(
    ("value", "error"),
    [(datetime(2026, 1, 2), ValueError), (Decimal("NaN"), ValueError), (object(), TypeError), (b"x", TypeError)],
)
def test_what_has_no_json_form_is_refused_before_anything_is_sent(
    echo: Server, value: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        session_on(echo.url).send(post(json={"X": value}))
    assert echo.seen == []


def test_empty_and_null_bodies_differ(echo: Server) -> None:
    session = session_on(echo.url)
    session.send(post(json=None))
    session.request("POST", "/services/apexrest/x", data=b"")
    session.request("POST", "/services/apexrest/x")
    assert [(seen.body, seen.headers.get("content-length")) for seen in echo.seen] == [
        (b"null", "4"),
        (b"", "0"),
        (b"", "0"),
    ]


def test_files_go_out_with_their_length_and_iterators_in_chunks(echo: Server) -> None:
    session = session_on(echo.url)
    session.request("PUT", "/services/data/v68.0/x", data=io.BytesIO(b"file"), headers={"Content-Type": "text/csv"})
    session.request("PUT", "/services/data/v68.0/x", data=(part for part in (b"a", b"b")))
    assert [seen.body for seen in echo.seen] == [b"file", b"ab"]
    assert echo.seen[0].headers["content-length"] == "4"
    assert echo.seen[0].headers["content-type"] == "text/csv"
    assert echo.seen[1].headers["transfer-encoding"] == "chunked"


@pytest.mark.parametrize("body", ["text", 7, {"a": 1}])
def test_bodies_of_other_types_are_refused(echo: Server, body: Any) -> None:
    with pytest.raises(TypeError, match="a body is bytes"):
        session_on(echo.url).request("POST", "/services/apexrest/x", data=body)
    assert echo.seen == []


def test_headers_of_the_call_win_and_the_sessions_own_are_out_of_reach(echo: Server) -> None:
    session = session_on(echo.url)
    session.send(get(headers={"Sforce-Query-Options": "batchSize=200"}), headers={"accept": "text/csv"})
    assert echo.seen[0].headers["sforce-query-options"] == "batchSize=200"
    assert echo.seen[0].headers["accept"] == "text/csv"
    for name in ("Authorization", "authorization", "X-SFDC-Session", "Cookie", "Host"):
        with pytest.raises(ValueError, match="session's own header"):
            session.send(get(), headers={name: "x"})
    for value in ("a\r\nX-Evil: 1", "a\nb", "\x00", "é", 7):
        with pytest.raises(ValueError, match="HTTP cannot carry") as caught:
            session.send(get(), headers={"X-Mine": value})  # type: ignore[dict-item]
        assert "Evil" not in str(caught.value)
    for name in ("Host ", "authorization:", "", "a b", None, 7, b"x"):
        with pytest.raises(ValueError, match="no name of a header"):
            session.send(get(), headers={name: "x"})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="headers is a Mapping"):
        session.request("GET", "/services/data", headers="x")  # type: ignore[arg-type]
    assert len(echo.seen) == 1


def test_the_clients_name_is_told(echo: Server) -> None:
    session_on(echo.url, client_name="Nightly/2").send(get())
    assert echo.seen[0].headers["user-agent"].startswith("Nightly/2 sfconnector/")
    assert echo.seen[0].headers["sforce-call-options"] == "client=Nightly/2"
    for name in ("", " ", "a\nb", "a,b", "é"):
        with pytest.raises(ValueError, match="client_name"):
            session_on(echo.url, client_name=name)


# The escape hatch


def test_any_request_can_be_sent(echo: Server) -> None:
    session = session_on(echo.url)
    params = {"q": "a=1&b", "flag": True, "n": 3, "none": None}
    response = session.request("post", "/services/apexrest/x?a=1", params=params, json=[1], headers={"X-Mine": "yes"})
    assert response.json() == RECORD
    seen = echo.seen[0]
    assert (seen.method, seen.target, seen.body) == (
        "POST",
        "/services/apexrest/x?a=1&q=a%3D1%26b&flag=true&n=3",
        b"[1]",
    )
    assert seen.headers["x-mine"] == "yes"


def test_full_urls_on_the_instance_are_followed(echo: Server) -> None:
    session_on(echo.url).request("GET", f"{echo.url}/services/data/v68.0/query/01g-2000")
    assert echo.seen[0].target == "/services/data/v68.0/query/01g-2000"


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.com/services/data",
        "//evil.com/x",
        "/services/../secur",
        "/services/data\r\nX: 1",
        "services/data",
        "http://127.0.0.1@evil.com/",
        "/services/a\\b",
    ],
)
def test_paths_that_lead_elsewhere_are_refused_before_anything_is_sent(echo: Server, path: str) -> None:
    session = session_on(echo.url)
    with pytest.raises(ValueError, match=r"instance|unsafe"):
        session.request("GET", path)
    with pytest.raises(ValueError, match=r"instance|unsafe"):
        session.send(Request("query_more", "GET", "", path))
    assert echo.seen == []


def test_arguments_that_contradict_each_other_are_refused(echo: Server) -> None:
    session = session_on(echo.url)
    with pytest.raises(ValueError, match="json or data"):
        session.request("POST", "/services/apexrest/x", json={}, data=b"")
    with pytest.raises(ValueError, match="no HTTP method"):
        session.request("GET /evil HTTP/1.1\r\n", "/services/apexrest/x")
    with pytest.raises(ValueError, match="None is no HTTP method"):
        session.request(None, "/services/apexrest/x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="path is a str, not a bytes"):
        session.request("GET", b"/services/data")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="params: ids is a list"):
        session.request("GET", "/services/apexrest/x", params={"ids": ["a"]})  # type: ignore[dict-item]


def test_the_escape_hatch_checks(echo: Server) -> None:
    with Server([Reply.error(404, "NOT_FOUND")]) as server, pytest.raises(NotFoundError):
        session_on(server.url).request("GET", "/services/data/v68.0/sobjects/Nope")


@pytest.mark.parametrize(
    ("method", "idempotent", "sent"),
    [
        ("GET", None, 2),
        ("HEAD", None, 2),
        ("OPTIONS", None, 2),
        ("DELETE", None, 2),
        ("POST", None, 1),
        ("PATCH", None, 1),
        ("PUT", None, 1),
        ("POST", True, 2),
        ("GET", False, 1),
    ],
)
def test_the_method_decides_what_may_be_repeated_unless_told(method: str, idempotent: bool | None, sent: int) -> None:
    with Server([Cut(), Reply(200, b"")]) as server:
        session = session_on(server.url)
        try:
            session.request(method, "/services/apexrest/x", idempotent=idempotent)
        except TransportError:
            assert sent == 1
        assert len(server.seen) == sent


# What is repeated


@pytest.mark.parametrize(
    ("trouble", "read", "write_once", "write_often"),
    [
        (Cut(), 2, 1, 2),
        (Reply(200, b'{"a":', {"Content-Type": "application/json"}, length=99, close=True), 2, 1, 2),
        (Reply(500), 2, 1, 2),
        (Reply(502), 2, 1, 2),
        (Reply(503), 2, 1, 2),
        (Reply(504), 2, 1, 2),
        (Reply(406), 2, 1, 2),
        (PAGE, 2, 1, 2),
        (Reply(200, b'{"Id": "001', {"Content-Type": "application/json"}), 2, 1, 2),
        (Reply(503, headers={"Retry-After": "0"}), 2, 2, 2),
        (Reply(429), 2, 2, 2),
        (Reply(420, b"<html>We are setting things up</html>", {"Content-Type": "text/html"}), 2, 2, 2),
        (LOCKED, 2, 2, 2),
        (Reply.error(500, "UNABLE_TO_LOCK_ROW"), 2, 2, 2),
        (Reply.error(503, "SERVER_UNAVAILABLE"), 2, 2, 2),
        (CONCURRENT, 2, 2, 2),
        (DAILY, 1, 1, 1),
        (Reply.error(400, "DUPLICATE_VALUE"), 1, 1, 1),
        (Reply.error(404, "NOT_FOUND"), 1, 1, 1),
        (Reply.error(409, "CONFLICT"), 1, 1, 1),
        (Reply(414), 1, 1, 1),
    ],
)
def test_trouble_is_overcome_where_that_is_safe(trouble: Answer, read: int, write_once: int, write_often: int) -> None:
    for request, expected in ((get(), read), (post(), write_once), (upsert(), write_often)):
        sent, result = attempts([trouble, OK], request)
        assert sent == expected
        assert (result == 200) is (expected == 2)


def test_the_last_answer_is_judged_when_the_attempts_are_used_up() -> None:
    sent, error = attempts([Reply(503)], get(), retry=quick(attempts=3))
    assert sent == 3
    assert isinstance(error, ServerError)


def test_the_last_failure_is_raised_when_the_attempts_are_used_up() -> None:
    sent, error = attempts([Cut()], get(), retry=quick(attempts=3))
    assert sent == 3
    assert isinstance(error, TransportError)
    assert error.failure is Failure.CUT


def test_a_deleted_org_is_asked_three_times_at_most() -> None:
    sent, error = attempts([Reply(420)], get(), retry=quick(attempts=9))
    assert (sent, type(error)) == (3, ApiError)


def test_delays_and_what_the_server_asks_for_are_waited() -> None:
    time = FakeTime()
    sent, result = attempts([Reply(503, headers={"Retry-After": "7"}), Reply(503), OK], get(), retry=time.retry())
    assert (sent, result) == (3, 200)
    assert time.slept == [7.5, 1.0]


def test_a_server_that_asks_for_an_hour_is_believed() -> None:
    time = FakeTime()
    sent, error = attempts([Reply(503, headers={"Retry-After": "3600"})], get(), retry=time.retry())
    assert (sent, type(error), time.slept) == (1, ServerError, [])


def test_the_time_budget_ends_the_attempts() -> None:
    time = FakeTime()
    sent, error = attempts([Reply(503)], get(), retry=time.retry(attempts=99, budget=10.0, max_backoff=4.0))
    assert isinstance(error, ServerError)
    assert sum(time.slept) <= 10.0
    assert sent == len(time.slept) + 1 == 5


def test_a_refused_connection_is_tried_again_even_for_a_write() -> None:
    time = FakeTime()
    with Server([OK]) as server:
        url = server.url
    session = session_on(url, retry=time.retry(attempts=3))
    with pytest.raises(TransportError, match=r"POST /sobjects/Account: no connection: .*refused") as caught:
        session.send(post())
    assert len(time.slept) == 2
    assert (caught.value.failure, caught.value.sent) == (Failure.CONNECT, False)
    assert not isinstance(caught.value, TransportTimeoutError)


def test_a_name_that_does_not_resolve_is_told() -> None:
    session = session_on("https://acme.invalid", retry=quick(attempts=2))
    with pytest.raises(TransportError, match="check host name") as caught:
        session.send(get())
    assert caught.value.failure is Failure.CONNECT


def test_files_are_rewound_for_each_attempt() -> None:
    with Server([Reply(503), Cut(), Reply(200, b"")]) as server:
        file = io.BytesIO(b"skipped|kept")
        file.seek(8)
        session_on(server.url).request("PUT", "/services/data/v68.0/x", data=file, idempotent=True)
        assert [seen.body for seen in server.seen] == [b"kept"] * 3


def test_what_can_be_read_only_once_is_sent_only_once() -> None:
    with Server([Reply(503)]) as server:
        with pytest.raises(ServerError):
            session_on(server.url).request("PUT", "/services/data/v68.0/x", data=iter([b"a"]), idempotent=True)
        assert len(server.seen) == 1


def test_codes_that_apex_wrote_prove_nothing() -> None:
    with Server([Reply.error(400, "UNABLE_TO_LOCK_ROW")]) as server:
        session = session_on(server.url)
        with pytest.raises(ApiError):
            session.request("POST", "/services/apexrest/orders", json={})
        assert len(server.seen) == 1


def test_a_page_from_apex_is_no_reason_to_ask_again() -> None:
    with Server([PAGE]) as server:
        assert "Maintenance" in session_on(server.url).request("GET", "/services/apexrest/page").text
        assert len(server.seen) == 1


# Time limits


def silent(timeout: Any, answer: Answer, **options: Any) -> TransportError:
    with Server([answer]) as server, pytest.raises(TransportTimeoutError) as caught:
        session_on(server.url, timeout=timeout, **options).send(get())
    return caught.value


@pytest.mark.parametrize("timeout", [0.05, (5.0, 0.05), Timeout(read=0.05)])
def test_silence_ends_at_the_read_timeout(timeout: Any) -> None:
    error = silent(timeout, Silence(), retry=Retry(attempts=1))
    assert error.failure is Failure.TIMEOUT
    assert str(error).startswith("GET /sobjects/Account/001000000000001AAA: no answer in time: ")


def test_the_timeout_of_a_call_goes_before_that_of_the_session() -> None:
    with Server([Silence()]) as server, pytest.raises(TransportTimeoutError):
        session_on(server.url, retry=Retry(attempts=1)).send(get(), timeout=0.05)


def test_an_answer_that_drips_ends_at_the_total_timeout() -> None:
    error = silent(Timeout(read=5.0, total=0.1), Drip(), retry=Retry(attempts=1))
    assert "total timeout" in str(error)


def test_a_dripping_server_cannot_outlast_the_budget() -> None:
    ticks = itertools.count()
    retry = Retry(attempts=50, budget=100.0, backoff=0.0, clock=lambda: next(ticks))
    with Server([Drip()]) as server:
        with pytest.raises(TransportTimeoutError):
            session_on(server.url, timeout=Timeout(read=5.0, total=40.0), retry=retry).send(get())
        assert len(server.seen) == 3


@pytest.mark.parametrize("timeout", [0, -1, True, "5", (1, 2, 3), (1,), float("inf"), float("nan"), (1.0, None)])
def test_impossible_timeouts_are_refused(timeout: Any) -> None:
    with pytest.raises(ValueError, match="timeout"):
        session_on("https://acme.my.salesforce.com", timeout=timeout)


def test_the_defaults_are_the_documented_ones() -> None:
    assert Timeout() == Timeout(connect=10.0, read=120.0, total=600.0)
    assert Timeout.of(None, Timeout()) == Timeout()


# What answers are made of


def test_a_packed_answer_is_unpacked() -> None:
    packed = Reply(
        200,
        gzip.compress(json.dumps(RECORD).encode()),
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    )
    with Server([packed]) as server:
        session = session_on(server.url)
        response = session.send(get())
        assert session.decode(response) == RECORD
        assert response.content == json.dumps(RECORD).encode()
        assert response.text == json.dumps(RECORD)


def test_an_answer_that_is_packed_badly_counts_as_cut() -> None:
    sent, result = attempts([Reply(200, b"no gzip", {"Content-Encoding": "gzip"}), OK], get())
    assert (sent, result) == (2, 200)


@pytest.mark.parametrize("body", [b"", b"   "])
def test_no_body_is_no_value(body: bytes) -> None:
    with Server([Reply(204 if not body else 200, body)]) as server:
        session = session_on(server.url)
        response = session.send(post())
        if body:
            with pytest.raises(InvalidResponseError, match="3 bytes of unnamed type"):
                session.decode(response)
        else:
            assert session.decode(response) is None


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (PAGE, "JSON was expected, and there came 39 bytes of text/html, which read: Maintenance"),
        (Reply(200, b'{"Name": "Curie"', {"Content-Type": "application/json"}), "16 bytes of application/json"),
        (Reply(200, b'{"Name": Curie}', {"Content-Type": "application/json"}), "15 bytes of application/json"),
        (Reply(200, b"\xff\xfe", {}), "2 bytes of unnamed type"),
    ],
)
def test_a_success_that_is_not_json_is_an_error_without_the_body_in_it(reply: Reply, text: str) -> None:
    _, error = attempts([reply], get(), retry=quick(attempts=2))
    assert isinstance(error, InvalidResponseError)
    assert text in str(error)
    assert "Curie" not in str(error)
    assert error.status == 200


@pytest.mark.parametrize("body", [b"[1]", b' {"a": 1}\r\n\r\n', b'"text"', b"12", b"true", b"null", b"[]"])
def test_every_json_text_passes(body: bytes) -> None:
    sent, result = attempts([Reply(200, body, {"Content-Type": "application/json"})], get())
    assert (sent, result) == (1, 200)


def test_a_page_for_an_error_is_quoted() -> None:
    sent, error = attempts(
        [Reply(414, b"<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>", {"Content-Type": "text/html"})], get()
    )
    assert sent == 1
    assert "414 Bad Message 414 reason: URI Too Long" in str(error)


@pytest.mark.parametrize("headers", [{"If-Modified-Since": "Mon, 23 Nov 2026 12:00:00 GMT"}, {"If-None-Match": '"x"'}])
def test_not_modified_is_a_success_where_it_was_asked_for(headers: dict[str, str]) -> None:
    with Server([Reply(304, b"")]) as server:
        session = session_on(server.url)
        session.check(session.send(get(headers=headers)))
        with pytest.raises(ApiError, match="304"):
            session.check(session.send(get()))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirections_are_not_followed(status: int) -> None:
    with Server([OK]) as other, Server([Reply(status, b"", {"Location": f"{other.url}/evil"})]) as server:
        session = session_on(server.url)
        for request in (get(), post()):
            with pytest.raises(ApiError, match=f"redirections are not followed; this one leads to {other.url}"):
                session.check(session.send(request))
        session.http.get(f"{server.url}/services/data")
        assert other.seen == []


def test_streamed_answers_are_left_to_the_caller() -> None:
    with Server([Reply(200, b"a,b\n1,2\n", {"Content-Type": "text/csv"})]) as server:
        response = session_on(server.url).request("GET", "/services/data/v68.0/jobs/query/750/results", stream=True)
        assert response.raw.read(3) == b"a,b"
        assert server.seen[0].headers["accept"] == "*/*"
        assert b"".join(response.iter_content(2)) == b"\n1,2\n"


def test_errors_are_read_even_where_a_stream_was_asked_for() -> None:
    with Server([Reply.error(400, "INVALIDJOB", "no such job")]) as server:
        session = session_on(server.url)
        with pytest.raises(ApiError, match="INVALIDJOB: no such job"):
            session.request("GET", "/services/data/v68.0/jobs/query/750/results", stream=True)


def test_the_usage_of_the_latest_answer_is_kept() -> None:
    answers = [
        Reply.of({}, Sforce_Limit_Info="api-usage=18/5000"),
        Reply.of({}),
        Reply.error(404, "NOT_FOUND", Sforce_Limit_Info="api-usage=19/5000"),
    ]
    with Server(answers) as server:
        session = session_on(server.url)
        assert session.usage is None
        session.send(get())
        assert session.usage == Usage(18, 5000)
        session.send(get())
        assert session.usage == Usage(18, 5000)
        session.send(get())
        assert session.usage == Usage(19, 5000)


@pytest.mark.parametrize(
    ("header", "usage"),
    [
        ("api-usage=10018/100000", Usage(10018, 100000)),
        (
            "api-usage=25/5000; per-app-api-usage=17/250(appName=sample-connected-app)",
            Usage(25, 5000, 17, 250, "sample-connected-app"),
        ),
        ("api-usage=110018/100000; api-bursts=1/750", Usage(110018, 100000)),
        ("", None),
        ("api-usage=x/y", None),
        (f"api-usage={'9' * 5000}/5", None),
        ("per-app-api-usage=17/250(appName=x)", None),
    ],
)
def test_usage_headers_of_every_kind_are_read(header: str, usage: Usage | None) -> None:
    assert Usage.parse(header) == usage


@given(st.text(max_size=60))
def test_no_usage_header_breaks_the_reader(header: str) -> None:
    assert Usage.parse(header) is None or "api-usage=" in header


# What is told, and what is not

SOQL = "SELECT Id FROM Contact WHERE LastName = 'Curie'"


def test_hooks_see_each_attempt_without_data() -> None:
    events: list[Any] = []
    hooks = Hooks(on_request=events.append, on_response=events.append, on_retry=events.append)
    answers: list[Answer] = [Cut(), Reply(503), Reply.of(RECORD, X_SFDC_Request_Id="abc")]
    with Server(answers) as server:
        session_on(server.url, hooks=hooks).send(get("/query", params=(("q", SOQL),)))
    names = [type(event).__name__ for event in events]
    assert names == [
        "RequestEvent",
        "RetryEvent",
        "RequestEvent",
        "ResponseEvent",
        "RetryEvent",
        "RequestEvent",
        "ResponseEvent",
    ]
    assert (events[0].operation, events[0].method, events[0].path, events[0].attempt) == (
        "get_record",
        "GET",
        "/query",
        1,
    )
    assert events[1].reason == "the connection broke"
    assert (events[3].status, events[3].request_id, events[3].request.attempt) == (503, None, 2)
    assert (events[6].status, events[6].request_id, events[6].request.attempt) == (200, "abc", 3)
    assert all("Curie" not in repr(event) and TOKEN not in repr(event) for event in events)


def test_a_broken_hook_does_not_lose_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    def broken(event: Any) -> None:
        raise RuntimeError("metrics are down")

    hooks = Hooks(on_request=broken, on_response=broken, on_retry=broken, on_refresh=broken)
    sent, result = attempts([Reply(503), OK], get(), hooks=hooks)
    assert (sent, result) == (2, 200)
    assert caplog.text.count("a hook for") == 6


def test_decisions_are_logged_with_their_reason(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "sfconnector")
    attempts([Cut(), OK], get())
    attempts([Cut()], post())
    assert "GET /sobjects/Account/001000000000001AAA: attempt 1: the connection broke; again in 0.00 s" in caplog.text
    assert (
        "POST /sobjects/Account: attempt 1, giving up: the connection broke: it may have been carried out"
        in caplog.text
    )
    assert "GET /sobjects/Account/001000000000001AAA: 200 in" in caplog.text


def test_neither_logs_nor_texts_nor_reprs_hold_tokens_bodies_or_queries(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answers: list[list[Answer]] = [
        [Cut()],
        [Reply(503)],
        [PAGE],
        [OK],
        [LOCKED],
        [Reply(200, b'{"LastName": "Curie"')],
        [Silence()],
        [Reply.error(400, "MALFORMED_QUERY", f"\n{SOQL}\n ^\nERROR at Row:1:Column:9\nunexpected token")],
    ]
    seen: list[str] = []
    for answer in answers:
        for request in (get("/query", params=(("q", SOQL),)), post(json={"LastName": "Curie"})):
            _, result = attempts(answer, request, retry=quick(attempts=2), timeout=0.1)
            chain = result if isinstance(result, Exception) else None
            while chain is not None:
                seen += [str(chain), repr(chain)]
                chain = chain.__cause__
            seen.append(repr(request))
    seen += [record.getMessage() for record in caplog.records if record.name == "sfconnector"]
    assert len(seen) > 50
    for text in seen:
        assert "Curie" not in text
        assert TOKEN not in text


def test_failures_keep_their_cause() -> None:
    _, error = attempts([Cut()], post())
    assert error.__cause__ is not None
    assert not isinstance(error.__cause__, requests.RequestException)


# Life


def test_a_closed_session_says_so(echo: Server) -> None:
    session = session_on(echo.url)
    session.send(get())
    session.close()
    session.close()
    for use in (
        lambda: session.send(get()),
        lambda: session.request("GET", "/services/data"),
        lambda: session.instance_url,
    ):
        with pytest.raises(RuntimeError, match="the client is closed"):
            use()


def test_a_session_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match="make one in each process"):
        pickle.dumps(session_on("https://acme.my.salesforce.com"))


def test_connections_are_kept_and_shared_and_never_too_many() -> None:
    gate = threading.Barrier(3)

    def answer(_: Seen) -> Answer:
        # Only at first: the last requests may all be those of one thread.
        if len(server.seen) <= 3:
            gate.wait()
        return OK

    with Server(answer) as server:
        session = session_on(server.url, max_connections=3)
        threads = [threading.Thread(target=lambda: [session.send(get()) for _ in range(5)]) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(server.seen), server.connections) == (30, 3)
        session.close()


def test_forgotten_streams_are_told_instead_of_waiting_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sfconnector._transport._POOL_WAIT", 0.05)
    with Server([OK]) as server:
        session = session_on(server.url, max_connections=1)
        forgotten = session.send(get(), stream=True)
        with pytest.raises(
            TransportTimeoutError, match=r"all connections are in use.*close streamed answers"
        ) as caught:
            session.send(post())
        assert not caught.value.sent
        assert forgotten.json() == RECORD
        session.check(session.send(post()))


@pytest.mark.parametrize("number", [0, -1])
def test_impossible_pools_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="max_connections"):
        session_on("https://acme.my.salesforce.com", max_connections=number)


def test_a_session_of_ones_own_carries_the_requests() -> None:
    with Server([Reply(503, headers={"Set-Cookie": "a=b"}), OK]) as server, requests.Session() as http:
        http.headers["X-Default"] = "not ours"
        session = Session(AccessToken(server.url, TOKEN), http=http, retry=quick())
        assert session.decode(session.send(get())) == RECORD
        assert session.decode(session.send(get())) == RECORD
        assert server.seen[1].headers["authorization"] == f"Bearer {TOKEN}"
        assert not any({"cookie", "x-default"} & set(seen.headers) for seen in server.seen)
        session.close()
        assert http.get(server.url).status_code == 200


@pytest.mark.parametrize("option", [{"proxies": {}}, {"verify": False}, {"cert": "x.pem"}, {"max_connections": 3}])
def test_options_of_a_session_of_ones_own_are_its_own(option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="to the session that you pass as http"):
        session_on("https://acme.my.salesforce.com", http=requests.Session(), **option)


def test_many_threads_share_a_session(echo: Server) -> None:
    session = session_on(echo.url)
    work: Callable[[], Any] = lambda: [session.decode(session.send(get())) for _ in range(20)]  # noqa: E731
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(work())) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[RECORD] * 20] * 16


def test_a_client_from_before_a_fork_says_so(echo: Server) -> None:
    session = session_on(echo.url)
    session.send(get())
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        try:
            session.send(get())
            os.write(writer, b"sent")
        except RuntimeError as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 200) == b"the client was made before a fork: make one in each process"
    os.close(reader)
    os.close(writer)
    session.check(session.send(get()))
    assert len(echo.seen) == 2


def test_a_session_that_is_closed_meanwhile_tries_no_more() -> None:
    with Server([Cut()]) as server:
        closing = Retry(sleep=lambda _: session.close())
        session = session_on(server.url, retry=closing)
        with pytest.raises(RuntimeError, match="the client is closed"):
            session.send(get())
        assert len(server.seen) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("length", ["5, 6", "many", "9999"])
def test_a_length_that_lies_is_no_mistake_of_the_caller(length: str) -> None:
    number, result = attempts([Reply(body=b"{", headers={"Content-Length": length}, close=True)], post())
    assert number == 1
    assert isinstance(result, TransportError | InvalidResponseError)
    del result
    # The first of these makes urllib3 leave its socket to the garbage collector, which must not tell another test.
    gc.collect()


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"auth": "https://acme.my.salesforce.com"}, TypeError, "auth is a way to log in"),
        ({"auth": auth.ClientCredentials}, TypeError, "auth is a way to log in"),
        ({"retry": 3}, TypeError, "retry is a Retry, not a int"),
        ({"hooks": print}, TypeError, "hooks is a Hooks"),
        ({"http": "x"}, TypeError, "http is a Session"),
        ({"max_connections": "3"}, ValueError, "max_connections is a whole number"),
        ({"max_connections": 2.5}, ValueError, "max_connections is a whole number"),
        ({"client_name": 7}, ValueError, "client_name"),
    ],
)
def test_options_of_other_types_are_refused(options: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        session_on("https://acme.my.salesforce.com", **options)
