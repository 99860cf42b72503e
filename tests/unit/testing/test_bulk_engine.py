"""The engine behind both bulk APIs: what runs when, what can be held, failed and cancelled."""

import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from sfconnector.testing._bulk import CHUNK, Engine, Job, Work
from sfconnector.testing._clock import Clock
from sfconnector.testing._errors import OrgError
from sfconnector.testing._usage import Usage


class Counting(Work):
    """Processes so many records, and notes the states it goes through."""

    def __init__(self, job: Job, records: int, error: Exception | None = None) -> None:
        super().__init__(job)
        self.total = records
        self.error = error
        self.chunks: list[int] = []
        self.closed = threading.Event()

    def begin(self) -> None:
        self.job.state = "InProgress"

    def steps(self) -> Generator[None, None, None]:
        try:
            while self.records < self.total:
                if self.error is not None:
                    raise self.error
                size = min(self.room, self.total - self.records)
                self.chunks.append(size)
                self.records += size
                yield
        finally:
            self.closed.set()

    def complete(self) -> None:
        self.job.state, self.job.resting = "JobComplete", True

    def fail(self, message: str) -> None:
        self.job.state, self.job.resting, self.job.error_message = "Failed", True, message


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(clock: Clock) -> Iterator[Engine]:
    engine = Engine(clock, Usage(1, clock))
    yield engine
    engine.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "local-org-bulk"]


def make(engine: Engine) -> Job:
    job_id = engine.make_id("750")
    now = engine.clock()
    job = Job(
        id=job_id,
        kind="V2Ingest",
        operation="insert",
        sobject="Account",
        version="68.0",
        user_id="005",
        created=now,
        modified=now,
        folder=engine.make_folder(job_id),
        state="UploadComplete",
    )
    engine.add(job)
    return job


def test_work_is_done_in_chunks(engine: Engine) -> None:
    job = make(engine)
    work = Counting(job, 2 * CHUNK + 50)
    engine.submit(work)
    engine.steering.wait(job.id)
    assert (job.state, work.chunks) == ("JobComplete", [CHUNK, CHUNK, 50])
    assert work.closed.wait(10)


def test_no_thread_runs_before_there_is_work(engine: Engine) -> None:
    make(engine)
    assert not [thread for thread in threading.enumerate() if thread.name == "local-org-bulk"]


def test_a_held_job_does_not_begin(engine: Engine) -> None:
    engine.steering.hold()
    job = make(engine)
    work = Counting(job, 10)
    engine.submit(work)
    with pytest.raises(TimeoutError, match="No InProgress of"):
        engine.steering.wait(job.id, "InProgress", timeout=0.05)
    assert job.state == "UploadComplete"
    engine.steering.release()
    engine.steering.wait(job.id)
    assert (job.state, work.records) == ("JobComplete", 10)


def test_a_job_can_be_held_amid_its_records_and_cancelled_there(engine: Engine) -> None:
    engine.steering.hold(after_records=250)
    job = make(engine)
    work = Counting(job, 1000)
    engine.submit(work)
    engine.steering.wait(job.id, "InProgress")
    with engine.changed:
        assert engine.changed.wait_for(lambda: work.records == 250, 10)
    engine.abort(job)
    engine.steering.release()
    assert work.closed.wait(10)
    assert (job.state, job.resting, work.chunks) == ("Aborted", True, [200, 50])


def test_a_job_told_to_fail_fails_after_as_many_records(engine: Engine) -> None:
    other, job = make(engine), make(engine)
    engine.steering.fail_job(job.id[:15], message="Timeout : too slow", after_records=300)
    works = [Counting(other, 400), Counting(job, 400)]
    for work in works:
        engine.submit(work)
    engine.steering.wait()
    assert (other.state, works[0].records) == ("JobComplete", 400)
    assert (job.state, job.error_message, works[1].records) == ("Failed", "Timeout : too slow", 300)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OrgError(400, "InvalidBatch", "Field name not found : X"), "InvalidBatch : Field name not found : X"),
        (ZeroDivisionError(), "InternalServerError : An unexpected error occurred"),
    ],
)
def test_what_is_raised_fails_the_job(
    engine: Engine, error: Exception, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    job = make(engine)
    engine.submit(Counting(job, 1, error))
    engine.steering.wait(job.id)
    assert job.state == "Failed"
    assert (job.error_message or "").startswith(message)
    assert ("ZeroDivisionError" in caplog.text) == isinstance(error, ZeroDivisionError)


def test_a_job_takes_the_time_it_is_given_and_may_be_cancelled_meanwhile(engine: Engine) -> None:
    engine.steering.processing_time = 3600
    job = make(engine)
    work = Counting(job, 5)
    engine.submit(work)
    with engine.changed:
        assert engine.changed.wait_for(lambda: work.records == 5, 10)
    assert job.state == "InProgress"
    engine.abort(job)
    assert work.closed.wait(10)
    assert job.state == "Aborted"


def test_stopping_ends_work_that_is_held(clock: Clock) -> None:
    engine = Engine(clock, Usage(1, clock))
    engine.steering.hold(after_records=1)
    job = make(engine)
    work = Counting(job, 5)
    engine.submit(work)
    engine.steering.wait(job.id, "InProgress")
    folder = job.folder
    assert folder.is_dir()
    engine.stop()
    assert work.closed.is_set()
    assert not folder.exists()
    engine.submit(work)
    assert not [thread for thread in threading.enumerate() if thread.name == "local-org-bulk"]


def test_jobs_go_with_their_files_after_seven_days(engine: Engine, clock: Clock) -> None:
    job = make(engine)
    (job.folder / "upload").write_bytes(b"Name\n")
    clock.advance(days=6, hours=23)
    assert engine.find(job.id[:15], {"V2Ingest"}) is job
    assert engine.find(job.id, {"V2Query"}) is None
    clock.advance(hours=1)
    assert engine.find(job.id, {"V2Ingest"}) is None
    assert not Path(job.folder).exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [("processing_time", -1), ("processing_time", float("nan")), ("query_page_size", 0), ("jobs_page_size", 0)],
)
def test_impossible_settings_are_refused(engine: Engine, name: str, value: float) -> None:
    with pytest.raises(ValueError, match="cannot"):
        setattr(engine.steering, name, value)


def test_impossible_orders_are_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match="after -1 records"):
        engine.steering.hold(after_records=-1)
    with pytest.raises(ValueError, match="after -1 records"):
        engine.steering.fail_job(after_records=-1)
    with pytest.raises(LookupError, match="no bulk job"):
        engine.steering.wait("750000000000000")


def test_of_jobs_in_serial_mode_one_batch_at_a_time_is_under_way(engine: Engine) -> None:
    engine.steering.hold(after_records=CHUNK)
    serial = [make(engine), make(engine)]
    parallel = make(engine)
    for job in serial:
        job.concurrency_mode = "Serial"
    works = [Counting(job, 2 * CHUNK) for job in (*serial, parallel)]
    for work in works:
        engine.submit(work)
    engine.steering.wait(parallel.id, "InProgress")
    engine.steering.wait(serial[0].id, "InProgress")

    assert serial[1].state == "UploadComplete"
    engine.steering.release()
    engine.steering.wait()
    assert [work.records for work in works] == [2 * CHUNK] * 3
