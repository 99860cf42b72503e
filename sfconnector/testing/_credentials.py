"""The connected app and the user with which a client may log in to the local org."""

import functools
import secrets
import string

import attrs
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_ALPHABET = string.ascii_letters + string.digits


def _random(length: int, alphabet: str = _ALPHABET) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


@functools.cache
def _generated_key() -> str:
    """One RSA key for every org of the process: making one takes longer than starting an org."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")


def _rsa(_instance: object, _attribute: object, pem: str | None) -> None:
    if pem is None:
        return
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (TypeError, ValueError) as error:
        raise ValueError("private_key must be the PEM text of a private key that is not encrypted.") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("private_key must be an RSA key: Salesforce verifies assertions with RS256.")


@attrs.define(kw_only=True)
class Credentials:
    """All that a login needs; what is not given is made up, and looks as it does at Salesforce."""

    username: str
    client_id: str = attrs.field(factory=lambda: "3MVG9" + _random(80, _ALPHABET + "._"))
    client_secret: str = attrs.field(factory=lambda: secrets.token_hex(32).upper(), repr=False)
    # With a letter and a digit in any case, as the password policy wants it.
    password: str = attrs.field(factory=lambda: _random(14) + "a7", repr=False)
    security_token: str = attrs.field(factory=lambda: _random(24), repr=False)
    _private_key: str | None = attrs.field(default=None, repr=False, alias="private_key", validator=_rsa)

    def change_password(self, password: str) -> None:
        """Take another password; Salesforce then sends another security token too.

        https://help.salesforce.com/s/articleView?id=sf.user_security_token.htm
        """
        self.password = password
        self.security_token = _random(24)

    @property
    def private_key(self) -> str:
        """PEM text of the key whose public half is registered with the connected app."""
        if self._private_key is None:
            self._private_key = _generated_key()
        return self._private_key

    @property
    def public_key(self) -> str:
        """PEM text of the registered public key."""
        key = serialization.load_pem_private_key(self.private_key.encode(), password=None)
        return (
            key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode("ascii")
        )
