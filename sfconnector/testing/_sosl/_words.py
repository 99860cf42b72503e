"""Matching: a text is split into words and punctuation, and a search term has to fit some of them in a row.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_find.htm
"""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final

import attrs

from sfconnector.testing._sosl._ast import And, AndNot, Char, Expression, Neighbours, Or, Term

_TOKENS: Final = re.compile(r"\w+|[^\w\s]")
_LETTERS: Final = re.compile(r"[A-Za-z]{2,}")
_NOT_DIGITS: Final = re.compile(r"\D+")
_WILDCARDS: Final = {"*": r"\w*", "?": r"\w"}


def tokens(text: str) -> list[str]:
    """The words of a text and each of its punctuation marks, without regard to case.

    Example:
        >>> tokens("O'Neil & Sons")
        ['o', "'", 'neil', '&', 'sons']
    """
    return _TOKENS.findall(_lower(text))


def _lower(text: str) -> str:
    """Lower case character for character, so that a term and the text around it become the same."""
    if text.isascii():
        return text.lower()
    return "".join(lower if len(lower := character.lower()) == 1 else character for character in text)


@attrs.frozen(slots=False)
class Text:
    """A text of a record; the digits of a telephone number are a word of their own."""

    text: str
    phone: bool = False

    @cached_property
    def tokens(self) -> list[str]:
        return tokens(self.text)

    @cached_property
    def digits(self) -> str:
        return _NOT_DIGITS.sub("", self.text) if self.phone else ""


@attrs.define(eq=False, slots=False)
class Matcher:
    """A search term made ready."""

    term: Term

    @cached_property
    def _words(self) -> list[tuple[Char, ...]]:
        return list(_words(self.term))

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], bool]]:
        """What each word looks like, and whether it is punctuation."""
        return [(_pattern(word), not (word[0].wild or _is_word(word[0]))) for word in self._words]

    @cached_property
    def _number(self) -> re.Pattern[str] | None:
        """The digits of the term, where it has nothing else: a telephone number in any writing has them in a row."""
        chars = [char for word in self._words for char in word if char.wild or char.text.isalnum()]
        numeric = bool(chars) and all(char.wild or char.text.isdecimal() for char in chars)
        return _pattern(tuple(chars)) if numeric else None

    @property
    def empty(self) -> bool:
        return not self._words

    @property
    def fragment(self) -> str | None:
        """A piece that every matching text holds literally, for a first look by the database; ASCII letters only."""
        literal = " ".join("".join("*" if char.wild else char.text for char in word) for word in self._words)
        return max(_LETTERS.findall(literal), key=len, default=None)

    def matches(self, texts: Sequence[Text]) -> bool:
        return any(self._matches(text) for text in texts)

    def _matches(self, text: Text) -> bool:
        if text.phone and self._number is not None and self._number.fullmatch(text.digits):
            return True
        found = text.tokens
        return any(self._fits(found, start) for start in range(len(found)))

    def _fits(self, found: Sequence[str], position: int) -> bool:
        """Whether the words stand in a row; punctuation between them is skipped where the term has none."""
        for number, (pattern, punctuation) in enumerate(self._patterns):
            while number and not punctuation and position < len(found) and not _is_word(Char(found[position][0])):
                position += 1
            if position >= len(found) or not pattern.fullmatch(found[position]):
                return False
            position += 1
        return bool(self._patterns)


def _is_word(char: Char) -> bool:
    return char.text.isalnum() or char.text == "_"


def _words(term: Term) -> Iterator[tuple[Char, ...]]:
    """Split a term as texts are split; the punctuation of a term without quotation marks only separates."""
    word: list[Char] = []
    for char in (*term.chars, Char(" ")):
        if char.wild or _is_word(char):
            # A wildcard at the beginning stands for nothing.
            if word or not char.wild:
                word.append(char)
            continue
        if word:
            yield tuple(word)
            word = []
        if term.quoted and not char.text.isspace():
            yield (char,)


def _pattern(word: tuple[Char, ...]) -> re.Pattern[str]:
    return re.compile("".join(_WILDCARDS[char.text] if char.wild else re.escape(_lower(char.text)) for char in word))


class Search:
    """An expression made ready.

    Args:
        expression: what is searched for.
        any_neighbour: whether one of several terms without an operator is enough.
    """

    def __init__(self, expression: Expression, *, any_neighbour: bool = False) -> None:
        self._expression = expression
        self._any = any_neighbour
        self._matchers: dict[Term, Matcher] = {}

    def matches(self, texts: Sequence[Text]) -> bool:
        """Whether the texts of a record are what is searched for."""
        return self._holds(self._expression, texts)

    def fragments(self) -> list[str]:
        """Pieces of which a matching record holds every one, as far as that can be told."""
        return list(self._needed(self._expression))

    def _matcher(self, term: Term) -> Matcher:
        if term not in self._matchers:
            self._matchers[term] = Matcher(term)
        return self._matchers[term]

    def _is_empty(self, expression: Expression) -> bool:
        return isinstance(expression, Term) and self._matcher(expression).empty

    def _holds(self, expression: Expression, texts: Sequence[Text]) -> bool:
        match expression:
            case Term():
                return self._matcher(expression).matches(texts)
            case And(left, right):
                return self._holds(left, texts) and self._holds(right, texts)
            case AndNot(left, right):
                return self._holds(left, texts) and not self._holds(right, texts)
            case Or(terms):
                return any(self._holds(term, texts) for term in terms)
            case Neighbours(terms):
                # Punctuation between spaces is no word, and so nothing to look for.
                results = [self._holds(term, texts) for term in terms if not self._is_empty(term)]
                return any(results) if self._any else bool(results) and all(results)

    def _needed(self, expression: Expression) -> Iterator[str]:
        match expression:
            case Term():
                fragment = self._matcher(expression).fragment
                if fragment is not None:
                    yield fragment
            case And(left, right):
                yield from self._needed(left)
                yield from self._needed(right)
            case AndNot(left, _):
                yield from self._needed(left)
            case Neighbours(terms) if not self._any:
                for term in terms:
                    yield from self._needed(term)
