"""What SQLite lacks for SOQL: text compared without regard to case, beyond ASCII.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_comparisonoperators.htm
"""

import sqlite3
from typing import Any


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


def register(connection: sqlite3.Connection) -> None:
    """Prepare a connection for SOQL: the function ``soql_fold`` and the collation ``SF_NOCASE``.

    Example:
        >>> connection = sqlite3.connect(":memory:")
        >>> register(connection)
        >>> connection.execute("SELECT 'É' = 'é' COLLATE SF_NOCASE, soql_fold('é') = soql_fold('É')").fetchone()
        (1, 1)
    """
    connection.create_function("soql_fold", 1, fold, deterministic=True)
    connection.create_collation("SF_NOCASE", _collate)
