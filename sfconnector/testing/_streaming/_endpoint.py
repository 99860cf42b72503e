"""CometD below ``/cometd``: requests of Bayeux messages and their answers, polls that are held, and events on the way.

https://developer.salesforce.com/docs/platform/api-streaming/guide/using-streaming-api-client-connection.html
https://developer.salesforce.com/docs/platform/api-streaming/guide/intro-client-specs.html
"""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from typing import Any, Final

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import COMMON_HEADERS, HTML, JSON, body_pieces, media_type_of
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._streaming import _messages
from sfconnector.testing._streaming._answers import CutAnswer
from sfconnector.testing._streaming._clients import Client, End, Poll
from sfconnector.testing._streaming._delivery import Delivery
from sfconnector.testing._streaming._messages import Message, reply
from sfconnector.testing._streaming._versions import handshake_refusal, refusal

_LOG = logging.getLogger("sfconnector.testing")
# "The maximum request size of 32,768 bytes": the page on error codes.
_LARGEST_BODY: Final = 32_768


@attrs.define(eq=False)
class _Exchange:
    """One request: who asks, and what is answered.

    Args:
        token: the access token that came with it.
        refused: why the token does not do; ``None`` if it does.
        cookie: value of the cookie of the handshake.
        alone: the request has one message only: only then a connect is held.
        client: the client of the latest message.
        events: messages with events that are sent along.
        new_cookie: the cookie that is set.
        connects: there is a connect among the messages.
        taken: whether events have been taken already, or none are to be.
        replaced: the poll was, by another one of the same client.
    """

    request: Request
    token: str
    refused: str | None
    cookie: str | None
    alone: bool
    replies: list[Message] = attrs.field(factory=list)
    events: list[bytes] = attrs.field(factory=list)
    client: Client | None = None
    new_cookie: str | None = None
    connects: bool = False
    taken: bool = False
    replaced: bool = False


class CometD:
    """Everything below ``/cometd``."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._steering = runtime.streaming
        self._clients = runtime.streaming.registry
        self._delivery = Delivery(runtime.store, runtime.streaming)

    async def resource(self, request: Request) -> Response:
        self._clients.serve_on(asyncio.get_running_loop())
        if request.method != "POST":
            # So are WebSockets refused, which clients try first: https://github.com/jsforce/jsforce/issues/42 and 270.
            return _page(405, "Only POST allowed")
        if media_type_of(request.headers) != "application/json":
            return _page(400, "Unknown Bayeux Transport")
        try:
            content = await _read(request)
            messages = _messages.parsed(content)
        except OrgError:
            return _json(_messages.refusals(b"", _messages.TOO_LARGE), status=413)
        except ValueError:
            return _page(400, "Bad Request")
        refused = refusal(request.url.path)
        if refused is not None:
            return _refused(messages, refused)
        exchange = self._exchange(request, alone=len(messages) == 1)
        entered: set[Client] = set()
        try:
            for message in messages:
                await self._handle(exchange, message, entered)
            return await self._answered(exchange)
        except ClientDisconnect:
            raise
        except Exception:
            _LOG.exception("The local org failed on %s %s", request.method, request.url.path)
            return _page(500, "Server Error")
        finally:
            for client in entered:
                self._clients.leave(client)

    def _exchange(self, request: Request, *, alone: bool) -> _Exchange:
        authorization = request.headers.get("authorization", "")
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        refused = None
        if not authorization:
            refused = _messages.NO_AUTHENTICATION
        elif scheme.lower() not in ("bearer", "oauth") or self._runtime.tokens.check(token) is None:
            refused = _messages.BAD_AUTHENTICATION
        return _Exchange(request, token, refused, request.cookies.get(_messages.COOKIE), alone)

    async def _answered(self, exchange: _Exchange) -> Response:
        client = exchange.client
        if client is not None and not exchange.taken and client.end is None:
            exchange.events = await self._take(client)
        if self._steering.delay:
            await asyncio.sleep(self._steering.delay)
        if exchange.replaced:
            # CometD lets the poll fail that another one of the same client takes the place of.
            return _page(500, "Server Error")
        headers = {}
        if exchange.new_cookie is not None:
            secure = "; Secure" if exchange.request.url.scheme == "https" else ""
            headers["Set-Cookie"] = f"{_messages.COOKIE}={exchange.new_cookie}; Path=/; HttpOnly{secure}"
        content = _messages.body(exchange.events, exchange.replies)
        if exchange.connects and exchange.events:
            if self._steering.is_lost():
                return CutAnswer(content, _headers(headers), sent=None)
            if self._steering.is_halved():
                return CutAnswer(content, _headers(headers), sent=len(content) // 2)
        return _json(content, headers)

    async def _take(self, client: Client) -> list[bytes]:
        if not client.positions:
            return []
        events = self._delivery.take_at_once(client)
        if events is None:
            events = await run_in_threadpool(self._delivery.take, client)
        if events and client.poll is not None:
            # There may be more than one answer holds.
            client.poll.woken.set()
        return events

    # -- the messages -------------------------------------------------------------------------------------------

    async def _handle(self, exchange: _Exchange, message: Message, entered: set[Client]) -> None:
        channel = message.get("channel")
        if channel == _messages.HANDSHAKE:
            exchange.replies.append(self._handshake(exchange, message))
            return
        client, refused = self._known(exchange, message)
        if client is None:
            assert refused is not None  # noqa: S101  # one or the other
            exchange.replies.append(refused)
            return
        if client not in entered:
            entered.add(client)
            self._clients.enter(client)
        self._clients.use(client, exchange.token)
        exchange.client = client
        if channel == _messages.CONNECT:
            exchange.connects = True
            exchange.replies.extend(await self._connect(exchange, client, message))
        elif channel == _messages.SUBSCRIBE:
            exchange.replies.append(await self._subscribe(client, message))
        elif channel == _messages.UNSUBSCRIBE:
            for name in _names(message):
                await run_in_threadpool(self._clients.unsubscribe, client, name)
            exchange.replies.append(reply(message, client_id=client.id))
        elif channel == _messages.DISCONNECT:
            self._clients.remove(client, End.DISCONNECTED)
            exchange.replies.append(reply(message, client_id=client.id))
        else:
            is_meta = isinstance(channel, str) and channel.startswith("/meta/")
            error = _messages.UNKNOWN_CHANNEL if is_meta else _messages.NO_PUBLISHING
            exchange.replies.append(reply(message, error, client_id=client.id))

    def _handshake(self, exchange: _Exchange, message: Message) -> Message:
        refused = handshake_refusal(exchange.request.url.path) or exchange.refused
        if refused is not None:
            return _messages.denied(message, refused)
        if self._steering.is_busy(_messages.HANDSHAKE):
            return _messages.denied(message, _messages.TOO_BUSY)
        types = message.get("supportedConnectionTypes")
        if isinstance(types, list) and _messages.LONG_POLLING not in types:
            return reply(message, _messages.BAD_CONNECTION_TYPE.format(", ".join(map(str, types))))
        browser = exchange.cookie or secrets.token_hex(16)
        client = self._clients.add(browser, exchange.token)
        if client is None:
            return _messages.denied(message, _messages.TOO_MANY_CLIENTS)
        if exchange.cookie is None:
            exchange.cookie = exchange.new_cookie = browser
        return _messages.welcome(message, client.id)

    def _known(self, exchange: _Exchange, message: Message) -> tuple[Client | None, Message | None]:
        """The client of a message, or why there is none."""
        client_id = message.get("clientId")
        connects = message.get("channel") == _messages.CONNECT
        if exchange.refused is not None:
            advice = _messages.STOP if connects else None
            named = client_id if isinstance(client_id, str) else None
            return None, reply(message, exchange.refused, client_id=named, advice=advice)
        client = self._clients.get(client_id)
        if client is not None and exchange.cookie is None:
            return None, reply(message, _messages.NO_COOKIE.format(client.id), client_id=client.id)
        if client is None or exchange.cookie != client.browser:
            error = _messages.NO_HANDSHAKE if client_id is None else _messages.UNKNOWN_CLIENT
            advice = _messages.STOP if self._clients.was_kicked(client_id) else _messages.AGAIN
            return None, reply(message, error, advice=advice if connects else None)
        if self._steering.is_busy(str(message.get("channel"))):
            return None, _messages.busy(message, client.id)
        return client, None

    # -- subscribing --------------------------------------------------------------------------------------------

    async def _subscribe(self, client: Client, message: Message) -> Message:
        names = _names(message)
        error = None if names else _messages.NO_CHANNEL_NAME
        if names and self._steering.is_limited():
            error = _messages.TOO_MANY_EVENTS
        for name in names:
            error = error or await run_in_threadpool(self._delivery.subscribe, client, name, message.get("ext"))
        return reply(message, error, client_id=client.id)

    # -- polling ------------------------------------------------------------------------------------------------

    async def _connect(self, exchange: _Exchange, client: Client, message: Message) -> list[Message]:
        kind = message.get("connectionType")
        if kind != _messages.LONG_POLLING:
            return [reply(message, _messages.BAD_CONNECTION_TYPE.format(kind), client_id=client.id)]
        if self._steering.is_limited():
            return [self._limited(client, message)]
        asked = _asked_timeout(message)
        longest = self._steering.poll_timeout
        # The first connect is answered at once, with advice; so is what gave advice itself.
        first, told = client.advised is None, client.advised == longest and asked is None
        client.advised = longest
        timeout = longest if asked is None else min(asked, longest)
        advice = None if told else {"interval": 0, "timeout": round(longest * 1000), "reconnect": "retry"}
        if first or not exchange.alone or not timeout:
            return [reply(message, client_id=client.id, advice=advice)]
        poll = self._clients.hold(client)
        if poll is None:
            several = {
                "interval": 2_000,
                "multiple-clients": True,
                "reconnect": "retry",
                "timeout": round(longest * 1000),
            }
            return [reply(message, client_id=client.id, advice=several)]
        try:
            return await self._held(exchange, poll, message, advice, timeout)
        finally:
            self._clients.let_go(poll)

    async def _held(
        self, exchange: _Exchange, poll: Poll, message: Message, advice: Mapping[str, Any] | None, timeout: float
    ) -> list[Message]:
        client = poll.client
        clock = asyncio.get_running_loop().time
        begun = clock()
        exchange.taken = True
        gone: asyncio.Future[Any] | None = None
        try:
            while True:
                poll.woken.clear()
                ended = self._ended(exchange, poll, message)
                if ended is not None:
                    return ended
                exchange.events = await self._take(client)
                left = begun + min(timeout, self._steering.poll_timeout) - clock()
                if exchange.events or left <= 0:
                    return [reply(message, client_id=client.id, advice=advice)]
                if gone is None:
                    gone = asyncio.ensure_future(exchange.request.receive())
                woken = asyncio.ensure_future(poll.woken.wait())
                await asyncio.wait({gone, woken}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                woken.cancel()
                if gone.done():
                    raise ClientDisconnect
        finally:
            if gone is not None:
                gone.cancel()

    def _ended(self, exchange: _Exchange, poll: Poll, message: Message) -> list[Message] | None:
        """What ends a poll besides events and time."""
        client = poll.client
        if poll.replaced:
            exchange.replaced = True
            return []
        if client.end is End.KICKED:
            return [{"channel": _messages.DISCONNECT}, reply(message, client_id=client.id)]
        if client.end is End.DISCONNECTED:
            return [reply(message, client_id=client.id, advice={"reconnect": "none"})]
        if client.end is End.FORGOTTEN:
            return [reply(message, _messages.UNKNOWN_CLIENT, advice=_messages.AGAIN)]
        if self._runtime.tokens.peek(exchange.token) is None:
            return [reply(message, _messages.BAD_AUTHENTICATION, client_id=client.id, advice=_messages.STOP)]
        if self._steering.is_limited():
            return [self._limited(client, message)]
        return None

    def _limited(self, client: Client, message: Message) -> Message:
        """Over the daily limit of events "the subscription is disconnected": the limits page of the guide."""
        self._clients.remove(client, End.FORGOTTEN)
        return reply(message, _messages.TOO_MANY_EVENTS, client_id=client.id, advice=_messages.STOP)


def _names(message: Mapping[str, Any]) -> list[str]:
    """The channels of a subscribe or an unsubscribe; there may be several."""
    asked = message.get("subscription")
    names = asked if isinstance(asked, list) else [asked]
    return [name for name in names if isinstance(name, str) and name]


def _asked_timeout(message: Mapping[str, Any]) -> float | None:
    """Seconds for which a client wants its poll to be held."""
    advice = message.get("advice")
    timeout = advice.get("timeout") if isinstance(advice, dict) else None
    return timeout / 1000 if isinstance(timeout, int | float) and timeout >= 0 else None


async def _read(request: Request) -> bytes:
    """Read the body.

    Raises:
        OrgError: it is too large.
    """
    content = bytearray()
    async for piece in body_pieces(request):
        content += piece
        if len(content) > _LARGEST_BODY:
            raise OrgError(413, "REQUEST_ENTITY_TOO_LARGE", _messages.TOO_LARGE)
    return bytes(content)


def _refused(messages: list[Message], error: str) -> Response:
    return _json(_messages.body([], [reply(message, error) for message in messages]), status=400)


def _headers(further: Mapping[str, str]) -> dict[str, str]:
    return {**COMMON_HEADERS, "X-SFDC-Request-Id": secrets.token_hex(16), "Content-Type": JSON, **further}


def _json(content: bytes, headers: Mapping[str, str] | None = None, status: int = 200) -> Response:
    return Response(content, status_code=status, headers=_headers(headers or {}))


def _page(status: int, reason: str) -> Response:
    page = (
        f"<html><head><title>Error {status} {reason}</title></head><body><h2>HTTP ERROR {status} {reason}</h2></body>"
    )
    return Response(f"{page}</html>", status_code=status, headers={**COMMON_HEADERS, "Content-Type": HTML})
