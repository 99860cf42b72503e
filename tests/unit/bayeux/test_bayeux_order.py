"""The order of events, while one connection polls and another carries commands of any thread."""

import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest
from bayeux_run import Running
from bayeux_server import BayeuxServer, Message, Ruin

from sfconnector.bayeux import BayeuxError, Client, State
from sfconnector.bayeux._channels import Channels, check_channel, covers

DATA = "/data/AccountChangeEvent"
OTHER = "/event/Order__e"


class Gate:
    """Holds up the delivery of one event."""

    def __init__(self, payload: Any) -> None:
        self.payload = payload
        self.reached, self.open = threading.Event(), threading.Event()

    def deliver(self, events: Sequence[Message]) -> None:
        if any(event["data"]["payload"] == self.payload for event in events):
            self.reached.set()
            assert self.open.wait(30.0)


def test_what_comes_with_the_reply_to_a_subscribe_is_delivered_before_what_is_polled_later() -> None:
    gate = Gate("kept")
    with BayeuxServer() as server:
        server.publish(OTHER, "kept")
        with Running(server, DATA, deliver=gate.deliver) as running:
            running.replay.begin = -2
            server.wait_for_poll(2)
            thread = threading.Thread(target=running.client.subscribe, args=(OTHER,))
            thread.start()
            assert gate.reached.wait(30.0)
            server.publish(OTHER, "new")
            server.publish(DATA, 1)
            # The poll has been answered with the new event; nothing more is asked for before it is delivered.
            server.wait_for(lambda: not any(each.polling for each in server.sessions.values()))
            assert running.got == []
            gate.open.set()
            running.wait_for(lambda: len(running.got) == 3)
            thread.join(30.0)
        assert running.got == ["kept", "new", 1]
    assert server.breaches == []


def test_no_command_is_sent_while_the_events_of_a_poll_wait() -> None:
    gate = Gate(1)
    with BayeuxServer() as server:
        server.publish(OTHER, "kept")
        with Running(server, DATA, deliver=gate.deliver) as running:
            running.replay.begin = -2
            server.wait_for_poll(2)
            server.publish(DATA, 1)
            assert gate.reached.wait(30.0)
            with pytest.raises(BayeuxError, match=f"{OTHER}: no answer within 0.05 s; the client goes on trying"):
                running.client.subscribe(OTHER, timeout=0.05)
            assert server.count("/meta/subscribe") == 1
            gate.open.set()
            # The thread that polls sees to it now.
            running.wait_for_events(1, "kept")
    assert server.breaches == []


@pytest.mark.parametrize("keep_order", [True, False])
@pytest.mark.parametrize("command", ["subscribe", "unsubscribe"])
def test_events_of_others_with_the_reply_to_a_command(command: str, keep_order: bool) -> None:
    # They are in the answer because they came about at the same moment; another may be on its way with the poll.
    with BayeuxServer() as server:

        def refuse(message: Message) -> None:
            if message["subscription"] == OTHER and "rode" not in [payload for _, _, payload in server.log]:
                server._publish(DATA, "rode")

        def rewrite(messages: list[Message]) -> list[Message]:
            if messages[-1]["channel"] == "/meta/unsubscribe":
                messages.insert(0, {"channel": DATA, "data": {"payload": "rode", "event": {"replayId": 99990}}})
                server.log.append((99990, DATA, "rode"))
            return messages

        with Running(server, DATA, keep_order=keep_order) as running:
            server.wait_for_poll(2)
            server.publish(DATA, "first")
            running.wait_for_events("first")
            server.wait_for_poll(3)
            if command == "subscribe":
                server.refuse = refuse
                running.client.subscribe(OTHER)
            else:
                running.client.subscribe(OTHER)
                server.rewrite = rewrite
                running.client.unsubscribe(OTHER)
            running.wait_for_events("first", "rode")
            server.wait_for(lambda: server.count("/meta/handshake") == (2 if keep_order else 1))
            running.wait_until(State.CONNECTED, times=2 if keep_order else 1)
            expected = [DATA, OTHER] if command == "subscribe" else [DATA]
            assert [*server.sessions[running.client.client_id].subscriptions] == expected
        assert running.error is None
        # Not the server's fault, so there is nothing to wait for.
        assert running.failures == []
        assert running.got == ["first", "rode"]


def test_events_that_were_sent_first_and_come_last_are_asked_for_again() -> None:
    with BayeuxServer() as server:
        rode = threading.Event()

        def refuse(message: Message) -> None:
            if message["subscription"] == OTHER and not rode.is_set():
                server._publish(DATA, "rode")

        def rewrite(messages: list[Message]) -> list[Message]:
            if messages[-1].get("subscription") == OTHER and not rode.is_set():
                # The answer to the subscribe is ready, and on its way for longer than that to the poll.
                rode.set()
                server._publish(DATA, "polled")
                server.wait_for(lambda: not any(each.polling for each in server.sessions.values()))
            return messages

        with Running(server, DATA) as running:
            server.wait_for_poll(2)
            server.publish(DATA, "first")
            running.wait_for_events("first")
            server.wait_for_poll(3)
            server.refuse, server.rewrite = refuse, rewrite
            running.client.subscribe(OTHER)
            running.wait_for_events("first", "rode", "polled")
        assert running.error is None


def test_subscribing_and_unsubscribing_from_inside_of_a_delivery() -> None:
    holder: list[Client] = []

    def deliver(events: Sequence[Message]) -> None:
        payload = events[0]["data"]["payload"]
        if payload == "begin":
            holder[0].subscribe(OTHER)
            holder[0].subscribe(OTHER)
        if payload == "end":
            holder[0].unsubscribe(OTHER)
            holder[0].unsubscribe(OTHER)

    with BayeuxServer() as server, Running(server, DATA, deliver=deliver) as running:
        holder.append(running.client)
        server.wait_for_poll(2)
        server.publish(DATA, "begin")
        server.wait_for_poll(3)
        server.publish(OTHER, 1)
        running.wait_for_events("begin", 1)
        server.publish(DATA, "end")
        server.wait_for(lambda: server.count("/meta/unsubscribe") == 1)
        assert running.client.channels == (DATA,)
        assert server.count("/meta/subscribe") == 2
    assert server.breaches == []


def test_who_unsubscribes_does_not_undo_a_subscribe_that_comes_in_between() -> None:
    gate = Gate("kept")
    with BayeuxServer() as server, Running(server, DATA, deliver=gate.deliver) as running:
        server.wait_for_poll(2)
        running.client.subscribe(OTHER)
        server.publish(DATA, "kept")
        assert gate.reached.wait(30.0)
        leaving = threading.Thread(target=running.client.unsubscribe, args=(OTHER,))
        leaving.start()
        # Both wait for the delivery to end, in whatever order they then come.
        running.wait_for_channels(DATA)
        coming = threading.Thread(target=running.client.subscribe, args=(OTHER,))
        coming.start()
        running.wait_for_channels(DATA, OTHER)
        gate.open.set()
        coming.join(30.0)
        leaving.join(30.0)
        server.publish(OTHER, "new")
        running.wait_for_events("kept", "new")


def test_who_unsubscribes_does_not_wait_for_deliveries_that_take_their_time() -> None:
    gate = Gate("slow")
    with BayeuxServer() as server, Running(server, DATA, deliver=gate.deliver) as running:
        server.wait_for_poll(2)
        running.client.subscribe(OTHER)
        server.publish(DATA, "slow")
        assert gate.reached.wait(30.0)
        leaving = threading.Thread(target=running.client.unsubscribe, args=(OTHER,))
        leaving.start()
        leaving.join(15.0)
        hangs = leaving.is_alive()
        gate.open.set()
        leaving.join(30.0)
        assert not hangs
        server.wait_for(lambda: server.count("/meta/unsubscribe") == 1)
        running.client.subscribe(OTHER)
        server.publish(OTHER, "new")
        running.wait_for_events("slow", "new")


def test_changing_ones_mind_inside_of_a_delivery() -> None:
    holder: list[Client] = []

    def deliver(events: Sequence[Message]) -> None:
        if events[0]["data"]["payload"] == "go":
            holder[0].unsubscribe(OTHER)
            holder[0].subscribe(OTHER)

    with BayeuxServer() as server, Running(server, DATA, OTHER, deliver=deliver) as running:
        holder.append(running.client)
        server.wait_for_poll(2)
        server.publish(DATA, "go")
        server.wait_for_poll(3)
        server.publish(OTHER, "new")
        running.wait_for_events("go", "new")


@pytest.mark.parametrize("inside", [False, True])
def test_an_unsubscribe_may_be_refused(inside: bool) -> None:
    def rewrite(messages: list[Message]) -> list[Message]:
        if messages[-1]["channel"] == "/meta/unsubscribe":
            messages[-1] |= {"successful": False, "error": "404::no such subscription"}
        return messages

    def deliver(_: Sequence[Message]) -> None:
        if inside:
            running.client.unsubscribe(OTHER)

    with BayeuxServer() as server:
        server.rewrite = rewrite
        running = Running(server, DATA, OTHER, deliver=deliver)
        with running:
            server.wait_for_poll(2)
            if not inside:
                running.client.unsubscribe(OTHER)
            server.publish(DATA, 1)
            running.wait_for_events(1)
            server.wait_for_poll(3)
            assert server.count("/meta/unsubscribe") == 1
            assert server.count("/meta/handshake") == 1
    assert [failure.error for failure in running.failures] == ["404::no such subscription"]


def test_channels_noted_while_a_session_is_made() -> None:
    subscribing, go = threading.Event(), threading.Event()

    def on_state(state: State) -> None:
        if state is State.SUBSCRIBING:
            subscribing.set()
            assert go.wait(30.0)

    with BayeuxServer() as server, Running(server, DATA, on_state=on_state) as running:
        assert subscribing.wait(30.0)
        running.client.subscribe(OTHER)
        running.client.subscribe("/event/Gone__e")
        running.client.unsubscribe("/event/Gone__e")
        running.client.unsubscribe("/event/Never__e")
        go.set()
        server.wait_for_poll(2)
        assert [*server.sessions[running.client.client_id].subscriptions] == [DATA, OTHER]


def test_unsubscribing_while_the_subscribe_is_under_way() -> None:
    asked, go = threading.Event(), threading.Event()
    with BayeuxServer() as server:

        def deliver(_: Sequence[Message]) -> None:
            asked.set()
            assert go.wait(30.0)

        server.publish(OTHER, "kept")
        running = Running(server, OTHER, deliver=deliver)
        running.replay.begin = -2
        with running:
            assert asked.wait(30.0)
            running.client.unsubscribe(OTHER)
            go.set()
            server.wait_for_poll(2)
            assert running.client.channels == ()
            assert [*server.sessions[running.client.client_id].subscriptions] == []


def test_two_threads_subscribe_to_the_same_channel() -> None:
    with BayeuxServer() as server, Running(server, DATA) as running:
        server.wait_for_poll(2)
        threads = [threading.Thread(target=running.client.subscribe, args=(OTHER,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30.0)
        assert server.count("/meta/subscribe") == 2
        assert running.client.channels == (DATA, OTHER)


def test_a_subscribe_waits_for_the_next_session_where_its_own_breaks() -> None:
    with BayeuxServer() as server, Running(server, DATA) as running:
        server.wait_for_poll(2)
        server.fault("/meta/subscribe", Ruin.HANG)
        outcome: list[str] = []

        def subscribe() -> None:
            running.client.subscribe(OTHER)
            outcome.append("agreed")

        thread = threading.Thread(target=subscribe)
        thread.start()
        server.wait_for(lambda: server.count("/meta/subscribe") == 2)
        server.kill()
        thread.join(30.0)
        assert outcome == ["agreed"]
        running.wait_until(State.CONNECTED, times=2)
        assert [*server.sessions[running.client.client_id].subscriptions] == [DATA, OTHER]


def test_nothing_is_lost_and_all_is_in_order_while_threads_come_and_go_and_answers_are_lost() -> None:
    """Events flow on channels that never change, while others are subscribed to, and every fault happens."""
    steady = [f"/event/Steady{number}__e" for number in range(3)]
    rounds, done = 40, threading.Event()
    delivered: dict[str, list[int]] = defaultdict(list)

    def deliver(events: Sequence[Message]) -> None:
        for event in events:
            delivered[event["channel"]].append(event["data"]["payload"])

    with BayeuxServer() as server, Running(server, *steady, deliver=deliver) as running:
        running.replay.begin = -2
        server.wait_for_poll(2)

        def come_and_go(name: str) -> None:
            while not done.is_set():
                running.client.subscribe(name)
                running.client.unsubscribe(name)

        threads = [threading.Thread(target=come_and_go, args=(f"/event/Guest{number}__e",)) for number in range(3)]
        for thread in threads:
            thread.start()
        ruins = [Ruin.LOSE, Ruin.HALVE, Ruin.RESET, Ruin.BUSY, Ruin.HTML]
        for number in range(rounds):
            for channel in steady:
                server.publish(channel, number)
            if number % 4 == 3:
                server.fault("/meta/connect" if number % 8 == 3 else "/meta/subscribe", ruins[number // 4 % 5])
            expected = (number + 1) * len(steady)
            if number % 2:
                running.wait_for(lambda expected=expected: sum(map(len, delivered.values())) >= expected)  # type: ignore[misc]
        done.set()
        for thread in threads:
            thread.join(30.0)
            assert not thread.is_alive()
    assert running.error is None
    assert delivered == {channel: [*range(rounds)] for channel in steady}


@pytest.mark.parametrize(
    ("subscription", "channel", "covered"),
    [
        ("/a/b", "/a/b", True),
        ("/a/b", "/a/bc", False),
        ("/a/*", "/a/b", True),
        ("/a/*", "/a/b/c", False),
        ("/a/*", "/a", False),
        ("/a/**", "/a/b/c", True),
        ("/a/**", "/ab/c", False),
        ("/topic/X?Name='a'", "/topic/X", True),
        ("/topic/X?Name='a'", "/topic/X?Name='a'", True),
        ("/topic/X?Name='a'", "/topic/X?Name='b'", False),
    ],
)
def test_which_events_come_by_a_subscription(subscription: str, channel: str, covered: bool) -> None:
    assert covers(subscription, channel) is covered


@pytest.mark.parametrize("channel", ["", "/", "data/X", "/meta/connect", "/a\nb", "/" + "x" * 2000, "/a\x00"])
def test_what_is_no_channel_is_refused_before_anything_is_sent(channel: str) -> None:
    with pytest.raises(ValueError, match="channel"):
        check_channel(channel)


def test_what_is_no_text_is_no_channel() -> None:
    with pytest.raises(TypeError, match="channel is text such as '/data/ChangeEvents', not a bytes"):
        check_channel(b"/data/X")


def test_subscriptions_are_bounded() -> None:
    channels = Channels()
    for number in range(1000):
        channels.add(f"/event/{number}")
    assert channels.add("/event/7") is channels.get("/event/7")
    with pytest.raises(ValueError, match="at most 1,000 subscriptions"):
        channels.add("/event/1000")
