"""``FORMAT()``: numbers, dates and times as a user of the locale ``en_US`` reads them.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_format.htm
"""

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from sfconnector.testing._soql._context import Context
from sfconnector.testing._soql._refusals import unsupported

FORMATTED: Final = frozenset({"int", "long", "double", "currency", "percent", "date", "datetime", "time"})
_LOCALE: Final = "en_US"


def formatter(kind: str, scale: int, context: Context) -> Callable[[Any], str]:
    """Make a function of a stored value, which is not null.

    Args:
        kind: a type of ``FORMATTED``.
        scale: digits after the point.
        context: whose locale and time zone count.

    Raises:
        OrgError: 501 for a locale other than ``en_US``.
    """
    if context.locale != _LOCALE:
        raise unsupported(f"FORMAT() in the locale {context.locale}")
    match kind:
        case "date":
            return lambda stored: _date(date.fromisoformat(stored))
        case "datetime":
            return lambda stored: _datetime(datetime.fromisoformat(stored).astimezone(context.timezone))
        case "time":
            return lambda stored: _time(time.fromisoformat(stored.removesuffix("Z")))
        case "currency":
            return lambda stored: f"{'-' if stored < 0 else ''}${_number(abs(stored), scale)}"
        case "percent":
            return lambda stored: f"{_number(stored, scale)}%"
    return lambda stored: _number(stored, scale)


def _number(stored: float, scale: int) -> str:
    return f"{Decimal(str(stored)):,.{scale}f}"


def _date(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}"


def _time(moment: time) -> str:
    return f"{moment.hour % 12 or 12}:{moment.minute:02} {'AM' if moment.hour < 12 else 'PM'}"


def _datetime(moment: datetime) -> str:
    return f"{_date(moment.date())}, {_time(moment.time())}"
