"""A listener runs for a day, with all that happens to it, and grows in nothing."""

import gc
import logging
import os
import threading
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from quick_org import POLL, QuickOrg

from sfconnector import Retry, Salesforce, auth

CHANNEL = "/data/AccountChangeEvent"
HOUR = round(3600 / POLL)
WARM = 4 * HOUR
"""Polls after which all that can happen has happened."""
DAY = 24 * HOUR
PATIENCE = 60.0
# Less than a hundred bytes a poll: an event that is kept, or a connection, has more.
GROWTH = 50_000


class Day:
    """What the org does at each poll; it stops after some hours and after the last one, to be looked at."""

    def __init__(self) -> None:
        self.now = 0.0
        self.events = 0
        self._stop_after = {WARM: (threading.Event(), threading.Event()), DAY: (threading.Event(), threading.Event())}

    def poll(self, number: int) -> list[dict[str, Any]] | str | None:
        self.now += POLL
        if number in self._stop_after:
            reached, go_on = self._stop_after[number]
            reached.set()
            assert go_on.wait(PATIENCE)
        # Each hour one thing happens: the client is forgotten, its token ends, the connection breaks.
        if number % HOUR == HOUR // 2:
            return ["403::Unknown client", "401::Authentication invalid", None][number // HOUR % 3]
        self.events += 1
        return [change(self.events)]

    def wait_for(self, poll: int) -> None:
        assert self._stop_after[poll][0].wait(PATIENCE), "the listener has stopped polling"

    def go_on(self, poll: int) -> None:
        self._stop_after[poll][1].set()


def change(number: int) -> dict[str, Any]:
    header = {"entityName": "Account", "changeType": "UPDATE", "transactionKey": f"key{number}", "sequenceNumber": 1}
    return {"payload": {"ChangeEventHeader": header, "Name": "x" * 500}, "event": {"replayId": number}}


def open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def held() -> int:
    """Give the bytes that Python holds, when nothing is waiting to be collected."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def settled(threads: int, files: int) -> bool:
    """Wait until the connections of the past are gone on the side of the server, too."""
    pause = threading.Event()
    return any((threading.active_count() <= threads and open_files() <= files) or pause.wait(0.01) for _ in range(1000))


@pytest.fixture
def no_logs() -> Iterator[None]:
    """Log nothing: pytest would keep it. By the function, which also makes loggers forget what they took before."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.skipif(os.name != "posix", reason="open files are counted in a folder that only POSIX systems have")
@pytest.mark.usefixtures("no_logs")
def test_a_day_adds_no_memory_no_thread_and_no_socket(tmp_path: Path) -> None:
    day, processed, errors = Day(), [0], Counter[str]()

    def handle(event: Any) -> None:
        processed[0] += 1

    with QuickOrg(day.poll) as org:
        retry = Retry(clock=lambda: day.now, random=lambda: 0.0)
        login = auth.ClientCredentials(org.url, "key", "secret")
        with Salesforce(login, retry=retry) as sf:
            listener = sf.listener(
                replay=tmp_path / "positions.db",
                on_error=lambda error: errors.update([type(error).__name__]),
                queue_size=5,
            )
            listener.attach(CHANNEL, handle)
            tracemalloc.start()
            try:
                with listener:
                    day.wait_for(WARM)
                    threads, files, bytes_held = threading.active_count(), open_files(), held()
                    day.go_on(WARM)
                    day.wait_for(DAY)
                    assert settled(threads, files), (threads, threading.enumerate(), files, open_files())
                    assert held() - bytes_held < GROWTH
                    day.go_on(DAY)
            finally:
                tracemalloc.stop()
    assert org.handshakes == 1 + 24
    assert org.logins == 1 + 8
    assert processed[0] >= DAY - 24 - 5
