"""Queries of the bulk APIs, whose answers are tables and may be large.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/queries.htm
"""

import sqlite3
from itertools import count
from typing import Any, Final

import attrs

from sfconnector.testing._errors import OrgError
from sfconnector.testing._schema import Schema
from sfconnector.testing._soql import _ast
from sfconnector.testing._soql._aggregate import is_aggregate, is_count
from sfconnector.testing._soql._context import Context
from sfconnector.testing._soql._parser import parse
from sfconnector.testing._soql._records import RecordSelect, TablePlan
from sfconnector.testing._soql._select import Environment

_TABLES: Final = count(1)
# Of Bulk API 2.0: https://github.com/OpenFn/adaptors/issues/395
_NO_CHILDREN: Final = "Aggregate Relationships not supported in Bulk V2 Query with CSV content type"


def plan_table(text: str, schema: Schema, context: Context) -> TablePlan:
    """Plan a query of the bulk APIs.

    Raises:
        OrgError: 400 for what is wrong, and for what they do not support.
    """
    query = parse(text)
    environment = Environment(text, schema, context)
    sobject = environment.sobject(query.sources[0].name)
    if any(isinstance(item, _ast.Child) for item in query.selection):
        raise OrgError(400, "API_ERROR", _NO_CHILDREN)
    if is_count(query) or is_aggregate(query) or query.group_by:
        raise OrgError(400, "API_ERROR", "Aggregate functions and GROUP BY are not supported in Bulk Query")
    if query.offset is not None:
        raise OrgError(400, "API_ERROR", "OFFSET is not supported in Bulk Query")
    return RecordSelect(environment, query, sobject).plan_table()


@attrs.frozen
class Snapshot:
    """The rows of a query as they were when it was made, read piece by piece."""

    _connection: sqlite3.Connection
    _table: str

    def read(self, after: int, number: int) -> list[tuple[Any, ...]]:
        """The rows that follow the first ``after``."""
        cursor = self._connection.cursor()
        cursor.row_factory = None
        sql = f"SELECT * FROM temp.{self._table} WHERE rowid > ? ORDER BY rowid LIMIT ?"
        return cursor.execute(sql, [after, number]).fetchall()

    def drop(self) -> None:
        self._connection.execute(f"DROP TABLE IF EXISTS temp.{self._table}")


def take_snapshot(plan: TablePlan, connection: sqlite3.Connection) -> Snapshot:
    """Run a query and keep its rows in a temporary table, which SQLite holds on disk when it is large."""
    table = f"bulk{next(_TABLES)}"
    connection.execute(f"CREATE TEMP TABLE {table} AS {plan.sql}", plan.parameters)
    return Snapshot(connection, table)
