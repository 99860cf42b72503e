"""One run of a listener, from its start to its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Final

import attrs

from sfconnector._redact import logger
from sfconnector._session import Session
from sfconnector._streaming.connection import Connection
from sfconnector._streaming.dispatch import Dispatcher, stopwatch
from sfconnector._streaming.feed import Feed
from sfconnector._streaming.handlers import Callback, Handlers, place_of
from sfconnector._streaming.policies import OnFailure
from sfconnector._streaming.saver import Saver
from sfconnector._streaming.stores import FileReplayStore, ReplayStore
from sfconnector.errors import SalesforceError

# Seconds in which a stop is done whatever happens.
STOP: Final = 1.0
# The part of it in which the server is told.
_GOODBYE: Final = 0.7


@attrs.frozen
class Attachment:
    """A channel with its handlers, before anything is connected."""

    channel: str
    handlers: Handlers
    origin: int | str
    on_failure: OnFailure


@attrs.frozen
class Settings:
    """What a listener was made with."""

    session: Session
    name: str
    store: ReplayStore
    owns_store: bool
    on_expired: str
    on_error: Callback | None
    queue_size: int


class Run:
    """The connection, the dispatchers, and the error that ended them.

    Args:
        settings: What the listener was made with.
        attachments: The channels to begin with.
    """

    def __init__(self, settings: Settings, attachments: Mapping[str, Attachment]) -> None:
        self._settings = settings
        self.error: BaseException | None = None
        self.last_error: BaseException | None = None
        self.connection = Connection(settings.session, settings.name, settings.store, settings.on_expired, self.report)
        self.connection.on_end = self._on_end
        self._saver = Saver(settings.name, self.connection.feeds, self.connection.save)
        self._lock = threading.RLock()
        self._dispatchers: dict[str, Dispatcher] = {}
        self._working: set[Dispatcher] = set()
        self._halted, self._ended = threading.Event(), threading.Event()
        for attachment in attachments.values():
            feed = self._add(attachment)
            self.connection.feeds[feed.channel] = feed

    @property
    def feeds(self) -> dict[str, Feed]:
        """The feeds by their channels."""
        return {channel: dispatcher.feed for channel, dispatcher in [*self._dispatchers.items()]}

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it is running any more."""
        return self._ended.is_set()

    def start(self, timeout: float) -> None:
        """Connect, begin to dispatch, and wait until all channels are subscribed to."""
        self._saver.start()
        for dispatcher in [*self._dispatchers.values()]:
            self._begin(dispatcher)
        try:
            self.connection.start(timeout)
        except BaseException:
            self.stop()
            raise

    def attach(self, attachment: Attachment, timeout: float) -> None:
        """Add a channel while running."""
        for dispatcher in [*self._working]:
            if dispatcher.feed.channel == attachment.channel:
                # It was detached a moment ago; its position comes first.
                dispatcher.thread.join(timeout)
                if dispatcher.thread.is_alive():
                    raise RuntimeError(f"{attachment.channel}: a handler from before it was detached is still running")
        feed = self._add(attachment)
        self._begin(self._dispatchers[feed.channel])
        try:
            self.connection.attach(feed, timeout)
        except BaseException:
            self._remove(feed.channel)
            raise

    def detach(self, channel: str) -> None:
        """Take a channel away while running; an event that is being handled is finished."""
        self._remove(channel)
        self.connection.detach(channel)

    def stop(self, *, drain: bool = False, timeout: float | None = None) -> bool:
        """Come to rest: at once, or once all that has arrived is worked off."""
        if timeout is None:
            timeout = float("inf") if drain else STOP
        end = time.monotonic() + timeout
        if drain:
            for feed in self.feeds.values():
                feed.close(drain=True)
            self.connection.stop(min(_GOODBYE, timeout))
            if self.runs_here():
                # The queue cannot be worked off while its own handler waits for that.
                return False
            self._wait(end)
        self._halt()
        self.connection.stop(max(min(_GOODBYE, end - time.monotonic()), 0.0))
        if not self.runs_here():
            self._wait(end)
        return self.has_ended

    def is_idle(self, idle: float, timeout: float) -> bool:
        """Tell whether all channels have been at rest for so many seconds, while events could have come.

        Raises:
            StreamTimeoutError: There has been no connection for longer than the timeout.
        """
        rested = [feed.rested_at for feed in self.feeds.values()]
        working = any(moment is None for moment in rested)
        return not working and self.connection.is_idle(max(filter(None, rested), default=0.0), idle, timeout)

    def close(self) -> None:
        """As :meth:`stop`."""
        self.stop()

    def join(self, timeout: float | None) -> bool:
        """Wait for the end."""
        if self.runs_here():
            raise RuntimeError("a handler cannot wait for the end of its listener, which waits for the handler")
        return self._ended.wait(timeout)

    def is_told(self, channel: str) -> bool:
        """Tell whether anyone is there for the errors of a channel."""
        return self._listener_for(channel) is not None

    def report(self, error: BaseException, channel: str) -> None:
        """Tell of an error: the handler of the channel, else the listener's on_error, else the log."""
        self.last_error = error
        if (callback := self._listener_for(channel)) is not None:
            try:
                callback(error)
            except Exception as failed:
                logger.error("listener %r: on_error failed with %s", self._settings.name, place_of(failed))
        else:
            # What handlers raise may hold data.
            text = error if isinstance(error, SalesforceError) else type(error).__name__
            logger.warning("listener %r: %s", self._settings.name, text)

    def runs_here(self) -> bool:
        """Tell whether this is running in a handler, or in on_error."""
        current = threading.current_thread()
        return self.connection.is_own_thread or any(each.thread is current for each in [*self._working])

    def _listener_for(self, channel: str) -> Callback | None:
        dispatcher = self._dispatchers.get(channel)
        own = dispatcher.handlers.on_error if dispatcher is not None else None
        if own is not None or self._settings.on_error is not None:
            return own or self._settings.on_error
        if channel:
            return None
        found = {id(each.handlers.on_error): each.handlers.on_error for each in [*self._dispatchers.values()]}
        callbacks = [callback for callback in found.values() if callback is not None]
        return _each(callbacks) if callbacks else None

    def _add(self, attachment: Attachment) -> Feed:
        settings = self._settings
        feed = Feed(attachment.channel, attachment.origin, settings.queue_size, settings.session.retry.clock)
        self._dispatchers[attachment.channel] = Dispatcher(
            settings.name,
            feed,
            attachment.handlers,
            attachment.on_failure,
            save=self.connection.save,
            moved=self._saver.note,
            report=self.report,
            is_told=self.is_told,
            fail=self._fail,
            finished=self._finished,
            sleep=stopwatch(self._halted, settings.session.retry.sleep),
        )
        return feed

    def _begin(self, dispatcher: Dispatcher) -> None:
        with self._lock:
            if dispatcher in self._working:
                # Attached in the middle of the start, which comes by here as well.
                return
            self._working.add(dispatcher)
        dispatcher.thread.start()

    def _remove(self, channel: str) -> None:
        if (dispatcher := self._dispatchers.pop(channel, None)) is not None:
            dispatcher.feed.close()

    def _fail(self, error: BaseException, channel: str) -> None:
        """End everything because of an error in a handler."""
        with self._lock:
            first = self.error is None
            self.error = self.error or error
        if first:
            self.report(error, channel)
        self._halt()
        self.connection.stop(_GOODBYE)

    def _halt(self) -> None:
        self._halted.set()
        for feed in self.feeds.values():
            feed.close()

    def _on_end(self) -> None:
        error = self.connection.error
        with self._lock:
            fatal = error is not None and self.error is None and not self._halted.is_set()
            if fatal:
                self.error = error
        if fatal and error is not None:
            # Before that it is raised by start().
            if self.connection.is_ready:
                self.report(error, "")
            self._halt()
        self._look_for_end()

    def _finished(self, dispatcher: Dispatcher) -> None:
        with self._lock:
            self._working.discard(dispatcher)
        self._look_for_end()

    def _look_for_end(self) -> None:
        with self._lock:
            if not self.connection.has_ended or self._working or self._ended.is_set():
                return
            self._ended.set()
        self._saver.close()
        if self._settings.owns_store and isinstance(self._settings.store, FileReplayStore):
            self._settings.store.close()

    def _wait(self, end: float) -> None:
        left = end - time.monotonic()
        self._ended.wait(None if left == float("inf") else max(left, 0.0))


def _each(callbacks: list[Callback]) -> Callback:
    def tell(error: Exception) -> None:
        for callback in callbacks:
            callback(error)

    return tell
