"""The recycle bin: what goes with a deleted record, what comes back with it, and what forbids the deletion.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_delete.htm
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_undelete.htm
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs

from sfconnector.testing._blobs import Blobs
from sfconnector.testing._context import RequestContext
from sfconnector.testing._database import Database, quote
from sfconnector.testing._errors import OrgError
from sfconnector.testing._journal import Kind
from sfconnector.testing._rules import hold, roll_up
from sfconnector.testing._schema import ChildRelationship, Schema, SObjectType
from sfconnector.testing._validation import Validator
from sfconnector.testing._values import now_text

_KEPT_DAYS = 15
_REPLICATION_DAYS = 30


@attrs.frozen
class Trash:
    """Deletes and brings back the records of one org; the caller holds the transaction."""

    schema: Schema
    database: Database
    validator: Validator
    blobs: Blobs

    def delete(self, sobject: SObjectType, record_id: str, context: RequestContext, now: str) -> None:
        """Delete a record and its details; lookups to it are emptied, restricted ones forbid it."""
        doomed = dict(self._tree(sobject, record_id))
        rows = {lost_id: self.database.find(lost.name, lost_id) or {} for lost_id, lost in doomed.items()}
        for lost_id, lost in doomed.items():
            self._check_restrictions(lost, lost_id, doomed)
            hold(lost, self.database, rows[lost_id], alone=lost_id == record_id)
        for lost_id, lost in doomed.items():
            self._clear_lookups(lost, lost_id, record_id, doomed)
            self._remove(lost, lost_id, record_id, context, now)
            self.database.journal.note(Kind.DELETE, lost.name, lost_id, rows[lost_id], None, context)
        for lost_id, lost in doomed.items():
            roll_up(lost, self.database, [rows[lost_id]])

    def undelete(self, sobject: SObjectType, record_id: str, context: RequestContext, now: str) -> None:
        """Bring back a record with all that was deleted along with it."""
        row = self.database.find(sobject.name, record_id)
        if row is None or not row.get("IsDeleted"):
            raise OrgError(400, "UNDELETE_FAILED", "Entity is not in the recycle bin", ())
        for parent, parent_id in self._masters(sobject, row):
            found = self.database.find(parent.name, parent_id)
            if found is None or found.get("IsDeleted"):
                raise OrgError(400, "UNDELETE_FAILED", f"The parent record {parent_id} is deleted", ())
        restored = self.database.rows('SELECT id, sobject FROM "sf:deleted" WHERE root = ? OR id = ?', [record_id] * 2)
        for entry in restored:
            self._restore(entry["sobject"], entry["id"], context, now)
        for entry in self.database.rows('SELECT * FROM "sf:cleared" WHERE root = ?', [record_id]):
            table, column = quote(entry["sobject"]), quote(entry["field"])
            still_empty = f'"Id" = ? AND {column} IS NULL'
            self.database.touch(entry["sobject"], still_empty, [entry["id"]])
            self.database.write(f"UPDATE {table} SET {column} = ? WHERE {still_empty}", [entry["value"], entry["id"]])
        self.database.write('DELETE FROM "sf:cleared" WHERE root = ?', [record_id])
        for entry in restored:
            if back := self.database.find(entry["sobject"], entry["id"]):
                roll_up(self._sobject(entry["sobject"]), self.database, [back])

    def purge(self, sobject: SObjectType, record_id: str) -> None:
        """Remove a deleted record, and what was deleted with it, for good."""
        row = self.database.find(sobject.name, record_id)
        if row is None or not row.get("IsDeleted"):
            raise OrgError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ())
        for entry in self.database.rows(
            'SELECT id, sobject FROM "sf:deleted" WHERE root = ? OR id = ?', [record_id] * 2
        ):
            self._drop(entry["sobject"], entry["id"])

    def deleted(self, sobject: SObjectType, start: datetime, end: datetime, now: datetime) -> dict[str, Any]:
        """Tell what was deleted in a span of time.

        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getdeleted.htm
        """
        _check_span(start, end, now)
        rows = self.database.rows(
            'SELECT id, deleted FROM "sf:deleted" WHERE sobject = ? AND deleted BETWEEN ? AND ? ORDER BY deleted, id',
            [sobject.name, now_text(start), now_text(end)],
        )
        return {
            "deletedRecords": [{"id": row["id"], "deletedDate": row["deleted"]} for row in rows],
            "earliestDateAvailable": now_text(now - timedelta(days=_KEPT_DAYS)),
            "latestDateCovered": now_text(min(end, now)),
        }

    def updated(self, sobject: SObjectType, start: datetime, end: datetime, now: datetime) -> dict[str, Any]:
        """Tell what was created or changed in a span of time.

        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getupdated.htm
        """
        _check_span(start, end, now)
        alive = 'AND "IsDeleted" = 0' if "IsDeleted" in sobject.fields else ""
        stamp = quote("SystemModstamp" if "SystemModstamp" in sobject.fields else "LastModifiedDate")
        rows = self.database.rows(
            f'SELECT "Id" FROM {quote(sobject.name)} WHERE {stamp} BETWEEN ? AND ? {alive} ORDER BY {stamp}, "Id"',
            [now_text(start), now_text(end)],
        )
        return {"ids": [row["Id"] for row in rows], "latestDateCovered": now_text(min(end, now))}

    def _tree(self, sobject: SObjectType, record_id: str) -> Iterator[tuple[str, SObjectType]]:
        """List a record and the details below it, each once, parents first."""
        seen = {record_id}
        waiting = [(record_id, sobject)]
        while waiting:
            parent_id, parent = waiting.pop(0)
            yield parent_id, parent
            for relationship in self.schema.child_relationships(parent.name):
                if not relationship.cascade_delete:
                    continue
                child = self._sobject(relationship.child_sobject)
                for row in self._children(relationship, parent_id):
                    if row["Id"] not in seen:
                        seen.add(row["Id"])
                        waiting.append((row["Id"], child))

    def _check_restrictions(self, sobject: SObjectType, record_id: str, doomed: dict[str, SObjectType]) -> None:
        for relationship in self.schema.child_relationships(sobject.name):
            if not relationship.restricted_delete:
                continue
            holding = [row for row in self._children(relationship, record_id) if row["Id"] not in doomed]
            if holding:
                child = self._sobject(relationship.child_sobject)
                raise OrgError(
                    400,
                    "DELETE_FAILED",
                    f"Your attempt to delete {self._name(sobject, record_id)} could not be completed because it is "
                    f"associated with the following {child.label_plural.lower()}.: "
                    f"{', '.join(self._name(child, row['Id']) for row in holding)}\n",
                    (),
                )

    def _clear_lookups(self, sobject: SObjectType, record_id: str, root: str, doomed: dict[str, SObjectType]) -> None:
        for relationship in self.schema.child_relationships(sobject.name):
            field = self._sobject(relationship.child_sobject).fields[relationship.field]
            if relationship.cascade_delete or not field.nillable:
                continue
            table, column = quote(relationship.child_sobject), quote(field.name)
            for row in self._children(relationship, record_id):
                if row["Id"] not in doomed:
                    self.database.write(
                        'INSERT INTO "sf:cleared" VALUES (?, ?, ?, ?, ?)',
                        [root, relationship.child_sobject, row["Id"], field.name, record_id],
                    )
                    self.database.touch(relationship.child_sobject, '"Id" = ?', [row["Id"]])
                    self.database.write(f'UPDATE {table} SET {column} = NULL WHERE "Id" = ?', [row["Id"]])

    def _remove(self, sobject: SObjectType, record_id: str, root: str, context: RequestContext, now: str) -> None:
        self.database.write(
            'INSERT OR REPLACE INTO "sf:deleted" VALUES (?, ?, ?, ?)', [record_id, sobject.name, root, now]
        )
        if "IsDeleted" in sobject.fields:
            self.database.update(sobject.name, record_id, {"IsDeleted": 1, **_modified(sobject, context, now)})
        else:
            self.blobs.drop_of(sobject, record_id)
            self.database.write(f'DELETE FROM {quote(sobject.name)} WHERE "Id" = ?', [record_id])

    def _restore(self, name: str, record_id: str, context: RequestContext, now: str) -> None:
        sobject = self._sobject(name)
        row = self.database.find(name, record_id)
        if row is not None:
            self.validator.check_unique(sobject, {key: row[key] for key in sobject.fields if key in row}, record_id)
            # What a merge has put here is itself again.
            merged = {"MasterRecordId": None} if "MasterRecordId" in sobject.fields else {}
            self.database.update(name, record_id, {"IsDeleted": 0, **merged, **_modified(sobject, context, now)})
            self.database.journal.note(Kind.UNDELETE, name, record_id, context=context)
        self.database.write('DELETE FROM "sf:deleted" WHERE id = ?', [record_id])

    def _drop(self, name: str, record_id: str) -> None:
        self.blobs.drop_of(self._sobject(name), record_id)
        self.database.write(f'DELETE FROM {quote(name)} WHERE "Id" = ? AND "IsDeleted" = 1', [record_id])
        self.database.write('DELETE FROM "sf:cleared" WHERE root = ? OR id = ?', [record_id] * 2)

    def _children(self, relationship: ChildRelationship, parent_id: str) -> Sequence[Any]:
        child = self._sobject(relationship.child_sobject)
        alive = 'AND "IsDeleted" = 0' if "IsDeleted" in child.fields else ""
        table, column = quote(child.name), quote(relationship.field)
        return self.database.rows(f'SELECT "Id" FROM {table} WHERE {column} = ? {alive}', [parent_id])

    def _masters(self, sobject: SObjectType, row: dict[str, Any]) -> Iterator[tuple[SObjectType, str]]:
        for field in sobject.fields.values():
            parent_id = row.get(field.name)
            if field.cascade_delete and parent_id is not None:
                parents = map(self.schema.get, field.reference_to)
                yield from ((parent, parent_id) for parent in parents if parent and parent.key_prefix == parent_id[:3])

    def _name(self, sobject: SObjectType, record_id: str) -> str:
        row = self.database.find(sobject.name, record_id) or {}
        field = sobject.name_field
        return str(row.get(field.name) or record_id) if field else record_id

    def _sobject(self, name: str) -> SObjectType:
        sobject = self.schema.get(name)
        assert sobject is not None  # noqa: S101  # its row names it
        return sobject


def _modified(sobject: SObjectType, context: RequestContext, now: str) -> dict[str, str]:
    stamps = {"LastModifiedDate": now, "LastModifiedById": context.user_id, "SystemModstamp": now}
    return {name: value for name, value in stamps.items() if name in sobject.fields}


def _check_span(start: datetime, end: datetime, now: datetime) -> None:
    if end - start < timedelta(minutes=1):
        raise OrgError(400, "INVALID_REPLICATION_DATE", "endDate must be at least one minute greater than startDate")
    if start < now - timedelta(days=_REPLICATION_DAYS):
        raise OrgError(400, "INVALID_REPLICATION_DATE", "startDate cannot be more than 30 days ago")
