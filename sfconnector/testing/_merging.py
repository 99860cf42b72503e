"""Merging of records: one stays, and what belonged to the others becomes its own.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_merge.htm
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import attrs

from sfconnector.testing._context import RequestContext
from sfconnector.testing._database import Database, quote
from sfconnector.testing._errors import OrgError
from sfconnector.testing._schema import ChildRelationship, Schema, SObjectType
from sfconnector.testing._trash import Trash
from sfconnector.testing._values import now_text
from sfconnector.testing._writer import Writer

MERGEABLE: Final = frozenset({"Account", "Case", "Contact", "Lead"})
# With the one that stays.
_MOST: Final = 3
_HIERARCHIES: Final = {"Account": "ParentId", "Case": "ParentId", "Contact": "ReportsToId"}
# What joins a record to another object once only, by the field that names that one.
_JOINED_BY: Final = {
    "CampaignMember": "CampaignId",
    "ContentDocumentLink": "ContentDocumentId",
    "OpportunityContactRole": "OpportunityId",
}


@attrs.frozen(kw_only=True)
class Merged:
    """What a merge has done: the record that stays, those that went, and the related ones that moved."""

    id: str
    merged_ids: tuple[str, ...]
    related_ids: tuple[str, ...]


@attrs.frozen
class Merger:
    """Merges the records of one org; the caller holds the transaction."""

    schema: Schema
    database: Database
    writer: Writer
    trash: Trash
    clock: Callable[[], datetime]

    def merge(
        self,
        sobject: SObjectType,
        master_id: str,
        columns: dict[str, Any],
        merged_ids: Sequence[str],
        context: RequestContext,
    ) -> Merged:
        """Merge records of one object into one of them, and set columns of that one.

        Raises:
            OrgError: There are too many records, one of them cannot be merged, or the columns are refused.
        """
        master = self.writer.existing(sobject, master_id)
        losers = [self.writer.existing(sobject, record_id) for record_id in merged_ids]
        _check_records(sobject, [master, *losers])
        columns = self._with_manager(sobject, master, columns, losers)
        # A merge is what duplicate rules ask for.
        self.writer.update(sobject, master, columns, attrs.evolve(context, skips_duplicate_rules=True))
        related: list[str] = []
        for loser in losers:
            related += self._adopt(sobject, master["Id"], loser["Id"], context)
            self.trash.delete(sobject, loser["Id"], context, now_text(self.clock()))
            self.database.update(sobject.name, loser["Id"], {"MasterRecordId": master["Id"]})
        self._check_hierarchy(sobject, master["Id"])
        gone = tuple(loser["Id"] for loser in losers)
        return Merged(
            id=master["Id"],
            merged_ids=gone,
            related_ids=tuple(dict.fromkeys(each for each in related if each not in gone)),
        )

    def _with_manager(
        self, sobject: SObjectType, master: dict[str, Any], columns: dict[str, Any], losers: Sequence[dict[str, Any]]
    ) -> dict[str, Any]:
        """A contact without a manager gets that of another."""
        if sobject.name != "Contact" or master["ReportsToId"] is not None or "ReportsToId" in columns:
            return columns
        managers = [loser["ReportsToId"] for loser in losers if loser["ReportsToId"] is not None]
        return {**columns, "ReportsToId": managers[0]} if managers else columns

    def _adopt(self, sobject: SObjectType, master_id: str, loser_id: str, context: RequestContext) -> Iterator[str]:
        """Make the related records of one record those of another, and tell their ids."""
        for relationship in self.schema.child_relationships(sobject.name):
            if relationship.field == "MasterRecordId":
                continue
            child = self.schema.get(relationship.child_sobject)
            assert child is not None  # noqa: S101  # the relationship is its own
            for row in self._children(child, relationship, loser_id):
                if self._is_there(child, relationship, row, master_id):
                    continue
                self.writer.write(child, row, {relationship.field: master_id}, context)
                yield row["Id"]

    def _children(self, child: SObjectType, relationship: ChildRelationship, parent_id: str) -> list[dict[str, Any]]:
        alive = 'AND "IsDeleted" = 0' if "IsDeleted" in child.fields else ""
        rows = self.database.rows(
            f'SELECT * FROM {quote(child.name)} WHERE {quote(relationship.field)} = ? {alive} ORDER BY "Id"',
            [parent_id],
        )
        return [dict(row) for row in rows]

    def _is_there(
        self, child: SObjectType, relationship: ChildRelationship, row: dict[str, Any], master_id: str
    ) -> bool:
        """Tell whether the record that stays has the same already: then the other goes with its parent."""
        other = _JOINED_BY.get(child.name)
        if other is None:
            return False
        found = self.database.row(
            f"SELECT 1 FROM {quote(child.name)} WHERE {quote(relationship.field)} = ? AND {quote(other)} = ? "
            'AND "IsDeleted" = 0',
            [master_id, row[other]],
        )
        return found is not None

    def _check_hierarchy(self, sobject: SObjectType, master_id: str) -> None:
        field = _HIERARCHIES.get(sobject.name)
        if field is None:
            return
        seen, above = {master_id}, self._above(sobject, field, master_id)
        while above is not None:
            if above in seen:
                raise OrgError(400, "CIRCULAR_DEPENDENCY", "attempt to violate hierarchy constraints", [field])
            seen.add(above)
            above = self._above(sobject, field, above)

    def _above(self, sobject: SObjectType, field: str, record_id: str) -> str | None:
        row = self.database.find(sobject.name, record_id)
        return None if row is None else row[field]


def _check_records(sobject: SObjectType, records: Sequence[dict[str, Any]]) -> None:
    if len(records) > _MOST:
        raise OrgError(400, "MERGE_FAILED", f"Up to {_MOST} records can be merged, the master record included", ())
    if len({record["Id"] for record in records}) < len(records):
        raise OrgError(400, "MERGE_FAILED", "A record cannot be merged with itself", ())
    if sobject.name == "Lead" and any(record["IsConverted"] for record in records):
        raise OrgError(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", ())
