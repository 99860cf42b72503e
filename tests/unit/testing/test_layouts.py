"""Page, global, named, compact and approval layouts, derived from the objects."""

from collections.abc import Iterator
from typing import Any

import pytest
from local_api import Api

from sfconnector.testing import LocalOrg

MASTER = "012000000000000AAA"
ROUTES = (
    "sobjects/{}/describe/layouts",
    "sobjects/{}/describe/layouts/" + MASTER,
    "sobjects/{}/describe/compactLayouts",
    "sobjects/{}/describe/compactLayouts/primary",
    "sobjects/{}/describe/approvalLayouts",
    "sobjects/{}/quickActions",
)


def items(sections: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for section in sections:
        for row in section["layoutRows"]:
            yield from row["layoutItems"]


def fields(sections: list[dict[str, Any]]) -> list[str]:
    """The fields of a layout, in the order of the page."""
    parts = [part for item in items(sections) for part in item["layoutComponents"]]
    return [part["value"] for part in parts if part["type"] == "Field"]


def only_layout(api: Api, sobject: str) -> dict[str, Any]:
    [layout] = api("GET", f"sobjects/{sobject}/describe/layouts").json()["layouts"]
    return dict(layout)


def test_a_page_has_the_fields_of_the_object(local_org: LocalOrg, api: Api) -> None:
    local_org.add_object(
        "Invoice__c",
        {
            "Number__c": "string(20) required = Number",
            "Account__c": {"type": "reference", "reference_to": "Account", "child_relationship_name": "Invoices"},
            "Paid__c": "boolean",
            "Notes__c": "textarea(32000)",
        },
        label="Invoice",
    )
    layout = only_layout(api, "Invoice__c")

    assert layout["id"].startswith("00h")
    first, notes, stamps = layout["detailLayoutSections"]
    assert [first["heading"], notes["heading"], stamps["heading"]] == [
        "Invoice Information",
        "Description Information",
        "System Information",
    ]
    assert sorted(fields([first])) == ["Account__c", "Name", "Number__c", "OwnerId", "Paid__c"]
    assert (first["rows"], len(first["layoutRows"])) == (3, 3)
    assert [row["numItems"] for row in first["layoutRows"]] == [2, 2, 2]
    assert [item["placeholder"] for item in items([first])] == [False] * 5 + [True]
    assert (first["useHeading"], notes["useHeading"], notes["columns"]) == (False, True, 1)
    assert {first["parentLayoutId"], notes["parentLayoutId"]} == {layout["id"]}
    assert first["layoutSectionId"].startswith("01B")
    assert first["layoutSectionId"] != notes["layoutSectionId"]

    by_name = {item["layoutComponents"][0]["value"]: item for item in items([first]) if not item["placeholder"]}
    described = {field["name"]: field for field in api("GET", "sobjects/Invoice__c/describe").json()["fields"]}
    number = by_name["Number__c"]
    assert (number["label"], number["required"], number["editableForNew"]) == ("Number", True, True)
    assert number["layoutComponents"][0]["details"] == described["Number__c"]
    assert by_name["Paid__c"]["required"] is False
    assert [part["value"] for part in next(items([stamps]))["layoutComponents"]] == ["CreatedById", ", ", "CreatedDate"]
    assert [item["editableForNew"] for item in items([stamps])] == [False, False]


def test_an_edit_page_has_what_can_be_written(api: Api) -> None:
    layout = only_layout(api, "Case")

    assert "CaseNumber" in fields(layout["detailLayoutSections"])
    edited = fields(layout["editLayoutSections"])
    assert "CaseNumber" not in edited
    assert {"Subject", "Status", "ContactId"} <= set(edited)
    for hidden in ("Id", "IsDeleted", "SystemModstamp", "LastViewedDate", "IsClosed", "RecordTypeId"):
        assert hidden not in fields(layout["detailLayoutSections"])
    assert all(section["useHeading"] for section in layout["editLayoutSections"])
    assert all(
        item["editableForNew"] or item["editableForUpdate"] or item["placeholder"]
        for item in items(layout["editLayoutSections"])
    )


def test_compound_fields_are_placed_with_their_parts(api: Api) -> None:
    layout = only_layout(api, "Contact")
    parts = {
        component["value"]: component
        for item in items(layout["detailLayoutSections"])
        for component in item["layoutComponents"]
    }

    address = parts["MailingAddress"]
    assert [part["value"] for part in address["components"]] == [
        "MailingStreet",
        "MailingCity",
        "MailingState",
        "MailingPostalCode",
        "MailingCountry",
    ]
    assert (address["fieldType"], address["tabOrder"]) == ("address", address["components"][0]["tabOrder"])
    assert {part["value"] for part in parts["Name"]["components"]} == {"Salutation", "FirstName", "LastName"}
    assert not {"LastName", "MailingCity", "MailingLatitude"} & parts.keys()
    name = next(item for item in items(layout["editLayoutSections"]) if item["layoutComponents"][0]["value"] == "Name")
    assert (name["required"], name["editableForNew"]) == (True, True)
    tabs = [part["tabOrder"] for part in parts.values() if part["type"] == "Field"]
    assert len(set(tabs)) == len(tabs)


def test_related_lists_are_those_of_the_children(api: Api) -> None:
    lists = {entry["name"]: entry for entry in only_layout(api, "Contact")["relatedLists"]}

    cases = lists["Cases"]
    assert (cases["sobject"], cases["field"], cases["label"], cases["custom"]) == ("Case", "ContactId", "Cases", False)
    assert cases["columns"][0] == {
        "field": "Case.CaseNumber",
        "fieldApiName": "CaseNumber",
        "format": None,
        "label": "Case Number",
        "lookupId": "Id",
        "name": "CaseNumber",
    }
    assert cases["sort"] == [{"ascending": True, "column": "CaseNumber"}]
    assert [entry["name"] for entry in cases["buttons"]] == ["NewCase"]
    # Attachments have no layout, and activities have lists of another kind.
    assert not {"Attachments", "Tasks", "Events"} & lists.keys()


def test_several_record_types_are_asked_for_one_by_one(local_org: LocalOrg, api: Api) -> None:
    answer = api("GET", "sobjects/Account/describe/layouts").json()

    # https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_layouts_multiple_rts.htm
    assert answer["layouts"] is None
    assert answer["recordTypeSelectorRequired"] == [True]
    mappings = {mapping["developerName"]: mapping for mapping in answer["recordTypeMappings"]}
    described = api("GET", "sobjects/Account/describe").json()["recordTypeInfos"]
    assert set(mappings) == {info["developerName"] for info in described} == {"Customer", "Partner", "Master"}
    assert mappings["Master"]["recordTypeId"] == MASTER
    for mapping in mappings.values():
        layout = api("GET", mapping["urls"]["layout"])
        assert layout.status_code == 200
        assert layout.json()["id"] == mapping["layoutId"]
    picklists = {entry["picklistName"]: entry for entry in mappings["Customer"]["picklistsForRecordType"]}
    assert {"active", "defaultValue", "label", "validFor", "value"} == picklists["Rating"]["picklistValues"][0].keys()

    short = mappings["Partner"]["recordTypeId"][:15]
    assert api("GET", f"sobjects/account/describe/layouts/{short}").status_code == 200
    local_org.add_object("One__c", record_types=["Only"])
    one = api("GET", "sobjects/One__c/describe/layouts").json()
    assert (len(one["layouts"]), one["recordTypeSelectorRequired"]) == (1, [False])


def test_the_buttons_are_those_that_the_object_allows(api: Api) -> None:
    def buttons(sobject: str) -> list[str]:
        return [entry["name"] for entry in only_layout(api, sobject)["buttonLayoutSection"]["detailButtons"]]

    assert buttons("Contact") == ["Edit", "Delete", "Clone"]
    assert buttons("User") == ["Edit", "Clone"]


def test_the_global_layout_has_quick_actions_alone(api: Api) -> None:
    answer = api("GET", "sobjects/Global/describe/layouts").json()

    [layout] = answer["layouts"]
    assert (answer["recordTypeMappings"], answer["recordTypeSelectorRequired"]) == ([], [False])
    assert (layout["buttonLayoutSection"], layout["detailLayoutSections"], layout["relatedLists"]) == (None, [], [])
    listed = layout["quickActionList"]["quickActionListItems"]
    assert listed[0]["quickActionName"] == "LogACall"
    assert listed[0]["targetSobjectType"] == "Task"
    assert api("GET", listed[0]["urls"]["describe"]).json()["name"] == "LogACall"


def test_users_have_an_alternative_layout(api: Api) -> None:
    [named] = api("GET", "sobjects/User/describe").json()["namedLayoutInfos"]

    assert named["name"] == "UserAlt"
    [layout] = api("GET", named["urls"]["layout"]).json()["layouts"]
    assert layout["id"] != only_layout(api, "User")["id"]
    assert api("GET", "sobjects/User/describe/namedLayouts/Other").status_code == 404
    assert api("GET", "sobjects/Account/describe/namedLayouts/UserAlt").status_code == 404
    assert api("GET", "sobjects/Account/describe").json()["namedLayoutInfos"] == []


def test_compact_layouts(api: Api) -> None:
    answer = api("GET", "sobjects/Account/describe/compactLayouts").json()

    base = "/services/data/v68.0/sobjects/Account/describe/compactLayouts"
    assert answer["urls"] == {"primary": f"{base}/primary"}
    # "If you haven't defined any compact layouts for an object, the compactLayoutId returns as Null."
    assert answer["defaultCompactLayoutId"] is None
    assert answer["recordTypeCompactLayoutMappings"][-1] == {
        "available": True,
        "compactLayoutId": None,
        "compactLayoutName": "SYSTEM",
        "recordTypeId": MASTER,
        "recordTypeName": "Master",
        "urls": {"compactLayout": f"{base}/{MASTER}"},
    }
    [layout] = answer["compactLayouts"]
    assert (layout["id"], layout["name"], layout["objectType"]) == (None, "SYSTEM", "Account")
    # The image comes first, then the name.
    assert [item["layoutComponents"][0]["value"] for item in layout["imageItems"]] == ["PhotoUrl"]
    shown = [item["layoutComponents"][0] for item in layout["fieldItems"]]
    assert [(part["value"], part["tabOrder"]) for part in shown[:2]] == [("Name", 2), ("Type", 3)]
    assert {item["editable"] for item in layout["fieldItems"]} == {False}
    assert [entry["name"] for entry in layout["actions"]] == [
        "CallHighlightAction",
        "MapHighlightAction",
        "WebsiteHighlightAction",
    ]
    for mapping in answer["recordTypeCompactLayoutMappings"]:
        assert api("GET", mapping["urls"]["compactLayout"]).json() == layout
    assert api("GET", answer["urls"]["primary"]).json() == layout


def test_compact_layouts_of_several_objects(local_org: LocalOrg, api: Api) -> None:
    local_org.add_object("Invoice__c")
    answer = api("GET", "compactLayouts", params={"q": "Account, invoice__c"}).json()

    assert answer.keys() == {"Account", "Invoice__c"}
    assert answer["Account"] == api("GET", "sobjects/Account/describe/compactLayouts/primary").json()
    assert [item["label"] for item in answer["Invoice__c"]["fieldItems"]] == ["Invoice Name"]
    assert answer["Invoice__c"]["imageItems"] == []
    for query, status in (("", 400), (",".join(["Account"] * 101), 400), ("Account,Nothing", 404)):
        assert api("GET", "compactLayouts", params={"q": query}).status_code == status
    assert api("GET", "").json()["compactLayouts"] == "/services/data/v68.0/compactLayouts"


def test_there_are_no_approval_layouts(api: Api) -> None:
    assert api("GET", "sobjects/Account/describe/approvalLayouts").json() == {"approvalLayouts": []}
    assert api("GET", "sobjects/Account/describe/approvalLayouts/Discount").status_code == 404


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("sobject", ["Nothing", "Attachment"])
def test_an_object_without_layouts_has_none(api: Api, route: str, sobject: str) -> None:
    response = api("GET", route.format(sobject))

    assert response.status_code == 404
    assert response.json() == [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]


@pytest.mark.parametrize("record_type", ["012000000000000AAB", "012Lo0000000009", "primary!", "001000000000000AAA"])
def test_an_unknown_record_type_has_no_layout(api: Api, record_type: str) -> None:
    for kind in ("layouts", "compactLayouts"):
        assert api("GET", f"sobjects/Account/describe/{kind}/{record_type}").status_code == 404


def test_the_urls_of_a_describe_lead_to_layouts(api: Api) -> None:
    for entry in api("GET", "sobjects").json()["sobjects"]:
        for key in ("approvalLayouts", "compactLayouts", "layouts", "quickActions"):
            if key in entry["urls"]:
                assert api("GET", entry["urls"][key]).status_code == 200, entry["urls"][key]
                assert api("HEAD", entry["urls"][key]).content == b""
