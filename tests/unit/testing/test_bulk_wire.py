"""Bulk API 2.0 and the wire: streams, faults, expired sessions, many clients at once, memory."""

import gzip
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from bulk_api import Ingest, ingest, load, query, rows
from local_api import Api

from sfconnector.testing import LocalOrg
from sfconnector.testing import _rest_uploads as uploads

MEGABYTE = 1 << 20


def test_an_upload_may_be_chunked_or_compressed(api: Api) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"Name\nA\n"
        yield b"B\n"

    for data, headers in (
        (pieces(), {}),
        (gzip.compress(b"Name\nA\nB\n"), {"Content_Encoding": "gzip"}),
        (b"Name\nA\nB\n", {"Content_Type": "text/csv; charset=UTF-8"}),
    ):
        job = ingest(api)
        assert job.put(data, **headers).status_code == 201
        job.finish()
        assert [row["Name"] for row in job.successful()] == ["A", "B"]


def test_an_upload_of_another_kind_is_refused_and_leaves_the_job_open(api: Api) -> None:
    job = ingest(api)
    assert job.put(b"[]", Content_Type="application/json").status_code == 415
    assert job.put(b"no gzip", Content_Encoding="gzip").status_code == 400
    assert job.put(b"Name\nA\n").status_code == 201


def test_an_upload_that_is_too_large_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert uploads.LARGEST == 112.5 * MEGABYTE
    monkeypatch.setattr(uploads, "LARGEST", 1_000)
    job = ingest(api)
    refused = job.put(b"Name\n" + b"A\n" * 500)
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (413, "REQUEST_ENTITY_TOO_LARGE")
    assert job.put(b"Name\nA\n").status_code == 201


def test_an_upload_that_is_broken_off_leaves_the_job_open(api: Api, local_org: LocalOrg) -> None:
    job = ingest(api)
    host, _, port = local_org.url.removeprefix("http://").partition(":")
    head = (
        f"PUT /services/data/v68.0/{job.path}/batches HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/csv\r\n"
        f"Authorization: {api.http.headers['Authorization']!s}\r\nContent-Length: 1000\r\n\r\nName\nlost\n"
    )
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode())
    while not any(request.status is None for request in local_org.requests):
        assert api("GET", job.path).json()["state"] == "Open"
    assert job.put(b"Name\nkept\n").status_code == 201
    job.finish()
    assert [row["Name"] for row in job.successful()] == ["kept"]


def test_an_upload_whose_answer_was_lost_has_arrived(api: Api, local_org: LocalOrg) -> None:
    job = ingest(api)
    local_org.faults.cut(applied=True, method="PUT", path="*/batches")
    with pytest.raises(requests.ConnectionError):
        job.put(b"Name\nA\n")
    assert job.put(b"Name\nA\n").status_code == 400
    job.finish()
    assert len(job.successful()) == 1


def test_a_session_may_expire_amid_a_job(api: Api, local_org: LocalOrg) -> None:
    job = ingest(api)
    local_org.faults.expire_tokens()
    large = b"Name\n" + b"A" * (2 * MEGABYTE)
    assert job.put(large).json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    api.http.headers["Authorization"] = f"Bearer {local_org.access_token()}"
    assert job.put(b"Name\nA\n").status_code == 201
    job.finish()
    local_org.faults.expire_tokens()
    assert api("GET", f"{job.path}/successfulResults").status_code == 401
    api.http.headers["Authorization"] = f"Bearer {local_org.access_token()}"
    assert len(job.successful()) == 1


def test_locked_rows_fail_alone(api: Api, local_org: LocalOrg) -> None:
    local_org.add_field("Account", "Ext__c", "string(40) unique external_id = Key")
    ids = [api.create("Account", Name=name, Ext__c=name) for name in "ABC"]
    locked = "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--"
    local_org.faults.lock_rows(ids[1], path="*/jobs/ingest/*/batches")
    job = load(api, "update", "Account", "Id,Phone\n" + "".join(f"{known},1\n" for known in ids))
    assert [(row["sf__Id"], row["sf__Error"]) for row in job.failed()] == [(ids[1], locked)]
    assert len(job.successful()) == 2
    local_org.faults.lock_rows(ids[2], path="*/sobjects/*")
    fault = local_org.faults.lock_rows(ids[2])
    job = load(api, "upsert", "Account", "Ext__c,Phone\nA,2\nC,2\n", externalIdFieldName="Ext__c")
    assert ([row["Ext__c"] for row in job.failed()], fault.hits) == (["C"], 1)
    local_org.faults.lock_rows(times=2)
    job = load(api, "insert", "Account", "Name\nD\nE\nF\n")
    assert [row["Name"] for row in job.failed()] == ["D", "E"]
    local_org.faults.lock_rows(ids[0])
    assert len(load(api, "delete", "Account", f"Id\n{ids[0]}\n{ids[1]}\n").failed()) == 1


def test_a_download_may_be_cut(api: Api, local_org: LocalOrg) -> None:
    load(api, "insert", "Account", "Name\n" + "A\n" * 100)
    path = f"jobs/query/{query(api, 'SELECT Name FROM Account')}/results"
    local_org.faults.cut(after_bytes=50, path="*/results")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api("GET", path)
    assert len(rows(api("GET", path))) == 100


def test_many_clients_at_once(local_org: LocalOrg) -> None:
    def work(number: int) -> tuple[int, int, int]:
        api = Api(local_org)
        with api.http:
            job = load(api, "insert", "Contact", "LastName\n" + f"C{number}\n" * 250 + '""\n')
            job_id = query(api, f"SELECT Id FROM Contact WHERE LastName = 'C{number}'")
            found = rows(api("GET", f"jobs/query/{job_id}/results"))
            assert {row["sf__Id"] for row in job.successful()} == {row["Id"] for row in found}
            return len(found), len(job.failed()), len(job.unprocessed())

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(16))) == [(250, 1, 0)] * 16


def test_jobs_survive_neither_their_seven_days_nor_the_org(api: Api, local_org: LocalOrg) -> None:
    job = load(api, "insert", "Account", "Name\nA\n")
    job_id = query(api, "SELECT Id FROM Account")
    opened = ingest(api)
    local_org.clock.advance(days=6, hours=23)
    api.http.headers["Authorization"] = f"Bearer {local_org.access_token()}"
    assert len(job.successful()) == 1
    local_org.clock.advance(hours=2)
    api.http.headers["Authorization"] = f"Bearer {local_org.access_token()}"
    for path in (job.path, f"jobs/query/{job_id}", opened.path):
        assert api("GET", path).status_code == 404
    assert local_org.bulk.jobs_page_size == 1_000
    local_org.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "local-org-bulk"]


def test_large_data_does_not_fill_the_memory(api: Api) -> None:
    job = Ingest(api, ingest(api, "delete").id)
    line = b"x" * 999 + b"\n"

    def pieces() -> Iterator[bytes]:
        yield b"Id\n"
        for _ in range(40):
            yield line * 1000

    tracemalloc.start()
    try:
        assert job.put(pieces()).status_code == 201
        api.org.bulk.hold(after_records=400)
        job.change("UploadComplete")
        api.org.bulk.wait(job.id, records=400)
        job.change("Aborted")
        api.org.bulk.release()
        size = 0
        with api("GET", f"{job.path}/unprocessedrecords", stream=True) as response:
            for piece in response.iter_content(MEGABYTE):
                size += len(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size == len(b"Id\n") + 39_600 * 1000
    assert peak < 16 * MEGABYTE
