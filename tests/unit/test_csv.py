"""CSV: whatever goes in comes out, for every delimiter and line ending, and however the bytes arrive."""

import csv
import enum
import io
import itertools
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfconnector._csv.columns import check_columns
from sfconnector._csv.cut import Cutter, Piece
from sfconnector._csv.dialect import DELIMITERS, Dialect
from sfconnector._csv.read import Rows
from sfconnector._csv.values import flat
from sfconnector._csv.write import Writer

# How long an example takes depends on what else the machine does.
UNHURRIED = settings(deadline=None)
DIALECTS = [Dialect(name, ending) for name in DELIMITERS for ending in ("LF", "CRLF")]  # type: ignore[arg-type]  # the names are those of the type

awkward = st.text(st.sampled_from(list('a"\n\r,;|^`\t \\\0\u2028é😀')), max_size=6)
cells = st.one_of(awkward, st.text(st.characters(exclude_categories=["Cs"]), max_size=4))
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=0, max_size=12)
)
dialects = st.sampled_from(DIALECTS)


def names(width: int) -> list[str]:
    return [f"Field{number}__c" for number in range(width)]


def encoded(rows: list[list[str]], dialect: Dialect) -> bytes:
    writer = Writer(names(len(rows[0]) if rows else 2), dialect)
    return writer.header + writer.sequences(rows)


def pieces(text: bytes, size: int) -> Iterator[bytes]:
    return (text[at : at + size] for at in range(0, len(text), size))


@UNHURRIED
@given(tables, dialects)
def test_quotes_are_where_they_are_needed_and_nowhere_else(rows: list[list[str]], dialect: Dialect) -> None:
    written = Writer(names(len(rows[0]) if rows else 2), dialect).sequences(rows)
    # The standard library quotes both characters of a CRLF only where that is the line ending.
    expected = []
    for row in rows:
        line = io.StringIO(newline="")
        csv.writer(line, delimiter=dialect.delimiter, lineterminator="\r\n").writerow(row)
        expected.append(line.getvalue().removesuffix("\r\n") + dialect.terminator)
    assert written.decode() == "".join(expected)


@UNHURRIED
@given(tables, dialects, st.integers(1, 20))
def test_what_is_written_is_read_however_it_arrives(rows: list[list[str]], dialect: Dialect, size: int) -> None:
    writer = Writer(names(len(rows[0]) if rows else 2), dialect)
    text = writer.header + writer.sequences(rows)
    reading = Rows(pieces(text, size), dialect)
    assert list(reading.columns) == names(len(rows[0]) if rows else 2)
    assert list(reading.lists()) == rows
    # The standard library's reader is another judge.
    plain = csv.reader(io.StringIO(text.decode(), newline=""), delimiter=dialect.delimiter, strict=True)
    assert list(plain)[1:] == rows


@UNHURRIED
@given(tables, dialects, st.data())
def test_what_is_cut_is_what_there_was(rows: list[list[str]], dialect: Dialect, data: st.DataObject) -> None:
    text = encoded(rows, dialect)
    bom = data.draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    if data.draw(st.booleans()):
        text = text.removesuffix(dialect.terminator.encode())
    header = len(encoded([], dialect)) if not rows else len(Writer(names(len(rows[0])), dialect).header)
    largest = max((len(encoded([row], dialect)) for row in rows), default=header)
    limit = data.draw(st.integers(largest, max(largest, len(text)) + 1))
    most_rows = data.draw(st.none() | st.integers(1, len(rows) + 1))
    window = data.draw(st.integers(1, 40))
    source = io.BytesIO(bom + text)
    given_dialect = data.draw(st.sampled_from([dialect, Dialect(dialect.column_delimiter)]))

    cutter = Cutter(lambda size: source.read(min(size, window)), given_dialect, limit, most_rows)
    found = list(cutter.pieces())

    assert b"".join(piece.data for piece in found) == (bom + text)[cutter.offset :]
    assert sum(piece.rows for piece in found) == len(rows)
    back = []
    for body, count in parts(cutter.header, found):
        assert len(body) <= limit
        assert most_rows is None or count <= most_rows
        part = list(Rows([body], dialect).lists())
        assert len(part) == count
        back += part
    assert back == rows
    # None could have held the first record of the next one.
    for (body, count), (following, _) in itertools.pairwise(parts(cutter.header, found)):
        record = next(Rows([following], dialect).lists())
        assert len(body) + len(encoded([record], dialect)) - header > limit - 2 or count == most_rows


@UNHURRIED
@given(st.text(st.sampled_from(list('a",\n')), max_size=30), st.integers(1, 3), st.integers(1, 5))
def test_a_text_of_any_kind_is_refused_or_cut_where_csv_has_it(text: str, most_rows: int, window: int) -> None:
    source = io.BytesIO(b"A,B\n" + text.encode())
    try:
        cutter = Cutter(lambda size: source.read(min(size, window)), Dialect(), 1_000, most_rows)
        found = parts(cutter.header, list(cutter.pieces()))
    except ValueError:
        return
    whole = list(csv.reader(io.StringIO(text, newline="")))
    back = [list(csv.reader(io.StringIO(body.decode(), newline="")))[1:] for body, _ in found]
    assert [row for rows in back for row in rows] == [row for row in whole if row]
    assert [len(rows) for rows in back] == [count for _, count in found]


def parts(header: bytes, found: list[Piece]) -> list[tuple[bytes, int]]:
    bodies: list[tuple[bytes, int]] = []
    for piece in found:
        if piece.starts:
            bodies.append((header, 0))
        bodies[-1] = (bodies[-1][0] + piece.data, bodies[-1][1] + piece.rows)
    return bodies


def cut(
    text: bytes, dialect: Dialect | None = None, max_bytes: int = 1_000, max_rows: int | None = None
) -> list[bytes]:
    cutter = Cutter(io.BytesIO(text).read, dialect or Dialect(), max_bytes, max_rows)
    return [body for body, _ in parts(cutter.header, list(cutter.pieces()))]


def test_limits_are_met_exactly() -> None:
    text = b"A,B\n1,2\n3,4\n5,6\n"
    assert cut(text, max_bytes=len(text)) == [text]
    assert cut(text, max_bytes=len(text) - 1) == [b"A,B\n1,2\n3,4\n", b"A,B\n5,6\n"]
    assert cut(text, max_bytes=8) == [b"A,B\n1,2\n", b"A,B\n3,4\n", b"A,B\n5,6\n"]
    assert cut(text, max_rows=2) == [b"A,B\n1,2\n3,4\n", b"A,B\n5,6\n"]
    assert cut(text, max_rows=3) == [text]
    with pytest.raises(ValueError, match=r"^line 2: the record has more bytes than a part may have \(7\)$"):
        cut(text, max_bytes=7)


@pytest.mark.parametrize(
    ("text", "columns", "ending", "bodies"),
    [
        (b"", (), "LF", []),
        (b"\xef\xbb\xbf", (), "LF", []),
        (b"A,B", ("A", "B"), "LF", []),
        (b"A,B\r\n", ("A", "B"), "CRLF", []),
        (b"\xef\xbb\xbfA,B\r\n1,2", ("A", "B"), "CRLF", [b"A,B\r\n1,2"]),
        (b'"A ""x""","B"\n1,"\r\n\r"\n\n\n', ('A "x"', "B"), "LF", [b'"A ""x""","B"\n1,"\r\n\r"\n']),
        (b'A\n""\n""\n', ("A",), "LF", [b'A\n""\n""\n']),
        (b'A,B\r\n"\n\n",1\r\n\r\n', ("A", "B"), "CRLF", [b'A,B\r\n"\n\n",1\r\n']),
    ],
)
def test_edges_of_texts(text: bytes, columns: tuple[str, ...], ending: str, bodies: list[bytes]) -> None:
    cutter = Cutter(io.BytesIO(text).read, Dialect(), 1_000)
    assert (cutter.columns, cutter.dialect.line_ending) == (columns, ending)
    assert [body for body, _ in parts(cutter.header, list(cutter.pieces()))] == bodies


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b'A,B\n1,2\n3,"4\n', "line 3: a quote never closes"),
        (b'A,B\n1,2\n19",x\n5,6\n7",8\n', "line 3: a quote is out of place"),
        (b'A,B\n1,"a"b\n', "line 2: a quote is out of place"),
        (b'A,B\n1, "a,b"\n', "line 2: a quote is out of place"),
        (b"A,B\n1,2\r\n3,4\n", "line 2: a line ends otherwise than the first, in LF"),
        (b"A,B\r\n1,2\r\n3,4\n", "line 3: a line ends otherwise than the first, in CRLF"),
        (b"A,B\n1,\r2\n", "line 2: a carriage return outside quotes"),
        (b"A,B\r1,2\r", "line 1: a carriage return outside quotes"),
        (b"A,B\n1,2\n\n3,4\n", "line 3: the line is blank"),
        (b"\nA,B\n1,2\n", "line 1: the line is blank"),
        (b"A,B\n1,\xe9\n", "line 2: the text is not UTF-8"),
        (b"A;B\n1;2\n", "looks like SEMICOLON"),
        (b"A,a\n1,2\n", "'a' is there more than once"),
        (b"A,\n1,2\n", "column 2 of 2 has no name"),
    ],
)
def test_a_text_that_salesforce_would_misread_is_refused(text: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        cut(text)


def test_blank_lines_are_found_over_a_boundary_of_windows() -> None:
    # The blank line ends one window, and the record after it is in the next.
    filler = b"x" * (65_536 - 8)
    text = b"A,B\n" + filler + b",1\n\n" + b"2,3\n" * 20_000
    with pytest.raises(ValueError, match="blank"):
        cut(text, max_bytes=10_000_000)


def test_the_line_of_an_error_is_found_far_into_a_text() -> None:
    rows = b'1,"a\nb"\n' * 50_000
    with pytest.raises(ValueError, match=r"^line 100,002: a quote is out of place"):
        cut(b"A,B\n" + rows + b'x",2\n', max_bytes=10_000_000)


def test_line_endings_are_held_against_the_job() -> None:
    with pytest.raises(ValueError, match="line 1: lines end in CRLF, and line_ending says LF"):
        cut(b"A\r\n1\r\n", Dialect(line_ending="LF"))
    with pytest.raises(ValueError, match="line 1: lines end in LF, and line_ending says CRLF"):
        cut(b"A\n1\n", Dialect(line_ending="CRLF"))


def test_a_record_of_many_windows_is_cut_whole_and_an_endless_one_is_refused_early() -> None:
    large = b'1,"' + b"\n,x" * 300_000 + b'"\n'
    assert cut(b"A,B\n" + large + large, max_bytes=1_000_000) == [b"A,B\n" + large] * 2
    read = io.BytesIO(b'A,B\n1,"' + b"x" * 10_000_000)
    with pytest.raises(ValueError, match=r"line 2: the record has more bytes .* or a quote in it never closes"):
        list(Cutter(read.read, Dialect(), 100_000).pieces())
    assert read.tell() < 1_000_000
    read = io.BytesIO(b'A,B\n1,2 "' + b"x\n" * 5_000_000)
    with pytest.raises(ValueError, match="line 2: a quote is out of place"):
        list(Cutter(read.read, Dialect(), 100_000_000).pieces())
    assert read.tell() < 1_000_000
    read = io.BytesIO(b"A,B\r" * 1_000_000)
    with pytest.raises(ValueError, match="line 1: a carriage return"):
        Cutter(read.read, Dialect(), 100_000_000)
    assert read.tell() < 1_000_000


def test_reading_keeps_everything_but_a_byte_order_mark() -> None:
    text = '\ufeff"Id","Text"\n1,"a\r\nb\u2028c\\n\0"\n\n2,"\ufeff"\n'.encode()
    for size in range(1, 12):
        rows = Rows(pieces(text, size))
        assert rows.columns == ("Id", "Text")
        assert list(rows.dicts()) == [{"Id": "1", "Text": "a\r\nb\u2028c\\n\0"}, {"Id": "2", "Text": "\ufeff"}]
    assert next(Rows(io.BytesIO(text), strip_nul=True).dicts())["Text"] == "a\r\nb\u2028c\\n"
    assert Rows(io.BytesIO(b"")).columns == ()
    assert list(Rows(io.BytesIO(b"")).lists()) == []
    assert list(Rows([b"A,", b"B"]).dicts()) == []


def test_long_cells_are_read_whatever_the_limit_of_the_csv_module() -> None:
    limit = csv.field_size_limit()
    long = "x" * (limit + 1)
    rows = Rows([f'Id,Text\n1,"{long}"\n'.encode()])
    assert next(rows.lists()) == ["1", long]
    assert csv.field_size_limit() == limit
    with pytest.raises(csv.Error, match="field larger than field limit"):
        next(csv.reader([long]))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b'A,B\n1,"2\n3,4\n', "begins in line 2 has a quote that never closes"),
        (b'A,B\n"\n",2\n1,"a"b\n', "begins in line 4 has a quote out of place"),
        (b"A,B\n1,2\n\n3\n", "line 4 has 1 cells, and the header has 2"),
        (b"A,B\n1,2,3\n", "line 2 has 3 cells, and the header has 2"),
        (b"A,B\n1,\xff\n", "not UTF-8"),
        (b"A,B\n1,\xc3", "not UTF-8"),
        (b"A,A\n1,2\n", "'A' is there more than once"),
    ],
)
def test_a_malformed_text_is_no_rows(text: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        list(Rows([text]).dicts())


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Kind(enum.StrEnum):
    NEW = "new"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, "#N/A"),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (Level.HIGH, "3"),
        (0.1, "0.1"),
        (1e22, "1e+22"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.10"), "0.10"),
        (date(2024, 1, 2), "2024-01-02"),
        (datetime(2024, 1, 2, 3, 4, 5, 678_900, UTC), "2024-01-02T03:04:05.678Z"),
        (datetime(2024, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), "2024-01-02T01:00:00.000Z"),
        (time(1, 2, 3), "01:02:03.000Z"),
        (Color.RED, "red"),
        (Kind.NEW, "new"),
    ],
)
def test_values_are_written_as_salesforce_takes_them(value: object, cell: str) -> None:
    writer = Writer(["Id", "Value__c"], Dialect())
    # Beside one of another type, and in a column of its own type.
    mixed = writer.mappings([{"Id": "1", "Value__c": value}, {"Id": "2", "Value__c": "x"}, {"Id": "3"}])
    assert list(Rows([writer.header, mixed]).lists()) == [["1", cell], ["2", "x"], ["3", ""]]
    alone = writer.sequences([["1", value], ["2", value]])
    assert list(Rows([writer.header, alone]).lists()) == [["1", cell], ["2", cell]]


@pytest.mark.parametrize(
    ("value", "error", "problem"),
    [
        (float("nan"), ValueError, "a cell has no number for nan"),
        (Decimal("Infinity"), ValueError, "a cell has no number for Infinity"),
        (datetime(2024, 1, 2), ValueError, "no time zone"),
        (b"x", TypeError, "a bytes has no place in a cell"),
        (Fraction(1, 2), TypeError, "a Fraction has no place in a cell"),
        (uuid.UUID(int=0), TypeError, "a UUID has no place in a cell"),
        (["a"], TypeError, "a list has no place in a cell"),
        ("\ud800", ValueError, "half of a surrogate pair"),
    ],
)
def test_a_value_without_a_form_is_named_by_row_and_column(value: object, error: type[Exception], problem: str) -> None:
    writer = Writer(["Id", "Value__c"], Dialect())
    with pytest.raises(error, match=rf"^row 12, Value__c: .*{problem}"):
        writer.mappings([{"Id": "1", "Value__c": 1}, {"Id": "2", "Value__c": "x"}, {"Id": "3", "Value__c": value}], 10)


def test_rows_of_the_wrong_shape_are_refused() -> None:
    writer = Writer(["A", "B"], Dialect())
    for other in ({"A": "1", "C": "2"}, {"A": "1", "B": "2", "C": "3"}):
        assert writer.fitting([{"A": "1", "B": "2"}, other]) is None
        with pytest.raises(ValueError, match="row 6 has 'C', which is none of the columns"):
            writer.mappings([{"A": "1", "B": "2"}, other], 5)
    assert writer.chosen([{"A": "1", "B": "2", "C": "3"}, {"B": "2", "C": "3"}]) == b"1,2\n,2\n"
    not_rows: list[Any] = ["ab", ["1", "2"], None, 1]
    for row in not_rows:
        with pytest.raises(TypeError, match=f"row 0 is no mapping of columns and values, but a {type(row).__name__}"):
            writer.mappings([row])
        with pytest.raises(TypeError, match=f"row 0 is no mapping of columns and values, but a {type(row).__name__}"):
            writer.chosen([row])
    with pytest.raises(TypeError, match="row 1 is no list or tuple of values, but a str"):
        writer.sequences([["1", "2"], "ab"])
    with pytest.raises(ValueError, match="row 1 has 1 values, and there are 2 columns"):
        writer.sequences([["1", "2"], ["1"]])


def test_a_single_column_is_written_too() -> None:
    writer = Writer(["A"], Dialect("TAB", "CRLF"))
    assert writer.header == b"A\r\n"
    assert writer.mappings([{"A": "x"}, {"A": ""}, {}, {"A": None}]) == b'x\r\n""\r\n""\r\n#N/A\r\n'


def test_parents_become_columns() -> None:
    record = {"attributes": {"type": "Contact"}, "Id": "1", "Owner": {"attributes": {}, "Ext__c": "x", "M": {"N": 1}}}
    assert flat(record) == {"Id": "1", "Owner.Ext__c": "x", "Owner.M.N": 1}


@pytest.mark.parametrize("columns", [[], [""], [" "], ["A", "a"], ["A "], ["A\n"], ["A\0"], ["\ufeffA\x7f"]])
def test_columns_that_cannot_be_are_refused(columns: list[str]) -> None:
    with pytest.raises(ValueError, match="column"):
        check_columns(columns)


def test_dialects_are_those_of_salesforce() -> None:
    with pytest.raises(ValueError, match="column_delimiter is one of BACKQUOTE, CARET, COMMA, PIPE, SEMICOLON, TAB"):
        Dialect(",")  # type: ignore[arg-type]  # what a caller may try
    with pytest.raises(ValueError, match="line_ending is LF or CRLF"):
        Dialect("COMMA", "\n")  # type: ignore[arg-type]  # what a caller may try
    with pytest.raises(TypeError, match="named by a text"):
        check_columns([1])
