"""The local org's jobs of Bulk API 2.0 beside those that Salesforce had: same keys, same kinds of values, same rows."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from recordings import Recordings

from sfconnector.testing import LocalOrg

# They were all recorded of this version.
JOBS = "/services/data/v60.0/jobs/"


class Jobs:
    """Plain HTTP to the local org's jobs: no client of ours is in the way."""

    def __init__(self, org: LocalOrg) -> None:
        self.org = org
        self.base = org.url + JOBS
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Bearer {org.access_token()}"

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        response = self.http.request(method, self.base + path, timeout=30, **options)
        assert response.ok, response.text
        return response

    def load(self, rows: str, **settings: str) -> tuple[Any, Any, Any]:
        """Load rows; give what was told of the job when it was made, closed and at rest."""
        made = self("POST", "ingest", json={"contentType": "CSV", "lineEnding": "LF", **settings}).json()
        path = f"ingest/{made['id']}"
        self("PUT", f"{path}/batches", data=rows.encode(), headers={"Content-Type": "text/csv"})
        closed = self("PATCH", path, json={"state": "UploadComplete"}).json()
        self.org.bulk.wait(made["id"])
        return made, closed, self("GET", path).json()


@pytest.fixture
def jobs(org: LocalOrg) -> Iterator[Jobs]:
    jobs = Jobs(org)
    yield jobs
    jobs.http.close()


def kinds(told: Any) -> list[tuple[str, str]]:
    """The names and kinds of values, in their order."""
    return [(name, type(value).__name__) for name, value in told.items()]


def test_jobs_of_the_local_org(org: LocalOrg, jobs: Jobs, recordings: Recordings) -> None:
    def recorded(name: str) -> list[tuple[str, str]]:
        return kinds(json.loads(recordings.body(name)))

    upsert = {"object": "Account", "operation": "upsert", "externalIdFieldName": "Ext__c"}
    made, closed, done = jobs.load("Ext__c,Name\nA,one\n", **upsert)
    assert kinds(made) == recorded("write/launch-job-opportunity.json")
    assert kinds(closed) == recorded("write/update-job-opportunity.json")
    assert kinds(done) == recorded("info/success.json")
    saved = jobs("GET", f"ingest/{made['id']}/successfulResults").text.splitlines()[1].split(",")[0].strip('"')

    made, closed, done = jobs.load(f"Id\n{saved}\n", object="Account", operation="delete")
    assert kinds(made) == recorded("delete/launch-job-opportunity.json")
    assert kinds(closed) == recorded("delete/update-job-opportunity.json")

    _, _, failed = jobs.load("Ext__c,Nmae\nA,one\n", **upsert)
    assert kinds(failed) == recorded("info/complete-failure.json")
    assert failed["errorMessage"] == "InvalidBatch : Field name not found : Nmae"

    org.bulk.hold(after_records=1)
    made = jobs("POST", "ingest", json={"contentType": "CSV", **upsert}).json()
    path = f"ingest/{made['id']}"
    jobs("PUT", f"{path}/batches", data=b"Ext__c,Name\nB,one\nC,two\n", headers={"Content-Type": "text/csv"})
    jobs("PATCH", path, json={"state": "UploadComplete"})
    org.bulk.wait(made["id"], "InProgress")
    assert kinds(jobs("GET", path).json()) == recorded("info/in-progress.json")
    org.bulk.release()

    query = jobs("POST", "query", json={"operation": "query", "query": "SELECT Id FROM Account"}).json()
    assert kinds(query) == recorded("bulk/read-launch-job-account.json")


def test_failed_rows_of_the_local_org(jobs: Jobs, recordings: Recordings) -> None:
    theirs = recordings.body("info/partial-failure.csv")
    header = "Name,StageName,external_id__c,CloseDate"
    assert header in theirs
    rows = (
        f"{header}\nNoemi Miller,GENERATED,external-id-3,2003-04-987654321987654321\nOther,GENERATED,E-4,2003-04-01\n"
    )

    made, _, done = jobs.load(rows, object="Opportunity", operation="upsert", externalIdFieldName="external_id__c")

    assert kinds(done) == kinds(json.loads(recordings.body("info/partial-failure.json")))
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (2, 1)
    assert jobs("GET", f"ingest/{made['id']}/failedResults").text.rstrip("\n") == theirs
