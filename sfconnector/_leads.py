"""The conversion of leads: what callers say of each, what is sent, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

import attrs
from sfconnector_generated.errors import ParseError
from sfconnector_generated.soap.api import convert_lead
from sfconnector_generated.types import UNSET

from sfconnector import _envelopes
from sfconnector._collections import RecordResults, Sending, Write
from sfconnector._names import check_id
from sfconnector._results import RecordResult
from sfconnector._rows import Row
from sfconnector._session import Session
from sfconnector.errors import ErrorDetail

if TYPE_CHECKING:
    from sfconnector_generated.client import Request
    from sfconnector_generated.soap import models
    from sfconnector_generated.types import Unset

L = TypeVar("L", bound="str | LeadConvert")

# https://developer.salesforce.com/docs/atlas.en-us.apexref.meta/apexcode/apex_methods_system_database.htm
MOST_LEADS: Final = 100
# More than the elements of a lead have.
_FRAME: Final = 2_000
_FLAGS: Final = ("do_not_create_opportunity", "overwrite_lead_source", "send_notification_email")
_CHOICES: Final = ("bypass_account_dedupe_check", "bypass_contact_dedupe_check")
_IDS: Final = ("account_id", "contact_id", "opportunity_id", "owner_id", "related_person_account_id")
_RECORDS: Final = {
    "account_record": "Account",
    "contact_record": "Contact",
    "opportunity_record": "Opportunity",
    "related_person_account_record": "Account",
}
Fields = Mapping[str, Any]


@attrs.frozen
class LeadConvert:
    """How one lead is to be converted.

    The records and the bypasses of checks are in the WSDL, and for internal use by Salesforce's guide.

    Args:
        lead_id: 15 or 18 characters.
        converted_status: The label of a converted status; the org's first one by default.
        account_id: The account to merge the lead into; a new one by default. Only its empty fields are filled.
        contact_id: The contact of that account to merge the lead into; a new one by default.
        opportunity_id: The opportunity to relate the lead to; a new one by default.
        opportunity_name: The name of the new opportunity, 80 characters at most; that of the company by default.
        owner_id: Who owns the new records; the owner of the lead by default.
        do_not_create_opportunity: Create none.
        bypass_account_dedupe_check: Do not look for duplicates of the account.
        bypass_contact_dedupe_check: Do not look for duplicates of the contact.
        overwrite_lead_source: Overwrite the LeadSource of the contact, which must be given, by that of the lead.
        send_notification_email: Tell the owner by email.
        related_person_account_id: The person account to relate to the account.
        account_record: Fields to set in the account, ``None`` to empty one.
        contact_record: Likewise for the contact.
        opportunity_record: Likewise for the opportunity.
        related_person_account_record: Likewise for the person account.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_convertlead.htm
    """

    lead_id: str = attrs.field(converter=check_id)
    converted_status: str | None = attrs.field(default=None, kw_only=True)
    account_id: str | None = attrs.field(default=None, kw_only=True)
    contact_id: str | None = attrs.field(default=None, kw_only=True)
    opportunity_id: str | None = attrs.field(default=None, kw_only=True)
    opportunity_name: str | None = attrs.field(default=None, kw_only=True)
    owner_id: str | None = attrs.field(default=None, kw_only=True)
    do_not_create_opportunity: bool = attrs.field(default=False, kw_only=True)
    bypass_account_dedupe_check: bool | None = attrs.field(default=None, kw_only=True)
    bypass_contact_dedupe_check: bool | None = attrs.field(default=None, kw_only=True)
    overwrite_lead_source: bool = attrs.field(default=False, kw_only=True)
    send_notification_email: bool = attrs.field(default=False, kw_only=True)
    related_person_account_id: str | None = attrs.field(default=None, kw_only=True)
    # Records are data, and what is to be converted ends up in logs.
    account_record: Fields | None = attrs.field(default=None, kw_only=True, repr=False)
    contact_record: Fields | None = attrs.field(default=None, kw_only=True, repr=False)
    opportunity_record: Fields | None = attrs.field(default=None, kw_only=True, repr=False)
    related_person_account_record: Fields | None = attrs.field(default=None, kw_only=True, repr=False)

    def __attrs_post_init__(self) -> None:
        for name in (*_FLAGS, *_CHOICES):
            value = getattr(self, name)
            if not isinstance(value, bool) and not (value is None and name in _CHOICES):
                raise TypeError(f"{name} is True or False, not {value!r}")
        for name in _IDS:
            if (value := getattr(self, name)) is not None:
                check_id(value)
        for name in ("converted_status", "opportunity_name"):
            if (value := getattr(self, name)) is not None and not _envelopes.check_sendable(name, value).strip():
                raise ValueError(f"{name} is blank")
        for name, record in self.records().items():
            beside = getattr(self, name.replace("_record", "_id"))
            # Which of them Salesforce would go by is not told anywhere.
            if beside is not None and record.get("Id", beside)[:15] != beside[:15]:
                raise ValueError(f"{name} is that of {record['Id']}, and {name.replace('_record', '_id')} is {beside}")

    def records(self) -> dict[str, dict[str, Any]]:
        """The records that are given, as they are sent."""
        given = {name: getattr(self, name) for name in _RECORDS}
        return {
            name: _envelopes.record(name, _RECORDS[name], value) for name, value in given.items() if value is not None
        }


@attrs.frozen
class LeadConversion:
    """What has become of a lead; ids of what there is none of are ``None``."""

    lead_id: str
    account_id: str | None
    contact_id: str | None
    opportunity_id: str | None
    related_person_account_id: str | None = None


@attrs.frozen
class LeadResult(RecordResult[L], Generic[L]):
    """What came of one lead among many.

    Attributes:
        index: The position of the lead in the input, counted from 0.
        record: What was handed in for it.
        id: The id of the lead; ``None`` where it was not converted.
        success: Whether it was converted.
        errors: Why not, as Salesforce listed it.
        conversion: What it has become; ``None`` where it was not converted.
    """

    conversion: LeadConversion | None = None


class LeadResults(RecordResults[L]):
    """The results of converting many leads, in the order of the leads; see :class:`RecordResults`."""

    def __next__(self) -> LeadResult[L]:
        return cast("LeadResult[L]", super().__next__())


@attrs.frozen
class Answer:
    """The result of one record in the form that all APIs share."""

    id: str | None
    success: bool
    errors: list[models.Error]
    conversion: LeadConversion | None = None


def convert(
    session: Session,
    leads: Iterable[L],
    how: Sending,
    default_status: Callable[[], str],
    headers: Mapping[str, Any],
) -> LeadResults[L]:
    """Convert leads, each at most once."""

    def prepare(lead: Any) -> tuple[str, Any, int]:
        spec = lead if isinstance(lead, LeadConvert) else LeadConvert(lead)
        status = default_status() if spec.converted_status is None else spec.converted_status
        content = content_of(spec, status)
        texts = sum(len(str(value)) for value in content.to_dict().values())
        # No character takes more than six bytes, be it escaped or not.
        return "Lead", content, _FRAME + 6 * texts

    def build(contents: list[Any]) -> Request:
        return _envelopes.built(lambda: convert_lead.build(contents, **headers))

    write = Write("convert_leads", prepare, build, parse, id_of=_id_of, read=_envelopes.read, result=_result)
    return LeadResults(session, write, leads, how)


def content_of(spec: LeadConvert, status: str) -> models.LeadConvert:
    """Write what is said of a lead, without what is not said.

    Raises:
        ValueError: The WSDL lacks something of it, or demands something else.
    """
    from sfconnector_generated.soap.models import LeadConvert as Content

    values = {name: getattr(spec, name) for name in ("lead_id", "opportunity_name", *_FLAGS, *_CHOICES, *_IDS)}
    given = {name: value for name, value in values.items() if value is not None}
    given |= {"converted_status": status, **spec.records()}
    return _envelopes.model(Content, **given)


def parse(data: Any) -> Sequence[Answer]:
    """Read the results of a call.

    Raises:
        ParseError: They are not what the WSDL describes, or a success names no lead.
    """
    return [
        Answer(_known(each.lead_id), each.success, each.errors or [], conversion_of(each))
        for each in convert_lead.parse(data)
    ]


def conversion_of(result: models.LeadConvertResult) -> LeadConversion | None:
    """Give what a lead has become, if it was converted.

    Raises:
        ParseError: It says that it was, and not which lead it is.
    """
    if not result.success:
        return None
    if (lead_id := _known(result.lead_id)) is None:
        raise ParseError("the result of a lead that was converted names no lead")

    def known(name: str) -> str | None:
        # A WSDL from before a field existed lacks it, and so does an answer.
        return _known(getattr(result, name, UNSET))

    return LeadConversion(
        lead_id,
        known("account_id"),
        known("contact_id"),
        known("opportunity_id"),
        known("related_person_account_id"),
    )


def _id_of(content: models.LeadConvert) -> str:
    return content.lead_id


def _known(value: str | Unset | None) -> str | None:
    return None if value is UNSET else value or None


def _result(row: Row, answer: Any, errors: tuple[ErrorDetail, ...]) -> RecordResult[Any]:
    converted = answer.id if answer.success else None
    return LeadResult(row.position, row.record, converted, answer.success, False, errors, answer.conversion)
