"""jsforce loads and queries by Bulk API 2.0, and must see what Salesforce shows it."""

import re
from collections.abc import Callable
from typing import Any

from sfconnector.testing import LocalOrg

Run = Callable[..., Any]


def saved(results: Any, *names: str) -> list[tuple[str, ...]]:
    return [tuple(each[name] for name in names) for each in results["successfulResults"]]


def failed(results: Any, *names: str) -> list[tuple[str, ...]]:
    return [tuple(each[name] for name in names) for each in results["failedResults"]]


def test_loads_tell_each_record_that_was_saved_and_each_that_was_not(org: LocalOrg, jsforce: Run) -> None:
    seen = jsforce("bulk2")
    first, third = seen["ids"]["first"], seen["ids"]["third"]

    assert saved(seen["inserted"], "sf__Created", "Ext__c", "Description") == [
        ("true", "E-1", 'line one\nline "two"'),
        ("true", "E-3", ""),
    ]
    assert [row[:2] for row in failed(seen["inserted"], "sf__Id", "Ext__c")] == [("", "E-2"), ("", "E-1")]
    missing, duplicate = (each["sf__Error"] for each in seen["inserted"]["failedResults"])
    assert missing == "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"
    assert duplicate == (
        f"DUPLICATE_VALUE:duplicate value found: Ext__c duplicates value on record with id: {first[:15]}:--"
    )
    assert saved(seen["upserted"], "Ext__c", "sf__Created") == [("E-1", "false"), ("E-5", "true")]
    assert saved(seen["updated"], "sf__Id", "sf__Created", "Description") == [(first, "false", "#N/A")]
    assert failed(seen["updated"], "sf__Id", "Name") == [("001000000000000AAA", "nobody")]
    assert saved(seen["deleted"], "sf__Id", "sf__Created", "Id") == [(third, "false", third)]
    assert saved(seen["erased"], "sf__Id", "Id") == [(first, first)]
    for name in ("inserted", "upserted", "updated", "deleted", "erased"):
        assert seen[name]["unprocessedRecords"] == [], name


def test_queries_give_what_the_org_holds(jsforce: Run) -> None:
    seen = jsforce("bulk2")

    # An empty cell of an upsert leaves what is there, #N/A empties it.
    named = {each.pop("Name"): each for each in seen["read"]}
    ids = {name: each.pop("Id") for name, each in named.items()}
    assert named == {
        "First again": {"Description": "", "NumberOfEmployees": "7", "Industry": "Energy"},
        "Third": {"Description": "", "NumberOfEmployees": "", "Industry": ""},
        "Fifth": {"Description": "", "NumberOfEmployees": "", "Industry": ""},
    }
    assert (ids["First again"], ids["Third"]) == (seen["ids"]["first"], seen["ids"]["third"])
    assert seen["seen"] == ["Fifth", "First again"]
    assert seen["scanned"] == [
        {"Name": "Fifth", "IsDeleted": "false"},
        {"Name": "First again", "IsDeleted": "false"},
        {"Name": "Third", "IsDeleted": "true"},
    ]
    assert [each["Name"] for each in seen["left"]] == ["Fifth", "Third"]


def test_the_life_of_a_job(org: LocalOrg, jsforce: Run) -> None:
    seen = jsforce("bulk2")

    opened, closed, done = seen["opened"], seen["closed"], seen["done"]
    job_id = opened["id"]
    assert re.fullmatch(r"750\w{15}", job_id)
    common = {
        "id": job_id,
        "operation": "insert",
        "object": "Account",
        "createdById": org.user_id,
        "createdDate": opened["createdDate"],
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": 68.0,
    }
    assert opened == common | {
        "systemModstamp": opened["systemModstamp"],
        "state": "Open",
        "contentUrl": f"services/data/v68.0/jobs/ingest/{job_id}/batches",
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
    }
    assert closed == common | {"systemModstamp": closed["systemModstamp"], "state": "UploadComplete"}
    numbers = ("numberRecordsProcessed", "numberRecordsFailed", "retries")
    assert (done["state"], done["jobType"], *(done[name] for name in numbers)) == ("JobComplete", "V2Ingest", 1, 0, 0)
    assert re.fullmatch(r'"sf__Id","sf__Created",Name\n"001\w{15}","true","By hand"\n?', seen["raw"]["successful"])
    assert seen["raw"]["failed"].strip() == '"sf__Id","sf__Error",Name'
    assert seen["raw"]["unprocessed"].strip() == "Name"
    assert seen["stopped"]["state"] == "Aborted"
    queried = seen["queried"]
    assert (queried["state"], queried["jobType"], queried["operation"]) == ("JobComplete", "V2Query", "query")
    assert queried["numberRecordsProcessed"] == 2


def test_what_is_refused(jsforce: Run) -> None:
    refused = jsforce("bulk2")["refused"]

    assert not [name for name, each in refused.items() if "error" not in each]
    told = {name: (each["error"]["name"], each["error"]["message"]) for name, each in refused.items()}
    failure = "Ingest job failed to complete due to: "
    assert told["unknown_field"] == ("Error", f"{failure}InvalidBatch : Field name not found : Nmae")
    assert told["wrong_ending"] == (
        "Error",
        f"{failure}ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF",
    )
    assert told["open"][1].startswith("Job is still open.")
    assert {name: code for name, (code, _) in told.items() if code != "Error"} == {
        "unknown_object": "INVALIDJOB",
        "no_external_id": "INVALIDJOB",
        "deleted_job": "NOT_FOUND",
        "deleted_query": "NOT_FOUND",
        "upload_to_aborted": "INVALIDJOBSTATE",
        "malformed": "MALFORMED_QUERY",
        "aggregate": "API_ERROR",
    }
