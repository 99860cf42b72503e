"""What failures of the connection mean: the documentation's texts, and real messages from public threads."""

from typing import Any

import pytest

from sfconnector._streaming.refusals import Cause, cause_of, text_of
from sfconnector.bayeux import Failure, Stage

DENIED = "403::Handshake denied"
REPLAY = "Please provide a valid ID, -2 to replay all events, or -1 to replay only new events."


def failure(error: str = "", reason: str = "", **options: Any) -> Failure:
    message: dict[str, Any] = {"successful": False, "error": error}
    if reason:
        message["ext"] = {"sfdc": {"failureReason": reason}}
    return Failure(Stage.CONNECT, error, message, **options)


@pytest.mark.parametrize(
    ("error", "reason", "cause"),
    [
        ("401::Authentication invalid", "", Cause.SESSION),
        ("401::Request requires authentication", "", Cause.SESSION),
        (DENIED, "401::Authentication invalid", Cause.SESSION),
        (DENIED, "401::Request requires authentication", Cause.SESSION),
        ("403::Unknown client", "", Cause.CLIENT),
        ("402::Unknown client", "", Cause.CLIENT),
        ("402::session_unknown", "", Cause.CLIENT),
        ("403::Client has not completed handshake", "", Cause.CLIENT),
        ("400::Client x has established a session, but no BAYEUX_BROWSER cookie present", "", Cause.CLIENT),
        ("403::Organization total events daily limit exceeded", "", Cause.LIMIT),
        ("403::Organization concurrent user limit exceeded", "", Cause.LIMIT),
        ("403::Subscription limit exceeded for this topic", "", Cause.LIMIT),
        (DENIED, "503::Server is too busy. Please try your request again later.", Cause.BUSY),
        ("403::Unknown client", "503::Server is too busy. Please try your request again later.", Cause.BUSY),
        (
            DENIED,
            "403::To protect all customers from excessive use and Denial of Service attacks, we limit the number of "
            "simultaneous connections per server. Your request has been denied because this limit has been exceeded. "
            "Please try your request again later.",
            Cause.BUSY,
        ),
        (f"400::The replayId {{7}} you provided was invalid. {REPLAY}", "", Cause.REPLAY),
        (
            "400::The replayId for channel {/event/X__e} wasn't found using the provided replay ID map {{}}",
            "",
            Cause.REPLAY,
        ),
        ("400::The channel you requested to subscribe to does not exist {/event/X__e}", "", Cause.CHANNEL),
        ("400::The channel you requested to subscribe to doesn’t exist {/event/X__e}", "", Cause.CHANNEL),
        ("403::Cannot create channel /event/X__e", "", Cause.CHANNEL),
        ("403:denied_by_security_policy:create_denied", "", Cause.CHANNEL),
        ("403::Restricted channel", "", Cause.CHANNEL),
        ("403::Subscriber does not have access to the entity in this topic", "", Cause.CHANNEL),
        ("403::User not allowed to subscribe CDC without View All Data permissions", "", Cause.CHANNEL),
        ("403::User not enabled for streaming", "", Cause.CHANNEL),
        ("404::Unknown channel", "", Cause.CHANNEL),
        ("404::channel names may not vary only by case", "", Cause.CHANNEL),
        ("400::Query fields {x} do not exist on the topic entity", "", Cause.CHANNEL),
        (
            "400::Unsupported API version. Only API versions '37.0' and later are supported.",
            "",
            Cause.FORBIDDEN,
        ),
        ("400::API version in the URI is mandatory. URI format: '/cometd/68.0'", "", Cause.FORBIDDEN),
        ("400::Invalid connection type websocket", "", Cause.FORBIDDEN),
        ("403::Something new", "", Cause.UNKNOWN),
        ("", "", Cause.CLIENT),
    ],
)
def test_texts_decide_whatever_the_advice_is(error: str, reason: str, cause: Cause) -> None:
    for advice in ({"reconnect": "none"}, {"reconnect": "retry"}, {"reconnect": "handshake"}, {}):
        assert cause_of(failure(error, reason, advice=advice)) is cause


@pytest.mark.parametrize(
    ("status", "cause"),
    [(401, Cause.SESSION), (503, Cause.BUSY), (429, Cause.BUSY), (500, Cause.LOST), (404, Cause.LOST)],
)
def test_statuses_decide_where_there_is_no_text(status: int, cause: Cause) -> None:
    assert cause_of(Failure(Stage.CONNECT, status=status)) is cause


def test_no_usable_answer_is_a_lost_one() -> None:
    assert cause_of(Failure(Stage.CONNECT, exception=OSError("cut"))) is Cause.LOST


def test_the_reason_is_told_with_the_error() -> None:
    assert text_of(failure(DENIED, "401::Authentication invalid")) == f"{DENIED} (401::Authentication invalid)"
    assert text_of(failure("", "503::Busy")) == "503::Busy"
    assert text_of(failure("403::Unknown client")) == "403::Unknown client"
