"""Waiting for a job: how soon its end is noticed, at which price, and what may happen meanwhile."""

import itertools
from collections.abc import Callable, Iterator

import pytest
from session_tools import FakeTime

from sfconnector import errors
from sfconnector._polling import wait_for

LOST = errors.TransportError("GET", "/jobs/ingest/1", errors.Failure.CUT, "…")


class Work:
    """Work that takes so many seconds, and counts who asks for it."""

    def __init__(self, seconds: float, latency: float = 0.0) -> None:
        self.time, self.polls = FakeTime(), 0
        self.end, self.latency = self.time.now + seconds, latency

    def ask(self) -> float | None:
        self.polls += 1
        done = self.time.now >= self.end
        self.time.now += self.latency
        return self.time.now - self.end if done else None

    def wait(self, timeout: float | None = None, tell: Callable[[float], object] | None = None) -> float:
        return wait_for("the work", self.ask, self.time.retry(), timeout=timeout, tell=tell)


def answers(*outcomes: object) -> Callable[[], object]:
    """Give what is not an exception, and raise what is one."""
    waiting: Iterator[object] = iter(outcomes)

    def ask() -> object:
        outcome = next(waiting)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return ask


@pytest.mark.parametrize(
    ("seconds", "late", "polls"),
    [(0, 0.0, 1), (0.2, 0.05, 2), (2, 0.3, 10), (20, 3.0, 27), (60, 9.0, 34), (3600, 30.0, 160), (86_400, 30.0, 2_925)],
)
def test_the_end_is_noticed_soon_and_costs_few_calls(seconds: float, late: float, polls: int) -> None:
    work = Work(seconds)
    assert work.wait() <= late + 1e-9
    assert work.polls <= polls


def test_two_seconds_are_noticed_within_three_where_each_call_takes_half_a_second() -> None:
    work = Work(2.0, latency=0.5)
    assert work.wait() <= 1.0
    assert work.polls <= 5


def test_pauses_grow_with_the_time_that_has_passed_up_to_half_a_minute() -> None:
    work = Work(3600)
    work.wait()
    slept = work.time.slept
    assert slept == sorted(slept)
    assert (slept[0], slept[-1]) == (0.25, 30.0)


@pytest.mark.parametrize(("timeout", "polls"), [(0.0, 1), (0.1, 2), (1.0, 5)])
def test_the_last_poll_is_at_the_deadline(timeout: float, polls: int) -> None:
    work = Work(3600)
    with pytest.raises(errors.JobTimeoutError, match=f"the work has not ended after {timeout:g} s") as caught:
        work.wait(timeout)
    assert sum(work.time.slept) == timeout
    assert work.polls == polls
    assert caught.value.job == "the work"


def test_what_ends_at_the_deadline_has_ended() -> None:
    assert Work(1.0).wait(timeout=1.0) == 0.0


@pytest.mark.parametrize("timeout", [-1, float("nan"), "1", True])
def test_what_is_no_time_is_refused_before_anything_is_asked(timeout: float) -> None:
    work = Work(0)
    with pytest.raises((ValueError, TypeError), match="timeout is a number of seconds"):
        work.wait(timeout)
    assert work.polls == 0


def test_single_polls_may_fail() -> None:
    ask = answers(*[LOST] * 4, None, *[LOST] * 4, "the end")
    assert wait_for("the work", ask, FakeTime().retry(), timeout=None) == "the end"


def test_five_failures_in_a_row_are_an_error_with_the_job() -> None:
    with pytest.raises(errors.JobError, match="the work could not be asked for, 5 times in a row") as caught:
        wait_for("the work", answers(*[LOST] * 5), FakeTime().retry(), timeout=None)
    assert not isinstance(caught.value, errors.JobTimeoutError)
    assert (caught.value.job, caught.value.__cause__) == ("the work", LOST)


def test_a_last_poll_that_failed_is_told() -> None:
    with pytest.raises(errors.JobTimeoutError) as caught:
        wait_for("the work", answers(None, LOST), FakeTime().retry(), timeout=0.1)
    assert caught.value.__cause__ is LOST


@pytest.mark.parametrize("error", [KeyboardInterrupt(), LookupError("refused")])
def test_what_else_happens_ends_the_wait_at_once_and_names_the_job(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        wait_for("the work", answers(None, error, "the end"), FakeTime().retry(), timeout=None)
    assert caught.value is error
    assert error.__notes__[-1] == "This ended the wait for the work, and nothing else."


def test_an_interruption_of_the_pause_names_the_job() -> None:
    time = FakeTime()

    def sleep(_: float) -> None:
        raise KeyboardInterrupt

    retry = time.retry()
    object.__setattr__(retry, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt) as caught:
        wait_for("the work", answers(None), retry, timeout=None)
    assert "the work" in caught.value.__notes__[-1]


def test_a_job_that_came_to_a_bad_end_is_told_as_it_is() -> None:
    failed = errors.JobError("failed", job=1)
    with pytest.raises(errors.JobError) as caught:
        wait_for("the work", answers(None, failed), FakeTime().retry(), timeout=None)
    assert caught.value is failed
    assert not hasattr(failed, "__notes__")


def test_a_callback_is_told_after_each_poll_and_each_second() -> None:
    told: list[float] = []
    work = Work(3600)
    work.wait(tell=told.append)
    assert told == sorted(told)
    assert told[0] == 0.0
    assert told[-1] >= 3600
    assert max(later - earlier for earlier, later in itertools.pairwise(told)) <= 1.0 + 1e-6
    # Telling costs no calls.
    assert work.polls <= 160


def test_a_callback_that_raises_ends_the_wait_with_the_job_at_hand() -> None:
    def stop(elapsed: float) -> None:
        if elapsed > 100:
            raise RuntimeError("enough")

    work = Work(3600)
    with pytest.raises(errors.JobError, match="the progress callback raised RuntimeError") as caught:
        work.wait(tell=stop)
    assert sum(work.time.slept) <= 101.0
    assert caught.value.job == "the work"
    assert str(caught.value.__cause__) == "enough"
