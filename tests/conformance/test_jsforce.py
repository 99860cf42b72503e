"""jsforce, the JavaScript client, drives the local org, and must see what Salesforce shows it.

Expectations are Salesforce's own: its documentation, or what jsforce's threads and recorded answers show.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sfconnector.testing import LocalOrg

Run = Callable[..., Any]

ROLLED_BACK = {
    "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "message": "Record rolled back because not all records were valid and the request was using AllOrNone header",
    "fields": [],
}
LAST_NAME_MISSING = {
    "statusCode": "REQUIRED_FIELD_MISSING",
    "message": "Required fields are missing: [LastName]",
    "fields": ["LastName"],
}


def foreign_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return text.decode()


def refusals(seen: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The name and message of each error that jsforce threw."""
    done = [name for name, outcome in seen["refused"].items() if "error" not in outcome]
    assert not done, f"the org did not refuse: {done}"
    return {name: (outcome["error"]["name"], outcome["error"]["message"]) for name, outcome in seen["refused"].items()}


def test_every_login_flow(org: LocalOrg, jsforce: Run) -> None:
    seen = jsforce("login", private_key=org.private_key, foreign_key=foreign_key())

    identity_url = f"{org.url}/id/{org.organization_id}/{org.user_id}"
    for flow in ("password", "client_credentials", "jwt_bearer"):
        session = seen[flow]
        assert session["userInfo"] == {
            "id": org.user_id,
            "organizationId": org.organization_id,
            "url": identity_url,
        }, flow
        assert session["instanceUrl"] == org.url, flow
        assert session["identity"] == {
            "user_id": org.user_id,
            "organization_id": org.organization_id,
            "username": org.username,
            "active": True,
            "id": identity_url,
        }, flow
        assert session["user"] == org.user_id, flow

    token = seen["refresh_token"]
    assert token["token_type"] == "Bearer"
    assert token["id"] == identity_url
    assert token["issued_at"].isdigit()
    assert "expires_in" not in token
    assert "refresh_token" not in token

    userinfo = seen["userinfo"]
    assert userinfo["user_id"] == org.user_id
    assert userinfo["preferred_username"] == org.username
    assert userinfo["urls"]["rest"] == f"{org.url}/services/data/v{{version}}/"

    assert refusals(seen) == {
        "wrong_password": ("invalid_grant", "authentication failure"),
        "wrong_client": ("invalid_client_id", "client identifier invalid"),
        "wrong_secret": ("invalid_client", "invalid client credentials"),
        "unknown_refresh_token": ("invalid_grant", "expired access/refresh token"),
        "unknown_grant": ("unsupported_grant_type", "grant type not supported"),
        "foreign_key": ("invalid_grant", "invalid assertion"),
        "expired_assertion": ("invalid_grant", "expired authorization code"),
        "unapproved_user": ("invalid_grant", "user hasn't approved this consumer"),
        "wrong_audience": ("invalid_grant", "audience is invalid"),
        "after_logout": ("INVALID_SESSION_ID", "Session expired or invalid"),
        # jsforce reads this answer as a form and so shows all of it.
        "logout_twice": ("ERROR_HTTP_400", '{"error":"invalid_token","error_description":"invalid token"}'),
    }


def test_an_expired_session_is_refreshed_once_and_the_request_repeated(org: LocalOrg, jsforce: Run) -> None:
    stale = org.access_token()
    org.faults.expire_tokens()

    seen = jsforce("session", access_token=stale)

    assert seen["users"] >= 1
    assert (seen["refreshes"], seen["changed"]) == (1, True)
    assert (seen["together"], seen["created"]) == (1, 5)
    assert seen["accounts"] == [f"Account {n}" for n in range(5)]
    assert refusals(seen) == {
        "expired": ("INVALID_SESSION_ID", "Session expired or invalid"),
        "unknown": ("INVALID_SESSION_ID", "Session expired or invalid"),
        "refresh": ("Error", "Unable to refresh session due to: expired access/refresh token"),
        "identity": ("ERROR_HTTP_403", "Bad_OAuth_Token"),
    }


@pytest.mark.parametrize("version", ["50.0", "68.0"])
def test_queries(org: LocalOrg, jsforce: Run, version: str) -> None:
    seen = jsforce("query", version=version)
    names = [f"Page {n:03}" for n in range(450)]
    parent, childless = seen["parent"], seen["childless"]

    pages = seen["pages"]
    assert [page["names"] for page in pages] == [names[:200], names[200:400], names[400:]]
    assert [(page["totalSize"], page["done"]) for page in pages] == [(450, False), (450, False), (450, True)]
    locators = [page.get("nextRecordsUrl", "") for page in pages]
    assert re.fullmatch(rf"{org.url}/services/data/v{version}/query/0r8\w{{15}}-200", locators[0])
    assert locators[1:] == [locators[0].removesuffix("200") + "400", ""]
    assert seen["fetched"] == names

    assert seen["one"] == [
        {
            "attributes": {"type": "Account", "url": f"/services/data/v{version}/sobjects/Account/{parent}"},
            "Id": parent,
            "Name": "Parent",
            "AnnualRevenue": 12.5,
        }
    ]
    with_contacts, without = seen["children"]
    assert (with_contacts["Name"], without["Name"], without["Contacts"]) == ("Parent", "Childless", None)
    contacts = with_contacts["Contacts"]
    assert (contacts["totalSize"], contacts["done"]) == (2, True)
    assert [(each["LastName"], each["Birthdate"]) for each in contacts["records"]] == [
        ("Curie", "1867-11-07"),
        ("Meitner", None),
    ]
    assert all(each["attributes"]["type"] == "Contact" for each in contacts["records"])
    assert [(each["LastName"], each["Account"]["Name"]) for each in seen["parents"]] == [
        ("Curie", "Parent"),
        ("Meitner", "Parent"),
    ]
    owner = seen["parents"][0]["Account"]["Owner"]
    assert (owner["attributes"]["type"], owner["IsActive"]) == ("User", True)

    assert [each["Name"] for each in seen["built"]] == ["Page 098", "Page 097", "Page 096"]
    assert [each["FirstName"] for each in seen["included"][0]["Contacts"]["records"]] == ["Marie"]
    assert seen["found"]["Name"] == "Parent"
    assert seen["count"] == {"totalSize": 2, "done": True, "records": []}
    assert (seen["counted"], seen["today"]) == (100, 2)
    assert childless != parent
    deleted = seen["deleted"]
    assert (deleted["seen"], deleted["scanned"]) == (0, [{"Id": deleted["id"], "IsDeleted": True}])

    refused = refusals(seen)
    assert {name: code for name, (code, _) in refused.items()} == {
        "malformed": "MALFORMED_QUERY",
        "field": "INVALID_FIELD",
        "object": "INVALID_TYPE",
        "relationship": "INVALID_FIELD",
        "value": "INVALID_FIELD",
        "locator": "INVALID_QUERY_LOCATOR",
    }
    assert refused["malformed"][1].endswith("unexpected token: 'FROM'")
    # Word for word as Salesforce was recorded, but for the names.
    assert refused["object"][1] == (
        "\nSELECT Id FROM Acount\n               ^\nERROR at Row:1:Column:16\n"
        "sObject type 'Acount' is not supported. If you are attempting to use a custom object, be sure to append the "
        "'__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
    )
    assert refused["field"][1].startswith(
        "\nSELECT Nam FROM Account\n       ^\nERROR at Row:1:Column:8\nNo such column 'Nam' on entity 'Account'."
    )


def test_single_records(org: LocalOrg, jsforce: Run) -> None:
    seen = jsforce("records")
    record_id = seen["created"]["id"]

    assert re.fullmatch(r"001\w{15}", record_id)
    assert seen["created"] == {"id": record_id, "success": True, "errors": []}
    assert seen["read"] == {
        "attributes": {"type": "Account", "url": f"/services/data/v68.0/sobjects/Account/{record_id}"},
        "Id": record_id,
        "Name": "Zürich & Söhne “GmbH”",
        "Industry": "Energy",
        "AnnualRevenue": 1250000,
        "BillingCity": "Zürich",
        "Description": "line one\nline two\t🙂",
        "OwnerId": org.user_id,
        "Ext__c": None,
    }
    whole = seen["whole"]
    assert {"Id", "Name", "CreatedDate", "SystemModstamp", "BillingAddress", "Ext__c"} <= whole.keys()
    assert whole["BillingAddress"]["city"] == "Zürich"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000", whole["CreatedDate"])
    assert seen["updated"] == {"id": record_id, "success": True, "errors": []}
    # An empty text is stored as null.
    assert [seen["reread"][name] for name in ("Industry", "AnnualRevenue", "Description")] == [None, 0, None]
    # An id of 15 characters finds the record, too.
    assert seen["short"] == record_id

    upserted = seen["inserted"]["id"]
    assert seen["inserted"] == {"id": upserted, "success": True, "errors": [], "created": True}
    assert seen["merged"] == {"id": upserted, "success": True, "errors": [], "created": False}
    # Before version 46.0 an update was answered with 204, which jsforce fills in.
    assert seen["mergedLongAgo"] == {"success": True, "errors": []}
    assert (seen["byExternalId"]["Id"], seen["byExternalId"]["Name"]) == (upserted, "Upserted thrice")
    several = seen["several"]["error"]
    assert several["name"] == "MULTIPLE_CHOICES"
    assert len(several["data"]) == 2
    assert all(re.fullmatch(r"/services/data/v68\.0/sobjects/Account/001\w{15}", url) for url in several["data"])
    assert seen["removed"] == {"id": upserted, "success": True, "errors": []}
    assert seen["gone"] == [upserted]
    assert record_id in seen["changed"]
    assert upserted not in seen["changed"]


def test_refused_records(jsforce: Run) -> None:
    refused = refusals(jsforce("records"))

    assert {name: code for name, (code, _) in refused.items()} == {
        "required": "REQUIRED_FIELD_MISSING",
        "unknown_field": "INVALID_FIELD",
        "unknown_object": "NOT_FOUND",
        "too_long": "STRING_TOO_LONG",
        "wrong_type": "JSON_PARSER_ERROR",
        "wrong_boolean": "JSON_PARSER_ERROR",
        "wrong_date": "JSON_PARSER_ERROR",
        "email": "INVALID_EMAIL_ADDRESS",
        "picklist": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "malformed_id": "MALFORMED_ID",
        "id_of_another_type": "FIELD_INTEGRITY_EXCEPTION",
        "no_such_parent": "INVALID_CROSS_REFERENCE_KEY",
        "read_only": "INVALID_FIELD_FOR_INSERT_UPDATE",
        "duplicate": "DUPLICATE_VALUE",
        "update_unknown_id": "INVALID_CROSS_REFERENCE_KEY",
        "update_deleted": "ENTITY_IS_DELETED",
        "read_deleted": "ENTITY_IS_DELETED",
        "delete_deleted": "ENTITY_IS_DELETED",
        "read_malformed_id": "NOT_FOUND",
        "no_external_id": "NOT_FOUND",
        "not_an_external_id": "NOT_FOUND",
        "not_json": "JSON_PARSER_ERROR",
        "no_such_resource": "NOT_FOUND",
        "wrong_method": "METHOD_NOT_ALLOWED",
    }
    messages = {name: message for name, (_, message) in refused.items()}
    assert messages["required"] == "Required fields are missing: [LastName]"
    assert messages["unknown_field"] == "No such column 'Nmae' on sobject of type Account"
    assert messages["too_long"] == f"Account Name: data value too large: {'x' * 256} (max length=255)"
    assert messages["email"] == "Email: invalid email address: not an address"
    assert messages["picklist"] == "Clean Status: bad value for restricted picklist field: Spotless"
    assert messages["malformed_id"] == "Account ID: id value of incorrect type: nonsense"
    assert re.fullmatch(
        r"duplicate value found: Unique__c duplicates value on record with id: 001\w{12,15}", messages["duplicate"]
    )
    assert messages["delete_deleted"] == "entity is deleted"
    assert messages["no_such_resource"] == "The requested resource does not exist"
    assert messages["wrong_method"].startswith("HTTP Method 'PUT' not allowed. Allowed are ")
    assert messages["read_malformed_id"] == "Provided external ID field does not exist or is not accessible: nonsense"


def test_collections(jsforce: Run) -> None:
    seen = jsforce("collections")

    one, two, three = seen["created"]
    assert one == {"id": one["id"], "success": True, "errors": []}
    # A record that failed has no id at all.
    assert two == {"success": False, "errors": [LAST_NAME_MISSING]}
    assert [error["statusCode"] for error in three["errors"]] == ["INVALID_EMAIL_ADDRESS"]
    assert seen["rolledBack"] == [
        {"success": False, "errors": [ROLLED_BACK]},
        {"success": False, "errors": [LAST_NAME_MISSING]},
    ]
    assert [each["id"][:3] for each in seen["mixed"]] == ["001", "003"]

    first, second, third = seen["more"]
    updated = seen["updated"]
    assert [each["success"] for each in updated] == [True, False, False]
    assert updated[0]["id"] == first
    assert [error["statusCode"] for error in updated[1]["errors"] + updated[2]["errors"]] == [
        "INVALID_CROSS_REFERENCE_KEY",
        "REQUIRED_FIELD_MISSING",
    ]
    # In the order asked for, with null for an id that is nobody's.
    assert [each and (each["Id"], each["Name"]) for each in seen["retrieved"]] == [(second, "B"), None, (first, "A2")]
    assert (seen["wholly"][0]["Id"], seen["wholly"][0]["Name"]) == (third, "C")

    assert [(each["success"], each.get("created")) for each in seen["upserted"][:2]] == [(True, True)] * 2
    failed = seen["upserted"][2]
    assert (failed["success"], failed["errors"][0]["statusCode"]) == (False, "REQUIRED_FIELD_MISSING")
    again, fourth = seen["upsertedAgain"]
    assert again == {"id": seen["upserted"][0]["id"], "success": True, "created": False, "errors": []}
    assert fourth["created"] is True

    assert seen["destroyed"][0] == {"id": first, "success": True, "errors": []}
    assert (seen["destroyed"][1]["success"], "id" in seen["destroyed"][1]) == (False, False)
    assert seen["destroyedTwice"][0]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"
    assert seen["kept"][0] == {"success": False, "errors": [ROLLED_BACK]}

    assert seen["contacts"] == ["One", "Seven"]
    assert seen["accounts"] == ["B", "C", "first again", "fourth", "second", "Six"]
    too_many = seen["refused"]["too_many"]["error"]
    assert (too_many["name"], too_many["message"]) == (
        "EXCEEDED_ID_LIMIT",
        "record limit reached. cannot submit more than 200 records into this call",
    )
    assert seen["refused"]["unknown_field"]["value"][0]["errors"] == [
        {"statusCode": "INVALID_FIELD", "message": "No such column 'Nmae' on sobject of type Account", "fields": []}
    ]


def test_what_the_org_says_of_itself(org: LocalOrg, jsforce: Run) -> None:
    seen = jsforce("describe")

    account = seen["account"]
    fields = {field["name"]: field for field in account["fields"]}
    assert (account["name"], account["keyPrefix"], account["label"]) == ("Account", "001", "Account")
    assert account["urls"]["rowTemplate"] == "/services/data/v68.0/sobjects/Account/{ID}"
    assert (fields["Name"]["type"], fields["Name"]["length"], fields["Name"]["nillable"]) == ("string", 255, False)
    assert fields["OwnerId"]["referenceTo"] == ["User"]
    assert "Energy" in [entry["value"] for entry in fields["Industry"]["picklistValues"]]
    assert (fields["Ext__c"]["externalId"], fields["Ext__c"]["unique"]) == (True, True)
    assert ("Contact", "AccountId", "Contacts") in [
        (each["childSObject"], each["field"], each["relationshipName"]) for each in account["childRelationships"]
    ]
    assert seen["cached"] == "Account"

    custom = seen["custom"]
    assert (custom["custom"], custom["keyPrefix"][0], custom["labelPlural"]) == (True, "a", "Invoices")
    amount = next(field for field in custom["fields"] if field["name"] == "Amount__c")
    assert (amount["type"], amount["precision"], amount["scale"], amount["custom"]) == ("currency", 16, 2, True)

    assert (seen["global"]["encoding"], seen["global"]["maxBatchSize"]) == ("UTF-8", 200)
    assert {"Account", "Contact", "Invoice__c", "User"} <= {each["name"] for each in seen["global"]["sobjects"]}
    assert seen["info"]["objectDescribe"]["name"] == "Account"
    assert seen["old"] == "/services/data/v50.0/sobjects/Account"

    calls = seen["limits"]["DailyApiRequests"]
    assert 0 < calls["Remaining"] < calls["Max"] == seen["usage"]["limit"]
    assert seen["usage"]["used"] > 0
    assert {"label": "Winter '21", "url": "/services/data/v50.0", "version": "50.0"} in seen["versions"]
    assert seen["resources"]["query"] == "/services/data/v68.0/query"
    assert seen["resources"]["identity"] == f"{org.url}/id/{org.organization_id}/{org.user_id}"

    refused = refusals(seen)
    missing = ("NOT_FOUND", "The requested resource does not exist")
    assert (refused["object"], refused["version"]) == (missing, missing)
    assert refused["retired"][0] == "GONE"


def test_files(org: LocalOrg, jsforce: Run) -> None:
    seen = jsforce("files")

    for way in ("inJson", "inParts"):
        assert seen["described"][way] == {
            "Checksum": seen["md5"],
            "ContentSize": 100_000,
            "FileType": "CSV",
            "Title": "Überblick",
            "VersionNumber": "1",
            "VersionData": "/services/data/v68.0/sobjects/ContentVersion/{id}/VersionData",
            "same": True,
        }, way
    assert seen["latest"] == {"isSecond": True, "size": 5, "title": "b"}
    assert sorted(seen["links"]) == sorted([[org.user_id, "I"], [seen["account"], "V"]])
    assert seen["attachment"] == "hello"
    assert (seen["collection"], seen["contents"]) == ([True, True], ["one", "two"])
    assert seen["gone"]["success"]

    found = refusals(seen)
    assert found["empty"] == ("REQUIRED_FIELD_MISSING", "Required fields are missing: [VersionData]")
    # The texts of these two are quoted in many threads.
    assert found["unfiltered"] == (
        "MALFORMED_QUERY",
        "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or "
        "LinkedEntityId using the equals operator or multiple Id's using the IN operator.",
    )
    assert found["twice"][0] == "DUPLICATE_VALUE"
    assert "is already linked with the entity with ID" in found["twice"][1]
