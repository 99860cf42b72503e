"""The CSV files of the local org's bulk jobs: what is written is read again, and numbers look as Java writes them."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfconnector.testing._bulk import _csv
from sfconnector.testing._bulk._csv import DELIMITERS, Upload, lines
from sfconnector.testing._bulk._query import texts
from sfconnector.testing._errors import OrgError
from sfconnector.testing._soql._selection import Cell

CELLS = st.text(
    st.sampled_from([*DELIMITERS.values(), '"', "\n", "\r", "\u2028", "\x00", "é", "😀", "a", " "]), max_size=8
)
TABLES = st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=8))


@pytest.fixture(params=[131_072, 0], ids=["csv module", "own parser"], autouse=True)
def limit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_csv, "_CSV_LIMIT", request.param)


@pytest.fixture(scope="module")
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "upload.csv"


@given(TABLES, st.sampled_from(list(DELIMITERS)), st.sampled_from(["LF", "CRLF"]), st.integers(1, 4))
def test_what_is_written_is_read(
    path: Path, table: list[list[str]], delimiter: str, line_ending: str, at_once: int
) -> None:
    header = [f"c{place}" for place in range(max(map(len, table), default=1))]
    written = lines([header, *table], delimiter, line_ending)
    path.write_bytes(b"".join(written))
    read: list[list[str]] = []
    with Upload(path, delimiter, line_ending) as upload:
        assert upload.header == header
        while rows := upload.read(at_once):
            read += rows
            assert upload.position == sum(map(len, written[: len(read) + 1]))
    assert read == table


def test_rows_without_quotes_are_read_too(path: Path) -> None:
    path.write_bytes(b'a,b,c\n1,,"3"\n\n4,"5 ""x""",\n,,6')
    with Upload(path, "COMMA", "LF") as upload:
        assert upload.read(9) == [["1", "", "3"], ["4", '5 "x"', ""], ["", "", "6"]]


def test_an_empty_file_has_no_rows(path: Path) -> None:
    path.write_bytes(b"")
    with Upload(path, "COMMA", "LF") as upload:
        assert (upload.header, upload.read(1)) == ([], [])


def test_either_line_ending_may_be_taken(path: Path) -> None:
    path.write_bytes(b"a\r\n1\n")
    with Upload(path, "COMMA", None) as upload:
        assert upload.read(9) == [["1"]]
    with pytest.raises(OrgError, match="LineEnding is invalid"):
        Upload(path, "COMMA", "LF")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_their_value(number: float) -> None:
    written = texts(Cell("x", "double", lambda row: row[0]))([number])
    assert float(written) == number
    mantissa, _, exponent = written.partition("E")
    assert "." in mantissa
    assert bool(exponent) == (number != 0 and not 1e-3 <= abs(number) < 1e7)


@pytest.mark.parametrize(
    ("number", "written"),
    [(1e7, "1.0E7"), (12345678.9, "1.23456789E7"), (1e22, "1.0E22"), (-0.00012, "-1.2E-4"), (100, "100.0"), (None, "")],
)
def test_numbers_are_written_as_java_does(number: float | None, written: str) -> None:
    assert texts(Cell("x", "currency", lambda row: row[0]))([number]) == written
