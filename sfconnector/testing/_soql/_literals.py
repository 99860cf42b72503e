"""Values in a query: from the token to the Python value behind it.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_dateformats.htm
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final

from sfconnector.testing._soql import _dates
from sfconnector.testing._soql._ast import Literal

STRING: Final = "string"
# A string with \% or \_, which only LIKE understands.
PATTERN: Final = "pattern"
NUMBER: Final = "number"
CURRENCY: Final = "currency"
BOOLEAN: Final = "boolean"
NULL: Final = "null"
DATE: Final = "date"
DATETIME: Final = "datetime"
TIME: Final = "time"
DATE_RANGE: Final = "date range"

_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_ESCAPE: Final = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_EARLIEST, _LATEST = date(1700, 1, 1), date(4000, 12, 31)


class LiteralError(ValueError):
    """The token is no value; the text is the reason that Salesforce gives."""


def literal(kind: str, text: str, position: int) -> Literal:
    """Read a token of the grammar, ``kind`` being its terminal."""
    if kind == "STRING":
        return _string(text, position)
    name, value = _READERS[kind](text)
    return Literal(name, value, text, position)


def _string(text: str, position: int) -> Literal:
    content = text[1:-1]
    kind = STRING

    def replace(match: re.Match[str]) -> str:
        nonlocal kind
        code = match[1]
        if code in "%_":
            kind = PATTERN
            return match[0]
        if len(code) > 1:
            return chr(int(code[1:], 16))
        if code.lower() not in _ESCAPES:
            raise illegal_sequence(text, match[0])
        return _ESCAPES[code.lower()]

    def quote(match: re.Match[str]) -> str:
        return match[0] if match[1] in "%_" else re.sub(r"[\\%_]", r"\\\g<0>", replace(match))

    value, pattern = _ESCAPE.sub(replace, content), _ESCAPE.sub(quote, content)
    return Literal(kind, _well_formed(value), text, position, _well_formed(pattern))


def illegal_sequence(text: str, sequence: str) -> LiteralError:
    return LiteralError(f"Invalid string literal {text}. Illegal character sequence '{sequence}' in string literal.")


def _well_formed(text: str) -> str:
    """Join the two halves of a character outside the first plane; refuse a half that stands alone."""
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise LiteralError("Invalid Unicode Character") from None


def _number(text: str) -> tuple[str, Decimal]:
    return NUMBER, Decimal(text)


def _currency(text: str) -> tuple[str, tuple[str, Decimal]]:
    return CURRENCY, (text[:3].upper(), Decimal(text[3:]))


def _date(text: str) -> tuple[str, date]:
    try:
        value = date(*map(int, text.split("-")))
    except ValueError:
        raise LiteralError(f"Invalid date: {text}") from None
    if not _EARLIEST <= value <= _LATEST:
        raise LiteralError(f"Invalid date: {text}")
    return DATE, value


def _datetime(text: str) -> tuple[str, datetime]:
    try:
        value = datetime.fromisoformat(text.upper())
        if value.tzinfo is None:
            raise ValueError("a datetime names its zone")
        value = value.astimezone(UTC)
    except (ValueError, OverflowError):
        raise LiteralError(f"Invalid datetime: {text}") from None
    if not _EARLIEST <= value.date() <= _LATEST:
        raise LiteralError(f"Invalid datetime: {text}")
    return DATETIME, value


def _time(text: str) -> tuple[str, time]:
    try:
        return TIME, time.fromisoformat(text.upper().removesuffix("Z").zfill(5))
    except ValueError:
        raise LiteralError(f"Invalid time: {text}") from None


def _word(text: str) -> tuple[str, tuple[str, int | None]]:
    name, _, count = text.partition(":")
    formula = (name.strip().upper(), int(count) if count else None)
    if not _dates.is_date_literal(*formula):
        raise LiteralError(f"unexpected token: '{name.strip()}'")
    return DATE_RANGE, formula


def _bind(_text: str) -> tuple[str, Any]:
    raise LiteralError("Bind variables only allowed in Apex code")


_READERS: Final[Mapping[str, Callable[[str], tuple[str, Any]]]] = {
    "NUMBER": _number,
    "CURRENCY": _currency,
    "DATE": _date,
    "DATETIME": _datetime,
    "TIME": _time,
    "NULL": lambda _: (NULL, None),
    "TRUE": lambda _: (BOOLEAN, True),
    "FALSE": lambda _: (BOOLEAN, False),
    "WORD": _word,
    "BIND": _bind,
}
