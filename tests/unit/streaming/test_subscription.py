"""The loop over a channel: what counts as processed, when it ends, and what it raises."""

import gc
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cometd_server import CometD, failed, order, successful
from http_server import Halting, Reply, Silence
from session_tools import FakeTime
from streams import LONG, TOKEN, Log, client

from sfconnector import Salesforce
from sfconnector.auth import AccessToken
from sfconnector.errors import AuthenticationError, ReplayExpiredError, StreamTimeoutError, SubscriptionError
from sfconnector.streaming import MemoryReplayStore, PlatformEvent, ReplayKey, Subscription

ORDERS = "/event/Order__e"


@pytest.fixture
def org() -> Iterator[CometD]:
    with CometD() as server:
        yield server


@pytest.fixture
def sf(org: CometD) -> Iterator[Salesforce]:
    with client(org) as sf:
        yield sf


def numbers(events: Any) -> list[int]:
    return [event.fields["Number__c"] for event in events]


def retained(org: CometD, count: int = 3) -> list[int]:
    return [org.emit(ORDERS, order(number)) for number in range(count)]


def test_draining_ends_once_nothing_has_come_for_a_while(org: CometD, sf: Salesforce) -> None:
    positions: dict[str, str] = {}
    retained(org)
    loop = sf.subscribe(ORDERS, replay=positions, replay_from="earliest", idle=0.05)
    assert numbers(loop) == [0, 1, 2]
    assert list(loop) == []
    assert org.peers == {}
    org.emit(ORDERS, order(3))
    assert numbers(sf.subscribe(ORDERS, replay=positions, idle=0.05)) == [3]
    assert numbers(sf.subscribe(ORDERS, replay=positions, idle=0.05)) == []
    assert list(positions.values()) == ["19"]


def test_nothing_is_sent_before_the_first_event_is_asked_for(org: CometD, sf: Salesforce) -> None:
    loop = sf.subscribe(ORDERS)
    assert loop.health().state == "created"
    assert org.seen == []
    assert repr(loop) == "<Subscription to /event/Order__e>"
    loop.close()
    assert org.seen == []
    assert list(loop) == []


def test_an_event_counts_once_the_next_is_asked_for(org: CometD, sf: Salesforce) -> None:
    store, ids = MemoryReplayStore(), retained(org)
    with sf.subscribe(ORDERS, replay=store, replay_from="earliest") as loop:
        next(loop)
        assert loop.health().channels[ORDERS].position is None
        next(loop)
        assert loop.health().channels[ORDERS].position == str(ids[0])
    assert list(store._positions.values()) == [str(ids[0])]


def test_a_break_leaves_the_last_event_for_the_next_time(org: CometD, sf: Salesforce) -> None:
    store = MemoryReplayStore()
    retained(org)
    with sf.subscribe(ORDERS, replay=store, replay_from="earliest") as loop:
        for event in loop:
            assert isinstance(event, PlatformEvent)
            if event.fields["Number__c"] == 1:
                break
    assert numbers(sf.subscribe(ORDERS, replay=store, idle=0.05)) == [1, 2]


def test_a_commit_keeps_the_last_event_at_once(org: CometD, sf: Salesforce, tmp_path: Path) -> None:
    path, ids = tmp_path / "replay.db", retained(org)
    with sf.subscribe(ORDERS, replay=path, replay_from="earliest") as loop:
        next(loop)
        loop.commit()
        loop.commit()
        assert loop.health().channels[ORDERS].position == str(ids[0])
    assert numbers(sf.subscribe(ORDERS, replay=path, idle=0.05)) == [1, 2]


def test_an_exception_in_the_loop_leaves_its_event_for_the_next_time(org: CometD, sf: Salesforce) -> None:
    store = MemoryReplayStore()
    retained(org)

    def work() -> None:
        with sf.subscribe(ORDERS, replay=store, replay_from="earliest") as loop:
            for event in loop:
                if event.fields["Number__c"] == 1:  # type: ignore[attr-defined]
                    raise LookupError

    with pytest.raises(LookupError):
        work()
    assert numbers(sf.subscribe(ORDERS, replay=store, idle=0.05)) == [1, 2]


def test_a_lost_answer_loses_no_event(org: CometD, sf: Salesforce) -> None:
    org.losing, org.halving = 1, 1
    with sf.subscribe(ORDERS, replay_from="earliest") as loop:
        first = org.emit(ORDERS, order(1))
        assert numbers([next(loop)]) == [1]
        org.emit(ORDERS, order(2))
        assert numbers([next(loop)]) == [2]
    assert org.replays(ORDERS)[0] == -2
    assert set(org.replays(ORDERS)) <= {-2, first}


def test_events_that_come_again_are_left_out(org: CometD, sf: Salesforce) -> None:
    retained(org)
    with sf.subscribe(ORDERS, replay_from="earliest") as loop:
        assert numbers([next(loop), next(loop), next(loop)]) == [0, 1, 2]
        org.wait_for(lambda: org.polling == 1)
        org.kill()
        org.wait_for(lambda: len(org.replays(ORDERS)) == 2)
        org.emit(ORDERS, order(3))
        assert numbers([next(loop)]) == [3]
        health = loop.health().channels[ORDERS]
    # The last one was not processed yet when the position was sent.
    assert org.replays(ORDERS) == [-2, 13]
    assert (health.duplicates, health.processed) == (1, 3)


def test_what_ends_it_is_raised(org: CometD, sf: Salesforce) -> None:
    with pytest.raises(SubscriptionError, match="does not exist"):
        next(sf.subscribe("/event/Missing__e"))
    errors = Log()
    loop = sf.subscribe(ORDERS, on_error=errors)
    with loop:
        org.wait_for(lambda: org.polling == 1)
        org.revoke()
        with pytest.raises(AuthenticationError, match="cannot be renewed"):
            next(loop)
        assert list(loop) == []


def test_what_has_arrived_comes_before_the_error_that_ends_it(org: CometD, sf: Salesforce) -> None:
    retained(org)
    with sf.subscribe(ORDERS, replay_from="earliest") as loop:
        assert numbers([next(loop)]) == [0]
        org.revoke()
        org.wait_for(lambda: org.polling == 0)
        assert numbers([next(loop), next(loop)]) == [1, 2]
        with pytest.raises(AuthenticationError):
            next(loop)


@pytest.mark.parametrize("policy", ["earliest", "raise"])
def test_a_lost_position_is_told(org: CometD, sf: Salesforce, policy: Any) -> None:
    positions = {"00D000000000001 /event/Order__e default": "5"}
    org.oldest, errors = 8, Log()
    retained(org)
    loop = sf.subscribe(ORDERS, replay=positions, on_expired=policy, on_error=errors, idle=0.05)
    if policy == "raise":
        with pytest.raises(ReplayExpiredError):
            next(loop)
    else:
        assert numbers(loop) == [0, 1, 2]
        assert [type(error) for error in errors.items] == [ReplayExpiredError]


def test_a_timeout_is_raised(org: CometD, sf: Salesforce) -> None:
    org.fault = lambda *_: Silence()
    with pytest.raises(StreamTimeoutError, match="no connection after"):
        next(sf.subscribe(ORDERS, timeout=0.05))


def test_being_idle_is_no_end_while_the_connection_is_lost(org: CometD) -> None:
    # Neither the clock nor a server that comes back could end it: only what is told.
    now = FakeTime()
    with client(org, retry=now.retry(backoff=1.0)) as sf:
        loop = sf.subscribe(ORDERS, idle=5.0, timeout=30.0)
        with loop:
            org.wait_for(lambda: org.polling == 1)
            org.fault = lambda message, _: [failed(message, "503::Server is too busy.")]
            org.kill()
            with pytest.raises(StreamTimeoutError, match=r"has been lost for 30 s, .*too busy"):
                next(loop)


def test_closing_in_another_thread_ends_the_loop(org: CometD, sf: Salesforce) -> None:
    loop, seen = sf.subscribe(ORDERS), Log()
    thread = threading.Thread(target=lambda: seen(list(loop)))
    thread.start()
    org.wait_for(lambda: org.polling == 1)
    loop.close()
    assert seen.wait(1) == [[]]
    thread.join()
    assert org.peers == {}


def test_closing_while_it_connects_ends_the_loop(org: CometD, sf: Salesforce) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slow(message: Any, answer: Any) -> None:
        asked.set()
        assert go_on.wait(LONG)

    org.fault = slow
    loop, seen = sf.subscribe(ORDERS), Log()
    thread = threading.Thread(target=lambda: seen(list(loop)))
    thread.start()
    assert asked.wait(LONG)
    loop.close()
    assert seen.wait(1) == [[]]
    thread.join()
    go_on.set()


def test_a_loop_that_nobody_holds_any_more_is_closed(org: CometD, sf: Salesforce) -> None:
    loop = sf.subscribe(ORDERS, replay_from="earliest")
    retained(org)
    next(loop)
    gone = weakref.ref(loop)
    del loop
    gc.collect()
    assert gone() is None
    org.wait_for(lambda: org.peers == {})


def test_two_loops_with_names_of_their_own_do_not_meet(org: CometD, sf: Salesforce, tmp_path: Path) -> None:
    retained(org)
    for name in ("one", "two"):
        options: dict[str, Any] = {"replay": tmp_path / "replay.db", "replay_from": "earliest", "idle": 0.05}
        assert numbers(sf.subscribe(ORDERS, name=name, **options)) == [0, 1, 2]
        assert numbers(sf.subscribe(ORDERS, name=name, **options)) == []


def test_the_org_is_asked_which_one_it_is_where_the_token_does_not_say(org: CometD) -> None:
    positions: dict[str, str] = {}
    retained(org, 1)
    with client(org, AccessToken(org.url, "opaque")) as sf:
        assert numbers(sf.subscribe(ORDERS, replay=positions, replay_from="earliest", idle=0.05)) == [0]
    assert positions == {"00D000000000001 /event/Order__e default": "10"}
    asked = [seen.target for seen in org.server.seen if not seen.target.startswith("/cometd/")]
    assert asked == ["/services/oauth2/userinfo"]
    assert TOKEN.startswith("00D000000000001!")


def test_a_subscription_is_an_iterator_and_a_context(org: CometD, sf: Salesforce) -> None:
    loop: Subscription = sf.subscribe(ORDERS)
    assert iter(loop) is loop
    with loop as entered:
        assert entered is loop
        assert loop.health().connected
    with pytest.raises(RuntimeError, match="is closed"), loop:
        pass
    assert LONG > 0


def test_an_answer_on_its_way_is_no_idleness(org: CometD, sf: Salesforce) -> None:
    """However long it takes: thousands of events may be in it."""
    answers: list[Halting] = []

    def halt(message: Any, right: Any) -> Halting | list[Any] | None:
        if message["channel"] != "/meta/connect" or answers:
            return None
        if "advice" in message:
            # The first poll of a session holds nothing here.
            return [successful(message)]
        answers.append(Halting(Reply.of(right())))
        return answers[0]

    org.fault = halt
    retained(org)
    seen = Log()

    def read() -> None:
        for event in sf.subscribe(ORDERS, replay_from="earliest", idle=0.1):
            seen(event)

    first = threading.Thread(target=read)
    first.start()
    try:
        org.wait_for(lambda: bool(answers))
        assert answers[0].halted.wait(LONG)
        first.join(1.0)
        assert first.is_alive()
    finally:
        if answers:
            answers[0].go.set()
        first.join(LONG)
    assert seen.numbers == [0, 1, 2]


def test_a_loop_in_a_cycle_may_be_collected_while_its_position_is_being_saved(org: CometD, sf: Salesforce) -> None:
    """The collector runs in the middle of anything, also of what holds the locks that the end needs."""
    left = threading.Event()

    class Store(MemoryReplayStore):
        def save(self, key: ReplayKey, position: str, /) -> None:
            super().save(key, position)
            if left.is_set():
                gc.collect()

    before = set(threading.enumerate())
    store = Store()
    loop = sf.subscribe(ORDERS, replay=store, replay_from="earliest")
    retained(org)
    next(loop)
    gc.disable()
    try:
        cycle: list[Any] = [loop]
        cycle.append(cycle)
        gone = weakref.ref(loop)
        left.set()
        saver = loop._saver
        loop._finish()
        del loop, cycle
        org.wait_for(lambda: org.peers == {})
    finally:
        gc.enable()
    assert gone() is None
    saver._thread.join(LONG)
    assert not saver._thread.is_alive()
    assert store.load(ReplayKey("00D000000000001", ORDERS, "default")) == "10"
    for thread in set(threading.enumerate()) - before:
        thread.join(LONG)
