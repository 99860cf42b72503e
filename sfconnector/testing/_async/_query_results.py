"""The records that a query has found, as CSV, JSON and XML.

https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-using-bulk-query.html
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, Final

from sfconnector.testing._async import _xml
from sfconnector.testing._bulk._csv import lines
from sfconnector.testing._bulk._query import texts
from sfconnector.testing._schema import Field, Schema
from sfconnector.testing._soql._selection import Cell

_INDENT: Final = "  "


class CsvResult:
    """A line for each row, behind a header."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._header = lines([[cell.path for cell in cells]])
        self._reads = [texts(cell) for cell in cells]

    def next(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """Write the next rows."""
        if not rows:
            return b""
        head, self._header = self._header, []
        return b"".join((*head, *lines([read(row) for read in self._reads] for row in rows)))

    def end(self) -> bytes:
        """Write what follows the last row.

        https://github.com/SFDO-Tooling/CumulusCI/blob/main/cumulusci/tasks/bulkdata/step.py
        """
        return b"Records not found for this query" if self._header else b""


class JsonResult:
    """An array of records, in the layout of the recorded answers."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._moments: dict[str, frozenset[str]] = {}
        self._before = "[ "

    def next(self, records: Iterable[Mapping[str, Any]]) -> bytes:
        """Write the next records."""
        pieces: list[str] = []
        for record in records:
            pieces += (self._before, _pretty(self._timed(record), ""))
            self._before = ", "
        return "".join(pieces).encode()

    def end(self) -> bytes:
        """Write what follows the last record."""
        return b"[ ]" if self._before == "[ " else b" ]"

    def _timed(self, value: Any) -> Any:
        """Turn moments into milliseconds since 1970, as Bulk API 1.0 answers them in JSON and nowhere else.

        https://github.com/simple-salesforce/simple-salesforce/issues/290
        """
        if isinstance(value, list):
            return [self._timed(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        moments = self._moments_of(value["attributes"]["type"]) if "attributes" in value else ()
        return {
            name: _milliseconds(item) if name in moments and item is not None else self._timed(item)
            for name, item in value.items()
        }

    def _moments_of(self, name: str) -> frozenset[str]:
        if name not in self._moments:
            sobject = self._schema.get(name)
            fields = () if sobject is None else sobject.fields.values()
            self._moments[name] = frozenset(field.name for field in fields if field.type in ("date", "datetime"))
        return self._moments[name]


@lru_cache(maxsize=4096)
def _milliseconds(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _pretty(value: Any, indent: str) -> str:
    """Lay out JSON as Salesforce's writer does."""
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict):
        deeper = indent + _INDENT
        members = f",\n{deeper}".join(
            f"{encode_basestring(name)} : {_pretty(item, deeper)}" for name, item in value.items()
        )
        return f"{{\n{deeper}{members}\n{indent}}}"
    if isinstance(value, list):
        return f"[ {', '.join(_pretty(item, indent) for item in value)} ]"
    return json.dumps(value)


class XmlResult:
    """A ``queryResult``; a record has its type and its id before its fields."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._before = f'{_xml.DECLARATION}<queryResult xmlns="{_xml.NAMESPACE}" xmlns:xsi="{_xml.XSI}">'

    def next(self, records: Iterable[Mapping[str, Any]]) -> bytes:
        """Write the next records."""
        head, self._before = self._before, ""
        return "".join((head, *(_record("records", record, self._schema) for record in records))).encode()

    def end(self) -> bytes:
        """Write what follows the last record."""
        return f"{self._before}</queryResult>".encode()


def _record(name: str, record: Mapping[str, Any], schema: Schema) -> str:
    kind = record["attributes"]["type"]
    sobject = schema.get(kind)
    members = [_xml.leaf("type", kind), _member("Id", record.get("Id"), None, schema)]
    for key, value in record.items():
        if key != "attributes":
            members.append(_member(key, value, sobject.field(key) if sobject else None, schema))
    return f'<{name} xsi:type="sObject">{"".join(members)}</{name}>'


def _member(name: str, value: Any, field: Field | None, schema: Schema) -> str:
    match value:
        case None:
            return f'<{name} xsi:nil="true"/>'
        case {"attributes": _}:
            return _record(name, value, schema)
        case {"records": records}:
            children = "".join(_record("records", record, schema) for record in records)
            rest = '<done>true</done><queryLocator xsi:nil="true"/>'
            return f'<{name} xsi:type="QueryResult">{rest}{children}<size>{len(records)}</size></{name}>'
        case bool():
            return _xml.leaf(name, "true" if value else "false")
    text = str(value)
    if field is not None and field.type == "datetime":
        text = f"{text.removesuffix('+0000')}Z"
    return _xml.leaf(name, text)
