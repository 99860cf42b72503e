"""Content types of jobs, and in which format an answer is.

https://developer.salesforce.com/docs/platform/api-asynch/guide/async-api-headers-content-type.html
"""

from collections.abc import Mapping
from typing import Final, Literal

import orjson

from sfconnector.testing._async import _xml
from sfconnector.testing._async._errors import EXCEEDED_QUOTA, AsyncError
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer

DataFormat = Literal["CSV", "JSON", "XML"]
CONTENT_TYPES: Final[Mapping[str, DataFormat]] = {
    "CSV": "CSV",
    "JSON": "JSON",
    "XML": "XML",
    "ZIP_CSV": "CSV",
    "ZIP_JSON": "JSON",
    "ZIP_XML": "XML",
}
JSON: Final = "application/json"
XML: Final = "application/xml"
CSV: Final = "text/csv"
MEDIA_TYPES: Final[Mapping[DataFormat, str]] = {"CSV": CSV, "JSON": JSON, "XML": XML}


def media_type(headers: Mapping[str, str]) -> str:
    """The media type of a request without its parameters; empty where it names none."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def wants_json(headers: Mapping[str, str]) -> bool:
    """Tell whether a request wants JSON where no job decides: it respects the Content-Type, and XML is the default."""
    return media_type(headers) in (JSON, "zip/json")


def error_answer(error: AsyncError, *, json: bool) -> Answer:
    """Render a refusal."""
    if json:
        return Answer(
            status=error.status,
            body={"exceptionCode": error.code, "exceptionMessage": error.message},
            media_type=JSON,
        )
    children = [_xml.leaf("exceptionCode", error.code), _xml.leaf("exceptionMessage", error.message)]
    return Answer(status=error.status, body=_xml.document("error", children), media_type=XML)


def translated(error: OrgError, *, json: bool) -> Answer:
    """Render a refusal of the REST API in the terms of this one."""
    if error.code == "REQUEST_LIMIT_EXCEEDED":
        return error_answer(AsyncError(EXCEEDED_QUOTA, error.message), json=json)
    return error_answer(AsyncError(error.code, error.message, error.status), json=json)


def content_of(answer: Answer) -> bytes:
    """The bytes of a refusal."""
    return answer.body if isinstance(answer.body, bytes) else orjson.dumps(answer.body)
