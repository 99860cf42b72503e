"""Background runs of reports: from New over Running to Success or Error, and gone after a day.

https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_instances_summaryasync.htm
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

from sfconnector.testing import _ids
from sfconnector.testing._database import Database
from sfconnector.testing._reports._refusals import not_found

NEW: Final = "New"
RUNNING: Final = "Running"
SUCCESS: Final = "Success"
ERROR: Final = "Error"

_KEPT: Final = timedelta(hours=24)
_LARGEST_LIST: Final = 2_000
# A run has ended once somebody has looked at it twice, and at the latest after so long.
_LONGEST: Final = timedelta(seconds=5)
_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS "sf:report_instance" (
        id TEXT PRIMARY KEY, report TEXT NOT NULL, owner TEXT NOT NULL, status TEXT NOT NULL, details INTEGER NOT NULL,
        requested TEXT NOT NULL, completed TEXT, saved TEXT NOT NULL, metadata TEXT NOT NULL, result TEXT)
"""


@attrs.frozen(kw_only=True)
class Instance:
    """One background run.

    Args:
        report: id of the report.
        requested: ISO 8601, like ``completed``.
        saved: the report's metadata at the time of the request.
        metadata: what is run: the same, with the changes of the request.
        result: the answer without its attributes, once there is one.
    """

    id: str
    report: str
    owner: str
    status: str
    details: bool
    requested: str
    completed: str | None
    saved: Mapping[str, Any] = attrs.field(repr=False)
    metadata: Mapping[str, Any] = attrs.field(repr=False)
    result: Mapping[str, Any] | None = attrs.field(default=None, repr=False)

    @property
    def ended(self) -> bool:
        return self.status in (SUCCESS, ERROR)


@attrs.frozen
class Instances:
    """The background runs of one org."""

    database: Database
    clock: Callable[[], datetime]

    def __attrs_post_init__(self) -> None:
        self.database.write(_TABLE)

    def start(self, saved: Mapping[str, Any], metadata: Mapping[str, Any], owner: str, *, details: bool) -> Instance:
        """Take down a new run."""
        with self.database.transaction():
            instance = Instance(
                id=_ids.make("0LG", self.database.count_up("id:0LG")),
                report=saved["id"],
                owner=owner,
                status=NEW,
                details=details,
                requested=_text(self.clock()),
                completed=None,
                saved=saved,
                metadata=metadata,
            )
            columns = attrs.asdict(instance, recurse=False)
            columns |= {key: json.dumps(columns[key]) for key in ("saved", "metadata")}
            self.database.insert("sf:report_instance", columns)
        return instance

    def get(self, report_id: str, instance_id: str) -> Instance:
        """A run of a report.

        Raises:
            OrgError: 404 for one that is not there, or no longer.
        """
        self._forget()
        normal = _ids.normalize(instance_id)
        row = self.database.row('SELECT * FROM "sf:report_instance" WHERE id = ? AND report = ?', [normal, report_id])
        if row is None:
            raise not_found()
        return _read(row)

    def of_report(self, report_id: str) -> list[Instance]:
        """The runs of a report, the latest first."""
        self._forget()
        rows = self.database.rows(
            'SELECT * FROM "sf:report_instance" WHERE report = ? ORDER BY requested DESC, id DESC LIMIT ?',
            [report_id, _LARGEST_LIST],
        )
        return [_read(row) for row in rows]

    def look(self, instance: Instance, run: Callable[[Instance], Mapping[str, Any] | None]) -> Instance:
        """Let a run go on by one step.

        Args:
            run: runs the report; ``None`` if that fails.
        """
        if instance.ended:
            return instance
        waited = self.clock() - datetime.fromisoformat(instance.requested)
        if instance.status == NEW and waited < _LONGEST:
            following = attrs.evolve(instance, status=RUNNING)
        else:
            result = run(instance)
            status = ERROR if result is None else SUCCESS
            following = attrs.evolve(instance, status=status, completed=_text(self.clock()), result=result)
        result_text = None if following.result is None else json.dumps(following.result)
        self.database.write(
            'UPDATE "sf:report_instance" SET status = ?, completed = ?, result = ? WHERE id = ?',
            [following.status, following.completed, result_text, following.id],
        )
        return following

    def drop(self, instance: Instance) -> None:
        self.database.write('DELETE FROM "sf:report_instance" WHERE id = ?', [instance.id])

    def drop_unfinished(self, report_id: str) -> None:
        """Forget the runs of a report that have not ended, as saving or deleting it does."""
        self.database.write(
            'DELETE FROM "sf:report_instance" WHERE report = ? AND status IN (?, ?)', [report_id, NEW, RUNNING]
        )

    def _forget(self) -> None:
        oldest = _text(self.clock() - _KEPT)
        self.database.write('DELETE FROM "sf:report_instance" WHERE requested <= ?', [oldest])


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(row: sqlite3.Row) -> Instance:
    columns = dict(row)
    result = columns["result"]
    return Instance(
        **columns
        | {
            "details": bool(columns["details"]),
            "saved": json.loads(columns["saved"]),
            "metadata": json.loads(columns["metadata"]),
            "result": None if result is None else json.loads(result),
        }
    )
