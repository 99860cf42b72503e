"""zeep, the Python SOAP client, drives the local org by the WSDL that Salesforce hands out, and by ours.

Salesforce's own is of 2017, and lacks what has come since.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import zeep
from recordings import Recordings

from sfconnector.testing import LocalOrg

SPECS = Path(__file__).parents[2] / "specs"
BINDING = "{urn:partner.soap.sforce.com}SoapBinding"
STATUS = "Closed - Converted"


class Peer:
    """A zeep client of a partner WSDL, strict as it comes."""

    def __init__(self, org: LocalOrg, wsdl: Path, version: str, http: requests.Session) -> None:
        self.org = org
        self.client = zeep.Client(str(wsdl), transport=zeep.Transport(session=http))
        self.service = self.client.create_service(BINDING, f"{org.url}/services/Soap/u/{version}")
        # The last version that has logins.
        self.login_url = f"{org.url}/services/Soap/u/{min(float(version), 64.0)}"
        self.headers: dict[str, Any] = {"SessionHeader": {"sessionId": org.access_token()}}
        self.http, self.version = http, version

    def __call__(self, name: str, **arguments: Any) -> Any:
        """The results of an operation."""
        answer = self.service[name](**arguments, _soapheaders=self.headers)
        assert answer.header.LimitInfoHeader.limitInfo[0].type == "API REQUESTS"
        return answer.body.result

    def login(self, password: str) -> Any:
        service = self.client.create_service(BINDING, self.login_url)
        return service.login(username=self.org.username, password=password)

    def record(self, sobject: str, **fields: Any) -> Any:
        """An ``sObject``: its fields are elements of any name."""
        given = {name: fields.pop(name) for name in ("Id", "fieldsToNull") if name in fields}
        namespace = "{urn:sobject.partner.soap.sforce.com}"
        values = [
            zeep.xsd.AnyObject(zeep.xsd.Element(namespace + name, zeep.xsd.String()), value)
            for name, value in fields.items()
        ]
        return self.client.get_type(f"{namespace}sObject")(type=sobject, _value_1=values, **given)

    def create(self, sobject: str, **values: Any) -> str:
        url = f"{self.org.url}/services/data/v68.0/sobjects/{sobject}"
        headers = {"Authorization": f"Bearer {self.org.access_token()}"}
        response = self.http.post(url, json=values, headers=headers, timeout=30)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])


@pytest.fixture(params=["38.0", "68.0"])
def zeep_peer(org: LocalOrg, request: pytest.FixtureRequest) -> Iterator[Peer]:
    wsdl = SPECS / "partner.wsdl"
    if request.param == "38.0":
        recordings: Recordings = request.getfixturevalue("recordings")
        wsdl = recordings.folder / "partner_v38.wsdl.xml"
    with requests.Session() as http:
        yield Peer(org, wsdl, request.param, http)


def test_who_is_logged_in(org: LocalOrg, zeep_peer: Peer) -> None:
    session = zeep_peer.login(org.password + org.security_token)
    assert (session.userId, session.userInfo.organizationId) == (org.user_id, org.organization_id)
    assert (session.passwordExpired, session.sandbox) == (False, False)

    zeep_peer.headers = {"SessionHeader": {"sessionId": session.sessionId}}
    zeep_peer.service = zeep_peer.client.create_service(BINDING, session.serverUrl)
    user = zeep_peer("getUserInfo")
    assert user == session.userInfo
    assert (user.userName, user.roleId, user.sessionSecondsValid) == (org.username, None, 7200)
    assert zeep_peer("getServerTimestamp").timestamp.tzinfo is not None
    assert zeep_peer("resetPassword", userId=org.user_id).password == org.password


def test_leads_are_converted(zeep_peer: Peer) -> None:
    leads = [zeep_peer.create("Lead", LastName=f"L{n}", Company="Söhne <&> ]]>") for n in range(3)]
    account_id = zeep_peer.create("Account", Name="There")
    optional = ("accountId", "contactId", "opportunityName", "ownerId")
    default = {
        "doNotCreateOpportunity": False,
        "overwriteLeadSource": False,
        "sendNotificationEmail": False,
        # Whatever is not given goes out as nil.
        **dict.fromkeys(optional),
    }
    wanted = [
        {**default, "leadId": leads[0], "convertedStatus": STATUS},
        {**default, "leadId": leads[1], "convertedStatus": "Open - Not Contacted"},
        {**default, "leadId": leads[2], "convertedStatus": STATUS, "accountId": account_id, "opportunityName": "Named"},
    ]
    first, second, third = zeep_peer("convertLead", leadConverts=wanted)
    assert (first.success, first.leadId, first.errors) == (True, leads[0], [])
    assert first.accountId.startswith("001")
    assert (second.success, second.accountId) == (False, None)
    (error,) = second.errors
    assert (error.statusCode, error.fields) == ("INVALID_STATUS", ["Status"])
    assert (third.success, third.accountId) == (True, account_id)


def test_records_are_merged_and_come_back(zeep_peer: Peer) -> None:
    master, other = (zeep_peer.create("Account", Name=name, Phone="1") for name in ("Kept", "Gone"))
    contact_id = zeep_peer.create("Contact", LastName="Curie", AccountId=other)
    record = zeep_peer.record("Account", Id=master, fieldsToNull=["Phone"], Name="New <&>")
    (merged,) = zeep_peer("merge", request=[{"masterRecord": record, "recordToMergeIds": [other]}])
    assert (merged.success, merged.id, merged.mergedRecordIds, merged.updatedRelatedIds) == (
        True,
        master,
        [other],
        [contact_id],
    )
    (back,) = zeep_peer("undelete", ids=[other])
    assert (back.success, back.id, back.errors) == (True, other, [])
    (refused,) = zeep_peer("emptyRecycleBin", ids=[other])
    assert (refused.success, refused.errors[0].statusCode) == (False, "INVALID_CROSS_REFERENCE_KEY")


@pytest.mark.parametrize("zeep_peer", ["38.0"], indirect=True)
def test_records_are_written(zeep_peer: Peer) -> None:
    first, second = zeep_peer(
        "create", sObjects=[zeep_peer.record("Account", Name="Söhne"), zeep_peer.record("Account", Phone="1")]
    )
    assert (first.success, second.success, second.id) == (True, False, None)
    (upserted,) = zeep_peer(
        "upsert", externalIDFieldName="Id", sObjects=[zeep_peer.record("Account", Id=first.id, Phone="2")]
    )
    assert (upserted.created, upserted.success, upserted.id) == (False, True, first.id)
    (updated,) = zeep_peer("update", sObjects=[zeep_peer.record("Account", Id=first.id, fieldsToNull=["Phone"])])
    (removed,) = zeep_peer("delete", ids=[first.id])
    assert (updated.id, removed.id, removed.success) == (first.id, first.id, True)


def test_duplicates_are_told_of(org: LocalOrg, zeep_peer: Peer) -> None:
    email = f"curie@v{zeep_peer.version}.org"
    org.add_object("Contact", duplicate_rules=[{"fields": ["Email"], "name": "By_Email"}])
    there = zeep_peer.create("Contact", LastName="Curie", Email=email, Title="<&>")
    lead = zeep_peer.create("Lead", LastName="Curie", Company="Radium", Email=email)
    flags = dict.fromkeys(["doNotCreateOpportunity", "overwriteLeadSource", "sendNotificationEmail"], False)
    rule = {"allowSave": False, "includeRecordDetails": True, "runAsCurrentUser": True}
    zeep_peer.headers = {**zeep_peer.headers, "DuplicateRuleHeader": rule}
    (refused,) = zeep_peer("convertLead", leadConverts=[{**flags, "leadId": lead, "convertedStatus": STATUS}])
    (error,) = refused.errors
    assert (refused.success, error.statusCode) == (False, "DUPLICATES_DETECTED")
    assert (error.duplicateResult.allowSave, error.duplicateResult.duplicateRule) == (True, "By_Email")
    (match,) = error.duplicateResult.matchResults
    assert (match.entityType, match.size, match.success) == ("Contact", 1, True)
    (record,) = match.matchRecords
    assert (record.record.type, record.record.Id, record.matchConfidence) == ("Contact", there, 100.0)
    assert [(each.difference, each.name) for each in record.fieldDiffs] == [("SAME", "Email")]
    assert "<&>" in [each.text for each in record.record._value_1]


def test_faults(org: LocalOrg, zeep_peer: Peer) -> None:
    with pytest.raises(zeep.exceptions.Fault) as wrong:
        zeep_peer.login("wrong")
    with pytest.raises(zeep.exceptions.Fault) as weak:
        zeep_peer("setPassword", userId=org.user_id, password="weak")
    record = zeep_peer.record("Nothing", Id=org.user_id)
    with pytest.raises(zeep.exceptions.Fault) as unmergeable:
        zeep_peer("merge", request=[{"masterRecord": record, "recordToMergeIds": [org.user_id]}])
    org.faults.expire_tokens()
    with pytest.raises(zeep.exceptions.Fault) as expired:
        zeep_peer("getUserInfo")
    faults = {"wrong": wrong, "weak": weak, "unmergeable": unmergeable, "expired": expired}
    read = {name: _detail(zeep_peer, fault.value) for name, fault in faults.items()}
    assert read == {
        "wrong": ("sf:INVALID_LOGIN", "LoginFault", "INVALID_LOGIN"),
        "weak": ("sf:INVALID_NEW_PASSWORD", "InvalidNewPasswordFault", "INVALID_NEW_PASSWORD"),
        "unmergeable": ("sf:INVALID_TYPE", "InvalidSObjectFault", "INVALID_TYPE"),
        "expired": ("sf:INVALID_SESSION_ID", "UnexpectedErrorFault", "INVALID_SESSION_ID"),
    }


def _detail(peer: Peer, fault: Any) -> tuple[str, str, str]:
    """The code of a fault, the type of its detail and the code there, read as the WSDL has it."""
    (element,) = fault.detail
    name = element.tag.rpartition("}")[2]
    detail = peer.client.get_type(f"{{urn:fault.partner.soap.sforce.com}}{name}").parse_xmlelement(element)
    assert fault.message == f"{detail.exceptionCode}: {detail.exceptionMessage}"
    return fault.code, name, detail.exceptionCode
