"""Passwords of users, and what they mean for the password flow."""

from typing import Any

import pytest
import requests
from local_api import Api

from sfconnector.testing import LocalOrg


def path(api: Api) -> str:
    return f"sobjects/User/{api.org.user_id}/password"


def log_in(org: LocalOrg, password: str | None = None) -> requests.Response:
    form = {
        "grant_type": "password",
        "client_id": org.client_id,
        "client_secret": org.client_secret,
        "username": org.username,
        "password": org.password + org.security_token if password is None else password,
    }
    return requests.post(f"{org.url}/services/oauth2/token", data=form, timeout=30)


def as_user(org: LocalOrg) -> Api:
    api = Api(org)
    api.http.headers["Authorization"] = f"Bearer {log_in(org).json()['access_token']}"
    return api


def test_a_password_is_set(api: Api) -> None:
    assert api("GET", path(api)).json() == {"isExpired": False}
    old, old_token = api.org.password, api.org.security_token
    response = api("POST", path(api), json={"NewPassword": "myNewPassword1234"})
    assert (response.status_code, response.content) == (204, b"")
    assert api.org.password == "myNewPassword1234"
    assert api.org.security_token != old_token
    assert log_in(api.org, old + old_token).json()["error"] == "invalid_grant"
    assert log_in(api.org).status_code == 200
    assert api("GET", path(api)).json() == {"isExpired": False}
    assert api("GET", f"sobjects/User/{api.org.user_id}").json()["LastPasswordChangeDate"] is not None


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("short1", "Your password must be at least 8 characters long."),
        ("onlyletters", "Your password must have a mix of letters and numbers."),
        ("12345678", "Your password must have a mix of letters and numbers."),
        ("1Admin@Local-Org.example", "Your password cannot equal or contain your user name."),
        (None, "invalid repeated password"),
    ],
)
def test_a_password_that_the_policy_forbids_is_refused(api: Api, password: str | None, message: str) -> None:
    before = api.org.password
    response = api("POST", path(api), json={"NewPassword": password or before})
    assert response.status_code == 400
    assert response.json() == [{"message": message, "errorCode": "INVALID_NEW_PASSWORD"}]
    assert api.org.password == before


def test_three_passwords_are_remembered(api: Api) -> None:
    def change(number: int) -> int:
        return api("POST", path(api), json={"NewPassword": f"password-{number}"}).status_code

    assert [change(number) for number in (1, 2, 1, 3, 1, 4, 1)] == [204, 204, 400, 204, 400, 204, 204]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "MISSING_ARGUMENT"),
        ({"NewPassword": ""}, "MISSING_ARGUMENT"),
        ({"NewPassword": 12345678}, "MISSING_ARGUMENT"),
        ([], "JSON_PARSER_ERROR"),
    ],
)
def test_a_body_without_a_password_is_refused(api: Api, body: Any, code: str) -> None:
    response = api("POST", path(api), json=body)
    assert (response.status_code, response.json()[0]["errorCode"]) == (400, code)


def test_a_reset_makes_a_temporary_password(api: Api) -> None:
    api.org.add_apex("/it", lambda _request: "there")
    response = api("DELETE", path(api))
    assert response.status_code == 200
    assert response.json() == {"NewPassword": api.org.password}
    assert api("GET", path(api)).json() == {"isExpired": True}
    # Sessions that did not come from the password go on.
    assert api("GET", "limits").status_code == 200

    user = as_user(api.org)
    refused = user("GET", "limits")
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (403, "INVALID_OPERATION_WITH_EXPIRED_PASSWORD")
    refused = user("GET", "/services/apexrest/it")
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (403, "MUTUAL_AUTHENTICATION_FAILED")
    assert user("POST", path(api), json={"NewPassword": "myNewPassword1234"}).status_code == 204
    assert user("GET", "limits").status_code == 200
    user.http.close()


def test_a_password_expires_after_90_days(local_org: LocalOrg) -> None:
    local_org.clock.advance(days=89)
    api = Api(local_org)
    assert api("GET", path(api)).json() == {"isExpired": False}
    local_org.clock.advance(days=1)
    api.http.headers["Authorization"] = f"Bearer {local_org.access_token()}"
    assert api("GET", path(api)).json() == {"isExpired": True}
    api.http.close()


def test_passwords_of_other_users(api: Api) -> None:
    everyone = api("GET", "query", params={"q": "SELECT Id FROM User"}).json()["records"]
    other = next(user["Id"] for user in everyone if user["Id"] != api.org.user_id)
    before = api.org.password
    assert api("GET", f"sobjects/User/{other[:15]}/password").json() == {"isExpired": False}
    assert api("POST", f"sobjects/User/{other}/password", json={"NewPassword": "theirs-12"}).status_code == 204
    assert api("POST", f"sobjects/User/{other[:15]}/password", json={"NewPassword": "theirs-12"}).status_code == 400
    assert api("DELETE", f"sobjects/User/{other}/password").json()["NewPassword"] not in ("theirs-12", before)
    assert api("GET", f"sobjects/User/{other}/password").json() == {"isExpired": True}
    assert api.org.password == before


@pytest.mark.parametrize("user", ["005000000000000AAA", "nonsense"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_there_is_no_such_user(api: Api, method: str, user: str) -> None:
    response = api(method, f"sobjects/User/{user}/password", json={"NewPassword": "myNewPassword1234"})
    assert (response.status_code, response.json()[0]["errorCode"]) == (404, "NOT_FOUND")


def test_other_verbs(api: Api) -> None:
    assert api("HEAD", path(api)).status_code == 200
    assert api("PATCH", path(api), json={}).status_code == 405
