"""Queries into tables and data frames: on a local org, and on servers that say what no org should."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from describes import child, described, field, parent
from http_server import Reply, Seen, Server
from hypothesis import given, settings
from hypothesis import strategies as st

from sfconnector import Retry, Salesforce, _tables, auth, errors
from sfconnector._columns import Column
from sfconnector.testing import LocalOrg

STAMP = pa.timestamp("ms", "UTC")
ADDRESS = pa.struct(
    [(name, pa.string()) for name in ("street", "city", "state", "stateCode", "postalCode", "country", "countryCode")]
    + [("geocodeAccuracy", pa.string()), ("latitude", pa.float64()), ("longitude", pa.float64())]
)


def connect(server: Server) -> Salesforce:
    return Salesforce(auth.AccessToken(server.url, "token"), retry=Retry(attempts=1))


def org(records: Sequence[Mapping[str, Any]], *objects: dict[str, Any]) -> Server:
    """An org whose every query answers these records, a page for each two."""
    pages = [records[start : start + 2] for start in range(0, len(records), 2)] or [[]]
    known = {each["name"].lower(): each for each in objects}

    def answer(seen: Seen) -> Reply:
        if seen.target.endswith("/describe"):
            name = seen.target.split("/")[-2].lower()
            return Reply.of(known[name]) if name in known else Reply.error(404, "NOT_FOUND")
        number = int(seen.target.rpartition("/01g")[2]) if "/01g" in seen.target else 0
        body: dict[str, Any] = {"totalSize": len(records), "done": number == len(pages) - 1}
        if not body["done"]:
            body["nextRecordsUrl"] = f"/services/data/v68.0/query/01g{number + 1}"
        return Reply.of(body | {"records": pages[number]})

    return Server(answer)


def described_objects(server: Server) -> list[str]:
    return [seen.target.split("/")[-2] for seen in server.seen if seen.target.endswith("/describe")]


EVERYTHING = described(
    "Thing__c",
    field("Id", "id"),
    field("Text__c", "string"),
    field("Whole__c", "int"),
    field("Long__c", "long"),
    field("Money__c", "currency", scale=2),
    field("Number__c", "double", scale=3),
    field("Part__c", "percent", scale=1),
    field("Yes__c", "boolean"),
    field("Day__c", "date"),
    field("At__c", "datetime"),
    field("Clock__c", "time"),
    field("Many__c", "multipicklist"),
    field("One__c", "picklist"),
    field("Body__c", "base64"),
    field("Any__c", "anyType"),
    field("Home__c", "address"),
    field("Place__c", "location"),
    parent("Parent__c", "Parent__r", "Thing__c"),
    parent("OwnerId", "Owner", "Group", "User"),
    parent("WhatId", "What", "Account", "Thing__c"),
    children=(child("Things__r", "Thing__c"),),
)
FULL = {
    "Id": "a00000000000001AAA",
    "Text__c": "00501",
    "Whole__c": 7,
    "Long__c": 2**62,
    "Money__c": 1234.565,
    "Number__c": 5,
    "Part__c": 12.5,
    "Yes__c": False,
    "Day__c": "2024-02-29",
    "At__c": "2024-05-01T12:00:00.250+0000",
    "Clock__c": "09:30:00.500Z",
    "Many__c": "a;b",
    "One__c": "x",
    "Body__c": "/services/data/v68.0/sobjects/Thing__c/a00/Body__c",
    "Any__c": {"b": 1},
    "Home__c": {"city": "Lund", "postalCode": "00501", "latitude": 55.7, "longitude": 13.2, "country": None},
    "Place__c": {"latitude": 1, "longitude": -2.5},
}
TYPES = {
    "Id": pa.string(),
    "Text__c": pa.string(),
    "Whole__c": pa.int64(),
    "Long__c": pa.int64(),
    "Money__c": pa.float64(),
    "Number__c": pa.float64(),
    "Part__c": pa.float64(),
    "Yes__c": pa.bool_(),
    "Day__c": pa.date32(),
    "At__c": STAMP,
    "Clock__c": pa.time64("us"),
    "Many__c": pa.string(),
    "One__c": pa.string(),
    "Body__c": pa.string(),
    "Any__c": pa.string(),
    "Home__c": ADDRESS,
    "Place__c": pa.struct([("latitude", pa.float64()), ("longitude", pa.float64())]),
}
VALUES = FULL | {
    "Number__c": 5.0,
    "Day__c": date(2024, 2, 29),
    "At__c": datetime(2024, 5, 1, 12, microsecond=250_000, tzinfo=UTC),
    "Clock__c": time(9, 30, microsecond=500_000),
    "Any__c": '{"b":1}',
    "Home__c": dict.fromkeys(ADDRESS.names) | FULL["Home__c"],  # type: ignore[operator]
    "Place__c": {"latitude": 1.0, "longitude": -2.5},
}
SELECT = f"SELECT {', '.join(TYPES)} FROM Thing__c"


def test_every_type_of_field_has_its_arrow_type() -> None:
    empty = dict.fromkeys(FULL)
    with org([FULL, empty, FULL], EVERYTHING) as server, connect(server) as sf:
        table = sf.query(SELECT).to_arrow()
    assert table.schema == pa.schema(list(TYPES.items()))
    assert table.to_pylist() == [VALUES, empty, VALUES]


@pytest.mark.parametrize("records", [[], [dict.fromkeys(FULL)] * 3])
def test_columns_without_values_keep_their_types(records: list[dict[str, Any]]) -> None:
    with org(records, EVERYTHING) as server, connect(server) as sf:
        table = sf.query(SELECT).to_arrow()
    assert (table.schema, table.num_rows) == (pa.schema(list(TYPES.items())), len(records))


def test_decimals_and_lists_are_made_when_asked_for() -> None:
    with org([FULL, dict.fromkeys(FULL)], EVERYTHING) as server, connect(server) as sf:
        query = sf.query("SELECT Money__c, Number__c, Part__c, Many__c, Whole__c FROM Thing__c")
        table = query.to_arrow(decimals=True, split_multipicklists=True)
    assert table.schema.types == [pa.decimal128(38, scale) for scale in (2, 3, 1)] + [pa.list_(pa.string()), pa.int64()]
    # Rounded as Salesforce shows it: half up, in the digits that were sent and not in those of the float.
    assert table.to_pylist()[0] == {
        "Money__c": Decimal("1234.57"),
        "Number__c": Decimal("5.000"),
        "Part__c": Decimal("12.5"),
        "Many__c": ["a", "b"],
        "Whole__c": 7,
    }
    assert table.to_pylist()[1] == dict.fromkeys(table.column_names)


def test_paths_lead_over_descriptions_each_asked_for_once() -> None:
    inner = {"Text__c": "up", "Parent__r": {"Whole__c": 3, "Owner": {"Name": "Ada", "Profile": {"Name": "P"}}}}
    records = [{"Id": "1", "Parent__r": inner}, {"Id": "2", "Parent__r": None}, {"Id": "3", "Parent__r": inner}]
    soql = (
        "SELECT id, parent__r.text__c, t.Parent__r.Parent__r.Whole__c, Parent__r.Parent__r.Owner.Name,"
        " Parent__r.Parent__r.Owner.Profile.Name FROM Thing__c t"
    )
    profile = described("Profile", field("Name", "string"))
    with org(records, EVERYTHING, profile) as server, connect(server) as sf:
        table = sf.query(soql).to_arrow()
        assert described_objects(server) == ["Thing__c", "Profile"]
    assert table.to_pydict() == {
        "Id": ["1", "2", "3"],
        "Parent__r.Text__c": ["up", None, "up"],
        "Parent__r.Parent__r.Whole__c": [3, None, 3],
        "Parent__r.Parent__r.Owner.Name": ["Ada", None, "Ada"],
        "Parent__r.Parent__r.Owner.Profile.Name": ["P", None, "P"],
    }
    assert table.schema.types == [pa.string(), pa.string(), pa.int64(), pa.string(), pa.string()]


def test_groups_and_functions_have_the_types_of_what_they_count() -> None:
    soql = (
        "SELECT Parent__r.One__c, Day__c d, COUNT(Id), COUNT_DISTINCT(One__c) n, SUM(Money__c), SUM(Whole__c),"
        " AVG(Whole__c) a, MIN(At__c), MAX(Text__c), CALENDAR_YEAR(At__c), DAY_ONLY(At__c), GROUPING(One__c)"
        " FROM Thing__c GROUP BY ROLLUP(Parent__r.One__c, Day__c)"
    )
    record = {"One__c": "x", "d": "2024-01-02", "expr0": 2, "n": 1, "expr1": 2.5, "expr2": 14.0, "a": 7.5}
    record |= {"expr3": "2024-05-01T12:00:00.000+0000", "expr4": "z", "expr5": 2024, "expr6": "2024-05-01", "expr7": 0}
    with org([record], EVERYTHING) as server, connect(server) as sf:
        table = sf.query(soql).to_arrow()
        decimals = sf.query(soql).to_arrow(decimals=True)
    assert dict(zip(table.column_names, table.schema.types, strict=True)) == {
        "One__c": pa.string(),
        "d": pa.date32(),
        "expr0": pa.int64(),
        "n": pa.int64(),
        "expr1": pa.float64(),
        "expr2": pa.int64(),
        "a": pa.float64(),
        "expr3": STAMP,
        "expr4": pa.string(),
        "expr5": pa.int64(),
        "expr6": pa.date32(),
        "expr7": pa.int64(),
    }
    assert table["expr2"].to_pylist() == [14]
    assert (decimals.schema.field("expr1").type, decimals.schema.field("a").type) == (
        pa.decimal128(38, 2),
        pa.float64(),
    )


def test_functions_that_only_change_how_a_field_shows_keep_its_name() -> None:
    soql = (
        "SELECT toLabel(One__c), FORMAT(Money__c) shown, convertCurrency(Money__c),"
        " DISTANCE(Place__c, GEOLOCATION(1, 2), 'km') FROM Thing__c"
    )
    record = {"One__c": "An X", "shown": "$1.50", "Money__c": 1.5, "expr0": 12}
    with org([record], EVERYTHING) as server, connect(server) as sf:
        table = sf.query(soql).to_arrow()
    assert table.to_pylist() == [{"One__c": "An X", "shown": "$1.50", "Money__c": 1.5, "expr0": 12.0}]
    assert table.schema.types == [pa.string(), pa.string(), pa.float64(), pa.float64()]


def test_children_are_lists_of_structs_and_none_of_them_an_empty_list() -> None:
    children = {
        "totalSize": 2,
        "done": True,
        "records": [{"Whole__c": 1, "Owner": None}, {"Whole__c": None, "Owner": {"Name": "A"}}],
    }
    soql = "SELECT Id, (SELECT Whole__c, Owner.Name FROM things__r) FROM Thing__c"
    with (
        org([{"Id": "1", "Things__r": children}, {"Id": "2", "Things__r": None}], EVERYTHING) as server,
        connect(server) as sf,
    ):
        table = sf.query(soql).to_arrow()
    kind = pa.list_(pa.struct([("Whole__c", pa.int64()), ("Owner.Name", pa.string())]))
    assert table.schema == pa.schema([("Id", pa.string()), ("Things__r", kind)])
    assert table["Things__r"].to_pylist() == [
        [{"Whole__c": 1, "Owner.Name": None}, {"Whole__c": None, "Owner.Name": "A"}],
        [],
    ]


def test_children_may_be_named_before_their_fields() -> None:
    children = {"totalSize": 1, "done": True, "records": [{"Whole__c": 1, "Parent__r": {"Id": "x"}}]}
    soql = "SELECT (SELECT Thing__c.Whole__c, Thing__c.Parent__r.Id FROM Thing__c.Things__r) FROM Thing__c"
    with org([{"Things__r": children}], EVERYTHING) as server, connect(server) as sf:
        table = sf.query(soql).to_arrow()
    assert table.to_pylist() == [{"Things__r": [{"Whole__c": 1, "Parent__r.Id": "x"}]}]


def test_kinds_of_a_parent_share_a_struct_and_what_they_disagree_on_is_json() -> None:
    soql = (
        "SELECT TYPEOF What WHEN Account THEN Name, Size__c WHEN Thing__c THEN Whole__c, Size__c ELSE Name, Email END"
        " FROM Thing__c"
    )
    account = described("Account", field("Name", "string"), field("Size__c", "string"))
    thing = EVERYTHING | {"fields": [*EVERYTHING["fields"], field("Size__c", "int")]}
    records = [
        {"What": {"attributes": {"type": "Account"}, "Name": "Acme", "Size__c": "big"}},
        {"What": {"attributes": {"type": "Thing__c"}, "Whole__c": 3, "Size__c": 4}},
        {"What": None},
    ]
    with org(records, thing, account) as server, connect(server) as sf:
        table = sf.query(soql).to_arrow()
    assert table.schema.field("What").type == pa.struct(
        [("Name", pa.string()), ("Size__c", pa.string()), ("Whole__c", pa.int64()), ("Email", pa.string())]
    )
    blank = dict.fromkeys(("Name", "Size__c", "Whole__c", "Email"))
    assert table["What"].to_pylist() == [
        blank | {"Name": "Acme", "Size__c": "big"},
        blank | {"Whole__c": 3, "Size__c": "4"},
        None,
    ]


def test_what_no_description_names_is_text() -> None:
    record = {"Odd__c": 5, "Odd__r": {"Name": {"a": None}}, "Odds__r": None}
    soql = "SELECT Odd__c, Odd__r.Name, (SELECT Id FROM Odds__r) FROM Thing__c"
    with org([record], EVERYTHING) as server, connect(server) as sf:
        table = sf.query(soql).to_arrow()
    assert table.to_pylist() == [{"Odd__c": "5", "Odd__r.Name": '{"a":null}', "Odds__r": None}]


def test_fields_selects_the_described_fields_and_loses_none() -> None:
    sobject = described("Thing__c", field("Id", "id"), field("Whole__c", "int"), field("Blob", "base64"))
    with org([{"Id": "1", "Whole__c": 2}], sobject) as server, connect(server) as sf:
        assert sf.query("SELECT FIELDS(ALL) FROM Thing__c LIMIT 200").to_arrow().to_pylist() == [
            {"Id": "1", "Whole__c": 2, "Blob": None}
        ]
        assert sf.query("SELECT Id, FIELDS(CUSTOM) FROM Thing__c LIMIT 200").to_arrow().column_names == [
            "Id",
            "Whole__c",
        ]
        with pytest.raises(ValueError, match=r"FIELDS\(\) selects Whole__c, which the object's description lacks"):
            sf.query("SELECT FIELDS(STANDARD) FROM Thing__c").to_arrow()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Text__c", 5),
        ("Whole__c", 1.5),
        ("Whole__c", "1"),
        ("Whole__c", True),
        ("Whole__c", 2**80),
        ("Money__c", "secret"),
        ("Money__c", True),
        ("Yes__c", 1),
        ("Day__c", "secret"),
        ("Day__c", 5),
        ("At__c", "2024-05-01T12:00:00"),
        ("Clock__c", "secret"),
        ("Home__c", "secret"),
        ("Home__c", {"city": 5}),
        ("Place__c", ["secret"]),
    ],
)
def test_a_value_that_does_not_fit_names_its_column_and_is_not_quoted(name: str, value: object) -> None:
    misfit = pytest.raises(ValueError, match=r": a value of the answer is no \w+$")
    with org([{name: value}], EVERYTHING) as server, connect(server) as sf, misfit as caught:
        sf.query(f"SELECT {name} FROM Thing__c").to_arrow()
    assert str(caught.value).startswith((name, "city"))
    assert caught.value.__cause__ is None
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("soql", "record", "reason"),
    [
        ("SELECT Id, Text__c FROM Thing__c", {"Id": "1"}, "Text__c: the query selects it"),
        ("SELECT Parent__r.Id FROM Thing__c", {"Parent__r": "x"}, "Parent__r.Id: the answer has no records"),
        ("SELECT (SELECT Id FROM Things__r) FROM Thing__c", {"Things__r": 5}, "Things__r: a value"),
    ],
)
def test_a_record_of_another_shape_is_an_error(soql: str, record: dict[str, Any], reason: str) -> None:
    with org([record], EVERYTHING) as server, connect(server) as sf, pytest.raises(ValueError, match=reason):
        sf.query(soql).to_arrow()


def test_names_in_other_capitals_are_found() -> None:
    with org([{"Total": 5}], EVERYTHING) as server, connect(server) as sf:
        assert sf.query("SELECT COUNT(Id) TOTAL FROM Thing__c").to_arrow().to_pylist() == [{"TOTAL": 5}]


@pytest.mark.parametrize("soql", ["SELECT COUNT() FROM Thing__c", "SELECT Id, FROM Thing__c", "FIND {x}"])
def test_what_has_no_columns_is_refused_before_anything_is_sent(soql: str) -> None:
    with org([], EVERYTHING) as server, connect(server) as sf:
        for convert in ("batches", "to_arrow", "to_pandas", "to_polars"):
            with pytest.raises(ValueError, match=r"COUNT|cannot be read"):
                getattr(sf.query(soql), convert)()
        with pytest.raises(ValueError, match="dtypes is 'pandas'"):
            sf.query("SELECT Id FROM Thing__c").to_pandas(dtypes="pandas")  # type: ignore[arg-type]
        assert server.seen == []


def test_a_refused_query_is_refused_before_descriptions_are_asked_for(sf: Salesforce, local_org: LocalOrg) -> None:
    with pytest.raises(errors.BadRequestError, match="INVALID_FIELD"):
        sf.query("SELECT Nonsense FROM Account").to_arrow()
    assert [request.path for request in local_org.requests if "/data/" in request.path] == [
        "/services/data/v68.0/query"
    ]


def test_batches_come_a_page_at_a_time() -> None:
    with org([{"Id": str(number)} for number in range(5)], EVERYTHING) as server, connect(server) as sf:
        query = sf.query("SELECT Id FROM Thing__c")
        batches = query.batches()
        assert server.seen == []
        assert [batch.num_rows for batch in batches] == [2, 2, 1]
        assert query.to_arrow()["Id"].to_pylist() == list("01234")
    with org([], EVERYTHING) as server, connect(server) as sf:
        assert [batch.num_rows for batch in sf.query("SELECT Id FROM Thing__c").batches()] == [0]


def test_pandas_gets_arrow_types_or_its_own() -> None:
    record = {"Id": "1", "Whole__c": 7, "Day__c": "2024-02-29", "Many__c": "a;b"}
    with org([record, dict.fromkeys(record)], EVERYTHING) as server, connect(server) as sf:
        query = sf.query("SELECT Id, Whole__c, Day__c, Many__c FROM Thing__c")
        frame = query.to_pandas(split_multipicklists=True)
        plain = query.to_pandas(dtypes="numpy")
    assert [str(dtype) for dtype in frame.dtypes] == [
        "string[pyarrow]",
        "int64[pyarrow]",
        "date32[day][pyarrow]",
        "list<item: string>[pyarrow]",
    ]
    assert isinstance(frame, pd.DataFrame)
    assert frame["Whole__c"].isna().tolist() == [False, True]
    assert (str(plain["Whole__c"].dtype), plain["Day__c"][0]) == ("float64", date(2024, 2, 29))


def test_polars_keeps_the_types_too() -> None:
    with org([FULL, dict.fromkeys(FULL)], EVERYTHING) as server, connect(server) as sf:
        frame = sf.query(SELECT).to_polars(decimals=True)
    assert isinstance(frame, pl.DataFrame)
    assert frame.schema["Money__c"] == pl.Decimal(38, 2)
    assert frame.schema["At__c"] == pl.Datetime("ms", "UTC")
    assert frame.schema["Whole__c"] == pl.Int64
    assert frame["Text__c"].to_list() == ["00501", None]


def test_a_local_orgs_records_fit_their_descriptions(sf: Salesforce) -> None:
    account = {"Name": "Acme", "BillingPostalCode": "00501", "BillingCity": "Holtsville", "NumberOfEmployees": 3}
    account_id = sf.sobject("Account").create(account).id
    sf.sobject("Contact").create({"LastName": "Curie", "AccountId": account_id, "Birthdate": date(1867, 11, 7)})
    table = sf.query(
        "SELECT Id, BillingPostalCode, BillingAddress, NumberOfEmployees, CreatedDate, Owner.Name, IsDeleted,"
        " (SELECT LastName, Birthdate FROM Contacts) FROM Account"
    ).to_arrow()
    row = table.to_pylist()[0]
    assert (row["Id"], row["BillingPostalCode"], row["NumberOfEmployees"], row["IsDeleted"]) == (
        account_id,
        "00501",
        3,
        False,
    )
    assert row["BillingAddress"]["city"] == "Holtsville"
    assert row["Contacts"] == [{"LastName": "Curie", "Birthdate": date(1867, 11, 7)}]
    assert table.schema.field("CreatedDate").type == STAMP
    everything = sf.query("SELECT FIELDS(ALL) FROM Account LIMIT 200").to_arrow()
    assert everything.column_names == [field.name for field in sf.sobject("Account").describe().fields]


scalars: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
    "Text__c": ("string", st.text()),
    "Whole__c": ("int", st.integers(-(2**63), 2**63 - 1)),
    "Money__c": ("currency", st.floats(allow_nan=False, allow_infinity=False)),
    "Yes__c": ("boolean", st.booleans()),
}


@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries({name: st.none() | values for name, (_, values) in scalars.items()})))
def test_plain_values_come_back_as_they_were_sent(records: list[dict[str, Any]]) -> None:
    columns = [Column(name, kind, (name,)) for name, (kind, _) in scalars.items()]
    batch = _tables.batch(columns, json.loads(json.dumps(records)), _tables.Choices())
    assert batch.to_pylist() == records


@settings(deadline=None)
@given(st.lists(st.none() | st.datetimes(min_value=datetime(1700, 1, 1), max_value=datetime(4000, 12, 31))))
def test_instants_come_back_cut_to_milliseconds(instants: list[datetime | None]) -> None:
    sent = [None if at is None else at.isoformat(timespec="milliseconds") + "+0000" for at in instants]
    column = Column("At__c", "datetime", ("At__c",))
    table = _tables.table([column], [sent], _tables.Choices())
    cut = [at and at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=UTC) for at in instants]
    assert table["At__c"].to_pylist() == cut


def test_a_missing_package_says_what_to_install(sf: Salesforce, monkeypatch: pytest.MonkeyPatch) -> None:
    query = sf.query("SELECT Id FROM Account")
    for module, extra, convert in (
        ("pandas", "pandas", query.to_pandas),
        ("polars", "polars", query.to_polars),
        ("pyarrow", "arrow", query.to_arrow),
        ("pyarrow", "arrow", query.batches),
    ):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            with pytest.raises(ImportError, match=rf'{module} is not installed: pip install "sfconnector\[{extra}\]"'):
                convert()


LARGE = described(
    "Large",
    field("Id", "id"),
    field("Name", "string"),
    field("Total__c", "currency", scale=2),
    field("Count__c", "int"),
    field("At__c", "datetime"),
    field("Note__c", "string"),
)


def test_a_long_query_takes_hardly_more_memory_than_its_table() -> None:
    pages, a_page = 200, 2000
    record = {
        "Name": "Acme",
        "Total__c": 1.5,
        "Count__c": 7,
        "At__c": "2024-05-01T12:00:00.000+0000",
        "Note__c": "x" * 100,
    }
    records = json.dumps(
        [{"attributes": {"type": "Large"}, "Id": f"a00{number:015}", **record} for number in range(a_page)]
    )

    def answer(seen: Seen) -> Reply:
        target = unquote(seen.target)
        if target.endswith("/describe"):
            return Reply.of(LARGE | {"name": target.split("/")[-2]})
        number = int(target.rpartition("/01g")[2]) if "/01g" in target else 0
        last = target.endswith("Small") or number == pages - 1
        more = "" if last else f'"nextRecordsUrl": "/services/data/v68.0/query/01g{number + 1}", '
        body = f'{{"totalSize": {pages * a_page}, "done": {json.dumps(last)}, {more}"records": {records}}}'
        return Reply(body=body.encode(), headers={"Content-Type": "application/json"})

    program = Path(__file__).with_name("table_memory.py")
    with Server(answer) as server:
        command = [sys.executable, program, server.url, str(pages * a_page)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    table, grown = map(int, run.stdout.split())
    assert table > 60e6
    assert grown <= 1.3 * table
