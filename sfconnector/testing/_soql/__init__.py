"""SOQL: a grammar, a syntax tree, checks against the schema, SQL for SQLite, and records as the REST API has them.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql.htm
"""

from sfconnector.testing._soql._context import Context
from sfconnector.testing._soql._cursors import Cursors
from sfconnector.testing._soql._execute import Result, execute
from sfconnector.testing._soql._explain import explain
from sfconnector.testing._soql._functions import register
from sfconnector.testing._soql._parser import parse, parse_field_list
from sfconnector.testing._soql._table import plan_table, take_snapshot

__all__ = [
    "Context",
    "Cursors",
    "Result",
    "execute",
    "explain",
    "parse",
    "parse_field_list",
    "plan_table",
    "register",
    "take_snapshot",
]
