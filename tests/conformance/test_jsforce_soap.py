"""jsforce's SOAP client drives the local org: Salesforce has answered these calls in jsforce's own tests."""

import re
from collections.abc import Callable
from typing import Any

from sfconnector.testing import LocalOrg


def test_soap(org: LocalOrg, jsforce: Callable[..., Any]) -> None:
    seen = jsforce("soap", user_id=org.user_id)

    assert seen["login"] == {
        "userInfo": {
            "id": org.user_id,
            "organizationId": org.organization_id,
            "url": f"{org.url}/id/{org.organization_id}/{org.user_id}",
        },
        "instanceUrl": org.url,
        "username": org.username,
    }
    leads, single = seen["leads"], seen["single"]
    assert (single["success"], single["leadId"], single["errors"]) == (True, leads[0], [])
    assert re.fullmatch(r"001\w{15} 003\w{15} 006\w{15}", "{accountId} {contactId} {opportunityId}".format(**single))
    assert seen["kept"] == 'Söhne <0> & "Co"'
    there, nonsense, again = seen["several"]
    assert (there["success"], there["leadId"], there["accountId"]) == (True, leads[1], seen["account"])
    assert (there["contactId"], there["opportunityId"]) == (seen["contact"], None)
    assert [(result["success"], result["accountId"]) for result in (nonsense, again)] == [(False, None), (False, None)]
    assert [(error["statusCode"], error["message"]) for error in nonsense["errors"] + again["errors"]] == [
        ("INVALID_STATUS", "invalid convertedStatus: Nonsense"),
        ("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead"),
    ]
    assert nonsense["errors"][0]["fields"] == ["Status"]

    merged = seen["merged"]
    assert (merged["success"], merged["id"], merged["mergedRecordIds"]) == (True, leads[3], leads[4:])
    assert seen["master"] == {"Title": "Dr. & Co", "Email": None}
    (refused,) = seen["refusedMerge"]
    assert (refused["success"], refused["errors"][0]["statusCode"]) == (False, "ENTITY_IS_DELETED")
    back, there = seen["undeleted"]
    assert (back["success"], back["id"]) == (True, leads[4])
    assert (there["success"], there["errors"][0]["statusCode"]) == (False, "UNDELETE_FAILED")
    assert [(result["success"], result["id"]) for result in seen["emptied"]] == [(True, leads[5])]

    created, refused, updated, upserted, removed = seen["saved"]
    assert seen["written"] == {"Name": "By SOAP <&>", "Phone": None}
    assert (created["success"], updated["success"], updated["id"]) == (True, True, created["id"])
    assert (refused["success"], refused["errors"][0]["fields"]) == (False, ["Name"])
    assert (upserted["success"], upserted["created"]) == (True, True)
    assert (removed["success"], removed["id"]) == (True, created["id"])

    assert seen["refreshed"]["userName"] == org.username
    assert seen["refreshed"]["orgHasPersonAccounts"] is False
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", seen["timestamp"]["timestamp"])
    assert seen["reset"]["password"] == org.password


def test_refusals(org: LocalOrg, jsforce: Callable[..., Any]) -> None:
    refused = jsforce("soap", user_id=org.user_id)["refused"]
    seen = {name: (told["error"]["name"], told["error"]["message"]) for name, told in refused.items()}

    name, message = seen.pop("expired")
    assert name == "sf:INVALID_SESSION_ID"
    assert message.startswith("INVALID_SESSION_ID: Invalid Session ID found in SessionHeader: Illegal Session")
    assert seen == {
        "retired_login": (
            "Error",
            "INVALID_OPERATION: The SOAP Login operation is not available in the API version specified (65.0). Refer "
            "to the documentation for supported versions.",
        ),
        "wrong_password": (
            "Error",
            "INVALID_LOGIN: Invalid username, password, security token; or user locked out.",
        ),
        "malformed_id": ("sf:MALFORMED_ID", "MALFORMED_ID: bad id undefined"),
        "unmergeable": (
            "sf:INVALID_TYPE_FOR_OPERATION",
            "INVALID_TYPE_FOR_OPERATION: entity type does not support merge",
        ),
        "unknown_call": (
            "sf:FUNCTIONALITY_NOT_ENABLED",
            "FUNCTIONALITY_NOT_ENABLED: The local org does not support the SOAP call describeTabs.",
        ),
        "weak_password": (
            "sf:INVALID_NEW_PASSWORD",
            "INVALID_NEW_PASSWORD: Your password must be at least 8 characters long.",
        ),
    }
