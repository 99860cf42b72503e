"""Recorded sessions of Bulk API 1.0, sent to the local org: its answers have the same bytes but for the values."""

import csv
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from recordings import Exchange, Recordings

from sfconnector.testing import LocalOrg

# In this one the answers of two jobs have come under one request, with a status that is no other job's.
MIXED = "TestSelect.test_select_similarity_select_and_insert_strategy_bulk"
RECORDED = (
    "TestUpsert.test_upsert_complex_fields__bulk",
    "TestUpsert.test_upsert_external_id_field",
    "TestSOQLDatasets.test_soql_dataset_bulk",
)
VERSION = "62.0"
FORMATS = {"CSV": "text/csv", "JSON": "application/json", "XML": "application/xml"}


class Replay:
    """Sends the requests of a recording with the ids that the org has given to what they are about."""

    def __init__(self, org: LocalOrg) -> None:
        self.org = org
        self.http = requests.Session()
        self.http.headers["X-SFDC-Session"] = org.access_token()
        self.ids: dict[str, str] = {}
        self.kinds: dict[str, str] = {}

    def send(self, recorded: Exchange) -> requests.Response:
        path = re.sub(r"/+services/async/[^/]+", f"/services/async/{VERSION}", recorded.path)
        for theirs, ours in self.ids.items():
            path = path.replace(theirs, ours)
        body = unchunked(recorded.request_body)
        response = self.http.request(
            recorded.method,
            self.org.url + path,
            data=body.encode(),
            headers={"Content-Type": self.media_type(path, body)},
            timeout=30,
        )
        self.learn(recorded, body, response.text)
        # What was recorded came after the client had waited.
        self.org.bulk.wait()
        return response

    def media_type(self, path: str, body: str) -> str:
        job = re.search(r"/job/(\w+)", path)
        is_batch = path.endswith("/batch") and bool(body)
        return FORMATS[self.kinds[job[1]]] if job and is_batch else "application/xml"

    def learn(self, recorded: Exchange, body: str, answered: str) -> None:
        theirs, ours = (re.findall(r"\b75[0-2]\w{12}(?:\w{3})?\b", text) for text in (recorded.body, answered))
        self.ids |= dict(zip(theirs, ours, strict=True))
        if kind := re.search(r"<contentType>(\w+)<", body):
            self.kinds[ours[0]] = kind[1]


def unchunked(body: str) -> str:
    """Some bodies were recorded with the sizes of their chunks."""
    if not re.match(r"[0-9a-f]+\r\n", body):
        return body
    text, pieces = body.encode(), []
    while (size := int(text.partition(b"\r\n")[0], 16)) > 0:
        start = text.index(b"\r\n") + 2
        pieces.append(text[start : start + size])
        text = text[start + size + 2 :]
    return b"".join(pieces).decode()


def shape(body: str) -> Any:
    """A body without its values: of XML the tags and the white space between them, of CSV the header and the rows."""
    if body.startswith("<"):
        return re.sub(r">[^<>\s][^<>]*<", "><", body)
    if body.startswith('"'):
        header, *rows = csv.reader(body.splitlines())
        return header, len(rows), body.endswith("\n")
    return kinds(json.loads(body))


def kinds(value: Any) -> Any:
    if isinstance(value, dict):
        return [(name, kinds(entry)) for name, entry in value.items()]
    if isinstance(value, list):
        return [kinds(entry) for entry in value[:1]]
    # What a batch has gone through makes no difference to its shape.
    return "text or null" if value is None or isinstance(value, str) else type(value).__name__


@pytest.fixture
def replay(org: LocalOrg) -> Iterator[Replay]:
    replay = Replay(org)
    yield replay
    replay.http.close()


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_sessions(replay: Replay, recordings: Recordings, name: str) -> None:
    (sequence,) = (found for known, found in recordings.sequences.items() if known.endswith(f"{name}.yaml"))
    recorded = [exchange for exchange in sequence if "/services/async/" in exchange.path]
    assert recorded
    for exchange in recorded:
        response = replay.send(exchange)
        assert response.status_code == exchange.status, exchange.id
        if "/result/" not in exchange.path:
            assert shape(response.text) == shape(exchange.body), exchange.id


def test_recorded_results_of_a_query(org: LocalOrg, replay: Replay, recordings: Recordings) -> None:
    (recorded,) = (each for each in recordings.exchanges.values() if each.path.endswith("/result/7529H000000xO6L"))
    known = json.loads(recorded.body)
    data = f"{org.url}/services/data/v{VERSION}/sobjects"
    bearer = {"Authorization": f"Bearer {org.access_token()}"}

    def create(sobject: str, values: dict[str, Any]) -> str:
        return str(requests.post(f"{data}/{sobject}", json=values, headers=bearer, timeout=30).json()["id"])

    account_id = create("Account", {"Name": "Tom Cruise", "Description": "x", "Phone": "1", "AccountNumber": "1"})
    contact_id = create("Contact", {"LastName": "Contact"})
    moment = {"DurationInMinutes": 60, "ActivityDateTime": "2024-11-07T07:00:00Z"}
    create("Event", {"Subject": "1", "WhoId": contact_id, **moment})
    create("Event", {"Subject": "2", "WhoId": contact_id, "WhatId": account_id, **moment})
    (sequence,) = (found for name, found in recordings.sequences.items() if name.endswith(f"{MIXED}.yaml"))
    for exchange in sequence[: sequence.index(recorded) + 1]:
        if "/services/async/" in exchange.path:
            response = replay.send(exchange)

    ours = response.json()

    assert kinds(ours[0]) == kinds(known[0])
    assert kinds(ours[1]) == kinds(known[1])
    assert ours[0]["ActivityDateTime"] == known[0]["ActivityDateTime"]
    # The lines of the first record are those of theirs.
    lines = [
        re.sub(r' : (?:"(?:[^"\\]|\\.)*"|\d+)', " : *", text).splitlines() for text in (response.text, recorded.body)
    ]
    assert lines[0][:18] == lines[1][:18]
