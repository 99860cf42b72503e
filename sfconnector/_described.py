"""What an object tells about itself: its description, layouts and actions, and which records have changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, overload

from sfconnector_generated.rest.api import layouts, quick_actions, sobjects

from sfconnector._call import call, read, send
from sfconnector._json import utc
from sfconnector._names import check_id, check_text, http_date
from sfconnector._session import Seconds, Session

if TYPE_CHECKING:
    from sfconnector_generated.rest.models import (
        ApprovalLayouts,
        CompactLayouts,
        DeletedRecords,
        DescribeLayout,
        DescribeLayoutResult,
        DescribeSObjectResult,
        QuickAction,
        SObjectInfo,
        UpdatedRecords,
    )

# https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getupdated.htm
_REACH: Final = 30


class Described:
    """What is the same for every object, whatever its records are to the caller."""

    _session: Session
    name: str

    @overload
    def describe(self, *, timeout: Seconds = None) -> DescribeSObjectResult: ...
    @overload
    def describe(self, *, if_modified_since: datetime, timeout: Seconds = None) -> DescribeSObjectResult | None: ...
    def describe(
        self, *, if_modified_since: datetime | None = None, timeout: Seconds = None
    ) -> DescribeSObjectResult | None:
        """Describe the object with all its fields and relationships.

        Args:
            if_modified_since: Answer ``None`` where the description has not changed since, cut to seconds.
            timeout: Seconds instead of the client's own.

        Raises:
            NotFoundError: There is no such object, or the user may not see it.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm

        Example:
            >>> [field.name for field in sf.sobject("Account").describe().fields][:2]
            ['Id', 'IsDeleted']
        """
        request = sobjects.describe_sobject.build(self.name, if_modified_since=http_date(if_modified_since))
        response = send(self._session, request, timeout=timeout)
        return None if response.status_code == 304 else read(self._session, response, sobjects.describe_sobject.parse)

    def info(self, *, timeout: Seconds = None) -> SObjectInfo:
        """Describe the object in short, with the records that the user saw last.

        Args:
            timeout: Seconds instead of the client's own.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_basic_info.htm

        Example:
            >>> sf.sobject("Account").info().object_describe.key_prefix
            '001'
        """
        return call(
            self._session, sobjects.get_sobject_info.build(self.name), sobjects.get_sobject_info.parse, timeout=timeout
        )

    def deleted(self, start: datetime, end: datetime, *, timeout: Seconds = None) -> DeletedRecords:
        """List the records that were deleted in a span of time, with the moment of each deletion.

        ``latest_date_covered`` of the answer is where the next span should start, so that none is missed; a
        ``start`` before ``earliest_date_available`` has deletions that Salesforce no longer knows.

        Args:
            start: A zone-aware instant of the last 30 days; Salesforce ignores its seconds, and keeps deletions
                for 15 days or less.
            end: A zone-aware instant in a later minute.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: An instant is naive, too long ago, or they are in the wrong order.
            BadRequestError: Salesforce does not keep track of this object's records, or there are too many of them.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getdeleted.htm

        Example:
            >>> from datetime import UTC, datetime, timedelta
            >>> now = datetime.now(UTC)
            >>> sf.sobject("Account").deleted(now - timedelta(days=1), now).deleted_records
            []
        """
        start, end = _span(start, end)
        request = sobjects.list_deleted_records.build(self.name, start=start, end=end)
        return call(self._session, request, sobjects.list_deleted_records.parse, timeout=timeout)

    def updated(self, start: datetime, end: datetime, *, timeout: Seconds = None) -> UpdatedRecords:
        """List the ids of the records that were created or changed in a span of time.

        ``latest_date_covered`` of the answer is where the next span should start, so that none is missed.

        Args:
            start: A zone-aware instant of the last 30 days; Salesforce ignores its seconds.
            end: A zone-aware instant in a later minute.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: An instant is naive, too long ago, or they are in the wrong order.
            BadRequestError: Salesforce does not keep track of this object's records, or there are too many of them.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getupdated.htm

        Example:
            >>> from datetime import UTC, datetime, timedelta
            >>> now = datetime.now(UTC)
            >>> account_id in sf.sobject("Account").updated(now - timedelta(days=1), now + timedelta(minutes=1)).ids
            True
        """
        start, end = _span(start, end)
        request = sobjects.list_updated_records.build(self.name, start=start, end=end)
        return call(self._session, request, sobjects.list_updated_records.parse, timeout=timeout)

    @overload
    def layouts(self, *, timeout: Seconds = None) -> DescribeLayoutResult: ...
    @overload
    def layouts(self, record_type_id: str, *, timeout: Seconds = None) -> DescribeLayout: ...
    def layouts(
        self, record_type_id: str | None = None, *, timeout: Seconds = None
    ) -> DescribeLayoutResult | DescribeLayout:
        """Describe the page layouts that the user sees, or the one of a record type.

        Args:
            record_type_id: Describe the layout of this record type alone. Without it, ``layouts`` of the answer is
                ``None`` where the object has several record types; ``record_type_mappings`` names them.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The id is malformed.
            NotFoundError: There is no such object or record type, or it has no layouts.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_layouts_get.htm

        Example:
            >>> layouts = sf.sobject("Contact").layouts().layouts
            >>> layouts[0].detail_layout_sections[0].heading
            'Contact Information'
        """
        if record_type_id is None:
            return call(
                self._session,
                layouts.describe_layouts.build(self.name),
                layouts.describe_layouts.parse,
                timeout=timeout,
            )
        request = layouts.describe_layout.build(self.name, check_id(record_type_id))
        return call(self._session, request, layouts.describe_layout.parse, timeout=timeout)

    def named_layout(self, name: str, *, timeout: Seconds = None) -> DescribeLayoutResult:
        """Describe an alternative page layout.

        Args:
            name: One of ``named_layout_infos`` of the object's description, such as ``"UserAlt"``.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The name is blank or no text.
            NotFoundError: There is no layout of that name.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_named_layouts.htm

        Example:
            >>> len(sf.sobject("User").named_layout("UserAlt").layouts)
            1
        """
        request = layouts.describe_named_layout.build(self.name, check_text("the name of a layout", name))
        return call(self._session, request, layouts.describe_named_layout.parse, timeout=timeout)

    def compact_layouts(self, *, timeout: Seconds = None) -> CompactLayouts:
        """Describe the compact layouts: the fields that stand at the top of a record's page.

        Args:
            timeout: Seconds instead of the client's own.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_compactlayouts_get.htm

        Example:
            >>> [layout.name for layout in sf.sobject("Account").compact_layouts().compact_layouts]
            ['SYSTEM']
        """
        request = layouts.describe_compact_layouts.build(self.name)
        return call(self._session, request, layouts.describe_compact_layouts.parse, timeout=timeout)

    def approval_layouts(self, *, timeout: Seconds = None) -> ApprovalLayouts:
        """Describe what approvers see of a record, by approval process.

        Args:
            timeout: Seconds instead of the client's own.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_approvallayouts_get.htm

        Example:
            >>> sf.sobject("Account").approval_layouts().approval_layouts
            []
        """
        request = layouts.describe_approval_layouts.build(self.name)
        return call(self._session, request, layouts.describe_approval_layouts.parse, timeout=timeout)

    def quick_actions(self, *, timeout: Seconds = None) -> list[QuickAction]:
        """List the quick actions of the object, the global ones among them.

        Args:
            timeout: Seconds instead of the client's own.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_quickactions_get.htm

        Example:
            >>> "NewContact" in [action.name for action in sf.sobject("Account").quick_actions()]
            True
        """
        request = quick_actions.list_sobject_quick_actions.build(self.name)
        return call(self._session, request, quick_actions.list_sobject_quick_actions.parse, timeout=timeout)


def _span(start: object, end: object) -> tuple[datetime, datetime]:
    """Check a span of time as Salesforce would, which cuts both ends to minutes."""
    first, last = (
        utc(value, f"{name}: ").replace(second=0, microsecond=0) for name, value in [("start", start), ("end", end)]
    )
    if first >= last:
        raise ValueError("start must lie in an earlier minute than end: Salesforce ignores the seconds of both")
    if (datetime.now(UTC).date() - first.date()).days > _REACH:
        raise ValueError(f"start is more than {_REACH} days ago, and Salesforce looks back no further")
    return first, last
