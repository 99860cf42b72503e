"""Subscribing and unsubscribing from other threads, while a poll is held."""

from __future__ import annotations

import time
from typing import Final

from sfconnector.bayeux._channels import Progress, Subscription
from sfconnector.bayeux._core import Core, Late
from sfconnector.bayeux._exchanges import Session, Taken
from sfconnector.bayeux._model import Aborted, BayeuxError, Failed, Failure, Kind, State, SubscriptionRefused

# Beyond the time for an answer, a session may have to be made anew.
_PATIENCE: Final = 3
# Seconds for which the events of a poll may keep an unsubscribe waiting before it is left to the polling thread.
_SHORT: Final = 1.0


class Commands:
    """Sends commands on the lane of their own, each in its caller's thread.

    A command that got no answer ends the session, since events may have been lost with the answer. So do events of
    other channels in an answer, where the order matters: whether they come before or after those of the poll that is
    held at the same time, nobody can tell.
    """

    def __init__(self, core: Core, *, keep_order: bool) -> None:
        self._core, self._keep_order = core, keep_order

    def subscribe(self, subscription: Subscription, timeout: float | None) -> None:
        """Send a subscribe and wait for its outcome; the calling thread sees to the subscription.

        Raises:
            SubscriptionRefused: The server refused, and the reaction was to drop the channel.
            BayeuxError: It was not answered in time, or the client has ended.
        """
        core = self._core
        patience = _PATIENCE * core.transport.read_timeout if timeout is None else timeout
        deadline = time.monotonic() + patience
        try:
            while (delay := self._attempt(subscription, deadline)) is not None:
                # A wait that stop() ends, and the caller's time.
                if core.stopping.wait(min(delay, max(deadline - time.monotonic(), 0.0))):
                    break
        except Late:
            pass
        except Aborted:
            pass
        except Exception as error:
            # What the caller's own functions raise must not leave a client behind that looks well.
            core.fail(error)
            raise
        finally:
            with core.changed:
                core.channels.release(subscription)
        self._await(subscription, deadline, patience)

    def _attempt(self, subscription: Subscription, deadline: float) -> float | None:
        core, channel = self._core, subscription.channel
        with core.turn(deadline):
            if (session := self._session(subscription)) is None:
                return None
            timeout = max(min(core.transport.read_timeout, deadline - time.monotonic()), 0.001)
            try:
                taken = core.exchanges.subscribe(
                    session, channel, core.transport.commands, timeout=timeout, awaited=True
                )
            except Failed as failed:
                taken = Taken([], failed.failure, {})
            if not self._take(session, taken, channel, wanted=True):
                return None
            if taken.failure is None:
                with core.changed:
                    if not session.over:
                        subscription.agree()
                return None
        return self._failed(session, subscription, taken.failure, refused=taken.refused)

    def _failed(self, session: Session, subscription: Subscription, failure: Failure, *, refused: bool) -> float | None:
        core = self._core
        reaction = core.judge(failure)
        delay = core.delay(failure, reaction)
        if not refused or reaction.kind is Kind.HANDSHAKE:
            core.end(session, delay)
            return None
        if reaction.kind is Kind.RESUBSCRIBE:
            return delay
        with core.changed:
            core.channels.remove(subscription.channel, SubscriptionRefused(failure))
        return None

    def unsubscribe(self, channel: str) -> None:
        """Tell the server, which may be the end of the session but is no error of the caller's."""
        core = self._core
        with core.changed:
            known = core.session
        try:
            with core.turn(time.monotonic() + _SHORT):
                with core.changed:
                    session, again = core.session, core.channels.get(channel) is not None
                if session is None or session.over or again or core.state is not State.CONNECTED:
                    return
                try:
                    taken = core.exchanges.unsubscribe(session, channel, core.transport.commands)
                except Failed as failed:
                    taken = Taken([], failed.failure, {})
                self._take(session, taken, channel, wanted=False)
            if taken.failure is not None:
                reaction = core.judge(taken.failure)
                delay = core.delay(taken.failure, reaction)
                if not taken.refused or reaction.kind is not Kind.DROP:
                    core.end(session, delay)
        except Late:
            with core.changed:
                # A new session knows nothing of the channel, and whoever subscribes again wants it.
                if core.session is known and core.channels.get(channel) is None:
                    core.channels.retract(channel)
        except Aborted:
            return
        except Exception as error:
            core.fail(error)
            raise

    def _session(self, subscription: Subscription) -> Session | None:
        core = self._core
        with core.changed:
            if not subscription.mine or core.state is not State.CONNECTED or core.session is None:
                return None
            return None if core.session.over else core.session

    def _take(self, session: Session, taken: Taken, channel: str, *, wanted: bool) -> bool:
        core = self._core
        with core.changed:
            others = [event for event in taken.events if core.channels.claims(event["channel"], channel)]
        if others and self._keep_order:
            core.end(session)
            return False
        core.deliver(session, taken.events if wanted else others)
        return True

    def _await(self, subscription: Subscription, deadline: float, patience: float) -> None:
        core = self._core
        with core.changed:
            subscription.awaited += 1
            try:
                while subscription.progress not in (Progress.ACTIVE, Progress.GONE):
                    if core.stopping.is_set() or core.state in (State.STOPPED, State.FAILED):
                        raise BayeuxError(f"subscribe to {subscription.channel}: the client has ended")
                    if not core.changed.wait(deadline - time.monotonic()):
                        raise BayeuxError(
                            f"subscribe to {subscription.channel}: no answer within {patience:g} s; "
                            "the client goes on trying until unsubscribe"
                        )
            finally:
                subscription.awaited -= 1
        if subscription.refusal is not None:
            raise subscription.refusal
