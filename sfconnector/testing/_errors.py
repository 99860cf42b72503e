"""How the local org says no: the HTTP status and the error list that Salesforce would answer."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs

_METHODS = ("HEAD", "GET", "POST", "PUT", "PATCH", "DELETE")


@attrs.frozen
class MatchRecord:
    """A record that is like the one to be saved; with its values and what is the same, where that was asked for."""

    sobject: str
    id: str
    values: Mapping[str, Any]
    same: tuple[str, ...]


@attrs.frozen(kw_only=True)
class DuplicateResult:
    """What a duplicate rule has found.

    https://developer.salesforce.com/docs/platform/api/guide/sforce-api-objects-duplicateresult.html
    """

    allow_save: bool
    rule: str
    sobject: str
    message: str
    matched: str
    matching_rule: str
    records: tuple[MatchRecord, ...]

    def as_json(self, version: str) -> dict[str, Any]:
        """Write it as REST answers it."""
        records = [
            {
                "additionalInformation": [],
                "fieldDiffs": [{"difference": "SAME", "name": name} for name in record.same],
                "matchConfidence": 100.0,
                "record": {
                    "attributes": {
                        "type": record.sobject,
                        "url": f"/services/data/v{version}/sobjects/{record.sobject}/{record.id}",
                    },
                    "Id": record.id,
                    **record.values,
                },
            }
            for record in self.records
        ]
        match = {
            "entityType": self.matched,
            "errors": [],
            "matchEngine": "ExactMatchEngine",
            "matchRecords": records,
            "rule": self.matching_rule,
            "size": len(records),
            "success": True,
        }
        return {
            "allowSave": self.allow_save,
            "duplicateRule": self.rule,
            "duplicateRuleEntityType": self.sobject,
            "errorMessage": self.message,
            "matchResults": [match],
        }


@attrs.frozen
class OrgErrorItem:
    """One entry of Salesforce's error list; ``fields`` is left out of the answer where it is ``None``."""

    code: str
    message: str
    fields: tuple[str, ...] | None = None
    duplicates: DuplicateResult | None = None


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
