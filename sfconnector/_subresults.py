"""What came of requests that went out together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar, overload

import attrs
import requests
from sfconnector_generated.errors import ParseError

from sfconnector._answers import listed
from sfconnector._subrequests import Subrequest
from sfconnector._urls import short_path
from sfconnector.errors import ErrorDetail, InvalidResponseError, RecordError

T = TypeVar("T")

# With these codes Salesforce marks what was not carried out, or taken back, because something else failed.
_CONSEQUENCES: Final = frozenset({"PROCESSING_HALTED", "BATCH_PROCESSING_HALTED", "ALL_OR_NONE_OPERATION_ROLLED_BACK"})


@attrs.frozen
class Subresult(Generic[T]):
    """The answer to one of several requests.

    Attributes:
        subrequest: The request.
        status: The HTTP status.
        errors: What Salesforce listed; empty where it succeeded.
        headers: The answer's own headers, such as ``Location``.
        body: The decoded body, as it came.
        taken_back: Whether it answers with a success that was taken back because another request failed.
    """

    subrequest: Subrequest[T]
    status: int
    errors: tuple[ErrorDetail, ...] = ()
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: Any = attrs.field(default=None, repr=False)
    taken_back: bool = False

    @property
    def success(self) -> bool:
        """Whether the request was carried out; "not modified" is a success of a conditional read."""
        return self.status < 400 and self.status != 300 and not self.taken_back

    @property
    def halted(self) -> bool:
        """Whether it failed only because another one did."""
        consequence = bool(self.errors) and all(error.code in _CONSEQUENCES for error in self.errors)
        return self.taken_back or (consequence and not self.success)

    @property
    def what(self) -> str:
        """The request in words: its name, its method and its path."""
        sent = self.subrequest
        name = f"{sent.reference_id} ({sent.request.method} {short_path(sent.url)})"
        return f"{name}, taken back because another request failed," if self.taken_back else name

    def __str__(self) -> str:
        reasons = "; ".join(map(str, self.errors)) or f"HTTP status {self.status}"
        return self.what if self.success else f"{self.what}: {reasons}"


class Subresults(Sequence[Subresult[Any]]):
    """The answers to requests that went out together, in their order; a subrequest is the key to its value."""

    def __init__(self, response: requests.Response, results: Sequence[Subresult[Any]]) -> None:
        self._response = response
        self._results = tuple(results)
        self._by_subrequest = {id(result.subrequest): result for result in self._results}

    @overload
    def __getitem__(self, key: Subrequest[T]) -> T: ...
    @overload
    def __getitem__(self, key: int) -> Subresult[Any]: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[Subresult[Any]]: ...
    def __getitem__(self, key: Any) -> Any:
        """Give the answer to a subrequest as its verb promises, or the results at a position or slice.

        Raises:
            RecordError: That subrequest failed.
            KeyError: It is none of this call's.
        """
        if not isinstance(key, Subrequest):
            return self._results[key]
        result = self.result(key)
        if not result.success:
            raise RecordError(result.errors, what=result.what)
        try:
            return key.parse(result.body)
        except ParseError as error:
            raise InvalidResponseError(self._response, f"{key.reference_id}: {error}") from error

    def result(self, subrequest: Subrequest[T]) -> Subresult[T]:
        """Give the answer to a subrequest, whatever it says.

        Raises:
            KeyError: It is none of this call's.
        """
        if (result := self._by_subrequest.get(id(subrequest))) is None:
            raise KeyError(f"{subrequest!r} is no subrequest of this call")
        return result

    @property
    def failures(self) -> tuple[Subresult[Any], ...]:
        """The answers that are no success, the ones that made others fail first."""
        failed = [result for result in self._results if not result.success]
        return tuple(sorted(failed, key=lambda result: result.halted))

    def __len__(self) -> int:
        return len(self._results)

    def __iter__(self) -> Iterator[Subresult[Any]]:
        return iter(self._results)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self)} answers, {len(self.failures)} of them failures>"

    def check(self) -> None:
        """Raise where one of the answers is no success.

        Raises:
            RecordError: It names the first that failed of itself; ``failures`` holds them all.
        """
        if failures := self.failures:
            raise RecordError(failures[0].errors, what=failures[0].what, failures=failures, of=len(self))


def result_of(
    subrequest: Subrequest[T], status: int, body: Any, headers: Mapping[str, str] | None = None
) -> Subresult[T]:
    """Make the result of a subrequest from its part of the answer."""
    failed = status >= 400 or status == 300
    return Subresult(subrequest, status, tuple(listed(body)) if failed else (), headers or {}, body)
