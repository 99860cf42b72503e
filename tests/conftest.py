"""What all tests share: an org, a client on it, and an environment without the developer's own settings."""

import os
from collections.abc import Iterator

import pytest

from sfconnector import Salesforce, auth
from sfconnector.testing import LocalOrg


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep proxies, certificates and logins of the machine out of the tests."""
    certificates = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"}
    for name in list(os.environ):
        if name in certificates or name.lower().endswith("_proxy") or name.startswith(("SALESFORCE_", "SF_")):
            monkeypatch.delenv(name)


@pytest.fixture
def sf(local_org: LocalOrg) -> Iterator[Salesforce]:
    """A client that is logged in to the test's own org."""
    with Salesforce(auth.ClientCredentials(local_org.url, local_org.client_id, local_org.client_secret)) as client:
        yield client
