"""Fault injection: what goes wrong between a client and Salesforce, on demand."""

import math
import threading
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

import attrs
import orjson

from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import HTML, JSON
from sfconnector.testing._tokens import Tokens

# The log-in and the org's own control resources fail only when they are named.
_SPARED = ("/services/oauth2/*", "/__local_org__/*")
_NO_STATUS = "{} is not the status of an answer; choose one from 200 to 599."
_LIMIT_TEXTS = {
    "daily": "TotalRequests Limit exceeded.",
    "concurrent": "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
}
_EDGE_PAGE = (
    "<!DOCTYPE html><html><head><title>Down for Maintenance</title></head>"
    "<body><h1>We are down for maintenance.</h1><p>Sorry for the inconvenience. We'll be back shortly.</p></body>"
    "</html>"
)


@attrs.frozen(kw_only=True)
class Effect:
    """What a fault does to one request.

    Args:
        status: answer with this status, ``headers`` and ``body`` instead of the org's own answer.
        delay: seconds by which the answer is held back.
        cut: the connection is cut; after ``cut_after`` bytes of the body, or before the first byte of the answer.
        broken_json: only the first half of the body is sent, as if it were all.
        applied: the org has carried the request out when the effect sets in.
        refusal: what ``body`` says in the form of the REST API; other APIs have other forms.
    """

    status: int | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = attrs.field(default=b"", repr=False)
    delay: float = 0.0
    cut: bool = False
    cut_after: int | None = None
    broken_json: bool = False
    applied: bool = False
    refusal: OrgError | None = attrs.field(default=None, repr=False)


@attrs.define(eq=False)
class Fault:
    """An armed fault; ``hits`` counts the requests it has met, ``times`` those it is still to meet (``None``: all)."""

    effect: Effect | None
    method: str | None
    path: str | None
    times: int | None
    hits: int = 0
    _met: threading.Event = attrs.field(factory=threading.Event, init=False, repr=False)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the fault has met a request; ``False`` if ``timeout`` seconds pass before."""
        return self._met.wait(timeout)

    def matches(self, method: str, path: str) -> bool:
        if self.times == 0 or (self.method is not None and self.method != method):
            return False
        if self.path is None:
            return not any(fnmatchcase(path, spared) for spared in _SPARED)
        return fnmatchcase(path, self.path)

    def hit(self) -> None:
        self.hits += 1
        if self.times is not None:
            self.times -= 1
        self._met.set()


class Faults:
    """Arms faults of the local org; thread-safe.

    Every method that returns a `Fault` takes the same choice of requests: ``method`` (``"POST"``), ``path`` (a glob
    over the path without the query, such as ``"*/sobjects/Account/*"``; without it every request but those of
    ``/services/oauth2`` is meant) and ``times`` (how many requests; ``None`` for all until `clear`). Of several armed
    faults the one armed first meets a request; no request meets two.

    Example:
        >>> from sfconnector.testing import LocalOrg
        >>> with LocalOrg() as org:
        ...     fault = org.faults.unavailable(times=2, retry_after=1)
        ...     fault.hits
        0
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._lock = threading.Lock()
        self._armed: list[Fault] = []
        self._row_locks: list[tuple[Fault, frozenset[str]]] = []
        self._failing_reports: list[tuple[Fault, frozenset[str]]] = []

    # What the server asks.

    def take(self, method: str, path: str) -> Effect | None:
        """The effect on this request, which uses it up."""
        if not self._armed:
            return None
        with self._lock:
            for fault in self._armed:
                if fault.matches(method, path):
                    fault.hit()
                    if fault.times == 0:
                        self._armed.remove(fault)
                    return fault.effect
        return None

    def check_row(self, method: str, path: str, record_id: str | None) -> None:
        """Refuse the write of a locked record.

        Raises:
            OrgError: ``UNABLE_TO_LOCK_ROW``.
        """
        if self._meet(self._row_locks, record_id or "", method, path):
            raise OrgError(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", fields=())

    def fails_report(self, report_id: str) -> bool:
        """Tell whether this background run of a report fails."""
        return self._meet(self._failing_reports, report_id, "POST", "")

    def _meet(self, armed: list[tuple[Fault, frozenset[str]]], record_id: str, method: str, path: str) -> bool:
        """Use up a fault that is armed for certain records."""
        if not armed:
            return False
        with self._lock:
            for entry in armed:
                fault, ids = entry
                if (ids and record_id[:15] not in ids) or not fault.matches(method, path):
                    continue
                fault.hit()
                if fault.times == 0:
                    armed.remove(entry)
                return True
        return False

    # What a test asks.

    @property
    def armed(self) -> tuple[Fault, ...]:
        """The faults that are still to come."""
        with self._lock:
            return (*self._armed, *(fault for fault, _ in (*self._row_locks, *self._failing_reports)))

    def clear(self) -> None:
        """Disarm everything, expiry after a number of requests and rotation included."""
        with self._lock:
            self._armed.clear()
            self._row_locks.clear()
            self._failing_reports.clear()
        self._tokens.expire_after(None)
        self._tokens.rotate = False

    def answer(
        self,
        status: int,
        body: Any = b"",
        *,
        media_type: str | None = None,
        headers: Mapping[str, str] | None = None,
        applied: bool = False,
        times: int | None = 1,
        method: str | None = None,
        path: str | None = None,
    ) -> Fault:
        """Answer with a status and a body of your own.

        Args:
            status: HTTP status.
            body: text or bytes (HTML unless ``media_type`` says otherwise), or JSON data.
            media_type: value of ``Content-Type``.
            headers: further headers.
            applied: whether the org carries the request out first.
            times: number of requests, ``None`` for all.
            method: HTTP method.
            path: glob over the path.

        Raises:
            ValueError: ``status`` is not an HTTP status, or ``times`` is below 1.
        """
        if not 200 <= status <= 599:
            raise ValueError(_NO_STATUS.format(status))
        if not all(isinstance(text, str) for header in (headers or {}).items() for text in header):
            raise TypeError(f"The names and values of headers are texts: {headers!r}.")
        if isinstance(body, str | bytes):
            content = body.encode() if isinstance(body, str) else body
            media_type = media_type or HTML
        else:
            content, media_type = orjson.dumps(body), media_type or JSON
        effect = Effect(
            status=status,
            headers={**(headers or {}), **({"Content-Type": media_type} if content else {})},
            body=content,
            applied=applied,
        )
        return self._arm(effect, times, method, path)

    def error(
        self,
        status: int,
        code: str,
        message: str,
        *,
        applied: bool = False,
        times: int | None = 1,
        method: str | None = None,
        path: str | None = None,
    ) -> Fault:
        """Answer with Salesforce's error list holding one code and message; Bulk API 1.0 and SOAP have others."""
        effect = _refusing(OrgError(status, code, message), applied=applied)
        return self._arm(effect, times, method, path)

    def unavailable(
        self,
        times: int | None = 1,
        *,
        retry_after: int | None = None,
        applied: bool = False,
        method: str | None = None,
        path: str | None = None,
    ) -> Fault:
        """Answer 503 ``SERVER_UNAVAILABLE``, with ``Retry-After`` seconds if given."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        effect = _refusing(OrgError(503, "SERVER_UNAVAILABLE", "Server too busy"), headers, applied=applied)
        return self._arm(effect, times, method, path)

    def html_error(
        self,
        status: int = 503,
        *,
        applied: bool = False,
        times: int | None = 1,
        method: str | None = None,
        path: str | None = None,
    ) -> Fault:
        """Answer with a page of HTML, as proxies and Salesforce's edge do."""
        return self.answer(status, _EDGE_PAGE, applied=applied, times=times, method=method, path=path)

    def limit_exceeded(
        self,
        kind: Literal["daily", "concurrent"] = "daily",
        *,
        times: int | None = 1,
        method: str | None = None,
        path: str | None = None,
    ) -> Fault:
        """Answer 403 ``REQUEST_LIMIT_EXCEEDED``; only the message tells the two kinds apart.

        Bulk API 1.0 says so by 400 ``ExceededQuota``, SOAP by a fault with the status 500.

        Raises:
            ValueError: ``kind`` is neither ``"daily"`` nor ``"concurrent"``.
        """
        if kind not in _LIMIT_TEXTS:
            raise ValueError(f"There is no {kind!r} limit; choose 'daily' or 'concurrent'.")
        return self.error(403, "REQUEST_LIMIT_EXCEEDED", _LIMIT_TEXTS[kind], times=times, method=method, path=path)

    def delay(
        self, seconds: float, *, times: int | None = 1, method: str | None = None, path: str | None = None
    ) -> Fault:
        """Carry the request out at once and hold the answer back, for longer than a client waits if need be."""
        if not 0 <= seconds < math.inf:
            raise ValueError(f"An answer cannot be delayed by {seconds} seconds.")
        return self._arm(Effect(delay=seconds, applied=True), times, method, path)

    def cut(
        self,
        after_bytes: int | None = None,
        *,
        applied: bool = False,
        times: int | None = 1,
        method: str | None = None,
        path: str | None = None,
    ) -> Fault:
        """Cut the connection.

        Args:
            after_bytes: bytes of the body that are still sent (the request has then been carried out); without it
                the connection ends before the first byte of an answer.
            applied: with ``after_bytes`` unset, whether the org carries the request out first: the client cannot
                tell the two apart.
            times: number of requests, ``None`` for all.
            method: HTTP method.
            path: glob over the path.
        """
        if after_bytes is not None and after_bytes < 0:
            raise ValueError(f"A connection cannot be cut after {after_bytes} bytes.")
        effect = Effect(cut=True, cut_after=after_bytes, applied=applied or after_bytes is not None)
        return self._arm(effect, times, method, path)

    def broken_json(self, *, times: int | None = 1, method: str | None = None, path: str | None = None) -> Fault:
        """Carry the request out and answer 200 with the first half of its JSON."""
        return self._arm(Effect(broken_json=True, applied=True), times, method, path)

    def lock_rows(
        self, *record_ids: str, times: int | None = 1, method: str | None = None, path: str | None = None
    ) -> Fault:
        """Refuse to write records with ``UNABLE_TO_LOCK_ROW``; ``times`` counts records, also inside a collection.

        Args:
            record_ids: 15- or 18-character ids of the locked records; any record if none is given.
            times: number of records, ``None`` for all.
            method: HTTP method.
            path: glob over the path.
        """
        fault = _fault(None, times, method, path)
        with self._lock:
            self._row_locks.append((fault, frozenset(record_id[:15] for record_id in record_ids)))
        return fault

    def fail_report_runs(self, *report_ids: str, times: int | None = 1) -> Fault:
        """Let background runs of reports end as ``Error``; ``times`` counts runs.

        Args:
            report_ids: 15- or 18-character ids of the reports; any report if none is given.
            times: number of runs, ``None`` for all.
        """
        fault = _fault(None, times, None, None)
        with self._lock:
            self._failing_reports.append((fault, frozenset(report_id[:15] for report_id in report_ids)))
        return fault

    def expire_tokens(self) -> None:
        """Let every access token handed out so far have expired; refresh tokens stay good."""
        self._tokens.expire_all()

    def expire_after(self, requests: int | None) -> None:
        """Let every access token, present and future, serve this many requests and then have expired."""
        if requests is not None and requests < 0:
            raise ValueError(f"A token cannot serve {requests} requests.")
        self._tokens.expire_after(requests)

    def rotate_refresh_tokens(self, enabled: bool = True) -> None:
        """Answer each use of a refresh token with a new one, the old one being good no more."""
        self._tokens.rotate = enabled

    def revoke_refresh_tokens(self) -> None:
        """Let every refresh token handed out so far be revoked; access tokens stay good."""
        self._tokens.revoke_refresh_tokens()

    def _arm(self, effect: Effect, times: int | None, method: str | None, path: str | None) -> Fault:
        fault = _fault(effect, times, method, path)
        with self._lock:
            self._armed.append(fault)
        return fault


def _refusing(error: OrgError, headers: Mapping[str, str] | None = None, *, applied: bool = False) -> Effect:
    if not 200 <= error.status <= 599:
        raise ValueError(_NO_STATUS.format(error.status))
    body = orjson.dumps([{"message": error.message, "errorCode": error.code}])
    return Effect(
        status=error.status,
        headers={**(headers or {}), "Content-Type": JSON},
        body=body,
        applied=applied,
        refusal=error,
    )


def _fault(effect: Effect | None, times: int | None, method: Any, path: Any) -> Fault:
    # Over HTTP anything may come; it is to fail here, and not with every request that is matched against it.
    if times is not None and times < 1:
        raise ValueError(f"A fault cannot happen {times} times; give 1 or more, or None for every request.")
    if not isinstance(method, str | None) or not isinstance(path, str | None):
        raise TypeError(f"Requests are chosen by the text of a method and of a path, not by {method!r} and {path!r}.")
    return Fault(effect, None if method is None else method.upper(), path, times)
