"""From an answer to an error: what the body says, which class it is, and what to do about it."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from sfconnector._json import loads
from sfconnector.errors import (
    ApiError,
    BadRequestError,
    ConflictError,
    ErrorDetail,
    ForbiddenError,
    LimitExceededError,
    MultipleMatchesError,
    NotFoundError,
    ServerError,
    SessionExpiredError,
)

if TYPE_CHECKING:
    import requests

_TEXT_LIMIT: Final = 300
# Salesforce's own nest four deep; a hostile body must not exhaust the stack.
_DEEPEST: Final = 20

# How each API names code, message and the list of entries.
_CODES: Final = ("errorCode", "statusCode", "exceptionCode", "error", "ErrorType")
_MESSAGES: Final = ("message", "exceptionMessage", "error_description", "msg")
# REST misspells it.
_DUPLICATES: Final = ("duplicateResut", "duplicateResult")
_NESTED: Final = ("errors", "results", "extensions")
SOAP: Final = "/services/Soap/"
_ENVELOPE: Final = "{http://schemas.xmlsoap.org/soap/envelope/}"
_XML_NAMES: Final = (("errorCode", "message"), ("exceptionCode", "exceptionMessage"), ("faultcode", "faultstring"))

_BY_STATUS: Final[dict[int, type[ApiError]]] = {
    300: MultipleMatchesError,
    400: BadRequestError,
    401: SessionExpiredError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    412: ConflictError,
    429: LimitExceededError,
}
# The same refusal has another status in SOAP and in Bulk 1.0.
_BY_CODE: Final[dict[str, type[ApiError]]] = {
    "INVALID_SESSION_ID": SessionExpiredError,
    "InvalidSessionId": SessionExpiredError,
    "REQUEST_LIMIT_EXCEEDED": LimitExceededError,
}
_VERSION_HINT: Final = "the org does not offer this API version: GET /services/data lists those that it does"
_LENGTH_HINT: Final = "URL and headers may have 16,384 bytes: send a long query inside a composite request"
_SAVE_HINT: Final = "use a record that was found, or duplicate_rule=DuplicateRule(allow_save=True)"
_BLOCK_HINT: Final = "use a record that was found: the rule lets no duplicate pass"
_HINTS_BY_CODE: Final = {
    "REQUEST_LIMIT_EXCEEDED": "the API calls of the last 24 hours are used up: the limits resource shows by what",
    "UNSUPPORTED_API_VERSION": _VERSION_HINT,
    "InvalidVersion": _VERSION_HINT,
    "API_DISABLED_FOR_ORG": "the edition has no API access, or the user lacks the permission API Enabled",
    "UNABLE_TO_LOCK_ROW": "another transaction held the record for too long: try again later",
}
_HINTS_BY_STATUS: Final = {
    401: "the token is expired or revoked, and logging in anew did not help",
    403: "check the user's permissions and the scopes of the connected app",
    410: "this resource or API version is retired: GET /services/data lists the versions that the org offers",
    412: "the record has changed since",
    414: _LENGTH_HINT,
    420: "Salesforce does not know this host: check the My Domain name, and whether the org still exists",
    429: "too many requests: make fewer at the same time",
    431: _LENGTH_HINT,
    503: "Salesforce is overloaded or in maintenance: see https://status.salesforce.com",
}


def refusal(response: "requests.Response", *, hint: str = "") -> ApiError:
    """Make the error for an answer that is no success.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
    """
    status, errors = status_of(response), details(response)
    codes = [error.code for error in errors]
    found = [_BY_CODE[code] for code in codes if code in _BY_CODE]
    cls = found[0] if found else _BY_STATUS.get(status, ServerError if status >= 500 else ApiError)
    hint = hint or next((_HINTS_BY_CODE[code] for code in codes if code in _HINTS_BY_CODE), "")
    hint = hint or redirection(response) or _HINTS_BY_STATUS.get(401 if cls is SessionExpiredError else status, "")
    if not hint and (duplicates := [error.duplicates for error in errors if error.duplicates is not None]):
        hint = _SAVE_HINT if all(each.allow_save for each in duplicates) else _BLOCK_HINT
    if is_concurrency_limit(errors):
        hint = "too many long requests run at the same time: make fewer at once"
    matches = _matches(response) if cls is MultipleMatchesError else ()
    if matches:
        hint = f"use the id of one of them: {', '.join(match.rpartition('/')[2] for match in matches[:5])}"
    error = cls(response, _reason(response, cls), errors=errors, hint=hint)
    if isinstance(error, MultipleMatchesError):
        error.matches = matches
    return error


def details(response: "requests.Response") -> tuple[ErrorDetail, ...]:
    """Read the errors out of a body of whatever kind; empty where it names none."""
    body = response.content.strip()
    if not body or response.status_code == 300:
        return ()
    if body[:1] in b"[{":
        try:
            return tuple(listed(loads(body)))
        except ValueError:
            pass
    if not _is_html(body) and (found := _xml_details(response.content)):
        return found
    return (ErrorDetail("", text),) if (text := _text(body)) else ()


def is_concurrency_limit(errors: Iterable[ErrorDetail]) -> bool:
    """Tell too many requests at the same time from too many in a day: they share the code."""
    return any(error.code == "REQUEST_LIMIT_EXCEEDED" and "ConcurrentRequests" in error.message for error in errors)


def status_of(response: "requests.Response") -> int:
    """Give the status by which an answer is judged: a SOAP fault is none of success, whatever it came with.

    See Also:
        https://www.w3.org/TR/2000/NOTE-SOAP-20000508/#_Toc478383529
    """
    status = response.status_code
    soap = 200 <= status < 300 and (response.request.path_url or "").startswith(SOAP)
    return 500 if soap and _is_fault(response.content) else status


def _is_fault(content: bytes) -> bool:
    # Data may speak of faults, too.
    if re.search(rb"F\0?a\0?u\0?l\0?t", content) is None:
        return False
    from sfconnector_generated import _xml
    from sfconnector_generated.errors import ParseError

    try:
        return _xml.parse(content).find(f"{_ENVELOPE}Body/{_ENVELOPE}Fault") is not None
    except ParseError:
        return False


def media_type(response: "requests.Response") -> str:
    """The type of the body without its parameters."""
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def headline(response: "requests.Response") -> str:
    """What a web page says, where one came; nothing of any other body, since it may be data."""
    body = response.content.strip()
    return _text(body) if _is_html(body) else ""


def listed(data: Any, depth: int = 0) -> Iterator[ErrorDetail]:
    """Find the errors in a decoded body."""
    if isinstance(data, list) and depth < _DEEPEST:
        for item in data:
            yield from listed(item, depth + 1)
    if not isinstance(data, dict) or depth >= _DEEPEST:
        return
    code = next((data[name] for name in _CODES if isinstance(data.get(name), str)), "")
    message = next((data[name] for name in _MESSAGES if isinstance(data.get(name), str)), "")
    if code or message:
        fields = data.get("fields")
        duplicates = None
        if told := next((data[name] for name in _DUPLICATES if name in data), None):
            from sfconnector import _duplicates

            duplicates = _duplicates.read(told)
        yield ErrorDetail(code, message, tuple(map(str, fields)) if isinstance(fields, list) else (), duplicates)
        return
    for name in _NESTED:
        yield from listed(data.get(name), depth + 1)


def _xml_details(body: bytes) -> tuple[ErrorDetail, ...]:
    from sfconnector_generated import _xml
    from sfconnector_generated.errors import ParseError

    if not _xml.looks_like(body):
        return ()
    try:
        elements = [*_xml.parse(body).iter()]
    except ParseError:
        return ()
    parents = [{child.tag.rpartition("}")[2]: (child.text or "").strip() for child in element} for element in elements]
    for code, message in _XML_NAMES:
        if found := [parent for parent in parents if code in parent]:
            return tuple(_xml_detail(parent[code], parent.get(message, "")) for parent in found)
    return ()


def _xml_detail(code: str, message: str) -> ErrorDetail:
    # A fault's code has a prefix, and its text begins with the code.
    code = code.rpartition(":")[2]
    return ErrorDetail(code, message.removeprefix(f"{code}:").lstrip())


def _is_html(body: bytes) -> bool:
    return re.match(rb"<(!doctype html|html|head|body|h\d|p|title)\b", body, re.IGNORECASE) is not None


def _text(body: bytes) -> str:
    import html

    text = body[:20_000].decode("utf-8", "replace")
    if title := re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL):
        text = title[1]
    text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", text, flags=re.IGNORECASE | re.DOTALL)
    text = " ".join(html.unescape(text).split())
    return text if len(text) <= _TEXT_LIMIT else text[:_TEXT_LIMIT] + "…"


def _reason(response: "requests.Response", cls: type[ApiError]) -> str:
    return "several records match" if cls is MultipleMatchesError else response.reason or "no reason given"


def _matches(response: "requests.Response") -> tuple[str, ...]:
    try:
        data = loads(response.content)
    except ValueError:
        return ()
    return tuple(item for item in data if isinstance(item, str)) if isinstance(data, list) else ()


def redirection(response: "requests.Response") -> str:
    """Say where a redirection leads, by its host only: the rest may hold data."""
    location = response.headers.get("Location", "")
    if not 301 <= response.status_code <= 308 or not location:
        return ""
    host = re.match(r"https?://[^/?#@]+(?=[/?#]|$)", location)
    return f"redirections are not followed; this one leads to {host[0] if host else 'another path'}"
