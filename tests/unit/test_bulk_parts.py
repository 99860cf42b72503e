"""Sources of every kind become parts, which hold what went in, can be read again, and leave nothing behind."""

import datetime as dt
import io
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import attrs
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfconnector._bulk.parts import parts
from sfconnector._csv.dialect import Dialect
from sfconnector._csv.read import Rows
from sfconnector._typed import UNSET, ReadOnly

# How long an example takes depends on what else the machine does.
UNHURRIED = settings(deadline=None)
Row = dict[str, str]
awkward = st.text(st.sampled_from(list('a"\n\r,;é😀')), max_size=5)
UTC = dt.UTC
NOON = dt.datetime(2024, 2, 29, 12, 0, 0, 123_456, UTC)


def bodies(source: Any, **options: Any) -> list[bytes]:
    found = []
    for part in parts(source, **options):
        with part, part.body() as body:
            found.append(b"".join(body))
            assert len(found[-1]) == part.size == body.len
    return found


def rows_of(text: bytes, dialect: Dialect | None = None) -> list[Row]:
    return list(Rows([text], dialect).dicts())


@UNHURRIED
@given(
    st.lists(st.fixed_dictionaries({"A": awkward, "B": awkward}), max_size=30),
    st.integers(60, 200),
    st.none() | st.integers(1, 7),
    st.sampled_from([Dialect(), Dialect("SEMICOLON", "CRLF")]),
)
def test_rows_become_parts_of_no_more_than_the_limits(
    rows: list[Row], limit: int, most_rows: int | None, dialect: Dialect
) -> None:
    back: list[Row] = []
    for part in parts(rows, dialect=dialect, max_bytes=limit, max_rows=most_rows):
        with part, part.body() as body:
            assert part.start == len(back)
            text = b"".join(body)
            assert len(text) == part.size <= limit
            some = rows_of(text, dialect)
            assert len(some) == part.rows <= (most_rows or len(rows))
            assert [dict(zip(part.columns, cells, strict=True)) for cells in part.lists()] == some
            back += some
    assert back == rows


def test_parts_are_filled_to_the_last_byte_whatever_the_blocks() -> None:
    rows = [{"A": f"{number:07}", "B": "x" * (number % 50)} for number in range(20_000)]
    found = bodies(iter(rows), max_bytes=100_000)
    assert [row for body in found for row in rows_of(body)] == rows
    for body, following in itertools.pairwise(found):
        assert len(body) + len(following.split(b"\n")[1]) + 1 > 100_000
    assert [body.count(b"\n") - 1 for body in bodies(iter(rows), max_rows=7_500)] == [7_500, 7_500, 5_000]


def test_a_new_key_begins_a_part_with_a_wider_header() -> None:
    rows: list[dict[str, Any]] = [{"A": 1} for _ in range(150)]
    rows += [{"B": None}, {"A": 2, "C": "x"}]
    # The first hundred rows are read at once; what they have is in the first header.
    found = bodies([{"A": 1}, {"Z": 1}, *rows[:98], *rows])
    assert [body.partition(b"\n")[0] for body in found] == [b"A,Z", b"A,Z,B,C"]
    assert rows_of(found[1]) == [
        {"A": "", "Z": "", "B": "#N/A", "C": ""},
        {"A": "2", "Z": "", "B": "", "C": "x"},
    ]
    starts = []
    for part in parts([{"A": 1}, *rows]):
        with part:
            starts.append((part.start, part.rows, part.columns))
    assert starts == [(0, 151, ("A",)), (151, 2, ("A", "B", "C"))]


def test_values_relationships_and_what_jobs_tell() -> None:
    rows = [
        {"attributes": {"type": "Contact"}, "Id": "003", "Owner": {"Ext__c": 7}, "Born": dt.date(1900, 1, 2)},
        {"Id": "004", "Owner": {"Ext__c": None}, "Born": None},
    ]
    assert bodies(rows) == [b"Id,Owner.Ext__c,Born\n003,7,1900-01-02\n004,#N/A,#N/A\n"]
    failed = [{"sf__Id": "", "sf__Error": "X:y:--", "Name": "Acme", "Phone": ""}]
    assert bodies(failed) == [b"Name,Phone\nAcme,\n"]
    late: list[Any] = [{"A": "x", "B": ""}] * 200 + [{"A": "x", "B": {"C": "y"}}]
    assert bodies(late)[1] == b"A,B,B.C\nx,,y\n"


class Job:
    def rows(self) -> Iterator[Row]:
        return iter([{"Id": "001", "Name": "Acme"}])


def test_the_rows_of_another_job_are_a_source() -> None:
    assert bodies(Job()) == [b"Id,Name\n001,Acme\n"]


@attrs.define
class Account:
    Id: str | None = None
    Name: str = UNSET
    Phone: str | None = None
    Created: Annotated[str, ReadOnly[str]] = attrs.field(default="", metadata={"api_name": "CreatedDate"})


@dataclass
class Lead:
    Id: str
    Rank__c: Decimal


def test_instances_of_classes_are_rows() -> None:
    accounts = [Account("001", "Acme"), Account("002", "Globex", "1")]
    assert bodies(accounts, purpose="update", ids=True, columns=["Id", "Name", "Phone"]) == [
        b"Id,Name,Phone\n001,Acme,#N/A\n002,Globex,1\n"
    ]
    assert bodies(accounts, columns=["Name"]) == [b"Name\nAcme\nGlobex\n"]
    assert bodies([Lead("00Q", Decimal("1.50"))]) == [b"Rank__c\n1.50\n"]
    with pytest.raises(TypeError, match="row 1 is no instance of such a class"):
        bodies([Lead("00Q", Decimal(1)), {"Rank__c": 1}])


def test_sequences_have_the_columns_that_are_given() -> None:
    assert bodies([(1, "x"), [None, True]], columns=["A", "B"]) == [b"A,B\n1,x\n#N/A,true\n"]
    assert bodies([{"A": 1, "B": 2, "C": 3}], columns=["C", "A", "D"]) == [b"C,A,D\n3,1,\n"]
    with pytest.raises(ValueError, match="need columns="):
        bodies([(1, "x")])
    with pytest.raises(ValueError, match="row 1 has 1 values, and there are 2 columns"):
        bodies([(1, "x"), (1,)], columns=["A", "B"])


@pytest.mark.parametrize("rows", [[{"A": 1}], [{"Typo": 1}, {"A": 1, "B": 2}], [{"Typo": 1}, {}]])
def test_rows_with_none_of_the_columns_that_are_given_are_refused(rows: Any) -> None:
    number = len(rows) - 1
    with pytest.raises(ValueError, match=f"row {number} has none of the columns: Typo, C"):
        bodies(rows, columns=["Typo", "C"])


def test_parents_are_columns_that_may_be_given_whichever_row_has_them() -> None:
    rows = [{"A": 1}, {"A": 2, "Owner": {"Ext__c": "x"}}, {"Owner.Ext__c": "y"}]
    assert bodies(rows[:2], columns=["A", "Owner.Ext__c"]) == [b"A,Owner.Ext__c\n1,\n2,x\n"]
    assert bodies([rows[0], rows[2]], columns=["A", "Owner.Ext__c"]) == [b"A,Owner.Ext__c\n1,\n,y\n"]


@pytest.mark.parametrize("source", [[], iter(()), b"", b"A,B\n", pd.DataFrame({"A": []}), pl.DataFrame({"A": []})])
def test_an_empty_source_has_no_parts(source: Any) -> None:
    assert bodies(source) == []


@pytest.mark.parametrize(
    ("source", "options", "error", "problem"),
    [
        ({"A": 1}, {}, TypeError, "many rows, and not one dict"),
        (5, {}, TypeError, "not a int"),
        (["A"], {}, TypeError, "row 0 is no dict"),
        ([{"A": 1}, 5], {}, TypeError, "row 1 is no mapping"),
        ([{}], {}, ValueError, "there are no columns"),
        ([{"": 1}], {}, ValueError, "has no name"),
        ([{1: 1}], {}, TypeError, "named by a text"),
        ([{"A": 1, "a": 2}], {}, ValueError, "more than once"),
        ([{"A\n": 1}], {}, ValueError, "column"),
        ([{"A": b"x"}], {}, TypeError, "row 0, A: a bytes has no place in a cell"),
        ([{"A": "x"}] * 3 + [{"A": "x" * 50}], {"max_bytes": 20}, ValueError, "row 3: the record has more bytes"),
        (b"A\n1\n", {"columns": ["A"]}, ValueError, "leave columns out"),
        (io.StringIO("A\n1\n"), {}, TypeError, "'rb'"),
        ("no/such/file.csv", {}, ValueError, "is not there"),
        ([], {"columns": "AB"}, TypeError, "list of names"),
        ([], {"columns": []}, ValueError, "no columns"),
        ([], {"max_bytes": 0}, ValueError, "max_bytes"),
        ([], {"max_rows": 0}, ValueError, "max_rows"),
    ],
)
def test_what_cannot_be_sent_is_refused(
    source: Any, options: dict[str, Any], error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        bodies(source, **options)


def test_a_file_is_cut_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    rows = [{"A": f"{number}", "B": 'x "\r\n' * (number % 5)} for number in range(3_000)]
    text = bodies(rows, dialect=Dialect(line_ending="CRLF"))[0]
    path.write_bytes(b"\xef\xbb\xbf" + text)
    for source in (path, str(path), b"\xef\xbb\xbf" + text, io.BytesIO(b"\xef\xbb\xbf" + text)):
        found = bodies(source, max_bytes=10_000)
        assert [row for body in found for row in rows_of(body)] == rows
        assert all(len(body) <= 10_000 for body in found)
    assert bodies(path) == [text]


def test_a_file_that_is_open_is_read_from_where_it_stands_and_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"# a comment\nA\n1\n2\n3\n")
    with path.open("rb") as file:
        file.readline()
        found = list(parts(file, max_rows=2))
        texts = []
        for part in found:
            with part.body() as body:
                texts.append(b"".join(body))
        assert texts == [b"A\n1\n2\n", b"A\n3\n"]
        assert [(part.start, part.rows) for part in found] == [(0, 2), (2, 1)]
        assert not file.closed
    with pytest.raises(ValueError, match="closed"):
        bodies(file)


def test_a_pipe_is_read_once_and_its_parts_as_often_as_need_be() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as target:
        target.write(b'A\n1\n"\n2"\n3\n')
    with os.fdopen(reading, "rb") as source:
        found = list(parts(source, max_rows=1))
    for part, cell in zip(found, ["1", "\n2", "3"], strict=True):
        with part:
            assert list(part.lists()) == list(part.lists()) == [[cell]]


@pytest.mark.parametrize("opened", [False, True])
def test_a_file_that_changes_meanwhile_is_noticed(tmp_path: Path, opened: bool) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"A\n1\n2\n")
    with path.open("rb") as file:
        part = next(iter(parts(file if opened else path)))
        with part.body() as body:
            assert b"".join(body) == b"A\n1\n2\n"
        with path.open("ab") as more:
            more.write(b"3\n")
        with pytest.raises(ValueError, match="the source was changed"), part.body() as body:
            b"".join(body)


def test_a_body_can_be_sent_again() -> None:
    part = next(parts([{"A": "x" * 1_000_000}]))
    with part.body() as body:
        assert body.tell() == 0
        pieces = iter(body)
        assert next(pieces) == b"A\n"
        next(pieces)
        assert body.tell() > 2
        body.seek(0)
        assert b"".join(body) == b"A\n" + b"x" * 1_000_000 + b"\n"
        assert list(body) == []
        with pytest.raises(OSError, match="begins at its beginning"):
            body.seek(1)
    part.release()
    part.release()
    with pytest.raises(ValueError, match="released"):
        part.body()


def test_parts_are_made_when_they_are_asked_for_and_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    make = tempfile.TemporaryFile

    def watched(*arguments: Any, **options: Any) -> Any:
        opened.append(make(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", watched)
    read = 0

    def rows() -> Iterator[Row]:
        nonlocal read
        for read in range(1, 100_001):  # noqa: B007  # how far it was read
            yield {"A": "x" * 100}

    making = parts(rows(), max_bytes=200_000)
    first = next(making)
    assert len(opened) == 1
    assert read < 10_000
    second = next(making)
    making.close()
    # However many parts there are, they take no file each.
    assert [file.closed for file in opened] == [False]
    first.release()
    with second.body() as body:
        assert len(b"".join(body)) == second.size
    second.release()
    assert all(file.closed for file in opened)
    with pytest.raises(TypeError, match="row 5000, A"):
        bodies([{"A": "x" * 100}] * 5_000 + [{"A": b""}], max_bytes=200_000)
    assert all(file.closed for file in opened)


@pytest.mark.parametrize("kind", ["file", "dicts"])
def test_memory_does_not_grow_with_the_source(kind: str, tmp_path: Path) -> None:
    program = Path(__file__).with_name("parts_memory.py")
    run = subprocess.run([sys.executable, str(program), kind, str(tmp_path)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    size, grown = map(int, run.stdout.split())
    assert size > 60_000_000
    assert grown < 10_000_000


# Data frames and tables


def arrow_table() -> pa.Table:
    return pa.table(
        {
            "Name": pa.array(["Acme", None, ""]),
            "Kind": pa.array(["a", "b", None]).dictionary_encode(),
            "Amount": pa.array([1.5, float("nan"), None]),
            "Count": pa.array([1, None, 3]),
            "Price": pa.array([Decimal("1.50"), None, Decimal("-2.00")], pa.decimal128(10, 2)),
            "Active": pa.array([True, False, None]),
            "Born": pa.array([dt.date(2024, 2, 29), None, dt.date(1900, 1, 1)]),
            "At": pa.array([NOON, None, NOON.replace(year=1904)], pa.timestamp("us", "Europe/Berlin")),
            "Time": pa.array([dt.time(1, 2, 3, 4_000), None, dt.time(0)]),
            "None": pa.nulls(3),
        }
    )


EXPECTED = [
    ["Acme", "a", "1.5", "1", "1.50", "true", "2024-02-29", "2024-02-29T12:00:00.123Z", "01:02:03.004Z", "#N/A"],
    ["#N/A", "b", "#N/A", "#N/A", "#N/A", "false", "#N/A", "#N/A", "#N/A", "#N/A"],
    ["", "#N/A", "#N/A", "3", "-2.00", "#N/A", "1900-01-01", "1904-02-29T12:00:00.123Z", "00:00:00.000Z", "#N/A"],
]


@pytest.mark.parametrize(
    "convert",
    [
        lambda table: table,
        lambda table: table.to_batches()[0],
        lambda table: iter(table.to_batches(max_chunksize=1)),
        lambda table: pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=2)),
        pl.from_arrow,
        lambda table: pl.DataFrame(table).lazy(),
        lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
        lambda table: [table.to_pandas(types_mapper=pd.ArrowDtype)],
    ],
)
def test_tables_are_written_as_their_values_are(convert: Callable[[pa.Table], Any]) -> None:
    (text,) = bodies(convert(arrow_table()))
    reading = Rows([text])
    assert reading.columns == tuple(arrow_table().column_names)
    assert list(reading.lists()) == EXPECTED


def test_pandas_with_the_types_of_numpy() -> None:
    frame = pd.DataFrame(
        {
            "Name": ["Acme", None, pd.NA],
            "Amount": [1.5, float("nan"), 2.0],
            "Count": pd.array([1, None, 3], dtype="Int64"),
            "Active": [True, False, True],
            "At": pd.to_datetime(pd.Series(["2024-02-29T12:00:00.123456Z", None, "1904-02-29T12:00:00.000000Z"])).array,
            "Mixed": [dt.date(2024, 2, 29), 5, pd.NaT],
            "Kind": pd.Categorical(["a", None, "b"]),
        },
        index=[5, 5, 5],
    )
    assert bodies(frame)[0].decode().splitlines() == [
        "Name,Amount,Count,Active,At,Mixed,Kind",
        "Acme,1.5,1,true,2024-02-29T12:00:00.123Z,2024-02-29,a",
        "#N/A,#N/A,#N/A,false,#N/A,5,#N/A",
        "#N/A,2.0,3,true,1904-02-29T12:00:00.000Z,#N/A,b",
    ]
    assert bodies(frame, columns=["Active", "Name"]) == [b"Active,Name\ntrue,Acme\nfalse,#N/A\ntrue,#N/A\n"]
    # Rows of a frame turned into dicts hold numpy's scalars.
    assert bodies([{"A": frame["Amount"].to_numpy()[0], "B": frame["Active"].to_numpy()[1]}]) == [b"A,B\n1.5,false\n"]


LISTS = pa.table({"A": pa.array([["x"]])})
NAIVE = pa.table({"A": pa.array([dt.datetime(2024, 1, 1)])})
INFINITE = pa.table({"A": pa.array([1.0, float("inf")])})


@pytest.mark.parametrize(
    ("frame", "error", "problem"),
    [
        (LISTS, TypeError, "^A: list<.*> has no place in a cell"),
        (pl.from_arrow(LISTS), TypeError, r"^A: List\(String\) has no place in a cell"),
        (LISTS.to_pandas(), TypeError, "^row 0, A: .* has no place in a cell"),
        (pa.table({"A": pa.array([b"x"])}), TypeError, "^A: binary has no place in a cell"),
        (pl.DataFrame({"A": [dt.timedelta(1)]}), TypeError, "^A: Duration.* has no place in a cell"),
        (NAIVE, ValueError, "^A: its datetimes have no time zone"),
        (pl.from_arrow(NAIVE), ValueError, "^A: its datetimes have no time zone"),
        (NAIVE.to_pandas(), ValueError, "^row 0, A: the datetime has no time zone"),
        (INFINITE, ValueError, "^row 1, A: a cell has no number for inf"),
        (pl.from_arrow(INFINITE), ValueError, "^row 1, A: a cell has no number for inf"),
        (INFINITE.to_pandas(), ValueError, "^row 1, A: a cell has no number for inf"),
        (pd.DataFrame([[1, 2]]), TypeError, "named by a text"),
        (pd.DataFrame([[1, 2]], columns=["A", "A"]), ValueError, "more than once"),
        (pd.DataFrame(), ValueError, "there are no columns"),
        ([LISTS.schema.empty_table(), INFINITE.rename_columns(["B"])], TypeError, "A: list<"),
        ([INFINITE.slice(0, 1), INFINITE.rename_columns(["B"])], ValueError, "frame 1 has other columns"),
        ([INFINITE.slice(0, 1), 5], TypeError, "frame 1 is no data frame or table, but a int"),
    ],
)
def test_frames_that_cannot_be_sent_are_refused(frame: Any, error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        bodies(frame)


def test_a_column_that_a_frame_lacks_is_refused() -> None:
    for frame in (arrow_table(), pl.from_arrow(arrow_table()), arrow_table().to_pandas()):
        with pytest.raises(ValueError, match="'Nmae' is not there"):
            bodies(frame, columns=["Nmae"])


def test_long_frames_are_cut_like_rows() -> None:
    table = pa.table({"A": [f"{number}" for number in range(25_000)]})
    for frame in (table, pl.from_arrow(table), table.to_pandas()):
        found = bodies(frame, max_bytes=20_000)
        assert [row["A"] for body in found for row in rows_of(body)] == table.column("A").to_pylist()
        assert [len(rows_of(body)) for body in bodies(frame, max_rows=10_000)] == [10_000, 10_000, 5_000]


# Back from results to rows
