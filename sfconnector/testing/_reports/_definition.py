"""A report ready to be run: its metadata checked and understood.

https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_getbasic_reportmetadata.htm
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import attrs

from sfconnector.testing._errors import OrgError
from sfconnector.testing._reports import _filters, _periods
from sfconnector.testing._reports._aggregates import Aggregate, read_aggregate
from sfconnector.testing._reports._logic import Logic
from sfconnector.testing._reports._metadata import report_type
from sfconnector.testing._reports._refusals import bad_request, unsupported
from sfconnector.testing._reports._types import ReportColumn, ReportType, ReportTypes
from sfconnector.testing._soql import Context
from sfconnector.testing._soql._dates import Calendar

_MAXIMUM_COLUMNS: Final = 100
_MAXIMUM_DOWN: Final = {"SUMMARY": 3, "MATRIX": 2}
_MAXIMUM_ACROSS: Final = 2
_MAXIMUM_ROWS: Final = 2_000
_FORMATS: Final = ("TABULAR", "SUMMARY", "MATRIX")
_ORDERS: Final = {"asc": "Asc", "desc": "Desc"}
_UNSUPPORTED: Final = {
    "buckets": "bucket fields",
    "crossFilters": "cross filters",
    "customDetailFormula": "row-level formulas",
    "customSummaryFormula": "summary formulas",
    "division": "divisions",
    "userOrHierarchyFilterId": "role hierarchy filters",
}
# https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/analytics_api_report_example_post_report.htm
_OPEN: Final = {"all": "", "open": "IsClosed = false", "closed": "IsClosed = true", "closedwon": "IsWon = true"}
_PROBABILITY: Final = re.compile(r"(gt|lt)(\d\d?)")


@attrs.frozen(kw_only=True)
class Grouping:
    """A grouping by one column; ``aggregate`` orders the groups where it is not their own value."""

    column: ReportColumn
    granularity: str
    descending: bool
    aggregate: Aggregate | None

    @property
    def metadata(self) -> dict[str, Any]:
        return {
            "dateGranularity": self.granularity,
            "name": self.column.name,
            "sortAggregate": None if self.aggregate is None else self.aggregate.name,
            "sortOrder": "Desc" if self.descending else "Asc",
        }


@attrs.frozen(kw_only=True)
class Definition:
    """A report that can be run; ``metadata`` is what it is made of, as it is answered.

    Args:
        conditions: SOQL; all of them hold for the records of the report.
        sort: the column that orders the rows, and whether from the last to the first.
        row_limit: how many records take part.
    """

    type: ReportType
    metadata: Mapping[str, Any] = attrs.field(repr=False)
    columns: tuple[ReportColumn, ...]
    aggregates: tuple[Aggregate, ...]
    down: tuple[Grouping, ...]
    across: tuple[Grouping, ...]
    conditions: tuple[str, ...]
    sort: tuple[ReportColumn, bool] | None
    row_limit: int | None

    @property
    def format(self) -> str:
        return str(self.metadata["reportFormat"])


def define(given: Mapping[str, Any], types: ReportTypes, context: Context) -> Definition:
    """Check complete metadata and understand it.

    Raises:
        OrgError: 400 for what is wrong with it, 501 for what the local org cannot do.
    """
    type_ = report_type(given, types)
    metadata = {**given, "reportType": {"label": type_.label, "type": type_.name}}
    _check_support(metadata)
    aggregates = tuple(read_aggregate(name, type_) for name in metadata["aggregates"] or ())
    columns = tuple(_column(type_, name) for name in metadata["detailColumns"] or ())
    down = _groupings(type_, metadata["groupingsDown"], aggregates)
    across = _groupings(type_, metadata["groupingsAcross"], aggregates)
    metadata |= {
        "aggregates": [aggregate.name for aggregate in aggregates],
        "detailColumns": [column.name for column in columns],
        "groupingsDown": [grouping.metadata for grouping in down],
        "groupingsAcross": [grouping.metadata for grouping in across],
        "reportFormat": _format(down, across),
    }
    _check_columns(metadata)
    conditions, logic = _custom_filters(type_, metadata, context.calendar)
    metadata["reportBooleanFilter"] = logic
    metadata["standardDateFilter"], dates = _date_filter(type_, metadata["standardDateFilter"], context)
    return Definition(
        type=type_,
        metadata=metadata,
        columns=columns,
        aggregates=aggregates,
        down=down,
        across=across,
        conditions=(*conditions, *dates, *_standard_filters(type_, metadata), *_scope(type_, metadata, context)),
        sort=_sort(type_, metadata),
        row_limit=_row_limit(metadata),
    )


def _check_support(metadata: Mapping[str, Any]) -> None:
    if metadata["reportFormat"] not in _FORMATS:
        raise OrgError(501, "NOT_IMPLEMENTED", "You’re requesting data for an unsupported report format.")
    for key, what in _UNSUPPORTED.items():
        if metadata.get(key):
            raise unsupported(what)


def _check_columns(metadata: Mapping[str, Any]) -> None:
    summaries = [name for name in metadata["aggregates"] if name != "RowCount"]
    if len(metadata["detailColumns"]) + len(summaries) > _MAXIMUM_COLUMNS:
        raise bad_request(
            "Only a report with fewer than 100 columns can be run. The columns are fields specified as detail "
            "columns, summaries, or custom summary formulas. Remove unneeded columns from the report and try again."
        )
    if not metadata["detailColumns"] and metadata["reportFormat"] == "TABULAR":
        raise bad_request(
            "Can’t run the report because it doesn’t have any columns selected. Be sure to add fields as columns to "
            "the report through the user interface."
        )


def _column(type_: ReportType, name: Any) -> ReportColumn:
    column = type_.column(name) if isinstance(name, str) else None
    if column is None:
        raise bad_request(f"The column {name} is invalid.")
    return column


def _groupings(type_: ReportType, entries: Any, aggregates: Sequence[Aggregate]) -> tuple[Grouping, ...]:
    return tuple(_grouping(type_, entry, aggregates) for entry in entries or ())


def _grouping(type_: ReportType, entry: Mapping[str, Any], aggregates: Sequence[Aggregate]) -> Grouping:
    column = _column(type_, entry.get("name"))
    granularity = entry.get("dateGranularity") or _periods.NONE
    if granularity not in _periods.GRANULARITIES or (
        granularity != _periods.NONE and column.data_type not in ("date", "datetime")
    ):
        raise bad_request(f"The date granularity {granularity} is invalid for the column {column.name}.")
    if column.data_type == "textarea" and column.field.length > 255:
        raise bad_request(f"The column {column.name} cannot be grouped.")
    wanted = entry.get("sortAggregate")
    aggregate = next((one for one in aggregates if one.name == wanted), None)
    if wanted is not None and aggregate is None:
        raise bad_request(f"The summary {wanted} is invalid.")
    return Grouping(
        column=column,
        granularity=granularity,
        descending=_order(entry.get("sortOrder")) == "Desc",
        aggregate=aggregate,
    )


def _format(down: Sequence[Grouping], across: Sequence[Grouping]) -> str:
    """The format that the groupings make; what the client calls it has no say."""
    names = [grouping.column.name for grouping in (*down, *across)]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise bad_request(f"The column {repeated} can be grouped only once.")
    if not down and not across:
        return "TABULAR"
    format_ = "MATRIX" if across else "SUMMARY"
    if not down:
        raise bad_request("A matrix report has at least one row grouping and one column grouping.")
    if len(down) > _MAXIMUM_DOWN[format_] or len(across) > _MAXIMUM_ACROSS:
        raise bad_request(
            "A summary report has up to three row groupings, a matrix report up to two row groupings and two column "
            "groupings."
        )
    return format_


def _custom_filters(type_: ReportType, metadata: Mapping[str, Any], calendar: Calendar) -> tuple[list[str], str | None]:
    entries = metadata["reportFilters"]
    if len(entries) > _filters.MAXIMUM:
        raise bad_request(f"A report has up to {_filters.MAXIMUM} filters.")
    conditions = [_filters.condition(entry, type_, calendar) for entry in entries]
    text = metadata["reportBooleanFilter"]
    if text is None or not text.strip():
        return conditions, None
    logic = Logic(text, conditions)
    return [logic.soql], logic.text


def _date_filter(
    type_: ReportType, given: Mapping[str, Any] | None, context: Context
) -> tuple[dict[str, Any] | None, list[str]]:
    """Complete the standard date filter with its days, and turn it into SOQL."""
    if given is None or given.get("column") is None:
        return (None if given is None else dict(given)), []
    name = given["column"]
    column = type_.column(name) if isinstance(name, str) else None
    if column is None:
        raise bad_request(f"The column {name} specified for the standard date filter is invalid.")
    if column.data_type not in ("date", "datetime"):
        raise bad_request(f"The column {name} cannot be a standard date filter because it is not a date column.")
    span = _span(given, column, context)
    written = {
        "column": column.name,
        "durationValue": given.get("durationValue") or _periods.CUSTOM,
        "endDate": None if span.end is None else span.end.isoformat(),
        "startDate": None if span.start is None else span.start.isoformat(),
    }
    return written, _within(column, span, context.calendar)


def _span(given: Mapping[str, Any], column: ReportColumn, context: Context) -> _periods.Span:
    duration = given.get("durationValue") or _periods.CUSTOM
    if duration != _periods.CUSTOM:
        try:
            span = _periods.span(str(duration), context.calendar)
        except OverflowError:
            raise bad_request("The date formula is too large. Specify a reasonable value.") from None
        if span is None:
            raise bad_request(f"The duration {duration} specified for the standard date filter is invalid.")
        return span
    return _periods.Span(_bound(given, "startDate", column), _bound(given, "endDate", column))


def _bound(given: Mapping[str, Any], key: str, column: ReportColumn) -> date | None:
    text = given.get(key)
    if text is None or text == "":
        return None
    try:
        # Clients write a time behind it, which has no say.
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        side = key.removesuffix("Date")
        raise bad_request(
            f"The specified {side} date of {column.name} specified for the standard date filter is invalid."
        ) from None


def _within(column: ReportColumn, span: _periods.Span, calendar: Calendar) -> list[str]:
    if column.data_type == "date":
        bounds = ((">=", span.start), ("<=", span.end))
        return [f"{column.path} {sign} {day}" for sign, day in bounds if day is not None]
    following = None if span.end is None else span.end + timedelta(days=1)
    instants = ((">=", span.start), ("<", following))
    return [f"{column.path} {sign} {_filters.midnight(day, calendar)}" for sign, day in instants if day is not None]


def _standard_filters(type_: ReportType, metadata: Mapping[str, Any]) -> list[str]:
    conditions = []
    for entry in metadata["standardFilters"] or ():
        name, value = entry.get("name"), entry.get("value")
        usual = type_.standard_filters.get(str(name))
        if usual is None:
            raise unsupported(f"the standard filter {name}")
        if name == "open" and str(value) in _OPEN:
            conditions.append(_OPEN[str(value)])
        elif name == "probability" and (match := _PROBABILITY.fullmatch(str(value))):
            conditions.append(f"Probability {'>' if match[1] == 'gt' else '<'} {match[2]}")
        elif value != usual:
            raise bad_request(f"The value {value} of the standard filter {name} is invalid.")
    return [condition for condition in conditions if condition]


def _scope(type_: ReportType, metadata: Mapping[str, Any], context: Context) -> list[str]:
    scope = metadata["scope"] or "organization"
    if scope == "organization" or (scope == "user" and "OwnerId" not in type_.sobject.fields):
        return []
    if scope != "user":
        raise unsupported(f"the scope {scope}")
    return [f"OwnerId = {_filters.quoted(context.user_id)}"]


def _sort(type_: ReportType, metadata: Mapping[str, Any]) -> tuple[ReportColumn, bool] | None:
    entries = metadata["sortBy"] or []
    if not entries:
        return None
    if len(entries) > 1:
        raise bad_request("A report can only be sorted by one column.")
    if metadata["reportFormat"] == "MATRIX":
        raise bad_request("Column sorting isn’t supported for matrix reports.")
    entry = entries[0]
    name = entry.get("sortColumn")
    if name is None:
        raise bad_request("The sort column name can’t be null.")
    column = type_.column(name) if isinstance(name, str) else None
    if column is None or column.name not in metadata["detailColumns"]:
        raise bad_request("The sort column name must be from a selected column.")
    # With a row limit, its direction decides which rows are the first.
    order = (metadata["topRows"] or {}).get("direction") or entry.get("sortOrder")
    return column, _order(order) == "Desc"


def _order(given: Any) -> str:
    order = _ORDERS.get(str(given or "asc").lower())
    if order is None:
        raise bad_request(f"The sort order {given} is invalid.")
    return order


def _row_limit(metadata: Mapping[str, Any]) -> int | None:
    rows = metadata["topRows"]
    if rows is None:
        return None
    limit = rows.get("rowLimit")
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= _MAXIMUM_ROWS:
        raise bad_request(f"The row limit {limit} is invalid.")
    _order(rows.get("direction"))
    return limit
