"""Answers in XML as the values that JSON would hold, as far as XML can tell: its values are texts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ._model import Codec
from .errors import ParseError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# Salesforce's own nest six deep.
_DEEPEST = 50
# UTF-16 is told by its byte order mark, or by the zeros between.
# https://www.w3.org/TR/xml/#sec-guessing
_BEGINNING = re.compile(rb"(\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\0]*<")
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def looks_like(content: bytes) -> bool:
    """Tell what begins as XML does, in UTF-8 or UTF-16, from all JSON."""
    return _BEGINNING.match(content) is not None


def decode(content: bytes) -> Any:
    """Read a document: the members of its root by name, in lists where a name repeats itself.

    Raises:
        ParseError: It is not well-formed, or declares what XML of an API never holds.
    """
    return _members(parse(content))


def parse(content: bytes) -> Element:
    """Read the root of a document.

    Raises:
        ParseError: It is not well-formed, or declares what XML of an API never holds.
    """
    from xml.etree import ElementTree

    class Builder(ElementTree.TreeBuilder):
        def doctype(self, *_: object) -> None:
            raise ParseError("expected XML without a document type")

    parser = ElementTree.XMLParser(target=Builder())  # noqa: S314  # without a document type there are no entities
    try:
        return ElementTree.fromstring(content, parser)  # noqa: S314  # as above
    except (ElementTree.ParseError, LookupError) as error:
        raise ParseError(f"expected XML: {error}") from error
    except ValueError as error:
        # Expat has no name of its own for the encodings that it cannot read.
        raise error if isinstance(error, ParseError) else ParseError(f"expected XML: {error}") from error


def _members(element: Element, depth: int = 0) -> dict[str, Any]:
    if depth > _DEEPEST:
        raise ParseError("expected XML that is not nested so deeply")
    members: dict[str, Any] = {}
    for child in element:
        name = child.tag.rpartition("}")[2]
        value = _value(child, depth)
        if name not in members:
            members[name] = value
        elif isinstance(members[name], list):
            members[name].append(value)
        else:
            members[name] = [members[name], value]
    return members


def _value(element: Element, depth: int) -> Any:
    if element.get(_NIL) in {"true", "1"}:
        return None
    return _members(element, depth + 1) if len(element) else element.text or ""


def unwrap(data: Any) -> Any:
    """The items of a list that is all of an answer: in XML, they are what their root holds."""
    return next(iter(data.values()), []) if isinstance(data, dict) else data


class Scalar(Codec):
    """A number or a boolean, as itself or as text."""

    def __init__(self, kind: type[bool] | type[float] | type[int]) -> None:
        self.kind = kind

    def read(self, value: Any) -> Any:
        """From JSON or XML to Python."""
        if not isinstance(value, str):
            return value
        try:
            return {"true": True, "false": False}[value] if self.kind is bool else self.kind(value)
        except (KeyError, ValueError):
            raise ParseError(f"expected {self.kind.__name__} as text, got {value!r}") from None

    def write(self, value: Any) -> Any:
        """From Python to JSON."""
        return value


class Items(Codec):
    """A list of values of one kind; XML cannot tell a list of one from the one, nor an empty one from a text."""

    def __init__(self, item: Codec | None = None) -> None:
        self.item = item

    def read(self, value: Any) -> Any:
        """From JSON or XML to Python."""
        match value:
            case list():
                items = value
            case "":
                items = []
            case str() | dict():
                items = [value]
            case _:
                raise ParseError(f"expected a list, got {type(value).__name__}")
        return [self.item.read(item) for item in items] if self.item else items

    def write(self, value: Any) -> Any:
        """From Python to JSON."""
        return [self.item.write(item) for item in value] if self.item else value
