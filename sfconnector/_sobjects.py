"""One object of the org: its records by id and by external id, and its description."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar, overload

import requests
from sfconnector_generated.rest.api.sobjects import (
    create_record,
    delete_record,
    delete_record_by_external_id,
    get_record,
    get_record_by_external_id,
    update_record,
    upsert_record,
)

from sfconnector._call import check_empty, check_saved, created, delete, read, send
from sfconnector._described import Described
from sfconnector._many import ManyRecords
from sfconnector._names import auto_assign_header, check_id, check_name, external_id_value, http_date
from sfconnector._records import Purpose, encode, without_key
from sfconnector._results import CallOptions, DuplicateRule, SaveResult, UpsertResult, header
from sfconnector._session import Seconds
from sfconnector.errors import InvalidResponseError

T = TypeVar("T")


class SObject(Described, ManyRecords[T]):
    """The records and the description of one object, such as ``Account`` or ``Invoice__c``.

    Made by :meth:`Salesforce.sobject`. All methods raise :class:`ApiError` where Salesforce says no and
    :class:`TransportError` where no answer came; input that cannot be right is a ``ValueError`` or
    ``TypeError`` before anything is sent.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/using_resources_working_with_records.htm
    """

    def create(
        self,
        record: Mapping[str, Any] | T,
        *,
        auto_assign: bool | str | None = None,
        duplicate_rule: DuplicateRule | None = None,
        call_options: CallOptions | None = None,
        timeout: Seconds = None,
    ) -> SaveResult:
        """Create a record; a platform event is published in the same way.

        Args:
            record: Field names and values, or an instance of the class that this object was made with, whose
                ``Id`` and ``None`` values are left out.
            auto_assign: Whether the active assignment rule runs, or the id of the rule to run.
            duplicate_rule: How the org's duplicate rules are treated.
            call_options: The caller's name and default namespace.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The record is empty or holds a value that Salesforce has no form for.
            ApiError: Salesforce refused the record.
            RecordError: The answer is a success that says otherwise of the record.
            TransportError: No answer came; whether the record was created is not known.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_sobject_create.htm

        Example:
            >>> sf.sobject("Contact").create({"LastName": "Curie"}).success
            True
        """
        request = create_record.build(
            self.name,
            body=self._encode(record, purpose="create"),
            sforce_auto_assign=auto_assign_header(auto_assign),
            sforce_duplicate_rule_header=header(duplicate_rule, DuplicateRule),
            sforce_call_options=header(call_options, CallOptions),
        )
        return created(self._session, send(self._session, request, timeout=timeout))

    @overload
    def get(
        self,
        record_id: str,
        fields: Iterable[str] | None = None,
        *,
        call_options: CallOptions | None = None,
        timeout: Seconds = None,
    ) -> T: ...
    @overload
    def get(
        self,
        record_id: str,
        fields: Iterable[str] | None = None,
        *,
        if_modified_since: datetime,
        call_options: CallOptions | None = None,
        timeout: Seconds = None,
    ) -> T | None: ...
    def get(
        self,
        record_id: str,
        fields: Iterable[str] | None = None,
        *,
        if_modified_since: datetime | None = None,
        call_options: CallOptions | None = None,
        timeout: Seconds = None,
    ) -> T | None:
        """Read a record by its id.

        Args:
            record_id: 15 or 18 characters.
            fields: The fields to read; by default all that the user may see, or the class's own.
            if_modified_since: Answer ``None`` where the record has not changed since, cut to seconds.
            call_options: The caller's name and default namespace.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The id or a field name is malformed.
            NotFoundError: There is no such record, or it is deleted.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_retrieve_get.htm

        Example:
            >>> sf.sobject("Account").get(account_id, fields=["Name"])["Name"]
            'Acme'
        """
        request = get_record.build(
            self.name,
            check_id(record_id),
            fields=self._fields(fields),
            if_modified_since=http_date(if_modified_since),
            sforce_call_options=header(call_options, CallOptions),
        )
        response = send(self._session, request, timeout=timeout)
        return None if response.status_code == 304 else self._record(response)

    def get_by_external_id(
        self,
        field: str,
        value: str | int,
        fields: Iterable[str] | None = None,
        *,
        call_options: CallOptions | None = None,
        timeout: Seconds = None,
    ) -> T:
        """Read a record by the value of an external-id field.

        Args:
            field: The field that is an external id.
            value: The record's value of it.
            fields: The fields to read; by default all that the user may see, or the class's own.
            call_options: The caller's name and default namespace.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: A field name or the value is malformed.
            NotFoundError: No record has the value.
            MultipleMatchesError: Several records have it.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_sobject_ext_ID.htm

        Example:
            >>> sf.sobject("Account").get_by_external_id("Ext__c", "A-42")["Name"]
            'Acme'
        """
        request = get_record_by_external_id.build(
            self.name,
            check_name("the external-id field", field),
            external_id_value(value),
            fields=self._fields(fields),
            sforce_call_options=header(call_options, CallOptions),
        )
        return self._record(send(self._session, request, timeout=timeout))

    def update(
        self,
        record_id: str,
        record: Mapping[str, Any] | T,
        *,
        auto_assign: bool | str | None = None,
        duplicate_rule: DuplicateRule | None = None,
        if_unmodified_since: datetime | None = None,
        call_options: CallOptions | None = None,
        timeout: Seconds = None,
    ) -> None:
        """Change fields of a record.

        Args:
            record_id: 15 or 18 characters.
            record: The fields to change and their new values, where ``None`` empties a field; or an instance of
                the class that this object was made with, all of whose fields but ``Id`` are written.
            auto_assign: Whether the active assignment rule runs, or the id of the rule to run.
            duplicate_rule: How the org's duplicate rules are treated.
            if_unmodified_since: Refuse the change where the record has changed since, cut to seconds.
            call_options: The caller's name and default namespace.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The id is malformed, the record is empty or holds a value without a form.
            NotFoundError: There is no such record, or it is deleted.
            ConflictError: The record has changed since ``if_unmodified_since``.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_update_fields.htm

        Example:
            >>> sf.sobject("Account").update(account_id, {"Phone": None})
        """
        request = update_record.build(
            self.name,
            check_id(record_id),
            body=self._encode(record, purpose="update"),
            sforce_auto_assign=auto_assign_header(auto_assign),
            sforce_duplicate_rule_header=header(duplicate_rule, DuplicateRule),
            if_unmodified_since=http_date(if_unmodified_since),
            sforce_call_options=header(call_options, CallOptions),
        )
        check_empty(send(self._session, request, timeout=timeout))

    def upsert(
        self,
        field: str,
        value: str | int,
        record: Mapping[str, Any] | T,
        *,
        auto_assign: bool | str | None = None,
        duplicate_rule: DuplicateRule | None = None,
        call_options: CallOptions | None = None,
        timeout: Seconds = None,
    ) -> UpsertResult:
        """Create a record, or change the one that has the external id; safe to repeat, and repeated when need be.

        Args:
            field: The field that is an external id.
            value: The record's value of it.
            record: The other fields and their values; the external id may be among them with the same value.
            auto_assign: Whether the active assignment rule runs, or the id of the rule to run.
            duplicate_rule: How the org's duplicate rules are treated.
            call_options: The caller's name and default namespace.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: A field name or the value is malformed, or the record holds another external id.
            MultipleMatchesError: Several records have the external id; nothing was changed.
            RecordError: The answer is a success that says otherwise of the record.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm

        Example:
            >>> sf.sobject("Account").upsert("Ext__c", "A-42", {"Name": "Acme"}).created
            False
        """
        field, key = check_name("the external-id field", field), external_id_value(value)
        request = upsert_record.build(
            self.name,
            field,
            key,
            body=without_key(self._encode(record, purpose="upsert", empty=True), field, key),
            sforce_auto_assign=auto_assign_header(auto_assign),
            sforce_duplicate_rule_header=header(duplicate_rule, DuplicateRule),
            sforce_call_options=header(call_options, CallOptions),
        )
        response = send(self._session, request, timeout=timeout)
        # Before API version 46.0 an update is answered with 204, and a 201 does not say that it created.
        if response.status_code == 204:
            return UpsertResult(None, created=False)
        if (saved := read(self._session, response, upsert_record.parse)) is None:
            raise InvalidResponseError(response, "the answer lacks the result of the upsert")
        check_saved(saved)
        return UpsertResult(saved.id or None, created=saved.created or response.status_code == 201)

    def delete(self, record_id: str, *, call_options: CallOptions | None = None, timeout: Seconds = None) -> None:
        """Move a record to the recycle bin.

        Args:
            record_id: 15 or 18 characters.
            call_options: The caller's name and default namespace.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The id is malformed.
            NotFoundError: There is no such record, or it was deleted before this call.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_delete_record.htm

        Example:
            >>> sf.sobject("Account").delete(account_id)
        """
        request = delete_record.build(
            self.name, check_id(record_id), sforce_call_options=header(call_options, CallOptions)
        )
        delete(self._session, request, {"ENTITY_IS_DELETED"}, timeout=timeout)

    def delete_by_external_id(
        self, field: str, value: str | int, *, call_options: CallOptions | None = None, timeout: Seconds = None
    ) -> None:
        """Move the record that has an external id to the recycle bin.

        Args:
            field: The field that is an external id.
            value: The record's value of it.
            call_options: The caller's name and default namespace.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The field name or the value is malformed.
            NotFoundError: No record has the value.
            MultipleMatchesError: Several records have it; nothing was deleted.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_upsert_delete.htm

        Example:
            >>> sf.sobject("Account").delete_by_external_id("Ext__c", "A-42")
        """
        request = delete_record_by_external_id.build(
            self.name,
            check_name("the external-id field", field),
            external_id_value(value),
            sforce_call_options=header(call_options, CallOptions),
        )
        delete(self._session, request, {"NOT_FOUND"}, timeout=timeout)

    def _record(self, response: requests.Response) -> T:
        record = self._session.decode(response)
        if not isinstance(record, dict):
            raise InvalidResponseError(response, f"a record was expected and a {type(record).__name__} came")
        if self._class is None:
            return record  # type: ignore[return-value]  # without a class of the caller's, T is the dict itself
        return self._class.decoder()(record)

    def _encode(self, record: object, *, purpose: Purpose, empty: bool = False) -> dict[str, Any]:
        if self._class is not None and isinstance(record, self._class.cls):
            body = self._class.encode(record, purpose=purpose)
        else:
            body = encode(record)
        if not body and not empty:
            raise ValueError(f"the {self.name} record is empty")
        return body

    def __repr__(self) -> str:
        return f"<SObject {self.name}>"
