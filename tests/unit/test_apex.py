"""Apex REST, against answers written down here."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from http_server import Cut, Reply, Server
from hypothesis import given
from hypothesis import strategies as st
from session_tools import FakeTime

from sfconnector import Salesforce, auth, errors
from sfconnector._apex import _below
from sfconnector.testing import ApexRequest, ApexResponse, LocalOrg

ROOT = "/services/apexrest"
VERBS = ["get", "post", "put", "patch", "delete"]


def connect(server: Server) -> Salesforce:
    return Salesforce(auth.AccessToken(server.url, "x"), retry=FakeTime().retry())


def text(body: str, status: int = 200, kind: str = "text/plain") -> Reply:
    return Reply(status, body.encode(), {"Content-Type": kind} if kind else {})


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("status", [200, 201, 202, 203, 206, 299])
def test_every_verb_takes_every_success(verb: str, status: int) -> None:
    with Server([Reply.of({"sku": "X1"}, status)]) as server, connect(server) as sf:
        assert getattr(sf.apex, verb)("/orders/v1") == {"sku": "X1"}
    assert (server.seen[0].method, server.seen[0].target) == (verb.upper(), f"{ROOT}/orders/v1")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("status", [200, 202, 204])
def test_an_answer_may_be_empty(verb: str, status: int) -> None:
    with Server([Reply(status, b"")]) as server, connect(server) as sf:
        assert getattr(sf.apex, verb)("orders/v1") is None


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply.of([1, 2]), [1, 2]),
        (Reply.of("text"), "text"),
        (Reply.of(7.5), 7.5),
        (Reply.of(True), True),
        (Reply.of(None), None),
        (text("id,name\n1,Acme\n", kind="text/csv;charset=UTF-8"), "id,name\n1,Acme\n"),
        (text("17"), "17"),
        (text("é"), "é"),
        (text("OK", kind="application/json"), "OK"),
        (text("OK", kind=""), "OK"),
        (text('{"a": 1}', kind=""), {"a": 1}),
        (text('{"a": 1}', kind="application/vnd.acme+json"), {"a": 1}),
        (text("<a>é</a>", kind="application/xml"), "<a>é</a>"),
        (text("<p>OK</p>", kind="text/html"), "<p>OK</p>"),
        (Reply(200, "é".encode("latin-1"), {"Content-Type": "text/plain; charset=ISO-8859-1"}), "é"),
        (Reply(200, b"\xff\xfe", {"Content-Type": "text/plain; charset=UTF-8"}), b"\xff\xfe"),
        (Reply(200, b"x", {"Content-Type": "text/plain; charset=nonsense"}), b"x"),
        (Reply(200, b"%PDF", {"Content-Type": "application/pdf"}), b"%PDF"),
    ],
)
def test_an_answer_is_json_or_text_or_bytes(reply: Reply, expected: Any) -> None:
    with Server([reply]) as server, connect(server) as sf:
        answer = sf.apex.get("x")
    assert (type(answer), answer) == (type(expected), expected)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (text("The warehouse is closed.", 409), "GET /services/apexrest/orders: 409 The warehouse is closed."),
        (text("", 418, ""), "GET /services/apexrest/orders: 418 Status"),
        (text("<html><title>Oops</title></html>", 500, "text/html"), "GET /services/apexrest/orders: 500 Oops"),
        (Reply.error(500, "APEX_ERROR", "System.NullPointerException"), "500 APEX_ERROR: System.NullPointerException"),
        (Reply.error(404, "NOT_FOUND", "Could not find a match for URL"), "404 NOT_FOUND: Could not find a match"),
    ],
)
def test_an_error_shows_status_and_text(reply: Reply, expected: str) -> None:
    with Server([reply]) as server, connect(server) as sf, pytest.raises(errors.ApiError) as caught:
        sf.apex.request("get", "/orders")
    assert expected in str(caught.value)
    assert caught.value.status == reply.status


def test_json_bytes_params_and_headers_are_sent() -> None:
    with Server([Reply.of({})]) as server, connect(server) as sf:
        sf.apex.post(
            "/orders", json={"sku": "é"}, params={"dry run": True, "n": 2, "none": None}, headers={"X-Key": "k"}
        )
        sf.apex.put("/orders", data=b"<a/>", headers={"Content-Type": "application/xml", "Accept": "application/xml"})
    first, second = server.seen
    assert first.target == f"{ROOT}/orders?dry%20run=true&n=2"
    assert (json.loads(first.body), first.headers["x-key"]) == ({"sku": "é"}, "k")
    assert (second.body, second.headers["content-type"]) == (b"<a/>", "application/xml")
    assert second.headers["accept"] == "application/xml"


@pytest.mark.parametrize(
    ("verb", "options", "attempts"),
    [
        ("get", {}, 2),
        ("delete", {}, 2),
        ("post", {"json": {}}, 1),
        ("put", {"json": {}}, 1),
        ("patch", {"json": {}}, 1),
    ],
)
@pytest.mark.parametrize("answer", [Cut(), Reply(503, b""), Reply.error(500, "UNABLE_TO_LOCK_ROW")])
def test_only_what_may_be_sent_twice_is(verb: str, options: dict[str, Any], attempts: int, answer: Any) -> None:
    with Server([answer, Reply.of("done")]) as server, connect(server) as sf:
        if attempts == 1:
            with pytest.raises(errors.SalesforceError):
                getattr(sf.apex, verb)("/orders", **options)
        else:
            assert getattr(sf.apex, verb)("/orders", **options) == "done"
    assert len(server.seen) == attempts


def test_a_class_may_be_declared_safe_to_call_twice() -> None:
    with Server([Cut(), Reply.of("done")]) as server, connect(server) as sf:
        assert sf.apex.request("POST", "/orders", json={}, idempotent=True) == "done"
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("orders/v1", "orders/v1"),
        ("/orders/v1/", "orders/v1/"),
        ("/orders/a b/é", "orders/a%20b/%C3%A9"),
        ("/orders/a%2Fb", "orders/a%2Fb"),
        (["orders", "a/b?c#d %+é\\"], "orders/a%2Fb%3Fc%23d%20%25%2B%C3%A9%5C"),
        (("ns", "orders"), "ns/orders"),
    ],
)
def test_a_path_is_encoded(path: Any, target: str) -> None:
    with Server([Reply.of(1)]) as server, connect(server) as sf:
        sf.apex.get(path)
    assert server.seen[0].target == f"{ROOT}/{target}"


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1).filter(
        lambda segments: not {".", ".."} & set(segments)
    )
)
def test_a_list_of_segments_arrives_as_that_list(segments: list[str]) -> None:
    assert [unquote(segment) for segment in _below(segments).split("/")] == segments


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//orders",
        "../data/v68.0/limits",
        "orders/../../data",
        "orders/%2e%2e/x",
        "/services/data/v68.0/limits",
        "services/apexrest/orders",
        "https://evil.example/x",
        "orders?x=1",
        "orders#x",
        "orders\\x",
        "orders\n",
        [],
        [""],
        ["orders", ".."],
        [1],
        None,
        7,
        {"orders"},
        b"orders",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(path: Any) -> None:
    with Server([Reply()]) as server, connect(server) as sf, pytest.raises((ValueError, TypeError)):
        sf.apex.get(path)
    assert server.seen == []


@pytest.mark.parametrize(
    "call",
    [
        lambda apex: apex.post("x", json={}, data=b""),
        lambda apex: apex.post("x", data="text"),
        lambda apex: apex.request("GET /", "x"),
        lambda apex: apex.get("x", headers={"Authorization": "Bearer mine"}),
        lambda apex: apex.get("x", params={"a": ["b"]}),
        lambda apex: apex.post("/a", json={"deep": [1.0, float("nan")]}),
        lambda apex: apex.patch("/a", json=float("-inf")),
    ],
)
def test_bad_input_is_refused(call: Callable[[Any], Any]) -> None:
    with Server([Reply()]) as server, connect(server) as sf, pytest.raises((ValueError, TypeError)):
        call(sf.apex)
    assert server.seen == []


def test_classes_of_an_org(sf: Salesforce, local_org: LocalOrg) -> None:
    @local_org.apex("/echo/*")
    def echo(request: ApexRequest) -> Any:
        match request.segments:
            case ("nothing",):
                return None
            case ("text",):
                return ApexResponse(status=202, body="é", headers={"Content-Type": "text/plain; charset=UTF-8"})
            case ("refused",):
                return ApexResponse(status=409, body="Closed.", headers={"Content-Type": "text/plain"})
            case ("broken",):
                raise ValueError("a bug")
        body = request.json() if request.body else None
        return {"method": request.method, "segments": [*request.segments], "params": {**request.params}, "body": body}

    for verb in VERBS:
        options = {} if verb in {"get", "delete"} else {"json": {"a": "é"}}
        answer = getattr(sf.apex, verb)(["echo", "a/b?c#d %+é"], params={"x": "1 & 2"}, **options)
        expected = {"segments": ["a/b?c#d %+é"], "params": {"x": "1 & 2"}, "body": options.get("json")}
        assert answer == {"method": verb.upper(), **expected}
    assert (sf.apex.get("echo/nothing"), sf.apex.get("/echo/text")) == (None, "é")
    with pytest.raises(errors.ConflictError, match=r"GET /services/apexrest/echo/refused: 409 Closed\."):
        sf.apex.get("echo/refused")
    with pytest.raises(errors.ServerError, match=r"500 APEX_ERROR: .*a bug"):
        sf.apex.post("echo/broken", json={})
    with pytest.raises(errors.NotFoundError):
        sf.apex.get("nothing/here")
