"""What a report's columns, groupings and summaries are called, and what its type offers.

https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_getbasic_reportmetadata.htm
"""

from typing import Any

from sfconnector.testing._reports import _filters, _periods
from sfconnector.testing._reports._definition import Definition
from sfconnector.testing._reports._types import ReportColumn, ReportType
from sfconnector.testing._soql._dates import Calendar

_SCOPES = {"user": "My {}", "organization": "All {}"}
_BOOLEANS = ("True", "False")
_STANDARD_FILTERS = {
    "open": ("Opportunity Status", {"all": "Any", "open": "Open", "closed": "Closed", "closedwon": "Closed Won"}),
    "probability": (
        "Probability",
        {">0": "All"}
        | {f"gt{number}": f"> {number}%" for number in range(90, 0, -10)}
        | {f"lt{number}": f"< {number}%" for number in range(90, 0, -10)},
    ),
}


def extended_metadata(definition: Definition) -> dict[str, Any]:
    """The ``reportExtendedMetadata`` of a report."""
    groupings = [*enumerate(definition.down), *enumerate(definition.across)]
    return {
        "aggregateColumnInfo": {aggregate.name: aggregate.info for aggregate in definition.aggregates},
        "detailColumnInfo": {column.name: _detail(column) for column in definition.columns},
        "groupingColumnInfo": {
            grouping.column.name: {
                "dataType": grouping.column.data_type,
                "groupingLevel": level,
                "label": grouping.column.label,
            }
            for level, grouping in groupings
        },
    }


def type_metadata(type_: ReportType, calendar: Calendar) -> dict[str, Any]:
    """The ``reportTypeMetadata`` of a report type."""
    return {
        "categories": [
            {"columns": {column.name: _offered(column) for column in columns.values()}, "label": label}
            for label, columns in type_.sections.items()
        ],
        "dataTypeFilterOperatorMap": _filters.operator_map(),
        "dateGranularityInfos": [{"label": label, "value": value} for value, label in _periods.GRANULARITIES.items()],
        "divisionInfo": None,
        "objects": [{"apiName": sobject.name, "label": sobject.label_plural} for sobject in type_.objects],
        "scopeInfo": {
            "defaultValue": type_.scope,
            "values": [
                {"allowsDivision": False, "label": label.format(type_.label.lower()), "value": value}
                for value, label in _SCOPES.items()
            ],
        },
        "standardDateFilterDurationGroups": [
            {"label": label, "standardDateFilterDurations": [_duration(value, calendar) for value in values]}
            for label, values in _periods.DURATIONS.items()
        ]
        + [{"label": "Custom", "standardDateFilterDurations": [_duration(_periods.CUSTOM, calendar)]}],
        "standardFilterInfos": {name: _standard_filter(name) for name in type_.standard_filters},
        "supportsJoinedFormat": False,
    }


def _detail(column: ReportColumn) -> dict[str, Any]:
    return {
        "dataType": column.data_type,
        "entityColumnName": column.entity,
        "filterValues": _filter_values(column),
        "filterable": column.filterable,
        "isLookup": _is_lookup(column),
        "label": column.label,
        "uniqueCountable": column.data_type != "boolean",
    }


def _offered(column: ReportColumn) -> dict[str, Any]:
    return _detail(column) | {
        "allowedInCustomDetailFormula": False,
        "bucketable": False,
        "fieldToFieldFilterable": False,
        "inactiveFilterValues": [],
        "isCustom": column.field.custom,
        "maxLength": column.field.length or None,
    }


def _filter_values(column: ReportColumn) -> list[dict[str, str]]:
    if column.data_type == "boolean":
        return [{"label": value, "name": value} for value in _BOOLEANS]
    if column.data_type not in ("picklist", "multipicklist"):
        return []
    active = (value for value in column.field.picklist_values if value.active)
    return [{"label": value.label or value.value, "name": value.value} for value in active]


def _is_lookup(column: ReportColumn) -> bool:
    return column.id_path is not None and column.id_path != "Id"


def _duration(value: str, calendar: Calendar) -> dict[str, Any]:
    span = _periods.span(value, calendar)
    start, end = (None, None) if span is None else (span.start, span.end)
    return {
        "endDate": None if end is None else end.isoformat(),
        "label": _periods.label(value),
        "startDate": None if start is None else start.isoformat(),
        "value": value,
    }


def _standard_filter(name: str) -> dict[str, Any]:
    label, values = _STANDARD_FILTERS[name]
    return {
        "filterValues": [{"label": text, "name": value} for value, text in values.items()],
        "label": label,
        "type": "PICKLIST",
    }
