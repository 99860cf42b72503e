"""Record ids: 15 case-sensitive characters, or 18 where three more make up for lost case.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm#i1435616
"""

import re
from functools import lru_cache

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = [high + low for high in DIGITS for low in DIGITS]
_SUFFIX_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ID = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?", re.ASCII)
# Characters 4 to 6 of every id name the instance which made it.
_INSTANCE = "Lo0"


def suffix(id15: str) -> str:
    """Compute the three characters that tell which of the 15 are upper case."""
    return _suffix_digit(id15[:5]) + _suffix_digit(id15[5:10]) + _suffix_digit(id15[10:])


# Ids that are made one after another share most of their characters.
@lru_cache(maxsize=10_000)
def _suffix_digit(five: str) -> str:
    return _SUFFIX_DIGITS[sum(1 << bit for bit, char in enumerate(five) if "A" <= char <= "Z")]


def normalize(text: str) -> str | None:
    """Return the 18-character form of an id, or ``None`` for what is not an id.

    An 18-character id whose case was lost on its way (all lower, all upper) is given back its case.
    """
    if not _ID.fullmatch(text):
        return None
    if len(text) == 15:
        return text + suffix(text)
    id15, given = text[:15], text[15:].upper()
    if suffix(id15) == given:
        return id15 + given
    if id15 not in (id15.lower(), id15.upper()):
        return None
    return _restore(id15, given)


def make(prefix: str, number: int) -> str:
    """Build the id of the ``number``-th record of the object with this key prefix."""
    high, low = divmod(number, len(_PAIRS))
    digits = _seven_digits(high) + _PAIRS[low]
    id15 = prefix + _INSTANCE + digits
    return id15 + suffix(id15)


@lru_cache(maxsize=1_000)
def _seven_digits(number: int) -> str:
    digits = ""
    for _ in range(7):
        number, rest = divmod(number, len(DIGITS))
        digits = DIGITS[rest] + digits
    return digits


def _restore(id15: str, given: str) -> str | None:
    if any(char not in _SUFFIX_DIGITS for char in given):
        return None
    bits = [_SUFFIX_DIGITS.index(char) >> bit & 1 for char in given for bit in range(5)]
    restored = "".join(char.upper() if bit else char.lower() for char, bit in zip(id15, bits, strict=True))
    return restored + given if suffix(restored) == given else None
