"""``reportMetadata``: what a request may say of a report, and what a new report is like.

https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_getbasic_reportmetadata.htm
"""

import itertools
from collections.abc import Mapping
from typing import Any, Final

from sfconnector.testing._reports._refusals import bad_request, incomplete, no_metadata
from sfconnector.testing._reports._types import ReportType, ReportTypes

# What each key of the metadata is, null apart; other keys are refused by nobody and answered to nobody.
_KINDS: Final[Mapping[str, type]] = {
    "aggregates": list,
    "buckets": list,
    "chart": dict,
    "crossFilters": list,
    "currency": str,
    "customDetailFormula": dict,
    "customSummaryFormula": dict,
    "description": str,
    "detailColumns": list,
    "developerName": str,
    "division": str,
    "folderId": str,
    "groupingsAcross": list,
    "groupingsDown": list,
    "hasDetailRows": bool,
    "hasRecordCount": bool,
    "historicalSnapshotDates": list,
    "id": str,
    "name": str,
    "presentationOptions": dict,
    "reportBooleanFilter": str,
    "reportFilters": list,
    "reportFormat": str,
    "reportType": dict,
    "scope": str,
    "showGrandTotal": bool,
    "showSubtotals": bool,
    "sortBy": list,
    "standardDateFilter": dict,
    "standardFilters": list,
    "supportsRoleHierarchy": bool,
    "topRows": dict,
    "userOrHierarchyFilterId": str,
}
# Lists of names, lists of flat objects, and flat objects.
_NAMES: Final = ("aggregates", "detailColumns")
_ENTRIES: Final = ("groupingsAcross", "groupingsDown", "reportFilters", "sortBy", "standardFilters")
_FLAT: Final = ("reportType", "standardDateFilter", "topRows")


def requested(body: Any) -> dict[str, Any]:
    """The ``reportMetadata`` of a request body.

    Raises:
        OrgError: 400 where there is none, 500 for a value of the wrong kind.
    """
    metadata = body.get("reportMetadata") if isinstance(body, dict) else None
    if metadata is None:
        raise no_metadata()
    if not isinstance(metadata, dict):
        raise incomplete()
    given = {key: value for key, value in metadata.items() if key in _KINDS and value is not None}
    if not all(isinstance(value, _KINDS[key]) for key, value in given.items()):
        raise incomplete()
    names = itertools.chain.from_iterable(given.get(key, ()) for key in _NAMES)
    entries = itertools.chain.from_iterable(given.get(key, ()) for key in _ENTRIES)
    flat = (given[key] for key in _FLAT if key in given)
    if not all(isinstance(name, str) for name in names) or not all(map(_is_flat, itertools.chain(entries, flat))):
        raise incomplete()
    if "reportFilters" in metadata and metadata["reportFilters"] is None:
        reason = "there are no filters. Specify filters or set filters as an empty array to omit them."
        raise bad_request(f"The request is invalid because {reason}")
    _check_snapshots(metadata)
    return {key: value for key, value in metadata.items() if key in _KINDS}


def _is_flat(entry: Any) -> bool:
    return isinstance(entry, dict) and not any(isinstance(value, list | dict) for value in entry.values())


def _check_snapshots(metadata: Mapping[str, Any]) -> None:
    if metadata.get("historicalSnapshotDates", ()) is None:
        raise bad_request(
            "The request is invalid because there are no historical snapshot dates in the request body. Specify "
            "historical snapshot dates, or set historical snapshot dates as an empty array to omit them."
        )
    if metadata.get("historicalSnapshotDates"):
        raise bad_request(
            "The request is invalid because reports that are not historical trending reports cannot have historical "
            "snapshot dates."
        )


def report_type(metadata: Mapping[str, Any], types: ReportTypes) -> ReportType:
    """The report type that the metadata names.

    Raises:
        OrgError: 400 if there is none of that name.
    """
    name = (metadata.get("reportType") or {}).get("type")
    found = types.get(name) if isinstance(name, str) else None
    if found is None:
        raise bad_request(f"The report type {name} is invalid.")
    return found


def initial(type_: ReportType, columns: list[str] | None = None) -> dict[str, Any]:
    """The metadata of a new report of a type: what is not asked for otherwise."""
    return {
        "aggregates": ["RowCount"],
        "buckets": [],
        "chart": None,
        "crossFilters": [],
        "currency": None,
        "customDetailFormula": {},
        "customSummaryFormula": {},
        "description": None,
        "detailColumns": [name for name in type_.default if type_.column(name)] if columns is None else columns,
        "developerName": None,
        "division": None,
        "folderId": None,
        "groupingsAcross": [],
        "groupingsDown": [],
        "hasDetailRows": True,
        "hasRecordCount": True,
        "historicalSnapshotDates": [],
        "id": None,
        "name": None,
        "presentationOptions": {"hasStackedSummaries": True},
        "reportBooleanFilter": None,
        "reportFilters": [],
        "reportFormat": "TABULAR",
        "reportType": {"label": type_.label, "type": type_.name},
        "scope": type_.scope,
        "showGrandTotal": True,
        "showSubtotals": True,
        "sortBy": [],
        "standardDateFilter": {
            "column": type_.date,
            "durationValue": type_.duration,
            "endDate": None,
            "startDate": None,
        },
        "standardFilters": [{"name": name, "value": value} for name, value in type_.standard_filters.items()] or None,
        "supportsRoleHierarchy": False,
        "topRows": None,
        "userOrHierarchyFilterId": None,
    }
