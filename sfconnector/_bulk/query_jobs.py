"""One job that reads records."""

from __future__ import annotations

from typing import ClassVar

from sfconnector_generated.bulk_v2 import models
from sfconnector_generated.bulk_v2.api.query import delete_query_job, get_query_job, update_query_job
from sfconnector_generated.client import Request

from sfconnector._bulk.jobs import Job, Resource


def _abort(job_id: str) -> Request:
    return update_query_job.build(job_id, body=models.QueryJobState(state="Aborted"))


class QueryJob(Job):
    """A job that reads records; it goes on at Salesforce whatever becomes of this object.

    Attributes:
        id: The id of the job, with which any process can make this object again.
        state: What was heard last, such as ``"InProgress"``; empty where nothing was.

    See Also:
        https://developer.salesforce.com/docs/platform/api-asynch/guide/queries.html
    """

    _resource: ClassVar[Resource] = Resource(get_query_job.build, _abort, delete_query_job.build)
