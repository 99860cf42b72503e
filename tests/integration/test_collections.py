"""Many records at a time."""

from contextlib import suppress

import pytest

from sfconnector import Salesforce
from sfconnector.errors import RecordError

pytestmark = [pytest.mark.vcr, pytest.mark.block_network]


def test_many_records_from_the_cradle_to_the_grave(sf: Salesforce, tag: str) -> None:
    accounts = sf.sobject("Account")
    created = list(accounts.create_many({"Name": f"{tag} Müller {number}"} for number in range(5)))
    ids = [result.id or "" for result in created]
    try:
        assert [(result.index, result.success, result.created) for result in created] == [
            (number, True, True) for number in range(5)
        ]
        changes = ({"Id": record_id, "Phone": str(number)} for number, record_id in enumerate(ids))
        assert accounts.update_many(changes, batch_size=2).failures() == []
        read = list(accounts.get_many([*ids, "001000000000000AAA"], fields=["Name", "Phone"]))
        assert [record and (record["Name"], record["Phone"]) for record in read] == [
            *((f"{tag} Müller {number}", str(number)) for number in range(5)),
            None,
        ]
    finally:
        deleted = list(accounts.delete_many(ids))
    assert [result.id for result in deleted] == ids
    again = accounts.delete_many(ids[:1], raise_on_failure=False)
    assert [result.errors[0].code for result in again] == ["ENTITY_IS_DELETED"]


def test_records_of_several_objects(sf: Salesforce, tag: str) -> None:
    records = [
        {"attributes": {"type": "Account"}, "Name": f"{tag} Acme"},
        {"attributes": {"type": "Contact"}, "LastName": f"{tag} Curie"},
    ]
    ids = [result.id or "" for result in sf.create_many(records)]
    assert [record_id[:3] for record_id in ids] == ["001", "003"]
    assert sf.delete_many(ids).failures() == []


def test_a_record_that_fails_takes_none_with_it_or_all(sf: Salesforce, tag: str) -> None:
    contacts = sf.sobject("Contact")
    records = [{"LastName": f"{tag} Curie"}, {"FirstName": f"{tag} Marie"}]
    one, other = contacts.create_many(records, raise_on_failure=False)
    with suppress(RecordError):
        list(contacts.delete_many([one.id or ""]))
    assert (one.success, other.success, other.id) == (True, False, None)
    assert [(error.code, error.fields) for error in other.errors] == [("REQUIRED_FIELD_MISSING", ("LastName",))]

    results = contacts.create_many(records, all_or_none=True)
    with pytest.raises(RecordError, match=r"^2 of 2 records failed") as caught:
        list(results)
    assert [failure.errors[0].code for failure in caught.value.failures] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "REQUIRED_FIELD_MISSING",
    ]
