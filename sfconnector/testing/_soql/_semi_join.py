"""The documented restrictions of ``IN (SELECT …)`` and ``NOT IN (SELECT …)``.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_comparisonoperators.htm
"""

from typing import Final

from sfconnector.testing._errors import OrgError
from sfconnector.testing._schema import SObjectType
from sfconnector.testing._soql import _ast
from sfconnector.testing._soql._refusals import MALFORMED_QUERY, refusal
from sfconnector.testing._soql._scope import FieldColumn

_MAXIMUM: Final = 2
_NOT_TOP_LEVEL: Final = (
    "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE expressions."
)
_NOT_IN_SUBQUERIES: Final = frozenset({"ActivityHistory", "Attachment", "Event", "Note", "OpenActivity", "Task"})


def check_semi_joins(text: str, query: _ast.Query, *, in_child: bool) -> None:
    """Check where the semi-joins of a query stand and what they consist of.

    Raises:
        OrgError: 400 ``MALFORMED_QUERY``.
    """
    found = [one for one in _ast.conditions(query.where) if isinstance(one, _ast.SemiJoin)]
    if len(found) > _MAXIMUM:
        raise _refuse(text, found[_MAXIMUM], f"Maximum {_MAXIMUM} semi join sub-selects are allowed")
    if found and in_child:
        raise _refuse(text, found[0], _NOT_TOP_LEVEL)
    if found and query.where is not None:
        _check_place(text, query.where)
    for semi_join in found:
        _check_inner(text, semi_join)
    for condition in _ast.conditions(query.having):
        if isinstance(condition, _ast.SemiJoin):
            raise _refuse(text, condition, _NOT_TOP_LEVEL)


def _check_place(text: str, condition: _ast.Condition) -> None:
    """Refuse a semi-join anywhere but at the top level and under AND."""
    terms = condition.terms if isinstance(condition, _ast.And) else (condition,)
    for term in terms:
        inside = next((one for one in _ast.conditions(term) if isinstance(one, _ast.SemiJoin)), None)
        if inside is None or inside is term:
            continue
        if isinstance(term, _ast.Or):
            raise _refuse(text, inside, "Semi join sub-selects are not allowed with the 'OR' operator")
        raise _refuse(text, inside, _NOT_TOP_LEVEL)


def _check_inner(text: str, semi_join: _ast.SemiJoin) -> None:
    inner = semi_join.query
    if any(isinstance(one, _ast.SemiJoin) for one in _ast.conditions(inner.where)):
        raise _refuse(text, semi_join, "Nesting of semi join sub-selects is not supported")
    clauses = (inner.group_by, inner.order_by, inner.limit, inner.offset, inner.tracking, inner.update, inner.locks)
    if len(inner.selection) != 1 or any(clause not in (None, (), False) for clause in clauses):
        raise _refuse(text, semi_join, "A semi join sub-select has one field, FROM and WHERE, and nothing else")


def check_sides(
    text: str,
    semi_join: _ast.SemiJoin,
    outer: SObjectType,
    left: FieldColumn,
    inner: SObjectType,
    right: FieldColumn,
) -> None:
    """Check that both sides of a semi-join are ids of the same objects.

    Raises:
        OrgError: 400 ``MALFORMED_QUERY``.
    """
    if inner.name in _NOT_IN_SUBQUERIES:
        raise _refuse(text, semi_join, f"Entity '{inner.name}' is not supported for semi join inner selects")
    if inner.name == outer.name:
        raise _refuse(text, semi_join, "The inner and outer selects should not be on the same object type")
    if left.node.names:
        raise _refuse(
            text, semi_join, f"The left operand '{left.path}' cannot have more than one level of relationships"
        )
    if right.node.names:
        reason = f"The inner select field '{right.path}' cannot have more than one level of relationships"
        raise _refuse(text, semi_join, reason)
    if not _targets(outer, left) & _targets(inner, right):
        raise _refuse(
            text,
            semi_join,
            f"The selected field '{right.field.name}' in the subquery and the left operand field in the where "
            f"expression in the outer query '{left.field.name}' should point to the same object type",
        )


def _targets(sobject: SObjectType, column: FieldColumn) -> set[str]:
    return {sobject.name} if column.field.type == "id" else set(column.field.reference_to)


def _refuse(text: str, semi_join: _ast.SemiJoin, reason: str) -> OrgError:
    return refusal(text, semi_join.operand.position, MALFORMED_QUERY, reason)
