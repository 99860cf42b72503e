"""Batches with records: what is read of CSV, JSON and XML, what becomes of it, and what is told of that.

https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-get-results.html
"""

import csv
import gzip
import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from async_api import MEDIA_TYPES, NAMESPACE, AsyncApi, error, info, parse
from local_api import Api

from sfconnector.testing import LocalOrg

HEADER = ["Id", "Success", "Created", "Error"]
BATCH = """<?xml version="1.0" encoding="UTF-8"?><batchInfo
   xmlns="http://www.force.com/2009/06/asyncapi/dataload">
 <id></id>
 <jobId></jobId>
 <state>Queued</state>
 <createdDate></createdDate>
 <systemModstamp></systemModstamp>
 <numberRecordsProcessed>0</numberRecordsProcessed>
 <numberRecordsFailed>0</numberRecordsFailed>
 <totalProcessingTime>0</totalProcessingTime>
 <apiActiveProcessingTime>0</apiActiveProcessingTime>
 <apexProcessingTime>0</apexProcessingTime>
</batchInfo>"""
MISSING = "Required fields are missing: [Name]"


def rows_of(text: str) -> list[list[str]]:
    header, *rows = csv.reader(io.StringIO(text))
    assert header == HEADER
    return rows


def sobjects(*records: str) -> str:
    xsi = "http://www.w3.org/2001/XMLSchema-instance"
    members = "".join(f"<sObject>{record}</sObject>" for record in records)
    return f'<?xml version="1.0" encoding="UTF-8"?><sObjects xmlns="{NAMESPACE}" xmlns:xsi="{xsi}">{members}</sObjects>'


def records(api: Api, soql: str) -> list[dict[str, Any]]:
    found = api("GET", "query", params={"q": soql}).json()["records"]
    return [{name: value for name, value in record.items() if name != "attributes"} for record in found]


def test_csv(bulk_v1: AsyncApi, api: Api) -> None:
    job_id = bulk_v1.create_job("insert", "Account")
    bulk_v1("GET", f"job/{job_id}")
    data = 'Name,Description,NumberOfEmployees\r\n"A, ""B""","two\nlines",7\r\n,x,1\r\nC,#N/A,\r\n'

    made = bulk_v1("POST", f"job/{job_id}/batch", data=data.encode(), headers={"Content-Type": "text/csv"})

    assert (made.status_code, made.headers["Content-Type"]) == (201, "application/xml")
    blank = re.sub(r"(<(id|jobId|createdDate|systemModstamp)>)[^<]*", r"\1", made.text)
    assert blank == BATCH
    batch_id = info(made)["id"]
    assert re.fullmatch(r"751\w{15}", batch_id)
    assert made.headers["Location"] == f"/services/async/68.0/job/{job_id}/batch/{batch_id}"
    told = bulk_v1.done(job_id, batch_id)
    counted = (told["state"], told["numberRecordsProcessed"], told["numberRecordsFailed"])
    assert counted == ("Completed", "3", "1")
    result = bulk_v1.result(job_id, batch_id)
    assert result.headers["Content-Type"] == "text/csv"
    first, _, last = rows_of(result.text)
    assert result.text == (
        '"Id","Success","Created","Error"\n'
        f'"{first[0]}","true","true",""\n'
        f'"","false","false","REQUIRED_FIELD_MISSING:{MISSING}:Name --"\n'
        f'"{last[0]}","true","true",""\n'
    )
    assert records(api, "SELECT Id, Name, Description, NumberOfEmployees FROM Account ORDER BY Name") == [
        {"Id": first[0], "Name": 'A, "B"', "Description": "two\nlines", "NumberOfEmployees": 7},
        {"Id": last[0], "Name": "C", "Description": None, "NumberOfEmployees": None},
    ]
    sent = bulk_v1("GET", f"job/{job_id}/batch/{batch_id}/request")
    assert (sent.headers["Content-Type"], sent.content) == ("text/csv", data.encode())


def test_json(bulk_v1: AsyncApi, api: Api) -> None:
    data = [
        {"attributes": {"type": "Account"}, "Name": "A", "NumberOfEmployees": 7, "Description": None},
        {"Description": "x"},
    ]

    result = bulk_v1.load("insert", "Account", json.dumps(data), "JSON")

    assert result.headers["Content-Type"] == "application/json"
    (found,) = records(api, "SELECT Id, Name, NumberOfEmployees FROM Account")
    assert found["NumberOfEmployees"] == 7
    refused = {"message": MISSING, "fields": ["Name"], "statusCode": "REQUIRED_FIELD_MISSING"}
    assert result.json() == [
        {"success": True, "created": True, "id": found["Id"], "errors": []},
        {"success": False, "created": False, "id": None, "errors": [{**refused, "extendedErrorDetails": None}]},
    ]


def test_xml(bulk_v1: AsyncApi, api: Api) -> None:
    account_id = api.create("Account", Name="Old", Description="old", Site="here")
    data = sobjects(
        f'<Id>{account_id}</Id><name>New &amp; so</name><Description xsi:nil="true"/><Site></Site>',
        "<Name>No id</Name>",
    )

    result = bulk_v1.load("update", "Account", data, "XML")

    assert result.headers["Content-Type"] == "application/xml"
    assert result.text == (
        f'<?xml version="1.0" encoding="UTF-8"?><results xmlns="{NAMESPACE}">\n'
        f"  <result>\n    <id>{account_id}</id><success>true</success><created>false</created>\n  </result>\n"
        "  <result>\n    <errors><message>Id not specified in an update call</message>"
        "<statusCode>MISSING_ARGUMENT</statusCode></errors><success>false</success><created>false</created>\n"
        "  </result>\n</results>"
    )
    parse(result.content)
    soql = "SELECT Name, Description, Site FROM Account"
    assert records(api, soql) == [{"Name": "New & so", "Description": None, "Site": "here"}]


@pytest.mark.parametrize("content_type", ["CSV", "JSON", "XML"])
def test_every_operation_in_every_format(bulk_v1: AsyncApi, api: Api, local_org: LocalOrg, content_type: str) -> None:
    local_org.add_field("Account", "Ext__c", "string(20) unique external_id")

    def load(operation: str, *rows: dict[str, str], **more: str) -> list[tuple[bool, bool]]:
        if content_type == "CSV":
            data = "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)])
        elif content_type == "JSON":
            data = json.dumps(rows)
        else:
            data = sobjects(*("".join(f"<{name}>{value}</{name}>" for name, value in row.items()) for row in rows))
        result = bulk_v1.load(operation, "Account", data, content_type, **more)
        if content_type == "CSV":
            return [(row[1] == "true", row[2] == "true") for row in rows_of(result.text)]
        if content_type == "JSON":
            return [(row["success"], row["created"]) for row in result.json()]
        flags = ("success", "created")
        found = [[row.findtext(f"{{{NAMESPACE}}}{flag}") == "true" for flag in flags] for row in parse(result.content)]
        return [(success, created) for success, created in found]

    assert load("insert", {"Name": "A", "Ext__c": "1"}, {"Name": "B", "Ext__c": "2"}) == [(True, True)] * 2
    upserted = load("upsert", {"Ext__c": "2", "Name": "B2"}, {"Ext__c": "3", "Name": "C"}, externalIdFieldName="Ext__c")
    assert upserted == [(True, False), (True, True)]
    ids = {record["Ext__c"]: record["Id"] for record in records(api, "SELECT Id, Ext__c FROM Account")}
    assert load("update", {"Id": ids["1"], "Name": "A1"}) == [(True, False)]
    assert load("delete", {"Id": ids["1"]}, {"Id": ids["1"]}) == [(True, False), (False, False)]
    assert load("hardDelete", {"Id": ids["2"]}) == [(True, False)]
    everything = api("GET", "queryAll", params={"q": "SELECT Name, IsDeleted FROM Account ORDER BY Name"}).json()
    left = [(record["Name"], record["IsDeleted"]) for record in everything["records"]]
    assert left == [("A1", True), ("C", False)]


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("CSV", "LastName,Account.Ext__c,ReportsTo.Email\nB,A-1,a@example.com\n"),
        ("JSON", '[{"LastName": "B", "Account": {"Ext__c": "A-1"}, "ReportsTo": {"Email": "a@example.com"}}]'),
        (
            "XML",
            "<LastName>B</LastName><Account><sObject><Ext__c>A-1</Ext__c></sObject></Account>"
            "<ReportsTo><sObject><Email>a@example.com</Email></sObject></ReportsTo>",
        ),
    ],
)
def test_parents(bulk_v1: AsyncApi, api: Api, local_org: LocalOrg, content_type: str, data: str) -> None:
    local_org.add_field("Account", "Ext__c", "string(20) unique external_id")
    account_id = api.create("Account", Name="A", Ext__c="A-1")
    boss_id = api.create("Contact", LastName="A", Email="a@example.com")
    bulk_v1.load("insert", "Contact", sobjects(data) if content_type == "XML" else data, content_type)
    (found,) = records(api, "SELECT AccountId, ReportsToId FROM Contact WHERE LastName = 'B'")
    assert found == {"AccountId": account_id, "ReportsToId": boss_id}


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("CSV", "Subject,Lead:Who.Email,Owner.Id\nCall,a@example.com,{owner}\n"),
        (
            "JSON",
            '[{"Subject": "Call", "Who": {"attributes": {"type": "Lead"}, "Email": "a@example.com"},'
            ' "Owner": {"Id": "{owner}"}}]',
        ),
        (
            "XML",
            "<Subject>Call</Subject><Who><sObject><type>Lead</type><Email>a@example.com</Email></sObject></Who>"
            "<Owner><sObject><Id>{owner}</Id></sObject></Owner>",
        ),
    ],
)
def test_parents_of_several_objects(
    bulk_v1: AsyncApi, api: Api, local_org: LocalOrg, content_type: str, data: str
) -> None:
    api.create("Contact", LastName="A", Email="a@example.com")
    lead_id = api.create("Lead", LastName="A", Company="A", Email="a@example.com")
    filled = data.replace("{owner}", local_org.user_id)
    bulk_v1.load("insert", "Task", sobjects(filled) if content_type == "XML" else filled, content_type)
    assert records(api, "SELECT WhoId, OwnerId FROM Task") == [{"WhoId": lead_id, "OwnerId": local_org.user_id}]


@pytest.mark.parametrize(
    ("content_type", "data", "message"),
    [
        ("CSV", "Nmae\na\n", "Field name not found : Nmae"),
        ("JSON", '[{"Nmae": "a"}]', "Field name not found : Nmae"),
        ("XML", sobjects("<Nmae>a</Nmae>"), "Field name not found : Nmae"),
        ("CSV", "Parent.Nmae\na\n", "Field name not found : Parent.Nmae"),
        ("CSV", "Name\n", "Records not found"),
        ("JSON", "[]", "Records not found"),
        ("XML", sobjects(), "Records not found"),
        ("JSON", '{"Name": "a"}', "Failed to parse JSON: a batch is an array of objects"),
        ("JSON", '["a"]', "Failed to parse JSON: a batch is an array of objects"),
        ("XML", "<sObjects/>", f"Failed to parse XML: expected sObjects in the namespace {NAMESPACE}"),
        ("XML", sobjects().replace("</", "<Name/></"), "Failed to parse XML: expected sObject in sObjects"),
        (
            "JSON",
            '[{"Parent": {"Parent": {"Name": "a"}}}]',
            "A relationship cannot be extended beyond the parent",
        ),
        (
            "XML",
            sobjects("<Parent><sObject><Parent><sObject/></Parent></sObject></Parent>"),
            "A relationship cannot be extended beyond the parent",
        ),
        ("XML", sobjects("<Parent><Name>a</Name></Parent>"), "Failed to parse XML: Parent must hold one sObject"),
        (
            "CSV",
            "Name\n" + "a\n" * 10_001,
            "A batch can contain at most 10000 records, and this one has 10001",
        ),
    ],
)
def test_batches_that_fail_as_a_whole(bulk_v1: AsyncApi, content_type: str, data: str, message: str) -> None:
    job_id = bulk_v1.create_job("insert", "Account", content_type)
    batch_id = bulk_v1.add_batch(job_id, data, MEDIA_TYPES[content_type])

    told = bulk_v1.done(job_id, batch_id)

    assert (told["state"], told["stateMessage"]) == ("Failed", f"InvalidBatch : {message}")
    refused = bulk_v1("GET", f"job/{job_id}/batch/{batch_id}/result")
    assert error(refused) == (400, "InvalidBatch", "Records not processed")
    assert int(bulk_v1.job(job_id)["numberBatchesFailed"]) == 1


@pytest.mark.parametrize("content_type", ["CSV", "JSON", "XML"])
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"Name": 131_073}, "Exceeded max field size: 131073"),
        (
            {"Name": 131_072, "Phone": 131_072, "Fax": 131_072, "Description": 6_785},
            "Exceeded max length for one record: 400001. Max length for one record should be less than or equal to "
            "400000",
        ),
    ],
)
def test_records_and_values_have_a_length(
    bulk_v1: AsyncApi, content_type: str, values: dict[str, int], message: str
) -> None:
    record = {name: "a" * length for name, length in values.items()}
    data = {
        "CSV": f"{','.join(record)}\n{','.join(record.values())}\n",
        "JSON": json.dumps([record]),
        "XML": sobjects("".join(f"<{name}>{value}</{name}>" for name, value in record.items())),
    }[content_type]
    assert bulk_v1.failure("insert", "Account", data, content_type) == f"ClientInputError : {message}"


@pytest.mark.parametrize(("content_type", "data"), [("JSON", "[{"), ("XML", "<sObjects"), ("XML", "<!DOCTYPE a><a/>")])
def test_what_cannot_be_parsed(bulk_v1: AsyncApi, content_type: str, data: str) -> None:
    message = bulk_v1.failure("insert", "Account", data, content_type)
    assert message.startswith(f"InvalidBatch : Failed to parse {content_type}: ")


def test_records_are_in_their_order_whatever_becomes_of_them(bulk_v1: AsyncApi, api: Api) -> None:
    names = [f"N{number}" if number % 7 else "" for number in range(650)]
    result = bulk_v1.load("insert", "Account", "Name\n" + "".join(f'"{name}"\n' for name in names))
    rows = rows_of(result.text)
    assert [row[1] == "true" for row in rows] == [bool(name) for name in names]
    found = {record["Id"]: record["Name"] for record in records(api, "SELECT Id, Name FROM Account")}
    assert [found[row[0]] for row in rows if row[0]] == [name for name in names if name]


def test_a_batch_has_at_most_ten_million_characters(bulk_v1: AsyncApi) -> None:
    job_id = bulk_v1.create_job("insert", "Account")
    line = "a" * 99 + "\n"
    path, headers = f"job/{job_id}/batch", {"Content-Type": "text/csv"}
    too_large = "Name\n" + line * 100_000
    refused = bulk_v1("POST", path, data=too_large.encode(), headers=headers)
    message = "Failed to read request. Exceeded max size limit of 10000000"
    assert error(refused) == (400, "ClientInputError", message)
    # Compressed or not makes no difference to the limit.
    packed = gzip.compress(too_large.encode(), 1)
    refused = bulk_v1("POST", path, data=packed, headers={**headers, "Content-Encoding": "gzip"})
    assert error(refused) == (400, "ClientInputError", message)
    assert bulk_v1("POST", path, data=too_large[:-5].encode(), headers=headers).status_code == 201


def test_gzip_both_ways(bulk_v1: AsyncApi) -> None:
    job_id = bulk_v1.create_job("insert", "Account")
    data = "Name\n" + "a\n" * 500
    batch_id = bulk_v1.add_batch(job_id, gzip.compress(data.encode()), **{"Content-Encoding": "gzip"})
    bulk_v1.done(job_id, batch_id)
    result = bulk_v1.result(job_id, batch_id)
    assert result.headers["Content-Encoding"] == "gzip"
    assert len(rows_of(result.text)) == 500
    assert bulk_v1("GET", f"job/{job_id}/batch/{batch_id}/request").text == data
    broken = bulk_v1(
        "POST", f"job/{job_id}/batch", data=b"Name", headers={"Content-Type": "text/csv", "Content-Encoding": "gzip"}
    )
    assert error(broken)[:2] == (400, "ClientInputError")
    other = bulk_v1(
        "POST", f"job/{job_id}/batch", data=b"x", headers={"Content-Type": "text/csv", "Content-Encoding": "deflate"}
    )
    assert error(other) == (400, "ClientInputError", "The only valid compression is gzip, and not deflate")


@pytest.mark.parametrize(
    ("content_type", "sent", "expected"),
    [
        ("CSV", "application/json", "text/csv"),
        ("JSON", "text/csv", "application/json"),
        ("XML", "application/x-www-form-urlencoded", "application/xml"),
        ("ZIP_CSV", "text/csv", "zip/csv"),
    ],
)
def test_batches_are_of_the_content_type_of_their_job(
    bulk_v1: AsyncApi, content_type: str, sent: str, expected: str
) -> None:
    job_id = bulk_v1.create_job("insert", "Attachment", content_type)
    refused = bulk_v1("POST", f"job/{job_id}/batch", data="x", headers={"Content-Type": f"{sent}; charset=UTF-8"})
    message = f"The Content-Type of a batch of this job must be {expected}, and not {sent}"
    assert error(refused) == (400, "UnsupportedContentType", message)


def test_a_batch_has_some_content(bulk_v1: AsyncApi) -> None:
    job_id = bulk_v1.create_job("insert", "Account")
    refused = bulk_v1("POST", f"job/{job_id}/batch", headers={"Content-Type": "text/csv"})
    assert error(refused) == (400, "InvalidBatch", "A batch must contain some content")


def test_results_come_when_a_batch_is_completed(bulk_v1: AsyncApi, local_org: LocalOrg) -> None:
    job_id = bulk_v1.create_job("insert", "Account", "JSON")
    local_org.bulk.hold()
    batch_id = bulk_v1.add_batch(job_id, '[{"Name": "a"}]', "application/json")
    result = f"job/{job_id}/batch/{batch_id}/result"
    assert bulk_v1.job(job_id)["numberBatchesQueued"] == 1
    assert error(bulk_v1("GET", result)) == (400, "InvalidBatch", "Batch not completed")
    local_org.bulk.release()
    told = bulk_v1.done(job_id, batch_id)
    assert (told["state"], told["numberRecordsProcessed"]) == ("Completed", 1)
    assert bulk_v1("GET", result).status_code == 200
    assert error(bulk_v1("GET", f"{result}/752000000000001"))[:2] == (400, "InvalidBatch")
    assert error(bulk_v1("GET", f"job/{job_id}/batch/751000000000001")) == (
        400,
        "InvalidBatch",
        "Invalid batch id: 751000000000001",
    )


def test_a_batch_that_fails_half_way_has_results_of_the_first_half(bulk_v1: AsyncApi, local_org: LocalOrg) -> None:
    job_id = bulk_v1.create_job("insert", "Account", "JSON")
    local_org.bulk.fail_job(job_id, message="InternalServerError : half-way", after_records=2)
    data = json.dumps([{"Name": name} for name in "abc"])
    batch_id = bulk_v1.add_batch(job_id, data, "application/json")
    told = bulk_v1.done(job_id, batch_id)
    assert (told["state"], told["stateMessage"]) == ("Failed", "InternalServerError : half-way")
    assert told["numberRecordsProcessed"] == 2
    assert [row["success"] for row in bulk_v1.result(job_id, batch_id).json()] == [True, True]


def test_locked_rows(bulk_v1: AsyncApi, local_org: LocalOrg) -> None:
    local_org.faults.lock_rows(times=2, path="/services/async/*/batch")
    result = bulk_v1.load("insert", "Account", "Name\na\nb\nc\n")
    first, second, third = rows_of(result.text)
    assert first == second
    assert first[3] == "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--"
    assert third[1] == "true"


def test_a_batch_with_many_locked_rows_is_taken_up_again(bulk_v1: AsyncApi, local_org: LocalOrg) -> None:
    local_org.faults.lock_rows(times=150)
    job_id = bulk_v1.create_job("insert", "Account")
    batch_id = bulk_v1.add_batch(job_id, "Name\n" + "a\n" * 400)
    told = bulk_v1.done(job_id, batch_id)
    assert (told["state"], told["numberRecordsFailed"]) == ("Completed", "150")
    assert bulk_v1.job(job_id)["numberRetries"] == "1"


def test_without_retries_many_locked_rows_are_the_end(bulk_v1: AsyncApi, local_org: LocalOrg) -> None:
    local_org.faults.lock_rows(times=150)
    job_id = bulk_v1.create_job("insert", "Account", headers={"Sforce-Disable-Batch-Retry": "TRUE"})
    batch_id = bulk_v1.add_batch(job_id, "Name\n" + "a\n" * 400)
    told = bulk_v1.done(job_id, batch_id)
    assert (told["state"], told["numberRecordsProcessed"]) == ("Failed", "200")
    assert told["stateMessage"] == "TooManyLockFailure : Too many lock failure 150 Trying again later."
    assert len(rows_of(bulk_v1.result(job_id, batch_id).text)) == 200


def test_a_day_has_so_many_batches(bulk_v1: AsyncApi, api: Api, local_org: LocalOrg) -> None:
    def remaining() -> int:
        return int(api("GET", "limits").json()["DailyBulkApiBatches"]["Remaining"])

    job_id = bulk_v1.create_job("insert", "Account")
    bulk_v1.add_batch(job_id, "Name\na\n")
    assert remaining() == 14_999
    # What is sent to a closed job counts as well.
    bulk_v1.close(job_id)
    bulk_v1("POST", f"job/{job_id}/batch", data="Name\na\n", headers={"Content-Type": "text/csv"})
    assert remaining() == 14_998


def test_no_more_batches_than_a_day_has(bulk_v1: AsyncApi, local_org: LocalOrg) -> None:
    job_id = bulk_v1.create_job("insert", "Account")
    local_org.bulk.limit(batches=1)
    bulk_v1.add_batch(job_id, "Name\na\n")
    refused = bulk_v1("POST", f"job/{job_id}/batch", data="Name\na\n", headers={"Content-Type": "text/csv"})
    assert error(refused) == (400, "ExceededQuota", "ApiBatchItems Limit exceeded.")


def test_many_batches_at_the_same_time(bulk_v1: AsyncApi, api: Api, local_org: LocalOrg) -> None:
    job_id = bulk_v1.create_job("insert", "Account")

    def send(number: int) -> str:
        own = AsyncApi(local_org)
        try:
            return own.add_batch(job_id, "Name\n" + "".join(f"N{number}-{row}\n" for row in range(30)))
        finally:
            own.http.close()

    with ThreadPoolExecutor(8) as pool:
        batch_ids = list(pool.map(send, range(24)))
    bulk_v1.done(job_id, batch_ids[0])

    told = bulk_v1.job(job_id)
    assert (told["numberBatchesCompleted"], told["numberRecordsProcessed"]) == ("24", "720")
    found = {record["Id"]: record["Name"] for record in records(api, "SELECT Id, Name FROM Account")}
    for number, batch_id in enumerate(batch_ids):
        rows = rows_of(bulk_v1.result(job_id, batch_id).text)
        assert [found.pop(row[0]) for row in rows] == [f"N{number}-{row}" for row in range(30)]
    assert not found
