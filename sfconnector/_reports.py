"""Reports: run at once or in the background, described, deleted."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sfconnector_generated.client import Request
from sfconnector_generated.rest import models
from sfconnector_generated.rest.api.reports import (
    delete_report,
    delete_report_instance,
    describe_report,
    get_report_instance,
    list_report_instances,
    list_reports,
    query_report,
    run_report,
    run_report_async,
    run_report_with_metadata,
)

from sfconnector._call import call, delete
from sfconnector._names import check_id
from sfconnector._polling import wait_for
from sfconnector._records import encode
from sfconnector._report_filters import Filter, changes_of
from sfconnector._report_rows import ReportResult, parse
from sfconnector._session import Seconds, Session
from sfconnector.errors import JobError

if TYPE_CHECKING:
    from sfconnector_generated.rest.models import ReportDescription, ReportListItem

# Inside the class, ``list`` is its method.
ReportList: TypeAlias = "list[ReportListItem]"
ReportRuns: TypeAlias = "list[ReportRun]"

_GONE: Final = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED"})
_UNFINISHED: Final = frozenset({"New", "Running"})


class IncompleteReportWarning(UserWarning):
    """A report has more rows than Salesforce sends, which is 2,000."""


class ReportRun:
    """A run of a report in the background, which goes on at Salesforce whatever becomes of this object.

    Made by :meth:`Reports.run_async`, :meth:`Reports.instances` and :meth:`Reports.instance`.

    Attributes:
        report_id: The id of the report.
        id: The id of the run.
        status: What was heard last: ``"New"``, ``"Running"``, ``"Success"``, ``"Error"``; empty where nothing was.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_instances_resource.htm
    """

    def __init__(self, session: Session, report_id: str, instance_id: str, info: models.ReportInstance | None) -> None:
        self._session = session
        self.report_id = report_id
        self.id = instance_id
        self.info = info
        self.status = info.status if info is not None else ""

    def wait(self, timeout: float | None = 600.0) -> ReportResult:
        """Wait for the end of the run, asking less and less often, and give its result.

        A poll that fails counts for nothing, unless five do in a row.

        Args:
            timeout: Seconds to wait at most; ``None`` for no limit.

        Raises:
            ValueError, TypeError: The timeout is not a number of seconds.
            JobError: The run failed, or could not be asked for.
            JobTimeoutError: It has not ended in time. It goes on, so that ``wait`` may be called again, by another
                process too: ``sf.reports.instance(report_id, id).wait()``.
            ApiError: Salesforce refused to tell; results are kept for a day.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_get_reportdata.htm

        Example:
            >>> sf.reports.run_async(report_id).wait(timeout=60.0).name
            'Pipeline'
        """
        return _warned(wait_for(self, self._ask, self._session.retry, timeout=timeout))

    def result(self) -> ReportResult:
        """Give the result of a run that has ended.

        Raises:
            JobError: The run failed, or has not ended.
            NotFoundError: There is no such run; results are kept for a day.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_instance_resource_results.htm

        Example:
            >>> run = sf.reports.run_async(report_id)
            >>> run.wait().rows() == run.result().rows()
            True
        """
        if (result := self._ask()) is None:
            raise JobError(f"{self} has not ended, it is {self.status}: wait for it", job=self)
        return _warned(result)

    def delete(self) -> None:
        """Delete the result of a run that has ended.

        Raises:
            ApiError: There is no such run, or it has not ended.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_instance_resource_results.htm

        Example:
            >>> run = sf.reports.run_async(report_id)
            >>> result = run.wait()
            >>> run.delete()
        """
        delete(self._session, delete_report_instance.build(self.report_id, self.id), _GONE)

    def _ask(self) -> ReportResult | None:
        """Ask for the result; ``None`` where there is none yet."""
        result = call(self._session, get_report_instance.build(self.report_id, self.id), parse)
        self.status = result.data.attributes.status or ""
        if self.status in _UNFINISHED:
            return None
        if self.status != "Success":
            raise JobError(f"{self} ended with the status {self.status or 'none'}: run the report again", job=self)
        return result

    def __str__(self) -> str:
        return f"run {self.id} of report {self.report_id}"

    def __repr__(self) -> str:
        return f"<ReportRun {self.id}, {self.status or 'not asked for yet'}>"


class Reports:
    """The org's reports; made by :attr:`Salesforce.reports`.

    A run gives at most 2,000 rows; where there are more, it warns with :class:`IncompleteReportWarning`, and
    ``all_data`` of its result is false.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_intro.htm
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, *, timeout: Seconds = None) -> ReportList:
        """List up to 200 reports that the user viewed last; a query of ``Report`` finds all.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_recentreportslist.htm

        Example:
            >>> result = sf.reports.run(report_id)
            >>> [report.name for report in sf.reports.list()]
            ['Pipeline']
        """
        return call(self._session, list_reports.build(), list_reports.parse, timeout=timeout)

    def describe(self, report_id: str, *, timeout: Seconds = None) -> ReportDescription:
        """Describe a report: its filters, groupings and columns, and what its type offers of them.

        Args:
            report_id: 15 or 18 characters.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The id is malformed.
            NotFoundError: There is no such report.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_getbasic_reportmetadata.htm

        Example:
            >>> sf.reports.describe(report_id).report_metadata.report_format
            'SUMMARY'
        """
        return call(self._session, describe_report.build(check_id(report_id)), describe_report.parse, timeout=timeout)

    def run(
        self,
        report_id: str,
        *,
        details: bool = True,
        filters: Iterable[Filter] | None = None,
        filter_logic: str | None = None,
        columns: Iterable[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        timeout: Seconds = None,
    ) -> ReportResult:
        """Run a report, as it was saved or with changes that are not saved.

        Args:
            report_id: 15 or 18 characters.
            details: Whether to give the rows beside the summaries.
            filters: Triples of a column, an operator such as ``"equals"`` or ``"greaterThan"``, and a value or a list
                of values, in place of the report's own filters.
            filter_logic: How the filters are joined, such as ``"(1 OR 2) AND 3"``; by default all must hold.
            columns: The columns of the rows in place of the report's own.
            metadata: Other keys of the report's metadata to change, such as ``groupingsDown`` or
                ``standardDateFilter``.
            timeout: Seconds instead of the client's own; Salesforce gives up after two minutes.

        Raises:
            ValueError, TypeError: The id is malformed, or an argument cannot be right.
            NotFoundError: There is no such report.
            BadRequestError: Salesforce refused the changes.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_getreportrundata.htm

        Example:
            >>> sf.reports.run(report_id, filters=[("AMOUNT", "greaterThan", 500)]).rows()
            []
        """
        report_id, changes = check_id(report_id), changes_of(filters, filter_logic, columns, metadata)
        if changes is None:
            return _result(self._session, run_report.build(report_id, include_details=details), timeout)
        body = models.ReportRequest(report_metadata=changes)
        request = run_report_with_metadata.build(report_id, body=body, include_details=details)
        return _result(self._session, request, timeout)

    def run_async(
        self,
        report_id: str,
        *,
        details: bool = True,
        filters: Iterable[Filter] | None = None,
        filter_logic: str | None = None,
        columns: Iterable[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        timeout: Seconds = None,
    ) -> ReportRun:
        """Start a run of a report in the background, for reports that take longer; arguments as for :meth:`run`.

        Raises:
            ValueError, TypeError: The id is malformed, or an argument cannot be right.
            ForbiddenError: The org has used up its runs of this hour.
            TransportError: No answer came; whether the run was started is to be seen in :meth:`instances`.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_instances_summaryasync.htm

        Example:
            >>> sf.reports.run_async(report_id).status
            'New'
        """
        report_id, changes = check_id(report_id), changes_of(filters, filter_logic, columns, metadata)
        body = models.ReportRequest() if changes is None else models.ReportRequest(report_metadata=changes)
        request = run_report_async.build(report_id, body=body, include_details=details)
        info = call(self._session, request, run_report_async.parse, timeout=timeout)
        return ReportRun(self._session, report_id, info.id, info)

    def query(self, metadata: Mapping[str, Any], *, timeout: Seconds = None) -> ReportResult:
        """Run a report that is not saved.

        Args:
            metadata: Its whole metadata, such as that of a description; ``hasDetailRows`` asks for rows.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The metadata is empty, or holds a value without a JSON form.
            BadRequestError: Salesforce refused the metadata.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_report_query_example.htm

        Example:
            >>> metadata = sf.reports.describe(report_id).report_metadata.to_dict()
            >>> sf.reports.query({**metadata, "reportFilters": []}).summaries()[0].values["s!AMOUNT"]
            100
        """
        if not (encoded := encode(metadata)):
            raise ValueError("the metadata is empty")
        body = models.ReportRequest(report_metadata=encoded)
        return _result(self._session, query_report.build(body=body), timeout)

    def instances(self, report_id: str, *, timeout: Seconds = None) -> ReportRuns:
        """List the runs of a report in the background, those of the last day, the latest first.

        Args:
            report_id: 15 or 18 characters.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The id is malformed.
            NotFoundError: There is no such report.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_instances_resource.htm

        Example:
            >>> run = sf.reports.run_async(report_id)
            >>> [each.id == run.id for each in sf.reports.instances(report_id)]
            [True]
        """
        request = list_report_instances.build(check_id(report_id))
        found = call(self._session, request, list_report_instances.parse, timeout=timeout)
        return [ReportRun(self._session, report_id, info.id, info) for info in found]

    def instance(self, report_id: str, instance_id: str) -> ReportRun:
        """Give access to a run that was started before; nothing is sent.

        Args:
            report_id: 15 or 18 characters.
            instance_id: The id of the run.

        Raises:
            ValueError, TypeError: An id is malformed.

        Example:
            >>> run = sf.reports.run_async(report_id)
            >>> sf.reports.instance(report_id, run.id).wait().all_data
            True
        """
        return ReportRun(self._session, check_id(report_id), check_id(instance_id), None)

    def result(self, report_id: str, instance_id: str) -> ReportResult:
        """Give the result of a run that has ended, as :meth:`ReportRun.result` does.

        Args:
            report_id: 15 or 18 characters.
            instance_id: The id of the run.

        Raises:
            ValueError, TypeError: An id is malformed.
            JobError: The run failed, or has not ended.
            NotFoundError: There is no such run; results are kept for a day.

        Example:
            >>> run = sf.reports.run_async(report_id)
            >>> sf.reports.result(report_id, run.id).all_data if run.wait() else None
            True
        """
        return self.instance(report_id, instance_id).result()

    def delete(self, report_id: str, *, timeout: Seconds = None) -> None:
        """Move a report to the recycle bin.

        Args:
            report_id: 15 or 18 characters.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The id is malformed.
            NotFoundError: There is no such report, or it was deleted before this call.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/analytics_api_report_list_resource.htm

        Example:
            >>> sf.reports.delete(report_id)
        """
        delete(self._session, delete_report.build(check_id(report_id)), _GONE, timeout=timeout)

    def __repr__(self) -> str:
        return "<Reports>"


def _result(session: Session, request: Request, timeout: Seconds) -> ReportResult:
    """Run a report."""
    return _warned(call(session, request, parse, timeout=timeout), above=3)


def _warned(result: ReportResult, *, above: int = 2) -> ReportResult:
    """Give a result; a warning that it is not all points to the caller, so many calls above this one."""
    # What has not ended has no data yet.
    if result.data.fact_map and not result.all_data:
        warnings.warn(
            f"the report {result.name!r} has more rows than Salesforce sends: give filters, or query the records",
            IncompleteReportWarning,
            stacklevel=above + 1,
        )
    return result
