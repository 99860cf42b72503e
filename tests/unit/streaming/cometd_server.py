"""A small CometD endpoint with replay, as Salesforce documents it, whose faults a test chooses.

See Also:
    https://developer.salesforce.com/docs/platform/api-streaming/guide/using-streaming-api-client-connection.html
    https://developer.salesforce.com/docs/platform/api-streaming/guide/streaming-error-codes.html
"""

import itertools
import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from http_server import Answer, Cut, Reply, Seen, Server

Message = dict[str, Any]


@dataclass
class Peer:
    """A client as the server sees it."""

    client_id: str
    channels: dict[str, int] = field(default_factory=dict)
    revoked: bool = False


class CometD:
    """Takes one token at a time; events are appended by the test.

    Attributes:
        fault: Asked for an answer in place of the right one; the second argument is what the right one would be.
    """

    def __init__(self, first_id: int = 10, context: ssl.SSLContext | None = None) -> None:
        self.server = Server(self.answer, context)
        self.url = self.server.url
        self.good: str | None = None
        self.log: list[tuple[str, int, Message]] = []
        self.peers: dict[str, Peer] = {}
        self.seen: list[Message] = []
        self.unknown = {"/event/Missing__e"}
        self.refusals: dict[str, str] = {}
        self.hold = 60.0
        self.per_answer = 1000
        self.oldest = 0
        self.losing = self.halving = 0
        self.fault: Callable[[Message, Callable[[], list[Message]]], Answer | list[Message] | None] | None = None
        self.polling = 0
        self.changed = threading.Condition()
        self._ids, self._next = itertools.count(1), itertools.count(first_id, 3)

    # --- steering ---

    def take(self, token: str) -> None:
        """Take this token and no other from now on."""
        with self.changed:
            self.good = token
            self.changed.notify_all()

    def emit(self, channel: str, data: Message, replay_id: int | None = None) -> int:
        """Have something happen."""
        with self.changed:
            number = next(self._next) if replay_id is None else replay_id
            data = {**data, "event": {**data.get("event", {}), "replayId": number}}
            self.log.append((channel, number, data))
            self.changed.notify_all()
            return number

    def revoke(self) -> None:
        """Take no token that was taken before."""
        with self.changed:
            self.good = "none of them"
            for peer in self.peers.values():
                peer.revoked = True
            self.changed.notify_all()

    def kill(self) -> None:
        """Forget all clients."""
        with self.changed:
            self.peers.clear()
            self.changed.notify_all()

    def wait_for(self, condition: Callable[[], bool], timeout: float = 20.0) -> None:
        """Wait until something is so."""
        with self.changed:
            assert self.changed.wait_for(condition, timeout)

    def sent(self, channel: str) -> list[Message]:
        """The messages of this channel that have come."""
        return [message for message in self.seen if message["channel"] == channel]

    def replays(self, channel: str) -> list[Any]:
        """The replay ids with which a channel was subscribed to."""
        return [
            message["ext"]["replay"][channel.partition("?")[0]]
            for message in self.sent("/meta/subscribe")
            if message["subscription"] == channel
        ]

    # --- the endpoint ---

    def answer(self, seen: Seen) -> Answer:
        if "/cometd/" not in seen.target:
            return Reply.of({"organization_id": "00D000000000001EAA", "user_id": "005000000000001AAA"})
        (message,) = json.loads(seen.body)
        with self.changed:
            self.seen.append(message)
            self.changed.notify_all()
        sent = seen.headers.get("authorization", "").removeprefix("Bearer ")
        right = lambda: self.right(message, sent)  # noqa: E731
        answer = self.fault(message, right) if self.fault is not None else None
        if answer is None:
            answer = right()
        if not isinstance(answer, list):
            return answer
        if message["channel"] == "/meta/connect" and any("data" in each for each in answer):
            # The queue of the client is empty all the same.
            if self.losing:
                self.losing -= 1
                return Cut()
            if self.halving:
                self.halving -= 1
                body = Reply.of(answer)
                half = body.body[: len(body.body) // 2]
                return Reply(200, half, body.headers, length=len(body.body), close=True)
        return Reply.of(answer)

    def right(self, message: Message, token: str) -> list[Message]:
        if self.good is not None and token != self.good:
            return [refused_login(message)]
        channel = message["channel"]
        if channel == "/meta/handshake":
            return [self.handshake(message)]
        with self.changed:
            peer = self.peers.get(message.get("clientId", ""))
        if peer is None:
            advice = {"reconnect": "none"} if channel == "/meta/connect" else None
            return [failed(message, "403::Unknown client", advice)]
        match channel:
            case "/meta/subscribe":
                return self.subscribe(message, peer)
            case "/meta/unsubscribe":
                peer.channels.pop(message["subscription"], None)
                return [successful(message)]
            case "/meta/disconnect":
                with self.changed:
                    self.peers.pop(peer.client_id, None)
                    self.changed.notify_all()
                return [successful(message)]
        return self.connect(message, peer)

    def handshake(self, message: Message) -> Message:
        with self.changed:
            client_id = f"client{next(self._ids)}"
            self.peers[client_id] = Peer(client_id)
            self.changed.notify_all()
        return successful(
            message,
            clientId=client_id,
            version="1.0",
            supportedConnectionTypes=["long-polling"],
            ext={"replay": True, "payload.format": True},
        )

    def subscribe(self, message: Message, peer: Peer) -> list[Message]:
        channel = message["subscription"]
        name = channel.partition("?")[0]
        if (text := self.refusals.get(channel)) is not None:
            return [failed(message, text)]
        if channel in self.unknown:
            return [failed(message, f"400::The channel you requested to subscribe to does not exist {{{channel}}}")]
        replay = message.get("ext", {}).get("replay", {})
        if list(replay) != [name]:
            text = f"The replayId for channel {{{name}}} wasn't found using the provided replay ID map {{{replay}}}"
            return [failed(message, f"400::{text}")]
        after = replay[name]
        with self.changed:
            last = max((number for _, number, _ in self.log), default=self.oldest)
            if after == -1:
                after = last
            elif after == -2:
                after = self.oldest
            elif not isinstance(after, int) or after < self.oldest:
                text = "Please provide a valid ID, -2 to replay all events, or -1 to replay only new events."
                return [failed(message, f"400::The replayId {{{after}}} you provided was invalid. {text}")]
            peer.channels[channel] = after
            self.changed.notify_all()
        return [successful(message, subscription=channel)]

    def connect(self, message: Message, peer: Peer) -> list[Message]:
        wait = 0.0 if message.get("advice", {}).get("timeout") == 0 else self.hold
        with self.changed:
            self.polling += 1
            self.changed.notify_all()
            gone = lambda: peer.client_id not in self.peers or self.server.ended.is_set()  # noqa: E731
            self.changed.wait_for(lambda: gone() or peer.revoked or bool(self.due(peer)), wait)
            self.polling -= 1
            self.changed.notify_all()
            if gone() and not self.server.ended.is_set():
                return [failed(message, "403::Unknown client", {"reconnect": "none"})]
            if peer.revoked:
                return [refused_login(message)]
            events = self.due(peer)[: self.per_answer]
            for name, number, _ in events:
                for channel in peer.channels:
                    if channel.partition("?")[0] == name:
                        peer.channels[channel] = number
        advice = {"reconnect": "retry", "interval": 0, "timeout": int(self.hold * 1000)}
        return [*({"channel": name, "data": data} for name, _, data in events), successful(message, advice=advice)]

    def due(self, peer: Peer) -> list[tuple[str, int, Message]]:
        """The events that a client has not been sent."""
        after = {channel.partition("?")[0]: number for channel, number in peer.channels.items()}
        return [entry for entry in self.log if entry[0] in after and entry[1] > max(after[entry[0]], self.oldest)]

    def __enter__(self) -> "CometD":
        self.server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.ended.set()
        with self.changed:
            self.peers.clear()
            self.changed.notify_all()
        self.server.__exit__()


def successful(message: Message, **more: Any) -> Message:
    """Answer that it was done."""
    return {"channel": message["channel"], "id": message["id"], "successful": True, **more}


def failed(message: Message, error: str, advice: Message | None = None, **more: Any) -> Message:
    """Answer that it was not."""
    answer = {"channel": message["channel"], "id": message["id"], "successful": False, "error": error, **more}
    if message["channel"] == "/meta/subscribe":
        answer["subscription"] = message["subscription"]
    return answer if advice is None else {**answer, "advice": advice}


def refused_login(message: Message) -> Message:
    """Answer that the token is no good, as the documentation shows it."""
    if message["channel"] == "/meta/handshake":
        reason = {"sfdc": {"failureReason": "401::Authentication invalid"}}
        return failed(message, "403::Handshake denied", {"reconnect": "none"}, ext=reason)
    return failed(message, "401::Authentication invalid", {"reconnect": "none", "interval": 0})


def change(number: int, entity: str = "Account", change_type: str = "CREATE", **header: Any) -> Message:
    """A change event as the documentation shows it, without its replay id."""
    return {
        "schema": "IeRuaY6cbI_HsV8Rv1Mc5g",
        "payload": {
            "ChangeEventHeader": {
                "entityName": entity,
                "recordIds": [f"001000000000{number:03}AAA"],
                "changeType": change_type,
                "changeOrigin": "com/salesforce/api/rest/68.0;client=test",
                "transactionKey": f"0002343d-9d90-e395-ed20-cf416ba652{number:02}",
                "sequenceNumber": 1,
                "commitTimestamp": int(time.time() * 1000),
                "commitNumber": 356_000_000 + number,
                "commitUser": "005000000000001AAA",
                **header,
            },
            "Name": f"A{number}",
            "NumberOfEmployees": number,
        },
    }


def order(number: int, **fields: Any) -> Message:
    """A platform event, without its replay id."""
    created = {"CreatedDate": datetime.now(UTC).isoformat(), "CreatedById": "005000000000001AAA"}
    return {
        "schema": "dffQ2QLzDNHqwB8_sHMxdA",
        "payload": {**created, "Number__c": number, **fields},
        "event": {"EventUuid": f"uuid-{number}"},
    }


__all__ = ["CometD", "Cut", "change", "failed", "order", "refused_login", "successful"]
