"""How far bulk jobs are: what callbacks are told, and a bar that shows it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import IO, Any, Protocol, Self

import attrs

from sfconnector._extras import optional


@attrs.frozen
class JobProgress:
    """How far one job, or several that belong together, are.

    Attributes:
        job_ids: The jobs that there are so far, in the order in which they were created.
        state: Of the job that is waited for, as heard last, such as ``"InProgress"``; ``"Open"`` while data is sent.
        records_processed: As Salesforce counts, failed ones included.
        records_failed: Of these.
        records_total: How many there will be; ``None`` where that is not known, or not yet.
        bytes_sent: Of data, so far.
        jobs_done: Jobs that have ended.
        jobs_total: How many jobs there will be; ``None`` as long as that is not known.
        elapsed: Seconds since the call began that tells this.
    """

    job_ids: tuple[str, ...] = ()
    state: str = "Open"
    records_processed: int = 0
    records_failed: int = 0
    records_total: int | None = None
    bytes_sent: int = 0
    jobs_done: int = 0
    jobs_total: int | None = None
    elapsed: float = 0.0


class Progress(Protocol):
    """Whatever can be called with a :class:`JobProgress`.

    It is called in the middle of the work, once at a time, and about each second while there is nothing but waiting.
    It ends the work by raising: the call ends with a :class:`JobError` whose cause is what was raised, and whose
    ``job`` is the handle of the job or jobs, which go on at Salesforce.
    """

    def __call__(self, progress: JobProgress, /) -> object: ...


def check_callback(name: str, callback: object) -> None:
    """Refuse what cannot be called, before there is anything to tell.

    Raises:
        TypeError: It is neither ``None`` nor a function or the like.
    """
    if callback is not None and not callable(callback):
        raise TypeError(f"{name} is called: give a function, not a {type(callback).__name__}")


def telling(progress: Progress | None, now: Callable[[float], JobProgress]) -> Callable[[float], object] | None:
    """Let a callback be told how far a job is, which ``now`` says for the seconds that have passed.

    Raises:
        TypeError: It is no callback.
    """
    check_callback("progress", progress)
    return None if progress is None else lambda elapsed: progress(now(elapsed))


class ProgressBar:
    """A bar on a terminal, made by :func:`progress_bar`; call it with a :class:`JobProgress` to draw it.

    It is closed with the last job; in a ``with`` statement, also when there is no such end.
    """

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._lock = threading.Lock()

    def __call__(self, progress: JobProgress, /) -> None:
        """Draw the bar."""
        with self._lock:
            self._bar.total = progress.records_total
            self._bar.n = progress.records_processed
            self._bar.set_description_str(progress.state, refresh=False)
            facts = {"failed": progress.records_failed, "sent": f"{progress.bytes_sent / 1e6:.1f} MB"}
            if progress.jobs_total != 1:
                facts["jobs"] = f"{progress.jobs_done}/{progress.jobs_total or '?'}"
            self._bar.set_postfix({name: value for name, value in facts.items() if value}, refresh=True)
            if progress.jobs_done == progress.jobs_total:
                self._bar.close()

    def close(self) -> None:
        """Leave the bar as it is, and the cursor below it."""
        with self._lock:
            self._bar.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def progress_bar(*, file: IO[str] | None = None, disable: bool | None = None) -> ProgressBar:
    """Make a bar for the ``progress`` of bulk jobs; it needs the extra ``progress``.

    Args:
        file: Where to draw it; standard error by default.
        disable: Draw nothing; by default that is so where ``file`` is no terminal.

    Raises:
        ImportError: tqdm is not installed.

    See Also:
        https://tqdm.github.io/

    Example:
        >>> from sfconnector import JobProgress, progress_bar
        >>> with progress_bar(disable=True) as bar:
        ...     bar(JobProgress(records_processed=10, records_total=200))
    """
    tqdm = optional("tqdm", "progress").tqdm
    return ProgressBar(tqdm(unit=" records", file=file, disable=disable, unit_scale=True))
