"""SOQL's functions of one value: date functions, ``convertTimezone()``, ``toLabel()`` in conditions, ``DISTANCE()``.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_date_functions.htm
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_tolabel.htm
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_geolocate.htm
"""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Final

import attrs

from sfconnector.testing._errors import OrgError
from sfconnector.testing._schema import Field
from sfconnector.testing._soql import _ast, _literals
from sfconnector.testing._soql._context import Context
from sfconnector.testing._soql._filter import Operand
from sfconnector.testing._soql._functions import UNITS
from sfconnector.testing._soql._refusals import INVALID_FIELD, MALFORMED_QUERY
from sfconnector.testing._soql._scope import COMPOUND, FieldColumn, Scope

AGGREGATES: Final = frozenset({"AVG", "COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "GROUPING"})
# Only of the moment, which a date has not.
_OF_DATETIMES: Final = frozenset({"DAY_ONLY", "HOUR_IN_DAY"})
_RECORD_TYPE_NAME: Final = ("RecordType", "Name")


@attrs.frozen
class Term:
    """What a SELECT may group by: a field, or a date function of one. Terms with the same SQL are the same."""

    sql: str
    type: str
    name: str = attrs.field(eq=False)
    column: FieldColumn = attrs.field(eq=False)


def is_aggregate_call(expression: _ast.Expression | _ast.Literal) -> bool:
    """Tell whether an expression is an aggregate function, or is made of one as ``FORMAT(MAX(CloseDate))`` is."""
    if not isinstance(expression, _ast.Call):
        return False
    return expression.function.upper() in AGGREGATES or any(map(is_aggregate_call, expression.arguments))


def unknown_function(scope: Scope, call: _ast.Call) -> OrgError:
    """Refuse a function that SOQL has not, or not there."""
    return scope.refuse(call, MALFORMED_QUERY, f"unexpected token: '{call.function}'")


def date_term(scope: Scope, call: _ast.Call, context: Context) -> Term | None:
    """Compile a date function; ``None`` for another function.

    Raises:
        OrgError: 400 for what such a function cannot be given.
    """
    function = call.function.upper()
    if function not in _DATE_FUNCTIONS:
        return None
    match call.arguments:
        case (_ast.Path() as path,):
            column, moment = scope.column(path), ""
        case (_ast.Call(inner, (_ast.Path() as path,)),) if inner.upper() == "CONVERTTIMEZONE":
            column = scope.column(path)
            moment = f"soql_local({column.sql}, {scope.statement.constant(_zone_name(context.timezone))})"
        case _:
            raise scope.refuse(call, MALFORMED_QUERY, f"{call.function}() takes one date or dateTime field")
    allowed = ("datetime",) if moment or function in _OF_DATETIMES else ("date", "datetime")
    if column.field.type not in allowed:
        reason = f"field {column.path} does not support the function {call.text}"
        raise scope.refuse(call, INVALID_FIELD, reason)
    sql = _DATE_FUNCTIONS[function](moment or column.sql, context.fiscal_year_start_month)
    return Term(sql, "date" if function == "DAY_ONLY" else "int", call.text, column)


def condition_operand(scope: Scope, call: _ast.Call, context: Context) -> Operand:
    """Compile a function on the left side of a condition.

    Raises:
        OrgError: 400 for a function that WHERE does not take.
    """
    if (term := date_term(scope, call, context)) is not None:
        _check_filterable(scope, call, term.column.field)
        return Operand(term.sql, term.type, term.name, call.position)
    function = call.function.upper()
    if function == "DISTANCE":
        return Operand(distance(scope, call), "distance", call.text, call.position)
    if function == "TOLABEL":
        column = labelled(scope, call)
        if column.field.type != "picklist":
            reason = f"field '{column.field.name}' can not be filtered by its label in a query call"
            raise scope.refuse(call, INVALID_FIELD, reason)
        _check_filterable(scope, call, column.field)
        return Operand(_label_sql(scope, column), "string", call.text, call.position)
    raise unknown_function(scope, call)


def labelled(scope: Scope, call: _ast.Call) -> FieldColumn:
    """Find the field in ``toLabel()``: a picklist or the name of a record type.

    Raises:
        OrgError: 400 for another one.
    """
    match call.arguments:
        case (_ast.Path() as path,):
            column = scope.column(path)
            of_record_type = (column.node.entity, column.field.name) == _RECORD_TYPE_NAME
            if column.field.type in ("picklist", "multipicklist", "combobox") or of_record_type:
                return column
            raise scope.refuse(path, INVALID_FIELD, f"field '{column.field.name}' has no labels for toLabel()")
    raise unknown_function(scope, call)


def labels_of(field: Field) -> Callable[[str], str]:
    """How a picklist's stored value reads in the user's language."""
    labels = {value.value: value.label or value.value for value in field.picklist_values}
    if field.type == "multipicklist":
        return lambda stored: ";".join(labels.get(part, part) for part in stored.split(";"))
    return lambda stored: labels.get(stored, stored)


def distance(scope: Scope, call: _ast.Call) -> str:
    """Compile ``DISTANCE(field, GEOLOCATION(latitude, longitude), unit)``.

    Raises:
        OrgError: 400 for other arguments, or in another order.
    """
    match call.arguments:
        case (_ast.Path() as path, _ast.Call(inner, (latitude, longitude)), _ast.Literal() as unit) if (
            inner.upper() == "GEOLOCATION" and _is_number(latitude) and _is_number(longitude)
        ):
            column = scope.column(path)
            if column.field.type not in COMPOUND:
                reason = f"field '{column.field.name}' is no geolocation: DISTANCE() cannot be computed"
                raise scope.refuse(path, INVALID_FIELD, reason)
            if unit.value not in UNITS:
                reason = f"DISTANCE() takes the units {' and '.join(map(repr, UNITS))}"
                raise scope.refuse(unit, MALFORMED_QUERY, reason)
            halves = ("Latitude", "Longitude")
            place = [next(part.sql for part in column.components if half in part.field.name) for half in halves]
            bound = [scope.statement.constant(value) for value in (_float(latitude), _float(longitude), unit.value)]
            return f"soql_distance({', '.join([*place, *bound])})"
    raise scope.refuse(call, MALFORMED_QUERY, "DISTANCE() takes a geolocation field, GEOLOCATION() and a unit")


def _is_number(argument: _ast.Path | _ast.Call | _ast.Literal) -> bool:
    return isinstance(argument, _ast.Literal) and argument.kind == _literals.NUMBER


def _float(argument: _ast.Path | _ast.Call | _ast.Literal) -> float:
    return float(argument.value) if isinstance(argument, _ast.Literal) else 0.0


def _label_sql(scope: Scope, column: FieldColumn) -> str:
    bind = scope.statement.bind
    values = [value for value in column.field.picklist_values if value.label not in (None, value.value)]
    cases = (f"WHEN {bind(value.value)} THEN {bind(value.label)}" for value in values)
    return f"CASE {column.sql} {' '.join(cases)} ELSE {column.sql} END" if values else column.sql


def _check_filterable(scope: Scope, call: _ast.Call, field: Field) -> None:
    if not field.filterable:
        raise scope.refuse(call, INVALID_FIELD, f"field '{field.name}' can not be filtered in a query call")


def _zone_name(zone: tzinfo) -> str:
    return getattr(zone, "key", "UTC")


# Dates and moments are stored as ISO 8601, whose parts stand at fixed places. The second argument of each function is
# the month in which the fiscal year begins.


def _year(sql: str, _: int) -> str:
    return f"CAST(substr({sql}, 1, 4) AS INTEGER)"


def _month(sql: str, _: int) -> str:
    return f"CAST(substr({sql}, 6, 2) AS INTEGER)"


def _quarter(sql: str, _: int) -> str:
    return f"((CAST(substr({sql}, 6, 2) AS INTEGER) + 2) / 3)"


def _day(sql: str, _: int) -> str:
    return f"CAST(substr({sql}, 9, 2) AS INTEGER)"


def _day_in_week(sql: str, _: int) -> str:
    return f"(CAST(strftime('%w', substr({sql}, 1, 10)) AS INTEGER) + 1)"


def _day_in_year(sql: str, _: int) -> str:
    return f"CAST(strftime('%j', substr({sql}, 1, 10)) AS INTEGER)"


def _week_in_month(sql: str, first: int) -> str:
    return f"(({_day(sql, first)} + 6) / 7)"


def _week_in_year(sql: str, first: int) -> str:
    return f"(({_day_in_year(sql, first)} + 6) / 7)"


def _fiscal_month(sql: str, first: int) -> str:
    return f"(({_month(sql, first)} + {12 - first}) % 12 + 1)"


def _fiscal_quarter(sql: str, first: int) -> str:
    return f"((({_month(sql, first)} + {12 - first}) % 12) / 3 + 1)"


def _fiscal_year(sql: str, first: int) -> str:
    """A fiscal year is named after the calendar year in which it ends."""
    year = _year(sql, first)
    return year if first == 1 else f"({year} + ({_month(sql, first)} >= {first}))"


def _day_only(sql: str, _: int) -> str:
    return f"substr({sql}, 1, 10)"


def _hour(sql: str, _: int) -> str:
    return f"CAST(substr({sql}, 12, 2) AS INTEGER)"


_DATE_FUNCTIONS: Final[Mapping[str, Callable[[str, int], str]]] = {
    "CALENDAR_MONTH": _month,
    "CALENDAR_QUARTER": _quarter,
    "CALENDAR_YEAR": _year,
    "DAY_IN_MONTH": _day,
    "DAY_IN_WEEK": _day_in_week,
    "DAY_IN_YEAR": _day_in_year,
    "DAY_ONLY": _day_only,
    "FISCAL_MONTH": _fiscal_month,
    "FISCAL_QUARTER": _fiscal_quarter,
    "FISCAL_YEAR": _fiscal_year,
    "HOUR_IN_DAY": _hour,
    "WEEK_IN_MONTH": _week_in_month,
    "WEEK_IN_YEAR": _week_in_year,
}
