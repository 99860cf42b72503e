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
