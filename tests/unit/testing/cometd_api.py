"""A bare CometD client: it posts Bayeux messages and gives back what is answered."""

import itertools
import threading
from collections.abc import Callable
from typing import Any

import orjson
import urllib3

from sfconnector.testing import LocalOrg

ACCOUNTS = "/data/AccountChangeEvent"
CONTACTS = "/data/ContactChangeEvent"
ALL = "/data/ChangeEvents"
PATIENCE = 30.0


class CometdApi:
    """One client with a cookie of its own; its connections are made as they are needed."""

    def __init__(self, org: LocalOrg, version: str = "68.0") -> None:
        self.org = org
        self.path = f"/cometd/{version}"
        self.http = urllib3.PoolManager(maxsize=4, retries=False, timeout=PATIENCE)
        self.headers = {"Authorization": f"Bearer {org.access_token()}", "Content-Type": "application/json"}
        self.client_id = ""
        self._ids = itertools.count(1)

    def send(self, body: bytes, path: str | None = None, **headers: str) -> urllib3.BaseHTTPResponse:
        given = {**self.headers, **headers}
        response = self.http.request("POST", self.org.url + (path or self.path), body=body, headers=given)
        cookie = response.headers.get("Set-Cookie")
        if cookie is not None:
            self.headers["Cookie"] = cookie.partition(";")[0]
        return response

    def post(self, *messages: dict[str, Any]) -> list[dict[str, Any]]:
        response = self.send(orjson.dumps(messages))
        assert response.status == 200, response.data
        answer: list[dict[str, Any]] = response.json()
        return answer

    def message(self, channel: str, **fields: Any) -> dict[str, Any]:
        return {"channel": channel, "id": str(next(self._ids)), "clientId": self.client_id, **fields}

    def handshake(self) -> dict[str, Any]:
        message = {
            "channel": "/meta/handshake",
            "id": str(next(self._ids)),
            "version": "1.0",
            "supportedConnectionTypes": ["long-polling"],
            "ext": {"replay": True},
        }
        [answer] = self.post(message)
        self.client_id = answer.get("clientId", "")
        return answer

    def connect(self, **fields: Any) -> list[dict[str, Any]]:
        return self.post(self.message("/meta/connect", connectionType="long-polling", **fields))

    def subscribe(self, channel: str, replay_id: Any = None, **fields: Any) -> list[dict[str, Any]]:
        if replay_id is not None:
            fields["ext"] = {"replay": {channel: replay_id}}
        return self.post(self.message("/meta/subscribe", subscription=channel, **fields))

    def begin(self, *channels: str) -> None:
        """Shake hands, subscribe to what is new, and connect for the first time."""
        assert self.handshake()["successful"]
        for channel in channels:
            assert self.subscribe(channel, -1)[-1]["successful"]
        assert self.connect()[-1]["successful"]

    def in_background(self, call: Callable[[], Any]) -> "Pending":
        return Pending(call)


class Pending:
    """A call that is under way in a thread of its own."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._outcome: list[Any] = []
        self._thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self._thread.start()

    def _run(self, call: Callable[[], Any]) -> None:
        try:
            self._outcome.append(call())
        except Exception as error:
            self._outcome.append(error)

    def result(self) -> Any:
        self._thread.join(PATIENCE)
        assert self._outcome, "no answer came"
        if isinstance(self._outcome[0], Exception):
            raise self._outcome[0]
        return self._outcome[0]

    @property
    def done(self) -> bool:
        return bool(self._outcome)


def numbers(messages: list[dict[str, Any]]) -> list[int]:
    """The numbers in the events of an answer."""
    return [message["data"]["payload"]["Number"] for message in messages if "data" in message]


def publish(org: LocalOrg, *given: int, entity: str = "AccountChangeEvent") -> list[int]:
    """Put numbered events on the bus, and return their replay ids."""
    return [org.streaming.publish(entity, {"schema": "s", "payload": {"Number": number}}) for number in given]
