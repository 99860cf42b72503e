"""Functions: of dates, of labels, of distances, and what becomes of their values."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from soql_org import Database, make_schema

from sfconnector.testing._errors import OrgError
from sfconnector.testing._soql._functions import local

TOKYO = ZoneInfo("Asia/Tokyo")


def groups(database: Database, text: str, **options: Any) -> list[tuple[Any, ...]]:
    found = []
    for record in database.query(text, **options).records:
        assert record.pop("attributes") == {"type": "AggregateResult"}
        found.append(tuple(record.values()))
    return found


def refusal(database: Database, text: str, **options: Any) -> tuple[int, str, str]:
    with pytest.raises(OrgError) as caught:
        database.query(text, **options)
    return caught.value.status, caught.value.code, caught.value.message.rsplit("\n", 1)[-1]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("CALENDAR_MONTH", 12),
        ("CALENDAR_QUARTER", 4),
        ("CALENDAR_YEAR", 2023),
        ("DAY_IN_MONTH", 31),
        ("DAY_IN_WEEK", 1),
        ("DAY_IN_YEAR", 365),
        ("FISCAL_MONTH", 12),
        ("FISCAL_QUARTER", 4),
        ("FISCAL_YEAR", 2023),
        ("WEEK_IN_MONTH", 5),
        ("WEEK_IN_YEAR", 53),
    ],
)
@pytest.mark.parametrize("field", ["Day__c", "Moment__c"])
def test_parts_of_a_date(database: Database, function: str, expected: int, field: str) -> None:
    found = database.add("Widget__c", Day__c="2023-12-31", Moment__c="2023-12-31T23:59:59.000+0000")
    database.add("Widget__c")
    call = f"{function}({field})"
    assert groups(database, f"SELECT {call}, COUNT(Id) FROM Widget__c GROUP BY {call}") == [(None, 1), (expected, 1)]
    assert database.values(f"SELECT Id FROM Widget__c WHERE {call.lower()} = {expected}") == [found]
    assert database.values(f"SELECT Id FROM Widget__c WHERE {call} > {expected}") == []
    assert database.values(f"SELECT Id FROM Widget__c WHERE {call} IN (1, {expected}) AND {call} != null") == [found]


@pytest.mark.parametrize(
    ("day", "start", "year", "quarter", "month"),
    [
        ("2024-01-31", 2, 2024, 4, 12),
        ("2024-02-01", 2, 2025, 1, 1),
        ("2024-12-31", 10, 2025, 1, 3),
        ("2024-09-30", 10, 2024, 4, 12),
        ("2024-06-15", 1, 2024, 2, 6),
    ],
)
def test_the_fiscal_year_is_named_after_its_end(
    database: Database, day: str, start: int, year: int, quarter: int, month: int
) -> None:
    database.add("Widget__c", Day__c=day)
    text = (
        "SELECT FISCAL_YEAR(Day__c), FISCAL_QUARTER(Day__c), FISCAL_MONTH(Day__c) FROM Widget__c "
        "GROUP BY FISCAL_YEAR(Day__c), FISCAL_QUARTER(Day__c), FISCAL_MONTH(Day__c)"
    )
    assert groups(database, text, fiscal_year_start_month=start) == [(year, quarter, month)]


@settings(deadline=None)
@given(st.dates(date(1700, 1, 1), date(4000, 12, 31)))
def test_parts_of_any_date(day: date) -> None:
    database = Database(make_schema())
    database.add("Widget__c", Day__c=day.isoformat())
    functions = ("CALENDAR_YEAR", "CALENDAR_QUARTER", "DAY_IN_WEEK", "DAY_IN_YEAR", "WEEK_IN_MONTH", "WEEK_IN_YEAR")
    calls = ", ".join(f"{function}(Day__c)" for function in functions)
    in_year = day.timetuple().tm_yday
    assert groups(database, f"SELECT {calls} FROM Widget__c GROUP BY {calls}") == [
        (
            day.year,
            (day.month - 1) // 3 + 1,
            day.isoweekday() % 7 + 1,
            in_year,
            (day.day - 1) // 7 + 1,
            (in_year - 1) // 7 + 1,
        )
    ]
    database.close()


def test_moments_by_day_and_hour(database: Database) -> None:
    for moment in ("2024-03-10T23:30:00.000+0000", "2024-03-10T23:45:00.000+0000", "2024-03-11T00:30:00.000+0000"):
        database.add("Widget__c", Moment__c=moment)
    text = "SELECT DAY_ONLY({0}) day, HOUR_IN_DAY({0}) hour, COUNT(Id) n FROM Widget__c GROUP BY DAY_ONLY({0}), "
    text += "HOUR_IN_DAY({0}) ORDER BY COUNT(Id) DESC"
    assert groups(database, text.format("Moment__c")) == [("2024-03-10", 23, 2), ("2024-03-11", 0, 1)]
    tokyo = groups(database, text.format("convertTimezone(Moment__c)"), timezone=TOKYO)
    assert tokyo == [("2024-03-11", 8, 2), ("2024-03-11", 9, 1)]
    where = "SELECT COUNT() FROM Widget__c WHERE DAY_ONLY({}) {} {}"
    for operand, operator, value, size in (
        ("Moment__c", "=", "2024-03-11", 1),
        ("convertTimezone(Moment__c)", "=", "2024-03-11", 3),
        ("Moment__c", ">=", "2024-03-10", 3),
        ("Moment__c", "<", "2024-03-11", 2),
        ("Moment__c", "=", "TODAY", 0),
    ):
        assert database.query(where.format(operand, operator, value), timezone=TOKYO).total_size == size


@settings(deadline=None)
@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),  # the zone is set below
    st.sampled_from(["America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Los_Angeles", "GMT"]),
)
def test_any_moment_is_moved_to_a_time_zone(moment: datetime, zone: str) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    stored = moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    expected = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    moved = local(stored, zone)
    assert moved is not None
    # Before time zones were in whole quarters of an hour, a town's clock went by the sun.
    tolerance = timedelta(0) if moment.year > 1970 else timedelta(minutes=15)
    assert abs(datetime.fromisoformat(moved) - expected) <= tolerance


def test_a_date_function_needs_its_group(database: Database) -> None:
    database.add("Widget__c", Day__c="2024-03-10")
    # Of a date field the field itself may be the group, of a moment it may not.
    text = "SELECT CALENDAR_YEAR(Day__c), Day__c, COUNT(Id) FROM Widget__c GROUP BY Day__c"
    assert groups(database, text) == [(2024, "2024-03-10", 1)]
    for text, reason in (
        ("SELECT CALENDAR_YEAR(Day__c) FROM Widget__c", "Field must be grouped or aggregated: CALENDAR_YEAR(Day__c)"),
        (
            "SELECT CALENDAR_YEAR(Moment__c) FROM Widget__c GROUP BY Day__c",
            "Field must be grouped or aggregated: CALENDAR_YEAR(Moment__c)",
        ),
        (
            "SELECT COUNT(Id) FROM Widget__c GROUP BY Day__c ORDER BY CALENDAR_YEAR(Moment__c)",
            "Ordered field must be grouped or aggregated: CALENDAR_YEAR(Moment__c)",
        ),
        (
            "SELECT CALENDAR_YEAR(Day__c) FROM Widget__c GROUP BY CALENDAR_MONTH(Day__c)",
            "Field must be grouped or aggregated: CALENDAR_YEAR(Day__c)",
        ),
    ):
        assert refusal(database, text) == (400, "MALFORMED_QUERY", reason)


def test_groups_of_functions_in_having_and_order(database: Database) -> None:
    for day, amount in (("2023-05-01", 1.0), ("2023-07-01", 2.0), ("2024-05-01", 4.0), ("2024-06-01", 8.0)):
        database.add("Opportunity", CloseDate=day, Amount=amount)
    text = (
        "SELECT CALENDAR_YEAR(CloseDate) year, SUM(Amount) FROM Opportunity GROUP BY CALENDAR_YEAR(CloseDate) "
        "HAVING CALENDAR_YEAR(CloseDate) > 2022 AND SUM(Amount) > 1 ORDER BY CALENDAR_YEAR(CloseDate) DESC"
    )
    assert [tuple(record.items())[1:] for record in database.query(text).records] == [
        (("year", 2024), ("expr0", 12.0)),
        (("year", 2023), ("expr0", 3.0)),
    ]


def test_subtotals_of_functions(database: Database) -> None:
    for day, stage in (("2023-05-01", "Closed Won"), ("2024-05-01", "Closed Won"), ("2024-06-01", "Closed Lost")):
        database.add("Opportunity", CloseDate=day, StageName=stage)
    select = "SELECT CALENDAR_YEAR(CloseDate) y, StageName, COUNT(Id) n, GROUPING(StageName) g FROM Opportunity "
    assert groups(database, select + "GROUP BY ROLLUP(CALENDAR_YEAR(CloseDate), StageName)") == [
        (2023, "Closed Won", 1, 0),
        (2023, None, 1, 1),
        (2024, "Closed Lost", 1, 0),
        (2024, "Closed Won", 1, 0),
        (2024, None, 2, 1),
        (None, None, 3, 1),
    ]
    cube = groups(database, select + "GROUP BY CUBE(CALENDAR_YEAR(CloseDate), StageName)")
    assert (None, "Closed Won", 2, 0) in cube
    assert len(cube) == 8


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("CALENDAR_YEAR(Name)", "field Name does not support the function CALENDAR_YEAR(Name)"),
        ("DAY_ONLY(Day__c)", "field Day__c does not support the function DAY_ONLY(Day__c)"),
        ("HOUR_IN_DAY(Day__c)", "field Day__c does not support the function HOUR_IN_DAY(Day__c)"),
        (
            "CALENDAR_YEAR(convertTimezone(Day__c))",
            "field Day__c does not support the function CALENDAR_YEAR(convertTimezone(Day__c))",
        ),
        ("CALENDAR_YEAR(Day__c, Day__c)", "CALENDAR_YEAR() takes one date or dateTime field"),
        ("CALENDAR_YEAR()", "CALENDAR_YEAR() takes one date or dateTime field"),
        ("convertTimezone(Moment__c)", "unexpected token: 'convertTimezone'"),
        ("convertCurrency(Number__c)", "unexpected token: 'convertCurrency'"),
        ("FORMAT(Number__c)", "unexpected token: 'FORMAT'"),
        ("COUNT(Id)", "unexpected token: 'COUNT'"),
        ("LENGTH(Name)", "unexpected token: 'LENGTH'"),
    ],
)
def test_functions_that_a_condition_does_not_take(database: Database, call: str, reason: str) -> None:
    status, _, message = refusal(database, f"SELECT Id FROM Widget__c WHERE {call} = 1")
    assert (status, message) == (400, reason)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT convertTimezone(Moment__c) FROM Widget__c",
        "SELECT UPPER(Name) FROM Widget__c",
        "SELECT Id FROM Widget__c ORDER BY CALENDAR_YEAR(Day__c)",
        "SELECT Id FROM Widget__c ORDER BY toLabel(Colours__c)",
        "SELECT COUNT(Id) FROM Widget__c GROUP BY FORMAT(Day__c)",
        "SELECT COUNT(Id) FROM Widget__c GROUP BY MAX(Day__c)",
        "SELECT COUNT(Id) FROM Opportunity GROUP BY StageName ORDER BY toLabel(StageName)",
        "SELECT convertCurrency(SUM(Amount)) FROM Opportunity",
        "SELECT COUNT(Id) FROM Opportunity GROUP BY StageName HAVING FORMAT(MAX(CloseDate)) = '1'",
    ],
)
def test_functions_that_do_not_stand_there(database: Database, text: str) -> None:
    status, code, message = refusal(database, text)
    assert (status, code) == (400, "MALFORMED_QUERY")
    assert message.startswith("unexpected token: ")


def test_labels(database: Database) -> None:
    database.add("Opportunity", Name="a", StageName="Closed Won")
    database.add("Opportunity", Name="b", StageName="Other")
    record = database.query("SELECT StageName, toLabel(StageName) label FROM Opportunity ORDER BY Name").records[0]
    assert (record["StageName"], record["label"]) == ("Closed Won", "Closed Won (label)")
    for condition in ("= 'closed won (LABEL)'", "LIKE '%label)'", "IN ('Closed Won (label)', 'x')", "!= 'Other'"):
        text = f"SELECT Name FROM Opportunity WHERE toLabel(StageName) {condition}"
        assert database.values(text) == ["a"]
    text = "SELECT toLabel(StageName), COUNT(Id) FROM Opportunity GROUP BY StageName"
    assert [list(record.items())[1:] for record in database.query(text).records] == [
        [("StageName", "Closed Won (label)"), ("expr0", 1)],
        [("StageName", "Other"), ("expr0", 1)],
    ]
    database.add("Widget__c", Colours__c="Blue;Grey")
    assert database.values("SELECT toLabel(Colours__c) FROM Widget__c") == ["Blue (label);Grey"]
    assert refusal(database, "SELECT toLabel(Name) FROM Account")[1] == "INVALID_FIELD"
    assert refusal(database, "SELECT Id FROM Widget__c WHERE toLabel(Colours__c) = 'x'")[1] == "INVALID_FIELD"


def test_a_parents_label_stands_with_the_parent(database: Database) -> None:
    account = database.add("Account", Name="a", Industry="Media")
    database.add("Contact", AccountId=account)
    text = "SELECT Account.Name, toLabel(Account.Industry), toLabel(Account.Industry) again FROM Contact"
    (record,) = database.query(text).records
    assert {key: value for key, value in record["Account"].items() if key != "attributes"} == {
        "Name": "a",
        "Industry": "Media (label)",
    }
    assert record["again"] == "Media (label)"


def test_values_as_a_user_reads_them(database: Database) -> None:
    database.add(
        "Widget__c",
        Number__c=-1234567.0,
        Whole__c=1234,
        Day__c="2024-03-10",
        Moment__c="2024-03-10T15:05:00.000+0000",
        Clock__c="00:30:00.000Z",
    )
    text = (
        "SELECT FORMAT(Number__c), Whole__c, FORMAT(Whole__c) whole, FORMAT(Day__c), FORMAT(Moment__c), "
        "FORMAT(Clock__c) FROM Widget__c"
    )
    (record,) = database.query(text, timezone=TOKYO).records
    assert list(record.items())[1:] == [
        ("Number__c", "-1,234,567"),
        ("Whole__c", 1234),
        ("whole", "1,234"),
        ("Day__c", "3/10/2024"),
        ("Moment__c", "3/11/2024, 12:05 AM"),
        ("Clock__c", "12:30 AM"),
    ]
    database.add("Opportunity", Amount=-1500.0, CloseDate="2024-12-01")
    text = (
        "SELECT Amount, FORMAT(Amount) a, convertCurrency(Amount) c, FORMAT(convertCurrency(Amount)) f FROM Opportunity"
    )
    assert list(database.query(text).records[0].values())[1:] == [-1500.0, "-$1,500", -1500.0, "-$1,500"]
    assert groups(database, "SELECT FORMAT(MAX(CloseDate)) newest, COUNT(Id) FROM Opportunity") == [("12/1/2024", 1)]
    assert refusal(database, "SELECT FORMAT(Name) FROM Account")[1] == "INVALID_FIELD"
    status, _, message = refusal(database, "SELECT FORMAT(Amount) FROM Opportunity", locale="de_DE")
    assert (status, "de_DE" in message) == (501, True)


def test_a_selected_field_and_its_function_need_an_alias(database: Database) -> None:
    for text in ("SELECT Amount, FORMAT(Amount) FROM Opportunity", "SELECT Name, FORMAT(Amount) Name FROM Opportunity"):
        status, code, message = refusal(database, text)
        assert (status, code) == (400, "INVALID_FIELD")
        assert message.startswith("duplicate field selected: ")
    assert refusal(database, "SELECT Name n FROM Account")[2] == "only aggregate expressions use field aliasing"


@pytest.fixture
def places(database: Database) -> Database:
    for name, latitude, longitude in (
        ("San Francisco", 37.7749, -122.4194),
        ("Oakland", 37.8044, -122.2712),
        ("Paris", 48.8566, 2.3522),
        ("Nowhere", None, None),
    ):
        database.add("Widget__c", Name=name, Place__Latitude__s=latitude, Place__Longitude__s=longitude)
    return database


def test_distances(places: Database) -> None:
    far = "DISTANCE(Place__c, GEOLOCATION(37.7749, -122.4194), '{}')"
    near = f"SELECT Name FROM Widget__c WHERE {far} < {{}} ORDER BY {far}"
    assert places.values(near.format("mi", 20, "mi")) == ["San Francisco", "Oakland"]
    assert places.values(near.format("km", 13, "km")) == ["San Francisco"]
    beyond = f"SELECT Name FROM Widget__c WHERE {far.format('mi')} > 20"
    assert places.values(beyond) == ["Paris"]
    ordered = f"SELECT Name FROM Widget__c ORDER BY {far.format('mi')} DESC NULLS LAST"
    assert places.values(ordered) == ["Paris", "Oakland", "San Francisco", "Nowhere"]
    (record, *_) = places.query(f"SELECT Name, {far.format('km')} FROM Widget__c WHERE Name = 'Paris'").records
    # By https://www.movable-type.co.uk/scripts/latlong.html on a sphere of 6,371 km.
    assert record["expr0"] == pytest.approx(8953, abs=1)


def test_distances_from_an_address(database: Database) -> None:
    database.add("Account", Name="here", BillingLatitude=1.0, BillingLongitude=2.0)
    text = "SELECT Name FROM Account WHERE DISTANCE(BillingAddress, GEOLOCATION(1.0, 2.1), 'km') < 12"
    assert database.values(text) == ["here"]


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("DISTANCE(Place__c, GEOLOCATION(1, 2), 'mi') = 20", "INVALID_QUERY_FILTER_OPERATOR"),
        ("DISTANCE(Place__c, GEOLOCATION(1, 2), 'mi') IN (20)", "INVALID_QUERY_FILTER_OPERATOR"),
        ("DISTANCE(Place__c, GEOLOCATION(1, 2), 'mi') < '20'", "INVALID_FIELD"),
        ("DISTANCE(Place__c, GEOLOCATION(1, 2), 'ft') < 20", "MALFORMED_QUERY"),
        ("DISTANCE(Place__c, GEOLOCATION(1), 'mi') < 20", "MALFORMED_QUERY"),
        ("DISTANCE(GEOLOCATION(1, 2), Place__c, 'mi') < 20", "MALFORMED_QUERY"),
        ("DISTANCE(Name, GEOLOCATION(1, 2), 'mi') < 20", "INVALID_FIELD"),
        ("GEOLOCATION(1, 2) < 20", "MALFORMED_QUERY"),
    ],
)
def test_distances_that_cannot_be(database: Database, condition: str, code: str) -> None:
    assert refusal(database, f"SELECT Id FROM Widget__c WHERE {condition}")[1] == code


def test_a_picklist_compares_in_having_as_text(database: Database) -> None:
    for stage, name in (("Closed Lost", "a"), ("Prospecting", "a"), ("Prospecting", "b")):
        database.add("Opportunity", StageName=stage, Name=name)
    text = "SELECT Name, MAX(StageName) FROM Opportunity GROUP BY Name HAVING MAX(StageName) = 'closed lost'"
    assert groups(database, text) == [("a", "Closed Lost")]


def test_scopes_of_owners(database: Database) -> None:
    me = "005000000000001AAA"
    queue = database.add("Group", Name="q", Type="Queue")
    mine, theirs = database.add("Case", OwnerId=me), database.add("Case", OwnerId=queue)
    for scope, found in (
        ("mine", [mine]),
        ("queue_owned", [theirs]),
        ("user_owned", [mine]),
        ("everything", [mine, theirs]),
    ):
        assert database.values(f"SELECT Id FROM Case USING SCOPE {scope} ORDER BY Id") == sorted(found)
    assert refusal(database, "SELECT Id FROM Case USING SCOPE whatever")[2] == "unexpected token: 'whatever'"
    assert refusal(database, "SELECT Id FROM Case USING SCOPE delegated")[0] == 501
