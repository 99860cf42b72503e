"""The methods of a client for many records of any objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sfconnector._records import D, R
from sfconnector._results import MOST_BYTES, MOST_RECORDS, CallOptions, DuplicateRule
from sfconnector._session import Seconds, Session

if TYPE_CHECKING:
    from sfconnector._collections import RecordResults


class MixedRecords:
    """The methods of a client for many records of any objects."""

    _session: Session

    def create_many(
        self,
        records: Iterable[R],
        *,
        all_or_none: bool = False,
        workers: int = 1,
        batch_size: int = MOST_RECORDS,
        max_bytes: int = MOST_BYTES,
        raise_on_failure: bool = True,
        auto_assign: bool | str | None = None,
        duplicate_rule: DuplicateRule | None = None,
        call_options: CallOptions | None = None,
        timeout: Seconds = None,
    ) -> RecordResults[R]:
        """Create records of any objects, 200 a call; they are sent as the results are iterated over.

        A call holds records of ten objects at most, counting each change of the object, so records are best sorted
        by it. Users, groups and other objects of Salesforce's setup cannot share a call with others. Otherwise as
        :meth:`SObject.create_many`.

        Args:
            records: Any iterable of dicts that name their object, as in ``{"attributes": {"type": "Account"}}``, or
                of instances of attrs classes and dataclasses, whose ``Id`` and ``None`` values are left out.
            all_or_none: Take back all records of a call, which are up to 200, when one of them fails; those of other
                calls stay. The default saves what can be saved.
            workers: How many calls may run at the same time; the client's ``max_connections`` bounds them, too.
            batch_size: Records a call at most, up to 200.
            max_bytes: Bytes a call at most; Salesforce takes 50 MB.
            raise_on_failure: Raise :class:`RecordError` after the last result if any record failed.
            auto_assign: Whether the active assignment rule runs, or the id of the rule to run.
            duplicate_rule: How the org's duplicate rules are treated.
            call_options: The caller's name and default namespace.
            timeout: Seconds for each call instead of the client's own.

        Raises:
            ValueError, TypeError: An argument cannot be right; while iterating, a record cannot be sent.
            RecordError: While iterating: records failed, see ``raise_on_failure``.
            ApiError, TransportError: While iterating: a call failed as a whole, see :class:`RecordResults`.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_create.htm

        Example:
            >>> records = [
            ...     {"attributes": {"type": "Account"}, "Name": "Acme"},
            ...     {"attributes": {"type": "Contact"}, "LastName": "Curie"},
            ... ]
            >>> [result.id[:3] for result in sf.create_many(records)]
            ['001', '003']
        """
        from sfconnector._writes import Preparing, Sending, create, headers

        return create(
            self._session,
            records,
            Preparing(purpose="create"),
            Sending(all_or_none, workers, batch_size, max_bytes, raise_on_failure, timeout),
            headers(auto_assign, duplicate_rule, call_options),
        )

    def update_many(
        self,
        records: Iterable[R],
        *,
        all_or_none: bool = False,
        workers: int = 1,
        batch_size: int = MOST_RECORDS,
        max_bytes: int = MOST_BYTES,
        raise_on_failure: bool = True,
        auto_assign: bool | str | None = None,
        duplicate_rule: DuplicateRule | None = None,
        call_options: CallOptions | None = None,
        timeout: Seconds = None,
    ) -> RecordResults[R]:
        """Change records of any objects by their ids, 200 a call; they are sent as the results are iterated over.

        A call holds records of ten objects at most, as told at :meth:`create_many`. Otherwise as
        :meth:`SObject.update_many`.

        Args:
            records: Any iterable of dicts with their object, as queries hand them out, their ``Id`` and the fields to
                change; or of instances of attrs classes and dataclasses, all of whose fields are written.
            all_or_none: Take back all records of a call, which are up to 200, when one of them fails; those of other
                calls stay. The default saves what can be saved.
            workers: How many calls may run at the same time; the client's ``max_connections`` bounds them, too.
            batch_size: Records a call at most, up to 200.
            max_bytes: Bytes a call at most; Salesforce takes 50 MB.
            raise_on_failure: Raise :class:`RecordError` after the last result if any record failed.
            auto_assign: Whether the active assignment rule runs, or the id of the rule to run.
            duplicate_rule: How the org's duplicate rules are treated.
            call_options: The caller's name and default namespace.
            timeout: Seconds for each call instead of the client's own.

        Raises:
            ValueError, TypeError: An argument cannot be right; while iterating, a record cannot be sent.
            RecordError: While iterating: records failed, see ``raise_on_failure``.
            ApiError, TransportError: While iterating: a call failed as a whole, see :class:`RecordResults`.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_update.htm

        Example:
            >>> accounts = sf.query("SELECT Id, Phone FROM Account")
            >>> sf.update_many(account | {"Phone": "+46 8 123"} for account in accounts).failures()
            []
        """
        from sfconnector._writes import Preparing, Sending, headers, update

        return update(
            self._session,
            records,
            Preparing(purpose="update"),
            Sending(all_or_none, workers, batch_size, max_bytes, raise_on_failure, timeout),
            headers(auto_assign, duplicate_rule, call_options),
        )

    def delete_many(
        self,
        ids: Iterable[D],
        *,
        all_or_none: bool = False,
        workers: int = 1,
        batch_size: int = MOST_RECORDS,
        raise_on_failure: bool = True,
        call_options: CallOptions | None = None,
        timeout: Seconds = None,
    ) -> RecordResults[D]:
        """Move records of any objects to the recycle bin, 200 a call; they are sent as the results are iterated over.

        A call is repeated when need be; a record that a lost attempt has deleted counts as deleted. A
        call holds records of ten objects at most, as told at :meth:`create_many`.

        Args:
            ids: Any iterable of ids, or of records with an ``Id``. It is read as far as the next calls need it.
            all_or_none: Take back all records of a call, which are up to 200, when one of them fails; those of other
                calls stay. The default saves what can be saved.
            workers: How many calls may run at the same time; the client's ``max_connections`` bounds them, too.
            batch_size: Records a call at most, up to 200.
            raise_on_failure: Raise :class:`RecordError` after the last result if any record failed.
            call_options: The caller's name and default namespace.
            timeout: Seconds for each call instead of the client's own.

        Raises:
            ValueError, TypeError: An argument cannot be right; while iterating, a record cannot be sent.
            RecordError: While iterating: records failed, see ``raise_on_failure``.
            ApiError, TransportError: While iterating: a call failed as a whole, see :class:`RecordResults`.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_delete.htm

        Example:
            >>> old = sf.query("SELECT Id FROM Account WHERE Name = 'Acme'")
            >>> [result.success for result in sf.delete_many(old)]
            [True]
        """
        from sfconnector._writes import Preparing, Sending, delete

        return delete(
            self._session,
            ids,
            Preparing(),
            Sending(all_or_none, workers, batch_size, MOST_BYTES, raise_on_failure, timeout),
            call_options,
        )
