"""What runs bulk jobs: worker threads that take up work in the order in which it came, and the jobs themselves."""

import logging
import secrets
import shutil
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Generator
from contextlib import closing
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import ClassVar

from sfconnector.testing import _ids
from sfconnector.testing._bulk._jobs import Job
from sfconnector.testing._bulk._steering import BulkSteering
from sfconnector.testing._errors import OrgError
from sfconnector.testing._usage import Usage

_LOG = logging.getLogger("sfconnector.testing")
_WORKERS = 4
_LIFETIME = timedelta(days=7)
# As many records as Salesforce saves at a time.
CHUNK = 200


class Work(ABC):
    """What is done for a job (2.0) or for a batch of one (1.0), step by step, in a worker thread.

    ``begin``, ``complete`` and ``fail`` run with the engine's lock, ``steps`` without.

    Args:
        job: the job; when it is cancelled, the work ends after the step under way.
    """

    #: Records of a step where nothing asks for fewer.
    chunk: ClassVar[int] = CHUNK

    def __init__(self, job: Job) -> None:
        self.job = job
        #: Records processed so far; a step counts it up.
        self.records = 0
        #: Records that the next step may process at most.
        self.room = self.chunk
        self.busy = False
        self.submitted = 0.0

    @abstractmethod
    def begin(self) -> None:
        """Set the states of what is taken up."""

    @abstractmethod
    def steps(self) -> Generator[None, None, None]:
        """Process the records, at most ``room`` of them in a step; the generator is closed however the work ends.

        Raises:
            OrgError: The work fails as a whole.
        """

    @abstractmethod
    def complete(self) -> None:
        """Set the states of what has come to its end."""

    @abstractmethod
    def fail(self, message: str) -> None:
        """Set the states of what has failed as a whole."""


class Engine:
    """The bulk jobs of one org and the threads that work on them; they are started when there is something to do."""

    def __init__(self, clock: Callable[[], datetime], usage: Usage) -> None:
        self.clock = clock
        self.usage = usage
        self.steering = BulkSteering(usage)
        self.changed = self.steering._changed
        self._jobs = self.steering._jobs
        self._waiting: deque[Work] = deque()
        self._under_way: set[Work] = set()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._stopping = False
        self._numbers = count(1)
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    # -- jobs ---------------------------------------------------------------------------------------------------

    def make_id(self, prefix: str) -> str:
        """An id of its own for a job (``750``), a batch (``751``) or a result (``752``)."""
        return _ids.make(prefix, next(self._numbers))

    def make_folder(self, job_id: str) -> Path:
        """The folder for the files of a new job."""
        folder = self._root() / job_id
        folder.mkdir()
        return folder

    def make_file(self) -> Path:
        """A place for a file that may be moved to the folder of a job."""
        return self._root() / secrets.token_hex(16)

    def _root(self) -> Path:
        with self.changed:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="local-org-bulk-")
            return Path(self._folder.name)

    def add(self, job: Job) -> None:
        with self.changed:
            self._jobs[job.id] = job
            self.changed.notify_all()

    def find(self, job_id: str, kinds: Collection[str]) -> Job | None:
        """A job by its id of 15 or 18 characters, if it is one of these kinds and still there."""
        normal = _ids.normalize(job_id)
        with self.changed:
            self._forget_old()
            job = self._jobs.get(normal) if normal else None
            return job if job is not None and job.kind in kinds else None

    def jobs(self) -> list[Job]:
        """All jobs, oldest first."""
        with self.changed:
            self._forget_old()
            return list(self._jobs.values())

    def touch(self, job: Job, state: str | None = None, *, resting: bool = False) -> None:
        """Note that a job has changed, and how; the caller holds the lock."""
        job.modified = self.clock()
        if state is not None:
            job.state, job.resting = state, resting
        self.changed.notify_all()

    def abort(self, job: Job) -> None:
        """Set a job to ``Aborted``; when this returns, no more of its records will be processed."""
        with self.changed:
            self._waiting = deque(work for work in self._waiting if work.job is not job)
            self.touch(job, "Aborted", resting=True)
            self._settle(job)

    def delete(self, job: Job) -> None:
        with self.changed:
            job.deleted = True
            self._waiting = deque(work for work in self._waiting if work.job is not job)
            self._jobs.pop(job.id, None)
            self.changed.notify_all()
            self._settle(job)
        shutil.rmtree(job.folder, ignore_errors=True)

    def _settle(self, job: Job) -> None:
        self.changed.wait_for(lambda: not any(work.busy and work.job is job for work in self._under_way))

    def _forget_old(self) -> None:
        oldest = self.clock() - _LIFETIME
        for job in [job for job in self._jobs.values() if job.aged_from <= oldest]:
            self.delete(job)

    # -- work ---------------------------------------------------------------------------------------------------

    def submit(self, work: Work) -> None:
        """Let a worker take up the work, after what was submitted before."""
        with self.changed:
            if self._stopping:
                return
            work.submitted = time.monotonic()
            self._waiting.append(work)
            if len(self._waiting) > self._idle and len(self._threads) < _WORKERS:
                thread = threading.Thread(target=self._serve, name="local-org-bulk", daemon=True)
                self._threads.append(thread)
                thread.start()
            self.changed.notify_all()

    def stop(self) -> None:
        """End the threads and remove all files."""
        with self.changed:
            self._stopping = True
            self._waiting.clear()
            self.changed.notify_all()
        for thread in self._threads:
            thread.join()
        if self._folder is not None:
            self._folder.cleanup()

    def _serve(self) -> None:
        while (work := self._take()) is not None:
            try:
                self._run(work)
            finally:
                with self.changed:
                    self._under_way.discard(work)
                    self.changed.notify_all()

    def _take(self) -> Work | None:
        with self.changed:
            self._idle += 1
            self.changed.wait_for(lambda: self._stopping or (self._next() and self.steering._hold_after != 0))
            self._idle -= 1
            work = None if self._stopping else self._next()
            if work is None:
                return None
            self._waiting.remove(work)
            self._under_way.add(work)
            work.begin()
            self.changed.notify_all()
            return work

    def _next(self) -> Work | None:
        """The work that may be taken up: of all jobs in serial mode, one batch at a time."""
        serial = any(work.job.is_serial for work in self._under_way)
        return next((work for work in self._waiting if not (serial and work.job.is_serial)), None)

    def _run(self, work: Work) -> None:
        began = time.monotonic()
        message = None
        try:
            with closing(work.steps()) as steps:
                while self._may_go_on(work) and self._step(work, steps):
                    pass
        except _ToldToFailError as error:
            message = str(error)
        except OrgError as error:
            message = f"{error.code} : {error.message}"
        except Exception:
            _LOG.exception("The local org failed on bulk job %s", work.job.id)
            message = "InternalServerError : An unexpected error occurred (the log of sfconnector.testing tells more)"
        with self.changed:
            active = time.monotonic() - began
            due = work.submitted + self.steering.processing_time
            self.changed.wait_for(lambda: self._ends(work), max(0.0, due - time.monotonic()))
            if self._ends(work):
                return
            work.job.active_milliseconds += round(active * 1000)
            work.job.total_milliseconds += round((time.monotonic() - began) * 1000)
            if message is None:
                work.complete()
            else:
                work.fail(message)
            self.changed.notify_all()

    def _ends(self, work: Work) -> bool:
        return self._stopping or work.job.cancelled

    def _may_go_on(self, work: Work) -> bool:
        """Wait while the work is held, and tell how far its next step may go."""
        with self.changed:
            while True:
                if self._ends(work):
                    return False
                failure = self.steering._failure_of(work.job)
                if failure is not None and work.records >= failure.after_records:
                    self.steering._failures.remove(failure)
                    raise _ToldToFailError(failure.message)
                hold = self.steering._hold_after
                if hold is None or work.records < hold:
                    break
                self.changed.wait()
            limits = [entry for entry in (hold, failure and failure.after_records) if entry]
            work.room = min([work.chunk, *(limit - work.records for limit in limits)])
            work.busy = True
            return True

    def _step(self, work: Work, steps: Generator[None, None, None]) -> bool:
        try:
            next(steps)
        except StopIteration:
            return False
        finally:
            with self.changed:
                work.busy = False
                self.changed.notify_all()
        return True


class _ToldToFailError(Exception):
    """The failure that a test asked for."""
