"""From a source of rows to jobs that write them."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final, get_args

import attrs
from sfconnector_generated.bulk_v1.api.job import create_job

from sfconnector._bulk.frames import is_frame
from sfconnector._bulk.ingest import Cutting
from sfconnector._bulk.ingests import of_ids
from sfconnector._bulk_v1 import _xml, _zips
from sfconnector._bulk_v1._batches import FRAMES, MOST_BYTES, MOST_ROWS, Batch, CsvFrames, Frame, cut, written
from sfconnector._bulk_v1._json_items import items
from sfconnector._bulk_v1._reading import rows_in
from sfconnector._bulk_v1._sending import Lane, Lanes
from sfconnector._bulk_v1.calls import MEDIA_TYPES, job_request, one_of
from sfconnector._bulk_v1.ingest import BulkV1Ingest
from sfconnector._bulk_v1.jobs import BulkV1Job, DataFormat, ask
from sfconnector._csv.dialect import Dialect
from sfconnector._json import loads
from sfconnector._prepare import check_count
from sfconnector._progress import JobProgress, Progress, check_callback
from sfconnector._session import Seconds, Session
from sfconnector._upload import rewindable
from sfconnector.errors import JobError

if TYPE_CHECKING:
    from sfconnector_generated.bulk_v1.models import JobInfo

_SHOWN: Final = 3
_CHUNK: Final = 1 << 16


@attrs.frozen
class Writing:
    """What becomes of rows, and how they are sent; see ``BulkV1.insert``."""

    operation: str
    sobject: str
    data_format: str = "CSV"
    external_id: str | None = None
    concurrency_mode: str | None = None
    assignment_rule_id: str | None = None
    max_rows: int = MOST_ROWS
    max_bytes: int = MOST_BYTES
    workers: int = 1
    file_field: str | None = None
    on_job: Callable[[BulkV1Job], object] | None = None
    progress: Progress | None = None
    timeout: Seconds = None

    @classmethod
    def of(cls, info: JobInfo) -> Writing:
        """Tell how the rows of a job were sent, as far as it says so."""
        kind = (info.content_type or "XML").rpartition("_")
        return cls(
            info.operation,
            info.object or "",
            kind[2],
            info.external_id_field_name or None,
            info.concurrency_mode or None,
            info.assignment_rule_id or None,
            file_field="" if kind[0] else None,
        )

    @property
    def content_type(self) -> str:
        return self.data_format if self.file_field is None else f"ZIP_{self.data_format}"

    @property
    def cutting(self) -> Cutting:
        """How what goes out as CSV is cut, and what its rows must have."""
        return Cutting.of(self.operation, self.external_id, Dialect(), self.max_bytes, max_rows=self.max_rows)

    def checked(self) -> Writing:
        """Refuse what cannot be right.

        Raises:
            ValueError, TypeError: It cannot.
        """
        one_of("content_type", self.data_format, get_args(DataFormat))
        for name, value, most in [("max_rows", self.max_rows, MOST_ROWS), ("max_bytes", self.max_bytes, MOST_BYTES)]:
            if check_count(name, value) > most:
                raise ValueError(f"{name} is {value:,}, and Salesforce takes {most:,}")
        if check_count("workers", self.workers) > 1 and self.concurrency_mode == "Serial":
            raise ValueError("each worker has a job of its own, and jobs run beside each other: Serial needs workers=1")
        check_callback("on_job", self.on_job)
        check_callback("progress", self.progress)
        self.request()
        return self

    def request(self) -> Any:
        """Say what a job is to do."""
        return job_request(
            self.operation,
            self.sobject,
            self.content_type,
            self.external_id,
            self.concurrency_mode,
            self.assignment_rule_id,
        )


def write(session: Session, source: Any, writing: Writing, origins: Sequence[int] | None = None) -> BulkV1Ingest:
    """Send rows in batches.

    Args:
        session: Sends the requests.
        source: Gives the rows.
        writing: What becomes of them.
        origins: Where each of them was in another source, from which they are sent again.

    Raises:
        JobError: Something went wrong after a job was created, which the error holds.
        Exception: Something went wrong before that.
    """
    if writing.file_field == "":
        raise ValueError("the files of the rows are not here any more: send rows and files anew")

    def open_job() -> BulkV1Job:
        info = ask(session, create_job.build(body=writing.request()), create_job.parse, writing.timeout)
        job = BulkV1Job(session, info)
        if writing.on_job is not None:
            with _called_back("on_job"):
                writing.on_job(job)
        return job

    media_type = MEDIA_TYPES[writing.content_type]
    lanes = Lanes(lambda: Lane(session, open_job, media_type, writing.timeout), writing.workers)
    telling = _Telling(session, lanes, writing.progress)

    try:
        with closing(_batches(source, writing)) as batches:
            lanes.send(batches, telling)
    except BaseException as error:
        if not lanes.jobs:
            raise
        so_far = BulkV1Ingest(session, lanes.jobs, writing, lanes.sent, origins)
        rows = ", ".join(f"rows {each.start:,}–{each.stop - 1:,}" for each in so_far.sent[:_SHOWN]) or "no rows"
        told = f"sent before this, and worked on: {rows}{', …' if len(so_far.sent) > _SHOWN else ''}, by {so_far}"
        if not isinstance(error, Exception):
            error.add_note(f"{told}.".capitalize())
            raise
        cause = error.__cause__ if isinstance(error, JobError) else error
        text = f"the sending broke off: {str(error) or type(error).__name__} — {told}"
        raise JobError(text, job=so_far) from cause
    return BulkV1Ingest(session, lanes.jobs, writing, lanes.sent, origins)


class _Telling:
    """Tells how far the sending is."""

    def __init__(self, session: Session, lanes: Lanes, progress: Progress | None) -> None:
        self._clock, self._lanes, self._progress = session.retry.clock, lanes, progress
        self._began, self._bytes = self._clock(), 0

    def __call__(self, size: int) -> None:
        self._bytes += size
        if self._progress is None:
            return
        told = JobProgress(
            tuple(job.id for job in self._lanes.jobs), bytes_sent=self._bytes, elapsed=self._clock() - self._began
        )
        with _called_back("progress"):
            self._progress(told)


@contextmanager
def _called_back(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise JobError(f"the callback {name} raised {type(error).__name__}") from error


def _batches(source: Any, writing: Writing) -> Generator[Batch]:
    if writing.cutting.key_alone:
        source = of_ids(source)
    if writing.file_field is not None:
        return _zips.cut(_iterable(source, writing), writing.file_field, _frames(writing.data_format))
    if writing.data_format == "CSV":
        return writing.cutting.parts(source)
    frame = FRAMES[writing.data_format]
    return cut(_texts(source, writing), frame, writing.max_rows, writing.max_bytes)


def _frames(data_format: str) -> Callable[[Mapping[str, Any]], Frame]:
    """Give the frame of a batch by the row that it begins with."""
    return CsvFrames() if data_format == "CSV" else lambda _: FRAMES[data_format]


def _texts(source: Any, writing: Writing) -> Iterator[bytes]:
    """Give the rows of a source, written."""
    if not isinstance(source, str | bytes | bytearray | os.PathLike) and not hasattr(source, "read"):
        return written(_iterable(source, writing), FRAMES[writing.data_format])
    return _stored(source, writing.data_format)


def _stored(source: Any, data_format: str) -> Iterator[bytes]:
    """Give the rows of a file that holds a batch of any size."""
    with rewindable(source) as stream:
        chunks = iter(lambda: stream.read(_CHUNK), b"")
        try:
            if data_format == "XML":
                yield from map(_xml.write, rows_in(chunks, data_format))
                return
            for found in items(chunks):
                for item in found:
                    # As it is, so that no number loses a digit; but only if it is one.
                    loads(item)
                    yield item
        except ValueError as error:
            raise ValueError(f"the source is no {data_format} of rows: {error}") from error


def _iterable(source: Any, writing: Writing) -> Iterable[object]:
    if callable(getattr(source, "rows", None)) and not is_frame(source):
        source = source.rows()
    if isinstance(source, Mapping | str | bytes) or is_frame(source) or not isinstance(source, Iterable):
        raise TypeError(f"rows are an iterable of dicts, not a {type(source).__name__}; only CSV takes more")
    return _checked(map(_own, source), writing.cutting)


def _checked(rows: Iterable[Any], cutting: Cutting) -> Iterator[Any]:
    """Look at the columns of the first row, before a job is created; of any other it is Salesforce that complains."""
    for number, row in enumerate(rows):
        if number == 0 and isinstance(row, Mapping):
            cutting.check(name for name in row if isinstance(name, str) and name != "attributes")
        yield row


def _own(row: Any) -> Any:
    """Leave out of a row what results of a job tell beside it."""
    if isinstance(row, Mapping) and "sf__Id" in row:
        return {name: value for name, value in row.items() if not name.startswith("sf__")}
    return row
