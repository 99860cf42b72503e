"""The client: one thread that polls, and others that subscribe, unsubscribe and stop."""

from __future__ import annotations

import contextlib
import random as _random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from sfconnector.bayeux._advice import Backoff, by_advice
from sfconnector.bayeux._channels import Progress, Subscription, check_channel
from sfconnector.bayeux._commands import Commands
from sfconnector.bayeux._core import Again, Core
from sfconnector.bayeux._exchanges import Exchanges, Session, Taken
from sfconnector.bayeux._model import (
    Aborted,
    BayeuxError,
    Extension,
    Failed,
    Failure,
    Kind,
    Message,
    Reaction,
    State,
    SubscriptionRefused,
)
from sfconnector.bayeux._transport import Transport

# So many empty answers in a row may come at once before the client slows down by itself.
_MOST_EMPTY: Final = 20
_AT_ONCE: Final = 0.5
# Seconds for a goodbye where the client ends by an error.
_GOODBYE: Final = 1.0


class Client:
    """A client of a Bayeux server, which polls in the thread that calls `run`.

    Args:
        transport: The way to the server; it belongs to this client alone.
        deliver: Called with the messages of an answer that are not the protocol's own, in their order, by one thread
            at a time. As long as it blocks, nothing more is asked for.
        extensions: Look at all that is sent and comes.
        react: Called with each failure, says what to do about it; two threads may ask at the same time.
        on_state: Called with each new state.
        backoff: How long to wait after failures in a row.
        keep_order: A server that replays is asked for events again whose order cannot be known, since they came
            with the answer to a command while a poll was held. Without replay they are delivered as they come.
        clock: Seconds, for `last_answer`.
        wait: Waits so many seconds, or less if the client is stopped.
        random: Draws a number from 0 up to 1.

    Example:
        >>> from sfconnector.bayeux import Client, Transport
        >>> client = Client(Transport("https://cometd.example.com/cometd"), deliver=print)
        >>> client.subscribe("/stock/*")
        >>> client.stop()
        >>> client.state
        <State.STOPPED: 'stopped'>
    """

    def __init__(
        self,
        transport: Transport,
        deliver: Callable[[Sequence[Message]], None],
        *,
        extensions: Sequence[Extension] = (),
        react: Callable[[Failure], Reaction] = by_advice,
        on_state: Callable[[State], None] | None = None,
        backoff: Backoff = Backoff(),  # noqa: B008 - it is frozen
        keep_order: bool = True,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], bool] | None = None,
        # Spreads load, guards nothing.
        random: Callable[[], float] = _random.random,
    ) -> None:
        self._transport = transport
        self._exchanges = Exchanges(transport, extensions, clock)
        self._core = Core(transport, self._exchanges, deliver, react, on_state, backoff, random)
        self._commands = Commands(self._core, keep_order=keep_order)
        self._wait = self._core.stopping.wait if wait is None else wait
        self._runner: int | None = None
        self._ended = threading.Event()
        self._empty = 0

    @property
    def state(self) -> State:
        """Where the client is."""
        return self._core.state

    @property
    def client_id(self) -> str:
        """What the server calls the session; empty without one."""
        session = self._core.session
        return "" if session is None else session.client_id

    @property
    def last_answer(self) -> float | None:
        """When the server last answered, by the client's clock."""
        return self._exchanges.last_answer

    @property
    def is_receiving(self) -> bool:
        """Whether the answer to a poll is coming, or what it holds is being delivered."""
        return self._transport.polls.is_answered

    @property
    def failures(self) -> int:
        """How many failures there were in a row; a poll that the server held, or that brought events, ends the row."""
        return self._core.failures

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that the client is subscribed to, or will be once it is connected."""
        with self._core.changed:
            return tuple(self._core.channels)

    def subscribe(self, channel: str, *, timeout: float | None = None) -> None:
        """Subscribe to a channel; from any thread.

        As long as the client is not connected, and inside of the functions that it calls, this notes the channel and
        returns. Otherwise it returns once the server has agreed.

        Args:
            channel: Such as ``"/data/ChangeEvents"``.
            timeout: Seconds to wait for the server.

        Raises:
            SubscriptionRefused: The server refused, and the channel was dropped.
            BayeuxError: The server has not answered in time, or the client has ended.
            TypeError, ValueError: The channel is none.

        See Also:
            https://docs.cometd.org/current8/reference/#_bayeux_meta_subscribe
        """
        check_channel(channel)
        core = self._core
        with core.changed:
            if core.stopping.is_set() or core.state in (State.STOPPED, State.FAILED):
                raise BayeuxError(f"subscribe to {channel}: the client has ended")
            subscription = core.channels.add(channel)
            if core.state is not State.CONNECTED or self._inside():
                return
            if subscription.progress is Progress.WANTED:
                subscription.claim()
        self._commands.subscribe(subscription, timeout)

    def unsubscribe(self, channel: str) -> None:
        """Unsubscribe from a channel; from any thread, and nothing happens if there is no subscription.

        See Also:
            https://docs.cometd.org/current8/reference/#_bayeux_meta_unsubscribe
        """
        check_channel(channel)
        core = self._core
        with core.changed:
            if not core.channels.remove(channel):
                return
            if core.state is not State.CONNECTED or self._inside():
                core.channels.retract(channel)
                return
        self._commands.unsubscribe(channel)

    def run(self) -> None:
        """Connect, deliver what comes, and connect again when something fails, until `stop` is called.

        Raises:
            BayeuxError: The server advises not to come back, or refuses a subscription; or whatever else the
                reaction to a failure gave up with.
        """
        core = self._core
        with core.changed:
            if self._runner is not None:
                raise BayeuxError("run() may be called once; make another Client")
            if core.stopping.is_set():
                return
            self._runner = threading.get_ident()
        end = State.FAILED
        try:
            self._sessions()
            end = State.STOPPED
        finally:
            self._finish(end)

    def stop(self, timeout: float = 1.0) -> None:
        """Say goodbye to the server and have `run` return; from any thread, in any state, any number of times.

        It returns when `run` has come to rest, or after the timeout: only ``deliver`` and the other functions of the
        caller can keep `run` from it for longer.

        Args:
            timeout: Seconds.
        """
        core = self._core
        end = time.monotonic() + timeout
        with core.changed:
            first = not core.stopping.is_set()
            core.stopping.set()
            core.changed.notify_all()
            running = self._runner is not None
            # Now: `run` forgets the session as soon as it sees that it is to end.
            session, connected = self._known(), core.state is State.CONNECTED
        if first:
            self._part(session, timeout / 2, connected=connected)
            self._transport.close()
            if not running:
                core.enter(State.STOPPED)
        if running and self._runner != threading.get_ident():
            self._ended.wait(max(end - time.monotonic(), 0.0))

    def _inside(self) -> bool:
        return self._runner == threading.get_ident() or self._core.has_turn()

    def _sessions(self) -> None:
        core = self._core
        while not core.stopping.is_set():
            delay = 0.0
            try:
                self._session()
            except Again as again:
                delay = again.delay
            except Aborted:
                if core.session is not None and core.session.over:
                    delay = core.session.delay
            if core.error is not None:
                raise core.error
            if core.stopping.is_set():
                return
            if core.session is not None:
                core.end(core.session)
            core.enter(State.WAITING)
            self._wait(delay)

    def _session(self) -> None:
        core = self._core
        core.enter(State.HANDSHAKING)
        with core.changed:
            core.session = None
            core.channels.restart()
        taken = self._answered(self._exchanges.handshake)
        if taken.failure is not None:
            raise self._again(taken.failure)
        session = Session(taken.reply["clientId"])
        with core.changed:
            core.session = session
        core.enter(State.SUBSCRIBING)
        self._settle(session)
        pause = self._connect(session, first=True)
        core.enter(State.CONNECTED)
        while not core.stopping.is_set():
            if pause and self._wait(pause):
                return
            if core.channels.work:
                self._settle(session)
            pause = self._connect(session, first=False)

    def _connect(self, session: Session, *, first: bool) -> float:
        """Poll, and give the seconds to wait before the next."""
        core = self._core
        began = self._exchanges.last_answer or 0.0
        taken = self._answered(lambda: self._exchanges.connect(session, first=first))
        core.hand_over(session, taken.events)
        self._transport.polls.is_answered = False
        if taken.failure is not None:
            raise self._again(taken.failure)
        if taken.events or not first:
            # Not before: a server that agrees to everything but cannot hold a poll would be asked for ever.
            core.failures = 0
        quick = not taken.events and (self._exchanges.last_answer or 0.0) - began < _AT_ONCE
        self._empty = self._empty + 1 if quick else 0
        pause = self._exchanges.advice.interval
        if self._empty > _MOST_EMPTY:
            pause = max(pause, core.pause(self._empty - _MOST_EMPTY))
        return pause

    def _settle(self, session: Session) -> None:
        """Tell the server of subscriptions that no other thread sees to."""
        core = self._core
        while not core.stopping.is_set():
            with core.changed:
                unwanted = core.channels.next_unwanted()
                subscription = None if unwanted is not None else core.channels.next_wanted()
            if unwanted is not None:
                self._unsubscribe(session, unwanted)
            elif subscription is not None:
                self._subscribe(session, subscription)
            else:
                return

    def _subscribe(self, session: Session, subscription: Subscription) -> None:
        core, channel = self._core, subscription.channel
        while subscription.mine:
            awaited = subscription.awaited > 0
            taken = self._answered(
                lambda awaited=awaited: self._exchanges.subscribe(  # type: ignore[misc]  # mypy does not infer it
                    session, channel, self._transport.polls, awaited=awaited
                )
            )
            core.hand_over(session, taken.events)
            if taken.failure is None:
                with core.changed:
                    subscription.agree()
                    core.changed.notify_all()
                return
            reaction = core.judge(taken.failure)
            delay = core.delay(taken.failure, reaction)
            if not taken.refused or reaction.kind is Kind.HANDSHAKE:
                raise Again(delay)
            if reaction.kind is Kind.DROP:
                with core.changed:
                    core.channels.remove(channel, SubscriptionRefused(taken.failure))
                    core.changed.notify_all()
            elif self._wait(delay):
                raise Aborted

    def _unsubscribe(self, session: Session, channel: str) -> None:
        taken = self._answered(lambda: self._exchanges.unsubscribe(session, channel, self._transport.polls))
        self._core.hand_over(session, taken.events)
        if taken.failure is not None:
            reaction = self._core.judge(taken.failure)
            delay = self._core.delay(taken.failure, reaction)
            if not taken.refused or reaction.kind is not Kind.DROP:
                raise Again(delay)

    def _answered(self, call: Callable[[], Taken]) -> Taken:
        try:
            return call()
        except Failed as failed:
            raise self._again(failed.failure) from failed

    def _again(self, failure: Failure) -> Again:
        return Again(self._core.delay(failure, self._core.judge(failure)))

    def _known(self) -> Session | None:
        """Give the session that the server still knows; the caller has the lock."""
        session = self._core.session
        # The server has ended the others, or does not answer.
        return None if session is None or (session.over and self._core.error is None) else session

    def _part(self, session: Session | None, timeout: float, *, connected: bool) -> None:
        """Tell the server that the session is over, on a thread that can be left behind."""
        if session is None:
            return
        if not connected:
            self._transport.polls.abort()
        self._transport.commands.interrupt()

        def say() -> None:
            with contextlib.suppress(Exception):
                self._exchanges.disconnect(session, timeout)

        thread = threading.Thread(target=say, name="bayeux-goodbye", daemon=True)
        # No thread can be started while the interpreter ends.
        with contextlib.suppress(RuntimeError):
            thread.start()
            thread.join(timeout)

    def _finish(self, end: State) -> None:
        core = self._core
        try:
            if end is State.FAILED and core.state is not State.UNCONNECTED:
                with core.changed:
                    session, connected = self._known(), core.state is State.CONNECTED
                self._part(session, _GOODBYE, connected=connected)
            # The goodbye may still be under way on the other lane.
            self._transport.polls.close()
            if not core.stopping.is_set():
                self._transport.commands.close()
            with core.changed:
                if core.session is not None:
                    core.session.over = True
            core.enter(end)
        finally:
            self._ended.set()
            with core.changed:
                core.session = None
                core.changed.notify_all()
