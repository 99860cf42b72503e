"""One job that writes records."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from sfconnector_generated.bulk_v2 import models
from sfconnector_generated.bulk_v2.api.ingest import delete_ingest_job, get_ingest_job, update_ingest_job
from sfconnector_generated.client import Request

from sfconnector._bulk.jobs import Job, Resource
from sfconnector._session import Seconds
from sfconnector.errors import JobError

if TYPE_CHECKING:
    from sfconnector_generated.bulk_v2.models import JobInfo

_CLOSED: Final = frozenset({"UploadComplete", "InProgress", "JobComplete", "Failed"})


def _abort(job_id: str) -> Request:
    return update_ingest_job.build(job_id, body=models.IngestJobState(state="Aborted"))


class IngestJob(Job):
    """A job that writes records; it goes on at Salesforce whatever becomes of this object.

    Made by :meth:`Bulk.ingest_job` and :meth:`Bulk.job`, and in plenty by :meth:`Bulk.insert` and its siblings.

    Attributes:
        id: The id of the job, with which any process can make this object again.
        state: What was heard last, such as ``"InProgress"``; empty where nothing was.

    See Also:
        https://developer.salesforce.com/docs/platform/api-asynch/guide/bulk-api-2-job-states.html
    """

    _resource: ClassVar[Resource] = Resource(get_ingest_job.build, _abort, delete_ingest_job.build)

    def close(self, *, timeout: Seconds = None) -> JobInfo:
        """Say that all data is uploaded, which starts the job.

        Args:
            timeout: Seconds instead of the client's own.

        Raises:
            BadRequestError: The job is not open, or has no data.
            NotFoundError: There is no such job.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/close-job.html
        """
        request = update_ingest_job.build(self.id, body=models.IngestJobState(state="UploadComplete"))
        return self._change(request, _CLOSED, timeout)

    def _ended(self) -> JobInfo | None:
        info = super()._ended()
        if self.state == "Open":
            raise JobError(f"{self} is open, and does nothing until it is closed", job=self)
        return info
