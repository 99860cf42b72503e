"""References of a composite request: ``@{referenceId.field}`` stands for a value of an earlier answer.

https://developer.salesforce.com/docs/platform/api-rest/guide/requests-composite.html
https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-subrequest-result.html
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import attrs

from sfconnector.testing._errors import OrgError, unsupported

_REFERENCE = re.compile(r"@\{([^{}]*)\}")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
# "The referenceable types are DateTime, String, Boolean, Byte, Character, Short, Integer, Long, Double, and Float."
_REFERENCEABLE = (str, bool, int, float)
_NOTHING = object()


@attrs.frozen
class Known:
    """The body of an answer; ``nullable`` where a reference to one of its fields may be null."""

    body: Any
    nullable: bool


@attrs.frozen
class References:
    """What the answers so far have brought; both reference ids and fields are case-sensitive."""

    known: dict[str, Known] = attrs.field(factory=dict)

    def add(self, reference_id: str, body: Any, *, nullable: bool) -> None:
        self.known[reference_id] = Known(body, nullable)

    def in_url(self, url: str) -> str:
        """Put the values into a URL, where they are percent-encoded.

        Raises:
            OrgError: ``PROCESSING_HALTED`` for a reference to what is not there; 501 for one that is percent-encoded,
                of which no documentation says whether it is one.
        """
        hidden = Counter(_REFERENCE.findall(unquote(url))) - Counter(_REFERENCE.findall(url))
        if any(_split(path)[0] in self.known for path in hidden):
            raise unsupported("references that are percent-encoded; write @{referenceId.field} as it is")
        return _REFERENCE.sub(lambda match: quote(_text(match[1], self._value(match[1])), safe=""), url)

    def in_body(self, body: Any) -> Any:
        """Put the values into the texts of a body; a text that is nothing but a reference takes the value as it is.

        Raises:
            OrgError: ``PROCESSING_HALTED`` for a reference to what is not there.
        """
        if isinstance(body, dict):
            return {name: self.in_body(value) for name, value in body.items()}
        if isinstance(body, list):
            return [self.in_body(value) for value in body]
        if not isinstance(body, str):
            return body
        if whole := _REFERENCE.fullmatch(body):
            return self._value(whole[1])
        return _REFERENCE.sub(lambda match: _text(match[1], self._value(match[1])), body)

    def _value(self, path: str) -> Any:
        name, steps = _split(path)
        known = self.known.get(name)
        value = _NOTHING if known is None or not steps else _follow(known.body, steps)
        if value is None and known is not None and known.nullable:
            return None
        if not isinstance(value, _REFERENCEABLE):
            raise _invalid(path)
        return value


def referenced(value: Any) -> Iterator[str]:
    """List the reference ids that a URL or a body refers to."""
    if isinstance(value, str):
        yield from (_split(match[1])[0] for match in _REFERENCE.finditer(value))
    elif isinstance(value, dict):
        for each in value.values():
            yield from referenced(each)
    elif isinstance(value, list):
        for each in value:
            yield from referenced(each)


def _split(path: str) -> tuple[str, str]:
    name = re.split(r"[.\[]", path, maxsplit=1)[0]
    return name, path[len(name) :]


def _follow(body: Any, steps: str) -> Any:
    """Walk along ``.field`` and ``[index]``."""
    end = 0
    while end < len(steps):
        step = _STEP.match(steps, end)
        if step is None:
            return _NOTHING
        end = step.end()
        if step[1] is not None:
            body = body.get(step[1], _NOTHING) if isinstance(body, dict) else _NOTHING
        else:
            index = int(step[2])
            body = body[index] if isinstance(body, list) and index < len(body) else _NOTHING
    return body


def _text(path: str, value: Any) -> str:
    if value is None:
        raise _invalid(path)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _invalid(path: str) -> OrgError:
    return OrgError(
        400,
        "PROCESSING_HALTED",
        f"Invalid reference specified. No value for {path} found in {_split(path)[0]}. {malformed_reference_id(path)}",
    )


def malformed_reference_id(reference_id: str) -> str:
    """Say what a reference id may look like, as Salesforce says it of an unknown reference, too."""
    return (
        f"Provided referenceId ('{reference_id}') must start with a letter or a number, and it can contain only "
        "letters, numbers and underscores ('_')."
    )
