"""Calls that are under way while the caller does something else."""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """A call under way on a thread of its own.

    Args:
        call: What to call.
        wake: Set once the call has ended.
    """

    def __init__(self, call: Callable[[], T], wake: threading.Event | None = None) -> None:
        self.done = False
        self._value: T
        self._error: BaseException | None = None
        # The caller's context goes along, for hooks that trace by it. A daemon thread, because a caller who
        # stops in the middle must not wait for what nobody will look at.
        run = contextvars.copy_context().run
        self._thread = threading.Thread(
            target=run, args=(self._run, call, wake), name="sfconnector-read-ahead", daemon=True
        )

    def start(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def _run(self, call: Callable[[], T], wake: threading.Event | None) -> None:
        try:
            self._value = call()
        except BaseException as error:  # handed over to the thread that waits for the value
            self._error = error
        self.done = True
        if wake is not None:
            wake.set()

    def join(self) -> None:
        """Wait for the end of the call, however it ended."""
        # The garbage collector may run, and close an iterator, in any thread.
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def result(self) -> T:
        """Wait for the value, or raise what the call raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._value


def in_order(
    calls: Iterator[Callable[[], T]],
    workers: int,
    meanwhile: Callable[[], object] = lambda: None,
    stop: Callable[[], object] = lambda: None,
) -> Generator[T]:
    """Run calls on threads, so many at the same time, and give their values in the order of the calls.

    A call is read, in the caller's thread, only when there is a thread for it, and at most twice as many are ahead
    of the caller. Where reading one fails, those before it come first. Whichever way the iteration ends, no thread
    is left behind.

    Args:
        calls: What to call.
        workers: How many calls may run at the same time.
        meanwhile: Called before each wait for a call, to make the next ones ready.
        stop: Called at the end, before the wait for calls still under way, to have them end soon.
    """
    waiting: deque[Ahead[T]] = deque()
    wake = threading.Event()
    reading = _Reading(calls)
    try:
        while True:
            _fill(waiting, reading, workers, wake)
            if not waiting:
                break
            wake.clear()
            if not waiting[0].done:
                meanwhile()
                wake.wait()
                continue
            value = waiting.popleft().result()
            # Before the caller works on the value, the thread that is free now gets another call.
            _fill(waiting, reading, workers, wake)
            yield value
            del value
    finally:
        stop()
        for each in waiting:
            each.join()
    if reading.error is not None:
        raise reading.error


class _Reading(Generic[T]):
    """What is still to be called, and what went wrong in reading it."""

    def __init__(self, calls: Iterator[Callable[[], T]]) -> None:
        self.ended = False
        self.error: Exception | None = None
        self._calls = calls

    def next(self) -> Callable[[], T] | None:
        try:
            call = next(self._calls, None)
        except Exception as error:  # raised again once all before it is handed out
            call, self.error = None, error
        self.ended = call is None
        return call


def _fill(waiting: deque[Ahead[T]], reading: _Reading[T], workers: int, wake: threading.Event) -> None:
    while not reading.ended and len(waiting) < 2 * workers and sum(not each.done for each in waiting) < workers:
        if (call := reading.next()) is not None:
            # First known, then started: an interruption in between leaves nothing behind.
            waiting.append(Ahead(call, wake))
            waiting[-1].start()
