"""What Salesforce answers about batches, read as it comes; its beginning tells in which format it is."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from itertools import chain
from typing import Any, Final, NamedTuple

from sfconnector_generated.bulk_v1.api.batch import get_batch_request
from sfconnector_generated.bulk_v1.api.result import get_batch_result, get_query_result
from sfconnector_generated.client import Request

from sfconnector._bulk.download import Download
from sfconnector._bulk_v1 import _xml
from sfconnector._bulk_v1._results import RowResult, records, row_results
from sfconnector._bulk_v1._zips import MOST_UNZIPPED, REQUEST
from sfconnector._json import loads
from sfconnector._session import Seconds, Session

_MARK: Final = b"\xef\xbb\xbf"
_ZIP: Final = b"PK\x03\x04"
# Comments and declarations begin with another character.
_ROOT: Final = re.compile(rb"<(?:[\w.-]+:)?([\w.-]+)[\s/>]")
# No answer has more in front of what tells its kind.
_LONGEST_HEAD: Final = 1 << 12


class Arriving(NamedTuple):
    """An answer of which the beginning has come.

    Attributes:
        data_format: ``"CSV"``, ``"JSON"``, ``"XML"`` or ``"ZIP"``.
        is_list: Whether it lists the ids of results.
        chunks: All of it.
    """

    data_format: str
    is_list: bool
    chunks: Iterable[bytes]


def read_result(
    session: Session, job_id: str, batch_id: str, timeout: Seconds = None
) -> Iterator[RowResult | dict[str, Any]]:
    """Read what came of a batch: the result of each row, or the records of all results of a query."""
    with _arriving(session, get_batch_result.build(job_id, batch_id), timeout) as found:
        if not found.is_list:
            yield from row_results(found.chunks, found.data_format)
            return
        ids = _result_ids(found)
    for result_id in ids:
        yield from read_records(session, job_id, batch_id, result_id, timeout)


def read_row_results(session: Session, job_id: str, batch_id: str, timeout: Seconds = None) -> Iterator[RowResult]:
    """Read the result of each row of a batch."""
    with _arriving(session, get_batch_result.build(job_id, batch_id), timeout) as found:
        yield from row_results(found.chunks, found.data_format)


def result_ids(session: Session, job_id: str, batch_id: str, timeout: Seconds = None) -> list[str]:
    """List the results of a batch of a query."""
    with _arriving(session, get_batch_result.build(job_id, batch_id), timeout) as found:
        return _result_ids(found)


def read_records(
    session: Session, job_id: str, batch_id: str, result_id: str, timeout: Seconds = None
) -> Iterator[dict[str, Any]]:
    """Read the records of one result of a query."""
    with _arriving(session, get_query_result.build(job_id, batch_id, result_id), timeout) as found:
        yield from records(found.chunks, found.data_format)


@contextmanager
def result_text(
    session: Session, job_id: str, batch_id: str, result_id: str, timeout: Seconds = None
) -> Iterator[Arriving]:
    """Open one result of a query as it is."""
    with _arriving(session, get_query_result.build(job_id, batch_id, result_id), timeout) as found:
        yield found


def read_request(session: Session, job_id: str, batch_id: str, timeout: Seconds = None) -> str:
    """Give what was sent as a batch, which is no larger than a batch may be, as text."""
    with _arriving(session, get_batch_request.build(job_id, batch_id), timeout) as found:
        return _plain(found, b"".join(found.chunks)).decode("utf-8-sig")


def read_rows(session: Session, job_id: str, batch_id: str, timeout: Seconds = None) -> Generator[dict[str, Any]]:
    """Read the rows that were sent as a batch: of texts in CSV and XML."""
    with _arriving(session, get_batch_request.build(job_id, batch_id), timeout) as found:
        chunks, data_format = found.chunks, found.data_format
        if data_format == "ZIP":
            text = _plain(found, b"".join(chunks))
            chunks, data_format = [text], _kind(text).data_format
        yield from rows_in(chunks, data_format)


def rows_in(chunks: Iterable[bytes], data_format: str) -> Iterator[dict[str, Any]]:
    """Read rows as they are sent.

    Raises:
        ValueError: They are not in the format, or end too early.
    """
    if data_format != "XML":
        yield from records(chunks, data_format)
        return
    for element in _xml.elements(chunks, 1, "sObjects"):
        yield {name: _parent(value) for name, value in element.record().items()}


def _parent(value: Any) -> Any:
    """Give a parent as JSON has it, for which XML has an element more, and another one for its object."""
    if not isinstance(value, dict) or not isinstance(fields := value.get("sObject"), dict):
        return value
    kind = fields.get("type")
    rest = {name: _parent(each) for name, each in fields.items() if name != "type"}
    return rest if kind is None else {"attributes": {"type": kind}, **rest}


def _plain(found: Arriving, text: bytes) -> bytes:
    if found.data_format != "ZIP":
        return text
    try:
        with zipfile.ZipFile(BytesIO(text)) as archive:
            info = archive.getinfo(REQUEST)
            if info.file_size > MOST_UNZIPPED:
                raise ValueError(f"{REQUEST} has more bytes than a batch may have")
            # No more comes than the directory of the archive says.
            return archive.read(info)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, RuntimeError) as error:
        raise ValueError(f"the zip file has no {REQUEST} that could be read") from error


def _result_ids(found: Arriving) -> list[str]:
    ids: Any = None
    if found.data_format == "XML":
        ids = [each.text for each in _xml.elements(found.chunks, 1, "result-list")]
    elif found.data_format == "JSON":
        ids = loads(b"".join(found.chunks) or b"[]")
    if not isinstance(ids, list) or not all(isinstance(each, str) and each for each in ids):
        raise ValueError("a list of the ids of results was expected")
    if len(set(ids)) < len(ids):
        raise ValueError("a result is listed twice")
    return ids


@contextmanager
def _arriving(session: Session, request: Request, timeout: Seconds) -> Iterator[Arriving]:
    """Ask for an answer and look at its beginning.

    Raises:
        ApiError, TransportError: It did not come.
        InvalidResponseError: It is not in the format that it begins in.
    """
    with closing(Download(session, request, timeout=timeout)) as download:
        # Closed here, and not by chance, where the rest of it is never read.
        pieces = iter(download)
        head = b""
        while not _is_told(head) and (piece := next(pieces, None)) is not None:
            head += piece
        try:
            yield _kind(head)._replace(chunks=chain([head], pieces))
        except ValueError as error:
            raise download.answer.invalid(f"the answer is not what it should be: {error}") from error


def _is_told(head: bytes) -> bool:
    text = head.removeprefix(_MARK).lstrip()
    if len(head) > _LONGEST_HEAD:
        return True
    if text.startswith(b"<"):
        return _ROOT.search(text) is not None
    return len(text) > len(_ZIP) and (not text.startswith(b"[") or bool(text[1:].strip()))


def _kind(head: bytes) -> Arriving:
    text = head.removeprefix(_MARK).lstrip()
    if text.startswith(_ZIP):
        return Arriving("ZIP", False, ())
    if text.startswith(b"<"):
        root = _ROOT.search(text)
        return Arriving("XML", root is not None and root[1] == b"result-list", ())
    if text.startswith(b"["):
        return Arriving("JSON", text[1:].lstrip().startswith(b'"'), ())
    return Arriving("CSV", False, ())
