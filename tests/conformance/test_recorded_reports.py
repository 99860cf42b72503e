"""Reports that Salesforce ran, through our client: every row and every summary, from the fact map by other means."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pytest
from recordings import Exchange, Recordings
from replay import Replay

from sfconnector import ReportResult, Salesforce, auth

REPORT = "00O000000000001AAA"
DETAILED = ["tabular_basic.json", "summary_basic_single_group.json", "matrix_basic.json"]
ALL = [*DETAILED, "matrix_complex.json"]


def report(recordings: Recordings, name: str) -> tuple[ReportResult, Mapping[str, Any]]:
    """Let the client run a report that is answered with what was recorded."""
    text = recordings.body(name)
    exchange = Exchange(
        id=name,
        category="reports",
        method="GET",
        path=f"/services/data/v31.0/analytics/reports/{REPORT}",
        query=(("includeDetails", "true"),),
        request_body="",
        status=200,
        headers={"Content-Type": "application/json;charset=UTF-8"},
        body=text,
        version="31.0",
        edited=False,
    )
    with Replay([exchange]) as server, Salesforce(auth.AccessToken(server.url, "token"), api_version="31.0") as sf:
        return sf.reports.run(REPORT), exchange.data


def groups_of(groupings: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """List all groups with the groups around them."""
    for group in groupings:
        yield group["key"], [group]
        for key, inside in groups_of(group["groupings"]):
            yield key, [group, *inside]


def parts(data: Mapping[str, Any], key: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The columns that a cell of the fact map is grouped by, with the groups that it lies in."""
    found = []
    for side, half in zip(("Down", "Across"), key.split("!"), strict=True):
        names = [each["name"] for each in data["reportMetadata"][f"groupings{side}"]]
        paths = dict(groups_of(data[f"groupings{side}"]["groupings"]))
        found += list(zip(names, paths[half] if half != "T" else [], strict=False))
    return found


def shown(cell: Mapping[str, Any], kind: str) -> Any:
    """What a cell is to a program."""
    match cell["value"]:
        case {"amount": amount}:
            return amount
        case str() if kind == "string":
            return cell["label"]
        case value:
            return value


@pytest.mark.parametrize("name", DETAILED)
def test_every_row_is_there_with_its_groups(recordings: Recordings, name: str) -> None:
    result, data = report(recordings, name)
    info = data["reportExtendedMetadata"]
    kinds = {
        column: described["dataType"]
        for part in ("detailColumnInfo", "groupingColumnInfo")
        for column, described in info[part].items()
    }
    expected = []
    for key, cell in data["factMap"].items():
        for row in cell["rows"]:
            named = zip(data["reportMetadata"]["detailColumns"], row["dataCells"], strict=True)
            expected.append({column: shown(each, kinds[column]) for column, each in [*parts(data, key), *named]})
    rows = result.rows()
    assert len(rows) == len(expected) > 10
    assert sorted(rows, key=repr) == sorted(expected, key=repr)
    assert {tuple(row) for row in rows} == {tuple(column.name for column in result.columns)}


@pytest.mark.parametrize("name", ALL)
def test_every_summary_is_there_with_its_groups(recordings: Recordings, name: str) -> None:
    result, data = report(recordings, name)
    kinds = {
        column: described["dataType"]
        for column, described in data["reportExtendedMetadata"]["groupingColumnInfo"].items()
    }
    expected = [
        (
            {column: shown(group, kinds[column]) for column, group in parts(data, key)},
            dict(
                zip(data["reportMetadata"]["aggregates"], (each["value"] for each in cell["aggregates"]), strict=True)
            ),
        )
        for key, cell in data["factMap"].items()
    ]
    found = [(dict(summary.groups), dict(summary.values)) for summary in result.summaries()]
    assert len(found) == len(expected)
    assert sorted(found, key=repr) == sorted(expected, key=repr)
    assert found[0][0] == {}


@pytest.mark.parametrize("name", DETAILED)
def test_the_rows_of_groups_add_up_to_the_summaries(recordings: Recordings, name: str) -> None:
    result, data = report(recordings, name)
    rows = result.rows()
    sums = [each[2:] for each in data["reportMetadata"]["aggregates"] if each.startswith("s!")]
    for summary in result.summaries():
        inside = [row for row in rows if summary.groups.items() <= row.items()]
        for column in sums:
            assert sum(row[column] or 0 for row in inside) == summary.values[f"s!{column}"], summary.groups
        assert summary.values.get("RowCount", len(inside)) == len(inside)


def test_rows_come_in_the_order_of_the_report(recordings: Recordings) -> None:
    result, _ = report(recordings, "matrix_basic.json")
    first, second = (column.name for column in result.columns[:2])
    seen = [(row[first], row[second]) for row in result.rows()]
    assert list(dict.fromkeys(seen)) == sorted(set(seen))


@pytest.mark.parametrize("name", DETAILED)
def test_a_table_has_the_rows(recordings: Recordings, name: str) -> None:
    result, _ = report(recordings, name)
    table = result.to_arrow()
    kinds = {column.name: column.type for column in result.columns}
    for column, arrow in zip(table.column_names, table.schema.types, strict=True):
        numbers = {"currency": pa.float64(), "int": pa.int64()}
        days = {"date": pa.date32(), "datetime": pa.date32()}
        assert arrow == {**numbers, **days}.get(kinds[column], pa.string()), column
    assert [
        {
            key: value if value is None or not hasattr(value, "isoformat") else value.isoformat()
            for key, value in row.items()
        }
        for row in table.to_pylist()
    ] == result.rows()
    assert result.to_pandas().shape == result.to_polars().shape == (table.num_rows, table.num_columns)


def test_a_report_without_details_says_so(recordings: Recordings) -> None:
    result, _ = report(recordings, "matrix_complex.json")
    assert result.all_data
    assert not result.has_details
    with pytest.raises(ValueError, match="without details"):
        result.rows()
