"""Ending a service when the system asks for it."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sfconnector._streaming.listener import Listener

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
# Seconds for running handlers; what starts services gives them at least so many.
_PATIENCE: Final = 10.0


@contextmanager
def stopping_on_signals(listener: Listener) -> Iterator[Callable[[], bool]]:
    """Stop a listener at the first signal, and leave the second to whoever had them before.

    Raises:
        ValueError: This is not the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        raise ValueError("signals reach the main thread only: call run(signals=True) there")
    asked: list[int] = []
    orders: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def stop() -> None:
        if orders.get():
            listener.stop(timeout=_PATIENCE)

    def on_signal(number: int, _: Any) -> None:
        asked.append(number)
        restore()
        # The signal may have come while the main thread holds a lock that stopping needs, or the start of a thread
        # would; this takes none.
        orders.put(True)

    threading.Thread(target=stop, name="sfconnector-listener-signals", daemon=True).start()
    before = {number: signal.signal(number, on_signal) for number in _SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    try:
        yield lambda: bool(asked)
    finally:
        restore()
        orders.put(False)
