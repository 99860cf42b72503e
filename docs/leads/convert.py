"""Convert the leads of a CSV file, each at most once, and write down what became of them.

    python convert.py leads.csv --converted converted.csv --rejected rejected.csv

The file has the columns lead_id, account_id, opportunity_name and owner_id; only the first must be filled. A lead
without an account is merged into the one with the same name as its company, if there is exactly one; a lead without
an opportunity name gets no opportunity. Leads that Salesforce refuses are written to the second file, with the reason
in a column of their own: mend them there, and convert that file in the same way.

It logs in with the variables of `Salesforce.from_env()`, and needs `sfconnector[soap]`.
"""

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from sfconnector import LeadConvert, Salesforce, errors, soql

REASON = "reason"
IDS = ["lead_id", "account_id", "contact_id", "opportunity_id"]
Row = dict[str, str]


def rows_of(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{name: value or "" for name, value in row.items()} for row in csv.DictReader(file)]


def accounts_of(sf: Salesforce, rows: list[Row]) -> dict[str, str]:
    """For each lead the account that bears the name of its company, where there is exactly one."""
    ids = [row["lead_id"] for row in rows]
    companies = {}
    found: dict[str, list[str]] = {}
    for start in range(0, len(ids), 200):
        some = ids[start : start + 200]
        leads = list(sf.query(soql("SELECT Id, Company FROM Lead WHERE Id IN {ids}", ids=some)))
        companies |= {lead["Id"]: lead["Company"] for lead in leads}
        names = sorted({lead["Company"] for lead in leads})
        if names:
            for account in sf.query(soql("SELECT Id, Name FROM Account WHERE Name IN {names}", names=names)):
                found.setdefault(account["Name"].lower(), []).append(account["Id"])
    same = {lead: found.get(company.lower(), []) for lead, company in companies.items()}
    return {lead: accounts[0] for lead, accounts in same.items() if len(accounts) == 1}


def wishes(rows: list[Row], accounts: dict[str, str]) -> Iterator[LeadConvert]:
    for row in rows:
        yield LeadConvert(
            row["lead_id"],
            account_id=row["account_id"] or accounts.get(row["lead_id"]),
            owner_id=row["owner_id"] or None,
            opportunity_name=row["opportunity_name"] or None,
            do_not_create_opportunity=not row["opportunity_name"],
        )


def convert(sf: Salesforce, rows: list[Row], converted: Path, rejected: Path) -> int:
    """Convert the leads of the rows, and return how many were refused."""
    failed: list[Row] = []
    results = sf.soap.convert_leads(wishes(rows, accounts_of(sf, rows)), raise_on_failure=False)
    with converted.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, IDS)
        writer.writeheader()
        for result in results:
            if result.conversion is None:
                failed.append({**rows[result.index], REASON: "; ".join(map(str, result.errors))})
            else:
                writer.writerow({name: getattr(result.conversion, name) for name in IDS})
    if failed:
        with rejected.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, failed[0])
            writer.writeheader()
            writer.writerows(failed)
    print(f"{len(rows) - len(failed)} converted, {len(failed)} refused")
    for row in failed:
        print(f"  {row['lead_id']}: {row[REASON]}")
    return len(failed)


def main() -> int:
    parser = argparse.ArgumentParser(description="Convert the leads of a CSV file.")
    parser.add_argument("leads", type=Path)
    parser.add_argument("--converted", type=Path, required=True, help="the ids of what the leads became")
    parser.add_argument("--rejected", type=Path, required=True, help="the rows that Salesforce refused")
    options = parser.parse_args()
    try:
        with Salesforce.from_env() as sf:
            return 1 if convert(sf, rows_of(options.leads), options.converted, options.rejected) else 0
    except (errors.SalesforceError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", *getattr(error, "__notes__", []), sep="\n  ", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
