"""From a generated request to its checked and parsed answer."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TYPE_CHECKING, Any, Final, TypeVar

import requests
from sfconnector_generated.client import Request
from sfconnector_generated.errors import ParseError
from sfconnector_generated.rest.api.sobjects import create_record

from sfconnector._answers import refusal
from sfconnector._results import SaveResult, error_details
from sfconnector._session import Seconds, Session, may_be_done
from sfconnector.errors import InvalidResponseError, RecordError

if TYPE_CHECKING:
    from sfconnector_generated.rest import models

T = TypeVar("T")


# Below this many characters no URL is too long, whatever escapes make of them and headers add.
_SURELY_SHORT: Final = 3_000
# 413 is what Salesforce answered in former years, and what some proxies answer.
_TOO_LONG: Final = frozenset({413, 414, 431})


def send(session: Session, request: Request, *, timeout: Seconds = None) -> requests.Response:
    """Send a request and raise unless the answer is a success; a read that is too long for a URL goes in a body."""
    is_read = request.method == "GET"
    response = None
    if is_read and sum(len(value) for _, value in request.params) > _SURELY_SHORT:
        from sfconnector import _long_reads

        if _long_reads.is_needed(session, request):
            response = _long_reads.send(session, request, timeout)
    if response is None:
        response = session.send(request, timeout=timeout)
        if is_read and response.status_code in _TOO_LONG:
            from sfconnector import _long_reads

            if _long_reads.is_possible(request):
                response = _long_reads.send(session, request, timeout)
    session.check(response)
    return response


def call(session: Session, request: Request, parse: Callable[[Any], T], *, timeout: Seconds = None) -> T:
    """Send a request and read its answer."""
    return read(session, send(session, request, timeout=timeout), parse)


def read(session: Session, response: requests.Response, parse: Callable[[Any], T]) -> T:
    """Read an answer.

    Raises:
        InvalidResponseError: The answer is not what the API documents.
    """
    data = session.decode(response)
    try:
        return parse(data)
    except ParseError as error:
        raise InvalidResponseError(response, str(error)) from error


def created(session: Session, response: requests.Response) -> SaveResult:
    """Read the answer to the creation of a record.

    Raises:
        RecordError: The answer is a success that says otherwise of the record.
        InvalidResponseError: The answer is not what the API documents.
    """
    saved = read(session, response, create_record.parse)
    check_saved(saved)
    if not saved.id:
        raise InvalidResponseError(response, "the answer lacks the id of the new record")
    return SaveResult(saved.id)


def check_saved(saved: models.SaveResult | models.UpsertResult) -> None:
    """Raise where the record failed although the answer has the status of a success."""
    if not saved.success:
        raise RecordError(error_details(saved.errors))


def check_empty(response: requests.Response) -> None:
    """Raise where something came that Salesforce does not send, such as the login page of a proxy."""
    if response.content:
        raise InvalidResponseError(
            response,
            "an empty answer was expected",
            hint="a proxy or a login page may have answered: look whether it was done",
        )


def delete(session: Session, request: Request, gone: Container[str], *, timeout: Seconds = None) -> None:
    """Send a request that deletes, where an earlier attempt may have done so and its answer have been lost.

    Args:
        session: Sends it.
        request: What to send.
        gone: The codes with which Salesforce says that it is deleted.
        timeout: Seconds instead of the session's own.
    """
    response = session.send(request, timeout=timeout)
    if may_be_done(response) and response.status_code == 404 and refusal(response).code in gone:
        return
    session.check(response)
    check_empty(response)
