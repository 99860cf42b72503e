"""JSON lists of any size, cut into their items as they come."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final


class JsonError(ValueError):
    """A text is not the JSON list of objects that it should be."""


def _nested(levels: int) -> str:
    """Give the expression of an object or a list with so many levels of others in it."""
    # Nothing is ever tried in a second way, so that no text takes longer than its length.
    inner = '"[^"\\\\]*+(?:\\\\.[^"\\\\]*+)*+"' + (f"|{_nested(levels - 1)}" if levels else "")
    return rf"[\[{{][^\"\[\]{{}}]*+(?:(?:{inner})[^\"\[\]{{}}]*+)*+[\]}}]"


_SPACE: Final = b" \t\r\n"
_MARK: Final = b"\xef\xbb\xbf"
# Records are rarely nested deeper; those that are, and those that have not come whole, are read token by token.
_ITEM: Final = re.compile(rf"[,\s]*+(?={{)({_nested(3)})".encode(), re.DOTALL)
_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]|"', re.DOTALL)


def items(chunks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Cut a list of objects into the JSON texts of its items, some at a time; what is in them is not looked at.

    Raises:
        JsonError: It is no list of objects, or ends too early.
    """
    cutter = _Cutter()
    for chunk in chunks:
        if found := cutter.feed(chunk):
            yield found
    cutter.end()


class _Cutter:
    def __init__(self) -> None:
        # What has come and is not cut yet: the item that has begun, if there is one.
        self._text = b""
        self._at, self._depth, self._start = 0, 0, 0
        self._ended = False

    def feed(self, chunk: bytes) -> list[bytes]:
        self._text += chunk
        found: list[bytes] = []
        while True:
            if self._depth == 1:
                while item := _ITEM.match(self._text, self._at):
                    found.append(item[1])
                    self._at = item.end()
            if not self._step(found):
                break
        # Inside an item its beginning is kept, outside of one nothing but what has not ended.
        keep = self._start if self._depth > 1 else self._at
        self._text, self._at, self._start = self._text[keep:], self._at - keep, 0
        return found

    def _step(self, found: list[bytes]) -> bool:
        """Go on to the next place where an item may begin; false where more has to come first."""
        for token in _TOKEN.finditer(self._text, self._at):
            if self._depth <= 1:
                self._check_between(self._text[self._at : token.start()])
            if token[0] == b'"':
                # A text that has not ended.
                self._at = token.start()
                return False
            if self._depth <= 1:
                self._check_outside(token[0])
            self._at = token.end()
            if token[0] in b"[{":
                if self._depth == 1:
                    self._start = token.start()
                self._depth += 1
            elif token[0] in b"]}":
                self._depth -= 1
                if self._depth == 1:
                    found.append(self._text[self._start : self._at])
                self._ended = self._depth == 0
            if self._depth == 1:
                return True
        if self._depth <= 1:
            self._check_between(self._text[self._at :])
        self._at = len(self._text)
        return False

    def end(self) -> None:
        if not self._ended or self._text:
            raise JsonError("the list ends in the middle, or not at its end")

    def _check_between(self, text: bytes) -> None:
        if text.strip(_SPACE + b"," if self._depth else _SPACE + _MARK):
            raise JsonError("the text is no list of objects")

    def _check_outside(self, token: bytes) -> None:
        allowed = (b"{", b"]") if self._depth else () if self._ended else (b"[",)
        if token not in allowed:
            raise JsonError("the text is no list of objects")
