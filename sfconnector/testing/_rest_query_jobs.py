"""Query jobs of Bulk API 2.0: from the job to its results.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_bulk_api_2_0.htm
"""

import re
from typing import Final

from sfconnector.testing import _soql
from sfconnector.testing._async._chunks import is_supported
from sfconnector.testing._bulk._query import QueryJob, QueryWork
from sfconnector.testing._bulk._steering import DAILY_QUERY_JOBS
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer, Call, Piece
from sfconnector.testing._rest_ingest import CSV
from sfconnector.testing._rest_jobs import choice, found, info, listed, locator, new_facts, offset, update, whole
from sfconnector.testing._rest_jobs import delete as delete_job
from sfconnector.testing._running_user import query_context
from sfconnector.testing._runtime import Runtime

# The first API version that has query jobs, and the first that has pages side by side.
SINCE: Final = 47
_PAGES_SINCE: Final = 58.0
_PAGES: Final = 5
_STATES: Final = {
    "UploadComplete": "UPLOAD_COMPLETE",
    "InProgress": "IN_PROGRESS",
    "Aborted": "ABORTED",
    "Failed": "FAILED",
}


def create(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_create_job.htm"""
    asked = call.json_object()
    operation = choice(asked, "operation", ("query", "queryAll"))
    text = asked.get("query")
    if not isinstance(text, str) or not text.strip():
        raise OrgError(400, "MALFORMED_QUERY", "SOQL statements cannot be empty or null")
    store = runtime.store
    context = query_context(store, call.context, runtime.clock(), include_deleted=operation == "queryAll")
    plan = _soql.plan_table(text, store.schema, context)
    if any(cell.type == "base64" for cell in plan.cells):
        # In the words of Bulk API 1.0: https://github.com/SFDO-Tooling/CumulusCI/issues/1662
        raise OrgError(400, "FEATURENOTENABLED", "FeatureNotEnabled : Binary field not supported")
    facts = new_facts(runtime, call, asked)
    if not runtime.usage.take(DAILY_QUERY_JOBS):
        # The wording is not documented.
        raise OrgError(400, "EXCEEDEDQUOTA", "ExceededQuota : Daily limit of Bulk API 2.0 query jobs exceeded")
    job = QueryJob(
        **facts, kind="V2Query", operation=operation, sobject=plan.sobject.name, query=text, state="UploadComplete"
    )
    runtime.bulk.add(job)
    body = info(job)
    runtime.bulk.submit(QueryWork(job, runtime.bulk, store, context))
    return Answer(body=body)


def get(runtime: Runtime, _call: Call, job_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_get_one_job.htm"""
    job = found(runtime, job_id, "V2Query", "Classic")
    sobject = runtime.store.schema.get(job.sobject)
    chunked = sobject is not None and is_supported(sobject)
    return Answer(body=whole(job, {"numberRecordsProcessed": job.records_processed}, isPkChunkingSupported=chunked))


def all_jobs(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_get_all_jobs.htm"""
    return listed(runtime, call, "query")


def change(runtime: Runtime, call: Call, job_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_abort_job.htm"""
    job = _query_job(runtime, job_id)
    update(runtime, call, job, ("Aborted",))
    return Answer(body=info(job, form=False))


def delete(runtime: Runtime, _call: Call, job_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_delete_job.htm"""
    return delete_job(runtime, _query_job(runtime, job_id), ("JobComplete", "Aborted", "Failed"))


def results(runtime: Runtime, call: Call, job_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_get_job_results.htm"""
    job = _complete(runtime, call, job_id)
    start, size = _page(runtime, call, job)
    end = min(start + size, job.total)
    headers = {
        "Sforce-Locator": locator(end, size) if end < job.total else "null",
        "Sforce-NumberOfRecords": str(end - start),
    }
    with job.results.open("rb") as file:
        header = file.read(job.offset(0))
    body = Piece(header, job.results, job.offset(start), job.offset(end))
    return Answer(body=body, headers=headers, media_type=CSV)


def result_pages(runtime: Runtime, call: Call, job_id: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-asynch/guide/query-get-parallel-job-results.html"""
    if float(call.version) < _PAGES_SINCE:
        raise OrgError(404, "NOT_FOUND", "The requested resource does not exist")
    job = _complete(runtime, call, job_id)
    start, size = _page(runtime, call, job)
    base = f"{call.base}/jobs/query/{job.id}"
    starts = range(start, max(job.total, start + 1), size)
    done = len(starts) <= _PAGES
    body: dict[str, object] = {
        "resultPages": [{"resultUrl": f"{base}/results?locator={locator(at, size)}"} for at in starts[:_PAGES]],
        "nextRecordsUrl": None if done else f"{base}/resultPages?locator={locator(starts[_PAGES], size)}",
        "done": done,
    }
    return Answer(body=body)


def _page(runtime: Runtime, call: Call, job: QueryJob) -> tuple[int, int]:
    """The first row of a page, and how many it may have."""
    asked = call.params.get("maxRecords")
    if asked is not None and not re.fullmatch(r"[1-9]\d{0,9}", asked, re.ASCII):
        raise OrgError(400, "API_ERROR", f"maxRecords: a whole number from 1 is required, not '{asked}'")
    given = call.params.get("locator")
    start, size = (0, runtime.bulk.steering.query_page_size) if given in (None, "") else offset(given)
    if start and start >= job.total:
        raise OrgError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return start, size if asked is None else int(asked)


def _complete(runtime: Runtime, call: Call, job_id: str) -> QueryJob:
    job = _query_job(runtime, job_id)
    if job.version != call.version:
        raise OrgError(
            409,
            "API_ERROR",
            f"The results of this job can be had with API version {job.version} only, not with {call.version}",
        )
    if job.state != "JobComplete":
        # The status and the text are those of the guide of API version 46:
        # https://developer.salesforce.com/docs/atlas.ja-jp.222.0.api_bulk_v2.meta/api_bulk_v2/query_get_job_results.htm
        raise OrgError(
            412,
            "JOB_NOT_COMPLETE",
            "can only download query results of successfully completed bulk job with status: JOB_COMPLETE. "
            f"Current status: {_STATES[job.state]}",
        )
    return job


def _query_job(runtime: Runtime, job_id: str) -> QueryJob:
    job = found(runtime, job_id, "V2Query")
    assert isinstance(job, QueryJob)  # noqa: S101  # so its kind says
    return job
