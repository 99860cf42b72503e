"""Query jobs of Bulk API 2.0 over the wire."""

from bulk_api import load, query, rows
from local_api import Api


def test_results_come_page_by_page(api: Api) -> None:
    load(api, "insert", "Account", "Name,NumberOfEmployees\n" + "".join(f"A{n},{n}\n" for n in range(5)))
    job_id = query(api, "SELECT name, NumberOfEmployees, Owner.IsActive FROM Account ORDER BY Name")
    path = f"jobs/query/{job_id}"
    info = api("GET", path).json()
    assert (info["state"], info["object"], info["numberRecordsProcessed"]) == ("JobComplete", "Account", 5)
    pages = []
    locator = None
    while locator != "null":
        response = api("GET", f"{path}/results", params={"maxRecords": 2, "locator": locator})
        locator = response.headers["Sforce-Locator"]
        pages.append(rows(response))
        assert response.headers["Sforce-NumberOfRecords"] == str(len(pages[-1]))
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [row for page in pages for row in page] == [
        {"Name": f"A{n}", "NumberOfEmployees": str(n), "Owner.IsActive": "true"} for n in range(5)
    ]
