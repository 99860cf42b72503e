"""Answers on the wire: whole, cut, too long, too slow, and wrong."""

import gzip
import json
import socket
import threading
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfconnector.bayeux import AnswerError
from sfconnector.bayeux._wire import Answer, Limits, exchange

LIMITS = Limits(first=30.0, gap=30.0, whole=30.0, size=100_000)
BODY = b'[{"channel":"/meta/connect"}]'
UNHURRIED = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def answered(*pieces: bytes, limits: Limits = LIMITS, close: bool = True) -> Answer:
    """Have these pieces answer a request."""
    ours, theirs = socket.socketpair()
    with ours, theirs:

        def answer() -> None:
            assert theirs.recv(100) == b"request"
            for piece in pieces:
                theirs.sendall(piece)
            if close:
                theirs.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            return exchange(ours, b"request", limits)
        finally:
            thread.join()


def sized(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def test_an_answer_with_a_length() -> None:
    answer = answered(sized(BODY, b"X-One: 1", b"x-one:2", b"Set-Cookie: a=1", b"Set-Cookie: b=2"), close=False)
    assert (answer.status, answer.body, answer.reusable) == (200, BODY, True)
    assert answer.headers["x-one"] == "1, 2"
    assert answer.cookies == ["a=1", "b=2"]


def test_chunks_with_extensions_and_trailers() -> None:
    answer = answered(CHUNKED + b"5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nX-End: 1\r\n\r\n", close=False)
    assert (answer.body, answer.reusable) == (b"hello world", True)


def test_an_answer_that_ends_with_its_connection() -> None:
    answer = answered(b"HTTP/1.1 200 OK\r\n\r\n", BODY)
    assert (answer.body, answer.reusable) == (BODY, False)


def test_what_comes_before_the_answer_proper_is_passed_over() -> None:
    before = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX: 1\r\n\r\n"
    assert answered(before + sized(BODY), close=False).body == BODY


@pytest.mark.parametrize(
    ("answer", "reusable"),
    [
        (sized(BODY), True),
        (sized(BODY, b"Connection: close"), False),
        (sized(BODY, b"Connection: keep-alive"), True),
        (sized(BODY).replace(b"1.1", b"1.0", 1), False),
        (sized(BODY, b"Connection: keep-alive").replace(b"1.1", b"1.0", 1), True),
        (sized(BODY) + b"more", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
    ],
)
def test_whether_a_connection_serves_again(answer: bytes, reusable: bool) -> None:
    assert answered(answer, close=False).reusable is reusable


def test_gzip() -> None:
    assert answered(sized(gzip.compress(BODY), b"Content-Encoding: gzip")).body == BODY


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([sized(BODY)[:-1]], "cut 1 bytes before its end"),
        ([sized(BODY)[:30]], "cut in its head"),
        ([CHUNKED + b"5\r\nhel"], "cut 2 bytes before"),
        ([CHUNKED + b"5\r\nhello\r\n"], "cut in its head|without an answer"),
        ([CHUNKED + b"5\r\nhelloworld\r\n"], "longer than it says"),
        ([CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n"], "size of a chunk"),
        ([CHUNKED + b"-5\r\n"], "size of a chunk"),
        ([CHUNKED + b"fffff\r\n"], "more than 100,000 bytes"),
        ([CHUNKED + b"1" * 5000], "without an end of a line"),
        ([b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n"], "no HTTP"),
        ([b"HTTP/2 200 OK\r\n\r\n"], "no HTTP"),
        ([b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000], "65536 bytes without an end"),
        ([b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"], "header of the answer cannot be read"),
        ([b"HTTP/1.1 200 OK\r\nX: 1\r\n folded: 2\r\n\r\n"], "header of the answer cannot be read"),
        ([sized(BODY, b"Content-Length: 5")], "two lengths"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"], "length is no number"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n"], "more than 100,000 bytes; a greater max_answer"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n"], "more than 100,000 bytes"),
        ([b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 100_001], "more than 100,000 bytes"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"], "transfer encoding"),
        ([sized(gzip.compress(b" " * 100_001), b"Content-Encoding: gzip")], "more than 100,000 bytes"),
        ([sized(gzip.compress(BODY)[:-1], b"Content-Encoding: gzip")], "gzip is cut"),
        ([sized(BODY, b"Content-Encoding: gzip")], "gzip cannot be read"),
        ([sized(zlib.compress(BODY), b"Content-Encoding: br")], "content encoding that was not asked for"),
    ],
)
def test_answers_that_cannot_be_used(pieces: list[bytes], text: str) -> None:
    with pytest.raises((AnswerError, ConnectionResetError), match=text):
        answered(*pieces)


def test_no_answer_at_all() -> None:
    with pytest.raises(ConnectionResetError, match="closed without an answer"):
        answered()


def test_silence_ends() -> None:
    with pytest.raises(TimeoutError, match=r"no answer within 0\.01 s"):
        answered(close=False, limits=Limits(0.01, 30.0, 30.0, 1000))


def test_an_answer_that_stops_ends() -> None:
    with pytest.raises(TimeoutError, match=r"stopped for 0\.01 s"):
        answered(sized(BODY)[:-1], close=False, limits=Limits(30.0, 0.01, 30.0, 1000))


def test_an_answer_that_drips_ends() -> None:
    ours, theirs = socket.socketpair()
    ended = threading.Event()

    def drip() -> None:
        theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
        while not ended.wait(0.002):
            theirs.sendall(b" ")

    thread = threading.Thread(target=drip)
    with ours, theirs:
        thread.start()
        try:
            with pytest.raises(TimeoutError, match=r"did not end within 0\.05 s"):
                exchange(ours, b"request", Limits(30.0, 30.0, 0.05, 100_000))
        finally:
            ended.set()
            thread.join()


@st.composite
def encodings(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A body, and an answer that holds it."""
    body = json.dumps(draw(st.lists(st.text(max_size=50), max_size=20))).encode()
    coded = gzip.compress(body) if draw(st.booleans()) else body
    headers = [b"Content-Encoding: gzip"] if coded is not body else []
    if draw(st.booleans()):
        return body, sized(coded, *headers)
    chunks = b""
    rest = coded
    while rest:
        size = draw(st.integers(1, len(rest)))
        chunks += b"%X\r\n%b\r\n" % (size, rest[:size])
        rest = rest[size:]
    head = b"\r\n".join([b"HTTP/1.1 200 OK", *headers, b"Transfer-Encoding: chunked"])
    return body, head + b"\r\n\r\n" + chunks + b"0\r\n\r\n"


class Pieces:
    """A socket from which the bytes come in given pieces."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self.pieces = []
        for size in sizes:
            if data:
                self.pieces.append(data[:size])
                data = data[size:]
        self.pieces += [data, b""] if data else [b""]

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def sendall(self, data: bytes) -> None:
        assert data

    def recv(self, _: int) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""

    def recv_into(self, view: memoryview) -> int:
        if not self.pieces:
            return 0
        taken, rest = self.pieces[0][: len(view)], self.pieces[0][len(view) :]
        self.pieces[:1] = [rest] if rest else []
        view[: len(taken)] = taken
        return len(taken)


@UNHURRIED
@given(encodings(), st.lists(st.integers(1, 20), max_size=60))
def test_an_answer_is_the_same_in_whatever_pieces_it_comes(encoding: tuple[bytes, bytes], sizes: list[int]) -> None:
    body, data = encoding
    answer = exchange(Pieces(data, sizes), b"request", LIMITS)  # type: ignore[arg-type]
    assert (answer.body, answer.reusable) == (body, True)


@UNHURRIED
@given(encodings(), st.data())
def test_an_answer_that_was_cut_anywhere_is_no_answer(encoding: tuple[bytes, bytes], data: st.DataObject) -> None:
    whole = encoding[1]
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises((AnswerError, ConnectionResetError)):
        exchange(Pieces(cut, [7] * 20), b"request", LIMITS)  # type: ignore[arg-type]
