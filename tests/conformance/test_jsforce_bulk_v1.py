"""jsforce drives Bulk API 1.0 of the local org, in CSV and XML."""

from collections.abc import Callable
from typing import Any


def test_jobs_batches_and_results(jsforce: Callable[..., Any]) -> None:
    seen = jsforce("bulk_v1")

    first, refused, third = seen["inserted"]
    assert [(row["success"], row["created"]) for row in seen["inserted"]] == [
        (True, True),
        (False, False),
        (True, True),
    ]
    assert refused["id"] is None
    assert refused["errors"] == ["REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"]
    known, new = seen["upserted"]
    assert (known["id"], known["created"], new["created"]) == (first["id"], False, True)
    assert seen["updated"] == [{"id": third["id"], "success": True, "created": False, "errors": []}]
    assert seen["csv"][0]["success"]
    for name in ("deleted", "hardDeleted"):
        assert [row["success"] for row in seen[name]] == [True]

    assert [(row["Name"], row["NumberOfEmployees"]) for row in seen["found"]] == [
        ("A", "7"),
        ("B2", ""),
        ("D", ""),
        ("From text", ""),
    ]
    assert seen["found"][0]["CreatedDate"].endswith(".000Z")
    assert {row["Owner.Name"] for row in seen["found"]} == {"Local Admin"}
    assert seen["nothing"] == []
    assert [row["Name"] for row in seen["left"]] == ["A", "From text"]

    # What it makes of a list without batches; Salesforce's is as empty.
    assert seen["none"] == {"value": [None]}
    job_id = seen["opened"]["id"]
    assert (seen["batchInfo"]["state"], seen["batchInfo"]["jobId"]) == ("Queued", job_id)
    assert [row["success"] for row in seen["responses"]] == [True]
    assert [batch["id"] for batch in seen["listed"]] == [seen["checked"]["id"]] == [seen["batchInfo"]["id"]]
    assert (seen["checked"]["state"], seen["checked"]["numberRecordsProcessed"]) == ("Completed", "1")
    assert (seen["info"]["numberBatchesTotal"], seen["info"]["numberBatchesCompleted"]) == ("1", "1")
    assert [seen[name]["state"] for name in ("opened", "info", "closed", "aborted")] == [
        "Open",
        "Open",
        "Closed",
        "Aborted",
    ]

    assert seen["unknownField"]["error"]["message"] == "InvalidBatch : Field name not found : Nmae"
    assert seen["unknownObject"]["error"]["code"] == "InvalidJob"
    assert seen["malformed"]["error"]["message"].startswith("InvalidBatch : Failed to process query: INVALID_FIELD: ")
    assert [row["success"] for row in seen["renewed"]] == [True]
