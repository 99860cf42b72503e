"""Many channels, whose events are handed to handlers."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Literal, NoReturn, Self, TypeVar

from sfconnector._prepare import check_count
from sfconnector._session import Session
from sfconnector._streaming.channels import bare, check_channel
from sfconnector._streaming.connection import check_stream_version
from sfconnector._streaming.feed import check_origin
from sfconnector._streaming.handlers import Callback, Handlers, check_callback, check_kinds
from sfconnector._streaming.health import Health, health_of
from sfconnector._streaming.options import check_choice, check_consumer, check_seconds, patience
from sfconnector._streaming.policies import OnFailure, check_policy
from sfconnector._streaming.run import Attachment, Run, Settings
from sfconnector._streaming.signals import stopping_on_signals
from sfconnector._streaming.stores import Replay, store_of

F = TypeVar("F", bound=Callable[..., Any])
Expired = Literal["earliest", "latest", "raise"]

# Seconds for the answer to one subscribe.
_ATTACH: Final = 30.0


class Listener:
    """Hands the events of any number of channels to handlers; made by :meth:`Salesforce.listener`.

    Each event is handled at least once, and those of a channel in their order. A channel's position moves when a
    handler has returned, and is kept; after a restart, a lost connection or a crash, events come again from there.
    Handlers of one channel are called one event after the other, on a thread that belongs to the channel.

    As a context manager it starts, and stops at the end; if it has ended with an error meanwhile, that is raised.
    It can be started again after it has stopped. Closing the client stops it as well.
    """

    def __init__(
        self,
        session: Session,
        *,
        name: str,
        replay: Replay,
        replay_from: str | int,
        on_expired: Expired,
        on_failure: OnFailure,
        on_error: Callback | None,
        queue_size: int,
    ) -> None:
        check_stream_version(session.api_version)
        check_callback("on_error", on_error)
        self._origin, self._on_failure = check_origin(replay_from), check_policy(on_failure)
        owned = isinstance(replay, str | os.PathLike)
        self._settings = Settings(
            session,
            check_consumer(name),
            store_of(replay),
            owned,
            check_choice("on_expired", on_expired, ("earliest", "latest", "raise")),
            on_error,
            check_count("queue_size", queue_size),
        )
        self._attachments: dict[str, Attachment] = {}
        self._decorated: set[str] = set()
        self._run: Run | None = None
        self._lock, self._process = threading.RLock(), os.getpid()

    def attach(
        self,
        channel: str,
        handler: object,
        *,
        replay_from: str | int | None = None,
        on_failure: OnFailure | None = None,
    ) -> None:
        """Have the events of a channel handled; also while running, and then it returns once that is so.

        Called in a handler it returns at once, and a refusal is told to ``on_error``.

        Args:
            channel: Such as ``"/data/AccountChangeEvent"``, ``"/event/Order__e"``, ``"/data/Sales__chn"``,
                ``"/topic/NewAccounts"`` or ``"/u/Notices"``.
            handler: A function that is given each event, or an object with any of the methods ``on_create``,
                ``on_update``, ``on_delete``, ``on_restore``, ``on_gap`` and ``on_message``, the last for all that
                has no method of its own, and ``on_error``, which is given errors of this channel.
            replay_from: Where to begin without a stored position, instead of the listener's own.
            on_failure: What happens to events whose handler failed, instead of the listener's own.

        Raises:
            ValueError, TypeError: An argument cannot be right, or the channel is attached already.
            SubscriptionError, ReplayExpiredError: While running: Salesforce refused the channel or the position.
            StreamTimeoutError: While running: there was no connection to subscribe with, for 30 seconds.

        See Also:
            https://developer.salesforce.com/docs/platform/change-data-capture/guide/cdc-subscribe-channels.html

        Example:
            >>> listener = sf.listener()
            >>> listener.attach("/data/AccountChangeEvent", print)
        """
        origin = self._origin if replay_from is None else check_origin(replay_from)
        policy = self._on_failure if on_failure is None else check_policy(on_failure)
        self._add(Attachment(check_channel(channel), Handlers.of(handler), origin, policy))

    def detach(self, channel: str) -> None:
        """Have the events of a channel handled no more; an event that is being handled is finished.

        Args:
            channel: As it was attached.

        Raises:
            ValueError: It is not attached.

        Example:
            >>> listener = sf.listener()
            >>> listener.attach("/event/Order__e", print)
            >>> listener.detach("/event/Order__e")
        """
        self._check_process()
        with self._lock:
            if self._attachments.pop(channel, None) is None:
                raise ValueError(f"{channel!r} is not attached")
            self._decorated.discard(channel)
            run = self._running()
        if run is not None:
            self._errand(run, lambda: run.detach(channel), channel)

    def on(self, channel: str, *kinds: str) -> Callable[[F], F]:
        """Make a function the handler of a channel's events: a decorator.

        Args:
            channel: As for :meth:`attach`.
            kinds: Which events: any of ``"create"``, ``"update"``, ``"delete"``, ``"restore"``, ``"gap"``,
                ``"message"``, and ``"error"`` for errors; without any, all events that have no handler of their own.

        Raises:
            ValueError, TypeError: A kind or the channel cannot be right, or there is a handler for it already.

        Example:
            >>> listener = sf.listener()
            >>> @listener.on("/data/AccountChangeEvent", "create", "update")
            ... def copy(event):
            ...     print(event.record_ids, event.fields)
        """
        check_channel(channel)
        check_kinds(kinds)

        def decorate(function: F) -> F:
            with self._lock:
                known = self._attachments.get(channel) if channel in self._decorated else None
                if known is not None:
                    known.handlers.add(function, kinds)
                    return function
            handlers = Handlers({})
            handlers.add(function, kinds)
            self._add(Attachment(channel, handlers, self._origin, self._on_failure))
            self._decorated.add(channel)
            return function

        return decorate

    def start(self, timeout: float = 30.0) -> None:
        """Log in, subscribe to all channels, and return once events arrive.

        Args:
            timeout: Seconds.

        Raises:
            AuthenticationError, TransportError: The login failed.
            SubscriptionError: Salesforce refused a channel.
            ReplayExpiredError: A position is no longer retained, and ``on_expired`` is ``"raise"``.
            StreamTimeoutError: There was no connection in time.
            ValueError: Nothing is attached.
            RuntimeError: It is running, or the client is closed.

        Example:
            >>> listener = sf.listener()
            >>> listener.attach("/data/AccountChangeEvent", print)
            >>> listener.start()
            >>> listener.stop()
            True
        """
        check_seconds("timeout", timeout)
        self._check_process()
        self._settings.session.check_open()
        with self._lock:
            if self._run is not None and not self._run.has_ended:
                raise RuntimeError("the listener is running, or a handler of its last run still is")
            if not self._attachments:
                raise ValueError("no channel is attached: there is nothing to listen to")
            self._run = run = Run(self._settings, self._attachments)
        # It runs on when nobody holds the listener any more.
        self._settings.session.close_first(run)
        run.start(timeout)

    def stop(self, *, drain: bool = False, timeout: float | None = None) -> bool:
        """End, and tell whether everything has come to rest.

        A handler that is running is waited for, for one second at most; whatever it does not finish comes again.
        Called in a handler, or in ``on_error``, it does not wait: the end comes after that has returned. Otherwise
        it also returns in time where the server, the network or a login hangs.

        Args:
            drain: Work off what has arrived first.
            timeout: Seconds at most; by default 1, and with ``drain`` as long as it takes.

        Example:
            >>> sf.listener().stop()
            True
        """
        if timeout is not None:
            check_seconds("timeout", timeout, zero=True)
        self._check_process()
        run = self._run
        return run is None or run.has_ended or run.stop(drain=drain, timeout=timeout)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end, and tell whether it came.

        Args:
            timeout: Seconds at most; by default as long as it takes.

        Raises:
            Exception: What ended the listener: what a handler raised, or the error of Salesforce or the network
                that is beyond repair.
            RuntimeError: It was called in a handler.

        Example:
            >>> sf.listener().join()
            True
        """
        self._check_process()
        if (run := self._run) is None:
            return True
        ended = run.join(timeout)
        if ended and run.error is not None:
            raise run.error
        return ended

    def run(self, *, signals: bool = False, idle: float | None = None, timeout: float = 30.0) -> None:
        """Start, and return at the end: the whole of a service, or with ``idle`` of a job that runs now and then.

        Args:
            signals: Stop at SIGINT and SIGTERM, waiting up to ten seconds for running handlers; a second signal does
                what it did before. Only in the main thread.
            idle: Seconds after which it ends where no event has come, and all that came are handled; by default never.
            timeout: Seconds for the start, and with ``idle`` for how long the connection may be lost later.

        Raises:
            Exception: What :meth:`start` or :meth:`join` raises.
            StreamTimeoutError: With ``idle``: the connection has been lost for too long to tell whether more has come.
            ValueError: ``signals`` in another thread, or ``idle`` is no number of seconds above 0.

        Example:
            >>> listener = sf.listener()
            >>> listener.attach("/event/Order__e", print)
            >>> listener.run(idle=0.2)
        """
        if idle is not None:
            check_seconds("idle", idle)
        if not signals:
            self.start(timeout)
            self._await(idle, timeout)
            return
        with stopping_on_signals(self) as asked:
            try:
                self.start(timeout)
            except Exception:
                if not asked():
                    raise
            self._await(idle, timeout)

    def _await(self, idle: float | None, timeout: float) -> None:
        if idle is not None and (run := self._running()) is not None:
            try:
                while not run.join(patience(idle)):
                    if run.is_idle(idle, timeout):
                        run.connection.rest()
                        break
            finally:
                run.stop(drain=True, timeout=None)
        self.join()

    def health(self) -> Health:
        """Tell how it is; cheap enough to be asked every second.

        Example:
            >>> sf.listener().health().state
            'created'
        """
        run = self._run
        if run is None:
            return health_of(None, {}, None)
        return health_of(run.connection, run.feeds, run.error or run.last_error, failed=run.error is not None)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        run = self._run
        if error is None and run is not None and run.error is not None:
            raise run.error

    def __getstate__(self) -> NoReturn:
        raise TypeError("a listener holds connections and threads: make one in each process")

    def __repr__(self) -> str:
        return f"<Listener {self._settings.name!r} of {', '.join(self._attachments) or 'no channel'}>"

    def _add(self, attachment: Attachment) -> None:
        self._check_process()
        channel = attachment.channel
        with self._lock:
            taken = next((each for each in self._attachments if bare(each) == bare(channel)), None)
            if taken is not None:
                raise ValueError(
                    f"{taken!r} is attached already"
                    + ("" if taken == channel else ", and a listener has one filter of a topic: make another listener")
                )
            self._attachments[channel] = attachment
            run = self._running()
        if run is None:
            return

        def attach() -> None:
            try:
                run.attach(attachment, _ATTACH)
            except BaseException:
                self._attachments.pop(channel, None)
                raise

        self._errand(run, attach, channel)

    def _errand(self, run: Run, errand: Callable[[], object], channel: str) -> None:
        """Do something now; in a handler, on a thread of its own: the answer may hold events for the handler."""
        if not run.runs_here():
            errand()
            return

        def reported() -> None:
            try:
                errand()
            except Exception as error:  # there is no caller any more
                run.report(error, channel)

        threading.Thread(target=reported, name="sfconnector-listener-errand", daemon=True).start()

    def _running(self) -> Run | None:
        run = self._run
        return None if run is None or run.has_ended else run

    def _check_process(self) -> None:
        if os.getpid() != self._process:
            raise RuntimeError("the listener was made before a fork: make one in each process")
