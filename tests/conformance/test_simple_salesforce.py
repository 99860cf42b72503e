"""simple-salesforce, the Python client, drives the local org, and must see what Salesforce shows it."""

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)

from sfconnector.testing import ApexRequest, LocalOrg

PAGES_OF_200 = {"Sforce-Query-Options": "batchSize=200"}


def logins(org: LocalOrg) -> dict[str, dict[str, Any]]:
    return {
        "password": {
            "username": org.username,
            "password": org.password + org.security_token,
            "consumer_key": org.client_id,
            "consumer_secret": org.client_secret,
        },
        "client-credentials": {
            "consumer_key": org.client_id,
            "consumer_secret": org.client_secret,
            "domain": "example.my",
        },
        "jwt-bearer": {
            "username": org.username,
            "consumer_key": org.client_id,
            "privatekey": org.private_key,
        },
    }


@pytest.mark.parametrize("flow", ["password", "client-credentials", "jwt-bearer"])
def test_logs_in(org: LocalOrg, http: requests.Session, flow: str) -> None:
    peer: Any = Salesforce(session=http, **logins(org)[flow])

    assert peer.auth_type == flow
    assert f"http://{peer.sf_instance}" == org.url
    assert peer.oauth2("userinfo")["user_id"] == org.user_id
    assert peer.query("SELECT Id FROM User WHERE Username = '" + org.username + "'")["records"][0]["Id"] == org.user_id


def test_logs_in_by_soap(org: LocalOrg, http: requests.Session) -> None:
    known = {"username": org.username, "security_token": org.security_token, "version": "64.0", "session": http}
    peer: Any = Salesforce(password=org.password, **known)

    assert peer.auth_type == "password"
    assert f"http://{peer.sf_instance}" == org.url
    assert peer.query("SELECT COUNT() FROM User")["totalSize"] >= 1
    for given, code, text in (
        ({"password": '<wrong> & "worse"'}, "INVALID_LOGIN", "Invalid username, password, security token; or user "),
        (
            {"password": org.password, "version": "65.0"},
            "INVALID_OPERATION",
            "The SOAP Login operation is not available",
        ),
    ):
        with pytest.raises(SalesforceAuthenticationFailed) as refused:
            Salesforce(**{**known, **given})
        assert refused.value.code == code
        assert text in str(refused.value)
    with pytest.raises(SalesforceAuthenticationFailed) as refused:
        Salesforce(username=org.username, password=org.password, organizationId=org.organization_id, session=http)
    assert refused.value.code == "LOGIN_MUST_USE_SECURITY_TOKEN"


@pytest.mark.parametrize("flow", ["password", "client-credentials", "jwt-bearer"])
def test_logs_in_again_when_the_session_has_expired(org: LocalOrg, http: requests.Session, flow: str) -> None:
    peer: Any = Salesforce(session=http, **logins(org)[flow])
    before = peer.session_id
    org.faults.expire_tokens()

    created = peer.Account.create({"Name": "Once"})

    assert created["success"] is True
    assert peer.session_id != before
    assert peer.query("SELECT COUNT() FROM Account")["totalSize"] == 1


def test_a_session_id_that_expired_is_the_end(org: LocalOrg, peer: Any) -> None:
    org.faults.expire_tokens()
    with pytest.raises(SalesforceExpiredSession) as caught:
        peer.query("SELECT Id FROM Account")
    assert caught.value.status == 401
    assert caught.value.content == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        ({"password": "wrong"}, "invalid_grant", "authentication failure"),
        ({"consumer_key": "nobody"}, "invalid_client_id", "client identifier invalid"),
        ({"consumer_secret": "wrong"}, "invalid_client", "invalid client credentials"),
    ],
)
def test_a_refused_login(
    org: LocalOrg, http: requests.Session, changed: dict[str, str], code: str, message: str
) -> None:
    with pytest.raises(SalesforceAuthenticationFailed) as caught:
        Salesforce(session=http, **{**logins(org)["password"], **changed})
    assert (caught.value.code, caught.value.auth_message) == (code, message)


def test_records(org: LocalOrg, peer: Any) -> None:
    created = peer.Account.create({"Name": "Zürich & Söhne", "NumberOfEmployees": 7, "BillingCity": "Zürich"})
    record_id = created["id"]
    assert created == {"id": record_id, "success": True, "errors": []}

    account = peer.Account.get(record_id)
    assert dict(account["attributes"]) == {
        "type": "Account",
        "url": f"/services/data/v59.0/sobjects/Account/{record_id}",
    }
    assert (account["Name"], account["NumberOfEmployees"], account["OwnerId"]) == ("Zürich & Söhne", 7, org.user_id)
    assert account["BillingAddress"]["city"] == "Zürich"
    assert list(peer.Account.get(record_id, params={"fields": "Name,Industry"})) == [
        "attributes",
        "Name",
        "Industry",
        "Id",
    ]

    assert peer.Account.update(record_id, {"Industry": "Energy", "NumberOfEmployees": None}) == 204
    account = peer.Account.get(record_id)
    assert (account["Industry"], account["NumberOfEmployees"]) == ("Energy", None)

    assert peer.Account.upsert("Ext__c/A-1", {"Name": "new"}) == 201
    assert peer.Account.upsert("Ext__c/A-1", {"Name": "newer"}) == 200
    assert peer.Account.get_by_custom_id("Ext__c", "A-1")["Name"] == "newer"
    answer = peer.Account.upsert("Ext__c/A-1", {"Name": "newest"}, raw_response=True)
    assert answer.json() == {
        "id": peer.Account.get_by_custom_id("Ext__c", "A-1")["Id"],
        "success": True,
        "errors": [],
        "created": False,
    }

    assert peer.Account.delete(record_id) == 204
    start, end = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
    deleted = peer.Account.deleted(start, end)
    assert [each["id"] for each in deleted["deletedRecords"]] == [record_id]
    assert len(peer.Account.updated(start, end)["ids"]) == 1


def test_queries(peer: Any) -> None:
    names = [f"Page {n:03}" for n in range(450)]
    for begin in range(0, 450, 150):
        records = [{"attributes": {"type": "Account"}, "Name": name} for name in names[begin : begin + 150]]
        saved = peer.restful("composite/sobjects", method="POST", json={"allOrNone": True, "records": records})
        assert all(each["success"] for each in saved)
    soql = "SELECT Name FROM Account ORDER BY Name"

    first = peer.query(soql, headers=PAGES_OF_200)
    assert (first["totalSize"], first["done"], len(first["records"])) == (450, False, 200)
    assert re.fullmatch(r"/services/data/v59\.0/query/0r8\w{15}-200", first["nextRecordsUrl"])
    by_url = peer.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    by_locator = peer.query_more(first["nextRecordsUrl"].rpartition("/")[2])
    assert by_url == by_locator
    assert by_url["records"][0]["Name"] == "Page 200"

    assert [each["Name"] for each in peer.query_all(soql, headers=PAGES_OF_200)["records"]] == names
    assert [each["Name"] for each in peer.query_all_iter(soql, headers=PAGES_OF_200)] == names
    assert [each["Name"] for each in peer.query_all(soql)["records"]] == names
    assert peer.query("SELECT COUNT() FROM Account") == {"totalSize": 450, "done": True, "records": []}

    gone = peer.query("SELECT Id FROM Account WHERE Name = 'Page 007'")["records"][0]["Id"]
    peer.Account.delete(gone)
    found = f"SELECT Id, IsDeleted FROM Account WHERE Id = '{gone}'"
    assert peer.query(found)["totalSize"] == 0
    assert [each["IsDeleted"] for each in peer.query(found, include_deleted=True)["records"]] == [True]


def test_what_the_org_says_of_itself(org: LocalOrg, peer: Any) -> None:
    described = peer.Account.describe()
    assert [field["name"] for field in described["fields"]][:2] == ["Id", "IsDeleted"]
    assert described["urls"]["describe"] == "/services/data/v59.0/sobjects/Account/describe"
    assert peer.Account.metadata()["objectDescribe"]["keyPrefix"] == "001"
    listed = peer.describe()
    assert {"Account", "Invoice__c"} <= {each["name"] for each in listed["sobjects"]}
    assert peer.limits()["DailyApiRequests"]["Max"] == peer.api_usage["api-usage"].total
    assert peer.is_sandbox() is False
    assert peer.restful("")["sobjects"] == "/services/data/v59.0/sobjects"
    assert peer.oauth2("userinfo")["organization_id"] == org.organization_id


def save_twins(peer: Any) -> None:
    for _ in range(2):
        peer.Account.create({"Name": "Twin", "Batch__c": "B1"})


def delete_twice(peer: Any) -> None:
    record_id = peer.Account.create({"Name": "Twice"})["id"]
    peer.Account.delete(record_id)
    peer.Account.delete(record_id)


@pytest.mark.parametrize(
    ("call", "error", "status", "code"),
    [
        (lambda peer: peer.Contact.create({}), SalesforceMalformedRequest, 400, "REQUIRED_FIELD_MISSING"),
        (lambda peer: peer.Account.create({"Nmae": "x"}), SalesforceMalformedRequest, 400, "INVALID_FIELD"),
        (lambda peer: peer.Acount.create({"Name": "x"}), SalesforceResourceNotFound, 404, "NOT_FOUND"),
        (lambda peer: peer.Account.get("001000000000000AAA"), SalesforceResourceNotFound, 404, "NOT_FOUND"),
        (delete_twice, SalesforceResourceNotFound, 404, "ENTITY_IS_DELETED"),
        (lambda peer: peer.query("SELECT Id FROM"), SalesforceMalformedRequest, 400, "MALFORMED_QUERY"),
        (lambda peer: peer.query("SELECT Id FROM Acount"), SalesforceMalformedRequest, 400, "INVALID_TYPE"),
        (
            lambda peer: peer.query_more("0r8000000000000AAA-2000"),
            SalesforceMalformedRequest,
            400,
            "INVALID_QUERY_LOCATOR",
        ),
        (
            lambda peer: peer.restful("sobjects/Account", method="PUT", json={}),
            SalesforceGeneralError,
            405,
            "METHOD_NOT_ALLOWED",
        ),
    ],
)
def test_refusals(peer: Any, call: Callable[[Any], Any], error: type[Exception], status: int, code: str) -> None:
    with pytest.raises(error) as caught:
        call(peer)
    refusal: Any = caught.value
    assert refusal.status == status
    assert [entry["errorCode"] for entry in refusal.content] == [code]
    assert all(entry["message"] for entry in refusal.content)


def test_an_external_id_that_several_records_have(peer: Any) -> None:
    save_twins(peer)
    with pytest.raises(SalesforceMoreThanOneRecord) as caught:
        peer.Account.upsert("Batch__c/B1", {"Name": "Which?"})
    assert caught.value.status == 300
    assert len(caught.value.content) == 2
    assert all(url.startswith("/services/data/v59.0/sobjects/Account/001") for url in caught.value.content)


def test_files(org: LocalOrg, peer: Any, tmp_path: Path) -> None:
    content = bytes(range(256)) * 400
    (tmp_path / "new.bin").write_bytes(content)
    account_id = peer.Account.create({"Name": "Acme"})["id"]
    fields = {"PathOnClient": "a.txt", "VersionData": base64.b64encode(b"hello").decode()}
    version_id = peer.ContentVersion.create({**fields, "FirstPublishLocationId": account_id})["id"]
    assert peer.ContentVersion.get_base64(version_id, "VersionData") == b"hello"
    read = peer.ContentVersion.get(version_id)
    assert (read["ContentSize"], read["FileType"], read["Title"]) == (5, "TEXT", "a")

    attachment_id = peer.Attachment.create({"ParentId": account_id, "Name": "a", "Body": "aGVsbG8="})["id"]
    assert peer.Attachment.update_base64(attachment_id, str(tmp_path / "new.bin")) == 204
    assert peer.Attachment.get_base64(attachment_id) == content
    (found,) = peer.query("SELECT Body, BodyLength FROM Attachment")["records"]
    assert found["BodyLength"] == len(content)
    # As in https://github.com/simple-salesforce/simple-salesforce/issues/583
    response = peer.session.get(f"https://{peer.sf_instance}{found['Body']}", headers=peer.headers)
    assert response.content == content
    with pytest.raises(SalesforceMalformedRequest, match="REQUIRED_FIELD_MISSING"):
        peer.Attachment.upload_base64(str(tmp_path / "new.bin"))


def test_searches(peer: Any) -> None:
    account_id = peer.Account.create({"Name": "Acme & Söhne"})["id"]
    contact_id = peer.Contact.create({"LastName": "O'Neil", "AccountId": account_id})["id"]

    found = peer.quick_search("söhne")["searchRecords"]
    assert [record["Id"] for record in found] == [account_id, contact_id]
    found = peer.search("FIND {O\\'Neil} IN NAME FIELDS RETURNING Contact(LastName, Account.Name)")["searchRecords"]
    assert [(record["LastName"], record["Account"]["Name"]) for record in found] == [("O'Neil", "Acme & Söhne")]
    assert peer.quick_search("nowhere") == {"searchRecords": []}
    for search in ("FIND {John|Smith}", "FIND {acme", ""):
        with pytest.raises(SalesforceMalformedRequest, match="MALFORMED_SEARCH"):
            peer.search(search)
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_SEARCH"):
        peer.quick_search("a")


def test_apex_rest(org: LocalOrg, peer: Any) -> None:
    @org.apex("/orders/*", methods=["GET", "POST"])
    def order(request: ApexRequest) -> Any:
        if request.method == "GET":
            return {"number": request.segments[0], "full": request.params.get("full")}
        return request.json()["quantity"] * 2

    assert peer.apexecute("orders/A-1", params={"full": "yes"}) == {"number": "A-1", "full": "yes"}
    assert peer.apexecute("orders/A-1", method="POST", data={"quantity": 3}) == 6
    with pytest.raises(SalesforceResourceNotFound) as caught:
        peer.apexecute("nowhere")
    assert caught.value.content == [{"errorCode": "NOT_FOUND", "message": "Could not find a match for URL"}]
    with pytest.raises(SalesforceGeneralError) as refused:
        peer.apexecute("orders/A-1", method="POST", data={})
    assert refused.value.status == 500
    assert [entry["errorCode"] for entry in refused.value.content] == ["APEX_ERROR"]


def test_a_user_gets_another_password(org: LocalOrg, http: requests.Session, peer: Any) -> None:
    assert peer.set_password(org.user_id, "radium-1898-new") is None
    assert org.password == "radium-1898-new"
    again: Any = Salesforce(session=http, **logins(org)["password"])
    assert again.query("SELECT COUNT() FROM User")["totalSize"] >= 1
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_NEW_PASSWORD"):
        peer.set_password(org.user_id, "weak")
