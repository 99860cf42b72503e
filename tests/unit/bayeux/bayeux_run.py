"""A client that runs in a thread, and what came of it."""

import socket
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from bayeux_server import BayeuxServer

from sfconnector.bayeux import Backoff, Client, Failure, Message, Reaction, State, Transport, by_advice

SOON = Backoff(first=0.01, cap=0.05)


class Replay:
    """Asks for what follows the last event that was delivered on each channel."""

    def __init__(self, begin: int = -1) -> None:
        self.begin = begin
        self.positions: dict[str, int] = {}

    def outgoing(self, message: Message) -> None:
        if message["channel"] == "/meta/handshake":
            message["ext"] = {"replay": True}
        if message["channel"] == "/meta/subscribe":
            channel = message["subscription"]
            message["ext"] = {"replay": {channel: self.positions.get(channel, self.begin)}}

    def incoming(self, message: Message) -> None:
        """Nothing: what has come may still be lost before it is delivered."""


class Running:
    """Runs a client until the end of the block, and keeps what it delivers.

    Args:
        server: Its server; a route through a proxy is made with ``transport``.
        channels: Subscribed to before the client runs.
        transport: Options of the transport.
        options: Options of the client.
    """

    def __init__(
        self,
        server: BayeuxServer,
        *channels: str,
        transport: dict[str, Any] | None = None,
        deliver: Callable[[Sequence[Message]], None] | None = None,
        react: Callable[[Failure], Reaction] = by_advice,
        **options: Any,
    ) -> None:
        self.server = server
        self.replay = Replay()
        self.deliveries: list[list[Any]] = []
        self.states: list[State] = []
        self.failures: list[Failure] = []
        self.error: BaseException | None = None
        self._more, self._react = deliver, react
        self._changed = threading.Condition()
        self.transport = Transport(server.url, **(transport or {}))
        options = {"backoff": SOON, "extensions": [self.replay], "on_state": self._note_state, **options}
        self.client = Client(self.transport, self._deliver, react=self._note_failure, **options)
        for channel in channels:
            self.client.subscribe(channel)
        self.thread = threading.Thread(target=self._run)

    @property
    def got(self) -> list[Any]:
        """The payloads in the order of their delivery."""
        return [payload for delivery in self.deliveries for payload in delivery]

    def wait_for(self, condition: Callable[[], object], timeout: float = 30.0) -> None:
        """Wait until something is so."""
        with self._changed:
            assert self._changed.wait_for(condition, timeout), f"it did not come to that: {self.states} {self.failures}"

    def wait_until(self, state: State, times: int = 1) -> None:
        """Wait until the client has been in a state so many times."""
        self.wait_for(lambda: self.states.count(state) >= times)

    def wait_for_events(self, *payloads: Any) -> None:
        """Wait for so many events, and look at all that came."""
        self.wait_for(lambda: len(self.got) >= len(payloads))
        assert self.got == list(payloads)

    def wait_for_channels(self, *channels: str) -> None:
        """Wait until the client wants these, whatever the server knows of it."""
        pause = threading.Event()
        assert any(self.client.channels == channels or pause.wait(0.001) for _ in range(30_000))

    def _deliver(self, events: Sequence[Message]) -> None:
        if self._more is not None:
            self._more(events)
        with self._changed:
            for event in events:
                self.replay.positions[event["channel"]] = event["data"]["event"]["replayId"]
            self.deliveries.append([event["data"]["payload"] for event in events])
            self._changed.notify_all()

    def _note_state(self, state: State) -> None:
        with self._changed:
            self.states.append(state)
            self._changed.notify_all()

    def _note_failure(self, failure: Failure) -> Reaction:
        with self._changed:
            self.failures.append(failure)
            self._changed.notify_all()
        return self._react(failure)

    def _run(self) -> None:
        try:
            self.client.run()
        except BaseException as error:
            self.error = error

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.client.stop(30.0)
        self.thread.join(30.0)
        assert not self.thread.is_alive()


def fill(address: tuple[str, int]) -> list[socket.socket]:
    """Connect until the listener's queue is full, and the system lets the next one wait."""
    waiting = []
    for _ in range(64):
        each = socket.socket()
        each.settimeout(0.3)
        waiting.append(each)
        try:
            each.connect(address)
        except TimeoutError:
            return waiting
    raise AssertionError("the system takes any number of connections")
