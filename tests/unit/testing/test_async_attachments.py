"""Batches with binary attachments: zip files with a request.txt.

https://developer.salesforce.com/docs/platform/api-asynch/guide/binary-intro.html
"""

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from async_api import NAMESPACE, AsyncApi
from local_api import Api

from sfconnector.testing import LocalOrg

BYTES = bytes(range(256)) * 40


def packed(files: dict[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def manifest(content_type: str, rows: list[dict[str, str]]) -> str:
    if content_type == "ZIP_CSV":
        return "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)])
    if content_type == "ZIP_JSON":
        return json.dumps(rows)
    members = "".join(
        f"<sObject>{''.join(f'<{name}>{value}</{name}>' for name, value in row.items())}</sObject>" for row in rows
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><sObjects xmlns="{NAMESPACE}">{members}</sObjects>'


def load(bulk_v1: AsyncApi, archive: bytes, sobject: str = "Attachment", content_type: str = "ZIP_CSV") -> list[str]:
    """The errors of the records in a zip file, empty where there is none."""
    job_id = bulk_v1.create_job("insert", sobject, content_type)
    batch_id = bulk_v1.add_batch(job_id, archive, f"zip/{content_type.removeprefix('ZIP_').lower()}")
    told = bulk_v1.done(job_id, batch_id)
    assert told["state"] == "Completed", told
    sent = bulk_v1("GET", f"job/{job_id}/batch/{batch_id}/request")
    assert sent.content == archive
    result = bulk_v1.result(job_id, batch_id)
    if content_type == "ZIP_JSON":
        return [" ".join(error["message"] for error in row["errors"]) for row in result.json()]
    if content_type == "ZIP_XML":
        assert "<success>false</success>" not in result.text
        return [""] * result.text.count("<result>")
    return [row["Error"] for row in csv.DictReader(io.StringIO(result.text))]


def failure(bulk_v1: AsyncApi, archive: bytes) -> str:
    job_id = bulk_v1.create_job("insert", "Attachment", "ZIP_CSV")
    batch_id = bulk_v1.add_batch(job_id, archive, "zip/csv")
    told = bulk_v1.done(job_id, batch_id)
    assert told["state"] == "Failed", told
    return str(told["stateMessage"])


@pytest.fixture
def account_id(api: Api) -> str:
    return api.create("Account", Name="Acme")


def contents(api: Api, sobject: str = "Attachment", field: str = "Body") -> list[bytes]:
    listed = api("GET", "query", params={"q": f"SELECT Id FROM {sobject} ORDER BY Id"}).json()["records"]
    return [api("GET", f"sobjects/{sobject}/{record['Id']}/{field}").content for record in listed]


@pytest.mark.parametrize("content_type", ["ZIP_CSV", "ZIP_XML", "ZIP_JSON"])
def test_attachments(bulk_v1: AsyncApi, api: Api, account_id: str, content_type: str) -> None:
    rows = [
        {"Name": "a.gif", "ParentId": account_id, "Body": "#a.gif"},
        {"Name": "sub/b.doc", "ParentId": account_id, "Body": "#sub/b.doc"},
    ]
    archive = packed({"request.txt": manifest(content_type, rows), "a.gif": BYTES, "sub/b.doc": b"b"})

    assert load(bulk_v1, archive, content_type=content_type) == ["", ""]

    assert contents(api) == [BYTES, b"b"]


def test_documents_and_versions_of_files(bulk_v1: AsyncApi, api: Api) -> None:
    folder = api("GET", "query", params={"q": "SELECT Id FROM Folder WHERE Type = 'Document'"}).json()["records"][0][
        "Id"
    ]
    request = f"Name,FolderId,Body\nA document,{folder},#a.pdf\n"
    assert load(bulk_v1, packed({"request.txt": request, "a.pdf": BYTES}), "Document") == [""]
    request = "Title,PathOnClient,VersionData\nA file,a.pdf,#a.pdf\n"
    assert load(bulk_v1, packed({"request.txt": request, "a.pdf": BYTES}), "ContentVersion") == [""]
    assert contents(api, "Document") == [BYTES]
    assert contents(api, "ContentVersion", "VersionData") == [BYTES]


def test_references_that_lead_nowhere_are_errors_of_their_records(bulk_v1: AsyncApi, api: Api, account_id: str) -> None:
    request = (
        "Name,ParentId,Body\n"
        f"a,{account_id},#missing\n"
        f"b,{account_id},a.gif\n"
        f"c,{account_id},#a.gif\n"
        f"d,{account_id},#folder/\n"
        "e,001000000000000AAA,#a.gif\n"
    )
    errors = load(bulk_v1, packed({"request.txt": request, "folder/": b"", "a.gif": BYTES}))
    assert errors[0] == "INVALID_FIELD:Body: there is no file missing in the zip file:Body --"
    assert errors[1] == "INVALID_FIELD:Body: a reference to a file of the zip file begins with #:Body --"
    assert errors[2] == ""
    assert errors[3].startswith("INVALID_FIELD:Body: there is no file folder/")
    assert errors[4].startswith("INVALID_CROSS_REFERENCE_KEY:")
    assert contents(api) == [BYTES]


def test_contents_of_refused_records_are_not_kept(tmp_path: Path) -> None:
    with LocalOrg(tmp_path / "org.db") as org:
        bulk_v1 = AsyncApi(org)
        request = "Name,ParentId,Body\na,001000000000000AAA,#a.gif\n"
        assert load(bulk_v1, packed({"request.txt": request, "a.gif": BYTES})) != [""]
        bulk_v1.http.close()
        assert list(Path(f"{tmp_path}/org.db-blobs").iterdir()) == []


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (b"no zip", "Failed to read the zip file: File is not a zip file"),
        (packed({"folder/request.txt": "Name"}), "request.txt was not found in the base directory of the zip file"),
        (packed({"request.txt/": ""}), "request.txt was not found in the base directory of the zip file"),
        (packed({"request.txt": "Name\n"}), "Records not found"),
        (
            packed({"request.txt": "Name", **{str(number): b"" for number in range(1000)}}),
            "The zip file holds more than 1000 files",
        ),
        (
            packed({"request.txt": "Name", "n" * 513: b""}),
            "The name of a file in the zip file is longer than 512 bytes",
        ),
        (
            packed({"request.txt": "Name", "large": bytes(20_000_001)}),
            "The decompressed files have more than 20000000 bytes together",
        ),
    ],
)
def test_archives_that_are_refused(bulk_v1: AsyncApi, archive: bytes, message: str) -> None:
    assert failure(bulk_v1, archive) == f"InvalidBatch : {message}"


def test_a_file_that_is_broken(bulk_v1: AsyncApi, account_id: str) -> None:
    request = f"Name,ParentId,Body\na,{account_id},#a.gif\n"
    archive = packed({"request.txt": request, "a.gif": BYTES}, zipfile.ZIP_STORED).replace(BYTES[:300], BYTES[1:301])
    assert failure(bulk_v1, archive).startswith("InvalidBatch : Failed to read a.gif in the zip file: Bad CRC-32")
