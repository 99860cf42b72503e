"""Answers of Bulk API 2.0 that Salesforce gave, through our client."""

import json

import pytest
from recordings import Exchange, Recordings
from replay import Replay
from sfconnector_generated.bulk_v2.models import JobInfo

from sfconnector import Retry, Salesforce, auth, errors

JOBS = "/services/data/v60.0/jobs/"
# They were all recorded of this version.
VERSION = "60.0"
STATES = {
    "bulk/write/launch-job-opportunity.json": "Open",
    "bulk/write/update-job-opportunity.json": "UploadComplete",
    "bulk/delete/launch-job-opportunity.json": "Open",
    "bulk/delete/update-job-opportunity.json": "UploadComplete",
    "bulk/info/in-progress.json": "InProgress",
    "bulk/info/success.json": "JobComplete",
    "bulk/info/partial-failure.json": "JobComplete",
    "bulk/info/complete-failure.json": "Failed",
}


def exchange(method: str, path: str, body: str = "", status: int = 200, kind: str = "application/json") -> Exchange:
    """An answer with the request to which it was given."""
    return Exchange(
        id=f"{method} {path}",
        category="bulk2",
        method=method,
        path=JOBS + path,
        query=(),
        request_body="",
        status=status,
        headers={"Content-Type": f"{kind};charset=UTF-8"},
        body=body,
        version=VERSION,
        edited=False,
    )


def client(server: Replay) -> Salesforce:
    return Salesforce(auth.AccessToken(server.url, "token"), api_version=VERSION, retry=Retry(attempts=1))


def test_what_is_told_of_jobs(recordings: Recordings) -> None:
    told = {name: json.loads(recordings.body(name)) for name in STATES}
    with (
        Replay(exchange("GET", f"ingest/{job['id']}", json.dumps(job)) for job in told.values()) as server,
        client(server) as sf,
    ):
        for name, job in told.items():
            info = sf.bulk.ingest_job(job["id"]).info()
            assert (info.id, info.state) == (job["id"], STATES[name])
            assert info.to_dict() == JobInfo.from_dict(job).to_dict(), name


def test_a_job_from_the_upload_to_the_end(recordings: Recordings) -> None:
    launched, closed, done = (
        recordings.body(name)
        for name in ("write/launch-job-opportunity.json", "write/update-job-opportunity.json", "info/success.json")
    )
    job_id = json.loads(done)["id"]
    exchanges = [
        exchange("POST", "ingest", launched),
        exchange("PUT", f"ingest/{job_id}/batches", status=201),
        exchange("PATCH", f"ingest/{job_id}", closed),
        exchange("GET", f"ingest/{job_id}", done),
    ]
    with Replay(exchanges) as server, client(server) as sf:
        # As many as there were when it was recorded.
        rows = ({"external_id__c": f"external-id-{number}", "Name": "A"} for number in range(3000))
        ingest = sf.bulk.upsert("Opportunity", rows, external_id="external_id__c")
        assert ingest.job_ids == (job_id,)
        ingest.wait()
        assert ingest.jobs[0].state == "JobComplete"


def test_a_job_that_failed_as_a_whole(recordings: Recordings) -> None:
    body = recordings.body("info/complete-failure.json")
    job_id = json.loads(body)["id"]
    with (
        Replay([exchange("GET", f"ingest/{job_id}", body)]) as server,
        client(server) as sf,
        pytest.raises(errors.JobError) as caught,
    ):
        sf.bulk.ingest_job(job_id).wait()
    assert caught.value.job.id == job_id
    assert "InvalidBatch : Field name not found : StageName_invalid_field_on_purpose" in str(caught.value)


def test_rows_that_failed(recordings: Recordings) -> None:
    body, rows = recordings.body("info/partial-failure.json"), recordings.body("info/partial-failure.csv")
    job_id = json.loads(body)["id"]
    exchanges = [
        exchange("GET", f"ingest/{job_id}", body),
        exchange("GET", f"ingest/{job_id}/failedResults", rows, kind="text/csv"),
    ]
    with Replay(exchanges) as server, client(server) as sf:
        job = sf.bulk.ingest_job(job_id).wait()
        assert list(job.failed()) == [
            {
                "sf__Id": "",
                "sf__Error": "INVALID_FIELD:Failed to deserialize field at col 3. Due to, '2003-04-987654321987654321' "
                "is not a valid value for the type xsd:date:CloseDate --",
                "Name": "Noemi Miller",
                "StageName": "GENERATED",
                "external_id__c": "external-id-3",
                "CloseDate": "2003-04-987654321987654321",
            }
        ]
