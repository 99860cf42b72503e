"""Each row of the fault matrix, in the local org: nothing is lost, nothing comes twice, and the order is kept."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cometd_server import change
from streams import Log

from sfconnector import Retry, Salesforce, auth
from sfconnector.errors import ReplayExpiredError, StreamError
from sfconnector.streaming import Listener
from sfconnector.testing import LocalOrg

ACCOUNTS = "/data/AccountChangeEvent"
COMETD = "/cometd/*"


class Day:
    """A clock that goes on only where somebody sleeps, and a record of who did."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, Log()

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept(seconds)


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def sf(local_org: LocalOrg, day: Day) -> Iterator[Salesforce]:
    login = auth.ClientCredentials(local_org.url, local_org.client_id, local_org.client_secret)
    retry = Retry(backoff=0.01, clock=lambda: day.now, sleep=day.sleep, random=lambda: 1.0)
    with Salesforce(login, retry=retry) as client:
        yield client


def publish(org: LocalOrg, number: int) -> int:
    return org.streaming.publish("AccountChangeEvent", change(number))


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(lambda _: None, id="none"),
        pytest.param(lambda org: org.streaming.lose(), id="answer lost"),
        pytest.param(lambda org: org.streaming.halve(), id="answer cut in half"),
        pytest.param(lambda org: org.streaming.lose(3), id="answer lost three times"),
        pytest.param(lambda org: org.faults.unavailable(path=COMETD), id="503"),
        pytest.param(lambda org: org.faults.html_error(path=COMETD), id="a web page"),
        pytest.param(lambda org: org.faults.broken_json(path=COMETD), id="broken JSON"),
        pytest.param(lambda org: org.faults.cut(path=COMETD), id="connection cut"),
        pytest.param(lambda org: org.streaming.kill(), id="client forgotten"),
        pytest.param(lambda org: org.streaming.kick(), id="client sent away"),
        pytest.param(lambda org: org.streaming.revoke(), id="token revoked"),
        pytest.param(lambda org: (org.streaming.busy(2), org.streaming.kill()), id="too busy"),
        pytest.param(
            lambda org: (org.streaming.busy(1, operation="connect"), org.streaming.kill()), id="poll too busy"
        ),
        pytest.param(lambda org: (org.streaming.slow(0.01), org.streaming.kill()), id="slow"),
        pytest.param(lambda org: (org.streaming.revoke(), org.streaming.lose()), id="revoked and lost"),
    ],
)
def test_no_fault_loses_an_event(local_org: LocalOrg, sf: Salesforce, fault: Callable[[LocalOrg], object]) -> None:
    seen, listener = Log(), sf.listener()
    listener.attach(ACCOUNTS, seen)
    with listener:
        publish(local_org, 1)
        seen.wait(1)
        local_org.streaming.wait(polls=1)
        fault(local_org)
        publish(local_org, 2)
        publish(local_org, 3)
        seen.wait(3)
        # Only one connection is left, and it is a good one.
        local_org.streaming.wait(polls=1)
        with pytest.raises(TimeoutError):
            local_org.streaming.wait(polls=2, timeout=0.05)
        publish(local_org, 4)
        seen.wait(4)
        health = listener.health().channels[ACCOUNTS]
    assert seen.numbers == [1, 2, 3, 4]
    assert (health.processed, health.queued) == (4, 0)


@pytest.mark.parametrize(
    "fault",
    [lambda org: org.streaming.lose(), lambda org: org.streaming.kill(), lambda org: org.streaming.revoke()],
    ids=["answer lost", "client forgotten", "token revoked"],
)
def test_no_fault_loses_what_comes_after_the_tip(
    local_org: LocalOrg, sf: Salesforce, fault: Callable[[LocalOrg], object]
) -> None:
    seen, listener = Log(), sf.listener()
    publish(local_org, 0)
    long_ago = change(9, commitTimestamp=1_500_000_000_000)
    local_org.streaming.publish("AccountChangeEvent", long_ago)
    listener.attach(ACCOUNTS, seen)
    with listener:
        local_org.streaming.wait(polls=1)
        fault(local_org)
        publish(local_org, 1)
        seen.until(lambda items: items and items[-1].fields["NumberOfEmployees"] == 1)
    assert 9 not in seen.numbers


def test_a_limit_is_told_waited_for_in_minutes_and_no_reason_to_log_in(
    local_org: LocalOrg, sf: Salesforce, day: Day
) -> None:
    """D18: not every 403 is a matter of logins."""
    seen, errors = Log(), Log()
    listener = sf.listener(on_error=errors)
    listener.attach(ACCOUNTS, seen)
    with listener:
        publish(local_org, 1)
        seen.wait(1)
        local_org.streaming.wait(polls=1)
        local_org.streaming.limit(times=3)
        local_org.streaming.kill()
        publish(local_org, 2)
        seen.wait(2)
    assert seen.numbers == [1, 2]
    assert [entry.path for entry in local_org.requests].count("/services/oauth2/token") == 1
    assert [type(error) for error in errors.items] == [StreamError] * 3
    assert all("total events daily limit exceeded" in str(error) for error in errors.items)
    assert [seconds for seconds in day.slept.items if seconds >= 60] == [300.0] * 3


def test_a_position_that_has_left_retention_is_told(local_org: LocalOrg, sf: Salesforce) -> None:
    """D18."""
    seen, errors = Log(), Log()
    listener = sf.listener(on_error=errors)
    listener.attach(ACCOUNTS, seen)
    with listener:
        lost = publish(local_org, 1)
        seen.wait(1)
        local_org.streaming.wait(polls=1)
        local_org.streaming.kill()
        local_org.streaming.wait(polls=1)
        publish(local_org, 2)
        seen.wait(2)
        local_org.streaming.wait(polls=1)
        publish(local_org, 3)
        seen.wait(3)
        local_org.streaming.wait(polls=1)
        local_org.streaming.trim()
        local_org.streaming.kill()
        (error,) = errors.wait(1)
        publish(local_org, 4)
        seen.wait(4)
    assert isinstance(error, ReplayExpiredError)
    assert error.channel == ACCOUNTS
    assert error.position is not None
    assert error.position != str(lost)
    assert seen.numbers == [1, 2, 3, 4]


def test_the_org_may_be_started_again(tmp_path: Path) -> None:
    """A server that dies and comes back with the same events."""
    seen = Log()
    org = LocalOrg(tmp_path / "org.db")
    with org:
        port, environ = int(org.url.rpartition(":")[2]), org.environ()
        sf = Salesforce.from_env(environ)
        listener: Listener = sf.listener(replay=tmp_path / "replay.db")
        listener.attach(ACCOUNTS, seen)
        listener.start()
        publish(org, 1)
        seen.wait(1)
        org.streaming.wait(polls=1)
    credentials: dict[str, Any] = {
        "client_id": environ["SALESFORCE_CLIENT_ID"],
        "client_secret": environ["SALESFORCE_CLIENT_SECRET"],
    }
    with LocalOrg(tmp_path / "org.db", port=port, **credentials) as again, sf:
        publish(again, 2)
        seen.wait(2)
        publish(again, 3)
        seen.wait(3)
        listener.stop()
    assert seen.numbers == [1, 2, 3]


def test_several_faults_one_after_the_other(local_org: LocalOrg, sf: Salesforce) -> None:
    steering, seen, listener = local_org.streaming, Log(), sf.listener()
    listener.attach(ACCOUNTS, seen)
    faults: list[Callable[[], object]] = [steering.lose, steering.kill, steering.halve, steering.revoke, steering.kick]
    with listener:
        publish(local_org, 0)
        seen.wait(1)
        for number in range(1, 26):
            faults[number % len(faults)]()
            publish(local_org, number)
            if number % 3 == 0:
                seen.until(lambda items, number=number: items[-1].fields["NumberOfEmployees"] == number)
        seen.wait(26)
    assert seen.numbers == list(range(26))
