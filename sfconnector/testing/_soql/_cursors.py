"""Open results: pages of records and the locators that lead from one to the next.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_query.htm
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_changing_batch_size.htm
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Lock
from typing import Any, Final

import attrs

from sfconnector.testing import _ids
from sfconnector.testing._errors import OrgError
from sfconnector.testing._soql._execute import Result
from sfconnector.testing._soql._render import Record, RecordShape, Row

MINIMUM_BATCH_SIZE: Final = 200
MAXIMUM_BATCH_SIZE: Final = 2_000
_LIFETIME: Final = timedelta(days=2)
_LOCATOR: Final = re.compile(r"(0r8[0-9A-Za-z]{12})(?:[0-9A-Za-z]{3})?-([0-9]{1,10})", re.ASCII)


@attrs.frozen(eq=False)
class _Owner:
    """A query result from its first page on: when it was made, its size, and the cursors on it and its children."""

    opened: datetime
    rows: int
    cursors: list[str] = attrs.field(factory=list)


@attrs.frozen(eq=False)
class _Cursor:
    """Rows that can be paged; ``owner`` is the id of the query result to which they belong."""

    result: Result
    batch_size: int
    owner: int


def _now() -> datetime:
    return datetime.now(UTC)


class Cursors:
    """The results that are still being read; those not read for longest are forgotten when there is too much to keep.

    https://help.salesforce.com/s/articleView?id=000384958&type=1

    Args:
        maximum: number of query results kept open.
        maximum_rows: number of rows in them; the latest result is kept whatever its size.
        clock: the time of the org: a locator is good for two days from its query on.

    Example:
        >>> cursors = Cursors()
        >>> cursors.first(Result(0))
        {'totalSize': 0, 'done': True, 'records': []}
    """

    def __init__(
        self, maximum: int = 100, *, maximum_rows: int = 1_000_000, clock: Callable[[], datetime] = _now
    ) -> None:
        if maximum < 1:
            raise ValueError("at least one result must stay open")
        self._maximum = maximum
        self._maximum_rows = maximum_rows
        self._clock = clock
        self._lock = Lock()
        self._numbers = count(1)
        self._cursors: dict[str, _Cursor] = {}
        # In the order of their last use.
        self._owners: OrderedDict[int, _Owner] = OrderedDict()

    def __len__(self) -> int:
        return len(self._owners)

    def first(self, result: Result, batch_size: int = MAXIMUM_BATCH_SIZE) -> dict[str, Any]:
        """Answer the first page of a result and keep the rest open.

        Args:
            result: from ``execute``.
            batch_size: ``batchSize`` of ``Sforce-Query-Options``; taken as the nearest number from 200 to 2,000.
        """
        size = min(max(batch_size, MINIMUM_BATCH_SIZE), MAXIMUM_BATCH_SIZE)
        with self._lock:
            number = next(self._numbers)
            self._owners[number] = owner = _Owner(self._clock(), len(result.rows))
            try:
                return self._page(_Cursor(result, size, number), None, 0)
            finally:
                if not owner.cursors:
                    del self._owners[number]
                self._make_room()

    def next(self, locator: str, batch_size: int | None = None) -> dict[str, Any]:
        """Answer the page that a locator such as ``0r8XX0000012345AAA-2000`` names; it may be asked for again.

        Args:
            locator: last segment of a ``nextRecordsUrl``.
            batch_size: rows on this page; without it as many as on the first one.

        Raises:
            OrgError: 400 ``INVALID_QUERY_LOCATOR`` for one that is unknown, forgotten or too old.
        """
        match = _LOCATOR.fullmatch(locator)
        with self._lock:
            self._make_room()
            cursor = self._cursors.get(match[1]) if match else None
            if match is None or cursor is None or not 0 < int(match[2]) < cursor.result.total_size:
                raise OrgError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
            self._owners.move_to_end(cursor.owner)
            if batch_size is not None:
                size = min(max(batch_size, MINIMUM_BATCH_SIZE), MAXIMUM_BATCH_SIZE)
                cursor = attrs.evolve(cursor, batch_size=size)
            return self._page(cursor, match[1], int(match[2]))

    def _page(self, cursor: _Cursor, id15: str | None, start: int) -> dict[str, Any]:
        result = cursor.result
        page: dict[str, Any] = {"totalSize": result.total_size, "done": True}
        records: list[Record] = []
        room = cursor.batch_size

        def child_page(shape: RecordShape, rows: Sequence[Row]) -> Record:
            nonlocal room
            room -= len(rows)
            if len(rows) <= cursor.batch_size:
                return {
                    "totalSize": len(rows),
                    "done": True,
                    "records": [shape.record(row, child_page) for row in rows],
                }
            children = _Cursor(Result(len(rows), rows, shape, result.url), cursor.batch_size, cursor.owner)
            return self._page(children, None, 0)

        # A page ends early when the children on it are as many as it may hold records.
        for row in result.rows[start : start + cursor.batch_size]:
            records += result.render([row], child_page)
            if room <= 0:
                break
        end = start + len(records)
        if end < len(result.rows):
            page["done"] = False
            id15 = id15 or self._open(cursor)
            page["nextRecordsUrl"] = f"{result.url}/{id15}{_ids.suffix(id15)}-{end}"
        page["records"] = records
        return page

    def _open(self, cursor: _Cursor) -> str:
        for known in self._owners[cursor.owner].cursors:
            # The same page asked for again leads to the same pages of its children.
            if self._cursors[known].result.rows is cursor.result.rows:
                return known
        id15 = _ids.make("0r8", next(self._numbers))[:15]
        self._cursors[id15] = cursor
        self._owners[cursor.owner].cursors.append(id15)
        return id15

    def _make_room(self) -> None:
        oldest = self._clock() - _LIFETIME
        for number in [number for number, owner in self._owners.items() if owner.opened <= oldest]:
            self._forget(number)
        rows = sum(owner.rows for owner in self._owners.values())
        while len(self._owners) > 1 and (len(self._owners) > self._maximum or rows > self._maximum_rows):
            rows -= self._forget(next(iter(self._owners)))

    def _forget(self, number: int) -> int:
        owner = self._owners.pop(number)
        for id15 in owner.cursors:
            del self._cursors[id15]
        return owner.rows
