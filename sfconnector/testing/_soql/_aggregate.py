"""SELECTs that answer numbers: COUNT(), aggregate functions, GROUP BY with ROLLUP and CUBE, HAVING.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_agg_functions.htm
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_groupby.htm
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import Final

import attrs

from sfconnector.testing._soql import _ast
from sfconnector.testing._soql._calls import AGGREGATES, Term, date_term, is_aggregate_call, unknown_function
from sfconnector.testing._soql._conversions import CONVERSIONS, converted, format_of, scale_of
from sfconnector.testing._soql._filter import NUMBERS, TEXT, Filter, Operand
from sfconnector.testing._soql._refusals import MALFORMED_QUERY
from sfconnector.testing._soql._render import RecordShape, Row, Value, constant, converted_value, field_value
from sfconnector.testing._soql._scope import FieldColumn
from sfconnector.testing._soql._select import Plan, Select, direction
from sfconnector.testing._soql._statement import select

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
    return bool(query.group_by or query.having) or any(map(is_aggregate_call, expressions))


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
    scale: int = 0
    convert: Callable[[object], object] | None = None

    def value(self, index: int) -> Value:
        if not self.picklist:
            return converted_value(field_value(self.type, index), self.convert)
        values = self.picklist

        def read(row: Row) -> object:
            # A rank among the picklist's values, or a value that is not defined.
            return values[row[index]] if isinstance(row[index], int) else row[index]

        return read


class AggregateSelect(Select):
    """ROLLUP and CUBE are several grouped SELECTs; ``_present`` tells which fields the present one groups by."""

    _keyword: str
    _groups: list[Term]
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
        groups = [term.sql for index, term in enumerate(self._groups) if index in self._present]
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

    def _grouping(self) -> tuple[str, list[Term]]:
        """The keyword ROLLUP, CUBE or none, and the fields and date functions of GROUP BY."""
        expressions: Iterable[_ast.Expression | _ast.Literal] = self.query.group_by
        keyword = ""
        match self.query.group_by:
            case (_ast.Call(function, arguments) as call,) if function.upper() in ("ROLLUP", "CUBE"):
                keyword, expressions = function.upper(), arguments
                if not 1 <= len(arguments) <= _MAXIMUM_SUBTOTALS:
                    reason = f"{keyword} takes up to {_MAXIMUM_SUBTOTALS} fields"
                    raise self.scope.refuse(call, MALFORMED_QUERY, reason)
        return keyword, [self._grouped(expression) for expression in expressions]

    def _grouped(self, expression: _ast.Expression | _ast.Literal) -> Term:
        if isinstance(expression, _ast.Literal):
            raise self.scope.refuse(expression, MALFORMED_QUERY, f"unexpected token: '{expression.text}'")
        if isinstance(expression, _ast.Call):
            term = date_term(self.scope, expression, self.environment.context)
            if term is None:
                raise unknown_function(self.scope, expression)
            return term
        column = self.scope.column(expression)
        if not column.field.groupable or not column.sql:
            reason = f"field '{column.field.name}' can not be grouped in a query call"
            raise self.scope.refuse(expression, MALFORMED_QUERY, reason)
        return _plain(column)

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
            elif _stands_for_a_field(item.expression):
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
            term = _plain(self.scope.column(expression))
            if term not in self._groups:
                raise self.scope.refuse(expression, MALFORMED_QUERY, f"{reason}: {expression.text}")
            scale = scale_of(term.column.field)
            return _Aggregate(self._key(term), term.type, term.name, scale=scale)
        function = expression.function.upper()
        if function in CONVERSIONS:
            return self._conversion(function, expression)
        if (date := date_term(self.scope, expression, self.environment.context)) is not None:
            return self._date(date, expression, reason)
        if function not in AGGREGATES:
            raise unknown_function(self.scope, expression)
        match expression.arguments:
            case (_ast.Path() as path,):
                return self._call(function, self.scope.column(path), expression)
        raise self.scope.refuse(expression, MALFORMED_QUERY, f"unexpected token: '{expression.text}'")

    def _date(self, term: Term, at: _ast.Call, reason: str) -> _Aggregate:
        """A date function that is grouped by, or whose date field is."""
        if term in self._groups:
            return _Aggregate(self._key(term), term.type, term.name)
        field = _plain(term.column)
        if field.type == "date" and field in self._groups:
            return _Aggregate(self._key(field, term.sql), term.type, term.name)
        raise self.scope.refuse(at, MALFORMED_QUERY, f"{reason}: {at.text}")

    def _conversion(self, function: str, call: _ast.Call) -> _Aggregate:
        """``toLabel()`` of a grouped field, ``FORMAT()`` of whatever is selected."""
        context = self.environment.context
        match function, call.arguments:
            case "FORMAT", (_ast.Path() | _ast.Call() as inner,):
                source = self._aggregate(inner)
                convert = format_of(self.scope, call, source.type, source.scale, context)
                return attrs.evolve(source, convert=convert)
            case "TOLABEL" | "CONVERTCURRENCY", (_ast.Path() as path,):
                source = self._aggregate(path)
                return attrs.evolve(source, convert=converted(self.scope, call, context)[1])
        raise unknown_function(self.scope, call)

    def _call(self, function: str, column: FieldColumn, at: _ast.Call) -> _Aggregate:
        field, sql = column.field, column.sql
        if function == "GROUPING":
            term = _plain(column)
            if term not in self._groups or not self._keyword:
                raise self.scope.refuse(at, MALFORMED_QUERY, f"Field must be grouped or aggregated: {column.path}")
            return _Aggregate(self._marker(term), "int", at.text)
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
        return _Aggregate(f"{function}({sql})", result_type, at.text, scale=scale_of(field))

    def _key(self, term: Term, sql: str = "") -> str:
        """What a group has in common; null in a row that sums up over it."""
        return (sql or term.sql) if self._groups.index(term) in self._present else "NULL"

    def _marker(self, term: Term) -> str:
        """1 where a row sums up over the field, as ``GROUPING()`` tells."""
        return str(int(self._groups.index(term) not in self._present))

    def _having(self) -> Filter:
        return attrs.evolve(self.filter(), resolve=self._having_operand)

    def _having_operand(self, expression: _ast.Expression) -> Operand:
        aggregate = self._aggregate(expression)
        if aggregate.convert is not None and isinstance(expression, _ast.Call):
            raise unknown_function(self.scope, expression)
        sql = aggregate.sql
        if aggregate.picklist:
            # From the rank back to the value, so that it compares like any text.
            ranked = (f"WHEN {rank} THEN {self.statement.bind(one)}" for rank, one in enumerate(aggregate.picklist))
            sql = f"CASE {sql} {' '.join(ranked)} ELSE {sql} END"
        return Operand(sql, aggregate.type, aggregate.name, expression.position)

    def _orders(self) -> Iterator[tuple[str, str]]:
        """The expressions by which rows are sorted, each with its direction."""
        for order in self.query.order_by:
            aggregate = self._aggregate(order.expression, "Ordered field must be grouped or aggregated")
            if aggregate.convert is not None and isinstance(order.expression, _ast.Call):
                raise unknown_function(self.scope, order.expression)
            sql = f"soql_fold({aggregate.sql})" if aggregate.type in TEXT and not aggregate.picklist else aggregate.sql
            yield sql, direction(descending=order.descending, nulls_last=order.nulls_last)
        # Besides, groups come in the order of their fields, subtotals after what they sum up.
        for term in self._groups:
            yield self._marker(term), direction()
            yield self._key(term), direction()


def _stands_for_a_field(expression: _ast.Expression) -> bool:
    """Tell whether an expression is a field or a field in other words, such as ``toLabel(StageName)``."""
    match expression:
        case _ast.Call(function, (_ast.Path(),)):
            return function.upper() in CONVERSIONS
    return isinstance(expression, _ast.Path)


def _plain(column: FieldColumn) -> Term:
    return Term(column.sql, column.field.type, column.field.name, column)
