"""What columns a query answers, and of which Salesforce type each is, by the descriptions of its objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from sfconnector._select import Called, Children, Path, Select, Selected, TypeOf, parse

if TYPE_CHECKING:
    from sfconnector_generated.rest.models import DescribeSObjectResult, Field

Describe: TypeAlias = "Callable[[str], DescribeSObjectResult]"

CHILDREN: Final = "children"
PARENT: Final = "parent"
"""The types of a column that are none of Salesforce's: a list of child records, and fields of a parent by its kind."""
_UNKNOWN: Final = "anyType"
_COMPOUND: Final = frozenset({"address", "location", CHILDREN, PARENT})

# Where a path leads through a reference to several objects, Salesforce offers the fields of the object Name:
# https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_name.htm
_NAME_FIELDS: Final = {
    **dict.fromkeys(("Alias", "FirstName", "LastName", "Name", "NameOrAlias", "Title", "Username"), "string"),
    **dict.fromkeys(("ProfileId", "RecordTypeId", "UserRoleId"), "reference"),
    **dict.fromkeys(("LastReferencedDate", "LastViewedDate"), "datetime"),
    "Id": "id",
    "Email": "email",
    "Phone": "phone",
    "Type": "picklist",
    "IsActive": "boolean",
}
_NAME_PARENTS: Final = ("Profile", "RecordType", "UserRole")

# https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_agg_functions.htm
# and …/sforce_api_calls_soql_select_date_functions.htm; what is missing has the type of its field.
_FUNCTIONS: Final = {
    **dict.fromkeys(("COUNT", "COUNT_DISTINCT", "GROUPING"), "long"),
    **dict.fromkeys(("AVG", "DISTANCE"), "double"),
    **dict.fromkeys(("CALENDAR_MONTH", "CALENDAR_QUARTER", "CALENDAR_YEAR"), "int"),
    **dict.fromkeys(("FISCAL_MONTH", "FISCAL_QUARTER", "FISCAL_YEAR"), "int"),
    **dict.fromkeys(("DAY_IN_MONTH", "DAY_IN_WEEK", "DAY_IN_YEAR", "HOUR_IN_DAY"), "int"),
    **dict.fromkeys(("WEEK_IN_MONTH", "WEEK_IN_YEAR"), "int"),
    **dict.fromkeys(("FORMAT", "TOLABEL"), "string"),
    "DAY_ONLY": "date",
}
# These change what a field shows and not what it is called.
_RENDERINGS: Final = frozenset({"CONVERTCURRENCY", "CONVERTTIMEZONE", "FORMAT", "TOLABEL"})
_WHOLE: Final = frozenset({"int", "long"})


@attrs.frozen
class Column:
    """A column of a table.

    Args:
        name: What it is called.
        type: A field type of Salesforce, such as ``"currency"``, or ``CHILDREN`` or ``PARENT``.
        path: The keys that lead to its value in a record.
        scale: How many digits its numbers show after the point, where that is known.
        optional: Whether a record may lack it.
        columns: The columns of child records, or of a parent.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
    """

    name: str
    type: str
    path: Path
    scale: int | None = None
    optional: bool = False
    columns: tuple[Column, ...] = ()


def selection(soql: str) -> Select:
    """Read what a query selects.

    Raises:
        ValueError: It selects no columns, or its SELECT list cannot be read.
    """
    select = parse(soql)
    if any(isinstance(item, Called) and item == Called(("COUNT",), (), item.alias) for item in select.items):
        raise ValueError("COUNT() selects no columns: read total_size, or count a field, as in COUNT(Id)")
    return select


def columns_of(select: Select, describe: Describe) -> tuple[Column, ...]:
    """Tell the columns of a query, in the order of its SELECT list.

    Args:
        select: What it selects.
        describe: Gives the description of an object; asked once for each.
    """
    return tuple(_Resolver(describe).columns(select, select.sobject))


def columns_named(names: Sequence[str], sobject: str, select: Select | None, describe: Describe) -> tuple[Column, ...]:
    """Tell the columns of records that come with a header.

    Args:
        names: The header: fields, and paths to those of parents.
        sobject: The object whose records they are.
        select: What was selected, in the order of the header, where that is known: it tells what functions give.
        describe: As for :func:`columns_of`.
    """
    resolver = _Resolver(describe)
    selected = () if select is None else tuple(resolver.columns(select, sobject))
    known = selected if len(selected) == len(names) else (None,) * len(names)
    return tuple(map(partial(_named, resolver, sobject), names, known))


def _named(resolver: _Resolver, sobject: str, name: str, selected: Column | None) -> Column:
    if selected is not None and _same(selected.name, name):
        column = selected
    else:
        column = resolver.field((sobject,), tuple(name.split(".")))
        if column.type == _UNKNOWN and selected is not None:
            column = attrs.evolve(selected, name=name)
    # What is in a cell is a text.
    return attrs.evolve(column, type="string") if column.type in _COMPOUND else column


class _Resolver:
    """Finds the types of columns in descriptions, each of which it asks for once."""

    def __init__(self, describe: Describe) -> None:
        self._describe = describe
        self._described: dict[str, DescribeSObjectResult] = {}

    def columns(self, select: Select, sobject: str) -> Iterator[Column]:
        """Give the columns of the records of an object."""
        unnamed = 0
        for item in select.items:
            match item:
                case Called(("FIELDS",), (group,)):
                    yield from self._group(sobject, group.upper())
                case Selected():
                    column = self.field((sobject,), item.path)
                    yield _grouped(column, item.alias) if select.grouped else column
                case Called() if not item.alias and not select.grouped and item.functions[0] in _RENDERINGS:
                    field = self.field((sobject,), item.path)
                    yield attrs.evolve(field, type=_kind(item) or field.type)
                case Called():
                    name = item.alias or f"expr{unnamed}"
                    yield attrs.evolve(self._function(sobject, item), name=name, path=(name,))
                    unnamed += item.alias is None
                case Children():
                    yield self._children(sobject, item)
                case TypeOf():
                    yield self._typeof(sobject, item)

    def _object(self, sobject: str) -> DescribeSObjectResult:
        key = sobject.lower()
        if key not in self._described:
            self._described[key] = self._describe(sobject)
        return self._described[key]

    def _group(self, sobject: str, group: str) -> Iterator[Column]:
        # Which of its fields Salesforce leaves out is nowhere written.
        wanted = {"ALL": (True, False), "CUSTOM": (True,), "STANDARD": (False,)}.get(group, ())
        for field in self._object(sobject).fields:
            if field.custom in wanted:
                yield _column(field, (field.name,), optional=True)

    def field(self, sobjects: Sequence[str], path: Path, prefix: Path = ()) -> Column:
        """Give the column of a field, or of one that a path of relationships leads to."""
        name, *rest = path
        if not rest:
            return self._last(sobjects, name, prefix)
        if len(sobjects) > 1 and (parent := _known(_NAME_PARENTS, name)):
            return self.field((parent,), tuple(rest), (*prefix, parent))
        field = self._find(sobjects, lambda field: _same(field.relationship_name, name))
        if field is None and not prefix and len(sobjects) == 1 and _same(name, sobjects[0]):
            # An object may be named before its own fields.
            return self.field(sobjects, tuple(rest))
        if field is None:
            return Column(".".join((*prefix, *path)), _UNKNOWN, (*prefix, *path))
        relationship = field.relationship_name or name
        return self.field(field.reference_to, tuple(rest), (*prefix, relationship))

    def _last(self, sobjects: Sequence[str], name: str, prefix: Path) -> Column:
        if len(sobjects) > 1 and (known := _known(_NAME_FIELDS, name)):
            return Column(".".join((*prefix, known)), _NAME_FIELDS[known], (*prefix, known))
        field = self._find(sobjects, lambda field: _same(field.name, name))
        if field is None:
            return Column(".".join((*prefix, name)), _UNKNOWN, (*prefix, name))
        return _column(field, (*prefix, field.name))

    def _find(self, sobjects: Iterable[str], matches: Callable[[Field], bool]) -> Field | None:
        fields = (field for sobject in sobjects for field in self._object(sobject).fields)
        return next(filter(matches, fields), None)

    def _function(self, sobject: str, item: Called) -> Column:
        if kind := _kind(item):
            return Column("", kind, ())
        field = self.field((sobject,), item.path) if item.path else Column("", _UNKNOWN, ())
        if item.functions[0] == "SUM":
            return attrs.evolve(field, type="long" if field.type in _WHOLE else "double")
        return field

    def _children(self, sobject: str, item: Children) -> Column:
        relationships = self._object(sobject).child_relationships
        found = next((each for each in relationships if _same(each.relationship_name, item.relationship)), None)
        if found is None:
            return Column(item.relationship, _UNKNOWN, (item.relationship,))
        name = found.relationship_name or item.relationship
        return Column(name, CHILDREN, (name,), columns=tuple(self.columns(item.select, found.child_sobject)))

    def _typeof(self, sobject: str, item: TypeOf) -> Column:
        """Give one column for the parent, with the fields of all its kinds."""
        columns: dict[str, Column] = {}
        field = self._find((sobject,), lambda field: _same(field.relationship_name, item.path[-1]))
        others = [] if field is None else field.reference_to
        for sobjects, fields in (*(((name,), fields) for name, fields in item.whens), (others, item.otherwise)):
            for selected in fields:
                column = attrs.evolve(self.field(sobjects, selected.path), optional=True)
                before = columns.setdefault(column.name, column)
                if before != column:
                    columns[column.name] = Column(column.name, _UNKNOWN, column.path, optional=True)
        relationship = item.path[-1] if field is None or field.relationship_name is None else field.relationship_name
        path = (*item.path[:-1], relationship)
        return Column(".".join(path), PARENT, path, columns=tuple(columns.values()))


def _kind(item: Called) -> str | None:
    return next((_FUNCTIONS[name] for name in item.functions if name in _FUNCTIONS), None)


def _column(field: Field, path: Path, *, optional: bool = False) -> Column:
    return Column(".".join(path), field.type, path, field.scale, optional)


def _grouped(column: Column, alias: str | None) -> Column:
    # In a group the field of a parent stands beside the others, under its own name.
    name = alias or column.path[-1]
    return attrs.evolve(column, name=name, path=(name,))


def _known(names: Iterable[str], name: str) -> str | None:
    return next((each for each in names if _same(each, name)), None)


def _same(name: str | None, other: str) -> bool:
    return name is not None and name.lower() == other.lower()
