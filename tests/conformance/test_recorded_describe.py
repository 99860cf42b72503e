"""The local org beside describes which real orgs gave, where the folder of recordings is at hand."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sfconnector.testing._standard import standard_schema
from sfconnector.testing._store import Store

RECORDINGS = os.environ.get("SFCONNECTOR_RECORDINGS", "")
pytestmark = pytest.mark.skipif(
    not RECORDINGS or not Path(RECORDINGS).is_dir(), reason="SFCONNECTOR_RECORDINGS names no folder of recordings"
)
# Keys that only some releases answer.
PASSING_OBJECT_KEYS = {"associateEntityType", "associateParentEntity", "sobjectDescribeOption"}
# What an org's own setup decides: its labels, its layouts, its number of digits, what it may encrypt.
COMPARED = [
    "type",
    "length",
    "precision",
    "scale",
    "nillable",
    "createable",
    "updateable",
    "defaultedOnCreate",
    "autoNumber",
    "calculated",
    "externalId",
    "unique",
    "nameField",
    "idLookup",
    "filterable",
    "sortable",
    "groupable",
    "aggregatable",
    "restrictedPicklist",
    "referenceTo",
    "relationshipName",
    "restrictedDelete",
    "cascadeDelete",
    "compoundFieldName",
    "soapType",
    "polymorphicForeignKey",
    "custom",
]
# A Data.com key that names a relationship without referring to anything; the name of an org with person accounts.
KNOWN_DIFFERENCES = {
    ("Account", "JigsawCompanyId", "relationshipName"),
    ("Contact", "JigsawContactId", "relationshipName"),
    ("Lead", "JigsawContactId", "relationshipName"),
    ("Account", "Name", "compoundFieldName"),
    ("Account", "Name", "nillable"),
    # A date that follows from two others; objects of features that the local org does not have; its zones are User's.
    ("Event", "ActivityDate", "aggregatable"),
    ("Event", "WhatId", "referenceTo"),
    ("Event", "RecurrenceTimeZoneSidKey", "restrictedPicklist"),
}


def recorded_describes() -> list[dict[str, Any]]:
    """Every full describe in the recordings, from 2020 on."""
    found = []
    for path in sorted(Path(RECORDINGS).glob("*.jsonl")) if RECORDINGS else ():
        for line in path.read_text("utf-8").splitlines():
            recorded = json.loads(line)
            if recorded["category"] == "describe.sobject" and recorded["response"]["status"] == 200:
                body = recorded["response"]["body"]
                if body.lstrip().startswith("{") and '"fields"' in body:
                    found.append(json.loads(body))
    return found


DESCRIBES = recorded_describes()
IDS = [describe["name"] for describe in DESCRIBES]
STANDARD = [describe for describe in DESCRIBES if standard_schema().get(describe["name"])]


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


def test_there_are_recordings() -> None:
    assert {"Account", "Contact", "Lead", "Opportunity", "Case", "User"} <= set(IDS)


@pytest.mark.parametrize("recorded", DESCRIBES, ids=IDS)
def test_a_real_describe_is_answered_back(recorded: dict[str, Any]) -> None:
    store = Store()
    store.load_describe(recorded)
    answer = store.describe(recorded["name"], "59.0")
    passing = {"urls", "supportedScopes", "childRelationships", *PASSING_OBJECT_KEYS}
    assert {key: answer[key] for key in answer if key not in passing} == {
        key: recorded[key] for key in recorded if key not in passing
    }
    if recorded["supportedScopes"]:
        assert answer["supportedScopes"] == recorded["supportedScopes"]
    answered = {(child["childSObject"], child["field"]): child for child in answer["childRelationships"]}
    for child in recorded["childRelationships"]:
        assert answered[child["childSObject"], child["field"]] == child
    store.close()


@pytest.mark.parametrize("recorded", DESCRIBES, ids=IDS)
def test_a_described_object_takes_records(recorded: dict[str, Any]) -> None:
    store = Store()
    sobject = store.load_describe(recorded)
    with store.transaction() as connection:
        columns = {row["name"] for row in connection.execute(f'PRAGMA table_info("{sobject.name}")')}
    compound = {field["name"] for field in recorded["fields"] if field["type"] in ("address", "location")}
    assert columns == {field["name"] for field in recorded["fields"]} - compound
    store.close()


@pytest.mark.parametrize("recorded", STANDARD, ids=[describe["name"] for describe in STANDARD])
def test_our_own_objects_have_the_keys_and_properties_of_real_ones(store: Store, recorded: dict[str, Any]) -> None:
    answer = store.describe(recorded["name"], "59.0")
    assert set(answer) - PASSING_OBJECT_KEYS == set(recorded) - PASSING_OBJECT_KEYS
    theirs = {field["name"]: field for field in recorded["fields"]}
    ours = {field["name"]: field for field in answer["fields"]}
    assert all(set(field) == set(next(iter(theirs.values()))) for field in ours.values())
    differences = [
        (recorded["name"], name, key)
        for name in ours.keys() & theirs.keys()
        for key in COMPARED
        if ours[name][key] != theirs[name][key]
        # Picklists grew from 40 to 255 characters between the releases recorded.
        and (key, ours[name]["type"]) != ("length", "picklist")
    ]
    assert set(differences) <= KNOWN_DIFFERENCES
    for key in ("childRelationships", "recordTypeInfos", "supportedScopes"):
        assert {tuple(sorted(entry)) for entry in answer[key]} <= {tuple(sorted(entry)) for entry in recorded[key]}


def test_the_global_describe_has_the_keys_of_a_real_one(store: Store) -> None:
    bodies = [
        json.loads(line)["response"]["body"]
        for path in Path(RECORDINGS).glob("*.jsonl")
        for line in path.read_text("utf-8").splitlines()
        if '"describe.global"' in line
    ]
    recorded = next(json.loads(body) for body in bodies if body.lstrip().startswith("{") and len(body) > 1000)
    answer = store.describe_global("52.0")
    assert set(answer) == set(recorded)
    # An entry without a key prefix was written by hand, after the pattern of Account.
    theirs = {entry["name"]: entry for entry in recorded["sobjects"] if entry["keyPrefix"]}
    for entry in answer["sobjects"]:
        assert set(entry) == set(theirs["Account"])
        if entry["name"] in theirs:
            flags = {key: value for key, value in theirs[entry["name"]].items() if isinstance(value, bool)}
            assert {key: entry[key] for key in flags} == flags, entry["name"]
            assert entry["urls"] == theirs[entry["name"]]["urls"]
