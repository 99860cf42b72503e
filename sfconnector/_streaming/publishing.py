"""Platform events on their way into the org."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, cast

import attrs
from sfconnector_generated.rest import models
from sfconnector_generated.rest.api.collections import create_records
from sfconnector_generated.rest.api.sobjects import create_record

from sfconnector._call import check_saved, read, send
from sfconnector._collections import RecordResults, Sending, Write
from sfconnector._names import check_name
from sfconnector._records import R, encode
from sfconnector._results import RecordResult
from sfconnector._rows import Preparing, Row
from sfconnector._session import Seconds, Session
from sfconnector.errors import ErrorDetail, InvalidResponseError

if TYPE_CHECKING:
    from sfconnector_generated.client import Request

# https://developer.salesforce.com/docs/platform/platform-events/guide/platform-events-publish-api.html
_ENQUEUED: Final = "OPERATION_ENQUEUED"
_NAME: Final = re.compile(r"\w+(__e|(?<!Change)Event)", re.ASCII | re.IGNORECASE)


@attrs.frozen
class PublishResult(RecordResult[R], Generic[R]):
    """What came of publishing an event.

    That it was accepted means that it waits to be published; Salesforce says nothing further.

    Attributes:
        index: The position of the event in the input, counted from 0.
        record: What was handed in for it.
        id: The id of the event, which names no record.
        success: Whether it was accepted.
        errors: Why not, as Salesforce listed it.
        event_uuid: The id by which subscribers know it: :attr:`PlatformEvent.event_uuid`.
    """

    event_uuid: str | None = None


class PublishResults(RecordResults[R]):
    """The results of publishing many events, in the order of the events; see :class:`RecordResults`."""

    def __next__(self) -> PublishResult[R]:
        return cast("PublishResult[R]", super().__next__())


def check_event(event: object) -> str:
    """Refuse what is no platform event: a record would be created in its place.

    Raises:
        ValueError, TypeError: It is none.
    """
    name = check_name("the event", event)
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no platform event: their names end in __e, such as Order__e, or in Event")
    return name


def publish(session: Session, event: str, fields: Mapping[str, Any], timeout: Seconds) -> PublishResult[Any]:
    """Publish one event: never twice."""
    # An event may do without fields, unlike a record.
    request = create_record.build(check_event(event), body=encode(fields))
    response = send(session, request, timeout=timeout)
    saved = read(session, response, create_record.parse)
    check_saved(saved)
    if not saved.id:
        raise InvalidResponseError(response, "the answer lacks the id of the event")
    return PublishResult(0, fields, saved.id, True, True, (), _uuid(saved.errors))


def publish_many(session: Session, event: str, events: Iterable[R], how: Sending) -> PublishResults[R]:
    """Publish many events: none of them twice."""
    name = check_event(event)

    def build(contents: list[Any]) -> Request:
        return create_records.build(body=models.RecordsRequest(records=contents, all_or_none=False))

    preparing = Preparing(name, purpose="create")
    write = Write(f"publish_many of {name}", preparing.new, build, create_records.parse, creates=True, result=_result)
    return PublishResults(session, write, events, how)


def _result(row: Row, answer: Any, errors: tuple[ErrorDetail, ...]) -> RecordResult[Any]:
    success = answer.success
    known = () if success else errors
    uuid = _uuid(answer.errors) if success else None
    return PublishResult(row.position, row.record, answer.id or None, success, success, known, uuid)


def _uuid(errors: Iterable[models.SaveError]) -> str | None:
    """Find the event's id, which comes as the message of an error that is none."""
    return next((each.message for each in errors if each.status_code == _ENQUEUED), None)
