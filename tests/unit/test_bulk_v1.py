"""Bulk API 1.0 from end to end: each row is written once, and what came of it is told, whatever goes wrong."""

import itertools
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from http_server import Reply, Server
from session_tools import FakeTime, quick

from sfconnector import (
    BulkV1Ingest,
    BulkV1Job,
    BulkV1Query,
    Hooks,
    JobProgress,
    PkChunking,
    RequestEvent,
    Salesforce,
    auth,
    errors,
)
from sfconnector.testing import LocalOrg

FORMATS = pytest.mark.parametrize("content_type", ["CSV", "JSON", "XML"])
JOB = "750000000000001AAA"
BATCHES = "/services/async/*/job/*/batch"
AWKWARD = [
    "plain",
    'a "quoted", b',
    "two\nlines",
    "a\r\nb",
    "é 日本 😀",
    "a  b",
    "a\u2028b",
    "<a>&amp;</a>",
    "#",
    "=",
]


@pytest.fixture
def org(local_org: LocalOrg) -> LocalOrg:
    local_org.add_field("Account", "Ext__c", "string(40) unique external_id")
    return local_org


@pytest.fixture
def sf(org: LocalOrg) -> Iterator[Salesforce]:
    """A client that does not wait between attempts."""
    login = auth.ClientCredentials(org.url, org.client_id, org.client_secret)
    with Salesforce(login, retry=quick()) as client:
        yield client


def rows(count: int, *bad: int) -> list[dict[str, Any]]:
    """Accounts, of which some lack their name."""
    return [
        {"Ext__c": f"A-{number}", "Name": None if number in bad else AWKWARD[number % len(AWKWARD)], "Phone": "1"}
        for number in range(count)
    ]


def held(sf: Salesforce) -> Counter[str]:
    """How often the org holds each account."""
    return Counter(record["Ext__c"] for record in sf.query("SELECT Ext__c FROM Account"))


def outcome(job: BulkV1Ingest) -> dict[str, list[str]]:
    """Which rows ended how."""
    return {
        "successful": [row["Ext__c"] for row in job.successful()],
        "failed": [row["Ext__c"] for row in job.failed()],
        "unprocessed": [row["Ext__c"] for row in job.unprocessed()],
    }


def names(numbers: Any) -> list[str]:
    return [f"A-{number}" for number in numbers]


@FORMATS
def test_every_row_comes_back_with_its_result_in_order(sf: Salesforce, content_type: str) -> None:
    given = rows(25, 3, 17)
    job = sf.bulk_v1.insert("Account", given, content_type=content_type, max_rows=10).wait()
    good = [number for number in range(25) if number not in {3, 17}]
    assert outcome(job) == {"successful": names(good), "failed": names([3, 17]), "unprocessed": []}
    results = list(job.results())
    assert [result.index for result in results] == list(range(25))
    assert [result.record["Ext__c"] for result in results] == names(range(25))
    assert [result.success for result in results] == [number in good for number in range(25)]
    failures = list(job.failures())
    assert [(failure.index, failure.error.code, failure.row["Ext__c"]) for failure in failures] == [
        (3, "REQUIRED_FIELD_MISSING", "A-3"),
        (17, "REQUIRED_FIELD_MISSING", "A-17"),
    ]
    with pytest.raises(
        errors.RecordError, match="2 of 25 records failed, 2 × REQUIRED_FIELD_MISSING; record 3 failed"
    ) as caught:
        job.wait(raise_on_failure=True)
    assert (caught.value.job, caught.value.failures) == (job, tuple(failures))
    stored = {record["Ext__c"]: record for record in sf.query("SELECT Id, Ext__c, Name FROM Account")}
    assert {key: record["Name"] for key, record in stored.items()} == {
        row["Ext__c"]: row["Name"] for row in given if row["Name"] is not None
    }
    assert [row["sf__Id"] for row in job.successful()] == [stored[key]["Id"] for key in names(good)]
    assert {row["sf__Created"] for row in job.successful()} == {"true"}
    assert next(job.failed())["sf__Error"].startswith("REQUIRED_FIELD_MISSING: ")
    assert [batch.number_records_processed for batch in job.jobs[0].batches()] == [10, 10, 5]


@FORMATS
def test_all_operations(sf: Salesforce, content_type: str) -> None:
    def run(method: Callable[..., BulkV1Ingest], *arguments: Any, **options: Any) -> list[dict[str, Any]]:
        job = method("Account", *arguments, content_type=content_type, **options).wait(raise_on_failure=True)
        return list(job.successful())

    ids = [row["sf__Id"] for row in run(sf.bulk_v1.insert, rows(3))]
    changed = [{"Id": ids[0], "Phone": None}, {"Id": ids[1], "Phone": "2"}]
    assert [row["sf__Created"] for row in run(sf.bulk_v1.update, changed)] == ["false", "false"]
    upserted = run(
        sf.bulk_v1.upsert, [{"Ext__c": "A-1", "Name": "B"}, {"Ext__c": "A-9", "Name": "C"}], external_id="Ext__c"
    )
    assert [row["sf__Created"] for row in upserted] == ["false", "true"]
    assert [(r["Name"], r["Phone"]) for r in sf.query("SELECT Name, Phone FROM Account ORDER BY Ext__c")] == [
        (AWKWARD[0], None),
        ("B", "2"),
        (AWKWARD[2], "1"),
        ("C", None),
    ]
    assert len(run(sf.bulk_v1.delete, [{"Id": ids[0]}])) == len(run(sf.bulk_v1.hard_delete, [{"Id": ids[1]}])) == 1
    assert sorted(held(sf)) == ["A-2", "A-9"]
    found = sf.bulk_v1.query_all("SELECT Ext__c, IsDeleted FROM Account", content_type=content_type).rows()
    deleted = {row["Ext__c"]: str(row["IsDeleted"]).lower() for row in found}
    assert deleted == {"A-0": "true", "A-2": "false", "A-9": "false"}


@FORMATS
def test_sources_that_are_files_keep_their_text(sf: Salesforce, content_type: str, tmp_path: Path) -> None:
    given = [{"Ext__c": f"A-{n}", "Name": text} for n, text in enumerate(AWKWARD)]
    texts = {
        "CSV": "Ext__c,Name\n" + "".join(f'{r["Ext__c"]},"{r["Name"].replace(chr(34), chr(34) * 2)}"\n' for r in given),
        "JSON": json.dumps(given, indent=1, ensure_ascii=False),
        "XML": '<?xml version="1.0"?><sObjects xmlns="http://www.force.com/2009/06/asyncapi/dataload">\n'
        + "".join(
            f"<sObject><Ext__c>{r['Ext__c']}</Ext__c>"
            f"<Name>{r['Name'].replace('&', '&amp;').replace('<', '&lt;').replace(chr(13), '&#13;')}</Name></sObject>\n"
            for r in given
        )
        + "</sObjects>",
    }
    path = tmp_path / "rows"
    path.write_bytes(texts[content_type].encode())
    job = sf.bulk_v1.insert("Account", path, content_type=content_type, max_rows=3).wait(raise_on_failure=True)
    assert outcome(job)["successful"] == names(range(len(given)))
    with path.open("rb") as stream:
        again = sf.bulk_v1.upsert("Account", stream, external_id="Ext__c", content_type=content_type).wait()
    third = sf.bulk_v1.upsert("Account", path.read_bytes(), external_id="Ext__c", content_type=content_type).wait()
    assert [row["sf__Created"] for job in (again, third) for row in job.successful()] == ["false"] * 20
    stored = {record["Ext__c"]: record["Name"] for record in sf.query("SELECT Ext__c, Name FROM Account")}
    assert stored == {row["Ext__c"]: row["Name"] for row in given}


@FORMATS
def test_parents_are_found_by_their_external_ids(sf: Salesforce, content_type: str) -> None:
    sf.sobject("Account").create({"Name": "Acme", "Ext__c": "A-1"})
    contacts = [
        {"LastName": "Curie", "Account": {"Ext__c": "A-1"}},
        {"LastName": "Meitner", "Account": {"Ext__c": "A-2"}},
    ]
    job = sf.bulk_v1.insert("Contact", contacts, content_type=content_type).wait()
    assert [result.success for result in job.results()] == [True, False]
    [record] = sf.query("SELECT LastName, Account.Name FROM Contact")
    assert (record["LastName"], record["Account"]["Name"]) == ("Curie", "Acme")


LOST: dict[str, Callable[[LocalOrg], Any]] = {
    "cut before it was added": lambda org: org.faults.cut(method="POST", path=BATCHES),
    "cut after it was added": lambda org: org.faults.cut(applied=True, method="POST", path=BATCHES),
    "cut in the answer": lambda org: org.faults.cut(10, method="POST", path=BATCHES),
    "a gateway that knows nothing": lambda org: org.faults.html_error(502, method="POST", path=BATCHES),
    "a gateway that passed it on": lambda org: org.faults.html_error(503, applied=True, method="POST", path=BATCHES),
    "half an answer": lambda org: org.faults.broken_json(method="POST", path=BATCHES),
    "no answer, and the job closes on the second try": lambda org: [
        org.faults.cut(applied=True, method="POST", path=BATCHES),
        org.faults.cut(applied=True, method="POST", path="/services/async/*/job/*"),
    ],
    "no answer, and the list comes on the second try": lambda org: [
        org.faults.cut(method="POST", path=BATCHES),
        org.faults.cut(method="GET", path=BATCHES),
    ],
    "the server is busy": lambda org: org.faults.unavailable(times=2, method="POST", path=BATCHES),
}


@FORMATS
@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("workers", [1, 3])
def test_a_lost_answer_neither_loses_nor_doubles_rows(
    org: LocalOrg, sf: Salesforce, content_type: str, fault: str, workers: int
) -> None:
    LOST[fault](org)
    # By insert, which would double what is sent twice.
    job = sf.bulk_v1.insert("Account", rows(50, 30), content_type=content_type, max_rows=7, workers=workers).wait()
    assert job.sent == (range(50),)
    good = [number for number in range(50) if number != 30]
    assert outcome(job) == {"successful": names(good), "failed": ["A-30"], "unprocessed": []}
    assert held(sf) == Counter(names(good))
    assert {each.info().state for each in job.jobs} == {"Closed"}


@FORMATS
@pytest.mark.parametrize("every", [3, 4, 7])
def test_connections_may_be_cut_anywhere(org: LocalOrg, content_type: str, every: int) -> None:
    requests = itertools.count(1)
    cuts = itertools.cycle([{"applied": True}, {"applied": False}, {"after_bytes": 40}, {"after_bytes": 0}])

    def cut_some(_: RequestEvent) -> None:
        if next(requests) % every == 0:
            org.faults.cut(path="/services/async/*", **next(cuts))

    login = auth.ClientCredentials(org.url, org.client_id, org.client_secret)
    with Salesforce(login, retry=quick(), hooks=Hooks(on_request=cut_some)) as sf:
        job = sf.bulk_v1.insert("Account", rows(60, 8, 44), content_type=content_type, max_rows=4, workers=3).wait()
        good = [number for number in range(60) if number not in {8, 44}]
        assert outcome(job) == {"successful": names(good), "failed": names([8, 44]), "unprocessed": []}
        query = sf.bulk_v1.query(
            "SELECT Ext__c FROM Account", content_type=content_type, pk_chunking=PkChunking(chunk_size=9)
        )
        assert Counter(row["Ext__c"] for row in query.rows(workers=2)) == Counter(names(good))
    assert next(requests) > 60
    org.faults.clear()
    with Salesforce(login) as sf:
        assert held(sf) == Counter(names(good))


@FORMATS
def test_a_session_may_expire_at_any_time(org: LocalOrg, sf: Salesforce, content_type: str) -> None:
    org.faults.expire_after(3)
    job = sf.bulk_v1.insert("Account", rows(40, 5), content_type=content_type, max_rows=6, workers=2).wait()
    good = [number for number in range(40) if number != 5]
    assert outcome(job) == {"successful": names(good), "failed": ["A-5"], "unprocessed": []}
    query = sf.bulk_v1.query("SELECT Ext__c FROM Account", content_type=content_type)
    assert Counter(row["Ext__c"] for row in query.rows()) == Counter(names(good))
    org.faults.expire_after(None)
    assert held(sf) == Counter(names(good))


@FORMATS
def test_results_that_break_off_are_read_on(org: LocalOrg, sf: Salesforce, content_type: str) -> None:
    job = sf.bulk_v1.insert("Account", rows(30), content_type=content_type).wait()
    org.faults.cut(200, method="GET", path="*/result")
    org.faults.cut(300, method="GET", path="*/request")
    org.faults.unavailable(method="GET", path="*/result")
    assert outcome(job) == {"successful": names(range(30)), "failed": [], "unprocessed": []}
    query = sf.bulk_v1.query("SELECT Ext__c, Name FROM Account", content_type=content_type)
    org.faults.cut(500, method="GET", path="*/result/*")
    assert Counter(row["Ext__c"] for row in query.rows()) == Counter(names(range(30)))


@FORMATS
def test_only_what_failed_for_a_passing_reason_is_sent_again(org: LocalOrg, sf: Salesforce, content_type: str) -> None:
    first = sf.bulk_v1.insert("Account", rows(12), content_type=content_type).wait()
    ids = [row["sf__Id"] for row in first.successful()]
    org.faults.lock_rows(ids[2], ids[7], times=2)
    changes = [{"Ext__c": f"A-{n}", "Name": None if n in (4, 7) else f"new {n}"} for n in range(12)]
    job = sf.bulk_v1.upsert("Account", changes, external_id="Ext__c", content_type=content_type, max_rows=5).wait()
    failed = {failure.index: failure.error.code for failure in job.failures()}
    assert failed[2] == "UNABLE_TO_LOCK_ROW"
    assert set(failed) == {2, 4, 7}
    again = job.retry_failed().wait()
    assert {failure.index for failure in again.failures()} <= {7}
    assert {result.index for result in again.results()} == {
        n for n, code in failed.items() if code == "UNABLE_TO_LOCK_ROW"
    }
    stored = {record["Ext__c"]: record["Name"] for record in sf.query("SELECT Ext__c, Name FROM Account")}
    assert stored["A-2"] == "new 2"
    assert stored["A-4"] == AWKWARD[4]
    none = again.retry_failed()
    assert (none.jobs, str(none), list(none.wait().results())) == ((), "no job", [])


@FORMATS
def test_what_a_job_did_not_come_to_is_unprocessed(org: LocalOrg, sf: Salesforce, content_type: str) -> None:
    org.bulk.hold()
    made = sf.bulk_v1.create_job("insert", "Account", content_type)
    for start in (0, 4, 8):
        sf.bulk_v1.add_batch(made, rows(9)[start : start + 4])
    job = sf.bulk_v1.job(made.id)
    assert isinstance(job, BulkV1Ingest)
    with pytest.raises(errors.JobError, match="has not ended: wait for it"):
        list(job.results())
    job.abort()
    org.bulk.release()
    with pytest.raises(errors.JobError, match=r"batch 751\w+ was not processed, and 2 more") as caught:
        job.wait()
    assert caught.value.job is job
    ended = outcome(job)
    assert ended == {"successful": [], "failed": [], "unprocessed": names(range(9))}
    assert held(sf) == Counter()
    job.abort()


@FORMATS
def test_a_batch_that_fails_as_a_whole_leaves_its_rows_unprocessed(
    org: LocalOrg, sf: Salesforce, content_type: str
) -> None:
    org.bulk.fail_job(message="InternalServerError : An unexpected error occurred")
    job = sf.bulk_v1.insert("Account", rows(8, 6), content_type=content_type, max_rows=4, concurrency_mode="Serial")
    with pytest.raises(errors.JobError, match=r"batch 751\w+ failed: InternalServerError") as caught:
        job.wait()
    assert caught.value.job is job
    assert outcome(job) == {"successful": names([4, 5, 7]), "failed": ["A-6"], "unprocessed": names(range(4))}
    assert [failure.index for failure in job.failures()] == [6]
    # The same, as another process sees it.
    other = sf.bulk_v1.job(job.job_ids[0])
    assert isinstance(other, BulkV1Ingest)
    with pytest.raises(errors.JobError, match=r"batch 751\w+ failed"):
        other.wait()
    assert outcome(other) == outcome(job)
    assert [failure.index for failure in other.failures()] == [6]
    assert [result.index for result in other.results()] == [4, 5, 6, 7]


def test_a_job_goes_on_after_the_process_that_made_it(org: LocalOrg, sf: Salesforce) -> None:
    org.bulk.hold()
    job_id = sf.bulk_v1.upsert("Account", rows(6, 1), external_id="Ext__c", max_rows=2).job_ids[0]
    login = auth.ClientCredentials(org.url, org.client_id, org.client_secret)
    with Salesforce(login) as other:
        job = other.bulk_v1.job(job_id)
        assert isinstance(job, BulkV1Ingest)
        assert (repr(job), job.sent) == (f"<BulkV1Ingest by job {job_id}>", ())
        org.bulk.release()
        assert outcome(job.wait()) == {"successful": names([0, 2, 3, 4, 5]), "failed": ["A-1"], "unprocessed": []}
        org.faults.lock_rows(times=1)
        again = job.retry_failed()
        assert again.jobs == ()


def test_a_job_error_has_what_was_sent_before(org: LocalOrg, sf: Salesforce) -> None:
    given: list[Any] = [*rows(5), {"Ext__c": object()}, *rows(3)]
    for content_type in ["JSON", "XML"]:
        with pytest.raises(
            errors.JobError, match=r"row 5: Ext__c: .* — sent before this, .*: rows 0–3, by job"
        ) as caught:
            sf.bulk_v1.insert("Account", given, content_type=content_type, max_rows=2)
        assert isinstance(caught.value.__cause__, TypeError)
        assert caught.value.job.sent == (range(4),)
        assert len(list(caught.value.job.wait().results())) == 4
        assert caught.value.job.jobs[0].info().state == "Closed"
    with pytest.raises(TypeError, match="row 0"):
        sf.bulk_v1.insert("Account", given[5:], content_type="JSON")


def test_a_refused_batch_ends_the_sending_and_closes_the_job(org: LocalOrg, sf: Salesforce) -> None:
    sf.query("SELECT Id FROM Account").total_size  # noqa: B018  # logs in
    quota = {"exceptionCode": "ExceededQuota", "exceptionMessage": "ApiBatchItems Limit exceeded."}
    with pytest.raises(errors.JobError, match=r"400 ExceededQuota: .* rows 0–1, by job") as caught:
        sf.bulk_v1.insert("Account", arming(org, rows(6), 4, quota), content_type="JSON", max_rows=2)
    assert isinstance(caught.value.__cause__, errors.BadRequestError)
    assert outcome(caught.value.job.wait())["successful"] == names(range(2))
    assert held(sf) == Counter(names(range(2)))


def arming(org: LocalOrg, given: list[Any], at: int, refusal: Any) -> Iterator[Any]:
    """Rows, at one of which the org begins to refuse batches."""
    for number, row in enumerate(given):
        if number == at:
            org.faults.answer(400, refusal, method="POST", path=BATCHES)
        yield row


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize("aborted", [True, False])
def test_a_doubt_that_cannot_be_settled_at_once_is_settled_later(
    org: LocalOrg, sf: Salesforce, applied: bool, aborted: bool
) -> None:
    org.faults.cut(applied=applied, method="POST", path=BATCHES)
    org.faults.html_error(500, times=None, path="/services/async/*/job/*")
    with pytest.raises(errors.JobError, match=r"whether rows 0–2 were added to job \w+ is not known") as caught:
        sf.bulk_v1.insert("Account", rows(5), max_rows=3)
    job = caught.value.job
    assert job.sent == ()
    org.faults.clear()
    if aborted:
        org.bulk.wait(job.job_ids[0], records=3 if applied else 0)
        sf.bulk_v1.abort_job(job.job_ids[0])
    job.wait()
    assert outcome(job)["successful"] == (names(range(3)) if applied else [])
    assert job.sent == ((range(3),) if applied else ())
    assert held(sf) == Counter(names(range(3)) if applied else ())


def test_somebody_else_may_not_add_batches_to_the_same_job(org: LocalOrg, sf: Salesforce) -> None:
    def given() -> Iterator[dict[str, Any]]:
        yield from rows(2)
        [open_job] = sf.bulk.ingest_jobs(job_type="Classic")
        for _ in range(2):
            sf.bulk_v1.add_batch(open_job.id, [{"Name": "other"}], content_type="JSON")
        org.faults.cut(method="POST", path=BATCHES)
        yield {"Ext__c": "A-2", "Name": "x"}

    with pytest.raises(errors.JobError, match="somebody else adds batches"):
        sf.bulk_v1.insert("Account", given(), content_type="JSON", max_rows=1)


@FORMATS
def test_results_of_a_job_and_ids_are_sources_too(sf: Salesforce, content_type: str) -> None:
    first = sf.bulk_v1.insert("Account", rows(4, 2), content_type=content_type).wait()
    mended = ({**row, "Name": "mended"} for row in first.failed())
    second = sf.bulk_v1.insert("Account", mended, content_type=content_type).wait(raise_on_failure=True)
    assert len(list(second.successful())) == 1
    found = sf.bulk_v1.query("SELECT Id FROM Account WHERE Name = 'mended'", content_type="CSV")
    third = sf.bulk_v1.delete("Account", found, content_type=content_type).wait(raise_on_failure=True)
    ids = [row["sf__Id"] for row in first.successful()]
    last = sf.bulk_v1.hard_delete("Account", iter(ids), content_type=content_type).wait(raise_on_failure=True)
    assert [len(list(job.results())) for job in (third, last)] == [1, 3]
    assert held(sf) == Counter()


def test_rows_in_csv_must_have_what_records_are_found_by(sf: Salesforce) -> None:
    with pytest.raises(ValueError, match="the rows have no column Id"):
        sf.bulk_v1.update("Account", [{"Name": "x"}])
    with pytest.raises(ValueError, match="the rows have no column Ext__c"):
        sf.bulk_v1.upsert("Account", b"Name\nx\n", external_id="Ext__c")
    with pytest.raises(ValueError, match="the rows have 'Name' besides Id"):
        sf.bulk_v1.delete("Account", [{"Id": "001000000000001AAA", "Name": "x"}])


def test_tables_go_out_as_csv(sf: Salesforce) -> None:
    import polars as pl

    table = pl.DataFrame(rows(5))
    job = sf.bulk_v1.insert("Account", table, max_rows=2).wait(raise_on_failure=True)
    assert outcome(job)["successful"] == names(range(5))
    with pytest.raises(TypeError, match="not a DataFrame; only CSV takes more"):
        sf.bulk_v1.insert("Account", table, content_type="JSON")


def test_jobs_are_told_before_batches_are_added(org: LocalOrg, sf: Salesforce) -> None:
    told: list[tuple[str, int]] = []

    def on_job(job: BulkV1Job) -> None:
        told.append((job.id, len(job.batches())))

    org.faults.cut(method="POST", path=BATCHES)
    job = sf.bulk_v1.insert("Account", rows(3), on_job=on_job)
    assert told == [(job_id, 0) for job_id in job.job_ids]
    assert len(told) == 2

    def fail(_: BulkV1Job) -> None:
        raise OSError("disk full")

    with pytest.raises(errors.JobError, match="the callback on_job raised OSError") as caught:
        sf.bulk_v1.insert("Account", rows(1), on_job=fail)
    assert isinstance(caught.value.__cause__, OSError)


PROGRAM = """
import sys
from sfconnector import Salesforce

def rows():
    for number in range(1000):
        yield {"Ext__c": f"A-{number}", "Name": "x"}
        if number == 10:
            print("sent", flush=True)
            sys.stdin.read()

with Salesforce.from_env() as sf:
    sf.bulk_v1.insert("Account", rows(), content_type="JSON", max_rows=2, on_job=lambda job: print(job.id, flush=True))
"""


def test_what_a_killed_process_has_sent_is_found_by_the_id(org: LocalOrg, sf: Salesforce) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | org.environ(),
    ) as process:
        assert process.stdout
        job_id = process.stdout.readline().strip()
        assert process.stdout.readline() == "sent\n"
        process.kill()
    job = sf.bulk_v1.job(job_id)
    assert isinstance(job, BulkV1Ingest)
    assert outcome(job.wait()) == {"successful": names(range(10)), "failed": [], "unprocessed": []}
    assert held(sf) == Counter(names(range(10)))


def test_no_source_no_job(sf: Salesforce) -> None:
    for content_type in ["CSV", "JSON", "XML"]:
        job = sf.bulk_v1.insert("Account", [], content_type=content_type).wait()
        assert (job.jobs, list(job.results()), outcome(job)["failed"]) == ((), [], [])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"content_type": "ZIP_CSV"}, "content_type is one of CSV, JSON, XML"),
        ({"max_rows": 10_001}, "max_rows is 10,001, and Salesforce takes 10,000"),
        ({"max_bytes": 10_000_001}, "max_bytes is 10,000,001"),
        ({"max_rows": 0}, "max_rows is a whole number"),
        ({"workers": 0}, "workers"),
        ({"workers": 2, "concurrency_mode": "Serial"}, "Serial needs workers=1"),
        ({"concurrency_mode": "serial"}, "concurrency_mode is one of"),
        ({"assignment_rule_id": "x"}, "no id"),
    ],
)
def test_what_cannot_be_is_refused_before_the_source_is_read(
    sf: Salesforce, options: dict[str, Any], reason: str
) -> None:
    def given() -> Iterator[Any]:
        pytest.fail("the source is read")
        yield {}

    with pytest.raises(ValueError, match=reason):
        sf.bulk_v1.insert("Account", given(), **options)


@pytest.mark.parametrize("content_type", ["JSON", "XML"])
@pytest.mark.parametrize("source", [{"Name": "x"}, 3, None, b"[1]", b"<a/>"])
def test_a_source_without_rows_is_refused(sf: Salesforce, content_type: str, source: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"iterable of dicts|is no (JSON|XML) of rows"):
        sf.bulk_v1.insert("Account", source, content_type=content_type)


def test_progress_is_told_and_may_end_the_wait(org: LocalOrg, sf: Salesforce) -> None:
    told: list[JobProgress] = []
    job = sf.bulk_v1.insert("Account", rows(25, 3), max_rows=10, progress=told.append)
    assert [each.bytes_sent > 0 for each in told] == [True] * 3
    assert told[-1].job_ids == job.job_ids
    told.clear()
    job.wait(progress=told.append)
    last = told[-1]
    assert (last.records_processed, last.records_failed, last.records_total) == (25, 1, 25)
    assert (last.jobs_done, last.jobs_total) == (1, 1)

    def stop(_: JobProgress) -> None:
        raise RuntimeError("enough")

    with pytest.raises(errors.JobError, match="RuntimeError") as caught:
        job.wait(progress=stop)
    assert isinstance(caught.value.__cause__, RuntimeError)
    with pytest.raises(errors.JobError, match="RuntimeError"):
        sf.bulk_v1.insert("Account", rows(1), progress=stop)


def test_a_wait_ends_in_time_and_leaves_the_job_alone(org: LocalOrg) -> None:
    time = FakeTime()
    login = auth.ClientCredentials(org.url, org.client_id, org.client_secret)
    with Salesforce(login, retry=time.retry()) as sf:
        org.bulk.hold()
        jobs: list[Any] = [sf.bulk_v1.insert("Account", rows(1)), sf.bulk_v1.query("SELECT Id FROM Account")]
        for job in jobs:
            with pytest.raises(errors.JobTimeoutError, match="has not ended after 60 s, and goes on") as caught:
                job.wait(60)
            assert caught.value.job is job
        org.bulk.release()
        for job in jobs:
            job.wait(60)


# Queries


@FORMATS
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("chunking", [False, True, PkChunking(chunk_size=4)])
def test_queries_give_each_record_once(
    sf: Salesforce, content_type: str, workers: int, chunking: bool | PkChunking
) -> None:
    sf.bulk_v1.insert("Account", rows(30), content_type="JSON").wait(raise_on_failure=True)
    soql = "SELECT Ext__c, Name FROM Account WHERE Ext__c != 'x (SELECT Id FROM Contact)'"
    query = sf.bulk_v1.query(soql, content_type=content_type, pk_chunking=chunking)
    found = sorted((row["Ext__c"], row["Name"]) for row in query.rows(workers=workers))
    assert found == sorted((row["Ext__c"], row["Name"]) for row in rows(30))
    states = Counter(batch.state for batch in query.wait().batches())
    assert states["NotProcessed"] == bool(chunking)
    if isinstance(chunking, PkChunking):
        assert states["Completed"] > 5
    assert query.info().state == "Closed"
    again = sf.bulk_v1.job(query.id)
    assert isinstance(again, BulkV1Query)
    assert len(list(again.rows())) == 30


def test_rows_come_before_all_batches_have_completed() -> None:
    def batches(*states: str) -> Reply:
        found = [{"id": f"75100000000000{n}AAA", "jobId": JOB, "state": state} for n, state in enumerate(states)]
        return Reply.of({"batchInfo": found})

    job = {"id": JOB, "operation": "query", "object": "Account", "state": "Closed", "contentType": "CSV"}
    ids = Reply.of(["752000000000001"])
    answers = [
        Reply.of(job),
        batches("Queued", "Queued"),
        batches("Queued", "Completed"),
        ids,
        Reply(200, b"Id\n1\n"),
        batches("InProgress", "Completed"),
        batches("Completed", "Completed"),
        ids,
        Reply(200, b"Id\n2\n"),
    ]
    time = FakeTime()
    with Server(answers) as server, Salesforce(auth.AccessToken(server.url, "x"), retry=time.retry()) as sf:
        query = sf.bulk_v1.job(JOB)
        assert isinstance(query, BulkV1Query)
        found = query.rows()
        assert next(found) == {"Id": "1"}
        assert len(server.seen) == 5
        assert list(found) == [{"Id": "2"}]
    root = f"/services/async/68.0/job/{JOB}/batch"
    assert [seen.target for seen in server.seen[3:5]] == [
        f"{root}/751000000000001AAA/result",
        f"{root}/751000000000001AAA/result/752000000000001",
    ]


@FORMATS
def test_a_batch_of_a_query_that_fails_is_named(sf: Salesforce, content_type: str) -> None:
    query = sf.bulk_v1.query("SELECT Nmae, Secret__c FROM Account", content_type=content_type)
    for read in (query.wait, lambda: list(query.rows()), lambda: list(query.rows(workers=2))):
        with pytest.raises(errors.JobError, match=rf"job {query.id}: batch 751\w+ failed: ") as caught:
            read()
        assert caught.value.job is query
        assert "SELECT" not in str(caught.value)


def test_an_aborted_query_is_no_success(org: LocalOrg, sf: Salesforce) -> None:
    org.bulk.hold()
    for chunking in [False, True]:
        query = sf.bulk_v1.query("SELECT Id FROM Account", pk_chunking=chunking)
        query.abort()
        for read in (query.wait, lambda query=query: list(query.rows())):
            with pytest.raises(errors.JobError, match="was aborted"):
                read()
    org.bulk.release()
    empty = sf.bulk_v1.job(sf.bulk_v1.create_job("query", "Account").id)
    assert isinstance(empty, BulkV1Query)
    with pytest.raises(errors.JobError, match="has no batch"):
        empty.wait()


def test_a_query_whose_batch_was_lost_is_asked_once(org: LocalOrg, sf: Salesforce) -> None:
    sf.bulk_v1.insert("Account", rows(3)).wait()
    for applied in [True, False]:
        org.faults.cut(applied=applied, method="POST", path=BATCHES)
        query = sf.bulk_v1.query("SELECT Ext__c FROM Account")
        assert [row["Ext__c"] for row in query.rows()] == names(range(3))
        assert len(query.batches()) == 1


def test_csv_files_of_several_results_have_one_header(sf: Salesforce, tmp_path: Path) -> None:
    sf.bulk_v1.insert("Account", rows(30)).wait()
    path = tmp_path / "accounts.csv"
    query = sf.bulk_v1.query("SELECT Ext__c, Name FROM Account", pk_chunking=PkChunking(chunk_size=4))
    assert query.to_csv(path) == path.stat().st_size
    from sfconnector._csv.read import Rows

    with path.open("rb") as file:
        read = Rows(file)
        assert read.columns == ("Ext__c", "Name")
        found = {row["Ext__c"]: row["Name"] for row in read.dicts()}
    assert found == {row["Ext__c"]: row["Name"] for row in rows(30)}
    assert sf.bulk_v1.query("SELECT Id FROM Account WHERE Name = 'nobody'").to_csv(path) == path.stat().st_size
    assert len(path.read_text().splitlines()) <= 1


def test_a_csv_file_appears_whole_or_not_at_all(org: LocalOrg, sf: Salesforce, tmp_path: Path) -> None:
    sf.bulk_v1.insert("Account", rows(3)).wait()
    path = tmp_path / "accounts.csv"
    path.write_text("as it was")
    org.faults.cut(5, times=None, method="GET", path="*/result/*")
    with pytest.raises(errors.TransportError):
        sf.bulk_v1.query("SELECT Id FROM Account").to_csv(path)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("accounts.csv", "as it was")]
    with pytest.raises(ValueError, match="is in JSON: query with content_type='CSV'"):
        sf.bulk_v1.query("SELECT Id FROM Account", content_type="JSON").to_csv(path)


@pytest.mark.parametrize(
    ("soql", "sobject"),
    [
        ("SELECT Id FROM Account", "Account"),
        ("select id\nfrom\tMy_Thing__c where Name = 'x from Contact'", "My_Thing__c"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account WHERE Id IN (SELECT AccountId FROM Case)", "Account"),
        (r"SELECT Id FROM Lead WHERE Name = 'it\'s (SELECT Id FROM X)'", "Lead"),
    ],
)
def test_the_object_of_a_query(soql: str, sobject: str) -> None:
    from sfconnector._bulk_v1.query import sobject_of

    assert sobject_of(soql) == sobject


def test_a_query_that_cannot_be_is_refused_before_anything_is_sent(sf: Salesforce) -> None:
    for soql, options, reason in [
        ("", {}, "the query is blank"),
        ("SELECT Id", {}, "names no object"),
        ("SELECT Id FROM A", {"sobject": "A B"}, "no API name"),
        ("SELECT Id FROM A", {"content_type": "ZIP_CSV"}, "content_type is one of CSV, JSON, XML"),
        ("SELECT Id FROM A", {"pk_chunking": "TRUE"}, "pk_chunking is True"),
        ("SELECT Id FROM A", {"concurrency_mode": "x"}, "concurrency_mode"),
    ]:
        with pytest.raises((ValueError, TypeError), match=reason):
            sf.bulk_v1.query(soql, **options)  # type: ignore[arg-type]  # wrong arguments are what is tried
    with pytest.raises(ValueError, match="workers"):
        sf.bulk_v1.query("SELECT Id FROM Account").rows(workers=0)


# Files


@FORMATS
def test_files_go_up_in_zip_files(sf: Salesforce, content_type: str, tmp_path: Path) -> None:
    account = sf.sobject("Account").create({"Name": "Acme"}).id
    (tmp_path / "b.bin").write_bytes(b"\0\xff" * 5000)
    files = [b"Dear customer", tmp_path / "b.bin", b"x" * 100]
    given = [{"ParentId": account, "Name": f"é {n}.txt", "Body": source} for n, source in enumerate(files)]
    bad = {"ParentId": account, "Name": None, "Body": b"y"}
    job = sf.bulk_v1.insert_files("Attachment", [*given, bad], "Body", content_type=content_type).wait()
    assert job.jobs[0].content_type == f"ZIP_{content_type}"
    results = list(job.results())
    assert [result.success for result in results] == [True, True, True, False]
    assert [failure.index for failure in job.failures()] == [3]
    for result, source in zip(results, files, strict=False):
        stored = b"".join(sf.files.stream(result.id or ""))
        assert stored == (source if isinstance(source, bytes) else source.read_bytes())
    other = sf.bulk_v1.job(job.job_ids[0])
    assert isinstance(other, BulkV1Ingest)
    with pytest.raises(ValueError, match="files of the rows are not here"):
        other.retry_failed()


def test_many_files_take_several_batches(org: LocalOrg, sf: Salesforce, monkeypatch: pytest.MonkeyPatch) -> None:
    from sfconnector._bulk_v1 import _zips

    monkeypatch.setattr(_zips, "MOST_FILES", 4)
    account = sf.sobject("Account").create({"Name": "Acme"}).id
    org.faults.cut(applied=True, method="POST", path=BATCHES)
    given = [{"ParentId": account, "Name": str(number), "Body": bytes([number])} for number in range(10)]
    job = sf.bulk_v1.insert_files("Attachment", given, "Body", workers=2).wait(raise_on_failure=True)
    assert [row["Name"] for row in job.successful()] == [str(number) for number in range(10)]
    assert sorted(record["Name"] for record in sf.query("SELECT Name FROM Attachment")) == list("0123456789")
    assert sum(len(each.batches()) for each in job.jobs) == 4
    with pytest.raises(ValueError, match=r"row 0: the source .* cannot be read"):
        sf.bulk_v1.insert_files("Attachment", [{"Body": "missing"}], "Body")


def test_no_thread_is_left_behind(sf: Salesforce) -> None:
    sf.bulk_v1.insert("Account", rows(20), max_rows=2, workers=3).wait()
    found = sf.bulk_v1.query("SELECT Id FROM Account", pk_chunking=PkChunking(chunk_size=3)).rows(workers=3)
    next(found)
    found.close()  # type: ignore[attr-defined]  # a generator
    assert not [thread for thread in threading.enumerate() if thread.name == "sfconnector-read-ahead"]
