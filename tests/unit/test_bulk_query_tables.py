"""Tables from query jobs: the types of the descriptions, the same that sf.query gives, and no other value."""

import io
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bulk_results import JOB, Results, compressed, cut, once, rows
from http_server import Reply
from hypothesis import given
from hypothesis import strategies as st

from sfconnector import Salesforce, errors
from sfconnector._bulk.query_csv import RowCount
from sfconnector._bulk.tables import whole_rows
from sfconnector.testing import LocalOrg

COLUMNS = {
    "Id": pa.string(),
    "NumberOfEmployees": pa.int64(),
    "AnnualRevenue": pa.float64(),
    "Active__c": pa.bool_(),
    "Since__c": pa.date32(),
    "CreatedDate": pa.timestamp("ms", "UTC"),
    "Opens__c": pa.time64("us"),
    "Kinds__c": pa.string(),
    "BillingPostalCode": pa.string(),
    "Owner.Name": pa.string(),
    "Parent.Owner.IsActive": pa.bool_(),
    "Parent.Parent.AnnualRevenue": pa.float64(),
}
HEADER = (",".join(f'"{name}"' for name in COLUMNS) + "\n").encode()
FULL = (
    b'"001","7","1234567.125","true","2024-02-29","2024-02-29T23:59:59.123Z","08:30:00.000Z","a;b","00501",'
    b'"O\'Neil, ""X""\r\n\xe2\x80\xa8","false","-1.5E7"\n'
)
NULLS = b",".join([b'""'] * len(COLUMNS)) + b"\n"
OFFSET = FULL.replace(b"123Z", b"123+0000").replace(b"1234567.125", b"3")


def table(body: bytes, header: bytes = HEADER, count: int | None = None, **options: Any) -> pa.Table:
    server = Results([body], header=header, counts=[body.count(b'"001"') if count is None else count])
    with server, server.connect() as sf:
        return sf.bulk.query_job(JOB).to_arrow(**options)


def test_each_value_has_the_type_of_its_field() -> None:
    found = table(FULL + NULLS + OFFSET, count=3)
    assert dict(zip(found.schema.names, found.schema.types, strict=True)) == COLUMNS
    first, second, third = found.to_pylist()
    assert first == {
        "Id": "001",
        "NumberOfEmployees": 7,
        "AnnualRevenue": 1234567.125,
        "Active__c": True,
        "Since__c": date(2024, 2, 29),
        "CreatedDate": datetime(2024, 2, 29, 23, 59, 59, 123000, tzinfo=UTC),
        "Opens__c": time(8, 30),
        "Kinds__c": "a;b",
        "BillingPostalCode": "00501",
        "Owner.Name": 'O\'Neil, "X"\r\n\u2028',
        "Parent.Owner.IsActive": False,
        "Parent.Parent.AnnualRevenue": -1.5e7,
    }
    assert {*second.values()} == {None}
    assert third == {**first, "AnnualRevenue": 3.0}


def test_decimals_and_lists_by_choice() -> None:
    found = table(FULL + NULLS, count=2, decimals=True, split_multipicklists=True)
    assert found.schema.field("AnnualRevenue").type == pa.decimal128(38, 2)
    # As Salesforce's pages round it.
    assert found["AnnualRevenue"].to_pylist() == [Decimal("1234567.13"), None]
    assert found["Parent.Parent.AnnualRevenue"].to_pylist() == [Decimal("-15000000.00"), None]
    assert found["Kinds__c"].to_pylist() == [["a", "b"], None]


def test_names_are_those_of_the_descriptions_however_they_were_asked_for() -> None:
    found = table(b'"1","2","3","x"\n', b'"ID","Account.annualrevenue","owner.NAME","expr0"\n', 1)
    assert found.schema.names == ["Id", "AnnualRevenue", "Owner.Name", "expr0"]
    assert found.schema.types == [pa.string(), pa.float64(), pa.string(), pa.string()]


def test_functions_have_the_type_that_the_query_tells() -> None:
    created = Reply.of({"id": JOB, "operation": "query", "state": "UploadComplete", "object": "Account"})
    body = b'"9","4","2024-02-29T00:00:00.000Z"\n'
    server = Results([body], counts=[1], header=b'"toLabel(Active__c)","expr0","CreatedDate"\n')
    with server, server.connect() as sf:
        asked = server._answer
        server._answer = lambda seen: created if seen.method == "POST" else asked(seen)
        job = sf.bulk.query("SELECT toLabel(Active__c), DAY_IN_MONTH(CreatedDate), CreatedDate FROM Account")
        assert job.to_arrow().schema.types == [pa.string(), pa.int64(), pa.timestamp("ms", "UTC")]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("NumberOfEmployees", "1.5"),
        ("NumberOfEmployees", "secret"),
        ("AnnualRevenue", "secret"),
        ("Active__c", "secret"),
        ("Since__c", "2024-02-30"),
        ("CreatedDate", "2024-02-29"),
        ("CreatedDate", "2024-02-29T00:00:00"),
        ("Opens__c", "secret"),
    ],
)
def test_a_value_that_does_not_fit_is_an_error_that_does_not_quote_it(column: str, value: str) -> None:
    with pytest.raises(errors.InvalidResponseError, match=f"{column}: a value of the answer is no") as caught:
        table(f'"{value}"\n'.encode(), f'"{column}"\n'.encode(), 1)
    assert value not in str(caught.value)


def test_a_decimal_that_is_none_is_an_error() -> None:
    with pytest.raises(errors.InvalidResponseError, match="AnnualRevenue: a value of the answer is no currency"):
        table(b'"secret"\n', b'"AnnualRevenue"\n', 1, decimals=True)


def test_whole_numbers_are_read_however_they_are_written() -> None:
    found = table(b'"1.2345678E7"\n"3.0"\n"-9007199254740993"\n', b'"NumberOfEmployees"\n', 3)
    assert found["NumberOfEmployees"].to_pylist() == [12345678, 3, -9007199254740993]


def test_decimals_have_all_digits_that_came() -> None:
    found = table(b'"1234567890123456.78"\n"-0.005"\n"1.5E20"\n', b'"AnnualRevenue"\n', 3, decimals=True)
    expected = [Decimal("1234567890123456.78"), Decimal("-0.01"), Decimal("150000000000000000000.00")]
    assert found["AnnualRevenue"].to_pylist() == expected


@pytest.mark.parametrize("size", [1 << 20, 5_000_000])
def test_a_row_may_have_any_size(size: int) -> None:
    body = b"".join(b'"%d","%s"\n' % (number, b"x\n" * (size // 2 if number % 2 else 1)) for number in range(5))
    found = table(body, b'"Id","Description"\n', 5)
    assert found["Id"].to_pylist() == ["0", "1", "2", "3", "4"]
    assert [len(text) for text in found["Description"].to_pylist()] == [2, size, 2, size, 2]


@pytest.mark.parametrize("body", [b'"a","secret"\n', b'"a"\n"secret","b"\n'])
def test_what_is_no_csv_with_these_columns_is_an_error_that_quotes_nothing(body: bytes) -> None:
    with pytest.raises(errors.InvalidResponseError, match="no CSV with 1 columns") as caught:
        table(body, b'"Id"\n', 1)
    assert "secret" not in str(caught.value)


def test_what_is_not_utf8_is_an_error() -> None:
    with pytest.raises(errors.InvalidResponseError):
        table(b'"\xff"\n', b'"Id"\n', 1)


@pytest.mark.parametrize("header", [HEADER, HEADER.removesuffix(b"\n")])
def test_no_rows_are_the_columns(header: bytes) -> None:
    found = table(b"", header)
    assert (found.num_rows, dict(zip(found.schema.names, found.schema.types, strict=True))) == (0, COLUMNS)


def test_nothing_at_all_has_the_columns_of_the_query_where_it_is_known() -> None:
    created = Reply.of({"id": JOB, "operation": "query", "state": "JobComplete", "numberRecordsProcessed": 0})
    server = Results([b""], counts=[0], header=b"")
    with server, server.connect() as sf:
        asked = server._answer
        server._answer = lambda seen: created if seen.method == "POST" else asked(seen)
        found = sf.bulk.query("SELECT Id, Owner.Name, AnnualRevenue FROM Account").to_arrow()
        assert found.schema == pa.schema({"Id": pa.string(), "Owner.Name": pa.string(), "AnnualRevenue": pa.float64()})
        assert sf.bulk.query_job(JOB).to_arrow().num_columns == 0


@pytest.mark.parametrize("workers", [1, 3])
def test_pages_make_one_table_in_order(workers: int) -> None:
    pages = [rows(0, 3000), b"", rows(3000, 3001), rows(3001, 50_000)]
    with Results(pages) as server, server.connect() as sf:
        job = sf.bulk.query_job(JOB, workers=workers)
        assert job.to_arrow()["Id"].to_pylist() == [str(number) for number in range(50_000)]
        batches = list(job.batches())
        assert len(batches) > 3
        assert sum(batch.num_rows for batch in batches) == 50_000


@pytest.mark.parametrize("workers", [1, 3])
def test_a_page_that_breaks_below_arrow_is_carried_on(workers: int) -> None:
    with Results([rows(0, 60_000), rows(60_000, 60_010)]) as server, server.connect() as sf:
        page = server.page(0)
        broken = [cut(page, len(page.body) // 2), cut(page, len(page.body) - 5)]
        server._intervene = once("results" if workers == 1 else "results?locator=P0", *broken)
        found = sf.bulk.query_job(JOB, workers=workers).to_arrow()
        assert found["NumberOfEmployees"].to_pylist() == list(range(60_010))


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_below_arrow_is_the_same_error(workers: int) -> None:
    with Results([rows(0, 60_000)]) as server, server.connect() as sf:
        page = server.page(0)
        server._intervene = lambda target, _: (
            cut(page, len(page.body) // 2) if target in {"results", "results?locator=P0"} else None
        )
        with pytest.raises(errors.TransportError):
            sf.bulk.query_job(JOB, workers=workers).to_arrow()


def test_another_answer_the_second_time_is_an_error() -> None:
    with Results([rows(0, 60_000)]) as server, server.connect() as sf:
        page = server.page(0)
        server._intervene = once("results", cut(page, len(page.body) // 2), compressed(b'"Id"\n' * 500_000))
        with pytest.raises(errors.InvalidResponseError, match="from the beginning on"):
            sf.bulk.query_job(JOB).to_arrow()


@pytest.mark.parametrize("workers", [1, 3])
def test_rows_that_are_missing_or_too_many_are_an_error(workers: int) -> None:
    problem = "2,999 rows were announced, and 3,000 came"
    with (
        Results([rows(0, 3000)], counts=[2999]) as server,
        server.connect() as sf,
        pytest.raises(errors.InvalidResponseError, match=problem),
    ):
        sf.bulk.query_job(JOB, workers=workers).to_arrow()


@pytest.mark.parametrize("workers", [1, 3])
def test_who_stops_reading_batches_leaves_nothing_behind(workers: int) -> None:
    with Results([rows(0, 60_000)] * 3) as server, server.connect(max_connections=4) as sf:
        for _ in range(5):
            batches = sf.bulk.query_job(JOB, workers=workers).batches()
            assert next(batches)["Id"][0].as_py() == "0"
            del batches


def test_parquet(tmp_path: Path) -> None:
    target, memory = tmp_path / "rows.parquet", io.BytesIO()
    with Results([rows(0, 3000), rows(3000, 3005)]) as server, server.connect() as sf:
        job = sf.bulk.query_job(JOB)
        assert (job.to_parquet(target), job.to_parquet(memory)) == (3005, 3005)
        expected = job.to_arrow()
    assert pq.read_table(target).equals(expected)
    assert pq.read_table(memory).equals(expected)
    assert [*tmp_path.iterdir()] == [target]


def test_parquet_without_rows_has_the_columns(tmp_path: Path) -> None:
    with Results([b""], header=HEADER) as server, server.connect() as sf:
        assert sf.bulk.query_job(JOB).to_parquet(tmp_path / "none.parquet") == 0
        assert pq.read_table(tmp_path / "none.parquet").schema.names == [*COLUMNS]


def test_a_parquet_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with Results([rows(0, 3000)], info={"numberRecordsProcessed": 3001}) as server, server.connect() as sf:
        with pytest.raises(errors.InvalidResponseError, match="3,000 rows came in all, and the job has 3,001"):
            sf.bulk.query_job(JOB).to_parquet(tmp_path / "rows.parquet")
        with pytest.raises(ValueError, match="is a folder"):
            sf.bulk.query_job(JOB).to_parquet(tmp_path)
    assert [*tmp_path.iterdir()] == []


class Full(io.BytesIO):
    """A file on a disk that is full."""

    def write(self, *_: Any) -> int:
        raise OSError("no space left")


@pytest.mark.parametrize("method", ["to_csv", "to_parquet"])
@pytest.mark.parametrize("workers", [1, 4])
def test_a_file_that_cannot_be_written_leaves_nothing_behind(workers: int, method: str) -> None:
    with Results([rows(0, 60_000)] * 6) as server, server.connect(max_connections=1 + workers) as sf:
        caught = []
        for _ in range(3):
            with pytest.raises(OSError, match="no space left") as raised:
                getattr(sf.bulk.query_job(JOB, workers=workers), method)(Full())
            # Whoever keeps the error keeps the frames that it came through.
            caught.append(raised)
            assert not any("read-ahead" in thread.name for thread in threading.enumerate())


def test_data_frames() -> None:
    with Results([rows(0, 5)]) as server, server.connect() as sf:
        job = sf.bulk.query_job(JOB)
        assert job.to_pandas()["NumberOfEmployees"].tolist() == [0, 1, 2, 3, 4]
        assert str(job.to_pandas(dtypes="numpy")["NumberOfEmployees"].dtype) == "int64"
        assert job.to_polars()["Id"].to_list() == ["0", "1", "2", "3", "4"]
        with pytest.raises(ValueError, match="dtypes is 'x'"):
            job.to_pandas(dtypes="x")  # type: ignore[arg-type]  # which is refused


def test_without_arrow_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with Results([rows(0, 5)]) as server, server.connect() as sf:
        job = sf.bulk.query_job(JOB)
        for read in (job.batches, job.to_arrow, job.to_polars, job.to_pandas, lambda: job.to_parquet(io.BytesIO())):
            with pytest.raises(ImportError, match=r"pip install \"sfconnector\[arrow\]\""):
                read()
        assert server.seen == []
        assert len(list(job.rows())) == 5


def test_a_local_org_gives_the_same_table_as_a_query(sf: Salesforce, local_org: LocalOrg) -> None:
    local_org.add_field("Account", "Active__c", "boolean")
    local_org.add_field("Account", "Since__c", "date")
    local_org.add_field("Account", "Opens__c", "time")
    local_org.add_field("Account", "Kinds__c", {"type": "multipicklist", "values": ["a", "b", "c"]})
    records: list[dict[str, Any]] = [
        {"Name": 'a "b",\r\n\u2028c', "AnnualRevenue": 1234.5, "NumberOfEmployees": 7, "Active__c": True},
        {"Name": "nulls"},
        {"Name": "z", "Since__c": "2024-02-29", "Opens__c": "08:30:00.000Z", "Kinds__c": "a;c", "Active__c": False},
    ]
    assert sf.sobject("Account").create_many(records).failures() == []
    text = (
        "SELECT Id, Name, annualRevenue, NumberOfEmployees, Active__c, Since__c, Opens__c, Kinds__c, CreatedDate, "
        "Owner.Name, Owner.IsActive, OwnerId, Parent.Name FROM Account ORDER BY Name"
    )
    for choice in (False, True):
        found = sf.bulk.query(text).to_arrow(decimals=choice, split_multipicklists=choice)
        assert found.num_rows == 3
        assert found.equals(sf.query(text).to_arrow(decimals=choice, split_multipicklists=choice))


def test_memory_is_flat(tmp_path: Path) -> None:
    program = Path(__file__).with_name("bulk_query_memory.py")
    grown = subprocess.run([sys.executable, str(program), str(tmp_path)], capture_output=True, text=True, check=True)
    megabytes = dict(zip(("rows", "csv", "workers", "batches"), map(float, grown.stdout.split()), strict=True))
    assert megabytes["rows"] <= 10
    assert megabytes["csv"] <= 15
    assert megabytes["workers"] <= 15
    assert megabytes["batches"] <= 100


@given(
    st.lists(st.lists(st.text('a",\n\r', max_size=6), min_size=2, max_size=2), max_size=12),
    st.integers(1, 9),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_rows_are_counted_however_they_are_cut(cells: list[list[str]], step: int, end: str, ended: bool) -> None:
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in cells]
    text = (end.join(lines) + end * (ended and bool(lines))).encode()
    count = RowCount(b'"a","b"\n')
    for at in range(0, len(text), step):
        count.add(text[at : at + step])
    assert (count.rows, count.ended) == (len(cells), ended or not cells)


@given(
    st.lists(st.lists(st.text('a",\n\r', max_size=6), min_size=2, max_size=2), max_size=12),
    st.integers(1, 9),
    st.integers(1, 40),
    st.sampled_from(["\n", "\r\n"]),
)
def test_data_is_cut_at_the_ends_of_rows_alone(cells: list[list[str]], step: int, most: int, end: str) -> None:
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) + end for row in cells]
    text = "".join(lines).encode()
    found = list(whole_rows((text[at : at + step] for at in range(0, len(text), step)), end.encode(), most))
    assert b"".join(found) == text
    assert all(found)
    ends = {*accumulate(len(line.encode()) for line in lines)}
    assert {*accumulate(map(len, found))} <= ends


def test_rows_without_quotes_are_counted() -> None:
    count = RowCount(b"a,b\n")
    for block in (b"1,2\n3", b",4\n5,6"):
        count.add(block)
    assert (count.rows, count.ended) == (3, False)
