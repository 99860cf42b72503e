# Copied by `python -m codegen` from codegen/runtime/_soap.py: change that, never this.
"""SOAP: envelopes that zeep writes by the WSDL beside the operations, and answers read as other XML is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from .client import SESSION_ID, Request
from .errors import ParseError

_WSDL: Final = "partner.wsdl"
_BINDING: Final = "{urn:partner.soap.sforce.com}SoapBinding"
_HEADERS: Final = {
    "Accept": "text/xml",
    "Content-Type": "text/xml; charset=UTF-8",
    # Salesforce goes by the body, and the WSDL says so.
    "SOAPAction": '""',
}


def request(
    operation: str,
    call: str,
    server: str,
    arguments: Mapping[str, Any],
    headers: Mapping[str, Any],
    *,
    session: bool = True,
    idempotent: bool = False,
) -> Request:
    """Build the request of a call.

    Args:
        operation: What to call it in logs.
        call: Its name in the WSDL.
        server: The path of the endpoint.
        arguments: Those of the call as values for JSON; what is ``None`` is left out.
        headers: SOAP headers by their names, likewise.
        session: Whether the envelope names the session, whose id the transport puts in.
        idempotent: Whether sending it twice does no more than sending it once.

    Raises:
        ValueError: A text has characters that XML cannot carry, or a list is empty that may not be.
        ImportError: The extra ``soap`` is not installed.
    """
    if session:
        # The first of all, so that nothing that looks like it can come before it.
        headers = {"SessionHeader": {"sessionId": SESSION_ID}, **headers}
    return Request(
        operation=operation,
        method="POST",
        server=server,
        path="",
        headers=_HEADERS,
        content=_envelope(call, arguments, headers),
        idempotent=idempotent,
    )


def answer(data: Any, name: str) -> dict[str, Any]:
    """The members of an answer inside a decoded envelope.

    Args:
        data: The envelope, decoded.
        name: The name of the answer in the WSDL.

    Raises:
        ParseError: The envelope holds something else.
    """
    body = data.get("Body") if isinstance(data, dict) else None
    members = body.get(name) if isinstance(body, dict) else None
    if members == "":
        return {}
    if not isinstance(members, dict):
        raise ParseError(f"expected a SOAP envelope with {name}")
    return members


def _envelope(call: str, arguments: Mapping[str, Any], headers: Mapping[str, Any]) -> bytes:
    from lxml import etree
    from zeep.exceptions import ValidationError

    operation = _binding().get(call)
    message = operation.input
    known = dict(message.header.type.elements)
    rendered = etree.Element("rendered")
    try:
        for name, value in headers.items():
            if value is not None:
                # Given as they are, zeep would copy them, and write out what it is told to skip.
                known[name].render(rendered, known[name](**_complete(known[name].type, value)), [name])
        serialized = operation.create(**_complete(message.body.type, arguments), _soapheaders=[*rendered])
    except ValidationError as error:
        raise ValueError(str(error)) from error
    content: bytes = etree.tostring(serialized.content, encoding="UTF-8", xml_declaration=True)
    return content


@cache
def _binding() -> Any:
    from importlib.resources import files

    from zeep.settings import Settings
    from zeep.transports import Transport
    from zeep.wsdl import Document

    settings = Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    with files(f"{__package__}.soap").joinpath(_WSDL).open("rb") as file:
        document = Document(file, Transport(), settings=settings)
    return document.bindings[_BINDING]


def _complete(kind: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Name all members of a type, since zeep writes ``xsi:nil`` for those that it is not told to skip."""
    from zeep.xsd import Any as Others
    from zeep.xsd import SkipValue

    members = dict(kind.elements)
    complete: dict[str, Any] = {}
    for name, element in members.items():
        if isinstance(element, Others):
            complete[name] = list(_others(kind, {key: given[key] for key in given if key not in members}))
        elif (value := given.get(name)) is None:
            complete[name] = SkipValue
        elif isinstance(value, list | tuple):
            complete[name] = [_member(element.type, item) for item in value]
        else:
            complete[name] = _member(element.type, value)
    return complete


def _member(kind: Any, value: Any) -> Any:
    return _complete(kind, value) if isinstance(value, Mapping) else value


def _others(kind: Any, given: Mapping[str, str]) -> Iterator[Any]:
    from lxml import etree

    for name, text in given.items():
        element = etree.Element(etree.QName(kind.qname.namespace, name))
        element.text = text
        yield element
