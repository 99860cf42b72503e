"""The retry policy: every row of the table, delays, budget, and what a server asks for."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfconnector._retry import RULES, Outcome, Repeat, Retry, Rule, retry_after
from sfconnector.errors import ErrorDetail, Failure

DAILY = (ErrorDetail("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),)
CONCURRENT = (ErrorDetail("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),)


def error(code: str) -> tuple[ErrorDetail, ...]:
    return (ErrorDetail(code, "…"),)


NEVER, IDEMPOTENT, ANY = Repeat.NEVER, Repeat.IDEMPOTENT, Repeat.ANY

TABLE = [
    (Outcome(Failure.CONNECT), ANY),
    (Outcome(Failure.TIMEOUT), IDEMPOTENT),
    (Outcome(Failure.CUT), IDEMPOTENT),
    (Outcome(Failure.GARBLED), IDEMPOTENT),
    (Outcome(Failure.CERTIFICATE), NEVER),
    (Outcome(Failure.BUSY), NEVER),
    (Outcome(status=403, errors=CONCURRENT), ANY),
    (Outcome(status=403, errors=DAILY), NEVER),
    # A status that is worth a repeat elsewhere changes nothing.
    (Outcome(status=503, errors=DAILY, retry_after=1.0), NEVER),
    *[
        (Outcome(status=status, errors=error(code)), ANY)
        for status in (400, 500, 503)
        for code in (
            "UNABLE_TO_LOCK_ROW",
            "SERVER_UNAVAILABLE",
            "API_TEMPORARILY_UNAVAILABLE",
            "API_CURRENTLY_DISABLED",
        )
    ],
    (Outcome(status=420), ANY),
    (Outcome(status=429), ANY),
    (Outcome(status=503, retry_after=2.0), ANY),
    *[(Outcome(status=status), IDEMPOTENT) for status in (406, 500, 502, 503, 504)],
    (Outcome(status=500, errors=error("UNKNOWN_EXCEPTION")), IDEMPOTENT),
    *[
        (Outcome(status=status), NEVER)
        for status in (300, 302, 304, 400, 401, 403, 404, 405, 409, 410, 412, 414, 415, 428, 431)
    ],
    (Outcome(status=400, errors=error("DUPLICATE_VALUE")), NEVER),
    (Outcome(status=404, errors=error("ENTITY_IS_DELETED")), NEVER),
]


@pytest.mark.parametrize(("outcome", "repeat"), TABLE, ids=lambda value: str(value))
def test_each_row_decides_as_documented(outcome: Outcome, repeat: Repeat) -> None:
    def repeated(idempotent: bool) -> bool:
        return Retry().decide(outcome, attempt=1, elapsed=0.0, idempotent=idempotent).delay is not None

    assert (repeated(idempotent=False), repeated(idempotent=True)) == {
        NEVER: (False, False),
        IDEMPOTENT: (False, True),
        ANY: (True, True),
    }[repeat]


def test_the_table_above_covers_every_rule() -> None:
    used = {next((i for i, rule in enumerate(RULES) if rule.matches(outcome)), None) for outcome, _ in TABLE}
    assert used >= set(range(len(RULES)))


@pytest.mark.parametrize(
    ("outcome", "repeats"), [(Outcome(status=420), 2), (Outcome(status=403, errors=CONCURRENT), 3)]
)
def test_hopeless_looking_answers_are_repeated_only_so_often(outcome: Outcome, repeats: int) -> None:
    retry = Retry(attempts=10)
    delays = [retry.decide(outcome, attempt=n, elapsed=0.0, idempotent=True).delay for n in range(1, 10)]
    assert sum(delay is not None for delay in delays) == repeats


@given(st.integers(1, 40), st.floats(0, 1, exclude_max=True))
def test_delays_are_drawn_below_a_bound_that_doubles_up_to_a_limit(attempt: int, draw: float) -> None:
    retry = Retry(attempts=100, budget=1e9, random=lambda: draw)
    delay = retry.decide(Outcome(Failure.CUT), attempt=attempt, elapsed=0.0, idempotent=True).delay
    assert delay == draw * min(16.0, 0.5 * 2 ** (attempt - 1))


def test_attempts_are_counted() -> None:
    delays = [
        Retry(attempts=3).decide(Outcome(Failure.CUT), attempt=n, elapsed=0.0, idempotent=True).delay for n in (1, 2, 3)
    ]
    assert [delay is None for delay in delays] == [False, False, True]


def test_one_attempt_means_no_repeat() -> None:
    assert Retry(attempts=1).decide(Outcome(Failure.CONNECT), attempt=1, elapsed=0.0, idempotent=True).delay is None


def test_no_attempt_begins_after_the_budget() -> None:
    retry = Retry(budget=10.0, backoff=4.0, random=lambda: 1.0)
    within = retry.decide(Outcome(Failure.CUT), attempt=1, elapsed=6.0, idempotent=True)
    beyond = retry.decide(Outcome(Failure.CUT), attempt=1, elapsed=6.1, idempotent=True)
    assert (within.delay, beyond.delay) == (4.0, None)
    assert "budget" in beyond.reason


def test_the_time_asked_for_is_waited_and_jitter_on_top() -> None:
    retry = Retry(random=lambda: 0.5)
    decision = retry.decide(Outcome(status=503, retry_after=7.0), attempt=1, elapsed=0.0, idempotent=False)
    assert decision.delay == 7.25


def test_more_time_than_the_cap_ends_the_attempts() -> None:
    decision = Retry(max_retry_after=30.0).decide(
        Outcome(status=503, retry_after=31.0), attempt=1, elapsed=0.0, idempotent=True
    )
    assert decision.delay is None
    assert "asks to wait 31 s" in decision.reason


def test_reasons_say_why_a_write_is_not_repeated() -> None:
    decision = Retry().decide(Outcome(Failure.CUT), attempt=1, elapsed=0.0, idempotent=False)
    assert "may have been carried out" in decision.reason


def test_a_table_of_ones_own_replaces_ours() -> None:
    retry = Retry(rules=(Rule(Repeat.ANY, statuses=(418,)),))
    assert retry.decide(Outcome(status=418), attempt=1, elapsed=0.0, idempotent=False).delay is not None
    assert retry.decide(Outcome(status=503), attempt=1, elapsed=0.0, idempotent=True).delay is None


@pytest.mark.parametrize("options", [{"attempts": 0}, {"budget": -1.0}, {"backoff": -0.1}, {"max_retry_after": -1.0}])
def test_impossible_policies_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Retry(**options)  # type: ignore[arg-type]


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", 120.0),
        ("0", 0.0),
        (" 5 ", 5.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("", None),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_by_the_servers_clock(value: str, expected: float | None) -> None:
    assert retry_after({"Retry-After": value, "Date": format_datetime(NOW, usegmt=True)}) == expected


def test_a_date_without_the_servers_clock_is_read_by_ours() -> None:
    seconds = retry_after({"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)})
    assert seconds is not None
    assert 3500 < seconds <= 3600


@given(st.text(max_size=40))
def test_no_header_breaks_the_reader(value: str) -> None:
    seconds = retry_after({"Retry-After": value})
    assert seconds is None or seconds >= 0
