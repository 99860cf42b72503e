"""Every example runs: the code blocks of the README and the guide, and the examples in docstrings."""

import csv
import doctest
import importlib
import os
import re
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sfconnector import Salesforce, auth, models
from sfconnector.testing import ApexRequest, LocalOrg

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULES = [
    "sfconnector._actions",
    "sfconnector._apex",
    "sfconnector._bulk.calls",
    "sfconnector._bulk.ingest_errors",
    "sfconnector._bulk.ingests",
    "sfconnector._bulk.queries",
    "sfconnector._bulk.query_jobs",
    "sfconnector._bulk_v1.bulk_v1",
    "sfconnector._bulk_v1.calls",
    "sfconnector._bulk_v1.ingests",
    "sfconnector._bulk_v1.jobs",
    "sfconnector._client",
    "sfconnector._composite",
    "sfconnector._described",
    "sfconnector._org",
    "sfconnector._progress",
    "sfconnector._files",
    "sfconnector._hooks",
    "sfconnector._many",
    "sfconnector._mixed",
    "sfconnector._query",
    "sfconnector._report_rows",
    "sfconnector._reports",
    "sfconnector._retry",
    "sfconnector._search",
    "sfconnector._soap",
    "sfconnector._soap_login",
    "sfconnector._sobjects",
    "sfconnector._soql",
    "sfconnector._sosl",
    "sfconnector._streaming.listener",
    "sfconnector._streaming.policies",
    "sfconnector._streaming.stores",
    "sfconnector._streaming.subscription",
    "sfconnector._streams",
    "sfconnector._users",
    "sfconnector.auth",
    "sfconnector.bayeux",
    "sfconnector.bayeux._advice",
    "sfconnector.bayeux._channels",
    "sfconnector.bayeux._client",
    "sfconnector.models",
    "sfconnector.testing._bulk._steering",
    "sfconnector.testing._contents",
    "sfconnector.testing._functions",
    "sfconnector.testing._org",
    "sfconnector.testing._streaming._steering",
]
DOMAIN = "https://acme.my.salesforce.com"


def report_on(org: LocalOrg, sf: Salesforce) -> str:
    """Save a report that has something to show."""
    deal = {"Name": "First", "StageName": "Prospecting", "CloseDate": "2026-01-31", "Amount": 100}
    sf.sobject("Opportunity").create(deal)
    return org.add_report(
        "Pipeline", "Opportunity", columns=["Name", "Amount"], groupings_down=["StageName"], aggregates=["s!Amount"]
    )


def order(request: ApexRequest) -> Any:
    """An Apex class that takes, shows, changes and deletes orders."""
    match request.method:
        case "GET":
            return {"sku": request.segments[0]}
        case "POST":
            return {**request.json(), "ordered": True}
        case "DELETE":
            return None
        case _:
            return request.json()


@pytest.fixture
def names(local_org: LocalOrg, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """What an example takes for granted: credentials, a client, an account, a file, a report, a folder."""
    local_org.add_field("Account", "Ext__c", "string(40) unique external_id")
    local_org.add_object("Order__e", {"Sku__c": "string(40)"})
    for mapping in ("/orders/v1", "/orders/v1/*"):
        local_org.add_apex(mapping, order)
    for name, value in local_org.environ().items():
        monkeypatch.setenv(name, value)
    with Salesforce.from_env() as sf:
        account = sf.sobject("Account").upsert("Ext__c", "A-42", {"Name": "Acme", "AnnualRevenue": 2_000_000})
        yield {
            "Salesforce": Salesforce,
            "account_id": account.id,
            "auth": auth,
            "client_id": local_org.client_id,
            "client_secret": local_org.client_secret,
            "file": sf.files.upload(b"Dear all", name="letter.txt"),
            "folder_path": tmp_path,
            "lead_id": sf.sobject("Lead").create({"LastName": "Lovelace", "Company": "Engines"}).id,
            "report_id": report_on(local_org, sf),
            "refresh_token": local_org.refresh_token(),
            "private_key": local_org.private_key,
            "user_id": local_org.user_id,
            "username": local_org.username,
            "sf": sf,
            "url": local_org.url,
        }


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_code_block_runs(
    document: Path, names: dict[str, Any], local_org: LocalOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "from crm import" in document.read_text():
        crm = types.ModuleType("crm")
        monkeypatch.setitem(sys.modules, "crm", crm)
        exec(models.source(names["sf"].sobject(name).describe() for name in ("Account", "Contact")), crm.__dict__)  # noqa: S102  # what the document's command writes
    blocks = re.findall(r"^```python\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE)
    # Classes of an example look up their module, as those of any other program do.
    module = types.ModuleType("example")
    monkeypatch.setitem(sys.modules, "example", module)
    module.__dict__.update(names)
    for block in blocks:
        source = block.replace(DOMAIN, local_org.url)
        exec(compile(source, f"{document.name}", "exec"), module.__dict__)  # noqa: S102  # running them is the test
        for name, example in list(vars(module).items()):
            if name.startswith("test_"):
                example(local_org)
                delattr(module, name)
        # A block that closed its client is followed by blocks that go on with one.
        module.__dict__["sf"] = names["sf"]


EXAMPLES = [
    example
    for name in MODULES
    for example in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name))
    if example.examples
]


@pytest.mark.filterwarnings("ignore:Salesforce is retiring:DeprecationWarning")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_every_example_in_a_docstring_runs(example: doctest.DocTest, names: dict[str, Any]) -> None:
    example.globs.update(names)
    report: list[str] = []
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    result = doctest.DocTestRunner(optionflags=options).run(example, out=report.append)
    assert result.failed == 0, "".join(report)


def test_the_make_targets_that_the_documents_name_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in [*DOCUMENTS, ROOT / "CONTRIBUTING.md"]:
        named = re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text(), re.MULTILINE)
        assert set(named) <= targets, document.name


def test_the_links_between_documents_lead_somewhere() -> None:
    for document in [*DOCUMENTS, ROOT / "CONTRIBUTING.md"]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
            assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_the_demo_runs() -> None:
    run = subprocess.run([sys.executable, ROOT / "docs/demo.py"], capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stderr) == (0, "")
    assert "REQUIRED_FIELD_MISSING" in run.stdout
    assert "DELETE 001" in run.stdout


Load = Callable[[Path, Path, str], subprocess.CompletedProcess[str]]
LOAD = ROOT / "docs/load"
CONTACTS = "SELECT Person_Id__c, Account.Name, Account.BillingPostalCode FROM Contact"


@pytest.fixture
def load(local_org: LocalOrg, tmp_path: Path) -> Load:
    """Runs the loading script on two files; what it rejects goes to a folder of that name."""
    local_org.load_objects(LOAD / "objects.yaml")

    def run(companies: Path, contacts: Path, rejected: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, LOAD / "load.py", companies, contacts, "--rejected", tmp_path / rejected]
        environ = os.environ | local_org.environ()
        return subprocess.run(command, capture_output=True, text=True, env=environ, timeout=120)

    return run


def test_the_loading_script_reports_what_failed_and_finishes(
    sf: Salesforce, local_org: LocalOrg, load: Load, tmp_path: Path
) -> None:
    def mend(file: str, *changes: tuple[str, str]) -> Path:
        path = tmp_path / "rejected" / file
        text = path.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)
        return path

    local_org.faults.lock_rows(times=1)
    first = load(LOAD / "companies.csv", LOAD / "contacts.csv", "rejected")
    assert (first.returncode, first.stderr) == (1, "")
    assert "Account: 3 created, 0 updated, 2 refused" in first.stdout
    assert "Contact: 3 created, 0 updated, 4 refused" in first.stdout
    assert "C-5: could not convert string to float: 'many'" in first.stdout
    assert "P-7: INVALID_FIELD: Foreign key external ID" in first.stdout
    assert "P-3: INVALID_EMAIL_ADDRESS" in first.stdout

    companies = mend("companies.csv", ("C-4,,", "C-4,Nameless,"), (",many,", ",1000,"))
    contacts = mend("contacts.csv", ("lise(at)", "lise@"), ("Otto,,", "Otto,Hahn,"), (",C-9,", ",C-1,"))
    second = load(companies, contacts, "again")
    assert (second.returncode, second.stdout) == (
        0,
        "Account: 2 created, 0 updated, 0 refused\nContact: 4 created, 0 updated, 0 refused\n",
    )
    third = load(LOAD / "companies.csv", LOAD / "contacts.csv", "once-more")
    assert third.stdout.count(": 0 created") == 2
    found = {record["Person_Id__c"]: record["Account"] for record in sf.query(CONTACTS)}
    assert len(found) == 7
    assert found["P-1"]["BillingPostalCode"] == "00501"
    assert found["P-6"]["Name"] == "O'Neil, Søn & Co."


def test_the_loading_script_loses_no_row_when_salesforce_fails(local_org: LocalOrg, load: Load, tmp_path: Path) -> None:
    local_org.faults.limit_exceeded("daily")
    stopped = load(LOAD / "companies.csv", LOAD / "contacts.csv", "rejected")
    assert stopped.returncode == 1
    assert "REQUEST_LIMIT_EXCEEDED" in stopped.stderr
    assert len((tmp_path / "rejected/companies.csv").read_text().splitlines()) == 6
    local_org.faults.clear()
    assert (
        "Account: 3 created, 0 updated, 2 refused"
        in load(tmp_path / "rejected/companies.csv", LOAD / "contacts.csv", "again").stdout
    )


def test_the_round_trip_script_brings_every_value_back(local_org: LocalOrg, tmp_path: Path) -> None:
    folder = ROOT / "docs/bulk"
    local_org.load_objects(folder / "objects.yaml")
    # Two rows of the first attempt and one of the second meet a lock.
    fault = local_org.faults.lock_rows(times=3, path="*/jobs/ingest/*")
    command = [sys.executable, folder / "round_trip.py", "--rows", "1500", tmp_path / "readings.parquet"]
    environ = os.environ | local_org.environ()
    run = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=120)
    assert (run.returncode, run.stdout) == (0, "1,500 rows up, 0 refused, 1,500 down, 0 different\n"), run.stderr
    assert fault.hits == 3


def test_the_lead_script_converts_what_it_can_and_tells_of_the_rest(
    sf: Salesforce, local_org: LocalOrg, tmp_path: Path
) -> None:
    leads, converted, rejected = (tmp_path / name for name in ("leads.csv", "converted.csv", "rejected.csv"))
    people = [{"LastName": f"L{number}", "Company": f'"{number}" <& Co>'} for number in range(205)]
    ids = [str(result.id) for result in sf.sobject("Lead").create_many(people)]
    account = sf.sobject("Account").create({"Name": people[3]["Company"]}).id
    sf.soap.convert_lead(ids[7])
    with leads.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["lead_id", "account_id", "opportunity_name", "owner_id"])
        writer.writerows([each, "", "]]> 😀" if number == 5 else "", ""] for number, each in enumerate(ids))

    def run(source: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, ROOT / "docs/leads/convert.py", source, "--converted", converted]
        environ = os.environ | local_org.environ()
        return subprocess.run(
            [*command, "--rejected", rejected], capture_output=True, text=True, env=environ, timeout=120
        )

    first = run(leads)
    assert (first.returncode, first.stderr) == (1, "")
    assert first.stdout == (
        f"204 converted, 1 refused\n  {ids[7]}: CANNOT_UPDATE_CONVERTED_LEAD: cannot reference converted lead\n"
    )
    with converted.open(encoding="utf-8", newline="") as file:
        rows = {row["lead_id"]: row for row in csv.DictReader(file)}
    assert [*rows] == [each for each in ids if each != ids[7]]
    assert rows[ids[3]]["account_id"] == account
    opportunities = [record["Name"] for record in sf.query("SELECT Name FROM Opportunity WHERE Name LIKE '%]]>%'")]
    assert opportunities == ["]]> 😀"]
    assert [each for each in ids if rows.get(each, {}).get("opportunity_id")] == [ids[5]]
    again = run(rejected)
    assert (again.returncode, again.stdout.splitlines()[0]) == (1, "0 converted, 1 refused")
    assert run(tmp_path / "none.csv").returncode != 0
