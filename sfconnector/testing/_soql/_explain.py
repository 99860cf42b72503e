"""How a query would be run: by an index of SQLite, which follows the fields that Salesforce indexes, or by a scan.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-query-performance-feedback.html
"""

import re
import sqlite3
from typing import Any, Final

from sfconnector.testing._database import quote
from sfconnector.testing._schema import Schema, SObjectType
from sfconnector.testing._soql._context import Context
from sfconnector.testing._soql._parser import parse
from sfconnector.testing._soql._plan import make_plan
from sfconnector.testing._soql._select import Environment

# An index counts as selective below this share of the records.
# https://developer.salesforce.com/docs/atlas.en-us.apexcode.meta/apexcode/langCon_apex_SOQL_VLSQ.htm
_SELECTIVE: Final = 0.1


def explain(text: str, *, schema: Schema, connection: sqlite3.Connection, context: Context) -> list[dict[str, Any]]:
    """The plans for a query, the best first.

    Raises:
        OrgError: as for running the query.
    """
    query = parse(text)
    environment = Environment(text, schema, context)
    plan = make_plan(query, environment)
    sobject = environment.sobject(query.sources[0].name)
    steps = connection.execute(f"EXPLAIN QUERY PLAN {plan.sql}", dict(plan.parameters)).fetchall()
    indexed = [name for step in steps if (name := _indexed_field(sobject, step["detail"]))]
    total = _count(connection, f"SELECT 1 FROM {quote(sobject.name)}", {})
    found = _count(connection, plan.sql, plan.parameters) if plan.shape is not None else total
    threshold = max(1.0, total * _SELECTIVE)

    def described(operation: str, cardinality: int, fields: list[str]) -> dict[str, Any]:
        return {
            "cardinality": cardinality,
            "fields": fields,
            "leadingOperationType": operation,
            "notes": [],
            "relativeCost": round(cardinality / threshold, 3),
            "sobjectCardinality": total,
            "sobjectType": sobject.name,
        }

    plans = [described("Index", found, indexed)] if indexed else []
    plans.append(described("TableScan", total, []))
    return sorted(plans, key=lambda plan: float(plan["relativeCost"]))


def _indexed_field(sobject: SObjectType, step: str) -> str | None:
    """The field of the index by which a step searches the object itself."""
    match = re.match(rf"SEARCH .* USING .*INDEX (?:{sobject.name}\.(\w+)|sqlite_autoindex_{sobject.name}_1)", step)
    return None if match is None else match[1] or "Id"


def _count(connection: sqlite3.Connection, sql: str, parameters: Any) -> int:
    return int(connection.execute(f"SELECT COUNT(*) FROM ({sql})", parameters).fetchone()[0])
