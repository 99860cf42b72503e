"""What one channel, one function or one login does wrong does not spread."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from cometd_server import CometD, change, order
from streams import LONG, Log, client, with_logins

from sfconnector import Salesforce, streaming
from sfconnector.errors import AuthenticationError, SubscriptionError

ACCOUNTS = "/data/AccountChangeEvent"
ORDERS = "/event/Order__e"


@pytest.fixture
def org() -> Iterator[CometD]:
    with CometD() as server:
        yield server


@pytest.fixture
def sf(org: CometD) -> Iterator[Salesforce]:
    with client(org) as sf:
        yield sf


def test_a_limit_that_a_new_channel_meets_does_not_silence_the_others(org: CometD, sf: Salesforce) -> None:
    org.refusals["/event/Other__e"] = "403::Organization total events daily limit exceeded"
    seen, listener = Log(), sf.listener()
    listener.attach(ORDERS, seen)
    with listener:
        with pytest.raises(SubscriptionError, match="daily limit exceeded"):
            listener.attach("/event/Other__e", print)
        org.emit(ORDERS, order(1))
        seen.wait(1)
    assert org.replays(ORDERS) == [-1]


def test_a_login_that_does_not_reach_its_service_is_tried_again(org: CometD) -> None:
    """Also one of the caller's own, whose errors are those of the network."""
    logins = with_logins(org)
    with client(org, logins) as sf:
        seen, errors, listener = Log(), Log(), sf.listener()
        listener = sf.listener(on_error=errors)
        listener.attach(ORDERS, seen)
        with listener:
            right = logins.tell

            def unreachable(_: str) -> None:
                logins.tell = right
                raise ConnectionError("no route to the vault")

            logins.tell = unreachable
            org.revoke()
            org.emit(ORDERS, order(1))
            seen.wait(1)
    assert isinstance(errors.items[0], AuthenticationError)


def test_another_thread_may_attach_a_channel_in_the_middle_of_a_start(
    org: CometD, sf: Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, listener = Log(), sf.listener()
    listener.attach(ORDERS, seen)
    register = sf._session.close_first

    def meanwhile(run: Any) -> None:
        register(run)
        other = threading.Thread(target=listener.attach, args=(ACCOUNTS, seen))
        other.start()
        other.join(LONG)

    monkeypatch.setattr(sf._session, "close_first", meanwhile)
    with listener:
        org.emit(ACCOUNTS, change(1))
        seen.wait(1)
        org.emit(ORDERS, order(2))
        seen.wait(2)


def test_a_function_for_errors_that_fails_is_told_of_without_data(
    org: CometD, sf: Salesforce, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(event: Any) -> None:
        raise ValueError(f"secret {event.fields}")

    def fail_too(error: Exception) -> None:
        raise LookupError(f"also {error}")

    seen = Log()
    listener = sf.listener(on_error=fail_too, on_failure=streaming.retry(1, backoff=0.0, then="skip"))
    listener.attach(ORDERS, fail)
    listener.attach(ACCOUNTS, seen)
    with listener:
        org.emit(ORDERS, order(1, Sku__c="secret"))
        org.emit(ACCOUNTS, change(2))
        seen.wait(1)
        listener.stop(drain=True)
    assert "on_error failed with LookupError" in caplog.text
    assert "fail_too" in caplog.text
    assert "secret" not in caplog.text
