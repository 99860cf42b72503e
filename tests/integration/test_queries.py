"""Queries, from the first page to the last."""

from collections.abc import Iterator
from datetime import UTC, datetime

import attrs
import pytest
from sfconnector_generated.rest.api.collections import create_records, delete_records
from sfconnector_generated.rest.models import RecordsRequest

from integration.conftest import Create
from sfconnector import CallOptions, Salesforce, soql
from sfconnector.errors import BadRequestError

pytestmark = [pytest.mark.vcr, pytest.mark.block_network]


@attrs.frozen
class Contact:
    LastName: str


@attrs.frozen
class Account:
    Name: str
    Contacts: list[Contact] | None
    Parent: "Owner | None" = None


@attrs.frozen
class Owner:
    Name: str


@pytest.fixture
def family(create: Create, tag: str) -> str:
    """An account with a parent and two contacts, and an account without."""
    parent = create("Account", {"Name": f"{tag} Holding"})
    account = create("Account", {"Name": f"{tag} O'Neil \\ Söhne", "ParentId": parent})
    for name in ("Curie", "Meitner"):
        create("Contact", {"LastName": f"{tag} {name}", "AccountId": account})
    return account


def test_walks_over_the_records(sf: Salesforce, tag: str, family: str) -> None:
    query = soql("SELECT Id, Name, Parent.Name FROM Account WHERE Name LIKE {name} ORDER BY Name", name=f"{tag}%")
    holding, account = sf.query(query)
    assert (holding["Name"], holding["Parent"]) == (f"{tag} Holding", None)
    assert (account["Id"], account["Parent"]["Name"]) == (family, f"{tag} Holding")


def test_quotes_what_is_put_into_a_query(sf: Salesforce, tag: str, family: str) -> None:
    since = datetime(2020, 1, 1, tzinfo=UTC)
    names = [f"{tag} O'Neil \\ Söhne", "' OR Name != '"]
    query = soql("SELECT Id FROM Account WHERE Name IN {names} AND CreatedDate > {since}", names=names, since=since)
    assert [account["Id"] for account in sf.query(query, call_options=CallOptions(client="tests"))] == [family]


def test_gives_instances_of_a_class(sf: Salesforce, tag: str, family: str) -> None:
    found = sf.query(soql("FROM Account WHERE Id = {id}", id=family), into=Account)
    (account,) = found
    assert account.Name == f"{tag} O'Neil \\ Söhne"
    assert account.Parent == Owner(f"{tag} Holding")
    assert account.Contacts is not None
    assert {contact.LastName for contact in account.Contacts} == {f"{tag} Curie", f"{tag} Meitner"}


def test_hands_out_children_as_salesforce_sends_them(sf: Salesforce, family: str) -> None:
    query = soql("SELECT Id, (SELECT Id FROM Contacts), (SELECT Id FROM Cases) FROM Account WHERE Id = {id}", id=family)
    (account,) = sf.query(query)
    assert (account["Contacts"]["totalSize"], account["Contacts"]["done"]) == (2, True)
    assert len(account["Contacts"]["records"]) == 2
    assert account["Cases"] is None


def test_counts(sf: Salesforce, tag: str, family: str) -> None:
    query = sf.query(soql("SELECT COUNT() FROM Contact WHERE AccountId = {id}", id=family))
    assert query.total_size == 2
    assert list(query) == []


def test_finds_deleted_records_when_asked_to(sf: Salesforce, tag: str, create: Create) -> None:
    account_id = create("Account", {"Name": f"{tag} Acme"})
    sf.sobject("Account").delete(account_id)
    query = soql("SELECT Id, IsDeleted FROM Account WHERE Id = {id}", id=account_id)
    assert list(sf.query(query)) == []
    (account,) = sf.query(query, include_deleted=True)
    assert account["IsDeleted"] is True


@pytest.fixture
def many(sf: Salesforce, tag: str) -> Iterator[int]:
    """One contact more than fits into the smallest page."""
    ids: list[str] = []
    for count in (200, 1):
        records = [{"attributes": {"type": "Contact"}, "LastName": tag}] * count
        body = RecordsRequest.from_dict({"allOrNone": True, "records": records})
        saved = create_records.sync(client=sf.api, body=body, sforce_duplicate_rule_header="allowSave=true")
        ids += [str(result.id) for result in saved]
    yield len(ids)
    for start in range(0, len(ids), 200):
        deleted = delete_records.sync(client=sf.api, ids=ids[start : start + 200])
        assert all(result.success for result in deleted)


def test_asks_for_one_page_after_another(sf: Salesforce, tag: str, many: int) -> None:
    query = sf.query(soql("SELECT Id FROM Contact WHERE LastName = {name}", name=tag), batch_size=200)
    assert query.total_size == many
    pages = list(query.pages())
    assert [len(page) for page in pages] == [200, 1]
    assert len({contact["Id"] for page in pages for contact in page}) == many


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY"),
        ("SELECT NoSuchField FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM NoSuchObject", "INVALID_TYPE"),
    ],
    ids=["grammar", "field", "object"],
)
def test_refusals_name_what_was_wrong(sf: Salesforce, query: str, code: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        list(sf.query(query))
    assert caught.value.code == code
