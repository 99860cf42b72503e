"""What a SOQL query selects, read from its text: fields, functions, child relationships and TYPEOF.

Only the SELECT list and the names behind FROM are read, and only so far as they decide what columns an answer
has: whether a query is right is for Salesforce to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TypeAlias

import attrs

Path: TypeAlias = tuple[str, ...]

_TOKEN: Final = re.compile(r"'(?:[^'\\]|\\.)*'|[A-Za-z]\w*(?:\s*\.\s*[A-Za-z]\w*)*|[^\s\w]|\w+", re.ASCII | re.DOTALL)
_PATH: Final = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z]\w*)*", re.ASCII)
# What may follow an object in FROM where an alias may stand.
_CLAUSES: Final = frozenset(
    {"USING", "WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "UPDATE", "ALL"}
)
_AGGREGATES: Final = frozenset({"AVG", "COUNT", "COUNT_DISTINCT", "GROUPING", "MAX", "MIN", "SUM"})


@attrs.frozen
class Selected:
    """A field, or a path to a parent's."""

    path: Path
    alias: str | None = None


@attrs.frozen
class Called:
    """A function.

    Args:
        functions: Its name and those of the functions inside it, in capitals, the outermost first.
        path: The field that it is of, if it is of one; of ``FIELDS()`` the group.
        alias: What the column is called.
    """

    functions: tuple[str, ...]
    path: Path
    alias: str | None = None


@attrs.frozen
class Children:
    """The records of a child relationship."""

    relationship: str
    select: Select


@attrs.frozen
class TypeOf:
    """Fields of a parent that depend on what kind of record it is.

    Args:
        path: The relationship.
        whens: The fields by object.
        otherwise: The fields of all other objects.
    """

    path: Path
    whens: tuple[tuple[str, tuple[Selected, ...]], ...]
    otherwise: tuple[Selected, ...]


Item: TypeAlias = Selected | Called | Children | TypeOf


@attrs.frozen
class Select:
    """What a query selects.

    Args:
        items: The SELECT list, in its order, with the aliases of objects replaced.
        sobject: The object behind FROM; in a child query the relationship.
        grouped: Whether the answer consists of groups instead of records.
    """

    items: tuple[Item, ...]
    sobject: str
    grouped: bool


def parse(soql: str) -> Select:
    """Read a query.

    Raises:
        ValueError: Its SELECT list cannot be read.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm
    """
    return _Reader(re.sub(r"\s", "", token) if token[0] != "'" else token for token in _TOKEN.findall(soql)).select()


class _Reader:
    def __init__(self, tokens: Iterable[str]) -> None:
        self._tokens = [*tokens, ""]
        self._at = 0

    def select(self) -> Select:
        self._expect("SELECT")
        items = [self._item()]
        while self._skip(","):
            items.append(self._item())
        self._expect("FROM")
        sobject, aliases = self._sources()
        grouped = self._skip_clauses() or any(
            isinstance(item, Called) and item.functions[0] in _AGGREGATES for item in items
        )
        return Select(tuple(_resolved(item, aliases) for item in items), sobject, grouped)

    @property
    def _word(self) -> str:
        return self._tokens[self._at].upper()

    def _skip(self, word: str) -> bool:
        found = self._word == word
        self._at += found
        return found

    def _expect(self, word: str) -> None:
        if not self._skip(word):
            raise self._unreadable(word)

    def _unreadable(self, wanted: str) -> ValueError:
        # No part of the text is quoted: literals hold data.
        return ValueError(f"the query cannot be read: {wanted} is missing at its {self._at + 1}. word")

    def _name(self) -> str:
        token = self._tokens[self._at]
        if _PATH.fullmatch(token) is None:
            raise self._unreadable("a name")
        self._at += 1
        return token

    def _path(self) -> Path:
        return tuple(self._name().split("."))

    def _alias(self) -> str | None:
        return None if self._word in {",", "FROM", ")", ""} else self._name()

    def _item(self) -> Item:
        if self._skip("("):
            select = self.select()
            self._expect(")")
            self._alias()
            return Children(select.sobject, select)
        if self._word == "TYPEOF":
            return self._typeof()
        path = self._path()
        if self._skip("("):
            functions, inner = self._arguments(path[-1])
            return Called(functions, inner, self._alias())
        return Selected(path, self._alias())

    def _arguments(self, function: str) -> tuple[tuple[str, ...], Path]:
        functions: tuple[str, ...] = (function.upper(),)
        path: Path = ()
        depth = 1
        while depth:
            if not self._word:
                raise self._unreadable(")")
            depth += (self._word == "(") - (self._word == ")")
            token = self._tokens[self._at]
            self._at += 1
            if _PATH.fullmatch(token) and not path:
                if self._word == "(":
                    functions += (token.upper(),)
                else:
                    path = tuple(token.split("."))
        return functions, path

    def _typeof(self) -> TypeOf:
        self._expect("TYPEOF")
        path, whens, otherwise = self._path(), [], tuple[Selected, ...]()
        while self._skip("WHEN"):
            sobject = self._name()
            self._expect("THEN")
            whens.append((sobject, self._paths()))
        if self._skip("ELSE"):
            otherwise = self._paths()
        self._expect("END")
        self._alias()
        return TypeOf(path, tuple(whens), otherwise)

    def _paths(self) -> tuple[Selected, ...]:
        paths = [Selected(self._path())]
        while self._skip(","):
            paths.append(Selected(self._path()))
        return tuple(paths)

    def _sources(self) -> tuple[str, dict[str, Path]]:
        """Read the names behind FROM: the object, and what the aliases stand for."""
        aliases: dict[str, Path] = {}
        sobject = ""
        while True:
            path = self._path()
            self._skip("AS")
            named = _PATH.fullmatch(self._tokens[self._at]) and self._word not in _CLAUSES
            alias = self._name() if named else path[-1]
            if not sobject:
                sobject = path[-1]
                aliases[alias.lower()] = ()
            else:
                aliases[alias.lower()] = _replaced(path, aliases)
            if not self._skip(","):
                return sobject, aliases

    def _skip_clauses(self) -> bool:
        """Go to the end of the query, or of the brackets around it, and tell whether it groups."""
        grouped, depth = False, 0
        while self._word and (depth or self._word != ")"):
            depth += (self._word == "(") - (self._word == ")")
            grouped = grouped or (not depth and [self._word, self._tokens[self._at + 1].upper()] == ["GROUP", "BY"])
            self._at += 1
        return grouped


def _resolved(item: Item, aliases: dict[str, Path]) -> Item:
    if isinstance(item, Children):
        return item
    return attrs.evolve(item, path=_replaced(item.path, aliases))


def _replaced(path: Path, aliases: dict[str, Path]) -> Path:
    """Put what an alias, or the object's own name, stands for in its place."""
    if len(path) < 2 or path[0].lower() not in aliases:
        return path
    return aliases[path[0].lower()] + path[1:]
