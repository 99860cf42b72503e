"""Batches with queries: results in CSV, JSON and XML, and what PK chunking makes of a query.

https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-using-bulk-query.html
"""

import csv
import io
import json
import re
from datetime import datetime
from typing import Any

import pytest
import requests
from async_api import MEDIA_TYPES, NAMESPACE, AsyncApi, error, parse
from local_api import Api

from sfconnector.testing import LocalOrg
from sfconnector.testing._async._jobs import ClassicJob

XSI = "http://www.w3.org/2001/XMLSchema-instance"


def results(bulk_v1: AsyncApi, job_id: str, batch_id: str, content_type: str) -> list[str]:
    """The texts of all results of a batch."""
    listed = bulk_v1.result(job_id, batch_id)
    if content_type == "JSON":
        result_ids = listed.json()
    else:
        assert listed.headers["Content-Type"] == "application/xml"
        result_ids = [child.text for child in parse(listed.content)]
    texts = []
    for result_id in result_ids:
        assert re.fullmatch(r"752\w{12}", result_id)
        result = bulk_v1("GET", f"job/{job_id}/batch/{batch_id}/result/{result_id}")
        assert (result.status_code, result.headers["Content-Type"]) == (200, MEDIA_TYPES[content_type])
        texts.append(result.content.decode())
    return texts


def query(
    bulk_v1: AsyncApi, soql: str, content_type: str = "CSV", operation: str = "query", sobject: str = "Account"
) -> str:
    """The one result of a query."""
    job_id = bulk_v1.create_job(operation, sobject, content_type)
    batch_id = bulk_v1.add_batch(job_id, soql, MEDIA_TYPES[content_type])
    told = bulk_v1.done(job_id, batch_id)
    assert told["state"] == "Completed", told
    (text,) = results(bulk_v1, job_id, batch_id, content_type)
    return text


def failed(bulk_v1: AsyncApi, soql: str | bytes, content_type: str = "CSV") -> str:
    return bulk_v1.failure("query", "Account", soql, content_type)


@pytest.fixture
def account_id(api: Api) -> str:
    parent_id = api.create("Account", Name='The "parent"')
    return api.create(
        "Account", Name="Child", ParentId=parent_id, NumberOfEmployees=7, AnnualRevenue=1.5, Description="two\nlines"
    )


SOQL = (
    "SELECT Id, Name, NumberOfEmployees, AnnualRevenue, Description, IsDeleted, CreatedDate, Parent.Name, Site "
    "FROM Account WHERE Name = 'Child'"
)


def created(api: Api, account_id: str) -> str:
    return str(api("GET", f"sobjects/Account/{account_id}").json()["CreatedDate"])


def test_csv(bulk_v1: AsyncApi, api: Api, account_id: str) -> None:
    moment = created(api, account_id).replace("+0000", "Z")
    assert query(bulk_v1, SOQL) == (
        '"Id","Name","NumberOfEmployees","AnnualRevenue","Description","IsDeleted","CreatedDate","Parent.Name","Site"\n'
        f'"{account_id}","Child","7","1.5","two\nlines","false","{moment}","The ""parent""",""\n'
    )


def test_json(bulk_v1: AsyncApi, api: Api, account_id: str) -> None:
    moment = datetime.strptime(created(api, account_id), "%Y-%m-%dT%H:%M:%S.%f%z")
    parent_id = api("GET", f"sobjects/Account/{account_id}").json()["ParentId"]
    # The layout is that of recorded results.
    assert (
        query(bulk_v1, SOQL, "JSON")
        == f"""[ {{
  "attributes" : {{
    "type" : "Account",
    "url" : "/services/data/v68.0/sobjects/Account/{account_id}"
  }},
  "Id" : "{account_id}",
  "Name" : "Child",
  "NumberOfEmployees" : 7,
  "AnnualRevenue" : 1.5,
  "Description" : "two\\nlines",
  "IsDeleted" : false,
  "CreatedDate" : {round(moment.timestamp() * 1000)},
  "Parent" : {{
    "attributes" : {{
      "type" : "Account",
      "url" : "/services/data/v68.0/sobjects/Account/{parent_id}"
    }},
    "Name" : "The \\"parent\\""
  }},
  "Site" : null
}} ]"""
    )


def test_xml(bulk_v1: AsyncApi, api: Api, account_id: str) -> None:
    moment = created(api, account_id).replace("+0000", "Z")
    text = query(bulk_v1, SOQL, "XML")
    assert text == (
        f'<?xml version="1.0" encoding="UTF-8"?><queryResult xmlns="{NAMESPACE}" xmlns:xsi="{XSI}">'
        f'<records xsi:type="sObject"><type>Account</type><Id>{account_id}</Id><Id>{account_id}</Id>'
        "<Name>Child</Name><NumberOfEmployees>7</NumberOfEmployees><AnnualRevenue>1.5</AnnualRevenue>"
        f"<Description>two\nlines</Description><IsDeleted>false</IsDeleted><CreatedDate>{moment}</CreatedDate>"
        '<Parent xsi:type="sObject"><type>Account</type><Id xsi:nil="true"/><Name>The "parent"</Name></Parent>'
        '<Site xsi:nil="true"/></records></queryResult>'
    )
    parse(text.encode())


def test_children(bulk_v1: AsyncApi, api: Api, account_id: str) -> None:
    api.create("Contact", LastName="C", AccountId=account_id)
    soql = "SELECT Name, (SELECT LastName FROM Contacts) FROM Account WHERE Name = 'Child'"
    (record,) = json.loads(query(bulk_v1, soql, "JSON"))
    assert [child["LastName"] for child in record["Contacts"]["records"]] == ["C"]
    root = parse(query(bulk_v1, soql, "XML").encode())
    path = "/".join(f"{{{NAMESPACE}}}{name}" for name in ("records", "Contacts", "records", "LastName"))
    assert root.findtext(path) == "C"
    message = "FeatureNotEnabled : Aggregate Relationships not supported in Bulk Query with CSV content type"
    assert failed(bulk_v1, soql) == message


def test_nothing_found(bulk_v1: AsyncApi) -> None:
    soql = "SELECT Id FROM Account"
    assert query(bulk_v1, soql) == "Records not found for this query"
    assert query(bulk_v1, soql, "JSON") == "[ ]"
    assert len(parse(query(bulk_v1, soql, "XML").encode())) == 0


def test_query_all_finds_deleted_records(bulk_v1: AsyncApi, api: Api, account_id: str) -> None:
    api("DELETE", f"sobjects/Account/{account_id}")
    soql = "SELECT Name FROM Account WHERE IsDeleted = true"
    assert query(bulk_v1, soql, operation="queryAll") == '"Name"\n"Child"\n'
    assert query(bulk_v1, soql) == "Records not found for this query"


def test_typeof_is_answered_in_json(bulk_v1: AsyncApi, api: Api) -> None:
    contact_id = api.create("Contact", LastName="C")
    api.create("Task", Subject="Call", WhoId=contact_id)
    soql = "SELECT Subject, TYPEOF Who WHEN Contact THEN LastName ELSE Id END FROM Task"
    (record,) = json.loads(query(bulk_v1, soql, "JSON", sobject="Task"))
    assert record["Who"]["LastName"] == "C"
    for content_type in ("CSV", "XML"):
        message = bulk_v1.failure("query", "Task", soql, content_type)
        assert message.endswith("FUNCTIONALITY_NOT_ENABLED: TYPEOF is not supported in Bulk Query")


@pytest.mark.parametrize(
    ("soql", "message"),
    [
        ("SELECT FROM", "InvalidBatch : Failed to process query: MALFORMED_QUERY: "),
        ("SELECT Nmae FROM Account", "InvalidBatch : Failed to process query: INVALID_FIELD: "),
        (
            "SELECT Id FROM Contact",
            "InvalidBatch : Failed to process query: INVALID_TYPE_FOR_OPERATION: The root entity of the requested "
            "query (Contact) does not match the entity of the requested Bulk API Job (Account).",
        ),
        (
            "SELECT BillingAddress FROM Account",
            "InvalidBatch : Failed to process query: FUNCTIONALITY_NOT_ENABLED: Selecting compound data not supported "
            "in Bulk Query",
        ),
        (
            "SELECT Name FROM Account WHERE Name = '\xff'".encode("latin-1"),
            "InvalidBatch : Failed to process query: it is not UTF-8",
        ),
        ("SELECT COUNT() FROM Account", "InvalidBatch : Failed to process query: "),
        ("SELECT COUNT(Id) FROM Account", "InvalidBatch : Failed to process query: "),
        ("SELECT Name FROM Account GROUP BY Name", "InvalidBatch : Failed to process query: "),
        ("SELECT Name FROM Account LIMIT 1 OFFSET 1", "InvalidBatch : Failed to process query: "),
    ],
)
@pytest.mark.parametrize("content_type", ["CSV", "JSON", "XML"])
def test_queries_that_fail(bulk_v1: AsyncApi, content_type: str, soql: str | bytes, message: str) -> None:
    assert failed(bulk_v1, soql, content_type).startswith(message)


@pytest.mark.parametrize("content_type", ["CSV", "JSON", "XML"])
def test_contents_of_files_are_not_queried(bulk_v1: AsyncApi, content_type: str) -> None:
    message = bulk_v1.failure("query", "Attachment", "SELECT Body FROM Attachment", content_type)
    assert message == "FeatureNotEnabled : Binary field not supported"


def test_a_download_that_is_cut_may_be_repeated(bulk_v1: AsyncApi, api: Api, local_org: LocalOrg) -> None:
    api.create("Account", Name="a", Description="d" * 5000)
    job_id = bulk_v1.create_job("query", "Account")
    batch_id = bulk_v1.add_batch(job_id, "SELECT Description FROM Account")
    bulk_v1.done(job_id, batch_id)
    local_org.faults.cut(after_bytes=1000, path="*/result/*")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        results(bulk_v1, job_id, batch_id, "CSV")
    (text,) = results(bulk_v1, job_id, batch_id, "CSV")
    assert text == f'"Description"\n"{"d" * 5000}"\n'


def test_a_batch_may_have_several_results(bulk_v1: AsyncApi, api: Api, local_org: LocalOrg) -> None:
    for name in "abcde":
        api.create("Account", Name=name)
    local_org.bulk.query_page_size = 2
    found: dict[str, list[str]] = {}
    for content_type in ("CSV", "JSON"):
        job_id = bulk_v1.create_job("query", "Account", content_type)
        batch_id = bulk_v1.add_batch(job_id, "SELECT Name FROM Account ORDER BY Name", MEDIA_TYPES[content_type])
        bulk_v1.done(job_id, batch_id)
        found[content_type] = results(bulk_v1, job_id, batch_id, content_type)
    assert found["CSV"] == ['"Name"\n"a"\n"b"\n', '"Name"\n"c"\n"d"\n', '"Name"\n"e"\n']
    names = [[record["Name"] for record in json.loads(text)] for text in found["JSON"]]
    assert names == [["a", "b"], ["c", "d"], ["e"]]


# -- PK chunking ----------------------------------------------------------------------------------------------------


def chunked(
    bulk_v1: AsyncApi, header: str, soql: str, sobject: str = "Account"
) -> tuple[list[dict[str, Any]], list[list[str]], list[str]]:
    """Let a query be split: its batches, the names in their results, and their queries."""
    job_id = bulk_v1.create_job("query", sobject, "JSON", headers={"Sforce-Enable-PKChunking": header})
    bulk_v1.add_batch(job_id, soql, "application/json")
    bulk_v1.close(job_id)
    bulk_v1.org.bulk.wait(job_id)
    batches = bulk_v1("GET", f"job/{job_id}/batch").json()["batchInfo"]
    names, queries = [], []
    for batch in batches[1:]:
        assert batch["state"] == "Completed", batch
        records = [json.loads(text) for text in results(bulk_v1, job_id, batch["id"], "JSON")]
        names.append([record["Name"] for part in records for record in part])
        queries.append(bulk_v1("GET", f"job/{job_id}/batch/{batch['id']}/request").text)
    return batches, names, queries


@pytest.fixture
def names(api: Api) -> list[str]:
    """Names of accounts in the order of their ids."""
    names = [f"N{number}" for number in range(7)]
    for name in names:
        api.create("Account", Name=name)
    return names


def test_a_query_is_split_by_ranges_of_ids(bulk_v1: AsyncApi, api: Api, names: list[str]) -> None:
    batches, found, queries = chunked(bulk_v1, "chunkSize=3;", "SELECT Name FROM Account")

    parent = batches[0]
    assert (parent["state"], parent["numberRecordsProcessed"]) == ("NotProcessed", 0)
    assert found == [names[:3], names[3:6], names[6:]]
    bounds = [re.findall(r"'(\w+)'", soql) for soql in queries]
    assert all(len(bound) == 15 for pair in bounds for bound in pair)
    assert [first for first, _ in bounds[1:]] == [after for _, after in bounds[:-1]]
    assert queries[0] == f"SELECT Name FROM Account WHERE Id >= '{bounds[0][0]}' AND Id < '{bounds[0][1]}'"
    job = bulk_v1.job(parent["jobId"])
    assert (job["numberBatchesTotal"], job["numberBatchesCompleted"], job["numberRecordsProcessed"]) == (3, 3, 7)
    refused = bulk_v1("GET", f"job/{parent['jobId']}/batch/{parent['id']}/result")
    assert error(refused) == (400, "InvalidBatch", "Records not processed")
    assert api("GET", "limits").json()["DailyBulkApiBatches"]["Remaining"] == 15_000 - 4


def test_the_conditions_of_the_query_stay(bulk_v1: AsyncApi, names: list[str]) -> None:
    soql = "SELECT Name FROM Account\nwhere Name = 'N1' OR (Name = 'where N0' OR Name = 'N4')"
    _, found, _ = chunked(bulk_v1, "TRUE; chunkSize = 3", soql)
    assert found == [["N1"], ["N4"], []]


def test_chunking_begins_where_it_is_told(bulk_v1: AsyncApi, api: Api, names: list[str]) -> None:
    listed = api("GET", "query", params={"q": "SELECT Id FROM Account WHERE Name = 'N2'"}).json()["records"]
    _, found, queries = chunked(bulk_v1, f"chunkSize=3; startRow={listed[0]['Id']}", "SELECT Name FROM Account")
    assert found == [names[2:5], names[5:]]
    assert listed[0]["Id"][:15] in queries[0]


def test_deleted_records_count_where_a_table_is_split(bulk_v1: AsyncApi, api: Api, names: list[str]) -> None:
    gone = api("GET", "query", params={"q": "SELECT Id FROM Account WHERE Name = 'N1'"}).json()["records"][0]["Id"]
    api("DELETE", f"sobjects/Account/{gone}")
    _, found, _ = chunked(bulk_v1, "chunkSize=3", "SELECT Name FROM Account")
    assert found == [["N0", "N2"], names[3:6], names[6:]]


@pytest.mark.parametrize(
    "rest",
    [
        "WHERE Id != '001000000000000'",
        "WHERE Name != null AND ParentId = null",
        "ORDER BY Name",
        "LIMIT 100",
        "USING SCOPE mine",
        "WHERE Parent.OwnerId = null",
    ],
)
def test_queries_that_are_not_split(bulk_v1: AsyncApi, names: list[str], rest: str) -> None:
    (batch,), _, _ = chunked(bulk_v1, "chunkSize=3", f"SELECT Name FROM Account {rest}")
    assert (batch["state"], batch["numberRecordsProcessed"]) == ("Completed", 7)


@pytest.mark.parametrize("header", ["false", "FALSE", ""])
def test_chunking_that_is_turned_off(bulk_v1: AsyncApi, names: list[str], header: str) -> None:
    (batch,), _, _ = chunked(bulk_v1, header, "SELECT Name FROM Account")
    assert batch["state"] == "Completed"


def test_the_default_size_holds_all(bulk_v1: AsyncApi, names: list[str]) -> None:
    assert chunked(bulk_v1, "true", "SELECT Name FROM Account")[1] == [names]


def test_a_table_without_records_has_no_chunks(bulk_v1: AsyncApi) -> None:
    (batch,), _, _ = chunked(bulk_v1, "true", "SELECT Name FROM Account")
    assert batch["state"] == "NotProcessed"


def test_chunks_by_the_parent(bulk_v1: AsyncApi, api: Api, local_org: LocalOrg) -> None:
    local_org.add_object("Item__c", {"Account__c": {"type": "reference", "reference_to": "Account"}})
    for name in ("A", "B", "C"):
        account_id = api.create("Account", Name=name)
        api.create("Item__c", Name=f"Item of {name}", Account__c=account_id)
    _, found, queries = chunked(bulk_v1, "chunkSize=2; parent=Account", "SELECT Name FROM Item__c", "Item__c")
    assert found == [["Item of A", "Item of B"], ["Item of C"]]
    assert " WHERE Account__c >= '001" in queries[0]


def test_chunks_stop_where_the_day_has_no_more_batches(
    bulk_v1: AsyncApi, local_org: LocalOrg, names: list[str]
) -> None:
    local_org.bulk.limit(batches=3)
    job_id = bulk_v1.create_job("query", "Account", "JSON", headers={"Sforce-Enable-PKChunking": "chunkSize=3"})
    batch_id = bulk_v1.add_batch(job_id, "SELECT Name FROM Account", "application/json")
    told = bulk_v1.done(job_id, batch_id)
    assert (told["state"], told["stateMessage"]) == ("Failed", "ExceededQuota : ApiBatchItems Limit exceeded.")
    # What was queued before is processed as ever.
    batches = bulk_v1("GET", f"job/{job_id}/batch").json()["batchInfo"]
    assert [batch["state"] for batch in batches] == ["Failed", "Completed", "Completed"]


def test_a_job_that_is_aborted_meanwhile_gets_no_more_chunks(
    bulk_v1: AsyncApi, local_org: LocalOrg, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = bulk_v1.create_job("query", "Account", "JSON", headers={"Sforce-Enable-PKChunking": "chunkSize=3"})
    runtime = local_org._runtime
    take = runtime.usage.take

    def take_and_abort(name: str, amount: int = 1) -> bool:
        job = runtime.bulk.find(job_id, ("Classic",))
        assert isinstance(job, ClassicJob)
        if len(job.batches) == 2:
            job.state = "Aborted"
        return take(name, amount)

    monkeypatch.setattr(runtime.usage, "take", take_and_abort)
    bulk_v1.add_batch(job_id, "SELECT Name FROM Account", "application/json")
    local_org.bulk.wait(job_id)
    batches = bulk_v1("GET", f"job/{job_id}/batch").json()["batchInfo"]
    assert [batch["state"] for batch in batches] == ["NotProcessed", "Completed", "Completed"]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("chunkSize=0", "chunkSize must be a number from 1 to 250000: 0"),
        ("chunkSize=250001", "chunkSize must be a number from 1 to 250000: 250001"),
        ("chunkSize=many", "chunkSize must be a number from 1 to 250000: many"),
        ("startRow=7", "startRow must be a record ID: 7"),
        ("size=7", "Invalid value of Sforce-Enable-PKChunking: size=7"),
        ("chunkSize", "Invalid value of Sforce-Enable-PKChunking: chunkSize"),
    ],
)
def test_refused_headers(bulk_v1: AsyncApi, header: str, message: str) -> None:
    wanted = {"operation": "query", "object": "Account"}
    refused = bulk_v1("POST", "job", json=wanted, headers={"Sforce-Enable-PKChunking": header})
    assert error(refused) == (400, "ClientInputError", message)


def test_objects_that_are_not_chunked(bulk_v1: AsyncApi) -> None:
    wanted = {"operation": "query", "object": "Profile"}
    headers = {"Sforce-Enable-PKChunking": "true"}
    assert error(bulk_v1("POST", "job", json=wanted, headers=headers)) == (
        400,
        "InvalidEntity",
        "Entity 'Profile' is not supported to use PKChunking.",
    )
    for parent in ("Profile", "Acount"):
        told = {"Sforce-Enable-PKChunking": f"parent={parent}"}
        assert error(bulk_v1("POST", "job", json={"operation": "query", "object": "Account"}, headers=told))[0] == 400
    # For what is no query the header says nothing.
    assert bulk_v1("POST", "job", json={"operation": "insert", "object": "Profile"}, headers=headers).ok


def test_csv_lines_are_read_by_any_reader(bulk_v1: AsyncApi, api: Api) -> None:
    name = 'a "quoted", two\r\nlines\u2028and one'
    api.create("Account", Name="x", Description=name)
    _, row = csv.reader(io.StringIO(query(bulk_v1, "SELECT Description FROM Account"), newline=""))
    assert row == [name]
