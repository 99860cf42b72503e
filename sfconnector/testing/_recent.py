"""Which records the user viewed or referenced last: ``FOR VIEW`` and ``FOR REFERENCE`` mark them.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_recentlyviewed.htm
"""

import json
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

import attrs

from sfconnector.testing._database import Database, quote
from sfconnector.testing._schema import Schema, SObjectType

KEPT = 200
_VIEWED, _REFERENCED = "LastViewedDate", "LastReferencedDate"


@attrs.frozen
class Recent:
    """The latest records of one org; the caller holds the transaction."""

    schema: Schema
    database: Database

    def mark(self, sobject: SObjectType, ids: Iterable[str], now: str, *, viewed: bool) -> None:
        """Note that records were viewed, and thereby referenced, or only referenced."""
        columns = [name for name in (_VIEWED, _REFERENCED)[0 if viewed else 1 :] if name in sobject.fields]
        if columns:
            settings = ", ".join(f"{quote(name)} = :now" for name in columns)
            self.database.write(
                f'UPDATE {quote(sobject.name)} SET {settings} WHERE "Id" IN (SELECT value FROM json_each(:ids))',
                {"now": now, "ids": json.dumps(list(ids))},
            )

    def records(self, version: str, *, sobject: SObjectType | None = None, limit: int = KEPT) -> list[dict[str, Any]]:
        """The records viewed or referenced last, of one object or of all, the latest first."""
        searched = self.schema if sobject is None else [sobject]
        found = [entry for one in searched for entry in self._of(one, version, limit)]
        found.sort(key=itemgetter(0), reverse=True)
        return [record for _, record in found[:limit]]

    def _of(self, sobject: SObjectType, version: str, limit: int) -> Iterable[tuple[str, dict[str, Any]]]:
        name = sobject.name_field
        if name is None or not {_VIEWED, _REFERENCED} <= sobject.fields.keys():
            return []
        alive = 'AND "IsDeleted" = 0' if "IsDeleted" in sobject.fields else ""
        rows = self.database.rows(
            f"""
            SELECT "Id", {quote(name.name)} AS name,
                MAX(COALESCE("{_VIEWED}", ''), COALESCE("{_REFERENCED}", '')) AS seen
            FROM {quote(sobject.name)} WHERE seen > '' {alive} ORDER BY seen DESC, "Id" DESC LIMIT ?
            """,
            [limit],
        )
        url = f"/services/data/v{version}/sobjects/{sobject.name}"
        return [
            (
                row["seen"],
                {
                    "attributes": {"type": sobject.name, "url": f"{url}/{row['Id']}"},
                    "Id": row["Id"],
                    name.name: row["name"],
                },
            )
            for row in rows
        ]
