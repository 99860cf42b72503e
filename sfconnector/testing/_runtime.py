"""The parts of a running org that its endpoints share."""

from datetime import datetime

import attrs

from sfconnector.testing._actions import Actions
from sfconnector.testing._apex import ApexClasses
from sfconnector.testing._bulk import Engine
from sfconnector.testing._clock import Clock
from sfconnector.testing._credentials import Credentials
from sfconnector.testing._faults import Faults
from sfconnector.testing._outbox import Outbox
from sfconnector.testing._passwords import Passwords
from sfconnector.testing._people import People
from sfconnector.testing._quick_actions import QuickActions
from sfconnector.testing._requests import RequestLog
from sfconnector.testing._soql import Cursors
from sfconnector.testing._store import Store
from sfconnector.testing._streaming._steering import StreamingSteering
from sfconnector.testing._tokens import Tokens
from sfconnector.testing._usage import Usage


@attrs.define(kw_only=True, eq=False)
class Runtime:
    """Everything behind the HTTP face; ``url`` is known once the server is bound.

    ``schema_changed_at`` answers conditional describes.
    """

    store: Store
    clock: Clock
    credentials: Credentials
    tokens: Tokens
    usage: Usage
    faults: Faults
    cursors: Cursors
    people: People
    passwords: Passwords
    bulk: Engine
    streaming: StreamingSteering
    apex: ApexClasses = attrs.field(factory=ApexClasses)
    actions: Actions = attrs.field(factory=Actions)
    quick_actions: QuickActions = attrs.field(factory=QuickActions)
    outbox: Outbox = attrs.field(factory=Outbox)
    requests: RequestLog = attrs.field(factory=RequestLog)
    url: str = ""
    schema_changed_at: datetime = attrs.field(
        default=attrs.Factory(lambda self: self.clock().replace(microsecond=0), takes_self=True)
    )
