"""A parsed SOSL statement. ``position`` is an offset into the text, for the row and column of an error."""

from typing import TypeAlias

import attrs

from sfconnector.testing._soql import _ast as soql


@attrs.frozen
class Char:
    """A character of a search term; a wildcard is one that was not escaped."""

    text: str
    wild: bool = False


@attrs.frozen
class Term:
    """A word, or a phrase in quotation marks; in a phrase the punctuation counts too."""

    chars: tuple[Char, ...]
    quoted: bool = False


@attrs.frozen
class And:
    left: "Expression"
    right: "Expression"


@attrs.frozen
class AndNot:
    left: "Expression"
    right: "Expression"


@attrs.frozen
class Or:
    terms: tuple["Expression", ...]


@attrs.frozen
class Neighbours:
    """Terms without an operator between them: most objects want all of them, documents any."""

    terms: tuple["Expression", ...]


Expression: TypeAlias = Term | And | AndNot | Or | Neighbours


@attrs.frozen
class Returned:
    """An object of RETURNING, and its fields, filter, order and window as a SOQL query.

    ``text`` is what refusals quote, where that is not the statement.
    """

    sobject: soql.Path
    query: soql.Query
    text: str = ""


@attrs.frozen(kw_only=True)
class Statement:
    """What is searched for, where, and what is answered; ``returning`` is empty for the ids of all objects.

    ``text`` is the statement, as refusals quote it.
    """

    text: str
    search: Expression
    group: str = "ALL"
    returning: tuple[Returned, ...] = ()
    limit: int | None = None
    labels: bool = False
    pricebook_id: str | None = None
