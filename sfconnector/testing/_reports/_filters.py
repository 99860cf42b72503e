"""Filters of a report, as conditions of SOQL.

https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_filter_reportdata.htm
https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/analytics_api_filteroperators_reference_list.htm
"""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from sfconnector.testing import _ids
from sfconnector.testing._errors import OrgError
from sfconnector.testing._reports._periods import is_literal
from sfconnector.testing._reports._refusals import bad_request, unsupported
from sfconnector.testing._reports._types import ReportColumn, ReportType
from sfconnector.testing._soql._dates import Calendar

MAXIMUM: Final = 20
# API name and label of each operator.
_LABELS: Final = {
    "equals": "equals",
    "notEqual": "not equal to",
    "lessThan": "less than",
    "greaterThan": "greater than",
    "lessOrEqual": "less or equal",
    "greaterOrEqual": "greater or equal",
    "contains": "contains",
    "notContain": "does not contain",
    "startsWith": "starts with",
    "includes": "includes",
    "excludes": "excludes",
}
_EQUALITY: Final = ("equals", "notEqual")
_ORDER: Final = (*_EQUALITY, "lessThan", "greaterThan", "lessOrEqual", "greaterOrEqual")
_TEXT: Final = (*_ORDER, "contains", "notContain", "startsWith")
OPERATORS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("date", "datetime", "double", "percent", "int", "currency"), _ORDER),
    **dict.fromkeys(("string", "picklist", "textarea", "url", "phone", "email"), _TEXT),
    **dict.fromkeys(("boolean", "reference"), _EQUALITY),
    "id": (*_EQUALITY, "startsWith"),
    "multipicklist": (*_EQUALITY, "includes", "excludes"),
}
_SIGNS: Final = {"lessThan": "<", "greaterThan": ">", "lessOrEqual": "<=", "greaterOrEqual": ">="}
_THOUSANDS: Final = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_US_DATE: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?Z)?")
_BOOLEANS: Final = {"true": "true", "1": "true", "false": "false", "0": "false"}
_WRONG_DATE: Final = (
    "Filter the date in the correct format. Accepted formats are yyyy-MM-dd'T'HH:mm:ss'Z' and yyyy-MM-dd."
)


def operator_map() -> dict[str, list[dict[str, str]]]:
    """The operators by data type, as ``/analytics/filteroperators`` answers them."""
    return {kind: [{"label": _LABELS[name], "name": name} for name in names] for kind, names in OPERATORS.items()}


def condition(entry: Mapping[str, Any], type_: ReportType, calendar: Calendar) -> str:
    """Turn one of ``reportFilters`` into SOQL; ``calendar`` tells when a day begins for the user.

    Raises:
        OrgError: 400 for a column, operator or value that does not fit, 501 for a comparison of two fields.
    """
    name, operator = entry.get("column"), entry.get("operator")
    column = type_.column(name) if isinstance(name, str) else None
    if column is None or not column.filterable:
        raise bad_request(f"Specify a valid filterable column because {name} is invalid.")
    if operator not in OPERATORS.get(column.data_type, ()):
        raise bad_request(f"Specify a valid condition because {operator} is invalid.")
    kind = entry.get("filterType")
    if kind == "fieldToField":
        raise unsupported("filters that compare two fields")
    if kind not in (None, "fieldValue"):
        raise bad_request(f"The filter type {kind} is invalid.")
    return _compare(column, str(operator), _values(column, entry.get("value")), calendar)


def quoted(text: str) -> str:
    """Write a text as a literal of SOQL."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def midnight(day: date, calendar: Calendar) -> str:
    """Write the instant at which a day begins for the user."""
    return f"{calendar.midnight(day):%Y-%m-%dT%H:%M:%SZ}"


def _compare(column: ReportColumn, operator: str, values: Sequence[str | None], calendar: Calendar) -> str:
    if operator == "notEqual":
        return f"(NOT {_any(values, lambda value: _equal(column, value, calendar))})"
    if operator == "equals":
        return _any(values, lambda value: _equal(column, value, calendar))
    if operator in ("includes", "excludes"):
        listed = ", ".join(_literal(column, value or "") for value in values)
        return f"{column.path} {operator.upper()} ({listed})"
    if operator in _SIGNS:
        return _any(values, lambda value: _ordered(column, operator, value, calendar))
    if column.data_type == "id":
        raise unsupported("the operator startsWith for ids")
    before = "" if operator == "startsWith" else "%"
    found = _any(values, lambda value: f"{column.path} LIKE '{before}{_pattern(value or '')}%'")
    return f"(NOT {found})" if operator == "notContain" else found


def _any(values: Sequence[str | None], make: Callable[[str | None], str]) -> str:
    return f"({' OR '.join(map(make, values))})"


def _equal(column: ReportColumn, value: str | None, calendar: Calendar) -> str:
    if value is None:
        return f"{column.path} = null"
    if column.data_type == "datetime" and (day := _day(value)) is not None:
        start, end = (midnight(one, calendar) for one in (day, day + timedelta(days=1)))
        return f"({column.path} >= {start} AND {column.path} < {end})"
    return f"{column.path} = {_literal(column, value)}"


def _ordered(column: ReportColumn, operator: str, value: str | None, calendar: Calendar) -> str:
    sign = _SIGNS[operator]
    if value is None:
        # Nothing is less or greater than nothing.
        return "(Id = null)"
    if column.data_type == "datetime" and (day := _day(value)) is not None:
        if column.mark == "day" and operator in ("greaterThan", "lessOrEqual"):
            # Where a column shows days only, the whole day is on one side.
            sign, day = {"greaterThan": ">=", "lessOrEqual": "<"}[operator], day + timedelta(days=1)
        return f"{column.path} {sign} {midnight(day, calendar)}"
    return f"{column.path} {sign} {_literal(column, value)}"


def _literal(column: ReportColumn, value: str) -> str:
    match column.data_type:
        case "boolean":
            if value.lower() not in _BOOLEANS:
                raise _wrong_value(column, value)
            return _BOOLEANS[value.lower()]
        case "int" | "double" | "currency" | "percent":
            return _number(column, value)
        case "date" | "datetime":
            return _moment(column, value)
        case "id":
            return _record_id(value)
        case "picklist" | "multipicklist":
            by_label = {known.label: known.value for known in column.field.picklist_values}
            return quoted(by_label.get(value, value))
    return quoted(value)


def _number(column: ReportColumn, value: str) -> str:
    try:
        number = Decimal(value.replace(",", ""))
    except InvalidOperation:
        raise _wrong_value(column, value) from None
    if not number.is_finite():
        raise _wrong_value(column, value)
    return f"{number:f}"


def _moment(column: ReportColumn, value: str) -> str:
    if is_literal(value):
        return value.upper()
    day = _day(value)
    if day is not None:
        return day.isoformat()
    if not _ISO.fullmatch(value):
        raise bad_request(_WRONG_DATE)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise bad_request(_WRONG_DATE) from None
    return moment.date().isoformat() if column.data_type == "date" else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _day(value: str) -> date | None:
    """A day without a time, written ``2015-08-08`` or ``8/8/2015``."""
    match = _US_DATE.fullmatch(value)
    text = f"{match[3]}-{int(match[1]):02}-{int(match[2]):02}" if match else value
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        raise bad_request(_WRONG_DATE) from None


def _record_id(value: str) -> str:
    if _ids.normalize(value) is None:
        raise bad_request(
            f"The filter value for ID {value} is incorrect. Specify an ID that is 15 or 18 characters long, such as "
            "006D000000CrRLw or 005U0000000Rg2CIAS."
        )
    return quoted(value)


def _pattern(value: str) -> str:
    """Write a text inside a pattern of LIKE."""
    return re.sub("[%_]", r"\\\g<0>", quoted(value)[1:-1])


def _values(column: ReportColumn, value: Any) -> list[str | None]:
    """Split the values, which commas separate and double quotes hold together; no value is null."""
    text = "" if value is None else str(value).strip()
    if not text:
        return [None]
    if column.numeric and _THOUSANDS.fullmatch(text):
        return [text]
    values = [part.strip() for part in next(csv.reader([text.replace("\n", " ")], skipinitialspace=True))]
    return [part or None for part in values]


def _wrong_value(column: ReportColumn, value: str) -> OrgError:
    return bad_request(f"The filter value {value} is invalid for the column {column.name}.")
