import dataclasses
import enum
import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfconnector import _json
from sfconnector._records import RecordClass, encode


@attrs.frozen
class Owner:
    Name: str


@attrs.frozen
class Contact:
    Id: str
    LastName: str


@attrs.define
class Account:
    Id: str
    Name: str | None
    employees: int | None = attrs.field(metadata={"api_name": "NumberOfEmployees"})
    AnnualRevenue: Decimal | None
    CreatedDate: datetime
    Owner: Owner | None
    Contacts: list[Contact]


@dataclasses.dataclass
class Invoice:
    __sobject__ = "Invoice__c"
    Id: str
    Paid__c: bool
    Due__c: date | None = None
    At__c: time | None = None
    Total__c: float | None = None


RECORD: dict[str, Any] = {
    "attributes": {"type": "Account", "url": "/services/data/v68.0/sobjects/Account/001000000000001AAA"},
    "Id": "001000000000001AAA",
    "Name": None,
    "NumberOfEmployees": 12,
    "AnnualRevenue": 1.1,
    "CreatedDate": "2024-05-01T12:00:00.000+0000",
    "Owner": {"attributes": {}, "Name": "Ada"},
    "Contacts": {"totalSize": 1, "done": True, "records": [{"Id": "003000000000001AAA", "LastName": "Curie"}]},
}


def test_a_class_says_what_is_selected() -> None:
    record_class = RecordClass.of(Account)
    assert record_class.sobject == "Account"
    assert record_class.select == (
        "Id",
        "Name",
        "NumberOfEmployees",
        "AnnualRevenue",
        "CreatedDate",
        "Owner.Name",
        "(SELECT Id, LastName FROM Contacts)",
    )
    assert RecordClass.of(Invoice).sobject == "Invoice__c"


def test_an_instance_holds_what_the_record_says() -> None:
    assert RecordClass.of(Account).decoder()(RECORD) == Account(
        Id="001000000000001AAA",
        Name=None,
        employees=12,
        AnnualRevenue=Decimal("1.1"),
        CreatedDate=datetime(2024, 5, 1, 12, tzinfo=UTC),
        Owner=Owner("Ada"),
        Contacts=[Contact("003000000000001AAA", "Curie")],
    )


def test_missing_relationships_are_none_and_empty() -> None:
    account = RecordClass.of(Account).decoder()(RECORD | {"Owner": None, "Contacts": None})
    assert (account.Owner, account.Contacts) == (None, [])


def test_a_dataclass_reads_dates_and_times() -> None:
    invoice = RecordClass.of(Invoice).decoder()(
        {"Id": "a00", "Paid__c": True, "Due__c": "2024-02-29", "At__c": "09:30:00.000Z", "Total__c": 3}
    )
    assert invoice == Invoice("a00", True, date(2024, 2, 29), time(9, 30), 3.0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Id": None}, "Id"),
        ({"NumberOfEmployees": 1.5}, "employees"),
        ({"NumberOfEmployees": "12"}, "employees"),
        ({"Name": 5}, "Name"),
        ({"CreatedDate": "yesterday"}, "CreatedDate"),
    ],
)
def test_a_record_that_does_not_fit_names_the_field_and_no_value(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=rf"a record does not fit Account: .*{reason}") as caught:
        RecordClass.of(Account).decoder()(RECORD | change)
    assert "yesterday" not in str(caught.value)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(ValueError, match=r"required field missing @ \$\.Name"):
        RecordClass.of(Account).decoder()({key: value for key, value in RECORD.items() if key != "Name"})


@pytest.mark.parametrize("cls", [dict, str, int])
def test_what_is_no_record_class_is_refused(cls: type) -> None:
    with pytest.raises(TypeError, match="attrs classes or dataclasses"):
        RecordClass.of(cls)


def test_a_class_without_fields_is_refused() -> None:
    @attrs.frozen
    class Empty:
        pass

    with pytest.raises(TypeError, match="has no fields"):
        RecordClass.of(Empty)


def test_an_api_name_that_is_none_is_refused() -> None:
    @attrs.frozen
    class Wrong:
        name: str = attrs.field(metadata={"api_name": "Name FROM User"})

    with pytest.raises(ValueError, match="is not the name of a Salesforce field"):
        RecordClass.of(Wrong)


def test_an_instance_is_written_without_id_and_relationships() -> None:
    account = RecordClass.of(Account).decoder()(RECORD)
    written = RecordClass.of(Account).encode(account, purpose="update")
    assert json.loads(_json.dumps(written)) == {
        "Name": None,
        "NumberOfEmployees": 12,
        "AnnualRevenue": 1.1,
        "CreatedDate": "2024-05-01T12:00:00.000Z",
    }
    assert "Name" not in RecordClass.of(Account).encode(account, purpose="create")


class Rating(enum.StrEnum):
    HOT = "Hot"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "null"),
        (True, "true"),
        (1, "1"),
        (1.5, "1.5"),
        (Decimal("12345678901234567.89"), "12345678901234567.89"),
        (Decimal("1E+2"), "100"),
        ("é", '"é"'),
        (Rating.HOT, '"Hot"'),
        (date(2024, 2, 29), '"2024-02-29"'),
        (time(9, 30), '"09:30:00.000Z"'),
        (datetime(2024, 5, 1, 1, tzinfo=timezone(timedelta(hours=2))), '"2024-04-30T23:00:00.000Z"'),
        ({"type": "Account"}, '{"type":"Account"}'),
        ([{"a": Decimal("1.10")}], '[{"a":1.10}]'),
    ],
)
def test_values_go_out_as_salesforce_reads_them(value: object, written: str) -> None:
    assert _json.dumps(encode({"f": value})).decode() == f'{{"f":{written}}}'


@pytest.mark.parametrize(
    ("record", "error", "text"),
    [
        ("Name", TypeError, "a record is a dict"),
        ([("Name", 1)], TypeError, "a record is a dict"),
        (None, TypeError, "a record is a dict"),
        ({1: "x"}, TypeError, "a field is named by a text"),
        ({"": "x"}, TypeError, "a field is named by a text"),
        ({"F": b"x"}, TypeError, "F: a bytes has no place"),
        ({"F": {1, 2}}, TypeError, "F: a set has no place"),
        ({"F": float("nan")}, ValueError, "F: JSON has no number for nan"),
        ({"F": Decimal("NaN")}, ValueError, "F: JSON has no number for NaN"),
        ({"F": datetime(2024, 1, 1)}, ValueError, "F: the datetime has no time zone"),
        ({"F": {"G": float("inf")}}, ValueError, "F.G: JSON has no number for inf"),
    ],
)
def test_what_has_no_form_is_refused(record: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        encode(record)


@given(st.dictionaries(st.text(min_size=1), st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()))
def test_json_values_go_out_as_they_are(record: dict[str, Any]) -> None:
    assert encode(record) == record


@attrs.frozen
class Node:
    Name: str
    Parent: "Node | None"


def test_a_class_that_holds_itself_is_refused() -> None:
    with pytest.raises(TypeError, match="Node holds itself"):
        RecordClass.of(Node)


def test_a_class_whose_types_cannot_be_found_is_refused() -> None:
    @attrs.frozen
    class Lost:
        Owner: "Nowhere"  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(TypeError, match="Lost: name 'Nowhere' is not defined; define"):
        RecordClass.of(Lost)
