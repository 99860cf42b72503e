"""The calls of Bulk API 1.0: what they send, what they make of answers in each format, and how a session ends."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from http_server import Answer, Cut, Reply, Server
from session_tools import TOKEN, Numbered, quick

from sfconnector import BulkV1Job, PkChunking, Salesforce, auth, errors

JOB, BATCH, ROOT = "750000000000001AAA", "751000000000001AAA", "/services/async/68.0/job"
INFO = {
    "id": JOB,
    "operation": "insert",
    "object": "Account",
    "createdById": "005000000000001AAA",
    "createdDate": "2026-01-31T01:02:03.000+0000",
    "systemModstamp": "2026-01-31T01:02:04.000+0000",
    "state": "Open",
    "externalIdFieldName": None,
    "concurrencyMode": "Parallel",
    "contentType": "CSV",
    "apiVersion": 68.0,
    "numberBatchesQueued": 1,
    "numberBatchesInProgress": 2,
    "numberBatchesCompleted": 3,
    "numberBatchesFailed": 4,
    "numberBatchesTotal": 10,
    "numberRecordsProcessed": 5,
    "numberRecordsFailed": 6,
    "numberRetries": 7,
    "totalProcessingTime": 8,
    "apiActiveProcessingTime": 9,
    "apexProcessingTime": 0,
}
BATCH_INFO = {
    "id": BATCH,
    "jobId": JOB,
    "state": "Failed",
    "stateMessage": "InvalidBatch : Field name not found : Nmae",
    "createdDate": "2026-01-31T01:02:03.000+0000",
    "systemModstamp": "2026-01-31T01:02:03.000+0000",
    "numberRecordsProcessed": 0,
    "numberRecordsFailed": 0,
    "totalProcessingTime": 0,
    "apiActiveProcessingTime": 0,
    "apexProcessingTime": 0,
}
NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"


def xml(root: str, info: dict[str, Any]) -> Reply:
    """An answer as Salesforce writes it, with a newline after the name of the root."""
    fields = "".join(f" <{name}>{value}</{name}>\n" for name, value in info.items() if value is not None)
    text = f'<?xml version="1.0" encoding="UTF-8"?><{root}\n   xmlns="{NAMESPACE}">\n{fields}</{root}>'
    return Reply(200, text.encode(), {"Content-Type": "application/xml"})


@contextmanager
def on(*answers: Answer, **options: Any) -> Iterator[tuple[Salesforce, Server]]:
    login = options.pop("login", lambda url: auth.AccessToken(url, TOKEN))
    with Server(answers) as server, Salesforce(login(server.url), retry=quick(), **options) as sf:
        yield sf, server


def job_on(sf: Salesforce, **changes: Any) -> BulkV1Job:
    from sfconnector_generated.bulk_v1.models import JobInfo

    return BulkV1Job(sf._session, JobInfo.from_dict({**INFO, **changes}))


def test_xml_and_json_tell_the_same_of_jobs_and_batches() -> None:
    batches = Reply.of({"batchInfo": [BATCH_INFO]})
    listed = xml("batchInfoList", {"batchInfo": "".join(f"<{k}>{v}</{k}>" for k, v in BATCH_INFO.items())})
    answers = [
        Reply.of(INFO),
        xml("jobInfo", INFO),
        Reply.of(BATCH_INFO),
        xml("batchInfo", BATCH_INFO),
        batches,
        listed,
    ]
    with on(*answers) as (sf, _):
        jobs = [sf.bulk_v1.get_job(JOB).to_dict() for _ in range(2)]
        found = [sf.bulk_v1.get_batch(JOB, BATCH) for _ in range(2)]
        lists = [sf.bulk_v1.list_batches(JOB) for _ in range(2)]
    # XML leaves out what JSON calls null.
    assert {name: value for name, value in jobs[0].items() if value is not None} == jobs[1]
    assert (jobs[1]["numberBatchesQueued"], jobs[1]["numberBatchesInProgress"], jobs[1]["apiVersion"]) == (1, 2, 68.0)
    assert found[0] == found[1]
    assert lists[0] == lists[1] == found[:1]


def test_lists_of_batches_are_in_the_order_in_which_they_were_added() -> None:
    def batch(number: int, second: int) -> dict[str, Any]:
        return {**BATCH_INFO, "id": f"7510000000000{number:02}AAA", "createdDate": f"2026-01-31T01:02:{second:02}.000Z"}

    shuffled = [batch(3, 2), batch(1, 1), batch(4, 1), batch(2, 3)]
    empty = Reply(200, f'<batchInfoList\n   xmlns="{NAMESPACE}"/>'.encode(), {"Content-Type": "application/xml"})
    with on(Reply.of({"batchInfo": shuffled}), empty) as (sf, _):
        assert [each.id[13:15] for each in sf.bulk_v1.list_batches(JOB)] == ["01", "04", "03", "02"]
        assert sf.bulk_v1.list_batches(JOB) == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"operation": "upsert"}, "an upsert needs external_id"),
        ({"external_id": "Ext__c"}, "external_id is for upserts, and the operation is insert"),
        ({"operation": "INSERT"}, "operation is one of insert, update, upsert, delete, hardDelete, query, queryAll"),
        ({"content_type": "csv"}, "content_type is one of CSV, JSON, XML, ZIP_CSV, ZIP_JSON, ZIP_XML, not 'csv'"),
        ({"concurrency_mode": "serial"}, "concurrency_mode is one of Parallel, Serial"),
        ({"line_ending": "CR"}, "line_ending is one of LF, CRLF"),
        ({"sobject": "Account/describe"}, "no API name"),
        ({"assignment_rule_id": "rule"}, "no id"),
        ({"pk_chunking": True}, "pk_chunking cuts queries, and the operation is insert"),
        ({"operation": "query", "pk_chunking": 1}, "pk_chunking is True, False or a PkChunking"),
    ],
)
def test_a_job_that_cannot_be_is_refused_before_anything_is_sent(arguments: dict[str, Any], reason: str) -> None:
    with on(Reply.of(INFO)) as (sf, server):
        with pytest.raises((ValueError, TypeError), match=reason):
            sf.bulk_v1.create_job(**{"operation": "insert", "sobject": "Account", **arguments})
        assert server.seen == []


@pytest.mark.parametrize(
    ("options", "header"),
    [
        (True, "TRUE"),
        (PkChunking(), "TRUE"),
        (PkChunking(250_000), "chunkSize=250000"),
        (
            PkChunking(1, "Account", "001000000000001AAA"),
            "chunkSize=1; parent=Account; startRow=001000000000001AAA",
        ),
        (False, None),
    ],
)
def test_headers_of_a_job(options: Any, header: str | None) -> None:
    with on(Reply.of(INFO, 201)) as (sf, server):
        sf.bulk_v1.create_job("query", "Account", pk_chunking=options, line_ending="CRLF", retry_batches=False)
    headers = server.seen[0].headers
    assert headers.get("sforce-enable-pkchunking") == header
    assert (headers["sforce-line-ending"], headers["sforce-disable-batch-retry"]) == ("CRLF", "TRUE")


@pytest.mark.parametrize("options", [{"chunk_size": 0}, {"chunk_size": 250_001}, {"chunk_size": True}, {"parent": ""}])
def test_chunks_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"chunk_size|parent"):
        PkChunking(**options)
    with pytest.raises(ValueError, match="no id"):
        PkChunking(start_row="001; parent=Case")


FORMS: dict[str, Callable[[Path], Any]] = {
    "a text": lambda _: "Name\né\n",
    "bytes": lambda _: "Name\né\n".encode(),
    "a path": lambda path: path,
    "a file": lambda path: path.open("rb"),
    "rows": lambda _: iter([{"Name": "é"}]),
}


@pytest.mark.parametrize("form", FORMS)
def test_batches_of_every_form(form: str, tmp_path: Path) -> None:
    (tmp_path / "batch.csv").write_bytes("Name\né\n".encode())
    data = FORMS[form](tmp_path / "batch.csv")
    with on(Reply.of(BATCH_INFO, 201)) as (sf, server):
        sf.bulk_v1.add_batch(job_on(sf), data)
    if hasattr(data, "close"):
        assert not data.closed
        data.close()
    assert server.seen[0].body == "Name\né\n".encode()
    assert server.seen[0].headers["content-length"] == "8"


@pytest.mark.parametrize(
    ("content_type", "media_type", "data", "body"),
    [
        ("CSV", "text/csv; charset=UTF-8", [{"A": 1, "B": None}, {"C": "x"}], b"A,B,C\n1,#N/A,\n,,x\n"),
        ("JSON", "application/json; charset=UTF-8", [{"A": 1, "B": None}], b'[{"A":1,"B":null}]'),
        (
            "XML",
            "application/xml; charset=UTF-8",
            [{"A": 1, "B": None}],
            b'<?xml version="1.0" encoding="UTF-8"?><sObjects xmlns="http://www.force.com/2009/06/asyncapi/dataload" '
            b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            b'<sObject><A>1</A><B xsi:nil="true"/></sObject></sObjects>',
        ),
        ("ZIP_CSV", "zip/csv", b"PK", b"PK"),
        ("ZIP_JSON", "zip/json", b"PK", b"PK"),
        ("ZIP_XML", "zip/xml", b"PK", b"PK"),
    ],
)
def test_each_content_type_has_its_media_type(content_type: str, media_type: str, data: Any, body: bytes) -> None:
    with on(Reply.of(BATCH_INFO, 201)) as (sf, server):
        sf.bulk_v1.add_batch(job_on(sf, contentType=content_type), data)
        sf.bulk_v1.add_batch(JOB, data, content_type=content_type)
    assert {(seen.headers["content-type"], seen.body) for seen in server.seen} == {(media_type, body)}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "the batch is empty"),
        ([], "there are no columns"),
        ("x" * 10_000_001, "the batch has 10,000,001 bytes, and Salesforce takes 10,000,000"),
        ([{"A": 1}] * 10_001, "there are more than 10,000 rows"),
        ({"A": 1}, "a batch is a text, bytes, a path, a file or an iterable of dicts, not a dict"),
        (3, "not a int"),
        (["A"], "row 0: a row is a dict"),
        (io.StringIO("A"), "not a StringIO"),
        (Path("missing.csv"), "cannot be read"),
    ],
)
def test_a_batch_that_cannot_be_is_refused_before_anything_is_sent(data: Any, reason: str) -> None:
    with on(Reply.of(BATCH_INFO)) as (sf, server):
        with pytest.raises((ValueError, TypeError), match=reason):
            sf.bulk_v1.add_batch(JOB, data, content_type="CSV")
        with pytest.raises(ValueError, match="give content_type="):
            sf.bulk_v1.add_batch(JOB, "A\n1\n")
        with pytest.raises(TypeError, match="zip file"):
            sf.bulk_v1.add_batch(JOB, [{"A": 1}], content_type="ZIP_CSV")
        assert server.seen == []


def test_a_batch_that_may_have_been_added_is_not_sent_again() -> None:
    with on(Cut()) as (sf, server):
        with pytest.raises(errors.TransportError, match="the request may have arrived") as caught:
            sf.bulk_v1.add_batch(JOB, "Name\nSecret\n", content_type="CSV")
        assert "Secret" not in str(caught.value)
    assert len(server.seen) == 1


def test_a_job_may_be_created_again_and_closed_again() -> None:
    refused = Reply.of({"exceptionCode": "InvalidJobState", "exceptionMessage": "closed already"}, 400)
    closed = Reply.of({**INFO, "state": "Closed"})
    with on(Cut(), Reply.of(INFO, 201), Cut(), refused, closed) as (sf, server):
        job = sf.bulk_v1.create_job("insert", "Account")
        assert job.close().state == "Closed"
    assert [(seen.method, seen.target) for seen in server.seen] == [
        ("POST", ROOT),
        ("POST", ROOT),
        ("POST", f"{ROOT}/{JOB}"),
        ("POST", f"{ROOT}/{JOB}"),
        ("GET", f"{ROOT}/{JOB}"),
    ]


def test_a_job_that_cannot_be_closed_says_so() -> None:
    refused = Reply.of({"exceptionCode": "InvalidJobState", "exceptionMessage": "it is aborted"}, 400)
    aborted = Reply.of({**INFO, "state": "Aborted"})
    with on(refused, aborted) as (sf, _), pytest.raises(errors.BadRequestError, match="InvalidJobState: it is aborted"):
        sf.bulk_v1.close_job(JOB)


EXPIRED_JSON = Reply.of({"exceptionCode": "InvalidSessionId", "exceptionMessage": "Invalid session id"}, 400)
EXPIRED_XML = Reply(
    400,
    b'<?xml version="1.0" encoding="UTF-8"?><error\n   xmlns="http://www.force.com/2009/06/asyncapi/dataload">'
    b"<exceptionCode>InvalidSessionId</exceptionCode><exceptionMessage>Invalid session id</exceptionMessage></error>",
    {"Content-Type": "application/xml"},
)
RESULTS = Reply(200, b'"Id","Success","Created","Error"\n"001000000000001AAA","true","false",""\n')
SESSION_CALLS: dict[str, tuple[Callable[[Salesforce], Any], Reply]] = {
    "B1": (lambda sf: sf.bulk_v1.create_job("insert", "Account"), Reply.of(INFO, 201)),
    "B2": (lambda sf: sf.bulk_v1.get_job(JOB), Reply.of(INFO)),
    "B3": (lambda sf: sf.bulk_v1.close_job(JOB), Reply.of(INFO)),
    "B4": (lambda sf: sf.bulk_v1.abort_job(JOB), Reply.of(INFO)),
    "B5": (lambda sf: sf.bulk_v1.add_batch(JOB, [{"A": 1}] * 5000, content_type="CSV"), Reply.of(BATCH_INFO, 201)),
    "B6": (lambda sf: sf.bulk_v1.get_batch(JOB, BATCH), Reply.of(BATCH_INFO)),
    "B7": (lambda sf: sf.bulk_v1.list_batches(JOB), Reply.of({"batchInfo": []})),
    "B8": (lambda sf: sf.bulk_v1.get_batch_request(JOB, BATCH), Reply(200, b"A\n1\n")),
    "B9": (lambda sf: list(sf.bulk_v1.get_batch_result(JOB, BATCH)), RESULTS),
}


@pytest.mark.parametrize("expired", [EXPIRED_JSON, EXPIRED_XML], ids=["JSON", "XML"])
@pytest.mark.parametrize("name", SESSION_CALLS)
def test_an_expired_session_is_renewed_and_the_call_sent_again(name: str, expired: Reply) -> None:
    make, answer = SESSION_CALLS[name]
    with on(expired, answer, login=Numbered) as (sf, server):
        make(sf)
    assert [seen.headers["x-sfdc-session"] for seen in server.seen] == ["T1", "T2"]
    assert not any("authorization" in seen.headers for seen in server.seen)
    first, second = server.seen
    assert (first.method, first.target, first.body) == (second.method, second.target, second.body)


def texts(results: Iterator[Any]) -> list[Any]:
    return [(each.id, each.success, each.created, each.errors) for each in results]


ONE = "001000000000001AAA"
GOOD_AND_BAD = [
    (ONE, True, True, ()),
    (None, False, False, (errors.ErrorDetail("TOO_LONG", "Name: <too> long", ("Name", "Phone")),)),
    (ONE, False, False, (errors.ErrorDetail("X", "", ()),)),
]
RESULTS_IN = {
    "CSV": f'"Id","Success","Created","Error"\n"{ONE}","true","true",""\n'
    f'"","false","false","TOO_LONG:Name: <too> long:Name,Phone --"\n"{ONE}","false","false","X::--"\n',
    "JSON": json.dumps(
        [
            {"id": ONE, "success": True, "created": True, "errors": []},
            {
                "id": None,
                "success": False,
                "created": False,
                "errors": [
                    {
                        "statusCode": "TOO_LONG",
                        "message": "Name: <too> long",
                        "fields": ["Name", "Phone"],
                        "extendedErrorDetails": None,
                    }
                ],
            },
            {"id": ONE, "success": False, "created": False, "errors": [{"statusCode": "X", "message": None}]},
        ],
        indent=1,
    ),
    "XML": f'<?xml version="1.0" encoding="UTF-8"?><results xmlns="{NAMESPACE}">'
    f"<result><id>{ONE}</id><success>true</success><created>true</created></result>"
    "<result><errors><fields>Name</fields><fields>Phone</fields><message>Name: &lt;too&gt; long</message>"
    "<statusCode>TOO_LONG</statusCode></errors><success>false</success><created>false</created></result>"
    f"<result><id>{ONE}</id><errors><statusCode>X</statusCode></errors><success>false</success>"
    "<created>false</created></result></results>",
}


@pytest.mark.parametrize("data_format", RESULTS_IN)
def test_results_of_rows_are_the_same_in_every_format(data_format: str) -> None:
    # Whatever the headers say.
    with on(Reply(200, RESULTS_IN[data_format].encode(), {"Content-Type": "application/octet-stream"})) as (sf, _):
        assert texts(sf.bulk_v1.get_batch_result(JOB, BATCH)) == GOOD_AND_BAD


QUERIES_IN = {
    "CSV": ('"Id","Name"\n"1","é ""\\\n,"\n', [{"Id": "1", "Name": 'é "\\\n,'}]),
    "JSON": (
        '[ {"attributes": {"type": "Account"}, "Id": "1", "N": 1.50, "Owner": {"Name": null}} ]',
        [{"attributes": {"type": "Account"}, "Id": "1", "N": 1.5, "Owner": {"Name": None}}],
    ),
    "XML": (
        f'<queryResult xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<records xsi:type="sObject"><type>Account</type><Id>1</Id><Id>1</Id><Name xsi:nil="true"/>'
        '<Owner xsi:type="sObject"><type>User</type><Name>é&amp;</Name></Owner>'
        '<Contacts xsi:type="QueryResult"><done>true</done><records xsi:type="sObject"><Id>2</Id></records></Contacts>'
        "</records></queryResult>",
        [
            {
                "type": "Account",
                "Id": "1",
                "Name": None,
                "Owner": {"type": "User", "Name": "é&"},
                "Contacts": {"done": "true", "records": [{"Id": "2"}]},
            }
        ],
    ),
}


@pytest.mark.parametrize("data_format", QUERIES_IN)
def test_records_of_a_query_in_every_format(data_format: str) -> None:
    text, records = QUERIES_IN[data_format]
    ids = (
        Reply.of(["752000000000001"])
        if data_format == "JSON"
        else Reply(200, f'<result-list xmlns="{NAMESPACE}"><result>752000000000001</result></result-list>'.encode())
    )
    with on(ids, Reply(200, text.encode())) as (sf, _):
        assert list(sf.bulk_v1.get_batch_result(JOB, BATCH)) == records


EMPTY = ["", "[]", f'<results xmlns="{NAMESPACE}"/>', f'<result-list xmlns="{NAMESPACE}"/>']
NOTHING = [
    "Records not found for this query",
    '"Records not found for this query"\n',
    '"Id"\n',
    "[ ]",
    "<queryResult/>",
]


@pytest.mark.parametrize("text", EMPTY)
def test_a_batch_without_rows_has_no_results(text: str) -> None:
    with on(Reply(200, text.encode())) as (sf, _):
        assert list(sf.bulk_v1.get_batch_result(JOB, BATCH)) == []


@pytest.mark.parametrize("text", NOTHING)
def test_a_query_that_finds_nothing_has_no_records(text: str) -> None:
    with on(Reply.of(["752000000000001"]), Reply(200, text.encode())) as (sf, _):
        assert list(sf.bulk_v1.get_batch_result(JOB, BATCH)) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('"Id","Success"\n', "the columns are not those of results"),
        ('"Id","Success","Created","Error"\n"1","true"\n', "cells"),
        ('"Id","Success","Created","Error"\n"1","true","tr', "quote"),
        ('[{"id": 1}', "ends in the middle"),
        ("[1, 2]", "list"),
        ("<results><result></results>", "no XML"),
        ("<results><!DOCTYPE x></results>", "no XML"),
        ('<!DOCTYPE results [<!ENTITY a "x">]><results><result><id>&a;</id></result></results>', "document type"),
        ("<other/>", "not that of results"),
    ],
)
def test_an_answer_that_is_no_result_is_an_error_without_its_text(text: str, reason: str) -> None:
    with on(Reply(200, text.encode())) as (sf, _):
        with pytest.raises(errors.InvalidResponseError, match=reason) as caught:
            list(sf.bulk_v1.get_batch_result(JOB, BATCH))
        assert "true" not in str(caught.value)


def test_results_that_break_off_are_carried_on() -> None:
    body = RESULTS_IN["XML"].encode()
    with on(Reply(200, body[:200], length=len(body), close=True), Reply(200, body)) as (sf, server):
        assert texts(sf.bulk_v1.get_batch_result(JOB, BATCH)) == GOOD_AND_BAD
    assert len(server.seen) == 2


def test_results_that_nobody_reads_to_their_end_hold_no_connection() -> None:
    rows = "".join(f'"{number}","true","true",""\n' for number in range(100_000))
    body = ('"Id","Success","Created","Error"\n' + rows).encode()
    with on(Reply(200, body), max_connections=1) as (sf, server):
        for _ in range(3):
            results = sf.bulk_v1.get_batch_result(JOB, BATCH)
            assert next(results).id == "0"  # type: ignore[union-attr]  # a result of rows
            results.close()  # type: ignore[attr-defined]  # a generator
    assert len(server.seen) == 3


@pytest.mark.parametrize("text", ["SELECT Id FROM Account", "Name\né\n", '[{"Name": "é"}]', "<sObjects/>"])
def test_the_request_of_a_batch_is_its_text(text: str) -> None:
    with on(Reply(200, text.encode())) as (sf, _):
        assert sf.bulk_v1.get_batch_request(JOB, BATCH) == text


def test_the_request_of_a_batch_with_files_is_its_list_of_rows() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("request.txt", "Name,Body\né,#a\n")
        file.writestr("a", b"\0\xff")
    with on(Reply(200, archive.getvalue()), Reply(200, b"PK\x03\x04 no zip file")) as (sf, _):
        assert sf.bulk_v1.get_batch_request(JOB, BATCH) == "Name,Body\né,#a\n"
        with pytest.raises(errors.InvalidResponseError, match=r"no request\.txt"):
            sf.bulk_v1.get_batch_request(JOB, BATCH)


def test_a_refusal_has_its_code_and_message() -> None:
    for body, kind in [
        (b'{"exceptionCode":"InvalidBatch","exceptionMessage":"Unable to find batch"}', "application/json"),
        (
            f'<?xml version="1.0"?><error\n xmlns="{NAMESPACE}"><exceptionCode>InvalidBatch</exceptionCode>'
            "<exceptionMessage>Unable to find batch</exceptionMessage></error>".encode(),
            "application/xml",
        ),
    ]:
        with on(Reply(400, body, {"Content-Type": kind})) as (sf, _):
            for call in (sf.bulk_v1.get_batch, lambda *ids: list(sf.bulk_v1.get_batch_result(*ids))):
                with pytest.raises(errors.BadRequestError, match="400 InvalidBatch: Unable to find batch"):
                    call(JOB, BATCH)


def test_ids_cannot_lead_elsewhere() -> None:
    with on(Reply.of(INFO)) as (sf, server):
        for call in (sf.bulk_v1.get_job, sf.bulk_v1.close_job, sf.bulk_v1.abort_job, sf.bulk_v1.list_batches):
            with pytest.raises(ValueError, match="no id"):
                call("../../data")
        with pytest.raises(ValueError, match="no id"):
            sf.bulk_v1.get_batch(JOB, "x/y")
        assert server.seen == []


def test_an_answer_that_is_no_job_is_an_error() -> None:
    for reply in [Reply.of({}), Reply(200, b"<jobInfo><id>1</id></jobInfo>"), Reply(200, b"<jobInfo>")]:
        with on(reply) as (sf, _), pytest.raises(errors.InvalidResponseError):
            sf.bulk_v1.get_job(JOB)


def test_the_handle_of_a_job_shows_what_it_is_and_no_more() -> None:
    with on(Reply.of({**INFO, "state": "Closed"})) as (sf, _):
        job = job_on(sf)
        assert repr(job) == f"<BulkV1Job {JOB}, insert Account, Open>"
        assert (job.info().state, job.state, str(job)) == ("Closed", "Closed", f"job {JOB}")
