"""The outermost layer of the application: size limits of requests, the request log, and faults."""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sfconnector.testing._async._formats import content_of, translated, wants_json
from sfconnector.testing._faults import Effect, Faults
from sfconnector.testing._http import COMMON_HEADERS, JSON, Answer
from sfconnector.testing._requests import SAFE_HEADERS, LoggedRequest, RequestLog
from sfconnector.testing._soap import _envelope
from sfconnector.testing._streaming._messages import refusals

# "The URI, or the combined URI and headers, can't exceed 16,384 bytes": the REST status code page.
# https://developer.salesforce.com/docs/platform/api-rest/guide/errorcodes.html
_MAXIMUM_SIZE = 16_384


class Wire:
    """Wraps the endpoints; a request passes size limits and faults before it reaches them."""

    def __init__(self, app: ASGIApp, requests: RequestLog, faults: Faults) -> None:
        self._app = app
        self._requests = requests
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["raw_path"].decode("latin-1")
        logged = False

        def log(status: int | None) -> None:
            # Before the client can know: it may look into the log as soon as it has its answer.
            nonlocal logged
            if not logged:
                logged = True
                headers = _safe_headers(scope["headers"])
                self._requests.add(LoggedRequest(method=method, path=path, status=status, headers=headers))

        async def watched_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                log(message["status"])
            await send(message)

        try:
            too_large = _size_refusal(scope)
            effect = None if too_large else self._faults.take(method, path)
            if too_large:
                await _send_all(too_large, watched_send)
            elif effect is None:
                await self._app(scope, receive, watched_send)
            else:
                await self._afflict(effect, scope, receive, watched_send, log)
        except (asyncio.CancelledError, ClientDisconnect):
            pass  # Nobody is there to be answered: the server is stopping, or the client left amid its request.
        finally:
            log(None)

    async def _afflict(
        self, effect: Effect, scope: Scope, receive: Receive, send: Send, log: Callable[[int | None], None]
    ) -> None:
        messages = await self._answer(scope, receive) if effect.applied else []
        if effect.delay:
            await asyncio.sleep(effect.delay)
        if effect.cut:
            transport: asyncio.Transport = scope["state"]["transport"]
            if effect.cut_after is not None and _body(messages):
                await _send_part(messages, effect.cut_after, send)
                transport.close()
            else:
                log(None)
                transport.abort()
            # uvicorn takes a return without a whole answer for a fault of ours until it knows that the client is gone.
            while (await receive())["type"] != "http.disconnect":
                pass
        elif effect.status is not None:
            await _send_all(await _told(effect, effect.status, scope, receive), send)
        elif effect.broken_json:
            await _send_all(_halved(messages), send)
        else:
            await _send_all(messages, send)

    async def _answer(self, scope: Scope, receive: Receive) -> list[Message]:
        """What the org answers, kept back and not compressed."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await self._app({**scope, "headers": headers}, receive, keep)
        return messages


def _size_refusal(scope: Scope) -> list[Message]:
    uri = scope["state"]["uri_length"]
    if uri > _MAXIMUM_SIZE:
        return _bad_message(414, "URI Too Long")
    if uri + sum(len(name) + len(value) + 4 for name, value in scope["headers"]) > _MAXIMUM_SIZE:
        return _bad_message(431, "Request Header Fields Too Large")
    return []


def _bad_message(status: int, reason: str) -> list[Message]:
    page = f"<h1>Bad Message {status}</h1><pre>reason: {reason}</pre>".encode()
    return _message(status, {"Content-Type": "text/html;charset=iso-8859-1", "Connection": "close"}, page)


def _message(status: int, headers: dict[str, str], body: bytes) -> list[Message]:
    complete = {**COMMON_HEADERS, **headers, "Content-Length": str(len(body))}
    if status in (204, 304):
        del complete["Content-Length"]
        body = b""
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in complete.items()]
    return [
        {"type": "http.response.start", "status": status, "headers": raw},
        {"type": "http.response.body", "body": body},
    ]


async def _told(effect: Effect, status: int, scope: Scope, receive: Receive) -> list[Message]:
    """The answer of an effect; a refusal is in the form of the API that was asked."""
    headers, path = dict(effect.headers), scope["path"]
    if effect.refusal is not None and "/services/async/" in path:
        answer = translated(effect.refusal, json=wants_json(Headers(scope=scope)))
    elif effect.refusal is not None and "/services/Soap/" in path:
        answer = _envelope.told(effect.refusal, path)
    elif effect.refusal is not None and path.startswith("/cometd"):
        asked = b"" if effect.applied else await Request(scope, receive).body()
        error = f"{effect.refusal.status}::{effect.refusal.message}"
        answer = Answer(status=status, body=refusals(asked, error))
    else:
        return _message(status, headers, effect.body)
    return _message(answer.status, {**headers, "Content-Type": answer.media_type}, content_of(answer))


def _body(messages: list[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in messages[1:])


def _halved(messages: list[Message]) -> list[Message]:
    body = _body(messages) or b"{}"
    return _message(200, {"Content-Type": JSON}, body[: len(body) // 2])


async def _send_all(messages: list[Message], send: Send) -> None:
    for message in messages:
        await send(message)


async def _send_part(messages: list[Message], size: int, send: Send) -> None:
    """Announce the whole body and send so many bytes of it, always short of the whole."""
    body = _body(messages)
    headers = MutableHeaders(raw=list(messages[0]["headers"]))
    headers["Content-Length"] = str(len(body))
    await send({**messages[0], "headers": headers.raw})
    await send({"type": "http.response.body", "body": body[: min(size, len(body) - 1)], "more_body": True})


def _safe_headers(raw: Any) -> dict[str, str]:
    headers = Headers(raw=raw)
    return {name: value for name, value in headers.items() if name in SAFE_HEADERS or name.startswith("sforce-")}
