"""Filters of reports: operators, values, logic, dates, scopes."""

import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_api import Api
from reports_org import Reports, make_reports

from sfconnector.testing import LocalOrg

ALL = ["Alpha", "Bravo", "Charlie", "Delta", "Echo"]


@pytest.fixture
def reports(api: Api) -> Reports:
    return make_reports(api)


def metadata(*filters: tuple[str, str, Any], logic: str | None = None) -> dict[str, Any]:
    entries = [{"column": column, "operator": operator, "value": value} for column, operator, value in filters]
    return {"reportFilters": entries, "reportBooleanFilter": logic}


@pytest.mark.parametrize(
    ("column", "operator", "value", "expected"),
    [
        ("STAGE_NAME", "equals", "Prospecting", ["Alpha", "Charlie"]),
        ("STAGE_NAME", "equals", "prospecting, Qualification", ["Alpha", "Charlie", "Delta"]),
        ("STAGE_NAME", "notEqual", "Closed Won,Closed Lost", ["Alpha", "Charlie", "Delta"]),
        ("STAGE_NAME", "contains", "clos,qual", ["Bravo", "Delta", "Echo"]),
        ("STAGE_NAME", "notContain", "pros", ["Bravo", "Delta", "Echo"]),
        ("OPPORTUNITY_NAME", "startsWith", "c,d", ["Charlie", "Delta"]),
        ("OPPORTUNITY_NAME", "contains", "%", []),
        ("OPPORTUNITY_NAME", "contains", "_", []),
        ("OPPORTUNITY_NAME", "greaterThan", "Charlie", ["Delta", "Echo"]),
        ("OPPORTUNITY_NAME", "equals", '"Alpha","Bravo"', ["Alpha", "Bravo"]),
        ("ACCOUNT_NAME", "equals", "Acme", ["Alpha", "Bravo"]),
        ("ACCOUNT_NAME", "equals", "", ["Echo"]),
        ("ACCOUNT_NAME", "equals", None, ["Echo"]),
        # What has no value is not equal to one.
        ("ACCOUNT_NAME", "notEqual", "Acme", ["Charlie", "Delta", "Echo"]),
        ("ACCOUNT_NAME", "notEqual", "", ["Alpha", "Bravo", "Charlie", "Delta"]),
        ("ACCOUNT_NAME", "notContain", "c", ["Charlie", "Delta", "Echo"]),
        ("AMOUNT", "equals", "2,000.50", ["Bravo"]),
        ("AMOUNT", "equals", '"2,000.50"', ["Bravo"]),
        ("AMOUNT", "equals", "1000,3000", ["Alpha", "Charlie"]),
        ("AMOUNT", "greaterThan", "3,000", ["Echo"]),
        ("AMOUNT", "greaterOrEqual", "3000", ["Charlie", "Echo"]),
        ("AMOUNT", "lessThan", "2000.5", ["Alpha"]),
        ("AMOUNT", "lessOrEqual", "2000.5", ["Alpha", "Bravo"]),
        ("AMOUNT", "notEqual", "1000", ["Bravo", "Charlie", "Delta", "Echo"]),
        ("AMOUNT", "lessThan", "", []),
        ("AMOUNT", "equals", "", ["Delta"]),
        ("WON", "equals", "True", ["Bravo", "Echo"]),
        ("WON", "notEqual", "1", ["Alpha", "Charlie", "Delta"]),
        ("CLOSE_DATE", "equals", "2026-02-10", ["Bravo"]),
        ("CLOSE_DATE", "equals", "2/10/2026", ["Bravo"]),
        ("CLOSE_DATE", "greaterThan", "2026-02-20", ["Delta", "Echo"]),
        ("CLOSE_DATE", "lessOrEqual", "2026-02-20T10:00:00Z", ["Alpha", "Bravo", "Charlie"]),
        ("CLOSE_DATE", "equals", "THIS_QUARTER", ["Alpha", "Bravo", "Charlie"]),
        ("CLOSE_DATE", "equals", "next_n_months:1,2026-12-31", ["Delta", "Echo"]),
        ("CREATED_DATE", "equals", "2026-03-05", ALL),
        ("CREATED_DATE", "equals", "TODAY", ALL),
        ("CREATED_DATE", "notEqual", "3/5/2026", []),
        ("CREATED_DATE", "greaterThan", "2026-03-05", []),
        ("CREATED_DATE", "greaterOrEqual", "2026-03-05", ALL),
        ("CREATED_DATE", "lessThan", "2026-03-05", []),
        ("CREATED_DATE", "lessOrEqual", "2026-03-05", ALL),
        ("CREATED_DATE", "lessThan", "2026-03-05T16:07:09Z", ALL),
        ("FULL_NAME", "equals", "Local Admin", ALL),
        ("Account.Name", "equals", "Beta", ["Charlie", "Delta"]),
    ],
)
def test_operators(
    local_org: LocalOrg, api: Api, column: str, operator: str, value: str | None, expected: list[str]
) -> None:
    local_org.clock.freeze(datetime.datetime(2026, 3, 5, 16, 7, 8, tzinfo=datetime.UTC))
    reports = make_reports(api)
    report_id = reports.add(columns=["Name"])
    column = "ACCOUNT_NAME" if column == "Account.Name" else column
    assert reports.names(report_id, metadata((column, operator, value))) == expected


def test_an_id_is_compared_whatever_its_length(reports: Reports) -> None:
    report_id = reports.add(columns=["Name"])
    for alpha in (reports.ids["Alpha"], reports.ids["Alpha"][:15]):
        assert reports.names(report_id, metadata(("OPPORTUNITY_ID", "equals", alpha))) == ["Alpha"]
        assert reports.names(report_id, metadata(("OPPORTUNITY_ID", "notEqual", alpha))) == ALL[1:]


def test_several_values_of_one_field(local_org: LocalOrg, api: Api) -> None:
    local_org.add_object(
        "Thing__c", {"Kinds__c": {"type": "multipicklist", "values": [{"value": "a", "label": "Kind A"}, "b", "c"]}}
    )
    for name, kinds in (("one", "a;b"), ("two", "b"), ("three", None)):
        api.create("Thing__c", Name=name, Kinds__c=kinds)
    report_id = local_org.add_report("Things", "Thing__c", columns=["Name"])
    reports = Reports(api, {})
    column = "Thing__c.Kinds__c"
    assert reports.names(report_id, metadata((column, "includes", "Kind A,c"))) == ["one"]
    assert reports.names(report_id, metadata((column, "excludes", "a"))) == ["two", "three"]
    assert reports.names(report_id, metadata((column, "equals", "b"))) == ["two"]


@pytest.mark.parametrize(
    ("logic", "written", "expected"),
    [
        (None, None, ["Bravo"]),
        ("1 AND 2", "1 AND 2", ["Bravo"]),
        ("1 or 2", "1 OR 2", ["Alpha", "Bravo", "Echo"]),
        ("(1OR2)AND NOT1", "(1 OR 2) AND NOT 1", ["Echo"]),
        # AND binds closer.
        ("1 OR 2 AND 1", "1 OR 2 AND 1", ["Alpha", "Bravo"]),
        ("NOT (1 OR 2)", "NOT (1 OR 2)", ["Charlie", "Delta"]),
        (" ( ( 2 ) )  AND (1) ", "((2)) AND (1)", ["Bravo"]),
    ],
)
def test_logic(reports: Reports, logic: str | None, written: str | None, expected: list[str]) -> None:
    report_id = reports.add(columns=["Name"])
    change = metadata(("ACCOUNT_NAME", "equals", "Acme"), ("WON", "equals", "true"), logic=logic)
    assert reports.names(report_id, change) == expected
    assert reports.run(report_id, change)["reportMetadata"]["reportBooleanFilter"] == written


@pytest.mark.parametrize(
    "logic", ["1", "1 AND", "1 AND 3", "AND 1 2", "1 2", "(1 AND 2", "1) AND (2", "1 XOR 2", "1 AND 2 NOT", "0 AND 1"]
)
def test_logic_that_makes_no_sense(reports: Reports, logic: str) -> None:
    report_id = reports.add(columns=["Name"])
    change = metadata(("ACCOUNT_NAME", "equals", "Acme"), ("WON", "equals", "true"), logic=logic)
    assert reports.refusal(report_id, change) == (400, "BAD_REQUEST", f"The filter logic {logic} is invalid.")


@pytest.mark.parametrize(
    ("column", "operator", "value", "message"),
    [
        ("NO_SUCH", "equals", "a", "Specify a valid filterable column because NO_SUCH is invalid."),
        (None, "equals", "a", "Specify a valid filterable column because None is invalid."),
        ("FISCAL_QUARTER", "equals", "Q1-2026", "Specify a valid filterable column because FISCAL_QUARTER is invalid."),
        ("AMOUNT", "contains", "1", "Specify a valid condition because contains is invalid."),
        ("STAGE_NAME", "=", "a", "Specify a valid condition because = is invalid."),
        ("STAGE_NAME", None, "a", "Specify a valid condition because None is invalid."),
        ("AMOUNT", "equals", "much", "The filter value much is invalid for the column AMOUNT."),
        ("AMOUNT", "equals", "NaN", "The filter value NaN is invalid for the column AMOUNT."),
        ("WON", "equals", "maybe", "The filter value maybe is invalid for the column WON."),
        (
            "OPPORTUNITY_ID",
            "equals",
            "006",
            "The filter value for ID 006 is incorrect. Specify an ID that is 15 or 18 characters long, such as "
            "006D000000CrRLw or 005U0000000Rg2CIAS.",
        ),
        *(
            (
                "CLOSE_DATE",
                "equals",
                value,
                "Filter the date in the correct format. Accepted formats are yyyy-MM-dd'T'HH:mm:ss'Z' and yyyy-MM-dd.",
            )
            for value in ("soon", "2026-02-30", "2/30/2026", "2026-02-01T25:00:00Z", "LAST_N_DAYS", "TODAY:3")
        ),
    ],
)
def test_filters_that_cannot_be(
    reports: Reports, column: str | None, operator: str | None, value: str, message: str
) -> None:
    report_id = reports.add(columns=["Name"])
    change = {"reportFilters": [{"column": column, "operator": operator, "value": value}]}
    assert reports.refusal(report_id, change) == (400, "BAD_REQUEST", message)


def test_no_more_than_twenty_filters(reports: Reports) -> None:
    report_id = reports.add(columns=["Name"])
    one = ("WON", "equals", "true")
    assert reports.names(report_id, metadata(*[one] * 20)) == ["Bravo", "Echo"]
    assert reports.refusal(report_id, metadata(*[one] * 21)) == (400, "BAD_REQUEST", "A report has up to 20 filters.")


def test_fields_are_not_compared_with_fields(reports: Reports) -> None:
    report_id = reports.add(columns=["Name"])
    entry = {"column": "AMOUNT", "operator": "equals", "value": "EXP_AMOUNT", "filterType": "fieldToField"}
    assert reports.refusal(report_id, {"reportFilters": [entry]}) == (
        501,
        "NOT_IMPLEMENTED",
        "The local org does not support filters that compare two fields in reports.",
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=8))
def test_any_text_finds_itself(api: Api, text: str) -> None:
    report_id = api.org.add_report("Accounts", "Account", columns=["Name"])
    account = api.create("Account", Name=f"x{text}y")
    value = '"' + f"x{text}y".replace('"', '""') + '"'
    part = '"' + text.replace('"', '""') + '"'
    for operator, searched in (("equals", value), ("startsWith", value), ("contains", part)):
        change = {"reportFilters": [{"column": "ACCOUNT.NAME", "operator": operator, "value": searched}]}
        answer = api("POST", f"analytics/reports/{report_id}", json={"reportMetadata": change}).json()
        found = [row["dataCells"][0]["value"] for row in answer["factMap"]["T!T"]["rows"]]
        assert account in found
    assert api("DELETE", f"sobjects/Account/{account}").status_code == 204
    assert api("DELETE", f"sobjects/Report/{report_id}").status_code == 204


def test_the_standard_date_filter_knows_its_days(local_org: LocalOrg, api: Api) -> None:
    local_org.clock.freeze(datetime.datetime(2026, 2, 15, tzinfo=datetime.UTC))
    reports = make_reports(api)
    report_id = reports.add(columns=["Name"], date_filter=("CloseDate", "THIS_FISCAL_QUARTER"))
    assert reports.names(report_id) == ["Alpha", "Bravo", "Charlie"]
    assert reports.run(report_id)["reportMetadata"]["standardDateFilter"] == {
        "column": "CLOSE_DATE",
        "durationValue": "THIS_FISCAL_QUARTER",
        "endDate": "2026-03-31",
        "startDate": "2026-01-01",
    }
    # The days follow the clock, not the day of saving.
    local_org.clock.advance(days=90)
    later = Api(local_org)
    assert Reports(later, reports.ids).names(report_id) == ["Delta"]
    later.http.close()


def test_the_standard_date_filter_takes_days(local_org: LocalOrg, api: Api) -> None:
    local_org.clock.freeze(datetime.datetime(2026, 2, 15, 12, tzinfo=datetime.UTC))
    reports = make_reports(api)
    report_id = reports.add(columns=["Name"])

    def names(column: str, start: str | None, end: str | None) -> list[str]:
        span = {"column": column, "durationValue": "CUSTOM", "startDate": start, "endDate": end}
        return reports.names(report_id, {"standardDateFilter": span})

    assert names("CLOSE_DATE", "2026-02-10", "2026-02-20") == ["Bravo", "Charlie"]
    assert names("CLOSE_DATE", "2026-02-20 00:00:00", None) == ["Charlie", "Delta", "Echo"]
    assert names("CLOSE_DATE", None, "2026-01-10") == ["Alpha"]
    assert names("CREATED_DATE", "2026-02-15", "2026-02-15") == ALL
    assert names("CREATED_DATE", "2026-02-16", None) == []
    assert names("CREATED_DATE", None, "2026-02-14") == []
    assert reports.names(report_id, {"standardDateFilter": None}) == ALL


@pytest.mark.parametrize(
    ("span", "message"),
    [
        ({"column": "NO_SUCH"}, "The column NO_SUCH specified for the standard date filter is invalid."),
        ({"column": "AMOUNT"}, "The column AMOUNT cannot be a standard date filter because it is not a date column."),
        (
            {"column": "CLOSE_DATE", "durationValue": "SOME_DAY"},
            "The duration SOME_DAY specified for the standard date filter is invalid.",
        ),
        (
            {"column": "CLOSE_DATE", "startDate": "soon"},
            "The specified start date of CLOSE_DATE specified for the standard date filter is invalid.",
        ),
        (
            {"column": "CLOSE_DATE", "endDate": "2026-02-30"},
            "The specified end date of CLOSE_DATE specified for the standard date filter is invalid.",
        ),
        (
            {"column": "CLOSE_DATE", "durationValue": "LAST_N_YEARS:99999"},
            "The date formula is too large. Specify a reasonable value.",
        ),
    ],
)
def test_standard_date_filters_that_cannot_be(reports: Reports, span: dict[str, str], message: str) -> None:
    report_id = reports.add(columns=["Name"])
    assert reports.refusal(report_id, {"standardDateFilter": span}) == (400, "BAD_REQUEST", message)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("open", "all", ALL),
        ("open", "open", ["Alpha", "Charlie", "Delta"]),
        ("open", "closed", ["Bravo", "Echo"]),
        ("open", "closedwon", ["Bravo", "Echo"]),
        ("probability", ">0", ALL),
        ("probability", "gt90", ["Bravo", "Echo"]),
        ("probability", "lt20", ["Alpha", "Charlie", "Delta"]),
    ],
)
def test_standard_filters_of_opportunities(reports: Reports, name: str, value: str, expected: list[str]) -> None:
    report_id = reports.add(columns=["Name"])
    assert reports.names(report_id, {"standardFilters": [{"name": name, "value": value}]}) == expected


def test_standard_filters_that_cannot_be(reports: Reports) -> None:
    report_id = reports.add(columns=["Name"])
    assert reports.refusal(report_id, {"standardFilters": [{"name": "open", "value": "ajar"}]}) == (
        400,
        "BAD_REQUEST",
        "The value ajar of the standard filter open is invalid.",
    )
    status, code, _ = reports.refusal(report_id, {"standardFilters": [{"name": "territory", "value": "x"}]})
    assert (status, code) == (501, "NOT_IMPLEMENTED")


def test_scopes(local_org: LocalOrg, reports: Reports) -> None:
    report_id = reports.add(columns=["Name"])
    users = "SELECT Id FROM User WHERE Username LIKE 'autoproc%'"
    other = reports.api("GET", "query", params={"q": users}).json()["records"][0]["Id"]
    path = f"sobjects/Opportunity/{reports.ids['Bravo']}"
    assert reports.api("PATCH", path, json={"OwnerId": other}).status_code == 204
    assert reports.names(report_id, {"scope": "user"}) == ["Alpha", "Charlie", "Delta", "Echo"]
    assert reports.names(report_id, {"scope": "organization"}) == ALL
    status, code, _ = reports.refusal(report_id, {"scope": "team"})
    assert (status, code) == (501, "NOT_IMPLEMENTED")
