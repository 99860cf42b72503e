"""What all SELECTs have in common: the names in scope, WHERE, ORDER BY, LIMIT and the checks on them."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from sfconnector.testing._errors import OrgError
from sfconnector.testing._schema import Schema, SObjectType
from sfconnector.testing._soql import _ast, _refusals
from sfconnector.testing._soql._calls import condition_operand, distance, unknown_function
from sfconnector.testing._soql._context import Context
from sfconnector.testing._soql._filter import TEXT, Filter, Operand
from sfconnector.testing._soql._refusals import INVALID_FIELD, MALFORMED_QUERY, unsupported
from sfconnector.testing._soql._render import RecordShape
from sfconnector.testing._soql._restrictions import check_restrictions
from sfconnector.testing._soql._scope import COMPOUND, FieldColumn, Scope
from sfconnector.testing._soql._semi_join import check_semi_joins, check_sides
from sfconnector.testing._soql._statement import Statement, join, select

_MAXIMUM_OFFSET: Final = 2_000
_SCOPES: Final = frozenset(
    {"delegated", "mine", "mineandmygroups", "my_territory", "my_team_territory", "queue_owned", "scopingrule", "team"}
    | {"user_owned"}
)
_NOT_SORTABLE: Final = COMPOUND | {"multipicklist", "base64"}


@attrs.frozen
class Plan:
    """What to ask SQLite and what to make of the rows.

    Args:
        sql: the statement; that of a child relationship takes the parents' ids as JSON in ``:parents``.
        shape: how a row becomes a record, or ``None`` where the only row is a count.
        children: plans of child relationships by key.
        parent_of: position of the parent's id in a child's row.
        pages: whether further pages can be asked for; an aggregate answer is one page or none.
    """

    sql: str
    parameters: Mapping[str, Any]
    shape: RecordShape | None
    children: Mapping[str, "Plan"] = attrs.field(factory=dict)
    parent_of: int = 0
    pages: bool = True


@attrs.frozen
class Environment:
    """What the SELECTs of one query text share."""

    text: str
    schema: Schema
    context: Context

    def sobject(self, name: _ast.Path) -> SObjectType:
        """Find the object of FROM.

        Raises:
            OrgError: 400 ``INVALID_TYPE`` or ``INVALID_TYPE_FOR_OPERATION``.
        """
        sobject = self.schema.get(name.text)
        if sobject is None:
            raise _refusals.no_such_object(self.text, name.position, name.text)
        if not sobject.queryable:
            raise OrgError(400, "INVALID_TYPE_FOR_OPERATION", f"entity type {sobject.name} does not support query")
        return sobject


class Select:
    """One SELECT on its way to SQL; subclasses know what is selected."""

    def __init__(
        self,
        environment: Environment,
        query: _ast.Query,
        sobject: SObjectType,
        *,
        level: int = 1,
        statement: Statement | None = None,
    ) -> None:
        self.environment = environment
        self.query = query
        self.sobject = sobject
        self.level = level
        self.statement = statement or Statement()
        self.scope = Scope(
            text=environment.text,
            schema=environment.schema,
            sobject=sobject,
            sources=query.sources,
            statement=self.statement,
        )

    def check(self) -> None:
        """Refuse what the reference rules out whatever is selected.

        Raises:
            OrgError: 400.
        """
        query = self.query
        if self.level == 1:
            check_restrictions(self.sobject, query)
        for clause in query.with_clauses:
            if clause.kind != "word":
                raise unsupported("WITH")
            predicate = "{this.helper.allowApexSyntax() && this.helper.hasApexContext()}?"
            reason = f"rule soqlWithIdentifierClause failed predicate: {predicate}"
            raise self.scope.refuse(clause.name, MALFORMED_QUERY, reason)
        if query.offset is not None and query.offset.value > _MAXIMUM_OFFSET:
            raise OrgError(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {_MAXIMUM_OFFSET}")
        if query.locks and query.order_by:
            at = query.order_by[0].expression
            raise self.scope.refuse(at, MALFORMED_QUERY, "ORDER BY is not allowed in a query with FOR UPDATE")
        check_semi_joins(self.environment.text, query, in_child=self.level > 1)

    def where(self) -> str:
        """Compile the conditions, those that are not written included."""
        terms = []
        if "IsDeleted" in self.sobject.fields and not self.environment.context.include_deleted:
            terms.append(f'{self.scope.root.alias}."IsDeleted" = 0')
        if self.query.scope is not None:
            terms.append(self._in_scope(self.query.scope))
        if self.query.where is not None:
            terms.append(self.filter().sql(self.query.where))
        return join("AND", terms or ["1"])

    def filter(self) -> Filter:
        environment = self.environment
        return Filter(environment.text, self.statement, environment.context, self.operand, self._semi_join)

    def operand(self, expression: _ast.Expression) -> Operand:
        """Resolve the left side of a condition."""
        if isinstance(expression, _ast.Call):
            return condition_operand(self.scope, expression, self.environment.context)
        column = self.scope.column(expression)
        field = column.field
        if field.type in COMPOUND:
            reason = "Address fields can only be filtered using Distance expressions"
            raise self.scope.refuse(expression, INVALID_FIELD, reason)
        if not field.filterable:
            reason = f"field '{field.name}' can not be filtered in a query call"
            raise self.scope.refuse(expression, INVALID_FIELD, reason)
        return Operand(column.sql, field.type, field.name, expression.position, field.case_sensitive)

    def _in_scope(self, scope: _ast.Path) -> str:
        """https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_using_scope.htm"""
        name = scope.text.lower()
        if name == "everything":
            return "1"
        if name in _SCOPES and "OwnerId" not in self.sobject.fields:
            reason = f"The scope '{scope.text}' is not supported for {self.sobject.name}."
            raise OrgError(400, "INVALID_QUERY_SCOPE", reason)
        owner = f'{self.scope.root.alias}."OwnerId"'
        match name:
            case "mine":
                return f"{owner} = {self.statement.bind(self.environment.context.user_id)}"
            case "queue_owned" | "user_owned":
                return f"substr({owner}, 1, 3) = {self.statement.bind('00G' if name == 'queue_owned' else '005')}"
        if name in _SCOPES:
            # Teams, territories and delegates are features that the local org does not have.
            raise unsupported(f"USING SCOPE {scope.text}")
        raise self.scope.refuse(scope, MALFORMED_QUERY, f"unexpected token: '{scope.text}'")

    def _semi_join(self, condition: _ast.SemiJoin) -> str:
        query = condition.query
        sobject = self.environment.sobject(query.sources[0].name)
        inner = Select(self.environment, query, sobject, statement=self.statement)
        item = query.selection[0]
        selected = item.expression if isinstance(item, _ast.Column) else None
        if not isinstance(selected, _ast.Path) or not isinstance(condition.operand, _ast.Path):
            reason = "A semi join sub-select and what is compared with it are id or reference fields"
            raise self.scope.refuse(query.sources[0].name, MALFORMED_QUERY, reason)
        left, right = self.scope.column(condition.operand), inner.scope.column(selected)
        check_sides(self.environment.text, condition, self.sobject, left, inner.sobject, right)
        inner.check()
        where = f"{right.sql} IS NOT NULL AND {inner.where()}"
        ids = select([right.sql], inner.scope.joins, where)
        if condition.operator == "IN":
            return f"{left.sql} IN ({ids})"
        return f"({left.sql} IS NULL OR {left.sql} NOT IN ({ids}))"

    def order_term(self, order: _ast.Order) -> str:
        """Compile one term of ORDER BY."""
        if isinstance(order.expression, _ast.Call):
            # Records are sorted by fields and distances; groups by their functions too.
            if order.expression.function.upper() != "DISTANCE":
                raise unknown_function(self.scope, order.expression)
            words = direction(descending=order.descending, nulls_last=order.nulls_last)
            return f"{distance(self.scope, order.expression)} {words}"
        column = self.scope.column(order.expression)
        if not column.field.sortable or column.field.type in _NOT_SORTABLE:
            reason = f"field '{column.field.name}' can not be sorted in a query call"
            raise self.scope.refuse(order.expression, MALFORMED_QUERY, reason)
        # For a reference NULLS LAST has no effect.
        nulls_last = order.nulls_last and column.field.type != "reference"
        return f"{self.sort_key(column)} {direction(descending=order.descending, nulls_last=nulls_last)}"

    def sort_key(self, column: FieldColumn) -> str:
        """Sort a picklist as its values are defined, other text without regard to case."""
        if column.field.type == "picklist" and column.field.picklist_values:
            return self.picklist_rank(column)
        return f"soql_fold({column.sql})" if column.field.type in TEXT else column.sql

    def picklist_rank(self, column: FieldColumn) -> str:
        """Number the values of a picklist; one that is not defined stays itself, which SQLite sorts after numbers."""
        values = enumerate(value.value for value in column.field.picklist_values)
        cases = (f"WHEN {self.statement.bind(value)} THEN {rank}" for rank, value in values)
        return f"CASE {column.sql} {' '.join(cases)} ELSE {column.sql} END"

    def window(self) -> str:
        limit, offset = self.query.limit, self.query.offset
        if limit is None and offset is None:
            return ""
        rows = -1 if limit is None else limit.value
        skipped = 0 if offset is None else offset.value
        return f" LIMIT {self.statement.bind(rows)} OFFSET {self.statement.bind(skipped)}"


def direction(*, descending: bool = False, nulls_last: bool = False) -> str:
    """The words after a sort expression; nulls come first in both directions unless they are to be last."""
    return f"{'DESC' if descending else 'ASC'} NULLS {'LAST' if nulls_last else 'FIRST'}"
