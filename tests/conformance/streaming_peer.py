"""Streaming clients of others, each in a process of its own, that tell in lines of JSON what happens to them."""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import node_client

from sfconnector.testing import LocalOrg

HERE = Path(__file__).parent
# Seconds; nothing here takes as long unless it hangs.
PATIENCE = 60.0

Happening = dict[str, Any]


class Peer:
    """A client that runs until the end of the block.

    Args:
        script: A script of ``node/``, or of this folder if it ends in ``.py``; it takes its settings as argument.
        settings: What it is given.
    """

    def __init__(self, script: str, settings: Mapping[str, Any]) -> None:
        program = [sys.executable, "-W", "default", script] if script.endswith(".py") else ["node", script]
        self._command, self._script = [*program, json.dumps(settings)], script
        self._happenings: list[Happening] = []
        self._changed = threading.Condition()
        self._ended = False

    def __enter__(self) -> Self:
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            self._command,
            cwd=HERE if self._script.endswith(".py") else node_client.FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        finally:
            self._process.wait(PATIENCE)
            self._reader.join(PATIENCE)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._errors.close()

    def order(self, do: str, **given: Any) -> None:
        """Have it do something."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **given}) + "\n")
        self._process.stdin.flush()

    def hear(self, what: str, count: int = 1) -> list[Happening]:
        """Wait until something has happened so many times, and give these and all more."""
        return self._wait(lambda: [each for each in self._happenings if each["what"] == what], count)

    def events(self, count: int) -> list[dict[str, Any]]:
        """Wait for so many events, and give what they carry."""
        return [each["data"] for each in self.hear("event", count)]

    def failures(self, error: str, count: int = 1) -> list[Happening]:
        """Wait until the server has refused something with an error."""

        def found() -> list[Happening]:
            return [each for each in self._happenings if error in str((each.get("reply") or {}).get("error"))]

        return self._wait(found, count)

    def _wait(self, found: Callable[[], list[Happening]], count: int) -> list[Happening]:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or len(found()) >= count, PATIENCE)
            happenings = found()
        assert len(happenings) >= count, f"{self._script}: {self._happenings}\n{self._said()}"
        return happenings

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._happenings.append(json.loads(line))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _said(self) -> str:
        self._errors.seek(0)
        return self._errors.read()


def listening(org: LocalOrg, peer: Peer, channel: str) -> None:
    """Wait until a client listens to a channel.

    It must have read the answer to its subscribe, or events of a poll may overtake those that came with it.
    """
    peer.hear("subscribed")
    org.streaming.wait(channel=channel)
