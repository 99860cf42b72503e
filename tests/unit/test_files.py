"""Files up and down: what is sent, that nothing is sent twice, and that nothing arrives in part."""

import gzip
import hashlib
import io
import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from http_server import Answer, Cut, Reply, Seen, Server
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from session_tools import FakeTime, Numbered

from sfconnector import Hooks, Salesforce, StoredFile, auth, errors
from sfconnector.testing import LocalOrg

VERSION, DOCUMENT = "068000000000001AAA", "069000000000001AAA"
ATTACHMENT, ACCOUNT = "00P000000000001AAA", "001000000000001AAA"
CONTENT = bytes(range(256)) * 300
# Where not even root can make a file.
NOWHERE = "/proc/x" if Path("/proc").is_dir() else "/x"


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def version(content: bytes = CONTENT, **changed: Any) -> dict[str, Any]:
    """What Salesforce tells of a version."""
    return {
        "Id": VERSION,
        "ContentDocumentId": DOCUMENT,
        "PathOnClient": "a.bin",
        "ContentSize": len(content),
        "Checksum": md5(content),
        **changed,
    }


CREATED = Reply.of({"id": VERSION, "success": True, "errors": []}, 201)
FOUND = Reply.of(version())
BYTES = Reply(200, CONTENT, {"Content-Type": "application/octet-stream"})


def connect(server: Server, **options: Any) -> Salesforce:
    return Salesforce(
        options.pop("auth", None) or auth.AccessToken(server.url, "x"), retry=FakeTime().retry(), **options
    )


@pytest.fixture
def sf(local_org: LocalOrg) -> Iterator[Salesforce]:
    with Salesforce(auth.ClientCredentials(local_org.url, local_org.client_id, local_org.client_secret)) as client:
        yield client


def parts(seen: Seen) -> list[tuple[dict[str, str], bytes]]:
    """Take a body apart: headers and content of each part."""
    kind, _, boundary = seen.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    *found, end = (b"\r\n" + seen.body).split(b"\r\n--" + boundary.encode())
    assert (found.pop(0), end) == (b"", b"--\r\n")
    result = []
    for part in found:
        head, _, content = part.partition(b"\r\n\r\n")
        lines = head.decode().removeprefix("\r\n").split("\r\n")
        result.append((dict(line.split(": ", 1) for line in lines), content))
    return result


def record_of(seen: Seen) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(parts(seen)[0][1])
    return record


# What is sent.


def test_a_file_is_one_body_of_two_parts() -> None:
    with Server([CREATED, FOUND]) as server, connect(server) as sf:
        stored = sf.files.upload(CONTENT, name="a.bin", title="A", link_to=ACCOUNT, fields={"Description": "ä"})
    assert stored == StoredFile(VERSION, "a.bin", len(CONTENT), md5(CONTENT), DOCUMENT)
    sent, read = server.seen
    assert (sent.method, sent.target) == ("POST", "/services/data/v68.0/sobjects/ContentVersion")
    assert (sent.headers["content-length"], "transfer-encoding" in sent.headers) == (str(len(sent.body)), False)
    (first, record), (second, content) = parts(sent)
    assert first == {
        "Content-Disposition": 'form-data; name="entity_content"',
        "Content-Type": "application/json",
    }
    assert json.loads(record) == {
        "PathOnClient": "a.bin",
        "Title": "A",
        "FirstPublishLocationId": ACCOUNT,
        "Description": "ä",
    }
    assert second == {
        "Content-Disposition": 'form-data; name="VersionData"; filename="a.bin"',
        "Content-Type": "application/octet-stream",
    }
    assert content == CONTENT
    assert read.target.startswith(f"/services/data/v68.0/sobjects/ContentVersion/{VERSION}?fields=")


def test_a_new_version_keeps_its_title_unless_it_gets_one() -> None:
    with Server([CREATED, FOUND, CREATED, FOUND]) as server, connect(server) as sf:
        sf.files.add_version(DOCUMENT, CONTENT, name="a.bin", fields={"ReasonForChange": "typo"})
        sf.files.add_version(DOCUMENT, CONTENT, name="a.bin", title="New")
    first, second = (record_of(seen) for seen in server.seen[::2])
    assert first == {"PathOnClient": "a.bin", "ContentDocumentId": DOCUMENT, "ReasonForChange": "typo"}
    assert second == {"PathOnClient": "a.bin", "ContentDocumentId": DOCUMENT, "Title": "New"}


def test_an_attachment() -> None:
    with Server([Reply.of({"id": ATTACHMENT, "success": True, "errors": []}, 201)]) as server, connect(server) as sf:
        saved = sf.files.attach(ACCOUNT, b"a,b", name="list.csv", content_type="text/csv", fields={"IsPrivate": True})
    assert saved.id == ATTACHMENT
    (sent,) = server.seen
    assert sent.target == "/services/data/v68.0/sobjects/Attachment"
    expected = {"Name": "list.csv", "ParentId": ACCOUNT, "ContentType": "text/csv", "IsPrivate": True}
    assert record_of(sent) == expected
    assert parts(sent)[1] == (
        {"Content-Disposition": 'form-data; name="Body"; filename="list.csv"', "Content-Type": "text/csv"},
        b"a,b",
    )


def test_a_file_of_any_object() -> None:
    answers = [Reply.of({"id": ATTACHMENT, "success": True, "errors": []}, 201), Reply(204, b"")]
    with Server(answers) as server, connect(server) as sf:
        sf.files.create("Scan__x", {"Page__c": 1}, b"x", field="Image__c", name="p1.png")
        sf.files.replace("Document", "015000000000001AAA", b"y", record={"Name": "B"}, name="b.txt")
    created, replaced = server.seen
    assert (created.method, created.target) == ("POST", "/services/data/v68.0/sobjects/Scan__x")
    assert parts(created)[1][0]["Content-Disposition"] == 'form-data; name="Image__c"; filename="p1.png"'
    assert (replaced.method, replaced.target) == ("PATCH", "/services/data/v68.0/sobjects/Document/015000000000001AAA")
    assert (record_of(replaced), parts(replaced)[1][1]) == ({"Name": "B"}, b"y")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Übersicht 2024 – 目次.pdf", "Übersicht 2024 – 目次.pdf"),
        ('the "best".txt', "the %22best%22.txt"),
        ("a\r\nX: y\n.txt", "a%0D%0AX: y%0A.txt"),
        ("back\\slash;a=b.txt", "back\\slash;a=b.txt"),
    ],
)
def test_a_name_does_not_leave_its_quotes(name: str, written: str) -> None:
    # RFC 7578 section 4.2.
    with Server([CREATED, FOUND]) as server, connect(server) as sf:
        sf.files.upload(CONTENT, name=name)
    assert parts(server.seen[0])[1][0]["Content-Disposition"] == f'form-data; name="VersionData"; filename="{written}"'
    assert record_of(server.seen[0])["PathOnClient"] == name


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.lists(st.sampled_from([b"\r\n", b"--", b"\n", b"\0", b"boundary", b"\xff"]) | st.binary(), min_size=1),
    name=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40).filter(
        lambda text: text.strip() and "/" not in text and "\\" not in text
    ),
)
def test_any_content_and_name_come_back(sf: Salesforce, tmp_path: Path, content: list[bytes], name: str) -> None:
    whole = b"".join(content) or b"x"
    stored = sf.files.upload(whole, name=name)
    assert stored.checksum == md5(whole)
    # The org leaves out the white space around a text.
    assert sf.files.download(stored.id, tmp_path / "x").name == stored.name
    assert (tmp_path / "x").read_bytes() == whole


def test_no_content_holds_its_boundary() -> None:
    with Server([CREATED, FOUND, CREATED, FOUND]) as server, connect(server) as sf:
        sf.files.upload(CONTENT, name="a.bin")
        first = server.seen[0]
        # The whole of one body as the content of the next.
        with pytest.raises(errors.InvalidResponseError):
            sf.files.upload(first.body, name="a.bin")
    assert parts(server.seen[2])[1][1] == first.body


# Sources.


def opened_at(path: Path, position: int) -> io.BufferedReader:
    file = path.open("rb")
    file.seek(position)
    return file


def pipe_of(content: bytes) -> Any:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as end:
        end.write(content)
    return os.fdopen(reading, "rb")


def spooled(_: Path) -> Any:
    file = tempfile.SpooledTemporaryFile()  # noqa: SIM115  # the test closes what is open
    file.write(b"skipped" + CONTENT[:1000])
    file.seek(7)
    return file


@pytest.mark.parametrize(
    ("make", "name", "content"),
    [
        (lambda path: path, "report.bin", CONTENT),
        (str, "report.bin", CONTENT),
        (lambda path: path.open("rb"), "report.bin", CONTENT),
        (lambda path: opened_at(path, 1000), "report.bin", CONTENT[1000:]),
        (lambda _: io.BytesIO(CONTENT), None, CONTENT),
        (lambda _: bytearray(CONTENT), None, CONTENT),
        (lambda _: memoryview(CONTENT), None, CONTENT),
        (lambda _: pipe_of(CONTENT[:1000]), None, CONTENT[:1000]),
        (spooled, None, CONTENT[:1000]),
    ],
    ids=["path", "text", "file", "in the middle", "BytesIO", "bytearray", "memoryview", "pipe", "spooled"],
)
def test_sources(tmp_path: Path, make: Callable[[Path], Any], name: str | None, content: bytes) -> None:
    path = tmp_path / "report.bin"
    path.write_bytes(CONTENT)
    source = make(path)
    with Server([CREATED, Reply.of(version(content))]) as server, connect(server) as sf:
        sf.files.upload(source, name=None if name else "x.bin")
        assert parts(server.seen[0])[1][1] == content
        assert record_of(server.seen[0])["PathOnClient"] == (name or "x.bin")
    if hasattr(source, "close"):
        assert not source.closed
        source.close()


def test_an_empty_file_may_be_attached(sf: Salesforce, tmp_path: Path) -> None:
    account_id = sf.sobject("Account").create({"Name": "Acme"}).id
    (tmp_path / "empty.txt").touch()
    attachment = sf.files.attach(account_id, tmp_path / "empty.txt")
    assert sf.files.download(attachment.id, tmp_path / "copy").size == 0
    assert (tmp_path / "copy").read_bytes() == b""
    with pytest.raises(errors.BadRequestError, match="VersionData"):
        sf.files.upload(tmp_path / "empty.txt")


def closed(path: Path) -> io.BufferedReader:
    file = path.open("rb")
    file.close()
    return file


def loop(path: Path) -> Path:
    link = path.with_name("loop")
    link.symlink_to(link)
    return link


def too_large(path: Path) -> Path:
    with path.open("wb") as file:
        file.truncate(2 * 1024**3 + 1)
    return path


@pytest.mark.parametrize(
    ("make", "options", "error", "text"),
    [
        (lambda path: path.parent, {}, ValueError, "cannot be read: Is a directory"),
        (lambda path: path.with_name("missing"), {}, ValueError, "cannot be read: No such file"),
        (loop, {}, ValueError, "cannot be read: "),
        (closed, {}, ValueError, "a file that is closed"),
        (too_large, {}, ValueError, "2147483649 bytes, and Salesforce takes 2147483648 for ContentVersion"),
        (lambda _: io.StringIO("x"), {"name": "a"}, TypeError, "not a StringIO"),
        (lambda _: 42, {"name": "a"}, TypeError, "not a int"),
        (lambda _: None, {"name": "a"}, TypeError, "not a NoneType"),
        (lambda _: b"x", {}, ValueError, "give name="),
        (lambda _: io.BytesIO(b"x"), {}, ValueError, "give name="),
        (lambda _: b"x", {"name": " "}, ValueError, "name is blank"),
        (lambda _: b"x", {"name": "a", "title": ""}, ValueError, "title is blank"),
        (lambda _: b"x", {"name": "a", "link_to": "Acme"}, ValueError, "no id"),
        (lambda _: b"x", {"name": "a", "fields": {"Size__c": float("nan")}}, ValueError, "no number for nan"),
    ],
    ids=range(14),
)
def test_what_cannot_be_uploaded_is_not_sent(
    tmp_path: Path, make: Callable[[Path], Any], options: dict[str, Any], error: type[Exception], text: str
) -> None:
    path = tmp_path / "report.bin"
    path.write_bytes(CONTENT)
    source = make(path)
    with Server([CREATED]) as server, connect(server) as sf, pytest.raises(error, match=text):
        sf.files.upload(source, **options)
    assert server.seen == []


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda sf: sf.files.create("Scan__x", {"A": 1}, b"x", name="a"), "give field="),
        (lambda sf: sf.files.create("no name", {"A": 1}, b"x", name="a", field="F"), "no API name"),
        (lambda sf: sf.files.create("Scan__x", {"A": 1}, b"x", name="a", field='a"b'), "no API name"),
        (lambda sf: sf.files.replace("Document", "x", b"x", name="a"), "no id"),
        (lambda sf: sf.files.attach("x", b"x", name="a"), "no id"),
        (lambda sf: sf.files.attach(ACCOUNT, b"x", name="a", content_type="a\r\nb"), "printable"),
        (lambda sf: sf.files.attach(ACCOUNT, io.BytesIO(b"x")), "give name="),
        (lambda sf: sf.files.add_version("x", b"x", name="a"), "no id"),
        (lambda sf: sf.files.download(ACCOUNT, "x"), "no id of a file: there are Attachment"),
        (lambda sf: sf.files.stream(ACCOUNT), "no id of a file"),
        (lambda sf: sf.files.download(VERSION, "/"), "is a folder"),
        (lambda sf: sf.files.download(VERSION, "/no/such/folder/x"), "there is no folder"),
        (lambda sf: sf.files.download(VERSION, NOWHERE), "no file can be written"),
    ],
    ids=range(13),
)
def test_wrong_arguments(call: Callable[[Salesforce], Any], text: str) -> None:
    with Server([FOUND]) as server, connect(server) as sf, pytest.raises(ValueError, match=text):
        call(sf)
    assert server.seen == []


@pytest.mark.parametrize("to", [42, None, io.StringIO()])
def test_where_a_file_cannot_be_written(to: Any) -> None:
    with Server([FOUND]) as server, connect(server) as sf, pytest.raises(TypeError, match="opened for bytes"):
        sf.files.download(VERSION, to)
    assert server.seen == []


# Sent again, or not.


def same_bodies(server: Server, number: int) -> bool:
    sent = [seen.body for seen in server.seen if seen.method == "POST"]
    return len(sent) == number and len(set(sent)) == 1 and parts(server.seen[0])[1][1] == CONTENT[7:]


@pytest.fixture
def source(tmp_path: Path) -> Iterator[io.BufferedReader]:
    """A file that does not stand at its beginning."""
    (tmp_path / "a.bin").write_bytes(CONTENT)
    with opened_at(tmp_path / "a.bin", 7) as file:
        yield file


@pytest.mark.parametrize(
    "trouble",
    [
        Reply.error(401, "INVALID_SESSION_ID"),
        Reply.error(503, "SERVER_UNAVAILABLE"),
        Reply(503, b"", {"Retry-After": "1"}),
        Reply.error(400, "UNABLE_TO_LOCK_ROW"),
    ],
    ids=["expired", "unavailable", "later", "locked"],
)
def test_a_body_is_sent_again_from_where_it_began(source: io.BufferedReader, trouble: Answer) -> None:
    found = Reply.of(version(CONTENT[7:]))
    with Server([trouble, CREATED, found]) as server, connect(server, auth=Numbered(server.url)) as sf:
        stored = sf.files.upload(source)
    assert stored.checksum == md5(CONTENT[7:])
    assert same_bodies(server, 2)


@pytest.mark.parametrize(
    "answer", [Cut(), Reply(500, b""), Reply(503, b""), Reply(201, b"{", {"Content-Type": "application/json"})]
)
def test_a_file_that_may_have_arrived_is_not_sent_again(source: io.BufferedReader, answer: Answer) -> None:
    with Server([answer, CREATED, FOUND]) as server, connect(server) as sf, pytest.raises(errors.SalesforceError):
        sf.files.upload(source)
    assert same_bodies(server, 1)
    assert len(server.seen) == 1


def test_a_file_that_becomes_shorter_is_not_sent_as_if_it_were_whole(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(CONTENT)

    class Shrinking(io.FileIO):
        def read(self, size: int | None = -1) -> bytes:
            os.truncate(path, 20_000)
            return super().read(size) or b""

    with (
        Server([CREATED]) as server,
        connect(server) as sf,
        Shrinking(path) as file,
        pytest.raises(errors.TransportError, match="the source ended 56800 bytes before the end") as caught,
    ):
        sf.files.upload(file)
    assert len([seen for seen in server.seen if len(seen.body) >= len(CONTENT)]) == 0
    assert "\\x" not in str(caught.value)


# What became of it.


@pytest.mark.parametrize("changed", [{"Checksum": md5(b"other")}, {"ContentSize": 1}])
def test_what_is_stored_is_what_was_sent(changed: dict[str, Any]) -> None:
    answers = [CREATED, Reply.of(version(**changed))]
    with Server(answers) as server, connect(server) as sf, pytest.raises(errors.InvalidResponseError) as caught:
        sf.files.upload(CONTENT, name="a.bin")
    assert "has not stored what was sent" in str(caught.value)
    assert caught.value.__notes__ == [f"The version {VERSION} was created before this."]


def test_a_version_is_not_lost_when_it_cannot_be_read() -> None:
    answers = [CREATED, Reply.error(403, "INSUFFICIENT_ACCESS")]
    with Server(answers) as server, connect(server) as sf, pytest.raises(errors.ForbiddenError) as caught:
        sf.files.upload(CONTENT, name="a.bin")
    assert caught.value.__notes__ == [f"The version {VERSION} was created before this."]


@pytest.mark.parametrize("answer", [{"Id": VERSION}, [], {**version(), "ContentSize": "5"}])
def test_answers_that_say_too_little(answer: Any) -> None:
    with Server([Reply.of(answer)]) as server, connect(server) as sf, pytest.raises(errors.InvalidResponseError):
        sf.files.stream(VERSION)
    assert len(server.seen) == 1


def test_nothing_of_a_file_is_written_to_the_log(sf: Salesforce, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stored = sf.files.upload(b"very secret words", name="secret-name.txt")
    with sf.files.stream(stored.id) as stream:
        shown = repr(list(stream.file.id)) + repr(stream)
    assert "secret" not in caplog.text.replace("client_secret", "") + shown


# Down.


def test_a_file_is_asked_for_as_it_is(tmp_path: Path) -> None:
    with Server([FOUND, BYTES]) as server, connect(server) as sf:
        assert sf.files.download(VERSION, str(tmp_path / "a.bin")) == StoredFile(
            VERSION, "a.bin", len(CONTENT), md5(CONTENT), DOCUMENT
        )
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    described, sent = server.seen
    assert described.headers["accept"] == "application/json"
    assert sent.target == f"/services/data/v68.0/sobjects/ContentVersion/{VERSION}/VersionData"
    assert (sent.headers["accept"], sent.headers["accept-encoding"]) == ("*/*", "identity")


def short(content: bytes = CONTENT, **headers: str) -> Reply:
    """An answer that announces all and ends in the middle."""
    return Reply(200, content[:50_000], headers, length=len(content), close=True)


def chunked(content: bytes) -> Reply:
    """The first of two chunks."""
    body = f"{len(content):x}\r\n".encode() + content + b"\r\n"
    return Reply(200, body, {"Transfer-Encoding": "chunked"}, close=True)


def packed(content: bytes) -> Reply:
    """The first half of a compressed answer, as if it were all."""
    body = gzip.compress(os.urandom(1000) + content)
    return Reply(200, body[: len(body) // 2], {"Content-Encoding": "gzip"})


@pytest.mark.parametrize("part", [short(), chunked(CONTENT[:50_000]), packed(CONTENT), Reply(200, CONTENT[:50_000])])
def test_a_download_that_breaks_off_begins_anew(tmp_path: Path, part: Reply) -> None:
    told = []
    hooks = Hooks(on_retry=lambda event: told.append((event.request.operation, event.request.attempt)))
    with Server([FOUND, part, FOUND, part, FOUND, BYTES]) as server, connect(server, hooks=hooks) as sf:
        sf.files.download(VERSION, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert told == [("get_blob", 1), ("get_blob", 2)]


@pytest.mark.parametrize("part", [short(), chunked(CONTENT[:50_000]), packed(CONTENT), Reply(200, CONTENT[:50_000])])
def test_a_file_that_does_not_come_leaves_all_as_it_was(tmp_path: Path, part: Reply) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"before")
    with Server(lambda seen: part if "VersionData" in seen.target else FOUND) as server, connect(server) as sf:
        with pytest.raises(errors.TransportError, match="GET /sobjects/ContentVersion"):
            sf.files.download(VERSION, target)
        assert len(server.seen) == 10
        with sf.files.stream(VERSION) as stream, pytest.raises(errors.TransportError):
            list(stream)
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"x", CONTENT + b"x"])
def test_other_bytes_than_those_of_the_file(tmp_path: Path, content: bytes) -> None:
    with Server([FOUND, Reply(200, content)]) as server, connect(server) as sf:
        with pytest.raises(errors.InvalidResponseError, match="are not those of the file"):
            sf.files.download(VERSION, tmp_path / "a.bin")
        assert len(server.seen) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_the_callers_gets_what_comes_once() -> None:
    with Server([FOUND, short(), FOUND, BYTES]) as server, connect(server) as sf:
        target = io.BytesIO()
        with pytest.raises(errors.TransportError):
            sf.files.download(VERSION, target)
        assert CONTENT.startswith(target.getvalue())
        target = io.BytesIO()
        sf.files.download(VERSION, target)
        assert target.getvalue() == CONTENT
        assert not target.closed


def test_a_compressed_file_is_unpacked(tmp_path: Path) -> None:
    reply = Reply(200, gzip.compress(CONTENT), {"Content-Encoding": "gzip"})
    with Server([FOUND, reply]) as server, connect(server) as sf:
        sf.files.download(VERSION, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_a_stream_that_is_left_gives_its_connection_back() -> None:
    with (
        Server(lambda seen: BYTES if "Data" in seen.target else FOUND) as server,
        connect(server, max_connections=1) as sf,
    ):
        with sf.files.stream(VERSION) as stream:
            assert CONTENT.startswith(next(iter(stream)))
        sf.files.stream(VERSION).close()
        assert b"".join(sf.files.stream(VERSION)) == CONTENT


def test_a_document_whose_version_cannot_be_found() -> None:
    empty = Reply.of({"totalSize": 0, "done": True, "records": []})
    gone = Reply.error(404, "ENTITY_IS_DELETED", "entity is deleted")
    with Server([empty, gone, empty, Reply.of({"Id": DOCUMENT})]) as server, connect(server) as sf:
        with pytest.raises(errors.NotFoundError):
            sf.files.stream(DOCUMENT)
        with pytest.raises(errors.InvalidResponseError, match="no version"):
            sf.files.stream(DOCUMENT)
    assert "ContentDocumentId+%3D+%27" in server.seen[0].target or "ContentDocumentId%20%3D" in server.seen[0].target


# With an org.


def test_a_file_from_the_cradle_to_the_grave(local_org: LocalOrg, sf: Salesforce, tmp_path: Path) -> None:
    account_id = sf.sobject("Account").create({"Name": "Acme"}).id
    source = tmp_path / "Übersicht.pdf"
    source.write_bytes(CONTENT)
    first = sf.files.upload(source, link_to=account_id)
    assert (first.name, first.size, first.checksum) == ("Übersicht.pdf", len(CONTENT), md5(CONTENT))
    linked = sf.query(f"SELECT ContentDocument.Title FROM ContentDocumentLink WHERE LinkedEntityId = '{account_id}'")
    assert [link["ContentDocument"]["Title"] for link in linked] == ["Übersicht"]
    local_org.faults.expire_tokens()
    assert first.document_id is not None
    second = sf.files.add_version(first.document_id, b"new", name="Übersicht.pdf")
    assert second.document_id == first.document_id
    local_org.faults.expire_tokens()
    assert sf.files.download(first.document_id, tmp_path / "latest").id == second.id
    assert (tmp_path / "latest").read_bytes() == b"new"
    sf.files.download(first.id, tmp_path / "first")
    assert (tmp_path / "first").read_bytes() == CONTENT
    sf.sobject("ContentDocument").delete(first.document_id)
    with pytest.raises(errors.NotFoundError):
        sf.files.download(first.document_id, tmp_path / "gone")
    assert not (tmp_path / "gone").exists()


def test_attachments_and_documents(sf: Salesforce, tmp_path: Path) -> None:
    account_id = sf.sobject("Account").create({"Name": "Acme"}).id
    (folder,) = sf.query("SELECT Id FROM Folder WHERE Type = 'Document'")
    made = [
        sf.files.attach(account_id, CONTENT, name="a.bin").id,
        sf.files.create("Document", {"FolderId": folder["Id"], "Name": "a.bin"}, CONTENT, name="a.bin").id,
    ]
    for sobject, record_id in zip(["Attachment", "Document"], made, strict=True):
        assert sf.files.download(record_id, tmp_path / "a") == StoredFile(record_id, "a.bin", len(CONTENT))
        assert (tmp_path / "a").read_bytes() == CONTENT
        sf.files.replace(sobject, record_id, b"new", record={"Name": "b.txt"}, name="b.txt")
        with sf.files.stream(record_id) as stream:
            assert (b"".join(stream), stream.file.name) == (b"new", "b.txt")


def test_many_threads(local_org: LocalOrg, sf: Salesforce, tmp_path: Path) -> None:
    def turn(number: int) -> bool:
        content = bytes([number]) * (300_000 + number)
        stored = sf.files.upload(content, name=f"{number}.bin")
        if number == 8:
            local_org.faults.expire_tokens()
        sf.files.download(stored.id, tmp_path / str(number))
        return (tmp_path / str(number)).read_bytes() == content

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(turn, range(32)))
    assert len(list(tmp_path.iterdir())) == 32


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    program, size = Path(__file__).with_name("file_memory.py"), 64 * 1024 * 1024
    command = [sys.executable, str(program), str(size), str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    # Both sides of it, ours and the org's.
    assert int(run.stdout) < size / 4
