"""Answers that do not arrive: the server has sent them, and has forgotten what was in them."""

from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class CutAnswer(Response):
    """An answer of which the connection is cut.

    Args:
        content: the whole of it.
        headers: its headers.
        sent: bytes of the content that are sent before; ``None`` if not even the headers are.
    """

    def __init__(self, content: bytes, headers: Mapping[str, str], sent: int | None) -> None:
        super().__init__(content, headers=headers)
        self._sent = sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = scope["state"]["transport"]
        if self._sent is None:
            transport.abort()
        else:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            part = bytes(self.body[: self._sent])
            await send({"type": "http.response.body", "body": part, "more_body": True})
            transport.close()
        # uvicorn takes a return without a whole answer for a fault of ours until it knows that the client is gone.
        while (await receive())["type"] != "http.disconnect":
            pass
