"""Bodies in several parts, read while they arrive: the fields of records in one, the contents of files in the others.

https://developer.salesforce.com/docs/platform/api-rest/guide/dome-sobject-insert-update-blob.html
"""

import re
from collections.abc import Mapping
from email.message import Message
from typing import Any, Final

import attrs

from sfconnector.testing._blobs import Blob, Blobs, Incoming
from sfconnector.testing._errors import OrgError
from sfconnector.testing._schema import SObjectType

MEDIA_TYPE: Final = "multipart/form-data"
# What a message in one part may have, the part with the fields may have as well.
LARGEST_TEXT: Final = 50 * 1024 * 1024
_LARGEST_HEADERS: Final = 16_384
_LARGEST_BOUNDARY: Final = 70
# In a text file, which is how the documentation sends its example, a line may end with the second alone.
_LINE_ENDS: Final = (b"\r\n", b"\n")
_PLAIN: Final = frozenset({"binary", "7bit", "8bit"})


@attrs.frozen
class Form:
    """A body in several parts: JSON text, and the contents of files by the names of their parts."""

    text: bytes
    files: Mapping[str, Blob]

    def with_file(self, sobject: SObjectType, values: Mapping[str, Any]) -> dict[str, Any]:
        """Add the one file to the values of a single record; its name is that of the field."""
        if len(self.files) > 1:
            raise invalid("Cannot include more than one binary part")
        return {**values, **{name: _content(sobject, name, blob) for name, blob in self.files.items()}}


def with_named_file(
    form: Form | None, sobject: SObjectType, values: Mapping[str, Any], attributes: Mapping[str, Any]
) -> dict[str, Any]:
    """Add the file that the attributes of a record of a collection name to its values."""
    part, field = attributes.get("binaryPartName"), attributes.get("binaryPartNameAlias")
    if part is None and field is None:
        return dict(values)
    return {**values, str(field): _content(sobject, str(field), binary_part(form, part, field))}


def binary_part(form: Form | None, part: object, alias: object) -> Blob:
    """Find the file that a record or a subrequest names, with an alias that says what it is for."""
    if form is None or not isinstance(part, str) or not isinstance(alias, str) or part not in form.files:
        raise invalid("binaryPartName must be the name of a binary part, and binaryPartNameAlias say what it is for")
    return form.files[part]


def _content(sobject: SObjectType, name: str, blob: Blob) -> Blob:
    field = sobject.field(name)
    # A field that is not there is refused together with the others.
    if field is not None and field.type != "base64":
        raise invalid(f"The field {field.name} of {sobject.name} holds no binary data")
    return blob


def invalid(message: str) -> OrgError:
    """Refuse a message that is not put together as it should be."""
    return OrgError(400, "INVALID_MULTIPART_REQUEST", message)


def text_too_large() -> OrgError:
    """https://github.com/simple-salesforce/simple-salesforce/issues/195"""
    message = f"Maximum size of request reached. Maximum size of request is {LARGEST_TEXT} bytes."
    return OrgError(400, "JSON_PARSER_ERROR", message)


def files_too_large(limit: int) -> OrgError:
    message = f"The size of the file exceeds the maximum of {limit} bytes"
    return OrgError(400, "FILE_SIZE_LIMIT_EXCEEDED", message)


class Reader:
    """Takes a body apart as it arrives.

    A part that has a ``filename`` holds a file, whatever its type is; one without holds the fields, and is JSON.

    Args:
        content_type: That of the request.
        blobs: Where files go.
        limit: Bytes that all files may have together.
    """

    def __init__(self, content_type: str, blobs: Blobs, limit: int) -> None:
        boundary = _parameter(content_type, "boundary")
        if not boundary or len(boundary) > _LARGEST_BOUNDARY:
            raise invalid(f"The Content-Type must have a boundary of 1 to {_LARGEST_BOUNDARY} characters")
        self._dashes = b"--" + boundary.encode("latin-1", "replace")
        self._line_end = b""
        self._blobs, self._limit = blobs, limit
        self._buffer = bytearray()
        self._step = self._preamble
        self._part: _Text | _File | None = None
        self._texts: list[bytes] = []
        self._files: dict[str, Blob] = {}
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Take in what has arrived."""
        self._buffer += data
        while self._step():
            pass

    def close(self) -> Form:
        """Give the whole, once all has arrived."""
        if self._step != self._epilogue:
            raise invalid("The message ends before its last boundary")
        if not self._texts:
            raise invalid("Multipart message must include a non-binary part")
        if len(self._texts) > 1:
            raise invalid("Cannot include more than one non-binary part")
        return Form(self._texts[0], dict(self._files))

    def discard(self) -> None:
        """Delete the files that have not come to belong to a record."""
        if isinstance(self._part, _File):
            self._part.incoming.discard()
        for blob in self._files.values():
            self._blobs.discard(blob)

    # Each step takes from the buffer what it can, and tells whether it has come to its end.

    def _preamble(self) -> bool:
        for line_end in _LINE_ENDS:
            first = self._dashes + line_end
            at = 0 if self._buffer.startswith(first) else self._buffer.find(b"\n" + first) + 1
            if at or self._buffer.startswith(first):
                self._line_end = line_end
                del self._buffer[: at + len(first)]
                self._step = self._headers
                return True
        if len(self._buffer) > _LARGEST_HEADERS:
            raise invalid("The message does not begin with its boundary")
        return False

    def _headers(self) -> bool:
        end = self._line_end * 2
        at = self._buffer.find(end)
        if at < 0:
            if len(self._buffer) > _LARGEST_HEADERS:
                raise invalid("A part has no empty line between its headers and its content")
            return False
        self._part = self._begin(_read_headers(bytes(self._buffer[:at])))
        del self._buffer[: at + len(end)]
        self._step = self._content
        return True

    def _content(self) -> bool:
        delimiter = self._line_end + self._dashes
        at = self._buffer.find(delimiter)
        after = at + len(delimiter)
        if at < 0:
            # Its end may be the beginning of a boundary.
            self._write(len(self._buffer) - len(delimiter))
            return False
        if len(self._buffer) < after + 2:
            self._write(at)
            return False
        if self._buffer.startswith(b"--", after):
            self._step = self._epilogue
        elif self._buffer.startswith(self._line_end, after):
            after += len(self._line_end)
            self._step = self._headers
        else:
            # What only begins like the boundary is content.
            self._write(after)
            return True
        self._write(at)
        del self._buffer[: after - at]
        self._end()
        return True

    def _epilogue(self) -> bool:
        self._buffer.clear()
        return False

    # Parts.

    def _begin(self, headers: Message) -> "_Text | _File":
        disposition = str(headers.get("Content-Disposition", ""))
        name = _parameter(disposition, "name")
        if not disposition.lower().startswith("form-data") or not name:
            raise invalid("Each part must have a Content-Disposition of form-data with a name")
        coding = str(headers.get("Content-Transfer-Encoding", "binary")).strip().lower()
        if coding not in _PLAIN:
            raise invalid(f"A Content-Transfer-Encoding of '{coding}' is not supported")
        if _parameter(disposition, "filename") is None:
            return _Text(headers.get_content_type() == "application/json")
        if name in self._files:
            raise invalid("Cannot include more than one binary part")
        return _File(name, self._blobs.receive())

    def _write(self, size: int) -> None:
        if size <= 0:
            return
        piece = bytes(self._buffer[:size])
        del self._buffer[:size]
        if isinstance(self._part, _File):
            self._size += size
            if self._size > self._limit:
                raise files_too_large(self._limit)
            self._part.incoming.write(piece)
        elif self._part is not None:
            self._part.content += piece
            if len(self._part.content) > LARGEST_TEXT:
                raise text_too_large()

    def _end(self) -> None:
        part, self._part = self._part, None
        if isinstance(part, _File):
            self._files[part.name] = part.incoming.finish()
        elif part is not None and part.is_json:
            self._texts.append(bytes(part.content))


@attrs.define
class _Text:
    """A part without a file; one that is no JSON says nothing that is understood here."""

    is_json: bool
    content: bytearray = attrs.field(factory=bytearray)


@attrs.define
class _File:
    name: str
    incoming: Incoming


def _read_headers(text: bytes) -> Message:
    headers = Message()
    for line in re.sub(rb"\r?\n[ \t]+", b" ", text).splitlines():
        name, _, value = line.decode("utf-8", "replace").partition(":")
        headers[name.strip()] = value.strip()
    return headers


def _parameter(header: str, name: str) -> str | None:
    message = Message()
    message["Content-Disposition"] = header
    value: Any = message.get_param(name, header="Content-Disposition")
    # A parameter may come with its character set, as RFC 2231 has it.
    return None if value is None else str(value[2] if isinstance(value, tuple) else value)
