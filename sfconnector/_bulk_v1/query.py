"""Queries of Bulk API 1.0."""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Set
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Self

from sfconnector._ahead import in_order
from sfconnector._bulk.query_csv import RowCount
from sfconnector._bulk_v1._reading import read_records, result_ids, result_text
from sfconnector._bulk_v1._results import NO_RECORDS, records
from sfconnector._bulk_v1.jobs import ENDED, BatchInfos, BulkV1Job, Listed
from sfconnector._download import check_target, replacing
from sfconnector._polling import wait_for
from sfconnector._prepare import check_count
from sfconnector._progress import JobProgress, Progress, telling
from sfconnector._session import Session
from sfconnector.errors import ErrorDetail, JobError, SalesforceError

if TYPE_CHECKING:
    from sfconnector_generated.bulk_v1.models import JobInfo

_IN_MEMORY: Final = 1 << 20
_LITERAL: Final = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL)
_INNERMOST: Final = re.compile(r"\([^()]*\)")
_FROM: Final = re.compile(r"\bFROM\s+(\w+)", re.IGNORECASE | re.ASCII)


def sobject_of(soql: str) -> str:
    """Find the object of a query, which a job must name.

    Raises:
        ValueError: There is none.
    """
    text = _LITERAL.sub("", soql)
    while (outer := _INNERMOST.sub("", text)) != text:
        text = outer
    if (found := _FROM.search(text)) is None:
        raise ValueError("the query names no object: give sobject=")
    return found[1]


class BulkV1Query(BulkV1Job):
    """A query in one batch, or in one for each range of ids, which goes on whatever becomes of this object.

    Made by ``sf.bulk_v1.query`` and ``query_all``, and out of its id by ``sf.bulk_v1.job(id)``.

    Attributes:
        id: The id of the job.
        state: What was heard last: ``"Open"``, ``"Closed"``, ``"Aborted"`` or ``"Failed"``.
        operation: ``"query"`` or ``"queryAll"``.
        content_type: ``"CSV"``, ``"JSON"`` or ``"XML"``.

    See Also:
        https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-bulk-query-processing.html
    """

    def __init__(self, session: Session, info: JobInfo, *, is_chunked: bool | None = None) -> None:
        super().__init__(session, info)
        # What is not known of a job that was found by its id.
        self._is_chunked = is_chunked

    def wait(self, timeout: float | None = None, progress: Progress | None = None) -> Self:
        """Wait until all batches have ended, asking less and less often.

        With PK chunking the batch with the query ends as ``NotProcessed`` once the others have been made, which is as
        it should be.

        Args:
            timeout: Seconds to wait at most; there is no limit by default.
            progress: Told how far the job is, see :class:`Progress`.

        Raises:
            JobError: A batch failed, which the text names; or the job was aborted, could not be asked for, or
                ``progress`` raised.
            JobTimeoutError: The job has not ended in time. It goes on, so that ``wait`` may be called again.
            ApiError: Salesforce refused to tell.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/asynch-api-batches-interpret-status.html
        """
        self._judge(self._wait_for(_has_news(frozenset(), whole=True), timeout, progress, Listed(self)))
        return self

    def rows(
        self, *, workers: int = 1, timeout: float | None = None, progress: Progress | None = None
    ) -> Iterator[dict[str, Any]]:
        """Give the records as batches complete, without waiting for those that have not.

        Several workers download several results at the same time, each to a temporary file. Within a batch the order
        is Salesforce's.

        Args:
            workers: How many results may be on the way at the same time.
            timeout: Seconds to wait for a batch at most, each time that there is none to read; no limit by default.
            progress: Told how far the job is while there is nothing to read.

        Returns:
            Dicts, of texts in CSV and XML, and as Salesforce sent them in JSON.

        Raises:
            ValueError: ``workers`` cannot be right.
            JobError, JobTimeoutError, ApiError: While iterating: as for :meth:`wait`.
            TransportError: While iterating: a result did not come.
        """
        check_count("workers", workers)
        return self._rows(workers, timeout, progress)

    def to_csv(
        self, path: str | os.PathLike[str], *, timeout: float | None = None, progress: Progress | None = None
    ) -> int:
        """Write the records to a CSV file, which appears when all of them have come, and give their size in bytes.

        Args:
            path: Of the file, which is replaced where there is one.
            timeout: Seconds to wait for a batch at most, each time that there is none to read; no limit by default.
            progress: Told how far the job is while there is nothing to read.

        Raises:
            ValueError: The job is not in CSV, or the path cannot be written.
            JobError, JobTimeoutError, ApiError: As for :meth:`wait`.
            TransportError: A result did not come.
        """
        if self.content_type != "CSV":
            raise ValueError(f"{self} is in {self.content_type}: query with content_type='CSV', or read its rows()")
        check_target(path)
        header, size = b"", 0
        counts: Counter[str] = Counter()
        with replacing(Path(path)) as file:
            for batch_id, result_id in self._results(counts, timeout, progress):
                with result_text(self._session, self.id, batch_id, result_id) as found:
                    count: RowCount | None = None
                    for block in _header_first(iter(found.chunks)):
                        if count is not None:
                            count.add(block)
                            size += file.write(block)
                            continue
                        count = RowCount(block)
                        if not header:
                            header = block
                            size += file.write(header)
                        elif block.rstrip(b"\r\n") != header.rstrip(b"\r\n"):
                            raise ValueError("its columns are not those of the result before")
                    counts[batch_id] += count.rows if count else 0
        return size

    def _rows(self, workers: int, timeout: float | None, progress: Progress | None) -> Iterator[dict[str, Any]]:
        counts: Counter[str] = Counter()
        if workers == 1:
            for batch_id, result_id in self._results(counts, timeout, progress):
                yield from _counted(read_records(self._session, self.id, batch_id, result_id), counts, batch_id)
            return
        for results in self._complete(counts, timeout, progress):
            # Those that were fetched ahead and are never read are closed as well.
            with ExitStack() as files:
                calls = (partial(self._fetch, *each, files) for each in results)
                with closing(in_order(calls, workers)) as fetched:
                    for batch_id, file, data_format in fetched:
                        with file:
                            found = records(iter(partial(file.read, _IN_MEMORY), b""), data_format)
                            yield from _counted(found, counts, batch_id)

    def _fetch(self, batch_id: str, result_id: str, files: ExitStack) -> tuple[str, IO[bytes], str]:
        file = files.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115  # the stack closes it
        with result_text(self._session, self.id, batch_id, result_id) as found:
            for block in found.chunks:
                file.write(block)
            file.seek(0)
            return batch_id, file, found.data_format

    def _results(
        self, counts: Counter[str], timeout: float | None, progress: Progress | None
    ) -> Iterator[tuple[str, str]]:
        for results in self._complete(counts, timeout, progress):
            yield from results

    def _complete(
        self, counts: Counter[str], timeout: float | None, progress: Progress | None
    ) -> Iterator[Iterator[tuple[str, str]]]:
        """Give the results of the batches that have completed, whenever some have.

        Args:
            counts: How many records of each batch have come, which is counted up from outside.
            timeout: Seconds to wait at most, each time.
            progress: Told how far the job is.

        Raises:
            JobError: Something went wrong; fewer records came than a batch has, for one.
        """
        read: set[str] = set()
        listed = Listed(self)
        while True:
            infos = self._wait_for(_has_news(read), timeout, progress, listed)
            new = {info.id: info for info in infos if info.state == "Completed" and info.id not in read}
            read.update(new)
            if new:
                yield ((batch, result) for batch in new for result in result_ids(self._session, self.id, batch))
            for batch_id, info in new.items():
                if counts[batch_id] < (processed := info.number_records_processed or 0):
                    text = f"batch {batch_id} has found {processed:,} records, and {counts[batch_id]:,} came"
                    raise JobError(f"{self}: {text}", job=self)
            # Only now, so that what there is comes before what went wrong.
            if self._judge(infos):
                return

    def _wait_for(
        self,
        has_news: Callable[[BatchInfos], bool],
        timeout: float | None,
        progress: Progress | None,
        listed: Listed,
    ) -> BatchInfos:
        infos: BatchInfos = []

        def look() -> BatchInfos | None:
            nonlocal infos
            infos = self.batches()
            if not listed.has_all(infos):
                return None
            if not infos:
                raise JobError(f"{self} has no batch, so there is nothing to wait for", job=self)
            return infos if has_news(infos) else None

        tell = telling(progress, lambda elapsed: self._progress(infos, elapsed))
        return wait_for(self, look, self._session.retry, timeout=timeout, tell=tell)

    def _progress(self, infos: BatchInfos, elapsed: float) -> JobProgress:
        ended = bool(infos) and all(info.state in ENDED for info in infos)
        return JobProgress(
            job_ids=(self.id,),
            state=self.state if ended else "InProgress",
            records_processed=sum(info.number_records_processed or 0 for info in infos),
            jobs_done=int(ended),
            jobs_total=1,
            elapsed=elapsed,
        )

    def _check_processed(self, unprocessed: list[str]) -> None:
        """See to it that nothing but the batch that was cut into others has not been processed.

        Raises:
            JobError: There is more, such as all that an aborted job did not come to.
        """
        if not unprocessed:
            return
        if self.info().state == "Aborted":
            raise JobError(f"{self} was aborted", job=self)
        if self._is_chunked is False or len(unprocessed) > 1:
            raise JobError(f"{self}: batch {unprocessed[-1]} was not processed", job=self)

    def _judge(self, infos: BatchInfos) -> bool:
        """Tell whether all has ended well.

        Raises:
            JobError: Something has not.
        """
        if failed := [info for info in infos if info.state == "Failed"]:
            # Some messages quote the query.
            reason = ErrorDetail("", failed[0].state_message or "Salesforce gave no reason")
            more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
            raise JobError(f"{self}: batch {failed[0].id} failed{more}: {reason}", job=self)
        if not all(info.state in ENDED for info in infos):
            return False
        self._check_processed([info.id for info in infos if info.state == "NotProcessed"])
        if self.state == "Open":
            # Only who created a job may close it, and it does no harm to leave it open.
            with suppress(SalesforceError):
                self.close()
        return True


def _counted(found: Iterator[dict[str, Any]], counts: Counter[str], batch_id: str) -> Iterator[dict[str, Any]]:
    number = 0
    for number, record in enumerate(found, 1):  # noqa: B007  # its last value counts
        yield record
    counts[batch_id] += number


def _has_news(read: Set[str], *, whole: bool = False) -> Callable[[BatchInfos], bool]:
    """Tell what is worth an answer: a batch that can be read, unless all are waited for, and the end."""

    def has_news(infos: BatchInfos) -> bool:
        if any(info.state == "Failed" for info in infos):
            return True
        if not whole and any(info.state == "Completed" and info.id not in read for info in infos):
            return True
        return all(info.state in ENDED for info in infos)

    return has_news


def _header_first(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Give a CSV text that ends with a newline, its first line by itself; nothing where it tells of no records."""
    text = b""
    while b"\n" not in text and (block := next(blocks, None)) is not None:
        text += block
    line, newline, rest = text.partition(b"\n")
    if line.strip(b'\r"').decode("utf-8", "replace") == NO_RECORDS:
        return
    yield line + newline
    last = rest
    if rest:
        yield rest
    for block in blocks:
        yield (last := block)
    if last and not last.endswith(b"\n"):
        yield b"\n"
