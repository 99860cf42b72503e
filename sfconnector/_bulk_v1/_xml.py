"""XML, both ways: read as it comes and without document types, so without any entity that it could declare.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_xml_valid_records.htm
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from xml.parsers import expat

import attrs

NAMESPACE: Final = "http://www.force.com/2009/06/asyncapi/dataload"
_INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"
_CHUNK: Final = 1 << 16
# Salesforce's own nest a few deep; a hostile text must not exhaust the stack.
_DEEPEST: Final = 50
_NAME: Final = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
# What XML 1.0 has no way to write, and what it would read as something else.
_IMPOSSIBLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPECIAL: Final = re.compile("[&<>\r]")
_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}


class XmlError(ValueError):
    """A text is no XML, or has what no answer of Salesforce has."""


@attrs.define
class Element:
    """An element with what is in it.

    Attributes:
        name: Without its namespace.
        kind: Its ``xsi:type`` without the prefix.
        nil: Whether it stands for null.
        text: The text in it.
        children: The elements in it.
    """

    name: str
    kind: str = ""
    nil: bool = False
    text: str | None = None
    children: list[Element] = attrs.field(factory=list)

    def texts(self) -> dict[str, str | None]:
        """Give the texts of the elements in it by their names; null of those that stand for null."""
        return {each.name: None if each.nil else each.text or "" for each in self.children}

    def record(self) -> dict[str, Any]:
        """Give a record as a dict: of its parents too, and a list of its children."""
        found: dict[str, Any] = {}
        for each in self.children:
            if each.name == "records":
                found.setdefault("records", []).append(each.record())
            else:
                # Salesforce writes the id twice.
                found[each.name] = each.value()
        return found

    def value(self) -> Any:
        """Give null, the text, or what is in it."""
        if self.nil:
            return None
        return self.record() if self.children else self.text or ""


def document(text: bytes, root: str) -> Element:
    """Read a text of a moderate size.

    Raises:
        XmlError: It is no XML, or its root has another name.
    """
    [found] = elements([text], 0, root)
    return found


def elements(chunks: Iterable[bytes], depth: int, root: str) -> Iterator[Element]:
    """Read the elements of one depth out of a text of any size, each as soon as it has ended.

    Args:
        chunks: The text.
        depth: 0 for the root, 1 for the elements in it.
        root: The name that the root must have.

    Raises:
        XmlError: It is no XML, ends too early, declares a document type, or its root has another name.
    """
    reader = _Reader(depth, root)
    for chunk in chunks:
        # In pieces, so that a large chunk does not become as many elements at once.
        for start in range(0, len(chunk), _CHUNK):
            yield from reader.feed(chunk[start : start + _CHUNK])
    yield from reader.feed(b"", last=True)


class _Reader:
    def __init__(self, depth: int, root: str) -> None:
        self._depth, self._root = depth, root
        self._open: list[Element] = []
        self._done: list[Element] = []
        parser = self._parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, piece: bytes, *, last: bool = False) -> list[Element]:
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as error:
            # Without the text: it may be data.
            raise XmlError(f"the text is no XML: {expat.errors.messages[error.code]}") from None
        done, self._done = self._done, []
        return done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if not self._open and local != self._root:
            raise XmlError(f"the text is not that of {self._root}")
        if len(self._open) >= _DEEPEST:
            raise XmlError("the text has elements in elements without end")
        kind = attributes.get(f"{_INSTANCE} type", "").rpartition(":")[2]
        nil = attributes.get(f"{_INSTANCE} nil") in {"true", "1"}
        self._open.append(Element(local, kind, nil))

    def _end(self, _: str) -> None:
        element = self._open.pop()
        if len(self._open) == self._depth:
            self._done.append(element)
        elif len(self._open) > self._depth:
            self._open[-1].children.append(element)

    def _data(self, text: str) -> None:
        if len(self._open) > self._depth:
            element = self._open[-1]
            element.text = text if element.text is None else element.text + text

    def _doctype(self, *_: object) -> None:
        raise XmlError("the text declares a document type, which no answer of Salesforce does")


HEAD: Final = f'<?xml version="1.0" encoding="UTF-8"?><sObjects xmlns="{NAMESPACE}" xmlns:xsi="{_INSTANCE}">'.encode()
TAIL: Final = b"</sObjects>"


def write(record: Mapping[str, Any]) -> bytes:
    """Write a record whose values are ready for JSON.

    Raises:
        ValueError: A name or a text has characters that XML lacks.
    """
    return f"<sObject>{''.join(_fields(record))}</sObject>".encode()


def _fields(record: Mapping[str, Any]) -> Iterator[str]:
    for name, value in record.items():
        if name == "attributes" and isinstance(value, Mapping):
            # Of a parent, where it tells whose external id this is; XML has an element for it.
            if (kind := value.get("type")) is not None:
                yield f"<type>{_text(name, kind)}</type>"
            continue
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"{name!r} is no name of a field that XML could carry")
        match value:
            case None:
                yield f'<{name} xsi:nil="true"/>'
            case Mapping():
                yield f"<{name}><sObject>{''.join(_fields(value))}</sObject></{name}>"
            case list():
                raise ValueError(f"{name}: a list has no place in a record of a batch")
            case _:
                yield f"<{name}>{_text(name, value)}</{name}>"


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else format(value, "f") if hasattr(value, "is_finite") else str(value)
    if wrong := _IMPOSSIBLE.search(text):
        raise ValueError(f"{name}: XML has no way to write the character U+{ord(wrong[0]):04X}")
    return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], text)
