"""XML of Bulk API 1.0: what is written can be read, whatever the values are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfconnector.testing._async import _xml
from sfconnector.testing._async._records import read_json, read_xml, table

# What a document can hold, carriage returns included.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\t\n\r"), min_size=1)


@given(TEXTS)
def test_texts_come_out_as_they_went_in(value: str) -> None:
    document = _xml.document("sObjects", [f"<sObject>{_xml.leaf('Name', value)}</sObject>"])
    (record,) = read_xml(document)
    # Two code points that are no characters.
    assert record == {"Name": value.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")}


@pytest.mark.parametrize("code", [0, 8, 11, 31, 0xD800, 0xFFFE, 0xFFFF])
def test_what_xml_cannot_hold_is_replaced(code: int) -> None:
    assert _xml.text(f"a{chr(code)}b") == "a\ufffdb"


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.text() | st.none() | st.integers(0, 9)), max_size=5))
def test_records_come_under_the_same_columns(records: list[dict[str, object]]) -> None:
    columns, rows = table(records)
    assert [dict(zip(columns, row, strict=True)) for row in rows] == [
        {name: record.get(name, "") for name in columns} for record in records
    ]
    assert columns == list(dict.fromkeys(name for record in records for name in record))


def test_a_document_without_children_closes_itself() -> None:
    assert _xml.document("list", []) == (
        b'<?xml version="1.0" encoding="UTF-8"?><list\n   xmlns="http://www.force.com/2009/06/asyncapi/dataload" />'
    )


def test_a_parent_that_is_null() -> None:
    assert read_json(b'[{"Account": {"Ext__c": null}, "attributes": {"type": "Contact"}}]') == [
        {"Account.Ext__c": None}
    ]
