"""Dates of a report: groups of a day, a quarter or a fiscal year, and the spans of standard date filters.

https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_getbasic_reportmetadata.htm
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_report.htm
"""

import re
from calendar import month_name
from datetime import date, timedelta
from typing import Final

import attrs

from sfconnector.testing._reports._labels import Shown
from sfconnector.testing._soql import Context
from sfconnector.testing._soql._dates import Calendar, days, is_date_literal
from sfconnector.testing._soql._format import formatter

NONE: Final = "None"
# API name and label of each granularity; FiscalPeriod and FiscalWeek want a custom fiscal year, which no local org has.
GRANULARITIES: Final = {
    NONE: "None",
    "Day": "Day",
    "Week": "Calendar Week",
    "Month": "Calendar Month",
    "Quarter": "Calendar Quarter",
    "Year": "Calendar Year",
    "FiscalQuarter": "Fiscal Quarter",
    "FiscalYear": "Fiscal Year",
    "MonthInYear": "Calendar Month in Year",
    "DayInMonth": "Calendar Day in Month",
}
CUSTOM: Final = "CUSTOM"
_COUNTED: Final = re.compile(r"(LAST|NEXT)_N_DAYS:(\d+)")
_SHIFTS: Final = {"THIS": "Current", "LAST": "Previous", "NEXT": "Next"}
DURATIONS: Final = {
    "Calendar Year": ("THIS_YEAR", "LAST_YEAR", "NEXT_YEAR"),
    "Calendar Quarter": ("THIS_QUARTER", "LAST_QUARTER", "NEXT_QUARTER"),
    "Calendar Month": ("THIS_MONTH", "LAST_MONTH", "NEXT_MONTH"),
    "Calendar Week": ("THIS_WEEK", "LAST_WEEK", "NEXT_WEEK"),
    "Fiscal Year": ("THIS_FISCAL_YEAR", "LAST_FISCAL_YEAR", "NEXT_FISCAL_YEAR"),
    "Fiscal Quarter": ("THIS_FISCAL_QUARTER", "LAST_FISCAL_QUARTER", "NEXT_FISCAL_QUARTER"),
    "Day": (
        "TODAY",
        "YESTERDAY",
        "TOMORROW",
        *(f"LAST_N_DAYS:{count}" for count in (7, 30, 60, 90, 120)),
        *(f"NEXT_N_DAYS:{count}" for count in (7, 30, 60, 90, 120)),
    ),
}


@attrs.frozen
class Span:
    """Days from ``start`` to ``end``, both included; ``None`` where a side is open."""

    start: date | None
    end: date | None


def is_literal(text: str) -> bool:
    """Tell whether a text is a date literal, such as ``LAST_N_DAYS:7``."""
    name, _, count = text.partition(":")
    if count and not count.isdigit():
        return False
    return is_date_literal(name.upper(), int(count) if count else None)


def span(literal: str, calendar: Calendar) -> Span | None:
    """The days that a date literal names, or ``None`` for what is no date literal.

    Raises:
        OverflowError: the days lie outside the calendar.
    """
    if not is_literal(literal):
        return None
    name, _, count = literal.partition(":")
    found = days(name.upper(), int(count) if count else None, calendar)
    return Span(found.start, found.end - timedelta(days=1))


def group(granularity: str, day: date, context: Context) -> Shown:
    """The group in which a day falls."""
    match granularity:
        case "Week":
            start = day - timedelta(days=(day.weekday() - context.first_weekday) % 7)
            return _starting(start, f"{_label(start, context)} - {_label(start + timedelta(days=6), context)}")
        case "Month":
            return _starting(day.replace(day=1), f"{month_name[day.month]} {day.year}")
        case "Quarter":
            quarter = (day.month - 1) // 3
            return _starting(date(day.year, quarter * 3 + 1, 1), f"Q{quarter + 1} CY{day.year}")
        case "Year":
            return _starting(date(day.year, 1, 1), f"CY{day.year}")
        case "FiscalQuarter" | "FiscalYear":
            return _fiscal(granularity, day, context.fiscal_year_start_month)
        case "MonthInYear":
            return Shown(str(day.month), month_name[day.month], (day.month,))
        case "DayInMonth":
            return Shown(str(day.day), str(day.day), (day.day,))
    return _starting(day, _label(day, context))


def _fiscal(granularity: str, day: date, first_month: int) -> Shown:
    months = (day.month - first_month) % 12
    start_year = day.year - (day.month < first_month)
    # A fiscal year is named after the year in which it ends.
    year = start_year + (first_month > 1)
    if granularity == "FiscalYear":
        return _starting(date(start_year, first_month, 1), f"FY{year}")
    quarter = months // 3
    started, month = divmod(first_month - 1 + quarter * 3, 12)
    return _starting(date(start_year + started, month + 1, 1), f"Q{quarter + 1} FY{year}")


def _label(day: date, context: Context) -> str:
    return formatter("date", 0, context)(day.isoformat())


def _starting(start: date, label: str) -> Shown:
    return Shown(start.isoformat(), label, (start.isoformat(),))


def label(duration: str) -> str:
    """What a standard date filter's duration is called on the screen."""
    if duration == CUSTOM:
        return "Custom"
    if match := _COUNTED.fullmatch(duration):
        return f"{match[1].title()} {match[2]} Days"
    shift, _, unit = duration.partition("_")
    if not unit:
        return duration.title()
    unit = unit.replace("FISCAL_YEAR", "FY").replace("FISCAL_QUARTER", "FQ")
    if unit in ("FY", "FQ"):
        return f"{_SHIFTS[shift]} {unit}"
    calendar = {"YEAR": "CY", "QUARTER": "CQ"}.get(unit)
    return f"{_SHIFTS[shift]} {calendar}" if calendar else f"{shift.title()} {unit.title()}"
