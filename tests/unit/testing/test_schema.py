import time
from typing import Any

import pytest

from sfconnector.testing import _definition
from sfconnector.testing._definition import load_yaml, make_field, make_fields, make_object
from sfconnector.testing._schema import Field
from sfconnector.testing._standard import standard_objects, standard_schema

PREFIXES = {
    "Account": "001",
    "Contact": "003",
    "Lead": "00Q",
    "LeadStatus": "01J",
    "Opportunity": "006",
    "Case": "500",
    "Task": "00T",
    "User": "005",
    "Organization": "00D",
    "RecordType": "012",
    "Profile": "00e",
    "UserRole": "00E",
    "Group": "00G",
    "Event": "00U",
    "Campaign": "701",
    "CampaignMember": "00v",
    "CampaignMemberStatus": "01Y",
    "Product2": "01t",
    "Pricebook2": "01s",
    "PricebookEntry": "01u",
    "OpportunityLineItem": "00k",
    "OpportunityContactRole": "00K",
    "AccountContactRole": "02Z",
    "Asset": "02i",
    "Contract": "800",
    "Order": "801",
    "OrderItem": "802",
    "Attachment": "00P",
    "Note": "002",
    "Document": "015",
    "Folder": "00l",
    "ContentVersion": "068",
    "ContentDocument": "069",
    "ContentDocumentLink": "06A",
    "Report": "00O",
}


@pytest.mark.parametrize(("name", "prefix"), PREFIXES.items())
def test_standard_objects_have_their_key_prefix(name: str, prefix: str) -> None:
    sobject = standard_schema().get(name.upper())
    assert sobject is not None
    assert sobject.name == name
    assert sobject.key_prefix == prefix


@pytest.mark.parametrize(
    ("name", "field", "expected"),
    [
        ("Account", "name", {"type": "string", "length": 255, "nillable": False, "name_field": True}),
        ("Account", "BillingPostalCode", {"length": 20, "compound_field_name": "BillingAddress"}),
        ("Account", "BillingAddress", {"type": "address", "createable": False, "updateable": False}),
        ("Account", "ParentId", {"reference_to": ("Account",), "relationship_name": "Parent"}),
        ("Account", "Description", {"length": 32000, "filterable": False, "sortable": False}),
        ("Contact", "Email", {"type": "email", "length": 80, "id_lookup": True, "external_id": False}),
        ("Contact", "Name", {"length": 121, "createable": False, "updateable": False, "nillable": False}),
        ("Lead", "OwnerId", {"reference_to": ("Group", "User"), "defaulted_on_create": True}),
        ("Lead", "Status", {"default_value": "Open - Not Contacted", "restricted_picklist": False}),
        ("Opportunity", "Amount", {"type": "currency", "precision": 18, "scale": 2, "groupable": False}),
        ("Opportunity", "StageName", {"nillable": False, "defaulted_on_create": False}),
        ("Case", "CaseNumber", {"auto_number": True, "name_field": True, "createable": False}),
        ("Task", "WhoId", {"reference_to": ("Contact", "Lead"), "relationship_name": "Who"}),
        ("User", "TimeZoneSidKey", {"restricted_picklist": True, "nillable": False}),
        ("Organization", "FiscalYearStartMonth", {"type": "int", "updateable": False}),
        ("Event", "OwnerId", {"reference_to": ("Calendar", "User"), "defaulted_on_create": True}),
        ("Campaign", "NumberOfLeads", {"type": "int", "nillable": False, "createable": False}),
        ("CampaignMember", "LeadId", {"createable": True, "updateable": False, "nillable": True}),
        ("PricebookEntry", "UnitPrice", {"type": "currency", "scale": 2, "nillable": False}),
        ("OpportunityLineItem", "Product2Id", {"createable": False, "updateable": False}),
        ("OpportunityLineItem", "Quantity", {"type": "double", "precision": 12, "scale": 2, "nillable": False}),
        ("Order", "Status", {"nillable": False, "defaulted_on_create": False}),
        ("Contract", "Status", {"nillable": False, "default_value": "Draft"}),
        ("Contract", "ContractNumber", {"auto_number": True, "name_field": True}),
        ("Attachment", "Body", {"type": "base64", "nillable": False, "filterable": False}),
        ("ContentVersion", "PathOnClient", {"length": 500, "updateable": False}),
        ("ContentDocument", "Title", {"createable": False, "updateable": True, "name_field": True}),
    ],
)
def test_standard_fields_are_as_documented(name: str, field: str, expected: dict[str, Any]) -> None:
    sobject = standard_schema().get(name)
    assert sobject is not None
    found = sobject.field(field)
    assert found is not None
    assert {key: getattr(found, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("parent", "relationship", "child", "field", "cascades"),
    [
        ("Account", "Contacts", "Contact", "AccountId", True),
        ("Account", "Opportunities", "Opportunity", "AccountId", True),
        ("Account", "Cases", "Case", "AccountId", False),
        ("Account", "ChildAccounts", "Account", "ParentId", False),
        ("Account", "Tasks", "Task", "WhatId", True),
        ("Contact", "Tasks", "Task", "WhoId", True),
        ("Case", "Cases", "Case", "ParentId", False),
        ("User", "ManagedUsers", "User", "ManagerId", False),
        ("Profile", "Users", "User", "ProfileId", False),
        ("Group", "GroupMembers", "GroupMember", "GroupId", True),
        ("Campaign", "CampaignMembers", "CampaignMember", "CampaignId", True),
        ("Contact", "CampaignMembers", "CampaignMember", "ContactId", True),
        ("Opportunity", "OpportunityLineItems", "OpportunityLineItem", "OpportunityId", True),
        ("Opportunity", "OpportunityContactRoles", "OpportunityContactRole", "OpportunityId", True),
        ("Product2", "PricebookEntries", "PricebookEntry", "Product2Id", True),
        ("Account", "Orders", "Order", "AccountId", True),
        ("Order", "OrderItems", "OrderItem", "OrderId", True),
        ("Lead", "Attachments", "Attachment", "ParentId", True),
        ("ContentDocument", "ContentVersions", "ContentVersion", "ContentDocumentId", True),
    ],
)
def test_child_relationships_have_their_names(
    parent: str, relationship: str, child: str, field: str, cascades: bool
) -> None:
    found = [entry for entry in standard_schema().child_relationships(parent) if entry.child_sobject == child]
    assert (relationship, field, cascades) in [
        (entry.relationship_name, entry.field, entry.cascade_delete) for entry in found
    ]


def test_every_standard_reference_has_a_relationship_or_none_on_purpose() -> None:
    unnamed = {
        f"{sobject.name}.{field.name}"
        for sobject in standard_schema()
        for field in sobject.fields.values()
        if field.type == "reference" and field.relationship_name is None
    }
    assert unnamed == {
        "Event.RecurrenceActivityId",
        "GroupMember.UserOrGroupId",
        "Opportunity.ContactId",
        "Task.RecurrenceActivityId",
        "User.DelegatedApproverId",
        "UserRole.ParentRoleId",
    }


def test_the_standard_objects_are_read_once() -> None:
    standard_objects()
    started = time.perf_counter()
    for _ in range(100):
        standard_schema()
    assert standard_objects() is standard_objects()
    # Not a measure of speed: reading a hundred times would take whole seconds.
    assert time.perf_counter() - started < 2.0


def test_a_schema_of_ones_own_does_not_change_the_others() -> None:
    mine = standard_schema()
    mine.add(make_object("Mine__c", {}))
    assert standard_schema().get("Mine__c") is None


def test_a_custom_object_gets_its_system_fields() -> None:
    made = make_object("Invoice__c", {"fields": {"Total__c": "currency(16, 2) = Total Amount"}})
    assert made.custom
    assert made.label == "Invoice"
    assert list(made.fields)[:4] == ["Id", "OwnerId", "IsDeleted", "Name"]
    assert made.fields["SystemModstamp"].createable is False
    total = made.fields["Total__c"]
    assert (total.type, total.precision, total.scale, total.label) == ("currency", 16, 2, "Total Amount")
    assert total.custom
    assert made.name_field is made.fields["Name"]


def test_a_detail_has_no_owner_of_its_own() -> None:
    line = make_object(
        "Line__c",
        {"fields": {"Invoice__c": {"type": "reference", "reference_to": "Invoice__c", "cascade_delete": True}}},
    )
    assert "OwnerId" not in line.fields
    assert line.fields["Invoice__c"].relationship_name == "Invoice__r"


def test_one_line_says_what_a_mapping_says() -> None:
    line = make_field("Ext__c", "string(40) required unique external_id case_sensitive = Key")
    mapping = make_field(
        "Ext__c",
        {
            "type": "string",
            "length": 40,
            "required": True,
            "unique": True,
            "external_id": True,
            "case_sensitive": True,
            "label": "Key",
        },
    )
    assert line == mapping
    assert line.id_lookup
    assert not line.nillable


def test_a_location_brings_its_parts() -> None:
    fields = {field.name: field for field in make_fields({"Site__c": "location"})}
    assert set(fields) == {"Site__c", "Site__Latitude__s", "Site__Longitude__s"}
    assert fields["Site__Latitude__s"].compound_field_name == "Site__c"


def test_fields_may_be_given_as_values() -> None:
    field = Field(name="X__c", type="string", label="X", length=10, custom=True)
    assert make_fields([field, {"name": "Y__c", "type": "boolean"}])[0] is field


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ({"fields": {"X__c": "strng(20)"}}, "unknown type 'strng'"),
        ({"fields": {"X__c": "string(20) = "}}, "cannot read"),
        ({"fields": {"X__c": {"type": "string", "lenght": 3}}}, "unknown lenght"),
        ({"fields": {"X__c": "string(20) reqired"}}, "unknown reqired"),
        ({"fields": {"X__c": None}}, "has no definition"),
        ({"fields": [{"type": "string"}]}, "needs a name"),
        ({"lable": "X"}, "unknown lable"),
        ({"fields": {"X y__c": "int"}}, "is no API name"),
        ({"fields": {1: "int"}}, "1 is no API name"),
        ({"fields": {"X__c": 5}}, "X__c: 5 is neither a line"),
        ({"fields": {"X__c": ["string"]}}, "is neither a line"),
        ({"fields": {"X__c": "string(x)"}}, r"takes \(length\)"),
        ({"fields": {"X__c": "string(20, 2)"}}, r"takes \(length\)"),
        ({"fields": {"X__c": {"type": "picklist", "values": [{"label": "A"}]}}}, "has no 'value'"),
        ({"fields": "X__c"}, "mapping of names"),
        ({"fields": 5}, "mapping of names"),
        ({"record_types": [{"active": True}]}, "needs a name"),
    ],
)
def test_a_mistake_in_a_definition_is_named(definition: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_object("Thing__c", definition)


def test_the_documented_example_is_taken() -> None:
    assert _definition.__doc__ is not None
    lines = _definition.__doc__.splitlines()
    example = "\n".join(line for line in lines if line.startswith("    "))
    ((name, definition),) = load_yaml(example).items()
    invoice = make_object(name, definition)
    assert invoice.fields["Number__c"].external_id
    assert invoice.fields["Status__c"].default_value == "Closed"
    assert [entry["developer_name"] for entry in invoice.extra["recordTypes"]] == ["Domestic", "Foreign"]
    assert invoice.fields["Name"].auto_number


@pytest.mark.parametrize("text", ["", "- Invoice__c", "Invoice__c: string", "just words"])
def test_yaml_that_describes_no_objects(text: str) -> None:
    with pytest.raises(ValueError, match="mapping of API names"):
        load_yaml(text)
