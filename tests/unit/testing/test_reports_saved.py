"""Reports that clients make: create, clone, save, delete."""

from typing import Any

import pytest
from local_api import Api
from reports_org import NO_METADATA, UNAVAILABLE, Reports, make_reports, refusal

from sfconnector.testing import LocalOrg

NEW = {"name": "New deals", "reportType": {"type": "Opportunity"}}


@pytest.fixture
def reports(api: Api) -> Reports:
    return make_reports(api)


def create(api: Api, metadata: dict[str, Any], **params: str) -> dict[str, Any]:
    response = api("POST", "analytics/reports", params=params, json={"reportMetadata": metadata})
    assert response.status_code == 200, response.text
    created: dict[str, Any] = response.json()
    return created


def test_a_name_and_a_type_make_a_report(local_org: LocalOrg, api: Api) -> None:
    created = create(api, NEW)
    metadata = created["reportMetadata"]
    assert created.keys() >= {"reportExtendedMetadata", "reportMetadata", "reportTypeMetadata"}
    assert metadata["id"].startswith("00O")
    assert (metadata["name"], metadata["developerName"]) == ("New deals", "New_deals")
    assert metadata["folderId"] == local_org.user_id
    assert (metadata["aggregates"], metadata["reportFormat"], metadata["scope"]) == (
        ["RowCount"],
        "TABULAR",
        "organization",
    )
    assert metadata["detailColumns"][:3] == ["FULL_NAME", "ACCOUNT_NAME", "OPPORTUNITY_NAME"]
    assert metadata["standardFilters"] == [{"name": "open", "value": "all"}, {"name": "probability", "value": ">0"}]
    assert metadata["standardDateFilter"]["durationValue"] == "THIS_FISCAL_QUARTER"
    assert api("GET", f"analytics/reports/{metadata['id']}/describe").json() == created
    assert create(api, NEW)["reportMetadata"]["developerName"] == "New_deals1"
    query = "SELECT FolderName, OwnerId, Format FROM Report ORDER BY Id LIMIT 1"
    (row,) = api("GET", "query", params={"q": query}).json()["records"]
    assert (row["FolderName"], row["OwnerId"], row["Format"]) == ("Private Reports", local_org.user_id, "Tabular")


def test_a_report_with_all_that_it_can_have(reports: Reports) -> None:
    folder = reports.api.create("Folder", Name="Sales", DeveloperName="Sales", Type="Report", AccessType="Public")
    metadata = {
        **NEW,
        "developerName": "Pipeline",
        "description": "What is to come",
        "folderId": folder,
        "detailColumns": ["OPPORTUNITY_NAME"],
        "groupingsDown": [{"name": "STAGE_NAME", "sortOrder": "Desc", "dateGranularity": "None"}],
        "groupingsAcross": [{"name": "CLOSE_DATE", "sortOrder": "Asc", "dateGranularity": "Month"}],
        "aggregates": ["s!AMOUNT"],
        "reportFilters": [{"column": "WON", "operator": "equals", "value": "False"}],
        "standardDateFilter": {"column": "CLOSE_DATE", "durationValue": "CUSTOM", "startDate": None, "endDate": None},
    }
    created = create(reports.api, metadata)["reportMetadata"]
    assert created["reportFormat"] == "MATRIX"
    assert (created["developerName"], created["description"]) == ("Pipeline", "What is to come")
    answer = reports.run(created["id"])
    assert [group["label"] for group in answer["groupingsDown"]["groupings"]] == ["Qualification", "Prospecting"]
    query = "SELECT FolderName, Format, Description FROM Report"
    (row,) = reports.api("GET", "query", params={"q": query}).json()["records"]
    assert (row["FolderName"], row["Format"], row["Description"]) == ("Sales", "Matrix", "What is to come")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"reportType": {"type": "Opportunity"}}, "The report name can’t be null."),
        ({**NEW, "name": ""}, "The report name can’t be null."),
        ({"name": "x"}, "The report type None is invalid."),
        ({**NEW, "folderId": None}, "The report folder ID can’t be null."),
        ({**NEW, "folderId": "00l000000000001AAA"}, "The report folder ID must be a valid folder ID."),
        ({**NEW, "folderId": "x"}, "The report folder ID must be a valid folder ID."),
        ({**NEW, "detailColumns": ["Nothing"]}, "The column Nothing is invalid."),
    ],
)
def test_reports_that_are_not_made(api: Api, metadata: dict[str, Any], message: str) -> None:
    response = api("POST", "analytics/reports", json={"reportMetadata": metadata})
    assert refusal(response) == (400, "BAD_REQUEST", message)
    assert api("GET", "query", params={"q": "SELECT COUNT() FROM Report"}).json()["totalSize"] == 0


def test_a_folder_of_documents_is_no_folder_of_reports(api: Api) -> None:
    query = "SELECT Id FROM Folder WHERE Type = 'Document'"
    folder = api("GET", "query", params={"q": query}).json()["records"][0]["Id"]
    response = api("POST", "analytics/reports", json={"reportMetadata": {**NEW, "folderId": folder}})
    assert refusal(response)[2] == "The report folder ID must be a valid folder ID."


def test_a_clone_is_a_report_of_its_own(local_org: LocalOrg, reports: Reports) -> None:
    report_id = reports.add(columns=["Name"], filters=[("Amount", "greaterThan", 2000)], sort_by=("Name", "Desc"))
    cloned = create(reports.api, {"name": "myNewReport"}, cloneId=report_id)["reportMetadata"]
    assert cloned["id"] != report_id
    assert (cloned["name"], cloned["developerName"]) == ("myNewReport", "myNewReport")
    assert cloned["folderId"] == local_org.user_id
    assert reports.names(cloned["id"]) == reports.names(report_id) == ["Echo", "Charlie", "Bravo"]
    changed = create(reports.api, {"name": "other", "reportFilters": []}, cloneId=report_id)["reportMetadata"]
    assert len(reports.names(changed["id"])) == 5
    # A report cloned is a report left alone.
    assert reports.names(report_id) == ["Echo", "Charlie", "Bravo"]


def test_clones_that_are_not_made(reports: Reports) -> None:
    report_id = reports.add()
    api = reports.api
    assert refusal(api("POST", "analytics/reports", params={"cloneId": report_id}, json={})) == NO_METADATA
    for clone_id in ("", "00O000000000001AAA", "x"):
        response = api(
            "POST", "analytics/reports", params={"cloneId": clone_id}, json={"reportMetadata": {"name": "x"}}
        )
        assert refusal(response) == (
            400,
            "BAD_REQUEST",
            "The clone request must contain a valid cloneId parameter.",
        )
    nameless = api("POST", "analytics/reports", params={"cloneId": report_id}, json={"reportMetadata": {}})
    assert refusal(nameless) == (400, "BAD_REQUEST", "The report name can’t be null.")


def test_changes_are_saved(local_org: LocalOrg, reports: Reports) -> None:
    report_id = reports.add(columns=["Name"])
    change = {"name": "Renamed", "groupingsDown": [{"name": "STAGE_NAME"}], "folderId": local_org.user_id}
    response = reports.api("PATCH", f"analytics/reports/{report_id}", json={"reportMetadata": change})
    assert response.status_code == 200
    saved = response.json()
    assert saved["reportMetadata"]["reportFormat"] == "SUMMARY"
    assert reports.api("GET", f"analytics/reports/{report_id}/describe").json() == saved
    assert reports.run(report_id)["attributes"]["reportName"] == "Renamed"
    query = "SELECT Name, Format, FolderName FROM Report"
    (row,) = reports.api("GET", "query", params={"q": query}).json()["records"]
    assert (row["Name"], row["Format"], row["FolderName"]) == ("Renamed", "Summary", "Private Reports")


def test_a_report_as_it_was_described_can_be_saved_whole(reports: Reports) -> None:
    report_id = reports.add(groupings_down=[("CloseDate", "Month")], filters=[("Amount", "lessThan", 3000)])
    described = reports.api("GET", f"analytics/reports/{report_id}/describe").json()
    response = reports.api("PATCH", f"analytics/reports/{report_id}", json=described)
    assert (response.status_code, response.json()) == (200, described)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": None}, "The report name can’t be null."),
        ({"folderId": "x"}, "The report folder ID must be a valid folder ID."),
        ({"sortBy": [{"sortColumn": "WON"}]}, "The sort column name must be from a selected column."),
        ({"reportType": {"type": "AccountList"}}, "The report type of a report can’t be changed."),
    ],
)
def test_changes_that_are_not_saved(reports: Reports, change: dict[str, Any], message: str) -> None:
    path = f"analytics/reports/{reports.add(columns=['Name'])}"
    before = reports.api("GET", f"{path}/describe").json()
    assert refusal(reports.api("PATCH", path, json={"reportMetadata": change})) == (400, "BAD_REQUEST", message)
    assert refusal(reports.api("PATCH", path, json={})) == NO_METADATA
    assert reports.api("GET", f"{path}/describe").json() == before


def test_a_deleted_report_is_in_the_recycle_bin(reports: Reports) -> None:
    report_id = reports.add()
    path = f"analytics/reports/{report_id[:15]}"
    response = reports.api("DELETE", path)
    assert (response.status_code, response.content) == (204, b"")
    assert refusal(reports.api("GET", path)) == UNAVAILABLE
    assert refusal(reports.api("DELETE", path)) == UNAVAILABLE
    assert reports.api("GET", "analytics/reports").json() == []
    query = {"q": "SELECT Id, IsDeleted FROM Report"}
    assert reports.api("GET", "query", params=query).json()["totalSize"] == 0
    assert reports.api("GET", "queryAll", params=query).json()["records"][0]["IsDeleted"] is True
