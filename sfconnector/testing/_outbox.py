"""What the org has sent: a test reads it in place of a mailbox, a feed and a bell."""

import threading
from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Email:
    """An e-mail that an action has sent; ``values`` are all the inputs of the action."""

    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    subject: str
    body: str
    values: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class ChatterPost:
    """A post in the feed of a user, a group or a record."""

    id: str
    parent_id: str
    text: str


@attrs.frozen(kw_only=True)
class Notification:
    """A custom notification."""

    recipient_ids: tuple[str, ...]
    title: str
    body: str
    target: str


class Outbox:
    """Everything sent so far, oldest first; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._emails: list[Email] = []
        self._posts: list[ChatterPost] = []
        self._notifications: list[Notification] = []

    @property
    def emails(self) -> list[Email]:
        with self._lock:
            return list(self._emails)

    @property
    def posts(self) -> list[ChatterPost]:
        with self._lock:
            return list(self._posts)

    @property
    def notifications(self) -> list[Notification]:
        with self._lock:
            return list(self._notifications)

    def send(self, sent: Email | ChatterPost | Notification) -> None:
        with self._lock:
            if isinstance(sent, Email):
                self._emails.append(sent)
            elif isinstance(sent, ChatterPost):
                self._posts.append(sent)
            else:
                self._notifications.append(sent)

    def clear(self) -> None:
        """Forget what has been sent so far."""
        with self._lock:
            self._emails.clear()
            self._posts.clear()
            self._notifications.clear()

    def __repr__(self) -> str:
        return (
            f"<Outbox of {len(self.emails)} e-mails, {len(self.posts)} posts, {len(self.notifications)} notifications>"
        )
