"""Arguments that cannot be right are refused before anything is sent."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from http_server import Reply, Server

from sfconnector import Salesforce, auth, streaming
from sfconnector._streaming.channels import bare, check_channel
from sfconnector._streaming.feed import as_sent, check_origin
from sfconnector._streaming.handlers import Handlers


@pytest.fixture
def sf() -> Iterator[Salesforce]:
    """A client of a server that must not be asked."""
    with Server([Reply()]) as server:
        with Salesforce(auth.AccessToken(server.url, "00D000000000001!x")) as client:
            yield client
        assert server.seen == []


def same(*_: Any) -> None:
    """A handler."""


@pytest.mark.parametrize(
    "channel",
    [
        "/data/ChangeEvents",
        "/data/AccountChangeEvent",
        "/data/ns__Employee__ChangeEvent",
        "/data/Sales__chn",
        "/event/Order__e",
        "/event/Orders__chn",
        "/event/LoginEventStream",
        "/topic/NewAccounts",
        "/topic/NewAccounts?Industry='Oil & Gas'&Type='New'",
        "/u/notifications/Invoices",
    ],
)
def test_channels_of_all_forms_are_taken(channel: str) -> None:
    assert check_channel(channel) == channel
    assert "?" not in bare(channel)


@pytest.mark.parametrize(
    "channel",
    [
        "",
        "/",
        "data/AccountChangeEvent",
        "/data/",
        "/data/Account",
        "/data/*",
        "/event/**",
        "/meta/connect",
        "/event/Order__e\n",
        "/event/Order__e/x",
        "/topic/A?",
        "/other/X",
        "AccountChangeEvent",
    ],
)
def test_what_is_no_channel_is_refused(sf: Salesforce, channel: str) -> None:
    for call in (lambda: sf.subscribe(channel), lambda: sf.listener().attach(channel, same)):
        with pytest.raises(ValueError, match="is no channel"):
            call()


@pytest.mark.parametrize("channel", [None, 7, ["/event/Order__e"]])
def test_a_channel_is_a_text(sf: Salesforce, channel: Any) -> None:
    for call in (lambda: sf.subscribe(channel), lambda: sf.listener().attach(channel, same)):
        with pytest.raises(TypeError, match="a channel is a text"):
            call()


def test_the_channel_of_an_object_is_named_where_the_object_was_given(sf: Salesforce) -> None:
    for channel, meant in (("/data/Account", "AccountChangeEvent"), ("/data/Crew__c", "Crew__ChangeEvent")):
        with pytest.raises(ValueError, match=f"is /data/{meant} meant"):
            sf.subscribe(channel)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"name": ""}, "name is a text"),
        ({"name": "two words"}, "name is a text"),
        ({"replay_from": "newest"}, "replay_from is"),
        ({"replay_from": -3}, "no event has -3"),
        ({"replay_from": 2**63}, "no event has"),
        ({"replay_from": True}, "replay_from is"),
        ({"replay_from": 1.5}, "replay_from is"),
        ({"on_expired": "first"}, "on_expired is one of"),
        ({"on_error": "print"}, "on_error is a function"),
        ({"queue_size": 0}, "queue_size is a whole number"),
        ({"queue_size": 2.5}, "queue_size is a whole number"),
        ({"replay": 7}, "replay is"),
    ],
)
def test_options_of_both_are_checked(sf: Salesforce, options: dict[str, Any], text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        sf.listener(**options)
    with pytest.raises((ValueError, TypeError), match=text):
        sf.subscribe("/event/Order__e", **options)


@pytest.mark.parametrize(
    "options", [{"idle": 0}, {"idle": -1}, {"idle": "5"}, {"timeout": 0}, {"timeout": float("inf")}]
)
def test_options_of_a_loop_are_checked(sf: Salesforce, options: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError), match="number of seconds"):
        sf.subscribe("/event/Order__e", **options)


@pytest.mark.parametrize("wrong", ["ignore", None, 3, same])
def test_policies_are_checked(sf: Salesforce, wrong: Any) -> None:
    with pytest.raises(ValueError, match="on_failure is"):
        sf.listener(on_failure=wrong)
    if wrong is not None:
        with pytest.raises(ValueError, match="on_failure is"):
            sf.listener().attach("/event/Order__e", same, on_failure=wrong)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: streaming.retry(0), "attempts is a whole number"),
        (lambda: streaming.retry(2, backoff=-1), "backoff is a number"),
        (lambda: streaming.retry(2, then="stop"), "on_failure is"),  # type: ignore[arg-type]
        (lambda: streaming.retry(2, then=streaming.retry()), "not another retry"),  # type: ignore[arg-type]
        (lambda: streaming.dead_letter("file.txt"), "takes a function"),  # type: ignore[arg-type]
    ],
)
def test_what_policies_are_made_of_is_checked(make: Callable[[], object], text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        make()


def test_waits_between_attempts_double_up_to_a_minute() -> None:
    policy = streaming.retry(9, backoff=2.0)
    assert [policy.delay(failures) for failures in (1, 2, 3, 9)] == [2.0, 4.0, 8.0, 60.0]
    assert policy.delay(2000) == 60.0


class Slip:
    def on_creation(self, event: object) -> None: ...


class OnlyErrors:
    def on_error(self, error: object) -> None: ...


@pytest.mark.parametrize(
    ("handler", "text"),
    [
        (Slip(), "a handler has no on_creation: there are on_create"),
        (OnlyErrors(), "is no handler"),
        (object(), "is no handler"),
        (None, "is no handler"),
        (Slip, "not the class Slip"),
    ],
)
def test_what_is_no_handler_is_refused(sf: Salesforce, handler: object, text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        sf.listener().attach("/event/Order__e", handler)


def test_a_channel_is_attached_once(sf: Salesforce) -> None:
    listener = sf.listener()
    listener.attach("/topic/A?B='c'", same)
    with pytest.raises(ValueError, match="attached already"):
        listener.attach("/topic/A?B='c'", same)
    with pytest.raises(ValueError, match="one filter of a topic"):
        listener.attach("/topic/A", same)
    with pytest.raises(ValueError, match="attached already"):
        listener.on("/topic/A?B='c'")(same)
    listener.detach("/topic/A?B='c'")
    with pytest.raises(ValueError, match="is not attached"):
        listener.detach("/topic/A?B='c'")
    listener.attach("/topic/A", same)
    assert repr(listener) == "<Listener 'default' of /topic/A>"


def test_each_kind_of_event_has_one_function(sf: Salesforce) -> None:
    listener = sf.listener()
    assert listener.on("/event/Order__e", "create", "update")(same) is same
    listener.on("/event/Order__e")(same)
    with pytest.raises(ValueError, match="a handler for 'update' already"):
        listener.on("/event/Order__e", "update")(same)
    with pytest.raises(ValueError, match="'upsert' is no kind of event: there are create"):
        listener.on("/event/Order__e", "upsert")
    with pytest.raises(TypeError, match="a handler is a function"):
        listener.on("/event/Order__e", "gap")("x")  # type: ignore[type-var]


def test_a_handler_object_may_lend_its_methods_and_itself() -> None:
    class Both:
        def __call__(self, event: object) -> None: ...
        def on_gap(self, event: object) -> None: ...

    table = Handlers.of(Both()).table
    assert set(table) == {"gap"}
    assert set(Handlers.of(same).table) == {"create", "update", "delete", "restore", "gap", "message"}


def test_versions_without_replay_are_refused() -> None:
    with Salesforce(auth.AccessToken("https://acme.my.salesforce.com", "00D000000000001!x"), api_version="36.0") as sf:
        for call in (sf.listener, lambda: sf.subscribe("/event/Order__e")):
            with pytest.raises(ValueError, match=r"37\.0 or later, and this client speaks 36\.0"):
                call()


def test_a_listener_without_channels_does_not_start(sf: Salesforce) -> None:
    with pytest.raises(ValueError, match="no channel is attached"):
        sf.listener().start()
    for timeout in (0, -1, None, "5"):
        with pytest.raises((ValueError, TypeError), match="timeout is a number of seconds"):
            sf.listener().start(timeout)  # type: ignore[arg-type]


def test_a_path_that_cannot_hold_positions_is_refused(sf: Salesforce, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no folder"):
        sf.listener(replay=tmp_path / "missing" / "replay.db")


def test_replay_ids_go_out_as_numbers_where_they_are() -> None:
    assert [as_sent(position) for position in ("9663676416", "-1", "0", "007", "AAAF", "1e3")] == [
        9_663_676_416,
        -1,
        0,
        "007",
        "AAAF",
        "1e3",
    ]
    assert [check_origin(each) for each in ("latest", "earliest", 7, "9663676416", "AAAF0")] == [
        -1,
        -2,
        7,
        9_663_676_416,
        "AAAF0",
    ]


def test_a_closed_client_listens_no_more(sf: Salesforce) -> None:
    listener, loop = sf.listener(), sf.subscribe("/event/Order__e")
    listener.attach("/event/Order__e", same)
    sf.close()
    with pytest.raises(RuntimeError, match="the client is closed"):
        listener.start()
    assert list(loop) == []
