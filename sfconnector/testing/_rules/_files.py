"""Files: versions, the documents that they are versions of, and the links to what these are shared with.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contentversion.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contentdocument.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contentdocumentlink.htm
"""

import re
from typing import Final

from sfconnector.testing._database import Database
from sfconnector.testing._errors import OrgError
from sfconnector.testing._rules._change import Change, Columns, Row, Rules, integrity, missing

_VIEWER, _INFERRED = "V", "I"
_PUBLIC, _PERSONAL = "P", "R"
_USER, _GROUP = "005", "00G"
# What a document shows of its latest version.
_SHOWN: Final = ("Title", "Description", "ContentSize", "FileType", "FileExtension", "ContentModifiedDate")
_NAMED_OTHERWISE: Final = {
    "doc": "WORD",
    "docx": "WORD_X",
    "gz": "GZIP",
    "ppt": "POWER_POINT",
    "pptx": "POWER_POINT_X",
    "txt": "TEXT",
    "vsd": "VISIO",
    "xls": "EXCEL",
    "xlsx": "EXCEL_X",
}
_NAMED_ALIKE: Final = frozenset(
    {"ai", "avi", "bmp", "csv", "eps", "gif", "htm", "html", "jpeg", "jpg", "mov", "mp3", "mp4", "mpeg", "mpg", "odp"}
    | {"ods", "odt", "pdf", "png", "psd", "rtf", "svg", "tif", "tiff", "wav", "wmv", "xml", "zip"}
)


def _version(change: Change) -> Columns:
    if change.creates:
        return _new_version(change)
    before = change.before
    if "VersionData" in change.given and (before["IsMajorVersion"] or not before["IsLatest"]):
        raise OrgError(
            400,
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "The content of this version can't be replaced: create a new version of its document",
            ["VersionData"],
        )
    return {"ContentModifiedDate": change.now, "ContentModifiedById": change.user_id}


def _new_version(change: Change) -> Columns:
    version = change.given
    _check_complete(version)
    document_id, place = version.get("ContentDocumentId"), version.get("FirstPublishLocationId")
    if document_id and place:
        raise integrity("FirstPublishLocationId can't be set for a new version of a document", "FirstPublishLocationId")
    path = version.get("PathOnClient") or ""
    stem, extension = _named(path)
    columns: Columns = {
        "Title": version.get("Title") or stem,
        "IsLatest": 1,
        "FileExtension": extension,
        "FileType": "LINK" if version.get("ContentUrl") else _file_type(extension),
        "ContentModifiedDate": version.get("ContentModifiedDate") or change.now,
        "ContentModifiedById": change.user_id,
    }
    if document_id:
        return columns | _next_version(change, document_id)
    place = place or version["OwnerId"]
    status = _PERSONAL if place.startswith(_USER) else _PUBLIC
    document = {"OwnerId": version["OwnerId"], "Title": columns["Title"], "PublishStatus": status}
    return {
        **columns,
        "ContentDocumentId": change.insert("ContentDocument", document),
        "FirstPublishLocationId": place,
        "PublishStatus": status,
        "VersionNumber": "1",
    }


def _check_complete(version: Row) -> None:
    if version.get("ContentUrl"):
        return
    absent = [name for name in ("PathOnClient", "VersionData") if not version.get(name)]
    if absent or not version["ContentSize"]:
        # An empty file counts as none.
        raise missing(*(absent or ["VersionData"]))


def _named(path: str) -> tuple[str, str | None]:
    """The name of a file without its folders and its extension, and the extension."""
    name = re.split(r"[/\\]", path)[-1]
    stem, dot, extension = name.rpartition(".")
    return (stem, extension) if dot and stem and extension else (name, None)


def _file_type(extension: str | None) -> str:
    kind = (extension or "").lower()
    return kind.upper() if kind in _NAMED_ALIKE else _NAMED_OTHERWISE.get(kind, "UNKNOWN")


def _next_version(change: Change, document_id: str) -> Columns:
    """Take the place of the version that was the latest."""
    latest = change.database.row(
        'SELECT * FROM "ContentVersion" WHERE "ContentDocumentId" = ? AND "IsLatest" = 1', [document_id]
    )
    if latest is None:
        raise integrity("The document has no version", "ContentDocumentId")
    change.database.touch("ContentVersion", '"Id" = ?', [latest["Id"]])
    change.database.update("ContentVersion", latest["Id"], {"IsLatest": 0})
    kept = ("FirstPublishLocationId", "PublishStatus", "SharingOption", "SharingPrivacy")
    return {"VersionNumber": str(int(latest["VersionNumber"]) + 1), **{name: latest[name] for name in kept}}


def _publish(change: Change) -> None:
    """Let the document show its latest version, and share a new one with its owner and its first place."""
    version = change.after
    if not version["IsLatest"]:
        return
    document_id = version["ContentDocumentId"]
    shown = {name: version.get(name) for name in _SHOWN}
    stamps = {"LastModifiedDate": change.now, "LastModifiedById": change.user_id, "SystemModstamp": change.now}
    columns = {**shown, "LatestPublishedVersionId": version["Id"], **stamps}
    change.database.touch("ContentDocument", '"Id" = ?', [document_id])
    change.database.update("ContentDocument", document_id, columns)
    if change.creates and version["VersionNumber"] == "1":
        _link(change, document_id, version["OwnerId"], _INFERRED)
        if version["FirstPublishLocationId"] != version["OwnerId"]:
            _link(change, document_id, version["FirstPublishLocationId"], _VIEWER)


def _link(change: Change, document_id: str, entity_id: str, share_type: str) -> None:
    link = {"ContentDocumentId": document_id, "LinkedEntityId": entity_id, "ShareType": share_type}
    change.insert("ContentDocumentLink", {**link, "Visibility": "AllUsers"})


def _rename_version(change: Change) -> None:
    """A document's title and description are those of its latest version."""
    if not change.creates and change.changed("Title", "Description"):
        columns = {name: change.after[name] for name in ("Title", "Description")}
        version_id = change.after["LatestPublishedVersionId"]
        change.database.touch("ContentVersion", '"Id" = ?', [version_id])
        change.database.update("ContentVersion", version_id, columns)


def _new_link(change: Change) -> Columns:
    link = change.after
    if not link.get("ShareType"):
        raise missing("ShareType")
    if link["ShareType"] == _INFERRED and link["LinkedEntityId"].startswith((_USER, _GROUP)):
        # There is no record from which to infer it.
        raise OrgError(400, "INSUFFICIENT_ACCESS_OR_READONLY", "Invalid sharing type I", ["ShareType"])
    if not change.creates:
        return {}
    document_id, entity_id = link["ContentDocumentId"], link["LinkedEntityId"]
    known = change.database.row(
        'SELECT 1 FROM "ContentDocumentLink" '
        'WHERE "ContentDocumentId" = ? AND "LinkedEntityId" = ? AND "IsDeleted" = 0',
        [document_id, entity_id],
    )
    if known is not None:
        message = f"Document with ID: {document_id} is already linked with the entity with ID: {entity_id}"
        raise OrgError(400, "DUPLICATE_VALUE", message, ["LinkedEntityId"])
    return {"Visibility": link.get("Visibility") or "AllUsers"}


def _hold_owner(database: Database, link: Row) -> None:
    """The link to the owner lasts as long as the document: https://salesforce.stackexchange.com/questions/274499"""
    document = database.find("ContentDocument", link["ContentDocumentId"])
    if document is not None and document["OwnerId"] == link["LinkedEntityId"]:
        raise integrity("field integrity exception")


RULES = {
    "ContentVersion": Rules(derive=_version, follow=_publish),
    "ContentDocument": Rules(follow=_rename_version),
    "ContentDocumentLink": Rules(derive=_new_link, hold_alone=_hold_owner),
}
