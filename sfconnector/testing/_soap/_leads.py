"""Conversion of leads by SOAP.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_convertlead.htm
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from xml.etree.ElementTree import Element

import attrs

from sfconnector.testing._conversion import Converted, LeadConvert
from sfconnector.testing._errors import OrgError
from sfconnector.testing._outbox import Email
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._soap import _arguments
from sfconnector.testing._soap._calls import Call, each, elements, errors, result
from sfconnector.testing._soap._faults import ClientFault, SoapFault

# "The convertLead method accepts up to 100 LeadConvert objects", as its Apex namesake says.
# https://developer.salesforce.com/docs/atlas.en-us.apexref.meta/apexref/apex_methods_system_database.htm
_MAXIMUM: Final = 100
_RECORDS: Final = {"accountRecord": "Account", "contactRecord": "Contact", "opportunityRecord": "Opportunity"}
_KNOWN: Final = frozenset(
    {
        "accountId",
        "bypassAccountDedupeCheck",
        "bypassContactDedupeCheck",
        "contactId",
        "convertedStatus",
        "doNotCreateOpportunity",
        "leadId",
        "opportunityId",
        "opportunityName",
        "overwriteLeadSource",
        "ownerId",
        "relatedPersonAccountId",
        "relatedPersonAccountRecord",
        "sendNotificationEmail",
        *_RECORDS,
    }
)


@attrs.frozen
class _Asked:
    convert: LeadConvert
    notifies: bool


def convert(runtime: Runtime, call: Call) -> Iterable[str]:
    """Convert each lead by itself: one that is refused is no hindrance to the others."""
    _arguments.check_known(call.arguments, ("leadConverts",))
    asked = [_asked(runtime, element) for element in call.arguments]
    if len(asked) > _MAXIMUM:
        message = f"number of leads to convert exceeds the limit of {_MAXIMUM}"
        raise SoapFault("EXCEEDED_LEAD_CONVERT_LIMIT", message)

    def act(one: _Asked) -> Converted:
        runtime.faults.check_row("POST", call.path, one.convert.lead_id)
        return runtime.store.convert_lead(one.convert, call.context)

    results = each(runtime, asked, act)
    _notify(runtime, call, asked, results)
    return [_result(call, one, done) for one, done in zip(asked, results, strict=True)]


def _asked(runtime: Runtime, element: Element) -> _Asked:
    _arguments.check_known(element, _KNOWN)
    lead_id = _arguments.record_id(element, "leadId")
    status = _arguments.string(element, "convertedStatus")
    if lead_id is None or status is None:
        missing = "leadId" if lead_id is None else "convertedStatus"
        raise ClientFault(f"Required field {missing} is missing")
    records = {name: _record(runtime, element, name, sobject) for name, sobject in _RECORDS.items()}
    ids = {
        name: _arguments.record_id(element, f"{name}Id") or records[f"{name}Record"].id
        for name in ("account", "contact", "opportunity")
    }
    person = any(_arguments.child(element, f"relatedPersonAccount{end}") is not None for end in ("Id", "Record"))
    wanted = LeadConvert(
        lead_id=lead_id,
        converted_status=status,
        account_id=ids["account"],
        contact_id=ids["contact"],
        opportunity_id=ids["opportunity"],
        opportunity_name=_arguments.string(element, "opportunityName") or None,
        owner_id=_arguments.record_id(element, "ownerId"),
        create_opportunity=not _arguments.boolean(element, "doNotCreateOpportunity"),
        bypass_account_dedupe_check=_arguments.boolean(element, "bypassAccountDedupeCheck"),
        bypass_contact_dedupe_check=_arguments.boolean(element, "bypassContactDedupeCheck"),
        overwrite_lead_source=_arguments.boolean(element, "overwriteLeadSource"),
        person_account=person,
        account_values=records["accountRecord"].values,
        contact_values=records["contactRecord"].values,
        opportunity_values=records["opportunityRecord"].values,
    )
    return _Asked(wanted, _arguments.boolean(element, "sendNotificationEmail"))


def _record(runtime: Runtime, element: Element, name: str, sobject: str) -> _arguments.Record:
    given = _arguments.child(element, name)
    if given is None:
        return _arguments.Record(runtime.store.sobject(sobject), None, {})
    record = _arguments.record(given, runtime.store)
    if record.sobject.name != sobject:
        raise SoapFault("INVALID_TYPE", f"{name} must be of type {sobject}, not {record.sobject.name}")
    return record


def _notify(runtime: Runtime, call: Call, asked: Sequence[_Asked], results: Sequence[Converted | OrgError]) -> None:
    """Write to the owners who are to be told."""
    for one, done in zip(asked, results, strict=True):
        if one.notifies and isinstance(done, Converted):
            owner = runtime.store.get("User", done.owner_id, ["Email"], call.context)
            runtime.outbox.send(_email(owner["Email"], done))


def _email(address: str, done: Converted) -> Email:
    values = attrs.asdict(done)
    return Email(
        to=(address,),
        cc=(),
        bcc=(),
        subject="A lead of yours has been converted",
        body=f"Lead {done.lead_id} has become account {done.account_id} and contact {done.contact_id}.",
        values=values,
    )


def _result(call: Call, one: _Asked, done: Converted | OrgError) -> str:
    person: dict[str, Any] = {"relatedPersonAccountId": None} if call.since(49) else {}
    if isinstance(done, OrgError):
        nothing = elements({"accountId": None, "contactId": None})
        rest = elements({"leadId": one.convert.lead_id, "opportunityId": None, **person, "success": False})
        return result(nothing, errors(done, call.flavor), rest)
    return result(
        elements(
            {
                "accountId": done.account_id,
                "contactId": done.contact_id,
                "leadId": done.lead_id,
                "opportunityId": done.opportunity_id,
                **person,
                "success": True,
            }
        )
    )
