"""The values of Python as Salesforce takes them in the cells of CSV.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_csv_valid_record_rows.htm
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final

from sfconnector._json import format_instant, format_time

NULL: Final = "#N/A"
"""The cell that empties a field. An empty cell leaves a field as it is, so an empty text does nothing either."""

# What Python itself writes as it should be, once None is replaced.
_PLAIN: Final[frozenset[type]] = frozenset({str, int, float, type(None)})
_BOOLEANS: Final = {True: "true", False: "false"}


def text(value: object) -> str:
    """Write a value as the text of a cell.

    Raises:
        TypeError: Values of its type are in no cell.
        ValueError: It is a number that is none, or a datetime without a time zone.
    """
    match value:
        # Subclasses, enums of texts among them, are reduced to the value that they stand for.
        case str():
            return str.__str__(value)
        case None:
            return NULL
        case bool():
            return _BOOLEANS[value]
        case int():
            return str(int(value))
        case float():
            if not math.isfinite(value):
                raise ValueError(f"a cell has no number for {value}")
            return repr(float(value))
        case datetime():
            # What pandas has in the place of a missing instant is no instant, though of the same class.
            if type(value).__name__ == "NaTType":
                raise ValueError("a cell has no instant for NaT: give None")
            return format_instant(value)
        case date():
            return value.isoformat()
        case time():
            return format_time(value)
        case _:
            return _other(value)


def _other(value: Any) -> str:
    from decimal import Decimal
    from enum import Enum

    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"a cell has no number for {value}")
        return format(value, "f")
    if isinstance(value, Enum):
        return text(value.value)
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        item = value.item()
        if type(item).__module__ != "numpy":
            return text(item)
    raise TypeError(f"a {type(value).__name__} has no place in a cell")


def texts(values: Sequence[Any]) -> list[str]:
    """Write the values of a column as texts.

    Raises:
        TypeError, ValueError: As :func:`text`.
    """
    types = set(map(type, values))
    if types <= _PLAIN and (float not in types or all(math.isfinite(each) for each in values if type(each) is float)):
        return [NULL if value is None else str(value) for value in values]
    if types == {bool}:
        return list(map(_BOOLEANS.__getitem__, values))
    return [value if type(value) is str else text(value) for value in values]


def flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the parent records in a record into columns: ``{"Owner": {"Ext__c": 1}}`` into ``Owner.Ext__c``.

    What queries tell of a record under ``attributes`` is no field, and left out.
    """
    found: dict[str, Any] = {}
    for name, value in record.items():
        if not isinstance(value, Mapping):
            found[name] = value
        elif name != "attributes":
            found.update((f"{name}.{field}", each) for field, each in flat(value).items())
    return found
