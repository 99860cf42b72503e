"""Running a query: plan, rows, children, result."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from sfconnector.testing._errors import OrgError
from sfconnector.testing._schema import Schema
from sfconnector.testing._soql._context import Context
from sfconnector.testing._soql._parser import parse
from sfconnector.testing._soql._plan import make_plan
from sfconnector.testing._soql._render import ChildPage, Children, Record, RecordShape, Row, whole
from sfconnector.testing._soql._select import Environment, Plan

_LARGEST_AGGREGATE: Final = 2_000


@attrs.frozen
class Result:
    """The answer to a query: the rows as they were, made into records when they are asked for.

    Args:
        total_size: number of records, or what ``COUNT()`` counted.
        rows: what SQLite gave.
        shape: how a row becomes a record, ``None`` where there are no records.
        url: the resource at which further pages are found.
        tracked: the object and the clause, where the query ends in ``FOR VIEW`` or ``FOR REFERENCE``.
    """

    total_size: int
    rows: Sequence[Row] = attrs.field(default=(), repr=False)
    shape: RecordShape | None = attrs.field(default=None, repr=False)
    url: str = ""
    tracked: tuple[str, str] | None = None

    @property
    def ids(self) -> list[str]:
        """The ids of all records; an aggregate result has none."""
        return [] if self.shape is None else [self.shape.id_of(row) for row in self.rows]

    @property
    def records(self) -> list[Record]:
        """All records as the REST API renders them, with all their children."""
        return self.render(self.rows, whole)

    def render(self, rows: Sequence[Row], child_page: ChildPage) -> list[Record]:
        """Render some of the rows; ``child_page`` says how much of the children goes with them."""
        shape = self.shape
        return [] if shape is None else [shape.record(row, child_page) for row in rows]


def execute(text: str, *, schema: Schema, connection: sqlite3.Connection, context: Context) -> Result:
    """Run a SOQL query.

    The connection must have been prepared by :func:`register`; it is only read.

    Args:
        text: the query.
        schema: the org's objects; each is a table of the same name.
        connection: where the tables are.
        context: who asks, when, and whether deleted records count.

    Raises:
        OrgError: 400 with Salesforce's code and text; 501 for SOQL that the local org cannot answer yet.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm
    """
    query = parse(text)
    plan = make_plan(query, Environment(text, schema, context))
    rows = _fetch(connection, plan.sql, plan.parameters)
    if plan.shape is None:
        return Result(rows[0][0])
    if not plan.pages and len(rows) > _LARGEST_AGGREGATE:
        reason = "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
        raise OrgError(400, "EXCEEDED_ID_LIMIT", reason)
    url = f"{context.base_path}/{'queryAll' if context.include_deleted else 'query'}"
    tracked = (query.sources[0].name.text, query.tracking) if query.tracking and plan.pages else None
    return Result(len(rows), rows, _with_children(plan, plan.shape, rows, connection), url, tracked)


def _fetch(connection: sqlite3.Connection, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
    cursor = connection.cursor()
    cursor.row_factory = None
    return cursor.execute(sql, parameters).fetchall()


def _with_children(plan: Plan, shape: RecordShape, rows: Sequence[Row], connection: sqlite3.Connection) -> RecordShape:
    """Fetch each child relationship with one statement for all parents."""
    if not plan.children:
        return shape
    parents = json.dumps([shape.id_of(row) for row in rows])
    children: dict[str, Children] = {}
    for key, child in plan.children.items():
        found = _fetch(connection, child.sql, {**child.parameters, "parents": parents})
        by_parent: defaultdict[str, list[Row]] = defaultdict(list)
        for row in found:
            by_parent[row[child.parent_of]].append(row)
        if child.shape is not None:
            children[key] = Children(_with_children(child, child.shape, found, connection), by_parent)
    return shape.with_children(children)
