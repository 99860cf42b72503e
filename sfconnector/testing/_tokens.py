"""The access and refresh tokens that the local org has handed out."""

import secrets
import string
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import attrs

_ALPHABET = string.ascii_letters + string.digits + "._"
_CROWD = 1_000


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


@attrs.define(eq=False)
class Session:
    """What an access token stands for."""

    token: str = attrs.field(repr=False)
    user_id: str
    client_id: str
    scope: str
    issued_at: datetime
    expires_at: datetime
    refresh_token: str | None = attrs.field(default=None, repr=False)
    by_password: bool = False
    uses: int = 0


@attrs.define(eq=False)
class _Refresh:
    client_id: str
    scope: str


class Tokens:
    """Issues tokens and tells which are still good; thread-safe.

    A token is good until it has not been used for ``lifetime``, as a Salesforce session is:
    https://help.salesforce.com/s/articleView?id=sf.admin_sessions.htm

    Args:
        organization_id: 15 or 18 characters; every access token begins with the first 15.
        user_id: 18-character id of the user whom every login reaches.
        clock: the time of the org.
        lifetime: seconds of idleness after which a token has expired.
    """

    def __init__(
        self, organization_id: str, user_id: str, clock: Callable[[], datetime], lifetime: float = 7200.0
    ) -> None:
        self.lifetime = lifetime
        self.rotate = False
        self._organization_id = organization_id
        self._user_id = user_id
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._refresh: dict[str, _Refresh] = {}
        # Tokens whose sessions do not end by idleness, because something is connected with them.
        self._held: Counter[str] = Counter()
        # Called when tokens have ended before their time.
        self.on_ended: list[Callable[[], None]] = []
        self._uses_until_expiry: int | None = None
        # Number of sessions at which those that have expired are forgotten.
        self._crowded = _CROWD

    def issue(
        self, client_id: str, scope: str, *, refresh_token: str | None = None, by_password: bool = False
    ) -> Session:
        """Hand out a new access token; ``by_password`` tells that the user gave a password for it."""
        now = self._clock()
        session = Session(
            token=f"{self._organization_id[:15]}!AQ{_random(94)}",
            user_id=self._user_id,
            client_id=client_id,
            scope=scope,
            issued_at=now,
            expires_at=now + timedelta(seconds=self.lifetime),
            refresh_token=refresh_token,
            by_password=by_password,
        )
        with self._lock:
            if len(self._sessions) >= self._crowded:
                self._sessions = {name: kept for name, kept in self._sessions.items() if self._is_good(kept, now)}
                self._crowded = max(_CROWD, 2 * len(self._sessions))
            self._sessions[session.token] = session
        return session

    def check(self, token: str) -> Session | None:
        """The session of a token that is good, which is thereby used once more; ``None`` otherwise."""
        now = self._clock()
        with self._lock:
            session = self._sessions.get(token)
            if session is None:
                return None
            spent = self._uses_until_expiry is not None and session.uses >= self._uses_until_expiry
            if spent or not self._is_good(session, now):
                del self._sessions[token]
                return None
            session.uses += 1
            session.expires_at = now + timedelta(seconds=self.lifetime)
            return session

    def peek(self, token: str) -> Session | None:
        """As ``check``, without counting as a use."""
        with self._lock:
            session = self._sessions.get(token)
            return session if session is not None and self._is_good(session, self._clock()) else None

    def hold(self, token: str) -> None:
        """Let a session not end by idleness while something is connected with it; may be done several times."""
        with self._lock:
            self._held[token] += 1

    def release(self, token: str) -> None:
        """Take back one `hold`; with the last, the session's idleness begins."""
        with self._lock:
            self._held[token] -= 1
            if self._held[token] <= 0:
                del self._held[token]
                session = self._sessions.get(token)
                if session is not None:
                    session.expires_at = self._clock() + timedelta(seconds=self.lifetime)

    def _is_good(self, session: Session, now: datetime) -> bool:
        return session.expires_at > now or session.token in self._held

    def issue_refresh(self, client_id: str, scope: str) -> str:
        token = f"5Aep861{_random(80)}"
        with self._lock:
            self._refresh[token] = _Refresh(client_id, scope)
        return token

    def redeem(self, refresh_token: str, client_id: str) -> tuple[Session, str | None] | None:
        """A new session for a refresh token and, where rotation is on, the token that takes its place.

        ``None`` for a token that is unknown, revoked, rotated away or another client's.
        """
        with self._lock:
            grant = self._refresh.get(refresh_token)
            if grant is None or grant.client_id != client_id:
                return None
            if self.rotate:
                del self._refresh[refresh_token]
        successor = self.issue_refresh(client_id, grant.scope) if self.rotate else None
        return self.issue(client_id, grant.scope, refresh_token=successor or refresh_token), successor

    def revoke(self, token: str) -> bool:
        """End an access token, or a refresh token with every access token that came from it."""
        with self._lock:
            if self._sessions.pop(token, None) is None:
                if self._refresh.pop(token, None) is None:
                    return False
                self._sessions = {
                    name: session for name, session in self._sessions.items() if session.refresh_token != token
                }
        self._tell()
        return True

    def expire_all(self) -> None:
        with self._lock:
            self._sessions.clear()
        self._tell()

    def _tell(self) -> None:
        for told in self.on_ended:
            told()

    def expire_after(self, requests: int | None) -> None:
        """Let every token, those already handed out included, serve only this many more requests."""
        with self._lock:
            self._uses_until_expiry = requests
            for session in self._sessions.values():
                session.uses = 0

    def revoke_refresh_tokens(self) -> None:
        with self._lock:
            self._refresh.clear()
