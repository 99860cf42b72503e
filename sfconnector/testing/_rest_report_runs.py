"""Reports run in the background: start, list, fetch the result, delete.

https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_get_reportdata.htm
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from sfconnector.testing import _rest_reports
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer, Call
from sfconnector.testing._reports import _metadata
from sfconnector.testing._reports._definition import define
from sfconnector.testing._reports._instances import ERROR, SUCCESS, Instance
from sfconnector.testing._reports._refusals import bad_request, forbidden
from sfconnector.testing._reports._types import ReportTypes
from sfconnector.testing._runtime import Runtime

_LOG = logging.getLogger("sfconnector.testing")
_ASYNCHRONOUS = "HourlyAsyncReportRuns"


def start(runtime: Runtime, call: Call, report_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_instances_summaryasync.htm"""
    saved = runtime.store.reports.get(report_id)
    body = _rest_reports.body(call)
    # Without a body, or with an empty object, the report is run as it was saved.
    metadata = _rest_reports.changed(saved, _metadata.requested(body)) if body != {} else saved
    definition = define(metadata, ReportTypes(runtime.store.schema), _rest_reports.context_of(runtime, call))
    if not runtime.usage.take(_ASYNCHRONOUS):
        limit = runtime.usage.limits()[_ASYNCHRONOUS]["Max"]
        raise forbidden(f"You can’t run more than {limit} reports asynchronously every 60 minutes. Try again later.")
    details = _rest_reports.wants_details(call, metadata)
    instance = runtime.store.report_instances.start(saved, definition.metadata, call.context.user_id, details=details)
    return Answer(body=_entry(call, instance))


def listed(runtime: Runtime, call: Call, report_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_instances_resource.htm"""
    saved = runtime.store.reports.get(report_id)
    instances = runtime.store.report_instances
    run = _runner(runtime, call)
    return Answer(body=[_entry(call, instances.look(each, run)) for each in instances.of_report(saved["id"])])


def result(runtime: Runtime, call: Call, report_id: str, instance_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_instance_resource_results.htm"""
    saved = runtime.store.reports.get(report_id)
    instances = runtime.store.report_instances
    instance = instances.look(instances.get(saved["id"], instance_id), _runner(runtime, call))
    if instance.status == SUCCESS and instance.saved != saved:
        raise OrgError(
            500,
            "INTERNAL_ERROR",
            "Results for this instance are unavailable because the report’s metadata has changed from when the report "
            "was last run. To get results, run the report again or undo changes to the report’s metadata.",
        )
    return Answer(body={"attributes": _attributes(instance), **(instance.result or {})})


def delete(runtime: Runtime, _call: Call, report_id: str, instance_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_instance_resource_results.htm"""
    saved = runtime.store.reports.get(report_id)
    instance = runtime.store.report_instances.get(saved["id"], instance_id)
    if not instance.ended:
        raise bad_request("Only an instance with the status Success or Error can be deleted.")
    runtime.store.report_instances.drop(instance)
    return Answer(status=204)


def _runner(runtime: Runtime, call: Call) -> Callable[[Instance], Mapping[str, Any] | None]:
    def run(instance: Instance) -> Mapping[str, Any] | None:
        if runtime.faults.fails_report(instance.report):
            return None
        try:
            found = _rest_reports.execute(runtime, call, instance.metadata, details=instance.details)
        except OrgError as error:
            _LOG.warning("The background run %s of the report %s failed: %s", instance.id, instance.report, error)
            return None
        runtime.store.reports.note_run(instance.report)
        answer = found.result({})
        del answer["attributes"]
        return answer

    return run


def _entry(call: Call, instance: Instance) -> dict[str, Any]:
    """A run as lists show it; one that failed has no URL."""
    url = f"{_rest_reports.report_url(call, instance.report)}/instances/{instance.id}"
    return {
        "completionDate": instance.completed,
        "hasDetailRows": instance.details,
        "id": instance.id,
        "ownerId": instance.owner,
        "queryable": False,
        "requestDate": instance.requested,
        "status": instance.status,
        "url": None if instance.status == ERROR else url,
    }


def _attributes(instance: Instance) -> dict[str, Any]:
    return {
        "completionDate": instance.completed,
        "id": instance.id,
        "ownerId": instance.owner,
        "queryable": False,
        "reportId": instance.report,
        "reportName": instance.metadata["name"],
        "requestDate": instance.requested,
        "status": instance.status,
        "type": "ReportInstance",
    }
