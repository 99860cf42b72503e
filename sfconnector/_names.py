"""What callers name: objects, fields, records and instants, checked before anything is sent."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from sfconnector._json import utc

_NAME: Final = re.compile(r"[A-Za-z]\w*", re.ASCII)
_PATH: Final = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)
_ID: Final = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")


def check_name(what: str, name: object) -> str:
    """Refuse what cannot be the API name of an object or a field."""
    return _matching(_NAME, what, name)


def check_path(what: str, name: object) -> str:
    """Refuse what cannot be the name of a field, or a path to one of a parent's."""
    return _matching(_PATH, what, name)


def _matching(pattern: re.Pattern[str], what: str, name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{what} is named by a text, not by a {type(name).__name__}")
    if pattern.fullmatch(name) is None:
        raise ValueError(f"{what} {name!r} is no API name such as Account, Invoice__c or Ext__c")
    return name


def check_id(record_id: object) -> str:
    """Refuse what cannot be the id of a record."""
    if not isinstance(record_id, str):
        raise TypeError(f"an id is a text of 15 or 18 characters, not a {type(record_id).__name__}")
    if _ID.fullmatch(record_id) is None:
        raise ValueError(f"{record_id!r} is no id: it has 15 or 18 letters and digits")
    return record_id


def check_text(what: str, value: object) -> str:
    """Refuse what is no text, or a blank one."""
    if not isinstance(value, str):
        raise TypeError(f"{what} is a text, not a {type(value).__name__}")
    if not value.strip():
        raise ValueError(f"{what} is blank")
    return value


def external_id_value(value: object) -> str:
    """Write the value of an external id as text."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"an external id is a text or a whole number, not a {type(value).__name__}")
    if value == "":
        raise ValueError("the external id is empty, so it names no record")
    # An enum stands for its value.
    return str.__str__(value) if isinstance(value, str) else str(int(value))


def auto_assign_header(value: bool | str | None) -> str | None:
    """Say which assignment rule runs: the active one, none, or the one of an id."""
    if value is None or isinstance(value, bool):
        return None if value is None else str(value).upper()
    return check_id(value)


def http_date(value: datetime | None) -> str | None:
    """Write an instant as HTTP's conditions take it, cut to seconds."""
    return None if value is None else format_datetime(utc(value).replace(microsecond=0), usegmt=True)
