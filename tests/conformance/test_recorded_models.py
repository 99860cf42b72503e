"""Typed records by descriptions that Salesforce gave, and records that it gave in their classes."""

import json
import re
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest
from recordings import Exchange, Recordings
from sfconnector_generated.rest.models import DescribeSObjectResult

from sfconnector import UNSET, _json, models
from sfconnector._records import RecordClass

MODULE = "typed_records_of_recordings"


@pytest.fixture
def described(recordings: Recordings) -> dict[str, dict[str, Any]]:
    """The largest description of each object."""
    found = [each for each in recordings.of("describe.sobject", status=200) if '"fields"' in each.body]
    found.sort(key=lambda each: len(each.body))
    return {each.resource[1]: each.data for each in found}


@pytest.fixture
def module(described: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    text = models.source(map(DescribeSObjectResult.from_dict, described.values()))
    module = types.ModuleType(MODULE)
    monkeypatch.setitem(sys.modules, MODULE, module)
    exec(compile(text, f"{MODULE}.py", "exec"), module.__dict__)  # noqa: S102  # running it is the test
    return module


def test_each_recorded_description_becomes_a_class(
    described: dict[str, dict[str, Any]], module: types.ModuleType
) -> None:
    assert {"Account", "Contact", "Lead", "Opportunity", "Case", "User", "Profile"} <= {*described}
    for name, description in described.items():
        record_class: RecordClass[Any] = RecordClass.of(getattr(module, name))
        assert record_class.fields == tuple(field["name"] for field in description["fields"])


def records(queries: list[Exchange]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The records of plain queries, each with its object."""
    for query in queries:
        if re.fullmatch(r"\s*SELECT\s+[\w\s,]+?\s+FROM\s+\w+\b.*", query.params["q"], re.IGNORECASE | re.DOTALL):
            for record in query.data["records"]:
                yield record["attributes"]["type"], record


def test_recorded_records_go_through_their_classes(
    recordings: Recordings, described: dict[str, dict[str, Any]], module: types.ModuleType
) -> None:
    seen = 0
    for sobject, record in records(recordings.of("query", status=200)):
        if sobject not in described:
            continue
        seen += 1
        record_class: RecordClass[Any] = RecordClass.of(getattr(module, sobject))
        instance = record_class.decoder()(record)
        fields = {field["name"]: field for field in described[sobject]["fields"]}
        read = {name: value for name, value in record.items() if name in fields}
        for attribute, name in record_class.attributes:
            assert (getattr(instance, attribute) is UNSET) == (name not in read)
        for purpose, key in (("create", "createable"), ("update", "updateable")):
            sent = json.loads(_json.dumps(record_class.encode(instance, purpose=purpose)))  # type: ignore[arg-type]
            assert sent == {
                name: value.replace("+0000", "Z") if fields[name]["type"] == "datetime" and value else value
                for name, value in read.items()
                if fields[name][key] and name != "Id"
            }
    assert seen > 300
