"""Several requests in one call, against a local org."""

from typing import Any

import pytest

from sfconnector import Salesforce, errors, soql
from sfconnector.testing import LocalOrg


def names(sf: Salesforce, sobject: str = "Account") -> list[str]:
    return [record["Name"] for record in sf.query(soql("SELECT Name FROM {o:field} ORDER BY Name", o=sobject))]


def test_a_company_with_its_contact_and_a_look_at_both(sf: Salesforce, local_org: LocalOrg) -> None:
    local_org.add_field("Account", "Ext__c", "string(40) unique external_id")
    composite = sf.composite.request(all_or_none=True)
    account = composite.upsert("Account", "Ext__c", "a/b c", {"Name": "Acme"})
    contact = composite.create("Contact", {"LastName": "Curie", "AccountId": account.id})
    query = composite.query(soql("SELECT Id, LastName FROM Contact WHERE AccountId = {id}", id=account.id))
    read = composite.get("Account", account.id, ["Name"])
    composite.update("Contact", query.at("records", 0, "Id"), {"FirstName": "Marie"})
    results = composite.send()
    assert results[account].created
    assert results[query].records[0]["LastName"] == "Curie"
    assert results[read]["Name"] == "Acme"
    found = sf.sobject("Contact").get(results[contact].id, ["FirstName", "AccountId"])
    assert (found["FirstName"], found["AccountId"]) == ("Marie", results[account].id)


def test_all_or_none_leaves_nothing_behind(sf: Salesforce) -> None:
    composite = sf.composite.request(all_or_none=True)
    account = composite.create("Account", {"Name": "Acme"})
    composite.create("Contact", {"FirstName": "Marie", "AccountId": account.id})
    with pytest.raises(errors.RecordError, match=r"r2 \(POST /sobjects/Contact\) failed: REQUIRED_FIELD_MISSING"):
        composite.send()
    assert names(sf) == []


def test_without_it_what_does_not_depend_on_a_failure_stays(sf: Salesforce) -> None:
    composite = sf.composite.request()
    lost = composite.create("Account", {"Phone": "1"})
    dependent = composite.create("Contact", {"LastName": "C", "AccountId": lost.id})
    kept = composite.create("Account", {"Name": "Kept"})
    results = composite.send(raise_on_failure=False)
    assert [failure.subrequest for failure in results.failures] == [lost, dependent]
    assert results[kept].success
    assert names(sf) == ["Kept"]
    lost = composite.get("Account", lost.id)
    with pytest.raises(errors.RecordError, match=r"r4 \(GET /sobjects/Account/@\{r1\.id\}\) failed"):
        composite.send(raise_on_failure=False)[lost]


def test_a_batch_does_what_it_can(sf: Salesforce) -> None:
    batch = sf.composite.batch()
    first = batch.create("Account", {"Name": "@{not.a.reference}"})
    missing = batch.get("Account", "001000000000000AAA")
    second = batch.create("Account", {"Name": "B"})
    results = batch.send(raise_on_failure=False)
    assert results.result(missing).status == 404
    assert results[first].id != results[second].id
    assert names(sf) == ["@{not.a.reference}", "B"]
    halting = sf.composite.batch(halt_on_error=True)
    halting.get("Account", "001000000000000AAA")
    halted = halting.create("Account", {"Name": "C"})
    assert halting.send(raise_on_failure=False).result(halted).halted
    assert len(names(sf)) == 2


def test_each_graph_stands_for_itself(sf: Salesforce) -> None:
    request = sf.composite.graph()
    good, bad = request.graph("good"), request.graph("bad")
    parent = good.create("Account", {"Name": "Parent"})
    child = good.create("Account", {"Name": "Child", "ParentId": parent.id})
    bad.create("Account", {"Name": "Lost"})
    wrong = bad.create("Contact", {"FirstName": "x"})
    results = request.send(raise_on_failure=False)
    assert results.successful == ("good",)
    assert results.failures[0].subrequest is wrong
    assert results.failures[0].errors[0].code == "REQUIRED_FIELD_MISSING"
    assert sf.sobject("Account").get(results[child].id)["ParentId"] == results[parent].id
    assert names(sf) == ["Child", "Parent"]


def test_trees_are_created_whole_or_not_at_all(sf: Salesforce) -> None:
    trees: list[dict[str, Any]] = [
        {"Name": "Acme", "Contacts": [{"LastName": "A"}, {"LastName": "B"}], "Cases": []},
        {"Name": "Umbra", "Opportunities": [{"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-01-01"}]},
    ]
    created = sf.composite.tree("Account", trees)
    assert [(each.sobject, each.path) for each in created] == [
        ("Account", "records[0]"),
        ("Contact", "records[0].Contacts[0]"),
        ("Contact", "records[0].Contacts[1]"),
        ("Account", "records[1]"),
        ("Opportunity", "records[1].Opportunities[0]"),
    ]
    assert sf.sobject("Contact").get(created[2].id)["AccountId"] == created[0].id
    with pytest.raises(errors.RecordError, match=r"records\[0\]\.Contacts\[1\] \(Contact\), so that nothing") as caught:
        sf.composite.tree("Account", [{"Name": "Lost", "Contacts": [{"LastName": "A"}, {"Email": "b@example.com"}]}])
    assert caught.value.code == "REQUIRED_FIELD_MISSING"
    assert names(sf) == ["Acme", "Umbra"]


def test_what_a_query_gives_can_be_a_tree(sf: Salesforce) -> None:
    sf.composite.tree("Account", [{"Name": "Acme", "Contacts": [{"LastName": "A"}, {"LastName": "B"}]}])
    [record] = sf.query("SELECT Name, (SELECT LastName FROM Contacts) FROM Account")
    assert len(sf.composite.tree("Account", [record])) == 3
    assert names(sf) == ["Acme", "Acme"]


def test_an_expired_session_is_renewed_in_the_middle(sf: Salesforce, local_org: LocalOrg) -> None:
    names(sf)
    local_org.faults.expire_tokens()
    composite = sf.composite.request()
    account = composite.create("Account", {"Name": "Acme"})
    assert composite.send()[account].success
    assert names(sf) == ["Acme"]
