"""How much of the org's API allowance is used up, as each answer tells."""

from __future__ import annotations

import re
from typing import Final, Self

import attrs

_PART: Final = re.compile(r"([\w-]+)=(\d{1,18})/(\d{1,18})(?:\(appName=([^)]*)\))?")


@attrs.frozen
class Usage:
    """The API calls of the last 24 hours, as of the latest answer.

    Attributes:
        api_used: Calls made against the org.
        api_limit: Calls that the org may make.
        app_used: Calls made by the connected app, where it has an allowance of its own.
        app_limit: Calls that the connected app may make.
        app_name: The name of the connected app.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_api_usage.htm
    """

    api_used: int
    api_limit: int
    app_used: int | None = None
    app_limit: int | None = None
    app_name: str | None = None

    @classmethod
    def parse(cls, header: str) -> Self | None:
        """Read a ``Sforce-Limit-Info`` header, such as ``api-usage=25/5000; per-app-api-usage=17/250(appName=app)``."""
        parts = {match[1]: match for match in _PART.finditer(header)}
        if (org := parts.get("api-usage")) is None:
            return None
        app = parts.get("per-app-api-usage")
        if app is None:
            return cls(int(org[2]), int(org[3]))
        return cls(int(org[2]), int(org[3]), int(app[2]), int(app[3]), app[4])
