"""Merging of records by SOAP."""

from collections.abc import Iterable
from typing import Final
from xml.etree.ElementTree import Element

import attrs

from sfconnector.testing._async._xml import leaf
from sfconnector.testing._errors import OrgError
from sfconnector.testing._merging import MERGEABLE, Merged
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._soap import _arguments
from sfconnector.testing._soap._calls import Call, check_number, each, elements, errors, result
from sfconnector.testing._soap._faults import INVALID_ID, SoapFault

_KNOWN: Final = ("additionalInformationMap", "masterRecord", "recordToMergeIds")


@attrs.frozen
class _Merge:
    master: _arguments.Record
    merged_ids: tuple[str, ...]


def merge(runtime: Runtime, call: Call) -> Iterable[str]:
    """Every request is a transaction of its own; its element may have any name, as clients show.

    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_merge.htm
    """
    asked = [_merge(runtime, element) for element in call.arguments]
    check_number(call, asked, "requests")

    def act(one: _Merge) -> Merged:
        if one.master.id is None:
            raise OrgError(400, "MISSING_ARGUMENT", "Id not specified in a merge call", ())
        for record_id in (one.master.id, *one.merged_ids):
            runtime.faults.check_row("POST", call.path, record_id)
        return runtime.store.merge(
            one.master.sobject.name, one.master.id, one.master.values, one.merged_ids, call.context
        )

    results = each(runtime, asked, act)
    return [_merge_result(call, one, done) for one, done in zip(asked, results, strict=True)]


def _merge(runtime: Runtime, element: Element) -> _Merge:
    _arguments.check_known(element, _KNOWN)
    given = _arguments.child(element, "masterRecord")
    if given is None:
        raise SoapFault("MISSING_ARGUMENT", "masterRecord not specified in a merge call")
    master = _arguments.record(given, runtime.store, INVALID_ID)
    # https://github.com/StevenMMortimer/salesforcer/issues/102
    if master.sobject.name not in MERGEABLE:
        raise SoapFault("INVALID_TYPE_FOR_OPERATION", "entity type does not support merge")
    ids = [_arguments.checked_id(each.text or "", INVALID_ID) for each in _arguments.children(element, _KNOWN[2])]
    return _Merge(master, tuple(ids))


def _merge_result(call: Call, one: _Merge, done: Merged | OrgError) -> str:
    if isinstance(done, OrgError):
        return result(errors(done, call.flavor), elements({"id": one.master.id, "success": False}))
    return result(
        elements({"id": done.id}),
        *(leaf("mergedRecordIds", record_id) for record_id in done.merged_ids),
        elements({"success": True}),
        *(leaf("updatedRelatedIds", record_id) for record_id in done.related_ids),
    )
