"""What one run of a report changes in the report: filters, columns and other metadata."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, TypeAlias

from sfconnector._json import format_instant
from sfconnector._names import check_text
from sfconnector._records import encode

Filter: TypeAlias = tuple[str, str, Any]


def changes_of(
    filters: Iterable[Filter] | None,
    filter_logic: str | None,
    columns: Iterable[str] | None,
    metadata: Mapping[str, Any] | None,
) -> dict[str, Any] | None:
    """Write the changes to a report's metadata; ``None`` where there are none."""
    if isinstance(columns, str):
        raise TypeError(f"columns is a list of names: give [{columns!r}] instead of {columns!r}")
    others = encode({} if metadata is None else metadata)
    changes: dict[str, Any] = {}
    if filters is not None:
        changes["reportFilters"] = [_filter(each) for each in filters]
    if filter_logic is not None:
        changes["reportBooleanFilter"] = check_text("filter_logic", filter_logic)
    elif filters is not None and "reportBooleanFilter" not in others:
        # That of the report itself speaks of its own filters.
        changes["reportBooleanFilter"] = None
    if columns is not None:
        changes["detailColumns"] = [check_text("a column", each) for each in columns]
    if twice := changes.keys() & others.keys():
        raise ValueError(f"metadata holds {', '.join(sorted(twice))}, which another argument gives already")
    return {**others, **changes} or None


def _filter(given: object) -> dict[str, Any]:
    if isinstance(given, str) or not isinstance(given, Iterable) or len(triple := tuple(given)) != 3:
        raise TypeError('a filter is a triple of column, operator and value: ("AMOUNT", "greaterThan", 1000)')
    column, operator, value = triple
    several = isinstance(value, list | tuple | set | frozenset)
    values = [_quoted(_value(each)) for each in value] if several else [_value(value)]
    if not values:
        raise ValueError("a filter's list of values is empty, so it says nothing: leave the filter out")
    return {
        "column": check_text("the column of a filter", column),
        "operator": check_text("the operator of a filter", operator),
        "value": ",".join(values),
    }


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return format_instant(value, "filters: ")
        case date():
            return value.isoformat()
        case str():
            return str.__str__(value)
        case None:
            return ""
        case int():
            return str(int(value))
        case _:
            return _fraction(value)


def _fraction(value: object) -> str:
    from decimal import Decimal

    match encode({"filters": value})["filters"]:
        case float() as number:
            # Without an exponent.
            return format(Decimal(repr(number)), "f")
        case Decimal() as number:
            return format(number, "f")
        case _:
            raise TypeError(f"filters: a {type(value).__name__} is no value of a filter")


def _quoted(value: str) -> str:
    # A comma would begin another value.
    return f'"{value}"' if "," in value else value
