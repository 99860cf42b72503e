"""Summaries of a report: the number of records, sums, averages, extremes, unique counts.

https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_getbasic_reportmetadata.htm
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs

from sfconnector.testing._reports._labels import NOTHING, Shown, look_up, number_label, plain
from sfconnector.testing._reports._refusals import bad_request
from sfconnector.testing._reports._types import ReportColumn, ReportType
from sfconnector.testing._soql import Context

ROW_COUNT: Final = "RowCount"
# ``x!`` is what the guide calls the maximum, ``mx!`` what reports are saved with.
_LABELS: Final = {
    "s": "Sum of {}",
    "a": "Average {}",
    "mx": "Largest {}",
    "x": "Largest {}",
    "m": "Smallest {}",
    "u": "Unique Count of {}",
}
_REDUCE: Final[Mapping[str, Callable[[Sequence[Any]], Any]]] = {
    "s": math.fsum,
    "a": lambda values: math.fsum(values) / len(values) if values else None,
    "mx": lambda values: max(values, default=None),
    "x": lambda values: max(values, default=None),
    "m": lambda values: min(values, default=None),
    "u": lambda values: len(set(values)),
}


@attrs.frozen
class Aggregate:
    """A summary; ``column`` is ``None`` for the number of records."""

    name: str
    kind: str = ""
    column: ReportColumn | None = None

    @property
    def label(self) -> str:
        return "Record Count" if self.column is None else _LABELS[self.kind].format(self.column.label)

    @property
    def data_type(self) -> str:
        if self.column is None or self.kind == "u":
            return "int"
        return "double" if self.kind == "a" and self.column.data_type == "int" else self.column.data_type

    def over(self, records: Sequence[Mapping[str, Any]], context: Context) -> Shown:
        """Sum up records, as SOQL answered them; nulls take no part."""
        if self.column is None:
            return Shown(len(records), f"{len(records):,}", (len(records),))
        found = (look_up(record, self.column.path) for record in records)
        number = _REDUCE[self.kind]([value for value in found if value is not None])
        if number is None:
            return Shown(None, NOTHING, ())
        number = plain(number)
        return Shown(number, number_label(self.column.field, number, self.data_type, context), (number,))

    @property
    def info(self) -> dict[str, Any]:
        """Its entry in ``aggregateColumnInfo``; the contexts are those of summary formulas."""
        return {
            "acrossGroupingContext": None,
            "dataType": self.data_type,
            "downGroupingContext": None,
            "label": self.label,
        }


def read_aggregate(name: Any, type_: ReportType) -> Aggregate:
    """Understand the identity of a summary, such as ``s!AMOUNT``.

    Raises:
        OrgError: 400 for a column that is not there or cannot be summed up.
    """
    if name == ROW_COUNT:
        return Aggregate(ROW_COUNT)
    kind, mark, column_name = str(name).partition("!")
    column = type_.column(column_name) if mark else None
    if column is None or kind not in _LABELS or (kind != "u" and not column.numeric):
        raise bad_request(f"The summary {name} is invalid.")
    return Aggregate(f"{kind}!{column.name}", kind, column)
