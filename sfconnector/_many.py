"""The methods of one object for many records."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from sfconnector._ahead import in_order
from sfconnector._call import read, send
from sfconnector._names import check_id, check_name, check_path
from sfconnector._prepare import check_count
from sfconnector._records import D, R, RecordClass
from sfconnector._results import MOST_BYTES, MOST_RECORDS, CallOptions, DuplicateRule, header
from sfconnector._session import Seconds, Session
from sfconnector.errors import InvalidResponseError

if TYPE_CHECKING:
    from sfconnector._collections import RecordResults

T = TypeVar("T")
# https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-sobjects-collections-retrieve-post.html
_MOST_READ: Final = 2_000


class ManyRecords(Generic[T]):
    """The methods of one object for many records.

    Args:
        session: The client's session.
        name: The object's API name.
        record_class: What the records become instances of.
    """

    def __init__(self, session: Session, name: str, record_class: RecordClass[T] | None = None) -> None:
        self._session = session
        self.name = check_name("the object", name)
        self._class = record_class

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
        """Create records, 200 a call; they are sent as the results are iterated over.

        A call is not repeated where it may have arrived, so that no record is created twice. A record that failed
        for a passing reason, such as a lock, is sent again by itself.

        Args:
            records: Any iterable of dicts of field names and values, or of instances of the class that this object was
                made with, whose ``Id`` and ``None`` values are left out. It is read as far as the next calls need it.
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
            >>> contacts = [{"LastName": "Curie"}, {"LastName": "Meitner"}]
            >>> [result.success for result in sf.sobject("Contact").create_many(contacts)]
            [True, True]
        """
        from sfconnector._writes import Preparing, Sending, create, headers

        return create(
            self._session,
            records,
            Preparing(self.name, self._class, purpose="create"),
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
        """Change records by their ids, 200 a call; they are sent as the results are iterated over.

        An id that occurs twice in a call fails. With several workers the calls are carried out in any order.

        Args:
            records: Any iterable of dicts with the ``Id`` and the fields to change, as queries hand them out, where
                ``None`` empties a field; or of instances of the class that this object was made with, all of whose
                fields are written. It is read as far as the next calls need it.
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
            >>> changes = ({"Id": account["Id"], "Phone": None} for account in sf.query("SELECT Id FROM Account"))
            >>> sf.sobject("Account").update_many(changes).failures()
            []
        """
        from sfconnector._writes import Preparing, Sending, headers, update

        return update(
            self._session,
            records,
            Preparing(self.name, self._class, purpose="update"),
            Sending(all_or_none, workers, batch_size, max_bytes, raise_on_failure, timeout),
            headers(auto_assign, duplicate_rule, call_options),
        )

    def upsert_many(
        self,
        field: str,
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
        """Create records, or change those with the external ids, 200 a call, as the results are iterated over.

        A call does the same when it is sent twice, so it is repeated when need be; ``created`` is then false for
        what the first attempt created. An external id that occurs twice in a call fails with ``DUPLICATE_VALUE``.
        With several workers the calls are carried out in any order, so records with the same external id should
        not be far apart.

        Args:
            field: The field that is an external id.
            records: Any iterable of dicts of field names and values, or of instances of the class that this object was
                made with, without their ``Id``; each with a value of the external id. It is read as far as the next
                calls need it.
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
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_upsert.htm

        Example:
            >>> rows = [{"Ext__c": f"A-{number}", "Name": "Acme"} for number in range(42, 45)]
            >>> [result.created for result in sf.sobject("Account").upsert_many("Ext__c", rows, workers=4)]
            [False, True, True]
        """
        from sfconnector._writes import Preparing, Sending, headers, upsert

        return upsert(
            self._session,
            records,
            Preparing(self.name, self._class, purpose="upsert"),
            Sending(all_or_none, workers, batch_size, max_bytes, raise_on_failure, timeout),
            headers(auto_assign, duplicate_rule, call_options),
            field=check_name("the external-id field", field),
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
        """Move records to the recycle bin, 200 a call; they are sent as the results are iterated over.

        A call is repeated when need be; a record that a lost attempt has deleted counts as deleted.

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
            >>> [result.success for result in sf.sobject("Account").delete_many(old)]
            [True]
        """
        from sfconnector._writes import Preparing, Sending, delete

        return delete(
            self._session,
            ids,
            Preparing(self.name, self._class),
            Sending(all_or_none, workers, batch_size, MOST_BYTES, raise_on_failure, timeout),
            call_options,
        )

    def get_many(
        self,
        ids: Iterable[str],
        fields: Iterable[str] | None = None,
        *,
        workers: int = 1,
        call_options: CallOptions | None = None,
        timeout: Seconds = None,
    ) -> Iterator[T | None]:
        """Read records by their ids, 2,000 a call, in the order of the ids; lazily, as they are iterated over.

        Args:
            ids: Any iterable of ids. It is read as far as the next calls need it.
            fields: The fields to read; they may be left out with a class, whose fields are read then.
            workers: How many calls may run at the same time.
            call_options: The caller's name and default namespace.
            timeout: Seconds for each call instead of the client's own.

        Returns:
            For each id its record; ``None`` where there is no such record, or the user may not see it.

        Raises:
            ValueError, TypeError: An argument cannot be right; while iterating, an id is malformed.
            ApiError: While iterating: Salesforce refused a call.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_retrieve_post.htm

        Example:
            >>> [account["Name"] for account in sf.sobject("Account").get_many([account_id], fields=["Name"])]
            ['Acme']
        """
        names = self._fields(fields)
        if names is None:
            raise ValueError("get_many needs the fields: Salesforce reads all of them one record at a time only")
        if isinstance(ids, str) or not hasattr(ids, "__iter__"):
            raise TypeError(f"get_many takes many ids, and not one {type(ids).__name__}: give a list")
        options = header(call_options, CallOptions)
        calls = (partial(self._read_many, some, names, options, timeout) for some in _id_chunks(ids))
        return self._each(in_order(calls, check_count("workers", workers)))

    def _read_many(self, ids: list[str], fields: list[str], options: str | None, timeout: Seconds) -> list[Any]:
        from sfconnector_generated.rest.api.collections import get_records_by_body
        from sfconnector_generated.rest.models import RecordSelection

        selection = RecordSelection(ids=ids, fields=fields)
        request = get_records_by_body.build(self.name, body=selection, sforce_call_options=options)
        response = send(self._session, request, timeout=timeout)
        records = read(self._session, response, get_records_by_body.parse)
        if len(records) != len(ids) or not {*map(type, records)} <= {dict, type(None)}:
            raise InvalidResponseError(response, f"{len(records)} records came for {len(ids)} ids, or no records")
        for record_id, record in zip(ids, records, strict=True):
            # The last three characters are but a checksum.
            if record is not None and str(record.get("Id", record_id))[:15] != record_id[:15]:
                raise InvalidResponseError(response, "the records are not in the order of their ids")
        return records

    def _each(self, answers: Generator[list[Any]]) -> Iterator[T | None]:
        decode = None if self._class is None else self._class.decoder()
        with closing(answers):
            for records in answers:
                for record in records:
                    yield record if decode is None or record is None else decode(record)

    def _fields(self, fields: Iterable[str] | None) -> list[str] | None:
        if isinstance(fields, str):
            raise TypeError(f"fields is a list of names: give [{fields!r}] instead of {fields!r}")
        if fields is not None:
            names = list(fields)
        elif self._class is None:
            return None
        elif self._class.relationships:
            raise ValueError(
                f"{self._class.cls.__name__} has relationships, which a single read does not follow: use query()"
            )
        else:
            names = list(self._class.fields)
        if not names:
            raise ValueError("fields is empty: leave it out to read all fields")
        return [check_path("a field", name) for name in names]


def _id_chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(ids)
    while some := [check_id(each) for each in islice(remaining, _MOST_READ)]:
        yield some
