"""Leads, merges and the recycle bin by SOAP API."""

from datetime import UTC, datetime, timedelta

import pytest

from integration.conftest import AuthName, Create, Environ, Org
from sfconnector import LeadConvert, Salesforce, auth
from sfconnector.errors import AuthenticationError, RecordError, ServerError, SessionExpiredError

pytestmark = [pytest.mark.vcr, pytest.mark.block_network]

_ENDED = "00D000000000000!ended"
_TEXT = "Radium & Söhne <a@b.c> \"'"


def test_a_lead_becomes_an_account_a_contact_and_an_opportunity(sf: Salesforce, tag: str, create: Create) -> None:
    lead = create("Lead", {"LastName": f"{tag} Curie", "Company": f"{tag} {_TEXT}"})
    done = sf.soap.convert_lead(lead, opportunity_name=f"{tag} ]]> {_TEXT}", account_record={"Site": _TEXT})
    assert done.lead_id == lead
    assert done.opportunity_id is not None
    opportunity = sf.sobject("Opportunity").get(done.opportunity_id, ["Name", "AccountId", "IsClosed"])
    assert (opportunity["Name"], opportunity["AccountId"]) == (f"{tag} ]]> {_TEXT}", done.account_id)
    account = sf.sobject("Account").get(str(done.account_id), ["Name", "Site"])
    assert (account["Name"], account["Site"]) == (f"{tag} {_TEXT}", _TEXT)
    assert sf.sobject("Contact").get(str(done.contact_id), ["LastName"])["LastName"] == f"{tag} Curie"
    converted = sf.sobject("Lead").get(lead, ["IsConverted", "ConvertedAccountId"])
    assert (converted["IsConverted"], converted["ConvertedAccountId"]) == (True, done.account_id)
    with pytest.raises(RecordError) as caught:
        sf.soap.convert_lead(lead)
    assert caught.value.code == "CANNOT_UPDATE_CONVERTED_LEAD"
    sf.sobject("Opportunity").delete(done.opportunity_id)
    sf.sobject("Account").delete(str(done.account_id))


def test_each_lead_of_many_has_a_result_of_its_own(sf: Salesforce, tag: str, create: Create) -> None:
    names = ("Meitner", "Noether", "Hopper")
    ids = [create("Lead", {"LastName": f"{tag} {name}", "Company": f"{tag} Ltd"}) for name in names]
    account = create("Account", {"Name": f"{tag} There"})
    leads = [
        LeadConvert(ids[0], account_id=account, do_not_create_opportunity=True),
        LeadConvert(ids[1], converted_status="No such status"),
        LeadConvert(ids[2], account_id=account, do_not_create_opportunity=True),
    ]
    results = list(sf.soap.convert_leads(leads, raise_on_failure=False))
    assert [(each.index, each.id) for each in results] == [(0, ids[0]), (1, None), (2, ids[2])]
    assert [each.conversion and each.conversion.account_id for each in results] == [account, None, account]
    assert results[1].errors[0].code
    assert results[1].errors[0].message


def test_records_are_merged_and_leave_the_recycle_bin(sf: Salesforce, tag: str, create: Create) -> None:
    master, other, gone = (create("Account", {"Name": f"{tag} {name}"}) for name in ("Kept", "Merged", "Gone"))
    contact = create("Contact", {"LastName": f"{tag} Curie", "AccountId": other})
    merged = sf.soap.merge("Account", master, [other], fields={"Site": _TEXT})
    assert (merged.id, merged.merged_ids, contact in merged.updated_related_ids) == (master, (other,), True)
    assert sf.sobject("Account").get(master, ["Site"])["Site"] == _TEXT
    sf.sobject("Account").delete(gone)
    assert [each.success for each in sf.soap.undelete([gone])] == [True]
    sf.sobject("Account").delete(gone)
    assert [each.success for each in sf.soap.empty_recycle_bin([gone])] == [True]
    assert [each.success for each in sf.soap.undelete([gone], raise_on_failure=False)] == [False]


def test_faults_have_a_code(sf: Salesforce) -> None:
    # Leads, by an id of another object.
    with pytest.raises((RecordError, ServerError)) as caught:
        sf.soap.convert_lead("001000000000000AAA", converted_status="Closed - Converted")
    assert caught.value.code
    with pytest.raises(ServerError) as caught:
        sf.soap.merge("Opportunity", "006000000000000AAA", ["006000000000001AAA"])
    assert caught.value.code


def test_tells_time_and_user(sf: Salesforce, org: Org) -> None:
    assert datetime(2026, 1, 1, tzinfo=UTC) < sf.soap.server_timestamp() < datetime.now(UTC) + timedelta(days=1)
    assert sf.soap.user_info().user_id == sf.user_info().user_id
    assert org.url == sf.instance_url


def test_an_expired_session_is_renewed_or_told_of(org: Org) -> None:
    tokens = iter([_ENDED, org.token.access_token])
    with Salesforce(auth.AccessToken(org.url, lambda: next(tokens))) as sf:
        assert sf.soap.server_timestamp().tzinfo is UTC
    with Salesforce(auth.AccessToken(org.url, _ENDED)) as sf, pytest.raises(SessionExpiredError) as caught:
        sf.soap.server_timestamp()
    assert caught.value.code == "INVALID_SESSION_ID"


@pytest.mark.local_org
def test_logs_in_by_soap(environ: Environ, org: Org) -> None:
    way: AuthName = "soap_login"
    with pytest.warns(DeprecationWarning, match="SOAP"):
        sf = Salesforce.from_env(environ(way))
    with sf:
        assert sf.instance_url == org.url
        assert sf.soap.user_info().organization_id.startswith("00D")
    with pytest.warns(DeprecationWarning, match="SOAP"):
        sf = Salesforce.from_env({**environ(way), "SALESFORCE_PASSWORD": "wrong"})
    with sf, pytest.raises(AuthenticationError) as caught:
        sf.versions()
    assert caught.value.error == "INVALID_LOGIN"
