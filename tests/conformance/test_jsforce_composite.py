"""jsforce sends composite requests, and sees what Salesforce's documentation shows."""

import json
from collections.abc import Callable
from typing import Any

Run = Callable[..., Any]

ROLLED_BACK = {
    "errorCode": "PROCESSING_HALTED",
    "message": "The transaction was rolled back since another operation in the same transaction failed.",
}
NAME_MISSING = {
    "message": "Required fields are missing: [Name]",
    "errorCode": "REQUIRED_FIELD_MISSING",
    "fields": ["Name"],
}


def answer(reference_id: str | None, status: int, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
    return {"body": body, "httpHeaders": headers or {}, "httpStatusCode": status, "referenceId": reference_id}


def created(reference_id: str, sobject: str, record_id: str) -> dict[str, Any]:
    location = f"/services/data/v68.0/sobjects/{sobject}/{record_id}"
    return answer(reference_id, 201, {"id": record_id, "success": True, "errors": []}, {"Location": location})


def test_composite_requests(jsforce: Run) -> None:
    seen = jsforce("composite")

    assert seen["resources"] == {
        "tree": "/services/data/v68.0/composite/tree",
        "batch": "/services/data/v68.0/composite/batch",
        "sobjects": "/services/data/v68.0/composite/sobjects",
        "graph": "/services/data/v68.0/composite/graph",
    }

    account, contact, found, read = seen["chained"]["compositeResponse"]
    account_id, contact_id = account["body"]["id"], contact["body"]["id"]
    assert account == created("account", "Account", account_id)
    assert contact == created("contact", "Contact", contact_id)
    assert (found["httpStatusCode"], found["body"]["records"][0]["Id"]) == (200, account_id)
    assert (read["body"]["Id"], read["body"]["AccountId"]) == (contact_id, account_id)
    assert read["body"]["LastName"] == f"Of {account_id}"

    halted = {
        "errorCode": "PROCESSING_HALTED",
        "message": "Invalid reference specified. No value for bad.id found in bad. Provided referenceId ('bad.id') "
        "must start with a letter or a number, and it can contain only letters, numbers and underscores ('_').",
    }
    bad, child, good = seen["partial"]["compositeResponse"]
    assert bad == answer("bad", 400, [NAME_MISSING])
    assert child == answer("child", 400, [halted])
    assert good == created("good", "Account", good["body"]["id"])

    assert seen["rolledBack"] == {
        "compositeResponse": [answer("good", 400, [ROLLED_BACK]), answer("bad", 400, [NAME_MISSING])]
    }
    limit = {"errorCode": "LIMIT_EXCEEDED", "message": "The request can’t contain more than 25 operations."}
    assert seen["tooMany"] == {"compositeResponse": [answer(None, 400, [limit])]}

    assert seen["batch"] == {
        "hasErrors": True,
        "results": [
            {"statusCode": 201, "result": seen["batch"]["results"][0]["result"]},
            {
                "statusCode": 404,
                "result": [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}],
            },
            {
                "statusCode": 412,
                "result": [{"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per request"}],
            },
        ],
    }

    done, undone = seen["graphs"]["graphs"]
    assert (done["graphId"], done["isSuccessful"]) == ("1", True)
    assert [each["httpStatusCode"] for each in done["graphResponse"]["compositeResponse"]] == [201, 201]
    assert undone == {
        "graphId": "2",
        "graphResponse": {
            "compositeResponse": [answer("good", 400, [ROLLED_BACK]), answer("bad", 400, [NAME_MISSING])]
        },
        "isSuccessful": False,
    }

    assert seen["tree"]["hasErrors"] is False
    assert [each["referenceId"] for each in seen["tree"]["results"]] == ["ref1", "ref2"]
    # jsforce knows no error of this form, and so shows all of it.
    assert seen["felled"]["error"]["name"] == "ERROR_HTTP_400"
    missing = {"statusCode": "REQUIRED_FIELD_MISSING", "message": NAME_MISSING["message"], "fields": ["Name"]}
    assert json.loads(seen["felled"]["error"]["message"]) == {
        "hasErrors": True,
        "results": [{"referenceId": "ref1", "errors": [missing]}],
    }

    assert seen["throughUrl"]["error"]["name"] in ("ERROR_HTTP_414", "ERROR_HTTP_431")
    [through_body] = seen["throughBody"]["compositeResponse"]
    assert [record["Name"] for record in through_body["body"]["records"]] == ["Tree"]

    assert seen["accounts"] == ["Batched", "Chained", "Graph", "Graph's child", "Partial", "Tree"]
    assert (seen["many"], seen["gone"]) == (450, 450)
