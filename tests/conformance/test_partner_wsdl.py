"""Our partner WSDL beside one that Salesforce handed out, of an older version: what both have must agree."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest
from recordings import Recordings

OURS = Path(__file__).parents[2] / "specs/partner.wsdl"
XSD, WSDL = "{http://www.w3.org/2001/XMLSchema}", "{http://schemas.xmlsoap.org/wsdl/}"
SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"


class Part(NamedTuple):
    """An element of a type: what is said of it, with the namespace of its type."""

    name: str
    type: str
    nillable: bool
    min_occurs: str
    max_occurs: str


class Document:
    """A WSDL, flat enough to be compared."""

    def __init__(self, path: Path) -> None:
        self.prefixes: dict[str, str] = {}
        for _, (prefix, uri) in ElementTree.iterparse(path, ["start-ns"]):  # type: ignore[misc]  # noqa: S314  # pairs; files that we chose
            self.prefixes.setdefault(prefix, uri)
        self.root = ElementTree.parse(path).getroot()  # noqa: S314  # files that we chose
        self.types: dict[str, list[Part]] = {}
        self.bases: dict[str, str] = {}
        self.forms: dict[str, str] = {}
        for schema in self.root.iter(f"{XSD}schema"):
            namespace = schema.get("targetNamespace", "")
            self.forms[namespace] = schema.get("elementFormDefault", "")
            for node in schema:
                if "name" in node.attrib:
                    self._read(f"{{{namespace}}}{node.get('name')}", node)

    def _read(self, name: str, node: ElementTree.Element) -> None:
        kind = node.tag.removeprefix(XSD)
        key = f"{kind} {name}"
        self.types[key] = list(self._parts(node))
        for inner in node.iter():
            if inner.tag in {f"{XSD}extension", f"{XSD}restriction"}:
                self.bases[key] = self._qualified(inner.get("base", ""))
        if "type" in node.attrib:
            self.bases[key] = self._qualified(node.get("type", ""))

    def _parts(self, node: ElementTree.Element) -> Iterator[Part]:
        for sequence in node.iter(f"{XSD}sequence"):
            for each in sequence:
                yield Part(
                    each.get("name", each.tag.removeprefix(XSD)),
                    self._qualified(each.get("type", "")),
                    each.get("nillable") == "true",
                    each.get("minOccurs", "1"),
                    each.get("maxOccurs", "1"),
                )

    def _qualified(self, name: str) -> str:
        prefix, _, local = name.rpartition(":")
        return f"{{{self.prefixes.get(prefix, '')}}}{local}" if local else ""

    def operations(self, where: str) -> dict[str, ElementTree.Element]:
        """The operations of the port type or of the binding."""
        parent = self.root.find(f"{WSDL}{where}")
        assert parent is not None
        return {node.get("name", ""): node for node in parent.findall(f"{WSDL}operation")}

    def messages(self) -> dict[str, list[tuple[str, str]]]:
        return {
            node.get("name", ""): [
                (part.get("name", ""), self._qualified(part.get("element", ""))) for part in node.findall(f"{WSDL}part")
            ]
            for node in self.root.findall(f"{WSDL}message")
        }

    def headers(self, operation: ElementTree.Element, way: str) -> list[str]:
        return [node.get("part", "") for node in operation.iterfind(f"{WSDL}{way}/{SOAP}header")]


@pytest.fixture(scope="module")
def ours() -> Document:
    return Document(OURS)


@pytest.fixture(scope="module")
def theirs(recordings: Recordings) -> Document:
    return Document(recordings.folder / "partner_v38.wsdl.xml")


def test_namespaces_and_forms_agree(ours: Document, theirs: Document) -> None:
    assert ours.root.get("targetNamespace") == theirs.root.get("targetNamespace")
    assert ours.forms == theirs.forms


def test_what_both_types_have_agrees_in_order_type_and_number(ours: Document, theirs: Document) -> None:
    common = ours.types.keys() & theirs.types.keys()
    assert len(common) > 40
    for name in sorted(common):
        known = {part.name for part in theirs.types[name]}
        assert [part for part in ours.types[name] if part.name in known] == theirs.types[name], name
        assert ours.bases.get(name) == theirs.bases.get(name), name


def test_no_type_is_ours_alone(ours: Document, theirs: Document) -> None:
    assert ours.types.keys() <= theirs.types.keys()


def test_operations_agree(ours: Document, theirs: Document) -> None:
    ports, bindings = ours.operations("portType"), ours.operations("binding")
    assert ports.keys() == bindings.keys()
    their_ports, their_bindings = theirs.operations("portType"), theirs.operations("binding")
    for name, port in ports.items():
        messages = [(node.tag, node.get("message"), node.get("name")) for node in port if node.get("message")]
        other = their_ports[name]
        assert messages == [(n.tag, n.get("message"), n.get("name")) for n in other if n.get("message")], name
        for way in ("input", "output"):
            headers, their_headers = ours.headers(bindings[name], way), theirs.headers(their_bindings[name], way)
            assert headers == [header for header in their_headers if header in headers], name
            body, their_body = (each.find(f"{WSDL}{way}/{SOAP}body") for each in (bindings[name], their_bindings[name]))
            assert body is not None
            assert their_body is not None
            assert body.attrib == their_body.attrib, name
        action, their_action = (each.find(f"{SOAP}operation") for each in (bindings[name], their_bindings[name]))
        assert action is not None
        assert their_action is not None
        assert action.attrib == their_action.attrib, name


def test_messages_agree(ours: Document, theirs: Document) -> None:
    found = theirs.messages()
    for name, parts in ours.messages().items():
        assert parts == [part for part in found[name] if part in parts], name
