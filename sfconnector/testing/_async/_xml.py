"""XML as Bulk API 1.0 reads and writes it."""

from collections.abc import Iterable
from typing import Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser
from xml.sax.saxutils import escape

NAMESPACE: Final = "http://www.force.com/2009/06/asyncapi/dataload"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>'
_NIL: Final = f"{{{XSI}}}nil"
_TRUE: Final = frozenset({"true", "1"})
# What XML 1.0 cannot hold, even escaped.
_FORBIDDEN: Final = dict.fromkeys(
    (*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF), "\N{REPLACEMENT CHARACTER}"
)


class _Builder(TreeBuilder):
    """Takes no declarations, through which a small document could grow large."""

    def doctype(self, *_: object) -> None:
        raise ValueError("DOCTYPE is disallowed")


def read(content: bytes) -> Element:
    """Parse a document.

    Raises:
        ValueError: it is no XML, or declares a document type.
    """
    parser = XMLParser(target=_Builder())  # noqa: S314  # see _Builder
    try:
        parser.feed(content)
        root: Element = parser.close()
    except ParseError as error:
        raise ValueError(str(error)) from error
    return root


def local_name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def is_nil(element: Element) -> bool:
    return element.get(_NIL, "").strip() in _TRUE


def text(value: str) -> str:
    """Escape a text that stands between tags."""
    # A carriage return as it is would be read as a line feed.
    return escape(value.translate(_FORBIDDEN), {"\r": "&#13;"})


def leaf(name: str, value: str) -> str:
    return f"<{name}>{text(value)}</{name}>"


def document(name: str, children: Iterable[str]) -> bytes:
    """Write a document with one child a line, laid out as Salesforce lays out all it writes of jobs and batches."""
    lines = [f" {child}\n" for child in children]
    head = f'{DECLARATION}<{name}\n   xmlns="{NAMESPACE}"'
    return (f"{head}>\n{''.join(lines)}</{name}>" if lines else f"{head} />").encode()
