"""What ingest and query jobs of Bulk API 2.0 have in common.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_api_2_0.htm
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sfconnector.testing._bulk import Job
from sfconnector.testing._bulk._csv import DELIMITERS, LINE_ENDINGS
from sfconnector.testing._context import client_of
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer, Call
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._values import now_text

# How Salesforce speaks of a job in a state that allows no other:
# https://github.com/restforce/restforce/issues/905
_SPOKEN: Final = {"JobComplete": "Completed", "UploadComplete": "Closed", "InProgress": "Closed"}


def choice(asked: Mapping[str, Any], name: str, known: Sequence[str], default: str | None = None) -> str:
    """A property of a job of which only some values are good.

    Raises:
        OrgError: ``API_ERROR``; the wording is not documented.
    """
    value = asked.get(name, default)
    if not isinstance(value, str) or value not in known:
        raise OrgError(400, "API_ERROR", f"{name} must be one of {', '.join(known)}; it is {value}")
    return value


def new_facts(runtime: Runtime, call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a new job, whatever it does."""
    choice(asked, "contentType", ("CSV",), "CSV")
    job_id = runtime.bulk.make_id("750")
    now = runtime.clock()
    return {
        "id": job_id,
        "version": call.version,
        "user_id": call.context.user_id,
        "client": client_of(call.headers.get("sforce-call-options")),
        "created": now,
        "modified": now,
        "column_delimiter": choice(asked, "columnDelimiter", tuple(DELIMITERS), "COMMA"),
        "line_ending": choice(asked, "lineEnding", tuple(LINE_ENDINGS), "LF"),
        "folder": runtime.bulk.make_folder(job_id),
    }


def found(runtime: Runtime, job_id: str, *kinds: str) -> Job:
    """The job of this id.

    Raises:
        OrgError: 404 ``NOT_FOUND``.
    """
    job = runtime.bulk.find(job_id, kinds)
    if job is None:
        raise OrgError(404, "NOT_FOUND", "The requested resource does not exist")
    return job


def info(job: Job, *, kind: bool = False, form: bool = True) -> dict[str, Any]:
    """What answers tell of a job, in the order in which Salesforce was recorded to tell it.

    Args:
        job: the job.
        kind: whether they tell the ``jobType``: those do not that have just made or changed the job.
        form: whether they tell of the job's CSV: those do not that have just changed the job.
    """
    facts = {
        "id": job.id,
        "operation": job.operation,
        "object": job.sobject,
        "createdById": job.user_id,
        "createdDate": now_text(job.created),
        "systemModstamp": now_text(job.modified),
        "state": job.state,
        "externalIdFieldName": job.external_id,
        "assignmentRuleId": job.assignment_rule_id,
        "concurrencyMode": job.concurrency_mode,
        "contentType": job.content_type,
        "apiVersion": float(job.version),
        "contentUrl": f"services/data/v{job.version}/jobs/ingest/{job.id}/batches"
        if job.kind == "V2Ingest" and job.state == "Open"
        else None,
        "jobType": job.kind if kind else None,
        "lineEnding": job.line_ending if form else None,
        "columnDelimiter": job.column_delimiter if form else None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def whole(job: Job, counts: Mapping[str, int], **more: Any) -> dict[str, Any]:
    """What the answer about a single job tells, in the order in which Salesforce was recorded to tell it.

    Args:
        job: the job.
        counts: of its records.
        more: what jobs of its kind tell in the end.
    """
    timed = {"retries": job.retries, "totalProcessingTime": job.total_milliseconds}
    told = {**info(job, kind=True), **counts, **timed, **more}
    return told if job.error_message is None else told | {"errorMessage": job.error_message}


def update(runtime: Runtime, call: Call, job: Job, states: Sequence[str]) -> str:
    """The state to which a client wants to bring a job; a job is aborted right away."""
    state = call.json_object().get("state")
    if not isinstance(state, str) or state not in states:
        # The wording is not documented.
        raise OrgError(400, "INVALIDJOBSTATE", f"InvalidJobState : A job cannot be brought to the state {state}")
    if state == "Aborted":
        with runtime.bulk.changed:
            if job.state in ("JobComplete", "Failed", "Aborted"):
                raise OrgError(400, "INVALIDJOBSTATE", f"Aborting already {spoken(job)} Job not allowed")
            runtime.bulk.abort(job)
    return state


def spoken(job: Job) -> str:
    return _SPOKEN.get(job.state, job.state)


def delete(runtime: Runtime, job: Job, states: Sequence[str]) -> Answer:
    """Delete a job that is in one of some states.

    https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_delete_job.htm
    """
    with runtime.bulk.changed:
        if job.state not in states:
            message = "Error encountered when deleting the job because the job is not terminated"
            raise OrgError(400, "API_ERROR", message)
    runtime.bulk.delete(job)
    return Answer(status=204)


def listed(runtime: Runtime, call: Call, resource: str) -> Answer:
    """A page of all jobs that a client asks for; among query jobs it may ask for ingest jobs, too."""
    kinds = {"ingest": {"V2Ingest", "Classic"}, "query": {"V2Query", "Classic"}}[resource]
    kind = call.params.get("jobType")
    if kind is not None:
        kinds = {kind} & (kinds | {"V2Ingest"})
    jobs = [job for job in runtime.bulk.jobs() if job.kind in kinds]
    if call.flag("isPkChunkingEnabled"):
        jobs = [job for job in jobs if job.pk_chunking]
    given = call.params.get("queryLocator")
    start = 0 if given is None else offset(given)[0]
    size = runtime.bulk.steering.jobs_page_size
    page = jobs[start : start + size]
    done = start + size >= len(jobs)
    rest = f"?queryLocator={locator(start + size, size)}" + "".join(
        f"&{name}={call.params[name]}" for name in ("jobType", "isPkChunkingEnabled") if name in call.params
    )
    return Answer(
        body={
            "done": done,
            "records": [info(job, kind=True) for job in page],
            "nextRecordsUrl": None if done else f"{call.base}/jobs/{resource}{rest}",
        }
    )


def locator(*numbers: int) -> str:
    """Numbers in the form of a locator, which tells a client nothing."""
    return base64.urlsafe_b64encode("/".join(map(str, numbers)).encode()).decode().rstrip("=")


def offset(text: str | None) -> tuple[int, int]:
    """The two numbers of a locator.

    Raises:
        OrgError: 400 ``INVALID_QUERY_LOCATOR``; it was not made here.
    """
    try:
        first, second = map(int, base64.urlsafe_b64decode(f"{text}==").split(b"/"))
    except (binascii.Error, ValueError):
        first, second = -1, 0
    if first < 0 or second < 1:
        raise OrgError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return first, second
