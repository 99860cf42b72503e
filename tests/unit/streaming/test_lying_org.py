"""A listener outlives an org that answers what makes no sense, and asks it no more than it should."""

from collections.abc import Iterator
from typing import Any

import pytest
from cometd_server import CometD, Message, failed, order, refused_login, successful
from streams import LONG, Log, client, with_logins

from sfconnector import Salesforce
from sfconnector.errors import AuthenticationError, ReplayExpiredError, StreamError
from sfconnector.streaming import MemoryReplayStore, ReplayKey

ORDERS = "/event/Order__e"
KEY = ReplayKey("00D000000000001", ORDERS, "default")


@pytest.fixture
def org() -> Iterator[CometD]:
    with CometD() as server:
        yield server


@pytest.fixture
def sf(org: CometD) -> Iterator[Salesforce]:
    with client(org) as sf:
        yield sf


def is_held(message: Message) -> bool:
    """Whether a message is a poll that may be held, unlike the first one of a session."""
    return message["channel"] == "/meta/connect" and "advice" not in message


def kick(message: Message) -> list[Message]:
    """Send a client away in passing, as servers that are replaced do."""
    return [{"channel": "/meta/disconnect", "successful": True}, successful(message)]


@pytest.mark.parametrize(
    "answer",
    [
        lambda message: [failed(message, "403::Unknown client", {"reconnect": "none"})],
        lambda message: [successful(message, advice={"reconnect": "handshake"})],
        kick,
    ],
    ids=["unknown", "advice", "kick"],
)
def test_an_org_that_cannot_hold_a_poll_is_told_of_and_asked_less_and_less(
    org: CometD, sf: Salesforce, answer: Any
) -> None:
    """Such as behind a load balancer that sends each request elsewhere; the first poll of each session succeeds."""
    org.fault = lambda message, _: answer(message) if is_held(message) else None
    errors = Log()
    listener = sf.listener(on_error=errors)
    listener.attach(ORDERS, print)
    listener.start()
    (error, *_) = errors.wait(1)
    assert isinstance(error, StreamError)
    assert "trying again" in str(error)
    listener.stop()


def test_new_tokens_that_are_good_for_a_handshake_only_are_limited(org: CometD) -> None:
    """D18: a login a poll would lock the user out."""
    org.fault = lambda message, _: [refused_login(message)] if is_held(message) else None
    logins = with_logins(org)
    with client(org, logins) as sf:
        listener = sf.listener()
        listener.attach(ORDERS, print)
        listener.start()
        with pytest.raises(AuthenticationError, match="16 new tokens were refused as well"):
            listener.join(LONG)
    assert logins.logins == 17


@pytest.mark.parametrize("ext", ["replay", ["replay"], 1, None])
def test_an_odd_extension_of_the_handshake_is_as_good_as_none(org: CometD, sf: Salesforce, ext: Any) -> None:
    org.fault = lambda message, right: [{**right()[0], "ext": ext}] if message["channel"] == "/meta/handshake" else None
    errors, seen = Log(), Log()
    listener = sf.listener(on_error=errors)
    listener.attach(ORDERS, seen)
    with listener:
        assert "keeps no events" in str(errors.wait(1)[0])
        org.emit(ORDERS, order(1))
        seen.wait(1)


@pytest.mark.parametrize("ids", [{"replayId": [1]}, {"replayId": {"a": 1}}, {"replayId": 4, "EventUuid": {}}])
def test_ids_that_are_none_do_not_end_it(org: CometD, sf: Salesforce, ids: Any) -> None:
    sent = False

    def odd(message: Message, _: Any) -> list[Message] | None:
        nonlocal sent
        if sent or not is_held(message):
            return None
        sent = True
        event = {"channel": ORDERS, "data": {**order(1), "event": ids}}
        return [event, event, successful(message)]

    org.fault = odd
    seen = Log()
    listener = sf.listener()
    listener.attach(ORDERS, seen)
    with listener:
        org.emit(ORDERS, order(2))
        seen.wait(3)
        # Nobody can tell whether the first two are one, and none may be lost.
        assert seen.numbers == [1, 1, 2]


@pytest.mark.parametrize("nowhere", [-1, -2, "-1"])
def test_a_replay_id_that_stands_for_none_is_no_position(org: CometD, sf: Salesforce, nowhere: Any) -> None:
    """Going on from -1 would pass over whatever came meanwhile."""
    store, seen = MemoryReplayStore(), Log()
    listener = sf.listener(replay=store)
    listener.attach(ORDERS, seen)
    with listener:
        org.emit(ORDERS, order(1))
        seen.wait(1)
        org.wait_for(lambda: org.polling == 1)
        sent = False

        def odd(message: Message, _: Any) -> list[Message] | None:
            nonlocal sent
            if sent or not is_held(message):
                return None
            sent = True
            return [{"channel": ORDERS, "data": {**order(2), "event": {"replayId": nowhere}}}, successful(message)]

        org.fault = odd
        org.kill()
        seen.until(lambda items: any(event.fields["Number__c"] == 2 for event in items))
    assert store.load(KEY) == "10"


@pytest.mark.parametrize("position", ["9" * 19, "9" * 30, "9" * 5000, "1e400"])
def test_a_position_beyond_all_numbers_goes_out_as_it_is_and_is_told_of(
    org: CometD, sf: Salesforce, position: str
) -> None:
    store, errors = MemoryReplayStore(), Log()
    store.save(KEY, position)
    right = org.right

    def refusing(message: Message, token: str) -> list[Message]:
        replay = message.get("ext", {}).get("replay")
        if message["channel"] == "/meta/subscribe" and str(replay[ORDERS]) == position:
            return [failed(message, f"400::The replayId {{{position}}} you provided was invalid.")]
        return right(message, token)

    org.right = refusing  # type: ignore[method-assign]
    listener = sf.listener(replay=store, on_error=errors)
    listener.attach(ORDERS, print)
    with listener:
        (error,) = errors.wait(1)
    assert isinstance(error, ReplayExpiredError)
    assert org.replays(ORDERS)[-1] == -2
