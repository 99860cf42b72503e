"""Many records at a time: cut into calls, sent side by side, and each with a result of its own."""

from __future__ import annotations

import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, Self, TypeVar

import attrs
import requests

from sfconnector._ahead import in_order
from sfconnector._call import read
from sfconnector._prepare import check_count
from sfconnector._results import MOST_RECORDS, RecordResult, Unfinished, error_details
from sfconnector._retry import Decision, Outcome
from sfconnector._rows import Prepare, Row, chunks
from sfconnector._session import Seconds, Session, may_be_done
from sfconnector._urls import short_path
from sfconnector.errors import (
    ApiError,
    AuthenticationError,
    InvalidResponseError,
    RecordError,
    SalesforceError,
    TransportError,
)

if TYPE_CHECKING:
    from sfconnector_generated.client import Request

    from sfconnector._events import RequestEvent
    from sfconnector.errors import ErrorDetail

R = TypeVar("R")
Parsed = Callable[[Any], "Sequence[Any]"]

ROLLED_BACK: Final = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
# What a proxy, or Salesforce's edge, may say of a request that went on to Salesforce.
_UNCERTAIN: Final = frozenset({406, 408})


def _count(_: object, attribute: attrs.Attribute[int], value: object) -> None:
    check_count(attribute.name, value)


def _at_most_200(_: object, attribute: attrs.Attribute[int], value: int) -> None:
    if value > MOST_RECORDS:
        raise ValueError(f"{attribute.name} is {value}, and Salesforce takes {MOST_RECORDS} records a call")


class Write(NamedTuple):
    """One way to write many records.

    Attributes:
        name: The method, for texts.
        prepare: Makes of what the caller hands in what is sent.
        build: Makes the request of up to 200 of these.
        parse: Reads the answer.
        creates: Whether all records are new.
        done_already: The code of a record for which a lost attempt has done the work.
        id_of: Finds in what is sent the id that a success must repeat.
        read: Decodes the answer for ``parse``.
        result: Makes a result of a row, its answer and its errors; by default one without anything of its own.
    """

    name: str
    prepare: Prepare
    build: Callable[[list[Any]], Request]
    parse: Parsed
    creates: bool = False
    done_already: str = ""
    id_of: Callable[[Any], str] | None = None
    read: Callable[[Session, requests.Response, Parsed], Sequence[Any]] = read
    result: Callable[[Row, Any, tuple[ErrorDetail, ...]], RecordResult[Any]] | None = None


@attrs.frozen
class Sending:
    """How many records are sent; see :meth:`SObject.create_many`."""

    all_or_none: bool = attrs.field(validator=attrs.validators.instance_of(bool))
    workers: int = attrs.field(validator=_count)
    batch_size: int = attrs.field(validator=[_count, _at_most_200])
    max_bytes: int = attrs.field(validator=_count)
    raise_on_failure: bool
    timeout: Seconds


class RecordResults(Generic[R]):
    """The results of writing many records, in the order of the records.

    Iterating reads the records, sends them and hands out a :class:`RecordResult` for each; nothing is sent before
    that. It can be iterated over once, by any number of threads that share it.

    When a call fails as a whole, or a record cannot be sent, nothing more is sent. The results of all calls that
    were under way are handed out, and then the error is raised; :attr:`unfinished` tells what became of the rest.
    """

    def __init__(
        self,
        session: Session,
        write: Write,
        records: Iterable[R],
        how: Sending,
    ) -> None:
        if isinstance(records, str | bytes | Mapping) or not hasattr(records, "__iter__"):
            raise TypeError(f"{write.name} takes many records, and not one {type(records).__name__}: give a list")
        self._name = write.name
        self._run = _Run(how.raise_on_failure)
        cut = chunks(records, write.prepare, how.batch_size, how.max_bytes)
        self._start = partial(self._run.results, session, write, cut, how)
        self._iterator: Generator[RecordResult[R]] | None = None
        self._lock = threading.RLock()
        self._unused = weakref.finalize(self, _warn, write.name, *_caller())

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> RecordResult[R]:
        with self._lock:
            if self._iterator is None:
                self._unused.detach()
                self._iterator = self._start()
            return next(self._iterator)

    def failures(self) -> list[RecordResult[R]]:
        """Send everything and give the results of the records that failed, without raising for them.

        The results of the others are not kept. Results that were handed out before are not among these.

        Raises:
            ApiError, TransportError, AuthenticationError: A call failed as a whole.
            ValueError, TypeError: A record cannot be sent.
        """
        with self._lock:
            self._run.raise_on_failure = False
            self._run.keep_failures = True
            before = len(self._run.failures)
            for _ in self:
                pass
            return self._run.failures[before:]

    @property
    def unfinished(self) -> Unfinished | None:
        """What became of the records without a result; ``None`` while there is nothing to tell."""
        return self._run.unfinished

    def close(self) -> None:
        """Send nothing more, and wait for the calls that are under way."""
        self._unused.detach()
        with self._lock:
            if self._iterator is None:
                self._iterator = self._start()
            self._iterator.close()

    def __repr__(self) -> str:
        return f"<RecordResults of {self._name}>"


class _Delivery(NamedTuple):
    """What came of one call and its repetitions: results where they are known, and the error that ended it."""

    rows: list[Row]
    results: list[RecordResult[Any] | None]
    error: Exception | None = None
    in_doubt: bool = False


class _Run:
    """The state of one iteration; the object that users hold does not hang on it, so that its end is noticed."""

    def __init__(self, raise_on_failure: bool) -> None:
        self.raise_on_failure = self.keep_failures = raise_on_failure
        self.failures: list[Any] = []
        self.unfinished: Unfinished | None = None
        self._broken = threading.Event()
        self._errors: list[Exception] = []
        self._unreadable: Exception | None = None
        self._open: set[int] = set()
        self._refused: list[int] = []
        self._sent = self._count = 0
        self._ready: list[Row] | None = None
        self._exhausted = False

    def results(
        self, session: Session, write: Write, cut: Iterator[list[Row]], how: Sending
    ) -> Generator[RecordResult[Any]]:
        """Send the records and hand out their results; raise what stood in the way at the end."""
        calls = self._calls(session, write, cut, how)
        try:
            # While calls are under way the next one is put together.
            # Whoever interrupts this need not wait for further attempts.
            with closing(in_order(calls, how.workers, partial(self._prepare, cut), self._broken.set)) as deliveries:
                for delivery in deliveries:
                    yield from self._hand_out(delivery)
        finally:
            self._broken.set()
            if self._open or self._errors or self._ready or self._unreadable or not self._exhausted:
                self.unfinished = self._account()
        if self._unreadable is not None:
            self._errors.append(self._unreadable)
        if self._errors:
            raise _explained(self._errors, self.unfinished or Unfinished(unsent_from=self._sent))
        if self.raise_on_failure and self.failures:
            first = self.failures[0]
            raise RecordError(first.errors, index=first.index, failures=self.failures, of=self._count)

    def _calls(
        self, session: Session, write: Write, cut: Iterator[list[Row]], how: Sending
    ) -> Iterator[Callable[[], _Delivery]]:
        while not self._broken.is_set():
            self._prepare(cut)
            rows, self._ready = self._ready, None
            if rows is None:
                return
            self._open.update(row.position for row in rows)
            self._sent = rows[-1].position + 1
            yield partial(self._deliver, session, write, rows, how)

    def _prepare(self, cut: Iterator[list[Row]]) -> None:
        if self._ready is not None or self._exhausted or self._broken.is_set():
            return
        try:
            self._ready = next(cut, None)
        except Exception as error:  # raised once the results of all that was sent are handed out
            self._unreadable = error
        self._exhausted = self._ready is None

    def _deliver(self, session: Session, write: Write, rows: list[Row], how: Sending) -> _Delivery:
        delivery = _deliver(session, write, rows, how, self._broken.is_set)
        if delivery.error is not None:
            self._broken.set()
        return delivery

    def _hand_out(self, delivery: _Delivery) -> Iterator[RecordResult[Any]]:
        if delivery.error is not None:
            self._errors.append(delivery.error)
        for row, result in zip(delivery.rows, delivery.results, strict=True):
            if result is None:
                if not delivery.in_doubt:
                    self._refused.append(row.position)
                continue
            if not result.success and self.keep_failures:
                self.failures.append(result)
            self._open.discard(row.position)
            self._count += 1
            yield result

    def _account(self) -> Unfinished:
        in_doubt = tuple(sorted(self._open.difference(self._refused)))
        return Unfinished(self._sent, in_doubt, tuple(self._refused), tuple(self.failures))


def _deliver(session: Session, write: Write, rows: list[Row], how: Sending, stopped: Callable[[], bool]) -> _Delivery:
    """Send the rows, and those that failed for a passing reason again, until that helps or will not."""
    results: list[RecordResult[Any] | None] = [None] * len(rows)
    places, attempt, started = list(range(len(rows))), 1, session.retry.clock()
    while True:
        request = write.build([rows[place].content for place in places])
        path = short_path(request.target(session.api_version))
        try:
            response = session.send(request, timeout=how.timeout)
            session.check(response)
            answers = write.read(session, response, write.parse)
            if len(answers) != len(places):
                raise InvalidResponseError(response, f"{len(answers)} results came for {len(places)} records")
            if not all(map(is_result, answers)):
                raise InvalidResponseError(
                    response, "the answer is not a list of results with all that belongs to them"
                )
            if write.id_of is not None and not all(
                is_same(write.id_of(rows[place].content), answer) for place, answer in zip(places, answers, strict=True)
            ):
                raise InvalidResponseError(response, "the results are those of other records than were sent")
        except Exception as error:  # the caller's thread raises it, with what is known of the other records
            in_doubt = _may_be_done(error, path)
            for place in places:
                # What an earlier answer said of a record holds, unless this attempt may have changed it.
                results[place] = None if in_doubt else results[place]
            return _Delivery(rows, results, error, in_doubt)
        done = _done_already(write, how, answers) if may_be_done(response) else frozenset()
        for number, (place, answer) in enumerate(zip(places, answers, strict=True)):
            results[place] = _result(rows[place], answer, write, done=number in done)
        elapsed = session.retry.clock() - started
        places, reason, delay = _again(session, how, results, attempt, elapsed)
        if not places or stopped():
            return _Delivery(rows, results)
        session.pause(_event(request, path, attempt), reason, delay)
        if stopped():
            return _Delivery(rows, results)
        attempt += 1


def is_result(answer: Any) -> bool:
    """Tell a result that can be relied on from one with nulls where it promises something."""
    if answer is None or not isinstance(answer.success, bool) or not isinstance(answer.errors, list):
        return False
    return not answer.errors or all(
        each is not None and isinstance(each.status_code, str) and isinstance(each.message, str)
        for each in answer.errors
    )


def is_same(record_id: str, answer: Any) -> bool:
    """Tell whether a result may be that of a record: a success that names a record names that one."""
    # The last three characters of an id say nothing new.
    return not answer.success or not answer.id or answer.id[:15] == record_id[:15]


def _event(request: Request, path: str, attempt: int) -> RequestEvent:
    from sfconnector._events import RequestEvent

    return RequestEvent(request.operation, request.method, path, attempt)


def _result(row: Row, answer: Any, write: Write, *, done: bool) -> RecordResult[Any]:
    if done:
        return RecordResult(row.position, row.record, row.content, success=True)
    if write.result is not None:
        return write.result(row, answer, error_details(answer.errors))
    created = write.creates or getattr(answer, "created", False) is True
    errors = error_details(answer.errors)
    return RecordResult(row.position, row.record, answer.id or None, answer.success, created and answer.success, errors)


def _done_already(write: Write, how: Sending, answers: Sequence[Any]) -> frozenset[int]:
    """Find the records that a lost attempt at this call has dealt with."""
    done = {
        number
        for number, answer in enumerate(answers)
        if {each.status_code for each in answer.errors} == {write.done_already}
    }
    # That attempt took all of them or none.
    return frozenset() if how.all_or_none and len(done) < len(answers) else frozenset(done)


def _again(
    session: Session, how: Sending, results: Sequence[RecordResult[Any] | None], attempt: int, elapsed: float
) -> tuple[list[int], str, float]:
    """Choose the records that are worth another attempt, and say why and when."""
    again: list[int] = []
    first: Decision | None = None
    for place, result in enumerate(results):
        if result is None or result.success or (how.all_or_none and _was_rolled_back(result)):
            continue
        # The record was not saved, so that sending it again does nothing twice.
        outcome = Outcome(None, 200, result.errors)
        decision = session.retry.decide(outcome, attempt=attempt, elapsed=elapsed, idempotent=True)
        if decision.delay is not None:
            first = first or decision
            again.append(place)
        elif how.all_or_none:
            # What takes the call back now will take it back again.
            return [], "", 0.0
    if first is None or first.delay is None:
        return [], "", 0.0
    reason = f"{len(again)} of {len(results)} records: {first.reason}"
    return list(range(len(results))) if how.all_or_none else again, reason, first.delay


def _was_rolled_back(result: RecordResult[Any]) -> bool:
    return [error.code for error in result.errors] == [ROLLED_BACK]


def _may_be_done(error: Exception, path: str) -> bool:
    """Tell whether the request that ended in an error may have been carried out all the same."""
    if not isinstance(error, SalesforceError):
        return True
    if may_be_done(error):
        return True
    match error:
        # A login on the way has a path of its own; without it the request was not sent.
        case AuthenticationError():
            return False
        case TransportError():
            return error.path == path and error.sent
        case ApiError(response=requests.Response() as response):
            refused = 400 <= error.status < 500 and error.status not in _UNCERTAIN
            return error.path == path and (may_be_done(response) or not refused)
    return True


def _explained(errors: list[Exception], unfinished: Unfinished) -> Exception:
    """Give the first error, with a note of what became of the records."""
    first, *others = errors
    notes = [f"also: {error}" for error in others]
    if unfinished.in_doubt:
        notes.append(f"sent, and perhaps saved: {_spans(unfinished.in_doubt)}")
    if unfinished.refused:
        notes.append(f"sent, and not saved: {_spans(unfinished.refused)}")
    notes.append(f"not sent: all from record {unfinished.unsent_from} on")
    if unfinished.failures:
        notes.append(f"{len(unfinished.failures):,} records have failed by themselves")
    for note in notes:
        first.add_note(note)
    return first


def _spans(positions: Sequence[int]) -> str:
    """Write positions in ascending order as spans, such as ``records 0–199, 205``."""
    spans: list[list[int]] = []
    for position in positions:
        if spans and spans[-1][-1] == position - 1:
            spans[-1][1:] = [position]
        else:
            spans.append([position])
    return "records " + ", ".join("–".join(map(str, span)) for span in spans)


def _caller() -> tuple[str, int]:
    """Find the line outside of this package that is running."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno) if frame else ("<unknown>", 0)


def _warn(name: str, file: str, line: int) -> None:
    message = f"{name} was never iterated, so nothing was sent: iterate over its results, or call failures()"
    warnings.warn_explicit(message, RuntimeWarning, file, line)
