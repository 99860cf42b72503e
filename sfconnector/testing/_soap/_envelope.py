"""Envelopes: how a request is read, and how results and faults are written.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_header.htm
"""

from collections.abc import Iterable, Mapping
from typing import Final
from xml.etree.ElementTree import Element

import attrs

from sfconnector.testing._async._xml import DECLARATION, XSI, leaf, local_name, read, text
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer
from sfconnector.testing._soap._faults import INVALID_SOBJECT, ClientFault, SoapFault, translated

MEDIA_TYPE: Final = "text/xml; charset=utf-8"
SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
# What the segment of the path after /services/Soap stands for.
FLAVORS: Final = {"u": "partner", "c": "enterprise"}


@attrs.frozen(kw_only=True)
class Envelope:
    """A request: its headers by their names, and the element of the call in the body."""

    headers: Mapping[str, Element]
    call: Element


def parse(content: bytes) -> Envelope:
    """Read a request.

    Raises:
        ClientFault: it is no XML, declares a document type, or is no envelope with one call.
    """
    try:
        root = read(content)
    except ValueError as error:
        raise ClientFault(str(error) if content.strip() else "Premature end of file.") from error
    if root.tag != f"{{{SOAP}}}Envelope":
        raise ClientFault(
            f"Expected a SOAP envelope, and found {{{root.tag.rpartition('}')[0][1:]}}}{local_name(root)}"
        )
    head, body = root.find(f"{{{SOAP}}}Header"), root.find(f"{{{SOAP}}}Body")
    if body is None or len(body) != 1:
        raise ClientFault("The Body of the envelope holds one call, and nothing else")
    return Envelope(headers={} if head is None else {local_name(child): child for child in head}, call=body[0])


def result(flavor: str, name: str, children: Iterable[str], used: int | None, maximum: int) -> bytes:
    """Write an answer; ``used`` of the daily limit is told by all calls that count against it."""
    limit = ""
    if used is not None:
        told = leaf("current", str(used)) + leaf("limit", str(maximum)) + leaf("type", "API REQUESTS")
        limit = f"<soapenv:Header><LimitInfoHeader><limitInfo>{told}</limitInfo></LimitInfoHeader></soapenv:Header>"
    content = "".join(children)
    answer = f"<{name}Response>{content}</{name}Response>" if content else f"<{name}Response/>"
    namespaces = f'xmlns="urn:{flavor}.soap.sforce.com" xmlns:xsi="{XSI}"'
    return _document(namespaces, f"{limit}<soapenv:Body>{answer}</soapenv:Body>")


def fault(flavor: str, error: SoapFault | ClientFault) -> bytes:
    """Write a fault."""
    if isinstance(error, ClientFault):
        told = leaf("faultcode", "soapenv:Client") + leaf("faultstring", error.message)
        return _document("", f"<soapenv:Body><soapenv:Fault>{told}</soapenv:Fault></soapenv:Body>")
    code, message = text(error.code), text(error.message)
    # Where in a query the trouble is; there is no query here.
    place = "<sf:row>-1</sf:row><sf:column>-1</sf:column>" if error.kind == INVALID_SOBJECT else ""
    told = (
        f"<faultcode>sf:{code}</faultcode><faultstring>{code}: {message}</faultstring>"
        f'<detail><sf:{error.kind} xsi:type="sf:{error.kind}"><sf:exceptionCode>{code}</sf:exceptionCode>'
        f"<sf:exceptionMessage>{message}</sf:exceptionMessage>{place}</sf:{error.kind}></detail>"
    )
    namespaces = f'xmlns:sf="urn:fault.{flavor}.soap.sforce.com" xmlns:xsi="{XSI}"'
    return _document(namespaces, f"<soapenv:Body><soapenv:Fault>{told}</soapenv:Fault></soapenv:Body>")


def fault_answer(flavor: str, error: SoapFault | ClientFault) -> Answer:
    """Render a fault."""
    status = error.status if isinstance(error, SoapFault) else 500
    return Answer(status=status, body=fault(flavor, error), media_type=MEDIA_TYPE)


def told(error: OrgError, path: str) -> Answer:
    """Render a refusal that fault injection has put in the place of an answer."""
    flavor = "enterprise" if "/services/Soap/c/" in path else "partner"
    return fault_answer(flavor, translated(error))


def _document(namespaces: str, content: str) -> bytes:
    declared = f"{namespaces} " if namespaces else ""
    head = f'{DECLARATION}<soapenv:Envelope xmlns:soapenv="{SOAP}" {declared}'.rstrip()
    return f"{head}>{content}</soapenv:Envelope>".encode()
