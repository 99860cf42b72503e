"""Fault injection, seen from a client that knows nothing of it."""

import threading
from typing import Any

import pytest
import requests
from local_api import Api

from sfconnector.testing import LocalOrg


def count(api: Api) -> int:
    return int(api("GET", "query", params={"q": "SELECT COUNT() FROM Account"}).json()["totalSize"])


def test_unavailable_so_many_times(local_org: LocalOrg, api: Api) -> None:
    fault = local_org.faults.unavailable(times=2, retry_after=7)
    answers = [api("GET", "limits") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].json()[0]["errorCode"] == "SERVER_UNAVAILABLE"
    assert (fault.hits, fault.times) == (2, 0)
    assert local_org.faults.armed == ()


def test_faults_choose_by_method_and_path(local_org: LocalOrg, api: Api) -> None:
    fault = local_org.faults.error(500, "UNKNOWN_EXCEPTION", "no luck", method="post", path="*/sobjects/Account*")
    assert api("GET", "sobjects/Account").status_code == 200
    assert api("POST", "sobjects/Contact", json={"LastName": "A"}).status_code == 201
    refused = api("POST", "sobjects/Account", json={"Name": "A"})
    assert (refused.status_code, refused.json()) == (500, [{"message": "no luck", "errorCode": "UNKNOWN_EXCEPTION"}])
    assert fault.hits == 1
    assert count(api) == 0


def test_the_login_fails_only_when_it_is_named(local_org: LocalOrg) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": local_org.client_id,
        "client_secret": local_org.client_secret,
    }
    url = f"{local_org.url}/services/oauth2/token"
    local_org.faults.unavailable(times=None)
    assert requests.post(url, data=form, timeout=30).status_code == 200
    local_org.faults.clear()
    local_org.faults.unavailable(path="/services/oauth2/token")
    assert requests.post(url, data=form, timeout=30).status_code == 503


def test_first_armed_first_met(local_org: LocalOrg, api: Api) -> None:
    local_org.faults.answer(418)
    local_org.faults.answer(420, "<h1>We are setting things up</h1>")
    first, second, third = (api("GET", "limits") for _ in range(3))
    assert [first.status_code, second.status_code, third.status_code] == [418, 420, 200]
    assert second.text == "<h1>We are setting things up</h1>"
    assert second.headers["Content-Type"] == "text/html;charset=UTF-8"


def test_an_answer_of_ones_own(local_org: LocalOrg, api: Api) -> None:
    local_org.faults.answer(202, {"wait": True}, headers={"X-Own": "yes"})
    answer = api("GET", "limits")
    assert (answer.status_code, answer.json(), answer.headers["X-Own"]) == (202, {"wait": True}, "yes")
    local_org.faults.answer(200, b"a,b\n", media_type="text/csv")
    answer = api("GET", "limits")
    assert (answer.text, answer.headers["Content-Type"]) == ("a,b\n", "text/csv")


@pytest.mark.parametrize("applied", [False, True])
def test_a_refusal_may_come_before_or_after_the_deed(local_org: LocalOrg, api: Api, applied: bool) -> None:
    local_org.faults.unavailable(applied=applied)
    assert api("POST", "sobjects/Account", json={"Name": "A"}).status_code == 503
    assert count(api) == int(applied)


@pytest.mark.parametrize("applied", [False, True])
def test_a_connection_cut_before_the_answer(local_org: LocalOrg, api: Api, applied: bool) -> None:
    local_org.faults.cut(applied=applied, method="POST")
    with pytest.raises(requests.ConnectionError):
        api("POST", "sobjects/Account", json={"Name": "A"})
    assert local_org.requests[-1].status is None
    assert count(api) == int(applied)


@pytest.mark.parametrize("after", [0, 10, 10**6])
def test_a_connection_cut_inside_the_body(local_org: LocalOrg, api: Api, after: int) -> None:
    local_org.faults.cut(after_bytes=after)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        api("POST", "sobjects/Account", json={"Name": "A"})
    assert count(api) == 1


def test_an_answer_without_a_body_is_cut_before_it(local_org: LocalOrg, api: Api) -> None:
    record_id = api.create("Account", Name="A")
    local_org.faults.cut(after_bytes=3)
    with pytest.raises(requests.ConnectionError):
        api("DELETE", f"sobjects/Account/{record_id}")
    assert count(api) == 0


def test_broken_json(local_org: LocalOrg, api: Api) -> None:
    local_org.faults.broken_json(times=2)
    answer = api("GET", "limits")
    assert answer.status_code == 200
    assert answer.text.startswith('{"ActiveScratchOrgs"')
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    answer = api("POST", "sobjects/Account", json={"Name": "B"})
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    assert count(api) == 1


def test_html_error(local_org: LocalOrg, api: Api) -> None:
    local_org.faults.html_error(502)
    answer = api("GET", "limits")
    assert answer.status_code == 502
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("daily", "TotalRequests Limit exceeded."),
        ("concurrent", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
    ],
)
def test_limits(local_org: LocalOrg, api: Api, kind: Any, message: str) -> None:
    local_org.faults.limit_exceeded(kind)
    answer = api("GET", "limits")
    assert answer.status_code == 403
    assert answer.json() == [{"message": message, "errorCode": "REQUEST_LIMIT_EXCEEDED"}]


def test_a_delayed_answer_comes_after_the_deed(local_org: LocalOrg, api: Api) -> None:
    fault = local_org.faults.delay(3600, method="POST")
    with pytest.raises(requests.ReadTimeout):
        api("POST", "sobjects/Account", json={"Name": "A"}, timeout=(10, 0.5))
    assert fault.wait(timeout=30)
    assert count(api) == 1


def test_a_short_delay_ends(local_org: LocalOrg, api: Api) -> None:
    local_org.faults.delay(0.01)
    assert api("GET", "limits").status_code == 200


def test_expired_tokens(local_org: LocalOrg, api: Api) -> None:
    local_org.faults.expire_tokens()
    answer = api("GET", "limits")
    assert answer.status_code == 401
    assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    assert Api(local_org)("GET", "limits").status_code == 200


def test_tokens_that_serve_so_many_requests(local_org: LocalOrg, api: Api) -> None:
    api("GET", "limits")
    local_org.faults.expire_after(2)
    assert [api("GET", "limits").status_code for _ in range(4)] == [200, 200, 401, 401]
    later = Api(local_org)
    assert [later("GET", "limits").status_code for _ in range(3)] == [200, 200, 401]
    local_org.faults.clear()
    endless = Api(local_org)
    assert {endless("GET", "limits").status_code for _ in range(5)} == {200}


def test_a_token_serves_its_number_under_many_threads(local_org: LocalOrg, api: Api) -> None:
    local_org.faults.expire_after(50)
    statuses: list[int] = []

    def ask() -> None:
        own = requests.Session()
        own.headers.update(api.http.headers)
        with own:
            url = f"{local_org.url}/services/data/v68.0/limits"
            statuses.extend(own.get(url, timeout=30).status_code for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses.count(200), statuses.count(401)) == (50, 30)


LOCKED = "unable to obtain exclusive access to this record"


def test_locked_rows_alone(local_org: LocalOrg, api: Api) -> None:
    record_id = api.create("Account", Name="A")
    local_org.faults.lock_rows()
    answer = api("PATCH", f"sobjects/Account/{record_id}", json={"Name": "B"})
    assert answer.status_code == 400
    assert answer.json() == [{"message": LOCKED, "errorCode": "UNABLE_TO_LOCK_ROW", "fields": []}]
    assert api("PATCH", f"sobjects/Account/{record_id}", json={"Name": "B"}).status_code == 204


def test_locked_rows_inside_a_collection(local_org: LocalOrg, api: Api) -> None:
    ids = [api.create("Account", Name=name) for name in "ABC"]
    fault = local_org.faults.lock_rows(ids[1], times=None)
    records = [{"attributes": {"type": "Account"}, "id": one, "Name": "new"} for one in ids]
    results = api("PATCH", "composite/sobjects", json={"records": records}).json()
    assert [result["success"] for result in results] == [True, False, True]
    assert results[1]["errors"] == [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": LOCKED, "fields": []}]
    assert not api("DELETE", "composite/sobjects", params={"ids": ids[1]}).json()[0]["success"]
    assert fault.hits == 2
    local_org.faults.clear()
    assert api("DELETE", "composite/sobjects", params={"ids": ids[1]}).json()[0]["success"]


def test_locked_rows_found_by_external_id(local_org: LocalOrg, api: Api) -> None:
    local_org.add_field("Account", "Ext__c", "string(80) external_id")
    record_id = api.create("Account", Name="A", Ext__c="1")
    local_org.faults.lock_rows(record_id, times=3)
    path = "sobjects/Account/Ext__c/1"
    assert api("PATCH", path, json={"Name": "B"}).json()[0]["errorCode"] == "UNABLE_TO_LOCK_ROW"
    assert api("DELETE", path).json()[0]["errorCode"] == "UNABLE_TO_LOCK_ROW"
    body = {"records": [{"attributes": {"type": "Account"}, "Name": "C", "Ext__c": text} for text in ("1", "2")]}
    results = api("PATCH", "composite/sobjects/Account/Ext__c", json=body).json()
    assert [result["success"] for result in results] == [False, True]
    assert api("PATCH", path, json={"Name": "B"}).status_code == 200


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("answer", (99,)),
        ("answer", (600,)),
        ("delay", (-1,)),
        ("cut", (-1,)),
        ("expire_after", (-1,)),
        ("limit_exceeded", ("weekly",)),
    ],
)
def test_nonsense_is_refused(local_org: LocalOrg, name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        getattr(local_org.faults, name)(*arguments)
    assert local_org.faults.armed == ()


def test_a_fault_happens_at_least_once(local_org: LocalOrg) -> None:
    with pytest.raises(ValueError, match="0 times"):
        local_org.faults.unavailable(times=0)


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan")])
def test_a_delay_has_an_end(local_org: LocalOrg, seconds: float) -> None:
    with pytest.raises(ValueError, match="cannot be delayed"):
        local_org.faults.delay(seconds)


def test_faults_over_http(local_org: LocalOrg, api: Api) -> None:
    url = f"{local_org.url}/__local_org__/faults"
    wanted = {"fault": "unavailable", "arguments": {"times": 2, "retry_after": 1, "path": "*/limits"}}
    armed = requests.post(url, json=wanted, timeout=30).json()
    assert armed == {"armed": [{"method": None, "path": "*/limits", "times": 2, "hits": 0}]}
    assert api("GET", "limits").status_code == 503
    assert requests.get(url, timeout=30).json()["armed"][0]["hits"] == 1
    assert requests.delete(url, timeout=30).json() == {"armed": []}
    assert api("GET", "limits").status_code == 200
    record_id = api.create("Account", Name="A")
    requests.post(url, json={"fault": "lock_rows", "arguments": {"record_ids": [record_id]}}, timeout=30)
    assert api("DELETE", f"sobjects/Account/{record_id}").status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"fault": "clear"}',
        b'{"fault": "__init__"}',
        b'{"fault": "delay", "arguments": {"minutes": 1}}',
        b'{"fault": "delay", "arguments": [1]}',
        b'{"fault": "cut", "arguments": {"after_bytes": -1}}',
        b'{"fault": "unavailable", "arguments": {"method": 5}}',
        b'{"fault": "unavailable", "arguments": {"path": 5}}',
        b'{"fault": "lock_rows", "arguments": {"path": [1]}}',
        b'{"fault": "unavailable", "arguments": {"times": "2"}}',
        b'{"fault": "answer", "arguments": {"status": 503, "headers": {"Retry-After": 1}}}',
    ],
)
def test_nonsense_over_http_is_refused(local_org: LocalOrg, body: bytes) -> None:
    answer = requests.post(f"{local_org.url}/__local_org__/faults", data=body, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert local_org.faults.armed == ()
