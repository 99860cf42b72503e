"""The API version in the path, which CometD has nowhere else."""

import re
from typing import Final

from sfconnector.testing._rest import LATEST
from sfconnector.testing._streaming import _messages

# Clients append what they are about to do, as in /cometd/68.0/handshake.
_PATH: Final = re.compile(r"/cometd/(\d{1,3})(?:\.0)?(?:/.*)?", re.ASCII)
_OLDEST: Final = 37


def refusal(path: str) -> str | None:
    """Why no request to this path can be answered."""
    return None if _PATH.fullmatch(path) else _messages.NO_VERSION.format(f"{LATEST}.0")


def handshake_refusal(path: str) -> str | None:
    """Why no client gets a session by this path: its version is validated with the handshake."""
    match = _PATH.fullmatch(path)
    if match is not None and _OLDEST <= int(match[1]) <= LATEST:
        return None
    return _messages.BAD_VERSION.format(f"{_OLDEST}.0", f"{LATEST}.0")
