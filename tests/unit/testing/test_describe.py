import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sfconnector.testing._store import Store

FIELD_KEYS = [
    "aggregatable",
    "aiPredictionField",
    "autoNumber",
    "byteLength",
    "calculated",
    "calculatedFormula",
    "cascadeDelete",
    "caseSensitive",
    "compoundFieldName",
    "controllerName",
    "createable",
    "custom",
    "defaultValue",
    "defaultValueFormula",
    "defaultedOnCreate",
    "dependentPicklist",
    "deprecatedAndHidden",
    "digits",
    "displayLocationInDecimal",
    "encrypted",
    "externalId",
    "extraTypeInfo",
    "filterable",
    "filteredLookupInfo",
    "formulaTreatNullNumberAsZero",
    "groupable",
    "highScaleNumber",
    "htmlFormatted",
    "idLookup",
    "inlineHelpText",
    "label",
    "length",
    "mask",
    "maskType",
    "name",
    "nameField",
    "namePointing",
    "nillable",
    "permissionable",
    "picklistValues",
    "polymorphicForeignKey",
    "precision",
    "queryByDistance",
    "referenceTargetField",
    "referenceTo",
    "relationshipName",
    "relationshipOrder",
    "restrictedDelete",
    "restrictedPicklist",
    "scale",
    "searchPrefilterable",
    "soapType",
    "sortable",
    "type",
    "unique",
    "updateable",
    "writeRequiresMasterRead",
]


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    store = Store()
    store.instance_url = "http://127.0.0.1:8000"
    yield store
    store.close()


def described_field(store: Store, sobject: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(field for field in store.describe(sobject, "68.0")["fields"] if field["name"] == name)
    return found


def test_every_object_is_in_the_global_describe(store: Store) -> None:
    answer = store.describe_global("61.0")
    assert (answer["encoding"], answer["maxBatchSize"]) == ("UTF-8", 200)
    assert [entry["name"] for entry in answer["sobjects"]] == [sobject.name for sobject in store.schema]
    account = next(entry for entry in answer["sobjects"] if entry["name"] == "Account")
    assert (account["keyPrefix"], account["labelPlural"], account["mergeable"]) == ("001", "Accounts", True)
    assert account["urls"]["describe"] == "/services/data/v61.0/sobjects/Account/describe"
    assert "fields" not in account


def test_the_short_form(store: Store) -> None:
    answer = store.info("opportunity", "37.0")
    assert set(answer) == {"objectDescribe", "recentItems"}
    assert answer["recentItems"] == []
    short = answer["objectDescribe"]
    assert short["name"] == "Opportunity"
    assert short["urls"] == {
        "sobject": "/services/data/v37.0/sobjects/Opportunity",
        "describe": "/services/data/v37.0/sobjects/Opportunity/describe",
        "rowTemplate": "/services/data/v37.0/sobjects/Opportunity/{ID}",
    }


def test_the_full_form_is_plain_json(store: Store) -> None:
    for sobject in store.schema:
        answer = store.describe(sobject.name, "68.0")
        assert json.loads(json.dumps(answer)) == answer
        assert {tuple(field) for field in answer["fields"]} == {tuple(FIELD_KEYS)}


def test_urls_and_scopes(store: Store) -> None:
    lead = store.describe("Lead", "59.0")
    assert lead["urls"]["uiNewRecord"] == "http://127.0.0.1:8000/00Q/e"
    assert lead["urls"]["layouts"] == "/services/data/v59.0/sobjects/Lead/describe/layouts"
    assert {"label": "All leads", "name": "everything"} in lead["supportedScopes"]
    assert {scope["name"] for scope in lead["supportedScopes"]} >= {"everything", "mine", "queue_owned"}
    assert "layouts" not in store.describe("Profile", "59.0")["urls"]
    assert store.describe("User", "59.0")["urls"]["passwordUtilities"].endswith("/User/{ID}/password")


@pytest.mark.parametrize(
    ("sobject", "name", "expected"),
    [
        ("Account", "Id", {"type": "id", "soapType": "tns:ID", "byteLength": 18, "idLookup": True}),
        ("Account", "Name", {"byteLength": 765, "nameField": True, "soapType": "xsd:string", "nillable": False}),
        ("Account", "AnnualRevenue", {"soapType": "xsd:double", "precision": 18, "scale": 0}),
        ("Account", "BillingAddress", {"soapType": "urn:address", "queryByDistance": True, "compoundFieldName": None}),
        ("Contact", "AccountId", {"referenceTo": ["Account"], "cascadeDelete": False, "searchPrefilterable": True}),
        ("Contact", "LastName", {"extraTypeInfo": "personname", "compoundFieldName": "Name"}),
        ("Lead", "OwnerId", {"referenceTo": ["Group", "User"], "polymorphicForeignKey": True, "namePointing": True}),
        ("Case", "CaseNumber", {"autoNumber": True, "createable": False, "groupable": False}),
        ("Task", "Description", {"filterable": False, "extraTypeInfo": "plaintextarea"}),
    ],
)
def test_described_fields(store: Store, sobject: str, name: str, expected: dict[str, Any]) -> None:
    field = described_field(store, sobject, name)
    assert {key: field[key] for key in expected} == expected


def test_picklist_values_and_record_types(store: Store) -> None:
    status = described_field(store, "Lead", "Status")["picklistValues"]
    assert status[0] == {
        "active": True,
        "defaultValue": True,
        "label": "Open - Not Contacted",
        "validFor": None,
        "value": "Open - Not Contacted",
    }
    infos = store.describe("Account", "68.0")["recordTypeInfos"]
    assert [(info["name"], info["master"], info["defaultRecordTypeMapping"]) for info in infos] == [
        ("Customer", False, False),
        ("Partner", False, False),
        ("Master", True, True),
    ]
    assert [info["name"] for info in store.describe("Task", "68.0")["recordTypeInfos"]] == ["Master"]


def test_child_relationships(store: Store) -> None:
    children = store.describe("Account", "68.0")["childRelationships"]
    contacts = next(child for child in children if child["childSObject"] == "Contact")
    assert contacts == {
        "cascadeDelete": True,
        "childSObject": "Contact",
        "deprecatedAndHidden": False,
        "field": "AccountId",
        "junctionIdListNames": [],
        "junctionReferenceTo": [],
        "relationshipName": "Contacts",
        "restrictedDelete": False,
    }
    assert not [child for child in children if child["field"] == "MasterRecordId"]


def test_custom_fields_are_described_as_they_were_given() -> None:
    store = Store()
    store.add_object(
        "Line__c",
        {
            "Master__c": {"type": "reference", "reference_to": "Account", "cascade_delete": True, "required": True},
            "Sum__c": {"type": "currency", "formula": "A__c + B__c", "help_text": "The sum"},
            "Key__c": "string(20) external_id unique case_sensitive",
            "Place__c": "location",
        },
        label="Line",
        label_plural="Lines of Invoices",
    )
    answer = store.describe("Line__c", "68.0")
    fields = {field["name"]: field for field in answer["fields"]}
    assert (answer["custom"], answer["labelPlural"], answer["keyPrefix"][0]) == (True, "Lines of Invoices", "a")
    assert fields["Master__c"]["cascadeDelete"] is True
    assert fields["Master__c"]["relationshipName"] == "Master__r"
    assert (fields["Sum__c"]["calculated"], fields["Sum__c"]["calculatedFormula"]) == (True, "A__c + B__c")
    assert fields["Sum__c"]["inlineHelpText"] == "The sum"
    assert (fields["Key__c"]["unique"], fields["Key__c"]["caseSensitive"]) == (True, True)
    assert fields["Place__Latitude__s"]["compoundFieldName"] == "Place__c"
    assert not any("autoNumberFormat" in field or "childRelationshipName" in field for field in answer["fields"])
    store.close()


def test_a_describe_of_another_org_is_taken_over(tmp_path: Path) -> None:
    origin = Store()
    origin.add_object(
        "Bill__c",
        {
            "Total__c": "currency(16, 2)",
            "Kind__c": {"type": "picklist", "values": ["A", "B"], "restricted": True},
            "Account__c": {"type": "reference", "reference_to": "Account", "child_relationship_name": "Bills"},
        },
        record_types=[{"name": "Big", "default": True}],
    )
    parent, child = origin.describe("Account", "68.0"), origin.describe("Bill__c", "68.0")
    origin.close()
    path = tmp_path / "describe.json"
    path.write_text(json.dumps(child), encoding="utf-8")

    store = Store(path=tmp_path / "org.db")
    store.load_describe(path)
    store.load_describe(json.dumps(parent))
    store.close()
    again = Store(path=tmp_path / "org.db")
    answer = again.describe("Bill__c", "68.0")
    assert answer["fields"] == child["fields"]
    assert answer["recordTypeInfos"] == child["recordTypeInfos"]
    assert again.describe("Account", "68.0")["childRelationships"] == parent["childRelationships"]
    big = next(info["recordTypeId"] for info in child["recordTypeInfos"] if info["name"] == "Big")
    account = again.create("Account", {"Name": "Acme"}, again.context())
    bill = again.create("Bill__c", {"Account__c": account, "Kind__c": "A"}, again.context())
    assert again.get("Bill__c", bill, ["RecordTypeId"], again.context())["RecordTypeId"] == big
    again.close()


@pytest.mark.parametrize("describe", [{}, {"name": "X"}, {"name": "X__c", "fields": []}, '{"sobjects": []}'])
def test_what_is_no_describe(store: Store, describe: Any) -> None:
    with pytest.raises(ValueError, match="describe"):
        store.load_describe(describe)
