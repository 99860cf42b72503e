"""SOQL text to syntax tree."""

import re
from functools import cache, lru_cache
from typing import Any, Final

import attrs
from lark import Lark, Token, Transformer, UnexpectedInput, v_args

from sfconnector.testing._errors import OrgError
from sfconnector.testing._soql import _ast, _literals
from sfconnector.testing._soql._refusals import MALFORMED_QUERY, refusal, unsupported

_MAXIMUM_LENGTH: Final = 100_000
_MAXIMUM_STRING: Final = 4_000
_WORD: Final = re.compile(r"\w+|\S")
_STRING: Final = re.compile(r"'(?:[^'\\\r\n]|\\.)*'")
# The alias page's list of words that cannot be an alias, as far as the grammar itself does not refuse them.
_NO_ALIAS: Final = frozenset({"first", "group", "last"})


class _Mistake(Exception):
    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position = position
        self.reason = reason


@lru_cache(maxsize=512)
def parse(text: str) -> _ast.Query:
    """Parse one SELECT statement.

    Args:
        text: the query, at most 100,000 characters.

    Raises:
        OrgError: 400 ``MALFORMED_QUERY`` with the row and the column of the mistake.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm

    Example:
        >>> parse("SELECT Id FROM Account WHERE Name = 'Acme'").sources[0].name.text
        'Account'
    """
    if not text.strip():
        raise OrgError(400, MALFORMED_QUERY, "SOQL statements cannot be empty or null")
    if len(text) > _MAXIMUM_LENGTH:
        raise OrgError(400, MALFORMED_QUERY, f"SOQL statements cannot be longer than {_MAXIMUM_LENGTH} characters.")
    try:
        query: object = _grammar().parse(text, start="start")
    except UnexpectedInput as error:
        raise _unexpected(text, error) from None
    except _Mistake as mistake:
        raise refusal(text, mistake.position, MALFORMED_QUERY, mistake.reason) from None
    if not isinstance(query, _ast.Query):
        raise TypeError(f"the grammar made a {type(query).__name__} of a query")
    return attrs.evolve(query, text=text)


def parse_field_list(text: str, span: tuple[int, int], sobject: _ast.Path) -> _ast.Query:
    """Parse fields, filter, order and window as SOSL has them behind an object.

    Args:
        text: the SOSL statement.
        span: where in it the list begins and ends.
        sobject: the object.

    Raises:
        OrgError: 400 ``MALFORMED_QUERY`` with the row and the column of the mistake in the statement.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_returning.htm
    """
    start, end = span
    try:
        # Spaces in front keep the positions.
        parsed: Any = _grammar().parse(" " * start + text[start:end], start="field_list")
    except UnexpectedInput as error:
        raise _unexpected(text, error, end) from None
    except _Mistake as mistake:
        raise refusal(text, mistake.position, MALFORMED_QUERY, mistake.reason) from None
    selection, clauses = parsed
    if "list_view" in clauses:
        raise unsupported("USING ListView")
    source = _ast.Source(sobject, None)
    return _ast.Query(selection=selection, sources=(source,), position=sobject.position, **clauses)


def _unexpected(text: str, error: UnexpectedInput, end: int | None = None) -> OrgError:
    token = getattr(error, "token", None)
    if token is not None and token.type == "$END":
        found = "<EOF>" if end is None else text[end]
        return refusal(text, len(text[:end].rstrip()), MALFORMED_QUERY, f"unexpected token: '{found}'")
    position: int = getattr(error, "pos_in_stream", None) or 0
    if text[position] == "'" and _STRING.match(text, position) is None:
        column = position - text.rfind("\n", 0, position) - 1
        row = text.count("\n", 0, position) + 1
        reason = f"line {row}:{column} mismatched character '<EOF>' expecting '''"
        return refusal(text, position, MALFORMED_QUERY, reason)
    if text[position] == ":":
        return refusal(text, position, MALFORMED_QUERY, "Bind variables only allowed in Apex code")
    word = _WORD.match(text, position)
    return refusal(text, position, MALFORMED_QUERY, f"unexpected token: '{word[0] if word else text[position]}'")


def _squeeze(token: Token) -> str:
    return " ".join(token.upper().split())


def _literal(token: Token) -> _ast.Literal:
    position = token.start_pos or 0
    if len(token) > _MAXIMUM_STRING + 2 and token.type == "STRING":
        raise _Mistake(position, f"a string in a filter cannot be longer than {_MAXIMUM_STRING} characters")
    try:
        return _literals.literal(token.type, str(token), position)
    except _literals.LiteralError as error:
        raise _Mistake(position, str(error)) from None


def _plain(value: _ast.Literal) -> _ast.Literal:
    """Refuse the escapes that only LIKE has."""
    if value.kind == _literals.PATTERN:
        sequence = re.search(r"\\[%_]", value.text)
        raise _Mistake(value.position, str(_literals.illegal_sequence(value.text, sequence[0] if sequence else "\\")))
    return value


def _whole_number(token: Token, *, maximum: int = 2**31 - 1) -> _ast.Literal:
    if not token.isdecimal() or int(token) > maximum:
        if token.startswith(":"):
            raise _Mistake(token.start_pos or 0, "Bind variables only allowed in Apex code")
        raise _Mistake(token.start_pos or 0, f"unexpected token: '{token}'")
    return _ast.Literal(_literals.NUMBER, int(token), str(token), token.start_pos or 0)


@v_args(inline=True)
class _Builder(Transformer[Token, Any]):
    """Callbacks named like the rules of the grammar; a clause becomes ``(field of Query, value)``."""

    def start(self, query: _ast.Query) -> _ast.Query:
        return query

    def query(self, selection: tuple[_ast.Selected, ...], sources: Any, *clauses: Any) -> _ast.Query:
        fields: dict[str, Any] = {}
        for clause in clauses:
            if isinstance(clause, Token):
                raise _Mistake(clause.start_pos or 0, "ALL ROWS not allowed in this context")
            name, value = clause
            fields[name] = fields.get(name, ()) + value if name == "with_clauses" else value
        return _ast.Query(selection=selection, sources=sources, position=sources[0].name.position, **fields)

    def field_list(self, selection: tuple[_ast.Selected, ...], *clauses: tuple[str, Any]) -> Any:
        return selection, dict(clauses)

    def list_view(self, _operator: Token, name: Token) -> tuple[str, Any]:
        return "list_view", self.path(name)

    def selection(self, *items: _ast.Selected) -> tuple[_ast.Selected, ...]:
        return items

    def column(self, expression: _ast.Expression, alias: Token | None = None) -> _ast.Column:
        return _ast.Column(expression, _alias(alias))

    def child(self, query: _ast.Query, alias: Token | None = None) -> _ast.Child:
        return _ast.Child(query, _alias(alias), query.position)

    def typeof(self, relationship: _ast.Path, *rest: Any) -> _ast.TypeOf:
        branches = tuple(part for part in rest if isinstance(part, _ast.When))
        otherwise = next((part for part in rest if isinstance(part, tuple)), ())
        return _ast.TypeOf(relationship, branches, otherwise)

    def when(self, sobject: Token, *columns: _ast.Expression) -> _ast.When:
        return _ast.When(self.path(sobject), columns)

    def otherwise(self, *columns: _ast.Expression) -> tuple[_ast.Expression, ...]:
        return columns

    def sources(self, *sources: _ast.Source) -> tuple[str, Any] | tuple[_ast.Source, ...]:
        return sources

    def source(self, name: Token, alias: Token | None = None) -> _ast.Source:
        return _ast.Source(self.path(name), _alias(alias))

    def scope(self, name: Token) -> tuple[str, Any]:
        return "scope", self.path(name)

    def path(self, name: Token) -> _ast.Path:
        return _ast.Path(str(name), name.start_pos or 0)

    def call(self, name: Token, *arguments: Any) -> _ast.Call:
        return _ast.Call(str(name), arguments, name.start_pos or 0)

    def value_argument(self, token: Token) -> _ast.Literal:
        return _plain(_literal(token))

    def where(self, condition: _ast.Condition) -> tuple[str, Any]:
        return "where", condition

    def having(self, condition: _ast.Condition) -> tuple[str, Any]:
        return "having", condition

    def conjunction(self, *terms: _ast.Condition) -> _ast.Condition:
        return _ast.And(terms)

    def disjunction(self, *terms: _ast.Condition) -> _ast.Condition:
        return _ast.Or(terms)

    def negation(self, term: _ast.Condition) -> _ast.Condition:
        return _ast.Not(term)

    def comparison(self, operand: _ast.Expression, operator: Token, value: _ast.Literal) -> _ast.Comparison:
        name = "".join(operator.upper().split()).replace("<>", "!=")
        return _ast.Comparison(operand, name, value if name == "LIKE" else _plain(value))

    def membership(self, operand: _ast.Expression, operator: Token, *values: _ast.Literal) -> _ast.Membership:
        return _ast.Membership(operand, _squeeze(operator), tuple(map(_plain, values)))

    def semi_join(self, operand: _ast.Expression, operator: Token, query: _ast.Query) -> _ast.SemiJoin:
        name = _squeeze(operator)
        if name not in ("IN", "NOT IN"):
            raise _Mistake(query.position, "unexpected token: 'SELECT'")
        return _ast.SemiJoin(operand, name, query)

    def bound_membership(self, _operand: _ast.Expression, _operator: Token, bind: Token) -> None:
        raise _Mistake(bind.start_pos or 0, "Bind variables only allowed in Apex code")

    def value(self, token: Token) -> _ast.Literal:
        return _literal(token)

    def with_word(self, name: Token) -> tuple[str, Any]:
        return "with_clauses", (_ast.With("word", self.path(name)),)

    def with_filter(self, name: Token, _operator: Token, _value: _ast.Literal) -> tuple[str, Any]:
        return "with_clauses", (_ast.With("filter", self.path(name)),)

    def with_categories(self, first: _ast.Path, *_others: _ast.Path) -> tuple[str, Any]:
        return "with_clauses", (_ast.With("categories", first),)

    def category(self, group: Token, selector: Token, *_names: Token) -> _ast.Path:
        if selector.upper() not in ("AT", "ABOVE", "BELOW", "ABOVE_OR_BELOW"):
            raise _Mistake(selector.start_pos or 0, f"unexpected token: '{selector}'")
        return self.path(group)

    def group_by(self, *expressions: _ast.Expression) -> tuple[str, Any]:
        return "group_by", expressions

    def order_by(self, *orders: _ast.Order) -> tuple[str, Any]:
        return "order_by", orders

    def order(self, expression: _ast.Expression, *words: Token) -> _ast.Order:
        chosen = {_squeeze(word) for word in words}
        return _ast.Order(expression, "DESC" in chosen, "NULLS LAST" in chosen)

    def limit(self, number: Token) -> tuple[str, Any]:
        return "limit", _whole_number(number)

    def offset(self, number: Token) -> tuple[str, Any]:
        return "offset", _whole_number(number)

    def tracking(self, words: Token) -> tuple[str, Any]:
        return "tracking", _squeeze(words)

    def lock(self, _words: Token) -> tuple[str, Any]:
        return "locks", True

    def update(self, *names: Token) -> tuple[str, Any]:
        for name in names:
            if name.upper() not in ("TRACKING", "VIEWSTAT"):
                raise _Mistake(name.start_pos or 0, f"unexpected token: '{name}'")
        return "update", tuple(map(self.path, names))


def _alias(name: Token | None) -> _ast.Path | None:
    if name is None:
        return None
    if "." in name or name.lower() in _NO_ALIAS:
        raise _Mistake(name.start_pos or 0, f"unexpected token: '{name}'")
    return _ast.Path(str(name), name.start_pos or 0)


@cache
def _grammar() -> Lark:
    # Made at the first query: it takes longer than importing everything else.
    return Lark.open(
        "soql.lark",
        rel_to=__file__,
        start=["start", "field_list"],
        parser="lalr",
        lexer="contextual",
        transformer=_Builder(),
        maybe_placeholders=False,
    )
