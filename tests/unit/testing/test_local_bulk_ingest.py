"""Ingest jobs of Bulk API 2.0 over the wire: what becomes of rows."""

import csv
import io

import pytest
from bulk_api import ingest, load
from local_api import Api

from sfconnector.testing import LocalOrg
from sfconnector.testing._bulk._csv import DELIMITERS


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
    told = api("GET", f"jobs/ingest/{stamps['id']}").json()
    assert told == {
        **made,
        **stamps,
        "jobType": "V2Ingest",
        **dict.fromkeys(("retries", "totalProcessingTime", "apiActiveProcessingTime", "apexProcessingTime"), 0),
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


def test_operations_write_what_they_say(api: Api) -> None:
    ids = [api.create("Account", Name=name) for name in "AB"]
    job = load(
        api,
        "update",
        "Account",
        f"Id,Name,Phone\n{ids[0][:15]},C,1\n{ids[1]},,#N/A\n,D,\nx,E,\n001Lo0000099999AAA,F,\n",
    )
    assert [(row["sf__Id"], row["sf__Created"]) for row in job.successful()] == [(ids[0], "false"), (ids[1], "false")]
    assert [row["sf__Error"].partition(":")[0] for row in job.failed()] == [
        "MISSING_ARGUMENT",
        "MALFORMED_ID",
        "MALFORMED_ID",
    ]
    assert names(api) == ["B", "C"]
    job = load(api, "delete", "Account", f"Id\n{ids[0]}\n{ids[0]}\n{api.org.user_id}\n")
    assert [row["sf__Id"] for row in job.successful()] == [ids[0]]
    assert [(row["sf__Id"], row["sf__Error"]) for row in job.failed()] == [
        (ids[0], "ENTITY_IS_DELETED:entity is deleted:--"),
        (api.org.user_id, f"MALFORMED_ID:Account ID: id value of incorrect type: {api.org.user_id}:Id --"),
    ]
    assert names(api) == ["B"]


def test_an_upsert_creates_and_changes(api: Api) -> None:
    text = "Name,Ext__c\n" + "".join(f"A{n},k{n}\n" for n in range(3))
    properties = {"externalIdFieldName": "Ext__c"}
    assert {row["sf__Created"] for row in load(api, "upsert", "Account", text, **properties).successful()} == {"true"}
    job = load(api, "upsert", "Account", "Name,Ext__c\nB1,K1\nnew,k9\nnone,\n", **properties)
    assert [(row["sf__Created"], row["Name"]) for row in job.successful()] == [("false", "B1"), ("true", "new")]
    assert [row["sf__Error"] for row in job.failed()] == ["MISSING_ARGUMENT:Ext__c not specified:--"]
    assert names(api) == ["A0", "A2", "B1", "new"]
    account_id = api.create("Account", Name="by id")
    job = load(api, "upsert", "Account", f"Id,Name\n{account_id},changed\n,made\n", externalIdFieldName="Id")
    assert [row["sf__Created"] for row in job.successful()] == ["false", "true"]


def test_rows_that_are_saved_together_may_name_a_record_once(api: Api) -> None:
    keys = ["k0", *(f"k{n}" for n in range(1, 199)), "K0", "k0"]
    text = "Name,Ext__c\n" + "".join(f"A,{key}\n" for key in keys)
    job = load(api, "upsert", "Account", text, externalIdFieldName="Ext__c")
    assert [row["sf__Error"] for row in job.failed()] == [
        f"DUPLICATE_VALUE:Duplicate external id specified: {key}:Ext__c --" for key in ("k0", "K0")
    ]
    assert [row["Ext__c"] for row in job.successful()] == [*keys[1:199], "k0"]
    account_id = job.successful()[0]["sf__Id"]
    job = load(api, "update", "Account", f"Id,Name\n{account_id},B\n{account_id[:15]},C\n")
    assert {row["sf__Error"].split(":")[1] for row in job.failed()} == {"Duplicate id specified"}


def test_parents_are_found_by_their_external_ids(api: Api) -> None:
    parent_id = api.create("Account", Name="Parent", Ext__c="p1")
    text = "LastName,account.ext__c,Account:Account.Ext__c\n"
    job = load(api, "insert", "Contact", text.replace(",Account:Account.Ext__c", "") + "A,P1\nB,none\nC,#N/A\nD,\n")
    assert [row["LastName"] for row in job.successful()] == ["A", "C", "D"]
    assert [row["sf__Error"] for row in job.failed()] == [
        "INVALID_FIELD:Foreign key external ID: none not found for field Ext__c in entity Account:--"
    ]
    query = {"q": "SELECT LastName FROM Contact WHERE AccountId = '" + parent_id + "'"}
    assert [record["LastName"] for record in api("GET", "query", params=query).json()["records"]] == ["A"]
    job = load(api, "insert", "Case", "Subject,User:Owner.Username\nS," + api.org.username + "\n")
    assert len(job.successful()) == 1


@pytest.mark.parametrize(
    ("operation", "header", "message"),
    [
        ("insert", "Name,Nothing__c", "InvalidBatch : Field name not found : Nothing__c"),
        ("insert", "\ufeffName", "InvalidBatch : Field name not found : \ufeffName"),
        ("insert", "Name;Phone", "InvalidBatch : Field name not found : Name;Phone"),
        ("insert", "Name,Owner.Title", "InvalidBatch : Field name not found : Owner.Title"),
        ("insert", "Name,Nothing.Ext__c", "InvalidBatch : Field name not found : Nothing.Ext__c"),
        ("insert", "Name,User:Owner.Username", "InvalidBatch : Field name not found : User:Owner.Username"),
        ("update", "Name", "InvalidBatch : Field name not found : Id"),
        ("upsert", "Name", "InvalidBatch : Field name not found : Ext__c"),
        ("delete", "Id,Name", "InvalidBatch : The 'delete' batch must contain only ids"),
    ],
)
def test_a_header_that_cannot_be_fails_the_job(api: Api, operation: str, header: str, message: str) -> None:
    text = f"{header}\n{','.join('A' for _ in header.split(','))}\n"
    job = load(api, operation, "Account", text, externalIdFieldName="Ext__c")
    info = job.info()
    assert (info["state"], info["errorMessage"]) == ("Failed", message)
    assert (info["numberRecordsProcessed"], len(job.unprocessed())) == (0, 1)
    assert job.successful() == job.failed() == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"Name\r\nA\r\n", "LineEnding is invalid on user data. Current LineEnding setting is LF"),
        (b"Name\nA\n\xff\n", "Failed to parse CSV: the data is not UTF-8"),
        (b'Name\n"A\nB\n', "Failed to parse CSV: EOF reached before closing an opened quote"),
        (b'Name\n"A"B"C"\n', "Failed to parse CSV: Not expecting more text after end quote"),
        (b'Name\n"A" \n', "Failed to parse CSV: Not expecting more text after end quote"),
        (b'Name\nA ""B""\n', "Failed to parse CSV: Found unescaped quote. A value with quote should be within a quote"),
        (b'Name,Phone\n"A", "B"\n', "Failed to parse CSV: Found unescaped quote."),
        (b"Name\n" + b"A" * 131_073 + b"\n", "Exceeded max field size: 131073"),
        (
            b"Name,Phone,Fax,Description\n" + b",".join([b"A" * 100_001] * 4) + b"\n",
            "Exceeded max length for one record: 400004. Max length for one record should be less than or equal to "
            "400000",
        ),
        (
            b",".join([b"Name"] * 5001) + b"\nA\n",
            "Failed to parse CSV: Exceeded max number of columns per record : 5000",
        ),
        (b'"' + b"N" * 31_999 + b'"\nA\n', "Failed to parse CSV: the header has more than 32000 characters"),
        (b"Name\nA,B\n", "Failed to parse CSV: a row has more columns than the header"),
    ],
)
def test_data_that_is_no_csv_fails_the_job(api: Api, data: bytes, message: str) -> None:
    job = ingest(api)
    job.put(data)
    info = job.finish()
    assert info["state"] == "Failed"
    assert info["errorMessage"].startswith(f"ClientInputError : {message}")


@pytest.mark.parametrize("line_ending", ["LF", "CRLF"])
@pytest.mark.parametrize("delimiter", ["BACKQUOTE", "CARET", "COMMA", "PIPE", "SEMICOLON", "TAB"])
def test_every_delimiter_and_line_ending(api: Api, delimiter: str, line_ending: str) -> None:
    char, end = DELIMITERS[delimiter], {"LF": "\n", "CRLF": "\r\n"}[line_ending]
    value = f'a{char}"b"\r\nc\nd\u2028\x85e'
    cells = [["Name", "Description"], ["A", value], ["B", "#N/A"], ["C", ""]]
    text = "".join(char.join('"' + cell.replace('"', '""') + '"' for cell in row) + end for row in cells)
    job = load(api, "insert", "Account", text, columnDelimiter=delimiter, lineEnding=line_ending)
    body = api("GET", f"{job.path}/successfulResults").content.decode()
    [header, *results] = csv.reader(io.StringIO(body, newline=""), delimiter=char)
    assert header == ["sf__Id", "sf__Created", "Name", "Description"]
    assert [row[2:] for row in results] == cells[1:]
    assert body.startswith(f'"sf__Id"{char}"sf__Created"{char}"Name"{char}"Description"{end}')
    found = api("GET", "query", params={"q": "SELECT Description FROM Account ORDER BY Name"}).json()["records"]
    assert [record["Description"] for record in found] == [value, None, None]


def test_files_do_not_go_with_rows(api: Api) -> None:
    job = load(api, "insert", "Attachment", "Name,Body\na,QQ==\n")
    message = "InvalidBatch : Binary field Body is only supported for content types ZIP_XML and ZIP_CSV"
    assert (job.info()["state"], job.info()["errorMessage"]) == ("Failed", message)


def test_large_values_are_read_whole(api: Api, local_org: LocalOrg) -> None:
    local_org.add_field("Account", "Long__c", "textarea(131072)")
    value = ('"quoted", ' * 13_108)[:131_072]
    text = 'Long__c,Name\n"' + value.replace('"', '""') + '",A\nshort,"B"\n'
    job = load(api, "insert", "Account", text)
    assert len(job.successful()) == 2
    assert job.failed() == []
    [found] = api("GET", "query", params={"q": "SELECT Long__c FROM Account WHERE Name = 'A'"}).json()["records"]
    assert found["Long__c"] == value.strip()


@pytest.mark.parametrize(
    ("cell", "stored"),
    [("TRUE", True), ("y", True), ("on", True), ("1", True), ("no", False), ("Off", False), ("0", False), ("2", None)],
)
def test_words_for_yes_and_no(api: Api, local_org: LocalOrg, cell: str, stored: bool | None) -> None:
    local_org.add_field("Contact", "Flag__c", "boolean")
    job = load(api, "insert", "Contact", f"LastName,Flag__c\nA,{cell}\n")
    if stored is None:
        [row] = job.failed()
        assert "'2' is not a valid value for the type xsd:boolean:Flag__c --" in row["sf__Error"]
    else:
        found = api("GET", "query", params={"q": "SELECT Flag__c FROM Contact"}).json()["records"]
        assert [record["Flag__c"] for record in found] == [stored]


def test_a_field_that_may_not_be_written_is_refused_row_by_row(api: Api) -> None:
    job = load(api, "insert", "Account", "Name,CreatedDate\nA,2020-01-01T00:00:00Z\nB,\n")
    assert [row["Name"] for row in job.successful()] == ["B"]
    assert job.failed()[0]["sf__Error"].startswith("INVALID_FIELD_FOR_INSERT_UPDATE:")
    job = load(api, "insert", "Account", "Name,Id\nA,001000000000000AAA\n")
    assert job.failed()[0]["sf__Error"] == "INVALID_FIELD_FOR_INSERT_UPDATE:cannot specify Id in an insert call:Id --"


def test_a_job_without_data_does_nothing(api: Api) -> None:
    job = ingest(api)
    assert job.finish()["state"] == "JobComplete"
    assert job.successful() == job.failed() == job.unprocessed() == []
