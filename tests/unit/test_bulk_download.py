"""Long answers: inflated in bounded blocks, carried on where they broke, each byte once."""

import gzip
import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from http_server import Answer, Cut, Reply, Seen, Server, in_order
from hypothesis import given, settings
from hypothesis import strategies as st
from session_tools import FakeTime, Numbered, get, session_on

from sfconnector import errors
from sfconnector._bulk import download
from sfconnector._bulk.download import Download, gunzip

TEXT = "".join(
    f'"{number}","{hashlib.sha256(str(number).encode()).hexdigest()}","a ""b""\n\u2028"\n' for number in range(20_000)
).encode()
CSV = {"Content-Type": "text/csv"}
GZIP = {**CSV, "Content-Encoding": "gzip"}
DATA = gzip.compress(TEXT, 1)


def whole(data: bytes = DATA, headers: dict[str, str] = GZIP) -> Reply:
    return Reply(200, data, headers)


def cut(at: int, data: bytes = DATA) -> Reply:
    return Reply(200, data[:at], GZIP, length=len(data), close=True)


def chunked(data: bytes, *, ended: bool = True) -> Reply:
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (data[:70_000], data[70_000:]) if piece)
    return Reply(200, body + b"0\r\n\r\n" * ended, {**GZIP, "Transfer-Encoding": "chunked"}, close=not ended)


def fetch(*answers: Answer, **options: Any) -> tuple[bytes, list[Seen]]:
    with Server(answers) as server:
        session = session_on(server.url, **options)
        try:
            return b"".join(Download(session, get())), server.seen
        finally:
            session.close()


@contextmanager
def opened(*answers: Answer) -> Iterator[Download]:
    with Server(answers) as server:
        session = session_on(server.url)
        try:
            with Download(session, get()) as it:
                yield it
        finally:
            session.close()


@pytest.fixture(params=["isal", "zlib"])
def inflater(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "zlib":
        # As on a platform that isal has no wheel for.
        monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    download._inflater.cache_clear()
    yield request.param
    download._inflater.cache_clear()


@pytest.mark.parametrize(
    "answer",
    [
        whole(),
        whole(TEXT, CSV),
        whole(TEXT, {**CSV, "Content-Encoding": "identity"}),
        whole(DATA, {**CSV, "Content-Encoding": "x-gzip"}),
        whole(gzip.compress(TEXT[:100_000]) + gzip.compress(TEXT[100_000:])),
        chunked(DATA),
    ],
)
def test_all_that_was_sent_comes(answer: Answer, inflater: str) -> None:
    data, seen = fetch(answer)
    assert data == TEXT
    assert [request.headers["accept-encoding"] for request in seen] == ["gzip"]


@pytest.mark.parametrize("answer", [whole(b"", CSV), whole(b""), whole(gzip.compress(b"")), Reply(204, b"")])
def test_nothing_is_nothing(answer: Answer) -> None:
    assert fetch(answer)[0] == b""


def test_the_headers_are_there_before_the_body() -> None:
    with opened(whole(headers={**GZIP, "Sforce-Locator": "abc"})) as it:
        assert it.headers["sforce-locator"] == "abc"
        assert b"".join(it) == TEXT


@pytest.mark.parametrize("at", [0, 1, 9, 11, 5_000, 65_536, 70_000, len(DATA) - 9, len(DATA) - 1])
def test_a_cut_at_any_place_is_carried_on(at: int, inflater: str) -> None:
    data, seen = fetch(cut(at), cut(len(DATA) // 2), whole())
    assert data == TEXT
    assert len(seen) == 3


@pytest.mark.parametrize("at", [0, 5, 100_000])
def test_a_body_in_chunks_that_ends_too_early_is_carried_on(at: int) -> None:
    data, seen = fetch(chunked(DATA[:at], ended=False), whole())
    assert data == TEXT
    assert len(seen) == 2


def test_data_whose_end_a_proxy_cut_off_tidily_is_carried_on(inflater: str) -> None:
    data, seen = fetch(whole(DATA[:100_000]), chunked(DATA[:-1]), whole())
    assert data == TEXT
    assert len(seen) == 3


@pytest.mark.parametrize(
    "damaged",
    [DATA[:1000] + bytes(64) + DATA[1064:], DATA[:-6] + b"\x00" + DATA[-5:], DATA + b"<html>", b"x" * 100],
)
def test_damaged_data_is_asked_for_again(damaged: bytes, inflater: str) -> None:
    data, seen = fetch(whole(damaged), whole())
    assert data == TEXT
    assert len(seen) == 2


def test_attempts_end() -> None:
    time = FakeTime()
    with pytest.raises(errors.TransportError, match="the connection broke") as caught:
        fetch(cut(80_000), retry=time.retry(attempts=3))
    assert caught.value.failure is errors.Failure.CUT
    assert time.slept == [0.5, 1.0]


def test_damaged_data_is_an_error_in_the_end() -> None:
    with pytest.raises(errors.TransportError, match="damaged") as caught:
        fetch(whole(b"secret" * 20), retry=FakeTime().retry(attempts=2))
    assert caught.value.failure is errors.Failure.GARBLED
    assert "secret" not in str(caught.value)


def other(at: int) -> bytes:
    return gzip.compress(TEXT[:at] + b"?" + TEXT[at + 1 :], 1)


@pytest.mark.parametrize(
    "again", [whole(other(0)), whole(other(50_000)), whole(gzip.compress(TEXT[:50_000])), whole(b"")]
)
def test_another_answer_the_second_time_is_an_error(again: Answer) -> None:
    got: list[bytes] = []

    def read(it: Download) -> None:
        for block in it:
            got.append(block)  # noqa: PERF402  # what came before the error counts

    with opened(cut(100_000), again) as it, pytest.raises(errors.InvalidResponseError, match="from the beginning on"):
        read(it)
    assert TEXT.startswith(b"".join(got))


def test_the_same_data_compressed_otherwise_is_the_same() -> None:
    assert fetch(cut(100_000), whole(gzip.compress(TEXT, 9)))[0] == TEXT
    assert fetch(cut(100_000), whole(TEXT, CSV))[0] == TEXT


def test_a_503_on_the_way_is_waited_for() -> None:
    busy = Reply.error(503, "SERVER_UNAVAILABLE")
    data, seen = fetch(cut(100_000), busy, busy, whole())
    assert data == TEXT
    assert len(seen) == 4


def test_a_refusal_on_the_way_is_an_error() -> None:
    with pytest.raises(errors.NotFoundError):
        fetch(cut(100_000), Reply.error(404, "NOT_FOUND"))


def test_a_token_that_expires_on_the_way_is_renewed() -> None:
    answers: Callable[[Seen], Answer] = in_order([cut(100_000), Reply.error(401, "INVALID_SESSION_ID"), whole()])
    with Server(answers) as server:
        session = session_on(server.url, auth=Numbered(server.url))
        assert b"".join(Download(session, get())) == TEXT
        session.close()
    assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer T1", "Bearer T1", "Bearer T2"]


def test_no_answer_the_second_time_is_an_error() -> None:
    with pytest.raises(errors.TransportError):
        fetch(cut(100_000), Cut(), retry=FakeTime().retry(attempts=2))


def test_a_web_page_is_no_data() -> None:
    page = Reply(200, b"<html><title>Log in</title></html>", {"Content-Type": "text/html; charset=UTF-8"})
    with pytest.raises(errors.InvalidResponseError, match="Log in"):
        fetch(page)


def test_a_compression_that_was_not_asked_for_is_an_error() -> None:
    with pytest.raises(errors.InvalidResponseError, match="'br'"):
        fetch(whole(DATA, {**CSV, "Content-Encoding": "br"}))


def test_who_stops_reading_gives_the_connection_back() -> None:
    with Server([whole()]) as server:
        session = session_on(server.url, max_connections=1)
        for _ in range(3):
            with Download(session, get()) as it:
                assert TEXT.startswith(next(iter(it)))
        session.close()
        assert len(server.seen) == 3


def test_as_a_file() -> None:
    with opened(cut(100_000), whole()) as it, it.file() as file:
        assert file.readable()
        assert file.read(10) == TEXT[:10]
        assert file.readline() == TEXT[10:].partition(b"\n")[0] + b"\n"
        assert file.read() == TEXT.partition(b"\n")[2]
        assert file.read(1) == b""


def test_an_error_comes_through_the_file() -> None:
    with opened(cut(100_000), whole(b"")) as it, it.file() as file, pytest.raises(errors.InvalidResponseError):
        file.read()


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.binary(max_size=3000) | st.just(b"a" * 20_000), max_size=4), st.integers(1, 300), st.integers(1, 5000)
)
def test_blocks_are_bounded_however_the_data_is_cut(members: list[bytes], step: int, most: int) -> None:
    data = b"".join(map(gzip.compress, members))
    blocks, complete = _run(gunzip((data[at : at + step] for at in range(0, len(data), step)), most))
    assert (b"".join(blocks), complete) == (b"".join(members), True)
    assert all(len(block) <= most for block in blocks)
    if members:
        blocks, complete = _run(gunzip([data[:-1]], most))
        assert not complete
        assert b"".join(members).startswith(b"".join(blocks))


def _run(blocks: Any) -> tuple[list[bytes], bool]:
    got = []
    while True:
        try:
            got.append(next(blocks))
        except StopIteration as end:
            return got, end.value
