"""The contents of binary fields: a file each beside the database, so that none is ever whole in memory.

A record holds the key of its content. A file outlives its record by no more than the transaction that ends with it:
what was written by a transaction that failed, or belonged to a record that one has removed, is deleted when it ends.
"""

import base64
import contextlib
import hashlib
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import attrs

from sfconnector.testing._database import Database, quote
from sfconnector.testing._schema import SObjectType

_CHUNK = 1 << 18


@attrs.frozen
class Blob:
    """A content that has been written; ``md5`` is hexadecimal."""

    key: str
    size: int
    md5: str


class Incoming:
    """A content on its way in."""

    def __init__(self, folder: Path) -> None:
        self._key = secrets.token_hex(16)
        self._path = folder / self._key
        self._file = self._path.open("xb")
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._file.write(data)
        self._md5.update(data)
        self.size += len(data)

    def finish(self) -> Blob:
        self._file.close()
        return Blob(self._key, self.size, self._md5.hexdigest())

    def discard(self) -> None:
        """Delete what came so far."""
        self._file.close()
        self._path.unlink(missing_ok=True)


class Blobs:
    """All contents of one org.

    Args:
        database: Knows which of them belong to records.
        folder: Where they are; a temporary folder if not given.
    """

    def __init__(self, database: Database, folder: Path | None) -> None:
        self._database = database
        self._folder = folder
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        # Keys about which the transaction under way has decided; the database knows how.
        self._touched: set[str] = set()
        database.at_end.append(self._settle)
        if folder is not None and folder.is_dir():
            # An org that was killed may have left some.
            self._touched.update(path.name for path in folder.iterdir())
            self._settle()

    def close(self) -> None:
        if self._temporary is not None:
            self._temporary.cleanup()

    def receive(self) -> Incoming:
        """Begin a content."""
        folder = self._folder
        if folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="local-org-")
            folder = self._folder = Path(self._temporary.name)
        folder.mkdir(exist_ok=True)
        return Incoming(folder)

    def keep(self, content: Blob | str) -> Blob:
        """Let a content belong to a record, which holds its key; text is base64."""
        if isinstance(content, str):
            incoming = self.receive()
            incoming.write(base64.b64decode(content))
            content = incoming.finish()
        self._touched.add(content.key)
        self._database.write('INSERT INTO "sf:blob" VALUES (?)', [content.key])
        return content

    def drop(self, keys: Iterable[str | None]) -> None:
        """Let contents belong to no record."""
        for key in filter(None, keys):
            self._touched.add(key)
            self._database.write('DELETE FROM "sf:blob" WHERE key = ?', [key])

    def drop_of(self, sobject: SObjectType, record_id: str) -> None:
        """Drop the contents of a record that is about to be removed for good."""
        for field in sobject.fields.values():
            if field.type == "base64":
                rows = self._database.rows(
                    f'SELECT {quote(field.name)} FROM {quote(sobject.name)} WHERE "Id" = ?', [record_id]
                )
                self.drop(row[0] for row in rows)

    def discard(self, blob: Blob) -> None:
        """Delete a content, unless it has come to belong to a record."""
        with self._database.transaction():
            self._touched.add(blob.key)

    def path(self, key: Any) -> Path:
        """Where a content is."""
        assert self._folder is not None  # noqa: S101  # a key is made with its file
        return self._folder / str(key)

    def _settle(self) -> None:
        while self._touched:
            key = self._touched.pop()
            if self._database.row('SELECT 1 FROM "sf:blob" WHERE key = ?', [key]) is None:
                # Where a file that is being read cannot be deleted, it is when the org opens again.
                with contextlib.suppress(PermissionError):
                    self.path(key).unlink(missing_ok=True)


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """Read a content piece by piece and close it."""
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk
