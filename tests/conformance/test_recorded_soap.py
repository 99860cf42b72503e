"""Envelopes that Salesforce sent, of another SOAP API of its own, through the reader of ours."""

from typing import Any

import pytest
from recordings import Recordings
from sfconnector_generated import _soap, _xml
from sfconnector_generated.soap.models import Error

from sfconnector._results import error_details
from sfconnector.errors import ErrorDetail

RESULTS = _xml.Items()


def results(recordings: Recordings, path: str, name: str) -> list[dict[str, Any]]:
    body = recordings.body(path)
    found: list[dict[str, Any]] = RESULTS.read(_soap.answer(_xml.decode(body.encode()), name)["result"])
    return found


def errors_of(result: dict[str, Any]) -> tuple[ErrorDetail, ...]:
    items = RESULTS.read(result.get("errors", []))
    return error_details([Error.from_dict(each) for each in items])  # type: ignore[arg-type]  # alike, but for their class


def test_one_result_of_many_that_failed(recordings: Recordings) -> None:
    first, *others = results(recordings, "internal/crm/metadata/test/err-bad-request.xml", "upsertMetadataResponse")
    assert first["success"] == "false"
    assert errors_of(first) == (ErrorDetail("FIELD_INTEGRITY_EXCEPTION", "Invalid length, minimum is: 256"),)
    assert {errors_of(each)[0].code for each in others} == {"ALL_OR_NONE_OPERATION_ROLLED_BACK"}


def test_a_single_result(recordings: Recordings) -> None:
    (result,) = results(recordings, "test/metadata/delete/delete-field-not-found.xml", "deleteMetadataResponse")
    (detail,) = errors_of(result)
    assert detail.code == "INVALID_CROSS_REFERENCE_KEY"


@pytest.mark.parametrize(
    "path",
    [
        "internal/crm/metadata/test/success.xml",
        "test/metadata/write/object15/mix-of-many-fields-response.xml",
        "test/metadata/write/write-field-permissions-response.xml",
    ],
)
def test_successes_have_no_errors(recordings: Recordings, path: str) -> None:
    found = results(recordings, path, "upsertMetadataResponse")
    assert found
    assert [(each["success"], errors_of(each)) for each in found] == [("true", ())] * len(found)
