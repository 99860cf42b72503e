"""Bayeux messages as Salesforce writes them: replies, refusals and the advice in them.

https://docs.cometd.org/current/reference/#_bayeux
https://developer.salesforce.com/docs/platform/api-streaming/guide/streaming-error-codes.html
https://developer.salesforce.com/docs/platform/api-streaming/guide/streaming-handling-errors.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import orjson

Message: TypeAlias = dict[str, Any]

HANDSHAKE: Final = "/meta/handshake"
CONNECT: Final = "/meta/connect"
SUBSCRIBE: Final = "/meta/subscribe"
UNSUBSCRIBE: Final = "/meta/unsubscribe"
DISCONNECT: Final = "/meta/disconnect"

LONG_POLLING: Final = "long-polling"
COOKIE: Final = "BAYEUX_BROWSER"

NO_VERSION: Final = "400::API version in the URI is mandatory. URI format: '/cometd/{}'"
BAD_VERSION: Final = (
    "400::Unsupported API version. Only API versions '{}' and later are supported. URI format: '/cometd/{}'"
)
BAD_CONNECTION_TYPE: Final = "400::Invalid connection type {{{}}}"
NO_CHANNEL_NAME: Final = "400::Channel name not specified"
NO_SLASH: Final = "400::Channel subscriptions must start with a leading '/'"
NO_SUCH_CHANNEL: Final = "400::The channel you requested to subscribe to does not exist {{{}}}"
NO_COOKIE: Final = f"400::Client {{}} has established a session, but no {COOKIE} cookie present"
# With two spaces, as in what clients have recorded.
BAD_REPLAY_ID: Final = (
    "400::The replayId {{{}}} you provided was invalid.  "
    "Please provide a valid ID, -2 to replay all events, or -1 to replay only new events."
)
NO_REPLAY_ID: Final = (
    "400::The replayId for channel {{{}}} wasn't found using the provided replay ID map {{{}}}. Ensure that the "
    "channel name you provided in the replay map is valid and matches the channel name used for subscribing."
)
BAD_AUTHENTICATION: Final = "401::Authentication invalid"
NO_AUTHENTICATION: Final = "401::Request requires authentication"
DENIED: Final = "403::Handshake denied"
NO_HANDSHAKE: Final = "403::Client has not completed handshake"
UNKNOWN_CLIENT: Final = "403::Unknown client"
TOO_MANY_CLIENTS: Final = "403::Organization concurrent user limit exceeded"
TOO_MANY_EVENTS: Final = "403::Organization total events daily limit exceeded"
NO_PUBLISHING: Final = "403::Publish denied"
UNKNOWN_CHANNEL: Final = "404::Unknown channel"
TOO_LARGE: Final = "413::Maximum Request Size Exceeded"
TOO_BUSY: Final = "503::Server is too busy.  Please try your request again later."

STOP: Final[Mapping[str, Any]] = {"reconnect": "none", "interval": 0}
AGAIN: Final[Mapping[str, Any]] = {"interval": 0, "reconnect": "handshake"}

# What every answer to a handshake says that the server can do.
EXTENSIONS: Final[Mapping[str, Any]] = {"replay": True, "payload.format": True}


def reply(
    message: Mapping[str, Any],
    error: str | None = None,
    *,
    client_id: str | None = None,
    advice: Mapping[str, Any] | None = None,
    ext: Mapping[str, Any] | None = None,
) -> Message:
    """Answer a message, in the order in which Salesforce writes the fields."""
    answer: Message = {}
    if ext is not None:
        answer["ext"] = ext
    if client_id is not None:
        answer["clientId"] = client_id
    if advice is not None:
        answer["advice"] = advice
    answer["channel"] = message.get("channel")
    # As it came: a text from most clients, a number from some.
    if "id" in message:
        answer["id"] = message["id"]
    if "subscription" in message:
        answer["subscription"] = message["subscription"]
    if error is not None:
        answer["error"] = error
    answer["successful"] = error is None
    return answer


def welcome(message: Mapping[str, Any], client_id: str) -> Message:
    """Accept a handshake."""
    facts = {
        "ext": EXTENSIONS,
        "minimumVersion": "1.0",
        "clientId": client_id,
        "supportedConnectionTypes": [LONG_POLLING],
    }
    return {**facts, **reply(message), "version": "1.0"}


def denied(message: Mapping[str, Any], reason: str) -> Message:
    """Deny a handshake; the reason is in a place of its own."""
    ext = {"sfdc": {"failureReason": reason}, **EXTENSIONS}
    return reply(message, DENIED, ext=ext, advice={"reconnect": "none"})


def busy(message: Mapping[str, Any], client_id: str) -> Message:
    """Say that the server is too busy; the error itself is one of the operation that could not be carried out."""
    error = BAD_AUTHENTICATION if message.get("channel") == CONNECT else UNKNOWN_CLIENT
    advice = STOP if message.get("channel") == CONNECT else None
    return reply(message, error, client_id=client_id, advice=advice, ext={"sfdc": {"failureReason": TOO_BUSY}})


def delivery(channel: str, data: bytes) -> bytes:
    """Write the message that carries an event; ``data`` is JSON already."""
    return b'{"data":%b,"channel":%b}' % (data, orjson.dumps(channel))


def body(events: Sequence[bytes], replies: Sequence[Mapping[str, Any]]) -> bytes:
    """Write an answer: events stand before replies, also before the one to the subscribe that they come by."""
    return b"[%b]" % b",".join([*events, *map(orjson.dumps, replies)])


def replay_map(replay: Any) -> str:
    """A replay map as Java writes it, which is how error messages show it."""
    if not isinstance(replay, dict):
        return str(replay)
    return "{" + ", ".join(f"{channel}={replay_id}" for channel, replay_id in replay.items()) + "}"


def refusals(content: bytes, error: str) -> bytes:
    """Refuse every message of a request, whatever it is; what is none gets one refusal."""
    try:
        messages = parsed(content)
    except ValueError:
        messages = []
    return body([], [reply(message, error) for message in messages] or [{"error": error, "successful": False}])


def parsed(content: bytes) -> list[Message]:
    """Read the messages of a request: an array, or a single one as some clients send it.

    Raises:
        ValueError: it is something else.
    """
    data = orjson.loads(content)
    messages = [data] if isinstance(data, dict) else data
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise ValueError("A Bayeux request is an array of messages.")
    return messages
