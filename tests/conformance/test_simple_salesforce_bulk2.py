"""simple-salesforce loads and queries by Bulk API 2.0, and the org must hold what it was told."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceOperationError

from sfconnector.testing import LocalOrg

# It sleeps before it asks for the first time, and then longer each time.
AT_ONCE = {"wait": 0}
TEXTS = {"Ext__c": "E-1", "Name": "Zürich & Söhne, “GmbH”", "Description": 'line one\nline "two"', "Industry": "Energy"}


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def held(peer: Any, fields: str = "Name", where: str = "") -> list[dict[str, Any]]:
    """What the org holds, by a way that has nothing to do with bulk jobs."""
    found = peer.query_all(f"SELECT {fields} FROM Account {where} ORDER BY Ext__c")["records"]
    return [{name: value for name, value in each.items() if name != "attributes"} for each in found]


def totals(results: list[dict[str, Any]]) -> list[tuple[int, int, int]]:
    names = ("numberRecordsTotal", "numberRecordsProcessed", "numberRecordsFailed")
    return [tuple(each[name] for name in names) for each in results]  # type: ignore[misc]  # mypy forgets the length


@pytest.mark.parametrize("concurrency", [1, 3])
def test_inserts_in_several_jobs(peer: Any, concurrency: int) -> None:
    records = [TEXTS | {"Ext__c": f"E-{number:03}"} for number in range(450)]

    results = peer.bulk2.Account.insert(records=records, batch_size=200, concurrency=concurrency, **AT_ONCE)

    assert totals(results) == [(200, 200, 0), (200, 200, 0), (50, 50, 0)]
    assert held(peer, "Ext__c, Name, Description, Industry") == records
    ids = []
    for result in results:
        saved = rows(peer.bulk2.Account.get_successful_records(result["job_id"]))
        assert {each["sf__Created"] for each in saved} == {"true"}
        ids += [each["sf__Id"] for each in saved]
    assert sorted(ids) == sorted(each["Id"] for each in held(peer, "Id"))


def test_tells_records_that_failed_from_those_saved(peer: Any, tmp_path: Path) -> None:
    records = [{"Ext__c": "A", "Name": "one"}, {"Ext__c": "B", "Name": ""}, {"Ext__c": "A", "Name": "three"}]

    [result] = peer.bulk2.Account.insert(records=records, **AT_ONCE)

    assert totals([result]) == [(3, 3, 2)]
    told = peer.bulk2.Account.get_all_ingest_records(result["job_id"])
    assert [each["Name"] for each in told["successfulRecords"]] == ["one"]
    failed = {each["Name"]: each for each in told["failedRecords"]}
    assert failed[""] == {
        "sf__Id": "",
        "sf__Error": "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --",
        "Ext__c": "B",
        "Name": "",
    }
    assert failed["three"]["sf__Error"].startswith("DUPLICATE_VALUE:duplicate value found: Ext__c duplicates value")
    assert told["unprocessedRecords"] == []
    assert held(peer, "Ext__c, Name") == [{"Ext__c": "A", "Name": "one"}]
    peer.bulk2.Account.get_failed_records(result["job_id"], file=tmp_path / "failed.csv")
    assert {each["Name"] for each in rows((tmp_path / "failed.csv").read_text("utf-8"))} == {"", "three"}


@pytest.mark.parametrize("delimiter", ["COMMA", "TAB", "SEMICOLON", "PIPE", "CARET", "BACKQUOTE"])
@pytest.mark.parametrize("ending", ["LF", "CRLF"])
def test_every_delimiter_and_line_ending(peer: Any, delimiter: str, ending: str) -> None:
    options = {"column_delimiter": delimiter, "line_ending": ending, **AT_ONCE}
    record = {"Ext__c": "E", "Name": "a,b;c|d^e`f\tg"}

    peer.bulk2.Account.insert(records=[record], **options)

    assert held(peer, "Ext__c, Name") == [record]
    [page] = peer.bulk2.Account.query("SELECT Ext__c, Name FROM Account", **options)
    mark = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}[delimiter]
    end = {"LF": "\n", "CRLF": "\r\n"}[ending]
    assert page == f'"Ext__c"{mark}"Name"{end}"E"{mark}"a,b;c|d^e`f\tg"{end}'


def test_updates_upserts_and_deletes_from_files(peer: Any, tmp_path: Path) -> None:
    source = tmp_path / "rows.csv"
    source.write_text("Ext__c,Name,Industry\nA,one,Energy\nB,two,Energy\n", encoding="utf-8")
    peer.bulk2.Account.insert(csv_file=str(source), **AT_ONCE)
    ids = {each["Ext__c"]: each["Id"] for each in held(peer, "Id, Ext__c")}

    # An empty cell leaves a value as it is, and #N/A empties it.
    source.write_text(f"Id,Name,Industry\n{ids['A']},one again,\n{ids['B']},two again,#N/A\n", encoding="utf-8")
    updated = peer.bulk2.Account.update(csv_file=str(source), **AT_ONCE)
    assert totals(updated) == [(2, 2, 0)]
    assert held(peer, "Name, Industry") == [
        {"Name": "one again", "Industry": "Energy"},
        {"Name": "two again", "Industry": None},
    ]

    records = [{"Ext__c": "B", "Name": "two once more"}, {"Ext__c": "C", "Name": "three"}]
    [upserted] = peer.bulk2.Account.upsert(records=records, external_id_field="Ext__c", **AT_ONCE)
    told = rows(peer.bulk2.Account.get_successful_records(upserted["job_id"]))
    assert {each["Ext__c"]: each["sf__Created"] for each in told} == {"B": "false", "C": "true"}
    assert [each["Name"] for each in held(peer)] == ["one again", "two once more", "three"]

    [deleted] = peer.bulk2.Account.delete(records=[{"Id": ids["A"]}, {"Id": "001000000000000AAA"}], **AT_ONCE)
    assert totals([deleted]) == [(2, 2, 1)]
    [kept] = rows(peer.bulk2.Account.get_failed_records(deleted["job_id"]))
    assert (kept["sf__Id"], kept["Id"]) == ("001000000000000AAA", "001000000000000AAA")
    scanned = "SELECT Ext__c, IsDeleted FROM Account ORDER BY Ext__c"
    in_bin = [dict(each) for each in rows("".join(peer.bulk2.Account.query_all(scanned, **AT_ONCE)))]
    assert in_bin[0] == {"Ext__c": "A", "IsDeleted": "true"}

    peer.bulk2.Account.hard_delete(records=[{"Id": ids["B"]}], **AT_ONCE)
    assert [each["Ext__c"] for each in rows("".join(peer.bulk2.Account.query_all(scanned, **AT_ONCE)))] == ["A", "C"]


def test_queries_page_by_page(peer: Any, tmp_path: Path) -> None:
    records = [{"Ext__c": f"E-{number:03}", "Name": f'"{number}"\nof many, ü'} for number in range(250)]
    peer.bulk2.Account.insert(records=records, **AT_ONCE)
    soql = "SELECT Ext__c, Name FROM Account ORDER BY Ext__c"

    pages = list(peer.bulk2.Account.query(soql, max_records=100, **AT_ONCE))

    assert [len(rows(page)) for page in pages] == [100, 100, 50]
    assert [row for page in pages for row in rows(page)] == records
    downloaded = peer.bulk2.Account.download(soql, str(tmp_path), max_records=100, **AT_ONCE)
    assert [each["number_of_records"] for each in downloaded] == [100, 100, 50]
    files = [Path(each["file"]).read_bytes().decode() for each in downloaded]
    assert [row for text in files for row in rows(text)] == records


def test_waits_for_a_job(org: LocalOrg, peer: Any) -> None:
    org.bulk.hold()
    client = peer.bulk2.Account._client
    job_id = client.create_job("query", "SELECT Name FROM Account")["id"]
    assert client.get_job(job_id, True)["state"] == "UploadComplete"
    org.bulk.release()

    client.wait_for_job(job_id, True, 0.01)

    assert client.get_job(job_id, True)["numberRecordsProcessed"] == 0
    page = client.get_query_results(job_id)
    assert (page["locator"], page["number_of_records"], rows(page["records"])) == ("", 0, [])


def test_jobs_that_end_badly(org: LocalOrg, peer: Any) -> None:
    with pytest.raises(SalesforceOperationError, match="InvalidBatch : Field name not found : Nmae"):
        peer.bulk2.Account.insert(records=[{"Nmae": "x"}], **AT_ONCE)
    with pytest.raises(SalesforceMalformedRequest) as caught:
        list(peer.bulk2.Account.query("SELECT FROM Account", **AT_ONCE))
    assert caught.value.content[0]["errorCode"] == "MALFORMED_QUERY"
    assert held(peer) == []

    client = peer.bulk2.Account._client
    job_id = client.create_job("insert")["id"]
    assert client.abort_job(job_id, False)["state"] == "Aborted"
    with pytest.raises(SalesforceOperationError, match="Job failure"):
        client.wait_for_job(job_id, False, 0)
