"""Records that duplicate rules stand in the way of: what errors tell of them, and how to get by."""

import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from http_server import Reply, Server
from hypothesis import given
from hypothesis import strategies as st
from session_tools import quick
from soap_server import envelope

from sfconnector import DuplicateRule, LeadConvert, Salesforce, _duplicates, auth, errors
from sfconnector.errors import DuplicateResult, MatchRecord
from sfconnector.testing import LocalOrg

EMAIL, SECRET = "marie@curie.org", "private"
CURIE = {"LastName": "Curie", "Email": EMAIL}
ALLOW, DETAILS = DuplicateRule(allow_save=True), DuplicateRule(include_record_details=True)


@pytest.fixture
def sf(local_org: LocalOrg) -> Iterator[Salesforce]:
    way = auth.ClientCredentials(local_org.url, local_org.client_id, local_org.client_secret)
    with Salesforce(way, retry=quick()) as sf:
        yield sf


def found(error: errors.ApiError | errors.RecordError) -> DuplicateResult:
    assert error.code == "DUPLICATES_DETECTED"
    duplicates = error.errors[0].duplicates
    assert duplicates is not None
    return duplicates


def test_a_record_is_refused_with_the_ids_of_those_found(local_org: LocalOrg, sf: Salesforce) -> None:
    local_org.add_duplicate_rule("Contact", ["Email"], name="By_Email")
    contacts = sf.sobject("Contact")
    there = contacts.create({**CURIE, "Title": SECRET}).id
    with pytest.raises(errors.BadRequestError) as caught:
        contacts.create(CURIE)
    assert found(caught.value) == DuplicateResult("By_Email", True, (MatchRecord("Contact", there),))
    assert f"DUPLICATES_DETECTED: Use one of these records? (By_Email: {there})" in str(caught.value)
    assert "duplicate_rule=DuplicateRule(allow_save=True)" in str(caught.value)
    assert contacts.create(CURIE, duplicate_rule=ALLOW).success
    with pytest.raises(errors.BadRequestError) as caught:
        contacts.create(CURIE)
    assert len(found(caught.value).records) == 2


def test_the_fields_of_those_found_come_where_they_are_asked_for(local_org: LocalOrg, sf: Salesforce) -> None:
    local_org.add_duplicate_rule("Contact", ["Email"])
    contacts = sf.sobject("Contact")
    contacts.create({**CURIE, "Title": SECRET})
    with pytest.raises(errors.BadRequestError) as caught:
        contacts.create(CURIE, duplicate_rule=DETAILS)
    (record,) = found(caught.value).records
    assert (record.fields["Title"], record.fields["Email"], record.fields["Fax"]) == (SECRET, EMAIL, None)
    with pytest.raises(errors.BadRequestError) as again:
        contacts.create(CURIE)
    assert found(again.value).records[0].fields == {}
    for text in (str(caught.value), repr(caught.value), repr(caught.value.errors)):
        assert SECRET not in text
        assert EMAIL not in text
    assert found(pickle.loads(pickle.dumps(caught.value))).records[0].fields == record.fields  # noqa: S301  # our own


def test_what_is_blocked_has_no_way_around(local_org: LocalOrg, sf: Salesforce) -> None:
    local_org.add_duplicate_rule("Contact", ["Email"], on_create="block", on_update="block")
    contacts = sf.sobject("Contact")
    contacts.create(CURIE)
    other = contacts.create({"LastName": "Meitner"}).id
    for save in (
        lambda: contacts.create(CURIE, duplicate_rule=ALLOW),
        lambda: contacts.update(other, {"Email": EMAIL}, duplicate_rule=ALLOW),
    ):
        with pytest.raises(errors.BadRequestError, match="the rule lets no duplicate pass") as caught:
            save()
        assert found(caught.value).allow_save is False


def test_many_records(local_org: LocalOrg, sf: Salesforce) -> None:
    local_org.add_duplicate_rule("Contact", ["Email"])
    contacts = sf.sobject("Contact")
    contacts.create(CURIE)
    people = [{"LastName": "Meitner"}, CURIE]
    first, second = contacts.create_many(people, raise_on_failure=False)
    assert (first.success, second.success) == (True, False)
    assert [(each.code, each.duplicates) for each in second.errors] == [("DUPLICATES_DETECTED", None)]
    assert [each.success for each in contacts.create_many(people, duplicate_rule=ALLOW)] == [True, True]


def test_a_lead_that_would_make_a_duplicate(local_org: LocalOrg, sf: Salesforce) -> None:
    local_org.add_duplicate_rule("Contact", ["Email"])
    there = sf.sobject("Contact").create({**CURIE, "Title": SECRET}).id
    leads = [sf.sobject("Lead").create({**CURIE, "Company": f"Radium {number}"}).id for number in range(4)]
    with pytest.raises(errors.RecordError) as caught:
        sf.soap.convert_lead(leads[0], duplicate_rule=DETAILS)
    (record,) = found(caught.value).records
    assert (record.sobject, record.id, record.fields["Title"]) == ("Contact", there, SECRET)
    assert there in str(caught.value)
    assert SECRET not in str(caught.value) + repr(caught.value.errors)
    assert sf.soap.convert_lead(leads[0], bypass_contact_dedupe_check=True).contact_id != there
    assert sf.soap.convert_lead(leads[1], duplicate_rule=ALLOW).contact_id != there
    asked = [leads[2], LeadConvert(leads[3], bypass_account_dedupe_check=True, bypass_contact_dedupe_check=True)]
    refused, done = sf.soap.convert_leads(asked, raise_on_failure=False)
    assert (refused.success, done.success) == (False, True)
    assert refused.errors[0].duplicates is not None
    assert len(refused.errors[0].duplicates.records) == 3


# As it was recorded of version 38.0, but for texts and white space; the id comes twice.
RECORDED = """<convertLeadResponse><result><accountId xsi:nil="true"/><contactId xsi:nil="true"/>
<errors xsi:type="DuplicateError"><message>You&apos;re creating a duplicate record.</message>
<statusCode>DUPLICATES_DETECTED</statusCode><duplicateResult><allowSave>true</allowSave>
<duplicateRule>Custom_Contact_Duplicate_Rule</duplicateRule><duplicateRuleEntityType>Contact</duplicateRuleEntityType>
<errorMessage>You&apos;re creating a duplicate record.</errorMessage><matchResults><entityType>Contact</entityType>
<matchEngine>ExactMatchEngine</matchEngine><matchRecords><fieldDiffs><difference>SAME</difference><name>Email</name>
</fieldDiffs><matchConfidence>100.0</matchConfidence><record xsi:type="sf:sObject"
xmlns:sf="urn:sobject.partner.soap.sforce.com"><sf:type>Contact</sf:type><sf:Id>0034C00000UQ6jIQAT</sf:Id>
<sf:Name>Test Three</sf:Name><sf:Id>0034C00000UQ6jIQAT</sf:Id></record></matchRecords><rule>Contact_Email</rule>
<size>1</size><success>true</success></matchResults></duplicateResult></errors><leadId>00Q4C00000AhuQzUAJ</leadId>
<opportunityId xsi:nil="true"/><success>false</success></result></convertLeadResponse>"""


def test_a_recorded_answer() -> None:
    wanted = pytest.raises(errors.RecordError)
    with Server([envelope(RECORDED)]) as server, Salesforce(auth.AccessToken(server.url, "x")) as sf, wanted as caught:
        sf.soap.convert_lead("00Q4C00000AhuQzUAJ", converted_status="Qualified")
    assert found(caught.value).rule == "Custom_Contact_Duplicate_Rule"
    assert found(caught.value).allow_save is True
    (record,) = found(caught.value).records
    assert (record.sobject, record.id, record.fields) == ("Contact", "0034C00000UQ6jIQAT", {"Name": "Test Three"})


@pytest.mark.parametrize("name", ["duplicateResut", "duplicateResult"])
def test_rest_may_spell_it_in_either_way(name: str) -> None:
    record = {"attributes": {"type": "Lead"}, "Id": "00Q000000000001AAA"}
    told = {"allowSave": False, "duplicateRule": "R", "matchResults": [{"matchRecords": [{"record": record}]}]}
    reply = Reply.of([{name: told, "errorCode": "DUPLICATES_DETECTED", "message": "m"}], status=400)
    wanted = pytest.raises(errors.BadRequestError)
    with Server([reply]) as server, Salesforce(auth.AccessToken(server.url, "x")) as sf, wanted as caught:
        sf.sobject("Lead").create({"LastName": "x"})
    assert found(caught.value) == DuplicateResult("R", False, (MatchRecord("Lead", "00Q000000000001AAA"),))


_JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["allowSave", "duplicateRule", "matchResults", "matchRecords", "record", "attributes", "type", "Id"]
            ),
            inner,
            max_size=4,
        )
    ),
)


@given(_JSON)
def test_nothing_that_is_told_of_duplicates_hides_the_error(told: Any) -> None:
    read = _duplicates.read(told)
    assert read is None or all(isinstance(each.id, str) for each in read.records)
