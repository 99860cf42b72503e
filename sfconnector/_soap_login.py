"""Logging in by SOAP API, while there is such a thing."""

from __future__ import annotations

import warnings

import attrs

from sfconnector._tokens import Token, TokenTransport, printable, text
from sfconnector._urls import login_url


@attrs.frozen
class SoapLogin:
    """SOAP API's call ``login``, for orgs that still have it. It ends in Summer '27: use another where you can.

    API versions from 65.0 on do not have it, so it is asked of 64.0, whatever version the client speaks.

    Args:
        login_url: The org's My Domain URL, ``https://login.salesforce.com`` or ``https://test.salesforce.com``.
        username: The user's name.
        password: The user's password.
        security_token: The user's security token, unless the network is trusted.

    See Also:
        https://developer.salesforce.com/docs/platform/api/guide/sforce-api-calls-login.html

    Example:
        >>> from sfconnector import auth
        >>> auth.SoapLogin("https://acme.my.salesforce.com", "ci@acme.com", "secret", "Tk…")
        SoapLogin(login_url='https://acme.my.salesforce.com', username='ci@acme.com')
    """

    login_url: str = attrs.field(converter=login_url)
    username: str = attrs.field(validator=text)
    password: str = attrs.field(repr=False, validator=text)
    security_token: str = attrs.field(default="", repr=False, validator=printable)

    def __attrs_post_init__(self) -> None:
        warnings.warn(
            "Salesforce is retiring SOAP API's login() in Summer '27: use ClientCredentials or JwtBearer",
            DeprecationWarning,
            stacklevel=3,
        )

    def login(self, post: TokenTransport) -> Token:
        from sfconnector._login import SOAP_PATH, login_envelope

        envelope = login_envelope(self.username, self.password + self.security_token)
        # Refusals are faults of status 500: sent again and again, a wrong password would lock the user out.
        return Token.of(post(self.login_url + SOAP_PATH, envelope, flow="SoapLogin", repeatable=False), "SoapLogin")
