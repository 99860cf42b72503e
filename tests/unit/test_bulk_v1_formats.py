"""JSON and XML of batches: whatever is written comes back, cut at any byte, and no batch exceeds its limits."""

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfconnector._bulk_v1 import _xml, _zips
from sfconnector._bulk_v1._batches import FRAMES, FileBatch, cut, written
from sfconnector._bulk_v1._json_items import items

# XML 1.0 has all of these; "\ufffe" and most control characters it has not.
XML_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\ufffe\uffff", exclude_categories=["Cs", "Cc"]))
AWKWARD = st.sampled_from(["", " a ", "\r\n", "a\rb\n", "\u2028", "]]>", "<!--", "&amp;", '"{[\\', "\t", "日本", "😀"])
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name != "attributes")
VALUES = st.none() | st.text() | AWKWARD | st.booleans() | st.integers(-(2**53), 2**53)
RECORDS = st.dictionaries(NAMES, VALUES | st.dictionaries(NAMES, VALUES, min_size=1, max_size=3), max_size=6)
SIZES = st.integers(1, 40)
DEEP = st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


def pieces(text: bytes, size: int) -> Iterator[bytes]:
    return (text[at : at + size] for at in range(0, len(text), size))


@given(st.lists(RECORDS, max_size=8), SIZES, st.sampled_from([None, 1]))
def test_a_json_list_is_cut_into_its_items(records: list[Any], size: int, indent: int | None) -> None:
    text = json.dumps(records, indent=indent, ensure_ascii=bool(indent)).encode("utf-8", "surrogatepass")
    found = [json.loads(item) for some in items(pieces(text, size)) for item in some]
    assert found == records


@given(
    st.lists(st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
)
def test_nesting_of_any_depth_is_no_matter(values: list[Any]) -> None:
    records = [{"deep": [[[[value]]]]} for value in values]
    text = json.dumps(records).encode()
    assert [json.loads(item) for some in items([text]) for item in some] == records


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "[{}",
        "{}",
        "[{}]]",
        "[{}] x",
        '["a"]',
        "[1]",
        '[{"a',
        "[[]]",
        "[{}]{}",
        "[{}}",
        "x[{}]",
        '[{}]"',
        "[{}],",
    ],
)
def test_what_is_no_list_of_objects_is_refused(text: str) -> None:
    for size in (1, 3, 100):
        with pytest.raises(ValueError, match="list"):
            list(items(pieces(text.encode(), size)))


def test_a_mark_at_the_beginning_is_no_part_of_the_list() -> None:
    text = b'\xef\xbb\xbf [ {"a": 1} ,\n{"b": 2} ] \n'
    for size in (1, 2, 100):
        assert [item for some in items(pieces(text, size)) for item in some] == [b'{"a": 1}', b'{"b": 2}']


def as_text(value: Any) -> Any:
    """What XML makes of a value."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case dict():
            return {"sObject": {name: as_text(each) for name, each in value.items()}}
        case _:
            return value


XML_NAMES = NAMES.filter(lambda name: name != "records")
XML_VALUES = st.none() | XML_TEXT | AWKWARD | st.booleans() | st.integers()
PARENTS = st.dictionaries(XML_NAMES, XML_VALUES, min_size=1, max_size=3)


@given(st.lists(st.dictionaries(XML_NAMES, XML_VALUES | PARENTS, min_size=1), max_size=6), SIZES)
def test_xml_comes_back_as_it_was_written(records: list[dict[str, Any]], size: int) -> None:
    text = _xml.HEAD + b"".join(map(_xml.write, records)) + _xml.TAIL
    found = [element.record() for element in _xml.elements(pieces(text, size), 1, "sObjects")]
    assert found == [{name: as_text(value) for name, value in record.items()} for record in records]


def test_values_of_xml_are_those_of_salesforce() -> None:
    record = {
        "D": date(2026, 1, 31),
        "T": datetime(2026, 1, 31, 1, 2, 3, 4000, UTC),
        "C": time(1, 2, 3),
        "N": Decimal("12345678901234567890.10"),
        "E": Decimal("1E+3"),
        "F": 1.5,
        "B": True,
        "Owner": {"attributes": {"type": "User"}, "Email": "a@example.com"},
    }
    [text] = written([record], FRAMES["XML"])
    assert text.decode() == (
        "<sObject><D>2026-01-31</D><T>2026-01-31T01:02:03.004Z</T><C>01:02:03.000Z</C><N>12345678901234567890.10</N>"
        "<E>1000</E><F>1.5</F><B>true</B>"
        "<Owner><sObject><type>User</type><Email>a@example.com</Email></sObject></Owner></sObject>"
    )


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"Name": "a\0b"}, r"row 0: Name: XML has no way to write the character U\+0000"),
        ({"Name": "\ufffe"}, r"U\+FFFE"),
        ({"Owner.Email": "x<"}, "row 0"),
        ({"a b": "x"}, "no name of a field"),
        ({"Name": ["a"]}, "a list has no place"),
        ({"Name": object()}, "row 0: Name: a object has no place"),
        ({"Name": math.nan}, "no number for nan"),
        ({"Name": datetime(2026, 1, 1)}, "no time zone"),
        ("text", "row 0: a record is a dict"),
    ],
)
def test_what_xml_cannot_carry_is_told_with_its_row(record: Any, reason: str) -> None:
    if record == {"Owner.Email": "x<"}:
        assert list(written([record], FRAMES["XML"])) == [b"<sObject><Owner.Email>x&lt;</Owner.Email></sObject>"]
        return
    with pytest.raises((ValueError, TypeError), match=reason):
        list(written([record], FRAMES["XML"]))


LAUGHS = '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><results><result><id>&b;</id></result></results>'
OUTSIDE = '<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/hostname">]><results><result><id>&f;</id></result></results>'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (LAUGHS, "document type"),
        (OUTSIDE, "document type"),
        ('<!DOCTYPE results SYSTEM "http://127.0.0.1/x.dtd"><results/>', "document type"),
        ("<results><result><id>&undefined;</id></result></results>", "no XML"),
        ("<results><result></results>", "no XML"),
        ("<results><result>", "no XML"),
        ("", "no XML"),
        ("{}", "no XML"),
        ("<html><body>Down for maintenance</body></html>", "not that of results"),
        (f"<results>{'<a>' * 1000}", "without end"),
    ],
)
def test_no_entity_and_no_other_text_is_read(text: str, reason: str) -> None:
    for size in (1, 1000):
        with pytest.raises(_xml.XmlError, match=reason) as caught:
            list(_xml.elements(pieces(text.encode(), size), 1, "results"))
        assert "ha" not in str(caught.value).split()


FORMATS = pytest.mark.parametrize("name", ["JSON", "XML"])


def rows_of(batch: FileBatch, name: str) -> list[Any]:
    with batch.body() as body:
        text = body.read()
    assert len(text) == batch.size
    if name == "JSON":
        return list(json.loads(text))
    return [element.record() for element in _xml.elements([text], 1, "sObjects")]


@FORMATS
@given(st.lists(XML_TEXT | AWKWARD, max_size=30), st.integers(1, 7), st.integers(350, 700))
def test_batches_hold_all_rows_in_order_and_no_more_than_they_may(
    name: str, texts: list[str], most_rows: int, most_bytes: int
) -> None:
    rows = [{"Name": text[:20]} for text in texts]
    batches = list(cut(written(rows, FRAMES[name]), FRAMES[name], most_rows, most_bytes))
    assert all(0 < batch.rows <= most_rows and batch.size <= most_bytes for batch in batches)
    starts = [sum(each.rows for each in batches[:number]) for number in range(len(batches))]
    assert [batch.start for batch in batches] == starts
    assert [row for batch in batches for row in rows_of(batch, name)] == rows


@FORMATS
def test_a_batch_is_full_to_the_last_byte_and_not_one_more(name: str) -> None:
    rows = [{"Name": "x" * 10}] * 3
    whole = sum(map(len, written(rows, FRAMES[name])))
    frame = FRAMES[name]
    size = whole + len(frame.head) + len(frame.tail) + 2 * len(frame.separator)
    assert [batch.rows for batch in cut(written(rows, frame), frame, 10, size)] == [3]
    assert [batch.rows for batch in cut(written(rows, frame), frame, 10, size - 1)] == [2, 1]


@FORMATS
def test_a_row_that_no_batch_holds_is_told_before_it_is_sent(name: str) -> None:
    rows = [{"Name": "x"}, {"Name": "x" * 1000}]
    batches = cut(written(rows, FRAMES[name]), FRAMES[name], 10, 500)
    assert next(batches).rows == 1
    with pytest.raises(ValueError, match=r"row 1: it has 1,\d+ bytes, and a batch may have 500"):
        next(batches)


def test_no_more_rows_are_read_than_a_batch_needs() -> None:
    read = []

    def rows() -> Iterator[dict[str, Any]]:
        for number in range(10):
            read.append(number)
            yield {"N": number}

    batches = cut(written(rows(), FRAMES["JSON"]), FRAMES["JSON"], 3, 10_000)
    assert next(batches).rows == 3
    assert read == [0, 1, 2, 3]


def unzipped(batch: FileBatch) -> dict[str, bytes]:
    with batch.body() as body:
        content = body.read()
    assert len(content) == batch.size
    batch.release()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def close_all(batches: Iterator[FileBatch]) -> None:
    for batch in batches:
        batch.release()


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that do not become fewer when compressed."""
    return hashlib.shake_128(bytes([seed])).digest(size)


def json_frame(_: Any) -> Any:
    return FRAMES["JSON"]


def test_files_go_beside_the_rows_that_name_them(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"from a path")
    with (tmp_path / "a.txt").open("rb") as stream:
        stream.seek(5)
        rows: list[Any] = [
            {"Name": "a.txt", "Body": tmp_path / "a.txt"},
            {"Name": "b", "Body": str(tmp_path / "a.txt"), "ParentId": "001000000000001AAA"},
            {"Name": "c", "Body": stream},
            {"Name": "d", "Body": b"\0\xff" * 1000},
            {"Name": "no file"},
        ]
        [batch] = _zips.cut(rows, "Body", json_frame)
        assert (batch.start, batch.rows) == (0, 5)
        files = unzipped(batch)
    manifest = json.loads(files.pop("request.txt"))
    assert manifest == [
        {"Name": "a.txt", "Body": "#0"},
        {"Name": "b", "ParentId": "001000000000001AAA", "Body": "#1"},
        {"Name": "c", "Body": "#2"},
        {"Name": "d", "Body": "#3"},
        {"Name": "no file"},
    ]
    assert files == {"0": b"from a path", "1": b"from a path", "2": b"a path", "3": b"\0\xff" * 1000}


@pytest.mark.parametrize("compressible", [True, False])
def test_zip_files_stay_within_all_three_limits(monkeypatch: pytest.MonkeyPatch, compressible: bool) -> None:
    monkeypatch.setattr(_zips, "MOST_ZIPPED", 20_000)
    monkeypatch.setattr(_zips, "MOST_UNZIPPED", 40_000)
    monkeypatch.setattr(_zips, "MOST_FILES", 8)
    contents = [bytes(5000) if compressible else noise(5000, number) for number in range(20)]
    rows = [{"Name": str(number), "Body": content} for number, content in enumerate(contents)]
    found, names = [], []
    for batch in _zips.cut(rows, "Body", json_frame):
        assert batch.size <= 20_000
        files = unzipped(batch)
        assert sum(map(len, files.values())) <= 40_000
        assert len(files) <= 8
        for row in json.loads(files["request.txt"]):
            names.append(row["Name"])
            found.append(files[row["Body"][1:]])
    assert (found, names) == (contents, [str(number) for number in range(20)])


def test_a_file_that_no_batch_holds_is_told_with_its_row(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(_zips, "MOST_ZIPPED", 5_000)
    monkeypatch.setattr(_zips, "MOST_UNZIPPED", 50_000)
    for source, reason in [
        (bytes(50_001), "row 1: the file has 50,001 bytes, and a batch takes 50,000"),
        (noise(6_000), "row 1: it has 6,0.. bytes with its file, zipped 6,0.."),
        (tmp_path / "missing", "row 1: the source .* cannot be read"),
        (3, "row 1: a source is a path"),
    ]:
        with pytest.raises((ValueError, TypeError), match=reason):
            close_all(_zips.cut([{"Body": b"x"}, {"Body": source}], "Body", json_frame))


def test_a_batch_that_is_not_taken_leaves_no_file_open() -> None:
    batches = _zips.cut(({"Body": b"x"} for _ in range(3)), "Body", json_frame)
    next(batches).release()
    batches.close()  # type: ignore[attr-defined]  # a generator

    def failing() -> Iterator[dict[str, Any]]:
        yield {"Body": b"x"}
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        next(_zips.cut(failing(), "Body", json_frame))
