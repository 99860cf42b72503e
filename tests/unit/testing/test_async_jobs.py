"""Jobs of Bulk API 1.0: what is told of them, in which format, and what is refused.

https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-reference-jobinfo.html
"""

import json
import re
from typing import Any

import pytest
import requests
from async_api import AsyncApi, error, info, job_xml
from local_api import Api

from sfconnector.testing import LocalOrg

XML = {"Content-Type": "application/xml; charset=UTF-8"}
# As recorded, with the values taken out.
JOB = """<?xml version="1.0" encoding="UTF-8"?><jobInfo
   xmlns="http://www.force.com/2009/06/asyncapi/dataload">
 <id></id>
 <operation>upsert</operation>
 <object>Contact</object>
 <createdById></createdById>
 <createdDate></createdDate>
 <systemModstamp></systemModstamp>
 <state>Open</state>
 <externalIdFieldName>Id</externalIdFieldName>
 <concurrencyMode>Parallel</concurrencyMode>
 <contentType>CSV</contentType>
 <numberBatchesQueued>0</numberBatchesQueued>
 <numberBatchesInProgress>0</numberBatchesInProgress>
 <numberBatchesCompleted>0</numberBatchesCompleted>
 <numberBatchesFailed>0</numberBatchesFailed>
 <numberBatchesTotal>0</numberBatchesTotal>
 <numberRecordsProcessed>0</numberRecordsProcessed>
 <numberRetries>0</numberRetries>
 <apiVersion>68.0</apiVersion>
 <numberRecordsFailed>0</numberRecordsFailed>
 <totalProcessingTime>0</totalProcessingTime>
 <apiActiveProcessingTime>0</apiActiveProcessingTime>
 <apexProcessingTime>0</apexProcessingTime>
</jobInfo>"""
EMPTY_LIST = """<?xml version="1.0" encoding="UTF-8"?><batchInfoList
   xmlns="http://www.force.com/2009/06/asyncapi/dataload" />"""


def without_values(text: str) -> str:
    return re.sub(r"(<(id|createdById|createdDate|systemModstamp)>)[^<]*", r"\1", text)


def test_a_job_is_made_and_told_in_xml(bulk_v1: AsyncApi, local_org: LocalOrg) -> None:
    wanted = job_xml(
        operation="upsert", object="contact", externalIdFieldName="Id", concurrencyMode="Parallel", contentType="CSV"
    )

    made = bulk_v1("POST", "job", data=wanted, headers=XML)

    assert (made.status_code, made.headers["Content-Type"]) == (201, "application/xml")
    assert without_values(made.text) == JOB
    told = info(made)
    assert re.fullmatch(r"750\w{15}", told["id"])
    assert told["createdById"] == local_org.user_id
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", told["createdDate"])
    assert made.headers["Location"] == f"/services/async/68.0/job/{told['id']}"
    again = bulk_v1("GET", f"job/{told['id'][:15]}")
    assert (again.status_code, without_values(again.text)) == (200, JOB)
    assert bulk_v1("GET", f"job/{told['id']}/batch").text == EMPTY_LIST


def test_a_job_is_made_and_told_in_json(bulk_v1: AsyncApi) -> None:
    wanted = {"operation": "insert", "object": "Account", "contentType": "JSON", "assignmentRuleId": None}

    made = bulk_v1("POST", "job/", json=wanted)

    assert (made.status_code, made.headers["Content-Type"]) == (201, "application/json")
    told = made.json()
    assert list(told) == sorted(told)
    assert told["apiVersion"] == 68.0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000", told["createdDate"])
    assert {name: told[name] for name in ("assignmentRuleId", "externalIdFieldName", "fastPathEnabled", "state")} == {
        "assignmentRuleId": None,
        "externalIdFieldName": None,
        "fastPathEnabled": False,
        "state": "Open",
    }
    assert bulk_v1("GET", f"job/{told['id']}/batch").json() == {"batchInfo": []}


@pytest.mark.parametrize(
    ("content_type", "answered"),
    [
        ("CSV", "application/xml"),
        ("XML", "application/xml"),
        ("JSON", "application/json"),
        ("ZIP_CSV", "application/xml"),
        ("ZIP_XML", "application/xml"),
        ("ZIP_JSON", "application/json"),
    ],
)
@pytest.mark.parametrize("asked", ["application/xml", "application/json", None])
def test_the_job_decides_on_the_format_of_answers(
    bulk_v1: AsyncApi, content_type: str, answered: str, asked: str | None
) -> None:
    job_id = bulk_v1.create_job("insert", "Attachment", content_type)
    headers = {} if asked is None else {"Content-Type": asked}
    assert bulk_v1("GET", f"job/{job_id}", headers=headers).headers["Content-Type"] == answered
    assert bulk_v1("GET", f"job/{job_id}/batch/751", headers=headers).headers["Content-Type"] == answered
    # The header decides where there is no job.
    refused = bulk_v1("GET", "job/750", headers=headers)
    assert refused.headers["Content-Type"] == (asked or "application/xml")
    assert error(refused) == (400, "InvalidJob", "Invalid job id: 750")


def test_what_salesforce_takes_of_a_job_request(bulk_v1: AsyncApi) -> None:
    wanted = {"operation": "update", "object": "Account", "contentType": "CSV"}
    for given, mode in ((0, "Parallel"), (1, "Serial"), ("Serial", "Serial")):
        assert bulk_v1("POST", "job", json={**wanted, "concurrencyMode": given}).json()["concurrencyMode"] == mode
    # White space before the declaration, as jsforce sends it; XML is the default for the data as well.
    given_xml = "\n  " + job_xml(operation="delete", object="Account", assignmentRuleId="01Q000000000001")
    made = info(bulk_v1("POST", "job", data=given_xml, headers=XML))
    assert (made["contentType"], made["assignmentRuleId"]) == ("XML", "01Q000000000001")


@pytest.mark.parametrize(
    ("wanted", "code", "message"),
    [
        ({"operation": "INSERT", "object": "Account"}, "InvalidJob", "Unable to parse Job"),
        ({"operation": "insert", "object": "Account", "contentType": "YAML"}, "InvalidJob", "Unable to parse Job"),
        ({"operation": "insert", "object": "Account", "colour": "red"}, "InvalidJob", "Unable to parse Job"),
        ({"operation": "insert", "object": "Account", "concurrencyMode": 2}, "InvalidJob", "Unable to parse Job"),
        ({"operation": "insert", "object": 7}, "InvalidJob", "Unable to parse Job"),
        ({"object": "Account"}, "InvalidJob", "No operation specified for the job"),
        ({"operation": "insert"}, "InvalidJob", "No object specified for the job"),
        ({"operation": "insert", "object": "Acount"}, "InvalidJob", "Unable to find object: Acount"),
        (
            {"operation": "upsert", "object": "Account"},
            "InvalidJob",
            "External ID was blank for Account. An External ID must be specified for upsert.",
        ),
        (
            {"operation": "upsert", "object": "Account", "externalIdFieldName": "Name"},
            "InvalidJob",
            "Field name provided, Name does not match an External ID, Salesforce Id, or indexed field for Account",
        ),
        (
            {"operation": "update", "object": "Account", "externalIdFieldName": "Id"},
            "InvalidJob",
            "ExternalIdFieldName cannot be specified for update",
        ),
        (
            {"operation": "insert", "object": "Account", "createdById": "005000000000001"},
            "InvalidJob",
            "CreatedById cannot be specified",
        ),
        ({"operation": "insert", "object": "Account", "id": "750000000000001"}, "InvalidJob", "Id cannot be specified"),
        (
            {"operation": "insert", "object": "Account", "state": "Closed"},
            "InvalidJobState",
            "A job cannot be created in the state Closed",
        ),
        (
            {"operation": "query", "object": "Account", "contentType": "ZIP_CSV"},
            "InvalidJob",
            "The content type ZIP_CSV is not for queries",
        ),
    ],
)
def test_refused_jobs(bulk_v1: AsyncApi, wanted: dict[str, Any], code: str, message: str) -> None:
    assert error(bulk_v1("POST", "job", json=wanted)) == (400, code, message)
    if all(isinstance(value, str) for value in wanted.values()):
        assert error(bulk_v1("POST", "job", data=job_xml(**wanted), headers=XML)) == (400, code, message)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        ("{", "application/json"),
        ("[]", "application/json"),
        ("", "application/xml"),
        ("<jobInfo><operation>insert</operation></jobInfo>", "application/xml"),
        (
            f'<!DOCTYPE jobInfo [<!ENTITY a "b">]>{job_xml(operation="insert", object="Account")[38:]}',
            "application/xml",
        ),
    ],
)
def test_unreadable_job_requests(bulk_v1: AsyncApi, content: str, media_type: str) -> None:
    response = bulk_v1("POST", "job", data=content, headers={"Content-Type": media_type})
    assert error(response) == (400, "InvalidJob", "Unable to parse Job")


def test_a_job_is_closed_once(bulk_v1: AsyncApi) -> None:
    job_id = bulk_v1.create_job("insert", "Account")

    closed = bulk_v1("POST", f"job/{job_id}", data=job_xml(id=job_id, state="Closed"), headers=XML)

    assert (closed.status_code, info(closed)["state"]) == (200, "Closed")
    for state, doing in (("Closed", "Closing"), ("Aborted", "Aborting")):
        refused = bulk_v1("POST", f"job/{job_id}", json={"state": state})
        assert error(refused) == (400, "InvalidJobState", f"{doing} already Closed Job not allowed")
    reason = "Failed to create batch, since the Job is not Open. Current job state is 'Closed'"
    refused = bulk_v1("POST", f"job/{job_id}/batch", data="Name\na\n", headers={"Content-Type": "text/csv"})
    assert error(refused) == (400, "InvalidJobState", reason)


@pytest.mark.parametrize("state", ["Open", "Failed", None])
def test_states_to_which_a_job_is_not_set(bulk_v1: AsyncApi, state: str | None) -> None:
    job_id = bulk_v1.create_job("insert", "Account")
    refused = bulk_v1("POST", f"job/{job_id}", json={"state": state})
    assert error(refused)[:2] == (400, "InvalidJobState")


def test_only_the_state_of_a_job_is_set(bulk_v1: AsyncApi) -> None:
    job_id = bulk_v1.create_job("insert", "Account")
    refused = bulk_v1("POST", f"job/{job_id}", json={"state": "Closed", "operation": "update"})
    assert error(refused) == (400, "InvalidJob", "Operation cannot be specified")
    assert bulk_v1.job(job_id)["state"] == "Open"


def test_an_aborted_job_ends_the_batch_under_way_and_begins_none(bulk_v1: AsyncApi, local_org: LocalOrg) -> None:
    job_id = bulk_v1.create_job("insert", "Account", concurrencyMode="Serial")
    local_org.bulk.hold(after_records=1)
    rows = "Name\n" + "\n".join("abc") + "\n"
    first, second = bulk_v1.add_batch(job_id, rows), bulk_v1.add_batch(job_id, rows)
    wait_for(bulk_v1, job_id, first, numberRecordsProcessed="1")

    aborted = bulk_v1("POST", f"job/{job_id}", json={"state": "Aborted"})

    assert info(aborted)["state"] == "Aborted"
    assert bulk_v1.batch(job_id, second)["state"] == "NotProcessed"
    local_org.bulk.release()
    local_org.bulk.wait(job_id)
    assert bulk_v1.batch(job_id, first)["state"] == "Completed"
    assert bulk_v1.batch(job_id, first)["numberRecordsProcessed"] == "3"
    told = bulk_v1.job(job_id)
    assert (told["numberBatchesTotal"], told["numberBatchesCompleted"]) == ("1", "1")
    refused = bulk_v1("GET", f"job/{job_id}/batch/{second}/result")
    assert error(refused) == (400, "InvalidBatch", "Records not processed")


def test_a_test_may_wait_for_jobs_that_are_open(bulk_v1: AsyncApi, local_org: LocalOrg) -> None:
    bulk_v1.create_job("insert", "Account")
    job_id = bulk_v1.create_job("insert", "Account")
    batch_id = bulk_v1.add_batch(job_id, "Name\na\n")
    local_org.bulk.wait()
    assert bulk_v1.batch(job_id, batch_id)["state"] == "Completed"
    assert bulk_v1.job(job_id)["state"] == "Open"


def wait_for(bulk_v1: AsyncApi, job_id: str, batch_id: str, **wanted: str) -> None:
    """Ask until a batch has come so far; it is sure to."""
    while not wanted.items() <= bulk_v1.batch(job_id, batch_id).items():
        pass


def test_the_version_is_that_of_the_job(bulk_v1: AsyncApi, local_org: LocalOrg) -> None:
    job_id = bulk_v1.create_job("insert", "Account")
    older = AsyncApi(local_org, "52.0")
    assert error(older("GET", f"job/{job_id}")) == (
        400,
        "InvalidVersion",
        "The version of this job is 68.0, and not 52.0",
    )
    older.http.close()


@pytest.mark.parametrize(
    ("version", "code"),
    [("30.0", "InvalidVersion"), ("69.0", "InvalidUrl"), ("v68.0", "InvalidUrl"), ("x", "InvalidUrl")],
)
def test_versions_that_are_not_served(local_org: LocalOrg, version: str, code: str) -> None:
    other = AsyncApi(local_org, version)
    assert error(other("GET", "job/750"))[:2] == (400, code)
    other.http.close()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "job", 405, "InvalidOperation"),
        ("DELETE", "job/750", 405, "InvalidOperation"),
        ("GET", "jobs/750", 400, "InvalidUrl"),
        ("GET", "job/750/batch/751/results", 400, "InvalidUrl"),
        ("GET", "AsyncApi.xsd", 501, "Unknown"),
        ("POST", "job/750/spec", 501, "Unknown"),
    ],
)
def test_what_is_not_there(bulk_v1: AsyncApi, method: str, path: str, status: int, code: str) -> None:
    assert error(bulk_v1(method, path))[:2] == (status, code)


def test_a_failure_of_the_org_itself(
    bulk_v1: AsyncApi, local_org: LocalOrg, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(local_org._runtime.bulk, "find", None)
    refused = bulk_v1("GET", "job/750")
    assert error(refused)[:2] == (500, "Unknown")
    assert "The local org failed on GET /services/async/68.0/job/750" in caplog.text


@pytest.mark.parametrize("header", ["X-SFDC-Session", "Authorization"])
def test_a_session_comes_in_either_header(local_org: LocalOrg, header: str) -> None:
    token = local_org.access_token()
    value = token if header == "X-SFDC-Session" else f"Bearer {token}"
    url = f"{local_org.url}/services/async/68.0/job/750"
    assert error(requests.get(url, headers={header: value}, timeout=30))[1] == "InvalidJob"


@pytest.mark.parametrize("headers", [{}, {"X-SFDC-Session": "x"}, {"Authorization": "Basic x"}])
@pytest.mark.parametrize("media_type", ["application/json", "application/xml"])
def test_no_session(local_org: LocalOrg, headers: dict[str, str], media_type: str) -> None:
    url = f"{local_org.url}/services/async/68.0/job"
    refused = requests.post(url, data="{}", headers={"Content-Type": media_type, **headers}, timeout=30)
    assert refused.headers["Content-Type"] == media_type
    assert error(refused) == (400, "InvalidSessionId", "Invalid session id")


def test_an_expired_session_is_a_400(bulk_v1: AsyncApi, local_org: LocalOrg) -> None:
    job_id = bulk_v1.create_job("insert", "Account", "JSON")
    local_org.faults.expire_tokens()
    assert error(bulk_v1("GET", f"job/{job_id}")) == (400, "InvalidSessionId", "Invalid session id")


def test_an_expired_password(local_org: LocalOrg) -> None:
    form = {
        "grant_type": "password",
        "client_id": local_org.client_id,
        "client_secret": local_org.client_secret,
        "username": local_org.username,
        "password": local_org.password + local_org.security_token,
    }
    local_org.clock.advance(days=91)
    token = requests.post(f"{local_org.url}/services/oauth2/token", data=form, timeout=30).json()["access_token"]
    url = f"{local_org.url}/services/async/68.0/job/750"
    refused = requests.get(url, headers={"X-SFDC-Session": token}, timeout=30)
    assert error(refused)[:2] == (403, "INVALID_OPERATION_WITH_EXPIRED_PASSWORD")


def test_requests_count(bulk_v1: AsyncApi, api: Api) -> None:
    with LocalOrg(daily_api_requests=2) as small:
        limited = AsyncApi(small)
        limited.create_job("insert", "Account")
        limited.create_job("insert", "Account")
        refused = limited("POST", "job", json={})
        limited.http.close()
    assert error(refused) == (400, "ExceededQuota", "TotalRequests Limit exceeded.")
    before = api("GET", "limits").json()["DailyApiRequests"]["Remaining"]
    bulk_v1.create_job("insert", "Account")
    assert before - api("GET", "limits").json()["DailyApiRequests"]["Remaining"] == 2


@pytest.mark.parametrize("media_type", ["application/json", "application/xml"])
def test_faults_have_the_form_of_this_api(bulk_v1: AsyncApi, local_org: LocalOrg, media_type: str) -> None:
    def asked() -> requests.Response:
        response = bulk_v1("GET", "job/750", headers={"Content-Type": media_type})
        assert response.headers["Content-Type"] == media_type
        return response

    local_org.faults.unavailable(retry_after=1, path="/services/async/*")
    unavailable = asked()
    assert error(unavailable) == (503, "SERVER_UNAVAILABLE", "Server too busy")
    assert unavailable.headers["Retry-After"] == "1"
    local_org.faults.limit_exceeded()
    assert error(asked()) == (400, "ExceededQuota", "TotalRequests Limit exceeded.")
    local_org.faults.error(400, "InvalidUser", "nobody")
    assert error(asked()) == (400, "InvalidUser", "nobody")


def test_a_connection_that_is_cut(bulk_v1: AsyncApi, local_org: LocalOrg) -> None:
    local_org.faults.cut(path="*/job")
    with pytest.raises(requests.ConnectionError):
        bulk_v1("POST", "job", json={})


def test_hard_deletion_needs_a_permission(bulk_v1: AsyncApi, local_org: LocalOrg) -> None:
    local_org.bulk.hard_delete_permitted = False
    refused = bulk_v1("POST", "job", json={"operation": "hardDelete", "object": "Account"})
    message = "hardDelete operation requires special user profile permission, please contact your system administrator"
    assert error(refused) == (400, "FeatureNotEnabled", message)


def test_jobs_are_forgotten_after_seven_days(bulk_v1: AsyncApi, local_org: LocalOrg) -> None:
    job_id = bulk_v1.create_job("insert", "Account")
    later(bulk_v1, hours=23)
    bulk_v1.add_batch(job_id, "Name\na\n")
    later(bulk_v1, hours=1)
    refused = bulk_v1("POST", f"job/{job_id}/batch", data="Name\na\n", headers={"Content-Type": "text/csv"})
    assert error(refused) == (
        400,
        "InvalidJobState",
        "Failed to create batch, since the Job is more than 24 hours old",
    )
    # Seven days are counted from the youngest batch.
    later(bulk_v1, days=6, hours=22)
    assert bulk_v1.job(job_id)["state"] == "Open"
    later(bulk_v1, hours=1)
    assert error(bulk_v1("GET", f"job/{job_id}"))[1] == "InvalidJob"


def later(bulk_v1: AsyncApi, **span: float) -> None:
    """Move the clock, which ends the session, and log in again."""
    bulk_v1.org.clock.advance(**span)
    bulk_v1.http.headers["X-SFDC-Session"] = bulk_v1.org.access_token()


def test_an_address_with_two_slashes(bulk_v1: AsyncApi, local_org: LocalOrg) -> None:
    job_id = bulk_v1.create_job("insert", "Account", "JSON")
    token = local_org.access_token()
    url = f"{local_org.url}//services/async/68.0/job/{job_id}"
    told = requests.get(url, headers={"X-SFDC-Session": token}, timeout=30)
    assert json.loads(told.content)["id"] == job_id
