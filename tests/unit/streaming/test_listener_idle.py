"""Listeners that end by themselves once nothing more comes."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from cometd_server import CometD, order
from streams import LONG, client

from sfconnector import Salesforce, streaming
from sfconnector.errors import StreamTimeoutError

ORDERS = "/event/Order__e"


@pytest.fixture
def org() -> Iterator[CometD]:
    with CometD() as server:
        yield server


@pytest.fixture
def sf(org: CometD) -> Iterator[Salesforce]:
    with client(org) as sf:
        yield sf


def test_it_works_off_all_that_is_retained_and_ends(org: CometD, sf: Salesforce) -> None:
    for number in range(5):
        org.emit(ORDERS, order(number))
    events: list[streaming.Event] = []
    listener = sf.listener(replay_from="earliest")
    listener.attach(ORDERS, events.append)
    listener.run(idle=0.1)
    assert len(events) == 5
    assert listener.health().state == "stopped"


def test_a_handler_that_takes_its_time_is_not_idleness(org: CometD, sf: Salesforce) -> None:
    org.emit(ORDERS, order(1))
    begun, go_on, handled = threading.Event(), threading.Event(), threading.Event()

    def slow(event: streaming.Event) -> None:
        begun.set()
        assert go_on.wait(LONG)
        handled.set()

    listener = sf.listener(replay_from="earliest")
    listener.attach(ORDERS, slow)
    thread = threading.Thread(target=listener.run, kwargs={"idle": 0.05})
    thread.start()
    assert begun.wait(LONG)
    # Several times as long as it is to be patient for.
    thread.join(0.5)
    assert thread.is_alive()
    assert listener.health().state == "connected"
    go_on.set()
    thread.join(LONG)
    assert handled.is_set()
    assert not thread.is_alive()


def test_the_handlers_error_ends_it(org: CometD, sf: Salesforce) -> None:
    org.emit(ORDERS, order(1))

    def fail(event: streaming.Event) -> None:
        raise LookupError("no such order")

    listener = sf.listener(replay_from="earliest")
    listener.attach(ORDERS, fail)
    with pytest.raises(LookupError, match="no such order"):
        listener.run(idle=5.0)


def test_a_lost_connection_is_no_idleness(org: CometD, sf: Salesforce) -> None:
    listener = sf.listener()
    listener.attach(ORDERS, print)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            listener.run(idle=60.0, timeout=0.5)
        except StreamTimeoutError as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    org.wait_for(lambda: org.polling > 0)
    org.fault = lambda *_: []
    org.kill()
    thread.join(LONG)
    assert len(failures) == 1


@pytest.mark.parametrize("idle", [0, -1, float("inf"), float("nan"), "1", True])
def test_what_is_no_time_is_refused(org: CometD, sf: Salesforce, idle: Any) -> None:
    listener = sf.listener()
    listener.attach(ORDERS, print)
    with pytest.raises((ValueError, TypeError), match="idle"):
        listener.run(idle=idle)
    assert listener.health().state == "created"
