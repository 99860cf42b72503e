"""Reports run in the background: their states, results, retention and end."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from local_api import Api
from reports_org import INCOMPLETE, NO_METADATA, UNAVAILABLE, Reports, aggregates, make_reports, refusal

from sfconnector.testing import LocalOrg


@pytest.fixture
def api() -> Iterator[Api]:
    """Logged in for days: these tests move the clock."""
    with LocalOrg(token_lifetime=30 * 86_400) as org:
        api = Api(org)
        yield api
        api.http.close()


@pytest.fixture
def reports(api: Api) -> Reports:
    return make_reports(api)


def start(reports: Reports, report_id: str, metadata: dict[str, Any] | None = None, **params: str) -> dict[str, Any]:
    body = {} if metadata is None else {"reportMetadata": metadata}
    response = reports.api("POST", f"analytics/reports/{report_id}/instances", params=params, json=body)
    assert response.status_code == 200, response.text
    started: dict[str, Any] = response.json()
    return started


def look(reports: Reports, instance: dict[str, Any]) -> dict[str, Any]:
    response = reports.api("GET", instance["url"])
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def listed(reports: Reports, report_id: str) -> list[tuple[str, str]]:
    answer = reports.api("GET", f"analytics/reports/{report_id}/instances").json()
    return [(each["id"], each["status"]) for each in answer]


def test_a_run_goes_from_new_over_running_to_success(reports: Reports) -> None:
    org = reports.api.org
    report_id = reports.add(groupings_down=["StageName"], aggregates=["s!Amount"])
    started = start(reports, report_id, includeDetails="true")
    url = f"/services/data/v68.0/analytics/reports/{report_id}/instances/{started['id']}"
    assert started["id"].startswith("0LG")
    assert started == {
        "completionDate": None,
        "hasDetailRows": True,
        "id": started["id"],
        "ownerId": org.user_id,
        "queryable": False,
        "requestDate": started["requestDate"],
        "status": "New",
        "url": url,
    }
    running = look(reports, started)
    assert running == {
        "attributes": {
            "completionDate": None,
            "id": started["id"],
            "ownerId": org.user_id,
            "queryable": False,
            "reportId": report_id,
            "reportName": "Deals",
            "requestDate": started["requestDate"],
            "status": "Running",
            "type": "ReportInstance",
        }
    }
    ended = look(reports, started)
    completed = ended["attributes"].pop("completionDate")
    assert started["requestDate"] <= completed
    assert ended["attributes"]["status"] == "Success"
    synchronous = reports.run(report_id, includeDetails="true")
    for key in synchronous.keys() - {"attributes"}:
        assert ended[key] == synchronous[key], key
    assert ended.keys() == synchronous.keys()
    (entry,) = reports.api("GET", f"analytics/reports/{report_id}/instances").json()
    assert entry == {**started, "status": "Success", "completionDate": completed}


def test_a_result_stays_as_it_was(reports: Reports) -> None:
    report_id = reports.add(columns=["Name"])
    instance = start(reports, report_id)
    look(reports, instance)
    before = look(reports, instance)
    reports.api.create("Opportunity", Name="Foxtrot", StageName="Prospecting", CloseDate="2026-05-05")
    assert look(reports, instance) == before
    assert aggregates(before) == {"T!T": [5]}
    assert aggregates(reports.run(report_id)) == {"T!T": [6]}


def test_looking_at_the_list_is_looking(reports: Reports) -> None:
    report_id = reports.add(columns=["Name"])
    first, second = start(reports, report_id), start(reports, report_id)
    assert listed(reports, report_id) == [(second["id"], "Running"), (first["id"], "Running")]
    assert listed(reports, report_id) == [(second["id"], "Success"), (first["id"], "Success")]
    assert listed(reports, reports.add("Other")) == []


def test_time_ends_a_run_too(reports: Reports) -> None:
    org = reports.api.org
    org.clock.freeze()
    report_id = reports.add(columns=["Name"])
    instance = start(reports, report_id)
    org.clock.advance(seconds=5)
    assert look(reports, instance)["attributes"]["status"] == "Success"


def test_changes_hold_for_the_one_run(reports: Reports) -> None:
    report_id = reports.add(columns=["Name"])
    change = {"reportFilters": [{"column": "AMOUNT", "operator": "greaterThan", "value": "2000"}], "name": "Large"}
    instance = start(reports, report_id, change, includeDetails="false")
    look(reports, instance)
    ended = look(reports, instance)
    assert (ended["hasDetailRows"], ended["attributes"]["reportName"]) == (False, "Large")
    assert ended["factMap"] == {"T!T": {"aggregates": [{"label": "3", "value": 3}]}}
    assert ended["reportMetadata"]["reportFilters"] == change["reportFilters"]
    assert aggregates(reports.run(report_id)) == {"T!T": [5]}


def test_a_request_without_a_body_runs_the_report_as_it_is(reports: Reports) -> None:
    report_id = reports.add(columns=["Name"])
    url = f"analytics/reports/{report_id}/instances"
    assert reports.api("POST", url, data="").json()["hasDetailRows"] is True
    assert reports.api("POST", url, json={}).json()["status"] == "New"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"reportMetadata": None}, NO_METADATA),
        ({"something": "else"}, NO_METADATA),
        ({"reportMetadata": []}, INCOMPLETE),
        (
            {"reportMetadata": {"detailColumns": ["Nothing"]}},
            (400, "BAD_REQUEST", "The column Nothing is invalid."),
        ),
    ],
)
def test_runs_that_are_not_started(reports: Reports, body: Any, expected: tuple[int, str, str]) -> None:
    report_id = reports.add(columns=["Name"])
    url = f"analytics/reports/{report_id}/instances"
    assert refusal(reports.api("POST", url, json=body)) == expected
    assert reports.api("GET", url).json() == []


def test_results_are_kept_for_a_day(reports: Reports) -> None:
    org = reports.api.org
    org.clock.freeze()
    report_id = reports.add(columns=["Name"])
    old = start(reports, report_id)
    org.clock.advance(hours=12)
    young = start(reports, report_id)
    assert [each for each, _ in listed(reports, report_id)] == [young["id"], old["id"]]
    org.clock.advance(hours=12)
    assert [each for each, _ in listed(reports, report_id)] == [young["id"]]
    assert refusal(reports.api("GET", old["url"])) == UNAVAILABLE
    assert look(reports, young)["attributes"]["status"] == "Success"
    org.clock.advance(hours=12)
    assert listed(reports, report_id) == []


def test_a_run_that_failed(reports: Reports) -> None:
    report_id, other = reports.add(columns=["Name"]), reports.add("Other", columns=["Name"])
    fault = reports.api.org.faults.fail_report_runs(report_id)
    healthy, failing = start(reports, other), start(reports, report_id)
    for instance in (healthy, failing):
        assert look(reports, instance)["attributes"]["status"] == "Running"
    assert look(reports, healthy)["attributes"]["status"] == "Success"
    assert fault.hits == 0
    failed = look(reports, failing)
    assert fault.hits == 1
    assert failed.keys() == {"attributes"}
    assert failed["attributes"]["status"] == "Error"
    assert failed["attributes"]["completionDate"] is not None
    (entry,) = reports.api("GET", f"analytics/reports/{report_id}/instances").json()
    assert (entry["status"], entry["url"]) == ("Error", None)
    # The fault is used up.
    again = start(reports, report_id)
    look(reports, again)
    assert look(reports, again)["attributes"]["status"] == "Success"


def test_failing_runs_are_armed_over_http(reports: Reports) -> None:
    org = reports.api.org
    report_id = reports.add(columns=["Name"])
    fault = {"fault": "fail_report_runs", "arguments": {"report_ids": [report_id], "times": 2}}
    armed = requests.post(f"{org.url}/__local_org__/faults", json=fault, timeout=30).json()["armed"]
    assert armed == [{"method": None, "path": None, "times": 2, "hits": 0}]
    start(reports, report_id)
    assert [listed(reports, report_id)[0][1] for _ in range(2)] == ["Running", "Error"]
    org.faults.clear()
    assert org.faults.armed == ()


def test_a_run_is_deleted_once_it_has_ended(reports: Reports) -> None:
    report_id = reports.add(columns=["Name"])
    instance = start(reports, report_id)
    assert refusal(reports.api("DELETE", instance["url"])) == (
        400,
        "BAD_REQUEST",
        "Only an instance with the status Success or Error can be deleted.",
    )
    look(reports, instance)
    look(reports, instance)
    response = reports.api("DELETE", instance["url"])
    assert (response.status_code, response.content) == (204, b"")
    assert refusal(reports.api("DELETE", instance["url"])) == UNAVAILABLE
    assert listed(reports, report_id) == []


def test_runs_that_are_not_there(reports: Reports) -> None:
    report_id, other = reports.add(), reports.add("Other")
    instance = start(reports, report_id)["id"]
    for path in (
        f"{other}/instances/{instance}",
        f"{report_id}/instances/0LG000000000001AAA",
        f"{report_id}/instances/x",
    ):
        assert refusal(reports.api("GET", f"analytics/reports/{path}")) == UNAVAILABLE
    for method in ("GET", "POST"):
        assert refusal(reports.api(method, "analytics/reports/00O000000000001/instances")) == UNAVAILABLE
    assert reports.api("GET", f"analytics/reports/{report_id[:15]}/instances/{instance[:15]}").status_code == 200


def test_saving_a_report_drops_the_runs_that_have_not_ended(reports: Reports) -> None:
    report_id = reports.add(columns=["Name"])
    ended, running = start(reports, report_id), start(reports, report_id)
    look(reports, ended)
    before = look(reports, ended)
    path = f"analytics/reports/{report_id}"
    assert reports.api("PATCH", path, json={"reportMetadata": {"name": "Renamed"}}).status_code == 200
    assert [each for each, _ in listed(reports, report_id)] == [ended["id"]]
    assert refusal(reports.api("GET", running["url"])) == UNAVAILABLE
    # What had ended is of no use until the change is undone.
    assert refusal(reports.api("GET", ended["url"])) == (
        500,
        "INTERNAL_ERROR",
        "Results for this instance are unavailable because the report’s metadata has changed from when the report was "
        "last run. To get results, run the report again or undo changes to the report’s metadata.",
    )
    assert reports.api("PATCH", path, json={"reportMetadata": {"name": "Deals"}}).status_code == 200
    assert look(reports, ended) == before


def test_runs_go_with_their_report(reports: Reports) -> None:
    report_id = reports.add(columns=["Name"])
    instance = start(reports, report_id)
    assert reports.api("DELETE", f"analytics/reports/{report_id}").status_code == 204
    assert refusal(reports.api("GET", instance["url"])) == UNAVAILABLE
    assert refusal(reports.api("GET", f"analytics/reports/{report_id}/instances")) == UNAVAILABLE


def test_twelve_hundred_runs_an_hour(reports: Reports) -> None:
    org = reports.api.org
    org.clock.freeze()
    report_id = reports.add(columns=["Name"])
    for _ in range(1_200):
        start(reports, report_id)
    url = f"analytics/reports/{report_id}/instances"
    assert refusal(reports.api("POST", url, json={})) == (
        403,
        "FORBIDDEN",
        "You can’t run more than 1200 reports asynchronously every 60 minutes. Try again later.",
    )
    assert reports.api("GET", "limits").json()["HourlyAsyncReportRuns"] == {"Max": 1_200, "Remaining": 0}
    org.clock.advance(hours=1)
    start(reports, report_id)


def test_runs_outlive_the_process(tmp_path: Any) -> None:
    path = tmp_path / "org.db"
    with LocalOrg(path) as org:
        report_id = org.add_report("Kept", "Account", columns=["Name"])
        first = Api(org)
        instance = first("POST", f"analytics/reports/{report_id}/instances", json={}).json()
        first("GET", instance["url"])
        before = first("GET", instance["url"]).json()
        first.http.close()
    with LocalOrg(path) as org:
        second = Api(org)
        assert second("GET", instance["url"]).json() == before
        second.http.close()
