"""Reports: list, describe, run, and run in another way than saved.

https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_resource_reference.htm
"""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from sfconnector.testing import _soql
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer, Call
from sfconnector.testing._reports import _extended, _filters, _metadata
from sfconnector.testing._reports._definition import Definition, define
from sfconnector.testing._reports._refusals import bad_request, forbidden, incomplete, not_found
from sfconnector.testing._reports._run import Run
from sfconnector.testing._reports._run import run as run_definition
from sfconnector.testing._reports._types import ReportTypes
from sfconnector.testing._running_user import query_context
from sfconnector.testing._runtime import Runtime

_SYNCHRONOUS = "HourlySyncReportRuns"


def resources(_runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_resource_reference.htm"""
    return Answer(
        body={name: f"{call.base}/analytics/{name}" for name in ("filteroperators", "reportTypes", "reports")}
    )


def listed(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_recentreportslist.htm"""
    return Answer(
        body=[
            {
                "describeUrl": f"{report_url(call, report_id)}/describe",
                "id": report_id,
                "instancesUrl": f"{report_url(call, report_id)}/instances",
                "name": name,
                "url": report_url(call, report_id),
            }
            for report_id, name in runtime.store.reports.recent()
        ]
    )


def describe(runtime: Runtime, call: Call, report_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_getbasic_reportmetadata.htm"""
    return Answer(body=description(runtime, call, runtime.store.reports.get(report_id)))


def run(runtime: Runtime, call: Call, report_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_getreportrundata.htm"""
    return _synchronous(runtime, call, runtime.store.reports.get(report_id))


def run_with_metadata(runtime: Runtime, call: Call, report_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_filter_reportdata.htm"""
    saved = runtime.store.reports.get(report_id)
    return _synchronous(runtime, call, changed(saved, _metadata.requested(body(call))))


def query(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_report_query_example.htm"""
    given = _metadata.requested(body(call))
    type_ = _metadata.report_type(given, ReportTypes(runtime.store.schema))
    metadata = {**_metadata.initial(type_), **given, "id": None, "developerName": None}
    return _synchronous(runtime, call, metadata)


def create(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/analytics_api_report_example_post_report.htm"""
    given = _metadata.requested(body(call))
    clone_id = call.params.get("cloneId")
    if clone_id is None:
        base = _metadata.initial(_metadata.report_type(given, ReportTypes(runtime.store.schema)))
    else:
        base = _cloned(runtime, clone_id)
    # A new report goes to the private ones of its user, unless it is told where to go.
    new = {"folderId": call.context.user_id, "name": None, "developerName": None}
    metadata = {**changed({**base, **new}, given), "id": None}
    definition = define(metadata, ReportTypes(runtime.store.schema), context_of(runtime, call))
    return Answer(body=description(runtime, call, runtime.store.reports.add(definition.metadata)))


def _cloned(runtime: Runtime, clone_id: str) -> dict[str, Any]:
    """https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_clone_report.htm"""
    try:
        return runtime.store.reports.get(clone_id)
    except OrgError as error:
        raise bad_request("The clone request must contain a valid cloneId parameter.") from error


def save(runtime: Runtime, call: Call, report_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_save_report.htm"""
    saved = runtime.store.reports.get(report_id)
    metadata = changed(saved, _metadata.requested(body(call)))
    definition = define(metadata, ReportTypes(runtime.store.schema), context_of(runtime, call))
    runtime.store.reports.save(definition.metadata, call.context.user_id)
    runtime.store.report_instances.drop_unfinished(saved["id"])
    return Answer(body=description(runtime, call, definition.metadata))


def delete(runtime: Runtime, call: Call, report_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_delete_report.htm"""
    saved = runtime.store.reports.get(report_id)
    runtime.store.delete("Report", saved["id"], call.context)
    runtime.store.report_instances.drop_unfinished(saved["id"])
    return Answer(status=204)


def report_types(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/analytics_api_reporttypes_reference_list.htm"""
    url = f"{call.base}/analytics/reportTypes"
    return Answer(
        body=[
            {
                "label": label,
                "reportTypes": [
                    {"describeUrl": f"{url}/{one.name}", "label": one.label, "type": one.name} for one in types
                ],
            }
            for label, types in groupby(ReportTypes(runtime.store.schema), key=lambda one: one.group)
        ]
    )


def report_type(runtime: Runtime, call: Call, name: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/analytics_api_reporttypes_reference_resource.htm"""
    type_ = ReportTypes(runtime.store.schema).get(name)
    if type_ is None:
        raise not_found()
    described = description(runtime, call, _metadata.initial(type_))
    del described["attributes"]
    return Answer(body=described)


def filter_operators(_runtime: Runtime, _call: Call) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/analytics_api_filteroperators_reference_list.htm"""
    return Answer(body=_filters.operator_map())


# What the other resources of reports share.


def description(runtime: Runtime, call: Call, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """A report with its type, as describing or saving one answers it."""
    context = context_of(runtime, call)
    definition = define(metadata, ReportTypes(runtime.store.schema), context)
    return {
        "attributes": attributes(call, definition.metadata),
        "reportExtendedMetadata": _extended.extended_metadata(definition),
        "reportMetadata": definition.metadata,
        "reportTypeMetadata": _extended.type_metadata(definition.type, context.calendar),
    }


def changed(saved: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Saved metadata with the changes of a request; a report stays of its type and keeps its id.

    Raises:
        OrgError: 400 for another type.
    """
    type_ = given.get("reportType")
    if type_ is not None and type_.get("type") != saved["reportType"]["type"]:
        raise bad_request("The report type of a report can’t be changed.")
    return {**saved, **given, "id": saved["id"], "reportType": saved["reportType"]}


def execute(runtime: Runtime, call: Call, metadata: Mapping[str, Any], *, details: bool) -> Run:
    """Run a report on the org's records."""
    context = context_of(runtime, call)
    schema = runtime.store.schema
    definition: Definition = define(metadata, ReportTypes(schema), context)
    with runtime.store.transaction() as connection:
        return run_definition(definition, schema=schema, connection=connection, context=context, details=details)


def wants_details(call: Call, metadata: Mapping[str, Any]) -> bool:
    """``includeDetails``, or what the report itself says."""
    if "includeDetails" in call.params:
        return call.flag("includeDetails")
    return bool(metadata["hasDetailRows"])


def context_of(runtime: Runtime, call: Call) -> _soql.Context:
    return query_context(runtime.store, call.context, runtime.clock())


def attributes(call: Call, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Which report it is; one that is not saved has the id null, in its paths too."""
    url = report_url(call, metadata["id"] or "null")
    return {
        "describeUrl": f"{url}/describe",
        "instancesUrl": f"{url}/instances",
        "reportId": metadata["id"],
        "reportName": metadata["name"],
        "type": "Report",
    }


def report_url(call: Call, report_id: str) -> str:
    return f"{call.base}/analytics/reports/{report_id}"


def body(call: Call) -> Any:
    """The JSON of a request, or an empty object.

    Raises:
        OrgError: 415 for another media type, 500 for what is no JSON.
    """
    if not call.content.strip():
        return {}
    try:
        return call.json()
    except OrgError as error:
        if error.status != 415:
            raise incomplete() from error
        raise OrgError(
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            "The Reports and Dashboards REST API only supports JSON content type in both request and response bodies. "
            "Specify requests with content type as application/json.",
        ) from error


def _synchronous(runtime: Runtime, call: Call, metadata: Mapping[str, Any]) -> Answer:
    if not runtime.usage.take(_SYNCHRONOUS):
        limit = runtime.usage.limits()[_SYNCHRONOUS]["Max"]
        raise forbidden(f"You can’t run more than {limit} reports synchronously every 60 minutes. Try again later.")
    result = execute(runtime, call, metadata, details=wants_details(call, metadata))
    if metadata["id"] is not None:
        runtime.store.reports.note_run(metadata["id"])
    return Answer(body=result.result(attributes(call, metadata)))
