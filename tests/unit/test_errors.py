"""The error tree: what is read out of answers, what the texts say, and what they keep to themselves."""

import copy
import json
import pickle
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from sfconnector import errors
from sfconnector._answers import details, refusal
from sfconnector.errors import ErrorDetail

SOQL_ERROR = (
    "\nSELECT Id FROM Acount WHERE Name = 'Curie'\n               ^\n"
    "ERROR at Row:1:Column:16\nsObject type 'Acount' is not supported."
)


def answer(
    status: int,
    body: bytes | str | list[Any] | dict[str, Any] = b"",
    *,
    method: str = "GET",
    path: str = "/services/data/v68.0/sobjects/Account/001000000000001AAA",
    **headers: str,
) -> requests.Response:
    response = requests.Response()
    response.status_code, response.reason = status, "Reason"
    text = json.dumps(body) if isinstance(body, list | dict) else body
    response._content = text.encode() if isinstance(text, str) else text
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    response.request = requests.Request(
        method, f"https://acme.my.salesforce.com{path}", headers={"Authorization": "Bearer 00D!secret"}
    ).prepare()
    return response


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            [{"message": "bad", "errorCode": "INVALID_FIELD", "fields": ["Name", "Phone"]}],
            [ErrorDetail("INVALID_FIELD", "bad", ("Name", "Phone"))],
        ),
        (
            [{"message": "bad", "errorCode": "A"}, {"message": "worse", "errorCode": "B"}],
            [ErrorDetail("A", "bad"), ErrorDetail("B", "worse")],
        ),
        (
            {"error": "invalid_grant", "error_description": "inactive user"},
            [ErrorDetail("invalid_grant", "inactive user")],
        ),
        (
            {"exceptionCode": "InvalidJob", "exceptionMessage": "no such job"},
            [ErrorDetail("InvalidJob", "no such job")],
        ),
        (
            [{"errorCode": "APEX_ERROR", "message": "System.DmlException"}],
            [ErrorDetail("APEX_ERROR", "System.DmlException")],
        ),
        (
            [
                {
                    "actionName": "chatterPost",
                    "errors": [{"statusCode": "UNKNOWN_EXCEPTION", "message": "no"}],
                    "isSuccess": False,
                }
            ],
            [ErrorDetail("UNKNOWN_EXCEPTION", "no")],
        ),
        (
            [
                {
                    "success": False,
                    "errors": [{"statusCode": "DUPLICATE_VALUE", "message": "twice", "fields": ["Ext__c"]}],
                }
            ],
            [ErrorDetail("DUPLICATE_VALUE", "twice", ("Ext__c",))],
        ),
        (
            {
                "hasErrors": True,
                "results": [
                    {"referenceId": "r1", "errors": [{"statusCode": "REQUIRED_FIELD_MISSING", "message": "Name"}]}
                ],
            },
            [ErrorDetail("REQUIRED_FIELD_MISSING", "Name")],
        ),
        ({"message": "only a text"}, [ErrorDetail("", "only a text")]),
        (
            '<?xml version="1.0"?><Errors><Error><errorCode>NOT_FOUND</errorCode>'
            "<message>gone</message></Error></Errors>",
            [ErrorDetail("NOT_FOUND", "gone")],
        ),
        (
            '<?xml version="1.0" encoding="UTF-8"?><error xmlns="http://www.force.com/2009/06/asyncapi/dataload">'
            "<exceptionCode>InvalidSessionId</exceptionCode>"
            "<exceptionMessage>Invalid session id</exceptionMessage></error>",
            [ErrorDetail("InvalidSessionId", "Invalid session id")],
        ),
        (
            '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body><soapenv:Fault>'
            "<faultcode>sf:INVALID_SESSION_ID</faultcode><faultstring>Illegal session</faultstring>"
            "</soapenv:Fault></soapenv:Body></soapenv:Envelope>",
            [ErrorDetail("INVALID_SESSION_ID", "Illegal session")],
        ),
        (
            "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>",
            [ErrorDetail("", "Bad Message 414 reason: URI Too Long")],
        ),
        (
            "<!DOCTYPE html><html><head><title>Down &amp; out</title><script>x</script></head><body>…</body></html>",
            [ErrorDetail("", "Down & out")],
        ),
        ("upstream connect error", [ErrorDetail("", "upstream connect error")]),
        ('[{"errorCode": "CUT', [ErrorDetail("", '[{"errorCode": "CUT')]),
        ("<unclosed", [ErrorDetail("", "<unclosed")]),
        (b"\xff\xfe", [ErrorDetail("", "��")]),
        ("null", [ErrorDetail("", "null")]),
        ([], []),
        ([None, 7, "text"], []),
        ({"errors": None}, []),
        (b"", []),
    ],
)
def test_every_kind_of_body_is_read(body: Any, expected: list[ErrorDetail]) -> None:
    assert list(details(answer(400, body))) == expected


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_body_breaks_the_parser(body: bytes) -> None:
    assert isinstance(refusal(answer(500, body)), errors.ServerError)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["errorCode", "message", "fields", "errors"]), inner)
    ),
    max_leaves=10,
)


@given(json_values)
def test_no_json_breaks_the_parser(value: Any) -> None:
    assert all(isinstance(item, ErrorDetail) for item in details(answer(400, json.dumps(value))))


@pytest.mark.parametrize(
    ("status", "code", "cls"),
    [
        (300, "", errors.MultipleMatchesError),
        (400, "MALFORMED_ID", errors.BadRequestError),
        (401, "INVALID_SESSION_ID", errors.SessionExpiredError),
        (403, "INSUFFICIENT_ACCESS", errors.ForbiddenError),
        (403, "REQUEST_LIMIT_EXCEEDED", errors.LimitExceededError),
        (404, "NOT_FOUND", errors.NotFoundError),
        (409, "CONFLICT", errors.ConflictError),
        (412, "PRECONDITION_FAILED", errors.ConflictError),
        (429, "", errors.LimitExceededError),
        (500, "UNKNOWN_EXCEPTION", errors.ServerError),
        (503, "", errors.ServerError),
        (500, "INVALID_SESSION_ID", errors.SessionExpiredError),
        (400, "InvalidSessionId", errors.SessionExpiredError),
        (500, "REQUEST_LIMIT_EXCEEDED", errors.LimitExceededError),
        # A retired version or a bad request line must not pass for a missing record or bad input.
        (410, "UNSUPPORTED_API_VERSION", errors.ApiError),
        (405, "METHOD_NOT_ALLOWED", errors.ApiError),
        (302, "", errors.ApiError),
    ],
)
def test_status_and_code_decide_the_class(status: int, code: str, cls: type[errors.ApiError]) -> None:
    body = [{"errorCode": code, "message": "…"}] if code else b""
    error = refusal(answer(status, body))
    assert type(error) is cls
    assert (error.status, error.code) == (status, code)


def test_the_text_names_request_and_reason() -> None:
    body = [{"errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "Too short", "fields": ["Name"]}]
    error = refusal(answer(400, body, method="PATCH", path="/services/data/v68.0/sobjects/Account/Ext__c/A-42"))
    assert str(error) == (
        "PATCH /sobjects/Account/Ext__c/A-42: 400 FIELD_CUSTOM_VALIDATION_EXCEPTION: Too short (fields: Name)"
    )
    assert (error.method, error.path) == ("PATCH", "/sobjects/Account/Ext__c/A-42")


def test_queries_stay_out_of_the_text() -> None:
    error = refusal(
        answer(
            400,
            [{"errorCode": "INVALID_TYPE", "message": SOQL_ERROR}],
            path="/services/data/v68.0/query?q=SELECT+Curie",
        )
    )
    assert "Curie" not in str(error)
    assert str(error).startswith("GET /query: 400 INVALID_TYPE: ERROR at Row:1:Column:16 sObject type")
    assert error.errors[0].message == SOQL_ERROR


def test_matches_of_an_external_id_are_named() -> None:
    paths = ["/services/data/v68.0/sobjects/Account/001A", "/services/data/v68.0/sobjects/Account/001B"]
    error = refusal(answer(300, paths))
    assert isinstance(error, errors.MultipleMatchesError)
    assert error.matches == tuple(paths)
    assert str(error).endswith("use the id of one of them: 001A, 001B")


@pytest.mark.parametrize(
    ("status", "body", "hint"),
    [
        (414, "<h1>Bad Message 414</h1>", "16,384 bytes"),
        (401, [{"errorCode": "INVALID_SESSION_ID", "message": "…"}], "expired or revoked"),
        (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}], "24 hours"),
        (
            403,
            [
                {
                    "errorCode": "REQUEST_LIMIT_EXCEEDED",
                    "message": "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
                }
            ],
            "at the same time",
        ),
        (410, b"", "retired"),
        (500, [{"errorCode": "UNSUPPORTED_API_VERSION", "message": "…"}], "API version"),
        (400, {"exceptionCode": "InvalidVersion", "exceptionMessage": "…"}, "API version"),
        (420, "<html><title>We are setting things up</title></html>", "My Domain"),
        (503, b"", "status.salesforce.com"),
    ],
)
def test_well_known_refusals_come_with_advice(status: int, body: Any, hint: str) -> None:
    assert hint in str(refusal(answer(status, body)))


def test_a_redirection_is_told_with_its_host_only() -> None:
    error = refusal(answer(302, b"", Location="https://other.my.salesforce.com/x?sid=00D!secret"))
    assert "https://other.my.salesforce.com" in str(error)
    assert "secret" not in str(error)


def test_the_request_id_is_kept() -> None:
    assert refusal(answer(500, b"", X_SFDC_Request_Id="abc-123")).request_id == "abc-123"
    assert refusal(answer(500)).request_id is None


def every_error() -> list[errors.SalesforceError]:
    detail = (ErrorDetail("A", "b", ("C",)),)
    return [
        errors.AuthenticationError("JwtBearer", "inactive user", error="invalid_grant", status=400, hint="activate"),
        errors.TransportError("GET", "/limits", errors.Failure.CUT, "reset"),
        errors.TransportTimeoutError("GET", "/limits", errors.Failure.TIMEOUT, "late"),
        *[
            refusal(answer(status, [{"errorCode": "A", "message": "b"}]))
            for status in (300, 400, 401, 403, 404, 409, 410, 429, 500)
        ],
        errors.InvalidResponseError(answer(200, "<html>"), "not JSON"),
        errors.RecordError(detail, index=3),
        errors.JobError("failed", job=object()),
        errors.JobTimeoutError("late", job=object()),
        errors.StreamError("ended", channel="/data/ChangeEvents"),
        errors.ReplayExpiredError("too old"),
        errors.SubscriptionError("refused", channel="/event/X__e"),
    ]


@pytest.mark.parametrize("error", every_error(), ids=lambda error: type(error).__name__)
def test_errors_survive_pickling_without_what_holds_the_token(error: errors.SalesforceError) -> None:
    data = pickle.dumps(error)
    assert b"secret" not in data
    for revived in (pickle.loads(data), copy.copy(error)):  # noqa: S301
        assert type(revived) is type(error)
        assert str(revived) == str(error)
        kept = {name: value for name, value in vars(error).items() if name not in {"response", "job"}}
        assert kept == {name: getattr(revived, name) for name in kept}
    assert "secret" not in repr(error)


def test_every_public_error_is_exported_and_in_the_tree() -> None:
    classes = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert classes <= set(errors.__all__)
    assert all(name in (errors.__doc__ or "") for name in classes)
    assert all(issubclass(getattr(errors, name), errors.SalesforceError) for name in classes)


@pytest.mark.parametrize(
    ("failure", "sent"),
    [
        (errors.Failure.CONNECT, False),
        (errors.Failure.CERTIFICATE, False),
        (errors.Failure.BUSY, False),
        (errors.Failure.CUT, True),
        (errors.Failure.TIMEOUT, True),
        (errors.Failure.GARBLED, True),
    ],
)
def test_a_write_that_may_have_arrived_is_told(failure: errors.Failure, sent: bool) -> None:
    error = errors.TransportError("POST", "/sobjects/Account", failure, "…")
    assert error.sent is sent
    assert ("may have arrived" in str(error)) is sent
    assert "may have arrived" not in str(errors.TransportError("GET", "/limits", failure, "…"))


@pytest.mark.parametrize("body", ["[" * 1000 + "]" * 1000, '{"errors":' * 1000 + "1" + "}" * 1000, "<a>" * 5000])
def test_no_depth_breaks_the_parser(body: str) -> None:
    assert refusal(answer(400, body)).status == 400
