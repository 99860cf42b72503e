"""What the conformance tests share: orgs for foreign clients, and answers that Salesforce gave."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import node_client
import pytest
import requests
from recordings import Recordings
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

from sfconnector.testing import LocalOrg

HERE = Path(__file__).parent


class ToTheOrg(HTTPAdapter):
    """Sends every request to the org: simple-salesforce builds https URLs only, and fixed hosts for logins."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._scheme, self._host = urlsplit(url)[:2]

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        request.url = str(urlunsplit((self._scheme, self._host, parts.path, parts.query, parts.fragment)))
        return super().send(request, *arguments, **options)


@pytest.fixture
def org() -> Iterator[LocalOrg]:
    """An org with a few custom fields and an object of its own."""
    with LocalOrg(objects=HERE / "objects.yaml") as org:
        yield org


@pytest.fixture
def http(org: LocalOrg) -> Iterator[requests.Session]:
    """A session whose requests reach the org wherever they are sent."""
    with requests.Session() as session:
        session.mount("https://", ToTheOrg(org.url))
        yield session


@pytest.fixture
def peer(org: LocalOrg, http: requests.Session) -> Any:
    """A simple-salesforce client that is logged in."""
    return Salesforce(session_id=org.access_token(), instance_url=org.url, session=http)


@pytest.fixture
def jsforce(org: LocalOrg) -> Callable[..., Any]:
    """Runs a script of ``node/`` with jsforce and this test's org."""
    if reason := node_client.missing("jsforce"):
        pytest.skip(reason)

    def run(script: str, **settings: Any) -> Any:
        known = {
            "url": org.url,
            "client_id": org.client_id,
            "client_secret": org.client_secret,
            "username": org.username,
            "password": org.password,
            "security_token": org.security_token,
            "access_token": org.access_token(),
            "refresh_token": org.refresh_token(),
        }
        return node_client.run(script, known | settings)

    return run


@pytest.fixture(scope="session")
def recordings() -> Recordings:
    """Real answers of Salesforce, from the folder that ``SFCONNECTOR_RECORDINGS`` names."""
    folder = os.environ.get("SFCONNECTOR_RECORDINGS", "")
    if not folder:
        pytest.skip("SFCONNECTOR_RECORDINGS names no folder with recorded answers of Salesforce")
    return Recordings(Path(folder))
