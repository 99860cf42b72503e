"""What the names in a SELECT stand for: objects, parent relationships and fields, as joins and columns."""

from collections.abc import Iterable
from typing import Final

import attrs

from sfconnector.testing._database import quote
from sfconnector.testing._errors import OrgError
from sfconnector.testing._schema import Field, Schema, SObjectType
from sfconnector.testing._soql import _ast, _refusals
from sfconnector.testing._soql._statement import Statement, select

_MAXIMUM_LEVELS: Final = 5
_MAXIMUM_PARENTS: Final = 55
COMPOUND: Final = frozenset({"address", "location"})

# What every record has that an owner, a Who or a What can be: the Name object.
# https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_name.htm
_NAME_FIELDS: Final = {
    name.lower(): Field(
        name=name,
        type=type_,
        label=name,
        name_field=name == "Name",
        reference_to=(name.removesuffix("Id"),) if type_ == "reference" else (),
        relationship_name=name.removesuffix("Id") if type_ == "reference" else None,
    )
    for name, type_ in {
        "Id": "id",
        "Alias": "string",
        "Email": "email",
        "FirstName": "string",
        "IsActive": "boolean",
        "LastName": "string",
        "Name": "string",
        "Phone": "phone",
        "ProfileId": "reference",
        "Title": "string",
        "Type": "string",
        "UserRoleId": "reference",
        "Username": "string",
    }.items()
}


@attrs.frozen
class Node:
    """A record reached from the driving one.

    Args:
        sobject: its object, or ``None`` behind a reference that may point to several.
        alias: its table in the statement; unused where ``sobject`` is ``None``.
        record_id: SQL of its id.
        names: the relationships that lead to it, in describe's case.
        targets: what a polymorphic reference may point to.
        parent: the record one relationship nearer to the driving one.
    """

    sobject: SObjectType | None
    alias: str
    record_id: str
    names: tuple[str, ...] = ()
    targets: tuple[SObjectType, ...] = ()
    parent: "Node | None" = attrs.field(default=None, repr=False, eq=False)

    @property
    def entity(self) -> str:
        return self.sobject.name if self.sobject is not None else "Name"


@attrs.frozen
class FieldColumn:
    """A field and where it comes from; ``sql`` is empty for a compound field, which has ``components``."""

    field: Field
    node: Node
    sql: str
    components: tuple["FieldColumn", ...] = ()

    @property
    def path(self) -> str:
        return ".".join((*self.node.names, self.field.name))


class Scope:
    """The names of one SELECT: its driving object, its aliases and the joins that its paths need."""

    def __init__(
        self, *, text: str, schema: Schema, sobject: SObjectType, sources: tuple[_ast.Source, ...], statement: Statement
    ) -> None:
        alias = statement.alias()
        self.text = text
        self.schema = schema
        self.sobject = sobject
        self.statement = statement
        self.root = Node(sobject, alias, f'{alias}."Id"')
        self.joins = [f"{quote(sobject.name)} AS {alias}"]
        self._parents: dict[tuple[str, ...], Node] = {}
        self._aliases: dict[str, tuple[str, ...]] = {}
        self._add_aliases(sources)

    def _add_aliases(self, sources: tuple[_ast.Source, ...]) -> None:
        first, *others = sources
        self._aliases[self.sobject.name.lower()] = ()
        if first.alias is not None:
            self._aliases[first.alias.text.lower()] = ()
        for source in others:
            head, *names = source.name.names
            prefix = self._aliases.get(head.lower())
            if prefix is None or not names:
                raise self.refuse(
                    source.name,
                    _refusals.MALFORMED_QUERY,
                    "A driving SObject type has already been set, all other entity types in the FROM clause must be "
                    f"relationships to the initial object. The driving object is {self.sobject.name}.",
                )
            path = (*prefix, *names)
            self._walk(path, source.name)
            self._aliases[(source.alias or source.name).text.lower()] = path

    def refuse(self, at: _ast.Path | _ast.Call | _ast.Literal, code: str, reason: str) -> OrgError:
        return _refusals.refusal(self.text, at.position, code, reason)

    def _names(self, path: _ast.Path) -> tuple[str, ...]:
        """The path from the driving object, without the alias that it may begin with."""
        head, *rest = path.names
        if rest and (prefix := self._aliases.get(head.lower())) is not None:
            return (*prefix, *rest)
        return path.names

    def column(self, path: _ast.Path) -> FieldColumn:
        """Find the field at the end of a path.

        Raises:
            OrgError: 400 ``INVALID_FIELD`` for an unknown relationship or field.
        """
        *relationships, name = self._names(path)
        return self.column_of(self._walk(tuple(relationships), path), name, path)

    def column_at(self, node: Node, path: _ast.Path) -> FieldColumn:
        """Find a field whose path starts at another record than the driving one."""
        *relationships, name = path.names
        for relationship in relationships:
            node = self._parent(node, relationship, path)
        return self.column_of(node, name, path)

    def columns_of(self, fields: Iterable[Field]) -> list[FieldColumn]:
        """Make the columns of fields of the driving object."""
        return [self._make_column(self.root, field) for field in fields]

    def relationship(self, path: _ast.Path) -> Node:
        """Find the parent record at the end of a path of relationships."""
        return self._walk(self._names(path), path)

    def joined(self, node: Node, sobject: SObjectType) -> Node:
        """Give a polymorphic parent the shape of one of its objects; null where it is another one."""
        key = (*(name.lower() for name in node.names), f"<{sobject.name}>")
        if key not in self._parents:
            self._add(key, self._join(sobject, node.record_id, node.names, node.parent))
        return self._parents[key]

    def _walk(self, names: tuple[str, ...], path: _ast.Path) -> Node:
        if len(names) > _MAXIMUM_LEVELS:
            raise self.refuse(
                path,
                _refusals.INVALID_FIELD,
                f"'{path.text}' goes over {len(names)} relationships, and no more than {_MAXIMUM_LEVELS} are allowed",
            )
        node = self.root
        for name in names:
            node = self._parent(node, name, path)
        return node

    def _parent(self, node: Node, name: str, path: _ast.Path) -> Node:
        reference = self._reference(node, name)
        targets = [] if reference is None else [self.schema.get(target) for target in reference.reference_to]
        known = tuple(target for target in targets if target is not None)
        if reference is None or not known:
            raise _refusals.no_such_relationship(self.text, path.position, name)
        names = (*node.names, reference.relationship_name or name)
        key = tuple(part.lower() for part in names)
        if node.sobject is not None and node.names:
            key = (*key, f"<{node.sobject.name}>")
        if key not in self._parents:
            record_id = self._make_column(node, reference).sql
            if len(reference.reference_to) > 1:
                self._add(key, Node(None, "", record_id, names, known, node))
            else:
                self._add(key, self._join(known[0], record_id, names, node))
        return self._parents[key]

    def _reference(self, node: Node, name: str) -> Field | None:
        if node.sobject is not None:
            return node.sobject.relationship(name)
        fields = (field for field in _NAME_FIELDS.values() if field.relationship_name is not None)
        return next((field for field in fields if (field.relationship_name or "").lower() == name.lower()), None)

    def _add(self, key: tuple[str, ...], node: Node) -> None:
        if len(self._parents) >= _MAXIMUM_PARENTS:
            raise OrgError(
                400,
                _refusals.MALFORMED_QUERY,
                f"The query goes over more than {_MAXIMUM_PARENTS} child-to-parent relationships.",
            )
        self._parents[key] = node

    def _join(self, sobject: SObjectType, reference: str, names: tuple[str, ...], parent: Node | None) -> Node:
        alias = self.statement.alias()
        self.joins.append(f'LEFT JOIN {quote(sobject.name)} AS {alias} ON {alias}."Id" = {reference}')
        return Node(sobject, alias, f'{alias}."Id"', names, parent=parent)

    def column_of(self, node: Node, name: str, path: _ast.Path) -> FieldColumn:
        """Find a field of one record by its name in any case."""
        field = node.sobject.field(name) if node.sobject is not None else _NAME_FIELDS.get(name.lower())
        if field is None:
            raise _refusals.no_such_column(self.text, path.position, name, node.entity)
        return self._make_column(node, field)

    def _make_column(self, node: Node, field: Field) -> FieldColumn:
        if node.sobject is None:
            return FieldColumn(field, node, self._polymorphic(node, field))
        if field.type in COMPOUND:
            parts = [part for part in node.sobject.fields.values() if part.compound_field_name == field.name]
            return FieldColumn(field, node, "", tuple(self._make_column(node, part) for part in parts))
        sql = f"{node.alias}.{quote(field.name)}"
        if field.type == "boolean" and node.names:
            # Without a parent its boolean fields count as false.
            sql = f"COALESCE({sql}, 0)"
        return FieldColumn(field, node, sql)

    def _polymorphic(self, node: Node, field: Field) -> str:
        """Read a field of the Name object from the table that the id's first three characters name."""
        if field.name == "Id":
            return node.record_id
        cases = []
        for target in node.targets:
            value = self._value_of_target(node, target, field)
            if target.key_prefix is not None and value is not None:
                cases.append(f"WHEN {self.statement.bind(target.key_prefix)} THEN {value}")
        if not cases:
            return "NULL"
        sql = f"(CASE substr({node.record_id}, 1, 3) {' '.join(cases)} END)"
        return f"COALESCE({sql}, 0)" if field.type == "boolean" else sql

    def _value_of_target(self, node: Node, target: SObjectType, field: Field) -> str | None:
        if field.name == "Type":
            return self.statement.bind(target.name)
        source = target.name_field if field.name_field else target.field(field.name)
        if source is None:
            return None
        alias = self.statement.alias()
        value, table = f"{alias}.{quote(source.name)}", f"{quote(target.name)} AS {alias}"
        same_id = f'{alias}."Id" = {node.record_id}'
        return f"({select([value], [table], same_id)})"
