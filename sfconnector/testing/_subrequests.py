"""What the composite resources have in common: requests inside a request."""

from collections.abc import Mapping
from typing import Any

import orjson

from sfconnector.testing._blobs import Blob
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import JSON, Answer, Call, Subrequest, error_answer
from sfconnector.testing._multipart import Form

METHODS = frozenset({"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"})


def run(
    call: Call,
    *,
    method: str,
    url: str,
    body: Any,
    headers: Mapping[str, str],
    files: Mapping[str, Blob] | None = None,
) -> Answer:
    """Let the resource behind a URL below ``/services/data/`` answer in the name of the same user."""
    content = b"" if body is None else orjson.dumps(body)
    form = Form(content, files) if files else None
    answer = call.send(call, Subrequest(method=method, url=url, headers=headers, content=content, form=form))
    if answer.body is not None and answer.media_type != JSON:
        # "sObject Blob Get and sObject Rich Text Image Get return binary data": JSON has no place for it.
        message = f"The resource {url.partition('?')[0]} returns binary data, which is not supported in a subrequest"
        return error_answer(OrgError(400, "INVALID_INPUT", message))
    return answer


def data(answer: Answer) -> Any:
    """The body of an answer as JSON data."""
    return orjson.loads(answer.body) if isinstance(answer.body, bytes) else answer.body


def objects(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The list of objects of that name, which a request cannot do without."""
    found = body.get(name)
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in found):
        raise malformed(f"{name} must be an array of objects that is not empty")
    return found


def flag(body: Mapping[str, Any], name: str) -> bool:
    """A boolean of the request, false by default."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise malformed(f"{name} must be true or false")
    return bool(value)


def text(body: Mapping[str, Any], name: str) -> str:
    """A text of the request, which must not be missing."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise malformed(f"{name} is required and must be a string")
    return value


def method(body: Mapping[str, Any], allowed: frozenset[str]) -> str:
    """The method of a subrequest; it is case-sensitive."""
    name = text(body, "method")
    if name not in allowed:
        raise malformed(f"Unsupported method '{name}'; use one of {', '.join(sorted(allowed))}")
    return name


def malformed(message: str) -> OrgError:
    """Refuse the whole request, of which nothing is run."""
    return OrgError(400, "JSON_PARSER_ERROR", message)
