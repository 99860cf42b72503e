"""What the calls of the client ask for, all in one list, and the rules that other clients were seen to break.

The keys are those of the list of operations that the client must have: R for REST, A for Apex REST, V for Bulk API 2.0,
B for Bulk API 1.0, S for SOAP API.
"""

import csv
import io
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import attrs
import pytest
from http_server import Cut, Reply, Seen, Server
from session_tools import FakeTime
from sfconnector_generated.rest.api.sobjects import get_record
from soap_server import answer as soap_answer

from sfconnector import JobProgress, Salesforce, auth, errors

DATA = "/services/data/v68.0"
ACCOUNT, USER = "001000000000001AAA", "005000000000001AAA"
REPORT, RUN, REPORTS = "00O000000000001AAA", "0LG000000000001AAA", f"{DATA}/analytics/reports"
ANY_TEXT, ENCODED = "a/b?c#d %+é", "a%2Fb%3Fc%23d%20%25%2B%C3%A9"

# Told in a zone with a plus; they go out in UTC, whose offset has a plus too that a query must not lose.
END = datetime.now(timezone(timedelta(hours=5, minutes=30))).replace(second=0, microsecond=0)
START = END - timedelta(days=2)
SPAN = "&".join(
    f"{name}={instant.astimezone(UTC):%Y-%m-%dT%H%%3A%M%%3A00}%2B00%3A00"
    for name, instant in [("start", START), ("end", END)]
)

SOBJECT = {
    "name": "Account",
    "label": "Account",
    **dict.fromkeys(["custom", "createable", "deletable", "queryable", "updateable"], True),
    "urls": {},
}
INFO = {"objectDescribe": SOBJECT, "recentItems": []}
DESCRIPTION = {**SOBJECT, "fields": [], "childRelationships": [], "recordTypeInfos": []}
SAVED = Reply.of({"id": ACCOUNT, "success": True, "errors": [], "created": True}, 201)
DONE = Reply(204, b"")
RESULT: dict[str, Any] = {
    "attributes": {"reportId": REPORT, "reportName": "Deals", "type": "Report"},
    "allData": True,
    "hasDetailRows": False,
    "factMap": {},
    "reportMetadata": {"name": "Deals", "reportFormat": "TABULAR"},
}
JOB, BATCH, ASYNC = "750000000000001AAA", "751000000000001AAA", "/services/async/68.0"
JOB_INFO = {"id": JOB, "operation": "insert", "object": "Account", "state": "Open", "contentType": "CSV"}
BATCH_INFO = {"id": BATCH, "jobId": JOB, "state": "Queued"}
RECORD = {"attributes": {"type": "Account"}, "Id": ACCOUNT, "Name": "Acme"}
JOBS = f"{DATA}/jobs"
CSV = b'Name;Ext__c\r\n"\xc3\xa9 ""\n;";1\r\n'
LEAD = "00Q000000000001AAA"
CONVERT_LEAD = """<?xml version='1.0' encoding='UTF-8'?>
<soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/"><soap-env:Header
><ns0:SessionHeader xmlns:ns0="urn:partner.soap.sforce.com"><ns0:sessionId>x</ns0:sessionId></ns0:SessionHeader
></soap-env:Header><soap-env:Body><ns0:convertLead xmlns:ns0="urn:partner.soap.sforce.com"><ns0:leadConverts
><ns0:convertedStatus>é &lt;&amp;&gt;</ns0:convertedStatus><ns0:doNotCreateOpportunity>false</ns0:doNotCreateOpportunity
><ns0:leadId>00Q000000000001AAA</ns0:leadId><ns0:opportunityName>]]&gt;</ns0:opportunityName
><ns0:overwriteLeadSource>false</ns0:overwriteLeadSource><ns0:sendNotificationEmail>false</ns0:sendNotificationEmail
></ns0:leadConverts></ns0:convertLead></soap-env:Body></soap-env:Envelope>""".replace("\n>", ">").encode()
SOQL = "SELECT Id, Name FROM Account WHERE Name = 'a+b&c%é#'"


def job(state: str, **more: Any) -> dict[str, Any]:
    return {"id": JOB, "operation": "upsert", "object": "Account", "state": state, **more}


def results(*rows: str, locator: str = "null", header: str = "Id,Name") -> Reply:
    text = "".join(f"{line}\n" for line in [header, *rows])
    headers = {"Content-Type": "text/csv", "Sforce-Locator": locator, "Sforce-NumberOfRecords": str(len(rows))}
    return Reply(200, text.encode(), headers)


@attrs.frozen
class Row:
    """A call, and the one request that it must make.

    Args:
        make: The call.
        method: Its verb.
        target: What it asks for, below the instance.
        body: The JSON of the request, or its bytes where they are not JSON; ``None`` if it has no body at all.
        answer: What the server says.
    """

    make: Callable[[Salesforce], Any]
    method: str
    target: str
    body: Any = None
    answer: Any = attrs.field(factory=dict)


def account(sf: Salesforce) -> Any:
    return sf.sobject("Account")


CALLS = {
    "R1 describe": Row(
        lambda sf: sf.describe(),
        "GET",
        f"{DATA}/sobjects",
        answer={"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [SOBJECT]},
    ),
    "R2 info": Row(lambda sf: account(sf).info(), "GET", f"{DATA}/sobjects/Account", answer=INFO),
    "R3 describe an object": Row(
        lambda sf: account(sf).describe(), "GET", f"{DATA}/sobjects/Account/describe", answer=DESCRIPTION
    ),
    "R4 platform actions": Row(
        lambda sf: sf.sobject("PlatformAction").info(), "GET", f"{DATA}/sobjects/PlatformAction", answer=INFO
    ),
    "R5 versions": Row(lambda sf: sf.versions(), "GET", "/services/data", answer=[]),
    "R6 resources": Row(lambda sf: sf.resources("59.0"), "GET", "/services/data/v59.0"),
    "R7 limits": Row(lambda sf: sf.limits(), "GET", f"{DATA}/limits"),
    "R8 get": Row(lambda sf: account(sf).get(ACCOUNT), "GET", f"{DATA}/sobjects/Account/{ACCOUNT}", answer=RECORD),
    "R8 get some fields": Row(
        lambda sf: account(sf).get(ACCOUNT, fields=["Id", "Name"]),
        "GET",
        f"{DATA}/sobjects/Account/{ACCOUNT}?fields=Id,Name",
        answer=RECORD,
    ),
    "R9 get by external id": Row(
        lambda sf: account(sf).get_by_external_id("Ext__c", ANY_TEXT, fields=["Id", "Name"]),
        "GET",
        f"{DATA}/sobjects/Account/Ext__c/{ENCODED}?fields=Id,Name",
        answer=RECORD,
    ),
    "R10 create": Row(
        lambda sf: account(sf).create({"Name": "é"}), "POST", f"{DATA}/sobjects/Account", {"Name": "é"}, SAVED
    ),
    "R10 publish an event": Row(
        lambda sf: sf.sobject("Order__e").create({"Total__c": 1}),
        "POST",
        f"{DATA}/sobjects/Order__e",
        {"Total__c": 1},
        SAVED,
    ),
    "R11 update": Row(
        lambda sf: account(sf).update(ACCOUNT, {"Name": None}),
        "PATCH",
        f"{DATA}/sobjects/Account/{ACCOUNT}",
        {"Name": None},
        DONE,
    ),
    "R12 upsert": Row(
        lambda sf: account(sf).upsert("Ext__c", ANY_TEXT, {"Name": "Acme"}),
        "PATCH",
        f"{DATA}/sobjects/Account/Ext__c/{ENCODED}",
        {"Name": "Acme"},
        SAVED,
    ),
    "R13 delete": Row(
        lambda sf: account(sf).delete(ACCOUNT), "DELETE", f"{DATA}/sobjects/Account/{ACCOUNT}", answer=DONE
    ),
    "R14 delete by external id": Row(
        lambda sf: account(sf).delete_by_external_id("Ext__c", ANY_TEXT),
        "DELETE",
        f"{DATA}/sobjects/Account/Ext__c/{ENCODED}",
        answer=DONE,
    ),
    "R15 query": Row(
        lambda sf: list(sf.query("SELECT Id FROM Account WHERE Name = 'a+b&c%é#'")),
        "GET",
        f"{DATA}/query?q=SELECT%20Id%20FROM%20Account%20WHERE%20Name%20%3D%20%27a%2Bb%26c%25%C3%A9%23%27",
        answer={"totalSize": 0, "done": True, "records": []},
    ),
    "R15 query deleted records too": Row(
        lambda sf: list(sf.query("SELECT Id FROM Account", include_deleted=True)),
        "GET",
        f"{DATA}/queryAll?q=SELECT%20Id%20FROM%20Account",
        answer={"totalSize": 0, "done": True, "records": []},
    ),
    "R16 search": Row(
        lambda sf: list(sf.search("FIND {a+b é} RETURNING Account(Id)")),
        "GET",
        f"{DATA}/search?q=FIND%20%7Ba%2Bb%20%C3%A9%7D%20RETURNING%20Account%28Id%29",
        answer={"searchRecords": [RECORD]},
    ),
    "R17 deleted": Row(
        lambda sf: account(sf).deleted(START, END),
        "GET",
        f"{DATA}/sobjects/Account/deleted?{SPAN}",
        answer={
            "deletedRecords": [],
            "earliestDateAvailable": "2026-01-02T03:04:05.000+0000",
            "latestDateCovered": "2026-01-02T03:04:05.000+0000",
        },
    ),
    "R18 updated": Row(
        lambda sf: account(sf).updated(START, END),
        "GET",
        f"{DATA}/sobjects/Account/updated?{SPAN}",
        answer={"ids": [ACCOUNT], "latestDateCovered": "2026-01-02T03:04:05.000+0000"},
    ),
    "R19 has a password expired": Row(
        lambda sf: sf.users.password_expired(USER),
        "GET",
        f"{DATA}/sobjects/User/{USER}/password",
        answer={"isExpired": False},
    ),
    "R20 reset a password": Row(
        lambda sf: sf.users.reset_password(USER),
        "DELETE",
        f"{DATA}/sobjects/User/{USER}/password",
        answer={"NewPassword": "correct-Horse-7"},
    ),
    "R21 set a password": Row(
        lambda sf: sf.users.set_password(USER, "correct-Horse-7"),
        "POST",
        f"{DATA}/sobjects/User/{USER}/password",
        {"NewPassword": "correct-Horse-7"},
        DONE,
    ),
    "R22 quick actions": Row(
        lambda sf: account(sf).quick_actions(), "GET", f"{DATA}/sobjects/Account/quickActions", answer=[]
    ),
    "R23 batch": Row(
        lambda sf: sf.composite.batch([get_record.build("Account", ACCOUNT)], halt_on_error=True).send(),
        "POST",
        f"{DATA}/composite/batch",
        {
            "batchRequests": [{"method": "GET", "url": f"v68.0/sobjects/Account/{ACCOUNT}"}],
            "haltOnError": True,
        },
        {"hasErrors": False, "results": [{"statusCode": 200, "result": RECORD}]},
    ),
    "R24 named layout": Row(
        lambda sf: sf.sobject("User").named_layout(ANY_TEXT),
        "GET",
        f"{DATA}/sobjects/User/describe/namedLayouts/{ENCODED}",
        answer={"layouts": [], "recordTypeMappings": []},
    ),
    "R25 roots of actions": Row(lambda sf: sf.actions.list(), "GET", f"{DATA}/actions"),
    "R25 actions": Row(
        lambda sf: sf.actions.list("/standard"), "GET", f"{DATA}/actions/standard", answer={"actions": []}
    ),
    "R26 invoke an action": Row(
        lambda sf: sf.actions.invoke("custom/apex/Greet", [{"name": "é"}]),
        "POST",
        f"{DATA}/actions/custom/apex/Greet",
        {"inputs": [{"name": "é"}]},
        [{"actionName": "Greet", "errors": None, "isSuccess": True, "outputValues": {}}],
    ),
    "R27 reports": Row(lambda sf: sf.reports.list(), "GET", REPORTS, answer=[]),
    "R28 run a report": Row(
        lambda sf: sf.reports.run(REPORT), "GET", f"{REPORTS}/{REPORT}?includeDetails=true", answer=RESULT
    ),
    "R28 run a report with a filter": Row(
        lambda sf: sf.reports.run(REPORT, details=False, filters=[("NAME", "equals", "é")]),
        "POST",
        f"{REPORTS}/{REPORT}?includeDetails=false",
        {
            "reportMetadata": {
                "reportFilters": [{"column": "NAME", "operator": "equals", "value": "é"}],
                "reportBooleanFilter": None,
            }
        },
        RESULT,
    ),
    "R29 run a report in the background": Row(
        lambda sf: sf.reports.run_async(REPORT),
        "POST",
        f"{REPORTS}/{REPORT}/instances?includeDetails=true",
        {},
        {"id": RUN, "status": "New"},
    ),
    "R30 runs of a report": Row(
        lambda sf: sf.reports.instances(REPORT), "GET", f"{REPORTS}/{REPORT}/instances", answer=[]
    ),
    "R31 result of a run": Row(
        lambda sf: sf.reports.result(REPORT, RUN),
        "GET",
        f"{REPORTS}/{REPORT}/instances/{RUN}",
        answer={**RESULT, "attributes": {**RESULT["attributes"], "status": "Success"}},
    ),
    "R32 delete a report": Row(lambda sf: sf.reports.delete(REPORT), "DELETE", f"{REPORTS}/{REPORT}", answer=DONE),
    "S1 convert a lead": Row(
        lambda sf: sf.soap.convert_lead(LEAD, converted_status="é <&>", opportunity_name="]]>"),
        "POST",
        "/services/Soap/u/68.0",
        CONVERT_LEAD,
        soap_answer("convertLead", {"accountId": ACCOUNT, "contactId": None, "leadId": LEAD, "success": True}),
    ),
    "B1 create a job": Row(
        lambda sf: sf.bulk_v1.create_job("insert", "Account"),
        "POST",
        f"{ASYNC}/job",
        {"operation": "insert", "object": "Account", "contentType": "CSV"},
        Reply.of(JOB_INFO, 201),
    ),
    "B1 create a job with all its options": Row(
        lambda sf: sf.bulk_v1.create_job(
            "upsert",
            "Case",
            "JSON",
            external_id="Ext__c",
            concurrency_mode="Serial",
            assignment_rule_id="01Q000000000001AAA",
        ),
        "POST",
        f"{ASYNC}/job",
        {
            "operation": "upsert",
            "object": "Case",
            "contentType": "JSON",
            "externalIdFieldName": "Ext__c",
            "concurrencyMode": "Serial",
            "assignmentRuleId": "01Q000000000001AAA",
        },
        Reply.of(JOB_INFO, 201),
    ),
    "B2 get a job": Row(lambda sf: sf.bulk_v1.get_job(JOB), "GET", f"{ASYNC}/job/{JOB}", answer=JOB_INFO),
    "B3 close a job": Row(
        lambda sf: sf.bulk_v1.close_job(JOB), "POST", f"{ASYNC}/job/{JOB}", {"state": "Closed"}, JOB_INFO
    ),
    "B4 abort a job": Row(
        lambda sf: sf.bulk_v1.abort_job(JOB), "POST", f"{ASYNC}/job/{JOB}", {"state": "Aborted"}, JOB_INFO
    ),
    "B5 add a batch": Row(
        lambda sf: sf.bulk_v1.add_batch(JOB, "Name\né\n", content_type="CSV"),
        "POST",
        f"{ASYNC}/job/{JOB}/batch",
        "Name\né\n".encode(),
        Reply.of(BATCH_INFO, 201),
    ),
    "B6 get a batch": Row(
        lambda sf: sf.bulk_v1.get_batch(JOB, BATCH), "GET", f"{ASYNC}/job/{JOB}/batch/{BATCH}", answer=BATCH_INFO
    ),
    "B7 list batches": Row(
        lambda sf: sf.bulk_v1.list_batches(JOB),
        "GET",
        f"{ASYNC}/job/{JOB}/batch",
        answer={"batchInfo": [BATCH_INFO]},
    ),
    "B8 get the request of a batch": Row(
        lambda sf: sf.bulk_v1.get_batch_request(JOB, BATCH),
        "GET",
        f"{ASYNC}/job/{JOB}/batch/{BATCH}/request",
        answer=Reply(200, b"SELECT Id FROM Account"),
    ),
    "B9 get the result of a batch": Row(
        lambda sf: list(sf.bulk_v1.get_batch_result(JOB, BATCH)),
        "GET",
        f"{ASYNC}/job/{JOB}/batch/{BATCH}/result",
        answer=Reply(200, b'"Id","Success","Created","Error"\n'),
    ),
    "A1 get": Row(
        lambda sf: sf.apex.get("orders/v1", params={"q": "a+b é"}),
        "GET",
        "/services/apexrest/orders/v1?q=a%2Bb%20%C3%A9",
    ),
    "A1 post": Row(
        lambda sf: sf.apex.post("orders/v1", json={"n": 1}), "POST", "/services/apexrest/orders/v1", {"n": 1}
    ),
    "A1 put": Row(lambda sf: sf.apex.put("orders/v1", json={"n": 1}), "PUT", "/services/apexrest/orders/v1", {"n": 1}),
    "A1 patch": Row(
        lambda sf: sf.apex.patch("orders/v1", json={"n": 1}), "PATCH", "/services/apexrest/orders/v1", {"n": 1}
    ),
    "A1 delete": Row(lambda sf: sf.apex.delete("orders/v1"), "DELETE", "/services/apexrest/orders/v1", answer=DONE),
    "V1 create an ingest job": Row(
        lambda sf: sf.bulk.create_ingest_job("insert", "Account"),
        "POST",
        f"{JOBS}/ingest",
        {
            "object": "Account",
            "operation": "insert",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
            "contentType": "CSV",
        },
        job("Open"),
    ),
    "V1 create an ingest job with all there is": Row(
        lambda sf: sf.bulk.create_ingest_job(
            "upsert",
            "Case",
            external_id="Ext__c",
            column_delimiter="BACKQUOTE",
            line_ending="CRLF",
            assignment_rule_id="01Q000000000001AAA",
        ),
        "POST",
        f"{JOBS}/ingest",
        {
            "object": "Case",
            "operation": "upsert",
            "externalIdFieldName": "Ext__c",
            "columnDelimiter": "BACKQUOTE",
            "lineEnding": "CRLF",
            "assignmentRuleId": "01Q000000000001AAA",
            "contentType": "CSV",
        },
        job("Open"),
    ),
    "V2 create a query job": Row(
        lambda sf: sf.bulk.create_query_job(SOQL),
        "POST",
        f"{JOBS}/query",
        {
            "operation": "query",
            "query": SOQL,
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
            "contentType": "CSV",
        },
        job("UploadComplete"),
    ),
    "V2 create a query job for deleted records too": Row(
        lambda sf: sf.bulk.create_query_job(SOQL, include_deleted=True, column_delimiter="TAB", line_ending="CRLF"),
        "POST",
        f"{JOBS}/query",
        {
            "operation": "queryAll",
            "query": SOQL,
            "columnDelimiter": "TAB",
            "lineEnding": "CRLF",
            "contentType": "CSV",
        },
        job("UploadComplete"),
    ),
    "V4 get an ingest job": Row(
        lambda sf: sf.bulk.get_job(JOB, "ingest"), "GET", f"{JOBS}/ingest/{JOB}", answer=job("Open")
    ),
    "V4 get a query job": Row(
        lambda sf: sf.bulk.get_job(JOB, "query"), "GET", f"{JOBS}/query/{JOB}", answer=job("InProgress")
    ),
    "V5 upload": Row(lambda sf: sf.bulk.upload(JOB, CSV), "PUT", f"{JOBS}/ingest/{JOB}/batches", CSV, Reply(201, b"")),
    "V6 close": Row(
        lambda sf: sf.bulk.close(JOB),
        "PATCH",
        f"{JOBS}/ingest/{JOB}",
        {"state": "UploadComplete"},
        job("UploadComplete"),
    ),
    "V8 abort an ingest job": Row(
        lambda sf: sf.bulk.abort_job(JOB, "ingest"),
        "PATCH",
        f"{JOBS}/ingest/{JOB}",
        {"state": "Aborted"},
        job("Aborted"),
    ),
    "V8 abort a query job": Row(
        lambda sf: sf.bulk.abort_job(JOB, "query"),
        "PATCH",
        f"{JOBS}/query/{JOB}",
        {"state": "Aborted"},
        job("Aborted"),
    ),
    "V9 delete an ingest job": Row(
        lambda sf: sf.bulk.delete_job(JOB, "ingest"), "DELETE", f"{JOBS}/ingest/{JOB}", answer=DONE
    ),
    "V9 delete a query job": Row(
        lambda sf: sf.bulk.delete_job(JOB, "query"), "DELETE", f"{JOBS}/query/{JOB}", answer=DONE
    ),
    "V10 ingest jobs": Row(
        lambda sf: list(sf.bulk.ingest_jobs(job_type="V2Ingest")),
        "GET",
        f"{JOBS}/ingest?jobType=V2Ingest",
        answer={"done": True, "records": [job("Open")], "nextRecordsUrl": None},
    ),
    "V11 query jobs": Row(
        lambda sf: list(sf.bulk.query_jobs()),
        "GET",
        f"{JOBS}/query",
        answer={"done": True, "records": [], "nextRecordsUrl": None},
    ),
    "V13 query results": Row(
        lambda sf: sf.bulk.query_results(JOB), "GET", f"{JOBS}/query/{JOB}/results", answer=results()
    ),
    "V13 a page of query results": Row(
        lambda sf: sf.bulk.query_results(JOB, max_records=50, locator="a+b/c"),
        "GET",
        f"{JOBS}/query/{JOB}/results?maxRecords=50&locator=a%2Bb%2Fc",
        answer=results("1,2"),
    ),
}


def made(make: Callable[[Salesforce], Any], *answers: Any) -> tuple[list[Seen], Any]:
    """The requests of a call, and what comes of it."""
    replies = [each if isinstance(each, Reply) else Reply.of(each) for each in answers]
    with Server(replies) as server, Salesforce(auth.AccessToken(server.url, "x")) as sf:
        result = make(sf)
    return server.seen, result


@pytest.mark.parametrize("row", CALLS.values(), ids=CALLS)
def test_a_call_makes_one_request(row: Row) -> None:
    seen, _ = made(row.make, row.answer)
    assert [(each.method, each.target) for each in seen] == [(row.method, row.target)]
    if row.body is None:
        assert (seen[0].body, seen[0].headers.get("content-type")) == (b"", None)
    elif isinstance(row.body, bytes):
        assert seen[0].body == row.body
    else:
        assert json.loads(seen[0].body) == row.body
        assert seen[0].headers["content-type"].startswith("application/json")


# What asks for the job first; see the tests below.
ELSEWHERE = {"V3", "V7", "V12"}


def test_the_list_is_complete() -> None:
    listed = {key.split()[0] for key in CALLS}
    assert listed.isdisjoint(ELSEWHERE)
    numbers = {"R": 32, "A": 1, "V": 13, "B": 9, "S": 1}
    assert listed | ELSEWHERE == {f"{kind}{each}" for kind, most in numbers.items() for each in range(1, most + 1)}


@pytest.mark.parametrize(
    ("create", "kind"),
    [
        pytest.param(lambda sf: sf.bulk.create_query_job(SOQL), "query", id="V3"),
        pytest.param(lambda sf: sf.bulk.create_ingest_job("insert", "Account"), "ingest", id="V7"),
    ],
)
def test_a_job_is_waited_for(create: Callable[[Salesforce], Any], kind: str) -> None:
    def waited(sf: Salesforce) -> Any:
        handle = create(sf)
        if kind == "ingest":
            handle.close()
        return handle.wait(timeout=60)

    closing = [job("UploadComplete")] if kind == "ingest" else []
    seen, handle = made(waited, job("Open"), *closing, job("JobComplete"))
    assert (handle.id, handle.state) == (JOB, "JobComplete")
    assert [(each.method, each.target) for each in seen] == [
        ("POST", f"{JOBS}/{kind}"),
        *[("PATCH", f"{JOBS}/{kind}/{JOB}")] * len(closing),
        ("GET", f"{JOBS}/{kind}/{JOB}"),
    ]


@pytest.mark.parametrize(
    ("read", "path", "columns"),
    [
        pytest.param(lambda job: job.successful(), "successfulResults", "sf__Id;sf__Created;Name", id="V12 successful"),
        pytest.param(lambda job: job.failed(), "failedResults", "sf__Id;sf__Error;Name", id="V12 failed"),
        pytest.param(lambda job: job.unprocessed(), "unprocessedrecords", "Name", id="V12 unprocessed"),
    ],
)
def test_results_are_rows_in_the_delimiter_of_their_job(read: Callable[[Any], Any], path: str, columns: str) -> None:
    ended = job("Aborted", columnDelimiter="SEMICOLON", numberRecordsProcessed=1)
    names = columns.split(";")
    row = dict(zip(names, ['a\\"\n,;', *"xy"], strict=False))
    quoted = ";".join('"{}"'.format(value.replace('"', '""')) for value in row.values())
    for rows, answer in [([row], results(quoted, header=columns)), ([], Reply(200, b"", {"Content-Type": "text/csv"}))]:
        seen, found = made(lambda sf: list(read(sf.bulk.ingest_job(JOB))), ended, answer)
        assert found == rows
        assert [(each.method, each.target) for each in seen] == [
            ("GET", f"{JOBS}/ingest/{JOB}"),
            ("GET", f"{JOBS}/ingest/{JOB}/{path}"),
        ]


def test_d1_actions_are_invoked_by_a_post_of_their_inputs() -> None:
    good: dict[str, Any] = {"actionName": "a", "errors": None, "isSuccess": True, "outputValues": {}}
    for path in ["chatterPost", "/standard/chatterPost", "custom/flow/My_Flow", "custom/emailAlert/Account/My_Alert"]:
        (seen,), _ = made(lambda sf, path=path: sf.actions.invoke(path, [{"text": "é"}, {}]), [good, good])  # type: ignore[misc]
        assert (seen.method, json.loads(seen.body)) == ("POST", {"inputs": [{"text": "é"}, {}]})


def test_d2_an_abort_aborts() -> None:
    aborted = {**JOB_INFO, "state": "Aborted"}
    for answer in [
        aborted,
        Reply(200, b"<jobInfo><id>750</id><operation>insert</operation><state>Aborted</state></jobInfo>"),
    ]:
        (seen,), info = made(lambda sf: sf.bulk_v1.abort_job(JOB), answer)
        assert (json.loads(seen.body), info.state) == ({"state": "Aborted"}, "Aborted")


def test_d3_batches_in_progress_are_not_those_that_wait() -> None:
    counts = {"numberBatchesQueued": 3, "numberBatchesInProgress": 5}
    text = "".join(f"<{name}>{count}</{name}>" for name, count in counts.items())
    xml = f"<jobInfo><id>750</id><operation>insert</operation><state>Open</state>{text}</jobInfo>"
    for answer in [{**JOB_INFO, **counts}, Reply(200, xml.encode(), {"Content-Type": "application/xml"})]:
        _, info = made(lambda sf: sf.bulk_v1.get_job(JOB), answer)
        assert (info.number_batches_queued, info.number_batches_in_progress) == (3, 5)


def test_d4_query_jobs_are_not_listed_as_ingest_jobs() -> None:
    answer = {"done": True, "records": [], "nextRecordsUrl": None}
    for job_type, query in [(None, ""), ("V2Query", "?jobType=V2Query")]:
        (seen,), _ = made(lambda sf, kind=job_type: list(sf.bulk.query_jobs(job_type=kind)), answer)  # type: ignore[misc]
        assert (seen.method, seen.target) == ("GET", f"{DATA}/jobs/query{query}")


def test_d5_quick_actions_are_those_of_the_object() -> None:
    for name in ["Account", "Invoice__c"]:
        (seen,), _ = made(lambda sf, name=name: sf.sobject(name).quick_actions(), [])  # type: ignore[misc]
        assert seen.target == f"{DATA}/sobjects/{name}/quickActions"


def ingesting(seen: Seen) -> Reply:
    """Take any data for any job, each of them with an id that the object has in its name."""
    if seen.method == "POST":
        return Reply.of({**job("Open"), "id": json.loads(seen.body)["object"].ljust(18, "0")})
    if seen.method == "PUT":
        return Reply(201, b"")
    return Reply.of({**job("UploadComplete"), "id": seen.target.rpartition("/")[2]})


def test_d6_uploads_quote_as_rfc_4180_has_it_and_share_nothing() -> None:
    ugly = ['a,b "c" d', "line\nline", "line\r\nline", '"', "", " x ", "back\\slash", "\u2028", "é😀"]
    rows = {name: [{"Name": f"{name} {text}", "Site": text} for text in ugly * 200] for name in ("First", "Second")}
    both = threading.Barrier(2)

    def upload(sf: Salesforce, name: str) -> None:
        def meet(_: Any) -> None:
            both.wait(30)

        sf.bulk.insert(name, rows[name], on_job=meet)

    with Server(ingesting) as server, Salesforce(auth.AccessToken(server.url, "x")) as sf:
        threads = [threading.Thread(target=upload, args=(sf, name)) for name in rows]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    puts = [seen for seen in server.seen if seen.method == "PUT"]
    # Whether Salesforce takes data without a length is not documented.
    assert all(int(seen.headers["content-length"]) == len(seen.body) > 0 for seen in puts)
    bodies = {seen.target.split("/")[-2].rstrip("0"): seen.body for seen in puts}
    for name, expected in rows.items():
        assert list(csv.DictReader(io.StringIO(bodies[name].decode(), newline=""), strict=True)) == expected


@pytest.mark.parametrize("shift", range(4))
def test_d7_characters_across_the_borders_of_chunks_arrive_unharmed(shift: int, tmp_path: Path) -> None:
    text = "Name,Site\n" + "x" * shift + ",é\n" + f'{"😀" * 5_000},"{"𝒳ü" * 900}\n"\n' * 60
    path = tmp_path / "accounts.csv"
    path.write_bytes(text.encode())
    with Server(ingesting) as server, Salesforce(auth.AccessToken(server.url, "x")) as sf:
        sf.bulk.insert("Account", path)
        sf.bulk.insert("Account", csv.DictReader(io.StringIO(text, newline="")))
    assert [seen.body.decode() for seen in server.seen if seen.method == "PUT"] == [text, text]


@pytest.mark.parametrize("kind", ["ingest", "query"])
def test_d10_waiting_ends_in_time_survives_lost_polls_and_takes_no_failure_for_success(kind: str) -> None:
    time = FakeTime()

    def handle(sf: Salesforce) -> Any:
        return sf.bulk.create_query_job(SOQL) if kind == "query" else sf.bulk.create_ingest_job("insert", "Account")

    def waiting(*answers: Any, **options: Any) -> Any:
        replies = [
            each if isinstance(each, Reply | Cut) else Reply.of(each) for each in (job("UploadComplete"), *answers)
        ]
        retry = time.retry(attempts=1)
        with Server(replies) as server, Salesforce(auth.AccessToken(server.url, "x"), retry=retry) as sf:
            return handle(sf).wait(**options)

    lost = [Cut(), Reply(503, b""), Reply.error(500, "UNKNOWN_EXCEPTION")]
    assert waiting(*[job("InProgress")] * 20, *lost, job("JobComplete")).state == "JobComplete"
    assert time.slept == sorted(time.slept)
    assert time.slept[0] < time.slept[-1]
    for state in ("Failed", "Aborted"):
        with pytest.raises(errors.JobError, match="out of luck"):
            waiting(job("InProgress"), {**job(state), "errorMessage": "out of luck"})
    with pytest.raises(errors.JobTimeoutError) as caught:
        waiting(job("InProgress"), timeout=5.0)
    assert caught.value.job.id == JOB

    def cancel(_: JobProgress) -> None:
        raise RuntimeError

    with pytest.raises(errors.JobError, match="RuntimeError"):
        waiting(job("InProgress"), progress=cancel)


def test_d8_results_in_csv_are_read_as_csv() -> None:
    rows = ['"Id","Success","Created","Error"', f'"{ACCOUNT}","true","true",""']
    rows += ['"","false","false","TOO_LONG:a ""b"", c\nd\\: [Name]:Name,Phone --"', ""]
    _, results = made(lambda sf: list(sf.bulk_v1.get_batch_result(JOB, BATCH)), Reply(200, "\n".join(rows).encode()))
    assert [(each.id, each.success, each.created) for each in results] == [(ACCOUNT, True, True), (None, False, False)]
    assert results[1].errors == (errors.ErrorDetail("TOO_LONG", 'a "b", c\nd\\: [Name]', ("Name", "Phone")),)


def test_d8_the_headers_of_further_results_are_no_rows() -> None:
    ids = Reply(200, b"<result-list><result>752000000000001</result><result>752000000000002</result></result-list>")
    first, second = Reply(200, b'"Id","Name"\n"1","a\n\\b"\n'), Reply(200, b'"Id","Name"\n"2","c"')
    seen, rows = made(lambda sf: list(sf.bulk_v1.get_batch_result(JOB, BATCH)), ids, first, second)
    assert rows == [{"Id": "1", "Name": "a\n\\b"}, {"Id": "2", "Name": "c"}]
    result = f"{ASYNC}/job/{JOB}/batch/{BATCH}/result"
    assert [each.target for each in seen] == [result, f"{result}/752000000000001", f"{result}/752000000000002"]


@pytest.mark.parametrize("key", ["R9", "R12", "R14", "R15", "R16", "R17", "R18", "R24", "V13"])
def test_d12_values_are_percent_encoded(key: str) -> None:
    for row in (row for name, row in CALLS.items() if name.split()[0] == key):
        (seen,), _ = made(row.make, row.answer)
        path, _, query = seen.target.partition("?")
        assert seen.target.isascii()
        assert not set(path + query) & set(" +#?")


def listed(*ids: str, following: str | None = None) -> dict[str, Any]:
    records = [{"id": each, "operation": "query", "state": "JobComplete"} for each in ids]
    return {"done": following is None, "records": records, "nextRecordsUrl": following}


@pytest.mark.parametrize("kind", ["ingest", "query"])
def test_d11_lists_of_jobs_have_all_their_pages(kind: str) -> None:
    def ids(sf: Salesforce) -> list[str]:
        return [each.id for each in getattr(sf.bulk, f"{kind}_jobs")()]

    pages = [f"{JOBS}/{kind}", f"{JOBS}/{kind}?queryLocator=a%2Bb", f"{JOBS}/{kind}?queryLocator=c"]
    seen, found = made(ids, listed("1", "2", following=pages[1]), listed(following=pages[2]), listed("3"))
    assert found == ["1", "2", "3"]
    assert [each.target for each in seen] == pages


def test_d9_results_are_read_from_any_page_as_often_as_one_likes() -> None:
    def reply(seen: Seen) -> Reply:
        first = "locator" not in seen.target
        return results('1,"a\n"", é"', "2,", locator="abc") if first else results("3,c")

    with Server(reply) as server, Salesforce(auth.AccessToken(server.url, "x")) as sf:
        one, again = sf.bulk.query_results(JOB), sf.bulk.query_results(JOB)
        last, once_more = (sf.bulk.query_results(JOB, locator="abc") for _ in range(2))
    assert one == again
    assert one.rows == [{"Id": "1", "Name": 'a\n", é'}, {"Id": "2", "Name": ""}]
    assert one.locator == "abc"
    # The header comes with each page, and is no row.
    assert last.rows == once_more.rows == [{"Id": "3", "Name": "c"}]
    assert last.locator is None
    assert "é" not in repr(one)


def test_d12_the_names_of_objects_and_fields_cannot_lead_elsewhere() -> None:
    with Salesforce(auth.AccessToken("https://example.my.salesforce.com", "x")) as sf:
        for name in [ANY_TEXT, "Account/describe", "..", ""]:
            with pytest.raises(ValueError, match="object"):
                sf.sobject(name)
            with pytest.raises(ValueError, match="field"):
                sf.sobject("Account").get_by_external_id(name, "x")
            with pytest.raises(ValueError, match="id"):
                sf.sobject("Account").get(name)
            with pytest.raises(ValueError, match="id"):
                sf.reports.delete(name)


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete"])
@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_d13_apex_takes_every_success_whatever_its_body(verb: str, status: int) -> None:
    bodies = [b""] if status == 204 else [b'{"a": 1}', b"plain", b""]
    results = [
        made(lambda sf: getattr(sf.apex, verb)("orders"), Reply(status, body, {"Content-Type": "text/plain"}))[1]
        for body in bodies
    ]
    assert results == ([None] if status == 204 else ['{"a": 1}', "plain", None])


def test_d13_an_error_of_apex_that_is_no_json_shows_status_and_text() -> None:
    reply = Reply(409, b"The warehouse is closed.", {"Content-Type": "text/plain"})
    with pytest.raises(errors.ApiError, match=r"409 The warehouse is closed\.") as caught:
        made(lambda sf: sf.apex.post("orders", json={}), reply)
    assert caught.value.status == 409


def test_d14_an_empty_page_of_a_query_is_passed_over() -> None:
    def page(*names: str, following: int | None = None) -> dict[str, Any]:
        rest = {} if following is None else {"nextRecordsUrl": f"{DATA}/query/{following}"}
        return {"totalSize": 2, "done": following is None, "records": [{"Name": name} for name in names], **rest}

    def names(sf: Salesforce) -> list[str]:
        return [record["Name"] for record in sf.query("SELECT Name FROM Account")]

    assert made(names, page("a", following=1), page(following=2), page("b"))[1] == ["a", "b"]
    assert made(names, page("a", "b", following=1), page())[1] == ["a", "b"]
