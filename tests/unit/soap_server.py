"""Answers of SOAP API as Salesforce forms them, and what arrived at a server, read by the standard library."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any
from xml.etree import ElementTree

from http_server import Answer, Reply, Seen, Server

PARTNER, RECORD = "{urn:partner.soap.sforce.com}", "{urn:sobject.partner.soap.sforce.com}"
_ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"
_FRAME = """<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope
 xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com"
 xmlns:sf="urn:fault.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
><soapenv:Header><LimitInfoHeader/></soapenv:Header><soapenv:Body>{}</soapenv:Body></soapenv:Envelope>"""
_FAULT = """<soapenv:Fault><faultcode>sf:{0}</faultcode><faultstring>{0}: {1}</faultstring><detail
><sf:{2} xsi:type="sf:{2}"><sf:exceptionCode>{0}</sf:exceptionCode><sf:exceptionMessage>{1}</sf:exceptionMessage
></sf:{2}></detail></soapenv:Fault>"""

# https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
EXPIRED = "Invalid Session ID found in SessionHeader: Illegal Session. Session not found, missing session hash"


def envelope(inside: str, status: int = 200) -> Reply:
    """An answer with something in its body."""
    return Reply(status, _FRAME.format(inside).encode(), {"Content-Type": "text/xml;charset=UTF-8"})


def answer(call: str, *results: Mapping[str, Any]) -> Reply:
    """The answer to a call; lists repeat their element, and ``None`` is nil."""
    return envelope(f"<{call}Response>{''.join(_element('result', each) for each in results)}</{call}Response>")


def fault(code: str, message: str, kind: str = "UnexpectedErrorFault") -> Reply:
    """A fault, whose status is always 500."""
    return envelope(_FAULT.format(code, escape(message), kind), 500)


def _element(name: str, value: Any) -> str:
    match value:
        case None:
            return f'<{name} xsi:nil="true"/>'
        case Mapping():
            return f"<{name}>{''.join(_element(key, item) for key, item in value.items())}</{name}>"
        case list():
            return "".join(_element(name, item) for item in value)
        case bool():
            return f"<{name}>{str(value).lower()}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"


def body(seen: Seen) -> ElementTree.Element:
    """The call in the body of a request."""
    found = ElementTree.fromstring(seen.body).find(f"{_ENVELOPE}Body")  # noqa: S314  # what our own client sent
    assert found is not None
    (call,) = found
    return call


def headers(seen: Seen) -> dict[str, dict[str, str | None]]:
    """The SOAP headers of a request."""
    found = ElementTree.fromstring(seen.body).find(f"{_ENVELOPE}Header")  # noqa: S314  # as above
    assert found is not None
    return {local(each): {local(member): member.text for member in each} for each in found}


def local(element: ElementTree.Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def members(element: ElementTree.Element) -> dict[str, str]:
    """The members of an element, none of which may be there twice."""
    names = [local(each) for each in element]
    assert len(names) == len(set(names))
    return {local(each): each.text or "" for each in element}


class SoapServer(Server):
    """Answers each call by a function of its number and of its elements, and queries by the converted status.

    Args:
        judge: Gives the result of each element of a call.
        intervene: Gives the whole answer to a call, by its number; ``None`` leaves it to ``judge``.
    """

    def __init__(
        self,
        judge: Callable[[ElementTree.Element], Mapping[str, Any]],
        intervene: Callable[[int], Answer | None] = lambda _: None,
    ) -> None:
        super().__init__(self._reply)
        self.calls: list[Seen] = []
        self.queries = 0
        self._judge, self._intervene = judge, intervene

    def _reply(self, seen: Seen) -> Answer:
        if "/query" in seen.target:
            self.queries += 1
            return Reply.of({"totalSize": 1, "done": True, "records": [{"MasterLabel": "Closed - Converted"}]})
        self.calls.append(seen)
        if (special := self._intervene(len(self.calls))) is not None:
            return special
        call = body(seen)
        return answer(local(call), *map(self._judge, call))
