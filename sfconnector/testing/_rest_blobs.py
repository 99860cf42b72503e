"""The contents of binary fields, given out by themselves.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-blob-retrieve.html
"""

import re

from sfconnector.testing import _rest_records
from sfconnector.testing._http import BYTES, Answer, Call
from sfconnector.testing._runtime import Runtime

_MEGABYTE = 1024 * 1024
_LARGEST, _LARGEST_VERSION = 500 * _MEGABYTE, 2048 * _MEGABYTE
# Characters, of which we know here the bytes only.
# https://developer.salesforce.com/docs/atlas.en-us.224.0.api_bulk_v2.meta/api_bulk_v2/creating_bulk_requests.htm
_LARGEST_WITH_JOB = 100_000


def largest(path: str) -> int:
    """How many bytes the files of a request may have together."""
    if re.fullmatch(r"/services/data/v[\d.]+/jobs/ingest/?", path):
        return _LARGEST_WITH_JOB
    version = re.fullmatch(r"/services/data/v[\d.]+/sobjects/contentversion(/.*)?", path, re.IGNORECASE)
    return _LARGEST_VERSION if version else _LARGEST


def get_or_by_external_id(runtime: Runtime, call: Call, sobject: str, name: str, value: str) -> Answer:
    """One path for two things: ``/{id}/{blob field}`` and ``/{external id field}/{value}``."""
    read = runtime.store.sobject(sobject)
    field = read.field(value)
    if field is None or field.type != "base64" or read.field(name) is not None:
        return _rest_records.get_by_external_id(runtime, call, sobject, name, value)
    return Answer(body=runtime.store.content(sobject, name, field.name), media_type=BYTES)
