"""What goes wrong on the way and at the server, and how the client goes on."""

import logging
import socket
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from bayeux_run import Running
from bayeux_server import BayeuxServer, Ruin

from sfconnector.bayeux import (
    AnswerError,
    Backoff,
    BayeuxError,
    Client,
    Failure,
    Message,
    Reaction,
    Stage,
    State,
    SubscriptionRefused,
    Transport,
)

DATA = "/data/AccountChangeEvent"
OTHER = "/event/Order__e"


class Delays:
    """Stands for the waits of a client."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.seen.append(seconds)
        return False


@pytest.mark.parametrize("advice", [{"reconnect": "handshake"}, {"reconnect": "none"}, {"reconnect": "retry"}, None])
@pytest.mark.parametrize("kick", [False, True])
def test_a_client_that_the_server_has_forgotten_makes_a_new_session(advice: dict[str, Any] | None, kick: bool) -> None:
    with BayeuxServer() as server:
        server.failure_advice = advice
        with Running(server, DATA) as running:
            server.wait_for_poll(2)
            server.publish(DATA, 1)
            running.wait_for_events(1)
            server.wait_for_poll(3)
            if kick:
                server.kick()
            else:
                server.kill()
            server.publish(DATA, 2)
            running.wait_for_events(1, 2)
        assert running.error is None
        assert server.count("/meta/handshake") == 2
    assert server.breaches == []
    assert running.failures[0].error == ("" if kick else "403::Unknown client")


@pytest.mark.parametrize("channel", ["/meta/handshake", "/meta/connect"])
def test_advice_not_to_come_back_ends_the_client(channel: str) -> None:
    def refuse(messages: list[Message]) -> list[Message]:
        refusal = {"successful": False, "error": "401::Authentication invalid", "advice": {"reconnect": "none"}}
        return [each | refusal if each["channel"] == channel else each for each in messages]

    with BayeuxServer() as server:
        server.rewrite = refuse
        with Running(server, DATA) as running:
            running.thread.join(30.0)
    assert isinstance(running.error, BayeuxError)
    assert "401::Authentication invalid; the server advises not to come back" in str(running.error)
    assert running.states[-1] is State.FAILED
    assert server.sessions == {} or channel == "/meta/handshake"


@pytest.mark.parametrize("reconnect", ["handshake", "none"])
def test_advice_is_followed_on_a_poll_that_succeeds(reconnect: str) -> None:
    advise = threading.Event()

    def rewrite(messages: list[Message]) -> list[Message]:
        if advise.is_set() and messages[-1]["channel"] == "/meta/connect":
            advise.clear()
            messages[-1]["advice"] = {"reconnect": reconnect}
        return messages

    with BayeuxServer() as server:
        server.rewrite = rewrite
        with Running(server, DATA) as running:
            server.wait_for_poll(2)
            advise.set()
            server.publish(DATA, 1)
            running.wait_for_events(1)
            if reconnect == "handshake":
                running.wait_until(State.CONNECTED, times=2)
            else:
                running.thread.join(30.0)
                assert "advises not to come back" in str(running.error)


def test_retry_after_and_interval_lengthen_the_wait() -> None:
    delays = Delays()
    with BayeuxServer(interval=2500) as server:
        server.fault("/meta/handshake", Ruin.BUSY, Retry_After="7")
        options = {"wait": delays.wait, "backoff": Backoff(first=2.0, cap=3.0), "random": lambda: 0.5}
        with Running(server, DATA, **options) as running:
            server.wait_for_poll(2)
            # The wait for the first attempt, and the advised one between polls, which is in milliseconds.
            assert delays.seen == [8.0, 2.5]
            server.fault("/meta/connect", Ruin.BUSY)
            server.release()
            server.wait_for(lambda: server.count("/meta/handshake") == 3)
            server.wait_for_poll(2)
        # The backoff's half of the second bound, 3 s, is less than the interval that holds for this client.
        assert delays.seen[2:] == [2.5, 2.5]
    assert [failure.status for failure in running.failures] == [503, 503]
    assert [failure.retry_after for failure in running.failures] == [7.0, None]


def test_the_backoff_grows_until_a_poll_was_held() -> None:
    delays = Delays()
    with BayeuxServer() as server:
        server.fault("/meta/handshake", Ruin.RESET, times=4)
        options = {"wait": delays.wait, "backoff": Backoff(first=1.0, cap=60.0), "random": lambda: 1.0}
        with Running(server, DATA, **options) as running:
            server.wait_for_poll(2)
            assert delays.seen == [1.0, 2.0, 4.0, 8.0]
            server.fault("/meta/connect", Ruin.RESET)
            server.release()
            server.wait_for(lambda: server.count("/meta/handshake") == 6)
            server.wait_for_poll(2)
            assert delays.seen == [1.0, 2.0, 4.0, 8.0, 16.0]
            server.release()
            server.wait_for_poll(3)
            server.fault("/meta/connect", Ruin.RESET)
            server.release()
            server.wait_for(lambda: server.count("/meta/handshake") == 7)
            assert delays.seen == [1.0, 2.0, 4.0, 8.0, 16.0, 1.0]
        assert running.error is None


def test_a_server_that_answers_empty_polls_at_once_is_asked_less_and_less() -> None:
    delays = Delays()
    with BayeuxServer(hold=0.0) as server:
        with Running(server, DATA, wait=delays.wait, backoff=Backoff(1.0, 60.0), random=lambda: 1.0):
            server.wait_for(lambda: server.count("/meta/connect") >= 40)
        assert delays.seen[:8] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


@pytest.mark.parametrize("ruin", [Ruin.HANG, Ruin.DRIP])
@pytest.mark.parametrize("channel", ["/meta/handshake", "/meta/subscribe", "/meta/connect"])
def test_no_answer_is_waited_for_for_ever(ruin: Ruin, channel: str) -> None:
    with BayeuxServer() as server:
        server.fault(channel, ruin)
        # The first poll is to be answered at once, yet servers hold it: the client waits as for any other.
        server.hold = 0.2
        with Running(server, DATA, transport={"read_timeout": 0.2, "answer_timeout": 0.3}) as running:
            running.wait_until(State.CONNECTED)
            server.publish(DATA, 1)
            running.wait_for_events(1)
        assert isinstance(running.failures[0].exception, TimeoutError)
    assert server.breaches == []


def test_an_answer_beyond_the_bound_is_refused() -> None:
    with BayeuxServer() as server:
        with Running(server, DATA, transport={"max_answer": 10_000}) as running:
            server.wait_for_poll(2)
            server.publish(DATA, "x" * 10_000)
            running.wait_for(lambda: running.failures)
        failure = running.failures[0]
    assert isinstance(failure.exception, AnswerError)
    assert "more than 10,000 bytes; a greater max_answer would take it" in str(failure)
    assert "xxx" not in str(failure) + repr(failure)


def test_a_page_in_place_of_messages_is_told_without_its_text() -> None:
    with BayeuxServer() as server:
        server.fault("/meta/handshake", Ruin.HTML)
        with Running(server, DATA) as running:
            server.wait_for_poll(2)
    assert str(running.failures[0]) == "handshake: AnswerError: the answer, 46 bytes of 'text/html', is no JSON"


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([], "no reply to /meta/handshake"),
        ([1], "no Bayeux messages"),
        ([{"data": 1}], "no Bayeux messages"),
        ([{"channel": "/meta/handshake", "successful": True}], "no clientId"),
        (
            [{"channel": "/meta/handshake", "successful": True, "clientId": "1", "supportedConnectionTypes": ["x"]}],
            "no long polling",
        ),
        (
            [{"channel": "/meta/handshake", "successful": True, "clientId": "1", "id": "none of ours"}],
            "no reply to /meta/handshake",
        ),
    ],
)
def test_answers_that_make_no_sense_are_failures(messages: list[Any], text: str) -> None:
    sound = threading.Event()
    with BayeuxServer() as server:
        server.rewrite = lambda usual: usual if sound.is_set() else messages
        with Running(server, DATA, on_state=None) as running:
            running.wait_for(lambda: running.failures)
            sound.set()
            server.wait_for_poll(2)
    assert isinstance(running.failures[0].exception, AnswerError)
    assert text in str(running.failures[0])


def test_a_refusal_that_does_not_say_of_what_is_one_of_what_was_sent() -> None:
    """As https://github.com/restforce/restforce/issues/103 quotes Salesforce."""
    refusal = {"error": "401::Request requires authentication", "successful": False}
    sound = threading.Event()
    with BayeuxServer() as server:
        server.rewrite = lambda usual: usual if sound.is_set() else [refusal]
        with Running(server, DATA, on_state=None) as running:
            running.wait_for(lambda: running.failures)
            sound.set()
            server.wait_for_poll(2)
    assert running.failures[0].error == "401::Request requires authentication"
    assert running.failures[0].message is not None


def test_a_single_message_outside_of_an_array_is_taken() -> None:
    with BayeuxServer() as server:
        server.rewrite = lambda messages: messages[0] if len(messages) == 1 else messages  # type: ignore[return-value]
        with Running(server, DATA) as running:
            server.wait_for_poll(2)
            server.publish(DATA, 1)
            running.wait_for_events(1)
        assert running.failures == []


@pytest.mark.parametrize(
    "advice",
    [
        {"timeout": "soon", "interval": -5, "reconnect": 7},
        {"timeout": True, "interval": 1e300},
        {"timeout": None, "interval": None, "reconnect": None},
        None,
        "retry",
    ],
)
def test_senseless_advice_is_left_aside(advice: Any) -> None:
    def rewrite(messages: list[Message]) -> list[Message]:
        return [each | {"advice": advice} for each in messages]

    with BayeuxServer() as server:
        server.rewrite = rewrite
        delays = Delays()
        with Running(server, DATA, wait=delays.wait) as running:
            server.wait_for_poll(2)
            server.publish(DATA, 1)
            running.wait_for_events(1)
        assert running.failures == []
        assert all(delay == 3600.0 for delay in delays.seen)


def test_a_subscription_noted_before_the_connection_and_refused_ends_the_client() -> None:
    with BayeuxServer() as server:
        server.refuse = lambda message: "403::denied" if message["subscription"] == OTHER else None
        server.failure_advice = None
        with Running(server, DATA, OTHER) as running:
            running.thread.join(30.0)
        assert server.sessions == {}
    assert isinstance(running.error, SubscriptionRefused)
    assert (running.error.channel, running.error.failure.error) == (OTHER, "403::denied")


@pytest.mark.parametrize("late", [False, True])
def test_a_refused_subscribe_is_sent_again_as_the_extensions_then_make_it(late: bool) -> None:
    expired = "400::The replayId {1} you provided was invalid.  Please provide a valid ID, -2 to replay all events"

    def refuse(message: Message) -> str | None:
        return expired if message["ext"]["replay"].get(OTHER) == 1 else None

    def react(failure: Failure) -> Reaction:
        assert (failure.stage, failure.channel, failure.error) == (Stage.SUBSCRIBE, OTHER, expired)
        assert failure.awaited is late
        running.replay.positions[OTHER] = -2
        return Reaction.resubscribe(0.0)

    with BayeuxServer() as server:
        server.refuse = refuse
        server.publish(OTHER, "kept")
        running = Running(server, *([DATA] if late else [OTHER]), react=react)
        running.replay.positions[OTHER] = 1
        with running:
            server.wait_for_poll(2)
            if late:
                running.client.subscribe(OTHER)
            running.wait_for_events("kept")
            assert server.count("/meta/handshake") == 1
        assert running.error is None
    assert server.breaches == []


def test_a_refused_subscription_can_be_dropped_and_the_others_kept() -> None:
    with BayeuxServer() as server:
        server.refuse = lambda message: "403::denied" if message["subscription"] == OTHER else None
        with Running(server, OTHER, DATA, react=lambda _: Reaction.drop()) as running:
            server.wait_for_poll(2)
            assert running.client.channels == (DATA,)
            server.publish(DATA, 1)
            running.wait_for_events(1)


def test_a_subscribe_for_a_session_that_is_gone_makes_another() -> None:
    with BayeuxServer() as server:
        server.failure_advice = None
        with Running(server, DATA) as running:
            server.wait_for_poll(2)
            # The held poll does not notice, as on servers of which each knows only its own clients.
            server.sessions.clear()
            running.client.subscribe(OTHER)
            running.wait_until(State.CONNECTED, times=2)
            server.publish(OTHER, "o")
            server.publish(DATA, "d")
            running.wait_for(lambda: len(running.got) == 2)
            assert server.count("/meta/handshake") == 2
        assert running.error is None
    assert server.breaches == []


@pytest.mark.parametrize("ruin", [Ruin.LOSE, Ruin.HALVE, Ruin.RESET, Ruin.BUSY, Ruin.HTML])
@pytest.mark.parametrize("command", ["/meta/subscribe", "/meta/unsubscribe"])
def test_a_command_without_an_answer_ends_the_session_for_events_may_be_lost_with_it(ruin: Ruin, command: str) -> None:
    with BayeuxServer() as server:
        with Running(server, DATA) as running:
            server.wait_for_poll(2)
            running.client.subscribe(OTHER)
            server.publish(OTHER, "before")
            running.wait_for_events("before")
            server.wait_for_poll(3)
            server.fault(command, ruin)
            if command == "/meta/subscribe":
                running.client.subscribe("/event/Third__e")
            else:
                running.client.unsubscribe(OTHER)
            running.wait_until(State.CONNECTED, times=2)
            server.publish(DATA, "after")
            running.wait_for_events("before", "after")
            wanted = [DATA, OTHER, "/event/Third__e"] if command == "/meta/subscribe" else [DATA]
            # The server has not yet forgotten the session before.
            assert [*server.sessions[running.client.client_id].subscriptions] == wanted
        assert running.error is None
    assert server.breaches == []


@pytest.mark.parametrize("place", ["deliver", "react", "headers", "extension", "on_state"])
def test_what_the_callers_functions_raise_ends_the_client(place: str) -> None:
    def boom(*_: object) -> Any:
        raise ZeroDivisionError(place)

    class Exploding:
        def outgoing(self, message: Message) -> None:
            """Nothing."""

        def incoming(self, _: Message) -> None:
            if place == "extension":
                boom()

    def headers() -> Mapping[str, str]:
        return boom() if place == "headers" else {}  # type: ignore[no-any-return]

    with BayeuxServer() as server:
        server.publish(DATA, 1)
        if place == "react":
            server.fault("/meta/handshake", Ruin.BUSY)
        options: dict[str, Any] = {"extensions": [Exploding()]}
        client = Client(
            Transport(server.url, headers=headers),
            boom if place == "deliver" else lambda _: None,
            react=boom if place == "react" else lambda failure: Reaction.give_up(failure.exception or BayeuxError("?")),
            on_state=boom if place == "on_state" else None,
            **options,
        )
        client.subscribe(DATA)
        if place == "deliver":
            server.rewrite = lambda messages: [{"channel": DATA, "data": {}}, *messages]
        with pytest.raises(ZeroDivisionError, match=place):
            client.run()
        with pytest.raises(BayeuxError, match="has ended"):
            client.subscribe(OTHER)
        client.stop()
    if place != "on_state":
        assert client.state is State.FAILED


def test_what_a_delivery_raises_in_a_thread_that_subscribes_ends_the_client_too() -> None:
    def deliver(events: object) -> None:
        raise ZeroDivisionError

    with BayeuxServer() as server:
        server.publish(OTHER, "kept")
        with Running(server, DATA, deliver=deliver) as running:
            running.replay.begin = -2
            server.wait_for_poll(2)
            with pytest.raises(ZeroDivisionError):
                running.client.subscribe(OTHER)
            running.thread.join(30.0)
            assert isinstance(running.error, ZeroDivisionError)
        assert server.sessions == {}


def test_nobody_listens_at_the_address(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/cometd?token=secret"
        client = Client(Transport(url), print, react=lambda failure: Reaction.give_up(BayeuxError(str(failure))))
        with caplog.at_level(logging.DEBUG), pytest.raises(BayeuxError, match="handshake: ConnectionRefusedError"):
            client.run()
    assert "secret" not in caplog.text
