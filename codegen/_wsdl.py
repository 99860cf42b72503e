"""Reads the part of a partner WSDL that the client calls, be it the one in specs/ or one that an org hands out."""

import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NoReturn

import attrs
from lxml import etree
from zeep import xsd
from zeep.exceptions import Error, ExternalReferenceForbidden
from zeep.loader import parse_xml
from zeep.settings import Settings
from zeep.wsdl import Document

from codegen._bump import wsdl_version
from codegen._errors import CodegenError
from codegen._shapes import Shape
from codegen._views import Answer, Argument, Attribute, ModelView, literal, prose

FILE: Final = "partner.wsdl"
# Which calls may be repeated: none that changes anything.
_CALLS: Final = {
    "convertLead": False,
    "emptyRecycleBin": False,
    "getServerTimestamp": True,
    "getUserInfo": True,
    "login": False,
    "logout": False,
    "merge": False,
    "resetPassword": False,
    "setPassword": False,
    "undelete": False,
}
# Orgs hand out no WSDL with it from version 65.0 on.
_RETIRED: Final = {"login"}
_SECRET: Final = {"password", "sessionId"}
_SESSION: Final = "SessionHeader"
_TARGET: Final = "urn:partner.soap.sforce.com"
_PLAIN: Final[Sequence[tuple[type[Any], Shape]]] = (
    (xsd.Boolean, Shape("bool", "_xml.Scalar(bool)")),
    (xsd.Integer, Shape("int", "_xml.Scalar(int)")),
    (xsd.Double, Shape("float", "_xml.Scalar(float)")),
    (xsd.DateTime, Shape("datetime.datetime", "_model.Moment()")),
    (xsd.Date, Shape("datetime.date", "_model.Day()")),
)
_FREE: Final = Shape("dict[str, Any]")


@attrs.frozen
class CallView:
    """A call as its template needs it; the names are those of the operations of other specs, where they agree."""

    name: str
    wire: str
    server: str
    summary: str
    docs: str
    idempotent: bool
    session: bool
    path_arguments: list[Argument]
    keyword_arguments: list[Argument]
    answer: Answer
    answer_name: str
    description: str = ""


@attrs.frozen
class Wsdl:
    """The calls of a WSDL and the types that they need."""

    calls: list[CallView]
    models: list[ModelView]


class _Offline:
    """Stands where zeep wants what fetches documents; it may neither read files nor ask servers."""

    def load(self, url: object) -> NoReturn:
        """Refuse to read anything but the WSDL itself."""
        raise ExternalReferenceForbidden(url)


@attrs.frozen
class _Texts:
    """What the WSDL says of its types and calls; zeep drops it."""

    of_types: dict[str, str]
    of_calls: dict[str, str]

    @classmethod
    def read(cls, root: Any) -> "_Texts":
        spaces = {"wsdl": "http://schemas.xmlsoap.org/wsdl/", "xsd": "http://www.w3.org/2001/XMLSchema"}

        def texts(elements: str, text: str) -> dict[str, str]:
            return {each.get("name"): each.findtext(text, "", spaces) for each in root.iterfind(elements, spaces)}

        return cls(
            texts(".//xsd:complexType", "xsd:annotation/xsd:documentation"),
            texts("wsdl:portType/wsdl:operation", "wsdl:documentation"),
        )


def read_wsdl(where: str, content: bytes, version: str) -> Wsdl:
    """Read a WSDL.

    Args:
        where: What to call it in errors.
        content: Its bytes.
        version: The API version of the specs. A WSDL of another one keeps its own in requests.

    Raises:
        CodegenError: It is no partner WSDL, lacks a call, or refers to other documents.
    """
    settings = Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    own = wsdl_version(where, content.decode("utf-8", "replace"))
    try:
        document = Document(io.BytesIO(content), _Offline(), settings=settings)
        texts = _Texts.read(parse_xml(content, None, settings=settings))
    except (Error, etree.LxmlError, LookupError, AttributeError, TypeError, ValueError) as error:
        # What zeep says of a document that is not a WSDL at all is no help.
        raise CodegenError(where, [f"zeep cannot read it as a WSDL: {type(error).__name__}: {error}"]) from error
    binding = document.bindings.get(f"{{{_TARGET}}}SoapBinding")
    if binding is None:
        raise CodegenError(where, [f"is no partner WSDL: it describes no SoapBinding of {_TARGET}"])
    operations = binding.all()
    if missing := [call for call in _CALLS if call not in operations and call not in _RETIRED]:
        raise CodegenError(where, [f"lacks the call {call}" for call in missing])
    server = f"/services/Soap/u/{'{version}' if own == version else own}"
    reader = _Reader(texts, server, [kind for kind in document.types.types if _is_complex(kind)])
    calls = [reader.call(operations[call], call) for call in _CALLS if call in operations]
    return Wsdl(calls, sorted(reader.models.values(), key=lambda model: model.name))


@attrs.frozen
class _Reader:
    texts: _Texts
    server: str
    kinds: Sequence[Any]
    models: dict[str, ModelView] = attrs.field(factory=dict)

    def call(self, operation: Any, name: str) -> CallView:
        headers = dict(operation.input.header.type.elements) if operation.input.header else {}
        text = " ".join(self.texts.of_calls.get(name, "").split())
        summary, _, page = text.partition("https://")
        return CallView(
            name=_snake(name),
            wire=name,
            server=literal(self.server),
            summary=prose(_sentence(summary or f"Calls {name}")),
            docs=prose(f"https://{page}" if page else "See the SOAP API Developer Guide."),
            idempotent=_CALLS[name],
            session=_SESSION in headers,
            path_arguments=[self._argument(*member) for member in operation.input.body.type.elements],
            keyword_arguments=[self._header(*header) for header in headers.items() if header[0] != _SESSION],
            answer=self._answer(operation.output.body.type.elements),
            answer_name=literal(operation.output.body.name),
        )

    def _argument(self, name: str, element: Any) -> Argument:
        shape, dumped = self._shape(element.type, element.name), _snake(name)
        annotation, codec = shape.annotation, shape.codec
        if element.accepts_multiple:
            annotation = f"Sequence[{annotation}]"
            dumped = f"_model.ListOf({codec}).dump({dumped})" if codec else f"list({dumped})"
        elif codec:
            dumped = f"{codec}.dump({dumped})"
        doc = f"{_snake(name)}: The call's ``{name}``."
        return Argument(_snake(name), f"{_snake(name)}: {annotation}", prose(doc, 104), f"{literal(name)}: {dumped}")

    def _header(self, name: str, element: Any) -> Argument:
        shape, python = self._shape(element.type, name), _snake(name)
        value = f"{python} and {python}.to_dict()"
        doc = prose(f"{python}: The SOAP header ``{name}``.", 104)
        return Argument(python, f"{python}: {shape.annotation} | None = None", doc, f"{literal(name)}: {value}")

    def _answer(self, members: Sequence[tuple[str, Any]]) -> Answer:
        # An answer holds nothing or a result; a result without members says no more.
        if not members or (_is_complex(members[0][1].type) and not members[0][1].type.elements):
            return Answer("None", "None", empty=True)
        ((name, element),) = members
        shape = self._shape(element.type, element.name)
        if element.accepts_multiple:
            items = f"_xml.Items({shape.codec}).load(members.get({literal(name)}, []))"
            return Answer(f"list[{shape.annotation}]", items)
        member = f"_model.expect(dict, members.get({literal(name)}))"
        return Answer(shape.annotation, f"{shape.annotation}.from_dict({member})")

    def _shape(self, kind: Any, name: str) -> Shape:
        if not _is_complex(kind):
            return next((shape for base, shape in _PLAIN if isinstance(kind, base)), Shape("str"))
        if any(isinstance(member, xsd.Any) for _, member in kind.elements):
            return _FREE
        # A header's type has no name but that of its element.
        name = kind.qname.localname if kind.qname is not None else name
        if name not in self.models:
            # Known before its members are, since they may lead back to it.
            self.models[name] = ModelView(name, _snake(name), "", [])
            members = itertools.chain(self._attributes(kind.elements), self._extensions(kind))
            attributes = sorted(members, key=lambda each: not each.required)
            doc = prose(_sentence(self.texts.of_types.get(name) or f"The SOAP header ``{name}``"))
            self.models[name] = ModelView(name, _snake(name), doc, attributes)
        return Shape(f"models.{name}", f"_model.One(lambda: models.{name})")

    def _attributes(self, members: Iterable[tuple[str, Any]]) -> Iterator[Attribute]:
        for name, element in members:
            shape = self._shape(element.type, name)
            annotation, codec = shape.annotation, shape.codec
            required = element.min_occurs > 0 and not element.nillable
            if element.accepts_multiple:
                annotation, codec = f"list[{annotation}]", f"_xml.Items({codec or ''})"
            elif element.nillable:
                annotation += " | None"
            yield Attribute(
                name=_snake(name),
                key=literal(name),
                annotation=annotation if required else f"{annotation} | Unset",
                required=required,
                codec=codec,
                secret=name in _SECRET,
                doc="",
            )

    def _extensions(self, kind: Any) -> Iterator[Attribute]:
        """What a value of the type has if it is of one that extends it.

        It is read as it comes: what is not of the type itself must never make the rest unreadable.
        """
        known = dict(kind.elements)
        (itself,) = kind.accepted_types[:1]
        for other in self.kinds:
            if other is kind or itself not in other.accepted_types:
                continue
            for name, element in other.elements:
                if name not in known:
                    known[name] = element
                    free = _FREE.annotation if _is_complex(element.type) else "str"
                    many = element.accepts_multiple
                    yield Attribute(
                        name=_snake(name),
                        key=literal(name),
                        annotation=f"{f'list[{free}]' if many else f'{free} | None'} | Unset",
                        required=False,
                        codec="_xml.Items()" if many else None,
                        secret=name in _SECRET,
                        doc="",
                    )


def _is_complex(kind: Any) -> bool:
    return isinstance(kind, xsd.ComplexType)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith(".") else f"{text}."
