"""Groups of rows and of columns, each with its key in the fact map.

https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_factmap_example.htm
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs

from sfconnector.testing._reports._definition import Grouping
from sfconnector.testing._reports._labels import Shown, look_up, show
from sfconnector.testing._reports._periods import NONE, group
from sfconnector.testing._soql import Context

TOTAL: Final = "T"
Records = Sequence[Mapping[str, Any]]


@attrs.frozen
class Group:
    """Records that have a value in common, and the groups inside."""

    key: str
    shown: Shown
    records: Records = attrs.field(repr=False)
    groups: tuple["Group", ...]

    @property
    def answer(self) -> dict[str, Any]:
        return {**self.shown.cell, "groupings": [inner.answer for inner in self.groups], "key": self.key}

    def walk(self) -> Iterator["Group"]:
        """Yield the group and all that are inside, outer ones first."""
        yield self
        for inner in self.groups:
            yield from inner.walk()


@attrs.frozen
class Side:
    """All groups of one side of the report, the total of which is the group ``T``."""

    total: Group

    @property
    def answer(self) -> dict[str, Any]:
        return {"groupings": [outer.answer for outer in self.total.groups]}

    def walk(self) -> Iterator[Group]:
        return self.total.walk()

    def keys(self) -> dict[int, list[str]]:
        """The keys of the groups in which each record is, by the record's identity."""
        found: dict[int, list[str]] = {id(record): [] for record in self.total.records}
        for walked in self.walk():
            for record in walked.records:
                found[id(record)].append(walked.key)
        return found


def arrange(records: Records, groupings: Sequence[Grouping], context: Context) -> Side:
    """Put records into groups."""
    return Side(Group(TOTAL, Shown(None, ""), records, _split(records, groupings, context, "")))


def _split(records: Records, groupings: Sequence[Grouping], context: Context, prefix: str) -> tuple[Group, ...]:
    if not groupings:
        return ()
    grouping, *inner = groupings
    found: dict[Any, tuple[Shown, list[Mapping[str, Any]]]] = {}
    for record in records:
        shown = _shown(grouping, record, context)
        # A currency's value is an amount with its currency, which is no key.
        identity = shown.key if isinstance(shown.value, dict) else shown.value
        found.setdefault(identity, (shown, []))[1].append(record)
    ordered = sorted(found.values(), key=lambda entry: _rank(grouping, context, *entry), reverse=grouping.descending)
    return tuple(
        Group(f"{prefix}{index}", shown, members, _split(members, inner, context, f"{prefix}{index}_"))
        for index, (shown, members) in enumerate(ordered)
    )


def _shown(grouping: Grouping, record: Mapping[str, Any], context: Context) -> Shown:
    column = grouping.column
    if column.data_type not in ("date", "datetime") or grouping.granularity == NONE:
        return show(column, record, context)
    stored = look_up(record, column.path)
    if stored is None:
        return show(column, record, context)
    moment = datetime.fromisoformat(stored)
    day = moment.date() if moment.tzinfo is None else moment.astimezone(context.timezone).date()
    return group(grouping.granularity, day, context)


def _rank(grouping: Grouping, context: Context, shown: Shown, members: Records) -> tuple[Any, ...]:
    """Groups come by their summary, if that is asked for, else by their value; nothing comes first."""
    own = (shown.value is not None, shown.key, str(shown.value))
    if grouping.aggregate is None:
        return own
    summary = grouping.aggregate.over(members, context)
    return (summary.value is not None, summary.key, *own)
