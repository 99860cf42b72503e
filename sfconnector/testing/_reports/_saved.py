"""The reports that the org has saved: their metadata, and what SOQL sees of them.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_report.htm
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import attrs

from sfconnector.testing import _ids
from sfconnector.testing._database import Database
from sfconnector.testing._reports._refusals import bad_request, not_found
from sfconnector.testing._values import now_text

_LARGEST_LIST: Final = 200
_LONGEST_NAME: Final = 40
_LONGEST_DEVELOPER_NAME: Final = 80
_FORMATS: Final = {"TABULAR": "Tabular", "SUMMARY": "Summary", "MATRIX": "Matrix"}
_TABLE: Final = 'CREATE TABLE IF NOT EXISTS "sf:report" (id TEXT PRIMARY KEY, metadata TEXT NOT NULL)'


@attrs.frozen
class SavedReports:
    """The saved reports of one org.

    Args:
        insert: writes a row with an id and the audit columns, and returns the id.
    """

    database: Database
    insert: Callable[[str, Mapping[str, Any]], str]
    clock: Callable[[], datetime]

    def __attrs_post_init__(self) -> None:
        self.database.write(_TABLE)

    def add(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Save a new report; return its metadata, with the id and the name that it has got.

        Raises:
            OrgError: 400 for a name or a folder that cannot be.
        """
        with self.database.transaction():
            name = metadata.get("developerName") or self._free_name(metadata["name"] or "")
            complete = {**metadata, "developerName": name}
            report_id = self.insert("Report", {**self._row(complete), **self._seen()})
            complete["id"] = report_id
            self.database.write('INSERT INTO "sf:report" VALUES (?, ?)', [report_id, json.dumps(complete)])
        return complete

    def get(self, report_id: str) -> dict[str, Any]:
        """The metadata of a report.

        Raises:
            OrgError: 404 for a report that is not there, or is deleted.
        """
        normal = _ids.normalize(report_id)
        row = None if normal is None else self.database.find("Report", normal)
        if row is None or row["IsDeleted"]:
            raise not_found()
        saved = self.database.row('SELECT metadata FROM "sf:report" WHERE id = ?', [row["Id"]])
        if saved is None:
            raise not_found()
        metadata: dict[str, Any] = json.loads(saved["metadata"])
        return metadata

    def save(self, metadata: Mapping[str, Any], user_id: str) -> None:
        """Save changes of a report.

        Raises:
            OrgError: 400 for a name or a folder that cannot be.
        """
        now = now_text(self.clock())
        stamps = {"LastModifiedDate": now, "LastModifiedById": user_id, "SystemModstamp": now}
        with self.database.transaction():
            self.database.update("Report", metadata["id"], {**self._row(metadata), **stamps})
            values = [json.dumps(metadata), metadata["id"]]
            self.database.write('UPDATE "sf:report" SET metadata = ? WHERE id = ?', values)

    def note_run(self, report_id: str) -> None:
        """Remember that a report was run, and thereby viewed."""
        self.database.update("Report", report_id, {"LastRunDate": now_text(self.clock()), **self._seen()})

    def recent(self) -> list[tuple[str, str]]:
        """Ids and names of the reports viewed last, the latest first."""
        rows = self.database.rows(
            'SELECT "Id", "Name" FROM "Report" WHERE "IsDeleted" = 0 AND "LastViewedDate" IS NOT NULL '
            'ORDER BY "LastViewedDate" DESC, "Id" DESC LIMIT ?',
            [_LARGEST_LIST],
        )
        return [(row["Id"], row["Name"]) for row in rows]

    def _seen(self) -> dict[str, str]:
        now = now_text(self.clock())
        return {"LastViewedDate": now, "LastReferencedDate": now}

    def _row(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        name = metadata.get("name")
        if not name:
            raise bad_request("The report name can’t be null.")
        if len(name) > _LONGEST_NAME:
            raise bad_request(f"The report name can’t be longer than {_LONGEST_NAME} characters.")
        folder_id, folder = self._folder(metadata.get("folderId"))
        return {
            "Name": name,
            "DeveloperName": metadata["developerName"],
            "Description": metadata.get("description"),
            "Format": _FORMATS[metadata["reportFormat"]],
            "OwnerId": folder_id,
            "FolderName": folder,
        }

    def _folder(self, folder_id: str | None) -> tuple[str, str]:
        """A folder's id and name; a user's id stands for the private reports, the org's for the unfiled public ones."""
        if folder_id is None:
            raise bad_request("The report folder ID can’t be null.")
        normal = _ids.normalize(folder_id)
        for sobject, name in (("User", "Private Reports"), ("Organization", "Public Reports"), ("Folder", None)):
            row = None if normal is None else self.database.find(sobject, normal)
            if row is not None and (name is not None or row["Type"] == "Report"):
                return str(row["Id"]), str(name or row["Name"])
        raise bad_request("The report folder ID must be a valid folder ID.")

    def _free_name(self, name: str) -> str:
        """Make an API name of a display name; a number makes it another one where it is taken."""
        stem = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")[: _LONGEST_DEVELOPER_NAME - 4] or "Report"
        stem = stem if stem[0].isalpha() else f"X{stem}"
        taken = {row[0] for row in self.database.rows('SELECT "DeveloperName" FROM "Report"')}
        numbered = (f"{stem}{number}" for number in range(1, len(taken) + 1))
        return next(free for free in (stem, *numbered) if free not in taken)
