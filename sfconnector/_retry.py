"""Which failures are worth another attempt, and when."""

from __future__ import annotations

import enum
import random
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

import attrs

from sfconnector.errors import ErrorDetail, Failure

# Where somebody may stop the work that is done in this context, what tells of it.
STOPPED: Final[ContextVar[threading.Event | None]] = ContextVar("STOPPED", default=None)


class Repeat(enum.Enum):
    """Which requests a rule lets repeat."""

    NEVER = "never"
    IDEMPOTENT = "if sending it twice does no more than sending it once"
    ANY = "always, since nothing was done"


class Outcome(NamedTuple):
    """What came of an attempt: a failure on the way, or a status with Salesforce's errors."""

    failure: Failure | None = None
    status: int = 0
    errors: tuple[ErrorDetail, ...] = ()
    retry_after: float | None = None

    def __str__(self) -> str:
        if self.failure is not None:
            return self.failure.value
        return f"{self.status} {self.errors[0].code}".rstrip() if self.errors else str(self.status)


class Rule(NamedTuple):
    """One row of the table; what is left out matches everything.

    Attributes:
        repeat: Which requests may be repeated.
        failures: The failure is one of these.
        statuses: The status is one of these.
        codes: One of Salesforce's codes is one of these.
        message: The message that goes with the code contains this.
        with_retry_after: The answer says when to come back.
        most: Repeats at most.
    """

    repeat: Repeat
    failures: tuple[Failure, ...] = ()
    statuses: tuple[int, ...] = ()
    codes: tuple[str, ...] = ()
    message: str = ""
    with_retry_after: bool = False
    most: int | None = None

    def matches(self, outcome: Outcome) -> bool:
        """Tell whether this row speaks of the outcome."""
        if self.failures or outcome.failure is not None:
            return outcome.failure in self.failures
        if self.statuses and outcome.status not in self.statuses:
            return False
        if self.with_retry_after and outcome.retry_after is None:
            return False
        return not self.codes or any(
            error.code in self.codes and self.message in error.message for error in outcome.errors
        )


# Work that ends in one of these is rolled back: a request as a whole, or one record of a collection.
# https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
TRANSIENT_CODES: Final = (
    "UNABLE_TO_LOCK_ROW",
    "SERVER_UNAVAILABLE",
    "API_TEMPORARILY_UNAVAILABLE",
    "API_CURRENTLY_DISABLED",
)

RULES: Final = (
    # Nothing reached Salesforce.
    Rule(Repeat.ANY, failures=(Failure.CONNECT,)),
    # The request may have been carried out, and only the answer is lost.
    Rule(Repeat.IDEMPOTENT, failures=(Failure.TIMEOUT, Failure.CUT, Failure.GARBLED)),
    # Code and status are the same for the daily and the concurrent limit; only the latter passes soon.
    # https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/salesforce-app-limits-platform-api.html
    Rule(Repeat.ANY, codes=("REQUEST_LIMIT_EXCEEDED",), message="ConcurrentRequests", most=3),
    Rule(Repeat.NEVER, codes=("REQUEST_LIMIT_EXCEEDED",)),
    Rule(Repeat.ANY, codes=TRANSIENT_CODES),
    # Salesforce Edge knows no way to the host, so the request went nowhere; a deleted org answers so for ever.
    # https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
    Rule(Repeat.ANY, statuses=(420,), most=2),
    # Turned away at the door: RFC 6585 section 4 for 429; Salesforce uses 503 for rate limits and maintenance.
    # Without a Retry-After a 503 may as well come from a gateway that has passed the request on.
    # https://developer.salesforce.com/docs/platform/graphql/guide/rate-limit.html
    Rule(Repeat.ANY, statuses=(429,)),
    Rule(Repeat.ANY, statuses=(503,), with_retry_after=True),
    Rule(Repeat.IDEMPOTENT, statuses=(406, 500, 502, 503, 504)),
)


class Decision(NamedTuple):
    """Whether there is another attempt: after so many seconds, or, where that is ``None``, not at all."""

    delay: float | None
    reason: str


@attrs.frozen
class Retry:
    """How failed requests are repeated.

    A read, and a write that does no more when sent twice, is repeated after trouble on the way. Any other
    write is repeated only where it provably was not carried out. Delays are drawn at random between 0 and
    a bound that doubles each time; a ``Retry-After`` comes on top of that.

    Args:
        attempts: Attempts in all; 1 switches retries off.
        budget: Seconds after which no further attempt begins.
        backoff: Seconds; the first bound of the random delay.
        max_backoff: Seconds; the highest bound of the random delay.
        max_retry_after: Seconds; Salesforce asking for more time than this ends the attempts at once.
        rules: The table; its first row that matches decides, and without one there is no repeat.
        clock: A clock that never goes backwards, in seconds.
        sleep: What waits so many seconds.
        random: Draws a number from 0 up to 1.

    Example:
        >>> from sfconnector import Retry
        >>> patient = Retry(attempts=8, budget=300.0)
    """

    attempts: int = attrs.field(default=5, validator=attrs.validators.ge(1))
    budget: float = attrs.field(default=60.0, validator=attrs.validators.ge(0))
    backoff: float = attrs.field(default=0.5, validator=attrs.validators.ge(0))
    max_backoff: float = attrs.field(default=16.0, validator=attrs.validators.ge(0))
    max_retry_after: float = attrs.field(default=30.0, validator=attrs.validators.ge(0))
    rules: tuple[Rule, ...] = attrs.field(default=RULES, repr=False)
    clock: Callable[[], float] = attrs.field(default=time.monotonic, repr=False)
    sleep: Callable[[float], object] = attrs.field(default=time.sleep, repr=False)
    # Spreads load, guards nothing.
    random: Callable[[], float] = attrs.field(default=random.random, repr=False)

    def wait(self, delay: float) -> bool:
        """Wait for so many seconds, or until the work is stopped; tell whether it may go on."""
        stopped = STOPPED.get()
        # Whoever brings a clock of their own has no need of it.
        if stopped is not None and self.sleep is time.sleep:
            return not stopped.wait(delay)
        self.sleep(delay)
        return stopped is None or not stopped.is_set()

    def decide(self, outcome: Outcome, *, attempt: int, elapsed: float, idempotent: bool) -> Decision:
        """Judge an attempt that did not succeed.

        Args:
            outcome: What came of it.
            attempt: Which one it was, counted from 1.
            elapsed: Seconds since the first one began.
            idempotent: Whether sending the request twice does no more than sending it once.
        """
        rule = next((rule for rule in self.rules if rule.matches(outcome)), None)
        if rule is None or rule.repeat is Repeat.NEVER:
            return Decision(None, f"{outcome}: no repeat would help")
        if rule.repeat is Repeat.IDEMPOTENT and not idempotent:
            return Decision(None, f"{outcome}: it may have been carried out, and repeating it would do it twice")
        if attempt >= self.attempts or (rule.most is not None and attempt > rule.most):
            return Decision(None, f"{outcome}: {attempt} attempts are enough")
        if outcome.retry_after is not None and outcome.retry_after > self.max_retry_after:
            return Decision(None, f"{outcome}: Salesforce asks to wait {outcome.retry_after:.0f} s")
        delay = self.random() * min(self.max_backoff, self.backoff * 2 ** (attempt - 1)) + (outcome.retry_after or 0.0)
        if elapsed + delay > self.budget:
            return Decision(None, f"{outcome}: the time budget of {self.budget:g} s is used up")
        return Decision(delay, str(outcome))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read the seconds to wait out of a ``Retry-After``, be they a number or a date."""
    value = headers.get("Retry-After", "").strip()
    if value.isdecimal() and value.isascii():
        return float(value)
    if (then := _moment(value)) is None:
        return None
    # By the clock of whoever named the date, so that ours need not be right.
    now = _moment(headers.get("Date", "")) or datetime.now(UTC)
    return max((then - now).total_seconds(), 0.0)


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
