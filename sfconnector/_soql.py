"""SOQL with values: every placeholder becomes a literal that no value can leave."""

import math
import string
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from typing import Any, Final, Protocol

from sfconnector._json import format_instant, format_time
from sfconnector._names import check_path

_ESCAPES: Final = str.maketrans(
    {"\\": r"\\", "'": r"\'", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\b": r"\b", "\f": r"\f"}
)
_WILDCARDS: Final = str.maketrans({"%": r"\%", "_": r"\_"})


def soql(template: str, /, **values: object) -> str:
    """Fill the ``{name}`` placeholders of a SOQL text with quoted literals.

    A plain placeholder takes text, numbers, booleans, ``None``, dates, zone-aware datetimes (cut to
    milliseconds), times, and lists, tuples or sets of these for ``IN``. ``{name:contains}``,
    ``{name:startswith}`` and ``{name:endswith}`` make a ``LIKE`` pattern in which the value's own ``%`` and
    ``_`` stand for themselves; in a plain placeholder they stay wildcards. ``{name:field}`` takes the name
    of a field, an object or a relationship path.

    Args:
        template: SOQL with placeholders, which are never put between quotes; ``{{`` and ``}}`` are braces.
        **values: One value for each placeholder.

    Raises:
        ValueError: A placeholder has no value, a value no placeholder, or a value has no SOQL literal.
        TypeError: A value is of a type that SOQL does not know.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm

    Example:
        >>> soql("SELECT Id FROM Account WHERE Name LIKE {name} AND Type IN {types}", name="O'Neil%", types=["A", "B"])
        "SELECT Id FROM Account WHERE Name LIKE 'O\\\\'Neil%' AND Type IN ('A','B')"
    """
    return fill(template, values, _Soql())


class Language(Protocol):
    """Follows a text from its beginning, so as to know what a value means at the place that is reached."""

    def read(self, text: str) -> None:
        """Go on over literal text."""

    def write(self, name: str, form: str, value: object) -> str:
        """Write a value at the place that is reached."""

    def end(self) -> None:
        """Refuse a text that cannot end here."""


def fill(template: str, values: Mapping[str, object], language: Language) -> str:
    """Fill the placeholders of a text.

    Raises:
        ValueError: A placeholder has no value, or a value no placeholder, or the language refuses it.
    """
    parts: list[str] = []
    used: set[str] = set()
    for text, name, form, conversion in string.Formatter().parse(template):
        parts.append(text)
        language.read(text)
        if name is None:
            continue
        if conversion or not name.isidentifier():
            raise ValueError(f"a placeholder is a plain name, as in {{name}}, and not {{{name}}}")
        if name not in values:
            raise ValueError(f"no value is given for the placeholder {{{name}}}; {{{{ and }}}} are literal braces")
        used.add(name)
        parts.append(language.write(name, form or "", values[name]))
    if unused := values.keys() - used:
        raise ValueError(f"no placeholder for the values: {', '.join(sorted(unused))}")
    language.end()
    return "".join(parts)


class _Soql:
    """SOQL, in which a place is inside a quoted literal or not."""

    def __init__(self) -> None:
        self._quoted = False

    def read(self, text: str) -> None:
        self._quoted = ends_quoted(text, self._quoted)

    def write(self, name: str, form: str, value: object) -> str:
        if self._quoted:
            raise ValueError(f"the placeholder {{{name}}} stands between quotes: leave the quotes away")
        return literal(name, form, value)

    def end(self) -> None:
        if self._quoted:
            raise ValueError("the SOQL text ends inside a quoted literal")


def literal(name: str, form: str, value: object) -> str:
    """Write a value as a literal in one of the forms that :func:`soql` tells of."""
    if form not in _FORMS:
        raise ValueError(f"{{{name}:{form}}}: the forms are {', '.join(filter(None, _FORMS))}")
    return _FORMS[form](name, value)


def ends_quoted(text: str, quoted: bool) -> bool:
    """Tell whether a text ends inside a quoted literal, when it begins inside one or not."""
    escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == "'":
            quoted = not quoted
    return quoted


def encodable(name: str, text: str) -> str:
    """Refuse a text that cannot be sent."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name}: the text holds a lone surrogate, which UTF-8 cannot carry") from None
    return text


def _quote(name: str, text: str) -> str:
    return f"'{encodable(name, text)}'"


def _literal(name: str, value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _quote(name, value.translate(_ESCAPES))
        case int():
            return str(int(value))
        case datetime():
            return format_instant(value, f"{name}: ")
        case date():
            return value.isoformat()
        case time():
            return format_time(value, f"{name}: ")
        case list() | tuple() | set() | frozenset():
            return _list_literal(name, value)
        case _:
            return _decimal_literal(name, value)


def _decimal_literal(name: str, value: object) -> str:
    # Only queries with fractions pay for importing it.
    from decimal import Decimal

    if not isinstance(value, float | Decimal):
        raise TypeError(f"{name}: SOQL has no literal for a {type(value).__name__}")
    if not math.isfinite(value):
        raise ValueError(f"{name}: SOQL has no literal for {value}")
    # SOQL numbers have no exponent.
    return format(Decimal(repr(value)) if isinstance(value, float) else value, "f")


def _list_literal(name: str, values: Iterable[object]) -> str:
    literals = []
    for value in values:
        if isinstance(value, list | tuple | set | frozenset):
            raise TypeError(f"{name}: a list inside a list has no place in SOQL")
        literals.append(_literal(name, value))
    if not literals:
        raise ValueError(f"{name}: the list is empty and SOQL refuses IN (): leave the query out instead")
    return f"({','.join(literals)})"


def _pattern(before: str, after: str) -> Callable[[str, object], str]:
    def render(name: str, value: object) -> str:
        if not isinstance(value, str):
            raise TypeError(f"{name}: a LIKE pattern is made from text, not from a {type(value).__name__}")
        return _quote(name, before + value.translate(_ESCAPES).translate(_WILDCARDS) + after)

    return render


def _field(name: str, value: object) -> str:
    return check_path(f"{name}:", value)


_FORMS: Final[Mapping[Any, Callable[[str, object], str]]] = {
    "": _literal,
    "contains": _pattern("%", "%"),
    "startswith": _pattern("", "%"),
    "endswith": _pattern("%", ""),
    "field": _field,
}
