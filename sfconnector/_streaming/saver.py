"""Keeps positions on a thread of its own, so that nobody waits for a disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Final

from sfconnector._streaming.feed import Feed

# Seconds between two rounds: a save costs as much as a hundred events, and a crash in between repeats what was
# processed meanwhile.
_GATHER: Final = 0.005
_AFTER_FAILURE: Final = 1.0


class Saver:
    """Saves the positions that have moved, some milliseconds later.

    Args:
        name: The listener's name.
        feeds: Whose positions.
        save: Saves one of them, and tells whether that was done.
    """

    def __init__(self, name: str, feeds: Mapping[str, Feed], save: Callable[[Feed], bool]) -> None:
        self._feeds, self._save = feeds, save
        # Looked at for each event, so without a lock; while it is true another round will come.
        self._awake = False
        self._wake, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sfconnector-positions-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def note(self) -> None:
        """Say that a position has moved."""
        if not self._awake:
            self._awake = True
            self._wake.set()

    def close(self) -> None:
        """End; whoever moves a position after that saves it too."""
        self._closed.set()
        self._wake.set()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._wake.wait()
            self._wake.clear()
            while (pause := self._save_moved()) is not None:
                if self._closed.wait(pause):
                    return
            self._awake = False
            if any(feed.is_unsaved for feed in [*self._feeds.values()]):
                self.note()

    def _save_moved(self) -> float | None:
        """Save, and give the seconds until the next round; ``None`` where none is needed."""
        moved = [feed for feed in [*self._feeds.values()] if feed.is_unsaved]
        if not moved:
            return None
        saved = [self._save(feed) for feed in moved]
        return _GATHER if all(saved) else _AFTER_FAILURE
