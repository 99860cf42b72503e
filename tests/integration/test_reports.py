"""Reports."""

from collections.abc import Iterator

import pytest
from sfconnector_generated.rest.api.reports import create_report
from sfconnector_generated.rest.models import ReportRequest

from integration.conftest import Create
from sfconnector import Salesforce
from sfconnector.errors import NotFoundError

pytestmark = [pytest.mark.vcr, pytest.mark.block_network]


@pytest.fixture
def report_id(sf: Salesforce, create: Create, tag: str) -> Iterator[str]:
    """A report of the accounts of this run, by industry."""
    for name, industry in (("one", "Energy"), ("two", "Energy"), ("three", "Retail")):
        create("Account", {"Name": f"{tag} {name}", "Industry": industry, "BillingPostalCode": "00501"})
    metadata = {
        "name": f"{tag} accounts",
        "reportType": {"type": "AccountList"},
        "reportFormat": "SUMMARY",
        "detailColumns": ["ACCOUNT.NAME", "ADDRESS1_ZIP"],
        "groupingsDown": [{"name": "INDUSTRY", "sortOrder": "Asc", "dateGranularity": "None"}],
        "reportFilters": [{"column": "ACCOUNT.NAME", "operator": "startsWith", "value": tag}],
        "scope": "organization",
        "standardDateFilter": {"column": "CREATED_DATE", "durationValue": "CUSTOM"},
    }
    created = create_report.sync(client=sf.api, body=ReportRequest(report_metadata=metadata))
    report_id = created.report_metadata.id
    assert isinstance(report_id, str)
    yield report_id
    sf.reports.delete(report_id)


def test_gives_rows_summaries_and_tables(sf: Salesforce, report_id: str, tag: str) -> None:
    result = sf.reports.run(report_id)
    assert result.all_data
    assert sorted(tuple(row.values()) for row in result.rows()) == [
        ("Energy", f"{tag} one", "00501"),
        ("Energy", f"{tag} two", "00501"),
        ("Retail", f"{tag} three", "00501"),
    ]
    counts = {tuple(summary.groups.values()): summary.values["RowCount"] for summary in result.summaries()}
    assert counts == {(): 3, ("Energy",): 2, ("Retail",): 1}
    assert result.to_arrow().column("ADDRESS1_ZIP").to_pylist() == ["00501"] * 3


def test_runs_with_other_filters_and_columns(sf: Salesforce, report_id: str, tag: str) -> None:
    filters = [("ACCOUNT.NAME", "equals", [f"{tag} one", f"{tag} three"])]
    result = sf.reports.run(report_id, filters=filters, columns=["ACCOUNT.NAME"])
    assert [column.name for column in result.columns] == ["INDUSTRY", "ACCOUNT.NAME"]
    assert sorted(row["ACCOUNT.NAME"] for row in result.rows()) == [f"{tag} one", f"{tag} three"]


def test_runs_in_the_background(sf: Salesforce, report_id: str) -> None:
    run = sf.reports.run_async(report_id)
    assert len(run.wait().rows()) == 3
    assert run.id in {each.id for each in sf.reports.instances(report_id)}
    assert len(sf.reports.result(report_id, run.id).rows()) == 3
    run.delete()


def test_describes_and_lists(sf: Salesforce, report_id: str, tag: str) -> None:
    described = sf.reports.describe(report_id)
    assert described.report_metadata.report_format == "SUMMARY"
    sf.reports.run(report_id, details=False)
    assert f"{tag} accounts" in {report.name for report in sf.reports.list()}


def test_knows_no_report_of_that_id(sf: Salesforce) -> None:
    with pytest.raises(NotFoundError):
        sf.reports.run("00O000000000001AAA")
