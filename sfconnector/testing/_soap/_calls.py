"""What a call is asked with, and how its results are written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar
from xml.etree.ElementTree import Element

import attrs

from sfconnector.testing._async._xml import leaf
from sfconnector.testing._context import RequestContext
from sfconnector.testing._errors import DuplicateResult, MatchRecord, OrgError, OrgErrorItem
from sfconnector.testing._rest_collections import ROLLED_BACK
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._soap._faults import SoapFault
from sfconnector.testing._tokens import Session

# https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/salesforce-app-limits-platform-apicalls.html
_MAXIMUM: Final = 200

_Item = TypeVar("_Item")
_Done = TypeVar("_Done")


@attrs.frozen(kw_only=True)
class Call:
    """One call; ``session`` is there for every one but ``login``."""

    name: str
    arguments: Element
    flavor: str
    version: str
    path: str
    context: RequestContext
    session: Session | None = None

    def since(self, version: int) -> bool:
        """Tell whether what came with a version is there."""
        return float(self.version) >= version


Handler = Callable[[Runtime, Call], Iterable[str]]


class _RolledBack(Exception):
    """Leaves the transaction of an all-or-none call."""


def check_number(call: Call, items: Sequence[Any], what: str) -> None:
    """Refuse a call with too few or too many items."""
    if not items:
        message = f"{call.name} called with a batch of 0 {what}; must specify at least 1"
        raise SoapFault("MISSING_ARGUMENT", message)
    if len(items) > _MAXIMUM:
        message = f"record limit reached. cannot submit more than {_MAXIMUM} records into this call"
        raise SoapFault("EXCEEDED_ID_LIMIT", message)


def each(
    runtime: Runtime, items: Iterable[_Item], act: Callable[[_Item], _Done], *, all_or_none: bool = False
) -> list[_Done | OrgError]:
    """Do something with each item, and keep the refusals; with all or none, one refusal takes back the others."""
    results: list[_Done | OrgError] = []
    try:
        with runtime.store.transaction():
            for item in items:
                try:
                    with runtime.store.transaction():
                        results.append(act(item))
                except OrgError as error:
                    results.append(error)
            if all_or_none and any(isinstance(each, OrgError) for each in results):
                raise _RolledBack
    except _RolledBack:
        rolled_back = OrgError(400, ROLLED_BACK["statusCode"], ROLLED_BACK["message"], ())
        results = [each if isinstance(each, OrgError) else rolled_back for each in results]
    return results


def element(name: str, value: Any) -> str:
    """Write a value: a missing one is nil."""
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    if isinstance(value, bool):
        return leaf(name, str(value).lower())
    return leaf(name, str(value))


def elements(values: Mapping[str, Any]) -> str:
    return "".join(element(name, value) for name, value in values.items())


def result(*parts: str) -> str:
    return f"<result>{''.join(parts)}</result>"


def errors(error: OrgError, flavor: str) -> str:
    """Write the errors of a record."""
    return "".join(_error(item, flavor) for item in error.items)


def _error(item: OrgErrorItem, flavor: str) -> str:
    fields = "".join(leaf("fields", name) for name in item.fields or ())
    told = f"{fields}{leaf('message', item.message)}{leaf('statusCode', item.code)}"
    if item.duplicates is None:
        return f"<errors>{told}</errors>"
    return f'<errors xsi:type="DuplicateError">{told}{_duplicates(item.duplicates, flavor)}</errors>'


def _duplicates(found: DuplicateResult, flavor: str) -> str:
    """Write what a duplicate rule has found.

    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_objects_duplicateerror.htm
    """
    match = elements({"entityType": found.matched, "matchEngine": "ExactMatchEngine"})
    match += "".join(_match_record(record, flavor) for record in found.records)
    match += elements({"rule": found.matching_rule, "size": len(found.records), "success": True})
    told = {
        "allowSave": found.allow_save,
        "duplicateRule": found.rule,
        "duplicateRuleEntityType": found.sobject,
        "errorMessage": found.message,
    }
    return f"<duplicateResult>{elements(told)}<matchResults>{match}</matchResults></duplicateResult>"


def _match_record(record: MatchRecord, flavor: str) -> str:
    diffs = "".join(
        f"<fieldDiffs>{elements({'difference': 'SAME', 'name': name})}</fieldDiffs>" for name in record.same
    )
    kind = "sObject" if flavor == "partner" else record.sobject
    values: dict[str, Any] = {"sf:type": record.sobject} if flavor == "partner" else {}
    values |= {"sf:Id": record.id, **{f"sf:{name}": value for name, value in record.values.items()}}
    members = elements({name: value for name, value in values.items() if value is not None})
    written = f'<record xsi:type="sf:{kind}" xmlns:sf="urn:sobject.{flavor}.soap.sforce.com">{members}</record>'
    return f"<matchRecords>{diffs}{leaf('matchConfidence', '100.0')}{written}</matchRecords>"
