"""What servers advise, how delays grow, and what is done about failures where nobody else says."""

import email.utils

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfconnector.bayeux import Backoff, BayeuxError, Failure, Reaction, Stage, SubscriptionRefused, by_advice
from sfconnector.bayeux._advice import Advice, retry_after

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
REFUSED = {"channel": "/meta/subscribe", "successful": False}


@UNHURRIED
@given(st.floats(0, 100), st.floats(0, 1000), st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_delay_is_never_beyond_its_bounds(first: float, cap: float, failures: int, drawn: float) -> None:
    assert 0 <= Backoff(first, cap).delay(failures, lambda: drawn) <= min(cap, first * 2.0 ** min(failures - 1, 64))


def test_the_bound_doubles_up_to_the_cap() -> None:
    delays = [Backoff(first=0.5, cap=60.0).delay(failures, lambda: 1.0) for failures in range(1, 10)]
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


@pytest.mark.parametrize("value", [-1, float("inf"), float("nan"), True, "1"])
def test_a_backoff_is_made_of_seconds(value: float) -> None:
    with pytest.raises(ValueError, match="Backoff: cap is a number of seconds"):
        Backoff(cap=value)


def test_advice_is_in_milliseconds_and_each_part_stays_until_it_changes() -> None:
    advice = Advice()
    advice.take({"interval": 5, "timeout": 110_000, "reconnect": "retry"})
    assert (advice.interval, advice.hold) == (0.005, 110.0)
    advice.take({"interval": 2000})
    assert (advice.interval, advice.hold) == (2.0, 110.0)


@UNHURRIED
@given(
    st.dictionaries(
        st.sampled_from(["interval", "timeout", "reconnect"]),
        st.one_of(st.none(), st.text(), st.floats(), st.booleans(), st.lists(st.integers()), st.integers()),
    )
)
def test_no_advice_makes_a_client_deaf(parts: dict[str, object]) -> None:
    advice = Advice()
    advice.take(parts)
    assert 0 <= advice.interval <= 3600
    assert 0 <= advice.hold <= 3600


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "999999999999"}, 3600.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": email.utils.formatdate(1e9 + 30, usegmt=True), "date": email.utils.formatdate(1e9)}, 30.0),
        ({"retry-after": email.utils.formatdate(1e9 - 30, usegmt=True), "date": email.utils.formatdate(1e9)}, 0.0),
        ({"retry-after": email.utils.formatdate(1e9, usegmt=True)}, 0.0),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    "failure",
    [
        Failure(Stage.CONNECT, exception=OSError("cut")),
        Failure(Stage.CONNECT, "402::Unknown client", advice={"reconnect": "none"}),
        Failure(Stage.CONNECT, "403::Unknown client", advice={"reconnect": "none"}),
        Failure(Stage.SUBSCRIBE, "403::Unknown client", REFUSED),
        Failure(Stage.COMMAND, "402::session_unknown"),
        Failure(Stage.CONNECT, "500::oops", advice={"reconnect": "retry"}),
        Failure(Stage.SUBSCRIBE, "403::denied", REFUSED, advice={"reconnect": "handshake"}),
        Failure(Stage.SUBSCRIBE, message={"channel": "/meta/disconnect"}),
        Failure(Stage.HANDSHAKE, status=503),
    ],
)
def test_a_new_session_is_made(failure: Failure) -> None:
    assert by_advice(failure) == Reaction.handshake()


def test_a_client_gives_up_where_it_is_told_to() -> None:
    told = by_advice(Failure(Stage.HANDSHAKE, "403::Handshake denied", advice={"reconnect": "none"}))
    assert isinstance(told.error, BayeuxError)
    assert str(told.error) == "handshake: 403::Handshake denied; the server advises not to come back"
    refused = by_advice(Failure(Stage.SUBSCRIBE, "403::denied", REFUSED, channel="/a"))
    assert isinstance(refused.error, SubscriptionRefused)
    assert str(refused.error) == "subscribe to /a: 403::denied"
    assert by_advice(Failure(Stage.SUBSCRIBE, "403::denied", REFUSED, channel="/a", awaited=True)) == Reaction.drop()


def test_an_unsubscribe_that_was_refused_does_not_matter() -> None:
    refused = {"channel": "/meta/unsubscribe", "successful": False}
    assert by_advice(Failure(Stage.COMMAND, "404::none", refused)) == Reaction.drop()


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (Failure(Stage.CONNECT), "connect: the server ended the session"),
        (Failure(Stage.CONNECT, status=503), "connect: 503"),
        (Failure(Stage.HANDSHAKE, "401::no", status=401), "handshake: 401 401::no"),
        (Failure(Stage.SUBSCRIBE, channel="/a", exception=OSError("cut")), "subscribe /a: OSError: cut"),
    ],
)
def test_a_failure_in_words(failure: Failure, text: str) -> None:
    assert str(failure) == text


def test_no_message_is_quoted() -> None:
    assert "secret" not in repr(Failure(Stage.CONNECT, message={"data": "secret"}))
