"""The ways to write many records, each as the requests of its collection resource."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypedDict

import attrs
from sfconnector_generated.rest import models
from sfconnector_generated.rest.api.collections import create_records, delete_records, update_records, upsert_records

from sfconnector._collections import RecordResults, Sending, Write
from sfconnector._names import auto_assign_header
from sfconnector._records import D, R
from sfconnector._results import CallOptions, DuplicateRule, header
from sfconnector._rows import Preparing
from sfconnector._session import Session

if TYPE_CHECKING:
    from sfconnector_generated.client import Request


__all__ = ["Preparing", "Sending", "create", "delete", "headers", "update", "upsert"]


class Headers(TypedDict):
    sforce_auto_assign: str | None
    sforce_duplicate_rule_header: str | None
    sforce_call_options: str | None


def headers(
    auto_assign: bool | str | None, duplicate_rule: DuplicateRule | None, call_options: CallOptions | None
) -> Headers:
    """Write the options of a call as its headers."""
    return {
        "sforce_auto_assign": auto_assign_header(auto_assign),
        "sforce_duplicate_rule_header": header(duplicate_rule, DuplicateRule),
        "sforce_call_options": header(call_options, CallOptions),
    }


def create(
    session: Session, records: Iterable[R], preparing: Preparing, how: Sending, options: Headers
) -> RecordResults[R]:
    """Create records: never twice."""

    def build(contents: list[Any]) -> Request:
        return create_records.build(body=_body(contents, how), **options)

    write = Write(_name("create_many", preparing), preparing.new, build, create_records.parse, creates=True)
    return RecordResults(session, write, records, how)


def update(
    session: Session, records: Iterable[R], preparing: Preparing, how: Sending, options: Headers
) -> RecordResults[R]:
    """Change records by their ids."""

    def build(contents: list[Any]) -> Request:
        return update_records.build(body=_body([each.content for each in contents], how), **options)

    name = _name("update_many", preparing)
    write = Write(name, preparing.changed, build, update_records.parse, id_of=attrgetter("id"))
    return RecordResults(session, write, records, how)


def upsert(
    session: Session, records: Iterable[R], preparing: Preparing, how: Sending, options: Headers, *, field: str
) -> RecordResults[R]:
    """Create or change records by their external ids, as often as need be."""

    def build(contents: list[Any]) -> Request:
        request = upsert_records.build(preparing.sobject or "", field, body=_body(contents, how), **options)
        # Each record has an external id, without which the same call would create it once more.
        return attrs.evolve(request, idempotent=True)

    write = Write(_name("upsert_many", preparing), preparing.keyed(field), build, upsert_records.parse)
    return RecordResults(session, write, records, how)


def delete(
    session: Session, ids: Iterable[D], preparing: Preparing, how: Sending, call_options: CallOptions | None
) -> RecordResults[D]:
    """Delete records by their ids, as often as need be."""
    option = header(call_options, CallOptions)

    def build(contents: list[Any]) -> Request:
        return delete_records.build(ids=contents, all_or_none=how.all_or_none, sforce_call_options=option)

    name = _name("delete_many", preparing)
    parse, done_already = delete_records.parse, "ENTITY_IS_DELETED"
    write = Write(name, preparing.gone(), build, parse, done_already=done_already, id_of=str)
    return RecordResults(session, write, ids, how)


def _body(contents: list[Any], how: Sending) -> models.RecordsRequest:
    return models.RecordsRequest(records=contents, all_or_none=how.all_or_none)


def _name(method: str, preparing: Preparing) -> str:
    return method if preparing.sobject is None else f"{method} of {preparing.sobject}"
