"""What a report shows, made of its fact map: rows with their groups filled in, summaries, tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import attrs
from sfconnector_generated.errors import ParseError
from sfconnector_generated.rest import models

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from sfconnector._tables import Dtypes

Keys: TypeAlias = Literal["name", "label"]
Row = dict[str, Any]

_TOTAL: Final = "T"
_NUMBERS: Final = frozenset({"currency", "double", "int", "percent"})
# Months and days of any year are numbers, and no dates as the type of their column would have it.
_NO_DATES: Final = frozenset({"DayInMonth", "MonthInYear"})
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


@attrs.frozen
class ReportColumn:
    """A column of a report's rows.

    Attributes:
        name: The API name, such as ``"ACCOUNT.NAME"``.
        label: What people read.
        type: The data type, such as ``"currency"``.
        grouping: Whether the rows are grouped by it.
    """

    name: str
    label: str
    type: str
    grouping: bool = False


@attrs.frozen
class ReportSummary:
    """The summaries of one group of rows, or of all.

    Attributes:
        groups: The columns that are grouped by, with the values that the group has in common. A subtotal lacks the
            columns inside of it, and the grand total has none.
        values: The summaries, such as ``"RowCount"`` and ``"s!AMOUNT"``, with their values.
    """

    groups: Mapping[str, Any]
    values: Mapping[str, Any]


class _Group(NamedTuple):
    """A group of rows or of columns: its key in the fact map, and its values from the outside in."""

    key: str
    values: tuple[Mapping[str, Any], ...]
    innermost: bool


@attrs.frozen(slots=False)
class ReportResult:
    """What a run of a report found.

    Attributes:
        data: The answer as Salesforce's documentation describes it, its fact map included.

    See Also:
        https://developer.salesforce.com/docs/atlas.en-us.api_analytics.meta/api_analytics/sforce_analytics_rest_api_factmap_example.htm
    """

    data: models.ReportResult = attrs.field(repr=False)

    @property
    def name(self) -> str:
        """The name of the report."""
        return self._metadata.name or ""

    @property
    def all_data(self) -> bool:
        """Whether all rows are there; Salesforce sends the first 2,000 of a report and no more."""
        return bool(self.data.all_data) and not self.data.has_exceeded_tabular_row_limit

    @property
    def has_details(self) -> bool:
        """Whether there are rows beside the summaries."""
        return bool(self.data.has_detail_rows)

    @cached_property
    def columns(self) -> tuple[ReportColumn, ...]:
        """The columns of the rows: those that are grouped by, then the details."""
        info = self._extended
        groupings = [*_known(self._metadata.groupings_down), *_known(self._metadata.groupings_across)]
        details = _known(self._metadata.detail_columns)
        return (
            *(_group_column(each, _known(info.grouping_column_info)) for each in groupings),
            *(_column(name, _known(info.detail_column_info)) for name in details),
        )

    def rows(self, *, keys: Keys = "name", ids: bool = False) -> list[Row]:
        """Give the detail rows in the order of the report, the values of their groups filled in.

        Numbers are numbers, and dates are texts as Salesforce sent them. An amount in an org of several currencies is
        a number too, with its currency beside it under the column's name and ``.currency``.

        Args:
            keys: Whether a row's keys are the names of the columns or their labels. A label that several columns
                have is followed by the name in parentheses.
            ids: Give the ids of records where the report shows their names.

        Raises:
            ValueError: The report was run without details, or has several blocks.

        Example:
            >>> sf.reports.run(report_id).rows(keys="label")
            [{'Stage': 'Prospecting', 'Opportunity Name': 'First', 'Amount': 100}]
        """
        names, table = self._table(keys, ids)
        return [dict(zip(names, row, strict=True)) for row in table]

    def summaries(self, *, keys: Keys = "name", ids: bool = False) -> list[ReportSummary]:
        """Give the summaries of all groups: the grand total first, and each group before those inside it.

        Args:
            keys: Whether columns and summaries are called by their names or their labels.
            ids: Give the ids of records where the report shows their names.

        Raises:
            ValueError: The report has several blocks.

        Example:
            >>> [(dict(summary.groups), dict(summary.values)) for summary in sf.reports.run(report_id).summaries()]
            [({}, {'s!AMOUNT': 100}), ({'STAGE_NAME': 'Prospecting'}, {'s!AMOUNT': 100})]
        """
        self._check_format()
        info = _known(self._extended.aggregate_column_info)
        aggregates = [_column(name, info) for name in _known(self._metadata.aggregates)]
        labels, groupings = _names(aggregates, keys), [column for column in self.columns if column.grouping]
        names = _names(groupings, keys)
        found = []
        for down, across, cell in self._cells():
            values = [_plain(column, each, ids) for column, each in zip(aggregates, cell["aggregates"], strict=True)]
            depth = len(_known(self._metadata.groupings_down))
            groups: Row = {}
            for start, group in ((0, down), (depth, across)):
                for index, value in enumerate(group.values, start):
                    groups[names[index]] = _plain(groupings[index], value, ids)
            found.append(ReportSummary(groups, dict(zip(labels, values, strict=True))))
        return found

    def to_arrow(self, *, keys: Keys = "name", ids: bool = False) -> pa.Table:
        """Give the detail rows as an Arrow table, with types from the report's description of its columns.

        Texts stay texts, whatever they look like. A column of the type ``datetime`` that shows days only has dates.

        Args:
            keys: As for :meth:`rows`.
            ids: As for :meth:`rows`.

        Raises:
            ImportError: Arrow is not installed.
            ValueError: As from :meth:`rows`, or a value is not of the type of its column.

        See Also:
            https://arrow.apache.org/docs/python/generated/pyarrow.Table.html

        Example:
            >>> sf.reports.run(report_id).to_arrow().column_names
            ['STAGE_NAME', 'OPPORTUNITY_NAME', 'AMOUNT']
        """
        from sfconnector import _tables
        from sfconnector._columns import Column

        _tables.check_installed("arrow")
        names, rows = self._table(keys, ids)
        # Without rows there is nothing to turn round.
        values: Sequence[Sequence[Any]] = [*zip(*rows, strict=True)] or [()] * len(names)
        types = [
            "date" if kind == "datetime" and _are_days(column) else kind
            for kind, column in zip(self._types, values, strict=True)
        ]
        columns = [Column(name, kind, (name,)) for name, kind in zip(names, types, strict=True)]
        return _tables.table(columns, values, _tables.Choices())

    def to_pandas(self, *, dtypes: Dtypes = "arrow", keys: Keys = "name", ids: bool = False) -> pd.DataFrame:
        """Give the detail rows as a pandas data frame.

        Args:
            dtypes: ``"arrow"`` keeps Arrow's types, nulls included; ``"numpy"`` gives what pandas makes of them.
            keys: As for :meth:`rows`.
            ids: As for :meth:`rows`.

        Raises:
            ImportError: pandas or Arrow is not installed.
            ValueError: As from :meth:`to_arrow`, or ``dtypes`` is neither.

        Example:
            >>> sf.reports.run(report_id).to_pandas()["AMOUNT"].sum()
            100.0
        """
        from sfconnector import _tables

        if dtypes not in {"arrow", "numpy"}:
            raise ValueError(f'dtypes is "arrow" or "numpy", not {dtypes!r}')
        _tables.check_installed("pandas", "arrow")
        return _tables.data_frame(self.to_arrow(keys=keys, ids=ids), dtypes)

    def to_polars(self, *, keys: Keys = "name", ids: bool = False) -> pl.DataFrame:
        """Give the detail rows as a Polars data frame.

        Args:
            keys: As for :meth:`rows`.
            ids: As for :meth:`rows`.

        Raises:
            ImportError: Polars or Arrow is not installed.
            ValueError: As from :meth:`to_arrow`.

        Example:
            >>> sf.reports.run(report_id).to_polars().height
            1
        """
        from sfconnector import _tables

        _tables.check_installed("polars", "arrow")
        return _tables.polars_frame(self.to_arrow(keys=keys, ids=ids))

    @property
    def _metadata(self) -> models.ReportMetadata:
        return self.data.report_metadata or models.ReportMetadata()

    @property
    def _extended(self) -> models.ReportExtendedMetadata:
        return self.data.report_extended_metadata or models.ReportExtendedMetadata()

    @cached_property
    def _currencies(self) -> frozenset[int]:
        """The columns whose amounts come with a currency, by their position."""
        return frozenset(
            index
            for _, cells in self._details()
            for index, cell in enumerate(cells)
            if isinstance(cell["value"], dict) and cell["value"].get("currency") is not None
        )

    @property
    def _types(self) -> list[str]:
        types: list[str] = []
        for index, column in enumerate(self.columns):
            types += [column.type, "string"] if index in self._currencies else [column.type]
        return types

    def _table(self, keys: Keys, ids: bool) -> tuple[list[str], list[list[Any]]]:
        """Give the keys of all rows, and the values of each."""
        self._check_format()
        if not self.has_details:
            raise ValueError("the report was run without details, so it has no rows: run it with details=True")
        columns, currencies = self.columns, self._currencies
        names: list[str] = []
        for index, name in enumerate(_names(columns, keys)):
            names += [name, f"{name}.currency"] if index in currencies else [name]
        table = []
        for _, cells in self._details():
            row = []
            for index, (column, cell) in enumerate(zip(columns, cells, strict=True)):
                row.append(_plain(column, cell, ids))
                if index in currencies:
                    row.append((cell["value"] or {}).get("currency") if isinstance(cell["value"], dict) else None)
            table.append(row)
        return names, table

    def _details(self) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
        """Walk over the rows of the innermost groups, each with the cells of its groups before its own."""
        for down, across, cell in self._cells():
            rows = cell.get("rows") or ()
            if not (down.innermost and across.innermost):
                if rows:
                    raise ValueError("the fact map has rows outside of the innermost groups: read it as data.fact_map")
                continue
            for row in rows:
                yield f"{down.key}!{across.key}", [*down.values, *across.values, *row["dataCells"]]

    def _cells(self) -> Iterator[tuple[_Group, _Group, Mapping[str, Any]]]:
        """Walk over the fact map in the order of the groups, totals first."""
        facts: Mapping[str, Any] = self.data.fact_map or {}
        across = [*_groups(self.data.groupings_across)]
        for down in _groups(self.data.groupings_down):
            for column in across:
                # Salesforce leaves out groups without records in some versions of the API.
                if (cell := facts.get(f"{down.key}!{column.key}")) is not None:
                    yield down, column, cell

    def _check_format(self) -> None:
        if self._metadata.report_format == "MULTI_BLOCK":
            raise ValueError("the report has several blocks, with columns of their own: read it as data.fact_map")


def parse(data: Any) -> ReportResult:
    """Read an answer.

    Raises:
        ParseError: It is not what a run of a report answers.
    """
    result = models.ReportResult.from_dict(data)
    if result.fact_map and (result.report_metadata or models.ReportMetadata()).report_format != "MULTI_BLOCK":
        metadata = result.report_metadata or models.ReportMetadata()
        widths = len(_known(metadata.aggregates)), len(_known(metadata.detail_columns))
        if not isinstance(result.fact_map, dict):
            raise ParseError("the fact map is no JSON object")
        for key, cell in result.fact_map.items():
            if not _is_cell(cell, *widths):
                raise ParseError(f"the cell {key!r} of the fact map does not fit the columns of the report")
    return ReportResult(result)


def _is_cell(cell: Any, aggregates: int, columns: int) -> bool:
    match cell:
        case {"aggregates": [*summaries]} if len(summaries) == aggregates and all(map(_is_value, summaries)):
            rows = cell.get("rows") or []
            return isinstance(rows, list) and all(_is_row(row, columns) for row in rows)
        case _:
            return False


def _is_row(row: Any, columns: int) -> bool:
    match row:
        case {"dataCells": [*cells]}:
            return len(cells) == columns and all(map(_is_value, cells))
        case _:
            return False


def _is_value(value: Any) -> bool:
    return isinstance(value, dict) and {"label", "value"} <= value.keys()


def _groups(groupings: Any) -> Iterator[_Group]:
    """Walk over the groups from the total on, each before those inside it."""
    groups = _known(groupings.groupings) if groupings else []
    yield _Group(_TOTAL, (), innermost=not groups)
    yield from _inside(groups, ())


def _inside(groups: Sequence[models.ReportGroup], outer: tuple[Mapping[str, Any], ...]) -> Iterator[_Group]:
    for group in groups:
        inner = _known(group.groupings)
        values = (*outer, {"value": group.value, "label": group.label})
        yield _Group(group.key, values, innermost=not inner)
        yield from _inside(inner, values)


def _group_column(grouping: models.ReportGroupingInfo, info: Mapping[str, models.ReportColumn]) -> ReportColumn:
    column = _column(grouping.name, info)
    kind = "string" if grouping.date_granularity in _NO_DATES else column.type
    return attrs.evolve(column, type=kind, grouping=True)


def _column(name: str, info: Mapping[str, models.ReportColumn]) -> ReportColumn:
    return ReportColumn(name, info[name].label, info[name].data_type) if name in info else ReportColumn(name, name, "")


def _names(columns: Sequence[ReportColumn], keys: Keys) -> list[str]:
    if keys not in {"name", "label"}:
        raise ValueError(f'keys is "name" or "label", not {keys!r}')
    if keys == "name":
        return [column.name for column in columns]
    labels = [column.label for column in columns]
    return [f"{column.label} ({column.name})" if labels.count(column.label) > 1 else column.label for column in columns]


def _plain(column: ReportColumn, cell: Mapping[str, Any], ids: bool) -> Any:
    """Give the value of a cell that a table has: a number without its currency, a record's name in place of its id."""
    value = cell["value"]
    if isinstance(value, dict) and column.type in _NUMBERS:
        return value.get("amount")
    if column.type in {"", "string"} and value is not None and not ids:
        return cell["label"]
    return value


def _are_days(values: Sequence[Any]) -> bool:
    return any(values) and all(value is None or (isinstance(value, str) and _DAY.fullmatch(value)) for value in values)


def _known(value: Any) -> Any:
    """Give what an answer says, or nothing of its kind where it says nothing."""
    return value or ()
