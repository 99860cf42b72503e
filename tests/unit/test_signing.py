"""Expired sessions: noticed in every API, renewed once however many threads are affected, and sent again."""

import io
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

import pytest
import requests
from http_server import Answer, Cut, Drip, Reply, Seen, Server
from session_tools import TOKEN, Numbered, get, post, quick, session_on

from sfconnector._events import RefreshEvent
from sfconnector._hooks import Hooks
from sfconnector._session import Session
from sfconnector._transport import Timeout
from sfconnector.auth import AccessToken, RefreshToken, Token, TokenTransport
from sfconnector.errors import AuthenticationError, SessionExpiredError, TransportError, TransportTimeoutError

EXPIRED = Reply.error(401, "INVALID_SESSION_ID", "Session expired or invalid")
SOAP_FAULT = Reply(
    500,
    b"<soapenv:Envelope xmlns:soapenv='http://schemas.xmlsoap.org/soap/envelope/'><soapenv:Body><soapenv:Fault>"
    b"<faultcode>sf:INVALID_SESSION_ID</faultcode><faultstring>INVALID_SESSION_ID: Illegal session</faultstring>"
    b"</soapenv:Fault></soapenv:Body></soapenv:Envelope>",
    {"Content-Type": "text/xml"},
)


class Org:
    """An org that takes one token at a time."""

    def __init__(self, refuse: Callable[[Seen], Answer] = lambda _: EXPIRED) -> None:
        self.good, self.refuse, self.accepted = "", refuse, list[Seen]()
        self.server = Server(self.answer)
        self.url = self.server.url

    def answer(self, seen: Seen) -> Answer:
        sent = seen.headers.get("authorization", "").removeprefix("Bearer ") or seen.headers.get("x-sfdc-session", "")
        if sent != self.good:
            return self.refuse(seen)
        self.accepted.append(seen)
        return Reply.of({"ok": True})

    def take(self, token: str) -> None:
        self.good = token


@pytest.fixture
def org() -> Iterator[Org]:
    org = Org()
    with org.server:
        yield org


def expired(org: Org) -> tuple[Session, Numbered]:
    """A client whose session the org has just ended."""
    way = Numbered(org.url, org.take)
    session = session_on(org.url, auth=way)
    session.check(session.send(get()))
    org.good = "another"
    org.server.seen.clear()
    org.accepted.clear()
    return session, way


def test_nothing_is_sent_before_the_first_call(org: Org) -> None:
    way = Numbered(org.url, org.take)
    session = session_on(org.url, auth=way)
    assert way.logins == 0
    assert session.instance_url == org.url
    assert (way.logins, org.server.seen) == (1, [])


@pytest.mark.parametrize(
    "body",
    [b'{"Name":"Acme"}', io.BytesIO(b'{"Name":"Acme"}')],
    ids=["bytes", "file"],
)
def test_an_expired_session_is_renewed_and_the_request_sent_again(org: Org, body: bytes | IO[bytes]) -> None:
    session, way = expired(org)
    headers = {"Content-Type": "application/json", "Sforce-Auto-Assign": "FALSE"}
    response = session.request("POST", "/services/data/v68.0/sobjects/Account", data=body, headers=headers)
    assert response.json() == {"ok": True}
    assert way.logins == 2
    assert [seen.headers["authorization"] for seen in org.server.seen] == ["Bearer T1", "Bearer T2"]
    assert org.accepted[0].body == b'{"Name":"Acme"}'
    assert org.accepted[0].headers["sforce-auto-assign"] == "FALSE"
    assert [earlier.status_code for earlier in response.history] == [401]


def test_a_file_is_sent_again_from_where_it_began(org: Org) -> None:
    session, _ = expired(org)
    file = io.BytesIO(b"skipped|kept")
    file.seek(8)
    session.request("PUT", "/services/data/v68.0/x", data=file, headers={"Content-Type": "text/csv"})
    assert org.accepted[0].body == b"kept"


def test_a_body_that_can_be_read_only_once_is_not_sent_again(org: Org) -> None:
    session, way = expired(org)
    with pytest.raises(SessionExpiredError, match="read only once"):
        session.request("PUT", "/services/data/v68.0/x", data=iter([b"a", b"b"]))
    assert (way.logins, len(org.server.seen), org.accepted) == (2, 1, [])
    session.request("PUT", "/services/data/v68.0/x", data=iter([b"a", b"b"]))
    assert org.accepted[0].body == b"ab"


BULK_JSON = Reply.of({"exceptionCode": "InvalidSessionId", "exceptionMessage": "Invalid session id"}, 400)
BULK_XML = Reply(
    400,
    b'<?xml version="1.0"?><error xmlns="http://www.force.com/2009/06/asyncapi/dataload">'
    b"<exceptionCode>InvalidSessionId</exceptionCode><exceptionMessage>Invalid session id</exceptionMessage></error>",
    {"Content-Type": "application/xml"},
)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/services/data/v68.0/limits", EXPIRED),
        ("/services/data/v68.0/limits", Reply(401, b"<html>Unauthorized</html>", {"Content-Type": "text/html"})),
        ("/services/data/v68.0/limits", Reply(401, b"")),
        ("/services/apexrest/orders", EXPIRED),
        ("/services/async/68.0/job", BULK_JSON),
        ("/services/async/68.0/job", BULK_XML),
        ("/services/Soap/u/68.0", SOAP_FAULT),
        ("/services/oauth2/userinfo", Reply(403, b"Bad_OAuth_Token")),
        ("/id/00D000000000001/005000000000001", Reply(403, b"Bad_OAuth_Token")),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_every_api_says_expired_in_its_own_way(org: Org, path: str, answer: Answer, stream: bool) -> None:
    session, way = expired(org)
    org.refuse = lambda _: answer
    response = session.request("POST", path, data=b"x", headers={"Content-Type": "text/plain"}, stream=stream)
    assert response.json() == {"ok": True}
    assert way.logins == 2


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (
            "/services/data/v68.0/limits",
            Reply.error(401, "INVALID_SESSION_ID", "Connected app is not attached to Agent"),
        ),
        (
            "/services/data/v68.0/limits",
            Reply.error(401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API"),
        ),
        ("/services/data/v68.0/limits", Reply.error(403, "INSUFFICIENT_ACCESS")),
        ("/services/data/v68.0/limits", Reply(403, b"Bad_OAuth_Token")),
        ("/services/data/v68.0/sobjects/Account", BULK_JSON),
        ("/services/async/68.0/job", Reply.of({"exceptionCode": "InvalidJob", "exceptionMessage": "no"}, 400)),
        ("/services/Soap/u/68.0", Reply(500, b"<faultcode>sf:INVALID_FIELD</faultcode>")),
    ],
)
def test_what_no_new_session_would_mend_costs_no_login(org: Org, path: str, answer: Answer) -> None:
    session, way = expired(org)
    org.refuse = lambda _: answer
    response = session.send(get(path.removeprefix("/services/data/v68.0"))) if "/data/" in path else None
    if response is None:
        with pytest.raises(Exception, match=r"(GET|POST) /"):
            session.request("POST", path, data=b"x")
    else:
        assert response.content
    assert (way.logins, len(org.server.seen)) == (1, 1)


def test_bulk_1_gets_the_session_in_a_header_of_its_own(org: Org) -> None:
    session, _ = expired(org)
    org.refuse = lambda _: BULK_JSON
    session.request("GET", "/services/async/68.0/job/750")
    assert [seen.headers.get("x-sfdc-session") for seen in org.server.seen] == ["T1", "T2"]
    assert not any("authorization" in seen.headers for seen in org.server.seen)


def test_soap_gets_the_new_session_in_the_envelope(org: Org) -> None:
    session, _ = expired(org)
    org.refuse = lambda _: SOAP_FAULT
    envelope = b"<SessionHeader><sessionId>T1</sessionId></SessionHeader>"
    session.request("POST", "/services/Soap/u/68.0", data=envelope, headers={"Content-Type": "text/xml"})
    assert org.accepted[0].body == envelope.replace(b"T1", b"T2")


def test_the_session_for_others_renews_too(org: Org) -> None:
    session, way = expired(org)
    assert session.http.post(f"{org.url}/services/Soap/u/68.0", data=b"x").json() == {"ok": True}
    assert way.logins == 2


def test_a_lasting_refusal_ends_after_one_login(org: Org) -> None:
    session, way = expired(org)
    way.tell = lambda _: None
    with pytest.raises(SessionExpiredError, match="logging in anew did not help"):
        session.check(session.send(post()))
    assert (way.logins, len(org.server.seen)) == (2, 2)


class Stale:
    """A way to log in that hands out the same session although it has ended."""

    def __init__(self, url: str, tokens: list[str]) -> None:
        self.url, self.tokens, self.logins = url, tokens, 0

    def login(self, _: TokenTransport) -> Token:
        self.logins += 1
        return Token(self.tokens[min(self.logins, len(self.tokens)) - 1], self.url)


def test_a_rejected_token_is_not_adopted_again(org: Org) -> None:
    way = Stale(org.url, ["T1", "T1"])
    session = session_on(org.url, auth=way)
    with pytest.raises(SessionExpiredError, match="gave the rejected token again"):
        session.send(get())
    assert len(org.server.seen) == 1


def test_not_even_after_another_one(org: Org) -> None:
    way = Stale(org.url, ["T1", "T2", "T1"])
    session = session_on(org.url, auth=way)
    org.good = "T2"
    session.check(session.send(get()))
    org.good = ""
    with pytest.raises(SessionExpiredError, match="gave the rejected token again"):
        session.send(get())
    assert [seen.headers["authorization"] for seen in org.server.seen] == ["Bearer T1", "Bearer T2", "Bearer T2"]


def together(threads: int, work: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(threads) as pool:
        return [future.exception() or future.result() for future in [pool.submit(work, n) for n in range(threads)]]


def test_threads_that_meet_an_expired_session_share_one_login(org: Org) -> None:
    session, way = expired(org)
    all_refused = threading.Barrier(8)

    def refuse(_: Seen) -> Answer:
        all_refused.wait()
        return EXPIRED

    org.refuse = refuse
    results = together(8, lambda _: session.send(get()).json())
    assert results == [{"ok": True}] * 8
    assert way.logins == 2


class CountingLock:
    """A lock that tells who is waiting at it."""

    def __init__(self) -> None:
        self.lock, self.arrived = threading.Lock(), threading.Semaphore(0)

    def __enter__(self) -> None:
        self.arrived.release()
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def test_threads_share_a_failed_login_too(org: Org) -> None:
    attempts = []
    lock = CountingLock()

    class Refused:
        def login(self, _: TokenTransport) -> Token:
            attempts.append(1)
            for _arrival in range(8 if len(attempts) == 1 else 0):
                lock.arrived.acquire()
            raise AuthenticationError("Refused", "inactive user", error="invalid_grant")

    session = session_on(org.url, auth=Refused())
    session._signer._lock = lock  # type: ignore[assignment]
    errors = together(8, lambda _: session.send(get()))
    assert [str(error) for error in errors] == ["Refused login refused: invalid_grant inactive user"] * 8
    assert len(attempts) == 1
    with pytest.raises(AuthenticationError):
        session.send(get())
    assert len(attempts) == 2


class ExpiringOrg:
    """An org whose tokens last for a number of calls, and which records each write."""

    def __init__(self, calls_per_token: int) -> None:
        self._lock = threading.Lock()
        self._left, self._per_token = Counter[str](), calls_per_token
        self.writes, self.expired = Counter[bytes](), set[str]()
        self.server = Server(self.answer)

    def issue(self, token: str) -> None:
        with self._lock:
            self._left[token] = self._per_token

    def answer(self, seen: Seen) -> Answer:
        token = seen.headers["authorization"].removeprefix("Bearer ")
        with self._lock:
            if self._left[token] <= 0:
                self.expired.add(token)
                return EXPIRED
            self._left[token] -= 1
            self.writes[seen.body] += 1
        return Reply.of({"ok": True}, 201)


def test_eight_threads_with_a_thousand_calls_each_on_expiring_tokens() -> None:
    org = ExpiringOrg(calls_per_token=700)
    with org.server:
        way = Numbered(org.server.url, org.issue)
        session = session_on(org.server.url, auth=way, max_connections=8)

        def work(thread: int) -> None:
            for n in range(1000):
                session.check(session.send(post(json={"Name": f"{thread}-{n}"})))

        assert together(8, work) == [None] * 8
        session.close()
    assert set(org.writes) == {f'{{"Name":"{t}-{n}"}}'.encode() for t in range(8) for n in range(1000)}
    assert set(org.writes.values()) == {1}
    # One login to begin with and one for each token that was used up.
    assert way.logins == 1 + len(org.expired)
    assert len(org.expired) == (8000 - 1) // 700


def test_tokens_that_others_fetched_may_expire_too(org: Org) -> None:
    session, way = expired(org)
    signer = session._signer
    taken = signer.renew

    def overtaken(rejected: Token, response: requests.Response) -> tuple[Token, bool]:
        # Another thread renews first, and its token is used up at once.
        if way.logins < 4:
            taken(rejected, response)
            org.good = "used up"
        return taken(rejected, response)

    signer.renew = overtaken  # type: ignore[method-assign]
    assert session.send(post()).json() == {"ok": True}
    assert [seen.headers["authorization"] for seen in org.server.seen] == [f"Bearer T{n}" for n in (1, 2, 3, 4, 5)]
    assert len(org.accepted) == 1


def test_trouble_in_the_login_is_not_taken_for_trouble_with_the_request() -> None:
    forms = []

    def answer(seen: Seen) -> Answer:
        if "oauth2" not in seen.target:
            return EXPIRED
        forms.append(seen.body)
        return Reply.of({"access_token": "T1", "instance_url": server.url}) if len(forms) == 1 else Cut()

    with Server(answer) as server:
        session = session_on(server.url, auth=RefreshToken(server.url, "id", "R1"))
        with pytest.raises(TransportError, match="POST /services/oauth2/token: the connection broke"):
            session.send(get())
        assert len(forms) == 2


def test_hooks_are_told_of_logins_without_the_token(org: Org) -> None:
    events: list[RefreshEvent] = []
    session = session_on(org.url, auth=Numbered(org.url, org.take), hooks=Hooks(on_refresh=events.append))
    session.send(get())
    org.good = ""
    session.send(get())
    assert [(event.flow, event.first) for event in events] == [("Numbered", True), ("Numbered", False)]
    assert all(event.elapsed >= 0 for event in events)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.com/x",
        "https://acme.my.salesforce.com.evil.com/x",
        "https://acme.my.salesforce.com:8443/x",
        "http://acme.my.salesforce.com/x",
        "https://acme.my.salesforce.com@evil.com/x",
    ],
)
def test_the_token_goes_to_the_instance_only(url: str) -> None:
    session = session_on("https://acme.my.salesforce.com")
    prepared = requests.Request("GET", url, auth=session.http.auth).prepare()
    assert TOKEN not in str(prepared.headers)


def test_an_org_that_has_moved_is_followed() -> None:
    with Server([Reply.of({"ok": True})]) as new, Server([EXPIRED]) as old:
        way = Stale(old.url, ["T1"])

        class Moved:
            def login(self, _: TokenTransport) -> Token:
                way.logins += 1
                return Token(f"T{way.logins}", old.url if way.logins == 1 else new.url)

        session = session_on(old.url, auth=Moved(), retry=quick())
        assert session.send(get()).json() == {"ok": True}
        assert new.seen[0].headers["authorization"] == "Bearer T2"
        assert session.instance_url == new.url


@pytest.mark.parametrize("status", [401, 500])
def test_a_refusal_that_drips_ends_at_the_total_timeout(status: int) -> None:
    with Server([Drip(status)]) as server:
        session = session_on(server.url, timeout=Timeout(total=0.05))
        with pytest.raises(TransportTimeoutError, match="total timeout"):
            session.send(post())


def test_a_login_that_fails_by_itself_is_not_taken_for_trouble_with_the_request(org: Org) -> None:
    tokens = iter(["T1"])

    def fetch() -> str:
        try:
            return next(tokens)
        except StopIteration:
            raise requests.ConnectionError("the vault is down") from None

    session = session_on(org.url, auth=AccessToken(org.url, fetch))
    for _ in range(2):
        # In the first round in the middle of a request, in the second before it.
        with pytest.raises(AuthenticationError, match="AccessToken login refused: the login raised ConnectionError"):
            session.send(post())
    assert len(org.server.seen) == 2
    with pytest.raises(AuthenticationError) as caught:
        session_on(org.url, auth=AccessToken(org.url, fetch)).send(post())
    assert isinstance(caught.value.__cause__, requests.ConnectionError)
