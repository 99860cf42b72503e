"""Files up and down."""

from pathlib import Path

import pytest

from integration.conftest import Create
from sfconnector import Salesforce
from sfconnector.errors import BadRequestError, NotFoundError

pytestmark = [pytest.mark.vcr, pytest.mark.block_network]

CONTENT = "Zürich\r\nGenève\n--\r\n".encode()


def test_a_file_and_its_versions(sf: Salesforce, tag: str, create: Create, tmp_path: Path) -> None:
    account_id = create("Account", {"Name": f"{tag} Acme"})
    source = tmp_path / f"{tag} Städte.txt"
    source.write_bytes(CONTENT)
    first = sf.files.upload(source, link_to=account_id, fields={"Description": "Two towns"})
    assert first.document_id is not None
    try:
        assert (first.id[:3], first.document_id[:3]) == ("068", "069")
        assert (first.name, first.size) == (source.name, len(CONTENT))
        links = sf.query(f"SELECT ContentDocumentId FROM ContentDocumentLink WHERE LinkedEntityId = '{account_id}'")
        assert [link["ContentDocumentId"] for link in links] == [first.document_id]

        second = sf.files.add_version(first.document_id, b"Bern", name=source.name)
        assert second.document_id == first.document_id
        assert sf.files.download(first.document_id, tmp_path / "latest") == second
        assert (tmp_path / "latest").read_bytes() == b"Bern"
        with sf.files.stream(first.id) as stream:
            assert (stream.file, b"".join(stream)) == (first, CONTENT)
    finally:
        sf.sobject("ContentDocument").delete(first.document_id)
    with pytest.raises(NotFoundError):
        sf.files.stream(first.id)


def test_an_attachment(sf: Salesforce, tag: str, create: Create, tmp_path: Path) -> None:
    account_id = create("Account", {"Name": f"{tag} Acme"})
    attachment = sf.files.attach(account_id, CONTENT, name=f"{tag}.txt", content_type="text/plain")
    stored = sf.files.download(attachment.id, tmp_path / "copy")
    assert (stored.id, stored.name, stored.size, stored.document_id) == (
        attachment.id,
        f"{tag}.txt",
        len(CONTENT),
        None,
    )
    assert (tmp_path / "copy").read_bytes() == CONTENT
    sf.files.replace("Attachment", attachment.id, b"Bern", name=f"{tag}.txt")
    sf.files.download(attachment.id, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"Bern"


def test_an_empty_file_is_refused(sf: Salesforce, tag: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        sf.files.upload(b"", name=f"{tag}.txt")
    assert (caught.value.code, caught.value.errors[0].fields) == ("REQUIRED_FIELD_MISSING", ("VersionData",))
