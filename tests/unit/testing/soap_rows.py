"""What is in the local org, as REST tells it to tests of the SOAP API."""

from typing import Any

from local_api import Api


def get(api: Api, sobject: str, record_id: str) -> dict[str, Any]:
    response = api("GET", f"sobjects/{sobject}/{record_id}")
    assert response.status_code == 200, response.text
    return dict(response.json())


def query_all(api: Api, soql: str) -> list[dict[str, Any]]:
    return query(api, soql, "queryAll")


def deleted(api: Api, sobject: str) -> list[tuple[str, str | None]]:
    """The records in the recycle bin, each with the one into which it was merged."""
    rows = query_all(api, f"SELECT Id, MasterRecordId FROM {sobject} WHERE IsDeleted = true ORDER BY Id")
    return [(row["Id"], row["MasterRecordId"]) for row in rows]


def missing(record_id: str) -> str:
    return record_id[:8] + "9999999"


def query(api: Api, soql: str, resource: str = "query") -> list[dict[str, Any]]:
    response = api("GET", resource, params={"q": soql})
    assert response.status_code == 200, response.text
    records = response.json()["records"]
    return [{name: value for name, value in record.items() if name != "attributes"} for record in records]


def picked(record: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: record[name] for name in names}
