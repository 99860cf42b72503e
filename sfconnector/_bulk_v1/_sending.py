"""Batches on their way into jobs, each of them once, whatever happens on the way.

Adding a batch is the one call of Bulk API 1.0 that must not be sent twice: Salesforce would work on the rows twice.
Where its answer is lost, the job is closed: from then on it takes no batch, so that the list of its batches is final.
Either the batch is in it, or it has not been added and never will be, and is added to another job. A job has one batch
on the way at a time, so it is certain which one is new; several workers have a job each.

https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-concepts-limits.html
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Set
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING

import attrs
from sfconnector_generated.bulk_v1.api.batch import add_batch

from sfconnector._ahead import in_order
from sfconnector._bulk_v1._batches import Batch
from sfconnector._bulk_v1.jobs import BatchInfos, BulkV1Job, read
from sfconnector._redact import logger
from sfconnector._session import Seconds, Session
from sfconnector.errors import InvalidResponseError, JobError, SalesforceError, ServerError, TransportError

if TYPE_CHECKING:
    from sfconnector_generated.bulk_v1.models import BatchInfo


@attrs.frozen
class Sent:
    """A batch that was added to a job.

    Attributes:
        job_id: The id of the job.
        id: The id of the batch; empty where it is not known whether the batch was added.
        start: The position of its first row in the source, counted from 0.
        rows: How many there are; ``None`` where that is not known.
    """

    job_id: str
    id: str
    start: int
    rows: int | None


class Lane:
    """A job that takes batches one after the other, and the jobs before it.

    Args:
        session: Sends the requests.
        open_job: Creates a job.
        media_type: Of the batches.
        timeout: Seconds for each request instead of the session's own.
        is_chunked: Whether Salesforce adds batches to the only one of a job, which is the first then.
    """

    def __init__(
        self,
        session: Session,
        open_job: Callable[[], BulkV1Job],
        media_type: str,
        timeout: Seconds = None,
        *,
        is_chunked: bool = False,
    ) -> None:
        self._session, self._open_job = session, open_job
        self._media_type, self._timeout = media_type, timeout
        self._is_chunked = is_chunked
        self.jobs: list[BulkV1Job] = []
        self.sent: list[Sent] = []
        self._known: set[str] = set()

    def send(self, batch: Batch) -> None:
        """Add a batch, once.

        Raises:
            ApiError, TransportError: The batch was not added.
            JobError: Whether it was added cannot be found out now.
        """
        attempts = self._session.retry.attempts
        for attempt in range(1, attempts + 1):
            job = self._job()
            try:
                info = self._add(job, batch)
            except (TransportError, ServerError, InvalidResponseError) as error:
                if isinstance(error, TransportError) and not error.sent:
                    raise
                logger.info("%s: whether a batch was added is not known: %s", job, error)
                try:
                    found = self._settle(job)
                except SalesforceError as problem:
                    self.sent.append(Sent(job.id, "", batch.start, batch.rows))
                    rows = f"rows {batch.start:,}–{batch.start + batch.rows - 1:,}"
                    text = f"whether {rows} were added to {job} is not known, since it could not be asked: {problem}"
                    raise JobError(text, job=job) from error
                if found is None and attempt == attempts:
                    raise
            else:
                found = info.id
            if found is not None:
                self._known.add(found)
                self.sent.append(Sent(job.id, found, batch.start, batch.rows))
                return

    def close(self) -> None:
        """Let the job take no more batches."""
        if self.jobs and self.jobs[-1].state == "Open":
            self.jobs[-1].close(timeout=self._timeout)

    def _job(self) -> BulkV1Job:
        if not self.jobs or self.jobs[-1].state != "Open":
            self.jobs.append(self._open_job())
            self._known.clear()
        return self.jobs[-1]

    def _add(self, job: BulkV1Job, batch: Batch) -> BatchInfo:
        with batch.body() as body:
            request = add_batch.build(job.id, body=body, content_type=self._media_type)
            response = self._session.send(request, timeout=self._timeout)
        self._session.check(response)
        info = read(self._session, response, add_batch.parse)
        if info.id in self._known:
            raise InvalidResponseError(response, "the new batch has the id of another one")
        return info

    def _settle(self, job: BulkV1Job) -> str | None:
        """Find out whether the batch of the latest call was added, and see to it that it is not added later.

        Raises:
            SalesforceError: Salesforce could not be asked.
        """
        total = job.close(timeout=self._timeout).number_batches_total
        infos = job.batches(timeout=self._timeout)
        if self._is_chunked and infos:
            return infos[0].id
        return new_batch(infos, self._known, total or 0)


class Lanes:
    """As many lanes as workers.

    Args:
        make: Makes a lane.
        workers: How many batches may be on the way at the same time.
    """

    def __init__(self, make: Callable[[], Lane], workers: int) -> None:
        self._make, self._workers = make, workers
        self._lock = threading.Lock()
        self._free: list[Lane] = []
        self.all: list[Lane] = []

    @property
    def jobs(self) -> tuple[BulkV1Job, ...]:
        """The jobs so far, in the order in which they were created."""
        return tuple(job for lane in self.all for job in lane.jobs)

    @property
    def sent(self) -> tuple[Sent, ...]:
        """The batches so far, in the order of their rows."""
        return tuple(sorted((sent for lane in self.all for sent in lane.sent), key=lambda sent: sent.start))

    def send(self, batches: Iterator[Batch], tell: Callable[[int], object]) -> None:
        """Add all batches, and close the jobs.

        Args:
            batches: What to add; read as far as there are workers.
            tell: Called with the size of each batch that was added, in bytes.
        """
        calls = (partial(self._send, batch) for batch in batches)
        if self._workers == 1:
            results: Generator[int] = (call() for call in calls)
        else:
            results = in_order(calls, self._workers)
        try:
            with closing(results):
                for size in results:
                    tell(size)
        except BaseException:
            for lane in self.all:
                # What has been added is worked on all the same, and what went wrong is to be told.
                with suppress(SalesforceError):
                    lane.close()
            raise
        for lane in self.all:
            lane.close()

    def _send(self, batch: Batch) -> int:
        with self._lock:
            lane = self._free.pop() if self._free else self._make()
            if lane not in self.all:
                self.all.append(lane)
        try:
            lane.send(batch)
        finally:
            batch.release()
            with self._lock:
                self._free.append(lane)
        return batch.size


def new_batch(infos: BatchInfos, known: Set[str], total: int = 0) -> str | None:
    """Find the batch of a job that is not known yet, if there is one.

    Args:
        infos: The batches of the job, which takes no more.
        known: Ids of batches.
        total: How many the job has at least.

    Raises:
        JobError: It cannot be told.
    """
    if len(infos) < total:
        raise JobError(f"{len(infos)} batches of the job are listed, and it has {total}")
    new = [info.id for info in infos if info.id not in known]
    if len(new) > 1:
        raise JobError(
            f"job {infos[0].job_id}: somebody else adds batches to it, so that it cannot be told whose is whose"
        )
    return new[0] if new else None
