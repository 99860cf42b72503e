"""Ingest jobs of Bulk API 2.0: from the job to its results.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_api_2_0_ingest.htm
"""

import shutil
from pathlib import Path
from typing import Any, Final

import attrs

from sfconnector.testing._bulk._ingest import FAILED, SUCCEEDED, IngestJob, IngestWork
from sfconnector.testing._context import RequestContext, change_origin
from sfconnector.testing._errors import OrgError
from sfconnector.testing._http import Answer, Call, Piece
from sfconnector.testing._multipart import invalid
from sfconnector.testing._rest_jobs import choice, found, info, listed, new_facts, spoken, update, whole
from sfconnector.testing._rest_jobs import delete as delete_job
from sfconnector.testing._runtime import Runtime

# https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/compressing_response.htm
CSV: Final = "text/csv;charset=UTF-8"
# The first API version that has them.
SINCE: Final = 41
_OPERATIONS: Final = ("delete", "hardDelete", "insert", "update", "upsert")


def create(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/create_job.htm"""
    job = _make(runtime, call, call.json_object(with_files=True))
    if call.form is None:
        return Answer(body=info(job))
    # A job that comes with its data is closed: there is nothing to wait for.
    # https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/walkthrough_upload_multipart_data.htm
    shutil.move(runtime.store.blobs.path(call.form.files["content"].key), job.upload)
    with runtime.bulk.changed:
        job.has_upload = True
        runtime.bulk.touch(job, "UploadComplete")
        body = info(job)
    submit(runtime, call, job)
    return Answer(body=body)


def _make(runtime: Runtime, call: Call, asked: dict[str, Any]) -> IngestJob:
    """Make the job that a client asks for."""
    if call.form is not None and set(call.form.files) != {"content"}:
        raise invalid("A job that is created with its data has two parts, job and content")
    operation = choice(asked, "operation", _OPERATIONS)
    if operation == "hardDelete" and not runtime.bulk.steering.hard_delete_permitted:
        # The wording is not documented.
        message = "FeatureNotEnabled : The user lacks the permission Bulk API Hard Delete"
        raise OrgError(400, "FEATURENOTENABLED", message)
    sobject = runtime.store.schema.get(str(asked.get("object") or ""))
    if sobject is None:
        raise OrgError(400, "INVALIDJOB", f"InvalidJob : Unable to find object: {asked.get('object')}")
    external_id = asked.get("externalIdFieldName")
    if operation == "upsert":
        field = sobject.field(str(external_id or ""))
        if field is None or not (field.external_id or field.id_lookup):
            raise OrgError(
                400,
                "INVALIDJOB",
                f"InvalidJob : Field name provided, {external_id} does not match an External ID, Salesforce Id, or "
                f"indexed field for {sobject.name}",
            )
    job = IngestJob(
        **new_facts(runtime, call, asked),
        kind="V2Ingest",
        operation=operation,
        sobject=sobject.name,
        external_id=external_id if operation == "upsert" else None,
        assignment_rule_id=asked.get("assignmentRuleId"),
    )
    runtime.bulk.add(job)
    return job


def get(runtime: Runtime, _call: Call, job_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_info.htm"""
    job = found(runtime, job_id, "V2Ingest", "Classic")
    counts = {"numberRecordsProcessed": job.records_processed, "numberRecordsFailed": job.records_failed}
    if job.kind == "V2Ingest" and job.state == "Open":
        counts = {}
    return Answer(body=whole(job, counts, apiActiveProcessingTime=job.active_milliseconds, apexProcessingTime=0))


def all_jobs(runtime: Runtime, call: Call) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_all_jobs.htm"""
    return listed(runtime, call, "ingest")


def upload(runtime: Runtime, call: Call, job_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/upload_job_data.htm"""
    job = _ingest_job(runtime, job_id)
    with runtime.bulk.changed:
        check_uploadable(job)
        assert call.upload is not None  # noqa: S101  # the way here leads through received()
        call.upload.replace(job.upload)
        job.has_upload = True
        runtime.bulk.touch(job)
    return Answer(status=201)


def check_uploadable(job: IngestJob) -> None:
    """Refuse data for a job that is closed, or has some already."""
    if job.state != "Open":
        # The wording is not documented.
        raise OrgError(400, "INVALIDJOBSTATE", f"Uploading data to an already {job.state} Job not allowed")
    if job.has_upload:
        # The message is as reported; the code is not documented.
        raise OrgError(
            400,
            "INVALIDJOB",
            f"InvalidJob : Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the "
            "current Job then create a new Job and make sure you only do 'PUT' once on a given Job.",
        )


def change(runtime: Runtime, call: Call, job_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/close_job.htm"""
    job = _ingest_job(runtime, job_id)
    state = update(runtime, call, job, ("Aborted", "UploadComplete"))
    if state == "UploadComplete":
        with runtime.bulk.changed:
            if job.state != "Open":
                raise OrgError(400, "INVALIDJOBSTATE", f"Closing already {spoken(job)} Job not allowed")
            runtime.bulk.touch(job, "UploadComplete")
            body = info(job, form=False)
        submit(runtime, call, job)
        return Answer(body=body)
    return Answer(body=info(job, form=False))


def delete(runtime: Runtime, _call: Call, job_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/delete_job.htm"""
    return delete_job(runtime, _ingest_job(runtime, job_id), ("UploadComplete", "JobComplete", "Aborted", "Failed"))


def submit(runtime: Runtime, call: Call, job: IngestJob) -> None:
    """Let a closed job be processed."""
    work = IngestWork(job, runtime.bulk, runtime.store, runtime.faults, _context(job, call))
    runtime.bulk.submit(work)


def _context(job: IngestJob, call: Call) -> RequestContext:
    return attrs.evolve(call.context, origin=change_origin("bulkapi", job.version, job.client))


def successful(runtime: Runtime, _call: Call, job_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_successful_results.htm"""
    job = _ingest_job(runtime, job_id)
    return _results(job.result_header(SUCCEEDED), job.successful)


def failed(runtime: Runtime, _call: Call, job_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_failed_results.htm"""
    job = _ingest_job(runtime, job_id)
    return _results(job.result_header(FAILED), job.failed)


def unprocessed(runtime: Runtime, _call: Call, job_id: str) -> Answer:
    """https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/get_job_unprocessed_results.htm"""
    job = _ingest_job(runtime, job_id)
    if job.state == "JobComplete" or not job.has_upload:
        return _results(job.result_header(()), None)
    # Where no record has been processed the rest begins with the header.
    header = job.result_header(()) if job.position else b""
    return _results(header, job.upload, job.position)


def _results(header: bytes, path: Path | None, start: int = 0) -> Answer:
    there = path is not None and path.exists()
    return Answer(body=Piece(header if header.strip() else b"", path if there else None, start), media_type=CSV)


def _ingest_job(runtime: Runtime, job_id: str) -> IngestJob:
    job = found(runtime, job_id, "V2Ingest")
    assert isinstance(job, IngestJob)  # noqa: S101  # so its kind says
    return job
