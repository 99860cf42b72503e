"""SELECTs that answer records, those of child relationships included."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from sfconnector.testing._errors import OrgError
from sfconnector.testing._schema import ChildRelationship, SObjectType
from sfconnector.testing._soql import _ast, _refusals
from sfconnector.testing._soql._aggregate import is_aggregate
from sfconnector.testing._soql._refusals import MALFORMED_QUERY
from sfconnector.testing._soql._select import Plan, Select
from sfconnector.testing._soql._selection import Cell, Selection
from sfconnector.testing._soql._statement import select

_MAXIMUM_CHILDREN: Final = 20
_MAXIMUM_LEVELS: Final = 5
# Before this version child relationships did not nest.
_DEEP_SINCE: Final = 58.0


@attrs.frozen
class TablePlan:
    """What to ask SQLite, and how to read the cells of a row."""

    sobject: SObjectType
    sql: str
    parameters: Mapping[str, Any]
    cells: tuple[Cell, ...]


class RecordSelect(Select):
    def plan(self) -> Plan:
        """Plan a query whose records come from the object in FROM."""
        self.check()
        selection = self._selection()
        shape = selection.shape()
        sql = select(selection.columns, self.scope.joins, self.where(), order_by=self._order(), window=self.window())
        return Plan(sql, self.statement.parameters, shape, self._children())

    def plan_table(self) -> TablePlan:
        """Plan a query whose answer is flat: no record holds another."""
        self.check()
        selection = self._selection()
        cells = selection.cells()
        # Even a SELECT of nothing but functions has a column.
        selection.position(self.scope.root.record_id)
        sql = select(selection.columns, self.scope.joins, self.where(), order_by=self._order(), window=self.window())
        return TablePlan(self.sobject, sql, self.statement.parameters, tuple(cells))

    def plan_child(self, reference: str) -> Plan:
        """Plan the records whose field ``reference`` names one of the parents."""
        self.check()
        selection = self._selection()
        shape = selection.shape()
        parent = self.scope.column_of(self.scope.root, reference, self.query.sources[0].name).sql
        position = selection.position(parent)
        where = f"{parent} IN ({select(['value'], ['json_each(:parents)'], '1')}) AND {self.where()}"
        order, columns = self._order(), selection.columns
        if self.query.limit is None and self.query.offset is None:
            sql = select(columns, self.scope.joins, where, order_by=order)
        else:
            number = f"ROW_NUMBER() OVER (PARTITION BY {parent} ORDER BY {order}) AS number"
            numbered = select([*columns, number], self.scope.joins, where)
            sql = select(["*"], [f"({numbered})"], self._numbers(), order_by="number")
        return Plan(sql, self.statement.parameters, shape, self._children(), position)

    def _numbers(self) -> str:
        """LIMIT and OFFSET of a child relationship, which count under each parent."""
        limit, offset = self.query.limit, self.query.offset
        start = 0 if offset is None else offset.value
        terms = [f"number > {self.statement.bind(start)}"]
        if limit is not None:
            terms.append(f"number <= {self.statement.bind(start + limit.value)}")
        return " AND ".join(terms)

    def _selection(self) -> Selection:
        selection = Selection(self.scope, self.environment.context)
        for item in self.query.selection:
            match item:
                case _ast.Column():
                    selection.add(item, self.query)
                case _ast.TypeOf():
                    selection.add_typeof(item)
                case _ast.Child():
                    if item.alias is not None:
                        reason = "only aggregate expressions use field aliasing"
                        raise self.scope.refuse(item.alias, MALFORMED_QUERY, reason)
                    selection.add_child(self._relationship(item)[0], item)
        return selection

    def _order(self) -> str:
        terms = [self.order_term(order) for order in self.query.order_by]
        # Records that are equal so far keep one order on all pages.
        return ", ".join([*terms, self.scope.root.record_id])

    def _children(self) -> dict[str, Plan]:
        children = [item for item in self.query.selection if isinstance(item, _ast.Child)]
        if len(children) > _MAXIMUM_CHILDREN:
            reason = f"The query has more than {_MAXIMUM_CHILDREN} parent-to-child relationships."
            raise OrgError(400, MALFORMED_QUERY, reason)
        return dict(map(self._child, children))

    def _child(self, child: _ast.Child) -> tuple[str, Plan]:
        key, relationship = self._relationship(child)
        self._check_child(child.query)
        sobject = self.environment.schema.get(relationship.child_sobject)
        if sobject is None:
            raise self._not_understood(child)
        query = RecordSelect(self.environment, child.query, sobject, level=self.level + 1)
        return key, query.plan_child(relationship.field)

    def _check_child(self, query: _ast.Query) -> None:
        at = query.sources[0].name
        deepest = _MAXIMUM_LEVELS if float(self.environment.context.version) >= _DEEP_SINCE else 2
        if self.level >= deepest:
            reason = f"no more than {deepest} levels of parent-to-child relationships are allowed"
            raise self.scope.refuse(at, MALFORMED_QUERY, reason)
        if query.offset is not None and (self.query.limit is None or self.query.limit.value != 1):
            reason = "OFFSET in a subquery needs LIMIT 1 in the query around it"
            raise self.scope.refuse(at, MALFORMED_QUERY, reason)
        if query.scope is not None:
            raise self.scope.refuse(query.scope, MALFORMED_QUERY, f"unexpected token: '{query.scope.text}'")
        if is_aggregate(query):
            raise self.scope.refuse(at, MALFORMED_QUERY, "only root queries support aggregate expressions")

    def _relationship(self, child: _ast.Child) -> tuple[str, ChildRelationship]:
        *before, name = child.query.sources[0].name.names
        own = {self.sobject.name.lower(), *(source.alias.text.lower() for source in self.query.sources if source.alias)}
        if len(before) <= 1 and own.issuperset(part.lower() for part in before):
            for relationship in self.environment.schema.child_relationships(self.sobject.name):
                key = relationship.relationship_name
                if key is not None and key.lower() == name.lower():
                    return key, relationship
        raise self._not_understood(child)

    def _not_understood(self, child: _ast.Child) -> OrgError:
        at = child.query.sources[0].name
        return _refusals.no_such_child_relationship(self.environment.text, at.position, at.text)
