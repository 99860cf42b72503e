"""Records by id and by external id."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from integration.conftest import Create
from sfconnector import CallOptions, DuplicateRule, Salesforce
from sfconnector.errors import BadRequestError, ConflictError, MultipleMatchesError, NotFoundError

pytestmark = [pytest.mark.vcr, pytest.mark.block_network]


@attrs.frozen
class Account:
    Name: str
    Phone: str | None = None
    NumberOfEmployees: int | None = None
    Id: str | None = None


@dataclass(frozen=True)
class Person:
    __sobject__ = "Contact"

    LastName: str
    Birthdate: str | None = None
    CreatedDate: datetime | None = None


def test_a_record_from_the_cradle_to_the_grave(sf: Salesforce, tag: str) -> None:
    accounts = sf.sobject("Account")
    created = accounts.create({"Name": f"{tag} Müller & Söhne", "NumberOfEmployees": 7, "Phone": "1"})
    assert created.success
    assert len(created.id) == 18

    account = accounts.get(created.id)
    assert account["attributes"]["type"] == "Account"
    assert account["Name"] == f"{tag} Müller & Söhne"
    assert account["Id"] == created.id

    accounts.update(created.id, {"Phone": None, "NumberOfEmployees": 8})
    changed = accounts.get(created.id[:15], fields=["Phone", "NumberOfEmployees"])
    assert (changed["Phone"], changed["NumberOfEmployees"]) == (None, 8)
    assert "Name" not in changed

    accounts.delete(created.id)
    with pytest.raises(NotFoundError) as caught:
        accounts.get(created.id)
    assert caught.value.status == 404
    with pytest.raises(NotFoundError) as caught:
        accounts.delete(created.id)
    assert caught.value.code == "ENTITY_IS_DELETED"


def test_an_instance_of_an_attrs_class(sf: Salesforce, tag: str) -> None:
    accounts = sf.sobject(Account)
    created = accounts.create(Account(f"{tag} Acme", NumberOfEmployees=3))
    try:
        account = accounts.get(created.id)
        assert account == Account(f"{tag} Acme", None, 3, created.id)
        accounts.update(created.id, attrs.evolve(account, Phone="2", NumberOfEmployees=None))
        assert accounts.get(created.id) == Account(f"{tag} Acme", "2", None, created.id)
    finally:
        accounts.delete(created.id)


def test_an_instance_of_a_dataclass(sf: Salesforce, tag: str, create: Create) -> None:
    contact_id = create("Contact", {"LastName": f"{tag} Curie", "Birthdate": "1967-11-07"})
    person = sf.sobject(Person).get(contact_id)
    assert (person.LastName, person.Birthdate) == (f"{tag} Curie", "1967-11-07")
    assert person.CreatedDate is not None
    assert person.CreatedDate.tzinfo is not None


def test_reads_only_what_has_changed(sf: Salesforce, tag: str, create: Create) -> None:
    accounts = sf.sobject("Account")
    account_id = create("Account", {"Name": f"{tag} Acme"})
    changed = datetime.fromisoformat(accounts.get(account_id, ["LastModifiedDate"])["LastModifiedDate"])
    assert accounts.get(account_id, ["Id"], if_modified_since=changed + timedelta(seconds=2)) is None
    account = accounts.get(account_id, ["Name"], if_modified_since=changed - timedelta(days=1))
    assert account is not None
    assert account["Name"] == f"{tag} Acme"


def test_changes_nothing_that_another_has_changed(sf: Salesforce, tag: str, create: Create) -> None:
    accounts = sf.sobject("Account")
    account_id = create("Account", {"Name": f"{tag} Acme", "Phone": "1"})
    with pytest.raises(ConflictError) as caught:
        accounts.update(account_id, {"Phone": "2"}, if_unmodified_since=datetime(2020, 1, 1, tzinfo=UTC))
    assert caught.value.status == 412
    assert accounts.get(account_id, ["Phone"])["Phone"] == "1"


def test_takes_the_options_of_a_call(sf: Salesforce, tag: str) -> None:
    leads = sf.sobject("Lead")
    options = CallOptions(client="sfconnector-tests")
    rule = DuplicateRule(allow_save=True, include_record_details=False, run_as_current_user=True)
    lead = {"LastName": f"{tag} Noether", "Company": f"{tag} Acme", "Email": f"{tag}@example.com"}
    created = leads.create(lead, auto_assign=False, duplicate_rule=rule, call_options=options, timeout=30)
    change = {"Company": f"{tag} Acme Ltd"}
    leads.update(created.id, change, auto_assign=False, duplicate_rule=rule, call_options=options, timeout=(5, 30))
    assert leads.get(created.id, ["Company"], call_options=options)["Company"] == f"{tag} Acme Ltd"
    leads.delete(created.id, call_options=options)


def test_a_record_by_external_id(sf: Salesforce, tag: str) -> None:
    contacts, email = sf.sobject("Contact"), f"{tag}@example.com"
    created = contacts.upsert("Email", email, {"LastName": f"{tag} Curie"})
    assert created.created
    assert created.id is not None

    changed = contacts.upsert("Email", email, {"LastName": f"{tag} Skłodowska", "Email": email})
    assert not changed.created
    assert changed.id == created.id

    contact = contacts.get_by_external_id("Email", email, fields=["Id", "LastName"])
    assert (contact["Id"], contact["LastName"]) == (created.id, f"{tag} Skłodowska")

    contacts.delete_by_external_id("Email", email)
    with pytest.raises(NotFoundError):
        contacts.get_by_external_id("Email", email)
    with pytest.raises(NotFoundError):
        contacts.delete_by_external_id("Email", email)


@pytest.mark.local_org
@pytest.mark.parametrize(
    "value",
    ["A/1", "50 % off?", "a&b=c#d", "Ærø+ü", 'line\'s "end"'],
    ids=["slash", "percent", "query", "letters", "quotes"],
)
def test_an_external_id_of_odd_characters(sf: Salesforce, tag: str, value: str) -> None:
    accounts = sf.sobject("Account")
    created = accounts.upsert("Ext__c", value, {"Name": f"{tag} Acme"})
    assert created.created
    assert accounts.get_by_external_id("Ext__c", value, ["Id", "Ext__c"])["Ext__c"] == value
    accounts.delete_by_external_id("Ext__c", value)


def test_an_external_id_of_several_records(sf: Salesforce, tag: str, create: Create) -> None:
    email = f"{tag}@example.com"
    ids = {create("Contact", {"LastName": f"{tag} {name}", "Email": email}) for name in ("Curie", "Meitner")}
    contacts = sf.sobject("Contact")
    calls: list[Callable[[], object]] = [
        lambda: contacts.get_by_external_id("Email", email),
        lambda: contacts.upsert("Email", email, {"LastName": f"{tag} Noether"}),
        lambda: contacts.delete_by_external_id("Email", email),
    ]
    for call in calls:
        with pytest.raises(MultipleMatchesError) as caught:
            call()
        assert caught.value.status == 300
    assert {contact["Id"] for contact in sf.query(f"SELECT Id FROM Contact WHERE Email = '{email}'")} == ids


def test_refusals_name_what_was_wrong(sf: Salesforce, tag: str) -> None:
    accounts = sf.sobject("Account")
    with pytest.raises(BadRequestError) as caught:
        accounts.create({"Phone": "1"})
    assert (caught.value.code, caught.value.errors[0].fields) == ("REQUIRED_FIELD_MISSING", ("Name",))
    with pytest.raises(BadRequestError) as caught:
        accounts.create({"Name": f"{tag} Acme", "NoSuchField": 1})
    assert caught.value.code == "INVALID_FIELD"
    with pytest.raises(BadRequestError) as caught:
        accounts.create({"Name": f"{tag} Acme", "NumberOfEmployees": "many"})
    assert caught.value.code in {"INVALID_TYPE_ON_FIELD_IN_RECORD", "JSON_PARSER_ERROR"}
    with pytest.raises(NotFoundError):
        sf.sobject("NoSuchObject").create({"Name": f"{tag} Acme"})
    with pytest.raises(NotFoundError):
        accounts.get("001000000000000AAA")
