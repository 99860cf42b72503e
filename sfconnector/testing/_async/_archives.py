"""Batches with binary attachments: a zip file with the records in ``request.txt``, which refer to the other files.

https://developer.salesforce.com/docs/platform/api-asynch/guide/binary-intro.html
"""

import io
import zipfile
from typing import Final

from sfconnector.testing._async._errors import invalid_batch

MANIFEST: Final = "request.txt"
# https://developer.salesforce.com/docs/atlas.en-us.212.0.api_asynch.meta/api_asynch/asynch_api_concepts_limits.htm
_LARGEST_CONTENT: Final = 20_000_000
_MOST_FILES: Final = 1_000
_LONGEST_NAME: Final = 512


class Archive:
    """An archive that keeps the limits; a context manager."""

    def __init__(self, content: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise invalid_batch(f"Failed to read the zip file: {error}") from error
        self._files = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}
        self._check()

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

    def records(self) -> bytes:
        """Read the file with the records."""
        content = self.read(MANIFEST)
        if content is None:
            raise invalid_batch(f"{MANIFEST} could not be read")
        return content

    def read(self, name: str) -> bytes | None:
        """Read a file; ``None`` where there is none of this name."""
        info = self._files.get(name)
        if info is None:
            return None
        try:
            with self._zip.open(info) as file:
                # What the directory of the archive says of a size may be less than what comes.
                content = file.read(_LARGEST_CONTENT + 1)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
            raise invalid_batch(f"Failed to read {name} in the zip file: {error}") from error
        if len(content) > _LARGEST_CONTENT:
            raise invalid_batch(f"The decompressed files have more than {_LARGEST_CONTENT} bytes together")
        return content
