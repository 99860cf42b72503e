"""The client as a whole, against a local org."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from http_server import Reply, Server
from sfconnector_generated.rest.api.sobjects import create_record, describe_global

from sfconnector import Hooks, Salesforce, auth, errors
from sfconnector.testing import LocalOrg


def test_the_org_tells_what_it_offers(sf: Salesforce) -> None:
    assert {"31.0", "68.0"} <= {version.version for version in sf.versions()}
    assert sf.resources()["query"] == "/services/data/v68.0/query"
    assert sf.resources("60.0")["query"] == "/services/data/v60.0/query"
    assert sf.limits()["DailyApiRequests"]["Max"] == 100_000
    assert "Account" in {sobject.name for sobject in sf.describe().sobjects}
    assert sf.describe(if_modified_since=datetime.now(UTC) + timedelta(minutes=1)) is None


def test_the_user_is_who_logged_in(sf: Salesforce, local_org: LocalOrg) -> None:
    user = sf.user_info()
    assert (user.user_id, user.preferred_username) == (local_org.user_id, local_org.username)
    assert sf.instance_url == local_org.url


def test_usage_is_what_the_last_answer_told(local_org: LocalOrg) -> None:
    with Salesforce(auth.AccessToken(local_org.url, local_org.access_token())) as sf:
        assert sf.usage is None
        sf.limits()
        first = sf.usage
        sf.limits()
        assert first is not None
        assert sf.usage is not None
        assert (first.api_limit, sf.usage.api_used) == (100_000, first.api_used + 1)


@pytest.mark.parametrize("login", ["access_token", "client_credentials", "jwt_bearer", "password", "refresh_token"])
@pytest.mark.filterwarnings("ignore:.*retir:DeprecationWarning", "ignore:.*retir:FutureWarning")
def test_every_login_of_the_environment_works(local_org: LocalOrg, login: Any) -> None:
    with Salesforce.from_env({**local_org.environ(login), "SALESFORCE_API_VERSION": "60.0"}) as sf:
        assert sf.api_version == "60.0"
        assert sf.user_info().user_id == local_org.user_id


def test_any_version_that_the_org_lists_can_be_spoken(local_org: LocalOrg) -> None:
    login = auth.AccessToken(local_org.url, local_org.access_token())
    for version in ("31.0", "50.0", "68.0"):
        with Salesforce(login, api_version=version) as sf:
            created = sf.sobject("Account").create({"Name": version})
            assert sf.sobject("Account").get(created.id)["attributes"]["url"].startswith(f"/services/data/v{version}/")


@pytest.mark.parametrize("version", ["68", "v68.0", "68.0.0", "", "latest", 68.0])
def test_a_malformed_version_is_refused(version: Any) -> None:
    with pytest.raises(ValueError, match=r'is not of the form "68\.0"'):
        Salesforce(auth.AccessToken("https://acme.my.salesforce.com", "x"), api_version=version)


def test_a_version_that_the_org_does_not_offer_is_refused_by_the_org(local_org: LocalOrg) -> None:
    login = auth.AccessToken(local_org.url, local_org.access_token())
    with Salesforce(login, api_version="99.0") as sf, pytest.raises(errors.NotFoundError):
        sf.limits()
    with Salesforce(login, api_version="25.0") as sf, pytest.raises(errors.ApiError, match="GET /services/data lists"):
        sf.limits()


def test_any_request_can_be_sent(sf: Salesforce) -> None:
    answer = sf.request("GET", "/services/data/v68.0/query", params={"q": "SELECT COUNT() FROM Account"})
    assert isinstance(answer, requests.Response)
    assert answer.json()["totalSize"] == 0
    created = sf.request("POST", "/services/data/v68.0/sobjects/Account", json={"Name": "Acme"}).json()
    assert sf.sobject("Account").get(created["id"])["Name"] == "Acme"
    with pytest.raises(errors.NotFoundError):
        sf.request("GET", "/services/data/v68.0/nonsense")


@pytest.mark.parametrize("path", ["https://evil.example/services/data", "//evil.example/", "services/data", "/a/../b"])
def test_a_request_stays_on_the_instance(sf: Salesforce, local_org: LocalOrg, path: str) -> None:
    with pytest.raises(ValueError, match=r"leave the instance|unsafe path"):
        sf.request("GET", path)
    assert all(request.path.startswith("/services/oauth2/") for request in local_org.requests)


def test_generated_operations_share_the_session(sf: Salesforce) -> None:
    saved = create_record.sync("Account", client=sf.api, body={"Name": "Acme"})
    assert sf.sobject("Account").get(str(saved.id))["Name"] == "Acme"
    with pytest.raises(errors.BadRequestError, match="REQUIRED_FIELD_MISSING"):
        create_record.sync("Account", client=sf.api, body={"Phone": "1"})
    assert len(describe_global.sync(client=sf.api).sobjects) > 10


def test_a_closed_client_says_so(sf: Salesforce) -> None:
    sf.close()
    sf.close()
    with pytest.raises(RuntimeError, match="the client is closed"):
        sf.limits()


def test_a_client_shows_no_secret(local_org: LocalOrg) -> None:
    token = local_org.access_token()
    with Salesforce(auth.AccessToken(local_org.url, token)) as sf:
        sf.limits()
        assert token not in repr(sf) + repr(sf.api) + repr(vars(sf))


@pytest.mark.parametrize(
    "make",
    [
        lambda sf: sf.versions(),
        lambda sf: sf.limits(),
        lambda sf: sf.resources(),
        lambda sf: sf.describe(),
        lambda sf: sf.user_info(),
        lambda sf: sf.sobject("Account").describe(),
        lambda sf: sf.sobject("Account").info(),
        lambda sf: sf.sobject("Account").create({"Name": "x"}),
        lambda sf: sf.sobject("Account").upsert("Ext__c", "x", {"Name": "x"}),
        lambda sf: sf.sobject("Account").get("001000000000001AAA"),
    ],
)
@pytest.mark.parametrize(
    "reply", [Reply.of("text"), Reply.of(7), Reply(body=b'{"a": '), Reply(body=b"<html>x</html>"), Reply(body=b"\xff")]
)
def test_an_answer_that_is_not_what_it_should_be_is_an_error(make: Callable[[Salesforce], Any], reply: Reply) -> None:
    with Server([reply]) as server, Salesforce(auth.AccessToken(server.url, "x")) as sf:
        with pytest.raises((errors.InvalidResponseError, errors.TransportError)) as caught:
            make(sf)
        assert "GET /" in str(caught.value) or "POST /" in str(caught.value) or "PATCH /" in str(caught.value)


def test_eight_threads_and_tokens_that_expire_lose_and_double_nothing(local_org: LocalOrg) -> None:
    local_org.add_field("Account", "Ext__c", "string(40) external_id")
    refreshes: list[object] = []
    lock = threading.Lock()

    def count(event: object) -> None:
        with lock:
            refreshes.append(event)

    login = auth.ClientCredentials(local_org.url, local_org.client_id, local_org.client_secret)
    with Salesforce(login, hooks=Hooks(on_refresh=count), max_connections=8) as sf:
        accounts = sf.sobject("Account")

        def work(thread: int) -> None:
            for number in range(125):
                if number % 25 == 12 and thread == 0:
                    local_org.faults.expire_tokens()
                accounts.create({"Name": f"{thread}-{number}"})

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
        names = [record["Name"] for record in sf.query("SELECT Name FROM Account")]
    assert sorted(names) == sorted(f"{thread}-{number}" for thread in range(8) for number in range(125))
    assert len(refreshes) == 1 + 5


@pytest.mark.parametrize("version", ["", "..", "68", 68.0, "v68.0"])
def test_resources_of_a_malformed_version_are_not_asked_for(sf: Salesforce, local_org: LocalOrg, version: Any) -> None:
    with pytest.raises(ValueError, match="api_version"):
        sf.resources(version)
    assert len(local_org.requests) == 0
