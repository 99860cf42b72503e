"""What an org tells about itself, without one word of its records' contents."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, overload

from sfconnector_generated.rest.api import layouts, org, quick_actions, sobjects
from sfconnector_generated.rest.api import query as queries

from sfconnector._call import call, read, send
from sfconnector._names import check_name, check_text, http_date
from sfconnector._prepare import check_count, check_version
from sfconnector._session import Seconds, Session

if TYPE_CHECKING:
    from sfconnector_generated.rest.models import (
        DescribeGlobalResult,
        DescribeLayoutResult,
        ExplainResult,
        QuickAction,
        UserInfo,
        Version,
    )

Record = dict[str, Any]


class Org:
    """The part of a client that reads what is true of the whole org."""

    _session: Session

    @property
    def api_version(self) -> str:
        """The API version that this client speaks."""
        return self._session.api_version

    @overload
    def describe(self, *, timeout: Seconds = None) -> DescribeGlobalResult: ...
    @overload
    def describe(self, *, if_modified_since: datetime, timeout: Seconds = None) -> DescribeGlobalResult | None: ...
    def describe(
        self, *, if_modified_since: datetime | None = None, timeout: Seconds = None
    ) -> DescribeGlobalResult | None:
        """List the objects of the org.

        Args:
            if_modified_since: Answer ``None`` where no object has changed since, cut to seconds.
            timeout: Seconds instead of the client's own.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_describeGlobal.htm

        Example:
            >>> "Account" in [sobject.name for sobject in sf.describe().sobjects]
            True
        """
        request = sobjects.describe_global.build(if_modified_since=http_date(if_modified_since))
        response = send(self._session, request, timeout=timeout)
        return None if response.status_code == 304 else read(self._session, response, sobjects.describe_global.parse)

    def versions(self, *, timeout: Seconds = None) -> list[Version]:
        """List the API versions of the org, the oldest first.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_versions.htm

        Example:
            >>> sf.versions()[-1].version
            '68.0'
        """
        return call(self._session, org.list_versions.build(), org.list_versions.parse, timeout=timeout)

    def resources(self, version: str | None = None, *, timeout: Seconds = None) -> dict[str, str]:
        """List the resources of an API version with their paths.

        Args:
            version: The API version, such as ``"68.0"``; by default the client's own.
            timeout: Seconds instead of the client's own.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_discoveryresource.htm

        Example:
            >>> sf.resources()["query"]
            '/services/data/v68.0/query'
        """
        request = org.list_resources.build(self.api_version if version is None else check_version(version))
        return call(self._session, request, org.list_resources.parse, timeout=timeout)

    def limits(self, *, timeout: Seconds = None) -> dict[str, dict[str, Any]]:
        """Read the org's limits and what is left of them.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_limits.htm

        Example:
            >>> sf.limits()["DailyApiRequests"]["Max"]
            100000
        """
        return call(self._session, org.get_limits.build(), org.get_limits.parse, timeout=timeout)

    def user_info(self, *, timeout: Seconds = None) -> UserInfo:
        """Tell who is logged in.

        See Also:
            https://help.salesforce.com/s/articleView?id=sf.remoteaccess_using_userinfo_endpoint.htm

        Example:
            >>> sf.user_info().active
            True
        """
        return call(self._session, org.get_user_info.build(), org.get_user_info.parse, timeout=timeout)

    def record_count(self, *sobjects: str, timeout: Seconds = None) -> dict[str, int]:
        """Count records without a query: about as many as there are, by the org's own latest statistics.

        Args:
            *sobjects: The API names of the objects to count; by default all. The answer lacks those that the org
                does not know or has no records of.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: A name is malformed.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_record_count.htm

        Example:
            >>> sf.record_count("Account")
            {'Account': 1}
        """
        request = org.get_record_counts.build(sobjects=[check_name("the object", name) for name in sobjects] or None)
        counts = call(self._session, request, org.get_record_counts.parse, timeout=timeout)
        return {each.name: each.count for each in counts.sobjects}

    def recent(self, limit: int | None = None, *, timeout: Seconds = None) -> list[Record]:
        """List the records that the user viewed or referenced last, the latest first.

        Args:
            limit: How many at most; Salesforce stops at 200 by itself.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError: The limit is no whole number above 0.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_recent_items.htm

        Example:
            >>> viewed = list(sf.query("SELECT Id FROM Account FOR VIEW"))
            >>> [record["Name"] for record in sf.recent(limit=1)]
            ['Acme']
        """
        request = org.list_recent_items.build(limit=None if limit is None else check_count("limit", limit))
        return call(self._session, request, org.list_recent_items.parse, timeout=timeout)

    def explain(self, query: str, *, timeout: Seconds = None) -> ExplainResult:
        """Tell how a query would be run, without running it: its plans, the best first.

        A ``relative_cost`` above 1 means that the query is not selective.

        Args:
            query: A SOQL query, or the id of a report or list view.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The query is blank.
            BadRequestError: Salesforce refused the query.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query_performance_feedback.htm

        Example:
            >>> sf.explain("SELECT Id FROM Account WHERE CreatedDate = TODAY").plans[0].leading_operation_type
            'TableScan'
        """
        request = queries.explain_query.build(explain=check_text("the query", query))
        return call(self._session, request, queries.explain_query.parse, timeout=timeout)

    def quick_actions(self, *, timeout: Seconds = None) -> list[QuickAction]:
        """List the global quick actions; those of an object are at :meth:`SObject.quick_actions`.

        Args:
            timeout: Seconds instead of the client's own.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_quickactions.htm

        Example:
            >>> "LogACall" in [action.name for action in sf.quick_actions()]
            True
        """
        return call(
            self._session,
            quick_actions.list_quick_actions.build(),
            quick_actions.list_quick_actions.parse,
            timeout=timeout,
        )

    def layouts(self, *, timeout: Seconds = None) -> DescribeLayoutResult:
        """Describe the global layouts, which have quick actions alone; those of an object are at the object.

        Args:
            timeout: Seconds instead of the client's own.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_layouts_global_get.htm

        Example:
            >>> len(sf.layouts().layouts)
            1
        """
        operation = layouts.describe_global_layouts
        return call(self._session, operation.build(), operation.parse, timeout=timeout)
