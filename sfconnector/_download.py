"""Files on their way from Salesforce: read as they come, and checked when they have ended."""

from __future__ import annotations

import hashlib
import io
import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

import attrs
from sfconnector_generated.client import Request

from sfconnector._retry import Outcome
from sfconnector._session import Seconds, Session
from sfconnector._transport import translated
from sfconnector._urls import short_path
from sfconnector.errors import Failure, InvalidResponseError, TransportError

_CHUNK: Final = 1 << 18
# Compressed, a file would say less about its end, and most files are compressed already.
_AS_IT_IS: Final = {"Accept-Encoding": "identity"}


@attrs.frozen
class StoredFile:
    """A file as Salesforce keeps it.

    Attributes:
        id: The id of the version, the attachment or the document.
        name: The file's name; of a document, what it is called.
        size: In bytes; ``None`` where Salesforce does not tell.
        checksum: Its MD5 in hexadecimal; ``None`` for attachments and documents, of which Salesforce tells none.
        document_id: The id of the ContentDocument that a version belongs to.
    """

    id: str
    name: str
    size: int | None
    checksum: str | None = None
    document_id: str | None = None


class FileStream:
    """The bytes of a file, piece by piece; made by :meth:`Files.stream`.

    Iterating ends with an error unless the bytes that came are all of the file and no others. Use it in a ``with``
    statement, or :meth:`close` it where it is not read to its end.

    Attributes:
        file: What Salesforce tells about the file.
    """

    def __init__(self, session: Session, request: Request, file: StoredFile, timeout: Seconds) -> None:
        self.file = file
        self._path = short_path(request.target(session.api_version))
        self._response = session.send(request, stream=True, timeout=timeout, headers=_AS_IT_IS)
        session.check(self._response)

    def __iter__(self) -> Iterator[bytes]:
        raw: Any = self._response.raw
        size, md5 = 0, hashlib.md5(usedforsecurity=False)
        with self:
            while piece := self._read(raw):
                size += len(piece)
                md5.update(piece)
                yield piece
            self._check(size, md5.hexdigest())

    def _read(self, raw: Any) -> bytes:
        with translated("GET", self._path):
            piece: bytes = raw.read(_CHUNK, decode_content=True)
            return piece

    def _check(self, size: int, checksum: str) -> None:
        file = self.file
        if file.size is not None and size < file.size:
            raise TransportError("GET", self._path, Failure.CUT, f"{size} of {file.size} bytes came")
        if file.size not in {None, size} or file.checksum not in {None, checksum}:
            raise InvalidResponseError(
                self._response,
                f"the {size} bytes that came are not those of the file, by its size and checksum",
                hint="it may have been replaced meanwhile: download it again",
            )

    def close(self) -> None:
        """Give the connection back."""
        self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def begin_anew(session: Session, operation: str, error: TransportError, attempt: int) -> bool:
    """Tell whether a download that broke off is to begin once more, and wait until it may.

    Args:
        session: Has the rules.
        operation: What was under way, by its operationId.
        error: How it broke off.
        attempt: Which attempt that was, counted from 1.
    """
    # Each attempt takes as long as the file is long, so it is their number that ends them.
    decision = session.retry.decide(Outcome(error.failure), attempt=attempt, elapsed=0.0, idempotent=True)
    if decision.delay is None:
        return False
    from sfconnector._events import RequestEvent

    session.pause(RequestEvent(operation, error.method, error.path, attempt), decision.reason, decision.delay)
    return True


def check_target(to: object) -> None:
    """Refuse what a file cannot be written to.

    Raises:
        ValueError, TypeError: It is neither a path of a file nor something with a ``write``.
    """
    if isinstance(to, str | os.PathLike):
        path = Path(to)
        if path.is_dir():
            raise ValueError(f"{str(path)!r} is a folder: give the path of the file to write")
        if not path.parent.is_dir():
            raise ValueError(f"there is no folder {str(path.parent)!r} to write the file in")
    elif not callable(getattr(to, "write", None)) or isinstance(to, io.TextIOBase):
        raise TypeError(f"a file is written to a path or to a file opened for bytes, not to a {type(to).__name__}")


def writing(to: str | os.PathLike[str] | IO[bytes]) -> AbstractContextManager[IO[bytes]]:
    """Write to a path as :func:`replacing` does, or to a file that is open."""
    return replacing(Path(to)) if isinstance(to, str | os.PathLike) else nullcontext(to)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Write a file that takes its place when the block ends well; until then, and otherwise, all is as it was.

    Raises:
        ValueError: No file can be written there.
    """
    path = Path(os.path.realpath(path))
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        file = part.open("xb")
    except OSError as error:
        raise ValueError(f"no file can be written to {str(path.parent)!r}: {error.strerror}") from error
    try:
        with file:
            yield file
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
