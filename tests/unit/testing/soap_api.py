"""The SOAP API over a plain ``requests`` session and hand-written XML: no client of ours is in the way."""

from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import attrs
import requests

from sfconnector.testing import LocalOrg

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def xml(**members: Any) -> str:
    """Elements by their names: mappings become elements inside, lists repeat their element."""
    return "".join(_element(name, value) for name, value in members.items())


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, each) for each in value)
    if value is None:
        return f'<u:{name} xsi:nil="true"/>'
    content = (
        xml(**value) if isinstance(value, dict) else escape(str(value).lower() if value in (True, False) else value)
    )
    return f"<u:{name}>{content}</u:{name}>"


@attrs.frozen
class Fault:
    """A fault: its status, its code with the prefix, its text, and the type of its detail if it has one."""

    status: int
    code: str
    message: str
    kind: str | None = None


class SoapApi:
    """Calls operations of one version of the partner or the enterprise API."""

    def __init__(self, org: LocalOrg, version: str = "68.0", flavor: str = "partner") -> None:
        self.org = org
        self.version = version
        self.flavor = flavor
        self.token: str | None = org.access_token()
        self.http = requests.Session()

    @property
    def url(self) -> str:
        return f"{self.org.url}/services/Soap/{'u' if self.flavor == 'partner' else 'c'}/{self.version}"

    def envelope(self, name: str, headers: str = "", **members: Any) -> str:
        session = "" if self.token is None else xml(SessionHeader={"sessionId": self.token})
        return (
            f'<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="{ENVELOPE}" xmlns:xsi="{XSI}" '
            f'xmlns:u="urn:{self.flavor}.soap.sforce.com"><e:Header>{session}{headers}</e:Header>'
            f"<e:Body>{_element(name, members)}</e:Body></e:Envelope>"
        )

    def post(self, content: str | bytes, **headers: str) -> requests.Response:
        data = content.encode() if isinstance(content, str) else content
        known = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}
        return self.http.post(self.url, data=data, headers=known | headers, timeout=30)

    def __call__(self, name: str, headers: str = "", **members: Any) -> list[dict[str, Any]]:
        """Call an operation and return its results."""
        response = self.post(self.envelope(name, headers, **members))
        assert response.status_code == 200, response.text
        assert response.headers["Content-Type"] == "text/xml; charset=utf-8"
        answer = parse(response.content)
        assert answer.tag == f"{{urn:{self.flavor}.soap.sforce.com}}{name}Response"
        return [_read(result) for result in answer]

    def fault(self, name: str, headers: str = "", **members: Any) -> Fault:
        """Call an operation that is refused."""
        return fault(self.post(self.envelope(name, headers, **members)), self.flavor)


def parse(content: bytes) -> ET.Element:
    """The element in the body."""
    body = ET.fromstring(content).find(f"{{{ENVELOPE}}}Body")  # noqa: S314  # the org under test is no stranger
    assert body is not None
    assert len(body) == 1
    return body[0]


def fault(response: requests.Response, flavor: str = "partner") -> Fault:
    assert response.headers["Content-Type"] == "text/xml; charset=utf-8"
    element = parse(response.content)
    assert element.tag == f"{{{ENVELOPE}}}Fault"
    code, message = element.findtext("faultcode"), element.findtext("faultstring")
    assert code is not None
    assert message is not None
    detail = element.find("detail")
    if detail is None:
        return Fault(response.status_code, code, message)
    namespace = f"{{urn:fault.{flavor}.soap.sforce.com}}"
    (told,) = detail
    kind = told.tag.removeprefix(namespace)
    assert told.get(f"{{{XSI}}}type") == f"sf:{kind}"
    exception = told.findtext(f"{namespace}exceptionCode")
    text = told.findtext(f"{namespace}exceptionMessage")
    assert code == f"sf:{exception}"
    assert message == f"{exception}: {text}"
    return Fault(response.status_code, code, text or "", kind)


_MANY = {"errors", "fields", "mergedRecordIds", "updatedRelatedIds"}


def _read(element: ET.Element) -> dict[str, Any]:
    """Members by name; those that may repeat are lists, nil ones are ``None``."""
    found: dict[str, Any] = {}
    for child in element:
        name = child.tag.rpartition("}")[2]
        nil = child.get(f"{{{XSI}}}nil") == "true"
        value = None if nil else _read(child) if len(child) else child.text or ""
        if name in _MANY:
            found.setdefault(name, []).append(value)
        else:
            assert name not in found
            found[name] = value
    return found


def error(result: dict[str, Any]) -> tuple[str, str, list[str]]:
    """The one error of a result that is no success."""
    assert result["success"] == "false", result
    (told,) = result["errors"]
    return told["statusCode"], told["message"], told.get("fields", [])
