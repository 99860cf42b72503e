"""An org with deals to report on, and short ways to run reports over HTTP."""

from typing import Any

import attrs
import requests
from local_api import Api

Refusal = tuple[int, str, str]

UNAVAILABLE = (404, "NOT_FOUND", "The data you’re trying to access is unavailable.")
NO_METADATA = (
    400,
    "BAD_REQUEST",
    "The request is invalid because there is no metadata. Specify metadata in the request body.",
)
INCOMPLETE = (500, "INTERNAL_ERROR", "The request body is either invalid or incomplete.")

DEALS = [
    # name, account, stage, close date, amount, type
    ("Alpha", "Acme", "Prospecting", "2026-01-10", 1000, "New Customer"),
    ("Bravo", "Acme", "Closed Won", "2026-02-10", 2000.5, "Existing Customer - Upgrade"),
    ("Charlie", "Beta", "Prospecting", "2026-02-20", 3000, "Existing Customer - Upgrade"),
    ("Delta", "Beta", "Qualification", "2026-04-01", None, "New Customer"),
    ("Echo", None, "Closed Won", "2026-12-31", 5000, None),
]


@attrs.frozen
class Reports:
    """Reports of the org behind ``api``, on the deals above."""

    api: Api
    ids: dict[str, str]

    def add(self, name: str = "Deals", **options: Any) -> str:
        return self.api.org.add_report(name, "Opportunity", **options)

    def run(self, report_id: str, metadata: dict[str, Any] | None = None, **params: str) -> dict[str, Any]:
        path = f"analytics/reports/{report_id}"
        if metadata is None:
            response = self.api("GET", path, params=params)
        else:
            response = self.api("POST", path, params=params, json={"reportMetadata": metadata})
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def names(self, report_id: str, metadata: dict[str, Any] | None = None) -> list[str]:
        """The first cell of each row of a tabular report."""
        rows = self.run(report_id, metadata, includeDetails="true")["factMap"]["T!T"]["rows"]
        return [row["dataCells"][0]["label"] for row in rows]

    def refusal(self, report_id: str, metadata: Any) -> Refusal:
        return refusal(self.api("POST", f"analytics/reports/{report_id}", json={"reportMetadata": metadata}))


def make_reports(api: Api) -> Reports:
    ids = {name: api.create("Account", Name=name) for name in ("Acme", "Beta")}
    for name, account, stage, close_date, amount, kind in DEALS:
        values = {"Name": name, "StageName": stage, "CloseDate": close_date, "Amount": amount, "Type": kind}
        ids[name] = api.create("Opportunity", AccountId=ids.get(account or ""), **values)
    return Reports(api, ids)


def aggregates(answer: dict[str, Any]) -> dict[str, list[Any]]:
    """The values of the summaries by key of the fact map."""
    return {key: [each["value"] for each in fact["aggregates"]] for key, fact in answer["factMap"].items()}


def labels(groupings: dict[str, Any]) -> list[Any]:
    """Keys and labels of groups, inner ones in lists of their own."""
    return [
        (group["key"], group["label"], *([labels(group)] if group["groupings"] else []))
        for group in groupings["groupings"]
    ]


def refusal(response: requests.Response) -> Refusal:
    (error,) = response.json()
    return response.status_code, error["errorCode"], error["message"]
