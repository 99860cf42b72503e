"""simple-salesforce drives Bulk API 1.0 of the local org, all of it in JSON."""

from typing import Any

import pytest
from simple_salesforce.exceptions import SalesforceGeneralError, SalesforceMalformedRequest

from sfconnector.testing import LocalOrg


@pytest.fixture(autouse=True)
def no_naps(org: LocalOrg, monkeypatch: pytest.MonkeyPatch) -> None:
    """It sleeps for five seconds where a batch has not ended."""
    monkeypatch.setattr("simple_salesforce.bulk.sleep", lambda _seconds: org.bulk.wait())


def names(peer: Any, rest: str = "") -> list[str]:
    return [record["Name"] for record in peer.query_all(f"SELECT Name FROM Account {rest} ORDER BY Name")["records"]]


def test_every_operation(org: LocalOrg, peer: Any) -> None:
    # Closing comes after the batches: its jobs are open while it looks at them.
    inserted = peer.bulk.Account.insert([{"Name": "A", "Ext__c": "1"}, {"Name": "B", "Ext__c": "2"}, {"Ext__c": "3"}])
    assert [row["success"] for row in inserted] == [True, True, False]
    assert inserted[2] == {
        "success": False,
        "created": False,
        "id": None,
        "errors": [
            {
                "message": "Required fields are missing: [Name]",
                "fields": ["Name"],
                "statusCode": "REQUIRED_FIELD_MISSING",
                "extendedErrorDetails": None,
            }
        ],
    }
    ids = [row["id"] for row in inserted[:2]]

    upserted = peer.bulk.Account.upsert([{"Ext__c": "2", "Name": "B2"}, {"Ext__c": "4", "Name": "D"}], "Ext__c")
    assert [(row["created"], row["id"]) for row in upserted] == [(False, ids[1]), (True, upserted[1]["id"])]
    updated = peer.bulk.Account.update([{"Id": ids[0], "Name": "A2", "Ext__c": None}])
    assert updated == [{"success": True, "created": False, "id": ids[0], "errors": []}]
    assert names(peer) == ["A2", "B2", "D"]
    assert names(peer, "WHERE Ext__c = null") == ["A2"]

    assert peer.bulk.Account.delete([{"Id": ids[0]}])[0]["success"]
    assert peer.bulk.Account.hard_delete([{"Id": ids[1]}])[0]["success"]
    assert names(peer) == ["D"]
    everything = peer.query("SELECT Name FROM Account WHERE IsDeleted = true", include_deleted=True)
    assert [record["Name"] for record in everything["records"]] == ["A2"]


def test_batches_are_as_large_as_asked_for(org: LocalOrg, peer: Any) -> None:
    data = [{"Name": f"N{number:03}"} for number in range(450)]
    results = peer.bulk.Account.insert(data, batch_size=200, use_serial=True)
    assert len(results) == 450
    assert all(row["success"] for row in results)
    assert names(peer) == [record["Name"] for record in data]
    posted = [request.path for request in org.requests if request.method == "POST" and request.path.endswith("/batch")]
    assert len(posted) == 3
    detailed = peer.bulk.Account.update(
        [{"Id": row["id"], "Site": "x"} for row in results[:2]], include_detailed_results=True
    )
    assert [(row["success"], row["Site"]) for row in detailed] == [(True, "x")] * 2


def test_queries(peer: Any) -> None:
    account = peer.Account.create({"Name": "A"})["id"]
    peer.Contact.create({"LastName": "C", "AccountId": account})
    soql = "SELECT Id, LastName, Account.Name FROM Contact"

    (record,) = peer.bulk.Contact.query(soql)
    assert (record["LastName"], record["Account"]["Name"]) == ("C", "A")
    assert record["attributes"]["url"] == f"/services/data/v59.0/sobjects/Contact/{record['Id']}"
    pages = list(peer.bulk.Contact.query(soql, lazy_operation=True))
    assert pages == [[record]]

    peer.Contact.delete(record["Id"])
    assert peer.bulk.Contact.query(soql) == []
    assert [found["LastName"] for found in peer.bulk.Contact.query_all(soql)] == ["C"]
    assert list(peer.bulk.Contact.query_all(soql, lazy_operation=True)) == [[record]]


def test_results_in_several_parts(org: LocalOrg, peer: Any) -> None:
    peer.bulk.Account.insert([{"Name": name} for name in "abcde"])
    org.bulk.query_page_size = 2
    pages = peer.bulk.Account.query("SELECT Name FROM Account ORDER BY Name", lazy_operation=True)
    assert [[record["Name"] for record in page] for page in pages] == [["a", "b"], ["c", "d"], ["e"]]


def test_what_fails(org: LocalOrg, peer: Any) -> None:
    with pytest.raises(SalesforceGeneralError) as failed:
        peer.bulk.Account.query("SELECT Id FROM Contact")
    assert "does not match the entity of the requested Bulk API Job (Account)" in str(failed.value)
    for call, code, message in (
        (lambda: peer.bulk.Acount.insert([{"Name": "A"}]), "InvalidJob", "Unable to find object: Acount"),
        (lambda: peer.bulk.Account.insert([{"Nmae": "A"}]), "InvalidBatch", "Records not processed"),
    ):
        with pytest.raises(SalesforceMalformedRequest) as refused:
            call()
        assert refused.value.content == {"exceptionCode": code, "exceptionMessage": message}
    org.faults.expire_tokens()
    with pytest.raises(SalesforceMalformedRequest) as expired:
        peer.bulk.Account.insert([{"Name": "A"}])
    assert expired.value.content == {"exceptionCode": "InvalidSessionId", "exceptionMessage": "Invalid session id"}
