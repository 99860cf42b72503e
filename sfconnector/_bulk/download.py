"""One long answer on its way from Salesforce: inflated as it comes, and carried on where it broke off."""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import attrs
from sfconnector_generated.client import Request

from sfconnector._answers import headline, media_type
from sfconnector._download import begin_anew
from sfconnector._session import Seconds, Session
from sfconnector._transport import translated
from sfconnector._urls import short_path
from sfconnector.errors import Failure, InvalidResponseError, TransportError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK: Final = 1 << 16
_BLOCK: Final = 1 << 18
# https://developer.salesforce.com/docs/platform/api-asynch/guide/query-compressed-response.html
_COMPRESSED: Final = {"Accept-Encoding": "gzip"}
# To zlib: with the frame of gzip around the data.
_GZIP: Final = 31


class Answer:
    """An answer whose body is still to be read, as it is on the wire.

    Args:
        session: Sends the request.
        request: What to ask for.
        timeout: Seconds instead of the session's own.

    Raises:
        ApiError: Salesforce refused.
        InvalidResponseError: A web page came in place of data.
    """

    def __init__(self, session: Session, request: Request, timeout: Seconds = None) -> None:
        self.operation = request.operation
        self.path = short_path(request.target(session.api_version))
        self.response = session.send(request, stream=True, timeout=timeout, headers=_COMPRESSED)
        try:
            session.check(self.response)
            if media_type(self.response) == "text/html":
                raise self.invalid(
                    f"data was expected, and there came a page, which reads: {headline(self.response)}",
                    "a proxy or a login page may have answered in place of the API",
                )
        except BaseException:
            self.close()
            raise

    @property
    def headers(self) -> Mapping[str, str]:
        return self.response.headers

    def read(self) -> bytes:
        """Give the next bytes, or none at the end.

        Raises:
            TransportError: They did not come.
        """
        with translated("GET", self.path):
            # Whether all came of what was announced, by length or in chunks, is looked after below this.
            piece: bytes = self.response.raw.read(_CHUNK, decode_content=False)
            return piece

    def inflated(self) -> Iterator[bytes]:
        """Give the body as it was before it was compressed, in blocks of limited size.

        Raises:
            TransportError: Not all of it came, or it is damaged.
            InvalidResponseError: It is compressed in another way than was asked for.
        """
        encoding = self.headers.get("Content-Encoding", "").strip().lower()
        if encoding in {"", "identity"}:
            yield from iter(self.read, b"")
            return
        if encoding not in {"gzip", "x-gzip"}:
            raise self.invalid(f"the answer is compressed by {encoding!r}, and gzip was asked for")
        try:
            complete = yield from gunzip(iter(self.read, b""))
        except _inflater().error:
            # The library's own text says no more.
            raise self.broken(Failure.GARBLED, "the compressed data is damaged") from None
        if not complete:
            raise self.broken(Failure.CUT, "the compressed data has no end")

    def broken(self, failure: Failure, detail: str) -> TransportError:
        """Make the error of an answer that did not come as it should."""
        return TransportError("GET", self.path, failure, detail)

    def invalid(self, reason: str, hint: str = "") -> InvalidResponseError:
        """Make the error of an answer that is not what Salesforce documents."""
        return InvalidResponseError(self.response, reason, hint=hint)

    def close(self) -> None:
        """Give the connection back."""
        self.response.close()


class Download:
    """The bytes of one answer, block by block, whatever happens on the way.

    Where the connection breaks, or what comes cannot be inflated, the answer is asked for once more, as often as the
    session's :class:`Retry` says. What was handed out before comes again then, and is left out once it has proved to
    be the same. So an iteration gives each byte once, and ends only when all have come. There is one iteration.

    Args:
        session: Sends the request.
        request: What to ask for; it is sent at once.
        timeout: Seconds instead of the session's own.
        answer: An answer to this request that is here already, to be used first.

    Raises:
        ApiError: Salesforce refused; also while iterating.
        TransportError: No answer came; while iterating: not all of it, in all attempts.
        InvalidResponseError: While iterating: what came again was something else.
    """

    def __init__(
        self, session: Session, request: Request, *, timeout: Seconds = None, answer: Answer | None = None
    ) -> None:
        self._session, self._request, self._timeout = session, request, timeout
        self.answer = answer or Answer(session, request, timeout)

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the answer."""
        return self.answer.headers

    def __iter__(self) -> Iterator[bytes]:
        attempt, passed = 1, _Digest()
        while True:
            try:
                with self:
                    yield from self._after(passed)
                return
            except TransportError as error:
                if not begin_anew(self._session, self._request.operation, error, attempt):
                    raise
            # Its own attempts to reach Salesforce are behind it when this returns.
            self.answer = Answer(self._session, self._request, self._timeout)
            attempt += 1

    def _after(self, passed: _Digest) -> Iterator[bytes]:
        """Give what comes after that which was handed out before."""
        left, again = passed.size, _Digest()
        for block in self.answer.inflated():
            if left:
                again.add(block[:left])
                block, left = block[left:], max(left - len(block), 0)
                if not left and again != passed:
                    break
                if not block:
                    continue
            passed.add(block)
            yield block
        else:
            if not left:
                return
        raise self.answer.invalid(
            "it was cut short, and when asked for again, it was another answer from the beginning on",
            "nothing was handed out twice; read the whole of it once more",
        )

    def file(self) -> io.BufferedReader:
        """Give the same as a file, for those who read nothing else; closing it closes the download."""
        return io.BufferedReader(BlockFile(self, self.close), _BLOCK)

    def close(self) -> None:
        """Give the connection back."""
        self.answer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class BlockFile(io.RawIOBase):
    """Blocks of bytes as a file.

    Args:
        blocks: What is in it.
        close: Called when the file is closed.
    """

    def __init__(self, blocks: Iterable[bytes], close: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self._blocks, self._close = iter(blocks), close
        self._block = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        while not self._block:
            if (block := next(self._blocks, None)) is None:
                return 0
            self._block = memoryview(block)
        target = memoryview(buffer)
        count = min(len(target), len(self._block))
        target[:count] = self._block[:count]
        self._block = self._block[count:]
        return count

    def close(self) -> None:
        if not self.closed:
            self._close()
        super().close()


def gunzip(pieces: Iterable[bytes], most: int = _BLOCK) -> Generator[bytes, None, bool]:
    """Inflate gzip data, of one member or several, and tell in the end whether it was complete.

    Args:
        pieces: The data, cut anywhere.
        most: Bytes that a block may have, however well they are compressed.
    """
    zlib = _inflater()
    inflater: Any = None
    for piece in pieces:
        rest = piece
        while rest:
            inflater = inflater or zlib.decompressobj(_GZIP)
            if block := inflater.decompress(rest, most):
                yield block
            rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            if inflater.eof:
                inflater = None
    # What was read may be more than what came out of it so far.
    while inflater is not None and not inflater.eof and (block := inflater.decompress(b"", most)):
        yield block
    return inflater is None or bool(inflater.eof)


@attrs.define
class _Digest:
    """How many bytes there were, and two checksums over them.

    They tell apart what differs by accident, and of anything else TLS takes care. A cryptographic digest would take
    longer than it takes to inflate.
    """

    size: int = 0
    crc: int = 0
    adler: int = 1

    def add(self, block: bytes) -> None:
        zlib = _inflater()
        self.size += len(block)
        self.crc, self.adler = zlib.crc32(block, self.crc), zlib.adler32(block, self.adler)


@cache
def _inflater() -> Any:
    """Give the fastest zlib that is there."""
    try:
        return importlib.import_module("isal.isal_zlib")
    except ImportError:
        return importlib.import_module("zlib")
