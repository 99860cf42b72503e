"""Consumers of new events only, before the first of these has come: what comes while they are away is not lost."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cometd_server import CometD, order
from streams import LONG, Log, client

from sfconnector import Salesforce
from sfconnector.errors import ReplayExpiredError
from sfconnector.streaming import FileReplayStore, MemoryReplayStore, ReplayKey

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


def emit_old(org: CometD, number: int) -> None:
    """An event of the hour before."""
    org.emit(ORDERS, order(number, CreatedDate=(datetime.now(UTC) - timedelta(hours=1)).isoformat()))


def numbers(events: Any) -> list[int]:
    return [event.fields["Number__c"] for event in events]


def test_what_came_after_a_loop_without_events_is_in_the_next(org: CometD, sf: Salesforce, tmp_path: Path) -> None:
    emit_old(org, 1)

    def run() -> list[int]:
        return numbers(sf.subscribe(ORDERS, replay=tmp_path / "replay.db", idle=0.05))

    assert run() == []
    org.emit(ORDERS, order(2))
    assert run() == [2]
    assert run() == []
    org.emit(ORDERS, order(3))
    assert run() == [3]


def test_an_event_on_which_the_first_run_failed_comes_again(org: CometD, sf: Salesforce, tmp_path: Path) -> None:
    emit_old(org, 1)
    seen = Log()

    def fails(_: Any) -> None:
        raise LookupError

    for handler in (fails, seen):
        listener = sf.listener(replay=tmp_path / "replay.db")
        listener.attach(ORDERS, handler)
        listener.start()
        if handler is fails:
            org.emit(ORDERS, order(2))
            with pytest.raises(LookupError):
                listener.join(LONG)
        else:
            seen.wait(1)
            listener.stop()
    assert seen.numbers == [2]


def test_it_is_kept_once_the_channel_is_subscribed(org: CometD, sf: Salesforce, tmp_path: Path) -> None:
    listener = sf.listener(replay=tmp_path / "replay.db")
    listener.attach(ORDERS, print)
    with listener, FileReplayStore(tmp_path / "replay.db") as store:
        assert (store.load(KEY) or "").startswith("since ")
        # It is no replay id.
        assert listener.health().channels[ORDERS].position is None


def test_a_position_that_is_gone_is_told_of_once(org: CometD, sf: Salesforce) -> None:
    org.oldest = 8
    store, errors = MemoryReplayStore(), Log()
    store.save(KEY, "5")
    for _ in range(2):
        assert list(sf.subscribe(ORDERS, replay=store, on_expired="latest", on_error=errors, idle=0.05)) == []
    assert [type(error) for error in errors.items] == [ReplayExpiredError]
    assert org.replays(ORDERS) == [5, -1, -2]


def ago(hours: float) -> str:
    return f"since {(datetime.now(UTC) - timedelta(hours=hours)).isoformat()}"


@pytest.mark.parametrize(
    ("policy", "replays", "seen"), [("earliest", [-2], [1, 2]), ("latest", [-1], [])], ids=["earliest", "latest"]
)
def test_who_was_away_for_longer_than_events_are_kept_is_told(
    org: CometD, sf: Salesforce, policy: Any, replays: list[int], seen: list[int]
) -> None:
    emit_old(org, 1)
    org.emit(ORDERS, order(2))
    store, errors = MemoryReplayStore(), Log()
    store.save(KEY, ago(73))
    loop = sf.subscribe(ORDERS, replay=store, on_expired=policy, on_error=errors, idle=0.1)
    assert numbers(loop) == seen
    (error,) = errors.items
    assert isinstance(error, ReplayExpiredError)
    assert (error.channel, str(error.position)[:6]) == (ORDERS, "since ")
    assert org.replays(ORDERS) == replays


def test_who_wants_no_gap_is_not_connected_over_one(org: CometD, sf: Salesforce) -> None:
    store = MemoryReplayStore()
    store.save(KEY, ago(73))
    listener = sf.listener(replay=store, on_expired="raise")
    listener.attach(ORDERS, print)
    with pytest.raises(ReplayExpiredError, match="may no longer keep all that came since"):
        listener.start()
    assert org.replays(ORDERS) == []


def test_topics_are_kept_for_a_day(org: CometD, sf: Salesforce) -> None:
    store, errors = MemoryReplayStore(), Log()
    for channel, hours in (("/topic/New", 25), ("/u/Notices", 23), (ORDERS, 71)):
        store.save(ReplayKey(KEY.org_id, channel, "default"), ago(hours))
        assert list(sf.subscribe(channel, replay=store, on_error=errors, idle=0.1)) == []
    assert [error.channel for error in errors.items] == ["/topic/New"]


@pytest.mark.parametrize("looped", [True, False], ids=["loop", "listener"])
def test_each_run_that_hears_nothing_moves_the_time_on(org: CometD, sf: Salesforce, looped: bool) -> None:
    store, errors = MemoryReplayStore(), Log()
    store.save(KEY, ago(73))
    for _ in range(2):
        if looped:
            assert list(sf.subscribe(ORDERS, replay=store, on_error=errors, idle=0.1)) == []
        else:
            listener = sf.listener(replay=store, on_error=errors)
            listener.attach(ORDERS, print)
            listener.run(idle=0.1)
    assert len(errors.items) == 1
    since = datetime.fromisoformat((store.load(KEY) or "").removeprefix("since "))
    assert timedelta(minutes=50) < datetime.now(UTC) - since < timedelta(minutes=70)


def test_the_time_does_not_move_over_an_event_that_waits(org: CometD, sf: Salesforce) -> None:
    """One that came is not dealt with, and would be skipped by the next run."""
    emit_old(org, 1)
    store = MemoryReplayStore()
    store.save(KEY, before := ago(2))
    with sf.subscribe(ORDERS, replay=store, idle=0.1) as events:
        assert numbers([next(events)]) == [1]
    assert store.load(KEY) == before
    assert numbers(sf.subscribe(ORDERS, replay=store, idle=0.1)) == [1]
