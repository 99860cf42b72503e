"""The passwords of users."""

from __future__ import annotations

from sfconnector_generated.rest import models
from sfconnector_generated.rest.api.users import get_password_status, reset_password, set_password

from sfconnector._call import call, check_empty, send
from sfconnector._names import check_id
from sfconnector._session import Seconds, Session


class Users:
    """What can be done with the password of a user; made by :attr:`Salesforce.users`.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_user_password.htm
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def password_expired(self, user_id: str, *, timeout: Seconds = None) -> bool:
        """Tell whether a user's password has expired.

        Args:
            user_id: 15 or 18 characters.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The id is malformed.
            NotFoundError: There is no such user.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_user_password_get.htm

        Example:
            >>> sf.users.password_expired(user_id)
            False
        """
        request = get_password_status.build(check_id(user_id))
        return call(self._session, request, get_password_status.parse, timeout=timeout).is_expired

    def reset_password(self, user_id: str, *, timeout: Seconds = None) -> str:
        """Replace a user's password by one that Salesforce makes up, and return it; never repeated by itself.

        Args:
            user_id: 15 or 18 characters.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The id is malformed.
            ForbiddenError: The caller may not do this.
            TransportError: No answer came; the password may be another one by now.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_user_password_delete.htm

        Example:
            >>> password = sf.users.reset_password(user_id)
        """
        request = reset_password.build(check_id(user_id))
        return call(self._session, request, reset_password.parse, timeout=timeout).new_password

    def set_password(self, user_id: str, password: str, *, timeout: Seconds = None) -> None:
        """Give a user a password, which must meet the org's policy.

        Args:
            user_id: 15 or 18 characters.
            password: The new password.
            timeout: Seconds instead of the client's own.

        Raises:
            ValueError, TypeError: The id is malformed, or the password empty.
            BadRequestError: The password does not meet the policy, or was used before.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_user_password_post.htm

        Example:
            >>> sf.users.set_password(user_id, "correct-Horse-7-staple")
        """
        if not isinstance(password, str):
            raise TypeError(f"a password is a text, not a {type(password).__name__}")
        if not password:
            raise ValueError("the password is empty")
        request = set_password.build(check_id(user_id), body=models.NewPassword(new_password=password))
        check_empty(send(self._session, request, timeout=timeout))

    def __repr__(self) -> str:
        return "<Users>"
