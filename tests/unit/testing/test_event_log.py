"""The log of events: what is kept, for how long, and who is told."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from sfconnector.testing._clock import Clock
from sfconnector.testing._store import Store
from sfconnector.testing._streaming._log import ALL_RETAINED, NEW_ONLY, NotRetainedError

ACCOUNTS = "/data/AccountChangeEvent"
ALL = "/data/ChangeEvents"


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.freeze()
    return clock


@pytest.fixture
def store(clock: Clock) -> Iterator[Store]:
    store = Store(clock=clock)
    yield store
    store.close()


def append(store: Store, entity: str, number: int = 0) -> int:
    return store.events.append(entity, {"schema": "s", "payload": {"Number": number}})


def bodies(store: Store, channel: str, after: int = 0, limit: int = 100) -> list[Any]:
    return [orjson.loads(event.data) for event in store.events.after(channel, after, limit)]


def test_an_event_gets_a_replay_id_and_keeps_its_own_facts(store: Store) -> None:
    replay_id = store.events.append(
        "Order__e", {"schema": "s", "payload": {"Sku__c": "X"}, "event": {"EventUuid": "u"}}
    )
    assert bodies(store, "/event/Order__e") == [
        {"schema": "s", "payload": {"Sku__c": "X"}, "event": {"EventUuid": "u", "replayId": replay_id}}
    ]


def test_replay_ids_grow_with_gaps(store: Store) -> None:
    ids = [append(store, "AccountChangeEvent") for _ in range(20)]
    assert ids == sorted(set(ids))
    assert ids[-1] - ids[0] > len(ids)


def test_channels_carry_their_entities_in_order(store: Store) -> None:
    entities = ["AccountChangeEvent", "Employee__ChangeEvent", "Order__e", "ContactChangeEvent", "AccountChangeEvent"]
    ids = [append(store, entity) for entity in entities]
    store.events.channels.add("Sales__chn", ["ContactChangeEvent", "AccountChangeEvent", "ContactChangeEvent"])
    store.events.channels.add("Orders__chn", ["Order__e"])

    def read(channel: str) -> list[int]:
        return [ids.index(event.replay_id) for event in store.events.after(channel, 0, 100)]

    assert read(ACCOUNTS) == [0, 4]
    assert read("/data/Employee__ChangeEvent") == [1]
    assert read(ALL) == [0, 1, 3, 4]
    assert read("/event/Order__e") == [2]
    assert read("/data/Sales__chn") == [0, 3, 4]
    assert read("/event/Orders__chn") == [2]
    for nothing in ("/data/accountchangeevent", "/event/Sales__chn", "/data/sales__chn", "/data/Order__e", "/data", ""):
        assert read(nothing) == []


def test_reading_goes_on_where_it_ended(store: Store) -> None:
    ids = [append(store, "AccountChangeEvent", number) for number in range(5)]
    first = store.events.after(ACCOUNTS, 0, 3)
    assert [event.replay_id for event in first] == ids[:3]
    assert [event.replay_id for event in store.events.after(ACCOUNTS, first[-1].replay_id, 3)] == ids[3:]


def test_where_a_subscriber_begins(store: Store) -> None:
    first, order, last = (append(store, entity) for entity in ("AccountChangeEvent", "Order__e", "ContactChangeEvent"))
    events = store.events
    assert events.after(ALL, events.position(ALL, NEW_ONLY), 9) == []
    assert [event.replay_id for event in events.after(ALL, events.position(ALL, ALL_RETAINED), 9)] == [first, last]
    assert [event.replay_id for event in events.after(ALL, events.position(ALL, first), 9)] == [last]
    # An id of the other stream, one that was left out, and ones that never were.
    for unknown in (order, first + 1, last + 1_000, 0, -3):
        with pytest.raises(NotRetainedError):
            events.position(ALL, unknown)


def test_events_expire_after_72_hours(store: Store, clock: Clock) -> None:
    old = append(store, "AccountChangeEvent")
    clock.advance(hours=71)
    young = append(store, "AccountChangeEvent")
    assert store.events.position(ACCOUNTS, old) == old
    clock.advance(hours=1)
    with pytest.raises(NotRetainedError):
        store.events.position(ACCOUNTS, old)
    begin = store.events.position(ACCOUNTS, ALL_RETAINED)
    assert [event.replay_id for event in store.events.after(ACCOUNTS, begin, 9)] == [young]
    assert store.events.retained() == 1
    clock.advance(days=4)
    assert store.events.retained() == 0
    assert store.events.after(ACCOUNTS, store.events.position(ACCOUNTS, ALL_RETAINED), 9) == []
    with pytest.raises(NotRetainedError):
        store.events.position(ACCOUNTS, young)


def test_expired_events_are_deleted_in_time(store: Store, clock: Clock) -> None:
    append(store, "AccountChangeEvent", -1)
    clock.advance(hours=74)
    with store.transaction():
        for number in range(1_000):
            append(store, "AccountChangeEvent", number)
    assert bodies(store, ACCOUNTS, limit=1)[0]["payload"] == {"Number": 0}


def test_trimmed_events_cannot_be_replayed(store: Store) -> None:
    ids = [append(store, "AccountChangeEvent") for _ in range(5)]
    store.events.trim(keep=2)
    store.events.trim(keep=4)  # Brings nothing back.
    assert store.events.position(ACCOUNTS, ids[3]) == ids[3]
    with pytest.raises(NotRetainedError):
        store.events.position(ACCOUNTS, ids[2])
    begin = store.events.position(ACCOUNTS, ALL_RETAINED)
    assert [event.replay_id for event in store.events.after(ACCOUNTS, begin, 9)] == ids[3:]
    # Who had subscribed before still gets them.
    assert [event.replay_id for event in store.events.after(ACCOUNTS, ids[0], 9)] == ids[1:]
    store.events.trim()
    assert store.events.retained() == 0
    with pytest.raises(ValueError, match="-1"):
        store.events.trim(keep=-1)


def test_subscribers_are_told_once_the_outermost_transaction_is_kept(store: Store) -> None:
    told: list[int] = []
    store.events.on_kept.append(lambda: told.append(store.events.retained()))
    with store.transaction():
        append(store, "AccountChangeEvent")
        with store.transaction():
            append(store, "AccountChangeEvent")
        assert told == []
    assert told == [2]
    append(store, "AccountChangeEvent")
    assert told == [2, 3]
    with store.transaction():
        pass
    assert told == [2, 3]


def test_what_is_rolled_back_is_no_event(store: Store) -> None:
    def fail() -> None:
        with store.transaction():
            append(store, "AccountChangeEvent")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert store.events.retained() == 0
    append(store, "AccountChangeEvent")
    assert len(bodies(store, ACCOUNTS)) == 1


def test_a_file_keeps_events_channels_and_the_count(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "org.db"
    store = Store(path=path, clock=clock)
    ids = [append(store, "AccountChangeEvent", number) for number in range(3)]
    store.events.channels.add("Sales__chn", ["AccountChangeEvent"])
    store.events.trim(keep=2)
    store.close()

    again = Store(path=path, clock=clock)
    assert [body["payload"]["Number"] for body in bodies(again, "/data/Sales__chn")] == [0, 1, 2]
    with pytest.raises(NotRetainedError):
        again.events.position(ACCOUNTS, ids[0])
    assert append(again, "AccountChangeEvent") > ids[-1]
    again.close()


def test_the_largest_channel_is_read_in_order(store: Store) -> None:
    members = [f"X{number}__ChangeEvent" for number in range(400)]
    store.events.channels.add("All__chn", members)
    ids = [append(store, member) for member in members for _ in range(2)]
    begun, got = 0, []
    while events := store.events.after("/data/All__chn", begun, 7):
        got += [event.replay_id for event in events]
        begun = got[-1]
    assert got == ids


def test_many_threads_append(store: Store) -> None:
    threads = [
        threading.Thread(target=lambda: [append(store, "AccountChangeEvent") for _ in range(50)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read = store.events.after(ACCOUNTS, 0, 1_000)
    assert len({event.replay_id for event in read}) == 200


@pytest.mark.parametrize("entity", ["Account", "Order__c", "__e", "ChangeEvent", "Order__e/x", ""])
def test_other_names_are_no_events(store: Store, entity: str) -> None:
    with pytest.raises(ValueError, match="no event"):
        append(store, entity)


def test_custom_channels_that_cannot_be(store: Store) -> None:
    add = store.events.channels.add
    for name, members in (
        ("Sales", ["AccountChangeEvent"]),
        ("Sa/les__chn", ["AccountChangeEvent"]),
        ("Sales__chn", []),
        ("Sales__chn", ["AccountChangeEvent", "Order__e"]),
        ("Sales__chn", ["Account"]),
        ("Sales__chn", [f"X{number}__ChangeEvent" for number in range(401)]),
    ):
        with pytest.raises(ValueError, match=r"chn|no event"):
            add(name, members)
    with pytest.raises(TypeError, match="list"):
        add("Sales__chn", "AccountChangeEvent")


def test_times_are_those_of_the_clock(store: Store, clock: Clock) -> None:
    now: datetime = clock()
    replay_id = append(store, "AccountChangeEvent")
    clock.freeze(now + timedelta(hours=71, minutes=59))
    assert store.events.position(ACCOUNTS, replay_id) == replay_id
