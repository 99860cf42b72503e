"""Handles of bulk jobs: what they ask for, what they make of a bad end, and how they are waited for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from http_server import Answer, Cut, Reply, Seen, Server
from session_tools import FakeTime, quick, session_on

from sfconnector import JobProgress, errors
from sfconnector._bulk.ingest_jobs import IngestJob

ID = "750000000000001AAA"
PATH = f"/services/data/v68.0/jobs/ingest/{ID}"


def info(state: str, **more: Any) -> Reply:
    return Reply.of({"id": ID, "operation": "insert", "state": state, **more})


@contextmanager
def job_on(*answers: Answer, time: FakeTime | None = None) -> Iterator[tuple[IngestJob, list[Seen]]]:
    retry = quick() if time is None else time.retry(attempts=1)
    with Server(answers) as server:
        session = session_on(server.url, retry=retry)
        yield IngestJob(session, ID), server.seen
        session.close()


def test_d10_a_job_is_waited_for_less_and_less_often() -> None:
    time = FakeTime()
    states = ["UploadComplete", *["InProgress"] * 30, "JobComplete"]
    with job_on(*map(info, states), time=time) as (job, seen):
        assert repr(job) == f"<IngestJob {ID}, not asked for yet>"
        assert job.wait() is job
        assert repr(job) == f"<IngestJob {ID}, JobComplete>"
    assert {(each.method, each.target) for each in seen} == {("GET", PATH)}
    assert len(seen) == 32
    assert time.slept == sorted(time.slept)
    assert time.slept[0] < time.slept[-1]


def test_d10_a_job_that_takes_too_long_is_left_alone_and_can_be_waited_for_again() -> None:
    with job_on(info("InProgress"), info("InProgress"), info("JobComplete"), time=FakeTime()) as (job, seen):
        with pytest.raises(errors.JobTimeoutError, match=f"job {ID} has not ended after 0.2 s") as caught:
            job.wait(timeout=0.2)
        assert caught.value.job is job
        assert job.wait().state == "JobComplete"
    assert {each.method for each in seen} == {"GET"}


def test_d10_single_polls_may_fail() -> None:
    lost: list[Answer] = [Cut(), Reply(503, b""), Reply.error(500, "UNKNOWN_EXCEPTION")]
    with job_on(info("InProgress"), *lost, info("JobComplete"), time=FakeTime()) as (job, seen):
        assert job.wait().state == "JobComplete"
        assert len(seen) == 5


@pytest.mark.parametrize(("state", "text"), [("Failed", "failed"), ("Aborted", "was aborted"), ("Odd", "is Odd")])
def test_d10_a_bad_end_is_no_success(state: str, text: str) -> None:
    message = "InvalidBatch : Field name not found : Nmae"
    with job_on(info("InProgress"), info(state, errorMessage=message), time=FakeTime()) as (job, _):
        with pytest.raises(errors.JobError, match=f"^job {ID} {text}: {message}$") as caught:
            job.wait()
        assert caught.value.job is job
        assert not isinstance(caught.value, errors.JobTimeoutError)


def test_a_bad_end_without_a_reason() -> None:
    with job_on(info("Aborted", errorMessage=None)) as (job, _), pytest.raises(errors.JobError, match=r"aborted$"):
        job.wait()


def test_d10_progress_is_told_and_cancels_the_wait() -> None:
    told: list[JobProgress] = []

    def stop(progress: JobProgress) -> None:
        told.append(progress)
        if progress.records_processed == 20:
            raise RuntimeError("enough")

    rows = [{"numberRecordsProcessed": 10, "numberRecordsFailed": 1}, {"numberRecordsProcessed": 20}]
    replies = [info("InProgress"), *(info("InProgress", **counts) for counts in rows), info("JobComplete")]
    with job_on(*replies, time=FakeTime()) as (job, seen):
        with pytest.raises(errors.JobError, match="the progress callback raised RuntimeError") as caught:
            job.wait(progress=stop)
        assert caught.value.job is job
        assert len(seen) == 3
        assert job.wait(progress=told.append).state == "JobComplete"
    assert [(each.records_processed, each.records_failed) for each in told] == [(0, 0), (10, 1), (20, 0), (0, 0)]
    assert told[0] == JobProgress((ID,), "InProgress", jobs_total=1)
    assert (told[-1].jobs_done, told[-1].state) == (1, "JobComplete")


def test_nobody_waits_for_a_job_that_is_open() -> None:
    with job_on(info("Open")) as (job, seen):
        with pytest.raises(errors.JobError, match="does nothing until it is closed"):
            job.wait()
        assert len(seen) == 1


def test_a_job_is_closed_aborted_and_deleted() -> None:
    with job_on(info("UploadComplete"), info("Aborted"), Reply(204, b"")) as (job, seen):
        assert (job.close().state, job.state) == ("UploadComplete", "UploadComplete")
        assert (job.abort().state, job.state) == ("Aborted", "Aborted")
        job.delete()
    assert [(each.method, each.target, each.body) for each in seen] == [
        ("PATCH", PATH, b'{"state":"UploadComplete"}'),
        ("PATCH", PATH, b'{"state":"Aborted"}'),
        ("DELETE", PATH, b""),
    ]


REFUSED = Reply.error(400, "INVALIDJOBSTATE", "Closing already Completed Job not allowed")


@pytest.mark.parametrize("state", ["UploadComplete", "InProgress", "JobComplete", "Failed"])
def test_a_job_that_a_lost_attempt_has_closed_is_closed(state: str) -> None:
    with job_on(Cut(), REFUSED, info(state)) as (job, seen):
        assert job.close().state == state
        assert [each.method for each in seen] == ["PATCH", "PATCH", "GET"]


@pytest.mark.parametrize("state", ["Open", "Aborted"])
def test_a_refusal_that_no_lost_attempt_explains_is_an_error(state: str) -> None:
    with job_on(Cut(), REFUSED, info(state)) as (job, _), pytest.raises(errors.BadRequestError):
        job.close()
    with job_on(REFUSED) as (job, seen):
        with pytest.raises(errors.BadRequestError):
            job.close()
        assert len(seen) == 1


def test_what_a_lost_attempt_has_deleted_is_deleted() -> None:
    with job_on(Cut(), Reply.error(404, "NOT_FOUND")) as (job, _):
        job.delete()
    with job_on(Reply.error(404, "NOT_FOUND")) as (job, _), pytest.raises(errors.NotFoundError):
        job.delete()


def test_a_refused_poll_names_the_job() -> None:
    with job_on(Reply.error(403, "INSUFFICIENT_ACCESS")) as (job, _):
        with pytest.raises(errors.ForbiddenError) as caught:
            job.wait()
        assert caught.value.__notes__ == [f"This ended the wait for job {ID}, and nothing else."]


def test_an_id_is_an_id() -> None:
    with job_on(info("Open")) as (job, _), pytest.raises(ValueError, match="no id"):
        IngestJob(job._session, "750/../../x")
