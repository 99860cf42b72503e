"""What came of batches, read as it comes, in each of the three formats.

https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-get-results.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import attrs

from sfconnector._bulk.ingest_errors import parse_error
from sfconnector._bulk_v1 import _xml
from sfconnector._bulk_v1._json_items import items
from sfconnector._csv.read import Rows
from sfconnector._json import loads
from sfconnector.errors import ErrorDetail

# What stands in the place of a CSV without rows: https://github.com/StevenMMortimer/salesforcer/issues/21
NO_RECORDS: Final = "Records not found for this query"


@attrs.frozen
class RowResult:
    """What came of one row of a batch.

    Attributes:
        id: The id of the record; ``None`` where it was not saved.
        success: Whether the record was saved or deleted.
        created: Whether the record is new.
        errors: Why it was not saved, as Salesforce listed it.
    """

    id: str | None
    success: bool
    created: bool
    errors: tuple[ErrorDetail, ...] = ()


def row_results(chunks: Iterable[bytes], data_format: str) -> Iterator[RowResult]:
    """Read the results of a batch of rows, in the order of its rows.

    Raises:
        ValueError: They are not in the format, or end too early.
    """
    return _ROW_RESULTS[data_format](chunks)


def records(chunks: Iterable[bytes], data_format: str) -> Iterator[dict[str, Any]]:
    """Read the records that a query found: of texts in CSV and XML, and as Salesforce sent them in JSON.

    Raises:
        ValueError: They are not in the format, or end too early.
    """
    return _RECORDS[data_format](chunks)


def _csv_results(chunks: Iterable[bytes]) -> Iterator[RowResult]:
    rows = Rows(chunks)
    if rows.columns and rows.columns[:4] != ("Id", "Success", "Created", "Error"):
        raise ValueError("the columns are not those of results")
    for row_id, success, created, error, *_ in rows.lists():
        errors = (parse_error(error),) if error and success != "true" else ()
        yield RowResult(row_id or None, success == "true", created == "true", errors)


def _json_results(chunks: Iterable[bytes]) -> Iterator[RowResult]:
    for result in _json_records(chunks):
        errors = tuple(_json_error(each) for each in result.get("errors") or () if isinstance(each, dict))
        yield RowResult(result.get("id") or None, result.get("success") is True, result.get("created") is True, errors)


def _json_error(error: Mapping[str, Any]) -> ErrorDetail:
    fields = error.get("fields")
    return ErrorDetail(
        str(error.get("statusCode") or ""),
        str(error.get("message") or ""),
        tuple(map(str, fields)) if isinstance(fields, list) else (),
    )


def _xml_results(chunks: Iterable[bytes]) -> Iterator[RowResult]:
    for result in _xml.elements(chunks, 1, "results"):
        if result.name != "result":
            raise ValueError("among the results there is something else")
        told = result.texts()
        errors = tuple(_xml_error(each) for each in result.children if each.name == "errors")
        yield RowResult(told.get("id") or None, told.get("success") == "true", told.get("created") == "true", errors)


def _xml_error(error: _xml.Element) -> ErrorDetail:
    told = error.texts()
    fields = tuple(each.text for each in error.children if each.name == "fields" and each.text)
    return ErrorDetail(told.get("statusCode") or "", told.get("message") or "", fields)


def _csv_records(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    return Rows(chunks).dicts()


def _json_records(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for found in items(chunks):
        # Many at once: decoding each by itself would take twice as long.
        yield from loads(b"[" + b",".join(found) + b"]")


def _xml_records(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for element in _xml.elements(chunks, 1, "queryResult"):
        if element.name == "records":
            yield element.record()


_ROW_RESULTS: Final[dict[str, Callable[[Iterable[bytes]], Iterator[RowResult]]]] = {
    "CSV": _csv_results,
    "JSON": _json_results,
    "XML": _xml_results,
}
_RECORDS: Final[dict[str, Callable[[Iterable[bytes]], Iterator[dict[str, Any]]]]] = {
    "CSV": _csv_records,
    "JSON": _json_records,
    "XML": _xml_records,
}
