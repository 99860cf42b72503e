"""Waiting for work in the background: a short job is noticed soon, and a long one is seldom asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from sfconnector._redact import logger
from sfconnector._retry import Retry
from sfconnector.errors import JobError, JobTimeoutError, SalesforceError, ServerError, TransportError

T = TypeVar("T")

# In seconds. After each poll the pause is a share of the time that has passed: what takes 2 s is noticed after 2.3 s
# at the latest, anything else at most 15 % late, and an hour costs about 160 calls.
_FIRST_PAUSE: Final = 0.25
_SHARE: Final = 0.15
_LONGEST_PAUSE: Final = 30.0
# Each of them has had the attempts of the client's Retry.
_MOST_FAILURES: Final = 5
# A callback is called so often at least, and so soon it can end the wait.
_TICK: Final = 1.0


def check_timeout(timeout: object) -> float | None:
    """Refuse what is no time to wait.

    Raises:
        ValueError, TypeError: It is neither a number of seconds, which may be 0, nor ``None``.
    """
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise TypeError(f"timeout is a number of seconds, not a {type(timeout).__name__}")
    if not timeout >= 0:
        raise ValueError(f"timeout is a number of seconds, not {timeout!r}")
    return timeout


def wait_for(
    job: object,
    ask: Callable[[], T | None],
    retry: Retry,
    *,
    timeout: float | None,
    tell: Callable[[float], object] | None = None,
) -> T:
    """Ask for the end of a job until there is one, and give what was answered then.

    A poll that fails on the way or at Salesforce counts for nothing, unless five do in a row. The job is left alone
    whatever happens here.

    Args:
        job: Its handle, whose ``str()`` says what it is.
        ask: Gives ``None`` as long as the job has not ended.
        retry: Has the clock, and what waits.
        timeout: Seconds, after which it is asked for the last time; ``None`` for no limit.
        tell: Called with the seconds that have passed, after each poll and each second at least.

    Raises:
        JobTimeoutError: The job has not ended in time.
        JobError: It could not be asked for, or ``tell`` raised; or what ``ask`` raised about the job.
        ApiError: Salesforce refused to tell.
    """
    wait = _Wait(job, retry, check_timeout(timeout), tell)
    try:
        while True:
            if (end := wait.poll(ask)) is not None:
                return end
            wait.pause()
    except JobError:
        raise
    except BaseException as error:
        error.add_note(f"This ended the wait for {job}, and nothing else.")
        raise


class _Wait:
    """One wait: since when, for how long, and how many polls in a row have failed."""

    def __init__(
        self, job: object, retry: Retry, timeout: float | None, tell: Callable[[float], object] | None
    ) -> None:
        self._job, self._retry, self._timeout, self._tell = job, retry, timeout, tell
        self._began = retry.clock()
        self._failures: list[SalesforceError] = []

    @property
    def _elapsed(self) -> float:
        return self._retry.clock() - self._began

    def poll(self, ask: Callable[[], T | None]) -> T | None:
        end = None
        try:
            end = ask()
            self._failures.clear()
        except (TransportError, ServerError) as error:
            self._failures.append(error)
            logger.info("%s: poll %d in a row failed: %s", self._job, len(self._failures), error)
            if len(self._failures) == _MOST_FAILURES:
                text = f"{self._job} could not be asked for, {_MOST_FAILURES} times in a row: {error}"
                raise JobError(text, job=self._job) from error
        self._call_back()
        return end

    def pause(self) -> None:
        """Sleep until the next poll.

        Raises:
            JobTimeoutError: There is no time left for another one.
        """
        elapsed = self._elapsed
        pause = min(max(_FIRST_PAUSE, elapsed * _SHARE), _LONGEST_PAUSE)
        if self._timeout is not None:
            if elapsed >= self._timeout:
                text = f"{self._job} has not ended after {self._timeout:g} s, and goes on at Salesforce"
                cause = self._failures[-1] if self._failures else None
                raise JobTimeoutError(f"{text}: wait for it again", job=self._job) from cause
            pause = min(pause, self._timeout - elapsed)
        if self._tell is None:
            self._retry.sleep(pause)
            return
        while pause > _TICK:
            self._retry.sleep(_TICK)
            self._call_back()
            pause -= _TICK
        self._retry.sleep(pause)

    def _call_back(self) -> None:
        if self._tell is None:
            return
        try:
            self._tell(self._elapsed)
        except Exception as error:
            text = f"the progress callback raised {type(error).__name__}, which ended the wait for {self._job} only"
            raise JobError(text, job=self._job) from error
