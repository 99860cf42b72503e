"""A body in several parts (RFC 7578), small enough to be held in memory."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

_JSON = "application/json"


class Parts(NamedTuple):
    """A body and the header that tells its parts apart."""

    content_type: str
    content: bytes


def join(*parts: tuple[str, str, Any]) -> Parts:
    """Put parts together.

    Args:
        *parts: Name, content type and value of each; what is not JSON is bytes, and is sent as a file.

    Raises:
        TypeError: It is not bytes.
    """
    bodies = [json.dumps(value).encode() if kind == _JSON else _bytes(name, value) for name, kind, value in parts]
    # No part can hold what is made of all of them, and the same parts make the same body.
    boundary = hashlib.sha256(b"\n".join(bodies)).hexdigest()
    lines = []
    for (name, kind, _), body in zip(parts, bodies, strict=True):
        file = "" if kind == _JSON else f'; filename="{name}"'
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\nContent-Type: {kind}\r\n'
        lines += [head.encode(), body]
    return Parts(f"multipart/form-data; boundary={boundary}", b"\r\n".join([*lines, f"--{boundary}--\r\n".encode()]))


def _bytes(name: str, value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"{name}: expected bytes, got {type(value).__name__}")
    return value
