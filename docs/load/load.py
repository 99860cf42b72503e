"""Load companies and their contacts from CSV files into Salesforce, by external ids, and say what failed.

    python load.py companies.csv contacts.csv --rejected rejected

Nothing is created twice: run it as often as you like. Rows that Salesforce refuses are written to the folder, with
the reason in a column of their own. Mend them there, and load the mended files in the same way:

    python load.py rejected/companies.csv rejected/contacts.csv --rejected rejected-again

It logs in with the variables of `Salesforce.from_env()`. The org needs the external ids of objects.yaml.
"""

import argparse
import csv
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sfconnector import Salesforce, errors

REASON = "Reason"
Row = dict[str, str]


def company(row: Row) -> dict[str, Any]:
    return {
        "Company_Id__c": row["company_id"],
        "Name": row["name"],
        "Website": row["website"] or None,
        "AnnualRevenue": float(row["revenue"]) if row["revenue"] else None,
        "BillingPostalCode": row["postal_code"] or None,
    }


def contact(row: Row) -> dict[str, Any]:
    return {
        "Person_Id__c": row["person_id"],
        "FirstName": row["first_name"] or None,
        "LastName": row["last_name"],
        "Email": row["email"] or None,
        # The company by its external id: no need to look up Salesforce's own.
        "Account": {"Company_Id__c": row["company_id"]} if row["company_id"] else None,
    }


def rows_of(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def load(
    sf: Salesforce, sobject: str, external_id: str, source: Path, convert: Callable[[Row], dict[str, Any]], target: Path
) -> int:
    """Upsert the rows of a file, write those that failed to another, and return how many these are."""
    rows = rows_of(source)
    # Kept until their result is there; at most a few thousand are on their way.
    under_way: dict[int, Row] = {}
    failed: list[Row] = []
    created = updated = 0

    def records() -> Iterator[dict[str, Any]]:
        position = 0
        for row in rows:
            try:
                record = convert(row)
            except ValueError as error:
                failed.append({**row, REASON: str(error)})
                continue
            under_way[position] = row
            position += 1
            yield record

    results = sf.sobject(sobject).upsert_many(external_id, records(), workers=4, raise_on_failure=False)
    try:
        for result in results:
            row = under_way.pop(result.index)
            if result.success:
                created, updated = created + result.created, updated + (not result.created)
            else:
                failed.append({**row, REASON: "; ".join(map(str, result.errors))})
    except errors.SalesforceError as error:
        # An upsert may be repeated, so every row without a result goes to the next run.
        failed += [{**row, REASON: f"not loaded: {error}"} for row in (*under_way.values(), *rows)]
        write(target, failed)
        sys.exit(f"{source}: {error}\n{len(failed)} rows are in {target}")
    print(f"{sobject}: {created} created, {updated} updated, {len(failed)} refused")
    for row in failed:
        print(f"    {next(iter(row.values()))}: {row[REASON]}")
    if failed:
        write(target, failed)
    return len(failed)


def write(target: Path, rows: list[Row]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("companies", type=Path)
    parser.add_argument("contacts", type=Path)
    parser.add_argument("--rejected", type=Path, required=True, help="folder for the rows that failed")
    options = parser.parse_args()
    refused = 0
    with Salesforce.from_env() as sf:
        # Companies first: contacts point to them.
        for sobject, external_id, source, convert in (
            ("Account", "Company_Id__c", options.companies, company),
            ("Contact", "Person_Id__c", options.contacts, contact),
        ):
            if source.exists():
                refused += load(sf, sobject, external_id, source, convert, options.rejected / source.name)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
