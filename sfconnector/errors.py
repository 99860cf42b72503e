"""Everything that this package raises when Salesforce, or the way to it, says no.

::

    SalesforceError
    ├── AuthenticationError            the login was refused: which flow, the OAuth error, what to do
    ├── TransportError                 no answer came; .sent tells whether the request may have arrived
    │   └── TransportTimeoutError
    ├── ApiError                       an answer, and it was no
    │   ├── BadRequestError            400
    │   ├── SessionExpiredError        401
    │   ├── ForbiddenError             403
    │   │   └── LimitExceededError     REQUEST_LIMIT_EXCEEDED, 429
    │   ├── NotFoundError              404
    │   ├── MultipleMatchesError       300: several records have the external id
    │   ├── ConflictError              409, 412
    │   ├── ServerError                5xx
    │   └── InvalidResponseError       2xx, but not the body that the API documents
    ├── RecordError                    records inside a successful answer failed; .failures holds their results
    │   └── ActionError                a run of an invocable action failed; .results has those of all runs
    ├── JobError                       a job in the background ended badly; .job lets you carry on
    │   └── JobTimeoutError
    └── StreamError                    a listener or subscription has trouble, or has ended
        ├── ReplayExpiredError         the position is older than what Salesforce keeps; .position is what was lost
        ├── StreamTimeoutError         no connection in the time given
        ├── SubscriptionError          a channel was refused
        └── UnhandledEventError        an event came for which there is no handler; .event is the event

Input that cannot be right is a ``ValueError`` or ``TypeError`` before anything is sent.

Texts hold neither tokens nor bodies nor queries. All errors can be pickled; what holds a token or a
connection (``response``, ``job``) stays behind and is ``None`` afterwards.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

import attrs

from sfconnector._urls import short_path

if TYPE_CHECKING:
    import requests
    from sfconnector_generated.rest.models import ActionResult

__all__ = [
    "ActionError",
    "ApiError",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "DuplicateResult",
    "ErrorDetail",
    "Failure",
    "ForbiddenError",
    "InvalidResponseError",
    "JobError",
    "JobTimeoutError",
    "LimitExceededError",
    "MatchRecord",
    "MultipleMatchesError",
    "NotFoundError",
    "RecordError",
    "ReplayExpiredError",
    "SalesforceError",
    "ServerError",
    "SessionExpiredError",
    "StreamError",
    "StreamTimeoutError",
    "SubscriptionError",
    "TransportError",
    "TransportTimeoutError",
    "UnhandledEventError",
]

_EXCERPT_END: Final = "ERROR at Row:"
_CODES_SHOWN: Final = 3
_IDS_SHOWN: Final = 5


@attrs.frozen
class MatchRecord:
    """A record that a duplicate rule found.

    Attributes:
        sobject: The object that it is of.
        id: Its id.
        fields: Its fields, where ``DuplicateRule(include_record_details=True)`` asked for them; texts in SOAP API.
    """

    sobject: str
    id: str
    # Records are data, and errors end up in logs.
    fields: Mapping[str, Any] = attrs.field(factory=dict, eq=False, repr=False)


@attrs.frozen
class DuplicateResult:
    """What a duplicate rule found to be like the record that was to be saved.

    Attributes:
        rule: The name of the rule.
        allow_save: Whether ``DuplicateRule(allow_save=True)`` would save the record all the same.
        records: The records found.

    See Also:
        https://developer.salesforce.com/docs/platform/api/guide/sforce-api-objects-duplicateresult.html
    """

    rule: str
    allow_save: bool
    records: tuple[MatchRecord, ...] = ()


@attrs.frozen
class ErrorDetail:
    """One entry of Salesforce's error list.

    Attributes:
        code: Salesforce's code, such as ``"UNABLE_TO_LOCK_ROW"``; empty where the answer had none.
        message: Salesforce's text, in full.
        fields: API names of the fields concerned.
        duplicates: What a duplicate rule found, with the code ``DUPLICATES_DETECTED``; it is not told where REST saves
            many records at a time.
    """

    code: str
    message: str
    fields: tuple[str, ...] = ()
    # Hardly any has one, and its text tells the ids.
    duplicates: DuplicateResult | None = attrs.field(default=None, repr=False)

    def __str__(self) -> str:
        # Errors in a query quote the query before they say what is wrong, and queries hold data.
        message = " ".join(self.message[max(self.message.find(_EXCERPT_END), 0) :].split())
        text = f"{self.code}: {message}" if self.code and message else self.code or message
        if self.duplicates is not None and self.duplicates.records:
            ids = [record.id for record in self.duplicates.records]
            more = ["…"] * (len(ids) > _IDS_SHOWN)
            text = f"{text} ({self.duplicates.rule}: {', '.join(ids[:_IDS_SHOWN] + more)})"
        return f"{text} (fields: {', '.join(self.fields)})" if self.fields else text


class SalesforceError(Exception):
    """The root of the tree."""

    _left_behind: ClassVar[frozenset[str]] = frozenset()

    def __reduce__(self) -> tuple[Any, ...]:
        state = {name: value for name, value in self.__dict__.items() if name not in self._left_behind}
        return _revive, (type(self), self.args, state)


def _revive(cls: type[SalesforceError], args: tuple[Any, ...], state: dict[str, Any]) -> SalesforceError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error


class AuthenticationError(SalesforceError):
    """The login was refused.

    Attributes:
        flow: The strategy that was used, such as ``"ClientCredentials"``.
        error: The OAuth error, such as ``"invalid_grant"``; empty where there was none.
        description: What Salesforce or the Salesforce CLI said about it.
        status: The HTTP status, if it was an HTTP answer.
    """

    def __init__(
        self, flow: str, description: str, *, error: str = "", status: int | None = None, hint: str = ""
    ) -> None:
        self.flow, self.error, self.description, self.status = flow, error, description, status
        super().__init__(_sentences(f"{flow} login refused: {' '.join(filter(None, (error, description)))}", hint))


class Failure(enum.Enum):
    """How it came that there was no usable answer."""

    BUSY = "all connections are in use"
    CERTIFICATE = "the server's certificate is not trusted"
    CONNECT = "no connection"
    TIMEOUT = "no answer in time"
    CUT = "the connection broke"
    GARBLED = "the answer is not of the form that was asked for"


_NEVER_SENT: Final = {Failure.BUSY, Failure.CERTIFICATE, Failure.CONNECT}
_TRANSPORT_HINTS: Final = {
    Failure.BUSY: "close streamed answers when done with them, or raise max_connections",
    Failure.CERTIFICATE: "give the path of your CA bundle as verify=",
    Failure.CONNECT: "check host name, network and proxy",
}


class TransportError(SalesforceError):
    """No answer came, or not all of it.

    Attributes:
        failure: What happened.
        sent: False where the request provably never reached Salesforce, so that it may be sent again.
        method: The HTTP method.
        path: The path without the query.
    """

    def __init__(self, method: str, path: str, failure: Failure, detail: str) -> None:
        self.method, self.path, self.failure = method, path, failure
        hint = _TRANSPORT_HINTS.get(failure, "")
        if self.sent and method not in {"GET", "HEAD"}:
            hint = "the request may have arrived: look before sending it again"
        super().__init__(_sentences(f"{method} {path}: {failure.value}: {detail}", hint))

    @property
    def sent(self) -> bool:
        return self.failure not in _NEVER_SENT


class TransportTimeoutError(TransportError):
    """No connection, or no answer, within the time given."""


class ApiError(SalesforceError):
    """An answer came, and it was no.

    Attributes:
        status: The HTTP status.
        errors: What Salesforce listed, in its order.
        method: The HTTP method.
        path: The path without ``/services/data/vNN.N`` and without the query.
        request_id: Salesforce's id of the request, to be named to its support; ``None`` where it gave none.
        response: The answer itself; its request holds the token, so mind where it is stored.
    """

    _left_behind = frozenset({"response"})
    response: requests.Response | None = None

    def __init__(
        self, response: requests.Response, reason: str, *, errors: tuple[ErrorDetail, ...] = (), hint: str = ""
    ) -> None:
        self.response, self.status, self.errors = response, response.status_code, errors
        self.method, self.path = response.request.method or "", short_path(response.request.url or "")
        self.request_id = response.headers.get("X-SFDC-Request-Id")
        text = "; ".join(map(str, errors)) or reason
        super().__init__(_sentences(f"{self.method} {self.path}: {self.status} {text}", hint))

    @property
    def code(self) -> str:
        """The first code, or an empty text."""
        return self.errors[0].code if self.errors else ""


class BadRequestError(ApiError):
    """400: Salesforce cannot do this with this input."""


class SessionExpiredError(ApiError):
    """401: the token is not, or no longer, valid, and could not be renewed."""


class ForbiddenError(ApiError):
    """403: the user may not do this."""


class LimitExceededError(ForbiddenError):
    """A limit of the org is used up, or too many requests run at the same time."""


class NotFoundError(ApiError):
    """404: there is no such record, object or resource, or the user may not see it."""


class MultipleMatchesError(ApiError):
    """300: several records have the external id.

    Attributes:
        matches: The paths of the records.
    """

    matches: tuple[str, ...] = ()


class ConflictError(ApiError):
    """409 or 412: the state of the resource, or a condition in the request, forbids it."""


class ServerError(ApiError):
    """5xx: Salesforce failed."""


class InvalidResponseError(ApiError):
    """A success whose body is not what the API documents, such as broken JSON or a web page."""


class _Failed(Protocol):
    """The result of one of many that failed."""

    @property
    def errors(self) -> tuple[ErrorDetail, ...]: ...


class RecordError(SalesforceError):
    """One or more records inside a successful answer failed.

    Attributes:
        errors: What Salesforce listed for the record, or for the first of them.
        index: The position of that record in the input, counted from 0, where there is one.
        failures: The results of all that failed, where many were to be carried out; of bulk jobs, of the first 200.
        job: The handle of the bulk job or jobs; ``None`` where there was none.
    """

    _left_behind = frozenset({"job"})
    job: Any = None

    def __init__(
        self,
        errors: tuple[ErrorDetail, ...],
        *,
        index: int | None = None,
        what: str = "",
        failures: Sequence[_Failed] = (),
        of: int = 0,
        failed: int | None = None,
        job: Any = None,
    ) -> None:
        self.errors, self.index, self.failures, self.job = errors, index, tuple(failures), job
        kind = "requests" if what else "records"
        what = what or ("the record" if index is None else f"record {index}")
        text = f"{what} failed: {'; '.join(map(str, errors)) or 'Salesforce gave no reason'}"
        failed = len(failures) if failed is None else failed
        tally = _tally(failures) + (", …" if failed > len(failures) else "")
        super().__init__(f"{failed:,} of {of:,} {kind} failed, {tally}; {text}" if failures else text)

    @property
    def code(self) -> str:
        """The first code, or an empty text."""
        return self.errors[0].code if self.errors else ""


def _tally(failures: Sequence[_Failed]) -> str:
    """Count the codes, the most frequent first."""
    counts: dict[str, int] = {}
    for failure in failures:
        code = failure.errors[0].code if failure.errors else "no reason"
        counts[code] = counts.get(code, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    shown = [f"{count:,} × {code}" for code, count in ordered[:_CODES_SHOWN]]
    return ", ".join(shown + ["…"] * (len(ordered) > _CODES_SHOWN))


class ActionError(RecordError):
    """A run of an invocable action failed; others in the same request may have been carried out.

    Attributes:
        action: The path of the action below ``/actions``.
        results: The results of all runs, in the order of their inputs.
        index: The position of the first run that failed, counted from 0.
        errors: What Salesforce listed for it.
    """

    def __init__(
        self, action: str, results: tuple[ActionResult, ...], index: int, errors: tuple[ErrorDetail, ...]
    ) -> None:
        self.action, self.results, self.index, self.errors, self.failures = action, results, index, errors, ()
        failed = sum(not result.is_success for result in results)
        text = "; ".join(map(str, errors)) or "Salesforce gave no reason"
        where = f"run {index}" if failed == 1 else f"run {index} and {failed - 1} more"
        SalesforceError.__init__(self, f"{action}: {where} of {len(results)} failed: {text}")


class JobError(SalesforceError):
    """A job in the background, such as a run of a report, ended badly or has not ended.

    Attributes:
        job: The job's handle, with which to read its results or to carry on.
    """

    _left_behind = frozenset({"job"})
    job: Any = None

    def __init__(self, message: str, *, job: Any = None) -> None:
        self.job = job
        super().__init__(message)


class JobTimeoutError(JobError):
    """A job in the background did not end in the time given; it goes on at Salesforce."""


class StreamError(SalesforceError):
    """A listener or a subscription has trouble, or has ended.

    Attributes:
        channel: The channel concerned, such as ``"/data/AccountChangeEvent"``; empty where it is all of them.
    """

    def __init__(self, message: str, *, channel: str = "") -> None:
        self.channel = channel
        super().__init__(f"{channel}: {message}" if channel else message)


class ReplayExpiredError(StreamError):
    """Salesforce no longer keeps the event from which to go on: events may have been missed.

    Attributes:
        position: The replay id that Salesforce refused.
    """

    def __init__(self, message: str, *, channel: str = "", position: str | None = None) -> None:
        self.position = position
        super().__init__(message, channel=channel)


class StreamTimeoutError(StreamError):
    """There was no connection in the time given; the cause is the last failure, if there was one."""


class SubscriptionError(StreamError):
    """Salesforce refused the channel."""


class UnhandledEventError(StreamError):
    """An event came for which the handler has no method.

    Attributes:
        event: The event.
    """

    _left_behind = frozenset({"event"})
    event: Any = None

    def __init__(self, message: str, *, channel: str = "", event: Any = None) -> None:
        self.event = event
        super().__init__(message, channel=channel)


def _sentences(text: str, hint: str) -> str:
    return f"{text} — {hint}" if hint else text
