"""Conditional requests: the answer depends on whether a resource has changed.

https://developer.salesforce.com/docs/platform/api-rest/guide/intro-rest-conditional-requests.html
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from sfconnector.testing._errors import OrgError


def http_date(value: str) -> datetime | None:
    """The moment of an HTTP date, ``None`` for anything else."""
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def unmodified(since: str | None, changed: datetime) -> bool:
    """Whether an ``If-Modified-Since`` header is there and nothing has changed since; HTTP counts whole seconds."""
    moment = None if since is None else http_date(since)
    return moment is not None and changed.replace(microsecond=0) <= moment


def strict_date(header: str, value: str) -> datetime:
    """The moment of a header on which a write depends.

    Raises:
        OrgError: 400 for an invalid value, as documented.
    """
    moment = http_date(value)
    if moment is None:
        raise OrgError(400, "INVALID_HEADER", f"The value of {header} is not an HTTP date: {value}")
    return moment


def matches_etag(header: str, etag: str) -> bool:
    """Whether a list of entity tags names this one; compression adds ``--gzip`` or ``-gzip`` to a tag."""
    wanted = {tag.strip().removeprefix("W/").strip('"').removesuffix("-gzip").rstrip("-") for tag in header.split(",")}
    return "*" in wanted or etag.strip('"') in wanted
