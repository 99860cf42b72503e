"""Sessions on servers of the tests, and clocks that tests can turn."""

import time
from collections.abc import Callable
from typing import Any

from sfconnector_generated.client import Request

from sfconnector._retry import Retry
from sfconnector._session import Session
from sfconnector.auth import AccessToken, Token, TokenTransport

TOKEN = "00D000000000001!AQ.secret-token"


class FakeTime:
    """A clock that goes on only when somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.slept = 1000.0, list[float]()

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def retry(self, **options: Any) -> Retry:
        return Retry(clock=self.clock, sleep=self.sleep, random=lambda: 1.0, **options)


def quick(**options: Any) -> Retry:
    """Retries without delay, on the real clock."""
    return Retry(backoff=0.0, clock=time.monotonic, **options)


def session_on(url: str, **options: Any) -> Session:
    """A session with a token that is good."""
    return Session(options.pop("auth", None) or AccessToken(url, TOKEN), **{"retry": quick(), **options})


class Numbered:
    """A way to log in that hands out the tokens T1, T2, …"""

    def __init__(self, url: str, tell: Callable[[str], object] = lambda _: None) -> None:
        self.url, self.tell, self.logins = url, tell, 0

    def login(self, _: TokenTransport) -> Token:
        self.logins += 1
        self.tell(f"T{self.logins}")
        return Token(f"T{self.logins}", self.url)


def get(path: str = "/sobjects/Account/001000000000001AAA", **options: Any) -> Request:
    """A read."""
    return Request("get_record", "GET", "/services/data/v{version}", path, idempotent=True, **options)


def post(path: str = "/sobjects/Account", **options: Any) -> Request:
    """A write that must not happen twice."""
    return Request("create_record", "POST", "/services/data/v{version}", path, **{"json": {"Name": "Acme"}, **options})


def upsert(**options: Any) -> Request:
    """A write that may happen twice."""
    path = "/sobjects/Account/Ext__c/A-42"
    return Request(
        "upsert_record", "PATCH", "/services/data/v{version}", path, json={"Name": "Acme"}, idempotent=True, **options
    )
