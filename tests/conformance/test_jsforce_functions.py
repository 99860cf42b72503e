"""jsforce searches, calls Apex and actions, and reads layouts, and sees what Salesforce's documentation shows."""

from collections.abc import Callable
from typing import Any

from sfconnector.testing import ApexRequest, LocalOrg

Run = Callable[..., Any]


def prepare(org: LocalOrg) -> None:
    """Register what the script calls."""

    @org.apex("/orders/v1/*")
    def orders(request: ApexRequest) -> Any:
        if request.method == "DELETE":
            return None
        sent = request.json() if request.body else None
        if request.method == "POST" and not sent["sku"]:
            raise ValueError("no sku")
        return {"method": request.method, "path": request.path, "params": dict(request.params), "sent": sent}

    @org.action("flow", "Greet", inputs={"name": "STRING required"}, outputs=["text"])
    def greet(values: dict[str, str]) -> dict[str, str]:
        if not values["name"]:
            raise ValueError("nobody to greet")
        return {"text": f"Hello {values['name']}"}


def test_searches_functions_and_layouts(jsforce: Run, org: LocalOrg) -> None:
    prepare(org)
    seen = jsforce("functions")

    [record] = seen["found"]["searchRecords"]
    assert (record["Id"], record["Name"]) == (seen["account"]["id"], "Acme Searchlight")
    assert record["attributes"]["type"] == "Account"
    assert seen["nothing"] == {"searchRecords": []}
    assert seen["malformed"]["error"]["code"] == "MALFORMED_SEARCH"

    assert seen["posted"] == {"method": "POST", "path": "/orders/v1", "params": {}, "sent": {"sku": "X1"}}
    assert seen["got"] == {"method": "GET", "path": "/orders/v1/X1", "params": {"full": "true"}, "sent": None}
    assert not seen["removed"]
    assert seen["unknown"]["error"]["code"] == "NOT_FOUND"
    assert seen["failing"]["error"]["code"] == "APEX_ERROR"

    assert "emailSimple" in {action["name"] for action in seen["actions"]["actions"]}
    [greeted] = seen["invoked"]
    assert (greeted["isSuccess"], greeted["outputValues"]["text"]) == (True, "Hello Marie")
    # jsforce takes a list of results, some of them failed, for several errors.
    assert seen["refused"]["error"]["code"] == "MULTIPLE_API_ERRORS"
    assert [result["isSuccess"] for result in seen["refused"]["error"]["data"]] == [True, False]

    assert {"LogACall", "NewTask"} <= {action["name"] for action in seen["quick"]}
    assert seen["quickOfAccount"]
    assert {"layouts", "recordTypeMappings", "recordTypeSelectorRequired"} <= seen["layouts"].keys()
    assert seen["compact"]["compactLayouts"]
    assert seen["approval"] == {"approvalLayouts": []}
