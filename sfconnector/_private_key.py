"""Reads the private key of the JWT bearer flow, without letting any of it into an error."""

import os
from pathlib import Path
from typing import Final

_LONGEST_PATH: Final = 255


def read_private_key(key: "str | os.PathLike[str]") -> str:
    """Give the PEM text of an RSA key.

    Args:
        key: The text, or the path of a file with it.

    Raises:
        ValueError: It is not there, encrypted, or something else.
    """
    text = key if isinstance(key, str) and "-----BEGIN" in key else _read(key)
    try:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise ValueError("the JWT bearer flow needs the extra jwt: pip install 'sfconnector[jwt]'") from None
    try:
        loaded = load_pem_private_key(text.encode(), password=None)
    except TypeError:
        raise ValueError("private_key is encrypted: decrypt it first, as with openssl rsa") from None
    except Exception:
        # The reasons given may quote parts of the key.
        raise ValueError("private_key is no private key in PEM form") from None
    if not isinstance(loaded, RSAPrivateKey):
        raise ValueError("private_key is no RSA key, and Salesforce takes only RS256 signatures")
    return text


def _read(path: object) -> str:
    if not isinstance(path, str | os.PathLike) or not str(path).strip():
        raise ValueError("private_key is neither a PEM text nor the path of a PEM file")
    try:
        return Path(path).read_text(encoding="ascii")
    except (OSError, ValueError):
        # A key without its first line is taken for a path.
        name = str(path)
        shown = repr(name) if len(name) <= _LONGEST_PATH and name.isprintable() else "of that name"
        raise ValueError(f"private_key: there is no readable file {shown}") from None
