"""Who is called for which event."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

Callback: TypeAlias = Callable[[Any], object]

KINDS: Final = ("create", "update", "delete", "restore", "gap", "message", "error")
# Read of a handler object; anything else that begins in the same way is taken for a slip of the pen.
_METHODS: Final = tuple(f"on_{kind}" for kind in KINDS)


class Handlers:
    """The callbacks of one channel.

    Attributes:
        table: By the kind of event, whom to call; without what nobody is there for.
        on_error: Whom to tell of errors, if anyone.
    """

    def __init__(self, callbacks: Mapping[str, Callback]) -> None:
        self._callbacks = dict(callbacks)
        self.table: dict[str, Callback] = {}
        self.on_error: Callback | None = None
        self._fill()

    @classmethod
    def of(cls, handler: object) -> Handlers:
        """Read a handler: a function of the event, or an object with methods for kinds of events.

        Raises:
            TypeError: It has nothing that could be called.
            ValueError: It has a method for a kind of event that there is not.
        """
        if isinstance(handler, type):
            raise TypeError(f"a handler is an object or a function, not the class {handler.__name__}: make one of it")
        names = [name for name in dir(handler) if name.startswith("on_")]
        if unknown := [name for name in names if name not in _METHODS and callable(getattr(handler, name))]:
            known = ", ".join(_METHODS)
            raise ValueError(f"a handler has no {unknown[0]}: there are {known}")
        found = {name[3:]: getattr(handler, name) for name in names if callable(getattr(handler, name))}
        if not found.keys() - {"error"}:
            if not callable(handler):
                raise TypeError(
                    f"a {type(handler).__name__} is no handler: it is a function, or has methods such as on_update"
                )
            found["message"] = handler
        return cls(found)

    def add(self, callback: Callback, kinds: tuple[str, ...]) -> None:
        """Add a function for kinds of events.

        Raises:
            ValueError: A kind is unknown, or somebody is there for it already.
            TypeError: It cannot be called.
        """
        check_kinds(kinds)
        if not callable(callback):
            raise TypeError(f"a handler is a function of the event, not a {type(callback).__name__}")
        kinds = kinds or ("message",)
        if taken := [kind for kind in kinds if kind in self._callbacks]:
            raise ValueError(f"the channel has a handler for {taken[0]!r} already")
        self._callbacks |= dict.fromkeys(kinds, callback)
        self._fill()

    def _fill(self) -> None:
        for_all = self._callbacks.get("message")
        table = {kind: self._callbacks.get(kind) or for_all for kind in KINDS if kind != "error"}
        self.on_error = self._callbacks.get("error")
        self.table = {kind: callback for kind, callback in table.items() if callback is not None}


def check_kinds(kinds: tuple[str, ...]) -> None:
    """Refuse kinds of events that there are not."""
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise ValueError(f"{unknown[0]!r} is no kind of event: there are {', '.join(KINDS)}")


def check_callback(name: str, callback: object) -> None:
    """Refuse what can neither be called nor is left out."""
    if callback is not None and not callable(callback):
        raise TypeError(f"{name} is a function of the error, not a {type(callback).__name__}")


def place_of(error: Exception) -> str:
    """Tell what was raised and where, without its text or that of what it came from, which may hold data."""
    return "\n".join([type(error).__name__, *traceback.format_tb(error.__traceback__)]).rstrip()
