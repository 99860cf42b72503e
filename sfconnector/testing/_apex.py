"""Apex REST classes of the test author's: Python functions behind URL mappings.

https://developer.salesforce.com/docs/atlas.en-us.apexcode.meta/apexcode/apex_classes_annotation_rest_resource.htm
"""

import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import attrs

from sfconnector.testing._http import parse_json

# Those that have an annotation: @HttpGet, @HttpPost, @HttpPut, @HttpPatch, @HttpDelete.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_LONGEST_MAPPING = 255
# https://developer.salesforce.com/docs/atlas.en-us.apexref.meta/apexref/apex_methods_system_restresponse.htm
_SUCCESSES = frozenset({200, 201, 202, 204, 206, 300, 301, 302, 304})
_FAILURES = frozenset({400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 414, 415, 417, 500, 503})
_FORBIDDEN_HEADERS = frozenset({"authorization", "content-length", "cookie", "set-cookie", "set-cookie2"})


def _allowed_status(_instance: object, _attribute: object, status: int) -> None:
    if status not in _SUCCESSES | _FAILURES:
        raise ValueError(f"Invalid status code for HTTP response: {status}")


def _allowed_headers(_instance: object, _attribute: object, headers: Mapping[str, str]) -> None:
    for name in headers:
        if name.lower() in _FORBIDDEN_HEADERS:
            raise ValueError(f"An Apex class cannot set the header {name}.")


@attrs.frozen(kw_only=True)
class ApexRequest:
    """What an Apex REST class is asked.

    Args:
        method: the HTTP verb in capitals.
        path: what follows ``/services/apexrest``, percent-encoded as it came.
        segments: what the wildcards of the URL mapping stand for, decoded, one entry per path segment.
        params: parameters of the URL; of a repeated one the first.
        headers: lower-case names; without credentials and cookies.
        body: bytes of the body, empty if there is none.
        user_id: 18-character id of the running user.
    """

    method: str
    path: str
    segments: tuple[str, ...] = ()
    params: Mapping[str, str] = attrs.field(factory=dict)
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = attrs.field(default=b"", repr=False)
    user_id: str = ""

    def json(self) -> Any:
        """Read the body as JSON; a broken one is answered with 400 ``JSON_PARSER_ERROR``, as Salesforce does."""
        return parse_json(self.body)


@attrs.frozen(kw_only=True)
class ApexResponse:
    """An answer that is more than a value.

    Args:
        status: one of the status codes that Apex allows.
        body: as a function returns it: JSON data, or ``bytes`` to be sent as they are.
        headers: further headers; a ``Content-Type`` other than JSON lets a ``str`` be sent as plain text.
    """

    status: int = attrs.field(default=200, validator=_allowed_status)
    body: Any = None
    headers: Mapping[str, str] = attrs.field(factory=dict, validator=_allowed_headers)


ApexFunction = Callable[[ApexRequest], Any]


@attrs.frozen
class _Class:
    """A URL mapping, and what each verb does."""

    mapping: str
    methods: dict[str, ApexFunction] = attrs.field(factory=dict)

    def match(self, path: str) -> tuple[str, ...] | None:
        """The segments behind the wildcards, if the path is this class's."""
        literals = map(re.escape, self.mapping.split("*"))
        match = re.fullmatch("(.*)".join(literals), path)
        if match is None:
            return None
        return tuple(unquote(segment) for stood_for in match.groups() for segment in stood_for.split("/") if segment)


class ApexClasses:
    """The Apex REST classes of one org."""

    def __init__(self) -> None:
        self._classes: dict[str, _Class] = {}

    def add(self, url_mapping: str, function: ApexFunction, methods: str | Iterable[str] = METHODS) -> None:
        """Put a function behind a URL mapping.

        Raises:
            ValueError: the mapping is malformed, a verb is not one of `METHODS`, or another function serves it.
        """
        _check_mapping(url_mapping)
        verbs = [verb.upper() for verb in ((methods,) if isinstance(methods, str) else methods)]
        served = self._classes.get(url_mapping, _Class(url_mapping)).methods
        if not verbs:
            raise ValueError(f"{url_mapping}: name at least one of {', '.join(METHODS)}.")
        for verb in verbs:
            if verb not in METHODS:
                raise ValueError(f"{url_mapping}: an Apex class serves {', '.join(METHODS)}, not {verb!r}.")
            if verb in served:
                raise ValueError(f"{url_mapping}: {verb} is served by {served[verb]} already.")
        # A new value, because the server's threads may be reading the old one.
        added = _Class(url_mapping, served | dict.fromkeys(verbs, function))
        self._classes = {**self._classes, url_mapping: added}

    def find(self, path: str) -> tuple[Mapping[str, ApexFunction], tuple[str, ...]] | None:
        """The verbs of the class that serves a path, and the segments behind its wildcards.

        An exact mapping wins, then the longest one with a wildcard. ``/orders`` matches ``/orders`` and ``/orders/*``
        alike: the class added first wins.
        """
        for mapping, added in self._classes.items():
            if path in (mapping, mapping.removesuffix("/*")) and "*" not in path:
                return added.methods, ()
        for candidate in sorted(self._classes.values(), key=lambda one: len(one.mapping), reverse=True):
            segments = candidate.match(path) if "*" in candidate.mapping else None
            if segments is not None:
                return candidate.methods, segments
        return None


def _check_mapping(url_mapping: str) -> None:
    if not url_mapping.startswith("/") or len(url_mapping) > _LONGEST_MAPPING:
        raise ValueError(
            f"A URL mapping begins with a / and has {_LONGEST_MAPPING} characters at most: {url_mapping!r}"
        )
    if url_mapping.startswith("/services/"):
        raise ValueError(f"A URL mapping is what follows /services/apexrest: {url_mapping!r}")
    if any(part not in ("", "*") and "*" in part for part in url_mapping.split("/")):
        raise ValueError(f"A * stands between two slashes, or at the end after one: {url_mapping!r}")


def describe_exception(function: Any, error: Exception) -> str:
    """Say what a function raised, and where, in the manner of an Apex stack trace."""
    frames = traceback.extract_tb(error.__traceback__)
    own = getattr(getattr(function, "__code__", None), "co_filename", None)
    line = next((frame.lineno for frame in reversed(frames) if frame.filename == own), 1)
    name = getattr(function, "__qualname__", type(function).__qualname__).replace(".<locals>", "")
    return f"{type(error).__name__}: {error}\n\nClass.{name}: line {line}, column 1"
