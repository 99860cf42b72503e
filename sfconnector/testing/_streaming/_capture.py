"""Change data capture: the change events that a transaction leaves behind.

https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_event_fields_header.htm
https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_subscribe_merged_events.htm
https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_general_considerations.htm
https://developer.salesforce.com/docs/atlas.en-us.change_data_capture.meta/change_data_capture/cdc_other_events.htm
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from sfconnector.testing._context import RequestContext
from sfconnector.testing._database import Database
from sfconnector.testing._ids import make
from sfconnector.testing._journal import Entry, Kind, Names
from sfconnector.testing._schema import Schema, SObjectType
from sfconnector.testing._streaming._event_fields import (
    EventFields,
    Row,
    Update,
    event_fields,
    event_name,
    has_change_events,
)
from sfconnector.testing._streaming._log import EventLog

# Of which one transaction may make change events; what is beyond is told by one overflow event for each object.
OVERFLOW_AFTER: Final = 100_000
_OVERFLOW: Final = "GAP_OVERFLOW"
_NO_RECORD: Final = "000000000000000AAA"
_LARGEST: Final = 1_048_576
_FIRST_COMMIT: Final = 10_000_000_000_000
# Who changes records without being asked to.
_ORG: Final = make("005", 2)


class _Change(NamedTuple):
    """What a transaction has done to one record; ``before`` or ``after`` is missing where it was not there.

    Args:
        columns: those that may differ; any, if not given.
        restored: it has come back from the recycle bin.
        touched: nobody has written it but the org itself.
    """

    sobject: str
    record_id: str
    before: Row | None
    after: Row | None
    columns: Iterable[str] | None = None
    restored: bool = False
    touched: bool = False

    @property
    def kind(self) -> str | None:
        if self.after is None:
            return None if self.before is None else "DELETE"
        if self.before is None:
            return "UNDELETE" if self.restored else "CREATE"
        return "UPDATE"


class _Told(NamedTuple):
    """What an event tells of a change: ``key`` is the same for changes that one event tells, ``weight`` counts them."""

    kind: str
    update: Update
    key: object = None
    weight: int = 1


# Of what an event tells the header alone.
_NOTHING: Final = Update()


class Capture:
    """Makes change events of what a database has noted.

    Args:
        schema: the objects of the org.
        database: its records; its journal is taken over.
        bus: where the events go.
        clock: gives the time of a transaction.
    """

    def __init__(self, schema: Schema, database: Database, bus: EventLog, clock: Callable[[], datetime]) -> None:
        self._schema, self._database, self._bus, self._clock = schema, database, bus, clock
        self.overflow_after = OVERFLOW_AFTER
        self.full_header = False
        self._known: dict[str, tuple[SObjectType, EventFields]] = {}
        self._selected: frozenset[str] | None = frozenset()
        bus.channels.on_added.append(self.refresh)
        database.journal.at_commit = self._commit

    def select(self, names: frozenset[str] | None) -> None:
        """Tell of changes of these objects, given by lower-case names, or of all that support it.

        "Entities are automatically selected … when you create a custom channel that includes them."
        """
        self._selected = names
        self.refresh()

    def refresh(self) -> None:
        """Take note of the custom channels that there are."""
        names, members = self._selected, self._bus.channels.captured()
        journal = self._database.journal
        journal.told = Names(
            lambda name: (
                has_change_events(name) and (names is None or name.lower() in names or event_name(name) in members)
            )
        )
        # "If not all objects involved in a transaction are enabled, there will be a gap in the sequence numbers."
        nothing = names == frozenset() and not members
        journal.counted = Names(lambda name: not nothing and has_change_events(name))

    def overflow(self, sobject: SObjectType, user_id: str) -> int:
        """Tell that more has changed than events can tell."""
        return self.gap(sobject, [_NO_RECORD], _OVERFLOW, user_id)

    def gap(self, sobject: SObjectType, record_ids: Sequence[str], change_type: str, user_id: str) -> int:
        """Tell of changes of which no more is known than what happened, and to which records."""
        fields = self._fields(sobject)
        facts = {**self._facts(None, user_id), "sequenceNumber": 1}
        gap = _Told(kind=change_type, update=_NOTHING)
        return self._bus.extend([(fields.entity, self._event(fields, gap, [*record_ids], facts))])

    # -- inside -------------------------------------------------------------------------------------------------

    def _commit(self, entries: Sequence[Entry], context: RequestContext | None) -> None:
        told = self._database.journal.told
        if any(told[entry.sobject] for entry in entries):
            facts = self._facts(context, _ORG if context is None else context.user_id)
            events = self._events(_changes(entries, self._database), facts)
            if events:
                self._bus.extend(events)

    def _facts(self, context: RequestContext | None, user_id: str) -> dict[str, Any]:
        """What the headers of a transaction's events have in common."""
        return {
            "commitNumber": _FIRST_COMMIT + self._database.count_up("commit"),
            "commitUser": user_id,
            "changeOrigin": "" if context is None else context.origin,
            "transactionKey": str(uuid.uuid4()),
            "commitTimestamp": int(self._clock().timestamp()) * 1000,
        }

    def _fields(self, sobject: SObjectType) -> EventFields:
        known = self._known.get(sobject.name)
        if known is None or known[0] is not sobject:
            known = self._known[sobject.name] = sobject, event_fields(sobject)
        return known[1]

    def _events(self, changes: Iterable[_Change], facts: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """Make the events of a transaction: the same change of several records is one."""
        events: list[tuple[str, dict[str, Any]]] = []
        merged: dict[object, list[str]] = {}
        overflowing: dict[str, EventFields] = {}
        number = counted = 0
        tells = self._database.journal.told
        for change in changes:
            sobject = self._schema.get(change.sobject)
            assert sobject is not None  # noqa: S101  # it has a table
            fields = self._fields(sobject)
            told = _told(fields, change) if tells[change.sobject] else _untold(change)
            if told is None:
                continue
            counted += told.weight
            if counted > self.overflow_after:
                overflowing[change.sobject] = fields
            elif told.key is not None and told.key in merged:
                merged[told.key].append(change.record_id)
            else:
                number += 1
                ids = [change.record_id]
                if told.key is not None:
                    merged[told.key] = ids
                if tells[change.sobject]:
                    events.append((fields.entity, self._event(fields, told, ids, {**facts, "sequenceNumber": number})))
        for name, fields in overflowing.items():
            number += 1
            if tells[name]:
                overflow = _Told(kind=_OVERFLOW, update=_NOTHING)
                header = {**facts, "sequenceNumber": number}
                events.append((fields.entity, self._event(fields, overflow, [_NO_RECORD], header)))
        return events

    def _event(self, fields: EventFields, told: _Told, ids: list[str], facts: dict[str, Any]) -> dict[str, Any]:
        update = told.update
        header = {
            **facts,
            "entityName": fields.sobject,
            "changeType": told.kind,
            "changedFields": update.changed,
            "recordIds": ids,
        }
        if self.full_header:
            header |= {"nulledFields": update.nulled, "diffFields": update.differences}
        event = {"schema": fields.schema_id, "payload": {"ChangeEventHeader": header, **update.payload}}
        if fields.may_be_large and update.payload and len(orjson.dumps(event)) > _LARGEST:
            # "The change event message isn't delivered and is replaced by a gap event message."
            return self._event(fields, _Told(kind=f"GAP_{told.kind}", update=_NOTHING), ids, facts)
        return event


def _told(fields: EventFields, change: _Change) -> _Told | None:
    kind, before, after = change.kind, change.before, change.after
    if kind == "UPDATE" and before is not None and after is not None:
        if change.touched and not fields.has_changed(before, after):
            return None
        update = fields.update(before, after, change.columns)
        if not update.changed:
            # Of an object without a modification date nothing has changed.
            return None
        weight = len(update.changed) - ("LastModifiedDate" in update.changed)
        return _Told(kind=kind, update=update, key=(fields.entity, orjson.dumps(update.payload)), weight=weight)
    if kind == "DELETE":
        return _Told(kind=kind, update=_NOTHING, key=(fields.entity, kind))
    if kind is not None and after is not None:
        return _Told(kind=kind, update=Update(payload=fields.whole(after, new=kind == "CREATE")))
    return None


def _untold(change: _Change) -> _Told:
    """What counts of changes that are not selected: those of one kind as one event."""
    kind = change.kind or ""
    return _Told(kind=kind, update=_NOTHING, key=(change.sobject, kind))


def _changes(entries: Sequence[Entry], database: Database) -> Iterator[_Change]:
    """Sum up what has happened to each record, in the order in which it happened first.

    One event tells several operations on a record, with the data that are committed in the end. What it tells of a
    record that is changed and then deleted is not documented; here it is that it is gone, or a replica would keep it.
    """
    by_record: dict[str, list[Entry]] = {}
    for entry in entries:
        known = by_record.get(entry.record_id)
        if known is None:
            by_record[entry.record_id] = [entry]
        else:
            known.append(entry)
    for record_id, of_record in by_record.items():
        first = of_record[0]
        if len(of_record) == 1 and first.kind is Kind.CREATE:
            # Of many records no more is told.
            yield _Change(first.sobject, record_id, None, first.columns)
            continue
        operations = [entry.kind for entry in of_record if entry.kind is not Kind.TOUCH]
        was_there = first.kind not in (Kind.CREATE, Kind.UNDELETE)
        is_there = not operations or operations[-1] is not Kind.DELETE
        after, columns = _after(of_record, database) if is_there else (None, None)
        yield _Change(
            first.sobject,
            record_id,
            _alive(first.before or {}) if was_there else None,
            _alive(after),
            columns,
            restored=Kind.UNDELETE in operations and first.kind is not Kind.CREATE,
            touched=not operations,
        )


def _alive(row: Row | None) -> Row | None:
    """A row, unless it is in the recycle bin: what the org writes there is told when it comes back."""
    return None if row is None or row.get("IsDeleted") else row


def _after(entries: Sequence[Entry], database: Database) -> tuple[Row | None, Iterable[str] | None]:
    """The row as it is committed, and the columns that may have changed."""
    first = entries[0]
    if len(entries) > 1 or first.columns is None:
        return database.find(first.sobject, first.record_id), None
    if first.before is None:
        return first.columns, None
    return {**first.before, **first.columns}, first.columns
