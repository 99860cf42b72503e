"""Data frames and tables of pandas, Polars and PyArrow on their way into CSV, a block of columns at a time.

What is missing in them (``None``, NaN, NaT, NA) becomes ``#N/A``; instants need a time zone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from sfconnector._bulk.blocks import Block, Reading
from sfconnector._csv.columns import check_columns
from sfconnector._csv.write import Writer

_ROWS: Final = 2_000

Columns: TypeAlias = Iterator[Sequence[Sequence[Any]]]
Reader: TypeAlias = Callable[[Any, "tuple[str, ...]"], Columns]
"""Gives of some columns of a frame the values, so many rows at a time."""


def is_frame(candidate: object) -> bool:
    """Tell a data frame, a table or a batch of records from everything else."""
    return _reader(candidate) is not None


def frame_blocks(frames: Iterable[Any], reading: Reading) -> Iterator[Block]:
    """Encode frames of the same columns.

    Raises:
        TypeError, ValueError: While iterating: columns are missing, or hold what is in no cell.
    """
    writer, first = None, 0
    for number, frame in enumerate(frames):
        reader = _reader(frame)
        if reader is None:
            raise TypeError(f"frame {number} is no data frame or table, but a {type(frame).__name__}")
        if type(frame).__name__ == "LazyFrame":
            frame = frame.collect()
        names = check_columns(list(frame.schema.names if reader is _arrow else frame.columns))
        chosen = names if reading.columns is None else reading.columns
        if missing := set(chosen) - set(names):
            raise ValueError(f"the column {min(missing)!r} is not there")
        if writer is None:
            writer = Writer(chosen, reading.dialect)
        if chosen != writer.columns:
            raise ValueError(f"frame {number} has other columns than the first, or in another order")
        for columns in reader(frame, chosen):
            rows = len(columns[0])
            yield Block(writer, writer.columnar(columns, first), rows)
            first += rows


def _reader(frame: object) -> Reader | None:
    # Who has a frame has imported its module.
    pandas, polars, arrow = (sys.modules.get(name) for name in ("pandas", "polars", "pyarrow"))
    if pandas is not None and isinstance(frame, pandas.DataFrame):
        return _pandas
    if polars is not None and isinstance(frame, polars.DataFrame | polars.LazyFrame):
        return _polars
    if arrow is not None and isinstance(frame, arrow.Table | arrow.RecordBatch):
        return _arrow
    return None


def _pandas(frame: Any, names: tuple[str, ...]) -> Columns:
    chosen = frame[list(names)]
    for start in range(0, len(chosen), _ROWS):
        some = chosen.iloc[start : start + _ROWS]
        yield [_pandas_values(some[name]) for name in names]


def _pandas_values(series: Any) -> list[Any]:
    values: list[Any] = series.tolist()
    missing = series.isna()
    if missing.any():
        values = [None if absent else value for value, absent in zip(values, missing.tolist(), strict=True)]
    # To columns of Arrow's types NaN is not missing.
    return _without_nan(values) if series.dtype.kind == "f" else values


def _polars(frame: Any, names: tuple[str, ...]) -> Columns:
    import polars as pl

    chosen = frame.select(names)
    for name, kind in chosen.schema.items():
        if kind.is_nested() or kind.base_type() in {pl.Binary, pl.Object, pl.Duration}:
            raise TypeError(f"{name}: {kind} has no place in a cell")
        if isinstance(kind, pl.Datetime):
            _check_zone(name, kind.time_zone)
    for some in chosen.iter_slices(_ROWS):
        yield [_polars_values(column, pl) for column in some]


def _polars_values(column: Any, pl: Any) -> list[Any]:
    if column.dtype.is_float():
        column = column.fill_nan(None)
    elif isinstance(column.dtype, pl.Datetime):
        column = column.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
    values: list[Any] = column.to_list()
    return values


def _arrow(table: Any, names: tuple[str, ...]) -> Columns:
    import pyarrow as pa

    for name in names:
        _check_arrow(name, table.schema.field(name).type, pa.types)
    for start in range(0, table.num_rows, _ROWS):
        some = table.slice(start, _ROWS)
        yield [_arrow_values(some.column(name), pa.types) for name in names]


def _check_arrow(name: str, kind: Any, types: Any) -> None:
    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_timestamp(kind):
        _check_zone(name, kind.tz)
    known = (
        types.is_string,
        types.is_large_string,
        types.is_boolean,
        types.is_integer,
        types.is_floating,
        types.is_decimal,
        types.is_date,
        types.is_time,
        types.is_timestamp,
        types.is_null,
    )
    views = getattr(types, "is_string_view", None)
    if not any(is_kind(kind) for is_kind in known) and not (views and views(kind)):
        raise TypeError(f"{name}: {kind} has no place in a cell")


def _arrow_values(column: Any, types: Any) -> list[Any]:
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if types.is_timestamp(column.type):
        column = _instants(column)
    elif types.is_time(column.type) and column.type.unit == "ns":
        # The times of Python have no more than microseconds.
        column = column.cast("time64[us]", safe=False)
    values: list[Any] = column.to_pylist()
    return _without_nan(values) if types.is_floating(column.type) else values


def _without_nan(values: list[Any]) -> list[Any]:
    # It is not equal to itself.
    return [None if value != value else value for value in values]


def _instants(column: Any) -> Any:
    """Write instants as Salesforce takes them, without making objects of them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    utc = pc.floor_temporal(column.cast(pa.timestamp(column.type.unit, "UTC")), unit="millisecond")
    local = utc.cast(pa.timestamp("ms", "UTC")).cast(pa.timestamp("ms"))
    return pc.binary_join_element_wise(pc.replace_substring(local.cast(pa.string()), " ", "T"), "Z", "")


def _check_zone(name: str, zone: object) -> None:
    if zone is None:
        raise ValueError(f"{name}: its datetimes have no time zone, so they name no instants: give them one")
