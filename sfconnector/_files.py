"""Files: uploaded and downloaded piece by piece, whatever their size."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

import attrs
from sfconnector_generated.rest.api.query import query
from sfconnector_generated.rest.api.sobjects import create_record, get_blob, get_record, update_record
from sfconnector_generated.types import UNSET

from sfconnector._call import check_empty, created, send
from sfconnector._download import FileStream, StoredFile, begin_anew, check_target, replacing
from sfconnector._json import dumps
from sfconnector._names import check_id, check_name, check_text
from sfconnector._prepare import check_header
from sfconnector._records import encode
from sfconnector._session import Seconds, Session
from sfconnector._soql import soql
from sfconnector._upload import Source, Upload, opened
from sfconnector.errors import InvalidResponseError, SalesforceError, TransportError

if TYPE_CHECKING:
    import requests
    from sfconnector_generated.client import Request

    from sfconnector._results import SaveResult

T = TypeVar("T")
Fields = Mapping[str, Any]

_VERSION: Final = "ContentVersion"
_VERSION_FIELDS: Final = ("Id", "ContentDocumentId", "PathOnClient", "ContentSize", "Checksum")
_LATEST: Final = (
    "SELECT Id, ContentDocumentId, PathOnClient, ContentSize, Checksum FROM ContentVersion "
    "WHERE ContentDocumentId = {document_id} AND IsLatest = true"
)
# The fields that hold contents, for objects that have no more than one.
_CONTENT: Final = {"attachment": "Body", "contentversion": "VersionData", "document": "Body", "staticresource": "Body"}
_OF_PREFIX: Final = {"00P": "Attachment", "015": "Document", "068": _VERSION, "069": "ContentDocument"}


class Files:
    """Files of the org; made by :attr:`Salesforce.files`.

    A file is a ContentDocument with one ContentVersion for each upload, linked to records by ContentDocumentLinks.
    Attachments and Documents are what Salesforce had before, and still has.

    A source is the path of a file, a file opened for bytes, which is read from where it stands, or bytes. It is read
    while it is sent, so that its size does not matter; Salesforce takes 2 GB for a version, and 500 MB otherwise.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_sobject_insert_update_blob.htm
        https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contentversion.htm
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def upload(
        self,
        source: Source,
        *,
        name: str | None = None,
        title: str | None = None,
        link_to: str | None = None,
        fields: Fields | None = None,
        timeout: Seconds = None,
    ) -> StoredFile:
        """Upload a new file, and check that Salesforce has what was sent.

        Args:
            source: A path, a file opened for bytes, or bytes.
            name: The file's name with its extension, by which Salesforce tells its kind; that of the source by default.
            title: What people see; the name without its extension by default.
            link_to: The id of the record to show it on; its owner's own files by default.
            fields: More fields of the ContentVersion and their values, such as ``Description``.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The source cannot be read, has no name or is too large; or another argument is wrong.
            BadRequestError: Salesforce refused the file; it takes no empty one.
            TransportError: No answer came; whether the file was uploaded is not known, and it is not sent again.
            InvalidResponseError: The file was uploaded, and its size or checksum is not that of what was sent.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contentversion.htm

        Example:
            >>> file = sf.files.upload(b"Dear customer", name="letter.txt", link_to=account_id)
            >>> file.id[:3], file.document_id[:3], file.size
            ('068', '069', 13)
        """
        place = {} if link_to is None else {"FirstPublishLocationId": check_id(link_to)}
        return self._add(source, name, title, {**place, **(fields or {})}, timeout, titled=True)

    def add_version(
        self,
        document_id: str,
        source: Source,
        *,
        name: str | None = None,
        title: str | None = None,
        fields: Fields | None = None,
        timeout: Seconds = None,
    ) -> StoredFile:
        """Upload a new version of a file, and check that Salesforce has what was sent.

        Args:
            document_id: The id of the ContentDocument.
            source: A path, a file opened for bytes, or bytes.
            name: The file's name with its extension; that of the source by default.
            title: What people see from now on.
            fields: More fields of the ContentVersion and their values, such as ``ReasonForChange``.
            timeout: Seconds instead of the client's own.

        Raises:
            SalesforceError, ValueError, TypeError: As for :meth:`upload`.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contentversion.htm

        Example:
            >>> newer = sf.files.add_version(file.document_id, b"Dear all", name="letter.txt")
            >>> newer.document_id == file.document_id
            True
        """
        document = {"ContentDocumentId": check_id(document_id)}
        return self._add(source, name, title, {**document, **(fields or {})}, timeout, titled=False)

    def attach(
        self,
        parent_id: str,
        source: Source,
        *,
        name: str | None = None,
        content_type: str | None = None,
        fields: Fields | None = None,
        timeout: Seconds = None,
    ) -> SaveResult:
        """Add an Attachment to a record.

        Args:
            parent_id: The id of the record.
            source: A path, a file opened for bytes, or bytes.
            name: The attachment's name; that of the source by default.
            content_type: Its media type, such as ``"text/csv"``.
            fields: More fields of the Attachment and their values, such as ``Description``.
            timeout: Seconds instead of the client's own.

        Raises:
            SalesforceError, ValueError, TypeError: As for :meth:`create`.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_attachment.htm

        Example:
            >>> sf.files.attach(account_id, b"Name,Phone", name="list.csv", content_type="text/csv").success
            True
        """
        record = {"ParentId": check_id(parent_id)}
        if content_type is not None:
            check_header("content_type", content_type)
            record["ContentType"] = content_type

        def build(name: str) -> Fields:
            return {"Name": name, **record, **(fields or {})}

        return self._create("Attachment", build, source, None, name, content_type, timeout)[0]

    def create(
        self,
        sobject: str,
        record: Fields,
        source: Source,
        *,
        field: str | None = None,
        name: str | None = None,
        timeout: Seconds = None,
    ) -> SaveResult:
        """Create a record of any object that holds a file, such as a Document in a folder.

        Args:
            sobject: The API name of the object.
            record: Its other fields and their values.
            source: A path, a file opened for bytes, or bytes.
            field: The field for the file; may be left out for Attachment, ContentVersion, Document and StaticResource.
            name: The file's name; that of the source by default.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The source cannot be read, has no name or is too large; or another argument is wrong.
            ApiError: Salesforce refused the record.
            TransportError: No answer came; whether the record was created is not known, and it is not sent again.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_sobject_insert_update_blob.htm

        Example:
            >>> folder = next(iter(sf.query("SELECT Id FROM Folder WHERE Type = 'Document'")))
            >>> record = {"FolderId": folder["Id"], "Name": "Price list", "Type": "csv"}
            >>> sf.files.create("Document", record, b"Product,Price", name="prices.csv").id[:3]
            '015'
        """
        return self._create(sobject, lambda _: record, source, field, name, None, timeout)[0]

    def replace(
        self,
        sobject: str,
        record_id: str,
        source: Source,
        *,
        record: Fields | None = None,
        field: str | None = None,
        name: str | None = None,
        timeout: Seconds = None,
    ) -> None:
        """Replace the file of a record, such as an Attachment or a Document; a file gets a new version instead.

        Args:
            sobject: The API name of the object.
            record_id: 15 or 18 characters.
            source: A path, a file opened for bytes, or bytes.
            record: Other fields to change, and their new values.
            field: The field for the file; may be left out for Attachment, ContentVersion, Document and StaticResource.
            name: The file's name; that of the source by default.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The source cannot be read, has no name or is too large; or another argument is wrong.
            NotFoundError: There is no such record, or it is deleted.
            TransportError: No answer came; whether the file was replaced is not known.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_sobject_insert_update_blob.htm

        Example:
            >>> attachment = sf.files.attach(account_id, b"Name", name="list.csv")
            >>> sf.files.replace("Attachment", attachment.id, b"Name,Phone", name="list.csv")
        """
        field = _content_field(check_name("the object", sobject), field)
        request = update_record.build(sobject, check_id(record_id), body=encode(record or {}))
        with opened(source, name, sobject) as file:
            upload = Upload(dumps(request.json), field, file)
            check_empty(send(self._session, _with(request, upload), timeout=timeout))

    def download(self, file_id: str, to: str | os.PathLike[str] | IO[bytes], *, timeout: Seconds = None) -> StoredFile:
        """Download a file, and check its size and, for a version, its checksum.

        A download that breaks off begins anew, as often as the client's :class:`Retry` allows; one that goes to a file
        of the caller's is not repeated once bytes of it have been written.

        Args:
            file_id: The id of a ContentDocument, whose latest version is meant, a ContentVersion, an Attachment or a
                Document.
            to: The path to write, where a file appears when all of it has come and replaces one that is there; or a
                file opened for bytes.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The id is none of those, or the path cannot be written.
            NotFoundError: There is no such file, or it is deleted.
            TransportError: The file did not come, or not all of it.
            InvalidResponseError: What came is not what Salesforce says the file is.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_blob_retrieve.htm

        Example:
            >>> sf.files.download(file.document_id, folder_path / "letter.txt").size
            8
            >>> (folder_path / "letter.txt").read_bytes()
            b'Dear all'
        """
        check_target(to)
        _check_file_id(file_id)
        if not isinstance(to, str | os.PathLike):
            stream = self.stream(file_id, timeout=timeout)
            for piece in stream:
                to.write(piece)
            return stream.file
        with replacing(Path(to)) as file:
            attempt = 1
            while True:
                # Its own attempts to reach Salesforce are behind it when this returns.
                stream = self.stream(file_id, timeout=timeout)
                try:
                    for piece in stream:
                        file.write(piece)
                    return stream.file
                except TransportError as error:
                    if not begin_anew(self._session, "get_blob", error, attempt):
                        raise
                file.seek(0)
                file.truncate()
                attempt += 1

    def stream(self, file_id: str, *, timeout: Seconds = None) -> FileStream:
        """Open a file for reading its bytes piece by piece, of which each is checked as :meth:`download` does.

        Args:
            file_id: As for :meth:`download`.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The id is none of those.
            NotFoundError: There is no such file, or it is deleted.
            TransportError: While iterating: the rest of the file did not come.
            InvalidResponseError: At the end: what came is not what Salesforce says the file is.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_blob_retrieve.htm

        Example:
            >>> with sf.files.stream(file.document_id) as stream:
            ...     sum(len(piece) for piece in stream), stream.file.name
            (8, 'letter.txt')
        """
        sobject = _check_file_id(file_id)
        file = self._look_up(sobject, file_id, timeout)
        content = _VERSION if file.document_id else sobject
        request = get_blob.build(content, file.id, _content_field(content, None))
        return FileStream(self._session, request, file, timeout)

    def _add(
        self, source: Source, name: str | None, title: str | None, fields: Fields, timeout: Seconds, *, titled: bool
    ) -> StoredFile:
        """Create a version and read what became of it."""
        if title is not None:
            check_text("title", title)

        def build(name: str) -> Fields:
            shown = title or (Path(name).stem if titled else None)
            return {"PathOnClient": name, **({} if shown is None else {"Title": shown}), **fields}

        saved, upload = self._create(_VERSION, build, source, None, name, None, timeout)
        try:
            response = self._read(_VERSION, saved.id, _VERSION_FIELDS, timeout)
            file = _version(response, self._session.decode(response))
            if (file.size, file.checksum) != (upload.file_size, upload.checksum):
                raise InvalidResponseError(
                    response, "Salesforce has not stored what was sent, by its size and checksum"
                )
        except SalesforceError as error:
            error.add_note(f"The version {saved.id} was created before this.")
            raise
        return file

    def _create(
        self,
        sobject: str,
        record: Callable[[str], Fields],
        source: Source,
        field: str | None,
        name: str | None,
        content_type: str | None,
        timeout: Seconds,
    ) -> tuple[SaveResult, Upload]:
        field = _content_field(check_name("the object", sobject), field)
        with opened(source, name, sobject) as file:
            request = create_record.build(sobject, body=encode(record(file.name)))
            upload = Upload(dumps(request.json), field, file, content_type)
            response = send(self._session, _with(request, upload), timeout=timeout)
        return created(self._session, response), upload

    def _look_up(self, sobject: str, file_id: str, timeout: Seconds) -> StoredFile:
        if sobject == "ContentDocument":
            latest = soql(_LATEST, document_id=file_id)
            response = send(self._session, query.build(q=latest), timeout=timeout)
            records = _field(response, self._session.decode(response), "records", list)
            if records:
                return _version(response, records[0])
            # Where there is none, Salesforce tells why.
            response = self._read(sobject, file_id, ("Id",), timeout)
            raise InvalidResponseError(response, "the document has no version that could be read")
        if sobject == _VERSION:
            response = self._read(sobject, file_id, _VERSION_FIELDS, timeout)
            return _version(response, self._session.decode(response))
        response = self._read(sobject, file_id, ("Id", "Name", "BodyLength"), timeout)
        record = self._session.decode(response)
        return StoredFile(
            _field(response, record, "Id", str),
            _field(response, record, "Name", str),
            _field(response, record, "BodyLength", int, None),
        )

    def _read(self, sobject: str, record_id: str, fields: tuple[str, ...], timeout: Seconds) -> requests.Response:
        return send(self._session, get_record.build(sobject, record_id, fields=list(fields)), timeout=timeout)


def _with(request: Request, upload: Upload) -> Request:
    """Let a request that would carry a record as JSON carry it in several parts."""
    headers = {**request.headers, "Content-Type": upload.content_type}
    return attrs.evolve(request, json=UNSET, content=upload, headers=headers)


def _content_field(sobject: str, field: str | None) -> str:
    if field is not None:
        return check_name("the field", field)
    if (known := _CONTENT.get(sobject.lower())) is None:
        raise ValueError(f"the field of {sobject} that holds files is not known: give field=")
    return known


def _check_file_id(file_id: str) -> str:
    """Tell the object of a file by its id."""
    if (sobject := _OF_PREFIX.get(check_id(file_id)[:3])) is None:
        known = ", ".join(f"{name} ({prefix})" for prefix, name in _OF_PREFIX.items())
        raise ValueError(f"{file_id!r} is no id of a file: there are {known}")
    return sobject


def _version(response: requests.Response, record: Any) -> StoredFile:
    return StoredFile(
        id=_field(response, record, "Id", str),
        name=_field(response, record, "PathOnClient", str, ""),
        size=_field(response, record, "ContentSize", int, None),
        checksum=_field(response, record, "Checksum", str, None),
        document_id=_field(response, record, "ContentDocumentId", str),
    )


def _field(response: requests.Response, record: Any, name: str, kind: type[T], *default: Any) -> Any:
    """Read a field of an answer, which may be null where there is a default."""
    value = record.get(name) if isinstance(record, dict) else None
    if value is None and default:
        return default[0]
    if not isinstance(value, kind):
        raise InvalidResponseError(response, f"the answer lacks {name}")
    return value
