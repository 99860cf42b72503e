"""How the Reports REST API says no.

https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_report_error_codes.htm
"""

from sfconnector.testing._errors import OrgError


def bad_request(message: str) -> OrgError:
    return OrgError(400, "BAD_REQUEST", message)


def forbidden(message: str) -> OrgError:
    return OrgError(403, "FORBIDDEN", message)


def not_found() -> OrgError:
    return OrgError(404, "NOT_FOUND", "The data you’re trying to access is unavailable.")


def incomplete() -> OrgError:
    return OrgError(500, "INTERNAL_ERROR", "The request body is either invalid or incomplete.")


def no_metadata() -> OrgError:
    return bad_request("The request is invalid because there is no metadata. Specify metadata in the request body.")


def unsupported(what: str) -> OrgError:
    """Refuse what Salesforce can do and the local org cannot."""
    return OrgError(501, "NOT_IMPLEMENTED", f"The local org does not support {what} in reports.")
