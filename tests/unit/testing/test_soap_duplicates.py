"""Duplicate rules over SOAP, above all for what leads become."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from local_api import Api
from soap_api import SoapApi, error, xml
from soap_leads import convert, converted, lead

from sfconnector.testing import LocalOrg

EMAIL = "marie@curie.org"
CODE = ("DUPLICATES_DETECTED", "Use one of these records?", [])
SF, XSI = "{urn:sobject.partner.soap.sforce.com}", "{http://www.w3.org/2001/XMLSchema-instance}"


@pytest.fixture
def api(local_org: LocalOrg) -> Api:
    return Api(local_org)


@pytest.fixture
def soap(local_org: LocalOrg) -> SoapApi:
    return SoapApi(local_org)


def rule(*, save: bool = False, details: bool = False) -> str:
    header = {"allowSave": save, "includeRecordDetails": details, "runAsCurrentUser": True}
    return xml(DuplicateRuleHeader=header)


def contact(soap: SoapApi, headers: str = "", **values: Any) -> dict[str, Any]:
    values = {"LastName": "Curie", "Email": EMAIL, **values}
    (result,) = soap("create", headers, sObjects=[{"type": "Contact", **values}])
    return result


def test_a_record_is_refused_with_what_was_found(local_org: LocalOrg, api: Api, soap: SoapApi) -> None:
    local_org.add_duplicate_rule("Contact", ["Email"], name="Contacts_DR")
    there = api.create("Contact", LastName="Curie", Email=EMAIL)
    result = contact(soap)
    assert error(result) == CODE
    assert result["errors"][0]["duplicateResult"] == {
        "allowSave": "true",
        "duplicateRule": "Contacts_DR",
        "duplicateRuleEntityType": "Contact",
        "errorMessage": CODE[1],
        "matchResults": {
            "entityType": "Contact",
            "matchEngine": "ExactMatchEngine",
            "matchRecords": {"matchConfidence": "100.0", "record": {"type": "Contact", "Id": there}},
            "rule": "Contacts_DR_Match",
            "size": "1",
            "success": "true",
        },
    }
    assert contact(soap, rule(save=True))["success"] == "true"


def test_the_types_are_those_of_the_wsdl(local_org: LocalOrg, api: Api, soap: SoapApi) -> None:
    local_org.add_duplicate_rule("Contact", ["Email"])
    api.create("Contact", LastName="Curie", Email=EMAIL, Title="<&>")
    members = {"type": "Contact", "LastName": "Curie", "Email": EMAIL}
    envelope = soap.envelope("create", rule(details=True), sObjects=[members])
    answer = ET.fromstring(soap.post(envelope).content)  # noqa: S314  # the org under test is no stranger
    (told,) = answer.iter("{urn:partner.soap.sforce.com}errors")
    assert told.get(f"{XSI}type") == "DuplicateError"
    (record,) = told.iter("{urn:partner.soap.sforce.com}record")
    assert record.get(f"{XSI}type") == "sf:sObject"
    assert (record.findtext(f"{SF}type"), record.findtext(f"{SF}Title")) == ("Contact", "<&>")
    assert record.find(f"{SF}Fax") is None
    diff = told.find(".//{urn:partner.soap.sforce.com}fieldDiffs")
    assert diff is not None
    assert [each.text for each in diff] == ["SAME", "Email"]


def test_a_conversion_is_refused_as_it_was_recorded(local_org: LocalOrg, api: Api, soap: SoapApi) -> None:
    local_org.add_duplicate_rule("Contact", ["Email"])
    there = api.create("Contact", LastName="Curie", Email=EMAIL)
    lead_id = lead(api, Email=EMAIL)
    result = convert(soap, lead_id)
    assert error(result) == CODE
    ids = {name: result[name] for name in ("accountId", "contactId", "opportunityId", "leadId")}
    assert ids == {"accountId": None, "contactId": None, "opportunityId": None, "leadId": lead_id}
    matches = result["errors"][0]["duplicateResult"]["matchResults"]
    assert matches["matchRecords"]["record"]["Id"] == there
    # Nothing of it stays, not even the account that was there first.
    assert api("GET", "query", params={"q": "SELECT COUNT() FROM Account"}).json()["totalSize"] == 0
    assert api("GET", f"sobjects/Lead/{lead_id}").json()["IsConverted"] is False


@pytest.mark.parametrize("action", ["alert", "block"])
@pytest.mark.parametrize("sobject", ["Account", "Contact"])
def test_each_check_is_bypassed_by_itself(
    local_org: LocalOrg, api: Api, soap: SoapApi, sobject: str, action: Any
) -> None:
    field = {"Account": "Name", "Contact": "Email"}[sobject]
    local_org.add_duplicate_rule(sobject, [field], on_create=action)
    api.create("Account", Name="Radium")
    api.create("Contact", LastName="Curie", Email=EMAIL)
    other = {"Account": "Contact", "Contact": "Account"}[sobject]
    lead_id = lead(api, Email=EMAIL)
    assert error(convert(soap, lead_id, **{f"bypass{sobject}DedupeCheck": False})) == CODE
    assert error(convert(soap, lead_id, **{f"bypass{other}DedupeCheck": True})) == CODE
    converted(soap, lead_id, **{f"bypass{sobject}DedupeCheck": True})


@pytest.mark.parametrize(("action", "saved"), [("allow", True), ("alert", True), ("block", False)])
def test_the_header_speaks_for_conversions_too(
    local_org: LocalOrg, api: Api, soap: SoapApi, action: Any, saved: bool
) -> None:
    local_org.add_duplicate_rule("Account", ["Name"], on_create=action)
    api.create("Account", Name="Radium")
    result = convert(soap, lead(api), headers=rule(save=True))
    assert (result["success"] == "true") is saved


def test_one_lead_of_many_is_refused(local_org: LocalOrg, api: Api, soap: SoapApi) -> None:
    local_org.add_duplicate_rule("Contact", ["Email"])
    api.create("Contact", LastName="Curie", Email=EMAIL)
    ids = [lead(api, Email=each) for each in ("a@b.de", EMAIL, "c@d.ef")]
    asked = [{"convertedStatus": "Closed - Converted", "leadId": each} for each in ids]
    results = soap("convertLead", leadConverts=asked)
    assert [each["success"] for each in results] == ["true", "false", "true"]


def test_a_lead_is_no_duplicate_of_what_it_becomes(local_org: LocalOrg, api: Api, soap: SoapApi) -> None:
    local_org.add_duplicate_rule("Contact", ["Email"], matches="Lead", on_create="block")
    first, second = lead(api, Email=EMAIL), lead(api, Email=EMAIL)
    assert error(convert(soap, first)) == CODE
    assert api("DELETE", f"sobjects/Lead/{second}").status_code == 204
    converted(soap, first)
    # Nor is one that was converted.
    converted(soap, lead(api, Email=EMAIL))


def test_a_lead_merged_into_records_changes_no_compared_field(local_org: LocalOrg, api: Api, soap: SoapApi) -> None:
    local_org.add_duplicate_rule("Contact", ["Email"], on_create="block", on_update="block")
    account = api.create("Account", Name="Radium")
    there = api.create("Contact", LastName="Curie", Email=EMAIL, AccountId=account)
    converted(soap, lead(api, Email=EMAIL), accountId=account, contactId=there)


def test_merging_is_what_duplicates_are_for(local_org: LocalOrg, api: Api, soap: SoapApi) -> None:
    ids = [api.create("Contact", LastName="Curie", Email=each) for each in (EMAIL, "a@b.de", EMAIL)]
    local_org.add_duplicate_rule("Contact", ["Email"], on_create="block", on_update="block")
    master = {"type": "Contact", "Id": ids[1], "Email": EMAIL}
    (result,) = soap("merge", request=[{"masterRecord": master, "recordToMergeIds": [ids[0]]}])
    assert result["success"] == "true"


def test_an_undeleted_record_is_not_compared(local_org: LocalOrg, api: Api, soap: SoapApi) -> None:
    local_org.add_duplicate_rule("Contact", ["Email"], on_create="block", on_update="block")
    gone = api.create("Contact", LastName="Curie", Email=EMAIL)
    api("DELETE", f"sobjects/Contact/{gone}")
    api.create("Contact", LastName="Curie", Email=EMAIL)
    (result,) = soap("undelete", ids=[gone])
    assert result["success"] == "true"


def test_the_enterprise_api_names_the_type_of_records(local_org: LocalOrg, api: Api) -> None:
    local_org.add_duplicate_rule("Contact", ["Email"])
    api.create("Contact", LastName="Curie", Email=EMAIL)
    soap = SoapApi(local_org, flavor="enterprise")
    asked = {"convertedStatus": "Closed - Converted", "leadId": lead(api, Email=EMAIL)}
    text = soap.post(soap.envelope("convertLead", leadConverts=[asked])).text
    assert '<record xsi:type="sf:Contact" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>003' in text


def test_bulk_rows_are_compared_with_those_of_earlier_chunks(local_org: LocalOrg, api: Api) -> None:
    local_org.add_duplicate_rule("Contact", ["Email"])
    job = api("POST", "jobs/ingest", json={"object": "Contact", "operation": "insert"}).json()["id"]
    rows = "LastName,Email\n" + f"Curie,{EMAIL}\n" * 201
    upload = {"data": rows, "headers": {"Content-Type": "text/csv"}}
    assert api("PUT", f"jobs/ingest/{job}/batches", **upload).status_code == 201
    assert api("PATCH", f"jobs/ingest/{job}", json={"state": "UploadComplete"}).status_code == 200
    local_org.bulk.wait(job)
    failed = api("GET", f"jobs/ingest/{job}/failedResults").text.splitlines()
    # 200 rows are one save.
    assert failed[1:] == [f'"","DUPLICATES_DETECTED:Use one of these records?:--","Curie","{EMAIL}"']


def test_a_rule_may_come_from_a_file_of_objects(tmp_path: Path) -> None:
    objects = tmp_path / "objects.yaml"
    objects.write_text("Account:\n  duplicate_rules:\n    - {fields: [Name], message: Again?}\n", "utf-8")
    with LocalOrg(objects=objects) as org:
        api = Api(org)
        api.create("Account", Name="Radium")
        assert error(convert(SoapApi(org), lead(api)))[1] == "Again?"
