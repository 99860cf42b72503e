"""Error bodies of every shape that Salesforce was seen to send, through our client."""

import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from recordings import Exchange, Recordings
from replay import TOKEN_PATH, Replay

from sfconnector import Retry, Salesforce, auth, errors

JSON = "application/json;charset=UTF-8"
HTML = "text/html;charset=UTF-8"
XML = "application/xml"

LIMITS = Exchange(
    id="limits",
    category="limits",
    method="GET",
    path="/services/data/v68.0/limits",
    query=(),
    request_body="",
    status=200,
    headers={"Content-Type": JSON},
    body="{}",
    version="68.0",
    edited=True,
)


def refusal(status: int, body: str, media_type: str = JSON, *, times: int = 1, attempts: int = 1) -> errors.ApiError:
    """The error that our client raises at an answer."""
    exchange = attrs.evolve(LIMITS, status=status, body=body, headers={"Content-Type": media_type})
    with (
        Replay([exchange] * times) as server,
        Salesforce(auth.AccessToken(server.url, "token"), retry=Retry(attempts=attempts, sleep=lambda _: None)) as sf,
        pytest.raises(errors.ApiError) as caught,
    ):
        sf.limits()
    assert caught.value.status == status
    return caught.value


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [
        ("crm/delete/not-found.json", 404, errors.NotFoundError),
        ("test/unknown-field.json", 400, errors.BadRequestError),
        ("test/unknown-object.json", 400, errors.BadRequestError),
        ("test/invalid-field-upsert.json", 400, errors.BadRequestError),
        ("batch/create/contacts/err-bad-request.json", 400, errors.BadRequestError),
        ("err-duplicate-permission-assignment.json", 400, errors.BadRequestError),
    ],
)
def test_lists_of_errors(recordings: Recordings, name: str, status: int, error: type[errors.ApiError]) -> None:
    body = recordings.body(name)

    raised = refusal(status, body)

    assert type(raised) is error
    assert [(each.code, each.message, each.fields) for each in raised.errors] == [
        (each["errorCode"], each["message"], tuple(each.get("fields", ()))) for each in json.loads(body)
    ]
    assert raised.code in str(raised)


def test_metadata_errors_in_xml(recordings: Recordings) -> None:
    raised = refusal(500, recordings.body("crm/metadata/test/err-bad-request.xml"), "text/xml; charset=utf-8")

    assert isinstance(raised, errors.ServerError)
    assert "Invalid length, minimum is: 256" in str(raised)
    assert "FIELD_INTEGRITY_EXCEPTION" in str(raised)


def test_a_composite_rollback(recordings: Recordings) -> None:
    body = recordings.body("camel:composite_response_example_failure.json")

    answers = json.loads(body)["compositeResponse"]
    for answer in answers:
        raised = refusal(answer["httpStatusCode"], json.dumps(answer["body"]))
        assert [(each.code, each.message) for each in raised.errors] == [
            (each["errorCode"], each["message"]) for each in answer["body"]
        ]


def quoted(recordings: Recordings, words: str) -> Any:
    """What was quoted in a public thread."""
    found = [each["payload"] for each in recordings.transcripts if words in each["what"]]
    assert len(found) == 1, f"{len(found)} threads are about {words}"
    return found[0]


def test_a_web_page_in_place_of_json(recordings: Recordings) -> None:
    raised = refusal(414, quoted(recordings, "414 is HTML"), HTML)

    assert "Bad Message 414 reason: URI Too Long" in str(raised)
    assert "<" not in str(raised)
    assert "composite" in str(raised), "what to do about it"


@pytest.mark.parametrize(
    ("words", "status", "error", "code"),
    [
        ("Bulk v1 expired session", 400, errors.SessionExpiredError, "InvalidSessionId"),
        ("UNABLE_TO_LOCK_ROW body", 400, errors.BadRequestError, "UNABLE_TO_LOCK_ROW"),
        ("daily limit body", 403, errors.LimitExceededError, "REQUEST_LIMIT_EXCEEDED"),
        ("concurrent limit", 403, errors.LimitExceededError, "REQUEST_LIMIT_EXCEEDED"),
        ("Apex REST unhandled exception", 500, errors.ServerError, "APEX_ERROR"),
        ("invocable action refused", 400, errors.BadRequestError, "UNKNOWN_EXCEPTION"),
    ],
)
def test_bodies_of_other_apis(
    recordings: Recordings, words: str, status: int, error: type[errors.ApiError], code: str
) -> None:
    raised = refusal(status, json.dumps(quoted(recordings, words)))

    assert type(raised) is error
    assert raised.code == code
    assert raised.errors[0].message


def test_of_the_two_limits_only_the_concurrent_one_is_tried_again(recordings: Recordings) -> None:
    refusal(403, json.dumps(quoted(recordings, "daily limit body")), times=1, attempts=3)
    refusal(403, json.dumps(quoted(recordings, "concurrent limit")), times=3, attempts=3)


LOGINS: dict[str, Callable[[str], auth.Auth]] = {
    "ClientCredentials": lambda url: auth.ClientCredentials(url, "id", "secret"),
    "RefreshToken": lambda url: auth.RefreshToken(url, "id", "refresh"),
}


@pytest.mark.parametrize("flow", list(LOGINS))
@pytest.mark.parametrize("words", ["oauth password flow refused", "oauth: user deactivated", "oauth: refresh refused"])
def test_refused_logins(recordings: Recordings, flow: str, words: str) -> None:
    body = quoted(recordings, words)
    exchange = attrs.evolve(LIMITS, method="POST", path=TOKEN_PATH, status=400, body=json.dumps(body))

    with Replay([exchange]) as server, Salesforce(LOGINS[flow](server.url)) as sf:
        with pytest.raises(errors.AuthenticationError) as caught:
            sf.limits()
        assert server.authorizations == [None]
    error = caught.value
    assert (error.flow, error.status) == (flow, 400)
    assert (error.error, error.description) == (body["error"], body["error_description"])


@pytest.mark.parametrize("number", [0, 1])
def test_a_refused_session_that_no_refresh_would_help(recordings: Recordings, number: int) -> None:
    text = quoted(recordings, "two 401 texts")[number]
    body = json.dumps([{"message": text, "errorCode": "INVALID_SESSION_ID"}])
    asked = []

    def fetch() -> str:
        asked.append("token")
        return "token"

    exchange = attrs.evolve(LIMITS, status=401, body=body)
    with (
        Replay([exchange]) as server,
        Salesforce(auth.AccessToken(server.url, fetch)) as sf,
        pytest.raises(errors.SessionExpiredError, match=text),
    ):
        sf.limits()
    assert asked == ["token"]


def test_a_record_that_failed_inside_a_success(recordings: Recordings) -> None:
    body = recordings.body("test/success-with-errors.json")
    create = attrs.evolve(LIMITS, method="POST", path="/services/data/v68.0/sobjects/Account", status=201, body=body)
    upsert = attrs.evolve(
        LIMITS, method="PATCH", path="/services/data/v68.0/sobjects/Account/Ext__c/A", status=200, body=body
    )
    with Replay([create, upsert]) as server, Salesforce(auth.AccessToken(server.url, "token")) as sf:
        accounts = sf.sobject("Account")
        for save in (lambda: accounts.create({"Name": "x"}), lambda: accounts.upsert("Ext__c", "A", {"Name": "x"})):
            with pytest.raises(errors.RecordError) as caught:
                save()
            assert [(each.code, each.message) for each in caught.value.errors] == [
                ("MALFORMED_ID", "malformed id 001RM000003oLrB000")
            ]
