"""How to log in: each way is a value that is given to :class:`sfconnector.Salesforce`.

A way of your own is any object with a ``login`` method::

    class FromVault:
        def login(self, post: TokenTransport) -> Token:
            secret = vault.read("salesforce")
            return Token.of(post(url, {"grant_type": "client_credentials", ...}, flow="FromVault"), "FromVault")

It is called for the first request and whenever the org rejects the token, by one thread at a time.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from sfconnector._private_key import read_private_key
from sfconnector._redact import logger
from sfconnector._soap_login import SoapLogin
from sfconnector._tokens import Auth, Token, TokenTransport, printable, sendable, text
from sfconnector._urls import instance_url, login_url

__all__ = [
    "AccessToken",
    "Auth",
    "ClientCredentials",
    "JwtBearer",
    "Password",
    "RefreshToken",
    "SfCli",
    "SoapLogin",
    "Token",
    "TokenTransport",
    "from_env",
]

_JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# Salesforce takes assertions that are valid for no longer than this many seconds.
_JWT_LIFETIME: Final = 180


@attrs.frozen
class AccessToken:
    """A token fetched elsewhere, or a function that fetches one.

    A token given as text cannot be renewed: when it has expired, calls raise
    :class:`~sfconnector.errors.SessionExpiredError`. A function is asked again.

    Args:
        instance_url: The org's URL, such as ``https://acme.my.salesforce.com``.
        access_token: The token, or a function without arguments that gives one.

    Example:
        >>> from sfconnector import auth
        >>> auth.AccessToken("https://acme.my.salesforce.com", "00D000000000001!AQ.x")
        AccessToken(instance_url='https://acme.my.salesforce.com')
    """

    instance_url: str = attrs.field(converter=instance_url)
    access_token: str | Callable[[], str] = attrs.field(repr=False)
    renewal = "an AccessToken cannot be renewed: give a function that fetches one, or another way to log in"

    @access_token.validator
    def _check(self, _: object, value: object) -> None:
        if not callable(value) and not (isinstance(value, str) and sendable(value)):
            raise ValueError("access_token is blank, or has characters that no token has")

    def login(self, post: TokenTransport) -> Token:  # noqa: ARG002  # the protocol's
        token = self.access_token() if callable(self.access_token) else self.access_token
        return Token.of({"access_token": token, "instance_url": self.instance_url}, "AccessToken")


@attrs.frozen
class ClientCredentials:
    """The OAuth 2.0 client credentials flow: the connected app's own integration user.

    Args:
        login_url: The org's My Domain URL; ``https://login.salesforce.com`` does not offer this flow.
        client_id: The app's consumer key.
        client_secret: The app's consumer secret.

    See Also:
        https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_client_credentials_flow.htm

    Example:
        >>> from sfconnector import auth
        >>> auth.ClientCredentials("https://acme.my.salesforce.com", "3MVG9…", "A1B2…")
        ClientCredentials(login_url='https://acme.my.salesforce.com', client_id='3MVG9…')
    """

    login_url: str = attrs.field(converter=login_url)
    client_id: str = attrs.field(validator=text)
    client_secret: str = attrs.field(repr=False, validator=text)

    def __attrs_post_init__(self) -> None:
        if self.login_url in {"https://login.salesforce.com", "https://test.salesforce.com"}:
            raise ValueError(f"client credentials need the org's My Domain URL as the login URL, not {self.login_url}")

    def login(self, post: TokenTransport) -> Token:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        return _fetch(post, "ClientCredentials", self.login_url, form)


@attrs.frozen
class JwtBearer:
    """The OAuth 2.0 JWT bearer flow: a certificate instead of a password. Needs the extra ``jwt``.

    Args:
        login_url: The org's My Domain URL, or that of its Experience Cloud site.
        client_id: The app's consumer key.
        username: The user to log in as; the app must be approved for the user beforehand.
        private_key: The RSA key that belongs to the app's certificate: a PEM text, or the path of a PEM file.
        audience: What the assertion is addressed to; by default what Salesforce's documentation asks for with
            the login URL.

    See Also:
        https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_jwt_flow.htm

    Example:
        >>> from sfconnector import auth
        >>> auth.JwtBearer("https://acme.my.salesforce.com", "3MVG9…", "ci@acme.com", "server.key")
        Traceback (most recent call last):
        ValueError: private_key: there is no readable file 'server.key'
    """

    login_url: str = attrs.field(converter=login_url)
    client_id: str = attrs.field(validator=text)
    username: str = attrs.field(validator=text)
    private_key: str = attrs.field(repr=False, converter=read_private_key)
    audience: str = attrs.field(kw_only=True, validator=text)

    @audience.default
    def _default_audience(self) -> str:
        host = self.login_url.partition("://")[2]
        if not host.endswith(".salesforce.com"):
            return self.login_url
        sandbox = host == "test.salesforce.com" or host.endswith(".sandbox.my.salesforce.com") or "--" in host
        return "https://test.salesforce.com" if sandbox else "https://login.salesforce.com"

    def login(self, post: TokenTransport) -> Token:
        import time

        import jwt

        claims = {
            "iss": self.client_id,
            "sub": self.username,
            "aud": self.audience,
            "exp": int(time.time()) + _JWT_LIFETIME,
        }
        assertion = jwt.encode(claims, self.private_key, algorithm="RS256")
        return _fetch(post, "JwtBearer", self.login_url, {"grant_type": _JWT_GRANT, "assertion": assertion})


@attrs.frozen(eq=False)
class RefreshToken:
    """The OAuth 2.0 refresh token flow, with rotation.

    Args:
        login_url: Where the refresh token was issued.
        client_id: The app's consumer key.
        refresh_token: The refresh token.
        client_secret: The app's consumer secret; ``None`` for a public client.
        on_rotate: Called with the new refresh token whenever Salesforce has exchanged it, to store it: the old
            one is void from then on. An exception in it is logged, since the new access token is good.

    See Also:
        https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_refresh_token_flow.htm

    Example:
        >>> from sfconnector import auth
        >>> auth.RefreshToken("https://acme.my.salesforce.com", "3MVG9…", "5Aep…", on_rotate=print)
        RefreshToken(login_url='https://acme.my.salesforce.com', client_id='3MVG9…')
    """

    login_url: str = attrs.field(converter=login_url)
    client_id: str = attrs.field(validator=text)
    refresh_token: str = attrs.field(repr=False, validator=text)
    client_secret: str | None = attrs.field(default=None, repr=False, validator=attrs.validators.optional(text))
    on_rotate: Callable[[str], object] | None = attrs.field(default=None, repr=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)
    # The token in force: in a list, because clients that share this value share its rotation.
    _current: list[str] = attrs.field(init=False, repr=False)

    @_current.default
    def _initial(self) -> list[str]:
        return [self.refresh_token]

    def login(self, post: TokenTransport) -> Token:
        with self._lock:
            form = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": self._current[0]}
            if self.client_secret is not None:
                form["client_secret"] = self.client_secret
            # Sent twice, a rotating token counts as stolen.
            answer = post(_endpoint(self.login_url), form, flow="RefreshToken", repeatable=False)
            rotated = answer.get("refresh_token")
            if isinstance(rotated, str) and rotated and rotated != self._current[0]:
                self._current[0] = rotated
                self._tell(rotated)
        return Token.of(answer, "RefreshToken")

    def _tell(self, rotated: str) -> None:
        try:
            if self.on_rotate is not None:
                self.on_rotate(rotated)
        except Exception:
            logger.exception("on_rotate failed: the new refresh token is in the memory of this process only")


@attrs.frozen
class Password:
    """The OAuth 2.0 username-password flow. Salesforce is retiring it: use another where you can.

    Args:
        login_url: The org's My Domain URL.
        client_id: The app's consumer key.
        client_secret: The app's consumer secret.
        username: The user's name.
        password: The user's password.
        security_token: The user's security token, unless the network is trusted.

    See Also:
        https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_username_password_flow.htm

    Example:
        >>> from sfconnector import auth
        >>> auth.Password("https://acme.my.salesforce.com", "3MVG9…", "A1B2…", "ci@acme.com", "secret")
        Password(login_url='https://acme.my.salesforce.com', client_id='3MVG9…', username='ci@acme.com')
    """

    login_url: str = attrs.field(converter=login_url)
    client_id: str = attrs.field(validator=text)
    client_secret: str = attrs.field(repr=False, validator=text)
    username: str = attrs.field(validator=text)
    password: str = attrs.field(repr=False, validator=text)
    security_token: str = attrs.field(default="", repr=False, validator=printable)

    def __attrs_post_init__(self) -> None:
        warnings.warn(
            "Salesforce is retiring the username-password flow: use ClientCredentials or JwtBearer",
            DeprecationWarning,
            stacklevel=3,
        )

    def login(self, post: TokenTransport) -> Token:
        form = {
            "grant_type": "password",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "username": self.username,
            "password": self.password + self.security_token,
        }
        return _fetch(post, "Password", self.login_url, form)


@attrs.frozen
class SfCli:
    """The login that the Salesforce CLI holds for an alias; the CLI renews it.

    Args:
        alias: The alias or user name of the org, as in ``sf org list``.
        executable: The name or path of the CLI.
        timeout: Seconds for each call of the CLI.

    See Also:
        https://developer.salesforce.com/docs/platform/salesforce-cli-reference/guide/cli_reference_org_auth_show-access-token.html

    Example:
        >>> from sfconnector import auth
        >>> auth.SfCli("my-sandbox")
        SfCli(alias='my-sandbox', executable='sf', timeout=60.0)
    """

    alias: str = attrs.field(validator=text)
    executable: str = attrs.field(default="sf", kw_only=True)
    timeout: float = attrs.field(default=60.0, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.alias.startswith("-"):
            raise ValueError(f"alias {self.alias!r} would be an option of the Salesforce CLI")

    def login(self, post: TokenTransport) -> Token:  # noqa: ARG002  # the protocol's
        from sfconnector._cli import run

        org = run(self.executable, ("org", "display"), self.alias, self.timeout)
        token = org.get("accessToken")
        # Since May 2026 the CLI shows tokens only in a command of their own.
        if not isinstance(token, str) or "REDACTED" in token:
            token = run(self.executable, ("org", "auth", "show-access-token"), self.alias, self.timeout).get(
                "accessToken"
            )
        return Token.of({"access_token": token, "instance_url": org.get("instanceUrl")}, "SfCli")


def from_env(environ: Mapping[str, str] = os.environ) -> Auth:
    """Make a way to log in from environment variables.

    ``SALESFORCE_AUTH`` names it, and the others are its arguments:

    - ``access_token``: ``SALESFORCE_INSTANCE_URL``, ``SALESFORCE_ACCESS_TOKEN``
    - ``client_credentials``: ``SALESFORCE_LOGIN_URL``, ``SALESFORCE_CLIENT_ID``, ``SALESFORCE_CLIENT_SECRET``
    - ``jwt_bearer``: ``SALESFORCE_LOGIN_URL``, ``SALESFORCE_CLIENT_ID``, ``SALESFORCE_USERNAME``,
      ``SALESFORCE_PRIVATE_KEY_FILE``
    - ``refresh_token``: ``SALESFORCE_LOGIN_URL``, ``SALESFORCE_CLIENT_ID``, ``SALESFORCE_REFRESH_TOKEN`` and
      optionally ``SALESFORCE_CLIENT_SECRET``
    - ``password``: ``SALESFORCE_LOGIN_URL``, ``SALESFORCE_CLIENT_ID``, ``SALESFORCE_CLIENT_SECRET``,
      ``SALESFORCE_USERNAME``, ``SALESFORCE_PASSWORD`` and optionally ``SALESFORCE_SECURITY_TOKEN``
    - ``soap_login``: ``SALESFORCE_LOGIN_URL``, ``SALESFORCE_USERNAME``, ``SALESFORCE_PASSWORD`` and optionally
      ``SALESFORCE_SECURITY_TOKEN``
    - ``sf_cli``: ``SALESFORCE_CLI_ALIAS``

    Raises:
        ValueError, TypeError: A variable is missing or wrong; the text names it.
    """
    if not isinstance(environ, Mapping):
        raise TypeError(f"environ is a mapping of variables to texts, not a {type(environ).__name__}")

    def need(*names: str) -> list[str]:
        if missing := [f"SALESFORCE_{name}" for name in names if not environ.get(f"SALESFORCE_{name}", "").strip()]:
            raise ValueError(f"set {', '.join(missing)} in the environment, for SALESFORCE_AUTH={way}")
        return [environ[f"SALESFORCE_{name}"] for name in names]

    match way := environ.get("SALESFORCE_AUTH", ""):
        case "access_token":
            return AccessToken(*need("INSTANCE_URL", "ACCESS_TOKEN"))
        case "client_credentials":
            return ClientCredentials(*need("LOGIN_URL", "CLIENT_ID", "CLIENT_SECRET"))
        case "jwt_bearer":
            return JwtBearer(*need("LOGIN_URL", "CLIENT_ID", "USERNAME", "PRIVATE_KEY_FILE"))
        case "refresh_token":
            url, client_id, token = need("LOGIN_URL", "CLIENT_ID", "REFRESH_TOKEN")
            return RefreshToken(url, client_id, token, environ.get("SALESFORCE_CLIENT_SECRET") or None)
        case "password":
            url, client_id, secret, *user = need("LOGIN_URL", "CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD")
            return Password(url, client_id, secret, user[0], user[1], environ.get("SALESFORCE_SECURITY_TOKEN", ""))
        case "soap_login":
            url, *user = need("LOGIN_URL", "USERNAME", "PASSWORD")
            return SoapLogin(url, user[0], user[1], environ.get("SALESFORCE_SECURITY_TOKEN", ""))
        case "sf_cli":
            return SfCli(*need("CLI_ALIAS"))
        case _:
            raise ValueError(
                "set SALESFORCE_AUTH in the environment to one of access_token, client_credentials, jwt_bearer, "
                f"refresh_token, password, soap_login, sf_cli; it is {way!r}"
            )


def _endpoint(login_url: str) -> str:
    return f"{login_url}/services/oauth2/token"


def _fetch(post: TokenTransport, flow: str, login_url: str, form: Mapping[str, str]) -> Token:
    return Token.of(post(_endpoint(login_url), form, flow=flow), flow)
