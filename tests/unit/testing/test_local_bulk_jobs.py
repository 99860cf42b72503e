"""Jobs of Bulk API 2.0 over the wire: their states, lists, limits and refusals."""

from typing import Any

import pytest
import requests
from bulk_api import Ingest, ingest, load, query
from local_api import Api

from sfconnector.testing import LocalOrg

BOUNDARY = "BOUNDARY"


def refusal(response: requests.Response) -> tuple[int, str]:
    [error] = response.json()
    return response.status_code, str(error["errorCode"])


def multipart(job: str, content: str, name: str = "content") -> dict[str, Any]:
    body = (
        f'--{BOUNDARY}\nContent-Type: application/json\nContent-Disposition: form-data; name="job"\n\n{job}\n\n'
        f"--{BOUNDARY}\nContent-Type: text/csv\n"
        f'Content-Disposition: form-data; name="{name}"; filename="{name}"\n\n{content}\n--{BOUNDARY}--'
    )
    return {"data": body, "headers": {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}}


def test_a_job_may_bring_its_data_and_is_closed_then(api: Api) -> None:
    job = '{"object": "Contact", "contentType": "CSV", "operation": "insert", "lineEnding": "LF"}'
    response = api("POST", "jobs/ingest/", **multipart(job, "FirstName,LastName\nAstro,Nomical\nAppy,Camper"))
    assert response.status_code == 200, response.text
    made = response.json()
    assert (made["state"], made["object"], "contentUrl" in made) == ("UploadComplete", "Contact", False)
    api.org.bulk.wait(made["id"])
    assert [row["LastName"] for row in Ingest(api, made["id"]).successful()] == ["Nomical", "Camper"]
    assert refusal(Ingest(api, made["id"]).put(b"LastName\nB\n")) == (400, "INVALIDJOBSTATE")


def test_a_job_with_its_data_may_have_so_many_characters(api: Api) -> None:
    job = '{"object": "Contact", "operation": "insert"}'
    response = api("POST", "jobs/ingest", **multipart(job, "LastName\n" + "A" * 100_000))
    assert refusal(response) == (400, "FILE_SIZE_LIMIT_EXCEEDED")
    assert refusal(api("POST", "jobs/ingest", **multipart(job, "LastName\nA", name="data")))[0] == 400
    assert api("GET", "jobs/ingest").json()["records"] == []


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"object": "Nothing__c", "operation": "insert"}, "INVALIDJOB"),
        ({"operation": "insert"}, "INVALIDJOB"),
        ({"object": "Account", "operation": "merge"}, "API_ERROR"),
        ({"object": "Account"}, "API_ERROR"),
        ({"object": "Account", "operation": "insert", "contentType": "JSON"}, "API_ERROR"),
        ({"object": "Account", "operation": "insert", "columnDelimiter": ";"}, "API_ERROR"),
        ({"object": "Account", "operation": "insert", "lineEnding": "CR"}, "API_ERROR"),
        ({"object": "Account", "operation": "upsert"}, "INVALIDJOB"),
        ({"object": "Account", "operation": "upsert", "externalIdFieldName": "Name"}, "INVALIDJOB"),
        ([], "JSON_PARSER_ERROR"),
    ],
)
def test_jobs_that_cannot_be_are_refused(api: Api, properties: Any, code: str) -> None:
    assert refusal(api("POST", "jobs/ingest", json=properties)) == (400, code)
    assert api("GET", "jobs/ingest").json() == {"done": True, "records": [], "nextRecordsUrl": None}


def test_what_a_state_does_not_allow_is_refused(api: Api) -> None:
    job = ingest(api)
    assert refusal(job.change("JobComplete")) == (400, "INVALIDJOBSTATE")
    assert refusal(api("DELETE", job.path)) == (400, "API_ERROR")
    job.put(b"Name\nA\n")
    job.finish()
    for state, message in (
        ("UploadComplete", "Closing already Completed Job not allowed"),
        ("Aborted", "Aborting already Completed Job not allowed"),
    ):
        assert job.change(state).json() == [{"errorCode": "INVALIDJOBSTATE", "message": message}]
    assert refusal(job.put(b"Name\nB\n")) == (400, "INVALIDJOBSTATE")


def test_an_aborted_job_leaves_the_rest_unprocessed(api: Api) -> None:
    job = ingest(api)
    job.put(("Name\n" + "".join(f"A{n}\n" for n in range(500))).encode())
    api.org.bulk.hold(after_records=301)
    job.change("UploadComplete")
    api.org.bulk.wait(job.id, "InProgress", records=301)
    aborted = job.change("Aborted")
    assert (aborted.status_code, aborted.json()["state"]) == (200, "Aborted")
    api.org.bulk.release()
    assert [row["Name"] for row in job.successful()] == [f"A{n}" for n in range(301)]
    assert [row["Name"] for row in job.unprocessed()] == [f"A{n}" for n in range(301, 500)]
    assert api("GET", "query", params={"q": "SELECT COUNT() FROM Account"}).json()["totalSize"] == 301
    assert api("DELETE", job.path).status_code == 204


def test_a_job_aborted_before_it_began_leaves_everything(api: Api) -> None:
    job = ingest(api)
    job.put(b"Name\nA\nB\n")
    assert job.change("Aborted").json()["state"] == "Aborted"
    assert job.unprocessed() == [{"Name": "A"}, {"Name": "B"}]
    assert job.successful() == job.failed() == []


def test_a_failed_job_leaves_the_rest_unprocessed(api: Api) -> None:
    job = ingest(api)
    job.put(b"Name\n" + b"".join(b"A%d\n" % n for n in range(300)))
    api.org.bulk.fail_job(job.id, message="InternalServerError : trouble", after_records=200)
    info = job.finish()
    assert (info["state"], info["errorMessage"]) == ("Failed", "InternalServerError : trouble")
    assert (len(job.successful()), len(job.failed()), len(job.unprocessed())) == (200, 0, 100)
    assert info["numberRecordsProcessed"] == 200


def test_jobs_are_listed_page_by_page(api: Api) -> None:
    api.org.bulk.jobs_page_size = 10
    ids = [ingest(api).id for _ in range(11)]
    query_id = query(api, "SELECT Id FROM Account")
    first = api("GET", "jobs/ingest").json()
    assert (first["done"], len(first["records"])) == (False, 10)
    second = api("GET", first["nextRecordsUrl"]).json()
    assert (second["done"], second["nextRecordsUrl"]) == (True, None)
    assert [job["id"] for job in (*first["records"], *second["records"])] == ids
    assert first["records"][0]["jobType"] == "V2Ingest"
    assert [job["id"] for job in api("GET", "jobs/query").json()["records"]] == [query_id]
    of_ingest = api("GET", "jobs/query", params={"jobType": "V2Ingest"}).json()
    assert [job["id"] for job in of_ingest["records"]] == ids[:10]
    assert api("GET", "jobs/ingest", params={"jobType": "V2Query"}).json()["records"] == []
    for params in ({"jobType": "Classic"}, {"isPkChunkingEnabled": "true"}):
        assert api("GET", "jobs/ingest", params=params).json()["records"] == []
    assert refusal(api("GET", "jobs/ingest", params={"queryLocator": "x"})) == (400, "INVALID_QUERY_LOCATOR")


def test_the_batches_of_a_day_are_counted(api: Api) -> None:
    api.org.bulk.limit(batches=2)
    job = load(api, "delete", "Account", "Id\n" + "none\n" * 10_001)
    assert (job.info()["state"], job.info()["numberRecordsFailed"]) == ("JobComplete", 10_001)
    assert api("GET", "limits").json()["DailyBulkApiBatches"] == {"Max": 2, "Remaining": 0}
    job = load(api, "insert", "Account", "Name\nA\n")
    assert (job.info()["state"], job.info()["errorMessage"]) == (
        "Failed",
        "ExceededQuota : ApiBatchItems Limit exceeded.",
    )
    assert job.unprocessed() == [{"Name": "A"}]
    api.org.clock.advance(hours=24)
    api.http.headers["Authorization"] = f"Bearer {api.org.access_token()}"
    assert load(api, "insert", "Account", "Name\nA\n").info()["state"] == "JobComplete"


def test_the_records_and_the_query_jobs_of_a_day_are_counted(api: Api) -> None:
    api.org.bulk.limit(records=3, query_jobs=1)
    assert load(api, "insert", "Account", "Name\nA\nB\n").info()["state"] == "JobComplete"
    assert load(api, "insert", "Account", "Name\nA\nB\n").info()["state"] == "Failed"
    query(api, "SELECT Id FROM Account")
    body = {"operation": "query", "query": "SELECT Id FROM Account"}
    assert refusal(api("POST", "jobs/query", json=body)) == (400, "EXCEEDEDQUOTA")
    with pytest.raises(ValueError, match="cannot be -1"):
        api.org.bulk.limit(batches=-1)


def test_the_results_of_a_day_are_counted(api: Api) -> None:
    api.org.bulk.limit(query_storage=1)
    query(api, "SELECT Id FROM Account")
    load(api, "insert", "Account", "Name,Description\n" + f"A,{'x' * 30_000}\n" * 40)
    assert api("GET", "limits").json()["DailyBulkV2QueryFileStorageMB"] == {"Max": 1, "Remaining": 1}
    first, second = (query(api, "SELECT Description FROM Account") for _ in range(2))
    assert api("GET", f"jobs/query/{first}").json()["state"] == "JobComplete"
    assert api("GET", "limits").json()["DailyBulkV2QueryFileStorageMB"] == {"Max": 1, "Remaining": 0}
    assert api("GET", f"jobs/query/{second}").json()["errorMessage"].startswith("ExceededQuota : ")


@pytest.mark.parametrize(("path", "since"), [("jobs/ingest", 41), ("jobs/query", 47)])
def test_versions_before_there_were_jobs_have_none(local_org: LocalOrg, path: str, since: int) -> None:
    for version, status in ((since - 1, 404), (since, 200)):
        old = Api(local_org, f"{version}.0")
        with old.http:
            assert old("GET", path).status_code == status


def test_hard_delete_needs_its_permission(api: Api) -> None:
    account_id = api.create("Account", Name="A")
    api.org.bulk.hard_delete_permitted = False
    body = {"object": "Account", "operation": "hardDelete"}
    assert refusal(api("POST", "jobs/ingest", json=body)) == (400, "FEATURENOTENABLED")
    api.org.bulk.hard_delete_permitted = True
    job = load(api, "hardDelete", "Account", f"Id\n{account_id}\n")
    assert [row["sf__Id"] for row in job.successful()] == [account_id]
    params = {"q": "SELECT COUNT() FROM Account"}
    assert api("GET", "queryAll", params=params).json()["totalSize"] == 0


def test_a_database_in_a_file_takes_jobs_with_data_too(tmp_path: Any) -> None:
    with LocalOrg(tmp_path / "org.db") as org:
        api = Api(org)
        with api.http:
            made = api("POST", "jobs/ingest", **multipart('{"object":"Contact","operation":"insert"}', "LastName\nA"))
            org.bulk.wait(made.json()["id"])
            assert [row["LastName"] for row in Ingest(api, made.json()["id"]).successful()] == ["A"]


def test_jobs_are_steered_over_http_too(api: Api) -> None:
    url = f"{api.org.url}/__local_org__/bulk"
    first = {"hard_delete_permitted": True, "jobs_page_size": 1000, "processing_time": 0.0, "query_page_size": 50_000}
    assert requests.get(url, timeout=30).json() == first
    orders = {"jobs_page_size": 7, "hold": {"after_records": 1}, "limit": {"query_jobs": 0}}
    assert requests.post(url, json=orders, timeout=30).json() == first | {"jobs_page_size": 7}
    job = ingest(api)
    job.put(b"Name\nA\nB\n")
    job.change("UploadComplete")
    api.org.bulk.wait(job.id, records=1)
    assert job.info()["state"] == "InProgress"
    assert requests.post(url, json={"release": {}}, timeout=30).status_code == 200
    api.org.bulk.wait(job.id)
    assert job.info()["numberRecordsProcessed"] == 2


@pytest.mark.parametrize(
    "orders",
    [[], {"wait": {}}, {"hold": 5}, {"hold": {"after": 5}}, {"processing_time": -1}, {"query_page_size": "many"}],
)
def test_orders_that_cannot_be_are_refused(api: Api, orders: Any) -> None:
    answer = requests.post(f"{api.org.url}/__local_org__/bulk", json=orders, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["error"]
