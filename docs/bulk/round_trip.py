"""Load rows into Salesforce by upsert, read them back into a Parquet file, and compare: not a value may differ.

    python round_trip.py --rows 1000000 readings.parquet

It logs in with the variables of `Salesforce.from_env()`. The org needs the object of objects.yaml. Run it as often as
you like: rows are found by their external id. It needs `sfconnector[arrow,progress]`.
"""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sfconnector import Salesforce, progress_bar

SOBJECT, EXTERNAL_ID = "Reading__c", "Reading_Id__c"
ATTEMPTS, BLOCK = 5, 50_000
FIRST_DAY = date(2020, 1, 1)
FIRST_MOMENT = datetime(2020, 1, 1, tzinfo=UTC)
# What loses data elsewhere: quotes, delimiters, line ends, separators of other alphabets, characters beyond the first
# plane, and nothing at all.
REMARKS = ["plain", 'He said "no", twice', "two\nlines", "a;b|c^d`e\tf", "Größe → ∞", "\N{GRINNING FACE}", None]


def row(number: int) -> dict[str, Any]:
    return {
        EXTERNAL_ID: f"R-{number:09}",
        "Sensor__c": f"sensor {number % 5_000}",
        "Remark__c": REMARKS[number % len(REMARKS)],
        "Count__c": number * 1_000_003,
        "Value__c": number / 4,
        "Price__c": number % 100_000 / 100,
        "Share__c": None if number % 11 == 0 else number % 400 / 4,
        "Valid__c": number % 3 == 0,
        "Day__c": FIRST_DAY + timedelta(days=number % 3_000),
        "Taken_At__c": FIRST_MOMENT + timedelta(seconds=number),
        "Place__c": f"Lake {number % 97}, north",
        "Contact__c": f"reader{number % 1_000}@example.com",
    }


def rows(count: int) -> Iterator[dict[str, Any]]:
    return (row(number) for number in range(count))


def load(sf: Salesforce, count: int) -> int:
    """Upsert the rows, and give how many could not be saved."""
    with progress_bar() as bar:
        ingest = sf.bulk.upsert(SOBJECT, rows(count), external_id=EXTERNAL_ID, workers=2).wait(progress=bar)
    refused = 0
    for _ in range(ATTEMPTS):
        for failure in ingest.failures():
            if not failure.is_transient:
                print(f"row {failure.index}: {failure.error}", file=sys.stderr)
                refused += 1
        # Rows that met a lock, and no others; often none.
        ingest = ingest.retry_failed().wait()
        if not ingest.jobs:
            return refused
    return refused + sum(1 for _ in ingest.failures())


def differences(path: Path, count: int) -> int:
    """Count the rows of the file that are not the rows that were loaded, and those that are missing or too many."""
    table = pq.read_table(path).sort_by(EXTERNAL_ID)
    different = abs(len(table) - count)
    for first in range(0, min(len(table), count), BLOCK):
        found = table.slice(first, BLOCK).combine_chunks()
        sent = pa.Table.from_pylist([row(first + index) for index in range(len(found))], schema=found.schema)
        if not found.equals(sent):
            pairs = zip(found.to_pylist(), sent.to_pylist(), strict=True)
            different += sum(one != other for one, other in pairs)
    return different


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="the Parquet file to write")
    parser.add_argument("--rows", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with Salesforce.from_env() as sf:
        refused = load(sf, arguments.rows)
        columns = ", ".join(row(0))
        written = sf.bulk.query(f"SELECT {columns} FROM {SOBJECT}", workers=2).to_parquet(arguments.file)
    different = differences(arguments.file, arguments.rows)
    print(f"{arguments.rows:,} rows up, {refused:,} refused, {written:,} down, {different:,} different")
    return 1 if refused or different else 0


if __name__ == "__main__":
    sys.exit(main())
