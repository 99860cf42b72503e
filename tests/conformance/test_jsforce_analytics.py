"""jsforce's analytics drives the local org's reports, and must see what Salesforce shows it."""

from collections.abc import Callable
from typing import Any

from sfconnector.testing import LocalOrg

Run = Callable[..., Any]


def test_reports(org: LocalOrg, jsforce: Run) -> None:
    matrix = org.add_report(
        "A matrix",
        "Opportunity",
        columns=["Name"],
        groupings_down=["StageName", "Account.Name"],
        groupings_across=[("CloseDate", "Month")],
        aggregates=["s!Amount", "RowCount"],
    )
    tabular = org.add_report("B tabular", "Opportunity", columns=["Name", "Amount"])
    seen = jsforce("analytics")

    assert seen["described"].keys() >= {"reportMetadata", "reportExtendedMetadata", "reportTypeMetadata"}
    assert seen["described"]["reportMetadata"]["id"] == matrix
    assert seen["described"]["reportTypeMetadata"]["categories"][0]["label"] == "Opportunity Information"

    executed, detailed = seen["executed"], seen["detailed"]
    assert (executed["hasDetailRows"], detailed["hasDetailRows"]) == (False, True)
    assert executed["attributes"]["type"] == "Report"
    assert executed["factMap"]["T!T"] == {
        "aggregates": [{"label": "$350.50", "value": 350.5}, {"label": "3", "value": 3}]
    }
    rows = {
        key: [row["dataCells"][0]["label"] for row in fact["rows"]]
        for key, fact in detailed["factMap"].items()
        if fact["rows"]
    }
    assert rows == {"0_0!0": ["One"], "1_0!1": ["Three"], "1_1!1": ["Two"]}
    won = detailed["groupingsDown"]["groupings"][1]
    assert [(group["label"], group["value"]) for group in won["groupings"]] == [("-", None), ("Acme", seen["account"])]

    (row,) = seen["filtered"]["factMap"]["T!T"]["rows"]
    assert [cell["label"] for cell in row["dataCells"]] == ["Two"]
    assert seen["explained"]["plans"][0]["sobjectType"] == "Opportunity"

    assert (seen["started"]["status"], seen["started"]["hasDetailRows"]) == ("New", True)
    assert [look["attributes"]["status"] for look in seen["looks"]] == ["Running", "Success", "Success"]
    assert seen["looks"][0].keys() == {"attributes"}
    assert seen["looks"][2]["factMap"] == detailed["factMap"]
    assert [(each["id"], each["status"]) for each in seen["instances"]] == [(seen["started"]["id"], "Success")]
    assert [(each["id"], each["status"]) for each in seen["backgroundEnd"]] == [(seen["background"]["id"], "Running")]

    cloned = seen["clone"]["reportMetadata"]
    assert (cloned["name"], cloned["detailColumns"]) == ("Cloned", ["OPPORTUNITY_NAME", "AMOUNT"])
    assert len(seen["clonedRun"]["factMap"]["T!T"]["rows"]) == 3
    assert {each["id"] for each in seen["recent"]} == {matrix, tabular, cloned["id"]}
    assert {each["id"] for each in seen["afterwards"]} == {matrix, tabular}
    refused = {name: outcome["error"] for name, outcome in seen["refused"].items()}
    assert {name: error["name"] for name, error in refused.items()} == {
        "gone": "NOT_FOUND",
        "cloneOfNothing": "BAD_REQUEST",
        "column": "BAD_REQUEST",
        "instance": "NOT_FOUND",
    }
    assert refused["gone"]["message"] == "The data you’re trying to access is unavailable."
    assert refused["column"]["message"] == "Specify a valid filterable column because NO is invalid."
