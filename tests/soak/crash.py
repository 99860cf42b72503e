"""The crash test: a listening process is killed at random moments while events flow and the org fails."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs

from .failing_org import CHANNELS, FailingOrg
from .journal import handled, told_errors
from .verdict import Verdict, judge

QUEUE_SIZE = 100
_LAST = 9999
_PATIENCE = 120.0
"""Seconds for what is to happen soon; only a failure waits for so long."""


@attrs.frozen
class Crashes:
    """How often a process was killed, what the org suffered, and what came of it."""

    kills: int
    published: int
    verdict: Verdict
    faults: Mapping[str, tuple[int, int]]
    """By kind, how often something was to go wrong, and how often it did."""
    errors: Mapping[str, int]
    """What ``on_error`` was told, by the error's class."""


def crash(folder: Path, *, kills: int, events: int, seed: int, seconds: float) -> Crashes:
    """Run the test; what a seed decides is who is killed, when, and what goes wrong meanwhile.

    Args:
        folder: An empty folder, in which the journals stay.
        kills: How many processes to kill.
        events: How many events to publish.
        seed: Makes the same choices as another run with it; how fast everything is, it cannot decide.
        seconds: How long to go on killing.
    """
    end = time.monotonic() + seconds
    source = random.Random(seed)  # noqa: S311  # no secret
    problems: list[str] = []
    with FailingOrg(folder, random.Random(source.random())) as org:  # noqa: S311
        publisher = _Publisher(org, events, random.Random(source.random()))  # noqa: S311
        with publisher:
            for number in range(1, kills + 1):
                if time.monotonic() > end:
                    problems.append(f"after {seconds:.0f} s {number - 1} processes were killed, not {kills}")
                    break
                publisher.allow(events * number // (kills + 1))
                age = source.choices(("young", "grown", "old"), (30, 58, 12))[0]
                if age == "old":
                    # It is to have much to do when its connection breaks: what waits then is sent again.
                    publisher.wait()
                work = 40 if age == "old" else source.choice((0, 2, 20))
                with Consumer(folder, number, org.environ(), work) as consumer:
                    _live(consumer, age, org, source)
                    problems += consumer.kill()
        if publisher.published < events:
            problems.append(f"only {publisher.published} events were published")
        org.calm()
        problems += _finish(folder, org)
        runs = [handled(path) for path in sorted(folder.glob("*.events"))]
        verdict = judge(org.published, runs, QUEUE_SIZE)
        verdict.problems[:0] = problems + org.unmet()
        errors = Counter(error.partition(":")[0] for error in told_errors(folder))
        return Crashes(kills, events, verdict, org.faults(), errors)


def _live(consumer: "Consumer", age: str, org: FailingOrg, source: random.Random) -> None:
    """Let a process live for a while, with faults on its way."""
    if age == "young":
        # It dies before it has heard much: while it logs in, subscribes, or is sent what it has missed.
        if source.random() < 0.5:
            consumer.wait(1, source.uniform(0, 0.8))
            org.fail()
        consumer.wait(20, source.uniform(0, 1.2))
        return
    consumer.wait(1, 4.0)
    for _ in range(source.choice((0, 1, 1, 2)) if age == "grown" else 3):
        consumer.wait(source.randrange(40), source.uniform(0, 0.4))
        org.fail()
    consumer.wait(*((source.randrange(1, 80), source.uniform(0.2, 1.2)) if age == "grown" else (400, 4.0)))


def _finish(folder: Path, org: FailingOrg) -> list[str]:
    """Let a last process handle what is left, and stop it as a service is stopped."""
    missing = {channel: set(numbers) for channel, numbers in org.published.items()}
    for path in folder.glob("*.events"):
        for channel, numbers in handled(path).items():
            missing[channel].difference_update(numbers)
    with Consumer(folder, _LAST, org.environ()) as consumer:
        consumer.wait_for(missing, _PATIENCE)
        return consumer.stop()


class Consumer:
    """A process that listens, and what it has told so far.

    Args:
        folder: Where it writes down what it handles.
        number: Its number.
        environ: How it logs in.
        work: Milliseconds that an event takes at most.
    """

    def __init__(self, folder: Path, number: int, environ: Mapping[str, str], work: int = 1) -> None:
        self.number = number
        self._complaints = folder / f"{number:04d}.stderr"
        program = Path(__file__).with_name("consumer.py")
        arguments = [str(folder), str(number), str(work), str(QUEUE_SIZE), *CHANNELS]
        with self._complaints.open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, str(program), *arguments],
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env={**os.environ, **environ},
            )
        self._told: list[tuple[str, int]] = []
        self._ended = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                channel, number = line.split()
                with self._changed:
                    self._told.append((channel, int(number)))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait(self, events: int, seconds: float) -> None:
        """Wait until the process has handled so many more events, has ended, or the seconds are over."""
        with self._changed:
            enough = len(self._told) + events
            self._changed.wait_for(lambda: self._ended or len(self._told) >= enough, seconds)

    def wait_for(self, missing: Mapping[str, set[int]], seconds: float) -> None:
        """Wait until nothing is missing any more; each event is waited for so many seconds at most."""
        looked_at = 0
        with self._changed:
            while any(missing.values()) and not self._ended:
                for channel, number in self._told[looked_at:]:
                    missing[channel].discard(number)
                looked_at = before = len(self._told)
                more = self._changed.wait_for(
                    lambda before=before: self._ended or len(self._told) > before or not any(missing.values()), seconds
                )
                if not more:
                    return

    def kill(self) -> list[str]:
        """Kill the process and tell whether it had ended before."""
        self._process.kill()
        return self._end(-signal.SIGKILL)

    def stop(self) -> list[str]:
        """Stop the process as a service is stopped."""
        self._process.terminate()
        return self._end(0)

    def _end(self, expected: int) -> list[str]:
        try:
            status = self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            return [f"process {self.number} did not stop"]
        if status == expected:
            return []
        return [f"process {self.number} ended with status {status}: {self._complaints.read_text()[-2000:]}"]


class _Publisher(threading.Thread):
    """Publishes events in small lots at random moments, as far as it is allowed to."""

    def __init__(self, org: FailingOrg, events: int, source: random.Random) -> None:
        super().__init__(name="publisher")
        self._org, self._events, self._source = org, events, source
        self.published = self._allowed = 0
        self._changed = threading.Condition()

    def allow(self, events: int) -> None:
        with self._changed:
            self._allowed = events
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until all that is allowed has been published."""
        with self._changed:
            self._changed.wait_for(lambda: self.published >= self._allowed, _PATIENCE)

    def run(self) -> None:
        while self.published < self._events:
            with self._changed:
                self._changed.wait_for(lambda: self._allowed > self.published)
                lot = min(self._source.choice((1, 1, 2, 5, 20)), self._allowed - self.published)
            for _ in range(lot):
                self._org.publish(self.published)
                with self._changed:
                    self.published += 1
                    self._changed.notify_all()
            time.sleep(self._source.uniform(0, 0.05))  # the pace of the world, which nobody waits for

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.allow(self._events)
        self.join()
