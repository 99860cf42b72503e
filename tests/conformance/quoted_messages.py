"""What Salesforce sent to others, as they quote it in public, and as the documentation shows it.

Identifiers of people and orgs are replaced where a thread shows them, and fields that change nothing are left out.
"""

from typing import Any, Final, NamedTuple

HANDSHAKE: Final = "/meta/handshake"
CONNECT: Final = "/meta/connect"
SUBSCRIBE: Final = "/meta/subscribe"

_DOCS: Final = "https://developer.salesforce.com/docs/atlas.en-us"
_HANDLING: Final = f"{_DOCS}.214.0.api_streaming.meta/api_streaming/streaming_handling_errors.htm"
_CODES: Final = f"{_DOCS}.264.0.api_streaming.meta/api_streaming/streaming_error_codes.htm"
_GITHUB: Final = "https://github.com"


class Refusal(NamedTuple):
    """A reply that refuses something.

    Attributes:
        source: Where it is quoted.
        reply: The reply, without its id.
    """

    source: str
    reply: dict[str, Any]

    @property
    def error(self) -> str:
        error: str = self.reply["error"]
        return error

    @property
    def channel(self) -> str:
        """What was asked for."""
        channel: str = self.reply["channel"]
        return channel


def _refusal(source: str, channel: str, error: str, **more: Any) -> Refusal:
    return Refusal(source, {**more, "channel": channel, "error": error, "successful": False})


def _denied(source: str, reason: str) -> Refusal:
    ext = {"sfdc": {"failureReason": reason}}
    return _refusal(source, HANDSHAKE, "403::Handshake denied", ext=ext, advice={"reconnect": "none"})


_NONE: Final = {"reconnect": "none", "interval": 0}
_AGAIN: Final = {"interval": 0, "reconnect": "handshake"}

LOGIN_ENDED: Final = (
    _refusal(_HANDLING, CONNECT, "401::Authentication invalid", clientId="1q1ib66fvm7kli1gfoauu95i78g", advice=_NONE),
    _refusal(_HANDLING, CONNECT, "401::Request requires authentication", advice=_NONE),
    _denied(_HANDLING, "401::Authentication invalid"),
)

FORGOTTEN: Final = (
    _refusal(f"{_GITHUB}/forcedotcom/EMP-Connector/issues/40", CONNECT, "403::Unknown client", advice=_AGAIN),
    _refusal(f"{_GITHUB}/kevinohara80/nforce/issues/131", CONNECT, "403::Unknown client", advice=_AGAIN),
    _refusal(f"{_GITHUB}/SalesforceFoundation/python-bayeux/issues/1", CONNECT, "403::Unknown client", advice=_AGAIN),
    # Here "none" means anything but that.
    _refusal(
        f"{_GITHUB}/CityOfBoston/digital/issues/175",
        CONNECT,
        "403::Unknown client",
        clientId="2st8w3gricczecj1a6kdr718go6m",
        advice=_NONE,
    ),
    _refusal(f"{_GITHUB}/forcedotcom/EMP-Connector/issues/15", CONNECT, "403::Unknown client", advice=_NONE),
    _refusal(f"{_GITHUB}/restforce/restforce/issues/97", CONNECT, "402::Unknown client", advice=_AGAIN),
    _refusal(
        f"{_GITHUB}/restforce/restforce/issues/161",
        CONNECT,
        "400::Client o61e659857pxog4dkywgvw7yks8 has established a session, but no BAYEUX_BROWSER cookie present",
    ),
)

BUSY: Final = (
    _denied(
        f"{_GITHUB}/forcedotcom/EMP-Connector/issues/79",
        "503::Server is too busy.  Please try your request again later.",
    ),
    _denied(_CODES, "503::Server is too busy. Please try your request again later."),
    _denied(
        _CODES,
        "403::To protect all customers from excessive use and denial of service attacks, we limit the number of "
        "simultaneous connections per server. Your request has been denied because this limit has been exceeded. Try "
        "your request again later.",
    ),
)

USED_UP: Final = (
    _refusal(
        f"{_GITHUB}/vdesabou/kafka-docker-playground/issues/707",
        CONNECT,
        "403::Organization total events daily limit exceeded",
    ),
    _refusal(
        f"{_GITHUB}/forcedotcom/EMP-Connector/issues/34",
        SUBSCRIBE,
        "403::Organization total events daily limit exceeded",
        subscription="/event/test_event__e",
    ),
    _denied(_CODES, "403::Organization concurrent user limit exceeded"),
)

_MAP: Final = (
    "Ensure that the channel name you provided in the replay map is valid and matches the channel name used for "
    "subscribing."
)
EXPIRED: Final = (
    _refusal(
        f"{_GITHUB}/forcedotcom/EMP-Connector/issues/14",
        SUBSCRIBE,
        "400::The replayId {1553783} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or "
        "-1 to replay only new events.",
        subscription="/topic/Updates",
    ),
    _refusal(
        f"{_GITHUB}/forcedotcom/EMP-Connector/issues/41",
        SUBSCRIBE,
        "400::The replayId for channel {/topic/topicName} wasn't found using the provided replay ID map {{}}. " + _MAP,
        clientId="5nbgiqfrsirccvmf20obbgdr9sm",
        subscription="/topic/topicName",
    ),
    _refusal(
        f"{_GITHUB}/forcedotcom/EMP-Connector/issues/39",
        SUBSCRIBE,
        "400::The replayId for channel {/topic/User_Provision_Updates} wasn't found using the provided replay ID map "
        "{{}}. " + _MAP,
        subscription="/topic/User_Provision_Updates",
    ),
    _refusal(
        f"{_GITHUB}/restforce/restforce/issues/498",
        SUBSCRIBE,
        "400::The replayId for channel {/data/ChangeEvents} wasn't found using the provided replay ID map "
        "{{/data/ChangeEvents=null}}. " + _MAP,
        clientId="f417f30g9jol3xe5xdh2zhxb67v",
        subscription="/data/ChangeEvents",
    ),
    _refusal(
        f"{_GITHUB}/jsforce/jsforce/issues/888",
        SUBSCRIBE,
        "400::The replayId for channel {/topic/TestContact1} wasn't found using the provided replay ID map "
        "{{/topic/TestContact1?LastName='Smith'=-1}}. " + _MAP,
        subscription="/topic/TestContact1",
    ),
)

NO_CHANNEL: Final = (
    _refusal(
        f"{_GITHUB}/forcedotcom/EMP-Connector/issues/17",
        SUBSCRIBE,
        "403:denied_by_security_policy:create_denied",
        subscription="/topic/13q8_3zpqi_j7akbccq",
    ),
    _refusal(
        _CODES,
        SUBSCRIBE,
        "400::The channel you requested to subscribe to doesn’t exist {/event/Gone__e}",
        subscription="/event/Gone__e",
    ),
    _refusal(
        _CODES,
        SUBSCRIBE,
        "400::Query fields {Shade__c} do not exist on the topic entity",
        subscription="/topic/Paints",
    ),
    _refusal(_CODES, SUBSCRIBE, "403::Cannot create channel /topic/Mine", subscription="/topic/Mine"),
    _refusal(_CODES, SUBSCRIBE, "404::Unknown channel", subscription="/u/Unknown"),
)

FOR_GOOD: Final = (
    _refusal(
        _CODES,
        HANDSHAKE,
        "400::Unsupported API version. Only API versions '37.0' and later are supported. URI format: '/cometd/67.0'",
    ),
    _refusal(_CODES, HANDSHAKE, "400::API version in the URI is mandatory. URI format: '/cometd/67.0'"),
)
