"""Recorded sessions of Bulk API 1.0 played to our client, call by call: it asks for the same, and reads what came."""

import csv
import json
import re
from collections import Counter
from typing import Any

import attrs
from recordings import Exchange, Recordings
from replay import Replay

from sfconnector import RowResult, Salesforce, auth
from sfconnector._bulk_v1._reading import result_ids

VERSION = "62.0"
RECORDED = [
    "TestUpsert.test_upsert_complex_fields__bulk",
    "TestUpsert.test_upsert_external_id_field",
    "TestSOQLDatasets.test_soql_dataset_bulk",
]
IN_JSON = "TestSelect.test_select_similarity_select_and_insert_strategy_bulk"


def of(recordings: Recordings, name: str) -> list[Exchange]:
    """The part of a recording that is Bulk API 1.0, with the values that its recorder replaced."""
    (sequence,) = (found for known, found in recordings.sequences.items() if known.endswith(f"{name}.yaml"))
    return [
        attrs.evolve(
            each,
            path=re.sub(r"/+services/async/[^/]+", f"/services/async/{VERSION}", each.path),
            # "{numrecsprocc:0}" stands for 0.
            body=re.sub(r"\{\w+:([^{}]*)\}", r"\1", each.body).replace("vxx.0", VERSION),
            query=(),
            version=VERSION,
        )
        for each in sequence
        if each.category == "bulk_v1"
    ]


def field(text: str, name: str) -> str:
    found = re.search(f"<{name}>([^<]*)</{name}>", text)
    return found[1] if found else ""


def play(sf: Salesforce, exchange: Exchange) -> tuple[str, Any]:
    """Make the call that the exchange is one of."""
    job_id, *rest = exchange.path.removeprefix(f"/services/async/{VERSION}/job").strip("/").split("/")
    sent = exchange.request_body
    match exchange.method, job_id, rest:
        case "POST", "", []:
            return "create_job", sf.bulk_v1.create_job(
                field(sent, "operation"),  # type: ignore[arg-type]  # as it was recorded
                field(sent, "object"),
                field(sent, "contentType"),  # type: ignore[arg-type]  # as it was recorded
                external_id=field(sent, "externalIdFieldName") or None,
            )
        case "POST", _, []:
            assert field(sent, "state") == "Closed"
            return "close_job", sf.bulk_v1.close_job(job_id)
        case "GET", _, []:
            return "get_job", sf.bulk_v1.get_job(job_id)
        case "POST", _, ["batch"]:
            return "add_batch", sf.bulk_v1.add_batch(job_id, sent, content_type="CSV")
        case "GET", _, ["batch"]:
            return "list_batches", sf.bulk_v1.list_batches(job_id)
        case "GET", _, ["batch", batch_id]:
            return "get_batch", sf.bulk_v1.get_batch(job_id, batch_id)
        case "GET", _, ["batch", batch_id, "result"] if "result-list" in exchange.body:
            return "result_ids", result_ids(sf._session, job_id, batch_id)
        case "GET", _, ["batch", batch_id, "result"]:
            return "get_batch_result", list(sf.bulk_v1.get_batch_result(job_id, batch_id))
    raise AssertionError(exchange.path)


def check(name: str, found: Any, text: str) -> None:
    """Hold what our client read against what came."""
    match name:
        case "get_batch_result":
            rows = list(csv.DictReader(text.splitlines()))
            assert rows
            assert found == [RowResult(row["Id"], row["Success"] == "true", row["Created"] == "true") for row in rows]
        case "result_ids":
            assert found == re.findall("<result>(\\w+)</result>", text)
        case "list_batches":
            assert [each.id for each in found] == re.findall("<id>(\\w+)</id>", text)
        case _:
            assert (found.id, found.state) == (field(text, "id"), field(text, "state"))


def client(server: Replay) -> Salesforce:
    return Salesforce(auth.AccessToken(server.url, "x"), api_version=VERSION)


def test_recorded_sessions(recordings: Recordings) -> None:
    played: Counter[str] = Counter()
    for name in RECORDED:
        sequence = of(recordings, name)
        with Replay(sequence) as server, client(server) as sf:
            for exchange in sequence:
                call, found = play(sf, exchange)
                check(call, found, exchange.body)
                played[call] += 1
        assert set(server.authorizations) == {None}, "Bulk API 1.0 has a header of its own for the token"
    assert played.keys() == {
        *("create_job", "close_job", "get_job", "add_batch", "list_batches", "get_batch", "get_batch_result"),
        "result_ids",
    }


def test_a_recorded_query_in_json(recordings: Recordings) -> None:
    sequence = of(recordings, IN_JSON)
    (added,) = (each for each in sequence if each.method == "POST" and each.path.endswith("/batch"))
    state, listed, records = (
        next(each for each in sequence if each.path.endswith(end))
        for end in ("/batch/7519H000001XiCzQAK", "/result", "/result/7529H000000xO6L")
    )
    job_id, batch_id = added.path.split("/")[5], state.path.split("/")[7]
    with Replay([added, state, listed, records]) as server, client(server) as sf:
        batch = sf.bulk_v1.add_batch(job_id, added.request_body, content_type="JSON")
        assert (batch.id, batch.job_id) == (added.data["id"], job_id)
        assert batch.created_date
        assert batch.created_date.isoformat() == "2024-11-21T08:31:31+00:00"
        assert sf.bulk_v1.get_batch(job_id, batch_id).state == "Completed"
        assert list(sf.bulk_v1.get_batch_result(job_id, batch_id)) == json.loads(records.body)
