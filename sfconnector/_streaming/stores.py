"""Where it is kept how far a consumer has come."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeAlias

import attrs

if TYPE_CHECKING:
    import sqlite3

# Milliseconds that a process waits for another one that is writing.
_BUSY: Final = 10_000
_IN_MEMORY: Final = ":memory:"
_TABLE: Final = """CREATE TABLE IF NOT EXISTS position (
    org_id TEXT NOT NULL, channel TEXT NOT NULL, consumer TEXT NOT NULL, position TEXT NOT NULL,
    PRIMARY KEY (org_id, channel, consumer)) WITHOUT ROWID"""
_SELECT: Final = "SELECT position FROM position WHERE org_id = ? AND channel = ? AND consumer = ?"
_SAVE: Final = "INSERT OR REPLACE INTO position VALUES (?, ?, ?, ?)"


@attrs.frozen
class ReplayKey:
    """Whose position it is: two orgs, channels or consumers never share one.

    Attributes:
        org_id: The first 15 characters of the org's id.
        channel: The channel.
        consumer: The ``name=`` of the listener or subscription.
    """

    org_id: str
    channel: str
    consumer: str

    def __str__(self) -> str:
        # Neither the first nor the last holds a space.
        return f"{self.org_id} {self.channel} {self.consumer}"


class ReplayStore(Protocol):
    """Keeps positions, for any number of threads.

    A position is a text that means nothing but itself: the last one saved holds, whatever it looks like beside the
    one before. As long as no event has been processed, it tells when the consumer began.
    """

    def load(self, key: ReplayKey, /) -> str | None:
        """Give the position that was saved last, or ``None`` where there is none."""

    def save(self, key: ReplayKey, position: str, /) -> None:
        """Keep a position; once this has returned it must not get lost."""


Replay: TypeAlias = "ReplayStore | MutableMapping[str, str] | str | os.PathLike[str] | None"


class MemoryReplayStore:
    """Positions that end with the process.

    Example:
        >>> from sfconnector import streaming
        >>> store = streaming.MemoryReplayStore()
        >>> store.load(streaming.ReplayKey("00D000000000001", "/event/Order__e", "default")) is None
        True
    """

    def __init__(self) -> None:
        self._positions: dict[ReplayKey, str] = {}

    def load(self, key: ReplayKey, /) -> str | None:
        return self._positions.get(key)

    def save(self, key: ReplayKey, position: str, /) -> None:
        self._positions[key] = position


class MappingReplayStore:
    """Positions in any mapping of texts, such as a client of a key-value store.

    Args:
        mapping: What holds them, under ``"<org id> <channel> <consumer>"``. It is used from several threads, by one
            at a time; those of ``shelve`` that are bound to a thread are of no use.
    """

    def __init__(self, mapping: MutableMapping[str, str]) -> None:
        self._mapping, self._lock = mapping, threading.Lock()

    def load(self, key: ReplayKey, /) -> str | None:
        with self._lock:
            return self._mapping.get(str(key))

    def save(self, key: ReplayKey, position: str, /) -> None:
        with self._lock:
            self._mapping[str(key)] = position


class FileReplayStore:
    """Positions in an SQLite file, for any number of listeners, threads and processes.

    What has been saved outlasts the end of the process and of the machine.

    Args:
        path: The file; it is made if it is not there.

    Raises:
        ValueError: There is no such folder, or the file is of another kind.

    Example:
        >>> from sfconnector import FileReplayStore
        >>> with FileReplayStore(folder_path / "replay.db") as store:
        ...     listener = sf.listener(replay=store)
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if str(self.path) != _IN_MEMORY:
            # It may be opened again after the program has gone to another folder.
            self.path = self.path.absolute()
        self._lock, self._process = threading.Lock(), os.getpid()
        self._database: sqlite3.Connection | None = self._open()

    def load(self, key: ReplayKey, /) -> str | None:
        with self._lock:
            row = self._current().execute(_SELECT, (key.org_id, key.channel, key.consumer)).fetchone()
        return None if row is None else str(row[0])

    def save(self, key: ReplayKey, position: str, /) -> None:
        with self._lock:
            self._current().execute(_SAVE, (key.org_id, key.channel, key.consumer, position))

    def close(self) -> None:
        """Close the file; using the store again opens it anew."""
        with self._lock:
            database, self._database = self._database, None
            if database is not None and self._process == os.getpid():
                database.close()

    def _current(self) -> sqlite3.Connection:
        if self._database is None or self._process != os.getpid():
            # A connection must not be used on both sides of a fork, not even to be closed.
            self._process, self._database = os.getpid(), self._open()
        return self._database

    def _open(self) -> sqlite3.Connection:
        import sqlite3

        if not self.path.parent.is_dir():
            raise ValueError(f"replay: there is no folder {str(self.path.parent)!r}")
        database = None
        try:
            database = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            database.execute(f"PRAGMA busy_timeout = {_BUSY}")
            # Readers and writers of other processes do not wait for each other.
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            database.execute(_TABLE)
        except sqlite3.Error as error:
            if database is not None:
                database.close()
            raise ValueError(f"replay: {str(self.path)!r} cannot be used as a file of positions: {error}") from error
        return database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_database", None) is not None:
            self.close()

    def __repr__(self) -> str:
        return f"<FileReplayStore {str(self.path)!r}>"


def store_of(replay: Any) -> ReplayStore:
    """Make a store of what callers give for one.

    Raises:
        TypeError: It cannot be one.
    """
    if replay is None:
        return MemoryReplayStore()
    if isinstance(replay, str | os.PathLike):
        return FileReplayStore(replay)
    if callable(getattr(replay, "load", None)) and callable(getattr(replay, "save", None)):
        if isinstance(replay, type):
            raise TypeError(f"replay is a store, not the class {replay.__name__}: make one of it")
        return replay  # type: ignore[no-any-return]  # what has both is one
    if isinstance(replay, MutableMapping):
        return MappingReplayStore(replay)
    wanted = "a path, a mapping, or an object with load and save"
    hint = ", and one that cannot be changed is none" if isinstance(replay, Mapping) else ""
    raise TypeError(f"replay is {wanted}{hint}, not a {type(replay).__name__}")
