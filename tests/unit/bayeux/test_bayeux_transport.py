"""The way to the server: addresses, headers, cookies, connections, proxies, and TLS."""

import socket
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest
import trustme
from bayeux_run import Running, fill
from bayeux_server import BayeuxServer
from http_server import Proxy, Reply, Seen, Server

from sfconnector.bayeux import BayeuxError, Client, Failure, Reaction, Transport
from sfconnector.bayeux._cookies import Cookies
from sfconnector.bayeux._model import Aborted
from sfconnector.bayeux._wire import Answer

DATA = "/data/AccountChangeEvent"
EMPTY = Reply.of([])


def post(transport: Transport, body: bytes = b"[]") -> Answer:
    return transport.post(transport.polls, body, transport.headers(), over=lambda: False)


def over(transport: Transport) -> None:
    transport.close()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"url": "ftp://host/"}, "url is a URL such as https://host/cometd/67.0, not ftp://host"),
        ({"url": "https:///cometd"}, "url is a URL such as"),
        ({"url": "https://me:secret@host/"}, "url is a URL such as https://host/cometd/67.0, not https://host"),
        ({"url": "https://host/a b"}, "without blanks"),
        ({"url": "https://host/\r\nX: y"}, "without blanks"),
        ({"url": None}, "url is a URL"),
        ({"proxy_url": "socks5://me:secret@proxy:1080"}, "proxy_url is a URL such as http://proxy.example.com:3128"),
        ({"proxy_url": "http://me:secret@proxy:port"}, "proxy_url is a URL such as"),
        ({"proxy_url": "proxy:3128"}, "proxy_url is a URL such as"),
        ({"proxy_url": "http://proxy", "proxy_headers": {"X:": "secret"}}, "cannot have the name 'X:'"),
        ({"proxy_url": "http://proxy", "proxy_headers": {"X": "secret\r\n"}}, "value of the header X"),
        ({"read_timeout": 0}, "read_timeout is a number of seconds above 0, not 0"),
        ({"connect_timeout": float("inf")}, "connect_timeout is a number"),
        ({"answer_timeout": True}, "answer_timeout is a number"),
        ({"max_answer": 0}, "max_answer is a number of bytes"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text) as refused:
        Transport(**({"url": "https://host/cometd"} | options))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"Cookie": "secret"}, "Cookie is the transport's own"),
        ({"content-length": "3"}, "content-length is the transport's own"),
        ({"Authorization": "Bearer secret\r\nX: y"}, "value of the header Authorization"),
        ({"Authorization": "Bearer secret☃"}, "value of the header Authorization"),
        ({"Authorization": b"secret"}, "value of the header Authorization"),
        ({"A B": "secret"}, "cannot have the name 'A B'"),
    ],
)
def test_headers_that_cannot_be_sent_end_the_client(headers: Mapping[str, Any], text: str) -> None:
    with Server([EMPTY]) as server:
        client = Client(Transport(server.url, headers=lambda: headers), print)
        with pytest.raises(ValueError, match=text) as refused:
            client.run()
        assert "secret" not in str(refused.value)
        assert server.seen == []


def test_headers_are_asked_for_each_time_and_sent_as_they_are() -> None:
    tokens = iter(["one", "one", "two"])
    with Server([EMPTY]) as server:
        transport = Transport(server.url, headers=lambda: {"Authorization": f"Bearer {next(tokens)}"})
        for _ in range(3):
            post(transport)
        over(transport)
        assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer one", "Bearer one", "Bearer two"]
        assert server.seen[0].headers["content-type"] == "application/json"
        assert server.seen[0].headers["accept-encoding"] == "gzip"
        assert server.seen[0].headers["host"] == f"127.0.0.1:{server.port}"
        assert server.connections == 1


def test_headers_that_cannot_be_had_are_a_failure_of_the_exchange() -> None:
    def headers() -> Mapping[str, str]:
        raise LookupError("the login failed")

    seen: list[Failure] = []

    def react(failure: Failure) -> Reaction:
        seen.append(failure)
        return Reaction.give_up(BayeuxError("no login"))

    with pytest.raises(BayeuxError, match="no login"):
        Client(Transport("http://127.0.0.1:9/", headers=headers), print, react=react).run()
    assert str(seen[0]) == "handshake: LookupError: the login failed"


def test_the_address_may_change_on_the_way() -> None:
    with Server([EMPTY]) as first, Server([EMPTY]) as second:
        transport = Transport(f"{first.url}/cometd?a=b")
        post(transport)
        transport.url = f"{second.url}/cometd/67.0"
        post(transport)
        over(transport)
        assert [seen.target for seen in first.seen] == ["/cometd?a=b"]
        assert [seen.target for seen in second.seen] == ["/cometd/67.0"]


def test_no_redirect_is_followed() -> None:
    with Server([Reply(302, b"", {"Location": "http://127.0.0.1:9/"})]) as server:
        failures: list[Failure] = []

        def react(failure: Failure) -> Reaction:
            failures.append(failure)
            return Reaction.give_up(BayeuxError(""))

        with pytest.raises(BayeuxError):
            Client(Transport(server.url, headers=lambda: {"Authorization": "x"}), print, react=react).run()
        assert [failure.status for failure in failures] == [302]
        assert len(server.seen) == 1


def test_both_connections_share_the_cookies() -> None:
    def answer(seen: Seen) -> Reply:
        if "cookie" in seen.headers:
            return EMPTY
        return Reply(200, b"[]", {"Set-Cookie": "BAYEUX_BROWSER=abc; Path=/cometd; HttpOnly"})

    with Server(answer) as server:
        transport = Transport(f"{server.url}/cometd/67.0")
        post(transport)
        transport.post_briefly(transport.commands, b"[]", 30.0)
        transport.url = f"{server.url}/other"
        post(transport)
        over(transport)
        assert [seen.headers.get("cookie") for seen in server.seen] == [None, "BAYEUX_BROWSER=abc", None]
        assert server.connections == 2


def test_cookies_follow_the_standard_rules() -> None:
    cookies = Cookies()
    here = "https://acme.my.salesforce.com/cometd/67.0"
    cookies.take(here, ["a=1; Path=/", "b=2; Domain=my.salesforce.com; Path=/", "c=3; Path=/; Max-Age=0"])
    cookies.take(here, ["d=4; Path=/; Secure", "e=5; Domain=elsewhere.example.com", "f=6; Path=/cometd"])
    assert sorted(cookies.header(here).split("; ")) == ["a=1", "b=2", "d=4", "f=6"]
    assert cookies.header("https://other.my.salesforce.com/") == "b=2"
    assert "d=4" not in cookies.header("http://acme.my.salesforce.com/")
    cookies.take(here, ["a=9; Path=/", "b=; Domain=my.salesforce.com; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"])
    assert sorted(cookies.header(here).split("; ")) == ["a=9", "d=4", "f=6"]


def test_a_cookie_is_not_sent_once_it_has_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    cookies = Cookies()
    cookies.take("https://host.example.com/", ["short=1; Max-Age=60", "long=2"])
    assert sorted(cookies.header("https://host.example.com/").split("; ")) == ["long=2", "short=1"]
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    assert cookies.header("https://host.example.com/") == "long=2"


def test_cookies_are_bounded() -> None:
    cookies = Cookies()
    for number in range(1000):
        cookies.take("https://host.example.com/", [f"c{number}=1", "big=" + "x" * 5000])
    names = cookies.header("https://host.example.com/").split("; ")
    assert len(names) == 50
    assert "c999=1" in names
    cookies.take("https://host.example.com/", [f"d{number}=1" for number in range(1000)])
    assert len(cookies.header("https://host.example.com/").split("; ")) == 50


def test_an_idle_connection_is_looked_at_before_it_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    # Closed after the second answer, without a word.
    with Server([EMPTY, Reply(200, b"[]", close=True), EMPTY]) as server:
        transport = Transport(server.url)
        post(transport)
        monkeypatch.setattr("sfconnector.bayeux._lane._FRESH", 0.0)
        post(transport)
        assert server.connections == 1
        sock = transport.polls._socket
        assert sock is not None
        sock.settimeout(30.0)
        assert sock.recv(1, socket.MSG_PEEK) == b""
        post(transport)
        assert server.connections == 2
        over(transport)


def test_the_server_may_close_after_each_answer() -> None:
    with Server([Reply(200, b"[]", {"Connection": "close"}, close=True)]) as server:
        transport = Transport(server.url)
        for _ in range(3):
            assert post(transport).body == b"[]"
        over(transport)
        assert server.connections == 3


def test_connections_find_out_when_the_other_side_is_gone() -> None:
    with Server([EMPTY]) as server:
        transport = Transport(server.url)
        post(transport)
        sock = transport.polls._socket
        assert sock is not None
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        if hasattr(socket, "TCP_KEEPIDLE"):
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            assert [sock.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [30, 10, 3]
        over(transport)


def test_all_addresses_of_a_name_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free, Server([EMPTY]) as server:
        free.bind(("127.0.0.1", 0))
        dead, alive = free.getsockname(), ("127.0.0.1", server.port)
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(*kind, dead), (*kind, alive)])
        transport = Transport("http://cometd.example.com/")
        assert post(transport).status == 200
        assert server.seen[0].headers["host"] == "cometd.example.com"
        over(transport)


def test_an_address_that_swallows_everything_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as full, Server([EMPTY]) as server:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = fill(full.getsockname())
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        addresses = [(*kind, full.getsockname()), (*kind, ("127.0.0.1", server.port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
        transport = Transport("http://cometd.example.com/", connect_timeout=2.0)
        assert post(transport).status == 200
        over(transport)
        for each in waiting:
            each.close()


def test_a_proxy_that_refuses_a_tunnel_is_named() -> None:
    with Server([Reply(407, b"")]) as proxy:
        transport = Transport("https://cometd.example.com/", proxy_url=proxy.url.replace("://", "://me:secret@"))
        with pytest.raises(OSError, match=r"127\.0\.0\.1:\d+ \(the proxy\) answers 407 to CONNECT") as refused:
            post(transport)
        assert "secret" not in str(refused.value)
        over(transport)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def client_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_tls_through_a_tunnel_shows_the_proxy_nothing(authority: trustme.CA) -> None:
    with BayeuxServer(server_context(authority, "127.0.0.1")) as server, Proxy(tunnel_to=server.port) as proxy:
        options = {
            "ssl_context": client_context(authority),
            "proxy_url": proxy.url.replace("://", "://me:pw@"),
            "proxy_headers": {"X-Proxy": "1"},
            "headers": lambda: {"Authorization": "Bearer token"},
        }
        with Running(server, DATA, transport=options) as running:
            server.wait_for_poll(2)
            server.publish(DATA, 1)
            running.wait_for_events(1)
        assert {(seen.method, seen.target) for seen in proxy.seen} == {("CONNECT", f"127.0.0.1:{server.port}")}
        assert {name for seen in proxy.seen for name in seen.headers} == {"host", "proxy-authorization", "x-proxy"}
        assert {call.headers["authorization"] for call in server.calls} == {"Bearer token"}
        assert not {"x-proxy", "proxy-authorization"} & {name for call in server.calls for name in call.headers}
    assert server.breaches == []


@pytest.mark.parametrize(("name", "trusted"), [("127.0.0.1", False), ("other.example.com", True)])
def test_tls_without_a_certificate_for_the_host_is_no_connection(
    authority: trustme.CA, name: str, trusted: bool
) -> None:
    with BayeuxServer(server_context(authority, name)) as server:
        context = client_context(authority) if trusted else None
        transport = Transport(server.url, ssl_context=context)
        with pytest.raises(ssl.SSLCertVerificationError):
            post(transport)
        over(transport)
        assert server.calls == []


def test_what_is_out_of_date_is_not_sent() -> None:
    with Server([EMPTY]) as server:
        transport = Transport(server.url)
        with pytest.raises(Aborted):
            transport.post(transport.polls, b"[]", {}, over=lambda: True)
        assert server.connections == 0
        post(transport)
        over(transport)
        with pytest.raises(Aborted):
            post(transport)
        assert len(server.seen) == 1


def test_a_lane_is_used_by_one_exchange_at_a_time() -> None:
    release = threading.Event()

    def answer(seen: Seen) -> Reply:
        if seen.body == b"[1]":
            assert release.wait(30.0)
        return Reply.of([seen.body.decode()])

    with Server(answer) as server:
        transport = Transport(server.url)
        got: list[bytes] = []
        thread = threading.Thread(target=lambda: got.append(post(transport, b"[1]").body))
        thread.start()
        while not server.seen:
            release.wait(0.01)
        with pytest.raises(TimeoutError, match="another exchange"):
            transport.post(transport.polls, b"[2]", {}, over=lambda: False, timeout=0.01)
        release.set()
        thread.join(30.0)
        assert got == [b'["[1]"]']
        assert post(transport, b"[3]").body == b'["[3]"]'
        over(transport)
