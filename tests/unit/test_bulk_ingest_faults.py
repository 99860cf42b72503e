"""What goes wrong while rows are written, and that each of them is accounted for all the same."""

import itertools
import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from session_tools import quick

from sfconnector import Hooks, JobProgress, RequestEvent, Retry, Salesforce, auth, errors
from sfconnector.testing import Fault, LocalOrg

ROWS = [{"Ext__c": f"E{number}", "Name": f"Account {number}"} for number in range(100)]
# Of 26 rows or so.
PART = 500


@pytest.fixture
def org(local_org: LocalOrg) -> LocalOrg:
    local_org.add_field("Account", "Ext__c", "string(40) unique external_id")
    return local_org


@contextmanager
def client(org: LocalOrg, on_request: Callable[[RequestEvent], object] | None = None) -> Iterator[Salesforce]:
    login = auth.ClientCredentials(org.url, org.client_id, org.client_secret)
    with Salesforce(login, retry=quick(), hooks=Hooks(on_request=on_request)) as sf:
        yield sf


@pytest.fixture
def sf(org: LocalOrg) -> Iterator[Salesforce]:
    with client(org) as sf:
        yield sf


def held(sf: Salesforce) -> list[str]:
    records = sf.query("SELECT Ext__c FROM Account WHERE Ext__c != null")
    return sorted(record["Ext__c"] for record in records)


def states(sf: Salesforce) -> dict[str, int]:
    return Counter(job.state for job in sf.bulk.ingest_jobs())


def check(sf: Salesforce, ingest: Any, failed: int = 0) -> None:
    """Hold rows sent = successful + failed + unprocessed, and the org has just those that were successful."""
    successful = [row["Ext__c"] for row in ingest.successful()]
    assert (len(successful), len([*ingest.failed()]), len([*ingest.unprocessed()])) == (100 - failed, failed, 0)
    assert sorted(successful) == held(sf)


UPLOAD, JOB, CREATE = "*/batches", "*/jobs/ingest/750*", "*/jobs/ingest"
FAULTS: dict[str, Callable[[LocalOrg], Fault | None]] = {
    "upload lost": lambda org: org.faults.cut(method="PUT", path=UPLOAD),
    "upload done, its answer lost": lambda org: org.faults.cut(method="PUT", path=UPLOAD, applied=True),
    "uploads lost": lambda org: org.faults.cut(method="PUT", path=UPLOAD, times=4),
    "upload refused for now": lambda org: org.faults.unavailable(method="PUT", path=UPLOAD, retry_after=0),
    "upload lost at a gateway": lambda org: org.faults.html_error(502, method="PUT", path=UPLOAD),
    "upload done, a gateway answers": lambda org: org.faults.html_error(504, method="PUT", path=UPLOAD, applied=True),
    "close lost": lambda org: org.faults.cut(method="PATCH", path=JOB),
    "close done, its answer lost": lambda org: org.faults.cut(method="PATCH", path=JOB, applied=True),
    "close half answered": lambda org: org.faults.cut(20, method="PATCH", path=JOB),
    "create lost": lambda org: org.faults.cut(method="POST", path=CREATE),
    "create half answered": lambda org: org.faults.cut(20, method="POST", path=CREATE),
    "polls lost": lambda org: org.faults.cut(method="GET", path=JOB, times=3),
    "polls unavailable": lambda org: org.faults.unavailable(times=7, method="GET", path=JOB),
    "results cut": lambda org: org.faults.cut(300, path="*/successfulResults"),
    "results cut again and again": lambda org: org.faults.cut(700, path="*/successfulResults", times=4),
    "failures cut": lambda org: org.faults.cut(30, path="*/failedResults"),
    "tokens expire": lambda org: org.faults.expire_after(8),
}


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("fault", FAULTS)
def test_every_row_is_written_once_whatever_happens(org: LocalOrg, sf: Salesforce, fault: str, workers: int) -> None:
    armed = FAULTS[fault](org)
    rows = [*ROWS, {"Ext__c": "E100", "Name": None}]
    ingest = sf.bulk.insert("Account", rows, max_bytes=PART, workers=workers).wait()
    successful = sorted(row["Ext__c"] for row in ingest.successful())
    assert [failure.index for failure in ingest.failures()] == [100]
    org.faults.clear()
    assert successful == held(sf) == sorted(row["Ext__c"] for row in ROWS)
    assert armed is None or armed.times == 0
    # A created job whose answer is lost stays behind: nobody knows its id.
    assert states(sf)["JobComplete"] == len(ingest.jobs)
    assert set(states(sf)) <= ({"JobComplete", "Open"} if fault == "create half answered" else {"JobComplete"})


@pytest.mark.parametrize("applied", [True, False])
def test_requests_are_cut_half_way_again_and_again(org: LocalOrg, applied: bool) -> None:
    count = itertools.count(1)
    armed = list[Fault]()

    def cut_some(event: RequestEvent) -> None:
        number = next(count)
        if number % 6 == 0 and event.operation != "login":
            armed.append(org.faults.cut(100) if number % 2 and applied else org.faults.cut(applied=applied))

    with client(org, cut_some) as sf:
        ingest = sf.bulk.upsert("Account", ROWS, external_id="Ext__c", max_bytes=PART, workers=2)
        ingest.wait(raise_on_failure=True)
        check(sf, ingest)
    assert len(armed) > 3


def test_of_a_doubtful_upload_the_job_is_given_up_and_another_one_gets_the_part(org: LocalOrg) -> None:
    seen = list[tuple[str, str]]()
    with client(org, lambda event: seen.append((event.method, event.operation))) as sf:
        created = list[str]()
        org.faults.cut(method="PUT", path=UPLOAD, applied=True)
        ingest = sf.bulk.insert("Account", ROWS, on_job=lambda job: created.append(job.id))
        assert [operation for _, operation in seen if operation != "login"] == [
            *("create_ingest_job", "upload_ingest_data"),
            # One that is open does nothing, whatever it has.
            *("update_ingest_job", "delete_ingest_job"),
            *("create_ingest_job", "upload_ingest_data", "update_ingest_job"),
        ]
        assert len(created) == 2
        assert ingest.job_ids == (created[1],)
        with pytest.raises(errors.NotFoundError):
            sf.bulk.ingest_job(created[0]).info()
        check(sf, ingest.wait())


def test_a_token_that_expires_while_a_part_is_sent_costs_no_job(org: LocalOrg, sf: Salesforce) -> None:
    created = list[str]()

    def expire(job: Any) -> None:
        created.append(job.id)
        org.faults.expire_tokens()

    ingest = sf.bulk.insert("Account", ROWS, max_bytes=PART, on_job=expire).wait()
    check(sf, ingest)
    assert ingest.job_ids == tuple(created)


def test_a_token_that_expires_while_results_come_costs_no_row(org: LocalOrg, sf: Salesforce) -> None:
    ingest = sf.bulk.insert("Account", ROWS).wait()
    fault = org.faults.cut(1_000, path="*/successfulResults")
    rows = iter(ingest.successful())
    first = next(rows)
    org.faults.expire_tokens()
    assert sorted(row["Ext__c"] for row in [first, *rows]) == held(sf)
    assert fault.hits == 1


def test_a_refused_upload_is_told_as_it_is_where_nothing_was_closed(org: LocalOrg, sf: Salesforce) -> None:
    org.faults.error(400, "BAD", "no", method="PUT", path=UPLOAD)
    with pytest.raises(errors.BadRequestError, match="BAD: no"):
        sf.bulk.insert("Account", ROWS)
    assert states(sf) == {"Aborted": 1}


def test_attempts_end_and_nothing_is_left_open(org: LocalOrg, sf: Salesforce) -> None:
    fault = org.faults.cut(method="PUT", path=UPLOAD, times=None)
    with pytest.raises(errors.TransportError):
        sf.bulk.insert("Account", ROWS)
    assert fault.hits == 5
    assert states(sf) == {"Aborted": 1}


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_tells_which_jobs_were_closed(org: LocalOrg, sf: Salesforce, workers: int) -> None:
    created = list[str]()

    def on_job(job: Any) -> None:
        created.append(job.id)
        if len(created) == 3:
            org.faults.error(400, "BAD", "no", method="PUT", path=f"*/{job.id}/batches")

    with pytest.raises(
        errors.JobError, match=r"the upload broke off: PUT .* BAD: no — jobs? 750.* had been closed before"
    ) as caught:
        sf.bulk.insert("Account", ROWS, max_bytes=PART, workers=workers, on_job=on_job)
    assert isinstance(caught.value.__cause__, errors.BadRequestError)
    so_far = caught.value.job
    assert so_far.job_ids[0] in str(caught.value)
    assert created[2] not in so_far.job_ids
    so_far.wait()
    closed = [number for job in so_far.jobs for number in job.rows]
    assert held(sf) == sorted(ROWS[number]["Ext__c"] for number in closed)
    assert set(states(sf)) == {"JobComplete", "Aborted"}


def test_a_source_that_breaks_ends_the_upload(org: LocalOrg, sf: Salesforce) -> None:
    def rows() -> Iterator[Any]:
        yield from ({**row, "Name": "x" * 200} for row in ROWS * 100)
        yield {"Ext__c": object()}

    with pytest.raises(errors.JobError, match=r"row 10,?000") as caught:
        sf.bulk.insert("Account", rows(), max_bytes=200_000, workers=2)
    assert isinstance(caught.value.__cause__, TypeError)
    assert states(sf).keys() <= {"UploadComplete", "InProgress", "JobComplete"}
    assert {job.id for job in sf.bulk.ingest_jobs()} == set(caught.value.job.job_ids)


def test_a_file_that_changes_while_it_is_sent_is_sent_no_further(org: LocalOrg, sf: Salesforce, tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("Ext__c,Name\n" + "".join(f"{row['Ext__c']},{row['Name']}\n" for row in ROWS))
    created = list[str]()

    def change(job: Any) -> None:
        created.append(job.id)
        if len(created) == 2:
            path.write_text("Ext__c,Name\nX,Y\n")

    with pytest.raises(errors.JobError, match="the source was changed") as caught:
        sf.bulk.insert("Account", path, max_bytes=PART, on_job=change)
    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.job.job_ids == (created[0],)
    caught.value.job.wait()
    assert held(sf) == sorted(ROWS[number]["Ext__c"] for number in caught.value.job.jobs[0].rows)
    assert states(sf) == {"JobComplete": 1, "Aborted": 1}


@pytest.mark.parametrize("hook", ["progress", "on_job"])
def test_a_callback_that_raises_ends_the_upload_with_the_jobs_at_hand(org: LocalOrg, sf: Salesforce, hook: str) -> None:
    calls = itertools.count(1)

    def stop(_: Any) -> None:
        if next(calls) == 3:
            raise OSError("enough")

    options: dict[str, Any] = {hook: stop}
    with pytest.raises(errors.JobError, match="the callback raised OSError") as caught:
        sf.bulk.insert("Account", ROWS, max_bytes=PART, **options)
    assert str(caught.value.__cause__) == "enough"
    assert len(caught.value.job.jobs) > 0
    caught.value.job.wait()
    assert "Open" not in states(sf)
    assert held(sf) == sorted(ROWS[number]["Ext__c"] for job in caught.value.job.jobs for number in job.rows)


@pytest.mark.parametrize("workers", [1, 4])
def test_an_interruption_leaves_nothing_open_and_names_what_goes_on(
    org: LocalOrg, sf: Salesforce, workers: int
) -> None:
    created = list[str]()
    three = threading.Event()

    def on_job(job: Any) -> None:
        created.append(job.id)
        if len(created) == 3:
            three.set()

    def rows() -> Iterator[dict[str, str]]:
        yield from ROWS * 500
        three.wait()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        sf.bulk.insert("Account", rows(), max_bytes=200_000, workers=workers, on_job=on_job)
    assert not [each for each in threading.enumerate() if each.name == "sfconnector-read-ahead"]
    left = {job.id: job.state for job in sf.bulk.ingest_jobs()}
    assert "Open" not in left.values()
    closed = [each for each in created if left.get(each, "Aborted") != "Aborted"]
    note = caught.value.__notes__[-1]
    assert closed
    assert all(each in note for each in closed[:3])


@pytest.mark.parametrize("methods", [["PATCH"], ["PATCH", "GET"]])
def test_jobs_that_may_have_been_closed_count_as_closed(org: LocalOrg, sf: Salesforce, methods: list[str]) -> None:
    for method in methods:
        org.faults.cut(method=method, path=JOB, times=None, applied=True)
    with pytest.raises(errors.JobError) as caught:
        sf.bulk.insert("Account", ROWS)
    org.faults.clear()
    assert len(caught.value.job.jobs) == 1
    check(sf, caught.value.job.wait())


PROGRAM = """
import json, sys
from sfconnector import Salesforce, auth

url, client_id, client_secret, log = sys.argv[1:]
rows = [{"Ext__c": f"E{number}", "Name": f"Account {number}"} for number in range(100)]

def all_rows():
    yield from rows
    sys.stdin.read()

with open(log, "w") as file, Salesforce(auth.ClientCredentials(url, client_id, client_secret)) as sf:
    def write_down(job):
        file.write(json.dumps([job.id, job.rows.start, job.rows.stop]) + "\\n")
        file.flush()
        if job.rows.start > 40:
            print("here", flush=True)
            sys.stdin.read()
    sf.bulk.insert("Account", rows, max_bytes=500, on_job=write_down)
"""


def test_a_killed_process_is_carried_on_from_the_ids_that_it_wrote_down(
    org: LocalOrg, sf: Salesforce, tmp_path: Path
) -> None:
    log = tmp_path / "jobs"
    command = [sys.executable, "-c", PROGRAM, org.url, org.client_id, org.client_secret, str(log)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    successful, lost = list[str](), list[range]()
    written = [json.loads(line) for line in log.read_text().splitlines()]
    assert [start for _, start, _ in written] == [0, *(stop for _, _, stop in written[:-1])]
    for job_id, start, stop in written:
        job = sf.bulk.ingest_job(job_id)
        if job.info().state == "Open":
            job.abort()
            lost.append(range(start, stop))
        else:
            successful += [row["Ext__c"] for row in job.wait().successful()]
    assert len(lost) == 1
    rest = [ROWS[number] for number in itertools.chain(*lost, range(written[-1][2], 100))]
    again = sf.bulk.insert("Account", rest).wait(raise_on_failure=True)
    successful += [row["Ext__c"] for row in again.successful()]
    assert sorted(successful) == held(sf) == sorted(row["Ext__c"] for row in ROWS)


def test_results_that_do_not_add_up_are_an_error(org: LocalOrg, sf: Salesforce) -> None:
    ingest = sf.bulk.insert("Account", ROWS).wait()
    org.faults.answer(200, b"sf__Id,sf__Created,Ext__c,Name\n", media_type="text/csv", path="*/successfulResults")
    with pytest.raises(errors.JobError, match="counts 100 successful rows, and 0 came"):
        list(ingest.successful())
    org.faults.answer(200, b"Ext__c,Name\nE1,x\n", media_type="text/csv", path="*/successfulResults")
    with pytest.raises(errors.InvalidResponseError, match="lack the column sf__Id"):
        list(ingest.successful())
    org.faults.answer(200, b'sf__Id,sf__Created\n1,"', media_type="text/csv", path="*/successfulResults")
    with pytest.raises(errors.InvalidResponseError, match="cannot be read"):
        list(ingest.successful())
    info = {"id": ingest.job_ids[0], "operation": "insert", "state": "JobComplete", "numberRecordsProcessed": 99}
    org.faults.answer(200, info, path=JOB)
    with pytest.raises(errors.JobError, match="is complete with 99 rows, and 100 were sent"):
        ingest.jobs[0].wait()


def test_who_interrupts_does_not_wait_for_further_attempts(org: LocalOrg) -> None:
    # Far longer than any test would wait.
    org.faults.unavailable(method="PUT", path=UPLOAD, retry_after=3_000, times=None)
    patient = Retry(max_retry_after=10_000.0, budget=100_000.0)
    login = auth.ClientCredentials(org.url, org.client_id, org.client_secret)
    main = threading.get_ident()
    hooks = Hooks(on_retry=lambda _: signal.pthread_kill(main, signal.SIGINT))
    # A program in the background of a shell script ignores the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with Salesforce(login, retry=patient, hooks=hooks) as sf:
        try:
            with pytest.raises(KeyboardInterrupt):
                sf.bulk.insert("Account", ROWS)
        finally:
            signal.signal(signal.SIGINT, before)
        org.faults.clear()
        assert states(sf) == {"Aborted": 1}


def test_an_upload_that_a_login_page_answers_is_no_upload(org: LocalOrg, sf: Salesforce) -> None:
    org.faults.answer(201, "<html>log in</html>", method="PUT", path=UPLOAD)
    with pytest.raises(errors.InvalidResponseError, match="an empty answer was expected"):
        sf.bulk.insert("Account", ROWS)
    assert states(sf) == {"Aborted": 1}


def test_while_a_part_is_sent_progress_is_told_by_the_clock(org: LocalOrg) -> None:
    told = list[JobProgress]()
    ticks = itertools.count(0, 2)
    login = auth.ClientCredentials(org.url, org.client_id, org.client_secret)
    with Salesforce(login, retry=quick().__class__(clock=lambda: float(next(ticks)))) as sf:
        big = ({"Name": "x" * 100, "Ext__c": str(number)} for number in range(8_000))
        ingest = sf.bulk.insert("Account", big, progress=told.append)
        ingest.abort()
    sizes = [each.bytes_sent for each in told]
    assert sizes == sorted(sizes)
    # Pieces of 256 kB.
    assert len(set(sizes)) > 3
    assert sizes[-1] > 800_000
