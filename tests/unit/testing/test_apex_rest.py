"""Apex REST: Python functions in the place of Apex classes."""

from typing import Any

import pytest
import requests
from local_api import Api

from sfconnector.testing import ApexRequest, ApexResponse, LocalOrg

ROOT = "/services/apexrest"


def test_a_function_gets_what_a_class_gets(api: Api) -> None:
    seen: list[ApexRequest] = []

    @api.org.apex("/orders/v1/*", methods="POST")
    def create(request: ApexRequest) -> dict[str, Any]:
        seen.append(request)
        return {"sku": request.json()["sku"], "number": 7, "lines": [1.5, None]}

    path = f"{ROOT}/orders/v1/A%2F1/lines"
    response = api("POST", path, params={"dry": "yes", "x": ["1", "2"]}, json={"sku": "X1"}, headers={"X-Trace": "t"})
    assert response.status_code == 200
    assert response.json() == {"sku": "X1", "number": 7, "lines": [1.5, None]}
    [request] = seen
    assert (request.method, request.path, request.segments) == ("POST", "/orders/v1/A%2F1/lines", ("A/1", "lines"))
    assert request.params == {"dry": "yes", "x": "1"}
    assert request.headers["x-trace"] == "t"
    assert "authorization" not in request.headers
    assert request.user_id == api.org.user_id


@pytest.mark.parametrize(
    ("method", "returned", "status", "body", "media_type"),
    [
        ("GET", None, 200, b"", None),
        ("PATCH", None, 204, b"", None),
        ("PATCH", {}, 200, b"{}", "application/json;charset=UTF-8"),
        ("GET", "done", 200, b'"done"', "application/json;charset=UTF-8"),
        ("PUT", 12, 200, b"12", "application/json;charset=UTF-8"),
        ("DELETE", False, 200, b"false", "application/json;charset=UTF-8"),
        ("GET", b"\x00\xff", 200, b"\x00\xff", "application/octet-stream"),
        ("POST", ApexResponse(status=201, body={"id": 1}), 201, b'{"id":1}', "application/json;charset=UTF-8"),
        ("POST", ApexResponse(status=202), 202, b"", None),
        ("POST", ApexResponse(status=204, body="unseen"), 204, b"", None),
        ("GET", ApexResponse(body=b"a,b", headers={"content-type": "text/csv"}), 200, b"a,b", "text/csv"),
        ("GET", ApexResponse(body="grüß", headers={"Content-Type": "text/plain"}), 200, "grüß".encode(), "text/plain"),
        ("GET", ApexResponse(status=404, body="no"), 404, b'"no"', "application/json;charset=UTF-8"),
    ],
)
def test_a_return_value_becomes_an_answer(
    api: Api, method: str, returned: Any, status: int, body: bytes, media_type: str | None
) -> None:
    api.org.add_apex("/it", lambda _request: returned)
    response = api(method, f"{ROOT}/it")
    assert (response.status_code, response.content) == (status, body)
    assert response.headers.get("Content-Type") == media_type


def test_headers_of_a_response_are_sent(api: Api) -> None:
    api.org.add_apex("/it", lambda _request: ApexResponse(body=[], headers={"X-Total": "3"}))
    assert api("GET", f"{ROOT}/it").headers["X-Total"] == "3"


def test_an_exception_is_an_apex_error(api: Api) -> None:
    @api.org.apex("/broken")
    def broken(request: ApexRequest) -> None:
        raise LookupError("no such order")

    response = api("POST", f"{ROOT}/broken")
    assert response.status_code == 500
    [error] = response.json()
    assert error["errorCode"] == "APEX_ERROR"
    first, _, trace = error["message"].partition("\n\n")
    assert first == "LookupError: no such order"
    assert trace.startswith("Class.test_an_exception_is_an_apex_error.broken: line ")


@pytest.mark.parametrize("returned", [{1, 2}, object()], ids=["set", "object"])
def test_what_json_cannot_hold_is_an_apex_error(api: Api, returned: Any) -> None:
    api.org.add_apex("/it", lambda _request: returned)
    response = api("GET", f"{ROOT}/it")
    assert (response.status_code, response.json()[0]["errorCode"]) == (500, "APEX_ERROR")


def test_apex_allows_some_status_codes_and_headers_only(api: Api) -> None:
    api.org.add_apex("/teapot", lambda _request: ApexResponse(status=418))
    response = api("GET", f"{ROOT}/teapot")
    assert response.status_code == 500
    assert "Invalid status code for HTTP response: 418" in response.json()[0]["message"]
    with pytest.raises(ValueError, match="Set-Cookie"):
        ApexResponse(headers={"Set-Cookie": "a=b"})


def test_a_broken_body_is_refused_in_the_words_of_the_parser(api: Api) -> None:
    api.org.add_apex("/it", lambda request: request.json())
    response = api("POST", f"{ROOT}/it", data='{"sku": ')
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_an_unknown_url_and_an_unserved_verb(api: Api) -> None:
    api.org.add_apex("/orders/*", lambda _request: "ok", methods=("GET", "post"))
    response = api("GET", f"{ROOT}/Orders/1")
    assert response.status_code == 404
    assert response.json() == [{"message": "Could not find a match for URL", "errorCode": "NOT_FOUND"}]
    response = api("DELETE", f"{ROOT}/orders/1")
    assert response.status_code == 405
    assert response.json() == [
        {"message": "HTTP Method 'DELETE' not allowed. Allowed are GET,POST", "errorCode": "METHOD_NOT_ALLOWED"}
    ]


def test_the_mapping_that_fits_best_answers(api: Api) -> None:
    for mapping in ("/a/*", "/a/b/*", "/a/b/c", "/a/*/items", "/first", "/first/*"):
        api.org.add_apex(mapping, lambda _request, mapping=mapping: mapping)
    answers = {
        path: api("GET", ROOT + path).json()
        for path in ("/a/x", "/a", "/a/", "/a/b/x", "/a/b/c", "/a/x/items", "/first", "/first/2")
    }
    assert answers == {
        "/a/x": "/a/*",
        "/a": "/a/*",
        "/a/": "/a/*",
        "/a/b/x": "/a/b/*",
        "/a/b/c": "/a/b/c",
        "/a/x/items": "/a/*/items",
        "/first": "/first",
        "/first/2": "/first/*",
    }


def test_each_verb_may_have_its_own_function(api: Api) -> None:
    api.org.add_apex("/it", lambda _request: "read", methods="GET")
    api.org.add_apex("/it", lambda _request: "written", methods=["PUT", "PATCH"])
    assert [api(verb, f"{ROOT}/it").json() for verb in ("GET", "PUT", "PATCH")] == ["read", "written", "written"]
    assert api("POST", f"{ROOT}/it", params={"_HttpMethod": "PATCH"}).json() == "written"
    with pytest.raises(ValueError, match="PUT is served"):
        api.org.add_apex("/it", lambda _request: "again", methods=["POST", "PUT"])
    assert api("POST", f"{ROOT}/it").status_code == 405


@pytest.mark.parametrize(
    ("mapping", "methods", "message"),
    [
        ("orders", "GET", "begins with a /"),
        ("/" + "x" * 255, "GET", "255"),
        ("/services/apexrest/orders", "GET", "follows"),
        ("/orders*", "GET", "between two slashes"),
        ("/orders", "HEAD", "not 'HEAD'"),
        ("/orders", (), "at least one"),
    ],
)
def test_a_malformed_registration_is_refused(mapping: str, methods: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LocalOrg().add_apex(mapping, lambda _request: None, methods=methods)


def test_a_function_may_call_the_org(api: Api) -> None:
    @api.org.apex("/accounts", methods="POST")
    def create(request: ApexRequest) -> str:
        return api.create("Account", Name=request.json()["name"])

    account_id = api("POST", f"{ROOT}/accounts", json={"name": "Acme"}).json()
    assert api("GET", f"sobjects/Account/{account_id}").json()["Name"] == "Acme"


def test_functions_added_before_the_start_are_there_after_it() -> None:
    org = LocalOrg()
    org.add_apex("/it", lambda _request: "there")
    for _ in range(2):
        with org:
            headers = {"Authorization": f"Bearer {org.access_token()}"}
            assert requests.get(f"{org.url}{ROOT}/it", headers=headers, timeout=30).json() == "there"


def test_it_wants_a_token_and_counts(local_org: LocalOrg) -> None:
    local_org.add_apex("/it", lambda _request: "there")
    response = requests.get(f"{local_org.url}{ROOT}/it", timeout=30)
    assert (response.status_code, response.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")
    api = Api(local_org)
    assert api("GET", f"{ROOT}/it").headers["Sforce-Limit-Info"] == "api-usage=1/100000"
    assert api("GET", f"{ROOT}/none").headers["Sforce-Limit-Info"] == "api-usage=2/100000"
    local_org.faults.limit_exceeded("daily")
    assert api("GET", f"{ROOT}/it").json()[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
    api.http.close()
