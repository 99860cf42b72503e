"""Callbacks for metrics and tracing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import attrs

from sfconnector._redact import logger

if TYPE_CHECKING:
    from sfconnector._events import RefreshEvent, RequestEvent, ResponseEvent, RetryEvent

E = TypeVar("E")


@attrs.frozen
class Hooks:
    """Functions to be called in the thread of the call, in the middle of it.

    They see neither tokens nor bodies nor queries. An exception in one of them is logged and otherwise
    ignored: a broken metric must not lose the answer to a write.

    Example:
        >>> from sfconnector import Hooks
        >>> hooks = Hooks(on_retry=lambda event: print(event.reason))
    """

    on_request: Callable[[RequestEvent], object] | None = None
    on_response: Callable[[ResponseEvent], object] | None = None
    on_retry: Callable[[RetryEvent], object] | None = None
    on_refresh: Callable[[RefreshEvent], object] | None = None


def call(hook: Callable[[E], object] | None, event: E) -> None:
    """Call a hook, if there is one."""
    if hook is None:
        return
    try:
        hook(event)
    except Exception:
        logger.exception("a hook for %s failed", type(event).__name__)
