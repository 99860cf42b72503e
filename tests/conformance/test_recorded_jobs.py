"""Bulk jobs as Salesforce answered of them, read by the models."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from recordings import SCRUBBED, Recordings
from sfconnector_generated import _xml
from sfconnector_generated.bulk_v1.api.batch import get_batch, list_batches
from sfconnector_generated.bulk_v1.api.job import get_job
from sfconnector_generated.bulk_v1.api.result import list_query_results
from sfconnector_generated.bulk_v1.models import BatchInfo
from sfconnector_generated.bulk_v1.models import JobInfo as JobInfoV1
from sfconnector_generated.bulk_v2.models import JobInfo

# By the name of the root.
READERS: dict[str, Callable[[Any], Any]] = {
    "jobInfo": get_job.parse,
    "batchInfoList": list_batches.parse,
    "batchInfo": get_batch.parse,
    "result-list": list_query_results.parse,
}
DATES = {"createdDate", "systemModstamp"}
JOBS = [
    ("bulk/delete/launch-job-opportunity.json", "Open"),
    ("bulk/delete/update-job-opportunity.json", "UploadComplete"),
    ("bulk/info/complete-failure.json", "Failed"),
    ("bulk/info/in-progress.json", "InProgress"),
    ("bulk/info/partial-failure.json", "JobComplete"),
    ("bulk/info/success.json", "JobComplete"),
    ("bulk/read-launch-job-account.json", "UploadComplete"),
    ("bulk/write/launch-job-opportunity.json", "Open"),
    ("bulk/write/update-job-opportunity.json", "UploadComplete"),
]


def root_of(body: str) -> str:
    """The name of the root of a document: the first name that is neither declaration nor comment."""
    return next(part.split()[0].rstrip(">") for part in body.split("<") if part.strip()[:1].isalpha())


def test_jobs_of_bulk_1_0_in_xml(recordings: Recordings) -> None:
    seen: Counter[str] = Counter()
    for exchange in recordings.of("bulk_v1"):
        body = exchange.body.replace(f"<apiVersion>v{SCRUBBED}", "<apiVersion>62.0")
        # Some recordings had their values replaced by names of variables.
        if body.startswith("<") and "{" not in body:
            told = _xml.decode(body.encode())
            parsed = READERS[root_of(body)](told)
            seen[root_of(body)] += 1
            if isinstance(parsed, JobInfoV1 | BatchInfo):
                assert {key: as_text(key, value) for key, value in parsed.to_dict().items()} == told
    assert seen.keys() == READERS.keys()


def as_text(key: str, value: Any) -> str:
    return str(value).replace("+00:00", ".000Z") if key in DATES else str(value)


@pytest.mark.parametrize(("name", "state"), JOBS)
def test_jobs_of_bulk_2_0(recordings: Recordings, name: str, state: str) -> None:
    told = json.loads(recordings.body(name))
    job = JobInfo.from_dict(told)
    assert job.state == state
    written = job.to_dict()
    assert written.keys() == told.keys()
    assert {key: written[key] for key in told if key not in DATES} == {
        key: told[key] for key in told if key not in DATES
    }
