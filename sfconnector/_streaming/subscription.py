"""One channel as a loop."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, NoReturn, Self

from sfconnector._prepare import check_count
from sfconnector._redact import logger
from sfconnector._session import Session
from sfconnector._streaming.channels import check_channel
from sfconnector._streaming.connection import Connection, check_stream_version
from sfconnector._streaming.events import Event, decode
from sfconnector._streaming.feed import Batch, Feed, check_origin
from sfconnector._streaming.handlers import Callback, check_callback, place_of
from sfconnector._streaming.health import Health, health_of
from sfconnector._streaming.options import check_choice, check_consumer, check_seconds, patience
from sfconnector._streaming.run import STOP
from sfconnector._streaming.saver import Saver
from sfconnector._streaming.stores import FileReplayStore, Replay, ReplayStore, store_of
from sfconnector.errors import SalesforceError, StreamError, StreamTimeoutError

# Seconds: usually it has ended then, and whoever subscribes next finds its position.
_ABANDONED: Final = 2 * STOP
_NONE_LEFT: Final[Batch] = []


class Subscription:
    """The events of one channel, in their order; made by :meth:`Salesforce.subscribe`.

    An event counts as processed when the next one is asked for, or when :meth:`commit` is called. What is not, comes
    again the next time. Leaving the loop with ``break`` leaves the last event unprocessed.

    It connects when the first event is asked for, or as a context manager when that is entered. It can be iterated
    over once, in one thread.
    """

    def __init__(
        self,
        session: Session,
        channel: str,
        *,
        replay: Replay,
        replay_from: str | int,
        name: str,
        idle: float | None,
        on_expired: str,
        on_error: Callback | None,
        queue_size: int,
        timeout: float,
    ) -> None:
        check_stream_version(session.api_version)
        check_callback("on_error", on_error)
        self._session, self._process = session, os.getpid()
        self._idle = None if idle is None else check_seconds("idle", idle)
        self._timeout = check_seconds("timeout", timeout)
        clock = session.retry.clock
        size = check_count("queue_size", queue_size)
        self._feed = Feed(check_channel(channel), check_origin(replay_from), size, session.retry.clock)
        check_consumer(name)
        check_choice("on_expired", on_expired, ("earliest", "latest", "raise"))
        store = store_of(replay)
        self._errors = _Errors(name, on_error)
        self._connection = connection = Connection(session, name, store, on_expired, self._errors.tell)
        connection.feeds[channel] = self._feed
        connection.on_end = self._feed.wake
        self._batch, self._next = _NONE_LEFT, 0
        self._current: Mapping[str, Any] | None = None
        self._started = self._closed = False
        self._heard_at = clock()
        owned = store if isinstance(replay, str | os.PathLike) else None
        self._saver = Saver(name, connection.feeds, connection.save)
        self._end = weakref.finalize(self, _abandon, connection, self._feed, self._saver, owned, self._process)
        session.close_first(self)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        self._check_process()
        if self._closed:
            raise StopIteration
        self._finish()
        self._start()
        while True:
            while self._next < len(self._batch):
                data = self._batch[self._next]
                self._next += 1
                if self._feed.admit(data):
                    self._current = data
                    return decode(self._feed.channel, data)
            if not self._refill():
                self.close()
                raise StopIteration

    def commit(self) -> None:
        """Count the last event as processed, and keep that before returning.

        Example:
            >>> with sf.subscribe("/event/Order__e", replay_from="earliest", idle=0.2) as events:
            ...     for event in events:
            ...         events.commit()
        """
        self._check_process()
        self._finish()
        self._feed.save()

    def close(self) -> None:
        """End; what was processed is kept. Also done at the end of the loop, and when the client is closed.

        Example:
            >>> sf.subscribe("/event/Order__e").close()
        """
        self._check_process()
        self._closed = True
        if (left := self._end.detach()) is not None:
            _end(*left[2])

    def health(self) -> Health:
        """Tell how it is.

        Example:
            >>> sf.subscribe("/event/Order__e").health().state
            'created'
        """
        connection = self._connection if self._started else None
        error = self._connection.error or self._errors.last
        return health_of(connection, {self._feed.channel: self._feed}, error)

    def __enter__(self) -> Self:
        self._check_process()
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __getstate__(self) -> NoReturn:
        raise TypeError("a subscription holds connections and threads: make one in each process")

    def __repr__(self) -> str:
        return f"<Subscription to {self._feed.channel}>"

    def _start(self) -> None:
        if self._closed:
            raise RuntimeError("the subscription is closed: make another one")
        if self._started:
            return
        self._session.check_open()
        self._started = True
        self._saver.start()
        try:
            self._connection.start(self._timeout)
        except BaseException as error:
            if isinstance(error, StreamError) and self._was_left():
                # By another thread, while it was connecting: the loop has no events, and that is all.
                return
            self.close()
            raise
        self._heard_at = self._session.retry.clock()

    def _was_left(self) -> bool:
        return self._closed and self._connection.error is None

    def _finish(self) -> None:
        if (data := self._current) is not None:
            self._current = None
            is_due = self._feed.done(data)
            self._heard_at = self._session.retry.clock()
            self._saver.note()
            if is_due:
                self._connection.save(self._feed)

    def _refill(self) -> bool:
        """Wait for events, and tell whether there are any."""
        while not self._closed:
            batch = self._feed.take(None if self._idle is None else patience(self._idle))
            if batch:
                self._batch, self._next = batch, 0
                # Also where all of it came before: more may follow.
                self._heard_at = self._session.retry.clock()
                return True
            if batch is None:
                break
            if self._connection.has_ended:
                self.close()
                if (error := self._connection.error) is not None:
                    raise error
                break
            if self._is_idle():
                self._connection.rest()
                break
        return False

    def _is_idle(self) -> bool:
        if self._idle is None:
            return False
        try:
            idle = self._connection.is_idle(self._heard_at, self._idle, self._timeout)
        except StreamTimeoutError:
            self.close()
            raise
        # What has come while that was found out.
        return idle and self._feed.rested_at is not None

    def _check_process(self) -> None:
        if os.getpid() != self._process:
            raise RuntimeError("the subscription was made before a fork: make one in each process")


class _Errors:
    """Tells the caller of errors, without holding the subscription, so that its end is noticed."""

    def __init__(self, name: str, on_error: Callback | None) -> None:
        self._name, self._on_error = name, on_error
        self.last: BaseException | None = None

    def tell(self, error: BaseException, _: str) -> None:
        self.last = error
        if self._on_error is None:
            text = error if isinstance(error, SalesforceError) else type(error).__name__
            logger.warning("subscription %r: %s", self._name, text)
            return
        try:
            self._on_error(error)
        except Exception as failed:
            logger.error("subscription %r: on_error failed with %s", self._name, place_of(failed))


def _abandon(*what: Any) -> None:
    """End what nobody holds any more.

    The garbage collector may call this in the middle of anything, also of what holds the locks that are needed.
    """
    thread = threading.Thread(target=_end, args=what, name="sfconnector-subscription-end")
    try:
        if threading.main_thread().is_alive():
            thread.start()
    except RuntimeError:  # the interpreter ends, or there is no thread to be had
        pass
    if thread.ident is None:
        _end(*what)
    else:
        thread.join(_ABANDONED)


def _end(connection: Connection, feed: Feed, saver: Saver, owned: ReplayStore | None, process: int) -> None:
    if os.getpid() != process:
        # The connection is that of the process before the fork.
        return
    feed.close()
    connection.stop(STOP)
    saver.close()
    connection.save(feed)
    if isinstance(owned, FileReplayStore):
        owned.close()
