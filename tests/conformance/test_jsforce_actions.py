"""jsforce calls Apex REST classes and actions, and reads layouts, as Salesforce's documentation shows them."""

import json
from collections.abc import Callable
from typing import Any

from sfconnector.testing import ApexRequest, LocalOrg

Run = Callable[..., Any]


def furnish(org: LocalOrg) -> None:
    @org.apex("/orders/v1/*")
    def order(request: ApexRequest) -> Any:
        if request.method == "DELETE":
            return None
        given = request.json() if request.body else None
        return {"number": request.segments[0], "method": request.method, "params": dict(request.params), "body": given}

    @org.apex("/hello", methods="GET")
    def hello(request: ApexRequest) -> str:
        raise ValueError("no greeting")

    @org.action("flow", "Ship_Order", inputs={"orderId": "STRING required"}, outputs=["tracking"])
    def ship(values: dict[str, Any]) -> dict[str, str]:
        return {"tracking": f"T-{values['orderId']}"}

    org.add_quick_action("CreateContact", sobject="Account", target="Contact", values={"LeadSource": "Web"})


def order_answer(method: str, params: dict[str, str], body: Any) -> dict[str, Any]:
    return {"number": "A-1", "method": method, "params": params, "body": body}


def test_apex_actions_and_layouts(org: LocalOrg, jsforce: Run) -> None:
    furnish(org)
    seen = jsforce("actions")

    identity = f"{org.url}/id/{org.organization_id}/{org.user_id}"
    assert (seen["identity"]["username"], seen["identity"]["id"]) == (org.username, identity)
    assert seen["userInfo"] == {"id": org.user_id, "organizationId": org.organization_id, "url": identity}

    assert seen["apex"] == {
        "get": order_answer("GET", {"full": "true"}, None),
        "post": order_answer("POST", {}, {"quantity": 2}),
        "put": order_answer("PUT", {}, {"quantity": 3}),
        "patch": order_answer("PATCH", {}, {"quantity": 4}),
        # jsforce's word for an empty body.
        "delete": "",
    }
    assert seen["usage"]["limit"] == 100_000

    assert seen["actions"]["custom"]["flow"] == "/services/data/v68.0/actions/custom/flow"
    assert (seen["actions"]["flow"]["type"], seen["actions"]["flow"]["standard"]) == ("FLOW", False)
    (result,) = seen["actions"]["run"]
    assert (result["actionName"], result["isSuccess"], result["errors"]) == ("Ship_Order", True, None)
    assert result["outputValues"] == {"tracking": "T-A-1", "Flow__InterviewStatus": "Finished"}

    check_quick_actions(seen["quick"], seen["account"])
    check_layouts(seen["layouts"])

    refused = {
        name: (outcome["error"]["name"], outcome["error"]["message"]) for name, outcome in seen["refused"].items()
    }
    assert refused["path"] == ("NOT_FOUND", "Could not find a match for URL")
    assert refused["verb"][0] == "METHOD_NOT_ALLOWED"
    assert refused["exception"][0] == "APEX_ERROR"
    assert refused["exception"][1].startswith("ValueError: no greeting\n\nClass.")
    assert refused["record"] == ("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]")
    for name in ("action", "layout"):
        assert refused[name] == ("NOT_FOUND", "The requested resource does not exist")
    # jsforce knows no list of results among its errors, and shows all of it.
    assert refused["input"][0] == "ERROR_HTTP_400"
    (failed,) = json.loads(refused["input"][1])
    assert failed["errors"][0]["message"] == "Missing required input parameter: orderId"


def check_quick_actions(quick: dict[str, Any], account: str) -> None:
    assert {"LogACall", "NewContact", "NewTask"} <= set(quick["global"])
    assert quick["own"] == ["Account.CreateContact", *quick["global"]]
    assert (quick["described"]["type"], quick["described"]["targetSobjectType"]) == ("Create", "Contact")
    assert quick["described"]["layout"]["layoutRows"]
    assert (quick["defaults"]["attributes"], quick["defaults"]["LeadSource"]) == ({"type": "Contact"}, "Web")
    assert quick["defaultsOnRecord"]["AccountId"] == account
    created = quick["created"]
    assert (created["success"], created["created"], created["contextId"], created["errors"]) == (
        True,
        True,
        account,
        [],
    )
    contact = quick["contact"]
    assert (contact["LastName"], contact["AccountId"], contact["LeadSource"]) == ("Smith", account, "Web")
    assert (quick["call"]["Subject"], quick["call"]["Status"]) == ("Call", "Completed")


def check_layouts(layouts: dict[str, Any]) -> None:
    (page,) = layouts["page"]["layouts"]
    assert layouts["cached"] == page["id"]
    assert {"buttonLayoutSection", "detailLayoutSections", "editLayoutSections", "relatedLists"} <= page.keys()
    assert layouts["several"]["layouts"] is None
    assert len(layouts["several"]["recordTypeMappings"]) == 3
    assert layouts["named"]["layouts"][0]["detailLayoutSections"]
    assert layouts["compact"]["recordTypeCompactLayoutMappings"][0]["compactLayoutName"] == "SYSTEM"
    assert layouts["approval"] == {"approvalLayouts": []}
