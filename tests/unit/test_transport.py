"""Certificates, proxies, cookies, .netrc and recording: the connections below the session."""

import gzip
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
import vcr
from http_server import Answer, Cut, Proxy, Reply, Server
from session_tools import TOKEN, Numbered, get, post, quick, session_on

from sfconnector import _transport
from sfconnector._retry import Retry
from sfconnector.auth import ClientCredentials
from sfconnector.errors import Failure, TransportError

OK = Reply.of({"Id": "001000000000001AAA"})


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def server_context(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def tls(server_context: ssl.SSLContext) -> Iterator[Server]:
    with Server([OK], server_context) as server:
        yield server


# Certificates


def test_a_ca_of_ones_own_is_trusted(tls: Server, ca_file: str) -> None:
    session = session_on(tls.url, verify=ca_file)
    session.check(session.send(get()))
    session.close()


def test_a_folder_takes_the_place_of_the_known_cas(tls: Server, tmp_path: Path) -> None:
    with pytest.raises(TransportError) as caught:
        session_on(tls.url, verify=str(tmp_path)).send(get())
    assert caught.value.failure is Failure.CERTIFICATE


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_cas_of_the_environment_are_trusted(
    tls: Server, ca_file: str, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, ca_file)
    session = session_on(tls.url)
    session.check(session.send(get()))
    session.close()


def test_an_unknown_ca_is_refused_at_once_with_advice(tls: Server) -> None:
    session = session_on(tls.url)
    with pytest.raises(TransportError, match="give the path of your CA bundle as verify=") as caught:
        session.send(get())
    assert (caught.value.failure, caught.value.sent) == (Failure.CERTIFICATE, False)
    assert tls.connections == 1


def test_a_certificate_of_another_host_is_refused(ca: trustme.CA, ca_file: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("other.example.com").configure_cert(context)
    with Server([OK], context) as server, pytest.raises(TransportError) as caught:
        session_on(server.url, verify=ca_file).send(get())
    assert caught.value.failure is Failure.CERTIFICATE


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_checking_can_be_switched_off(tls: Server) -> None:
    session = session_on(tls.url, verify=False)
    session.check(session.send(get()))
    session.close()


def test_a_client_certificate_is_shown(
    ca: trustme.CA, ca_file: str, server_context: ssl.SSLContext, tmp_path: Path
) -> None:
    ca.configure_trust(server_context)
    server_context.verify_mode = ssl.CERT_REQUIRED
    own = ca.issue_cert("client@example.com")
    both, chain, key = tmp_path / "both.pem", tmp_path / "chain.pem", tmp_path / "key.pem"
    own.private_key_and_cert_chain_pem.write_to_path(both)
    own.cert_chain_pems[0].write_to_path(chain)
    own.private_key_pem.write_to_path(key)
    with Server([OK], server_context) as server:
        for cert in (str(both), (str(chain), str(key))):
            session = session_on(server.url, verify=ca_file, cert=cert)
            session.check(session.send(get()))
            session.close()
        with pytest.raises(TransportError):
            session_on(server.url, verify=ca_file, retry=Retry(attempts=1)).send(get())


def test_unusable_files_are_refused_before_anything_is_sent(
    tmp_path: Path, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    absent = str(tmp_path / "absent.pem")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"verify": absent}, "verify: there is no file"),
        ({"verify": 7}, "verify: there is no file"),
        ({"verify": str(broken)}, "verify: .* holds no CA certificates"),
        ({"cert": absent}, "cert: no client certificate"),
        ({"cert": (ca_file, absent)}, "cert: no client certificate"),
        ({"cert": str(broken)}, "cert: no client certificate"),
    ]
    for options, text in cases:
        with pytest.raises(ValueError, match=text):
            session_on("https://acme.my.salesforce.com", **options)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", absent)
    with pytest.raises(ValueError, match="REQUESTS_CA_BUNDLE: there is no file"):
        session_on("https://acme.my.salesforce.com")


def test_certificates_are_loaded_once_and_not_for_each_connection(
    server_context: ssl.SSLContext, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[object] = []
    load = ssl.SSLContext.load_verify_locations

    def counted(self: ssl.SSLContext, *arguments: Any, **options: Any) -> None:
        loads.append(arguments)
        load(self, *arguments, **options)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    with Server([Reply(200, b"{}", close=True)], server_context) as server:
        session = session_on(server.url, verify=ca_file)
        for _ in range(3):
            session.check(session.send(get()))
        assert server.connections == 3
    assert len(loads) == 1


def test_sessions_without_certificates_of_their_own_share_a_context() -> None:
    assert _transport.tls_context(True, None) is _transport.tls_context(True, None)


# What fails before sending, and what after


def test_a_write_is_repeated_after_a_lost_handshake(server_context: ssl.SSLContext, ca_file: str) -> None:
    with Server([OK], server_context, lost_handshakes=2) as server:
        session = session_on(server.url, verify=ca_file)
        session.check(session.send(post()))
        assert (len(server.seen), server.connections) == (1, 3)
        session.close()


def test_a_lost_handshake_is_no_connection(server_context: ssl.SSLContext, ca_file: str) -> None:
    with Server([OK], server_context, lost_handshakes=9) as server, pytest.raises(TransportError) as caught:
        session_on(server.url, verify=ca_file, retry=quick(attempts=2)).send(post())
    assert (caught.value.failure, caught.value.sent) == (Failure.CONNECT, False)


def test_a_write_is_not_repeated_after_a_lost_answer(server_context: ssl.SSLContext, ca_file: str) -> None:
    with Server([Cut()], server_context) as server, pytest.raises(TransportError) as caught:
        session_on(server.url, verify=ca_file).send(post())
    assert (len(server.seen), caught.value.failure, caught.value.sent) == (1, Failure.CUT, True)


# Proxies


def test_a_proxy_carries_plain_requests() -> None:
    with Proxy([OK]) as proxy:
        session = session_on("http://127.0.0.1:9", proxies={"http": proxy.url})
        session.check(session.send(get()))
        assert proxy.seen[0].target.startswith("http://127.0.0.1:9/services/data/")
        session.close()


def test_a_proxy_carries_tls_in_a_tunnel_and_sees_no_token(tls: Server, ca_file: str) -> None:
    with Proxy(tunnel_to=tls.port) as proxy:
        session = session_on(tls.url, verify=ca_file, proxies={"https": proxy.url.replace("//", "//user:pw@")})
        session.check(session.send(get()))
        assert (proxy.seen[0].method, proxy.seen[0].target) == ("CONNECT", f"127.0.0.1:{tls.port}")
        assert proxy.seen[0].headers["proxy-authorization"].startswith("Basic ")
        assert "authorization" not in proxy.seen[0].headers
        assert tls.seen[0].headers["authorization"] == f"Bearer {TOKEN}"
        assert "proxy-authorization" not in tls.seen[0].headers
        session.close()


def test_logins_go_through_the_proxy_too() -> None:
    org = "http://127.0.0.1:9"
    with Proxy([Reply.of({"access_token": "T", "instance_url": org}), OK]) as proxy:
        session = session_on(org, auth=ClientCredentials(org, "id", "s"), proxies={"http": proxy.url})
        session.check(session.send(get()))
        assert proxy.seen[0].target == f"{org}/services/oauth2/token"
        session.close()


def test_the_proxies_of_the_environment_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy([OK]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        session = session_on("http://127.0.0.1:9")
        session.check(session.send(get()))
        monkeypatch.delenv("HTTP_PROXY")
        session.check(session.send(get()))
        assert len(proxy.seen) == 2
        session.close()


@pytest.mark.parametrize("given", [{"proxies": {}}, {}])
def test_proxies_can_be_avoided(monkeypatch: pytest.MonkeyPatch, given: dict[str, Any]) -> None:
    with Proxy([OK]) as proxy, Server([OK]) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        if not given:
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        session = session_on(server.url, **given)
        session.check(session.send(get()))
        assert (len(proxy.seen), len(server.seen)) == (0, 1)
        session.close()


@pytest.mark.parametrize("answer", [Cut(), Reply(403), Reply(502)])
def test_a_tunnel_that_is_refused_is_no_connection(answer: Answer, ca_file: str) -> None:
    with Server([answer]) as proxy:
        session = session_on(
            "https://127.0.0.1:9", verify=ca_file, proxies={"https": proxy.url}, retry=quick(attempts=2)
        )
        with pytest.raises(TransportError) as caught:
            session.send(post())
    assert (caught.value.failure, caught.value.sent, len(proxy.seen)) == (Failure.CONNECT, False, 2)


def test_a_proxy_that_is_down_is_no_connection() -> None:
    with Server([OK]) as server:
        gone = server.url
    with pytest.raises(TransportError) as caught:
        session_on("http://127.0.0.1:9", proxies={"http": gone}, retry=quick(attempts=2)).send(post())
    assert caught.value.failure is Failure.CONNECT


@pytest.mark.parametrize("proxy", ["", "http://", 7, "http://[::1"])
def test_proxies_that_are_no_urls_are_refused_without_quoting_them(proxy: Any) -> None:
    with pytest.raises(ValueError, match=r"proxies\['https'\] is no URL"):
        session_on("https://acme.my.salesforce.com", proxies={"https": proxy})


def test_a_missing_dependency_for_socks_is_told() -> None:
    session = session_on("https://acme.my.salesforce.com", proxies={"https": "socks5://127.0.0.1:1"})
    with pytest.raises(ValueError, match="Missing dependencies for SOCKS"):
        session.send(get())


# What requests would do on its own


def test_netrc_does_not_replace_the_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login user password netrc-pw\ndefault login user password netrc-pw\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    with Server(
        lambda seen: OK if "oauth2" not in seen.target else Reply.of({"access_token": "T", "instance_url": server.url})
    ) as server:
        session = session_on(server.url, auth=ClientCredentials(server.url, "id", "s"))
        session.check(session.send(get()))
        session.http.get(f"{server.url}/services/data")
        assert [seen.headers.get("authorization") for seen in server.seen] == [None, "Bearer T", "Bearer T"]
        session.close()


def test_cookies_are_neither_kept_nor_sent_back() -> None:
    cookies = Reply.of({}, Set_Cookie="BrowserId=abc; domain=127.0.0.1; path=/; Max-Age=31536000")
    with Server([cookies]) as server:
        session = session_on(server.url)
        for _ in range(2):
            response = session.send(get())
        session.http.get(f"{server.url}/services/data")
        assert not response.cookies
        assert not list(session.http.cookies)
        assert not any("cookie" in seen.headers for seen in server.seen)
        session.close()


# Recording


def test_cassettes_record_and_replay(tmp_path: Path, server_context: ssl.SSLContext, ca_file: str) -> None:
    answers = [
        Reply.error(401, "INVALID_SESSION_ID"),
        Reply(200, gzip.compress(b'{"Id":"001"}'), {"Content-Type": "application/json", "Content-Encoding": "gzip"}),
        Reply(201, b'{"id":"002","success":true,"errors":[]}', {"Content-Type": "application/json"}),
        Reply(503),
        Reply(204, b""),
    ]
    recorder = vcr.VCR(cassette_library_dir=str(tmp_path), filter_headers=["authorization"], record_mode="once")

    def work(url: str) -> list[Any]:
        session = session_on(url, auth=Numbered(url), verify=ca_file)
        responses = [session.send(get()), session.send(post()), session.send(get("/limits"))]
        for response in responses:
            session.check(response)
        session.close()
        return [session.decode(response) for response in responses]

    with Server(answers, server_context) as server, recorder.use_cassette("calls.yaml"):
        recorded = work(server.url)
    assert recorded == [{"Id": "001"}, {"id": "002", "success": True, "errors": []}, None]
    assert len(server.seen) == 5
    with recorder.use_cassette("calls.yaml") as cassette:
        assert work(server.url) == recorded
        assert cassette.play_count == 5
    assert len(server.seen) == 5
    assert "Bearer" not in (tmp_path / "calls.yaml").read_text()
