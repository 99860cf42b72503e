"""Jobs and batches as the org knows them, and as it tells of them in XML and JSON.

https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-reference-jobinfo.html
https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-reference-batchinfo.html
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import attrs

from sfconnector.testing._async import _xml
from sfconnector.testing._async._chunking import Chunking
from sfconnector.testing._async._formats import CONTENT_TYPES, DataFormat
from sfconnector.testing._async._job_requests import QUERIES
from sfconnector.testing._bulk import Job
from sfconnector.testing._values import now_text

BatchState = Literal["Queued", "InProgress", "Completed", "Failed", "NotProcessed"]
ENDED: Final = ("Completed", "Failed", "NotProcessed")
_COUNTED: Final = ("Queued", "InProgress", "Completed", "Failed")


@attrs.define(kw_only=True, eq=False)
class Batch:
    """A batch; whoever changes it holds the engine's lock.

    Args:
        id: 18 characters, beginning with ``751``.
        request: the file with what the client sent, or with the query of a chunk.
        retries: how often the rest of it was put off.
        results: files by their ids: those with the records of a query, or the one with what became of records.
    """

    id: str
    job_id: str
    created: datetime
    modified: datetime
    request: Path
    state: BatchState = "Queued"
    state_message: str | None = None
    retries: int = 0
    results: dict[str, Path] = attrs.field(factory=dict)
    records_processed: int = 0
    records_failed: int = 0
    total_milliseconds: int = 0
    active_milliseconds: int = 0


@attrs.define(kw_only=True, eq=False)
class ClassicJob(Job):
    """A job of Bulk API 1.0; ``retries_batches`` tells whether those that meet locked records are taken up again."""

    retries_batches: bool = True
    chunking: Chunking | None = None
    batches: dict[str, Batch] = attrs.field(factory=dict)

    @property
    def format(self) -> DataFormat:
        """The format of its records, inside a zip file or not."""
        return CONTENT_TYPES[self.content_type]

    @property
    def is_zip(self) -> bool:
        return self.content_type.startswith("ZIP_")

    @property
    def is_query(self) -> bool:
        return self.operation in QUERIES

    @property
    def json(self) -> bool:
        """Whether what is said of it is JSON."""
        return self.format == "JSON"

    @property
    def aged_from(self) -> datetime:
        return max((batch.created for batch in self.batches.values()), default=self.created)

    @property
    def cancelled(self) -> bool:
        # A batch that has been taken up is processed to its end, whatever becomes of the job.
        return self.deleted

    def rests(self) -> bool:
        """Tell whether nothing more happens, unless a client asks for it."""
        return all(batch.state in ENDED for batch in self.batches.values())


def job_info(job: ClassicJob, *, json: bool) -> Any:
    """Tell of a job: data for JSON, a document for XML."""
    return _job_json(job) if json else _xml.document("jobInfo", _leaves(_job_members(job)))


def _job_members(job: ClassicJob) -> dict[str, Any]:
    """The members of the document, in their order."""
    return {
        "id": job.id,
        "operation": job.operation,
        "object": job.sobject,
        "createdById": job.user_id,
        "createdDate": _moment(job.created),
        "systemModstamp": _moment(job.modified),
        "state": job.state,
        "externalIdFieldName": job.external_id,
        "concurrencyMode": job.concurrency_mode,
        "contentType": job.content_type,
        **_numbers(job),
        "apiVersion": job.version,
        "assignmentRuleId": job.assignment_rule_id,
        "numberRecordsFailed": job.records_failed,
        **_times(job),
    }


def _job_json(job: ClassicJob) -> dict[str, Any]:
    """The same members by their names, each with a value, be it null."""
    told = {
        **_job_members(job),
        "apiVersion": float(job.version),
        "createdDate": now_text(job.created),
        "systemModstamp": now_text(job.modified),
        "fastPathEnabled": False,
    }
    return dict(sorted(told.items()))


def _numbers(job: ClassicJob) -> dict[str, int]:
    numbers = {
        f"numberBatches{state}": sum(batch.state == state for batch in job.batches.values()) for state in _COUNTED
    }
    return {
        **numbers,
        "numberBatchesTotal": sum(numbers.values()),
        "numberRecordsProcessed": job.records_processed,
        "numberRetries": job.retries,
    }


def batch_info(batch: Batch, *, json: bool) -> Any:
    """Tell of a batch: data for JSON, a document for XML."""
    return _batch_json(batch) if json else _xml.document("batchInfo", _leaves(_batch_facts(batch, _moment)))


def batch_infos(batches: Iterable[Batch], *, json: bool) -> Any:
    """Tell of all batches of a job."""
    if json:
        return {"batchInfo": [_batch_json(batch) for batch in batches]}
    children = ("\n  ".join(("<batchInfo>", *_leaves(_batch_facts(batch, _moment)))) for batch in batches)
    return _xml.document("batchInfoList", (f"{child}\n </batchInfo>" for child in children))


def result_list(result_ids: Iterable[str], *, json: bool) -> Any:
    """List the results of a query."""
    if json:
        return list(result_ids)
    results = "".join(_xml.leaf("result", result_id) for result_id in result_ids)
    return f'<result-list xmlns="{_xml.NAMESPACE}">{results}</result-list>'.encode()


def _batch_json(batch: Batch) -> dict[str, Any]:
    return dict(sorted(_batch_facts(batch, now_text).items()))


def _batch_facts(batch: Batch, moment: Callable[[datetime], str]) -> dict[str, Any]:
    return {
        "id": batch.id,
        "jobId": batch.job_id,
        "state": batch.state,
        "stateMessage": batch.state_message,
        "createdDate": moment(batch.created),
        "systemModstamp": moment(batch.modified),
        "numberRecordsProcessed": batch.records_processed,
        "numberRecordsFailed": batch.records_failed,
        **_times(batch),
    }


def _times(timed: Batch | ClassicJob) -> dict[str, int]:
    return {
        "totalProcessingTime": timed.total_milliseconds,
        "apiActiveProcessingTime": timed.active_milliseconds,
        "apexProcessingTime": 0,
    }


def _leaves(facts: Mapping[str, Any]) -> Iterator[str]:
    return (_xml.leaf(name, str(value)) for name, value in facts.items() if value is not None)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
