"""Running reports: tabular, summary and matrix, their fact maps, cells and labels."""

import datetime

import pytest
from local_api import Api
from reports_org import Reports, aggregates, labels, make_reports

from sfconnector.testing import LocalOrg


@pytest.fixture
def reports(api: Api) -> Reports:
    return make_reports(api)


def test_a_tabular_report_has_one_cell(reports: Reports) -> None:
    report_id = reports.add(columns=["Name", "Account.Name", "Amount", "CloseDate", "StageName", "Probability"])
    answer = reports.run(report_id)
    assert answer["attributes"] == {
        "describeUrl": f"/services/data/v68.0/analytics/reports/{report_id}/describe",
        "instancesUrl": f"/services/data/v68.0/analytics/reports/{report_id}/instances",
        "reportId": report_id,
        "reportName": "Deals",
        "type": "Report",
    }
    assert answer["groupingsDown"] == answer["groupingsAcross"] == {"groupings": []}
    assert (answer["allData"], answer["hasDetailRows"], answer["hasExceededTabularRowLimit"]) == (True, True, False)
    assert answer["factMap"].keys() == {"T!T"}
    assert answer["factMap"]["T!T"]["aggregates"] == [{"label": "5", "value": 5}]
    alpha, _, _, delta, echo = (row["dataCells"] for row in answer["factMap"]["T!T"]["rows"])
    assert alpha == [
        {"label": "Alpha", "value": reports.ids["Alpha"]},
        {"label": "Acme", "value": reports.ids["Acme"]},
        {"label": "$1,000.00", "value": {"amount": 1000, "currency": None}},
        {"label": "1/10/2026", "value": "2026-01-10"},
        {"label": "Prospecting", "value": "Prospecting"},
        {"label": "10%", "value": 10},
    ]
    assert delta[2] == {"label": "-", "value": None}
    assert echo[1] == {"label": "-", "value": None}


def test_a_summary_report_has_a_cell_for_each_group_of_each_level(reports: Reports) -> None:
    report_id = reports.add(
        columns=["Name"],
        groupings_down=["StageName", ("CloseDate", "Month")],
        aggregates=["s!Amount", "a!Amount", "mx!Amount", "m!Amount", "u!Amount", "RowCount"],
    )
    answer = reports.run(report_id)
    assert answer["reportMetadata"]["reportFormat"] == "SUMMARY"
    # Picklists sort as they are defined.
    assert labels(answer["groupingsDown"]) == [
        ("0", "Prospecting", [("0_0", "January 2026"), ("0_1", "February 2026")]),
        ("1", "Qualification", [("1_0", "April 2026")]),
        ("2", "Closed Won", [("2_0", "February 2026"), ("2_1", "December 2026")]),
    ]
    assert answer["groupingsDown"]["groupings"][2]["groupings"][1] == {
        "groupings": [],
        "key": "2_1",
        "label": "December 2026",
        "value": "2026-12-01",
    }
    assert aggregates(answer) == {
        "T!T": [11000.5, 2750.125, 5000, 1000, 4, 5],
        "0!T": [4000, 2000, 3000, 1000, 2, 2],
        "0_0!T": [1000, 1000, 1000, 1000, 1, 1],
        "0_1!T": [3000, 3000, 3000, 3000, 1, 1],
        "1!T": [0, None, None, None, 0, 1],
        "1_0!T": [0, None, None, None, 0, 1],
        "2!T": [7000.5, 3500.25, 5000, 2000.5, 2, 2],
        "2_0!T": [2000.5, 2000.5, 2000.5, 2000.5, 1, 1],
        "2_1!T": [5000, 5000, 5000, 5000, 1, 1],
    }
    assert [each["label"] for each in answer["factMap"]["1!T"]["aggregates"]] == ["$0.00", "-", "-", "-", "0", "1"]
    # Rows stand in the innermost groups.
    filled = {key: fact["rows"] for key, fact in answer["factMap"].items() if fact["rows"]}
    assert filled.keys() == {"0_0!T", "0_1!T", "1_0!T", "2_0!T", "2_1!T"}
    assert filled["2_1!T"] == [{"dataCells": [{"label": "Echo", "value": reports.ids["Echo"]}]}]


def test_a_matrix_report_has_a_cell_for_each_pair_of_groups(reports: Reports) -> None:
    report_id = reports.add(
        columns=["Name"],
        groupings_down=["Type", "Account.Name"],
        groupings_across=[("CloseDate", "Quarter"), "StageName"],
        aggregates=["s!Amount", "RowCount"],
    )
    answer = reports.run(report_id, includeDetails="true")
    assert answer["reportMetadata"]["reportFormat"] == "MATRIX"
    # Nothing comes first.
    assert labels(answer["groupingsDown"]) == [
        ("0", "-", [("0_0", "-")]),
        ("1", "Existing Customer - Upgrade", [("1_0", "Acme"), ("1_1", "Beta")]),
        ("2", "New Customer", [("2_0", "Acme"), ("2_1", "Beta")]),
    ]
    assert labels(answer["groupingsAcross"]) == [
        ("0", "Q1 CY2026", [("0_0", "Prospecting"), ("0_1", "Closed Won")]),
        ("1", "Q2 CY2026", [("1_0", "Qualification")]),
        ("2", "Q4 CY2026", [("2_0", "Closed Won")]),
    ]
    down = ["T", "0", "0_0", "1", "1_0", "1_1", "2", "2_0", "2_1"]
    across = ["T", "0", "0_0", "0_1", "1", "1_0", "2", "2_0"]
    assert answer["factMap"].keys() == {f"{row}!{column}" for row in down for column in across}
    values = aggregates(answer)
    assert values["T!T"] == [11000.5, 5]
    assert values["1!0"] == [5000.5, 2]
    assert values["1_1!0_0"] == [3000, 1]
    assert values["2_1!1_0"] == [0, 1]
    assert values["0_0!0"] == [0, 0]
    rows = {key for key, fact in answer["factMap"].items() if fact["rows"]}
    assert rows == {"0_0!2_0", "1_0!0_1", "1_1!0_0", "2_0!0_0", "2_1!1_0"}
    group = answer["groupingsDown"]["groupings"][1]["groupings"][0]
    assert (group["label"], group["value"]) == ("Acme", reports.ids["Acme"])


def test_sums_of_cells_are_the_sums_of_their_group(reports: Reports) -> None:
    report_id = reports.add(
        groupings_down=["StageName"], groupings_across=[("CloseDate", "Month")], aggregates=["s!Amount", "RowCount"]
    )
    values = aggregates(reports.run(report_id))
    for index in (0, 1):
        for row in ("0", "1", "2", "T"):
            cells = [value[index] for key, value in values.items() if key.startswith(f"{row}!") and key[-1] != "T"]
            assert sum(cells) == values[f"{row}!T"][index]


def test_rows_are_left_out_when_only_summaries_are_asked_for(reports: Reports) -> None:
    report_id = reports.add(groupings_down=["StageName"])
    answer = reports.run(report_id, includeDetails="false")
    assert answer["hasDetailRows"] is answer["reportMetadata"]["hasDetailRows"] is False
    assert all(fact.keys() == {"aggregates"} for fact in answer["factMap"].values())
    assert answer["reportExtendedMetadata"]["detailColumnInfo"]
    # Without the parameter the report itself decides.
    assert reports.run(report_id)["hasDetailRows"] is True
    assert reports.run(report_id, {"hasDetailRows": False})["hasDetailRows"] is False
    assert reports.run(report_id, {"hasDetailRows": False}, includeDetails="true")["hasDetailRows"] is True


def test_two_thousand_rows_come_and_all_are_counted(local_org: LocalOrg, api: Api) -> None:
    local_org.add_object("Item__c", {"Size__c": "int(8)"})
    for start in range(0, 2_100, 200):
        records = [
            {"attributes": {"type": "Item__c"}, "Size__c": number} for number in range(start, min(start + 200, 2_100))
        ]
        assert api("POST", "composite/sobjects", json={"records": records}).status_code == 200
    tabular = local_org.add_report("All", "Item__c", columns=["Size__c"], sort_by=("Size__c", "Desc"))
    answer = api("GET", f"analytics/reports/{tabular}").json()
    cell = answer["factMap"]["T!T"]
    assert (answer["allData"], answer["hasExceededTabularRowLimit"], len(cell["rows"])) == (False, True, 2_000)
    assert cell["aggregates"] == [{"label": "2,100", "value": 2_100}]
    assert cell["rows"][0]["dataCells"][0] == {"label": "2,099", "value": 2_099}
    summary = local_org.add_report("Grouped", "Item__c", columns=["Size__c"], groupings_down=["CreatedBy.Name"])
    answer = api("GET", f"analytics/reports/{summary}").json()
    assert (answer["allData"], answer["hasExceededTabularRowLimit"]) == (False, False)
    assert len(answer["factMap"]["0!T"]["rows"]) == 2_000
    answer = api("GET", f"analytics/reports/{summary}", params={"includeDetails": "false"}).json()
    assert answer["allData"] is True


@pytest.mark.parametrize(
    ("granularity", "expected"),
    [
        ("None", [("1/10/2026", "2026-01-10"), ("2/10/2026", "2026-02-10"), ("2/20/2026", "2026-02-20")]),
        ("Day", [("1/10/2026", "2026-01-10"), ("2/10/2026", "2026-02-10"), ("2/20/2026", "2026-02-20")]),
        (
            "Week",
            [
                ("1/4/2026 - 1/10/2026", "2026-01-04"),
                ("2/8/2026 - 2/14/2026", "2026-02-08"),
                ("2/15/2026 - 2/21/2026", "2026-02-15"),
            ],
        ),
        ("Month", [("January 2026", "2026-01-01"), ("February 2026", "2026-02-01"), ("April 2026", "2026-04-01")]),
        ("Quarter", [("Q1 CY2026", "2026-01-01"), ("Q2 CY2026", "2026-04-01"), ("Q4 CY2026", "2026-10-01")]),
        ("Year", [("CY2026", "2026-01-01")]),
        ("FiscalQuarter", [("Q1 FY2026", "2026-01-01"), ("Q2 FY2026", "2026-04-01"), ("Q4 FY2026", "2026-10-01")]),
        ("FiscalYear", [("FY2026", "2026-01-01")]),
        ("MonthInYear", [("January", "1"), ("February", "2"), ("April", "4")]),
        ("DayInMonth", [("1", "1"), ("10", "10"), ("20", "20")]),
    ],
)
def test_dates_are_grouped_by_their_granularity(
    reports: Reports, granularity: str, expected: list[tuple[str, str]]
) -> None:
    report_id = reports.add(groupings_down=[("CloseDate", granularity)])
    answer = reports.run(report_id)
    groups = [(group["label"], group["value"]) for group in answer["groupingsDown"]["groupings"]]
    assert groups[: len(expected)] == expected
    (grouping,) = answer["reportMetadata"]["groupingsDown"]
    assert grouping == {
        "dateGranularity": granularity,
        "name": "CLOSE_DATE",
        "sortAggregate": None,
        "sortOrder": "Asc",
    }


def test_groups_come_in_the_order_asked_for(reports: Reports) -> None:
    report_id = reports.add(groupings_down=["StageName"], aggregates=["s!Amount"])

    def order(**grouping: str) -> list[str]:
        answer = reports.run(report_id, {"groupingsDown": [{"name": "STAGE_NAME", **grouping}]})
        return [label for _, label in labels(answer["groupingsDown"])]

    assert order(sortOrder="Desc") == ["Closed Won", "Qualification", "Prospecting"]
    assert order(sortOrder="Asc", sortAggregate="s!AMOUNT") == ["Qualification", "Prospecting", "Closed Won"]
    assert order(sortOrder="desc", sortAggregate="s!AMOUNT") == ["Closed Won", "Prospecting", "Qualification"]


def test_rows_come_in_the_order_and_number_asked_for(reports: Reports) -> None:
    report_id = reports.add(columns=["Name", "Amount"], sort_by=("Amount", "Desc"))
    assert reports.names(report_id) == ["Echo", "Charlie", "Bravo", "Alpha", "Delta"]
    assert reports.names(report_id, {"sortBy": [{"sortColumn": "AMOUNT", "sortOrder": "Asc"}]}) == [
        "Delta",
        "Alpha",
        "Bravo",
        "Charlie",
        "Echo",
    ]
    assert reports.names(report_id, {"topRows": {"rowLimit": 2, "direction": "Desc"}}) == ["Echo", "Charlie"]
    assert reports.names(report_id, {"topRows": {"rowLimit": 2, "direction": "Asc"}}) == ["Delta", "Alpha"]
    limited = reports.add("Top", columns=["Name", "Amount"], sort_by=("Amount", "Desc"), row_limit=1)
    assert reports.names(limited) == ["Echo"]
    assert aggregates(reports.run(limited)) == {"T!T": [1]}


def test_cells_of_every_kind(local_org: LocalOrg, api: Api) -> None:
    local_org.clock.freeze(datetime.datetime(2026, 3, 5, 16, 7, 8, tzinfo=datetime.UTC))
    local_org.add_object(
        "Thing__c",
        {
            "Flag__c": "boolean",
            "Ratio__c": "percent(5, 2)",
            "Weight__c": "double(10, 3)",
            "Count__c": "int(9)",
            "Price__c": "currency(16, 0)",
            "When__c": "datetime",
            "Text__c": "textarea(500)",
            "Kind__c": {"type": "picklist", "values": [{"value": "a", "label": "Kind A"}]},
            "Kinds__c": {"type": "multipicklist", "values": [{"value": "a", "label": "Kind A"}, "b"]},
            "Account__c": {"type": "reference", "reference_to": "Account"},
        },
    )
    account = api.create("Account", Name="Acme")
    thing = api.create(
        "Thing__c",
        Name="T",
        Flag__c=True,
        Ratio__c=12.5,
        Weight__c=-1234.5,
        Count__c=12345,
        Price__c=-1500,
        When__c="2026-03-04T23:05:06Z",
        Text__c="one\ntwo",
        Kind__c="a",
        Kinds__c="a;b",
        Account__c=account,
    )
    fields = ["Flag__c", "Ratio__c", "Weight__c", "Count__c", "Price__c", "When__c", "Text__c", "Kind__c", "Kinds__c"]
    last = ["Id", "CreatedDate", "Owner.Name"]
    report_id = local_org.add_report("Things", "Thing__c", columns=["Name", *fields, "Account__c", *last])
    answer = api("GET", f"analytics/reports/{report_id}").json()
    columns = answer["reportMetadata"]["detailColumns"]
    (row,) = answer["factMap"]["T!T"]["rows"]
    cells = {name: (cell["value"], cell["label"]) for name, cell in zip(columns, row["dataCells"], strict=True)}
    assert cells == {
        "CUST_NAME": (thing, "T"),
        "Thing__c.Flag__c": (True, "true"),
        "Thing__c.Ratio__c": (12.5, "12.50%"),
        "Thing__c.Weight__c": (-1234.5, "-1,234.500"),
        "Thing__c.Count__c": (12345, "12,345"),
        "Thing__c.Price__c": ({"amount": -1500, "currency": None}, "-$1,500"),
        "Thing__c.When__c": ("2026-03-04T23:05:06Z", "3/4/2026, 3:05 PM"),
        "Thing__c.Text__c": ("one<br>two", "one<br>two"),
        "Thing__c.Kind__c": ("a", "Kind A"),
        "Thing__c.Kinds__c": ("a;b", "Kind A; b"),
        "Thing__c.Account__c": (account, "Acme"),
        "CUST_ID": (thing, thing[:15]),
        "CUST_CREATED_DATE": ("2026-03-05", "3/5/2026"),
        "CUST_OWNER_NAME": (local_org.user_id, "Local Admin"),
    }
    info = answer["reportExtendedMetadata"]["detailColumnInfo"]
    assert [info[name]["dataType"] for name in columns] == [
        "string",
        "boolean",
        "percent",
        "double",
        "int",
        "currency",
        "datetime",
        "textarea",
        "picklist",
        "multipicklist",
        "string",
        "id",
        "datetime",
        "string",
    ]


def test_days_begin_when_they_begin_for_the_user(local_org: LocalOrg, api: Api) -> None:
    # Seven in the evening in Los Angeles.
    local_org.clock.freeze(datetime.datetime(2026, 4, 1, 2, tzinfo=datetime.UTC))
    reports = Reports(api, {})
    api.create("Opportunity", Name="Late", StageName="Prospecting", CloseDate="2026-04-01")
    report_id = reports.add(columns=["Name", "CreatedDate"])
    (row,) = reports.run(report_id)["factMap"]["T!T"]["rows"]
    assert row["dataCells"][1] == {"label": "3/31/2026", "value": "2026-03-31"}
    for value, expected in (("2026-03-31", ["Late"]), ("2026-04-01", []), ("TODAY", ["Late"])):
        change = {"reportFilters": [{"column": "CREATED_DATE", "operator": "equals", "value": value}]}
        assert reports.names(report_id, change) == expected
    for day, expected in (("2026-03-31", ["Late"]), ("2026-04-01", [])):
        span = {"column": "CREATED_DATE", "durationValue": "CUSTOM", "startDate": day, "endDate": day}
        assert reports.names(report_id, {"standardDateFilter": span}) == expected
    grouped = reports.run(report_id, {"groupingsDown": [{"name": "CREATED_DATE", "dateGranularity": "Month"}]})
    assert labels(grouped["groupingsDown"]) == [("0", "March 2026")]


def test_labels_of_other_locales_are_not_made_up(local_org: LocalOrg, reports: Reports) -> None:
    report_id = reports.add(columns=["Name"])
    path = f"sobjects/User/{local_org.user_id}"
    assert reports.api("PATCH", path, json={"LocaleSidKey": "de_DE"}).status_code == 204
    assert reports.refusal(report_id, {}) == (
        501,
        "NOT_IMPLEMENTED",
        "The local org does not support the locale de_DE in reports.",
    )


def test_groups_of_currencies_and_booleans(reports: Reports) -> None:
    report_id = reports.add(groupings_down=["IsWon", "Amount"])
    groups = reports.run(report_id)["groupingsDown"]["groupings"]
    assert [(group["value"], group["label"]) for group in groups] == [(False, "false"), (True, "true")]
    assert [(group["value"], group["label"]) for group in groups[1]["groupings"]] == [
        ({"amount": 2000.5, "currency": None}, "$2,000.50"),
        ({"amount": 5000, "currency": None}, "$5,000.00"),
    ]
    assert groups[0]["groupings"][0]["value"] is None


def test_a_report_of_nothing(api: Api) -> None:
    empty = Reports(api, {})
    tabular = empty.add("Tabular", columns=["Name"], aggregates=["RowCount", "s!Amount", "a!Amount"])
    assert empty.run(tabular)["factMap"] == {
        "T!T": {
            "aggregates": [
                {"label": "0", "value": 0},
                {"label": "$0.00", "value": 0},
                {"label": "-", "value": None},
            ],
            "rows": [],
        }
    }
    matrix = empty.add("Matrix", groupings_down=["StageName"], groupings_across=["Type"])
    answer = empty.run(matrix)
    assert answer["factMap"].keys() == {"T!T"}
    assert answer["groupingsDown"] == answer["groupingsAcross"] == {"groupings": []}


def test_deleted_records_take_no_part(reports: Reports) -> None:
    report_id = reports.add(columns=["Name"])
    assert reports.api("DELETE", f"sobjects/Opportunity/{reports.ids['Alpha']}").status_code == 204
    assert reports.names(report_id) == ["Bravo", "Charlie", "Delta", "Echo"]


def test_a_report_from_metadata_alone(reports: Reports) -> None:
    metadata = {
        "name": "Ad hoc",
        "reportType": {"type": "Opportunity"},
        "detailColumns": ["OPPORTUNITY_NAME", "AMOUNT"],
        "groupingsDown": [{"name": "STAGE_NAME", "sortOrder": "Asc", "dateGranularity": "None"}],
        "aggregates": ["s!AMOUNT"],
        "standardDateFilter": {"column": "CLOSE_DATE", "durationValue": "CUSTOM", "startDate": None, "endDate": None},
    }
    response = reports.api("POST", "analytics/reports/query", json={"reportMetadata": metadata})
    answer = response.json()
    assert response.status_code == 200
    assert answer["attributes"] == {
        "describeUrl": "/services/data/v68.0/analytics/reports/null/describe",
        "instancesUrl": "/services/data/v68.0/analytics/reports/null/instances",
        "reportId": None,
        "reportName": "Ad hoc",
        "type": "Report",
    }
    assert aggregates(answer) == {"T!T": [11000.5], "0!T": [4000], "1!T": [0], "2!T": [7000.5]}
    assert answer["reportMetadata"]["id"] is answer["reportMetadata"]["developerName"] is None
    assert reports.api("GET", "analytics/reports").json() == []


def test_a_run_changes_nothing_that_is_saved(reports: Reports) -> None:
    report_id = reports.add(columns=["Name"], filters=[("Amount", "greaterThan", 2000)])
    before = reports.api("GET", f"analytics/reports/{report_id}/describe").json()
    assert reports.names(report_id) == ["Bravo", "Charlie", "Echo"]
    changed = reports.run(
        report_id, {"reportFilters": [], "groupingsDown": [{"name": "TYPE"}], "detailColumns": [], "aggregates": []}
    )
    assert changed["reportMetadata"]["reportFormat"] == "SUMMARY"
    assert changed["reportMetadata"]["id"] == report_id
    assert reports.api("GET", f"analytics/reports/{report_id}/describe").json() == before
    assert reports.names(report_id) == ["Bravo", "Charlie", "Echo"]


def test_five_hundred_runs_an_hour(reports: Reports) -> None:
    org, api = reports.api.org, reports.api
    org.clock.freeze()
    report_id = reports.add(columns=["Name"])
    for _ in range(500):
        assert api("GET", f"analytics/reports/{report_id}").status_code == 200
    refused = api("GET", f"analytics/reports/{report_id}")
    assert (refused.status_code, refused.json()) == (
        403,
        [
            {
                "errorCode": "FORBIDDEN",
                "message": "You can’t run more than 500 reports synchronously every 60 minutes. Try again later.",
            }
        ],
    )
    assert api("GET", "limits").json()["HourlySyncReportRuns"] == {"Max": 500, "Remaining": 0}
    org.clock.advance(minutes=60)
    assert api("GET", f"analytics/reports/{report_id}").status_code == 200
    assert api("GET", "limits").json()["HourlySyncReportRuns"] == {"Max": 500, "Remaining": 499}
