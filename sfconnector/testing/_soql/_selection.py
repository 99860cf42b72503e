"""The field list: which columns a SELECT needs and the shape of its records."""

import re
from collections.abc import Callable
from itertools import count
from typing import Any, Final, TypeAlias

import attrs

from sfconnector.testing._errors import OrgError
from sfconnector.testing._schema import Field
from sfconnector.testing._soql import _ast, _literals
from sfconnector.testing._soql._calls import date_term, distance
from sfconnector.testing._soql._context import Context
from sfconnector.testing._soql._conversions import converted
from sfconnector.testing._soql._refusals import INVALID_FIELD, MALFORMED_QUERY
from sfconnector.testing._soql._render import (
    RecordShape,
    Row,
    Value,
    chosen_value,
    compound_value,
    constant,
    converted_value,
    field_value,
    nested_value,
    record_url,
)
from sfconnector.testing._soql._scope import COMPOUND, FieldColumn, Node, Scope

_FIELDS_LIMIT: Final = 200
_Members: TypeAlias = "dict[str, FieldColumn | _Computed | _Parent | _TypeOf | None]"


@attrs.frozen
class _Parent:
    node: Node
    members: _Members = attrs.field(factory=dict)


@attrs.frozen
class _Computed:
    """A selected function: what SQLite computes, and what becomes of a value that is not null."""

    sql: str
    type: str
    convert: Callable[[Any], Any] | None = None


@attrs.frozen
class _TypeOf:
    node: Node
    branches: dict[str, _Parent]
    otherwise: _Parent | None


@attrs.frozen
class Cell:
    """A value of a flat row: the path that selects it, its type, and where it comes from."""

    path: str
    type: str
    value: Value


class Selection:
    """Collects the field list of a SELECT that answers records.

    ``columns`` are the SQL expressions in the order of the row; ``shape`` reads a row by their positions.
    """

    def __init__(self, scope: Scope, context: Context) -> None:
        self.columns: list[str] = []
        self._positions: dict[str, int] = {}
        self._scope = scope
        self._context = context
        self._root = _Parent(scope.root)
        self._unnamed = count()
        self._selected: list[tuple[str, FieldColumn | _Computed | _TypeOf]] = []

    # What is selected

    def add(self, item: _ast.Column, query: _ast.Query) -> None:
        """Add a field, a field of a parent, a function of one or ``FIELDS()``.

        Raises:
            OrgError: 400 for what is unknown or selected twice.
        """
        match item.expression:
            case _ast.Path() as path:
                if item.alias is not None:
                    reason = "only aggregate expressions use field aliasing"
                    raise self._scope.refuse(item.alias, MALFORMED_QUERY, reason)
                self._insert(self._scope.column(path))
            case _ast.Call(function) as call if function.upper() == "FIELDS":
                self._add_group(call, query)
            case _ast.Call() as call:
                self._add_call(call, item.alias)

    def _add_call(self, call: _ast.Call, alias: _ast.Path | None) -> None:
        """Add a function of one field, which takes the field's place or stands under its alias."""
        if call.function.upper() == "DISTANCE":
            key = alias.text if alias is not None else f"expr{next(self._unnamed)}"
            self._put(self._root, key, _Computed(distance(self._scope, call), "double"), key)
            return
        if date_term(self._scope, call, self._context) is not None:
            reason = f"Field must be grouped or aggregated: {call.text}"
            raise self._scope.refuse(call, MALFORMED_QUERY, reason)
        column, convert = converted(self._scope, call, self._context)
        computed = _Computed(column.sql, column.field.type, convert)
        if alias is None:
            self._put(self._descend(self._root, column.node, column.path), column.field.name, computed, column.path)
        else:
            self._put(self._root, alias.text, computed, alias.text)

    def add_child(self, name: str, at: _ast.Child) -> None:
        """Keep the place of a child relationship in the order of the keys."""
        if name in self._root.members:
            raise self._scope.refuse(at.query.sources[0].name, INVALID_FIELD, f"duplicate field selected: {name}")
        self._root.members[name] = None

    def add_typeof(self, clause: _ast.TypeOf) -> None:
        node = self._scope.relationship(clause.relationship)
        if node.sobject is not None:
            raise self._scope.refuse(
                clause.relationship,
                INVALID_FIELD,
                f"TYPEOF needs a polymorphic relationship, and '{clause.relationship.text}' points to "
                f"{node.sobject.name} only",
            )
        branches: dict[str, _Parent] = {}
        for branch in clause.branches:
            target = next((one for one in node.targets if one.name.lower() == branch.sobject.text.lower()), None)
            if target is None:
                raise self._scope.refuse(
                    branch.sobject,
                    "INVALID_TYPE",
                    f"'{clause.relationship.text}' does not refer to objects of the type '{branch.sobject.text}'",
                )
            branches[target.name] = self._branch(self._scope.joined(node, target), branch.columns)
        otherwise = self._branch(node, clause.otherwise) if clause.otherwise else None
        path = ".".join(node.names)
        self._put(
            self._descend(self._root, node.parent, path), node.names[-1], _TypeOf(node, branches, otherwise), path
        )

    def _branch(self, node: Node, columns: tuple[_ast.Expression, ...]) -> _Parent:
        branch = _Parent(node)
        for expression in columns:
            if not isinstance(expression, _ast.Path):
                raise self._scope.refuse(expression, MALFORMED_QUERY, f"unexpected token: '{expression.function}'")
            self._insert(self._scope.column_at(node, expression), branch)
        return branch

    def _insert(self, column: FieldColumn, start: _Parent | None = None) -> None:
        parent = self._descend(start or self._root, column.node, column.path)
        self._put(parent, column.field.name, column, column.path)

    def _descend(self, parent: _Parent, node: Node | None, path: str) -> _Parent:
        """Find or make the members of a node below ``parent``, and of all that lie between."""
        lineage = []
        while node is not None and node is not parent.node:
            lineage.append(node)
            node = node.parent
        for step in reversed(lineage):
            member = parent.members.setdefault(step.names[-1], _Parent(step))
            if not isinstance(member, _Parent):
                raise self._duplicate(path)
            parent = member
        return parent

    def _put(self, parent: _Parent, key: str, member: FieldColumn | _Computed | _TypeOf, path: str) -> None:
        if key in parent.members:
            raise self._duplicate(path)
        parent.members[key] = member
        self._selected.append((path, member))

    @staticmethod
    def _duplicate(path: str) -> OrgError:
        return OrgError(400, INVALID_FIELD, f"duplicate field selected: {path}")

    def _add_group(self, call: _ast.Call, query: _ast.Query) -> None:
        """``FIELDS(ALL)``, ``FIELDS(STANDARD)``, ``FIELDS(CUSTOM)``.

        https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_fields.htm
        """
        group = call.arguments[0].text.upper() if len(call.arguments) == 1 else ""
        chosen = {"ALL": lambda _field: True, "STANDARD": lambda field: not field.custom, "CUSTOM": lambda f: f.custom}
        if group not in chosen:
            raise self._scope.refuse(call, MALFORMED_QUERY, f"unexpected token: '{call.text}'")
        if group != "STANDARD" and not _is_bounded(query):
            raise OrgError(
                400, MALFORMED_QUERY, f"The SOQL FIELDS function must have a LIMIT of at most {_FIELDS_LIMIT}"
            )
        wanted: Callable[[Field], bool] = chosen[group]
        for column in self._scope.columns_of(filter(wanted, self._scope.sobject.fields.values())):
            self._insert(column)
        if not self._root.members and len(query.selection) == 1:
            raise OrgError(
                400,
                MALFORMED_QUERY,
                "'FIELDS(...)' expansion function must result in at least one field being selected.",
            )

    # What it becomes

    def shape(self) -> RecordShape:
        return self._shape(self._root)

    def cells(self) -> list[Cell]:
        """Read a row as a flat one, in the order of the field list.

        Raises:
            OrgError: 400 for what has no single value.
        """
        cells = []
        for path, member in self._selected:
            match member:
                case FieldColumn() if member.field.type in COMPOUND:
                    raise OrgError(400, "API_ERROR", "Selecting compound data not supported in Bulk Query")
                case FieldColumn():
                    kind = member.field.type
                    cells.append(Cell(path, kind, field_value(kind, self.position(member.sql))))
                case _Computed(sql, kind, convert):
                    value = converted_value(field_value(kind, self.position(sql)), convert)
                    cells.append(Cell(path, kind if convert is None else "string", value))
                case _TypeOf():
                    raise OrgError(400, "API_ERROR", "TYPEOF is not supported in Bulk Query")
        return cells

    def position(self, sql: str) -> int:
        """Have a column in the row, once, and tell where."""
        if sql not in self._positions:
            self._positions[sql] = len(self.columns)
            self.columns.append(sql)
        return self._positions[sql]

    def _shape(self, parent: _Parent, *, by_type: bool = False) -> RecordShape:
        node = parent.node
        id_of = field_value("id", self.position(node.record_id))
        real_type = self._type_of(node)
        # Fields that all targets of a reference share come as the type Name, at the address of the real record.
        type_of = constant("Name") if node.sobject is None and not by_type else real_type
        url_of = record_url(self._context.base_path, real_type, id_of)
        values = tuple((key, self._value(member, url_of)) for key, member in parent.members.items())
        return RecordShape(type_of, url_of, id_of, values)

    def _type_of(self, node: Node) -> Value:
        if node.sobject is not None:
            return constant(node.sobject.name)
        index = self.position(node.record_id)
        names = {target.key_prefix: target.name for target in node.targets}

        def read(row: Row) -> Any:
            return None if row[index] is None else names.get(row[index][:3])

        return read

    def _value(self, member: FieldColumn | _Computed | _Parent | _TypeOf | None, url_of: Value) -> Value:
        match member:
            case _Computed(sql, kind, convert):
                return converted_value(field_value(kind, self.position(sql)), convert)
            case None:
                return constant(None)
            case FieldColumn():
                return self._field_value(member, url_of)
            case _Parent():
                return nested_value(self._shape(member))
            case _TypeOf():
                branches = {name: self._shape(branch) for name, branch in member.branches.items()}
                otherwise = None if member.otherwise is None else self._shape(member.otherwise, by_type=True)
                return chosen_value(self._type_of(member.node), branches, otherwise)

    def _field_value(self, column: FieldColumn, url_of: Value) -> Value:
        if column.field.type in COMPOUND:
            return compound_value(
                (_part_name(column.field, part.field), self._field_value(part, url_of)) for part in column.components
            )
        index = self.position(column.sql)
        return field_value(column.field.type, index, lambda row: f"{url_of(row)}/{column.field.name}")


def _part_name(compound: Field, part: Field) -> str:
    """Name a part inside its compound value: ``BillingPostalCode`` of ``BillingAddress`` is ``postalCode``."""
    name = part.name.removesuffix("__s")
    prefix = compound.name.removesuffix("__c") + "__" if compound.custom else compound.name.removesuffix("Address")
    name = re.sub(f"^{re.escape(prefix)}", "", name)
    return name[:1].lower() + name[1:]


def _is_bounded(query: _ast.Query) -> bool:
    if query.limit is not None and query.limit.value <= _FIELDS_LIMIT:
        return True
    return query.where is not None and (_ids_asked(query.where) or _FIELDS_LIMIT + 1) <= _FIELDS_LIMIT


def _ids_asked(condition: _ast.Condition) -> int | None:
    """Count the ids to which a condition limits the result, or ``None`` if it does not."""
    match condition:
        case _ast.Comparison(_ast.Path() as path, "=", value) if _is_id(path) and value.kind == _literals.STRING:
            return 1
        case _ast.Membership(_ast.Path() as path, "IN", values) if _is_id(path):
            return len(values)
        case _ast.And(terms):
            return min(filter(None, map(_ids_asked, terms)), default=None)
        case _ast.Or(terms):
            counts = list(map(_ids_asked, terms))
            return None if None in counts else sum(filter(None, counts))
    return None


def _is_id(path: _ast.Path) -> bool:
    return path.text.lower() == "id"
