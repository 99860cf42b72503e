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
