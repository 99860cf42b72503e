"""A query made ready: checked against the schema, its SQL, and the shape of its answer."""

from sfconnector.testing._soql import _ast
from sfconnector.testing._soql._aggregate import AggregateSelect, CountSelect, is_aggregate, is_count
from sfconnector.testing._soql._records import RecordSelect
from sfconnector.testing._soql._select import Environment, Plan


def make_plan(query: _ast.Query, environment: Environment) -> Plan:
    """Plan a whole query.

    Raises:
        OrgError: 400 with Salesforce's code and text for what is unknown or not allowed;
            501 for what Salesforce can do and the local org cannot.
    """
    sobject = environment.sobject(query.sources[0].name)
    if is_count(query):
        return CountSelect(environment, query, sobject).plan()
    if is_aggregate(query):
        return AggregateSelect(environment, query, sobject).plan()
    return RecordSelect(environment, query, sobject).plan()
