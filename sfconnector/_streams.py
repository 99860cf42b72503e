"""The methods of a client for events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from sfconnector._records import R
from sfconnector._results import MOST_BYTES, MOST_RECORDS
from sfconnector._session import Seconds, Session

if TYPE_CHECKING:
    from sfconnector._streaming.listener import Listener
    from sfconnector._streaming.policies import OnFailure
    from sfconnector._streaming.publishing import PublishResult, PublishResults
    from sfconnector._streaming.stores import Replay
    from sfconnector._streaming.subscription import Subscription


class Streams:
    """The part of a client that listens to the org and publishes events."""

    _session: Session

    def listener(
        self,
        *,
        name: str = "default",
        replay: Replay = None,
        replay_from: str | int = "latest",
        on_expired: Literal["earliest", "latest", "raise"] = "earliest",
        on_failure: OnFailure = "raise",
        on_error: Callable[[Exception], object] | None = None,
        queue_size: int = 1000,
    ) -> Listener:
        """Make a listener, which hands the events of any number of channels to handlers; nothing is sent yet.

        Args:
            name: Under which positions are kept. Listeners that run at the same time have names of their own.
            replay: Where positions are kept: the path of an SQLite file, a mapping of texts, or a
                :class:`ReplayStore`; by default in memory, so that they end with the process.
            replay_from: Where to begin without a position: ``"latest"`` for new events only, ``"earliest"`` for all
                that Salesforce retains, which are those of three days, or a replay id to go on after it.
            on_expired: Where to go on when Salesforce no longer retains the position: ``"earliest"``, ``"latest"``,
                or ``"raise"`` to end the listener. A :class:`ReplayExpiredError` is told in any case: events may be
                missing.
            on_failure: What happens to an event whose handler raises: ``"raise"`` ends the listener, so that the event
                comes again; ``"skip"`` goes on; :func:`streaming.retry` and :func:`streaming.dead_letter` do more.
            on_error: Called with each error that is not raised elsewhere, for channels whose handler has no
                ``on_error`` of its own. Without one they are logged.
            queue_size: Events of a channel that may wait for their handler before nothing more is fetched; one answer
                may go beyond it.

        Raises:
            ValueError, TypeError: An argument cannot be right, or the API version is below 37.0.

        See Also:
            https://developer.salesforce.com/docs/platform/api-streaming/guide/intro-stream.html
            https://developer.salesforce.com/docs/platform/change-data-capture/guide/cdc-intro.html

        Example:
            >>> listener = sf.listener(name="warehouse", replay=folder_path / "replay.db")
            >>> @listener.on("/data/AccountChangeEvent", "create", "update")
            ... def copy(event):
            ...     print(event.record_ids, event.fields)
        """
        from sfconnector._streaming.listener import Listener

        return Listener(
            self._session,
            name=name,
            replay=replay,
            replay_from=replay_from,
            on_expired=on_expired,
            on_failure=on_failure,
            on_error=on_error,
            queue_size=queue_size,
        )

    def subscribe(
        self,
        channel: str,
        *,
        replay: Replay = None,
        replay_from: str | int = "latest",
        name: str = "default",
        idle: float | None = None,
        on_expired: Literal["earliest", "latest", "raise"] = "earliest",
        on_error: Callable[[Exception], object] | None = None,
        queue_size: int = 1000,
        timeout: float = 30.0,
    ) -> Subscription:
        """Loop over the events of a channel; it connects when the first is asked for.

        An event counts as processed when the next one is asked for.

        Args:
            channel: Such as ``"/data/AccountChangeEvent"``, see :meth:`Listener.attach`.
            replay: Where the position is kept, as for :meth:`listener`.
            replay_from: Where to begin without a position, as for :meth:`listener`.
            name: Under which the position is kept.
            idle: Seconds without an event, while connected, after which the loop ends; by default it never does.
                More than Salesforce takes to begin an answer, from which a poll that is held cannot be told.
            on_expired: As for :meth:`listener`.
            on_error: As for :meth:`listener`.
            queue_size: As for :meth:`listener`.
            timeout: Seconds to connect; with ``idle`` also how long a lost connection is waited for.

        Raises:
            ValueError, TypeError: An argument cannot be right, or the API version is below 37.0.
            AuthenticationError, TransportError: While iterating: the login failed.
            SubscriptionError: While iterating: Salesforce refused the channel.
            StreamTimeoutError: While iterating: there was no connection in time.

        See Also:
            https://developer.salesforce.com/docs/platform/api-streaming/guide/intro-stream.html

        Example:
            >>> for event in sf.subscribe("/data/AccountChangeEvent", replay_from="earliest", idle=0.2):
            ...     print(type(event).__name__, event.channel)
            ChangeEvent /data/AccountChangeEvent
        """
        from sfconnector._streaming.subscription import Subscription

        return Subscription(
            self._session,
            channel,
            replay=replay,
            replay_from=replay_from,
            name=name,
            idle=idle,
            on_expired=on_expired,
            on_error=on_error,
            queue_size=queue_size,
            timeout=timeout,
        )

    def publish(self, event: str, fields: Mapping[str, Any], *, timeout: Seconds = None) -> PublishResult[Any]:
        """Publish a platform event; not repeated where it may have arrived.

        Args:
            event: The API name, such as ``"Order__e"``.
            fields: Field names and values.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The name is that of no platform event, or a value has no form in JSON.
            ApiError: Salesforce refused the event.
            RecordError: The answer is a success that says otherwise of the event.
            TransportError: No answer came; whether the event was published is not known.

        See Also:
            https://developer.salesforce.com/docs/platform/platform-events/guide/platform-events-publish-api.html

        Example:
            >>> sf.publish("Order__e", {"Sku__c": "X1"}).success
            True
        """
        from sfconnector._streaming.publishing import publish

        return publish(self._session, event, fields, timeout)

    def publish_many(
        self,
        event: str,
        events: Iterable[R],
        *,
        workers: int = 1,
        batch_size: int = MOST_RECORDS,
        max_bytes: int = MOST_BYTES,
        raise_on_failure: bool = True,
        timeout: Seconds = None,
    ) -> PublishResults[R]:
        """Publish platform events, 200 a call; they are sent as the results are iterated over.

        A call is not repeated where it may have arrived, so that no event is published twice. With several workers
        the calls are carried out in any order.

        Args:
            event: The API name, such as ``"Order__e"``.
            events: Any iterable of dicts of field names and values. It is read as far as the next calls need it.
            workers: How many calls may run at the same time.
            batch_size: Events a call at most, up to 200.
            max_bytes: Bytes a call at most.
            raise_on_failure: Raise :class:`RecordError` after the last result if any event was refused.
            timeout: Seconds for each call instead of the client's own.

        Raises:
            ValueError, TypeError: An argument cannot be right; while iterating, an event cannot be sent.
            RecordError: While iterating: events were refused, see ``raise_on_failure``.
            ApiError, TransportError: While iterating: a call failed as a whole, see :class:`RecordResults`.

        See Also:
            https://developer.salesforce.com/docs/platform/platform-events/guide/platform-events-publish-api.html

        Example:
            >>> [result.success for result in sf.publish_many("Order__e", [{"Sku__c": "X1"}, {"Sku__c": "X2"}])]
            [True, True]
        """
        from sfconnector._streaming.publishing import publish_many
        from sfconnector._writes import Sending

        how = Sending(False, workers, batch_size, max_bytes, raise_on_failure, timeout)
        return publish_many(self._session, event, events, how)
