"""Functions that change how a selected value reads: ``toLabel()``, ``FORMAT()`` and ``convertCurrency()``.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_tolabel.htm
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_format.htm
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_querying_currency_fields.htm
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from sfconnector.testing._schema import Field
from sfconnector.testing._soql import _ast
from sfconnector.testing._soql._calls import labelled, labels_of, unknown_function
from sfconnector.testing._soql._context import Context
from sfconnector.testing._soql._format import FORMATTED, formatter
from sfconnector.testing._soql._refusals import INVALID_FIELD
from sfconnector.testing._soql._scope import FieldColumn, Scope

CONVERSIONS: Final = frozenset({"FORMAT", "CONVERTCURRENCY", "TOLABEL"})
Conversion: TypeAlias = Callable[[Any], Any] | None


def converted(scope: Scope, call: _ast.Call, context: Context) -> tuple[FieldColumn, Conversion]:
    """Find the field of a conversion, and what it makes of a stored value.

    Raises:
        OrgError: 400 for another function, or a field that the function does not take.
    """
    match call.function.upper(), call.arguments:
        case "TOLABEL", _:
            column = labelled(scope, call)
            return column, labels_of(column.field)
        case "CONVERTCURRENCY", (_ast.Path() as path,):
            column = scope.column(path)
            if column.field.type != "currency":
                raise scope.refuse(path, INVALID_FIELD, f"field '{column.field.name}' is no currency field")
            # An org with one currency has nothing to convert.
            return column, None
        case "FORMAT", (_ast.Path() as path,):
            column = scope.column(path)
            return column, format_of(scope, call, column.field.type, scale_of(column.field), context)
        case "FORMAT", (_ast.Call(inner) as nested,) if inner.upper() == "CONVERTCURRENCY":
            column, _ = converted(scope, nested, context)
            return column, format_of(scope, call, column.field.type, scale_of(column.field), context)
    raise unknown_function(scope, call)


def format_of(scope: Scope, call: _ast.Call, kind: str, scale: int, context: Context) -> Callable[[Any], str]:
    """Make what ``FORMAT()`` writes of a value.

    Raises:
        OrgError: 400 for a type that it does not take.
    """
    if kind not in FORMATTED:
        raise scope.refuse(call, INVALID_FIELD, f"{call.text} is no number, date or time: it cannot be formatted")
    return formatter(kind, scale, context)


def scale_of(field: Field) -> int:
    """The digits after the point with which a field is shown."""
    return 0 if field.type in ("int", "long") else field.scale
