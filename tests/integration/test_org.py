"""What an org tells about itself."""

from datetime import UTC, datetime

import pytest
from sfconnector_generated.rest.api.org import list_versions

from integration.conftest import Org
from sfconnector import Salesforce
from sfconnector.errors import NotFoundError

pytestmark = [pytest.mark.vcr, pytest.mark.block_network]


def test_lists_its_objects(sf: Salesforce) -> None:
    assert "Account" in {sobject.name for sobject in sf.describe().sobjects}


def test_says_when_no_object_has_changed(sf: Salesforce) -> None:
    assert sf.describe(if_modified_since=datetime.now(UTC)) is None
    assert sf.describe(if_modified_since=datetime(2000, 1, 1, tzinfo=UTC)) is not None


def test_describes_an_object(sf: Salesforce) -> None:
    statuses = sf.sobject("LeadStatus").describe()
    assert statuses.name == "LeadStatus"
    assert {"Id", "MasterLabel", "IsConverted"} <= {field.name for field in statuses.fields}


def test_says_when_an_object_has_not_changed(sf: Salesforce) -> None:
    assert sf.sobject("LeadStatus").describe(if_modified_since=datetime.now(UTC)) is None


def test_describes_an_object_in_short(sf: Salesforce) -> None:
    info = sf.sobject("Account").info()
    assert (info.object_describe.name, info.object_describe.key_prefix) == ("Account", "001")


def test_knows_no_object_of_that_name(sf: Salesforce) -> None:
    with pytest.raises(NotFoundError) as caught:
        sf.sobject("NoSuchObject").describe()
    assert caught.value.path == "/sobjects/NoSuchObject/describe"


def test_lists_its_versions_and_resources(sf: Salesforce) -> None:
    versions = [version.version for version in sf.versions()]
    assert sf.api_version in versions
    assert sf.resources()["query"] == f"/services/data/v{sf.api_version}/query"
    assert sf.resources(versions[-1])["sobjects"] == f"/services/data/v{versions[-1]}/sobjects"


def test_tells_its_limits_and_its_usage(sf: Salesforce) -> None:
    before = sf.usage
    assert before is None
    limit = sf.limits()["DailyApiRequests"]
    assert 0 < limit["Remaining"] <= limit["Max"]
    assert sf.usage is not None
    assert 0 < sf.usage.api_used <= sf.usage.api_limit


def test_tells_who_is_logged_in(sf: Salesforce) -> None:
    user = sf.user_info()
    assert user.active
    assert str(user.user_id).startswith("005")


def test_answers_any_request(sf: Salesforce, org: Org) -> None:
    path = f"/services/data/v{sf.api_version}/query"
    answer = sf.request("GET", path, params={"q": "SELECT COUNT() FROM User"}, headers={"Accept": "application/json"})
    assert answer.json()["totalSize"] > 0
    assert sf.request("GET", f"{org.url}/services/data").json()[-1]["version"] >= sf.api_version
    with pytest.raises(NotFoundError):
        sf.request("GET", f"/services/data/v{sf.api_version}/nothing-here")


def test_carries_bodies_both_ways(sf: Salesforce, tag: str) -> None:
    accounts = f"/services/data/v{sf.api_version}/sobjects/Account"
    made = sf.request("POST", accounts, json={"Name": f"{tag} Acme"}, idempotent=False).json()["id"]
    with sf.request("GET", f"{accounts}/{made}", stream=True, timeout=30) as answer:
        assert answer.json()["Name"] == f"{tag} Acme"
    assert sf.request("DELETE", f"{accounts}/{made}").status_code == 204


def test_sends_nothing_once_closed(sf: Salesforce) -> None:
    sf.close()
    with pytest.raises(RuntimeError, match="closed"):
        sf.versions()


def test_answers_generated_operations(sf: Salesforce) -> None:
    assert list_versions.sync(client=sf.api)[-1].version >= sf.api_version


def test_shows_no_secret_of_a_client(sf: Salesforce, org: Org) -> None:
    sf.versions()
    assert sf.instance_url == org.url
    assert org.token.access_token not in repr(sf)


def test_describes_layouts(sf: Salesforce) -> None:
    (mapping, *_) = sf.sobject("Contact").layouts().record_type_mappings
    assert sf.sobject("Contact").layouts(mapping.record_type_id).detail_layout_sections
    assert sf.sobject("Contact").compact_layouts().compact_layouts
    with pytest.raises(NotFoundError):
        sf.sobject("Contact").named_layout("NoSuchLayout")


def test_lists_quick_actions(sf: Salesforce) -> None:
    assert {action.name for action in sf.quick_actions()} <= {
        action.name for action in sf.sobject("Account").quick_actions()
    }
