"""Calls the handlers of one channel, one event after the other, on a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sfconnector._redact import logger
from sfconnector._streaming.events import Event, classify
from sfconnector._streaming.feed import Feed
from sfconnector._streaming.handlers import Callback, Handlers
from sfconnector._streaming.policies import DeadLetter, OnFailure, Retry
from sfconnector.errors import UnhandledEventError


class Dispatcher:
    """Takes events out of a feed and moves its position once they are dealt with.

    Args:
        name: The listener's name.
        feed: Where the events come from.
        handlers: Who is called.
        on_failure: What happens when that fails.
        save: Keeps the feed's position, before it goes on.
        moved: Called when the position has moved.
        report: Whom to tell of errors.
        is_told: Tells whether there is anyone to tell.
        fail: Whom to tell of the error that ends it all.
        finished: Called at the end.
        sleep: Waits so many seconds at most, and tells whether to stop.
    """

    def __init__(
        self,
        name: str,
        feed: Feed,
        handlers: Handlers,
        on_failure: OnFailure,
        *,
        save: Callable[[Feed], object],
        moved: Callable[[], object],
        report: Callable[[Exception, str], object],
        is_told: Callable[[str], bool],
        fail: Callable[[BaseException, str], object],
        finished: Callable[[Dispatcher], object],
        sleep: Callable[[float], bool],
    ) -> None:
        self.feed, self.handlers = feed, handlers
        self._name, self._on_failure = name, on_failure
        self._save, self._moved, self._report = save, moved, report
        self._fail, self._finished = fail, finished
        self._is_told, self._sleep = is_told, sleep
        self._warned: set[str] = set()
        self.thread = threading.Thread(
            target=self._run, name=f"sfconnector-listener-{name}-{feed.channel}", daemon=True
        )

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # whoever joins raises it
            self._fail(error, self.feed.channel)
        finally:
            self._save(self.feed)
            self._finished(self)

    def _work(self) -> None:
        feed, channel = self.feed, self.feed.channel
        while (batch := feed.take()) is not None:
            for data in batch:
                if feed.halted:
                    return
                if not feed.admit(data):
                    continue
                cls, kind = classify(channel, data)
                event = cls(channel, data)
                callback = self.handlers.table.get(kind)
                if callback is None:
                    self._unhandled(event)
                elif not self._handle(callback, event):
                    return
                is_due = feed.done(data)
                self._moved()
                if is_due:
                    self._save(feed)

    def _handle(self, callback: Callback, event: Event) -> bool:
        """Have an event handled, and tell whether it is dealt with."""
        failures = 0
        policy = self._on_failure
        while True:
            try:
                callback(event)
            except Exception as error:  # the policy decides
                failures += 1
                if isinstance(policy, Retry) and failures <= policy.attempts:
                    delay = policy.delay(failures)
                    self._log(event, error, f"again in {delay:g} s")
                    if self._sleep(delay) or self.feed.halted:
                        return False
                    continue
                self._give_up(event, error)
            return True

    def _give_up(self, event: Event, error: Exception) -> None:
        policy = self._on_failure
        if isinstance(policy, Retry):
            policy = policy.then
        self.feed.failed += 1
        if isinstance(policy, DeadLetter):
            self._log(event, error, "handed to dead_letter")
            policy.deliver(event, error)
        elif policy == "skip":
            self._log(event, error, "skipped")
            self._report(error, self.feed.channel)
        else:
            raise error

    def _unhandled(self, event: Event) -> None:
        self.feed.unhandled += 1
        what = f"there is no handler for {_named(event)}"
        if self._is_told(event.channel):
            self._report(UnhandledEventError(what, channel=event.channel, event=event), event.channel)
        elif what not in self._warned:
            # Once: there may be millions of them, and they are counted.
            self._warned.add(what)
            logger.warning("listener %r: %s: %s", self._name, event.channel, what)

    def _log(self, event: Event, error: Exception, then: str) -> None:
        # The texts of handlers' errors may hold data.
        logger.warning(
            "listener %r: the handler failed with %s on %r: %s", self._name, type(error).__name__, event, then
        )


def _named(event: Event) -> str:
    kind = getattr(event, "change_type", "") or type(event).__name__
    return f"{kind} events"


def stopwatch(stop: threading.Event, sleep: Callable[[float], object]) -> Callable[[float], bool]:
    """Make what waits between attempts; a sleep that tests put in is used as it is."""

    def wait(seconds: float) -> bool:
        if sleep is time.sleep:
            return stop.wait(seconds)
        sleep(seconds)
        return stop.is_set()

    return wait
