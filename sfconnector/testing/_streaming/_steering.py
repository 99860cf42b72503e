"""What a test decides about streaming: how polls are held, what goes wrong, and events of its own."""

import math
import threading
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from sfconnector.testing._faults import Fault
from sfconnector.testing._streaming._clients import Clients, End
from sfconnector.testing._streaming._log import EventLog
from sfconnector.testing._streaming._messages import CONNECT, HANDSHAKE, SUBSCRIBE
from sfconnector.testing._tokens import Tokens

Operation = Literal["handshake", "connect", "subscribe"]

_CHANNELS: Final[Mapping[str, str]] = {"handshake": HANDSHAKE, "connect": CONNECT, "subscribe": SUBSCRIBE}
_LOST: Final = "lose"
_HALVED: Final = "halve"
_LIMITED: Final = "limit"


class StreamingSteering:
    """How the org's streaming behaves; found at ``org.streaming``, thread-safe.

    Methods that return a `Fault` make something go wrong ``times`` times (``None``: until `clear`). Its ``hits`` and
    its ``wait()`` tell when it has.

    Example:
        >>> from sfconnector.testing import LocalOrg
        >>> with LocalOrg() as org:
        ...     org.streaming.poll_timeout = 5
        ...     fault = org.streaming.lose()
        ...     replay_id = org.streaming.publish("AccountChangeEvent", {"schema": "x", "payload": {}})
        ...     fault.hits, org.streaming.clients
        (0, 0)
    """

    def __init__(self, events: EventLog, tokens: Tokens) -> None:
        self._events = events
        self._tokens = tokens
        self._lock = threading.Lock()
        self._armed: dict[str, list[Fault]] = {}
        self._poll_timeout = 110.0
        self._events_per_answer = 1_000
        #: Seconds by which every answer is held back; see `slow`.
        self.delay = 0.0
        self.registry = Clients(tokens)
        events.on_kept.append(self.registry.ring)
        tokens.on_ended.append(self.registry.ring)

    # -- settings -----------------------------------------------------------------------------------------------

    @property
    def poll_timeout(self) -> float:
        """Seconds that a poll is held while there are no events; 110 at first."""
        return self._poll_timeout

    @poll_timeout.setter
    def poll_timeout(self, seconds: float) -> None:
        self._poll_timeout = _seconds(seconds)
        self.registry.ring()

    @property
    def max_interval(self) -> float:
        """Seconds after an answer in which a client must come back, or is unknown; 40 at first."""
        return self.registry.max_interval

    @max_interval.setter
    def max_interval(self, seconds: float) -> None:
        self.registry.max_interval = _seconds(seconds)

    @property
    def max_clients(self) -> int:
        """How many clients there may be at once; 2,000 at first."""
        return self.registry.maximum

    @max_clients.setter
    def max_clients(self, clients: int) -> None:
        if clients < 0:
            raise ValueError(f"There cannot be {clients} clients.")
        self.registry.maximum = clients

    @property
    def events_per_answer(self) -> int:
        """How many events one answer holds at most; 1,000 at first."""
        return self._events_per_answer

    @events_per_answer.setter
    def events_per_answer(self, events: int) -> None:
        if events < 1:
            raise ValueError(f"An answer cannot hold {events} events.")
        self._events_per_answer = events

    # -- what a test looks at -----------------------------------------------------------------------------------

    @property
    def clients(self) -> int:
        """How many clients are known: they have shaken hands, and neither said goodbye nor stayed away too long."""
        return self.registry.count()

    @property
    def subscriptions(self) -> dict[str, int]:
        """How many clients have subscribed to each channel."""
        return dict(self.registry.subscriptions())

    @property
    def retained(self) -> int:
        """How many events can be replayed."""
        return self._events.retained()

    def wait(self, *, polls: int = 1, channel: str | None = None, timeout: float = 30.0) -> None:
        """Wait until clients hold a poll.

        Args:
            polls: so many of them, at least; with 0, until none polls any more.
            channel: only those that have subscribed to it count.
            timeout: seconds.

        Raises:
            TimeoutError: it took longer.
        """

        def reached() -> bool:
            held = self.registry.polling(channel)
            return held >= polls if polls else held == 0

        if not self.registry.wait_for(reached, timeout):
            raise TimeoutError(f"No {polls} polls of {channel or 'any channel'} within {timeout} s.")

    # -- events -------------------------------------------------------------------------------------------------

    def add_channel(self, name: str, members: Iterable[str]) -> str:
        """Add a custom channel, or give it other members.

        Args:
            name: such as ``SalesEvents__chn``.
            members: names of change events, or of platform events.

        Returns:
            The channel, such as ``/data/SalesEvents__chn``.

        Raises:
            ValueError: a name is none of a channel or an event, or the members do not fit together.
        """
        return self._events.channels.add(name, members)

    def publish(self, entity: str, data: Mapping[str, Any]) -> int:
        """Put an event on the bus as it is, and return its replay id.

        Args:
            entity: ``AccountChangeEvent``, ``Order__e``.
            data: what subscribers get: ``{"schema": …, "payload": {…}}``; ``event.replayId`` is added.

        Raises:
            ValueError: there are no events of that name.
        """
        return self._events.append(entity, dict(data))

    def trim(self, *, keep: int = 0) -> None:
        """Let all but the latest events have left retention, which otherwise is 72 hours of ``org.clock``.

        Args:
            keep: how many can still be replayed.
        """
        self._events.trim(keep=keep)

    # -- what goes wrong ----------------------------------------------------------------------------------------

    def lose(self, times: int | None = 1) -> Fault:
        """Cut the connection in place of an answer to a connect that holds events: the client does not get them."""
        return self._arm(_LOST, times)

    def halve(self, times: int | None = 1) -> Fault:
        """Cut the connection in the middle of an answer to a connect that holds events."""
        return self._arm(_HALVED, times)

    def limit(self, times: int | None = 1) -> Fault:
        """Answer connects and subscribes with ``403::Organization total events daily limit exceeded``."""
        return self._arm(_LIMITED, times)

    def busy(self, times: int | None = 1, *, operation: Operation = "handshake") -> Fault:
        """Be too busy for an operation, as is told in ``ext.sfdc.failureReason``.

        Raises:
            ValueError: the operation is none of the three.
        """
        if operation not in _CHANNELS:
            raise ValueError(f"The server is too busy for a {' or a '.join(_CHANNELS)}, not for {operation!r}.")
        return self._arm(_CHANNELS[operation], times)

    def slow(self, seconds: float) -> None:
        """Hold every answer back by so many seconds, from now on; 0 for none."""
        self.delay = _seconds(seconds)

    def kill(self) -> int:
        """Forget all clients, as a server does that is replaced: ``403::Unknown client``; returns how many."""
        return self.registry.remove_all(End.FORGOTTEN)

    def kick(self) -> int:
        """Send all clients away: a bare ``/meta/disconnect``, then ``403::Unknown client``; returns how many."""
        return self.registry.remove_all(End.KICKED)

    def revoke(self) -> None:
        """Revoke every access token handed out so far: ``401::Authentication invalid``."""
        self._tokens.expire_all()

    def clear(self) -> None:
        """Let nothing go wrong any more that has not yet."""
        with self._lock:
            self._armed.clear()
        self.delay = 0.0

    # -- what the endpoint asks ---------------------------------------------------------------------------------

    def is_busy(self, channel: str) -> bool:
        return self._meet(channel)

    def is_limited(self) -> bool:
        return self._meet(_LIMITED)

    def is_lost(self) -> bool:
        return self._meet(_LOST)

    def is_halved(self) -> bool:
        return self._meet(_HALVED)

    def _arm(self, name: str, times: int | None) -> Fault:
        if times is not None and times < 1:
            raise ValueError(f"It cannot happen {times} times; give 1 or more, or None for every time.")
        fault = Fault(None, "POST", "/cometd/*", times)
        with self._lock:
            self._armed.setdefault(name, []).append(fault)
        self.registry.ring()
        return fault

    def _meet(self, name: str) -> bool:
        if not self._armed:
            return False
        with self._lock:
            armed = self._armed.get(name)
            if not armed:
                return False
            armed[0].hit()
            if armed[0].times == 0:
                del armed[0]
            return True


def _seconds(seconds: float) -> float:
    if not 0 <= seconds < math.inf:
        raise ValueError(f"It cannot last {seconds} seconds.")
    return float(seconds)
