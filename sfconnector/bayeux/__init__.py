"""A synchronous client of Bayeux 1.0 servers, such as CometD, by long polling.

One thread calls `Client.run`, which connects, delivers what comes, and connects anew when anything fails; any thread
may subscribe, unsubscribe and stop meanwhile::

    UNCONNECTED ──run──▶ HANDSHAKING ──agreed──▶ SUBSCRIBING ──first poll answered──▶ CONNECTED
                            ▲     │                   │                                 │    ▲ │
                            │     │ failure           │ failure                 failure │    └─┘ poll answered
                          delay   ▼                   ▼                                 │
                            └── WAITING ◀─────────────┴─────────────────────────────────┘

    from every state:  stop() ──▶ STOPPED;  the reaction to a failure is to give up, or a function of the
                       caller's raises ──▶ FAILED

A poll that failed is never sent again: its answer, and events with it, may be lost on the way. A new session is made
instead, and an extension can tell the server from where on to replay. For the same reason a command that got no
answer ends the session.

Polls, handshakes and the subscribes of a new session travel on one connection, commands of other threads while a
poll is held on another. Both share one set of cookies. Events may come with any answer, and are delivered by one
thread at a time, before the reply that they came with is looked at.

See Also:
    https://docs.cometd.org/current8/reference/#_bayeux

Example:
    >>> from sfconnector.bayeux import Backoff, Client, Transport
    >>> transport = Transport("https://cometd.example.com/cometd", headers=lambda: {"Authorization": "Bearer …"})
    >>> client = Client(transport, deliver=print, backoff=Backoff(first=0.5, cap=30.0))
"""

from sfconnector.bayeux._advice import Backoff, by_advice
from sfconnector.bayeux._client import Client
from sfconnector.bayeux._model import (
    AnswerError,
    BayeuxError,
    Extension,
    Failure,
    Message,
    Reaction,
    Stage,
    State,
    SubscriptionRefused,
)
from sfconnector.bayeux._transport import Transport

__all__ = [
    "AnswerError",
    "Backoff",
    "BayeuxError",
    "Client",
    "Extension",
    "Failure",
    "Message",
    "Reaction",
    "Stage",
    "State",
    "SubscriptionRefused",
    "Transport",
    "by_advice",
]
