"""What the conformance tests share: orgs for foreign clients, and answers that Salesforce gave."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import node_client
import pytest
from recordings import Recordings

from sfconnector.testing import LocalOrg

HERE = Path(__file__).parent


@pytest.fixture
def org() -> Iterator[LocalOrg]:
    """An org with a few custom fields and an object of its own."""
    with LocalOrg(objects=HERE / "objects.yaml") as org:
        yield org


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
