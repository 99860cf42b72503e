"""What the recordings must not hold."""

import re
from pathlib import Path

import pytest
import yaml

from integration.scrub import HOST, REQUEST_HEADERS, RESPONSE_HEADERS, SECRET_KEYS, TOKEN, XML_SECRETS

# Sought in the cassettes as they are before the run, so a recording is looked at by the next run.
pytestmark = pytest.mark.replayed
_CASSETTES = sorted((Path(__file__).parent / "cassettes").rglob("*.yaml"))
_SECRETS = {
    "a session id": r"00D\w{12,15}(!|%21)",
    "an authorization header": r"(?i)\b(bearer|oauth) [\w.!-]{12,}",
    "a refresh token": r"\b5Aep\w{10,}",
    "a JSON web token": r"\beyJ[\w-]{10,}",
    "a key": r"-----BEGIN",
    "a cookie": r"(?i)\b(set-cookie|cookie|sid=)",
    "another host": rf"https?://(?!{HOST.removeprefix('https://')})[\w.-]+(:\d+)?/(services|id)/",
    "another salesforce host": r"(?<!example)\.my\.salesforce\.com",
    "a loopback address": r"127\.0\.0\.1|localhost",
}


def test_there_are_recordings() -> None:
    assert len(_CASSETTES) > 30


@pytest.mark.parametrize("path", _CASSETTES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_recording_holds_no_secret(path: Path) -> None:
    text = path.read_text("utf-8")
    for what, pattern in _SECRETS.items():
        assert re.search(pattern, text) is None, what
    for name in SECRET_KEYS:
        for value in re.findall(rf'\b{name}(?:=|\\?":\s*\\?")([^&"\\\s]+)', text):
            assert value == TOKEN, name
    assert {secret for _, secret in XML_SECRETS.findall(text)} <= {TOKEN}
    for interaction in yaml.safe_load(text)["interactions"]:
        assert {name.lower() for name in interaction["request"]["headers"]} <= REQUEST_HEADERS
        assert {name.lower() for name in interaction["response"]["headers"]} <= RESPONSE_HEADERS


@pytest.mark.parametrize(
    "leak",
    [
        "00DLo0000000001!AQCDm_ZG5AmfPck1q9CNLmz4U",
        "Authorization: Bearer AQCDm_ZG5AmfPck1q9CNLmz4U",
        "assertion=eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIz",
        "-----BEGIN PRIVATE KEY-----",
        "Set-Cookie: a=b",
        "http://127.0.0.1:4711/services/data",
        "https://acme.my.salesforce.com",
    ],
)
def test_the_search_finds_what_it_looks_for(leak: str) -> None:
    assert any(re.search(pattern, leak) for pattern in _SECRETS.values())
