"""Fixtures of the tests of the local org."""

from collections.abc import Iterator

import pytest
from async_api import AsyncApi
from cometd_api import CometdApi
from local_api import Api
from soap_api import SoapApi

from sfconnector.testing import LocalOrg


@pytest.fixture
def api(local_org: LocalOrg) -> Iterator[Api]:
    api = Api(local_org)
    yield api
    api.http.close()


@pytest.fixture
def bulk_v1(local_org: LocalOrg) -> Iterator[AsyncApi]:
    bulk_v1 = AsyncApi(local_org)
    yield bulk_v1
    bulk_v1.http.close()


@pytest.fixture
def soap(local_org: LocalOrg) -> Iterator[SoapApi]:
    soap = SoapApi(local_org)
    yield soap
    soap.http.close()


@pytest.fixture
def cometd(local_org: LocalOrg) -> Iterator[CometdApi]:
    cometd = CometdApi(local_org)
    yield cometd
    cometd.http.clear()
