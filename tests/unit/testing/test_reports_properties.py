"""What holds for every report: its sums are those of SOQL, and nothing that a client says makes the org fail."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_api import Api
from reports_org import DEALS, Reports, make_reports

from sfconnector.testing import LocalOrg

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
COLUMNS = st.sampled_from(["OPPORTUNITY_NAME", "AMOUNT", "CLOSE_DATE", "STAGE_NAME", "CREATED_DATE", "WON", "", None])
VALUES = st.sampled_from(
    ["", "a,b", '"', "TODAY", "LAST_N_DAYS:99999999999", "2026-01-01", "1/1/2026", "0001-01-01", "1e400"]
)
KEYS = {
    "detailColumns": st.lists(COLUMNS | JSON, max_size=3),
    "aggregates": st.lists(
        st.sampled_from(["RowCount", "s!AMOUNT", "mx!AMOUNT", "u!WON", "x!", "!"]) | JSON, max_size=3
    ),
    "groupingsDown": st.lists(
        st.fixed_dictionaries(
            {"name": COLUMNS | JSON},
            optional={
                "dateGranularity": st.sampled_from(["None", "Week", "FiscalQuarter", "MonthInYear", ""]) | JSON,
                "sortOrder": st.sampled_from(["Asc", "desc"]) | JSON,
                "sortAggregate": st.sampled_from(["s!AMOUNT", "RowCount"]) | JSON,
            },
        )
        | JSON,
        max_size=3,
    ),
    "reportFilters": st.lists(
        st.fixed_dictionaries(
            {
                "column": COLUMNS | JSON,
                "operator": st.sampled_from(["equals", "notEqual", "lessThan", "contains", "startsWith"]) | JSON,
                "value": VALUES | JSON,
            }
        )
        | JSON,
        max_size=3,
    ),
    "standardDateFilter": st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("column", "durationValue", "startDate", "endDate"), COLUMNS | VALUES | JSON)
    ),
    "sortBy": st.lists(st.fixed_dictionaries({"sortColumn": COLUMNS | JSON, "sortOrder": JSON}) | JSON, max_size=2),
    "topRows": st.fixed_dictionaries({"rowLimit": JSON, "direction": JSON}),
    "reportBooleanFilter": st.text("()12 ANDORT", max_size=12),
    "standardFilters": st.lists(st.fixed_dictionaries({"name": JSON, "value": JSON}) | JSON, max_size=2),
    "reportType": st.just({"type": "Opportunity"}) | JSON,
    "scope": st.sampled_from(["user", "organization"]) | JSON,
}


@pytest.fixture(scope="module")
def org() -> Iterator[LocalOrg]:
    """One org for all examples, which may run as many reports as they like in its hour."""
    with LocalOrg(token_lifetime=365 * 86_400) as org:
        yield org


@pytest.fixture(scope="module")
def reports(org: LocalOrg) -> Iterator[Reports]:
    api = Api(org)
    yield make_reports(api)
    api.http.close()


@settings(deadline=None, max_examples=150)
@given(st.fixed_dictionaries({}, optional=KEYS))
def test_nothing_that_a_client_says_makes_the_org_fail(reports: Reports, metadata: dict[str, Any]) -> None:
    org = reports.api.org
    org.clock.advance(minutes=1)
    report_id = reports.ids.get("any") or reports.ids.setdefault("any", reports.add(columns=["Name"]))
    response = reports.api("POST", f"analytics/reports/{report_id}", json={"reportMetadata": metadata})
    if response.status_code == 200:
        assert "T!T" in response.json()["factMap"]
    else:
        (error,) = response.json()
        assert error["errorCode"] in ("BAD_REQUEST", "INTERNAL_ERROR", "NOT_IMPLEMENTED"), error
        assert (error["errorCode"] == "INTERNAL_ERROR") is (response.status_code == 500), error


FIELDS = {
    "STAGE_NAME": "StageName",
    "TYPE": "Type",
    "ACCOUNT_NAME": "Account.Id",
    "WON": "IsWon",
    "CLOSE_DATE": "CloseDate",
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=4, unique=True), st.integers(0, 2))
def test_the_summaries_are_those_of_soql(reports: Reports, names: list[str], across: int) -> None:
    reports.api.org.clock.advance(minutes=1)
    down, over = names[across:][:2], names[:across]
    if not down:
        down, over = names[:1], []
    report_id = reports.ids.get("deals") or reports.ids.setdefault("deals", reports.add(columns=["Name"]))
    answer = reports.run(
        report_id,
        {
            "groupingsDown": [{"name": name} for name in down],
            "groupingsAcross": [{"name": name} for name in over],
            "aggregates": ["RowCount", "s!AMOUNT", "a!AMOUNT", "mx!AMOUNT", "m!AMOUNT", "u!AMOUNT"],
        },
    )
    grouped = [FIELDS[name] for name in (*down, *over)]
    keys = ", ".join(f"{field} g{index}" for index, field in enumerate(grouped))
    summaries = "COUNT(Id) c, SUM(Amount) s, AVG(Amount) a, MAX(Amount) x, MIN(Amount) m, COUNT_DISTINCT(Amount) u"
    soql = f"SELECT {keys}, {summaries} FROM Opportunity GROUP BY {', '.join(grouped)}"
    records = reports.api("GET", "query", params={"q": soql}).json()["records"]
    expected = {
        tuple(record[f"g{index}"] for index in range(len(grouped))): [
            record["c"],
            record["s"] or 0,
            *(record[name] for name in "axmu"),
        ]
        for record in records
    }
    rows, columns = (list(leaves(answer[side])) for side in ("groupingsDown", "groupingsAcross"))
    found = {}
    for (row, row_values), (column, column_values) in itertools.product(rows, columns or [("T", ())]):
        values = [each["value"] for each in answer["factMap"][f"{row}!{column}"]["aggregates"]]
        if values[0]:
            found[*row_values, *column_values] = values
    assert found == expected
    assert sum(values[0] for values in found.values()) == len(DEALS)


def leaves(groupings: dict[str, Any], values: tuple[Any, ...] = ()) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Keys of the innermost groups, with the values that lead to them."""
    for group in groupings["groupings"]:
        path = (*values, group["value"])
        if group["groupings"]:
            yield from leaves(group, path)
        else:
            yield group["key"], path
