"""JSON, both ways; orjson is imported on first use."""

from datetime import UTC, date, datetime
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


def _encode(value: object) -> Any:
    from decimal import Decimal

    import orjson

    match value:
        case Decimal() if value.is_finite():
            return orjson.Fragment(format(value, "f"))
        case Decimal():
            raise ValueError(f"JSON has no number for {value}")
        case datetime():
            if value.utcoffset() is None:
                raise ValueError(f"{value!r} has no time zone, so it names no instant: give it a tzinfo")
            return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
        case date():
            return value.isoformat()
        case _:
            raise TypeError(f"a {type(value).__name__} has no JSON form")
