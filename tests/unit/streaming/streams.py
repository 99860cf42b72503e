"""What the tests of listeners share."""

import threading
from collections.abc import Callable
from typing import Any

from cometd_server import CometD
from session_tools import Numbered

from sfconnector import Retry, Salesforce
from sfconnector.auth import AccessToken, Auth

TOKEN = "00D000000000001!AQ.secret-token"
# Seconds after which something will not happen any more.
LONG = 20.0


def client(org: CometD, auth: Auth | None = None, **options: Any) -> Salesforce:
    """A client that loses no time between attempts."""
    return Salesforce(auth or AccessToken(org.url, TOKEN), **{"retry": Retry(backoff=0.0), **options})


def with_logins(org: CometD) -> Numbered:
    """Logins whose tokens the org takes one at a time."""
    return Numbered(org.url, org.take)


def is_position(stored: str | None) -> bool:
    """Whether what is stored tells of an event, and not only of when a listener began at the tip."""
    return stored is not None and not stored.startswith("since ")


class Log:
    """Remembers what it is called with."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._changed = threading.Condition()

    def __call__(self, item: Any, *_: Any) -> None:
        with self._changed:
            self.items.append(item)
            self._changed.notify_all()

    def wait(self, count: int) -> list[Any]:
        """Wait for so many calls."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.items) >= count, LONG), self.items
            return list(self.items)

    def comes(self, count: int, *, within: float) -> bool:
        """Tell whether so many calls come within some seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.items) >= count, within)

    def until(self, condition: Callable[[list[Any]], bool]) -> list[Any]:
        """Wait until something is true of the calls."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.items), LONG), self.items
            return list(self.items)

    @property
    def numbers(self) -> list[int]:
        """Which of the test's events came."""
        return [event.fields.get("Number__c", event.fields.get("NumberOfEmployees")) for event in self.items]
