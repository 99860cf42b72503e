"""Listening to an org: events, where positions are kept, and what happens when a handler fails.

Listeners and subscriptions are made by :meth:`sfconnector.Salesforce.listener` and
:meth:`sfconnector.Salesforce.subscribe`.
"""

from sfconnector._streaming.events import (
    ChangeEvent,
    Event,
    GapEvent,
    GenericEvent,
    PlatformEvent,
    PushTopicEvent,
    decode,
)
from sfconnector._streaming.health import ChannelHealth, Health
from sfconnector._streaming.listener import Listener
from sfconnector._streaming.policies import DeadLetter, OnFailure, Retry, dead_letter, retry
from sfconnector._streaming.publishing import PublishResult, PublishResults
from sfconnector._streaming.stores import (
    FileReplayStore,
    MappingReplayStore,
    MemoryReplayStore,
    ReplayKey,
    ReplayStore,
)
from sfconnector._streaming.subscription import Subscription

__all__ = [
    "ChangeEvent",
    "ChannelHealth",
    "DeadLetter",
    "Event",
    "FileReplayStore",
    "GapEvent",
    "GenericEvent",
    "Health",
    "Listener",
    "MappingReplayStore",
    "MemoryReplayStore",
    "OnFailure",
    "PlatformEvent",
    "PublishResult",
    "PublishResults",
    "PushTopicEvent",
    "ReplayKey",
    "ReplayStore",
    "Retry",
    "Subscription",
    "dead_letter",
    "decode",
    "retry",
]
