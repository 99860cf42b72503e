"""PK chunking: a query over a large table, split into queries over ranges of ids.

https://developer.salesforce.com/docs/platform/api-asynch/guide/async-api-headers-enable-pk-chunking.html
"""

from typing import Final

import attrs

from sfconnector.testing import _ids
from sfconnector.testing._async._errors import CLIENT_INPUT, AsyncError

HEADER: Final = "sforce-enable-pkchunking"
_DEFAULT: Final = 100_000
_LARGEST: Final = 250_000
_KEYS: Final = {"chunksize": "chunkSize", "parent": "parent", "startrow": "startRow"}
# Takes a sample of the ids; how a chunk is cut is up to Salesforce then.
_IGNORED: Final = frozenset({"usesampleddata"})


@attrs.frozen
class Chunking:
    """How the queries of a job are to be split."""

    size: int = _DEFAULT
    parent: str | None = None
    start: str | None = None


def read_header(value: str | None) -> Chunking | None:
    """Read the header; ``None`` where there is to be no chunking.

    Raises:
        AsyncError: ``ClientInputError`` for what is no value of it.
    """
    text = (value or "").strip()
    if text.lower() in ("", "false"):
        return None
    if text.lower() == "true":
        return Chunking()
    given: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, separator, argument = part.partition("=")
        key = name.strip().lower()
        if key in _IGNORED or key in ("true", "false"):
            continue
        if key not in _KEYS or not separator or not argument.strip():
            raise _refused(text)
        given[key] = argument.strip()
    size = given.get("chunksize", str(_DEFAULT))
    if not (size.isascii() and size.isdigit() and 1 <= int(size) <= _LARGEST):
        raise AsyncError(CLIENT_INPUT, f"chunkSize must be a number from 1 to {_LARGEST}: {size}")
    start = given.get("startrow")
    if start is not None and _ids.normalize(start) is None:
        raise AsyncError(CLIENT_INPUT, f"startRow must be a record ID: {start}")
    return Chunking(int(size), given.get("parent"), start)


def _refused(text: str) -> AsyncError:
    return AsyncError(CLIENT_INPUT, f"Invalid value of Sforce-Enable-PKChunking: {text}")
