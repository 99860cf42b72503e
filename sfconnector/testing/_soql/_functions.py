"""What SQLite lacks for SOQL: text compared without regard to case, beyond ASCII; time zones; distances.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_comparisonoperators.htm
"""

import sqlite3
from datetime import datetime, timedelta
from functools import lru_cache
from math import asin, cos, radians, sin, sqrt
from typing import Any, Final
from zoneinfo import ZoneInfo

# The radius of the Earth in each unit of DISTANCE().
UNITS: Final = {"mi": 3958.8, "km": 6371.0}


def fold(text: Any) -> Any:
    """Turn a text into the key that it is compared and sorted by: upper case, character for character.

    Upper case because that is the documented sort order, one character each because of LIKE's ``_``.

    Example:
        >>> fold("straße")
        'STRAßE'
    """
    if not isinstance(text, str):
        return text
    if text.isascii():
        return text.upper()
    return "".join(upper if len(upper := character.upper()) == 1 else character for character in text)


def _collate(left: str, right: str) -> int:
    left, right = fold(left), fold(right)
    return (left > right) - (left < right)


def local(moment: str | None, zone: str) -> str | None:
    """Move a stored moment into a time zone; its text says no offset then.

    Example:
        >>> local("2024-07-01T03:30:00.000+0000", "America/Los_Angeles")
        '2024-06-30T20:30:00'
    """
    if moment is None:
        return None
    # Clocks change at quarters of an hour at most: that much decides the offset.
    shift = _offset(zone, moment[:13], int(moment[14:16]) // 15)
    return (datetime.fromisoformat(moment[:19]) + shift).isoformat() if shift else moment[:19]


@lru_cache(maxsize=65_536)
def _offset(zone: str, hour: str, quarter: int) -> timedelta:
    moment = datetime.fromisoformat(f"{hour}:{quarter * 15:02}:00+00:00")
    return moment.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()


def distance(
    latitude: float | None, longitude: float | None, to_latitude: float, to_longitude: float, unit: str
) -> Any:
    """Measure along a great circle; null where there is no place.

    Example:
        >>> round(distance(37.775, -122.418, 34.052, -118.244, "mi"))
        347
    """
    if latitude is None or longitude is None:
        return None
    first, second = radians(latitude), radians(to_latitude)
    across = sin((second - first) / 2) ** 2
    along = sin(radians(to_longitude - longitude) / 2) ** 2
    return 2 * UNITS[unit] * asin(min(1.0, sqrt(across + cos(first) * cos(second) * along)))


def register(connection: sqlite3.Connection) -> None:
    """Prepare a connection for SOQL: its functions and the collation ``SF_NOCASE``.

    Example:
        >>> connection = sqlite3.connect(":memory:")
        >>> register(connection)
        >>> connection.execute("SELECT 'É' = 'é' COLLATE SF_NOCASE, soql_fold('é') = soql_fold('É')").fetchone()
        (1, 1)
    """
    connection.create_function("soql_fold", 1, fold, deterministic=True)
    connection.create_function("soql_local", 2, local, deterministic=True)
    connection.create_function("soql_distance", 5, distance, deterministic=True)
    connection.create_collation("SF_NOCASE", _collate)
