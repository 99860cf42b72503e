"""What became of the records of a batch, in their order, as CSV, JSON and XML.

https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-get-results.html
"""

from collections.abc import Sequence
from typing import Any, Final

import orjson

from sfconnector.testing._async import _xml
from sfconnector.testing._async._formats import DataFormat
from sfconnector.testing._bulk._csv import lines
from sfconnector.testing._bulk._load import Outcome
from sfconnector.testing._errors import OrgErrorItem

_HEADER: Final = ("Id", "Success", "Created", "Error")


class CsvOutcomes:
    """A line for each record."""

    def __init__(self) -> None:
        self._before = lines([_HEADER])

    def next(self, outcomes: Sequence[Outcome]) -> bytes:
        """Write the next outcomes."""
        rows = [
            ("" if outcome.error else outcome.id, _flag(not outcome.error), _flag(outcome.created), outcome.error_text)
            for outcome in outcomes
        ]
        head, self._before = self._before, []
        return b"".join((*head, *lines(rows)))

    def end(self) -> bytes:
        """Write what follows the last outcome."""
        return b"".join(self._before)


class JsonOutcomes:
    """An array with an object for each record."""

    def __init__(self) -> None:
        self._before = b"["

    def next(self, outcomes: Sequence[Outcome]) -> bytes:
        """Write the next outcomes."""
        pieces: list[bytes] = []
        for outcome in outcomes:
            pieces += (self._before, orjson.dumps(_json(outcome)))
            self._before = b","
        return b"".join(pieces)

    def end(self) -> bytes:
        """Write what follows the last outcome."""
        return b"[]" if self._before == b"[" else b"]"


class XmlOutcomes:
    """A ``result`` for each record."""

    def __init__(self) -> None:
        self._before = f'{_xml.DECLARATION}<results xmlns="{_xml.NAMESPACE}">\n'

    def next(self, outcomes: Sequence[Outcome]) -> bytes:
        """Write the next outcomes."""
        head, self._before = self._before, ""
        return "".join((head, *map(_xml_result, outcomes))).encode()

    def end(self) -> bytes:
        """Write what follows the last outcome."""
        return f"{self._before}</results>".encode()


def writer(data_format: DataFormat) -> CsvOutcomes | JsonOutcomes | XmlOutcomes:
    """Make what writes outcomes in a format."""
    match data_format:
        case "CSV":
            return CsvOutcomes()
        case "JSON":
            return JsonOutcomes()
        case "XML":
            return XmlOutcomes()


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _errors(outcome: Outcome) -> Sequence[OrgErrorItem]:
    return () if outcome.error is None else outcome.error.items


def _json(outcome: Outcome) -> dict[str, Any]:
    return {
        "success": outcome.error is None,
        "created": outcome.created,
        "id": None if outcome.error is not None else outcome.id,
        "errors": [
            {
                "message": item.message,
                "fields": list(item.fields or ()),
                "statusCode": item.code,
                "extendedErrorDetails": None,
            }
            for item in _errors(outcome)
        ],
    }


def _xml_result(outcome: Outcome) -> str:
    errors = "".join(
        "<errors>"
        + "".join(_xml.leaf("fields", name) for name in item.fields or ())
        + f"{_xml.leaf('message', item.message)}{_xml.leaf('statusCode', item.code)}</errors>"
        for item in _errors(outcome)
    )
    known = "" if outcome.error is not None else _xml.leaf("id", outcome.id)
    rest = f"{_xml.leaf('success', _flag(outcome.error is None))}{_xml.leaf('created', _flag(outcome.created))}"
    return f"  <result>\n    {errors}{known}{rest}\n  </result>\n"
