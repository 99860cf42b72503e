"""Records and descriptions that Salesforce gave, as tables: the types fit, and no value is lost or changed."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import attrs
import pyarrow as pa
import pytest
from recordings import SCRUBBED, Exchange, Recordings
from replay import Replay

from sfconnector import Retry, Salesforce, auth

# SELECT lists of fields of the object itself, so that its own description is the only one that is asked for.
PLAIN = re.compile(r"\s*SELECT\s+((?!.*\bTYPEOF\b)[\w\s,]+?)\s+FROM\s+(\w+)\b", re.IGNORECASE)


@pytest.fixture
def described(recordings: Recordings) -> dict[str, Exchange]:
    """The largest description of each object, good for any version."""
    found = [each for each in recordings.of("describe.sobject", status=200) if '"fields"' in each.body]
    found.sort(key=lambda each: len(each.body))
    return {each.resource[1]: attrs.evolve(each, version=SCRUBBED) for each in found}


def tables(queries: list[Exchange], described: dict[str, Exchange]) -> Iterator[tuple[Exchange, pa.Table]]:
    for query in queries:
        match = PLAIN.match(query.params["q"])
        if match and match[2] in described and query.data["records"]:
            with Replay([query, described[match[2]]]) as server:
                version = "68.0" if query.version == SCRUBBED else query.version
                login = auth.AccessToken(server.url, "token")
                with Salesforce(login, api_version=version, retry=Retry(attempts=1)) as sf:
                    yield query, sf.query(query.params["q"]).to_arrow()


def test_recorded_records_are_what_their_descriptions_say(
    recordings: Recordings, described: dict[str, Exchange]
) -> None:
    kinds: set[str] = set()
    count = 0
    for query, table in tables(recordings.of("query", status=200), described):
        count += 1
        kinds |= {str(kind) for kind in table.schema.types}
        match = PLAIN.match(query.params["q"])
        assert match is not None
        assert [name.lower() for name in table.column_names] == [
            name.strip().lower() for name in match[1].split(",")
        ], query.id
        expected = [{name: record[name] for name in table.column_names} for record in query.data["records"]]
        assert [{name: written(value) for name, value in row.items()} for row in table.to_pylist()] == [
            {name: instant(value) for name, value in row.items()} for row in expected
        ], query.id
    assert count > 20
    assert {"string", "bool", "int64", "double", "timestamp[ms, tz=UTC]"} <= kinds


def test_recorded_kinds_of_a_parent_share_a_struct(recordings: Recordings, described: dict[str, Exchange]) -> None:
    (query,) = [each for each in recordings.of("query", status=200) if "TYPEOF" in each.params["q"]]
    objects = [described[name] for name in ("Event", "Contact", "Lead", "Account")]
    with Replay([query, *objects]) as server:
        login = auth.AccessToken(server.url, "token")
        with Salesforce(login, api_version=query.version, retry=Retry(attempts=1)) as sf:
            table = sf.query(query.params["q"]).to_arrow()
    for row, record in zip(table.to_pylist(), query.data["records"], strict=True):
        for relationship in ("Who", "What"):
            parent = record[relationship] or {}
            found = {name: value for name, value in parent.items() if value is not None and name != "attributes"}
            assert written(row[relationship] or {}) == found


def written(value: Any) -> Any:
    """A cell as JSON writes it, instants aside."""
    if isinstance(value, dict):
        return {name: part for name, part in value.items() if part is not None}
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value


def instant(value: Any) -> Any:
    """A JSON value, and an instant as one."""
    if isinstance(value, dict):
        # An org without state and country picklists sends no codes.
        return {name: part for name, part in value.items() if part is not None}
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+0000", value):
        return datetime.fromisoformat(value).astimezone(UTC)
    return value


def test_a_recorded_count_needs_no_description(recordings: Recordings) -> None:
    found = [each for each in recordings.of("query", status=200) if "count(Id)" in each.params["q"]]
    for query in found:
        with Replay([query]) as server, Salesforce(auth.AccessToken(server.url, "token")) as sf:
            table = sf.query(query.params["q"]).to_arrow()
        assert table.schema == pa.schema([("expr0", pa.int64())])
        assert table.to_pylist() == [{"expr0": query.data["records"][0]["expr0"]}]
    assert found
