"""Batches with binary attachments: a zip file with the records in ``request.txt``, which refer to the other files.

https://developer.salesforce.com/docs/platform/api-asynch/guide/binary-intro.html
"""

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from sfconnector.testing._async._errors import AsyncError, invalid_batch
from sfconnector.testing._blobs import Blob, Blobs
from sfconnector.testing._bulk._load import Outcome
from sfconnector.testing._errors import OrgError
from sfconnector.testing._schema import SObjectType

MANIFEST: Final = "request.txt"
# https://developer.salesforce.com/docs/atlas.en-us.212.0.api_asynch.meta/api_asynch/asynch_api_concepts_limits.htm
_LARGEST_CONTENT: Final = 20_000_000
_MOST_FILES: Final = 1_000
_LONGEST_NAME: Final = 512


class Archive:
    """An archive that keeps the limits; a context manager."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise invalid_batch(f"Failed to read the zip file: {error}") from error
        self._files = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}
        try:
            self._check()
        except AsyncError:
            self._zip.close()
            raise

    def _check(self) -> None:
        if len(self._files) > _MOST_FILES:
            raise invalid_batch(f"The zip file holds more than {_MOST_FILES} files")
        if any(len(name.encode()) > _LONGEST_NAME for name in self._files):
            raise invalid_batch(f"The name of a file in the zip file is longer than {_LONGEST_NAME} bytes")
        if sum(info.file_size for info in self._files.values()) > _LARGEST_CONTENT:
            raise invalid_batch(f"The decompressed files have more than {_LARGEST_CONTENT} bytes together")
        if MANIFEST not in self._files:
            raise invalid_batch(f"{MANIFEST} was not found in the base directory of the zip file")

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def read(self, name: str) -> bytes | None:
        """Read a file; ``None`` where there is none of this name."""
        info = self._files.get(name)
        if info is None:
            return None
        try:
            # No more comes than the directory of the archive says.
            return self._zip.read(info)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
            raise invalid_batch(f"Failed to read {name} in the zip file: {error}") from error


class Attachments:
    """Puts the files of an archive in the place of the references to them.

    Args:
        archive: the archive.
        blobs: where contents go.
        sobject: the object of the records.
        columns: their columns, those with references among them.
    """

    def __init__(self, archive: Archive, blobs: Blobs, sobject: SObjectType, columns: Sequence[str]) -> None:
        self._archive, self._blobs = archive, blobs
        fields = [sobject.field(name) for name in columns]
        self._places = [
            (place, field.name) for place, field in enumerate(fields) if field is not None and field.type == "base64"
        ]

    def save(
        self, rows: Sequence[Sequence[Any]], save: Callable[[list[Sequence[Any]]], list[Outcome]]
    ) -> list[Outcome]:
        """Save rows with the contents of their files; one without a file that it refers to is refused."""
        refused: dict[int, Outcome] = {}
        kept: list[Blob] = []
        resolved: list[Sequence[Any]] = []
        try:
            for number, row in enumerate(rows):
                try:
                    resolved.append(self._resolved(row, kept))
                except OrgError as error:
                    refused[number] = Outcome(error=error)
            saved = iter(save(resolved))
            return [refused[number] if number in refused else next(saved) for number in range(len(rows))]
        finally:
            # What has come to belong to a record stays.
            for blob in kept:
                self._blobs.discard(blob)

    def _resolved(self, row: Sequence[Any], kept: list[Blob]) -> Sequence[Any]:
        cells = list(row)
        for place, name in self._places:
            if cells[place] not in ("", None):
                cells[place] = self._content(name, cells[place])
                kept.append(cells[place])
        return cells

    def _content(self, field: str, reference: Any) -> Blob:
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise _invalid_field(field, "a reference to a file of the zip file begins with #")
        content = self._archive.read(reference[1:])
        if content is None:
            raise _invalid_field(field, f"there is no file {reference[1:]} in the zip file")
        incoming = self._blobs.receive()
        incoming.write(content)
        return incoming.finish()


def _invalid_field(field: str, reason: str) -> OrgError:
    """https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-reference-errors.html"""
    return OrgError(400, "INVALID_FIELD", f"{field}: {reason}", [field])
