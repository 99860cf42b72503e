"""The passwords of the org's users, and its password policy.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-user-password.html
https://help.salesforce.com/s/articleView?id=sf.admin_password.htm
"""

import secrets
import string
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import attrs

from sfconnector.testing._credentials import Credentials
from sfconnector.testing._errors import OrgError

# The policy of an org that nobody has changed.
_LIFETIME = timedelta(days=90)
_SHORTEST = 8
_REMEMBERED = 3
_ALPHABET = string.ascii_letters + string.digits


@attrs.define
class _Password:
    """The state of one user's password; ``former`` are those that must not come again, the present one included."""

    changed: datetime
    temporary: bool = False
    former: list[str] = attrs.field(factory=list, repr=False)


class Passwords:
    """Sets, resets and judges passwords; thread-safe.

    The administrator's are the ones with which the password flow of OAuth logs in, and with each change comes a new
    security token, as it would by e-mail: `Credentials` hold the present ones. The other users' are only remembered,
    because nobody logs in as them.
    """

    def __init__(self, credentials: Credentials, admin_user_id: str, clock: Callable[[], datetime]) -> None:
        self._credentials = credentials
        self._admin_user_id = admin_user_id
        self._clock = clock
        self._lock = threading.Lock()
        self._known = {admin_user_id: _Password(clock(), former=[credentials.password])}

    def is_expired(self, user_id: str) -> bool:
        """Tell whether the password is older than the policy allows, or a temporary one.

        A user who has no password yet has none that has expired.
        """
        with self._lock:
            known = self._known.get(user_id)
            return known is not None and (known.temporary or self._clock() - known.changed >= _LIFETIME)

    def set(self, user_id: str, username: str, password: str) -> None:
        """Set a password that the policy allows.

        Raises:
            OrgError: 400 ``INVALID_NEW_PASSWORD`` with what is wrong with it.
        """
        with self._lock:
            former = self._known[user_id].former if user_id in self._known else []
            wrong = _weakness(password, username) or ("invalid repeated password" if password in former else None)
            if wrong is not None:
                raise OrgError(400, "INVALID_NEW_PASSWORD", wrong)
            self._change(user_id, password, temporary=False)

    def reset(self, user_id: str) -> str:
        """Set a temporary password and return it."""
        # Never without a letter and a digit: it has to meet the policy too.
        password = "".join(secrets.choice(_ALPHABET) for _ in range(8)) + secrets.choice(string.ascii_letters) + "7"
        with self._lock:
            self._change(user_id, password, temporary=True)
        return password

    def _change(self, user_id: str, password: str, *, temporary: bool) -> None:
        former = self._known[user_id].former if user_id in self._known else []
        remembered = [*former, password][-_REMEMBERED:]
        self._known[user_id] = _Password(self._clock(), temporary, remembered)
        if user_id == self._admin_user_id:
            self._credentials.change_password(password)


def _weakness(password: str, username: str) -> str | None:
    if len(password) < _SHORTEST:
        return f"Your password must be at least {_SHORTEST} characters long."
    if not (any(char.isalpha() for char in password) and any(char.isdigit() for char in password)):
        return "Your password must have a mix of letters and numbers."
    if username.lower() in password.lower():
        return "Your password cannot equal or contain your user name."
    return None
