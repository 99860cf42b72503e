"""Batches, and what is done with them."""

from sfconnector.testing._async._ingest import Ingest
from sfconnector.testing._async._jobs import Batch, ClassicJob
from sfconnector.testing._async._queries import Query
from sfconnector.testing._runtime import Runtime


def add(runtime: Runtime, job: ClassicJob, content: bytes) -> Batch:
    """Add a batch to a job and let it be processed; the caller holds the engine's lock."""
    batch = _made(runtime, job, content)
    if not job.is_query:
        runtime.bulk.submit(Ingest(runtime, job, batch))
    elif job.chunking is None:
        runtime.bulk.submit(Query(runtime, job, batch))
    else:
        runtime.bulk.submit(Query(runtime, job, batch, lambda soql: _add_chunk(runtime, job, soql)))
    return batch


def _add_chunk(runtime: Runtime, job: ClassicJob, soql: str) -> None:
    runtime.bulk.submit(Query(runtime, job, _made(runtime, job, soql.encode())))


def _made(runtime: Runtime, job: ClassicJob, content: bytes) -> Batch:
    engine = runtime.bulk
    batch_id, now = engine.make_id("751"), engine.clock()
    request = job.folder / f"{batch_id}.request"
    request.write_bytes(content)
    batch = Batch(id=batch_id, job_id=job.id, created=now, modified=now, request=request)
    job.batches[batch_id] = batch
    job.resting = False
    return batch
