"""Fixtures of the tests of the local org."""

from collections.abc import Iterator

import pytest
from local_api import Api

from sfconnector.testing import LocalOrg


@pytest.fixture
def api(local_org: LocalOrg) -> Iterator[Api]:
    api = Api(local_org)
    yield api
    api.http.close()
