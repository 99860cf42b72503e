"""What the thread that polls and the threads that send commands share: state, session, turns and failures."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from sfconnector.bayeux._advice import Backoff
from sfconnector.bayeux._channels import Channels
from sfconnector.bayeux._exchanges import Exchanges, Session
from sfconnector.bayeux._model import NEXT, Aborted, BayeuxError, Failure, Kind, Message, Reaction, State
from sfconnector.bayeux._transport import Transport

_log: Final = logging.getLogger("sfconnector.bayeux")


class Again(Exception):
    """The session is over, and another begins after so many seconds."""

    def __init__(self, delay: float) -> None:
        super().__init__(delay)
        self.delay = delay


class Late(Exception):
    """The caller's time is over."""


class Core:
    """The state of a client; `changed` guards it and tells of what happens to it."""

    def __init__(
        self,
        transport: Transport,
        exchanges: Exchanges,
        deliver: Callable[[Sequence[Message]], None],
        react: Callable[[Failure], Reaction],
        on_state: Callable[[State], None] | None,
        backoff: Backoff,
        random: Callable[[], float],
    ) -> None:
        self.transport, self.exchanges = transport, exchanges
        self.changed = threading.Condition(threading.Lock())
        self.state = State.UNCONNECTED
        self.session: Session | None = None
        self.channels = Channels()
        self.stopping = threading.Event()
        self.error: Exception | None = None
        self.failures = 0
        self._deliver, self._react, self._on_state = deliver, react, on_state
        self._backoff, self._random = backoff, random
        self._turn_of: int | None = None
        self._next = False

    def enter(self, state: State) -> None:
        """Go on to the next state, and tell of it."""
        with self.changed:
            if state not in NEXT[self.state]:
                raise AssertionError(f"there is no way from {self.state} to {state}")
            self.state = state
            self.changed.notify_all()
        _log.debug("state: %s", state.value)
        if self._on_state is not None:
            self._on_state(state)

    @contextmanager
    def turn(self, deadline: float | None = None, *, first: bool = False) -> Iterator[None]:
        """Be the only one who delivers, or for whom a command is under way.

        An answer to a command and one to a poll may both hold events. Which of them come first can only be told if no
        command is sent while the events of a poll wait, and none of a poll are delivered while a command waits.

        Args:
            deadline: When to give up, on the monotonic clock.
            first: Go before all others that wait; for one thread, or those who send commands would starve it.

        Raises:
            Aborted: The client is being stopped.
            Late: The deadline has passed.
        """
        with self.changed:
            self._next = self._next or first
            while (self._turn_of is not None or (self._next and not first)) and not self.stopping.is_set():
                if not self.changed.wait(None if deadline is None else deadline - time.monotonic()):
                    raise Late
            if self.stopping.is_set():
                raise Aborted
            self._turn_of = threading.get_ident()
            self._next = self._next and not first
        try:
            yield
        finally:
            with self.changed:
                self._turn_of = None
                self.changed.notify_all()

    def has_turn(self) -> bool:
        """Tell whether the calling thread is inside of `turn`."""
        return self._turn_of == threading.get_ident()

    def hand_over(self, session: Session, events: Sequence[Message]) -> None:
        """Deliver the events of a poll, or of what else the thread that polls has sent.

        Raises:
            Aborted: The session is over.
        """
        # An answer without any, be it bad news, waits for no command that may hang.
        if not events:
            self.deliver(session, events)
            return
        with self.turn(first=True):
            self.deliver(session, events)

    def deliver(self, session: Session, events: Sequence[Message]) -> None:
        """Hand events over; the caller has the turn.

        Raises:
            Aborted: The session is over; another one brings these events again.
        """
        if session.over or self.stopping.is_set():
            raise Aborted
        if events:
            self._deliver(events)

    def judge(self, failure: Failure) -> Reaction:
        """Ask what is to be done about a failure.

        Raises:
            Aborted: Nothing, since the client is being stopped.
        """
        if self.stopping.is_set():
            raise Aborted
        _log.info("%s", failure)
        return self._react(failure)

    def delay(self, failure: Failure, reaction: Reaction) -> float:
        """Give the seconds to wait before the next attempt, and count this one.

        Raises:
            Exception: The reaction is to give up, with this error.
        """
        if reaction.kind is Kind.GIVE_UP:
            raise reaction.error or BayeuxError(str(failure))
        if reaction.kind is Kind.DROP and failure.message is not None:
            return 0.0
        self.failures += 1
        if reaction.delay is not None:
            return max(reaction.delay, 0.0)
        wait = self._backoff.delay(self.failures, self._random) + (failure.retry_after or 0.0)
        return max(wait, self.exchanges.advice.interval)

    def pause(self, failures: int) -> float:
        """Give the backoff's seconds for so many failures."""
        return self._backoff.delay(failures, self._random)

    def end(self, session: Session, delay: float = 0.0) -> None:
        """End a session from any thread; the thread that polls begins another."""
        with self.changed:
            if session.over or self.session is not session:
                return
            session.over, session.delay = True, delay
            self.changed.notify_all()
            # Still under the lock, or it might be the next session's handshake that ends.
            self.transport.interrupt()

    def fail(self, error: Exception) -> None:
        """Have the thread that polls end with an error."""
        with self.changed:
            if self.error is None:
                self.error = error
            session = self.session
        if session is not None:
            self.end(session)
