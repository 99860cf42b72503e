"""A listener on a server of the test's own: what reaches handlers, where positions stand, what errors do."""

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from cometd_server import CometD, change, failed, order
from session_tools import Numbered
from streams import LONG, Log, client, is_position, with_logins

from sfconnector import Salesforce, streaming
from sfconnector.auth import Token, TokenTransport
from sfconnector.errors import (
    AuthenticationError,
    Failure,
    ReplayExpiredError,
    StreamError,
    StreamTimeoutError,
    SubscriptionError,
    TransportError,
    UnhandledEventError,
)
from sfconnector.streaming import ChangeEvent, Listener, MemoryReplayStore, ReplayKey

ACCOUNTS = "/data/AccountChangeEvent"
CONTACTS = "/data/ContactChangeEvent"
ORDERS = "/event/Order__e"


@pytest.fixture
def org() -> Iterator[CometD]:
    with CometD() as server:
        yield server


@pytest.fixture
def sf(org: CometD) -> Iterator[Salesforce]:
    with client(org) as sf:
        yield sf


def key(channel: str = ORDERS, name: str = "default") -> ReplayKey:
    return ReplayKey("00D000000000001", channel, name)


class Recorder:
    """A handler with a method for each kind of event."""

    def __init__(self) -> None:
        self.log = Log()

    def on_create(self, event: ChangeEvent) -> None:
        self.log(("create", event))

    def on_update(self, event: ChangeEvent) -> None:
        self.log(("update", event))

    def on_delete(self, event: ChangeEvent) -> None:
        self.log(("delete", event))

    def on_restore(self, event: ChangeEvent) -> None:
        self.log(("restore", event))

    def on_gap(self, event: streaming.GapEvent) -> None:
        self.log(("gap", event))

    def on_message(self, event: streaming.Event) -> None:
        self.log(("message", event))


def test_each_kind_of_event_reaches_its_method(org: CometD, sf: Salesforce) -> None:
    """D19."""
    handler, listener = Recorder(), sf.listener()
    listener.attach(ACCOUNTS, handler)
    with listener:
        types = ["CREATE", "UPDATE", "DELETE", "UNDELETE", "GAP_UPDATE", "GAP_OVERFLOW", "SNAPSHOT", "NEW_IN_2030"]
        for number, change_type in enumerate(types):
            org.emit(ACCOUNTS, change(number, change_type=change_type))
        called = handler.log.wait(len(types))
    assert [kind for kind, _ in called] == ["create", "update", "delete", "restore", "gap", "gap", "gap", "message"]
    assert [event.change_type for _, event in called] == types
    assert called[1][1].fields == {"Name": "A1", "NumberOfEmployees": 1}


def test_functions_are_handlers_too(org: CometD, sf: Salesforce) -> None:
    changes, gaps, rest, orders = Log(), Log(), Log(), Log()
    listener = sf.listener()
    listener.on(ACCOUNTS, "create", "update")(changes)
    listener.on(ACCOUNTS, "gap")(gaps)
    listener.on(ACCOUNTS)(rest)
    listener.attach(ORDERS, orders)
    with listener:
        for number, change_type in enumerate(["CREATE", "DELETE", "UPDATE", "GAP_CREATE"]):
            org.emit(ACCOUNTS, change(number, change_type=change_type))
        org.emit(ORDERS, order(9))
        assert [event.change_type for event in changes.wait(2)] == ["CREATE", "UPDATE"]
        assert [event.change_type for event in gaps.wait(1)] == ["GAP_CREATE"]
        assert [event.change_type for event in rest.wait(1)] == ["DELETE"]
        orders.wait(1)
    assert orders.numbers == [9]
    assert org.peers == {}


def test_channels_keep_their_order_and_do_not_wait_for_each_other(org: CometD, sf: Salesforce) -> None:
    go, accounts, contacts = threading.Event(), Log(), Log()

    def slow(event: ChangeEvent) -> None:
        assert go.wait(LONG)
        accounts(event)

    listener = sf.listener()
    listener.attach(ACCOUNTS, slow)
    listener.attach(CONTACTS, contacts)
    with listener:
        for number in range(20):
            org.emit(ACCOUNTS, change(number))
            org.emit(CONTACTS, change(number, "Contact"))
        contacts.wait(20)
        assert accounts.items == []
        go.set()
        accounts.wait(20)
    assert accounts.numbers == contacts.numbers == list(range(20))


# --- positions ---


def test_the_position_is_that_of_the_last_event_whose_handler_has_returned(org: CometD, sf: Salesforce) -> None:
    saved, entered, go = Log(), Log(), threading.Event()

    class Store(MemoryReplayStore):
        def save(self, key: ReplayKey, position: str, /) -> None:
            super().save(key, position)
            if is_position(position):
                saved(position)

    store = Store()

    def second_waits(event: Any) -> None:
        entered(event)
        if event.fields["Number__c"] == 2:
            assert go.wait(LONG)

    listener = sf.listener(replay=store)
    listener.attach(ORDERS, second_waits)
    with listener:
        first = org.emit(ORDERS, order(1))
        entered.wait(1)
        second = org.emit(ORDERS, order(2))
        entered.wait(2)
        assert listener.health().channels[ORDERS].position == str(first)
        saved.until(lambda positions: positions == [str(first)])
        go.set()
    assert store.load(key()) == str(second)


def test_a_slow_store_lets_no_more_events_pass_than_the_queue_holds(org: CometD, sf: Salesforce) -> None:
    seen, go = Log(), threading.Event()

    class Slow(MemoryReplayStore):
        def save(self, key: ReplayKey, position: str, /) -> None:
            assert go.wait(LONG)
            super().save(key, position)

    store = Slow()
    listener = sf.listener(replay=store, queue_size=5)
    listener.attach(ORDERS, seen)
    with listener:
        for number in range(20):
            org.emit(ORDERS, order(number))
        seen.wait(5)
        assert not seen.comes(6, within=0.2)
        go.set()
        seen.wait(20)
    assert seen.numbers == list(range(20))
    assert store.load(key()) is not None


def test_it_goes_on_where_it_has_stopped(org: CometD, sf: Salesforce) -> None:
    positions: dict[str, str] = {}
    seen = Log()
    for number in range(3):
        org.emit(ORDERS, order(number))
        listener = sf.listener(replay=positions, replay_from="earliest", name="billing")
        listener.attach(ORDERS, seen)
        with listener:
            seen.wait(number + 1)
    assert seen.numbers == [0, 1, 2]
    assert org.replays(ORDERS) == [-2, 10, 13]
    assert positions == {"00D000000000001 /event/Order__e billing": "16"}


def test_a_listener_can_be_started_again(org: CometD, sf: Salesforce) -> None:
    seen = Log()
    listener = sf.listener()
    listener.attach(ORDERS, seen)
    with listener:
        org.emit(ORDERS, order(1))
        seen.wait(1)
        with pytest.raises(RuntimeError, match="is running"):
            listener.start()
    org.emit(ORDERS, order(2))
    with listener:
        seen.wait(2)
    assert seen.numbers == [1, 2]
    assert org.replays(ORDERS) == [-1, 10]


@pytest.mark.parametrize(("replay_from", "sent"), [(9_663_676_416, 9_663_676_416), ("9663676416", 9_663_676_416)])
def test_a_replay_id_goes_out_as_it_is(org: CometD, sf: Salesforce, replay_from: Any, sent: int) -> None:
    """D21: also above 32 bits."""
    org.emit(ORDERS, order(1), replay_id=9_663_676_415)
    org.emit(ORDERS, order(2), replay_id=9_663_676_420)
    seen = Log()
    listener = sf.listener(replay_from=replay_from)
    listener.attach(ORDERS, seen)
    with listener:
        seen.wait(1)
        org.kill()
        org.wait_for(lambda: len(org.replays(ORDERS)) == 2)
    assert seen.numbers == [2]
    assert org.replays(ORDERS) == [sent, 9_663_676_420]


def test_the_position_is_where_a_new_token_goes_on(org: CometD) -> None:
    """D21: after a refresh it resumes from the last processed event."""
    seen, go = Log(), threading.Event()

    def handle(event: Any) -> None:
        seen(event)
        if event.fields["Number__c"] == 2:
            assert go.wait(LONG)

    with client(org, with_logins(org)) as sf:
        listener = sf.listener()
        listener.attach(ORDERS, handle)
        with listener:
            first = org.emit(ORDERS, order(1))
            org.emit(ORDERS, order(2))
            seen.wait(2)
            org.wait_for(lambda: org.polling == 1)
            org.revoke()
            org.wait_for(lambda: len(org.replays(ORDERS)) == 2)
            go.set()
            org.emit(ORDERS, order(3))
            seen.until(lambda items: items and items[-1].fields["Number__c"] == 3)
            assert org.replays(ORDERS)[1] == first
            assert listener.health().channels[ORDERS].duplicates == 1
    assert seen.numbers == [1, 2, 3]


def test_what_comes_between_the_tip_and_the_first_event_is_not_lost(org: CometD, sf: Salesforce) -> None:
    seen, listener = Log(), sf.listener()
    old = {"CreatedDate": "2020-01-01T00:00:00.000Z"}
    for number in range(3):
        org.emit(ORDERS, order(number, **old))
    listener.attach(ORDERS, seen)
    org.losing = 1
    with listener:
        org.emit(ORDERS, order(7, CreatedDate="2999-01-01T00:00:00.000Z"))
        seen.wait(1)
        health = listener.health().channels[ORDERS]
    assert org.losing == 0
    assert seen.numbers == [7]
    assert org.replays(ORDERS) == [-1, -2]
    assert (health.skipped, health.processed) == (3, 1)


def test_events_that_were_there_before_the_tip_do_not_come(org: CometD, sf: Salesforce) -> None:
    org.emit(ORDERS, order(1))
    seen, listener = Log(), sf.listener()
    listener.attach(ORDERS, seen)
    with listener:
        org.emit(ORDERS, order(2))
        seen.wait(1)
    assert seen.numbers == [2]


# --- failures of handlers ---


def fail_on(number: int, seen: Log, times: int = 1000) -> Any:
    """Make a handler that fails for one event."""
    left = [times]

    def handle(event: Any) -> None:
        seen(event)
        if event.fields["Number__c"] == number and left[0] > 0:
            left[0] -= 1
            raise LookupError("no customer")

    return handle


def test_a_failed_handler_ends_the_listener_before_the_event(org: CometD, sf: Salesforce) -> None:
    store, seen, errors = MemoryReplayStore(), Log(), Log()
    listener = sf.listener(replay=store, on_error=errors)
    listener.attach(ORDERS, fail_on(2, seen))
    listener.start()
    first = org.emit(ORDERS, order(1))
    org.emit(ORDERS, order(2))
    org.emit(ORDERS, order(3))
    with pytest.raises(LookupError, match="no customer"):
        listener.join(LONG)
    assert store.load(key()) == str(first)
    assert seen.numbers == [1, 2]
    assert [type(error) for error in errors.items] == [LookupError]
    health = listener.health()
    assert (health.state, health.connected, type(health.error)) == ("failed", False, LookupError)
    assert org.peers == {}
    assert listener.stop() is True


def test_leaving_the_context_raises_what_has_ended_it(org: CometD, sf: Salesforce) -> None:
    seen, listener = Log(), sf.listener()
    listener.attach(ORDERS, fail_on(1, seen))

    def listen() -> None:
        with listener:
            org.emit(ORDERS, order(1))
            with pytest.raises(LookupError):
                listener.join(LONG)

    with pytest.raises(LookupError, match="no customer"):
        listen()


def test_skipping_goes_on_and_tells(org: CometD, sf: Salesforce) -> None:
    store, seen, errors = MemoryReplayStore(), Log(), Log()
    listener = sf.listener(replay=store, on_failure="skip", on_error=errors)
    listener.attach(ORDERS, fail_on(2, seen))
    with listener:
        last = [org.emit(ORDERS, order(number)) for number in (1, 2, 3)][-1]
        seen.wait(3)
        errors.wait(1)
    assert store.load(key()) == str(last)
    assert [type(error) for error in errors.items] == [LookupError]
    assert listener.health().channels[ORDERS].failed == 1


def test_retrying_calls_again_and_keeps_the_order(org: CometD, sf: Salesforce) -> None:
    seen, listener = Log(), sf.listener(on_failure=streaming.retry(3, backoff=0.0))
    listener.attach(ORDERS, fail_on(1, seen, times=2))
    with listener:
        org.emit(ORDERS, order(1))
        org.emit(ORDERS, order(2))
        seen.wait(4)
    assert seen.numbers == [1, 1, 1, 2]
    assert listener.health().channels[ORDERS].failed == 0


@pytest.mark.parametrize("then", ["raise", "skip"])
def test_retrying_ends_in_what_was_chosen(org: CometD, sf: Salesforce, then: Any) -> None:
    seen, listener = Log(), sf.listener(on_failure=streaming.retry(2, backoff=0.0, then=then))
    listener.attach(ORDERS, fail_on(1, seen))
    listener.start()
    org.emit(ORDERS, order(1))
    org.emit(ORDERS, order(2))
    if then == "raise":
        with pytest.raises(LookupError):
            listener.join(LONG)
        assert seen.numbers == [1, 1, 1]
    else:
        seen.wait(4)
        listener.stop()
        assert seen.numbers == [1, 1, 1, 2]


def test_a_dead_letter_moves_the_position_once_it_is_delivered(org: CometD, sf: Salesforce) -> None:
    store, seen, letters = MemoryReplayStore(), Log(), list[tuple[Any, Exception]]()
    positions: list[str | None] = []

    def deliver(event: Any, error: Exception) -> None:
        positions.append(store.load(key()))
        letters.append((event, error))

    listener = sf.listener(replay=store, on_failure=streaming.dead_letter(deliver))
    listener.attach(ORDERS, fail_on(1, seen))
    with listener:
        org.emit(ORDERS, order(1))
        org.emit(ORDERS, order(2))
        seen.wait(2)
    assert [(event.fields["Number__c"], str(error)) for event, error in letters] == [(1, "no customer")]
    assert [is_position(position) for position in positions] == [False]
    assert store.load(key()) == "13"


def test_a_dead_letter_that_cannot_be_delivered_ends_the_listener(org: CometD, sf: Salesforce) -> None:
    store, seen = MemoryReplayStore(), Log()

    def deliver(*_: Any) -> None:
        raise OSError("no space left")

    listener = sf.listener(replay=store)
    listener.attach(
        ORDERS, fail_on(1, seen), on_failure=streaming.retry(1, backoff=0, then=streaming.dead_letter(deliver))
    )
    listener.start()
    org.emit(ORDERS, order(1))
    with pytest.raises(OSError, match="no space left"):
        listener.join(LONG)
    assert not is_position(store.load(key()))


def test_events_without_a_handler_are_told_and_counted(org: CometD, sf: Salesforce) -> None:
    errors, updates = Log(), Log()

    class Updates:
        def on_update(self, event: Any) -> None:
            updates(event)

    listener = sf.listener(on_error=errors)
    listener.attach(ACCOUNTS, Updates())
    with listener:
        org.emit(ACCOUNTS, change(1, change_type="GAP_DELETE"))
        org.emit(ACCOUNTS, change(2, change_type="UPDATE"))
        updates.wait(1)
        (error,) = errors.wait(1)
    assert isinstance(error, UnhandledEventError)
    assert (error.channel, error.event.change_type) == (ACCOUNTS, "GAP_DELETE")
    assert str(error) == "/data/AccountChangeEvent: there is no handler for GAP_DELETE events"
    health = listener.health().channels[ACCOUNTS]
    assert (health.unhandled, health.processed, health.position) == (1, 2, "13")


def test_events_without_a_handler_are_logged_where_nobody_is_told(
    org: CometD, sf: Salesforce, caplog: pytest.LogCaptureFixture
) -> None:
    updates, listener = Log(), sf.listener()
    listener.on(ACCOUNTS, "update")(updates)
    with listener, caplog.at_level(logging.WARNING, "sfconnector"):
        org.emit(ACCOUNTS, change(1, change_type="CREATE"))
        org.emit(ACCOUNTS, change(2, change_type="UPDATE"))
        updates.wait(1)
    assert "there is no handler for CREATE events" in caplog.text
    assert listener.health().channels[ACCOUNTS].unhandled == 1


def test_errors_of_a_channel_go_to_its_handler(org: CometD, sf: Salesforce) -> None:
    own, general = Log(), Log()
    listener = sf.listener(on_error=general, on_failure="skip")
    listener.on(ORDERS, "error")(own)
    listener.on(ORDERS)(fail_on(1, Log()))
    with listener:
        org.emit(ORDERS, order(1))
        assert [type(error) for error in own.wait(1)] == [LookupError]
    assert general.items == []


def test_an_on_error_that_fails_is_logged_and_stops_nothing(
    org: CometD, sf: Salesforce, caplog: pytest.LogCaptureFixture
) -> None:
    seen = Log()

    def on_error(_: Exception) -> None:
        raise RuntimeError("the pager is off")

    listener = sf.listener(on_error=on_error, on_failure="skip")
    listener.attach(ORDERS, fail_on(1, seen))
    with listener:
        org.emit(ORDERS, order(1))
        org.emit(ORDERS, order(2))
        seen.wait(2)
    assert "on_error failed" in caplog.text


# --- starting ---


def test_a_bad_login_reaches_the_caller(org: CometD) -> None:
    """D22."""

    class Refused:
        def login(self, _: Any) -> Any:
            raise AuthenticationError("Refused", "wrong password", status=400)

    with client(org, Refused()) as sf:
        listener = sf.listener()
        listener.attach(ORDERS, print)
        with pytest.raises(AuthenticationError, match="wrong password"):
            listener.start()
        assert listener.health().state == "failed"


def test_a_bad_channel_reaches_the_caller(org: CometD, sf: Salesforce) -> None:
    """D22."""
    listener = sf.listener()
    listener.attach(ORDERS, print)
    listener.attach("/event/Missing__e", print)
    with pytest.raises(SubscriptionError, match=r"does not exist .*check its name") as caught:
        listener.start()
    assert caught.value.channel == "/event/Missing__e"
    assert org.peers == {}
    with pytest.raises(SubscriptionError):
        listener.join(LONG)


def test_a_timeout_reaches_the_caller(org: CometD, sf: Salesforce) -> None:
    """D22: with what was in the way."""
    org.fault = lambda message, _: [failed(message, DENIED, ext={"sfdc": {"failureReason": BUSY}})]
    listener = sf.listener()
    listener.attach(ORDERS, print)
    with pytest.raises(StreamTimeoutError, match=r"no connection after 0\.2 s; the last failure: .*too busy[^;]*$"):
        listener.start(timeout=0.2)
    assert listener.health().state == "stopped"


DENIED = "403::Handshake denied"
BUSY = "503::Server is too busy. Please try your request again later."


def test_every_refused_token_is_replaced_once_and_after_some_it_ends(org: CometD) -> None:
    """D23, D18: no token that was refused is used again, and attempts are limited."""
    logins = with_logins(org)
    logins.tell = lambda _: org.take("none of them")
    with client(org, logins) as sf:
        listener = sf.listener()
        listener.attach(ORDERS, print)
        with pytest.raises(AuthenticationError, match=r"4 new tokens were refused as well: .*401::Authentication"):
            listener.start()
    assert logins.logins == 5
    tokens = [seen.headers["authorization"] for seen in org.server.seen if seen.target.startswith("/cometd/")]
    assert tokens == [f"Bearer T{number}" for number in (1, 2, 3, 4, 5)]


class Stumbling(Numbered):
    """Logins that fail for a moment, once the first is over."""

    def __init__(self, org: CometD, error: Exception) -> None:
        super().__init__(org.url, org.take)
        self.error, self.left = error, 3

    def login(self, post: TokenTransport) -> Token:
        if self.logins and self.left:
            self.left -= 1
            raise self.error
        return super().login(post)


@pytest.mark.parametrize(
    "error",
    [
        TransportError("POST", "/services/oauth2/token", Failure.CUT, "reset"),
        AuthenticationError("Stumbling", "the login URL answered 503", status=503),
    ],
)
def test_a_login_that_fails_for_a_moment_is_tried_again(org: CometD, error: Exception) -> None:
    """D16: it reconnects."""
    seen, errors = Log(), Log()
    logins = Stumbling(org, error)
    with client(org, logins) as sf:
        listener = sf.listener(on_error=errors)
        listener.attach(ORDERS, seen)
        with listener:
            org.emit(ORDERS, order(1))
            seen.wait(1)
            org.wait_for(lambda: org.polling == 1)
            org.revoke()
            org.emit(ORDERS, order(2))
            seen.wait(2)
    assert (logins.left, logins.logins) == (0, 2)
    assert seen.numbers == [1, 2]
    assert [type(each) for each in errors.items] == [type(error)] * 3


def test_a_token_that_cannot_be_replaced_ends_it(org: CometD, sf: Salesforce) -> None:
    errors, listener = Log(), sf.listener()
    listener = sf.listener(on_error=errors)
    listener.attach(ORDERS, print)
    listener.start()
    org.revoke()
    with pytest.raises(AuthenticationError, match="an AccessToken cannot be renewed"):
        listener.join(LONG)
    assert [type(error) for error in errors.wait(1)] == [AuthenticationError]
    assert listener.health().state == "failed"


# --- positions that are gone ---


@pytest.mark.parametrize(("policy", "sent"), [("earliest", -2), ("latest", -1)])
def test_a_lost_position_is_told_and_the_policy_followed(org: CometD, sf: Salesforce, policy: Any, sent: int) -> None:
    """D18."""
    store, seen, errors = MemoryReplayStore(), Log(), Log()
    store.save(key(), "5")
    org.oldest = 8
    org.emit(ORDERS, order(1))
    listener = sf.listener(replay=store, on_expired=policy, on_error=errors)
    listener.attach(ORDERS, seen)
    with listener:
        org.emit(ORDERS, order(2))
        seen.until(lambda items: items and items[-1].fields["Number__c"] == 2)
    assert org.replays(ORDERS) == [5, sent]
    assert seen.numbers == ([1, 2] if policy == "earliest" else [2])
    (error,) = errors.items
    assert isinstance(error, ReplayExpiredError)
    assert (error.channel, error.position) == (ORDERS, "5")


def test_a_lost_position_can_end_it(org: CometD, sf: Salesforce) -> None:
    """D18."""
    store = MemoryReplayStore()
    store.save(key(), "5")
    org.oldest = 8
    listener = sf.listener(replay=store, on_expired="raise")
    listener.attach(ORDERS, print)
    with pytest.raises(ReplayExpiredError, match="no longer takes the position 5") as caught:
        listener.start()
    assert (caught.value.position, store.load(key())) == ("5", "5")


@pytest.mark.parametrize("policy", ["earliest", "raise"])
def test_a_position_may_be_lost_at_any_reconnection(org: CometD, sf: Salesforce, policy: Any) -> None:
    """D18: not only at the first subscribe."""
    seen, errors = Log(), Log()
    listener = sf.listener(on_expired=policy, on_error=errors)
    listener.attach(ORDERS, seen)
    listener.start()
    first = org.emit(ORDERS, order(1))
    seen.wait(1)
    org.wait_for(lambda: org.polling == 1)
    org.oldest = first + 1
    org.kill()
    (error,) = errors.wait(1)
    assert isinstance(error, ReplayExpiredError)
    assert error.position == str(first)
    if policy == "raise":
        with pytest.raises(ReplayExpiredError):
            listener.join(LONG)
    else:
        org.emit(ORDERS, order(2))
        seen.wait(2)
        listener.stop()
        assert org.replays(ORDERS) == [-1, first, -2]


def test_a_channel_that_is_refused_later_ends_it_aloud(org: CometD, sf: Salesforce) -> None:
    """D18: never deaf."""
    errors = Log()
    listener = sf.listener(on_error=errors)
    listener.attach(ORDERS, print)
    listener.start()
    org.wait_for(lambda: org.polling == 1)
    org.unknown.add(ORDERS)
    org.kill()
    with pytest.raises(SubscriptionError, match="does not exist"):
        listener.join(LONG)
    assert [type(error) for error in errors.wait(1)] == [SubscriptionError]


def test_an_unknown_refusal_later_is_told_and_tried_again(org: CometD, sf: Salesforce) -> None:
    """D18: a failed re-subscribe is reported."""
    seen, errors = Log(), Log()

    def on_error(error: Exception) -> None:
        errors(error)
        org.refusals.clear()

    listener = sf.listener(on_error=on_error)
    listener.attach(ORDERS, seen)
    with listener:
        org.wait_for(lambda: org.polling == 1)
        org.refusals[ORDERS] = "403::Something new"
        org.kill()
        errors.wait(1)
        org.emit(ORDERS, order(1))
        seen.wait(1)
    assert isinstance(errors.items[0], SubscriptionError)


def test_an_error_that_is_no_longer_one_does_not_hide(org: CometD, sf: Salesforce) -> None:
    listener: Listener = sf.listener()
    listener.attach(ORDERS, print)
    assert listener.health().state == "created"
    with listener:
        health = listener.health()
        assert (health.connected, health.error) == (True, None)
        assert health.last_poll is not None
        assert health.last_poll.tzinfo is not None
    assert issubclass(StreamTimeoutError, StreamError)
