"""A listener comes to rest in every state, from every thread, and tells what it did not finish."""

import contextlib
import gc
import logging
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cometd_server import CometD, failed, order
from http_server import Silence
from streams import LONG, Log, client, is_position

from sfconnector import Retry, Salesforce, streaming
from sfconnector.auth import Token, TokenTransport
from sfconnector.errors import StreamError
from sfconnector.streaming import Listener, MemoryReplayStore, ReplayKey

ORDERS = "/event/Order__e"
CONTACTS = "/data/ContactChangeEvent"


@pytest.fixture
def org() -> Iterator[CometD]:
    # Whoever waits for an answer of this server waits for ten minutes.
    with CometD() as server:
        server.hold = 600.0
        yield server


@pytest.fixture
def sf(org: CometD) -> Iterator[Salesforce]:
    with client(org) as sf:
        yield sf


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    """Be done long before anything that is waited for in these tests would end by itself."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < 60.0


def start_in_background(listener: Listener) -> tuple[threading.Thread, Log]:
    """Start a listener that will not be connected."""
    outcome = Log()

    def start() -> None:
        try:
            listener.start(timeout=600.0)
        except Exception as error:
            outcome(error)
        else:
            outcome(None)

    thread = threading.Thread(target=start)
    thread.start()
    return thread, outcome


def test_during_a_held_poll(org: CometD, sf: Salesforce) -> None:
    listener = sf.listener()
    listener.attach(ORDERS, print)
    listener.start()
    org.wait_for(lambda: org.polling == 1)
    with in_time():
        assert listener.stop() is True
        assert listener.join() is True
    assert org.peers == {}
    assert org.sent("/meta/disconnect")
    assert listener.health().state == "stopped"
    assert listener.stop() is True


class Hanging:
    """A login that hangs."""

    def __init__(self, url: str) -> None:
        self.url, self.entered, self.go = url, threading.Event(), threading.Event()

    def login(self, _: TokenTransport) -> Token:
        self.entered.set()
        assert self.go.wait(600.0)
        return Token("00D000000000001!x", self.url)


def test_during_a_login(org: CometD) -> None:
    way = Hanging(org.url)
    with client(org, way) as sf:
        listener = sf.listener()
        listener.attach(ORDERS, print)
        thread, outcome = start_in_background(listener)
        assert way.entered.wait(LONG)
        assert listener.health().state == "logging in"
        with in_time():
            assert listener.stop() is False
        (error,) = outcome.wait(1)
        assert isinstance(error, StreamError)
        assert "stopped before it was connected" in str(error)
        way.go.set()
        thread.join()
        assert listener.join(LONG) is True
    assert org.seen == []


def test_during_a_renewed_login(org: CometD) -> None:
    way = Hanging(org.url)
    way.go.set()
    with client(org, way) as sf:
        listener = sf.listener()
        listener.attach(ORDERS, print)
        listener.start()
        org.wait_for(lambda: org.polling == 1)
        way.go.clear()
        way.entered.clear()
        org.revoke()
        assert way.entered.wait(LONG)
        with in_time():
            assert listener.stop() is False
        way.go.set()
        assert listener.join(LONG) is True


@pytest.mark.parametrize("channel", ["/meta/handshake", "/meta/subscribe", "/meta/connect"])
def test_while_the_server_hangs(org: CometD, sf: Salesforce, channel: str) -> None:
    org.fault = lambda message, _: Silence() if message["channel"] in {channel, "/meta/disconnect"} else None
    listener = sf.listener()
    listener.attach(ORDERS, print)
    thread, outcome = start_in_background(listener)
    org.wait_for(lambda: bool(org.sent(channel)))
    with in_time():
        assert listener.stop() is True
    assert isinstance(outcome.wait(1)[0], StreamError)
    thread.join()


def test_during_a_backoff(org: CometD) -> None:
    org.fault = lambda message, _: [failed(message, "503::Server is too busy.")]
    with client(org, retry=Retry(backoff=60.0, random=lambda: 1.0)) as sf:
        listener = sf.listener()
        listener.attach(ORDERS, print)
        thread, outcome = start_in_background(listener)
        org.wait_for(lambda: len(org.seen) == 1)
        wait_for(lambda: listener.health().state == "waiting")
        with in_time():
            assert listener.stop() is True
        assert isinstance(outcome.wait(1)[0], StreamError)
        thread.join()


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait for what nobody tells of."""
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.005)


class Gate:
    """A handler that waits in the middle."""

    def __init__(self) -> None:
        self.entered, self.go, self.done = Log(), threading.Event(), Log()

    def __call__(self, event: Any) -> None:
        self.entered(event)
        assert self.go.wait(LONG)
        self.done(event)


def test_a_running_handler_is_waited_for_and_its_event_counts(org: CometD, sf: Salesforce) -> None:
    gate, store = Gate(), MemoryReplayStore()
    listener = sf.listener(replay=store)
    listener.attach(ORDERS, gate)
    listener.start()
    org.emit(ORDERS, order(1))
    org.emit(ORDERS, order(2))
    gate.entered.wait(1)
    stopped = Log()
    thread = threading.Thread(target=lambda: stopped(listener.stop(timeout=LONG)))
    thread.start()
    org.wait_for(lambda: org.peers == {})
    gate.go.set()
    assert stopped.wait(1) == [True]
    thread.join()
    assert gate.entered.numbers == [1]
    assert list(store._positions.values()) == ["10"]


def test_a_handler_that_does_not_return_is_left_behind(org: CometD, sf: Salesforce) -> None:
    gate, store = Gate(), MemoryReplayStore()
    listener = sf.listener(replay=store)
    listener.attach(ORDERS, gate)
    listener.start()
    org.emit(ORDERS, order(1))
    gate.entered.wait(1)
    with in_time():
        assert listener.stop() is False
    assert not any(map(is_position, store._positions.values()))
    with pytest.raises(RuntimeError, match="a handler of its last run still is"):
        listener.start()
    gate.go.set()
    assert listener.join(LONG) is True
    assert list(store._positions.values()) == ["10"]
    listener.start()
    assert org.replays(ORDERS)[-1] == 10


def test_draining_works_off_what_has_arrived(org: CometD, sf: Salesforce) -> None:
    gate, store = Gate(), MemoryReplayStore()
    listener = sf.listener(replay=store)
    listener.attach(ORDERS, gate)
    listener.start()
    for number in range(5):
        org.emit(ORDERS, order(number))
    gate.entered.wait(1)
    wait_for(lambda: listener.health().channels[ORDERS].queued >= 2)
    arrived = listener.health().channels[ORDERS].queued
    stopped = Log()
    thread = threading.Thread(target=lambda: stopped(listener.stop(drain=True)))
    thread.start()
    org.wait_for(lambda: org.peers == {})
    gate.go.set()
    assert stopped.wait(1) == [True]
    thread.join()
    assert len(gate.done.items) >= arrived
    assert gate.done.numbers == list(range(len(gate.done.items)))
    assert list(store._positions.values()) == [gate.done.items[-1].replay_id]


def test_draining_ends_at_its_timeout(org: CometD, sf: Salesforce) -> None:
    gate = Gate()
    listener = sf.listener()
    listener.attach(ORDERS, gate)
    listener.start()
    org.emit(ORDERS, order(1))
    org.emit(ORDERS, order(2))
    gate.entered.wait(1)
    with in_time():
        assert listener.stop(drain=True, timeout=0.1) is False
    gate.go.set()
    assert listener.join(LONG) is True
    assert gate.done.numbers == [1]


def test_while_the_queue_is_full(org: CometD, sf: Salesforce) -> None:
    gate = Gate()
    org.per_answer = 1
    listener = sf.listener(queue_size=1)
    listener.attach(ORDERS, gate)
    listener.start()
    for number in range(5):
        org.emit(ORDERS, order(number))
    gate.entered.wait(1)
    wait_for(lambda: listener.health().channels[ORDERS].queued == 2)
    with in_time():
        assert listener.stop() is False
    assert org.peers == {}
    gate.go.set()
    assert listener.join(LONG) is True


def test_from_within_a_handler(org: CometD, sf: Salesforce) -> None:
    answers, store = Log(), MemoryReplayStore()
    listener = sf.listener(replay=store)
    listener.on(ORDERS)(lambda _: answers(listener.stop()))
    listener.start()
    org.emit(ORDERS, order(1))
    assert listener.join(LONG) is True
    assert answers.wait(1) == [False]
    assert list(store._positions.values()) == ["10"]


def test_a_handler_cannot_wait_for_the_end(org: CometD, sf: Salesforce) -> None:
    listener = sf.listener()
    listener.on(ORDERS)(lambda _: listener.join())
    listener.start()
    org.emit(ORDERS, order(1))
    with pytest.raises(RuntimeError, match="a handler cannot wait"):
        listener.join(LONG)


def test_a_store_that_hangs_is_left_behind(org: CometD, sf: Salesforce) -> None:
    entered, go = threading.Event(), threading.Event()

    class Slow(MemoryReplayStore):
        def load(self, key: ReplayKey, /) -> str | None:
            entered.set()
            assert go.wait(600.0)
            return super().load(key)

    listener = sf.listener(replay=Slow())
    listener.attach(ORDERS, print)
    thread, _ = start_in_background(listener)
    assert entered.wait(LONG)
    with in_time():
        assert listener.stop() is False
    go.set()
    thread.join()
    assert listener.join(LONG) is True
    assert org.seen == []


def test_from_within_on_error(org: CometD, sf: Salesforce) -> None:
    def handler(_: Any) -> None:
        raise LookupError

    listener = sf.listener(on_error=lambda _: listener.stop(), on_failure="skip")
    listener.attach(ORDERS, handler)
    listener.start()
    org.emit(ORDERS, order(1))
    assert listener.join(LONG) is True


def test_from_within_on_error_on_the_network_thread(org: CometD, sf: Salesforce) -> None:
    listener = sf.listener(on_error=lambda _: listener.stop())
    listener.attach(ORDERS, print)
    listener.start()
    org.fault = lambda message, _: [failed(message, "403::Organization total events daily limit exceeded")]
    org.kill()
    assert listener.join(LONG) is True


def test_a_retry_is_not_waited_for_and_its_event_comes_again(org: CometD, sf: Salesforce) -> None:
    seen, store = Log(), MemoryReplayStore()

    def handler(event: Any) -> None:
        seen(event)
        raise LookupError

    listener = sf.listener(replay=store, on_failure=streaming.retry(3, backoff=60.0))
    listener.attach(ORDERS, handler)
    listener.start()
    org.emit(ORDERS, order(1))
    seen.wait(1)
    with in_time():
        assert listener.stop(timeout=LONG) is True
    assert listener.join() is True
    assert not any(map(is_position, store._positions.values()))


def test_closing_the_client_stops_its_listeners(org: CometD) -> None:
    seen = Log()
    sf = client(org)
    listener, loop = sf.listener(), sf.subscribe(ORDERS, name="loop")
    listener.attach(ORDERS, seen)
    listener.start()
    thread = threading.Thread(target=lambda: seen(list(loop)))
    thread.start()
    org.wait_for(lambda: org.polling == 2)
    with in_time():
        sf.close()
    assert listener.join(LONG) is True
    thread.join()
    assert seen.items == [[]]
    assert org.peers == {}


def test_a_listener_that_nobody_holds_runs_until_the_client_is_closed(org: CometD) -> None:
    seen, sf = Log(), client(org)

    def listen() -> None:
        listener = sf.listener()
        listener.attach(ORDERS, seen)
        listener.start()

    listen()
    gc.collect()
    org.emit(ORDERS, order(1))
    seen.wait(1)
    sf.close()
    assert org.peers == {}


def test_start_stop_start_leaves_one_connection(org: CometD, sf: Salesforce) -> None:
    """D17."""
    seen = Log()
    listener = sf.listener()
    listener.attach(ORDERS, seen)
    for number in range(4):
        listener.start()
        org.wait_for(lambda: org.polling == 1)
        assert len(org.peers) == 1
        org.emit(ORDERS, order(number))
        seen.wait(number + 1)
        listener.stop()
        assert org.peers == {}
    assert seen.numbers == [0, 1, 2, 3]


def test_threads_end_with_the_listener(org: CometD, sf: Salesforce) -> None:
    before = set(threading.enumerate())
    listener = sf.listener()
    for channel in (ORDERS, CONTACTS):
        listener.attach(channel, print)
    listener.start()
    ours = {thread for thread in set(threading.enumerate()) - before if thread.name.startswith("sfconnector-")}
    assert len(ours) == 4
    assert all(thread.daemon for thread in ours)
    listener.stop()
    for thread in ours:
        thread.join(LONG)
        assert not thread.is_alive()


def test_two_threads_may_stop_it(org: CometD, sf: Salesforce) -> None:
    listener = sf.listener()
    listener.attach(ORDERS, print)
    listener.start()
    answers = Log()
    threads = [threading.Thread(target=lambda: answers(listener.stop(timeout=LONG))) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert answers.wait(5) == [True] * 5
    for thread in threads:
        thread.join()


def test_a_listener_can_neither_be_pickled_nor_used_after_a_fork(org: CometD, sf: Salesforce) -> None:
    listener = sf.listener()
    listener.attach(ORDERS, print)
    loop = sf.subscribe(ORDERS, name="loop")
    for each in (listener, loop):
        with pytest.raises(TypeError, match="make one in each process"):
            pickle.dumps(each)
    listener.start()
    with loop:
        org.wait_for(lambda: org.polling == 2)
        context = multiprocessing.get_context("fork")
        results = context.Queue()
        child = context.Process(target=after_fork, args=(sf, listener, loop, results))
        child.start()
        found = [results.get(timeout=60) for _ in range(7)]
        child.join()
        assert child.exitcode == 0
        assert found == ["make one in each process"] * 6 + ["closed"]
        assert (listener.health().connected, loop.health().connected) == (True, True)
        assert len(org.peers) == 2


def after_fork(sf: Salesforce, listener: Listener, loop: streaming.Subscription, results: Any) -> None:
    """Try everything on the other side of a fork."""
    attach, detach = lambda: listener.attach(CONTACTS, print), lambda: listener.detach(ORDERS)
    for call in (listener.start, listener.stop, listener.join, attach, detach, lambda: next(loop)):
        try:
            call()
        except RuntimeError as error:
            results.put(str(error).partition(": ")[2])
    sf.close()
    results.put("closed")


def test_a_service_ends_at_a_signal(org: CometD) -> None:
    program = (
        "import sys\nfrom sfconnector import Salesforce, auth\n"
        "sf = Salesforce(auth.AccessToken(sys.argv[1], '00D000000000001!x'))\n"
        "listener = sf.listener(replay=sys.argv[2])\n"
        "listener.on('/event/Order__e')(lambda event: print(event.fields['Number__c'], flush=True))\n"
        "listener.run(signals=True)\nprint('done', flush=True)"
    )
    for number, name in enumerate(("SIGTERM", "SIGINT")):
        command = [sys.executable, "-c", program, org.url, ":memory:"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
            org.wait_for(lambda: org.polling == 1)
            org.emit(ORDERS, order(number))
            assert service.stdout is not None
            assert service.stdout.readline() == f"{number}\n"
            service.send_signal(getattr(signal, name))
            assert service.stdout.read() == "done\n"
            assert service.wait(60) == 0
        assert org.peers == {}


def test_signals_are_given_back(org: CometD, sf: Salesforce) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    listener = sf.listener()
    listener.on(ORDERS)(lambda _: os.kill(os.getpid(), signal.SIGTERM))
    org.emit(ORDERS, order(0))
    thread = threading.Thread(target=lambda: (org.wait_for(lambda: org.polling == 1), org.emit(ORDERS, order(1))))
    thread.start()
    listener.run(signals=True)
    thread.join()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert org.peers == {}


def test_signals_need_the_main_thread(sf: Salesforce) -> None:
    listener, outcome = sf.listener(), Log()
    listener.attach(ORDERS, print)

    def run() -> None:
        try:
            listener.run(signals=True)
        except ValueError as error:
            outcome(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    assert "the main thread only" in outcome.wait(1)[0]
    thread.join()


def test_states_are_logged_and_no_token_or_body(org: CometD, sf: Salesforce, caplog: pytest.LogCaptureFixture) -> None:
    seen = Log()
    with caplog.at_level(logging.DEBUG):
        listener = sf.listener(name="billing", on_failure="skip")

        def handler(event: Any) -> None:
            seen(event)
            raise LookupError(event.fields["Secret__c"])

        listener.attach(ORDERS, handler)
        with listener:
            org.emit(ORDERS, order(1, Secret__c="top secret"))
            seen.wait(1)
            org.kill()
            org.wait_for(lambda: len(org.replays(ORDERS)) == 2)
    told = [record.getMessage() for record in caplog.records if record.name == "sfconnector" and record.levelno >= 20]
    states = [text.partition(": ")[2] for text in told if text.startswith("listener 'billing': ")]
    expected = ["handshaking", "subscribing", "connected", "waiting", "handshaking", "subscribing", "stopped", "ended"]
    assert [state for state in states if state in expected and state != "connected"] == [
        state for state in expected if state != "connected"
    ]
    assert "secret" not in caplog.text
    assert "Bearer" not in caplog.text
