"""Date literals at a fixed instant, in several zones, across clock changes and fiscal years."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from soql_org import Database

from sfconnector.testing._errors import OrgError
from sfconnector.testing._soql._dates import Calendar, days

# A Wednesday.
CALENDAR = Calendar(datetime(2026, 3, 18, 15, 30, tzinfo=UTC), UTC)
FISCAL = Calendar(datetime(2026, 3, 18, 15, 30, tzinfo=UTC), UTC, fiscal_year_start_month=2)


@pytest.mark.parametrize(
    ("literal", "first", "last"),
    [
        ("YESTERDAY", "2026-03-17", "2026-03-17"),
        ("TODAY", "2026-03-18", "2026-03-18"),
        ("TOMORROW", "2026-03-19", "2026-03-19"),
        ("LAST_WEEK", "2026-03-08", "2026-03-14"),
        ("THIS_WEEK", "2026-03-15", "2026-03-21"),
        ("NEXT_WEEK", "2026-03-22", "2026-03-28"),
        ("LAST_MONTH", "2026-02-01", "2026-02-28"),
        ("THIS_MONTH", "2026-03-01", "2026-03-31"),
        ("NEXT_MONTH", "2026-04-01", "2026-04-30"),
        ("LAST_90_DAYS", "2025-12-18", "2026-03-18"),
        ("NEXT_90_DAYS", "2026-03-19", "2026-06-16"),
        ("LAST_N_DAYS:1", "2026-03-17", "2026-03-18"),
        ("LAST_N_DAYS:0", "2026-03-18", "2026-03-18"),
        ("NEXT_N_DAYS:15", "2026-03-19", "2026-04-02"),
        ("N_DAYS_AGO:25", "2026-02-21", "2026-02-21"),
        ("NEXT_N_WEEKS:4", "2026-03-22", "2026-04-18"),
        ("LAST_N_WEEKS:1", "2026-03-08", "2026-03-14"),
        ("LAST_N_WEEKS:2", "2026-03-01", "2026-03-14"),
        ("N_WEEKS_AGO:3", "2026-02-22", "2026-02-28"),
        ("NEXT_N_MONTHS:2", "2026-04-01", "2026-05-31"),
        ("LAST_N_MONTHS:12", "2025-03-01", "2026-02-28"),
        ("N_MONTHS_AGO:6", "2025-09-01", "2025-09-30"),
        ("THIS_QUARTER", "2026-01-01", "2026-03-31"),
        ("LAST_QUARTER", "2025-10-01", "2025-12-31"),
        ("NEXT_QUARTER", "2026-04-01", "2026-06-30"),
        ("NEXT_N_QUARTERS:2", "2026-04-01", "2026-09-30"),
        ("LAST_N_QUARTERS:2", "2025-07-01", "2025-12-31"),
        ("N_QUARTERS_AGO:3", "2025-04-01", "2025-06-30"),
        ("THIS_YEAR", "2026-01-01", "2026-12-31"),
        ("LAST_YEAR", "2025-01-01", "2025-12-31"),
        ("NEXT_YEAR", "2027-01-01", "2027-12-31"),
        ("NEXT_N_YEARS:5", "2027-01-01", "2031-12-31"),
        ("LAST_N_YEARS:5", "2021-01-01", "2025-12-31"),
        ("N_YEARS_AGO:2", "2024-01-01", "2024-12-31"),
        ("THIS_FISCAL_QUARTER", "2026-01-01", "2026-03-31"),
        ("THIS_FISCAL_YEAR", "2026-01-01", "2026-12-31"),
    ],
)
def test_ranges(literal: str, first: str, last: str) -> None:
    name, _, count = literal.partition(":")
    found = days(name, int(count) if count else None, CALENDAR)
    assert (found.start, found.end.toordinal() - 1) == (date.fromisoformat(first), date.fromisoformat(last).toordinal())


@pytest.mark.parametrize(
    ("literal", "first", "last"),
    [
        ("THIS_FISCAL_QUARTER", "2026-02-01", "2026-04-30"),
        ("LAST_FISCAL_QUARTER", "2025-11-01", "2026-01-31"),
        ("NEXT_FISCAL_QUARTER", "2026-05-01", "2026-07-31"),
        ("NEXT_N_FISCAL_QUARTERS:2", "2026-05-01", "2026-10-31"),
        ("LAST_N_FISCAL_QUARTERS:6", "2024-08-01", "2026-01-31"),
        ("N_FISCAL_QUARTERS_AGO:6", "2024-08-01", "2024-10-31"),
        ("THIS_FISCAL_YEAR", "2026-02-01", "2027-01-31"),
        ("LAST_FISCAL_YEAR", "2025-02-01", "2026-01-31"),
        ("NEXT_FISCAL_YEAR", "2027-02-01", "2028-01-31"),
        ("NEXT_N_FISCAL_YEARS:3", "2027-02-01", "2030-01-31"),
        ("LAST_N_FISCAL_YEARS:3", "2023-02-01", "2026-01-31"),
        ("N_FISCAL_YEARS_AGO:3", "2023-02-01", "2024-01-31"),
    ],
)
def test_fiscal_ranges(literal: str, first: str, last: str) -> None:
    name, _, count = literal.partition(":")
    found = days(name, int(count) if count else None, FISCAL)
    assert (found.start, found.end.toordinal() - 1) == (date.fromisoformat(first), date.fromisoformat(last).toordinal())


def test_weeks_begin_where_the_locale_says() -> None:
    monday = Calendar(CALENDAR.now, UTC, first_weekday=0)
    assert days("THIS_WEEK", None, monday).start == date(2026, 3, 16)
    on_a_sunday = Calendar(datetime(2026, 3, 22, tzinfo=UTC), UTC, first_weekday=0)
    assert days("THIS_WEEK", None, on_a_sunday).start == date(2026, 3, 16)


@pytest.mark.parametrize(
    ("zone", "now", "inside", "outside"),
    [
        # In Auckland it is already the 19th.
        (
            "Pacific/Auckland",
            "2026-03-18T15:30",
            ["2026-03-18T11:00:00.000", "2026-03-19T10:59:59.999"],
            ["2026-03-18T10:59:59.999", "2026-03-19T11:00:00.000"],
        ),
        # In Los Angeles it is still the 17th, and summer time has begun.
        (
            "America/Los_Angeles",
            "2026-03-18T02:00",
            ["2026-03-17T07:00:00.000", "2026-03-18T06:59:59.999"],
            ["2026-03-17T06:59:59.999", "2026-03-18T07:00:00.000"],
        ),
        # The day on which the clocks go forward has 23 hours.
        (
            "Europe/Berlin",
            "2026-03-29T12:00",
            ["2026-03-28T23:00:00.000", "2026-03-29T21:59:59.999"],
            ["2026-03-28T22:59:59.999", "2026-03-29T22:00:00.000"],
        ),
        # The day on which they go back has 25.
        (
            "Europe/Berlin",
            "2026-10-25T12:00",
            ["2026-10-24T22:00:00.000", "2026-10-25T22:59:59.999"],
            ["2026-10-24T21:59:59.999", "2026-10-25T23:00:00.000"],
        ),
        # In Cairo the clocks go forward at midnight, so the day begins at one o'clock.
        (
            "Africa/Cairo",
            "2026-04-24T12:00",
            ["2026-04-23T22:00:00.000", "2026-04-24T20:59:59.999"],
            ["2026-04-23T21:59:59.999", "2026-04-24T21:00:00.000"],
        ),
    ],
)
def test_today_is_the_users_day(database: Database, zone: str, now: str, inside: list[str], outside: list[str]) -> None:
    for moment in inside + outside:
        database.add("Widget__c", Name=moment, Moment__c=moment + "+0000")
    text = "SELECT Name FROM Widget__c WHERE Moment__c = TODAY ORDER BY Name"
    found = database.values(text, now=datetime.fromisoformat(now).replace(tzinfo=UTC), timezone=ZoneInfo(zone))
    assert found == inside


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("=", ["2026-03-15", "2026-03-21"]),
        ("!=", [None, "2026-03-14", "2026-03-22"]),
        ("<", ["2026-03-14"]),
        ("<=", ["2026-03-14", "2026-03-15", "2026-03-21"]),
        (">", ["2026-03-22"]),
        (">=", ["2026-03-15", "2026-03-21", "2026-03-22"]),
    ],
)
def test_comparisons_with_a_range(database: Database, operator: str, expected: list[str | None]) -> None:
    for day in ("2026-03-14", "2026-03-15", "2026-03-21", "2026-03-22", None):
        database.add("Widget__c", Day__c=day)
    assert (
        database.values(f"SELECT Day__c FROM Widget__c WHERE Day__c {operator} THIS_WEEK ORDER BY Day__c") == expected
    )


def test_last_n_days_ends_now(database: Database) -> None:
    for moment in (
        "2026-03-16T23:59:59.999",
        "2026-03-17T00:00:00.000",
        "2026-03-18T15:30:00.000",
        "2026-03-18T15:30:00.001",
    ):
        database.add("Widget__c", Name=moment, Moment__c=moment + "+0000")
    found = database.values("SELECT Name FROM Widget__c WHERE Moment__c = LAST_N_DAYS:1 ORDER BY Name")
    assert found == ["2026-03-17T00:00:00.000", "2026-03-18T15:30:00.000"]


def test_literals_in_a_list(database: Database) -> None:
    for day in ("2026-03-17", "2026-03-18", "2026-03-19", "2026-07-01"):
        database.add("Widget__c", Day__c=day)
    text = "SELECT Day__c FROM Widget__c WHERE Day__c {} (YESTERDAY, TOMORROW, 2026-07-01) ORDER BY Day__c"
    assert database.values(text.format("IN")) == ["2026-03-17", "2026-03-19", "2026-07-01"]
    assert database.values(text.format("NOT IN")) == ["2026-03-18"]


@pytest.mark.parametrize(
    "literal",
    ["2026-03-18T12:00:00Z", "2026-03-18T14:00:00+02:00", "2026-03-18T04:00:00.000-08:00", "2026-03-18t12:00:00z"],
)
def test_instants_in_any_zone(database: Database, literal: str) -> None:
    database.add("Widget__c", Moment__c="2026-03-18T12:00:00.000+0000")
    assert database.query(f"SELECT Id FROM Widget__c WHERE Moment__c = {literal}").total_size == 1


def test_times(database: Database) -> None:
    for clock in ("09:00:00.000Z", "17:30:00.000Z"):
        database.add("Widget__c", Clock__c=clock)
    assert database.values("SELECT Clock__c FROM Widget__c WHERE Clock__c > 09:00:00Z") == ["17:30:00.000Z"]
    assert database.values("SELECT Clock__c FROM Widget__c WHERE Clock__c = 9:00") == ["09:00:00.000Z"]


def test_a_range_outside_of_all_years(database: Database) -> None:
    with pytest.raises(OrgError, match="Invalid date: LAST_N_YEARS:5000"):
        database.query("SELECT Id FROM Widget__c WHERE Day__c = LAST_N_YEARS:5000")
    with pytest.raises(OrgError, match="Invalid date: NEXT_N_DAYS:99999999999"):
        database.query("SELECT Id FROM Widget__c WHERE Day__c = NEXT_N_DAYS:99999999999")


def test_context_needs_an_instant(database: Database) -> None:
    with pytest.raises(ValueError, match="time zone"):
        database.query("SELECT Id FROM Account", now=datetime(2026, 1, 1))
