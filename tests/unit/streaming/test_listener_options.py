"""Every option of a listener changes what it does (D15), channels come and go, and the client's way is its way."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from cometd_server import CometD, change, order
from http_server import Cut, Proxy
from streams import LONG, TOKEN, Log, client, with_logins

from sfconnector import Hooks, Retry, Salesforce, auth, streaming
from sfconnector.errors import ReplayExpiredError, SubscriptionError, TransportError
from sfconnector.streaming import MemoryReplayStore, ReplayKey

ACCOUNTS = "/data/AccountChangeEvent"
ORDERS = "/event/Order__e"
FILTERED = "/topic/NewAccounts?Industry='Energy'"


@pytest.fixture
def org() -> Iterator[CometD]:
    with CometD() as server:
        yield server


@pytest.fixture
def sf(org: CometD) -> Iterator[Salesforce]:
    with client(org) as sf:
        yield sf


# --- D15: each option ---


def test_the_name_decides_whose_position_it_is(org: CometD, sf: Salesforce) -> None:
    positions: dict[str, str] = {}
    for name in ("billing", "shipping"):
        seen, listener = Log(), sf.listener(name=name, replay=positions, replay_from="earliest")
        listener.attach(ORDERS, seen)
        if not org.log:
            org.emit(ORDERS, order(1))
        with listener:
            seen.wait(1)
    assert set(positions) == {f"00D000000000001 {ORDERS} {name}" for name in ("billing", "shipping")}


def test_the_store_decides_whether_positions_outlast_the_process(org: CometD, tmp_path: Path) -> None:
    for replay, expected in ((tmp_path / "replay.db", [-2, 10]), (None, [-2, -2])):
        for _ in range(2):
            with client(org) as sf:
                listener = sf.listener(replay=replay, replay_from="earliest")
                listener.attach(ORDERS, print)
                seen = Log()
                listener.on(ACCOUNTS)(seen)
                if not org.log:
                    org.emit(ORDERS, order(1))
                listener.start()
                org.emit(ACCOUNTS, change(1))
                seen.wait(1)
                listener.stop(drain=True)
        assert org.replays(ORDERS)[-2:] == expected


@pytest.mark.parametrize(
    ("replay_from", "sent", "came"),
    [("latest", -1, [2]), ("earliest", -2, [0, 1, 2]), (10, 10, [1, 2]), ("10", 10, [1, 2])],
)
def test_the_beginning_is_where_it_was_asked_for(
    org: CometD, sf: Salesforce, replay_from: Any, sent: int, came: list[int]
) -> None:
    for number in range(2):
        org.emit(ORDERS, order(number))
    for of_listener in (True, False):
        seen = Log()
        listener = sf.listener(replay_from=replay_from) if of_listener else sf.listener()
        listener.attach(ORDERS, seen, replay_from=None if of_listener else replay_from)
        with listener:
            if len(org.log) == 2:
                org.emit(ORDERS, order(2))
            if of_listener or replay_from != "latest":
                seen.wait(len(came))
                assert seen.numbers == came
        assert org.replays(ORDERS)[-1] == sent


@pytest.mark.parametrize("policy", ["earliest", "latest", "raise"])
def test_what_is_done_about_a_lost_position_is_what_was_asked_for(org: CometD, sf: Salesforce, policy: Any) -> None:
    org.oldest = 8
    listener = sf.listener(replay={f"00D000000000001 {ORDERS} default": "5"}, on_expired=policy)
    listener.attach(ORDERS, print)
    if policy == "raise":
        with pytest.raises(ReplayExpiredError):
            listener.start()
    else:
        listener.start()
    assert org.replays(ORDERS) == [5, *({"earliest": [-2], "latest": [-1], "raise": []}[policy])]


@pytest.mark.parametrize("of_channel", [False, True])
def test_what_is_done_about_failures_is_what_was_asked_for(org: CometD, sf: Salesforce, of_channel: bool) -> None:
    outcomes = []
    for policy in ("raise", "skip", streaming.retry(1, backoff=0, then="skip"), streaming.dead_letter(lambda *_: None)):
        calls, after = Log(), threading.Event()

        def handler(event: Any, calls: Log = calls, after: threading.Event = after) -> None:
            calls(event)
            if event.fields["Number__c"] == 1:
                raise LookupError
            after.set()

        listener = sf.listener() if of_channel else sf.listener(on_failure=policy)
        listener.attach(ORDERS, handler, on_failure=policy if of_channel else None)
        listener.start()
        org.emit(ORDERS, order(1))
        org.emit(ORDERS, order(2))
        if policy == "raise":
            with pytest.raises(LookupError):
                listener.join(LONG)
        else:
            assert after.wait(LONG)
            listener.stop()
        outcomes.append(calls.numbers)
    assert outcomes == [[1], [1, 2], [1, 1, 2], [1, 2]]


def test_whom_to_tell_is_told(org: CometD, sf: Salesforce) -> None:
    errors = Log()
    org.oldest = 8
    listener = sf.listener(replay={f"00D000000000001 {ORDERS} default": "5"}, on_error=errors)
    listener.attach(ORDERS, print)
    with listener:
        assert [type(error) for error in errors.wait(1)] == [ReplayExpiredError]


@pytest.mark.parametrize(("size", "fetched"), [(1, 3), (3, 5)])
def test_a_full_queue_stops_the_polling_and_nothing_is_lost(
    org: CometD, sf: Salesforce, size: int, fetched: int
) -> None:
    entered, go = Log(), threading.Event()

    def handler(event: Any) -> None:
        entered(event)
        assert go.wait(LONG)

    org.per_answer = 1
    listener = sf.listener(queue_size=size)
    listener.attach(ORDERS, handler)
    with listener:
        for number in range(10):
            org.emit(ORDERS, order(number))
        # One is being handled, so many wait, and the next has arrived and makes the network wait.
        org.wait_for(lambda: next(iter(org.peers.values())).channels[ORDERS] == org.log[fetched - 1][1])
        entered.wait(1)
        org.wait_for(lambda: org.polling == 0)
        assert next(iter(org.peers.values())).channels[ORDERS] == org.log[fetched - 1][1]
        # Whoever stays away for too long is forgotten.
        org.kill()
        go.set()
        entered.wait(10)
        health = listener.health().channels[ORDERS]
    assert entered.numbers == list(range(10))
    assert health.duplicates <= fetched


# --- channels that come and go ---


def test_channels_come_and_go_while_it_runs(org: CometD, sf: Salesforce) -> None:
    accounts, orders = Log(), Log()
    listener = sf.listener()
    listener.attach(ACCOUNTS, accounts)
    with listener:
        org.wait_for(lambda: org.polling == 1)
        listener.attach(ORDERS, orders)
        assert org.replays(ORDERS) == [-1]
        org.emit(ORDERS, order(1))
        orders.wait(1)
        listener.detach(ORDERS)
        assert [message["subscription"] for message in org.sent("/meta/unsubscribe")] == [ORDERS]
        org.emit(ORDERS, order(2))
        org.emit(ACCOUNTS, change(3))
        accounts.wait(1)
        assert set(listener.health().channels) == {ACCOUNTS}
        listener.attach(ORDERS, orders)
        orders.wait(2)
    # It goes on where it was given up.
    assert orders.numbers == [1, 2]
    assert org.replays(ORDERS) == [-1, 10]


def test_a_refused_channel_is_told_to_whoever_attaches_it(org: CometD, sf: Salesforce) -> None:
    seen, errors = Log(), Log()
    listener = sf.listener(on_error=errors)
    listener.attach(ACCOUNTS, seen)
    with listener:
        org.wait_for(lambda: org.polling == 1)
        with pytest.raises(SubscriptionError, match="does not exist"):
            listener.attach("/event/Missing__e", print)
        assert set(listener.health().channels) == {ACCOUNTS}
        org.emit(ACCOUNTS, change(1))
        seen.wait(1)
        org.unknown.clear()
        listener.attach("/event/Missing__e", print)
    assert errors.items == []


def test_a_channel_that_is_refused_during_a_reconnection_is_told_to_whoever_attaches_it(
    org: CometD, sf: Salesforce
) -> None:
    seen, outcome, errors = Log(), Log(), Log()
    listener = sf.listener(on_error=errors)
    listener.attach(ACCOUNTS, seen)
    with listener:
        org.wait_for(lambda: org.polling == 1)
        org.fault = lambda message, _: Cut() if message["channel"] == "/meta/handshake" else None
        org.kill()
        wait_until(lambda: len(org.sent("/meta/handshake")) > 2)

        def attach(channel: str) -> None:
            try:
                listener.attach(channel, seen)
            except SubscriptionError as error:
                outcome(error)
            else:
                outcome(channel)

        threads = [threading.Thread(target=attach, args=(channel,)) for channel in ("/event/Missing__e", ORDERS)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(listener.health().channels) == 3)
        assert outcome.items == []
        org.fault = None
        outcome.wait(2)
        for thread in threads:
            thread.join()
        org.emit(ACCOUNTS, change(1))
        org.emit(ORDERS, order(2))
        seen.wait(2)
    assert {type(each) for each in outcome.items} == {SubscriptionError, str}
    assert ORDERS in outcome.items
    # That the connection was lost was told, and nothing else.
    assert not any(isinstance(error, SubscriptionError) for error in errors.items)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what nobody tells of."""
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.005)


def test_a_handler_may_attach_and_detach(org: CometD, sf: Salesforce) -> None:
    orders, errors = Log(), Log()
    listener = sf.listener(on_error=errors)

    def handler(event: Any) -> None:
        match event.fields["NumberOfEmployees"]:
            case 1:
                listener.attach(ORDERS, orders)
            case 2:
                listener.detach(ORDERS)
            case 3:
                listener.attach("/event/Missing__e", print)

    listener.attach(ACCOUNTS, handler)
    with listener:
        org.emit(ACCOUNTS, change(1))
        org.wait_for(lambda: any(ORDERS in peer.channels for peer in org.peers.values()))
        org.emit(ORDERS, order(1))
        orders.wait(1)
        org.emit(ACCOUNTS, change(2))
        org.wait_for(lambda: not any(ORDERS in peer.channels for peer in org.peers.values()))
        org.emit(ACCOUNTS, change(3))
        assert [type(error) for error in errors.wait(1)] == [SubscriptionError]


def test_a_filtered_topic_is_named_without_its_filter_in_the_map(org: CometD, sf: Salesforce) -> None:
    seen = Log()
    listener = sf.listener()
    listener.attach(FILTERED, seen)
    with listener:
        org.emit("/topic/NewAccounts", {"event": {"createdDate": "2026-01-02T03:04:05.678Z"}, "sobject": {"Id": "001"}})
        (event,) = seen.wait(1)
    assert (event.sobject, event.channel) == ({"Id": "001"}, FILTERED)
    assert org.sent("/meta/subscribe")[0]["ext"] == {"replay": {"/topic/NewAccounts": -1}}


# --- stores of one's own ---


def test_a_store_that_fails_is_told_once_and_stops_nothing(org: CometD, sf: Salesforce) -> None:
    class Broken(MemoryReplayStore):
        failing = True

        def save(self, key: ReplayKey, position: str, /) -> None:
            if self.failing:
                raise OSError("no space left")
            super().save(key, position)

    seen, errors, store = Log(), Log(), Broken()
    listener = sf.listener(replay=store, on_error=errors)
    listener.attach(ORDERS, seen)
    with listener:
        for number in range(5):
            org.emit(ORDERS, order(number))
        seen.wait(5)
        errors.wait(1)
        store.failing = False
    assert [str(error) for error in errors.items] == ["no space left"]
    assert list(store._positions.values()) == ["22"]


def test_a_store_that_cannot_be_read_stops_the_start(org: CometD, sf: Salesforce) -> None:
    class Broken(MemoryReplayStore):
        def load(self, _: ReplayKey, /) -> str | None:
            raise OSError("no such table")

    listener = sf.listener(replay=Broken())
    listener.attach(ORDERS, print)
    with pytest.raises(OSError, match="no such table"):
        listener.start()
    assert org.seen == []


# --- the client's way to the org ---


def test_headers_and_version_are_those_of_the_client(org: CometD) -> None:
    with client(org, client_name="Importer", api_version="61.0") as sf, sf.subscribe(ORDERS):
        pass
    for seen in org.server.seen:
        assert seen.target == "/cometd/61.0"
        assert seen.headers["authorization"] == f"Bearer {TOKEN}"
        assert seen.headers["user-agent"].startswith("Importer sfconnector/")
        assert seen.headers["content-type"].startswith("application/json")


def test_hooks_are_told_of_what_is_sent_and_what_comes(org: CometD) -> None:
    requested, answered = Log(), Log()
    with client(org, hooks=Hooks(on_request=requested, on_response=answered)) as sf, sf.subscribe(ORDERS):
        org.wait_for(lambda: org.polling == 1)
        sent = [(event.operation, event.method, event.path, event.attempt) for event in requested.wait(4)]
    assert sent == [(name, "POST", "/cometd/68.0", 1) for name in ("handshake", "subscribe", "connect", "connect")]
    assert [event.request.operation for event in answered.items[:3]] == ["handshake", "subscribe", "connect"]
    assert all(event.status == 200 and event.elapsed >= 0 for event in answered.items)


def test_ids_that_are_none_do_no_harm(org: CometD, sf: Salesforce) -> None:
    seen = Log()
    listener = sf.listener()
    listener.attach(ORDERS, seen)
    answer = [{"channel": ORDERS, "data": data} for data in ({"event": {"replayId": ["x"]}}, {}, None, [])]
    odd = [answer]

    def fault(message: dict[str, Any], right: Any) -> Any:
        if message["channel"] == "/meta/connect" and message.get("advice") is None and odd:
            return [*odd.pop(), *right()]
        return None

    org.fault = fault
    org.emit("/event/Other__e", order(0))
    with listener:
        org.wait_for(lambda: org.polling == 1)
        org.emit(ORDERS, order(1))
        seen.wait(5)
    assert [type(event).__name__ for event in seen.items] == ["GenericEvent"] * 4 + ["PlatformEvent"]
    assert listener.health().channels[ORDERS].position == "13"


@pytest.mark.parametrize("own", [False, True])
def test_proxies_of_the_client_are_gone_through(org: CometD, own: bool) -> None:
    with Proxy(org.answer) as proxy:
        url = proxy.url.replace("://", "://user:pass@")
        login = auth.AccessToken("http://localhost:9", TOKEN)
        if own:
            http = requests.Session()
            http.proxies["http"] = url
            sf = Salesforce(login, http=http)
        else:
            sf = Salesforce(login, proxies={"http": url})
        with sf, sf.subscribe(ORDERS):
            pass
        assert proxy.seen
        assert all(seen.target == "http://localhost:9/cometd/68.0" for seen in proxy.seen)
        assert all(seen.headers["proxy-authorization"] == "Basic dXNlcjpwYXNz" for seen in proxy.seen)


@pytest.mark.parametrize("kind", ["socks5", "https"])
def test_proxies_of_other_kinds_are_refused(org: CometD, kind: str) -> None:
    with client(org, proxies={"http": f"{kind}://localhost:9"}) as sf:
        loop = sf.subscribe(ORDERS)
        with pytest.raises(ValueError, match=f"not through a {kind} proxy"):
            next(loop)
    assert org.seen == []


@pytest.mark.parametrize("own", [False, True])
def test_certificates_of_the_client_are_checked_and_shown(tmp_path: Path, own: bool) -> None:
    authority = trustme.CA()
    org = CometD(context=ssl_context(authority))
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    mine = authority.issue_cert("client@example.com")
    mine.private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    with org:
        verify, cert = str(tmp_path / "ca.pem"), str(tmp_path / "client.pem")
        login = auth.AccessToken(org.url.replace("127.0.0.1", "localhost"), TOKEN)
        if own:
            http = requests.Session()
            http.verify, http.cert = verify, cert
            good = Salesforce(login, http=http)
        else:
            good = Salesforce(login, verify=verify, cert=cert)
        with good, good.subscribe(ORDERS) as loop:
            assert loop.health().connected
        with Salesforce(login, retry=Retry(backoff=0.0)) as stranger:
            loop = stranger.subscribe(ORDERS)
            with pytest.raises(TransportError, match="give the path of your CA bundle as verify="):
                next(loop)


def ssl_context(authority: trustme.CA) -> ssl.SSLContext:
    """Speak TLS, and want to see a certificate of the same authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_listeners_and_calls_share_one_login(org: CometD) -> None:
    """A token that is replaced for one of them is replaced for all."""
    logins = with_logins(org)
    with client(org, logins) as sf:
        seen, listener = Log(), sf.listener()
        listener.attach(ORDERS, seen)
        with listener:
            org.wait_for(lambda: org.polling == 1)
            org.revoke()
            org.wait_for(lambda: len(org.replays(ORDERS)) == 2)
            sf.user_info()
            org.emit(ORDERS, order(1))
            seen.wait(1)
        assert logins.logins == 2
        assert org.server.seen[-1].headers["authorization"] == "Bearer T2"


@pytest.mark.parametrize("crash", [True, False])
def test_what_comes_after_a_beginning_at_the_tip_is_not_lost_before_the_first_event_counts(
    org: CometD, sf: Salesforce, tmp_path: Path, crash: bool
) -> None:
    """Neither the event whose handler failed, nor what came while nobody listened."""
    org.emit(ORDERS, {**order(0), "payload": {"Number__c": 0, "CreatedDate": "2020-01-01T00:00:00Z"}})
    path = tmp_path / "replay.db"

    def fail(_: Any) -> None:
        raise RuntimeError("crash")

    listener = sf.listener(replay=path)
    listener.attach(ORDERS, fail)
    listener.start()
    if crash:
        org.emit(ORDERS, order(1))
        with pytest.raises(RuntimeError, match="crash"):
            listener.join(LONG)
    else:
        assert listener.stop()
        org.emit(ORDERS, order(1))
    seen = Log()
    again = sf.listener(replay=path)
    again.attach(ORDERS, seen)
    with again:
        seen.wait(1)
        assert seen.numbers == [1]
        assert again.health().channels[ORDERS].skipped == 1
    assert org.replays(ORDERS) == [-1, -2]


def test_jobs_that_drain_now_and_then_miss_nothing_between_them(org: CometD, sf: Salesforce, tmp_path: Path) -> None:
    path = tmp_path / "replay.db"
    assert list(sf.subscribe(ORDERS, replay=path, idle=0.2)) == []
    org.emit(ORDERS, order(1))
    found = list(sf.subscribe(ORDERS, replay=path, idle=0.2))
    assert [event.fields["Number__c"] for event in found] == [1]
