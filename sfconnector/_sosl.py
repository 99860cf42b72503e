"""SOSL with values: what is searched for stays text, and what is compared with stays a literal."""

from __future__ import annotations

import re
from typing import Final

from sfconnector._soql import encodable, ends_quoted, fill, literal

# https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_find.htm
_ESCAPES: Final = str.maketrans({character: f"\\{character}" for character in "?&|!{}[]()^~*:\\\"'+-"})
_OPERATORS: Final = frozenset({"and", "or"})
_FORMS: Final = ("phrase", "startswith")
_PHRASE: Final = re.compile(r'\\.|"(?:[^"\\]|\\.)*"', re.DOTALL)
_ENDS_ESCAPED: Final = re.compile(r"(?<!\\)(?:\\\\)*\\$")
_AND: Final = re.compile(r"\bAND\b", re.IGNORECASE)
# https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_syntax.htm
_LONGEST: Final = 10_000
_LONGEST_WITH_AND: Final = 4_000


def sosl(template: str, /, **values: object) -> str:
    """Fill the ``{name}`` placeholders of a SOSL text, each as its place asks for.

    After ``FIND`` a placeholder is what is searched for: ``FIND {text}`` becomes ``FIND {…}`` with the value between
    the braces, its wildcards, operators and other reserved characters standing for themselves. A list searches for
    any of its texts, each as a phrase; ``{text:phrase}`` searches for one phrase; ``{text:startswith}`` for words
    that begin like the last one. Inside literal braces, written ``{{`` and ``}}``, placeholders may be joined:
    ``FIND {{{first} AND NOT {second}}}``.

    Behind that, in ``RETURNING`` and ``WITH`` clauses, placeholders are those of :func:`soql`.

    Args:
        template: SOSL with placeholders; ``{{`` and ``}}`` are braces.
        **values: One value for each placeholder.

    Raises:
        ValueError: A placeholder has no value, a value no placeholder, a value has no place in SOSL, or the text to
            search for is blank or longer than Salesforce searches for.
        TypeError: A value is of a type that SOSL does not know at its place.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_find.htm

    Example:
        >>> sosl("FIND {text} IN NAME FIELDS RETURNING Account(Id WHERE Type = {type})", text="O'Neil (UK)", type="A")
        "FIND {O\\\\'Neil \\\\(UK\\\\)} IN NAME FIELDS RETURNING Account(Id WHERE Type = 'A')"
    """
    return fill(template, values, _Sosl())


def words(text: str) -> str:
    """Let each word of a text to search for, and each character in it, stand for itself."""
    # The words that are operators do so in quotes.
    parts = re.split(r"(\s+)", text)
    return "".join(f'"{part}"' if part.lower() in _OPERATORS else _escape(part) for part in parts)


class _Sosl:
    """SOSL, in which a place is before the braces, inside them, inside a phrase in them, or behind them."""

    def __init__(self) -> None:
        self._before = ""
        # What stands between the braces so far; ``None`` outside of them.
        self._find: str | None = None
        self._found = False
        self._quoted = False

    def read(self, text: str) -> None:
        if self._found:
            self._quoted = ends_quoted(text, self._quoted)
            return
        if self._find is None:
            before, brace, text = text.partition("{")
            self._before += before
            if not brace:
                return
            self._check_find()
            self._find = ""
        text = self._find + text
        end = _closing_brace(text)
        self._find = text[:end]
        if end < len(text):
            self._close(self._find)
            self._quoted = ends_quoted(text[end + 1 :], False)

    def write(self, name: str, form: str, value: object) -> str:
        if self._quoted:
            raise ValueError(f"the placeholder {{{name}}} stands between quotes: leave the quotes away")
        if self._found:
            return literal(name, form, value)
        if self._find is not None:
            if _ENDS_ESCAPED.search(self._find):
                raise ValueError(f"a backslash stands before the placeholder {{{name}}}: leave it away")
            text = _in_phrase(name, form, value) if _ends_in_phrase(self._find) else _terms(name, form, value)
            self._find += text
            return text
        self._check_find()
        text = _terms(name, form, value)
        self._close(text)
        return f"{{{text}}}"

    def end(self) -> None:
        if not self._found:
            raise ValueError("what to search for is missing or has no end: begin with FIND and {{…}} or a placeholder")
        if self._quoted:
            raise ValueError("the SOSL text ends inside a quoted literal")

    def _check_find(self) -> None:
        if self._before.strip().upper() != "FIND":
            raise ValueError("a SOSL text begins with FIND, followed by braces or a placeholder")

    def _close(self, find: str) -> None:
        self._found = True
        if not find.strip():
            raise ValueError("the text to search for is blank")
        if len(find) > _LONGEST:
            raise ValueError(f"the text to search for has {len(find):,} characters; above {_LONGEST:,} none is found")
        if len(find) > _LONGEST_WITH_AND and _AND.search(_PHRASE.sub("", find)):
            raise ValueError(
                f"the text to search for has {len(find):,} characters: above {_LONGEST_WITH_AND:,} Salesforce reads "
                "AND as OR"
            )


def _closing_brace(text: str) -> int:
    """Find the brace that ends the text to search for; the end of the text where there is none."""
    escaped = False
    for index, character in enumerate(text):
        if not escaped and character == "}":
            return index
        escaped = not escaped and character == "\\"
    return len(text)


def _ends_in_phrase(find: str) -> bool:
    return '"' in _PHRASE.sub("", find)


def _terms(name: str, form: str, value: object) -> str:
    """Write what is searched for."""
    if isinstance(value, list | tuple | set | frozenset):
        if form not in {"", "phrase"}:
            raise ValueError(f"{{{name}:{form}}}: a list is searched for as phrases")
        if not value:
            raise ValueError(f"{name}: the list is empty, so there is nothing to search for")
        phrases = " OR ".join(_phrase(_text(name, each)) for each in value)
        return f"({phrases})"
    text = _text(name, value)
    match form:
        case "":
            return words(text)
        case "phrase":
            return _phrase(text)
        case "startswith":
            text = text.rstrip()
            start = text[: -len(text.split()[-1])]
            return f"{words(start)}{_escape(text[len(start) :])}*"
        case _:
            raise ValueError(f"{{{name}:{form}}}: the forms of a text to search for are {', '.join(_FORMS)}")


def _in_phrase(name: str, form: str, value: object) -> str:
    if form:
        raise ValueError(f"{{{name}:{form}}} stands in a phrase, where there are no forms")
    return _escape(_text(name, value))


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name}: what is searched for is a text, not a {type(value).__name__}")
    if not value.strip():
        raise ValueError(f"{name}: the text to search for is blank")
    return encodable(name, str.__str__(value))


def _phrase(text: str) -> str:
    return f'"{_escape(text)}"'


def _escape(text: str) -> str:
    return text.translate(_ESCAPES)
