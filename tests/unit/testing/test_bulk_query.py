"""Query jobs of Bulk API 2.0 over the wire."""

import csv
import io
from typing import Any

import pytest
import requests
from bulk_api import load, query, rows
from local_api import Api

from sfconnector.testing import LocalOrg
from sfconnector.testing._bulk._csv import DELIMITERS


def refusal(response: requests.Response) -> tuple[int, str, str]:
    [error] = response.json()
    return response.status_code, str(error["errorCode"]), str(error["message"])


@pytest.fixture
def five(api: Api) -> str:
    """A query whose answer has five rows, and its job."""
    load(api, "insert", "Account", "Name,NumberOfEmployees\n" + "".join(f"A{n},{n}\n" for n in range(5)))
    return query(api, "SELECT name, NumberOfEmployees, Owner.IsActive FROM Account ORDER BY Name")


def test_results_come_page_by_page(api: Api, five: str) -> None:
    path = f"jobs/query/{five}"
    info = api("GET", path).json()
    assert (info["state"], info["object"], info["numberRecordsProcessed"]) == ("JobComplete", "Account", 5)
    assert list(info) == [
        *("id", "operation", "object", "createdById", "createdDate", "systemModstamp", "state", "concurrencyMode"),
        *("contentType", "apiVersion", "jobType", "lineEnding", "columnDelimiter", "numberRecordsProcessed"),
        *("retries", "totalProcessingTime", "isPkChunkingSupported"),
    ]
    assert (info["jobType"], info["isPkChunkingSupported"], info["apiVersion"]) == ("V2Query", True, 68.0)
    pages = []
    locator = None
    while locator != "null":
        response = api("GET", f"{path}/results", params={"maxRecords": 2, "locator": locator})
        assert response.headers["Content-Type"] == "text/csv;charset=UTF-8"
        locator = response.headers["Sforce-Locator"]
        pages.append(rows(response))
        assert response.headers["Sforce-NumberOfRecords"] == str(len(pages[-1]))
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [row for page in pages for row in page] == [
        {"Name": f"A{n}", "NumberOfEmployees": str(n), "Owner.IsActive": "true"} for n in range(5)
    ]
    again = api("GET", f"{path}/results", params={"maxRecords": 2})
    assert rows(again) == pages[0]


def test_pages_may_be_fetched_side_by_side(api: Api, five: str) -> None:
    api.org.bulk.query_page_size = 1
    for _ in range(2):
        load(api, "insert", "Account", "Name\nB\n")
    job_id = query(api, "SELECT Name FROM Account ORDER BY Name")
    base = f"/services/data/v68.0/jobs/query/{job_id}"
    first = api("GET", f"{base}/resultPages").json()
    assert (first["done"], len(first["resultPages"])) == (False, 5)
    assert api("GET", f"{base}/resultpages").json() == first
    second = api("GET", first["nextRecordsUrl"]).json()
    assert (second["done"], second["nextRecordsUrl"], len(second["resultPages"])) == (True, None, 2)
    urls = [page["resultUrl"] for page in (*first["resultPages"], *second["resultPages"])]
    assert all(url.startswith(f"{base}/results?locator=") for url in urls)
    # In any order, and again.
    fetched = {url: rows(api("GET", url)) for url in (*reversed(urls), *urls)}
    assert [row["Name"] for url in urls for row in fetched[url]] == ["A0", "A1", "A2", "A3", "A4", "B", "B"]
    api.org.bulk.query_page_size = 100
    assert len(rows(api("GET", urls[0]))) == 1


def test_columns_were_in_the_order_of_the_alphabet_once(api: Api) -> None:
    for version, header in (("49.0", b'"Id","Name","Owner.Name"\n'), ("50.0", b'"Owner.Name","Name","Id"\n')):
        old = Api(api.org, version)
        with old.http:
            path = f"jobs/query/{query(old, 'SELECT Owner.Name, Name, Id FROM Account')}"
            assert old("GET", f"{path}/results").content == header


def test_a_query_that_finds_nothing_has_a_header(api: Api) -> None:
    path = f"jobs/query/{query(api, 'SELECT Id, Owner.Name FROM Account')}"
    response = api("GET", f"{path}/results")
    assert response.content == b'"Id","Owner.Name"\n'
    assert (response.headers["Sforce-Locator"], response.headers["Sforce-NumberOfRecords"]) == ("null", "0")
    pages = api("GET", f"{path}/resultPages").json()
    assert (len(pages["resultPages"]), pages["done"]) == (1, True)


def test_values_look_as_in_salesforces_csv(api: Api, local_org: LocalOrg) -> None:
    local_org.add_field("Account", "Number__c", "double(18, 6)")
    local_org.clock.freeze()
    numbers = {
        "12345678": "1.2345678E7",
        "1234567.5": "1234567.5",
        "-10000000": "-1.0E7",
        "0.0001": "1.0E-4",
        "0": "0.0",
    }
    load(api, "insert", "Account", "Name,Number__c\n" + "".join(f'"{n}, ""x""",{n}\n' for n in numbers))
    load(api, "insert", "Contact", "LastName,Birthdate\nA,1867-11-07\n")
    found = rows(api("GET", f"jobs/query/{query(api, 'SELECT Name, Number__c FROM Account ORDER BY Id')}/results"))
    assert [row["Number__c"] for row in found] == list(numbers.values())
    assert found[0]["Name"] == '12345678, "x"'
    soql = "SELECT Birthdate, CreatedDate, IsDeleted, Account.Name, Email FROM Contact"
    [row] = rows(api("GET", f"jobs/query/{query(api, soql)}/results"))
    now = local_org.clock().strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert list(row.values()) == ["1867-11-07", now, "false", "", ""]


@pytest.mark.parametrize("line_ending", ["LF", "CRLF"])
@pytest.mark.parametrize("delimiter", list(DELIMITERS))
def test_every_delimiter_and_line_ending(api: Api, delimiter: str, line_ending: str) -> None:
    value = f'a{DELIMITERS[delimiter]}"b"\r\nc\n'
    api.create("Account", Name="x", Description=value + "d")
    soql = "SELECT Name, Description FROM Account"
    job_id = query(api, soql, columnDelimiter=delimiter, lineEnding=line_ending)
    body = api("GET", f"jobs/query/{job_id}/results").content.decode()
    parsed = list(csv.reader(io.StringIO(body, newline=""), delimiter=DELIMITERS[delimiter]))
    assert parsed == [["Name", "Description"], ["x", value + "d"]]
    assert body.endswith('d"' + {"LF": "\n", "CRLF": "\r\n"}[line_ending])


def test_deleted_records_are_found_by_query_all(api: Api) -> None:
    account_id = api.create("Account", Name="gone")
    api("DELETE", f"sobjects/Account/{account_id}")
    found = {
        operation: rows(api("GET", f"jobs/query/{query(api, 'SELECT Id FROM Account', operation)}/results"))
        for operation in ("query", "queryAll")
    }
    assert found == {"query": [], "queryAll": [{"Id": account_id}]}


def test_a_job_sees_the_records_as_they_were_when_it_began(api: Api) -> None:
    load(api, "insert", "Account", "Name\n" + "A\n" * 300)
    api.org.bulk.hold(after_records=200)
    body = {"operation": "query", "query": "SELECT Id FROM Account"}
    job_id = api("POST", "jobs/query", json=body).json()["id"]
    api.org.bulk.wait(job_id, records=200)
    api.create("Account", Name="later")
    api.org.bulk.release()
    api.org.bulk.wait(job_id)
    assert len(rows(api("GET", f"jobs/query/{job_id}/results"))) == 300


@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        ("SELECT COUNT() FROM Account", "API_ERROR", ""),
        ("SELECT COUNT(Id) FROM Account", "API_ERROR", ""),
        ("SELECT Name FROM Account GROUP BY Name", "API_ERROR", ""),
        ("SELECT Name FROM Account LIMIT 1 OFFSET 1", "API_ERROR", ""),
        ("SELECT BillingAddress FROM Account", "API_ERROR", "Selecting compound data not supported in Bulk Query"),
        (
            "SELECT Name, (SELECT Id FROM Contacts) FROM Account",
            "API_ERROR",
            "Aggregate Relationships not supported in Bulk V2 Query with CSV content type",
        ),
        ("SELECT TYPEOF What WHEN Account THEN Name END FROM Task", "API_ERROR", ""),
        ("SELECT Body FROM Attachment", "FEATURENOTENABLED", "FeatureNotEnabled : Binary field not supported"),
        ("SELECT Nothing__c FROM Account", "INVALID_FIELD", ""),
        ("SELECT Id FROM Nothing__c", "INVALID_TYPE", ""),
        ("SELECT", "MALFORMED_QUERY", ""),
        (" ", "MALFORMED_QUERY", ""),
        (7, "MALFORMED_QUERY", ""),
    ],
)
def test_queries_that_are_not_supported_are_refused(api: Api, soql: Any, code: str, message: str) -> None:
    status, found, text = refusal(api("POST", "jobs/query", json={"operation": "query", "query": soql}))
    assert (status, found) == (400, code)
    assert message in text
    assert api("GET", "jobs/query").json()["records"] == []


def test_another_version_than_the_jobs_is_refused(api: Api, five: str) -> None:
    for resource in ("results", "resultPages"):
        response = api("GET", f"/services/data/v67.0/jobs/query/{five}/{resource}")
        assert refusal(response)[:2] == (409, "API_ERROR")
    assert api("GET", f"/services/data/v67.0/jobs/query/{five}").status_code == 200
    old = Api(api.org, "57.0")
    with old.http:
        job_id = query(old, "SELECT Id FROM Account")
        assert old("GET", f"jobs/query/{job_id}/results").status_code == 200
        assert old("GET", f"jobs/query/{job_id}/resultPages").status_code == 404


def test_results_wait_for_the_end_of_the_job(api: Api) -> None:
    api.org.bulk.hold()
    job_id = api("POST", "jobs/query", json={"operation": "query", "query": "SELECT Id FROM Account"}).json()["id"]
    path = f"jobs/query/{job_id}"
    assert refusal(api("GET", f"{path}/results")) == (
        412,
        "JOB_NOT_COMPLETE",
        "can only download query results of successfully completed bulk job with status: JOB_COMPLETE. "
        "Current status: UPLOAD_COMPLETE",
    )
    assert refusal(api("DELETE", path)) == (
        400,
        "API_ERROR",
        "Error encountered when deleting the job because the job is not terminated",
    )
    assert api("PATCH", path, json={"state": "Aborted"}).json()["state"] == "Aborted"
    api.org.bulk.release()
    assert "ABORTED" in refusal(api("GET", f"{path}/resultPages"))[2]
    assert refusal(api("PATCH", path, json={"state": "UploadComplete"}))[:2] == (400, "INVALIDJOBSTATE")
    assert refusal(api("PATCH", path, json={"state": "Aborted"}))[:2] == (400, "INVALIDJOBSTATE")
    assert api("DELETE", path).status_code == 204
    assert api("GET", f"{path}/results").status_code == 404


def test_a_job_may_fail(api: Api) -> None:
    api.org.bulk.fail_job(message="InternalServerError : retried more than 15 times")
    info = api("GET", f"jobs/query/{query(api, 'SELECT Id FROM Account')}").json()
    assert (info["state"], info["errorMessage"]) == ("Failed", "InternalServerError : retried more than 15 times")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"locator": "nonsense"}, "INVALID_QUERY_LOCATOR"),
        ({"locator": "OTk5LzE"}, "INVALID_QUERY_LOCATOR"),
        ({"maxRecords": "0"}, "API_ERROR"),
        ({"maxRecords": "many"}, "API_ERROR"),
    ],
)
def test_pages_that_are_not_there_are_refused(api: Api, five: str, params: dict[str, str], code: str) -> None:
    assert refusal(api("GET", f"jobs/query/{five}/results", params=params))[:2] == (400, code)


def test_results_are_compressed_for_those_who_ask(api: Api, five: str) -> None:
    plain = api("GET", f"jobs/query/{five}/results", headers={"Accept-Encoding": "identity"})
    packed = api("GET", f"jobs/query/{five}/results", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert plain.content == packed.content
    head = api("HEAD", f"jobs/query/{five}/results")
    assert (head.status_code, head.content, head.headers["Sforce-NumberOfRecords"]) == (200, b"", "5")
