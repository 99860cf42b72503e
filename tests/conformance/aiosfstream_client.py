"""aiosfstream-ng in a process of its own, which tells in lines of JSON what happens.

It takes ``{url, consumer_key, consumer_secret, refresh_token, channel, begin, fallback}``, and begins at -1, at -2, or
after a replay id.
"""

import asyncio
import json
import sys
from typing import Any

from aiosfstream_ng import Client, RefreshTokenAuthenticator, ReplayOption
from aiosfstream_ng.exceptions import AiosfstreamException
from aiosfstream_ng.replay import ReplayMarker


def tell(what: str, **more: Any) -> None:
    sys.stdout.write(json.dumps({"what": what, **more}) + "\n")
    sys.stdout.flush()


class Authenticator(RefreshTokenAuthenticator):
    """Logs in at the org, where the library knows two fixed hosts."""

    def __init__(self, url: str, **credentials: str) -> None:
        super().__init__(**credentials)
        self._url = url

    @property
    def _token_url(self) -> str:
        return f"{self._url}/services/oauth2/token"

    async def authenticate(self) -> None:
        await super().authenticate()
        # Its cookie jar keeps no cookies of hosts that are named by an address.
        self.instance_url = self._url
        tell("login")


async def main(settings: dict[str, Any]) -> None:
    credentials = {key: settings[key] for key in ("consumer_key", "consumer_secret", "refresh_token")}
    channel, begin = settings["channel"], settings["begin"]
    # A mapping in which the library keeps where it is.
    marks = {channel: ReplayMarker(date="", replay_id=begin)}
    client = Client(
        Authenticator(settings["url"], **credentials),
        replay=ReplayOption(begin) if begin < 0 else marks,
        replay_fallback=ReplayOption.ALL_EVENTS if settings.get("fallback") else None,
    )
    try:
        async with client:
            await client.subscribe(channel)
            tell("subscribed")
            async for message in client:
                tell("event", channel=message["channel"], data=message["data"])
    except AiosfstreamException as error:
        tell("ended", error=f"{type(error).__name__}: {error}")


def run() -> None:
    settings = json.loads(sys.argv[1])
    loop = asyncio.new_event_loop()
    task = loop.create_task(main(settings))
    # Ends with its input, so that no process is left behind.
    ended = loop.run_in_executor(None, sys.stdin.read)
    ended.add_done_callback(lambda _: task.cancel())
    try:
        loop.run_until_complete(task)
    except asyncio.CancelledError:
        tell("cancelled")
    loop.run_until_complete(ended)
    loop.close()


run()
