"""What is done about each failure of a connection."""

from __future__ import annotations

import ssl
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Final

from urllib3.exceptions import HTTPError

from sfconnector._redact import logger
from sfconnector._streaming.feed import ALL_RETAINED, TIP, Feed
from sfconnector._streaming.refusals import Cause, cause_of, text_of
from sfconnector.bayeux import Failure, Reaction, Stage
from sfconnector.errors import (
    AuthenticationError,
    ReplayExpiredError,
    StreamError,
    SubscriptionError,
    TransportError,
)
from sfconnector.errors import Failure as TransportFailure

if TYPE_CHECKING:
    from sfconnector._streaming.connection import Connection

_CHECK: Final = "check its name, that it exists in this org, and that the user may subscribe to it"
# Seconds; limits are counted over a day, and asking more often only uses them up.
_LIMIT_DELAY: Final = 300.0
# Logins in a row whose tokens are refused at once, and those whose tokens are good for a moment: the server may be
# at fault, but every login counts.
_MOST_LOGINS: Final = 4
_MOST_SHORT_LOGINS: Final = 16
# A single failure is repaired without anyone having to know; from this one in a row on it is told.
_TOLD_FROM: Final = 2


class Reactions:
    """Decides, and remembers what has failed in a row.

    Args:
        connection: Whose failures they are.
        on_expired: ``"earliest"``, ``"latest"`` or ``"raise"``.
    """

    def __init__(self, connection: Connection, on_expired: str) -> None:
        self._connection, self._on_expired = connection, on_expired
        self._lock = threading.RLock()
        self._failures = self._refused_logins = self._refused_at_once = 0
        self._is_answered = False
        self.last: Exception | None = None

    def answered(self) -> None:
        """Note that a poll was answered, so that the token is a good one, for now."""
        self._is_answered = True

    def react(self, failure: Failure) -> Reaction:
        """Decide what is done about a failure."""
        cause = cause_of(failure)
        with self._lock:
            if not self._connection.failures:
                self._failures = self._refused_logins = self._refused_at_once = 0
            self._failures += 1
            logger.info(
                "listener %r: %s failed, %s: %s",
                self._connection.name,
                failure.stage.value,
                cause.value,
                text_of(failure) or failure,
            )
            match cause:
                case Cause.SESSION:
                    return self._on_session(failure)
                case Cause.CLIENT:
                    return self._on_forgotten(failure)
                case Cause.LIMIT:
                    return self._on_limit(failure)
                case Cause.REPLAY if failure.stage is Stage.SUBSCRIBE:
                    return self._on_expired_position(failure)
                case Cause.FORBIDDEN:
                    return Reaction.give_up(self._kept(StreamError(_said(failure))))
                case Cause.CHANNEL if failure.stage is not Stage.SUBSCRIBE:
                    return Reaction.give_up(self._kept(StreamError(_said(failure))))
                case Cause.CHANNEL | Cause.UNKNOWN if failure.stage is Stage.SUBSCRIBE:
                    return self._on_refused_channel(failure, cause)
                case _:
                    return self._on_trouble(failure)

    def refusal(self, failure: Failure) -> Exception:
        """Make the error that tells of a refused subscription."""
        if cause_of(failure) is Cause.REPLAY:
            return self._expired(failure, self._connection.feed_of(failure.channel))
        return _refused(failure)

    def _on_session(self, failure: Failure) -> Reaction:
        self._refused_logins += 1
        self._refused_at_once = 1 if self._is_answered else self._refused_at_once + 1
        self._is_answered = False
        if self._refused_at_once > _MOST_LOGINS or self._refused_logins > _MOST_SHORT_LOGINS:
            said = f"{self._refused_logins - 1} new tokens were refused as well: {text_of(failure) or failure}"
            return Reaction.give_up(self._kept(AuthenticationError("listener", said, status=401)))
        try:
            self._connection.renew()
        except TransportError as error:
            return self._later(error, failure)
        except AuthenticationError as error:
            # The network's errors in a login of the caller's come as causes.
            lost = isinstance(error.__cause__, OSError | HTTPError)
            if lost or (error.status is not None and (error.status == 429 or error.status >= 500)):
                return self._later(error, failure)
            return Reaction.give_up(self._kept(error))
        except Exception as error:  # a login of the caller's may raise anything
            return Reaction.give_up(self._kept(error))
        return Reaction.handshake(0.0 if self._refused_logins == 1 else None)

    def _later(self, error: Exception, failure: Failure) -> Reaction:
        # The token was not replaced, so this was no attempt with another one.
        self._refused_logins -= 1
        self._refused_at_once -= 1
        self._tell(error, failure)
        return Reaction.handshake()

    def _on_limit(self, failure: Failure) -> Reaction:
        if failure.stage is Stage.SUBSCRIBE:
            refusal = SubscriptionError(_said(failure), channel=failure.channel)
            if self._connection.tell_caller(failure.channel, refusal) or failure.awaited:
                # The channels that there are need not do without events for minutes.
                return Reaction.drop()
        self._tell(StreamError(f"{_said(failure)}; trying again in some minutes"), failure)
        return Reaction.handshake(max(_LIMIT_DELAY, failure.retry_after or 0.0))

    def _on_forgotten(self, failure: Failure) -> Reaction:
        if self._failures == 1:
            self.last = StreamError(_said(failure))
            return Reaction.handshake(0.0)
        return self._on_trouble(failure)

    def _on_trouble(self, failure: Failure) -> Reaction:
        if isinstance(failure.exception, ssl.SSLCertVerificationError) and not self._connection.is_ready:
            # It would be no better a moment later.
            path = f"/cometd/{self._connection.session.api_version}"
            error = TransportError("POST", path, TransportFailure.CERTIFICATE, str(failure.exception))
            error.__cause__ = failure.exception
            return Reaction.give_up(self._kept(error))
        trouble = StreamError(f"{_said(failure)}; trying again", channel=failure.channel)
        trouble.__cause__ = failure.exception
        if self._failures == _TOLD_FROM:
            self._tell(trouble, failure)
        self.last = StreamError(_said(failure), channel=failure.channel)
        self.last.__cause__ = failure.exception
        return Reaction.handshake()

    def _on_expired_position(self, failure: Failure) -> Reaction:
        feed = self._connection.feed_of(failure.channel)
        if feed is None:
            return Reaction.drop()
        error = self._expired(failure, feed)
        if self._on_expired == "raise":
            return self._end_or_drop(error, failure)
        if feed.is_at_an_end():
            # Neither a stored position nor the caller's: there is nowhere else to begin.
            return self._on_refused_channel(failure, Cause.UNKNOWN)
        self._tell(error, failure)
        feed.forget(ALL_RETAINED if self._on_expired == "earliest" else TIP)
        return Reaction.resubscribe(0.0)

    def check_age(self, feed: Feed, now: datetime) -> None:
        """Deal with a consumer of new events that has been away for longer than events are kept.

        Raises:
            ReplayExpiredError: That is how it is to be dealt with.
        """
        if (since := feed.outdated(now)) is None:
            return
        error = self._gone(feed.channel, since, f"Salesforce may no longer keep all that came {since}")
        if self._on_expired == "raise":
            raise error
        self._connection.report(error, feed.channel)
        if self._on_expired == "latest":
            feed.forget(TIP)

    def _expired(self, failure: Failure, feed: Feed | None) -> ReplayExpiredError:
        position = None if feed is None else feed.asked_for
        return self._gone(failure.channel, position, f"Salesforce no longer takes the position {position}")

    def _gone(self, channel: str, position: str | None, what: str) -> ReplayExpiredError:
        then = {
            "earliest": "beginning with the earliest event that is retained",
            "latest": "going on with new events only",
        }.get(self._on_expired, "read the records anew, and begin with replay_from")
        return ReplayExpiredError(f"{what}, so events may be missing: {then}", channel=channel, position=position)

    def _on_refused_channel(self, failure: Failure, cause: Cause) -> Reaction:
        error = _refused(failure)
        if (
            cause is Cause.CHANNEL
            or not self._connection.is_ready
            or self._connection.tell_caller(failure.channel, error)
        ):
            return self._end_or_drop(error, failure)
        self._tell(error, failure)
        return Reaction.handshake()

    def _end_or_drop(self, error: Exception, failure: Failure) -> Reaction:
        if self._connection.tell_caller(failure.channel, error) or failure.awaited:
            return Reaction.drop()
        return Reaction.give_up(self._kept(error))

    def _tell(self, error: Exception, failure: Failure) -> None:
        self._connection.report(self._kept(error), failure.channel)

    def _kept(self, error: Exception) -> Exception:
        self.last = error
        return error


def _refused(failure: Failure) -> SubscriptionError:
    hint = f" — {_CHECK}" if cause_of(failure) is Cause.CHANNEL else ""
    return SubscriptionError(_said(failure) + hint, channel=failure.channel)


def _said(failure: Failure) -> str:
    text = text_of(failure)
    return f"{failure.stage.value} failed: {text}" if text else str(failure)
