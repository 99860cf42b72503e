"""What the org knows of a bulk job, of either API.

https://developer.salesforce.com/docs/platform/api-asynch/guide/get-job-info.html
"""

from datetime import datetime
from pathlib import Path
from typing import Literal

import attrs

JobKind = Literal["Classic", "V2Ingest", "V2Query"]


@attrs.define(kw_only=True, eq=False)
class Job:
    """A job; whoever changes it holds the engine's lock.

    Args:
        id: 18 characters, beginning with ``750``.
        kind: ``jobType`` of the answers; ``Classic`` is Bulk API 1.0.
        folder: where its files are; it goes with the job.
        state: of 2.0: ``Open``, ``UploadComplete``, ``InProgress``, ``JobComplete``, ``Aborted``, ``Failed``; of 1.0:
            ``Open``, ``Closed``, ``Aborted``, ``Failed``.
        resting: nothing more will happen to it, unless a client asks for it.
        client: what the call options named that it was made with.
        total_milliseconds: ``totalProcessingTime``; ``active_milliseconds`` is ``apiActiveProcessingTime``.
    """

    id: str
    kind: JobKind
    operation: str
    sobject: str
    version: str
    user_id: str
    created: datetime
    modified: datetime
    folder: Path
    state: str = "Open"
    resting: bool = False
    deleted: bool = False
    content_type: str = "CSV"
    column_delimiter: str = "COMMA"
    line_ending: str = "LF"
    concurrency_mode: str = "Parallel"
    client: str | None = None
    external_id: str | None = None
    assignment_rule_id: str | None = None
    pk_chunking: bool = False
    error_message: str | None = None
    records_processed: int = 0
    records_failed: int = 0
    retries: int = 0
    total_milliseconds: int = 0
    active_milliseconds: int = 0

    @property
    def aged_from(self) -> datetime:
        """The moment from which its seven days count; of 1.0 that of the youngest batch."""
        return self.created

    @property
    def is_serial(self) -> bool:
        return self.concurrency_mode == "Serial"

    @property
    def cancelled(self) -> bool:
        """Whether work on it is to end where it is."""
        return self.deleted or self.state == "Aborted"
