"""What a REST resource is asked and what it answers, and how both look on the wire."""

import asyncio
import gzip
import math
import secrets
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qsl

import attrs
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sfconnector.testing import _multipart
from sfconnector.testing._blobs import chunks
from sfconnector.testing._context import RequestContext
from sfconnector.testing._errors import AmbiguousExternalIdError, OrgError

JSON = "application/json;charset=UTF-8"
HTML = "text/html;charset=UTF-8"
BYTES = "application/octet-stream"
# As found on recorded answers; Strict-Transport-Security is left out, it would teach browsers about 127.0.0.1.
COMMON_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-XSS-Protection": "1; mode=block",
    "X-Robots-Tag": "none",
    "Cache-Control": "no-cache,must-revalidate,max-age=0,no-store,private",
    "Server": "sfdcedge",
}
_WORTH_COMPRESSING = 1024
# More than any request to Salesforce may hold, and little enough to be held in memory.
_LARGEST_BODY = 200 * 1024 * 1024
_UNPACKED_AT_ONCE = 1 << 20
_READ_AT_ONCE = 1 << 18


@attrs.frozen
class Piece:
    """A body that is sent while it is read: some bytes, then a file from one position to another, or to its end."""

    beginning: bytes
    path: Path | None = None
    start: int = 0
    end: int | None = None


@attrs.frozen(kw_only=True)
class Answer:
    """An answer before it is rendered.

    Args:
        body: JSON data, ready-made bytes, the file or the piece of one that holds them, or ``None`` for no body at all.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    media_type: str = JSON


@attrs.frozen(kw_only=True)
class Subrequest:
    """A request inside another one; ``url`` is what follows ``/services/data/``, header names are lower-case."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes
    form: _multipart.Form | None = None
    upload: Path | None = None


@attrs.frozen(kw_only=True)
class Call:
    """One authorised call of a REST resource; ``path`` is still percent-encoded, header names are lower-case.

    ``send`` answers a subrequest of this call; ``upload`` is a body that went to a file as it arrived.
    """

    method: str
    path: str
    version: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes
    context: RequestContext
    send: Callable[["Call", Subrequest], Answer]
    form: _multipart.Form | None = None
    upload: Path | None = None

    @property
    def base(self) -> str:
        """Path under which this version's resources live."""
        return f"/services/data/v{self.version}"

    def params_of(self, name: str) -> list[str]:
        """All values of a parameter that may be repeated."""
        if isinstance(self.params, Params):
            return self.params.every(name)
        return [self.params[name]] if name in self.params else []

    @property
    def newer_than_45(self) -> bool:
        """Since 46.0 an upsert says whether it created."""
        return float(self.version) >= 46.0

    def json(self) -> Any:
        """The body as JSON data.

        Raises:
            OrgError: 415 for another media type, 400 ``JSON_PARSER_ERROR`` for a missing or broken body.
        """
        media_type = media_type_of(self.headers)
        if media_type != "application/json":
            raise OrgError(
                415, "UNSUPPORTED_MEDIA_TYPE", f"MediaType of '{media_type}' is not supported by this resource"
            )
        return _parsed(self.content)

    def json_object(self, *, with_files: bool = False) -> dict[str, Any]:
        """The body as a JSON object; anything else is refused as Salesforce refuses it.

        Args:
            with_files: Take a body in several parts as well; its contents are in ``form``.
        """
        data = _parsed(self.form.text) if with_files and self.form is not None else self.json()
        if not isinstance(data, dict):
            kind = "array" if isinstance(data, list) else "value"
            raise OrgError(400, "JSON_PARSER_ERROR", f"Can not deserialize: unexpected {kind} at [line:1, column:1]")
        return data

    def flag(self, name: str) -> bool:
        return self.params.get(name, "").lower() == "true"


def media_type_of(headers: Mapping[str, str]) -> str:
    """The media type of a request without its parameters; JSON where it names none."""
    return headers.get("content-type", "application/json").partition(";")[0].strip().lower()


def _parsed(content: bytes) -> Any:
    if not content.strip():
        raise OrgError(
            400, "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body."
        )
    return parse_json(content)


def parse_json(content: bytes) -> Any:
    """Read JSON; what cannot be read is refused in the words of Salesforce's parser, with line and column."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        # A body that is not UTF-8 comes back without its text.
        rest = error.doc[error.pos :] if error.doc else content.decode("utf-8", errors="replace")
        found = f"character ('{rest[0]}' (code {ord(rest[0])}))" if rest.strip() else "end-of-input"
        message = f"Unexpected {found} at [line:{error.lineno}, column:{error.colno}]"
        raise OrgError(400, "JSON_PARSER_ERROR", message) from error


def error_answer(error: OrgError, version: str = "") -> Answer:
    """Render a refusal as Salesforce's error list, or as the list of matches for an ambiguous external id."""
    if isinstance(error, AmbiguousExternalIdError):
        return Answer(status=error.status, body=error.urls(version))
    items = [
        # Misspelt by Salesforce: https://gitlab.com/gitlab-org/customers-gitlab-com/-/issues/7138
        ({} if item.duplicates is None else {"duplicateResut": item.duplicates.as_json(version)})
        | {"message": item.message, "errorCode": item.code}
        | ({} if item.fields is None else {"fields": list(item.fields)})
        for item in error.items
    ]
    return Answer(status=error.status, body=items)


class Params(dict[str, str]):
    """The parameters of a URL; of a repeated one the first counts, as for every Java servlet."""

    def __init__(self, query: str) -> None:
        self._all = parse_qsl(query, keep_blank_values=True)
        super().__init__(reversed(self._all))

    def every(self, name: str) -> list[str]:
        """All values of a parameter, in order."""
        return [value for known, value in self._all if known == name]


def query_params(request: Request) -> Params:
    """The parameters of the URL of a request."""
    return parse_query(query_string(request))


def query_string(request: Request) -> str:
    """What follows the question mark; clients send bytes that are no ASCII, too."""
    raw: bytes = request.scope["query_string"]
    return raw.decode("utf-8", errors="replace")


def parse_query(text: str) -> Params:
    """Parameters by name."""
    return Params(text)


async def read_body(request: Request) -> bytes:
    """The request body with its content coding removed.

    Raises:
        OrgError: 415 for a coding other than gzip and deflate, 400 for a body that is not what its header says, or is
            more than Salesforce takes.
    """
    json = media_type_of(request.headers) == "application/json"
    content = bytearray()
    async for piece in body_pieces(request):
        content += piece
        if json and len(content) > _multipart.LARGEST_TEXT:
            raise _multipart.text_too_large()
        if len(content) > _LARGEST_BODY:
            raise OrgError(413, "REQUEST_ENTITY_TOO_LARGE", f"The body has more than {_LARGEST_BODY} bytes")
    return bytes(content)


async def body_pieces(request: Request) -> AsyncIterator[bytes]:
    """The request body as it arrives, with its content coding removed.

    https://developer.salesforce.com/docs/platform/api-rest/guide/intro-rest-compression.html

    Raises:
        OrgError: As for ``read_body``.
    """
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity", "gzip", "deflate"):
        raise OrgError(415, "UNSUPPORTED_MEDIA_TYPE", f"Content-Encoding of '{coding}' is not supported")
    unpacker: _Unpacker | None = None if coding in ("", "identity") else _Unpacker(coding)
    async for piece in request.stream():
        if unpacker is None:
            yield piece
        else:
            for unpacked in unpacker.unpack(piece):
                yield unpacked
    if unpacker is not None:
        unpacker.close()


class _Unpacker:
    """Decompresses a body, never holding more than a piece of what becomes of it."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._inner: Any = None

    def unpack(self, piece: bytes) -> Iterator[bytes]:
        if self._inner is None and piece:
            self._inner = zlib.decompressobj(self._window(piece))
        try:
            while piece:
                yield self._inner.decompress(piece, _UNPACKED_AT_ONCE)
                piece = self._inner.unconsumed_tail
        except zlib.error as error:
            raise self._broken(str(error)) from error

    def close(self) -> None:
        if self._inner is None or not self._inner.eof or self._inner.unused_data:
            raise self._broken("it ends too early, or something follows it")

    def _window(self, beginning: bytes) -> int:
        if self._coding == "gzip":
            return zlib.MAX_WBITS | 16
        # "deflate" means zlib by RFC 9110, and raw deflate to many clients.
        return zlib.MAX_WBITS if beginning[:1] == b"\x78" else -zlib.MAX_WBITS

    def _broken(self, reason: str) -> OrgError:
        return OrgError(400, "INVALID_REQUEST", f"The body could not be decompressed as {self._coding}: {reason}")


def render(request: Request, answer: Answer) -> Response:
    """Turn an answer into bytes: JSON (indented on ``X-PrettyPrint: 1``), compressed if the client takes that."""
    headers = {**COMMON_HEADERS, "X-SFDC-Request-Id": secrets.token_hex(16), **answer.headers}
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    if isinstance(answer.body, Path):
        return _FileResponse(answer.body, answer.status, {**headers, "Content-Type": answer.media_type})
    if isinstance(answer.body, Piece):
        packed = "gzip" in request.headers.get("accept-encoding", "")
        return _PieceResponse(answer.body, answer.status, {**headers, "Content-Type": answer.media_type}, packed=packed)
    if isinstance(answer.body, bytes):
        content = answer.body
    else:
        pretty = request.headers.get("x-prettyprint") in ("1", "true")
        content = orjson.dumps(answer.body, option=orjson.OPT_INDENT_2 if pretty else None)
    headers["Content-Type"] = answer.media_type
    headers["Vary"] = "Accept-Encoding"
    if len(content) >= _WORTH_COMPRESSING:
        accepted = request.headers.get("accept-encoding", "")
        if "gzip" in accepted:
            content = gzip.compress(content, compresslevel=1, mtime=0)
            headers["Content-Encoding"] = "gzip"
            if "ETag" in headers:
                headers["ETag"] = headers["ETag"].removesuffix('"') + '--gzip"'
        elif "deflate" in accepted:
            content = zlib.compress(content, level=1)
            headers["Content-Encoding"] = "deflate"
    return Response(content, status_code=answer.status, headers=headers)


class _FileResponse(Response):
    """Sends a file piece by piece."""

    def __init__(self, path: Path, status: int, headers: Mapping[str, str]) -> None:
        self._path = path
        super().__init__(status_code=status, headers={**headers, "Content-Length": str(path.stat().st_size)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # as ASGI has it
        # Opened before anything is sent: from here on the file may be deleted.
        file = self._path.open("rb")
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            file.close()
        else:
            for piece in chunks(file):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class _PieceResponse(Response):
    """Sends a piece of a file as it is read, compressed on the way if the client takes that."""

    def __init__(self, piece: Piece, status: int, headers: Mapping[str, str], *, packed: bool) -> None:
        self._piece = piece
        self._packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16) if packed else None
        coding = {"Content-Encoding": "gzip"} if packed else {}
        super().__init__(status_code=status, headers={**headers, "Vary": "Accept-Encoding", **coding})
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # as ASGI has it
        with ExitStack() as files:
            path = self._piece.path
            file = None if path is None else files.enter_context(path.open("rb"))
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if scope["method"] != "HEAD":
                for part in self._parts(file):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
                    # Lets others have their turn: sending waits for slow readers only.
                    await asyncio.sleep(0)
            await send({"type": "http.response.body", "body": b""})

    def _parts(self, file: BinaryIO | None) -> Iterator[bytes]:
        packer = self._packer
        for part in _read(self._piece, file):
            packed = part if packer is None else packer.compress(part)
            if packed:
                yield packed
        if packer is not None:
            yield packer.flush()


def _read(piece: Piece, file: BinaryIO | None) -> Iterator[bytes]:
    if piece.beginning:
        yield piece.beginning
    if file is None:
        return
    file.seek(piece.start)
    left = math.inf if piece.end is None else piece.end - piece.start
    while left > 0 and (part := file.read(int(min(left, _READ_AT_ONCE)))):
        left -= len(part)
        yield part
