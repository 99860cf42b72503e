"""Our listener at the official CometD server: no fault on the way loses an event, repeats one or changes the order."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import node_client
import pytest
from official_server import CHANNEL, PATIENCE, OfficialServer

from sfconnector import MemoryReplayStore, Retry, Salesforce, auth
from sfconnector.errors import AuthenticationError, ReplayExpiredError, StreamError
from sfconnector.streaming import Event, Listener

if reason := node_client.missing("cometd-nodejs-server"):
    pytest.skip(reason, allow_module_level=True)

OTHER = "/data/ContactChangeEvent"
# A moment, so that what is repaired with a delay is repaired soon.
SOON = Retry(backoff=0.02, random=lambda: 1.0)


class Seen:
    """What a handler was given."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.errors: list[Exception] = []
        self._changed = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def told(self, error: Exception) -> None:
        with self._changed:
            self.errors.append(error)
            self._changed.notify_all()

    @property
    def numbers(self) -> list[int]:
        return [event.data["payload"]["NumberOfEmployees"] for event in self.events]

    def wait(self, count: int) -> list[int]:
        self._wait(lambda: len(self.events) >= count)
        return self.numbers

    def wait_for_error(self, kind: type[Exception]) -> Any:
        self._wait(lambda: any(isinstance(error, kind) for error in self.errors))
        return next(error for error in self.errors if isinstance(error, kind))

    def _wait(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE), (self.numbers, self.errors)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OfficialServer]:
    with OfficialServer(tmp_path) as server:
        yield server


@contextmanager
def client(server: OfficialServer, retry: Retry = SOON) -> Iterator[Salesforce]:
    login = auth.ClientCredentials(server.url, "client", "secret")
    # Seconds to wait beyond the time for which the server holds a poll.
    with Salesforce(login, retry=retry, timeout=(5.0, 1.0)) as sf:
        yield sf


@contextmanager
def listening(server: OfficialServer, *, retry: Retry = SOON, **options: Any) -> Iterator[tuple[Listener, Seen]]:
    seen = Seen()
    with client(server, retry) as sf:
        listener = sf.listener(on_error=seen.told, **options)
        listener.attach(CHANNEL, seen)
        with listener:
            yield listener, seen


def spoil(fault: str) -> Callable[[OfficialServer], None]:
    return lambda server: server.spoil(fault)


FAULTS: dict[str, Callable[[OfficialServer], object]] = {
    "none": lambda _: None,
    "answer lost": spoil("lose"),
    "answer cut in half": spoil("half"),
    "HTTP 503": spoil("http503"),
    "HTML with status 200": spoil("html"),
    "connection reset": spoil("reset"),
    "no answer at all": spoil("hang"),
    "two answers lost": lambda server: server.spoil("lose", 2),
    "clientId killed": lambda server: server.control("kill"),
    "clientId killed, advice none": lambda server: server.control("kill", advice="none"),
    "kicked by the server": lambda server: server.control("kick"),
    "kicked by the server, advice none": lambda server: server.control("kick", advice="none"),
    "server killed and restarted": lambda server: server.restart(),
    "token revoked": lambda server: server.control("revoke"),
    "token revoked and clientId killed": lambda server: (server.control("revoke"), server.control("kill")),
    "server too busy": lambda server: (server.control("busy", times=2), server.control("kill")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_events_around_a_fault_come_once_and_in_order(server: OfficialServer, fault: str) -> None:
    with listening(server) as (listener, seen):
        server.settle()
        server.publish(1)
        assert seen.wait(1) == [1]
        server.settle()
        FAULTS[fault](server)
        server.publish(2)
        server.publish(3)
        assert seen.wait(3) == [1, 2, 3]
        server.settle()
        server.publish(4)
        assert seen.wait(4) == [1, 2, 3, 4]
        health = listener.health().channels[CHANNEL]
        assert (health.processed, health.skipped) == (4, 0)
    assert seen.numbers == [1, 2, 3, 4]


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "none"])
def test_the_first_event_is_not_lost_though_there_is_no_position_yet(server: OfficialServer, fault: str) -> None:
    server.publish(0, at=datetime.now(UTC) - timedelta(hours=1))
    with listening(server) as (_, seen):
        server.settle()
        FAULTS[fault](server)
        server.publish(1)
        server.publish(2)
        assert seen.wait(2) == [1, 2]


def test_one_listener_survives_all_faults_one_after_the_other(server: OfficialServer) -> None:
    with listening(server) as (_, seen):
        for count, fault in enumerate(FAULTS):
            server.settle()
            FAULTS[fault](server)
            server.publish(2 * count)
            server.publish(2 * count + 1)
            seen.wait(2 * count + 2)
        assert seen.numbers == list(range(2 * len(FAULTS)))


def test_a_lost_answer_is_followed_by_a_new_handshake(server: OfficialServer) -> None:
    with listening(server) as (_, seen):
        server.settle()
        first = server.publish(1)
        seen.wait(1)
        server.settle()
        server.spoil("lose")
        server.publish(2)
        assert seen.wait(2) == [1, 2]
        state = server.state()
    assert state["handshakes"] == 2
    # Exactly one entry each; the second time from the last processed event.
    assert state["asked"] == [{CHANNEL: -1}, {CHANNEL: first}]


def test_a_revoked_token_is_replaced_once(server: OfficialServer) -> None:
    with listening(server) as (_, seen):
        server.settle()
        server.control("revoke")
        server.publish(1)
        assert seen.wait(1) == [1]
        # The event may have come with the refusal.
        server.settle()
        state = server.state()
    assert (state["logins"], state["handshakes"]) == (2, 2)
    assert not [error for error in seen.errors if isinstance(error, AuthenticationError)]


def test_each_channel_is_subscribed_to_with_its_own_position_alone(server: OfficialServer) -> None:
    positions = MemoryReplayStore()
    topic = "/topic/NewAccounts?Industry=Energy"
    account, contact = server.publish(1), server.publish(2, channel=OTHER)
    server.publish(3)
    server.publish(4, channel=OTHER)
    ours, others, topics = Seen(), Seen(), Seen()
    with client(server) as sf:
        listener = sf.listener(replay=positions)
        listener.attach(CHANNEL, ours, replay_from=account)
        listener.attach(OTHER, others, replay_from=str(contact))
        listener.attach(topic, topics)
        with listener:
            assert (ours.wait(1), others.wait(1)) == ([3], [4])
    asked = server.state()["asked"]
    assert asked == [{CHANNEL: account}, {OTHER: contact}, {"/topic/NewAccounts": -1}]
    assert account > 2**32


def test_events_that_come_again_are_left_out_and_counted(server: OfficialServer) -> None:
    reached, free = threading.Event(), threading.Event()

    class Slow(Seen):
        def __call__(self, event: Event) -> None:
            if self.events and not free.is_set():
                reached.set()
                assert free.wait(PATIENCE)
            super().__call__(event)

    seen = Slow()
    with client(server) as sf:
        listener = sf.listener()
        listener.attach(CHANNEL, seen)
        with listener:
            server.settle()
            server.publish(1)
            seen.wait(1)
            server.settle()
            server.publish(2)
            assert reached.wait(PATIENCE)
            server.settle()
            server.publish(3)
            server.settle()
            server.control("kill")
            # From the last processed event on, the one that is being handled and the one that waits come again.
            server.await_subscribes(2)
            server.settle()
            free.set()
            server.publish(4)
            assert seen.wait(4) == [1, 2, 3, 4]
            assert listener.health().channels[CHANNEL].duplicates == 2


def test_a_handler_that_is_slower_than_the_session_lives_costs_nothing(tmp_path: Path) -> None:
    free = threading.Event()

    class Slow(Seen):
        def __call__(self, event: Event) -> None:
            assert free.wait(PATIENCE)
            super().__call__(event)

    seen = Slow()
    with OfficialServer(tmp_path, maxInterval=100) as server, client(server) as sf:
        listener = sf.listener(queue_size=1)
        listener.attach(CHANNEL, seen)
        with listener:
            server.settle()
            for number in range(20):
                server.publish(number)
            # The listener asks for no more than it can hold, and the server gives it up.
            server.await_desertion()
            server.publish(20)
            free.set()
            assert seen.wait(21) == list(range(21))


def test_a_stop_leaves_no_session_behind(server: OfficialServer) -> None:
    with listening(server) as (listener, _):
        server.settle()
        assert server.state()["sessions"] == 1
        assert listener.stop()
        assert server.state()["sessions"] == 0


@pytest.mark.parametrize(("policy", "expected"), [("earliest", [1, 3, 4]), ("latest", [1, 4])])
def test_a_position_that_expired_while_connected_is_told_and_left(
    server: OfficialServer, policy: str, expected: list[int]
) -> None:
    with listening(server, on_expired=policy) as (_, seen):
        server.settle()
        position = server.publish(1)
        seen.wait(1)
        server.settle()
        server.publish(2, do="append")
        server.publish(3, do="append", at=datetime.now(UTC) - timedelta(hours=1))
        # The processed event and the one after it are not retained any more.
        server.control("trim", events=2)
        server.control("kill")
        error = seen.wait_for_error(ReplayExpiredError)
        assert (error.channel, error.position) == (CHANNEL, str(position))
        server.settle()
        server.publish(4)
        assert seen.wait(len(expected)) == expected


def test_a_position_that_expired_ends_the_listener_if_that_is_wished(server: OfficialServer) -> None:
    seen = Seen()
    with client(server) as sf:
        listener = sf.listener(on_expired="raise", on_error=seen.told)
        listener.attach(CHANNEL, seen)
        listener.start()
        server.settle()
        server.publish(1)
        seen.wait(1)
        server.settle()
        server.control("trim", events=1)
        server.control("kill")
        with pytest.raises(ReplayExpiredError):
            listener.join(PATIENCE)


def test_a_stored_position_that_expired_is_told_at_the_start(server: OfficialServer) -> None:
    positions: dict[str, str] = {}
    with listening(server, replay=positions) as (_, seen):
        server.settle()
        server.publish(1)
        seen.wait(1)
    (stored,) = positions.values()
    server.publish(2)
    server.control("trim", events=1)
    with listening(server, replay=positions) as (_, seen):
        assert seen.wait(1) == [2]
        assert seen.wait_for_error(ReplayExpiredError).position == stored


def test_an_interval_is_in_milliseconds(tmp_path: Path) -> None:
    pauses: list[float] = []
    polled = threading.Semaphore(0)

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        polled.release()

    retry = Retry(sleep=pause, backoff=0.02)
    with OfficialServer(tmp_path, interval=5, timeout=50) as server, listening(server, retry=retry) as (_, seen):
        server.publish(1)
        seen.wait(1)
        for _ in range(5):
            assert polled.acquire(timeout=PATIENCE)
    assert set(pauses) == {0.005}


def test_a_used_up_limit_is_told_and_asked_for_again_after_minutes_only(server: OfficialServer) -> None:
    pauses: list[float] = []
    retry = Retry(sleep=pauses.append, backoff=0.02)
    with listening(server, retry=retry) as (_, seen):
        server.settle()
        server.control("limited", times=1)
        server.control("kill")
        error = seen.wait_for_error(StreamError)
        assert "403::Organization total events daily limit exceeded" in str(error)
        server.publish(1)
        assert seen.wait(1) == [1]
    assert max(pauses) >= 60
    assert server.state()["logins"] == 1


def test_the_loop_ends_when_all_that_is_retained_has_come(server: OfficialServer) -> None:
    for number in range(300):
        server.publish(number, do="append")
    with client(server) as sf:
        events = sf.subscribe(CHANNEL, replay_from="earliest", idle=0.5)
        assert [event.data["payload"]["NumberOfEmployees"] for event in events] == list(range(300))
