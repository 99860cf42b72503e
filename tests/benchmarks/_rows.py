"""Rows of 12 columns for the bulk measurements: as values, as CSV, and what the org says of their columns."""

import csv
import io
import random
from collections.abc import Iterable
from functools import cache
from itertools import cycle, islice
from pathlib import Path
from typing import Any

TYPES = {
    "Id": "id",
    "Name": "string",
    "Description": "textarea",
    "Phone": "phone",
    "Email__c": "email",
    "AnnualRevenue": "currency",
    "NumberOfEmployees": "int",
    "Rating": "picklist",
    "BillingCity": "string",
    "IsActive__c": "boolean",
    "OwnerId": "reference",
    "CreatedDate": "datetime",
}
ROWS_A_PAGE = 50_000
"""As many different rows as there are; more of them are the same ones over again."""
_WORDS = ["north", "star", "harbour", "copper", "lantern", "meadow", "signal", "ember", "quartz", "river", "summit"]


def select(rows: int) -> str:
    """Give a query that has so many rows."""
    return f"SELECT {', '.join(TYPES)} FROM Account LIMIT {rows}"


def dicts(rows: int, *, typed: bool) -> list[dict[str, Any]]:
    """Give records with values as Python has them, or with texts alone."""
    made = _values() if typed else [{name: _text(value) for name, value in row.items()} for row in _values()]
    return list(islice(cycle(made), rows))


def write(path: Path, rows: int) -> None:
    """Write a CSV file whose quotes are where CSV needs them."""
    page = _csv(_values(), csv.QUOTE_MINIMAL)
    header, _, body = page.partition(b"\n")
    with path.open("wb") as file:
        file.write(header + b"\n")
        for _ in range(rows // ROWS_A_PAGE):
            file.write(body)
        file.write(_csv(_values()[: rows % ROWS_A_PAGE], csv.QUOTE_MINIMAL).partition(b"\n")[2])


def page(rows: int) -> bytes:
    """Give rows as Salesforce writes results: each value in quotes."""
    return _csv(_values()[:rows], csv.QUOTE_ALL)


def count(piece: bytes, before: bytes) -> int:
    """Count the ends of rows in a piece of CSV, given the byte before it: one within a text follows a full stop."""
    return piece.count(b"\n") - piece.count(b".\n") - (before == b"." and piece.startswith(b"\n"))


@cache
def _values() -> list[dict[str, Any]]:
    source = random.Random(1)  # noqa: S311  # the same rows in every run
    return [_row(number, source) for number in range(ROWS_A_PAGE)]


def _row(number: int, source: random.Random) -> dict[str, Any]:
    def words(amount: int) -> str:
        return " ".join(source.choices(_WORDS, k=amount))

    # Each tenth text has quotes and a line of its own, as what people type has.
    description = f'{words(2)}, "{words(1)}".\n{words(1)}' if number % 10 == 0 else words(4)
    return {
        "Id": f"001{number:012d}AAA",
        "Name": words(1).title(),
        "Description": description,
        "Phone": f"030 {source.randrange(10**8):08d}",
        "Email__c": f"{words(1)}.{source.randrange(10**4)}@example.com",
        "AnnualRevenue": source.randrange(10**9) / 100,
        "NumberOfEmployees": source.randrange(10**5),
        "Rating": source.choice(["Hot", "Warm", "Cold", None]),
        "BillingCity": words(1).title(),
        "IsActive__c": number % 3 == 0,
        "OwnerId": f"005{source.randrange(100):012d}AAA",
        "CreatedDate": f"2026-{source.randrange(1, 13):02d}-01T08:{source.randrange(60):02d}:00.000Z",
    }


def _csv(rows: Iterable[dict[str, Any]], quoting: int) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(TYPES)
    writer.writerows([_text(value) for value in row.values()] for row in rows)
    return text.getvalue().encode()


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
