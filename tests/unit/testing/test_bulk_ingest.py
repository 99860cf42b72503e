"""Ingest jobs of Bulk API 2.0 over the wire: what becomes of rows."""

import pytest
from bulk_api import ingest, load
from local_api import Api

from sfconnector.testing import LocalOrg


@pytest.fixture(autouse=True)
def key(local_org: LocalOrg) -> None:
    local_org.add_field("Account", "Ext__c", "string(40) unique external_id = Key")


def names(api: Api) -> list[str]:
    found = api("GET", "query", params={"q": "SELECT Name FROM Account ORDER BY Name"}).json()["records"]
    return [record["Name"] for record in found]


def test_a_job_goes_from_open_to_complete(api: Api) -> None:
    response = api("POST", "jobs/ingest", json={"operation": "insert", "object": "account"})
    made = response.json()
    stamps = {key: made.pop(key) for key in ("createdDate", "systemModstamp", "createdById", "id")}
    assert made == {
        "operation": "insert",
        "object": "Account",
        "state": "Open",
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": 68.0,
        "contentUrl": f"services/data/v68.0/jobs/ingest/{stamps['id']}/batches",
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
    }
    uploaded = api("PUT", f"/{made['contentUrl']}", data=b"Name\nA\nB\n", headers={"Content-Type": "text/csv"})
    assert (uploaded.status_code, uploaded.content) == (201, b"")
    api.org.bulk.hold()
    path = f"jobs/ingest/{stamps['id']}"
    closed = api("PATCH", path, json={"state": "UploadComplete"}).json()
    assert (closed["state"], "contentUrl" in closed) == ("UploadComplete", False)
    assert names(api) == []
    api.org.bulk.release()
    api.org.bulk.wait(stamps["id"])
    info = api("GET", path).json()
    assert (info["state"], info["jobType"]) == ("JobComplete", "V2Ingest")
    assert (info["numberRecordsProcessed"], info["numberRecordsFailed"]) == (2, 0)
    assert names(api) == ["A", "B"]
    assert api("DELETE", path).status_code == 204
    assert api("GET", path).status_code == 404


def test_results_tell_successes_failures_and_nothing_else(api: Api) -> None:
    text = 'Name,Ext__c,AnnualRevenue\nA,k1,5\n"B, ""b""\nc",k2,x\n#N/A,k3,1\n,k4,\n'
    job = load(api, "upsert", "Account", text, externalIdFieldName="ext__c")
    [good] = job.successful()
    assert good == {
        "sf__Id": good["sf__Id"],
        "sf__Created": "true",
        "Name": "A",
        "Ext__c": "k1",
        "AnnualRevenue": "5",
    }
    assert job.failed() == [
        {
            "sf__Id": "",
            "sf__Error": "INVALID_FIELD:Failed to deserialize field at col 2. Due to, 'x' is not a valid value for "
            "the type xsd:double:AnnualRevenue --",
            "Name": 'B, "b"\nc',
            "Ext__c": "k2",
            "AnnualRevenue": "x",
        },
        *(
            {
                "sf__Id": "",
                "sf__Error": "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --",
                "Name": name,
                "Ext__c": key,
                "AnnualRevenue": revenue,
            }
            for name, key, revenue in (("#N/A", "k3", "1"), ("", "k4", ""))
        ),
    ]
    assert job.unprocessed() == []
    assert (job.info()["numberRecordsProcessed"], job.info()["numberRecordsFailed"]) == (4, 3)


def test_a_second_upload_is_refused(api: Api) -> None:
    job = ingest(api)
    assert job.put(b"Name\nA\n").status_code == 201
    again = job.put(b"Name\nB\n")
    assert (again.status_code, again.json()[0]["errorCode"]) == (400, "INVALIDJOB")
    assert "Found multiple contents for job" in again.json()[0]["message"]
    assert job.finish()["state"] == "JobComplete"
    assert names(api) == ["A"]
