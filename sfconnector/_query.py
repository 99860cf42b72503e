"""Queries whose pages come as they are needed, the next one while the caller works on this one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import requests
from sfconnector_generated.client import Request
from sfconnector_generated.rest.api.sobjects import describe_sobject

from sfconnector._call import call, send
from sfconnector._pages import Page, Pages
from sfconnector._session import Session

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from sfconnector_generated.rest.models import DescribeSObjectResult

    from sfconnector._columns import Column
    from sfconnector._select import Select
    from sfconnector._tables import Choices, Dtypes

T = TypeVar("T")

# A child relationship stands in the SELECT list, and a semi-join behind IN.
_SUBQUERY: Final = re.compile(r"(?:,|\bSELECT)\s*\(\s*SELECT\b", re.IGNORECASE)


class Query(Generic[T]):
    """The records of one SOQL query, fetched lazily.

    Iterating runs the query and walks over all its pages; the next page is fetched while the caller works
    on the records of this one. Child relationships are complete: where Salesforce sends only their first
    records, the rest is fetched before the parent record is handed out. Iterating again runs the query again.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm
    """

    def __init__(
        self,
        session: Session,
        request: Request,
        soql: str,
        decode: Callable[[Mapping[str, Any]], T] | None,
        workers: int = 1,
    ) -> None:
        self._session = session
        self._request = request
        self._soql = soql
        self._decode = decode
        self._workers = workers
        self._nested = _SUBQUERY.search(soql) is not None
        self._first: requests.Response | None = None

    @property
    def total_size(self) -> int:
        """How many records the query has in all, as Salesforce counted them; asks for the first page if need be."""
        if self._first is None:
            self._first = send(self._session, self._request)
        return Page.parse(self._session.decode(self._first), self._first).total_size

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page

    def pages(self) -> Iterator[list[T]]:
        """Walk over the records a page at a time; a page holds at most ``batch_size`` of them and may hold fewer."""
        for records in self._records():
            if self._decode is None:
                yield records  # type: ignore[misc]  # without a class of the caller's, T is the dict itself
            else:
                yield [self._decode(record) for record in records]

    def batches(self, *, decimals: bool = False, split_multipicklists: bool = False) -> Iterator[pa.RecordBatch]:
        """Walk over the records as Arrow record batches, one for each page; where there is no record, an empty one.

        The columns are those of the SELECT list, in its order; a parent's field is called by its path, such as
        ``Account.Owner.Name``. Their types come from the descriptions of the objects, each of which is asked for
        once, and never from the values: so ``"00501"`` stays text, whole numbers stay whole beside nulls, and a
        column keeps its type without any record. See the guide's table of types.

        Args:
            decimals: Make decimals of currencies, percentages and other numbers, rounded to the scale of their
                fields as Salesforce's pages show them, and no floats; those of functions without a scale, such as
                ``AVG()``, stay floats.
            split_multipicklists: Make lists of the values of multi-select picklists, and no text with semicolons.

        Raises:
            ImportError: Arrow is not installed.
            ValueError: The query selects no columns, as ``COUNT()``, or its SELECT list cannot be read; while
                iterating: a value is not of the type of its field.
            ApiError: While iterating: Salesforce refused the query or a description.

        See Also:
            https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm

        Example:
            >>> query = sf.query("SELECT Name, AnnualRevenue FROM Account")
            >>> [(batch.num_rows, batch.schema.types) for batch in query.batches()]
            [(1, [DataType(string), DataType(double)])]
        """
        from sfconnector import _columns, _tables

        _tables.check_installed("arrow")
        choices = _tables.Choices(decimals, split_multipicklists)
        return self._batches(_columns.selection(self._soql), choices)

    def to_arrow(self, *, decimals: bool = False, split_multipicklists: bool = False) -> pa.Table:
        """Read all records into an Arrow table; while it grows, it takes hardly more memory than at the end.

        Args:
            decimals: As in :meth:`batches`, which also tells the columns and their types.
            split_multipicklists: As in :meth:`batches`.

        Raises:
            ImportError: Arrow is not installed.
            ValueError: As from :meth:`batches`.
            ApiError: Salesforce refused the query or a description.

        See Also:
            https://arrow.apache.org/docs/python/generated/pyarrow.Table.html

        Example:
            >>> sf.query("SELECT Name, NumberOfEmployees FROM Account").to_arrow().to_pylist()
            [{'Name': 'Acme', 'NumberOfEmployees': None}]
        """
        from sfconnector import _tables

        batches = self.batches(decimals=decimals, split_multipicklists=split_multipicklists)
        return _tables.pyarrow().Table.from_batches(batches)

    def to_pandas(
        self, *, dtypes: Dtypes = "arrow", decimals: bool = False, split_multipicklists: bool = False
    ) -> pd.DataFrame:
        """Read all records into a pandas data frame.

        Args:
            dtypes: ``"arrow"`` keeps Arrow's types, nulls included; ``"numpy"`` gives what pandas makes of them,
                where whole numbers beside nulls are floats and dates are objects.
            decimals: As in :meth:`batches`, which also tells the columns and their types.
            split_multipicklists: As in :meth:`batches`.

        Raises:
            ImportError: pandas or Arrow is not installed.
            ValueError: As from :meth:`batches`, or ``dtypes`` is neither.
            ApiError: Salesforce refused the query or a description.

        See Also:
            https://pandas.pydata.org/docs/user_guide/pyarrow.html

        Example:
            >>> sf.query("SELECT Name FROM Account").to_pandas()["Name"].tolist()
            ['Acme']
        """
        from sfconnector import _tables

        _tables.check_dtypes(dtypes)
        _tables.check_installed("pandas")
        table = self.to_arrow(decimals=decimals, split_multipicklists=split_multipicklists)
        return _tables.data_frame(table, dtypes)

    def to_polars(self, *, decimals: bool = False, split_multipicklists: bool = False) -> pl.DataFrame:
        """Read all records into a Polars data frame.

        Args:
            decimals: As in :meth:`batches`, which also tells the columns and their types.
            split_multipicklists: As in :meth:`batches`.

        Raises:
            ImportError: Polars or Arrow is not installed.
            ValueError: As from :meth:`batches`.
            ApiError: Salesforce refused the query or a description.

        See Also:
            https://docs.pola.rs/api/python/stable/reference/dataframe/index.html

        Example:
            >>> sf.query("SELECT Name FROM Account").to_polars()["Name"].to_list()
            ['Acme']
        """
        from sfconnector import _tables

        _tables.check_installed("polars")
        return _tables.polars_frame(self.to_arrow(decimals=decimals, split_multipicklists=split_multipicklists))

    def _batches(self, select: Select, choices: Choices) -> Iterator[pa.RecordBatch]:
        from sfconnector import _columns, _tables

        columns: tuple[Column, ...] | None = None
        for records in self._records():
            # Salesforce's word on the query comes before descriptions are asked for.
            if columns is None:
                columns = _columns.columns_of(select, self._describe)
            yield _tables.batch(columns, records, choices)

    def _describe(self, sobject: str) -> DescribeSObjectResult:
        return call(self._session, describe_sobject.build(sobject), describe_sobject.parse)

    def _records(self) -> Iterator[list[dict[str, Any]]]:
        first, self._first = self._first, None
        first = first or send(self._session, self._request)
        pages = Pages(self._session, nested=self._nested)
        if self._workers == 1 or self._nested:
            return pages.follow(first)
        return pages.side_by_side(first, self._workers)

    def __repr__(self) -> str:
        # The text of a query may hold personal data in its literals.
        return f"<Query {self._request.operation} of {len(self._soql)} characters>"
