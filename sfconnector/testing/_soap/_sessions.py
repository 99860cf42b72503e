"""Sessions, users and their passwords.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_list_utility.htm
"""

import hmac
from collections.abc import Iterable
from typing import Any, Final

from sfconnector.testing._errors import OrgError
from sfconnector.testing._oauth import SCOPE
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._soap._arguments import check_known, record_id, string
from sfconnector.testing._soap._calls import Call, elements, result
from sfconnector.testing._soap._faults import INVALID_ID, LOGIN, UNFIT, SoapFault, translated
from sfconnector.testing._tokens import Session

# https://help.salesforce.com/s/articleView?id=005132110&type=1
_LAST_WITH_LOGIN: Final = 64
# As it was reported of a real org: https://github.com/forcedotcom/wsc/issues/363
_NO_LOGIN: Final = (
    "The SOAP Login operation is not available in the API version specified ({}). Refer to the documentation for "
    "supported versions."
)
_REFUSED: Final = "Invalid username, password, security token; or user locked out."
_TOKEN_NEEDED: Final = (
    f"{_REFUSED} Are you at a new location? When accessing Salesforce--either via a desktop client or the API--from "
    "outside of your company's trusted networks, you must add a security token to your password to log in."
)
_USER_FIELDS: Final = (
    "Id",
    "Username",
    "Name",
    "Email",
    "ProfileId",
    "UserRoleId",
    "LanguageLocaleKey",
    "LocaleSidKey",
    "TimeZoneSidKey",
    "UserType",
)
_ATTACHMENT_LIMIT: Final = 5_242_880


def login(runtime: Runtime, call: Call) -> Iterable[str]:
    """https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_login.htm"""
    if float(call.version) > _LAST_WITH_LOGIN:
        raise SoapFault("INVALID_OPERATION", _NO_LOGIN.format(call.version))
    check_known(call.arguments, ("username", "password"))
    known = runtime.credentials
    username, password = string(call.arguments, "username") or "", string(call.arguments, "password") or ""
    right_name = hmac.compare_digest(username.encode(), known.username.encode())
    if right_name and hmac.compare_digest(password.encode(), known.password.encode()):
        raise SoapFault("LOGIN_MUST_USE_SECURITY_TOKEN", _TOKEN_NEEDED, LOGIN)
    expected = known.password + known.security_token
    if not (right_name and hmac.compare_digest(password.encode(), expected.encode())):
        raise SoapFault("INVALID_LOGIN", _REFUSED, LOGIN)
    session = runtime.tokens.issue(known.client_id, SCOPE, by_password=True)
    organization = runtime.store.organization_id[:15]
    segment = "u" if call.flavor == "partner" else "c"
    soap = f"{runtime.url}/services/Soap"
    told = {
        "metadataServerUrl": f"{soap}/m/{call.version}/{organization}",
        "passwordExpired": runtime.passwords.is_expired(session.user_id),
        "sandbox": False,
        "serverUrl": f"{soap}/{segment}/{call.version}/{organization}",
        "sessionId": session.token,
        "userId": session.user_id,
    }
    return [result(elements(told), f"<userInfo>{elements(_user_info(runtime, call, session))}</userInfo>")]


def logout(runtime: Runtime, call: Call) -> Iterable[str]:
    """https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_logout.htm"""
    runtime.tokens.revoke(_session(call).token)
    return []


def user_info(runtime: Runtime, call: Call) -> Iterable[str]:
    """https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_getuserinfo.htm"""
    return [result(elements(_user_info(runtime, call, _session(call))))]


def server_timestamp(runtime: Runtime, call: Call) -> Iterable[str]:  # noqa: ARG001  # as its siblings
    """https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_getservertimestamp.htm"""
    now = runtime.clock()
    return [result(elements({"timestamp": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"}))]


def set_password(runtime: Runtime, call: Call) -> Iterable[str]:
    """https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_setpassword.htm"""
    check_known(call.arguments, ("userId", "password"))
    user = _user(runtime, call)
    try:
        runtime.passwords.set(user["Id"], user["Username"], string(call.arguments, "password") or "")
    except OrgError as error:
        raise translated(error, UNFIT) from error
    runtime.store.note_password_change(user["Id"], call.context)
    return ["<result/>"]


def reset_password(runtime: Runtime, call: Call) -> Iterable[str]:
    """https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_resetpassword.htm"""
    check_known(call.arguments, ("userId",))
    user = _user(runtime, call)
    password = runtime.passwords.reset(user["Id"])
    runtime.store.note_password_change(user["Id"], call.context)
    return [result(elements({"password": password}))]


def _user(runtime: Runtime, call: Call) -> dict[str, Any]:
    user_id = record_id(call.arguments, "userId", INVALID_ID)
    try:
        return runtime.store.get("User", user_id or "", ["Username"], call.context)
    except OrgError as error:
        raise SoapFault("INVALID_ID_FIELD", "invalid user id", INVALID_ID) from error


def _session(call: Call) -> Session:
    assert call.session is not None  # noqa: S101  # only a login has none
    return call.session


def _user_info(runtime: Runtime, call: Call, session: Session) -> dict[str, Any]:
    """What is told of a user, in the order of the WSDL."""
    store = runtime.store
    context = store.context()
    known = store.sobject("User").fields
    user = dict.fromkeys(_USER_FIELDS) | store.get(
        "User", session.user_id, [name for name in _USER_FIELDS if name in known], context
    )
    organization = store.get("Organization", store.organization_id, ["Name", "DefaultLocaleSidKey"], context)
    return {
        "accessibilityMode": False,
        # Seen in 41.0, and neither in 39.0 nor in the WSDL of 38.0.
        **({"chatterExternal": False} if call.since(40) else {}),
        "currencySymbol": "$",
        "orgAttachmentFileSizeLimit": _ATTACHMENT_LIMIT,
        "orgDefaultCurrencyIsoCode": "USD",
        "orgDefaultCurrencyLocale": organization["DefaultLocaleSidKey"],
        "orgDisallowHtmlAttachments": False,
        "orgHasPersonAccounts": False,
        "organizationId": store.organization_id,
        "organizationMultiCurrency": False,
        "organizationName": organization["Name"],
        "profileId": user["ProfileId"],
        "roleId": user["UserRoleId"],
        "sessionSecondsValid": int(runtime.tokens.lifetime),
        "userDefaultCurrencyIsoCode": None,
        "userEmail": user["Email"],
        "userFullName": user["Name"],
        "userId": user["Id"],
        "userLanguage": user["LanguageLocaleKey"],
        "userLocale": user["LocaleSidKey"],
        "userName": user["Username"],
        "userTimeZone": user["TimeZoneSidKey"],
        "userType": user["UserType"],
        "userUiSkin": "Theme3",
    }
