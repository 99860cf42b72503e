"""A client and a server: sessions, subscriptions, events, and the end."""

import pytest
from bayeux_run import Running
from bayeux_server import BayeuxServer, Ruin

from sfconnector.bayeux import State, SubscriptionRefused

DATA = "/data/AccountChangeEvent"
OTHER = "/event/Order__e"


@pytest.mark.parametrize("chunked", [False, True])
def test_events_come_in_their_order_and_the_client_says_goodbye(chunked: bool) -> None:
    with BayeuxServer(chunked=chunked) as server:
        with Running(server, DATA) as running:
            server.wait_for_poll(2)
            server.publish(DATA, 1)
            running.wait_for_events(1)
            server.publish(DATA, 2, 3)
            running.wait_for_events(1, 2, 3)
            server.wait_for_poll(3)
            assert running.client.client_id in server.sessions
        assert running.error is None
        assert server.sessions == {}
        assert server.count("/meta/disconnect") == 1
    assert server.breaches == []
    expected = [State.HANDSHAKING, State.SUBSCRIBING, State.CONNECTED, State.STOPPED]
    assert running.states == expected


@pytest.mark.parametrize("ruin", [Ruin.LOSE, Ruin.HALVE, Ruin.BUSY, Ruin.HTML, Ruin.RESET])
@pytest.mark.parametrize("channel", ["/meta/handshake", "/meta/subscribe", "/meta/connect"])
def test_no_event_is_lost_with_an_answer(ruin: Ruin, channel: str) -> None:
    with BayeuxServer() as server:
        with Running(server, DATA) as running:
            server.wait_for_poll(2)
            server.publish(DATA, 1)
            running.wait_for_events(1)
            server.fault(channel, ruin)
            if channel != "/meta/connect":
                server.kill()
            server.publish(DATA, 2)
            server.publish(DATA, 3)
            running.wait_for_events(1, 2, 3)
        assert running.error is None
    assert server.breaches == []
    assert running.failures


def test_other_threads_subscribe_while_a_poll_is_held() -> None:
    with BayeuxServer() as server:
        server.publish(OTHER, "kept")
        with Running(server, DATA) as running:
            running.replay.begin = -2
            server.wait_for_poll(2)
            running.client.subscribe(OTHER)
            running.wait_for_events("kept")
            running.client.unsubscribe(OTHER)
            assert [*next(iter(server.sessions.values())).subscriptions] == [DATA]
            assert server.count("/meta/handshake") == 1
            assert server.count("/meta/connect") == 2
        assert running.error is None
    assert server.breaches == []


def test_a_refused_subscription_is_told_to_the_caller() -> None:
    with BayeuxServer() as server:
        server.refuse = lambda message: "403::denied" if message["subscription"] == OTHER else None
        server.failure_advice = None
        with Running(server, DATA) as running:
            server.wait_for_poll(2)
            with pytest.raises(SubscriptionRefused, match="subscribe to /event/Order__e: 403::denied"):
                running.client.subscribe(OTHER)
            assert running.client.channels == (DATA,)
        assert running.error is None
