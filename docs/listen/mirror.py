"""Keep a copy of the org's accounts in an SQLite database.

    python mirror.py accounts.db            # until it is told to stop: under systemd, in a container
    python mirror.py accounts.db --drain    # what has happened since the last run, then the end: in a cron job

The first run copies all accounts, and whatever Salesforce still keeps of their changes is laid over them in its order.
From then on only changes are read. However it ends, the next run goes on where this one was: a change that comes twice
does no more than one that comes once.

It logs in with the variables of `Salesforce.from_env()`. Account must be selected for Change Data Capture in Setup.
"""

import argparse
import sqlite3
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from sfconnector import ChangeEvent, FileReplayStore, GapEvent, Salesforce, errors, soql

CHANNEL: Final = "/data/AccountChangeEvent"
FIELDS: Final = ("Name", "Industry", "Phone")
TABLE: Final = "CREATE TABLE IF NOT EXISTS account (id TEXT PRIMARY KEY, name TEXT, industry TEXT, phone TEXT)"


class Mirror:
    """Writes what events say into the database: the same event once more changes nothing."""

    def __init__(self, sf: Salesforce, path: Path) -> None:
        self.sf = sf
        # Handlers run in a thread of the listener, one at a time, and on_error may run in another one.
        self.lock = threading.Lock()
        self.database = sqlite3.connect(path, check_same_thread=False)
        self.database.execute(TABLE)

    def refresh(self) -> None:
        """Copy all accounts, unless that is done and nothing has been missed since."""
        with self.lock:
            complete = self.database.execute("PRAGMA user_version").fetchone() == (1,)
        if not complete:
            self.load()

    def load(self) -> None:
        """Copy all accounts anew."""
        with self.lock, self.database:
            self.database.execute("DELETE FROM account")
            for account in self.sf.query("SELECT Id, Name, Industry, Phone FROM Account"):
                self._put(account["Id"], account)
            self.database.execute("PRAGMA user_version = 1")

    def on_create(self, event: ChangeEvent) -> None:
        self.refresh()
        with self.lock, self.database:
            for record_id in event.record_ids:
                self._put(record_id, event.fields)

    on_restore = on_create

    def on_update(self, event: ChangeEvent) -> None:
        self.refresh()
        changed = [name for name in FIELDS if name in event.fields]
        if event.is_wildcard:
            self.load()
        if event.is_wildcard or not changed:
            return
        settings = ", ".join(f"{name.lower()} = ?" for name in changed)
        values = [event.fields[name] for name in changed]
        with self.lock, self.database:
            for record_id in event.record_ids:
                self.database.execute(f"UPDATE account SET {settings} WHERE id = ?", [*values, record_id])

    def on_delete(self, event: ChangeEvent) -> None:
        self.refresh()
        self._remove(event.record_ids)

    def on_gap(self, event: GapEvent) -> None:
        """Read again what Salesforce cannot tell the change of."""
        self.refresh()
        if event.is_overflow or event.is_wildcard:
            self.load()
            return
        query = soql("SELECT Id, Name, Industry, Phone FROM Account WHERE Id IN {ids}", ids=event.record_ids)
        found = {account["Id"]: account for account in self.sf.query(query)}
        self._remove(set(event.record_ids) - found.keys())
        with self.lock, self.database:
            for record_id, account in found.items():
                self._put(record_id, account)

    def on_error(self, error: Exception) -> None:
        print(error, file=sys.stderr)
        if isinstance(error, errors.ReplayExpiredError):
            # What happened before the oldest event that is still kept is told by no event any more. If reading it
            # fails now, the next event or the next run tries again.
            with self.lock:
                self.database.execute("PRAGMA user_version = 0")
            self.refresh()

    def _put(self, record_id: str, fields: Mapping[str, Any]) -> None:
        row = [record_id, *(fields.get(name) for name in FIELDS)]
        self.database.execute("INSERT OR REPLACE INTO account VALUES (?, ?, ?, ?)", row)

    def _remove(self, record_ids: Iterable[str]) -> None:
        with self.lock, self.database:
            self.database.executemany("DELETE FROM account WHERE id = ?", [(record_id,) for record_id in record_ids])


def main() -> int:
    parser = argparse.ArgumentParser(description="Keep a copy of the org's accounts.")
    parser.add_argument("database", type=Path)
    parser.add_argument(
        "--drain", type=float, nargs="?", const=5.0, metavar="SECONDS", help="end when nothing has come for so long"
    )
    options = parser.parse_args()
    replay = FileReplayStore(options.database.with_suffix(".replay"))
    try:
        with Salesforce.from_env() as sf:
            mirror = Mirror(sf, options.database)
            mirror.refresh()
            listener = sf.listener(name="mirror", replay=replay, replay_from="earliest")
            listener.attach(CHANNEL, mirror)
            listener.run(signals=True, idle=options.drain)
    except (errors.SalesforceError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
