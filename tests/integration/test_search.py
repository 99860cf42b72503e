"""Searches."""

import pytest

from integration.conftest import Create
from sfconnector import Salesforce, sosl
from sfconnector.errors import BadRequestError

# A real org indexes records some time after they are created.
pytestmark = [pytest.mark.vcr, pytest.mark.block_network, pytest.mark.local_org]


def test_finds_records_by_their_words(sf: Salesforce, create: Create, tag: str) -> None:
    create("Account", {"Name": f"{tag} O'Neil (UK)"})
    create("Contact", {"LastName": f"{tag} O'Neil"})
    text = sosl("FIND {text} IN NAME FIELDS RETURNING Account(Name), Contact(Name)", text=f"{tag} O'Neil")
    assert {record["Name"] for record in sf.search(text)} == {f"{tag} O'Neil (UK)", f"{tag} O'Neil"}
    narrow = sosl("FIND {text:phrase} RETURNING Account(Name WHERE Name LIKE {end:endswith})", text=tag, end="(UK)")
    assert [record["Name"] for record in sf.search(narrow)] == [f"{tag} O'Neil (UK)"]


def test_finds_records_by_a_plain_text(sf: Salesforce, create: Create, tag: str) -> None:
    create("Account", {"Name": f"{tag} (UK)"})
    found = sf.search_text(f"{tag} (UK)", literal=True, sobjects=["Account"], fields=["Name"])
    assert [record["Name"] for record in found] == [f"{tag} (UK)"]


def test_a_long_search_goes_in_a_body(sf: Salesforce, create: Create, tag: str) -> None:
    create("Account", {"Name": tag})
    names = [f"Company number {number}" for number in range(700)]
    text = sosl("FIND {text} RETURNING Account(Name WHERE Name NOT IN {names})", text=tag, names=names)
    assert [record["Name"] for record in sf.search(text)] == [tag]


def test_refusals_name_what_was_wrong(sf: Salesforce) -> None:
    with pytest.raises(BadRequestError) as caught:
        list(sf.search("FIND Acme"))
    assert caught.value.code == "MALFORMED_SEARCH"
