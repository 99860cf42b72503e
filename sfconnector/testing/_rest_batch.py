"""Composite batch: independent subrequests, one after the other, none taken back.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-batch.html
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from sfconnector.testing import _subrequests
from sfconnector.testing._blobs import Blob
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer, Call, error_answer
from sfconnector.testing._multipart import binary_part
from sfconnector.testing._runtime import Runtime

_MAXIMUM = 25
_OLDEST = 34.0
_URL = re.compile(r"/?(?:services/data/)?(v(\d+\.\d)/.+)", re.DOTALL)
# The resources, and the version with which they came.
_RESOURCES = {
    "limits": 34.0,
    "sobjects": 34.0,
    "query": 34.0,
    "queryAll": 34.0,
    "search": 34.0,
    "connect": 34.0,
    "chatter": 34.0,
    "actions": 35.0,
}
# Headers of the batch that tell about its own body and answer.
_NOT_INHERITED = re.compile(r"content-.*|if-.*|host|authorization|x-prettyprint|accept-encoding")


@attrs.frozen(kw_only=True)
class _Subrequest:
    """``url`` begins with the version; ``refusal`` where it may not be run in a batch."""

    method: str
    url: str
    body: Any
    files: Mapping[str, Blob]
    refusal: OrgError | None


def batch(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-batch.html"""
    body = call.json_object(with_files=True)
    halt = _subrequests.flag(body, "haltOnError")
    given = _subrequests.objects(body, "batchRequests")
    if len(given) > _MAXIMUM:
        raise OrgError(400, "LIMIT_EXCEEDED", f"The request can’t contain more than {_MAXIMUM} operations.")
    headers = {name: value for name, value in call.headers.items() if not _NOT_INHERITED.fullmatch(name)}
    results: list[dict[str, Any]] = []
    for number, subrequest in enumerate([_read(each, call) for each in given]):
        if halt and _failed(results):
            error = OrgError(412, "BATCH_PROCESSING_HALTED", "Batch processing halted per request")
            answer = error_answer(error)
        else:
            answer = _answer(runtime, call, subrequest, headers, first=number == 0)
        results.append({"statusCode": answer.status, "result": _subrequests.data(answer)})
    return Answer(body={"hasErrors": _failed(results), "results": results})


def _failed(results: Sequence[dict[str, Any]]) -> bool:
    return any(result["statusCode"] >= 400 for result in results)


def _answer(
    runtime: Runtime, call: Call, subrequest: _Subrequest, headers: Mapping[str, str], *, first: bool
) -> Answer:
    # "Each subrequest counts against rate limits": the batch itself has been counted as the first one.
    if not first and not runtime.usage.count():
        return error_answer(OrgError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
    if subrequest.refusal is not None:
        return error_answer(subrequest.refusal)
    return _subrequests.run(
        call,
        method=subrequest.method,
        url=subrequest.url,
        body=subrequest.body,
        headers=headers,
        files=subrequest.files,
    )


def _read(given: Mapping[str, Any], call: Call) -> _Subrequest:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/requests-composite-batch.html"""
    url = _subrequests.text(given, "url")
    match = _URL.fullmatch(url)
    if match is None:
        raise _subrequests.malformed(f"The url of a subrequest must start with a version, such as v{call.version}/")
    if "httpHeaders" in given:
        raise _subrequests.malformed("Headers can't be applied to a subrequest of a batch")
    return _Subrequest(
        method=_subrequests.method(given, _subrequests.METHODS),
        url=match[1],
        body=given.get("richInput"),
        files=_files(given, call),
        refusal=_refusal(match[1], float(match[2]), call),
    )


def _files(given: Mapping[str, Any], call: Call) -> dict[str, Blob]:
    """The binary part that a subrequest names, by the name under which its resource looks for it."""
    part, alias = given.get("binaryPartName"), given.get("binaryPartNameAlias")
    if part is None and alias is None:
        return {}
    return {str(alias): binary_part(call.form, part, alias)}


def _refusal(url: str, version: float, call: Call) -> OrgError | None:
    if not _OLDEST <= version <= float(call.version):
        return OrgError(
            400,
            "INVALID_API_VERSION",
            f"The version {version} of a subrequest must be no earlier than {_OLDEST} and no later than the "
            f"{call.version} of the batch",
        )
    resource = re.split("[/?]", url)[1]
    if version < _RESOURCES.get(resource, float("inf")):
        return OrgError(400, "INVALID_INPUT", f"The resource {resource} is not supported in a batch of {version}")
    return None
