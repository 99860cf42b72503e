"""Duplicate rules over REST: what they find, what stands in the way, and what is told of it."""

from pathlib import Path
from typing import Any

import pytest
from local_api import Api

from sfconnector.testing import LocalOrg

EMAIL = "marie@curie.org"
HEADER = "Sforce-Duplicate-Rule-Header"
ALLOW = {HEADER: "allowSave=true"}
DETAILS = {HEADER: "allowSave=false; includeRecordDetails=true; runAsCurrentUser=true"}


@pytest.fixture
def api(local_org: LocalOrg) -> Api:
    return Api(local_org)


def save(api: Api, sobject: str = "Contact", headers: dict[str, str] | None = None, **values: Any) -> Any:
    """Try to create a record; the error, or ``None``."""
    response = api("POST", f"sobjects/{sobject}", json={"LastName": "Curie", **values}, headers=headers or {})
    if response.status_code == 201:
        return None
    assert response.status_code == 400, response.text
    (error,) = response.json()
    assert error["errorCode"] == "DUPLICATES_DETECTED", error
    return error


def found(error: Any) -> list[str]:
    (match,) = error["duplicateResut"]["matchResults"]
    assert match["size"] == len(match["matchRecords"])
    return [each["record"]["Id"] for each in match["matchRecords"]]


class TestAnswer:
    """The form in which a duplicate is told."""

    def test_it_is_that_of_recorded_answers(self, local_org: LocalOrg, api: Api) -> None:
        local_org.add_duplicate_rule("Contact", ["Email"], name="Contacts_DR", message="You're creating a duplicate.")
        there = api.create("Contact", LastName="Curie", Email=EMAIL)
        record = {"attributes": {"type": "Contact", "url": f"/services/data/v68.0/sobjects/Contact/{there}"}}
        # As https://gitlab.com/gitlab-org/customers-gitlab-com/-/issues/7138 quotes one.
        assert save(api, Email=EMAIL) == {
            "duplicateResut": {
                "allowSave": True,
                "duplicateRule": "Contacts_DR",
                "duplicateRuleEntityType": "Contact",
                "errorMessage": "You're creating a duplicate.",
                "matchResults": [
                    {
                        "entityType": "Contact",
                        "errors": [],
                        "matchEngine": "ExactMatchEngine",
                        "matchRecords": [
                            {
                                "additionalInformation": [],
                                "fieldDiffs": [],
                                "matchConfidence": 100.0,
                                "record": {**record, "Id": there},
                            }
                        ],
                        "rule": "Contacts_DR_Match",
                        "size": 1,
                        "success": True,
                    }
                ],
            },
            "message": "You're creating a duplicate.",
            "errorCode": "DUPLICATES_DETECTED",
        }

    def test_all_fields_come_where_they_are_asked_for(self, local_org: LocalOrg, api: Api) -> None:
        local_org.add_duplicate_rule("Contact", ["Email"])
        there = api.create("Contact", LastName="Curie", Email=EMAIL, Title="Dr. <& Co.>", AssistantName="Irène")
        error = save(api, headers=DETAILS, Email=EMAIL)
        assert found(error) == [there]
        (match,) = error["duplicateResut"]["matchResults"][0]["matchRecords"]
        assert match["fieldDiffs"] == [{"difference": "SAME", "name": "Email"}]
        told = match["record"]
        assert (told["Title"], told["AssistantName"], told["Email"], told["Fax"]) == (
            "Dr. <& Co.>",
            "Irène",
            EMAIL,
            None,
        )
        # The header came with a version.
        for version, detailed in (("51.0", False), ("52.0", True)):
            error = save(Api(local_org, version), headers=DETAILS, Email=EMAIL)
            (match,) = error["duplicateResut"]["matchResults"][0]["matchRecords"]
            assert ("Title" in match["record"]) is detailed

    def test_a_collection_tells_the_code_and_no_more(self, local_org: LocalOrg, api: Api) -> None:
        local_org.add_duplicate_rule("Contact", ["Email"])
        api.create("Contact", LastName="Curie", Email=EMAIL)
        records = [{"attributes": {"type": "Contact"}, "LastName": "C", "Email": each} for each in (EMAIL, "a@b.de")]
        first, second = api("POST", "composite/sobjects", json={"records": records}).json()
        # https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-allornone.html
        told = {"statusCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "fields": []}
        assert (first["success"], first["errors"], second["success"]) == (False, [told], True)
        saved = api("POST", "composite/sobjects", json={"records": records}, headers=ALLOW).json()
        assert [each["success"] for each in saved] == [True, True]

    def test_each_rule_tells_of_itself(self, local_org: LocalOrg, api: Api) -> None:
        local_org.add_duplicate_rule("Contact", ["Email"], name="By_Email")
        local_org.add_duplicate_rule("Contact", ["Phone"], name="By_Phone", on_create="block")
        api.create("Contact", LastName="Curie", Email=EMAIL, Phone="1")
        values = {"LastName": "Curie", "Email": EMAIL, "Phone": "1"}
        told = api("POST", "sobjects/Contact", json=values).json()
        assert [each["duplicateResut"]["duplicateRule"] for each in told] == ["By_Email", "By_Phone"]
        # What may be saved all the same no longer stands in the way.
        told = api("POST", "sobjects/Contact", json=values, headers=ALLOW).json()
        assert [each["duplicateResut"]["duplicateRule"] for each in told] == ["By_Phone"]


class TestActions:
    """What becomes of a duplicate."""

    @pytest.mark.parametrize(
        ("action", "refused", "refused_in_spite", "allowed"),
        [("allow", False, False, None), ("alert", True, False, True), ("block", True, True, False)],
    )
    def test_new_records(
        self, local_org: LocalOrg, api: Api, action: Any, refused: bool, refused_in_spite: bool, allowed: bool | None
    ) -> None:
        local_org.add_duplicate_rule("Contact", ["Email"], on_create=action)
        api.create("Contact", LastName="Curie", Email=EMAIL)
        error = save(api, Email=EMAIL)
        assert (error is not None) is refused
        assert refused is False or error["duplicateResut"]["allowSave"] is allowed
        assert (save(api, headers=ALLOW, Email=EMAIL) is not None) is refused_in_spite

    @pytest.mark.parametrize(
        ("header", "allowed"),
        [
            ("allowSave=true, includeRecordDetails=true,runAsCurrentUser=true", True),
            ("includeRecordDetails=true;allowSave=true", True),
            ("ALLOWSAVE=TRUE", True),
            ("allowSave=false", False),
            ("disallowSave=true", False),
            ("", False),
        ],
    )
    def test_the_header_is_read_in_all_its_forms(
        self, local_org: LocalOrg, api: Api, header: str, allowed: bool
    ) -> None:
        local_org.add_duplicate_rule("Contact", ["Email"])
        api.create("Contact", LastName="Curie", Email=EMAIL)
        assert (save(api, headers={HEADER: header}, Email=EMAIL) is None) is allowed

    def test_changed_records(self, local_org: LocalOrg, api: Api) -> None:
        local_org.add_duplicate_rule("Contact", ["Email"], on_create="allow", on_update="block")
        ids = [api.create("Contact", LastName="Curie", Email=each) for each in (EMAIL, "a@b.de", EMAIL)]
        path = f"sobjects/Contact/{ids[1]}"
        response = api("PATCH", path, json={"Email": EMAIL})
        assert (response.status_code, found(response.json()[0])) == (400, [ids[0], ids[2]])
        assert api("GET", path).json()["Email"] == "a@b.de"
        assert api("PATCH", path, json={"Email": "c@d.ef"}).status_code == 204
        # A record that was a duplicate before may be changed elsewhere.
        assert api("PATCH", f"sobjects/Contact/{ids[2]}", json={"Email": EMAIL, "Title": "x"}).status_code == 204

    def test_an_upsert_is_a_new_or_a_changed_record(self, local_org: LocalOrg, api: Api) -> None:
        local_org.add_field("Contact", "Ext__c", "string(20) external_id unique")
        local_org.add_duplicate_rule("Contact", ["Email"], on_create="block", on_update="allow")
        api.create("Contact", LastName="Curie", Email=EMAIL, Ext__c="1")
        assert api("PATCH", "sobjects/Contact/Ext__c/1", json={"Title": "x"}).status_code == 200
        refused = api("PATCH", "sobjects/Contact/Ext__c/2", json={"LastName": "C", "Email": EMAIL})
        assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "DUPLICATES_DETECTED")

    def test_a_deleted_record_is_no_match_until_it_is_back(self, local_org: LocalOrg, api: Api) -> None:
        local_org.add_duplicate_rule("Contact", ["Email"])
        there = api.create("Contact", LastName="Curie", Email=EMAIL)
        assert api("DELETE", f"sobjects/Contact/{there}").status_code == 204
        assert save(api, Email=EMAIL) is None
        assert save(api, Email=EMAIL) is not None


class TestMatching:
    """Which records are like another."""

    @pytest.mark.parametrize(
        ("email", "last_name", "match"),
        [
            (EMAIL, "Curie", True),
            (EMAIL.upper(), "CURIE", True),
            (EMAIL, "Meitner", False),
            ("other@curie.org", "Curie", False),
            (None, "Curie", False),
        ],
    )
    def test_all_fields_are_equal_without_regard_to_case(
        self, local_org: LocalOrg, api: Api, email: str | None, last_name: str, match: bool
    ) -> None:
        local_org.add_duplicate_rule("Contact", ["Email", "LastName"])
        api.create("Contact", LastName="Curie", Email=EMAIL)
        assert (save(api, Email=email, LastName=last_name) is not None) is match

    def test_blank_fields_are_no_match(self, local_org: LocalOrg, api: Api) -> None:
        local_org.add_duplicate_rule("Contact", ["Email"])
        api.create("Contact", LastName="Curie")
        assert save(api) is None

    def test_other_kinds_of_fields(self, local_org: LocalOrg, api: Api) -> None:
        local_org.add_duplicate_rule("Account", ["NumberOfEmployees", "ParentId"])
        parent = api.create("Account", Name="Parent")
        api.create("Account", Name="a", NumberOfEmployees=5, ParentId=parent[:15])
        values = {"Name": "b", "NumberOfEmployees": 5, "ParentId": parent}
        assert api("POST", "sobjects/Account", json=values).status_code == 400
        assert api("POST", "sobjects/Account", json={**values, "NumberOfEmployees": 6}).status_code == 201

    def test_records_of_another_object_under_other_names(self, local_org: LocalOrg, api: Api) -> None:
        fields = {"Company": "Name", "Phone": "Fax"}
        local_org.add_duplicate_rule("Lead", fields, matches="Account", on_create="block")
        account = api.create("Account", Name="Radium", Fax="1")
        error = save(api, "Lead", Company="radium", Phone="1")
        assert (found(error), error["duplicateResut"]["matchResults"][0]["entityType"]) == ([account], "Account")
        assert error["duplicateResut"]["duplicateRuleEntityType"] == "Lead"
        assert save(api, "Lead", Company="radium", Phone="2") is None

    def test_custom_objects_have_rules_too(self, local_org: LocalOrg, api: Api) -> None:
        local_org.add_object("Invoice__c", {"Number__c": "string(20)"})
        local_org.add_duplicate_rule("Invoice__c", ["Number__c"])
        api.create("Invoice__c", Number__c="1")
        assert api("POST", "sobjects/Invoice__c", json={"Number__c": "1"}).status_code == 400

    @pytest.mark.parametrize("number", [2, 200])
    def test_records_of_one_save_are_not_compared(self, local_org: LocalOrg, api: Api, number: int) -> None:
        local_org.add_duplicate_rule("Contact", ["Email"], on_create="block")
        records = [{"attributes": {"type": "Contact"}, "LastName": "C", "Email": EMAIL}] * number
        saved = api("POST", "composite/sobjects", json={"records": records}).json()
        assert all(each["success"] for each in saved)
        assert len(found(save(api, Email=EMAIL))) == number

    def test_subrequests_are_saves_of_their_own(self, local_org: LocalOrg, api: Api) -> None:
        local_org.add_duplicate_rule("Contact", ["Email"], on_create="block")
        contact = {"url": "/services/data/v68.0/sobjects/Contact", "body": {"LastName": "C", "Email": EMAIL}}
        requests = [{"method": "POST", "referenceId": name, **contact} for name in ("a", "b")]
        told = api("POST", "composite", json={"compositeRequest": requests}).json()["compositeResponse"]
        assert [each["httpStatusCode"] for each in told] == [201, 400]
        assert found(told[1]["body"][0]) == [told[0]["body"]["id"]]


class TestRules:
    """How an org gets its rules."""

    @pytest.mark.parametrize(
        ("sobject", "fields", "more", "message"),
        [
            ("Nothing__c", ["Name"], {}, "no object Nothing__c"),
            ("Contact", ["Nothing"], {}, "Contact has no field Nothing"),
            ("Contact", {"Email": "Nothing"}, {"matches": "Lead"}, "Lead has no field Nothing"),
            ("Contact", ["MailingAddress"], {}, "no field MailingAddress"),
            ("Contact", [], {}, "fields are a list"),
            ("Contact", "Email", {}, "fields are a list"),
            ("Contact", ["Email"], {"on_create": "report"}, "on_create is one of allow, alert, block"),
            ("Contact", ["Email"], {"matches": "Nothing__c"}, "no object Nothing__c"),
            ("Contact", ["Email"], {"name": "a b"}, "no API name"),
            ("Contact", ["Email"], {"message": ""}, "the message is empty"),
            ("Opportunity", ["Name"], {}, "Salesforce has none for Opportunity"),
        ],
    )
    def test_what_cannot_be_is_refused(
        self, local_org: LocalOrg, api: Api, sobject: str, fields: Any, more: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            local_org.add_duplicate_rule(sobject, fields, **more)
        api.create("Contact", LastName="Curie", Email=EMAIL)
        assert save(api, Email=EMAIL) is None

    def test_there_are_five_at_most_and_each_has_a_name_of_its_own(self, local_org: LocalOrg) -> None:
        with pytest.raises(ValueError, match="same name"):
            local_org.add_object("Account", duplicate_rules=[{"fields": ["Name"], "name": "A"}] * 2)
        for field in ("Name", "Phone", "Fax", "Website", "Site"):
            local_org.add_duplicate_rule("Account", [field])
        with pytest.raises(ValueError, match="takes 5"):
            local_org.add_duplicate_rule("Account", ["Industry"])

    def test_they_stand_in_the_yaml_of_objects_and_stay_with_the_org(self, tmp_path: Path) -> None:
        objects, database = tmp_path / "objects.yaml", tmp_path / "org.db"
        objects.write_text("Contact:\n  duplicate_rules: [{fields: [Email], on_create: block}]\n", "utf-8")
        with LocalOrg(database, objects=objects) as org:
            Api(org).create("Contact", LastName="Curie", Email=EMAIL)
        for again in (None, objects):
            with LocalOrg(database, objects=again) as org:
                error = save(Api(org), headers=ALLOW, Email=EMAIL)
                assert error["duplicateResut"]["duplicateRule"] == "Contact_Duplicate_Rule_1"
                # Describe knows nothing of rules.
                assert "duplicateRules" not in Api(org)("GET", "sobjects/Contact/describe").json()

    @pytest.mark.parametrize("text", ["duplicate_rules: [Email]", "duplicate_rules: [{fields: [Email], when: now}]"])
    def test_a_yaml_that_cannot_be_read_is_told(self, tmp_path: Path, text: str) -> None:
        objects = tmp_path / "objects.yaml"
        objects.write_text(f"Contact:\n  {text}\n", "utf-8")
        with pytest.raises(ValueError, match=r"objects\.yaml: Contact: duplicate rule of Contact"):
            LocalOrg(objects=objects).start()
