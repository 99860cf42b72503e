"""Run as a program: cut a large source into parts and read them again; print its bytes and by how many we grew.

The arguments are ``file`` or ``dicts``, and a folder for the file.
"""

import resource
import sys
from itertools import repeat
from pathlib import Path
from typing import Any

from sfconnector._bulk.parts import parts
from sfconnector._csv.read import Rows

_ROWS = 300_000
_ROW = {"Id": "001000000000001AAA", "Name": "Acme", "Note__c": 'a "note"\nof two lines, ' + 150 * "x", "Count__c": 7}


def main() -> None:
    kind, folder = sys.argv[1], Path(sys.argv[2])
    path = folder / "large.csv"
    path.write_bytes(b"Id,Name\n" + b"001000000000001AAA,Acme\n" * 10_000)
    # What a first source costs for good: modules and buffers.
    read(path)
    read(repeat(_ROW, 5_000))
    if kind == "file":
        write(path)
    before = peak()
    size, rows = read(path if kind == "file" else repeat(_ROW, _ROWS))
    grown = peak() - before
    if rows != _ROWS:
        raise SystemExit(f"{rows} rows came")
    print(size, grown)  # noqa: T201  # a program's output


def write(path: Path) -> None:
    with path.open("wb") as file:
        for part in parts(repeat(_ROW, _ROWS)):
            with part, part.body() as body:
                file.writelines(body)


def read(source: Any) -> tuple[int, int]:
    size = rows = 0
    for part in parts(source, max_bytes=20_000_000):
        with part, part.body() as body:
            size += part.size
            rows += sum(1 for _ in Rows(body).dicts())
    return size, rows


def peak() -> int:
    """Give the largest size of the process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
