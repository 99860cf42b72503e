"""Uploads of Bulk API 2.0, which go to a file as they arrive.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/upload_job_data.htm
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from starlette.requests import Request

from sfconnector.testing._bulk import Engine
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import body_pieces, media_type_of

# "A request can provide CSV data that does not in total exceed 150 MB of base64 encoded content", which is four bytes
# for every three.
LARGEST: Final = 150 * 1024 * 1024 * 3 // 4
_PATH: Final = re.compile(r"/services/data/v[\d.]+/jobs/ingest/[^/]+/batches/?", re.ASCII)


def is_upload(request: Request) -> bool:
    return request.method == "PUT" and _PATH.fullmatch(request.url.path) is not None


@asynccontextmanager
async def received(request: Request, engine: Engine) -> AsyncIterator[Path]:
    """The body in a file, which is removed afterwards unless it has been moved.

    Raises:
        OrgError: It is not CSV, or too large.
    """
    media_type = media_type_of(request.headers)
    if media_type != "text/csv":
        raise OrgError(415, "UNSUPPORTED_MEDIA_TYPE", f"MediaType of '{media_type}' is not supported by this resource")
    path = engine.make_file()
    try:
        size = 0
        with path.open("wb") as file:
            async for piece in body_pieces(request):
                size += len(piece)
                if size > LARGEST:
                    # The wording is not documented.
                    raise OrgError(413, "REQUEST_ENTITY_TOO_LARGE", "The data exceeds 150 MB in base64")
                file.write(piece)
        yield path
    finally:
        path.unlink(missing_ok=True)
