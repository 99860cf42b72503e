"""How a report shows a value: the label beside it, in the locale and the time zone of the user.

https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_getreportrundata.htm
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from sfconnector.testing._reports._types import ReportColumn
from sfconnector.testing._schema import Field
from sfconnector.testing._soql import Context
from sfconnector.testing._soql._format import formatter

NOTHING = "-"
_FISCAL = re.compile(r"(\d{4}) (\d)")


@attrs.frozen
class Shown:
    """A value with its label, and the key by which it sorts."""

    value: Any
    label: str
    key: tuple[Any, ...] = ()

    @property
    def cell(self) -> dict[str, Any]:
        return {"label": self.label, "value": self.value}


def show(column: ReportColumn, record: Mapping[str, Any], context: Context) -> Shown:
    """Show one column of one record, as SOQL answered it."""
    stored = look_up(record, column.path)
    if stored is None:
        return Shown(None, NOTHING)
    shown = _show(column, stored, context)
    if column.id_path is None:
        return shown
    # Whatever is a link in a report has the id behind the link for its value.
    return attrs.evolve(shown, value=look_up(record, column.id_path))


def look_up(record: Mapping[str, Any], path: str) -> Any:
    """Read a value through parents; null where one of them is missing."""
    value: Any = record
    for name in path.split("."):
        value = None if value is None else value[name]
    return value


def plain(number: float) -> float | int:
    """Write a whole number without a fraction, as Salesforce does."""
    return int(number) if float(number).is_integer() else number


def number_label(field: Field, number: float, data_type: str, context: Context) -> str:
    """Write a number with its scale, its thousands apart, and its unit."""
    # Rounded first, because nothing is less than nothing.
    scale = 0 if data_type == "int" else field.scale
    return formatter(data_type, scale, context)(round(number, scale) or 0)


def _show(column: ReportColumn, stored: Any, context: Context) -> Shown:
    field = column.field
    match kind := "text" if column.id_path else column.data_type:
        case "boolean":
            return Shown(stored, "true" if stored else "false", (stored,))
        case "currency":
            amount = plain(stored)
            return Shown({"amount": amount, "currency": None}, number_label(field, stored, kind, context), (stored,))
        case "int" | "double" | "percent":
            return Shown(plain(stored), number_label(field, stored, kind, context), (stored,))
        case "date" | "time":
            return Shown(stored, formatter(kind, 0, context)(stored), (stored,))
        case "datetime":
            return _datetime(column, stored, context)
        case "picklist":
            return _picklist(field, stored)
        case "multipicklist":
            labels = (_picklist(field, value).label for value in stored.split(";"))
            return Shown(stored, "; ".join(labels), (stored.upper(),))
        case "id":
            # A report writes the 15 characters of old.
            return Shown(stored, stored[:15], (stored,))
    if column.mark == "fiscal" and (match := _FISCAL.fullmatch(stored)):
        quarter = f"Q{match[2]}-{match[1]}"
        return Shown(quarter, quarter, (stored,))
    text = str(stored).replace("\r\n", "\n").replace("\n", "<br>")
    return Shown(text, text, (text.upper(),))


def _datetime(column: ReportColumn, stored: str, context: Context) -> Shown:
    moment = datetime.fromisoformat(stored)
    if column.mark == "day":
        day = moment.astimezone(context.timezone).date().isoformat()
        return Shown(day, formatter("date", 0, context)(day), (day,))
    return Shown(f"{moment:%Y-%m-%dT%H:%M:%S}Z", formatter("datetime", 0, context)(stored), (stored,))


def _picklist(field: Field, stored: str) -> Shown:
    """Values sort as they are defined; one that is not defined comes after them."""
    for rank, value in enumerate(field.picklist_values):
        if value.value == stored:
            return Shown(stored, value.label or stored, (rank, ""))
    return Shown(stored, stored, (len(field.picklist_values), stored.upper()))
