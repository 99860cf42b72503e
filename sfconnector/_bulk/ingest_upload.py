"""Parts of a source on their way to Salesforce: one job for each, several at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from itertools import count
from typing import Any, Final, NamedTuple, TypeVar

import attrs
from sfconnector_generated.bulk_v2 import models
from sfconnector_generated.bulk_v2.api.ingest import create_ingest_job, upload_ingest_data

from sfconnector._ahead import in_order
from sfconnector._answers import refusal
from sfconnector._bulk.bodies import Body
from sfconnector._bulk.calls import Operation, ingest_request
from sfconnector._bulk.ingest_jobs import IngestJob
from sfconnector._bulk.parts import Part
from sfconnector._call import call, check_empty
from sfconnector._csv.dialect import Dialect
from sfconnector._prepare import check_count
from sfconnector._progress import JobProgress, Progress, check_callback
from sfconnector._retry import STOPPED, Outcome, retry_after
from sfconnector._session import Seconds, Session, may_be_done
from sfconnector._urls import short_path
from sfconnector.errors import ApiError, Failure, JobError, SalesforceError, TransportError

T = TypeVar("T")

# While data is sent, a callback is called so often at most.
_TICK: Final = 1.0


def _is_callback(_: object, field: attrs.Attribute[Any], value: object) -> None:
    check_callback(field.name, value)


@attrs.frozen
class Sending:
    """What becomes of the rows, and how they are sent; see :meth:`Bulk.insert`."""

    sobject: str
    operation: Operation
    external_id: str | None = None
    assignment_rule_id: str | None = None
    workers: int = attrs.field(default=1, validator=lambda _, __, value: check_count("workers", value))
    on_job: Callable[[IngestJob], object] | None = attrs.field(default=None, validator=_is_callback)
    progress: Progress | None = attrs.field(default=None, validator=_is_callback)
    timeout: Seconds = None

    def request(self, dialect: Dialect) -> models.IngestJobRequest:
        """Describe a job.

        Raises:
            ValueError, TypeError: An argument cannot be right.
        """
        return ingest_request(self.operation, self.sobject, dialect, self.external_id, self.assignment_rule_id)


class _Stopped(Exception):
    """Somebody has interrupted the upload, or another part of it has failed."""


class _Body:
    """The body of a part on its way: counts what is read, and stops when it is told to."""

    def __init__(self, body: Body, reading: Callable[[int], None]) -> None:
        self._body, self._reading = body, reading
        # As requests asks for the size of a body.
        self.len = body.len
        self._read = 0

    def tell(self) -> int:
        return self._body.tell()

    def seek(self, position: int) -> None:
        self._body.seek(position)
        self._count(-self._read)

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._body:
            yield piece
            # Once the next one is asked for, it has gone out.
            self._count(len(piece))

    def _count(self, size: int) -> None:
        self._read += size
        self._reading(size)


class _Lost(NamedTuple):
    """An upload that nobody knows the fate of, or that was refused."""

    error: ApiError | TransportError
    outcome: Outcome


class Uploads:
    """One upload of a source, part by part.

    Args:
        session: Sends the requests.
        how: What becomes of the rows.
    """

    def __init__(self, session: Session, how: Sending) -> None:
        self._session, self._how = session, how
        self._lock = threading.RLock()
        self._broken, self._stopped = threading.Event(), threading.Event()
        self._ids: list[str] = []
        self._parts: list[Part] = []
        self._open: dict[int, IngestJob] = {}
        self._closed: dict[int, IngestJob] = {}
        self._ready = False
        self._unreadable: Exception | None = None
        self._bytes = 0
        self._began = self._told = session.retry.clock()

    @property
    def done(self) -> list[tuple[IngestJob, Part]]:
        """The jobs that were closed, so that they go on, and what they have, in the order of the source."""
        return [(job, self._parts[number]) for number, job in sorted(self._closed.items())]

    @property
    def bytes_sent(self) -> int:
        """The bytes of all parts."""
        return self._bytes

    def run(self, parts: Iterator[Part]) -> None:
        """Upload all parts; whatever goes wrong, no job is left open.

        Raises:
            Exception: What went wrong.
        """
        try:
            meanwhile = partial(self._prepare, parts)
            with closing(in_order(self._calls(parts), self._how.workers, meanwhile, self._stopped.set)) as done:
                for _ in done:
                    self._tell()
        except BaseException:
            self._stopped.set()
            self._give_up()
            for number, part in enumerate(self._parts):
                if number not in self._closed:
                    part.release()
            raise

    def _calls(self, parts: Iterator[Part]) -> Iterator[Callable[[], None]]:
        while not self._broken.is_set():
            self._prepare(parts)
            if self._unreadable is not None:
                raise self._unreadable
            if not self._ready:
                return
            self._ready = False
            number = len(self._parts) - 1
            yield partial(self._send, number, self._parts[number])

    def _prepare(self, parts: Iterator[Part]) -> None:
        """Put the next part together, while others are under way."""
        if self._ready or self._unreadable is not None or self._broken.is_set():
            return
        try:
            part = next(parts, None)
        except Exception as error:  # raised once the parts before it are there
            self._unreadable = error
            return
        if part is not None:
            self._parts.append(part)
            self._ready = True

    def _send(self, number: int, part: Part) -> None:
        # On a thread, and in a context, of its own.
        STOPPED.set(self._stopped)
        try:
            for attempt in count(1):
                job = self._create(number, part)
                if (lost := self._put(job, part)) is None:
                    job.close(timeout=self._how.timeout)
                    with self._lock:
                        self._closed[number] = self._open.pop(number)
                    return
                self._pause(lost, attempt)
                self._discard(number, job)
        except BaseException:
            self._broken.set()
            raise

    def _create(self, number: int, part: Part) -> IngestJob:
        if self._stopped.is_set():
            raise _Stopped
        request = create_ingest_job.build(body=self._how.request(part.dialect))
        info = call(self._session, request, create_ingest_job.parse, timeout=self._how.timeout)
        job = IngestJob(self._session, info.id, info, range(part.start, part.start + part.rows))
        with self._lock:
            self._open[number] = job
            self._ids.append(job.id)
            if self._how.on_job is not None:
                _call_back(self._how.on_job, job)
            self._tell()
        return job

    def _put(self, job: IngestJob, part: Part) -> _Lost | None:
        """Upload a part; where there is something to say about it, the job must not be used."""
        with part.body() as opened:
            body = _Body(opened, self._reading)
            request = upload_ingest_data.build(job.id, body=body)
            try:
                response = self._session.send(request, timeout=self._how.timeout)
            except TransportError as error:
                # A login in the middle of it has had attempts of its own.
                if not error.sent or error.path != short_path(request.target(self._session.api_version)):
                    raise
                body.seek(0)
                return _Lost(error, Outcome(error.failure))
            if response.status_code < 400:
                self._session.check(response)
                check_empty(response)
                return None
            refused = refusal(response)
            body.seek(0)
        if refused.status < 500 and may_be_done(response):
            # It may be refused because an earlier attempt, whose answer is lost, was not.
            return _Lost(refused, Outcome(Failure.CUT))
        return _Lost(refused, Outcome(None, refused.status, refused.errors, retry_after(response.headers)))

    def _pause(self, lost: _Lost, attempt: int) -> None:
        """Wait until the part may be sent once more, to another job, since Salesforce takes data once for each.

        Raises:
            ApiError, TransportError: It would not help.
        """
        error = lost.error
        decision = self._session.retry.decide(lost.outcome, attempt=attempt, elapsed=0.0, idempotent=True)
        if decision.delay is None:
            raise error
        from sfconnector._events import RequestEvent

        event = RequestEvent("upload_ingest_data", error.method, error.path, attempt)
        self._session.pause(event, decision.reason, decision.delay)

    def _discard(self, number: int, job: IngestJob) -> None:
        """Give up a job that may have data or not: it is open and does nothing, so that this may fail."""
        with suppress(SalesforceError):
            job.abort()
            job.delete()
        with self._lock:
            del self._open[number]
            self._ids.remove(job.id)

    def _give_up(self) -> None:
        """Abort what is open; what may have been closed counts as closed."""
        for number, job in sorted(self._open.items()):
            state = ""
            with suppress(SalesforceError):
                state = job.info().state
                if state == "Open":
                    state = job.abort().state
            if state != "Aborted":
                self._closed[number] = job
        self._open.clear()

    def _reading(self, size: int) -> None:
        if self._stopped.is_set():
            raise _Stopped
        with self._lock:
            self._bytes += size
            if self._how.progress is not None and self._session.retry.clock() - self._told >= _TICK:
                self._tell()

    def _tell(self) -> None:
        if self._how.progress is None:
            return
        with self._lock:
            self._told = self._session.retry.clock()
            elapsed = self._told - self._began
            _call_back(self._how.progress, JobProgress(tuple(self._ids), bytes_sent=self._bytes, elapsed=elapsed))


def _call_back(callback: Callable[[T], object], value: T) -> None:
    try:
        callback(value)
    except Exception as error:
        # As one of ours it is not taken for trouble with the connection.
        raise JobError(f"the callback raised {type(error).__name__}") from error
