"""SOSL text to syntax tree."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import attrs
from lark import Lark, Token, Transformer, UnexpectedInput, v_args

from sfconnector.testing._errors import OrgError, unsupported
from sfconnector.testing._soql import _ast as soql
from sfconnector.testing._soql import parse_field_list
from sfconnector.testing._soql._refusals import refusal
from sfconnector.testing._sosl._ast import And, AndNot, Char, Expression, Neighbours, Or, Returned, Statement, Term

MALFORMED_SEARCH: Final = "MALFORMED_SEARCH"
INVALID_SEARCH: Final = "INVALID_SEARCH"
GROUPS: Final = ("ALL", "NAME", "EMAIL", "PHONE", "SIDEBAR")
_MAXIMUM_LENGTH: Final = 100_000
# Beyond this length the operators of a search are lost, beyond the other one the whole search is.
_MAXIMUM_WITH_OPERATORS: Final = 4_000
_MAXIMUM_SEARCH: Final = 10_000
_RESERVED: Final = frozenset("?&|!{}[]()^~*:\\\"'+-")
_WILDCARDS: Final = frozenset("*?")
_WORD: Final = re.compile(r"\w+|\S")
# Han, Hiragana, Katakana, Hangul and Thai: words without spaces, which need a dictionary to be told apart.
_UNSPACED: Final = re.compile(r"[\u0e00-\u0e7f\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af]")
_OPERATOR_CHARACTERS: Final = frozenset('*?"()\\')


class _Mistake(Exception):
    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position = position
        self.reason = reason


def parse(text: str) -> Statement:
    """Parse one SOSL statement.

    Raises:
        OrgError: 400 ``MALFORMED_SEARCH`` with the row and the column of the mistake, ``INVALID_SEARCH`` for a term
            that is too short; 501 for clauses that the local org does not have.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_syntax.htm
    """
    if not text.strip():
        raise OrgError(400, MALFORMED_SEARCH, "SOSL statements cannot be empty or null")
    if len(text) > _MAXIMUM_LENGTH:
        raise OrgError(400, MALFORMED_SEARCH, f"SOSL statements cannot be longer than {_MAXIMUM_LENGTH} characters.")
    query, parts = _parsed(text, text, "statement")
    start = query.start_pos + 1
    search = _search(text, start, start + len(query) - 2)
    fields = dict(parts)
    returning = tuple(
        identity(sobject) if span is None else parse_returned(text, span, sobject)
        for sobject, span in fields.pop("returning", ())
    )
    _check_returning(text, returning)
    return Statement(text=text, search=search, returning=returning, **fields)


def parse_plain(text: str) -> Expression:
    """Parse a text that is searched for as it is: only quotation marks, wildcards and operators mean something.

    Raises:
        OrgError: 400 ``INVALID_SEARCH`` or ``MALFORMED_SEARCH``.
    """
    escaped = "".join(_escaped(text))
    return _search(escaped, 0, len(escaped))


def phrase(text: str, *, open_end: bool = False) -> Expression:
    """A text as a phrase, in which nothing means anything; with ``open_end`` its last word may go on."""
    chars = tuple(Char(char) for char in text)
    if _UNSPACED.search(text):
        raise unsupported("searching for Chinese, Japanese, Korean or Thai words")
    return Term((*chars, Char("*", wild=True)) if open_end else chars, quoted=True)


def _escaped(text: str) -> Iterator[str]:
    before = ""
    for char in text:
        if char in _RESERVED - _OPERATOR_CHARACTERS and before != "\\":
            yield "\\"
        yield char
        before = "" if before == "\\" else char


def _search(text: str, start: int, end: int) -> Expression:
    """Parse what stands between the braces."""
    search = text[start:end]
    if _UNSPACED.search(search):
        raise unsupported("searching for Chinese, Japanese, Korean or Thai words")
    if len(search) > _MAXIMUM_SEARCH:
        return Or(())
    if not search.strip():
        raise _too_short(search)
    # Spaces in front keep the positions.
    parsed: Expression = _parsed(text, " " * start + search, "search")
    terms = list(_terms(parsed))
    if sum(not char.wild and not char.text.isspace() for term in terms for char in term.chars) < 2:
        raise _too_short(search)
    return Or(tuple(terms)) if len(search) > _MAXIMUM_WITH_OPERATORS else parsed


def _too_short(search: str) -> OrgError:
    return OrgError(400, INVALID_SEARCH, f"search term must be longer than one character: {search.strip()}")


def _terms(expression: Expression) -> Iterator[Term]:
    match expression:
        case Term():
            yield expression
        case And(left, right) | AndNot(left, right):
            yield from _terms(left)
            yield from _terms(right)
        case Or(terms) | Neighbours(terms):
            for term in terms:
                yield from _terms(term)


def _parsed(text: str, padded: str, start: str) -> Any:
    try:
        return _grammar().parse(padded, start=start)
    except UnexpectedInput as error:
        raise _unexpected(text, padded, error) from None
    except _Mistake as mistake:
        raise refusal(text, mistake.position, MALFORMED_SEARCH, mistake.reason) from None


def _unexpected(text: str, padded: str, error: UnexpectedInput) -> OrgError:
    token = getattr(error, "token", None)
    if token is not None and token.type == "$END":
        end = len(padded.rstrip())
        found = text[end] if end < len(text) else "<EOF>"
        return refusal(text, end, MALFORMED_SEARCH, f"unexpected token: '{found}'")
    position: int = getattr(error, "pos_in_stream", None) or 0
    char = text[position]
    if char == "{" and text[:position].strip().upper() == "FIND":
        return _in_braces(text, position)
    if char in _RESERVED - _OPERATOR_CHARACTERS and padded is not text:
        return _mismatched(text, position, char, "}")
    word = _WORD.match(text, position)
    return refusal(text, position, MALFORMED_SEARCH, f"unexpected token: '{word[0] if word else char}'")


def _in_braces(text: str, position: int) -> OrgError:
    """Say why braces are no search: another one inside, or none at the end."""
    match = re.compile(r"\{(?:[^{}\\]|\\.)*", re.DOTALL).match(text, position)
    end = match.end() if match else position
    if end >= len(text):
        return _mismatched(text, len(text), "<EOF>", "}")
    return _mismatched(text, end, text[end], "}")


def _mismatched(text: str, position: int, found: str, expected: str) -> OrgError:
    """What the lexer of Salesforce says, its caret one to the left."""
    row = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position) - 1
    reason = f"line {row}:{column} mismatched character '{found}' expecting '{expected}'"
    return refusal(text, position, MALFORMED_SEARCH, reason, first_column=0)


def parse_returned(text: str, span: tuple[int, int], sobject: soql.Path) -> Returned:
    """Parse the fields, filter, order and window of an object.

    Args:
        text: the text that refusals quote.
        span: where in it the fields and what follows them begin and end.
        sobject: the object.

    Raises:
        OrgError: 400 ``MALFORMED_SEARCH``.
    """
    try:
        return Returned(sobject, parse_field_list(text, span, sobject), text)
    except OrgError as error:
        raise with_code(error) from error


def identity(sobject: soql.Path) -> Returned:
    """An object of which only the ids are answered."""
    column, source = soql.Column(soql.Path("Id", sobject.position), None), soql.Source(sobject, None)
    return Returned(sobject, soql.Query(selection=(column,), sources=(source,), position=sobject.position))


def _check_returning(text: str, returning: tuple[Returned, ...]) -> None:
    seen: set[str] = set()
    for one in returning:
        if one.sobject.text.lower() in seen:
            reason = f"{one.sobject.text} can be named only once in RETURNING"
            raise refusal(text, one.sobject.position, MALFORMED_SEARCH, reason)
        seen.add(one.sobject.text.lower())
        if one.query.offset is not None and len(returning) > 1:
            reason = "OFFSET can be used only when a single object is returned"
            raise refusal(text, one.query.offset.position, MALFORMED_SEARCH, reason)


@v_args(inline=True)
class _Builder(Transformer[Token, Any]):
    """Callbacks named like the rules of the grammar; a clause becomes ``(field of Statement, value)``."""

    def statement(self, query: Token, *clauses: Any) -> tuple[Token, list[tuple[str, Any]]]:
        return query, [clause for clause in clauses if clause is not None]

    def scope(self, group: Token, fields: Token) -> tuple[str, Any]:
        for token, allowed in ((group, GROUPS), (fields, ("FIELDS",))):
            if token.upper() not in allowed:
                raise _Mistake(token.start_pos or 0, f"Malformed search token: {token}")
        return "group", group.upper()

    def returning(self, *returned: Any) -> tuple[str, Any]:
        return "returning", returned

    def returned(self, name: Token, span: tuple[int, int] | None = None) -> Any:
        return soql.Path(str(name), name.start_pos or 0), span

    def field_spec(self, opening: Token, *rest: Token) -> tuple[int, int]:
        return (opening.start_pos or 0) + 1, rest[-1].start_pos or 0

    def with_part(self, token: Token) -> Token:
        return token

    def with_clause(self, name: Token, *parts: Token) -> tuple[str, Any] | None:
        """https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_with.htm"""
        given = [str(part) for part in parts]
        match name.upper(), given:
            case "METADATA", ["=", value] if value.strip("'").upper() == "LABELS":
                return "labels", True
            case "SPELL_CORRECTION", ["=", value] if value.lower() in ("true", "false"):
                # Nothing is corrected here, whatever is asked for.
                return None
            case "PRICEBOOKID", ["=", value] if value.startswith("'"):
                return "pricebook_id", value.strip("'")
            case (("METADATA" | "SPELL_CORRECTION" | "PRICEBOOKID"), _):
                at = parts[-1] if parts else name
                raise _Mistake(at.start_pos or 0, f"unexpected token: '{at}'")
        if name.upper() in ("DATA", "DIVISION", "HIGHLIGHT", "NETWORK", "SNIPPET"):
            raise unsupported(f"WITH {name.upper()} in SOSL")
        raise _Mistake(name.start_pos or 0, f"unexpected token: '{name}'")

    def limit(self, number: Token) -> tuple[str, Any]:
        if not number.isdecimal():
            raise _Mistake(number.start_pos or 0, f"unexpected token: '{number}'")
        return "limit", int(number)

    def update(self, *names: Token) -> None:
        for name in names:
            if name.upper() not in ("TRACKING", "VIEWSTAT"):
                raise _Mistake(name.start_pos or 0, f"unexpected token: '{name}'")
        raise unsupported("UPDATE in SOSL, which is about Knowledge articles")

    def search(self, expression: Expression) -> Expression:
        return expression

    def disjunction(self, *terms: Expression) -> Expression:
        return terms[0] if len(terms) == 1 else Or(terms)

    def conjunction(self, *parts: Any) -> Expression:
        """AND and AND NOT are evaluated from right to left."""
        terms, operators = parts[::2], parts[1::2]
        combined: Expression = terms[-1]
        for term, operator in zip(reversed(terms[:-1]), reversed(operators), strict=True):
            combined = AndNot(term, combined) if operator.type == "AND_NOT" else And(term, combined)
        return combined

    def neighbours(self, *terms: Expression) -> Expression:
        return terms[0] if len(terms) == 1 else Neighbours(terms)

    def term(self, token: Token) -> Term:
        return Term(tuple(_chars(token, token.start_pos or 0)))

    def phrase(self, token: Token) -> Term:
        return Term(tuple(_chars(token[1:-1], (token.start_pos or 0) + 1)), quoted=True)


def _chars(text: str, start: int) -> Iterator[Char]:
    escaped = False
    for offset, char in enumerate(text):
        if escaped:
            escaped = False
            yield Char(char)
        elif char == "\\":
            escaped = True
        elif char in _WILDCARDS:
            yield Char(char, wild=True)
        elif char in _RESERVED:
            raise _Mistake(start + offset, f"unexpected token: '{char}'")
        else:
            yield Char(char)


@cache
def _grammar() -> Lark:
    # Made at the first search: it takes longer than importing everything else.
    return Lark.open(
        "sosl.lark",
        rel_to=__file__,
        start=["statement", "search"],
        parser="lalr",
        lexer="contextual",
        transformer=_Builder(),
        maybe_placeholders=False,
    )


def with_code(error: OrgError) -> OrgError:
    """Let the SOQL inside a SOSL statement refuse in SOSL's name."""
    if error.code != "MALFORMED_QUERY":
        return error
    items = [attrs.evolve(item, code=MALFORMED_SEARCH) for item in error.items]
    return OrgError.several(error.status, items)
