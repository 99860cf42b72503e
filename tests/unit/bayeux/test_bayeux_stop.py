"""Stopping in every state, whatever hangs; what hangs here would do so for minutes."""

import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
import trustme
from bayeux_run import Running, fill
from bayeux_server import BayeuxServer, Ruin
from http_server import Proxy

from sfconnector.bayeux import Backoff, BayeuxError, Client, Failure, Reaction, State, Transport

DATA = "/data/AccountChangeEvent"
OTHER = "/event/Order__e"
NEVER = Backoff(first=600.0, cap=600.0)


@pytest.fixture
def server() -> Iterator[BayeuxServer]:
    with BayeuxServer() as server:
        yield server


def stopped(running: Running) -> None:
    """Stop, and look at whether all came to rest before `stop` returned."""
    running.client.stop(20.0)
    assert running.states[-1] is State.STOPPED
    assert running.client.state is State.STOPPED
    assert running.client.client_id == ""


def test_while_a_poll_is_held(server: BayeuxServer) -> None:
    with Running(server, DATA) as running:
        server.wait_for_poll(2)
        stopped(running)
    assert running.error is None
    assert server.sessions == {}


def test_while_a_poll_is_held_and_no_goodbye_is_answered(server: BayeuxServer) -> None:
    server.fault("/meta/disconnect", Ruin.HANG)
    with Running(server, DATA) as running:
        server.wait_for_poll(2)
        running.client.stop(2.0)
        assert running.states[-1] is State.STOPPED
        # The server has not let go of the poll.
        assert [each.polling for each in server.sessions.values()] == [True]


def test_during_a_backoff(server: BayeuxServer) -> None:
    server.fault("/meta/handshake", Ruin.RESET)
    with Running(server, DATA, backoff=NEVER, random=lambda: 1.0) as running:
        running.wait_until(State.WAITING)
        stopped(running)


@pytest.mark.parametrize(
    ("channel", "state"),
    [
        ("/meta/handshake", State.HANDSHAKING),
        ("/meta/subscribe", State.SUBSCRIBING),
        ("/meta/connect", State.SUBSCRIBING),
    ],
)
@pytest.mark.parametrize("ruin", [Ruin.HANG, Ruin.DRIP])
def test_while_an_answer_does_not_come(server: BayeuxServer, channel: str, state: State, ruin: Ruin) -> None:
    server.fault(channel, ruin)
    with Running(server, DATA) as running:
        server.wait_for(lambda: server.count(channel))
        assert running.client.state is state
        stopped(running)
    # A session that the server has made is given back.
    assert server.sessions == {}


def test_while_a_subscribe_of_another_thread_hangs(server: BayeuxServer) -> None:
    with Running(server, DATA) as running:
        server.wait_for_poll(2)
        server.fault("/meta/subscribe", Ruin.HANG)
        told: list[BaseException] = []

        def subscribe() -> None:
            try:
                running.client.subscribe(OTHER)
            except BayeuxError as error:
                told.append(error)

        thread = threading.Thread(target=subscribe)
        thread.start()
        server.wait_for(lambda: server.count("/meta/subscribe") == 2)
        stopped(running)
        thread.join(30.0)
        assert [str(error) for error in told] == [f"subscribe to {OTHER}: the client has ended"]
    assert server.sessions == {}


def test_while_events_are_being_delivered(server: BayeuxServer) -> None:
    entered, leave = threading.Event(), threading.Event()

    def deliver(_: object) -> None:
        entered.set()
        assert leave.wait(30.0)

    with Running(server, DATA, deliver=deliver) as running:
        server.wait_for_poll(2)
        server.publish(DATA, 1)
        assert entered.wait(30.0)
        running.client.stop(0.1)
        assert running.thread.is_alive()
        assert server.sessions == {}
        with pytest.raises(BayeuxError, match="has ended"):
            running.client.subscribe(OTHER)
        leave.set()
    assert running.states[-1] is State.STOPPED


def test_from_inside_of_a_delivery(server: BayeuxServer) -> None:
    holder: list[Client] = []
    with Running(server, DATA, deliver=lambda _: holder[0].stop()) as running:
        holder.append(running.client)
        server.wait_for_poll(2)
        server.publish(DATA, 1)
        running.thread.join(30.0)
        assert running.states[-1] is State.STOPPED
    assert server.sessions == {}


def test_before_it_runs_and_many_times(server: BayeuxServer) -> None:
    running = Running(server, DATA)
    running.client.stop()
    running.client.stop()
    running.client.run()
    assert running.states == [State.STOPPED]
    assert server.calls == []


def test_by_many_threads(server: BayeuxServer) -> None:
    with Running(server, DATA) as running:
        server.wait_for_poll(2)
        threads = [threading.Thread(target=running.client.stop, args=(20.0,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30.0)
        assert running.states[-1] is State.STOPPED
    assert server.count("/meta/disconnect") == 1


def test_a_client_runs_once(server: BayeuxServer) -> None:
    with Running(server, DATA) as running:
        server.wait_for_poll(2)
        with pytest.raises(BayeuxError, match="once"):
            running.client.run()


@pytest.fixture
def deaf() -> Iterator[socket.socket]:
    """A socket that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def run_against(url: str, **options: object) -> tuple[Client, threading.Thread, threading.Event]:
    handshaking = threading.Event()
    transport = Transport(url, **options)  # type: ignore[arg-type]
    client = Client(transport, lambda _: None, on_state=lambda _: handshaking.set())
    thread = threading.Thread(target=client.run)
    thread.start()
    assert handshaking.wait(30.0)
    return client, thread, handshaking


def wait_for_dial() -> None:
    """Wait until a thread makes a connection."""
    tick = threading.Event()
    for _ in range(3000):
        if any(thread.name == "bayeux-dial" for thread in threading.enumerate()):
            return
        tick.wait(0.01)
    raise AssertionError("nobody makes a connection")


def end(client: Client, thread: threading.Thread) -> None:
    client.stop(20.0)
    assert client.state is State.STOPPED
    thread.join(30.0)
    assert not thread.is_alive()


def test_during_a_tls_handshake(deaf: socket.socket) -> None:
    client, thread, _ = run_against(f"https://127.0.0.1:{deaf.getsockname()[1]}/", connect_timeout=600.0)
    connection, _ = deaf.accept()
    with connection:
        assert connection.recv(10)
        end(client, thread)
        # Its end is seen by the server too.
        connection.settimeout(30.0)
        while connection.recv(4096):
            pass


def test_while_a_proxy_makes_no_tunnel(deaf: socket.socket) -> None:
    proxy = f"http://127.0.0.1:{deaf.getsockname()[1]}"
    client, thread, _ = run_against("https://cometd.invalid/", proxy_url=proxy, connect_timeout=600.0)
    connection, _ = deaf.accept()
    with connection:
        assert connection.recv(8) == b"CONNECT "
        end(client, thread)


def test_while_a_connection_hangs_in_tcp() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = fill(listener.getsockname())
        client, thread, _ = run_against(f"http://127.0.0.1:{listener.getsockname()[1]}/", connect_timeout=600.0)
        wait_for_dial()
        end(client, thread)
        for each in waiting:
            each.close()


def test_while_a_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, found = threading.Event(), threading.Event()

    def look_up(*_: object, **__: object) -> list[object]:
        asked.set()
        assert found.wait(60.0)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    client, thread, _ = run_against("http://cometd.invalid/", connect_timeout=600.0)
    assert asked.wait(30.0)
    end(client, thread)
    found.set()


def test_lookups_that_hang_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    found = threading.Event()

    def look_up(*_: object, **__: object) -> list[object]:
        assert found.wait(60.0)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    failures: list[str] = []
    enough = threading.Event()

    def wait(_: float) -> bool:
        if len(failures) >= 5:
            enough.set()
        return enough.is_set()

    def react(failure: Failure) -> Reaction:
        failures.append(str(failure.exception))
        return Reaction.handshake()

    client = Client(Transport("http://cometd.invalid/", connect_timeout=0.01), print, react=react, wait=wait)
    thread = threading.Thread(target=client.run)
    thread.start()
    assert enough.wait(30.0)
    assert sum(each.name == "bayeux-dial" for each in threading.enumerate()) == 1
    end(client, thread)
    found.set()
    assert failures[0] == "no connection to cometd.invalid:80 within 0.01 s"
    assert failures[1] == "an earlier attempt to reach cometd.invalid still hangs"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def contexts(authority: trustme.CA) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


@pytest.mark.parametrize("tunnel", [False, True])
def test_while_a_poll_is_held_under_tls(authority: trustme.CA, tunnel: bool) -> None:
    theirs, ours = contexts(authority)
    with BayeuxServer(theirs) as server, Proxy(tunnel_to=server.port) as proxy:
        options = {"ssl_context": ours} | ({"proxy_url": proxy.url} if tunnel else {})
        with Running(server, DATA, transport=options) as running:
            server.wait_for_poll(2)
            server.publish(DATA, 1)
            running.wait_for_events(1)
            server.wait_for_poll(3)
            stopped(running)
        assert bool(proxy.seen) is tunnel
        assert server.sessions == {}
        assert running.error is None


def test_while_a_poll_is_held_by_way_of_a_proxy(server: BayeuxServer) -> None:
    # The server takes whole URLs, as a proxy does.
    proxy = server.url.removesuffix(server.path)
    options = {"proxy_url": proxy.replace("://", "://me:p%40ss@")}
    with Running(server, DATA, transport=options) as running:
        server.wait_for_poll(2)
        stopped(running)
    assert server.calls[0].headers["proxy-authorization"] == "Basic bWU6cEBzcw=="
    assert server.breaches == []


def test_abort_wakes_a_held_poll(server: BayeuxServer) -> None:
    with Running(server, DATA) as running:
        server.wait_for_poll(2)
        running.transport.interrupt()
        # The answer may be lost, so it is a new session that polls.
        running.wait_until(State.CONNECTED, times=2)
    assert server.breaches == []
