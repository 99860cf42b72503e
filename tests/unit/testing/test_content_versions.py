"""Files of the local org: versions, their documents and links, by the pages of the Object Reference on them."""

import base64
import hashlib
import json
from typing import Any

import pytest
import requests
from local_api import Api

from sfconnector.testing import LocalOrg

CONTENT = b"hello, world"
LINK_FIELDS = "LinkedEntityId, ShareType, Visibility, ContentDocumentId"


@pytest.fixture
def account_id(api: Api) -> str:
    return api.create("Account", Name="Acme")


def query(api: Api, soql: str) -> list[dict[str, Any]]:
    response = api("GET", "query", params={"q": soql})
    assert response.status_code == 200, response.text
    return [{k: v for k, v in record.items() if k != "attributes"} for record in response.json()["records"]]


def version(api: Api, content: bytes = CONTENT, **values: Any) -> dict[str, Any]:
    """Create a version and read all of it."""
    body = {"PathOnClient": "hello.txt", "VersionData": base64.b64encode(content).decode(), **values}
    record: dict[str, Any] = api("GET", f"sobjects/ContentVersion/{api.create('ContentVersion', **body)}").json()
    return record


def links(api: Api, document_id: str) -> list[dict[str, Any]]:
    return query(api, f"SELECT {LINK_FIELDS} FROM ContentDocumentLink WHERE ContentDocumentId = '{document_id}'")


def refusal(response: requests.Response) -> tuple[int, str, str, list[str] | None]:
    (error,) = response.json()
    return response.status_code, error["errorCode"], error["message"], error.get("fields")


# Versions and documents.


def test_a_version_makes_its_document(local_org: LocalOrg, api: Api) -> None:
    made = version(api, Title="Greeting", Description="What we say")
    expected = {
        "Title": "Greeting",
        "IsLatest": True,
        "VersionNumber": "1",
        "PathOnClient": "hello.txt",
        "FileExtension": "txt",
        "FileType": "TEXT",
        "ContentSize": len(CONTENT),
        "Checksum": hashlib.md5(CONTENT, usedforsecurity=False).hexdigest(),
        "ContentLocation": "S",
        "PublishStatus": "R",
        "FirstPublishLocationId": local_org.user_id,
        "OwnerId": local_org.user_id,
        "VersionData": f"/services/data/v68.0/sobjects/ContentVersion/{made['Id']}/VersionData",
    }
    assert {name: made[name] for name in expected} == expected
    assert api("GET", made["VersionData"]).content == CONTENT
    document = api("GET", f"sobjects/ContentDocument/{made['ContentDocumentId']}").json()
    shown = {
        "Title": "Greeting",
        "Description": "What we say",
        "LatestPublishedVersionId": made["Id"],
        "ContentSize": len(CONTENT),
        "FileType": "TEXT",
        "FileExtension": "txt",
        "PublishStatus": "R",
        "OwnerId": local_org.user_id,
    }
    assert {name: document[name] for name in shown} == shown
    assert links(api, document["Id"]) == [
        {
            "LinkedEntityId": local_org.user_id,
            "ShareType": "I",
            "Visibility": "AllUsers",
            "ContentDocumentId": document["Id"],
        }
    ]


def test_a_further_version_takes_the_place_of_the_first(api: Api, account_id: str) -> None:
    first = version(api, FirstPublishLocationId=account_id, Title="Old")
    second = version(api, b"new content", ContentDocumentId=first["ContentDocumentId"], PathOnClient=r"C:\x\hello.PDF")
    found = query(api, "SELECT VersionNumber, IsLatest, Title FROM ContentVersion ORDER BY VersionNumber")
    assert found == [
        {"VersionNumber": "1", "IsLatest": False, "Title": "Old"},
        {"VersionNumber": "2", "IsLatest": True, "Title": "hello"},
    ]
    assert (second["FileType"], second["FileExtension"], second["PublishStatus"]) == ("PDF", "PDF", "P")
    document = api("GET", f"sobjects/ContentDocument/{first['ContentDocumentId']}").json()
    assert document["LatestPublishedVersionId"] == second["Id"]
    assert (document["Title"], document["ContentSize"]) == ("hello", 11)
    assert len(links(api, document["Id"])) == 2
    assert api("GET", f"sobjects/ContentVersion/{first['Id']}/VersionData").content == CONTENT


@pytest.mark.parametrize(
    ("path", "kind"),
    [("a.docx", "WORD_X"), ("a.tar.gz", "GZIP"), ("a", "UNKNOWN"), (".profile", "UNKNOWN"), ("a.xyz", "UNKNOWN")],
)
def test_the_kind_of_a_file_follows_from_its_name(api: Api, path: str, kind: str) -> None:
    assert version(api, PathOnClient=path)["FileType"] == kind


def test_a_version_may_be_a_link(api: Api) -> None:
    version_id = api.create("ContentVersion", Title="Site", ContentUrl="https://example.com")
    read = api("GET", f"sobjects/ContentVersion/{version_id}").json()
    assert (read["FileType"], read["VersionData"], read["ContentSize"]) == ("LINK", None, None)


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"PathOnClient": "a.txt"}, ["VersionData"]),
        ({"VersionData": "aGVsbG8="}, ["PathOnClient"]),
        ({"Title": "a"}, ["PathOnClient", "VersionData"]),
    ],
)
def test_what_a_version_needs(api: Api, values: dict[str, str], fields: list[str]) -> None:
    message = f"Required fields are missing: [{', '.join(fields)}]"
    expected = (400, "REQUIRED_FIELD_MISSING", message, fields)
    assert refusal(api("POST", "sobjects/ContentVersion", json=values)) == expected


def test_an_empty_file_is_no_version(api: Api) -> None:
    # https://github.com/douglascayers/sfdc-convert-attachments-to-chatter-files/issues/44
    files = {
        "entity_content": (None, json.dumps({"PathOnClient": "a.txt"}), "application/json"),
        "VersionData": ("a.txt", b"", "text/plain"),
    }
    code = refusal(api("POST", "sobjects/ContentVersion", files=files))
    assert code == (400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [VersionData]", ["VersionData"])


def test_a_further_version_has_no_first_place(api: Api, account_id: str) -> None:
    document_id = version(api)["ContentDocumentId"]
    body = {"PathOnClient": "a", "VersionData": "aGVsbG8=", "ContentDocumentId": document_id}
    response = api("POST", "sobjects/ContentVersion", json={**body, "FirstPublishLocationId": account_id})
    assert refusal(response)[1::2] == ("FIELD_INTEGRITY_EXCEPTION", ["FirstPublishLocationId"])


def test_only_a_minor_version_is_replaced(api: Api) -> None:
    major, minor = version(api, IsMajorVersion=True), version(api)
    path = "sobjects/ContentVersion/{Id}"
    response = api("PATCH", path.format(**major), json={"VersionData": "bmV3"})
    assert refusal(response)[1::2] == ("INVALID_FIELD_FOR_INSERT_UPDATE", ["VersionData"])
    assert api("PATCH", path.format(**minor), json={"VersionData": "bmV3"}).status_code == 204
    changed = api("GET", path.format(**minor)).json()
    assert (changed["ContentSize"], changed["Checksum"]) == (3, hashlib.md5(b"new", usedforsecurity=False).hexdigest())
    version(api, ContentDocumentId=minor["ContentDocumentId"])
    response = api("PATCH", path.format(**minor), json={"VersionData": "bmV3"})
    assert refusal(response)[1] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_a_document_and_its_latest_version_share_a_title(api: Api) -> None:
    made = version(api, Title="One")
    document, latest = f"sobjects/ContentDocument/{made['ContentDocumentId']}", f"sobjects/ContentVersion/{made['Id']}"
    assert api("PATCH", latest, json={"Title": "Two"}).status_code == 204
    assert api("GET", document).json()["Title"] == "Two"
    assert api("PATCH", document, json={"Title": "Three"}).status_code == 204
    assert api("GET", latest).json()["Title"] == "Three"


# Links.


def test_the_first_place_of_a_file_is_linked(api: Api, account_id: str) -> None:
    made = version(api, FirstPublishLocationId=account_id)
    assert made["PublishStatus"] == "P"
    (_, link) = sorted(links(api, made["ContentDocumentId"]), key=lambda link: link["ShareType"])
    assert (link["LinkedEntityId"], link["ShareType"], link["Visibility"]) == (account_id, "V", "AllUsers")
    found = query(api, f"SELECT ContentDocument.Title FROM ContentDocumentLink WHERE LinkedEntityId = '{account_id}'")
    assert found[0]["ContentDocument"]["Title"] == "hello"
    (account,) = query(api, "SELECT (SELECT ContentDocumentId FROM ContentDocumentLinks) FROM Account")
    assert account["ContentDocumentLinks"]["records"][0]["ContentDocumentId"] == made["ContentDocumentId"]


def test_a_file_is_linked_once(api: Api, account_id: str) -> None:
    document_id = version(api)["ContentDocumentId"]
    link = {"ContentDocumentId": document_id, "LinkedEntityId": account_id}
    response = api("POST", "sobjects/ContentDocumentLink", json=link)
    assert refusal(response)[1::2] == ("REQUIRED_FIELD_MISSING", ["ShareType"])
    link_id = api.create("ContentDocumentLink", **link, ShareType="V")
    read = api("GET", f"sobjects/ContentDocumentLink/{link_id}").json()
    assert (read["ShareType"], read["Visibility"]) == ("V", "AllUsers")
    text = f"Document with ID: {document_id} is already linked with the entity with ID: {account_id}"
    response = api("POST", "sobjects/ContentDocumentLink", json={**link, "ShareType": "V"})
    assert refusal(response) == (400, "DUPLICATE_VALUE", text, ["LinkedEntityId"])
    changed = api("PATCH", f"sobjects/ContentDocumentLink/{link_id}", json={"Visibility": "InternalUsers"})
    assert changed.status_code == 204
    assert api("DELETE", f"sobjects/ContentDocumentLink/{link_id}").status_code == 204
    api.create("ContentDocumentLink", **link, ShareType="V")


@pytest.mark.parametrize(
    ("share_type", "code"), [("X", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"), ("I", "INSUFFICIENT_ACCESS_OR_READONLY")]
)
def test_how_a_file_may_be_shared_with_a_user(api: Api, share_type: str, code: str) -> None:
    (other,) = query(api, "SELECT Id FROM User WHERE Alias = 'autoproc'")
    link = {"ContentDocumentId": version(api)["ContentDocumentId"], "LinkedEntityId": other["Id"]}
    response = api("POST", "sobjects/ContentDocumentLink", json={**link, "ShareType": share_type})
    assert refusal(response)[1::2] == (code, ["ShareType"])


def test_the_link_to_the_owner_lasts(api: Api) -> None:
    document_id = version(api)["ContentDocumentId"]
    (link,) = query(api, f"SELECT Id FROM ContentDocumentLink WHERE ContentDocumentId = '{document_id}'")
    response = api("DELETE", f"sobjects/ContentDocumentLink/{link['Id']}")
    assert refusal(response)[:3] == (400, "FIELD_INTEGRITY_EXCEPTION", "field integrity exception")


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ("", False),
        ("WHERE ShareType = 'V'", False),
        ("WHERE ContentDocumentId != '{id}'", False),
        ("WHERE ContentDocumentId = '{id}' OR ShareType = 'V'", False),
        ("WHERE ContentDocument.Title = 'x'", False),
        ("WHERE ContentDocumentId = '{id}'", True),
        ("WHERE ShareType = 'I' AND ContentDocumentLink.ContentDocumentId IN ('{id}', '{id}')", True),
        ("WHERE LinkedEntityId IN (SELECT Id FROM User)", True),
    ],
)
def test_links_are_queried_by_what_they_link(api: Api, condition: str, allowed: bool) -> None:
    soql = f"SELECT Id FROM ContentDocumentLink {condition}".format(id=version(api)["ContentDocumentId"])
    response = api("GET", "query", params={"q": soql})
    if allowed:
        assert response.json()["totalSize"] == 1
    else:
        text = (
            "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or "
            "LinkedEntityId using the equals operator or multiple Id's using the IN operator."
        )
        assert refusal(response)[:3] == (400, "MALFORMED_QUERY", text)


# Deletion.


def test_a_document_is_deleted_with_all_that_belongs_to_it(local_org: LocalOrg, api: Api, account_id: str) -> None:
    made = version(api, FirstPublishLocationId=account_id)
    document_id = made["ContentDocumentId"]
    version(api, ContentDocumentId=document_id)
    assert api("DELETE", f"sobjects/ContentVersion/{made['Id']}").status_code == 400
    assert api("DELETE", f"sobjects/ContentDocument/{document_id}").status_code == 204
    assert query(api, "SELECT Id FROM ContentVersion") == []
    assert links(api, document_id) == []
    assert refusal(api("GET", f"sobjects/ContentVersion/{made['Id']}/VersionData"))[1] == "ENTITY_IS_DELETED"
    store = local_org._runtime.store
    store.undelete(document_id, store.context())
    assert (len(query(api, "SELECT Id FROM ContentVersion")), len(links(api, document_id))) == (2, 2)


def test_a_document_outlives_the_record_it_is_linked_to(api: Api, account_id: str) -> None:
    document_id = version(api, FirstPublishLocationId=account_id)["ContentDocumentId"]
    assert api("DELETE", f"sobjects/Account/{account_id}").status_code == 204
    assert api("GET", f"sobjects/ContentDocument/{document_id}").ok
    assert len(links(api, document_id)) == 1


def test_a_document_is_made_by_its_version_only(api: Api) -> None:
    assert api("POST", "sobjects/ContentDocument", json={"Title": "x"}).status_code == 400


# The other files.


def test_a_document_with_a_folder(local_org: LocalOrg, api: Api) -> None:
    (folder,) = query(api, "SELECT Id FROM Folder WHERE Type = 'Document'")
    values = {"Name": "Q1 Brochure", "FolderId": folder["Id"], "Type": "pdf", "Body": "aGVsbG8="}
    read = api("GET", f"sobjects/Document/{api.create('Document', **values)}").json()
    assert (read["DeveloperName"], read["AuthorId"], read["BodyLength"]) == ("Q1_Brochure", local_org.user_id, 5)
    del values["FolderId"]
    assert refusal(api("POST", "sobjects/Document", json=values))[1::2] == ("REQUIRED_FIELD_MISSING", ["FolderId"])
