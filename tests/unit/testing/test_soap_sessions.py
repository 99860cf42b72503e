"""Sessions, users and passwords by SOAP."""

import re
from datetime import datetime

import pytest
from local_api import Api
from soap_api import Fault, SoapApi, xml

REFUSED = "Invalid username, password, security token; or user locked out."


def credentials(soap: SoapApi) -> dict[str, str]:
    return {"username": soap.org.username, "password": soap.org.password + soap.org.security_token}


@pytest.mark.parametrize(("flavor", "segment"), [("partner", "u"), ("enterprise", "c")])
def test_a_login(soap: SoapApi, api: Api, flavor: str, segment: str) -> None:
    soap.flavor, soap.version, soap.token = flavor, "64.0", None
    (session,) = soap("login", **credentials(soap))
    organization = soap.org.organization_id[:15]
    assert session["serverUrl"] == f"{soap.org.url}/services/Soap/{segment}/64.0/{organization}"
    assert session["metadataServerUrl"] == f"{soap.org.url}/services/Soap/m/64.0/{organization}"
    assert (session["passwordExpired"], session["sandbox"]) == ("false", "false")
    assert session["userId"] == session["userInfo"]["userId"] == soap.org.user_id
    assert session["userInfo"]["organizationId"] == soap.org.organization_id
    # What it hands out is a session for SOAP and REST alike, and the address that it names serves.
    soap.token = session["sessionId"]
    assert soap("getUserInfo")[0] == session["userInfo"]
    api.http.headers["Authorization"] = f"Bearer {soap.token}"
    assert api("GET", "limits").status_code == 200
    response = soap.http.post(session["serverUrl"], data=soap.envelope("getUserInfo"), timeout=30)
    assert response.status_code == 200, response.text


def test_what_is_told_of_a_user(soap: SoapApi) -> None:
    (user,) = soap("getUserInfo")
    # All elements of the WSDL, in its order; the one that is left out is optional.
    assert list(user) == [
        "accessibilityMode",
        "chatterExternal",
        "currencySymbol",
        "orgAttachmentFileSizeLimit",
        "orgDefaultCurrencyIsoCode",
        "orgDefaultCurrencyLocale",
        "orgDisallowHtmlAttachments",
        "orgHasPersonAccounts",
        "organizationId",
        "organizationMultiCurrency",
        "organizationName",
        "profileId",
        "roleId",
        "sessionSecondsValid",
        "userDefaultCurrencyIsoCode",
        "userEmail",
        "userFullName",
        "userId",
        "userLanguage",
        "userLocale",
        "userName",
        "userTimeZone",
        "userType",
        "userUiSkin",
    ]
    assert (user["userName"], user["userFullName"]) == (soap.org.username, "Local Admin")
    assert (user["orgHasPersonAccounts"], user["sessionSecondsValid"]) == ("false", "7200")
    assert user["roleId"] is None


@pytest.mark.parametrize("version", ["65.0", "68.0"])
def test_logins_have_retired(soap: SoapApi, version: str) -> None:
    soap.version, soap.token = version, None
    assert soap.fault("login", **credentials(soap)) == Fault(
        500,
        "sf:INVALID_OPERATION",
        f"The SOAP Login operation is not available in the API version specified ({version}). Refer to the "
        "documentation for supported versions.",
        "UnexpectedErrorFault",
    )


@pytest.mark.parametrize(
    ("username", "password"),
    [("other@local-org.example", None), (None, "wrong"), (None, ""), ("", None), ("<&\"']]>", "ü🙂")],
)
def test_a_login_is_refused(soap: SoapApi, username: str | None, password: str | None) -> None:
    soap.version, soap.token = "64.0", None
    known = credentials(soap)
    given = {
        "username": known["username"] if username is None else username,
        "password": known["password"] if password is None else password,
    }
    assert soap.fault("login", **given) == Fault(500, "sf:INVALID_LOGIN", REFUSED, "LoginFault")


def test_a_login_without_the_security_token(soap: SoapApi) -> None:
    soap.version, soap.token = "64.0", None
    refused = soap.fault("login", username=soap.org.username, password=soap.org.password)
    assert (refused.code, refused.kind) == ("sf:LOGIN_MUST_USE_SECURITY_TOKEN", "LoginFault")
    assert refused.message.startswith(REFUSED)


def test_logins_are_small(soap: SoapApi) -> None:
    soap.version, soap.token = "64.0", None
    refused = soap.fault("login", username=soap.org.username, password="x" * 10_240)
    assert refused.code == "sf:EXCEEDED_MAX_SIZE_REQUEST"


def test_a_logout_ends_the_session(soap: SoapApi) -> None:
    assert soap("logout") == []
    refused = soap.fault("getUserInfo")
    assert (refused.code, refused.kind) == ("sf:INVALID_SESSION_ID", "UnexpectedErrorFault")
    assert refused.message.startswith("Invalid Session ID found in SessionHeader: Illegal Session. Session not found,")


@pytest.mark.parametrize("token", [None, "", "00D000000000000!unknown"])
def test_a_call_without_a_session(soap: SoapApi, token: str | None) -> None:
    soap.token = token
    refused = soap.fault("getServerTimestamp")
    assert (refused.status, refused.code) == (500, "sf:INVALID_SESSION_ID")
    assert refused.message.startswith("Invalid Session ID found in SessionHeader: Illegal Session")
    # Its hash is told, and never the token.
    assert not token or token not in refused.message


def test_a_session_ends_with_its_token(soap: SoapApi) -> None:
    soap.org.faults.expire_after(1)
    assert len(soap("getServerTimestamp")) == 1
    assert soap.fault("getServerTimestamp").code == "sf:INVALID_SESSION_ID"
    soap.token = soap.org.access_token()
    soap.org.faults.expire_tokens()
    assert soap.fault("getServerTimestamp").code == "sf:INVALID_SESSION_ID"


def test_the_time_is_told_in_utc(soap: SoapApi) -> None:
    soap.org.clock.freeze(datetime.fromisoformat("2031-05-17T23:59:58.987654+02:00"))
    soap.token = soap.org.access_token()
    assert soap("getServerTimestamp") == [{"timestamp": "2031-05-17T21:59:58.987Z"}]


def test_calls_count_against_the_daily_limit(soap: SoapApi, api: Api) -> None:
    response = soap.post(soap.envelope("getServerTimestamp"))
    (current,) = re.findall(
        rb"<current>(\d+)</current><limit>100000</limit><type>API REQUESTS</type>", response.content
    )
    assert int(current) == 1
    assert api("GET", "limits").json()["DailyApiRequests"] == {"Max": 100_000, "Remaining": 99_998}


def test_injected_refusals_are_faults(soap: SoapApi) -> None:
    soap.org.faults.limit_exceeded(path="/services/Soap/*")
    assert soap.fault("getUserInfo") == Fault(
        500, "sf:REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", "UnexpectedErrorFault"
    )
    soap.org.faults.unavailable(path="/services/Soap/*")
    assert soap.fault("getUserInfo") == Fault(503, "sf:SERVER_UNAVAILABLE", "Server too busy", "UnexpectedErrorFault")
    soap.flavor = "enterprise"
    soap.org.faults.error(500, "UNKNOWN_EXCEPTION", "<&>", path="/services/Soap/*")
    assert soap.fault("getUserInfo").message == "<&>"
    assert len(soap("getUserInfo")) == 1


def test_a_password_is_set_and_reset(soap: SoapApi) -> None:
    assert soap("setPassword", userId=soap.org.user_id, password="<newPassword>1&") == [{}]
    assert soap.org.password == "<newPassword>1&"
    (reset,) = soap("resetPassword", userId=soap.org.user_id[:15])
    assert soap.org.password == reset["password"]
    # A temporary password logs in, and then nothing may be done but to set another.
    soap.version, soap.token = "64.0", None
    (session,) = soap("login", **credentials(soap))
    assert session["passwordExpired"] == "true"
    soap.token = session["sessionId"]
    refused = soap.fault("getUserInfo")
    assert (refused.code, refused.kind) == ("sf:INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "UnexpectedErrorFault")
    soap("setPassword", userId=soap.org.user_id, password="another1Password")
    assert len(soap("getUserInfo")) == 1


def test_passwords_that_cannot_be_set(soap: SoapApi) -> None:
    assert soap.fault("setPassword", userId=soap.org.user_id, password="short1") == Fault(
        500,
        "sf:INVALID_NEW_PASSWORD",
        "Your password must be at least 8 characters long.",
        "InvalidNewPasswordFault",
    )
    unknown = soap.org.user_id[:8] + "9999999"
    for user_id in (unknown, "001Lo0000000001"):
        assert soap.fault("resetPassword", userId=user_id) == Fault(
            500, "sf:INVALID_ID_FIELD", "invalid user id", "InvalidIdFault"
        )
    assert soap.fault("resetPassword", userId="no id") == Fault(
        500, "sf:MALFORMED_ID", "bad id no id", "InvalidIdFault"
    )
    assert soap.fault("setPassword", xml(), user="x").message.endswith("user invalid at this location")
