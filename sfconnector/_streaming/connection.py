"""The connection of one listener or subscription, on a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sfconnector._prepare import check_version
from sfconnector._redact import logger
from sfconnector._session import Session
from sfconnector._streaming.access import access_to
from sfconnector._streaming.feed import Feed, Moment
from sfconnector._streaming.reactions import Reactions
from sfconnector._streaming.stores import ReplayKey, ReplayStore
from sfconnector.bayeux import Backoff, BayeuxError, Client, Extension, State, SubscriptionRefused, Transport
from sfconnector.errors import StreamError, StreamTimeoutError

if TYPE_CHECKING:
    from sfconnector.auth import Token

Report = Callable[[Exception, str], object]

# Seconds by which the server's clock may differ from what is known of it, and what events say of their time from
# the time at which they can be had.
_KNOWN: Final = timedelta(seconds=10)
_UNKNOWN: Final = timedelta(seconds=60)
# Seconds; the backoff's highest bound.
_LONGEST_DELAY: Final = 60.0
# The first characters of a token that is a session id.
_ORG_ID: Final = 15


class Connection:
    """Brings what comes on the channels into their feeds, however often it has to connect anew.

    Args:
        session: The client's session.
        name: The consumer's name.
        store: Where positions are kept.
        on_expired: What is done about a position that Salesforce no longer takes.
        report: Whom to tell of errors; the channel may be empty.
    """

    def __init__(self, session: Session, name: str, store: ReplayStore, on_expired: str, report: Report) -> None:
        self.session, self.name = session, name
        self.feeds: dict[str, Feed] = {}
        self.error: BaseException | None = None
        self.last_poll: float | None = None
        self.connected_at: float | None = None
        self.since = session.retry.clock()
        self._store, self._report = store, report
        self.reactions = Reactions(self, on_expired)
        self._token: Token | None = None
        self._org_id = ""
        self._headers: dict[str, str] = {}
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        # Channels that are being attached, with what became of that.
        self._awaited: dict[str, Exception | None] = {}
        self._stopping = self._save_failed = False
        self._ready = self._ended = False
        self._client: Client | None = None
        self._transport: Transport | None = None
        self._thread = threading.Thread(target=self._run, name=f"sfconnector-listener-{name}", daemon=True)
        self.on_end: Callable[[], object] = lambda: None

    # --- from any thread ---

    @property
    def state(self) -> str:
        """Where the connection is, in a word."""
        if self._ended:
            return "failed" if self.error is not None else "stopped"
        if self._client is None:
            return "logging in"
        return str(self._client.state.value)

    @property
    def is_ready(self) -> bool:
        """Whether all channels have been subscribed to and the first poll was answered, at least once."""
        return self._ready

    @property
    def has_ended(self) -> bool:
        return self._ended

    @property
    def failures(self) -> int:
        """How often in a row something has failed."""
        return 0 if self._client is None else self._client.failures

    @property
    def is_own_thread(self) -> bool:
        """Whether this is running on the connection's thread."""
        return threading.current_thread() is self._thread

    def start(self, timeout: float) -> None:
        """Connect, and wait until that is done.

        Raises:
            AuthenticationError, TransportError: The login failed.
            SubscriptionError, ReplayExpiredError: A channel or a position was refused.
            StreamTimeoutError: There was no connection in time.
        """
        self.launch()
        with self._changed:
            done = self._changed.wait_for(lambda: self._ready or self._ended or self._stopping, timeout)
            if self._ready and not self._ended:
                return
            error = self.error
        if done:
            raise error or StreamError("the listener was stopped before it was connected")
        last = self.reactions.last
        raise StreamTimeoutError(
            f"no connection after {timeout:g} s" + (f"; the last failure: {last}" if last else "")
        ) from last

    def launch(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def attach(self, feed: Feed, timeout: float) -> None:
        """Subscribe to a channel, and wait until that is done; before the start it becomes a part of that.

        Raises:
            SubscriptionError, ReplayExpiredError: The channel or its position was refused.
            StreamTimeoutError: It was not done in time, or the connection has ended.
        """
        with self._lock:
            self.feeds[feed.channel] = feed
            known, client = bool(self._org_id), self._client
            if waits := self._ready and not self._ended:
                self._awaited[feed.channel] = None
        try:
            if known:
                self._load(feed)
            if client is not None:
                client.subscribe(feed.channel, timeout=timeout)
            if waits:
                self._wait_for_subscription(feed, timeout)
        except BaseException as error:
            self.detach(feed.channel)
            if isinstance(error, SubscriptionRefused):
                raise self._awaited.get(feed.channel) or self.reactions.refusal(error.failure) from None
            if isinstance(error, BayeuxError):
                raise StreamTimeoutError("the subscription was not answered", channel=feed.channel) from error
            raise
        finally:
            self._awaited.pop(feed.channel, None)

    def _wait_for_subscription(self, feed: Feed, timeout: float) -> None:
        def settled() -> bool:
            return feed.is_subscribed or self._awaited.get(feed.channel) is not None or self._ended

        with self._changed:
            self._changed.wait_for(settled, timeout)
            if (error := self._awaited.get(feed.channel)) is not None:
                raise error
            if not feed.is_subscribed:
                raise StreamTimeoutError("there is no connection to subscribe with", channel=feed.channel)

    def tell_caller(self, channel: str, error: Exception) -> bool:
        """Hand a refusal to whoever attaches the channel; false where nobody waits for it."""
        with self._changed:
            if channel not in self._awaited:
                return False
            self._awaited[channel] = error
            self._changed.notify_all()
            return True

    def detach(self, channel: str) -> None:
        """Give up a channel."""
        with self._lock:
            self.feeds.pop(channel, None)
            client = self._client
        if client is not None:
            client.unsubscribe(channel)

    def stop(self, timeout: float) -> bool:
        """Say goodbye and end, and tell whether that was done in time."""
        end = time.monotonic() + timeout
        with self._changed:
            self._stopping = True
            client = self._client
            self._changed.notify_all()
        for feed in [*self.feeds.values()]:
            feed.wake()
        if client is not None:
            client.stop(timeout)
        if self._thread.ident is None or self.is_own_thread:
            return self._thread.ident is None
        self._thread.join(max(end - time.monotonic(), 0.0))
        return not self._thread.is_alive()

    def report(self, error: Exception, channel: str = "") -> None:
        """Tell whoever wants to know of an error."""
        self._report(error, channel)

    def save(self, feed: Feed) -> bool:
        """Keep a feed's position; where that fails, events come again after a restart, and nothing is lost."""
        try:
            feed.save()
        except Exception as error:  # a store of the caller's may raise anything
            if not self._save_failed:
                self._save_failed = True
                self.report(error, feed.channel)
            return False
        self._save_failed = False
        return True

    def wait_for(self, condition: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until something about the connection is so."""
        with self._changed:
            return self._changed.wait_for(condition, timeout)

    def rest(self) -> None:
        """Note that nothing is on its way on any channel."""
        now = self._now().at
        for feed in [*self.feeds.values()]:
            feed.rest(now)

    def is_idle(self, heard_at: float, idle: float, timeout: float) -> bool:
        """Tell whether nothing has come for long enough, while something could have.

        Args:
            heard_at: When something came, or was worked off, for the last time, by the session's clock.
            idle: Seconds that are long enough.
            timeout: Seconds for which the connection may be lost.

        Raises:
            StreamTimeoutError: It has been lost for longer.
        """
        now, connected = self.session.retry.clock(), self.connected_at
        if connected is not None:
            if self._client is not None and self._client.is_receiving:
                return False
            return now - max(heard_at, connected) >= idle
        if now - self.since < timeout:
            return False
        last = self.reactions.last
        raise StreamTimeoutError(
            f"the connection has been lost for {timeout:g} s, so that whether more has come is not known"
            + (f"; the last failure: {last}" if last else "")
        ) from last

    # --- on the connection's thread ---

    def _run(self) -> None:
        try:
            self._connect()
        except BaseException as error:  # whoever joins raises it
            self.error = error
        finally:
            with self._changed:
                self._ended, self.connected_at = True, None
                self._changed.notify_all()
            how = f": {type(self.error).__name__}" if self.error is not None else ""
            logger.info("listener %r: ended%s", self.name, how)
            self.on_end()

    def _connect(self) -> None:
        self._use(self.session.token())
        org_id = self._find_org_id()
        with self._lock:
            self._org_id = org_id
            feeds = [*self.feeds.values()]
        for feed in feeds:
            # Not under the lock, since a store may hang.
            self._load(feed)
        with self._lock:
            if self._stopping:
                return
            self._client = client = self._make_client()
            for channel in self.feeds:
                client.subscribe(channel)
        client.run()

    def _make_client(self) -> Client:
        retry, url = self.session.retry, self._url()
        access = access_to(self.session, url)
        timeout = self.session.timeout
        self._transport = Transport(
            url,
            headers=lambda: self._headers,
            ssl_context=access.context,
            proxy_url=access.proxy,
            proxy_headers=access.proxy_headers,
            connect_timeout=timeout.connect,
            read_timeout=min(timeout.read, 30.0),
        )
        wait = None if retry.sleep is time.sleep else self._sleep
        extensions: list[Extension] = [self]
        hooks = self.session.hooks
        if hooks.on_request is not None or hooks.on_response is not None:
            from sfconnector._streaming.hooked import Hooked

            extensions.append(Hooked(hooks, f"/cometd/{self.session.api_version}", retry.clock))
        return Client(
            self._transport,
            self._deliver,
            extensions=extensions,
            react=self.reactions.react,
            on_state=self._on_state,
            backoff=Backoff(first=retry.backoff, cap=_LONGEST_DELAY),
            clock=retry.clock,
            wait=wait,
            random=retry.random,
        )

    def _sleep(self, seconds: float) -> bool:
        self.session.retry.sleep(seconds)
        return self._stopping

    def _url(self) -> str:
        assert self._token is not None  # noqa: S101  # the login comes first
        return f"{self._token.instance_url}/cometd/{self.session.api_version}"

    def _use(self, token: Token) -> None:
        self._token = token
        own = {name: value for name, value in self.session.headers.items() if name.lower() != "accept-encoding"}
        self._headers = {**own, "Authorization": f"Bearer {token.access_token}"}

    def renew(self) -> None:
        """Have the rejected token replaced, and go where the new one leads."""
        assert self._token is not None  # noqa: S101  # the login comes first
        self._use(self.session.renew(self._token))
        if self._transport is not None and self._transport.url != self._url():
            self._transport.url = self._url()

    def _find_org_id(self) -> str:
        assert self._token is not None  # noqa: S101  # the login comes first
        owner, mark, _ = self._token.access_token.partition("!")
        if mark and owner.startswith("00D") and len(owner) >= _ORG_ID:
            return owner[:_ORG_ID]
        from sfconnector_generated.rest.api.org import get_user_info

        from sfconnector._call import call

        org_id = call(self.session, get_user_info.build(), get_user_info.parse).organization_id
        if not isinstance(org_id, str):
            raise StreamError("the org does not say which one it is, so that positions in it cannot be kept")
        return org_id[:_ORG_ID]

    def _load(self, feed: Feed) -> None:
        feed.load(self._store, ReplayKey(self._org_id, feed.channel, self.name))
        self.reactions.check_age(feed, self._now().at)

    def _deliver(self, messages: Sequence[Mapping[str, Any]]) -> None:
        batches: dict[str, list[Mapping[str, Any]]] = {}
        for message in messages:
            data = message.get("data")
            batches.setdefault(message["channel"], []).append(data if isinstance(data, Mapping) else {})
        for channel, batch in batches.items():
            if (feed := self.feed_of(channel)) is not None:
                feed.put(batch)

    def feed_of(self, channel: str) -> Feed | None:
        """Find the feed for what comes on a channel, which may be named without its filter."""
        return self.feeds.get(channel) or next((feed for feed in [*self.feeds.values()] if feed.name == channel), None)

    def _on_state(self, state: State) -> None:
        logger.info("listener %r: %s", self.name, state.value)
        with self._changed:
            if state is State.CONNECTED:
                self.connected_at = self.connected_at or self.session.retry.clock()
            elif self.connected_at is not None:
                self.since, self.connected_at = self.session.retry.clock(), None
            self._changed.notify_all()

    def _now(self) -> Moment:
        ahead = self.session.clock_ahead
        now = datetime.now(UTC)
        return Moment(now, _UNKNOWN) if ahead is None else Moment(now + timedelta(seconds=ahead), _KNOWN)

    # --- an extension of the client ---

    def outgoing(self, message: dict[str, Any]) -> None:
        """Say from where on events are asked for."""
        channel = message["channel"]
        if channel == "/meta/handshake":
            message.setdefault("ext", {})["replay"] = True
        elif channel == "/meta/subscribe" and (feed := self.feeds.get(message["subscription"])) is not None:
            # Exactly one entry: a map with more, or none, is refused.
            message.setdefault("ext", {})["replay"] = {feed.name: self._resume(feed)}

    def _resume(self, feed: Feed) -> int | str:
        self.save(feed)
        return feed.resume(self._now())

    def incoming(self, message: dict[str, Any]) -> None:
        """Note what has succeeded."""
        channel, successful = message.get("channel"), message.get("successful") is True
        if channel == "/meta/connect" and successful:
            self.last_poll = time.time()
            self.reactions.answered()
            if not self._ready:
                with self._changed:
                    self._ready = True
                    self._changed.notify_all()
        elif channel == "/meta/subscribe" and successful:
            if (feed := self.feeds.get(str(message.get("subscription")))) is not None:
                feed.subscribed()
                self.save(feed)
                with self._changed:
                    self._changed.notify_all()
        elif channel == "/meta/handshake" and successful and not _keeps_events(message):
            self.report(StreamError("the server keeps no events: what is missed while disconnected is lost"))


def _keeps_events(handshake: Mapping[str, Any]) -> bool:
    ext = handshake.get("ext")
    return isinstance(ext, Mapping) and bool(ext.get("replay"))


def check_stream_version(version: str) -> None:
    """Refuse versions whose endpoint speaks another protocol of replay.

    Raises:
        ValueError: The version is below 37.0.
    """
    if float(check_version(version)) < 37.0:
        raise ValueError(f"listeners need API version 37.0 or later, and this client speaks {version}")
