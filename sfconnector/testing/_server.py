"""uvicorn in a background thread: listening when ``start`` returns, gone when ``stop`` returns."""

import asyncio
import contextlib
import os
import socket
import threading

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# The parser of URLs behind uvicorn counts with 16 bits.
_PARSABLE_URL = 32_768
_TICK = 0.1
_HANDSHAKE_GRACE = 0.05


class _Protocol(HttpToolsProtocol):
    """Hands the connection and the length of the URI on to the application, in the scope's ``state``.

    The connection is what fault injection cuts; an overlong URI must reach the application to be answered with 414.
    """

    def on_headers_complete(self) -> None:
        state = self.scope["state"]
        state["transport"] = self.transport
        state["uri_length"] = len(self.url)
        if len(self.url) > _PARSABLE_URL:
            self.url = self.url.partition(b"?")[0][:_PARSABLE_URL]
        super().on_headers_complete()


class _Uvicorn(uvicorn.Server):
    """A uvicorn server that says when it listens and stops at once instead of at its next tick."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        # The first tick fills in the Date header, and the first request may come before main_loop has begun.
        await self.on_tick(0)
        self.listening.set()

    async def main_loop(self) -> None:
        counter = 0
        while not await self.on_tick(counter):
            counter = (counter + 1) % 864_000
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _TICK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Requests still under way (a long poll, an injected delay) are not waited for: nobody is there to read them.
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        # A TLS handshake that has begun is no connection yet and cannot be aborted; it ends when its client has gone.
        await asyncio.sleep(_HANDSHAKE_GRACE if self.config.is_ssl else 0)
        under_way = list(self.server_state.tasks)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def stop(self) -> None:
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended on its own
                self._loop.call_soon_threadsafe(self._wake.set)


class Server:
    """One listening socket and the thread that serves an ASGI application on it.

    Args:
        app: the application.
        host: address to bind.
        port: port to bind, 0 for any free one.
        ssl_certfile: PEM certificate chain; the server speaks TLS when it is given.
        ssl_keyfile: PEM private key, where it is not in ``ssl_certfile``.

    Raises:
        OSError: the address cannot be bound, or the certificate not be read.
    """

    def __init__(
        self, app: ASGIApp, host: str, port: int, ssl_certfile: str | None = None, ssl_keyfile: str | None = None
    ) -> None:
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
            ssl_certfile=ssl_certfile,
            ssl_keyfile=ssl_keyfile,
        )
        try:
            config.load()
        except OSError as error:
            files = ", ".join(filter(None, (ssl_certfile, ssl_keyfile)))
            raise OSError(f"The certificate or key for TLS cannot be read from {files}: {error}") from error
        self._uvicorn = _Uvicorn(config)
        self._socket = _listening(host, port, config.backlog)
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(
            target=self._uvicorn.run, args=([self._socket],), name=f"local-org-{self.port}", daemon=True
        )

    def start(self) -> None:
        self._thread.start()
        while not self._uvicorn.listening.wait(_TICK):
            if not self._thread.is_alive():
                raise RuntimeError("The server of the local org ended before it listened; its log says why.")

    def stop(self) -> None:
        self._uvicorn.stop()
        self._thread.join()
        self._socket.close()


def _listening(host: str, port: int, backlog: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only on sockets that name their protocol; with it, each answer of two
    # writes (headers, body) waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"The local org cannot listen on {host} port {port}: {error.strerror}") from error
    return listener
