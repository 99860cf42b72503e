"""Results of conversions: what is refused, and which lead it concerns."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from local_api import Api
from soap_api import Fault, SoapApi, error, xml
from soap_leads import STATUS, convert, converted, lead, user
from soap_rows import get, query


def test_refusals(soap: SoapApi, api: Api) -> None:
    lead_id, other = lead(api), api.create("Account", Name="Other")
    account_id = api.create("Account", Name="Kept")
    contact_id = api.create("Contact", LastName="Kept", AccountId=account_id)
    gone, missing = lead(api), lead_id[:8] + "9999999"
    assert api("DELETE", f"sobjects/Lead/{gone}").status_code == 204
    opportunity_id = api.create(
        "Opportunity", Name="Other's", StageName="Prospecting", CloseDate="2027-01-01", AccountId=other
    )
    crossed = ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
    status = ("INVALID_STATUS", "invalid convertedStatus: Open - Not Contacted", ["Status"])
    assert error(convert(soap, lead_id, convertedStatus="Open - Not Contacted")) == status
    assert error(convert(soap, lead_id, convertedStatus="Nonsense")) == (
        "INVALID_STATUS",
        "invalid convertedStatus: Nonsense",
        ["Status"],
    )
    assert error(convert(soap, gone)) == ("ENTITY_IS_DELETED", "entity is deleted", [])
    assert error(convert(soap, missing)) == crossed
    assert error(convert(soap, account_id))[0] == "MALFORMED_ID"
    assert error(convert(soap, lead_id, accountId=contact_id))[0] == "MALFORMED_ID"
    assert error(convert(soap, lead_id, accountId=other, contactId=contact_id)) == crossed
    assert error(convert(soap, lead_id, accountId=account_id, opportunityId=opportunity_id)) == crossed
    combination = "One or more leads couldn't be converted. "
    for members, reason in (
        ({"overwriteLeadSource": True}, "If overwriteLeadSource is true, contactId must be specified."),
        ({"contactId": contact_id}, "If contactId is specified, accountId must be specified."),
        (
            {"doNotCreateOpportunity": True, "opportunityName": "Name"},
            "If doNotCreateOpportunity is true, opportunityName and opportunityId must be null.",
        ),
        (
            {"opportunityId": opportunity_id, "opportunityName": "Name"},
            "If opportunityId is specified, opportunityName must be null.",
        ),
    ):
        assert error(convert(soap, lead_id, **members)) == ("INVALID_FIELD", combination + reason, ["Id"])
    for owner_id, code in (
        (user(api, "inactive@local-org.example", IsActive=False), "INACTIVE_OWNER_OR_USER"),
        (soap.org.user_id[:8] + "9999999", "INVALID_CROSS_REFERENCE_KEY"),
        (account_id, "UNKNOWN_EXCEPTION"),
    ):
        assert error(convert(soap, lead_id, ownerId=owner_id))[0] == code
    person = {"type": "Account", "LastName": "Curie"}
    assert error(convert(soap, lead_id, relatedPersonAccountRecord=person))[0] == "INVALID_PERSON_ACCOUNT_OPERATION"
    assert error(convert(soap, lead_id, relatedPersonAccountId=other))[0] == "INVALID_PERSON_ACCOUNT_OPERATION"
    # Nothing of all that has left a trace.
    assert len(query(api, "SELECT Id FROM Account")) == 2
    assert get(api, "Lead", lead_id)["IsConverted"] is False


def test_a_lead_of_a_queue_needs_an_owner(soap: SoapApi, api: Api) -> None:
    queue_id = api.create("Group", Name="Leads", DeveloperName="Leads", Type="Queue")
    api.create("QueueSobject", QueueId=queue_id, SobjectType="Lead")
    lead_id = lead(api, OwnerId=queue_id)
    code, message, _ = error(convert(soap, lead_id))
    assert (code, message[:46]) == ("UNKNOWN_EXCEPTION", "Converted objects can only be owned by users. ")
    converted(soap, lead_id, ownerId=soap.org.user_id)


def test_long_texts(soap: SoapApi, api: Api) -> None:
    lead_id = lead(api, Company="x" * 130)
    code, _, fields = error(convert(soap, lead_id))
    assert (code, fields) == ("STRING_TOO_LONG", ["Name"])
    assert query(api, "SELECT Id FROM Account") == []
    headers = xml(AllowFieldTruncationHeader={"allowFieldTruncation": True})
    result = converted(soap, lead_id, headers=headers)
    assert get(api, "Opportunity", result["opportunityId"])["Name"] == "x" * 120


def test_an_opportunity_s_name_is_shorter_than_its_field(soap: SoapApi, api: Api) -> None:
    lead_id = lead(api)
    code, message, fields = error(convert(soap, lead_id, opportunityName="é" * 81))
    assert (code, fields) == ("STRING_TOO_LONG", ["Name"])
    assert message.endswith("(max length=80)")
    headers = xml(AllowFieldTruncationHeader={"allowFieldTruncation": True})
    result = converted(soap, lead_id, headers=headers, opportunityName="é" * 81)
    assert get(api, "Opportunity", result["opportunityId"])["Name"] == "é" * 80
    converted(soap, lead(api), opportunityName="x" * 80)


def test_each_lead_has_its_own_result(soap: SoapApi, api: Api) -> None:
    ids = [lead(api, LastName=f"L{n}") for n in range(6)]
    soap.org.faults.lock_rows(ids[4])
    asked = [{"convertedStatus": "Nonsense" if n == 2 else STATUS, "leadId": lead_id} for n, lead_id in enumerate(ids)]
    results = soap("convertLead", leadConverts=[*asked, asked[0]])
    assert [result["success"] for result in results] == ["true", "true", "false", "true", "false", "true", "false"]
    assert [result["leadId"] for result in results] == [*ids, ids[0]]
    codes = [error(result)[0] for result in results if result["success"] == "false"]
    assert codes == ["INVALID_STATUS", "UNABLE_TO_LOCK_ROW", "CANNOT_UPDATE_CONVERTED_LEAD"]
    assert [result["accountId"] for result in results if result["success"] == "false"] == [None] * 3
    left = query(api, "SELECT Id FROM Lead WHERE IsConverted = false ORDER BY Id")
    assert [record["Id"] for record in left] == [ids[2], ids[4]]


def test_a_lead_is_converted_once_however_many_ask(soap: SoapApi, api: Api) -> None:
    lead_id = lead(api)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: convert(soap, lead_id), range(16)))
    assert sorted(result["success"] for result in results) == ["false"] * 15 + ["true"]
    assert len(query(api, "SELECT Id FROM Account")) == 1


def test_the_most_leads_of_one_call(soap: SoapApi, api: Api) -> None:
    lead_id = lead(api)
    one = {"convertedStatus": STATUS, "leadId": lead_id}
    results = soap("convertLead", leadConverts=[one] * 100)
    assert [result["success"] for result in results] == ["true"] + ["false"] * 99
    refused = soap.fault("convertLead", leadConverts=[one] * 101)
    assert (refused.code, refused.kind) == ("sf:EXCEEDED_LEAD_CONVERT_LIMIT", "UnexpectedErrorFault")
    assert soap("convertLead") == []


@pytest.mark.parametrize(
    ("members", "refused"),
    [
        ({"leadId": "undefined"}, Fault(500, "sf:MALFORMED_ID", "bad id undefined", "UnexpectedErrorFault")),
        ({"accountId": ""}, Fault(500, "sf:MALFORMED_ID", "bad id ", "UnexpectedErrorFault")),
        ({"leadId": None}, Fault(500, "soapenv:Client", "Required field leadId is missing")),
        ({"convertedStatus": None}, Fault(500, "soapenv:Client", "Required field convertedStatus is missing")),
        (
            {"doNotCreateOpportunity": "maybe"},
            Fault(500, "soapenv:Client", "'maybe' is not a valid value for the type xsd:boolean"),
        ),
        (
            {"bypassContactDedupeCheck": "no"},
            Fault(500, "soapenv:Client", "'no' is not a valid value for the type xsd:boolean"),
        ),
        (
            {"closeDate": "2027-01-01"},
            Fault(500, "soapenv:Client", "Element {urn:partner.soap.sforce.com}closeDate invalid at this location"),
        ),
        (
            {"accountRecord": {"type": "Account", "AnnualRevenue": "much"}},
            Fault(500, "soapenv:Client", "'much' is not a valid value for the type xsd:double"),
        ),
        (
            {"accountRecord": {"type": "Contact"}},
            Fault(500, "sf:INVALID_TYPE", "accountRecord must be of type Account, not Contact", "UnexpectedErrorFault"),
        ),
        (
            {"accountRecord": {"type": "Nothing__c"}},
            Fault(500, "sf:INVALID_TYPE", "sObject type 'Nothing__c' is not supported.", "InvalidSObjectFault"),
        ),
        (
            {"accountRecord": {"Name": "No type"}},
            Fault(
                500,
                "soapenv:Client",
                "Missing entity type information. sObject requires a separate 'type' field be sent.",
            ),
        ),
    ],
)
def test_what_is_no_request_converts_nothing(soap: SoapApi, api: Api, members: dict[str, Any], refused: Fault) -> None:
    lead_id = lead(api)
    good = {"convertedStatus": STATUS, "leadId": lead_id}
    assert soap.fault("convertLead", leadConverts=[good, good | members]) == refused
    assert get(api, "Lead", lead_id)["IsConverted"] is False


def test_nil_and_the_bypass_of_checks(soap: SoapApi, api: Api) -> None:
    optional = ("accountId", "accountRecord", "contactId", "contactRecord", "opportunityId", "opportunityName")
    more = ("opportunityRecord", "ownerId", "relatedPersonAccountId", "relatedPersonAccountRecord")
    nothing = dict.fromkeys((*optional, *more))
    converted(soap, lead(api), bypassAccountDedupeCheck=1, bypassContactDedupeCheck=True, **nothing)


def test_versions_before_person_accounts(soap: SoapApi, api: Api) -> None:
    soap.version = "38.0"
    assert "relatedPersonAccountId" not in converted(soap, lead(api))
    soap.version = "68.0"
    assert converted(soap, lead(api))["relatedPersonAccountId"] is None
