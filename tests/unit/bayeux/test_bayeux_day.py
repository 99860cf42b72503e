"""A day of polls with a failure each quarter of an hour, in a program of its own."""

import itertools
import subprocess
import sys
from pathlib import Path

from bayeux_server import BayeuxServer, Message, Ruin

PROGRAM = Path(__file__).with_name("bayeux_day.py")
CHANNEL = "/event/Steady__e"


def test_a_day_adds_no_thread_no_socket_and_no_memory() -> None:
    ruins = itertools.cycle([Ruin.LOSE, Ruin.HALVE, Ruin.BUSY, Ruin.HTML, Ruin.RESET])
    polls = itertools.count(1)

    with BayeuxServer(hold=0.0, interval=120_000) as server:

        def rewrite(messages: list[Message]) -> list[Message]:
            if messages[-1]["channel"] == "/meta/connect" and (number := next(polls)) % 2:
                messages.insert(0, {"channel": CHANNEL, "data": {"payload": "x" * 1000}})
                if number % 7 == 0:
                    server.fault("/meta/connect" if number % 3 else "/meta/handshake", next(ruins))
                if number % 21 == 0:
                    server.sessions.clear()
            return messages

        server.rewrite = rewrite
        run = subprocess.run([sys.executable, PROGRAM, server.url], capture_output=True, text=True, timeout=300)
        assert run.returncode == 0, run.stderr
        threads, files, size, connected, failures = map(int, run.stdout.split())
        assert server.count("/meta/connect") > 700
        assert server.count("/meta/unsubscribe") > 5
    assert connected > 30
    assert failures > 50
    assert threads <= 0
    # A kilobyte for each poll that was kept, and more for a connection, would be far beyond this.
    assert files <= 1
    assert size < 50_000
    assert server.breaches == []
