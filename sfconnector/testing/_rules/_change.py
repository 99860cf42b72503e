"""A record that is being written, as the rules see it, and what one object's rules consist of."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import attrs

from sfconnector.testing._database import Database, quote
from sfconnector.testing._errors import OrgError

Columns: TypeAlias = dict[str, Any]
Row: TypeAlias = Mapping[str, Any]


@attrs.frozen
class Change:
    """A record that is being written: as it was (empty for a new one), what is set, and as it will be.

    ``user_id`` is who writes it; ``insert`` makes a record of the org's own and returns its id.
    """

    database: Database
    before: Row
    given: Row
    now: str
    user_id: str
    insert: Callable[[str, Row], str]

    @property
    def after(self) -> Columns:
        return {**self.before, **self.given}

    @property
    def creates(self) -> bool:
        return not self.before

    def changed(self, *names: str) -> bool:
        """Tell whether a column gets another value; for a new record each does."""
        return self.creates or any(self.before.get(name) != self.after.get(name) for name in names)

    def look_up(self, sobject: str, column: str, value: Any) -> Row:
        """Read the row with this value, or nothing."""
        if value is None:
            return {}
        row = self.database.row(f"SELECT * FROM {quote(sobject)} WHERE {quote(column)} = ?", [value])
        return {} if row is None else dict(row)

    @property
    def today(self) -> date:
        return date.fromisoformat(self.now[:10])

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the user."""
        return ZoneInfo(self.look_up("User", "Id", self.user_id).get("TimeZoneSidKey") or "GMT")


@attrs.frozen(kw_only=True)
class Rules:
    """What holds for one object besides what its fields say.

    Args:
        derive: The columns that follow from a change; it may refuse the change.
        follow: Writes what other records take from the record, once it is written.
        roll_up: Computes again what a parent sums up, after the row was written, deleted or brought back.
        hold: Refuses the deletion of a row.
        hold_alone: Refuses the deletion of a row that is not deleted with its parent.
    """

    derive: Callable[[Change], Columns] | None = None
    follow: Callable[[Change], None] | None = None
    roll_up: Callable[[Database, Row], None] | None = None
    hold: Callable[[Database, Row], None] | None = None
    hold_alone: Callable[[Database, Row], None] | None = None


def integrity(reason: str, *fields: str) -> OrgError:
    """Refuse values that do not fit together, as a ``FIELD_INTEGRITY_EXCEPTION``."""
    return OrgError(400, "FIELD_INTEGRITY_EXCEPTION", reason, fields)


def missing(*fields: str) -> OrgError:
    """Refuse a record without fields that this one needs."""
    return OrgError(400, "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(fields)}]", fields)
