"""Change events of changes that come through each of the APIs."""

from typing import Any

import pytest
from async_api import AsyncApi
from bulk_api import load
from change_events import Change, Changes
from local_api import Api
from soap_api import SoapApi, xml
from soap_leads import convert, lead

from sfconnector.testing import LocalOrg

OPTIONS = {"Sforce-Call-Options": "client=Loader/1.0, defaultNamespace=battle"}


@pytest.fixture
def changes(local_org: LocalOrg) -> Changes:
    return Changes(local_org._runtime.store)


def _what(told: list[Change]) -> list[tuple[str, str]]:
    return [change.what for change in told]


def _origins(told: list[Change]) -> set[str]:
    return {change.header["changeOrigin"] for change in told}


def _transactions(told: list[Change]) -> int:
    return len({change.header["transactionKey"] for change in told})


def test_single_records(api: Api, changes: Changes) -> None:
    account_id = api.create("Account", Name="Acme")
    assert api("PATCH", f"sobjects/Account/{account_id}", json={"Phone": "1"}).status_code == 204
    assert api("DELETE", f"sobjects/Account/{account_id}").status_code == 204

    told = changes.new()
    assert _what(told) == [("CREATE", "Account"), ("UPDATE", "Account"), ("DELETE", "Account")]
    assert _origins(told) == {"com/salesforce/api/rest/68.0"}
    assert _transactions(told) == 3
    assert {change.header["commitUser"] for change in told} == {api.org.user_id}


def test_client_and_version_are_told(local_org: LocalOrg, changes: Changes) -> None:
    api = Api(local_org, "60.0")
    api("POST", "sobjects/Account", json={"Name": "Acme"}, headers=OPTIONS)
    api.http.close()

    assert _origins(changes.new()) == {"com/salesforce/api/rest/60.0;client=Loader/1.0"}


def test_collections_are_one_transaction(api: Api, changes: Changes) -> None:
    records = [{"attributes": {"type": "Account"}, "Name": name} for name in ("A", "", "B")]
    created = api("POST", "composite/sobjects", json={"records": records}).json()
    ids = [result["id"] for result in created if result["success"]]
    told = changes.new()
    assert [change.fields["Name"] for change in told] == ["A", "B"]
    assert [change.header["sequenceNumber"] for change in told] == [1, 2]
    assert _transactions(told) == 1

    records = [{"attributes": {"type": "Account"}, "id": each, "Industry": "Energy"} for each in ids]
    api("PATCH", "composite/sobjects", json={"records": records})
    api("DELETE", f"composite/sobjects?ids={','.join(ids)}")
    assert [(change.kind, change.ids) for change in changes.new()] == [("UPDATE", ids), ("DELETE", ids)]


def test_all_or_none_leaves_nothing(api: Api, changes: Changes) -> None:
    records = [{"attributes": {"type": "Account"}, "Name": name} for name in ("A", "")]
    api("POST", "composite/sobjects", json={"records": records, "allOrNone": True})

    assert changes.new() == []


@pytest.mark.parametrize("all_or_none", [True, False])
def test_composite(api: Api, changes: Changes, all_or_none: bool) -> None:
    url = f"{api.base}/sobjects/Account"
    subrequests = [
        {"method": "POST", "url": url, "referenceId": "account", "body": {"Name": "Acme"}},
        {"method": "PATCH", "url": f"{url}/@{{account.id}}", "referenceId": "change", "body": {"Phone": "1"}},
    ]
    api("POST", "composite", json={"compositeRequest": subrequests, "allOrNone": all_or_none})

    told = changes.new()
    assert _what(told) == [("CREATE", "Account")] if all_or_none else [("CREATE", "Account"), ("UPDATE", "Account")]
    assert told[-1].fields["Phone"] == "1"
    assert _transactions(told) == len(told)


def test_composite_that_fails(api: Api, changes: Changes) -> None:
    url = f"{api.base}/sobjects/Account"
    subrequests = [
        {"method": "POST", "url": url, "referenceId": "good", "body": {"Name": "Acme"}},
        {"method": "POST", "url": url, "referenceId": "bad", "body": {}},
    ]
    api("POST", "composite", json={"compositeRequest": subrequests, "allOrNone": True})
    assert changes.new() == []

    api("POST", "composite", json={"compositeRequest": subrequests, "allOrNone": False})
    assert _what(changes.new()) == [("CREATE", "Account")]


def test_graph_and_tree(api: Api, changes: Changes) -> None:
    node = {"method": "POST", "url": f"{api.base}/sobjects/Account", "referenceId": "a", "body": {"Name": "Graph"}}
    api("POST", "composite/graph", json={"graphs": [{"graphId": "1", "compositeRequest": [node]}]})
    contacts = {"records": [{"attributes": {"type": "Contact", "referenceId": "c"}, "LastName": "Curie"}]}
    account = {"attributes": {"type": "Account", "referenceId": "a"}, "Name": "Tree", "Contacts": contacts}
    api("POST", "composite/tree/Account", json={"records": [account]})

    graph, parent, child = changes.new()
    assert (graph.fields["Name"], parent.fields["Name"]) == ("Graph", "Tree")
    assert child.fields["AccountId"] == parent.ids[0]
    assert _transactions([parent, child]) == 1


def test_upsert_by_external_id(local_org: LocalOrg, api: Api, changes: Changes) -> None:
    local_org.add_field("Account", "Ext__c", "string(20) external_id unique")
    for name in ("A", "B"):
        api("PATCH", "sobjects/Account/Ext__c/E-1", json={"Name": name})

    created, updated = changes.new()
    assert (created.kind, created.fields["Ext__c"]) == ("CREATE", "E-1")
    assert (updated.kind, updated.fields["Name"]) == ("UPDATE", "B")


def test_bulk_2(api: Api, changes: Changes) -> None:
    job = load(api, "insert", "Account", "Name,Phone\nA,1\n,2\nB,3\n")
    ids = [row["sf__Id"] for row in job.successful()]
    told = changes.new()
    assert [(change.kind, change.fields["Name"], change.ids) for change in told] == [
        ("CREATE", "A", ids[:1]),
        ("CREATE", "B", ids[1:]),
    ]
    assert _origins(told) == {"com/salesforce/api/bulkapi/68.0"}

    load(api, "hardDelete", "Account", "Id\n" + "\n".join(ids) + "\n")
    assert [(change.kind, change.ids) for change in changes.new()] == [("DELETE", ids)]


def test_client_of_a_bulk_job(api: Api, changes: Changes) -> None:
    api.http.headers.update(OPTIONS)
    load(api, "insert", "Account", "Name\nA\n")

    assert _origins(changes.new()) == {"com/salesforce/api/bulkapi/68.0;client=Loader/1.0"}


def test_bulk_1(bulk_v1: AsyncApi, changes: Changes) -> None:
    bulk_v1.http.headers.update(OPTIONS)
    bulk_v1.load("insert", "Account", "Name\nA\nB\n")

    told = changes.new()
    assert [change.fields["Name"] for change in told] == ["A", "B"]
    assert _origins(told) == {"com/salesforce/api/bulkapi/68.0;client=Loader/1.0"}


def test_soap(soap: SoapApi, changes: Changes) -> None:
    client = xml(CallOptions={"client": "Astro"})
    (created,) = soap("create", client, sObjects={"type": "Account", "Name": "Acme"})
    account_id = created["id"]
    soap("delete", client, ids=[account_id])
    soap("undelete", client, ids=[account_id])
    soap("delete", client, ids=[account_id])
    soap("emptyRecycleBin", client, ids=[account_id])

    told = changes.new()
    assert [change.kind for change in told] == ["CREATE", "DELETE", "UNDELETE", "DELETE"]
    assert _origins(told) == {"com/salesforce/api/soap/68.0;client=Astro"}


def test_soap_conversion(soap: SoapApi, api: Api, changes: Changes) -> None:
    lead_id = lead(api)
    changes.new()
    convert(soap, lead_id)

    told = changes.new()
    assert _what(told)[:4] == [
        ("CREATE", "Account"),
        ("CREATE", "Contact"),
        ("CREATE", "Opportunity"),
        ("UPDATE", "Lead"),
    ]
    assert _origins(told) == {"com/salesforce/api/soap/68.0"}
    assert _transactions(told) == 1


def test_soap_merge(soap: SoapApi, api: Api, changes: Changes) -> None:
    winner, loser = (api.create("Account", Name=name) for name in ("Winner", "Loser"))
    changes.new()
    master: dict[str, Any] = {"type": "Account", "Id": winner}
    soap("merge", request={"masterRecord": master, "recordToMergeIds": loser})

    assert [(change.kind, change.ids) for change in changes.new()] == [("UPDATE", [winner]), ("DELETE", [loser])]


def test_actions_that_write(api: Api, changes: Changes) -> None:
    answer = api("POST", "quickActions/NewContact", json={"record": {"LastName": "Curie"}})
    assert answer.status_code == 201, answer.text

    assert _what(changes.new()) == [("CREATE", "Contact")]


def test_changed_password_of_a_user(api: Api, changes: Changes) -> None:
    answer = api("POST", f"sobjects/User/{api.org.user_id}/password", json={"NewPassword": "changed-42!"})
    assert answer.status_code == 204, answer.text

    (change,) = changes.new()
    assert change.what == ("UPDATE", "User")
    assert "LastPasswordChangeDate" in change.fields
    assert change.header["commitUser"] == api.org.user_id
    assert change.header["changeOrigin"] == "com/salesforce/api/rest/68.0"


def test_selection_of_an_org() -> None:
    with LocalOrg(change_data_capture=["Contact"]) as org:
        changes = Changes(org._runtime.store)
        api = Api(org)
        api.create("Account", Name="Acme")
        api.create("Contact", LastName="Curie")
        assert _what(changes.new()) == [("CREATE", "Contact")]
        org.change_data_capture.select(["Account"])
        api.create("Account", Name="Acme")
        api.http.close()
        assert _what(changes.new()) == [("CREATE", "Account")]


def test_steering_over_http(local_org: LocalOrg, api: Api, changes: Changes) -> None:
    def steer(**orders: Any) -> Any:
        url = f"{local_org.url}/__local_org__/change_data_capture"
        return api.http.post(url, json=orders, timeout=30).json()

    told = steer(select={"names": ["Account"]}, overflow_after=5, full_header=True)
    assert told == {"objects": ["Account"], "overflow_after": 5, "full_header": True}
    steer(gap={"sobject": "Account", "record_ids": ["001Lo0000000001IAA"]}, overflow={"sobject": "Account"})
    assert [change.kind for change in changes.new()] == ["GAP_UPDATE", "GAP_OVERFLOW"]
    assert "has no change events" in steer(select={"names": ["Note"]})["error"]
    assert "Account" in steer(select={"names": None})["objects"]


def test_selection_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="'Nothing' has no change events here"):
        LocalOrg(change_data_capture=["Nothing"])
    with pytest.raises(TypeError, match="names of objects"):
        LocalOrg(change_data_capture="Account")
