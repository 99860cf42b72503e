"""Logging in, being refused, and a session that ends."""

import pytest
from vcr.cassette import Cassette  # type: ignore[import-untyped]

from integration.conftest import AuthName, Environ, Org
from sfconnector import Salesforce, auth
from sfconnector.errors import AuthenticationError, SessionExpiredError

pytestmark = [pytest.mark.vcr, pytest.mark.block_network]

_ENDED = "00D000000000000!ended"


@pytest.mark.local_org
@pytest.mark.parametrize("way", ["access_token", "client_credentials", "jwt_bearer", "refresh_token"])
def test_logs_in_as_the_environment_says(environ: Environ, org: Org, way: AuthName) -> None:
    with Salesforce.from_env(environ(way)) as sf:
        assert sf.user_info().active
        assert sf.instance_url == org.url


@pytest.mark.local_org
def test_logs_in_with_a_password(environ: Environ) -> None:
    with pytest.warns(DeprecationWarning, match="username-password"):
        sf = Salesforce.from_env(environ("password"))
    with sf:
        assert sf.user_info().active


@pytest.mark.local_org
def test_is_refused_with_a_wrong_secret(environ: Environ) -> None:
    variables = {**environ("client_credentials"), "SALESFORCE_CLIENT_SECRET": "not-the-secret"}
    with Salesforce.from_env(variables) as sf, pytest.raises(AuthenticationError) as caught:
        sf.versions()
    assert (caught.value.flow, caught.value.error) == ("ClientCredentials", "invalid_client")


def test_says_when_a_token_has_expired(org: Org) -> None:
    with Salesforce(auth.AccessToken(org.url, _ENDED)) as sf, pytest.raises(SessionExpiredError) as caught:
        sf.limits()
    assert caught.value.code == "INVALID_SESSION_ID"


def test_carries_on_with_a_new_token(org: Org, vcr: Cassette) -> None:
    tokens = iter([_ENDED, org.token.access_token])
    with Salesforce(auth.AccessToken(org.url, lambda: next(tokens))) as sf:
        assert "DailyApiRequests" in sf.limits()
    assert next(tokens, None) is None
    assert len(vcr) == 2
