"""Bulk API 1.0 before a server whose answers do not agree with each other: nothing is lost or doubled silently."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from http_server import Reply, Seen, Server
from session_tools import FakeTime

from sfconnector import BulkV1Ingest, BulkV1Query, Salesforce, auth, errors

JOB = "750000000000001AAA"
BATCHES = f"/services/async/68.0/job/{JOB}/batch"
RESULT = "752000000000001"
HEADER = b'"Id","Success","Created","Error"\n'
GOOD = b'"001000000000001AAA","true","true",""\n'


def batch(number: int, state: str = "Completed", processed: int = 0, failed: int = 0) -> dict[str, Any]:
    return {
        "id": f"75100000000000{number}AAA",
        "jobId": JOB,
        "state": state,
        "numberRecordsProcessed": processed,
        "numberRecordsFailed": failed,
    }


class Liar:
    """Answers as it is told: lists of batches one after the other, and the rest by its address."""

    def __init__(self, operation: str, *lists: list[dict[str, Any]], state: str = "Closed", **more: bytes) -> None:
        self.operation, self.lists, self.state = operation, list(lists), state
        self.rows = {name: body for name, body in more.items() if name != "ids"}
        self.ids = more.get("ids", b'["752000000000001"]')

    def __call__(self, seen: Seen) -> Reply:
        path = seen.target
        if path == BATCHES:
            return Reply.of({"batchInfo": self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]})
        if path.endswith("/request"):
            return Reply(200, b"Name\na\nb\nc\n")
        if path.endswith(f"/result/{RESULT}") or (path.endswith("/result") and self.operation == "insert"):
            return Reply(200, self.rows["rows"])
        if path.endswith("/result"):
            return Reply(200, self.ids)
        job = {"id": JOB, "operation": self.operation, "object": "Account", "contentType": "CSV"}
        return Reply.of({**job, "state": self.state})


def refused(liar: Liar, act: Callable[[Any], object]) -> str:
    """What is said of a lie."""
    with (
        Server(liar) as server,
        Salesforce(auth.AccessToken(server.url, "x"), retry=FakeTime().retry()) as sf,
        pytest.raises((errors.JobError, errors.InvalidResponseError)) as caught,
    ):
        act(sf.bulk_v1.job(JOB))
    return str(caught.value)


READS: list[Callable[[BulkV1Query], object]] = [
    lambda query: list(query.rows()),
    lambda query: list(query.rows(workers=2)),
]


@pytest.mark.parametrize("read", [*READS, lambda query: query.wait()])
def test_a_batch_that_vanishes_is_missed(read: Callable[[Any], object]) -> None:
    first, second = batch(1, processed=1), batch(2, "Queued")
    told = refused(Liar("query", [first, second], [first], rows=b"Id\n1\n"), read)
    assert told == f"job {JOB}: batch 751000000000002AAA is not listed any more"


def test_a_list_that_is_behind_once_does_not_matter() -> None:
    first, second = batch(1, processed=1), batch(2, processed=1)
    liar = Liar("query", [first, batch(2, "Queued")], [first], [first, second], rows=b"Id\n1\n")
    with Server(liar) as server, Salesforce(auth.AccessToken(server.url, "x"), retry=FakeTime().retry()) as sf:
        query = sf.bulk_v1.job(JOB)
        assert isinstance(query, BulkV1Query)
        assert list(query.rows()) == [{"Id": "1"}, {"Id": "1"}]


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize(
    ("ids", "rows"),
    [(b'["752000000000001"]', b"Id\n1\n"), (b'["752000000000001"]', b""), (b"[]", b"")],
)
def test_records_that_are_missing_are_missed(read: Callable[[Any], object], ids: bytes, rows: bytes) -> None:
    told = refused(Liar("query", [batch(1, processed=2)], ids=ids, rows=rows), read)
    assert told == f"job {JOB}: batch 751000000000001AAA has found 2 records, and {rows.count(b'1')} came"


def test_records_that_are_missing_in_a_file_are_missed(tmp_path: Any) -> None:
    path = tmp_path / "found.csv"
    liar = Liar("query", [batch(1, processed=3)], rows=b'"Id","Name"\n"1","a\nb"\n"2","""\n"""')
    assert "has found 3 records, and 2 came" in refused(liar, lambda query: query.to_csv(path))
    assert not path.exists()


@pytest.mark.parametrize(
    "ids",
    [
        b'["752000000000001","752000000000001"]',
        b"<result-list><result>752000000000001</result><result>752000000000001</result></result-list>",
        b"<result-list><result/></result-list>",
        b'[""]',
    ],
)
@pytest.mark.parametrize("read", READS)
def test_each_result_is_listed_once(read: Callable[[Any], object], ids: bytes) -> None:
    told = refused(Liar("query", [batch(1, processed=2)], ids=ids, rows=b"Id\n1\n"), read)
    assert "the answer is not what it should be: a " in told


@pytest.mark.parametrize("read", [*READS, lambda query: query.wait()])
def test_nothing_but_the_query_that_was_cut_may_be_unprocessed(read: Callable[[Any], object]) -> None:
    told = refused(Liar("query", [batch(1, "NotProcessed"), batch(2, "NotProcessed")]), read)
    assert told == f"job {JOB}: batch 751000000000002AAA was not processed"


def test_without_chunks_no_batch_of_a_query_may_be_unprocessed() -> None:
    def answer(seen: Seen) -> Reply:
        if seen.method == "POST" and seen.target == BATCHES:
            return Reply.of(batch(1, "Queued"), 201)
        return Liar("query", [batch(1, "NotProcessed")], state="Open")(seen)

    with Server(answer) as server, Salesforce(auth.AccessToken(server.url, "x"), retry=FakeTime().retry()) as sf:
        with pytest.raises(errors.JobError, match="batch 751000000000001AAA was not processed"):
            sf.bulk_v1.query("SELECT Id FROM Account").wait()
        assert list(sf.bulk_v1.query("SELECT Id FROM Account", pk_chunking=True).rows()) == []


@pytest.mark.parametrize(
    ("results", "reason"),
    [
        (HEADER + GOOD * 2, "has fewer results than rows"),
        (HEADER + GOOD * 4, "has more results than rows"),
        (b"<results><result><success>true</success></result><other/></results>", "there is something else"),
    ],
)
@pytest.mark.parametrize("method", ["results", "successful"])
def test_each_row_has_one_result(results: bytes, reason: str, method: str) -> None:
    liar = Liar("insert", [batch(1, processed=3)], rows=results)
    assert reason in refused(liar, lambda job: list(getattr(job, method)()))


def test_failures_that_no_result_tells_of_are_no_success() -> None:
    liar = Liar("insert", [batch(1, processed=3, failed=1)], rows=HEADER + GOOD * 3)
    told = refused(liar, lambda job: job.wait(raise_on_failure=True))
    assert told == f"job {JOB}: 1 rows have failed, and no result tells of them"


def test_a_batch_that_failed_half_way_leaves_no_row_out() -> None:
    liar = Liar("insert", [batch(1, "Failed", processed=1)], rows=HEADER + GOOD)
    with Server(liar) as server, Salesforce(auth.AccessToken(server.url, "x"), retry=FakeTime().retry()) as sf:
        job = sf.bulk_v1.job(JOB)
        assert isinstance(job, BulkV1Ingest)
        assert [row["Name"] for row in job.successful()] == ["a"]
        assert [row["Name"] for row in job.unprocessed()] == ["b", "c"]


@pytest.mark.parametrize(("listed", "total"), [(0, 1), (1, 2)])
def test_a_list_without_a_batch_that_the_job_has_is_not_believed(listed: int, total: int) -> None:
    """The answer to a batch was lost: if the list were believed, its rows would be sent twice."""
    added = 0

    def answer(seen: Seen) -> Reply:
        nonlocal added
        job = {"id": JOB, "operation": "insert", "object": "Account", "contentType": "JSON"}
        if seen.method == "GET":
            return Reply.of({"batchInfo": [batch(number + 1) for number in range(listed)]})
        if seen.target == BATCHES:
            added += 1
            return Reply.of(batch(added, "Queued"), 201) if added < total else Reply.error(500, "UNKNOWN_EXCEPTION")
        if seen.target.endswith(JOB):
            return Reply.of({**job, "state": "Closed", "numberBatchesTotal": total})
        return Reply.of({**job, "state": "Open"}, 201)

    with Server(answer) as server, Salesforce(auth.AccessToken(server.url, "x"), retry=FakeTime().retry()) as sf:
        rows = [{"Name": "a"}, {"Name": "b"}]
        with pytest.raises(errors.JobError, match=f"{listed} batches of the job are listed, and it has {total}"):
            sf.bulk_v1.insert("Account", rows, content_type="JSON", max_rows=1)
    assert added == total


def test_chunks_do_not_hide_the_query_whose_answer_was_lost() -> None:
    liar = Liar("query", [batch(1, "Not Processed"), batch(2, processed=1), batch(3, processed=1)], rows=b"Id\n1\n")

    def answer(seen: Seen) -> Reply:
        if seen.method == "POST" and seen.target == BATCHES:
            return Reply.error(500, "UNKNOWN_EXCEPTION")
        return liar(seen)

    with Server(answer) as server, Salesforce(auth.AccessToken(server.url, "x"), retry=FakeTime().retry()) as sf:
        query = sf.bulk_v1.query("SELECT Id FROM Account", pk_chunking=True)
        assert len(list(query.rows())) == 2
        assert sum(seen.method == "POST" and seen.target == BATCHES for seen in server.seen) == 1


@pytest.mark.parametrize(
    ("entry", "method", "reason"),
    [
        (b"Name\n" * 5_000_000, zipfile.ZIP_DEFLATED, "request.txt has more bytes than a batch may have"),
        (None, zipfile.ZIP_DEFLATED, "the zip file has no request.txt that could be read"),
        (b"Name\na\n" * 99, zipfile.ZIP_DEFLATED, "the zip file has no request.txt that could be read"),
        (b"Name\na\n" * 99, zipfile.ZIP_LZMA, "the zip file has no request.txt that could be read"),
    ],
)
def test_a_zip_file_that_is_no_batch(entry: bytes | None, method: int, reason: str) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", method) as archive:
        archive.writestr("other.txt" if entry is None else "request.txt", entry or b"")
    text = bytearray(body.getvalue())
    if entry and len(entry) < 1_000:
        # What is compressed is damaged; of the other, its method is one that nobody knows.
        at = 45 if method == zipfile.ZIP_DEFLATED else text.index(b"PK\x01\x02") + 10
        text[at : at + 2] = b"\xff\xff"
    with (
        Server([Reply(200, bytes(text))]) as server,
        Salesforce(auth.AccessToken(server.url, "x"), retry=FakeTime().retry()) as sf,
        pytest.raises(errors.InvalidResponseError, match=reason),
    ):
        sf.bulk_v1.get_batch_request(JOB, "751000000000001AAA")


def test_two_batches_have_two_ids() -> None:
    def answer(seen: Seen) -> Reply:
        job = {"id": JOB, "operation": "insert", "object": "Account", "contentType": "JSON"}
        if seen.method == "GET":
            return Reply.of({"batchInfo": [batch(1, "Queued"), batch(2, "Queued")]})
        if seen.target == BATCHES:
            return Reply.of(batch(1, "Queued"), 201)
        return Reply.of({**job, "state": "Closed" if seen.target.endswith(JOB) else "Open"})

    with Server(answer) as server, Salesforce(auth.AccessToken(server.url, "x"), retry=FakeTime().retry()) as sf:
        job = sf.bulk_v1.insert("Account", [{"Name": "a"}, {"Name": "b"}], content_type="JSON", max_rows=1)
        assert job.sent == (range(2),)
        assert sum(seen.target == BATCHES and seen.method == "POST" for seen in server.seen) == 2
