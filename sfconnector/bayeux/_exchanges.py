"""The messages of the protocol: sent one at a time, and read out of answers that hold any number of others."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import orjson

from sfconnector.bayeux._advice import Advice, retry_after
from sfconnector.bayeux._lane import Lane
from sfconnector.bayeux._model import (
    CONNECT,
    DISCONNECT,
    HANDSHAKE,
    SUBSCRIBE,
    UNSUBSCRIBE,
    Aborted,
    AnswerError,
    BayeuxError,
    Extension,
    Failed,
    Failure,
    Message,
    Stage,
)
from sfconnector.bayeux._transport import Transport
from sfconnector.bayeux._wire import Answer


class Session:
    """What the server knows as a clientId.

    Attributes:
        client_id: The name that the server gave it.
        over: Nothing must be sent or delivered for it any more.
        delay: Seconds to wait before the next one.
    """

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self.over = False
        self.delay = 0.0

    def is_over(self) -> bool:
        """Tell whether it is over."""
        return self.over


@attrs.define
class Taken:
    """What an answer held.

    Attributes:
        events: The messages that are to be delivered, in their order.
        failure: What is wrong, if something is; the events came nevertheless.
        reply: The reply proper.
        refused: The server understood, and said no.
    """

    events: list[Message]
    failure: Failure | None
    reply: Message
    refused: bool = False


class Exchanges:
    """Sends the messages of one client; the callers see to it that no two threads use a lane at the same time."""

    def __init__(self, transport: Transport, extensions: Sequence[Extension], clock: Callable[[], float]) -> None:
        self.advice = Advice()
        self.last_answer: float | None = None
        self._transport, self._extensions, self._clock = transport, tuple(extensions), clock
        self._ids = itertools.count(1)

    def handshake(self) -> Taken:
        """Ask for a new session."""
        self.advice = Advice()
        message: Message = {
            "channel": HANDSHAKE,
            "version": "1.0",
            "minimumVersion": "1.0",
            "supportedConnectionTypes": ["long-polling"],
        }
        taken = self._exchange(Stage.HANDSHAKE, self._transport.polls, message, _never)
        if taken.failure is None and (fault := _fault_of_handshake(taken.reply)):
            taken.failure = Failure(Stage.HANDSHAKE, exception=AnswerError(fault))
        return taken

    def connect(self, session: Session, *, first: bool) -> Taken:
        """Poll; the first time the server is asked to answer at once."""
        message: Message = {"channel": CONNECT, "clientId": session.client_id, "connectionType": "long-polling"}
        if first:
            message["advice"] = {"timeout": 0}
        return self._exchange(Stage.CONNECT, self._transport.polls, message, session.is_over, hold=self.advice.hold)

    def subscribe(
        self, session: Session, channel: str, lane: Lane, *, timeout: float | None = None, awaited: bool
    ) -> Taken:
        """Ask for the events of a channel."""
        message: Message = {"channel": SUBSCRIBE, "clientId": session.client_id, "subscription": channel}
        try:
            taken = self._exchange(Stage.SUBSCRIBE, lane, message, session.is_over, timeout=timeout)
        except Failed as failed:
            raise Failed(attrs.evolve(failed.failure, channel=channel, awaited=awaited)) from None
        if taken.failure is not None:
            taken.failure = attrs.evolve(taken.failure, channel=channel, awaited=awaited)
        return taken

    def unsubscribe(self, session: Session, channel: str, lane: Lane) -> Taken:
        """Ask for no more events of a channel."""
        message: Message = {"channel": UNSUBSCRIBE, "clientId": session.client_id, "subscription": channel}
        return self._exchange(Stage.COMMAND, lane, message, session.is_over)

    def disconnect(self, session: Session, timeout: float) -> None:
        """Say goodbye; what is answered does not matter."""
        body = self._encoded({"channel": DISCONNECT, "clientId": session.client_id})
        self._transport.post_briefly(self._transport.commands, body, timeout)

    def _exchange(
        self,
        stage: Stage,
        lane: Lane,
        message: Message,
        over: Callable[[], bool],
        *,
        hold: float = 0.0,
        timeout: float | None = None,
    ) -> Taken:
        body = self._encoded(message)
        try:
            headers = self._transport.headers()
        except Exception as error:  # whatever a login raises: the caller's reaction tells what it means
            raise Failed(_failure(stage, None, exception=error)) from error
        answer: Answer | None = None
        try:
            answer = self._transport.post(lane, body, headers, over=over, hold=hold, timeout=timeout)
            messages = _decoded(answer, message["channel"])
        except Aborted:
            raise
        except (OSError, BayeuxError) as error:
            raise Failed(_failure(stage, answer, exception=error)) from error
        for extension in self._extensions:
            for each in messages:
                extension.incoming(each)
        return self._taken(stage, answer, message, messages)

    def _encoded(self, message: Message) -> bytes:
        message["id"] = str(next(self._ids))
        for extension in self._extensions:
            extension.outgoing(message)
        return orjson.dumps([message])

    def _taken(self, stage: Stage, answer: Answer, sent: Message, messages: list[Message]) -> Taken:
        events = []
        reply: Message | None = None
        ended: Message | None = None
        for each in messages:
            channel = each["channel"]
            if not channel.startswith("/meta/"):
                events.append(each)
                continue
            if advice := _advice(each):
                self.advice.take(advice)
            if channel == sent["channel"] and each.get("id", sent["id"]) == sent["id"]:
                reply = each
            elif channel == DISCONNECT:
                ended = each
        if answer.status != 200 and (reply is None or reply.get("successful") is True):
            raise Failed(_failure(stage, answer))
        self.last_answer = self._clock()
        if reply is None:
            error = AnswerError(f"the answer holds no reply to {sent['channel']}")
            return Taken(events, _failure(stage, answer, ended, error), {})
        if reply.get("successful") is not True:
            return Taken(events, _failure(stage, answer, reply), reply, refused=True)
        if stage is Stage.CONNECT and _advice(reply).get("reconnect") in ("handshake", "none"):
            ended = reply
        # The server ends the session and says so in passing: the poll succeeds, and only the next one would fail.
        return Taken(events, None if ended is None else _failure(stage, answer, ended), reply)


def _never() -> bool:
    return False


def _decoded(answer: Answer, sent: str) -> list[Message]:
    try:
        messages: Any = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        if answer.status != 200:
            return []
        kind = answer.headers.get("content-type", "of no type").partition(";")[0]
        raise AnswerError(f"the answer, {len(answer.body):,} bytes of {kind[:80]!r}, is no JSON") from None
    if isinstance(messages, dict):
        messages = [messages]
    if not isinstance(messages, list) or not all(_is_message(each, sent) for each in messages):
        if answer.status != 200:
            return []
        raise AnswerError("the answer is JSON, but no Bayeux messages")
    return messages


def _is_message(each: object, sent: str) -> bool:
    if not isinstance(each, dict):
        return False
    if "channel" not in each and each.get("successful") is False:
        # Some servers refuse what they have not looked at without saying what it was.
        each["channel"] = sent
    return isinstance(each.get("channel"), str)


def _advice(message: Message | None) -> dict[str, Any]:
    advice = None if message is None else message.get("advice")
    return advice if isinstance(advice, dict) else {}


def _failure(
    stage: Stage, answer: Answer | None, message: Message | None = None, exception: Exception | None = None
) -> Failure:
    error = message.get("error", "") if message is not None else ""
    return Failure(
        stage,
        error if isinstance(error, str) else "",
        message,
        status=answer.status if answer is not None and answer.status != 200 else None,
        retry_after=None if answer is None else retry_after(answer.headers),
        exception=exception,
        advice=_advice(message),
    )


def _fault_of_handshake(reply: Message) -> str:
    client_id = reply.get("clientId")
    if not isinstance(client_id, str) or not client_id:
        return "the handshake's reply has no clientId"
    kinds = reply.get("supportedConnectionTypes", ["long-polling"])
    if not isinstance(kinds, list) or "long-polling" not in kinds:
        return "the server offers no long polling"
    return ""
