"""Several requests in one call."""

import pytest

from integration.conftest import Org
from sfconnector import Salesforce, errors

pytestmark = [pytest.mark.vcr, pytest.mark.block_network]


def test_a_parent_and_its_child_all_or_none(sf: Salesforce, org: Org) -> None:
    composite = sf.composite.request(all_or_none=True)
    account = composite.create("Account", {"Name": f"Composite {org.tag}"})
    contact = composite.create("Contact", {"LastName": f"Curie {org.tag}", "AccountId": account.id})
    read = composite.get("Contact", contact.id, ["AccountId"])
    results = composite.send()
    assert results[read]["AccountId"] == results[account].id
    cleaning = sf.composite.batch(halt_on_error=True)
    cleaning.delete("Contact", results[contact].id)
    cleaning.delete("Account", results[account].id)
    assert [result.status for result in cleaning.send()] == [204, 204]


def test_one_failure_takes_everything_back(sf: Salesforce, org: Org) -> None:
    composite = sf.composite.request(all_or_none=True)
    composite.create("Account", {"Name": f"Composite {org.tag}"})
    composite.create("Contact", {"FirstName": "Marie"})
    with pytest.raises(errors.RecordError) as caught:
        composite.send()
    assert caught.value.code == "REQUIRED_FIELD_MISSING"
    assert len(caught.value.failures) == 2


def test_each_graph_stands_for_itself(sf: Salesforce, org: Org) -> None:
    request = sf.composite.graph()
    good, bad = request.graph("good"), request.graph("bad")
    account = good.create("Account", {"Name": f"Composite {org.tag}"})
    bad.create("Contact", {"FirstName": "Marie"})
    results = request.send(raise_on_failure=False)
    assert results.successful == ("good",)
    sf.sobject("Account").delete(results[account].id)


def test_a_tree(sf: Salesforce, org: Org) -> None:
    child = {"attributes": {"type": "Contact"}, "LastName": f"Curie {org.tag}"}
    account, contact = sf.composite.tree("Account", [{"Name": f"Composite {org.tag}", "Contacts": [child]}])
    assert sf.sobject("Contact").get(contact.id, ["AccountId"])["AccountId"] == account.id
    sf.sobject("Contact").delete(contact.id)
    sf.sobject("Account").delete(account.id)
