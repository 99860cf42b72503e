"""How the local org says no: the HTTP status and the error list that Salesforce would answer."""

from collections.abc import Collection, Sequence

import attrs

_METHODS = ("HEAD", "GET", "POST", "PUT", "PATCH", "DELETE")


@attrs.frozen
class OrgErrorItem:
    """One entry of Salesforce's error list; ``fields`` is left out of the answer where it is ``None``."""

    code: str
    message: str
    fields: tuple[str, ...] | None = None


class OrgError(Exception):
    """A refusal of the org, raised anywhere below the HTTP layer and rendered by it alone.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
    """

    def __init__(self, status: int, code: str, message: str, fields: Sequence[str] | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.items: tuple[OrgErrorItem, ...] = (OrgErrorItem(code, message, None if fields is None else tuple(fields)),)

    @classmethod
    def several(cls, status: int, items: Sequence[OrgErrorItem]) -> "OrgError":
        """One answer for all that is wrong with a record."""
        error = cls(status, items[0].code, items[0].message)
        error.items = tuple(items)
        return error

    @property
    def code(self) -> str:
        return self.items[0].code

    @property
    def message(self) -> str:
        return self.items[0].message


class AmbiguousExternalIdError(OrgError):
    """Several records have this external id: over REST a ``300`` whose body is the list of their URLs.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm
    """

    def __init__(self, field_label: str, field_name: str, sobject: str, ids: Sequence[str]) -> None:
        listed = ", ".join(ids)
        message = f"{field_label}: more than one record found for external id field: [{listed}]"
        super().__init__(300, "DUPLICATE_EXTERNAL_ID", message, [field_name])
        self.sobject = sobject
        self.ids = tuple(ids)

    def urls(self, version: str) -> list[str]:
        return [f"/services/data/v{version}/sobjects/{self.sobject}/{record_id}" for record_id in self.ids]


def method_not_allowed(method: str, allowed: Collection[str]) -> OrgError:
    """The refusal of a verb that a resource does not have."""
    listed = ",".join(name for name in _METHODS if name in allowed)
    return OrgError(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are {listed}")


def unsupported(what: str) -> OrgError:
    """Say that Salesforce would answer, and the local org cannot: never a wrong answer instead."""
    return OrgError(501, "FUNCTIONALITY_NOT_ENABLED", f"The local org does not support {what}.")
