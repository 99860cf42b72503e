"""WHERE and HAVING as SQL conditions with bound values.

A null behaves as SOQL documents it: ``!=``, ``NOT IN``, ``EXCLUDES`` and ``NOT`` find it, ``<`` and its kin do not.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_comparisonoperators.htm
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_null.htm
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

from sfconnector.testing import _ids
from sfconnector.testing._errors import OrgError
from sfconnector.testing._soql import _ast, _dates, _literals
from sfconnector.testing._soql._context import Context
from sfconnector.testing._soql._functions import fold
from sfconnector.testing._soql._refusals import (
    INVALID_FIELD,
    INVALID_QUERY_FILTER_OPERATOR,
    MALFORMED_QUERY,
    refusal,
)
from sfconnector.testing._soql._statement import Statement, join, negate

TEXT: Final = frozenset(
    {
        "anyType",
        "combobox",
        "datacategorygroupreference",
        "email",
        "encryptedstring",
        "json",
        "multipicklist",
        "phone",
        "picklist",
        "string",
        "textarea",
        "url",
    }
)
_IDS: Final = frozenset({"id", "reference"})
NUMBERS: Final = frozenset({"int", "long", "double", "currency", "percent"})
_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "boolean": frozenset({_literals.BOOLEAN}),
    "date": frozenset({_literals.DATE, _literals.DATE_RANGE}),
    "datetime": frozenset({_literals.DATETIME, _literals.DATE_RANGE}),
    "time": frozenset({_literals.TIME}),
    **dict.fromkeys(TEXT | _IDS, frozenset({_literals.STRING})),
    **dict.fromkeys(NUMBERS, frozenset({_literals.NUMBER})),
    "currency": frozenset({_literals.NUMBER, _literals.CURRENCY}),
    # Not a field's type: what DISTANCE() gives.
    "distance": frozenset({_literals.NUMBER}),
}
# The names that refusals use are those of the SOAP types.
_TYPE_NAMES: Final[Mapping[str, str]] = {
    "datetime": "dateTime",
    "currency": "double",
    "percent": "double",
    **dict.fromkeys(TEXT, "string"),
}
_ONLY_EQUALITY: Final = frozenset({"boolean", "multipicklist"})
_MAXIMUM_DEPTH: Final = 100


@attrs.frozen
class Operand:
    """The left side of a comparison.

    Args:
        sql: an expression that gives the stored value.
        type: a field type of describe.
        name: how refusals call it.
    """

    sql: str
    type: str
    name: str
    position: int
    case_sensitive: bool = False

    @property
    def folds(self) -> bool:
        return self.type in TEXT and not self.case_sensitive

    @property
    def key(self) -> str:
        """The expression that takes part in comparisons."""
        return f"soql_fold({self.sql})" if self.folds else self.sql


@attrs.frozen
class _Range:
    """Placeholders of the first instant inside and the first one after."""

    start: str
    end: str


def instant(value: datetime) -> str:
    """Write an instant as it is stored."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "+0000"


@attrs.frozen
class Filter:
    """Compiles conditions of one SELECT; what an operand is, ``resolve`` knows."""

    text: str
    statement: Statement
    context: Context
    resolve: Callable[[_ast.Expression], Operand]
    semi_join: Callable[[_ast.SemiJoin], str]

    def sql(self, condition: _ast.Condition, depth: int = 0) -> str:
        if depth > _MAXIMUM_DEPTH:
            raise OrgError(
                400,
                "QUERY_TOO_COMPLICATED",
                "Query is either selecting too many fields or the filter conditions are too complicated.",
            )
        match condition:
            case _ast.And(terms):
                return join("AND", [self.sql(term, depth + 1) for term in terms])
            case _ast.Or(terms):
                return join("OR", [self.sql(term, depth + 1) for term in terms])
            case _ast.Not(term):
                return negate(self.sql(term, depth + 1))
            case _ast.Comparison():
                return self._comparison(condition)
            case _ast.Membership():
                return self._membership(condition)
            case _ast.SemiJoin():
                return self.semi_join(condition)

    def _comparison(self, condition: _ast.Comparison) -> str:
        operand = self.resolve(condition.operand)
        operator, literal = condition.operator, condition.value
        if operator == "LIKE":
            return self._like(operand, literal)
        if operator not in ("=", "!=") and operand.type in _ONLY_EQUALITY:
            raise self._wrong_operator(operand)
        if operator not in ("<", ">") and operand.type == "distance":
            raise self._wrong_operator(operand)
        value = self._value(operand, literal)
        if operator in ("=", "!="):
            equal = self._equal(operand, value)
            return equal if operator == "=" else negate(equal)
        if value is None:
            return "0"
        if isinstance(value, _Range):
            # Before the range, up to its end, after it, from its start on.
            edges = {"<": ("<", value.start), "<=": ("<", value.end), ">": (">=", value.end), ">=": (">=", value.start)}
            operator, value = edges[operator]
        return f"{operand.key} {operator} {value}"

    def _membership(self, condition: _ast.Membership) -> str:
        operand = self.resolve(condition.operand)
        if condition.operator in ("INCLUDES", "EXCLUDES"):
            if operand.type != "multipicklist":
                raise self._wrong_operator(operand)
            found = join("OR", [self._includes(operand, literal) for literal in condition.values])
            return negate(found) if condition.operator == "EXCLUDES" else f"COALESCE({found}, 0)"
        if operand.type == "distance":
            raise self._wrong_operator(operand)
        found = self._one_of(operand, [self._value(operand, literal) for literal in condition.values])
        return negate(found) if condition.operator == "NOT IN" else found

    def _one_of(self, operand: Operand, values: list[str | _Range | None]) -> str:
        plain = [value for value in values if isinstance(value, str)]
        terms = [self._equal(operand, value) for value in values if not isinstance(value, str)]
        if plain:
            terms.append(f"{operand.key} IN ({', '.join(plain)})")
        return join("OR", terms)

    def _equal(self, operand: Operand, value: str | _Range | None) -> str:
        if value is None:
            return f"{operand.sql} IS NULL"
        if isinstance(value, _Range):
            return f"({operand.key} >= {value.start} AND {operand.key} < {value.end})"
        return f"{operand.key} = {value}"

    def _includes(self, operand: Operand, literal: _ast.Literal) -> str:
        """Find the values of a multi-select picklist; ``A;B`` asks for both."""
        if literal.kind == _literals.NULL:
            return f"{operand.sql} IS NULL"
        self._check_kind(operand, literal)
        parts = [fold(part) if operand.folds else part for part in literal.value.split(";")]
        terms = [f"instr(';' || {operand.key} || ';', {self.statement.bind(f';{part};')}) > 0" for part in parts]
        return join("AND", terms)

    def _like(self, operand: Operand, literal: _ast.Literal) -> str:
        if operand.type not in TEXT or operand.type == "multipicklist":
            raise self._wrong_operator(operand)
        if literal.kind not in (_literals.STRING, _literals.PATTERN):
            raise self._refuse(literal, MALFORMED_QUERY, f"unexpected token: '{literal.text}'")
        pattern = fold(literal.pattern) if operand.folds else literal.pattern
        if operand.folds:
            return f"{operand.key} LIKE {self.statement.bind(pattern)} ESCAPE '\\'"
        return f"{operand.sql} GLOB {self.statement.bind(_glob(pattern))}"

    def _value(self, operand: Operand, literal: _ast.Literal) -> str | _Range | None:
        """Bind a literal in the form in which the field is stored; ``None`` for null."""
        if literal.kind == _literals.NULL:
            return self.statement.bind(0) if operand.type == "boolean" else None
        self._check_kind(operand, literal)
        if literal.kind == _literals.DATE_RANGE:
            return self._date_range(operand, literal)
        stored = self._stored(operand, literal)
        return None if stored is None else self.statement.bind(stored)

    def _stored(self, operand: Operand, literal: _ast.Literal) -> Any:
        value = literal.value
        match literal.kind:
            case _literals.STRING if operand.type in _IDS:
                if (record_id := _ids.normalize(value)) is None:
                    raise self._refuse(operand, INVALID_QUERY_FILTER_OPERATOR, f"invalid ID field: {value}")
                return record_id
            case _literals.STRING:
                # An empty text is never stored: it is null.
                return (fold(value) if operand.folds else value) or None
            case _literals.CURRENCY:
                return float(value[1])
            case _literals.NUMBER:
                return int(value) if value == value.to_integral_value() and abs(value) < 2**63 else float(value)
            case _literals.BOOLEAN:
                return int(value)
            case _literals.DATETIME:
                return instant(value)
            case _literals.TIME:
                return value.isoformat(timespec="milliseconds") + "Z"
        return value.isoformat()

    def _date_range(self, operand: Operand, literal: _ast.Literal) -> _Range:
        calendar = self.context.calendar
        try:
            name, count = literal.value
            days = _dates.days(name, count, calendar)
            if operand.type == "date":
                start, end = days.start.isoformat(), days.end.isoformat()
            else:
                start, end = (instant(calendar.midnight(day)) for day in (days.start, days.end))
        except OverflowError:
            raise self._refuse(literal, MALFORMED_QUERY, f"Invalid date: {literal.text}") from None
        if days.until_now and operand.type == "datetime":
            end = min(end, instant(self.context.now + timedelta(milliseconds=1)))
        return _Range(self.statement.bind(start), self.statement.bind(end))

    def _check_kind(self, operand: Operand, literal: _ast.Literal) -> None:
        expected = _KINDS.get(operand.type)
        if expected is None:
            raise self._refuse(operand, INVALID_FIELD, f"field '{operand.name}' can not be filtered in a query call")
        if literal.kind in expected:
            return
        quotes = "should be" if _literals.STRING in expected else "should not be"
        type_name = _TYPE_NAMES.get(operand.type, operand.type)
        if operand.type in _IDS:
            type_name = "id"
        raise self._refuse(
            operand,
            INVALID_FIELD,
            f"value of filter criterion for field '{operand.name}' must be of type {type_name} and {quotes} "
            "enclosed in quotes",
        )

    def _wrong_operator(self, operand: Operand) -> OrgError:
        name = "id" if operand.type in _IDS else operand.type
        return self._refuse(operand, INVALID_QUERY_FILTER_OPERATOR, f"invalid operator on {name} field")

    def _refuse(self, at: Operand | _ast.Literal, code: str, reason: str) -> OrgError:
        return refusal(self.text, at.position, code, reason)


def _glob(pattern: str) -> str:
    """Rewrite a LIKE pattern for GLOB, which SQLite compares with regard to case."""
    result, characters = [], iter(pattern)
    for character in characters:
        if character == "\\":
            character = next(characters)
        elif character in "%_":
            result.append("*" if character == "%" else "?")
            continue
        result.append(f"[{character}]" if character in "*?[" else character)
    return "".join(result)
