"""Lists of bulk jobs: every page, and each kind from its own resource."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from http_server import Reply, Server
from session_tools import TOKEN, quick

from sfconnector import Salesforce, auth, errors

BASE = "/services/data/v68.0/jobs"


@contextmanager
def on(*answers: Any) -> Iterator[tuple[Salesforce, Server]]:
    with (
        Server([Reply.of(answer) for answer in answers]) as server,
        Salesforce(auth.AccessToken(server.url, TOKEN), retry=quick()) as sf,
    ):
        yield sf, server


def page(*ids: str, following: str | None = None) -> dict[str, Any]:
    jobs = [{"id": each, "operation": "query", "state": "JobComplete", "futureKey": 1} for each in ids]
    return {"done": following is None, "records": jobs, "nextRecordsUrl": following}


LISTS: dict[str, Callable[[Salesforce], Any]] = {
    "query": lambda sf: sf.bulk.query_jobs(),
    "ingest": lambda sf: sf.bulk.ingest_jobs(),
}


@pytest.mark.parametrize("kind", LISTS)
def test_d4_and_d11_each_list_has_its_resource_and_all_its_pages(kind: str) -> None:
    with on(page("1", "2", following=f"{BASE}/{kind}?queryLocator=a%2Bb"), page("3")) as (sf, server):
        assert [job.id for job in LISTS[kind](sf)] == ["1", "2", "3"]
    assert [seen.target for seen in server.seen] == [f"{BASE}/{kind}", f"{BASE}/{kind}?queryLocator=a%2Bb"]


def test_only_jobs_of_one_kind() -> None:
    with on(page()) as (sf, server):
        assert list(sf.bulk.query_jobs(job_type="Classic")) == []
    assert server.seen[0].target == f"{BASE}/query?jobType=Classic"


def test_nothing_is_sent_before_the_first_job_is_asked_for() -> None:
    with on(page("1")) as (sf, server):
        jobs = sf.bulk.query_jobs()
        assert server.seen == []
        assert next(jobs).state == "JobComplete"


@pytest.mark.parametrize("following", [f"{BASE}/query?queryLocator=a", f"{BASE}/query"])
def test_a_list_without_end_is_an_error(following: str) -> None:
    with on(page("1", following=following)) as (sf, _), pytest.raises(errors.InvalidResponseError, match="next one"):
        list(sf.bulk.query_jobs())


def test_the_local_org_has_no_jobs(sf: Salesforce) -> None:
    assert [*sf.bulk.query_jobs(), *sf.bulk.ingest_jobs()] == []
