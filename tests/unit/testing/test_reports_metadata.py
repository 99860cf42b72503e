"""What is told about reports and report types, and metadata that is refused."""

from typing import Any

import pytest
from local_api import Api
from reports_org import INCOMPLETE, NO_METADATA, UNAVAILABLE, Refusal, Reports, labels, make_reports, refusal

from sfconnector.testing import LocalOrg


@pytest.fixture
def reports(api: Api) -> Reports:
    return make_reports(api)


def test_the_description_of_a_report(reports: Reports) -> None:
    report_id = reports.add(
        columns=["Name", "Amount"],
        groupings_down=["StageName"],
        groupings_across=[("CloseDate", "Month"), "Type"],
        aggregates=["s!Amount", "RowCount"],
    )
    answer = reports.api("GET", f"analytics/reports/{report_id}/describe").json()
    assert answer.keys() == {"attributes", "reportExtendedMetadata", "reportMetadata", "reportTypeMetadata"}
    metadata = answer["reportMetadata"]
    assert metadata["id"] == report_id
    assert metadata["reportType"] == {"label": "Opportunities", "type": "Opportunity"}
    assert metadata["detailColumns"] == ["OPPORTUNITY_NAME", "AMOUNT"]
    assert metadata["folderId"] == reports.api.org.organization_id
    extended = answer["reportExtendedMetadata"]
    assert extended["aggregateColumnInfo"] == {
        "s!AMOUNT": {
            "acrossGroupingContext": None,
            "dataType": "currency",
            "downGroupingContext": None,
            "label": "Sum of Amount",
        },
        "RowCount": {
            "acrossGroupingContext": None,
            "dataType": "int",
            "downGroupingContext": None,
            "label": "Record Count",
        },
    }
    assert extended["groupingColumnInfo"] == {
        "STAGE_NAME": {"dataType": "picklist", "groupingLevel": 0, "label": "Stage"},
        "CLOSE_DATE": {"dataType": "date", "groupingLevel": 0, "label": "Close Date"},
        "TYPE": {"dataType": "picklist", "groupingLevel": 1, "label": "Type"},
    }
    offered = answer["reportTypeMetadata"]
    assert [category["label"] for category in offered["categories"]] == [
        "Opportunity Information",
        "Opportunity Owner Information",
        "Account Information",
    ]
    stage = offered["categories"][0]["columns"]["STAGE_NAME"]
    assert stage["filterValues"][0] == {"label": "Prospecting", "name": "Prospecting"}
    assert (stage["dataType"], stage["entityColumnName"], stage["isLookup"]) == (
        "picklist",
        "Opportunity.StageName",
        False,
    )
    owner = offered["categories"][1]["columns"]["FULL_NAME"]
    assert (owner["entityColumnName"], owner["isLookup"], owner["label"]) == ("User.Name", True, "Opportunity Owner")
    groups = {
        group["label"]: group["standardDateFilterDurations"] for group in offered["standardDateFilterDurationGroups"]
    }
    assert [duration["value"] for duration in groups["Fiscal Quarter"]] == [
        "THIS_FISCAL_QUARTER",
        "LAST_FISCAL_QUARTER",
        "NEXT_FISCAL_QUARTER",
    ]
    assert [duration["label"] for duration in groups["Fiscal Year"]] == ["Current FY", "Previous FY", "Next FY"]
    assert groups["Custom"] == [{"endDate": None, "label": "Custom", "startDate": None, "value": "CUSTOM"}]
    assert {each["value"] for each in offered["dateGranularityInfos"]} >= {"None", "Day", "Month", "FiscalQuarter"}
    assert offered["standardFilterInfos"].keys() == {"open", "probability"}


def test_every_column_of_every_report_type_can_be_shown(local_org: LocalOrg, api: Api) -> None:
    local_org.add_object("Thing__c", {"Account__c": {"type": "reference", "reference_to": "Account"}})
    local_org.add_field("Account", "Tier__c", "string(20)")
    listed = api("GET", "analytics/reportTypes").json()
    types = [one for group in listed for one in group["reportTypes"]]
    assert {one["type"] for one in types} >= {"Opportunity", "AccountList", "CustomEntity$Thing__c", "Task"}
    assert "Account" not in {one["type"] for one in types}
    # Other report types say the same under another name of the resource.
    assert [group["label"] for group in api("GET", "analytics/report-types").json()] == [one["label"] for one in listed]
    for one in types:
        described = api("GET", one["describeUrl"]).json()
        names = [
            name
            for category in described["reportTypeMetadata"]["categories"]
            for name, column in category["columns"].items()
        ]
        assert len(names) == len(set(names)), one
        assert described["reportMetadata"]["detailColumns"], one
        for start in range(0, len(names), 90):
            metadata = {"reportType": {"type": one["type"]}, "detailColumns": names[start : start + 90]}
            response = api("POST", "analytics/reports/query", json={"reportMetadata": metadata})
            assert response.status_code == 200, (one, response.text)
    columns = api("GET", "analytics/reportTypes/Opportunity").json()["reportTypeMetadata"]["categories"][2]["columns"]
    assert columns["Account.Tier__c"]["isCustom"] is True


def test_every_column_can_be_filtered_by_every_operator_of_its_type(api: Api) -> None:
    operators = api("GET", "analytics/filteroperators").json()
    assert operators["boolean"] == [
        {"label": "equals", "name": "equals"},
        {"label": "not equal to", "name": "notEqual"},
    ]
    values = {"date": "TODAY", "datetime": "2026-01-01", "boolean": "true", "id": "006000000000001AAA"}
    for name in ("Opportunity", "ContactList", "CaseList", "LeadList", "User", "Event"):
        described = api("GET", f"analytics/reportTypes/{name}").json()["reportTypeMetadata"]
        assert described["dataTypeFilterOperatorMap"] == operators
        for category in described["categories"]:
            for column, info in category["columns"].items():
                kind = info["dataType"]
                wanted = [each["name"] for each in operators.get(kind, ()) if info["filterable"]]
                filters = [
                    {"column": column, "operator": operator, "value": values.get(kind, "1")}
                    for operator in wanted
                    if (kind, operator) != ("id", "startsWith")
                ]
                metadata = {"reportType": {"type": name}, "reportFilters": filters}
                response = api("POST", "analytics/reports/query", json={"reportMetadata": metadata})
                assert response.status_code == 200, (name, column, response.text)


def test_reports_are_listed_by_when_they_were_viewed(local_org: LocalOrg, reports: Reports) -> None:
    local_org.clock.freeze()
    first, second = reports.add("First"), reports.add("Second")
    base = f"/services/data/v68.0/analytics/reports/{second}"
    assert reports.api("GET", "analytics/reports").json()[0] == {
        "describeUrl": f"{base}/describe",
        "id": second,
        "instancesUrl": f"{base}/instances",
        "name": "Second",
        "url": base,
    }
    local_org.clock.advance(seconds=2)
    reports.run(first)
    assert [each["id"] for each in reports.api("GET", "analytics/reports").json()] == [first, second]
    query = "SELECT Id, Name, DeveloperName, Format, FolderName, OwnerId, LastRunDate FROM Report ORDER BY Name"
    rows = reports.api("GET", "query", params={"q": query}).json()["records"]
    assert [(row["Name"], row["DeveloperName"], row["Format"], row["FolderName"]) for row in rows] == [
        ("First", "First", "Tabular", "Public Reports"),
        ("Second", "Second", "Tabular", "Public Reports"),
    ]
    assert (rows[0]["LastRunDate"] is None, rows[1]["LastRunDate"]) == (False, None)


def test_no_more_than_two_hundred_are_listed(reports: Reports) -> None:
    ids = [reports.add("Same") for _ in range(201)]
    assert [each["id"] for each in reports.api("GET", "analytics/reports").json()] == ids[:0:-1]


@pytest.mark.parametrize("report_id", ["00O000000000001", "00O000000000001AAA", "001000000000001AAA", "nonsense"])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("POST", ""), ("GET", "/describe"), ("PATCH", ""), ("DELETE", "")]
)
def test_reports_that_are_not_there(api: Api, report_id: str, method: str, path: str) -> None:
    options = {"json": {"reportMetadata": {"name": "x"}}} if method in ("POST", "PATCH") else {}
    assert refusal(api(method, f"analytics/reports/{report_id}{path}", **options)) == UNAVAILABLE


def test_report_types_that_are_not_there(api: Api) -> None:
    assert refusal(api("GET", "analytics/reportTypes/Nothing")) == UNAVAILABLE
    for named in ("Nothing", "CustomEntity$Account", "Account", "ContentDocumentLink", None, 7):
        metadata = {"name": "x", "reportType": {"type": named}}
        answer = api("POST", "analytics/reports/query", json={"reportMetadata": metadata})
        assert refusal(answer) == (400, "BAD_REQUEST", f"The report type {named} is invalid.")


@pytest.mark.parametrize(
    ("content", "media_type", "expected"),
    [
        ("", "application/json", NO_METADATA),
        ("{}", "application/json", NO_METADATA),
        ("[]", "application/json", NO_METADATA),
        ('{"reportMetadata": null}', "application/json", NO_METADATA),
        ('{"reportMetadata": []}', "application/json", INCOMPLETE),
        ('{"reportMetadata": ', "application/json", INCOMPLETE),
        ('{"reportMetadata": {"detailColumns": "Name"}}', "application/json", INCOMPLETE),
        ('{"reportMetadata": {"groupingsDown": ["Name"]}}', "application/json", INCOMPLETE),
        ('{"reportMetadata": {"hasDetailRows": 1}}', "application/json", INCOMPLETE),
        (
            '{"reportMetadata": {}}',
            "text/plain",
            (
                415,
                "UNSUPPORTED_MEDIA_TYPE",
                "The Reports and Dashboards REST API only supports JSON content type in both request and response "
                "bodies. Specify requests with content type as application/json.",
            ),
        ),
    ],
)
def test_bodies_that_cannot_be(reports: Reports, content: str, media_type: str, expected: Refusal) -> None:
    path = f"analytics/reports/{reports.add()}"
    response = reports.api("POST", path, data=content, headers={"Content-Type": media_type})
    assert refusal(response) == expected


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (
            {"reportFilters": None},
            "The request is invalid because there are no filters. Specify filters or set filters as an empty array to "
            "omit them.",
        ),
        (
            {"historicalSnapshotDates": None},
            "The request is invalid because there are no historical snapshot dates in the request body. Specify "
            "historical snapshot dates, or set historical snapshot dates as an empty array to omit them.",
        ),
        (
            {"historicalSnapshotDates": ["TODAY"]},
            "The request is invalid because reports that are not historical trending reports cannot have historical "
            "snapshot dates.",
        ),
        (
            {"detailColumns": []},
            "Can’t run the report because it doesn’t have any columns selected. Be sure to add fields as columns to "
            "the report through the user interface.",
        ),
        (
            {"detailColumns": ["OPPORTUNITY_NAME"] * 101},
            "Only a report with fewer than 100 columns can be run. The columns are fields specified as detail "
            "columns, summaries, or custom summary formulas. Remove unneeded columns from the report and try again.",
        ),
        ({"detailColumns": ["Nothing"]}, "The column Nothing is invalid."),
        ({"groupingsDown": [{"name": "Nothing"}]}, "The column Nothing is invalid."),
        (
            {"groupingsDown": [{"name": "TYPE", "dateGranularity": "Month"}]},
            "The date granularity Month is invalid for the column TYPE.",
        ),
        (
            {"groupingsDown": [{"name": "CLOSE_DATE", "dateGranularity": "Decade"}]},
            "The date granularity Decade is invalid for the column CLOSE_DATE.",
        ),
        ({"groupingsDown": [{"name": "TYPE", "sortOrder": "up"}]}, "The sort order up is invalid."),
        ({"groupingsDown": [{"name": "TYPE", "sortAggregate": "s!AMOUNT"}]}, "The summary s!AMOUNT is invalid."),
        ({"groupingsDown": [{"name": "TYPE"}, {"name": "TYPE"}]}, "The column TYPE can be grouped only once."),
        (
            {"groupingsDown": [{"name": name} for name in ("TYPE", "STAGE_NAME", "AMOUNT", "WON")]},
            "A summary report has up to three row groupings, a matrix report up to two row groupings and two column "
            "groupings.",
        ),
        (
            {
                "groupingsDown": [{"name": name} for name in ("TYPE", "STAGE_NAME", "AMOUNT")],
                "groupingsAcross": [{"name": "WON"}],
            },
            "A summary report has up to three row groupings, a matrix report up to two row groupings and two column "
            "groupings.",
        ),
        (
            {"groupingsAcross": [{"name": "TYPE"}]},
            "A matrix report has at least one row grouping and one column grouping.",
        ),
        ({"aggregates": ["s!STAGE_NAME"]}, "The summary s!STAGE_NAME is invalid."),
        ({"aggregates": ["total!AMOUNT"]}, "The summary total!AMOUNT is invalid."),
        ({"aggregates": ["AMOUNT"]}, "The summary AMOUNT is invalid."),
        (
            {"sortBy": [{"sortColumn": "OPPORTUNITY_NAME"}, {"sortColumn": "OPPORTUNITY_NAME"}]},
            "A report can only be sorted by one column.",
        ),
        ({"sortBy": [{"sortOrder": "Asc"}]}, "The sort column name can’t be null."),
        ({"sortBy": [{"sortColumn": "WON"}]}, "The sort column name must be from a selected column."),
        (
            {
                "sortBy": [{"sortColumn": "OPPORTUNITY_NAME"}],
                "groupingsDown": [{"name": "TYPE"}],
                "groupingsAcross": [{"name": "WON"}],
            },
            "Column sorting isn’t supported for matrix reports.",
        ),
        ({"topRows": {"rowLimit": 0}}, "The row limit 0 is invalid."),
        ({"topRows": {"direction": "Asc"}}, "The row limit None is invalid."),
        ({"reportType": {"type": "AccountList"}}, "The report type of a report can’t be changed."),
    ],
)
def test_metadata_that_cannot_be(reports: Reports, metadata: dict[str, Any], message: str) -> None:
    report_id = reports.add(columns=["Name"])
    assert reports.refusal(report_id, metadata) == (400, "BAD_REQUEST", message)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"reportFormat": "MULTI_BLOCK"}, "You’re requesting data for an unsupported report format."),
        *(
            ({key: value}, f"The local org does not support {what} in reports.")
            for key, value, what in (
                ("buckets", [{"label": "b"}], "bucket fields"),
                ("crossFilters", [{"relatedEntity": "Task"}], "cross filters"),
                ("customDetailFormula", {"CDF1": {}}, "row-level formulas"),
                ("customSummaryFormula", {"FORMULA1": {}}, "summary formulas"),
                ("userOrHierarchyFilterId", "00E000000000001", "role hierarchy filters"),
            )
        ),
    ],
)
def test_what_the_local_org_cannot_do(reports: Reports, metadata: dict[str, Any], message: str) -> None:
    report_id = reports.add(columns=["Name"])
    assert reports.refusal(report_id, metadata) == (501, "NOT_IMPLEMENTED", message)


def test_reports_on_objects_of_ones_own(local_org: LocalOrg, api: Api) -> None:
    local_org.add_object(
        "Invoice__c",
        {"Amount__c": "currency(16, 2)", "Account__c": {"type": "reference", "reference_to": "Account"}},
    )
    account = api.create("Account", Name="Acme")
    for amount in (10, 20.5):
        api.create("Invoice__c", Amount__c=amount, Account__c=account)
    report_id = local_org.add_report(
        "Invoices", "Invoice__c", columns=["Name"], groupings_down=["Account__r.Name"], aggregates=["s!Amount__c"]
    )
    answer = api("GET", f"analytics/reports/{report_id}").json()
    assert answer["reportMetadata"]["reportType"] == {"label": "Invoices", "type": "CustomEntity$Invoice__c"}
    assert answer["reportMetadata"]["aggregates"] == ["s!Invoice__c.Amount__c"]
    assert labels(answer["groupingsDown"]) == [("0", "Acme")]
    assert answer["groupingsDown"]["groupings"][0]["value"] == account
    assert answer["factMap"]["0!T"]["aggregates"] == [{"label": "$30.50", "value": 30.5}]


@pytest.mark.parametrize(
    ("report_type", "options", "message"),
    [
        ("Nothing", {}, "There is no report type and no object named Nothing."),
        ("Opportunity", {"columns": ["Amuont"]}, "Opportunities have no column Amuont; their fields are "),
        ("Opportunity", {"aggregates": ["s!StageName"]}, "The summary s!STAGE_NAME is invalid."),
        ("Opportunity", {"filters": [("Amount", "contains", 1)]}, "Specify a valid condition because contains"),
        ("Opportunity", {"boolean_filter": "1"}, "The filter logic 1 is invalid."),
        ("Opportunity", {"groupings_across": ["Type"]}, "A matrix report has at least one row grouping"),
        ("Opportunity", {"folder_id": "00l000000000001"}, "The report folder ID must be a valid folder ID."),
        ("Opportunity", {"row_limit": 5_000}, "The row limit 5000 is invalid."),
    ],
)
def test_an_author_learns_what_is_wrong(
    local_org: LocalOrg, report_type: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        local_org.add_report("Mine", report_type, **options)
    with pytest.raises(ValueError, match="can’t be longer than 40 characters"):
        local_org.add_report("x" * 41, "Opportunity")


def test_an_author_writes_values_as_they_are(reports: Reports) -> None:
    api = reports.api
    api.create("Account", Name='Acme, "Inc."')
    found = api.org.add_report(
        "Odd", "Account", columns=["Name"], filters=[("Name", "equals", ['Acme, "Inc."', "Beta"])]
    )
    assert reports.names(found) == ["Beta", 'Acme, "Inc."']
    none = api.org.add_report("None", "Opportunity", columns=["Name"], filters=[("AccountId", "equals", None)])
    assert reports.names(none) == ["Echo"]


def test_reports_outlive_the_process(tmp_path: Any) -> None:
    path = tmp_path / "org.db"
    with LocalOrg(path) as org:
        report_id = org.add_report("Kept", "Account", columns=["Name"])
    with LocalOrg(path) as org:
        api = Api(org)
        assert api("GET", f"analytics/reports/{report_id}").json()["attributes"]["reportName"] == "Kept"
        api.http.close()
