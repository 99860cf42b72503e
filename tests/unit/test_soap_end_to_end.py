"""SOAP calls of the client against the local org: what becomes of records, and what trouble does to them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from http_server import Server
from session_tools import quick
from soap_server import fault

from sfconnector import LeadConvert, Salesforce, auth, errors
from sfconnector.testing import LocalOrg

HOSTILE = 'O\'Hara "& Sons" <a@b.c> ]]> &lt; é 😀'
LEAD = {"LastName": "Curie", "FirstName": "Marie", "Company": "Radium & Sons", "Email": "m@curie.org"}


@pytest.fixture
def sf(local_org: LocalOrg) -> Iterator[Salesforce]:
    way = auth.ClientCredentials(local_org.url, local_org.client_id, local_org.client_secret)
    with Salesforce(way, retry=quick()) as sf:
        yield sf


def lead(sf: Salesforce, **more: Any) -> str:
    return sf.sobject("Lead").create({**LEAD, **more}).id


def soap_calls(org: LocalOrg) -> int:
    return sum("/services/Soap/" in request.path for request in org.requests)


def test_a_lead_becomes_an_account_a_contact_and_an_opportunity(sf: Salesforce) -> None:
    lead_id = lead(sf)
    done = sf.soap.convert_lead(lead_id)
    assert done.account_id is not None
    assert done.contact_id is not None
    assert done.opportunity_id is not None
    assert sf.sobject("Account").get(done.account_id)["Name"] == LEAD["Company"]
    contact = sf.sobject("Contact").get(done.contact_id)
    assert (contact["AccountId"], contact["LastName"], contact["Email"]) == (done.account_id, "Curie", LEAD["Email"])
    assert sf.sobject("Opportunity").get(done.opportunity_id)["AccountId"] == done.account_id
    was = sf.sobject("Lead").get(lead_id)
    assert (was["IsConverted"], was["Status"], was["ConvertedAccountId"]) == (
        True,
        "Closed - Converted",
        done.account_id,
    )
    with pytest.raises(errors.RecordError, match="CANNOT_UPDATE_CONVERTED_LEAD"):
        sf.soap.convert_lead(lead_id)


def test_what_is_said_is_done(sf: Salesforce, local_org: LocalOrg) -> None:
    account = sf.sobject("Account").create({"Name": "Given", "Fax": "1", "Phone": "2"}).id
    contact = sf.sobject("Contact").create({"LastName": "Given", "AccountId": account, "LeadSource": "Web"}).id
    done = sf.soap.convert_lead(
        lead(sf, LeadSource="Other", Phone="3"),
        account_id=account,
        contact_id=contact,
        opportunity_name=HOSTILE,
        owner_id=local_org.user_id,
        overwrite_lead_source=True,
        account_record={"Site": HOSTILE, "Fax": None},
        opportunity_record={"NextStep": HOSTILE, "Amount": 5},
    )
    assert (done.account_id, done.contact_id) == (account, contact)
    assert done.opportunity_id is not None
    was = sf.sobject("Account").get(account)
    assert (was["Site"], was["Fax"], was["Phone"], was["Name"]) == (HOSTILE, None, "2", "Given")
    assert sf.sobject("Contact").get(contact)["LeadSource"] == "Other"
    opportunity = sf.sobject("Opportunity").get(done.opportunity_id)
    assert (opportunity["Name"], opportunity["NextStep"], opportunity["Amount"]) == (HOSTILE, HOSTILE, 5)
    assert sf.soap.convert_lead(lead(sf), do_not_create_opportunity=True).opportunity_id is None


def test_200_leads_with_mixed_outcomes_are_mapped_to_their_inputs(sf: Salesforce, local_org: LocalOrg) -> None:
    people = [{**LEAD, "LastName": f"L{number}", "Company": f"C{number}"} for number in range(200)]
    ids = [str(result.id) for result in sf.sobject("Lead").create_many(people)]
    for gone in ids[::20]:
        sf.sobject("Lead").delete(gone)
    leads = [LeadConvert(each, converted_status="Nonsense" if n % 20 == 7 else None) for n, each in enumerate(ids)]
    before = soap_calls(local_org)
    results = list(sf.soap.convert_leads(leads, workers=2, raise_on_failure=False))
    assert soap_calls(local_org) == before + 2
    assert [each.success for each in results] == [number % 20 not in {0, 7} for number in range(200)]
    names = {record["Id"]: record["Name"] for record in sf.query("SELECT Id, Name FROM Account")}
    for number, each in enumerate(results):
        assert each.record is leads[number]
        if each.conversion is not None:
            assert each.conversion.lead_id == ids[number]
            assert names[str(each.conversion.account_id)] == f"C{number}"
        else:
            assert each.errors[0].code
            assert each.errors[0].message


def test_an_expired_session_is_renewed_in_the_midst(sf: Salesforce, local_org: LocalOrg) -> None:
    lead_id = lead(sf)
    local_org.faults.expire_tokens()
    before = soap_calls(local_org)
    # The status is known, so that the SOAP call is the first to notice.
    assert sf.soap.convert_lead(lead_id, converted_status="Closed - Converted").lead_id == lead_id
    assert soap_calls(local_org) == before + 2


def test_a_row_that_is_locked_is_sent_again(sf: Salesforce, local_org: LocalOrg) -> None:
    ids = [lead(sf, LastName=name) for name in "abc"]
    local_org.faults.lock_rows(ids[1], times=2)
    assert [each.id for each in sf.soap.convert_leads(ids)] == ids


def test_a_lost_answer_leaves_the_lead_converted_once(sf: Salesforce, local_org: LocalOrg) -> None:
    lead_id, status = lead(sf), sf.soap.converted_status()
    local_org.faults.cut(path="/services/Soap/*", applied=True)
    before = soap_calls(local_org)
    with pytest.raises(errors.TransportError, match="may have arrived"):
        sf.soap.convert_lead(lead_id, converted_status=status)
    assert soap_calls(local_org) == before + 1
    assert sf.sobject("Lead").get(lead_id)["IsConverted"] is True
    assert len(list(sf.query("SELECT Id FROM Opportunity"))) == 1


def test_records_are_merged_taken_back_and_removed(sf: Salesforce) -> None:
    accounts = sf.sobject("Account")
    master, other = (accounts.create({"Name": name}).id for name in ("a", "b"))
    contact = sf.sobject("Contact").create({"LastName": "x", "AccountId": other}).id
    merged = sf.soap.merge("Account", master, [other], fields={"Name": HOSTILE})
    assert (merged.id, merged.merged_ids, merged.updated_related_ids) == (master, (other,), (contact,))
    assert accounts.get(master)["Name"] == HOSTILE
    accounts.delete(master)
    assert [each.id for each in sf.soap.undelete([master])] == [master]
    assert accounts.get(master)["Name"] == HOSTILE
    accounts.delete(master)
    assert [each.id for each in sf.soap.empty_recycle_bin([master])] == [master]
    (failure,) = sf.soap.undelete([master]).failures()
    assert (failure.record, failure.errors[0].code) == (master, "UNDELETE_FAILED")


def test_time_and_user(sf: Salesforce, local_org: LocalOrg) -> None:
    assert abs(sf.soap.server_timestamp() - datetime.now(UTC)) < timedelta(minutes=5)
    assert (sf.soap.user_info().user_id, sf.soap.user_info().user_name) == (local_org.user_id, local_org.username)


# As the tests of WWW::Salesforce quote one, and by the codes that the WSDL lists.
NO_COLUMN = "No such column 'adfId' on entity 'Contact'."
EXPIRED = "The users password has expired, you must call SetPassword before attempting any other API operations"
QUOTED = [
    (
        "INVALID_FIELD",
        "InvalidFieldFault",
        f"\nselect adfId, Name from Contact\n^\nERROR at Row:1:Column:8\n{NO_COLUMN}",
    ),
    ("EXCEEDED_LEAD_CONVERT_LIMIT", "UnexpectedErrorFault", "too many leads to convert"),
    ("INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "UnexpectedErrorFault", EXPIRED),
]


@pytest.mark.parametrize("detailed", [True, False])
@pytest.mark.parametrize(("code", "kind", "message"), QUOTED)
def test_quoted_faults(code: str, kind: str, message: str, detailed: bool) -> None:
    reply = fault(code, message, kind)
    if not detailed:
        reply.body = re.sub(b"<detail.*</detail>", b"", reply.body, flags=re.DOTALL)
        assert b"exceptionCode" not in reply.body
    wanted = pytest.raises(errors.ServerError, match=re.escape(message.splitlines()[-1]))
    with Server([reply]) as server, Salesforce(auth.AccessToken(server.url, "x")) as sf, wanted as caught:
        sf.soap.convert_lead("00Q000000000001AAA", converted_status="x")
    assert (caught.value.code, caught.value.errors[0].message) == (code, message.strip())
    # The code is told once, and the query that the message quotes is not.
    assert str(caught.value).count(code) == 1
    assert "adfId, Name" not in str(caught.value)
