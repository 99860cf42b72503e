"""The OAuth 2.0 endpoints: tokens for every flow that needs no browser, and what they are about.

https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_flows.htm
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import jwt
import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sfconnector.testing._http import COMMON_HEADERS, JSON, query_params
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._tokens import Session

SCOPE = "refresh_token api"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# Recorded answers of the log-in hosts lack the one header.
_HEADERS = {name: value for name, value in COMMON_HEADERS.items() if name != "X-Robots-Tag"} | {
    "Expires": "Thu, 01 Jan 1970 00:00:00 GMT",
    "Content-Type": JSON,
}
# How far in the future an assertion may expire.
# https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_jwt_flow.htm
_ASSERTION_LIFETIME = 300
_AUTHORIZATION_SERVERS = ("https://login.salesforce.com", "https://test.salesforce.com")


class OAuthError(Exception):
    """A refusal of the token endpoint."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


def _json(data: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(data), status_code=status, headers=_HEADERS)


def _refusal(error: OAuthError, status: int = 400) -> Response:
    return _json({"error": error.error, "error_description": error.description}, status)


class OAuth:
    """Endpoints under ``/services/oauth2`` and ``/id``; each public method is one of them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._grants: dict[str, Callable[[Mapping[str, str]], dict[str, Any]]] = {
            "client_credentials": self._client_credentials,
            "password": self._password,
            "refresh_token": self._refresh_token,
            JWT_BEARER: self._jwt_bearer,
        }

    async def token(self, request: Request) -> Response:
        if request.method != "POST":
            return _refusal(OAuthError("invalid_request", "must use HTTP POST"))
        try:
            params = await _form(request)
            grant = self._grants.get(params.get("grant_type", ""))
            if grant is None:
                raise OAuthError("unsupported_grant_type", "grant type not supported")
            # Signature checks and key generation take milliseconds.
            return _json(await run_in_threadpool(grant, params))
        except OAuthError as error:
            return _refusal(error)

    def _client_credentials(self, params: Mapping[str, str]) -> dict[str, Any]:
        self._check_client(params)
        session = self._runtime.tokens.issue(params["client_id"], SCOPE)
        return self._answer(session) | {"scope": session.scope}

    def _password(self, params: Mapping[str, str]) -> dict[str, Any]:
        self._check_client(params)
        known = self._runtime.credentials
        right_name = hmac.compare_digest(params.get("username", "").encode(), known.username.encode())
        expected = known.password + known.security_token
        if not (right_name and hmac.compare_digest(params.get("password", "").encode(), expected.encode())):
            raise OAuthError("invalid_grant", "authentication failure")
        return self._answer(self._runtime.tokens.issue(params["client_id"], SCOPE, by_password=True))

    def _refresh_token(self, params: Mapping[str, str]) -> dict[str, Any]:
        self._check_client(params)
        redeemed = self._runtime.tokens.redeem(params.get("refresh_token", ""), params["client_id"])
        if redeemed is None:
            raise OAuthError("invalid_grant", "expired access/refresh token")
        session, successor = redeemed
        rotated = {} if successor is None else {"refresh_token": successor}
        return self._answer(session) | {"scope": session.scope} | rotated

    def _jwt_bearer(self, params: Mapping[str, str]) -> dict[str, Any]:
        claims = self._verified_claims(params.get("assertion", ""))
        known = self._runtime.credentials
        if claims["iss"] != known.client_id:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if claims["aud"] not in (self._runtime.url, *_AUTHORIZATION_SERVERS):
            raise OAuthError("invalid_grant", "audience is invalid")
        if claims["sub"] != known.username:
            raise OAuthError("invalid_grant", "user hasn't approved this consumer")
        session = self._runtime.tokens.issue(known.client_id, SCOPE)
        answer = self._answer(session)
        # This flow's documented answer has neither a signature nor a time.
        return {name: answer[name] for name in ("access_token", "instance_url", "id", "token_type")} | {
            "scope": session.scope
        }

    def _verified_claims(self, assertion: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                assertion,
                self._runtime.credentials.public_key,
                algorithms=["RS256", "RS384", "RS512"],
                options={"require": ["iss", "aud", "sub", "exp"], "verify_exp": False, "verify_aud": False},
            )
            left = float(claims["exp"]) - self._runtime.clock().timestamp()
        except (jwt.InvalidTokenError, TypeError, ValueError) as error:
            raise OAuthError("invalid_grant", "invalid assertion") from error
        if left <= 0:
            raise OAuthError("invalid_grant", "expired authorization code")
        if left > _ASSERTION_LIFETIME + 1:  # a client that counts whole seconds may be one ahead
            raise OAuthError("invalid_grant", "invalid assertion")
        return claims

    def _check_client(self, params: Mapping[str, str]) -> None:
        known = self._runtime.credentials
        if params.get("client_id") != known.client_id:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(params.get("client_secret", "").encode(), known.client_secret.encode()):
            raise OAuthError("invalid_client", "invalid client credentials")

    def _answer(self, session: Session) -> dict[str, Any]:
        identity = self._identity_url(session)
        issued_at = str(int(session.issued_at.timestamp() * 1000))
        key = self._runtime.credentials.client_secret.encode()
        signature = hmac.new(key, (identity + issued_at).encode(), hashlib.sha256).digest()
        return {
            "access_token": session.token,
            "signature": base64.b64encode(signature).decode("ascii"),
            "instance_url": self._runtime.url,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued_at,
        }

    def _identity_url(self, session: Session) -> str:
        return f"{self._runtime.url}/id/{self._runtime.store.organization_id}/{session.user_id}"

    async def revoke(self, request: Request) -> Response:
        """https://help.salesforce.com/s/articleView?id=sf.remoteaccess_revoke_token.htm"""
        try:
            params = await _form(request)
        except OAuthError as error:
            return _refusal(error)
        if not self._runtime.tokens.revoke(params.get("token", "")):
            return _refusal(OAuthError("invalid_token", "invalid token"))
        return Response(headers=COMMON_HEADERS)

    async def introspect(self, request: Request) -> Response:
        """https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oidc_token_introspection.htm"""
        try:
            params = await _form(request)
            self._check_client(params)
        except OAuthError as error:
            return _refusal(error, 401)
        session = self._runtime.tokens.peek(params.get("token", ""))
        if session is None:
            return _json({"active": False})
        return _json(
            {
                "active": True,
                "scope": session.scope,
                "client_id": session.client_id,
                "username": self._runtime.credentials.username,
                "sub": self._identity_url(session),
                "token_type": "access_token",
                "exp": int(session.expires_at.timestamp()),
                "iat": int(session.issued_at.timestamp()),
                "nbf": int(session.issued_at.timestamp()),
            }
        )

    async def userinfo(self, request: Request) -> Response:
        """https://help.salesforce.com/s/articleView?id=sf.remoteaccess_using_userinfo_endpoint.htm"""
        session = self._authorized(request)
        if session is None:
            return self._refused(request)
        return _json(await run_in_threadpool(self._runtime.people.userinfo, session, self._runtime.url))

    async def identity(self, request: Request) -> Response:
        """https://help.salesforce.com/s/articleView?id=sf.remoteaccess_using_openid.htm"""
        session = self._authorized(request)
        if session is None:
            return self._refused(request)
        organization, user = request.path_params["organization"], request.path_params["user"]
        if organization[:15] != self._runtime.store.organization_id[:15]:
            return PlainTextResponse("Wrong_Org", 403)
        if user[:15] != session.user_id[:15]:
            return PlainTextResponse("Bad_Id", 404)
        version = query_params(request).get("version")
        return _json(await run_in_threadpool(self._runtime.people.identity, session, self._runtime.url, version))

    def _authorized(self, request: Request) -> Session | None:
        token = _bearer(request)
        return None if token is None else self._runtime.tokens.check(token)

    def _refused(self, request: Request) -> Response:
        return PlainTextResponse("Missing_OAuth_Token" if _bearer(request) is None else "Bad_OAuth_Token", 403)


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() in ("bearer", "oauth") and token:
        return token.strip()
    return query_params(request).get("oauth_token") or query_params(request).get("access_token")


async def _form(request: Request) -> dict[str, str]:
    """Parameters of the query, of a form body and of Basic authentication, the later ones winning."""
    params = query_params(request)
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        params |= dict(parse_qsl(body.decode("utf-8", errors="replace"), keep_blank_values=True))
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, client_secret = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise OAuthError("invalid_client", "invalid client credentials") from error
        params |= {"client_id": client_id, "client_secret": client_secret}
    return params
