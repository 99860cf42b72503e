"""What logs may not hold."""

import logging

import pytest

from sfconnector._redact import RedactingFilter, redact

TOKEN = "00D000000000001!AQcAQ.secret_part"


@pytest.mark.parametrize(
    "text",
    [
        f"token {TOKEN} was sent",
        f"Authorization: Bearer {TOKEN}",
        "{'Authorization': 'Bearer secret_part'}",
        "authorization: OAuth secret_part",
        "access_token=secret_part&instance_url=x",
        '{"access_token": "secret_part", "id": "x"}',
        "grant_type=password&password=secret_part&client_secret=secret_part",
        "assertion=secret_part.secret_part",
        "<sessionId>secret_part</sessionId>",
        "X-SFDC-Session: secret_part",
        '"GET /services/data/v68.0/query?q=SELECT+secret_part HTTP/1.1" 200',
        "https://acme.my.salesforce.com/services/data/v68.0/search?q=secret_part",
    ],
)
def test_secrets_and_queries_are_masked(text: str) -> None:
    clean = redact(text)
    assert "secret_part" not in clean
    assert "***" in clean


@pytest.mark.parametrize(
    "text",
    [
        "GET /sobjects/Account/Ext__c/A-42: 404 NOT_FOUND: The requested resource does not exist",
        "logged in with ClientCredentials in 0.120 s",
        "GET /services/data/v68.0/limits HTTP/1.1",
        "the password has expired",
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert redact(text) == text


def test_the_filter_cleans_the_records_of_other_loggers(caplog: pytest.LogCaptureFixture) -> None:
    handler = logging.Handler()
    handler.addFilter(RedactingFilter())
    lines: list[str] = []
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    other = logging.getLogger("tests.redact")
    other.addHandler(handler)
    other.warning("sent %s to %s?q=%s", TOKEN, "/services/data/v68.0/query", "Curie")
    other.warning("%d of %d", 1, 2)
    other.removeHandler(handler)
    assert lines == ["sent 00D000000000001!*** to /services/data/v68.0/query?***", "1 of 2"]


def test_our_own_logger_has_it(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("sfconnector").warning("token %s", TOKEN)
    assert "secret_part" not in caplog.text


def test_tracebacks_are_cleaned_too() -> None:
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(handler.format(record))  # type: ignore[method-assign]
    ours = logging.getLogger("sfconnector")
    ours.addHandler(handler)
    try:
        raise RuntimeError(f"cannot store refresh_token={TOKEN}")
    except RuntimeError:
        ours.exception("a callback failed")
    ours.removeHandler(handler)
    assert "secret_part" not in lines[0]
    assert "RuntimeError: cannot store refresh_token=***" in lines[0]
