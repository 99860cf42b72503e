"""A parsed SOQL query. ``position`` is an offset into the text, for the row and column of an error."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import attrs


@attrs.frozen
class Path:
    """A field, a relationship path or an object as written, such as ``Account.Owner.Name``."""

    text: str
    position: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.text.split("."))


@attrs.frozen
class Literal:
    """A value; ``kind`` is one of the names in ``_literals``, ``value`` the Python value behind it.

    A string's ``pattern`` is its text for LIKE, in which a backslash takes the meaning from the next character.
    """

    kind: str
    value: Any
    text: str
    position: int
    pattern: str = ""


@attrs.frozen
class Call:
    """A function and its arguments, such as ``COUNT(Id)`` or ``FIELDS(ALL)``."""

    function: str
    arguments: tuple["Path | Call | Literal", ...]
    position: int

    @property
    def text(self) -> str:
        return f"{self.function}({', '.join(argument.text for argument in self.arguments)})"


Expression: TypeAlias = Path | Call


@attrs.frozen
class Column:
    expression: Expression
    alias: Path | None


@attrs.frozen
class Child:
    """A subquery of the field list: the records of a child relationship."""

    query: "Query"
    alias: Path | None
    position: int


@attrs.frozen
class When:
    sobject: Path
    columns: tuple[Expression, ...]


@attrs.frozen
class TypeOf:
    relationship: Path
    branches: tuple[When, ...]
    otherwise: tuple[Expression, ...]


Selected: TypeAlias = Column | Child | TypeOf


@attrs.frozen
class Comparison:
    """``operator`` is ``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=`` or ``LIKE``."""

    operand: Expression
    operator: str
    value: Literal


@attrs.frozen
class Membership:
    """``operator`` is ``IN``, ``NOT IN``, ``INCLUDES`` or ``EXCLUDES``."""

    operand: Expression
    operator: str
    values: tuple[Literal, ...]


@attrs.frozen
class SemiJoin:
    operand: Expression
    operator: str
    query: "Query"


@attrs.frozen
class And:
    terms: tuple["Condition", ...]


@attrs.frozen
class Or:
    terms: tuple["Condition", ...]


@attrs.frozen
class Not:
    term: "Condition"


Condition: TypeAlias = Comparison | Membership | SemiJoin | And | Or | Not


def conditions(condition: Condition | None) -> Iterator[Condition]:
    """Yield a condition and all that it is made of."""
    pending = [] if condition is None else [condition]
    while pending:
        current = pending.pop()
        yield current
        match current:
            case And(terms) | Or(terms):
                pending.extend(reversed(terms))
            case Not(term):
                pending.append(term)


@attrs.frozen
class Source:
    name: Path
    alias: Path | None


@attrs.frozen
class Order:
    expression: Expression
    descending: bool
    nulls_last: bool


@attrs.frozen
class With:
    """``WITH`` and what follows; ``kind`` is ``word``, ``filter`` or ``categories``."""

    kind: str
    name: Path


@attrs.frozen(kw_only=True)
class Query:
    selection: tuple[Selected, ...]
    sources: tuple[Source, ...]
    position: int
    scope: Path | None = None
    where: Condition | None = None
    with_clauses: tuple[With, ...] = ()
    group_by: tuple[Expression, ...] = ()
    having: Condition | None = None
    order_by: tuple[Order, ...] = ()
    limit: Literal | None = None
    offset: Literal | None = None
    tracking: str | None = None
    update: tuple[Path, ...] = ()
    locks: bool = False
    text: str = ""
