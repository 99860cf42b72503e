"""One job that reads records."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import closing, suppress
from itertools import chain
from typing import IO, TYPE_CHECKING, ClassVar

from sfconnector_generated.bulk_v2 import models
from sfconnector_generated.bulk_v2.api.query import delete_query_job, get_query_job, update_query_job
from sfconnector_generated.client import Request
from sfconnector_generated.rest.api.sobjects import describe_sobject

from sfconnector._bulk.jobs import COMPLETE, Job, Resource
from sfconnector._bulk.pages import Page, Walk, dialect_of
from sfconnector._bulk.query_csv import write_csv
from sfconnector._call import call
from sfconnector._download import check_target, writing
from sfconnector._prepare import check_count
from sfconnector._progress import check_callback
from sfconnector._session import Session

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from sfconnector_generated.bulk_v2.models import JobInfo
    from sfconnector_generated.rest.models import DescribeSObjectResult

    from sfconnector._bulk.tables import Reader
    from sfconnector._progress import Progress
    from sfconnector._tables import Choices, Dtypes


def _abort(job_id: str) -> Request:
    return update_query_job.build(job_id, body=models.QueryJobState(state="Aborted"))


class QueryJob(Job):
    """A job that reads records; it goes on at Salesforce whatever becomes of this object.

    Made by :meth:`Bulk.query`, :meth:`Bulk.query_all`, and of an id by :meth:`Bulk.query_job`.

    Every way to read the results first waits for the job's end. It can be used any number of times, by several threads
    too, and begins with the first row each time. The results come page by page. With several ``workers`` that many
    pages are on their way at once, each into a temporary file, and at most twice as many are ahead of the caller; that
    takes API version 58, and without it they come one after the other. A page that breaks off is asked for again and
    goes on where it broke. The rows that came are counted, and reading ends with an error unless each page has as many
    as Salesforce announced, and all together as many as the job has.

    Attributes:
        id: The id of the job, with which any process can make this object again.
        state: What was heard last, such as ``"InProgress"``; empty where nothing was.
        workers: How many pages may be on their way at the same time where a call does not tell.

    See Also:
        https://developer.salesforce.com/docs/platform/api-asynch/guide/query-get-job-results.html
        https://developer.salesforce.com/docs/platform/api-asynch/guide/query-get-parallel-job-results.html
    """

    _resource: ClassVar[Resource] = Resource(get_query_job.build, _abort, delete_query_job.build)

    def __init__(
        self, session: Session, job_id: str, info: JobInfo | None = None, *, soql: str = "", workers: int = 1
    ) -> None:
        super().__init__(session, job_id, info)
        self._soql = soql
        self.workers = check_count("workers", workers)

    def rows(self, *, workers: int | None = None, progress: Progress | None = None) -> Generator[dict[str, str]]:
        """Walk over the rows, as texts by column, as Salesforce wrote them; an empty text is a null.

        Args:
            workers: How many pages may be on their way at the same time; by default the ``workers`` of this object.
            progress: Told how far the job is, while it is waited for.

        Raises:
            ValueError: ``workers`` is no number.
            JobError: While iterating: the job failed or was aborted.
            ApiError: While iterating: Salesforce refused a page.
            TransportError: While iterating: a page did not come, or not all of it.
            InvalidResponseError: While iterating: rows are missing or too many, or what came is no CSV.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/query-get-job-results.html

        Example:
            >>> list(sf.bulk.query("SELECT Name, NumberOfEmployees FROM Account").rows())
            [{'Name': 'Acme', 'NumberOfEmployees': ''}]
        """
        return self._rows(self._pages(workers, progress))

    def to_csv(
        self,
        to: str | os.PathLike[str] | IO[bytes],
        *,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> int:
        """Write the rows to a CSV file as Salesforce wrote them, with one header, and give their number.

        Args:
            to: The path to write, where a file appears when all rows have come and replaces one that is there; or a
                file opened for bytes.
            workers: As in :meth:`rows`.
            progress: As in :meth:`rows`.

        Raises:
            ValueError, TypeError: The path cannot be written, or ``workers`` is no number.
            JobError, ApiError, TransportError: As from :meth:`rows`.

        See Also:
            https://developer.salesforce.com/docs/platform/api-asynch/guide/query-get-job-results.html

        Example:
            >>> sf.bulk.query("SELECT Name FROM Account").to_csv(folder_path / "accounts.csv")
            1
            >>> (folder_path / "accounts.csv").read_text()
            '"Name"\\n"Acme"\\n'
        """
        check_target(to)
        pages = self._pages(workers, progress)
        with closing(pages):
            # The job's end comes first, so that a job that fails leaves nothing behind.
            first = next(pages, None)
            with writing(to) as file:
                return write_csv(chain([] if first is None else [first], pages), file)

    def batches(
        self,
        *,
        decimals: bool = False,
        split_multipicklists: bool = False,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> Generator[pa.RecordBatch]:
        """Walk over the rows as Arrow record batches; where there is no row, an empty one.

        The columns are those of the results, in their order. Their types come from the descriptions of the objects,
        each of which is asked for once, and are those that :meth:`Query.batches` gives.

        Args:
            decimals: As in :meth:`Query.batches`.
            split_multipicklists: As in :meth:`Query.batches`.
            workers: As in :meth:`rows`.
            progress: As in :meth:`rows`.

        Raises:
            ImportError: Arrow is not installed.
            ValueError: ``workers`` is no number.
            InvalidResponseError: While iterating: as from :meth:`rows`, or a value is not of the type of its field.
            JobError, ApiError, TransportError: While iterating: as from :meth:`rows`.

        See Also:
            https://arrow.apache.org/docs/python/generated/pyarrow.RecordBatch.html

        Example:
            >>> job = sf.bulk.query("SELECT Name, AnnualRevenue FROM Account")
            >>> [(batch.num_rows, batch.schema.types) for batch in job.batches()]
            [(1, [DataType(string), DataType(double)])]
        """
        from sfconnector import _tables

        _tables.check_installed("arrow")
        choices = _tables.Choices(decimals, split_multipicklists)
        return self._batches(self._pages(workers, progress), choices)

    def to_arrow(
        self,
        *,
        decimals: bool = False,
        split_multipicklists: bool = False,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> pa.Table:
        """Read all rows into an Arrow table.

        Args:
            decimals: As in :meth:`batches`, which also tells the columns and their types.
            split_multipicklists: As in :meth:`batches`.
            workers: As in :meth:`rows`.
            progress: As in :meth:`rows`.

        Raises:
            ImportError: Arrow is not installed.
            ValueError, JobError, ApiError, TransportError: As from :meth:`batches`.

        See Also:
            https://arrow.apache.org/docs/python/generated/pyarrow.Table.html

        Example:
            >>> sf.bulk.query("SELECT Name, NumberOfEmployees FROM Account").to_arrow().to_pylist()
            [{'Name': 'Acme', 'NumberOfEmployees': None}]
        """
        from sfconnector import _tables

        batches = self.batches(
            decimals=decimals, split_multipicklists=split_multipicklists, workers=workers, progress=progress
        )
        with closing(batches):
            return _tables.pyarrow().Table.from_batches(batches)

    def to_parquet(
        self,
        to: str | os.PathLike[str] | IO[bytes],
        *,
        decimals: bool = False,
        split_multipicklists: bool = False,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> int:
        """Write the rows to a Parquet file, in row groups of about 32 MB, and give their number.

        Args:
            to: The path to write, where a file appears when all rows have come and replaces one that is there; or a
                file opened for bytes.
            decimals: As in :meth:`batches`, which also tells the columns and their types.
            split_multipicklists: As in :meth:`batches`.
            workers: As in :meth:`rows`.
            progress: As in :meth:`rows`.

        Raises:
            ImportError: Arrow is not installed.
            ValueError, TypeError: The path cannot be written, or ``workers`` is no number.
            JobError, ApiError, TransportError: As from :meth:`batches`.

        See Also:
            https://arrow.apache.org/docs/python/parquet.html

        Example:
            >>> sf.bulk.query("SELECT Name FROM Account").to_parquet(folder_path / "accounts.parquet")
            1
        """
        from sfconnector._bulk.tables import write_parquet

        check_target(to)
        batches = self.batches(
            decimals=decimals, split_multipicklists=split_multipicklists, workers=workers, progress=progress
        )
        with closing(batches):
            first = next(batches)
            with writing(to) as file:
                return write_parquet(chain([first], batches), file)

    def to_pandas(
        self,
        *,
        dtypes: Dtypes = "arrow",
        decimals: bool = False,
        split_multipicklists: bool = False,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> pd.DataFrame:
        """Read all rows into a pandas data frame.

        Args:
            dtypes: As in :meth:`Query.to_pandas`.
            decimals: As in :meth:`batches`, which also tells the columns and their types.
            split_multipicklists: As in :meth:`batches`.
            workers: As in :meth:`rows`.
            progress: As in :meth:`rows`.

        Raises:
            ImportError: pandas or Arrow is not installed.
            ValueError: ``dtypes`` is neither, or ``workers`` is no number.
            JobError, ApiError, TransportError: As from :meth:`batches`.

        See Also:
            https://pandas.pydata.org/docs/user_guide/pyarrow.html

        Example:
            >>> sf.bulk.query("SELECT Name FROM Account").to_pandas()["Name"].tolist()
            ['Acme']
        """
        from sfconnector import _tables

        _tables.check_dtypes(dtypes)
        _tables.check_installed("pandas")
        table = self.to_arrow(
            decimals=decimals, split_multipicklists=split_multipicklists, workers=workers, progress=progress
        )
        return _tables.data_frame(table, dtypes)

    def to_polars(
        self,
        *,
        decimals: bool = False,
        split_multipicklists: bool = False,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> pl.DataFrame:
        """Read all rows into a Polars data frame.

        Args:
            decimals: As in :meth:`batches`, which also tells the columns and their types.
            split_multipicklists: As in :meth:`batches`.
            workers: As in :meth:`rows`.
            progress: As in :meth:`rows`.

        Raises:
            ImportError: Polars or Arrow is not installed.
            ValueError, JobError, ApiError, TransportError: As from :meth:`batches`.

        See Also:
            https://docs.pola.rs/api/python/stable/reference/dataframe/index.html

        Example:
            >>> sf.bulk.query("SELECT Name FROM Account").to_polars()["Name"].to_list()
            ['Acme']
        """
        from sfconnector import _tables

        _tables.check_installed("polars")
        return _tables.polars_frame(
            self.to_arrow(
                decimals=decimals, split_multipicklists=split_multipicklists, workers=workers, progress=progress
            )
        )

    def _pages(self, workers: int | None, progress: Progress | None) -> Generator[Page]:
        """Walk over the pages once the job is complete."""
        check_callback("progress", progress)
        return self._walk(self.workers if workers is None else check_count("workers", workers), progress)

    def _walk(self, workers: int, progress: Progress | None) -> Generator[Page]:
        yield from Walk(self._session, self._completed(progress), workers)

    def _completed(self, progress: Progress | None = None) -> JobInfo:
        if self._info is None or self._info.state != COMPLETE:
            self.wait(progress=progress)
        return self._info or self.info()

    def _reader(self, page: Page, choices: Choices) -> Reader:
        from sfconnector import _columns
        from sfconnector._bulk.tables import Reader

        select = None
        with suppress(ValueError):
            select = _columns.selection(self._soql)
        info = self._completed()
        sobject = info.object or ("" if select is None else select.sobject)
        if not sobject:
            raise page.invalid("the job does not tell of which object its rows are")
        if page.columns or select is None:
            columns = _columns.columns_named(page.columns, sobject, select, self._describe)
        else:
            columns = _columns.columns_of(select, self._describe)
        return Reader(columns, dialect_of(info), choices)

    def _describe(self, sobject: str) -> DescribeSObjectResult:
        return call(self._session, describe_sobject.build(sobject), describe_sobject.parse)

    def _rows(self, pages: Generator[Page]) -> Generator[dict[str, str]]:
        with closing(pages):
            for page in pages:
                yield from page.dicts()

    def _batches(self, pages: Generator[Page], choices: Choices) -> Generator[pa.RecordBatch]:
        reader: Reader | None = None
        rows = 0
        with closing(pages):
            for page in pages:
                reader = reader or self._reader(page, choices)
                page.rows = 0
                try:
                    # It reads ahead in a thread, which has to end before the page is closed.
                    with closing(reader.read(page.blocks())) as batches:
                        for batch in batches:
                            page.rows += batch.num_rows
                            yield batch
                except ValueError as error:
                    raise page.invalid(str(error)) from None
                rows += page.rows
        if reader is not None and not rows:
            yield reader.empty()
