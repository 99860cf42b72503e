"""HTTP/1.1 on a socket, as far as a client needs it that posts and reads JSON.

The general clients parse headers for most of the time of a small answer, and bound neither the whole time nor the
size of one. This reads an answer with a system call and a few microseconds, and bounds both.

See Also:
    https://www.rfc-editor.org/rfc/rfc9112
"""

from __future__ import annotations

import re
import socket
import time
import zlib
from collections.abc import Callable
from typing import Final, TypeVar

import attrs

from sfconnector.bayeux._model import AnswerError

Buffer = bytes | bytearray
T = TypeVar("T")
R = TypeVar("R")

_PIECE: Final = 1 << 16
_LONGEST_HEAD: Final = 1 << 16
_LONGEST_LINE: Final = 1 << 12
_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,15}")
_GZIP: Final = 16 + zlib.MAX_WBITS


@attrs.frozen
class Limits:
    """How long to wait for an answer, and how much of one to take.

    Attributes:
        first: Seconds until its first byte.
        gap: Seconds until each next piece.
        whole: Seconds from the first byte to the last.
        size: Bytes of the body, also once it is inflated.
    """

    first: float
    gap: float
    whole: float
    size: int


@attrs.frozen
class Answer:
    """An answer that has come whole; the names of its headers in small letters."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: Buffer = attrs.field(repr=False)
    reusable: bool


def exchange(sock: socket.socket, request: bytes, limits: Limits, begun: Callable[[], object] = lambda: None) -> Answer:
    """Send a request and read the answer to it; ``begun`` is called when that begins to come.

    Raises:
        OSError: The connection broke, or time ran out.
        AnswerError: The answer is no HTTP, cut, or too long.
    """
    reader = _Reader(sock, limits)
    sock.settimeout(limits.first)
    sock.sendall(request)
    reader.more()
    begun()
    status, headers, cookies, kept = read_head(reader)
    # What comes before the answer proper, such as 102.
    while 100 <= status < 200:
        status, headers, cookies, kept = read_head(reader)
    body = b"" if status in (204, 304) else _read_body(reader, headers)
    sized = "content-length" in headers or "transfer-encoding" in headers or status in (204, 304)
    return Answer(
        status, headers, cookies, _inflated(body, headers, limits.size), kept and sized and not reader.waiting()
    )


class _Reader:
    """What has come and was not read yet."""

    def __init__(self, sock: socket.socket, limits: Limits) -> None:
        self._sock, self.limits = sock, limits
        self._data = b""
        self._end = 0.0

    def waiting(self) -> bool:
        return bool(self._data)

    def more(self) -> bool:
        """Wait for the next piece, and tell whether there was one."""
        piece = self._timed(self._sock.recv, _PIECE)
        self._data = self._data + piece if self._data else piece
        return bool(piece)

    def _timed(self, receive: Callable[[T], R], argument: T) -> R:
        if self._end:
            left = self._end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"the answer did not end within {self.limits.whole:g} s")
            self._sock.settimeout(min(self.limits.gap, left))
        try:
            received = receive(argument)
        except TimeoutError:
            begun = self._end > 0
            raise TimeoutError(
                f"the answer stopped for {self.limits.gap:g} s, or did not end within {self.limits.whole:g} s"
                if begun
                else f"no answer within {self.limits.first:g} s"
            ) from None
        if not self._end:
            self._end = time.monotonic() + self.limits.whole
        return received

    def until(self, mark: bytes, most: int) -> bytes:
        """Read up to a mark, and over it."""
        while (end := self._data.find(mark)) < 0 and len(self._data) <= most:
            if not self.more():
                raise _cut(self._data)
        if not 0 <= end <= most:
            raise AnswerError(f"the answer is no HTTP: {most} bytes without an end of a line or of its head")
        found, self._data = self._data[:end], self._data[end + len(mark) :]
        return found

    def exactly(self, size: int) -> Buffer:
        data = self._data
        if len(data) >= size:
            self._data = data[size:]
            return data[:size]
        # The system provides the memory as it is written to, so that a false length costs nothing.
        whole, at = bytearray(size), len(data)
        self._data = b""
        with memoryview(whole) as view:
            view[:at] = data
            while at < size:
                received = self._timed(self._sock.recv_into, view[at:])
                if not received:
                    raise AnswerError(f"the answer was cut {size - at:,} bytes before its end")
                at += received
        return whole

    def rest(self) -> bytes:
        pieces, size = [self._data], len(self._data)
        self._data = b""
        while self.more():
            pieces.append(self._data)
            size += len(self._data)
            self._data = b""
            if size > self.limits.size:
                raise _too_long(self.limits.size)
        return b"".join(pieces)


def _cut(data: bytes) -> Exception:
    if data:
        return AnswerError("the answer was cut in its head")
    return ConnectionResetError("the connection was closed without an answer")


def _too_long(most: int) -> AnswerError:
    return AnswerError(f"the answer has more than {most:,} bytes; a greater max_answer would take it")


def read_head(reader: _Reader) -> tuple[int, dict[str, str], list[str], bool]:
    """Read a status line and headers, and tell whether the connection may be used again."""
    first, *lines = reader.until(b"\r\n\r\n", _LONGEST_HEAD).decode("latin-1").split("\r\n")
    if not (first.startswith("HTTP/1.") and first[9:12].isdecimal() and first[8:9] == " "):
        raise AnswerError("the answer is no HTTP/1.x")
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for line in lines:
        name, colon, value = line.partition(":")
        name, value = name.lower(), value.strip()
        if not colon or not name or name[0] in " \t":
            raise AnswerError("a header of the answer cannot be read")
        if name == "set-cookie":
            cookies.append(value)
        elif name in headers:
            if name == "content-length" and headers[name] != value:
                raise AnswerError("the answer has two lengths")
            headers[name] = f"{headers[name]}, {value}" if name != "content-length" else value
        else:
            headers[name] = value
    connection = headers.get("connection", "").lower()
    kept = "close" not in connection if first[7] == "1" else "keep-alive" in connection
    return int(first[9:12]), headers, cookies, kept


def _read_body(reader: _Reader, headers: dict[str, str]) -> Buffer:
    most = reader.limits.size
    if (coding := headers.get("transfer-encoding")) is not None:
        if coding.lower() != "chunked":
            raise AnswerError("the answer has a transfer encoding other than chunked")
        return _read_chunks(reader, most)
    if (length := headers.get("content-length")) is None:
        return reader.rest()
    if not (length.isdecimal() and length.isascii()):
        raise AnswerError("the answer's length is no number")
    # Longer numbers are not worth reading.
    if len(length) > 15 or int(length) > most:
        raise _too_long(most)
    return reader.exactly(int(length))


def _read_chunks(reader: _Reader, most: int) -> bytes:
    chunks, total = [], 0
    while True:
        text = reader.until(b"\r\n", _LONGEST_LINE).partition(b";")[0].strip()
        if not _SIZE.fullmatch(text):
            raise AnswerError("the size of a chunk cannot be read")
        size = int(text, 16)
        total += size
        if total > most:
            raise _too_long(most)
        if not size:
            break
        chunks.append(reader.exactly(size))
        if reader.exactly(2) != b"\r\n":
            raise AnswerError("a chunk is longer than it says")
    left = _LONGEST_HEAD
    while (trailer := reader.until(b"\r\n", _LONGEST_LINE)) and left > 0:
        left -= len(trailer)
    return b"".join(chunks)


def _inflated(body: Buffer, headers: dict[str, str], most: int) -> Buffer:
    coding = headers.get("content-encoding", "identity").lower()
    if coding in ("identity", "") or not body:
        return body
    if coding not in ("gzip", "x-gzip"):
        raise AnswerError("the answer has a content encoding that was not asked for")
    inflater = zlib.decompressobj(_GZIP)
    try:
        plain = inflater.decompress(body, most + 1)
    except zlib.error:
        raise AnswerError("the answer's gzip cannot be read") from None
    if len(plain) > most:
        raise _too_long(most)
    if not inflater.eof:
        raise AnswerError("the answer's gzip is cut")
    return plain


def connect_tunnel(sock: socket.socket, request: bytes, limits: Limits) -> int:
    """Ask a proxy for a tunnel, and give the status of its answer."""
    reader = _Reader(sock, limits)
    sock.settimeout(limits.first)
    sock.sendall(request)
    reader.more()
    status, *_ = read_head(reader)
    if status == 200 and reader.waiting():
        raise AnswerError("the proxy sent more than its answer before the tunnel was used")
    return status
