"""Arrow arrays, batches and tables from values as Salesforce writes them in JSON, by their Salesforce types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import time
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import attrs

from sfconnector._columns import CHILDREN, PARENT, Column
from sfconnector._extras import optional
from sfconnector._json import dumps
from sfconnector._select import Path

if TYPE_CHECKING:
    from decimal import Decimal

    import pandas as pd
    import polars as pl
    import pyarrow as pa

Dtypes: TypeAlias = Literal["arrow", "numpy"]
Record: TypeAlias = Mapping[str, Any]

_NONE: Final = type(None)
# As many as Arrow holds: neither does Salesforce refuse a number with more digits than its field says, nor may a
# sum have no more than each of its numbers.
_DECIMAL_DIGITS: Final = 38

# The keys of compound values, which are none of the fields that they are made of:
# https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/compound_fields_address.htm
_COORDINATES: Final = tuple(Column(name, "double", (name,), optional=True) for name in ("latitude", "longitude"))
_ADDRESS: Final = (
    *(
        Column(name, "string", (name,), optional=True)
        for name in ("street", "city", "state", "stateCode", "postalCode", "country", "countryCode", "geocodeAccuracy")
    ),
    *_COORDINATES,
)


@attrs.frozen
class Choices:
    """What a table makes of values that have more than one form.

    Args:
        decimals: Numbers become decimals, rounded to the scale that their field has, and no floats.
        split_multipicklists: The values of a multi-select picklist become a list, and no text with semicolons.
    """

    decimals: bool = False
    split_multipicklists: bool = False


def pyarrow() -> Any:
    """Import Arrow.

    Raises:
        ImportError: It is not installed.
    """
    return optional("pyarrow", "arrow")


def schema(columns: Iterable[Column], choices: Choices) -> pa.Schema:
    """Give the Arrow schema of a table with these columns."""
    return pyarrow().schema(_arrow_fields(columns, choices))


def table(columns: Sequence[Column], values: Iterable[Sequence[Any]], choices: Choices) -> pa.Table:
    """Make a table of the values of each column.

    Raises:
        ValueError: A value is not of the type of its column.
    """
    arrays = [array(column, each, choices) for column, each in zip(columns, values, strict=True)]
    return pyarrow().Table.from_arrays(arrays, schema=schema(columns, choices))


def batch(columns: Sequence[Column], records: Sequence[Record], choices: Choices) -> pa.RecordBatch:
    """Make a batch of records.

    Raises:
        ValueError: A record lacks a column, or a value is not of the type of its column.
    """
    _check_keys(columns, records)
    arrays = _arrays(columns, records, choices)
    return pyarrow().RecordBatch.from_arrays(arrays, schema=schema(columns, choices))


def check_dtypes(dtypes: object) -> None:
    """Refuse what is no kind of dtypes."""
    if dtypes not in {"arrow", "numpy"}:
        raise ValueError(f"dtypes is {dtypes!r}, and there are 'arrow' and 'numpy'")


def data_frame(table: pa.Table, dtypes: Dtypes) -> pd.DataFrame:
    """Make a pandas data frame of a table, and leave the table empty where its memory is needed for that."""
    pandas = optional("pandas", "pandas")
    options = (
        {"types_mapper": pandas.ArrowDtype} if dtypes == "arrow" else {"split_blocks": True, "self_destruct": True}
    )
    frame: pd.DataFrame = table.to_pandas(**options)
    return frame


def polars_frame(table: pa.Table) -> pl.DataFrame:
    """Make a Polars data frame of a table."""
    frame: pl.DataFrame = optional("polars", "polars").from_arrow(table, rechunk=False)
    return frame


def check_installed(*extras: str) -> None:
    """Import the packages of extras, so that what is missing is said before anything is sent."""
    for extra in extras:
        optional({"arrow": "pyarrow"}.get(extra, extra), extra)


# From records to the values of each column


def _arrays(columns: Iterable[Column], records: Sequence[Record], choices: Choices) -> list[pa.Array]:
    holders: dict[Path, Sequence[Any]] = {(): records}
    return [array(column, _values(column, column.path, holders), choices) for column in columns]


def _values(column: Column, path: Path, holders: dict[Path, Sequence[Any]]) -> list[Any]:
    """Give the values at a path, one for each record; a parent that is not there has no values."""
    *parents, key = path
    above = tuple(parents)
    if above not in holders:
        holders[above] = _values(column, above, holders)
    found = holders[above]
    try:
        if column.optional:
            return [None if holder is None else holder.get(key) for holder in found]
        return [None if holder is None else holder[key] for holder in found]
    except KeyError:
        return [None if holder is None else _value(column, key, holder) for holder in found]
    except (AttributeError, TypeError):
        raise ValueError(f"{column.name}: the answer has no records where the column's values should be") from None


def _value(column: Column, key: str, holder: Record) -> Any:
    # An alias, and a name that no description holds, may be written in other capitals.
    for name, value in holder.items():
        if name.lower() == key.lower():
            return value
    raise ValueError(f"{column.name}: the query selects it, but a record of the answer lacks it")


def _check_keys(columns: Iterable[Column], records: Sequence[Record]) -> None:
    """Refuse to lose what FIELDS() selected and no description names."""
    if records and any(column.optional for column in columns):
        unknown = {*records[0]} - {column.path[0] for column in columns} - {"attributes"}
        if unknown:
            raise ValueError(
                f"FIELDS() selects {', '.join(sorted(unknown))}, which the object's description lacks: "
                "name the fields one by one"
            )


# From values to Arrow


def _arrow_fields(columns: Iterable[Column], choices: Choices) -> list[pa.Field]:
    return [pyarrow().field(column.name, arrow_type(column, choices)) for column in columns]


def arrow_type(column: Column, choices: Choices) -> pa.DataType:
    """Give the Arrow type of a column."""
    pa = pyarrow()
    match column.type:
        case "address" | "location" | "children" | "parent":
            struct = pa.struct(_arrow_fields(_inner(column), choices))
            return pa.list_(struct) if column.type == CHILDREN else struct
        case "multipicklist" if choices.split_multipicklists:
            return pa.list_(pa.string())
        case "boolean":
            return pa.bool_()
        case "int" | "long":
            return pa.int64()
        case "currency" | "double" | "percent" if choices.decimals and column.scale is not None:
            return pa.decimal128(_DECIMAL_DIGITS, column.scale)
        case "currency" | "double" | "percent":
            return pa.float64()
        case "date":
            return pa.date32()
        case "datetime":
            return pa.timestamp("ms", "UTC")
        case "time":
            return pa.time64("us")
        case _:
            return pa.string()


def _inner(column: Column) -> tuple[Column, ...]:
    return {"address": _ADDRESS, "location": _COORDINATES}.get(column.type, column.columns)


def array(column: Column, values: Sequence[Any], choices: Choices) -> pa.Array:
    """Make an array of values as they are in JSON.

    Raises:
        ValueError: One is not of the type of its column.
    """
    kinds = {*map(type, values)} - {_NONE}
    if column.type in {"address", "location", PARENT}:
        _expect(column, kinds, {dict})
        return _struct(column, values, choices)
    if column.type == CHILDREN:
        _expect(column, kinds, {dict})
        return _list(column, values, choices)
    try:
        return _scalars(column, values, kinds, choices)
    except (ValueError, ArithmeticError):
        # Arrow's own text quotes the value.
        raise misfit(column) from None


def _struct(column: Column, values: Sequence[Any], choices: Choices) -> pa.Array:
    pa, inner = pyarrow(), _inner(column)
    mask = pa.array([value is None for value in values], pa.bool_())
    return pa.StructArray.from_arrays(_arrays(inner, values, choices), fields=_arrow_fields(inner, choices), mask=mask)


def _list(column: Column, values: Sequence[Any], choices: Choices) -> pa.Array:
    pa = pyarrow()
    records: list[Record] = []
    ends = [0]
    for value in values:
        # No children are null in Salesforce's answer.
        if value is not None:
            records += value["records"]
        ends.append(len(records))
    _check_keys(column.columns, records)
    children = _struct(column, records, choices)
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), children, type=arrow_type(column, choices))


def _scalars(column: Column, values: Sequence[Any], kinds: set[type], choices: Choices) -> pa.Array:
    pa, kind = pyarrow(), arrow_type(column, choices)
    # Of arrays of a page's size, Arrow's own allocator leaves half as much again unused.
    pool = pa.system_memory_pool()
    match column.type:
        case "boolean":
            _expect(column, kinds, {bool})
        case "int" | "long":
            _expect(column, kinds, {int, float})
            if float in kinds:
                values = [None if value is None else _whole(column, value) for value in values]
        case "currency" | "double" | "percent":
            _expect(column, kinds, {int, float})
            scale = column.scale if choices.decimals else None
            # A float's repr is the shortest text that is read as the same number, which is what Salesforce wrote.
            texts = (None if value is None else repr(value) for value in values)
            values = _floats(values, kinds) if scale is None else rounded(texts, scale)
        case "date" | "datetime":
            _expect(column, kinds, {str})
            return pa.array(values, pa.string(), memory_pool=pool).cast(kind, memory_pool=pool)
        case "time":
            _expect(column, kinds, {str})
            values = [None if value is None else time.fromisoformat(value).replace(tzinfo=None) for value in values]
        case "multipicklist" if choices.split_multipicklists:
            _expect(column, kinds, {str})
            values = [None if value is None else value.split(";") for value in values]
        case "anyType" | "complexvalue" | "json":
            values = [value if value is None or type(value) is str else dumps(value).decode() for value in values]
        case _:
            _expect(column, kinds, {str})
    return pa.array(values, kind, memory_pool=pool)


def _floats(values: Sequence[Any], kinds: set[type]) -> Sequence[Any]:
    # Arrow refuses an integer that no float is equal to.
    return values if int not in kinds else [None if value is None else float(value) for value in values]


def rounded(texts: Iterable[str | None], scale: int) -> list[Decimal | None]:
    """Round numbers as Salesforce's pages show them; its database may hold more digits than the field says.

    Raises:
        ArithmeticError: A text is no number, or has more digits than Arrow holds.

    See Also:
        https://help.salesforce.com/s/articleView?id=000387302&type=1
    """
    from decimal import ROUND_HALF_UP, Context, Decimal

    context, unit = Context(prec=_DECIMAL_DIGITS, rounding=ROUND_HALF_UP), Decimal(1).scaleb(-scale)
    return [None if text is None else Decimal(text).quantize(unit, context=context) for text in texts]


def _whole(column: Column, value: float) -> int:
    if not float(value).is_integer():
        raise misfit(column)
    return int(value)


def _expect(column: Column, found: set[type], allowed: set[type]) -> None:
    if not found <= allowed:
        raise misfit(column)


def misfit(column: Column) -> ValueError:
    """Make the error of a value that is not of the type of its column."""
    return ValueError(f"{column.name}: a value of the answer is no {column.type}")
