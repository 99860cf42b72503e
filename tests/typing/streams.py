"""Listening and publishing, with the types that users' type checkers see; never run, only checked."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, assert_type

from sfconnector import (
    ChangeEvent,
    FileReplayStore,
    GapEvent,
    GenericEvent,
    Health,
    Listener,
    MemoryReplayStore,
    PlatformEvent,
    PublishResult,
    PushTopicEvent,
    ReplayStore,
    Salesforce,
    Subscription,
    errors,
    streaming,
)
from sfconnector.streaming import ChannelHealth, Event, PublishResults, ReplayKey

sf = Salesforce.from_env()


class Copy:
    """A handler."""

    def on_create(self, event: ChangeEvent) -> None:
        assert_type(event.fields, dict[str, Any])

    def on_gap(self, event: GapEvent) -> None:
        assert_type(event.is_overflow, bool)

    def on_error(self, error: Exception) -> None: ...


class Store:
    """A store of one's own."""

    def load(self, key: ReplayKey, /) -> str | None: ...

    def save(self, key: ReplayKey, position: str, /) -> None: ...


def keep(event: Event, error: Exception) -> None: ...


# A listener
listener = sf.listener(
    name="billing",
    replay=Path("replay.db"),
    replay_from=9_663_676_416,
    on_expired="latest",
    on_failure=streaming.retry(3, backoff=0.5, then=streaming.dead_letter(keep)),
    on_error=print,
    queue_size=10,
)
assert_type(listener, Listener)
sf.listener(replay={}, on_failure="skip")
sf.listener(replay=Store())
sf.listener(on_expired="newest")  # type: ignore[arg-type]  # no such policy
sf.listener(on_failure="ignore")  # type: ignore[arg-type]  # no such policy
sf.listener(replay=5)  # type: ignore[arg-type]  # no store
listener.attach("/data/AccountChangeEvent", Copy(), replay_from="earliest", on_failure="raise")
listener.detach("/data/AccountChangeEvent")


@listener.on("/data/ContactChangeEvent", "create", "update")
def copy(event: ChangeEvent) -> int:
    return len(event.record_ids)


assert_type(copy(ChangeEvent("/data/ContactChangeEvent", {})), int)
listener.start(timeout=5.0)
assert_type(listener.join(1.0), bool)
assert_type(listener.stop(drain=True, timeout=5.0), bool)
assert_type(listener.run(signals=True), None)
health = listener.health()
assert_type(health, Health)
assert_type(health.connected, bool)
assert_type(health.last_poll, datetime | None)
assert_type(health.channels, Mapping[str, ChannelHealth])
assert_type(health.channels["/event/Order__e"].lag, float | None)
with listener as entered:
    assert_type(entered, Listener)

# A loop
loop = sf.subscribe("/event/Order__e", replay="replay.db", idle=5.0)
assert_type(loop, Subscription)
for each in loop:
    assert_type(each, Event)
    assert_type(each.kind, str)
    assert_type(each.replay_id, str | None)
    assert_type(each.idempotency_key, str)
    assert_type(each.schema, str | None)
    assert_type(each.occurred_at, datetime | None)
    match each:
        case ChangeEvent() | GapEvent():
            assert_type(each.header, Mapping[str, Any])
            assert_type(each.change_type, str)
            assert_type(each.entity_name, str)
            assert_type(each.record_ids, tuple[str, ...])
            assert_type(each.is_wildcard, bool)
            assert_type(each.change_origin, str | None)
            assert_type(each.transaction_key, str | None)
            assert_type(each.sequence_number, int | None)
            assert_type(each.commit_timestamp, datetime | None)
            assert_type(each.commit_number, int | None)
            assert_type(each.commit_user, str | None)
        case PlatformEvent():
            assert_type(each.fields, dict[str, Any])
            assert_type(each.event_uuid, str | None)
            assert_type(each.created_date, datetime | None)
            assert_type(each.created_by_id, str | None)
        case PushTopicEvent():
            assert_type(each.type, str)
            assert_type(each.sobject, dict[str, Any])
        case GenericEvent():
            assert_type(each.payload, Any)
        case _:
            pass
    if isinstance(each, ChangeEvent):
        assert_type(each.changed_fields + each.nulled_fields + each.diff_fields, tuple[str, ...])
    loop.commit()
assert_type(loop.health(), Health)
loop.close()

# Positions
with FileReplayStore("replay.db") as store:
    position = store.load(ReplayKey("00D000000000001", "/event/Order__e", "billing"))
    assert_type(position, str | None)
    store.save(ReplayKey("00D000000000001", "/event/Order__e", "billing"), "12")
store.close()
stores: list[ReplayStore] = [store, MemoryReplayStore(), streaming.MappingReplayStore({}), Store()]

# Publishing
published = sf.publish("Order__e", {"Sku__c": "X1"})
assert_type(published, PublishResult[Any])
assert_type(published.event_uuid, str | None)
many = sf.publish_many("Order__e", [{"Sku__c": "X1"}], workers=2)
assert_type(many, PublishResults[dict[str, str]])
assert_type(next(many).event_uuid, str | None)

# Errors
try:
    listener.join()
except errors.ReplayExpiredError as error:
    assert_type(error.position, str | None)
    assert_type(error.channel, str)
