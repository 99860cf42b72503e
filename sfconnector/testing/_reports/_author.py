"""A report as a test author describes it: by field names as well as by the names of columns."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from sfconnector.testing._errors import OrgError
from sfconnector.testing._reports import _metadata, _periods
from sfconnector.testing._reports._definition import define
from sfconnector.testing._reports._types import ReportColumn, ReportType, ReportTypes
from sfconnector.testing._running_user import query_context
from sfconnector.testing._schema import Schema
from sfconnector.testing._store import Store

GroupingLike: TypeAlias = str | tuple[str, str]
FilterLike: TypeAlias = tuple[str, str, object]
DateFilterLike: TypeAlias = tuple[str, str] | tuple[str, object, object]


def compose(
    schema: Schema,
    report_type: str,
    *,
    columns: Iterable[str] | None,
    groupings_down: Iterable[GroupingLike],
    groupings_across: Iterable[GroupingLike],
    aggregates: Iterable[str],
    filters: Iterable[FilterLike],
    date_filter: DateFilterLike | None,
    sort_by: GroupingLike | None,
    row_limit: int | None,
) -> dict[str, Any]:
    """Write the metadata of a report.

    Raises:
        ValueError: the report type or a column is not known.
    """
    types = ReportTypes(schema)
    type_ = types.of_object(report_type) or types.get(report_type)
    if type_ is None:
        raise ValueError(f"There is no report type and no object named {report_type}.")
    down, across = (_groupings(type_, entries) for entries in (groupings_down, groupings_across))
    grouped = {grouping["name"] for grouping in (*down, *across)}
    if columns is None:
        names = [name for name in _metadata.initial(type_)["detailColumns"] if name not in grouped]
    else:
        names = [_column(type_, name).name for name in columns]
    return {
        **_metadata.initial(type_, names),
        "aggregates": [_aggregate(type_, name) for name in aggregates],
        "groupingsDown": down,
        "groupingsAcross": across,
        "reportFilters": [_filter(type_, *entry) for entry in filters],
        "scope": "organization",
        "sortBy": [] if sort_by is None else [_sort(type_, sort_by)],
        "standardDateFilter": _date_filter(type_, date_filter),
        "topRows": None if row_limit is None else {"rowLimit": row_limit, "direction": None},
    }


def save(store: Store, metadata: Mapping[str, Any]) -> str:
    """Save a report and return its id.

    Raises:
        ValueError: the report could not be run.
    """
    context = query_context(store, store.context(), store.clock())
    try:
        definition = define(metadata, ReportTypes(store.schema), context)
        return str(store.reports.add(definition.metadata)["id"])
    except OrgError as error:
        raise ValueError(error.message) from None


def _column(type_: ReportType, name: str) -> ReportColumn:
    column = type_.column(name) or type_.column_of_path(name)
    if column is None:
        known = ", ".join(sorted(column.path for column in type_.columns()))
        raise ValueError(f"{type_.label} have no column {name}; their fields are {known}.")
    return column


def _pair(entry: GroupingLike, default: str) -> tuple[str, str]:
    return (entry, default) if isinstance(entry, str) else entry


def _groupings(type_: ReportType, entries: Iterable[GroupingLike]) -> list[dict[str, Any]]:
    pairs = (_pair(entry, _periods.NONE) for entry in entries)
    return [
        {"name": _column(type_, name).name, "sortOrder": "Asc", "dateGranularity": granularity, "sortAggregate": None}
        for name, granularity in pairs
    ]


def _aggregate(type_: ReportType, name: str) -> str:
    kind, mark, column = name.partition("!")
    return f"{kind}!{_column(type_, column).name}" if mark else name


def _filter(type_: ReportType, column: str, operator: str, value: object) -> dict[str, Any]:
    values: Sequence[object] = value if isinstance(value, list | tuple) else (value,)
    return {
        "column": _column(type_, column).name,
        "filterType": "fieldValue",
        "isRunPageEditable": True,
        "operator": operator,
        "value": ",".join(map(_written, values)),
    }


def _written(value: object) -> str:
    text = "" if value is None else str(value)
    return '"{}"'.format(text.replace('"', '""')) if "," in text or '"' in text else text


def _sort(type_: ReportType, entry: GroupingLike) -> Mapping[str, str]:
    name, order = _pair(entry, "Asc")
    return {"sortColumn": _column(type_, name).name, "sortOrder": order}


def _date_filter(type_: ReportType, given: DateFilterLike | None) -> dict[str, Any]:
    if given is None:
        return {"column": type_.date, "durationValue": _periods.CUSTOM, "startDate": None, "endDate": None}
    name, *span = given
    column = _column(type_, name).name
    if len(span) == 1:
        return {"column": column, "durationValue": span[0], "startDate": None, "endDate": None}
    start, end = (None if bound is None else str(bound) for bound in span)
    return {"column": column, "durationValue": _periods.CUSTOM, "startDate": start, "endDate": end}
