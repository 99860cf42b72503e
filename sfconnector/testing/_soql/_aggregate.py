"""SELECTs that answer numbers: COUNT(), aggregate functions, GROUP BY with ROLLUP and CUBE, HAVING.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_agg_functions.htm
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_groupby.htm
"""

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Final

import attrs

from sfconnector.testing._soql import _ast
from sfconnector.testing._soql._filter import NUMBERS, TEXT, Filter, Operand
from sfconnector.testing._soql._refusals import MALFORMED_QUERY, unsupported
from sfconnector.testing._soql._render import RecordShape, Row, Value, constant, field_value
from sfconnector.testing._soql._scope import FieldColumn
from sfconnector.testing._soql._select import Plan, Select, direction
from sfconnector.testing._soql._statement import select

_FUNCTIONS: Final = frozenset({"AVG", "COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "GROUPING"})
_NOT_COMPARABLE: Final = frozenset({"boolean", "textarea", "multipicklist", "base64", "address", "location"})
_NOT_COUNTABLE: Final = frozenset({"base64", "address", "location", "multipicklist"})
_MAXIMUM_SUBTOTALS: Final = 3


def is_count(query: _ast.Query) -> bool:
    """Tell whether a query is ``SELECT COUNT() FROM …``."""
    match query.selection:
        case (_ast.Column(_ast.Call(function, ()), None),):
            return function.upper() == "COUNT"
    return False


def is_aggregate(query: _ast.Query) -> bool:
    """Tell whether a query answers aggregate results or a count instead of records."""
    expressions = [item.expression for item in query.selection if isinstance(item, _ast.Column)]
    return bool(query.group_by or query.having) or any(
        isinstance(one, _ast.Call) and one.function.upper() in _FUNCTIONS for one in expressions
    )


class CountSelect(Select):
    def plan(self) -> Plan:
        """Plan ``SELECT COUNT() FROM …``, which counts up to its LIMIT."""
        self.check()
        if self.query.group_by or self.query.having or self.query.order_by:
            at = self.query.sources[0].name
            raise self.scope.refuse(at, MALFORMED_QUERY, "COUNT() cannot be used with GROUP BY, HAVING or ORDER BY")
        rows = select(["1"], self.scope.joins, self.where(), window=self.window())
        return Plan(select(["COUNT(*)"], [f"({rows})"], "1"), self.statement.parameters, None)


@attrs.frozen
class _Aggregate:
    """A selected function or grouped field; ``type`` is the field type of its value."""

    sql: str
    type: str
    name: str
    picklist: tuple[str, ...] = ()

    def value(self, index: int) -> Value:
        if not self.picklist:
            return field_value(self.type, index)
        values = self.picklist

        def read(row: Row) -> object:
            # A rank among the picklist's values, or a value that is not defined.
            return values[row[index]] if isinstance(row[index], int) else row[index]

        return read


class AggregateSelect(Select):
    """ROLLUP and CUBE are several grouped SELECTs; ``_present`` tells which fields the present one groups by."""

    _keyword: str
    _groups: list[FieldColumn]
    _present: frozenset[int]

    def plan(self) -> Plan:
        """Plan a query with aggregate functions or GROUP BY."""
        self.check()
        self._keyword, self._groups = self._grouping()
        if not self._groups and self.query.limit is not None:
            reason = "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"
            raise self.scope.refuse(self.query.limit, MALFORMED_QUERY, reason)
        selects = []
        columns: dict[str, _Aggregate] = {}
        orders: list[tuple[str, str]] = []
        for present in self._sets():
            self._present = present
            columns, orders = dict(self._columns()), list(self._orders())
            selects.append(self._select([*(one.sql for one in columns.values()), *(sql for sql, _ in orders)]))
        order_by = ", ".join(f"{position} {words}" for position, (_, words) in enumerate(orders, len(columns) + 1))
        sql = f"{' UNION ALL '.join(selects)}{f' ORDER BY {order_by}' if order_by else ''}{self.window()}"
        values = tuple((key, column.value(index)) for index, (key, column) in enumerate(columns.items()))
        shape = RecordShape(constant("AggregateResult"), None, constant(None), values)
        return Plan(sql, self.statement.parameters, shape, pages=False)

    def _select(self, columns: list[str]) -> str:
        groups = [column.sql for index, column in enumerate(self._groups) if index in self._present]
        return select(
            columns,
            self.scope.joins,
            self.where(),
            # The grand total of ROLLUP is one group of everything.
            group_by=", ".join(groups) or ("NULL" if self._groups else ""),
            having="" if self.query.having is None else self._having().sql(self.query.having),
        )

    def _sets(self) -> list[frozenset[int]]:
        everything = range(len(self._groups))
        sizes = range(len(self._groups), -1, -1)
        if self._keyword == "ROLLUP":
            return [frozenset(everything[:size]) for size in sizes]
        if self._keyword == "CUBE":
            return [frozenset(chosen) for size in sizes for chosen in combinations(everything, size)]
        return [frozenset(everything)]

    def _grouping(self) -> tuple[str, list[FieldColumn]]:
        """The keyword ROLLUP, CUBE or none, and the fields of GROUP BY."""
        expressions: Iterable[_ast.Expression | _ast.Literal] = self.query.group_by
        keyword = ""
        match self.query.group_by:
            case (_ast.Call(function, arguments) as call,) if function.upper() in ("ROLLUP", "CUBE"):
                keyword, expressions = function.upper(), arguments
                if not 1 <= len(arguments) <= _MAXIMUM_SUBTOTALS:
                    reason = f"{keyword} takes up to {_MAXIMUM_SUBTOTALS} fields"
                    raise self.scope.refuse(call, MALFORMED_QUERY, reason)
        return keyword, [self._grouped(expression) for expression in expressions]

    def _grouped(self, expression: _ast.Expression | _ast.Literal) -> FieldColumn:
        if isinstance(expression, _ast.Literal):
            raise self.scope.refuse(expression, MALFORMED_QUERY, f"unexpected token: '{expression.text}'")
        if isinstance(expression, _ast.Call):
            raise unsupported(f"the function {expression.function}() in GROUP BY")
        column = self.scope.column(expression)
        if not column.field.groupable or not column.sql:
            reason = f"field '{column.field.name}' can not be grouped in a query call"
            raise self.scope.refuse(expression, MALFORMED_QUERY, reason)
        return column

    def _columns(self) -> Iterator[tuple[str, _Aggregate]]:
        """The keys of an aggregate result: aliases, names of fields, and expr0, expr1… for the rest."""
        used: set[str] = set()
        numbered = 0
        for item in self.query.selection:
            if not isinstance(item, _ast.Column):
                at = item.query.sources[0].name if isinstance(item, _ast.Child) else item.relationship
                reason = "an aggregate query selects fields and aggregate functions only"
                raise self.scope.refuse(at, MALFORMED_QUERY, reason)
            column = self._aggregate(item.expression)
            if item.alias is not None:
                key = item.alias.text
            elif isinstance(item.expression, _ast.Path):
                key = column.name
            else:
                key, numbered = f"expr{numbered}", numbered + 1
            if key.lower() in used:
                raise self.scope.refuse(item.alias or item.expression, MALFORMED_QUERY, f"duplicate alias: {key}")
            used.add(key.lower())
            yield key, column

    def _aggregate(
        self, expression: _ast.Expression, reason: str = "Field must be grouped or aggregated"
    ) -> _Aggregate:
        if isinstance(expression, _ast.Path):
            column = self.scope.column(expression)
            if column not in self._groups:
                raise self.scope.refuse(expression, MALFORMED_QUERY, f"{reason}: {expression.text}")
            return _Aggregate(self._key(column), column.field.type, column.field.name)
        function = expression.function.upper()
        if function not in _FUNCTIONS:
            raise unsupported(f"the function {expression.function}() in an aggregate query")
        match expression.arguments:
            case (_ast.Path() as path,):
                return self._call(function, self.scope.column(path), expression)
        raise self.scope.refuse(expression, MALFORMED_QUERY, f"unexpected token: '{expression.text}'")

    def _call(self, function: str, column: FieldColumn, at: _ast.Call) -> _Aggregate:
        field, sql = column.field, column.sql
        if function == "GROUPING":
            if column not in self._groups or not self._keyword:
                raise self.scope.refuse(at, MALFORMED_QUERY, f"Field must be grouped or aggregated: {column.path}")
            return _Aggregate(self._marker(column), "int", at.text)
        allowed = {
            "COUNT": field.type not in _NOT_COUNTABLE,
            "COUNT_DISTINCT": field.type not in _NOT_COUNTABLE,
            "MIN": field.type not in _NOT_COMPARABLE,
            "MAX": field.type not in _NOT_COMPARABLE,
        }
        if not field.aggregatable or not allowed.get(function, field.type in NUMBERS):
            reason = f"field {column.path} does not support aggregate operator {function}"
            raise self.scope.refuse(at, MALFORMED_QUERY, reason)
        if function == "COUNT_DISTINCT":
            return _Aggregate(f"COUNT(DISTINCT {sql})", "int", at.text)
        if function in ("MIN", "MAX") and field.type == "picklist" and field.picklist_values:
            ranks = tuple(value.value for value in field.picklist_values)
            return _Aggregate(f"{function}({self.picklist_rank(column)})", field.type, at.text, ranks)
        result_type = {"COUNT": "int", "AVG": "double"}.get(function, field.type)
        return _Aggregate(f"{function}({sql})", result_type, at.text)

    def _key(self, column: FieldColumn) -> str:
        return column.sql if self._groups.index(column) in self._present else "NULL"

    def _marker(self, column: FieldColumn) -> str:
        """1 where a row sums up over the field, as ``GROUPING()`` tells."""
        return str(int(self._groups.index(column) not in self._present))

    def _having(self) -> Filter:
        return attrs.evolve(self.filter(), resolve=self._having_operand)

    def _having_operand(self, expression: _ast.Expression) -> Operand:
        aggregate = self._aggregate(expression)
        if aggregate.picklist:
            raise unsupported(f"{expression.text} of a picklist in HAVING")
        return Operand(aggregate.sql, aggregate.type, aggregate.name, expression.position)

    def _orders(self) -> Iterator[tuple[str, str]]:
        """The expressions by which rows are sorted, each with its direction."""
        for order in self.query.order_by:
            aggregate = self._aggregate(order.expression, "Ordered field must be grouped or aggregated")
            sql = f"soql_fold({aggregate.sql})" if aggregate.type in TEXT and not aggregate.picklist else aggregate.sql
            yield sql, direction(descending=order.descending, nulls_last=order.nulls_last)
        # Besides, groups come in the order of their fields, subtotals after what they sum up.
        for column in self._groups:
            yield self._marker(column), direction()
            yield self._key(column), direction()
