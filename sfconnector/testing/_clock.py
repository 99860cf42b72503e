"""The time of the local org, which a test may move forward."""

import threading
from datetime import UTC, datetime, timedelta


class Clock:
    """Real time plus whatever it has been advanced by; calling it gives the present moment in UTC.

    Example:
        >>> clock = Clock()
        >>> before = clock()
        >>> clock.advance(hours=3)
        >>> clock() - before >= timedelta(hours=3)
        True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead = timedelta()
        self._frozen: datetime | None = None

    def __call__(self) -> datetime:
        with self._lock:
            return (self._frozen or datetime.now(UTC)) + self._ahead

    def advance(self, seconds: float = 0.0, *, minutes: float = 0.0, hours: float = 0.0, days: float = 0.0) -> None:
        """Move the clock forward: tokens, query cursors and daily limits grow older, new records are dated later.

        Raises:
            ValueError: the clock would run backwards.
        """
        step = timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days)
        if step < timedelta():
            raise ValueError(f"The clock of a local org runs forward only; it was asked to go back by {-step}.")
        with self._lock:
            self._ahead += step

    def freeze(self, at: datetime | None = None) -> None:
        """Stop the clock at a moment (now, unless given); ``advance`` still moves it.

        Raises:
            ValueError: ``at`` has no time zone.
        """
        if at is not None and at.tzinfo is None:
            raise ValueError("freeze() needs a datetime with a time zone, such as datetime(2026, 1, 1, tzinfo=UTC).")
        with self._lock:
            self._frozen = (at or datetime.now(UTC) + self._ahead).astimezone(UTC)
            self._ahead = timedelta()
