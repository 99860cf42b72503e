"""A server of collections that saves whatever comes, unless a test tells it otherwise."""

import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from http_server import Answer, Reply, Seen, Server

from sfconnector import Retry, Salesforce, auth

LOCKED = "UNABLE_TO_LOCK_ROW"
ROLLED_BACK = "ALL_OR_NONE_OPERATION_ROLLED_BACK"

Call = tuple[str, list[Any]]
"""The method of a call, and the records or ids in it."""


def failed(code: str, message: str = "…") -> dict[str, Any]:
    """The result of a record that failed."""
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": []}]}


def saved(record: Any) -> dict[str, Any]:
    """The result of a record that was saved, or of the id of one that was deleted."""
    own = record if isinstance(record, str) else record.get("Id")
    return {"id": own or "001000000000001AAA", "success": True, "errors": []}


def contents(seen: Seen) -> list[Any]:
    """The records or ids of a call."""
    if seen.method == "DELETE":
        return parse_qs(urlsplit(seen.target).query)["ids"][0].split(",")
    body = json.loads(seen.body)
    return body["ids"] if "ids" in body else body["records"]


class Collections(Server):
    """Answers each call with one result for each record.

    Args:
        judge: Gives the result of a record, by the number of the call and the record; ``None`` saves it.
        intervene: Gives the whole answer to a call, by its number; ``None`` leaves it to the records.
    """

    def __init__(
        self,
        judge: Callable[[int, Any], dict[str, Any] | None] = lambda *_: None,
        intervene: Callable[[int, list[Any]], Answer | None] = lambda *_: None,
    ) -> None:
        super().__init__(self._answer_call)
        self.calls: list[list[Any]] = []
        self._judge, self._intervene = judge, intervene
        self._counting = threading.Lock()

    def _answer_call(self, seen: Seen) -> Answer:
        records = contents(seen)
        with self._counting:
            number = len(self.calls)
            self.calls.append(records)
        if (answer := self._intervene(number, records)) is not None:
            return answer
        return Reply.of([self._judge(number, record) or saved(record) for record in records])

    def connect(self, retry: Retry | None = None) -> Salesforce:
        """A client of this server."""
        return Salesforce(auth.AccessToken(self.url, "token"), retry=retry or Retry(backoff=0.0))
