"""What is taken out of recorded requests and answers before they are written down."""

import html
import json
import re
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import attrs
from vcr.request import Request  # type: ignore[import-untyped]

HOST: Final = "https://example.my.salesforce.com"
"""Stands in for the instance."""

TAG: Final = "t000000000000"
"""Stands in for what makes the names of a recording's records unique."""

TOKEN: Final = "scrubbed"
"""Stands in for everything secret."""

# Only these headers are kept: a list of what to leave out would not know the next cookie.
REQUEST_HEADERS: Final = frozenset({"accept", "content-type", "if-modified-since", "if-unmodified-since"})
RESPONSE_HEADERS: Final = frozenset(
    {"content-type", "last-modified", "location", "retry-after", "sforce-limit-info", "www-authenticate"}
)
SECRET_KEYS: Final = frozenset(
    {
        "access_token",
        "refresh_token",
        "id_token",
        "signature",
        "assertion",
        "client_id",
        "client_secret",
        "username",
        "password",
    }
)
_PERSONAL_KEYS: Final = frozenset(
    {"preferred_username", "nickname", "name", "email", "given_name", "family_name", "phone_number", "address"}
)
# The same in SOAP envelopes.
XML_SECRETS: Final = re.compile(r"(<(?:\w+:)?(?:sessionId|username|password)>)([^<]*)(?=</)")
_XML_PERSONAL: Final = re.compile(r"(<(?:userEmail|userFullName|userName|organizationName)>)[^<]*(?=</)")
# Spans of time end when they are asked for.
_SPAN: Final = re.compile(r"\b(start|end)=[^&]+")
_SALESFORCE: Final = re.compile(r"https://[\w.-]+\.(?:salesforce|force|salesforce-sites)\.com")
_FORM: Final = "application/x-www-form-urlencoded"
# Another one for each request.
_BOUNDARY: Final = re.compile(r"multipart/form-data; boundary=(\w+)")
# An org may have thousands of objects.
_OBJECTS: Final = frozenset({"Account", "Contact", "Lead", "LeadStatus", "User"})


@attrs.define
class Scrubber:
    """Cleans what one run records.

    Args:
        origin: Scheme, host and port of the org.
        tag: What makes names unique.
        seen: All secrets that were met, for a look through the written files.
    """

    origin: str
    tag: str
    seen: set[str] = attrs.field(factory=set)

    def request(self, request: Request) -> Request:
        """Clean a request; also one that is only looked for, since it has to match what was written."""
        if hasattr(request.body, "read"):
            # What was read from a file is written down as what it was.
            request = Request(request.method, request.uri, request.body.read(), request.headers)
        request.uri = _SPAN.sub(r"\1=now", self._text(request.uri))
        headers = {name.lower(): _plain(value) for name, value in request.headers.items()}
        self.seen.add(headers.get("authorization", "Bearer -").removeprefix("Bearer "))
        kind = headers.get("content-type")
        request.headers = {name: value for name, value in headers.items() if name in REQUEST_HEADERS}
        if request.body:
            body = request.body.decode()
            if kind and (boundary := _BOUNDARY.fullmatch(kind)):
                request.headers["content-type"] = kind = kind.replace(boundary[1], "boundary")
                body = body.replace(boundary[1], "boundary")
            request.body = (self._form(body) if kind == _FORM else self._text(body)).encode()
        return request

    def response(self, response: dict[str, Any]) -> dict[str, Any]:
        """Clean an answer."""
        headers = response["headers"].items()
        response["headers"] = {
            name: [self._text(value) for value in values]
            for name, values in headers
            if name.lower() in RESPONSE_HEADERS
        }
        text = self._text(response["body"]["string"].decode())
        try:
            body = json.loads(text)
        except ValueError:
            pass
        else:
            text = json.dumps(self._answer(body), ensure_ascii=False, separators=(",", ":"))
        response["body"] = {"string": text.encode()}
        return response

    def _answer(self, body: Any) -> Any:
        match body:
            case {"access_token": _}:
                return {name: self._secret(name, value) for name, value in body.items()}
            case {"NewPassword": str(password)}:
                self.seen.add(password)
                return {"NewPassword": TOKEN}
            case {"user_id": _, "organization_id": _}:
                return {name: TOKEN if name in _PERSONAL_KEYS else value for name, value in body.items()}
            case {"encoding": _, "sobjects": [*sobjects]}:
                return body | {"sobjects": [sobject for sobject in sobjects if sobject["name"] in _OBJECTS]}
            case {"objectDescribe": _, "recentItems": _}:
                return body | {"recentItems": []}
        return body

    def _form(self, body: str) -> str:
        return urlencode([(name, self._secret(name, value)) for name, value in parse_qsl(body)])

    def _secret(self, name: str, value: Any) -> Any:
        if name not in SECRET_KEYS:
            return value
        self.seen.add(value)
        return TOKEN

    def _text(self, text: str) -> str:
        self.seen.update(html.unescape(secret) for _, secret in XML_SECRETS.findall(text) if secret != TOKEN)
        text = _XML_PERSONAL.sub(rf"\1{TOKEN}", XML_SECRETS.sub(rf"\1{TOKEN}", text))
        return _SALESFORCE.sub(HOST, text.replace(self.origin, HOST)).replace(self.tag, TAG)


def _plain(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
