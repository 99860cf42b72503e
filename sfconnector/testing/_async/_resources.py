"""Jobs, batches and results: what each resource of Bulk API 1.0 answers.

https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-intro.html
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import attrs

from sfconnector.testing import _ids
from sfconnector.testing._async import _batches, _chunking, _chunks
from sfconnector.testing._async._errors import (
    EXCEEDED_QUOTA,
    FEATURE_NOT_ENABLED,
    INVALID_JOB_STATE,
    INVALID_VERSION,
    UNSUPPORTED_CONTENT_TYPE,
    AsyncError,
    invalid_batch,
    invalid_job,
)
from sfconnector.testing._async._formats import JSON, MEDIA_TYPES, XML, media_type, wants_json
from sfconnector.testing._async._job_requests import QUERIES, JobRequest, read_new_job, read_new_state
from sfconnector.testing._async._jobs import Batch, ClassicJob, batch_info, batch_infos, job_info, result_list
from sfconnector.testing._bulk._steering import DAILY_BATCHES
from sfconnector.testing._context import client_of
from sfconnector.testing._http import Answer, Piece
from sfconnector.testing._runtime import Runtime
from sfconnector.testing._schema import SObjectType

_OPEN_FOR: Final = timedelta(hours=24)
_NOT_PERMITTED: Final = (
    "hardDelete operation requires special user profile permission, please contact your system administrator"
)


@attrs.define(kw_only=True)
class Call:
    """One authorised request; ``json`` tells in which format to answer, and follows the job as soon as it is known."""

    version: str
    headers: Mapping[str, str]
    content: bytes
    user_id: str
    json: bool = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.json = wants_json(self.headers)

    @property
    def base(self) -> str:
        return f"/services/async/{self.version}"


def create_job(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-jobs-create.html"""
    request = read_new_job(call.content, json=call.json)
    sobject = runtime.store.schema.get(request.object)
    if sobject is None:
        # https://github.com/simple-salesforce/simple-salesforce/issues/453
        raise invalid_job(f"Unable to find object: {request.object}")
    _check(request, sobject)
    if request.operation == "hardDelete" and not runtime.bulk.steering.hard_delete_permitted:
        raise AsyncError(FEATURE_NOT_ENABLED, _NOT_PERMITTED)
    chunking = _chunking_of(runtime, call, request, sobject)
    engine = runtime.bulk
    job_id, now = engine.make_id("750"), engine.clock()
    job = ClassicJob(
        id=job_id,
        kind="Classic",
        operation=request.operation,
        sobject=sobject.name,
        version=call.version,
        user_id=call.user_id,
        client=client_of(call.headers.get("sforce-call-options")),
        created=now,
        modified=now,
        resting=True,
        folder=engine.make_folder(job_id),
        content_type=request.content_type,
        retries_batches=call.headers.get("sforce-disable-batch-retry", "").strip().lower() != "true",
        concurrency_mode=request.concurrency_mode,
        external_id=request.external_id_field,
        assignment_rule_id=request.assignment_rule_id,
        pk_chunking=chunking is not None,
        chunking=chunking,
    )
    engine.add(job)
    return _told(job_info(job, json=call.json), call, 201, f"{call.base}/job/{job.id}")


def _check(request: JobRequest, sobject: SObjectType) -> None:
    if request.operation in QUERIES and request.content_type.startswith("ZIP_"):
        raise invalid_job(f"The content type {request.content_type} is not for queries")
    name = request.external_id_field
    if name is not None:
        field = sobject.field(name)
        if field is None or not (field.external_id or field.id_lookup or field.type == "id"):
            raise invalid_job(
                f"Field name provided, {name} does not match an External ID, Salesforce Id, or indexed field for "
                f"{sobject.name}"
            )


def _chunking_of(runtime: Runtime, call: Call, request: JobRequest, sobject: SObjectType) -> _chunking.Chunking | None:
    chunking = _chunking.read_header(call.headers.get(_chunking.HEADER))
    if chunking is None or request.operation not in QUERIES:
        return None
    parent = None if chunking.parent is None else runtime.store.schema.get(chunking.parent)
    if chunking.parent is not None and parent is None:
        raise invalid_job(f"Unable to find object: {chunking.parent}")
    _chunks.check_supported(sobject, parent)
    return chunking


def get_job(runtime: Runtime, call: Call, job_id: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-jobs-get-details.html"""
    job = _job(runtime, call, job_id)
    with runtime.bulk.changed:
        return _told(job_info(job, json=call.json), call)


def update_job(runtime: Runtime, call: Call, job_id: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-jobs-close.html"""
    # What a body is, its own header says; how the answer is, the job does.
    json = call.json
    job = _job(runtime, call, job_id)
    state = read_new_state(call.content, json=json)
    engine = runtime.bulk
    with engine.changed:
        if job.state != "Open":
            doing = "Closing" if state == "Closed" else "Aborting"
            raise AsyncError(INVALID_JOB_STATE, f"{doing} already {job.state} Job not allowed")
        if state == "Aborted":
            engine.abort(job)
            for batch in job.batches.values():
                if batch.state == "Queued":
                    batch.state, batch.modified = "NotProcessed", engine.clock()
        engine.touch(job, state)
        job.resting = job.rests()
        return _told(job_info(job, json=call.json), call)


def add_batch(runtime: Runtime, call: Call, job_id: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-create.html"""
    job = _job(runtime, call, job_id)
    if not runtime.usage.take(DAILY_BATCHES):
        raise AsyncError(EXCEEDED_QUOTA, "ApiBatchItems Limit exceeded.")
    engine = runtime.bulk
    _check_media_type(job, call)
    if not call.content:
        raise invalid_batch("A batch must contain some content")
    with engine.changed:
        if job.state != "Open":
            reason = f"Failed to create batch, since the Job is not Open. Current job state is '{job.state}'"
            raise AsyncError(INVALID_JOB_STATE, reason)
        if engine.clock() - job.created >= _OPEN_FOR:
            raise AsyncError(INVALID_JOB_STATE, "Failed to create batch, since the Job is more than 24 hours old")
        batch = _batches.add(runtime, job, call.content)
        engine.touch(job)
        location = f"{call.base}/job/{job.id}/batch/{batch.id}"
        return _told(batch_info(batch, json=call.json), call, 201, location)


def _check_media_type(job: ClassicJob, call: Call) -> None:
    """The header says what the job does; without one, it is believed."""
    given = media_type(call.headers)
    expected = f"zip/{job.format.lower()}" if job.is_zip else MEDIA_TYPES[job.format]
    if given and given != expected:
        raise AsyncError(
            UNSUPPORTED_CONTENT_TYPE, f"The Content-Type of a batch of this job must be {expected}, and not {given}"
        )


def list_batches(runtime: Runtime, call: Call, job_id: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-get-info-all.html"""
    job = _job(runtime, call, job_id)
    with runtime.bulk.changed:
        return _told(batch_infos(job.batches.values(), json=call.json), call)


def get_batch(runtime: Runtime, call: Call, job_id: str, batch_id: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-get-info.html"""
    _, batch = _batch(runtime, call, job_id, batch_id)
    with runtime.bulk.changed:
        return _told(batch_info(batch, json=call.json), call)


def get_request(runtime: Runtime, call: Call, job_id: str, batch_id: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-get-request.html"""
    job, batch = _batch(runtime, call, job_id, batch_id)
    kind = f"zip/{job.format.lower()}" if job.is_zip else MEDIA_TYPES[job.format]
    return Answer(body=Piece(b"", batch.request), media_type=kind)


def get_result(runtime: Runtime, call: Call, job_id: str, batch_id: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-get-results.html"""
    job, batch = _batch(runtime, call, job_id, batch_id)
    with runtime.bulk.changed:
        _check_has_results(batch)
        if job.is_query:
            return _told(result_list(batch.results, json=call.json), call)
        (results,) = batch.results.values()
    return Answer(body=Piece(b"", results), media_type=MEDIA_TYPES[job.format])


def get_query_result(runtime: Runtime, call: Call, job_id: str, batch_id: str, result_id: str) -> Answer:
    """https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-using-bulk-query.html"""
    job, batch = _batch(runtime, call, job_id, batch_id)
    with runtime.bulk.changed:
        _check_has_results(batch)
        results = batch.results.get(result_id[:15])
    if results is None or not job.is_query:
        raise invalid_batch(f"Invalid result id: {result_id}")
    return Answer(body=Piece(b"", results), media_type=MEDIA_TYPES[job.format])


def _check_has_results(batch: Batch) -> None:
    """https://github.com/simple-salesforce/simple-salesforce/issues/366"""
    if batch.state in ("Queued", "InProgress"):
        raise invalid_batch("Batch not completed")
    if not batch.results:
        raise invalid_batch("Records not processed")


def _job(runtime: Runtime, call: Call, job_id: str) -> ClassicJob:
    job = runtime.bulk.find(job_id, ("Classic",))
    if not isinstance(job, ClassicJob):
        raise invalid_job(f"Invalid job id: {job_id}")
    call.json = job.json
    if job.version != call.version:
        raise AsyncError(INVALID_VERSION, f"The version of this job is {job.version}, and not {call.version}")
    return job


def _batch(runtime: Runtime, call: Call, job_id: str, batch_id: str) -> tuple[ClassicJob, Batch]:
    job = _job(runtime, call, job_id)
    normal = _ids.normalize(batch_id)
    with runtime.bulk.changed:
        batch = job.batches.get(normal) if normal else None
    if batch is None:
        raise invalid_batch(f"Invalid batch id: {batch_id}")
    return job, batch


def _told(body: Any, call: Call, status: int = 200, location: str | None = None) -> Answer:
    headers = {} if location is None else {"Location": location}
    return Answer(status=status, body=body, headers=headers, media_type=JSON if call.json else XML)
