"""Date literals: which days ``LAST_N_DAYS:7`` or ``THIS_FISCAL_QUARTER`` name.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_dateformats.htm
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

import attrs

_UNITS = "WEEK|MONTH|QUARTER|YEAR|FISCAL_QUARTER|FISCAL_YEAR"
_PERIOD: Final = re.compile(rf"(LAST|THIS|NEXT)_({_UNITS})")
_COUNTED: Final = re.compile(rf"(?:(LAST|NEXT)_N_(DAY|{_UNITS})S|N_(DAY|{_UNITS})S_(AGO))")
_DAYS: Final = {"YESTERDAY": -1, "TODAY": 0, "TOMORROW": 1}
_NINETY: Final = {"LAST_90_DAYS": "LAST_N_DAYS", "NEXT_90_DAYS": "NEXT_N_DAYS"}
_SHIFTS: Final = {"LAST": -1, "THIS": 0, "NEXT": 1}


@attrs.frozen
class Calendar:
    """The running user's day and how their periods begin.

    Args:
        now: the instant of the query, zone-aware.
        timezone: the user's time zone.
        first_weekday: 0 for Monday to 6 for Sunday; the user's locale decides.
        fiscal_year_start_month: 1 to 12.
    """

    now: datetime
    timezone: tzinfo
    first_weekday: int = 6
    fiscal_year_start_month: int = 1

    @property
    def today(self) -> date:
        return self.now.astimezone(self.timezone).date()

    def midnight(self, day: date) -> datetime:
        """Tell the instant at which a day begins for the user; one that a clock change skips begins with the change."""
        return datetime.combine(day, time.min, self.timezone).astimezone(UTC)


@attrs.frozen
class Days:
    """The days from ``start`` until before ``end``; with ``until_now`` an instant later than now is outside."""

    start: date
    end: date
    until_now: bool = False


def is_date_literal(name: str, count: int | None) -> bool:
    """Tell whether an upper-case name, with or without its ``:n``, is a date literal."""
    if count is None:
        return name in _DAYS or name in _NINETY or _PERIOD.fullmatch(name) is not None
    return _COUNTED.fullmatch(name) is not None


def days(name: str, count: int | None, calendar: Calendar) -> Days:
    """Compute the range of a date literal.

    Raises:
        OverflowError: The range leaves the years that Python's ``date`` knows.
    """
    if name in _DAYS:
        return _range("DAY", _DAYS[name], _DAYS[name] + 1, calendar)
    if name in _NINETY:
        return days(_NINETY[name], 90, calendar)
    if match := _PERIOD.fullmatch(name):
        shift = _SHIFTS[match[1]]
        return _range(match[2], shift, shift + 1, calendar)
    match = _COUNTED.fullmatch(name)
    if match is None or count is None:
        raise ValueError(f"{name} is no date literal")
    direction, unit = match[1] or match[4], match[2] or match[3]
    if direction == "LAST" and unit == "DAY":
        return attrs.evolve(_range(unit, -count, 1, calendar), until_now=True)
    first, end = {"LAST": (-count, 0), "NEXT": (1, count + 1), "AGO": (-count, 1 - count)}[direction]
    return _range(unit, first, end, calendar)


def _range(unit: str, first: int, end: int, calendar: Calendar) -> Days:
    boundary = _BOUNDARIES[unit]
    try:
        return Days(boundary(calendar, first), boundary(calendar, end))
    except ValueError as error:
        raise OverflowError(str(error)) from None


def _day(calendar: Calendar, shift: int) -> date:
    return calendar.today + timedelta(days=shift)


def _week(calendar: Calendar, shift: int) -> date:
    today = calendar.today
    return today + timedelta(days=7 * shift - (today.weekday() - calendar.first_weekday) % 7)


def _months(length: int, *, fiscal: bool = False) -> Callable[[Calendar, int], date]:
    """Make the boundary function of a period of ``length`` months."""

    def boundary(calendar: Calendar, shift: int) -> date:
        today = calendar.today
        offset = calendar.fiscal_year_start_month - 1 if fiscal else 0
        month = today.year * 12 + today.month - 1 - offset
        year, month = divmod((month // length + shift) * length + offset, 12)
        return date(year, month + 1, 1)

    return boundary


_BOUNDARIES: Final[Mapping[str, Callable[[Calendar, int], date]]] = {
    "DAY": _day,
    "WEEK": _week,
    "MONTH": _months(1),
    "QUARTER": _months(3),
    "YEAR": _months(12),
    "FISCAL_QUARTER": _months(3, fiscal=True),
    "FISCAL_YEAR": _months(12, fiscal=True),
}
