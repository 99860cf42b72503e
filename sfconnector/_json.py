"""JSON, both ways, and the forms that values have in it; orjson is imported on first use."""

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any


def loads(body: bytes) -> Any:
    """Read a JSON text.

    Raises:
        ValueError: It is none.
    """
    import orjson

    return orjson.loads(body)


def dumps(value: object) -> bytes:
    """Write a JSON text; a Decimal goes out digit by digit, an instant in UTC.

    Raises:
        TypeError: A value has no JSON form.
        ValueError: A datetime is naive.
    """
    import orjson

    try:
        return orjson.dumps(value, default=_encode, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError as error:
        # What a default function raises arrives as the cause.
        if isinstance(error.__cause__, ValueError):
            raise error.__cause__ from None
        raise


def written(value: object) -> tuple[Any, int]:
    """Write a value now, to go out later as part of a larger one; also give its size in bytes.

    Raises:
        TypeError, ValueError: As :func:`dumps`.
    """
    import orjson

    text = dumps(value)
    return orjson.Fragment(text), len(text)


def check_numbers(value: object) -> None:
    """Refuse what would go out as ``null`` in the place of a number.

    Raises:
        ValueError: Somewhere in the value there is a NaN or an infinity.
    """
    match value:
        case float() if not math.isfinite(value):
            raise ValueError(f"JSON has no number for {value}")
        case Mapping():
            for item in value.values():
                check_numbers(item)
        case list() | tuple():
            for item in value:
                check_numbers(item)


def utc(value: object, where: str = "") -> datetime:
    """Move an instant to UTC.

    Args:
        value: A zone-aware datetime.
        where: What errors begin with.

    Raises:
        TypeError: The value is no datetime.
        ValueError: It is naive, or beyond the years that a datetime can hold.
    """
    if not isinstance(value, datetime):
        raise TypeError(f"{where}a datetime is needed, not a {type(value).__name__}")
    if value.utcoffset() is None:
        raise ValueError(f"{where}the datetime has no time zone, so it names no instant: give it a tzinfo")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{where}{value} has no form in UTC") from None


def format_instant(value: datetime, where: str = "") -> str:
    """Write an instant as Salesforce takes it, in UTC and cut to milliseconds."""
    if type(value) is datetime and value.tzinfo is UTC:
        # So are most, and they need not be moved.
        return value.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
    return utc(value, where).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def format_time(value: time, where: str = "") -> str:
    """Write a time of day as Salesforce takes it, cut to milliseconds.

    Raises:
        ValueError: It has a time zone.
    """
    if value.tzinfo is not None:
        raise ValueError(f"{where}a Salesforce time has no zone: give a time without tzinfo")
    return value.isoformat(timespec="milliseconds") + "Z"


def _encode(value: object) -> Any:
    from decimal import Decimal

    import orjson

    match value:
        case Decimal() if value.is_finite():
            # A float would round it.
            return orjson.Fragment(format(value, "f"))
        case Decimal():
            raise ValueError(f"JSON has no number for {value}")
        case datetime():
            return format_instant(value)
        case date():
            return value.isoformat()
        case _:
            raise TypeError(f"a {type(value).__name__} has no JSON form")
