"""Passwords of users: expired or not, set, reset.

https://developer.salesforce.com/docs/platform/api-rest/guide/dome-sobject-user-password.html
"""

from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer, Call
from sfconnector.testing._runtime import Runtime


def get(runtime: Runtime, call: Call, user: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-user-password-get.html"""
    user_id, _ = _user(runtime, call, user)
    return Answer(body={"isExpired": runtime.passwords.is_expired(user_id)})


def set_password(runtime: Runtime, call: Call, user: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-user-password-post.html"""
    user_id, username = _user(runtime, call, user)
    password = call.json_object().get("NewPassword")
    if not isinstance(password, str) or not password:
        raise OrgError(400, "MISSING_ARGUMENT", "NewPassword not specified")
    runtime.passwords.set(user_id, username, password)
    runtime.store.note_password_change(user_id, call.context)
    return Answer(status=204)


def reset(runtime: Runtime, call: Call, user: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-user-password-delete.html"""
    user_id, _ = _user(runtime, call, user)
    password = runtime.passwords.reset(user_id)
    runtime.store.note_password_change(user_id, call.context)
    return Answer(body={"NewPassword": password})


def _user(runtime: Runtime, call: Call, user: str) -> tuple[str, str]:
    record = runtime.store.get("User", user, ["Id", "Username"], call.context)
    return record["Id"], record["Username"]
