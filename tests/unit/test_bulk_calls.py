"""The calls of Bulk API 2.0: what they refuse, and what they make of answers that are not as they should be."""

import gzip
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from http_server import Answer, Cut, Reply, Server
from session_tools import TOKEN, quick

from sfconnector import BulkQueryPage, Salesforce, auth, errors

JOB = "750000000000001AAA"
BASE = "/services/data/v68.0/jobs"
ARRIVED = Reply(201, b"")


@contextmanager
def on(*answers: Answer) -> Iterator[tuple[Salesforce, Server]]:
    with Server(answers) as server, Salesforce(auth.AccessToken(server.url, TOKEN), retry=quick()) as sf:
        yield sf, server


def results(body: bytes, locator: str | None = "null", count: int | None = None, **headers: str) -> Reply:
    told = {"Sforce-Locator": locator, "Sforce-NumberOfRecords": None if count is None else str(count), **headers}
    return Reply(200, body, {"Content-Type": "text/csv", **{name: value for name, value in told.items() if value}})


WRONG: list[tuple[Callable[[Salesforce], Any], str]] = [
    (lambda sf: sf.bulk.create_ingest_job("merge", "Account"), "operation is one of insert, update"),  # type: ignore[arg-type]  # that is the fault
    (lambda sf: sf.bulk.create_ingest_job("upsert", "Account"), "needs external_id"),
    (lambda sf: sf.bulk.create_ingest_job("insert", "Account", external_id="Ext__c"), "nothing else takes it"),
    (lambda sf: sf.bulk.create_ingest_job("upsert", "Account", external_id=""), "field"),
    (lambda sf: sf.bulk.create_ingest_job("insert", "a/b"), "object"),
    (lambda sf: sf.bulk.create_ingest_job("insert", "Account", column_delimiter=","), "column_delimiter"),  # type: ignore[arg-type]  # that is the fault
    (lambda sf: sf.bulk.create_ingest_job("insert", "Account", line_ending="CR"), "line_ending"),  # type: ignore[arg-type]  # that is the fault
    (lambda sf: sf.bulk.create_ingest_job("insert", "Case", assignment_rule_id="x"), "is no id"),
    (lambda sf: sf.bulk.create_ingest_job("insert", "Account", data=b""), "has 0 characters"),
    (lambda sf: sf.bulk.create_ingest_job("insert", "Account", data=b"x" * 100_001), "has 100001 characters"),
    (lambda sf: sf.bulk.create_ingest_job("insert", "Account", data=b"\xff"), "decode"),
    (lambda sf: sf.bulk.create_query_job(" "), "soql is blank"),
    (lambda sf: sf.bulk.create_query_job("SELECT Id FROM A", column_delimiter="X"), "column_delimiter"),  # type: ignore[arg-type]  # that is the fault
    (lambda sf: sf.bulk.get_job(JOB, "Ingest"), "kind is 'ingest' or 'query'"),  # type: ignore[arg-type]  # that is the fault
    (lambda sf: sf.bulk.get_job("../x", "ingest"), "is no id"),
    (lambda sf: sf.bulk.abort_job("x", "query"), "is no id"),
    (lambda sf: sf.bulk.delete_job(JOB, ""), "kind is 'ingest' or 'query'"),  # type: ignore[arg-type]  # that is the fault
    (lambda sf: sf.bulk.close("x"), "is no id"),
    (lambda sf: sf.bulk.upload("x", b"Id\n1\n"), "is no id"),
    (lambda sf: sf.bulk.upload(JOB, b""), "has 0 bytes"),
    (lambda sf: sf.bulk.upload(JOB, Path("/nowhere/rows.csv")), "cannot be read"),
    (lambda sf: sf.bulk.query_results(JOB, max_records=0), "max_records"),
    (lambda sf: sf.bulk.query_results(JOB, locator=""), "locator is blank"),
    (lambda sf: sf.bulk.query_results(JOB, column_delimiter=";"), "column_delimiter"),  # type: ignore[arg-type]  # that is the fault
    (lambda sf: sf.bulk.query_results("x"), "is no id"),
]


@pytest.mark.parametrize(("make", "reason"), WRONG)
def test_what_cannot_be_right_is_refused_before_anything_is_sent(
    make: Callable[[Salesforce], Any], reason: str
) -> None:
    with on(Reply()) as (sf, server):
        with pytest.raises(ValueError, match=reason):
            make(sf)
        assert server.seen == []


def test_text_is_no_data() -> None:
    with on(Reply()) as (sf, server):
        with pytest.raises(TypeError, match="bytes"):
            sf.bulk.upload(JOB, io.StringIO("Id"))  # type: ignore[arg-type]  # that is the fault
        with pytest.raises(TypeError, match="bytes"):
            sf.bulk.create_ingest_job("insert", "Account", data="Id")  # type: ignore[arg-type]  # that is the fault
        assert server.seen == []


def test_more_than_a_job_takes_is_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    with path.open("wb") as file:
        # A hole, which takes no room.
        file.truncate(150 * 1024**2)
    with on(Reply()) as (sf, server):
        with pytest.raises(ValueError, match="has 157286400 bytes, and a job takes"):
            sf.bulk.upload(JOB, path)
        assert server.seen == []


def test_data_is_bytes_a_file_or_a_path(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"Id\n1\n")
    standing = io.BytesIO(b"left out\nId\n1\n")
    standing.readline()
    with on(ARRIVED) as (sf, server), path.open("rb") as file:
        for data in (b"Id\n1\n", bytearray(b"Id\n1\n"), path, str(path), file, standing):
            sf.bulk.upload(JOB, data)  # type: ignore[arg-type]  # a union of all of them
        assert not file.closed
    assert [(seen.body, seen.headers["content-length"]) for seen in server.seen] == [(b"Id\n1\n", "5")] * 6
    assert {seen.headers["content-type"] for seen in server.seen} == {"text/csv"}


@pytest.mark.parametrize("data", [b"Id\n1\n", io.BytesIO(b"Id\n1\n")])
def test_an_upload_that_is_cut_is_not_repeated(data: Any) -> None:
    with on(Cut(), ARRIVED) as (sf, server):
        with pytest.raises(errors.TransportError):
            sf.bulk.upload(JOB, data)
        assert len(server.seen) == 1


@pytest.mark.parametrize("refusal", [Reply.error(503, "SERVER_UNAVAILABLE"), Reply.error(429, "TOO_MANY_REQUESTS")])
def test_an_upload_is_repeated_where_salesforce_has_not_looked_at_it(refusal: Reply) -> None:
    with on(refusal, ARRIVED) as (sf, server):
        sf.bulk.upload(JOB, io.BytesIO(b"Id\n1\n"))
    assert [seen.body for seen in server.seen] == [b"Id\n1\n"] * 2


def test_a_refused_upload_tells_why() -> None:
    refusal = Reply.error(400, "INVALIDJOBSTATE", "Job is not open")
    with on(refusal) as (sf, _), pytest.raises(errors.BadRequestError, match="INVALIDJOBSTATE"):
        sf.bulk.upload(JOB, b"Id\n1\n")


def test_jobs_are_created_again_when_the_answer_is_lost() -> None:
    told = {"id": JOB, "operation": "insert", "state": "Open"}
    with on(Cut(), Reply.of(told)) as (sf, server):
        assert sf.bulk.create_ingest_job("insert", "Account").id == JOB
        assert [seen.method for seen in server.seen] == ["POST", "POST"]
    with on(Cut(), Reply.of({**told, "operation": "query"})) as (sf, server):
        assert sf.bulk.create_query_job("SELECT Id FROM Account").id == JOB
        assert len(server.seen) == 2


def test_a_job_with_its_data_is_one_call(sf: Salesforce) -> None:
    job = sf.bulk.create_ingest_job("insert", "Account", column_delimiter="TAB", data="Name\tPhone\né\t5\n".encode())
    assert job.wait(timeout=60).info().number_records_processed == 1
    assert [record["Phone"] for record in sf.query("SELECT Phone FROM Account WHERE Name = 'é'")] == ["5"]


def test_a_job_with_its_data_is_not_created_again_when_the_answer_is_lost() -> None:
    with on(Cut(), Reply.of({"id": JOB, "operation": "insert", "state": "UploadComplete"})) as (sf, server):
        with pytest.raises(errors.TransportError):
            sf.bulk.create_ingest_job("insert", "Account", data=b"Name\nAcme\n")
        assert [(seen.method, seen.target) for seen in server.seen] == [("POST", f"{BASE}/ingest")]
    assert server.seen[0].headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b"Name\nAcme\n" in server.seen[0].body


class TestResults:
    def test_of_another_delimiter(self) -> None:
        with on(results(b'"Id"|"Name"\r\n"1"|"a,b"\r\n', "abc", 1)) as (sf, _):
            page = sf.bulk.query_results(JOB, column_delimiter="PIPE")
        assert page == BulkQueryPage([{"Id": "1", "Name": "a,b"}], "abc")

    def test_that_are_compressed(self) -> None:
        with on(results(gzip.compress(b"Id\n1\n"), **{"Content-Encoding": "gzip"})) as (sf, server):
            assert sf.bulk.query_results(JOB).rows == [{"Id": "1"}]
        assert server.seen[0].headers["accept-encoding"] == "gzip"

    @pytest.mark.parametrize("body", [b"", b"Id,Name\n", b"\xef\xbb\xbfId,Name\r\n"])
    def test_without_rows(self, body: bytes) -> None:
        with on(results(body, count=0)) as (sf, _):
            assert sf.bulk.query_results(JOB) == BulkQueryPage([], None)

    def test_whose_number_is_not_told(self) -> None:
        with on(results(b"Id\n1\n")) as (sf, _):
            assert sf.bulk.query_results(JOB).rows == [{"Id": "1"}]

    def test_that_break_off_are_asked_for_again(self) -> None:
        whole = b"Id\n" + b"".join(b"%d\n" % number for number in range(40_000))
        cut = Reply(
            200, whole[:150_000], {"Content-Type": "text/csv", "Sforce-Locator": "null"}, len(whole), close=True
        )
        with on(cut, results(whole, count=40_000)) as (sf, server):
            rows = sf.bulk.query_results(JOB).rows
        assert [row["Id"] for row in rows] == [str(number) for number in range(40_000)]
        assert len(server.seen) == 2

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (results(b"Id\n1\n", locator=None), "Sforce-Locator is missing"),
            (results(b"Id\n1\n", count=2), "2 rows were announced, and 1 came"),
            (results(b"Id\n1,2\n"), "line 2 has 2 cells"),
            (results(b'Id\n"1\n'), "a quote that never closes"),
            (results(b"Id\n\xff\n"), "not UTF-8"),
            (Reply(200, b"<html>Log in</html>", {"Content-Type": "text/html"}), "there came a page"),
        ],
    )
    def test_that_are_not_whole(self, answer: Reply, reason: str) -> None:
        with on(answer) as (sf, _), pytest.raises(errors.InvalidResponseError, match=reason):
            sf.bulk.query_results(JOB)

    def test_of_a_job_of_another_version(self) -> None:
        with on(Reply.error(409, "API_VERSION_MISMATCH")) as (sf, _), pytest.raises(errors.ConflictError):
            sf.bulk.query_results(JOB)


def test_rows_up_and_down_again(sf: Salesforce) -> None:
    names = [f'Acme {number}; \u2028 \\ "é"' for number in range(7)]
    data = "Name\r\n" + "".join('"{}"\r\n'.format(name.replace('"', '""')) for name in names)
    job = sf.bulk.create_ingest_job("insert", "Account", column_delimiter="SEMICOLON", line_ending="CRLF")
    sf.bulk.upload(job.id, data.encode())
    assert sf.bulk.close(job.id).state in {"UploadComplete", "InProgress", "JobComplete"}
    job.wait(timeout=60)
    assert sf.bulk.get_job(job.id, "ingest").number_records_processed == 7

    query = sf.bulk.create_query_job("SELECT Name FROM Account ORDER BY Name", column_delimiter="CARET")
    query.wait(timeout=60)
    page = sf.bulk.query_results(query.id, max_records=3, column_delimiter="CARET")
    pages = [page]
    while page.locator is not None:
        page = sf.bulk.query_results(query.id, max_records=3, locator=page.locator, column_delimiter="CARET")
        pages.append(page)
    assert [[row["Name"] for row in page.rows] for page in pages] == [names[:3], names[3:6], names[6:]]

    for each, kind in ((job, "ingest"), (query, "query")):
        sf.bulk.delete_job(each.id, kind)
        with pytest.raises(errors.NotFoundError):
            sf.bulk.get_job(each.id, kind)


def test_a_job_is_aborted(sf: Salesforce) -> None:
    job = sf.bulk.create_ingest_job("delete", "Account")
    assert sf.bulk.abort_job(job.id, "ingest").state == "Aborted"
    with pytest.raises(errors.ApiError):
        sf.bulk.upload(job.id, b"Id\n001000000000001AAA\n")
