"""A record and a file as one body in several parts, which reads the file while it is sent.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_sobject_insert_update_blob.htm
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, TypeAlias

from sfconnector._names import check_text

Source: TypeAlias = "str | os.PathLike[str] | IO[bytes] | bytes | bytearray | memoryview"

_CHUNK: Final = 1 << 16
# More than this cannot arrive, and need not be sent to learn so.
_LARGEST: Final = 500 * 1024**2
_LARGEST_VERSION: Final = 2 * 1024**3
# RFC 7578 section 4.2 has names in UTF-8; these would end the header or the quotes, and browsers write them so.
_ESCAPED: Final = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class File(NamedTuple):
    """A file that can be read from its beginning as often as need be."""

    name: str
    stream: IO[bytes]
    start: int
    size: int


@contextmanager
def opened(source: Source, name: str | None, sobject: str) -> Iterator[File]:
    """Open what a caller gives as a file; one that the caller has opened stays open.

    Raises:
        ValueError, TypeError: It is no file that can be read, has no name, or is too large for the object.
    """
    with rewindable(source) as stream:
        start = stream.tell()
        size = stream.seek(0, os.SEEK_END) - start
        stream.seek(start)
        limit = _LARGEST_VERSION if sobject.lower() == "contentversion" else _LARGEST
        if size > limit:
            raise ValueError(f"the source has {size} bytes, and Salesforce takes {limit} for {sobject}")
        yield File(_name(source, name), stream, start, size)


@contextmanager
def rewindable(source: Any) -> Iterator[IO[bytes]]:
    """Open what a caller gives as bytes so that it can be sent again.

    Raises:
        ValueError, TypeError: It cannot be read.
    """
    match source:
        case bytes() | bytearray() | memoryview():
            yield io.BytesIO(source)
        case str() | os.PathLike():
            with _open(Path(source)) as stream:
                yield stream
        case _ if hasattr(source, "read") and not isinstance(source, io.TextIOBase):
            if getattr(source, "closed", False):
                raise ValueError("the source is a file that is closed")
            if getattr(source, "seekable", lambda: False)():
                yield source
                return
            # What may have to be sent again must not be gone after the first time.
            with tempfile.TemporaryFile() as copy:
                shutil.copyfileobj(source, copy)
                copy.seek(0)
                yield copy
        case _:
            raise TypeError(f"a source is a path, a file opened for bytes, or bytes, not a {type(source).__name__}")


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise ValueError(f"the source {str(path)!r} cannot be read: {error.strerror}") from error


def _name(source: Source, name: str | None) -> str:
    if name is not None:
        return check_text("name", name)
    own: Any = source if isinstance(source, str | os.PathLike) else getattr(source, "name", None)
    if not isinstance(own, str | os.PathLike) or not Path(own).name:
        raise ValueError("the source has no name: give name=, such as name='report.pdf'")
    return Path(own).name


class Upload:
    """The body of a request: a record, and a file for one of its fields.

    Its size is known beforehand, and it can be sent again from the beginning.

    Args:
        record: JSON.
        field: The API name of the field for the file.
        file: What is read.
        content_type: The file's media type.

    Attributes:
        content_type: That of the body.
        len: Bytes in all.
        file_size: Bytes of the file.
        checksum: The MD5 of the file, in hexadecimal, once it has been read to its end.
    """

    def __init__(self, record: bytes, field: str, file: File, content_type: str | None = None) -> None:
        # So long a random text is in no file.
        boundary = secrets.token_hex(16)
        name = file.name.translate(_ESCAPED)
        self._head = b"\r\n".join(
            [
                f"--{boundary}".encode(),
                b'Content-Disposition: form-data; name="entity_content"',
                b"Content-Type: application/json",
                b"",
                record,
                f"--{boundary}".encode(),
                f'Content-Disposition: form-data; name="{field}"; filename="{name}"'.encode(),
                f"Content-Type: {content_type or 'application/octet-stream'}".encode(),
                b"",
                b"",
            ]
        )
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._file = file
        self.file_size = file.size
        self.content_type = f"multipart/form-data; boundary={boundary}"
        # As requests asks for the size of a body.
        self.len = len(self._head) + file.size + len(self._tail)
        self._position = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.checksum = self._md5.hexdigest()

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> None:
        """Go back to the beginning, the only place to go to.

        Raises:
            OSError: The position is another one, or the file cannot go back.
        """
        if position != 0:
            raise io.UnsupportedOperation("a body begins at its beginning")
        self._file.stream.seek(self._file.start)
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes of what is left at most, or all; nothing at the end.

        Raises:
            OSError: The file has become shorter, or cannot be read.
        """
        return b"".join(self) if size < 0 else self._piece(size)

    def _piece(self, size: int) -> bytes:
        at, head = self._position, len(self._head)
        end = head + self._file.size
        if at < head:
            piece = self._head[at : at + size]
        elif at < end:
            piece = self._file.stream.read(min(size, end - at))
            if not piece:
                raise OSError(f"the source ended {end - at} bytes before the end that it had when it was opened")
            self._md5.update(piece)
        else:
            self.checksum = self._md5.hexdigest()
            piece = self._tail[at - end : at - end + size]
        self._position += len(piece)
        return piece

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._piece(_CHUNK):
            yield piece
