"""Rows written by jobs of Bulk API 2.0: every source, every operation, every result, and where each row went."""

import csv
import gc
import io
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from sfconnector import JobProgress, Salesforce, errors
from sfconnector._bulk.ingest_errors import parse_error
from sfconnector.testing import LocalOrg

ROWS = [{"Name": f"Account {number}", "Ext__c": f"E{number}"} for number in range(100)]


@pytest.fixture
def org(local_org: LocalOrg) -> LocalOrg:
    local_org.add_field("Account", "Ext__c", "string(40) unique external_id")
    return local_org


def held(sf: Salesforce, *fields: str) -> list[tuple[Any, ...]]:
    """What the org has, in the order of the external ids."""
    names = fields or ("Ext__c", "Name")
    records = sf.query(f"SELECT {', '.join(names)} FROM Account WHERE Ext__c != null")
    return sorted(tuple(record[name] for name in names) for record in records)


def as_csv(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


@attrs.define
class Account:
    Name: str
    Ext__c: str
    Id: str | None = None


def path_of(rows: list[dict[str, str]]) -> Path:
    file = Path(tempfile.mkdtemp()) / "accounts.csv"
    file.write_bytes(as_csv(rows))
    return file


SOURCES: dict[str, Callable[[list[dict[str, str]]], Any]] = {
    "path": path_of,
    "text path": lambda rows: str(path_of(rows)),
    "file": lambda rows: io.BytesIO(as_csv(rows)),
    "bytes": as_csv,
    "dicts": lambda rows: rows,
    "generator": iter,
    "objects": lambda rows: [Account(**row) for row in rows],
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "table": pa.Table.from_pylist,
    "batches": lambda rows: pa.Table.from_pylist(rows).to_batches(max_chunksize=17),
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_source(org: LocalOrg, sf: Salesforce, source: str) -> None:
    with_failure = [*ROWS[:40], {**ROWS[40], "Ext__c": "E0"}, *ROWS[41:]]
    ingest = sf.bulk.insert("Account", SOURCES[source](with_failure), max_bytes=500).wait()
    assert len(ingest.jobs) > 3
    assert sum(len(job.rows or ()) for job in ingest.jobs) == 100
    assert [failure.index for failure in ingest.failures()] == [40]
    assert len([*ingest.successful()]) == 99
    assert held(sf) == sorted((row["Ext__c"], row["Name"]) for row in ROWS if row["Ext__c"] != "E40")


def test_rows_with_columns(org: LocalOrg, sf: Salesforce) -> None:
    rows = ((row["Ext__c"], row["Name"]) for row in ROWS)
    sf.bulk.insert("Account", rows, columns=["Ext__c", "Name"]).wait(raise_on_failure=True)
    assert held(sf) == sorted((row["Ext__c"], row["Name"]) for row in ROWS)


def test_what_a_job_has_read_another_one_writes(org: LocalOrg, sf: Salesforce) -> None:
    sf.bulk.insert("Account", ROWS).wait(raise_on_failure=True)
    found = sf.bulk.query("SELECT Id, Name FROM Account WHERE Ext__c LIKE 'E1%'")
    ingest = sf.bulk.update("Account", ({**row, "Name": row["Name"][::-1]} for row in found.rows()), max_bytes=300)
    ingest.wait(raise_on_failure=True)
    changed = {row["Ext__c"]: row["Name"][::-1] for row in ROWS if row["Ext__c"].startswith("E1")}
    assert dict(held(sf)) == {row["Ext__c"]: row["Name"] for row in ROWS} | changed
    sf.bulk.delete("Account", sf.bulk.query("SELECT Id FROM Account WHERE Ext__c LIKE 'E1%'")).wait(
        raise_on_failure=True
    )
    assert len(held(sf)) == 100 - len(changed)


def test_none_empties_a_field_and_a_missing_key_leaves_it_alone(org: LocalOrg, sf: Salesforce) -> None:
    first = [{"Ext__c": "A", "Name": "A", "Site": "s", "Phone": "1"}, {"Ext__c": "B", "Name": "B", "Site": "s"}]
    sf.bulk.insert("Account", first).wait(raise_on_failure=True)
    second: list[dict[str, Any]] = [{"Ext__c": "A", "Site": None}, {"Ext__c": "B", "Phone": "2"}]
    sf.bulk.upsert("Account", second, external_id="Ext__c").wait(raise_on_failure=True)
    assert held(sf, "Ext__c", "Name", "Site", "Phone") == [("A", "A", None, "1"), ("B", "B", "s", "2")]


def test_each_operation(org: LocalOrg, sf: Salesforce) -> None:
    created = [row["sf__Id"] for row in sf.bulk.insert("Account", ROWS[:4]).successful()]
    assert {
        row["sf__Created"]
        for row in sf.bulk.ingest_job(sf.bulk.insert("Account", [{"Name": "x"}]).job_ids[0]).successful()
    } == {"true"}
    sf.bulk.update("Account", [{"Id": created[0], "Name": "New"}]).wait(raise_on_failure=True)
    assert sf.sobject("Account").get(created[0])["Name"] == "New"
    both = [{"Ext__c": "E1", "Name": "Changed"}, {"Ext__c": "E9", "Name": "Fresh"}]
    upserted = {row["Ext__c"]: row for row in sf.bulk.upsert("Account", both, external_id="Ext__c").successful()}
    assert (upserted["E1"]["sf__Id"], upserted["E1"]["sf__Created"]) == (created[1], "false")
    assert upserted["E9"]["sf__Created"] == "true"
    sf.bulk.delete("Account", [{"Id": created[2]}]).wait(raise_on_failure=True)
    sf.bulk.hard_delete("Account", [{"Id": created[3]}]).wait(raise_on_failure=True)
    assert [key for key, _ in held(sf)] == ["E0", "E1", "E9"]
    gone = sf.query("SELECT Ext__c FROM Account WHERE IsDeleted = true", include_deleted=True)
    assert [record["Ext__c"] for record in gone] == ["E2"]


@pytest.mark.parametrize(
    ("delimiter", "ending"),
    [*zip(["BACKQUOTE", "CARET", "COMMA", "PIPE", "SEMICOLON", "TAB"], ["LF", "CRLF"] * 3, strict=True)],
)
def test_every_dialect_both_ways(org: LocalOrg, sf: Salesforce, delimiter: Any, ending: Any) -> None:
    name = 'a,b;c|d^e`f\tg "h" \\ i\nj k'
    rows = [{"Ext__c": "1", "Name": name}, {"Ext__c": "1", "Name": f"{name}{name}"}]
    ingest = sf.bulk.insert("Account", rows, column_delimiter=delimiter, line_ending=ending).wait()
    info = ingest.jobs[0].info()
    assert (info.column_delimiter, info.line_ending) == (delimiter, ending)
    assert [row["Name"] for row in ingest.successful()] == [name]
    assert [(failure.index, failure.row) for failure in ingest.failures()] == [(1, rows[1])]
    assert sum(request.path.endswith("/failedResults") for request in org.requests) == 1
    # From the id alone, the delimiter is asked for.
    assert [row["Name"] for row in sf.bulk.ingest_job(ingest.job_ids[0]).failed()] == [name * 2]


def test_failures_have_reasons_and_positions_over_all_jobs(org: LocalOrg, sf: Salesforce) -> None:
    rows = [{**row, "Name": None if number % 7 == 3 else row["Name"]} for number, row in enumerate(ROWS)]
    ingest = sf.bulk.insert("Account", rows, max_bytes=700, workers=3).wait()
    assert len(ingest.jobs) > 2
    failures = [*ingest.failures()]
    assert [failure.index for failure in failures] == [*range(3, 100, 7)]
    assert {failure.error.code for failure in failures} == {"REQUIRED_FIELD_MISSING"}
    assert failures[0].error.fields == ("Name",)
    assert failures[0].row == {"Name": "#N/A", "Ext__c": "E3"}
    assert "E3" not in repr(failures[0])
    assert [row["Ext__c"] for row in ingest.failed()] == [f"E{number}" for number in range(3, 100, 7)]
    assert ingest.retry_failed().jobs == ()
    with pytest.raises(errors.RecordError, match="14 of 100 records failed, 14 × REQUIRED_FIELD_MISSING") as caught:
        ingest.wait(raise_on_failure=True)
    assert caught.value.job is ingest
    assert caught.value.index == 3
    assert len(caught.value.failures) == 14


@pytest.mark.parametrize(
    ("text", "code", "message", "fields"),
    [
        ("A_CODE:bad value: 1:2:Name,Ext__c --", "A_CODE", "bad value: 1:2", ("Name", "Ext__c")),
        ("A_CODE:bad:Owner.Name --", "A_CODE", "bad", ("Owner.Name",)),
        ("A_CODE:bad:--", "A_CODE", "bad", ()),
        ("A_CODE:bad: really! --", "A_CODE", "bad: really! --", ()),
        ("A_CODE:bad --", "A_CODE", "bad --", ()),
        ("A_CODE:", "A_CODE", "", ()),
        ("no code: at all", "", "no code: at all", ()),
        ("", "", "", ()),
    ],
)
def test_the_parts_of_an_error(text: str, code: str, message: str, fields: tuple[str, ...]) -> None:
    assert parse_error(text) == errors.ErrorDetail(code, message, fields)


def test_rows_that_come_back_as_others_are_found_by_their_key_or_not_at_all(org: LocalOrg, sf: Salesforce) -> None:
    ingest = sf.bulk.upsert("Account", [*ROWS[:5], {"Ext__c": "E6"}, {"Ext__c": "E7"}], external_id="Ext__c").wait()
    lock = "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--"
    answer = f"sf__Id,sf__Error,Ext__c,Name\n,{lock},E6,changed\n,{lock},E77,changed\n"
    org.faults.answer(200, answer, media_type="text/csv", path="*/failedResults", times=None)
    assert [failure.index for failure in ingest.failures()] == [5, None]
    again = ingest.retry_failed()
    org.faults.clear()
    again.wait(raise_on_failure=True)
    assert {row["Ext__c"] for row in again.successful()} == {"E6", "E77"}
    assert held(sf)[-2:] == [("E6", "changed"), ("E77", "changed")]


def test_an_error_holds_a_bounded_number_of_failures(org: LocalOrg, sf: Salesforce) -> None:
    with pytest.raises(
        errors.RecordError, match=r"250 of 250 records failed, 200 × REQUIRED_FIELD_MISSING, …"
    ) as caught:
        sf.bulk.insert("Account", [{"Name": None}] * 250).wait(raise_on_failure=True)
    assert len(caught.value.failures) == 200


def test_locked_rows_are_sent_again_and_keep_their_positions(org: LocalOrg, sf: Salesforce) -> None:
    sf.bulk.insert("Account", ROWS).wait(raise_on_failure=True)
    changes = [{"Ext__c": row["Ext__c"], "Name": f"{row['Name']} B"} for row in ROWS]
    changes[30]["Name"] = "x" * 300
    org.faults.lock_rows(times=10)
    ingest = sf.bulk.upsert("Account", changes, external_id="Ext__c", max_bytes=900).wait()
    failed = [failure.index for failure in ingest.failures() if failure.is_transient]
    assert len(failed) == 10
    org.faults.lock_rows(times=3)
    again = ingest.retry_failed().wait()
    still = [*again.failures()]
    assert len(still) == 3
    assert {failure.index for failure in still} <= set(failed)
    assert [failure.row["Ext__c"] for failure in still] == [f"E{failure.index}" for failure in still]
    last = again.retry_failed().wait(raise_on_failure=True)
    assert len([*ingest.successful()]) + len([*again.successful()]) + len([*last.successful()]) == 99
    assert [*last.failures()] == []
    expected = {row["Ext__c"]: row["Name"] for row in changes} | {"E30": ROWS[30]["Name"]}
    assert dict(held(sf)) == expected


@pytest.mark.parametrize("failed", [True, False])
def test_d10_a_job_that_ends_badly_is_no_success_and_its_rows_are_accounted_for(
    org: LocalOrg, sf: Salesforce, failed: bool
) -> None:
    rows = [{**row, "Name": None if number == 5 else row["Name"]} for number, row in enumerate(ROWS)]
    if failed:
        org.bulk.fail_job(message="InternalServerError : sorry", after_records=30)
        ingest = sf.bulk.insert("Account", rows)
    else:
        org.bulk.hold(after_records=30)
        ingest = sf.bulk.insert("Account", rows)
        org.bulk.wait(ingest.job_ids[0], "InProgress")
        ingest.abort()
        org.bulk.release()
    with pytest.raises(errors.JobError, match="failed: InternalServerError : sorry" if failed else "aborted") as caught:
        ingest.wait()
    assert caught.value.job is ingest
    counts = [len([*rows]) for rows in (ingest.successful(), ingest.failed(), ingest.unprocessed())]
    assert sum(counts) == 100
    if failed:
        assert counts == [29, 1, 70]
    assert len(held(sf)) == counts[0]
    assert [failure.index for failure in ingest.failures()] == ([5] if counts[1] else [])


def test_of_several_jobs_all_are_waited_for_before_a_bad_end_is_told(org: LocalOrg, sf: Salesforce) -> None:
    org.bulk.hold()
    ingest = sf.bulk.insert("Account", ROWS, max_bytes=700)
    org.bulk.fail_job(ingest.job_ids[1], message="Bad : luck")
    org.bulk.release()
    with pytest.raises(errors.JobError, match=rf"1 of {len(ingest.jobs)} jobs: job {ingest.job_ids[1]} failed: Bad"):
        ingest.wait()
    assert [job.state for job in ingest.jobs] == ["JobComplete", "Failed", *["JobComplete"] * (len(ingest.jobs) - 2)]
    assert len(held(sf)) == 100 - len(ingest.jobs[1].rows or ())


def test_d10_a_timeout_leaves_the_jobs_alone(org: LocalOrg, sf: Salesforce) -> None:
    org.bulk.hold()
    ingest = sf.bulk.insert("Account", ROWS)
    with pytest.raises(errors.JobTimeoutError, match=f"job {ingest.job_ids[0]} has not ended after 0") as caught:
        ingest.wait(timeout=0)
    org.bulk.release()
    assert caught.value.job.wait() is ingest
    assert len(held(sf)) == 100


def test_progress_is_told_of_the_upload_and_of_the_jobs(org: LocalOrg, sf: Salesforce) -> None:
    told: list[JobProgress] = []
    ingest = sf.bulk.insert("Account", ROWS, max_bytes=700, progress=told.append)
    uploaded = len(told)
    assert {each.state for each in told} == {"Open"}
    assert [each.bytes_sent for each in told] == sorted(each.bytes_sent for each in told)
    assert told[-1].job_ids == ingest.job_ids
    ingest.wait(progress=told.append)
    last = told[-1]
    assert (last.records_processed, last.records_total, last.records_failed) == (100, 100, 0)
    assert (last.jobs_done, last.jobs_total, last.state) == (len(ingest.jobs), len(ingest.jobs), "JobComplete")
    assert last.bytes_sent == told[uploaded - 1].bytes_sent
    assert {each.records_total for each in told[uploaded:]} == {100}
    ingest.jobs[1].wait(progress=told.append)
    rows = ingest.jobs[1].rows or ()
    assert (told[-1].records_processed, told[-1].records_total, told[-1].jobs_total) == (len(rows), len(rows), 1)
    org.bulk.fail_job()
    with pytest.raises(errors.JobError):
        sf.bulk.insert("Account", [{"Name": "x"}]).wait(progress=told.append)
    assert (told[-1].state, told[-1].jobs_done) == ("Failed", 1)


def test_no_rows_are_no_jobs(org: LocalOrg, sf: Salesforce) -> None:
    ingest = sf.bulk.insert("Account", iter(()))
    assert (ingest.jobs, ingest.job_ids, ingest.wait()) == ((), (), ingest)
    assert [*ingest.successful(), *ingest.failed(), *ingest.unprocessed(), *ingest.failures()] == []
    assert [*sf.bulk.ingest_jobs()] == []
    assert repr(ingest) == "<Ingest of 0 rows by no job>"


def test_jobs_are_deleted_with_their_results(org: LocalOrg, sf: Salesforce) -> None:
    ingest = sf.bulk.insert("Account", ROWS[:2]).wait()
    ingest.delete()
    assert [*sf.bulk.ingest_jobs()] == []
    with pytest.raises(errors.NotFoundError):
        next(sf.bulk.ingest_job(ingest.job_ids[0]).failed())


BAD_INPUT: dict[str, Callable[[Salesforce], Any]] = {
    "object": lambda sf: sf.bulk.insert("Acc ount", ROWS),
    "external id": lambda sf: sf.bulk.upsert("Account", ROWS, external_id="a b"),
    "no external id": lambda sf: sf.bulk.upsert("Account", ROWS, external_id=None),  # type: ignore[arg-type]  # a mistake
    "workers": lambda sf: sf.bulk.insert("Account", ROWS, workers=0),
    "rule": lambda sf: sf.bulk.insert("Account", ROWS, assignment_rule_id="x"),
    "delimiter": lambda sf: sf.bulk.insert("Account", ROWS, column_delimiter=","),  # type: ignore[arg-type]  # a mistake
    "ending": lambda sf: sf.bulk.insert("Account", ROWS, line_ending="\n"),  # type: ignore[arg-type]  # a mistake
    "size": lambda sf: sf.bulk.insert("Account", ROWS, max_bytes=0),
    "path": lambda sf: sf.bulk.insert("Account", "no/such/file.csv"),
    "one dict": lambda sf: sf.bulk.insert("Account", ROWS[0]),
    "value": lambda sf: sf.bulk.insert("Account", [{"Name": object()}]),
    "job": lambda sf: sf.bulk.ingest_job("750/x"),
}


@pytest.mark.parametrize("mistake", BAD_INPUT)
def test_bad_input_is_refused_before_anything_is_sent(org: LocalOrg, sf: Salesforce, mistake: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        BAD_INPUT[mistake](sf)
    assert [*sf.bulk.ingest_jobs()] == []


def test_a_job_is_made_again_from_its_id(org: LocalOrg, sf: Salesforce) -> None:
    ingest = sf.bulk.insert("Account", ROWS[:1]).wait()
    job = sf.bulk.job(ingest.job_ids[0])
    assert repr(job) == f"<IngestJob {ingest.job_ids[0]}, JobComplete>"
    reading = sf.bulk.create_query_job("SELECT Id FROM Account")
    assert repr(sf.bulk.job(reading.id)).startswith(f"<QueryJob {reading.id}, ")
    with pytest.raises(errors.NotFoundError):
        sf.bulk.job("750000000000000AAA")


def test_what_the_assignment_rule_is(org: LocalOrg, sf: Salesforce) -> None:
    rule = "01Q000000000001AAA"
    ingest = sf.bulk.insert("Lead", [{"LastName": "a", "Company": "b"}], assignment_rule_id=rule)
    assert ingest.jobs[0].info().assignment_rule_id == rule


def test_eight_threads_at_once(org: LocalOrg, sf: Salesforce) -> None:
    ended = dict[int, Any]()

    def work(number: int) -> None:
        rows = [{"Ext__c": f"T{number}-{row}", "Name": f'Größe {number} 😀, "{row}"'} for row in range(30)]
        rows.append({"Ext__c": f"T{number}-30", "Name": "x" * 300})
        ended[number] = sf.bulk.insert("Account", rows, max_bytes=900, workers=2).wait()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(8):
        assert [failure.index for failure in ended[number].failures()] == [30]
        own = {row["Ext__c"] for row in ended[number].successful()}
        assert own == {f"T{number}-{row}" for row in range(30)}
    expected = [(f"T{n}-{row}", f'Größe {n} 😀, "{row}"') for n in range(8) for row in range(30)]
    assert held(sf) == sorted(expected)


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], int]:
    """How many temporary files the client has, by the descriptors that point into their folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def count() -> int:
        gc.collect()
        found = 0
        for each in Path("/proc/self/fd").iterdir():
            # The org's connections and files come and go meanwhile.
            with suppress(OSError):
                link = str(each.readlink())
                found += link.startswith(str(tmp_path)) and "local-org-" not in link
        return found

    return count


def test_what_was_sent_is_kept_until_it_is_closed_or_forgotten(
    org: LocalOrg, sf: Salesforce, files: Callable[[], int]
) -> None:
    ingest = sf.bulk.insert("Account", [*ROWS[:3], {"Ext__c": "E0"}], max_bytes=40).wait()
    # One for all of them.
    assert len(ingest.jobs) > 1
    assert files() == 1
    assert [failure.index for failure in ingest.failures()] == [3]
    ingest.close()
    assert files() == 0
    with pytest.raises(ValueError, match="released"):
        next(ingest.failures())
    assert len([*ingest.failed()]) == 1
    again = sf.bulk.insert("Account", [{"Name": "x"}])
    assert files() == 1
    del again
    assert files() == 0
    good = sf.bulk.insert("Account", [{"Name": "x"}]).wait()
    assert files() == 0
    assert [*good.failures()] == []
