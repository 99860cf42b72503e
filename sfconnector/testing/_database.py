"""The SQLite side of the org: one table an object, the org's own notes, one connection behind one lock."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs

from sfconnector.testing._journal import Journal, Kind
from sfconnector.testing._schema import Field, PicklistValue, SObjectType

_AFFINITIES = {
    "boolean": "INTEGER NOT NULL DEFAULT 0",
    "int": "INTEGER",
    "long": "INTEGER",
    "double": "REAL",
    "currency": "REAL",
    "percent": "REAL",
}
_COMPUTED = frozenset({"address", "location"})
# Names with a colon can be no object's.
_OWN_TABLES = """
    CREATE TABLE IF NOT EXISTS "sf:object" (name TEXT PRIMARY KEY, definition TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS "sf:counter" (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS "sf:deleted" (
        id TEXT PRIMARY KEY, sobject TEXT NOT NULL, root TEXT NOT NULL, deleted TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS "sf:deleted_root" ON "sf:deleted" (root);
    CREATE TABLE IF NOT EXISTS "sf:cleared" (
        root TEXT NOT NULL, sobject TEXT NOT NULL, id TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS "sf:blob" (key TEXT PRIMARY KEY);
"""


def quote(name: str) -> str:
    """Quote a table or column name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def is_stored(field: Field) -> bool:
    """Tell whether the field has a column; compound addresses and locations are computed from their parts."""
    return field.type not in _COMPUTED


def connect(path: str | Path) -> sqlite3.Connection:
    """Open the database with every function that the org's SQL uses."""
    # Imported here, because a schema alone needs neither the engine nor its grammar.
    from sfconnector.testing import _soql

    try:
        connection = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    try:
        # Each org holds its objects and counters in memory, too: a second one on the same file would miss changes.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error as error:
        connection.close()
        raise _unusable(path, error) from error
    connection.row_factory = sqlite3.Row
    _soql.register(connection)
    return connection


def _unusable(path: str | Path, error: sqlite3.Error) -> OSError:
    busy = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
    reason = "another org or program is using it" if busy else f"{error}"
    return OSError(f"The database {path} cannot be opened: {reason}")


@attrs.frozen
class _Level:
    """The statements of a transaction inside so many others."""

    begin: str
    roll_back: str
    end: str


# As many as the deepest nesting of transactions by far.
_LEVELS = [_Level(f"SAVEPOINT level{n}", f"ROLLBACK TO level{n}", f"RELEASE level{n}") for n in range(100)]


class _Transaction(AbstractContextManager[sqlite3.Connection]):
    """A block whose writes are kept together: written out, because one of these is entered for each row."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    def __enter__(self) -> sqlite3.Connection:
        return self._database.begin()

    def __exit__(self, kind: type[BaseException] | None, *details: object) -> None:
        self._database.end(keep=kind is None)


class Database:
    """A connection that one thread uses at a time, for as long as its transaction lasts."""

    def __init__(self, path: str | Path) -> None:
        self._connection = connect(path)
        self._lock = threading.RLock()
        self._depth = 0
        self._counted: dict[str, int] | None = None
        self.journal = Journal()
        # Called when an outermost transaction has ended, whichever way.
        self.at_end: list[Callable[[], None]] = []
        self._connection.executescript(_OWN_TABLES)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """Keep all that is written in the block, or, if it raises, nothing; blocks may be nested."""
        return _Transaction(self)

    def begin(self) -> sqlite3.Connection:
        self._lock.acquire()
        self._connection.execute(_LEVELS[self._depth].begin)
        self._depth += 1
        self.journal.enter()
        return self._connection

    def end(self, *, keep: bool) -> None:
        if keep and self._depth == 1:
            try:
                self.journal.tell()
            except BaseException:
                self._leave(keep=False)
                raise
        self._leave(keep=keep)

    def _leave(self, *, keep: bool) -> None:
        self._depth -= 1
        try:
            self.journal.leave(keep=keep)
            level = _LEVELS[self._depth]
            if not keep:
                self._connection.execute(level.roll_back)
            self._connection.execute(level.end)
            if self._depth == 0:
                for settle in self.at_end:
                    settle()
        finally:
            self._lock.release()

    @contextmanager
    def at_once(self) -> Iterator[bool]:
        """Have the connection for a block, if nobody has it; the block is told whether it does."""
        free = self._lock.acquire(blocking=False)
        try:
            yield free
        finally:
            if free:
                self._lock.release()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        with self._lock:
            found: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
            return found

    def write(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> None:
        with self._lock:
            self._connection.execute(sql, values)

    def insert(self, table: str, columns: dict[str, Any]) -> None:
        self.write(_insertion(table, tuple(columns)), list(columns.values()))

    def update(self, table: str, record_id: str, columns: dict[str, Any]) -> None:
        self.write(_change(table, tuple(columns)), [*columns.values(), record_id])

    def touch(self, table: str, condition: str, values: Sequence[Any]) -> None:
        """Note the records that the caller is about to change by SQL of its own."""
        if self.journal.told[table]:
            for row in self.rows(f"SELECT * FROM {quote(table)} WHERE {condition}", values):
                self.journal.note(Kind.TOUCH, table, row["Id"], dict(row))

    def find(self, table: str, record_id: str) -> dict[str, Any] | None:
        """Read a record, deleted or not, by its 18-character id."""
        with self._lock:
            cursor = self._connection.cursor()
            cursor.row_factory = None
            row = cursor.execute(f'SELECT * FROM {quote(table)} WHERE "Id" = ?', [record_id]).fetchone()
            return None if row is None else dict(zip((column[0] for column in cursor.description), row, strict=True))

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Keep the counters in memory for the block, which is part of a transaction and counts up often.

        What a nested transaction has counted stays so even if it is rolled back: numbers are left out then.
        """
        self._counted = {}
        try:
            yield
        finally:
            counted, self._counted = self._counted, None
            self._connection.executemany(
                'INSERT OR REPLACE INTO "sf:counter" (name, value) VALUES (?, ?)', counted.items()
            )

    def count_up(self, name: str, step: int = 1) -> int:
        """Take the next number of a counter: 1, 2, …; or so many, of which the last is returned."""
        if self._counted is not None:
            if name not in self._counted:
                known = self.row('SELECT value FROM "sf:counter" WHERE name = ?', [name])
                self._counted[name] = 0 if known is None else int(known[0])
            self._counted[name] += step
            return self._counted[name]
        row = self.row(
            'INSERT INTO "sf:counter" VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value '
            "RETURNING value",
            [name, step],
        )
        assert row is not None  # noqa: S101  # RETURNING always gives one
        return int(row[0])

    def extend(self, sobject: SObjectType) -> None:
        """Create the object's table, or add the columns that it lacks."""
        table = quote(sobject.name)
        stored = [field for field in sobject.fields.values() if is_stored(field)]
        have = {row["name"].lower() for row in self.rows(f"PRAGMA table_info({table})")}
        if not have:
            self.write(f"CREATE TABLE {table} ({', '.join(map(_column, stored))})")
        else:
            for field in stored:
                if field.name.lower() not in have:
                    self.write(f"ALTER TABLE {table} ADD COLUMN {_column(field)}")
        for field in stored:
            if field.name != "Id" and (expression := _indexed(field)):
                index = quote(f"{sobject.name}.{field.name}")
                self.write(f"CREATE INDEX IF NOT EXISTS {index} ON {table} ({expression})")

    def remember(self, sobject: SObjectType) -> None:
        """Keep an object's definition with the records."""
        definition = json.dumps(attrs.asdict(sobject, filter=lambda attribute, _: attribute.init))
        self.write('INSERT OR REPLACE INTO "sf:object" VALUES (?, ?)', [sobject.name, definition])

    def remembered(self) -> Iterable[SObjectType]:
        for row in self.rows('SELECT definition FROM "sf:object"'):
            loaded = json.loads(row["definition"])
            yield SObjectType(**{**loaded, "fields": {name: _field(entry) for name, entry in loaded["fields"].items()}})


# Many rows with the same columns are written one after another.
@lru_cache(maxsize=1_000)
def _insertion(table: str, columns: tuple[str, ...]) -> str:
    names = ", ".join(map(quote, columns))
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {quote(table)} ({names}) VALUES ({marks})"


@lru_cache(maxsize=1_000)
def _change(table: str, columns: tuple[str, ...]) -> str:
    settings = ", ".join(f"{quote(name)} = ?" for name in columns)
    return f'UPDATE {quote(table)} SET {settings} WHERE "Id" = ?'


def _column(field: Field) -> str:
    if field.name == "Id":
        return '"Id" TEXT PRIMARY KEY NOT NULL'
    return f"{quote(field.name)} {_AFFINITIES.get(field.type, 'TEXT')}"


def _indexed(field: Field) -> str | None:
    """Index what records are looked up by: external ids, and the parents of related lists."""
    if field.extra.get("childRelationshipName") or field.cascade_delete:
        return quote(field.name)
    if field.id_lookup or field.external_id or field.unique:
        return key_expression(field)
    return None


def key_expression(field: Field) -> str:
    """SQL for the field's value as external ids, unique fields and SOQL compare it: one index serves them all."""
    if field.case_sensitive or field.type in ("id", "reference") or field.type in _AFFINITIES:
        return quote(field.name)
    return f"soql_fold({quote(field.name)})"


def _field(entry: dict[str, Any]) -> Field:
    values = tuple(PicklistValue(**value) for value in entry["picklist_values"])
    return Field(**{**entry, "picklist_values": values, "reference_to": tuple(entry["reference_to"])})
