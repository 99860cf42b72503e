"""What only SOAP API can do: convert leads, merge records, and empty the recycle bin or take records out of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs
from sfconnector_generated.rest.api.query import query
from sfconnector_generated.soap.api import (
    empty_recycle_bin,
    get_server_timestamp,
    get_user_info,
    merge,
    undelete,
)

from sfconnector import _call, _envelopes
from sfconnector._collections import RecordResults, Sending, Write, is_result, is_same
from sfconnector._leads import (
    MOST_LEADS,
    Answer,
    Fields,
    LeadConversion,
    LeadConvert,
    LeadResults,
    convert,
)
from sfconnector._names import check_id
from sfconnector._results import MOST_BYTES, MOST_RECORDS, CallOptions, DuplicateRule, error_details
from sfconnector._session import Seconds, Session
from sfconnector.errors import InvalidResponseError, RecordError

if TYPE_CHECKING:
    from sfconnector_generated.soap import models

L = TypeVar("L", bound="str | LeadConvert")

_STATUSES: Final = "SELECT MasterLabel FROM LeadStatus WHERE IsConverted = true ORDER BY SortOrder LIMIT 1"
# Of one merge, the one that stays not counted.
# https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/salesforce-app-limits-platform-apicalls.html
_MOST_MERGED: Final = 2


@attrs.frozen
class MergeResult:
    """Records were merged.

    Attributes:
        id: The id of the record that stays.
        merged_ids: The ids of the records that went into it.
        updated_related_ids: The ids of the records that belong to it now.
    """

    id: str
    merged_ids: tuple[str, ...]
    updated_related_ids: tuple[str, ...]


class Soap:
    """The calls of SOAP API that have no equal elsewhere; made by :attr:`Salesforce.soap`.

    They go through the client's session like all others. Needs the extra ``soap``, which is imported with the
    first call. What is no text that XML can carry, such as a control character, is refused before anything is sent.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_quickstart_intro.htm
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._status: str | None = None

    def convert_lead(
        self,
        lead_id: str,
        *,
        converted_status: str | None = None,
        account_id: str | None = None,
        contact_id: str | None = None,
        opportunity_id: str | None = None,
        opportunity_name: str | None = None,
        owner_id: str | None = None,
        do_not_create_opportunity: bool = False,
        bypass_account_dedupe_check: bool | None = None,
        bypass_contact_dedupe_check: bool | None = None,
        overwrite_lead_source: bool = False,
        send_notification_email: bool = False,
        related_person_account_id: str | None = None,
        account_record: Fields | None = None,
        contact_record: Fields | None = None,
        opportunity_record: Fields | None = None,
        related_person_account_record: Fields | None = None,
        duplicate_rule: DuplicateRule | None = None,
        allow_field_truncation: bool = False,
        call_options: CallOptions | None = None,
        timeout: Seconds = None,
    ) -> LeadConversion:
        """Convert a lead into an account, a contact and an opportunity; never repeated where it may have arrived.

        Args:
            lead_id: 15 or 18 characters.
            converted_status: The label of a converted status; by default the first of the org, looked up once.
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
            duplicate_rule: How the org's duplicate rules are treated.
            allow_field_truncation: Cut texts that are too long, instead of failing.
            call_options: The caller's name and default namespace.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: An argument cannot be right, or the org has no converted status.
            RecordError: Salesforce did not convert the lead.
            ApiError: Salesforce refused the call.
            TransportError: No answer came; the lead may be converted by now.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_convertlead.htm

        Example:
            >>> conversion = sf.soap.convert_lead(lead_id, opportunity_name="First order")
            >>> conversion.account_id[:3], conversion.contact_id[:3], conversion.opportunity_id[:3]
            ('001', '003', '006')
        """
        lead = LeadConvert(
            lead_id,
            converted_status=converted_status,
            account_id=account_id,
            contact_id=contact_id,
            opportunity_id=opportunity_id,
            opportunity_name=opportunity_name,
            owner_id=owner_id,
            do_not_create_opportunity=do_not_create_opportunity,
            bypass_account_dedupe_check=bypass_account_dedupe_check,
            bypass_contact_dedupe_check=bypass_contact_dedupe_check,
            overwrite_lead_source=overwrite_lead_source,
            send_notification_email=send_notification_email,
            related_person_account_id=related_person_account_id,
            account_record=account_record,
            contact_record=contact_record,
            opportunity_record=opportunity_record,
            related_person_account_record=related_person_account_record,
        )
        headers = _headers(duplicate_rule, allow_field_truncation, call_options)
        # As one of many, so that a lead that was locked is sent again.
        how = Sending(False, 1, 1, MOST_BYTES, False, timeout)
        status = converted_status or self.converted_status()
        (result,) = convert(self._session, [lead], how, lambda: status, headers)
        if result.conversion is None:
            raise RecordError(result.errors)
        return result.conversion

    def convert_leads(
        self,
        leads: Iterable[L],
        *,
        converted_status: str | None = None,
        workers: int = 1,
        batch_size: int = MOST_LEADS,
        raise_on_failure: bool = True,
        duplicate_rule: DuplicateRule | None = None,
        allow_field_truncation: bool = False,
        call_options: CallOptions | None = None,
        timeout: Seconds = None,
    ) -> LeadResults[L]:
        """Convert leads, 100 a call; they are sent as the results are iterated over, and none twice.

        Args:
            leads: Any iterable of ids and of :class:`LeadConvert`.
            converted_status: The label of the status for those that name none; by default the first of the org.
            workers: How many calls may run at the same time.
            batch_size: Leads a call at most, up to 100.
            raise_on_failure: Raise :class:`RecordError` after the last result if any lead failed.
            duplicate_rule: How the org's duplicate rules are treated.
            allow_field_truncation: Cut texts that are too long, instead of failing.
            call_options: The caller's name and default namespace.
            timeout: Seconds for each call instead of the client's own.

        Raises:
            ValueError, TypeError: An argument cannot be right; while iterating, a lead cannot be sent.
            RecordError: While iterating: leads failed, see ``raise_on_failure``.
            ApiError, TransportError: While iterating: a call failed as a whole, see :class:`RecordResults`.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_convertlead.htm

        Example:
            >>> [result.success for result in sf.soap.convert_leads([lead_id])]
            [True]
        """
        if converted_status is not None and not _envelopes.check_sendable("converted_status", converted_status).strip():
            raise ValueError("converted_status is blank")
        how = Sending(False, workers, batch_size, MOST_BYTES, raise_on_failure, timeout)
        if batch_size > MOST_LEADS:
            raise ValueError(f"batch_size is {batch_size}, and Salesforce takes {MOST_LEADS} leads a call")
        headers = _headers(duplicate_rule, allow_field_truncation, call_options)
        return convert(self._session, leads, how, lambda: converted_status or self.converted_status(), headers)

    def converted_status(self) -> str:
        """Give the label of the org's first converted lead status, asked for once.

        Raises:
            ValueError: The org has none.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_leadstatus.htm

        Example:
            >>> sf.soap.converted_status()
            'Closed - Converted'
        """
        with self._lock:
            if self._status is None:
                found = _call.call(self._session, query.build(q=_STATUSES), query.parse).records
                if not found:
                    raise ValueError("the org has no lead status that means converted: give converted_status")
                self._status = str(found[0]["MasterLabel"])
            return self._status

    def merge(
        self,
        sobject: str,
        master_id: str,
        merge_ids: Sequence[str],
        *,
        fields: Fields | None = None,
        duplicate_rule: DuplicateRule | None = None,
        allow_field_truncation: bool = False,
        call_options: CallOptions | None = None,
        timeout: Seconds = None,
    ) -> MergeResult:
        """Merge one or two records into another, which takes over what belongs to them; they are deleted.

        Args:
            sobject: ``"Account"``, ``"Contact"``, ``"Lead"`` or ``"Case"``.
            master_id: The id of the record that stays.
            merge_ids: The ids of one or two others.
            fields: Fields to set in the record that stays, ``None`` to empty one.
            duplicate_rule: How the org's duplicate rules are treated.
            allow_field_truncation: Cut texts that are too long, instead of failing.
            call_options: The caller's name and default namespace.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: An argument cannot be right.
            RecordError: Salesforce did not merge them.
            ApiError: Salesforce refused the call.
            TransportError: No answer came; they may be merged by now.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_merge.htm

        Example:
            >>> double = sf.sobject("Account").create({"Name": "Acme"}).id
            >>> sf.soap.merge("Account", account_id, [double]).merged_ids == (double,)
            True
        """
        from sfconnector_generated.soap.models import MergeRequest

        master = _envelopes.record("fields", sobject, fields or {}, check_id(master_id))
        ids = [check_id(each) for each in _ids(merge_ids)]
        if not 1 <= len(ids) <= _MOST_MERGED:
            raise ValueError(f"{len(ids)} records cannot be merged into one at a time: give the ids of one or two")
        if len({each[:15] for each in (master_id, *ids)}) <= len(ids):
            raise ValueError("a record cannot be merged into itself, nor twice")
        headers = _headers(duplicate_rule, allow_field_truncation, call_options)
        request = _envelopes.model(MergeRequest, master_record=master, record_to_merge_ids=ids)
        result = self._one(lambda: merge.build([request], **headers), merge.parse, master_id, timeout)
        if not result.success:
            raise RecordError(error_details(result.errors))
        merged = tuple(result.merged_record_ids or ids)
        return MergeResult(result.id or master_id, merged, tuple(result.updated_related_ids or ()))

    def undelete(
        self,
        ids: Iterable[str],
        *,
        workers: int = 1,
        batch_size: int = MOST_RECORDS,
        raise_on_failure: bool = True,
        call_options: CallOptions | None = None,
        timeout: Seconds = None,
    ) -> RecordResults[str]:
        """Take records out of the recycle bin, 200 a call; they are sent as the results are iterated over.

        Args:
            ids: Any iterable of ids, of any objects.
            workers: How many calls may run at the same time.
            batch_size: Records a call at most, up to 200.
            raise_on_failure: Raise :class:`RecordError` after the last result if any record failed.
            call_options: The caller's name and default namespace.
            timeout: Seconds for each call instead of the client's own.

        Raises:
            ValueError, TypeError: An argument cannot be right; while iterating, an id is malformed.
            RecordError: While iterating: records failed, see ``raise_on_failure``.
            ApiError, TransportError: While iterating: a call failed as a whole, see :class:`RecordResults`.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_undelete.htm

        Example:
            >>> sf.sobject("Account").delete(account_id)
            >>> [result.success for result in sf.soap.undelete([account_id])]
            [True]
        """
        how = Sending(False, workers, batch_size, MOST_BYTES, raise_on_failure, timeout)
        return self._by_id("undelete", undelete, ids, how, call_options)

    def empty_recycle_bin(
        self,
        ids: Iterable[str],
        *,
        workers: int = 1,
        batch_size: int = MOST_RECORDS,
        raise_on_failure: bool = True,
        call_options: CallOptions | None = None,
        timeout: Seconds = None,
    ) -> RecordResults[str]:
        """Remove deleted records for good, 200 a call; they are sent as the results are iterated over.

        Args:
            ids: Any iterable of ids, of any objects.
            workers: How many calls may run at the same time.
            batch_size: Records a call at most, up to 200.
            raise_on_failure: Raise :class:`RecordError` after the last result if any record failed.
            call_options: The caller's name and default namespace.
            timeout: Seconds for each call instead of the client's own.

        Raises:
            SalesforceError, ValueError, TypeError: As for :meth:`undelete`.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_emptyrecyclebin.htm

        Example:
            >>> sf.sobject("Account").delete(account_id)
            >>> [result.success for result in sf.soap.empty_recycle_bin([account_id])]
            [True]
        """
        how = Sending(False, workers, batch_size, MOST_BYTES, raise_on_failure, timeout)
        return self._by_id("empty_recycle_bin", empty_recycle_bin, ids, how, call_options)

    def server_timestamp(self, *, timeout: Seconds = None) -> datetime:
        """Tell the time at Salesforce, in UTC.

        Args:
            timeout: Seconds instead of the client's own.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_getservertimestamp.htm

        Example:
            >>> sf.soap.server_timestamp().tzinfo
            datetime.timezone.utc
        """
        build, parse = get_server_timestamp.build, get_server_timestamp.parse
        return _envelopes.call(self._session, build, parse, timeout=timeout).timestamp

    def user_info(self, *, timeout: Seconds = None) -> models.GetUserInfoResult:
        """Tell who is logged in, and to which org.

        Args:
            timeout: Seconds instead of the client's own.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_getuserinfo.htm

        Example:
            >>> sf.soap.user_info().user_name == username
            True
        """
        return _envelopes.call(self._session, get_user_info.build, get_user_info.parse, timeout=timeout)

    def _one(self, build: Any, parse: Any, record_id: str, timeout: Seconds) -> Any:
        """Make a call about one record."""
        response = self._session.send(_envelopes.built(build), timeout=timeout)
        self._session.check(response)
        results = _envelopes.read(self._session, response, parse)
        if len(results) != 1:
            raise InvalidResponseError(response, f"{len(results)} results came for one call")
        answer = Answer(results[0].id or None, results[0].success, results[0].errors or [])
        if not is_result(answer) or not is_same(record_id, answer):
            raise InvalidResponseError(response, "the result is of another record, or lacks what belongs to it")
        return results[0]

    def _by_id(
        self, name: str, operation: Any, ids: Iterable[str], how: Sending, call_options: CallOptions | None
    ) -> RecordResults[str]:
        header = _envelopes.call_options_header(call_options)

        def prepare(record_id: Any) -> tuple[str, Any, int]:
            # Of no kind, since these calls take any.
            return "", check_id(record_id), 100

        def build(contents: list[Any]) -> Any:
            return _envelopes.built(lambda: operation.build(contents, call_options=header))

        def parse(data: Any) -> Sequence[Answer]:
            return [Answer(each.id or None, each.success, each.errors or []) for each in operation.parse(data)]

        return RecordResults(
            self._session, Write(name, prepare, build, parse, id_of=str, read=_envelopes.read), ids, how
        )


def _ids(given: object) -> Sequence[Any]:
    if isinstance(given, str | bytes) or not isinstance(given, Sequence):
        raise TypeError(f"the ids are a list of texts, not a {type(given).__name__}")
    return given


def _headers(
    duplicate_rule: DuplicateRule | None, allow_field_truncation: bool, call_options: CallOptions | None
) -> Mapping[str, Any]:
    from sfconnector_generated.soap.models import AllowFieldTruncationHeader

    if not isinstance(allow_field_truncation, bool):
        raise TypeError(f"allow_field_truncation is True or False, not {allow_field_truncation!r}")
    truncation = None
    if allow_field_truncation:
        truncation = _envelopes.model(AllowFieldTruncationHeader, allow_field_truncation=True)
    headers = {
        "duplicate_rule_header": _envelopes.duplicate_rule_header(duplicate_rule),
        "allow_field_truncation_header": truncation,
        "call_options": _envelopes.call_options_header(call_options),
    }
    return {name: header for name, header in headers.items() if header is not None}
