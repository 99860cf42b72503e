"""What all batches have in common on their way to their end.

https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-interpret-status.html
"""

import time
from abc import abstractmethod
from collections.abc import Generator
from pathlib import Path

from sfconnector.testing._async._errors import AsyncError
from sfconnector.testing._async._jobs import Batch, BatchState, ClassicJob
from sfconnector.testing._bulk import Work
from sfconnector.testing._errors import OrgError
from sfconnector.testing._runtime import Runtime


class Processing(Work):
    """Takes a batch through its states."""

    job: ClassicJob

    def __init__(self, runtime: Runtime, job: ClassicJob, batch: Batch) -> None:
        super().__init__(job)
        self.runtime, self.batch = runtime, batch
        #: The state of a batch of which nothing has failed as a whole.
        self.final: BatchState = "Completed"
        self._began = 0.0

    def begin(self) -> None:
        self._began = time.monotonic()
        self._set("InProgress")

    def complete(self) -> None:
        self._end(self.final)

    def fail(self, message: str) -> None:
        self.batch.state_message = message
        self._end("Failed")

    def _end(self, state: BatchState) -> None:
        milliseconds = round((time.monotonic() - self._began) * 1000)
        self.batch.total_milliseconds = self.batch.active_milliseconds = milliseconds
        self._set(state)
        self.job.resting = self.job.rests()

    def _set(self, state: BatchState) -> None:
        self.batch.state = state
        self.batch.modified = self.runtime.bulk.clock()
        self.runtime.bulk.touch(self.job)

    def steps(self) -> Generator[None, None, None]:
        try:
            yield from self.process()
        except AsyncError as error:
            raise OrgError(error.status, error.code, error.message) from error

    @abstractmethod
    def process(self) -> Generator[None, None, None]:
        """As ``steps``, with refusals in the terms of Bulk API 1.0, too."""

    def new_result(self) -> tuple[str, Path]:
        """The id and the file of a result that is to be written."""
        result_id = self.runtime.bulk.make_id("752")[:15]
        return result_id, self.job.folder / f"{result_id}.result"

    def note_result(self, result_id: str, path: Path) -> None:
        """Let a result be found."""
        with self.runtime.bulk.changed:
            self.batch.results[result_id] = path

    def count(self, records: int, failed: int = 0) -> None:
        """Note that records have been processed."""
        self.records += records
        with self.runtime.bulk.changed:
            self.batch.records_processed += records
            self.batch.records_failed += failed
            self.job.records_processed += records
            self.job.records_failed += failed
            self.runtime.bulk.touch(self.job)
