"""What hooks are told."""

import attrs


@attrs.frozen
class RequestEvent:
    """A request is about to be sent.

    Attributes:
        operation: The name of the API operation, such as ``"create_record"``; ``"request"`` for
            :meth:`Salesforce.request`, ``"login"`` for token requests, and ``"handshake"``, ``"subscribe"``,
            ``"connect"`` and so on for what listeners send.
        method: The HTTP method.
        path: The path without ``/services/data/vNN.N`` and without the query.
        attempt: 1 for the first.
    """

    operation: str
    method: str
    path: str
    attempt: int


@attrs.frozen
class ResponseEvent:
    """An answer came, whatever it said.

    Attributes:
        request: The request.
        status: The HTTP status.
        elapsed: Seconds from sending to the end of the answer; to the end of its head where it is streamed.
        request_id: Salesforce's id of the request, where it gave one.
    """

    request: RequestEvent
    status: int
    elapsed: float
    request_id: str | None


@attrs.frozen
class RetryEvent:
    """A request is about to be repeated.

    Attributes:
        request: The attempt that failed.
        reason: Why, in words.
        delay: Seconds until the next attempt.
    """

    request: RequestEvent
    reason: str
    delay: float


@attrs.frozen
class RefreshEvent:
    """A login ended well.

    Attributes:
        flow: The name of the strategy, such as ``"JwtBearer"``.
        first: Whether it was the first login of this client.
        elapsed: Seconds that it took.
    """

    flow: str
    first: bool
    elapsed: float
