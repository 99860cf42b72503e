"""What sf.bulk refuses to write, before a job is created."""

from collections.abc import Callable
from typing import Any

import pytest

from sfconnector import Salesforce
from sfconnector._bulk.bulk import Bulk
from sfconnector.testing import LocalOrg

REFUSED: dict[str, tuple[Callable[[Bulk], Any], str]] = {
    "upsert without the external id": (
        lambda bulk: bulk.upsert("Account", [{"Name": "Acme"}], external_id="AccountNumber"),
        "the rows have no column AccountNumber, by which records are found",
    ),
    "upsert of a file without the external id": (
        lambda bulk: bulk.upsert("Account", b"Name\nAcme\n", external_id="AccountNumber"),
        "the rows have no column AccountNumber, by which records are found",
    ),
    "update without ids": (
        lambda bulk: bulk.update("Account", [{"Name": "Acme"}]),
        "the rows have no column Id, by which records are found",
    ),
    "delete with more than ids": (
        lambda bulk: bulk.delete("Account", [{"id": "001000000000001", "Name": "Acme"}]),
        "the rows have 'Name' besides Id, and ids are all that a deletion takes",
    ),
    "delete of what is no id": (lambda bulk: bulk.hard_delete("Account", ["Acme"]), "Acme"),
    "more than a job takes": (
        lambda bulk: bulk.insert("Account", [{"Name": "Acme"}], max_bytes=112_500_001),
        r"a job takes 112,500,000 bytes, which are 150 MB in base64: max_bytes is 112,500,001",
    ),
    "CSV as a text": (
        lambda bulk: bulk.insert("Account", "Name\nAcme\n"),
        "the source is a text of several lines, and a text is a path: give CSV as bytes",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_nothing_is_sent_of_what_cannot_be_right(sf: Salesforce, local_org: LocalOrg, case: str) -> None:
    call, reason = REFUSED[case]
    with pytest.raises(ValueError, match=reason):
        call(sf.bulk)
    assert not [request for request in local_org.requests if "/jobs/" in request.path]


UNCALLED: dict[str, Callable[[Salesforce, Any], object]] = {
    "insert tells progress": lambda sf, wrong: sf.bulk.insert("Account", [{"Name": "Acme"}], progress=wrong),
    "insert tells jobs": lambda sf, wrong: sf.bulk.insert("Account", [{"Name": "Acme"}], on_job=wrong),
    "ingest waits": lambda sf, wrong: sf.bulk.insert("Account", []).wait(progress=wrong),
    "job waits": lambda sf, wrong: sf.bulk.query_job("750000000000001").wait(progress=wrong),
    "rows": lambda sf, wrong: sf.bulk.query_job("750000000000001").rows(progress=wrong),
    "tables": lambda sf, wrong: sf.bulk.query_job("750000000000001").to_arrow(progress=wrong),
    "insert of 1.0 tells progress": lambda sf, wrong: sf.bulk_v1.insert("Account", [{"Name": "Acme"}], progress=wrong),
    "insert of 1.0 tells jobs": lambda sf, wrong: sf.bulk_v1.insert("Account", [{"Name": "Acme"}], on_job=wrong),
}


@pytest.mark.parametrize("wrong", [True, 5, "bar"])
@pytest.mark.parametrize("case", UNCALLED)
def test_what_cannot_be_called_is_refused_before_anything_is_sent(
    sf: Salesforce, local_org: LocalOrg, case: str, wrong: Any
) -> None:
    with pytest.raises(TypeError, match=r"(progress|on_job) is called: give a function, not a"):
        UNCALLED[case](sf, wrong)
    assert not [request for request in local_org.requests if "/job" in request.path]


def test_columns_are_names(sf: Salesforce) -> None:
    wrong: Any = 5
    with pytest.raises(TypeError, match="columns is a list of names, not a int"):
        sf.bulk.insert("Account", [{"Name": "Acme"}], columns=wrong)


UNFOUND: dict[str, tuple[Callable[[Salesforce, Any], object], str]] = {
    "update without ids": (
        lambda sf, kind: sf.bulk_v1.update("Account", [{"Name": "Acme"}], content_type=kind),
        "the rows have no column Id, by which records are found",
    ),
    "upsert without the external id": (
        lambda sf, kind: sf.bulk_v1.upsert("Account", [{"Name": "Acme"}], external_id="Key__c", content_type=kind),
        "the rows have no column Key__c, by which records are found",
    ),
    "delete with more than ids": (
        lambda sf, kind: sf.bulk_v1.delete("Account", [{"ID": "001000000000001", "Name": "x"}], content_type=kind),
        "the rows have 'Name' besides Id, and ids are all that a deletion takes",
    ),
}


@pytest.mark.parametrize("kind", ["CSV", "JSON", "XML"])
@pytest.mark.parametrize("case", UNFOUND)
def test_rows_of_1_0_have_what_finds_records(sf: Salesforce, local_org: LocalOrg, case: str, kind: str) -> None:
    call, reason = UNFOUND[case]
    with pytest.raises(ValueError, match=reason):
        call(sf, kind)
    assert not [request for request in local_org.requests if "/job" in request.path]


@pytest.mark.parametrize("form", ["ids", "rows", "CSV"])
def test_ids_are_enough_to_delete(sf: Salesforce, local_org: LocalOrg, form: str) -> None:
    ids = [sf.sobject("Account").create({"Name": f"Account {number}"}).id for number in range(3)]
    sources: dict[str, Any] = {
        "ids": iter(ids),
        "rows": [{"ID": each} for each in ids],
        "CSV": "\n".join(["Id", *ids]).encode(),
    }
    assert {row["sf__Id"] for row in sf.bulk.delete("Account", sources[form]).wait().successful()} == set(ids)
    assert sf.query("SELECT Id FROM Account").total_size == 0
