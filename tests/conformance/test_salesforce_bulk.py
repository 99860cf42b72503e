"""salesforce-bulk, the client of Bulk API 1.0 for Python, drives the local org in CSV, JSON and XML."""

import csv
import io
import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from salesforce_bulk import BulkApiError, CsvDictsAdapter, SalesforceBulk
from salesforce_bulk.salesforce_bulk import BulkBatchFailed

from sfconnector.testing import LocalOrg

NAMESPACE = "{http://www.force.com/2009/06/asyncapi/dataload}"


@pytest.fixture
def bulk(org: LocalOrg) -> Any:
    return SalesforceBulk(sessionId=org.access_token(), host=org.url, API_version="62.0")


def load(org: LocalOrg, bulk: Any, job: str, data: Any) -> list[Any]:
    """Send a batch and wait for its results."""
    batch = bulk.post_batch(job, data)
    bulk.close_job(job)
    org.bulk.wait(job)
    bulk.wait_for_batch(job, batch)
    return list(bulk.get_batch_results(batch))


def query(org: LocalOrg, bulk: Any, soql: str, content_type: str = "CSV", kind: str = "query") -> bytes:
    job = bulk.create_job("Account", kind, contentType=content_type)
    batch = bulk.query(job, soql)
    bulk.close_job(job)
    org.bulk.wait(job)
    assert bulk.is_batch_done(batch)
    assert bulk.get_query_batch_request(batch) == soql
    (result,) = bulk.get_all_results_for_query_batch(batch)
    return bytes(result.read())


def test_records_in_csv(org: LocalOrg, bulk: Any) -> None:
    rows = [{"Name": 'A, "quoted"', "Ext__c": "1"}, {"Name": "", "Ext__c": "2"}, {"Name": "Zoë\n2", "Ext__c": "3"}]

    inserted = load(org, bulk, bulk.create_insert_job("Account", contentType="CSV"), CsvDictsAdapter(iter(rows)))

    assert [(row.success, row.created) for row in inserted] == [("true",) * 2, ("false",) * 2, ("true",) * 2]
    assert inserted[1].error == "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"
    job = bulk.create_upsert_job("Account", "Ext__c", contentType="CSV", concurrency="Serial")
    upserted = load(org, bulk, job, CsvDictsAdapter(iter([{"Ext__c": "1", "Name": "A"}, {"Ext__c": "4", "Name": "D"}])))
    assert [(row.id == inserted[0].id, row.created) for row in upserted] == [(True, "false"), (False, "true")]
    assert bulk.job_status(job)["concurrencyMode"] == "Serial"
    job = bulk.create_update_job("Account")
    assert load(org, bulk, job, CsvDictsAdapter(iter([{"Id": inserted[2].id, "Site": "#N/A"}])))[0].success == "true"
    deleted = load(org, bulk, bulk.create_delete_job("Account"), b"Id\n" + inserted[2].id.encode())
    assert deleted[0].success == "true"
    found = query(org, bulk, "SELECT Name, Ext__c FROM Account ORDER BY Name")
    assert found == b'"Name","Ext__c"\n"A","1"\n"D","4"\n'
    found = query(org, bulk, "SELECT Name FROM Account WHERE IsDeleted = true", kind="queryAll")
    assert found.decode() == '"Name"\n"Zoë\n2"\n'


def test_records_in_json(org: LocalOrg, bulk: Any) -> None:
    job = bulk.create_insert_job("Account", contentType="JSON")
    results = load(org, bulk, job, json.dumps([{"Name": "A"}, {"Site": "x"}]).encode())
    assert [(row.success, row.created) for row in results] == [(True, True), (False, False)]
    assert [error["statusCode"] for error in results[1].error] == ["REQUIRED_FIELD_MISSING"]
    (record,) = json.loads(query(org, bulk, "SELECT Id, Name, CreatedDate FROM Account", "JSON"))
    assert (record["Id"], record["Name"]) == (results[0].id, "A")
    assert isinstance(record["CreatedDate"], int)


def test_records_in_xml(org: LocalOrg, bulk: Any) -> None:
    job = bulk.create_insert_job("Account", contentType="XML")
    data = (
        f'<sObjects xmlns="{NAMESPACE[1:-1]}"><sObject><Name>A &lt; B</Name></sObject>'
        "<sObject><Site>x</Site></sObject></sObjects>"
    )
    results = load(org, bulk, job, data.encode())
    assert [(row.success, row.created) for row in results] == [(True, True), (False, False)]
    refused = {
        "fields": ["Name"],
        "message": "Required fields are missing: [Name]",
        "statusCode": "REQUIRED_FIELD_MISSING",
    }
    assert results[1].error == [refused]
    root = ET.fromstring(query(org, bulk, "SELECT Id, Name FROM Account", "XML"))  # noqa: S314  # the org is no stranger
    assert [name.text for name in root.iter(f"{NAMESPACE}Name")] == ["A < B"]


@pytest.mark.parametrize("asked", [True, 3, "chunkSize=3; startRow="])
def test_pk_chunking(org: LocalOrg, bulk: Any, asked: Any) -> None:
    names = [f"N{number}" for number in range(8)]
    results = load(
        org, bulk, bulk.create_insert_job("Account"), CsvDictsAdapter(iter({"Name": name} for name in names))
    )
    if isinstance(asked, str):
        asked += results[2].id
    job = bulk.create_query_job("Account", contentType="CSV", pk_chunking=asked)
    first = bulk.query(job, "SELECT Name FROM Account")
    bulk.close_job(job)
    org.bulk.wait(job)

    listed = bulk.get_batch_list(job)

    assert (listed[0]["id"], listed[0]["state"]) == (first, "NotProcessed")
    parts = []
    for batch in listed[1:]:
        assert bulk.is_batch_done(batch["id"], job)
        (result,) = bulk.get_all_results_for_query_batch(batch["id"], job)
        parts.append([row["Name"] for row in csv.DictReader(io.TextIOWrapper(result, "utf-8"))])
    expected = {True: [names], 3: [names[:3], names[3:6], names[6:]]}
    assert parts == expected.get(asked, [names[2:5], names[5:]])


def test_jobs_and_batches(org: LocalOrg, bulk: Any) -> None:
    job = bulk.create_insert_job("Account")
    assert bulk.get_batch_list(job) == []
    assert bulk.job_state(job) == "Open"
    org.bulk.hold()
    batch = bulk.post_batch(job, b"Name\nA\n")
    assert bulk.batch_state(batch) == "Queued"
    assert not bulk.is_batch_done(batch)
    bulk.abort_job(job)
    assert bulk.job_state(job) == "Aborted"
    with pytest.raises(BulkBatchFailed) as ended:
        bulk.is_batch_done(batch)
    assert ended.value.state == "NotProcessed"


def test_what_fails(org: LocalOrg, bulk: Any) -> None:
    job = bulk.create_insert_job("Account")
    batch = bulk.post_batch(job, b"Nmae\nA\n")
    bulk.close_job(job)
    org.bulk.wait(job)
    with pytest.raises(BulkBatchFailed) as failed:
        bulk.is_batch_done(batch)
    assert failed.value.state_message == "InvalidBatch : Field name not found : Nmae"
    org.faults.expire_tokens()
    with pytest.raises(BulkApiError) as expired:
        bulk.job_status(job)
    assert expired.value.status_code == 400
    assert "<exceptionCode>InvalidSessionId</exceptionCode>" in str(expired.value)
