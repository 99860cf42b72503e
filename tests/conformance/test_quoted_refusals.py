"""What our listener does about refusals that Salesforce gave to others, word by word, behind the official server."""

import threading
from collections.abc import Iterator
from pathlib import Path

import node_client
import pytest
import quoted_messages
from official_server import CHANNEL, PATIENCE, OfficialServer
from quoted_messages import Refusal

from sfconnector import Retry, Salesforce, auth
from sfconnector.errors import ReplayExpiredError, StreamError, SubscriptionError
from sfconnector.streaming import Event, Listener

if reason := node_client.missing("cometd-nodejs-server"):
    pytest.skip(reason, allow_module_level=True)

# From here on a wait is one of minutes.
MINUTE = 60.0


class Quoting:
    """A server that refuses once as it is told to, and a listener there.

    Attributes:
        pauses: Seconds for which the listener would have waited.
        errors: What it told of.
    """

    def __init__(self, server: OfficialServer) -> None:
        self.server = server
        self.pauses: list[float] = []
        self.errors: list[Exception] = []
        self._told, self._heard = threading.Event(), threading.Event()
        retry = Retry(sleep=self.pauses.append, backoff=0.02)
        login = auth.ClientCredentials(server.url, "client", "secret")
        self._sf = Salesforce(login, retry=retry, timeout=(5.0, 1.0))

    def listener(self, channel: str = CHANNEL, replay_from: str | int = "latest") -> Listener:
        listener = self._sf.listener(on_error=self._tell)
        listener.attach(channel, self._hear, replay_from=replay_from)
        return listener

    def refuse(self, refusal: Refusal) -> None:
        """Have the server refuse the next message of the kind."""
        self.server.control("quote", channel=refusal.channel, reply=refusal.reply)
        if refusal.channel != quoted_messages.CONNECT:
            self.server.control("kill")
        self.server.control("wake")

    def recover(self, channel: str = CHANNEL) -> None:
        """See that events come, though they were published while nobody listened."""
        self.server.publish(1, channel=channel)
        assert self._heard.wait(PATIENCE), self.errors
        # The event may have come with the refusal.
        self.server.settle(channel)

    def await_error(self) -> Exception:
        assert self._told.wait(PATIENCE)
        return self.errors[0]

    def close(self) -> None:
        self._sf.close()

    def _tell(self, error: Exception) -> None:
        self.errors.append(error)
        self._told.set()

    def _hear(self, _: Event) -> None:
        self._heard.set()


@pytest.fixture
def quoting(tmp_path: Path) -> Iterator[Quoting]:
    with OfficialServer(tmp_path) as server:
        quoting = Quoting(server)
        yield quoting
        quoting.close()


def by_source(refusal: Refusal) -> str:
    return refusal.source.partition("//")[2]


@pytest.mark.parametrize("refusal", quoted_messages.LOGIN_ENDED, ids=by_source)
def test_an_ended_login_is_renewed(quoting: Quoting, refusal: Refusal) -> None:
    with quoting.listener():
        quoting.server.settle()
        quoting.refuse(refusal)
        quoting.recover()
        assert quoting.server.state()["logins"] == 2
    assert not quoting.errors


@pytest.mark.parametrize("refusal", quoted_messages.FORGOTTEN, ids=by_source)
def test_a_forgotten_connection_is_made_anew_without_a_login(quoting: Quoting, refusal: Refusal) -> None:
    with quoting.listener():
        quoting.server.settle()
        quoting.refuse(refusal)
        quoting.recover()
        state = quoting.server.state()
        assert (state["logins"], state["handshakes"]) == (1, 2)
    assert not quoting.errors
    assert max(quoting.pauses, default=0.0) < MINUTE


@pytest.mark.parametrize("refusal", quoted_messages.BUSY, ids=by_source)
def test_a_busy_server_is_asked_again_without_a_login(quoting: Quoting, refusal: Refusal) -> None:
    with quoting.listener():
        quoting.server.settle()
        quoting.refuse(refusal)
        quoting.recover()
        state = quoting.server.state()
        # The first, the one that was refused, which is not counted here, and another one.
        assert (state["logins"], state["handshakes"]) == (1, 2)
    assert max(quoting.pauses, default=0.0) < MINUTE


@pytest.mark.parametrize("refusal", quoted_messages.USED_UP, ids=by_source)
def test_a_used_up_limit_is_told_and_waited_for(quoting: Quoting, refusal: Refusal) -> None:
    channel = refusal.reply.get("subscription", CHANNEL)
    with quoting.listener(channel):
        quoting.server.settle(channel)
        quoting.refuse(refusal)
        error = quoting.await_error()
        assert isinstance(error, StreamError)
        assert "limit exceeded" in str(error)
        quoting.recover(channel)
        assert quoting.server.state()["logins"] == 1
    assert max(quoting.pauses) >= MINUTE


@pytest.mark.parametrize("refusal", quoted_messages.EXPIRED, ids=by_source)
def test_a_refused_position_is_told_and_everything_retained_is_asked_for(quoting: Quoting, refusal: Refusal) -> None:
    channel = refusal.reply["subscription"]
    begin = quoting.server.publish(0, channel=channel)
    quoting.refuse(refusal)
    with quoting.listener(channel, begin):
        error = quoting.await_error()
        assert isinstance(error, ReplayExpiredError)
        assert (error.channel, error.position) == (channel, str(begin))
        quoting.recover(channel)
        assert quoting.server.state()["asked"] == [{channel: -2}]


@pytest.mark.parametrize("refusal", quoted_messages.NO_CHANNEL, ids=by_source)
def test_a_refused_channel_reaches_whoever_starts(quoting: Quoting, refusal: Refusal) -> None:
    channel = refusal.reply["subscription"]
    quoting.refuse(refusal)
    with pytest.raises(SubscriptionError) as caught:
        quoting.listener(channel).start()
    assert refusal.error in str(caught.value)
    assert caught.value.channel == channel


@pytest.mark.parametrize("refusal", quoted_messages.FOR_GOOD, ids=by_source)
def test_what_cannot_be_repaired_reaches_whoever_starts(quoting: Quoting, refusal: Refusal) -> None:
    quoting.refuse(refusal)
    with pytest.raises(StreamError) as caught:
        quoting.listener().start()
    assert refusal.error in str(caught.value)
