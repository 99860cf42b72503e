"""Run as a program: poll a server for a simulated day, and print what has grown since its third hour.

The argument is the server's URL. It advises to wait for two minutes between polls, and the client's clock and waits
are simulated. Prints the threads, the open files and the bytes that came, and then how often the client connected.
"""

import gc
import os
import sys
import threading
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

from sfconnector.bayeux import Backoff, Client, Failure, Message, Reaction, State, Transport, by_advice

HOUR = 3600.0
CHANNEL, GUEST = "/event/Steady__e", "/event/Guest__e"


class Day:
    """A clock that only waits move on."""

    def __init__(self, url: str) -> None:
        self.now = 0.0
        self.connected = self.events = self.failures = 0
        self.figures: list[tuple[int, int, int]] = []
        self.client = Client(
            Transport(url, read_timeout=30.0),
            self.deliver,
            react=self.react,
            on_state=self.note,
            backoff=Backoff(first=1.0, cap=60.0),
            clock=lambda: self.now,
            wait=self.wait,
        )

    def deliver(self, events: Sequence[Message]) -> None:
        self.events += len(events)

    def react(self, failure: Failure) -> Reaction:
        self.failures += 1
        return by_advice(failure)

    def note(self, state: State) -> None:
        self.connected += state is State.CONNECTED

    def wait(self, seconds: float) -> bool:
        before, self.now = self.now, self.now + seconds
        if before // HOUR != self.now // HOUR:
            # One comes and goes from hour to hour, in the thread that polls.
            change = self.client.unsubscribe if GUEST in self.client.channels else self.client.subscribe
            change(GUEST)
        if before < 3 * HOUR <= self.now:
            self.figures.append(self.look())
        if before < 24 * HOUR <= self.now:
            self.figures.append(self.look())
            self.client.stop()
            return True
        return False

    @staticmethod
    def look() -> tuple[int, int, int]:
        gc.collect()
        files = sum(1 for _ in Path("/dev/fd").iterdir()) if os.name == "posix" else 0
        return threading.active_count(), files, tracemalloc.get_traced_memory()[0]


def main(url: str) -> None:
    day = Day(url)
    day.client.subscribe(CHANNEL)
    tracemalloc.start()
    day.client.run()
    (threads, files, size), (more_threads, more_files, more_size) = day.figures
    print(more_threads - threads, more_files - files, more_size - size, day.connected, day.failures)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
