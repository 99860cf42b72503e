"""The token endpoint, flow by flow, and what a token opens."""

import base64
import hashlib
import hmac
import time
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from local_api import Api

from sfconnector.testing import LocalOrg

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def token(org: LocalOrg, **form: str) -> requests.Response:
    return requests.post(f"{org.url}/services/oauth2/token", data=form, timeout=30)


def client(org: LocalOrg) -> dict[str, str]:
    return {"client_id": org.client_id, "client_secret": org.client_secret}


def opens(org: LocalOrg, access_token: str, scheme: str = "Bearer") -> int:
    headers = {"Authorization": f"{scheme} {access_token}"}
    return requests.get(f"{org.url}/services/data/v68.0/limits", headers=headers, timeout=30).status_code


def refused(response: requests.Response, error: str, description: str) -> None:
    assert (response.status_code, response.json()) == (400, {"error": error, "error_description": description})


def test_client_credentials(local_org: LocalOrg) -> None:
    response = token(local_org, grant_type="client_credentials", **client(local_org))
    answer = response.json()
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert "no-store" in response.headers["Cache-Control"]
    assert set(answer) == {"access_token", "signature", "scope", "instance_url", "id", "token_type", "issued_at"}
    assert answer["instance_url"] == local_org.url
    assert answer["id"] == f"{local_org.url}/id/{local_org.organization_id}/{local_org.user_id}"
    assert answer["token_type"] == "Bearer"
    assert answer["access_token"].startswith(f"{local_org.organization_id[:15]}!AQ")
    assert abs(int(answer["issued_at"]) / 1000 - time.time()) < 60
    signed = hmac.new(local_org.client_secret.encode(), (answer["id"] + answer["issued_at"]).encode(), hashlib.sha256)
    assert answer["signature"] == base64.b64encode(signed.digest()).decode()
    assert opens(local_org, answer["access_token"]) == 200


def test_client_credentials_by_basic_authentication(local_org: LocalOrg) -> None:
    response = requests.post(
        f"{local_org.url}/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(local_org.client_id, local_org.client_secret),
        timeout=30,
    )
    assert opens(local_org, response.json()["access_token"]) == 200


def test_a_chunked_form_is_read(local_org: LocalOrg) -> None:
    form = f"grant_type=client_credentials&client_id={local_org.client_id}&client_secret={local_org.client_secret}"
    response = requests.post(
        f"{local_org.url}/services/oauth2/token",
        data=iter([form[:10].encode(), form[10:].encode()]),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=30,
    )
    assert response.status_code == 200


def test_password(local_org: LocalOrg) -> None:
    secret = local_org.password + local_org.security_token
    response = token(
        local_org, grant_type="password", username=local_org.username, password=secret, **client(local_org)
    )
    assert "scope" not in response.json()
    assert "refresh_token" not in response.json()
    assert opens(local_org, response.json()["access_token"]) == 200


@pytest.mark.parametrize("flaw", ["username", "password", "no security token"])
def test_password_refused(local_org: LocalOrg, flaw: str) -> None:
    form = {"username": local_org.username, "password": local_org.password + local_org.security_token}
    if flaw == "no security token":
        form["password"] = local_org.password
    else:
        form[flaw] = "wrong"
    response = token(local_org, grant_type="password", **form, **client(local_org))
    refused(response, "invalid_grant", "authentication failure")


def test_refresh_token(local_org: LocalOrg) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": local_org.refresh_token(), **client(local_org)}
    first, second = token(local_org, **form).json(), token(local_org, **form).json()
    assert first["access_token"] != second["access_token"]
    assert "refresh_token" not in first
    assert first["scope"] == "refresh_token api"
    assert opens(local_org, second["access_token"]) == 200


def test_refresh_token_rotation(local_org: LocalOrg) -> None:
    local_org.faults.rotate_refresh_tokens()
    old = local_org.refresh_token()
    form = {"grant_type": "refresh_token", **client(local_org)}
    new = token(local_org, refresh_token=old, **form).json()["refresh_token"]
    assert new != old
    refused(token(local_org, refresh_token=old, **form), "invalid_grant", "expired access/refresh token")
    assert token(local_org, refresh_token=new, **form).status_code == 200


def test_a_revoked_refresh_token_is_refused(local_org: LocalOrg) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": local_org.refresh_token(), **client(local_org)}
    local_org.faults.revoke_refresh_tokens()
    refused(token(local_org, **form), "invalid_grant", "expired access/refresh token")


def assertion(org: LocalOrg, key: str | None = None, algorithm: str = "RS256", **claims: Any) -> str:
    claims = {"iss": org.client_id, "sub": org.username, "aud": org.url, "exp": int(time.time()) + 180} | claims
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(present, key or org.private_key, algorithm=algorithm)


def test_jwt_bearer(local_org: LocalOrg) -> None:
    response = token(local_org, grant_type=JWT_BEARER, assertion=assertion(local_org))
    assert set(response.json()) == {"access_token", "scope", "instance_url", "id", "token_type"}
    assert opens(local_org, response.json()["access_token"]) == 200


@pytest.mark.parametrize("audience", ["https://login.salesforce.com", "https://test.salesforce.com"])
def test_jwt_bearer_for_the_real_authorization_servers(local_org: LocalOrg, audience: str) -> None:
    response = token(local_org, grant_type=JWT_BEARER, assertion=assertion(local_org, aud=audience))
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"aud": "https://elsewhere.example"}, "invalid_grant", "audience is invalid"),
        ({"iss": "another app"}, "invalid_client_id", "client identifier invalid"),
        ({"sub": "stranger@example.com"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"exp": int(time.time()) - 60}, "invalid_grant", "expired authorization code"),
        ({"exp": int(time.time()) + 3600}, "invalid_grant", "invalid assertion"),
        ({"exp": None}, "invalid_grant", "invalid assertion"),
        ({"sub": None}, "invalid_grant", "invalid assertion"),
    ],
)
def test_jwt_bearer_refused(local_org: LocalOrg, claims: dict[str, Any], error: str, description: str) -> None:
    response = token(local_org, grant_type=JWT_BEARER, assertion=assertion(local_org, **claims))
    refused(response, error, description)


def test_jwt_signatures_are_verified(local_org: LocalOrg) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    forged = [
        assertion(local_org, key=stranger.decode()),
        assertion(local_org, key="x" * 32, algorithm="HS256"),
        jwt.encode({"iss": local_org.client_id}, None, algorithm="none"),
        "not a token",
    ]
    for text in forged:
        response = token(local_org, grant_type=JWT_BEARER, assertion=text)
        refused(response, "invalid_grant", "invalid assertion")


def test_a_given_key_is_the_registered_one(local_org: LocalOrg) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with LocalOrg(private_key=key.decode()) as other:
        assert token(other, grant_type=JWT_BEARER, assertion=assertion(other)).status_code == 200
        foreign = assertion(other, key=local_org.private_key)
        refused(token(other, grant_type=JWT_BEARER, assertion=foreign), "invalid_grant", "invalid assertion")


@pytest.mark.parametrize("grant", ["client_credentials", "password", "refresh_token"])
def test_clients_are_checked(local_org: LocalOrg, grant: str) -> None:
    stranger = token(local_org, grant_type=grant, client_id="nobody", client_secret=local_org.client_secret)
    refused(stranger, "invalid_client_id", "client identifier invalid")
    wrong = token(local_org, grant_type=grant, client_id=local_org.client_id, client_secret="wrong")
    refused(wrong, "invalid_client", "invalid client credentials")


def test_grant_types(local_org: LocalOrg) -> None:
    refused(token(local_org, grant_type="magic"), "unsupported_grant_type", "grant type not supported")
    as_json = requests.post(
        f"{local_org.url}/services/oauth2/token", json={"grant_type": "client_credentials"}, timeout=30
    )
    refused(as_json, "unsupported_grant_type", "grant type not supported")
    got = requests.get(f"{local_org.url}/services/oauth2/token", timeout=30)
    refused(got, "invalid_request", "must use HTTP POST")


def test_broken_basic_authentication_is_refused(local_org: LocalOrg) -> None:
    response = requests.post(
        f"{local_org.url}/services/oauth2/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": "Basic ???"},
        timeout=30,
    )
    refused(response, "invalid_client", "invalid client credentials")


def test_both_schemes_and_no_other(local_org: LocalOrg) -> None:
    good = local_org.access_token()
    assert opens(local_org, good, "Bearer") == 200
    assert opens(local_org, good, "OAuth") == 200
    response = requests.get(
        f"{local_org.url}/services/data/v68.0/limits", headers={"Authorization": f"Token {good}"}, timeout=30
    )
    assert (response.status_code, response.json()) == (
        401,
        [{"message": "INVALID_HEADER_TYPE", "errorCode": "INVALID_AUTH_HEADER"}],
    )


@pytest.mark.parametrize("authorization", [None, "Bearer nonsense", "Bearer "])
def test_without_a_good_token(local_org: LocalOrg, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = requests.get(f"{local_org.url}/services/data/v68.0/sobjects", headers=headers, timeout=30)
    assert response.status_code == 401
    assert response.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    assert response.headers["WWW-Authenticate"] == "Token"
    assert "Sforce-Limit-Info" not in response.headers


def test_a_token_lives_as_long_as_it_is_used() -> None:
    with LocalOrg(token_lifetime=60) as org:
        access_token = org.access_token()
        for _ in range(3):
            org.clock.advance(50)
            assert opens(org, access_token) == 200
        org.clock.advance(61)
        assert opens(org, access_token) == 401


def test_revoke(local_org: LocalOrg) -> None:
    url = f"{local_org.url}/services/oauth2/revoke"
    access_token = local_org.access_token()
    assert requests.post(url, data={"token": access_token}, timeout=30).status_code == 200
    assert opens(local_org, access_token) == 401
    assert requests.post(url, data={"token": access_token}, timeout=30).status_code == 400


def test_revoking_a_refresh_token_ends_what_came_from_it(local_org: LocalOrg) -> None:
    refresh_token = local_org.refresh_token()
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **client(local_org)}
    access_token = token(local_org, **form).json()["access_token"]
    url = f"{local_org.url}/services/oauth2/revoke"
    assert requests.get(url, params={"token": refresh_token}, timeout=30).status_code == 200
    assert opens(local_org, access_token) == 401
    assert token(local_org, **form).status_code == 400


def test_introspect(local_org: LocalOrg) -> None:
    url = f"{local_org.url}/services/oauth2/introspect"
    active = requests.post(url, data={"token": local_org.access_token(), **client(local_org)}, timeout=30).json()
    assert active["active"] is True
    assert active["username"] == local_org.username
    assert active["exp"] - active["iat"] == 7200
    unknown = requests.post(url, data={"token": "nonsense", **client(local_org)}, timeout=30)
    assert unknown.json() == {"active": False}
    assert requests.post(url, data={"token": "x"}, timeout=30).status_code == 401


def test_userinfo_tells_who_is_logged_in(local_org: LocalOrg, api: Api) -> None:
    answer = api("GET", "/services/oauth2/userinfo").json()
    assert answer["user_id"] == local_org.user_id
    assert answer["organization_id"] == local_org.organization_id
    assert answer["preferred_username"] == local_org.username
    assert answer["urls"]["rest"] == f"{local_org.url}/services/data/v{{version}}/"


def test_the_identity_url_of_a_token(local_org: LocalOrg) -> None:
    answer = token(local_org, grant_type="client_credentials", **client(local_org)).json()
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    identity = requests.get(answer["id"], params={"version": "68.0"}, headers=headers, timeout=30).json()
    assert identity["username"] == local_org.username
    assert identity["urls"]["sobjects"] == f"{local_org.url}/services/data/v68.0/sobjects/"


def test_identity_refusals_are_words(local_org: LocalOrg, api: Api) -> None:
    own = f"{local_org.url}/id/{local_org.organization_id}/{local_org.user_id}"
    missing = requests.get(own, timeout=30)
    assert (missing.status_code, missing.text) == (403, "Missing_OAuth_Token")
    bad = requests.get(own, headers={"Authorization": "Bearer x"}, timeout=30)
    assert (bad.status_code, bad.text) == (403, "Bad_OAuth_Token")
    authorized = {"Authorization": api.http.headers["Authorization"]}
    elsewhere = own.replace(local_org.organization_id, "00D000000000000AAA")
    assert requests.get(elsewhere, headers=authorized, timeout=30).text == "Wrong_Org"
    stranger = own.replace(local_org.user_id, "005000000000000AAA")
    assert requests.get(stranger, headers=authorized, timeout=30).status_code == 404


@pytest.mark.parametrize(("resource", "status"), [("token", 400), ("revoke", 400), ("introspect", 401)])
def test_credentials_in_a_header_that_cannot_be_read(local_org: LocalOrg, resource: str, status: int) -> None:
    response = requests.post(
        f"{local_org.url}/services/oauth2/{resource}",
        data={"token": "x", "grant_type": "client_credentials"},
        headers={"Authorization": "Basic !!"},
        timeout=30,
    )
    assert (response.status_code, response.json()["error"]) == (status, "invalid_client")


def test_expired_tokens_are_forgotten(local_org: LocalOrg) -> None:
    tokens = local_org._runtime.tokens
    for _ in range(1_000):
        local_org.access_token()
    local_org.clock.advance(hours=3)
    alive = local_org.access_token()
    assert list(tokens._sessions) == [alive]
