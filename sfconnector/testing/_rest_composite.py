"""Composite: up to 25 subrequests, later ones of which may use the answers to earlier ones.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-composite-post.html
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from sfconnector.testing import _subrequests
from sfconnector.testing._composite_references import References, malformed_reference_id
from sfconnector.testing._errors import OrgError, unsupported
from sfconnector.testing._http import Answer, Call, error_answer
from sfconnector.testing._runtime import Runtime

_MAXIMUM = 25
_MAXIMUM_BULKY = 5
_METHODS = frozenset({"DELETE", "GET", "PATCH", "POST", "PUT"})
# "The URL must start with /services/data/vXX.X/"; it works without the first slash, too, as recorded answers show.
_URL = re.compile(r"/?services/data/(v\d+\.\d/.+)", re.DOTALL)
_REFERENCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]*")
# Since this version a malformed reference id is an error of the whole request, and a null field may be referred to.
_STRICT_SINCE = 52.0
_COLLECTIONS_SINCE = 43.0
# What a subrequest takes from the composite request, and may not set itself.
_INHERITED = ("accept", "authorization", "content-type")
_SUPPORTED = re.compile(
    r"v(?P<version>[\d.]+)/(?:sobjects(?:/.*)?|(?P<bulky>query|queryAll|(?P<collection>composite/sobjects)(?:/.*)?))/?",
    re.DOTALL,
)
_RECORD = re.compile(r"v[\d.]+/sobjects/[^/]+/[^/]+/?")
_ROLLED_BACK = "The transaction was rolled back since another operation in the same transaction failed."


@attrs.frozen(kw_only=True)
class Subrequest:
    """A subrequest as it was given; ``url`` begins with the version and may hold references, as may ``body``."""

    method: str
    url: str
    reference_id: str
    body: Any
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        return self.url.partition("?")[0]


@attrs.frozen(kw_only=True)
class Result:
    """The answer to a subrequest; ``failed`` also where one record of a collection is refused."""

    reference_id: str | None
    answer: Answer
    body: Any
    failed: bool

    def rendered(self) -> dict[str, Any]:
        """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-subrequest-result.html"""
        return {
            "body": self.body,
            "httpHeaders": dict(self.answer.headers),
            "httpStatusCode": self.answer.status,
            "referenceId": self.reference_id,
        }


class _RolledBack(Exception):
    """Leaves the transaction of a request that is all or none."""


def resources(_runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-composite-get.html"""
    return Answer(body={name: f"{call.base}/composite/{name}" for name in ("tree", "batch", "sobjects", "graph")})


def composite(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-composite-post.html"""
    body = call.json_object()
    all_or_none = _subrequests.flag(body, "allOrNone")
    # Collation changes the order in which subrequests may run, and nothing else; here they run in the order given.
    _subrequests.flag(body, "collateSubrequests")
    subrequests = read(body, call)
    too_many = _too_many(subrequests)
    results = [refused(None, too_many)] if too_many else run(runtime, call, subrequests, all_or_none=all_or_none)
    return Answer(body={"compositeResponse": [result.rendered() for result in results]})


def _too_many(subrequests: Sequence[Subrequest]) -> OrgError | None:
    """Salesforce answers the limits as the one result of a request, and not with a status of their own."""
    if len(subrequests) > _MAXIMUM:
        return OrgError(400, "LIMIT_EXCEEDED", f"The request can’t contain more than {_MAXIMUM} operations.")
    bulky = sum(1 for each in subrequests if (match := _SUPPORTED.fullmatch(each.path)) and match["bulky"])
    if bulky > _MAXIMUM_BULKY:
        message = f"The request can’t contain more than {_MAXIMUM_BULKY} sObject Collections or query operations."
        return OrgError(400, "LIMIT_EXCEEDED", message)
    return None


def read(body: Mapping[str, Any], call: Call) -> list[Subrequest]:
    """Read the subrequests of a composite request or of a graph.

    https://developer.salesforce.com/docs/platform/api-rest/guide/requests-composite.html

    Raises:
        OrgError: ``JSON_PARSER_ERROR`` for the whole request.
    """
    subrequests = [_read(given, call) for given in _subrequests.objects(body, "compositeRequest")]
    seen: set[str] = set()
    for subrequest in subrequests:
        if subrequest.reference_id in seen:
            raise _subrequests.malformed(f"Duplicate ReferenceId found: {subrequest.reference_id}")
        seen.add(subrequest.reference_id)
    return subrequests


def _read(given: Mapping[str, Any], call: Call) -> Subrequest:
    # The documentation's own example has "referenceID", too.
    reference_id = _subrequests.text({"referenceId": given.get("referenceID"), **given}, "referenceId")
    if not _REFERENCE_ID.fullmatch(reference_id) and float(call.version) >= _STRICT_SINCE:
        raise _subrequests.malformed(malformed_reference_id(reference_id))
    url = _URL.fullmatch(_subrequests.text(given, "url"))
    if url is None:
        raise _subrequests.malformed("The url of a subrequest must start with /services/data/vXX.X/")
    headers = given.get("httpHeaders") or {}
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise _subrequests.malformed("httpHeaders must be a map of strings")
    headers = {name.lower(): value for name, value in headers.items()}
    if forbidden := [name for name in _INHERITED if name in headers]:
        raise _subrequests.malformed(f"A subrequest can't have the header {forbidden[0]}; it inherits that one")
    return Subrequest(
        method=_subrequests.method(given, _METHODS),
        url=url[1],
        reference_id=reference_id,
        body=given.get("body"),
        headers=headers,
    )


def _refusal(subrequest: Subrequest) -> OrgError | None:
    match = _SUPPORTED.fullmatch(subrequest.path)
    if match and not (match["collection"] and float(match["version"]) < _COLLECTIONS_SINCE):
        return None
    return OrgError(400, "INVALID_INPUT", f"The url {subrequest.path} is not supported in a composite request")


def run(
    runtime: Runtime,
    call: Call,
    subrequests: Sequence[Subrequest],
    *,
    all_or_none: bool,
    refusal: Callable[[Subrequest], OrgError | None] = _refusal,
) -> list[Result]:
    """Run subrequests in order; where one fails and all or none is asked for, take back all.

    https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-allornone.html

    Args:
        refusal: Why a subrequest cannot be run, if it cannot.
    """
    references = References()

    def answer(subrequest: Subrequest) -> Result:
        error = refusal(subrequest) or (_irrevocable(subrequest) if all_or_none else None)
        return _run(call, subrequest, references) if error is None else refused(subrequest.reference_id, error)

    if not all_or_none:
        return [answer(subrequest) for subrequest in subrequests]
    results: list[Result] = []
    try:
        with runtime.store.transaction():
            for subrequest in subrequests:
                results.append(answer(subrequest))
                if results[-1].failed:
                    raise _RolledBack
    except _RolledBack:
        failed = results[-1]
        error = OrgError(400, "PROCESSING_HALTED", _ROLLED_BACK)
        return [
            failed if each.reference_id == failed.reference_id else refused(each.reference_id, error)
            for each in subrequests
        ]
    return results


def _irrevocable(subrequest: Subrequest) -> OrgError | None:
    """A function of a test's author may do anything, also what cannot be taken back."""
    if subrequest.method == "POST" and "/quickActions/" in subrequest.path:
        return unsupported("actions in a request that is all or none")
    return None


def _run(call: Call, subrequest: Subrequest, references: References) -> Result:
    try:
        url, body = references.in_url(subrequest.url), references.in_body(subrequest.body)
    except OrgError as error:
        return refused(subrequest.reference_id, error)
    answer = _subrequests.run(call, method=subrequest.method, url=url, body=body, headers=subrequest.headers)
    data = _subrequests.data(answer)
    if answer.status < 400:
        nullable = float(call.version) >= _STRICT_SINCE and _RECORD.fullmatch(url.partition("?")[0]) is not None
        references.add(subrequest.reference_id, data, nullable=nullable)
    failed = answer.status >= 400 or _has_refused_record(subrequest, data)
    return Result(reference_id=subrequest.reference_id, answer=answer, body=data, failed=failed)


def _has_refused_record(subrequest: Subrequest, body: Any) -> bool:
    results = body if "/composite/sobjects" in subrequest.path and isinstance(body, list) else ()
    return any(isinstance(result, dict) and result.get("success") is False for result in results)


def refused(reference_id: str | None, error: OrgError) -> Result:
    """The result of a subrequest that was not run."""
    answer = error_answer(error)
    return Result(reference_id=reference_id, answer=answer, body=answer.body, failed=True)
