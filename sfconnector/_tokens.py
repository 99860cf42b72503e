"""What a login gives, what it is sent by, and what its arguments must be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

import attrs

from sfconnector._urls import instance_url
from sfconnector.errors import AuthenticationError


class TokenTransport(Protocol):
    """Sends token requests over the client's own connections, with its timeouts, proxies and certificates."""

    def __call__(
        self, url: str, form: Mapping[str, str] | bytes, *, flow: str, repeatable: bool = True
    ) -> Mapping[str, Any]:
        """Post a form and read the JSON that comes back.

        Args:
            url: The full URL of a token endpoint, or of the SOAP API.
            form: What to send, in the body: a form, or the envelope of SOAP's ``login``, whose answer is given in
                the terms of a token endpoint.
            flow: What to call the login in errors.
            repeatable: Whether the request may be sent again where it is not certain that it arrived.

        Raises:
            AuthenticationError: The login was refused.
            TransportError: No answer came.
        """


@attrs.frozen
class Token:
    """A session of one user in one org.

    Attributes:
        access_token: What authorises requests.
        instance_url: Scheme and host of the org's API.
    """

    access_token: str = attrs.field(repr=False)
    instance_url: str = attrs.field(converter=instance_url)

    @classmethod
    def of(cls, answer: Mapping[str, Any], flow: str) -> Self:
        """Read the answer of a token endpoint.

        Raises:
            AuthenticationError: It lacks the token or the instance.
        """
        token, instance = answer.get("access_token"), answer.get("instance_url")
        if not isinstance(token, str) or not isinstance(instance, str) or not sendable(token):
            raise AuthenticationError(flow, "the answer holds no usable access_token and instance_url")
        try:
            return cls(token, instance)
        except ValueError as error:
            raise AuthenticationError(flow, f"the answer names an unusable instance_url: {error}") from None


class Auth(Protocol):
    """A way to log in."""

    def login(self, post: TokenTransport) -> Token:
        """Fetch a new token."""


def sendable(value: str) -> bool:
    return value.isascii() and value.isprintable() and value.strip() == value != ""


def text(_: object, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{attribute.name} is blank")
    printable(_, attribute, value)


def printable(_: object, attribute: attrs.Attribute[str], value: object) -> None:
    # A secret read from a file easily ends in a line break.
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"{attribute.name} is no text, or holds line breaks or other characters that do not print")
