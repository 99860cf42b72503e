"""Contents of binary fields, in and out, as the page on blob data of the REST guide describes them.

https://developer.salesforce.com/docs/platform/api-rest/guide/dome-sobject-insert-update-blob.html
"""

import base64
import gzip
import json
import re
import socket
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from local_api import Api

from sfconnector.testing import LocalOrg

BOUNDARY = "boundary_string"
BYTES = bytes(range(256)) * 5


def part(headers: str, content: bytes, line_end: bytes = b"\r\n") -> bytes:
    lines = [f"--{BOUNDARY}".encode(), *headers.encode().splitlines(), b"", content]
    return line_end.join(lines) + line_end


def message(record: Any, content: bytes = BYTES, name: str = "Body", line_end: bytes = b"\r\n") -> bytes:
    """A message like the ones on the page."""
    return (
        part(
            'Content-Disposition: form-data; name="entity_document";\nContent-Type: application/json',
            json.dumps(record).encode(),
            line_end,
        )
        + part(
            f'Content-Type: application/pdf\nContent-Disposition: form-data; name="{name}"; filename="a.pdf"',
            content,
            line_end,
        )
        + f"--{BOUNDARY}--".encode()
    )


def send(api: Api, method: str, path: str, body: bytes, **headers: str) -> requests.Response:
    kind = f'multipart/form-data; boundary="{BOUNDARY}"'
    return api(method, path, data=body, headers={"Content-Type": kind, **headers})


@pytest.fixture
def folder_id(api: Api) -> str:
    query = "SELECT Id FROM Folder WHERE Type = 'Document'"
    return str(api("GET", "query", params={"q": query}).json()["records"][0]["Id"])


@pytest.fixture
def account_id(api: Api) -> str:
    return api.create("Account", Name="Acme")


def refusal(response: requests.Response) -> tuple[int, str, str]:
    (error,) = response.json()
    return response.status_code, error["errorCode"], error["message"]


def announced(org: LocalOrg, sobject: str, size: int) -> socket.socket:
    """Send the headers of a message of so many bytes."""
    host, port = org.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    lines = [
        f"POST /services/data/v68.0/sobjects/{sobject} HTTP/1.1",
        f"Host: {host}",
        f"Authorization: Bearer {org.access_token()}",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
        f"Content-Length: {size}",
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    return connection


def stored(org: LocalOrg) -> list[Path]:
    """The files with the contents that the org keeps."""
    folder = org._runtime.store.blobs._folder
    return [] if folder is None else list(folder.iterdir())


# In.


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"], ids=["CRLF", "LF"])
def test_a_document_is_created_with_its_content(api: Api, folder_id: str, line_end: bytes) -> None:
    record = {"Description": "Brochure", "Keywords": "marketing", "FolderId": folder_id, "Name": "Q1", "Type": "pdf"}
    response = send(api, "POST", "sobjects/Document/", message(record, line_end=line_end))
    assert (response.status_code, response.json()["success"], response.json()["errors"]) == (201, True, [])
    document_id = response.json()["id"]
    read = api("GET", f"sobjects/Document/{document_id}").json()
    assert (read["Name"], read["BodyLength"]) == ("Q1", len(BYTES))
    assert read["Body"] == f"/services/data/v68.0/sobjects/Document/{document_id}/Body"
    assert api("GET", read["Body"]).content == BYTES


def test_a_document_is_changed_with_its_content(local_org: LocalOrg, api: Api, folder_id: str) -> None:
    document_id = send(api, "POST", "sobjects/Document", message({"FolderId": folder_id, "Name": "A"})).json()["id"]
    response = send(api, "PATCH", f"sobjects/Document/{document_id}", message({"Name": "B"}, b"new"))
    assert (response.status_code, response.content) == (204, b"")
    read = api("GET", f"sobjects/Document/{document_id}", params={"fields": "Name,BodyLength"}).json()
    assert (read["Name"], read["BodyLength"]) == ("B", 3)
    assert api("GET", f"sobjects/Document/{document_id}/Body").content == b"new"
    assert len(stored(local_org)) == 1


def test_a_content_comes_as_base64_too(api: Api, account_id: str) -> None:
    values = {"ParentId": account_id, "Name": "a.bin", "Body": base64.b64encode(BYTES).decode()}
    attachment_id = api.create("Attachment", **values)
    read = api("GET", f"sobjects/Attachment/{attachment_id}", params={"fields": "Body,BodyLength"}).json()
    assert read["BodyLength"] == len(BYTES)
    assert api("GET", read["Body"]).content == BYTES
    changed = api("PATCH", f"sobjects/Attachment/{attachment_id}", json={"Body": "aGVsbG8="})
    assert changed.status_code == 204
    assert api("GET", f"sobjects/attachment/{attachment_id[:15]}/body").content == b"hello"


def test_a_query_answers_the_address_of_a_content(api: Api, account_id: str) -> None:
    attachment_id = api.create("Attachment", ParentId=account_id, Name="a", Body="aGVsbG8=")
    (found,) = api("GET", "query", params={"q": "SELECT Body FROM Attachment"}).json()["records"]
    assert found["Body"] == f"/services/data/v68.0/sobjects/Attachment/{attachment_id}/Body"


def test_the_parts_may_come_in_any_order(api: Api, account_id: str) -> None:
    # As jsforce sends them.
    file = part('Content-Disposition: form-data; name="Body"; filename="x.bin"\nContent-Type: x/y', BYTES)
    fields = json.dumps({"ParentId": account_id, "Name": "x.bin"}).encode()
    record = part('Content-Disposition: form-data; name="Attachment"\nContent-Type: application/json', fields)
    response = send(api, "POST", "sobjects/Attachment", file + record + f"--{BOUNDARY}--\r\n".encode())
    assert api("GET", f"sobjects/Attachment/{response.json()['id']}/Body").content == BYTES


def test_an_empty_file_is_a_content(api: Api, account_id: str) -> None:
    record = {"ParentId": account_id, "Name": "empty.txt"}
    attachment_id = send(api, "POST", "sobjects/Attachment", message(record, b"")).json()["id"]
    response = api("GET", f"sobjects/Attachment/{attachment_id}/Body")
    assert (response.status_code, response.content, response.headers["Content-Length"]) == (200, b"", "0")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pieces=st.lists(
        st.sampled_from([b"\r\n", b"\n", b"\r", b"--", BOUNDARY.encode(), b"\r\n--" + BOUNDARY.encode() + b"x", b"a"]),
        max_size=12,
    ),
    size=st.integers(1, 40),
)
def test_what_looks_like_a_boundary_is_content(api: Api, account_id: str, pieces: list[bytes], size: int) -> None:
    content = b"".join(pieces)
    assume(not re.search(f"\r\n--{BOUNDARY}(--|\r\n)".encode(), content + b"\r\n"))
    body = message({"ParentId": account_id, "Name": "x"}, content)

    def drip() -> Iterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    response = api("POST", "sobjects/Attachment", data=drip(), headers=kind)
    assert api("GET", f"sobjects/Attachment/{response.json()['id']}/Body").content == content


def test_a_message_may_be_compressed(api: Api, account_id: str) -> None:
    body = gzip.compress(message({"ParentId": account_id, "Name": "x"}, b"x" * 5_000_000))
    response = send(api, "POST", "sobjects/Attachment", body, **{"Content-Encoding": "gzip"})
    assert api("GET", f"sobjects/Attachment/{response.json()['id']}/Body").content == b"x" * 5_000_000


# Refusals.

JSON_PART = part('Content-Disposition: form-data; name="entity"\nContent-Type: application/json', b"{}")
FILE_PART = part('Content-Disposition: form-data; name="Body"; filename="x"', b"x")
END = f"--{BOUNDARY}--".encode()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        # As Salesforce answers the first three:
        # https://github.com/forcedotcom/SalesforceMobileSDK-ReactNative/issues/237 and 181
        # https://github.com/frankframework/frankframework/issues/3917
        (FILE_PART + END, "Multipart message must include a non-binary part"),
        (JSON_PART + JSON_PART + END, "Cannot include more than one non-binary part"),
        (JSON_PART + FILE_PART + FILE_PART + END, "Cannot include more than one binary part"),
        # A name of a file makes a part a file, be it JSON.
        (
            part('Content-Disposition: form-data; name="x"; filename="x"\nContent-Type: application/json', b"{}") + END,
            "Multipart message must include a non-binary part",
        ),
        # A part without a type says nothing.
        (
            part('Content-Disposition: form-data; name="Title"', b"x") + FILE_PART + END,
            "Multipart message must include a non-binary part",
        ),
        (JSON_PART + FILE_PART, "The message ends before its last boundary"),
        (b"x" * 20_000, "The message does not begin with its boundary"),
        (f"--{BOUNDARY}\r\nX: {'x' * 20_000}".encode(), "A part has no empty line between its headers and its content"),
        (part("Content-Type: x/y", b"x") + END, "Each part must have a Content-Disposition of form-data with a name"),
        (
            part('Content-Disposition: form-data; name="Body"; filename="x"\nContent-Transfer-Encoding: base64', b"")
            + END,
            "A Content-Transfer-Encoding of 'base64' is not supported",
        ),
        (
            JSON_PART + part('Content-Disposition: form-data; name="Name"; filename="x"', b"x") + END,
            "The field Name of Attachment holds no binary data",
        ),
    ],
    ids=range(11),
)
def test_a_message_that_is_not_put_together_well(local_org: LocalOrg, api: Api, body: bytes, text: str) -> None:
    assert refusal(send(api, "POST", "sobjects/Attachment", body)) == (400, "INVALID_MULTIPART_REQUEST", text)
    assert stored(local_org) == []


@pytest.mark.parametrize("boundary", ["", "; boundary=" + "x" * 71])
def test_a_boundary_is_needed(api: Api, boundary: str) -> None:
    headers = {"Content-Type": f"multipart/form-data{boundary}"}
    response = api("POST", "sobjects/Attachment", data=message({}), headers=headers)
    assert refusal(response)[:2] == (400, "INVALID_MULTIPART_REQUEST")


def test_a_field_that_is_not_there(api: Api, account_id: str) -> None:
    body = message({"ParentId": account_id, "Name": "x"}, name="Contents")
    assert refusal(send(api, "POST", "sobjects/Attachment", body))[:2] == (400, "INVALID_FIELD")


def test_a_refused_record_leaves_nothing(local_org: LocalOrg, api: Api, account_id: str) -> None:
    body = message({"ParentId": "001000000000001AAA", "Name": "x"})
    assert refusal(send(api, "POST", "sobjects/Attachment", body))[:2] == (400, "INVALID_CROSS_REFERENCE_KEY")
    values = {"ParentId": account_id, "Body": "aGVsbG8="}
    assert api("POST", "sobjects/Attachment", json=values).json()[0]["fields"] == ["Name"]
    assert stored(local_org) == []


def test_other_resources_take_no_parts(local_org: LocalOrg, api: Api) -> None:
    response = send(api, "PATCH", "sobjects/Account/Id/001000000000001AAA", message({}))
    assert refusal(response)[:2] == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert stored(local_org) == []


def test_text_has_a_largest_size(api: Api, account_id: str) -> None:
    too_much = b'{"Name": "' + b"x" * 52_428_800 + b'"}'
    text = "Maximum size of request reached. Maximum size of request is 52428800 bytes."
    response = api("POST", "sobjects/Attachment", data=too_much, headers={"Content-Type": "application/json"})
    assert refusal(response) == (400, "JSON_PARSER_ERROR", text)
    body = part('Content-Disposition: form-data; name="x"\nContent-Type: application/json', too_much) + END
    assert refusal(send(api, "POST", "sobjects/Attachment", body)) == (400, "JSON_PARSER_ERROR", text)


@pytest.mark.parametrize(("sobject", "megabytes"), [("Attachment", 500), ("ContentVersion", 2048)])
def test_files_have_a_largest_size(local_org: LocalOrg, sobject: str, megabytes: int) -> None:
    # Refused by what the request announces: nothing of it needs to come.
    with announced(local_org, sobject, (megabytes + 51) * 1024 * 1024) as connection:
        response = HTTPResponse(connection)
        response.begin()
        (error,) = json.loads(response.read())
    assert (response.status, error["errorCode"]) == (400, "FILE_SIZE_LIMIT_EXCEEDED")
    assert f"{megabytes * 1024 * 1024} bytes" in error["message"]


def test_a_file_that_turns_out_too_large(local_org: LocalOrg, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sfconnector.testing._rest_blobs._LARGEST", 1_000_000)
    response = send(api, "POST", "sobjects/Attachment", message({}, b"x" * 1_000_001))
    assert refusal(response)[:2] == (400, "FILE_SIZE_LIMIT_EXCEEDED")
    assert stored(local_org) == []


def test_a_client_that_leaves_amid_its_file(local_org: LocalOrg, api: Api) -> None:
    body = message({"Name": "x"}, b"x" * 300_000)
    with announced(local_org, "Attachment", len(body)) as connection:
        connection.sendall(body[:-100])
    # Requests are answered one after the other.
    while not any(entry.path.endswith("/Attachment") for entry in local_org.requests):
        assert api("GET", "limits").ok
    assert stored(local_org) == []


# Out.


def test_a_content_has_its_size_and_type(api: Api, account_id: str) -> None:
    attachment_id = api.create("Attachment", ParentId=account_id, Name="a", Body=base64.b64encode(BYTES).decode())
    response = api("GET", f"sobjects/Attachment/{attachment_id}/Body")
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Length"] == str(len(BYTES))
    assert "Sforce-Limit-Info" in response.headers
    head = api("HEAD", f"sobjects/Attachment/{attachment_id}/Body")
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, str(len(BYTES)), b"")


def test_what_has_no_content(api: Api, folder_id: str, account_id: str) -> None:
    document_id = api.create("Document", FolderId=folder_id, Name="link", Url="https://example.com")
    assert api("GET", f"sobjects/Document/{document_id}").json()["Body"] is None
    assert refusal(api("GET", f"sobjects/Document/{document_id}/Body"))[:2] == (404, "NOT_FOUND")
    assert refusal(api("GET", "sobjects/Document/015000000000001AAA/Body"))[:2] == (404, "NOT_FOUND")
    assert refusal(api("GET", f"sobjects/Account/{account_id}/Name"))[:2] == (404, "NOT_FOUND")


def test_a_deleted_content_is_gone_for_good_with_its_record(local_org: LocalOrg, api: Api, account_id: str) -> None:
    attachment_id = api.create("Attachment", ParentId=account_id, Name="a", Body="aGVsbG8=")
    assert api("DELETE", f"sobjects/Attachment/{attachment_id}").status_code == 204
    assert refusal(api("GET", f"sobjects/Attachment/{attachment_id}/Body"))[:2] == (404, "ENTITY_IS_DELETED")
    store = local_org._runtime.store
    store.undelete(attachment_id, store.context())
    assert api("GET", f"sobjects/Attachment/{attachment_id}/Body").content == b"hello"
    store.delete("Account", account_id, store.context())
    store.purge(account_id, store.context())
    assert stored(local_org) == []


# Collections.


def collection(records: list[dict[str, Any]], files: dict[str, bytes], all_or_none: bool = False) -> bytes:
    body = part(
        'Content-Disposition: form-data; name="collection"\nContent-Type: application/json',
        json.dumps({"allOrNone": all_or_none, "records": records}).encode(),
    )
    for name, content in files.items():
        body += part(f'Content-Disposition: form-data; name="{name}"; filename="{name}.bin"', content)
    return body + END


def attachment(account_id: str, part_name: str, **values: Any) -> dict[str, Any]:
    attributes = {"type": "Attachment", "binaryPartName": part_name, "binaryPartNameAlias": "Body"}
    return {"attributes": attributes, "ParentId": account_id, "Name": part_name, **values}


def test_a_collection_brings_a_content_for_each_record(api: Api, account_id: str) -> None:
    files = {f"binaryPart{number}": f"content {number}".encode() for number in range(200)}
    records = [attachment(account_id, name) for name in files]
    results = send(api, "POST", "composite/sobjects", collection(records, files)).json()
    assert [result["success"] for result in results] == [True] * 200
    for result, content in list(zip(results, files.values(), strict=True))[::50]:
        assert api("GET", f"sobjects/Attachment/{result['id']}/Body").content == content
    change = attachment(account_id, "new", id=results[7]["id"])
    del change["ParentId"]
    assert send(api, "PATCH", "composite/sobjects", collection([change], {"new": b"other"})).json()[0]["success"]
    assert api("GET", f"sobjects/Attachment/{results[7]['id']}/Body").content == b"other"


def test_a_record_of_a_collection_may_name_no_part_that_is_not_there(
    local_org: LocalOrg, api: Api, account_id: str
) -> None:
    records = [attachment(account_id, "here"), attachment(account_id, "missing")]
    for all_or_none, successes in ((False, [True, False]), (True, [False, False])):
        body = collection(records, {"here": b"x"}, all_or_none)
        results = send(api, "POST", "composite/sobjects", body).json()
        assert [result["success"] for result in results] == successes
        assert results[1]["errors"][0]["statusCode"] == "INVALID_MULTIPART_REQUEST"
    # What was taken back with the second request is gone, and so is its content.
    assert len(stored(local_org)) == 1


def test_a_name_of_a_part_needs_parts(api: Api, account_id: str) -> None:
    body = {"records": [attachment(account_id, "here", Body="aGVsbG8=")]}
    (result,) = api("POST", "composite/sobjects", json=body).json()
    assert result["errors"][0]["statusCode"] == "INVALID_MULTIPART_REQUEST"


# Batches.


def batch(subrequests: list[dict[str, Any]]) -> bytes:
    fields = json.dumps({"batchRequests": subrequests}).encode()
    file = part('Content-Disposition: form-data; name="file1"; filename="a.bin"', BYTES)
    return part('Content-Disposition: form-data; name="batch"\nContent-Type: application/json', fields) + file + END


def test_a_request_in_a_batch_brings_a_content(api: Api, account_id: str) -> None:
    # https://developer.salesforce.com/docs/platform/api-rest/guide/requests-composite-batch.html
    subrequest = {
        "method": "POST",
        "url": "v68.0/sobjects/Attachment",
        "richInput": {"ParentId": account_id, "Name": "a.bin"},
        "binaryPartName": "file1",
        "binaryPartNameAlias": "Body",
    }
    read = {"method": "GET", "url": f"v68.0/sobjects/Account/{account_id}"}
    answer = send(api, "POST", "composite/batch", batch([subrequest, read])).json()
    assert [result["statusCode"] for result in answer["results"]] == [201, 200]
    path = f"sobjects/Attachment/{answer['results'][0]['result']['id']}/Body"
    assert api("GET", path).content == BYTES
    for body in (batch([{**subrequest, "binaryPartName": "x"}]), batch([{**subrequest, "binaryPartNameAlias": None}])):
        assert refusal(send(api, "POST", "composite/batch", body))[:2] == (400, "INVALID_MULTIPART_REQUEST")
    response = api("POST", "composite/batch", json={"batchRequests": [subrequest]})
    assert refusal(response)[:2] == (400, "INVALID_MULTIPART_REQUEST")


# Kept.


def test_contents_outlive_the_org_with_its_file(tmp_path: Path) -> None:
    file = tmp_path / "org.db"
    with LocalOrg(file) as org:
        api = Api(org)
        account_id = api.create("Account", Name="Acme")
        attachment_id = api.create("Attachment", ParentId=account_id, Name="a", Body="aGVsbG8=")
        api.http.close()
    # What a killed org had not finished.
    (tmp_path / "org.db-blobs" / "orphan").write_bytes(b"x")
    with LocalOrg(file) as org:
        api = Api(org)
        assert api("GET", f"sobjects/Attachment/{attachment_id}/Body").content == b"hello"
        assert len(stored(org)) == 1
        api.http.close()


def test_contents_end_with_an_org_in_memory() -> None:
    with LocalOrg() as org:
        api = Api(org)
        account_id = api.create("Account", Name="Acme")
        api.create("Attachment", ParentId=account_id, Name="a", Body="aGVsbG8=")
        (kept,) = stored(org)
        assert kept.read_bytes() == b"hello"
        api.http.close()
    assert not kept.parent.exists()
